"""Selects that SQLite cannot do in one: an inner select computes columns, an outer one goes on.

Window functions and set-returning functions over GROUPING SETS; grouping by a set-returning
function of the select list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pgemu.nodes import expr_collation, expr_type, expr_typmod
from pgemu.nodes import primnodes as p
from pgemu.nodes.parsenodes import Alias, FromExpr, Query, RangeTblEntry, RangeTblRef
from pgemu.nodes.walk import contains, mutate
from pgemu.parser.parse_sort_group import equal
from pgemu.planner.lowering import Lowering, Scope
from pgemu.planner.sql import Sql


class InnerTargets:
    """The target list of the inner select, being filled."""

    def __init__(self, entries: list[p.TargetEntry]) -> None:
        self.entries = entries

    def column(self, expr: p.Expr) -> p.Var:
        """expr as a column of the inner select."""
        for entry in self.entries:
            if equal(entry.expr, expr):
                break
        else:
            entry = p.TargetEntry(expr, len(self.entries) + 1)
            self.entries.append(entry)
        return p.Var(1, entry.resno, expr_type(expr), expr_typmod(expr), expr_collation(expr))


def _contains(node: object, kinds: tuple[type, ...]) -> bool:
    from pgemu.planner.projectset import contains_srf

    return contains(node, *kinds, stop_at=Query) or contains_srf(node)


def _has_window(node: object) -> bool:
    return contains(node, p.WindowFunc, stop_at=Query)


def lower_over_grouping_sets(query: Query, low: Lowering, scope: Scope) -> Sql:
    """The grouped rows first, then window and set-returning functions over them."""
    from pgemu.planner.groupingsets import lower_grouping_sets

    return _lower_over_groups(query, low, scope, lower_grouping_sets)


def lower_windows_over_srf(query: Query, low: Lowering, scope: Scope) -> Sql:
    """The groups first, their set-returning functions, which are keys of windows, then these."""
    from pgemu.planner.select import lower_plain

    def lower_part(part: Query, low: Lowering, scope: Scope) -> Sql:
        part.has_target_srfs = True
        return lower_plain(part, low, replace(scope, query=part))

    return _lower_over_groups(query, low, scope, lower_part, with_srfs=True)


def _lower_over_groups(
    query: Query,
    low: Lowering,
    scope: Scope,
    lower_part: Callable[[Query, Lowering, Scope], Sql],
    *,
    with_srfs: bool = False,
) -> Sql:
    """with_srfs: the inner select has the set-returning functions too."""
    refs = {c.tle_sort_group_ref for c in query.group_clause}
    grouped = [t for t in query.target_list if t.ressortgroupref in refs]
    inner = InnerTargets(
        [
            p.TargetEntry(t.expr, n, ressortgroupref=t.ressortgroupref)
            for n, t in enumerate(grouped, 1)
        ]
    )

    def split(node: object) -> object | None:
        plain = isinstance(node, p.Expr) and not isinstance(node, (p.TargetEntry, p.Const))
        if plain and not (_has_window(node) if with_srfs else _contains(node, (p.WindowFunc,))):
            return inner.column(node)  # type: ignore[arg-type]
        return None

    outputs = [replace(t, expr=mutate(t.expr, split)) for t in query.target_list]
    part = replace(
        query,
        target_list=inner.entries,
        window_clause=[],
        has_window_funcs=False,
        has_target_srfs=False,
        distinct_clause=[],
        sort_clause=[],
        limit_count=None,
        limit_offset=None,
        cte_list=[],
    )
    body = lower_part(part, low, scope)
    outer = replace(
        query,
        target_list=outputs,
        group_clause=[],
        grouping_sets=[],
        having_qual=None,
        has_aggs=False,
        has_target_srfs=_contains(outputs, ()),
        cte_list=[],
    )
    return _lower_outer(outer, body, low, scope)


def groups_by_srf(query: Query) -> bool:
    """GROUP BY, or a window without groups, names a set-returning function of the select list."""
    return bool(_key_srfs(query))


def _key_srfs(query: Query) -> list[p.Expr]:
    from pgemu.planner.projectset import contains_srf
    from pgemu.planner.select import group_entries

    entries = group_entries(query)
    if not (query.group_clause or query.has_aggs):
        entries = _window_keys(query)
    return [t.expr for t in entries if contains_srf(t.expr)]


def _window_keys(query: Query) -> list[p.TargetEntry]:
    refs = {
        clause.tle_sort_group_ref
        for window in query.window_clause
        for clause in (*window.partition_clause, *window.order_clause)
    }
    return [t for t in query.target_list if t.ressortgroupref in refs]


def windows_over_srf(query: Query) -> bool:
    """A window over groups names a set-returning function that is not what is grouped by."""
    from pgemu.planner.projectset import contains_srf

    return bool(query.group_clause or query.has_aggs) and any(
        contains_srf(t.expr) for t in _window_keys(query)
    )


def lower_grouped_srf(query: Query, low: Lowering, scope: Scope) -> Sql:
    """The functions first, then the groups or windows."""
    from pgemu.planner.projectset import contains_srf
    from pgemu.planner.select import lower_plain

    inner = InnerTargets([])
    srfs = _key_srfs(query)

    def split(node: object) -> object | None:
        if isinstance(node, p.Expr) and any(equal(node, srf) for srf in srfs):
            return inner.column(node)
        if isinstance(node, p.Var) and not node.varlevelsup:
            return inner.column(node)
        return None

    outputs = [replace(t, expr=mutate(t.expr, split)) for t in query.target_list]
    having = mutate(query.having_qual, split) if query.having_qual is not None else None
    part = Query(
        "select",
        target_list=inner.entries,
        rtable=query.rtable,
        jointree=query.jointree,
        has_target_srfs=True,
    )
    body = lower_plain(part, low, replace(scope, query=part))
    outer = replace(
        query,
        target_list=outputs,
        having_qual=having,
        cte_list=[],
        has_target_srfs=any(contains_srf(t.expr) for t in outputs),
    )
    return _lower_outer(outer, body, low, scope)


def _lower_outer(outer: Query, body: Sql, low: Lowering, scope: Scope) -> Sql:
    from pgemu.planner.groupingsets import lower_grouping_sets
    from pgemu.planner.select import lower_plain

    outer.rtable = [RangeTblEntry("subquery", Alias("stage"))]
    outer.jointree = FromExpr([RangeTblRef(1)])
    inner = Scope(
        outer, [low.new_alias("g")], low, scope.parent, ctes=scope.ctes, prelowered={1: body}
    )
    if outer.grouping_sets and (outer.has_window_funcs or outer.has_target_srfs):
        return lower_over_grouping_sets(outer, low, inner)
    if outer.grouping_sets:
        return lower_grouping_sets(outer, low, inner)
    return lower_plain(outer, low, inner)
