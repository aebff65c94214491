"""Serializable snapshot isolation: which transactions read what others wrote (predicate.c).

The transactions at SERIALIZABLE of one database, what they have read and the rw-conflicts between
them are one small file in the runtime folder, rewritten whole under a lock.  Rules and messages are
those of PostgreSQL's predicate.c, function by function.  What is coarser here: a read is noted as
a whole table, or as the rows with one value in one column (predicate_targets.py), and no
transaction is summarized.  Reads are noted before the statement reads; a writer looks for readers
after its statement's SQLite commit; so one of two concurrent statements always sees the other.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from pgemu.errors import T_R_SERIALIZATION_FAILURE, PgError
from pgemu.storage.filelock import FileLock
from pgemu.storage.procarray import PID
from pgemu.transam.schema import prefix

# (SQLite table, column number or 0 for the whole table, value: what the column equals, or
# (function, operand): what it satisfies; indexed: the columns whose indexes are one page each,
# which is read with them)
Target = tuple[str, int, Any, tuple[int, ...]]
MAX_KEYS = 50  # of one table; more are the whole table
PREPARED_PID = -1


@dataclass(slots=True)
class SerializableXact:
    """One transaction.  Numbers of commits are the order of events: last_commit is the newest
    that the snapshot sees; earliest_out is when the first of those committed that this one has a
    conflict out to.  ins: who has read what this one wrote; outs: who wrote what it has read.
    reads: table -> [[column, value, indexed], ...], or [] for all of it.  unsafe: of a READ ONLY
    one, the writers whose commit may make its snapshot unsafe; with none left it is safe
    (ro_safe)."""

    number: int
    pid: int
    slot: int
    last_commit: int
    xid: int = 0
    read_only: bool = False
    did_write: bool = False
    doomed: bool = False
    prepare_seq: int = 0
    commit_seq: int = 0
    conflict_out: bool = False
    earliest_out: int = 0
    ins: list[int] = field(default_factory=list)
    outs: list[int] = field(default_factory=list)
    reads: dict[str, list[list[Any]]] = field(default_factory=dict)
    unsafe: list[int] = field(default_factory=list)
    ro_safe: bool = False
    ro_unsafe: bool = False
    waiting: bool = False


class _State:
    """The file while its lock is held."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.next_number: int = data.get("next_number", 1)
        self.last_commit: int = data.get("last_commit", 1)
        self.xacts = {x["number"]: SerializableXact(**x) for x in data.get("xacts", ())}
        self.changed = False

    def dump(self) -> bytes:
        return json.dumps(
            {
                "next_number": self.next_number,
                "last_commit": self.last_commit,
                "xacts": [asdict(x) for x in self.xacts.values()],
            }
        ).encode()

    def forget(self, xact: SerializableXact) -> None:
        """Take a transaction out with all its conflicts."""
        self.xacts.pop(xact.number, None)
        self.end_unsafe(xact, False)
        for number in xact.ins:
            if number in self.xacts:
                self.xacts[number].outs.remove(xact.number)
        for number in xact.outs:
            if number in self.xacts:
                self.xacts[number].ins.remove(xact.number)
        xact.ins, xact.outs = [], []
        self.changed = True

    def end_unsafe(self, writer: SerializableXact, committed: bool) -> None:
        """A writer ends: was it one that a READ ONLY transaction had to fear?"""
        for reader in self.xacts.values():
            if writer.number not in reader.unsafe:
                continue
            if (
                committed
                and writer.did_write
                and writer.conflict_out
                and writer.earliest_out <= reader.last_commit
            ):
                reader.ro_unsafe, reader.unsafe = True, []
                continue
            reader.unsafe.remove(writer.number)
            reader.ro_safe = not reader.unsafe

    def clear_old(self) -> None:
        """ClearOldPredicateLocks: committed ones that no running transaction overlaps."""
        oldest = min(
            (x.last_commit for x in self.xacts.values() if not x.commit_seq), default=2**62
        )
        for xact in list(self.xacts.values()):
            if xact.commit_seq and xact.commit_seq <= oldest:
                self.forget(xact)


