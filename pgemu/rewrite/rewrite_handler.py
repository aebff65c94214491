"""query_rewrite: what a statement really does (PostgreSQL's rewriteHandler.c).

In two steps: rewrite_query completes target lists, applies rules and sends changes of simple
views on to their tables; fire_rir_rules then puts the queries of views where views are read.  A
query that needs neither is returned as it is, otherwise a copy is changed.

An expanded view stays recognizable: its entry is of kind "subquery" but keeps relid and relkind,
so that privileges on the view are checked; entries inside it have check_as_user set to the view's
owner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pgemu.catalog.rows import PgClass
from pgemu.errors import PgError
from pgemu.errors.codes import (
    FEATURE_NOT_SUPPORTED,
    INVALID_OBJECT_DEFINITION,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    WRONG_OBJECT_TYPE,
)
from pgemu.nodes.nodefuncs import expr_collation, expr_type, expr_typmod
from pgemu.nodes.parsenodes import FromExpr, JoinExpr, Query, RangeTblEntry, RangeTblRef
from pgemu.nodes.primnodes import SubLink, TargetEntry, Var
from pgemu.nodes.walk import node_fields
from pgemu.rewrite.rewrite_manip import (
    change_var_nodes,
    copy_object,
    copy_stored,
    field_names,
)
from pgemu.rewrite.rewrite_target import (
    rewrite_target_list_iu,
    rewrite_values_rte,
    values_rte_to_nulls,
    values_source,
)

if TYPE_CHECKING:
    from pgemu.catalog.relcache import Relation
    from pgemu.catalog.syscache import Catalog

MAX_REWRITE_DEPTH = 100
FIRST_NORMAL_OBJECT_ID = 16384


def query_rewrite(query: Query, catalog: Catalog) -> list[Query]:
    """The queries to run instead of an analyzed one, in order; exactly one of them, if any of
    its kind, sets the command tag."""
    from pgemu.rewrite.permissions import check_permissions

    if query.command_type == "utility":
        return [query]
    if query.command_type == "select" and not query.has_modifying_cte:
        if not _needs_rewrite(catalog, query):
            results = [query]
        else:
            results = [fire_rir_rules(catalog, copy_object(query), ())]
    else:
        products = rewrite_query(catalog, copy_object(query), ())
        results = [fire_rir_rules(catalog, q, ()) for q in products]
        _set_tags(query, results)
    check_permissions(catalog, results)
    return results


def _set_tags(original: Query, results: list[Query]) -> None:
    """The tag comes from the original query if it is among the results, else from the last of
    the same kind that an INSTEAD rule put in its place."""
    if any(q.query_source == "original" for q in results):
        return
    last: Query | None = None
    for q in results:
        if q.command_type == original.command_type and q.query_source in (
            "instead_rule",
            "qual_instead_rule",
        ):
            last = q
    if last is not None:
        last.can_set_tag = True


def _needs_rewrite(catalog: Catalog, query: Query) -> bool:
    """Whether a view, or a table with row security, is read anywhere in the query."""
    for rte in query.rtable:
        if rte.rtekind == "relation":
            if rte.relkind in "vm" or catalog.relation(rte.relid).has_rls:
                return True
        elif (rte.subquery is not None and _needs_rewrite(catalog, rte.subquery)) or (
            rte.rtekind in ("function", "values", "tablefunc")
            and _sublink_needs(catalog, [rte.functions, rte.values_lists, rte.tablefunc])
        ):
            return True
    if any(_needs_rewrite(catalog, cte.ctequery) for cte in query.cte_list):
        return True
    if not query.has_sublinks:
        return False
    return any(
        _sublink_needs(catalog, getattr(query, name))
        for name in node_fields(Query) or ()
        if name not in ("rtable", "cte_list")
    )


def _sublink_needs(catalog: Catalog, node: Any) -> bool:
    kind = type(node)
    if kind is list or kind is tuple:
        return any(item is not None and _sublink_needs(catalog, item) for item in node)
    if kind is SubLink and _needs_rewrite(catalog, node.subselect):
        return True
    for name in node_fields(kind) or ():
        value = getattr(node, name)
        if value is not None and _sublink_needs(catalog, value):
            return True
    return False


# ----------------------------------------------------------------------------- reading


def fire_rir_rules(catalog: Catalog, query: Query, active: tuple[int, ...]) -> Query:
    """Put the queries of views, and the conditions of row security, into a query.  In place."""
    from pgemu.rewrite.row_security import apply_row_security

    for rt_index, rte in enumerate(list(query.rtable), 1):
        if rte.rtekind == "subquery" and rte.subquery is not None:
            rte.subquery = fire_rir_rules(catalog, rte.subquery, active)
        elif rte.rtekind == "relation" and rte.relkind == "v":
            if rt_index == query.result_relation and query.command_type == "insert":
                continue
            _apply_retrieve_rule(catalog, query, rte, rt_index, active)
        elif rte.rtekind == "relation" and rte.relkind in ("m", "S"):
            if any(mark.rti == rt_index for mark in query.row_marks):
                word = "materialized view" if rte.relkind == "m" else "sequence"
                name = catalog.relation(rte.relid).name
                raise PgError(WRONG_OBJECT_TYPE, f'cannot lock rows in {word} "{name}"')
            _check_populated(catalog, rte.relid)
    for cte in query.cte_list:
        cte.ctequery = fire_rir_rules(catalog, cte.ctequery, active)
    _fire_in_sublinks(catalog, query, active)
    apply_row_security(catalog, query, active)
    return query


def _check_populated(catalog: Catalog, relid: int) -> None:
    """PostgreSQL's executor does this (ExecOpenScanRelation)."""
    row = catalog.one(PgClass, oid=relid)
    if row is not None and not row.relispopulated:
        raise PgError(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            f'materialized view "{row.relname}" has not been populated',
            hint="Use the REFRESH MATERIALIZED VIEW command.",
        )


