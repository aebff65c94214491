"""The writer lock of a database: whose turn it is to open a SQLite write transaction.

SQLite has one writer per file and lets others retry with sleeps; here they queue in the kernel
instead (flock on `<oid>.lock` in the runtime folder) and BEGIN IMMEDIATE then never meets a busy
database.  The lock is held for one statement, not for one transaction, and dies with its holder.

Waiting is interruptible: Python retries an interrupted flock by itself after running the signal
handlers, so a handler that asks for the end of the statement calls WriterLock.interrupt, and the
exception of check_interrupts leaves the flock.

A holder may keep the lock while its client is silent (transam/standing.py) if it can be asked for
it.  Who waits holds a share of a second lock, `<oid>.lock.wanted`, says so in the first one's file
and then reads there whom to wake; the holder writes its slot there and then looks whether somebody
says so, and if so whether that second lock is free.  So one of them sees the other.

Transactions that hold their writes back (heldrows.py) have rows that the files do not show as
taken: who gets the lock in the ordinary way has them write first.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import struct
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import ClassVar

from pgemu.storage.filelock import FileLock
from pgemu.storage.heldrows import HeldRows
from pgemu.storage.latch import LatchSender

_LOCK_NOW = fcntl.LOCK_EX | fcntl.LOCK_NB
# how often to let others run before going to sleep: waking up costs more than a statement
_YIELDS = 10
# in the lock's file: the slot, plus one, of a holder that sits idle with the lock; else 0
_STANDING = struct.Struct("=I")
_NOBODY = _STANDING.pack(0)
# behind it: a byte that is not 0 while somebody may hold a share of the second lock
_WANTED_AT = _STANDING.size
_FILE_SIZE = _STANDING.size + 1


class WriterLock:
    """`with lock:` or acquire/release.  Reentrant within the process (nested writes)."""

    _waiting: ClassVar[list[WriterLock]] = []

    def __init__(self, path: str, check_interrupts: Callable[[], None] = lambda: None) -> None:
        self._lock = FileLock(path)
        self._wanted = FileLock(path + ".wanted")
        self.holders = HeldRows(path)
        # when this process last had to wait for its turn, on the monotonic clock
        self.waited_ns = 0
        self._standing = False
        self._file: mmap.mmap | None = None
        self._sender: LatchSender | None = None
        self.check_interrupts = check_interrupts
        self._depth = 0

    @property
    def held(self) -> bool:
        return self._depth > 0

    def acquire(self) -> None:
        """Take the turn; raises what check_interrupts raises, not holding it then."""
        if self._depth == 0:
            try:
                fcntl.flock(self._lock.fileno(), _LOCK_NOW)
            except BlockingIOError:
                self._wait()
            if self.holders.maybe_others():
                self._have_all_written(self._wait, self._wait_for_holders)
        self._depth += 1

    def acquire_beside_holders(self) -> None:
        """The same, for who leaves the rows alone that others hold writes back for."""
        if self._depth == 0:
            try:
                fcntl.flock(self._lock.fileno(), _LOCK_NOW)
            except BlockingIOError:
                self._wait()
        self._depth += 1

    def acquire_uninterrupted(self) -> None:
        """Take the turn, whatever signals say: for who must have it back."""
        if self._depth == 0:
            self._queue()
            if self.holders.maybe_others():
                self._have_all_written(self._queue, self.holders.wait_for_end)
        self._depth += 1

    def _queue(self) -> None:
        if not self._lock.try_acquire():
            with self._wanting():
                self._lock.acquire()

    def _have_all_written(self, lock: Callable[[], None], wait: Callable[[], None]) -> None:
        """With the lock in hand: nobody holds writes back any more."""
        holders = self.holders
        if holders.nobody():
            return
        with holders.asking():
            while True:
                self._lock.release()  # they need it
                wait()
                lock()
                if holders.nobody():
                    return

    def release(self) -> None:
        self._depth -= 1
        if self._depth == 0:
            if self._standing:
                self._standing = False
                assert self._file is not None
                self._file[: _STANDING.size] = _NOBODY
            self._lock.release()

    def stand(self, slot: int) -> None:
        """The lock is kept, and given back when the latch of that slot asks for it."""
        self._standing = True
        if self._file is None:
            self._file = self._map()
        self._file[: _STANDING.size] = _STANDING.pack(slot + 1)

    def _map(self) -> mmap.mmap:
        fd = self._lock.fileno()
        if os.fstat(fd).st_size < _FILE_SIZE:
            os.ftruncate(fd, _FILE_SIZE)
        return mmap.mmap(fd, _FILE_SIZE)

    def wanted(self) -> bool:
        """Somebody waits for the lock (after stand: and may have seen nobody to wake)."""
        file = self._file
        if file is None or not file[_WANTED_AT]:
            return False
        if not self._wanted.try_acquire():
            return True
        file[_WANTED_AT] = 0  # nobody waits now; who does from here on sets it again
        self._wanted.release()
        return False

    def note_contention(self) -> None:
        """This process has to wait for others."""
        self.waited_ns = time.monotonic_ns()

    def __enter__(self) -> WriterLock:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def _wait_for_holders(self) -> None:
        self._interruptible(self.holders.wait_for_end)

    def _wait(self) -> None:
        """The holder is in the middle of a short statement: let it run, then queue."""
        self.note_contention()
        fd = self._lock.fileno()
        with self._wanting():
            for _ in range(_YIELDS):
                os.sched_yield()
                try:
                    fcntl.flock(fd, _LOCK_NOW)
                except BlockingIOError:
                    continue
                return
            try:
                self._interruptible(self._lock.acquire)
            except BaseException:
                self._lock.release()
                raise

    def _interruptible(self, wait: Callable[[], None]) -> None:
        self._waiting.append(self)
        try:
            self.check_interrupts()
            wait()
        finally:
            self._waiting.remove(self)

    @contextlib.contextmanager
    def _wanting(self) -> Iterator[None]:
        """Let the holder know, now or when it is about to keep the lock."""
        fcntl.flock(self._wanted.fileno(), fcntl.LOCK_SH)
        try:
            os.pwrite(self._lock.fileno(), b"\1", _WANTED_AT)
            known = os.pread(self._lock.fileno(), _STANDING.size, 0)
            if known != _NOBODY:
                if self._sender is None:
                    self._sender = LatchSender(os.path.dirname(self._lock.path))
                self._sender.wake(_STANDING.unpack(known)[0] - 1)
            yield
        finally:
            self._wanted.release()

    @classmethod
    def interrupt(cls) -> None:
        """For signal handlers, after they have noted why: whoever waits here looks at it."""
        for lock in cls._waiting:
            lock.check_interrupts()

    def close(self) -> None:
        self._lock.close()
        self._wanted.close()
        self.holders.close()
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._sender is not None:
            self._sender.close()
            self._sender = None
        self._depth = 0
        self._standing = False
