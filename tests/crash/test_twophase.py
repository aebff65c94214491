"""Prepared transactions: they survive kill -9 of the server with their rows and their locks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pgemu.testing import PgemuServer
from tests.crash.dying_server import DyingServer

SETTINGS = {"max_prepared_transactions": "3"}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def server(data: Path) -> Iterator[PgemuServer]:
    server = PgemuServer(data=data, settings=SETTINGS).start()
    try:
        yield server
    finally:
        server.kill()


def connect(server: PgemuServer) -> psycopg.Connection:
    return psycopg.connect(server.dsn, autocommit=True)


def prepare(conn: psycopg.Connection, gid: str, *statements: str) -> None:
    conn.execute("BEGIN")
    for statement in statements:
        conn.execute(statement)
    conn.execute(f"PREPARE TRANSACTION '{gid}'")


@pytest.mark.parametrize("moment", ["saved", "occupied"])
def test_survives_the_death_of_its_backend(data: Path, moment: str) -> None:
    dying = DyingServer(data=data, settings=SETTINGS)
    dying.death_file = f"{data}.death"
    with dying, connect(dying) as conn:
        conn.execute("CREATE TABLE t (a int PRIMARY KEY, b int)")
        conn.execute("INSERT INTO t VALUES (1, 10)")
        victim = connect(dying)
        dying.kill_at(victim.info.backend_pid, 10**9, moment)
        with pytest.raises(psycopg.OperationalError):
            prepare(victim, "kept", "UPDATE t SET b = 11", "INSERT INTO t VALUES (2, 20)")
        dying.disarm()
        conn.execute("SET lock_timeout = '100ms'")
        for statement in ("UPDATE t SET b = 0 WHERE a = 1", "TRUNCATE t"):
            with pytest.raises(psycopg.errors.LockNotAvailable):
                conn.execute(statement)
        assert conn.execute("SELECT gid FROM pg_prepared_xacts").fetchall() == [("kept",)]
        conn.execute("COMMIT PREPARED 'kept'")
        assert conn.execute("SELECT a, b FROM t ORDER BY a").fetchall() == [(1, 11), (2, 20)]
        conn.execute("TRUNCATE t")


@pytest.mark.parametrize("moment", ["finished", "removed"])
@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
def test_its_end_survives_the_death_of_who_ended_it(data: Path, moment: str, end: str) -> None:
    dying = DyingServer(data=data, settings=SETTINGS)
    dying.death_file = f"{data}.death"
    with dying, connect(dying) as conn:
        conn.execute("CREATE TABLE t (a int PRIMARY KEY, b int)")
        conn.execute("INSERT INTO t VALUES (1, 10)")
        prepare(conn, "p", "UPDATE t SET b = 11", "CREATE ROLE made", "ALTER TABLE t ADD c int")
        victim = connect(dying)
        dying.kill_at(victim.info.backend_pid, 10**9, moment)
        with pytest.raises(psycopg.OperationalError):
            victim.execute(f"{end} PREPARED 'p'")
        dying.disarm()
        conn.execute("SET lock_timeout = '2s'")
        conn.execute("UPDATE t SET a = a")
        assert conn.execute("SELECT gid FROM pg_prepared_xacts").fetchall() == []
        roles = conn.execute("SELECT count(*) FROM pg_roles WHERE rolname = 'made'").fetchone()
        found = conn.execute("SELECT * FROM t").fetchall()
        assert (found, roles) == (([(1, 11, None)], (1,)) if end == "COMMIT" else ([(1, 10)], (0,)))


def test_survives_a_crash(server: PgemuServer, data: Path) -> None:
    with connect(server) as conn:
        conn.execute("CREATE TABLE t (a int PRIMARY KEY, b int)")
        conn.execute("INSERT INTO t VALUES (1, 10), (2, 20)")
        prepare(conn, "kept", "UPDATE t SET b = 11 WHERE a = 1", "CREATE TABLE u (x int)")
        prepare(conn, "gone", "DELETE FROM t WHERE a = 2", "CREATE TABLE v (x int)")
        assert conn.execute("SELECT a, b FROM t ORDER BY a").fetchall() == [(1, 10), (2, 20)]
    server.kill()
    again = PgemuServer(data=data, settings=SETTINGS).start()
    try:
        with connect(again) as conn:
            found = conn.execute("SELECT gid FROM pg_prepared_xacts ORDER BY gid").fetchall()
            assert found == [("gone",), ("kept",)]
            conn.execute("SET lock_timeout = '100ms'")
            for statement in ("UPDATE t SET b = 0 WHERE a = 1", "DROP TABLE t"):
                with pytest.raises(psycopg.errors.LockNotAvailable):
                    conn.execute(statement)
            conn.execute("COMMIT PREPARED 'kept'")
            conn.execute("ROLLBACK PREPARED 'gone'")
            assert conn.execute("SELECT a, b FROM t ORDER BY a").fetchall() == [(1, 11), (2, 20)]
            assert conn.execute("SELECT to_regclass('u'), to_regclass('v')").fetchone() == (
                "u",
                None,
            )
            conn.execute("UPDATE t SET b = 0")
    finally:
        again.kill()


def test_refusals(server: PgemuServer) -> None:
    with connect(server) as conn:
        conn.execute("CREATE TABLE t (a int)")
        prepare(conn, "one", "INSERT INTO t VALUES (1)")
        with pytest.raises(psycopg.errors.DuplicateObject):
            prepare(conn, "one", "INSERT INTO t VALUES (2)")
        assert conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        with pytest.raises(psycopg.errors.UndefinedObject):
            conn.execute("COMMIT PREPARED 'two'")
        conn.execute("BEGIN")
        with pytest.raises(psycopg.errors.ActiveSqlTransaction):
            conn.execute("COMMIT PREPARED 'one'")
        conn.execute("ROLLBACK")
        conn.execute("COMMIT PREPARED 'one'")
        assert conn.execute("SELECT a FROM t").fetchall() == [(1,)]


def test_disabled_by_default(tmp_path: Path) -> None:
    with PgemuServer() as server, connect(server) as conn:
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
            prepare(conn, "x")
        assert conn.execute("SELECT 1").fetchone() == (1,)
