"""PgError: an ERROR, FATAL or PANIC on its way to the client; Notice: everything below ERROR."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["ERROR", "FATAL", "PANIC"]


class PgError(Exception):
    """A PostgreSQL error.

    location is the 0-based byte offset in the text of the statement (as the raw parse tree
    counts); tcop turns it into the 1-based character position of the protocol.  Less than zero
    or None: unknown.  position, if given, is that final 1-based value already.  detail_log: what
    the log says in place of detail, since the client must not know it.
    """

    detail_log: str | None = None

    def __init__(
        self,
        sqlstate: str,
        message: str,
        *,
        detail: str | None = None,
        hint: str | None = None,
        location: int | None = None,
        position: int | None = None,
        internal_query: str | None = None,
        internal_position: int | None = None,
        where: str | None = None,
        schema: str | None = None,
        table: str | None = None,
        column: str | None = None,
        datatype: str | None = None,
        constraint: str | None = None,
        routine: str | None = None,
        severity: Severity = "ERROR",
    ) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate
        self.message = message
        self.detail = detail
        self.hint = hint
        self.location = location
        self.position = position
        self.internal_query = internal_query
        self.internal_position = internal_position
        self.where = where
        self.schema = schema
        self.table = table
        self.column = column
        self.datatype = datatype
        self.constraint = constraint
        self.routine = routine  # only where drivers look at it
        self.severity: Severity = severity

    def add_context(self, line: str) -> None:
        """Append a line to the CONTEXT field (innermost first, as errcontext does)."""
        self.where = line if self.where is None else f"{self.where}\n{line}"


@dataclass(slots=True)
class Notice:
    """A message below ERROR: severity is WARNING, NOTICE, INFO, LOG or DEBUG1..5."""

    severity: str
    sqlstate: str
    message: str
    detail: str | None = None
    hint: str | None = None
    where: str | None = None
    schema: str | None = None
    table: str | None = None
    column: str | None = None
    datatype: str | None = None
    constraint: str | None = None
    location: int | None = None
    routine: str | None = None
    # what client_min_messages said of it, if that has changed since
    shown: bool | None = None
