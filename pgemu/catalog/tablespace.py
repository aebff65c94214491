"""Tablespaces in the catalogs: names, the database's own, and which one a relation says it is in
(parts of PostgreSQL's tablespace.c and SetRelationTableSpace)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgemu.catalog.pg_shdepend import change_dependency_on_tablespace
from pgemu.catalog.rows import PgClass, PgDatabase, PgTablespace
from pgemu.errors import UNDEFINED_OBJECT, PgError

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog

DEFAULTTABLESPACE_OID = 1663
GLOBALTABLESPACE_OID = 1664


def get_tablespace_oid(catalog: Catalog, name: str) -> int:
    """42704 if there is none."""
    row = catalog.one(PgTablespace, spcname=name)
    if row is None:
        raise PgError(UNDEFINED_OBJECT, f'tablespace "{name}" does not exist')
    return row.oid


def get_tablespace_name(catalog: Catalog, oid: int) -> str:
    """Its name, or the OID if it has gone."""
    row = catalog.one(PgTablespace, oid=oid)
    return row.spcname if row is not None else str(oid)


def database_tablespace(catalog: Catalog) -> int:
    """MyDatabaseTableSpace: pg_class says 0 for what is in it."""
    row = catalog.one(PgDatabase, oid=catalog.ctx.database_oid)
    return row.dattablespace if row is not None else DEFAULTTABLESPACE_OID


def set_relation_tablespace(catalog: Catalog, row: PgClass, oid: int) -> None:
    """SetRelationTableSpace.  oid: as reltablespace has it.  Only relations without storage are
    recorded in pg_shdepend: the files of the others keep the tablespace from being dropped."""
    catalog.update(PgClass, {"oid": row.oid}, reltablespace=oid)
    if row.relkind in "pI":
        change_dependency_on_tablespace(catalog, PgClass.RELID, row.oid, oid)
