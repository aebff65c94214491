"""What the AFTER triggers of a table note for the tests at the end of a statement: their statements
(PostgreSQL's constraint triggers in pg_trigger, which trigger.c queues).

ALTER TABLE ... DISABLE TRIGGER ALL leaves the notes of a constraint out.  session_replication_role
is looked at when a row is noted (`fires_in_role`), since it may change at any time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from pgemu.catalog.rows import PgConstraint, PgProc, PgTrigger
from pgemu.executor.triggers import DELETE, INSERT, UPDATE


def _triggers(
    session: Any, relation: Any, constraint: PgConstraint, event: int, *, on_referenced: bool
) -> Iterator[PgTrigger]:
    """The constraint's triggers for an event: those of this table, or of the table that it is a
    partition of."""
    catalog = session.catalog
    relations = [relation, *map(catalog.relation, relation.partition_ancestors)]
    for one in relations:
        for trigger in one.triggers:
            if trigger.tgconstraint != constraint.oid or not trigger.tgtype & event:
                continue
            name = catalog.get(PgProc, oid=trigger.tgfoid).proname
            action = name.startswith("RI_FKey_") and not name.startswith("RI_FKey_check_")
            if action == on_referenced:
                yield trigger


def _fires(
    session: Any, relation: Any, constraint: PgConstraint, event: int, *, on_referenced: bool
) -> bool:
    """False: the trigger is disabled.  A constraint without a row in pg_trigger is tested."""
    found = next(_triggers(session, relation, constraint, event, on_referenced=on_referenced), None)
    if found is not None and found.tgenabled == "R":
        session.after_triggers.for_replica.add(constraint.oid)
    return found is None or found.tgenabled != "D"


def fires_in_role(session: Any, constraint: PgConstraint, kind: str, *, replica: bool) -> bool:
    """Whether session_replication_role lets the trigger fire that noted a row (TriggerEnabled).
    kind: that of an Event."""
    events = {"delete": DELETE, "update": UPDATE}
    on_referenced = kind in events
    relation = session.catalog.relation(
        constraint.confrelid if on_referenced else constraint.conrelid
    )
    found = _triggers(
        session, relation, constraint, events.get(kind, INSERT), on_referenced=on_referenced
    )
    mode = next((trigger.tgenabled for trigger in found), "O")
    return mode in ("RA" if replica else "OA")


def _columns(row: str, attnums: Sequence[int]) -> str:
    return ", ".join(f"{row}.c{a}" for a in attnums)


def _changed(attnums: Sequence[int]) -> str:
    return " OR ".join(f"NEW.c{a} IS NOT OLD.c{a}" for a in attnums)


def _present(row: str, attnums: Sequence[int], match_full: bool) -> str:
    """All key columns are there; MATCH FULL also wants a look at keys with some of them."""
    joiner = " OR " if match_full else " AND "
    return joiner.join(f"{row}.c{a} IS NOT NULL" for a in attnums)


def child_notes(session: Any, relation: Any) -> tuple[list[str], list[str]]:
    """(after insert, after update) for the foreign keys of a table."""
    insert, update = [], []
    # in the order of their triggers' names
    for c in sorted(relation.fkeys, key=lambda c: c.oid):
        fires = partial(_fires, session, relation, c, on_referenced=False)
        note = f"SELECT pg_note_child({c.oid}, {_columns('NEW', c.conkey)}) WHERE "
        present = _present("NEW", c.conkey, c.confmatchtype == "f")
        if fires(INSERT):
            insert.append(note + present)
            insert.append(f"SELECT pg_note_null({c.oid}) WHERE ({present}) IS NOT TRUE")
        if not fires(UPDATE):
            continue
        changed = _changed(c.conkey)
        if c.condeferrable:  # what was stored by the same transaction may not be tested yet
            changed += " OR OLD.xmin=pg_xid()"
        update.append(f"{note}({present}) AND ({changed})")
    return insert, update


def _referencing(session: Any, relation: Any) -> list[tuple[PgConstraint, Sequence[int]]]:
    """The foreign keys that reference a table, or a partitioned table that it is part of, with
    the numbers that the key columns have here."""
    found = [(c, c.confkey) for c in relation.referenced_by]
    numbers = {a.attname: a.attnum for a in relation.columns}
    known = {oid for c, _ in found for oid in constraints_above(session.catalog, c)}
    for oid in relation.partition_ancestors:
        ancestor = session.catalog.relation(oid)
        for c in ancestor.referenced_by:
            if c.oid not in known and not c.conparentid:
                found.append((c, [numbers[ancestor.attrs[a - 1].attname] for a in c.confkey]))
    return sorted(found, key=lambda pair: pair[0].oid)


def constraints_above(catalog: Any, constraint: PgConstraint) -> list[int]:
    """The constraints of the partitioned tables that this one, of a partition, stands for."""
    above = []
    while constraint.conparentid:
        above.append(constraint.conparentid)
        constraint = catalog.get(PgConstraint, oid=constraint.conparentid)
    return above


def parent_notes(session: Any, relation: Any) -> tuple[list[str], list[str]]:
    """(after update, after delete) for the foreign keys that reference a table."""
    update, delete = [], []
    for c, confkey in _referencing(session, relation):
        old, new = _columns("OLD", confkey), _columns("NEW", confkey)
        present = _present("OLD", confkey, False)
        if _fires(session, relation, c, UPDATE, on_referenced=True):
            update.append(
                f"SELECT pg_note_update({c.oid}, {old}, {new}) "
                f"WHERE ({present}) AND ({_changed(confkey)})"
            )
        if _fires(session, relation, c, DELETE, on_referenced=True):
            delete.append(f"SELECT pg_note_delete({c.oid}, {old}) WHERE {present}")
    return update, delete


def unique_notes(session: Any, relation: Any) -> tuple[list[str], list[str]]:
    """(after insert, after update) for deferrable unique constraints."""
    insert, update = [], []
    for index in relation.indexes:
        row = index.constraint
        if row is not None and not _fires(session, relation, row, INSERT, on_referenced=False):
            continue
        if row is not None and row.contype == "x":
            note = f"SELECT pg_note_exclude({row.oid}, NEW.rid)"
            insert.append(note)
            update.append(note)
            continue
        if row is None or not row.condeferrable or row.contype not in "pu":
            continue
        note = f"SELECT pg_note_unique({row.oid}, {_columns('NEW', row.conkey)}) WHERE "
        present = _present("NEW", row.conkey, False)
        insert.append(note + present)
        update.append(f"{note}({present}) AND ({_changed(row.conkey)})")
    return insert, update