def _fire_in_sublinks(catalog: Catalog, query: Query, active: tuple[int, ...]) -> None:
    def visit(node: Any) -> None:
        kind = type(node)
        if kind is list or kind is tuple:
            for item in node:
                if item is not None:
                    visit(item)
            return
        if kind is SubLink:
            node.subselect = fire_rir_rules(catalog, node.subselect, active)
            visit(node.testexpr)
            return
        if kind is Query:
            return
        for name in node_fields(kind) or ():
            value = getattr(node, name)
            if value is not None:
                visit(value)

    for name in node_fields(Query) or ():
        if name == "rtable":
            for rte in query.rtable:
                # values without sub-queries, which the analyzer has noted, may be very many
                values = rte.values_lists if query.has_sublinks else []
                visit([rte.functions, values, rte.joinaliasvars, rte.tablesample, rte.tablefunc])
        elif name != "cte_list":
            visit(getattr(query, name))


def _apply_retrieve_rule(
    catalog: Catalog, query: Query, rte: RangeTblEntry, rt_index: int, active: tuple[int, ...]
) -> None:
    """ApplyRetrieveRule: the view's entry becomes the sub-query it stands for."""
    relation = catalog.relation(rte.relid)
    refuse_restricted(catalog, relation, "view")
    if relation.oid in active:
        raise PgError(
            INVALID_OBJECT_DEFINITION,
            f'infinite recursion detected in rules for relation "{relation.name}"',
        )
    action = copy_stored(relation.view_query)
    if action is None:
        raise PgError("XX000", f'no SELECT rule found for view "{relation.name}"')
    if rt_index == query.result_relation:
        _keep_target(query, rte, rt_index, relation)
    set_rule_check_as_user(action, view_check_user(relation))
    _push_row_marks(query, rt_index, action)
    action = fire_rir_rules(catalog, action, (*active, relation.oid))
    rte.rtekind = "subquery"
    rte.subquery = action
    rte.security_barrier = is_security_barrier(relation)
    rte.inh = False
    rte.tablesample = None
    targets = [t for t in action.target_list if not t.resjunk]
    rte.coltypes = [expr_type(t.expr) for t in targets]
    rte.coltypmods = [expr_typmod(t.expr) for t in targets]
    rte.colcollations = [expr_collation(t.expr) for t in targets]


def refuse_restricted(catalog: Catalog, relation: Relation, kind: str) -> None:
    """restrict_nonsystem_relation_kind: dumps must not run what others have planted."""
    if relation.oid < FIRST_NORMAL_OBJECT_ID or catalog.guc is None:
        return
    kinds = str(catalog.guc.values["restrict_nonsystem_relation_kind"])
    if kinds and kind in [one.strip().lower() for one in kinds.split(",")]:
        word = kind.replace("-", " ")
        raise PgError(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            f'access to non-system {word} "{relation.name}" is restricted',
        )


