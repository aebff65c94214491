"""Sizes and places of relations and databases (PostgreSQL's dbsize.c).

Storage is SQLite's, so sizes are an estimate: what PostgreSQL's clients need is that a bigger
table is not smaller.  A relation counts as whole pages of 8 kB.
"""

from __future__ import annotations

import os

from pgemu.catalog.rows import PgClass, PgDatabase, PgIndex, PgTablespace
from pgemu.catalog.tablespace import (
    DEFAULTTABLESPACE_OID,
    GLOBALTABLESPACE_OID,
    database_tablespace,
)
from pgemu.errors import INVALID_PARAMETER_VALUE, UNDEFINED_DATABASE, UNDEFINED_OBJECT, PgError
from pgemu.fmgr import CallContext, pg_function

_PAGE = 8192
_BYTES_PER_ROW = 64
_BYTES_PER_ENTRY = 22
BTREE_AM_OID, HASH_AM_OID, GIN_AM_OID, BRIN_AM_OID, SPGIST_AM_OID = 403, 405, 2742, 3580, 4000
# access method -> pages of an empty index, and of one with a few entries
_FIRST_PAGES = {
    BTREE_AM_OID: (1, 2), HASH_AM_OID: (4, 4), GIN_AM_OID: (2, 3), BRIN_AM_OID: (3, 3),
    SPGIST_AM_OID: (3, 3),
}  # fmt: skip


