"""CREATE CONVERSION (PostgreSQL's conversioncmds.c and pg_conversion.c).

The functions are those of the built-in conversions; which encodings a function converts is read
from the row that uses it.
"""

from __future__ import annotations

from typing import Any

from pgemu.catalog.acl import ACL_CREATE, ACL_EXECUTE, pg_namespace_aclcheck, pg_proc_aclcheck
from pgemu.catalog.heap import depend, insert_rows, is_pinned, owner_rows
from pgemu.catalog.namespace import name_list_to_string, qualified_name_get_creation_namespace
from pgemu.catalog.rows import (
    PG_CONVERSION_RELID,
    PG_NAMESPACE_RELID,
    PG_PROC_RELID,
    PgConversion,
    PgNamespace,
    PgProc,
)
from pgemu.commands.define import strings
from pgemu.commands.permissions import aclcheck_error
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    DUPLICATE_OBJECT,
    FEATURE_NOT_SUPPORTED,
    INTERNAL_ERROR,
    INVALID_OBJECT_DEFINITION,
    UNDEFINED_OBJECT,
    PgError,
)
from pgemu.guc.encodings import encoding_by_name, encoding_name
from pgemu.parser.parse_func_lookup import lookup_func_name

SQL_ASCII = 0
INT4OID, CSTRINGOID, INTERNALOID, BOOLOID = 23, 2275, 2281, 16
FIRST_USER_OID = 16384


def create_conversion(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE [DEFAULT] CONVERSION name FOR source TO destination FROM function."""
    catalog = session.catalog
    namespace, name = qualified_name_get_creation_namespace(catalog, stmt["conversion_name"])
    if not pg_namespace_aclcheck(catalog, namespace, ACL_CREATE):
        aclcheck_error("schema", catalog.get(PgNamespace, oid=namespace).nspname)
    source = _encoding(stmt["for_encoding_name"], "source")
    target = _encoding(stmt["to_encoding_name"], "destination")
    if SQL_ASCII in (source, target):
        raise PgError(
            INVALID_OBJECT_DEFINITION,
            'encoding conversion to or from "SQL_ASCII" is not supported',
        )
    words = strings(stmt["func_name"])
    types = [INT4OID, INT4OID, CSTRINGOID, INTERNALOID, INT4OID, BOOLOID]
    function = catalog.get(PgProc, oid=lookup_func_name(catalog, words, types))
    if function.prorettype != INT4OID:
        raise PgError(
            INVALID_OBJECT_DEFINITION,
            f"encoding conversion function {name_list_to_string(words)} must return type integer",
        )
    if not pg_proc_aclcheck(catalog, function.oid, ACL_EXECUTE):
        aclcheck_error("function", name_list_to_string(words))
    _check_suitable(catalog, function, source, target)
    default = bool(stmt.get("def"))
    _check_free(catalog, name, namespace, source, target, default)
    oid, owner = catalog.new_oid(), session.ctx.current_user_oid
    me = (PG_CONVERSION_RELID, oid, 0)
    rows: list[Any] = [
        PgConversion(oid, name, namespace, owner, source, target, function.oid, default),
        *owner_rows(catalog, PG_CONVERSION_RELID, oid, owner),
    ]
    if not is_pinned(function.oid):
        rows.append(depend(me, (PG_PROC_RELID, function.oid, 0), "n"))
    if not is_pinned(namespace, PG_NAMESPACE_RELID):
        rows.append(depend(me, (PG_NAMESPACE_RELID, namespace, 0), "n"))
    insert_rows(catalog, rows)
    return CommandResult("CREATE CONVERSION")


def _encoding(name: str, what: str) -> int:
    found = encoding_by_name(name)
    if found is None:
        raise PgError(UNDEFINED_OBJECT, f'{what} encoding "{name}" does not exist')
    return found.number


def _check_suitable(catalog: Any, function: PgProc, source: int, target: int) -> None:
    """What the function would say of other encodings than its own
    (check_encoding_conversion_args)."""
    known = [c for c in catalog.all(PgConversion, conproc=function.oid) if c.oid < FIRST_USER_OID]
    if any((c.conforencoding, c.contoencoding) == (source, target) for c in known):
        return
    if not known:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            f"conversions by function {function.proname} are not supported",
        )
    sources = {c.conforencoding for c in known}
    targets = {c.contoencoding for c in known}
    if len(sources) == 1 and source not in sources:
        message = (
            f'expected source encoding "{encoding_name(sources.pop())}", '
            f'but got "{encoding_name(source)}"'
        )
    elif len(targets) == 1 and target not in targets:
        message = (
            f'expected destination encoding "{encoding_name(targets.pop())}", '
            f'but got "{encoding_name(target)}"'
        )
    else:
        family = "WIN" if "win" in function.proname else "ISO 8859"
        number = target if len(sources) == 1 else source
        message = f"unexpected encoding ID {number} for {family} character sets"
    raise PgError(INTERNAL_ERROR, message)


def _check_free(
    catalog: Any, name: str, namespace: int, source: int, target: int, default: bool
) -> None:
    if catalog.one(PgConversion, conname=name, connamespace=namespace) is not None:
        raise PgError(DUPLICATE_OBJECT, f'conversion "{name}" already exists')
    same = catalog.all(
        PgConversion, connamespace=namespace, conforencoding=source, contoencoding=target
    )
    if default and any(c.condefault for c in same):
        raise PgError(
            DUPLICATE_OBJECT,
            f"default conversion for {encoding_name(source)} to {encoding_name(target)} "
            "already exists",
        )
