"""The entry of the planner: an analyzed, rewritten Query becomes a Plan."""

from __future__ import annotations

from typing import Any

import pgemu.planner.aggregates
import pgemu.planner.arithmetic
import pgemu.planner.jsonb_calls
import pgemu.planner.padding
import pgemu.planner.sublinks
import pgemu.planner.text_calls
import pgemu.planner.windows
import pgemu.planner.xml  # noqa: F401  (their handlers register themselves)
from pgemu.nodes import expr_type, expr_typmod
from pgemu.nodes import primnodes as p
from pgemu.nodes.parsenodes import CommonTableExpr, Query
from pgemu.nodes.primnodes import Value
from pgemu.nodes.walk import walk
from pgemu.planner import sql
from pgemu.planner.clauses import check_constants
from pgemu.planner.ctes import is_modifying, lower_shared
from pgemu.planner.dml import lower_modify
from pgemu.planner.expressions import has_children, lower, lower_qual, row_value
from pgemu.planner.lockedquery import (
    add_row_limit,
    check_row_marks,
    locks_beyond_limit,
    without_limit,
)
from pgemu.planner.lowering import FIRST_USER_OID, FunctionBinder, Lowering, Scope
from pgemu.planner.plan import ExternParam, LiteralParam, OutputColumn, Plan, RowMark
from pgemu.planner.prepjointree import prepare_locked
from pgemu.planner.replica_identity import check_replica_identity
from pgemu.planner.select import lower_query_in, output_columns

UNKNOWNOID, TEXTOID = 705, 25


def plan_query(
    query: Query,
    catalog: Any,
    binder: FunctionBinder,
    used_literals: set[int] | None = None,
    parent: Scope | None = None,
) -> Plan:
    """Plan a SELECT, INSERT, UPDATE, DELETE or MERGE.  parent: the scope of the statement that a
    data-modifying CTE belongs to."""
    if parent is None:
        check_constants(query, catalog)
    low = Lowering(catalog, binder)
    low.used_literals = set(used_literals) if used_literals is not None else set()
    note_grouped_literals(query, low.used_literals)
    if query.command_type == "select":
        prepare_locked(query, low)
    scope = low.new_scope(query, parent)
    if query.command_type == "select":
        plan = _plan_result(query, low) or _plan_select(query, low, scope)
    else:
        check_replica_identity(catalog, query)
        modify = lower_modify(query, low, scope)
        plan = Plan(
            query.command_type,
            modify.direct_sql or modify.source_sql,
            columns=output_columns_of(query.returning_list),
            modify=modify,
        )
    _complete(plan, low)
    if plan.modify is not None or plan.row_marks:
        plan.query, plan.outer = query, parent
    return plan


def _plan_step(low: Lowering, name: str, cte: CommonTableExpr, outer: Scope) -> Plan:
    """The plan of a CTE that is run before the statement."""
    if not cte.cterecursive or is_modifying(cte):
        return plan_query(cte.ctequery, low.catalog, low.binder, low.used_literals, outer)
    own = Lowering(low.catalog, low.binder)
    own.used_literals = set(low.used_literals)
    plan = Plan("select", sql.render(lower_shared(cte, name, own, outer)))
    _complete(plan, own)
    return plan


def _complete(plan: Plan, low: Lowering) -> None:
    """What lowering has collected for the plan."""
    plan.params = tuple(low.params)
    plan.relations = tuple((oid, name, n) for oid, (name, n) in low.relations.items())
    plan.volatile = low.volatile
    plan.has_effects = low.has_effects or low.has_modifying_ctes
    plan.may_write = low.may_write or low.has_modifying_ctes
    plan.calls_functions, plan.calls_stable = low.calls_functions, low.calls_stable
    plan.steps = [(step[0], _plan_step(low, *step)) for step in low.cte_steps]
    plan.late_steps = frozenset(low.late_ctes)
    plan.used_literals = frozenset(low.used_literals)
    plan.partitioned = tuple(sorted(low.partitioned))
    plan.sequences = tuple(oid for oid in sorted(low.sequences) if oid >= FIRST_USER_OID)


def note_grouped_literals(query: Query, used: set[int]) -> None:
    """Analysis compared the grouping expressions with the rest of the statement: literals of a
    query that groups by expressions with literals are part of its identity."""
    waiting = [query]
    while waiting:
        one = waiting.pop()
        if one.group_clause:
            refs = {c.tle_sort_group_ref for c in one.group_clause}
            grouped = [t.expr for t in one.target_list if t.ressortgroupref in refs]
            if _literals(grouped):
                used.update(_literals([one.target_list, one.having_qual]))
        waiting += [e.subquery for e in one.rtable if e.subquery is not None]
        waiting += [c.ctequery for c in one.cte_list]
        if one.has_sublinks:
            _collect_sublinks(one, waiting)


def _collect_sublinks(query: Query, found: list[Query]) -> None:
    def visit(node: object) -> bool | None:
        if isinstance(node, p.SubLink):
            found.append(node.subselect)
        return not isinstance(node, Query)

    walk(
        [
            query.target_list,
            query.jointree,
            query.having_qual,
            query.returning_list,
            query.limit_count,
            query.limit_offset,
        ],
        visit,
    )


def _literals(nodes: object) -> set[int]:
    found: set[int] = set()

    def visit(node: object) -> bool | None:
        if isinstance(node, p.Const) and node.literal_location is not None:
            found.add(node.literal_location)
        return None

    walk(nodes, visit)
    return found


