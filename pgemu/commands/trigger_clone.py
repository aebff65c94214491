"""Row triggers of partitioned tables on their partitions (CloneRowTriggersToPartition and
DropClonedTriggersFromPartition of tablecmds.c, the recursion of CreateTriggerFiringOn and
renametrig of trigger.c).

Every partition has a pg_trigger row of its own, whose tgparentid is that of the table above it.
"""

from __future__ import annotations

from typing import Any

from pgemu.catalog.dependency import perform_multiple_deletions
from pgemu.catalog.heap import depend, insert_rows
from pgemu.catalog.objectaddress import ObjectAddress
from pgemu.catalog.pg_constraint import constraint_row
from pgemu.catalog.rows import (
    PG_CLASS_RELID,
    PG_CONSTRAINT_RELID,
    PG_PROC_RELID,
    PG_TRIGGER_RELID,
    PgClass,
    PgConstraint,
    PgDepend,
    PgTrigger,
)
from pgemu.commands.attmap import map_columns_by_name
from pgemu.errors import DUPLICATE_OBJECT, INTERNAL_ERROR, PgError
from pgemu.nodes.serialize import node_to_string

ROW = 1


def clone_triggers_to_partition(session: Any, parent: Any, partition: Any) -> None:
    """All row triggers of a table on a new partition, and on the partitions of that."""
    for trigger in parent.triggers:
        if trigger.tgtype & ROW and not trigger.tgisinternal:
            clone_trigger(session, parent, trigger, partition, replacing=False)


def clone_trigger_to_partitions(
    session: Any, parent: Any, trigger: PgTrigger, *, replacing: bool
) -> None:
    """A trigger just made on a partitioned table."""
    for oid in parent.children:
        child = session.catalog.relation(oid)
        clone_trigger(session, parent, trigger, child, replacing=replacing)


def clone_trigger(
    session: Any, parent: Any, trigger: PgTrigger, partition: Any, *, replacing: bool
) -> None:
    catalog = session.catalog
    old = catalog.one(PgTrigger, tgrelid=partition.oid, tgname=trigger.tgname)
    oid = catalog.new_oid()
    if old is not None:
        _refuse_existing(partition, old, replacing)
        oid = old.oid
        catalog.delete(PgTrigger, oid=oid)
        catalog.delete(PgDepend, classid=PG_TRIGGER_RELID, objid=oid)
    columns = tuple(
        partition.attrs_by_name[parent.attrs[n - 1].attname].attnum for n in trigger.tgattr
    )
    made = trigger._replace(
        oid=oid, tgrelid=partition.oid, tgparentid=trigger.oid, tgattr=columns,
        tgqual=_mapped_condition(catalog, trigger, parent, partition),
    )  # fmt: skip
    me = (PG_TRIGGER_RELID, oid, 0)
    table = (PG_CLASS_RELID, partition.oid, 0)
    rows: list[Any] = []
    if trigger.tgconstraint:
        made = made._replace(tgconstraint=catalog.new_oid())
        above = catalog.get(PgConstraint, oid=trigger.tgconstraint)
        constraint = (PG_CONSTRAINT_RELID, made.tgconstraint, 0)
        rows += [
            constraint_row(
                made.tgconstraint, above.conname, partition.namespace, "t",
                conrelid=partition.oid, condeferrable=above.condeferrable,
                condeferred=above.condeferred, connoinherit=True,
            ),
            depend(constraint, table, "a"),
            depend(me, constraint, "i"),
        ]  # fmt: skip
    else:
        rows.append(depend(me, table, "a"))
    rows += [
        made,
        depend(me, (PG_PROC_RELID, made.tgfoid, 0), "n"),
        depend(me, (PG_TRIGGER_RELID, trigger.oid, 0), "P"),
        depend(me, table, "S"),
        *(depend(me, (PG_CLASS_RELID, partition.oid, n), "n") for n in columns),
    ]
    insert_rows(catalog, rows)
    catalog.update(PgClass, {"oid": partition.oid}, relhastriggers=True)
    if partition.relkind == "p":
        clone_trigger_to_partitions(session, partition, made, replacing=replacing)


def _refuse_existing(partition: Any, old: PgTrigger, replacing: bool) -> None:
    if not replacing:
        raise PgError(
            DUPLICATE_OBJECT,
            f'trigger "{old.tgname}" for relation "{partition.name}" already exists',
        )
    if old.tgconstraint:
        raise PgError(
            DUPLICATE_OBJECT,
            f'trigger "{old.tgname}" for relation "{partition.name}" is a constraint trigger',
        )


def _mapped_condition(catalog: Any, trigger: PgTrigger, parent: Any, partition: Any) -> str | None:
    """WHEN with the partition's attribute numbers."""
    if not trigger.tgqual:
        return None

    condition = catalog.decode_node(trigger.tgqual, "expr", parent.oid)
    mapped = map_columns_by_name(
        condition, parent, lambda name: partition.attrs_by_name[name].attnum, partition.type_oid
    )
    return node_to_string(mapped)


def drop_cloned_triggers(session: Any, partition: Any) -> None:
    """What DETACH takes away from a partition."""
    catalog = session.catalog
    addresses = []
    for trigger in partition.triggers:
        if not trigger.tgparentid or trigger.tgisinternal:
            continue
        for deptype in "PS":
            catalog.delete(PgDepend, classid=PG_TRIGGER_RELID, objid=trigger.oid, deptype=deptype)
        addresses.append(ObjectAddress(PG_TRIGGER_RELID, trigger.oid, 0))
    perform_multiple_deletions(catalog, addresses, quietly=True)


def rename_trigger(session: Any, relation: Any, trigger: PgTrigger, name: str) -> None:
    """renametrig: a trigger and its clones."""
    if trigger.tgparentid:
        parent = session.catalog.relation(relation.parents[0])
        raise PgError(
            INTERNAL_ERROR,  # as PostgreSQL has it
            f'cannot rename trigger "{trigger.tgname}" on table "{relation.name}"',
            hint=f'Rename the trigger on the partitioned table "{parent.name}" instead.',
        )
    _rename(session, relation, trigger, name, trigger.tgname)


def _rename(session: Any, relation: Any, trigger: PgTrigger, name: str, expected: str) -> None:
    catalog = session.catalog
    if trigger.tgname != name:
        if catalog.one(PgTrigger, tgrelid=relation.oid, tgname=name) is not None:
            raise PgError(
                DUPLICATE_OBJECT,
                f'trigger "{name}" for relation "{relation.name}" already exists',
            )
        if trigger.tgname != expected:
            session.notice(
                "NOTICE",
                "00000",
                f'renamed trigger "{trigger.tgname}" on relation "{relation.name}"',
            )
        catalog.update(PgTrigger, {"oid": trigger.oid}, tgname=name)
    if relation.relkind != "p":
        return
    for oid in relation.children:
        child = catalog.relation(oid)
        for clone in child.triggers:
            if clone.tgparentid == trigger.oid:
                _rename(session, child, clone, name, expected)
