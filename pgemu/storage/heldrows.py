"""HeldRows: which backends of a database hold writes back, and the rows that they hold them for.

A backend that holds its writes back (transam/heldwrites.py) has not written its rows yet, so the
files do not show others that these rows are taken.  Here they are:

- a lock per row, the kernel's: a byte of `<oid>.lock.held` at an address made of table and rid
  (locks of open file descriptions, which end with their process).  Two rows with one address wait
  for each other needlessly, no more;
- who holds anything back shares a lock on that whole file, and has a byte of its slot set in it.
  Who is about to write in the ordinary way, which knows nothing of these rows, asks all of them to
  write first (`asking`) and waits for that lock to be free.  While somebody asks nobody begins;
- who waits for a row says so in the word of its slot; the one who frees a row wakes the waiter
  that came first.

No counterpart in PostgreSQL, whose rows carry their lock themselves.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import struct
import time
from collections.abc import Callable, Iterator

from pgemu.storage.filelock import FileLock
from pgemu.storage.latch import LatchSender

MAX_SLOTS = 4096
# how long to wait for a row here; after that the ordinary way, which shows in pg_locks and finds
# deadlocks, is taken
PATIENCE_NS = 20_000_000

# The file: three flags, how many slots have waited for rows (a word), ...
_HELD, _ASKED, _WAITED = 0, 1, 2
_SEEN_AT = 8
# ... a byte per slot that holds writes back, and per slot two words: the address of the row that
# it waits for (0: none), and since when
_SLOTS_AT = 64
_WAITS_AT = _SLOTS_AT + MAX_SLOTS
_WAIT = struct.Struct("=QQ")
_SEEN = struct.Struct("=Q")
_SIZE = _WAITS_AT + MAX_SLOTS * _WAIT.size
# struct flock: type, whence, start, length, pid
_FLOCK = struct.Struct("hhqqi4x")
_SHARE = fcntl.LOCK_SH | fcntl.LOCK_NB
_NOBODY = bytes(MAX_SLOTS)


def row_address(relation: int, rid: int) -> int:
    return (relation & 0x3FFF_FFFF) << 32 | (rid & 0xFFFF_FFFF)


class HeldRows:
    """One database's, as one process sees it.  path: that of the database's writer lock.

    mine: this process holds writes back.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._holders = FileLock(path + ".held")
        self._askers = FileLock(path + ".asked")
        self._map: mmap.mmap | None = None
        self._sender: LatchSender | None = None
        self._addresses: set[int] = set()
        self._slot = -1
        self.mine = False

    def _mapped(self) -> mmap.mmap:
        if self._map is None:
            fd = self._holders.fileno()
            if os.fstat(fd).st_size < _SIZE:
                os.ftruncate(fd, _SIZE)
            self._map = mmap.mmap(fd, _SIZE)
        return self._map

    def wake(self, slot: int) -> None:
        if self._sender is None:
            self._sender = LatchSender(os.path.dirname(self._path))
        self._sender.wake(slot)

    # -- beginning and end; whoever holds the writer lock meets no beginning -----------------------

    def begin(self, slot: int) -> bool:
        """From here on this process holds writes back; the caller holds the writer lock.  False:
        it must not, somebody asks all to stop."""
        if slot >= MAX_SLOTS or self.asked():
            return False
        try:
            fcntl.flock(self._holders.fileno(), _SHARE)
        except BlockingIOError:
            return False
        words = self._mapped()
        words[_SLOTS_AT + slot] = 1
        words[_HELD] = 1
        self._slot, self.mine = slot, True
        return True

    def end(self) -> None:
        """What was held back is written, or given up."""
        if not self.mine:
            return
        self.mine = False
        if self._addresses:
            self._lock(fcntl.F_UNLCK, 0, 0)
            freed, self._addresses = self._addresses, set()
            self._wake_waiters(freed)
        self._mapped()[_SLOTS_AT + self._slot] = 0
        fcntl.flock(self._holders.fileno(), fcntl.LOCK_UN)

    # -- asking all to write -----------------------------------------------------------------------

    def maybe_others(self) -> bool:
        """False: nobody holds writes back, for certain.  The caller holds the writer lock."""
        return not self.mine and bool((self._map or self._mapped())[_HELD])

    def others_hold(self) -> bool:
        """Others seem to hold writes back, while this process does not."""
        words = self._map or self._mapped()
        return bool(words[_HELD]) and words[_SLOTS_AT : _SLOTS_AT + MAX_SLOTS].find(1) >= 0

    def nobody(self) -> bool:
        """The same, for certain both ways."""
        if not self._holders.try_acquire():
            return False
        words = self._mapped()
        words[_HELD] = 0
        words[_SLOTS_AT : _SLOTS_AT + MAX_SLOTS] = _NOBODY
        self._holders.release()
        return True

    def wait_for_end(self) -> None:
        """Until nobody holds writes back.  Interrupted by what signal handlers raise."""
        self._holders.acquire()
        self._holders.release()

    @contextlib.contextmanager
    def asking(self) -> Iterator[None]:
        """Those who hold writes back are to write them; nobody begins meanwhile."""
        fcntl.flock(self._askers.fileno(), fcntl.LOCK_SH)
        try:
            words = self._mapped()
            words[_ASKED] = 1
            slots = words[_SLOTS_AT : _SLOTS_AT + MAX_SLOTS]
            at = slots.find(1)
            while at >= 0:
                self.wake(at)
                at = slots.find(1, at + 1)
            yield
        finally:
            self._askers.release()

    def asked(self) -> bool:
        """Somebody wants all to write what they hold back."""
        words = self._map or self._mapped()
        if not words[_ASKED]:
            return False
        if not self._askers.try_acquire():
            return True
        words[_ASKED] = 0  # nobody asks now; who does from here on sets it again
        self._askers.release()
        return False

    # -- rows --------------------------------------------------------------------------------------

    def take(self, address: int) -> bool:
        """Lock a row; False: another process has it."""
        if address in self._addresses:
            return True
        try:
            self._lock(fcntl.F_WRLCK, address, 1)
        except OSError:
            return False
        self._addresses.add(address)
        return True

    def wait_for_row(
        self, address: int, sleep: Callable[[float], None], check_interrupts: Callable[[], None]
    ) -> bool:
        """take(), after a sleep if that is short and nobody asks.  False: not so."""
        words = self._mapped()
        at = _WAITS_AT + self._slot * _WAIT.size
        since = time.monotonic_ns()
        words[at : at + _WAIT.size] = _WAIT.pack(address, since)
        if _SEEN.unpack_from(words, _SEEN_AT)[0] <= self._slot:
            _SEEN.pack_into(words, _SEEN_AT, self._slot + 1)
        words[_WAITED] = 1
        taken = False
        try:
            while not (taken := self.take(address)) and not self.asked():
                left = since + PATIENCE_NS - time.monotonic_ns()
                if left <= 0:
                    break
                sleep(left / 1e9)
                check_interrupts()
        finally:
            words[at : at + _WAIT.size] = _WAIT.pack(0, 0)
            if not taken:  # it may have been woken in the place of another
                self._wake_waiters({address})
        return taken

    def _lock(self, kind: int, start: int, length: int) -> None:
        request = _FLOCK.pack(kind, os.SEEK_SET, start, length, 0)
        fcntl.fcntl(self._holders.fileno(), fcntl.F_OFD_SETLK, request)

    def _wake_waiters(self, addresses: set[int]) -> None:
        """For each row the one that has waited longest."""
        words = self._mapped()
        if not words[_WAITED]:
            return
        number = min(_SEEN.unpack_from(words, _SEEN_AT)[0], MAX_SLOTS)
        first: dict[int, tuple[int, int]] = {}
        waits = _WAIT.iter_unpack(words[_WAITS_AT : _WAITS_AT + number * _WAIT.size])
        for slot, (address, since) in enumerate(waits):
            if address in addresses and (address not in first or since < first[address][0]):
                first[address] = since, slot
        for _, slot in first.values():
            self.wake(slot)

    def close(self) -> None:
        self._holders.close()
        self._askers.close()
        if self._map is not None:
            self._map.close()
            self._map = None
        if self._sender is not None:
            self._sender.close()
            self._sender = None
        self._addresses = set()
        self.mine = False
