"""encode() and decode() (PostgreSQL: utils/adt/encode.c)."""

from __future__ import annotations

import base64

from pgemu.errors import INVALID_PARAMETER_VALUE, INVALID_TEXT_REPRESENTATION, PgError
from pgemu.fmgr import pg_function

BASE64 = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
SPACE = " \t\n\r"


def decode_hex(text: str) -> bytes:
    """hex_decode: whitespace between the pairs is allowed."""
    try:
        if text.isascii() and not any(c in text for c in "\v\f"):
            return bytes.fromhex(text)
    except ValueError:
        pass
    digits = 0
    for char in text:
        if char in SPACE:
            if digits % 2 == 0:
                continue
        elif char in "0123456789abcdefABCDEF":
            digits += 1
            continue
        raise PgError(INVALID_PARAMETER_VALUE, f'invalid hexadecimal digit: "{char}"')
    raise PgError(INVALID_PARAMETER_VALUE, "invalid hexadecimal data: odd number of digits")


def encode_base64(data: bytes) -> str:
    """Lines of 76 characters."""
    text = base64.b64encode(data).decode()
    return "\n".join(text[i : i + 76] for i in range(0, len(text), 76))


def decode_base64(text: str) -> bytes:
    """pg_base64_decode."""
    collected: list[str] = []
    end = 0
    for char in text:
        if char in SPACE:
            continue
        if char == "=":
            if not end:
                if len(collected) % 4 == 2:
                    end = 1
                elif len(collected) % 4 == 3:
                    end = 2
                else:
                    raise PgError(
                        INVALID_PARAMETER_VALUE,
                        'unexpected "=" while decoding base64 sequence',
                    )
            collected.append("A")
        elif char in BASE64:
            collected.append(char)
        else:
            raise PgError(
                INVALID_PARAMETER_VALUE,
                f'invalid symbol "{char}" found while decoding base64 sequence',
            )
    if len(collected) % 4:
        raise PgError(
            INVALID_PARAMETER_VALUE,
            "invalid base64 end sequence",
            hint="Input data is missing padding, is truncated, or is otherwise corrupted.",
        )
    data = base64.b64decode("".join(collected))
    return data[: len(data) - (3 - end)] if end else data


def encode_escape(data: bytes) -> str:
    """esc_encode: zero and high-bit bytes as \\ooo, the backslash doubled."""
    return "".join(
        "\\\\" if b == 92 else f"\\{b:03o}" if b == 0 or b >= 128 else chr(b) for b in data
    )


def decode_escape(text: str) -> bytes:
    data = text.encode()
    out = bytearray()
    i = 0
    while i < len(data):
        if data[i] != 92:
            out.append(data[i])
            i += 1
        elif (
            i + 3 < len(data)
            and 48 <= data[i + 1] <= 51
            and 48 <= data[i + 2] <= 55
            and 48 <= data[i + 3] <= 55
        ):
            out.append(int(data[i + 1 : i + 4], 8))
            i += 4
        elif i + 1 < len(data) and data[i + 1] == 92:
            out.append(92)
            i += 2
        else:
            raise PgError(INVALID_TEXT_REPRESENTATION, "invalid input syntax for type bytea")
    return bytes(out)


def unknown_encoding(name: str) -> PgError:
    return PgError(INVALID_PARAMETER_VALUE, f'unrecognized encoding: "{name}"')


@pg_function("encode(bytea,text)")
def binary_encode(data: bytes, name: str) -> str:
    kind = name.lower()
    if kind == "hex":
        return data.hex()
    if kind == "base64":
        return encode_base64(data)
    if kind == "escape":
        return encode_escape(data)
    raise unknown_encoding(name)


@pg_function("decode(text,text)")
def binary_decode(text: str, name: str) -> bytes:
    kind = name.lower()
    if kind == "hex":
        return decode_hex(text)
    if kind == "base64":
        return decode_base64(text)
    if kind == "escape":
        return decode_escape(text)
    raise unknown_encoding(name)
