"""Replication origins: the pg_replication_origin catalog and the progress of each (PostgreSQL's
origin.c).

Progress is the server's, outside of transactions: it is kept in a small file that every session
reads and rewrites under a file lock.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pgemu.catalog.rows import PgReplicationOrigin
from pgemu.errors import UNDEFINED_OBJECT, UNIQUE_VIOLATION, PgError

_INDEX = "pg_replication_origin_roname_index"


def create_origin(catalog: Any, name: str) -> int:
    """replorigin_create: the lowest free number."""
    if catalog.one(PgReplicationOrigin, roname=name) is not None:
        raise PgError(
            UNIQUE_VIOLATION,
            f'duplicate key value violates unique constraint "{_INDEX}"',
            detail=f"Key (roname)=({name}) already exists.",
            schema="pg_catalog",
            table="pg_replication_origin",
            constraint=_INDEX,
        )
    used = {row.roident for row in catalog.all(PgReplicationOrigin)}
    number = next(n for n in range(1, 65535) if n not in used)
    catalog.insert(PgReplicationOrigin(number, name))
    return number


def origin_by_name(catalog: Any, name: str) -> int:
    """42704 if there is none."""
    row = catalog.one(PgReplicationOrigin, roname=name)
    if row is None:
        raise PgError(UNDEFINED_OBJECT, f'replication origin "{name}" does not exist')
    return int(row.roident)


def drop_origin(session: Any, name: str) -> None:
    """replorigin_drop_by_name: with its progress."""
    number = origin_by_name(session.catalog, name)
    session.catalog.delete(PgReplicationOrigin, roident=number)

    def forget() -> None:
        with progress(session) as states:
            states.pop(str(number), None)

    session.xact.at_commit(forget)


def origin_lsn(session: Any, name: str) -> int | None:
    """How far the origin has come."""
    row = session.catalog.one(PgReplicationOrigin, roname=name)
    if row is None:
        return None
    with progress(session) as states:
        return states.get(str(row.roident))


@contextmanager
def progress(session: Any) -> Iterator[dict[str, int]]:
    """Number -> LSN; changes are written back."""
    path = os.path.join(session.cluster.data, "replorigin_checkpoint")
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with open(fd, "r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        text = file.read()
        states: dict[str, int] = json.loads(text) if text else {}
        before = dict(states)
        yield states
        if states != before:
            file.seek(0)
            file.truncate()
            json.dump(states, file)
