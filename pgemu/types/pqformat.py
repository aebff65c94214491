"""Reading the binary form of a value (PostgreSQL: libpq/pqformat.c, its pq_getmsg... functions).

A receive function reads what it needs and complains in PostgreSQL's words about what is missing.
What is left over is not its own affair: the caller knows what the bytes were, so LeftOver goes up
to it (a parameter of Bind, an element of an array, a column of a record, a field of COPY).
"""

from __future__ import annotations

import struct
from typing import Any

from pgemu.errors import (
    CHARACTER_NOT_IN_REPERTOIRE,
    INVALID_BINARY_REPRESENTATION,
    PROTOCOL_VIOLATION,
    PgError,
)
from pgemu.fmgr import CallContext

# The OIDs below it are the same in every cluster.
FIRST_GENBKI_OBJECT_ID = 10000


class LeftOver(PgError):
    """Bytes behind the value; `said` makes the error of a caller who knows what it was."""

    def __init__(self) -> None:
        super().__init__(INVALID_BINARY_REPRESENTATION, "incorrect binary data format")

    def said(self, message: str) -> PgError:
        return PgError(INVALID_BINARY_REPRESENTATION, message)


def insufficient_data() -> PgError:
    return PgError(PROTOCOL_VIOLATION, "insufficient data left in message")


class Message:
    """The bytes of one value and how far they have been read."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes) -> None:
        self.data = bytes(data)
        self.at = 0

    @property
    def left(self) -> int:
        return len(self.data) - self.at

    def byte(self) -> int:
        if self.at >= len(self.data):
            raise PgError(PROTOCOL_VIOLATION, "no data left in message")
        self.at += 1
        return self.data[self.at - 1]

    def take(self, size: int) -> bytes:
        if not 0 <= size <= self.left:
            raise insufficient_data()
        self.at += size
        return self.data[self.at - size : self.at]

    def integer(self, size: int, signed: bool = True) -> int:
        return int.from_bytes(self.take(size), "big", signed=signed)

    def unpack(self, code: str) -> tuple[Any, ...]:
        """Several numbers of a struct format, most significant byte first."""
        return struct.unpack(f">{code}", self.take(struct.calcsize(f">{code}")))

    def string(self) -> str:
        """pq_getmsgstring: up to a zero byte."""
        end = self.data.find(b"\0", self.at)
        if end < 0:
            raise PgError(PROTOCOL_VIOLATION, "invalid string in message")
        found = self.data[self.at : end]
        self.at = end + 1
        return decode_utf8(found)

    def text(self) -> str:
        """pq_getmsgtext of all that is left."""
        return decode_utf8(self.take(self.left))

    def end(self) -> None:
        if self.left:
            raise LeftOver


def getmsgend(message: Message) -> None:
    """For types that look after the end of their data themselves."""
    if message.left:
        raise PgError(PROTOCOL_VIOLATION, "invalid message format")


def shown_type(oid: int, ctx: CallContext) -> str:
    """format_type with FORMAT_TYPE_ALLOW_INVALID."""
    return str(ctx.catalog.type_name(oid)) if oid and ctx.catalog is not None else "-"


def check_length(data: bytes, size: int) -> None:
    """PostgreSQL's complaints about a binary value of the wrong length."""
    if len(data) < size:
        raise insufficient_data()
    if len(data) > size:
        raise LeftOver


def invalid_utf8(data: bytes, start: int) -> PgError:
    """report_invalid_encoding: shows as many bytes as the first one announces."""
    first = data[start]
    size = 4 if first >= 0xF0 else 3 if first >= 0xE0 else 2
    if not 0xC0 <= first < 0xF8:
        size = 1
    bad = " ".join(f"0x{byte:02x}" for byte in data[start : start + size])
    return PgError(CHARACTER_NOT_IN_REPERTOIRE, f'invalid byte sequence for encoding "UTF8": {bad}')


def decode_utf8(data: bytes) -> str:
    """Text of client bytes that claim to be UTF8."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        zero = data.find(b"\0", 0, error.start)
        raise invalid_utf8(data, error.start if zero < 0 else zero) from None
    if "\0" in text:
        raise invalid_utf8(data, data.index(b"\0"))
    return text
