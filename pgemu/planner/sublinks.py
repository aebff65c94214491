"""Sub-selects in expressions (PostgreSQL's SubLink and subselect.c)."""

from __future__ import annotations

from pgemu.errors import FEATURE_NOT_SUPPORTED, PgError
from pgemu.nodes import expr_type
from pgemu.nodes import primnodes as p
from pgemu.nodes.parsenodes import Query
from pgemu.planner import sql
from pgemu.planner.comparison import collated, native_comparison
from pgemu.planner.existssets import exists_by_set
from pgemu.planner.expressions import handler, lower
from pgemu.planner.lowering import Lowering, Scope, type_infos
from pgemu.planner.select import lower_query
from pgemu.planner.sql import Sql


@handler(p.SubLink)
def lower_sublink(node: p.SubLink, low: Lowering, scope: Scope) -> Sql:
    if node.sublinktype == "exists":
        by_set = exists_by_set(node.subselect, low, scope)
        if by_set is not None:
            return by_set
        return sql.exists(lower_query(node.subselect, low, scope))
    if node.sublinktype == "expr":
        return _lower_scalar(node, low, scope)
    if node.sublinktype == "array":
        return _lower_array(node, low, scope)
    if node.sublinktype in ("any", "all"):
        return _lower_quantified(node, low, scope)
    if node.sublinktype == "rowcompare":
        return _lower_row_compare(node, low, scope)
    raise PgError(FEATURE_NOT_SUPPORTED, f"{node.sublinktype} sub-select is not supported yet")


def returns_one_row(query: Query) -> bool:
    """At most one row, whatever the data: no check is needed."""
    if query.set_operations is not None or query.has_target_srfs:
        return False
    if query.has_aggs and not query.group_clause and not query.grouping_sets:
        return True
    if isinstance(query.limit_count, p.Const) and query.limit_count.value == 1:
        low_location = query.limit_count.literal_location
        return low_location is None
    return not query.jointree.fromlist


def _lower_scalar(node: p.SubLink, low: Lowering, scope: Scope) -> Sql:
    if returns_one_row(node.subselect) and sum(not t.resjunk for t in node.subselect.target_list):
        return sql.scalar(lower_query(node.subselect, low, scope))
    return scalar_column(node, 1, low, scope)


def scalar_column(node: p.SubLink, column: int, low: Lowering, scope: Scope) -> Sql:
    """One column of a sub-select that may return one row at most."""
    body = lower_query(node.subselect, low, scope)
    alias = low.new_alias("q")
    single = sql.func(low.binder.special("single_row"), sql.column(alias, f"c{column}"))
    return sql.scalar(sql.select([single], from_=sql.derived(body, alias)))


def _lower_array(node: p.SubLink, low: Lowering, scope: Scope) -> Sql:
    body = lower_query(node.subselect, low, scope)
    if node.subselect.sort_clause and not body.limit:
        # an ORDER BY inside counts here: a LIMIT keeps SQLite from dropping it
        sql.add_tail(body, limit=sql.integer(-1))
    alias = low.new_alias("q")
    element = next(t for t in node.subselect.target_list if not t.resjunk)
    name = low.binder.special("array_sublink", expr_type(element.expr))
    call = sql.func(name, sql.column(alias, "c1"))
    return sql.scalar(sql.select([call], from_=sql.derived(body, alias)))


def _sublink_test(node: p.SubLink, low: Lowering, scope: Scope, alias: str) -> Sql:
    """The test expression with the sub-select's columns read from alias."""
    assert node.testexpr is not None
    saved = scope.sublink_columns
    count = sum(1 for t in node.subselect.target_list if not t.resjunk)
    scope.sublink_columns = [sql.column(alias, f"c{n}") for n in range(1, count + 1)]
    test = lower(node.testexpr, low, scope)
    scope.sublink_columns = saved
    return test


def _lower_quantified(node: p.SubLink, low: Lowering, scope: Scope) -> Sql:
    """x = ANY (SELECT) is IN; other tests ask for a true (ANY) or false (ALL) row, then for a
    NULL one, which is what the three-valued logic of ANY and ALL comes to."""
    test = node.testexpr
    wanted = "=" if node.sublinktype == "any" else "<>"
    tests: list[p.Expr | None] = [test]
    if isinstance(test, p.BoolExpr) and test.boolop == ("and" if wanted == "=" else "or"):
        tests = list(test.args)
    left = [_in_column(one, number, wanted, low, scope) for number, one in enumerate(tests, 1)]
    columns = [column for column in left if column is not None]
    if len(columns) < len(tests):
        return _quantified_by_exists(node, low, scope)
    row = columns[0] if len(columns) == 1 else sql.row(columns)
    found = sql.in_query(row, lower_query(node.subselect, low, scope))
    return found if node.sublinktype == "any" else sql.not_(found)


def _in_column(
    test: p.Expr | None, number: int, wanted: str, low: Lowering, scope: Scope
) -> Sql | None:
    """The left side of one column of a test that IN makes; None if it is another test."""
    if not isinstance(test, p.OpExpr) or len(test.args) != 2:
        return None
    right = test.args[1]
    while isinstance(right, p.RelabelType):
        right = right.arg
    if not isinstance(right, p.Param) or right.paramkind != "sublink" or right.paramid != number:
        return None
    native = native_comparison(test.opno, test.args, low, test.inputcollid)
    if native is None or native[0] != wanted:
        return None
    tested = lower(test.args[0], low, scope)
    return collated(tested, tested, native[1])


def _quantified_by_exists(node: p.SubLink, low: Lowering, scope: Scope) -> Sql:
    alias = low.new_alias("q")
    decisive = node.sublinktype == "any"

    def some_row(want_null: bool) -> Sql:
        body = lower_query(node.subselect, low, scope)
        test = _sublink_test(node, low, scope, alias)
        if want_null:
            condition = sql.binary("IS", test, sql.NULL)
        else:
            condition = sql.binary("IS", test, sql.integer(int(decisive)))
        return sql.exists(
            sql.select([sql.integer(1)], from_=sql.derived(body, alias), where=condition)
        )

    return sql.case(
        [(some_row(False), sql.integer(int(decisive))), (some_row(True), sql.NULL)],
        sql.integer(int(not decisive)),
    )


def _lower_row_compare(node: p.SubLink, low: Lowering, scope: Scope) -> Sql:
    body = lower_query(node.subselect, low, scope)
    alias = low.new_alias("q")
    test = _sublink_test(node, low, scope, alias)
    single = sql.func(low.binder.special("single_row"), test)
    return sql.scalar(sql.select([single], from_=sql.derived(body, alias)))


__all__ = ["lower_sublink", "returns_one_row", "type_infos"]
