"""numeric's sqrt, exp, ln, log and power (PostgreSQL: utils/adt/numeric.c).

The result scale is PostgreSQL's estimate of the result's decimal weight; the digits are computed
by Python's decimal with guard digits and rounded half away from zero, which agrees with
PostgreSQL's own series to the last digit.
"""

from __future__ import annotations

import math
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal

from pgemu.errors import (
    INVALID_ARGUMENT_FOR_LOG,
    INVALID_ARGUMENT_FOR_POWER_FUNCTION,
    PgError,
)
from pgemu.fmgr import pg_function
from pgemu.types.integer_ops import division_by_zero
from pgemu.types.numeric import (
    MAX_SCALE,
    checked_pack,
    compare_numeric,
    divide_rounded,
    overflow_error,
    pack,
    rescale,
    unpack,
)
from pgemu.types.numeric_ops import (
    INFINITIES,
    MIN_SIG_DIGITS,
    first_digit_position,
    quotient_at,
    sign_of,
)

LOG10_E = 0.434294481903252
LN_10 = 2.302585092994046
MAX_RESULT_SCALE = 2000
MAX_WEIGHT_DIGITS = 131072


def working(precision: int) -> Context:
    """A decimal context with so many significant digits and no bounds on the exponent."""
    return Context(
        prec=max(precision, 30), rounding=ROUND_HALF_EVEN, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[]
    )


def clamp_scale(*wanted: int) -> int:
    return min(max(0, *wanted), MAX_SCALE)


def fixed(value: Decimal, scale: int) -> str:
    """The text of a Decimal at a scale."""
    context = working(max(value.adjusted(), 0) + scale + 10)
    quantized = value.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP, context)
    text = format(quantized, "f")
    return text[1:] if text.startswith("-") and not text.strip("-0.") else text


def to_double(text: str) -> float:
    try:
        return float(text)
    except OverflowError:
        return math.inf


def estimate_ln_dweight(text: str) -> int:
    """Decimal weight of ln(value), as PostgreSQL estimates it."""
    value = Decimal(text)
    if Decimal("0.9") <= value <= Decimal("1.1"):
        n, s = unpack(text)
        weight, digit = first_digit_position(n - int(10**s), s)
        return weight * 4 + int(math.log10(digit)) if digit else 0
    n, s = unpack(text)
    weight, digits = first_digit_position(n, s)
    if not digits:
        return 0
    dweight = weight * 4
    all_digits = str(abs(n)).rstrip("0")
    used = len(str(digits))
    if len(all_digits) > used:
        digits = digits * 10000 + int(all_digits[used : used + 4].ljust(4, "0"))
        dweight -= 4
    estimate = abs(math.log(digits) + dweight * LN_10)
    return int(math.log10(estimate)) if estimate else 0


def sqrt_at(n: int, s: int, scale: int) -> str:
    """sqrt of n * 10^-s at a scale, rounded."""
    guard = scale + 1
    shifted = n * int(10 ** (2 * guard - s)) if 2 * guard >= s else n // 10 ** (s - 2 * guard)
    return checked_pack(divide_rounded(math.isqrt(shifted), 10), scale)


@pg_function("sqrt(numeric)", "numeric_sqrt(numeric)")
def numeric_sqrt(a: str) -> str:
    if a.startswith("-"):
        raise PgError(
            INVALID_ARGUMENT_FOR_POWER_FUNCTION, "cannot take square root of a negative number"
        )
    try:
        n, s = unpack(a)
    except ValueError:
        return a
    weight, _ = first_digit_position(n, s)
    sweight = int((weight + 1) * 4 / 2) - 1
    return sqrt_at(n, s, clamp_scale(MIN_SIG_DIGITS - sweight, s))


@pg_function("exp(numeric)", "numeric_exp(numeric)")
def numeric_exp(a: str) -> str:
    if a == "NaN":
        return a
    if a in INFINITIES:
        return "Infinity" if a == "Infinity" else "0"
    scale_in = unpack(a)[1]
    weight = max(min(to_double(a) * LOG10_E, MAX_RESULT_SCALE), -MAX_RESULT_SCALE)
    scale = clamp_scale(MIN_SIG_DIGITS - int(weight), scale_in)
    return exp_at(a, scale)


def exp_at(a: str, scale: int) -> str:
    size = to_double(a)
    if abs(size) >= MAX_RESULT_SCALE * 3:
        if size > 0:
            raise overflow_error()
        return pack(0, scale)
    digits = max(int(size * LOG10_E), 0) + scale + 12
    return fixed(Decimal(a).exp(working(digits)), scale)


def check_log_argument(a: str) -> None:
    sign = sign_of(a)
    if sign == 0:
        raise PgError(INVALID_ARGUMENT_FOR_LOG, "cannot take logarithm of zero")
    if sign < 0:
        raise PgError(INVALID_ARGUMENT_FOR_LOG, "cannot take logarithm of a negative number")


@pg_function("ln(numeric)", "numeric_ln(numeric)")
def numeric_ln(a: str) -> str:
    if a == "NaN":
        return a
    check_log_argument(a)
    if a == "Infinity":
        return a
    scale = clamp_scale(MIN_SIG_DIGITS - estimate_ln_dweight(a), unpack(a)[1])
    return fixed(ln_of(a, scale), scale)


def ln_of(a: str, scale: int) -> Decimal:
    return Decimal(a).ln(working(scale + 30))


