"""Undo: the triggers that write it and the rollback that reads it.

The triggers are TEMP triggers of a connection, made the first time that it writes to a table in a
transaction; so the schema in the database file stays small.  They fire only while pg_undo()
returns an xid: an autocommit statement that nobody else's snapshot can need writes no undo.
"""

from __future__ import annotations

from collections.abc import Sequence

import apsw

from pgemu.transam.schema import prefix


class UndoTriggers:
    """Which tables of this connection have their triggers."""

    def __init__(self, conn: apsw.Connection) -> None:
        self._conn = conn
        self._made: dict[str, int] = {}

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
        self._conn.execute(";".join(statements)).fetchall()
        self._made[sqlite_name] = natts

    def made(self, sqlite_name: str) -> bool:
        """Has this connection the triggers of a table?"""
        return sqlite_name in self._made

    def _widen(self, schema: str, undo: str, natts: int) -> None:
        columns = {row[1] for row in self._conn.execute(f"PRAGMA {schema}.table_info({undo})")}
        for number in range(1, natts + 1):
            if f"c{number}" not in columns:
                self._conn.execute(f"ALTER TABLE {schema}.{undo} ADD COLUMN c{number}")

    def forget(self, sqlite_name: str) -> None:
        """The table is gone, is to be dropped or has other columns."""
        if self._made.pop(sqlite_name, None) is None:
            return
        name = "undo_" + sqlite_name.replace(".", "_")
        for suffix in "iud":
            self._conn.execute(f"DROP TRIGGER IF EXISTS temp.{name}_{suffix}")

    def lost(self) -> None:
        """A SQLite rollback may have undone the making of triggers: ask SQLite what is left."""
        names = {
            row[0]
            for row in self._conn.execute(
                "SELECT name FROM temp.sqlite_schema WHERE type='trigger'"
            )
        }
        for sqlite_name in list(self._made):
            if f"undo_{sqlite_name.replace('.', '_')}_d" not in names:
                self._made.pop(sqlite_name)


def roll_back(conn: apsw.Connection, schema: str, xid: int, after_seq: int = 0) -> bool:
    """Put back what xid changed after undo entry after_seq in one database file: take away the
    rows that it touched, put back the oldest image of those that existed before.  Runs inside a
    SQLite write transaction with pg_undo() off.  True when there was anything."""
    undo = f"{schema}.{prefix(schema)}undo"
    mine = "xid=? AND seq>?"
    tables = conn.execute(
        f"SELECT DISTINCT relfilenode FROM {undo} WHERE {mine}", (xid, after_seq)
    ).fetchall()
    for (relfilenode,) in tables:
        table = f"{schema}.r{relfilenode}"
        names = [row[1] for row in conn.execute(f"PRAGMA {schema}.table_info(r{relfilenode})")]
        if not names:
            continue  # made by the same transaction, dropped already
        columns = ", ".join(n for n in names if n not in ("rid", "xmin"))
        columns = f", {columns}" if columns else ""
        touched = f"FROM {undo} WHERE xid=? AND relfilenode=? AND seq>?"
        key = (xid, relfilenode, after_seq)
        conn.execute(f"DELETE FROM {table} WHERE rid IN (SELECT rid {touched})", key)
        conn.execute(
            f"INSERT INTO {table} (rid, xmin{columns}) "
            f"SELECT rid, xmin{columns} FROM {undo} AS u WHERE op<>'I' AND seq IN "
            f"(SELECT min(seq) {touched} GROUP BY rid)",
            key,
        )
    if tables:
        conn.execute(f"DELETE FROM {undo} WHERE {mine}", (xid, after_seq))
    return bool(tables)


def roll_back_transaction(conn: apsw.Connection, xid: int, schemas: Sequence[str]) -> None:
    """Undo all of a transaction and forget it, inside a SQLite write transaction."""
    for schema in schemas:
        p = f"{schema}.{prefix(schema)}"
        roll_back(conn, schema, xid)
        conn.execute(f"DELETE FROM {p}rowlock WHERE xid=?", (xid,))
        conn.execute(f"DELETE FROM {p}active WHERE xid=?", (xid,))
    if "main" in schemas:
        conn.execute("DELETE FROM main._pending WHERE xid=?", (xid,))
