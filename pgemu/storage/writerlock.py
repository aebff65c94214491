"""The writer lock of a database: whose turn it is to open a SQLite write transaction.

SQLite has one writer per file and lets others retry with sleeps; here they queue in the kernel
instead (flock on `<oid>.lock` in the runtime folder) and BEGIN IMMEDIATE then never meets a busy
database.  The lock is held for one statement, not for one transaction, and dies with its holder.

Waiting is interruptible: Python retries an interrupted flock by itself after running the signal
handlers, so a handler that asks for the end of the statement calls WriterLock.interrupt, and the
exception of check_interrupts leaves the flock.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from types import TracebackType
from typing import ClassVar

from pgemu.storage.filelock import FileLock

_LOCK_NOW = fcntl.LOCK_EX | fcntl.LOCK_NB
# how often to let others run before going to sleep: waking up costs more than a statement
_YIELDS = 10


class WriterLock:
    """`with lock:` or acquire/release.  Reentrant within the process (nested writes)."""

    _waiting: ClassVar[list[WriterLock]] = []

    def __init__(self, path: str, check_interrupts: Callable[[], None] = lambda: None) -> None:
        self._lock = FileLock(path)
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
        self._depth += 1

    def acquire_uninterrupted(self) -> None:
        """Take the turn, whatever signals say: for who must have it back."""
        if self._depth == 0:
            self._lock.acquire()
        self._depth += 1

    def release(self) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._lock.release()

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

    def _wait(self) -> None:
        """The holder is in the middle of a short statement: let it run, then queue."""
        fd = self._lock.fileno()
        for _ in range(_YIELDS):
            os.sched_yield()
            try:
                fcntl.flock(fd, _LOCK_NOW)
            except BlockingIOError:
                continue
            return
        self._waiting.append(self)
        try:
            self.check_interrupts()
            self._lock.acquire()
            self._waiting.remove(self)
        except BaseException:
            if self in self._waiting:
                self._waiting.remove(self)
            self._lock.release()
            raise

    @classmethod
    def interrupt(cls) -> None:
        """For signal handlers, after they have noted why: whoever waits here looks at it."""
        for lock in cls._waiting:
            lock.check_interrupts()

    def close(self) -> None:
        self._lock.close()
        self._depth = 0
