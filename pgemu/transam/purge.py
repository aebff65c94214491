"""The purger: deletes undo that no snapshot needs any more (PostgreSQL's autovacuum).

A commit removes its own undo unless a REPEATABLE READ snapshot is open somewhere; what is kept then
is taken away here.  The oldest snapshot is looked up inside the SQLite write transaction: who fixes
a snapshot later publishes it first, and then sees what this transaction has left.
"""

from __future__ import annotations

import os

import apsw

from pgemu.storage.cluster import Cluster
from pgemu.storage.procarray import DATABASE, XID, XMIN
from pgemu.storage.shmem import SharedMemory
from pgemu.storage.writerlock import WriterLock
from pgemu.transam.schema import prefix

OPTIMIZE_EVERY = 60  # purges of a database in use between two PRAGMA optimize
_PURGES = 1  # the word of the database's entry in shared memory that counts them
_FLAGS = apsw.SQLITE_OPEN_READWRITE


def purge(cluster: Cluster, shm: SharedMemory) -> None:
    """One round over all databases that have been written to."""
    connected = set(shm.procarray.column(DATABASE))
    for database in cluster.database_oids():
        path = cluster.database_path(database)
        if os.path.exists(path + "-wal"):
            _purge_file(cluster, shm, path, database)
            _recover_orphans(cluster, shm, path, database)
            if database in connected and _time_to_optimize(shm, database):
                _optimize(cluster, path, database)
    if os.path.exists(cluster.global_path + "-wal"):
        _purge_file(cluster, shm, cluster.global_path, 0)


def _open(path: str) -> apsw.Connection:
    conn = apsw.Connection(path, flags=_FLAGS)
    conn.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    conn.set_busy_timeout(1000)
    return conn


def _purge_file(cluster: Cluster, shm: SharedMemory, path: str, database: int) -> None:
    try:
        conn = _open(path)
    except apsw.CantOpenError:
        return  # dropped a moment ago
    lock = WriterLock(cluster.writer_lock_path(database))
    try:
        p = prefix("main" if database else "g")
        if conn.execute(f"SELECT 1 FROM {p}undo LIMIT 1").fetchone() is None:
            return
        lock.acquire()
        conn.execute("BEGIN IMMEDIATE")
        oldest = oldest_snapshot(shm)
        conn.execute(
            f"DELETE FROM {p}undo WHERE xid<? AND xid NOT IN (SELECT xid FROM {p}active)",
            (oldest,),
        )
        conn.execute("COMMIT")
    except apsw.BusyError:
        return  # the next round will do
    finally:
        conn.close()
        lock.close()


def _recover_orphans(cluster: Cluster, shm: SharedMemory, path: str, database: int) -> None:
    """Nothing that nobody owns may stay open: rows would be waited for for ever."""
    try:
        conn = _open(path)
    except apsw.CantOpenError:
        return
    try:
        running = set(shm.procarray.column(XID))
        orphans = [x for (x,) in conn.execute("SELECT xid FROM _active") if x not in running]
        if orphans:
            from pgemu.transam.recovery import recover_orphans

            recover_orphans(cluster, shm, database)
    except apsw.BusyError:
        return  # the next round will do
    finally:
        conn.close()


def oldest_snapshot(shm: SharedMemory) -> int:
    """Undo of committed xids before this one is needed by nobody."""
    xmins = [xmin for xmin in shm.procarray.column(XMIN) if xmin]
    return min(xmins, default=2**62)


def _time_to_optimize(shm: SharedMemory, database: int) -> bool:
    return shm.add_database_note(database, _PURGES, 1) % OPTIMIZE_EVERY == 0


def _optimize(cluster: Cluster, path: str, database: int) -> None:
    """Statistics for SQLite's planner, of tables that have changed much."""
    from pgemu.transam.recovery import equip

    lock = WriterLock(cluster.writer_lock_path(database))
    conn = _open(path)
    try:
        equip(conn)
        lock.acquire()
        conn.execute("PRAGMA analysis_limit=400;PRAGMA optimize").fetchall()
    except (apsw.BusyError, apsw.SQLError):
        return  # an index with functions of a session: no statistics for now
    finally:
        conn.close()
        lock.close()
