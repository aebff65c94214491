"""Opening the SQLite connection of a database.

The counterpart of PostgreSQL's smgr and buffer manager is SQLite itself: its WAL, its shared WAL
index and its mmap are the buffer pool that all backends share.  Here are the flags and PRAGMAs
that make it so.  Nothing of SQLite may be open across a fork.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import apsw

# SQLite's prepared statements are cached by apsw; the plan cache holds on to the texts.
STATEMENT_CACHE_SIZE = 512
MMAP_SIZE = 0
CACHE_KIB = 16_384
PROGRESS_STEPS = 20_000  # virtual machine steps between two looks at the interrupt flag

if not apsw.connections():  # SQLite can only be configured before its first use
    apsw.shutdown()
    # Rows come in the order of the table, as PostgreSQL's sequential scan gives them, not in that
    # of an index which happens to have all the columns.
    apsw.config(apsw.SQLITE_CONFIG_COVERING_INDEX_SCAN, 0)
    apsw.initialize()

_FLAGS = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_NOMUTEX | apsw.SQLITE_OPEN_EXRESCODE
_PRAGMAS = (
    f"PRAGMA mmap_size={MMAP_SIZE};PRAGMA cache_size=-{CACHE_KIB};PRAGMA temp_store=MEMORY;"
    "PRAGMA foreign_keys=OFF;PRAGMA recursive_triggers=ON;PRAGMA trusted_schema=ON;"
    "PRAGMA wal_autocheckpoint=0;PRAGMA threads=0;PRAGMA cell_size_check=OFF;"
    "PRAGMA legacy_alter_table=ON;PRAGMA case_sensitive_like=ON;"
)

Collation = Callable[[str, str], int]


def open_database(
    path: str,
    global_path: str,
    *,
    collations: Mapping[str, Collation] | Iterable[tuple[str, Collation]] = (),
    fsync: bool = False,
    busy_timeout_ms: int = 10_000,
) -> apsw.Connection:
    """A connection to a database file with the shared catalogs attached as schema `g`.

    collations: name -> compare(a, b).  fsync: see set_synchronous.  Writers take the database's
    WriterLock before BEGIN IMMEDIATE, so SQLITE_BUSY comes only from recovery and checkpoints,
    for which busy_timeout_ms is the patience.
    """
    connection = apsw.Connection(path, flags=_FLAGS, statementcachesize=STATEMENT_CACHE_SIZE)
    connection.set_busy_timeout(busy_timeout_ms)
    # Closing the last connection must not stop to checkpoint: that is the checkpointer's work.
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    items = collations.items() if isinstance(collations, Mapping) else collations
    for name, compare in items:
        connection.create_collation(name, compare)
    attach = "ATTACH '{}' AS g;".format(global_path.replace("'", "''"))
    level = "NORMAL" if fsync else "OFF"
    # fetchall: apsw runs the statements of a script only as far as rows are asked for.
    connection.execute(attach + _PRAGMAS + synchronous_pragma(level)).fetchall()
    return connection


def synchronous_pragma(level: str) -> str:
    """OFF: never sync.  NORMAL: sync at checkpoints.  FULL: sync every commit."""
    return f"PRAGMA main.synchronous={level};PRAGMA g.synchronous={level}"


def set_synchronous(connection: apsw.Connection, level: str) -> None:
    """Switch between statements (not inside a SQLite transaction).  With fsync on, the commit
    that ends a PostgreSQL transaction runs at FULL, the statements before it at NORMAL."""
    connection.execute(synchronous_pragma(level)).fetchall()


def set_interrupt_check(
    connection: apsw.Connection, interrupted: Callable[[], bool] | None
) -> None:
    """Let a running SQLite statement poll for cancel requests: when interrupted() is true the
    statement ends with apsw.InterruptError.  (A Python signal handler cannot run while SQLite's
    C code does; the progress handler can.)"""
    connection.set_progress_handler(interrupted, PROGRESS_STEPS)


def prepare_file(path: str) -> None:
    """Put a fresh database file into WAL mode, which is stored in the file."""
    connection = apsw.Connection(path)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.wal_autocheckpoint(0)
    finally:
        connection.close()


def checkpoint(path: str, *, truncate: bool = False) -> tuple[int, int]:
    """Move the WAL into the database file.  (frames in the WAL, frames moved); passive unless
    truncate, which waits for readers.  Run by the checkpointer and at shutdown."""
    connection = apsw.Connection(path, flags=_FLAGS)
    try:
        connection.set_busy_timeout(1000)
        # Until the first read SQLite does not know that the file is in WAL mode.
        connection.execute("SELECT 1 FROM main.sqlite_schema LIMIT 1").fetchall()
        mode = apsw.SQLITE_CHECKPOINT_TRUNCATE if truncate else apsw.SQLITE_CHECKPOINT_PASSIVE
        try:
            frames, moved = connection.wal_checkpoint(mode=mode)
        except apsw.BusyError:
            return 0, 0
        return frames, moved
    finally:
        connection.close()
