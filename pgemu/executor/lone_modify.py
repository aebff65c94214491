"""INSERT, UPDATE and DELETE by a session that is alone (no counterpart in PostgreSQL).

Most writing statements of an application meet nobody: no other transaction is open that has
written, no snapshot is held.  Then there is nothing to look at row by row and nothing to undo
outside of a transaction block: the plan's direct SQLite statement runs as it is, SQLite itself
making a transaction of it.  What the ordinary way (modify.py) does around it is left out here:

- the table lock: the writer lock is held instead, and whoever takes a strong lock on a table
  passes the writer lock after announcing it (SessionLocks.acquire), so either it waits for the
  statement or the statement sees the announcement and takes the ordinary way;
- the preparation of the table: only tables that this session has prepared already are written;
- the hooks of the transaction's end: nothing that they look at can have changed, as only plans
  without side effects run here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pgemu.executor.lock_levels import ACCESS_SHARE, ROW_EXCLUSIVE
from pgemu.nodes.primnodes import Value
from pgemu.planner.plan import Plan
from pgemu.storage.locktable import strong_word
from pgemu.storage.procarray import XID, XMIN
from pgemu.transam.visibility import EVERYTHING
from pgemu.transam.xact import BLOCK, IDLE

Row = tuple[Any, ...]
FIRST_USER_OID = 16384


def note_lone_target(plan: Plan, relation: Any) -> None:
    """The ordinary way has run a statement: may the next one with this plan do without?"""
    modify = plan.modify
    assert modify is not None
    row = relation.row
    modify.lone_target = None
    if (
        relation.relkind == "r"
        and relation.oid >= FIRST_USER_OID
        and not (plan.has_effects or plan.may_write or plan.steps or plan.row_marks)
        and not (row.relhassubclass or row.relispartition)
        and all(trigger.tgisinternal for trigger in relation.triggers)
        and all(oid >= FIRST_USER_OID for oid, _, _ in plan.relations)
        and relation.sqlite_name.startswith("main.")
    ):
        modify.lone_target = relation


def run_alone(session: Any, plan: Plan, bindings: Sequence[Value]) -> tuple[list[Row], int] | None:
    """(rows of RETURNING, number of rows written); None: the statement has to take the ordinary
    way, nothing was done."""
    xact = session.xact
    modify = plan.modify
    assert modify is not None and modify.direct_sql is not None
    relation = modify.lone_target
    constraints = session.constraints
    if (
        xact.state == IDLE
        and xact.quiet()
        and not xact.current.read_only
        and session.locks is not None
        and constraints.ready(relation)
        and session.catalog.relation(modify.relid) is relation
    ):
        return _autocommit(session, plan, relation, modify.direct_sql, bindings)
    if (
        xact.state == BLOCK
        and "main" in xact.registered
        and xact.quiet()
        and not xact.current.read_only
        and constraints.ready(relation)
        and xact.triggers.made_for(relation.sqlite_name, len(relation.attrs))
        and session.catalog.relation(modify.relid) is relation
    ):
        return _in_block(session, plan, relation, modify.direct_sql, bindings)
    return None


def _autocommit(
    session: Any, plan: Plan, relation: Any, text: str, bindings: Sequence[Value]
) -> tuple[list[Row], int] | None:
    xact = session.xact
    words = xact.slot.words
    xact.writer_lock.acquire()
    try:
        if (
            _others(xact, XID)
            or _others(xact, XMIN)
            or _strongly_locked(session, plan)
            or session.catalog_version() != session._known_version
        ):
            return None
        # not 0 before the counter moves on: who reads without a snapshot looks at both
        words[XID] = -1
        xact.xid = words[XID] = xact.shm.next_xid()
        xact.snapshot = EVERYTHING
        if session.constraints.notes_rows(relation):
            xact.writer_lock.acquire()  # given back by the statement's end
            return _run_with_notes(session, text, bindings)
        try:
            rows = _run(session, text, bindings)
        finally:
            xact.xid = words[XID] = 0
    finally:
        xact.writer_lock.release()
    if xact.fsync:
        xact.sync(False)
    return rows


def _in_block(
    session: Any, plan: Plan, relation: Any, text: str, bindings: Sequence[Value]
) -> tuple[list[Row], int] | None:
    xact = session.xact
    held = session.locks._relations
    if (relation.oid, ROW_EXCLUSIVE) not in held:
        return None
    for oid, _, _ in plan.relations:
        if (oid, ACCESS_SHARE) not in held and oid != relation.oid:
            return None
    xact.writer_lock.acquire()
    try:
        if _others(xact, XID):
            return None
        xact.undo_xid = xact.xid
        xact.snapshot = EVERYTHING
        if session.constraints.notes_rows(relation):
            xact.writer_lock.acquire()
            return _run_with_notes(session, text, bindings)
        try:
            return _run(session, text, bindings)
        finally:
            xact.undo_xid = 0
            xact.note_undo()
    finally:
        xact.writer_lock.release()


def _run(session: Any, text: str, bindings: Sequence[Value]) -> tuple[list[Row], int]:
    """SQLite commits when the statement is at its end, or takes all of it back."""
    conn = session.conn
    xact = session.xact
    xact.enter_statement()
    try:
        rows = conn.execute(text, bindings).fetchall()
        return rows, conn.changes()
    finally:
        xact.leave_statement()


def _run_with_notes(session: Any, text: str, bindings: Sequence[Value]) -> tuple[list[Row], int]:
    """The table has foreign keys, is referenced by some, or has constraints that are tested after
    the statement: that must be part of the same SQLite transaction, and may write elsewhere."""
    conn, xact = session.conn, session.xact
    xact.enter_statement()
    try:
        conn.execute("BEGIN")
        rows = conn.execute(text, bindings).fetchall()
        count = conn.changes()
        session.after_triggers.end_of_statement()
        xact.end_write()
    except BaseException:
        if xact.write_depth:
            xact.abort_write()
        raise
    return rows, count


def _others(xact: Any, word: int) -> bool:
    """Some other slot has this word set."""
    column: list[int] = xact.shm.procarray.column(word)
    if not any(column):
        return False
    column[xact.slot.number] = 0
    return any(column)


def _strongly_locked(session: Any, plan: Plan) -> bool:
    """Somebody has or wants a lock that a reader or writer of these tables would wait for."""
    words = session.locks._words
    database = session.ctx.database_oid << 32
    modify = plan.modify
    assert modify is not None
    if words[strong_word(database | modify.relid)]:
        return True
    return any(words[strong_word(database | oid)] for oid, _, _ in plan.relations)
