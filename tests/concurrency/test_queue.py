"""A job queue with FOR UPDATE SKIP LOCKED: eight workers, every job done exactly once.

PGEMU_QUEUE_JOBS sets the number of jobs.
"""

from __future__ import annotations

import os
import threading
from collections import Counter

import psycopg
import pytest

JOBS = int(os.environ.get("PGEMU_QUEUE_JOBS", "400"))
WORKERS = 8
TAKE = (
    "SELECT id FROM job WHERE NOT done ORDER BY id LIMIT {limit} FOR UPDATE SKIP LOCKED",
    "UPDATE job SET done = true, by = {worker} WHERE id = ANY (%s)",
)
TAKE_AT_ONCE = (
    "UPDATE job SET done = true, by = {worker} WHERE id IN (SELECT id FROM job WHERE NOT done "
    "ORDER BY id LIMIT {limit} FOR UPDATE SKIP LOCKED) RETURNING id"
)
DELETE = (
    "DELETE FROM job WHERE id = (SELECT id FROM job ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) "
    "RETURNING id"
)


class Worker(threading.Thread):
    """Takes jobs by one of the usual ways until there are none; done: what it was given."""

    def __init__(self, dsn: str, number: int, way: str) -> None:
        super().__init__(daemon=True)
        self.dsn, self.number, self.way = dsn, number, way
        self.done: list[int] = []
        self.turns = 0
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            with psycopg.connect(self.dsn, autocommit=True) as conn:
                while self.take(conn):
                    pass
        except BaseException as error:  # for the test to show
            self.error = error

    def take(self, conn: psycopg.Connection) -> bool:
        limit = 1 + len(self.done) % 3
        if self.way == "delete":
            found = conn.execute(DELETE).fetchall()
        elif self.way == "statement":
            text = TAKE_AT_ONCE.format(worker=self.number, limit=limit)
            found = conn.execute(text).fetchall()
        else:
            self.turns += 1
            gives_up = self.turns % 7 == 0
            with conn.transaction():
                found = conn.execute(TAKE[0].format(limit=limit)).fetchall()
                ids = [row[0] for row in found]
                conn.execute(TAKE[1].format(worker=self.number), (ids,))
                if gives_up:  # a worker that fails gives its jobs back
                    raise psycopg.Rollback
            if gives_up:
                return True
        self.done += [row[0] for row in found]
        return bool(found)


@pytest.mark.timeout(60 + JOBS // 10)
@pytest.mark.parametrize("way", ["transaction", "statement", "delete"])
def test_every_job_is_done_once(dsn: str, way: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("CREATE TABLE job (id int PRIMARY KEY, done bool DEFAULT false, by int)")
        conn.execute("CREATE INDEX ON job (id) WHERE NOT done")
        conn.execute("INSERT INTO job SELECT g FROM generate_series(1, %s) AS g", (JOBS,))
        workers = [Worker(dsn, number, way) for number in range(WORKERS)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(50 + JOBS / 10)
            assert not worker.is_alive(), "a worker hangs"
        assert [w.error for w in workers] == [None] * WORKERS
        taken = Counter(job for w in workers for job in w.done)
        assert taken == Counter(range(1, JOBS + 1))
        left = conn.execute("SELECT count(*) FROM job WHERE NOT done").fetchone()
        assert left == (0,)
        if way != "delete":
            for worker in workers:
                mine = conn.execute("SELECT id FROM job WHERE by = %s", (worker.number,))
                assert {row[0] for row in mine} == set(worker.done)
