"""Undo: the triggers that write it and the rollback that reads it.

The triggers are TEMP triggers of a connection, made the first time that it writes to a table in a
transaction; so the schema in the database file stays small.  They fire only while pg_undo()
returns an xid: an autocommit statement that nobody else's snapshot can need writes no undo.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import apsw

from pgemu.transam.schema import prefix


class UndoTriggers:
    """Which tables of this connection have their triggers."""

    def __init__(self, conn: apsw.Connection) -> None:
        self._conn = conn
        self._made: dict[str, int] = {}
        # TEMP triggers, these or others, were made since the last commit or rollback of SQLite
        self.changed = False
        # is SQLite stepping a statement that called the function that we are in?
        self.nested: Callable[[], bool] = bool
        # triggers made then, which are in the database's own schema: table -> their names
        self.local: dict[str, list[str]] = {}
        self.local_ended: list[Callable[[str], None]] = []

    def create(self, sqlite_name: str, statements: Sequence[str]) -> None:
        """Make TEMP triggers of a table.  A change of the temporary schema would be the end of
        the statements that are being stepped; for as long as they are, the triggers stand in the
        database's schema, which nobody else sees before the commit."""
        self.changed = True
        if self.nested() and sqlite_name.startswith("main."):
            names = [s.split(" ", 4)[3] for s in statements]
            self.local.setdefault(sqlite_name, []).extend(names)
            statements = [s.replace(" TEMP TRIGGER ", " TRIGGER main.", 1) for s in statements]
        self._conn.execute(";".join(statements)).fetchall()

    def end_local(self) -> None:
        """Before SQLite's transaction ends: these triggers are no one else's."""
        for sqlite_name, names in self.local.items():
            for name in names:
                self._conn.execute(f"DROP TRIGGER IF EXISTS main.{name}")
            if any(name.startswith("undo_") for name in names):
                self._made.pop(sqlite_name, None)
            if any(name.startswith("check_") for name in names):
                for forget in self.local_ended:
                    forget(sqlite_name)
        self.local.clear()

    def ensure(self, sqlite_name: str, natts: int) -> None:
        """Make the triggers of a table with that many columns (remake them if it has grown)."""
        known = self._made.get(sqlite_name)
        if known == natts:
            return
        if known is not None:
            self.forget(sqlite_name)
        schema, _, table = sqlite_name.partition(".")
        undo = prefix(schema) + "undo"
        self._widen(schema, undo, natts)
        relfilenode = table[1:]
        columns = "".join(f", c{n}" for n in range(1, natts + 1))
        images = "".join(f", OLD.c{n}" for n in range(1, natts + 1))
        name = f"undo_{schema}_{table}"
        statements = [
            f"CREATE TEMP TRIGGER {name}_i AFTER INSERT ON {sqlite_name} WHEN pg_undo() BEGIN "
            f"INSERT INTO {undo} (xid, relfilenode, rid, op) "
            f"VALUES (pg_undo(), {relfilenode}, NEW.rid, 'I'); END"
        ]
        for suffix, event, op in (("u", "UPDATE", "U"), ("d", "DELETE", "D")):
            statements.append(
                f"CREATE TEMP TRIGGER {name}_{suffix} AFTER {event} ON {sqlite_name} "
                f"WHEN pg_undo() BEGIN "
                f"INSERT INTO {undo} (xid, relfilenode, rid, op, xmin{columns}) "
                f"VALUES (pg_undo(), {relfilenode}, OLD.rid, '{op}', OLD.xmin{images}); END"
            )
        self.create(sqlite_name, statements)
        self._made[sqlite_name] = natts

    def made_for(self, sqlite_name: str, natts: int) -> bool:
        """The table has its triggers."""
        return self._made.get(sqlite_name) == natts

    def made(self, sqlite_name: str) -> bool:
        """Has this connection the triggers of a table?"""
        return sqlite_name in self._made

    def _widen(self, schema: str, undo: str, natts: int) -> None:
        columns = {row[1] for row in self._conn.execute(f"PRAGMA {schema}.table_info({undo})")}
        for number in range(1, natts + 1):
            if f"c{number}" not in columns:
                self._conn.execute(f"ALTER TABLE {schema}.{undo} ADD COLUMN c{number}")

    @property
    def columns(self) -> Mapping[str, int]:
        """SQLite name -> number of columns of the tables that this connection has written to."""
        return self._made

    def forget(self, sqlite_name: str) -> None:
        """The table is gone, is to be dropped or has other columns."""
        if self._made.pop(sqlite_name, None) is None:
            return
        stem = "undo_" + sqlite_name.replace(".", "_")
        self.drop(sqlite_name, [f"{stem}_{suffix}" for suffix in "iud"])

    def drop(self, sqlite_name: str, names: Sequence[str]) -> None:
        """Drop triggers of a table, wherever they are."""
        local = self.local.get(sqlite_name, [])
        for name in names:
            schema = "main" if name in local else "temp"
            self._conn.execute(f"DROP TRIGGER IF EXISTS {schema}.{name}")
            if name in local:
                local.remove(name)

    def lost(self) -> None:
        """A SQLite rollback may have undone the making of triggers: ask SQLite what is left."""
        names = {
            row[0]
            for row in self._conn.execute(
                "SELECT name FROM temp.sqlite_schema WHERE type='trigger'"
            )
        }
        if self.local:
            left = {
                row[0]
                for row in self._conn.execute(
                    "SELECT name FROM main.sqlite_schema WHERE type='trigger'"
                )
            }
            names |= left
            for sqlite_name in list(self.local):
                kept = [n for n in self.local[sqlite_name] if n in left]
                if kept:
                    self.local[sqlite_name] = kept
                else:
                    del self.local[sqlite_name]
        for name in names:
            if name.startswith("undo_"):  # dropped before, and now back
                sqlite_name = name.removeprefix("undo_").rpartition("_")[0].replace("_", ".", 1)
                if sqlite_name not in self._made:
                    self.drop(sqlite_name, [name])
        for sqlite_name in list(self._made):
            if f"undo_{sqlite_name.replace('.', '_')}_d" not in names:
                self._made.pop(sqlite_name)


