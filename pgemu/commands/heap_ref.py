"""HeapRef: a table as the DDL steps see it, whether it was made a moment ago (its ColumnSpecs are
at hand and nothing is read back) or has been in the catalogs for long (from the relcache)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pgemu.catalog.heap import SYSTEM_COLUMN_NAMES, ColumnSpec, NewRelation
from pgemu.catalog.rows import PgNamespace
from pgemu.nodes.parsenodes import RawNode


@dataclass(slots=True)
class HeapRef:
    """columns[n-1] is attribute n; dropped ones have dropped=True."""

    oid: int
    name: str
    namespace: int
    schema_name: str
    relkind: str
    persistence: str
    owner: int
    relfilenode: int
    columns: list[ColumnSpec]
    is_new: bool = False
    constraint_names: set[str] = field(default_factory=set)

    def attnum(self, name: str) -> int:
        """Number of a live column, 0 if there is none of that name."""
        for number, col in enumerate(self.columns, 1):
            if col.name == name and not col.dropped:
                return number
        return 0

    def is_system_column(self, name: str) -> bool:
        return name in SYSTEM_COLUMN_NAMES

    def pstate_columns(self) -> list[tuple[str, int, int, int]]:
        """For cook.relation_pstate."""
        return [
            ("" if c.dropped else c.name, c.type_id, c.typmod, c.collation) for c in self.columns
        ]


def from_new(session: Any, made: NewRelation) -> HeapRef:
    """Of a relation that this command made."""
    namespace = session.catalog.one(PgNamespace, oid=made.namespace)
    return HeapRef(
        made.oid,
        made.name,
        made.namespace,
        namespace.nspname,
        made.relkind,
        made.persistence,
        session.ctx.current_user_oid,
        made.oid,
        made.columns,
        is_new=True,
    )


def from_relation(relation: Any) -> HeapRef:
    """Of a relation of the relcache."""
    columns = [
        ColumnSpec(
            a.attname,
            a.atttypid,
            a.atttypmod,
            collation=a.attcollation,
            not_null=a.attnotnull,
            ndims=a.attndims,
            identity=a.attidentity,
            generated=a.attgenerated,
            is_local=a.attislocal,
            inhcount=a.attinhcount,
            storage=a.attstorage,
            dropped=a.attisdropped,
        )
        for a in relation.attrs
    ]
    return HeapRef(
        relation.oid,
        relation.name,
        relation.namespace,
        relation.schema_name,
        relation.relkind,
        relation.persistence,
        relation.owner,
        relation.relfilenode,
        columns,
    )


def raw_string(text: str) -> RawNode:
    """A String node."""
    return {"String": {"sval": text}}
