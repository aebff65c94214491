"""Range and multirange types: values, I/O, canonical form (PostgreSQL: rangetypes.c,
multirangetypes.c).

A range is the JSON list [lower, upper, flags]; an infinite bound is null, the empty range has
the flags "empty".  A multirange is the JSON list of its ranges, sorted and merged.
"""

from __future__ import annotations

import json
import re
import struct
from functools import cmp_to_key
from typing import Any, NamedTuple

from pgemu.errors import (
    DATA_EXCEPTION,
    DATETIME_VALUE_OUT_OF_RANGE,
    INVALID_TEXT_REPRESENTATION,
    NUMERIC_VALUE_OUT_OF_RANGE,
    PgError,
)
from pgemu.fmgr import CallContext
from pgemu.types.base import BaseType
from pgemu.types.pqformat import Message, getmsgend

SPACE = " \t\n\v\f\r"
# bits of the binary form
EMPTY, LB_INC, UB_INC, LB_INF, UB_INF = 1, 2, 4, 8, 16


class Range(NamedTuple):
    lower: Any
    upper: Any
    lower_inc: bool
    upper_inc: bool
    empty: bool = False

    def stored(self) -> str:
        return json.dumps(self.as_list(), separators=(",", ":"), ensure_ascii=False)

    def as_list(self) -> list[Any]:
        if self.empty:
            return [None, None, "empty"]
        flags = ("[" if self.lower_inc else "(") + ("]" if self.upper_inc else ")")
        return [self.lower, self.upper, flags]


EMPTY_RANGE = Range(None, None, False, False, True)


def from_list(value: list[Any]) -> Range:
    lower, upper, flags = value
    if flags == "empty":
        return EMPTY_RANGE
    return Range(lower, upper, flags[0] == "[", flags[1] == "]")


def load_range(text: str) -> Range:
    return from_list(json.loads(text))


def load_multirange(text: str) -> list[Range]:
    return [from_list(one) for one in json.loads(text)]


def dump_multirange(ranges: list[Range]) -> str:
    return json.dumps([r.as_list() for r in ranges], separators=(",", ":"), ensure_ascii=False)


def malformed(text: str, detail: str, what: str = "range") -> PgError:
    return PgError(
        INVALID_TEXT_REPRESENTATION, f'malformed {what} literal: "{text}"', detail=detail
    )