def _keep_target(query: Query, rte: RangeTblEntry, rt_index: int, relation: Relation) -> None:
    """UPDATE or DELETE of a view with an INSTEAD OF trigger: the view is read through its query
    and stays the target as an entry of its own; the trigger gets the old row as "wholerow"."""
    target = copy_object(rte)
    query.rtable.append(target)
    query.result_relation = len(query.rtable)
    rte.required_perms = set()
    rte.selected_cols, rte.inserted_cols, rte.updated_cols = set(), set(), set()
    if query.command_type in ("update", "delete"):
        var = Var(rt_index, 0, relation.type_oid)
        resno = 1 + max((t.resno for t in query.target_list), default=len(relation.attrs))
        query.target_list.append(TargetEntry(var, resno, "wholerow", resjunk=True))
    change_var_nodes(query.returning_list, rt_index, query.result_relation)


def is_security_barrier(relation: Relation) -> bool:
    """The view's option security_barrier."""
    return relation.options.get("security_barrier") in ("true", "on", "1", "yes")


def view_check_user(relation: Relation) -> int:
    """Whose privileges count inside the view: its owner's (0: those of the invoker)."""
    if relation.options.get("security_invoker") in ("true", "on", "1", "yes"):
        return 0
    return relation.owner


def set_rule_check_as_user(node: Any, user: int) -> None:
    """Every relation below is accessed with the privileges of `user`."""
    if isinstance(node, (list, tuple)):
        for item in node:
            set_rule_check_as_user(item, user)
        return
    if isinstance(node, RangeTblEntry) and node.rtekind == "relation":
        node.check_as_user = user
    for name in field_names(type(node)):
        value = getattr(node, name)
        if isinstance(value, (list, tuple)) or field_names(type(value)):
            set_rule_check_as_user(value, user)


def _push_row_marks(query: Query, rt_index: int, action: Query) -> None:
    """FOR UPDATE of a view locks the rows of what the view reads (markQueryForLocking)."""
    for mark in query.row_marks:
        if mark.rti == rt_index:
            _mark_for_locking(action, action.jointree, mark.strength, mark.wait_policy)


def _mark_for_locking(query: Query, node: Any, strength: str, policy: str) -> None:
    from pgemu.parser.analyze import apply_locking_clause

    if isinstance(node, RangeTblRef):
        rte = query.rtable[node.rtindex - 1]
        if rte.rtekind == "relation":
            apply_locking_clause(query, node.rtindex, strength, policy, True)
            rte.required_perms.add("UPDATE")
        elif rte.rtekind == "subquery" and rte.subquery is not None:
            apply_locking_clause(query, node.rtindex, strength, policy, True)
            _mark_for_locking(rte.subquery, rte.subquery.jointree, strength, policy)
    elif isinstance(node, FromExpr):
        for item in node.fromlist:
            _mark_for_locking(query, item, strength, policy)
    elif isinstance(node, JoinExpr):
        _mark_for_locking(query, node.larg, strength, policy)
        _mark_for_locking(query, node.rarg, strength, policy)


# ----------------------------------------------------------------------------- changing


def rewrite_query(
    catalog: Catalog, query: Query, events: tuple[tuple[int, str], ...]
) -> list[Query]:
    """RewriteQuery: complete the target list, apply rules, go through simple views.  In place;
    the result may be several queries, or none."""
    from pgemu.rewrite.rewrite_rules import FiredRules, fire_rules
    from pgemu.rewrite.rewrite_view import (
        error_view_not_updatable,
        rewrite_target_view,
        view_has_instead_trigger,
    )

    _rewrite_ctes(catalog, query, events)
    command = query.command_type
    if command in ("select", "utility"):
        return [query]
    relation = catalog.relation(query.rtable[query.result_relation - 1].relid)
    if relation.relkind == "m":
        raise PgError(WRONG_OBJECT_TYPE, f'cannot change materialized view "{relation.name}"')
    values = _rewrite_targets(catalog, query, relation)
    key = (relation.oid, command)
    copied = query.query_source == "copy"
    fired = FiredRules() if copied else fire_rules(catalog, query, relation)
    products = list(fired.products)
    instead = fired.instead
    updatable_view = False
    if not instead and relation.relkind == "v" and not view_has_instead_trigger(relation, query):
        if fired.qualified is not None:
            raise error_view_not_updatable(
                relation.name,
                command,
                "Views with conditional DO INSTEAD rules are not automatically updatable.",
            )
        query = rewrite_target_view(catalog, query, relation)
        if command == "insert":
            products.insert(0, query)
        else:
            products.append(query)
        instead = True
        fired.returning = True
        updatable_view = True
    elif values is not None:
        values_rte_to_nulls(values)
    results: list[Query] = []
    if products and (key in events or len(events) > MAX_REWRITE_DEPTH):
        raise _endless(relation)
    for product in products:
        results.extend(rewrite_query(catalog, product, (*events, key)))
    instead_of = instead or fired.qualified is not None
    if instead_of and not updatable_view and query.returning_list and not fired.returning:
        raise _no_returning(relation, command)
    if query.on_conflict is not None and not updatable_view:
        _refuse_on_conflict(relation, bool(products) or instead)
    if not instead:
        base = fired.qualified if fired.qualified is not None else query
        results = [base, *results] if command == "insert" else [*results, base]
    return results


