"""The client encodings: PostgreSQL's names and aliases, and Python's codec for each.

Counterpart: pg_encname_tbl and pg_enc2name_tbl of PostgreSQL's encnames.c.
"""

from __future__ import annotations

from typing import NamedTuple


class Encoding(NamedTuple):
    number: int
    name: str
    codec: str | None
    """Python's codec; None: pgemu cannot convert from and to UTF8."""
    aliases: tuple[str, ...] = ()


ENCODINGS: tuple[Encoding, ...] = (
    Encoding(0, "SQL_ASCII", "utf-8"),
    Encoding(1, "EUC_JP", "euc_jp"),
    Encoding(2, "EUC_CN", "gb2312"),
    Encoding(3, "EUC_KR", "euc_kr"),
    Encoding(4, "EUC_TW", None),
    Encoding(5, "EUC_JIS_2004", "euc_jis_2004"),
    Encoding(6, "UTF8", "utf-8", ("unicode",)),
    Encoding(7, "MULE_INTERNAL", None),
    Encoding(8, "LATIN1", "latin-1", ("iso88591",)),
    Encoding(9, "LATIN2", "iso8859-2", ("iso88592",)),
    Encoding(10, "LATIN3", "iso8859-3", ("iso88593",)),
    Encoding(11, "LATIN4", "iso8859-4", ("iso88594",)),
    Encoding(12, "LATIN5", "iso8859-9", ("iso88599",)),
    Encoding(13, "LATIN6", "iso8859-10", ("iso885910",)),
    Encoding(14, "LATIN7", "iso8859-13", ("iso885913",)),
    Encoding(15, "LATIN8", "iso8859-14", ("iso885914",)),
    Encoding(16, "LATIN9", "iso8859-15", ("iso885915",)),
    Encoding(17, "LATIN10", "iso8859-16", ("iso885916",)),
    Encoding(18, "WIN1256", "cp1256", ("windows1256",)),
    Encoding(19, "WIN1258", "cp1258", ("windows1258", "abc", "tcvn", "tcvn5712", "vscii")),
    Encoding(20, "WIN866", "cp866", ("windows866", "alt")),
    Encoding(21, "WIN874", "cp874", ("windows874",)),
    Encoding(22, "KOI8R", "koi8-r", ("koi8",)),
    Encoding(23, "WIN1251", "cp1251", ("windows1251", "win")),
    Encoding(24, "WIN1252", "cp1252", ("windows1252",)),
    Encoding(25, "ISO_8859_5", "iso8859-5"),
    Encoding(26, "ISO_8859_6", "iso8859-6"),
    Encoding(27, "ISO_8859_7", "iso8859-7"),
    Encoding(28, "ISO_8859_8", "iso8859-8"),
    Encoding(29, "WIN1250", "cp1250", ("windows1250",)),
    Encoding(30, "WIN1253", "cp1253", ("windows1253",)),
    Encoding(31, "WIN1254", "cp1254", ("windows1254",)),
    Encoding(32, "WIN1255", "cp1255", ("windows1255",)),
    Encoding(33, "WIN1257", "cp1257", ("windows1257",)),
    Encoding(34, "KOI8U", "koi8-u"),
    Encoding(35, "SJIS", "cp932", ("mskanji", "shiftjis", "win932", "windows932")),
    Encoding(36, "BIG5", "cp950", ("win950", "windows950")),
    Encoding(37, "GBK", "gbk", ("win936", "windows936")),
    Encoding(38, "UHC", "cp949", ("win949", "windows949")),
    Encoding(39, "GB18030", "gb18030"),
    Encoding(40, "JOHAB", "johab"),
    Encoding(41, "SHIFT_JIS_2004", "shift_jis_2004", ("shiftjis2004",)),
)


def clean_encoding_name(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isascii() and letter.isalnum())


_BY_NAME: dict[str, Encoding] = {
    clean_encoding_name(alias): encoding
    for encoding in ENCODINGS
    for alias in (encoding.name, *encoding.aliases)
}


def encoding_by_name(name: str) -> Encoding | None:
    """PostgreSQL's pg_char_to_encoding: any spelling; None if unknown."""
    return _BY_NAME.get(clean_encoding_name(name))


def encoding_name(number: int) -> str:
    """PostgreSQL's pg_encoding_to_char: '' if unknown."""
    return ENCODINGS[number].name if 0 <= number < len(ENCODINGS) else ""


def python_codec(name: str) -> str:
    """Python's codec of an encoding that the check hook let pass."""
    encoding = encoding_by_name(name)
    return encoding.codec if encoding is not None and encoding.codec is not None else "utf-8"
