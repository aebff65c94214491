"""Latches: waking a sleeping backend, and passing it short messages.

Counterpart of PostgreSQL's latch.c and procsignal.c.  A backend binds a Unix datagram socket named
after its slot in the runtime folder.  The kernel queues few datagrams (10 by default), which
suffices for wake-ups, as one is as good as ten; messages that must not be lost (NOTIFY) overflow
into a file beside the socket, and stay in order: a sender that finds such a file appends to it.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from functools import cache

from pgemu.storage.filelock import FileLock

# Kinds of messages.
WAKE = 1  # look at shared memory again: a lock was granted, an interrupt was posted
NOTIFY = 2  # payload: see commands/async
CONTROL = 3  # test controls (interleaving, faults)

_HEAD = struct.Struct("=II")  # kind, length of the payload
MAX_DATAGRAM = 60_000

Message = tuple[int, bytes]

MAX_SOCKET_FOLDER = 80


@cache
def socket_folder(runtime: str) -> str:
    """The runtime folder by a name that leaves room in a socket's 107 bytes of path: a long one is
    reached through an open descriptor."""
    if len(runtime) <= MAX_SOCKET_FOLDER:
        return runtime
    return f"/proc/self/fd/{os.open(runtime, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)}"


def latch_path(runtime: str, slot: int) -> str:
    return f"{socket_folder(runtime)}/latch.{slot}"


def overflow_path(runtime: str, slot: int) -> str:
    return f"{runtime}/mail.{slot}"


class Latch:
    """The receiving side, owned by one backend."""

    def __init__(self, runtime: str, slot: int) -> None:
        self.path = latch_path(runtime, slot)
        self._overflow = overflow_path(runtime, slot)
        self._overflow_lock = FileLock(f"{runtime}/lock.mail")
        for stale in (self.path, self._overflow):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(stale)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(self.path)
        self.fd = self._socket.fileno()
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)
        self._wakeup: tuple[socket.socket, socket.socket] | None = None
        self.inbox: deque[Message] = deque()

    def fileno(self) -> int:
        return self.fd

    def install_wakeup_fd(self) -> int:
        """Let every signal that has a Python handler end wait().  The descriptor to poll, for
        loops that poll more than this latch; call drain() when it is readable."""
        if self._wakeup is None:
            reader, writer = socket.socketpair()
            reader.setblocking(False)
            writer.setblocking(False)
            self._wakeup = reader, writer
            signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
            self._poll.register(reader, select.POLLIN)
        return self._wakeup[0].fileno()

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep until a message or a signal comes (True) or the seconds are over (False)."""
        if self.inbox:
            return True
        return bool(self._poll.poll(None if timeout is None else max(0.0, timeout * 1000)))

    def sleep(self, seconds: float | None) -> None:
        """wait(), and take what ended it out of its socket, to be looked at later.  The overflow
        file is left to drain(): what is in it ends nobody's wait."""
        for fd, _ in self._poll.poll(None if seconds is None else seconds * 1000 + 1):
            if fd != self._socket.fileno():
                assert self._wakeup is not None
                self._wakeup[0].recv(4096)
                continue
            kind, payload = self._read()
            if kind != WAKE:
                self.inbox.append((kind, payload))

    def _read(self) -> Message:
        data = self._socket.recv(MAX_DATAGRAM + _HEAD.size)
        kind, length = _HEAD.unpack_from(data)
        return kind, data[_HEAD.size : _HEAD.size + length]

    def drain(self) -> list[Message]:
        """Take what has arrived out of the socket.  WAKEs are swallowed (the caller looks at
        shared memory anyway); the rest is put into the inbox and returned."""
        received: list[Message] = []
        if self._wakeup is not None:
            with contextlib.suppress(BlockingIOError):
                self._wakeup[0].recv(4096)
        while True:
            try:
                message = self._read()
            except BlockingIOError:
                break
            if message[0] != WAKE:
                received.append(message)
        if os.path.exists(self._overflow):
            received.extend(self._take_overflow())
        self.inbox.extend(received)
        return received

    def _take_overflow(self) -> list[Message]:
        with self._overflow_lock:
            with open(self._overflow, "rb") as file:
                data = file.read()
            os.unlink(self._overflow)
        found: list[Message] = []
        at = 0
        while at < len(data):
            kind, length = _HEAD.unpack_from(data, at)
            at += _HEAD.size
            if kind != WAKE:
                found.append((kind, data[at : at + length]))
            at += length
        return found

    def take(self, kind: int) -> list[bytes]:
        """Remove and return the payloads of one kind from the inbox."""
        if not self.inbox:
            return []
        taken = [payload for one, payload in self.inbox if one == kind]
        self.inbox = deque(message for message in self.inbox if message[0] != kind)
        return taken

    def close(self) -> None:
        """Remove the socket from the runtime folder."""
        if self._wakeup is not None:
            signal.set_wakeup_fd(-1)
            for end in self._wakeup:
                end.close()
            self._wakeup = None
        self._socket.close()
        self._overflow_lock.close()
        remove_latch_files(self.path, self._overflow)


def remove_latch_files(*paths: str) -> None:
    """For the latch's owner, or for the postmaster when the owner was killed."""
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


class LatchSender:
    """The sending side: one socket per process for all targets."""

    def __init__(self, runtime: str) -> None:
        self._runtime = runtime
        self._pid = 0
        self._socket: socket.socket | None = None
        self._overflow_lock = FileLock(f"{runtime}/lock.mail")

    def _sender(self) -> socket.socket:
        if self._socket is None or self._pid != os.getpid():
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
            self._pid = os.getpid()
        return self._socket

    def send(self, slot: int, kind: int, payload: bytes = b"") -> bool:
        """Deliver, never waiting.  False if nobody listens there (the backend is gone)."""
        path = latch_path(self._runtime, slot)
        data = _HEAD.pack(kind, len(payload)) + payload
        if kind != WAKE and (
            len(payload) > MAX_DATAGRAM or os.path.exists(overflow_path(self._runtime, slot))
        ):
            return self._append(slot, data)
        try:
            self._sender().sendto(data, path)
        except BlockingIOError:
            return True if kind == WAKE else self._append(slot, data)
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True

    def wake(self, slot: int) -> bool:
        """Make a sleeper look at shared memory again."""
        return self.send(slot, WAKE)

    def _append(self, slot: int, data: bytes) -> bool:
        if not os.path.exists(latch_path(self._runtime, slot)):
            return False
        with self._overflow_lock, open(overflow_path(self._runtime, slot), "ab") as file:
            file.write(data)
        return self.wake(slot)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._overflow_lock.close()


def wait_latch(
    latch: Latch,
    satisfied: Callable[[], bool],
    deadline: float | None,
    check_interrupts: Callable[[], None],
) -> bool:
    """Sleep until `satisfied()` (True) or until the monotonic deadline (False).
    check_interrupts runs after every wake-up and may raise."""
    while True:
        check_interrupts()
        if satisfied():
            return True
        timeout = None if deadline is None else deadline - time.monotonic()
        if timeout is not None and timeout <= 0:
            return False
        latch.sleep(timeout)