@pg_function("log(numeric,numeric)", "numeric_log(numeric,numeric)")
def numeric_log(base: str, number: str) -> str:
    if base == "NaN" or number == "NaN":
        return "NaN"
    check_log_argument(base)
    check_log_argument(number)
    if base == "Infinity" or number == "Infinity":
        if base != "Infinity":
            return "Infinity"
        return "NaN" if number == "Infinity" else "0"
    weight = estimate_ln_dweight(number) - estimate_ln_dweight(base)
    scale = clamp_scale(MIN_SIG_DIGITS - weight, unpack(base)[1], unpack(number)[1])
    divisor = ln_of(base, scale + abs(weight))
    if not divisor:
        raise division_by_zero()
    quotient = working(scale + abs(weight) + 40).divide(ln_of(number, scale + abs(weight)), divisor)
    return fixed(quotient, scale)


@pg_function("log(numeric)", "log10(numeric)")
def numeric_log10(number: str) -> str:
    return numeric_log("10", number)


def power_int(base: str, exponent: int) -> str:
    """power_var_int: an integer exponent that fits in 32 bits."""
    n, s = unpack(base)
    weight = 0.0
    if n:
        digits = str(abs(n))
        lead = digits[:17]
        weight = exponent * (math.log10(int(lead)) + len(digits) - len(lead) - s)
    if weight > MAX_WEIGHT_DIGITS:
        raise overflow_error()
    if weight + 1 < -MAX_SCALE:
        return pack(0, clamp_scale(MIN_SIG_DIGITS, s))
    # Not reduced by the weight of the result: PostgreSQL 15 and before.
    scale = clamp_scale(MIN_SIG_DIGITS, s)
    if exponent == 0:
        return pack(10**scale, scale)
    if exponent < 0 and n == 0:
        raise division_by_zero()
    if s * abs(exponent) < 4000 and len(str(n)) * abs(exponent) < 20000:
        power = n ** abs(exponent)
        power_scale = s * abs(exponent)
        if exponent > 0:
            return checked_pack(rescale(power, power_scale, scale), scale)
        return checked_pack(quotient_at(1, 0, power, power_scale, scale), scale)
    context = working(max(int(abs(weight)), 0) + scale + 30)
    value = context.power(Decimal(base).copy_abs(), Decimal(exponent))
    text = fixed(value, scale)
    if len(text.split(".")[0]) > MAX_WEIGHT_DIGITS:
        raise overflow_error()
    return "-" + text if n < 0 and exponent % 2 and text.strip("0.") else text


def power_special(a: str, b: str) -> str:
    """numeric_power with a NaN or an infinity (IEEE's pow)."""
    if a == "NaN":
        return "1" if b != "NaN" and sign_of(b) == 0 and b not in INFINITIES else "NaN"
    if b == "NaN":
        return "1" if a not in INFINITIES and compare_numeric(a, "1") == 0 else "NaN"
    base_sign, exponent_sign = sign_of(a), sign_of(b)
    check_power_domain(a, b)
    if a not in INFINITIES and compare_numeric(a, "1") == 0:
        return "1"
    if exponent_sign == 0:
        return "1"
    if base_sign == 0:
        return "0"
    if b in INFINITIES:
        if a in INFINITIES:
            large: int = 1
        else:
            large = compare_numeric(a.removeprefix("-"), "1")
        if large == 0:
            return "1"
        return "Infinity" if (large > 0) == (exponent_sign > 0) else "0"
    if exponent_sign < 0:
        return "0"
    return "-Infinity" if base_sign < 0 and unpack(b)[0] // 10 ** unpack(b)[1] % 2 else "Infinity"


def check_power_domain(a: str, b: str) -> None:
    sign = sign_of(a)
    if sign == 0 and sign_of(b) < 0:
        raise PgError(
            INVALID_ARGUMENT_FOR_POWER_FUNCTION, "zero raised to a negative power is undefined"
        )
    if sign < 0 and b not in INFINITIES:
        n, s = unpack(b)
        if n % 10**s:
            raise PgError(
                INVALID_ARGUMENT_FOR_POWER_FUNCTION,
                "a negative number raised to a non-integer power yields a complex result",
            )


@pg_function("power(numeric,numeric)", "pow(numeric,numeric)", "numeric_power(numeric,numeric)")
def numeric_power(a: str, b: str) -> str:
    if a == "NaN" or b == "NaN" or a in INFINITIES or b in INFINITIES:
        return power_special(a, b)
    check_power_domain(a, b)
    exponent, exponent_scale = unpack(b)
    whole = exponent % 10**exponent_scale == 0
    if whole:
        exponent //= 10**exponent_scale
        if -(1 << 31) <= exponent < 1 << 31:
            return power_int(a, exponent)
    if sign_of(a) == 0:
        return pack(0, MIN_SIG_DIGITS)
    base = a.removeprefix("-")
    context = working(200)
    size = to_double(str(context.multiply(Decimal(base).ln(context), Decimal(b))))
    if abs(size) > MAX_RESULT_SCALE * 3.01:
        if size > 0:
            raise overflow_error()
        return pack(0, MAX_SCALE)
    weight = int(size * LOG10_E)
    scale = clamp_scale(MIN_SIG_DIGITS - weight, unpack(base)[1], exponent_scale)
    context = working(scale + abs(weight) + len(b) + 30)
    value = context.multiply(Decimal(base).ln(context), Decimal(b)).exp(context)
    text = fixed(value, scale)
    return "-" + text if a != base and whole and exponent % 2 and text.strip("0.") else text
