"""The untyped first packets: StartupMessage, SSLRequest, GSSENCRequest, CancelRequest.

Counterpart: ProcessStartupPacket in PostgreSQL's postmaster.c, and the protocol-3.2 rules of
later servers for longer cancel keys.  The first Int32 after the length names the packet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pgemu_protocol.fields import Int32, Options, Rest, UInt32
from pgemu_protocol.hot import (
    CANCEL_REQUEST_CODE,
    NEGOTIATE_GSS_CODE,
    NEGOTIATE_SSL_CODE,
    decode_startup,
)
from pgemu_protocol.hot import PROTOCOL_3_0 as PROTOCOL_3_0
from pgemu_protocol.message import Message
from pgemu_protocol.violation import ProtocolViolation, invalid_format

PROTOCOL_3_2 = 3 << 16 | 2


def protocol(major: int, minor: int) -> int:
    return major << 16 | minor


@dataclass(frozen=True, slots=True)
class StartupMessage(Message):
    """version: major << 16 | minor.  options: (name, value) in the order sent."""

    version: UInt32
    options: Options


@dataclass(frozen=True, slots=True)
class SSLRequest(Message):
    code: ClassVar[int | None] = NEGOTIATE_SSL_CODE


@dataclass(frozen=True, slots=True)
class GSSENCRequest(Message):
    code: ClassVar[int | None] = NEGOTIATE_GSS_CODE


@dataclass(frozen=True, slots=True)
class CancelRequest(Message):
    """The key is 4 bytes in protocol 3.0, longer from 3.2 on."""

    code: ClassVar[int | None] = CANCEL_REQUEST_CODE
    process_id: Int32
    secret_key: Rest


FirstPacket = StartupMessage | SSLRequest | GSSENCRequest | CancelRequest


def decode_first_packet(payload: bytes) -> FirstPacket:
    """The packet of a payload (without its length word).

    The version is not judged here: the server does, knowing which versions it speaks.
    """
    if len(payload) < 4:
        raise ProtocolViolation("invalid length of startup packet", silent=True)
    code = int.from_bytes(payload[:4], "big")
    if code == CANCEL_REQUEST_CODE:
        if len(payload) < 9 or len(payload) > 8 + 256:
            # A key of at least one byte and at most 256, as later servers allow.
            raise ProtocolViolation("invalid length of startup packet", silent=True)
        return CancelRequest.decode(payload)
    if code == NEGOTIATE_SSL_CODE:
        return SSLRequest.decode(payload)
    if code == NEGOTIATE_GSS_CODE:
        return GSSENCRequest.decode(payload)
    if code >> 16 != 3:
        return StartupMessage(code, ())
    return StartupMessage(code, decode_startup(payload))


def parse_protocol(text: str) -> int:
    """The version number of '3.0'."""
    major, _, minor = text.partition(".")
    if not (major.isdigit() and minor.isdigit()):
        raise invalid_format()
    return protocol(int(major), int(minor))
