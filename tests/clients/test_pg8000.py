"""pg8000: a pure-Python driver with unnamed and named statements."""

from __future__ import annotations

import datetime
import decimal
import uuid

import pg8000.dbapi
import pg8000.native

from tests.regress.wire import Address


def test_native(database: Address) -> None:
    connection = pg8000.native.Connection(
        database.user, host=database.host, port=database.port, database=database.database
    )
    try:
        connection.run("create table t (id serial, a text, n numeric, j jsonb)")
        for i in range(3):
            connection.run(
                "insert into t (a, n, j) values (:a, :n, :j)",
                a=f"x{i}",
                n=decimal.Decimal("1.50"),
                j='{"k": [1, 2]}',
            )
        assert connection.run("select id, a, n, j from t where id = :id", id=2) == [
            [2, "x1", decimal.Decimal("1.50"), {"k": [1, 2]}]
        ]
        assert [column["name"] for column in connection.columns] == ["id", "a", "n", "j"]
        assert connection.row_count == 1
        statement = connection.prepare("select cast(:v as int) + 1")
        assert statement.run(v=5) == [[6]]
        statement.close()
        assert connection.run("select array[1, 2], cast(:u as uuid)", u=uuid.UUID(int=1)) == [
            [[1, 2], uuid.UUID(int=1)]
        ]
    finally:
        connection.close()


def test_dbapi(database: Address) -> None:
    connection = pg8000.dbapi.connect(
        database.user, host=database.host, port=database.port, database=database.database
    )
    try:
        cursor = connection.cursor()
        cursor.execute("create table t (a int primary key, d date)")
        rows = [(i, datetime.date(2024, 1, i + 1)) for i in range(5)]
        cursor.executemany("insert into t values (%s, %s)", rows)
        connection.commit()
        cursor.execute("select * from t order by a")
        assert [tuple(row) for row in cursor.fetchall()] == rows
        try:
            cursor.execute("insert into t values (1, null)")
        except pg8000.dbapi.DatabaseError as error:
            assert error.args[0]["C"] == "23505"
        else:
            raise AssertionError("a duplicate key was accepted")
        connection.rollback()
    finally:
        connection.close()
