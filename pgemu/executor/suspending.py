"""Waiting in the middle of a writing statement (PostgreSQL's XactLockTableWait in heapam.c).

What the statement has written and locked so far stays, its messages go out before it sleeps, and
after the wait it goes on with the row at hand.  Where that cannot be (a function that SQLite calls
in the middle of a statement is in the way), WaitFor goes up to `retrying`, which takes all of the
statement back and runs it again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pgemu.executor.waiting import RowQueue, WaitFor, wait_for
from pgemu.transam.suspension import can_suspend, suspended
from pgemu.transam.visibility import Snapshot

T = TypeVar("T")


def complete_snapshots(session: Any) -> None:
    """Before a sleep: nobody has committed since the snapshots of the statements that are at work
    were taken, as the writer lock was held; now they learn who is still to come."""
    xact = session.xact
    if xact.fixed_snapshot is not None:
        return
    now = xact.publish_snapshot()
    for recheck in session.rechecks:
        old = recheck.snapshot
        if not old.xmax:
            recheck.snapshot = Snapshot(now.invisible | old.invisible, now.xmax, now.own)


def wait_in_place(session: Any, wait: WaitFor, queue: RowQueue | None = None) -> None:
    """Sleep until what is in the way has gone; raises the WaitFor if that cannot be done here.
    queue: of the caller, who leaves it when he has the row."""
    if (
        session.callback_depth
        or session.locks is None
        or not can_suspend(session.xact)
        or any(not sub.may_sleep() for sub in session.subxacts)
    ):
        raise wait
    for sub in session.subxacts:
        sub.before_sleep()
    complete_snapshots(session)
    own = queue or RowQueue(session)
    try:
        with suspended(session.xact):
            session.flush_notices()
            own.enter(wait)
            wait_for(session, wait)
    finally:
        if queue is None:
            own.leave()
    if wait.recheck is not None:
        wait.recheck()


def in_place(session: Any, run: Callable[[], T]) -> T:
    """Run one step of a statement that leaves nothing behind when it raises WaitFor, as often as
    somebody is in its way."""
    queue = None
    try:
        while True:
            try:
                return run()
            except WaitFor as wait:
                queue = queue or RowQueue(session)
                wait_in_place(session, wait, queue)
    finally:  # with the writer lock: who queued behind finds the row taken
        if queue is not None:
            queue.leave()
