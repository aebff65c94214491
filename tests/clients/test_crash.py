"""kill -9 at any moment: nothing committed is lost, nothing else shown, nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psycopg
import pytest

from pgemu.testing import PgemuServer


@pytest.fixture(autouse=True)
def only_pgemu(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--server-dsn"):
        pytest.skip("kills the server: pgemu only")


def children(pid: int) -> list[int]:
    """Process ids of all descendants."""
    found: list[int] = []
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return found
    for child in map(int, listed):
        found += [child, *children(child)]
    return found


def gone(pids: list[int], seconds: float = 10.0) -> list[int]:
    """Those of the processes that are still alive after a while (zombies count as gone)."""
    deadline = time.monotonic() + seconds
    alive = pids
    while alive and time.monotonic() < deadline:
        alive = [pid for pid in alive if is_running(pid)]
        time.sleep(0.05)
    return alive


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_kill_9_of_a_backend_rolls_back(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as watcher:
        watcher.execute("create table t (a int primary key)")
        watcher.execute("insert into t values (1)")
        victim = psycopg.connect(dsn)
        victim.execute("insert into t values (2)")
        victim.execute("update t set a = 10 where a = 1")
        os.kill(victim.info.backend_pid, signal.SIGKILL)
        with pytest.raises(psycopg.OperationalError):
            victim.execute("select 1")
        victim.close()
        watcher.execute("set lock_timeout = '10s'")
        watcher.execute("insert into t values (2)")
        assert watcher.execute("select a from t order by a").fetchall() == [(1,), (2,)]
        watcher.execute("update t set a = 11 where a = 1")
        assert watcher.execute("select count(*) from pg_locks where granted").fetchone() is not None


def test_kill_9_of_the_server_keeps_what_was_committed(tmp_path: Path) -> None:
    server = PgemuServer(data=tmp_path / "data").start()
    pids = [server.pid, *children(server.pid)]
    connection = psycopg.connect(server.dsn)
    connection.execute("create table t (a int primary key, b text)")
    connection.execute("create sequence s")
    connection.execute("insert into t select g, 'x' from generate_series(1, 100) g")
    connection.execute("select nextval('s') from generate_series(1, 5)")
    connection.commit()
    connection.execute("update t set b = 'lost'")
    connection.execute("insert into t values (1000, 'lost')")
    connection.execute("create table lost (a int)")
    pids += children(server.pid)
    os.kill(server.pid, signal.SIGKILL)
    assert gone(pids) == []
    connection.close()
    server.kill()
    with PgemuServer(data=tmp_path / "data") as again, psycopg.connect(again.dsn) as connection:
        assert connection.execute("select count(*), min(b), max(a) from t").fetchone() == (
            100,
            "x",
            100,
        )
        assert connection.execute("select to_regclass('lost')").fetchone() == (None,)
        value = connection.execute("select nextval('s')").fetchone()
        assert value is not None and value[0] > 5
        connection.execute("insert into t values (1000, 'new')")


def test_kill_9_while_writing(tmp_path: Path) -> None:
    """What a client was told is committed is there; a row that is there is whole."""
    server = PgemuServer(data=tmp_path / "data").start()
    committed: list[int] = []
    with psycopg.connect(server.dsn, autocommit=True) as setup:
        setup.execute("create table t (a int primary key, b int)")

    def write() -> None:
        try:
            with psycopg.connect(server.dsn) as connection:
                for i in range(100_000):
                    connection.execute("insert into t values (%s, 1)", (i,))
                    connection.execute("update t set b = 2 where a = %s", (i,))
                    connection.commit()
                    committed.append(i)
        except psycopg.OperationalError:
            return

    thread = threading.Thread(target=write)
    thread.start()
    time.sleep(0.7)
    os.kill(server.pid, signal.SIGKILL)
    thread.join()
    server.kill()
    with PgemuServer(data=tmp_path / "data") as again, psycopg.connect(again.dsn) as connection:
        found = [row[0] for row in connection.execute("select a from t where b = 2 order by a")]
        assert set(committed) <= set(found)
        assert len(found) <= len(committed) + 1
        assert connection.execute("select count(*) from t where b <> 2").fetchone() == (0,)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGKILL])
def test_nothing_is_left_behind(
    how: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGEMU_TMPDIR", str(tmp_path))
    server = PgemuServer().start()
    connection = psycopg.connect(server.dsn, autocommit=True)
    connection.execute("create table t (a int)")
    pids = [server.pid, *children(server.pid)]
    assert len(pids) > 1
    if how is signal.SIGTERM:
        connection.close()  # smart shutdown waits for clients
    os.kill(server.pid, how)
    assert gone(pids) == []
    connection.close()
    server.stop()
    if how is not signal.SIGKILL:
        assert sorted(tmp_path.iterdir()) == []
    else:  # the next start removes what a killed server could not
        PgemuServer().start().stop()
        assert sorted(tmp_path.iterdir()) == []


def test_server_dies_with_its_parent() -> None:
    script = (
        "import os, signal, sys\n"
        "from pgemu.testing import PgemuServer\n"
        "server = PgemuServer().start()\n"
        "print(server.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, env=env
    )
    assert gone([int(done.stdout)]) == []
