"""Transactions that hold their writes back until COMMIT, and the others."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import errors

from pgemu.testing import PgemuServer
from tests.concurrency.rehearsed import Connection, Sessions, rehearsed_sessions
from tests.regress.wire import Address

SCHEMA = """
create table t (id int primary key, v int, w int, s text not null default 'x');
insert into t select g, 0, 0 from generate_series(1, 10) g;
create table log (t int, what text);
create table keyed (id int primary key, v int);
create table checked (id int primary key, v int check (v < 10));
create table child (id int primary key, t int references t, v int);
insert into child values (1, 1, 0);
create sequence numbers;
create table stamped (n int default nextval('numbers'), at timestamptz);
insert into checked values (1, 1)
"""
REHEARSED = (
    "update t set v = v + 1 where id = 1",
    "update t set w = 7, v = v + 100 where id = 1",
    "insert into log values (1, 'x')",
    "select v from t where id = 1",
    "select id, v, w from t where v > 0 order by id",
    "select sum(v), count(*) from t",
    "select count(*) from log",
    "insert into stamped (at) values (statement_timestamp())",
    "update t set v = nextval('numbers') where id = 2",
    "update checked set v = v + 1 where id = 1",
    "update child set v = v + 1 where id = 1",
)


@pytest.fixture(scope="module")
def holding(request: pytest.FixtureRequest) -> Iterator[Address]:
    """A server that holds back whatever it can, also where nobody else writes."""
    dsn = request.config.getoption("--server-dsn")
    if dsn is not None:
        yield Address.of_dsn(dsn)
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGEMU_HOLD_WRITES", "always")
        with PgemuServer() as server:
            yield Address.of_dsn(server.dsn)


@pytest.fixture
def sessions(holding: Address) -> Iterator[Sessions]:
    with rehearsed_sessions(holding, "holding", SCHEMA, REHEARSED) as found:
        yield found


def change(conn: Connection, key: int) -> int:
    return conn.execute(f"update t set v = v + 1 where id = {key}").rowcount


def read(conn: Connection) -> list[tuple[object, ...]]:
    return conn.execute("select id, v, w from t where v > 0 order by id").fetchall()


def value(conn: Connection, key: int) -> object:
    row = conn.execute(f"select v from t where id = {key}").fetchone()
    return row and row[0]


def xid(watcher: Connection, conn: Connection) -> object:
    """What pg_stat_activity says about a session."""
    row = watcher.execute(
        "select backend_xid from pg_stat_activity where pid = %s", (conn.info.backend_pid,)
    ).fetchone()
    return row and row[0]


def in_background(conn: Connection, text: str) -> tuple[threading.Thread, list[object]]:
    """Run a statement that waits; what it gave is in the list after join."""
    found: list[object] = []

    def run() -> None:
        try:
            found.append(conn.execute(text).rowcount)
        except psycopg.Error as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, found


@pytest.mark.skipif("config.getoption('--server-dsn')", reason="PostgreSQL writes at once")
def test_writes_are_held_back_until_the_client_is_silent(sessions: Sessions) -> None:
    one, two = sessions.new(), sessions.new()
    one.execute("begin")
    change(one, 1)
    one.execute("update checked set v = v + 1 where id = 1")
    one.execute("update child set v = v + 1 where id = 1")
    one.execute("insert into log values (1, 'x')")
    assert xid(two, one) is None
    time.sleep(1.5)
    assert xid(two, one) is not None
    change(one, 2)
    assert read(one) == [(1, 1, 0), (2, 1, 0)]
    one.execute("commit")
    assert read(two) == [(1, 1, 0), (2, 1, 0)]


def test_a_transaction_sees_its_own(sessions: Sessions) -> None:
    one, two = sessions.new(), sessions.new()
    one.execute("begin")
    change(one, 1)
    assert value(one, 1) == 1
    one.execute("update t set w = 7, v = v + 100 where id = 1")
    change(one, 2)
    one.execute("insert into log values (1, 'x')")
    assert read(one) == [(1, 101, 7), (2, 1, 0)]
    assert one.execute("select sum(v), count(*) from t").fetchone() == (102, 10)
    assert one.execute("select s, v from t where id = 1").fetchone() == ("x", 101)
    assert read(two) == []
    change(one, 1)
    assert one.execute("select count(*) from log").fetchone() == (1,)
    assert value(one, 1) == 102
    assert one.execute("update t set v = v where v > 50").rowcount == 1
    one.execute("commit")
    assert read(two) == [(1, 102, 7), (2, 1, 0)]
    assert two.execute("select * from log").fetchall() == [(1, "x")]


def test_values_are_those_of_the_statement(sessions: Sessions) -> None:
    one, two = sessions.new(), sessions.new()
    one.execute("alter sequence numbers restart")
    one.execute("begin")
    one.execute("update t set v = nextval('numbers') where id = 2")
    assert value(one, 2) == 1
    one.execute("insert into stamped (at) values (statement_timestamp())")
    one.execute("insert into stamped (at) values (statement_timestamp())")
    time.sleep(0.05)
    one.execute("commit")
    assert value(two, 2) == 1
    late = two.execute("select n, at > statement_timestamp() - interval '40 ms' from stamped")
    assert late.fetchall() == [(2, False), (3, False)]


def test_rollback_and_errors_forget_it(sessions: Sessions) -> None:
    one, two = sessions.new(), sessions.new()
    one.execute("begin")
    change(one, 1)
    one.execute("rollback")
    one.execute("begin")
    change(one, 1)
    with pytest.raises(errors.NumericValueOutOfRange):
        one.execute("update t set v = v + 2147483647 where id = 1")
    assert change(two, 1) == 1
    one.execute("rollback")
    one.execute("begin")
    change(one, 2)
    with pytest.raises(errors.NotNullViolation):
        one.execute("update t set s = null where id = 2")
    one.execute("commit")
    one.execute("begin")
    with pytest.raises(errors.CheckViolation):
        one.execute("update checked set v = v + 10 where id = 1")
    one.execute("commit")
    assert read(one) == read(two) == [(1, 1, 0)]


def test_constraints_hold(sessions: Sessions) -> None:
    one, two = sessions.new(), sessions.new()
    one.execute("begin")
    for _ in range(8):
        one.execute("update checked set v = v + 1 where id = 1")
    with pytest.raises(errors.CheckViolation) as caught:
        one.execute("update checked set v = v + 1 where id = 1")
    assert caught.value.diag.message_detail == "Failing row contains (1, 10)."
    one.execute("rollback")
    one.execute("begin")
    one.execute("update child set v = v + 1 where id = 1")
    one.execute("update child set v = v + 1 where id = 1")
    change(one, 1)
    change(one, 2)
    two.execute("insert into child values (2, 2, 0)")
    one.execute("commit")
    with pytest.raises(errors.ForeignKeyViolation):
        two.execute("delete from t where id = 2")
    assert two.execute("select * from child order by id").fetchall() == [(1, 1, 2), (2, 2, 0)]
    assert read(two) == [(1, 1, 0), (2, 1, 0)]


def test_a_row_is_waited_for(sessions: Sessions) -> None:
    one, two = sessions.new(), sessions.new()
    one.execute("begin")
    change(one, 1)
    two.execute("begin")
    change(two, 2)
    thread, found = in_background(two, "update t set v = v + 1 where id = 1")
    time.sleep(0.1)
    assert not found
    one.execute("commit")
    thread.join(10)
    assert found == [1]
    assert value(two, 1) == 2
    two.execute("commit")
    assert read(one) == [(1, 2, 0), (2, 1, 0)]


def test_others_write_in_their_own_way(sessions: Sessions) -> None:
    one, two = sessions.new(), sessions.new()
    one.execute("begin")
    change(one, 1)
    two.execute("insert into keyed values (1, 1)")
    assert two.execute("update t set v = 5 where id > 8").rowcount == 2
    change(one, 2)
    with pytest.raises(errors.LockNotAvailable):
        two.execute("select * from t where id = 1 for update nowait")
    skipped = two.execute("select id from t where id < 4 for update skip locked").fetchall()
    assert skipped == [(3,)]
    one.execute("insert into log values (1, 'y')")
    one.execute("commit")
    assert read(two) == [(1, 1, 0), (2, 1, 0), (9, 5, 0), (10, 5, 0)]


def test_older_snapshots_do_not_see_it(sessions: Sessions) -> None:
    one, two = sessions.new(), sessions.new()
    two.execute("begin isolation level repeatable read")
    assert read(two) == []
    one.execute("begin")
    change(one, 1)
    one.execute("insert into log values (1, 'x')")
    one.execute("commit")
    assert read(two) == []
    assert two.execute("select count(*) from log").fetchone() == (0,)
    with pytest.raises(errors.SerializationFailure):
        change(two, 1)
    two.execute("rollback")
    assert read(two) == [(1, 1, 0)]


def test_savepoints_and_other_commands(sessions: Sessions) -> None:
    one, two = sessions.new(), sessions.new()
    one.execute("begin")
    change(one, 1)
    one.execute("savepoint s")
    change(one, 2)
    one.execute("rollback to s")
    change(one, 3)
    one.execute("create table made (id int)")
    one.execute("commit")
    one.execute("begin")
    change(one, 4)
    one.execute("alter table t add column more int default 3")
    assert one.execute("select v, more from t where id = 4").fetchone() == (1, 3)
    one.execute("commit")
    one.execute("begin")
    change(one, 5)
    assert one.execute("select txid_current() > 0").fetchone() == (True,)
    one.execute("declare c cursor for select v from t where id in (4, 5) order by id")
    change(one, 5)
    assert one.execute("fetch all from c").fetchall() == [(1,), (1,)]
    one.execute("commit and chain")
    change(one, 6)
    one.execute("notify channel, 'text'")
    one.execute("commit")
    assert read(two) == [(1, 1, 0), (3, 1, 0), (4, 1, 0), (5, 2, 0), (6, 1, 0)]


def test_deadlocks_are_found(sessions: Sessions) -> None:
    one, two = sessions.new(), sessions.new()
    for conn in (one, two):
        conn.execute("set deadlock_timeout = '100ms'")
        conn.execute("begin")
    change(one, 1)
    change(two, 2)
    thread, found = in_background(one, "update t set v = v + 1 where id = 2")
    time.sleep(0.3)
    second: Exception | None = None
    try:
        change(two, 1)
    except errors.DeadlockDetected as error:
        second = error
        two.execute("rollback")
    thread.join(10)
    losers = [e for e in (second, *found) if isinstance(e, errors.DeadlockDetected)]
    assert len(losers) == 1
    assert "ShareLock on transaction" in str(losers[0].diag.message_detail)
    one.execute("rollback")
    two.execute("rollback")


def test_lock_timeout(sessions: Sessions) -> None:
    one, two = sessions.new(), sessions.new()
    one.execute("begin")
    change(one, 1)
    two.execute("set lock_timeout = 200")
    two.execute("begin")
    change(two, 2)
    with pytest.raises(errors.LockNotAvailable):
        change(two, 1)
    two.execute("rollback")
    one.execute("commit")
    assert read(two) == [(1, 1, 0)]


@pytest.mark.skipif("config.getoption('--server-dsn')", reason="kills a backend")
def test_a_killed_backend_leaves_nothing(sessions: Sessions) -> None:
    one, two = sessions.new(), sessions.new()
    one.execute("begin")
    change(one, 1)
    os.kill(one.info.backend_pid, signal.SIGKILL)
    two.execute("begin")
    assert change(two, 1) == 1
    two.execute("commit")
    assert read(two) == [(1, 1, 0)]


def test_a_table_lock_waits_for_the_end(sessions: Sessions) -> None:
    one, two = sessions.new(), sessions.new()
    one.execute("begin")
    change(one, 1)
    thread, found = in_background(two, "alter table t drop column w")
    time.sleep(0.1)
    assert not found
    change(one, 2)
    one.execute("commit")
    thread.join(10)
    assert len(found) == 1 and not isinstance(found[0], Exception)
    assert value(two, 2) == 1


def test_no_update_is_lost(sessions: Sessions) -> None:
    """Among transactions that hold back, that do not, and statements by themselves."""
    connections = [sessions.new() for _ in range(5)]
    pairs = [(1, 2), (1, 3), (2, 3), (4, 5)]

    def work(conn: Connection, rows: tuple[int, int]) -> None:
        for n in range(40):
            conn.execute("begin")
            for key in rows:
                change(conn, key)
            if n % 3 == 0:
                read(conn)
            conn.execute("insert into log values (1, 'x')")
            conn.execute("rollback" if n % 4 == 3 else "commit")

    def alone(conn: Connection) -> None:
        for n in range(40):
            change(conn, 1 + n % 5)
            conn.execute(f"insert into keyed values ({n}, 0)")

    threads = [
        threading.Thread(target=work, args=(conn, rows))
        for conn, rows in zip(connections, pairs, strict=False)
    ]
    threads.append(threading.Thread(target=alone, args=(connections[4],)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    last = connections[0]
    assert [v for _, v, _ in read(last)] == [68, 68, 68, 38, 38]
    assert last.execute("select count(*) from log").fetchone() == (120,)