def _next_image(name: str, undo: str, column: int) -> str:
    """SQL for what the change of undo entry u has made of a column."""
    later = f"FROM {undo} AS n WHERE n.relfilenode=u.relfilenode AND n.rid=u.rid AND n.seq>u.seq"
    return (
        f"iif(EXISTS (SELECT 1 {later}), (SELECT n.c{column} {later} ORDER BY n.seq LIMIT 1), "
        f"(SELECT b.c{column} FROM {name} AS b WHERE b.rid=u.rid))"
    )


def _note_conflict_out(reader: SerializableXact, writer: SerializableXact) -> None:
    reader.conflict_out = True
    if not reader.earliest_out or writer.prepare_seq < reader.earliest_out:
        reader.earliest_out = writer.prepare_seq


def _failure(reason: str) -> PgError:
    return PgError(
        T_R_SERIALIZATION_FAILURE,
        "could not serialize access due to read/write dependencies among transactions",
        detail=f"Reason code: {reason}",
        hint="The transaction might succeed if retried.",
    )


def safe_snapshot_blockers(runtime: str, database: int, pid: int) -> list[int]:
    """GetSafeSnapshotBlockingPids: whom a READ ONLY DEFERRABLE transaction waits for."""
    try:
        with open(f"{runtime}/serializable.{database}", "rb") as file:
            state = _State(json.loads(file.read()))
    except FileNotFoundError:
        return []
    waiting = (x for x in state.xacts.values() if x.waiting and x.pid == pid)
    found = [state.xacts[n].pid for x in waiting for n in x.unsafe if n in state.xacts]
    return [0 if other == PREPARED_PID else other for other in found]


