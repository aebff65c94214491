"""Sessions in each other's way: row waits, keys, locks, deadlocks, timeouts, notifications.

Statements run against a real server; what is asserted holds on PostgreSQL 15 (--server-dsn).
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

Conn = psycopg.Connection[tuple[Any, ...]]


class Later(threading.Thread):
    """A statement in the background.  result() waits for its status, or SQLSTATE and message."""

    def __init__(self, conn: Conn, sql: str) -> None:
        super().__init__(daemon=True)
        self.conn, self.sql = conn, sql
        self.outcome: Any = None
        self.start()

    def run(self) -> None:
        try:
            self.outcome = self.conn.execute(self.sql).statusmessage
        except psycopg.Error as error:
            self.outcome = (error.sqlstate, str(error))

    @property
    def waits(self) -> bool:
        self.join(0.15)
        return self.is_alive()

    def result(self) -> Any:
        self.join(10)
        assert not self.is_alive(), f"still waiting: {self.sql}"
        return self.outcome


@pytest.fixture
def sessions(dsn: str) -> Iterator[list[Conn]]:
    with contextlib.ExitStack() as stack:
        made = [psycopg.connect(dsn, autocommit=True) for _ in range(3)]
        for conn in made:
            stack.enter_context(contextlib.closing(conn))
        made[0].execute("CREATE TABLE t (id int PRIMARY KEY, v int)")
        made[0].execute("INSERT INTO t VALUES (1, 10), (2, 20), (3, 30)")
        made[0].execute("CREATE TABLE p (id int PRIMARY KEY, n int)")
        made[0].execute("CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p)")
        made[0].execute("INSERT INTO p VALUES (1, 0), (2, 0), (3, 0)")
        yield made


def refused(conn: Conn, sql: str) -> str | None:
    with pytest.raises(psycopg.Error) as caught:
        conn.execute(sql)
    return caught.value.sqlstate


def test_an_update_waits_and_runs_again(sessions: list[Conn]) -> None:
    a, b, _ = sessions
    a.execute("BEGIN")
    a.execute("UPDATE t SET v = 100 WHERE id = 1")
    assert b.execute("SELECT v FROM t WHERE id = 1").fetchall() == [(10,)]
    later = Later(b, "UPDATE t SET v = v + 1 WHERE id = 1")
    assert later.waits
    assert Later(sessions[2], "UPDATE t SET v = 0 WHERE id = 2").result() == "UPDATE 1"
    a.execute("COMMIT")
    assert later.result() == "UPDATE 1"
    assert a.execute("SELECT v FROM t WHERE id = 1").fetchall() == [(101,)]


def test_repeatable_read_gives_up(sessions: list[Conn]) -> None:
    a, b, _ = sessions
    a.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    a.execute("SELECT 1 FROM t")
    b.execute("UPDATE t SET v = 0 WHERE id = 1")
    assert refused(a, "UPDATE t SET v = v + 1 WHERE id = 1") == "40001"
    a.execute("ROLLBACK")
    for sql in ("SELECT * FROM t WHERE id = 1 FOR UPDATE", "DELETE FROM t WHERE id = 1"):
        a.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        a.execute("SELECT 1 FROM t")
        b.execute("BEGIN")
        b.execute("UPDATE t SET v = v + 1 WHERE id = 1")
        later = Later(a, sql)
        assert later.waits
        b.execute("COMMIT")
        assert later.result()[0] == "40001"
        a.execute("ROLLBACK")


@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
def test_unique_keys_made_and_freed(sessions: list[Conn], end: str) -> None:
    a, b, _ = sessions
    a.execute("BEGIN")
    a.execute("INSERT INTO t VALUES (9, 0)")
    later = Later(b, "INSERT INTO t VALUES (9, 1)")
    assert later.waits
    a.execute(end)
    outcome = later.result()
    assert outcome[0] == "23505" if end == "COMMIT" else outcome == "INSERT 0 1"
    a.execute("BEGIN")
    a.execute("DELETE FROM t WHERE id = 9")
    later = Later(b, "INSERT INTO t VALUES (9, 2)")
    assert later.waits
    a.execute(end)
    outcome = later.result()
    assert outcome == "INSERT 0 1" if end == "COMMIT" else outcome[0] == "23505"


@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
def test_foreign_keys_lock_the_other_side(sessions: list[Conn], end: str) -> None:
    a, b, _ = sessions
    a.execute("BEGIN")
    a.execute("INSERT INTO c VALUES (1, 1)")
    assert b.execute("UPDATE p SET n = 1 WHERE id = 1").statusmessage == "UPDATE 1"
    later = Later(b, "DELETE FROM p WHERE id = 1")
    assert later.waits
    a.execute(end)
    outcome = later.result()
    assert outcome[0] == "23503" if end == "COMMIT" else outcome == "DELETE 1"
    a.execute("BEGIN")
    a.execute("DELETE FROM p WHERE id = 2")
    later = Later(b, "INSERT INTO c VALUES (2, 2)")
    assert later.waits
    a.execute(end)
    outcome = later.result()
    assert outcome[0] == "23503" if end == "COMMIT" else outcome == "INSERT 0 1"
    a.execute("BEGIN")
    a.execute("UPDATE p SET n = 5 WHERE id = 3")
    assert b.execute("INSERT INTO c VALUES (3, 3)").statusmessage == "INSERT 0 1"
    a.execute("ROLLBACK")


def test_row_locks(sessions: list[Conn]) -> None:
    a, b, _ = sessions
    first = "SELECT id FROM t ORDER BY id LIMIT 1 "
    a.execute("BEGIN")
    a.execute(first + "FOR UPDATE")
    assert b.execute(first + "FOR UPDATE SKIP LOCKED").fetchall() == [(2,)]
    assert refused(b, first + "FOR SHARE NOWAIT") == "55P03"
    a.execute("SAVEPOINT s")
    a.execute("SELECT * FROM t WHERE id = 2 FOR UPDATE")
    later = Later(b, "UPDATE t SET v = 1 WHERE id = 2")
    assert later.waits
    a.execute("ROLLBACK TO s")
    assert later.result() == "UPDATE 1"
    a.execute("ROLLBACK")
    for conn in (a, b):
        conn.execute("BEGIN")
        conn.execute("SELECT * FROM t WHERE id = 3 FOR SHARE")
    later = Later(a, "UPDATE t SET v = 1 WHERE id = 3")
    assert later.waits
    b.execute("COMMIT")
    assert later.result() == "UPDATE 1"
    a.execute("ROLLBACK")


@pytest.mark.parametrize("count", [2, 3])
def test_deadlocks_are_found(sessions: list[Conn], count: int) -> None:
    for number, conn in enumerate(sessions[:count]):
        conn.execute("SET deadlock_timeout = '100ms'")
        conn.execute("BEGIN")
        conn.execute(f"UPDATE t SET v = 0 WHERE id = {number + 1}")
    laters = []
    for number, conn in enumerate(sessions[:count]):
        laters.append(Later(conn, f"UPDATE t SET v = 1 WHERE id = {(number + 1) % count + 1}"))
    deadline = time.monotonic() + 10
    while not any(isinstance(one.outcome, tuple) for one in laters):
        assert time.monotonic() < deadline, "the deadlock was not found"
        time.sleep(0.01)
    losers = [one for one in laters if isinstance(one.outcome, tuple)]
    assert len(losers) == 1 and losers[0].outcome[0] == "40P01"
    line = r"Process \d+ waits for ShareLock on transaction \d+; blocked by process \d+\."
    assert len(re.findall(line, losers[0].outcome[1])) == count
    losers[0].conn.execute("ROLLBACK")
    while any(one.is_alive() for one in laters):
        for one in laters:
            if not one.is_alive():
                one.conn.execute("ROLLBACK")
        time.sleep(0.01)


def test_table_locks(sessions: list[Conn]) -> None:
    a, b, _ = sessions
    assert refused(a, "LOCK TABLE t") == "25P01"
    b.execute("SET lock_timeout = '150ms'")
    a.execute("BEGIN")
    a.execute("LOCK TABLE t IN SHARE MODE")
    assert b.execute("SELECT count(*) FROM t").fetchall() == [(3,)]
    assert refused(b, "UPDATE t SET v = 0") == "55P03"
    b.execute("BEGIN")
    assert refused(b, "LOCK TABLE t IN ROW EXCLUSIVE MODE NOWAIT") == "55P03"
    b.execute("ROLLBACK")
    a.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
    assert refused(b, "SELECT count(*) FROM t") == "55P03"
    assert a.execute(
        "SELECT mode, granted FROM pg_locks WHERE relation = 't'::regclass ORDER BY mode"
    ).fetchall() == [("AccessExclusiveLock", True), ("ShareLock", True)]
    a.execute("COMMIT")
    b.execute("BEGIN")
    b.execute("SELECT * FROM t")
    a.execute("SET lock_timeout = '150ms'")
    assert refused(a, "DROP TABLE t") == "55P03"
    b.execute("COMMIT")
    a.execute("DROP TABLE t")
    assert refused(b, "SELECT * FROM t") == "42P01"


def test_statement_timeout_ends_a_wait(sessions: list[Conn]) -> None:
    a, b, _ = sessions
    a.execute("BEGIN")
    a.execute("UPDATE t SET v = 0 WHERE id = 1")
    b.execute("SET statement_timeout = '150ms'")
    with pytest.raises(psycopg.errors.QueryCanceled, match="due to statement timeout"):
        b.execute("UPDATE t SET v = 1 WHERE id = 1")
    a.execute("ROLLBACK")
    assert b.execute("UPDATE t SET v = 1 WHERE id = 1").statusmessage == "UPDATE 1"


def test_idle_in_transaction_session_timeout(sessions: list[Conn]) -> None:
    a, b, _ = sessions
    a.execute("SET idle_in_transaction_session_timeout = '150ms'")
    a.execute("BEGIN")
    a.execute("UPDATE t SET v = 0 WHERE id = 1")
    time.sleep(0.4)
    assert refused(a, "SELECT 1") == "25P03"
    assert b.execute("UPDATE t SET v = 1 WHERE id = 1").statusmessage == "UPDATE 1"


def test_notifications(sessions: list[Conn]) -> None:
    a, b, c = sessions
    a.execute("LISTEN ch")
    assert a.execute("SELECT * FROM pg_listening_channels()").fetchall() == [("ch",)]
    b.execute("BEGIN")
    for payload in ("x", "x", "y"):
        b.execute(f"NOTIFY ch, '{payload}'")
    b.execute("SAVEPOINT s")
    b.execute("NOTIFY ch, 'never'")
    b.execute("ROLLBACK TO s")
    c.execute("SELECT pg_notify('ch', 'first'), pg_notify('other', 'no')")
    b.execute("COMMIT")
    b.execute("BEGIN")
    b.execute("NOTIFY ch, 'never'")
    b.execute("ROLLBACK")
    a.execute("NOTIFY ch")
    got = [(n.payload, n.pid) for n in a.notifies(timeout=5, stop_after=4)]
    pids = [conn.info.backend_pid for conn in (a, b, c)]
    assert got == [("first", pids[2]), ("x", pids[1]), ("y", pids[1]), ("", pids[0])]
    a.execute("UNLISTEN *")
    b.execute("NOTIFY ch")
    assert list(a.notifies(timeout=0.2)) == []
    assert refused(b, f"SELECT pg_notify('ch', '{'x' * 8000}')") == "22023"
