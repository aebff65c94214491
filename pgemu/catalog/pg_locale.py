"""What a collation's row means to SQLite (pg_newlocale_from_collation of pg_locale.c)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.rows import PgCollation
from pgemu.types.icu import sqlite_collation

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
