"""Shared memory of one cluster: an mmapped file with counters and the table of databases.

Counterpart of PostgreSQL's ipci.c/shmem.c, varsup.c (xid and OID counters) and sinval (here: one
catalog version per database that every statement compares).  The process array lives behind the
header in the same file (procarray.py).  All words are aligned int64, read and written through one
memoryview, so a single word is never seen torn; what needs read-modify-write takes a FileLock.

A cluster that must survive its end (a data folder) gives a `counters` file: it holds an upper
bound of the xids and OIDs handed out so far and is moved on ahead of use, so that after kill -9
of everything no xid is given twice.
"""

from __future__ import annotations

import mmap
import os
import struct
import time

from pgemu.errors import INTERNAL_ERROR, PgError
from pgemu.storage.filelock import FileLock
from pgemu.storage.procarray import SLOT_SIZE, ProcArray

MAGIC = 0x5047454D55000003  # "PGEMU" and the version of this layout
FIRST_NORMAL_XID = 3
BOOTSTRAP_XID = 731  # what initdb of PostgreSQL 15 has used up, about
FIRST_NORMAL_OID = 16384
PREFETCH = 8192  # how far the counters file runs ahead

# Words of the header.
W_MAGIC, W_MAX_CONNECTIONS, W_SLOTS, W_CREATED = 0, 1, 2, 3
W_NEXT_XID, W_XID_LIMIT, W_NEXT_OID, W_OID_LIMIT = 4, 5, 6, 7
W_CONFIG_GENERATION, W_SHUTDOWN, W_POSTMASTER_PID, W_POSTMASTER_START = 8, 9, 10, 11
W_SHARED_CATALOG_VERSION, W_VERSION_SEED, W_CONTROLS_GENERATION, W_CONTROLS_LENGTH = 12, 13, 14, 15
W_XID_WAITERS, W_COMMIT_SEQ, W_PORT = 16, 17, 18
HEADER_WORDS = 64

# Table of databases: open addressing by OID; entry = oid (0 free, -1 deleted), catalog version,
# two words for the rooms above (number of LISTENers, purge generation), and the version of what
# may concern built-in objects.
DATABASE_ENTRIES = 4096
DATABASE_WORDS = 5
_BUILTIN = 3  # from the version word on
DATABASES_AT = HEADER_WORDS
CONTROLS_BYTES = 65536
CONTROLS_AT = (DATABASES_AT + DATABASE_ENTRIES * DATABASE_WORDS) * 8
PROCARRAY_AT = CONTROLS_AT + CONTROLS_BYTES

# Values of W_SHUTDOWN.
RUNNING, STARTING, SMART_SHUTDOWN, FAST_SHUTDOWN, IMMEDIATE_SHUTDOWN = 0, 1, 2, 3, 4

# Slots beyond max_connections: workers, connections that only cancel, those being refused.
EXTRA_SLOTS = 32


