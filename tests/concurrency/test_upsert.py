"""Eight writers on the same keys: no duplicate, no lost update, no error that should not be.

PGEMU_UPSERTS sets the number of statements of each writer.
"""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from collections.abc import Callable

import psycopg
import pytest

UPSERTS = int(os.environ.get("PGEMU_UPSERTS", "40"))
WRITERS = 8
KEYS = 5
Work = Callable[[psycopg.Connection, int], None]


def in_parallel(dsn: str, work: Work) -> None:
    """Run work(connection, number) in WRITERS threads; the first error is raised."""
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            with psycopg.connect(dsn, autocommit=True) as conn:
                work(conn, number)
        except BaseException as error:  # for the test to show
            errors.append(error)

    threads = [threading.Thread(target=run, args=(n,), daemon=True) for n in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60 + UPSERTS)
        assert not thread.is_alive(), "a writer hangs"
    if errors:
        raise errors[0]


@pytest.mark.timeout(120 + 2 * UPSERTS)
@pytest.mark.parametrize("block", [False, True], ids=["statement", "transaction"])
def test_counters(dsn: str, block: bool) -> None:
    """DO UPDATE loses no increment; who rolls back leaves nothing."""
    wanted: Counter[int] = Counter()
    guard = threading.Lock()

    def work(conn: psycopg.Connection, number: int) -> None:
        rng = random.Random(number)
        for _ in range(UPSERTS):
            key, give_up = rng.randrange(KEYS), block and rng.random() < 0.2
            if block:
                conn.execute("BEGIN")
            conn.execute(
                "INSERT INTO counter AS c VALUES (%s, 1) "
                "ON CONFLICT (key) DO UPDATE SET n = c.n + excluded.n",
                (key,),
            )
            if block:
                conn.execute("ROLLBACK" if give_up else "COMMIT")
            if not give_up:
                with guard:
                    wanted[key] += 1

    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("CREATE TABLE counter (key int PRIMARY KEY, n int)")
        in_parallel(dsn, work)
        assert dict(conn.execute("SELECT * FROM counter").fetchall()) == dict(wanted)


@pytest.mark.timeout(120 + 2 * UPSERTS)
def test_do_nothing_lets_one_win(dsn: str) -> None:
    """Of the writers of a key exactly one is told that it has inserted."""
    won: list[int] = []

    def work(conn: psycopg.Connection, number: int) -> None:
        for key in range(UPSERTS):
            done = conn.execute(
                "INSERT INTO t VALUES (%s, %s) ON CONFLICT DO NOTHING", (key, number)
            )
            if done.rowcount:
                won.append(key)

    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("CREATE TABLE t (key int PRIMARY KEY, by int)")
        in_parallel(dsn, work)
        assert sorted(won) == list(range(UPSERTS))
        assert conn.execute("SELECT count(*) FROM t").fetchone() == (UPSERTS,)


@pytest.mark.timeout(120 + 2 * UPSERTS)
def test_unique_violations_wait_for_the_first(dsn: str) -> None:
    """Plain inserts in transactions that may roll back: a key has one committed owner, and whoever
    was refused was refused for a committed row."""
    owners: list[tuple[int, int]] = []
    refused: list[int] = []

    def work(conn: psycopg.Connection, number: int) -> None:
        rng = random.Random(number)
        for key in range(UPSERTS):
            try:
                with conn.transaction():
                    conn.execute("INSERT INTO t VALUES (%s, %s)", (key, number))
                    if rng.random() < 0.4:
                        raise psycopg.Rollback
                    mine = (key, number)
            except psycopg.errors.UniqueViolation:
                refused.append(key)
                found = conn.execute("SELECT by FROM t WHERE key = %s", (key,)).fetchall()
                assert len(found) == 1
                continue
            stored = conn.execute("SELECT by FROM t WHERE key = %s", (key,)).fetchall()
            if stored == [(number,)]:
                owners.append(mine)

    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("CREATE TABLE t (key int PRIMARY KEY, by int)")
        in_parallel(dsn, work)
        assert sorted(owners) == sorted(conn.execute("SELECT key, by FROM t").fetchall())
        assert refused
