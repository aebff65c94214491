"""COPY FROM's input: bytes of the client or of a file, as text of whole lines, as rows of fields.

Counterpart of PostgreSQL's copyfromparse.c.  Where that file goes from character to character, a
block of about a megabyte is split here at its newlines and delimiters, and only the lines that
need more care get it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pgemu.commands.copy_options import CopyFormatOptions
from pgemu.errors import BAD_COPY_FILE_FORMAT, CHARACTER_NOT_IN_REPERTOIRE, PgError

BLOCK = 1 << 20
Fields = Sequence[str | None]


@dataclass(slots=True)
class Batch:
    """Rows of fields with the number and the text of the line that each came from.  `columns`,
    if given, are the same fields by column."""

    rows: list[Fields]
    numbers: Sequence[int]
    lines: Sequence[str]
    # what is wrong with the line behind the last row
    error: PgError | None = None
    columns: list[list[str | None]] | None = None
    # the fields of that line, if it has too few: a wrong one among them is complained of first
    partial: Fields | None = None

    def by_row(self) -> Sequence[Fields]:
        """The rows, also where only the columns were made."""
        if self.columns is not None and not self.rows:
            self.rows = list(zip(*self.columns, strict=True))
        return self.rows


class Input:
    """Bytes in blocks.  In a batch of blocks that were read once they can be had again."""

    def __init__(self, read: Callable[[], bytes | None]) -> None:
        self._read = read
        self._kept: list[bytes] = []
        self._ended = False
        self.keep = True

    def fill(self, limit: int) -> None:
        """Read up to about so many bytes, before any lock is taken."""
        total = 0
        while not self._ended and total < limit:
            block = self._next()
            if block is not None:
                self._kept.append(block)
                total += len(block)

    def size(self) -> int:
        """Bytes that have been read and kept."""
        return sum(map(len, self._kept))

    def _next(self) -> bytes | None:
        parts: list[bytes] = []
        size = 0
        while size < BLOCK:
            data = self._read()
            if data is None:
                self._ended = True
                break
            parts.append(data)
            size += len(data)
        return b"".join(parts) if parts else None

    def blocks(self) -> Iterator[bytes]:
        """All of it: what was kept, then what is still to come."""
        yield from self._kept
        while not self._ended:
            block = self._next()
            if block is None:
                return
            if self.keep:
                self._kept.append(block)
            yield block

    def drain(self) -> None:
        """Read to the end without looking."""
        while not self._ended:
            self._next()


def texts(blocks: Iterable[bytes], codec: str, encoding: str) -> Iterator[str]:
    """Decoded blocks that end at the end of a line (all but the last)."""
    rest = b""
    for block in blocks:
        data = rest + block if rest else block
        cut = data.rfind(b"\n") + 1
        if not cut:
            rest = data
            continue
        rest = data[cut:]
        yield _decode(data[:cut], codec, encoding)
    if rest:
        yield _decode(rest, codec, encoding)


def _decode(data: bytes, codec: str, encoding: str) -> str:
    try:
        text = data.decode(codec)
    except UnicodeDecodeError as error:
        raise invalid_bytes(data, error, encoding) from None
    if "\0" in text:
        raise PgError(
            CHARACTER_NOT_IN_REPERTOIRE,
            f'invalid byte sequence for encoding "{encoding}": 0x00',
        )
    return text


def invalid_bytes(data: bytes, error: UnicodeDecodeError, encoding: str) -> PgError:
    """22021 with the bytes that are wrong."""
    end = max(error.end, error.start + 1)
    shown = " ".join(f"0x{b:02x}" for b in data[error.start : end])
    return PgError(
        CHARACTER_NOT_IN_REPERTOIRE,
        f'invalid byte sequence for encoding "{encoding}": {shown}',
    )


class LineParser:
    """What text and CSV have in common: newline style, the end marker, the header, the count."""

    def __init__(self, options: CopyFormatOptions, names: Sequence[str]) -> None:
        self.options = options
        self.names = names
        self.width = len(names)
        self.number = 0
        self.eol = ""
        self.done = False
        self.has_header = False
        self.pending = ""

    def batches(self, blocks: Iterable[str]) -> Iterator[Batch]:
        for block in blocks:
            if self.done:
                return
            if self.pending:
                block, self.pending = self.pending + block, ""
            yield from self._block(block, False)
        if self.pending and not self.done:
            block, self.pending = self.pending, ""
            yield from self._block(block, True)
        if self.options.header == "match" and not self.has_header:
            self._match_header("")

    def _block(self, block: str, last: bool) -> Iterator[Batch]:
        self._find_eol(block)
        error = self._check_eol(block)
        text = block if self.eol == "\n" else self._normalized(block)
        lines, numbers = self.split_lines(text, last)
        if error is not None:
            lines, numbers = self._before_error(lines, numbers, error)
        marker = self.end_marker(text, lines, numbers)
        if marker >= 0:
            lines, numbers = lines[:marker], numbers[:marker]
            self.done = True
        if self.options.header and lines and numbers[0] == 1:
            self.has_header = True
            if self.options.header == "match":
                self._match_header(lines[0])
            lines, numbers = lines[1:], numbers[1:]
        if not lines and error is None:
            return
        batch = self.parse(lines, numbers)
        if batch.error is None:
            batch.error = error
        yield batch

    def _find_eol(self, block: str) -> None:
        if self.eol:
            return
        newline, carriage = block.find("\n"), block.find("\r")
        if carriage >= 0 and (newline < 0 or carriage < newline):
            self.eol = "\r\n" if newline == carriage + 1 else "\r"
        elif newline >= 0:
            self.eol = "\n"
        else:
            self.eol = "\n"

    def _normalized(self, block: str) -> str:
        return block.replace(self.eol, "\n")

    def _check_eol(self, block: str) -> PgError | None:
        """Newlines of another kind than the first line's."""
        csv = self.options.csv
        if csv:
            return None  # they may stand between quotes; the fields are looked at instead
        if self.eol == "\n" and "\r" in block:
            return bad_eol("carriage return", csv)
        if self.eol != "\n" and "\n" in block.replace(self.eol, ""):
            return bad_eol("newline", csv)
        return None

    def _before_error(
        self, lines: list[str], numbers: Sequence[int], error: PgError
    ) -> tuple[list[str], Sequence[int]]:
        for i, line in enumerate(lines):
            if "\r" in line:
                error.add_context(f"\x00line {numbers[i]}")
                return lines[:i], numbers[:i]
        return lines, numbers

    def end_marker(self, text: str, lines: list[str], numbers: Sequence[int]) -> int:
        """How many lines stand before the end marker; -1: there is none."""
        try:
            return lines.index("\\.")
        except ValueError:
            return -1

    def _match_header(self, line: str) -> None:
        fields = self.parse_fields(line)
        if len(fields) != self.width:
            raise PgError(
                BAD_COPY_FILE_FORMAT,
                f"wrong number of fields in header line: got {len(fields)}, expected {self.width}",
                where=self._header_context(line),
            )
        for i, (found, name) in enumerate(zip(fields, self.names, strict=True), 1):
            if found is None:
                raise PgError(
                    BAD_COPY_FILE_FORMAT,
                    f"column name mismatch in header line field {i}: got null value "
                    f'("{self.options.null}"), expected "{name}"',
                    where=self._header_context(line),
                )
            if found != name:
                raise PgError(
                    BAD_COPY_FILE_FORMAT,
                    f'column name mismatch in header line field {i}: got "{found}", '
                    f'expected "{name}"',
                    where=self._header_context(line),
                )

    def _header_context(self, line: str) -> str:
        return f'\x00line 1: "{shortened(line)}"'

    # -- of the formats ------------------------------------------------------------------------

    def split_lines(self, text: str, last: bool) -> tuple[list[str], Sequence[int]]:
        """The lines of a block and their numbers; what may go on is put into pending."""
        raise NotImplementedError

    def parse_fields(self, line: str) -> Fields:
        raise NotImplementedError

    def parse(self, lines: list[str], numbers: Sequence[int]) -> Batch:
        raise NotImplementedError

    # -- checks --------------------------------------------------------------------------------

    def checked(self, rows: list[Any], numbers: Sequence[int], lines: Sequence[str]) -> Batch:
        """The rows up to the first that has too few or too many fields."""
        width = self.width
        if rows and (len(set(map(len, rows))) != 1 or len(rows[0]) != width):
            for i, row in enumerate(rows):
                if len(row) != width and not (width == 0 and row == [""]):
                    where = f'\x00line {numbers[i]}: "{shortened(lines[i])}"'
                    found = Batch(rows[:i], numbers, lines, self._wrong_width(len(row), where))
                    found.partial = row if len(row) < width else None
                    return found
            if width == 0:
                rows = [()] * len(rows)
        return Batch(rows, numbers, lines)

    def _wrong_width(self, found: int, where: str) -> PgError:
        message = "extra data after last expected column"
        if found < self.width:
            message = f'missing data for column "{self.names[found]}"'
        return PgError(BAD_COPY_FILE_FORMAT, message, where=where)


def bad_eol(what: str, csv: bool) -> PgError:
    """22P04: newlines of two kinds."""
    escape = "\\r" if what == "carriage return" else "\\n"
    if csv:
        return PgError(
            BAD_COPY_FILE_FORMAT,
            f"unquoted {what} found in data",
            hint=f"Use quoted CSV field to represent {what}.",
        )
    return PgError(
        BAD_COPY_FILE_FORMAT,
        f"literal {what} found in data",
        hint=f'Use "{escape}" to represent {what}.',
    )


def shortened(text: str, limit: int = 100) -> str:
    """limit_printout_length: long texts are cut."""
    data = text.encode()
    if len(data) <= limit:
        return text
    return data[:limit].decode("utf-8", "ignore") + "..."


def merge_escaped(parts: list[str], separator: str) -> list[str]:
    """Join again what was split at a separator that has a backslash before it."""
    merged: list[str] = []
    pending: str | None = None
    for part in parts:
        if pending is not None:
            part, pending = pending + separator + part, None
        if (len(part) - len(part.rstrip("\\"))) % 2:
            pending = part
        else:
            merged.append(part)
    if pending is not None:
        merged.append(pending)
    return merged
