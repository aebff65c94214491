"""Where catalog rows are read and written: the protocol, and DirectStore without transactions.

Counterpart of PostgreSQL's access/heap as the catalog code sees it (catalog/indexing.c).  A row is
a tuple of storage values in attribute order.  transam provides the store with MVCC; DirectStore
serves the building of the template and the tests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Protocol

import apsw

from pgemu.catalog.rows import CATALOGS
from pgemu.nodes.primnodes import Value

FIRST_NORMAL_OID = 16384

StorageRow = tuple[Value, ...]


class CatalogStore(Protocol):
    """What the caches need of storage.  `where` maps column names to storage values (None: IS
    NULL); an empty one means every row."""

    def scan(
        self,
        cls: type[Any],
        where: Mapping[str, Value],
        at_least: tuple[str, int] | None = None,
    ) -> list[StorageRow]:
        """The visible rows, columns in attribute order; at_least: of a column, instead of where."""
        ...

    def insert_many(self, cls: type[Any], rows: Sequence[StorageRow]) -> None: ...

    def update(
        self, cls: type[Any], where: Mapping[str, Value], changes: Mapping[str, Value]
    ) -> int:
        """How many rows were changed."""
        ...

    def update_inplace(
        self, cls: type[Any], where: Mapping[str, Value], changes: Mapping[str, Value]
    ) -> int:
        """The same outside of the transaction: it is seen at once and not rolled back."""
        ...

    def delete(self, cls: type[Any], where: Mapping[str, Value]) -> int: ...

    def catalog_version(self) -> int:
        """Grows whenever somebody's committed change may make caches stale."""
        ...

    def new_oid(self) -> int:
        """An OID that no row has, >= 16384."""
        ...


# Per catalog: column name -> attribute number, the table, and its column list.
_COLUMN_NUMBERS: dict[type[Any], dict[str, int]] = {
    cls: {c.name: i for i, c in enumerate(info.columns, 1)} for cls, info in CATALOGS.items()
}
_PHYSICAL_NAMES: dict[type[Any], str] = {
    cls: f"{'g' if info.shared else 'main'}.r{info.relid}" for cls, info in CATALOGS.items()
}
_COLUMN_LISTS: dict[type[Any], str] = {
    cls: ",".join(f"c{i}" for i in range(1, len(info.columns) + 1))
    for cls, info in CATALOGS.items()
}


def column_numbers(cls: type[Any]) -> dict[str, int]:
    """Column name -> attribute number."""
    return _COLUMN_NUMBERS[cls]


def physical_name(cls: type[Any]) -> str:
    """The SQLite table of a catalog, e.g. `main.r1259` or `g.r1262`."""
    return _PHYSICAL_NAMES[cls]


@cache
def unique_names(cls: type[Any]) -> tuple[tuple[str, tuple[str, ...], tuple[int, ...]], ...]:
    """(index, columns, attribute numbers) of the unique indexes that two sessions can meet in:
    not those of OIDs, nor those of what belongs to a relation, which is locked."""
    info = CATALOGS[cls]
    found = []
    for index in info.indexes:
        columns = tuple(info.columns[key - 1].name for key in index.keys)
        if index.unique and columns != ("oid",) and not columns[0].endswith("relid"):
            found.append((index.name, columns, index.keys))
    return tuple(found)


def where_clause(cls: type[Any], where: Mapping[str, Value]) -> tuple[str, tuple[Value, ...]]:
    """` WHERE c1=? AND c2 IS NULL` and its parameters."""
    if not where:
        return "", ()
    numbers = column_numbers(cls)
    values = tuple(where.values())
    nulls = tuple([value is None for value in values])
    clause = _where_text(tuple([numbers[name] for name in where]), nulls)
    return clause, tuple([v for v in values if v is not None]) if True in nulls else values


def at_least_clause(cls: type[Any], column: str, value: int) -> tuple[str, tuple[Value, ...]]:
    """` WHERE c1>=?` and its parameter."""
    return f" WHERE c{column_numbers(cls)[column]}>=?", (value,)


@lru_cache(maxsize=1024)
def _where_text(numbers: tuple[int, ...], nulls: tuple[bool, ...]) -> str:
    found = zip(numbers, nulls, strict=True)
    terms = [f"c{n} IS NULL" if null else f"c{n}=?" for n, null in found]
    return " WHERE " + " AND ".join(terms)


def select_list(cls: type[Any]) -> str:
    """`SELECT c1,c2,... FROM main.r1259`."""
    return f"SELECT {_COLUMN_LISTS[cls]} FROM {_PHYSICAL_NAMES[cls]}"


def insert_statement(cls: type[Any]) -> str:
    """`INSERT INTO main.r1259(xmin,c1,...) VALUES (?,?,...)`."""
    return _INSERT_STATEMENTS[cls]


def _insert_statement(cls: type[Any]) -> str:
    marks = ",".join("?" * (len(_COLUMN_NUMBERS[cls]) + 1))
    return f"INSERT INTO {_PHYSICAL_NAMES[cls]}(xmin,{_COLUMN_LISTS[cls]}) VALUES ({marks})"


_INSERT_STATEMENTS = {cls: _insert_statement(cls) for cls in CATALOGS}


class DirectStore:
    """Rows read and written at once, on a connection whose schema `g` is global.db."""

    def __init__(self, conn: apsw.Connection) -> None:
        self.conn = conn
        self._version = 0
        self._next_oid = FIRST_NORMAL_OID

    def scan(
        self,
        cls: type[Any],
        where: Mapping[str, Value],
        at_least: tuple[str, int] | None = None,
    ) -> list[StorageRow]:
        clause, params = where_clause(cls, where)
        if at_least is not None:
            clause, params = at_least_clause(cls, *at_least)
        rows: list[StorageRow] = self.conn.execute(select_list(cls) + clause, params).fetchall()
        return rows

    def insert_many(self, cls: type[Any], rows: Sequence[StorageRow]) -> None:
        self.conn.executemany(insert_statement(cls), [(1, *row) for row in rows])
        self._version += 1

    def update(
        self, cls: type[Any], where: Mapping[str, Value], changes: Mapping[str, Value]
    ) -> int:
        numbers = column_numbers(cls)
        sets = ",".join(f"c{numbers[name]}=?" for name in changes)
        clause, params = where_clause(cls, where)
        self.conn.execute(
            f"UPDATE {physical_name(cls)} SET {sets}{clause}", (*changes.values(), *params)
        )
        self._version += 1
        return int(self.conn.changes())

    update_inplace = update

    def delete(self, cls: type[Any], where: Mapping[str, Value]) -> int:
        clause, params = where_clause(cls, where)
        self.conn.execute(f"DELETE FROM {physical_name(cls)}{clause}", params)
        self._version += 1
        return int(self.conn.changes())

    def catalog_version(self) -> int:
        return self._version

    def new_oid(self) -> int:
        self._next_oid += 1
        return self._next_oid - 1
