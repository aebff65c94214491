"""Sequences, latches, writer lock, cluster folders."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from types import FrameType

import apsw
import pytest

from pgemu.errors import PgError
from pgemu.storage.cluster import Cluster, ClusterError
from pgemu.storage.connection import checkpoint, open_database, prepare_file
from pgemu.storage.filecopy import copy_database_files
from pgemu.storage.latch import NOTIFY, Latch, LatchSender
from pgemu.storage.sequence import SequenceFile
from pgemu.storage.template_cache import cached_template
from pgemu.storage.writerlock import WriterLock


def test_sequence_values_and_log_count(tmp_path: Path) -> None:
    file = SequenceFile(str(tmp_path / "5.seq"))
    file.create(100, 1)
    assert file.read(100) == (1, 0, False)
    assert [file.nextval(100, 1, 1, 2**63 - 1) for _ in range(3)] == [1, 2, 3]
    assert file.read(100) == (3, 30, True)
    file.set(100, 9, False)
    assert file.nextval(100, 1, 1, 100) == 9
    assert file.read(100) == (9, 32, True)
    file.create(101, 3)
    assert [file.nextval(101, -2, 0, 3, True) for _ in range(3)] == [3, 1, 3]
    file.create(102, 1)
    assert [file.nextval(102, 1, 1, 2, False, 1, "s") for _ in range(2)] == [1, 2]
    with pytest.raises(PgError, match=r'reached maximum value of sequence "s" \(2\)'):
        file.nextval(102, 1, 1, 2, False, 1, "s")


def test_sequence_cache_growth_and_other_processes(tmp_path: Path) -> None:
    file = SequenceFile(str(tmp_path / "5.seq"))
    other = SequenceFile(str(tmp_path / "5.seq"))
    file.create(7, 1)
    assert [file.nextval(7, 1, 1, 1000, cache=10) for _ in range(3)] == [1, 2, 3]
    assert other.nextval(7, 1, 1, 1000) == 11
    for number in range(1000, 1400):
        other.create(number, number)
    assert file.nextval(1399, 1, 1, 10_000) == 1399
    assert len(file.rows()) == 401
    file.drop(1399)
    assert not other.exists(1399)


def test_messages_that_overflow_keep_their_order(tmp_path: Path) -> None:
    latch = Latch(str(tmp_path), 3)
    sender = LatchSender(str(tmp_path))
    for i in range(2000):
        assert sender.send(3, NOTIFY, str(i).encode())
    latch.drain()
    assert latch.take(NOTIFY) == [str(i).encode() for i in range(2000)]
    assert not latch.wait(0)
    sender.wake(3)
    assert latch.wait(0)
    latch.close()
    assert not sender.wake(3)
    sender.close()
    assert sorted(os.listdir(tmp_path)) == ["lock.mail"]


def test_a_writer_waits_its_turn_and_can_be_interrupted(tmp_path: Path) -> None:
    path = str(tmp_path / "5.lock")
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        WriterLock(path).acquire()
        os.write(writer, b"x")
        time.sleep(0.3)
        os._exit(0)  # dies holding it
    os.read(reader, 1)
    arrived: list[int] = []

    def check() -> None:
        if arrived:
            raise PgError("57014", "canceling statement due to user request")

    def note(number: int, frame: FrameType | None) -> None:
        arrived.append(number)
        WriterLock.interrupt()

    lock = WriterLock(path, check)
    previous = signal.signal(signal.SIGALRM, note)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(PgError):
            lock.acquire()
    finally:
        signal.signal(signal.SIGALRM, previous)
    assert not lock.held
    arrived.clear()
    with lock:
        assert lock.held
    os.waitpid(pid, 0)
    os.close(reader)
    os.close(writer)


def build(folder: str) -> None:
    for name in ("base.db", "global.db"):
        prepare_file(f"{folder}/{name}")


@pytest.fixture
def template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return cached_template("t", build)


def test_template_is_built_once(template: str) -> None:
    def fail(folder: str) -> None:
        raise AssertionError

    assert cached_template("t", fail) == template
    with pytest.raises(AssertionError):
        cached_template("other", fail)
    assert os.listdir(os.path.dirname(template)) == ["t"]


def test_named_cluster_is_locked_and_checked(tmp_path: Path, template: str) -> None:
    data = str(tmp_path / "data")
    cluster, fresh = Cluster.open_or_create(data, lambda: template)
    assert fresh and cluster.database_oids() == [1, 4, 5]
    pid = os.fork()
    if pid == 0:
        try:
            Cluster.open_or_create(data, lambda: template)
        except ClusterError as error:
            os._exit(0 if f"in use by another server (PID {os.getppid()})" in str(error) else 2)
        os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0
    runtime = cluster.runtime
    cluster.close()
    assert not os.path.exists(runtime) and not os.path.exists(cluster.lock_path)
    (tmp_path / "data" / "PG_VERSION").write_text("14\n")
    with pytest.raises(ClusterError, match="is of version 14, this server is of version 15"):
        Cluster.open_or_create(data, lambda: template)


def test_foreign_folders_are_not_touched(tmp_path: Path, template: str) -> None:
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.tex").write_text("x")
    with pytest.raises(ClusterError, match="is not a data folder of pgemu"):
        Cluster.open_or_create(str(foreign), lambda: template)
    assert os.listdir(foreign) == ["thesis.tex"]
    (foreign / "PG_VERSION").write_text("15\n")
    with pytest.raises(ClusterError, match="of PostgreSQL 15 itself"):
        Cluster.open_or_create(str(foreign), lambda: template)


def test_ephemeral_cluster_vanishes(template: str) -> None:
    cluster = Cluster.create_ephemeral(template)
    assert os.path.exists(cluster.global_path)
    cluster.close()
    assert not os.path.exists(cluster.data)


def test_copy_of_a_live_database(tmp_path: Path) -> None:
    source, shared, copy = (str(tmp_path / name) for name in ("a.db", "g.db", "b.db"))
    prepare_file(source)
    prepare_file(shared)
    live = open_database(source, shared)
    live.execute("CREATE TABLE t(a); INSERT INTO t VALUES (1), (2)").fetchall()
    copy_database_files(source, copy)
    other = open_database(copy, shared)
    assert other.execute("SELECT sum(a) FROM t").fetchall() == [(3,)]
    assert other.execute("PRAGMA main.synchronous").fetchall() == [(0,)]
    assert checkpoint(source)[0] > 0
    live.close()
    other.close()
    assert isinstance(live, apsw.Connection)
