"""Writes of a transaction block that are held back until its COMMIT (no counterpart in PostgreSQL).

A transaction block that stands (standing.py) keeps the writer lock while its client thinks.  Where
several write at once that makes them go one behind the other.  So a block whose statements are of
the simplest kind (executor/holding.py) does not write at first: it takes the rows in shared memory
(storage/heldrows.py), computes the new values, answers, and remembers them.  COMMIT writes them
all in one SQLite transaction, without undo, as a statement outside of a block does; ROLLBACK
forgets them.

What others see is what they would see anyway before the COMMIT: the old rows.  That a row is taken
they can only see among their like; everything else in pgemu knows locked rows by their undo.  So
the block writes what it holds back in the ordinary way, with undo, before

- anything but another such statement, a quick SELECT, COMMIT or ROLLBACK (`settle`);
- another transaction may write in the ordinary way, which asks for it and waits;
- the client has been silent for a moment: pg_locks, pg_stat_activity and the like show a
  transaction that stays open as it is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from time import monotonic_ns
from typing import Any, NamedTuple

from pgemu.errors import INTERNAL_ERROR, PgError
from pgemu.nodes.primnodes import Value
from pgemu.storage.procarray import XID, Slot
from pgemu.storage.shmem import SharedMemory
from pgemu.transam.visibility import EVERYTHING, Snapshot

# for tests: hold back whatever can be, whether others write or not
_ALWAYS = os.environ.get("PGEMU_HOLD_WRITES") == "always"
# a client that is silent for that long is not in the middle of its transaction
SILENCE = 1.0 if _ALWAYS else 0.03
# others write too if one had to wait for them no longer ago than that
_CONTENDED_NS = 1_000_000_000
# What became of the blocks of this session that held back: one that committed so counts 1, one that
# others asked to write -1, one that had to write because of what it did itself -4.  When it is not
# worth while, a pause of so many blocks.
_WORST, _BEST = -16, 8
_PAUSE = 64
_MOST = 100


class HeldWrite(NamedTuple):
    """A SQLite statement that writes one row."""

    text: str
    bindings: Sequence[Value]


class HeldWrites:
    """The part of TransactionManager that knows them.

    holds_back: this block has begun to.  held_rows: by table OID, then by rid, the new values of
    the columns that it has changed; a table with new rows has None.
    """

    conn: Any
    shm: SharedMemory
    slot: Slot
    xid: int
    standing: bool
    standing_slot: int
    registered: set[str]
    savepoints: list[Any]
    running_functions: list[Any]
    snapshot: Snapshot
    writer_lock: Any
    predicate: Any
    begin_write: Callable[[], None]
    end_write: Callable[[], None]
    abort_write: Callable[[], None]
    run_before_commit: Callable[[], None]
    snapshots_held: Callable[[], bool]
    _write_depth: int

    holds_back = False
    held_writes: list[HeldWrite]
    held_rows: dict[int, dict[int, dict[int, Value]] | None]
    _hold_pause = 0
    _hold_score = 0

    def begin_holding_back(self) -> bool:
        """A block is about to write for the first time: is it to hold that back?"""
        if (
            self.standing_slot < 0
            or self.xid
            or self.registered
            or self.savepoints
            or self.running_functions
        ):
            return False  # it has written, or what it does may be undone in part
        lock = self.writer_lock
        if not _ALWAYS:
            recently = monotonic_ns() - lock.waited_ns < _CONTENDED_NS
            if not recently and not lock.holders.others_hold():
                return False
            if self._hold_pause:
                self._hold_pause -= 1
                return False
        lock.acquire_beside_holders()
        try:
            self.holds_back = lock.holders.begin(self.slot.number)
        finally:
            lock.release()
        self.held_writes, self.held_rows = [], {}
        return self.holds_back

    def may_go_on_holding(self) -> bool:
        return len(self.held_writes) < _MOST and not self.writer_lock.holders.asked()

    def hold(self, write: HeldWrite) -> None:
        self.held_writes.append(write)

    def write_held(self) -> None:
        """Write in the ordinary way: from here on this is a transaction like others."""
        if not self.holds_back:
            return
        self.holds_back = False
        writes, self.held_writes = self.held_writes, []
        lock = self.writer_lock
        self._hold_score -= 1 if lock.holders.asked() else 4
        if self._hold_score <= _WORST:
            self._hold_score, self._hold_pause = 0, _PAUSE
        if not writes:
            lock.holders.end()
            return
        lock.acquire_uninterrupted()
        try:
            self.begin_write()
            try:
                self._run_held(writes)
            except BaseException:
                self.abort_write()
                raise
            self.end_write()
        finally:
            lock.holders.end()
            lock.release()

    def drop_held(self) -> None:
        """ROLLBACK."""
        if self.holds_back:
            self.holds_back = False
            self.held_writes = []
            self.writer_lock.holders.end()

    def commit_held(self) -> bool:
        """Write and commit at once.  False: nothing was done, somebody wants undo of it."""
        lock, words = self.writer_lock, self.slot.words
        lock.acquire_beside_holders()
        try:
            if self.xid or self.snapshots_held():
                return False
            self.run_before_commit()
            if self.predicate is not None:
                self.predicate.pre_commit()
            if not self.holds_back:
                return False
            self.holds_back = False
            writes, self.held_writes = self.held_writes, []
            try:
                if writes:
                    # not 0 before the counter moves on: who reads without a snapshot looks at both
                    words[XID] = -1
                    self.xid = words[XID] = self.shm.next_xid()
                    self._commit_at_once(writes)
                    words[XID] = 0
            finally:
                lock.holders.end()
        finally:
            lock.release()
        self._hold_score = min(self._hold_score + 1, _BEST)
        return True

    def _commit_at_once(self, writes: list[HeldWrite]) -> None:
        self._write_depth = 1
        try:
            self.conn.execute("BEGIN")
            self._run_held(writes)
            self.conn.execute("COMMIT")
        finally:
            if self.conn.in_transaction:
                self.conn.execute("ROLLBACK")
            self._write_depth = 0

    def _run_held(self, writes: list[HeldWrite]) -> None:
        self.snapshot = EVERYTHING
        conn = self.conn
        for text, bindings in writes:
            conn.execute(text, bindings).fetchall()
            if conn.changes() != 1:  # somebody wrote without asking
                raise PgError(INTERNAL_ERROR, "a row that was held back has gone")