def _plan_result(query: Query, low: Lowering) -> Plan | None:
    """A SELECT of constants and parameters alone needs no SQLite (PostgreSQL's Result node)."""
    if (
        query.rtable
        or query.cte_list
        or query.set_operations
        or query.having_qual
        or query.jointree.quals
        or query.limit_count
        or query.limit_offset
        or query.group_clause
        or query.grouping_sets
    ):
        return None
    row: list[tuple[int, Value]] = []
    for entry in query.target_list:
        expr = entry.expr
        while isinstance(expr, p.RelabelType):
            expr = expr.arg
        if isinstance(expr, p.Param) and expr.paramkind == "extern":
            number = low.param_number(ExternParam(expr.paramid))
        elif isinstance(expr, p.Const):
            location = expr.literal_location
            if location is None or location in low.used_literals or expr.value is None:
                row.append((0, expr.value))
                continue
            number = low.param_number(
                LiteralParam(location, expr.consttype, expr.consttypmod, expr.value)
            )
        else:
            return None
        row.append((number, None))
    return Plan("select", "", columns=output_columns_of(query.target_list), result=tuple(row))


def _plan_select(query: Query, low: Lowering, scope: Scope) -> Plan:
    beyond = bool(query.row_marks) and locks_beyond_limit(query)
    shown = low.shown = without_limit(query) if beyond else query
    body = lower_query_in(shown, low, scope)
    marks: list[RowMark] = []
    if query.row_marks:
        marks = _add_row_marks(query, body, low, scope)
    row_limit = add_row_limit(query, body, low, scope) if beyond else None
    return Plan(
        "select",
        sql.render(body),
        columns=output_columns_of(query.target_list),
        row_marks=tuple(marks),
        row_limit=row_limit,
    )


def output_columns_of(entries: list[p.TargetEntry]) -> tuple[OutputColumn, ...]:
    """The result columns of a target list or RETURNING list."""
    columns = []
    for entry in entries:
        if entry.resjunk:
            continue
        type_oid = expr_type(entry.expr)
        columns.append(
            OutputColumn(
                entry.resname or "?column?",
                TEXTOID if type_oid == UNKNOWNOID else type_oid,
                expr_typmod(entry.expr),
                entry.resorigtbl,
                entry.resorigcol,
            )
        )
    return tuple(columns)


def _add_row_marks(query: Query, body: Any, low: Lowering, scope: Scope) -> list[RowMark]:
    """FOR UPDATE and its kin: the rids of the marked tables come as further output columns."""
    check_row_marks(query, low)
    marks = []
    column = len(output_columns(query))
    for mark in query.row_marks:
        entry = scope.entry(mark.rti)
        if entry.rtekind != "relation":
            continue
        alias = scope.aliases[mark.rti - 1]
        body.expressions.append(sql.alias(sql.column(alias, "rid"), f"k{column}"))
        tableoid = -1
        if has_children(entry, low):
            tableoid = column + 1
            place = sql.column(alias, "tableoid")
            body.expressions.append(sql.alias(place, f"k{tableoid}"))
            alias = ""
        marks.append(
            RowMark(column, entry.relid, mark.strength, mark.wait_policy, mark.rti, tableoid, alias)
        )
        column = max(column, tableoid) + 1
    return marks


def compile_table_expr(
    catalog: Any, relation: Any, expr: p.Expr, alias: str, *, for_index: bool = False
) -> str:
    """An expression over one row of a table (Var.varno 1) as SQLite text; columns are read as
    alias.c<n> (or c<n> with an empty alias)."""
    low = Lowering(catalog, catalog.ctx.session.udfs)
    low.for_index = for_index
    query = Query("select")
    scope = Scope(query, [alias], low)
    scope.replaced[(1, -6)] = sql.integer(relation.oid)
    for attr in relation.attrs:
        name = f"c{attr.attnum}"
        scope.replaced[(1, attr.attnum)] = sql.column(alias, name) if alias else sql.raw(name)
    _replace_whole_row(relation, expr, low, scope)
    low.used_literals = _EveryLiteral()
    return sql.render(sql.paren(lower(expr, low, scope)))


def _replace_whole_row(relation: Any, expr: p.Expr, low: Lowering, scope: Scope) -> None:
    """The row of the table as a value, where the expression asks for it."""

    def visit(node: object) -> bool | None:
        if isinstance(node, p.Var) and not node.varattno and (1, 0) not in scope.replaced:
            types = [0 if a.attisdropped else a.atttypid for a in relation.attrs]
            columns = [
                sql.NULL if a.attisdropped else scope.replaced[(1, a.attnum)]
                for a in relation.attrs
            ]
            scope.replaced[(1, 0)] = row_value(node.vartype, types, columns, low)
        return None

    walk([expr], visit)


def compile_pair_expr(catalog: Any, relation: Any, expr: p.Expr) -> str:
    """An expression over two rows of one table: Var.varno 1 is read from t, 2 from n."""
    low = Lowering(catalog, catalog.ctx.session.udfs)
    scope = Scope(Query("select"), ["t", "n"], low)
    for attr in relation.attrs:
        for varno, alias in ((1, "t"), (2, "n")):
            scope.replaced[(varno, attr.attnum)] = sql.column(alias, f"c{attr.attnum}")
    low.used_literals = _EveryLiteral()
    return sql.render(sql.paren(lower(expr, low, scope)))


class _EveryLiteral(set[int]):
    """No literal of a stored expression may become a parameter."""

    def __contains__(self, item: object) -> bool:
        return True


def compile_index_expr(catalog: Any, relation: Any, expr: p.Expr) -> str:
    """The text of an index key or predicate over the columns of its table."""
    return compile_table_expr(catalog, relation, expr, "", for_index=True)


__all__ = ["compile_index_expr", "compile_table_expr", "lower_qual", "plan_query"]
