"""Transaction managers without sessions: several on one database file, in this process.

A stand-in for the executor: `Teller` (one backend) reads through its snapshot and writes with undo,
and looks at nobody's rows before it changes them, so that tests choose who may.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw

from pgemu.storage.cluster import Cluster
from pgemu.storage.connection import open_database
from pgemu.storage.shmem import SharedMemory
from pgemu.storage.writerlock import WriterLock
from pgemu.transam.schema import create_transaction_tables
from pgemu.transam.visibility import dirty_tables, overlay_statement
from pgemu.transam.xact import TransactionManager

DATABASE = 5
TABLE = "main.r20000"
CATALOGS = (1259, 1247, 1255, 2615, 2606, 1249, 2610, 2604, 2618, 2224, 2620, 2611, 2608, 2609)


def make_cluster(folder: Path) -> tuple[Cluster, SharedMemory]:
    """A cluster of one database with one table (c1, c2) and empty catalogs."""
    (folder / "base").mkdir()
    (folder / "runtime").mkdir()
    cluster = Cluster(str(folder), str(folder / "runtime"), ephemeral=False)
    for path, shared in ((cluster.global_path, True), (cluster.database_path(DATABASE), False)):
        conn = apsw.Connection(path)
        conn.execute("PRAGMA journal_mode=WAL")
        create_transaction_tables(conn, shared=shared)
        columns = ", ".join(f"c{n}" for n in range(1, 10))
        for number in (1262, 1260) if shared else CATALOGS:
            conn.execute(f"CREATE TABLE r{number} (rid INTEGER PRIMARY KEY, xmin, {columns})")
        if not shared:
            conn.execute("CREATE TABLE r20000 (rid INTEGER PRIMARY KEY, xmin, c1, c2)")
            conn.execute("CREATE INDEX i20001 ON r20000 (c1)")
        conn.close()
    shm = SharedMemory.create(cluster.shm_path, 20, None)
    from pgemu.storage.locktable import LockTable

    LockTable.create(cluster.locks_path, shm.procarray).close()
    return cluster, shm


class Backend:
    """One transaction manager with its slot."""

    def __init__(self, cluster: Cluster, shm: SharedMemory) -> None:
        self.slot = shm.procarray.claim_slot()
        self.slot.words[2] = DATABASE
        self.conn = open_database(cluster.database_path(DATABASE), cluster.global_path)
        self.lock = WriterLock(cluster.writer_lock_path(DATABASE))
        self.xact = TransactionManager(self.conn, shm, self.slot, DATABASE, self.lock)

    def begin(self, isolation: str = "read committed") -> None:
        self.xact.begin_block()
        self.xact.current.isolation = isolation

    def rows(self) -> list[tuple[Any, ...]]:
        """(c1, c2) as this transaction sees them."""
        snapshot = self.xact.begin_read()
        try:
            text = f"SELECT c1, c2 FROM {TABLE} AS t ORDER BY c1, c2"
            if snapshot.invisible or snapshot.xmax:
                text = overlay_statement(text, dirty_tables(self.conn.execute, [(TABLE, 2)]))
            return self.conn.execute(text).fetchall()
        finally:
            self.xact.end_read()

    def write(self, sql: str, *params: Any) -> None:
        with self.xact.write():
            self.xact.writes_to(TABLE, 2)
            self.conn.execute(sql, params)

    def insert(self, key: int, value: Any) -> None:
        self.write(f"INSERT INTO {TABLE} (xmin, c1, c2) VALUES (pg_xid(), ?, ?)", key, value)

    def update(self, key: int, value: Any) -> None:
        self.write(f"UPDATE {TABLE} SET c2=?, xmin=pg_xid() WHERE c1=?", value, key)

    def delete(self, key: int) -> None:
        self.write(f"DELETE FROM {TABLE} WHERE c1=?", key)

    def count(self, table: str) -> int:
        found = self.conn.execute(f"SELECT count(*) FROM {table}").fetchone()
        return int(found[0]) if found is not None else 0

    def close(self) -> None:
        self.conn.close()
        self.lock.close()


@contextlib.contextmanager
def backends(folder: Path, count: int) -> Iterator[list[Any]]:
    """[cluster, shm, backend, backend ...]"""
    cluster, shm = make_cluster(folder)
    made = [Backend(cluster, shm) for _ in range(count)]
    try:
        yield [cluster, shm, *made]
    finally:
        for one in made:
            with contextlib.suppress(apsw.ConnectionClosedError):
                one.close()
        shm.close()
