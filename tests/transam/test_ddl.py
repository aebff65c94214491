"""DDL in transactions: storage that is made later, savepoints, what other sessions see.

Statements run against a real server; what is asserted holds on PostgreSQL 15 (--server-dsn).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import errors

Conn = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def sessions(dsn: str) -> Iterator[list[Conn]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(psycopg.connect(dsn, autocommit=True)) for _ in range(2)]


def rows(conn: Conn, sql: str) -> list[tuple[Any, ...]]:
    return conn.execute(sql).fetchall()  # type: ignore[arg-type]


def test_tables_of_a_rolled_back_savepoint_go_and_the_others_stay(sessions: list[Conn]) -> None:
    a, b = sessions
    a.execute("begin")
    a.execute("create table ddl_a (x int primary key, y int references ddl_a)")
    a.execute("create index ddl_i on ddl_a (y)")
    a.execute("savepoint s")
    a.execute("create unique index ddl_u on ddl_a (y)")
    a.execute("create table ddl_b (x int)")
    a.execute("rollback to s")
    a.execute("create table ddl_b (x int unique)")
    a.execute("insert into ddl_a values (1, 1), (2, 1)")
    a.execute("savepoint t")
    a.execute("create table ddl_c (x int)")
    with pytest.raises(errors.UniqueViolation):
        a.execute("insert into ddl_a values (1, 1)")
    a.execute("rollback to t")
    a.execute("insert into ddl_b values (3)")
    with pytest.raises(errors.UndefinedTable):
        b.execute("select from ddl_a")
    a.execute("commit")
    assert rows(b, "select * from ddl_a, ddl_b order by 1") == [(1, 1, 3), (2, 1, 3)]
    with pytest.raises(errors.UndefinedTable):
        b.execute("select from ddl_c")


def test_a_statement_that_fails_leaves_earlier_tables_to_be_made(sessions: list[Conn]) -> None:
    a, _ = sessions
    a.execute("begin")
    a.execute("create table ddl_a (x int primary key)")
    a.execute("savepoint s")
    with pytest.raises(errors.DivisionByZero):
        a.execute("insert into ddl_a select 1 / (2 - g) from generate_series(1, 3) g")
    a.execute("rollback to s")
    a.execute("alter table ddl_a add column y text default 'new'")
    a.execute("insert into ddl_a values (1)")
    a.execute("create index on ddl_a (y)")
    a.execute("do $$ begin create table ddl_d (z int); insert into ddl_d values (7); end $$")
    a.execute("commit")
    assert rows(a, "select * from ddl_a, ddl_d") == [(1, "new", 7)]


def test_ddl_does_not_see_what_others_have_not_committed(sessions: list[Conn]) -> None:
    a, b = sessions
    a.execute("create table ddl_first (x int)")
    b.execute("begin")
    b.execute("create table ddl_open (x int)")
    for command in ("create view ddl_v as select * from ddl_open", "drop table ddl_open"):
        with pytest.raises(errors.UndefinedTable):
            a.execute(command)
    b.execute("commit")
    a.execute("create view ddl_v as select * from ddl_open")


def test_changes_of_a_relation_are_known_at_once(sessions: list[Conn]) -> None:
    a, b = sessions
    a.execute("create table ddl_p (x int) partition by range (x)")
    a.execute("create table ddl_q partition of ddl_p for values from (0) to (9) "
              "partition by range (x)")  # fmt: skip
    a.execute("begin")
    assert rows(a, "select from ddl_p") == []
    a.execute("create table ddl_r partition of ddl_q for values from (0) to (5)")
    a.execute("insert into ddl_p values (3)")
    assert rows(a, "select tableoid::regclass::text from ddl_p") == [("ddl_r",)]
    a.execute("alter table ddl_p rename to ddl_s")
    assert rows(a, "select * from ddl_s") == [(3,)]
    a.execute("rollback")
    a.execute("create type ddl_t as enum ('a')")
    a.execute("create table ddl_e (x ddl_t)")
    a.execute("drop table ddl_e")
    a.execute("drop type ddl_t")
    a.execute("create type ddl_t as (n int)")
    a.execute("create table ddl_e (x ddl_t)")
    a.execute("insert into ddl_e values (row(5))")
    assert rows(b, "select (x).n from ddl_e") == [(5,)]


def test_comments_go_with_their_object(sessions: list[Conn]) -> None:
    a, _ = sessions
    count = "select count(*) from pg_description where description = 'ddl comment'"
    a.execute("create table ddl_a (x int)")
    a.execute("create table ddl_b (x int)")
    a.execute("drop table ddl_b")
    a.execute("comment on column ddl_a.x is 'ddl comment'")
    a.execute("begin")
    a.execute("drop table ddl_a")
    assert rows(a, count) == [(0,)]
    a.execute("rollback")
    assert rows(a, count) == [(1,)]
    a.execute("drop table ddl_a")
    assert rows(a, count) == [(0,)]


def copy(conn: Conn, command: str, data: str) -> None:
    with conn.cursor().copy(command) as stream:  # type: ignore[arg-type]
        stream.write(data)


def test_copy_into_a_table_that_was_never_written(sessions: list[Conn]) -> None:
    a, _ = sessions
    a.execute("create table ddl_a (x int primary key, y text not null, z char(3))")
    many = "".join(f"{n}\ty\ta \n" for n in range(50))
    with pytest.raises(errors.UniqueViolation) as failed:
        copy(a, "copy ddl_a from stdin", many + "7\ty\ta\n")
    assert failed.value.diag.context == "COPY ddl_a, line 51"
    assert failed.value.diag.message_detail == "Key (x)=(7) already exists."
    with pytest.raises(errors.NotNullViolation) as failed:
        copy(a, "copy ddl_a from stdin", many + "70\t\\N\ta\n")
    assert failed.value.diag.message_detail == "Failing row contains (70, null, a  )."
    with pytest.raises(errors.StringDataRightTruncation):
        copy(a, "copy ddl_a from stdin", many + "70\ty\tabcd\n")
    copy(a, "copy ddl_a from stdin", many)
    assert rows(a, "select distinct z, y from ddl_a") == [("a  ", "y")]


def test_copy_freeze_into_a_truncated_table_is_taken_back(sessions: list[Conn]) -> None:
    a, b = sessions
    a.execute("create table ddl_a (x int primary key, y text)")
    a.execute("insert into ddl_a values (-1, 'old')")
    many = "".join(f"{n}\t{'long' * 20}\n" for n in range(20000))
    for end, left in (("rollback to s", 0), ("rollback", 1), ("commit", 20000)):
        a.execute("begin")
        a.execute("truncate ddl_a")
        if end == "rollback to s":
            a.execute("savepoint s")
            copy(a, "copy ddl_a from stdin", many)
        else:
            copy(a, "copy ddl_a from stdin with (freeze)", many)
        a.execute(end)  # type: ignore[arg-type]
        assert rows(a, "select count(*) from ddl_a") == [(left,)]
        if end == "rollback to s":
            with pytest.raises(errors.ObjectNotInPrerequisiteState):
                copy(a, "copy ddl_a from stdin with (freeze)", "1\tx\n")
            a.execute("rollback")
    assert rows(b, "select count(*), min(x) from ddl_a where x >= 0") == [(20000, 0)]
