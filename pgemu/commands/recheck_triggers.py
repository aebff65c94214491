"""The rows of pg_trigger of deferrable unique and exclusion constraints (index_constraint_create of
PostgreSQL's index.c).  The executor tests such constraints by itself (executor/ri_triggers.py); the
rows tell that it is to, and ALTER TABLE ... DISABLE TRIGGER ALL that it is not."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.heap import depend
from pgemu.catalog.pg_type_create import proc_oid
from pgemu.catalog.rows import PG_CONSTRAINT_RELID, PG_TRIGGER_RELID, PgClass, PgTrigger

TRIGGER_ROW, TRIGGER_INSERT, TRIGGER_UPDATE = 1, 4, 16


def recheck_trigger_rows(session: Any, con: Any) -> list[Any]:
    """What a new constraint needs: nothing if its check cannot be deferred."""
    if not con.condeferrable:
        return []
    catalog = session.catalog
    oid = catalog.new_oid()
    stem = "PK_ConstraintTrigger" if con.contype == "p" else "Unique_ConstraintTrigger"
    table = catalog.one(PgClass, oid=con.conrelid)
    if table is not None and not table.relhastriggers:
        catalog.update(PgClass, {"oid": con.conrelid}, relhastriggers=True)
    row = PgTrigger(
        oid=oid,
        tgrelid=con.conrelid,
        tgparentid=0,
        tgname=f"{stem}_{oid}",
        tgfoid=proc_oid(catalog, "unique_key_recheck"),
        tgtype=TRIGGER_ROW | TRIGGER_INSERT | TRIGGER_UPDATE,
        tgenabled="O",
        tgisinternal=True,
        tgconstrrelid=0,
        tgconstrindid=con.conindid,
        tgconstraint=con.oid,
        tgdeferrable=True,
        tginitdeferred=con.condeferred,
        tgnargs=0,
        tgattr=(),
        tgargs=b"",
    )
    return [row, depend((PG_TRIGGER_RELID, oid, 0), (PG_CONSTRAINT_RELID, con.oid, 0), "i")]
