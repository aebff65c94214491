"""Finding the operator class of an index or partition key (GetDefaultOpClass and ResolveOpClass of
indexcmds.c) and the equality operators behind it."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.lsyscache import get_default_opclass, is_binary_coercible
from pgemu.catalog.rows import PgAm, PgAmop, PgOpclass, PgType
from pgemu.commands.define import strings
from pgemu.errors import DATATYPE_MISMATCH, UNDEFINED_OBJECT, PgError

BT_EQUAL_STRATEGY = 3
# polymorphic key types by the shape of the indexed type
ANYARRAY, ANYENUM, ANYRANGE, RECORD, ANYMULTIRANGE = 2277, 3500, 3831, 2249, 4537


def get_base_type(catalog: Any, type_id: int) -> int:
    """getBaseType: through domains."""
    row = catalog.one(PgType, oid=type_id)
    while row is not None and row.typtype == "d":
        type_id = row.typbasetype
        row = catalog.one(PgType, oid=type_id)
    return int(type_id)


def resolve_opclass(
    catalog: Any, names: list[Any] | None, type_id: int, am_name: str, am: int
) -> int:
    """ResolveOpClass: the named class, checked against the type, or the default."""
    if not names:
        found = get_default_opclass(catalog, type_id, am)
        if not found:
            raise PgError(
                UNDEFINED_OBJECT,
                f"data type {catalog.type_name(type_id)} has no default operator class for "
                f'access method "{am_name}"',
                hint="You must specify an operator class for the index or define a default "
                "operator class for the data type.",
            )
        return found
    words = strings(names)
    row = opclass_by_name(catalog, words, am)
    if row is None:
        raise PgError(
            UNDEFINED_OBJECT,
            f'operator class "{".".join(words)}" does not exist for access method "{am_name}"',
        )
    base = get_base_type(catalog, type_id)
    if not is_binary_coercible(catalog, base, row.opcintype):
        raise PgError(
            DATATYPE_MISMATCH,
            f'operator class "{".".join(words)}" does not accept data type '
            f"{catalog.type_name(type_id)}",
        )
    return int(row.oid)


def opclass_by_name(catalog: Any, words: list[str], am: int) -> PgOpclass | None:
    """OpclassnameGetOpcid for a qualified or unqualified name."""
    if len(words) > 1:
        from pgemu.catalog.namespace import lookup_explicit_namespace

        namespaces = [lookup_explicit_namespace(catalog, words[0])]
    else:
        namespaces = catalog.search_path()
    for namespace in namespaces:
        row: PgOpclass | None = catalog.one(
            PgOpclass, opcmethod=am, opcname=words[-1], opcnamespace=namespace
        )
        if row is not None:
            return row
    return None


def am_oid(catalog: Any, name: str) -> int:
    """OID of an index access method; 42704 if there is none."""
    # rtree was gist's name once
    row = catalog.one(PgAm, amname="gist" if name == "rtree" else name)
    if row is None:
        raise PgError(UNDEFINED_OBJECT, f'access method "{name}" does not exist')
    return int(row.oid)


def opfamily_member(catalog: Any, family: int, left: int, right: int, strategy: int) -> int:
    """get_opfamily_member: operator OID or 0."""
    row = catalog.one(
        PgAmop, amopfamily=family, amoplefttype=left, amoprighttype=right, amopstrategy=strategy
    )
    return int(row.amopopr) if row is not None else 0


def is_pseudo_key_type(type_id: int) -> bool:
    """Does an operator class of this key type serve a whole family of types?"""
    return type_id in (ANYARRAY, ANYENUM, ANYRANGE, RECORD, ANYMULTIRANGE)
