"""UNION, INTERSECT and EXCEPT, with and without ALL."""

from __future__ import annotations

from collections.abc import Callable

from pgemu.catalog.rows import PgType
from pgemu.nodes import expr_type
from pgemu.nodes import primnodes as p
from pgemu.nodes.parsenodes import Query, RangeTblRef, SetOperationStmt, SetOpNode
from pgemu.parser.parse_coerce_common import coerce_to_common_type
from pgemu.parser.parse_node import make_parsestate
from pgemu.planner import sql
from pgemu.planner.expressions import lower
from pgemu.planner.lowering import Lowering, Scope
from pgemu.planner.sql import Sql

UNKNOWNOID = 705

# lowers a select of a set operation that stands right below another
_Leaf = Callable[[RangeTblRef, SetOperationStmt], Sql]


def lower_set_operations(query: Query, low: Lowering, scope: Scope) -> Sql:
    from pgemu.planner.finishing import with_ties
    from pgemu.planner.select import limit_offset, lower_query

    assert query.set_operations is not None

    def leaf(ref: RangeTblRef, parent: SetOperationStmt) -> Sql:
        subquery = scope.entry(ref.rtindex).subquery
        assert subquery is not None
        types = [expr_type(t.expr) for t in subquery.target_list if not t.resjunk]
        return _select_from(lower_query(subquery, low, scope), parent, low, types)

    numbers = {
        t.ressortgroupref: n for n, t in enumerate(query.target_list, 1) if t.ressortgroupref
    }

    def key(alias: str, ref: int) -> Sql:
        return _sort_key(sql.column(alias, f"c{numbers[ref]}"), numbers[ref], query, low)

    body = _lower_node(query.set_operations, leaf, low)
    order = _order(query, low)
    limit, offset = limit_offset(query, low, scope)
    if query.limit_option == "with_ties" and limit is not None:
        columns = range(1, len(query.target_list) + 1)
        return with_ties(body, columns, query, low, limit, offset, key)
    if order or limit is not None or offset is not None:
        body = _wrap(body, len(query.set_operations.col_types), low)
        return sql.add_tail(body, order, limit, offset)
    return body


def _lower_node(
    node: SetOpNode, leaf: _Leaf, low: Lowering, parent: SetOperationStmt | None = None
) -> Sql:
    if isinstance(node, RangeTblRef):
        assert parent is not None
        return leaf(node, parent)
    # the collation of the leftmost select's columns decides how rows compare
    left = _lower_node(node.larg, leaf, low, node)
    right = _lower_node(node.rarg, leaf, low, node)
    if not isinstance(node.larg, RangeTblRef):
        left = _select_from(left, node, low, node.larg.col_types)
    if not isinstance(node.rarg, RangeTblRef):
        right = _select_from(right, node, low, node.rarg.col_types)
    if node.all and node.op != "union":
        return _all_rows(node, left, right, low)
    return sql.compound(node.op, left, right, all_rows=node.all)


def _select_from(body: Sql, node: SetOperationStmt, low: Lowering, types: list[int]) -> Sql:
    """SELECT c1 COLLATE ..., c2 ... FROM (body): an operand that SQLite takes in a compound.
    Columns of other types than the compound's are coerced (generate_setop_tlist)."""
    alias = low.new_alias("u")
    columns = []
    wanted = zip(node.col_types, node.col_collations, types, strict=True)
    for number, (type_oid, collid, own) in enumerate(wanted, 1):
        column = sql.column(alias, f"c{number}")
        if own != type_oid:
            column = coerced_column(column, own, type_oid, low)
        columns.append(sql.alias(low.comparable(column, type_oid, collid), f"c{number}"))
    return sql.select(columns or [sql.raw("1")], from_=sql.derived(body, alias))


def coerced_column(column: Sql, source: int, target: int, low: Lowering) -> Sql:
    """A column of one type as a value of the common type that analysis chose."""
    var = p.Var(1, 1, source)
    pstate = make_parsestate(None, low.catalog)
    coerced: p.Expr
    if source == UNKNOWNOID:  # a literal with COLLATE: its type's input function decides
        coerced = p.CoerceViaIO(var, target)
    else:
        coerced = coerce_to_common_type(pstate, var, target, "UNION/INTERSECT/EXCEPT")
    scope = Scope(Query("select"), [""], low, replaced={(1, 1): column})
    return lower(coerced, low, scope)


def _wrap(body: Sql, width: int, low: Lowering) -> Sql:
    alias = low.new_alias("u")
    columns = [sql.alias(sql.column(alias, f"c{n}"), f"c{n}") for n in range(1, width + 1)]
    return sql.select(columns or [sql.raw("1")], from_=sql.derived(body, alias))


def _all_rows(node: SetOperationStmt, left: Sql, right: Sql, low: Lowering) -> Sql:
    """INTERSECT ALL and EXCEPT ALL: number equal rows on both sides, so that the k-th copy of a
    row on one side meets the k-th on the other."""

    def numbered(body: Sql) -> Sql:
        alias = low.new_alias("u")
        columns = [
            low.comparable(sql.column(alias, f"c{n}"), type_oid, collid)
            for n, (type_oid, collid) in enumerate(
                zip(node.col_types, node.col_collations, strict=True), 1
            )
        ]
        number = sql.window(sql.func("row_number"), columns, [], "")
        outputs = [sql.alias(c, f"c{n}") for n, c in enumerate(columns, 1)]
        return sql.select([*outputs, sql.alias(number, "rn")], from_=sql.derived(body, alias))

    both = sql.compound(node.op, numbered(left), numbered(right), all_rows=False)
    return _wrap(both, len(node.col_types), low)


def _is_collatable(type_oid: int, low: Lowering) -> bool:
    row = low.catalog.one(PgType, oid=type_oid)
    return row is not None and row.typcollation != 0


def _order(query: Query, low: Lowering) -> list[Sql]:
    numbers = {
        t.ressortgroupref: n for n, t in enumerate(query.target_list, 1) if t.ressortgroupref
    }
    items = []
    for clause in query.sort_clause:
        number = numbers[clause.tle_sort_group_ref]
        key = _sort_key(sql.raw(str(number)), number, query, low)
        items.append(sql.ordered(key, clause.descending, clause.nulls_first))
    return items


def _sort_key(column: Sql, number: int, query: Query, low: Lowering) -> Sql:
    """column: the result's column with that number, or the number itself."""
    assert query.set_operations is not None
    type_oid = expr_type(query.target_list[number - 1].expr)
    collation = query.set_operations.col_collations[number - 1]
    if not collation and _is_collatable(type_oid, low):
        # the collations of the branches differ: found out when rows are compared
        column = sql.raw(f"c{number}")
        return sql.func(low.binder.special("no_collation"), column, column)
    return low.comparable(column, type_oid, collation)
