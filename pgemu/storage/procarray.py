"""The process array: one slot per backend or worker, in shared memory.

Counterpart of PostgreSQL's procarray.c, proc.c and backend_status.c (pg_stat_activity).  A slot
has one writer, its owner, so writing needs no lock; claiming and freeing slots does.  Questions
about all backends ("which xids are running?") read one word of every slot in C through a strided
slice of the mapping, ~1 us for a hundred slots.
"""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Iterator

from pgemu.errors import TOO_MANY_CONNECTIONS, PgError
from pgemu.storage.filelock import FileLock

SLOT_SIZE = 2048
STRIDE = SLOT_SIZE // 8

# Words of a slot.  Times are microseconds of the Unix epoch, 0 = none.
PID, BACKEND_TYPE, DATABASE, ROLE, XID, XMIN, STATE = range(7)
BACKEND_START, XACT_START, QUERY_START, STATE_CHANGE = range(7, 11)
WAIT_EVENT, WAITING_FOR_XID, FLAGS, CLIENT_PORT, LXID, GENERATION = range(11, 17)
QUERY_LENGTH, APPLICATION_LENGTH, ADDRESS_LENGTH = range(17, 20)
LISTENING, INTERRUPT, QUERY_ID, NESTING, SSL, KEY_LENGTH = range(20, 26)
HIGHEST = 26  # in slot 0: the highest slot number that was ever taken
FINISHING_XID = 27  # of the prepared transaction whose second phase the backend is in
USER_WORD = 28  # 28..31 belong to the rooms above

KEY_AT, APPLICATION_AT, ADDRESS_AT, QUERY_AT = 256, 320, 384, 512
KEY_SIZE, APPLICATION_SIZE, ADDRESS_SIZE, QUERY_SIZE = 64, 64, 128, 1536

# Values of BACKEND_TYPE, as pg_stat_activity.backend_type writes them.
BACKEND_TYPES = (
    "",
    "client backend",
    "checkpointer",
    "autovacuum launcher",
    "background worker",
    "starting",
)
CLIENT_BACKEND, CHECKPOINTER, PURGER, BACKGROUND_WORKER, STARTING_BACKEND = 1, 2, 3, 4, 5

# Values of STATE, as pg_stat_activity.state writes them.
STATES = (
    "",
    "idle",
    "active",
    "idle in transaction",
    "idle in transaction (aborted)",
    "fastpath function call",
    "disabled",
)
IDLE, ACTIVE, IDLE_IN_TRANSACTION, IDLE_IN_TRANSACTION_ABORTED = 1, 2, 3, 4

# Values of WAIT_EVENT: (wait_event_type, wait_event).
WAIT_EVENTS = (
    ("", ""),
    ("Client", "ClientRead"),
    ("Client", "ClientWrite"),
    ("Lock", "relation"),
    ("Lock", "transactionid"),
    ("Lock", "virtualxid"),
    ("Lock", "advisory"),
    ("Lock", "tuple"),
    ("Lock", "object"),
    ("Lock", "extend"),
    ("LWLock", "WALWrite"),
    ("Timeout", "PgSleep"),
    ("IPC", "Interleave"),
    ("Activity", "CheckpointerMain"),
    ("Activity", "AutoVacuumMain"),
)
# what the default of track_activity_query_size leaves of a statement's text, in bytes
QUERY_LIMIT = 1023
WAIT_EVENT_NUMBERS = {pair: number for number, pair in enumerate(WAIT_EVENTS)}
WAIT_CLIENT_READ = 1

# "Process ids" of slots without a process, which stand for prepared transactions: no kernel gives
# out pids as high.  The slot's number is added.
PREPARED_PIDS = 0x7FFF0000

# Bits of FLAGS.
FLAG_SUPERUSER, FLAG_LOCAL, FLAG_TEMPORARY_NAMESPACE, FLAG_SERIALIZABLE = 1, 2, 4, 8

# Bits of INTERRUPT: why the signal came (pg_terminate_backend, recovery conflicts ...).
INTERRUPT_CANCEL, INTERRUPT_TERMINATE, INTERRUPT_CONFIG, INTERRUPT_DROP_DATABASE = 1, 2, 4, 8


