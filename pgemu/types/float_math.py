"""Mathematical functions of float8 (PostgreSQL: utils/adt/float.c)."""

from __future__ import annotations

import math
from collections.abc import Callable

from pgemu.errors import (
    INVALID_ARGUMENT_FOR_LOG,
    INVALID_ARGUMENT_FOR_POWER_FUNCTION,
    NUMERIC_VALUE_OUT_OF_RANGE,
    PgError,
)
from pgemu.fmgr import pg_function
from pgemu.types.float import PgFloat, float_overflow, float_underflow

INF = math.inf
RADIANS_PER_DEGREE = 0.0174532925199432957692

Body = Callable[[float], float]


def out_of_range() -> PgError:
    return PgError(NUMERIC_VALUE_OUT_OF_RANGE, "input is out of range")


def bind_float(*signatures: str) -> Callable[[Body], Body]:
    """Bind a body of one float; NaN gives NaN, a NaN result its storage value."""

    def bind(body: Body) -> Body:
        def called(a: PgFloat) -> PgFloat:
            if isinstance(a, str):
                return a
            result = body(a)
            return "NaN" if result != result else result

        pg_function(*signatures)(called)
        return body

    return bind


@bind_float("sqrt(float8)", "dsqrt(float8)")
def dsqrt(a: float) -> float:
    if a < 0:
        raise PgError(
            INVALID_ARGUMENT_FOR_POWER_FUNCTION, "cannot take square root of a negative number"
        )
    return math.sqrt(a)


@bind_float("cbrt(float8)", "dcbrt(float8)")
def dcbrt(a: float) -> float:
    return math.cbrt(a)


@bind_float("exp(float8)", "dexp(float8)")
def dexp(a: float) -> float:
    try:
        result = math.exp(a)
    except OverflowError:
        raise float_overflow() from None
    if result == 0.0 and a != -INF:
        raise float_underflow()
    return result


def check_log(a: float) -> None:
    if a == 0.0:
        raise PgError(INVALID_ARGUMENT_FOR_LOG, "cannot take logarithm of zero")
    if a < 0:
        raise PgError(INVALID_ARGUMENT_FOR_LOG, "cannot take logarithm of a negative number")


@bind_float("ln(float8)", "dlog1(float8)")
def dlog1(a: float) -> float:
    check_log(a)
    return math.log(a)


@bind_float("log(float8)", "log10(float8)", "dlog10(float8)")
def dlog10(a: float) -> float:
    check_log(a)
    return math.log10(a)


@pg_function("power(float8,float8)", "pow(float8,float8)", "dpow(float8,float8)")
def dpow(a: PgFloat, b: PgFloat) -> PgFloat:
    if isinstance(a, str):
        return 1.0 if b == 0.0 else "NaN"
    if isinstance(b, str):
        return 1.0 if a == 1.0 else "NaN"
    if a == 0 and b < 0:
        raise PgError(
            INVALID_ARGUMENT_FOR_POWER_FUNCTION, "zero raised to a negative power is undefined"
        )
    if a < 0 and math.isfinite(b) and b != math.floor(b):
        raise PgError(
            INVALID_ARGUMENT_FOR_POWER_FUNCTION,
            "a negative number raised to a non-integer power yields a complex result",
        )
    try:
        result = math.pow(a, b)
    except OverflowError:
        raise float_overflow() from None
    if result == 0.0 and a != 0.0 and math.isfinite(a) and math.isfinite(b):
        raise float_underflow()
    return "NaN" if result != result else result


def whole(body: Callable[[float], int]) -> Body:
    """ceil, floor, trunc keep infinities and the sign of zero."""
    return lambda a: a if math.isinf(a) else math.copysign(float(body(a)), a)


bind_float("ceil(float8)", "ceiling(float8)")(whole(math.ceil))
bind_float("floor(float8)")(whole(math.floor))
bind_float("trunc(float8)", "dtrunc(float8)")(whole(math.trunc))
bind_float("round(float8)", "dround(float8)")(whole(round))
pg_function("sign(float8)")(lambda a: 0.0 if a == "NaN" else float((a > 0) - (a < 0)))
bind_float("radians(float8)")(lambda a: a * RADIANS_PER_DEGREE)


@bind_float("degrees(float8)")
def degrees(a: float) -> float:
    result = a / RADIANS_PER_DEGREE
    if math.isinf(result) and not math.isinf(a):
        raise float_overflow()
    return result


pg_function("pi() -> float8")(lambda: math.pi)


def circular(function: Body) -> Body:
    def body(a: float) -> float:
        if math.isinf(a):
            raise out_of_range()
        return function(a)

    return body


def reciprocal(a: float) -> float:
    return math.copysign(INF, a) if a == 0.0 else 1.0 / a


bind_float("sin(float8)")(circular(math.sin))
bind_float("cos(float8)")(circular(math.cos))
bind_float("tan(float8)")(circular(math.tan))
bind_float("cot(float8)")(circular(lambda a: reciprocal(math.tan(a))))


