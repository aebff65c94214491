"""MERGE (PostgreSQL's parse_merge.c).

The target is range table entry 1, the source comes next; the join condition of target and source
is the query's jointree.quals (PostgreSQL 15 keeps it there until the planner builds the outer
join that NOT MATCHED needs).
"""

from __future__ import annotations

from typing import Any

from pgemu.errors import PgError
from pgemu.errors.codes import DUPLICATE_ALIAS, FEATURE_NOT_SUPPORTED, SYNTAX_ERROR
from pgemu.nodes.parsenodes import FromExpr, MergeAction, Query
from pgemu.nodes.primnodes import TargetEntry
from pgemu.parser.analyze import finish_query, transform_with_of
from pgemu.parser.analyze_dml import OVERRIDES, _InsertTargets, transform_update_target_list
from pgemu.parser.parse_clause import (
    set_target_table,
    transform_from_clause,
    transform_where_clause,
)
from pgemu.parser.parse_node import ParseExprKind, ParseNamespaceItem, ParseState
from pgemu.parser.parse_relation import scan_namespace_for_cte
from pgemu.parser.parse_target import transform_expression_list

K = ParseExprKind
RawNode = dict[str, Any]
_COMMANDS = {
    "CMD_INSERT": "insert",
    "CMD_UPDATE": "update",
    "CMD_DELETE": "delete",
    "CMD_NOTHING": "nothing",
}
_RELKINDS = {
    "v": "views",
    "m": "materialized views",
    "f": "foreign tables",
    "S": "sequences",
    "t": "TOAST tables",
}


def transform_merge_stmt(pstate: ParseState, stmt: RawNode) -> Query:
    """MERGE INTO ... USING ... ON ... WHEN ..."""
    from pgemu.parser.parse_collate import assign_query_collations

    query = Query("merge")
    transform_with_of(pstate, stmt, query)
    if stmt.get("withClause", {}).get("recursive"):
        raise PgError(SYNTAX_ERROR, "WITH RECURSIVE is not supported for MERGE statement")
    clauses = [c["MergeWhenClause"] for c in stmt["mergeWhenClauses"]]
    perms = _check_when_clauses(clauses)
    relation = stmt["relation"]
    if not relation.get("schemaname") and scan_namespace_for_cte(pstate, relation["relname"]):
        raise PgError(
            SYNTAX_ERROR,
            f'relation "{relation["relname"]}" cannot be the target of a modifying statement',
        )
    query.result_relation = set_target_table(
        pstate, relation, bool(relation.get("inh")), False, perms
    )
    _check_target(pstate)
    target = pstate.p_target_nsitem
    assert target is not None
    transform_from_clause(pstate, [stmt["sourceRelation"]])
    source = pstate.p_namespace[-1]
    if source.p_names.aliasname == target.p_names.aliasname:
        raise PgError(
            DUPLICATE_ALIAS,
            f'name "{target.p_names.aliasname}" specified more than once',
            detail="The name is used both as MERGE target table and data source.",
        )
    sources = list(pstate.p_namespace)
    _add_target(pstate, target)
    condition = transform_where_clause(
        pstate, stmt["joinCondition"], K.EXPR_KIND_JOIN_ON, "JOIN/ON"
    )
    for clause in clauses:
        query.merge_action_list.append(_transform_action(pstate, clause, target, sources))
    finish_query(pstate, query, condition)
    query.jointree = FromExpr(pstate.p_joinlist, condition)
    query.target_list = []
    assign_query_collations(pstate, query)
    return query


def _add_target(pstate: ParseState, target: ParseNamespaceItem) -> None:
    target.p_rel_visible = target.p_cols_visible = True
    target.p_lateral_only = False
    target.p_lateral_ok = True
    pstate.p_namespace.insert(0, target)


def _check_when_clauses(clauses: list[RawNode]) -> set[str]:
    """Unreachable WHEN clauses are errors; the privileges that the actions need."""
    terminal: set[bool] = set()
    perms: set[str] = set()
    for clause in clauses:
        matched = clause.get("matchKind") == "MERGE_WHEN_MATCHED"
        command = _COMMANDS[clause.get("commandType", "CMD_NOTHING")]
        if command != "nothing":
            perms.add(command.upper())
        if matched in terminal:
            raise PgError(
                SYNTAX_ERROR, "unreachable WHEN clause specified after unconditional WHEN clause"
            )
        if clause.get("condition") is None:
            terminal.add(matched)
    return perms


def _check_target(pstate: ParseState) -> None:
    rel = pstate.p_target_relation
    assert rel is not None
    if rel.relkind not in ("r", "p"):
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            f'cannot execute MERGE on relation "{rel.name}"',
            detail=f"This operation is not supported for {_RELKINDS.get(rel.relkind, 'it')}.",
        )
    if any(rule.ev_type != "1" for rule in rel.rules):
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            f'cannot execute MERGE on relation "{rel.name}"',
            detail="MERGE is not supported for relations with rules.",
        )


def _transform_action(
    pstate: ParseState,
    clause: RawNode,
    target: ParseNamespaceItem,
    sources: list[ParseNamespaceItem],
) -> MergeAction:
    matched = clause.get("matchKind") == "MERGE_WHEN_MATCHED"
    command = _COMMANDS[clause.get("commandType", "CMD_NOTHING")]
    # in NOT MATCHED there is no target row: its columns are not visible
    visible = matched
    target.p_rel_visible = target.p_cols_visible = visible
    qual = transform_where_clause(pstate, clause.get("condition"), K.EXPR_KIND_MERGE_WHEN, "WHEN")
    action = MergeAction(matched, command, qual)
    rte = target.p_rte
    if command == "insert":
        pstate.p_is_insert = True
        action.override = OVERRIDES[clause.get("override", "OVERRIDING_NOT_SET")]
        targets = _InsertTargets(pstate, clause.get("targetList", []))
        values = clause.get("values")
        if values:
            row = transform_expression_list(pstate, values, K.EXPR_KIND_VALUES_SINGLE, True)
            exprs = targets.row(row, False)
        else:
            exprs = []
        for expr, col, attrno in zip(exprs, targets.columns, targets.attrnos, strict=False):
            action.target_list.append(TargetEntry(expr, attrno, col["name"]))
            rte.inserted_cols.add(attrno)
    elif command == "update":
        pstate.p_is_insert = False
        pstate.p_next_resno = 1
        action.target_list = transform_update_target_list(pstate, clause["targetList"])
    return action
