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
from pgemu.transam.schema import prefix
from pgemu.transam.undo import roll_back
from pgemu.transam.xact import IDLE, IMPLICIT, TransactionManager


def can_suspend(xact: TransactionManager) -> bool:
    """No reader is in the middle of its rows, and what was written can be taken back.  What stands
    settles first."""
    if xact.standing:
        return False
    if xact.state == IDLE and xact.promotable != xact.xid:
        return False
    return xact.write_depth > 0 and not xact._read_depth


def allow_suspension(xact: TransactionManager, *, alone: bool = False) -> None:
    """A statement outside a transaction block that may go to sleep in the middle: beside others
    (alone: in any case) it writes undo, and becomes a transaction when it sleeps."""
    if xact.state == IDLE and (alone or xact.others_have_xids()):
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


def newest_undo(xact: TransactionManager) -> dict[str, int]:
    """Where the undo of all ends in the files in which this transaction has some: what it writes
    from now on comes behind that, as long as the SQLite transaction lasts."""
    schemas = {"main", *xact.registered}
    return {schema: _newest(xact, schema, "") for schema in schemas}


def own_undo_before(xact: TransactionManager, marks: dict[str, int]) -> dict[str, int]:
    """The same place as the transaction's own last entry before it, which stays where it is."""
    own = f" WHERE xid={xact.xid} AND seq<="
    return {schema: _newest(xact, schema, f"{own}{mark}") for schema, mark in marks.items()}


def _newest(xact: TransactionManager, schema: str, where: str) -> int:
    text = f"SELECT max(seq) FROM {schema}.{prefix(schema)}undo{where}"
    return int(xact.conn.execute(text).fetchall()[0][0] or 0)


def undo_part(
    xact: TransactionManager, marks: dict[str, int], row_locks: int, created: int, dropped: int
) -> None:
    """Take back what a running statement has done since a point before which it has slept: rows,
    row locks and storage."""
    saved, xact.undo_xid, xact.taking_back = xact.undo_xid, 0, True
    try:
        for schema in xact.registered:
            roll_back(xact.conn, schema, xact.xid, marks.get(schema, 0), xact.triggers.columns)
            xact.conn.execute(
                f"DELETE FROM {schema}.{prefix(schema)}rowlock WHERE xid=? AND stamp>?",
                (xact.xid, row_locks),
            )
        made = xact._created[created:]
        xact.restore_indexes(xact._dropped[dropped:], made)
        xact.drop_storage(made)
    finally:
        xact.undo_xid, xact.taking_back = saved, False
    xact.xid_let_go(xact.xid)
