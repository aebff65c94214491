"""A writing statement that meets another transaction's row or lock: taken back, wait, run again.

PostgreSQL waits in the middle of a statement and then looks at the one row again (EvalPlanQual).
Here the statement holds the writer lock, without which the other one cannot end, so all of the
statement is taken back (a SQLite ROLLBACK), and after the wait it runs anew with a new snapshot.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pgemu.storage.locktag import RELATION_B, LockTag, tuple_tag

T = TypeVar("T")


class WaitFor(Exception):
    """The row at hand belongs to an open transaction: roll the statement back and wait.
    row: (table OID, rid, lock mode) where several may wait for one row."""

    def __init__(self, xid: int, row: tuple[int, int, int] | None = None) -> None:
        super().__init__(xid)
        self.xid = xid
        self.row = row
        # to be called after the wait, before the statement runs again; may raise
        self.recheck: Callable[[], None] | None = None


class WaitForLock(WaitFor):
    """A lock is not free and the statement holds the writer lock."""

    def __init__(self, tag: LockTag, mode: int) -> None:
        super().__init__(0)
        self.tag = tag
        self.mode = mode


def raise_wait(xid: int, recheck: Callable[[], None] | None) -> None:
    """A catalog row belongs to another open transaction."""
    wait = WaitFor(xid)
    wait.recheck = recheck
    raise wait


def retrying(session: Any, run: Callable[[], T]) -> T:
    """Run a writing statement until nobody is in its way.  Only the outermost one may wait."""
    if session.xact.write_depth:
        return run()
    queue: tuple[LockTag, int] | None = None
    try:
        while True:
            notices = len(session.notices)
            try:
                return run()
            except WaitFor as wait:
                del session.notices[notices:]
                queue = _queue_for(session, wait, queue)
                wait_for(session, wait)
                if wait.recheck is not None:
                    wait.recheck()
    finally:
        if queue is not None:
            session.locks.release(*queue)


def _queue_for(
    session: Any, wait: WaitFor, queue: tuple[LockTag, int] | None
) -> tuple[LockTag, int] | None:
    """Whoever wants a row queues for it at its tuple lock; the first one holds that and waits for
    the owner (heap_acquire_tuplock).  So rows are had in the order in which they were asked for."""
    if session.locks is None or wait.row is None:
        return queue
    relid, rid, mode = wait.row
    wanted = tuple_tag(session.ctx.database_oid, relid, rid >> 16, rid & 0xFFFF), mode
    if queue == wanted:
        return queue
    if queue is not None:
        session.locks.release(*queue)
    session.locks.acquire(*wanted)
    return wanted


def wait_for(session: Any, wait: WaitFor) -> None:
    """The statement was taken back: sleep until what was in its way has gone."""
    session.check_for_interrupts()
    if not isinstance(wait, WaitForLock):
        session.wait_for_xid(wait.xid)
        return
    locks = session.locks
    if wait.tag.b == RELATION_B:
        locks.acquire(wait.tag, wait.mode, locks.level)
    else:
        locks.acquire(wait.tag, wait.mode)
        locks.release(wait.tag, wait.mode)
    session.xact.refresh_after_wait()
