"""A writing statement that goes to sleep in the middle and goes on afterwards.

Inside a transaction everything that a statement has written so far has its undo, so its SQLite
transaction may end and another one may begin: the others see rows of a running transaction, and
should the statement fail later, the transaction (or its savepoint) takes all of it back.  The
snapshot of the statement stays; the caller has made it complete and published it, so that who
commits meanwhile leaves the undo that it needs.

TransactionManager.suspensions counts the sleeps of the statement at hand; .promotable is the xid of
an autocommit statement that may become a transaction by sleeping.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from pgemu.storage.procarray import XMIN
from pgemu.transam.xact import IDLE, IMPLICIT, TransactionManager


def can_suspend(xact: TransactionManager) -> bool:
    """No reader is in the middle of its rows, and what was written can be taken back."""
    if xact.state == IDLE and xact.promotable != xact.xid:
        return False
    return xact.write_depth > 0 and not xact._read_depth


def allow_suspension(xact: TransactionManager) -> None:
    """A statement outside a transaction block that may go to sleep in the middle: beside others
    it writes undo, and becomes a transaction when it sleeps."""
    if xact.state == IDLE and xact.others_have_xids():
        xact.undo_xid = xact.promotable = xact.xid


@contextlib.contextmanager
def suspended(xact: TransactionManager) -> Iterator[None]:
    """Leave the writer lock for the time of the body, then take it again.  Nothing may be pending
    in SQLite: no statement being stepped, no savepoint."""
    depth = xact._write_depth
    if xact.state == IDLE:
        xact.state = IMPLICIT
        xact._register("main")
    xact.suspensions += 1
    marks = xact.note_undo()
    shared = xact._global_held
    xact.conn.execute("COMMIT")
    xact.triggers.changed = False
    xact._write_depth = 0
    xact._registered_now = set()
    xact._unlock()
    if marks is not None:
        xact.predicate.check_in(marks)
    try:
        yield
    finally:
        xact.writer_lock.acquire_uninterrupted()
        xact._open_write()
        xact._write_depth = depth
        xact._snapshot_taken = False
        xact.running_others = {}
        xact.undo_xid = xact.xid
        if shared:
            xact.lock_global()


def forget_suspension(xact: TransactionManager) -> None:
    """The statement is over: nobody needs its snapshot any more."""
    xact.suspensions = 0
    if xact.fixed_snapshot is None and not xact.exported:
        xact.slot.words[XMIN] = 0
