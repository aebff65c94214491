"""SET CONSTRAINTS (PostgreSQL's AfterTriggerSetState)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.namespace import lookup_explicit_namespace
from pgemu.catalog.rows import PgConstraint, PgNamespace
from pgemu.commands.result import CommandResult, Statement
from pgemu.commands.variable import in_transaction_block
from pgemu.errors import UNDEFINED_OBJECT, WRONG_OBJECT_TYPE, PgError
from pgemu.transam.xact import IDLE


def set_constraints(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALL, or the constraints of each name in the first schema of the path that has it."""
    alone = st.top_level and not in_transaction_block(session)
    if alone:
        session.notice("WARNING", "25P01", "SET CONSTRAINTS can only be used in transaction blocks")
    found: list[int] = []
    for item in stmt.get("constraints", ()):
        found += _constraints(session, item["RangeVar"], bool(stmt.get("deferred")))
    if alone and session.xact.state == IDLE:  # its transaction is over with it
        return CommandResult("SET CONSTRAINTS")
    if stmt.get("constraints") and not found:
        return CommandResult("SET CONSTRAINTS")
    session.after_triggers.set_mode(found, bool(stmt.get("deferred")))
    queue = getattr(session, "deferred_triggers", None)
    if queue is not None:
        queue.fire_due()
    return CommandResult("SET CONSTRAINTS")


def _constraints(session: Any, name: dict[str, Any], deferred: bool) -> list[int]:
    catalog = session.catalog
    wanted = name["relname"]
    if name.get("schemaname"):
        spaces = [lookup_explicit_namespace(catalog, name["schemaname"])]
    else:
        spaces = catalog.search_path()
    rows = [c for c in catalog.all(PgConstraint, conname=wanted) if c.contype in "fpuxt"]
    for space in spaces:
        here = [c for c in rows if c.connamespace == space]
        if not here:
            continue
        for con in here:  # grows: the constraints of the partitions below
            here.extend(catalog.all(PgConstraint, conparentid=con.oid))
        deferrable = [c.oid for c in here if c.condeferrable]
        if not deferrable and deferred:
            raise PgError(WRONG_OBJECT_TYPE, f'constraint "{wanted}" is not deferrable')
        return deferrable
    raise PgError(UNDEFINED_OBJECT, f'constraint "{wanted}" does not exist')


__all__ = ["PgNamespace", "set_constraints"]
