"""Messages that the client sends once the connection is started (protocol 3.0 to 3.2).

Counterpart: the chapter "Message Formats" of PostgreSQL's manual, messages marked (F).  The four
messages of type 'p' share one byte; only the state of authentication tells them apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pgemu_protocol.fields import (
    Char,
    Formats,
    Int16,
    Int32,
    Oids,
    Rest,
    Text,
    UInt32,
    Value,
    Values,
)
from pgemu_protocol.message import Message
from pgemu_protocol.violation import ProtocolViolation


@dataclass(frozen=True, slots=True)
class Bind(Message):
    type: ClassVar[bytes] = b"B"
    portal: Text
    statement: Text
    parameter_formats: Formats
    parameters: Values
    result_formats: Formats


@dataclass(frozen=True, slots=True)
class Close(Message):
    type: ClassVar[bytes] = b"C"
    kind: Char
    name: Text


@dataclass(frozen=True, slots=True)
class CopyData(Message):
    """Both directions."""

    type: ClassVar[bytes] = b"d"
    data: Rest


@dataclass(frozen=True, slots=True)
class CopyDone(Message):
    """Both directions."""

    type: ClassVar[bytes] = b"c"


@dataclass(frozen=True, slots=True)
class CopyFail(Message):
    type: ClassVar[bytes] = b"f"
    message: Text


@dataclass(frozen=True, slots=True)
class Describe(Message):
    type: ClassVar[bytes] = b"D"
    kind: Char
    name: Text


@dataclass(frozen=True, slots=True)
class Execute(Message):
    type: ClassVar[bytes] = b"E"
    portal: Text
    max_rows: Int32


@dataclass(frozen=True, slots=True)
class Flush(Message):
    type: ClassVar[bytes] = b"H"


@dataclass(frozen=True, slots=True)
class FunctionCall(Message):
    type: ClassVar[bytes] = b"F"
    function: UInt32
    argument_formats: Formats
    arguments: Values
    result_format: Int16


@dataclass(frozen=True, slots=True)
class GSSResponse(Message):
    type: ClassVar[bytes] = b"p"
    data: Rest


@dataclass(frozen=True, slots=True)
class Parse(Message):
    type: ClassVar[bytes] = b"P"
    statement: Text
    query: Text
    parameter_types: Oids


@dataclass(frozen=True, slots=True)
class PasswordMessage(Message):
    type: ClassVar[bytes] = b"p"
    password: Text


@dataclass(frozen=True, slots=True)
class Query(Message):
    type: ClassVar[bytes] = b"Q"
    query: Text


@dataclass(frozen=True, slots=True)
class SASLInitialResponse(Message):
    type: ClassVar[bytes] = b"p"
    mechanism: Text
    response: Value


@dataclass(frozen=True, slots=True)
class SASLResponse(Message):
    type: ClassVar[bytes] = b"p"
    data: Rest


@dataclass(frozen=True, slots=True)
class Sync(Message):
    type: ClassVar[bytes] = b"S"


@dataclass(frozen=True, slots=True)
class Terminate(Message):
    type: ClassVar[bytes] = b"X"


FRONTEND_MESSAGES: dict[int, type[Message]] = {
    message.type[0]: message
    for message in (
        Bind,
        Close,
        CopyData,
        CopyDone,
        CopyFail,
        Describe,
        Execute,
        Flush,
        FunctionCall,
        Parse,
        PasswordMessage,
        Query,
        Sync,
        Terminate,
    )
}


def decode_frontend(kind: int, payload: bytes) -> Message:
    """The message of a type byte and payload; 'p' is taken as PasswordMessage."""
    message = FRONTEND_MESSAGES.get(kind)
    if message is None:
        raise ProtocolViolation(f"invalid frontend message type {kind}", fatal=True)
    return message.decode(payload)
