"""Numeric columns as scaled integers, where SQLite is to compare or sort them.

A value of a numeric(p,s) column is stored as text with s digits behind the point.  Without the
point it is an integer whose order is that of the values, so that C code compares instead of the
Python collation.  NaN, the only special value that such a column can hold, becomes the greatest
integer.  A column that has an index stays as it is: the index knows the collation only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pgemu.nodes import primnodes as p
from pgemu.planner import sql
from pgemu.planner.comparison import operator_symbol
from pgemu.planner.sql import Sql
from pgemu.types.numeric import pack
from pgemu.types.numeric_ops import finite_div

if TYPE_CHECKING:
    from pgemu.planner.lowering import Lowering, Scope

NUMERICOID = 1700
VARHDRSZ = 4
MAX_DIGITS = 18  # an int8 holds them
NAN = 2**63 - 1
FEW_DIGITS, SUMMED_DIGITS, LOW_BITS = 10, 16, 20
_SWAPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}


def scaled_column(node: p.Expr, low: Lowering, scope: Scope) -> tuple[Sql, int] | None:
    """(integer expression, scale) of a numeric column of a table, or None."""
    typmod = _bounded(node, low, scope)
    if typmod is None:
        return None
    assert isinstance(node, p.Var)
    if _indexed(low.catalog.relation(scope.entry(node.varno).relid), node.varattno):
        return None
    text = _text(node, low, scope)
    return sql.raw(f"iif({_is_nan(text)}, {NAN}, {_integer(text, typmod[1])})"), typmod[1]


def scaled_sum(node: p.Expr, low: Lowering, scope: Scope) -> tuple[list[Sql], int] | None:
    """(aggregates, scale) from which the sum of a numeric column is made: the sums of the high
    and the low parts of its scaled integers (for few digits the low part is nothing), and whether
    there is a NaN.  Neither sum can overflow before there are hundreds of millions of rows."""
    typmod = _bounded(node, low, scope)
    if typmod is None or typmod[0] > SUMMED_DIGITS:
        return None
    text = _text(node, low, scope)
    number = _integer(text, typmod[1])
    if typmod[0] <= FEW_DIGITS:
        parts = [f"sum({number})"]
    else:
        parts = [f"sum({number} >> {LOW_BITS})", f"sum({number} & {2**LOW_BITS - 1})"]
    return [sql.raw(part) for part in (*parts, f"max({_is_nan(text)})")], typmod[1]


def scaled_total(parts: Sequence[int | None], scale: int, count: int | None) -> str | None:
    """sum (count None) or avg from the values of scaled_sum's aggregates."""
    if parts[0] is None:
        return None
    if parts[-1]:
        return "NaN"
    total = parts[0]
    if len(parts) == 3:
        total = (total << LOW_BITS) + int(parts[1] or 0)
    return pack(total, scale) if count is None else finite_div(total, scale, count, 0)


def _text(node: p.Expr, low: Lowering, scope: Scope) -> str:
    from pgemu.planner.expressions import lower

    return sql.render(lower(node, low, scope))


def _is_nan(text: str) -> str:
    return f"{text} COLLATE BINARY >= 'A'"


def _integer(text: str, scale: int) -> str:
    return f"CAST(replace({text}, '.', '') AS INTEGER)" if scale else f"CAST({text} AS INTEGER)"


def _bounded(node: p.Expr, low: Lowering, scope: Scope) -> tuple[int, int] | None:
    """(precision, scale) of a column whose values fit."""
    if not isinstance(node, p.Var) or node.vartype != NUMERICOID or node.vartypmod < VARHDRSZ:
        return None
    if node.varlevelsup or node.varattno <= 0:
        return None
    packed = node.vartypmod - VARHDRSZ
    precision, scale = packed >> 16, packed & 0x7FF
    if scale > precision or precision > MAX_DIGITS:  # also scales below 0
        return None
    if node.varno > len(scope.query.rtable):
        return None  # the expression of an index or a constraint, over columns by their numbers
    entry = scope.entry(node.varno)
    if entry.rtekind != "relation" or (node.varno, node.varattno) in scope.replaced:
        return None
    if low.catalog.relation(entry.relid).relkind not in ("r", "p", "m"):
        return None
    return precision, scale


def _indexed(relation: Any, attnum: int) -> bool:
    return any(
        index.index.indexprs is not None or attnum in index.index.indkey
        for index in relation.indexes
    )


def scaled_comparison(node: p.OpExpr, low: Lowering, scope: Scope) -> Sql | None:
    """column < constant and its kin: the constant is scaled once per statement."""
    if len(node.args) != 2:
        return None
    left, right = node.args
    swapped = not isinstance(left, p.Var)
    if swapped:
        left, right = right, left
    if not isinstance(left, p.Var) or left.vartype != NUMERICOID or not _is_constant(right, low):
        return None
    symbol = operator_symbol(node.opno, low)
    column = scaled_column(left, low, scope) if symbol is not None else None
    if symbol is None or column is None:
        return None
    symbol = _SWAPPED[symbol] if swapped else symbol
    from pgemu.planner.expressions import lower

    bound = low.binder.special("scaled_bound", column[1], symbol)
    return sql.binary(symbol, column[0], sql.func(bound, lower(right, low, scope)))


def _is_constant(node: p.Expr, low: Lowering) -> bool:
    """Worth evaluating once: a constant, a parameter, or a cast of one."""
    if isinstance(node, p.FuncExpr):
        return len(node.args) < 3 and all(_is_constant(arg, low) for arg in node.args)
    return isinstance(node, p.Const) or (isinstance(node, p.Param) and node.paramkind == "extern")


def scaled_bound(value: str | None, scale: int, symbol: str) -> int | float | None:
    """What a scaled column is compared with so that `symbol` gives what it gives for value."""
    if value is None:
        return None
    if value in _SPECIAL:
        return _SPECIAL[value]
    sign = -1 if value.startswith("-") else 1
    whole, _, fraction = value.lstrip("-").partition(".")
    exact = not fraction[scale:].strip("0")
    number = sign * int(whole + fraction[:scale].ljust(scale, "0"))  # towards zero
    if not exact:
        if symbol in ("=", "<>"):
            return 0.5
        if symbol in (">=", "<") and sign > 0:
            number += 1
        elif symbol in (">", "<=") and sign < 0:
            number -= 1
    return max(-(2**62), min(2**62, number))


def unscaled_text(value: int | None, scale: int) -> str | None:
    """The numeric whose scaled integer this is."""
    if value is None or value == NAN:
        return None if value is None else "NaN"
    return pack(value, scale)


_SPECIAL = {"NaN": NAN, "Infinity": NAN - 1, "-Infinity": -NAN}
