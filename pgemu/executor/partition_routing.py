"""Which partition a row belongs to (PostgreSQL's execPartition.c and partbounds.c)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pgemu.catalog.pg_locale import is_nondeterministic, value_comparison, value_hash_key
from pgemu.catalog.rows import PgAmproc, PgOpclass
from pgemu.errors import CHECK_VIOLATION, PgError
from pgemu.executor.shown_values import may_show_key
from pgemu.fmgr import TypeInfo
from pgemu.nodes import expr_type
from pgemu.nodes.primnodes import Value
from pgemu.planner.fromclause import no_fdw_handler
from pgemu.planner.planner import compile_index_expr
from pgemu.types.hash import hash_any_extended

INT8OID = 20
HASH_PARTITION_SEED = 0x7A5B22367996DCFD
_COMBINE = 0x49A0F4DD15E5A8E3
_MASK = 2**64 - 1


def hash_combine64(a: int, b: int) -> int:
    """hash_combine64 of PostgreSQL's hashutils.h."""
    return a ^ ((b + _COMBINE + ((a << 54) & _MASK) + (a >> 7)) & _MASK)


class PartitionTable:
    """One partitioned table's key and bounds, ready to look a row up in."""

    def __init__(self, session: Any, relation: Any, children: Sequence[int] | None = None) -> None:
        self.session, self.relation = session, relation
        catalog = session.catalog
        key = relation.partition_key
        self.strategy = key.partstrat
        self.attnums: tuple[int, ...] = tuple(key.partattrs)
        self.types: list[int] = []
        exprs = list(relation.partition_exprs)
        waiting = iter(exprs)
        for attnum in self.attnums:
            self.types.append(
                relation.attrs[attnum - 1].atttypid if attnum else expr_type(next(waiting))
            )
        self.expressions = [compile_index_expr(catalog, relation, e) for e in exprs]
        typed = list(zip(self.types, key.partcollation, strict=True))
        self.comparisons = [value_comparison(catalog, *one) for one in typed]
        self.hash_key = value_hash_key(catalog, *typed[0])
        self.default = 0
        self.bounds: list[tuple[int, dict[str, Any]]] = []
        self.listed: dict[Any, int] = {}
        for oid in relation.children if children is None else children:
            bound = catalog.relation(oid).partition_bound
            if bound is None:
                continue
            if bound.get("is_default"):
                self.default = oid
                continue
            self.bounds.append((oid, bound))
            for value in bound.get("list", ()):
                self.listed[None if value is None else self.hash_key(value)] = oid
        self.hashers: list[Any] | None = None

    def key_of(self, values: Sequence[Value]) -> list[Value]:
        """The partition key of a row (values by attnum - 1)."""
        key: list[Value] = []
        computed: list[Value] = []
        if self.expressions:
            columns = ", ".join(f"? AS c{n}" for n in range(1, len(values) + 1))
            text = f"SELECT {', '.join(self.expressions)} FROM (SELECT {columns})"
            computed = list(self.session.conn.execute(text, values).fetchall()[0])
        position = 0
        for attnum in self.attnums:
            if attnum:
                key.append(values[attnum - 1])
            else:
                key.append(computed[position])
                position += 1
        return key

    def find(self, key: Sequence[Value]) -> int:
        """OID of the partition for a key; 0: there is none."""
        if self.strategy == "l":
            value = key[0]
            found = self.listed.get(None if value is None else self.hash_key(value))
            return found or self.default
        if self.strategy == "h":
            return self._find_hash(key)
        if None not in key:
            for oid, bound in self.bounds:
                if (
                    self._compare(bound["lower"], key) <= 0
                    and self._compare(bound["upper"], key) > 0
                ):
                    return oid
        return self.default

    def _compare(self, bound: Sequence[Any], key: Sequence[Value]) -> int:
        for limit, value, compare in zip(bound, key, self.comparisons, strict=True):
            if isinstance(limit, dict):
                return -1 if limit["kind"] == "min" else 1
            order = compare(limit, value)
            if order:
                return order
        return 0

    def row_hash(self, key: Sequence[Value]) -> int:
        """compute_partition_hash_value."""
        if self.hashers is None:
            self.hashers = [self._hasher(n) for n in range(len(key))]
        row_hash = 0
        for value, hasher in zip(key, self.hashers, strict=True):
            if value is not None:
                seed = (
                    HASH_PARTITION_SEED - 2**64
                    if HASH_PARTITION_SEED >= 2**63
                    else HASH_PARTITION_SEED
                )
                row_hash = hash_combine64(row_hash, int(hasher(value, seed)) & _MASK)
        return row_hash

    def _find_hash(self, key: Sequence[Value]) -> int:
        row_hash = self.row_hash(key)
        for oid, bound in self.bounds:
            if row_hash % bound["modulus"] == bound["remainder"]:
                return oid
        return 0

    def _hasher(self, number: int) -> Any:
        """The extended hash function of a key column's operator class."""
        catalog = self.session.catalog
        collid = self.relation.partition_key.partcollation[number]
        if is_nondeterministic(catalog, collid):
            sort_key = value_hash_key(catalog, self.types[number], collid)
            return lambda value, seed: hash_any_extended(sort_key(value), seed)
        opclass = catalog.get(PgOpclass, oid=self.relation.partition_key.partclass[number])
        row = next(
            a
            for a in catalog.all(PgAmproc, amprocfamily=opclass.opcfamily)
            if a.amprocnum == 2 and a.amproclefttype == opclass.opcintype
        )
        from pgemu.catalog.rows import PgProc

        proc = catalog.get(PgProc, oid=row.amproc)
        return self.session.udfs.callable(proc, TypeInfo((self.types[number], INT8OID), INT8OID))

    def key_text(self, key: Sequence[Value]) -> str:
        """`(a, b) = (1, x)` for the error's detail."""
        from pgemu.rewrite.ruleutils import pg_get_partkeydef_columns

        names = pg_get_partkeydef_columns(self.session.catalog, self.relation.oid)
        shown = ", ".join(
            "null" if v is None else self.session.output_value(t, v)
            for t, v in zip(self.types, key, strict=True)
        )
        return f"({names}) = ({shown})"


