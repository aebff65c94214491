"""The background process: checkpoints, purging, and cleaning up when the postmaster is killed.

Counterpart of PostgreSQL's checkpointer.c and autovacuum.c.  Backends never checkpoint.  It
also watches the postmaster through a pipe: if it is killed, somebody must end its children and
remove what is temporary.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable
from typing import Any

import apsw

from pgemu.postmaster.config import ServerConfig, log, resolve
from pgemu.postmaster.listen import remove_unix_socket
from pgemu.storage.cluster import Cluster, sweep_stale_clusters
from pgemu.storage.connection import checkpoint
from pgemu.storage.procarray import CHECKPOINTER, DATABASE, PID
from pgemu.storage.shmem import SharedMemory

TICK = 0.5  # seconds between two looks at the sizes of the WALs
CHECKPOINT_BYTES = 8 << 20
PURGE_SECONDS = 5.0
TIMEOUT_SECONDS = 60.0  # a small WAL is moved this often, for named clusters


class Checkpointer:
    """run() returns when the postmaster asked to end (SIGTERM) or died."""

    def __init__(
        self,
        config: ServerConfig,
        cluster: Cluster,
        shm: SharedMemory,
        death_fd: int,
        socket_paths: list[str],
    ) -> None:
        self.config = config
        self.cluster = cluster
        self.shm = shm
        self.death_fd = death_fd
        self.socket_paths = socket_paths
        self._stop = False
        self._open: dict[int, apsw.Connection] = {}
        self._purge: Callable[..., Any] | None = None

    def run(self) -> int:
        signal.signal(signal.SIGTERM, self._on_sigterm)
        self.shm.procarray.claim_slot(backend_type=CHECKPOINTER)
        if self.cluster.ephemeral:
            sweep_stale_clusters(self.cluster.data)
        self._purge = resolve(self.config.purge)
        poll = select.poll()
        poll.register(self.death_fd, select.POLLIN)
        next_purge = time.monotonic() + PURGE_SECONDS
        next_full = time.monotonic() + TIMEOUT_SECONDS
        while not self._stop:
            if poll.poll(TICK * 1000):
                self._clean_up_after_postmaster()
                return 0
            now = time.monotonic()
            full = now >= next_full and not self.cluster.ephemeral
            if full:
                next_full = now + TIMEOUT_SECONDS
            self._checkpoint_all(1 if full else CHECKPOINT_BYTES)
            if self._purge is not None and now >= next_purge:
                next_purge = now + PURGE_SECONDS
                self._purge(self.cluster, self.shm)
        self._end()
        return 0

    def _on_sigterm(self, number: int, frame: object) -> None:
        self._stop = True

    def _files(self) -> list[tuple[int, str]]:
        return [(0, self.cluster.global_path)] + [
            (oid, self.cluster.database_path(oid)) for oid in self.cluster.database_oids()
        ]

    def _checkpoint_all(self, at_least: int) -> None:
        """Passive checkpoints where the WAL has grown.  A connection is kept to each database in
        use, so that the last backend's leaving does not throw the WAL index away."""
        connected = set(self.shm.procarray.column(DATABASE))
        for oid in list(self._open):
            if oid not in connected or not os.path.exists(self.cluster.database_path(oid)):
                self._open.pop(oid).close()
        for oid, path in self._files():
            try:
                size = os.stat(path + "-wal").st_size
            except FileNotFoundError:
                continue
            try:
                if oid in connected and oid not in self._open and oid:
                    self._open[oid] = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READWRITE)
                    self._open[oid].config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
                    self._open[oid].execute("SELECT count(*) FROM sqlite_schema").fetchall()
                if size >= at_least:
                    checkpoint(path)
            except apsw.Error as error:
                if os.path.exists(path):
                    log("LOG", f'could not checkpoint "{path}": {error}')

    def _end(self) -> None:
        """The shutdown checkpoint, for clusters that stay."""
        for connection in self._open.values():
            connection.close()
        if self.cluster.ephemeral:
            return
        for _, path in self._files():
            if os.path.exists(path + "-wal"):
                try:
                    checkpoint(path, truncate=True)
                except apsw.Error as error:
                    log("LOG", f'could not checkpoint "{path}": {error}')

    def _clean_up_after_postmaster(self) -> None:
        """The postmaster was killed: no process, socket or temporary folder may be left."""
        log("LOG", "postmaster is gone, ending its children")
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            alive = [pid for pid in self.shm.procarray.column(PID) if pid not in (0, os.getpid())]
            alive = [pid for pid in alive if _kill(pid)]
            if not alive:
                break
            time.sleep(0.01)
        for path in self.socket_paths:
            remove_unix_socket(path)
        for connection in self._open.values():
            connection.close()
        self.cluster.close()


def _kill(pid: int) -> bool:
    """Send SIGKILL; False if the process is gone (or a zombie nobody needs to wait for)."""
    try:
        os.kill(pid, signal.SIGKILL)
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError, PermissionError):
        return False