class Slot:
    """One entry.  `words` is the view of its 32 words: `slot.words[XID] = xid` is the fast way."""

    __slots__ = ("_array", "_base", "_key_at", "_map", "number", "words")

    def __init__(self, array: ProcArray, number: int) -> None:
        self._array = array
        self.number = number
        self._map = array.map
        self._base = array.at + number * SLOT_SIZE
        start = self._base // 8
        self.words = array.words[start : start + 32]

    @property
    def pid(self) -> int:
        return self.words[PID]

    @property
    def database(self) -> int:
        return self.words[DATABASE]

    @property
    def role(self) -> int:
        return self.words[ROLE]

    @property
    def xid(self) -> int:
        return self.words[XID]

    @property
    def state(self) -> str:
        return STATES[self.words[STATE]]

    @property
    def backend_type(self) -> str:
        return BACKEND_TYPES[self.words[BACKEND_TYPE]]

    @property
    def wait_event(self) -> tuple[str, str]:
        return WAIT_EVENTS[self.words[WAIT_EVENT]]

    def _read(self, at: int, length_word: int, size: int) -> bytes:
        start = self._base + at
        return self._map[start : start + min(self.words[length_word], size)]

    def _write(self, at: int, length_word: int, size: int, data: bytes) -> None:
        data = data[:size]
        start = self._base + at
        self._map[start : start + len(data)] = data
        self.words[length_word] = len(data)

    @property
    def query(self) -> str:
        """Text of the current or last statement, cut as track_activity_query_size cuts it."""
        return self._read(QUERY_AT, QUERY_LENGTH, QUERY_SIZE).decode("utf-8", "ignore")

    def report_query(self, query: bytes) -> None:
        """A statement with this text starts."""
        words = self.words
        words[QUERY_START] = words[STATE_CHANGE] = time.time_ns() // 1000
        words[STATE] = ACTIVE
        if len(query) > QUERY_LIMIT:
            query = query[:QUERY_LIMIT]
        start = self._base + QUERY_AT
        self._map[start : start + len(query)] = query
        words[QUERY_LENGTH] = len(query)

    def report_running(self) -> None:
        """The statement whose text was reported last starts once more."""
        words = self.words
        words[QUERY_START] = words[STATE_CHANGE] = time.time_ns() // 1000
        words[STATE] = ACTIVE

    def report_activity(self, state: int) -> None:
        """pgstat_report_activity of a state."""
        words = self.words
        words[STATE] = state
        words[STATE_CHANGE] = time.time_ns() // 1000

    @property
    def application_name(self) -> str:
        data = self._read(APPLICATION_AT, APPLICATION_LENGTH, APPLICATION_SIZE)
        return data.decode("utf-8", "ignore")

    @application_name.setter
    def application_name(self, name: str) -> None:
        self._write(APPLICATION_AT, APPLICATION_LENGTH, 63, name.encode())

    @property
    def client_address(self) -> str:
        """IP address, or "" for a Unix socket."""
        return self._read(ADDRESS_AT, ADDRESS_LENGTH, ADDRESS_SIZE).decode("utf-8", "ignore")

    def set_client(self, address: str, port: int) -> None:
        """Where the client is; port -1 for a Unix socket."""
        self._write(ADDRESS_AT, ADDRESS_LENGTH, ADDRESS_SIZE, address.encode())
        self.words[CLIENT_PORT] = port

    @property
    def cancel_key(self) -> bytes:
        return self._read(KEY_AT, KEY_LENGTH, KEY_SIZE)

    @cancel_key.setter
    def cancel_key(self, key: bytes) -> None:
        self._write(KEY_AT, KEY_LENGTH, KEY_SIZE, key)

    def clear(self) -> None:
        """Zero all but the generation; the pid last, for it makes the slot free."""
        generation = self.words[GENERATION]
        for word in range(1, 32):
            if word != HIGHEST:
                self.words[word] = 0
        self.words[GENERATION] = generation
        self._map[self._base + KEY_AT : self._base + KEY_AT + KEY_SIZE] = bytes(KEY_SIZE)
        self.words[PID] = 0


