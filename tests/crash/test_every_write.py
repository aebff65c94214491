"""A backend dies at a write to a database file, and so may the whole server: a statement or a
transaction is there as a whole or not at all, in its database and in global.db, and who comes
next does not wait.

A few of the writes are tried; all of them with PGEMU_CRASH_ROUNDS above 10.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest

from tests.crash.dying_server import DyingServer
from tests.crash.test_crash import ROUNDS, SEED

POINTS = 10**6 if ROUNDS > 10 else 3
SERVER_POINTS = 40 if ROUNDS > 10 else 1
SETTINGS = {"max_prepared_transactions": "3", "deadlock_timeout": "50ms"}
AT_ONCE = 1.0  # seconds until the locks of a killed backend are free

SETUP = """
CREATE ROLE owner;
CREATE ROLE helper;
CREATE TABLE base (a int PRIMARY KEY, b text);
CREATE INDEX ON base (b);
CREATE TABLE other (a serial, b int REFERENCES base);
INSERT INTO base SELECT g, 'row ' || g FROM generate_series(1, 20) AS g;
INSERT INTO other (b) SELECT g FROM generate_series(1, 10) AS g;
"""

STATE = """
SELECT string_agg(line, E'\\n' ORDER BY line) FROM (
  SELECT 'role ' || rolname || ' ' || rolcanlogin FROM pg_roles WHERE rolname !~ '^pg_'
  UNION ALL SELECT 'relation ' || relname || ' ' || relowner::regrole || ' '
    || coalesce(relacl::text, '') FROM pg_class WHERE relnamespace = 'public'::regnamespace
  UNION ALL SELECT 'schema ' || nspname || ' ' || nspowner::regrole FROM pg_namespace
    WHERE nspname !~ '^pg_'
  UNION ALL SELECT 'shdepend ' || refobjid::regrole || ' ' || classid::regclass || ' '
    || deptype::text || ' ' || count(*) FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass
    GROUP BY refobjid, classid, deptype
  UNION ALL SELECT 'setting ' || setconfig::text FROM pg_db_role_setting
  UNION ALL SELECT 'prepared ' || gid FROM pg_prepared_xacts
  UNION ALL SELECT 'base ' || count(*) || ' ' || coalesce(sum(a), 0) || ' '
    || coalesce(sum(length(b)), 0) FROM base
  UNION ALL SELECT 'other ' || count(*) || ' ' || coalesce(sum(b), 0) FROM other
) AS lines (line)
"""


@dataclass(frozen=True)
class Scenario:
    """What the victim does, and what takes it back once it has happened (also run before)."""

    name: str
    steps: tuple[str, ...]
    cleanup: tuple[str, ...] = ()


SCENARIOS = [
    Scenario(
        "role and table in a transaction",
        (
            "BEGIN",
            "CREATE ROLE w",
            "CREATE TABLE w (a int PRIMARY KEY)",
            "INSERT INTO w VALUES (1)",
            "GRANT SELECT ON w TO w",
            "COMMIT",
        ),
        ("DROP TABLE IF EXISTS w", "DROP ROLE IF EXISTS w"),
    ),
    Scenario("grant", ("GRANT SELECT ON base TO helper",), ("REVOKE ALL ON base FROM helper",)),
    Scenario("schema", ("CREATE SCHEMA s AUTHORIZATION owner",), ("DROP SCHEMA IF EXISTS s",)),
    Scenario(
        "owner", ("ALTER TABLE other OWNER TO owner",), ("ALTER TABLE other OWNER TO postgres",)
    ),
    Scenario(
        "drop owned",
        ("DROP OWNED BY owner",),
        (
            "CREATE TABLE mine (a serial)",
            "ALTER TABLE mine OWNER TO owner",
            "GRANT ALL ON base TO owner",
        ),
    ),
    Scenario(
        "rolled back",
        (
            "BEGIN",
            "CREATE ROLE w",
            "CREATE TABLE w (a int)",
            "GRANT ALL ON base TO w",
            "DELETE FROM other",
            "SAVEPOINT s",
            "UPDATE base SET b = 'x'",
            "ROLLBACK TO s",
            "ROLLBACK",
        ),
    ),
    Scenario(
        "savepoint",
        (
            "BEGIN",
            "CREATE ROLE w",
            "SAVEPOINT s",
            "CREATE ROLE w2",
            "INSERT INTO base VALUES (100, 'x')",
            "ROLLBACK TO s",
            "INSERT INTO base VALUES (101, 'y')",
            "COMMIT",
        ),
        ("DROP ROLE IF EXISTS w", "DELETE FROM base WHERE a = 101"),
    ),
    Scenario(
        "rows and indexes",
        ("INSERT INTO base SELECT g, repeat('x', 300) FROM generate_series(1001, 1050) AS g",),
        ("DELETE FROM base WHERE a > 1000",),
    ),
    Scenario(
        "truncate and index",
        (
            "BEGIN",
            "TRUNCATE other RESTART IDENTITY",
            "CREATE INDEX w ON other (b)",
            "INSERT INTO other (b) VALUES (3)",
            "ALTER TABLE base ADD COLUMN w int DEFAULT 7",
            "COMMIT",
        ),
        (
            "DROP INDEX IF EXISTS w",
            "ALTER TABLE base DROP COLUMN IF EXISTS w",
            "TRUNCATE other",
            "INSERT INTO other (b) SELECT g FROM generate_series(1, 10) AS g",
        ),
    ),
    Scenario(
        "prepared",
        (
            "BEGIN",
            "CREATE ROLE w",
            "CREATE TABLE w (a int)",
            "UPDATE base SET b = b || '!' WHERE a < 4",
            "PREPARE TRANSACTION 'p'",
        ),
        ("ROLLBACK PREPARED 'p'",),
    ),
    Scenario(
        "setting",
        ("ALTER ROLE helper SET work_mem = '1MB'; ALTER ROLE helper LOGIN",),
        ("ALTER ROLE helper RESET work_mem", "ALTER ROLE helper NOLOGIN"),
    ),
]


def state_of(server: DyingServer) -> str:
    """Everything that the scenarios change, and proof that nothing is locked."""
    with psycopg.connect(server.dsn, autocommit=True) as conn:
        found = conn.execute(STATE).fetchone()
        assert found is not None
        if "prepared p" not in found[0]:
            conn.execute("SET lock_timeout = '5s'")
            start = time.monotonic()
            conn.execute("BEGIN; LOCK TABLE base, other; UPDATE base SET b = b; ROLLBACK")
            assert time.monotonic() - start < AT_ONCE, "waited for the dead"
        return str(found[0])


def run(server: DyingServer, steps: tuple[str, ...]) -> None:
    with psycopg.connect(server.dsn, autocommit=True) as conn:
        for step in steps:
            conn.execute(step)


def run_and_die(server: DyingServer, scenario: Scenario, write: int, mode: str) -> bool:
    """Run the scenario's steps; False: it died."""
    try:
        with psycopg.connect(server.dsn, autocommit=True) as victim:
            server.kill_at(victim.info.backend_pid, write, mode)
            try:
                for step in scenario.steps:
                    victim.execute(step)
            finally:
                server.disarm()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DyingServer]:
    folder = tmp_path_factory.mktemp("deaths")
    made = DyingServer(data=folder / "data", settings=SETTINGS)
    made.death_file = str(folder / "death")
    try:
        made.start()
        run(made, (SETUP,))
        yield made
    finally:
        with contextlib.suppress(ProcessLookupError):
            made.kill()


