"""A writing statement that goes to sleep in the middle and goes on afterwards.

Inside a transaction everything that a statement has written so far has its undo, so its SQLite
transaction may end and another one may begin: the others see rows of a running transaction, and
should the statement fail later, the transaction (or its savepoint) takes all of it back.  The
snapshot of the statement stays; the caller has made it complete and published it, so that who
commits meanwhile leaves the undo that it needs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from pgemu.storage.procarray import XMIN
from pgemu.transam.xact import IDLE, TransactionManager


def can_suspend(xact: TransactionManager) -> bool:
    """No reader is in the middle of its rows, and what was written can be taken back."""
    return xact.state != IDLE and xact.write_depth > 0 and not xact._read_depth


@contextlib.contextmanager
def suspended(xact: TransactionManager) -> Iterator[None]:
    """Leave the writer lock for the time of the body, then take it again.  Nothing may be pending
    in SQLite: no statement being stepped, no savepoint."""
    depth = xact._write_depth
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
        xact.writer_lock.acquire()
        xact._open_write()
        xact._write_depth = depth
        xact._snapshot_taken = False
        xact.undo_xid = xact.xid
        if shared:
            xact.lock_global()


def forget_suspension(xact: TransactionManager) -> None:
    """The statement is over: nobody needs its snapshot any more."""
    xact.suspensions = 0
    if xact.fixed_snapshot is None and not xact.exported:
        xact.slot.words[XMIN] = 0