class RangeType(BaseType):
    """Ranges over one subtype."""

    collation = "range_ops"

    def __init__(self, name: str, subtype: BaseType) -> None:
        self.name = name
        self.subtype = subtype
        self.discrete = name in ("int4range", "int8range", "daterange")

    # ---- bounds: (value, inclusive, is_lower); value None is infinite

    def compare_bounds(
        self, a: Any, a_inc: bool, a_lower: bool, b: Any, b_inc: bool, b_lower: bool
    ) -> int:
        if a is None or b is None:
            if a is None and b is None:
                return 0 if a_lower == b_lower else (-1 if a_lower else 1)
            if a is None:
                return -1 if a_lower else 1
            return 1 if b_lower else -1
        order = self.subtype.compare(a, b)
        if order:
            return order
        if not a_inc and not b_inc:
            return 0 if a_lower == b_lower else (1 if a_lower else -1)
        if not a_inc:
            return 1 if a_lower else -1
        if not b_inc:
            return -1 if b_lower else 1
        return 0

    def lowers(self, a: Range, b: Range) -> int:
        return self.compare_bounds(a.lower, a.lower_inc, True, b.lower, b.lower_inc, True)

    def uppers(self, a: Range, b: Range) -> int:
        return self.compare_bounds(a.upper, a.upper_inc, False, b.upper, b.upper_inc, False)

    def lower_upper(self, a: Range, b: Range) -> int:
        return self.compare_bounds(a.lower, a.lower_inc, True, b.upper, b.upper_inc, False)

    def upper_lower(self, a: Range, b: Range) -> int:
        return -self.lower_upper(b, a)

    def compare_ranges(self, a: Range, b: Range) -> int:
        if a.empty or b.empty:
            return int(b.empty) - int(a.empty)
        return self.lowers(a, b) or self.uppers(a, b)

    def compare(self, a: Any, b: Any) -> int:
        return 0 if a == b else self.compare_ranges(load_range(a), load_range(b))

    def hash_key(self, value: Any) -> Any:
        r = load_range(value)
        key = self.subtype.hash_key
        lower = None if r.lower is None else key(r.lower)
        upper = None if r.upper is None else key(r.upper)
        return lower, upper, r.lower_inc, r.upper_inc, r.empty

    def make(self, lower: Any, upper: Any, lower_inc: bool, upper_inc: bool) -> Range:
        """make_range: order checked, emptiness found, canonical."""
        if lower is None:
            lower_inc = False
        if upper is None:
            upper_inc = False
        if lower is not None and upper is not None:
            order = self.subtype.compare(lower, upper)
            if order > 0:
                raise PgError(
                    DATA_EXCEPTION,
                    "range lower bound must be less than or equal to range upper bound",
                )
            if order == 0 and not (lower_inc and upper_inc):
                return EMPTY_RANGE
        if self.discrete:
            return self.canonical(lower, upper, lower_inc, upper_inc)
        return Range(lower, upper, lower_inc, upper_inc)

    def canonical(self, lower: Any, upper: Any, lower_inc: bool, upper_inc: bool) -> Range:
        infinite = (2**31 - 1, -(2**31)) if self.name == "daterange" else ()
        if lower is not None and not lower_inc and lower not in infinite:
            lower, lower_inc = self.next_value(lower), True
        if upper is not None and upper_inc and upper not in infinite:
            upper, upper_inc = self.next_value(upper), False
        if (
            lower is not None
            and upper is not None
            and lower_inc
            and not upper_inc
            and lower >= upper
        ):
            return EMPTY_RANGE
        return Range(lower, upper, lower_inc, upper_inc)

    def next_value(self, value: int) -> int:
        if self.name == "int4range" and value == 2**31 - 1:
            raise PgError(NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range")
        if self.name == "int8range" and value == 2**63 - 1:
            raise PgError(NUMERIC_VALUE_OUT_OF_RANGE, "bigint out of range")
        if self.name == "daterange" and value + 1 + 2451545 >= 2147483494:
            raise PgError(DATETIME_VALUE_OUT_OF_RANGE, "date out of range")
        return value + 1

    # ---- text

    def parse(self, text: str, ctx: CallContext) -> Range:
        body = text.strip(SPACE)
        if body.lower() == "empty":
            return EMPTY_RANGE
        if body.lower().startswith("empty"):
            raise malformed(text, 'Junk after "empty" key word.')
        if body[:1] not in ("[", "("):
            raise malformed(text, "Missing left parenthesis or bracket.")
        lower, at = parse_bound(text, text.index(body[0]) + 1)
        if text[at : at + 1] != ",":
            raise malformed(text, "Missing comma after lower bound.")
        upper, at = parse_bound(text, at + 1)
        close = text[at : at + 1]
        if close == ",":
            raise malformed(text, "Too many commas.")
        if close not in ("]", ")"):
            raise malformed(text, "Unexpected end of input.")
        if text[at + 1 :].strip(SPACE):
            raise malformed(text, "Junk after right parenthesis or bracket.")
        read = self.subtype.input
        return self.make(
            None if lower is None else read(lower, -1, ctx),
            None if upper is None else read(upper, -1, ctx),
            body[0] == "[",
            close == "]",
        )

    def input(self, text: str, typmod: int, ctx: CallContext) -> str:
        return self.parse(text, ctx).stored()

    def show(self, r: Range, ctx: CallContext) -> str:
        if r.empty:
            return "empty"
        write = self.subtype.output
        lower = "" if r.lower is None else quote_bound(write(r.lower, ctx))
        upper = "" if r.upper is None else quote_bound(write(r.upper, ctx))
        return f"{'[' if r.lower_inc else '('}{lower},{upper}{']' if r.upper_inc else ')'}"

    def output(self, value: Any, ctx: CallContext) -> str:
        return self.show(load_range(value), ctx)

    # ---- binary

    def pack(self, r: Range, ctx: CallContext) -> bytes:
        if r.empty:
            return bytes([EMPTY])
        flags = (LB_INC if r.lower_inc else 0) | (UB_INC if r.upper_inc else 0)
        flags |= (LB_INF if r.lower is None else 0) | (UB_INF if r.upper is None else 0)
        out = bytes([flags])
        for bound in (r.lower, r.upper):
            if bound is not None:
                data = self.subtype.send(bound, ctx)
                out += struct.pack("!i", len(data)) + data
        return out

    def send(self, value: Any, ctx: CallContext) -> bytes:
        return self.pack(load_range(value), ctx)

    def unpack(self, data: bytes, ctx: CallContext) -> Range:
        message = Message(data)
        flags = message.byte()
        bounds: list[Any] = []
        for infinite in (LB_INF, UB_INF):
            if flags & (infinite | EMPTY):
                bounds.append(None)
            else:
                bounds.append(self.subtype.recv(message.take(message.integer(4)), -1, ctx))
        getmsgend(message)
        if flags & EMPTY:
            return EMPTY_RANGE
        return self.make(bounds[0], bounds[1], bool(flags & LB_INC), bool(flags & UB_INC))

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> str:
        return self.unpack(data, ctx).stored()

    # ---- set operations

    def overlaps(self, a: Range, b: Range) -> bool:
        if a.empty or b.empty:
            return False
        return self.lower_upper(a, b) <= 0 and self.lower_upper(b, a) <= 0

    def contains(self, a: Range, b: Range) -> bool:
        if b.empty:
            return True
        return not a.empty and self.lowers(a, b) <= 0 and self.uppers(a, b) >= 0

    def contains_elem(self, a: Range, value: Any) -> bool:
        if a.empty:
            return False
        compare = self.subtype.compare
        if a.lower is not None:
            order = compare(a.lower, value)
            if order > 0 or (order == 0 and not a.lower_inc):
                return False
        if a.upper is not None:
            order = compare(a.upper, value)
            if order < 0 or (order == 0 and not a.upper_inc):
                return False
        return True

    def before(self, a: Range, b: Range) -> bool:
        return not a.empty and not b.empty and self.upper_lower(a, b) < 0

    def overleft(self, a: Range, b: Range) -> bool:
        return not a.empty and not b.empty and self.uppers(a, b) <= 0

    def overright(self, a: Range, b: Range) -> bool:
        return not a.empty and not b.empty and self.lowers(a, b) >= 0

    def touches(self, upper: Any, upper_inc: bool, lower: Any, lower_inc: bool) -> bool:
        """bounds_adjacent: nothing lies between an upper bound and a lower bound."""
        if upper is None or lower is None:
            return False
        order = self.subtype.compare(upper, lower)
        if order == 0:
            return upper_inc != lower_inc
        if order > 0 or not self.discrete:
            return False
        return self.make(upper, lower, not upper_inc, not lower_inc).empty

    def adjacent(self, a: Range, b: Range) -> bool:
        if a.empty or b.empty:
            return False
        return self.touches(a.upper, a.upper_inc, b.lower, b.lower_inc) or self.touches(
            b.upper, b.upper_inc, a.lower, a.lower_inc
        )

    def intersect(self, a: Range, b: Range) -> Range:
        if not self.overlaps(a, b):
            return EMPTY_RANGE
        low = a if self.lowers(a, b) >= 0 else b
        high = a if self.uppers(a, b) <= 0 else b
        return self.make(low.lower, high.upper, low.lower_inc, high.upper_inc)

    def union(self, a: Range, b: Range, *, strict: bool = True) -> Range:
        if a.empty or b.empty:
            return b if a.empty else a
        if strict and not (self.overlaps(a, b) or self.adjacent(a, b)):
            raise PgError(DATA_EXCEPTION, "result of range union would not be contiguous")
        low = a if self.lowers(a, b) < 0 else b
        high = a if self.uppers(a, b) > 0 else b
        return self.make(low.lower, high.upper, low.lower_inc, high.upper_inc)

    def minus_parts(self, a: Range, b: Range) -> list[Range]:
        """a without b: none, one or two ranges."""
        if a.empty or not self.overlaps(a, b):
            return [] if a.empty else [a]
        parts: list[Range] = []
        if self.lowers(a, b) < 0:
            parts.append(self.make(a.lower, b.lower, a.lower_inc, not b.lower_inc))
        if self.uppers(a, b) > 0:
            parts.append(self.make(b.upper, a.upper, not b.upper_inc, a.upper_inc))
        return [p for p in parts if not p.empty]

    def normalize(self, ranges: list[Range]) -> list[Range]:
        """Sorted, empty ones dropped, overlapping and adjacent ones merged."""
        ordered = sorted((r for r in ranges if not r.empty), key=cmp_to_key(self.compare_ranges))
        merged: list[Range] = []
        for one in ordered:
            if merged and (self.overlaps(merged[-1], one) or self.adjacent(merged[-1], one)):
                merged[-1] = self.union(merged[-1], one)
            else:
                merged.append(one)
        return merged


def parse_bound(text: str, at: int) -> tuple[str | None, int]:
    """One bound's text (None: infinite) and where it ends."""
    if text[at : at + 1] in (",", ")", "]") and at < len(text):
        return None, at
    out: list[str] = []
    quoted = False
    while quoted or text[at : at + 1] not in (",", ")", "]"):
        if at >= len(text):
            raise malformed(text, "Unexpected end of input.")
        char = text[at]
        at += 1
        if char == "\\":
            if at >= len(text):
                raise malformed(text, "Unexpected end of input.")
            out.append(text[at])
            at += 1
        elif char == '"':
            if not quoted:
                quoted = True
            elif text[at : at + 1] == '"':
                out.append('"')
                at += 1
            else:
                quoted = False
        else:
            out.append(char)
    return "".join(out), at


_BOUND_QUOTE = re.compile(r'["\\()\[\],\s]')


def quote_bound(text: str) -> str:
    if text and not _BOUND_QUOTE.search(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '""') + '"'


class MultirangeType(BaseType):
    """Multiranges over one range type."""

    collation = "multirange_ops"

    def __init__(self, name: str, inner: RangeType) -> None:
        self.name = name
        self.range = inner

    def compare(self, a: Any, b: Any) -> int:
        if a == b:
            return 0
        left, right = load_multirange(a), load_multirange(b)
        for x, y in zip(left, right, strict=False):
            order = self.range.compare_ranges(x, y)
            if order:
                return order
        return len(left) - len(right)

    def hash_key(self, value: Any) -> Any:
        return tuple(self.range.hash_key(r.stored()) for r in load_multirange(value))

    def input(self, text: str, typmod: int, ctx: CallContext) -> str:
        body = text.strip(SPACE)
        if not body.startswith("{"):
            raise malformed(text, "Missing left brace.", "multirange")
        ranges: list[Range] = []
        at = text.index("{") + 1
        first = True
        while True:
            at += len(text[at:]) - len(text[at:].lstrip(SPACE))
            char = text[at : at + 1]
            if not char:
                raise malformed(text, "Unexpected end of input.", "multirange")
            if char == "}" and (first or ranges):
                break
            if not first:
                if char != ",":
                    raise malformed(text, "Expected comma or end of multirange.", "multirange")
                at += 1
                at += len(text[at:]) - len(text[at:].lstrip(SPACE))
            end = self.range_end(text, at)
            ranges.append(self.range.parse(text[at:end], ctx))
            at, first = end, False
        if text[at + 1 :].strip(SPACE):
            raise malformed(text, "Junk after closing right brace.", "multirange")
        return dump_multirange(self.range.normalize(ranges))

    def range_end(self, text: str, at: int) -> int:
        if text[at : at + 5].lower() == "empty":
            return at + 5
        if text[at : at + 1] not in ("[", "("):
            raise malformed(text, "Expected range start.", "multirange")
        quoted = False
        while at < len(text):
            char = text[at]
            if char == "\\":
                at += 1
            elif char == '"':
                quoted = not quoted
            elif char in ")]" and not quoted:
                return at + 1
            at += 1
        raise malformed(text, "Unexpected end of input.", "multirange")

    def output(self, value: Any, ctx: CallContext) -> str:
        return "{" + ",".join(self.range.show(r, ctx) for r in load_multirange(value)) + "}"

    def send(self, value: Any, ctx: CallContext) -> bytes:
        ranges = load_multirange(value)
        out = struct.pack("!i", len(ranges))
        for one in ranges:
            data = self.range.pack(one, ctx)
            out += struct.pack("!i", len(data)) + data
        return out

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> str:
        message = Message(data)
        ranges = [
            self.range.unpack(message.take(message.integer(4)), ctx)
            for _ in range(message.integer(4, signed=False))
        ]
        getmsgend(message)
        return dump_multirange(self.range.normalize(ranges))