# a transaction that has changed no more rows than this is rolled back row by row
FEW_ROWS = 100


def roll_back(
    conn: apsw.Connection,
    schema: str,
    xid: int,
    after_seq: int = 0,
    known: Mapping[str, int] = MappingProxyType({}),
) -> bool:
    """Put back what xid changed after undo entry after_seq in one database file: take away the
    rows that it touched, put back the oldest image of those that existed before.  Runs inside a
    SQLite write transaction with pg_undo() off.  known: how many columns its tables have, where
    xid is the connection's own.  True when there was anything."""
    undo = f"{schema}.{prefix(schema)}undo"
    entries = conn.execute(
        f"SELECT relfilenode, rid, seq, op FROM {undo} WHERE xid=? AND seq>? "
        f"ORDER BY relfilenode, rid, seq LIMIT {FEW_ROWS + 1}",
        (xid, after_seq),
    ).fetchall()
    if not entries:
        return False
    few = len(entries) <= FEW_ROWS
    tables: list[Any] = [entry[0] for entry in entries]
    if not few:
        tables = [
            row[0]
            for row in conn.execute(
                f"SELECT DISTINCT relfilenode FROM {undo} WHERE xid=? AND seq>?", (xid, after_seq)
            )
        ]
    for relfilenode in dict.fromkeys(tables):
        table = f"{schema}.r{relfilenode}"
        columns = _columns(conn, schema, relfilenode, known.get(table, -1))
        if columns is None:
            continue  # made by the same transaction, dropped already
        insert = f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {undo} AS u WHERE "
        if few:
            first = {rid: (seq, op) for of, rid, seq, op in reversed(entries) if of == relfilenode}
            conn.executemany(f"DELETE FROM {table} WHERE rid=?", [(rid,) for rid in first])
            images = [(seq,) for seq, op in first.values() if op != "I"]
            if images:
                conn.executemany(f"{insert}seq=?", images)
            continue
        touched = f"FROM {undo} WHERE xid=? AND relfilenode=? AND seq>?"
        key = (xid, relfilenode, after_seq)
        conn.execute(f"DELETE FROM {table} WHERE rid IN (SELECT rid {touched})", key)
        conn.execute(
            f"{insert}op<>'I' AND seq IN (SELECT min(seq) {touched} GROUP BY rid)",
            key,
        )
    conn.execute(f"DELETE FROM {undo} WHERE xid=? AND seq>?", (xid, after_seq))
    return True


def _columns(conn: apsw.Connection, schema: str, relfilenode: int, natts: int) -> str | None:
    """The columns of a table's image; natts -1: ask SQLite.  None: there is no such table."""
    if natts >= 0:
        return "rid, xmin" + "".join([f", c{n}" for n in range(1, natts + 1)])
    names = [row[1] for row in conn.execute(f"PRAGMA {schema}.table_info(r{relfilenode})")]
    return ", ".join(names) if names else None


def roll_back_transaction(
    conn: apsw.Connection,
    xid: int,
    schemas: Sequence[str],
    known: Mapping[str, int] = MappingProxyType({}),
) -> None:
    """Undo all of a transaction and forget it, inside a SQLite write transaction."""
    for schema in schemas:
        p = f"{schema}.{prefix(schema)}"
        roll_back(conn, schema, xid, 0, known)
        conn.execute(f"DELETE FROM {p}rowlock WHERE xid=?", (xid,))
        conn.execute(f"DELETE FROM {p}active WHERE xid=?", (xid,))
    if "main" in schemas:
        conn.execute("DELETE FROM main._pending WHERE xid=?", (xid,))
