"""User rules, CREATE RULE ... DO ALSO / DO INSTEAD (fireRules and rewriteRuleAction of
PostgreSQL's rewriteHandler.c).

A stored action is a Query whose range table starts with the entries OLD (1) and NEW (2).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pgemu.catalog.rows import PgRewrite
from pgemu.errors import PgError
from pgemu.errors.codes import FEATURE_NOT_SUPPORTED
from pgemu.nodes.parsenodes import JoinTreeNode, Query, RangeTblRef
from pgemu.nodes.primnodes import BooleanTest, Expr
from pgemu.rewrite.rewrite_manip import (
    add_qual,
    change_var_nodes,
    check_expr_has_sublink,
    copy_object,
    copy_stored,
    mutate_levels,
    offset_var_nodes,
    replace_vars_from_target_list,
)

if TYPE_CHECKING:
    from pgemu.catalog.relcache import Relation
    from pgemu.catalog.syscache import Catalog

OLD_VARNO, NEW_VARNO = 1, 2
BUILTIN_RULE = "SQL:CREATE RULE"
EVENTS = {"update": "2", "insert": "3", "delete": "4"}


@dataclass(slots=True)
class FiredRules:
    """products: the actions as queries; instead: the original is not run; qualified: what is run
    in its place when INSTEAD rules have conditions; returning: some action delivers RETURNING."""

    products: list[Query] = field(default_factory=list)
    instead: bool = False
    qualified: Query | None = None
    returning: bool = False


def decode_rule(catalog: Catalog, rule: PgRewrite) -> tuple[Expr | None, list[Query]]:
    """(condition, actions) of a rule."""
    if rule.ev_action.startswith(BUILTIN_RULE):
        return _builtin_rule(catalog, rule)
    qual = None
    if rule.ev_qual not in (None, "", "null", "<>"):
        qual = catalog.decode_node(rule.ev_qual, "expr", rule.ev_class)
    decoded = catalog.decode_node(rule.ev_action, "query", rule.ev_class)
    if decoded is None:
        return qual, []
    return qual, decoded if isinstance(decoded, list) else [decoded]


def _builtin_rule(catalog: Catalog, rule: PgRewrite) -> tuple[Expr | None, list[Query]]:
    """The rules of pg_settings are kept as the text of their commands."""
    from pgemu.parser.parse_rule import transform_rule_stmt
    from pgemu.parser.parser import raw_parser

    text = rule.ev_action.removeprefix("SQL:")
    stmt = raw_parser(text)[0].node["RuleStmt"]
    return transform_rule_stmt(catalog, catalog.relation(rule.ev_class), stmt, text)


def fire_rules(catalog: Catalog, query: Query, relation: Relation) -> FiredRules:
    """What the relation's rules make of the statement; its owner's privileges count in them."""
    from pgemu.rewrite.rewrite_handler import set_rule_check_as_user

    fired = FiredRules()
    event = EVENTS.get(query.command_type)
    replica = str(catalog.guc.values["session_replication_role"]) == "replica"
    enabled = ("R", "A") if replica else ("O", "A")
    rules = [r for r in relation.rules if r.ev_type == event and r.ev_enabled in enabled]
    for rule in rules:
        qual, actions = decode_rule(catalog, rule)
        if rule.is_instead:
            if qual is None:
                fired.instead = True
            elif not fired.instead:
                if fired.qualified is None:
                    fired.qualified = copy_object(query)
                _add_inverted_qual(fired.qualified, qual)
        for action in actions:
            if action.command_type == "utility" and action.utility_stmt is None:
                continue
            mine = copy_stored(action), copy_stored(qual)
            set_rule_check_as_user(mine, relation.owner)
            product = _rewrite_rule_action(query, *mine, fired)
            product.can_set_tag = False
            product.query_source = _query_source(rule, qual)
            fired.products.append(product)
    if fired.instead:
        fired.qualified = None
    return fired


def _query_source(rule: PgRewrite, qual: Expr | None) -> str:
    if not rule.is_instead:
        return "non_instead_rule"
    return "instead_rule" if qual is None else "qual_instead_rule"


def _rule_references(query: Query, node: Any, new_varno: int, rtable: list[Any]) -> Any:
    """NEW's columns become the statement's source expressions."""
    if query.command_type not in ("insert", "update"):
        return node
    update = query.command_type == "update"
    holder = [node]
    replace_vars_from_target_list(
        holder if not isinstance(node, Query) else node,
        new_varno,
        rtable[new_varno - 1],
        query.target_list,
        "change_varno" if update else "null",
        query.result_relation,
    )
    return holder[0]


def _add_inverted_qual(query: Query, qual: Expr) -> None:
    inverted: Any = [copy_stored(qual)]
    offset = len(query.rtable)
    offset_var_nodes(inverted, offset)
    change_var_nodes(inverted, OLD_VARNO + offset, query.result_relation)
    target = query.rtable[query.result_relation - 1]
    rtable = [*query.rtable, target, target]
    node = _rule_references(query, inverted[0], NEW_VARNO + offset, rtable)
    add_qual(query, BooleanTest(node, "is_not_true"))


def _uses(node: Any, rt_index: int) -> bool:
    from pgemu.nodes.primnodes import Var

    found = False

    def visit(n: Any, level: int) -> Any:
        nonlocal found
        if (isinstance(n, Var) and n.varno == rt_index and n.varlevelsup == level) or (
            isinstance(n, RangeTblRef) and level == 0 and n.rtindex == rt_index
        ):
            found = True
        return None

    mutate_levels(node, visit)
    return found


def _insert_select(action: Query) -> Query:
    """The SELECT of an INSERT ... SELECT action that refers to OLD or NEW, else the action."""
    if action.command_type != "insert":
        return action
    for item in action.jointree.fromlist:
        if isinstance(item, RangeTblRef):
            sub = action.rtable[item.rtindex - 1].subquery
            if (
                sub is not None
                and len(sub.rtable) >= 2
                and sub.rtable[0].eref.aliasname == "old"
                and sub.rtable[1].eref.aliasname == "new"
            ):
                return sub
    return action


def _rewrite_rule_action(
    query: Query, action: Query, qual: Expr | None, fired: FiredRules
) -> Query:
    rt_index = query.result_relation
    offset = len(query.rtable)
    if action.command_type == "utility":
        return action
    sub = _insert_select(action)
    quals: Any = [qual]
    offset_var_nodes(sub, offset)
    offset_var_nodes(quals, offset)
    change_var_nodes(sub, OLD_VARNO + offset, rt_index)
    change_var_nodes(quals, OLD_VARNO + offset, rt_index)
    sub.rtable = copy_object(query.rtable) + sub.rtable
    for rte in sub.rtable[:offset]:
        # the statement itself checks these
        rte.required_perms = set(rte.required_perms)
    keep = not _uses(sub.jointree, rt_index) and (
        _uses(quals, rt_index) or _uses(query.jointree.quals, rt_index)
    )
    fromlist: list[JoinTreeNode] = [
        item
        for item in copy_object(query.jointree.fromlist)
        if keep or not (isinstance(item, RangeTblRef) and item.rtindex == rt_index)
    ]
    sub.jointree.fromlist = fromlist + sub.jointree.fromlist
    if query.cte_list:
        if query.has_modifying_cte:
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                "rules on a statement with data-modifying WITH items are not supported",
            )
        sub.cte_list = copy_object(query.cte_list) + sub.cte_list
    add_qual(sub, quals[0])
    add_qual(sub, query.jointree.quals)
    _rule_references(query, sub, NEW_VARNO + offset, sub.rtable)
    sub.has_sublinks = sub.has_sublinks or check_expr_has_sublink(
        [sub.target_list, sub.jointree.quals]
    )
    if not query.returning_list:
        action.returning_list = []
    elif action.returning_list:
        if fired.returning:
            raise PgError(FEATURE_NOT_SUPPORTED, "cannot have RETURNING lists in multiple rules")
        fired.returning = True
        returning = copy_object(query.returning_list)
        replace_vars_from_target_list(
            returning,
            query.result_relation,
            query.rtable[query.result_relation - 1],
            action.returning_list,
        )
        action.returning_list = returning
    return action