def bounded(function: Body) -> Body:
    def body(a: float) -> float:
        if not -1.0 <= a <= 1.0:
            raise out_of_range()
        return function(a)

    return body


bind_float("asin(float8)")(bounded(math.asin))
bind_float("acos(float8)")(bounded(math.acos))
bind_float("atan(float8)")(math.atan)


@pg_function("atan2(float8,float8)")
def datan2(a: PgFloat, b: PgFloat) -> PgFloat:
    if isinstance(a, str) or isinstance(b, str):
        return "NaN"
    return math.atan2(a, b)


@bind_float("sinh(float8)")
def dsinh(a: float) -> float:
    try:
        return math.sinh(a)
    except OverflowError:
        return math.copysign(INF, a)


@bind_float("cosh(float8)")
def dcosh(a: float) -> float:
    try:
        return math.cosh(a)
    except OverflowError:
        return INF


bind_float("tanh(float8)")(math.tanh)
bind_float("asinh(float8)")(math.asinh)


@bind_float("acosh(float8)")
def dacosh(a: float) -> float:
    if a < 1.0:
        raise out_of_range()
    return math.acosh(a)


@bind_float("atanh(float8)")
def datanh(a: float) -> float:
    if a < -1.0 or a > 1.0:
        raise out_of_range()
    return math.copysign(INF, a) if abs(a) == 1.0 else math.atanh(a)


# Degrees: scaled so that the results at multiples of 30 and 45 degrees are exact.

SIN_30 = math.sin(30.0 * RADIANS_PER_DEGREE)
ONE_MINUS_COS_60 = 1.0 - math.cos(60.0 * RADIANS_PER_DEGREE)
ASIN_0_5 = math.asin(0.5)
ACOS_0_5 = math.acos(0.5)
ATAN_1_0 = math.atan(1.0)


def sind_0_to_30(a: float) -> float:
    return (math.sin(a * RADIANS_PER_DEGREE) / SIN_30) / 2.0


def cosd_0_to_60(a: float) -> float:
    return 1.0 - ((1.0 - math.cos(a * RADIANS_PER_DEGREE)) / ONE_MINUS_COS_60) / 2.0


def sind_q1(a: float) -> float:
    return sind_0_to_30(a) if a <= 30.0 else cosd_0_to_60(90.0 - a)


def cosd_q1(a: float) -> float:
    return cosd_0_to_60(a) if a <= 60.0 else sind_0_to_30(90.0 - a)


TAN_45 = sind_q1(45.0) / cosd_q1(45.0)
COT_45 = cosd_q1(45.0) / sind_q1(45.0)


def first_quadrant(a: float, flips: tuple[bool, bool, bool]) -> tuple[float, float]:
    """(sign, angle within 0..90): flips tells at which reflection the sign changes."""
    if math.isinf(a):
        raise out_of_range()
    a = math.fmod(a, 360.0)
    sign = 1.0
    if a < 0.0:
        a, sign = -a, -sign if flips[0] else sign
    if a > 180.0:
        a, sign = 360.0 - a, -sign if flips[1] else sign
    if a > 90.0:
        a, sign = 180.0 - a, -sign if flips[2] else sign
    return sign, a


@bind_float("sind(float8)")
def dsind(a: float) -> float:
    sign, a = first_quadrant(a, (True, True, False))
    return sign * sind_q1(a)


@bind_float("cosd(float8)")
def dcosd(a: float) -> float:
    sign, a = first_quadrant(a, (False, False, True))
    return sign * cosd_q1(a)


def ratio(a: float, b: float) -> float:
    return math.copysign(INF, b) if b == 0.0 else a / b


@bind_float("tand(float8)")
def dtand(a: float) -> float:
    sign, a = first_quadrant(a, (True, True, True))
    return sign * (ratio(sind_q1(a), cosd_q1(a)) / TAN_45) + 0.0


@bind_float("cotd(float8)")
def dcotd(a: float) -> float:
    sign, a = first_quadrant(a, (True, True, True))
    return sign * (ratio(cosd_q1(a), sind_q1(a)) / COT_45) + 0.0


def asind_q1(a: float) -> float:
    if a <= 0.5:
        return (math.asin(a) / ASIN_0_5) * 30.0
    return 90.0 - (math.acos(a) / ACOS_0_5) * 60.0


def acosd_q1(a: float) -> float:
    if a <= 0.5:
        return 90.0 - (math.asin(a) / ASIN_0_5) * 30.0
    return (math.acos(a) / ACOS_0_5) * 60.0


bind_float("asind(float8)")(bounded(lambda a: asind_q1(a) if a >= 0.0 else -asind_q1(-a)))
bind_float("acosd(float8)")(bounded(lambda a: acosd_q1(a) if a >= 0.0 else 90.0 + asind_q1(-a)))
bind_float("atand(float8)")(lambda a: (math.atan(a) / ATAN_1_0) * 45.0)


@pg_function("atan2d(float8,float8)")
def datan2d(a: PgFloat, b: PgFloat) -> PgFloat:
    if isinstance(a, str) or isinstance(b, str):
        return "NaN"
    return (math.atan2(a, b) / ATAN_1_0) * 45.0
