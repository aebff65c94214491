"""hstore's values (PostgreSQL: contrib/hstore/hstore_io.c): text to pairs and back.

Storage: TEXT, hstore_out's text.  Its pairs are unique and sorted by the length of the key and
then by its bytes, so equal values are equal texts.  In Python a value is a dict in that order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pgemu.errors import INTERNAL_ERROR, PgError

Pairs = dict[str, str | None]

_PAIR = re.compile(r'"((?:[^"\\]|\\.)*)"=>(?:NULL|"((?:[^"\\]|\\.)*)")', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_TO_ESCAPE = re.compile(r'(["\\])')
_SPACE = " \t\n\r\v\f"


def load(text: str) -> Pairs:
    """The pairs of a stored value."""
    if "\\" not in text:
        return {m[1]: m[2] for m in _PAIR.finditer(text)}
    return {
        _ESCAPED.sub(r"\1", m[1]): None if m[2] is None else _ESCAPED.sub(r"\1", m[2])
        for m in _PAIR.finditer(text)
    }


def _quoted(text: str) -> str:
    return '"' + _TO_ESCAPE.sub(r"\\\1", text) + '"'


def _key_order(key: str) -> tuple[int, bytes]:
    data = key.encode()
    return len(data), data


def dump(pairs: Pairs) -> str:
    """The stored value of pairs in any order."""
    return ", ".join(
        f"{_quoted(key)}=>{'NULL' if (value := pairs[key]) is None else _quoted(value)}"
        for key in sorted(pairs, key=_key_order)
    )


def unique(pairs: Iterable[tuple[str, str | None]]) -> Pairs:
    """hstoreUniquePairs: the first pair of a key counts."""
    found: Pairs = {}
    for key, value in pairs:
        found.setdefault(key, value)
    return found


class Reader:
    """parse_hstore: an automaton over the characters of an input text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def read(self) -> Pairs:
        pairs: list[tuple[str, str | None]] = []
        while (key := self._word(is_key=True)) is not None:
            self._expect("=")
            self.at += 1
            if self.text[self.at : self.at + 1] != ">":
                raise self._error()
            self.at += 1
            value = self._word(is_key=False)
            if value is None:
                raise _unexpected_end()
            plain = None if value[1] == "plain" and value[0].lower() == "null" else value[0]
            pairs.append((key[0], plain))
            self._skip_space()
            if self.at < len(self.text):
                self._expect(",")
                self.at += 1
        return unique(pairs)

    def _skip_space(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in _SPACE:
            self.at += 1

    def _expect(self, char: str) -> None:
        self._skip_space()
        if self.text[self.at : self.at + 1] != char:
            raise self._error()

    def _error(self) -> PgError:
        if self.at >= len(self.text):
            return _unexpected_end()
        position = len(self.text[: self.at].encode())
        return PgError(
            INTERNAL_ERROR, f'Syntax error near "{self.text[self.at]}" at position {position}'
        )

    def _word(self, *, is_key: bool) -> tuple[str, str] | None:
        """get_val: a word and whether it was "quoted" or "plain"; None at the end."""
        self._skip_space()
        text, end = self.text, len(self.text)
        if self.at >= end:
            return None
        quoted = text[self.at] == '"'
        if is_key and text[self.at] == "=":
            raise self._error()
        first = self.at
        self.at += quoted
        out: list[str] = []
        while self.at < end:
            char = text[self.at]
            if char == "\\":
                self.at += 1
                if self.at >= end:
                    raise _unexpected_end()
                char = text[self.at]
            elif quoted and char == '"':
                self.at += 1
                return "".join(out), "quoted"
            elif not quoted and self.at > first and self._ends_word(char, is_key):
                break
            out.append(char)
            self.at += 1
        if quoted:
            raise _unexpected_end()
        return "".join(out), "plain"

    @staticmethod
    def _ends_word(char: str, is_key: bool) -> bool:
        return char in _SPACE or char == ("=" if is_key else ",")


def _unexpected_end() -> PgError:
    return PgError(INTERNAL_ERROR, "Unexpected end of string")


def sort_key(text: str) -> tuple[bytes, int, int, tuple[tuple[int, bool], ...]]:
    """What hstore_cmp compares, one after the other: all keys and values in a row, how many they
    are, where each ends, and which are null.  The empty value is the least."""
    area = bytearray()
    ends: list[tuple[int, bool]] = []
    pairs = load(text)
    for key, value in pairs.items():
        area += key.encode()
        ends.append((len(area), False))
        area += (value or "").encode()
        ends.append((len(area), value is None))
    return bytes(area), len(area), len(pairs), tuple(ends)


def compare(a: str, b: str) -> int:
    if a == b:
        return 0
    if not a or not b:
        return 1 if a else -1
    left, right = sort_key(a), sort_key(b)
    return bool(left > right) - bool(left < right)
