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
    CARDINALITY_VIOLATION,
    FEATURE_NOT_SUPPORTED,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    SYNTAX_ERROR,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.types.record import form_composite


def refresh(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """Fill new storage from the query and swap it in."""
    from pgemu.catalog.keywords import quote_qualified_identifier
    from pgemu.catalog.namespace import range_var_get_relid

    catalog = session.catalog
    view = catalog.relation(range_var_get_relid(catalog, stmt["relation"]))
    if view.relkind not in "rtmp":
        raise PgError(WRONG_OBJECT_TYPE, f'"{view.name}" is not a table or materialized view')
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
    if concurrent:
        _refuse_duplicates(session, view, new)
    session.xact.drop_on_commit(view.sqlite_name)
    catalog.update(PgClass, {"oid": view.oid}, relfilenode=new, relispopulated=not skip)
    changed = catalog.relation(view.oid)
    for index in changed.indexes:
        rebuild_index(session, changed, index)
    return CommandResult("REFRESH MATERIALIZED VIEW")


def _refuse_duplicates(session: Any, view: Any, relfilenode: int) -> None:
    """refresh_by_match_merge: the old rows are matched with the new ones as a whole, so two equal
    new rows are refused before any unique index sees them; a NULL equals nothing."""
    columns = [a for a in view.attrs if not a.attisdropped]
    names = ", ".join(f"c{a.attnum}" for a in columns)
    known = " AND ".join(f"c{a.attnum} IS NOT NULL" for a in columns)
    if not columns:
        return
    found = session.xact.execute(
        f"SELECT {names} FROM r{relfilenode} WHERE {known} GROUP BY {names} "
        "HAVING count(*) > 1 LIMIT 1"
    )
    if found:
        row = session.catalog.types.io(view.row.reltype).output(
            form_composite(found[0]), session.ctx
        )
        raise PgError(
            CARDINALITY_VIOLATION,
            f'new data for materialized view "{view.name}" contains duplicate rows without any '
            "null columns",
            detail=f"Row: {row}",
        )
