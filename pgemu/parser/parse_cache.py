"""Catalog rows as parse analysis reads them (PostgreSQL's lsyscache.c), cached.

The compile path of a statement asks for the same few dozen types, functions and operators over
and over, so everything that resolution finds is kept in `catalog.parse_cache`, one dict that the
catalog empties whenever anything in the catalogs changes.  Keys are tuples starting with a word
(plain ints: pg_type rows by OID); keys of name lookups include the search path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pgemu.catalog.acl import ACL_USAGE, pg_namespace_aclcheck
from pgemu.catalog.namespace import active_search_path
from pgemu.catalog.rows import PgClass, PgNamespace, PgOperator, PgProc, PgRange, PgType
from pgemu.errors import (
    INSUFFICIENT_PRIVILEGE,
    INVALID_SCHEMA_NAME,
    SYNTAX_ERROR,
    UNDEFINED_OBJECT,
    PgError,
)
from pgemu.parser.type_oids import (
    ARRAY_SUBSCRIPT_HANDLER,
    JSONBOID,
    RAW_ARRAY_SUBSCRIPT_HANDLER,
    RECORDOID,
)

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog


def parse_cache(catalog: Catalog) -> dict[Any, Any]:
    """The catalog's cache for this room (a throw-away dict where there is none)."""
    cache: dict[Any, Any] | None = getattr(catalog, "parse_cache", None)
    return {} if cache is None else cache


def get_type(catalog: Catalog, type_oid: int) -> PgType:
    """pg_type row; a missing one is an internal error, as in PostgreSQL."""
    cache = parse_cache(catalog)
    row: PgType | None = cache.get(type_oid)
    if row is None:
        row = catalog.one(PgType, oid=type_oid)
        if row is None:
            raise PgError(UNDEFINED_OBJECT, f"type with OID {type_oid} does not exist")
        cache[type_oid] = row
    return row


def get_proc(catalog: Catalog, oid: int) -> PgProc:
    cache = parse_cache(catalog)
    key = ("proc", oid)
    row: PgProc | None = cache.get(key)
    if row is None:
        row = catalog.one(PgProc, oid=oid)
        if row is None:
            raise PgError("XX000", f"cache lookup failed for function {oid}")
        cache[key] = row
    return row


def get_operator(catalog: Catalog, oid: int) -> PgOperator:
    cache = parse_cache(catalog)
    key = ("operator", oid)
    row: PgOperator | None = cache.get(key)
    if row is None:
        row = catalog.one(PgOperator, oid=oid)
        if row is None:
            raise PgError("XX000", f"cache lookup failed for operator {oid}")
        cache[key] = row
    return row


def type_name(catalog: Catalog, type_oid: int, typmod: int = -1) -> str:
    """format_type_with_typemod; PostgreSQL writes "-" nowhere, unknown OIDs as "???"."""
    return catalog.type_name(type_oid, typmod)


def get_base_type(catalog: Catalog, type_oid: int) -> int:
    """The type under all layers of domains."""
    return get_base_type_and_typmod(catalog, type_oid, -1)[0]


def get_base_type_and_typmod(catalog: Catalog, type_oid: int, typmod: int) -> tuple[int, int]:
    """Base type of a domain, and its typmod; for others (type_oid, typmod) as given."""
    row = get_type(catalog, type_oid)
    while row.typtype == "d":
        type_oid, typmod = row.typbasetype, row.typtypmod
        row = get_type(catalog, type_oid)
    return type_oid, typmod


def is_true_array_type(row: PgType) -> bool:
    return row.typelem != 0 and row.typsubscript == ARRAY_SUBSCRIPT_HANDLER


def get_element_type(catalog: Catalog, type_oid: int) -> int:
    """Element type of a varlena array type, else 0 (oidvector and int2vector: 0)."""
    row = get_type(catalog, type_oid)
    return row.typelem if row.typlen == -1 and is_true_array_type(row) else 0


def get_base_element_type(catalog: Catalog, type_oid: int) -> int:
    """get_element_type of the type under domains."""
    return get_element_type(catalog, get_base_type(catalog, type_oid))


def get_array_type(catalog: Catalog, type_oid: int) -> int:
    return get_type(catalog, type_oid).typarray


def get_promoted_array_type(catalog: Catalog, type_oid: int) -> int:
    """The array type over a scalar; an array type itself; 0 for others."""
    array = get_array_type(catalog, type_oid)
    if array:
        return array
    return type_oid if get_element_type(catalog, type_oid) else 0


def type_is_array_domain(catalog: Catalog, type_oid: int) -> bool:
    return get_base_element_type(catalog, type_oid) != 0


def get_range_subtype(catalog: Catalog, range_oid: int) -> int:
    key = ("range", range_oid)
    cache = parse_cache(catalog)
    if key not in cache:
        row = catalog.one(PgRange, rngtypid=range_oid)
        cache[key] = row.rngsubtype if row is not None else 0
    subtype: int = cache[key]
    return subtype


