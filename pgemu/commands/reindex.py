"""REINDEX (PostgreSQL's ReindexIndex, ReindexTable, ReindexMultipleTables of indexcmds.c).

SQLite's indexes do not rot: names, rights and PostgreSQL's refusals are checked, and the indexes of
user tables are built again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pgemu.catalog.rows import PgDatabase, PgNamespace
from pgemu.catalog.tablespace import database_tablespace, get_tablespace_oid
from pgemu.commands.define import def_get_boolean, def_get_string, elements
from pgemu.commands.indexcmds import rebuild_index
from pgemu.commands.permissions import check_object_owner, check_owner
from pgemu.commands.result import CommandResult, Statement
from pgemu.commands.tablespace import check_create_privilege, move_relation
from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    INVALID_PARAMETER_VALUE,
    SYNTAX_ERROR,
    WRONG_OBJECT_TYPE,
    PgError,
)

FIRST_NORMAL_OBJECT_ID = 16384
_SYSTEM = "cannot reindex system catalogs concurrently"


@dataclass(slots=True)
class _Options:
    concurrently: bool = False
    verbose: bool = False
    tablespace: str = ""
    tablespace_oid: int = 0
    top_level: bool = True


def _read_options(session: Any, stmt: dict[str, Any], st: Statement) -> _Options:
    options = _Options(top_level=st.top_level)
    for option in elements(stmt.get("params")):
        name = option["defname"]
        if name == "concurrently":
            options.concurrently = def_get_boolean(option)
        elif name == "tablespace":
            options.tablespace = def_get_string(option)
        elif name == "verbose":
            options.verbose = def_get_boolean(option)
        else:
            raise PgError(
                SYNTAX_ERROR,
                f'unrecognized REINDEX option "{name}"',
                location=option.get("location"),
            )
    if options.concurrently:
        session.xact.prevent_in_transaction_block("REINDEX CONCURRENTLY", options.top_level)
    name = options.tablespace
    if name:
        options.tablespace_oid = get_tablespace_oid(session.catalog, name)
        if options.tablespace_oid != database_tablespace(session.catalog):
            check_create_privilege(session, options.tablespace_oid)
    return options


def reindex(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """REINDEX INDEX, TABLE, SCHEMA, DATABASE, SYSTEM."""
    from pgemu.catalog.namespace import range_var_get_relid

    catalog = session.catalog
    options = _read_options(session, stmt, st)
    kind = stmt["kind"]
    if kind not in ("REINDEX_OBJECT_INDEX", "REINDEX_OBJECT_TABLE"):
        _reindex_multiple(session, stmt, options)
        return CommandResult("REINDEX")
    is_index = kind == "REINDEX_OBJECT_INDEX"
    relation = catalog.relation(range_var_get_relid(catalog, stmt["relation"]))
    if is_index and relation.relkind not in "iI":
        raise PgError(WRONG_OBJECT_TYPE, f'"{relation.name}" is not an index')
    if not is_index and relation.relkind not in "rmtp":
        raise PgError(WRONG_OBJECT_TYPE, f'"{relation.name}" is not a table or materialized view')
    check_owner(session, relation)
    if relation.relkind in "pI":
        _refuse_in_transaction(session, relation, options, is_index)
    _check_system(relation, options)
    if is_index:
        table = catalog.relation(relation.index.indrelid)
        indexes = [i for i in table.all_indexes if i.oid == relation.oid]
        _check_exclusion(indexes, options)
    else:
        indexes = sorted(relation.all_indexes, key=lambda i: i.oid)
        table = relation
        indexes = _without_exclusion(session, relation, indexes, options)
    if relation.relkind in "pI":
        _reindex_partitions(session, relation, options)
        return CommandResult("REINDEX")
    for index in indexes:
        _check_tablespace(catalog.relation(index.oid), options)
        if options.tablespace:
            move_relation(session, catalog.relation(index.oid), options.tablespace_oid)
        if table.oid >= FIRST_NORMAL_OBJECT_ID:
            rebuild_index(session, table, index)
            _report(session, index, options)
    return CommandResult("REINDEX")


def _reindex_partitions(session: Any, relation: Any, options: _Options) -> None:
    """ReindexPartitions: the indexes that have storage, of every leaf."""
    catalog = session.catalog
    for oid in relation.all_inheritors:
        leaf = catalog.relation(oid)
        if leaf.relkind == "i":
            table = catalog.relation(leaf.index.indrelid)
            indexes = [i for i in table.all_indexes if i.oid == oid]
        elif leaf.relkind in "rm":
            table, indexes = leaf, sorted(leaf.all_indexes, key=lambda i: i.oid)
        else:
            continue
        for index in indexes:
            _check_tablespace(catalog.relation(index.oid), options)
            if options.tablespace:
                move_relation(session, catalog.relation(index.oid), options.tablespace_oid)
            current = next(i for i in catalog.relation(table.oid).all_indexes if i.oid == index.oid)
            rebuild_index(session, catalog.relation(table.oid), current)
            _report(session, current, options)


def _report(session: Any, index: Any, options: _Options) -> None:
    """REINDEX (VERBOSE) without the times."""
    if options.verbose:
        name = index.name
        if options.concurrently:
            name = f"{session.catalog.relation(index.oid).schema_name}.{name}"
        session.notice("INFO", "00000", f'index "{name}" was reindexed')


def _refuse_in_transaction(session: Any, relation: Any, options: _Options, is_index: bool) -> None:
    """ReindexPartitions commits after each index."""
    word, what = ("INDEX", "index") if is_index else ("TABLE", "table")
    try:
        session.xact.prevent_in_transaction_block(f"REINDEX {word}", options.top_level)
    except PgError as error:
        error.add_context(
            f'while reindexing partitioned {what} "{relation.schema_name}.{relation.name}"'
        )
        raise


def _check_system(relation: Any, options: _Options) -> None:
    if options.concurrently and relation.oid < FIRST_NORMAL_OBJECT_ID:
        raise PgError(FEATURE_NOT_SUPPORTED, _SYSTEM)


def _check_exclusion(indexes: list[Any], options: _Options) -> None:
    if options.concurrently and any(i.index.indisexclusion for i in indexes):
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "concurrent index creation for exclusion constraints is not supported",
        )


def _without_exclusion(
    session: Any, relation: Any, indexes: list[Any], options: _Options
) -> list[Any]:
    """Indexes of a table to be built again, with the notices about the others."""
    kept = []
    for index in indexes:
        if options.concurrently and index.index.indisexclusion:
            session.notice(
                "WARNING",
                FEATURE_NOT_SUPPORTED,
                f'cannot reindex exclusion constraint index "{relation.schema_name}.'
                f'{index.name}" concurrently, skipping',
            )
            continue
        kept.append(index)
    if not kept and relation.relkind != "p" and not relation.row.reltoastrelid:
        words = "that can be reindexed concurrently" if options.concurrently else "to reindex"
        session.notice("NOTICE", "00000", f'table "{relation.name}" has no indexes {words}')
    return kept


def _check_tablespace(index: Any, options: _Options) -> None:
    """What PostgreSQL refuses to move is refused."""
    if not options.tablespace:
        return
    if index.oid < FIRST_NORMAL_OBJECT_ID or index.namespace == 99:
        raise PgError(FEATURE_NOT_SUPPORTED, f'cannot move system relation "{index.name}"')
    if options.tablespace != "pg_global":
        return
    if options.concurrently:
        raise PgError(
            FEATURE_NOT_SUPPORTED, 'cannot move non-shared relation to tablespace "pg_global"'
        )
    raise PgError(
        INVALID_PARAMETER_VALUE, "only shared relations can be placed in pg_global tablespace"
    )


def _reindex_multiple(session: Any, stmt: dict[str, Any], options: _Options) -> None:
    """SCHEMA, DATABASE and SYSTEM: checks only."""
    from pgemu.catalog.namespace import get_namespace_oid

    catalog = session.catalog
    word = stmt["kind"].removeprefix("REINDEX_OBJECT_")
    session.xact.prevent_in_transaction_block(f"REINDEX {word}", options.top_level)
    if word == "SYSTEM" and options.concurrently:
        raise PgError(FEATURE_NOT_SUPPORTED, _SYSTEM)
    has_system = word == "DATABASE"
    if word == "SCHEMA":
        oid = get_namespace_oid(catalog, stmt["name"])
        row = catalog.one(PgNamespace, oid=oid)
        check_object_owner(session, "schema", row.nspname, row.nspowner)
        has_system = row.nspname in ("pg_catalog", "pg_toast")
    elif stmt.get("name") and stmt["name"] != session.ctx.database:
        raise PgError(FEATURE_NOT_SUPPORTED, "can only reindex the currently open database")
    else:
        database = catalog.get(PgDatabase, oid=session.ctx.database_oid)
        check_object_owner(session, "database", database.datname, database.datdba)
    if options.concurrently and has_system:
        session.notice("WARNING", FEATURE_NOT_SUPPORTED, f"{_SYSTEM}, skipping all")
