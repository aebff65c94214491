"""CREATE CAST (PostgreSQL's CreateCast of functioncmds.c)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.acl import ACL_USAGE, pg_type_aclcheck
from pgemu.catalog.heap import depend, insert_rows, is_pinned
from pgemu.catalog.roles import superuser
from pgemu.catalog.rows import PG_CAST_RELID, PG_PROC_RELID, PG_TYPE_RELID, PgCast, PgProc, PgType
from pgemu.commands.define import type_name_to_string
from pgemu.commands.permissions import aclcheck_error_type, owns
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    DUPLICATE_OBJECT,
    INSUFFICIENT_PRIVILEGE,
    INVALID_OBJECT_DEFINITION,
    WRONG_OBJECT_TYPE,
    PgError,
)

INT4OID, BOOLOID, ARRAY_SUBSCRIPT = 23, 16, 6179
_CONTEXTS = {
    "COERCION_IMPLICIT": "i", "COERCION_ASSIGNMENT": "a", "COERCION_EXPLICIT": "e",
}  # fmt: skip


def create_cast(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE CAST (source AS target)."""
    from pgemu.commands.get_object_address import existing_object
    from pgemu.parser.parse_type import typename_type_id

    catalog = session.catalog
    names = (stmt["sourcetype"], stmt["targettype"])
    source, target = (int(typename_type_id(catalog, {**n, "location": -1})) for n in names)
    rows = [catalog.get(PgType, oid=t) for t in (source, target)]
    for row, word, name in zip(rows, ("source", "target"), names, strict=True):
        if row.typtype == "p":
            shown = type_name_to_string(name)
            raise PgError(WRONG_OBJECT_TYPE, f"{word} data type {shown} is a pseudo-type")
    _check_rights(session, rows)
    for row, word in zip(rows, ("source", "target"), strict=True):
        if row.typtype == "d":
            session.notice(
                "WARNING",
                WRONG_OBJECT_TYPE,
                f"cast will be ignored because the {word} data type is a domain",
            )
            break
    function, method, nargs = 0, "i" if stmt.get("inout") else "b", 0
    needed: list[PgCast] = []
    if "func" in stmt:
        address = existing_object(catalog, "OBJECT_FUNCTION", {"ObjectWithArgs": stmt["func"]})
        function, method = address.objid, "f"
        proc = catalog.get(PgProc, oid=function)
        nargs = proc.pronargs
        needed = _check_function(catalog, proc, source, target)
    if method == "b":
        _check_binary(catalog, rows)
    if source == target and nargs < 2:
        raise _bad("source data type and target data type are the same")
    if catalog.one(PgCast, castsource=source, casttarget=target) is not None:
        raise PgError(
            DUPLICATE_OBJECT,
            f"cast from type {catalog.type_name(source)} to type {catalog.type_name(target)} "
            "already exists",
        )
    oid = catalog.new_oid()
    me = (PG_CAST_RELID, oid, 0)
    new: list[Any] = [PgCast(oid, source, target, function, _CONTEXTS[stmt["context"]], method)]
    for type_id in (source, target):
        if not is_pinned(type_id):
            new.append(depend(me, (PG_TYPE_RELID, type_id, 0), "n"))
    if function and not is_pinned(function):
        new.append(depend(me, (PG_PROC_RELID, function, 0), "n"))
    new += [depend(me, (PG_CAST_RELID, c.oid, 0), "n") for c in needed if not is_pinned(c.oid)]
    insert_rows(catalog, new)
    return CommandResult("CREATE CAST")


def _bad(message: str) -> PgError:
    return PgError(INVALID_OBJECT_DEFINITION, message)


def _check_rights(session: Any, rows: list[PgType]) -> None:
    catalog = session.catalog
    if not any(owns(session, row.typowner) for row in rows):
        source, target = (catalog.type_name(row.oid) for row in rows)
        raise PgError(INSUFFICIENT_PRIVILEGE, f"must be owner of type {source} or type {target}")
    for row in rows:
        if not pg_type_aclcheck(catalog, row.oid, ACL_USAGE):
            aclcheck_error_type(session, row.oid)


def _coercible(catalog: Any, source: int, target: int, what: str) -> list[PgCast]:
    """Are values of source values of target as they stand?  The casts that make it so."""
    from pgemu.parser.parse_coerce_path import is_binary_coercible

    if not is_binary_coercible(catalog, source, target):
        raise _bad(f"{what} data type")
    return [
        c for c in catalog.all(PgCast, castsource=source, casttarget=target) if c.castmethod == "b"
    ]


def _check_function(catalog: Any, row: PgProc, source: int, target: int) -> list[PgCast]:
    args = row.proargtypes
    if not 1 <= row.pronargs <= 3:
        raise _bad("cast function must take one to three arguments")
    needed = _coercible(
        catalog, source, args[0],
        "argument of cast function must match or be binary-coercible from source",
    )  # fmt: skip
    if row.pronargs > 1 and args[1] != INT4OID:
        raise _bad("second argument of cast function must be type integer")
    if row.pronargs > 2 and args[2] != BOOLOID:
        raise _bad("third argument of cast function must be type boolean")
    needed += _coercible(
        catalog, row.prorettype, target,
        "return data type of cast function must match or be binary-coercible to target",
    )  # fmt: skip
    if row.prokind != "f":
        raise _bad("cast function must be a normal function")
    if row.proretset:
        raise _bad("cast function must not return a set")
    return needed


def _check_binary(catalog: Any, rows: list[PgType]) -> None:
    """WITHOUT FUNCTION: the bytes of one type are taken for those of the other."""
    if not superuser(catalog):
        raise PgError(INSUFFICIENT_PRIVILEGE, "must be superuser to create a cast WITHOUT FUNCTION")
    physical = {(row.typlen, row.typbyval, row.typalign) for row in rows}
    if len(physical) > 1:
        raise _bad("source and target data types are not physically compatible")
    for kind, message in (
        ("c", "composite data types are not binary-compatible"),
        ("e", "enum data types are not binary-compatible"),
        ("", "array data types are not binary-compatible"),
        ("d", "domain data types must not be marked binary-compatible"),
    ):
        if any(
            row.typtype == kind if kind else row.typelem and row.typsubscript == ARRAY_SUBSCRIPT
            for row in rows
        ):
            raise _bad(message)
