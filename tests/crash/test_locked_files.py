"""SQLite's own locks are held by somebody who does not hold ours: a process that is being killed, a
checkpoint, SQLite's recovery of the WAL index.  Statements wait until that has passed, and who does
not write to global.db does not care who writes there.
"""

from __future__ import annotations

import contextlib
import fcntl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import apsw
import psycopg
import pytest

from pgemu.testing import PgemuServer

Conn = psycopg.Connection[tuple[object, ...]]
HELD = 0.15  # seconds
SETTINGS = {"max_prepared_transactions": "3", "deadlock_timeout": "50ms"}
MODIFYING_CTE = (
    "WITH changed AS (UPDATE t SET b = b + 1 WHERE a = 1 RETURNING a) "
    "INSERT INTO log SELECT a FROM changed"
)
SETUP = """
CREATE TABLE t (a int PRIMARY KEY, b int);
CREATE TABLE child (a int REFERENCES t);
CREATE TABLE log (a int);
CREATE TABLE shared_log (a int, roles int);
INSERT INTO t SELECT g, 0 FROM generate_series(1, 10) AS g;
"""

# what runs before the file is locked, and what meets the lock
STATEMENTS = [
    ((), "UPDATE t SET b = b + 1 WHERE a = 2"),
    ((), "INSERT INTO child VALUES (1)"),
    ((), "INSERT INTO log SELECT a FROM t"),
    ((), MODIFYING_CTE),
    ((), "CREATE TABLE made (a serial PRIMARY KEY); DROP TABLE made"),
    ((), "CREATE ROLE made; DROP ROLE made"),
    ((), "GRANT SELECT ON t TO pg_monitor"),
    ((), "TRUNCATE log"),
    ((), "BEGIN; SELECT * FROM t WHERE a = 3 FOR UPDATE; COMMIT"),
    ((), "BEGIN ISOLATION LEVEL REPEATABLE READ; TABLE t; UPDATE t SET b = 1; ROLLBACK"),
    ((), "SELECT count(*) FROM t, pg_roles"),
    (("BEGIN",), "UPDATE t SET b = b + 1 WHERE a = 4"),
    (("BEGIN", "UPDATE t SET b = 1 WHERE a = 4"), "COMMIT"),
    (("BEGIN", "UPDATE t SET b = 1 WHERE a = 4"), "ROLLBACK"),
    (("BEGIN", "CREATE ROLE made"), "COMMIT"),
    (("BEGIN", "CREATE ROLE made2"), "ROLLBACK"),
    (("BEGIN", "SAVEPOINT s", "CREATE ROLE made2", "UPDATE t SET b = 2"), "ROLLBACK TO s"),
    (("BEGIN", "CREATE ROLE made3", "UPDATE t SET b = 3"), "PREPARE TRANSACTION 'p'"),
    (("BEGIN", "CREATE ROLE made3", "PREPARE TRANSACTION 'p'"), "COMMIT PREPARED 'p'"),
    (("BEGIN", "CREATE ROLE made3", "PREPARE TRANSACTION 'p'"), "ROLLBACK PREPARED 'p'"),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("locked") / "data"


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[PgemuServer]:
    with PgemuServer(data=data, settings=SETTINGS) as server:
        with connect(server) as conn:
            conn.execute(SETUP)
        yield server


def connect(server: PgemuServer) -> Conn:
    return psycopg.connect(server.dsn, autocommit=True)


def database_file(data: Path, conn: Conn) -> Path:
    row = conn.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
    assert row is not None
    return data / "base" / f"{row[0]}.db"


@contextlib.contextmanager
def locked(path: Path, seconds: float = HELD) -> Iterator[None]:
    """SQLite's write lock of the file is held by this process, for so long."""
    holding, over = threading.Event(), threading.Event()

    def hold() -> None:
        with contextlib.closing(apsw.Connection(str(path))) as conn:
            conn.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            conn.set_busy_timeout(10_000)
            conn.execute("BEGIN IMMEDIATE")
            holding.set()
            over.wait(seconds)
            conn.execute("ROLLBACK")

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert holding.wait(15)
        yield
    finally:
        over.set()
        holder.join()


@pytest.mark.parametrize("name", ["main", "global"])
def test_statements_wait_for_a_locked_file(server: PgemuServer, data: Path, name: str) -> None:
    with connect(server) as conn, connect(server) as other:
        path = database_file(data, conn) if name == "main" else data / "global.db"
        for before, statement in STATEMENTS:
            for _ in range(2):  # the second time there is a plan, and the tables are prepared
                for step in before:
                    conn.execute(step)
                other.execute("INSERT INTO log VALUES (0)")  # now nothing stands any more
                try:
                    with locked(path):
                        conn.execute(statement)
                except psycopg.Error as error:
                    raise AssertionError(f"{statement} after {before}") from error
                if conn.info.transaction_status:
                    conn.execute("ROLLBACK")
                clean_up(conn)


def clean_up(conn: Conn) -> None:
    for (gid,) in conn.execute("SELECT gid FROM pg_prepared_xacts").fetchall():
        conn.execute(f"ROLLBACK PREPARED '{gid}'")
    for (role,) in conn.execute("SELECT rolname FROM pg_roles WHERE rolname ~ '^made'").fetchall():
        conn.execute(f"DROP ROLE {role}")


def test_a_statement_that_slept_waits_for_a_locked_file(server: PgemuServer, data: Path) -> None:
    with connect(server) as first, connect(server) as second:
        path = database_file(data, first)
        for statement in ("UPDATE t SET b = b + 1", MODIFYING_CTE, "SELECT * FROM t FOR UPDATE"):
            for block in ("", "BEGIN;"):
                first.execute("BEGIN; UPDATE t SET b = 0 WHERE a = 1")
                outcome: list[object] = []

                def run(sql: str, outcome: list[object]) -> None:
                    try:
                        outcome.append(second.execute(sql).statusmessage)
                    except psycopg.Error as error:
                        outcome.append(error)

                sleeper = threading.Thread(target=run, args=(block + statement, outcome))
                sleeper.start()
                time.sleep(0.2)
                first.execute("ROLLBACK")
                with locked(path):
                    sleeper.join(10)
                assert isinstance(outcome[0], str), f"{statement}: {outcome}"
                second.execute("ROLLBACK")


def test_who_does_not_write_to_global_db_does_not_care_who_does(
    server: PgemuServer, data: Path
) -> None:
    """Nor does he when it changes after he has read it."""
    sleeping = (
        "WITH changed AS (UPDATE t SET b = b + 1 WHERE a = 1 RETURNING a) INSERT INTO shared_log "
        "SELECT a, (SELECT count(*) FROM pg_authid) + length(pg_sleep(0.5)::text) FROM changed"
    )
    with connect(server) as conn, connect(server) as other:
        other.execute("CREATE DATABASE elsewhere")
        conn.execute(sleeping)
        with locked(data / "global.db", 5):
            start = time.monotonic()
            conn.execute(sleeping)
            assert time.monotonic() - start < 3
        failures: list[BaseException] = []

        def run() -> None:
            try:
                conn.execute(sleeping)
            except psycopg.Error as error:
                failures.append(error)

        with psycopg.connect(server.dsn, dbname="elsewhere", autocommit=True) as elsewhere:
            elsewhere.execute("CREATE ROLE made4; DROP ROLE made4")
            thread = threading.Thread(target=run)
            thread.start()
            for _ in range(10):
                elsewhere.execute("CREATE ROLE made4; DROP ROLE made4")
                time.sleep(0.05)
            thread.join()
        assert not failures


@contextlib.contextmanager
def recovering(path: Path) -> Iterator[None]:
    """The WAL index is damaged, as by a process that died between writing the two copies of its
    header, and somebody else is busy with making it anew."""
    with open(f"{path}-shm", "r+b", buffering=0) as index:
        index.seek(8)  # iChange of the first copy
        index.write(b"\xff\xff\xff\x7f")
        fcntl.lockf(index, fcntl.LOCK_EX, 3, 120)  # WAL_WRITE_LOCK to WAL_RECOVER_LOCK
        timer = threading.Timer(HELD, fcntl.lockf, (index, fcntl.LOCK_UN, 3, 120))
        timer.start()
        try:
            yield
        finally:
            timer.join()


@pytest.mark.parametrize("name", ["main", "global"])
def test_everybody_waits_for_the_recovery_of_the_wal_index(
    server: PgemuServer, data: Path, name: str
) -> None:
    with connect(server) as conn, connect(server) as other:
        path = database_file(data, conn) if name == "main" else data / "global.db"
        conn.execute("UPDATE t SET b = 100 WHERE a = 1")
        for statement in (
            "SELECT b FROM t, (SELECT count(*) FROM pg_authid) AS roles WHERE a = 1",
            "UPDATE t SET b = b WHERE a = 1 RETURNING b",
            "WITH u AS (UPDATE t SET b = b WHERE a = 1 RETURNING b) SELECT b FROM u",
        ):
            for session in (conn, other, conn):
                with recovering(path):
                    assert session.execute(statement).fetchone() == (100,)
        with recovering(path), connect(server) as new:
            assert new.execute("SELECT b FROM t WHERE a = 1").fetchone() == (100,)
        for _ in range(6):
            with recovering(path), psycopg.connect(server.dsn, dbname="template1") as new:
                assert new.execute("SELECT 1").fetchone() == (1,)
        with recovering(path):
            conn.execute("CREATE ROLE made5; DROP ROLE made5")
