"""format_type, pg_get_userbyid, pg_describe_object, pg_identify_object, pg_options_to_table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pgemu.catalog.format_type import format_type_extended
from pgemu.catalog.object_identity import identify_object, identify_object_as_address
from pgemu.catalog.objectaddress import (
    DESCRIBERS,
    TYPE_WORDS,
    ObjectAddress,
    get_object_description,
)
from pgemu.catalog.roles import get_rolename
from pgemu.catalog.rows import (
    CATALOG_BY_RELID,
    PgAttribute,
    PgClass,
    PgCollation,
    PgConstraint,
    PgLargeobject,
    PgLargeobjectMetadata,
    PgProc,
)
from pgemu.errors import NULL_VALUE_NOT_ALLOWED, UNDEFINED_OBJECT, PgError
from pgemu.fmgr import CallContext, pg_function
from pgemu.types.arrays_value import load_flat
from pgemu.types.icu import collation_version


@pg_function("format_type(oid, int4)", context=True)
def format_type(ctx: CallContext, oid: int | None, typmod: int | None) -> str | None:
    """Not strict: without a modifier the type's plain name is meant."""
    if oid is None:
        return None
    return format_type_extended(ctx.catalog, oid, typmod, allow_invalid=True)


@pg_function("pg_get_userbyid(oid)", context=True)
def pg_get_userbyid(ctx: CallContext, oid: int) -> str:
    return get_rolename(ctx.catalog, oid) or f"unknown (OID={oid})"


def _exists(ctx: CallContext, address: ObjectAddress) -> bool:
    cls = CATALOG_BY_RELID.get(address.classid)
    if cls is None or address.classid not in DESCRIBERS:
        raise PgError("XX000", f"unrecognized object class: {address.classid}")
    if cls is PgLargeobject:
        return ctx.catalog.one(PgLargeobjectMetadata, oid=address.objid) is not None
    if "oid" not in cls._fields:
        return True
    if ctx.catalog.one(cls, oid=address.objid) is None:
        return False
    if address.classid == PgClass.RELID and address.objsubid:
        att = ctx.catalog.one(PgAttribute, attrelid=address.objid, attnum=address.objsubid)
        return att is not None
    return True


def _word_of_missing(address: ObjectAddress) -> str:
    """The type of an object that is not there, as far as its catalog tells it."""
    if address.classid == PgClass.RELID and address.objsubid:
        return "table column"
    words = {PgClass.RELID: "relation", PgProc.RELID: "routine", PgConstraint.RELID: "constraint"}
    return words.get(address.classid) or TYPE_WORDS.get(address.classid, "")


@pg_function("pg_describe_object(oid, oid, int4)", context=True)
def pg_describe_object(ctx: CallContext, classid: int, objid: int, objsubid: int) -> str | None:
    if not classid and not objid:
        return None
    address = ObjectAddress(classid, objid, objsubid)
    return get_object_description(ctx.catalog, address) if _exists(ctx, address) else None


@pg_function("pg_identify_object(oid, oid, int4)", context=True)
def pg_identify_object(ctx: CallContext, classid: int, objid: int, objsubid: int) -> Any:
    """(type, schema, name, identity)"""
    address = ObjectAddress(classid, objid, objsubid)
    if not _exists(ctx, address):
        return _word_of_missing(address), None, None, None
    return identify_object(ctx.catalog, address)


@pg_function("pg_identify_object_as_address(oid, oid, int4)", context=True)
def pg_identify_object_as_address(ctx: CallContext, classid: int, objid: int, objsubid: int) -> Any:
    """(type, object_names, object_args)"""
    address = ObjectAddress(classid, objid, objsubid)
    if not _exists(ctx, address):
        return _word_of_missing(address), None, None
    word, names, args = identify_object_as_address(ctx.catalog, address)
    return word, json.dumps(names, ensure_ascii=False), json.dumps(args, ensure_ascii=False)


@pg_function("pg_options_to_table(_text)")
def pg_options_to_table(options: str) -> Iterator[tuple[str, str | None]]:
    found_options = load_flat(options)
    if None in found_options:
        raise PgError(NULL_VALUE_NOT_ALLOWED, "null array element not allowed in this context")
    for option in found_options:
        name, found, value = option.partition("=")
        yield name, (value if found else None)


@pg_function("pg_relation_is_publishable(regclass)", context=True)
def pg_relation_is_publishable(ctx: CallContext, relid: int) -> bool | None:
    row = ctx.catalog.one(PgClass, oid=relid)
    if row is None:
        return None
    return row.relkind in "rp" and row.relpersistence == "p" and relid >= 16384


@pg_function("pg_collation_actual_version(oid)", context=True)
def pg_collation_actual_version(ctx: CallContext, oid: int) -> str | None:
    row = ctx.catalog.one(PgCollation, oid=oid)
    if row is None:
        raise PgError(UNDEFINED_OBJECT, f"collation with OID {oid} does not exist")
    return collation_version(row.colliculocale or "") if row.collprovider == "i" else None


@pg_function("pg_database_collation_actual_version(oid)")
def pg_database_collation_actual_version(oid: int) -> str | None:
    if oid == 0:
        raise PgError(UNDEFINED_OBJECT, f"database with OID {oid} does not exist")
    return None
