"""Sequences of one database: an mmapped file of slots, outside of every transaction.

Counterpart of the storage half of PostgreSQL's commands/sequence.c.  A slot holds what a sequence
relation's single tuple holds (last_value, log_cnt, is_called); the parameters (increment, limits,
cycle, cache) come from pg_sequence with each call.  log_cnt counts as PostgreSQL's does although
nothing is logged ahead: it shows in SELECT * FROM sequence.
"""

from __future__ import annotations

import mmap
import os
import struct

from pgemu.errors import (
    INTERNAL_ERROR,
    SEQUENCE_GENERATOR_LIMIT_EXCEEDED,
    PgError,
)
from pgemu.storage.filelock import FileLock

MAGIC = 0x5047534551000001
LOG_VALUES = 32  # PostgreSQL's SEQ_LOG_VALS

# Words of the header and of a slot.
W_MAGIC, W_CAPACITY, W_CREATED = 0, 1, 2
HEADER_WORDS = 8
RELFILENODE, LAST_VALUE, IS_CALLED, LOG_COUNT = 0, 1, 2, 3
SLOT_WORDS = 4
FIRST_CAPACITY = 126  # with the header, one page


class SequenceFile:
    """The sequences of one database.  A database that has had none has no file."""

    def __init__(self, path: str, lock_path: str | None = None) -> None:
        self.path = path
        self._lock = FileLock(lock_path or path + ".lock")
        self._map: mmap.mmap | None = None
        self._words: memoryview = memoryview(b"").cast("q")
        self._capacity = 0
        self._at: dict[int, int] = {}
        # Values fetched ahead for this session (CACHE n): relfilenode -> [next, last, increment].
        self._cached: dict[int, list[int]] = {}

    # -- the file --------------------------------------------------------------------------

    def _remap(self) -> None:
        """Map the file as it is now, making it if there is none.  The lock is held."""
        self._unmap()
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not os.pread(fd, 8, 0).strip(b"\0"):  # new, or who made it died before the end
                os.ftruncate(fd, (HEADER_WORDS + FIRST_CAPACITY * SLOT_WORDS) * 8)
                os.pwrite(fd, struct.pack("=qq", MAGIC, FIRST_CAPACITY), 0)
            self._map = mmap.mmap(fd, 0)
        finally:
            os.close(fd)
        self._words = memoryview(self._map).cast("q")
        if self._words[W_MAGIC] != MAGIC:
            raise PgError(INTERNAL_ERROR, f'"{self.path}" is not a sequence file of this version')
        self._capacity = self._words[W_CAPACITY]
        self._at.clear()

    def _unmap(self) -> None:
        if self._map is not None:
            self._words.release()
            self._map.close()
            self._map = None

    def _grow(self) -> None:
        words = self._words
        capacity = self._capacity * 4
        os.truncate(self.path, (HEADER_WORDS + capacity * SLOT_WORDS) * 8)
        words[W_CAPACITY] = capacity
        self._remap()

    def _column(self) -> list[int]:
        end = HEADER_WORDS + self._capacity * SLOT_WORDS
        return self._words[HEADER_WORDS:end:SLOT_WORDS].tolist()

    def _find(self, relfilenode: int) -> int:
        """Index of the slot's first word, -1 if there is none.  The lock is held."""
        at = self._at.get(relfilenode)
        if at is not None and self._words[at] == relfilenode:
            return at
        if self._map is None or self._words[W_CAPACITY] != self._capacity:
            self._remap()
        try:
            at = HEADER_WORDS + self._column().index(relfilenode) * SLOT_WORDS
        except ValueError:
            return -1
        self._at[relfilenode] = at
        return at

    def _slot(self, relfilenode: int) -> int:
        at = self._find(relfilenode)
        if at < 0:
            raise PgError(INTERNAL_ERROR, f"could not find sequence storage {relfilenode}")
        return at

    # -- what commands/sequence.c does with it -----------------------------------------------

    def create(self, relfilenode: int, last_value: int, is_called: bool = False) -> None:
        """Make (or overwrite) a sequence's storage."""
        with self._lock:
            at = self._find(relfilenode)
            if at < 0:
                column = self._column()
                if 0 not in column:
                    self._grow()
                    column = self._column()
                at = HEADER_WORDS + column.index(0) * SLOT_WORDS
            self._words[at + LAST_VALUE] = last_value
            self._words[at + IS_CALLED] = int(is_called)
            self._words[at + LOG_COUNT] = 0
            self._words[at] = relfilenode
        self._cached.pop(relfilenode, None)

    def drop(self, relfilenode: int) -> None:
        """Remove a sequence's storage; unknown ones are ignored."""
        self._cached.pop(relfilenode, None)
        if self._map is None and not os.path.exists(self.path):
            return
        with self._lock:
            at = self._find(relfilenode)
            if at >= 0:
                self._words[at] = 0
                self._at.pop(relfilenode, None)

    def exists(self, relfilenode: int) -> bool:
        if self._map is None and not os.path.exists(self.path):
            return False
        with self._lock:
            return self._find(relfilenode) >= 0

    def read(self, relfilenode: int) -> tuple[int, int, bool]:
        """(last_value, log_cnt, is_called): the row of SELECT * FROM sequence."""
        with self._lock:
            at = self._slot(relfilenode)
            words = self._words
            return words[at + LAST_VALUE], words[at + LOG_COUNT], bool(words[at + IS_CALLED])

    def set(self, relfilenode: int, value: int, is_called: bool = True) -> None:
        """setval; the limits were checked by the caller."""
        with self._lock:
            at = self._slot(relfilenode)
            self._words[at + LAST_VALUE] = value
            self._words[at + IS_CALLED] = int(is_called)
            self._words[at + LOG_COUNT] = 0
        self._cached.pop(relfilenode, None)

    def discard_cached(self) -> None:
        """DISCARD SEQUENCES: forget the values fetched ahead."""
        self._cached.clear()

    def nextval(
        self,
        relfilenode: int,
        increment: int,
        minimum: int,
        maximum: int,
        cycle: bool = False,
        cache: int = 1,
        name: str = "",
    ) -> int:
        """The next value (nextval_internal).  2200H at the limit of a sequence without CYCLE."""
        if cache > 1:
            ahead = self._cached.get(relfilenode)
            if ahead is not None and ahead[0] != ahead[1]:
                ahead[0] += ahead[2]
                return ahead[0]
        with self._lock:
            at = self._at.get(relfilenode, -1)
            words = self._words
            if at < 0 or words[at] != relfilenode:
                at = self._slot(relfilenode)
                words = self._words
            last = words[at + LAST_VALUE]
            log = words[at + LOG_COUNT]
            if words[at + IS_CALLED]:
                result = last + increment
                if result > maximum or result < minimum:
                    result = _wrap(increment, minimum, maximum, cycle, name)
                taken = 1
            else:
                result, log, taken = last, 0, 1
            last = result
            if cache > 1:
                room = (maximum - result if increment > 0 else result - minimum) // abs(increment)
                taken += min(cache - 1, room)
                last = result + (taken - 1) * increment
                self._cached[relfilenode] = [result, last, increment]
            if log >= cache:
                log -= taken
            else:
                room = (maximum - last if increment > 0 else last - minimum) // abs(increment)
                log = min(LOG_VALUES, room)
            words[at + LAST_VALUE] = last
            words[at + LOG_COUNT] = log
            words[at + IS_CALLED] = 1
        return result

    def rows(self) -> dict[int, tuple[int, int, bool]]:
        """All sequences: relfilenode -> (last_value, log_cnt, is_called)."""
        if self._map is None and not os.path.exists(self.path):
            return {}
        with self._lock:
            self._find(-1)
            found: dict[int, tuple[int, int, bool]] = {}
            for index, relfilenode in enumerate(self._column()):
                if relfilenode:
                    at = HEADER_WORDS + index * SLOT_WORDS
                    last, called, log = self._words[at + 1 : at + SLOT_WORDS].tolist()
                    found[relfilenode] = last, log, bool(called)
            return found

    def copy_to(self, path: str) -> None:
        """A consistent copy, for CREATE DATABASE; nothing if there are no sequences."""
        if not os.path.exists(self.path):
            return
        with self._lock, open(self.path, "rb") as source, open(path, "wb") as target:
            target.write(source.read())

    def sync(self) -> None:
        """Write to disk (checkpoints of clusters with fsync on)."""
        if self._map is not None:
            self._map.flush()

    def close(self) -> None:
        self._unmap()
        self._lock.close()
        self._at.clear()


def _wrap(increment: int, minimum: int, maximum: int, cycle: bool, name: str) -> int:
    """The value after the last one."""
    if increment > 0:
        if not cycle:
            raise PgError(
                SEQUENCE_GENERATOR_LIMIT_EXCEEDED,
                f'nextval: reached maximum value of sequence "{name}" ({maximum})',
            )
        return minimum
    if not cycle:
        raise PgError(
            SEQUENCE_GENERATOR_LIMIT_EXCEEDED,
            f'nextval: reached minimum value of sequence "{name}" ({minimum})',
        )
    return maximum