def _main_fork_size(ctx: CallContext, row: PgClass) -> int:
    if row.relkind not in "rmtiS":
        return 0
    session = ctx.session
    if session is None:
        return max(row.relpages, 0) * _PAGE
    if row.relkind in "rm":
        return -(-_row_count(ctx, row) * _BYTES_PER_ROW // _PAGE) * _PAGE
    if row.relkind == "i":
        return _index_pages(ctx, row) * _PAGE
    return _PAGE if row.relkind != "t" else 0


def _row_count(ctx: CallContext, row: PgClass) -> int:
    prefix = "g" if row.relisshared else "main"
    table = f"{prefix}.r{row.relfilenode or row.oid}"
    return int(ctx.session.xact.execute(f"SELECT count(*) FROM {table}")[0][0])


def _index_pages(ctx: CallContext, row: PgClass) -> int:
    """The pages that an access method starts with, and those of the entries."""
    table = ctx.catalog.get(PgClass, oid=ctx.catalog.get(PgIndex, indexrelid=row.oid).indrelid)
    if table.relkind not in "rm":
        return 1
    count = _row_count(ctx, table)
    empty, filled = _FIRST_PAGES.get(row.relam, (1, 1))
    leaves = -(-count * _BYTES_PER_ENTRY // _PAGE) if row.relam != BRIN_AM_OID else 1
    return (filled if count else empty) + (leaves if leaves > 1 else 0)


def _relation_size(ctx: CallContext, relid: int) -> int | None:
    row = ctx.catalog.one(PgClass, oid=relid)
    return _main_fork_size(ctx, row) if row is not None else None


@pg_function("pg_relation_size(regclass, text)", context=True)
def pg_relation_size(ctx: CallContext, relid: int, fork: str) -> int | None:
    if fork not in ("main", "fsm", "vm", "init"):
        raise PgError(
            INVALID_PARAMETER_VALUE,
            "invalid fork name",
            hint='Valid fork names are "main", "fsm", "vm", and "init".',
        )
    size = _relation_size(ctx, relid)
    if fork == "init" and size is not None:
        return _init_fork_size(ctx, relid)
    return size if fork == "main" or size is None else 0


def _init_fork_size(ctx: CallContext, relid: int) -> int:
    """What an unlogged sequence or index is set to after a crash."""
    row = ctx.catalog.get(PgClass, oid=relid)
    return _PAGE if row.relpersistence == "u" and row.relkind in "Si" else 0


@pg_function("pg_table_size(regclass)", context=True)
def pg_table_size(ctx: CallContext, relid: int) -> int | None:
    size = _relation_size(ctx, relid)
    if size is None:
        return None
    toast = ctx.catalog.get(PgClass, oid=relid).reltoastrelid
    return size + _init_fork_size(ctx, relid) + (_PAGE if toast >= 16384 else 0)


@pg_function("pg_indexes_size(regclass)", context=True)
def pg_indexes_size(ctx: CallContext, relid: int) -> int | None:
    if ctx.catalog.one(PgClass, oid=relid) is None:
        return None
    relation = ctx.catalog.relation(relid)
    return sum(_main_fork_size(ctx, i.pg_class) for i in relation.indexes)


@pg_function("pg_total_relation_size(regclass)", context=True)
def pg_total_relation_size(ctx: CallContext, relid: int) -> int | None:
    table = pg_table_size(ctx, relid)
    return None if table is None else table + (pg_indexes_size(ctx, relid) or 0)


def _database_size(ctx: CallContext) -> int:
    if ctx.session is None:
        return 0
    pages = ctx.session.xact.execute("PRAGMA main.page_count")[0][0]
    size = ctx.session.xact.execute("PRAGMA main.page_size")[0][0]
    return int(pages) * int(size)


@pg_function("pg_database_size(oid)", context=True)
def pg_database_size(ctx: CallContext, oid: int) -> int | None:
    return _database_size(ctx) if ctx.catalog.one(PgDatabase, oid=oid) is not None else None


@pg_function("pg_database_size(name)", context=True)
def pg_database_size_name(ctx: CallContext, name: str) -> int:
    if ctx.catalog.one(PgDatabase, datname=name) is None:
        raise PgError(UNDEFINED_DATABASE, f'database "{name}" does not exist')
    return _database_size(ctx)


@pg_function("pg_tablespace_size(oid)", context=True)
def pg_tablespace_size(ctx: CallContext, oid: int) -> int | None:
    return _database_size(ctx) if ctx.catalog.one(PgTablespace, oid=oid) is not None else None


@pg_function("pg_tablespace_size(name)", context=True)
def pg_tablespace_size_name(ctx: CallContext, name: str) -> int:
    if ctx.catalog.one(PgTablespace, spcname=name) is None:
        raise PgError(UNDEFINED_OBJECT, f'tablespace "{name}" does not exist')
    return _database_size(ctx)


@pg_function("pg_tablespace_location(oid)", context=True)
def pg_tablespace_location(ctx: CallContext, oid: int) -> str:
    """Where the link in pg_tblspc leads; a folder there is a tablespace without a location."""
    oid = oid or database_tablespace(ctx.catalog)
    if oid in (DEFAULTTABLESPACE_OID, GLOBALTABLESPACE_OID):
        return ""
    link = os.path.join(ctx.session.cluster.data, "pg_tblspc", str(oid))
    if os.path.islink(link):
        return os.readlink(link)
    if os.path.isdir(link):
        return f"pg_tblspc/{oid}"
    raise PgError(
        "58P01", f'could not read symbolic link "pg_tblspc/{oid}": No such file or directory'
    )


@pg_function("pg_relation_filenode(regclass)", context=True)
def pg_relation_filenode(ctx: CallContext, relid: int) -> int | None:
    row = ctx.catalog.one(PgClass, oid=relid)
    if row is None or row.relkind not in "rmtiS":
        return None
    return int(row.relfilenode or row.oid)


@pg_function("pg_relation_filepath(regclass)", context=True)
def pg_relation_filepath(ctx: CallContext, relid: int) -> str | None:
    node = pg_relation_filenode(ctx, relid)
    if node is None:
        return None
    shared = ctx.catalog.get(PgClass, oid=relid).relisshared
    return f"global/{node}" if shared else f"base/{ctx.database_oid}/{node}"


@pg_function("pg_filenode_relation(oid, oid)", context=True)
def pg_filenode_relation(ctx: CallContext, tablespace: int, filenode: int) -> int | None:
    row = ctx.catalog.one(PgClass, relfilenode=filenode) if filenode else None
    return row.oid if row is not None else None
