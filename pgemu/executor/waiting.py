"""A writing statement that meets another transaction's row or lock: taken back, wait, run again.

PostgreSQL waits in the middle of a statement and then looks at the one row again (EvalPlanQual).
Here the statement holds the writer lock, without which the other one cannot end, so all of the
statement is taken back (a SQLite ROLLBACK), and after the wait it runs anew with a new snapshot.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pgemu.storage.locktag import RELATION_B, LockTag

T = TypeVar("T")


class WaitFor(Exception):
    """The row at hand belongs to an open transaction: roll the statement back and wait."""

    def __init__(self, xid: int) -> None:
        super().__init__(xid)
        self.xid = xid


class WaitForLock(WaitFor):
    """A lock is not free and the statement holds the writer lock."""

    def __init__(self, tag: LockTag, mode: int) -> None:
        super().__init__(0)
        self.tag = tag
        self.mode = mode


def retrying(session: Any, run: Callable[[], T]) -> T:
    """Run a writing statement until nobody is in its way.  Only the outermost one may wait."""
    if session.xact.write_depth:
        return run()
    while True:
        notices = len(session.notices)
        try:
            return run()
        except WaitFor as wait:
            del session.notices[notices:]
            wait_for(session, wait)


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
