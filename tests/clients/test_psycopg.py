"""psycopg 3: what its users do, synchronous and asynchronous."""

from __future__ import annotations

import datetime
import decimal
import threading
import time
import uuid
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb


@pytest.fixture
def connection(dsn: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(dsn, autocommit=True) as made:
        yield made


VALUES = [
    (1, "int4"),
    (2**40, "int8"),
    (1.5, "float8"),
    ("héllo\n", "text"),
    (b"\x00\xff", "bytea"),
    (True, "bool"),
    (decimal.Decimal("12345678901234567890.0123456789"), "numeric"),
    (datetime.date(2024, 2, 29), "date"),
    (datetime.time(12, 34, 56, 789000), "time"),
    (datetime.datetime(2024, 2, 29, 12, 0, 0, 1), "timestamp"),
    (datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC), "timestamptz"),
    (datetime.timedelta(days=3, seconds=5), "interval"),
    (uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), "uuid"),
    ([1, 2, None], "int4[]"),
    (["a", 'b"c', "d,e"], "text[]"),
    (None, "int4"),
]


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize(("value", "type_name"), VALUES)
def test_values_round_trip(
    connection: psycopg.Connection, value: object, type_name: str, binary: bool
) -> None:
    connection.execute("set timezone = 'UTC'")
    cursor = connection.cursor(binary=binary)
    query = f"select %{'b' if binary else 's'}::{type_name}"
    assert cursor.execute(query, (value,)).fetchone() == (value,)


def test_jsonb(connection: psycopg.Connection) -> None:
    value = {"a": [1, 2.5, None, {"b": "x"}]}
    assert connection.execute("select %s::jsonb", (Jsonb(value),)).fetchone() == (value,)


def test_transaction_rolls_back(connection: psycopg.Connection) -> None:
    connection.execute("create table t (a int)")
    with pytest.raises(ZeroDivisionError), connection.transaction():
        connection.execute("insert into t values (1)")
        raise ZeroDivisionError
    with connection.transaction():
        connection.execute("insert into t values (2)")
        with pytest.raises(psycopg.errors.DivisionByZero), connection.transaction():
            connection.execute("insert into t values (3)")
            connection.execute("select 1 / 0")
        connection.execute("insert into t values (4)")
    assert connection.execute("select a from t order by a").fetchall() == [(2,), (4,)]


def test_errors_have_all_fields(connection: psycopg.Connection) -> None:
    connection.execute("create table t (a int primary key)")
    connection.execute("insert into t values (1)")
    with pytest.raises(psycopg.errors.UniqueViolation) as caught:
        connection.execute("insert into t values (1)")
    diag = caught.value.diag
    assert diag.sqlstate == "23505"
    assert diag.message_detail == "Key (a)=(1) already exists."
    assert (diag.schema_name, diag.table_name, diag.constraint_name) == ("public", "t", "t_pkey")
    with pytest.raises(psycopg.errors.UndefinedColumn) as undefined:
        connection.execute("select nope from t")
    assert undefined.value.diag.statement_position == "8"


def test_pipeline_of_hundreds(connection: psycopg.Connection) -> None:
    connection.execute("create table t (a int)")
    with connection.pipeline():
        cursors = []
        for i in range(500):
            connection.execute("insert into t values (%s)", (i,))
            cursors.append(connection.execute("select %s::int + 1", (i,)))
        assert [cursor.fetchone() for cursor in cursors] == [(i + 1,) for i in range(500)]
    assert connection.execute("select count(*), sum(a) from t").fetchone() == (500, 124750)


def test_pipeline_aborts_until_sync(connection: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero), connection.pipeline() as pipeline:
        connection.execute("select 1")
        connection.execute("select 1 / 0")
        with pytest.raises(psycopg.errors.PipelineAborted):
            connection.execute("select 2")
            pipeline.sync()
    assert connection.execute("select 3").fetchone() == (3,)


