"""Functions over text (PostgreSQL: utils/adt/varlena.c, oracle_compat.c, formatting.c in part).

Positions count characters from 1.  Case mapping is per character, as towupper() does it.
"""

from __future__ import annotations

import hashlib
import json
import operator
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from pgemu.errors import (
    INVALID_PARAMETER_VALUE,
    PROGRAM_LIMIT_EXCEEDED,
    SYNTAX_ERROR,
    PgError,
)
from pgemu.fmgr import pg_function
from pgemu.types.bytea import check_overlay, slice_bounds
from pgemu.types.integers import INT4

MAX_ALLOC = 0x3FFFFFFF


def upper_text(text: str) -> str:
    if text.isascii():
        return text.upper()
    return "".join(u if len(u := c.upper()) == 1 else c for c in text)


def lower_text(text: str) -> str:
    if text.isascii():
        return text.lower()
    text = text.replace("\u0130", "i")  # the only one that Python makes two of
    return "".join([c.lower() for c in text])


pg_function("upper(text)")(upper_text)
pg_function("lower(text)")(lower_text)


@pg_function("initcap(text)")
def initcap(text: str) -> str:
    out = []
    inside = False
    for char in text:
        out.append(lower_text(char) if inside else upper_text(char))
        inside = char.isalnum()
    return "".join(out)


pg_function(
    "length(text)",
    "char_length(text)",
    "character_length(text)",
    "textlen(text)",
    "length(bpchar)",
    "char_length(bpchar)",
    "character_length(bpchar)",
)(len)
pg_function("octet_length(text)", "octet_length(bpchar)")(lambda a: len(a.encode()))
pg_function("bit_length(text)")(lambda a: len(a.encode()) * 8)
pg_function("textcat(text,text)")(operator.add)


@pg_function(
    "substring(text,int4)",
    "substring(text,int4,int4)",
    "substr(text,int4)",
    "substr(text,int4,int4)",
)
def text_substr(text: str, start: int, length: int | None = None) -> str:
    first, last = slice_bounds(start, length, len(text))
    return text[first:last]


@pg_function("overlay(text,text,int4)", "overlay(text,text,int4,int4)")
def textoverlay(text: str, new: str, start: int, length: int | None = None) -> str:
    if length is None:
        length = len(new)
    check_overlay(start, length)
    return text[: start - 1] + new + text[max(start - 1 + length, 0) :]


pg_function("position(text,text)", "strpos(text,text)")(lambda a, b: a.find(b) + 1)
pg_function("starts_with(text,text)")(str.startswith)


def trim_ends(left: bool, right: bool) -> Any:
    def body(text: str, characters: str = " ") -> str:
        if not characters:
            return text
        if left:
            text = text.lstrip(characters)
        return text.rstrip(characters) if right else text

    return body


pg_function("btrim(text)", "btrim(text,text)")(trim_ends(True, True))
pg_function("ltrim(text)", "ltrim(text,text)")(trim_ends(True, False))
pg_function("rtrim(text)", "rtrim(text,text)")(trim_ends(False, True))


def check_size(count: int) -> None:
    if count > MAX_ALLOC:
        raise PgError(PROGRAM_LIMIT_EXCEEDED, "requested length too large")


