"""pg_partition_tree, pg_partition_ancestors, pg_partition_root (PostgreSQL's partitionfuncs.c)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pgemu.catalog.relcache import Relation, try_relation
from pgemu.fmgr import CallContext, pg_function


def _partitioned(ctx: CallContext, relid: int) -> Relation | None:
    relation = try_relation(ctx.catalog, relid)
    if relation is None or not (relation.is_partition or relation.relkind in "pI"):
        return None
    return relation


@pg_function("pg_partition_tree(regclass)", context=True)
def pg_partition_tree(ctx: CallContext, relid: int) -> Iterator[tuple[Any, ...]]:
    """(relid, parentrelid, isleaf, level)"""
    if _partitioned(ctx, relid) is None:
        return
    levels = {relid: 0}
    for oid in ctx.catalog.relation(relid).all_inheritors:
        relation: Relation = ctx.catalog.relation(oid)
        parent = relation.partition_ancestors[0] if relation.partition_ancestors else None
        if oid != relid and parent is not None:
            levels[oid] = levels[parent] + 1
        yield oid, parent, relation.relkind not in "pI", levels[oid]


@pg_function("pg_partition_ancestors(regclass)", context=True)
def pg_partition_ancestors(ctx: CallContext, relid: int) -> Iterator[int]:
    relation = _partitioned(ctx, relid)
    if relation is not None:
        yield relid
        yield from relation.partition_ancestors


@pg_function("pg_partition_root(regclass)", context=True)
def pg_partition_root(ctx: CallContext, relid: int) -> int | None:
    relation = _partitioned(ctx, relid)
    if relation is None:
        return None
    return (relid, *relation.partition_ancestors)[-1]


@pg_function("pg_get_replica_identity_index(regclass)", context=True)
def pg_get_replica_identity_index(ctx: CallContext, relid: int) -> int | None:
    relation = try_relation(ctx.catalog, relid)
    index = relation.replica_identity_index if relation is not None else None
    return index.oid if index is not None else None
