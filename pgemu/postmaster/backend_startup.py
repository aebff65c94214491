"""A forked child on its way to being a backend: wait as a spare, accept, claim a slot, serve.

Counterpart of PostgreSQL's BackendStartup, BackendRun and InitPostmasterChild.  Spares
accept for themselves on the shared listening sockets (EPOLLEXCLUSIVE wakes one of them), which
saves handing the socket over; the postmaster hears of it through the status pipe and forks more.
"""

from __future__ import annotations

import gc
import os
import resource
import select
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from pgemu.errors import PgError
from pgemu.postmaster.config import ServerConfig, log, resolve
from pgemu.storage.cluster import Cluster
from pgemu.storage.procarray import XID, Slot
from pgemu.storage.procsignal import process_cancel_request
from pgemu.storage.shmem import SharedMemory

STATUS = struct.Struct("=i")
"""What a spare writes: its pid when it got a connection, -pid when that has ended and the process
is a spare again.  Serving several short connections, one after the other, saves a fork each."""
MAX_SESSIONS = 64
COLLECT_EVERY = 8
IDLE_SECONDS = 1.0
MAX_RESIDENT_KIB = 160 << 10
_PR_SET_PDEATHSIG = 1
CANCEL_REQUEST, SSL_REQUEST, GSSENC_REQUEST = 80877102, 80877103, 80877104


def become_child(postmaster: int, guardian: bool = False) -> None:
    """First thing after fork: own session, default signals, death with the postmaster, which
    only the guardian survives, to clean up."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    os.setsid()
    if guardian:
        return
    set_parent_death_signal(signal.SIGKILL)
    if os.getppid() != postmaster:
        os._exit(1)


def set_parent_death_signal(number: int) -> None:
    """Ask the kernel for a signal when the parent dies (nothing where it cannot)."""
    import ctypes

    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)


def run_child(body: Callable[[], int]) -> NoReturn:
    """Run a child's work and leave without the parent's exit handlers."""
    code = 1
    try:
        code = body()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        if sys.exc_info()[0] is not None:
            traceback.print_exc()
        try:
            sys.stderr.flush()
        finally:
            os._exit(code)
    raise AssertionError


class SpareBackend:
    """One spare.  run() returns the exit code of the connection it served."""

    def __init__(
        self,
        config: ServerConfig,
        cluster: Cluster,
        shm: SharedMemory,
        listeners: list[socket.socket],
        status_fd: int,
        end_fds: tuple[int, ...],
    ) -> None:
        self.config = config
        self.cluster = cluster
        self.shm = shm
        self.listeners = listeners
        self.status_fd = status_fd
        self.end_fds = end_fds  # readable: the postmaster died or retires this spare

    def run(self) -> int:
        backend = resolve(self.config.backend)
        if backend is None:
            raise ModuleNotFoundError(self.config.backend)
        prewarm = resolve(self.config.prewarm)
        for served in range(MAX_SESSIONS):
            if prewarm is not None:
                self.config.prewarmed = prewarm(self.cluster, self.shm, self.config)
            sock = self._accept(IDLE_SECONDS if served else None)
            if sock is None or not self._serve(backend, sock):
                break
            os.write(self.status_fd, STATUS.pack(-os.getpid()))
            if served % COLLECT_EVERY == COLLECT_EVERY - 1:
                gc.collect()
        return 0

    def _serve(self, backend: Callable[..., Any], sock: socket.socket) -> bool:
        """One connection to its end.  True: it left nothing behind, another one may come."""
        os.write(self.status_fd, STATUS.pack(os.getpid()))
        procarray, limit = self.shm.procarray, self.shm.max_connections
        slot: Slot | None = getattr(self.config.prewarmed, "slot", None)
        try:
            if slot is None:
                slot = procarray.claim_slot(limit=limit)
            else:
                procarray.admit(slot, limit)
        except PgError as error:
            refuse(sock, self.shm, error)
            return False
        again = backend(sock, self.cluster, self.shm, slot, self.config)
        sock.close()
        self._release(slot, again is True)
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return again is True and used < MAX_RESIDENT_KIB and not slot.pid

    def _release(self, slot: Slot, clean: bool) -> None:
        """Free the slot, unless a transaction was left open: then the postmaster recovers it.
        clean: the backend has given back all its locks."""
        if slot.pid == os.getpid() and not slot.words[XID]:
            if not clean:
                from pgemu.storage.locktable import LockTable

                table = LockTable(self.cluster.locks_path, self.shm.procarray)
                table.release_slot(slot.number)
                table.close()
            self.shm.procarray.release(slot)

    def _accept(self, patience: float | None) -> socket.socket | None:
        """The next connection; None when this spare is to end.  One that has served already ends
        when nobody needs it: the postmaster keeps as many fresh ones as it wants."""
        poll = select.epoll()
        by_fd = {listener.fileno(): listener for listener in self.listeners}
        for fd in by_fd:
            poll.register(fd, select.EPOLLIN | select.EPOLLEXCLUSIVE)
        for fd in self.end_fds:
            poll.register(fd, select.EPOLLIN | select.EPOLLHUP)
        try:
            while True:
                ready = [fd for fd, _ in poll.poll(patience)]
                if not ready:
                    patience, ready = 0, list(by_fd) if patience else []
                    if not ready:
                        return None
                if any(fd in self.end_fds for fd in ready):
                    return None
                for fd in ready:
                    try:
                        sock, _ = by_fd[fd].accept()
                    except (BlockingIOError, ConnectionAbortedError):
                        continue
                    except OSError:
                        return None  # the postmaster has shut the socket down
                    sock.setblocking(True)
                    if sock.family != socket.AF_UNIX:
                        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                    return sock
        finally:
            poll.close()


def refuse(sock: socket.socket, shm: SharedMemory, error: PgError) -> None:
    """There is no slot for this connection: read its startup packet, serve it if it only cancels,
    else send the error."""
    sock.settimeout(10)
    try:
        while True:
            head = _receive(sock, 8)
            length, code = struct.unpack("!ii", head)
            body = _receive(sock, max(0, min(length, 10_000) - 8))
            if code in (SSL_REQUEST, GSSENC_REQUEST):
                sock.sendall(b"N")
                continue
            if code == CANCEL_REQUEST and len(body) >= 8:
                (pid,) = struct.unpack("!i", body[:4])
                process_cancel_request(shm, pid, body[4:])
            else:
                log(error.severity, error.message)
                sock.sendall(error_response(error))
            return
    except (OSError, EOFError):
        return
    finally:
        sock.close()


def error_response(error: PgError) -> bytes:
    """The bytes of an ErrorResponse, before there is a session that could encode it."""
    fields = (("S", error.severity), ("V", error.severity), ("C", error.sqlstate))
    body = b"".join(
        key.encode() + text.encode() + b"\0" for key, text in (*fields, ("M", error.message))
    )
    return b"E" + struct.pack("!i", len(body) + 5) + body + b"\0"


def _receive(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data
