"""Statements that SQLite gives up because TEMP triggers were made or dropped in their midst.

A function that a SELECT calls may be the first to write to some table, which makes its triggers.
Those of the database's own tables then stand in its schema for a while (UndoTriggers.create); what
is left are the shared catalogs, and tables whose TEMP triggers have to go.  SQLite takes every
change of the temporary schema for the end of the statements that are being stepped: they fail as
soon as they open another cursor.  PostgreSQL has nothing like it.  The statement is taken back, and
runs again with the triggers made beforehand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import apsw

from pgemu.catalog.rows import PgClass
from pgemu.errors import PgError

T = TypeVar("T")


class StatementExpiredError(Exception):
    """Take the outermost statement back and run it again.  error: what is to be said where that
    cannot be."""

    def __init__(self, session: Any, error: PgError) -> None:
        super().__init__(str(error))
        self.error = error
        self.undo = dict(session.xact.triggers.columns)
        self.checked = session.constraints.tables()


def has_expired(error: apsw.Error, session: Any) -> bool:
    """Is it this error, in a statement that can be taken back?"""
    return (
        isinstance(error, apsw.AbortError)
        and getattr(error, "extendedresult", 0) == apsw.SQLITE_ABORT_ROLLBACK
        and session.xact.write_depth > 0
    )


class Prepared(Generic[T]):
    """A statement that runs after the triggers of tables were made.  reads_first: it reads its
    tables before it calls functions."""

    def __init__(
        self,
        session: Any,
        run: Callable[[], T],
        undo: dict[str, int],
        checked: set[int],
        *,
        reads_first: bool,
    ) -> None:
        self.session = session
        self.run = run
        self.undo = undo
        self.checked = checked
        self.reads_first = reads_first

    def __call__(self) -> T:
        session = self.session
        with session.xact.write():
            for name, natts in self.undo.items():
                session.xact.triggers.ensure(name, natts)
            for oid in self.checked:
                session.constraints.ensure(session.catalog.relation(oid))
            outer, session.reads_first = session.reads_first, self.reads_first
            try:
                return self.run()
            finally:
                session.reads_first = outer


def with_triggers(
    session: Any, run: Callable[[], T], expired: StatementExpiredError
) -> Callable[[], T]:
    """The statement once more, after it was taken back: with the triggers that went with it.
    Those of tables that it makes itself can never be there beforehand: then it must not open
    tables any more once it calls functions, which costs indexes their use."""
    undo = {
        name: natts
        for name, natts in expired.undo.items()
        if session.conn.table_exists(*name.split("."))
    }
    checked = {
        oid for oid in expired.checked.values() if session.catalog.one(PgClass, oid=oid) is not None
    }
    if session.xact.suspensions:
        raise expired.error
    reads_first = False
    if isinstance(run, Prepared):
        reads_first = undo.keys() <= run.undo.keys() and checked <= run.checked
        if reads_first and run.reads_first:
            raise expired.error
        run = run.run
    return Prepared(session, run, undo, checked, reads_first=reads_first)
