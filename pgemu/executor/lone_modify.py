"""INSERT, UPDATE and DELETE that meet nobody (no counterpart in PostgreSQL).

Most writing statements of an application meet nobody: no other transaction is open that has
written, or none has touched the rows at hand (the plan's row test), and no snapshot is held.  Then
there is nothing to look at row by row, and nothing to undo outside of a transaction block: the
plan's direct SQLite statement runs as it is, SQLite itself making a transaction of it.  What the
ordinary way (modify.py) does around it is left out here:

- the table lock of a statement by itself: the writer lock is held instead, and whoever takes a
  strong lock on a table passes the writer lock after announcing it (SessionLocks.acquire), so
  either it waits for the statement or the statement sees the announcement and takes the ordinary
  way;
- the preparation of the table: only tables that this session has prepared already are written;
- the hooks of the transaction's end: nothing that they look at can have changed, as only plans
  without side effects run here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import apsw

from pgemu.executor.holding import held_test, held_text, hold_back
from pgemu.executor.lock_levels import ACCESS_EXCLUSIVE, EXCLUSIVE
from pgemu.executor.locking import lock_for_plan
from pgemu.executor.waiting import WaitFor, row_context, run_again
from pgemu.nodes.primnodes import Value
from pgemu.planner.plan import ModifyPlan, Plan, RowTest
from pgemu.storage.locktable import strong_word
from pgemu.storage.procarray import XID, XMIN
from pgemu.transam.visibility import EVERYTHING
from pgemu.transam.xact import BLOCK, IDLE, IMPLICIT

Done = tuple[list[tuple[Any, ...]], int]
FIRST_USER_OID = 16384


class _KeyMovedError(Exception):
    """The row that was waited for has another key now, and another row has its key."""


def note_lone_target(session: Any, plan: Plan, relation: Any) -> None:
    """The ordinary way has run a statement: may the next one with this plan do without?"""
    modify = plan.modify
    assert modify is not None
    row = relation.row
    modify.lone_target = None
    if (
        relation.relkind == "r"
        and relation.oid >= FIRST_USER_OID
        and not (plan.has_effects or plan.may_write or plan.calls_stable)
        and not (plan.steps or plan.row_marks)
        and not (row.relhassubclass or row.relispartition)
        and all(trigger.tgisinternal for trigger in relation.triggers)
        and all(oid >= FIRST_USER_OID for oid, _, _ in plan.relations)
        and relation.sqlite_name.startswith("main.")
    ):
        modify.lone_target = relation
        database = session.ctx.database_oid << 32
        modify.lone_in_block = not locks_on_conflict(session, relation, modify)
        oids = {relation.oid, *(oid for oid, _, _ in plan.relations), *plan.sequences}
        modify.held_sql = held_text(session, plan, relation) if modify.lone_in_block else ""
        modify.held_test = held_test(session, plan, relation) if modify.held_sql else ""
        modify.lone_locks = tuple(strong_word(database | oid) for oid in oids)


def locks_on_conflict(session: Any, relation: Any, modify: ModifyPlan) -> bool:
    """ON CONFLICT DO UPDATE locks more than it changes where it sets a key column, perhaps to what
    it is, or has a condition: a transaction that goes on keeps that lock."""
    conflict, query = modify.conflict, modify.query
    if conflict is None or conflict.action == "nothing" or query is None:
        return False
    return (
        query.on_conflict is None
        or query.on_conflict.on_conflict_where is not None
        or not session.key_columns(relation).isdisjoint(conflict.set_columns)
    )


def run_alone(session: Any, plan: Plan, bindings: Sequence[Value]) -> Done | None:
    """(rows of RETURNING, number of rows written); None: the statement has to take the ordinary
    way, nothing was done."""
    xact = session.xact
    modify = plan.modify
    assert modify is not None
    relation = modify.lone_target
    if (
        xact.current.read_only
        or not xact.quiet()
        or session.locks is None
        or not session.constraints.ready(relation)
    ):
        return None
    if xact.state == IDLE:
        attempt = _autocommit
    elif (
        xact.state in (BLOCK, IMPLICIT)
        and modify.lone_in_block
        and xact.triggers.made_for(relation.sqlite_name, len(relation.attrs))
        and lock_for_plan(session, plan)
    ):
        attempt = _in_block
    else:
        return None
    try:
        return attempt(session, plan, relation, bindings, None)
    except WaitFor as wait:
        if wait.row is None:
            return None
        first, rid = wait, wait.row[1]
    except apsw.ConstraintError:
        if _others(xact, XID):  # whose key it is has to be looked at
            return None
        raise
    try:
        done = run_again(session, lambda: attempt(session, plan, relation, bindings, rid), first)
    except _KeyMovedError:
        done = [], 0
    if done is not None and not done[1]:
        session.row_locks.hold_newest(relation, rid, plan.command_type, modify.target_columns)
    return done


def _autocommit(
    session: Any, plan: Plan, relation: Any, bindings: Sequence[Value], awaited: int | None
) -> Done | None:
    xact = session.xact
    words = xact.slot.words
    assert plan.modify is not None
    xact.writer_lock.acquire()
    held = True
    try:
        if (
            _others(xact, XMIN)
            or _strongly_locked(session, plan.modify)
            or session.catalog_version() != session._known_version
        ):
            return None
        if _others(xact, XID) and not _free(session, plan, relation, bindings, awaited):
            return None
        # not 0 before the counter moves on: who reads without a snapshot looks at both
        words[XID] = -1
        xact.xid = words[XID] = xact.shm.next_xid()
        xact.snapshot = EVERYTHING
        if session.constraints.notes_rows(relation):
            held = False  # the statement's end gives it back
            return _run_with_notes(session, plan.modify, bindings)
        try:
            rows = _run(session, plan.modify, bindings)
        finally:
            xact.xid = words[XID] = 0
    finally:
        if held:
            xact.writer_lock.release()
    if xact.fsync:
        xact.sync("main")
    return rows


def _in_block(
    session: Any, plan: Plan, relation: Any, bindings: Sequence[Value], awaited: int | None
) -> Done | None:
    xact = session.xact
    assert plan.modify is not None
    if xact.standing:
        return _while_standing(session, plan, relation, bindings, awaited)
    if plan.modify.held_sql and xact.state == BLOCK and awaited is None:
        done = hold_back(session, plan, relation, bindings)
        if done is not None:
            return done
    xact.settle()
    stays = xact.may_stand()
    if stays or session.constraints.notes_rows(relation):
        return _as_transaction(session, plan, relation, bindings, awaited, stays)
    xact.writer_lock.acquire()
    try:
        xact.start_writing_alone()
        try:
            if _others(xact, XID) and not _free(session, plan, relation, bindings, awaited):
                return None
            xact.snapshot = EVERYTHING
            return _run(session, plan.modify, bindings)
        finally:
            xact.undo_xid = 0
            xact.note_undo()
    finally:
        xact.writer_lock.release()


def _as_transaction(
    session: Any,
    plan: Plan,
    relation: Any,
    bindings: Sequence[Value],
    awaited: int | None,
    stays: bool,
) -> Done | None:
    """A SQLite transaction for the statement, with what is tested at its end.  stays: it is to
    stand (transam/standing.py)."""
    xact = session.xact
    assert plan.modify is not None
    xact.begin_write()
    try:
        if _others(xact, XID) and not _free(session, plan, relation, bindings, awaited):
            xact.abort_write()
            return None
        xact.snapshot = EVERYTHING
        done = _run_inside(session, plan.modify, bindings)
        if session.constraints.notes_rows(relation):
            session.after_triggers.end_of_statement()
        if not stays:
            xact.end_write()
    except BaseException:
        if xact.write_depth:
            xact.abort_write()
        raise
    if stays:
        xact.stand()
    return done


def _while_standing(
    session: Any, plan: Plan, relation: Any, bindings: Sequence[Value], awaited: int | None
) -> Done | None:
    xact, modify = session.xact, plan.modify
    assert modify is not None
    if _others(xact, XID) and not _free(session, plan, relation, bindings, awaited):
        return None
    notes = session.constraints.notes_rows(relation)
    # what SQLite may leave half done if it fails in the middle
    guarded = notes or modify.row_test is None
    if guarded:
        session.conn.execute("SAVEPOINT standing")
    xact.undo_xid = xact.xid
    xact.enter_statement()
    xact.snapshot = EVERYTHING
    try:
        done = _run_inside(session, modify, bindings)
        if notes:
            session.after_triggers.end_of_statement()
    except BaseException:
        if guarded and session.conn.in_transaction:
            session.conn.execute("ROLLBACK TO standing; RELEASE standing").fetchall()
        for hook in xact.on_statement_abort:
            hook()
        raise
    finally:
        xact.leave_statement()
        xact.undo_xid = 0
        xact.note_undo()
    if guarded:
        session.conn.execute("RELEASE standing")
    xact.pass_statement()
    return done


def _run_inside(session: Any, modify: ModifyPlan, bindings: Sequence[Value]) -> Done:
    conn = session.conn
    rows = conn.execute(modify.direct_sql, bindings).fetchall()
    return rows, conn.changes()


def _free(
    session: Any, plan: Plan, relation: Any, bindings: Sequence[Value], awaited: int | None
) -> bool:
    """Others are at work: do they leave the rows of this statement alone?  WaitFor: one of them
    has just the row that is wanted.  awaited: the row that was waited for; if its key has gone to
    another row meanwhile, that one is not ours to change."""
    modify = plan.modify
    assert modify is not None
    test = modify.row_test
    if test is None or any(oid != relation.oid for oid, _, _ in plan.relations):
        return False
    if not test.text:
        return True
    found = session.conn.execute(test.text, bindings[: test.parameters]).fetchone()
    if found is None:
        if awaited is not None and not _is_still(session, test, bindings, awaited):
            raise _KeyMovedError
        return True
    xid, rid, operation = found
    if operation != "U" or plan.command_type == "insert":
        return False
    if any(old != rid for (old,) in session.conn.execute(test.before, bindings[: test.parameters])):
        return False  # the statement's snapshot has another row under this key
    mode = EXCLUSIVE if plan.command_type == "update" else ACCESS_EXCLUSIVE
    if session.row_locks.has_own(relation, rid):
        return False
    what = "updating" if plan.command_type == "update" else "deleting"
    raise WaitFor(xid, (relation.oid, rid, mode), row_context(what, relation, rid))


def _is_still(session: Any, test: RowTest, bindings: Sequence[Value], awaited: int) -> bool:
    found = session.conn.execute(test.target, bindings[: test.parameters]).fetchone()
    return found is None or found[0] == awaited


def _run(session: Any, modify: ModifyPlan, bindings: Sequence[Value]) -> Done:
    """SQLite commits when the statement is at its end, or takes all of it back."""
    conn = session.conn
    xact = session.xact
    xact.enter_statement()
    try:
        rows = conn.execute(modify.direct_sql, bindings).fetchall()
        return rows, conn.changes()
    finally:
        xact.leave_statement()


def _run_with_notes(session: Any, modify: ModifyPlan, bindings: Sequence[Value]) -> Done:
    """The table has foreign keys, is referenced by some, or has constraints that are tested after
    the statement: that must be part of the same SQLite transaction, and may write elsewhere."""
    conn, xact = session.conn, session.xact
    xact.enter_statement()
    try:
        conn.execute("BEGIN")
        rows = conn.execute(modify.direct_sql, bindings).fetchall()
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
    column: list[int] = xact.shm.procarray.used(word)
    if not any(column):
        return False
    column[xact.slot.number] = 0
    return any(column)


def _strongly_locked(session: Any, modify: ModifyPlan) -> bool:
    """Somebody has or wants a lock that a reader or writer of these tables would wait for."""
    words = session.locks._words
    return any(words[at] for at in modify.lone_locks)
