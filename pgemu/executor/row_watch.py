"""Which rows BEFORE triggers change by themselves (what cmax tells PostgreSQL's ExecUpdate and
ExecDelete: a row of the statement that such a trigger has changed is an error)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

Touched = set[tuple[str, int]]


@contextmanager
def watching(session: Any, touched: Touched) -> Iterator[None]:
    """Note (name of the SQLite table, rid) of every row that is written inside."""
    watches: list[Touched] = session.udfs.row_watches
    if not watches:
        session.conn.set_update_hook(partial(_note, watches))
    watches.append(touched)
    try:
        yield
    finally:
        watches.pop()
        if not watches:
            session.conn.set_update_hook(None)


def _note(watches: list[Touched], _kind: int, _database: str, table: str, rid: int) -> None:
    for touched in watches:
        touched.add((table, rid))
