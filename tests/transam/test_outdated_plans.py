"""A statement whose plan is at hand waits for somebody who changes the table: it runs with the
table as it is then.  What is asserted holds on PostgreSQL 15 (--server-dsn).
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from tests.transam.test_waits import Later


@dataclass(frozen=True)
class Case:
    """statement has run three times when change is committed beside its fourth run."""

    statement: str
    change: str
    rows: list[tuple[Any, ...]]
    outcome: str = "INSERT 0 1"
    table: str = "x (a int)"


INSERT = "INSERT INTO x VALUES (1)"
PL = "SELECT pl()"
SQL = "SELECT plain()"
KEYED = "x (a int PRIMARY KEY, b int)"
UPDATE = "UPDATE x SET b = b + 1 WHERE a = 1"
TRIGGER = (
    "CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN new.a = 7; RETURN new; END';"
    "CREATE TRIGGER tt BEFORE INSERT ON x FOR EACH ROW EXECUTE FUNCTION tf()"
)
CASES = [
    Case(INSERT, "ALTER TABLE x ADD b int NOT NULL DEFAULT 5", [(1, 5)] * 4),
    Case(INSERT, "ALTER TABLE x ALTER a TYPE text", [("1",)] * 4),
    Case(INSERT, "ALTER TABLE x ADD CHECK (a > 5) NOT VALID", [(1,)] * 3, "23514"),
    Case(INSERT, "DROP TABLE x; CREATE TABLE x (a text)", [("1",)]),
    Case(INSERT, "TRUNCATE x", [(1,)]),
    Case(INSERT, TRIGGER, [(1,), (1,), (1,), (7,)]),
    Case(INSERT, "CREATE RULE r AS ON INSERT TO x DO INSTEAD NOTHING", [(1,)] * 3, "INSERT 0 0"),
    Case("INSERT INTO x VALUES (nextval('s'))", "ALTER SEQUENCE s RESTART WITH 50",
         [(1,), (2,), (3,), (50,)]),
    Case(UPDATE, "ALTER TABLE x ADD CHECK (b < 10) NOT VALID; UPDATE x SET b = 9", [(1, 9)],
         "23514", KEYED),
    Case(UPDATE, "TRUNCATE x; INSERT INTO x VALUES (1, 100)", [(1, 101)], "UPDATE 1", KEYED),
    Case("SELECT a FROM x FOR UPDATE", "TRUNCATE x", [], "SELECT 0", KEYED),
    Case(PL, "ALTER TABLE x ADD b int NOT NULL DEFAULT 5", [(1, 5)] * 4, "SELECT 1"),
    Case(PL, "ALTER TABLE x ALTER a TYPE text", [("1",)] * 4, "SELECT 1"),
    Case(SQL, "ALTER TABLE x ADD b int NOT NULL DEFAULT 5", [(1, 5)] * 4, "SELECT 1"),
]  # fmt: skip


@pytest.mark.parametrize("prepare", [False, True])
@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_the_table_as_it_is_after_the_wait(dsn: str, case: Case, prepare: bool) -> None:
    with contextlib.ExitStack() as stack:
        a, b = (
            stack.enter_context(contextlib.closing(psycopg.connect(dsn, autocommit=True)))
            for _ in range(2)
        )
        a.execute(f"CREATE SEQUENCE s; CREATE TABLE {case.table}")
        a.execute(f"CREATE FUNCTION pl() RETURNS void LANGUAGE plpgsql AS 'BEGIN {INSERT}; END'")
        a.execute(f"CREATE FUNCTION plain() RETURNS void LANGUAGE sql AS '{INSERT}'")
        if case.table == KEYED:
            a.execute("INSERT INTO x VALUES (1, 0)")
        statement = case.statement
        if prepare:
            b.execute(f"PREPARE p AS {statement}")
            statement = "EXECUTE p"
        for _ in range(3):
            b.execute(statement)
        a.execute("BEGIN")
        a.execute(case.change)
        later = Later(b, statement)
        assert later.waits
        a.execute("COMMIT")
        outcome = later.result()
        assert (outcome if isinstance(outcome, str) else outcome[0]) == case.outcome
        assert a.execute("SELECT * FROM x ORDER BY 1").fetchall() == case.rows


def test_by_the_extended_protocol(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as a, psycopg.connect(dsn, autocommit=True) as b:
        a.execute("CREATE TABLE x (a int)")
        outcomes: list[Any] = []

        class Prepared(Later):
            def run(self) -> None:
                try:
                    self.outcome = self.conn.execute(self.sql, prepare=True).statusmessage
                except psycopg.Error as error:
                    self.outcome = error.sqlstate

        for sql in (INSERT, "SELECT a FROM x"):
            for _ in range(3):
                Prepared(b, sql).result()
            for change in ("ALTER TABLE x ADD b int NOT NULL DEFAULT 5", "TRUNCATE x"):
                a.execute("BEGIN")
                a.execute(change.replace(" b ", " c ") if sql != INSERT else change)
                later = Prepared(b, sql)
                assert later.waits
                a.execute("COMMIT")
                outcomes.append(later.result())
        assert outcomes == ["INSERT 0 1", "INSERT 0 1", "SELECT 1", "SELECT 0"]
        assert a.execute("SELECT * FROM x").fetchall() == []
