"""WITH RECURSIVE (PostgreSQL's nodeRecursiveunion.c), with SEARCH and CYCLE (rewriteSearchCycle.c).

A recursive term that reads the working table directly in its FROM is SQLite's own recursion.  Any
other form (the reference in a nested query, window functions, DISTINCT, grouping ...) runs as a
table-valued function: the first term, then the recursive one again and again over the rows of the
last round.
"""

from __future__ import annotations

from dataclasses import replace

from pgemu.nodes import expr_type
from pgemu.nodes import primnodes as p
from pgemu.nodes.parsenodes import (
    CommonTableExpr,
    JoinExpr,
    JoinTreeNode,
    Query,
    RangeTblRef,
    SetOperationStmt,
)
from pgemu.parser.parse_coerce_common import coerce_to_common_type
from pgemu.parser.parse_node import make_parsestate
from pgemu.planner import sql
from pgemu.planner.expressions import lower
from pgemu.planner.lowering import Lowering, Scope
from pgemu.planner.sql import Sql

RECORDOID, RECORDARRAYOID, INT8OID, BOOLOID = 2249, 2287, 20, 16
F_ARRAY_CAT, F_INT8INC, F_RECORD_EQ, RECORD_EQ_OP = 383, 1219, 2981, 2988


def lower_recursive(cte: CommonTableExpr, low: Lowering, scope: Scope) -> Sql:
    """The body of a recursive CTE; scope defines it."""
    from pgemu.planner.ctes import lower_ctes
    from pgemu.planner.select import lower_query

    query = cte.ctequery
    operation = query.set_operations
    if operation is None or operation.op != "union":
        return lower_query(query, low, scope)
    inner = low.new_scope(query, scope)
    ctes = lower_ctes(query, low, inner)
    body = _native(cte, operation, low, inner)
    if body is None:
        return _in_rounds(cte, operation, low, inner, ctes)
    return sql.with_(body, ctes, query.has_recursive) if ctes else body


def _types(cte: CommonTableExpr, operation: SetOperationStmt) -> list[int]:
    """The types of all columns, those of SEARCH and CYCLE included."""
    types = list(operation.col_types)
    if cte.search_clause is not None:
        breadth = cte.search_clause.search_breadth_first
        types.append(RECORDOID if breadth else RECORDARRAYOID)
    if cte.cycle_clause is not None:
        types += [cte.cycle_clause.cycle_mark_type, RECORDARRAYOID]
    return types


def _native(
    cte: CommonTableExpr, operation: SetOperationStmt, low: Lowering, inner: Scope
) -> Sql | None:
    from pgemu.planner.select import lower_query_in

    if not isinstance(operation.rarg, RangeTblRef):
        return None
    right = inner.entry(operation.rarg.rtindex).subquery
    assert right is not None
    reference = _direct_reference(right, cte)
    if reference == 0:
        return None
    right = _extended(right, reference, cte, operation, low)
    first = _first_term(cte, operation, low, inner)
    second = lower_query_in(right, low, low.new_scope(right, inner))
    return sql.compound("union", first, second, all_rows=operation.all)


def _direct_reference(right: Query, cte: CommonTableExpr) -> int:
    """The range table index of the self reference where SQLite takes it; 0: it does not."""
    plain = not (
        right.set_operations
        or right.cte_list
        or right.window_clause
        or right.distinct_clause
        or right.group_clause
        or right.grouping_sets
        or right.has_aggs
        or right.sort_clause
        or right.has_target_srfs
        or right.limit_count
        or right.limit_offset
        or right.has_window_funcs
    )
    if not plain:
        return 0
    for number, entry in enumerate(right.rtable, 1):
        if entry.rtekind == "cte" and entry.self_reference and entry.ctename == cte.ctename:
            return number if _reachable(right.jointree.fromlist, number) else 0
    return 0


