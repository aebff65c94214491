"""LIKE, ILIKE and the translation of SIMILAR TO (PostgreSQL: utils/adt/like.c, regexp.c)."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from pgemu.errors import (
    INVALID_ESCAPE_SEQUENCE,
    INVALID_USE_OF_ESCAPE_CHARACTER,
    PgError,
)
from pgemu.fmgr import pg_function
from pgemu.types.varlena import lower_text

Matcher = Callable[[str], bool]


def like_regex(pattern: str) -> tuple[str, bool]:
    """(Python regular expression, does the pattern end within an escape?)."""
    out: list[str] = []
    i = 0
    while i < len(pattern):
        char = pattern[i]
        if char == "%":
            out.append(".*")
        elif char == "_":
            out.append(".")
        elif char == "\\":
            i += 1
            if i >= len(pattern):
                return "".join(out), True
            out.append(re.escape(pattern[i]))
        else:
            out.append(re.escape(char))
        i += 1
    return re.sub(r"(\.\*)+", ".*", "".join(out)) if "%%" in pattern else "".join(out), False


@lru_cache(maxsize=512)
def like_matcher(pattern: str) -> Matcher:
    """Does a text match the LIKE pattern?"""
    if "\\" not in pattern and "_" not in pattern:
        inner = pattern.strip("%")
        if "%" not in inner and inner:
            head, tail = pattern.startswith("%"), pattern.endswith("%")
            if head and tail:
                return lambda text: inner in text
            if head:
                return lambda text: text.endswith(inner)
            if tail:
                return lambda text: text.startswith(inner)
            return lambda text: text == inner
    expression, broken = like_regex(pattern)
    if broken:
        reached = re.compile(expression + ".", re.DOTALL).match

        def fail(text: str) -> bool:
            if reached(text):
                raise PgError(
                    INVALID_ESCAPE_SEQUENCE, "LIKE pattern must not end with escape character"
                )
            return False

        return fail
    match = re.compile(expression, re.DOTALL).fullmatch
    return lambda text: match(text) is not None


def textlike(text: str, pattern: str) -> bool:
    return like_matcher(pattern)(text)


def textnlike(text: str, pattern: str) -> bool:
    return not like_matcher(pattern)(text)


def texticlike(text: str, pattern: str) -> bool:
    return like_matcher(lower_text(pattern))(lower_text(text))


def texticnlike(text: str, pattern: str) -> bool:
    return not texticlike(text, pattern)


for _type in ("text", "name", "bpchar"):
    pg_function(f"{_type}like({_type},text)")(textlike)
    pg_function(f"{_type}nlike({_type},text)")(textnlike)
    pg_function(f"{_type}iclike({_type},text)")(texticlike)
    pg_function(f"{_type}icnlike({_type},text)")(texticnlike)
pg_function("like(text,text)", "like(name,text)")(textlike)
pg_function("notlike(text,text)", "notlike(name,text)")(textnlike)


def bytealike(data: bytes, pattern: bytes) -> bool:
    return textlike(data.decode("latin-1"), pattern.decode("latin-1"))


pg_function("bytealike(bytea,bytea)", "like(bytea,bytea)")(bytealike)
pg_function("byteanlike(bytea,bytea)", "notlike(bytea,bytea)")(
    lambda data, pattern: not bytealike(data, pattern)
)


def bad_escape() -> PgError:
    return PgError(
        INVALID_ESCAPE_SEQUENCE,
        "invalid escape string",
        hint="Escape string must be empty or one character.",
    )


@pg_function("like_escape(text,text)")
def like_escape(pattern: str, escape: str) -> str:
    """The pattern with backslash as its escape character."""
    if escape == "\\":
        return pattern
    if not escape:
        return pattern.replace("\\", "\\\\")
    if len(escape) != 1:
        raise bad_escape()
    out: list[str] = []
    after = False
    for char in pattern:
        if char == escape and not after:
            out.append("\\")
            after = True
        elif char == "\\" and not after:
            out.append("\\\\")
        else:
            out.append(char)
            after = False
    return "".join(out)


@pg_function("like_escape(bytea,bytea)")
def like_escape_bytea(pattern: bytes, escape: bytes) -> bytes:
    return like_escape(pattern.decode("latin-1"), escape.decode("latin-1")).encode("latin-1")


class SimilarTranslation:
    """State of similar_to_escape over one pattern."""

    PLAIN = {"%": ".*", "_": ".", "(": "(?:"}

    def __init__(self, escape: str) -> None:
        self.escape = escape
        self.after_escape = False
        self.in_class = False
        self.class_start = 0  # what may stand before a ] that is not the end: [, then ^
        self.quotes = 0

    def separator(self) -> str:
        self.quotes += 1
        if self.quotes == 1:
            return "){1,1}?("
        if self.quotes == 2:
            return "){1,1}(?:"
        raise PgError(
            INVALID_USE_OF_ESCAPE_CHARACTER,
            "SQL regular expression may not contain more than two escape-double-quote separators",
        )

    def inside(self, char: str) -> str:
        """In a bracket expression; a ] right behind [ or [^ does not end it."""
        self.in_class = char != "]" or self.class_start > 0
        self.class_start = 1 if char == "^" and self.class_start == 2 else 0
        return "\\\\" if char == "\\" else char

    def one(self, char: str) -> str:
        if self.after_escape:
            self.after_escape = False
            return self.separator() if char == '"' and not self.in_class else "\\" + char
        if char == self.escape:
            self.after_escape = True
            return ""
        if self.in_class:
            return self.inside(char)
        if char == "[":
            self.in_class = True
            self.class_start = 2
            return char
        if char in self.PLAIN:
            return self.PLAIN[char]
        return "\\" + char if char in "\\.^$" else char


@pg_function("similar_to_escape(text,text)", "similar_to_escape(text)")
def similar_to_escape(pattern: str, escape: str = "\\") -> str:
    """SQL's regular expression as a PostgreSQL one."""
    if len(escape) > 1:
        raise bad_escape()
    translation = SimilarTranslation(escape)
    return f"^(?:{''.join(translation.one(char) for char in pattern)})$"


@pg_function("similar_escape(text,text)")
def similar_escape(pattern: str | None, escape: str | None) -> Any:
    if pattern is None:
        return None
    return similar_to_escape(pattern, "\\" if escape is None else escape)
