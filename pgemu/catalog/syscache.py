"""Catalog: cached lookups of catalog rows, and the one place where they are written.

Counterpart of PostgreSQL's utils/cache (catcache, syscache, typcache in part) and of
catalog/indexing.c.  A lookup is `catalog.one(PgClass, oid=5)`; its result stays cached until
`invalidate()`.  `memo` holds everything derived from rows (relcache entries, candidate lists,
formatted names) and is emptied by every write.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from pgemu.catalog.builtin_objects import concerns_builtin, forget_others
from pgemu.catalog.rows import (
    CATALOGS,
    PgAttrdef,
    PgAttribute,
    PgClass,
    PgConstraint,
    PgDepend,
    PgDescription,
    PgEnum,
    PgIndex,
    PgInherits,
    PgInitPrivs,
    PgPartitionedTable,
    PgPolicy,
    PgRange,
    PgRewrite,
    PgSequence,
    PgShdepend,
    PgShdescription,
    PgTrigger,
    PgType,
)
from pgemu.catalog.store import FIRST_NORMAL_OID, CatalogStore, StorageRow
from pgemu.errors import FEATURE_NOT_SUPPORTED, INTERNAL_ERROR, PgError
from pgemu.fmgr import CallContext
from pgemu.nodes.primnodes import CoerceToDomainValue, Const, Value
from pgemu.nodes.serialize import string_to_node
from pgemu.nodes.walk import mutate

if TYPE_CHECKING:
    from pgemu.catalog.relcache import Relation

Row = TypeVar("Row")
T = TypeVar("T")

# A write to one of these makes the TypeRegistry stale.
_TYPE_CATALOGS = frozenset({PgType, PgEnum, PgRange, PgAttribute, PgConstraint})

# Nothing but lookups is derived from these.
UNDERIVED = frozenset({PgDepend, PgShdepend, PgDescription, PgShdescription, PgInitPrivs})

# What is derived from these belongs to the relations named by these columns.
RELATION_COLUMNS: dict[type[Any], tuple[str, ...]] = {
    PgClass: ("oid",),
    PgAttribute: ("attrelid",),
    PgAttrdef: ("adrelid",),
    PgIndex: ("indrelid", "indexrelid"),
    PgConstraint: ("conrelid", "confrelid"),
    PgTrigger: ("tgrelid",),
    PgRewrite: ("ev_class",),
    PgPolicy: ("polrelid",),
    PgInherits: ("inhrelid", "inhparent"),
    PgSequence: ("seqrelid",),
    PgPartitionedTable: ("partrelid",),
}

_MANY_ROWS = 64  # from here on it is cheaper to forget every lookup of a catalog

_DOMAIN_VALUE = re.compile(r"\bVALUE\b")
_VECTORS = ("int2vector", "oidvector")


_array_text = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


@lru_cache(maxsize=2048)
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


# Which fields of a typed row may be tuples.
_ENCODED: dict[type[Any], tuple[int, ...]] = {
    cls: tuple(
        i
        for i, column in enumerate(info.columns)
        if column.typname.startswith("_") or column.typname in (*_VECTORS, "anyarray")
    )
    for cls, info in CATALOGS.items()
}


def row_to_storage(cls: type[Any], row: Any) -> StorageRow:
    """The storage tuple of a typed row; SQLite takes a bool as 0 or 1."""
    fields: list[Any] | None = None
    for i in _ENCODED[cls]:
        if isinstance(row[i], (tuple, list)):
            if fields is None:
                fields = list(row)
            fields[i] = _array_text(row[i])
    return row if fields is None else tuple(fields)


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
        return _array_text(value)
    result: Value = value
    return result


def _to_storage(values: dict[str, Any]) -> dict[str, Value]:
    """Values of columns; SQLite takes a bool as 0 or 1."""
    for value in values.values():
        if isinstance(value, (tuple, list)):
            return {name: to_storage(v) for name, v in values.items()}
    return values


class Catalog:
    """The catalogs of one session.  `ctx` is the session's CallContext (None in tests)."""

    def __init__(self, store: CatalogStore, ctx: CallContext | None = None) -> None:
        self.store = store
        self.ctx = ctx if ctx is not None else CallContext()
        if self.ctx.catalog is None:
            self.ctx.catalog = self
        # class -> names of the looked-up columns -> their values -> rows
        self._rows: dict[
            type[Any], dict[tuple[str, ...], dict[tuple[Any, ...], tuple[Any, ...]]]
        ] = {}
        # of catalogs with few rows: the user's objects that have any, by catalog and column
        self._with_rows: dict[tuple[type[Any], str], set[Any]] = {}
        self.memo: dict[Hashable, Any] = {}
        # what is derived from one relation's rows, by its OID
        self._relation_memo: dict[int, dict[Hashable, Any]] = {}
        # The parser's own memo, with keys of its own; emptied together with the other one.
        self.parse_cache: dict[Any, Any] = {}
        # OID of this session's pg_temp_N, 0 while it has none, and the N to use (set by session).
        self.my_temp_namespace = 0
        self.backend_id = 1
        self._types: Any = None
        # Of this transaction: it has written what may concern built-in objects
        # (builtin_objects.py), and rows of shared catalogs.
        self.builtin_written = self.shared_written = False
        # analyze_sql(kind, sql, relid): set by the session; turns the SQL text of a builtin
        # object into a tree.  kind: "query", "expr" or "exprlist".
        self.analyze_sql: Callable[[str, str, int], Any] | None = None
        # Called with the class of every row that is written (None: a row of any).
        self.on_write: list[Callable[[type[Any] | None], None]] = []
        # Called with class and OID of every row that is added or changed by its OID.
        self.observer: Callable[[type[Any], int], None] | None = None

    # --- reading -----------------------------------------------------------------------------

    def all(self, cls: type[Row], **keys: Any) -> tuple[Row, ...]:
        """Every row with these column values (None: IS NULL), in storage order."""
        by_names = self._rows.get(cls)
        if by_names is None:
            by_names = self._rows[cls] = {}
        names = tuple(keys)
        cache = by_names.get(names)
        if cache is None:
            cache = by_names[names] = {}
        values = tuple(keys.values())
        found = cache.get(values)
        if found is None:
            stored = self.store.scan(cls, _to_storage(keys))
            found = tuple([row_from_storage(cls, v) for v in stored])
            cache[values] = found
        return found

    def one(self, cls: type[Row], **keys: Any) -> Row | None:
        """The row with these column values, or None."""
        try:
            found = self._rows[cls][(*keys,)][(*keys.values(),)]
        except KeyError:
            found = self.all(cls, **keys)
        return found[0] if found else None

    def know(self, cls: type[Any], oid: int, rows: tuple[Any, ...]) -> None:
        """These are the rows of that OID: they were found in another way."""
        self._rows[cls].setdefault(("oid",), {})[oid,] = rows

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

    def cached_for_relation(self, relid: int, key: Hashable, make: Callable[[], T]) -> T:
        """`make()`, remembered until a catalog row about that relation changes."""
        memo = self._relation_memo.get(relid)
        if memo is None:
            memo = self._relation_memo[relid] = {}
        try:
            result: T = memo[key]
        except KeyError:
            result = memo[key] = make()
        return result

    # --- writing -----------------------------------------------------------------------------

    def insert(self, row: Any) -> None:
        """Add a row (one of the row classes of rows.py)."""
        self.insert_many((row,))

    def insert_many(self, rows: Iterable[Any]) -> None:
        """Add rows, of several catalogs perhaps."""
        by_class: dict[type[Any], list[Any]] = {}
        for row in rows:
            by_class.setdefault(type(row), []).append(row)
        for cls, its_rows in by_class.items():
            stored = [row_to_storage(cls, row) for row in its_rows] if _ENCODED[cls] else its_rows
            self.store.insert_many(cls, stored)
            self._inserted(cls, its_rows)
            if self.observer is not None and "oid" in cls._fields:
                for row in its_rows:
                    self.observer(cls, row.oid)
            for hook in self.on_write:
                hook(cls)

    def update(self, cls: type[Any], where: dict[str, Any], **changes: Any) -> int:
        """Change the rows that match; how many there were."""
        old = self.all(cls, **where)
        if not old:
            return 0
        count = self.store.update(cls, _to_storage(where), _to_storage(changes))
        self._written(cls, [*old, *(row._replace(**changes) for row in old)])
        if self.observer is not None and "oid" in where:
            self.observer(cls, where["oid"])
        return count

    def update_inplace(self, cls: type[Any], where: dict[str, Any], **changes: Any) -> None:
        """Change the rows that match outside of the transaction (heap_inplace_update)."""
        old = self.all(cls, **where)
        self.store.update_inplace(cls, _to_storage(where), _to_storage(changes))
        self._written(cls, [*old, *(row._replace(**changes) for row in old)])

    def delete(self, cls: type[Any], **where: Any) -> int:
        """Remove the rows that match; how many there were."""
        old = self.all(cls, **where)
        if not old:
            return 0
        count = self.store.delete(cls, _to_storage(where))
        if cls is PgType:  # nothing that goes on existing is derived from it
            self._note_write(cls, old)
            self._forget_lookups(cls, old)
            self._forget_type_names(old)
            self._types = None
            for hook in self.on_write:
                hook(cls)
        else:
            self._written(cls, old)
        return count

    def delete_of_object(self, cls: type[Any], column: str, oid: int, **where: Any) -> int:
        """delete(cls, column=oid, ...) of a catalog in which most objects have no rows."""
        if oid >= FIRST_NORMAL_OID:
            known = self._with_rows.get((cls, column))
            if known is None:
                place = cls._fields.index(column)
                rows = self.store.scan(cls, {}, at_least=(column, FIRST_NORMAL_OID))
                known = self._with_rows[cls, column] = {row[place] for row in rows}
            if oid not in known:
                return 0
        return self.delete(cls, **{column: oid}, **where)

    def new_oid(self) -> int:
        """An unused OID (>= 16384)."""
        return self.store.new_oid()

    def _inserted(self, cls: type[Any], rows: Sequence[Any]) -> None:
        """Forget what new rows make untrue: lookups that would now find them."""
        self._note_write(cls, rows)
        self._forget_lookups(cls, rows)
        if cls is PgType:
            self._forget_type_names(rows)
            return
        self._forget_rows(cls, rows)

    def _note_write(self, cls: type[Any], rows: Sequence[Any]) -> None:
        if not self.builtin_written:
            self.builtin_written = concerns_builtin(cls, rows)
        if CATALOGS[cls].shared:
            self.shared_written = True

    def _forget_type_names(self, rows: Sequence[Any]) -> None:
        names = {row.typname for row in rows}
        stale = [
            k
            for k in self.parse_cache
            if type(k) is tuple
            and ((k[0] == "typename" and k[-1] in names) or (k[0] == "func" and k[2][-1] in names))
        ]
        for key in stale:
            del self.parse_cache[key]

    def _written(self, cls: type[Any], rows: Sequence[Any]) -> None:
        """Forget what changed or deleted rows make untrue; rows: as they were and as they are."""
        self._note_write(cls, rows)
        self._forget_lookups(cls, rows)
        self._forget_rows(cls, rows)
        if cls in _TYPE_CATALOGS:
            self._types = None
        for hook in self.on_write:
            hook(cls)

    def rows_written(self) -> None:
        """A statement has changed rows of a catalog by itself, past this class."""
        self.builtin_written = True
        self.invalidate()
        for hook in self.on_write:
            hook(None)

    def _forget_lookups(self, cls: type[Any], rows: Sequence[Any]) -> None:
        for key in [k for k in self._with_rows if k[0] is cls]:
            del self._with_rows[key]
        by_names = self._rows.get(cls)
        if not by_names:
            return
        many = len(rows) > _MANY_ROWS
        for names, cache in by_names.items():
            if not cache:
                continue
            if many:
                cache.clear()
                continue
            places = [cls._fields.index(name) for name in names]
            for row in rows:
                cache.pop(tuple([row[i] for i in places]), None)

    def _forget_rows(self, cls: type[Any], rows: Sequence[Any]) -> None:
        """Forget what is derived from these rows."""
        if cls in UNDERIVED:
            return
        columns = RELATION_COLUMNS.get(cls)
        if columns is None:
            self._forget_derived(cls)
        elif cls is PgInherits:  # relations above the parent know of it as well
            self._relation_memo.clear()
        else:
            for oid in {getattr(row, column) for row in rows for column in columns}:
                self._relation_memo.pop(oid, None)
                if cls is PgAttribute and self._types and oid in self._types.composites:
                    self._types = None
                    self.memo.pop(("special",), None)  # SQLite's functions of its row type

    def _forget_derived(self, cls: type[Any]) -> None:
        self.memo.clear()
        self.parse_cache.clear()
        self._relation_memo.clear()
        if cls in _TYPE_CATALOGS:
            self._types = None

    def invalidate(self, *, builtin: bool = True) -> None:
        """Forget everything: another transaction's change or a rollback made it doubtful.
        builtin=False: but not what is known of built-in objects."""
        self._with_rows.clear()
        self._relation_memo.clear()
        if builtin:
            self._rows.clear()
            self.memo.clear()
            self.parse_cache.clear()
            self._types = None
        else:
            forget_others(self)
            if self._types is not None:
                self._types.forget_others()

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
        memo = self._relation_memo.get(oid)
        if memo is not None:
            known: Relation | None = memo.get("relation")
            if known is not None:
                return known
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

    def _analyze_builtin(self, kind: str, text: str, relid: int) -> Any:
        """The SQL text of a builtin object as a tree.  VALUE of a domain's check, which means
        nothing outside of it, is analyzed as a NULL of the base type and then put in place."""
        assert self.analyze_sql is not None
        if kind != "expr" or relid or _DOMAIN_VALUE.search(text) is None:
            return self.analyze_sql(kind, text[4:], relid)
        check = next((c for c in self.all(PgConstraint, conrelid=0) if c.conbin == text), None)
        if check is None:
            return self.analyze_sql(kind, text[4:], relid)
        base = self.get(PgType, oid=check.contypid).typbasetype
        null = f"(NULL::{self.type_name(base)})"
        tree = self.analyze_sql(kind, _DOMAIN_VALUE.sub(null, text[4:]), 0)

        def value(node: Any) -> Any:
            is_value = isinstance(node, Const) and node.value is None
            return CoerceToDomainValue(base) if is_value else None

        return mutate(tree, value)

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
                found = self._analyze_builtin(kind, text, relid)
            else:
                found = string_to_node(text)
            self.memo[key] = found
        return found
