"""What an error or notice looks like on the wire, before and after authentication.

Counterpart: send_message_to_frontend in PostgreSQL's elog.c.
"""

from __future__ import annotations

from pgemu.errors import Notice, PgError
from pgemu.libpq.pqcomm import Connection, ConnectionLost
from pgemu_protocol.hot import error_response, notice_response
from pgemu_protocol.violation import ProtocolViolation

# where PostgreSQL 15 raises what clients look at by its place
_SOURCES = {"exec_stmt_raise": ("pl_exec.c", "3891")}


def source_fields(routine: str | None) -> dict[str, str | None]:
    """File, line and routine: only routines that clients are known to look at have them."""
    file, line = _SOURCES.get(routine or "", (None, None))
    return {"F": file, "L": line, "R": routine}


def error_fields(error: PgError, position: int | None = None) -> dict[str, str]:
    """Field letter -> text; position is the 1-based character position in the statement."""
    shown = {
        "S": error.severity,
        "V": error.severity,
        "C": error.sqlstate,
        "M": error.message,
        "D": error.detail,
        "H": error.hint,
        "P": position or error.position,
        "p": error.internal_position,
        "q": error.internal_query,
        "W": error.where,
        "s": error.schema,
        "t": error.table,
        "c": error.column,
        "d": error.datatype,
        "n": error.constraint,
        **source_fields(error.routine),
    }
    return {letter: str(text) for letter, text in shown.items() if text is not None}


def notice_fields(notice: Notice, position: int | None = None) -> dict[str, str]:
    """As error_fields; DEBUG1 to DEBUG5 are all DEBUG."""
    severity = "DEBUG" if notice.severity.startswith("DEBUG") else notice.severity
    shown = {
        "S": severity,
        "V": severity,
        "C": notice.sqlstate,
        "M": notice.message,
        "D": notice.detail,
        "H": notice.hint,
        "P": position,
        "W": notice.where,
        "s": notice.schema,
        "t": notice.table,
        "c": notice.column,
        "d": notice.datatype,
        "n": notice.constraint,
        **source_fields(notice.routine),
    }
    return {letter: str(text) for letter, text in shown.items() if text is not None}


def violation_error(violation: ProtocolViolation) -> PgError:
    """A protocol violation as the error that the client sees."""
    return PgError(
        violation.sqlstate, violation.message, severity="FATAL" if violation.fatal else "ERROR"
    )


def as_fatal(error: PgError) -> PgError:
    """The same error, ending the connection: any ERROR before the first ReadyForQuery."""
    if error.severity == "ERROR":
        error.severity = "FATAL"
    return error


def send_error(
    connection: Connection,
    error: PgError,
    position: int | None = None,
    encoding: str = "utf-8",
    *,
    protocol2: bool = False,
) -> None:
    """Send the ErrorResponse at once; protocol2: as clients of before 7.4 read it."""
    if protocol2:
        connection.write(b"E%b:  %b\n\0" % (error.severity.encode(), error.message.encode()))
    else:
        connection.write(error_response(error_fields(error, position), encoding))
    try:
        connection.flush()
    except ConnectionLost:
        if error.severity == "ERROR":
            raise
        # Dying anyway.


def send_notice(
    connection: Connection, notice: Notice, position: int | None = None, encoding: str = "utf-8"
) -> None:
    """Queue the NoticeResponse."""
    connection.write(notice_response(notice_fields(notice, position), encoding))
