"""The one boundary where SQLite's errors become PostgreSQL's."""

from __future__ import annotations

import re
from typing import Any

import apsw

from pgemu.errors import (
    DISK_FULL,
    INTERNAL_ERROR,
    INVALID_PRECEDING_OR_FOLLOWING_SIZE,
    NUMERIC_VALUE_OUT_OF_RANGE,
    OUT_OF_MEMORY,
    PROGRAM_LIMIT_EXCEEDED,
    QUERY_CANCELED,
    STATEMENT_TOO_COMPLEX,
    UNIQUE_VIOLATION,
    PgError,
)
from pgemu.executor.expiry import StatementExpiredError, has_expired

_INDEX = re.compile(r"UNIQUE constraint failed: index '(\w+)'")
_FRAME = re.compile(r"frame (starting|ending) offset must be a non-negative (integer|number)")
_COLUMNS = re.compile(r"UNIQUE constraint failed: (.*)")


def translate(error: apsw.Error, session: Any) -> PgError:
    """The PgError for an error of apsw, with its notes as context; StatementExpiredError is
    raised."""
    found = _translated(error, session)
    for line in getattr(error, "__notes__", ()):
        found.add_context(line)
    return found


def _translated(error: apsw.Error, session: Any) -> PgError:
    if isinstance(error, apsw.ConstraintError):
        return _constraint(error, session)
    text = str(error)
    if isinstance(error, apsw.InterruptError):
        found: PgError = session.interrupted()
        return found
    if "integer overflow" in text:
        return PgError(NUMERIC_VALUE_OUT_OF_RANGE, "bigint out of range")
    frame = _FRAME.search(text)
    if frame is not None:
        message = f"frame {frame[1]} offset must not be negative"
        if frame[2] == "number":  # RANGE: in_range() is who complains
            message = "invalid preceding or following size in window function"
        return PgError(INVALID_PRECEDING_OR_FOLLOWING_SIZE, message)
    if isinstance(error, apsw.TooBigError):
        return PgError(PROGRAM_LIMIT_EXCEEDED, "value too long for this server")
    if "too many" in text or "too large" in text or "stack overflow" in text or "maximum" in text:
        return PgError(
            STATEMENT_TOO_COMPLEX,
            "stack depth limit exceeded",
            hint='Increase the configuration parameter "max_stack_depth" (currently 2048kB), '
            "after ensuring the platform's stack depth limit is adequate.",
        )
    if isinstance(error, apsw.FullError):
        return PgError(DISK_FULL, f"could not write to file: {text}")
    if isinstance(error, apsw.NoMemError):
        return PgError(OUT_OF_MEMORY, "out of memory")
    unknown = PgError(INTERNAL_ERROR, f"storage engine: {text}")
    if has_expired(error, session):
        raise StatementExpiredError(session, unknown)
    return unknown


def _constraint(error: apsw.ConstraintError, session: Any) -> PgError:
    text = str(error)
    index = _INDEX.search(text)
    if index is not None:
        return session.constraints.unique_violation(index_name=index[1])  # type: ignore[no-any-return]
    columns = _COLUMNS.search(text)
    if columns is None:
        return PgError(INTERNAL_ERROR, f"storage engine: {text}")
    names = columns[1].split(", ")
    table = names[0].partition(".")[0]
    attnums = [int(n.partition(".")[2][1:]) for n in names if n.partition(".")[2][:1] == "c"]
    found: PgError = session.constraints.unique_violation(table=table, attnums=attnums)
    return found


__all__ = ["QUERY_CANCELED", "UNIQUE_VIOLATION", "translate"]