def test_copy_in_and_out(connection: psycopg.Connection) -> None:
    connection.execute("create table t (a int, b text, c date)")
    rows = [(i, f"text\t{i}\n\\", datetime.date(2024, 1, 1 + i % 28)) for i in range(2000)]
    with connection.cursor() as cursor:
        with cursor.copy("copy t from stdin") as copy:
            for row in rows:
                copy.write_row(row)
        assert cursor.rowcount == 2000
        with cursor.copy("copy (select * from t order by a) to stdout") as copy:
            copy.set_types(["int4", "text", "date"])
            assert list(copy.rows()) == rows
        with cursor.copy("copy (select * from t order by a) to stdout (format binary)") as copy:
            copy.set_types(["int4", "text", "date"])
            assert list(copy.rows()) == rows
        cursor.execute("truncate t")
        with cursor.copy("copy t from stdin (format binary)") as copy:
            copy.set_types(["int4", "text", "date"])
            for row in rows:
                copy.write_row(row)
    assert connection.execute("select count(*) from t").fetchone() == (2000,)


def test_copy_failing_in_the_middle_writes_nothing(connection: psycopg.Connection) -> None:
    connection.execute("create table t (a int)")
    cursor = connection.cursor()
    with (
        pytest.raises(psycopg.errors.InvalidTextRepresentation),
        cursor.copy("copy t from stdin") as copy,
    ):
        copy.write("1\n2\nx\n")
    with pytest.raises(ZeroDivisionError), cursor.copy("copy t from stdin") as copy:
        copy.write("1\n")
        raise ZeroDivisionError
    assert connection.execute("select count(*) from t").fetchone() == (0,)


def test_server_side_cursor(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        with connection.cursor(name="big") as cursor:
            cursor.itersize = 100
            cursor.execute("select g, 'x' || g from generate_series(1, 1000) g")
            assert sum(row[0] for row in cursor) == 500500
        with connection.cursor(name="back", scrollable=True) as cursor:
            cursor.execute("select generate_series(1, 5)")
            cursor.scroll(4)
            assert cursor.fetchone() == (5,)
            cursor.scroll(0, mode="absolute")
            assert cursor.fetchall() == [(i,) for i in range(1, 6)]


def test_prepared_statements(connection: psycopg.Connection, dsn: str) -> None:
    for i in range(10):
        found = connection.execute("select %s::int * 2", (i,), prepare=True).fetchone()
        assert found == (i * 2,)
    count = connection.execute("select count(*) from pg_prepared_statements").fetchone()
    assert count is not None and count[0] >= 1
    connection.execute("create table t (a int)")
    connection.execute("prepare p as select * from t")
    connection.execute("execute p")
    with psycopg.connect(dsn, autocommit=True) as other:  # psycopg forgets its own after DDL
        other.execute("alter table t add b int")
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="cached plan must not change"):
        connection.execute("execute p")


def test_executemany_returning(connection: psycopg.Connection) -> None:
    connection.execute("create table t (id serial, v text)")
    cursor = connection.cursor()
    cursor.executemany(
        "insert into t (v) values (%s) returning id", [("a",), ("b",)], returning=True
    )
    found = [cursor.fetchone()]
    while cursor.nextset():
        found.append(cursor.fetchone())
    assert found == [(1,), (2,)]


def test_notices_and_notifications(connection: psycopg.Connection, dsn: str) -> None:
    heard: list[str | None] = []
    connection.add_notice_handler(lambda diag: heard.append(diag.message_primary))
    connection.execute("drop table if exists nope")
    assert heard == ['table "nope" does not exist, skipping']
    connection.execute("listen news")
    with psycopg.connect(dsn, autocommit=True) as other:
        other.execute("notify news, 'hello'")
        note = next(connection.notifies(timeout=10))
        assert (note.channel, note.payload, note.pid) == ("news", "hello", other.info.backend_pid)


def test_cancel(connection: psycopg.Connection) -> None:
    timer = threading.Timer(0.3, connection.cancel)
    timer.start()
    with pytest.raises(psycopg.errors.QueryCanceled):
        connection.execute("select pg_sleep(30)")
    timer.join()
    assert connection.execute("select 1").fetchone() == (1,)


