"""Field formats: what the annotations of a message class mean on the wire.

Counterpart of PostgreSQL's pqformat.c.  A message is a frozen dataclass; each of its fields is
annotated with one of the aliases below (Annotated[python type, codec]), and encode, decode and
trace are derived from them.  Text is UTF-8 with undecodable bytes kept as surrogates, so that
decode(encode(m)) == m and encode(decode(b)) == b.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Annotated, Any, Protocol

from pgemu_protocol.violation import (
    ProtocolViolation,
    insufficient_data,
    invalid_format,
    invalid_string,
)


class Reader:
    """A cursor over one message's payload; its errors are pq_getmsg*'s."""

    __slots__ = ("data", "pos")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.pos = 0

    def take(self, count: int) -> bytes:
        end = self.pos + count
        if count < 0 or end > len(self.data):
            raise insufficient_data()
        taken = self.data[self.pos : end]
        self.pos = end
        return taken

    def cstring(self) -> bytes:
        end = self.data.find(0, self.pos)
        if end < 0:
            raise invalid_string()
        taken = self.data[self.pos : end]
        self.pos = end + 1
        return taken

    def end(self) -> None:
        if self.pos != len(self.data):
            raise invalid_format()


class Codec(Protocol):
    """One field's format."""

    def write(self, out: bytearray, value: Any) -> None: ...
    def read(self, source: Reader) -> Any: ...


class IntCodec:
    """A big-endian integer of a struct format letter."""

    def __init__(self, letter: str) -> None:
        self.struct = struct.Struct(">" + letter)

    def write(self, out: bytearray, value: Any) -> None:
        out += self.struct.pack(value)

    def read(self, source: Reader) -> int:
        value: int = self.struct.unpack(source.take(self.struct.size))[0]
        return value


class CharCodec:
    """One byte shown as a one-letter bytes."""

    def write(self, out: bytearray, value: Any) -> None:
        out += value

    def read(self, source: Reader) -> bytes:
        if source.pos >= len(source.data):
            raise ProtocolViolation("no data left in message")
        return source.take(1)


class StringCodec:
    """A zero-terminated string."""

    def write(self, out: bytearray, value: Any) -> None:
        raw = value.encode("utf-8", "surrogateescape")
        if 0 in raw:
            raise ValueError("a protocol string cannot hold a zero byte")
        out += raw
        out.append(0)

    def read(self, source: Reader) -> str:
        return source.cstring().decode("utf-8", "surrogateescape")


class RestCodec:
    """All bytes up to the end of the message."""

    def write(self, out: bytearray, value: Any) -> None:
        out += value

    def read(self, source: Reader) -> bytes:
        return source.take(len(source.data) - source.pos)


class ValueCodec:
    """Int32 length and that many bytes; -1 is NULL."""

    def write(self, out: bytearray, value: Any) -> None:
        if value is None:
            out += b"\xff\xff\xff\xff"
        else:
            out += len(value).to_bytes(4, "big")
            out += value

    def read(self, source: Reader) -> bytes | None:
        length = int.from_bytes(source.take(4), "big", signed=True)
        return None if length == -1 else source.take(length)


class FixedCodec:
    """Exactly so many bytes."""

    def __init__(self, length: int) -> None:
        self.length = length

    def write(self, out: bytearray, value: Any) -> None:
        if len(value) != self.length:
            raise ValueError(f"expected {self.length} bytes, got {len(value)}")
        out += value

    def read(self, source: Reader) -> bytes:
        return source.take(self.length)


class CountedCodec:
    """A count, then that many items."""

    def __init__(self, count: IntCodec, item: Codec) -> None:
        self.count = count
        self.item = item

    def write(self, out: bytearray, value: Any) -> None:
        self.count.write(out, len(value))
        for item in value:
            self.item.write(out, item)

    def read(self, source: Reader) -> tuple[Any, ...]:
        count = self.count.read(source)
        if count < 0:
            raise insufficient_data()
        # Every item takes at least one byte: a lying count must not make us loop for long.
        if count > len(source.data) - source.pos:
            raise insufficient_data()
        return tuple(self.item.read(source) for _ in range(count))


class UntilZeroCodec:
    """Items until a zero byte stands where the next would start."""

    def __init__(self, item: Codec) -> None:
        self.item = item

    def write(self, out: bytearray, value: Any) -> None:
        for item in value:
            self.item.write(out, item)
        out.append(0)

    def read(self, source: Reader) -> tuple[Any, ...]:
        items: list[Any] = []
        while True:
            if source.pos >= len(source.data):
                raise invalid_string()
            if source.data[source.pos] == 0:
                source.pos += 1
                return tuple(items)
            items.append(self.item.read(source))


class PairCodec:
    """Two fields one after the other, as a tuple."""

    def __init__(self, first: Codec, second: Codec) -> None:
        self.first = first
        self.second = second

    def write(self, out: bytearray, value: Any) -> None:
        self.first.write(out, value[0])
        self.second.write(out, value[1])

    def read(self, source: Reader) -> tuple[Any, Any]:
        return (self.first.read(source), self.second.read(source))


class StructCodec:
    """Several fields, as an instance of a NamedTuple class."""

    def __init__(self, made: type[Any], items: Sequence[Codec]) -> None:
        self.made = made
        self.items = tuple(items)

    def write(self, out: bytearray, value: Any) -> None:
        for codec, item in zip(self.items, value, strict=True):
            codec.write(out, item)

    def read(self, source: Reader) -> Any:
        return self.made(*[codec.read(source) for codec in self.items])


INT16, UINT16, INT32, UINT32 = IntCodec("h"), IntCodec("H"), IntCodec("i"), IntCodec("I")
CHAR, STRING, REST, VALUE = CharCodec(), StringCodec(), RestCodec(), ValueCodec()

Char = Annotated[bytes, CHAR]
Int8 = Annotated[int, IntCodec("B")]
Int16 = Annotated[int, INT16]
Int32 = Annotated[int, INT32]
UInt32 = Annotated[int, UINT32]
Text = Annotated[str, STRING]
Rest = Annotated[bytes, REST]
Value = Annotated[bytes | None, VALUE]
Salt = Annotated[bytes, FixedCodec(4)]
Formats = Annotated[tuple[int, ...], CountedCodec(UINT16, UINT16)]
Oids = Annotated[tuple[int, ...], CountedCodec(UINT16, UINT32)]
Values = Annotated[tuple[bytes | None, ...], CountedCodec(UINT16, VALUE)]
Names = Annotated[tuple[str, ...], UntilZeroCodec(STRING)]
CountedNames = Annotated[tuple[str, ...], CountedCodec(INT32, STRING)]
Fields = Annotated[tuple[tuple[bytes, str], ...], UntilZeroCodec(PairCodec(CHAR, STRING))]
Options = Annotated[tuple[tuple[str, str], ...], UntilZeroCodec(PairCodec(STRING, STRING))]
