"""A backend dies before a line of the code of transactions and storage: as in test_every_write,
what it did is there as a whole or not at all, and nobody waits for it.

A few of the lines are tried; many more with PGEMU_CRASH_ROUNDS above 10.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator

import psycopg
import pytest

from tests.crash.dying_server import DyingServer
from tests.crash.test_crash import ROUNDS, SEED
from tests.crash.test_every_write import SETTINGS, SETUP, Scenario, run, state_of

POINTS = 150 if ROUNDS > 10 else 3

MORE_STATE = """
SELECT (SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database) || ' ' ||
    (SELECT last_value FROM counter) || ' ' || (SELECT count(*) FROM pg_locks WHERE pid <> all (
        SELECT pid FROM pg_stat_activity) AND pid IS NOT NULL)
"""
ROW_3 = "INSERT INTO other SELECT 3, 3 WHERE NOT EXISTS (SELECT 1 FROM other WHERE a = 3)"
SCENARIOS = [
    Scenario("lone change", ("UPDATE base SET b = 'x' WHERE a = 1",) * 3,
             ("UPDATE base SET b = 'row 1' WHERE a = 1",)),
    Scenario("lone block", ("BEGIN", *("UPDATE base SET b = 'x' WHERE a = 1",) * 3, "COMMIT"),
             ("UPDATE base SET b = 'row 1' WHERE a = 1",)),
    Scenario("with", ("WITH d AS (DELETE FROM other WHERE b = 3 RETURNING b) "
                      "UPDATE base SET b = 'x' FROM d WHERE d.b = base.a",),
             ("UPDATE base SET b = 'row 3' WHERE a = 3", ROW_3)),
    Scenario("block", ("BEGIN", "CREATE ROLE w", "SAVEPOINT s", "UPDATE base SET b = 'x'",
                       "ROLLBACK TO s", "LOCK TABLE other", "DELETE FROM other WHERE b = 3",
                       "SELECT pg_advisory_lock(1)", "COMMIT"),
             ("DROP ROLE IF EXISTS w", ROW_3)),
    Scenario("rolled back", ("BEGIN", "CREATE ROLE w", "CREATE TABLE w (a int)",
                             "ALTER SEQUENCE counter RESTART WITH 9", "DELETE FROM other",
                             "TRUNCATE base CASCADE", "ROLLBACK")),
    Scenario("serializable", ("BEGIN ISOLATION LEVEL SERIALIZABLE", "TABLE base",
                              "DELETE FROM other WHERE b = 3", "COMMIT"),
             (ROW_3,)),
    Scenario("sequence", ("BEGIN", "ALTER SEQUENCE counter RESTART WITH 7",
                          "DELETE FROM other WHERE b = 3", "COMMIT"),
             ("ALTER SEQUENCE counter RESTART WITH 1", ROW_3)),
    Scenario("storage", ("BEGIN", "CREATE TABLE w (a serial PRIMARY KEY)", "TRUNCATE other",
                         "CREATE UNIQUE INDEX ON base (b)", "COMMIT"),
             ("DROP TABLE IF EXISTS w", "DROP INDEX IF EXISTS base_b_idx1", "TRUNCATE other",
              "INSERT INTO other SELECT g, g FROM generate_series(1, 10) AS g")),
    Scenario("create database", ("CREATE DATABASE w",), ("DROP DATABASE IF EXISTS w",)),
    Scenario("drop database", ("CREATE DATABASE w", "DROP DATABASE w"),
             ("DROP DATABASE IF EXISTS w",)),
    Scenario("commit prepared", ("BEGIN", "CREATE ROLE w", "DELETE FROM other WHERE b = 3",
                                 "PREPARE TRANSACTION 'p'", "COMMIT PREPARED 'p'"),
             ("DROP ROLE IF EXISTS w", ROW_3)),
    Scenario("rollback prepared", ("BEGIN", "CREATE ROLE w", "CREATE TABLE w (a int)",
                                   "DELETE FROM other", "PREPARE TRANSACTION 'p'",
                                   "ROLLBACK PREPARED 'p'")),
]  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DyingServer]:
    folder = tmp_path_factory.mktemp("lines")
    made = DyingServer(data=folder / "data", settings=SETTINGS)
    made.death_file = str(folder / "death")
    try:
        made.start()
        run(made, (SETUP, "CREATE SEQUENCE counter"))
        yield made
    finally:
        with contextlib.suppress(ProcessLookupError):
            made.kill()


def whole_state(server: DyingServer) -> str:
    state = state_of(server)
    with psycopg.connect(server.dsn, autocommit=True) as conn:
        found = conn.execute(MORE_STATE).fetchone()
        assert found is not None
        assert conn.execute("SELECT pg_try_advisory_lock(1)").fetchone() == (True,)
        conn.execute("CREATE TABLE probe (a int); DROP TABLE probe")
    return f"{state}\n{found[0]}"


def clean_up(server: DyingServer, scenario: Scenario) -> None:
    with psycopg.connect(server.dsn, autocommit=True) as conn:
        for (gid,) in conn.execute("SELECT gid FROM pg_prepared_xacts").fetchall():
            conn.execute(f"ROLLBACK PREPARED '{gid}'")
    run(server, scenario.cleanup)


def states_on_the_way(server: DyingServer, scenario: Scenario) -> list[str]:
    states = [whole_state(server)]
    with psycopg.connect(server.dsn, autocommit=True) as conn:
        for step in scenario.steps:
            conn.execute(step)
            if not conn.info.transaction_status:
                conn.execute("SELECT pg_advisory_unlock_all()")
                states.append(whole_state(server))
    return states


def run_and_die(server: DyingServer, scenario: Scenario, line: int) -> int:
    """How many steps were acknowledged."""
    done = 0
    with contextlib.suppress(psycopg.OperationalError):
        conn = psycopg.connect(server.dsn, autocommit=True)
        with contextlib.closing(conn):
            server.kill_at(conn.info.backend_pid, line, "line")
            try:
                for step in scenario.steps:
                    conn.execute(step)
                    done += 1
            finally:
                server.disarm()
    return done


@pytest.mark.timeout(120 if ROUNDS <= 10 else 1800)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name.replace(" ", "_"))
def test_a_death_at_a_line(server: DyingServer, scenario: Scenario) -> None:
    print(f"PGEMU_CRASH_SEED={SEED}")
    rng = random.Random(f"{SEED} {scenario.name}")
    states = states_on_the_way(server, scenario)
    clean_up(server, scenario)
    assert whole_state(server) == states[0]
    assert run_and_die(server, scenario, 0) == len(scenario.steps)
    lines = server.writes()
    clean_up(server, scenario)
    deaths = 0
    for line in sorted(rng.sample(range(1, lines + 1), min(POINTS, lines))):
        done = run_and_die(server, scenario, line)
        place = f"{scenario.name}, line {line} of {lines}, {done} steps done, {server.place()}"
        try:
            found = whole_state(server)
        except psycopg.Error as error:
            raise AssertionError(f"{place}\n{server.log()[-3000:]}") from error
        assert found in states, f"{place}:\n{found}\ninstead of {states}"
        if done == len(scenario.steps):
            assert found == states[-1], f"{place}: acknowledged but lost"
        else:
            deaths += 1
        if found != states[0]:
            clean_up(server, scenario)
            assert whole_state(server) == states[0], place
    print(f"{scenario.name}: {lines} lines, {deaths} deaths")
