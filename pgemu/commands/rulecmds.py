"""CREATE RULE (PostgreSQL's rewriteDefine.c and transformRuleStmt)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.heap import depend, insert_rows
from pgemu.catalog.objectaddress import ObjectAddress
from pgemu.catalog.rows import (
    PG_CLASS_RELID,
    PG_REWRITE_RELID,
    PgClass,
    PgDepend,
    PgRewrite,
)
from pgemu.commands.indexcmds import not_supported_detail
from pgemu.commands.permissions import check_not_system, check_owner
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    DUPLICATE_OBJECT,
    FEATURE_NOT_SUPPORTED,
    INVALID_OBJECT_DEFINITION,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.nodes import expr_type, expr_typmod
from pgemu.nodes.parsenodes import Alias, RangeTblEntry, RawStmt
from pgemu.nodes.serialize import node_to_string
from pgemu.parser.parse_rule import (
    NEW_VARNO,
    OLD_VARNO,
    get_insert_select_query,
    transform_rule_stmt,
)

_EVENTS = {"CMD_SELECT": "1", "CMD_UPDATE": "2", "CMD_INSERT": "3", "CMD_DELETE": "4"}


def _check_kind(relation: Any) -> None:
    if relation.relkind == "m":
        raise PgError(FEATURE_NOT_SUPPORTED, "rules on materialized views are not supported")
    if relation.relkind not in "rvp":
        raise PgError(
            WRONG_OBJECT_TYPE,
            f'relation "{relation.name}" cannot have rules',
            detail=not_supported_detail(relation.relkind),
        )


def define_rule(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE [OR REPLACE] RULE."""
    from pgemu.catalog.namespace import range_var_get_relid

    catalog = session.catalog
    relation = catalog.relation(range_var_get_relid(catalog, stmt["relation"]))
    _check_kind(relation)
    check_not_system(session, relation)
    check_owner(session, relation)
    event = _EVENTS[stmt["event"]]
    qual, actions = transform_rule_stmt(catalog, relation, stmt, st.source_text)
    if event == "1":
        _define_select_rule(session, relation, stmt, st, qual, actions)
        return CommandResult("CREATE RULE")
    _check_actions(session, relation, qual, actions, bool(stmt.get("instead")))
    name = stmt["rulename"]
    if name == "_RETURN":
        raise PgError(
            INVALID_OBJECT_DEFINITION,
            f'non-view rule for "{relation.name}" must not be named "_RETURN"',
        )
    old = catalog.one(PgRewrite, ev_class=relation.oid, rulename=name)
    if old is not None and not stmt.get("replace"):
        raise PgError(
            DUPLICATE_OBJECT, f'rule "{name}" for relation "{relation.name}" already exists'
        )
    oid = old.oid if old is not None else catalog.new_oid()
    if old is not None:
        catalog.delete(PgRewrite, oid=oid)
        catalog.delete(PgDepend, classid=PG_REWRITE_RELID, objid=oid)
    me = (PG_REWRITE_RELID, oid, 0)
    insert_rows(
        catalog,
        [
            PgRewrite(
                oid, name, relation.oid, event, "O", bool(stmt.get("instead")),
                node_to_string(qual) if qual is not None else "<>", node_to_string(actions),
            ),
            depend(me, (PG_CLASS_RELID, relation.oid, 0), "a"),
        ],
    )  # fmt: skip
    from pgemu.catalog.find_expr_references import (
        record_dependency_on_expr,
        record_dependency_on_query,
    )

    if not stmt.get("actions"):  # NOTHING still has OLD and NEW in its range table
        insert_rows(catalog, [depend(me, (PG_CLASS_RELID, relation.oid, 0), "n")])
    for action in actions:
        record_dependency_on_query(catalog, ObjectAddress(*me), action)
    if qual is not None:
        # entries 1 and 2, OLD and NEW, are the table itself
        rte = RangeTblEntry("relation", Alias("old"), relid=relation.oid, relkind=relation.relkind)
        record_dependency_on_expr(catalog, ObjectAddress(*me), qual, [rte, rte])
    catalog.update(PgClass, {"oid": relation.oid}, relhasrules=True)
    return CommandResult("CREATE RULE")


