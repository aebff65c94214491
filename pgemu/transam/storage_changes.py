"""Tables and indexes that a transaction makes and drops in the database file (PostgreSQL's
catalog/storage.c).

Every change of SQLite's schema makes SQLite prepare anew each statement that runs after it, and
read its schema table.  So a DDL command may leave what it makes for later: the storage is built
when the transaction first runs anything else, at the latest before its commit, all at once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

from pgemu.transam.undo import UndoTriggers

IDLE = "idle"


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
        for name in names:
            if self.unbuilt.pop(name, None) is not None:
                continue
            self.triggers.forget(name)
            kind = "INDEX" if name.partition(".")[2].startswith("i") else "TABLE"
            self.conn.execute(f"DROP {kind} IF EXISTS {name}")
