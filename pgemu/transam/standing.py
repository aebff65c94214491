"""A SQLite write transaction that stays open between the statements of a transaction block.

Beside others, each writing statement of a block is a SQLite transaction of its own, so that the
writer lock is free again at its end.  While nobody wants that lock there is no need to: the SQLite
transaction stands until the block ends, and its COMMIT writes each page once and a ROLLBACK leaves
nothing to undo.  Undo is written all the same, for the transaction may have to settle, that is, to
commit to SQLite what it has so far and leave the writer lock:

- when another process wants the lock (WriterLock tells how it says so) and the client is silent
  for a moment, or the transaction has stood for some time.  To hand the lock over after every
  statement costs more than to let a short transaction come to its end;
- before anything but a statement of executor/lone_modify.py, a SELECT that is known to be quick,
  COMMIT or ROLLBACK;
- before the backend sleeps for a lock;
- at SAVEPOINT.  So what has not settled is never older than the last savepoint, and a failed
  statement, after which SQLite may have thrown all of it away (an interrupt does that), asks for
  no more than that it is gone.

Others see a transaction that has an xid and has written nothing yet.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic_ns
from typing import Any

from pgemu.storage.procarray import USER_WORD, Slot

# the same as in xact.py: the xid is not in `_active` yet, as far as others can see
ASSIGNED_XID = USER_WORD + 3
# how long others may have to wait for the lock of a transaction whose client keeps on sending
MAX_STAND_NS = 5_000_000
# writing statements that settle at once after others had to wait that long
PAUSE = 8
# writing statements of a pipeline between two looks for others
LOOK_EVERY = 16


class StandingWrite:
    """The part of TransactionManager that knows it.

    standing_slot: the slot whose latch wakes this backend; -1: it has none, nothing ever stands.
    """

    conn: Any
    xid: int
    undo_xid: int
    slot: Slot
    writer_lock: Any
    triggers: Any
    registered: set[str]
    running_others: dict[bool, frozenset[int]]
    abort_write: Callable[[], None]
    note_undo: Callable[[], Any]
    _registered_now: set[str]
    _start_writing: Callable[[], None]
    _unlock: Callable[[], None]
    _unbuilt_before: Any
    _write_depth: int
    _snapshot_taken: bool

    holds_back: bool
    write_held: Callable[[], None]
    drop_held: Callable[[], None]

    standing = False
    standing_since = 0  # on the monotonic clock, in nanoseconds
    standing_slot = -1
    # the transaction has read global.db and must not go on reading that state of it
    shared_read = False
    _pause = 0
    _looks = 0
    _standing_new: set[str] = set()

    def may_stand(self) -> bool:
        """A statement of a block begins that meets nobody: may its SQLite transaction stay?"""
        if self.standing_slot < 0:
            return False
        if self._pause:
            self._pause -= 1
            return False
        return True

    def stand(self) -> None:
        """The first statement has succeeded; begin_write has begun it."""
        self.note_undo()
        self._write_depth = 0
        self.undo_xid = 0
        self._standing_new, self._registered_now = self._registered_now, set()
        self._unbuilt_before = None
        self.slot.words[ASSIGNED_XID] = self.xid
        self.standing = True
        self.standing_since = monotonic_ns()
        self.writer_lock.stand(self.standing_slot)

    def pass_statement(self) -> None:
        """Another writing statement has ended; the client may have sent more of them."""
        self._looks += 1
        if self.shared_read:
            self.settle()
        elif self._looks >= LOOK_EVERY:
            self._looks = 0
            if self.writer_lock.wanted():
                self.give_way(lambda: True)

    def give_way(self, client_sends: Callable[[], bool]) -> None:
        """Somebody wants the writer lock.  client_sends: there is more to do, now or in a
        moment."""
        late = monotonic_ns() - self.standing_since > MAX_STAND_NS
        if late:
            self._pause = PAUSE
        if late or not client_sends():
            self.settle()

    def settle(self) -> None:
        """Write what is held back; commit to SQLite what stands, if anything does, and leave the
        writer lock."""
        if self.holds_back:
            self.write_held()
        if not self.standing:
            return
        self.standing = self.shared_read = False
        try:
            self.conn.execute("COMMIT")
            self.triggers.changed = False
            self._standing_new = set()
            self.slot.words[ASSIGNED_XID] = 0
        finally:
            self._unlock()

    def drop_standing(self) -> None:
        """Take back what stands; the undo of what had settled before is the caller's."""
        if self.holds_back:
            self.drop_held()
        if not self.standing:
            return
        self.standing = self.shared_read = False
        self._registered_now, self._standing_new = self._standing_new, set()
        self._write_depth = 1
        self.abort_write()

    def resume_standing(self) -> None:
        """COMMIT goes on in the SQLite transaction that stands, as after begin_write."""
        self.standing = self.shared_read = False
        self._registered_now, self._standing_new = self._standing_new, set()
        self._write_depth, self._snapshot_taken = 1, False
        self.running_others = {}
        self._start_writing()
