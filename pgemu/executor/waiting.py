"""A writing statement that meets another transaction's row or lock: taken back, wait, run again.

PostgreSQL waits in the middle of a statement and then looks at the one row again (EvalPlanQual).
So does suspending.py where it can: in a transaction, which a statement of its own becomes when it
meets somebody.  Where it cannot, all of the statement is taken back (a SQLite ROLLBACK), and after
the wait it runs anew with a new snapshot.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pgemu.errors import T_R_SERIALIZATION_FAILURE, PgError
from pgemu.executor.expiry import StatementExpiredError, with_triggers
from pgemu.storage.locktag import RELATION_B, LockTag, tuple_tag
from pgemu.transam.suspension import forget_suspension
from pgemu.transam.xact import IDLE

T = TypeVar("T")


class WaitFor(Exception):
    """The row at hand belongs to an open transaction: roll the statement back and wait.
    row: (table OID, rid, lock mode) where several may wait for one row."""

    def __init__(
        self, xid: int, row: tuple[int, int, int] | None = None, context: str | None = None
    ) -> None:
        super().__init__(xid)
        self.xid = xid
        self.row = row
        # what an error of the wait says about the row
        self.context = context
        # to be called after the wait, before the statement or step runs again; may raise
        self.recheck: Callable[[], None] | None = None


class WaitForKey(WaitFor):
    """An open transaction has, or has freed, the new row's key in a unique index."""

    def __init__(self, xid: int, index: Any) -> None:
        super().__init__(xid)
        self.index = index


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


def row_context(what: str, relation: Any, rid: int) -> str:
    """XactLockTableWaitErrorContextCb: what: "updating", "deleting", "locking"."""
    from pgemu.executor.specials import ROWS_PER_PAGE

    block, offset = divmod(rid - 1, ROWS_PER_PAGE)
    return f'while {what} tuple ({block},{offset + 1}) in relation "{relation.name}"'


def retrying(session: Any, run: Callable[[], T], *, plain: bool = False) -> T:
    """Run a writing statement until nobody is in its way.  Only the outermost one may wait.
    plain: it may become a transaction, in which it can wait without being taken back."""
    if session.xact.write_depth:
        return run()
    notices = len(session.notices)
    try:
        return run()
    except WaitFor as wait:
        del session.notices[notices:]
        first = wait
    except StatementExpiredError as expired:
        del session.notices[notices:]
        return retrying(session, with_triggers(session, run, expired), plain=plain)
    finally:
        if session.xact.suspensions:
            forget_suspension(session.xact)
    if plain and session.xact.state == IDLE and session.locks is not None:
        session.begin_implicit(pipeline=True)
        result = run_again(session, run, None)
        session.end_implicit()
        return result
    return run_again(session, run, first)


def run_again(session: Any, run: Callable[[], T], wait: WaitFor | None) -> T:
    """Wait, run, and so on.  Messages that have been sent before a wait are not sent twice."""
    queue = RowQueue(session)
    sent: list[Any] = []
    try:
        while True:
            if wait is not None:
                session.flush_notices()
                queue.enter(wait)
                wait_for(session, wait)
                if wait.recheck is not None:
                    wait.recheck()
            start = len(session.notices)
            try:
                return run()
            except WaitFor as again:
                wait = again
            except StatementExpiredError as expired:
                wait, run = None, with_triggers(session, run, expired)
            finally:
                sent = without_sent(session, start, sent)
                if session.xact.suspensions:
                    forget_suspension(session.xact)
    finally:
        queue.leave()


def without_sent(session: Any, start: int, sent: list[Any]) -> list[Any]:
    """Drop the messages that repeat those of the last run; all that this run has given."""
    new = session.notices[start:]
    same = 0
    while same < min(len(new), len(sent)) and new[same].message == sent[same].message:
        same += 1
    del session.notices[start : start + same]
    return new if len(new) >= len(sent) else sent


class RowQueue:
    """Whoever wants a row queues for it at its tuple lock; the first one holds that and waits for
    the owners, one after the other, until the row is his (heap_acquire_tuplock).  So rows are had
    in the order in which they were asked for."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.held: tuple[LockTag, int] | None = None

    def enter(self, wait: WaitFor) -> None:
        """Queue for the row that a wait is about."""
        session = self.session
        if session.locks is None or wait.row is None:
            return
        relid, rid, mode = wait.row
        wanted = tuple_tag(session.ctx.database_oid, relid, rid >> 16, rid & 0xFFFF), mode
        if self.held == wanted:
            return
        self.leave()
        session.locks.acquire(*wanted)
        self.held = wanted

    def leave(self) -> None:
        if self.held is not None:
            held, self.held = self.held, None
            self.session.locks.release(*held)


def wait_for(session: Any, wait: WaitFor) -> None:
    """The statement was taken back: sleep until what was in its way has gone."""
    session.check_for_interrupts()
    if not isinstance(wait, WaitForLock):
        try:
            session.wait_for_xid(wait.xid)
        except PgError as error:
            if wait.context is not None:
                error.add_context(wait.context)
            raise
        return
    locks = session.locks
    if wait.tag.b == RELATION_B:
        locks.acquire(wait.tag, wait.mode, locks.level)
    else:
        locks.acquire(wait.tag, wait.mode)
        locks.release(wait.tag, wait.mode)


def moved_error() -> PgError:
    return PgError(
        T_R_SERIALIZATION_FAILURE,
        "tuple to be locked was already moved to another partition due to concurrent update",
    )
