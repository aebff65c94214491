"""Aggregates that are used inside a sub-select of the query they belong to.

`... having max(x) > all (select y ...)` and `(select ... where y > max(outer.x))`: SQLite takes no
outer aggregate in the WHERE of a sub-select.  So an inner select computes the groups and their
aggregates, and an outer one, with the sub-selects, reads them as columns.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from pgemu.nodes import primnodes as p
from pgemu.nodes.parsenodes import Alias, FromExpr, Query, RangeTblEntry, RangeTblRef
from pgemu.nodes.walk import mutate, walk
from pgemu.parser.parse_sort_group import equal
from pgemu.planner.lowering import Lowering, Scope
from pgemu.planner.sql import Sql
from pgemu.planner.stages import InnerTargets


def aggregates_below(query: Query) -> bool:
    """Is there an aggregate of this query inside one of its sub-selects, or beside one?"""
    if not (query.has_aggs and query.has_sublinks):
        return False
    return _used_below([query.target_list, query.having_qual], 0)


def _used_below(node: Any, depth: int) -> bool:
    found = False

    def visit(item: Any) -> bool:
        nonlocal found
        if found:
            return False
        if isinstance(item, p.SubLink) and item.testexpr is not None:
            found = found or _has_aggregate(item.testexpr, depth)
        if isinstance(item, Query):
            parts = [getattr(item, field.name) for field in fields(item)]
            found = found or _used_below(parts, depth + 1)
            return False
        if depth and isinstance(item, p.Aggref) and item.agglevelsup == depth:
            found = True
        return not found

    walk(node, visit)
    return found


def _has_aggregate(node: Any, depth: int) -> bool:
    found = False

    def visit(item: Any) -> bool:
        nonlocal found
        found = found or (isinstance(item, p.Aggref) and item.agglevelsup == depth)
        return not found and not isinstance(item, Query)

    walk(node, visit)
    return found


class _Stage(InnerTargets):
    """The columns of the inner select, being filled, and the tree of the outer one."""

    def column_above(self, expr: Any, depth: int) -> p.Var:
        """expr, which is of the query `depth` levels up, as a column of the inner select."""
        return replace(self.column(_lifted(expr, depth)), varlevelsup=depth)

    def outer(self, node: Any, depth: int = 0) -> Any:
        """node with the aggregates, groups and columns of the query as columns of the stage."""

        def split(item: Any) -> Any:
            if isinstance(item, Query):
                changes = {
                    field.name: self.outer(getattr(item, field.name), depth + 1)
                    for field in fields(item)
                }
                return replace(item, **changes)
            if isinstance(item, (p.Aggref, p.GroupingFunc)) and item.agglevelsup == depth:
                return self.column_above(item, depth)
            if isinstance(item, p.Var) and item.varlevelsup == depth:
                return self.column_above(item, depth)
            grouped = depth == 0 and isinstance(item, p.Expr) and not isinstance(item, p.Const)
            if grouped and any(equal(item, e.expr) for e in self.entries if e.ressortgroupref):
                return self.column(item)
            return None

        return mutate(node, split)


def _lifted(node: Any, depth: int) -> Any:
    """An expression of the query `depth` levels up, as that query itself would write it."""
    if not depth:
        return node

    def lift(item: Any) -> Any:
        if isinstance(item, p.Var):
            return replace(item, varlevelsup=item.varlevelsup - depth)
        if isinstance(item, (p.Aggref, p.GroupingFunc)) and item.agglevelsup == depth:
            return replace(mutate(replace(item, agglevelsup=-1), lift), agglevelsup=0)
        return None

    return mutate(node, lift)


def lower_outer_aggregates(query: Query, low: Lowering, scope: Scope) -> Sql:
    from pgemu.planner.groupingsets import lower_grouping_sets
    from pgemu.planner.select import group_entries, lower_plain

    stage = _Stage(
        [
            p.TargetEntry(t.expr, n, ressortgroupref=t.ressortgroupref)
            for n, t in enumerate(group_entries(query), 1)
        ]
    )
    outer = replace(
        query,
        target_list=[replace(t, expr=stage.outer(t.expr)) for t in query.target_list],
        group_clause=[],
        grouping_sets=[],
        having_qual=None,
        has_aggs=False,
        cte_list=[],
        rtable=[RangeTblEntry("subquery", Alias("stage"))],
        jointree=FromExpr([RangeTblRef(1)], stage.outer(query.having_qual)),
    )
    inner = Query(
        "select",
        target_list=stage.entries,
        rtable=query.rtable,
        jointree=query.jointree,
        group_clause=query.group_clause,
        grouping_sets=query.grouping_sets,
        group_distinct=query.group_distinct,
        has_aggs=True,
        has_sublinks=query.has_sublinks,
    )
    lower_inner = lower_grouping_sets if query.grouping_sets else lower_plain
    body = lower_inner(inner, low, replace(scope, query=inner))
    above = Scope(
        outer, [low.new_alias("g")], low, scope.parent, ctes=scope.ctes, prelowered={1: body}
    )
    return lower_plain(outer, low, above)
