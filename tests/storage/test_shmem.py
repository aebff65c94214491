"""Shared memory: numbers are given once, versions change, slots are claimed and freed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pgemu.errors import PgError
from pgemu.storage.procarray import IDLE, XID
from pgemu.storage.shmem import SharedMemory


def make(tmp_path: Path, **options: object) -> SharedMemory:
    return SharedMemory.create(str(tmp_path / "shm"), **options)  # type: ignore[arg-type]


def test_xids_are_given_once_across_processes(tmp_path: Path) -> None:
    shm = make(tmp_path)
    reader, writer = os.pipe()
    pids = []
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            xids = [shm.next_xid() for _ in range(500)]
            os.write(writer, b"".join(x.to_bytes(8, "little") for x in xids))
            os._exit(0)
        pids.append(pid)
    for pid in pids:
        assert os.waitpid(pid, 0)[1] == 0
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        data = pipe.read()
    xids = {data[i : i + 8] for i in range(0, len(data), 8)}
    assert len(xids) == 2000


def test_numbers_go_on_after_a_crash(tmp_path: Path) -> None:
    counters = str(tmp_path / "counters")
    shm = make(tmp_path, counters=counters)
    last_xid = [shm.next_xid() for _ in range(10)][-1]
    last_oid = shm.next_oid()
    again = make(tmp_path, counters=counters)
    assert again.next_xid() > last_xid
    assert again.next_oid() > last_oid
    again.save_counters()
    exact = make(tmp_path, counters=counters)
    assert exact.read_next_xid() == again.read_next_xid()


def test_catalog_versions_are_per_database_and_shared(tmp_path: Path) -> None:
    shm = make(tmp_path)
    five, six = shm.catalog_version(5), shm.catalog_version(6)
    shm.bump_catalog_version(5)
    assert shm.catalog_version(5) != five
    assert shm.catalog_version(6) == six
    shm.bump_catalog_version(0)
    assert shm.catalog_version(6) != six
    shm.forget_database(5)
    assert SharedMemory.open(shm.path).catalog_version(6) == shm.catalog_version(6)


def test_slots(tmp_path: Path) -> None:
    shm = make(tmp_path, max_connections=2)
    one = shm.procarray.claim_slot(101, limit=2)
    two = shm.procarray.claim_slot(102, limit=2)
    with pytest.raises(PgError, match="sorry, too many clients already") as error:
        shm.procarray.claim_slot(103, limit=2)
    assert error.value.sqlstate == "53300"
    one.report_query(b"select 1")
    one.report_activity(IDLE)
    one.application_name = "psql"
    one.words[XID] = 900
    assert (one.state, one.query, one.application_name) == ("idle", "select 1", "psql")
    assert shm.procarray.running_xids() == [900]
    assert shm.procarray.find_by_xid(900) is one
    one.cancel_key = b"abcd"
    assert shm.procarray.find_by_cancel_key(101, b"abcd") is one
    assert shm.procarray.find_by_cancel_key(101, b"abce") is None
    assert shm.procarray.find_by_cancel_key(102, b"") is None
    shm.procarray.release(one)
    assert [slot.pid for slot in shm.procarray.slots()] == [two.pid]
    assert one.cancel_key == b""
