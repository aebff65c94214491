"""SELECT: one Query becomes one SQLite select whose columns are c1 .. cn.

The steps are PostgreSQL's order of evaluation: FROM, WHERE, GROUP BY, HAVING, window functions,
set-returning functions of the select list, DISTINCT, ORDER BY, LIMIT.  A step that SQLite cannot
do in the same select (set-returning functions, DISTINCT ON, WITH TIES) puts what there is into a
derived table and goes on around it.
"""

from __future__ import annotations

from pgemu.nodes import expr_collation, expr_type
from pgemu.nodes import primnodes as p
from pgemu.nodes.parsenodes import Query
from pgemu.planner import sql
from pgemu.planner.expressions import lower, lower_qual
from pgemu.planner.lowering import Lowering, Scope, without_collation
from pgemu.planner.prepjointree import prepare_locked
from pgemu.planner.scaled import scaled_column
from pgemu.planner.sql import Sql

_INT8_OF_INT4 = 481


def lower_query(query: Query, low: Lowering, parent: Scope | None) -> Sql:
    """The SQLite query for a SELECT (or VALUES, or set operation)."""
    prepare_locked(query, low)
    if query.row_marks:
        from pgemu.planner.lockedquery import lower_locked

        if any(query.rtable[m.rti - 1].relid for m in query.row_marks):
            return lower_locked(query, low, parent)
    scope = low.new_scope(query, parent)
    return lower_query_in(query, low, scope)


def lower_query_in(query: Query, low: Lowering, scope: Scope) -> Sql:
    from pgemu.planner.ctes import lower_ctes
    from pgemu.planner.groupingsets import lower_grouping_sets
    from pgemu.planner.outeraggregates import aggregates_below, lower_outer_aggregates
    from pgemu.planner.setops import lower_set_operations
    from pgemu.planner.stages import (
        groups_by_srf,
        lower_grouped_srf,
        lower_over_grouping_sets,
        lower_windows_over_srf,
        windows_over_srf,
    )

    ctes = lower_ctes(query, low, scope)
    if query.set_operations is not None:
        body = lower_set_operations(query, low, scope)
    elif query.has_target_srfs and groups_by_srf(query):
        body = lower_grouped_srf(query, low, scope)
    elif query.grouping_sets and aggregates_below(query):
        body = lower_outer_aggregates(query, low, scope)
    elif query.grouping_sets and (query.has_window_funcs or query.has_target_srfs):
        body = lower_over_grouping_sets(query, low, scope)
    elif query.grouping_sets:
        body = lower_grouping_sets(query, low, scope)
    elif query.has_target_srfs and windows_over_srf(query):
        body = lower_windows_over_srf(query, low, scope)
    elif aggregates_below(query):
        body = lower_outer_aggregates(query, low, scope)
    else:
        body = lower_plain(query, low, scope)
    if ctes:
        body = sql.with_(body, ctes, query.has_recursive)
    return body


def lower_plain(query: Query, low: Lowering, scope: Scope) -> Sql:
    from pgemu.planner.lateralgroups import prepare_lateral_groups
    from pgemu.planner.projectset import lower_project_set

    prepare_lateral_groups(query, low, scope)
    if query.has_target_srfs:
        return lower_project_set(query, low, scope)
    if query.has_distinct_on or query.limit_option == "with_ties":
        return _lower_in_stages(query, low, scope)
    columns = [
        sql.alias(_output(t, query, low, scope), f"c{n}")
        for n, t in enumerate(output_columns(query), 1)
    ]
    core = lower_core(query, low, scope, columns, distinct=bool(query.distinct_clause))
    order = order_items(query, low, scope)
    limit, offset = limit_offset(query, low, scope)
    return sql.add_tail(core, order, limit, offset)


def output_columns(query: Query) -> list[p.TargetEntry]:
    return [t for t in query.target_list if not t.resjunk]


def _output(entry: p.TargetEntry, query: Query, low: Lowering, scope: Scope) -> Sql:
    if query is low.shown and not query.distinct_clause:
        from pgemu.planner.padding import lower_output

        return lower_output(entry.expr, low, scope)
    lowered = lower(entry.expr, low, scope)
    if query.distinct_clause:
        return low.comparable(lowered, expr_type(entry.expr), expr_collation(entry.expr))
    if low.collation(expr_type(entry.expr), expr_collation(entry.expr)) is None:
        return without_collation(lowered)
    return lowered


def lower_core(
    query: Query, low: Lowering, scope: Scope, columns: list[Sql], *, distinct: bool = False
) -> Sql:
    """FROM ... WHERE ... GROUP BY ... HAVING with the given output columns."""
    from pgemu.planner.fromclause import lower_from
    from pgemu.planner.joinorder import nested_loop_order

    if _is_degenerate_grouping(query) and scope.grouped_refs is None:
        having = lower_qual(query.having_qual, low, scope)
        columns = columns or [sql.alias(sql.integer(1), "c0")]
        return sql.select(columns, where=having, distinct=distinct)
    ordered = None if scope.prelowered else nested_loop_order(query, low)
    if ordered is None:
        from_, joins, from_quals = lower_from(query.jointree.fromlist, low, scope)
    else:
        from_, joins, from_quals = lower_from(ordered[0], low, scope, keep_order=True)
        on = lower_qual(ordered[1], low, scope)
        from_quals += [on] if on is not None else []
    where = lower_qual(query.jointree.quals, low, scope)
    conditions = [*from_quals, *([where] if where is not None else [])]
    group = [
        low.comparable(
            lower(entry.expr, low, scope), expr_type(entry.expr), expr_collation(entry.expr)
        )
        for entry in group_entries(query)
    ]
    group = [
        _not_ordinal(item, entry.expr)
        for item, entry in zip(group, group_entries(query), strict=True)
    ]
    having = lower_qual(query.having_qual, low, scope)
    # GROUPING() counts as an aggregate, but is a constant of its set
    if not group and (scope.grouped_refs is not None or having is not None):
        columns = _one_group(columns, low)
    return sql.select(
        columns or [sql.alias(sql.integer(1), "c0")],
        from_=from_,
        joins=joins,
        where=sql.connect("and", conditions) if conditions else None,
        group=group,
        having=having,
        distinct=distinct,
    )


