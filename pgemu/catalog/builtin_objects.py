"""What stays true of a session's catalog caches while tables come and go.

PostgreSQL sends an invalidation for each changed row; here DDL of others empties the caches as a
whole, by one version per database.  But most DDL is about tables, and most of what resolution
looks up is about built-in types, functions and operators.  So there is a second version, which
only changes that may concern built-in objects move (a new function, operator, cast, schema, role;
anything that was there from initdb on): while it stands, what `is_lasting` names is kept, in the
session and from one session of the process to the next.

An entry is lasting if nothing it was made from can change without `concerns_builtin` telling so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pgemu.catalog.rows import (
    PgAttrdef,
    PgAttribute,
    PgClass,
    PgConstraint,
    PgDepend,
    PgDescription,
    PgEnum,
    PgForeignTable,
    PgIndex,
    PgInherits,
    PgInitPrivs,
    PgPartitionedTable,
    PgPolicy,
    PgRewrite,
    PgSequence,
    PgShdepend,
    PgShdescription,
    PgStatistic,
    PgStatisticExt,
    PgStatisticExtData,
    PgTrigger,
    PgType,
)
from pgemu.catalog.store import FIRST_NORMAL_OID

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog

PG_CATALOG_NAMESPACE = 11
MAX_DATABASES = 8

# Rows that come and go with tables and types, and which objects they belong to.
_OWNERS: dict[type[Any], tuple[str, ...]] = {
    PgClass: ("oid",),
    PgType: ("oid",),
    PgAttribute: ("attrelid",),
    PgAttrdef: ("adrelid",),
    PgIndex: ("indrelid", "indexrelid"),
    PgConstraint: ("conrelid", "confrelid", "contypid"),
    PgTrigger: ("tgrelid",),
    PgRewrite: ("ev_class",),
    PgPolicy: ("polrelid",),
    PgInherits: ("inhrelid", "inhparent"),
    PgSequence: ("seqrelid",),
    PgPartitionedTable: ("partrelid",),
    PgForeignTable: ("ftrelid",),
    PgEnum: ("enumtypid",),
    PgStatistic: ("starelid",),
    PgStatisticExt: ("stxrelid",),
    PgStatisticExtData: ("stxoid",),
    PgDepend: (),
    PgShdepend: (),
    PgDescription: (),
    PgShdescription: (),
    PgInitPrivs: (),
}
# Of these a new row may be found by name in the place of a built-in one.
_NAMES = {PgClass: ("relname", "relnamespace"), PgType: ("typname", "typnamespace")}

_OWNER_PLACES = {
    cls: tuple(cls._fields.index(name) for name in names) for cls, names in _OWNERS.items()
}
_SCHEMA_PLACES = {cls: cls._fields.index(names[1]) for cls, names in _NAMES.items()}

# Keys of the parser's cache whose numbers are types or functions.
_BY_OID = frozenset(
    ("bincoercible", "coercion", "typmodcoercion", "opclass", "sortgroup", "defaults")
)
# Those that were looked up in catalogs which no table has rows in.
_BY_CATALOG = frozenset(("proc", "operator", "range", "multirange", "collation"))
_MEMO_BY_CATALOG = frozenset(("search_path", "superuser", "member_of", "aclitem"))
_MEMO_BY_OID = frozenset(("typcache", "default_opclass"))


def concerns_builtin(cls: type[Any], rows: Iterable[Any]) -> bool:
    """May a write of these rows (as they were and as they are) make a lasting entry untrue?"""
    places = _OWNER_PLACES.get(cls)
    if places is None:
        return True
    schema = _SCHEMA_PLACES.get(cls)
    for row in rows:
        for place in places:
            if 0 < row[place] < FIRST_NORMAL_OID:
                return True
        if schema is not None and row[schema] == PG_CATALOG_NAMESPACE:
            return True
    return False


@dataclass(slots=True)
class _Kept:
    """What a session has left: the versions it was true for, and the caches.  lasting: the same
    without what other DDL has made doubtful, if that is at hand."""

    version: int
    builtin_version: int
    _rows: dict[Any, Any]
    parse_cache: dict[Any, Any]
    memo: dict[Any, Any]
    lasting: _Kept | None = None


# by the time when shared memory was made, with which versions begin, and the OID of the database;
# the postmaster's trial statements leave it to all backends
_KEPT: dict[tuple[int, int], _Kept] = {}
# To throw a cache away means to write to all that is in it.  A child that does not need what it
# has inherited leaves it alone.
_INHERITED: list[_Kept] = []


def keep(catalog: Catalog, database: tuple[int, int], version: int, builtin_version: int) -> None:
    """At the end of a session without uncommitted changes, for the next one of this process."""
    if len(_KEPT) >= MAX_DATABASES:
        _KEPT.clear()
    parse_cache = catalog.parse_cache
    for name in ("prepared", "trigger_quals"):  # these belong to the session
        parse_cache.pop(name, None)
    memo = _lasting_memo(catalog)
    _KEPT[database] = _Kept(version, builtin_version, catalog._rows, parse_cache, memo)
    catalog._rows, catalog.parse_cache, catalog.memo = {}, {}, {}


def adopt(catalog: Catalog, database: tuple[int, int], version: int, builtin_version: int) -> None:
    """The start of a session: what an earlier one of this process has left and is still true."""
    kept = _KEPT.pop(database, None)
    if kept is None or kept.builtin_version != builtin_version:
        return
    doubtful = kept.version != version
    if doubtful and kept.lasting is not None:
        kept, doubtful = kept.lasting, False
    catalog._rows, catalog.parse_cache = kept._rows, kept.parse_cache
    catalog.memo = kept.memo
    if doubtful:
        forget_others(catalog)


def prepare_to_fork() -> None:
    """In the postmaster, when children are to inherit what its own statements have left."""
    for kept in _KEPT.values():
        kept.lasting = lasting = replace(kept)
        forget_others(lasting)
        _INHERITED.append(kept)


def forget_others(catalog: Catalog | _Kept) -> None:
    """Forget what is not lasting."""
    catalog.parse_cache = _lasting_parse_cache(catalog)
    catalog.memo = _lasting_memo(catalog)
    catalog._rows = {
        cls: kept
        for cls, by_names in catalog._rows.items()
        if (kept := _lasting_lookups(cls, by_names))
    }


def _lasting_lookups(cls: type[Any], by_names: dict[Any, Any]) -> dict[Any, Any]:
    owners = _OWNERS.get(cls)
    if owners is None:
        return by_names
    found = {}
    for names, lookups in by_names.items():
        if names and names[0] in owners:
            kept = {k: v for k, v in lookups.items() if k[0] and 0 < k[0] < FIRST_NORMAL_OID}
        elif names == _NAMES.get(cls):
            kept = {k: v for k, v in lookups.items() if k[1] == PG_CATALOG_NAMESPACE}
        else:
            continue
        if kept:
            found[names] = kept
    return found


def _lasting_parse_cache(catalog: Catalog | _Kept) -> dict[Any, Any]:
    found = {}
    for key, value in catalog.parse_cache.items():
        if type(key) is int:
            lasting = key < FIRST_NORMAL_OID
        elif type(key) is str:
            lasting = key == "casts"
        else:
            lasting = _is_lasting(catalog, key, value)
        if lasting:
            found[key] = value
    return found


def _is_lasting(catalog: Catalog | _Kept, key: tuple[Any, ...], value: Any) -> bool:
    kind = key[0]
    if kind in _BY_CATALOG:
        return kind not in ("range", "multirange") or bool(key[1] < FIRST_NORMAL_OID)
    if kind in _BY_OID:
        return _all_builtin(key[1:])
    if kind == "oper":
        return bool(key[2] < FIRST_NORMAL_OID and key[3] < FIRST_NORMAL_OID)
    if kind == "func":
        # a name may mean a type too, unless the function fits exactly
        types, no_coercion = key[4], key[-1]
        exact = value.code != "coercion" and value.true_typeids[: len(types)] == types
        return _all_builtin(types) and (exact or no_coercion or len(types) != 1)
    if kind == "typename":
        path, names = key[2], key[3:]
        first = path[:1] == (PG_CATALOG_NAMESPACE,) or names[0] == "pg_catalog"
        return first and _is_in_pg_catalog(catalog, value)
    return False


def _lasting_memo(catalog: Catalog | _Kept) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    memo: dict[Any, Any] = catalog.memo
    for key, value in memo.items():
        if key == "native_operator":
            found[key] = {k: v for k, v in value.items() if k < FIRST_NORMAL_OID}
            continue
        kind = key[0] if type(key) is tuple else None
        if kind in _MEMO_BY_CATALOG or (kind in _MEMO_BY_OID and _all_builtin(key[1:])):
            found[key] = value
        elif kind == "format_type":
            path = key[3]
            first = path is None or path[:1] == (PG_CATALOG_NAMESPACE,)
            if first and _is_in_pg_catalog(catalog, key[1]):
                found[key] = value
    return found


def _all_builtin(oids: Iterable[Any]) -> bool:
    return all(oid < FIRST_NORMAL_OID for oid in oids if type(oid) is int)


def _is_in_pg_catalog(catalog: Catalog | _Kept, type_oid: int) -> bool:
    if type_oid >= FIRST_NORMAL_OID:
        return False
    rows = catalog._rows.get(PgType, {}).get(("oid",), {}).get((type_oid,), ())
    return len(rows) == 1 and bool(rows[0].typnamespace == PG_CATALOG_NAMESPACE)
