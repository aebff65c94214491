"""Waiting for those who use a table (PostgreSQL's WaitForLockers of lmgr.c and
WaitForOlderSnapshots of indexcmds.c).

CREATE INDEX CONCURRENTLY and its kin do not queue for a strong lock, which would stop everybody
who comes later: they look who holds a lock in their way and wait for those alone.  The wait is a
poll; a word of the slot says for whom (pg_blocking_pids).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from pgemu.catalog.namespace import get_relname_relid
from pgemu.errors import LOCK_NOT_AVAILABLE, PgError
from pgemu.executor.lock_levels import ACCESS_EXCLUSIVE, SHARE, index_table
from pgemu.storage.locktag import LOCK_CONFLICTS
from pgemu.storage.procarray import DATABASE, PID, USER_WORD, XACT_START, XMIN

WAITING_FOR_SLOT = USER_WORD + 2
POLL_SECONDS = 0.002


def wait_for_lockers(session: Any, oid: int, mode: int) -> None:
    """Until nobody is left of those who hold a lock that stands against this mode now; of oid 0,
    a table that does not exist, nobody."""
    locks = session.locks
    if locks is None or not oid:
        return
    conflicts, tag, table = LOCK_CONFLICTS[mode], locks.tag(oid), locks.table

    def holds(slot: int) -> bool:
        with table.lock:
            return bool(table.state(tag).holders.get(slot, 0) & conflicts)

    with table.lock:
        holders = list(table.state(tag).holders)
    for slot in holders:
        if slot != locks.slot and holds(slot):
            _wait(session, slot, holds)


def wait_for_older_snapshots(session: Any) -> None:
    """Until every snapshot of this database that is older than now has gone."""
    if session.locks is None:
        return
    array = session.shm.procarray
    database = session.ctx.database_oid

    def has_snapshot(slot: int) -> bool:
        return bool(array.column(XMIN)[slot])

    now = session.shm.read_next_xid()
    for slot, (xmin, of) in enumerate(zip(array.column(XMIN), array.column(DATABASE), strict=True)):
        if slot != session.locks.slot and of == database and 0 < xmin <= now:
            _wait(session, slot, has_snapshot)


def _wait(session: Any, slot: int, busy: Callable[[int], bool]) -> None:
    array, words = session.shm.procarray, session.slot.words
    started, since = array.column(XACT_START)[slot], time.monotonic()
    timeout = session.locks.lock_timeout
    words[WAITING_FOR_SLOT] = slot + 1
    try:
        while busy(slot) and array.column(XACT_START)[slot] == started:
            session.check_for_interrupts()
            if 0 < timeout <= time.monotonic() - since:
                raise PgError(LOCK_NOT_AVAILABLE, "canceling statement due to lock timeout")
            time.sleep(POLL_SECONDS)
    finally:
        words[WAITING_FOR_SLOT] = 0


def slot_waited_for(array: Any, pid: int) -> list[int]:
    """The pid that a process waits for here; empty: none."""
    found = array.find_by_pid(pid)
    other = found.words[WAITING_FOR_SLOT] if found is not None else 0
    return [array.column(PID)[other - 1]] if other else []


def wait_before(session: Any, tag: str, body: dict[str, Any]) -> None:
    """Before a utility statement does its work, its locks in hand.  PostgreSQL waits once per
    phase: each time for those who may still use the state before it."""
    catalog = session.catalog
    if tag == "IndexStmt" and body.get("concurrent"):
        table = index_table(catalog, body["relation"])
        name = body.get("idxname")
        if name and table and get_relname_relid(catalog, name, catalog.relation(table).namespace):
            return  # refused before the first wait, or passed over
        _wait_twice(session, table, SHARE)
        wait_for_older_snapshots(session)
    elif tag == "AlterTableStmt":
        # what a DETACH CONCURRENTLY that was cancelled has not waited for
        commands = [node["AlterTableCmd"].get("subtype") for node in body.get("cmds", ())]
        if "AT_DetachPartitionFinalize" in commands:
            wait_for_older_snapshots(session)
    elif tag == "DropStmt" and body.get("concurrent"):
        names = body["objects"][0]["List"]["items"]
        _wait_twice(session, index_table(catalog, names), ACCESS_EXCLUSIVE)
    elif tag == "ReindexStmt" and "relation" in body:
        options = {n["DefElem"].get("defname") for n in body.get("params", ())}
        if "concurrently" in options:
            table = index_table(catalog, body["relation"])
            if not table or not _has_indexes(catalog.relation(table)):
                return
            _wait_twice(session, table, SHARE)
            wait_for_older_snapshots(session)
            _wait_twice(session, table, ACCESS_EXCLUSIVE)


def _has_indexes(relation: Any) -> bool:
    """There is something to build again, if only the index of the TOAST table."""
    return bool(relation.relkind == "p" or relation.all_indexes or relation.row.reltoastrelid)


def _wait_twice(session: Any, oid: int, mode: int) -> None:
    wait_for_lockers(session, oid, mode)
    wait_for_lockers(session, oid, mode)