class PredicateLocks:
    """What a session does at SERIALIZABLE.  number: of its transaction, 0 while it has none."""

    def __init__(self, xact: Any, runtime: str, database: int) -> None:
        self.xact = xact
        self.number = 0
        self._path = f"{runtime}/serializable.{database}"
        self._lock = FileLock(f"{runtime}/lock.serializable.{database}")
        self._noted: set[Target] = set()
        # (function, value of the column, operand): set by the session
        self.satisfies: Callable[[int, Any, Any], bool] = lambda proc, left, right: True

    def close(self) -> None:
        self._lock.close()

    @contextmanager
    def _state(self) -> Iterator[_State]:
        """The shared state, locked; written back if it was changed, also by who fails."""
        with self._lock:
            try:
                with open(self._path, "rb") as file:
                    state = _State(json.loads(file.read()))
            except FileNotFoundError:
                state = _State({})
            self._bury(state)
            try:
                yield state
            finally:
                if state.changed:
                    with open(self._path + ".new", "wb") as file:
                        file.write(state.dump())
                    os.replace(self._path + ".new", self._path)

    def _bury(self, state: _State) -> None:
        """Running transactions of processes that have died."""
        pids = self.xact.slot._array.column(PID)
        for one in list(state.xacts.values()):
            if not one.commit_seq and one.pid != PREPARED_PID and pids[one.slot] != one.pid:
                state.forget(one)

    # -- the life of a transaction ---------------------------------------------------------------

    def last_commit(self) -> int:
        """The newest commit that the own snapshot sees."""
        if not self.number:
            return 0
        with self._state() as state:
            return state.xacts[self.number].last_commit

    def register(self, last_commit: int = 0) -> None:
        """GetSerializableTransactionSnapshotInt, while the snapshot is being fixed.
        last_commit: of a snapshot that is being imported."""
        current = self.xact.current
        with self._state() as state:
            state.clear_old()
            writers = [x for x in state.xacts.values() if not (x.commit_seq or x.read_only)]
            if current.read_only and not writers:
                self.number = 0
                return
            self.number = state.next_number
            state.next_number += 1
            slot = self.xact.slot
            state.xacts[self.number] = SerializableXact(
                self.number,
                slot.pid,
                slot.number,
                last_commit or state.last_commit,
                self.xact.xid,
                current.read_only,
                unsafe=[x.number for x in writers if current.read_only and not x.doomed],
            )
            state.changed = True
        self._noted = set()

    def snapshot_is_safe(self) -> bool | None:
        """Of a READ ONLY DEFERRABLE transaction that has just fixed its snapshot; None: that is
        not known yet.  Once it is known nothing more is noted of the transaction."""
        with self._state() as state:
            own = state.xacts.get(self.number)
            if own is not None and own.unsafe:
                state.changed = state.changed or not own.waiting
                own.waiting = True
                return None
            self.number = 0
            if own is not None:
                state.forget(own)
            return own is None or not own.ro_unsafe

    def _own(self, state: _State, reason: str) -> SerializableXact | None:
        own = state.xacts.get(self.number)
        if own is not None and own.ro_safe:
            self.number = 0
            state.forget(own)
            return None
        if own is not None and own.doomed:
            raise _failure(f"Canceled on identification as a pivot, during {reason}.")
        return own

    def pre_commit(self) -> None:
        """PreCommit_CheckForSerializationFailure: from here on it counts as committed."""
        if not self.number:
            return
        with self._state() as state:
            own = self._own(state, "commit attempt")
            if own is None or own.prepare_seq:
                return
            for number in own.ins:
                near = state.xacts[number]
                if near.commit_seq or near.doomed:
                    continue
                for far in (state.xacts[n] for n in near.ins):
                    if far is own or not (far.commit_seq or far.read_only or far.doomed):
                        if near.prepare_seq:
                            raise _failure(
                                "Canceled on commit attempt with conflict in from prepared pivot."
                            )
                        near.doomed = True
                        break
            state.last_commit += 1
            own.prepare_seq = state.last_commit
            state.changed = True

    def ended(self, committed: bool) -> None:
        """ReleasePredicateLocks."""
        if not self.number:
            return
        number, self.number = self.number, 0
        self._noted = set()
        self.finish(number, committed)

    def finish(self, number: int, committed: bool, prepared_xid: int = 0) -> None:
        """The end of a transaction, perhaps a prepared one."""
        with self._state() as state:
            own = state.xacts.get(number)
            if own is None or (prepared_xid and own.xid != prepared_xid):
                return
            state.changed = True
            if not committed:
                state.forget(own)
                return
            state.last_commit += 1
            own.commit_seq = state.last_commit
            own.prepare_seq = own.prepare_seq or own.commit_seq
            if not own.did_write:
                own.read_only = True
            for other in (state.xacts[n] for n in list(own.outs)):
                if other.commit_seq:
                    if not own.read_only:
                        _note_conflict_out(own, other)
                    own.outs.remove(other.number)
                    other.ins.remove(own.number)
            state.end_unsafe(own, True)
            for other in (state.xacts[n] for n in list(own.ins)):
                if other.commit_seq or other.read_only:
                    own.ins.remove(other.number)
                    other.outs.remove(own.number)
            state.clear_old()

    def hand_over(self) -> int:
        """PREPARE TRANSACTION: the transaction goes on without this process."""
        number, self.number = self.number, 0
        if number:
            with self._state() as state:
                state.xacts[number].pid = PREPARED_PID
                state.xacts[number].xid = self.xact.xid
                state.changed = True
        return number

    # -- reading ---------------------------------------------------------------------------------

    def note_reads(self, targets: Sequence[Target]) -> None:
        """PredicateLockRelation and the like, before the statement reads."""
        noted = self._noted
        new = [t for t in targets if t not in noted and (t[0], 0, None, ()) not in noted]
        with self._state() as state:
            own = self._own(state, "conflict out checking")
            if own is None or not new:
                return
            for table, column, value, indexed in new:
                keys = own.reads.get(table)
                if not column or (keys is not None and len(keys) >= MAX_KEYS):
                    own.reads[table] = []
                    noted.add((table, 0, None, ()))
                elif keys is None or keys:
                    own.reads.setdefault(table, []).append([column, value, indexed])
                    noted.add((table, column, value, indexed))
            state.changed = True

    def check_out(self, targets: Sequence[Target]) -> None:
        """CheckForSerializableConflictOut: whose changes does this statement not see?"""
        found: set[int] = set()
        for target in targets:
            found |= self._hidden_writers(target)
        found.discard(self.xact.xid)
        if not found:
            return
        with self._state() as state:
            own = self._own(state, "conflict out checking")
            if own is None:
                return
            for writer in list(state.xacts.values()):
                if writer.xid not in found or writer is own or writer.doomed:
                    continue
                if (
                    own.read_only
                    and writer.commit_seq
                    and not (writer.conflict_out and writer.earliest_out <= own.last_commit)
                ):
                    continue
                if writer.number not in own.outs:
                    self._flag(state, own, writer)

    def _hidden_writers(self, target: Target) -> set[int]:
        """Transactions with changes of the target's rows that the snapshot hides."""
        name, column, value, _ = target
        schema, _, table = name.partition(".")
        undo = f"{schema}.{prefix(schema)}undo"
        mine = f"FROM {undo} AS u WHERE u.relfilenode={table[1:]} AND pg_invisible(u.xid)"
        if not column:
            rows: list[Any] = self.xact.conn.execute(f"SELECT DISTINCT xid {mine}").fetchall()
            return {row[0] for row in rows}
        images = f"SELECT u.xid, u.c{column}, {_next_image(name, undo, column)} {mine}"
        if isinstance(value, tuple):
            rows = self.xact.conn.execute(images).fetchall()
            return {xid for xid, *cells in rows if any(self._satisfied(value, c) for c in cells)}
        collation = self.xact.conn.column_metadata(schema, table, f"c{column}")[1]
        rows = self.xact.conn.execute(
            f"WITH v(xid, old, new) AS ({images}) "
            f"SELECT xid FROM v WHERE ? COLLATE {collation} IN (old, new)",
            (value,),
        ).fetchall()
        return {row[0] for row in rows}

    def _satisfied(self, value: Any, cell: Any) -> bool:
        return cell is not None and self.satisfies(value[0], cell, value[1])

    def _row_satisfies(self, name: str, column: int, rid: int, value: Any) -> bool:
        row: Any = self.xact.conn.execute(
            f"SELECT c{column} FROM {name} WHERE rid=?", (rid,)
        ).fetchone()
        return row is not None and self._satisfied(value, row[0])

    # -- writing ---------------------------------------------------------------------------------

    def check_in(self, marks: dict[str, int]) -> None:
        """CheckForSerializableConflictIn for what the statement has written: its undo entries
        after the marks (by SQLite schema)."""
        xid = self.xact.xid
        with self._state() as state:
            own = self._own(state, "conflict in checking")
            if own is None:
                return
            if not own.did_write or own.xid != xid:
                own.did_write, own.xid = True, xid
                state.changed = True
            tables = self._written(marks, xid)
            for reader in list(state.xacts.values()):
                if reader is own or reader.doomed:
                    continue
                if reader.commit_seq and reader.commit_seq <= own.last_commit:
                    continue
                if own.number in reader.outs:
                    continue
                if self._has_read(reader, tables, marks):
                    self._flag(state, reader, own)

    def check_key_in(self, table: str, values: Sequence[Any]) -> None:
        """Before a duplicate key is complained of: was its absence read by somebody?  Then the
        serialization failure is the better answer (_bt_check_unique)."""
        with self._state() as state:
            own = self._own(state, "conflict in checking")
            if own is None:
                return
            own.did_write = state.changed = True
            for reader in list(state.xacts.values()):
                if reader is own or reader.doomed or own.number in reader.outs:
                    continue
                if reader.commit_seq and reader.commit_seq <= own.last_commit:
                    continue
                keys = reader.reads.get(table)
                if keys is None:
                    continue
                if not keys or any(
                    self._satisfied(value, values[c - 1])
                    if isinstance(value, list)
                    else values[c - 1] == value
                    for c, value, _ in keys
                ):
                    self._flag(state, reader, own)

    def _written(self, marks: dict[str, int], xid: int) -> set[str]:
        found = set()
        for schema, mark in marks.items():
            rows: Any = self.xact.conn.execute(
                f"SELECT DISTINCT relfilenode FROM {schema}.{prefix(schema)}undo "
                "WHERE xid=? AND seq>?",
                (xid, mark),
            )
            found |= {f"{schema}.r{row[0]}" for row in rows}
        return found

    def _has_read(self, reader: SerializableXact, tables: set[str], marks: dict[str, int]) -> bool:
        for name in tables & reader.reads.keys():
            keys = reader.reads[name]
            if not keys:
                return True
            schema, _, table = name.partition(".")
            undo = f"{schema}.{prefix(schema)}undo"
            mine = f"u.xid=? AND u.relfilenode={table[1:]} AND u.seq>?"
            for column, value, indexed in keys:
                if isinstance(value, list):
                    changed: list[Any] = self.xact.conn.execute(
                        f"SELECT rid, c{column} FROM {undo} AS u WHERE {mine}",
                        (self.xact.xid, marks[schema]),
                    ).fetchall()
                    if any(
                        self._satisfied(value, old) or self._row_satisfies(name, column, rid, value)
                        for rid, old in changed
                    ):
                        return True
                    continue
                found = self.xact.conn.execute(
                    f"SELECT 1 FROM {undo} AS u WHERE {mine} AND (u.c{column}=? OR EXISTS "
                    f"(SELECT 1 FROM {name} AS b WHERE b.rid=u.rid AND b.c{column}=?)) LIMIT 1",
                    (self.xact.xid, marks[schema], value, value),
                ).fetchone()
                if found is not None or self._enters_index(name, indexed, mine, marks[schema]):
                    return True
        return False

    def _enters_index(self, name: str, indexed: Sequence[int], mine: str, mark: int) -> bool:
        """The statement has made rows, or changed one of these columns of some: that writes to
        all indexes of the table."""
        if not indexed:
            return False
        schema = name.partition(".")[0]
        other = "".join(f" OR b.c{c} IS NOT u.c{c}" for c in indexed)
        found = self.xact.conn.execute(
            f"SELECT 1 FROM {schema}.{prefix(schema)}undo AS u WHERE {mine} AND (u.op='I' OR "
            f"u.op='U' AND EXISTS (SELECT 1 FROM {name} AS b WHERE b.rid=u.rid AND (0{other}))) "
            "LIMIT 1",
            (self.xact.xid, mark),
        ).fetchone()
        return found is not None

    # -- conflicts -------------------------------------------------------------------------------

    def _flag(self, state: _State, reader: SerializableXact, writer: SerializableXact) -> None:
        """FlagRWConflict."""
        state.changed = True
        self._check(state, reader, writer)
        reader.outs.append(writer.number)
        writer.ins.append(reader.number)

    def _check(self, state: _State, reader: SerializableXact, writer: SerializableXact) -> None:
        """OnConflict_CheckForSerializationFailure: would the new conflict end a dangerous
        structure?"""
        if not (
            (writer.commit_seq and writer.conflict_out)
            or _writer_is_pivot(state, reader, writer)
            or _reader_is_pivot(state, reader, writer)
        ):
            return
        if writer.number == self.number:
            raise _failure("Canceled on identification as a pivot, during write.")
        if writer.prepare_seq:
            raise _failure(f"Canceled on conflict out to pivot {writer.xid}, during read.")
        writer.doomed = True


def _writer_is_pivot(state: _State, reader: SerializableXact, writer: SerializableXact) -> bool:
    """reader -> writer -> T2, and T2 committed first."""
    seqs = [state.xacts[n].prepare_seq for n in writer.outs]
    return any(
        seq
        and (not reader.commit_seq or seq <= reader.commit_seq)
        and (not writer.commit_seq or seq <= writer.commit_seq)
        and (not reader.read_only or seq <= reader.last_commit)
        for seq in seqs
    )


def _reader_is_pivot(state: _State, reader: SerializableXact, writer: SerializableXact) -> bool:
    """T0 -> reader -> writer, and the writer committed first."""
    if not writer.prepare_seq or reader.read_only:
        return False
    return any(
        not t0.doomed
        and (not t0.commit_seq or t0.commit_seq >= writer.prepare_seq)
        and (not t0.read_only or t0.last_commit >= writer.prepare_seq)
        for t0 in (state.xacts[n] for n in reader.ins)
    )
