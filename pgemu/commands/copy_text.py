"""The text format of COPY FROM: lines, delimiters, backslash escapes (CopyReadAttributesText)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from operator import methodcaller

from pgemu.commands.copyfromparse import Batch, Fields, LineParser, invalid_bytes, merge_escaped
from pgemu.errors import BAD_COPY_FILE_FORMAT, PgError

_ESCAPE = re.compile(rb"\\(x[0-9A-Fa-f]{1,2}|[0-7]{1,3}|[\s\S]|$)")
_END_MARKER = re.compile(r"(?:[^\\]|\\[^.])*?\\\.", re.DOTALL)
_LETTERS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


def _unescaped(match: re.Match[bytes]) -> bytes:
    body = match[1]
    if body in _LETTERS:
        return _LETTERS[body]
    if body[:1] == b"x" and len(body) > 1:
        return bytes([int(body[1:], 16)])
    if body[:1] in b"01234567" and body:
        return bytes([int(body, 8) & 0xFF])
    return body


def unescape(field: str) -> str:
    """What the backslashes of a field stand for."""
    data = _ESCAPE.sub(_unescaped, field.encode())
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise invalid_bytes(data, error, "UTF8") from None


class TextParser(LineParser):
    """Rows of the text format."""

    def split_lines(self, text: str, last: bool) -> tuple[list[str], Sequence[int]]:
        lines = text.split("\n")
        if lines[-1] == "":
            lines.pop()
        first = self.number + 1
        if "\\\n" in text:
            return self._with_escaped_newlines(text, lines, last)
        self.number += len(lines)
        return lines, range(first, first + len(lines))

    def _with_escaped_newlines(
        self, text: str, lines: list[str], last: bool
    ) -> tuple[list[str], Sequence[int]]:
        """A backslash before a newline makes it part of the line."""
        merged = merge_escaped(lines, "\n")
        numbers = []
        for _line in merged:
            self.number += 1
            numbers.append(self.number)
        tail = merged[-1]
        if not last and (len(tail) - len(tail.rstrip("\\"))) % 2:
            self.pending = tail + "\n"
            self.number -= 1
            merged.pop()
            numbers.pop()
        return merged, numbers

    def end_marker(self, text: str, lines: list[str], numbers: Sequence[int]) -> int:
        """It may stand behind the last row, on the same line."""
        if "\\." not in text:
            return -1
        for i, line in enumerate(lines):
            found = _END_MARKER.match(line) if "\\." in line else None
            if found is None:
                continue
            if found.end() < len(line):
                where = f"\x00line {numbers[i]}"
                raise PgError(BAD_COPY_FILE_FORMAT, "end-of-copy marker corrupt", where=where)
            if found.end() == 2:
                return i
            lines[i] = line[:-2]
            return i + 1
        return -1

    def parse_fields(self, line: str) -> Fields:
        delim, null = self.options.delim, self.options.null
        parts = line.split(delim)
        if "\\" in line:
            parts = merge_escaped(parts, delim)
            return [None if p == null else unescape(p) if "\\" in p else p for p in parts]
        return [None if p == null else p for p in parts]

    def parse(self, lines: list[str], numbers: Sequence[int]) -> Batch:
        columns = self._columns(lines)
        if columns is not None:
            return Batch([], numbers, lines, None, columns)
        return self.checked([list(self.parse_fields(line)) for line in lines], numbers, lines)

    def _columns(self, lines: list[str]) -> list[list[str | None]] | None:
        """All fields column by column; None: a line has too few or too many, or delimiters are
        escaped."""
        delim, null, width = self.options.delim, self.options.null, self.width
        text = delim.join(lines)
        if not width or ("\\" in text and "\\" + delim in text):
            return None
        fields = text.split(delim)
        if len(fields) != len(lines) * width:
            return None
        if width > 1 and set(map(methodcaller("count", delim), lines)) != {width - 1}:
            return None
        columns: list[list[str | None]] = [list(fields[j::width]) for j in range(width)]
        if "\\" in text:
            return [_unescaped_column(c, null) for c in columns]
        if null not in fields:
            return columns
        return [[None if v == null else v for v in c] if null in c else c for c in columns]


def _unescaped_column(column: list[str | None], null: str) -> list[str | None]:
    if not any(v is not None and ("\\" in v or v == null) for v in column):
        return column
    return [None if v is None or v == null else unescape(v) if "\\" in v else v for v in column]
