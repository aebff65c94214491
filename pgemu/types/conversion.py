"""convert, convert_from, convert_to, length in an encoding, to_ascii (PostgreSQL: mb/mbutils.c,
common/wchar.c, utils/adt/ascii.c).

A string is verified by its encoding's rules first (22021), then translated through Python's codecs
(22P05); between two encodings that are not UTF8 the way leads through Unicode, if pg_conversion has
a default conversion.  What differs: a few symbols of the East Asian sets that Python maps to other
characters.
"""

from __future__ import annotations

from collections.abc import Callable

from pgemu.errors import FEATURE_NOT_SUPPORTED, INVALID_PARAMETER_VALUE, UNDEFINED_FUNCTION, PgError
from pgemu.fmgr import CallContext, pg_function
from pgemu.guc.encodings import Encoding, encoding_by_name, encoding_name

SQL_ASCII, UTF8 = 0, 6
Verify = Callable[[bytes], int]


def euc(byte: int) -> bool:
    return 0xA1 <= byte <= 0xFE


def trail(byte: int) -> bool:
    return 0x40 <= byte <= 0x7E or 0x80 <= byte <= 0xFC


def verify_euc_jp(c: bytes) -> int:
    if c[0] == 0x8E:
        return 2 if len(c) > 1 and 0xA1 <= c[1] <= 0xDF else -1
    if c[0] == 0x8F:
        return 3 if len(c) > 2 and euc(c[1]) and euc(c[2]) else -1
    return 2 if len(c) > 1 and euc(c[0]) and euc(c[1]) else -1


def verify_euc_kr(c: bytes) -> int:
    return 2 if len(c) > 1 and euc(c[0]) and euc(c[1]) else -1


def verify_euc_tw(c: bytes) -> int:
    if c[0] == 0x8E:
        return 4 if len(c) > 3 and 0xA1 <= c[1] <= 0xA7 and euc(c[2]) and euc(c[3]) else -1
    return 2 if c[0] != 0x8F and len(c) > 1 and euc(c[1]) else -1


def verify_johab(c: bytes) -> int:
    size = 3 if c[0] == 0x8F else 2
    return size if len(c) >= size and all(map(euc, c[1:size])) else -1


def verify_sjis(c: bytes) -> int:
    if 0xA1 <= c[0] <= 0xDF:
        return 1
    head = 0x81 <= c[0] <= 0x9F or 0xE0 <= c[0] <= 0xFC
    return 2 if len(c) > 1 and head and trail(c[1]) else -1


def verify_two(c: bytes) -> int:
    return 2 if len(c) > 1 and c[1] else -1


def verify_gb18030(c: bytes) -> int:
    head = 0x81 <= c[0] <= 0xFE
    if len(c) > 3 and 0x30 <= c[1] <= 0x39:
        return 4 if head and 0x81 <= c[2] <= 0xFE and 0x30 <= c[3] <= 0x39 else -1
    if len(c) > 1 and head and (0x40 <= c[1] <= 0x7E or 0x80 <= c[1] <= 0xFE):
        return 2
    return -1


def verify_utf8(c: bytes) -> int:
    size = utf8_size(c[0])
    try:
        return size if size > 1 and len(c[:size].decode()) == 1 else -1
    except UnicodeDecodeError:
        return -1


def utf8_size(byte: int) -> int:
    return 1 if byte < 0xC0 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4 if byte < 0xF8 else 1


def verify_one(c: bytes) -> int:
    return 1


# encoding number: (length of a character by its first byte, verification of one from 0x80 on)
RULES: dict[int, tuple[Callable[[int], int], Verify]] = {
    1: (lambda b: 3 if b == 0x8F else 2, verify_euc_jp),
    2: (lambda b: 2, verify_euc_kr),
    3: (lambda b: 3 if b == 0x8F else 2, verify_euc_kr),
    4: (lambda b: 4 if b == 0x8E else 3 if b == 0x8F else 2, verify_euc_tw),
    5: (lambda b: 3 if b == 0x8F else 2, verify_euc_jp),
    6: (utf8_size, verify_utf8),
    35: (lambda b: 1 if 0xA1 <= b <= 0xDF else 2, verify_sjis),
    36: (lambda b: 2, verify_two),
    37: (lambda b: 2, verify_two),
    38: (lambda b: 2, verify_two),
    39: (lambda b: 2, verify_gb18030),
    40: (lambda b: 3 if b == 0x8F else 2, verify_johab),
    41: (lambda b: 1 if 0xA1 <= b <= 0xDF else 2, verify_sjis),
}
SINGLE: tuple[Callable[[int], int], Verify] = (lambda b: 1, verify_one)


def shown(data: bytes) -> str:
    return " ".join(f"0x{byte:02x}" for byte in data)


def first_char(data: bytes, encoding: int) -> bytes:
    """What an error shows of the bytes."""
    if data[0] < 0x80:
        return data[:1]
    size = RULES.get(encoding, SINGLE)[0](data[0])
    if encoding == 39 and len(data) > 1 and 0x30 <= data[1] <= 0x39:
        size = 4
    return data[:size]


def verify(data: bytes, encoding: int) -> int:
    """pg_verify_mbstr_len: the number of characters."""
    check = RULES.get(encoding, SINGLE)[1]
    at = count = 0
    while at < len(data):
        size = 1 if 0 < data[at] < 0x80 else check(data[at : at + 4]) if data[at] else -1
        if size < 0:
            bad = first_char(data[at:], encoding)
            raise PgError(
                "22021",
                f'invalid byte sequence for encoding "{encoding_name(encoding)}": {shown(bad)}',
            )
        at += size
        count += 1
    return count


