"""The text format of COPY FROM: lines, delimiters, backslash escapes (CopyReadAttributesText)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pgemu.commands.copyfromparse import Batch, Fields, LineParser, invalid_bytes, merge_escaped

_ESCAPE = re.compile(rb"\\(x[0-9A-Fa-f]{1,2}|[0-7]{1,3}|[\s\S]|$)")
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

    def parse_fields(self, line: str) -> Fields:
        delim, null = self.options.delim, self.options.null
        parts = line.split(delim)
        if "\\" in line:
            parts = merge_escaped(parts, delim)
            return [None if p == null else unescape(p) if "\\" in p else p for p in parts]
        return [None if p == null else p for p in parts]

    def parse(self, lines: list[str], numbers: Sequence[int]) -> Batch:
        delim, null = self.options.delim, self.options.null
        escaped = [i for i, line in enumerate(lines) if "\\" in line]
        rows: list[list[str | None]]
        if not escaped and "\\" in null:
            rows = [line.split(delim) for line in lines]  # type: ignore[misc]
            return self.checked(rows, numbers, lines)
        if len(escaped) > len(lines) // 8 or "\\" not in null:
            rows = [list(self.parse_fields(line)) for line in lines]
            return self.checked(rows, numbers, lines)
        rows = [line.split(delim) for line in lines]  # type: ignore[misc]
        for i in escaped:
            rows[i] = list(self.parse_fields(lines[i]))
        return self.checked(rows, numbers, lines)
