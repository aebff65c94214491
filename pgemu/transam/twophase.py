"""Prepared transactions (PostgreSQL's twophase.c): PREPARE TRANSACTION and its two ends.

The rows of a prepared transaction stay what they are: undo, and a row in `_active`.  What only its
backend knew (gid, owner, table locks) goes to a file in pg_twophase, as in PostgreSQL; as long as
it is there, recovery leaves the xid alone.  In shared memory a slot without a process stands for
it, so that its xid and its locks are found where those of all others are.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from pgemu.storage.cluster import Cluster
from pgemu.storage.filecopy import sync_folder
from pgemu.storage.locktable import HOLD, LockTable
from pgemu.storage.locktag import LockTag
from pgemu.storage.procarray import DATABASE, PREPARED_PIDS, ROLE, XID, Slot
from pgemu.storage.shmem import SharedMemory
from pgemu.transam.schema import prefix
from pgemu.transam.undo import roll_back_transaction
from pgemu.transam.xact import IDLE, TransactionManager


@dataclass(slots=True)
class PreparedXact:
    """locks: (first and second half of the tag, mode); schemas: the files it has written to;
    serializable: its number among the serializable transactions, 0: none."""

    gid: str
    xid: int
    prepared_at: int
    owner: int
    database: int
    schemas: list[str]
    catalog_changed: bool = False
    shared_changed: bool = False
    serializable: int = 0
    locks: list[tuple[int, int, int]] = field(default_factory=list)


# -- the files -----------------------------------------------------------------------------------


def _folder(cluster: Cluster) -> str:
    return f"{cluster.data}/pg_twophase"


def _path(cluster: Cluster, xid: int) -> str:
    return f"{_folder(cluster)}/{xid:08X}"


def prepared_xacts(cluster: Cluster) -> list[PreparedXact]:
    """All of the cluster, by xid."""
    try:
        names = sorted(os.listdir(_folder(cluster)))
    except FileNotFoundError:
        return []
    found = []
    for name in names:
        if "." in name:  # was being written
            continue
        try:
            with open(f"{_folder(cluster)}/{name}", encoding="utf-8") as file:
                found.append(PreparedXact(**json.load(file)))
        except FileNotFoundError:
            continue  # finished a moment ago
    return found


def save(cluster: Cluster, prepared: PreparedXact) -> None:
    """From here on the transaction survives everything."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(_folder(cluster), mode=0o700)
        sync_folder(cluster.data)
    path = _path(cluster, prepared.xid)
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(asdict(prepared), file)
        file.flush()
        os.fsync(file.fileno())
    os.rename(path + ".new", path)
    sync_folder(_folder(cluster))


def remove(cluster: Cluster, xid: int) -> None:
    os.unlink(_path(cluster, xid))


# -- shared memory -------------------------------------------------------------------------------


def claim_slot(shm: SharedMemory) -> Slot:
    """The slot that stands for a prepared transaction (its dummy PGPROC)."""
    slot = shm.procarray.claim_slot(PREPARED_PIDS, 0)
    slot.words[0] = PREPARED_PIDS + slot.number
    return slot


def occupy(table: LockTable, slot: Slot, prepared: PreparedXact) -> None:
    """Give the slot the transaction's xid and its locks (the backend still holds them too)."""
    words = slot.words
    words[DATABASE], words[ROLE], words[XID] = prepared.database, prepared.owner, prepared.xid
    with table.lock:
        for a, b, mode in prepared.locks:
            tag = LockTag(a, b)
            at = table.find(tag, slot.number) or table.make(tag, slot.number)
            table.words[at + HOLD] |= 1 << mode
            table.settle(at)


def vacate(shm: SharedMemory, table: LockTable, xid: int) -> list[int]:
    """The transaction has ended; the slots to wake."""
    slot = shm.procarray.find_by_xid(xid)
    if slot is None:
        return []
    slot.words[XID] = 0
    woken = table.release_slot(slot.number)
    shm.procarray.release(slot)
    return woken


# -- the transaction -----------------------------------------------------------------------------


def prepare(xact: TransactionManager) -> None:
    """Everything of COMMIT that may fail; all is in the files afterwards."""
    with xact.write():
        xact.run_before_commit()
        if xact.predicate is not None:
            xact.predicate.pre_commit()
    for schema in sorted(xact.registered):
        xact.sync(schema, order=True)


def finish(xact: TransactionManager, prepared: PreparedXact, *, commit: bool) -> None:
    """COMMIT PREPARED or ROLLBACK PREPARED, as far as files are concerned."""
    assert xact.state == IDLE
    if commit:
        _commit(xact, prepared)
        xact.sync("main", order=True)  # else its file would be gone, and the transaction with it
        return
    if "g" in prepared.schemas:  # first, see recovery.py
        with xact.undoing(shared=True):
            roll_back_transaction(xact.conn, prepared.xid, ["g"])
        xact.sync("g", order=True)
    with xact.undoing():
        names = _pending(xact, prepared.xid, "abort")
        indexes = _pending(xact, prepared.xid, "restore")
        roll_back_transaction(xact.conn, prepared.xid, ["main"])
        for sql in indexes:
            xact.restore_index(sql, names)
        xact.drop_storage(names)


def _pending(xact: TransactionManager, xid: int, what: str) -> list[str]:
    rows: Iterable[Any] = xact.conn.execute(
        "SELECT name FROM main._pending WHERE xid=? AND what=?", (xid, what)
    ).fetchall()
    return [row[0] for row in rows]


def _commit(xact: TransactionManager, prepared: PreparedXact) -> None:
    key = (prepared.xid,)
    with xact.undoing(shared="g" in prepared.schemas):
        keep_undo = xact.snapshots_held()
        for schema in prepared.schemas:
            p = f"{schema}.{prefix(schema)}"
            xact.conn.execute(f"DELETE FROM {p}active WHERE xid=?", key)
            xact.conn.execute(f"DELETE FROM {p}rowlock WHERE xid=?", key)
            if not keep_undo:
                xact.conn.execute(f"DELETE FROM {p}undo WHERE xid=?", key)
        names = _pending(xact, prepared.xid, "commit")
        xact.conn.execute("DELETE FROM main._pending WHERE xid=?", key)
        xact.drop_storage(names)


# -- a new start of the server -------------------------------------------------------------------


def recover(cluster: Cluster, shm: SharedMemory) -> None:
    """Slots and locks of the transactions that were prepared when the server went."""
    found = prepared_xacts(cluster)
    if not found:
        return
    table = LockTable(cluster.locks_path, shm.procarray)
    try:
        for prepared in found:
            occupy(table, claim_slot(shm), prepared)
    finally:
        table.close()
