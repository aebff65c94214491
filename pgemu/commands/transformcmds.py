"""CREATE TRANSFORM, and TRANSFORM FOR TYPE of functions (PostgreSQL's functioncmds.c).

Rows of pg_transform only: neither SQL nor PL/pgSQL convert values by transforms.
"""

from __future__ import annotations

from typing import Any

from pgemu.catalog.acl import ACL_EXECUTE, ACL_USAGE, pg_language_aclcheck, pg_proc_aclcheck
from pgemu.catalog.heap import depend, insert_rows, is_pinned
from pgemu.catalog.rows import (
    PG_LANGUAGE_RELID,
    PG_PROC_RELID,
    PG_TRANSFORM_RELID,
    PG_TYPE_RELID,
    PgDepend,
    PgLanguage,
    PgProc,
    PgTransform,
    PgType,
)
from pgemu.commands.define import type_name_to_string
from pgemu.commands.permissions import (
    aclcheck_error,
    aclcheck_error_type,
    check_object_owner,
    owns,
)
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    DUPLICATE_OBJECT,
    INSUFFICIENT_PRIVILEGE,
    INVALID_OBJECT_DEFINITION,
    UNDEFINED_OBJECT,
    WRONG_OBJECT_TYPE,
    PgError,
)

INTERNALOID = 2281


def create_transform(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE [OR REPLACE] TRANSFORM FOR type LANGUAGE name (...)."""
    catalog = session.catalog
    type_id = _transform_type(session, stmt["type_name"])
    language = catalog.one(PgLanguage, lanname=stmt["lang"])
    if language is None:
        raise PgError(UNDEFINED_OBJECT, f'language "{stmt["lang"]}" does not exist')
    if not pg_language_aclcheck(catalog, language.oid, ACL_USAGE):
        aclcheck_error("language", language.lanname)
    from_sql = _function(session, stmt.get("fromsql"))
    if from_sql is not None and from_sql.prorettype != INTERNALOID:
        raise _bad("return data type of FROM SQL function must be internal")
    _check_function(from_sql)
    to_sql = _function(session, stmt.get("tosql"))
    if to_sql is not None and to_sql.prorettype != type_id:
        raise _bad("return data type of TO SQL function must be the transform data type")
    _check_function(to_sql)
    functions = tuple(0 if f is None else f.oid for f in (from_sql, to_sql))
    old = catalog.one(PgTransform, trftype=type_id, trflang=language.oid)
    if old is not None:
        if not stmt.get("replace"):
            raise PgError(
                DUPLICATE_OBJECT,
                f"transform for type {catalog.type_name(type_id)} language "
                f'"{language.lanname}" already exists',
            )
        oid = old.oid
        catalog.update(PgTransform, {"oid": oid}, trffromsql=functions[0], trftosql=functions[1])
        catalog.delete(PgDepend, classid=PG_TRANSFORM_RELID, objid=oid)
    else:
        oid = catalog.new_oid()
        insert_rows(catalog, [PgTransform(oid, type_id, language.oid, *functions)])
    me = (PG_TRANSFORM_RELID, oid, 0)
    used = [(PG_LANGUAGE_RELID, language.oid), (PG_TYPE_RELID, type_id)]
    used += [(PG_PROC_RELID, function) for function in functions if function]
    insert_rows(
        catalog,
        [depend(me, (classid, objid, 0), "n") for classid, objid in used if not is_pinned(objid)],
    )
    return CommandResult("CREATE TRANSFORM")


def _bad(message: str) -> PgError:
    return PgError(INVALID_OBJECT_DEFINITION, message)


def _transform_type(session: Any, type_name: dict[str, Any]) -> int:
    from pgemu.parser.parse_type import typename_type_id

    catalog = session.catalog
    type_id = int(typename_type_id(catalog, {**type_name, "location": -1}))
    row = catalog.get(PgType, oid=type_id)
    for kind, what in (("p", "a pseudo-type"), ("d", "a domain")):
        if row.typtype == kind:
            shown = type_name_to_string(type_name)
            raise PgError(WRONG_OBJECT_TYPE, f"data type {shown} is {what}")
    if not owns(session, row.typowner):
        raise PgError(INSUFFICIENT_PRIVILEGE, f"must be owner of type {catalog.type_name(type_id)}")
    from pgemu.catalog.acl import pg_type_aclcheck

    if not pg_type_aclcheck(catalog, type_id, ACL_USAGE):
        aclcheck_error_type(session, type_id)
    return type_id


def _function(session: Any, node: Any) -> PgProc | None:
    from pgemu.commands.get_object_address import existing_object

    if node is None:
        return None
    catalog = session.catalog
    address = existing_object(catalog, "OBJECT_FUNCTION", {"ObjectWithArgs": node})
    row: PgProc = catalog.get(PgProc, oid=address.objid)
    check_object_owner(session, "function", row.proname, row.proowner)
    if not pg_proc_aclcheck(catalog, row.oid, ACL_EXECUTE):
        aclcheck_error("function", row.proname)
    return row


def _check_function(row: PgProc | None) -> None:
    """check_transform_function."""
    if row is None:
        return
    if row.provolatile == "v":
        raise _bad("transform function must not be volatile")
    if row.prokind != "f":
        raise _bad("transform function must be a normal function")
    if row.proretset:
        raise _bad("transform function must not return a set")
    if row.pronargs != 1:
        raise _bad("transform function must take one argument")
    if row.proargtypes[0] != INTERNALOID:
        raise _bad("first argument of transform function must be type internal")


def transforms_of(session: Any, option: dict[str, Any], language: PgLanguage) -> list[PgTransform]:
    """The transforms that TRANSFORM FOR TYPE, ... of CREATE FUNCTION names."""
    from pgemu.commands.define import list_items
    from pgemu.parser.parse_type import typename_type_id

    catalog = session.catalog
    found = []
    for node in list_items(option["arg"]):
        type_id = int(typename_type_id(catalog, {**node["TypeName"], "location": -1}))
        base = _base_type(catalog, type_id)
        row = catalog.one(PgTransform, trftype=base, trflang=language.oid)
        if row is None:
            raise PgError(
                UNDEFINED_OBJECT,
                f"transform for type {catalog.type_name(base)} language "
                f'"{language.lanname}" does not exist',
            )
        found.append(row)
    return found


def _base_type(catalog: Any, type_id: int) -> int:
    """getBaseType of the element, for arrays."""
    from pgemu.catalog.lsyscache import get_base_type

    return int(get_base_type(catalog, catalog.get(PgType, oid=type_id).typelem or type_id))
