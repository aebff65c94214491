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
from pgemu.commands.permissions import check_not_system, check_owner
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    DUPLICATE_OBJECT,
    FEATURE_NOT_SUPPORTED,
    INVALID_OBJECT_DEFINITION,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.nodes.serialize import node_to_string

_EVENTS = {"CMD_SELECT": "1", "CMD_UPDATE": "2", "CMD_INSERT": "3", "CMD_DELETE": "4"}


def define_rule(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE [OR REPLACE] RULE."""
    from pgemu.catalog.namespace import range_var_get_relid

    catalog = session.catalog
    relation = catalog.relation(range_var_get_relid(catalog, stmt["relation"]))
    if relation.relkind not in "rvp":
        raise PgError(WRONG_OBJECT_TYPE, f'relation "{relation.name}" cannot have rules')
    check_not_system(session, relation)
    check_owner(session, relation)
    event = _EVENTS[stmt["event"]]
    if event == "1":
        raise PgError(
            FEATURE_NOT_SUPPORTED, "rules on SELECT are not supported", hint="Use views instead."
        )
    transform = _transformer()
    qual, actions = transform(session, relation, stmt, st.source_text)
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
    from pgemu.catalog.find_expr_references import record_dependency_on_query

    for action in actions:
        record_dependency_on_query(catalog, ObjectAddress(*me), action)
    catalog.update(PgClass, {"oid": relation.oid}, relhasrules=True)
    return CommandResult("CREATE RULE")


def _transformer() -> Any:
    """transformRuleStmt is the parser's."""
    from importlib import import_module

    try:
        module = import_module("pgemu.parser.parse_rule")
    except ModuleNotFoundError:
        raise PgError(FEATURE_NOT_SUPPORTED, "CREATE RULE is not supported") from None
    return module.transform_rule_stmt
