"""The words of refused permission (PostgreSQL's aclchk.c: aclcheck_error), and ownership."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pgemu.catalog import rows as r
from pgemu.catalog.roles import has_privs_of_role, superuser_arg
from pgemu.errors import INSUFFICIENT_PRIVILEGE, PgError

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog

# Raw OBJECT_... name -> what "permission denied for ..." calls it.
_WORDS = {
    "OBJECT_AGGREGATE": "aggregate",
    "OBJECT_COLLATION": "collation",
    "OBJECT_COLUMN": "column",
    "OBJECT_CONVERSION": "conversion",
    "OBJECT_DATABASE": "database",
    "OBJECT_DOMAIN": "domain",
    "OBJECT_EVENT_TRIGGER": "event trigger",
    "OBJECT_EXTENSION": "extension",
    "OBJECT_FDW": "foreign-data wrapper",
    "OBJECT_FOREIGN_SERVER": "foreign server",
    "OBJECT_FOREIGN_TABLE": "foreign table",
    "OBJECT_FUNCTION": "function",
    "OBJECT_INDEX": "index",
    "OBJECT_LANGUAGE": "language",
    "OBJECT_LARGEOBJECT": "large object",
    "OBJECT_MATVIEW": "materialized view",
    "OBJECT_OPCLASS": "operator class",
    "OBJECT_OPERATOR": "operator",
    "OBJECT_OPFAMILY": "operator family",
    "OBJECT_PARAMETER_ACL": "parameter",
    "OBJECT_POLICY": "policy",
    "OBJECT_PROCEDURE": "procedure",
    "OBJECT_PUBLICATION": "publication",
    "OBJECT_ROUTINE": "routine",
    "OBJECT_SCHEMA": "schema",
    "OBJECT_SEQUENCE": "sequence",
    "OBJECT_STATISTIC_EXT": "statistics object",
    "OBJECT_SUBSCRIPTION": "subscription",
    "OBJECT_TABLE": "table",
    "OBJECT_TABLESPACE": "tablespace",
    "OBJECT_TSCONFIGURATION": "text search configuration",
    "OBJECT_TSDICTIONARY": "text search dictionary",
    "OBJECT_TYPE": "type",
    "OBJECT_VIEW": "view",
}

# These are parts of a relation: its owner is asked for.
_PARTS = {
    "OBJECT_COLUMN",
    "OBJECT_POLICY",
    "OBJECT_RULE",
    "OBJECT_TABCONSTRAINT",
    "OBJECT_TRIGGER",
}

RELKIND_OBJECT_TYPES = {
    "r": "OBJECT_TABLE",
    "p": "OBJECT_TABLE",
    "i": "OBJECT_INDEX",
    "I": "OBJECT_INDEX",
    "S": "OBJECT_SEQUENCE",
    "v": "OBJECT_VIEW",
    "m": "OBJECT_MATVIEW",
    "f": "OBJECT_FOREIGN_TABLE",
}


def get_relkind_objtype(relkind: str) -> str:
    """OBJECT_TABLE, OBJECT_VIEW, ... for a pg_class.relkind."""
    return RELKIND_OBJECT_TYPES.get(relkind, "OBJECT_TABLE")


def aclcheck_error(objtype: str, name: str, *, not_owner: bool = False) -> PgError:
    """The error to raise: `raise aclcheck_error("OBJECT_TABLE", "t")`."""
    if not not_owner:
        return PgError(INSUFFICIENT_PRIVILEGE, f"permission denied for {_WORDS[objtype]} {name}")
    word = "relation" if objtype in _PARTS else _WORDS[objtype]
    return PgError(INSUFFICIENT_PRIVILEGE, f"must be owner of {word} {name}")


# Catalog -> its owner column.
OWNER_COLUMNS: dict[type[Any], str] = {
    r.PgClass: "relowner",
    r.PgType: "typowner",
    r.PgProc: "proowner",
    r.PgOperator: "oprowner",
    r.PgLanguage: "lanowner",
    r.PgLargeobjectMetadata: "lomowner",
    r.PgNamespace: "nspowner",
    r.PgTablespace: "spcowner",
    r.PgOpclass: "opcowner",
    r.PgOpfamily: "opfowner",
    r.PgTsDict: "dictowner",
    r.PgTsConfig: "cfgowner",
    r.PgForeignDataWrapper: "fdwowner",
    r.PgForeignServer: "srvowner",
    r.PgEventTrigger: "evtowner",
    r.PgDatabase: "datdba",
    r.PgCollation: "collowner",
    r.PgConversion: "conowner",
    r.PgExtension: "extowner",
    r.PgPublication: "pubowner",
    r.PgSubscription: "subowner",
    r.PgStatisticExt: "stxowner",
}


def object_ownercheck(catalog: Catalog, classid: int, oid: int, roleid: int | None = None) -> bool:
    """Is the role (default: the current one) the object's owner, or a member of it?"""
    role = catalog.ctx.current_user_oid if roleid is None else roleid
    if superuser_arg(catalog, role):
        return True
    if classid == r.PgLargeobject.RELID:
        classid = r.PgLargeobjectMetadata.RELID
    cls = r.CATALOG_BY_RELID[classid]
    row = catalog.get(cls, oid=oid)
    return has_privs_of_role(catalog, role, getattr(row, OWNER_COLUMNS[cls]))


def pg_class_ownercheck(catalog: Catalog, oid: int, roleid: int | None = None) -> bool:
    return object_ownercheck(catalog, r.PgClass.RELID, oid, roleid)


def pg_type_ownercheck(catalog: Catalog, oid: int, roleid: int | None = None) -> bool:
    return object_ownercheck(catalog, r.PgType.RELID, oid, roleid)


def pg_proc_ownercheck(catalog: Catalog, oid: int, roleid: int | None = None) -> bool:
    return object_ownercheck(catalog, r.PgProc.RELID, oid, roleid)


def pg_namespace_ownercheck(catalog: Catalog, oid: int, roleid: int | None = None) -> bool:
    return object_ownercheck(catalog, r.PgNamespace.RELID, oid, roleid)


def has_createrole_privilege(catalog: Catalog, roleid: int | None = None) -> bool:
    """CREATEROLE or superuser."""
    role = catalog.ctx.current_user_oid if roleid is None else roleid
    row = catalog.one(r.PgAuthid, oid=role)
    return row is not None and (row.rolsuper or row.rolcreaterole)


def has_bypassrls_privilege(catalog: Catalog, roleid: int | None = None) -> bool:
    """BYPASSRLS or superuser."""
    role = catalog.ctx.current_user_oid if roleid is None else roleid
    row = catalog.one(r.PgAuthid, oid=role)
    return row is not None and (row.rolsuper or row.rolbypassrls)
