"""Each message encodes to its bytes, decodes whole and byte by byte, and refuses what is broken."""

from __future__ import annotations

import pytest
from message_cases import BACKEND, FIRST_PACKETS, FRONTEND, SASL

from pgemu_protocol import FrameReader, ProtocolViolation
from pgemu_protocol.backend import decode_backend
from pgemu_protocol.framing import MESSAGE_LIMITS
from pgemu_protocol.frontend import FRONTEND_MESSAGES, decode_frontend
from pgemu_protocol.message import Message, split
from pgemu_protocol.startup import decode_first_packet

EVERYTHING = dict.fromkeys(range(256), 1 << 30)
TYPED = FRONTEND + SASL + BACKEND


def decode(message: Message, kind: int, payload: bytes) -> Message:
    return type(message).decode(payload)


@pytest.mark.parametrize(("message", "wire"), TYPED + FIRST_PACKETS, ids=lambda v: str(v)[:40])
def test_encode(message: Message, wire: bytes) -> None:
    assert message.encode() == wire
    assert message.trace().startswith(type(message).__name__)


@pytest.mark.parametrize(("message", "wire"), TYPED, ids=lambda v: str(v)[:40])
def test_decode_whole(message: Message, wire: bytes) -> None:
    kind, payload, rest = split(wire)
    assert (type(message).decode(payload), rest) == (message, b"")
    assert kind == message.type


def test_decode_by_type() -> None:
    for message, wire in FRONTEND:
        assert decode_frontend(wire[0], wire[5:]) == message
    for message, wire in BACKEND:
        assert decode_backend(wire[0], wire[5:]) == message


@pytest.mark.parametrize(("message", "wire"), TYPED, ids=lambda v: str(v)[:40])
def test_byte_by_byte(message: Message, wire: bytes) -> None:
    reader = FrameReader(EVERYTHING)
    for at in range(len(wire) - 1):
        reader.feed(wire[at : at + 1])
        assert reader.next() is None
    reader.feed(wire[-1:])
    assert reader.next() == (wire[0], wire[5:])
    assert reader.buffered == 0


def test_pipelined() -> None:
    reader = FrameReader()
    whole = b"".join(wire for message, wire in FRONTEND if message.type != b"p")
    reader.feed(whole[:50])
    got = list(reader)
    reader.feed(whole[50:])
    got += list(reader)
    assert b"".join(bytes([k]) + (len(p) + 4).to_bytes(4, "big") + p for k, p in got) == whole


@pytest.mark.parametrize(("message", "wire"), TYPED, ids=lambda v: str(v)[:40])
def test_truncated(message: Message, wire: bytes) -> None:
    """A shorter payload is refused, or is another valid message (a rest takes what there is)."""
    payload = wire[5:]
    for end in range(len(payload)):
        try:
            shorter = type(message).decode(payload[:end])
        except ProtocolViolation as violation:
            assert violation.sqlstate == "08P01"
        else:
            assert shorter.payload() == payload[:end]


@pytest.mark.parametrize(("message", "wire"), TYPED, ids=lambda v: str(v)[:40])
def test_corrupted(message: Message, wire: bytes) -> None:
    """Any byte changed: refused, or decoded to what encodes back to the same bytes."""
    payload = bytearray(wire[5:])
    for at in range(len(payload)):
        for value in (0, 1, 127, 128, 255):
            changed = bytes(payload[:at]) + bytes([value]) + bytes(payload[at + 1 :])
            try:
                decoded = type(message).decode(changed)
            except ProtocolViolation:
                continue
            assert decoded.payload() == changed


@pytest.mark.parametrize(("message", "wire"), FIRST_PACKETS, ids=lambda v: str(v)[:40])
def test_first_packets(message: Message, wire: bytes) -> None:
    assert decode_first_packet(wire[4:]) == message
    reader = FrameReader()
    for at in range(len(wire) - 1):
        reader.feed(wire[at : at + 1])
        assert reader.next_startup() is None
    reader.feed(wire[-1:] + b"Q")
    assert reader.next_startup() == wire[4:]
    assert reader.take_rest() == b"Q"


@pytest.mark.parametrize(
    ("wire", "words"),
    [
        (b"\0\0\0\x03", "invalid length of startup packet"),
        (b"\0\0\x30\0", "invalid length of startup packet"),
        (b"GET / HTTP/1.0\r\n", "invalid length of startup packet"),
        (b"\0\0\0\x08\x04\xd2\x16\x2e", "invalid length of startup packet"),
        (
            b"\0\0\0\x0e\0\3\0\0user\0u",
            "invalid startup packet layout: expected terminator as last byte",
        ),
    ],
)
def test_bad_first_packets(wire: bytes, words: str) -> None:
    reader = FrameReader()
    reader.feed(wire)
    with pytest.raises(ProtocolViolation, match=words):
        decode_first_packet(reader.next_startup() or b"")


@pytest.mark.parametrize(
    ("wire", "words"),
    [
        (b"x", "invalid frontend message type 120"),
        (b"Q\0\0\0\3", "invalid message length"),
        (b"Q\xff\xff\xff\xff", "invalid message length"),
        (b"S\0\0\x27\x11", "invalid message length"),
        (b"Q\x3f\xff\xff\xff", "invalid message length"),
    ],
)
def test_bad_frames(wire: bytes, words: str) -> None:
    reader = FrameReader()
    reader.feed(wire)
    with pytest.raises(ProtocolViolation, match=words):
        reader.next()


def test_every_frontend_message_has_a_limit() -> None:
    assert set(MESSAGE_LIMITS) | {b"p"[0]} == set(FRONTEND_MESSAGES)
