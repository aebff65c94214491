"""Foreign keys from and to partitioned tables (addFkRecurseReferenced, addFkRecurseReferencing,
CloneForeignKeyConstraints and tryAttachPartitionForeignKey of tablecmds.c).

Each partition of the referenced table has a pg_constraint row of its own with the triggers of the
actions; each partition of the referencing table has one with the triggers that check.  conparentid
leads to the row above.
"""

from __future__ import annotations

from typing import Any

from pgemu.catalog.dependency import perform_deletion
from pgemu.catalog.heap import depend, insert_rows
from pgemu.catalog.objectaddress import ObjectAddress
from pgemu.catalog.pg_constraint import choose_constraint_name, constraint_name_is_used
from pgemu.catalog.rows import (
    PG_CLASS_RELID,
    PG_CONSTRAINT_RELID,
    PG_TRIGGER_RELID,
    PgClass,
    PgConstraint,
    PgDepend,
    PgIndex,
    PgInherits,
    PgTrigger,
)
from pgemu.commands.constraint_cmds import choose_index_name_addition
from pgemu.commands.foreign_keys import (
    action_trigger_rows,
    check_trigger_rows,
    validate_foreign_key,
)


def clone_to_partitions(session: Any, oid: int, *, validate: bool) -> None:
    """The rows of the partitions on both sides of a foreign key that was just made."""
    catalog = session.catalog
    con = catalog.get(PgConstraint, oid=oid)
    for child in catalog.relation(con.confrelid).children:
        _clone_referenced(session, con, child)
    for child in catalog.relation(con.conrelid).children:
        if catalog.relation(child).is_partition:
            _clone_referencing(session, con, child, validate=validate)


def clone_foreign_keys(session: Any, parent: Any, partition: int, *, attached: bool) -> None:
    """CloneForeignKeyConstraints: the foreign keys of and to a table, for a new partition."""
    catalog = session.catalog
    for con in catalog.relation(parent.oid).referenced_by:
        _clone_referenced(session, con, partition)
    for con in catalog.relation(parent.oid).fkeys:
        if attached and _attach_existing(session, con, partition):
            continue
        _clone_referencing(session, con, partition, validate=attached and con.convalidated)


def _mapped(parent: Any, child: Any, attnums: Any) -> Any:
    """Column numbers of a table as its partition has them."""
    if attnums is None:
        return None
    return tuple(child.attrs_by_name[parent.attrs[n - 1].attname].attnum for n in attnums)


def _part_of_index(catalog: Any, index: int, relid: int) -> int:
    """index_get_partition: the part of a partitioned index on one partition."""
    for link in catalog.all(PgInherits, inhparent=index):
        if catalog.get(PgIndex, indexrelid=link.inhrelid).indrelid == relid:
            return int(link.inhrelid)
    return 0


def _free_name(catalog: Any, name: str, relation: Any, attnums: tuple[int, ...]) -> str:
    if not constraint_name_is_used(catalog, relation.oid, name):
        return name
    names = [relation.attrs[n - 1].attname for n in attnums]
    return choose_constraint_name(
        catalog, relation.name, choose_index_name_addition(names), "fkey", relation.namespace
    )


def _insert(session: Any, row: PgConstraint, links: list[Any], triggers: list[Any]) -> None:
    catalog = session.catalog
    me = (PG_CONSTRAINT_RELID, row.oid, 0)
    rows: list[Any] = [row]
    rows += [depend(me, (PG_CLASS_RELID, row.conrelid, n), "a") for n in row.conkey or ()]
    rows.append(depend(me, (PG_CLASS_RELID, row.conindid, 0), "n"))
    rows += [depend(me, (PG_CLASS_RELID, row.confrelid, n), "n") for n in row.confkey or ()]
    insert_rows(catalog, [*rows, *links, *triggers])
    for relid in (row.conrelid, row.confrelid):
        if not catalog.get(PgClass, oid=relid).relhastriggers:
            catalog.update(PgClass, {"oid": relid}, relhastriggers=True)


def _with_parents(catalog: Any, triggers: list[Any], above: int) -> list[Any]:
    """tgparentid: the trigger with the same function that belongs to the constraint above."""
    theirs = {t.tgfoid: t.oid for t in catalog.all(PgTrigger, tgconstraint=above)}
    return [
        row._replace(tgparentid=theirs.get(row.tgfoid, 0)) if isinstance(row, PgTrigger) else row
        for row in triggers
    ]


def _clone_referenced(session: Any, con: PgConstraint, partition: int) -> None:
    """A partition of the referenced table, and the partitions below it."""
    catalog = session.catalog
    parent, child = catalog.relation(con.confrelid), catalog.relation(partition)
    oid = catalog.new_oid()
    fk = catalog.relation(con.conrelid)
    row = con._replace(
        oid=oid, conname=_free_name(catalog, con.conname, fk, con.conkey or ()),
        conparentid=con.oid, confrelid=partition, confkey=_mapped(parent, child, con.confkey),
        conindid=_part_of_index(catalog, con.conindid, partition),
        conislocal=False, coninhcount=1, connoinherit=False,
    )  # fmt: skip
    link = depend((PG_CONSTRAINT_RELID, oid, 0), (PG_CONSTRAINT_RELID, con.oid, 0), "i")
    triggers = _with_parents(catalog, action_trigger_rows(session, row), con.oid)
    _insert(session, row, [link], triggers)
    for below in child.children:
        _clone_referenced(session, row, below)