def _define_select_rule(
    session: Any,
    relation: Any,
    stmt: dict[str, Any],
    st: Statement,
    qual: Any,
    actions: list[Any],
) -> None:
    """DefineQueryRewrite for ON SELECT: a view's query, or a table that becomes a view."""
    from pgemu.commands.rule_to_view import check_convertible, convert_to_view, replace_view_query

    if len(actions) > 1:
        raise PgError(
            FEATURE_NOT_SUPPORTED, "multiple actions for rules on SELECT are not implemented"
        )
    query = actions[0] if actions else None
    if not stmt.get("instead") or query is None or query.command_type != "select":
        raise PgError(FEATURE_NOT_SUPPORTED, "rules on SELECT must have action INSTEAD SELECT")
    if query.has_modifying_cte:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "rules on SELECT must not contain data-modifying statements in WITH",
        )
    if qual is not None:
        raise PgError(
            FEATURE_NOT_SUPPORTED, "event qualifications are not implemented for rules on SELECT"
        )
    _check_result_list(session.catalog, relation, query.target_list, "SELECT rule's target list")
    old = session.catalog.one(PgRewrite, ev_class=relation.oid, ev_type="1")
    if old is not None and not stmt.get("replace"):
        raise PgError(OBJECT_NOT_IN_PREREQUISITE_STATE, f'"{relation.name}" is already a view')
    if stmt["rulename"] != "_RETURN":
        raise PgError(
            INVALID_OBJECT_DEFINITION,
            f'view rule for "{relation.name}" must be named "_RETURN"',
        )
    # the query of a view has no entries OLD and NEW
    query = session.analyze(RawStmt(stmt["actions"][0]), st.source_text)
    if relation.relkind == "v":
        replace_view_query(session, relation, query)
        return
    check_convertible(session, relation)
    convert_to_view(session, relation, query)


def _check_actions(
    session: Any, relation: Any, qual: Any, actions: list[Any], instead: bool
) -> None:
    """What DefineQueryRewrite wants of targets and RETURNING lists."""
    returning = False
    for action in actions:
        if action.command_type == "utility":
            continue
        target = action.result_relation
        if get_insert_select_query(action) is action and target in (OLD_VARNO, NEW_VARNO):
            name = "OLD" if target == OLD_VARNO else "NEW"
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                f"rule actions on {name} are not implemented",
                hint="Use views or triggers instead."
                if target == OLD_VARNO
                else "Use triggers instead.",
            )
        if not action.returning_list:
            continue
        if returning:
            raise PgError(FEATURE_NOT_SUPPORTED, "cannot have multiple RETURNING lists in a rule")
        returning = True
        if qual is not None:
            raise PgError(
                FEATURE_NOT_SUPPORTED, "RETURNING lists are not supported in conditional rules"
            )
        if not instead:
            raise PgError(
                FEATURE_NOT_SUPPORTED, "RETURNING lists are not supported in non-INSTEAD rules"
            )
        _check_result_list(session.catalog, relation, action.returning_list)


def _check_result_list(
    catalog: Any, relation: Any, targets: list[Any], what: str = "RETURNING list"
) -> None:
    """checkRuleResultList: one entry for each column, of its type (and name, in a SELECT)."""
    entries = [t for t in targets if not t.resjunk]
    columns = relation.attrs
    is_select = what != "RETURNING list"
    words = "SELECT target" if is_select else "RETURNING list"
    for number, entry in enumerate(entries, 1):
        if number > len(columns):
            raise PgError(INVALID_OBJECT_DEFINITION, f"{what} has too many entries")
        att = columns[number - 1]
        if att.attisdropped:
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                "cannot convert relation containing dropped columns to view",
            )
        if is_select and entry.resname != att.attname:
            raise PgError(
                INVALID_OBJECT_DEFINITION,
                f"SELECT rule's target entry {number} has different column name from column "
                f'"{att.attname}"',
                detail=f'SELECT target entry is named "{entry.resname}".',
            )
        given = expr_type(entry.expr)
        if given != att.atttypid:
            raise PgError(
                INVALID_OBJECT_DEFINITION,
                f"{_entry_words(is_select)} {number} has different type from column "
                f'"{att.attname}"',
                detail=f"{words} entry has type {catalog.type_name(given)}, but column "
                f"has type {catalog.type_name(att.atttypid)}.",
            )
        typmod = expr_typmod(entry.expr)
        if typmod != att.atttypmod and typmod != -1:
            raise PgError(
                INVALID_OBJECT_DEFINITION,
                f"{_entry_words(is_select)} {number} has different size from column "
                f'"{att.attname}"',
                detail=f"{words} entry has type {catalog.type_name(given, typmod)}, but "
                f"column has type {catalog.type_name(att.atttypid, att.atttypmod)}.",
            )
    if len(entries) != len(columns):
        raise PgError(INVALID_OBJECT_DEFINITION, f"{what} has too few entries")


def _entry_words(is_select: bool) -> str:
    return "SELECT rule's target entry" if is_select else "RETURNING list's entry"
