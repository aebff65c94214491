"""The transaction manager of one backend (PostgreSQL's xact.c).

A PostgreSQL transaction is a series of short SQLite transactions, one per writing statement; what
makes them one is the xid, its undo, and its row in `_active`, whose removal is the commit.  A
statement outside a transaction block is one SQLite transaction and needs neither.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import apsw

from pgemu.errors import (
    ACTIVE_SQL_TRANSACTION,
    READ_ONLY_SQL_TRANSACTION,
    T_R_SERIALIZATION_FAILURE,
    PgError,
)
from pgemu.nodes.primnodes import Value
from pgemu.storage.procarray import USER_WORD, XID, XMIN, Slot
from pgemu.storage.shmem import W_NEXT_XID, SharedMemory
from pgemu.transam.durability import OneFile, SharedFileBehind, WalSync
from pgemu.transam.heldwrites import HeldWrites
from pgemu.transam.savepoints import Savepoint, Savepoints
from pgemu.transam.schema import prefix
from pgemu.transam.snapshots import forget_exported, wait_for_safe_snapshot, whole_snapshot
from pgemu.transam.standing import StandingWrite
from pgemu.transam.storage_changes import StorageChanges
from pgemu.transam.undo import UndoTriggers, roll_back_transaction
from pgemu.transam.visibility import EVERYTHING, Snapshot
from pgemu.transam.write_statement import WriteStatement

IDLE, IMPLICIT, BLOCK, FAILED = "idle", "implicit", "block", "failed"
# a statement that only opens a write transaction
OPEN_MAIN = "DELETE FROM main._pending WHERE 0"
_REPEATABLE = ("repeatable read", "serializable")
# The word of a slot with an xid that is not in `_active` (yet, or after its statement failed):
# a snapshot must know that it is not one of the past.
ASSIGNED_XID = USER_WORD + 3


@dataclass(slots=True)
class Characteristics:
    isolation: str = "read committed"
    read_only: bool = False
    deferrable: bool = False


class ReaderWritesError(Exception):
    """A function writes inside a statement that was not expected to."""


class TransactionManager(Savepoints, HeldWrites, StandingWrite, StorageChanges):
    """Transaction state of a session and the doors to SQLite.

    before_commit: called inside the committing SQLite transaction (deferred constraints).
    on_end(committed): called after every transaction's end (settings, locks, portals).
    on_subxact(event): "start", "commit" or "abort" of a savepoint's level.
    """

    several = False  # an implicit transaction is one of several statements in a string
    taking_back = False  # rows go back to what they were: nothing is to be checked
    suspensions, promotable = 0, -1  # see suspension.py

    def __init__(
        self,
        conn: apsw.Connection,
        shm: SharedMemory,
        slot: Slot,
        database: int,
        writer_lock: Any,
        *,
        fsync: bool = False,
    ) -> None:
        super().__init__()
        self.conn = conn
        self.shm = shm
        self.slot = slot
        self.database = database
        self.writer_lock = writer_lock
        self.fsync = fsync
        self.synchronous_commit = True
        self.wal = WalSync(conn.db_filename("main"), conn.db_filename("g"))
        self.one_file: OneFile | None = None
        self.shared_first = False
        self.global_lock: Any = None
        self._global_held = False
        self.row_lock_stamp = 0
        self.state = IDLE
        self.xid = 0
        self.undo_xid = 0
        self.undo_written = False
        # while a write statement runs: other transactions that have written, by shared
        self.running_others: dict[bool, frozenset[int]] = {}
        self.registered: set[str] = set()
        self._registered_now: set[str] = set()
        self.savepoints: list[Savepoint] = []
        self.current = Characteristics()
        self.snapshot = EVERYTHING
        self.catalog_snapshot = EVERYTHING
        self.fixed_snapshot: Snapshot | None = None
        self.predicate: Any = None  # PredicateLocks, where there is a runtime folder
        self.triggers = UndoTriggers(conn)
        self.catalog_changed = False
        self.shared_changed = False
        self.before_commit: list[Callable[[], None]] = []
        self.on_end: list[Callable[[bool], None]] = []
        self.on_subxact: list[Callable[[str], None]] = []
        self.on_statement_abort: list[Callable[[], None]] = []
        self._commit_callbacks: list[Callable[[], None]] = []
        self._abort_callbacks: list[Callable[[], None]] = []
        self.running_functions: list[Any] = []  # that the statement is inside of
        self.queried = False  # this transaction has taken a snapshot (FirstSnapshotSet)
        self.exported: list[str] = []  # files of snapshots
        # tables emptied in place: inside how many savepoints
        self.truncated: dict[str, int] = {}
        self._undo_mark = {"main": 0, "g": 0}
        self._mark_is_old = False
        self._rids: dict[int, int] = {}
        self._write_depth = 0
        self._read_depth = 0
        self._snapshot_taken = False
        self._make_functions(conn)

    def _make_functions(self, conn: apsw.Connection) -> None:
        made: Any = conn.create_scalar_function
        made("pg_undo", self._pg_undo, 0)
        made("pg_xid", lambda: self.xid, 0)
        made("pg_next_rid", self._next_rid, 2)
        made("pg_invisible", lambda x: self.snapshot.hides(x), 1)
        made("pg_cat_invisible", lambda x: self.catalog_snapshot.hides(x), 1)

    def _pg_undo(self) -> int:
        if self.undo_xid:
            self.undo_written = True
        return self.undo_xid

    def _next_rid(self, relfilenode: int, floor: int) -> int:
        """See schema.next_rids: above the floor, and above those that this has given before."""
        rid = self._rids[relfilenode] = max(self._rids.get(relfilenode, 0), floor) + 1
        return rid

    # -- state -----------------------------------------------------------------------------

    @property
    def in_block(self) -> bool:
        """Inside BEGIN ... COMMIT (also a failed one)."""
        return self.state in (BLOCK, FAILED)

    @property
    def failed(self) -> bool:
        return self.state == FAILED

    @property
    def status(self) -> bytes:
        """The status byte of ReadyForQuery."""
        return b"T" if self.state == BLOCK else b"E" if self.state == FAILED else b"I"

    def prevent_in_transaction_block(self, what: str, top_level: bool = True) -> None:
        """For CREATE DATABASE, VACUUM ...; top_level: the client sent it, not a function."""
        if self.in_block or (self.state == IMPLICIT and self.several):
            raise PgError(ACTIVE_SQL_TRANSACTION, f"{what} cannot run inside a transaction block")
        if self.running_functions:
            raise PgError(ACTIVE_SQL_TRANSACTION, f"{what} cannot be executed from a function")
        if self.state == IMPLICIT and self.xid:
            raise PgError(ACTIVE_SQL_TRANSACTION, f"{what} cannot be executed within a pipeline")
        if not top_level:
            raise PgError(ACTIVE_SQL_TRANSACTION, f"{what} cannot be executed from a function")

    def prevent_if_read_only(self, command: str) -> None:
        if self.current.read_only:
            message = f"cannot execute {command} in a read-only transaction"
            raise PgError(READ_ONLY_SQL_TRANSACTION, message)

    def begin_implicit(self) -> None:
        """Several statements without BEGIN that are one transaction (a query string, a
        pipeline up to its Sync)."""
        if self.state == IDLE:
            self.state = IMPLICIT

    def begin_block(self) -> None:
        self.state = BLOCK

    def fail(self) -> None:
        """A statement failed.  What the transaction (or its innermost savepoint) did is undone at
        once, and its locks are released (AbortCurrentTransaction); a block waits for ROLLBACK."""
        if self.state == FAILED:
            return
        if self.state != BLOCK:
            self.rollback()
        elif self.savepoints:
            self._undo_to(self.savepoints[-1])
            self.subxact_failed()
            self.state = FAILED
        else:
            kept = replace(self.current)
            self.rollback()
            self.current = kept  # COMMIT AND CHAIN asks for it
            self.state = FAILED

    # -- reading ---------------------------------------------------------------------------

    def take_snapshot(self, shared: bool) -> Snapshot:
        """The snapshot of a statement, inside its SQLite transaction (or opening it)."""
        self._snapshot_taken = True
        if self.fixed_snapshot is not None:
            self.snapshot = self.fixed_snapshot
            return self.snapshot
        if self.current.isolation in _REPEATABLE and self.state != IDLE:
            self._fix_snapshot()
        else:
            self.snapshot = self._current_snapshot(shared)
        return self.snapshot

    def _current_snapshot(self, shared: bool) -> Snapshot:
        running: list[Any] = self.conn.execute("SELECT xid FROM main._active").fetchall()
        if shared:
            running += self.conn.execute("SELECT xid FROM g._gactive").fetchall()
        if not running or (len(running) == 1 and running[0][0] == self.xid):
            return EVERYTHING
        return Snapshot(frozenset(r[0] for r in running) - {self.xid}, own=self.xid)

    def _fix_snapshot(self) -> None:
        """The one snapshot of a REPEATABLE READ transaction.  It is published in the process
        array first, under the writer lock, so that no writer can be between looking for
        snapshots and committing without undo."""
        if self.current.isolation == "serializable" and self.predicate is not None:
            self.predicate.register()
        self.fixed_snapshot = self.snapshot = self.publish_snapshot()

    def publish_snapshot(self) -> Snapshot:
        """A snapshot of now whose undo is kept until the end of the transaction."""
        words = self.slot.words
        next_xid = self.shm.read_next_xid()
        words[XMIN] = words[XMIN] or next_xid
        running: list[Any] = self.conn.execute(
            "SELECT xid FROM main._active UNION SELECT xid FROM g._gactive"
        ).fetchall()
        assigned = self.shm.procarray.column(ASSIGNED_XID)
        invisible = frozenset([*(r[0] for r in running), *assigned]) - {0, self.xid}
        words[XMIN] = min([words[XMIN], *invisible])
        return Snapshot(invisible, next_xid, self.xid)

    def serializable(self) -> Any:
        """The PredicateLocks of a transaction that must take part in their bookkeeping, its
        snapshot fixed; else None."""
        predicate = self.predicate
        current = self.current
        if predicate is None or current.isolation != "serializable" or self.state == IDLE:
            return None
        if self.fixed_snapshot is None:
            if self._write_depth or self._read_depth:
                self.take_snapshot(True)
            elif current.read_only and current.deferrable:
                wait_for_safe_snapshot(self)
            else:
                self.begin_read()
                self.end_read()
        return predicate if predicate.number else None

    def begin_read(
        self, shared: bool = False, *, brief: bool = False, amid_held: bool = False
    ) -> Snapshot:
        """Open the SQLite read transaction of a statement; nests inside another statement.
        brief: it may keep writers waiting.  amid_held: it knows what is held back."""
        if self.unbuilt:
            self.build_storage()
        if self._read_depth or self._write_depth:
            if not self._read_depth and not self._snapshot_taken:
                self.take_snapshot(shared=True)
            self._read_depth += 1
            return self.snapshot
        if not (amid_held if self.holds_back else brief):
            self.settle()
        if self.standing:
            self._read_depth = 1
            return self.take_snapshot(shared)
        first = self.fixed_snapshot is None and self.current.isolation in _REPEATABLE
        if first and self.state != IDLE:
            self.writer_lock.acquire_beside_holders()
            try:
                self.conn.execute("BEGIN")
                self._read_depth = 1
                return self.take_snapshot(shared)
            finally:
                self.writer_lock.release()
        self.conn.execute("BEGIN")
        self._read_depth = 1
        snapshot = self.take_snapshot(shared)
        if shared and snapshot.invisible and self.fixed_snapshot is None:
            snapshot = whole_snapshot(self, snapshot)
        return snapshot

    def end_read(self) -> None:
        self._read_depth -= 1
        inside = self._read_depth or self._write_depth or self.standing
        if not inside and self.conn.in_transaction:
            self.conn.execute("COMMIT")

    # -- writing ---------------------------------------------------------------------------

    def write(self) -> WriteStatement:
        """`with xact.write():` one statement's SQLite write transaction; nested ones join it."""
        return WriteStatement(self)

    def enter_statement(self) -> None:
        """A single SQLite statement that writes begins; the caller holds the writer lock.  It is
        ended by leave_statement, or, if it was put into a SQLite transaction, as any other."""
        self._write_depth = 1
        self._snapshot_taken = True

    def start_writing_alone(self) -> None:
        """Before such a statement, in a transaction block."""
        self._start_writing()
        self._registered_now = set()

    def leave_statement(self) -> None:
        self._write_depth = 0

    def begin_write(self, opening: str = OPEN_MAIN, *params: Value) -> None:
        if self._write_depth:
            self._write_depth += 1
            return
        if self._read_depth:
            raise ReaderWritesError
        self.settle()
        self.writer_lock.acquire()
        try:
            self._open_write(opening, *params)
        except BaseException:
            if self.conn.in_transaction:
                self.conn.execute("ROLLBACK")
            self._unlock()
            raise
        self._write_depth, self._snapshot_taken = 1, False
        self.running_others = {}
        try:
            self._start_writing()
        except BaseException:
            self.abort_write()
            raise

    def _open_write(self, opening: str = OPEN_MAIN, *params: Value) -> None:
        """BEGIN IMMEDIATE for main alone, by a first statement that writes there: that of SQLite
        would lock global.db as well, and the writers of all databases would queue for it."""
        self.conn.execute("BEGIN")
        self.conn.execute(opening, params)
        if self.shared_first:
            self.lock_global()

    def lock_global(self) -> None:
        """Before shared catalogs are written; always after the database's own lock."""
        if self._global_held:
            return
        if self.global_lock is not None:
            self.global_lock.acquire()
        self._global_held = True
        try:
            self.conn.execute("DELETE FROM g._gpending WHERE 0")
        except apsw.BusyError:  # read before another session wrote
            raise SharedFileBehind from None

    def schemas_open_for_writing(self) -> tuple[str, ...]:
        """Inside a write statement: the files that it may write to now."""
        return ("main", "g") if self._global_held else ("main",)

    def _unlock(self) -> None:
        """After the end of a SQLite write transaction."""
        if self._global_held:
            self._global_held = False
            if self.global_lock is not None:
                self.global_lock.release()
        self.writer_lock.release()

    def _start_writing(self) -> None:
        if not self.xid:
            # not 0 before the counter moves on: who reads without a snapshot looks at both
            self.slot.words[XID] = -1
            self.xid = self.shm.next_xid()
            self.slot.words[XID] = self.xid
            if self.fixed_snapshot is not None:
                self.fixed_snapshot = Snapshot(
                    self.fixed_snapshot.invisible, self.fixed_snapshot.xmax, self.xid
                )
        if self.state != IDLE:
            self.undo_xid = self.xid
            self._register("main")
            self.slot.words[ASSIGNED_XID] = 0
        else:
            self.undo_xid = self.xid if self.snapshots_held() else 0
        if self.running_others:
            self.running_others = {}
        if self.unbuilt and not self.builds_late:
            self.build_storage()

    def assign_xid(self) -> int:
        """The xid of the current transaction, also of one that has not written
        (pg_current_xact_id)."""
        if not self.xid:
            with self.writer_lock:
                self.xid = self.shm.next_xid()
                if self.state != IDLE:
                    self.slot.words[XID] = self.slot.words[ASSIGNED_XID] = self.xid
        return self.xid

    @property
    def write_depth(self) -> int:
        return self._write_depth

    def quiet(self) -> bool:
        """Reading needs no snapshot of its own: READ COMMITTED, and no statement is open."""
        return not (
            self._read_depth
            or self._write_depth
            or self.fixed_snapshot is not None
            or self.current.isolation in _REPEATABLE
            or (self.conn.in_transaction and not self.standing)
            or self.unbuilt
        )

    def read_quietly(self, sql: str, bindings: Sequence[Value], brief: bool) -> Any:
        """Run a SELECT without a transaction around it, where nobody else is writing: no snapshot
        has to be taken.  SQLite fixes what the statement sees at its first step; if no
        transaction was running before it and none has begun until after it, that state is all
        committed.  brief: it may keep writers waiting.  The cursor; None: it cannot be done so."""
        if not self.quiet():
            return None
        if self.standing and not brief:
            self.settle()
        words = self.shm.words
        before = words[W_NEXT_XID]
        if self.others_have_xids():
            return None
        cursor = self.conn.execute(sql, bindings)
        if words[W_NEXT_XID] != before:
            cursor.close()
            return None
        return cursor

    def others_have_xids(self) -> bool:
        """Another backend of the cluster has written in a transaction that it has not ended (or
        died in it and is not recovered yet)."""
        array: Any = self.slot._array
        column: list[int] = array.used(XID)
        if not any(column):
            return False
        column[self.slot.number] = 0
        return any(column)

    def alone(self) -> bool:
        """Inside a write statement: no other transaction is open, so that there are no row locks
        and no changes to heed.  The writer lock keeps it so until the statement's end."""
        return (
            self.fixed_snapshot is None
            and self.current.isolation not in _REPEATABLE
            and not self.others_have_xids()
        )

    def others_running(self, shared: bool = False) -> bool:
        """Another transaction of this database (shared: or one of another database that has
        written to shared catalogs) has written and not ended."""
        if shared:
            found = self.conn.execute(
                "SELECT 1 FROM g._gactive WHERE xid<>? LIMIT 1", (self.xid,)
            ).fetchone()
            if found is not None:
                return True
        row = self.conn.execute(
            "SELECT 1 FROM main._active WHERE xid<>? LIMIT 1", (self.xid,)
        ).fetchone()
        return row is not None

    def set_characteristic(self, name: str, value: Any) -> None:
        """SET TRANSACTION: isolation, read_only or deferrable of the current transaction."""
        setattr(self.current, name, value)

    def snapshots_held(self) -> bool:
        """Another backend holds a snapshot that may need old images."""
        array: Any = self.slot._array
        column: list[int] = array.used(XMIN)
        if not any(column):
            return False
        column[self.slot.number] = 0
        return any(column)

    def _register(self, schema: str) -> None:
        """The first write of a block puts its xid among the active ones."""
        if schema not in self.registered and self.state != IDLE:
            self.conn.execute(
                f"INSERT OR IGNORE INTO {schema}.{prefix(schema)}active VALUES (?, ?)",
                (self.xid, self.slot.pid),
            )
            self.registered.add(schema)
            self._registered_now.add(schema)

    def writes_to(self, sqlite_name: str, natts: int) -> None:
        """Before a table is written inside a write statement: its undo triggers."""
        shared = sqlite_name.startswith("g.")
        if self.one_file is not None:
            self.one_file.wrote(shared)
        if shared:
            self.lock_global()
            self.shared_changed = True
        if self.undo_xid:
            if shared:
                self._register("g")
            self.triggers.ensure(sqlite_name, natts)

    def end_write(self) -> None:
        """The statement succeeded."""
        if self._write_depth > 1:
            self._write_depth -= 1
            return
        if self.state == IDLE:
            self.build_storage()
            self.run_before_commit()
            self.drop_storage(self._dropped)
            if self.truncated and self.undo_xid:
                self._forget_truncated()
        marks = self.note_undo()
        self.conn.execute("COMMIT")
        self.triggers.changed = False
        self._write_depth = 0
        self._registered_now = set()
        self._unbuilt_before = None
        self.undo_xid = 0
        shared = self._global_held
        self._unlock()
        if marks is not None:
            self.predicate.check_in(marks)
        if self.state == IDLE:
            for schema in ("g", "main") if shared else ("main",):
                self.sync(schema)
            self._ended(committed=True)

    def note_undo(self) -> dict[str, int] | None:
        """A statement has ended that may have written undo.  Where that began, if reads of
        serializable transactions have to be compared with it."""
        predicate, marks = self.predicate, None
        if self.triggers.local:
            self.triggers.end_local()
        if self.undo_written:
            if predicate is not None and predicate.number:
                marks = dict(self._undo_mark)
            self.undo_written, self._mark_is_old = False, True
            if marks is not None:
                self._find_undo_mark()
        return marks

    def _find_undo_mark(self) -> None:
        """Where this transaction's undo ends now.  Its entries are among the newest of all, so
        they are looked for from there and not by their xid."""
        if self._mark_is_old:
            self._mark_is_old = False
            for schema in self.registered:
                newest = self.conn.execute(
                    f"SELECT seq FROM {schema}.{prefix(schema)}undo WHERE +xid=? "
                    "ORDER BY seq DESC LIMIT 1",
                    (self.xid,),
                ).fetchone()
                if newest is not None:
                    self._undo_mark[schema] = newest[0]

    def abort_write(self) -> None:
        """The statement failed: SQLite takes all of it back."""
        if self._write_depth > 1:
            self._write_depth -= 1
            return
        if self.conn.in_transaction:
            self.conn.execute("ROLLBACK")
        self._write_depth = 0
        self._read_depth = 0
        self.registered -= self._registered_now
        self._registered_now = set()
        if not self.registered and self.state != IDLE:
            self.slot.words[ASSIGNED_XID] = self.xid
        self.undo_xid = 0
        self.undo_written = False
        self.unbuilt_again()
        if self.triggers.changed:
            self.triggers.lost()
        self._unlock()
        for hook in self.on_statement_abort:
            hook()
        self.triggers.changed = False
        if self.state == IDLE:
            self._ended(committed=False)

    def execute(self, sql: str, params: Sequence[Value] = ()) -> list[tuple[Any, ...]]:
        """Raw SQLite inside the current statement."""
        if self.unbuilt:
            self.build_storage()
        rows: list[tuple[Any, ...]] = self.conn.execute(sql, params).fetchall()
        return rows

    # -- callbacks ---------------------------------------------------------------

    def at_commit(self, callback: Callable[[], None]) -> None:
        self._commit_callbacks.append(callback)

    def at_abort(self, callback: Callable[[], None]) -> None:
        self._abort_callbacks.append(callback)

    # -- ends --------------------------------------------------------------------------------

    def run_before_commit(self) -> None:
        for hook in self.before_commit:
            hook()

    def commit(self, *, may_wait: bool = False) -> None:
        """COMMIT.  What raises here (a deferred constraint) leaves the transaction to be rolled
        back by the caller.  may_wait: its hooks may sleep, which ends the SQLite transaction: the
        transaction must still be open in it then."""
        if self.holds_back:
            if not self.registered and not may_wait and self.commit_held():
                self.sync("main")
                self._ended(committed=True)
                return
            self.settle()
        if self.registered:
            over = ("DELETE FROM main._active WHERE xid=?", self.xid)
            if self.standing and not may_wait:
                self.resume_standing()
                self.conn.execute(over[0], (self.xid,))
            else:
                self.begin_write(*(() if may_wait else over))
            try:
                if "g" in self.registered:
                    self.lock_global()
                self.run_before_commit()
                if self.predicate is not None:
                    self.predicate.pre_commit()
                self._remove_traces(may_wait)
                self.drop_storage(self._dropped)
            except BaseException:
                self.abort_write()
                raise
            if self._global_held:  # main decides: what is in g must be there before it does
                self.sync("g", order=True)
            self.conn.execute("COMMIT")
            self.slot.words[XID] = 0  # who gets the lock now need not heed this transaction
            self.triggers.changed = False
            self._write_depth = 0
            self._registered_now = set()
            self._unbuilt_before = None
            self.undo_xid = 0
            self._unlock()
            self.sync("main")
        else:
            self.run_before_commit()
            if self.predicate is not None:
                self.predicate.pre_commit()
        self._ended(committed=True)

    def sync(self, schema: str, *, order: bool = False) -> None:
        """Make what was committed in a file durable (order: before the next file is written)."""
        if self.fsync and (self.synchronous_commit or order):
            self.wal.sync(schema)

    def _remove_traces(self, still_open: bool) -> None:
        keep_undo = self.snapshots_held()
        key = (self.xid,)
        for schema in sorted(self.registered):
            p = f"{schema}.{prefix(schema)}"
            if still_open or schema != "main":  # there it was the first statement of the end
                self.conn.execute(f"DELETE FROM {p}active WHERE xid=?", key)
            if self.row_lock_stamp:
                self.conn.execute(f"DELETE FROM {p}rowlock WHERE xid=?", key)
            if not keep_undo:
                self.conn.execute(f"DELETE FROM {p}undo WHERE xid=?", key)
        if keep_undo and self.truncated:
            self._forget_truncated()
        if self._created or self._dropped:
            self.conn.execute("DELETE FROM main._pending WHERE xid=?", key)

    def _forget_truncated(self) -> None:
        """Who has an older snapshot finds a truncated table empty all the same: PostgreSQL's has
        a new file.  What was put into it since is still hidden by its undo."""
        for name in self.truncated:
            schema, _, table = name.partition(".")
            self.conn.execute(
                f"DELETE FROM {schema}.{prefix(schema)}undo WHERE relfilenode=? "
                "AND NOT (xid=? AND op='I')",
                (int(table[1:]), self.xid),
            )

    def rollback(self) -> None:
        """ROLLBACK, also of a failed or an implicit transaction."""
        self._end_statement()
        if self.registered:
            self.undo_xid = 0
            if "g" in self.registered:  # first, see recovery.py
                with self.undoing(shared=True):
                    roll_back_transaction(self.conn, self.xid, ["g"])
                self.sync("g", order=True)
            with self.undoing():
                roll_back_transaction(self.conn, self.xid, ["main"], self.triggers.columns)
                self.restore_indexes(self._dropped, self._created)
                self.drop_storage(self._created)
        self._ended(committed=False)

    @contextlib.contextmanager
    def undoing(self, *, shared: bool = False) -> Iterator[None]:
        """A SQLite write transaction that is no statement."""
        self.settle()
        self.writer_lock.acquire()
        try:
            self._open_write()
            if shared:
                self.lock_global()
            self.taking_back = True
            yield
            self.conn.execute("COMMIT")
        finally:
            self.taking_back = False
            if self.conn.in_transaction:
                self.conn.execute("ROLLBACK")
            self._unlock()

    def _ended(self, *, committed: bool) -> None:
        self.state = IDLE
        ended_xid, self.xid = self.xid, 0
        words = self.slot.words
        words[XID] = words[ASSIGNED_XID] = 0
        if self.exported:
            forget_exported(self.exported)
            words[XMIN] = 0
        if self.fixed_snapshot is not None:
            self.fixed_snapshot = None
            words[XMIN] = 0
            if self.predicate is not None:
                self.predicate.ended(committed)
        elif self.suspensions:
            words[XMIN] = self.suspensions = 0
        self.registered = set()
        self.savepoints = []
        self.row_lock_stamp = 0
        self._undo_mark = {"main": 0, "g": 0}
        self._mark_is_old = False
        self._created, self._dropped = [], []
        self.truncated.clear()
        callbacks = self._commit_callbacks if committed else self._abort_callbacks
        self._commit_callbacks, self._abort_callbacks = [], []
        if committed and self.catalog_changed:
            self.shm.bump_catalog_version(self.database)
        if committed and self.shared_changed:
            self.shm.bump_catalog_version(0)
        self.shared_changed = False
        for hook in self.on_end:
            hook(committed)
        self.catalog_changed = False
        for callback in callbacks:
            callback()
        if ended_xid:
            self.xid_ended(ended_xid)

    def detach(self) -> None:
        """PREPARE TRANSACTION is done: the session goes on without the transaction."""
        self._commit_callbacks, self._abort_callbacks = [], []
        changed, self.catalog_changed, self.shared_changed = self.catalog_changed, False, False
        if changed:
            self.triggers.lost()
        self._ended(committed=True)

    def xid_ended(self, xid: int) -> None:
        """Hook: whoever waits for this xid is to be woken (set by the session)."""

    def subxact_failed(self) -> None:
        """Hook: the innermost savepoint's locks are to be released."""

    def xid_let_go(self, xid: int) -> None:
        """Hook: rows of this xid are free again though it goes on (ROLLBACK TO)."""

    def _end_statement(self) -> None:
        """Leave the SQLite transaction of a statement that is not to go on."""
        self.drop_standing()
        if self._write_depth:
            self._write_depth = 1
            self.abort_write()
        if self._read_depth:
            self._read_depth = 0
            if self.conn.in_transaction:
                self.conn.execute("ROLLBACK")

    def serialization_failure(self, what: str) -> PgError:
        return PgError(
            T_R_SERIALIZATION_FAILURE, f"could not serialize access due to concurrent {what}"
        )
