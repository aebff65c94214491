"""Sub-queries with FOR UPDATE and its kin (PostgreSQL's LockRows node below the top of a plan).

Such a sub-query becomes a table-valued function that runs a statement of its own, as LATERAL ones
do, and locks the rows as they are asked for.  Which tables may be locked is checked here, too.

LIMIT and OFFSET count rows that have been locked: rows that are skipped by OFFSET are locked, and
for a row that turns out to be gone, or not to match any more, there comes another one.  SQLite
cannot do that, so there is a variant of the statement without them, with what they ask for as
further output columns.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pgemu.errors import FEATURE_NOT_SUPPORTED, PgError
from pgemu.nodes import expr_type
from pgemu.nodes import primnodes as p
from pgemu.nodes.parsenodes import JoinExpr, JoinTreeNode, Query
from pgemu.planner import sql
from pgemu.planner.expressions import lower
from pgemu.planner.lowering import Lowering, Scope
from pgemu.planner.nonnullable import nonnullable_rels
from pgemu.planner.plan import RowLimit
from pgemu.planner.sql import Sql


def lower_locked(query: Query, low: Lowering, parent: Scope | None) -> Sql:
    from pgemu.planner.planner import _plan_select

    child = low.sub_statement()
    plan = _plan_select(query, child, child.new_scope(query, parent))
    plan.params = tuple(child.params)
    plan.relations = tuple((oid, name, n) for oid, (name, n) in child.relations.items())
    plan.used_literals = frozenset(child.used_literals)
    plan.query, plan.outer = query, parent
    plan.volatile = child.may_write
    low.volatile = low.may_write = True
    args = [low.bind_for_caller(source) for source in child.params]
    width = len(plan.columns)
    name = low.binder.locked_rows(plan, width)
    alias = low.new_alias("k")
    columns = [sql.alias(sql.column(alias, f"c{n}"), f"c{n}") for n in range(1, width + 1)]
    return sql.select(
        columns or [sql.alias(sql.integer(1), "c0")], from_=sql.table_function(name, args, alias)
    )


def without_limit(query: Query) -> Query:
    return replace(query, limit_count=None, limit_offset=None, limit_option="count")


def locks_beyond_limit(query: Query) -> bool:
    """More rows are locked than are returned."""
    offset = query.limit_offset
    null = offset is None or (isinstance(offset, p.Const) and offset.value is None)
    return query.limit_option == "with_ties" or not null


def add_row_limit(query: Query, body: Any, low: Lowering, scope: Scope) -> RowLimit:
    """What LIMIT and OFFSET ask for as further output columns."""
    from pgemu.planner.select import limit_offset

    first = len(body.expressions)
    limit, offset = limit_offset(query, low, scope)
    null = sql.raw("NULL")
    body.expressions.append(sql.alias(null if limit is None else limit, "l1"))
    body.expressions.append(sql.alias(null if offset is None else offset, "l2"))
    if query.limit_option != "with_ties":
        return RowLimit(first, first + 1, -1)
    by_ref = {t.ressortgroupref: t.expr for t in query.target_list if t.ressortgroupref}
    order = []
    for clause in query.sort_clause:
        expr = by_ref[clause.tle_sort_group_ref]
        key = low.comparable(lower(expr, low, scope), expr_type(expr))
        order.append(sql.ordered(key, clause.descending, clause.nulls_first))
    rank = sql.window(sql.func("rank"), [], order, "")
    body.expressions.append(sql.alias(rank, "l3"))
    return RowLimit(first, first + 1, first + 2)


_NAMES = {
    "forkeyshare": "FOR KEY SHARE",
    "forshare": "FOR SHARE",
    "fornokeyupdate": "FOR NO KEY UPDATE",
    "forupdate": "FOR UPDATE",
}


def check_row_marks(query: Query, low: Lowering) -> None:
    """make_outerjoininfo: a row that may be missing cannot be locked."""
    strict = nonnullable_rels(query.jointree.quals, low)
    nullable: set[int] = set()
    for item in query.jointree.fromlist:
        _relations(item, strict, nullable, low)
    for mark in query.row_marks:
        if mark.rti in nullable:
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                f"{_NAMES[mark.strength]} cannot be applied to the nullable side of an outer join",
            )


def _relations(node: JoinTreeNode, strict: set[int], nullable: set[int], low: Lowering) -> set[int]:
    """The range table indexes below node; those of nullable sides go to `nullable`.  A condition
    that no row of NULLs meets makes an outer join an inner one (reduce_outer_joins)."""
    if not isinstance(node, JoinExpr):
        return {node.rtindex}
    kept = node.jointype
    if kept == "inner":
        strict = strict | nonnullable_rels(node.quals, low)
    left = _relations(node.larg, strict, nullable, low)
    right = _relations(node.rarg, strict, nullable, low)
    if kept in ("left", "full") and not right & strict:
        nullable |= right
    if kept in ("right", "full") and not left & strict:
        nullable |= left
    return left | right
