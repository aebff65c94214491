"""Numeric columns as scaled integers, where SQLite is to compare or sort them.

A value of a numeric(p,s) column is stored as text with s digits behind the point.  Without the
point it is an integer whose order is that of the values, so that C code compares instead of the
Python collation.  NaN, the only special value that such a column can hold, becomes the greatest
integer.  A column that has an index stays as it is: the index knows the collation only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pgemu.nodes import primnodes as p
from pgemu.planner import sql
from pgemu.planner.comparison import operator_symbol
from pgemu.planner.sql import Sql
from pgemu.types.numeric import pack

if TYPE_CHECKING:
    from pgemu.planner.lowering import Lowering, Scope

NUMERICOID = 1700
VARHDRSZ = 4
MAX_DIGITS = 18  # an int8 holds them
NAN = 2**63 - 1
_SWAPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}


def scaled_column(node: p.Expr, low: Lowering, scope: Scope) -> tuple[Sql, int] | None:
    """(integer expression, scale) of a numeric column of a table, or None."""
    if not isinstance(node, p.Var) or node.vartype != NUMERICOID or node.vartypmod < VARHDRSZ:
        return None
    if node.varlevelsup or node.varattno <= 0:
        return None
    packed = node.vartypmod - VARHDRSZ
    precision, scale = packed >> 16, packed & 0x7FF
    if scale > precision or precision > MAX_DIGITS:  # also scales below 0
        return None
    entry = scope.entry(node.varno)
    if entry.rtekind != "relation" or (node.varno, node.varattno) in scope.replaced:
        return None
    relation = low.catalog.relation(entry.relid)
    if relation.relkind not in ("r", "p", "m") or _indexed(relation, node.varattno):
        return None
    from pgemu.planner.expressions import lower

    text = sql.render(lower(node, low, scope))
    number = f"CAST(replace({text}, '.', '') AS INTEGER)" if scale else f"CAST({text} AS INTEGER)"
    return sql.raw(f"iif({text} COLLATE BINARY >= 'A', {NAN}, {number})"), scale


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
