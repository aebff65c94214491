"""bytea and uuid (PostgreSQL: utils/adt/varlena.c, encode.c, uuid.c, cryptohashfuncs.c).

Storage: BLOB, whose native order is the types'.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable
from typing import Any

from pgemu.errors import (
    ARRAY_SUBSCRIPT_ERROR,
    INVALID_PARAMETER_VALUE,
    INVALID_TEXT_REPRESENTATION,
    SUBSTRING_ERROR,
    PgError,
)
from pgemu.fmgr import CallContext, pg_function
from pgemu.nodes.primnodes import Value
from pgemu.types.base import BaseType, register_type
from pgemu.types.comparison import bind_comparisons, native_compare
from pgemu.types.encode import decode_hex
from pgemu.types.integers import INT4
from pgemu.types.pqformat import check_length

ESCAPE = re.compile(r"\\(?:\\|([0-3][0-7]{2}))|[^\\]+|\\")
UUID = re.compile(r"\{?([0-9a-fA-F]{4}-?){7}[0-9a-fA-F]{4}\}?|[0-9a-fA-F]{32}")


def bytea_from_text(text: str) -> bytes:
    """byteain: hex form or escape form."""
    if text.startswith("\\x"):
        return decode_hex(text[2:])
    out = []
    for match in ESCAPE.finditer(text):
        piece = match[0]
        if match[1]:
            out.append(bytes((int(match[1], 8),)))
        elif piece == "\\\\":
            out.append(b"\\")
        elif piece == "\\":
            raise PgError(INVALID_TEXT_REPRESENTATION, "invalid input syntax for type bytea")
        else:
            out.append(piece.encode())
    return b"".join(out)


def escape_bytes(data: bytes) -> str:
    """The escape form: unprintable bytes as \\ooo."""
    return "".join("\\\\" if b == 92 else chr(b) if 32 <= b < 127 else f"\\{b:03o}" for b in data)


class ByteaType(BaseType):
    name = "bytea"
    storage = "blob"

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        return bytea_from_text(text)

    def output(self, value: Any, ctx: CallContext) -> str:
        if ctx.bytea_output == "escape":
            return escape_bytes(bytes(value))
        return "\\x" + bytes(value).hex()

    def text_encoder(self, ctx: CallContext) -> Callable[[Any], bytes]:
        if ctx.bytea_output == "escape":
            return lambda value: escape_bytes(bytes(value)).encode()
        return lambda value: b"\\x" + bytes(value).hex().encode()

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> Value:
        return bytes(data)

    def send(self, value: Any, ctx: CallContext) -> bytes:
        return bytes(value)

    def binary_encoder(self, ctx: CallContext) -> Callable[[Any], bytes]:
        return bytes


class UuidType(BaseType):
    name = "uuid"
    storage = "blob"

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        if UUID.fullmatch(text) and text.startswith("{") == text.endswith("}"):
            return bytes.fromhex(text.strip("{}").replace("-", ""))
        raise PgError(INVALID_TEXT_REPRESENTATION, f'invalid input syntax for type uuid: "{text}"')

    def output(self, value: Any, ctx: CallContext) -> str:
        h = bytes(value).hex()
        return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> Value:
        check_length(data, 16)
        return bytes(data)

    def send(self, value: Any, ctx: CallContext) -> bytes:
        return bytes(value)


register_type(ByteaType(), UuidType())

bind_comparisons("bytea", "bytea,bytea", cmp="byteacmp")
bind_comparisons("uuid_", "uuid,uuid", native_compare, cmp="uuid_cmp")
pg_function("gen_random_uuid() -> uuid")(lambda: uuid.uuid4().bytes)

pg_function("byteacat(bytea,bytea)")(lambda a, b: a + b)
pg_function("length(bytea)", "octet_length(bytea)")(len)
pg_function("bit_length(bytea)")(lambda a: len(a) * 8)
pg_function("bit_count(bytea)")(lambda a: int.from_bytes(a, "big").bit_count())
pg_function("position(bytea,bytea)")(lambda a, b: a.find(b) + 1)
pg_function("sha224(bytea)")(lambda a: hashlib.sha224(a).digest())
pg_function("sha256(bytea)")(lambda a: hashlib.sha256(a).digest())
pg_function("sha384(bytea)")(lambda a: hashlib.sha384(a).digest())
pg_function("sha512(bytea)")(lambda a: hashlib.sha512(a).digest())
pg_function("md5(bytea)")(lambda a: hashlib.md5(a).hexdigest())


def slice_bounds(start: int, length: int | None, size: int) -> tuple[int, int]:
    """0-based bounds of SQL's substring(... from start for length)."""
    if length is None:
        return max(start - 1, 0), size
    if length < 0:
        raise PgError(SUBSTRING_ERROR, "negative substring length not allowed")
    return max(start - 1, 0), max(start - 1 + length, 0)


@pg_function(
    "substring(bytea,int4)",
    "substring(bytea,int4,int4)",
    "substr(bytea,int4)",
    "substr(bytea,int4,int4)",
)
def bytea_substr(a: bytes, start: int, length: int | None = None) -> bytes:
    first, last = slice_bounds(start, length, len(a))
    return a[first:last]


def check_overlay(start: int, length: int) -> None:
    """overlay's checks: start is positive, start + length an int4."""
    if start <= 0:
        raise PgError(SUBSTRING_ERROR, "negative substring length not allowed")
    INT4.checked(start + length)


@pg_function("overlay(bytea,bytea,int4)", "overlay(bytea,bytea,int4,int4)")
def bytea_overlay(a: bytes, new: bytes, start: int, length: int | None = None) -> bytes:
    if length is None:
        length = len(new)
    check_overlay(start, length)
    return a[: start - 1] + new + a[max(start - 1 + length, 0) :]


pg_function("btrim(bytea,bytea)")(lambda a, s: a.strip(s) if s else a)
pg_function("ltrim(bytea,bytea)")(lambda a, s: a.lstrip(s) if s else a)
pg_function("rtrim(bytea,bytea)")(lambda a, s: a.rstrip(s) if s else a)


def check_index(index: int, size: int) -> None:
    if not 0 <= index < size:
        raise PgError(ARRAY_SUBSCRIPT_ERROR, f"index {index} out of valid range, 0..{size - 1}")


@pg_function("get_byte(bytea,int4)")
def bytea_get_byte(a: bytes, index: int) -> int:
    check_index(index, len(a))
    return a[index]


@pg_function("set_byte(bytea,int4,int4)")
def bytea_set_byte(a: bytes, index: int, value: int) -> bytes:
    check_index(index, len(a))
    return a[:index] + bytes((value & 0xFF,)) + a[index + 1 :]


@pg_function("get_bit(bytea,int8)")
def bytea_get_bit(a: bytes, index: int) -> int:
    check_index(index, len(a) * 8)
    return a[index // 8] >> (index % 8) & 1


@pg_function("set_bit(bytea,int8,int4)")
def bytea_set_bit(a: bytes, index: int, value: int) -> bytes:
    check_index(index, len(a) * 8)
    if value not in (0, 1):
        raise PgError(INVALID_PARAMETER_VALUE, "new bit must be 0 or 1")
    byte, mask = a[index // 8], 1 << (index % 8)
    new = byte | mask if value else byte & ~mask
    return a[: index // 8] + bytes((new,)) + a[index // 8 + 1 :]
