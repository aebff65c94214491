"""Functions of text that SQLite computes for the common case: case mapping of ASCII, LIKE and
ILIKE with a pattern that is computed once.

The test for the common case stands before SQLite's function; everything else is left to the body.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pgemu.nodes import primnodes as p
from pgemu.nodes.walk import walk
from pgemu.planner import sql
from pgemu.planner.calls import NATIVE, native
from pgemu.planner.sql import Sql

if TYPE_CHECKING:
    from pgemu.planner.lowering import Lowering

_Call = p.FuncExpr | p.OpExpr


def is_ascii(text: str) -> str:
    return f"length({text}) = octet_length({text})"


@native("upper", "lower")
def case_mapped(node: _Call, args: list[Sql], low: Lowering, body: Callable[[], Sql]) -> Sql | None:
    if not sql.is_column(args[0]):
        return None
    text = sql.render(args[0])
    name = low.proc(node.funcid if isinstance(node, p.FuncExpr) else node.opfuncid).prosrc
    return sql.raw(f"iif({is_ascii(text)}, {name}({text}), {body()})")


_constant_like = NATIVE["textlike"]


@native("textlike", "bpcharlike", "namelike")
def computed_like(
    node: _Call, args: list[Sql], low: Lowering, body: Callable[[], Sql]
) -> Sql | None:
    """A pattern without columns becomes a GLOB pattern once per statement; one that ends in its
    escape character has none, and the body complains if it is reached."""
    found = _constant_like(node, args, low, body)
    if found is not None or not _is_constant(node.args[1]):
        return found
    pattern = sql.func(low.binder.special("glob_pattern", False), args[1])
    return sql.func("coalesce", sql.binary("GLOB", args[0], pattern), body())


@native("texticlike", "bpchariclike", "nameiclike")
def insensitive_like(
    node: _Call, args: list[Sql], low: Lowering, body: Callable[[], Sql]
) -> Sql | None:
    if not _is_constant(node.args[1]) or not sql.is_column(args[0]):
        return None
    text = sql.render(args[0])
    pattern = sql.func(low.binder.special("glob_pattern", True), args[1])
    matched = f"lower({text}) GLOB {pattern}"
    return sql.raw(f"coalesce(iif({is_ascii(text)}, {matched}, NULL), {body()})")


def _is_constant(node: p.Expr) -> bool:
    """No column and no sub-select in it: SQLite evaluates calls of it once."""
    allowed = (p.Const, p.Param, p.FuncExpr, p.OpExpr, p.RelabelType, list)
    constant = True

    def visit(item: object) -> bool | None:
        nonlocal constant
        outer = isinstance(item, p.Param) and item.paramkind != "extern"
        constant = constant and isinstance(item, allowed) and not outer
        return None if constant else False

    walk([node], visit)
    return constant
