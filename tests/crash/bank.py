"""A bank whose books must balance: the load of the crash tests.

Every transfer writes two accounts and one line of the ledger, in one transaction, by one of several
ways.  A teller remembers which transfers were acknowledged, and which were refused; of those whose
connection broke it knows nothing.
"""

from __future__ import annotations

import contextlib
import random
import threading
from dataclasses import dataclass, field

import psycopg

from tests.crash import ways

ACCOUNTS = 12
OPENING = 1000

SCHEMA = f"""
CREATE TABLE account (id int PRIMARY KEY, balance numeric NOT NULL, changes int DEFAULT 0);
CREATE TABLE ledger (id text PRIMARY KEY, payer int REFERENCES account,
    payee int REFERENCES account, amount int CHECK (amount > 0));
INSERT INTO account SELECT n, {OPENING} FROM generate_series(1, {ACCOUNTS}) AS n;
{ways.SCHEMA}
"""


@dataclass
class Outcomes:
    """What the tellers know."""

    acknowledged: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    pids: dict[int, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    tickets: set[int] = field(default_factory=set)
    guard: threading.Lock = field(default_factory=threading.Lock)


class Teller(threading.Thread):
    """Transfers money until told to stop, reconnecting whenever its connection breaks."""

    def __init__(
        self, number: int, dsn: str, seed: int, outcomes: Outcomes, stop: threading.Event
    ) -> None:
        super().__init__(daemon=True)
        self.number = number
        self.dsn = dsn
        self.seed = seed
        self.random = random.Random(seed)
        self.outcomes = outcomes
        self.stop_event = stop
        self.count = 0
        # name, to be rolled back, was acknowledged: a transaction before its second phase
        self.prepared: tuple[str, bool, bool] | None = None

    def run(self) -> None:
        while not self.stop_event.is_set():
            try:
                with psycopg.connect(self.dsn, autocommit=True, connect_timeout=5) as conn:
                    self.outcomes.pids[self.number] = conn.info.backend_pid
                    ways.second_phase(self, conn)
                    while not self.stop_event.is_set():
                        self.transfer(conn)
                        ways.ticket(conn, self.outcomes)
            except psycopg.OperationalError:
                self.stop_event.wait(0.01)  # killed, or nobody listens
            finally:
                self.outcomes.pids.pop(self.number, None)

    def transfer(self, conn: psycopg.Connection[tuple[object, ...]]) -> None:
        rng = self.random
        self.count += 1
        name = f"{self.seed}.{self.count}"
        payer, payee = rng.sample(range(1, ACCOUNTS + 1), 2)
        amount = rng.randint(1, 50)
        way = rng.choice((self._block, self._savepoint, self._repeatable, self._one_statement))
        other = rng.choice((None, ways.ddl, ways.truncate, ways.copy, ways.prepared))
        refuse = rng.random() < 0.2 and way != self._one_statement
        try:
            if other is not None:
                other(self, conn, name, payer, payee, amount, refuse)
            else:
                way(conn, name, payer, payee, amount, refuse)
        except psycopg.errors.OperationalError as error:
            if error.sqlstate in ("40P01", "40001"):
                self.prepared = None
                self.outcomes.refused.add(name)
                if conn.info.transaction_status:
                    conn.execute("ROLLBACK")
                return
            raise
        except psycopg.Error as error:
            self.outcomes.errors.append(f"{name}: {error.sqlstate} {error}")
            with contextlib.suppress(psycopg.Error):
                conn.execute("ROLLBACK")
            return
        if other is not ways.prepared:  # which notes its end itself
            (self.outcomes.refused if refuse else self.outcomes.acknowledged).add(name)

    def move(self, conn: psycopg.Connection[tuple[object, ...]], *transfer: object) -> None:
        name, payer, payee, amount = transfer
        update = "UPDATE account SET balance = balance + %s, changes = changes + 1 WHERE id = %s"
        conn.execute(update, (-int(str(amount)), payer))
        conn.execute("INSERT INTO ledger VALUES (%s, %s, %s, %s)", (name, payer, payee, amount))
        conn.execute(update, (amount, payee))

    def end(self, conn: psycopg.Connection[tuple[object, ...]], refuse: bool) -> None:
        conn.execute("ROLLBACK" if refuse else "COMMIT")

    def _block(
        self,
        conn: psycopg.Connection[tuple[object, ...]],
        name: str,
        payer: int,
        payee: int,
        amount: int,
        refuse: bool,
    ) -> None:
        conn.execute("BEGIN")
        self.move(conn, name, payer, payee, amount)
        self.end(conn, refuse)

    def _savepoint(
        self,
        conn: psycopg.Connection[tuple[object, ...]],
        name: str,
        payer: int,
        payee: int,
        amount: int,
        refuse: bool,
    ) -> None:
        conn.execute("BEGIN")
        conn.execute("SAVEPOINT s")
        self.move(conn, name + "x", payee, payer, amount)
        conn.execute("ROLLBACK TO s")
        self.move(conn, name, payer, payee, amount)
        self.end(conn, refuse)

    def _repeatable(
        self,
        conn: psycopg.Connection[tuple[object, ...]],
        name: str,
        payer: int,
        payee: int,
        amount: int,
        refuse: bool,
    ) -> None:
        conn.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        total = conn.execute("SELECT sum(balance) FROM account").fetchone()
        if total is None or total[0] != ACCOUNTS * OPENING:
            self.outcomes.errors.append(f"{name}: saw a total of {total}")
        self.move(conn, name, payer, payee, amount)
        self.end(conn, refuse)

    def _one_statement(
        self,
        conn: psycopg.Connection[tuple[object, ...]],
        name: str,
        payer: int,
        payee: int,
        amount: int,
        refuse: bool,
    ) -> None:
        conn.execute(
            "WITH paid AS (UPDATE account SET changes = changes + 1, balance = balance + "
            "CASE id WHEN %s THEN -%s ELSE %s END WHERE id IN (%s, %s) RETURNING id) "
            "INSERT INTO ledger SELECT %s, %s, %s, %s FROM paid WHERE id = %s",
            (payer, amount, amount, payer, payee, name, payer, payee, amount, payer),
        )


def audit(conn: psycopg.Connection[tuple[object, ...]], outcomes: Outcomes) -> list[str]:
    """Everything that is wrong with the books."""
    wrong = list(outcomes.errors)
    balances = {row[0]: int(str(row[1])) for row in conn.execute("SELECT id, balance FROM account")}
    expected = dict.fromkeys(range(1, ACCOUNTS + 1), OPENING)
    names = set()
    for name, payer, payee, amount in conn.execute("SELECT * FROM ledger").fetchall():
        names.add(str(name))
        expected[int(str(payer))] -= int(str(amount))
        expected[int(str(payee))] += int(str(amount))
    if balances != expected:
        wrong.append(f"balances {balances}, by the ledger {expected}")
    lost = outcomes.acknowledged - names
    if lost:
        wrong.append(f"acknowledged but lost: {sorted(lost)[:5]} ({len(lost)})")
    wrong += ways.audit(conn, names)
    undead = outcomes.refused & names
    if undead:
        wrong.append(f"rolled back but there: {sorted(undead)[:5]} ({len(undead)})")
    return wrong