def _reachable(items: list[JoinTreeNode], rtindex: int) -> bool:
    """Not inside the right side of a join, which would become a parenthesised group."""
    for item in items:
        node = item
        while isinstance(node, JoinExpr):
            if isinstance(node.rarg, RangeTblRef) and node.rarg.rtindex == rtindex:
                return True
            node = node.larg
        if node.rtindex == rtindex:
            return True
    return False


def _first_term(
    cte: CommonTableExpr, operation: SetOperationStmt, low: Lowering, inner: Scope
) -> Sql:
    from pgemu.planner.select import lower_query
    from pgemu.planner.setops import _lower_node, _select_from

    def leaf(ref: RangeTblRef, parent: SetOperationStmt) -> Sql:
        subquery = inner.entry(ref.rtindex).subquery
        assert subquery is not None
        types = [expr_type(t.expr) for t in subquery.target_list if not t.resjunk]
        return _select_from(lower_query(subquery, low, inner), parent, low, types)

    body = _lower_node(operation.larg, leaf, low, operation)
    if isinstance(operation.larg, SetOperationStmt):
        body = _select_from(body, operation, low, operation.larg.col_types)
    extra = _first_extras(cte, operation)
    if not extra:
        return body
    alias = low.new_alias("u")
    columns = [sql.column(alias, f"c{n}") for n in range(1, len(operation.col_types) + 1)]
    replaced = {(1, n): column for n, column in enumerate(columns, 1)}
    pseudo = Scope(Query("select"), [alias], low, inner, replaced=replaced)
    outputs = [*columns, *(lower(expr, low, pseudo) for expr in extra)]
    named = [sql.alias(c, f"c{n}") for n, c in enumerate(outputs, 1)]
    return sql.select(named, from_=sql.derived(body, alias))


# -- SEARCH and CYCLE ---------------------------------------------------------------------------


def _row(exprs: list[p.Expr], names: list[str], cte: CommonTableExpr) -> p.RowExpr:
    args = [exprs[cte.ctecolnames.index(name)] for name in names]
    return p.RowExpr(args, RECORDOID)


def _array(row: p.Expr) -> p.Expr:
    return p.ArrayExpr(RECORDARRAYOID, RECORDOID, [row])


def _append(path: p.Expr, row: p.Expr) -> p.Expr:
    return p.FuncExpr(F_ARRAY_CAT, RECORDARRAYOID, [path, _array(row)])


def _first_extras(cte: CommonTableExpr, operation: SetOperationStmt) -> list[p.Expr]:
    columns: list[p.Expr] = [p.Var(1, n, t) for n, t in enumerate(operation.col_types, 1)]
    extra: list[p.Expr] = []
    if cte.search_clause is not None:
        row = _row(columns, cte.search_clause.search_col_list, cte)
        if cte.search_clause.search_breadth_first:
            extra.append(p.RowExpr([p.Const(INT8OID, 0), *row.args], RECORDOID))
        else:
            extra.append(_array(row))
    if cte.cycle_clause is not None:
        extra.append(cte.cycle_clause.cycle_mark_default)
        extra.append(_array(_row(columns, cte.cycle_clause.cycle_col_list, cte)))
    return extra


