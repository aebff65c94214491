"""Operators and functions of int2, int4 and int8 (PostgreSQL: utils/adt/int.c, int8.c).

Bound by loops over the widths: `int24pl` is int2 + int4, whose result has the wider type.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from typing import Any

from pgemu.errors import (
    DIVISION_BY_ZERO,
    INVALID_PARAMETER_VALUE,
    INVALID_PRECEDING_OR_FOLLOWING_SIZE,
    PgError,
)
from pgemu.fmgr import pg_function
from pgemu.types.comparison import bind_comparisons
from pgemu.types.integers import INT2, INT4, INT8, IntegerType

WIDTHS = {2: INT2, 4: INT4, 8: INT8}


def division_by_zero() -> PgError:
    return PgError(DIVISION_BY_ZERO, "division by zero")


def truncated_quotient(a: int, b: int) -> int:
    """C's a / b."""
    if b == 0:
        raise division_by_zero()
    quotient = a // b
    if quotient < 0 and quotient * b != a:
        quotient += 1
    return quotient


def truncated_remainder(a: int, b: int) -> int:
    """C's a % b: the sign of the dividend."""
    if b == 0:
        raise division_by_zero()
    return a - truncated_quotient(a, b) * b


def checked_operator(kind: IntegerType, op: Callable[[int, int], int]) -> Callable[[int, int], int]:
    low, high, checked = kind.minimum, kind.maximum, kind.checked

    def body(a: int, b: int) -> int:
        value = op(a, b)
        if low <= value <= high:
            return value
        return checked(value)

    return body


def wrap(value: int, bits: int) -> int:
    """A two's complement integer of so many bits."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


ARITHMETIC: dict[str, Callable[[int, int], int]] = {
    "pl": operator.add,
    "mi": operator.sub,
    "mul": operator.mul,
    "div": truncated_quotient,
}


def bind_pair(left: int, right: int) -> None:
    """The operators between two widths."""
    tag = f"{left}{right}" if left != right else f"{left}"
    args = f"int{left},int{right}"
    wide = WIDTHS[max(left, right)]
    for suffix, op in ARITHMETIC.items():
        pg_function(f"int{tag}{suffix}({args})")(checked_operator(wide, op))
    bind_comparisons(f"int{tag}", args, cmp=f"btint{tag}cmp")


def bind_width(size: int) -> None:
    """The operators and functions within one width."""
    kind, name = WIDTHS[size], f"int{size}"
    both = f"{name},{name}"
    pg_function(f"{name}mod({both})", f"mod({both})")(truncated_remainder)
    pg_function(f"{name}um({name})")(lambda a: kind.checked(-a))
    pg_function(f"{name}up({name})")(lambda a: a)
    pg_function(f"{name}abs({name})", f"abs({name})")(lambda a: kind.checked(abs(a)))
    pg_function(f"{name}and({both})")(operator.and_)
    pg_function(f"{name}or({both})")(operator.or_)
    pg_function(f"{name}xor({both})")(operator.xor)
    pg_function(f"{name}not({name})")(operator.invert)
    # The hardware takes the shift count modulo the register's width; int2 is shifted in 32 bits.
    bits, mask = size * 8, 63 if size == 8 else 31
    pg_function(f"{name}shl({name},int4)")(lambda a, n: wrap(a << (n & mask), bits))
    pg_function(f"{name}shr({name},int4)")(lambda a, n: a >> (n & mask))
    pg_function(f"{name}larger({both})")(max)
    pg_function(f"{name}smaller({both})")(min)


for _left in WIDTHS:
    bind_width(_left)
    for _right in WIDTHS:
        bind_pair(_left, _right)

for _to in WIDTHS:
    for _from in WIDTHS:
        if _to != _from:
            pg_function(f"int{_to}(int{_from})")(WIDTHS[_to].checked)

pg_function("int4inc(int4) -> int4")(lambda a: INT4.checked(a + 1))
pg_function("int8inc(int8) -> int8")(lambda a: INT8.checked(a + 1))
pg_function("int8dec(int8) -> int8")(lambda a: INT8.checked(a - 1))
pg_function("int8inc_any(int8,any) -> int8")(lambda a, _b: INT8.checked(a + 1))
pg_function("int8dec_any(int8,any) -> int8")(lambda a, _b: INT8.checked(a - 1))


@pg_function("int2_sum(int8,int2)", "int4_sum(int8,int4)")
def int_sum(total: int | None, value: int | None) -> int | None:
    if value is None:
        return total
    return value if total is None else total + value


def bind_divisors(kind: IntegerType) -> None:
    name = kind.name
    pg_function(f"gcd({name},{name})")(lambda a, b: kind.checked(math.gcd(a, b)))
    pg_function(f"lcm({name},{name})")(lambda a, b: kind.checked(math.lcm(a, b)))
    pg_function(f"to_hex({name})")(lambda a: f"{a & ((1 << kind.size * 8) - 1):x}")


bind_divisors(INT4)
bind_divisors(INT8)


def bind_generate_series(kind: IntegerType) -> None:
    """generate_series: as in PostgreSQL it ends where the next value would overflow."""

    def series(start: int, stop: int, step: int = 1) -> Iterator[int]:
        if step == 0:
            raise PgError(INVALID_PARAMETER_VALUE, "step size cannot equal zero")
        return iter(range(start, stop + (1 if step > 0 else -1), step))

    name = kind.name
    pg_function(f"generate_series({name},{name})", f"generate_series({name},{name},{name})")(series)


bind_generate_series(INT4)
bind_generate_series(INT8)


def in_range_integer(value: Any, base: Any, offset: Any, sub: Any, less: Any) -> bool:
    """in_range support: is value on the right side of base -/+ offset (RANGE frames)?"""
    if offset < 0:
        raise PgError(
            INVALID_PRECEDING_OR_FOLLOWING_SIZE,
            "invalid preceding or following size in window function",
        )
    bound = base - offset if sub else base + offset
    return bool(value <= bound) if less else bool(value >= bound)


for _value, _offset in ((2, 2), (2, 4), (2, 8), (4, 2), (4, 4), (4, 8), (8, 8)):
    pg_function(f"in_range(int{_value},int{_value},int{_offset},bool,bool)")(in_range_integer)

pg_function("xideqint4(xid,int4)")(lambda a, b: a == b & 0xFFFFFFFF)
pg_function("xidneqint4(xid,int4)")(lambda a, b: a != b & 0xFFFFFFFF)