class SharedMemory:
    """One mapping of the file; each process opens its own or inherits the postmaster's."""

    def __init__(self, path: str, counters: str | None) -> None:
        self.path = path
        self.runtime = os.path.dirname(path)
        self._counters = counters
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            self._map = mmap.mmap(fd, 0)
        finally:
            os.close(fd)
        self.words = memoryview(self._map).cast("q")
        if self.words[W_MAGIC] != MAGIC:
            raise PgError(INTERNAL_ERROR, f'"{path}" is not shared memory of this pgemu version')
        self.counter_lock = FileLock(os.path.join(self.runtime, "lock.counters"))
        self.table_lock = FileLock(os.path.join(self.runtime, "lock.databases"))
        self.procarray = ProcArray(
            self._map, PROCARRAY_AT, self.words[W_SLOTS], os.path.join(self.runtime, "lock.procs")
        )
        self._version_word: dict[int, int] = {}

    @classmethod
    def create(
        cls, path: str, max_connections: int = 100, counters: str | None = None
    ) -> SharedMemory:
        """Make the file (its folder exists), numbers continued from the counters file."""
        slots = max_connections + EXTRA_SLOTS
        next_xid, next_oid = _read_counters(counters)
        header = [0] * HEADER_WORDS
        header[W_MAGIC] = MAGIC
        header[W_MAX_CONNECTIONS] = max_connections
        header[W_SLOTS] = slots
        header[W_CREATED] = time.time_ns() // 1000
        header[W_NEXT_XID] = header[W_XID_LIMIT] = next_xid
        header[W_NEXT_OID] = header[W_OID_LIMIT] = next_oid
        header[W_SHUTDOWN] = STARTING
        header[W_VERSION_SEED] = header[W_SHARED_CATALOG_VERSION] = 1
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(fd, PROCARRAY_AT + slots * SLOT_SIZE)
            os.pwrite(fd, struct.pack(f"={HEADER_WORDS}q", *header), 0)
        finally:
            os.close(fd)
        return cls(path, counters)

    @classmethod
    def open(cls, path: str, counters: str | None = None) -> SharedMemory:
        """Map an existing file."""
        return cls(path, counters)

    def close(self) -> None:
        """Unmap.  A process that just exits need not bother."""
        self.procarray.close()
        self.words.release()
        self._map.close()
        self.counter_lock.close()
        self.table_lock.close()

    # -- xids and OIDs ---------------------------------------------------------------------

    def next_xid(self) -> int:
        """A transaction id nobody else has (PostgreSQL's GetNewTransactionId)."""
        words = self.words
        with self.counter_lock:
            xid = words[W_NEXT_XID]
            if xid >= words[W_XID_LIMIT]:
                self._move_limit(W_XID_LIMIT, xid + PREFETCH)
            words[W_NEXT_XID] = xid + 1
        return xid

    def read_next_xid(self) -> int:
        """The xid that would be assigned next; all from here on are in a snapshot's future."""
        return self.words[W_NEXT_XID]

    def advance_next_xid(self, xid: int) -> None:
        """Make sure that xids up to and including `xid` are never assigned (recovery)."""
        words = self.words
        with self.counter_lock:
            if xid >= words[W_NEXT_XID]:
                words[W_NEXT_XID] = xid + 1
                if xid >= words[W_XID_LIMIT]:
                    self._move_limit(W_XID_LIMIT, xid + PREFETCH)

    def next_oid(self, count: int = 1) -> int:
        """An object identifier nobody else has (GetNewObjectId), unique in the cluster; the first
        of several in a row."""
        words = self.words
        with self.counter_lock:
            oid = words[W_NEXT_OID]
            if oid + count > words[W_OID_LIMIT]:
                self._move_limit(W_OID_LIMIT, oid + count + PREFETCH)
            words[W_NEXT_OID] = oid + count
        return oid

    def advance_next_oid(self, oid: int) -> None:
        """Make sure that OIDs up to and including `oid` are never assigned."""
        words = self.words
        with self.counter_lock:
            if oid >= words[W_NEXT_OID]:
                words[W_NEXT_OID] = oid + 1
                if oid >= words[W_OID_LIMIT]:
                    self._move_limit(W_OID_LIMIT, oid + PREFETCH)

    def _move_limit(self, word: int, limit: int) -> None:
        words = self.words
        words[word] = limit
        if self._counters is not None:
            _write_counters(self._counters, words[W_XID_LIMIT], words[W_OID_LIMIT])

    def save_counters(self) -> None:
        """At a clean end: the exact values, so that no numbers are skipped."""
        if self._counters is not None:
            _write_counters(self._counters, self.words[W_NEXT_XID], self.words[W_NEXT_OID])

    # -- catalog versions ------------------------------------------------------------------

    def _database_word(self, database: int) -> int:
        """Index of the version word of a database, made on first use."""
        word = self._version_word.get(database)
        if word is not None and self.words[word - 1] == database:
            return word
        words = self.words
        with self.table_lock:
            free = -1
            for step in range(DATABASE_ENTRIES):
                at = DATABASES_AT + (database + step) % DATABASE_ENTRIES * DATABASE_WORDS
                if words[at] == database:
                    break
                if words[at] <= 0 and free < 0:
                    free = at
                if words[at] == 0:
                    at = -1
                    break
            else:
                at = -1
            if at < 0:
                if free < 0:
                    raise PgError("53400", "too many databases for the shared memory table")
                at = free
                words[W_VERSION_SEED] += 1
                words[at + 1] = words[at + 1 + _BUILTIN] = words[W_VERSION_SEED]
                words[at + 2] = words[at + 3] = 0
                words[at] = database
        self._version_word[database] = at + 1
        return at + 1

    def version_word(self, database: int) -> int:
        """Where in `words` the version of a database is, for as long as a backend is in it."""
        return self._database_word(database)

    def catalog_version(self, database: int) -> int:
        """Changes whenever DDL commits in this database or in the shared catalogs.  Hot path:
        two word reads."""
        words = self.words
        try:
            return words[self._version_word[database]] + words[W_SHARED_CATALOG_VERSION]
        except KeyError:
            return words[self._database_word(database)] + words[W_SHARED_CATALOG_VERSION]

    def bump_catalog_version(self, database: int) -> int:
        """After DDL committed; database 0 means the shared catalogs.  The new version."""
        word = self._database_word(database) if database else W_SHARED_CATALOG_VERSION
        with self.table_lock:
            self.words[word] += 1
        return self.catalog_version(database) if database else self.words[word]

    def builtin_version_word(self, database: int) -> int:
        """As version_word, of the version that DDL about tables does not move."""
        return self._database_word(database) + _BUILTIN

    def bump_builtin_version(self, database: int) -> None:
        """After DDL that may concern built-in objects committed.  The catalog version moves after
        it: who sees that one looks at this one."""
        if database:
            word = self._database_word(database) + _BUILTIN
            with self.table_lock:
                self.words[word] += 1
        self.bump_catalog_version(database)

    def forget_database(self, database: int) -> None:
        """DROP DATABASE: its entry may be used again."""
        word = self._database_word(database)
        with self.table_lock:
            self.words[word - 1] = -1
        self._version_word.pop(database, None)

    def database_note(self, database: int, index: int) -> int:
        """One of the two free words of a database's entry (index 0 or 1)."""
        return self.words[self._database_word(database) + 1 + index]

    def add_database_note(self, database: int, index: int, delta: int) -> int:
        """Add to such a word; the new value."""
        word = self._database_word(database) + 1 + index
        with self.table_lock:
            self.words[word] += delta
            return self.words[word]

    # -- configuration, shutdown, test controls ----------------------------------------------

    @property
    def max_connections(self) -> int:
        return self.words[W_MAX_CONNECTIONS]

    @property
    def config_generation(self) -> int:
        """Moves on at every reload; backends compare it between statements."""
        return self.words[W_CONFIG_GENERATION]

    def bump_config_generation(self) -> None:
        self.words[W_CONFIG_GENERATION] += 1

    @property
    def shutdown_state(self) -> int:
        return self.words[W_SHUTDOWN]

    @shutdown_state.setter
    def shutdown_state(self, state: int) -> None:
        self.words[W_SHUTDOWN] = state

    @property
    def postmaster_pid(self) -> int:
        return self.words[W_POSTMASTER_PID]

    @property
    def postmaster_start(self) -> int:
        """Microseconds of the Unix epoch (pg_postmaster_start_time)."""
        return self.words[W_POSTMASTER_START]

    @property
    def port(self) -> int:
        return self.words[W_PORT]

    def set_postmaster(self, pid: int, port: int) -> None:
        self.words[W_POSTMASTER_PID] = pid
        self.words[W_POSTMASTER_START] = time.time_ns() // 1000
        self.words[W_PORT] = port

    @property
    def controls_generation(self) -> int:
        """Moves on when the test controls (clock, faults, seeds) change."""
        return self.words[W_CONTROLS_GENERATION]

    def read_controls(self) -> bytes:
        """The test controls, in whatever form their owner wrote them."""
        with self.table_lock:
            length = self.words[W_CONTROLS_LENGTH]
            return self._map[CONTROLS_AT : CONTROLS_AT + length]

    def write_controls(self, data: bytes) -> None:
        if len(data) > CONTROLS_BYTES:
            raise PgError("53400", "test controls do not fit into shared memory")
        with self.table_lock:
            self._map[CONTROLS_AT : CONTROLS_AT + len(data)] = data
            self.words[W_CONTROLS_LENGTH] = len(data)
            self.words[W_CONTROLS_GENERATION] += 1


def _read_counters(path: str | None) -> tuple[int, int]:
    """Next xid and OID: from the counters file, or those of a fresh cluster."""
    if path is not None:
        try:
            with open(path, "rb") as file:
                xid, oid = struct.unpack("=qq", file.read(16))
            return max(xid, BOOTSTRAP_XID), max(oid, FIRST_NORMAL_OID)
        except (FileNotFoundError, struct.error):
            pass
    return BOOTSTRAP_XID, FIRST_NORMAL_OID


def _write_counters(path: str, xid: int, oid: int) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.pwrite(fd, struct.pack("=qq", xid, oid), 0)
    finally:
        os.close(fd)
