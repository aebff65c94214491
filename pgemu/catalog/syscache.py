"""Catalog: cached lookups of catalog rows, and the one place where they are written.

Counterpart of PostgreSQL's utils/cache (catcache, syscache, typcache in part) and of
catalog/indexing.c.  A lookup is `catalog.one(PgClass, oid=5)`; its result stays cached until
`invalidate()`.  `memo` holds everything derived from rows (relcache entries, candidate lists,
formatted names) and is emptied by every write.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from pgemu.catalog.rows import CATALOGS, PgAttribute, PgConstraint, PgEnum, PgRange, PgType
from pgemu.catalog.store import CatalogStore, StorageRow
from pgemu.errors import FEATURE_NOT_SUPPORTED, INTERNAL_ERROR, PgError
from pgemu.fmgr import CallContext
from pgemu.nodes.primnodes import Value
from pgemu.nodes.serialize import string_to_node

if TYPE_CHECKING:
    from pgemu.catalog.relcache import Relation

Row = TypeVar("Row")
T = TypeVar("T")

# A write to one of these makes the TypeRegistry stale.
_TYPE_CATALOGS = frozenset({PgType, PgEnum, PgRange, PgAttribute, PgConstraint})

_VECTORS = ("int2vector", "oidvector")


def _array_from_storage(text: str) -> tuple[Any, ...]:
    return tuple(json.loads(text))


def _find_decoders(cls: type[Any]) -> tuple[tuple[int, Callable[[Any], Any]], ...]:
    """Which fields of a storage row must be changed, and how."""
    found: list[tuple[int, Callable[[Any], Any]]] = []
    for i, column in enumerate(CATALOGS[cls].columns):
        if column.typname == "bool":
            found.append((i, bool))
        elif column.typname.startswith("_") or column.typname in _VECTORS:
            found.append((i, _array_from_storage))
    return tuple(found)


_DECODERS: dict[type[Any], tuple[tuple[int, Callable[[Any], Any]], ...]] = {
    cls: _find_decoders(cls) for cls in CATALOGS
}


def row_from_storage(cls: type[Row], values: StorageRow) -> Row:
    """The typed row of a storage tuple."""
    decoders = _DECODERS[cls]
    if not decoders:
        return cls(*values)
    fields: list[Any] = list(values)
    for i, decode in decoders:
        if fields[i] is not None:
            fields[i] = decode(fields[i])
    return cls(*fields)


def to_storage(value: Any) -> Value:
    """The storage value of a field of a row: tuples and lists become array text."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (tuple, list)):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    result: Value = value
    return result


