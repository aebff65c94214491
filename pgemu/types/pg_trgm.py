"""The extension pg_trgm: similarity of texts by their trigrams (PostgreSQL: contrib/pg_trgm).

A trigram is three bytes: the characters, where they are ASCII, else bytes of their CRC.  There is
no index support: the operators are computed.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence

from pgemu.errors import INVALID_PARAMETER_VALUE, PgError
from pgemu.fmgr import CallContext, pg_function
from pgemu.types.arrays_value import dump_array
from pgemu.types.base import BaseType, register_type

_WORD = re.compile(r"[^\W_]+")
_MASK = 0xFFFFFFFF


class GtrgmType(BaseType):
    """The key type of the GiST operator class; it has no values."""

    name = "gtrgm"


register_type(GtrgmType())


def _crc_table() -> tuple[int, ...]:
    table = []
    for number in range(256):
        for _ in range(8):
            number = (number >> 1) ^ (0xEDB88320 if number & 1 else 0)
        table.append(number)
    return tuple(table)


_CRC = _crc_table()


def _legacy_crc32(data: bytes) -> int:
    """PostgreSQL's first CRC-32: the table of the reflected polynomial, used unreflected."""
    crc = _MASK
    for byte in data:
        crc = _CRC[(crc >> 24) ^ byte] ^ (crc << 8 & _MASK)
    return crc ^ _MASK


def _compact(letters: str) -> bytes:
    data = letters.encode()
    return data if len(data) == 3 else struct.pack("<I", _legacy_crc32(data))[:3]


def trigrams(text: str) -> tuple[list[bytes], list[tuple[bool, bool]]]:
    """generate_trgm_only: all trigrams in order, and which are the first and last of a word."""
    found: list[bytes] = []
    bounds: list[tuple[bool, bool]] = []
    for match in _WORD.finditer(text):
        padded = f"  {match[0].lower()} "
        last = len(padded) - 3
        for i in range(last + 1):
            found.append(_compact(padded[i : i + 3]))
            bounds.append((i == 0, i == last))
    return found, bounds


def float4(value: float) -> float:
    return float(struct.unpack("f", struct.pack("f", value))[0])


def _ratio(common: int, first: int, second: int) -> float:
    """CALCSML: the shared part of the union."""
    return float4(common / (first + second - common)) if first + second - common else 0.0


def similarity(a: str, b: str) -> float:
    first, second = set(trigrams(a)[0]), set(trigrams(b)[0])
    if not first or not second:
        return 0.0
    return _ratio(len(first & second), len(first), len(second))


class _Extent:
    """A run of the second text's trigrams, whose bounds move to the greatest similarity
    (iterate_word_similarity)."""

    def __init__(
        self, wanted: set[bytes], text: Sequence[bytes], bounds: Sequence[tuple[bool, bool]] | None
    ) -> None:
        self.wanted = wanted
        self.text = text
        self.bounds = bounds  # only of strict_word_similarity: extents begin and end at words
        self.lower = -1 if bounds is None else 0
        self.last: dict[bytes, int] = {}
        self.count = self.distinct = 0

    def best(self) -> float:
        greatest = 0.0
        for i, trigram in enumerate(self.text):
            known = trigram in self.wanted
            if self.lower >= 0 or known:
                if trigram not in self.last:
                    self.distinct += 1
                    self.count += known
                self.last[trigram] = i
            if known if self.bounds is None else self.bounds[i][1]:
                if self.lower == -1:
                    self.lower, self.distinct = i, 1
                greatest = max(greatest, self._move_lower(i))
        return greatest

    def _move_lower(self, upper: int) -> float:
        current = _ratio(self.count, len(self.wanted), self.distinct)
        count, distinct, start = self.count, self.distinct, self.lower
        for at in range(start, upper + 1):
            if self.bounds is None or self.bounds[at][0]:
                tried = _ratio(count, len(self.wanted), distinct)
                if tried > current:
                    current = tried
                    self.distinct, self.lower, self.count = distinct, at, count
            trigram = self.text[at]
            if self.last.get(trigram) == at:
                distinct -= 1
                count -= trigram in self.wanted
        for at in range(start, self.lower):
            if self.last.get(self.text[at]) == at:
                del self.last[self.text[at]]
        return current


def word_similarity(a: str, b: str) -> float:
    text, _ = trigrams(b)
    return _Extent(set(trigrams(a)[0]), text, None).best()


def strict_word_similarity(a: str, b: str) -> float:
    return _Extent(set(trigrams(a)[0]), *trigrams(b)).best()


def _shown(trigram: bytes) -> str:
    if all(byte < 128 and (chr(byte).isalnum() or byte == 32) for byte in trigram):
        return trigram.decode()
    return f"0x{trigram.hex()}"


@pg_function("show_trgm(text)")
def show_trgm(text: str) -> str:
    found = sorted(set(trigrams(text)[0]), key=lambda t: struct.unpack("3b", t))
    return dump_array([_shown(t) for t in found])


_DEFAULTS = {
    "similarity_threshold": 0.3,
    "word_similarity_threshold": 0.6,
    "strict_word_similarity_threshold": 0.5,
}


def _threshold(ctx: CallContext, name: str) -> float:
    text = ctx.guc.get_missing_ok(f"pg_trgm.{name}") if ctx.guc is not None else None
    return float4(float(text)) if text else _DEFAULTS[name]


@pg_function("show_limit()", context=True)
def show_limit(ctx: CallContext) -> float:
    return float4(_threshold(ctx, "similarity_threshold"))


@pg_function("set_limit(float4)", context=True)
def set_limit(ctx: CallContext, limit: float) -> float:
    if not 0 <= limit <= 1:
        raise PgError(
            INVALID_PARAMETER_VALUE,
            f"{limit:g} is outside the valid range for parameter "
            '"pg_trgm.similarity_threshold" (0 .. 1)',
        )
    ctx.guc.set("pg_trgm.similarity_threshold", f"{limit:.6g}")
    return limit


Measure = Callable[[str, str], float]


def _bind(name: str, measure: Measure, threshold: str, *, commutator: bool) -> None:
    """One measure's function, its operators against a threshold, and its distances."""

    def reaches(ctx: CallContext, a: str, b: str) -> bool:
        return measure(a, b) >= _threshold(ctx, threshold)

    def reached(ctx: CallContext, a: str, b: str) -> bool:
        return reaches(ctx, b, a)

    pg_function(f"{name}(text, text)")(measure)
    pg_function(f"{name}_op(text, text)", context=True)(reaches)
    distance = f"{name}_dist_op" if commutator else f"{name}_dist"
    pg_function(f"{distance}(text, text)")(lambda a, b: float4(1 - measure(a, b)))
    if commutator:
        pg_function(f"{name}_commutator_op(text, text)", context=True)(reached)
        pg_function(f"{name}_dist_commutator_op(text, text)")(
            lambda a, b: float4(1 - measure(b, a))
        )


_bind("similarity", similarity, "similarity_threshold", commutator=False)
_bind("word_similarity", word_similarity, "word_similarity_threshold", commutator=True)
_bind(
    "strict_word_similarity",
    strict_word_similarity,
    "strict_word_similarity_threshold",
    commutator=True,
)
