"""What a collation's row means to SQLite (pg_newlocale_from_collation of pg_locale.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pgemu.catalog.rows import PgCollation
from pgemu.types.icu import comparison, sort_key, sqlite_collation

# none, "default", "C" and "POSIX": the order of bytes
_BYTEWISE = (0, 100, 950, 951)


def icu_collation(catalog: Any, collid: int) -> PgCollation | None:
    """The row of an ICU collation; None: strings compare by their bytes."""
    if collid in _BYTEWISE:
        return None
    row: PgCollation | None = catalog.one(PgCollation, oid=collid)
    return row if row is not None and row.collprovider == "i" else None


def storage_collation(catalog: Any, type_oid: int, collid: int) -> str | None:
    """The SQLite collation for values of a type with a collation; None: SQLite's own order."""
    io = catalog.types.io(type_oid)
    if collid not in _BYTEWISE and io.collation is None and io.storage == "text":
        row = icu_collation(catalog, collid)
        if row is not None:
            return sqlite_collation(row.colliculocale or "", row.collisdeterministic)
    collation: str | None = io.collation
    return collation


def is_nondeterministic(catalog: Any, collid: int) -> bool:
    row = icu_collation(catalog, collid)
    return row is not None and not row.collisdeterministic


def value_comparison(catalog: Any, type_oid: int, collid: int) -> Callable[[Any, Any], int]:
    """compare(a, b) of storage values."""
    row = icu_collation(catalog, collid)
    io = catalog.types.io(type_oid)
    if row is None or io.storage != "text":
        compare: Callable[[Any, Any], int] = io.compare
        return compare
    return comparison(row.colliculocale or "", row.collisdeterministic)


def value_hash_key(catalog: Any, type_oid: int, collid: int) -> Callable[[Any], Any]:
    """key(value): equal for equal storage values."""
    row = icu_collation(catalog, collid)
    io = catalog.types.io(type_oid)
    if row is None or row.collisdeterministic or io.storage != "text":
        key: Callable[[Any], Any] = io.hash_key
        return key
    locale = row.colliculocale or ""
    return lambda value: sort_key(locale, value)