class Catalog:
    """The catalogs of one session.  `ctx` is the session's CallContext (None in tests)."""

    def __init__(self, store: CatalogStore, ctx: CallContext | None = None) -> None:
        self.store = store
        self.ctx = ctx if ctx is not None else CallContext()
        if self.ctx.catalog is None:
            self.ctx.catalog = self
        self._rows: dict[type[Any], dict[Hashable, tuple[Any, ...]]] = {}
        self.memo: dict[Hashable, Any] = {}
        # The parser's own memo, with keys of its own; emptied together with the other one.
        self.parse_cache: dict[Any, Any] = {}
        # OID of this session's pg_temp_N, 0 while it has none, and the N to use (set by session).
        self.my_temp_namespace = 0
        self.backend_id = 1
        self._types: Any = None
        # analyze_sql(kind, sql, relid): set by the session; turns the SQL text of a builtin
        # object into a tree.  kind: "query", "expr" or "exprlist".
        self.analyze_sql: Callable[[str, str, int], Any] | None = None
        # Called with the class of every row that is written.
        self.on_write: list[Callable[[type[Any]], None]] = []

    # --- reading -----------------------------------------------------------------------------

    def all(self, cls: type[Row], **keys: Any) -> tuple[Row, ...]:
        """Every row with these column values (None: IS NULL), in storage order."""
        cache = self._rows.get(cls)
        if cache is None:
            cache = self._rows[cls] = {}
        key = tuple(keys.items())
        found = cache.get(key)
        if found is None:
            where = {name: to_storage(value) for name, value in keys.items()}
            found = tuple(row_from_storage(cls, v) for v in self.store.scan(cls, where))
            cache[key] = found
        return found

    def one(self, cls: type[Row], **keys: Any) -> Row | None:
        """The row with these column values, or None."""
        found = self.all(cls, **keys)
        return found[0] if found else None

    def get(self, cls: type[Row], **keys: Any) -> Row:
        """The row with these column values; its absence is an internal error."""
        row = self.one(cls, **keys)
        if row is None:
            what = ", ".join(f"{k} {v}" for k, v in keys.items())
            raise PgError(
                INTERNAL_ERROR, f"cache lookup failed for {CATALOGS[cls].name} with {what}"
            )
        return row

    def cached(self, key: Hashable, make: Callable[[], T]) -> T:
        """`make()`, remembered until a catalog row changes."""
        try:
            result: T = self.memo[key]
        except KeyError:
            result = self.memo[key] = make()
        return result

    # --- writing -----------------------------------------------------------------------------

    def insert(self, row: Any) -> None:
        """Add a row (one of the NamedTuples of rows.py)."""
        cls = type(row)
        self.store.insert(cls, tuple(to_storage(v) for v in row))
        self._written(cls)

    def insert_many(self, rows: Iterable[Any]) -> None:
        """Add rows, of several catalogs perhaps."""
        classes = set()
        for row in rows:
            cls = type(row)
            self.store.insert(cls, tuple(to_storage(v) for v in row))
            classes.add(cls)
        for cls in classes:
            self._written(cls)

    def update(self, cls: type[Any], where: dict[str, Any], **changes: Any) -> int:
        """Change the rows that match; how many there were."""
        count = self.store.update(
            cls,
            {k: to_storage(v) for k, v in where.items()},
            {k: to_storage(v) for k, v in changes.items()},
        )
        self._written(cls)
        return count

    def delete(self, cls: type[Any], **where: Any) -> int:
        """Remove the rows that match; how many there were."""
        count = self.store.delete(cls, {k: to_storage(v) for k, v in where.items()})
        self._written(cls)
        return count

    def new_oid(self) -> int:
        """An unused OID (>= 16384)."""
        return self.store.new_oid()

    def _written(self, cls: type[Any]) -> None:
        self._rows.pop(cls, None)
        self.memo.clear()
        self.parse_cache.clear()
        if cls in _TYPE_CATALOGS:
            self._types = None
        for hook in self.on_write:
            hook(cls)

    def invalidate(self) -> None:
        """Forget everything: another transaction's change or a rollback made it doubtful."""
        self._rows.clear()
        self.memo.clear()
        self.parse_cache.clear()
        self._types = None

    # --- what is derived from rows -------------------------------------------------------------

    @property
    def guc(self) -> Any:
        return self.ctx.guc

    @property
    def types(self) -> Any:
        """The TypeRegistry of pgemu.types.lookup: type OID -> BaseType."""
        if self._types is None:
            from pgemu.types.lookup import TypeRegistry

            self._types = TypeRegistry(self)
        return self._types

    def relation(self, oid: int) -> Relation:
        """The relcache entry; an internal error if there is no such relation."""
        from pgemu.catalog.relcache import open_relation

        return open_relation(self, oid)

    def type_name(self, oid: int, typmod: int = -1) -> str:
        """PostgreSQL's spelling of a type: "character varying(10)"."""
        from pgemu.catalog.format_type import format_type_with_typmod

        return format_type_with_typmod(self, oid, typmod)

    def search_path(self) -> list[int]:
        """The active search path: pg_temp and pg_catalog come first unless listed."""
        from pgemu.catalog.namespace import active_search_path

        return active_search_path(self)

    def creation_namespace(self) -> int:
        """Where unqualified CREATE puts things; 3F000 if there is no such place."""
        from pgemu.catalog.namespace import get_creation_namespace

        return get_creation_namespace(self)

    def reg_in(self, kind: str, text: str) -> int:
        """Input of regclass and its family; kind is the type's name."""
        from pgemu.catalog.regproc import reg_in

        return reg_in(self, kind, text)

    def reg_out(self, kind: str, oid: int) -> str:
        """Output of regclass and its family."""
        from pgemu.catalog.regproc import reg_out

        return reg_out(self, kind, oid)

    def decode_node(self, text: str | None, kind: str = "expr", relid: int = 0) -> Any:
        """The tree in a pg_node_tree column: kind "expr", "exprlist" or "query".

        Consumers that change a tree must copy it first: it is cached.
        """
        if text is None or text == "<>" or text == "":
            return None
        key = ("node", text, relid)
        found = self.memo.get(key)
        if found is None:
            if text.startswith("SQL:"):
                if self.analyze_sql is None:
                    raise PgError(FEATURE_NOT_SUPPORTED, "no analyzer for a builtin expression")
                found = self.analyze_sql(kind, text[4:], relid)
            else:
                found = string_to_node(text)
            self.memo[key] = found
        return found