def _extended(
    right: Query,
    reference: int,
    cte: CommonTableExpr,
    operation: SetOperationStmt,
    low: Lowering,
) -> Query:
    """The recursive term with its columns coerced and those of SEARCH and CYCLE added."""
    pstate = make_parsestate(None, low.catalog)
    outputs: list[p.Expr] = []
    entries = [t for t in right.target_list if not t.resjunk]
    for entry, wanted in zip(entries, operation.col_types, strict=True):
        outputs.append(coerce_to_common_type(pstate, entry.expr, wanted, "UNION/INTERSECT/EXCEPT"))
    number = len(outputs)
    extra: list[p.Expr] = []
    quals = right.jointree.quals
    if cte.search_clause is not None:
        number += 1
        row = _row(outputs, cte.search_clause.search_col_list, cte)
        if cte.search_clause.search_breadth_first:
            before = p.FieldSelect(p.Var(reference, number, RECORDOID), 1, INT8OID)
            level = p.FuncExpr(F_INT8INC, INT8OID, [before])
            extra.append(p.RowExpr([level, *row.args], RECORDOID))
        else:
            extra.append(_append(p.Var(reference, number, RECORDARRAYOID), row))
    clause = cte.cycle_clause
    if clause is not None:
        mark = p.Var(
            reference,
            number + 1,
            clause.cycle_mark_type,
            clause.cycle_mark_typmod,
            clause.cycle_mark_collation,
        )
        path = p.Var(reference, number + 2, RECORDARRAYOID)
        row = _row(outputs, clause.cycle_col_list, cte)
        seen = p.ScalarArrayOpExpr(RECORD_EQ_OP, F_RECORD_EQ, True, [row, path])
        extra.append(
            p.CaseExpr(
                clause.cycle_mark_type,
                None,
                [p.CaseWhen(seen, clause.cycle_mark_value)],
                clause.cycle_mark_default,
                clause.cycle_mark_collation,
            )
        )
        extra.append(_append(path, row))
        unequal = _not_marked(mark, clause.cycle_mark_value, clause.cycle_mark_neop, low)
        quals = unequal if quals is None else p.BoolExpr("and", [quals, unequal])
    target_list = [p.TargetEntry(e, n) for n, e in enumerate([*outputs, *extra], 1)]
    return replace(right, target_list=target_list, jointree=replace(right.jointree, quals=quals))


def _not_marked(mark: p.Var, value: p.Expr, neop: int, low: Lowering) -> p.Expr:
    from pgemu.catalog.rows import PgOperator

    operator = low.catalog.get(PgOperator, oid=neop)
    return p.OpExpr(neop, operator.oprcode, BOOLOID, [mark, value], inputcollid=mark.varcollid)


# -- in rounds ------------------------------------------------------------------------------------


def _in_rounds(
    cte: CommonTableExpr,
    operation: SetOperationStmt,
    low: Lowering,
    inner: Scope,
    ctes: object,
) -> Sql:
    """The table-valued function that runs first and recursive terms as statements."""
    name = inner.parent.ctes[cte.ctename] if inner.parent is not None else ""
    types = _types(cte, operation)
    first_low, next_low = low.sub_statement(), low.sub_statement()
    first = _first_term(cte, operation, first_low, replace(inner, owner=first_low))
    next_low.working_tables[name] = len(types)
    second = _next_term(operation, next_low, replace(inner, owner=next_low))
    low.note_calls_of(first_low)
    low.note_calls_of(next_low)
    args = [low.bind_for_caller(source) for source in (*first_low.params, *next_low.params)]
    function = low.binder.special(
        "recursion",
        name,
        sql.render(first),
        len(first_low.params),
        sql.render(second),
        len(next_low.params),
        tuple(types),
        operation.all,
    )
    alias = low.new_alias("u")
    columns = [sql.alias(sql.column(alias, f"c{n}"), f"c{n}") for n in range(1, len(types) + 1)]
    return sql.select(columns, from_=sql.table_function(function, args, alias))


def _next_term(operation: SetOperationStmt, low: Lowering, inner: Scope) -> Sql:
    from pgemu.planner.select import lower_query
    from pgemu.planner.setops import _lower_node, _select_from

    def leaf(ref: RangeTblRef, parent: SetOperationStmt) -> Sql:
        subquery = inner.entry(ref.rtindex).subquery
        assert subquery is not None
        types = [expr_type(t.expr) for t in subquery.target_list if not t.resjunk]
        return _select_from(lower_query(subquery, low, inner), parent, low, types)

    body = _lower_node(operation.rarg, leaf, low, operation)
    if isinstance(operation.rarg, SetOperationStmt):
        body = _select_from(body, operation, low, operation.rarg.col_types)
    return body
