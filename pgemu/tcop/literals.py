"""The literals of a statement's text, found without parsing it.

A statement with its literals inlined is the same statement as the last one but for them.  One
regular expression cuts the text into what stays (the plan cache's key) and the literals (the
parameters).  Texts that it cannot be sure of (comments, escape strings, dollar quotes, strings
joined across lines) are not cut, and so not cached under a shape.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

MAX_TEXT = 20_000
_PIECES = re.compile(
    r"""((?:[\x00-!#%&(-,.:-@\[-^`{-\x7f]+|[^\x00-@\[-^`{-\x7f][\w$]*+(?!')"""
    r"""|"(?:[^"]|"")*+"|-(?!-)|/(?!\*)|\$\d+)*+)"""
    r"""(?:('(?:[^']|'')*+')(?!')|((?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d++)?)(?![\w$])|$)"""
)


@dataclass(slots=True)
class Shape:
    """key identifies the statement but for its literals; literals are their source texts, starts
    their character offsets in the text."""

    key: str
    literals: list[str]
    text: str
    _starts: list[int] | None = None

    def starts(self) -> list[int]:
        if self._starts is None:
            self._starts = []
            at = 0
            for prefix, string, number in _PIECES.findall(self.text):
                at += len(prefix)
                if string or number:
                    self._starts.append(at)
                    at += len(string) + len(number)
        return self._starts


def cut(text: str) -> Shape | None:
    """The shape of a statement's text; None: it has none that is certain."""
    if len(text) > MAX_TEXT:
        return None
    pieces = _PIECES.findall(text)
    parts: list[str] = []
    literals: list[str] = []
    size = 0
    for prefix, string, number in pieces:
        parts.append(prefix)
        if string:
            parts.append("\x01s")
            literals.append(string)
            size += len(prefix) + len(string)
        elif number:
            parts.append(_number_kind(number))
            literals.append(number)
            size += len(prefix) + len(number)
        else:
            size += len(prefix)
    if size != len(text):
        return None
    return Shape("".join(parts), literals, text)


def _number_kind(number: str) -> str:
    """int4, int8 and numeric literals make different statements."""
    if number.isdigit():
        if len(number) < 10:
            return "\x01i"
        value = int(number)
        return "\x01i" if value < 2**31 else "\x01l" if value < 2**63 else "\x01n"
    return "\x01n"


def joined_strings(shape: Shape) -> bool:
    """Two strings with only white space and a newline between them are one literal to SQL."""
    return "\n" in shape.text and any(
        m[1] and m[1].isspace() and "\n" in m[1] and m[2] for m in _PIECES.finditer(shape.text)
    )


def string_value(literal: str) -> str:
    """What a quoted literal stands for."""
    body = literal[1:-1]
    return body.replace("''", "'") if "''" in body else body


__all__ = ["Sequence", "Shape", "cut", "joined_strings", "string_value"]