class PartitionRouting:
    """The partitioned tables that this session has looked at."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self._tables: dict[int, PartitionTable] = {}

    def table(self, relation: Any) -> PartitionTable:
        known = self._tables.get(relation.oid)
        if known is None or known.relation is not relation:
            known = self._tables[relation.oid] = PartitionTable(self.session, relation)
        return known

    def route(self, relation: Any, values: Sequence[Value]) -> tuple[Any, Sequence[Value]]:
        """(leaf partition, the row in its column order) for a row of a partitioned table."""
        while relation.relkind == "p":
            table = self.table(relation)
            key = table.key_of(values)
            oid = table.find(key)
            if not oid:
                show = may_show_key(self.session, relation, relation.partition_key.partattrs)
                shown = f"Partition key of the failing row contains {table.key_text(key)}."
                raise PgError(
                    CHECK_VIOLATION,
                    f'no partition of relation "{relation.name}" found for row',
                    detail=shown if show else None,
                    schema=relation.schema_name,
                    table=relation.name,
                )
            child = self.session.catalog.relation(oid)
            values = convert_row(relation, child, values)
            relation = child
        if relation.relkind == "f":
            raise no_fdw_handler(self.session.catalog, relation.oid)
        return relation, values

    def check(self, partition: Any, values: Sequence[Value]) -> bool:
        """Does a row satisfy a partition's implicit constraint (RelationGetPartitionQual)?"""
        return all(fits for _, fits in self._levels(partition, values))

    def fits(self, oid: int, partition: int, values: Sequence[Value]) -> bool:
        """Does a row of a partition belong into one of its ancestors, or itself?"""
        levels = self._levels(self.session.catalog.relation(partition), values)
        return next((fits for level, fits in levels if level == oid), True)

    def _levels(self, partition: Any, values: Sequence[Value]) -> Iterator[tuple[int, bool]]:
        child = partition
        while child.is_partition and child.parents:
            parent = self.session.catalog.relation(child.parents[0])
            values = convert_row(child, parent, values)
            if child.oid in parent.children:
                table = self.table(parent)
            else:  # it is being detached: its own bound goes on to hold for it
                table = PartitionTable(self.session, parent, (child.oid,))
            yield child.oid, table.find(table.key_of(values)) == child.oid
            child = parent


def convert_row(source: Any, target: Any, values: Sequence[Value]) -> Sequence[Value]:
    """A row (values by attnum - 1) of one table in the column order of another, by name."""
    places = column_map(source, target)
    if places is None:
        return values
    return [values[n] if 0 <= n < len(values) else None for n in places]


def column_map(source: Any, target: Any) -> list[int] | None:
    """For each column of target the index in source's rows (-1: none); None: just the same."""
    cache = target.__dict__.setdefault("column_maps", {})
    if source.oid not in cache or cache[source.oid][0] is not source:
        numbers = {a.attname: a.attnum - 1 for a in source.attrs if not a.attisdropped}
        places = [-1 if a.attisdropped else numbers.get(a.attname, -1) for a in target.attrs]
        same = places == list(range(len(source.attrs)))
        cache[source.oid] = (source, None if same else places)
    found: list[int] | None = cache[source.oid][1]
    return found