class ProcArray:
    """All slots.  Slot numbers start at 0; free ones have PID 0."""

    def __init__(self, mapping: mmap.mmap, at: int, slots: int, lock_path: str) -> None:
        self.map = mapping
        self.at = at
        self.size = slots
        self.words = memoryview(mapping).cast("q")
        self.lock = FileLock(lock_path)
        self._first = at // 8
        self._end = self._first + slots * STRIDE
        self._slots: dict[int, Slot] = {}

    def close(self) -> None:
        for slot in self._slots.values():
            slot.words.release()
        self.words.release()
        self.lock.close()

    def column(self, word: int) -> list[int]:
        """One word of every slot, by slot number."""
        return self.words[self._first + word : self._end : STRIDE].tolist()

    def used(self, word: int) -> list[int]:
        """The same for the slots that were ever taken."""
        words, first = self.words, self._first
        return words[first + word : first + (words[first + HIGHEST] + 1) * STRIDE : STRIDE].tolist()

    def slot(self, number: int) -> Slot:
        """The slot of that number (a Python object made once)."""
        slot = self._slots.get(number)
        if slot is None:
            slot = self._slots[number] = Slot(self, number)
        return slot

    def slots(self) -> Iterator[Slot]:
        """Every slot of a process that has begun its work, in slot order."""
        types = self.column(BACKEND_TYPE)
        for number, pid in enumerate(self.column(PID)):
            if 0 < pid < PREPARED_PIDS and types[number] != STARTING_BACKEND:
                yield self.slot(number)

    def claim_slot(self, pid: int = 0, backend_type: int = CLIENT_BACKEND, limit: int = 0) -> Slot:
        """A free slot for a process.  With a limit, 53300 if that many client backends run
        (superusers are checked again after authentication, by the backend)."""
        with self.lock:
            pids = self.column(PID)
            if limit and self.column(BACKEND_TYPE).count(CLIENT_BACKEND) >= limit:
                raise PgError(
                    TOO_MANY_CONNECTIONS, "sorry, too many clients already", severity="FATAL"
                )
            try:
                number = pids.index(0)
            except ValueError:
                raise PgError(
                    TOO_MANY_CONNECTIONS, "sorry, too many clients already", severity="FATAL"
                ) from None
            slot = self.slot(number)
            if number > self.words[self._first + HIGHEST]:
                self.words[self._first + HIGHEST] = number
            slot.words[GENERATION] += 1
            slot.words[BACKEND_TYPE] = backend_type
            slot.words[BACKEND_START] = time.time_ns() // 1000
            slot.words[CLIENT_PORT] = -1
            slot.words[PID] = pid or os.getpid()
        return slot

    def admit(self, slot: Slot, limit: int) -> None:
        """A process that has claimed its slot beforehand, as STARTING_BACKEND, has a client now.
        53300 as in claim_slot."""
        with self.lock:
            if self.column(BACKEND_TYPE).count(CLIENT_BACKEND) >= limit:
                raise PgError(
                    TOO_MANY_CONNECTIONS, "sorry, too many clients already", severity="FATAL"
                )
            slot.words[BACKEND_TYPE] = CLIENT_BACKEND
            slot.words[BACKEND_START] = time.time_ns() // 1000

    def release(self, slot: Slot) -> None:
        """Free a slot, its owner's last act or the postmaster's for a dead one."""
        with self.lock:
            slot.clear()

    def find_by_pid(self, pid: int) -> Slot | None:
        """The slot of a running backend (BackendPidGetProc)."""
        if pid <= 0:
            return None
        try:
            return self.slot(self.column(PID).index(pid))
        except ValueError:
            return None

    def find_by_cancel_key(self, pid: int, key: bytes) -> Slot | None:
        """The backend that a CancelRequest means; keys are compared in constant time."""
        from hmac import compare_digest

        slot = self.find_by_pid(pid)
        if slot is None:
            return None
        known = slot.cancel_key
        return slot if known and compare_digest(known, key) else None

    def find_by_xid(self, xid: int) -> Slot | None:
        """The backend whose transaction has this xid (TransactionIdIsInProgress)."""
        try:
            return self.slot(self.column(XID).index(xid)) if xid else None
        except ValueError:
            return None

    def running_xids(self, database: int = 0) -> list[int]:
        """Xids of open transactions, of one database or of all (GetRunningTransactionData)."""
        xids = self.column(XID)
        if not any(xids):
            return []
        if not database:
            return [xid for xid in xids if xid > 0]
        databases = self.column(DATABASE)
        return [x for x, d in zip(xids, databases, strict=True) if x > 0 and d == database]

    def oldest_xmin(self, next_xid: int, database: int = 0) -> int:
        """No snapshot needs undo of xids before this one (GetOldestNonRemovableTransactionId)."""
        databases = self.column(DATABASE)
        oldest = next_xid
        for word in (XMIN, XID):
            for value, of in zip(self.column(word), databases, strict=True):
                if 0 < value < oldest and (not database or of == database):
                    oldest = value
        return oldest

    def count_databases(self, database: int, but_pid: int = 0) -> int:
        """How many processes are connected to a database (CountOtherDBBackends)."""
        pids = self.column(PID)
        return sum(
            1
            for pid, of in zip(pids, self.column(DATABASE), strict=True)
            if pid and of == database and pid != but_pid
        )
