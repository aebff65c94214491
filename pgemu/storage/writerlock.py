"""The writer lock of a database: whose turn it is to open a SQLite write transaction.

SQLite has one writer per file and lets others retry with sleeps; here they queue in the kernel
instead (flock on `<oid>.lock` in the runtime folder) and BEGIN IMMEDIATE then never meets a busy
database.  The lock is held for one statement, not for one transaction, and dies with its holder.

Waiting is interruptible: Python retries an interrupted flock by itself after running the signal
handlers, so while we wait, the handlers of the signals that may end a statement are wrapped to
call check_interrupts, whose exception leaves the flock.
"""

from __future__ import annotations

import fcntl
import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

from pgemu.storage.filelock import FileLock

_LOCK_NOW = fcntl.LOCK_EX | fcntl.LOCK_NB
_INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGUSR1)


class WriterLock:
    """`with lock:` or acquire/release.  Reentrant within the process (nested writes)."""

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
        previous: dict[signal.Signals, Any] = {}
        waiting = True

        def interrupted(number: int, frame: FrameType | None) -> None:
            handler = previous.get(signal.Signals(number))
            if callable(handler):
                handler(number, frame)
            if waiting:  # an exception after we have the lock would leave it locked
                self.check_interrupts()

        try:
            for number in _INTERRUPTS:
                handler = signal.getsignal(number)
                if callable(handler) and handler is not signal.default_int_handler:
                    previous[number] = handler
                    signal.signal(number, interrupted)
            self.check_interrupts()
            self._lock.acquire()
            waiting = False
        except BaseException:
            waiting = False
            self._lock.release()
            raise
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def close(self) -> None:
        self._lock.close()
        self._depth = 0
