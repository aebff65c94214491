"""REFRESH MATERIALIZED VIEW (PostgreSQL's matview.c)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.heap import create_storage
from pgemu.catalog.rows import PgClass
from pgemu.commands.createas import fill
from pgemu.commands.indexcmds import rebuild_index
from pgemu.commands.permissions import check_owner
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    SYNTAX_ERROR,
    WRONG_OBJECT_TYPE,
    PgError,
)


def refresh(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """Fill new storage from the query and swap it in."""
    from pgemu.catalog.keywords import quote_qualified_identifier
    from pgemu.catalog.namespace import range_var_get_relid

    catalog = session.catalog
    view = catalog.relation(range_var_get_relid(catalog, stmt["relation"]))
    check_owner(session, view)
    if view.relkind != "m":
        raise PgError(FEATURE_NOT_SUPPORTED, f'"{view.name}" is not a materialized view')
    concurrent, skip = bool(stmt.get("concurrent")), bool(stmt.get("skipData"))
    if concurrent and not view.row.relispopulated:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "CONCURRENTLY cannot be used when the materialized view is not populated",
        )
    if concurrent and skip:
        raise PgError(SYNTAX_ERROR, "CONCURRENTLY and WITH NO DATA options cannot be used together")
    if concurrent and not any(
        i.index.indisunique and i.pred is None and not i.exprs for i in view.indexes
    ):
        raise PgError(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            f"cannot refresh materialized view "
            f'"{quote_qualified_identifier(view.schema_name, view.name)}" concurrently',
            hint="Create a unique index with no WHERE clause on one or more columns of the "
            "materialized view.",
        )
    query = view.view_query
    if query is None:
        raise PgError(WRONG_OBJECT_TYPE, f'"{view.name}" is not a materialized view')
    new = catalog.new_oid()
    create_storage(session, new, [(a.attnum, a.atttypid) for a in view.attrs])
    if not skip:
        fill(session, new, len(view.attrs), query, ())
    session.xact.drop_on_commit(view.sqlite_name)
    catalog.update(PgClass, {"oid": view.oid}, relfilenode=new, relispopulated=not skip)
    changed = catalog.relation(view.oid)
    for index in changed.indexes:
        rebuild_index(session, changed, index)
    return CommandResult("REFRESH MATERIALIZED VIEW")