def _refuse_on_conflict(relation: Relation, fired: bool) -> None:
    """ON CONFLICT has no meaning with rules; those of UPDATE count even when they are disabled."""
    from pgemu.rewrite.rewrite_rules import EVENTS

    if fired or any(rule.ev_type == EVENTS["update"] for rule in relation.rules):
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "INSERT with ON CONFLICT clause cannot be used with table that has INSERT or UPDATE "
            "rules",
        )


def _endless(relation: Relation) -> PgError:
    return PgError(
        INVALID_OBJECT_DEFINITION,
        f'infinite recursion detected in rules for relation "{relation.name}"',
    )


def _no_such_rule_in_with(products: list[Query]) -> PgError:
    """Rules that make several queries of a data-modifying WITH item."""
    words = {"qual_instead_rule": "conditional DO INSTEAD", "non_instead_rule": "DO ALSO"}
    found = (words[p.query_source] for p in products if p.query_source in words)
    return PgError(
        FEATURE_NOT_SUPPORTED,
        f"{next(found, 'multi-statement DO INSTEAD')} rules are not supported for "
        "data-modifying statements in WITH",
    )


def _no_returning(relation: Relation, command: str) -> PgError:
    word = command.upper()
    return PgError(
        FEATURE_NOT_SUPPORTED,
        f'cannot perform {word} RETURNING on relation "{relation.name}"',
        hint=f"You need an unconditional ON {word} DO INSTEAD rule with a RETURNING clause.",
    )


def _rewrite_targets(catalog: Catalog, query: Query, relation: Relation) -> Any:
    """Complete the target lists of INSERT, UPDATE and MERGE; the VALUES source of an INSERT."""
    from pgemu.parser.parse_clause import infer_arbiter_indexes

    command = query.command_type
    values = None
    if command == "insert":
        values = values_source(query)
        query.target_list = rewrite_target_list_iu(
            catalog, query.target_list, "insert", query.override, relation, values
        )
        if values is not None:
            rewrite_values_rte(catalog, query, values, relation)
        conflict = query.on_conflict
        if conflict is not None and relation.relkind in ("r", "p"):
            conflict.arbiter_indexes = infer_arbiter_indexes(relation, conflict)
        if conflict is not None and conflict.action == "update":
            conflict.on_conflict_set = rewrite_target_list_iu(
                catalog, conflict.on_conflict_set, "update", "", relation
            )
    elif command == "update":
        query.target_list = rewrite_target_list_iu(
            catalog, query.target_list, "update", query.override, relation
        )
    elif command == "merge":
        for action in query.merge_action_list:
            if action.command_type in ("insert", "update"):
                action.target_list = rewrite_target_list_iu(
                    catalog, action.target_list, action.command_type, action.override, relation
                )
    return values


def _rewrite_ctes(catalog: Catalog, query: Query, events: tuple[tuple[int, str], ...]) -> None:
    for cte in query.cte_list:
        inner = cte.ctequery
        if inner.command_type == "select":
            continue
        products = rewrite_query(catalog, inner, events)
        if len(products) == 1:
            if products[0].command_type == "utility":
                raise PgError(
                    FEATURE_NOT_SUPPORTED,
                    "DO INSTEAD NOTIFY rules are not supported for data-modifying statements in "
                    "WITH",
                )
            cte.ctequery = products[0]
        elif not products:
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                "DO INSTEAD NOTHING rules are not supported for data-modifying statements in WITH",
            )
        else:
            raise _no_such_rule_in_with(products)
