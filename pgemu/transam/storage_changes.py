"""Tables and indexes that a transaction makes and drops in the database file (PostgreSQL's
catalog/storage.c).

Every change of SQLite's schema makes SQLite prepare anew each statement that runs after it, and
read its schema table.  So a DDL command may leave what it makes for later: the storage is built
when the transaction first runs anything else, at the latest before its commit, all at once.

What is dropped goes when the transaction commits; but a unique index that stayed until then would
refuse rows, so it goes at once and is made again when the drop is rolled back.  Nobody else can
have written to the table in between: the transaction holds its lock.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import apsw

from pgemu.transam.undo import UndoTriggers

IDLE = "idle"
_UNIQUE_INDEX = "CREATE UNIQUE INDEX"


def indexed_table(sql: str) -> str:
    """`main.r16384`: the table of a CREATE INDEX that PostgreSQL's index became."""
    return "main." + sql.partition(" ON ")[2].partition(" ")[0]


class StorageChanges:
    """The part of TransactionManager that knows them.

    unbuilt: what is left for later, CREATE statements by SQLite's names.  builds_late: the running
    command leaves what it makes for later.
    """

    conn: Any
    state: str
    xid: int
    triggers: UndoTriggers
    truncated: dict[str, int]
    savepoints: list[Any]
    _write_depth: int
    undoing: Callable[[], contextlib.AbstractContextManager[None]]

    def __init__(self) -> None:
        self._created: list[str] = []
        self._dropped: list[str] = []
        # how the unique indexes among _dropped were made
        self._definitions: dict[str, str] = {}
        self.unbuilt: dict[str, str] = {}
        self.builds_late = False
        # unbuilt before the running statement, once that has changed it
        self._unbuilt_before: dict[str, str] | None = None

    def make_storage(self, sqlite_name: str, sql: str, *, late: bool = True) -> None:
        """Run the CREATE TABLE or CREATE INDEX of a table or index (`main.r16384`) that this
        transaction makes; late: it cannot fail and nothing looks at it before another command."""
        if late and self.builds_late:
            self._remember_unbuilt()
            self.unbuilt[sqlite_name] = sql
            self._created.append(sqlite_name)
            return
        self.build_storage()
        self.conn.execute(sql)
        self.drop_on_abort(sqlite_name)

    def build_storage(self) -> None:
        """Make what was left for later; inside the running write statement if there is one."""
        if not self.unbuilt:
            return
        if not self._write_depth:
            with self.undoing():
                self._build()
        else:
            self._remember_unbuilt()
            self._build()
        self.unbuilt = {}

    def _build(self) -> None:
        self._note_pending("abort", list(self.unbuilt))
        for sql in self.unbuilt.values():
            self.conn.execute(sql)

    def _remember_unbuilt(self) -> None:
        if self._unbuilt_before is None:
            self._unbuilt_before = dict(self.unbuilt)

    def unbuilt_again(self) -> None:
        """SQLite has taken the running statement back."""
        if self._unbuilt_before is not None:
            self.unbuilt = self._unbuilt_before
            self._unbuilt_before = None

    def drop_on_abort(self, sqlite_name: str) -> None:
        """A table or index that this transaction has made."""
        self._created.append(sqlite_name)
        self._note_pending("abort", [sqlite_name])

    def drop_on_commit(self, sqlite_name: str) -> None:
        """A table that this transaction dropped or replaced."""
        self._dropped.append(sqlite_name)
        self._note_pending("commit", [sqlite_name])

    def drop_index(self, sqlite_name: str) -> None:
        """An index that this transaction dropped or replaced; see above."""
        self.drop_on_commit(sqlite_name)
        self.build_storage()
        query = "SELECT sql FROM main.sqlite_schema WHERE type='index' AND name=?"
        row = self.conn.execute(query, (sqlite_name.removeprefix("main."),)).fetchone()
        if row is None or not row[0].startswith(_UNIQUE_INDEX):
            return
        try:
            self.conn.execute(f"DROP INDEX {sqlite_name}")
        except apsw.LockedError:
            return  # a statement of this connection is reading: a function that it calls is here
        sql = f"{_UNIQUE_INDEX} IF NOT EXISTS main.{row[0].removeprefix(_UNIQUE_INDEX).lstrip()}"
        self._definitions[sqlite_name] = sql
        self._note_pending("restore", [sql])

    def restore_indexes(self, dropped: Sequence[str], created: Sequence[str]) -> None:
        """Make again the unique indexes among what was dropped; created: what goes with the drop,
        with its indexes."""
        for name in reversed(dropped):
            sql = self._definitions.pop(name, None)
            if sql is not None and name not in created:
                self.restore_index(sql, created)

    def restore_index(self, sql: str, created: Sequence[str]) -> None:
        if indexed_table(sql) not in created:
            self.conn.execute(sql)

    def is_new_storage(self, sqlite_name: str) -> bool:
        """Made or emptied by the current subtransaction (COPY FREEZE asks)."""
        emptied_at = self.truncated.get(sqlite_name, -1)
        return self.made_since_savepoint(sqlite_name) or emptied_at >= len(self.savepoints)

    def made_since_savepoint(self, sqlite_name: str) -> bool:
        """Made by the current subtransaction: it goes with it, whatever is in it."""
        first = self.savepoints[-1].created if self.savepoints else 0
        return sqlite_name in self._created[first:]

    def _note_pending(self, what: str, names: Sequence[str]) -> None:
        if self.state != IDLE:
            self.conn.executemany(
                "INSERT INTO main._pending VALUES (?, ?, ?)",
                [(self.xid, what, name) for name in names],
            )

    def drop_storage(self, names: Sequence[str]) -> None:
        if self.triggers.local:
            self.triggers.end_local()
        for name in names:
            self._definitions.pop(name, None)
            if self.unbuilt.pop(name, None) is not None:
                continue
            self.triggers.forget(name)
            kind = "INDEX" if name.partition(".")[2].startswith("i") else "TABLE"
            self.conn.execute(f"DROP {kind} IF EXISTS {name}")
