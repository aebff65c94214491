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

TABLES = (
    'CREATE TABLE "order" (id int PRIMARY KEY, "select" text, amount numeric(10,2), at date)',
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
    query = session.analyze(session.parse(text)[0], text)
    (rewritten,) = query_rewrite(query, session.catalog)
    plan = plan_query(rewritten, session.catalog, session.udfs)
    named = re.sub(r"\?(\d+)", r":p\1", plan.sql)  # numbered parameters are SQLite's alone
    statements = sqlglot.parse(named, read="sqlite")
    assert len(statements) == 1 and statements[0] is not None
    assert "amount" not in plan.sql and '"' not in plan.sql, plan.sql
