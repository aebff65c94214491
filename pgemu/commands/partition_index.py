"""Indexes of partitions that belong to an index of the partitioned table (ATExecAttachPartitionIdx,
AttachPartitionEnsureIndexes and validatePartitionedIndex of tablecmds.c, CompareIndexInfo of
index.c).
"""

from __future__ import annotations

from typing import Any

from pgemu.catalog.heap import depend, insert_rows
from pgemu.catalog.rows import (
    PG_CLASS_RELID,
    PG_CONSTRAINT_RELID,
    PgClass,
    PgConstraint,
    PgIndex,
    PgInherits,
    PgOpclass,
)
from pgemu.commands.attmap import map_columns_by_name
from pgemu.commands.permissions import check_owner
from pgemu.errors import (
    INVALID_OBJECT_DEFINITION,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    PgError,
)
from pgemu.parser.parse_sort_group import equal


def same_index(catalog: Any, parent: Any, index: Any, child: Any, own: Any) -> bool:
    """CompareIndexInfo: may `own`, an index of the partition `child`, be a part of `index`?"""
    a, b = index.index, own.index
    if (a.indisunique, a.indnullsnotdistinct, a.indnatts, a.indnkeyatts) != (
        b.indisunique, b.indnullsnotdistinct, b.indnatts, b.indnkeyatts,
    ):  # fmt: skip
        return False
    if index.pg_class.relam != own.pg_class.relam or a.indisexclusion or b.indisexclusion:
        return False
    for number, (theirs, mine) in enumerate(zip(a.indkey, b.indkey, strict=True)):
        names = [
            relation.attrs[attnum - 1].attname if attnum else ""
            for relation, attnum in ((parent, theirs), (child, mine))
        ]
        if names[0] != names[1]:
            return False
        if number >= a.indnkeyatts:
            continue
        if a.indcollation[number] != b.indcollation[number]:
            return False
        families = [catalog.get(PgOpclass, oid=row.indclass[number]).opcfamily for row in (a, b)]
        if families[0] != families[1]:
            return False
    return _same_trees(parent, list(index.exprs), child, list(own.exprs)) and _same_trees(
        parent, [index.pred], child, [own.pred]
    )


def _same_trees(parent: Any, theirs: list[Any], child: Any, mine: list[Any]) -> bool:
    if len(theirs) != len(mine):
        return False
    for left, right in zip(theirs, mine, strict=True):
        if (left is None) != (right is None):
            return False
        if left is None:
            continue
        mapped = map_columns_by_name(
            left, parent, lambda name: child.attrs_by_name[name].attnum, child.type_oid
        )
        if not equal(mapped, right):
            return False
    return True


def set_parent_index(session: Any, child_oid: int, own: Any, index: Any) -> None:
    """IndexSetParentIndex and ConstraintSetParentConstraint."""
    catalog = session.catalog
    me = (PG_CLASS_RELID, own.oid, 0)
    rows: list[Any] = [
        PgInherits(own.oid, index.oid, 1, False),
        depend(me, (PG_CLASS_RELID, index.oid, 0), "P"),
        depend(me, (PG_CLASS_RELID, child_oid, 0), "S"),
    ]
    if own.constraint is not None and index.constraint is not None:
        constraint = (PG_CONSTRAINT_RELID, own.constraint.oid, 0)
        rows += [
            depend(constraint, (PG_CONSTRAINT_RELID, index.constraint.oid, 0), "P"),
            depend(constraint, (PG_CLASS_RELID, child_oid, 0), "S"),
        ]
        catalog.update(
            PgConstraint,
            {"oid": own.constraint.oid},
            conparentid=index.constraint.oid,
            conislocal=False,
            coninhcount=own.constraint.coninhcount + 1,
        )
    insert_rows(catalog, rows)
    catalog.update(PgClass, {"oid": own.oid}, relispartition=True)
    catalog.update(PgClass, {"oid": index.oid}, relhassubclass=True)


