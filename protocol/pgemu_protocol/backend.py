"""Messages that the server sends (protocol 3.0 to 3.2).

Counterpart: the chapter "Message Formats" of PostgreSQL's manual, messages marked (B).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, NamedTuple

from pgemu_protocol.fields import (
    INT16,
    INT32,
    STRING,
    UINT16,
    UINT32,
    Char,
    CountedCodec,
    CountedNames,
    Fields,
    Formats,
    Int8,
    Int32,
    Names,
    Oids,
    Rest,
    Salt,
    StructCodec,
    Text,
    Value,
    Values,
)
from pgemu_protocol.frontend import CopyData, CopyDone
from pgemu_protocol.message import Message
from pgemu_protocol.violation import ProtocolViolation, insufficient_data


class FieldDescription(NamedTuple):
    """One column of a RowDescription."""

    name: str
    table_oid: int
    column: int
    type_oid: int
    type_length: int
    type_modifier: int
    format: int


FIELD = StructCodec(FieldDescription, (STRING, UINT32, INT16, UINT32, INT16, INT32, INT16))


@dataclass(frozen=True, slots=True)
class AuthenticationOk(Message):
    type: ClassVar[bytes] = b"R"
    code: ClassVar[int | None] = 0


@dataclass(frozen=True, slots=True)
class AuthenticationKerberosV5(Message):
    type: ClassVar[bytes] = b"R"
    code: ClassVar[int | None] = 2


@dataclass(frozen=True, slots=True)
class AuthenticationCleartextPassword(Message):
    type: ClassVar[bytes] = b"R"
    code: ClassVar[int | None] = 3


@dataclass(frozen=True, slots=True)
class AuthenticationMD5Password(Message):
    type: ClassVar[bytes] = b"R"
    code: ClassVar[int | None] = 5
    salt: Salt


@dataclass(frozen=True, slots=True)
class AuthenticationGSS(Message):
    type: ClassVar[bytes] = b"R"
    code: ClassVar[int | None] = 7


@dataclass(frozen=True, slots=True)
class AuthenticationGSSContinue(Message):
    type: ClassVar[bytes] = b"R"
    code: ClassVar[int | None] = 8
    data: Rest


@dataclass(frozen=True, slots=True)
class AuthenticationSSPI(Message):
    type: ClassVar[bytes] = b"R"
    code: ClassVar[int | None] = 9


@dataclass(frozen=True, slots=True)
class AuthenticationSASL(Message):
    type: ClassVar[bytes] = b"R"
    code: ClassVar[int | None] = 10
    mechanisms: Names


@dataclass(frozen=True, slots=True)
class AuthenticationSASLContinue(Message):
    type: ClassVar[bytes] = b"R"
    code: ClassVar[int | None] = 11
    data: Rest


@dataclass(frozen=True, slots=True)
class AuthenticationSASLFinal(Message):
    type: ClassVar[bytes] = b"R"
    code: ClassVar[int | None] = 12
    data: Rest


@dataclass(frozen=True, slots=True)
class BackendKeyData(Message):
    """The key is 4 bytes in protocol 3.0 and up to 256 bytes from 3.2 on."""

    type: ClassVar[bytes] = b"K"
    process_id: Int32
    secret_key: Rest


@dataclass(frozen=True, slots=True)
class BindComplete(Message):
    type: ClassVar[bytes] = b"2"


@dataclass(frozen=True, slots=True)
class CloseComplete(Message):
    type: ClassVar[bytes] = b"3"


@dataclass(frozen=True, slots=True)
class CommandComplete(Message):
    type: ClassVar[bytes] = b"C"
    tag: Text


@dataclass(frozen=True, slots=True)
class CopyInResponse(Message):
    type: ClassVar[bytes] = b"G"
    format: Int8
    column_formats: Formats


@dataclass(frozen=True, slots=True)
class CopyOutResponse(Message):
    type: ClassVar[bytes] = b"H"
    format: Int8
    column_formats: Formats


@dataclass(frozen=True, slots=True)
class CopyBothResponse(Message):
    type: ClassVar[bytes] = b"W"
    format: Int8
    column_formats: Formats


@dataclass(frozen=True, slots=True)
class DataRow(Message):
    type: ClassVar[bytes] = b"D"
    values: Values


@dataclass(frozen=True, slots=True)
class EmptyQueryResponse(Message):
    type: ClassVar[bytes] = b"I"


@dataclass(frozen=True, slots=True)
class ErrorResponse(Message):
    type: ClassVar[bytes] = b"E"
    fields: Fields


@dataclass(frozen=True, slots=True)
class FunctionCallResponse(Message):
    type: ClassVar[bytes] = b"V"
    value: Value


@dataclass(frozen=True, slots=True)
class NegotiateProtocolVersion(Message):
    """version: the newest that the server speaks, as sent in a StartupMessage by 3.2 rules."""

    type: ClassVar[bytes] = b"v"
    version: Int32
    unrecognized_options: CountedNames


@dataclass(frozen=True, slots=True)
class NoData(Message):
    type: ClassVar[bytes] = b"n"


@dataclass(frozen=True, slots=True)
class NoticeResponse(Message):
    type: ClassVar[bytes] = b"N"
    fields: Fields


@dataclass(frozen=True, slots=True)
class NotificationResponse(Message):
    type: ClassVar[bytes] = b"A"
    process_id: Int32
    channel: Text
    payload_text: Text


@dataclass(frozen=True, slots=True)
class ParameterDescription(Message):
    type: ClassVar[bytes] = b"t"
    types: Oids


@dataclass(frozen=True, slots=True)
class ParameterStatus(Message):
    type: ClassVar[bytes] = b"S"
    name: Text
    value: Text


@dataclass(frozen=True, slots=True)
class ParseComplete(Message):
    type: ClassVar[bytes] = b"1"


@dataclass(frozen=True, slots=True)
class PortalSuspended(Message):
    type: ClassVar[bytes] = b"s"


@dataclass(frozen=True, slots=True)
class ReadyForQuery(Message):
    """status: b'I' idle, b'T' in a transaction block, b'E' in a failed one."""

    type: ClassVar[bytes] = b"Z"
    status: Char


@dataclass(frozen=True, slots=True)
class RowDescription(Message):
    type: ClassVar[bytes] = b"T"
    fields: Annotated[tuple[FieldDescription, ...], CountedCodec(UINT16, FIELD)]


AUTHENTICATION_MESSAGES: dict[int, type[Message]] = {
    message.code: message
    for message in (
        AuthenticationOk,
        AuthenticationKerberosV5,
        AuthenticationCleartextPassword,
        AuthenticationMD5Password,
        AuthenticationGSS,
        AuthenticationGSSContinue,
        AuthenticationSSPI,
        AuthenticationSASL,
        AuthenticationSASLContinue,
        AuthenticationSASLFinal,
    )
    if message.code is not None
}

BACKEND_MESSAGES: dict[int, type[Message]] = {
    message.type[0]: message
    for message in (
        BackendKeyData,
        BindComplete,
        CloseComplete,
        CommandComplete,
        CopyBothResponse,
        CopyData,
        CopyDone,
        CopyInResponse,
        CopyOutResponse,
        DataRow,
        EmptyQueryResponse,
        ErrorResponse,
        FunctionCallResponse,
        NegotiateProtocolVersion,
        NoData,
        NoticeResponse,
        NotificationResponse,
        ParameterDescription,
        ParameterStatus,
        ParseComplete,
        PortalSuspended,
        ReadyForQuery,
        RowDescription,
    )
}


def decode_backend(kind: int, payload: bytes) -> Message:
    """The message of a type byte and payload."""
    if kind == b"R"[0]:
        if len(payload) < 4:
            raise insufficient_data()
        code = int.from_bytes(payload[:4], "big")
        message = AUTHENTICATION_MESSAGES.get(code)
        if message is None:
            raise ProtocolViolation(f"invalid authentication request {code}")
        return message.decode(payload)
    message = BACKEND_MESSAGES.get(kind)
    if message is None:
        raise ProtocolViolation(f"invalid backend message type {kind}", fatal=True)
    return message.decode(payload)
