"""The hot path: hand-written encoders and decoders of the messages of every statement.

They give exactly the bytes that the derived codec of backend.py and frontend.py gives (a test
holds them equal), only faster: one struct call for a header, lengths from a table, no objects.
Decoders take the payload as bytes and decode text in the client's encoding, strictly, as
PostgreSQL's pg_client_to_server does (22021).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from operator import itemgetter

from pgemu_protocol.violation import (
    ProtocolViolation,
    insufficient_data,
    invalid_byte_sequence,
    invalid_format,
    invalid_string,
)

FieldTuple = tuple[str, int, int, int, int, int, int]
"""(name, table oid, column number, type oid, type length, type modifier, format)"""

PARSE_COMPLETE = b"1\x00\x00\x00\x04"
BIND_COMPLETE = b"2\x00\x00\x00\x04"
CLOSE_COMPLETE = b"3\x00\x00\x00\x04"
NO_DATA = b"n\x00\x00\x00\x04"
PORTAL_SUSPENDED = b"s\x00\x00\x00\x04"
EMPTY_QUERY_RESPONSE = b"I\x00\x00\x00\x04"
COPY_DONE = b"c\x00\x00\x00\x04"
AUTHENTICATION_OK = b"R\x00\x00\x00\x08\x00\x00\x00\x00"
READY_IDLE = b"Z\x00\x00\x00\x05I"
READY_IN_BLOCK = b"Z\x00\x00\x00\x05T"
READY_FAILED = b"Z\x00\x00\x00\x05E"

CANCEL_REQUEST_CODE = 80877102
NEGOTIATE_SSL_CODE = 80877103
NEGOTIATE_GSS_CODE = 80877104
PROTOCOL_3_0 = 3 << 16

_READY = {b"I": READY_IDLE, b"T": READY_IN_BLOCK, b"E": READY_FAILED}
_NULL = b"\xff\xff\xff\xff"
_SHORT = 1024
_LENGTHS = tuple(length.to_bytes(4, "big") for length in range(_SHORT))
_pack_length = struct.Struct(">I").pack
_pack_row_head = struct.Struct(">cIH").pack
_pack_field = struct.Struct(">IhIhih").pack
_unpack_h = struct.Struct(">H").unpack_from
_unpack_i = struct.Struct(">i").unpack_from


def data_row(values: Sequence[bytes | None]) -> bytes:
    """DataRow of values already in wire format; None is NULL."""
    parts: list[bytes] = []
    append = parts.append
    for value in values:
        if value is None:
            append(_NULL)
        else:
            length = len(value)
            append(_LENGTHS[length] if length < _SHORT else _pack_length(length))
            append(value)
    body = b"".join(parts)
    return _pack_row_head(b"D", len(body) + 6, len(values)) + body


def data_rows(rows: Iterable[Sequence[bytes | None]]) -> bytes:
    """The DataRows of many rows in one piece."""
    parts: list[bytes] = []
    append = parts.append
    lengths, short = _LENGTHS, _SHORT
    for row in rows:
        total = 6
        at = len(parts)
        append(b"")
        for value in row:
            if value is None:
                append(_NULL)
                total += 4
            else:
                length = len(value)
                append(lengths[length] if length < short else _pack_length(length))
                append(value)
                total += length + 4
        parts[at] = _pack_row_head(b"D", total, len(row))
    return b"".join(parts)


def data_rows_of_columns(columns: Sequence[Sequence[bytes | None]]) -> bytes:
    """The DataRows of many rows that are given column by column: loops in C alone."""
    parts: list[Iterable[bytes]] = []
    for column in columns:
        try:
            parts.append(_packed(list(map(len, column))))  # type: ignore[arg-type]
            parts.append(column)  # type: ignore[arg-type]
        except TypeError:  # NULLs
            parts.append([_NULL if v is None else _pack_length(len(v)) for v in column])
            parts.append([v or b"" for v in column])
    bodies = list(map(b"".join, zip(*parts, strict=True)))
    lengths = list(map(len, bodies))
    try:
        heads: Iterable[bytes] = _picked(_row_heads(len(columns)), lengths)
    except IndexError:
        heads = [_pack_row_head(b"D", length + 6, len(columns)) for length in lengths]
    return b"".join(chain.from_iterable(zip(heads, bodies, strict=True)))


@lru_cache(maxsize=64)
def _row_heads(count: int) -> tuple[bytes, ...]:
    """The heads of DataRows with so many columns, by the length of what follows."""
    return tuple(_pack_row_head(b"D", length + 6, count) for length in range(_SHORT))


def _packed(lengths: list[int]) -> Iterable[bytes]:
    try:
        return _picked(_LENGTHS, lengths)
    except IndexError:
        return map(_pack_length, lengths)


def _picked(table: tuple[bytes, ...], indexes: list[int]) -> Iterable[bytes]:
    """The entries of a table at many indexes."""
    if len(indexes) == 1:  # of which itemgetter makes no tuple
        return (table[indexes[0]],)
    found: tuple[bytes, ...] = itemgetter(*indexes)(table)
    return found


def row_description(fields: Sequence[FieldTuple], encoding: str = "utf-8") -> bytes:
    """RowDescription of (name, table oid, column, type oid, length, typmod, format) tuples."""
    parts: list[bytes] = []
    for name, table, column, type_oid, length, typmod, fmt in fields:
        parts.append(name.encode(encoding, "replace"))
        parts.append(b"\0")
        parts.append(_pack_field(table, column, type_oid, length, typmod, fmt))
    body = b"".join(parts)
    return _pack_row_head(b"T", len(body) + 6, len(fields)) + body


def parameter_description(types: Sequence[int]) -> bytes:
    count = len(types)
    return struct.pack(f">cIH{count}I", b"t", 6 + 4 * count, count, *types)


@lru_cache(maxsize=256)
def command_complete(tag: str) -> bytes:
    raw = tag.encode()
    return b"C" + _LENGTHS[len(raw) + 5] + raw + b"\0"


def ready_for_query(status: bytes) -> bytes:
    """status: b'I', b'T' or b'E'."""
    return _READY[status]


def parameter_status(name: str, value: str, encoding: str = "utf-8") -> bytes:
    body = b"%b\0%b\0" % (name.encode(encoding, "replace"), value.encode(encoding, "replace"))
    return b"S" + _pack_length(len(body) + 4) + body


def backend_key_data(process_id: int, secret_key: bytes) -> bytes:
    return b"K" + _pack_length(len(secret_key) + 8) + struct.pack(">i", process_id) + secret_key


def notification_response(
    process_id: int, channel: str, payload: str, encoding: str = "utf-8"
) -> bytes:
    body = b"%b%b\0%b\0" % (
        struct.pack(">i", process_id),
        channel.encode(encoding, "replace"),
        payload.encode(encoding, "replace"),
    )
    return b"A" + _pack_length(len(body) + 4) + body


def error_response(fields: Mapping[str, str], encoding: str = "utf-8") -> bytes:
    """ErrorResponse of field letter (S, V, C, M, D, H, P, ...) to text, in the mapping's order."""
    return _report(b"E", fields, encoding)


