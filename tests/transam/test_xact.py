"""Visibility, rollback, savepoints, pending storage: what a transaction manager promises."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.transam.two_sessions import TABLE, backends


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read", "serializable"])
def test_uncommitted_changes_are_the_own_transaction_s_business(
    tmp_path: Path, isolation: str
) -> None:
    with backends(tmp_path, 2) as (_, _, a, b):
        a.insert(1, "old")
        a.insert(2, "gone")
        b.begin(isolation)
        before = b.rows()
        a.begin()
        a.update(1, "new")
        a.delete(2)
        a.insert(3, "made")
        assert a.rows() == [(1, "new"), (3, "made")]
        assert b.rows() == before == [(1, "old"), (2, "gone")]
        a.xact.commit()
        later = b.rows()
        assert later == (before if isolation != "read committed" else a.rows())
        b.xact.commit()
        assert b.rows() == [(1, "new"), (3, "made")]


def test_autocommit_writes_are_hidden_from_an_older_snapshot(tmp_path: Path) -> None:
    with backends(tmp_path, 2) as (_, _, a, b):
        a.insert(1, "one")
        b.begin("repeatable read")
        assert b.rows() == [(1, "one")]
        a.update(1, "two")
        a.insert(2, "x")
        a.delete(1)
        assert b.rows() == [(1, "one")]
        b.xact.commit()
        assert b.rows() == [(2, "x")]


def test_a_failed_first_statement_does_not_make_the_second_visible(tmp_path: Path) -> None:
    with backends(tmp_path, 2) as (_, _, a, b):
        a.insert(1, "one")
        a.begin()
        with pytest.raises(ZeroDivisionError), a.xact.write():
            raise ZeroDivisionError
        b.begin("repeatable read")
        assert b.rows() == [(1, "one")]
        a.insert(2, "late")
        a.xact.commit()
        assert b.rows() == [(1, "one")]


def test_rollback_restores_rows_and_their_numbers(tmp_path: Path) -> None:
    with backends(tmp_path, 1) as (_, _, a):
        for key in range(50):
            a.insert(key, "x")
        stored = a.conn.execute(f"SELECT * FROM {TABLE} ORDER BY rid").fetchall()
        a.begin()
        for key in range(0, 50, 2):
            a.update(key, "y")
            a.update(key, "z")
        a.delete(4)
        a.insert(99, "n")
        a.delete(99)
        a.xact.rollback()
        assert a.conn.execute(f"SELECT * FROM {TABLE} ORDER BY rid").fetchall() == stored
        assert a.count("main._undo") == a.count("main._active") == 0


def test_savepoints_nest_and_come_back(tmp_path: Path) -> None:
    with backends(tmp_path, 1) as (_, _, a):
        a.insert(1, "0")
        a.begin()
        a.update(1, "1")
        a.xact.savepoint("s")
        a.update(1, "2")
        a.xact.savepoint("s")
        a.update(1, "3")
        a.insert(2, "3")
        a.xact.rollback_to_savepoint("s")
        assert a.rows() == [(1, "2")]
        a.xact.release_savepoint("s")
        a.xact.rollback_to_savepoint("s")
        assert a.rows() == [(1, "1")]
        a.update(1, "4")
        a.xact.rollback_to_savepoint("s")
        a.xact.commit()
        assert a.rows() == [(1, "1")]


def test_an_error_undoes_at_once_and_the_block_stays_failed(tmp_path: Path) -> None:
    with backends(tmp_path, 2) as (_, _, a, b):
        a.insert(1, "0")
        a.begin()
        a.update(1, "1")
        a.xact.savepoint("s")
        a.update(1, "2")
        a.xact.fail()
        assert a.xact.failed
        a.xact.rollback_to_savepoint("s")
        assert a.rows() == [(1, "1")] and b.rows() == [(1, "0")]
        a.xact.release_savepoint("s")
        a.xact.fail()
        assert a.xact.failed and a.xact.status == b"E"
        assert a.count("main._active") == 0 and not a.slot.xid
        a.xact.rollback()
        assert a.rows() == [(1, "0")]


def test_storage_follows_the_transaction(tmp_path: Path) -> None:
    with backends(tmp_path, 1) as (_, _, a):
        tables = "SELECT name FROM main.sqlite_schema WHERE name GLOB 'r3*' ORDER BY 1"

        def make(number: int) -> None:
            with a.xact.write():
                a.xact.execute(f"CREATE TABLE main.r{number} (rid INTEGER PRIMARY KEY, xmin)")
                a.xact.drop_on_abort(f"main.r{number}")

        a.begin()
        make(30000)
        a.xact.savepoint("s")
        make(30001)
        a.xact.rollback_to_savepoint("s")
        a.xact.commit()
        assert a.conn.execute(tables).fetchall() == [("r30000",)]
        a.begin()
        make(30002)
        with a.xact.write():
            a.xact.drop_on_commit("main.r30000")
        a.xact.rollback()
        assert a.conn.execute(tables).fetchall() == [("r30000",)]
        with a.xact.write():
            a.xact.drop_on_commit("main.r30000")
        assert a.conn.execute(tables).fetchall() == []
        assert a.count("main._pending") == 0


def test_callbacks_of_commit_and_abort(tmp_path: Path) -> None:
    said: list[str] = []
    with backends(tmp_path, 1) as (_, _, a):
        for end in ("commit", "rollback"):
            a.begin()
            a.xact.at_commit(lambda: said.append("c"))
            a.xact.at_abort(lambda: said.append("a"))
            a.xact.savepoint("s")
            a.xact.at_commit(lambda: said.append("c2"))
            a.xact.rollback_to_savepoint("s")
            getattr(a.xact, end)()
    assert said == ["c", "a"]
