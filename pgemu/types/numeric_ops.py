"""numeric's operators, rounding functions and casts (PostgreSQL: utils/adt/numeric.c).

Every body has a fast path over finite values and falls into `*_special` when unpack meets NaN or
an infinity.  Result scales are PostgreSQL's: select_div_scale below is its rule for division.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from typing import Any

from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION,
    INVALID_PARAMETER_VALUE,
    INVALID_PRECEDING_OR_FOLLOWING_SIZE,
    NUMERIC_VALUE_OUT_OF_RANGE,
    PgError,
)
from pgemu.fmgr import pg_function
from pgemu.types.comparison import bind_comparisons
from pgemu.types.integer_ops import division_by_zero
from pgemu.types.integers import INT2, INT4, INT8, IntegerType
from pgemu.types.numeric import (
    DSCALE_MAX,
    MAX_SCALE,
    apply_typmod,
    checked_pack,
    compare_numeric,
    divide_rounded,
    overflow_error,
    pack,
    rescale,
    unpack,
)

MIN_SIG_DIGITS = 16
# Sums and products of decimals are exact in this context; it gives NaN and the infinities
# PostgreSQL's meaning.
EXACT = Context(prec=400_000, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])
INFINITIES = {"Infinity": 1, "-Infinity": -1}


def infinity(sign: int) -> str:
    if sign == 0:
        return "NaN"
    return "Infinity" if sign > 0 else "-Infinity"


def sign_of(text: str) -> int:
    """-1, 0 or 1 (NaN: 1)."""
    if text.startswith("-"):
        return -1
    return 0 if not text.strip("0.") else 1


def first_digit_position(unscaled: int, scale: int) -> tuple[int, int]:
    """(weight, first digit) of the base-10000 form PostgreSQL keeps; (0, 0) for zero."""
    if unscaled == 0:
        return 0, 0
    digits = str(abs(unscaled))
    exponent = len(digits) - scale - 1
    weight = exponent // 4
    used = exponent - weight * 4 + 1
    return weight, int(digits[:used].ljust(used, "0"))


def select_div_scale(a: int, a_scale: int, b: int, b_scale: int) -> int:
    """The quotient's scale: at least 16 significant digits, and both arguments' scales."""
    weight1, first1 = first_digit_position(a, a_scale)
    weight2, first2 = first_digit_position(b, b_scale)
    qweight = weight1 - weight2
    if first1 <= first2:
        qweight -= 1
    return min(max(MIN_SIG_DIGITS - qweight * 4, a_scale, b_scale, 0), MAX_SCALE)


def quotient_at(a: int, a_scale: int, b: int, b_scale: int, scale: int) -> int:
    """a / b as unscaled integer at a scale, rounded half away from zero."""
    shift = scale + b_scale - a_scale
    if shift >= 0:
        return divide_rounded(a * int(10**shift), b)
    return divide_rounded(a, b * int(10**-shift))


def finite_div(a: int, a_scale: int, b: int, b_scale: int) -> str:
    if b == 0:
        raise division_by_zero()
    scale = select_div_scale(a, a_scale, b, b_scale)
    return checked_pack(quotient_at(a, a_scale, b, b_scale, scale), scale)


def finished(value: Decimal) -> str:
    """Canonical text of an exact sum or product."""
    text = str(value)
    if "E" in text:
        text = format(value, "f")
    if len(text) > DSCALE_MAX:
        return checked_pack(*unpack(text)) if value.is_finite() else text
    return text


@pg_function("numeric_add(numeric,numeric)")
def numeric_add(a: str, b: str) -> str:
    return finished(EXACT.add(Decimal(a), Decimal(b)))


@pg_function("numeric_uminus(numeric)")
def numeric_uminus(a: str) -> str:
    if a.startswith("-"):
        return a[1:]
    return a if a == "NaN" or not a.strip("0.") else "-" + a


@pg_function("numeric_sub(numeric,numeric)")
def numeric_sub(a: str, b: str) -> str:
    return finished(EXACT.subtract(Decimal(a), Decimal(b)))


@pg_function("numeric_mul(numeric,numeric)")
def numeric_mul(a: str, b: str) -> str:
    value = EXACT.multiply(Decimal(a), Decimal(b))
    return finished(value if value else abs(value))


@pg_function("numeric_div(numeric,numeric)")
def numeric_div(a: str, b: str) -> str:
    try:
        n, s = unpack(a)
        m, t = unpack(b)
    except ValueError:
        if a == "NaN" or b == "NaN":
            return "NaN"
        if a in INFINITIES:
            if b in INFINITIES:
                return "NaN"
            if sign_of(b) == 0:
                raise division_by_zero() from None
            return infinity(sign_of(a) * sign_of(b))
        return "0"
    return finite_div(n, s, m, t)


@pg_function("div(numeric,numeric)", "numeric_div_trunc(numeric,numeric)")
def numeric_div_trunc(a: str, b: str) -> str:
    try:
        n, s = unpack(a)
        m, t = unpack(b)
    except ValueError:
        return numeric_div(a, b)
    if m == 0:
        raise division_by_zero()
    if s < t:
        n *= 10 ** (t - s)
    else:
        m *= 10 ** (s - t)
    quotient = abs(n) // abs(m)
    return pack(-quotient if (n < 0) != (m < 0) else quotient, 0)


@pg_function("mod(numeric,numeric)", "numeric_mod(numeric,numeric)")
def numeric_mod(a: str, b: str) -> str:
    try:
        n, s = unpack(a)
        m, t = unpack(b)
    except ValueError:
        if a == "NaN" or b == "NaN":
            return "NaN"
        if a in INFINITIES:
            if b not in INFINITIES and sign_of(b) == 0:
                raise division_by_zero() from None
            return "NaN"
        return a
    if m == 0:
        raise division_by_zero()
    if s < t:
        n, s = n * int(10 ** (t - s)), t
    elif t < s:
        m *= 10 ** (s - t)
    remainder = abs(n) % abs(m)
    return pack(-remainder if n < 0 else remainder, s)


pg_function("numeric_uplus(numeric)")(lambda a: a)
pg_function("numeric_inc(numeric)")(lambda a: numeric_add(a, "1"))
pg_function("abs(numeric)", "numeric_abs(numeric)")(lambda a: a.removeprefix("-"))
pg_function("sign(numeric)")(lambda a: "NaN" if a == "NaN" else str(sign_of(a)))

bind_comparisons(
    "numeric_",
    "numeric,numeric",
    compare_numeric,
    larger="numeric_larger",
    smaller="numeric_smaller",
    cmp="numeric_cmp",
)


@pg_function("round(numeric,int4)", "round(numeric)")
def numeric_round(a: str, scale: int = 0) -> str:
    try:
        n, s = unpack(a)
    except ValueError:
        return a
    scale = min(max(scale, -2000), DSCALE_MAX)
    return checked_pack(rescale(rescale(n, s, scale), scale, max(scale, 0)), max(scale, 0))


@pg_function("trunc(numeric,int4)", "trunc(numeric)")
def numeric_trunc(a: str, scale: int = 0) -> str:
    try:
        n, s = unpack(a)
    except ValueError:
        return a
    scale = min(max(scale, -2000), DSCALE_MAX)
    if scale < s:
        cut = abs(n) // 10 ** (s - scale)
        n, s = (-cut if n < 0 else cut), scale
    return checked_pack(n * int(10 ** (max(scale, 0) - s)), max(scale, 0))


@pg_function("ceil(numeric)", "ceiling(numeric)")
def numeric_ceil(a: str) -> str:
    try:
        n, s = unpack(a)
    except ValueError:
        return a
    return str(-(-n // 10**s))


@pg_function("floor(numeric)")
def numeric_floor(a: str) -> str:
    try:
        n, s = unpack(a)
    except ValueError:
        return a
    return str(n // 10**s)


@pg_function("scale(numeric)")
def numeric_scale(a: str) -> int | None:
    try:
        return unpack(a)[1]
    except ValueError:
        return None


@pg_function("min_scale(numeric)")
def numeric_min_scale(a: str) -> int | None:
    try:
        unpack(a)
    except ValueError:
        return None
    return len(a.partition(".")[2].rstrip("0"))


@pg_function("trim_scale(numeric)")
def numeric_trim_scale(a: str) -> str:
    return a.rstrip("0").rstrip(".") if "." in a else a


@pg_function("numeric(numeric,int4)")
def numeric(a: str, typmod: int) -> str:
    return apply_typmod(a, typmod)


@pg_function("gcd(numeric,numeric)")
def numeric_gcd(a: str, b: str) -> str:
    try:
        (n, s), (m, t) = unpack(a), unpack(b)
    except ValueError:
        return "NaN"
    scale = max(s, t)
    return pack(math.gcd(rescale(n, s, scale), rescale(m, t, scale)), scale)


@pg_function("lcm(numeric,numeric)")
def numeric_lcm(a: str, b: str) -> str:
    try:
        (n, s), (m, t) = unpack(a), unpack(b)
    except ValueError:
        return "NaN"
    scale = max(s, t)
    return checked_pack(math.lcm(rescale(n, s, scale), rescale(m, t, scale)), scale)


@pg_function("factorial(int8)")
def numeric_fac(n: int) -> str:
    if n < 0:
        raise PgError(NUMERIC_VALUE_OUT_OF_RANGE, "factorial of a negative number is undefined")
    if n > 32177:
        raise overflow_error()
    return str(math.factorial(n))


@pg_function("width_bucket(numeric,numeric,numeric,int4)")
def width_bucket_numeric(operand: str, low: str, high: str, count: int) -> int:
    if count <= 0:
        raise PgError(INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION, "count must be greater than zero")
    if "NaN" in (operand, low, high):
        raise PgError(
            INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION,
            "operand, lower bound, and upper bound cannot be NaN",
        )
    if low in INFINITIES or high in INFINITIES:
        raise PgError(
            INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION, "lower and upper bounds must be finite"
        )
    order = compare_numeric(low, high)
    if order == 0:
        raise PgError(
            INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION, "lower bound cannot equal upper bound"
        )
    if compare_numeric(operand, low) * order > 0:
        return 0
    if compare_numeric(operand, high) * order <= 0:
        return INT4.checked(count + 1)
    parts = [unpack(v) for v in (operand, low, high)]
    scale = max(s for _, s in parts)
    x, lower, upper = (rescale(n, s, scale) for n, s in parts)
    return abs(x - lower) * count // abs(upper - lower) + 1


def to_integer(a: str, kind: IntegerType) -> int:
    """numeric to an integer type, rounded half away from zero."""
    try:
        n, s = unpack(a)
    except ValueError:
        what = "NaN" if a == "NaN" else "infinity"
        raise PgError(FEATURE_NOT_SUPPORTED, f"cannot convert {what} to {kind.sql_name}") from None
    return kind.checked(rescale(n, s, 0))


def bind_integer_casts(kind: IntegerType) -> None:
    pg_function(f"{kind.name}(numeric)")(lambda a: to_integer(a, kind))
    pg_function(f"numeric({kind.name})")(str)


for _kind in (INT2, INT4, INT8):
    bind_integer_casts(_kind)


@pg_function("int8_sum(numeric,int8)")
def int8_sum(total: str | None, value: int | None) -> str | None:
    if value is None:
        return total
    return str(value) if total is None else numeric_add(total, str(value))


@pg_function("generate_series(numeric,numeric)", "generate_series(numeric,numeric,numeric)")
def generate_series_numeric(start: str, stop: str, step: str = "1") -> Iterator[str]:
    for word, value in (("start", start), ("stop", stop), ("step", step)):
        if value == "NaN" or value in INFINITIES:
            what = "NaN" if value == "NaN" else "infinity"
            size = "size" if word == "step" else "value"
            raise PgError(INVALID_PARAMETER_VALUE, f"{word} {size} cannot be {what}")
    direction = sign_of(step)
    if direction == 0:
        raise PgError(INVALID_PARAMETER_VALUE, "step size cannot equal zero")
    value = start
    while compare_numeric(value, stop) * direction <= 0:
        yield value
        value = numeric_add(value, step)


@pg_function("in_range(numeric,numeric,numeric,bool,bool)")
def in_range_numeric(value: str, base: str, offset: str, sub: Any, less: Any) -> bool:
    if offset == "NaN" or offset.startswith("-"):
        raise PgError(
            INVALID_PRECEDING_OR_FOLLOWING_SIZE,
            "invalid preceding or following size in window function",
        )
    if value == "NaN":
        return base == "NaN" or not less
    if base == "NaN":
        return bool(less)
    if offset == "Infinity":
        if base == ("Infinity" if sub else "-Infinity"):
            return True
        bound = infinity(-1 if sub else 1)
    else:
        bound = numeric_sub(base, offset) if sub else numeric_add(base, offset)
    order = compare_numeric(value, bound)
    return order <= 0 if less else order >= 0
