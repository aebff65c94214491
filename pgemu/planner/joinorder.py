"""Which of two tables the nested loop of a join goes through on the outside.

Without an equality between the tables PostgreSQL can only join them by a nested loop, and the
cheaper one has the larger table outside (costsize.c: the inner side is read again from memory for
each outer row).  The order of the rows follows from that.  Sizes are those that PostgreSQL would
estimate (estimate_rel_size of plancat.c): reltuples, or for a table that was never analyzed ten
pages full of rows of the columns' average width.  Other joins are left to SQLite.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pgemu.catalog.rows import PgAttribute
from pgemu.nodes import primnodes as p
from pgemu.nodes.parsenodes import JoinExpr, Query, RangeTblRef
from pgemu.nodes.walk import walk
from pgemu.planner.comparison import operator_symbol
from pgemu.planner.expressions import has_children

if TYPE_CHECKING:
    from pgemu.planner.lowering import Lowering

BPCHAROID, VARCHAROID = 1042, 1043
_PAGE, _ITEM, _TUPLE_HEADER, _NEW_TABLE_PAGES = 8192 - 24, 4, 24, 10
# scalarineqsel without statistics
_SELECTIVITY = {"<": 1 / 3, "<=": 1 / 3, ">": 1 / 3, ">=": 1 / 3}


def nested_loop_order(query: Query, low: Lowering) -> tuple[list[RangeTblRef], Any] | None:
    """The outer and the inner table of a SELECT's FROM and the condition of their JOIN; None:
    it is no such join."""
    items = query.jointree.fromlist
    if len(items) == 2:
        pair: list[Any] = list(items)
        quals = [query.jointree.quals]
    elif len(items) == 1 and isinstance(items[0], JoinExpr) and items[0].jointype == "inner":
        pair = [items[0].larg, items[0].rarg]
        quals = [query.jointree.quals, items[0].quals]
    else:
        return None
    if not all(isinstance(item, RangeTblRef) for item in pair):
        return None
    sides = [item.rtindex for item in pair]
    entries = [query.rtable[number - 1] for number in sides]
    if not all(e.rtekind == "relation" for e in entries):
        return None
    kept = [1.0, 1.0]
    for part in _conjuncts(quals):
        used = _sides_of(part, sides)
        if used is None or (used and _symbol(part, low) == "="):
            return None  # a hash or merge join, or an index that finds a few rows
        if len(used) == 1:
            kept[sides.index(used.pop())] *= _SELECTIVITY.get(_symbol(part, low), 0.5)
    if any(has_children(e, low) for e in entries):
        return None
    sizes = [
        max(1, round(_estimated_rows(low, e.relid) * k)) for e, k in zip(entries, kept, strict=True)
    ]
    # below a single outer row the inner table is read but once, and not kept in memory
    swap = sizes[1] == 1 < sizes[0] or (sizes[0] != 1 and sizes[0] < sizes[1])
    return (pair[::-1] if swap else pair), (quals[1] if len(quals) > 1 else None)


def _conjuncts(quals: list[Any]) -> list[p.Expr]:
    found: list[p.Expr] = []
    waiting = [one for one in quals if one is not None]
    while waiting:
        one = waiting.pop()
        if isinstance(one, p.BoolExpr) and one.boolop == "and":
            waiting += one.args
        else:
            found.append(one)
    return found


def _symbol(part: p.Expr, low: Lowering) -> str:
    """The operator of a comparison; "": it is another condition."""
    if isinstance(part, p.OpExpr) and len(part.args) == 2:
        return operator_symbol(part.opno, low) or ""
    return ""


def _sides_of(part: p.Expr, sides: list[int]) -> set[int] | None:
    """Which of the tables a condition reads; None: it holds a sub-select or reads others."""
    found: set[int] = set()
    simple = True

    def visit(node: Any) -> bool:
        nonlocal simple
        if isinstance(node, Query):
            simple = False
        elif isinstance(node, p.Var) and not node.varlevelsup:
            found.add(node.varno)
        return simple

    walk(part, visit)
    return found if simple and found <= set(sides) else None


def _estimated_rows(low: Lowering, relid: int) -> float:
    relation = low.catalog.relation(relid)
    if relation.row.reltuples >= 0:
        return float(relation.row.reltuples)
    width = sum(_width(low, att) for att in relation.attrs if not att.attisdropped)
    return float(_PAGE // (width + _TUPLE_HEADER + _ITEM) * _NEW_TABLE_PAGES)


def _width(low: Lowering, att: PgAttribute) -> int:
    """get_typavgwidth."""
    if att.attlen > 0:
        return att.attlen
    if att.atttypid not in (BPCHAROID, VARCHAROID) or att.atttypmod < 0:
        return 32
    longest = (att.atttypmod - 4) * 4 + 4  # a character of UTF-8 takes up to four bytes
    if att.atttypid == BPCHAROID or longest <= 32:
        return longest
    return 32 + (min(longest, 1000) - 32) // 2