def _clone_referencing(session: Any, con: PgConstraint, partition: int, *, validate: bool) -> None:
    """A partition of the referencing table, and the partitions below it."""
    catalog = session.catalog
    parent, child = catalog.relation(con.conrelid), catalog.relation(partition)
    if child.relkind == "f":
        return
    oid = catalog.new_oid()
    conkey = _mapped(parent, child, con.conkey)
    row = con._replace(
        oid=oid, conname=_free_name(catalog, con.conname, child, conkey),
        connamespace=child.namespace, conparentid=con.oid, conrelid=partition, conkey=conkey,
        confdelsetcols=_mapped(parent, child, con.confdelsetcols),
        conislocal=False, coninhcount=1, connoinherit=False,
    )  # fmt: skip
    triggers = _with_parents(catalog, check_trigger_rows(session, row), con.oid)
    _insert(session, row, _partition_links(oid, con.oid, partition), triggers)
    if validate and child.relkind == "r":
        validate_foreign_key(session, oid)
    for below in child.children:
        _clone_referencing(session, row, below, validate=validate)


def _partition_links(oid: int, above: int, partition: int) -> list[Any]:
    me = (PG_CONSTRAINT_RELID, oid, 0)
    return [
        depend(me, (PG_CONSTRAINT_RELID, above, 0), "P"),
        depend(me, (PG_CLASS_RELID, partition, 0), "S"),
    ]


def _attach_existing(session: Any, con: PgConstraint, partition: int) -> bool:
    """tryAttachPartitionForeignKey: an equal foreign key of the attached table serves."""
    catalog = session.catalog
    parent, child = catalog.relation(con.conrelid), catalog.relation(partition)
    conkey = _mapped(parent, child, con.conkey)
    for own in child.fkeys:
        wanted = con._replace(
            oid=own.oid, conname=own.conname, connamespace=own.connamespace, conparentid=0,
            conrelid=partition, conkey=conkey, conislocal=own.conislocal,
            coninhcount=own.coninhcount, connoinherit=own.connoinherit,
            confdelsetcols=_mapped(parent, child, con.confdelsetcols), convalidated=True,
        )  # fmt: skip
        if own != wanted:
            continue
        _drop_actions(session, own)
        theirs = {t.tgfoid: t.oid for t in catalog.all(PgTrigger, tgconstraint=con.oid)}
        for trigger in catalog.all(PgTrigger, tgconstraint=own.oid):
            above = theirs.get(trigger.tgfoid, 0)
            catalog.update(PgTrigger, {"oid": trigger.oid}, tgparentid=above)
        catalog.update(
            PgConstraint,
            {"oid": own.oid},
            conparentid=con.oid,
            conislocal=False,
            coninhcount=own.coninhcount + 1,
        )
        insert_rows(catalog, _partition_links(own.oid, con.oid, partition))
        return True
    return False


def _drop_actions(session: Any, con: PgConstraint) -> None:
    """The actions are those of the constraint above from now on."""
    catalog = session.catalog
    for trigger in catalog.all(PgTrigger, tgconstraint=con.oid):
        if trigger.tgrelid == con.confrelid and trigger.tgname.startswith("RI_ConstraintTrigger_a"):
            catalog.delete(PgDepend, classid=PG_TRIGGER_RELID, objid=trigger.oid)
            catalog.delete(PgTrigger, oid=trigger.oid)
    for below in catalog.all(PgConstraint, conparentid=con.oid):
        if below.conrelid == con.conrelid:
            _drop(session, below)


def _drop(session: Any, con: PgConstraint) -> None:
    """Take away a partition's row of the referenced side, which cannot be dropped by itself."""
    catalog = session.catalog
    catalog.delete(PgDepend, classid=PG_CONSTRAINT_RELID, objid=con.oid, deptype="i")
    perform_deletion(
        catalog, ObjectAddress(PG_CONSTRAINT_RELID, con.oid, 0), "restrict", quietly=True,
        internal=True,
    )  # fmt: skip


def detach_foreign_keys(session: Any, parent: Any, child: Any) -> None:
    """DETACH PARTITION: what referenced the partition through its parent goes, its own foreign
    keys stand on their own."""
    catalog = session.catalog
    above = {c.oid for c in catalog.all(PgConstraint, confrelid=parent.oid)}
    for con in catalog.all(PgConstraint, confrelid=child.oid):
        if con.conparentid in above and con.conrelid != child.oid:
            _drop(session, con)
    for con in child.fkeys:
        if not con.conparentid:
            continue
        for trigger in catalog.all(PgTrigger, tgconstraint=con.oid):
            catalog.update(PgTrigger, {"oid": trigger.oid}, tgparentid=0)
        insert_rows(catalog, action_trigger_rows(session, con))
        for partition in catalog.relation(con.confrelid).children:
            _clone_referenced(session, con._replace(conparentid=0), partition)
