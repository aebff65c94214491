"""The same crashes under a load whose transactions hold their writes back until COMMIT: short
blocks about a table that nothing else is about (transam/heldwrites.py).
"""

from __future__ import annotations

import random
from pathlib import Path

import psycopg
import pytest

from tests.crash.bank import ACCOUNTS, OPENING, Outcomes, Teller
from tests.crash.test_crash import ROUNDS, SEED, one_round, start
from tests.crash.ways import SCHEMA as OTHER_TABLES

SCHEMA = f"""
CREATE TABLE purse (id int PRIMARY KEY, balance int, changes int DEFAULT 0);
CREATE TABLE entry (name text, payer int, payee int, amount int);
CREATE TABLE keyed (name text PRIMARY KEY);
INSERT INTO purse SELECT n, {OPENING} FROM generate_series(1, {ACCOUNTS}) AS n;
{OTHER_TABLES}
"""
UPDATE = "UPDATE purse SET balance = balance + %s, changes = changes + 1 WHERE id = %s"
Conn = psycopg.Connection[tuple[object, ...]]


class PurseTeller(Teller):
    """Transfers that may be held back to their end, and some that may not."""

    def transfer(self, conn: Conn) -> None:
        rng = self.random
        self.count += 1
        name = f"{self.seed}.{self.count}"
        refuse = rng.random() < 0.2
        try:
            conn.execute("BEGIN")
            self._transfer(conn, name)
            self.end(conn, refuse)
        except psycopg.errors.DeadlockDetected:
            refuse = True
            conn.execute("ROLLBACK")
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            self.outcomes.errors.append(f"{name}: {error.sqlstate} {error}")
            return
        (self.outcomes.refused if refuse else self.outcomes.acknowledged).add(name)

    def _transfer(self, conn: Conn, name: str) -> None:
        rng = self.random
        payer, payee = rng.sample(range(1, ACCOUNTS + 1), 2)
        amount = rng.randint(1, 50)
        conn.execute(UPDATE, (-amount, payer))
        before = conn.execute("SELECT balance FROM purse WHERE id = %s", (payee,)).fetchone()
        conn.execute(UPDATE, (amount, payee))
        after = conn.execute("SELECT balance FROM purse WHERE id = %s", (payee,)).fetchone()
        if before is None or after is None:
            self.outcomes.errors.append(f"{name}: purse {payee} is not there")
        conn.execute("INSERT INTO entry VALUES (%s, %s, %s, %s)", (name, payer, payee, amount))
        if rng.random() < 0.1:
            conn.execute("INSERT INTO keyed VALUES (%s)", (name,))


def audit(conn: Conn, outcomes: Outcomes) -> list[str]:
    """What does not fit."""
    wrong = [*outcomes.errors]
    names = [str(row[0]) for row in conn.execute("SELECT name FROM entry")]
    known = set(names)
    if len(known) != len(names):
        wrong.append("an entry is there twice")
    lost = outcomes.acknowledged - known
    if lost:
        wrong.append(f"acknowledged and lost: {sorted(lost)}")
    ghosts = outcomes.refused & known
    if ghosts:
        wrong.append(f"rolled back and there: {sorted(ghosts)}")
    books = conn.execute(
        "SELECT p.id, p.balance, p.changes, count(e.name), "
        f"{OPENING} + coalesce(sum(CASE p.id WHEN e.payee THEN amount ELSE -amount END), 0) "
        "FROM purse AS p LEFT JOIN entry AS e ON p.id IN (e.payer, e.payee) GROUP BY p.id"
    ).fetchall()
    for purse, balance, changes, entries, expected in books:
        if balance != expected or changes != entries:
            wrong.append(f"purse {purse}: {balance}, {changes}; entries: {expected}, {entries}")
    stray = conn.execute(
        "SELECT name FROM keyed WHERE name NOT IN (SELECT name FROM entry)"
    ).fetchall()
    if stray:
        wrong.append(f"only one of its tables has {stray}")
    return wrong


@pytest.mark.timeout(60 + 30 * ROUNDS)
@pytest.mark.parametrize("hold", ["", "always"])
def test_the_purses_add_up_after_crashes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hold: str
) -> None:
    print(f"PGEMU_CRASH_SEED={SEED}")
    monkeypatch.setenv("PGEMU_HOLD_WRITES", hold)
    rng = random.Random(SEED)
    data = tmp_path / "data"
    outcomes = Outcomes()
    server = start(data)
    with psycopg.connect(server.dsn, autocommit=True) as conn:
        conn.execute(SCHEMA)
    server.stop()
    for number in range(ROUNDS):
        one_round(data, rng, outcomes, PurseTeller)
        server = start(data)
        try:
            with psycopg.connect(server.dsn, autocommit=True) as conn:
                wrong = audit(conn, outcomes)
                assert not wrong, f"round {number}, seed {SEED}: {wrong}"
                conn.execute("SET lock_timeout = '1s'")  # nobody's lock is left
                conn.execute("UPDATE purse SET changes = changes + 0")
        finally:
            assert server.stop() == 0
        print(f"round {number + 1}: {len(outcomes.acknowledged)} acknowledged", flush=True)
    assert len(outcomes.acknowledged) > 20 * ROUNDS