@pg_function("lpad(text,int4,text)", "lpad(text,int4)")
def lpad(text: str, length: int, fill: str = " ") -> str:
    length = max(length, 0)
    missing = length - len(text)
    if missing <= 0 or not fill:
        return text[:length]
    check_size(length)
    return (fill * (missing // len(fill) + 1))[:missing] + text


@pg_function("rpad(text,int4,text)", "rpad(text,int4)")
def rpad(text: str, length: int, fill: str = " ") -> str:
    length = max(length, 0)
    missing = length - len(text)
    if missing <= 0 or not fill:
        return text[:length]
    check_size(length)
    return text + (fill * (missing // len(fill) + 1))[:missing]


@pg_function("repeat(text,int4)")
def repeat(text: str, count: int) -> str:
    count = max(count, 0)
    check_size(count * len(text))
    return text * count


@pg_function("replace(text,text,text)")
def replace_text(text: str, old: str, new: str) -> str:
    return text.replace(old, new) if old else text


@pg_function("translate(text,text,text)")
def translate(text: str, source: str, target: str) -> str:
    table: dict[int, str | None] = {}
    for i, char in enumerate(source):
        table.setdefault(ord(char), target[i] if i < len(target) else None)
    return text.translate(table)


pg_function("reverse(text)")(lambda a: a[::-1])


@pg_function("left(text,int4)")
def text_left(text: str, n: int) -> str:
    return text[:n]


@pg_function("right(text,int4)")
def text_right(text: str, n: int) -> str:
    if n >= 0:
        return text[max(len(text) - n, 0) :]
    # -2^31 has no positive counterpart in C either.
    return text[-n:] if n > INT4.minimum else text


@pg_function("split_part(text,text,int4)")
def split_part(text: str, separator: str, field: int) -> str:
    if field == 0:
        raise PgError(INVALID_PARAMETER_VALUE, "field position must not be zero")
    if not text:
        return ""
    parts = text.split(separator) if separator else [text]
    index = field - 1 if field > 0 else len(parts) + field
    return parts[index] if 0 <= index < len(parts) else ""


def split_text(text: str, separator: str | None, null: str | None) -> list[str | None]:
    """The fields of string_to_array and string_to_table."""
    if separator is None:
        fields = list(text)
    elif not text:
        fields = []
    elif not separator:
        fields = [text]
    else:
        fields = text.split(separator)
    return [None if f == null else f for f in fields] if null is not None else list(fields)


def text_array(fields: list[Any]) -> str:
    """Storage of a one-dimensional text[]."""
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False)


@pg_function("string_to_array(text,text)", "string_to_array(text,text,text)")
def text_to_array(text: str | None, separator: str | None, null: str | None = None) -> str | None:
    return None if text is None else text_array(split_text(text, separator, null))


@pg_function("string_to_table(text,text)", "string_to_table(text,text,text)")
def text_to_table(
    text: str | None, separator: str | None, null: str | None = None
) -> Iterator[str | None]:
    if text is not None:
        yield from split_text(text, separator, null)


@pg_function("ascii(text)")
def ascii_code(text: str) -> int:
    return ord(text[0]) if text else 0


@pg_function("chr(int4)")
def chr_of(code: int) -> str:
    if code < 0:
        raise PgError(INVALID_PARAMETER_VALUE, "character number must be positive")
    if code == 0:
        raise PgError(PROGRAM_LIMIT_EXCEEDED, "null character not permitted")
    if code > 0x10FFFF:
        raise PgError(PROGRAM_LIMIT_EXCEEDED, f"requested character too large for encoding: {code}")
    if 0xD800 <= code <= 0xDFFF:
        raise PgError(PROGRAM_LIMIT_EXCEEDED, f"requested character not valid for encoding: {code}")
    return chr(code)


pg_function("md5(text)")(lambda a: hashlib.md5(a.encode()).hexdigest())

NORMAL_FORMS = {"NFC", "NFD", "NFKC", "NFKD"}


def normal_form(name: str) -> Any:
    form = name.upper()
    if form not in NORMAL_FORMS:
        raise PgError(INVALID_PARAMETER_VALUE, f"invalid normalization form: {name}")
    return form


@pg_function("normalize(text,text)")
def unicode_normalize(text: str, form: str = "NFC") -> str:
    return unicodedata.normalize(normal_form(form), text)


@pg_function("is_normalized(text,text)")
def unicode_is_normalized(text: str, form: str = "NFC") -> bool:
    return unicodedata.is_normalized(normal_form(form), text)


UNICODE_ESCAPE = re.compile(
    r"\\(?:(\\)|u([0-9a-fA-F]{4})|\+([0-9a-fA-F]{6})|U([0-9a-fA-F]{8})|([0-9a-fA-F]{4})|())"
)


@pg_function("unistr(text)")
def unistr(text: str) -> str:
    """Unicode escapes; surrogate pairs are joined."""
    high = 0

    def replaced(match: re.Match[str]) -> str:
        nonlocal high
        if match[1]:
            return "\\"
        code_text = match[2] or match[3] or match[4] or match[5]
        if code_text is None:
            raise PgError(
                SYNTAX_ERROR,
                "invalid Unicode escape",
                hint="Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX.",
            )
        code = int(code_text, 16)
        if code == 0 or code > 0x10FFFF:
            raise PgError(INVALID_PARAMETER_VALUE, f"invalid Unicode code point: {code:04X}")
        if 0xD800 <= code < 0xDC00:
            high = code
            return ""
        if 0xDC00 <= code < 0xE000:
            if not high:
                raise PgError(SYNTAX_ERROR, "invalid Unicode surrogate pair")
            code, high = 0x10000 + ((high - 0xD800) << 10) + code - 0xDC00, 0
        elif high:
            raise PgError(SYNTAX_ERROR, "invalid Unicode surrogate pair")
        return chr(code)

    result = UNICODE_ESCAPE.sub(replaced, text)
    if high:
        raise PgError(SYNTAX_ERROR, "invalid Unicode surrogate pair")
    return result


pg_function("nameconcatoid(name,oid)")(lambda name, oid: name[: 63 - len(str(oid)) - 1] + f"_{oid}")
