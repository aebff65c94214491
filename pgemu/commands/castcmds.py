"""CREATE CAST (PostgreSQL's CreateCast of functioncmds.c)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.heap import depend, insert_rows, is_pinned
from pgemu.catalog.rows import PG_CAST_RELID, PG_PROC_RELID, PG_TYPE_RELID, PgCast, PgProc, PgType
from pgemu.commands.permissions import owns
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    DUPLICATE_OBJECT,
    FEATURE_NOT_SUPPORTED,
    INSUFFICIENT_PRIVILEGE,
    INVALID_OBJECT_DEFINITION,
    WRONG_OBJECT_TYPE,
    PgError,
)

_CONTEXTS = {
    "COERCION_IMPLICIT": "i", "COERCION_ASSIGNMENT": "a", "COERCION_EXPLICIT": "e",
}  # fmt: skip


def create_cast(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE CAST (source AS target)."""
    from pgemu.commands.get_object_address import existing_object
    from pgemu.parser.parse_type import typename_type_id

    catalog = session.catalog
    source = int(typename_type_id(catalog, stmt["sourcetype"]))
    target = int(typename_type_id(catalog, stmt["targettype"]))
    rows = [catalog.one(PgType, oid=t) for t in (source, target)]
    for row, word in zip(rows, ("source", "target"), strict=True):
        if row.typtype == "p":
            raise PgError(
                WRONG_OBJECT_TYPE, f"{word} data type {catalog.type_name(row.oid)} is a pseudo-type"
            )
    if not any(owns(session, row.typowner) for row in rows):
        raise PgError(
            INSUFFICIENT_PRIVILEGE,
            f"must be owner of type {catalog.type_name(source)} or type "
            f"{catalog.type_name(target)}",
        )
    function, method = 0, "b"
    if "func" in stmt:
        address = existing_object(catalog, "OBJECT_FUNCTION", {"ObjectWithArgs": stmt["func"]})
        function, method = address.objid, "f"
        _check_function(catalog, catalog.one(PgProc, oid=function), source, target)
    elif stmt.get("inout"):
        method = "i"
    elif source == target:
        raise PgError(
            INVALID_OBJECT_DEFINITION, "source data type and target data type are the same"
        )
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
    insert_rows(catalog, new)
    return CommandResult("CREATE CAST")


def _check_function(catalog: Any, row: PgProc, source: int, target: int) -> None:
    if not 1 <= row.pronargs <= 3:
        raise PgError(INVALID_OBJECT_DEFINITION, "cast function must take one to three arguments")
    if row.proargtypes[0] != source:
        raise PgError(
            INVALID_OBJECT_DEFINITION,
            "argument of cast function must match or be binary-coercible from source data type",
        )
    if row.prorettype != target:
        raise PgError(
            INVALID_OBJECT_DEFINITION,
            "return data type of cast function must match or be binary-coercible to target "
            "data type",
        )
    if row.provolatile == "v":
        raise PgError(INVALID_OBJECT_DEFINITION, "cast function must not be volatile")
    if row.proretset:
        raise PgError(INVALID_OBJECT_DEFINITION, "cast function must not return a set")


def create_transform(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE TRANSFORM."""
    raise PgError(FEATURE_NOT_SUPPORTED, "CREATE TRANSFORM is not supported")