def _is_degenerate_grouping(query: Query) -> bool:
    """HAVING alone: one row or none, in which no column of FROM appears; FROM is not looked at."""
    return query.having_qual is not None and not (query.group_clause or query.has_aggs)


def _one_group(columns: list[Sql], low: Lowering) -> list[Sql]:
    """HAVING or an empty grouping set makes one group without any aggregate; SQLite wants one
    among the output columns: the first column's value, chosen where count(*) is not negative."""
    first = columns[0]
    counted = sql.binary(">=", sql.func("count", sql.raw("*")), sql.integer(0))
    return [sql.alias(sql.case([(counted, first.this)], None), first.alias), *columns[1:]]


def _not_ordinal(item: Sql, expr: p.Expr) -> Sql:
    """A bare integer in GROUP BY or ORDER BY would name an output column; SQLite makes one of an
    AND with a false operand."""
    if isinstance(expr, p.BoolExpr) or str(item).lstrip("?").isdigit():
        return sql.binary("+", sql.integer(0), item)
    return item


def group_entries(query: Query) -> list[p.TargetEntry]:
    by_ref = {t.ressortgroupref: t for t in query.target_list if t.ressortgroupref}
    return [by_ref[c.tle_sort_group_ref] for c in query.group_clause]


def order_items(query: Query, low: Lowering, scope: Scope) -> list[Sql]:
    """ORDER BY: output columns by their number, other expressions as they are."""
    numbers = {id(t): n for n, t in enumerate(output_columns(query), 1)}
    by_ref = {t.ressortgroupref: t for t in query.target_list if t.ressortgroupref}
    items = []
    for clause in query.sort_clause:
        entry = by_ref[clause.tle_sort_group_ref]
        number = numbers.get(id(entry))
        if isinstance(entry.expr, p.Const):
            continue  # a constant orders nothing
        scaled = None if query.distinct_clause else scaled_column(entry.expr, low, scope)
        key: Sql
        if scaled is not None:
            key = scaled[0]
        elif number is not None:
            key = low.comparable(
                sql.raw(str(number)), expr_type(entry.expr), expr_collation(entry.expr)
            )
        else:
            key = low.comparable(
                lower(entry.expr, low, scope), expr_type(entry.expr), expr_collation(entry.expr)
            )
            key = _not_ordinal(key, entry.expr)
        nulls = None if _never_null(entry.expr, low, scope) else clause.nulls_first
        items.append(sql.ordered(key, clause.descending, nulls))
    return items


def _never_null(expr: p.Expr, low: Lowering, scope: Scope) -> bool:
    """A NOT NULL column of a table that no outer join can blank: SQLite's index order serves."""
    if not isinstance(expr, p.Var) or expr.varlevelsup or expr.varattno <= 0:
        return False
    entry = scope.entry(expr.varno)
    if entry.rtekind != "relation" or _has_outer_join(scope.query):
        return False
    attrs = low.catalog.relation(entry.relid).attrs
    return bool(attrs[expr.varattno - 1].attnotnull)


def _has_outer_join(query: Query) -> bool:
    return any(e.rtekind == "join" and e.jointype != "inner" for e in query.rtable)


def limit_offset(query: Query, low: Lowering, scope: Scope) -> tuple[Sql | None, Sql | None]:
    limit = _row_count(query.limit_count, "LIMIT", low, scope)
    offset = _row_count(query.limit_offset, "OFFSET", low, scope)
    return limit, offset


def _row_count(expr: p.Expr | None, what: str, low: Lowering, scope: Scope) -> Sql | None:
    if expr is None or (isinstance(expr, p.Const) and expr.value is None):
        return None
    lowered = lower(expr, low, scope)
    if _is_row_count(expr):
        return lowered
    return sql.func(low.binder.special("row_count", what), lowered)


def _is_row_count(expr: p.Expr) -> bool:
    """A literal without a sign, as it is or widened to int8 (pg_proc int8(int4))."""
    if isinstance(expr, p.FuncExpr) and expr.funcid == _INT8_OF_INT4:
        expr = expr.args[0]
    return isinstance(expr, p.Const) and type(expr.value) is int and expr.value >= 0


def _lower_in_stages(query: Query, low: Lowering, scope: Scope) -> Sql:
    """DISTINCT ON and WITH TIES: around the select as it stands."""
    from pgemu.planner.finishing import finish_rows

    columns = [
        sql.alias(lower(t.expr, low, scope), f"c{n}") for n, t in enumerate(query.target_list, 1)
    ]
    return finish_rows(lower_core(query, low, scope, columns), query, low, scope)
