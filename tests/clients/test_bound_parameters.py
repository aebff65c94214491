"""What the type and the value of a bound parameter decide: constraints of domains are tested when
it is bound, and a partial index is found by the value in ON CONFLICT's predicate."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest


@pytest.fixture
def connection(dsn: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(dsn, autocommit=True) as made:
        made.execute("create schema if not exists bound; set search_path = bound")
        yield made
        made.execute("drop schema bound cascade")


DOMAINS = """
    create domain positive int not null check (value > 0);
    create domain code varchar(3);
    create domain lower_code code constraint is_lower check (value = lower(value));
    create table marked (p positive, c lower_code)
"""
REFUSED = [
    ("insert into marked (p) values (%s)", None, "23502", "does not allow null values"),
    ("insert into marked (p) values (%s::positive)", -1, "23514", '"positive_check"'),
    ("insert into marked values (1, %s)", "ABC", "23514", '"is_lower"'),
    ("insert into marked values (1, %s)", "abcd", "22001", "character varying(3)"),
    ("select %s::positive", None, "23502", "domain positive"),
    ("select %s::positive[]", [1, -1], "23514", "domain positive"),
]


@pytest.mark.parametrize(("query", "value", "sqlstate", "words"), REFUSED)
@pytest.mark.parametrize("prepare", [False, True])
def test_domains_are_tested_at_bind(
    connection: psycopg.Connection,
    query: str,
    value: object,
    sqlstate: str,
    words: str,
    prepare: bool,
) -> None:
    connection.execute(DOMAINS)
    for _ in range(2):
        with pytest.raises(psycopg.Error) as caught:
            connection.execute(query, (value,), prepare=prepare)
        assert caught.value.sqlstate == sqlstate
        assert words in str(caught.value.diag.message_primary)
    assert connection.execute("select count(*) from marked").fetchone() == (0,)


def test_domains_change_between_executions(connection: psycopg.Connection) -> None:
    connection.execute("create domain even int")
    query = "select %s::even"
    assert connection.execute(query, (1,), prepare=True).fetchone() == (1,)
    connection.execute("alter domain even add check (value % 2 = 0)")
    with pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(query, (1,), prepare=True)
    assert connection.execute(query, (2,), prepare=True).fetchone() == (2,)


def test_predicate_of_on_conflict_by_value(connection: psycopg.Connection) -> None:
    connection.execute("create table job (name text, state text, n int default 1)")
    connection.execute("create unique index on job (name) where state = 'open'")
    query = """insert into job values (%s::text, %s::text)
               on conflict (name) where state = %s::text do update set n = job.n + 1"""
    for _ in range(4):
        connection.execute(query, ("a", "open", "open"))
    connection.execute(query, ("a", "closed", "open"))
    with pytest.raises(psycopg.errors.InvalidColumnReference):
        connection.execute(query, ("a", "open", "closed"))
    rows = connection.execute("select * from job order by state").fetchall()
    assert rows == [("a", "closed", 1), ("a", "open", 4)]


def test_more_parameters_than_the_storage_engine_takes(connection: psycopg.Connection) -> None:
    connection.execute("create table many (a int, b text)")
    values: list[object] = [i if i % 2 == 0 else f"t{i}" for i in range(33_000)]
    places = ",".join(["(%s, %s)"] * 16_500)
    assert connection.execute(f"insert into many values {places}", values).rowcount == 16_500
    literals = ",".join(map(str, range(-10, 33_000)))
    query = f"select count(*), sum(a), max(b) from many where a in ({literals})"
    for _ in range(2):
        assert connection.execute(query).fetchone() == (16_500, 272_233_500, "t9999")


def test_a_type_changes_between_executions(dsn: str, connection: psycopg.Connection) -> None:
    connection.execute("create type mood as enum ('sad')")
    with psycopg.connect(dsn, autocommit=True) as other:
        prepared = other.pgconn.prepare(b"m", b"select $1::bound.mood")
        assert prepared.error_message == b""
        assert other.pgconn.exec_prepared(b"m", [b"sad"]).get_value(0, 0) == b"sad"
        connection.execute("alter type mood add value 'glad'")
        assert other.pgconn.exec_prepared(b"m", [b"glad"]).get_value(0, 0) == b"glad"
        connection.execute("drop type mood; create type mood as enum ('so so')")
        failed = other.pgconn.exec_prepared(b"m", [b"so so"])
        assert b"cache lookup failed for type" in failed.error_message
