"""tsvector: representation, I/O, order and the functions over it alone (PostgreSQL:
utils/adt/tsvector.c, tsvector_parser.c, tsvector_op.c).

Storage: the canonical text.  In Python a tsvector is a dict from lexeme to positions in lexeme
order; a position is `pos * 4 + weight` with weights D=0 ... A=3.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from pgemu.errors import (
    INTERNAL_ERROR,
    INVALID_PARAMETER_VALUE,
    NULL_VALUE_NOT_ALLOWED,
    PROGRAM_LIMIT_EXCEEDED,
    SYNTAX_ERROR,
    ZERO_LENGTH_CHARACTER_STRING,
    PgError,
)
from pgemu.fmgr import CallContext, pg_function
from pgemu.nodes.primnodes import Value
from pgemu.types.arrays_value import dump_array, load_flat
from pgemu.types.base import BaseType, register_type
from pgemu.types.comparison import bind_comparisons
from pgemu.types.pqformat import Message

Lexemes = dict[str, list[int]]

MAX_POSITION = 16383
MAX_POSITIONS = 256
MAX_LEXEME = 2046
MAX_ENTRIES = 0x3FFFFFFF // 4
WEIGHTS = {"a": 3, "*": 3, "b": 2, "c": 1, "d": 0}
LETTERS = ("", "C", "B", "A")
OPERATORS = "!&|()"


class WordReader:
    """gettoken_tsvector: words of a tsvector's text, or of a tsquery's (in_query)."""

    def __init__(self, text: str, at: int = 0, *, in_query: bool = False) -> None:
        self.text = text
        self.at = at
        self.in_query = in_query

    def error(self) -> PgError:
        kind = "tsquery" if self.in_query else "tsvector"
        return PgError(SYNTAX_ERROR, f'syntax error in {kind}: "{self.text}"')

    @property
    def char(self) -> str:
        return self.text[self.at : self.at + 1]

    def word(self) -> tuple[str, list[int]] | None:
        """The next word and its positions; None at the end."""
        while self.char.isspace():
            self.at += 1
        if not self.char:
            return None
        if self.char == "'":
            self.at += 1
            return self.quoted()
        if self.in_query and self.char in OPERATORS:
            raise self.error()
        return self.bare()

    def escaped(self) -> str:
        self.at += 1
        if not self.char:
            raise PgError(SYNTAX_ERROR, f'there is no escaped character: "{self.text}"')
        self.at += 1
        return self.text[self.at - 1]

    def bare(self) -> tuple[str, list[int]]:
        out: list[str] = []
        while True:
            char = self.char
            if char == "\\":
                out.append(self.escaped())
                continue
            if not char or char.isspace() or (self.in_query and char in OPERATORS + "<"):
                if not out:
                    raise self.error()
                return "".join(out), []
            if char == ":":
                if not out:
                    raise self.error()
                if self.in_query:
                    return "".join(out), []
                self.at += 1
                return "".join(out), self.positions()
            out.append(char)
            self.at += 1

    def quoted(self) -> tuple[str, list[int]]:
        out: list[str] = []
        while True:
            char = self.char
            if not char:
                raise self.error()
            if char == "\\":
                out.append(self.escaped())
                continue
            self.at += 1
            if char != "'":
                out.append(char)
                continue
            if self.char == "'":
                out.append("'")
                self.at += 1
                continue
            break
        if not out:
            raise self.error()
        if not self.in_query and self.char == ":":
            self.at += 1
            return "".join(out), self.positions()
        return "".join(out), []

    def positions(self) -> list[int]:
        found: list[int] = []
        while True:
            start = self.at
            while self.char and self.char in "0123456789":
                self.at += 1
            if start == self.at:
                raise self.error()
            position = min(int(self.text[start : self.at]), MAX_POSITION)
            if position == 0:
                raise PgError(SYNTAX_ERROR, f'wrong position info in tsvector: "{self.text}"')
            weight = WEIGHTS.get(self.char.lower())
            if weight is not None:
                self.at += 1
                while self.char and self.char in "0123456789":
                    self.at += 1
                if self.char.lower() in WEIGHTS:
                    if weight:
                        raise self.error()
                    weight = WEIGHTS[self.char.lower()]
                    self.at += 1
            found.append(position * 4 + (weight or 0))
            if self.char == ",":
                self.at += 1
                continue
            if self.char and not self.char.isspace():
                raise self.error()
            return found


def unique_positions(positions: list[int]) -> list[int]:
    """Sorted, each position once with its greatest weight, at most MAX_POSITIONS."""
    best: dict[int, int] = {}
    for one in positions:
        best[one >> 2] = max(best.get(one >> 2, 0), one & 3)
    ordered = [position * 4 + best[position] for position in sorted(best)]
    if len(ordered) > MAX_POSITIONS:
        del ordered[MAX_POSITIONS - 1 : -1]
        ordered = ordered[:MAX_POSITIONS]
    return ordered


def quote_lexeme(lexeme: str) -> str:
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


def position_text(position: int) -> str:
    return f"{position >> 2}{LETTERS[position & 3]}"


def tsvector_text(lexemes: Lexemes) -> str:
    """The canonical text; lexemes may come in any order."""
    parts = []
    for lexeme in sorted(lexemes):
        positions = lexemes[lexeme]
        text = quote_lexeme(lexeme)
        if positions:
            text += ":" + ",".join(map(position_text, positions))
        parts.append(text)
    return " ".join(parts)


def parse_tsvector(text: str) -> Lexemes:
    reader = WordReader(text)
    found: Lexemes = {}
    while (word := reader.word()) is not None:
        lexeme, positions = word
        size = len(lexeme.encode())
        if size > MAX_LEXEME:
            raise PgError(
                PROGRAM_LIMIT_EXCEEDED,
                f"word is too long ({size} bytes, max {MAX_LEXEME} bytes)",
            )
        found.setdefault(lexeme, []).extend(positions)
    return {
        lexeme: unique_positions(positions) if positions else positions
        for lexeme, positions in sorted(found.items())
    }


@lru_cache(maxsize=4096)
def load_tsvector(value: str) -> Lexemes:
    """Of a storage value; not to be changed."""
    return parse_tsvector(value)


def compare_tsvector(a: str, b: str) -> int:
    """silly_cmp_tsvector: byte size, count, flags, then entries."""
    if a == b:
        return 0
    x, y = load_tsvector(a), load_tsvector(b)
    sizes = (stored_size(x), stored_size(y))
    if sizes[0] != sizes[1]:
        return -1 if sizes[0] < sizes[1] else 1
    if len(x) != len(y):
        return -1 if len(x) < len(y) else 1
    for (word1, at1), (word2, at2) in zip(x.items(), y.items(), strict=True):
        if bool(at1) != bool(at2):
            return -1 if len(at1) > len(at2) else 1
        if word1 != word2:
            return -1 if word1 < word2 else 1
        if len(at1) != len(at2):
            return -1 if len(at1) > len(at2) else 1
        for p, q in zip(at1, at2, strict=True):
            if p >> 2 != q >> 2:
                return -1 if p >> 2 > q >> 2 else 1
            if p & 3 != q & 3:
                return -1 if p & 3 > q & 3 else 1
    return 0


def stored_size(lexemes: Lexemes) -> int:
    """VARSIZE: header, one word per entry, the strings with aligned positions."""
    data = 0
    for lexeme, positions in lexemes.items():
        data += len(lexeme.encode())
        if positions:
            data += data & 1
            data += 2 + 2 * len(positions)
    return 8 + 4 * len(lexemes) + data


def received_positions(message: Message, number: int) -> list[int]:
    """Those of one lexeme, which must ascend."""
    positions: list[int] = []
    for _ in range(number):
        raw = message.integer(2, signed=False)
        position = (raw & 0x3FFF) * 4 + (raw >> 14)
        if positions and position >> 2 <= positions[-1] >> 2:
            raise PgError(INTERNAL_ERROR, "position information is misordered")
        positions.append(position)
    return positions


class TsvectorType(BaseType):
    name = "tsvector"
    collation = "tsvector_ops"

    def compare(self, a: Any, b: Any) -> int:
        return compare_tsvector(a, b)

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        return tsvector_text(parse_tsvector(text))

    def send(self, value: Any, ctx: CallContext) -> bytes:
        lexemes = load_tsvector(value)
        out = [struct.pack(">i", len(lexemes))]
        for lexeme, positions in lexemes.items():
            out.append(lexeme.encode() + b"\0" + struct.pack(">h", len(positions)))
            out += [struct.pack(">H", (p & 3) << 14 | p >> 2) for p in positions]
        return b"".join(out)

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> Value:
        message = Message(data)
        count = message.integer(4)
        if not 0 <= count <= MAX_ENTRIES:
            raise PgError(INTERNAL_ERROR, "invalid size of tsvector")
        lexemes: Lexemes = {}
        for _ in range(count):
            lexeme = message.string()
            number = message.integer(2, signed=False)
            if len(lexeme.encode()) > MAX_LEXEME:
                raise PgError(INTERNAL_ERROR, "invalid tsvector: lexeme too long")
            if number > MAX_POSITIONS:
                raise PgError(INTERNAL_ERROR, "unexpected number of tsvector positions")
            lexemes[lexeme] = received_positions(message, number)
        message.end()
        return tsvector_text(lexemes)


class GtsvectorType(BaseType):
    """The key of a GiST index: shown, never accepted."""

    name = "gtsvector"

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        raise PgError("0A000", "gtsvector_in not implemented")


register_type(TsvectorType(), GtsvectorType())
bind_comparisons("tsvector_", "tsvector,tsvector", compare_tsvector, cmp="tsvector_cmp")


pg_function("strip(tsvector)")(lambda v: tsvector_text({k: [] for k in load_tsvector(v)}))
pg_function("length(tsvector)")(lambda v: len(load_tsvector(v)))
pg_function("tsvector_to_array(tsvector)")(lambda v: dump_array(list(load_tsvector(v))))


def weight_of(letter: str, shown: str) -> int:
    weight = WEIGHTS.get(letter.lower()) if letter != "*" else None
    if weight is None:
        raise PgError("XX000", f"unrecognized weight: {shown}")
    return weight


@pg_function("setweight(tsvector,char)")
def tsvector_setweight(value: str, letter: str) -> str:
    weight = weight_of(letter, str(ord(letter or "\0")))
    return tsvector_text({k: [p & ~3 | weight for p in v] for k, v in load_tsvector(value).items()})


@pg_function("setweight(tsvector,char,_text)")
def tsvector_setweight_by_filter(value: str, letter: str, array: str) -> str:
    weight = weight_of(letter, letter)
    wanted = set(load_flat(array))
    return tsvector_text(
        {
            k: [p & ~3 | weight for p in v] if k in wanted else v
            for k, v in load_tsvector(value).items()
        }
    )


@pg_function("tsvector_concat(tsvector,tsvector)")
def tsvector_concat(a: str, b: str) -> str:
    """The positions of b follow the greatest of a."""
    first, second = load_tsvector(a), load_tsvector(b)
    shift = max((p >> 2 for v in first.values() for p in v), default=0)
    merged = {k: list(v) for k, v in first.items()}
    for lexeme, positions in second.items():
        kept = merged.setdefault(lexeme, [])
        for one in positions:
            if len(kept) >= MAX_POSITIONS or (kept and kept[-1] >> 2 == MAX_POSITION):
                break
            kept.append(min((one >> 2) + shift, MAX_POSITION) * 4 + (one & 3))
    return tsvector_text(merged)


@pg_function("ts_delete(tsvector,text)")
def tsvector_delete_str(value: str, lexeme: str) -> str:
    return tsvector_text({k: v for k, v in load_tsvector(value).items() if k != lexeme})


@pg_function("ts_delete(tsvector,_text)")
def tsvector_delete_arr(value: str, array: str) -> str:
    unwanted = set(load_flat(array))
    return tsvector_text({k: v for k, v in load_tsvector(value).items() if k not in unwanted})


@pg_function("ts_filter(tsvector,_char)")
def tsvector_filter(value: str, array: str) -> str:
    wanted = set()
    for letter in load_flat(array):
        if letter is None:
            raise PgError(NULL_VALUE_NOT_ALLOWED, "weight array may not contain nulls")
        weight = WEIGHTS.get(letter.lower()) if letter != "*" else None
        if weight is None:
            raise PgError(INVALID_PARAMETER_VALUE, f'unrecognized weight: "{letter}"')
        wanted.add(weight)
    kept = {k: [p for p in v if p & 3 in wanted] for k, v in load_tsvector(value).items()}
    return tsvector_text({k: v for k, v in kept.items() if v})


@pg_function("array_to_tsvector(_text)")
def array_to_tsvector(array: str) -> str:
    values = load_flat(array)
    if None in values:
        raise PgError(NULL_VALUE_NOT_ALLOWED, "lexeme array may not contain nulls")
    if "" in values:
        raise PgError(ZERO_LENGTH_CHARACTER_STRING, "lexeme array may not contain empty strings")
    return tsvector_text({v: [] for v in values})


@pg_function("unnest(tsvector)")
def tsvector_unnest(value: str) -> Iterator[tuple[str, str | None, str | None]]:
    for lexeme, positions in load_tsvector(value).items():
        if positions:
            weights = ["DCBA"[p & 3] for p in positions]
            yield lexeme, dump_array([p >> 2 for p in positions]), dump_array(weights)
        else:
            yield lexeme, None, None