def test_cancel_of_a_long_computation(connection: psycopg.Connection) -> None:
    timer = threading.Timer(0.3, connection.cancel)
    timer.start()
    with pytest.raises(psycopg.errors.QueryCanceled):
        connection.execute(
            "select count(*) from generate_series(1, 100000) a, generate_series(1, 100000) b"
        )
    timer.join()
    assert connection.execute("select 1").fetchone() == (1,)


def test_dict_rows_and_composition(connection: psycopg.Connection) -> None:
    cursor = connection.cursor(row_factory=dict_row)
    query = sql.SQL("select {} as {}").format(sql.Literal("it's"), sql.Identifier('odd "name'))
    assert cursor.execute(query).fetchone() == {'odd "name': "it's"}


def test_long_literals_are_not_slow(connection: psycopg.Connection) -> None:
    """Drivers that inline parameters send whole files so; words in them are not looked at."""
    size = 4 * 1024 * 1024
    started = time.monotonic()
    for word in ("x", "reindex 0x1_0 json", "it''s \\ "):
        text = word * (size // len(word))
        row = connection.execute(f"select length('{text}'), x'1F'").fetchone()
        assert row == (len(text.replace("''", "'")), "00011111")
    assert time.monotonic() - started < 12


def test_several_connections_see_commits_only(dsn: str) -> None:
    with psycopg.connect(dsn) as one, psycopg.connect(dsn, autocommit=True) as two:
        one.execute("create table t (a int)")
        assert two.execute("select to_regclass('t')").fetchone() == (None,)
        one.commit()
        one.execute("insert into t values (1)")
        assert two.execute("select count(*) from t").fetchone() == (0,)
        one.commit()
        assert two.execute("select count(*) from t").fetchone() == (1,)
        one.execute("update t set a = 2")
        assert two.execute("select a from t").fetchone() == (1,)
        one.rollback()
        assert one.execute("select a from t").fetchone() == (1,)


def test_many_connections_at_once(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as setup:
        setup.execute("create table t (id int primary key, n int)")
        setup.execute("insert into t values (1, 0)")

        def work() -> None:
            with psycopg.connect(dsn, autocommit=True) as mine:
                for _ in range(20):
                    mine.execute("update t set n = n + 1 where id = 1")

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert setup.execute("select n from t").fetchone() == (160,)


async def test_async(dsn: str) -> None:
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        await connection.execute("create table t (a int)")
        async with connection.cursor() as cursor:
            await cursor.executemany("insert into t values (%s)", [(i,) for i in range(10)])
            await cursor.execute("select sum(a) from t")
            assert await cursor.fetchone() == (45,)
        async with connection.cursor(name="c") as cursor:
            await cursor.execute("select a from t order by a")
            assert [row[0] async for row in cursor] == list(range(10))


def test_binary_cursor_in_the_simple_protocol(connection: psycopg.Connection) -> None:
    connection.execute("begin; declare b binary cursor for select 1; declare t cursor for select 1")
    fetched = connection.pgconn.exec_(b"move 0 in b; fetch relative 0 from t; fetch from b")
    assert (fetched.fformat(0), fetched.get_value(0, 0)) == (1, b"\x00\x00\x00\x01")
    fetched = connection.pgconn.exec_(b"fetch from t")
    assert (fetched.fformat(0), fetched.get_value(0, 0)) == (0, b"1")
    # in the extended protocol Bind says the format
    assert connection.pgconn.exec_params(b"fetch from b", []).fformat(0) == 0
    connection.execute("rollback")


def test_type_of_a_plan_in_the_extended_protocol(connection: psycopg.Connection) -> None:
    for form, oid in (("json", 114), ("xml", 142), ("yaml", 25)):
        query = f"explain (format {form}) select 1".encode()
        assert connection.pgconn.exec_params(query, []).ftype(0) == oid
