"""CREATE RULE's condition and actions (transformRuleStmt of PostgreSQL's parse_utilcmd.c).

In every action's range table OLD is entry 1 and NEW is entry 2, of the table that the rule is on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pgemu.catalog.relcache import Relation
from pgemu.errors import FEATURE_NOT_SUPPORTED, INVALID_OBJECT_DEFINITION, PgError
from pgemu.nodes.parsenodes import Alias, Query, RangeTblRef
from pgemu.nodes.primnodes import Expr, Var
from pgemu.nodes.walk import children
from pgemu.parser.analyze import transform_stmt
from pgemu.parser.parse_clause import transform_where_clause
from pgemu.parser.parse_collate import assign_expr_collations
from pgemu.parser.parse_node import (
    ParseExprKind,
    ParseNamespaceItem,
    ParseState,
    make_parsestate,
)
from pgemu.parser.parse_rte import add_nsitem_to_query, add_range_table_entry_for_relation

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog

OLD_VARNO, NEW_VARNO = 1, 2
_QUERY_TAGS = ("SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt")
# event -> which of OLD and NEW are visible
_VISIBLE = {
    "CMD_SELECT": (True, False),
    "CMD_UPDATE": (True, True),
    "CMD_INSERT": (False, True),
    "CMD_DELETE": (True, False),
}


def transform_rule_stmt(
    catalog: Catalog, relation: Relation, stmt: dict[str, Any], source_text: str
) -> tuple[Expr | None, list[Query]]:
    """(condition, actions); no actions: DO INSTEAD NOTHING and its kin."""
    if relation.relkind == "m":
        raise PgError(FEATURE_NOT_SUPPORTED, "rules on materialized views are not supported")
    event = stmt["event"]
    pstate = make_parsestate(None, catalog, source_text)
    _add_old_new(pstate, relation, event)
    qual = transform_where_clause(
        pstate, stmt.get("whereClause"), ParseExprKind.EXPR_KIND_WHERE, "WHERE"
    )
    if qual is not None:
        assign_expr_collations(pstate, qual)
    if len(pstate.p_rtable) != 2:
        raise PgError(
            INVALID_OBJECT_DEFINITION,
            "rule WHERE condition cannot contain references to other relations",
        )
    actions = []
    for raw in stmt.get("actions", ()):
        if raw:
            actions.append(_transform_action(catalog, relation, event, qual, raw, source_text))
    return qual, actions


def _add_old_new(pstate: ParseState, relation: Relation, event: str | None) -> ParseNamespaceItem:
    """OLD and NEW in the range table.  A condition sees those of the event, with their columns;
    an action (event None) may name both.  The result is OLD's entry."""
    items = []
    for name, visible in zip(
        ("old", "new"), _VISIBLE[event] if event else (True, True), strict=True
    ):
        item = add_range_table_entry_for_relation(pstate, relation, Alias(name), False, False)
        item.p_rte.required_perms = set()
        if visible:
            add_nsitem_to_query(pstate, item, False, True, event is not None)
        items.append(item)
    return items[0]


def _transform_action(
    catalog: Catalog,
    relation: Relation,
    event: str,
    qual: Expr | None,
    raw: dict[str, Any],
    source_text: str,
) -> Query:
    pstate = make_parsestate(None, catalog, source_text)
    old = _add_old_new(pstate, relation, None)
    top = transform_stmt(pstate, raw)
    if qual is not None and top.command_type == "utility":
        raise PgError(
            INVALID_OBJECT_DEFINITION,
            "rules with WHERE conditions can only have SELECT, INSERT, UPDATE, or DELETE actions",
        )
    sub = get_insert_select_query(top)
    if sub.set_operations is not None and qual is not None:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "conditional UNION/INTERSECT/EXCEPT statements are not implemented",
        )
    has_old = _used(sub, OLD_VARNO) or _used(qual, OLD_VARNO)
    has_new = _used(sub, NEW_VARNO) or _used(qual, NEW_VARNO)
    _check_old_new(event, has_old, has_new)
    if top.command_type != "utility" and top.cte_list:
        _check_with(top)
    if has_old or (has_new and event == "CMD_UPDATE"):
        if sub.set_operations is not None:
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                "conditional UNION/INTERSECT/EXCEPT statements are not implemented",
            )
        sub.jointree.fromlist.append(RangeTblRef(old.p_rtindex))
    return top


def get_insert_select_query(query: Query) -> Query:
    """getInsertSelectQuery: the SELECT of an INSERT ... SELECT that holds OLD and NEW."""
    if query.command_type != "insert":
        return query
    for item in query.jointree.fromlist:
        if isinstance(item, RangeTblRef):
            sub = query.rtable[item.rtindex - 1].subquery
            if (
                sub is not None
                and len(sub.rtable) >= 2
                and [r.eref.aliasname for r in sub.rtable[:2]] == ["old", "new"]
            ):
                return sub
    return query


def _check_old_new(event: str, has_old: bool, has_new: bool) -> None:
    word = event.removeprefix("CMD_")
    refused = {
        "CMD_SELECT": (has_old, has_new),
        "CMD_INSERT": (has_old, False),
        "CMD_DELETE": (False, has_new),
    }.get(event, (False, False))
    for name, used in zip(("OLD", "NEW"), refused, strict=True):
        if used:
            raise PgError(INVALID_OBJECT_DEFINITION, f"ON {word} rule cannot use {name}")


def _check_with(query: Query) -> None:
    for name, varno in (("OLD", OLD_VARNO), ("NEW", NEW_VARNO)):
        if any(_used(cte.ctequery, varno, 1) for cte in query.cte_list):
            raise PgError(FEATURE_NOT_SUPPORTED, f"cannot refer to {name} within WITH query")


def _used(node: Any, varno: int, level: int = 0) -> bool:
    """rangeTableEntry_used: does a Var below refer to the entry of the level?"""
    if node is None:
        return False
    if isinstance(node, Var):
        return node.varno == varno and node.varlevelsup == level
    if isinstance(node, RangeTblRef):
        return level == 0 and node.rtindex == varno
    for child in children(node):
        deeper = level + 1 if isinstance(child, Query) else level
        if _used(child, varno, deeper):
            return True
    return False
