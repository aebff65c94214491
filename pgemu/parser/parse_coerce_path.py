"""Which cast leads from one type to another (the catalog-reading half of PostgreSQL's
parse_coerce.c).

A coercion path is one of "none", "func", "relabeltype", "arraycoerce", "coerceviaio".  Contexts
are "implicit" < "assignment" < "plpgsql" < "explicit".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pgemu.catalog.rows import PgCast, PgInherits
from pgemu.parser.parse_cache import (
    get_base_type,
    get_element_type,
    get_type,
    is_complex,
    is_enum,
    is_multirange,
    is_range,
    is_true_array_type,
    parse_cache,
)
from pgemu.parser.type_oids import (
    ANYARRAYOID,
    ANYCOMPATIBLEARRAYOID,
    ANYCOMPATIBLEMULTIRANGEOID,
    ANYCOMPATIBLEOID,
    ANYCOMPATIBLERANGEOID,
    ANYELEMENTOID,
    ANYENUMOID,
    ANYMULTIRANGEOID,
    ANYOID,
    ANYRANGEOID,
    INT2VECTOROID,
    OIDVECTOROID,
    RECORDARRAYOID,
    RECORDOID,
)

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog

COERCION_IMPLICIT: Final = "implicit"
COERCION_ASSIGNMENT: Final = "assignment"
COERCION_PLPGSQL: Final = "plpgsql"
COERCION_EXPLICIT: Final = "explicit"

COERCE_EXPLICIT_CALL: Final = "explicit_call"
COERCE_EXPLICIT_CAST: Final = "explicit_cast"
COERCE_IMPLICIT_CAST: Final = "implicit_cast"
COERCE_SQL_SYNTAX: Final = "sql_syntax"

CONTEXT_RANK: Final = {
    COERCION_IMPLICIT: 0,
    COERCION_ASSIGNMENT: 1,
    COERCION_PLPGSQL: 2,
    COERCION_EXPLICIT: 3,
}
_CAST_RANK: Final = {"i": 0, "a": 1, "e": 3}

PATH_NONE: Final = "none"
PATH_FUNC: Final = "func"
PATH_RELABELTYPE: Final = "relabeltype"
PATH_ARRAYCOERCE: Final = "arraycoerce"
PATH_COERCEVIAIO: Final = "coerceviaio"


def type_category(catalog: Catalog, type_oid: int) -> str:
    """TypeCategory: the one-letter category."""
    return get_type(catalog, type_oid).typcategory


def is_preferred_type(catalog: Catalog, category: str, type_oid: int) -> bool:
    """Is the type preferred in its category?  category "" accepts any."""
    row = get_type(catalog, type_oid)
    return (category in ("", row.typcategory)) and row.typispreferred


def is_binary_coercible(catalog: Catalog, srctype: int, targettype: int) -> bool:
    """Can values of srctype stand where targettype is declared, without any conversion?"""
    if srctype == targettype or targettype == ANYOID:
        return True
    cache = parse_cache(catalog)
    key = ("bincoercible", srctype, targettype)
    known: bool | None = cache.get(key)
    if known is None:
        known = cache[key] = _is_binary_coercible(catalog, srctype, targettype)
    return known


def _casts(catalog: Catalog) -> dict[tuple[int, int], PgCast]:
    """All of pg_cast by source and target: resolution mostly asks for casts that do not exist."""
    cache = parse_cache(catalog)
    known: dict[tuple[int, int], PgCast] | None = cache.get("casts")
    if known is None:
        rows = catalog.all(PgCast)
        known = cache["casts"] = {(row.castsource, row.casttarget): row for row in rows}
    return known


def _is_binary_coercible(catalog: Catalog, srctype: int, targettype: int) -> bool:
    if targettype in (ANYELEMENTOID, ANYCOMPATIBLEOID):
        return True
    src = get_base_type(catalog, srctype) if srctype else srctype
    if src == targettype:
        return True
    special = _POLYMORPHIC_TESTS.get(targettype)
    if special is not None and special(catalog, src):
        return True
    if targettype == RECORDOID and is_complex(catalog, src):
        return True
    if targettype == RECORDARRAYOID and is_complex_array(catalog, src):
        return True
    cast = _casts(catalog).get((src, targettype))
    return cast is not None and cast.castmethod == "b" and cast.castcontext == "i"


def _is_any_array(catalog: Catalog, type_oid: int) -> bool:
    return is_true_array_type(get_type(catalog, type_oid))


_POLYMORPHIC_TESTS = {
    ANYARRAYOID: _is_any_array,
    ANYCOMPATIBLEARRAYOID: _is_any_array,
    ANYENUMOID: is_enum,
    ANYRANGEOID: is_range,
    ANYCOMPATIBLERANGEOID: is_range,
    ANYMULTIRANGEOID: is_multirange,
    ANYCOMPATIBLEMULTIRANGEOID: is_multirange,
}


def find_coercion_pathway(
    catalog: Catalog, target: int, source: int, ccontext: str
) -> tuple[str, int]:
    """(path, cast function OID or 0) from source to target in this context."""
    cache = parse_cache(catalog)
    key = ("coercion", target, source, ccontext)
    found: tuple[str, int] | None = cache.get(key)
    if found is None:
        found = cache[key] = _find_coercion_pathway(catalog, target, source, ccontext)
    return found


def _find_coercion_pathway(
    catalog: Catalog, target: int, source: int, ccontext: str
) -> tuple[str, int]:
    if source:
        source = get_base_type(catalog, source)
    if target:
        target = get_base_type(catalog, target)
    if source == target:
        return PATH_RELABELTYPE, 0
    rank = CONTEXT_RANK[ccontext]
    cast = _casts(catalog).get((source, target))
    if cast is not None:
        if rank < _CAST_RANK[cast.castcontext]:
            return PATH_NONE, 0
        if cast.castmethod == "f":
            return PATH_FUNC, cast.castfunc
        return (PATH_COERCEVIAIO if cast.castmethod == "i" else PATH_RELABELTYPE), 0
    # an array goes element by element, if its elements go at all
    if target not in (OIDVECTOROID, INT2VECTOROID):
        target_elem = get_element_type(catalog, target)
        source_elem = get_element_type(catalog, source) if target_elem else 0
        if target_elem and source_elem:
            path, _ = find_coercion_pathway(catalog, target_elem, source_elem, ccontext)
            if path != PATH_NONE:
                return PATH_ARRAYCOERCE, 0
    # assignment to a string type, and explicit casts from one, may go through the text form
    if rank >= 1 and type_category(catalog, target) == "S":
        return PATH_COERCEVIAIO, 0
    if rank == 3 and type_category(catalog, source) == "S":
        return PATH_COERCEVIAIO, 0
    # PL/pgSQL tries I/O for everything else
    return (PATH_COERCEVIAIO, 0) if rank == 2 else (PATH_NONE, 0)


def find_typmod_coercion_function(catalog: Catalog, type_oid: int) -> tuple[str, int]:
    """("func" or "arraycoerce", function) that forces values of a type to a typmod: the cast of
    the type to itself; ("none", 0) when the type has none."""
    cache = parse_cache(catalog)
    key = ("typmodcoercion", type_oid)
    found: tuple[str, int] | None = cache.get(key)
    if found is None:
        row = get_type(catalog, type_oid)
        path = PATH_FUNC
        element = type_oid
        if is_true_array_type(row):
            path, element = PATH_ARRAYCOERCE, row.typelem
        cast = _casts(catalog).get((element, element))
        function = cast.castfunc if cast is not None else 0
        found = cache[key] = (path, function) if function else (PATH_NONE, 0)
    return found


def is_complex_array(catalog: Catalog, type_oid: int) -> bool:
    element = get_element_type(catalog, type_oid)
    return element != 0 and is_complex(catalog, element)


def type_is_of_typed_table(catalog: Catalog, reltype: int, reloftype: int) -> bool:
    """typeIsOfTypedTable: is reltype the row type of a table OF reloftype?"""
    from pgemu.catalog.rows import PgClass

    relid = get_type(catalog, get_base_type(catalog, reltype)).typrelid
    if not relid:
        return False
    row = catalog.one(PgClass, oid=relid)
    return row is not None and row.reloftype == reloftype


def type_inherits_from(catalog: Catalog, subclass_type: int, superclass_type: int) -> bool:
    """typeInheritsFrom: is the subclass' table a descendant of the superclass' table?"""
    sub = get_type(catalog, get_base_type(catalog, subclass_type)).typrelid
    sup = get_type(catalog, superclass_type).typrelid
    if not sub or not sup:
        return False
    queue, visited = [sub], set()
    while queue:
        relid = queue.pop(0)
        if relid in visited:
            continue
        visited.add(relid)
        for row in catalog.all(PgInherits, inhrelid=relid):
            if row.inhparent == sup:
                return True
            queue.append(row.inhparent)
    return False
