"""The CSV format of COPY FROM: quotes, newlines between them (CopyReadAttributesCSV)."""

from __future__ import annotations

from collections.abc import Sequence

from pgemu.commands.copyfromparse import Batch, Fields, LineParser, bad_eol, shortened
from pgemu.errors import BAD_COPY_FILE_FORMAT, PgError


class CsvParser(LineParser):
    """Rows of the CSV format."""

    def _normalized(self, block: str) -> str:
        # newlines between quotes are data and stay what they are
        return block.replace(self.eol, "\n") if self.options.quote not in block else block

    def split_lines(self, text: str, last: bool) -> tuple[list[str], Sequence[int]]:
        quote = self.options.quote
        raw = text.split("\n")
        if raw[-1] == "":
            raw.pop()
        if quote not in text:
            first = self.number + 1
            self.number += len(raw)
            return raw, range(first, first + len(raw))
        carriage = self.eol == "\r\n"
        if self.eol == "\r":
            raw = text.split("\r")
            if raw[-1] == "":
                raw.pop()
        lines: list[str] = []
        numbers: list[int] = []
        # newlines within quotes are counted once it is known how lines end
        before = self.number
        open_part: list[str] = []
        inside = False
        joiner = "\r" if self.eol == "\r" else "\n"
        for line in raw:
            self.number += 1
            if quote in line and self._toggles(line, inside):
                inside = not inside
            if inside or open_part:
                open_part.append(line)
                if inside:
                    continue
                line = joiner.join(open_part)
                open_part = []
                if not lines and not before:
                    self.number = 1
            if carriage and line.endswith("\r"):
                line = line[:-1]
            lines.append(line)
            numbers.append(self.number)
        if open_part:
            rest = joiner.join(open_part)
            if not last:
                self.number -= len(open_part)
                self.pending = rest + joiner
            else:
                # CopyReadLine leaves the newline of what ends within quotes
                ended = text.endswith(joiner)
                lines.append(rest + joiner if ended else rest)
                numbers.append(self.number + ended if before else 1)
        return lines, numbers

    def _toggles(self, line: str, inside: bool) -> bool:
        """Does a physical line change from inside quotes to outside or back?"""
        quote, escape = self.options.quote, self.options.escape
        if quote == escape or escape not in line:
            return line.count(quote) % 2 == 1
        start, escaped = inside, False
        for letter in line:
            if inside and letter == escape:
                escaped = not escaped
            if letter == quote and not escaped:
                inside = not inside
            if letter != escape:
                escaped = False
        return inside != start

    def parse_fields(self, line: str) -> Fields:
        delim, null, quote = self.options.delim, self.options.null, self.options.quote
        if quote not in line:
            return [None if p == null else p for p in line.split(delim)]
        return self._quoted_fields(line)

    def _quoted_fields(self, line: str) -> list[str | None]:
        delim, null = self.options.delim, self.options.null
        quote, escape = self.options.quote, self.options.escape
        fields: list[str | None] = []
        at, end = 0, len(line)
        while True:
            parts: list[str] = []
            quoted = False
            while True:
                stop = line.find(delim, at)
                stop = end if stop < 0 else stop
                opening = line.find(quote, at, stop)
                if opening < 0:
                    parts.append(line[at:stop])
                    at = stop
                    break
                quoted = True
                parts.append(line[at:opening])
                at = self._quoted_part(line, opening + 1, quote, escape, parts)
            text = "".join(parts)
            fields.append(None if not quoted and text == null else text)
            if at >= end:
                return fields
            at += 1

    def _quoted_part(self, line: str, at: int, quote: str, escape: str, parts: list[str]) -> int:
        """Collect what stands between quotes; the place behind the closing one."""
        end = len(line)
        while at < end:
            letter = line[at]
            if letter == escape and at + 1 < end and line[at + 1] in (escape, quote):
                parts.append(line[at + 1])
                at += 2
                continue
            if letter == quote:
                return at + 1
            closing = line.find(quote, at)
            if escape != quote:
                other = line.find(escape, at)
                if other >= 0 and (closing < 0 or other < closing):
                    closing = other if other > at else at + 1
            closing = end if closing < 0 else closing
            parts.append(line[at:closing])
            at = closing
        raise PgError(BAD_COPY_FILE_FORMAT, "unterminated CSV quoted field")

    def parse(self, lines: list[str], numbers: Sequence[int]) -> Batch:
        rows: list[list[str | None]] = []
        forced_null = self.options.forced.get("FORCE_NULL", frozenset())
        forced_not = self.options.forced.get("FORCE_NOT_NULL", frozenset())
        null = self.options.null
        for i, line in enumerate(lines):
            if "\r" in line and self.options.quote not in line:
                error = bad_eol("carriage return", True)
                error.where = f"\x00line {numbers[i]}"
                return self._stopped(rows, numbers, lines, error)
            try:
                row = list(self.parse_fields(line))
            except PgError as error:
                error.where = f'\x00line {numbers[i]}: "{shortened(line)}"'
                return self._stopped(rows, numbers, lines, error)
            for j in forced_not:
                if j < len(row) and row[j] is None:
                    row[j] = null
            for j in forced_null:
                if j < len(row) and row[j] == null:
                    row[j] = None
            rows.append(row)
        return self.checked(rows, numbers, lines)

    def _stopped(
        self,
        rows: list[list[str | None]],
        numbers: Sequence[int],
        lines: Sequence[str],
        error: PgError,
    ) -> Batch:
        batch = self.checked(rows, numbers, lines)
        if batch.error is None:
            batch.error = error
        return batch
