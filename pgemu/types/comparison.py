"""The six comparison operators of a type, and their btree kin, bound in one call.

PostgreSQL writes int4eq, int4ne, int4lt ... out for every type.  Here a family names the prefix
and how to compare.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from pgemu.fmgr import pg_function

Compare = Callable[[Any, Any], int]

SUFFIXES = ("eq", "ne", "lt", "le", "gt", "ge")
NATIVE: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}


def native_compare(a: Any, b: Any) -> int:
    return bool(a > b) - bool(a < b)


SIGNED_END = 1 << 63


def store_unsigned(value: int) -> int | str:
    """The storage value of an unsigned 64-bit number: one that is too large for SQLite's integers
    is a text of 16 hexadecimal digits, which SQLite orders after all integers."""
    return value if value < SIGNED_END else f"{value:016X}"


def load_unsigned(value: int | str) -> int:
    return int(value, 16) if isinstance(value, str) else value


def compare_unsigned(a: int | str, b: int | str) -> int:
    return native_compare(load_unsigned(a), load_unsigned(b))


def by_compare(suffix: str, compare: Compare) -> Callable[[Any, Any], Any]:
    """One comparison operator made of a three-way comparison."""
    test = NATIVE[suffix]
    return lambda a, b: test(compare(a, b), 0)


def bind_comparisons(
    prefix: str,
    args: str,
    compare: Compare | None = None,
    *,
    larger: str | None = None,
    smaller: str | None = None,
    cmp: str | None = None,
) -> None:
    """Bind <prefix>eq(args) ... <prefix>ge(args), and the named larger/smaller/cmp functions.

    compare None: Python's order of the storage values is the type's.
    """
    for suffix in SUFFIXES:
        body = NATIVE[suffix] if compare is None else by_compare(suffix, compare)
        pg_function(f"{prefix}{suffix}({args})")(body)
    order = compare or native_compare
    if larger:
        pg_function(f"{larger}({args})")(lambda a, b: a if order(a, b) > 0 else b)
    if smaller:
        pg_function(f"{smaller}({args})")(lambda a, b: a if order(a, b) < 0 else b)
    if cmp:
        pg_function(f"{cmp}({args})")(order)
