"""Rows held against a partition's bound at ATTACH and CREATE ... PARTITION OF (PostgreSQL's
QueuePartitionConstraintValidation and check_default_partition_contents).

The condition is the one the catalogs imply once the partition is linked; a row for which it is
false is an error, one for which it is null passes.
"""

from __future__ import annotations

from typing import Any

from pgemu.commands.ddl_messages import debug1, implied_by_constraints, verifying_table
from pgemu.commands.index_build import compile_expr
from pgemu.commands.inherit import map_variable_attnos
from pgemu.commands.permissions import check_owner
from pgemu.errors import (
    CHECK_VIOLATION,
    DATATYPE_MISMATCH,
    DUPLICATE_TABLE,
    FEATURE_NOT_SUPPORTED,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.rewrite.partition_qual import generate_partition_qual


def check_attachable(session: Any, child: Any, parent: Any) -> None:
    """What ATExecAttachPartition refuses before it looks at the bound."""
    check_owner(session, child)
    if child.is_partition:
        raise PgError(WRONG_OBJECT_TYPE, f'"{child.name}" is already a partition')
    if child.row.reloftype:
        raise PgError(WRONG_OBJECT_TYPE, "cannot attach a typed table as partition")
    if child.parents:
        raise PgError(WRONG_OBJECT_TYPE, "cannot attach inheritance child as partition")
    if child.relkind == "r" and child.children:
        raise PgError(WRONG_OBJECT_TYPE, "cannot attach inheritance parent as partition")
    if parent.oid in child.all_inheritors:
        raise PgError(
            DUPLICATE_TABLE,
            "circular inheritance not allowed",
            detail=f'"{parent.name}" is already a child of "{child.name}".',
        )
    for one, other, words in (
        (parent, child, "permanent relation as partition of temporary relation"),
        (child, parent, "temporary relation as partition of permanent relation"),
    ):
        if one.persistence == "t" and other.persistence != "t":
            raise PgError(WRONG_OBJECT_TYPE, f'cannot attach a {words} "{parent.name}"')
    for att in child.columns:
        if att.attname not in parent.attrs_by_name:
            raise PgError(
                DATATYPE_MISMATCH,
                f'table "{child.name}" contains column "{att.attname}" not found in parent '
                f'"{parent.name}"',
                detail="The new partition may contain only the columns present in parent.",
            )
    refuse_transition_triggers(child, "partition", "on partitions")


def refuse_unique_indexes(child: Any, parent: Any, *, creating: bool = False) -> None:
    """A foreign table cannot hold what a unique index of the parent promises."""
    if not any(i.index.indisunique for i in parent.indexes):
        return
    if creating:
        raise PgError(
            WRONG_OBJECT_TYPE,
            f'cannot create foreign partition of partitioned table "{parent.name}"',
            detail=f'Table "{parent.name}" contains indexes that are unique.',
        )
    raise PgError(
        WRONG_OBJECT_TYPE,
        f'cannot attach foreign table "{child.name}" as partition of partitioned table '
        f'"{parent.name}"',
        detail=f'Partitioned table "{parent.name}" contains unique indexes.',
    )


def refuse_transition_triggers(child: Any, becoming: str, where: str) -> None:
    """FindTriggerIncompatibleWithInheritance."""
    for trigger in child.triggers:
        if trigger.tgtype & 1 and (trigger.tgoldtable or trigger.tgnewtable):
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                f'trigger "{trigger.tgname}" prevents table "{child.name}" from becoming '
                f"{'an' if becoming[0] == 'i' else 'a'} {becoming}",
                detail=f"ROW triggers with transition tables are not supported {where}.",
            )


def validate_partition_rows(session: Any, relation: Any) -> None:
    """The rows of a table that was just attached satisfy its partition constraint."""
    quals = generate_partition_qual(session.catalog, relation)
    if quals and implied_by_constraints(session.catalog, relation, quals):
        debug1(
            session,
            f'partition constraint for table "{relation.name}" is implied by existing constraints',
        )
        return
    leaf = _violating_leaf(session, relation, attaching=True)
    if leaf is not None:
        raise PgError(
            CHECK_VIOLATION,
            f'partition constraint of relation "{leaf.name}" is violated by some row',
            schema=leaf.schema_name,
            table=leaf.name,
        )


def validate_default_partition(session: Any, parent: Any, *, attaching: bool) -> None:
    """No row of the default partition belongs to the partition that was just made."""
    catalog = session.catalog
    key = parent.partition_key
    default = catalog.relation(key.partdefid) if key is not None and key.partdefid else None
    if default is None:
        return
    leaf = _violating_leaf(session, default, attaching=attaching)
    if leaf is not None:
        shown = leaf if attaching else default
        raise PgError(
            CHECK_VIOLATION,
            f'updated partition constraint for default partition "{shown.name}" would be '
            "violated by some row",
            schema=shown.schema_name,
            table=shown.name,
        )


def _violating_leaf(session: Any, relation: Any, *, attaching: bool) -> Any:
    """The first table at or below `relation` with a row that breaks its constraint."""
    catalog = session.catalog
    quals = generate_partition_qual(catalog, relation)
    if not quals:
        return None
    for oid in relation.all_inheritors:
        leaf = catalog.relation(oid)
        if leaf.relkind != "r":
            continue
        if attaching:
            verifying_table(session, leaf.name)
        mapping = {
            a.attnum: leaf.attrs_by_name[a.attname].attnum
            for a in relation.columns
            if a.attname in leaf.attrs_by_name
        }
        parts = [compile_expr(session, oid, map_variable_attnos(qual, mapping)) for qual in quals]
        where = " OR ".join(f"NOT ({part})" for part in parts)
        if session.xact.execute(f"SELECT 1 FROM {leaf.sqlite_name} WHERE {where} LIMIT 1"):
            return leaf
    return None
