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
