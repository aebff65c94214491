"""Reading an .sql script statement by statement, for containers that have no psql.

Counterpart of psql's scanner (psqlscan.l), as far as initialization scripts need it: strings,
dollar quotes, comments, BEGIN ATOMIC bodies, COPY ... FROM stdin with inline data, and of the
backslash commands \\connect; any other is an error, never skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple


class ScriptStatement(NamedTuple):
    """text: a statement without its semicolon, or a backslash command.  data: inline COPY data."""

    text: str
    data: bytes | None
    line: int


_TOKEN = re.compile(
    r"""
      (?P<comment> --[^\n]* )
    | (?P<block> /\* )
    | (?P<string> (?<![A-Za-z0-9_$])[eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*" )
    | (?P<dollar> (?<![A-Za-z0-9_$])\$(?:[A-Za-z_][A-Za-z0-9_]*)?\$ )
    | (?P<word> [A-Za-z_][A-Za-z0-9_$]* )
    | (?P<meta> \\ )
    | (?P<mark> [;()] )
    """,
    re.VERBOSE | re.DOTALL,
)
_COPY = re.compile(r"\s*copy\b.*\bfrom\s+stdin\b", re.IGNORECASE | re.DOTALL)
_BLOCK_MARK = re.compile(r"/\*|\*/")


def split_script(text: str) -> Iterator[ScriptStatement]:
    """The statements of a script in order; ValueError where it ends inside something."""
    at = start = 0
    depth = 0
    atomic = 0
    previous = ""
    while True:
        found = _TOKEN.search(text, at)
        if found is None:
            break
        at = found.end()
        kind = found.lastgroup
        if kind == "block":
            at = _block_end(text, at)
        elif kind == "dollar":
            end = text.find(found.group(), at)
            if end < 0:
                raise ValueError(f"unterminated {found.group()} string, line {_line(text, at)}")
            at = end + len(found.group())
        elif kind == "word":
            word = found.group().lower()
            if (word == "atomic" and previous == "begin") or (atomic and word == "case"):
                atomic += 1
            elif word == "end" and atomic:
                atomic -= 1
            previous = word
        elif kind == "meta" and not _strip(text[start : found.start()]):
            end = text.find("\n", at)
            at = len(text) if end < 0 else end + 1
            yield ScriptStatement(text[found.start() : at].strip(), None, _line(text, at))
            start = at
        elif kind == "mark":
            if found.group() != ";":
                depth = max(0, depth + (1 if found.group() == "(" else -1))
            elif depth == 0 and atomic == 0:
                statement = text[start : found.start()]
                line = _line(text, found.start())
                data = None
                if _COPY.match(_strip(statement)):
                    at, data = _inline_data(text, at)
                if _strip(statement):
                    yield ScriptStatement(statement.strip(), data, line)
                start = at
                previous = ""
    if _strip(text[start:]):
        yield ScriptStatement(text[start:].strip(), None, _line(text, len(text)))


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _strip(text: str) -> str:
    """The text without comments and blanks at its beginning."""
    while True:
        text = text.lstrip()
        if text.startswith("--"):
            text = text.partition("\n")[2]
        elif text.startswith("/*"):
            text = text[_block_end(text, 2) :]
        else:
            return text


def _block_end(text: str, at: int) -> int:
    """Behind the end of a comment that may hold others."""
    depth = 1
    while depth:
        mark = _BLOCK_MARK.search(text, at)
        if mark is None:
            raise ValueError(f"unterminated /* comment, line {_line(text, at)}")
        depth += 1 if mark.group() == "/*" else -1
        at = mark.end()
    return at


def _inline_data(text: str, at: int) -> tuple[int, bytes]:
    r"""The lines after COPY ... FROM stdin; up to the line \. of its own."""
    begin = text.find("\n", at) + 1
    if begin == 0:
        return len(text), b""
    end = re.compile(r"^\\\.\r?$", re.MULTILINE).search(text, begin)
    if end is None:
        return len(text), text[begin:].encode()
    after = text.find("\n", end.end())
    return (len(text) if after < 0 else after + 1), text[begin : end.start()].encode()
