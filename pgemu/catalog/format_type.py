"""How types, functions and operators are written (PostgreSQL's format_type.c and regproc.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgemu.catalog.keywords import quote_identifier, quote_qualified_identifier
from pgemu.catalog.namespace import active_search_path
from pgemu.catalog.namespace_candidates import (
    function_is_visible,
    operator_is_visible,
    type_is_visible,
)
from pgemu.catalog.rows import PgNamespace, PgOperator, PgProc, PgType
from pgemu.errors import INTERNAL_ERROR, PgError
from pgemu.types.base import base_types

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog

ARRAY_SUBSCRIPT_HANDLER = 6179

# Types of the SQL standard, by typname: their spelling.
_SQL_NAMES = {
    "bool": "boolean",
    "float4": "real",
    "float8": "double precision",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "numeric": "numeric",
    "interval": "interval",
    "varbit": "bit varying",
    "varchar": "character varying",
}
_TIME_NAMES = {
    "time": ("time", " without time zone"),
    "timetz": ("time", " with time zone"),
    "timestamp": ("timestamp", " without time zone"),
    "timestamptz": ("timestamp", " with time zone"),
}


def _typmod_text(typname: str, typmod: int) -> str:
    """What typmodout answers, e.g. "(10,2)"."""
    base = base_types.get(typname)
    return base.typmod_out(typmod) if base is not None else f"({typmod})"


def _builtin_name(typname: str, typmod: int | None) -> str | None:
    """The standard's spelling, if the type has one.  typmod None: no modifier was asked for."""
    given = typmod is not None and typmod >= 0
    if typname in _TIME_NAMES:
        name, zone = _TIME_NAMES[typname]
        suffix = _typmod_text(typname, typmod) if given and typmod is not None else ""
        return name + (suffix if "time zone" in suffix else suffix + zone)
    if typname in ("bit", "bpchar"):
        # Without a modifier the standard's name would mean length 1.
        if given and typmod is not None:
            name = "bit" if typname == "bit" else "character"
            return name + _typmod_text(typname, typmod)
        if typmod is None:
            return "bit" if typname == "bit" else "character"
        return None
    if typname not in _SQL_NAMES:
        return None
    suffix = _typmod_text(typname, typmod) if given and typmod is not None else ""
    return _SQL_NAMES[typname] + suffix


def _namespace_name_or_temp(catalog: Catalog, oid: int) -> str:
    """get_namespace_name_or_temp: one's own temporary schema goes by its alias."""
    if oid == catalog.my_temp_namespace:
        return "pg_temp"
    return catalog.get(PgNamespace, oid=oid).nspname


def format_type_extended(
    catalog: Catalog,
    oid: int,
    typmod: int | None = None,
    *,
    allow_invalid: bool = False,
    force_qualify: bool = False,
) -> str:
    """typmod None: none was asked for (format_type_be); -1: unknown (format_type_with_typemod)."""
    if oid == 0:
        return "-" if allow_invalid else _missing(oid)
    path = None if force_qualify else tuple(active_search_path(catalog))
    key = ("format_type", oid, typmod, path)
    found: str | None = catalog.memo.get(key)
    if found is not None:
        return found
    row = catalog.one(PgType, oid=oid)
    if row is None:
        return "???" if allow_invalid else _missing(oid)
    is_array = False
    if row.typsubscript == ARRAY_SUBSCRIPT_HANDLER and row.typelem and row.typstorage != "p":
        element = catalog.one(PgType, oid=row.typelem)
        if element is None:
            return "???[]" if allow_invalid else _missing(oid)
        row = element
        is_array = True
    text = None
    if (
        (row.typnamespace == 11 and not force_qualify)
        or (row.typnamespace == 11 and row.typname in ("bit", "bpchar"))
        or (row.typnamespace == 11 and row.typname in (_SQL_NAMES.keys() | _TIME_NAMES.keys()))
    ):
        text = _builtin_name(row.typname, typmod)
    if text is None:
        namespace = None
        if force_qualify or not type_is_visible(catalog, row.oid):
            namespace = _namespace_name_or_temp(catalog, row.typnamespace)
        text = quote_qualified_identifier(namespace, row.typname)
        if typmod is not None and typmod >= 0:
            if row.typnamespace != 11 and row.typmodout and row.typisdefined:
                text += catalog.types.io(row.oid).typmod_out(typmod)
            else:
                text += _typmod_text(row.typname, typmod)
    if is_array:
        text += "[]"
    catalog.memo[key] = text
    return text


def _missing(oid: int) -> str:
    raise PgError(INTERNAL_ERROR, f"cache lookup failed for type {oid}")


def format_type_be(catalog: Catalog, oid: int) -> str:
    """The type's name without modifier."""
    return format_type_extended(catalog, oid)


def format_type_be_qualified(catalog: Catalog, oid: int) -> str:
    return format_type_extended(catalog, oid, force_qualify=True)


def format_type_with_typemod(catalog: Catalog, oid: int, typmod: int) -> str:
    """The type's name such that it can be read back: bpchar without a length is not
    "character", which would be one character long."""
    return format_type_extended(catalog, oid, typmod)


def format_type_with_typmod(catalog: Catalog, oid: int, typmod: int = -1) -> str:
    """What Catalog.type_name answers: as format_type_be where there is no modifier."""
    return format_type_extended(catalog, oid, typmod if typmod >= 0 else None, allow_invalid=True)


def format_procedure(catalog: Catalog, oid: int, *, force_qualify: bool = False) -> str:
    """regprocedureout: `name(type,type)`, schema-qualified only where it must be."""
    row = catalog.one(PgProc, oid=oid)
    if row is None:
        return str(oid)
    args = ",".join(
        format_type_extended(catalog, t, allow_invalid=True, force_qualify=force_qualify)
        for t in row.proargtypes
    )
    namespace = None
    if force_qualify or not function_is_visible(catalog, oid):
        namespace = catalog.get(PgNamespace, oid=row.pronamespace).nspname
    return f"{quote_qualified_identifier(namespace, row.proname)}({args})"


def format_operator(catalog: Catalog, oid: int, *, force_qualify: bool = False) -> str:
    """regoperatorout: `+(integer,integer)`, NONE for a missing operand."""
    row = catalog.one(PgOperator, oid=oid)
    if row is None:
        return str(oid)
    prefix = ""
    if force_qualify or not operator_is_visible(catalog, oid):
        namespace = catalog.get(PgNamespace, oid=row.oprnamespace).nspname
        prefix = quote_identifier(namespace) + "."
    operands = ",".join(
        format_type_extended(catalog, t, force_qualify=force_qualify) if t else "NONE"
        for t in (row.oprleft, row.oprright)
    )
    return f"{prefix}{row.oprname}({operands})"


def func_signature_string(catalog: Catalog, name: str, args: tuple[int, ...]) -> str:
    """funcname_signature_string: for "function %s does not exist"."""
    return f"{name}({', '.join(format_type_be(catalog, t) for t in args)})"
