"""The default text search parser (PostgreSQL: tsearch/wparser_def.c), as a set of patterns.

PostgreSQL's is a state machine that tries the longest readings first; here each kind of token is
a pattern, tried in that order.  Rare mixtures (a file name within a tag, host names with odd
ports) may be cut differently.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

TOKEN_TYPES = (
    (1, "asciiword", "Word, all ASCII"),
    (2, "word", "Word, all letters"),
    (3, "numword", "Word, letters and digits"),
    (4, "email", "Email address"),
    (5, "url", "URL"),
    (6, "host", "Host"),
    (7, "sfloat", "Scientific notation"),
    (8, "version", "Version number"),
    (9, "hword_numpart", "Hyphenated word part, letters and digits"),
    (10, "hword_part", "Hyphenated word part, all letters"),
    (11, "hword_asciipart", "Hyphenated word part, all ASCII"),
    (12, "blank", "Space symbols"),
    (13, "tag", "XML tag"),
    (14, "protocol", "Protocol head"),
    (15, "numhword", "Hyphenated word, letters and digits"),
    (16, "asciihword", "Hyphenated word, all ASCII"),
    (17, "hword", "Hyphenated word, all letters"),
    (18, "url_path", "URL path"),
    (19, "file", "File or path name"),
    (20, "float", "Decimal notation"),
    (21, "int", "Signed integer"),
    (22, "uint", "Unsigned integer"),
    (23, "entity", "XML entity"),
)
TYPE_NUMBER = {name: number for number, name, _ in TOKEN_TYPES}

LETTER = r"[^\W\d_²³¹¼½¾]"
ALNUM = r"[^\W_²³¹¼½¾]"
HOST = r"(?:[A-Za-z0-9](?:[-_A-Za-z0-9]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}(?::\d{1,5})?"
URL_PATH = r"/[-+.,:;=&#%?/~_!$'()*@A-Za-z0-9|]+"
NAME = r"[A-Za-z][A-Za-z0-9_]*"


@lru_cache(maxsize=1)
def patterns() -> re.Pattern[str]:
    number_end = rf"(?!{ALNUM})"
    word = rf"(?:{LETTER}|(?<={LETTER})[\u0300-\u036f])+"
    return re.compile(
        "|".join(
            [
                r"(?P<tag><!--.*?-->|</?[A-Za-z_:][-\w:.]*(?:\s+[^<>]*|/)?>"
                r"|<!DOCTYPE[^<>]*>|<\?[xX][mM][lL][^<>]*\?>)",
                r"(?P<entity>&(?:\#\d+|\#[xX][0-9A-Fa-f]+|[A-Za-z_:][-A-Za-z0-9_:.]*);)",
                r"(?P<protocol>[A-Za-z][A-Za-z0-9]*://(?=[A-Za-z0-9]))",
                rf"(?P<email>[A-Za-z0-9](?:[-._A-Za-z0-9]*)@{HOST})",
                rf"(?P<url>{HOST}{URL_PATH})",
                rf"(?P<host>{HOST}(?![-A-Za-z0-9@]))",
                r"(?P<sfloat>[-+]?\d+(?:\.\d+)?[eE][-+]?\d+)",
                rf"(?P<version>\d+(?:\.\d+){{2,}}{number_end})",
                r"(?P<file>(?<!\w)/[-\w.+~]*\w(?:/[-\w.+~]*\w)*|[A-Za-z0-9_][-\w.]*"
                rf"(?:/[-\w.]*\w)+|{NAME}(?:\.[A-Za-z0-9_]+)+)",
                r"(?P<float>[-+]?\d+\.\d+)",
                rf"(?P<hyphened>{ALNUM}+(?:-{LETTER}{ALNUM}*)+(?!{ALNUM}))",
                r"(?P<int>[-+]\d+)",
                rf"(?P<uint>\d+{number_end})",
                rf"(?P<word>{word}(?!{ALNUM}))",
                rf"(?P<numword>{ALNUM}+)",
                r"(?P<blank>.)",
            ]
        ),
        re.DOTALL,
    )


def word_kind(text: str, names: tuple[str, str, str]) -> str:
    """The ASCII, the letters-only or the mixed kind."""
    if any(char.isdigit() for char in text):
        return names[2]
    return names[0] if text.isascii() else names[1]


def hyphened(text: str) -> Iterator[tuple[int, str]]:
    """A compound word, then its parts."""
    whole = word_kind(text, ("asciihword", "hword", "numhword"))
    yield TYPE_NUMBER[whole], text
    parts = text.split("-")
    for number, part in enumerate(parts):
        if number:
            yield TYPE_NUMBER["blank"], "-"
        kind = word_kind(part, ("hword_asciipart", "hword_part", "hword_numpart"))
        yield TYPE_NUMBER[kind], part


def numeric_compound(text: str) -> bool:
    """Do the hyphens join numbers rather than words?"""
    return not any(char.isalpha() for char in text.partition("-")[0]) or any(
        part.isdigit() for part in text.split("-")[:1]
    )


# what may begin another kind of token ends the blank before it
ENDS_BLANK = "<-+&/"


def tokens(text: str) -> Iterator[tuple[int, str]]:
    """(token type, text) in order."""
    at = 0
    search = patterns()
    blank: list[str] = []
    while at < len(text):
        match = search.match(text, at)
        assert match is not None and match.lastgroup is not None
        kind, found = match.lastgroup, match[0]
        if kind == "blank":
            if blank and found in ENDS_BLANK:
                yield TYPE_NUMBER["blank"], "".join(blank)
                blank = []
            blank.append(found)
            at += 1
            continue
        if blank:
            yield TYPE_NUMBER["blank"], "".join(blank)
            blank = []
        if kind == "hyphened" and numeric_compound(found):
            found = found.partition("-")[0]
            kind = "uint" if found.isdigit() else "numword"
        at += len(found)
        if kind == "hyphened":
            yield from hyphened(found)
        elif kind == "word":
            yield TYPE_NUMBER["asciiword" if found.isascii() else "word"], found
        elif kind == "url":
            yield TYPE_NUMBER["url"], found
            host, _, _ = found.partition("/")
            yield TYPE_NUMBER["host"], host
            yield TYPE_NUMBER["url_path"], found[len(host) :]
        else:
            yield TYPE_NUMBER[kind], found
    if blank:
        yield TYPE_NUMBER["blank"], "".join(blank)
