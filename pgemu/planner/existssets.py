"""EXISTS as a set that is made once.

`exists (select ... from b where b.x = a.y and ...)` without an index on b.x would read b for each
row of a, since SQLite makes no index of its own for a correlated sub-select.  If all that ties the
sub-select to the outer query are equalities, it is `(a.y in (select b.x from b where ...)) is
true`, and SQLite keeps the inner select's result in an index (PostgreSQL: a hashed semi join).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pgemu.nodes import primnodes as p
from pgemu.nodes.parsenodes import FromExpr, Query, RangeTblRef
from pgemu.nodes.walk import mutate, walk
from pgemu.planner import sql
from pgemu.planner.comparison import native_comparison
from pgemu.planner.expressions import lower
from pgemu.planner.lowering import Lowering, Scope
from pgemu.planner.select import lower_query
from pgemu.planner.sql import Sql

_PLAIN = {"has_aggs", "has_window_funcs", "has_target_srfs", "group_clause", "grouping_sets"} | {
    "having_qual", "limit_count", "limit_offset", "cte_list", "set_operations", "row_marks",
    "distinct_clause",
}  # fmt: skip


def exists_by_set(query: Query, low: Lowering, scope: Scope) -> Sql | None:
    """The test that query, a sub-select of scope's, has rows; None: it is not of that form."""
    if any(getattr(query, name) for name in _PLAIN) or len(query.jointree.fromlist) != 1:
        return None
    source = query.jointree.fromlist[0]
    if not isinstance(source, RangeTblRef):
        return None
    entry = query.rtable[source.rtindex - 1]
    if entry.rtekind != "relation" or entry.tablesample is not None:
        return None
    keys: list[tuple[p.Expr, Sql]] = []
    rest: list[p.Expr] = []
    for one in _conjuncts(query.jointree.quals):
        levels = _levels(one, low)
        if levels is None:
            return None
        if not any(levels):
            rest.append(one)
            continue
        key = _equality(one, low, scope)
        if key is None:
            return None
        keys.append(key)
    if not keys or _is_indexed([inner for inner, _ in keys], entry.relid, low):
        return None
    quals = None
    if rest:
        quals = rest[0] if len(rest) == 1 else p.BoolExpr("and", rest)
    members = replace(
        query,
        target_list=[p.TargetEntry(inner, n) for n, (inner, _) in enumerate(keys, 1)],
        jointree=FromExpr(query.jointree.fromlist, quals),
        sort_clause=[],
    )
    columns = [outer for _, outer in keys]
    row = columns[0] if len(columns) == 1 else sql.row(columns)
    found = sql.in_query(row, lower_query(members, low, scope))
    # CASE takes NULL for false, which spares SQLite a search for NULLs in the set
    return sql.case([(found, sql.integer(1))], sql.integer(0))


def _conjuncts(quals: p.Expr | None) -> list[p.Expr]:
    if quals is None:
        return []
    if isinstance(quals, p.BoolExpr) and quals.boolop == "and":
        return [one for arg in quals.args for one in _conjuncts(arg)]
    return [quals]


def _levels(node: p.Expr, low: Lowering) -> set[int] | None:
    """The levels of the columns in node; None: it holds what must be left where it is."""
    levels: set[int] = set()
    fixed = False

    def visit(item: Any) -> bool:
        nonlocal fixed
        if isinstance(item, p.Var):
            levels.add(item.varlevelsup)
        elif isinstance(item, (p.SubLink, p.Aggref, p.GroupingFunc, p.WindowFunc)):
            fixed = True
        elif isinstance(item, (p.FuncExpr, p.OpExpr)):
            oid = item.funcid if isinstance(item, p.FuncExpr) else item.opfuncid
            fixed = fixed or low.proc(oid).provolatile == "v"
        return not fixed

    walk(node, visit)
    return None if fixed else levels


def _equality(node: p.Expr, low: Lowering, scope: Scope) -> tuple[p.Expr, Sql] | None:
    """(inner side, the outer side in SQLite's words) of inner = outer."""
    if not isinstance(node, p.OpExpr) or len(node.args) != 2:
        return None
    native = native_comparison(node.opno, node.args, low, node.inputcollid)
    if native is None or native[0] != "=":
        return None
    inner, outer = node.args
    if _levels(inner, low) != {0}:
        inner, outer = outer, inner
    if _levels(inner, low) != {0} or 0 in (_levels(outer, low) or {0}):
        return None

    def lift(item: Any) -> Any:
        return replace(item, varlevelsup=item.varlevelsup - 1) if isinstance(item, p.Var) else None

    return inner, sql.collate(lower(mutate(outer, lift), low, scope), native[1])


def _is_indexed(columns: list[p.Expr], relid: int, low: Lowering) -> bool:
    """SQLite finds the rows by an index that begins with one of the columns."""
    numbers = {one.varattno for one in columns if isinstance(one, p.Var)}
    indexes = low.catalog.relation(relid).indexes
    return any(index.index.indkey[0] in numbers or not index.index.indkey[0] for index in indexes)
