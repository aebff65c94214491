"""Indexes that recovery had to drop, because their expressions call functions that only a session
can run: the next session of the database builds them again.
"""

from __future__ import annotations

from typing import Any

import apsw

from pgemu.catalog.rows import PgClass, PgIndex
from pgemu.errors import PgError


def rebuild_lost_indexes(session: Any) -> None:
    """Before a new session serves its client."""
    query = "SELECT name FROM main._pending WHERE what='reindex'"
    if session.conn.execute(f"{query} LIMIT 1").fetchone() is None:
        return
    for (name,) in session.conn.execute(query).fetchall():
        try:
            with session.xact.write():
                _rebuild(session, name)
        except (PgError, apsw.Error) as error:
            session.notice("LOG", "00000", f'could not rebuild index "{name}": {error}')


def _rebuild(session: Any, name: str) -> None:
    from pgemu.commands.indexcmds import rebuild_index

    number = int(name.rpartition(".i")[2])
    for row in session.catalog.all(PgClass, relfilenode=number):
        index = session.catalog.one(PgIndex, indexrelid=row.oid)
        if index is None:
            continue
        relation = session.catalog.relation(index.indrelid)
        for one in relation.indexes:
            if one.oid == row.oid:
                rebuild_index(session, relation, one)
    session.xact.execute("DELETE FROM main._pending WHERE what='reindex' AND name=?", (name,))
