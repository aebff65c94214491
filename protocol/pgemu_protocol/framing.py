"""FrameReader: bytes in, whole messages out.

Counterpart: pq_getmessage in PostgreSQL's pqcomm.c and SocketBackend in postgres.c, which fix
how long a message of each type may be.  Lengths here count the length word itself, as on the
wire.  No socket: whoever has one feeds what it received.
"""

from __future__ import annotations

from collections.abc import Iterator

from pgemu_protocol.violation import ProtocolViolation

MAX_STARTUP_PACKET_LENGTH = 10000
PQ_SMALL_MESSAGE_LIMIT = 10000
PQ_LARGE_MESSAGE_LIMIT = 0x3FFFFFFF - 1
PG_MAX_AUTH_TOKEN_LENGTH = 65535

MESSAGE_LIMITS: dict[int, int] = {
    **dict.fromkeys(b"QFBPd", PQ_LARGE_MESSAGE_LIMIT),
    **dict.fromkeys(b"XCDEHScf", PQ_SMALL_MESSAGE_LIMIT),
}
"""What a client may send once it is authenticated, and how long it may be."""

AUTHENTICATION_LIMITS: dict[int, int] = {b"p"[0]: PG_MAX_AUTH_TOKEN_LENGTH}
"""What it may send before."""


def invalid_message_length() -> ProtocolViolation:
    return ProtocolViolation("invalid message length", silent=True)


def invalid_message_type(kind: int) -> ProtocolViolation:
    return ProtocolViolation(f"invalid frontend message type {kind}", fatal=True)


def startup_length(head: bytes) -> int:
    """Payload length of a first packet from its four length bytes; checked."""
    length = int.from_bytes(head, "big", signed=True) - 4
    if length < 4 or length > MAX_STARTUP_PACKET_LENGTH:
        raise ProtocolViolation("invalid length of startup packet", silent=True)
    return length


class FrameReader:
    """Collects bytes and gives messages.

    limits: type byte -> greatest length word; another type raises.  next_startup() takes an
    untyped first packet; next() a typed message as (type byte, payload).  Both answer None
    until enough bytes were fed.
    """

    __slots__ = ("_buffer", "_pos", "limits")

    def __init__(self, limits: dict[int, int] | None = None) -> None:
        self.limits = MESSAGE_LIMITS if limits is None else limits
        self._buffer = bytearray()
        self._pos = 0

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        if self._pos:
            del self._buffer[: self._pos]
            self._pos = 0
        self._buffer += data

    @property
    def buffered(self) -> int:
        """How many bytes were fed and not yet given out."""
        return len(self._buffer) - self._pos

    def take_rest(self) -> bytes:
        """Give up what is buffered, as TLS needs it or a hand-over to another reader."""
        rest = bytes(self._buffer[self._pos :])
        self._buffer.clear()
        self._pos = 0
        return rest

    def next_startup(self) -> bytes | None:
        """The payload of a first packet."""
        at = self._pos
        if len(self._buffer) - at < 4:
            return None
        length = startup_length(bytes(self._buffer[at : at + 4]))
        if len(self._buffer) - at < length + 4:
            return None
        self._pos = at + 4 + length
        return bytes(self._buffer[at + 4 : self._pos])

    def next(self) -> tuple[int, bytes] | None:
        """The next message; its type and length are judged as soon as they are there."""
        buffer = self._buffer
        at = self._pos
        have = len(buffer) - at
        if have == 0:
            return None
        kind = buffer[at]
        limit = self.limits.get(kind)
        if limit is None:
            raise invalid_message_type(kind)
        if have < 5:
            return None
        length = int.from_bytes(buffer[at + 1 : at + 5], "big")
        if length < 4 or length > limit:
            raise invalid_message_length()
        end = at + 1 + length
        if have < length + 1:
            return None
        self._pos = end
        return kind, bytes(buffer[at + 5 : end])

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        while (message := self.next()) is not None:
            yield message
