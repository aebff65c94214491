"""Sessions that have run their statements before, so that the plans are at hand: only then are the
direct ways taken that these tests are about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg

from tests.regress.transcript import fresh_database
from tests.regress.wire import Address

Connection = psycopg.Connection[tuple[object, ...]]


class Sessions:
    """Of one database."""

    def __init__(self, dsn: str, statements: Sequence[str]) -> None:
        self.dsn = dsn
        self.statements = statements
        self.open: list[Connection] = []

    def new(self) -> Connection:
        conn: Connection = psycopg.connect(self.dsn, autocommit=True, prepare_threshold=None)
        self.open.append(conn)
        for _ in range(2):
            conn.execute("begin")
            for text in self.statements:
                conn.execute(text)
            conn.execute("rollback")
        return conn


@contextmanager
def rehearsed_sessions(
    server: Address, database: str, schema: str, statements: Sequence[str]
) -> Iterator[Sessions]:
    """In a fresh database with that schema; they are closed in the end."""
    with fresh_database(server, database) as address:
        found = Sessions(address.dsn, statements)
        with psycopg.connect(found.dsn, autocommit=True) as conn:
            conn.execute(schema)
        try:
            yield found
        finally:
            for conn in found.open:
                conn.close()
