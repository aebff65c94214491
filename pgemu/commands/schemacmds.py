"""CREATE SCHEMA with its elements (PostgreSQL's schemacmds.c)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.heap import acl_rows, insert_rows, owner_rows
from pgemu.catalog.rows import PG_NAMESPACE_RELID, PgAuthid, PgNamespace
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    DUPLICATE_SCHEMA,
    FEATURE_NOT_SUPPORTED,
    INSUFFICIENT_PRIVILEGE,
    INVALID_SCHEMA_DEFINITION,
    RESERVED_NAME,
    PgError,
)
from pgemu.executor.event_triggers import collect_command

# Elements are run in this order, so that forward references work.
_ORDER = ("CreateSeqStmt", "CreateStmt", "ViewStmt", "IndexStmt", "CreateTrigStmt", "GrantStmt")


def create_schema(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE SCHEMA."""
    from pgemu.catalog.acl import ACL_CREATE, pg_database_aclcheck
    from pgemu.commands.role_spec import get_rolespec_oid

    catalog = session.catalog
    owner = session.ctx.current_user_oid
    name = stmt.get("schemaname")
    if "authrole" in stmt:
        owner = get_rolespec_oid(session, stmt["authrole"])
    if not name:
        name = catalog.one(PgAuthid, oid=owner).rolname
    if not pg_database_aclcheck(catalog, session.ctx.database_oid, ACL_CREATE):
        raise PgError(
            INSUFFICIENT_PRIVILEGE, f"permission denied for database {session.ctx.database}"
        )
    if owner != session.ctx.current_user_oid:
        from pgemu.commands.role_spec import check_can_set_role

        check_can_set_role(session, owner)
    if name.startswith("pg_"):
        raise PgError(
            RESERVED_NAME,
            f'unacceptable schema name "{name}"',
            detail='The prefix "pg_" is reserved for system schemas.',
        )
    if catalog.one(PgNamespace, nspname=name) is not None:
        if stmt.get("if_not_exists"):
            session.notice("NOTICE", DUPLICATE_SCHEMA, f'schema "{name}" already exists, skipping')
            return CommandResult("CREATE SCHEMA")
        raise PgError(DUPLICATE_SCHEMA, f'schema "{name}" already exists')
    oid = namespace_create(session, name, owner)
    collect_command(session, "CREATE SCHEMA", PG_NAMESPACE_RELID, oid)
    if stmt.get("schemaElts"):
        _run_elements(session, name, oid, stmt["schemaElts"], st)
    return CommandResult("CREATE SCHEMA")


def namespace_create(session: Any, name: str, owner: int) -> int:
    """NamespaceCreate: the row and its dependencies."""
    from pgemu.commands.default_acl import get_user_default_acl

    catalog = session.catalog
    oid = catalog.new_oid()
    acl = get_user_default_acl(session, "n", owner, 0)
    insert_rows(
        catalog,
        [
            PgNamespace(oid, name, owner, acl),
            *owner_rows(catalog, PG_NAMESPACE_RELID, oid, owner),
            *acl_rows(catalog, PG_NAMESPACE_RELID, oid, owner, acl),
        ],
    )
    return int(oid)


def _run_elements(session: Any, name: str, oid: int, nodes: list[Any], st: Statement) -> None:
    """The statements inside CREATE SCHEMA run with the new schema in front of the path."""
    from pgemu.commands.define import quote_identifier
    from pgemu.commands.utility import process_utility

    for node in nodes:
        _set_element_schema(name, node)
    ordered = sorted(nodes, key=lambda n: _ORDER.index(next(iter(n))))
    guc = session.guc
    path = f"{quote_identifier(name)}, {guc.get('search_path')}"
    with guc.replaced("search_path", path):
        for node in ordered:
            process_utility(session, node, st.source_text, top_level=False, complete=False)


def _set_element_schema(name: str, node: dict[str, Any]) -> None:
    tag, stmt = next(iter(node.items()))
    key = {"CreateSeqStmt": "sequence", "CreateStmt": "relation", "ViewStmt": "view",
           "IndexStmt": "relation", "CreateTrigStmt": "relation"}.get(tag)  # fmt: skip
    if key is None:
        if tag != "GrantStmt":
            raise PgError(FEATURE_NOT_SUPPORTED, f"{tag} in CREATE SCHEMA is not supported")
        return
    target = stmt[key]
    if target.get("schemaname", name) != name:
        raise PgError(
            INVALID_SCHEMA_DEFINITION,
            f"CREATE specifies a schema ({target['schemaname']}) different from the one being "
            f"created ({name})",
        )
    target["schemaname"] = name
