"""kill -9 of backends and of the whole server at random moments: no acknowledged commit is lost,
nothing that was rolled back appears, the books balance, and nobody waits for the dead.

PGEMU_CRASH_ROUNDS sets the number of rounds, PGEMU_CRASH_SEED repeats a run.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from pathlib import Path

import psycopg
import pytest

from pgemu.testing import PgemuServer
from pgemu.testing.server import ServerError
from tests.crash.bank import SCHEMA, Outcomes, Teller, audit
from tests.crash.ways import second_phase

ROUNDS = int(os.environ.get("PGEMU_CRASH_ROUNDS", "3"))
SEED = int(os.environ.get("PGEMU_CRASH_SEED", str(random.SystemRandom().randrange(10**9))))
TELLERS = 4
SETTINGS = {"deadlock_timeout": "50ms", "max_prepared_transactions": "20"}


def start(data: Path) -> PgemuServer:
    """A server on the folder.  One that was killed may take a moment to leave it."""
    deadline = time.monotonic() + 15
    while True:
        try:
            return PgemuServer(data=data, settings=SETTINGS).start()
        except ServerError as error:
            if "in use" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def end_prepared(conn: psycopg.Connection, unfinished: list[Teller], outcomes: Outcomes) -> None:
    """The second phase of what the tellers could not end any more."""
    for teller in unfinished:
        second_phase(teller, conn)
    for (gid,) in conn.execute("SELECT gid FROM pg_prepared_xacts").fetchall():
        outcomes.errors.append(f"nobody has prepared {gid}")


def one_round(
    data: Path, rng: random.Random, outcomes: Outcomes, kind: type[Teller] = Teller
) -> list[Teller]:
    """Load and kills on one run of the server, which ends by SIGKILL, SIGQUIT or SIGINT."""
    server = start(data)
    try:
        stop = threading.Event()
        tellers = [
            kind(n, server.dsn, rng.randrange(10**12), outcomes, stop) for n in range(TELLERS)
        ]
        for teller in tellers:
            teller.start()
        end = time.monotonic() + rng.uniform(1.5, 3.0)
        while time.monotonic() < end:
            time.sleep(rng.uniform(0.05, 0.8))
            pids = list(outcomes.pids.values())
            if pids and rng.random() < 0.7:
                kill(rng.choice(pids))
        os.kill(server.pid, rng.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGQUIT)))
        time.sleep(0.05)
        stop.set()
        for teller in tellers:
            teller.join(20)
            assert not teller.is_alive(), "a teller hangs"
        return tellers
    finally:
        server.kill()


@pytest.mark.timeout(60 + 30 * ROUNDS)
def test_the_books_balance_after_crashes(tmp_path: Path) -> None:
    print(f"PGEMU_CRASH_SEED={SEED}")
    rng = random.Random(SEED)
    data = tmp_path / "data"
    outcomes = Outcomes()
    server = start(data)
    with psycopg.connect(server.dsn, autocommit=True) as conn:
        conn.execute(SCHEMA)
    server.stop()
    for number in range(ROUNDS):
        unfinished = one_round(data, rng, outcomes)
        server = start(data)
        try:
            with psycopg.connect(server.dsn, autocommit=True) as conn:
                end_prepared(conn, unfinished, outcomes)
                wrong = audit(conn, outcomes)
                assert not wrong, f"round {number}, seed {SEED}: {wrong}"
                # Nobody's lock is left.
                conn.execute("SET lock_timeout = '1s'")
                conn.execute("UPDATE account SET changes = changes + 1")
        finally:
            assert server.stop() == 0
        done = f"{len(outcomes.acknowledged)} acknowledged, {len(outcomes.refused)} refused"
        print(f"round {number + 1}: {done}, {len(outcomes.tickets)} tickets", flush=True)


def test_a_killed_backend_frees_its_locks_and_rows(tmp_path: Path) -> None:
    with (
        PgemuServer(data=tmp_path / "data") as server,
        psycopg.connect(server.dsn, autocommit=True) as conn,
    ):
        conn.execute("CREATE TABLE t (a int PRIMARY KEY, b text)")
        conn.execute("INSERT INTO t VALUES (1, 'x'), (2, 'y')")
        victim = psycopg.connect(server.dsn, autocommit=True)
        victim.execute("BEGIN")
        victim.execute("CREATE TABLE made_by_the_dead (a int)")
        victim.execute("CREATE ROLE ghost")
        victim.execute("UPDATE t SET b = 'dead'")
        victim.execute("SELECT pg_advisory_lock(1)")
        victim.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        kill(victim.info.backend_pid)
        conn.execute("SET statement_timeout = '10s'")
        conn.execute("UPDATE t SET b = b || '!' WHERE a = 1")
        conn.execute("SELECT pg_advisory_lock(1)")
        assert conn.execute("SELECT * FROM t ORDER BY a").fetchall() == [(1, "x!"), (2, "y")]
        assert conn.execute(
            "SELECT to_regclass('made_by_the_dead'), count(*) FROM pg_roles WHERE rolname = 'ghost'"
        ).fetchall() == [(None, 0)]
        conn.execute("CREATE ROLE ghost")
        with contextlib.suppress(psycopg.Error):
            victim.close()


def test_who_waits_for_the_dead_goes_on_within_a_second(tmp_path: Path) -> None:
    waits = (
        "UPDATE t SET b = 'alive' WHERE a = 1",
        "INSERT INTO t VALUES (3, 'alive')",
        "INSERT INTO t VALUES (2, 'alive') ON CONFLICT (a) DO UPDATE SET b = excluded.b",
        "SELECT * FROM t WHERE a = 2 FOR SHARE",
        "LOCK TABLE u",
        "SELECT pg_advisory_xact_lock(1)",
        "DELETE FROM v",
        "CREATE ROLE ghost",
    )
    with PgemuServer(data=tmp_path / "data") as server, contextlib.ExitStack() as stack:

        def connect() -> psycopg.Connection:
            conn = psycopg.connect(server.dsn, autocommit=True)
            return stack.enter_context(contextlib.closing(conn))

        conn = connect()
        conn.execute("CREATE TABLE t (a int PRIMARY KEY, b text); CREATE TABLE u (a int)")
        conn.execute("CREATE TABLE v (a int REFERENCES t); INSERT INTO t VALUES (1, ''), (2, '')")
        conn.execute("INSERT INTO v VALUES (1)")
        for _ in range(3):
            victim, waiters = connect(), [connect() for _ in waits]
            victim.execute("BEGIN; UPDATE t SET b = 'dead'; INSERT INTO t VALUES (3, 'dead')")
            victim.execute("LOCK TABLE u; SELECT pg_advisory_lock(1); CREATE ROLE ghost")
            victim.execute("UPDATE v SET a = 2")
            ends: dict[str, float] = {}

            def wait(waiter: psycopg.Connection, sql: str, ends: dict[str, float]) -> None:
                with contextlib.suppress(psycopg.errors.UniqueViolation):
                    waiter.execute("BEGIN")
                    waiter.execute(sql)
                ends[sql] = time.monotonic()
                waiter.execute("ROLLBACK")

            threads = [
                threading.Thread(target=wait, args=(waiter, sql, ends), daemon=True)
                for waiter, sql in zip(waiters, waits, strict=True)
            ]
            for thread in threads:
                thread.start()
            time.sleep(0.5)
            assert not ends, f"did not wait: {ends}"
            killed = time.monotonic()
            kill(victim.info.backend_pid)
            for thread in threads:
                thread.join(10)
            late = {sql: ends.get(sql, 1e9) - killed for sql in waits}
            assert max(late.values()) < 1.0, late
            assert conn.execute("SELECT * FROM t ORDER BY a").fetchall() == [(1, ""), (2, "")]


def test_temporary_tables_do_not_outlive_a_crash(tmp_path: Path) -> None:
    server = start(tmp_path / "data")
    conn = psycopg.connect(server.dsn, autocommit=True)
    conn.execute("CREATE TEMP TABLE gone (a int PRIMARY KEY)")
    conn.execute("CREATE TABLE stays (a serial)")
    oid = conn.execute("SELECT 'stays'::regclass::oid").fetchone()
    os.kill(server.pid, signal.SIGKILL)
    server.kill()
    conn.close()
    server = start(tmp_path / "data")
    try:
        with psycopg.connect(server.dsn, autocommit=True) as conn:
            found = conn.execute("SELECT count(*) FROM pg_class WHERE relname LIKE 'gone%'")
            assert found.fetchone() == (0,)
            conn.execute("CREATE TABLE later (a int)")
            new = conn.execute("SELECT 'later'::regclass::oid").fetchone()
            assert oid is not None and new is not None and new[0] > oid[0]
    finally:
        server.stop()
