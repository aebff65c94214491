"""The catalog rows of indexes (PostgreSQL's index.c).

Only btree has a counterpart in SQLite; the other access methods become catalog rows whose physical
index, where one is possible at all, is an ordinary one: an index never changes a result.  A unique
index whose check is deferrable is made non-unique, the executor checks it.  NULLs differ in their
place between SQLite and PostgreSQL only for ORDER BY, never for uniqueness.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pgemu.catalog.heap import (
    ColumnSpec,
    attribute_row,
    class_row,
    depend,
    insert_rows,
    is_pinned,
)
from pgemu.catalog.lsyscache import get_base_element_type
from pgemu.catalog.pg_shdepend import change_dependency_on_tablespace
from pgemu.catalog.rows import (
    PG_CLASS_RELID,
    PG_CONSTRAINT_RELID,
    PG_OPCLASS_RELID,
    PgAm,
    PgClass,
    PgIndex,
    PgOpclass,
    PgProc,
)
from pgemu.errors import DUPLICATE_TABLE, PgError
from pgemu.nodes.serialize import node_to_string

BTREE_AM_OID = 403
HASH_AM_OID = 405
INT4OID, ANYELEMENTOID, ANYARRAYOID = 23, 2283, 2277


@dataclass(slots=True)
class IndexKey:
    """One key or included column: attnum, or expr with attnum 0."""

    attnum: int
    name: str
    type_id: int
    typmod: int = -1
    collation: int = 0
    opclass: int = 0
    descending: bool = False
    nulls_first: bool = False
    expr: Any = None
    ndims: int = 0
    options: tuple[str, ...] | None = None

    @property
    def option(self) -> int:
        """pg_index.indoption: bit 0 descending, bit 1 nulls first."""
        return int(self.descending) | (int(self.nulls_first) << 1)


@dataclass(slots=True)
class IndexInfo:
    """What index_create needs to know."""

    keys: list[IndexKey]
    included: list[IndexKey] = field(default_factory=list)
    unique: bool = False
    nulls_not_distinct: bool = False
    primary: bool = False
    exclusion: bool = False
    immediate: bool = True
    am: int = BTREE_AM_OID
    predicate: Any = None
    reloptions: tuple[str, ...] | None = None
    is_partitioned: bool = False
    valid: bool = True
    ready: bool = True
    tablespace: int = 0


def index_create(
    session: Any,
    heap: Any,
    name: str,
    info: IndexInfo,
    *,
    constraint_oid: int = 0,
    parent_index: int = 0,
    set_has_index: bool = True,
    index_oid: int = 0,
) -> int:
    """Make the rows of an index on `heap` (oid, namespace, persistence, owner, name); the physical
    index is made by pgemu.commands.index_build.  constraint_oid: the index belongs to that
    constraint; index_oid: chosen already.  Returns the index's OID."""
    catalog = session.catalog
    if catalog.one(PgClass, relname=name, relnamespace=heap.namespace) is not None:
        raise PgError(DUPLICATE_TABLE, f'relation "{name}" already exists')
    oid = index_oid or catalog.new_oid()
    columns = info.keys + info.included
    relkind = "I" if info.is_partitioned else "i"
    rows: list[Any] = [
        class_row(
            oid, name, heap.namespace, relkind, heap.persistence, heap.owner,
            relam=info.am, relnatts=len(columns), reloptions=info.reloptions,
            relispartition=bool(parent_index), relfilenode=0 if relkind == "I" else oid,
            reltablespace=info.tablespace,
        )
    ]  # fmt: skip
    for number, key in enumerate(columns, 1):
        stored = stored_type(catalog, info.am, key.opclass, key.type_id)
        spec = ColumnSpec(
            key.name,
            stored or key.type_id,
            -1 if stored else key.typmod,
            collation=key.collation,
            ndims=key.ndims,
            storage=heap.columns[key.attnum - 1].storage if key.attnum and not stored else "",
            options=key.options,
        )
        rows.append(attribute_row(catalog, oid, number, spec))
    rows.append(_pg_index_row(oid, heap.oid, info))
    rows.extend(_dependency_rows(oid, heap.oid, info, constraint_oid))
    insert_rows(catalog, rows)
    if info.tablespace and relkind == "I":
        change_dependency_on_tablespace(catalog, PgClass.RELID, oid, info.tablespace)
    _record_expression_dependencies(catalog, oid, heap.oid, info)
    if set_has_index:
        catalog.update_inplace(PgClass, {"oid": heap.oid}, relhasindex=True)
    return int(oid)