def notice_response(fields: Mapping[str, str], encoding: str = "utf-8") -> bytes:
    return _report(b"N", fields, encoding)


def _report(kind: bytes, fields: Mapping[str, str], encoding: str) -> bytes:
    body = b"".join(
        b"%b%b\0" % (letter.encode("ascii"), text.replace("\0", "").encode(encoding, "replace"))
        for letter, text in fields.items()
    )
    return kind + _pack_length(len(body) + 5) + body + b"\0"


def copy_in_response(fmt: int, column_formats: Sequence[int]) -> bytes:
    return _copy_response(b"G", fmt, column_formats)


def copy_out_response(fmt: int, column_formats: Sequence[int]) -> bytes:
    return _copy_response(b"H", fmt, column_formats)


def _copy_response(kind: bytes, fmt: int, column_formats: Sequence[int]) -> bytes:
    count = len(column_formats)
    return struct.pack(f">cIBH{count}h", kind, 7 + 2 * count, fmt, count, *column_formats)


def copy_data(data: bytes) -> bytes:
    return b"d" + _pack_length(len(data) + 4) + data


def copy_data_rows(rows: Sequence[bytes]) -> bytes:
    """CopyData for each of many rows, in one piece."""
    heads = [b"d" + _pack_length(length + 4) for length in map(len, rows)]
    return b"".join(chain.from_iterable(zip(heads, rows, strict=True)))


# Decoders.  `encoding` is Python's name of the client encoding, `encoding_name` PostgreSQL's.


