"""SERIALIZABLE: what concurrent transactions saw and left fits one order of them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.regress.wire import Address

KEYS = 4
ROUNDS = 40
Step = tuple[str, int, int]  # read a key; read the sum; write a key from what was read


@pytest.fixture
def sessions(database: Address) -> Iterator[list[psycopg.Connection]]:
    made = [
        psycopg.connect(
            host=database.host,
            port=database.port,
            user=database.user,
            dbname=database.database,
            autocommit=True,
        )
        for _ in range(3)
    ]
    try:
        yield made
    finally:
        for conn in made:
            conn.close()


def random_steps(rng: random.Random) -> list[Step]:
    steps: list[Step] = []
    for _ in range(rng.randint(1, 3)):
        kind = rng.choice(("key", "sum", "write", "write", "insert"))
        steps.append((kind, rng.randrange(KEYS), rng.randint(1, 9)))
    return steps


def run_step(conn: psycopg.Connection, step: Step) -> Any:
    kind, key, value = step
    if kind == "key":
        return conn.execute("SELECT b FROM t WHERE a = %s ORDER BY rowno", (key,)).fetchall()
    if kind == "sum":
        return conn.execute("SELECT count(*), sum(b) FROM t").fetchall()
    if kind == "insert":
        conn.execute("INSERT INTO t (a, b) SELECT %s, count(*) FROM t", (key,))
        return None
    return conn.execute("UPDATE t SET b = b + %s WHERE a = %s", (value, key)).rowcount


def model(order: Any, initial: list[list[int]]) -> tuple[list[Any], list[list[int]]]:
    """The answers and the final rows when the transactions run one after the other."""
    rows = [list(row) for row in initial]
    answers = []
    for steps in order:
        mine: list[Any] = []
        for kind, key, value in steps:
            if kind == "key":
                mine.append([(b,) for a, b in rows if a == key])
            elif kind == "sum":
                mine.append([(len(rows), sum(b for _, b in rows))])
            elif kind == "insert":
                rows.append([key, len(rows)])
                mine.append(None)
            else:
                hit = [row for row in rows if row[0] == key]
                for row in hit:
                    row[1] += value
                mine.append(len(hit))
        answers.append(mine)
    return answers, rows


def play(
    sessions: list[psycopg.Connection], plans: list[list[Step]], rng: random.Random
) -> dict[int, list[Any]]:
    """Interleave the transactions in one thread; one that would wait or fails is rolled back.
    The answers of those that committed."""
    for conn in sessions:
        conn.execute("SET lock_timeout = '20ms'")
        conn.execute("BEGIN ISOLATION LEVEL SERIALIZABLE")
    answers: dict[int, list[Any]] = {n: [] for n in range(len(plans))}
    moves = [n for n, steps in enumerate(plans) for _ in range(len(steps) + 1)]
    rng.shuffle(moves)
    at = [0] * len(plans)
    committed: dict[int, list[Any]] = {}
    dead: set[int] = set()
    for n in moves:
        if n in dead:
            continue
        try:
            if at[n] == len(plans[n]):
                sessions[n].execute("COMMIT")
                committed[n] = answers[n]
                dead.add(n)
            else:
                answers[n].append(run_step(sessions[n], plans[n][at[n]]))
                at[n] += 1
        except (psycopg.errors.SerializationFailure, psycopg.errors.LockNotAvailable):
            sessions[n].execute("ROLLBACK")
            dead.add(n)
    return committed


@pytest.mark.timeout(120)
def test_histories_are_serializable(sessions: list[psycopg.Connection]) -> None:
    seed = random.SystemRandom().randrange(10**9)
    print(f"seed {seed}")
    rng = random.Random(seed)
    control = sessions[0]
    control.execute("CREATE TABLE t (rowno serial, a int, b int)")
    control.execute("CREATE INDEX ON t (a)")
    total = 0
    for _ in range(ROUNDS):
        control.execute("TRUNCATE t")
        control.execute("INSERT INTO t (a, b) SELECT g, 0 FROM generate_series(0, 3) g")
        plans = [random_steps(rng) for _ in sessions]
        committed = play(sessions, plans, rng)
        total += len(committed)
        final = sorted(control.execute("SELECT a, b FROM t").fetchall())
        initial = [[g, 0] for g in range(KEYS)]
        for order in itertools.permutations(committed):
            answers, rows = model([plans[n] for n in order], initial)
            seen = [committed[n] for n in order]
            if answers == seen and sorted(map(tuple, rows)) == final:
                break
        else:
            pytest.fail(f"no order explains {plans} -> {committed}, {final}")
    assert total > ROUNDS  # not everything may fail


def test_read_only_anomaly(sessions: list[psycopg.Connection]) -> None:
    one, two, three = sessions
    one.execute("CREATE TABLE account (id int PRIMARY KEY, balance int)")
    one.execute("INSERT INTO account VALUES (1, 0), (2, 0)")
    for conn in sessions[:2]:
        conn.execute("BEGIN ISOLATION LEVEL SERIALIZABLE")
    two.execute("SELECT sum(balance) FROM account")
    one.execute("UPDATE account SET balance = 20 WHERE id = 2")
    one.execute("COMMIT")
    three.execute("BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY")
    assert three.execute("SELECT balance FROM account ORDER BY id").fetchall() == [(0,), (20,)]
    three.execute("COMMIT")
    with pytest.raises(psycopg.errors.SerializationFailure):
        two.execute("UPDATE account SET balance = -11 WHERE id = 1")
        two.execute("COMMIT")


def test_exported_snapshot(sessions: list[psycopg.Connection]) -> None:
    one, two, three = sessions
    one.execute("CREATE TABLE t (a int)")
    one.execute("INSERT INTO t VALUES (1)")
    one.execute("BEGIN")
    name = one.execute("SELECT pg_export_snapshot()").fetchone()
    assert name is not None
    three.execute("UPDATE t SET a = 2")
    two.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    two.execute(f"SET TRANSACTION SNAPSHOT '{name[0]}'")
    assert two.execute("SELECT a FROM t").fetchone() == (1,)
    one.execute("COMMIT")
    three.execute("DELETE FROM t")
    assert two.execute("SELECT a FROM t").fetchone() == (1,)
    two.execute("COMMIT")
    two.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        two.execute(f"SET TRANSACTION SNAPSHOT '{name[0]}'")
    two.execute("ROLLBACK")
