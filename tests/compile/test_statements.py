"""What the planner writes is one well-formed SQLite statement, whatever the query: it is parsed by
a second opinion on SQLite's grammar, and no name of the user's ever reaches it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
import sqlglot

import pgemu.tcop.everything  # noqa: F401
from pgemu.catalog.template import build_template
from pgemu.commands.utility import process_utility
from pgemu.executor.session import Session
from pgemu.guc import Settings
from pgemu.planner.planner import plan_query
from pgemu.rewrite.rewrite_handler import query_rewrite
from pgemu.storage.cluster import Cluster
from pgemu.storage.shmem import SharedMemory
from pgemu.types.timezone import pg_tzset

TABLES = (
    'CREATE TABLE "order" (id int PRIMARY KEY, "select" text, amount numeric(10,2), at date)',
    "CREATE TABLE doc (id int8, d jsonb, at timestamptz, x float8, n numeric, i numeric(12,2))",
    'CREATE TABLE "group" (id int PRIMARY KEY, "where" int REFERENCES "order", flags bool[])',
)
QUERIES = (
    'SELECT 1 FROM "order"',
    'SELECT o."select", count(*) FROM "order" o GROUP BY 1 HAVING count(*) > 1 ORDER BY 2 DESC',
    'SELECT * FROM "order" o LEFT JOIN "group" g ON g."where" = o.id WHERE o.amount > 1.5',
    'SELECT * FROM "order" FULL JOIN "group" USING (id)',
    'SELECT (SELECT max(g.id) FROM "group" g WHERE g."where" = o.id) FROM "order" o',
    'SELECT id FROM "order" WHERE id IN (SELECT "where" FROM "group") AND NOT amount IS NULL',
    'SELECT id FROM "order" WHERE id = ANY (ARRAY[1, 2, 3]) OR "select" LIKE \'a%\'',
    'SELECT DISTINCT ON ("select") "select", id FROM "order" ORDER BY "select", id DESC',
    'SELECT row_number() OVER (PARTITION BY "select" ORDER BY amount DESC), id FROM "order"',
    'SELECT sum(amount) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM "order"',
    'WITH w AS MATERIALIZED (SELECT id FROM "order") SELECT * FROM w a, w b',
    'SELECT id FROM "order" UNION ALL SELECT id FROM "group" ORDER BY 1 LIMIT 5 OFFSET 2',
    'SELECT id FROM "order" EXCEPT SELECT "where" FROM "group"',
    'SELECT CASE WHEN amount > 1 THEN \'x\' ELSE "select" END FROM "order"',
    'SELECT "select", sum(amount) FILTER (WHERE id > 3) FROM "order" GROUP BY ROLLUP ("select")',
    "SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS v (n, t) WHERE n > 1",
)


# what SQLite computes alone, but for the function that shows the result
NATIVE = (
    ("SELECT sum(id) FROM doc", "pg_whole_sum"),
    ("SELECT avg(id) OVER (ORDER BY x) FROM doc", "pg_whole_avg"),
    ("SELECT sum(i) OVER (ORDER BY id) FROM doc", "pg_scaled_sum"),
    ("SELECT min(i) OVER (ORDER BY id) FROM doc", "pg_scaled_min"),
    ("SELECT id::text || 'x' FROM doc", "CAST(t1.c1 AS TEXT)"),
    ("SELECT n::text FROM doc", "t1.c5 || ''"),
)
# a body stands behind a test that is made first
TESTED = (
    ("SELECT id + 1 FROM doc", "typeof"),
    ("SELECT (id + 1) * 2 - id FROM doc", "typeof"),
    ("SELECT id / 3, id % 3 FROM doc", "> 0 THEN"),
    ("SELECT x * 2.5 FROM doc", "BETWEEN 1e-290 AND 1e300"),
    ("SELECT date_trunc('day', at) FROM doc", "% 86400000000"),
    ("SELECT at::date FROM doc", "/ 86400000000"),
    ("SELECT extract(year FROM at) FROM doc", "strftime"),
    ("SELECT date_part('hour', at) FROM doc", "AS REAL"),
    ("SELECT d -> 'a' ->> 'b' FROM doc", "json_type"),
    ("SELECT (d ->> 'a')::numeric FROM doc", "IN ('integer', 'real')"),
    ("SELECT (d -> 'a')::int FROM doc", "length"),
    ("SELECT id FROM doc WHERE d @> '{\"a\": 1}'", "instr"),
    ("SELECT id FROM doc WHERE d ? 'a'", "IS NOT NULL"),
)
# no test can tell that SQLite's result is the right one
BODIES = (
    ("SELECT sum(DISTINCT id) FROM doc", "sum_"),
    ("SELECT sum(n) OVER (ORDER BY id) FROM doc", "w_sum_"),
    ("SELECT sum(x) OVER (ORDER BY id) FROM doc", "w_sum_"),
    ("SELECT n + 1 FROM doc", "numeric_add_"),
    ("SELECT x * random() FROM doc", "float8mul_"),
    ("SELECT (d -> 0) FROM doc", "jsonb_array_element_"),
    ("SELECT (d ->> 'a')::float8 FROM doc", "pg_coerce_via_io_"),
    ("SELECT d -> ((d ->> 'a') || 'b') FROM doc", "jsonb_object_field_"),
    ("SELECT date_trunc('quarter', at) FROM doc", "date_trunc_"),
    ("SELECT extract(second FROM at) FROM doc", "extract_"),
    ("SELECT x::text FROM doc", "pg_coerce_via_io_"),
    ("SELECT date_trunc('day', at), set_config('timezone', 'CET', false) FROM doc", "date_trunc_"),
)


def compiled(session: Any, text: str) -> str:
    query = session.analyze(session.parse(text)[0], text)
    (rewritten,) = query_rewrite(query, session.catalog)
    plan = plan_query(rewritten, session.catalog, session.udfs)
    return str(plan.sql)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    template = str(tmp_path_factory.mktemp("template"))
    build_template(template)
    cluster = Cluster.create_ephemeral(template)
    shm = SharedMemory.create(cluster.shm_path, 20)
    slot = shm.procarray.claim_slot(os.getpid())
    made = Session(cluster, shm, slot, cluster.database_oids()[-1], Settings())
    for text in TABLES:
        for raw in made.parse(text):
            process_utility(made, made.analyze(raw, text), text)
    yield made
    made.close()
    cluster.close()


@pytest.mark.parametrize("text", QUERIES)
def test_query(session: Any, text: str) -> None:
    statement = compiled(session, text)
    named = re.sub(r"\?(\d+)", r":p\1", statement)  # numbered parameters are SQLite's alone
    statements = sqlglot.parse(named, read="sqlite")
    assert len(statements) == 1 and statements[0] is not None
    assert "amount" not in statement and '"' not in statement, statement


CALL = re.compile(r"\b[a-z]\w*_\d+\(")  # of a function that is registered by its name and OID


@pytest.mark.parametrize(("text", "part"), NATIVE)
def test_native(session: Any, text: str, part: str) -> None:
    statement = compiled(session, text)
    assert part in statement and not CALL.search(statement), statement


@pytest.mark.parametrize(("text", "part"), TESTED)
def test_tested(session: Any, text: str, part: str) -> None:
    session.ctx.timezone = pg_tzset("UTC")
    statement = compiled(session, text)
    assert part in statement, statement


@pytest.mark.parametrize(("text", "part"), BODIES)
def test_body(session: Any, text: str, part: str) -> None:
    session.ctx.timezone = pg_tzset("UTC")
    statement = compiled(session, text)
    assert statement.startswith(f"SELECT {part}"), statement


def test_zone_with_many_offsets(session: Any) -> None:
    session.ctx.timezone = pg_tzset("Europe/Berlin")
    statement = compiled(session, "SELECT date_trunc('day', at), at::date FROM doc")
    assert "CASE" not in statement, statement