def untranslatable(char: bytes, source: int, destination: int) -> PgError:
    return PgError(
        "22P05",
        f'character with byte sequence {shown(char)} in encoding "{encoding_name(source)}" '
        f'has no equivalent in encoding "{encoding_name(destination)}"',
    )


def codec(encoding: Encoding) -> str:
    if encoding.codec is None:
        raise PgError(
            FEATURE_NOT_SUPPORTED, f"conversion of encoding {encoding.name} is not supported"
        )
    return encoding.codec


def to_unicode(data: bytes, source: Encoding, destination: int) -> str:
    python = codec(source)
    try:
        return data.decode(python)
    except UnicodeDecodeError as error:
        bad = first_char(data[error.start :], source.number)
        raise untranslatable(bad, source.number, destination) from None


def from_unicode(text: str, source: int, destination: Encoding) -> bytes:
    python = codec(destination)
    try:
        return text.encode(python)
    except UnicodeEncodeError as error:
        char = text[error.start]
        origin = encoding_by_name(encoding_name(source))
        bad = char.encode(codec(origin) if origin is not None else "utf-8")
        raise untranslatable(bad, source, destination.number) from None


def do_encoding_conversion(
    ctx: CallContext, data: bytes, source: Encoding, destination: Encoding
) -> bytes:
    """pg_do_encoding_conversion."""
    if not data or source.number == destination.number or destination.number == SQL_ASCII:
        return data
    if source.number == SQL_ASCII:
        verify(data, destination.number)
        return data
    if ctx.catalog is not None and not ctx.catalog.all(
        ctx.catalog.types.rows.PgConversion,
        conforencoding=source.number,
        contoencoding=destination.number,
        condefault=True,
    ):
        raise PgError(
            UNDEFINED_FUNCTION,
            f'default conversion function for encoding "{source.name}" to '
            f'"{destination.name}" does not exist',
        )
    text = to_unicode(data, source, destination.number)
    return from_unicode(text, source.number, destination)


def named_encoding(name: str, role: str) -> Encoding:
    found = encoding_by_name(name)
    if found is None:
        raise PgError(INVALID_PARAMETER_VALUE, f'invalid {role} encoding name "{name}"')
    return found


def database_encoding() -> Encoding:
    return named_encoding("UTF8", "database")


@pg_function("convert(bytea,name,name) -> bytea", context=True)
def convert(ctx: CallContext, data: bytes, source: str, destination: str) -> bytes:
    first = named_encoding(source, "source")
    second = named_encoding(destination, "destination")
    verify(data, first.number)
    return do_encoding_conversion(ctx, data, first, second)


@pg_function("convert_from(bytea,name) -> text", context=True)
def convert_from(ctx: CallContext, data: bytes, name: str) -> str:
    source = named_encoding(name, "source")
    verify(data, source.number)
    return do_encoding_conversion(ctx, data, source, database_encoding()).decode()


@pg_function("convert_to(text,name) -> bytea", context=True)
def convert_to(ctx: CallContext, text: str, name: str) -> bytes:
    destination = named_encoding(name, "destination")
    return do_encoding_conversion(ctx, text.encode(), database_encoding(), destination)


@pg_function("length(bytea,name) -> int4")
def length_in_encoding(data: bytes, name: str) -> int:
    encoding = encoding_by_name(name)
    if encoding is None:
        raise PgError(INVALID_PARAMETER_VALUE, f'invalid encoding name "{name}"')
    return verify(data, encoding.number)


# ---- to_ascii: the bytes of a UTF8 string read as if they were of a Latin encoding

# (the first byte, what stands for it and those behind it)
ASCII_FORMS = {
    "LATIN1": (
        160,
        "  cL Y  \"Ca  -R     'u .,      ?AAAAAAACEEEEIIII"
        " NOOOOOxOUUUUYTBaaaaaaaceeeeiiii nooooo/ouuuuyty",
    ),
    "LATIN2": (
        160,
        ' A L LS "SSTZ-ZZ a,l\'ls ,sstz"zzRAAAALCCCEEEEIID'
        "DNNOOOOxRUUUUYTBraaaalccceeeeiiddnnoooo/ruuuuyt.",
    ),
    "LATIN9": (
        160,
        "  cL YS sCa  -R     Zu .z   EeY?AAAAAAACEEEEIIII"
        " NOOOOOxOUUUUYTBaaaaaaaceeeeiiii nooooo/ouuuuyty",
    ),
    "WIN1250": (
        128,
        '  \' "    %S<STZZ `\'"".--  s>stzz   L A  "CS  -RZ  ,l\'u .,as L"lz'
        "RAAAALCCCEEEEIIDDNNOOOOxRUUUUYTBraaaalccceeeeiiddnnoooo/ruuuuyt ",
    ),
}


def to_ascii(text: str, encoding: str) -> str:
    found = ASCII_FORMS.get(encoding)
    if found is None:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            f"encoding conversion from {encoding} to ASCII not supported",
        )
    first, forms = found
    return "".join(
        chr(b) if b < 128 else " " if b < first else forms[b - first] for b in text.encode()
    )


@pg_function("to_ascii(text)")
def to_ascii_default(text: str) -> str:
    return to_ascii(text, database_encoding().name)


@pg_function("to_ascii(text,int4)")
def to_ascii_enc(text: str, number: int) -> str:
    name = encoding_name(number)
    if not name:
        raise PgError("42704", f"{number} is not a valid encoding code")
    return to_ascii(text, name)


@pg_function("to_ascii(text,name)")
def to_ascii_encname(text: str, name: str) -> str:
    found = encoding_by_name(name)
    if found is None:
        raise PgError("42704", f"{name} is not a valid encoding name")
    return to_ascii(text, found.name)