def get_range_multirange(catalog: Catalog, range_oid: int) -> int:
    row = catalog.one(PgRange, rngtypid=range_oid)
    return row.rngmultitypid if row is not None else 0


def get_multirange_range(catalog: Catalog, multirange_oid: int) -> int:
    key = ("multirange", multirange_oid)
    cache = parse_cache(catalog)
    if key not in cache:
        row = catalog.one(PgRange, rngmultitypid=multirange_oid)
        cache[key] = row.rngtypid if row is not None else 0
    range_oid: int = cache[key]
    return range_oid


def get_collation_of_type(catalog: Catalog, type_oid: int) -> int:
    """get_typcollation."""
    return get_type(catalog, type_oid).typcollation


def type_relid(catalog: Catalog, type_oid: int) -> int:
    """typeidTypeRelid."""
    return get_type(catalog, type_oid).typrelid


def type_or_domain_type_relid(catalog: Catalog, type_oid: int) -> int:
    """pg_class OID of a composite type, also through domains; 0 when it is none."""
    return get_type(catalog, get_base_type(catalog, type_oid)).typrelid


def is_complex(catalog: Catalog, type_oid: int) -> bool:
    """ISCOMPLEX: a composite type or a domain over one."""
    return type_or_domain_type_relid(catalog, type_oid) != 0


def is_rowtype(catalog: Catalog, type_oid: int) -> bool:
    """type_is_rowtype: also RECORD."""
    if type_oid == RECORDOID:
        return True
    row = get_type(catalog, type_oid)
    if row.typtype == "d":
        row = get_type(catalog, get_base_type(catalog, type_oid))
    return row.typtype == "c"


def is_enum(catalog: Catalog, type_oid: int) -> bool:
    return get_type(catalog, type_oid).typtype == "e"


def is_range(catalog: Catalog, type_oid: int) -> bool:
    return get_type(catalog, type_oid).typtype == "r"


def is_multirange(catalog: Catalog, type_oid: int) -> bool:
    return get_type(catalog, type_oid).typtype == "m"


def subscript_kind(row: PgType) -> str:
    """ "array", "raw_array" (name, point, ...), "jsonb", "hstore" or ""."""
    if row.typsubscript == 0:
        return ""
    if row.typsubscript == ARRAY_SUBSCRIPT_HANDLER:
        return "array"
    if row.typsubscript == RAW_ARRAY_SUBSCRIPT_HANDLER:
        return "raw_array"
    return "jsonb" if row.oid == JSONBOID else "hstore"


def str_list(names: list[Any]) -> list[str]:
    """A raw list of String nodes as plain strings; plain strings pass."""
    return [n if isinstance(n, str) else n["String"].get("sval", "") for n in names]


def name_list_to_string(names: list[str]) -> str:
    """NameListToString: unquoted, dot-separated."""
    return ".".join(names)


def deconstruct_qualified_name(
    catalog: Catalog, names: list[str], location: int = -1
) -> tuple[str | None, str]:
    """(schema or None, object name) of a dotted name; a catalog must be the current one."""
    if len(names) == 1:
        return None, names[0]
    if len(names) == 2:
        return names[0], names[1]
    if len(names) == 3:
        if names[0] != catalog.ctx.database:
            raise PgError(
                "0A000",
                "cross-database references are not implemented: " + ".".join(names),
                location=location,
            )
        return names[1], names[2]
    raise PgError(
        SYNTAX_ERROR,
        f"improper qualified name (too many dotted names): {'.'.join(names)}",
        location=location,
    )


def lookup_explicit_namespace(
    catalog: Catalog, name: str, missing_ok: bool = False, location: int = -1
) -> int:
    """OID of a schema that the statement names; 3F000 when it does not exist."""
    if name == "pg_temp":
        temp = temp_namespace(catalog)
        if temp:
            return temp
    row = catalog.one(PgNamespace, nspname=name)
    if row is None:
        if missing_ok:
            return 0
        raise PgError(INVALID_SCHEMA_NAME, f'schema "{name}" does not exist', location=location)
    if not pg_namespace_aclcheck(catalog, row.oid, ACL_USAGE):
        raise PgError(
            INSUFFICIENT_PRIVILEGE, f"permission denied for schema {name}", location=location
        )
    return row.oid


def temp_namespace(catalog: Catalog) -> int:
    """OID of the session's own temporary schema, 0 while it has none."""
    value: Any = getattr(catalog, "my_temp_namespace", 0)
    if callable(value):
        value = value()
    return int(value or 0)


def search_path(catalog: Catalog) -> tuple[int, ...]:
    return tuple(active_search_path(catalog))


def by_role(catalog: Catalog) -> tuple[int, ...]:
    """In the place of the search path, for a name with a schema: the right to use the schema,
    without which there is nothing to be found, is the role's."""
    return (-catalog.ctx.current_user_oid,)


def relation_name(catalog: Catalog, relid: int) -> str:
    row = catalog.one(PgClass, oid=relid)
    return row.relname if row is not None else ""
