"""The plan cache of a backend (PostgreSQL's plancache.c, but for texts too).

Two kinds of entries: prepared statements keep their plan; simple queries are looked up by the
shape of their text (literals.py), so that an ORM's next `WHERE id = 43` finds the plan of
`WHERE id = 42` and only converts the literal.  A plan is good while the catalog version and the
epoch of the settings are those it was made under.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pgemu.errors import INVALID_ESCAPE_SEQUENCE, PgError
from pgemu.nodes.primnodes import Value
from pgemu.planner.calls import like_to_glob
from pgemu.planner.lowering import MAX_PARAMETERS
from pgemu.planner.plan import LiteralParam, Plan
from pgemu.tcop.literals import Shape, cut, joined_strings, string_value

MAX_ENTRIES = 1000
Converter = Callable[[str], Value]


@dataclass(slots=True)
class CachedStatement:
    """A statement ready to run: bindings come from the literals through `converters`, one
    (literal number, converter) per SQLite parameter; a converter None means a fixed value."""

    plan: Plan
    converters: list[tuple[int, Converter]] = field(default_factory=list)
    row_description: bytes = b""
    encoders: list[Any] = field(default_factory=list)
    version: int = 0
    text_format_epoch: int = -1
    query: Any = None  # of a statement without FROM: an error asks whether constants were folded


@dataclass(slots=True)
class _Entry:
    """All statements of one shape; `kept` are the numbers of the literals whose text is part of
    the identity (analysis looked at them)."""

    kept: tuple[int, ...]
    by_kept: dict[tuple[str, ...], CachedStatement] = field(default_factory=dict)


class PlanCache:
    """Simple-query statements by shape."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self._entries: dict[tuple[str, int], _Entry] = {}
        self.hits = 0

    def find(self, shape: Shape, epoch: int, version: int) -> CachedStatement | None:
        entry = self._entries.get((shape.key, epoch))
        if entry is None:
            return None
        literals = shape.literals
        found = entry.by_kept.get(tuple([literals[n] for n in entry.kept]) if entry.kept else ())
        if found is None or found.version != version:
            return None
        self.hits += 1
        return found

    def keeps(self, shape: Shape, epoch: int) -> bool:
        """Some literals of this shape belong to the identity of its statements."""
        entry = self._entries.get((shape.key, epoch))
        return entry is not None and bool(entry.kept)

    def store(self, shape: Shape, epoch: int, version: int, plan: Plan) -> CachedStatement | None:
        """Remember a plan just made for this text; None if it cannot serve other literals."""
        if joined_strings(shape) or plan.steps or len(plan.params) >= MAX_PARAMETERS:
            return None
        by_location = _literals_by_location(shape)
        converters: list[tuple[int, Converter]] = []
        free: set[int] = set()
        for source in plan.params:
            if not isinstance(source, LiteralParam):
                return None
            number = by_location.get(source.location)
            converter = self._converter(shape, number, source)
            if number is None or converter is None:
                value = source.value
                converters.append((0, lambda _text, v=value: v))  # type: ignore[misc]
                continue
            free.add(number)
            converters.append((number, converter))
        if not shape.literals and converters:
            return None
        kept = tuple(n for n in range(len(shape.literals)) if n not in free)
        if len(self._entries) >= MAX_ENTRIES:
            self._entries.clear()
        entry = self._entries.get((shape.key, epoch))
        if entry is None or entry.kept != kept:
            entry = self._entries[(shape.key, epoch)] = _Entry(kept)
        elif len(entry.by_kept) > MAX_ENTRIES:
            entry.by_kept.clear()
        cached = CachedStatement(plan, converters, version=version)
        entry.by_kept[tuple(shape.literals[n] for n in kept)] = cached
        return cached

    def _converter(
        self, shape: Shape, number: int | None, source: LiteralParam
    ) -> Converter | None:
        """From a literal's source text to the value of the parameter; None where it would not
        reproduce the value that analysis found."""
        if number is None:
            return None
        literal = shape.literals[number]
        negative = _is_negated(shape, number, source)
        convert = self._make(literal, source, negative)
        try:
            same = convert(literal) == source.value
        except PgError:
            return None
        return convert if same else None

    def _make(self, literal: str, source: LiteralParam, negative: bool) -> Converter:
        session = self.session
        io = session.catalog.types.io(source.type_oid)
        read, typmod, ctx = io.input, source.typmod, session.ctx
        if literal[0] == "'":
            if source.as_glob:
                return _glob_value
            if io.name in ("text", "unknown", "varchar") and typmod < 0:
                return string_value
            return lambda text: read(string_value(text), typmod, ctx)
        if io.name in ("int2", "int4", "int8"):
            return (lambda text: -int(text)) if negative else int
        sign = "-" if negative else ""
        return lambda text: read(sign + text, typmod, ctx)


def _glob_value(text: str) -> str:
    glob = like_to_glob(string_value(text))
    if glob is None:
        raise PgError(INVALID_ESCAPE_SEQUENCE, "LIKE pattern must not end with escape character")
    return glob


def _literals_by_location(shape: Shape) -> dict[int, int]:
    """Byte offset, as the parse tree counts, -> number of the literal.  A negative number's
    location is that of its sign, so the sign before a number counts as its start too."""
    text = shape.text
    plain = text.isascii()
    found: dict[int, int] = {}
    for number, start in enumerate(shape.starts()):
        offset = start if plain else len(text[:start].encode())
        found[offset] = number
        before = text[:start].rstrip()
        if before.endswith("-") and shape.literals[number][0] != "'":
            sign = len(before) - 1
            found[sign if plain else len(text[:sign].encode())] = number
    return found


def _is_negated(shape: Shape, number: int, source: LiteralParam) -> bool:
    start = shape.starts()[number]
    offset = start if shape.text.isascii() else len(shape.text[:start].encode())
    return source.location != offset


def shape_of(text: str) -> Shape | None:
    return cut(text)
