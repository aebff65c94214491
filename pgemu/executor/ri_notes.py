"""The statements of the AFTER triggers that note keys for foreign keys and deferrable uniqueness
(ri_triggers.py tests them; PostgreSQL queues its RI triggers as events)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pgemu.catalog.rows import PgConstraint


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
        note = f"SELECT pg_note_child({c.oid}, {_columns('NEW', c.conkey)}) WHERE "
        present = _present("NEW", c.conkey, c.confmatchtype == "f")
        insert.append(note + present)
        insert.append(f"SELECT pg_note_null({c.oid}) WHERE ({present}) IS NOT TRUE")
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
        update.append(
            f"SELECT pg_note_update({c.oid}, {old}, {new}) "
            f"WHERE ({present}) AND ({_changed(confkey)})"
        )
        delete.append(f"SELECT pg_note_delete({c.oid}, {old}) WHERE {present}")
    return update, delete


def unique_notes(session: Any, relation: Any) -> tuple[list[str], list[str]]:
    """(after insert, after update) for deferrable unique constraints."""
    insert, update = [], []
    for index in relation.indexes:
        row = index.constraint
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
