"""CREATE CONVERSION (PostgreSQL's conversioncmds.c and pg_conversion.c).

Conversion functions are functions in C: only PostgreSQL's own can be named, and they convert what
Python's codecs convert, so a new conversion changes nothing but the catalog.
"""

from __future__ import annotations

from typing import Any

from pgemu.catalog.acl import ACL_CREATE, ACL_EXECUTE, pg_namespace_aclcheck, pg_proc_aclcheck
from pgemu.catalog.heap import depend, insert_rows, is_pinned, owner_rows
from pgemu.catalog.namespace import qualified_name_get_creation_namespace
from pgemu.catalog.rows import (
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
    INTERNAL_ERROR,
    INVALID_OBJECT_DEFINITION,
    UNDEFINED_OBJECT,
    PgError,
)
from pgemu.guc.encodings import encoding_by_name, encoding_name

# int4, int4, cstring, internal, int4, bool
_ARGUMENTS = [23, 23, 2275, 2281, 23, 16]
_FIRST_NORMAL_OID = 16384


def create_conversion(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE [DEFAULT] CONVERSION."""
    from pgemu.parser.parse_func_lookup import lookup_func_name

    catalog = session.catalog
    namespace, name = qualified_name_get_creation_namespace(catalog, stmt["conversion_name"])
    if not pg_namespace_aclcheck(catalog, namespace, ACL_CREATE):
        aclcheck_error("schema", catalog.get(PgNamespace, oid=namespace).nspname)
    source = _encoding("source", stmt["for_encoding_name"])
    target = _encoding("destination", stmt["to_encoding_name"])
    if 0 in (source, target):
        raise PgError(
            INVALID_OBJECT_DEFINITION,
            'encoding conversion to or from "SQL_ASCII" is not supported',
        )
    names = strings(stmt["func_name"])
    function = lookup_func_name(catalog, names, _ARGUMENTS)
    if catalog.get(PgProc, oid=function).prorettype != 23:
        raise PgError(
            INVALID_OBJECT_DEFINITION,
            f"encoding conversion function {'.'.join(names)} must return type integer",
        )
    if not pg_proc_aclcheck(catalog, function, ACL_EXECUTE):
        aclcheck_error("function", ".".join(names))
    _check_encodings(catalog, function, source, target)
    is_default = bool(stmt.get("def"))
    if catalog.one(PgConversion, conname=name, connamespace=namespace) is not None:
        raise PgError(DUPLICATE_OBJECT, f'conversion "{name}" already exists')
    if is_default:
        _check_no_default(catalog, namespace, source, target)
    oid, owner = catalog.new_oid(), session.ctx.current_user_oid
    me = (PgConversion.RELID, oid, 0)
    rows: list[Any] = [
        PgConversion(oid, name, namespace, owner, source, target, function, is_default),
        *owner_rows(catalog, PgConversion.RELID, oid, owner),
    ]
    if not is_pinned(function):
        rows.append(depend(me, (PG_PROC_RELID, function, 0), "n"))
    if not is_pinned(namespace, PG_NAMESPACE_RELID):
        rows.append(depend(me, (PG_NAMESPACE_RELID, namespace, 0), "n"))
    insert_rows(catalog, rows)
    return CommandResult("CREATE CONVERSION")


def _encoding(word: str, name: str) -> int:
    found = encoding_by_name(name)
    if found is None:
        raise PgError(UNDEFINED_OBJECT, f'{word} encoding "{name}" does not exist')
    return found.number


def _check_encodings(catalog: Any, function: int, source: int, target: int) -> None:
    """The trial call: a function of PostgreSQL's refuses encodings that are not its own."""
    own = [
        row for row in catalog.all(PgConversion, conproc=function) if row.oid < _FIRST_NORMAL_OID
    ]
    if not own or any((r.conforencoding, r.contoencoding) == (source, target) for r in own):
        return
    for word, given, column in (
        ("source", source, "conforencoding"),
        ("destination", target, "contoencoding"),
    ):
        wanted = [getattr(row, column) for row in own]
        if given not in wanted:
            raise PgError(
                INTERNAL_ERROR,
                f'expected {word} encoding "{encoding_name(wanted[0])}", but got '
                f'"{encoding_name(given)}"',
            )


def _check_no_default(catalog: Any, namespace: int, source: int, target: int) -> None:
    """FindDefaultConversion."""
    found = catalog.one(
        PgConversion,
        connamespace=namespace,
        conforencoding=source,
        contoencoding=target,
        condefault=True,
    )
    if found is not None:
        raise PgError(
            DUPLICATE_OBJECT,
            f"default conversion for {encoding_name(source)} to {encoding_name(target)} "
            "already exists",
        )
