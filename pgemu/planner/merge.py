"""MERGE (PostgreSQL's parse_merge.c's transform_MERGE_to_join and ExecMerge's planning side).

Source and target are joined (outer, if there is a NOT MATCHED action); one select yields for each
row the target row's address, the number of the action to take, and the values of that action.
"""

from __future__ import annotations

from pgemu.nodes import primnodes as p
from pgemu.nodes.parsenodes import MergeAction, Query, RangeTblRef
from pgemu.planner import sql
from pgemu.planner.expressions import lower_qual
from pgemu.planner.fromclause import lower_entry, lower_from
from pgemu.planner.lowering import Lowering, Scope
from pgemu.planner.plan import MergeActionPlan, ModifyPlan
from pgemu.planner.sql import Sql


def lower_merge(query: Query, low: Lowering, scope: Scope, modify: ModifyPlan, prefix: str) -> None:
    from pgemu.planner.dml import lower_assigned, row_address, with_generated

    target_no = query.result_relation
    others = [
        item
        for item in query.jointree.fromlist
        if not (isinstance(item, RangeTblRef) and item.rtindex == target_no)
    ]
    from_, joins, _ = lower_from(others, low, scope)
    condition = lower_qual(query.jointree.quals, low, scope)
    outer = any(not action.matched for action in query.merge_action_list)
    target = lower_entry(target_no, low, scope)
    joins = [*joins, sql.join(target, "LEFT" if outer else "", condition or sql.integer(1))]
    address = row_address(query, low, scope)
    chosen = low.binder.special("noted")
    columns = [*address, sql.func(chosen, _choice(query, address[0], low, scope))]
    actions = []
    for number, action in enumerate(query.merge_action_list):
        insert = action.command_type == "insert"
        entries: list[p.TargetEntry] = []
        if action.command_type in ("insert", "update"):
            entries = with_generated(action.target_list, scope, insert=insert)
        values = lower_assigned(entries, low, scope)
        actions.append(
            MergeActionPlan(action.command_type, tuple(t.resno for t in entries), len(columns))
        )
        is_chosen = sql.binary("=", sql.func(chosen), sql.integer(number))
        columns += [sql.case([(is_chosen, value)], None) for value in values]
    modify.actions = tuple(actions)
    named = [sql.alias(c, f"c{n}") for n, c in enumerate(columns, 1)]
    outputs = [*named, *scope.pins]
    modify.source_sql = prefix + sql.render(sql.select(outputs, from_=from_, joins=joins))


def _choice(query: Query, rid: Sql, low: Lowering, scope: Scope) -> Sql:
    """CASE: the number of the first action that fits."""
    whens = []
    for number, action in enumerate(query.merge_action_list):
        whens.append((_fits(action, rid, low, scope), sql.integer(number)))
    return sql.case(whens, sql.integer(-1))


def _fits(action: MergeAction, rid: Sql, low: Lowering, scope: Scope) -> Sql:
    matched = sql.is_not(rid, sql.NULL) if action.matched else sql.binary("IS", rid, sql.NULL)
    qual = lower_qual(action.qual, low, scope)
    return matched if qual is None else sql.connect("and", [matched, qual])
