"""Heavyweight locks: conflicts, waiting, wake-ups, deadlocks, dead holders."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pgemu.errors import PgError
from pgemu.storage.latch import Latch, LatchSender
from pgemu.storage.lockmgr import LockManager, blocking_pids, lock_rows
from pgemu.storage.locktable import LockTable
from pgemu.storage.locktag import advisory_tag, relation_tag
from pgemu.storage.procarray import XID, Slot
from pgemu.storage.shmem import SharedMemory

TABLE = relation_tag(5, 16384)


class Room:
    """A lock table and processes that use it."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.shm = SharedMemory.create(f"{folder}/shm")
        self.table = LockTable.create(f"{folder}/locks", self.shm.procarray)
        self.pids: list[int] = []
        self.open: list[Latch | LatchSender] = []

    def manager(self) -> tuple[LockManager, Slot]:
        slot = self.shm.procarray.claim_slot()
        latch = Latch(self.folder, slot.number)
        sender = LatchSender(self.folder)
        self.open += [latch, sender]
        return LockManager(self.table, slot.number, latch, sender), slot

    def run(self, body: Callable[[LockManager, Slot], int]) -> int:
        pid = os.fork()
        if pid == 0:
            code = 99
            try:
                code = body(*self.manager())
            finally:
                os._exit(code)
        self.pids.append(pid)
        return pid

    def until_waiting(self, pid: int) -> None:
        deadline = time.monotonic() + 5
        while not blocking_pids(self.table, pid):
            assert time.monotonic() < deadline
            time.sleep(0.002)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(str(tmp_path))
    yield made
    for one in made.open:
        one.close()


def exit_code(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_weak_locks_take_the_fast_path_and_block_strong_ones(room: Room) -> None:
    lm, _ = room.manager()
    assert lm.acquire(TABLE, 1)
    assert [row.fastpath for row in lock_rows(room.table)] == [True]
    pid = room.run(lambda other, slot: int(other.acquire(TABLE, 8, dont_wait=True)))
    assert exit_code(pid) == 0
    pid = room.run(lambda other, slot: int(other.acquire(TABLE, 8)))
    room.until_waiting(pid)
    assert not lm.acquire(TABLE, 3, dont_wait=True)  # queued behind the strong one
    lm.release_all()
    assert exit_code(pid) == 1
    assert lock_rows(room.table)[0].mode == "AccessExclusiveLock"


def test_counts_and_owners(room: Room) -> None:
    lm, _ = room.manager()
    tag = advisory_tag(5, 42)
    lm.acquire(tag, 7, 0)
    lm.acquire(tag, 7, 0)
    lm.acquire(tag, 7, 2)
    lm.promote_owner(2)
    lm.release_all()
    assert lm.release(tag, 7, 0)
    assert lock_rows(room.table)[0].objid == 42
    assert lm.release(tag, 7, 0)
    assert not lm.release(tag, 7, 0)
    assert lock_rows(room.table) == []


def test_waiting_for_a_transaction(room: Room) -> None:
    lm, slot = room.manager()
    slot.words[XID] = 777

    def wait(other: LockManager, own: Slot) -> int:
        other.xact_lock_table_wait(777)
        return 5

    pid = room.run(wait)
    room.until_waiting(pid)
    modes = {(row.mode, row.granted) for row in lock_rows(room.table) if row.transactionid}
    assert modes == {("ExclusiveLock", True), ("ShareLock", False)}
    slot.words[XID] = 0
    lm.transaction_ended(777)
    assert exit_code(pid) == 5


def test_lock_timeout(room: Room) -> None:
    lm, _ = room.manager()
    lm.acquire(TABLE, 8)

    def wait(other: LockManager, own: Slot) -> int:
        other.lock_timeout = 0.05
        try:
            other.acquire(TABLE, 1)
        except PgError as error:
            return int(error.sqlstate == "55P03")
        return 0

    assert exit_code(room.run(wait)) == 1


def test_deadlock_names_the_circle(room: Room) -> None:
    one, two = advisory_tag(5, 1), advisory_tag(5, 2)
    lm, _ = room.manager()
    lm.deadlock_timeout = 0.1
    lm.acquire(one, 7)

    def other(manager: LockManager, own: Slot) -> int:
        manager.deadlock_timeout = 30
        manager.acquire(two, 7)
        manager.acquire(one, 7)
        return 1

    pid = room.run(other)
    room.until_waiting(pid)
    with pytest.raises(PgError, match="deadlock detected") as caught:
        lm.acquire(two, 7)
    me = os.getpid()
    assert caught.value.sqlstate == "40P01"
    assert caught.value.detail == (
        f"Process {me} waits for ExclusiveLock on advisory lock [5,0,2,1]; "
        f"blocked by process {pid}.\n"
        f"Process {pid} waits for ExclusiveLock on advisory lock [5,0,1,1]; "
        f"blocked by process {me}."
    )
    lm.release_all()
    assert exit_code(pid) == 1


def test_a_dead_holder_is_cleaned_up(room: Room) -> None:
    def hold(other: LockManager, own: Slot) -> int:
        other.acquire(TABLE, 1)
        other.acquire(TABLE, 7)
        return own.number

    number = exit_code(room.run(hold))
    lm, _ = room.manager()
    assert not lm.acquire(TABLE, 8, dont_wait=True)
    room.table.release_slot(number)
    room.shm.procarray.release(room.shm.procarray.slot(number))
    assert lm.acquire(TABLE, 8, dont_wait=True)
    lm.release_all()
    assert lm.acquire(TABLE, 1) and lock_rows(room.table)[0].fastpath
