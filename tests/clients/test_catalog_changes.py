"""What one session changes in the catalogs counts for the next statement of another, whatever that
one has looked up before; built-in names included, for these are looked up least often."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest


def one(connection: psycopg.Connection[Any], text: str) -> Any:
    """The only value of a query, or the SQLSTATE of its error."""
    try:
        row = connection.execute(text).fetchone()
    except psycopg.Error as error:
        return error.sqlstate
    assert row is not None
    return row[0]


@contextmanager
def connected(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection that is closed as it is, in a transaction perhaps."""
    connection = psycopg.connect(dsn, autocommit=True, options="-c search_path=s,public")
    try:
        yield connection
    finally:
        connection.close()


@pytest.fixture
def first(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    with connected(dsn) as connection:
        yield connection


@pytest.fixture
def second(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    with connected(dsn) as connection:
        yield connection


Connection = psycopg.Connection[Any]

# (made by one session, asked by the other): what it answers before, while it is there, after
CHANGES = [
    (
        "CREATE FUNCTION public.upper(varchar) RETURNS text LANGUAGE sql AS $$ SELECT 'mine' $$",
        "DROP FUNCTION public.upper(varchar)",
        "SELECT upper('a'::varchar)",
        ("A", "mine"),
    ),
    (
        "CREATE DOMAIN public.upper AS text",
        "DROP DOMAIN public.upper",
        "SELECT pg_typeof(upper('a'::varchar))::text",
        ("text", "upper"),
    ),
    (
        "CREATE FUNCTION public.f(bool) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$",
        "DROP FUNCTION public.f(bool)",
        "SELECT f(true)",
        ("42883", 1),
    ),
    (
        "CREATE FUNCTION public.plus(bool, bool) RETURNS int LANGUAGE sql AS $$ SELECT 2 $$;"
        "CREATE OPERATOR public.+ (leftarg = bool, rightarg = bool, function = public.plus)",
        "DROP OPERATOR public.+ (bool, bool); DROP FUNCTION public.plus(bool, bool)",
        "SELECT true + true",
        ("42883", 2),
    ),
    (
        "CREATE CAST (date AS int) WITH FUNCTION public.days(date)",
        "DROP CAST (date AS int)",
        "SELECT '2000-01-02'::date::int",
        ("42846", 7),
    ),
    (
        "CREATE TABLE public.date (a int)",
        "DROP TABLE public.date",
        "SELECT to_regtype('date')::oid::int",
        (1082, 1082),
    ),
    (
        "CREATE TYPE public.mood AS ENUM ('sad')",
        "DROP TYPE public.mood",
        "SELECT 'sad'::mood::text",
        ("42704", "sad"),
    ),
    (
        "REVOKE EXECUTE ON FUNCTION pg_catalog.md5(text) FROM PUBLIC",
        "GRANT EXECUTE ON FUNCTION pg_catalog.md5(text) TO PUBLIC",
        "SELECT has_function_privilege('pg_monitor', 'md5(text)', 'execute')",
        (True, False),
    ),
    (
        "REVOKE USAGE ON TYPE pg_catalog.point FROM PUBLIC",
        "GRANT USAGE ON TYPE pg_catalog.point TO PUBLIC",
        "SELECT has_type_privilege('pg_monitor', 'point', 'usage')",
        (True, False),
    ),
    (
        "REVOKE SELECT ON pg_catalog.pg_am FROM PUBLIC",
        "GRANT SELECT ON pg_catalog.pg_am TO PUBLIC",
        "SELECT has_table_privilege('pg_monitor', 'pg_am', 'select')",
        (True, False),
    ),
    (
        "ALTER FUNCTION pg_catalog.md5(text) STRICT COST 77",
        "ALTER FUNCTION pg_catalog.md5(text) STRICT COST 1",
        "SELECT pg_get_functiondef('md5(text)'::regprocedure) LIKE '%COST 77%'",
        (False, True),
    ),
    (
        "UPDATE pg_catalog.pg_proc SET proname = 'md6' WHERE oid = 2311",
        "UPDATE pg_catalog.pg_proc SET proname = 'md5' WHERE oid = 2311",
        "SELECT length(md5('a'::text))",
        (32, "42883"),
    ),
    (
        "CREATE SCHEMA s; CREATE TABLE s.t AS SELECT 3 AS a",
        "DROP TABLE s.t; DROP SCHEMA s",
        "SELECT a FROM t",
        ("42P01", 3),
    ),
    (
        "ALTER SCHEMA public RENAME TO private",
        "ALTER SCHEMA private RENAME TO public",
        "SELECT days('2000-01-02')",
        (7, "42883"),
    ),
    (
        "CREATE COLLATION public.mine (provider = libc, locale = 'C')",
        "DROP COLLATION public.mine",
        "SELECT 'a' < 'b' COLLATE mine",
        ("42704", True),
    ),
]


@pytest.fixture
def days(first: Connection) -> None:
    first.execute("CREATE FUNCTION days(date) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT 7 $$")


@pytest.mark.parametrize(("make", "undo", "query", "answers"), CHANGES)
def test_changes_of_others(
    days: None,
    first: Connection,
    second: Connection,
    make: str,
    undo: str,
    query: str,
    answers: tuple[Any, Any],
) -> None:
    before, during = answers
    for _ in range(2):
        assert one(second, query) == before
        first.execute(make)
        assert one(second, query) == during
        first.execute(undo)
    assert one(second, query) == before


@pytest.mark.parametrize(("make", "undo", "query", "answers"), CHANGES)
def test_own_changes_and_their_rollback(
    days: None, first: Connection, make: str, undo: str, query: str, answers: tuple[Any, Any]
) -> None:
    before, during = answers
    assert one(first, query) == before
    first.execute("BEGIN")
    first.execute(make)
    assert one(first, query) == during
    first.execute("ROLLBACK")
    assert one(first, query) == before
    first.execute("BEGIN; SAVEPOINT a")
    first.execute(make)
    first.execute("ROLLBACK TO a; CREATE TABLE u ()")
    assert one(first, query) == before
    first.execute("ROLLBACK")
    assert one(first, query) == before


@pytest.mark.parametrize(("make", "undo", "query", "answers"), CHANGES)
def test_next_session(
    days: None,
    dsn: str,
    first: Connection,
    make: str,
    undo: str,
    query: str,
    answers: tuple[Any, Any],
) -> None:
    """A process serves several connections, one after the other."""
    for statement, answer in ((None, answers[0]), (make, answers[1]), (undo, answers[0])):
        if statement is not None:
            first.execute(statement)
        for _ in range(4):
            with connected(dsn) as later:
                assert one(later, query) == answer


def test_nothing_uncommitted_is_left_to_the_next_session(dsn: str, first: Connection) -> None:
    for _ in range(4):
        with connected(dsn) as leaving:
            leaving.execute("BEGIN")
            leaving.execute("CREATE TABLE gone (a int)")
            leaving.execute("CREATE FUNCTION gone() RETURNS int LANGUAGE sql AS 'SELECT 1'")
            assert one(leaving, "SELECT gone() + count(*) FROM gone") == 1
        with connected(dsn) as later:
            assert one(later, "SELECT gone()") == "42883"
            assert one(later, "SELECT count(*) FROM gone") == "42P01"


def test_temporary_tables_end_with_their_session(dsn: str, first: Connection) -> None:
    first.execute("CREATE TABLE t AS SELECT 1 AS a")
    for _ in range(4):
        with connected(dsn) as leaving:
            leaving.execute("CREATE TEMP TABLE t AS SELECT 2 AS b")
            leaving.execute("CREATE TEMP TABLE inet (a int)")
            assert one(leaving, "SELECT b FROM t") == 2
            assert one(leaving, "SELECT 'inet'::regtype::oid::int = 869") is False
        with connected(dsn) as later:
            assert one(later, "SELECT a FROM t") == 1
            assert one(later, "SELECT 'inet'::regtype::oid::int = 869") is True


def test_right_to_use_a_schema(dsn: str, first: Connection) -> None:
    first.execute(
        "CREATE SCHEMA r; CREATE TYPE r.mood AS ENUM ('sad'); CREATE DOMAIN r.n AS int;"
        "CREATE FUNCTION r.f() RETURNS int LANGUAGE sql AS 'SELECT 1';"
        "CREATE OPERATOR r.+ (leftarg = bool, rightarg = bool, function = booland_statefunc);"
        "CREATE COLLATION r.c (provider = libc, locale = 'C')"
    )
    queries = (
        "SELECT 'sad'::r.mood::text",
        "SELECT 1::r.n",
        "SELECT r.f()",
        "SELECT true OPERATOR(r.+) true",
        "SELECT 'a' COLLATE r.c",
    )
    for _ in range(3):
        with connected(dsn) as allowed:
            assert [one(allowed, query) for query in queries] == ["sad", 1, 1, True, "a"]
            allowed.execute("SET ROLE pg_monitor")
            assert [one(allowed, query) for query in queries] == ["42501"] * 5
        with connected(dsn) as later:
            later.execute("SET ROLE pg_monitor")
            assert [one(later, query) for query in queries] == ["42501"] * 5


def test_roles_and_search_path(dsn: str, first: Connection) -> None:
    """The same names mean other things under another role or search_path."""
    first.execute(
        "CREATE SCHEMA r; CREATE SCHEMA q; CREATE TABLE r.t AS SELECT 'r' AS a;"
        "CREATE TABLE q.t AS SELECT 'q' AS a;"
        "CREATE FUNCTION r.lower(text) RETURNS text LANGUAGE sql AS $$ SELECT 'r' $$"
    )
    for path, table, lowered in (("r", "r", "a"), ("q", "q", "a"), ("r, pg_catalog", "r", "r")):
        with connected(dsn) as later:
            later.execute(f"SET search_path = {path}")
            assert one(later, "SELECT a FROM t") == table
            assert one(later, "SELECT lower('A'::text)") == lowered
            later.execute("SET ROLE pg_monitor")
            assert one(later, "SELECT a FROM t") == "42P01"
            assert one(later, "SELECT lower('A'::text)") == "a"
            later.execute("RESET ROLE")
            assert one(later, "SELECT a FROM t") == table
