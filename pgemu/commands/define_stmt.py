"""DefineStmt: CREATE TYPE (shell and base), AGGREGATE, OPERATOR, COLLATION, text search objects."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.heap import depend, insert_rows, owner_rows
from pgemu.catalog.pg_type_create import shell_type_row
from pgemu.catalog.rows import PG_NAMESPACE_RELID, PG_TYPE_RELID
from pgemu.commands.result import CommandResult, Statement
from pgemu.commands.typecmds import creation_target
from pgemu.errors import FEATURE_NOT_SUPPORTED, PgError


def define(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """By kind."""
    kind = stmt["kind"]
    if kind == "OBJECT_TYPE":
        return define_type(session, stmt)
    if kind == "OBJECT_AGGREGATE":
        from pgemu.commands.aggregatecmds import define_aggregate

        return define_aggregate(session, stmt)
    if kind == "OBJECT_OPERATOR":
        from pgemu.commands.operatorcmds import define_operator

        return define_operator(session, stmt)
    if kind == "OBJECT_COLLATION":
        from pgemu.commands.collationcmds import define_collation

        return define_collation(session, stmt)
    if kind == "OBJECT_TSDICTIONARY":
        from pgemu.commands.tsearchcmds import define_dictionary

        return define_dictionary(session, stmt)
    if kind == "OBJECT_TSCONFIGURATION":
        from pgemu.commands.tsearchcmds import define_configuration

        return define_configuration(session, stmt)
    if kind in ("OBJECT_TSPARSER", "OBJECT_TSTEMPLATE"):
        from pgemu.commands.tsearch_templates import define_parser, define_template

        return (define_parser if kind == "OBJECT_TSPARSER" else define_template)(session, stmt)
    word = kind.removeprefix("OBJECT_TS").removeprefix("OBJECT_")
    raise PgError(FEATURE_NOT_SUPPORTED, f"CREATE TEXT SEARCH {word} is not supported")


def define_type(session: Any, stmt: dict[str, Any]) -> CommandResult:
    """CREATE TYPE name: a shell.  Base types need functions in C."""
    if stmt.get("definition"):
        raise PgError(FEATURE_NOT_SUPPORTED, "CREATE TYPE of base types is not supported")
    catalog = session.catalog
    namespace, name, shell = creation_target(session, stmt["defnames"])
    if shell:
        raise PgError("42710", f'type "{name}" already exists')
    owner = session.ctx.current_user_oid
    oid = catalog.new_oid()
    insert_rows(
        catalog,
        [
            shell_type_row(catalog, oid, name, namespace, owner),
            depend((PG_TYPE_RELID, oid, 0), (PG_NAMESPACE_RELID, namespace, 0), "n"),
            *owner_rows(catalog, PG_TYPE_RELID, oid, owner),
        ],
    )
    return CommandResult("CREATE TYPE")