def stored_type(catalog: Any, am: int, opclass: int, type_id: int) -> int:
    """The type of the index's column where the operator class stores another one than the key's
    (ConstructTupleDescriptor), else 0."""
    if not opclass:
        return 0
    row = catalog.get(PgOpclass, oid=opclass)
    stored: int = row.opckeytype
    if builtin_am_name(catalog, am) == "hash":
        stored = INT4OID  # the hash value
    if stored == ANYELEMENTOID and row.opcintype == ANYARRAYOID:
        stored = get_base_element_type(catalog, type_id)
    return stored if stored != type_id else 0


def _pg_index_row(oid: int, heap_oid: int, info: IndexInfo) -> PgIndex:
    columns = info.keys + info.included
    exprs = [k.expr for k in columns if k.attnum == 0]
    return PgIndex(
        indexrelid=oid,
        indrelid=heap_oid,
        indnatts=len(columns),
        indnkeyatts=len(info.keys),
        indisunique=info.unique,
        indnullsnotdistinct=info.nulls_not_distinct,
        indisprimary=info.primary,
        indisexclusion=info.exclusion,
        indimmediate=info.immediate,
        indisclustered=False,
        indisvalid=info.valid,
        indcheckxmin=False,
        indisready=info.ready,
        indislive=True,
        indisreplident=False,
        indkey=tuple(k.attnum for k in columns),
        indcollation=tuple(k.collation for k in info.keys),
        indclass=tuple(k.opclass for k in info.keys),
        indoption=tuple(k.option for k in info.keys),
        indexprs=node_to_string(exprs) if exprs else None,
        indpred=node_to_string(info.predicate) if info.predicate is not None else None,
    )


def _dependency_rows(oid: int, heap_oid: int, info: IndexInfo, constraint_oid: int) -> list[Any]:
    me = (PG_CLASS_RELID, oid, 0)
    rows: list[Any] = []
    if constraint_oid:
        rows.append(depend(me, (PG_CONSTRAINT_RELID, constraint_oid, 0), "i"))
    else:
        attnums = sorted({k.attnum for k in info.keys + info.included if k.attnum})
        rows.extend(depend(me, (PG_CLASS_RELID, heap_oid, n), "a") for n in attnums)
        if not attnums:
            rows.append(depend(me, (PG_CLASS_RELID, heap_oid, 0), "a"))
    for key in info.keys:
        if key.collation and not is_pinned(key.collation):
            rows.append(depend(me, (3456, key.collation, 0), "n"))
        if key.opclass and not is_pinned(key.opclass):
            rows.append(depend(me, (PG_OPCLASS_RELID, key.opclass, 0), "n"))
    return rows


def _record_expression_dependencies(catalog: Any, oid: int, heap_oid: int, info: IndexInfo) -> None:
    exprs = [k.expr for k in info.keys if k.expr is not None]
    if not exprs and info.predicate is None:
        return
    from pgemu.catalog.find_expr_references import record_dependency_on_single_rel_expr
    from pgemu.catalog.objectaddress import ObjectAddress

    me = ObjectAddress(PG_CLASS_RELID, oid, 0)
    for expr in (exprs or None, info.predicate):
        if expr is not None:
            record_dependency_on_single_rel_expr(catalog, me, expr, heap_oid, "n", "a")


def get_index_am_oid(catalog: Any, name: str) -> int:
    """OID of an index access method by name, 0 if unknown."""
    row = catalog.one(PgAm, amname=name)
    return int(row.oid) if row is not None else 0


# handler functions of PostgreSQL's own index access methods
_HANDLERS = {
    "bthandler": "btree", "hashhandler": "hash", "gisthandler": "gist", "ginhandler": "gin",
    "spghandler": "spgist", "brinhandler": "brin",
}  # fmt: skip


def builtin_am_name(catalog: Any, am: int) -> str:
    """The built-in index access method with the same handler: what an index of it can do."""
    row = catalog.get(PgAm, oid=am)
    handler: str = catalog.get(PgProc, oid=row.amhandler).proname
    name: str = row.amname
    return _HANDLERS.get(handler, name)
