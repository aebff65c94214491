"""A transaction whose SQLite transaction stands open between its statements, and the others."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest
from psycopg import errors

from tests.concurrency.rehearsed import Connection, Sessions, rehearsed_sessions
from tests.regress.wire import Address

SCHEMA = """
create table t (id int primary key, v int);
insert into t select g, 0 from generate_series(1, 10) g;
create table child (id int primary key, t int references t, v int);
create table other (id serial primary key, v int)
"""
REHEARSED = (
    "update t set v = v + 1 where id = 1",
    "insert into t values (99, 0)",
    "insert into child values (99, 1, 0)",
    "insert into other (v) values (1)",
    "select id, v from t where v > 0 or id > 10 order by id",
)


@pytest.fixture
def sessions(server_address: Address) -> Iterator[Sessions]:
    with rehearsed_sessions(server_address, "standing", SCHEMA, REHEARSED) as found:
        yield found


def change(conn: Connection, key: int) -> int:
    return conn.execute(f"update t set v = v + 1 where id = {key}").rowcount


def insert(conn: Connection, key: int) -> None:
    conn.execute(f"insert into t values ({key}, 0)")


def read(conn: Connection) -> list[tuple[object, ...]]:
    return conn.execute("select id, v from t where v > 0 or id > 10 order by id").fetchall()


def begin_and_write(conn: Connection) -> None:
    conn.execute("begin")
    change(conn, 1)
    change(conn, 2)
    assert read(conn) == [(1, 1), (2, 1)]


def test_others_write_while_it_is_idle(sessions: Sessions) -> None:
    one, two = sessions.new(), sessions.new()
    begin_and_write(one)
    assert change(two, 3) == 1
    insert(two, 11)
    assert read(two) == [(3, 1), (11, 0)]
    change(one, 4)
    one.execute("rollback")
    assert read(one) == [(3, 1), (11, 0)]


def test_others_see_nothing_of_it_before_its_commit(sessions: Sessions) -> None:
    one, two, three = sessions.new(), sessions.new(), sessions.new()
    begin_and_write(one)
    assert read(two) == []
    three.execute("begin isolation level repeatable read")
    assert read(three) == []
    one.execute("commit")
    assert read(three) == []
    three.execute("commit")
    assert read(two) == read(three) == [(1, 1), (2, 1)]


def test_an_equal_key_waits_for_it(sessions: Sessions) -> None:
    one, two = sessions.new(), sessions.new()
    one.execute("begin")
    insert(one, 11)
    insert(one, 12)
    waiter = threading.Thread(target=insert, args=(two, 12))
    waiter.start()
    time.sleep(0.1)
    assert waiter.is_alive()
    one.execute("rollback")
    waiter.join(10)
    assert not waiter.is_alive()
    assert read(one) == [(12, 0)]


def test_it_waits_for_a_lock_while_others_write(sessions: Sessions) -> None:
    one, two = sessions.new(), sessions.new()
    two.execute("begin")
    two.execute("lock table other in access exclusive mode")
    begin_and_write(one)
    waiter = threading.Thread(target=one.execute, args=("insert into other (v) values (2)",))
    waiter.start()
    time.sleep(0.1)
    assert change(two, 3) == 1
    two.execute("commit")
    waiter.join(10)
    assert not waiter.is_alive()
    one.execute("commit")
    assert read(two) == [(1, 1), (2, 1), (3, 1)]


def test_savepoints_keep_what_is_older(sessions: Sessions) -> None:
    one = sessions.new()
    begin_and_write(one)
    one.execute("savepoint s")
    change(one, 3)
    with pytest.raises(errors.UniqueViolation):
        insert(one, 4)
    one.execute("rollback to s")
    assert read(one) == [(1, 1), (2, 1)]
    change(one, 5)
    one.execute("release s")
    one.execute("commit")
    assert read(one) == [(1, 1), (2, 1), (5, 1)]


def test_an_interrupted_statement_takes_nothing_older_with_it(sessions: Sessions) -> None:
    one = sessions.new()
    long = "update t set v = (select sum(a * b) from generate_series(1, {0}) a, " \
        "generate_series(1, {0}) b) where id > 0"  # fmt: skip
    one.execute("begin")
    one.execute(long.format(2))
    one.execute("rollback")
    begin_and_write(one)
    one.execute("savepoint s")
    change(one, 3)
    one.execute("set local statement_timeout = 200")
    with pytest.raises(errors.QueryCanceled):
        one.execute(long.format(20000))
    one.execute("rollback to s")
    assert read(one) == [(1, 1), (2, 1)]
    one.execute("commit")
    assert read(one) == [(1, 1), (2, 1)]


def test_a_broken_reference_and_a_kept_one(sessions: Sessions) -> None:
    one, two = sessions.new(), sessions.new()
    one.execute("begin")
    one.execute("insert into child values (1, 1, 0)")
    one.execute("insert into child values (2, 2, 0)")
    two.execute("set lock_timeout = 100")
    with pytest.raises(errors.LockNotAvailable):
        two.execute("delete from t where id = 2")
    with pytest.raises(errors.ForeignKeyViolation):
        one.execute("insert into child values (3, 77, 0)")
    one.execute("rollback")
    assert two.execute("delete from t where id = 2").rowcount == 1
    assert one.execute("select count(*) from child").fetchone() == (0,)


def test_commands_of_other_kinds_in_between(sessions: Sessions) -> None:
    one, two = sessions.new(), sessions.new()
    begin_and_write(one)
    one.execute("create table made (id int)")
    change(one, 3)
    one.execute("alter table other add column w int default 7")
    one.execute("insert into other (v) values (1)")
    two.execute("create role regress_standing")
    try:
        change(one, 4)
        assert one.execute("select 'regress_standing'::regrole::text").fetchone() == (
            "regress_standing",
        )
    finally:
        two.execute("drop role regress_standing")
    change(one, 5)
    one.execute("commit")
    assert two.execute("select w from other").fetchall() == [(7,)]
    assert read(two) == [(n, 1) for n in range(1, 6)]


@pytest.mark.skipif("config.getoption('--server-dsn')", reason="kills a backend")
def test_a_killed_backend_leaves_nothing(sessions: Sessions) -> None:
    one, two = sessions.new(), sessions.new()
    begin_and_write(one)
    os.kill(one.info.backend_pid, signal.SIGKILL)
    assert change(two, 1) == 1
    assert read(two) == [(1, 1)]


def test_many_of_them_lose_no_update(sessions: Sessions) -> None:
    connections = [sessions.new() for _ in range(4)]

    def work(conn: Connection, rows: tuple[int, int]) -> None:
        for n in range(40):
            conn.execute("begin")
            for key in rows:
                change(conn, key)
            if n % 3 == 0:
                read(conn)
            conn.execute("rollback" if n % 4 == 3 else "commit")

    pairs = [(1, 2), (1, 3), (2, 3), (4, 5)]
    threads = [
        threading.Thread(target=work, args=(conn, rows))
        for conn, rows in zip(connections, pairs, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert read(connections[0]) == [(1, 60), (2, 60), (3, 60), (4, 30), (5, 30)]


def test_copied_rows_leave_the_place_of_a_deleted_one(sessions: Sessions) -> None:
    one, two = sessions.new(), sessions.new()
    one.execute("begin")
    one.execute("delete from t where id = 10")
    with two.cursor() as cursor, cursor.copy("copy t from stdin") as copy:
        for key in range(11, 200):
            copy.write_row((key, 0))
    one.execute("rollback")
    assert one.execute("select count(*), sum(id) from t").fetchone() == (199, 19900)


@pytest.mark.parametrize("first", [True, False])
def test_a_reference_waits_for_its_table_while_others_write(
    sessions: Sessions, first: bool
) -> None:
    one, two = sessions.new(), sessions.new()
    two.execute("begin")
    two.execute("lock table t in exclusive mode")
    one.execute("begin")
    if not first:
        one.execute("insert into other (v) values (1)")
    insert_child = ("insert into child values (5, 1, 0)",)
    waiter = threading.Thread(target=one.execute, args=insert_child)
    waiter.start()
    time.sleep(0.1)
    two.execute("insert into other (v) values (7)")
    assert waiter.is_alive()
    two.execute("commit")
    waiter.join(10)
    assert not waiter.is_alive()
    one.execute("commit")
    assert two.execute("select * from child").fetchall() == [(5, 1, 0)]
