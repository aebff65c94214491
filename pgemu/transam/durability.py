"""Durable commits (PostgreSQL's XLogFlush and synchronous_commit).

With fsync on, the SQLite COMMIT that ends a PostgreSQL transaction runs at synchronous=NORMAL like
every other, and is followed by one fdatasync of the WAL file, after the writer lock was given back
and before the client is told.  That is what synchronous=FULL would do (0.33 ms against 0.34 ms
measured), but the next writer need not wait for the disk, statements inside a transaction block
cost nothing, and no PRAGMA is switched, which SQLite refuses inside a transaction.  A WAL that ends
in half a transaction after a power cut is cut back by its checksums, as with FULL.

SQLite keeps its POSIX locks on the database and the -shm file, so that opening and closing the -wal
file here cannot drop one of them.
"""

from __future__ import annotations

import os

from pgemu.errors import T_R_SERIALIZATION_FAILURE, PgError
from pgemu.storage.filecopy import sync_folder


class WalSync:
    """The WAL files of one connection: `main`, and `g` for shared catalogs."""

    def __init__(self, main_path: str, global_path: str) -> None:
        self._paths = {"main": main_path, "g": global_path}
        self._fds: dict[str, int] = {}

    def sync(self, schema: str) -> None:
        """Everything committed so far is on disk when this returns."""
        fd = self._fds.get(schema, -1)
        if fd < 0:
            fd = self._open(schema)
        if fd >= 0:
            os.fdatasync(fd)

    def _open(self, schema: str) -> int:
        path = self._paths[schema]
        try:
            fd = os.open(path + "-wal", os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return -1  # nothing was written
        sync_folder(os.path.dirname(path))  # the file may be new
        self._fds[schema] = fd
        return fd

    def close(self) -> None:
        for fd in self._fds.values():
            os.close(fd)
        self._fds = {}


class TwoFilesWritten(Exception):
    """A statement outside a transaction has written its database's file and global.db, which
    SQLite commits one after the other: it has to be a transaction, whose undo is in both."""


class SharedFileBehind(PgError):
    """A statement read global.db before another session wrote to it, and wants to write to it now:
    run again with the lock from the start, it can."""

    def __init__(self) -> None:
        super().__init__(
            T_R_SERIALIZATION_FAILURE, "could not serialize access due to concurrent update"
        )


class OneFile:
    """Watches that a statement outside a transaction writes one file only."""

    def __init__(self) -> None:
        self._shared: bool | None = None

    def wrote(self, shared: bool) -> None:
        if self._shared is None:
            self._shared = shared
        elif self._shared != shared:
            raise TwoFilesWritten
