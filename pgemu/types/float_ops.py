"""Operators and casts of float4 and float8 (PostgreSQL: utils/adt/float.c).

float4 arithmetic is done in doubles and rounded to 24 bits after each operation, which gives the
same results as single precision arithmetic does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from pgemu.errors import (
    INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION,
    INVALID_PRECEDING_OR_FOLLOWING_SIZE,
    NUMERIC_VALUE_OUT_OF_RANGE,
    PgError,
)
from pgemu.fmgr import pg_function
from pgemu.types.comparison import bind_comparisons
from pgemu.types.float import (
    PgFloat,
    compare_float,
    float_overflow,
    float_underflow,
    round_to_single,
    to_float4,
)
from pgemu.types.integer_ops import division_by_zero
from pgemu.types.integers import INT2, INT4, INT8, IntegerType
from pgemu.types.numeric import parse_numeric

INF = math.inf
Narrow = Callable[[float], float] | None


def finished(result: float, a: float, b: float, narrow: Narrow) -> PgFloat:
    """Round to the result type, check for overflow, turn NaN into its storage value."""
    if narrow is not None:
        result = narrow(result)
    if result != result:
        return "NaN"
    if (result == INF or result == -INF) and math.isfinite(a) and math.isfinite(b):
        raise float_overflow()
    return result


def arithmetic(narrow: Narrow) -> dict[str, Callable[[Any, Any], PgFloat]]:
    def add(a: Any, b: Any) -> PgFloat:
        if a == "NaN" or b == "NaN":
            return "NaN"
        return finished(a + b, a, b, narrow)

    def subtract(a: Any, b: Any) -> PgFloat:
        if a == "NaN" or b == "NaN":
            return "NaN"
        return finished(a - b, a, b, narrow)

    def multiply(a: Any, b: Any) -> PgFloat:
        if a == "NaN" or b == "NaN":
            return "NaN"
        result = finished(float(a) * b, a, b, narrow)
        if result == 0.0 and a != 0.0 and b != 0.0:
            raise float_underflow()
        return result

    def divide(a: Any, b: Any) -> PgFloat:
        if a == "NaN":
            return "NaN"
        if b == 0.0:
            raise division_by_zero()
        if b == "NaN":
            return "NaN"
        result = finished(a / b, a, b, narrow)
        if result == 0.0 and a != 0.0 and math.isfinite(b):
            raise float_underflow()
        return result

    return {"pl": add, "mi": subtract, "mul": multiply, "div": divide}


def bind_arithmetic(prefix: str, args: str, narrow: Narrow) -> None:
    for suffix, body in arithmetic(narrow).items():
        pg_function(f"{prefix}{suffix}({args})")(body)


bind_arithmetic("float4", "float4,float4", round_to_single)
bind_arithmetic("float8", "float8,float8", None)
bind_arithmetic("float48", "float4,float8", None)
bind_arithmetic("float84", "float8,float4", None)
for _tag, _args in (
    ("4", "float4,float4"),
    ("8", "float8,float8"),
    ("48", "float4,float8"),
    ("84", "float8,float4"),
):
    bind_comparisons(f"float{_tag}", _args, compare_float, cmp=f"btfloat{_tag}cmp")


def float_abs(a: PgFloat) -> PgFloat:
    return a if isinstance(a, str) else abs(a)


def float_minus(a: PgFloat) -> PgFloat:
    return a if isinstance(a, str) else -a


for _name in ("float4", "float8"):
    pg_function(f"{_name}abs({_name})", f"abs({_name})")(float_abs)
    pg_function(f"{_name}um({_name})")(float_minus)
    pg_function(f"{_name}up({_name})")(lambda a: a)
    pg_function(f"{_name}larger({_name},{_name})")(lambda a, b: a if compare_float(a, b) > 0 else b)
    pg_function(f"{_name}smaller({_name},{_name})")(
        lambda a, b: a if compare_float(a, b) < 0 else b
    )

# Casts.


@pg_function("float4(float8) -> float4")
def dtof(a: PgFloat) -> PgFloat:
    return a if isinstance(a, str) else to_float4(a)


pg_function("float8(float4) -> float8")(lambda a: a)


def bind_integer_casts(kind: IntegerType) -> None:
    error = f"{kind.sql_name} out of range"

    def to_integer(a: PgFloat) -> int:
        # rint(): half to even.  NaN is out of range too.
        if isinstance(a, str) or math.isinf(a):
            raise PgError(NUMERIC_VALUE_OUT_OF_RANGE, error)
        return kind.checked(round(a))

    pg_function(f"{kind.name}(float4)", f"{kind.name}(float8)")(to_integer)
    pg_function(f"float8({kind.name})")(float)
    pg_function(f"float4({kind.name})")(lambda n: round_to_single(exact_double(n)))


def exact_double(n: int) -> float:
    """int to double for a later rounding to single: kept odd where inexact, so that the second
    rounding sees on which side of a tie the integer was."""
    value = float(n)
    if int(value) == n:
        return value
    low = value if int(value) < n else math.nextafter(value, -INF)
    high = math.nextafter(low, INF)
    return high if int(low) % (1 << 12) == 0 else low


for _kind in (INT2, INT4, INT8):
    bind_integer_casts(_kind)


def numeric_to_float(sql_name: str, narrow: Narrow) -> Callable[[str], PgFloat]:
    def cast(a: str) -> PgFloat:
        if a == "NaN":
            return a
        value = float(a)
        if narrow is not None:
            value = narrow(value)
        if (math.isinf(value) and a not in ("Infinity", "-Infinity")) or (
            value == 0.0 and a.strip("-0.")
        ):
            raise PgError(NUMERIC_VALUE_OUT_OF_RANGE, f'"{a}" is out of range for type {sql_name}')
        return value

    return cast


pg_function("float8(numeric) -> float8")(numeric_to_float("double precision", None))
pg_function("float4(numeric) -> float4")(numeric_to_float("real", round_to_single))


def float_to_numeric(digits: int) -> Callable[[PgFloat], str]:
    def cast(a: PgFloat) -> str:
        if isinstance(a, str):
            return a
        if math.isinf(a):
            return "Infinity" if a > 0 else "-Infinity"
        text = f"{a:.{digits}g}"
        return parse_numeric(format(Decimal(text), "f") if "e" in text else text)

    return cast


pg_function("numeric(float8) -> numeric")(float_to_numeric(15))
pg_function("numeric(float4) -> numeric")(float_to_numeric(6))


@pg_function("width_bucket(float8,float8,float8,int4)")
def width_bucket_float8(operand: PgFloat, low: PgFloat, high: PgFloat, count: int) -> int:
    if count <= 0:
        raise PgError(INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION, "count must be greater than zero")
    if isinstance(operand, str) or isinstance(low, str) or isinstance(high, str):
        raise PgError(
            INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION,
            "operand, lower bound, and upper bound cannot be NaN",
        )
    if math.isinf(low) or math.isinf(high):
        raise PgError(
            INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION, "lower and upper bounds must be finite"
        )
    if low == high:
        raise PgError(
            INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION, "lower bound cannot equal upper bound"
        )
    if low < high:
        if operand < low:
            return 0
        if operand >= high:
            return INT4.checked(count + 1)
    else:
        if operand > low:
            return 0
        if operand <= high:
            return INT4.checked(count + 1)
    if math.isinf(high - low):
        position = (operand / 2 - low / 2) / (high / 2 - low / 2)
    else:
        position = (operand - low) / (high - low)
    return int(position * count) + 1


def in_range_float(value: PgFloat, base: PgFloat, offset: PgFloat, sub: Any, less: Any) -> bool:
    if isinstance(offset, str) or offset < 0:
        raise PgError(
            INVALID_PRECEDING_OR_FOLLOWING_SIZE,
            "invalid preceding or following size in window function",
        )
    if isinstance(value, str):
        return base == "NaN" or not less
    if isinstance(base, str):
        return bool(less)
    if math.isinf(offset) and math.isinf(base) and (base > 0) == bool(sub):
        return True
    bound = base - offset if sub else base + offset
    return value <= bound if less else value >= bound


pg_function("in_range(float8,float8,float8,bool,bool)")(in_range_float)
pg_function("in_range(float4,float4,float8,bool,bool)")(in_range_float)
