"""Sub-queries with FOR UPDATE and its kin (PostgreSQL's LockRows node below the top of a plan).

Such a sub-query becomes a table-valued function that runs a statement of its own, as LATERAL ones
do, and locks the rows as they are asked for.
"""

from __future__ import annotations

from pgemu.nodes.parsenodes import Query
from pgemu.planner import sql
from pgemu.planner.lowering import Lowering, Scope
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
