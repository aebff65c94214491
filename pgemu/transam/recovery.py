"""Recovery: what a dead backend or a crashed server left open is rolled back.

Counterpart of the end of PostgreSQL's crash recovery, of ProcKill and of RemovePgTempFiles.  A
transaction that has not ended has its row in `_active` of its database; rolling back is the same
operation as ROLLBACK (undo.py) on a plain connection.  All of it may be interrupted and run again.

A transaction that wrote to shared catalogs has a row in `_gactive` of global.db as well.  SQLite
commits attached files one after the other, main first, so main decides: an xid that is active in
its database is rolled back, in global.db first; one that is active in global.db only had committed,
and is finished there.  That holds after a power cut too: a COMMIT syncs global.db before it commits
in the database, a ROLLBACK before it forgets the xid there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import apsw

from pgemu.fmgr import CallContext, functions
from pgemu.storage.cluster import Cluster
from pgemu.storage.connection import open_database
from pgemu.storage.filelock import FileLock
from pgemu.storage.latch import LatchSender
from pgemu.storage.locktable import LockTable
from pgemu.storage.procarray import DATABASE, FINISHING_XID, PID, PREPARED_PIDS, XID, XMIN, Slot
from pgemu.storage.sequence import SequenceFile
from pgemu.storage.shmem import SharedMemory
from pgemu.storage.writerlock import WriterLock
from pgemu.transam import twophase
from pgemu.transam.durability import WalSync
from pgemu.transam.schema import prefix
from pgemu.transam.storage_changes import indexed_table
from pgemu.transam.undo import roll_back

# Catalogs as tables: (table, column) of what belongs to a relation, by its OID.  This room stands
# below the catalogs, so it knows them by their numbers only.
_OF_RELATION = (
    ("r1249", "c1"),  # pg_attribute.attrelid
    ("r2610", "c1"),  # pg_index.indexrelid
    ("r2610", "c2"),  # pg_index.indrelid
    ("r2606", "c8"),  # pg_constraint.conrelid
    ("r2604", "c2"),  # pg_attrdef.adrelid
    ("r2618", "c3"),  # pg_rewrite.ev_class
    ("r2224", "c1"),  # pg_sequence.seqrelid
    ("r2620", "c2"),  # pg_trigger.tgrelid
    ("r2611", "c1"),  # pg_inherits.inhrelid
    ("r2611", "c2"),  # pg_inherits.inhparent
    ("r2608", "c2"),  # pg_depend.objid
    ("r2608", "c5"),  # pg_depend.refobjid
    ("r2609", "c1"),  # pg_description.objoid
)
# (table, column of the namespace) of what lives in a schema; the OID is c1.
_IN_SCHEMA = (("r1259", "c3"), ("r1247", "c3"), ("r1255", "c3"), ("r2606", "c3"))
_OID_TABLES = ("main.r1259", "main.r1247", "main.r1255", "main.r2615", "main.r2606", "g.r1262",
               "g.r1260")  # fmt: skip
_UNKNOWN_FUNCTION = re.compile(r"(?:no such|unknown) function: (\w+)")
# the name of a function that does not depend on the types of its arguments
_UNTYPED = re.compile(r"\w+?_(\d+)")


def recover_backend(cluster: Cluster, shm: SharedMemory, slot: Slot) -> None:
    """A backend died.  Its transaction is rolled back, its locks go, who waited for it wakes."""
    words = slot.words
    xid, database = words[XID], words[DATABASE]
    if words[FINISHING_XID]:
        _finish_prepared(cluster, shm, words[FINISHING_XID])
    if xid and _hand_over_prepared(cluster, shm, slot, xid):
        xid = 0
    if xid and database and os.path.exists(cluster.database_path(database)):
        conn = open_database(cluster.database_path(database), cluster.global_path)
        try:
            _roll_back(conn, cluster, database, [xid])
        finally:
            conn.close()
    words[XID] = words[XMIN] = 0
    table = LockTable(cluster.locks_path, shm.procarray)
    sender = LatchSender(cluster.runtime)
    try:
        for waiter in table.release_slot(slot.number):
            sender.wake(waiter)
    finally:
        sender.close()
        table.close()


def _hand_over_prepared(cluster: Cluster, shm: SharedMemory, slot: Slot, xid: int) -> bool:
    """The backend died inside PREPARE TRANSACTION, behind the file that decides: its transaction
    lives on, and what PREPARE had still to do is done here.  False: it had not come so far."""
    array = shm.procarray
    with FileLock(f"{cluster.runtime}/lock.twophase"):
        prepared = next((p for p in twophase.prepared_xacts(cluster) if p.xid == xid), None)
        if prepared is None:
            return False
        xids = array.column(XID)
        if any(other == xid for n, other in enumerate(xids) if n != slot.number):
            return True
        # whoever claims such a slot gives it an xid before it leaves this lock, unless it dies
        claimed = [n for n, pid in enumerate(array.column(PID)) if pid > PREPARED_PIDS]
        free = [n for n in claimed if not xids[n]]
        table = LockTable(cluster.locks_path, array)
        try:
            own = array.slot(free[0]) if free else twophase.claim_slot(shm)
            twophase.occupy(table, own, prepared)
        finally:
            table.close()
    return True


def _finish_prepared(cluster: Cluster, shm: SharedMemory, xid: int) -> None:
    """The backend died inside COMMIT PREPARED or ROLLBACK PREPARED."""
    array = shm.procarray
    with FileLock(f"{cluster.runtime}/lock.twophase"):
        prepared = next((p for p in twophase.prepared_xacts(cluster) if p.xid == xid), None)
        if prepared is not None:
            path = cluster.database_path(prepared.database)
            conn = open_database(path, cluster.global_path)
            try:
                if _is_still_prepared(conn, cluster, prepared):
                    return
            finally:
                conn.close()
        table, sender = LockTable(cluster.locks_path, array), LatchSender(cluster.runtime)
        try:
            # without an xid: it had begun to vacate the slot
            for number, pid in enumerate(array.column(PID)):
                own = array.slot(number)
                if pid >= PREPARED_PIDS and own.words[XID] in (0, xid):
                    own.words[XID] = 0
                    woken = table.release_slot(number)
                    array.release(own)
                    for waiter in woken:
                        sender.wake(waiter)
        finally:
            sender.close()
            table.close()


def _is_still_prepared(
    conn: apsw.Connection, cluster: Cluster, prepared: twophase.PreparedXact
) -> bool:
    """False: its second phase had begun, and has been brought to its end.  COMMIT PREPARED commits
    in main before global.db, ROLLBACK PREPARED rolls back in global.db first."""
    xid, active = prepared.xid, "SELECT 1 FROM {} WHERE xid=?"
    in_main = conn.execute(active.format("main._active"), (xid,)).fetchone() is not None
    in_shared = conn.execute(active.format("g._gactive"), (xid,)).fetchone() is not None
    if in_main and (in_shared or "g" not in prepared.schemas):
        return True
    _roll_back(conn, cluster, prepared.database, [xid])
    twophase.remove(cluster, xid)
    return False


def recover_cluster(cluster: Cluster, shm: SharedMemory) -> None:
    """Before the port opens on a data folder: nobody else uses it."""
    found = twophase.prepared_xacts(cluster)
    prepared = {p.xid: p.database for p in found}
    for database in cluster.database_oids():
        conn = open_database(cluster.database_path(database), cluster.global_path)
        try:
            _advance_counters(conn, shm)
            active: list[Any] = [row[0] for row in conn.execute("SELECT xid FROM main._active")]
            for one in [one for one in found if one.database == database]:
                if not _is_still_prepared(conn, cluster, one):
                    active = [xid for xid in active if xid != one.xid]
                    del prepared[one.xid]
            active = [xid for xid in active if xid not in prepared]
            if active:
                _roll_back(conn, cluster, database, active)
            _drop_temporary_schemas(conn, cluster, database)
            if not prepared:
                _drop_lost_sequences(conn, cluster, database)
            _clear(conn, cluster, database, "main", prepared)
        finally:
            conn.close()
    conn = open_database(cluster.global_path, cluster.global_path)
    try:
        # What is left here had committed in its database.
        _clear(conn, cluster, 0, "g", prepared)
    finally:
        conn.close()
    twophase.recover(cluster, shm)


def recover_orphans(cluster: Cluster, shm: SharedMemory, database: int) -> None:
    """Transactions whose backend has gone and whose recovery failed.  (A backend shows its xid
    in its slot before it is in `_active`, and its recovery takes it away after.)"""
    conn = open_database(cluster.database_path(database), cluster.global_path)
    try:
        active: list[Any] = [row[0] for row in conn.execute("SELECT xid FROM main._active")]
        if not active:
            return
        alive = set(shm.procarray.column(XID))
        alive.update(one.xid for one in twophase.prepared_xacts(cluster))
        orphans = [xid for xid in active if xid not in alive]
        if orphans:
            _roll_back(conn, cluster, database, orphans)
    finally:
        conn.close()


# -- one transaction -----------------------------------------------------------------------------


@contextmanager
def _writing(conn: apsw.Connection, cluster: Cluster, database: int) -> Iterator[None]:
    """A SQLite write transaction on one file: database 0 is global.db, seen as g."""
    lock = WriterLock(cluster.writer_lock_path(database))
    lock.acquire()
    try:
        conn.execute("BEGIN")
        table = "main._pending" if database else "g._gpending"
        conn.execute(f"DELETE FROM {table} WHERE 0")
        yield
        conn.execute("COMMIT")
    finally:
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        lock.close()


def _roll_back(conn: apsw.Connection, cluster: Cluster, database: int, xids: list[int]) -> None:
    """Roll back those of the xids that have not committed, newest first."""
    equip(conn)
    for xid in sorted(xids, reverse=True):
        open_here = conn.execute("SELECT 1 FROM main._active WHERE xid=?", (xid,)).fetchone()
        shared = conn.execute("SELECT 1 FROM g._gactive WHERE xid=?", (xid,)).fetchone()
        if shared is not None:
            with _writing(conn, cluster, 0):
                if open_here is not None:
                    _with_functions(conn, partial(roll_back, conn, "g", xid))
                _forget(conn, "g", xid)
            if open_here is not None and not cluster.ephemeral:
                _sync_shared(conn)  # else main alone might say that it had committed
        if open_here is not None:
            with _writing(conn, cluster, database):
                _with_functions(conn, partial(roll_back, conn, "main", xid))
                _with_functions(conn, partial(_restore_indexes, conn, xid))
                _drop_pending(conn, xid)
                _forget(conn, "main", xid)


def _sync_shared(conn: apsw.Connection) -> None:
    wal = WalSync(conn.db_filename("main"), conn.db_filename("g"))
    wal.sync("g")
    wal.close()


def _forget(conn: apsw.Connection, schema: str, xid: int) -> None:
    p = f"{schema}.{prefix(schema)}"
    conn.execute(f"DELETE FROM {p}rowlock WHERE xid=?", (xid,))
    conn.execute(f"DELETE FROM {p}active WHERE xid=?", (xid,))


def _restore_indexes(conn: apsw.Connection, xid: int) -> None:
    """Unique indexes that an aborted transaction had dropped.  One whose functions are known to
    sessions only is left to the next session."""
    rows: Any = conn.execute(
        "SELECT rowid, name FROM main._pending WHERE xid=? AND what='restore'", (xid,)
    ).fetchall()
    for rowid, sql in rows:
        table = indexed_table(sql).removeprefix("main.")
        if conn.execute("SELECT 1 FROM main.sqlite_schema WHERE name=?", (table,)).fetchone():
            _restore_index(conn, sql)
        conn.execute("DELETE FROM main._pending WHERE rowid=?", (rowid,))


def _restore_index(conn: apsw.Connection, sql: str) -> None:
    try:
        conn.execute(sql)
    except apsw.SQLError as error:
        found = _UNKNOWN_FUNCTION.search(str(error))
        if found is None or _register(conn, f"{found[1]}_{found[2]}", int(found[2])):
            raise
        name = sql.partition(" ON ")[0].rpartition(" ")[2]
        conn.execute("INSERT INTO main._pending VALUES (0, 'reindex', ?)", (name,))


def _drop_pending(conn: apsw.Connection, xid: int) -> None:
    """Storage that an aborted transaction had made.  (Rows with "commit" cannot be acted upon:
    a commit removes them, so their transaction did not.)"""
    pending: Any = conn.execute(
        "SELECT what, name FROM main._pending WHERE xid=?", (xid,)
    ).fetchall()
    for what, name in pending:
        if what == "abort":
            kind = "INDEX" if name.partition(".")[2].startswith("i") else "TABLE"
            conn.execute(f"DROP {kind} IF EXISTS {name}")
    conn.execute("DELETE FROM main._pending WHERE xid=?", (xid,))


# -- what the indexes need -----------------------------------------------------------------------


def equip(conn: apsw.Connection) -> None:
    """The collations of all types: rows go into indexes again.  Loaded only when needed."""
    import pgemu.types.families  # noqa: F401  (registers the types)
    from pgemu.types.arrays import compare_arrays
    from pgemu.types.arrays_ops import native_compare
    from pgemu.types.base import base_types
    from pgemu.types.icu import comparison_of
    from pgemu.types.record import compare_by_kind

    compare: dict[str, Callable[[Any, Any], int]] = {
        "array_ops": lambda a, b: compare_arrays(a, b, native_compare),
    }
    for name in ("record_ops", "range_ops", "multirange_ops"):
        compare[name] = compare_by_kind
    for one in base_types.values():
        if one.collation is not None:
            compare.setdefault(one.collation, one.compare)
    for name, function in compare.items():
        conn.create_collation(name, function)

    def needed(connection: apsw.Connection, name: str) -> None:
        collation = comparison_of(name)
        if collation is not None:
            connection.create_collation(name, collation)

    conn.collation_needed(needed)


def _with_functions(conn: apsw.Connection, work: Callable[[], object]) -> None:
    """Run it; a function that an index expression asks for is registered, and it runs again.
    Where that cannot be done (a function of the user's), the indexes that call it go, and the next
    session builds them anew (tcop/lost_indexes.py)."""
    while True:
        try:
            work()
            return
        except apsw.SQLError as error:
            found = _UNKNOWN_FUNCTION.search(str(error))
            if found is None:
                raise
            name = found[1]
            untyped = _UNTYPED.fullmatch(name)
            if untyped is not None and _register(conn, name, int(untyped[1])):
                continue
            if not _drop_indexes_with(conn, name):
                raise


def _drop_indexes_with(conn: apsw.Connection, function: str) -> bool:
    """Drop the indexes whose expressions call a function; False: there is none."""
    names: list[Any] = conn.execute(
        "SELECT name FROM main.sqlite_schema WHERE type='index' AND instr(sql, ?)",
        (f"{function}(",),
    ).fetchall()
    for (name,) in names:
        conn.execute(f"DROP INDEX main.{name}")
        conn.execute("INSERT INTO main._pending VALUES (0, 'reindex', ?)", (f"main.{name}",))
    return bool(names)


def _register(conn: apsw.Connection, name: str, oid: int) -> bool:
    """A builtin function under the name that indexes call it by: its own and its OID."""
    row: Any = conn.execute("SELECT c2, c20, c13 FROM main.r1255 WHERE c1=?", (oid,)).fetchone()
    if row is None:
        return False
    types = [
        _value(conn, "SELECT c2 FROM main.r1247 WHERE c1=?", int(number))
        for number in re.findall(r"\d+", row[1])
    ]
    binding = functions.get(f"{row[0]}({','.join(types)})")
    if binding is None or binding.typed:
        return False
    body = partial(binding.body, CallContext()) if binding.context else binding.body
    strict = bool(row[2])

    def call(*values: Any) -> Any:
        return None if strict and None in values else body(*values)

    conn.create_scalar_function(name, call, -1, deterministic=True)
    return True


def _value(conn: apsw.Connection, sql: str, *params: Any) -> Any:
    """The one value that a query gives."""
    found: Any = conn.execute(sql, params).fetchone()
    return found[0]


# -- a whole cluster -----------------------------------------------------------------------------


def _advance_counters(conn: apsw.Connection, shm: SharedMemory) -> None:
    """No xid and no OID that is stored may be given again, even if the counters file is gone."""
    for schema in ("main", "g"):
        for table in ("active", "undo", "rowlock"):
            top = _value(conn, f"SELECT max(xid) FROM {schema}.{prefix(schema)}{table}")
            if top:
                shm.advance_next_xid(top)
    top = _value(conn, "SELECT max(xmin) FROM main.r1259")
    if isinstance(top, int):
        shm.advance_next_xid(top)
    for name in _OID_TABLES:
        top = _value(conn, f"SELECT max(c1) FROM {name}")
        if isinstance(top, int) and 16384 <= top < 2**32:
            shm.advance_next_oid(top)


def _drop_temporary_schemas(conn: apsw.Connection, cluster: Cluster, database: int) -> None:
    """Temporary tables died with their sessions; their schemas are kept, empty."""
    schemas = [
        row[0]
        for row in conn.execute(
            "SELECT c1 FROM main.r2615 WHERE c2 GLOB 'pg_temp_*' OR c2 GLOB 'pg_toast_temp_*'"
        )
        if conn.execute("SELECT 1 FROM main.r1259 WHERE c3=?", row).fetchone()
        or conn.execute("SELECT 1 FROM main.r1247 WHERE c3=?", row).fetchone()
    ]
    if not schemas:
        return
    equip(conn)
    with _writing(conn, cluster, database):
        for schema in schemas:
            relations = conn.execute("SELECT c1, c8 FROM main.r1259 WHERE c3=?", (schema,))
            for oid, relfilenode in relations.fetchall():
                conn.execute(f"DROP INDEX IF EXISTS main.i{relfilenode}")
                conn.execute(f"DROP TABLE IF EXISTS main.r{relfilenode}")
                for table, column in _OF_RELATION:
                    conn.execute(f"DELETE FROM main.{table} WHERE {column}=?", (oid,))
            for table, column in _IN_SCHEMA:
                conn.execute(f"DELETE FROM main.{table} WHERE {column}=?", (schema,))


def _drop_lost_sequences(conn: apsw.Connection, cluster: Cluster, database: int) -> None:
    """Those of transactions that did not commit, and those that a commit had still to drop."""
    sequences = SequenceFile(cluster.sequence_path(database), cluster.sequence_lock_path(database))
    try:
        stored = sequences.rows()
        used = {row[0] for row in conn.execute("SELECT c8 FROM main.r1259")} if stored else set()
        for relfilenode in stored.keys() - used:
            sequences.drop(relfilenode)
    finally:
        sequences.close()


def _clear(
    conn: apsw.Connection, cluster: Cluster, database: int, schema: str, prepared: Iterable[int]
) -> None:
    """After everything was rolled back no snapshot is left that could need undo, but that of
    prepared transactions."""
    others = f"xid NOT IN ({','.join(str(xid) for xid in (0, *prepared))})"
    p = f"{schema}.{prefix(schema)}"
    tables = [f"{p}{name}" for name in ("active", "undo", "rowlock", "pending")]
    probe = " UNION ALL ".join(f"SELECT 1 FROM {name} WHERE {others}" for name in tables)
    if conn.execute(f"{probe} LIMIT 1").fetchone() is not None:
        with _writing(conn, cluster, database):
            for name in tables:
                conn.execute(f"DELETE FROM {name} WHERE {others}")
