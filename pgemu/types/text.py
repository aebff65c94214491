"""text, varchar, bpchar, name, "char" and the pseudo-types that are text (PostgreSQL:
utils/adt/varlena.c, varchar.c, name.c, char.c).

Storage: TEXT; bpchar without its trailing blanks.  The native order is code point order, which
is the "C" collation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    INVALID_PARAMETER_VALUE,
    STRING_DATA_RIGHT_TRUNCATION,
    PgError,
)
from pgemu.fmgr import CallContext, pg_function
from pgemu.nodes.primnodes import Value
from pgemu.types.base import BaseType, register_type
from pgemu.types.comparison import NATIVE, bind_comparisons, native_compare
from pgemu.types.pqformat import Message, decode_utf8

VARHDRSZ = 4
NAMEDATALEN = 64
MAX_ATTR_SIZE = 10485760


class TextType(BaseType):
    """Any type whose text form is its storage value."""

    def __init__(self, name: str) -> None:
        self.name = name

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        return text

    def output(self, value: Any, ctx: CallContext) -> str:
        return str(value)

    def text_encoder(self, ctx: CallContext) -> Callable[[Any], bytes]:
        return str.encode

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> Value:
        return self.input(decode_utf8(data), typmod, ctx)

    def send(self, value: Any, ctx: CallContext) -> bytes:
        return str(value).encode()

    def binary_encoder(self, ctx: CallContext) -> Callable[[Any], bytes]:
        return str.encode


def check_blanks(text: str, length: int, type_name: str, explicit: bool = False) -> str:
    """Cut to length; only blanks may be lost unless the cast was explicit."""
    if not explicit and text[length:].strip(" "):
        raise PgError(
            STRING_DATA_RIGHT_TRUNCATION, f"value too long for type {type_name}({length})"
        )
    return text[:length]


class VarcharType(TextType):
    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        if 0 <= typmod - VARHDRSZ < len(text):
            return check_blanks(text, typmod - VARHDRSZ, "character varying")
        return text

    def typmod_in(self, args: list[str], ctx: CallContext) -> int:
        return length_typmod(args, "varchar")

    def typmod_out(self, typmod: int) -> str:
        return f"({typmod - VARHDRSZ})" if typmod > VARHDRSZ else ""


class BpcharType(VarcharType):
    """Stored trimmed.  The padded form exists only where the typmod is known: `pad`."""

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        if 0 <= typmod - VARHDRSZ < len(text):
            text = check_blanks(text, typmod - VARHDRSZ, "character")
        return text.rstrip(" ")

    def typmod_in(self, args: list[str], ctx: CallContext) -> int:
        return length_typmod(args, "char")

    @staticmethod
    def pad(value: str, typmod: int) -> str:
        """The padded form of a value of character(n)."""
        return value.ljust(typmod - VARHDRSZ) if typmod > VARHDRSZ else value


def length_typmod(args: list[str], type_name: str) -> int:
    """anychar_typmodin."""
    if len(args) != 1:
        raise PgError(INVALID_PARAMETER_VALUE, "invalid type modifier")
    length = int(args[0])
    if length < 1:
        raise PgError(INVALID_PARAMETER_VALUE, f"length for type {type_name} must be at least 1")
    if length > MAX_ATTR_SIZE:
        raise PgError(
            INVALID_PARAMETER_VALUE, f"length for type {type_name} cannot exceed {MAX_ATTR_SIZE}"
        )
    return length + VARHDRSZ


def truncate_name(text: str) -> str:
    """The first 63 bytes, whole characters."""
    if len(text) < NAMEDATALEN // 4:
        return text
    data = text.encode()
    return text if len(data) < NAMEDATALEN else data[: NAMEDATALEN - 1].decode(errors="ignore")


class NameType(TextType):
    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        return truncate_name(text)


def char_from_text(text: str) -> str:
    """charin: the first byte, or an octal escape for one."""
    data = text.encode()
    if len(data) == 4 and data[:1] == b"\\" and all(48 <= b <= 55 for b in data[1:]):
        value = int(data[1:], 8) & 0xFF
        return chr(value) if value else ""
    return chr(data[0]) if data else ""


def char_to_text(value: str) -> str:
    """charout: a byte that is not ASCII as an octal escape."""
    if not value:
        return ""
    code = ord(value)
    return f"\\{code:03o}" if code >= 0x80 else value


class CharType(TextType):
    """ "char": one byte, held as the character of that code (Latin-1); zero is ''."""

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        return char_from_text(text)

    def output(self, value: Any, ctx: CallContext) -> str:
        return char_to_text(value)

    def text_encoder(self, ctx: CallContext) -> Callable[[Any], bytes]:
        return lambda value: char_to_text(value).encode()

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> Value:
        message = Message(data)
        value = message.byte()
        message.end()
        return chr(value) if value else ""

    def send(self, value: Any, ctx: CallContext) -> bytes:
        return value.encode("latin-1") if value else b"\0"

    def binary_encoder(self, ctx: CallContext) -> Callable[[Any], bytes]:
        return lambda value: value.encode("latin-1") if value else b"\0"


class VoidType(TextType):
    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        return ""


class PseudoType(TextType):
    """A type that no value has: only its errors are its own."""

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        raise PgError(FEATURE_NOT_SUPPORTED, f"cannot accept a value of type {self.name}")

    def output(self, value: Any, ctx: CallContext) -> str:
        raise PgError(FEATURE_NOT_SUPPORTED, f"cannot display a value of type {self.name}")

    def text_encoder(self, ctx: CallContext) -> Callable[[Any], bytes]:
        return lambda value: str(value).encode()


class CatalogTextType(TextType):
    """pg_node_tree and its kin: shown, never accepted."""

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        raise PgError(FEATURE_NOT_SUPPORTED, f"cannot accept a value of type {self.name}")


register_type(
    TextType("text"),
    VarcharType("varchar"),
    BpcharType("bpchar"),
    NameType("name"),
    CharType("char"),
    TextType("cstring"),
    TextType("unknown"),
    TextType("refcursor"),
    VoidType("void"),
    CatalogTextType("pg_node_tree"),
    CatalogTextType("pg_ndistinct"),
    CatalogTextType("pg_dependencies"),
    CatalogTextType("pg_mcv_list"),
    *(
        PseudoType(name)
        for name in [
            "any",
            "anyelement",
            "anyarray",
            "anynonarray",
            "anyenum",
            "anyrange",
            "anymultirange",
            "anycompatible",
            "anycompatiblearray",
            "anycompatiblenonarray",
            "anycompatiblerange",
            "anycompatiblemultirange",
            "trigger",
            "event_trigger",
            "language_handler",
            "internal",
            "fdw_handler",
            "index_am_handler",
            "tsm_handler",
            "table_am_handler",
            "pg_ddl_command",
        ]
    ),
)

# Casts and length coercions.

pg_function("text(bpchar)", "text(name)", "varchar(name)")(lambda a: a)
pg_function("bpchar(name)")(lambda a: a.rstrip(" "))
pg_function("text(char)", "bpchar(char)")(char_to_text)
pg_function("name(text)", "name(varchar)", "name(bpchar)")(truncate_name)
pg_function("char(text)")(lambda a: char_from_text(a))


@pg_function("varchar(varchar,int4,bool)")
def varchar_coerce(text: str, typmod: int, explicit: Any) -> str:
    length = typmod - VARHDRSZ
    if length < 0 or len(text) <= length:
        return text
    return check_blanks(text, length, "character varying", bool(explicit))


@pg_function("bpchar(bpchar,int4,bool)")
def bpchar_coerce(text: str, typmod: int, explicit: Any) -> str:
    length = typmod - VARHDRSZ
    if length < 0 or len(text) <= length:
        return text.rstrip(" ")
    return check_blanks(text, length, "character", bool(explicit)).rstrip(" ")


@pg_function("int4(char)")
def chartoi4(value: str) -> int:
    code = ord(value) if value else 0
    return code - 256 if code >= 128 else code


@pg_function("char(int4)")
def i4tochar(code: int) -> str:
    if not -128 <= code <= 127:
        raise PgError("22003", '"char" out of range')
    return chr(code & 0xFF) if code else ""


# Comparison.

bind_comparisons("name", "name,name", cmp="btnamecmp")
bind_comparisons("char", "char,char", cmp="btcharcmp")
bind_comparisons("bpchar", "bpchar,bpchar", cmp="bpcharcmp")
for _prefix, _args, _cmp in (
    ("name{}text", "name,text", "btnametextcmp"),
    ("text{}name", "text,name", "bttextnamecmp"),
):
    for _suffix in ("eq", "ne", "lt", "le", "gt", "ge"):
        pg_function(f"{_prefix.format(_suffix)}({_args})")(NATIVE[_suffix])
    pg_function(f"{_cmp}({_args})")(native_compare)
pg_function("texteq(text,text)")(lambda a, b: a == b)
pg_function("textne(text,text)")(lambda a, b: a != b)
pg_function("text_lt(text,text)", "text_pattern_lt(text,text)")(lambda a, b: a < b)
pg_function("text_le(text,text)", "text_pattern_le(text,text)")(lambda a, b: a <= b)
pg_function("text_gt(text,text)", "text_pattern_gt(text,text)")(lambda a, b: a > b)
pg_function("text_ge(text,text)", "text_pattern_ge(text,text)")(lambda a, b: a >= b)
pg_function("bttextcmp(text,text)", "bttext_pattern_cmp(text,text)")(native_compare)
pg_function("btbpchar_pattern_cmp(bpchar,bpchar)")(native_compare)
for _suffix in ("lt", "le", "gt", "ge"):
    pg_function(f"bpchar_pattern_{_suffix}(bpchar,bpchar)")(NATIVE[_suffix])
pg_function("text_larger(text,text)", "bpchar_larger(bpchar,bpchar)")(max)
pg_function("text_smaller(text,text)", "bpchar_smaller(bpchar,bpchar)")(min)