def attach_existing_index(session: Any, parent: Any, index: Any, child_oid: int) -> bool:
    """ATTACH PARTITION: an equal index of the new partition serves."""
    catalog = session.catalog
    child = catalog.relation(child_oid)
    for own in child.indexes:
        if own.pg_class.relispartition or not same_index(catalog, parent, index, child, own):
            continue
        if index.constraint is not None and (
            own.constraint is None or own.constraint.contype != index.constraint.contype
        ):
            continue
        set_parent_index(session, child_oid, own, index)
        if not own.index.indisvalid:
            catalog.update(PgIndex, {"indexrelid": index.oid}, indisvalid=False)
        return True
    return False


def attach_index(session: Any, index_relation: Any, cmd: dict[str, Any]) -> None:
    """ALTER INDEX ... ATTACH PARTITION."""
    from pgemu.catalog.namespace import range_var_get_relid

    catalog = session.catalog
    oid = range_var_get_relid(catalog, cmd["name"])
    own_relation = catalog.relation(oid)
    if own_relation.relkind not in "iI":
        raise PgError(INVALID_OBJECT_DEFINITION, f'"{own_relation.name}" is not an index')
    check_owner(session, own_relation)
    link = catalog.one(PgInherits, inhrelid=oid)
    if link is not None and link.inhparent == index_relation.oid:
        return
    refusal = f'cannot attach index "{own_relation.name}" as a partition of index ' + (
        f'"{index_relation.name}"'
    )
    parent, index = _index_on_table(catalog, index_relation.oid)
    child, own = _index_on_table(catalog, oid)
    if any(_part_of(catalog, i.oid, index.oid) for i in child.indexes):
        raise PgError(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            refusal,
            detail=f'Another index is already attached for partition "{child.name}".',
        )
    if link is not None:
        raise PgError(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            refusal,
            detail=f'Index "{own_relation.name}" is already attached to another index.',
        )
    if child.oid not in parent.children:
        raise PgError(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            refusal,
            detail=f'Index "{own.name}" is not an index on any partition of table "{parent.name}".',
        )
    if not same_index(catalog, parent, index, child, own):
        raise PgError(
            INVALID_OBJECT_DEFINITION, refusal, detail="The index definitions do not match."
        )
    if index.constraint is not None and own.constraint is None:
        raise PgError(
            INVALID_OBJECT_DEFINITION,
            refusal,
            detail=f'The index "{index.name}" belongs to a constraint in table "{parent.name}" '
            f'but no constraint exists for index "{own.name}".',
        )
    set_parent_index(session, child.oid, own, index)
    validate_partitioned_index(session, index.oid)


def _index_on_table(catalog: Any, oid: int) -> tuple[Any, Any]:
    """(the table, the relcache's entry of the index)"""
    relation = catalog.relation(catalog.get(PgIndex, indexrelid=oid).indrelid)
    return relation, next(i for i in relation.indexes if i.oid == oid)


def _part_of(catalog: Any, oid: int, parent: int) -> bool:
    link = catalog.one(PgInherits, inhrelid=oid)
    return link is not None and link.inhparent == parent


def validate_partitioned_index(session: Any, oid: int) -> None:
    """An index of a partitioned table is valid once every partition has a valid part of it."""
    catalog = session.catalog
    parent, index = _index_on_table(catalog, oid)
    if index.index.indisvalid:
        return
    parts = [
        catalog.get(PgIndex, indexrelid=link.inhrelid)
        for link in catalog.all(PgInherits, inhparent=oid)
    ]
    if sum(p.indisvalid for p in parts) != len(parent.children):
        return
    catalog.update(PgIndex, {"indexrelid": oid}, indisvalid=True)
    link = catalog.one(PgInherits, inhrelid=oid)
    if link is not None:
        validate_partitioned_index(session, link.inhparent)
