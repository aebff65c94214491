"""Savepoints: SAVEPOINT, RELEASE and ROLLBACK TO (the part of PostgreSQL's xact.c on
subtransactions).

A savepoint is a place in the transaction's undo and in the lists of what its end has to do.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pgemu.errors import S_E_INVALID_SPECIFICATION, PgError
from pgemu.transam.schema import prefix
from pgemu.transam.undo import UndoTriggers, roll_back

BLOCK, FAILED = "block", "failed"


@dataclass(slots=True)
class Savepoint:
    """Where ROLLBACK TO goes back to: undo marks of main and g, and lengths of the lists."""

    name: str
    undo_main: int
    undo_g: int
    on_commit: int
    on_abort: int
    created: int
    dropped: int
    row_locks: int = 0
    hidden: bool = False
    read_only: bool = False


class Savepoints:
    """The part of TransactionManager that knows them."""

    conn: Any
    state: str
    xid: int
    undo_xid: int
    registered: set[str]
    row_lock_stamp: int
    savepoints: list[Savepoint]
    triggers: UndoTriggers
    truncated: dict[str, int]
    on_subxact: list[Callable[[str], None]]
    undoing: Callable[..., contextlib.AbstractContextManager[None]]
    restore_indexes: Callable[..., None]
    drop_storage: Callable[..., None]
    xid_let_go: Callable[[int], None]
    settle: Callable[[], None]
    _created: list[str]
    _dropped: list[str]
    _commit_callbacks: list[Callable[[], None]]
    _abort_callbacks: list[Callable[[], None]]
    _undo_mark: dict[str, int]
    _mark_is_old: bool
    _find_undo_mark: Callable[[], None]
    _end_statement: Callable[[], None]

    def savepoint(self, name: str, *, hidden: bool = False) -> None:
        self.settle()
        self._find_undo_mark()
        self.savepoints.append(
            Savepoint(
                name,
                self._undo_mark["main"],
                self._undo_mark["g"],
                len(self._commit_callbacks),
                len(self._abort_callbacks),
                len(self._created),
                len(self._dropped),
                self.row_lock_stamp,
                hidden,
            )
        )
        for hook in self.on_subxact:
            hook("start")

    def _find_savepoint(self, name: str) -> int:
        for index in range(len(self.savepoints) - 1, -1, -1):
            if self.savepoints[index].name == name and not self.savepoints[index].hidden:
                return index
        raise PgError(S_E_INVALID_SPECIFICATION, f'savepoint "{name}" does not exist')

    def release_savepoint(self, name: str) -> None:
        index = self._find_savepoint(name)
        for _ in range(len(self.savepoints) - index):
            self.savepoints.pop()
            for hook in self.on_subxact:
                hook("commit")

    def rollback_to_savepoint(self, name: str) -> None:
        """Undo what came after the savepoint; it stays in place."""
        index = self._find_savepoint(name)
        for _ in range(len(self.savepoints) - index):
            for hook in self.on_subxact:
                hook("abort")
        saved = self.savepoints[index]
        del self.savepoints[index + 1 :]
        self._undo_to(saved)
        self._undo_mark = {"main": saved.undo_main, "g": saved.undo_g}
        self._mark_is_old = False
        self.truncated.clear()
        del self._created[saved.created :]
        del self._dropped[saved.dropped :]
        del self._commit_callbacks[saved.on_commit :]
        for callback in self._abort_callbacks[saved.on_abort :]:
            callback()
        del self._abort_callbacks[saved.on_abort :]
        if self.state == FAILED:
            self.state = BLOCK
        for hook in self.on_subxact:
            hook("start")

    def _undo_to(self, saved: Savepoint) -> None:
        """Take back the rows, row locks and storage that came after a savepoint."""
        self._end_statement()
        if not self.registered:
            return
        self.undo_xid = 0
        with self.undoing(shared="g" in self.registered):
            for schema, mark in (("main", saved.undo_main), ("g", saved.undo_g)):
                if schema in self.registered:
                    roll_back(self.conn, schema, self.xid, mark, self.triggers.columns)
                    self.conn.execute(
                        f"DELETE FROM {schema}.{prefix(schema)}rowlock WHERE xid=? AND stamp>?",
                        (self.xid, saved.row_locks),
                    )
            created = self._created[saved.created :]
            self.restore_indexes(self._dropped[saved.dropped :], created)
            self.drop_storage(created)
        self.xid_let_go(self.xid)
