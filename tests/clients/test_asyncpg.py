"""asyncpg: binary protocol throughout, prepared statements, type introspection."""

from __future__ import annotations

import asyncio
import datetime
import decimal
import io
import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio


@pytest_asyncio.fixture
async def connection(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    made = await asyncpg.connect(dsn)
    try:
        yield made
    finally:
        await made.close()


async def test_values_round_trip(connection: asyncpg.Connection) -> None:
    cases = [
        ("int2", 5),
        ("int4", -7),
        ("int8", 2**50),
        ("float8", 0.1),
        ("text", "héé"),
        ("varchar(20)", "abc"),
        ("bytea", b"\x00\x01"),
        ("bool", True),
        ("numeric", decimal.Decimal("123.4500")),
        ("date", datetime.date(2024, 2, 29)),
        ("time", datetime.time(1, 2, 3)),
        ("timestamp", datetime.datetime(2024, 2, 29, 1, 2, 3)),
        ("timestamptz", datetime.datetime(2024, 2, 29, tzinfo=datetime.UTC)),
        ("interval", datetime.timedelta(days=1, seconds=2)),
        ("uuid", uuid.UUID(int=5)),
        ("json", '{"a": 1}'),
        ("jsonb", '{"a": 1}'),
        ("int4[]", [1, None, 3]),
        ("text[]", ["a", "b,c"]),
        ("int4range", asyncpg.Range(1, 5)),
        ("point", asyncpg.Point(1, 2)),
    ]
    for type_name, value in cases:
        assert await connection.fetchval(f"select $1::{type_name}", value) == value, type_name
        assert await connection.fetchval(f"select $1::{type_name}", None) is None


async def test_prepare_describes(connection: asyncpg.Connection) -> None:
    await connection.execute("create table t (a int primary key, b varchar(10))")
    statement = await connection.prepare("insert into t values ($1, $2) returning *")
    assert [p.name for p in statement.get_parameters()] == ["int4", "varchar"]
    assert [(a.name, a.type.name) for a in statement.get_attributes()] == [
        ("a", "int4"),
        ("b", "varchar"),
    ]
    assert [tuple(row) for row in await statement.fetch(1, "x")] == [(1, "x")]
    assert statement.get_statusmsg() == "INSERT 0 1"


async def test_executemany_and_transactions(connection: asyncpg.Connection) -> None:
    await connection.execute("create table t (a int primary key)")
    await connection.executemany("insert into t values ($1)", [(i,) for i in range(100)])
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.executemany("insert into t values ($1)", [(200,), (5,)])
    assert await connection.fetchval("select count(*) from t") == 100
    async with connection.transaction():
        await connection.execute("insert into t values (300)")
        with pytest.raises(asyncpg.DivisionByZeroError):
            async with connection.transaction():
                await connection.execute("insert into t values (301)")
                await connection.execute("select 1 / 0")
        await connection.execute("insert into t values (302)")
    found = await connection.fetch("select a from t where a >= 300 order by a")
    assert [row["a"] for row in found] == [300, 302]


async def test_isolation_and_read_only(connection: asyncpg.Connection) -> None:
    async with connection.transaction(isolation="serializable", readonly=True):
        assert await connection.fetchval("show transaction_isolation") == "serializable"
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await connection.execute("create table t (a int)")


async def test_cursors(connection: asyncpg.Connection) -> None:
    async with connection.transaction():
        total = 0
        async for row in connection.cursor("select generate_series(1, 500) as g", prefetch=50):
            total += row["g"]
        assert total == 125250
        cursor = await connection.cursor("select generate_series(1, 10)")
        assert await cursor.forward(3) == 3
        assert [row[0] for row in await cursor.fetch(2)] == [4, 5]


async def test_copy(connection: asyncpg.Connection) -> None:
    await connection.execute("create table t (a int, b text)")
    rows = [(i, f"v{i}") for i in range(500)]
    assert await connection.copy_records_to_table("t", records=rows) == "COPY 500"
    out = io.BytesIO()
    await connection.copy_from_query("select * from t order by a limit 2", output=out, format="csv")
    assert out.getvalue() == b"0,v0\n1,v1\n"
    source = io.BytesIO(b"7\tseven\n")
    assert await connection.copy_to_table("t", source=source) == "COPY 1"
    assert await connection.fetchval("select b from t where a = 7 and b <> 'v7'") == "seven"


async def test_user_types_are_introspected(connection: asyncpg.Connection) -> None:
    await connection.execute("create type mood as enum ('sad', 'happy')")
    await connection.execute("create type pair as (a int, b mood)")
    await connection.execute("create domain posint as int check (value > 0)")
    assert await connection.fetchval("select 'happy'::mood") == "happy"
    assert tuple(await connection.fetchval("select (1, 'sad')::pair")) == (1, "sad")
    assert await connection.fetchval("select $1::mood[]", ["sad", "happy"]) == ["sad", "happy"]
    assert await connection.fetchval("select 5::posint") == 5
    pairs = await connection.fetchval("select array[(1, 'sad')::pair, null]")
    assert tuple(pairs[0]) == (1, "sad") and pairs[1] is None
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=repr, decoder=len, format="text"
    )
    assert await connection.fetchval("""select '{"a": 1}'::jsonb""") == 8


async def test_listen(connection: asyncpg.Connection, dsn: str) -> None:
    heard: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    await connection.add_listener("ch", lambda c, p, ch, text: heard.put_nowait((ch, text)))
    other = await asyncpg.connect(dsn)
    await other.execute("notify ch, 'x'")
    await other.close()
    assert await asyncio.wait_for(heard.get(), 10) == ("ch", "x")
    await connection.reset()


async def test_pool_and_timeout(dsn: str) -> None:
    async with asyncpg.create_pool(dsn, min_size=2, max_size=4) as pool:
        found = await asyncio.gather(*[pool.fetchval("select $1::int", i) for i in range(20)])
        assert found == list(range(20))
        async with pool.acquire() as connection:
            with pytest.raises(asyncio.TimeoutError):
                await connection.execute("select pg_sleep(30)", timeout=0.2)
            assert await connection.fetchval("select 1") == 1
