"""Message: the base of every protocol message; encode, decode and trace derived from fields.

There is no counterpart in PostgreSQL, which writes each message by hand.  A subclass is a
frozen dataclass whose annotations (see fields.py) are its format.  `type` is the first byte of
the message (empty for the untyped first packet), `code` the Int32 that follows where several
messages share a type (Authentication*) or that names a first packet (SSLRequest).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self, get_type_hints

from pgemu_protocol.fields import Codec, Reader
from pgemu_protocol.violation import ProtocolViolation, insufficient_data, invalid_format


@dataclass(frozen=True, slots=True)
class Message:
    """A protocol message."""

    type: ClassVar[bytes] = b""
    code: ClassVar[int | None] = None

    def encode(self) -> bytes:
        """The whole message: type byte, length, payload."""
        payload = self.payload()
        return self.type + (len(payload) + 4).to_bytes(4, "big") + payload

    def payload(self) -> bytes:
        """Everything after the length word."""
        out = bytearray()
        if self.code is not None:
            out += self.code.to_bytes(4, "big")
        for name, codec in formats(type(self)):
            codec.write(out, getattr(self, name))
        return bytes(out)

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """The message of this payload (without type and length); ProtocolViolation if malformed."""
        source = Reader(payload)
        if cls.code is not None:
            code = int.from_bytes(source.take(4), "big")
            if code != cls.code:
                raise invalid_format()
        made = cls(*[codec.read(source) for _, codec in formats(cls)])
        source.end()
        return made

    def trace(self) -> str:
        """One line for people: `Bind(portal='', statement='s1', ...)`."""
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name, _ in formats(type(self)))
        return f"{type(self).__name__}({shown})"


_FORMATS: dict[type[Message], tuple[tuple[str, Codec], ...]] = {}


def formats(cls: type[Message]) -> tuple[tuple[str, Codec], ...]:
    """(field name, codec) of each field, in wire order; computed once for each class."""
    known = _FORMATS.get(cls)
    if known is None:
        hints: dict[str, Any] = get_type_hints(cls, include_extras=True)
        known = tuple((field.name, hints[field.name].__metadata__[0]) for field in fields(cls))
        _FORMATS[cls] = known
    return known


def split(data: bytes) -> tuple[bytes, bytes, bytes]:
    """(type, payload, rest) of the first typed message in data; insufficient data raises."""
    if len(data) < 5:
        raise insufficient_data()
    length = int.from_bytes(data[1:5], "big", signed=True)
    if length < 4:
        raise ProtocolViolation("invalid message length", silent=True)
    if len(data) < length + 1:
        raise insufficient_data()
    return data[:1], data[5 : length + 1], data[length + 1 :]
