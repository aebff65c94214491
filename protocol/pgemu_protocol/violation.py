"""ProtocolViolation: the peer sent bytes that the protocol does not allow.

Counterpart of the ereport(ERRCODE_PROTOCOL_VIOLATION) calls in PostgreSQL's pqcomm.c,
pqformat.c and postgres.c.  The package knows nothing of pgemu's PgError; whoever drives it
turns one into the other.
"""

from __future__ import annotations


class ProtocolViolation(Exception):
    """message and sqlstate as PostgreSQL would send them.

    fatal: the connection cannot go on (framing is lost).  silent: PostgreSQL only logs it
    (COMMERROR) and closes the connection without an ErrorResponse.
    """

    def __init__(
        self, message: str, sqlstate: str = "08P01", *, fatal: bool = False, silent: bool = False
    ) -> None:
        super().__init__(message)
        self.message = message
        self.sqlstate = sqlstate
        self.fatal = fatal or silent
        self.silent = silent


def insufficient_data() -> ProtocolViolation:
    return ProtocolViolation("insufficient data left in message")


def invalid_string() -> ProtocolViolation:
    return ProtocolViolation("invalid string in message")


def invalid_format() -> ProtocolViolation:
    return ProtocolViolation("invalid message format")


def invalid_byte_sequence(error: UnicodeDecodeError, encoding_name: str) -> ProtocolViolation:
    """22021 in PostgreSQL's words (report_invalid_encoding in mbutils.c)."""
    data = error.object[error.start :]
    length = _expected_length(data[0]) if encoding_name == "UTF8" else 1
    shown = " ".join(f"0x{byte:02x}" for byte in data[:length])
    return ProtocolViolation(
        f'invalid byte sequence for encoding "{encoding_name}": {shown}', "22021"
    )


def _expected_length(first: int) -> int:
    """Length of the UTF-8 sequence that starts with this byte, as pg_utf_mblen counts it."""
    if first & 0xE0 == 0xC0:
        return 2
    if first & 0xF0 == 0xE0:
        return 3
    if first & 0xF8 == 0xF0:
        return 4
    return 1
