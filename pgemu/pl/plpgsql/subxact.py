"""The subtransaction of an EXCEPTION block, inside a running statement.

A statement of the client is one SQLite transaction, so what a block must take back is a SQLite
SAVEPOINT of it: undo, transaction registers and all are rolled back together.  Should the statement
sleep in the middle, its SQLite transaction ends and the SAVEPOINT with it: from then on what the
block must take back is known by its undo, as that of a savepoint of the client.  In a statement
that only reads (the function is STABLE or IMMUTABLE) there is nothing to take back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import apsw

from pgemu.executor.suspending import in_place, wait_in_place
from pgemu.executor.waiting import WaitFor
from pgemu.planner.plan import Plan
from pgemu.transam.suspension import can_suspend, newest_undo, own_undo_before, undo_part


class Subtransaction:
    """begin(), then release() or rollback()."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.active = False
        self.name = ""
        self._marks: dict[str, int] | None = None
        self._row_locks = 0
        self._has_slept = False

    def begin(self) -> None:
        session, xact = self.session, self.session.xact
        depth = getattr(session, "pl_subxact_depth", 0) + 1
        session.pl_subxact_depth = depth
        self.name = f"pl_{depth}"
        if xact.write_depth:
            xact.build_storage()
            try:
                xact.conn.execute(f"SAVEPOINT {self.name}").fetchall()
                self.active = True
            except apsw.SQLError:
                # a SQLite statement is writing (a constraint calls us): nothing can be taken back
                self.active = False
        self._portals = set(session.portals)
        self._registered = set(xact.registered)
        self._registered_now = set(xact._registered_now)
        self._lengths = (
            len(xact._commit_callbacks),
            len(xact._abort_callbacks),
            len(xact._created),
            len(xact._dropped),
        )
        self._immediate = dict(session.after_triggers.immediate)
        self._undo_written = xact.undo_written
        self._row_locks = xact.row_lock_stamp
        self._marks = newest_undo(xact) if self.active and can_suspend(xact) else None
        session.subxacts = (*session.subxacts, self)
        for hook in xact.on_subxact:
            hook("start")

    def may_sleep(self) -> bool:
        return self._has_slept or self._marks is not None

    def before_sleep(self) -> None:
        """The SQLite transaction ends: find what is to be taken back by its undo."""
        if not self._has_slept:
            assert self._marks is not None
            self._marks = own_undo_before(self.session.xact, self._marks)
            self._has_slept, self.active = True, False

    def release(self) -> None:
        session = self.session
        session.pl_subxact_depth -= 1
        session.subxacts = tuple(sub for sub in session.subxacts if sub is not self)
        if self.active:
            session.xact.conn.execute(f"RELEASE {self.name}").fetchall()
        for hook in session.xact.on_subxact:
            hook("commit")

    def rollback(self) -> None:
        session, xact = self.session, self.session.xact
        session.pl_subxact_depth -= 1
        session.subxacts = tuple(sub for sub in session.subxacts if sub is not self)
        commit, abort, created, dropped = self._lengths
        if self._has_slept and xact.write_depth:
            assert self._marks is not None
            undo_part(xact, self._marks, self._row_locks, created, dropped)
        if self.active and xact.conn.in_transaction:
            xact.conn.execute(f"ROLLBACK TO {self.name}").fetchall()
            xact.conn.execute(f"RELEASE {self.name}").fetchall()
        for callback in xact._abort_callbacks[abort:]:
            callback()
        del xact._abort_callbacks[abort:]
        del xact._commit_callbacks[commit:]
        del xact._created[created:]
        del xact._dropped[dropped:]
        if not self._has_slept:
            xact.registered = self._registered
            xact._registered_now = self._registered_now
            xact.undo_written = self._undo_written
        for name in set(session.portals) - self._portals:
            session.cursor_close(name)
        xact.triggers.lost()
        session.constraints.lost()
        session.after_triggers.immediate = self._immediate
        for hook in xact.on_subxact:
            hook("abort")


def only_reads(plan: Plan | bool) -> bool:
    return not isinstance(plan, bool) and not (
        plan.may_write or plan.modify is not None or plan.steps or plan.row_marks
    )


def run_step(session: Any, plan: Plan | bool, run: Callable[[], Any]) -> Any:
    """Run one statement of procedural code.  One that meets somebody where it cannot sleep makes
    the client's statement run again as a whole; but what only reads runs again by itself, and so
    does everything once a transaction has been ended inside."""
    if session.callback_depth:
        return run()
    if only_reads(plan):
        return in_place(session, run)
    if not isinstance(plan, bool) and not plan.may_write:
        return run()
    if not session.ended_inside:
        return run()
    while True:
        sub = Subtransaction(session)
        sub.begin()
        try:
            result = run()
        except WaitFor as wait:
            sub.rollback()
            found = wait
        except BaseException:
            sub.rollback()
            raise
        else:
            sub.release()
            return result
        wait_in_place(session, found)