def restart(server: DyingServer) -> None:
    """The server was killed: its children may take a moment to go."""
    from pgemu.testing.server import ServerError

    server.kill()
    deadline = time.monotonic() + 15
    while True:
        try:
            server.start()
            return
        except ServerError as error:
            if "in use" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def one_death(server: DyingServer, scenario: Scenario, states: list[str], at: int) -> bool:
    """False: the scenario has fewer writes."""
    finished = run_and_die(server, scenario, at, "backend")
    found = state_of(server)
    assert found in states, f"{scenario.name}, write {at}:\n{found}\ninstead of {states}"
    if finished:
        assert found == states[-1], f"{scenario.name}: acknowledged but lost"
    if found == states[-1] != states[0]:
        run(server, scenario.cleanup)
        assert state_of(server) == states[0]
    return not finished


@pytest.mark.timeout(120 if ROUNDS <= 10 else 1800)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name.replace(" ", "_"))
def test_a_death_at_a_write(server: DyingServer, scenario: Scenario) -> None:
    print(f"PGEMU_CRASH_SEED={SEED}")
    rng = random.Random(f"{SEED} {scenario.name}")
    if scenario.name != "prepared":
        run(server, scenario.cleanup)
    states = [state_of(server)]
    assert run_and_die(server, scenario, 0, "backend")
    states.append(state_of(server))
    run(server, scenario.cleanup)
    assert state_of(server) == states[0]
    points = list(range(1, server.writes() + 1))
    chosen = points
    if len(points) > POINTS:  # the last ones are those of the COMMIT
        chosen = [*points[-4:], *rng.sample(points, POINTS)]
    deaths = sum(one_death(server, scenario, states, at) for at in chosen)
    assert deaths >= len(chosen) // 2  # a run may have fewer writes than the first one had
    for at in rng.sample(points, min(SERVER_POINTS, len(points))):
        finished = run_and_die(server, scenario, at, "server")
        if not finished:
            restart(server)
        found = state_of(server)
        assert found in states, f"{scenario.name}, write {at}, server:\n{found}"
        if found == states[1] != states[0]:
            run(server, scenario.cleanup)
    print(f"{scenario.name}: {len(points)} writes, {deaths} deaths")
    if scenario.name == "drop owned":
        run(server, scenario.steps)
