"""The tables that transactions need in every database file.

`_active`  transactions that have written and not ended (xid, pid of the backend).
`_undo`    old images of changed rows; op "I" (row was made), "U" or "D" (image of the old row).
`_rowlock` row locks of open transactions, each strength by itself; stamp says how late in the
           transaction (savepoints).
`_pending` storage to drop when a transaction ends: what "commit" or "abort".
In global.db, which is attached as schema g, their names begin with _g, because a trigger can name
the table it writes to only without its schema.
"""

from __future__ import annotations

import apsw

# The image columns of the undo table; widened when a wider table is first written.
UNDO_COLUMNS = 32


def prefix(schema: str) -> str:
    """The prefix of the transaction tables in SQLite schema main or g."""
    return "_" if schema == "main" else "_g"


def _rids(sqlite_name: str) -> tuple[str, str]:
    """SQL for the highest rid of a user's table, and for the highest in its undo."""
    schema, _, table = sqlite_name.partition(".")
    return (
        f"(SELECT max(rid) FROM {sqlite_name})",
        f"(SELECT max(rid) FROM {schema}.{prefix(schema)}undo WHERE relfilenode={table[1:]})",
    )


def next_rid(sqlite_name: str) -> str:
    """SQL for the rid of one new row.  SQLite would take the highest of the table plus one, which
    may be that of a row whose deletion somebody does not see yet or that may come back."""
    table, undo = _rids(sqlite_name)
    return f"max(coalesce({table}, 0), coalesce({undo}, 0)) + 1"


def next_rids(sqlite_name: str) -> str:
    """The same where a statement makes many rows: NULL, which leaves it to SQLite, unless the
    highest rid is that of a row that has gone."""
    table, undo = _rids(sqlite_name)
    number = sqlite_name.rpartition(".")[2][1:]
    return f"iif({undo} > coalesce({table}, 0), pg_next_rid({number}, {undo}), NULL)"


def create_transaction_tables(conn: apsw.Connection, *, shared: bool = False) -> None:
    """Create them in a file that has none (the template); shared: it is global.db."""
    p = prefix("g" if shared else "main")
    images = ", ".join(f"c{n}" for n in range(1, UNDO_COLUMNS + 1))
    conn.execute(
        f"CREATE TABLE {p}active (xid INTEGER PRIMARY KEY, pid);"
        f"CREATE TABLE {p}undo (seq INTEGER PRIMARY KEY, xid, relfilenode, rid, op,"
        f" xmin, {images});"
        f"CREATE INDEX {p}undo_xid ON {p}undo (xid, relfilenode, rid, seq);"
        f"CREATE INDEX {p}undo_rid ON {p}undo (relfilenode, rid, seq);"
        f"CREATE TABLE {p}rowlock (relfilenode, rid, xid, mode,"
        " stamp, PRIMARY KEY (relfilenode, rid, xid, mode)) WITHOUT ROWID;"
        f"CREATE INDEX {p}rowlock_xid ON {p}rowlock (xid);"
        f"CREATE TABLE {p}pending (xid, what, name);"
    ).fetchall()