def _text(raw: bytes, encoding: str, encoding_name: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise invalid_byte_sequence(error, encoding_name) from None


def decode_startup(payload: bytes) -> tuple[tuple[str, str], ...]:
    """StartupMessage, version and all -> (name, value) of its options."""
    if len(payload) < 5 or payload[-1] != 0:
        raise _startup_layout()
    words = payload[4:-1].split(b"\0")
    if words.pop() or len(words) % 2 or b"" in words[::2]:
        raise _startup_layout()
    texts = [word.decode("utf-8", "surrogateescape") for word in words]
    return tuple(zip(texts[::2], texts[1::2], strict=True))


def _startup_layout() -> ProtocolViolation:
    return ProtocolViolation(
        "invalid startup packet layout: expected terminator as last byte", fatal=True
    )


def decode_query(payload: bytes, encoding: str = "utf-8", encoding_name: str = "UTF8") -> str:
    """Query -> its text."""
    end = payload.find(0)
    if end < 0:
        raise invalid_string()
    if end + 1 != len(payload):
        raise invalid_format()
    return _text(payload[:end], encoding, encoding_name)


def decode_parse(
    payload: bytes, encoding: str = "utf-8", encoding_name: str = "UTF8"
) -> tuple[str, str, tuple[int, ...]]:
    """Parse -> (statement name, query text, parameter type OIDs)."""
    name_end = payload.find(0)
    query_end = payload.find(0, name_end + 1)
    if name_end < 0 or query_end < 0:
        raise invalid_string()
    at = query_end + 1
    size = len(payload)
    if at + 2 > size:
        raise insufficient_data()
    count = payload[at] << 8 | payload[at + 1]
    at += 2
    if count * 4 != size - at:
        raise insufficient_data() if count * 4 > size - at else invalid_format()
    types = struct.unpack_from(f">{count}I", payload, at) if count else ()
    return (
        _text(payload[:name_end], encoding, encoding_name),
        _text(payload[name_end + 1 : query_end], encoding, encoding_name),
        types,
    )


def decode_bind(
    payload: bytes, encoding: str = "utf-8", encoding_name: str = "UTF8"
) -> tuple[str, str, tuple[int, ...], list[bytes | None], tuple[int, ...]]:
    """Bind -> (portal, statement, parameter formats, parameters, result formats)."""
    portal_end = payload.find(0)
    statement_end = payload.find(0, portal_end + 1)
    if portal_end < 0 or statement_end < 0:
        raise invalid_string()
    parameters: list[bytes | None] = []
    try:
        at = statement_end + 1
        count = payload[at] << 8 | payload[at + 1]
        at += 2
        formats: tuple[int, ...] = ()
        if count == 1:
            formats = (payload[at] << 8 | payload[at + 1],)
            at += 2
        elif count:
            formats = struct.unpack_from(f">{count}H", payload, at)
            at += 2 * count
        count = payload[at] << 8 | payload[at + 1]
        at += 2
        append, unpack = parameters.append, _unpack_i
        for _ in range(count):
            (length,) = unpack(payload, at)
            at += 4
            if length >= 0:
                end = at + length
                append(payload[at:end])
                at = end
            elif length == -1:
                append(None)
            else:
                raise insufficient_data()
        count = payload[at] << 8 | payload[at + 1]
        at += 2
        results: tuple[int, ...] = ()
        if count == 1:
            results = (payload[at] << 8 | payload[at + 1],)
            at += 2
        elif count:
            results = struct.unpack_from(f">{count}H", payload, at)
            at += 2 * count
    except (IndexError, struct.error):
        raise insufficient_data() from None
    if at != len(payload):
        raise invalid_format()
    if len(formats) > 1 and len(formats) != len(parameters):
        raise ProtocolViolation(
            f"bind message has {len(formats)} parameter formats but {len(parameters)} parameters"
        )
    return (
        _text(payload[:portal_end], encoding, encoding_name) if portal_end else "",
        _text(payload[portal_end + 1 : statement_end], encoding, encoding_name),
        formats,
        parameters,
        results,
    )


def decode_execute(
    payload: bytes, encoding: str = "utf-8", encoding_name: str = "UTF8"
) -> tuple[str, int]:
    """Execute -> (portal, maximum of rows; 0 is all)."""
    end = payload.find(0)
    if end < 0:
        raise invalid_string()
    left = len(payload) - end - 1
    if left != 4:
        raise insufficient_data() if left < 4 else invalid_format()
    portal = _text(payload[:end], encoding, encoding_name) if end else ""
    return portal, _unpack_i(payload, end + 1)[0]


def decode_describe(
    payload: bytes, encoding: str = "utf-8", encoding_name: str = "UTF8"
) -> tuple[str, str]:
    """Describe or Close -> ('S' or 'P', name); the caller refuses other letters."""
    if not payload:
        raise ProtocolViolation("no data left in message")
    if len(payload) == 2 and payload[1] == 0:
        return chr(payload[0]), ""
    return chr(payload[0]), decode_query(payload[1:], encoding, encoding_name)


decode_close = decode_describe
decode_copy_fail = decode_query


def decode_function_call(payload: bytes) -> tuple[int, tuple[int, ...], list[bytes | None], int]:
    """FunctionCall -> (function OID, argument formats, arguments, result format)."""
    try:
        function, count = struct.unpack_from(">IH", payload, 0)
        formats: tuple[int, ...] = struct.unpack_from(f">{count}h", payload, 6)
        at = 6 + 2 * count
        (count,) = _unpack_h(payload, at)
        at += 2
        arguments: list[bytes | None] = []
        for _ in range(count):
            (length,) = _unpack_i(payload, at)
            at += 4
            if length < -1 or at + length > len(payload):
                raise insufficient_data()
            arguments.append(None if length < 0 else payload[at : at + length])
            at += max(length, 0)
        result_format = struct.unpack_from(">h", payload, at)[0]
    except struct.error:
        raise insufficient_data() from None
    if at + 2 != len(payload):
        raise invalid_format()
    if len(formats) > 1 and len(formats) != len(arguments):
        raise ProtocolViolation(
            f"function call message contains {len(formats)} argument formats"
            f" but {len(arguments)} arguments"
        )
    return function, formats, arguments, result_format
