"""Exported snapshots: pg_export_snapshot() and SET TRANSACTION SNAPSHOT (snapmgr.c).

As in PostgreSQL an exported snapshot is a small file, here in the runtime folder, which goes with
the transaction that made it.  Until then that transaction's xmin keeps the undo it needs.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from typing import TYPE_CHECKING, Any

from pgemu.errors import (
    ACTIVE_SQL_TRANSACTION,
    FEATURE_NOT_SUPPORTED,
    INVALID_PARAMETER_VALUE,
    PgError,
)
from pgemu.storage.procarray import XMIN
from pgemu.transam.visibility import Snapshot

if TYPE_CHECKING:
    from pgemu.transam.xact import TransactionManager


# seconds that a statement waits for the recovery of who died between two files
PATIENCE = 1.0


def _path(xact: TransactionManager, name: str) -> str:
    return f"{xact.shm.runtime}/snapshot.{name}"


def export_snapshot(xact: TransactionManager) -> str:
    """ExportSnapshot: the identifier."""
    if xact.savepoints:
        raise PgError(ACTIVE_SQL_TRANSACTION, "cannot export a snapshot from a subtransaction")
    with xact.writer_lock:
        snapshot = xact.fixed_snapshot or xact.publish_snapshot()
    number = len(xact.exported) + 1
    name = f"{xact.slot.number + 1:08X}-{xact.shm.read_next_xid():08X}-{number}"
    predicate = xact.predicate
    data = {
        "invisible": sorted({*snapshot.invisible, xact.xid} - {0}),
        "xmax": snapshot.xmax,
        "database": xact.database,
        "isolation": xact.current.isolation,
        "read_only": xact.current.read_only,
        "last_commit": predicate.last_commit() if predicate is not None else 0,
    }
    with open(_path(xact, name), "w", encoding="ascii") as file:
        json.dump(data, file)
    xact.exported.append(_path(xact, name))
    return name


def import_snapshot(xact: TransactionManager, name: str) -> None:
    """ImportSnapshot: the current transaction sees what the exporting one does."""
    current = xact.current
    if xact.queried or xact.fixed_snapshot is not None or xact.savepoints or xact.xid:
        raise PgError(
            ACTIVE_SQL_TRANSACTION, "SET TRANSACTION SNAPSHOT must be called before any query"
        )
    if current.isolation not in ("repeatable read", "serializable"):
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "a snapshot-importing transaction must have isolation level SERIALIZABLE or "
            "REPEATABLE READ",
        )
    invalid = PgError(INVALID_PARAMETER_VALUE, f'invalid snapshot identifier: "{name}"')
    if not re.fullmatch(r"[0-9A-F-]+", name):
        raise invalid
    with xact.writer_lock:
        try:
            with open(_path(xact, name), encoding="ascii") as file:
                data: dict[str, Any] = json.load(file)
        except FileNotFoundError:
            raise invalid from None
        _check_serializable(xact, data)
        if data["database"] != xact.database:
            raise PgError(
                FEATURE_NOT_SUPPORTED, "cannot import a snapshot from a different database"
            )
        invisible = frozenset(data["invisible"])
        xact.slot.words[XMIN] = min([data["xmax"], *invisible])
        if current.isolation == "serializable" and xact.predicate is not None:
            xact.predicate.register(data["last_commit"])
        xact.fixed_snapshot = Snapshot(invisible, data["xmax"], 0)


def _check_serializable(xact: TransactionManager, data: dict[str, Any]) -> None:
    if xact.current.isolation != "serializable":
        return
    if data["isolation"] != "serializable":
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "a serializable transaction cannot import a snapshot from a non-serializable "
            "transaction",
        )
    if data["read_only"] and not xact.current.read_only:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "a non-read-only serializable transaction cannot import a snapshot from a read-only "
            "transaction",
        )


def forget_exported(paths: list[str]) -> None:
    """The transaction that exported these snapshots has ended."""
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    paths.clear()


def wait_for_safe_snapshot(xact: Any) -> None:
    """READ ONLY DEFERRABLE (GetSafeSnapshot): a snapshot that no writer beside it can make
    inconsistent needs no bookkeeping."""
    while True:
        xact.begin_read()
        xact.end_read()
        if not xact.predicate.number:
            return
        while (safe := xact.predicate.snapshot_is_safe()) is None:
            xact.writer_lock.check_interrupts()
            time.sleep(0.01)
        if safe:
            return
        xact.fixed_snapshot = None
        xact.slot.words[XMIN] = 0


def fix_first_snapshot(xact: Any) -> None:
    """The first statement of a REPEATABLE READ transaction fixes its snapshot, also one that reads
    no table."""
    if xact.current.isolation in ("repeatable read", "serializable") and (
        xact.fixed_snapshot is None and xact.state != "idle"
    ):
        xact.begin_read()
        xact.end_read()


def whole_snapshot(xact: TransactionManager, snapshot: Snapshot) -> Snapshot:
    """A snapshot of a statement that reads shared catalogs, in its SQLite read transaction.  SQLite
    commits main before global.db, and who dies between leaves it so until recovery has been there;
    no statement is to see half of a transaction.  It is waited for, but not for ever."""
    deadline = time.monotonic() + PATIENCE
    while _half_committed(xact) and time.monotonic() < deadline:
        xact.conn.execute("COMMIT")
        time.sleep(0.001)
        xact.conn.execute("BEGIN")
        snapshot = xact.take_snapshot(True)
    return snapshot


def _half_committed(xact: TransactionManager) -> bool:
    """A transaction of this database is over in main and open in global.db."""
    open_there = xact.conn.execute(
        "SELECT xid FROM g._gactive WHERE xid NOT IN (SELECT xid FROM main._active)"
    ).fetchall()
    slots = [xact.shm.procarray.find_by_xid(xid) for (xid,) in open_there]
    return any(slot is not None and slot.database == xact.database for slot in slots)
