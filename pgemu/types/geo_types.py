"""point, lseg, path, box, polygon, line, circle: text and binary I/O (PostgreSQL: geo_ops.c's
*_in, *_out, *_recv, *_send).

One Reader walks the text as path_decode and pair_decode do, so that odd spellings are accepted
and refused alike.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import Any

from pgemu.errors import (
    INVALID_BINARY_REPRESENTATION,
    INVALID_TEXT_REPRESENTATION,
    NUMERIC_VALUE_OUT_OF_RANGE,
    PgError,
)
from pgemu.fmgr import CallContext
from pgemu.nodes.primnodes import Value
from pgemu.types.base import BaseType, register_type
from pgemu.types.float import FLOAT8, nan_text
from pgemu.types.geo_calc import box_construct, line_construct, point_eq, point_slope
from pgemu.types.geo_values import (
    READERS,
    Box,
    Circle,
    Line,
    Lseg,
    Path,
    Point,
    Polygon,
    float8_lt,
    fp_zero,
    geometry_text,
)
from pgemu.types.pqformat import Message, check_length, insufficient_data

SPACES = " \t\n\v\f\r"
NUMBER = re.compile(
    r"[+-]?(?:nan(?:\([0-9a-z_]*\))?|inf(?:inity)?|0x(?:[0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)"
    r"(?:p[+-]?[0-9]+)?|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?)",
    re.IGNORECASE,
)


class Reader:
    """A place in the text of one geometric value."""

    def __init__(self, text: str, type_name: str) -> None:
        self.text = text
        self.type_name = type_name
        self.at = 0

    def bad(self) -> PgError:
        return PgError(
            INVALID_TEXT_REPRESENTATION,
            f'invalid input syntax for type {self.type_name}: "{self.text}"',
        )

    @property
    def char(self) -> str:
        return self.text[self.at : self.at + 1]

    def skip(self) -> None:
        while self.char and self.char in SPACES:
            self.at += 1

    def take(self, char: str) -> bool:
        """Step over the character if it is next."""
        if self.char != char:
            return False
        self.at += 1
        return True

    def expect(self, char: str) -> None:
        if not self.take(char):
            raise self.bad()

    def end(self) -> None:
        if self.char:
            raise self.bad()

    def single(self) -> float:
        self.skip()
        match = NUMBER.match(self.text, self.at)
        if match is None:
            raise self.bad()
        self.at = match.end()
        body = match[0].lower()
        if "n" in body:
            value = float("nan") if "nan" in body else float(body)
        else:
            value = float.fromhex(body) if "x" in body else float(body)
            digits = body.partition("p" if "x" in body else "e")[0].partition("x")
            zero = value == 0.0 and re.search("[1-9a-f]", digits[2] or digits[0])
            if zero or abs(value) == float("inf"):
                raise PgError(
                    NUMERIC_VALUE_OUT_OF_RANGE,
                    f'"{match[0]}" is out of range for type double precision',
                )
        self.skip()
        return value

    def pair(self) -> Point:
        self.skip()
        parenthesis = self.take("(")
        x = self.single()
        self.expect(",")
        y = self.single()
        if parenthesis:
            self.expect(")")
            self.skip()
        return Point(x, y)

    def points(self, count: int, brackets: bool) -> tuple[bool, tuple[Point, ...]]:
        """path_decode: (written with brackets, the points)."""
        depth = 0
        self.skip()
        is_open = self.char == "["
        if is_open:
            if not brackets:
                raise self.bad()
            depth += 1
            self.at += 1
        elif self.char == "(":
            inner = self.at + 1
            while self.text[inner : inner + 1] and self.text[inner] in SPACES:
                inner += 1
            if self.text[inner : inner + 1] == "(" or self.text.rfind("(") == self.at:
                depth += 1
                self.at = inner
        found = []
        for _ in range(count):
            found.append(self.pair())
            self.take(",")
        while depth > 0:
            if self.char == ")" or (self.char == "]" and is_open and depth == 1):
                depth -= 1
                self.at += 1
                self.skip()
            else:
                raise self.bad()
        return is_open, tuple(found)

    def count(self) -> int:
        """pair_count: how many points the commas promise."""
        commas = self.text.count(",")
        if commas % 2 == 0:
            raise self.bad()
        return (commas + 1) // 2


def point_in(text: str) -> Point:
    reader = Reader(text, "point")
    found = reader.pair()
    reader.end()
    return found


def lseg_in(text: str) -> Lseg:
    reader = Reader(text, "lseg")
    found = reader.points(2, True)[1]
    reader.end()
    return Lseg(*found)


def box_in(text: str) -> Box:
    reader = Reader(text, "box")
    high, low = reader.points(2, False)[1]
    reader.end()
    x = (low.x, high.x) if float8_lt(high.x, low.x) else (high.x, low.x)
    y = (low.y, high.y) if float8_lt(high.y, low.y) else (high.y, low.y)
    return Box(Point(x[0], y[0]), Point(x[1], y[1]))


def invalid_line(why: str) -> PgError:
    return PgError(INVALID_TEXT_REPRESENTATION, f"invalid line specification: {why}")


def line_in(text: str) -> Line:
    reader = Reader(text, "line")
    reader.skip()
    if reader.take("{"):
        a = reader.single()
        reader.expect(",")
        b = reader.single()
        reader.expect(",")
        c = reader.single()
        reader.expect("}")
        reader.skip()
        reader.end()
        if fp_zero(a) and fp_zero(b):
            raise invalid_line("A and B cannot both be zero")
        return Line(a, b, c)
    one, two = reader.points(2, True)[1]
    reader.end()
    if point_eq(one, two):
        raise invalid_line("must be two distinct points")
    return line_construct(one, point_slope(one, two))


def path_in(text: str) -> Path:
    reader = Reader(text, "path")
    count = reader.count()
    reader.skip()
    lone = reader.char == "(" and text.rfind("(") == reader.at
    if lone:
        reader.at += 1
    is_open, points = reader.points(count, True)
    if lone:
        reader.expect(")")
        reader.skip()
    reader.end()
    return Path(not is_open, points)


def polygon_in(text: str) -> Polygon:
    reader = Reader(text, "polygon")
    points = reader.points(reader.count(), False)[1]
    reader.end()
    return Polygon(points)


def circle_in(text: str) -> Circle:
    reader = Reader(text, "circle")
    depth = 0
    reader.skip()
    if reader.take("<"):
        depth = 1
    elif reader.char == "(":
        inner = reader.at + 1
        while text[inner : inner + 1] and text[inner] in SPACES:
            inner += 1
        if text[inner : inner + 1] == "(":
            depth = 1
            reader.at = inner
    center = reader.pair()
    reader.take(",")
    radius = reader.single()
    if radius < 0.0:
        raise reader.bad()
    while depth > 0:
        if reader.char not in (")", ">"):
            raise reader.bad()
        depth -= 1
        reader.at += 1
        reader.skip()
    reader.end()
    return Circle(center, radius)


def flat(value: Any) -> list[float]:
    """All floats of a value in order."""
    if isinstance(value, float):
        return [value]
    return [number for part in value for number in flat(part)]


def doubles(data: bytes) -> tuple[float, ...]:
    if len(data) % 8:
        raise insufficient_data()
    return struct.unpack(f">{len(data) // 8}d", data)


def counted_points(message: Message, type_name: str) -> tuple[Point, ...]:
    """An int32 and that many points."""
    count = message.integer(4)
    if count <= 0 or count >= (1 << 31) // 16:
        raise PgError(
            INVALID_BINARY_REPRESENTATION,
            f'invalid number of points in external "{type_name}" value',
        )
    values = iter(message.unpack(f"{2 * count}d"))
    found = tuple(Point(x, y) for x, y in zip(values, values, strict=True))
    message.end()
    return found


def send_points(points: tuple[Point, ...]) -> bytes:
    return struct.pack(f">i{2 * len(points)}d", len(points), *flat(points))


class GeometricType(BaseType):
    """A type of one of the tuples; parse is its text reader."""

    def __init__(self, name: str, parse: Callable[[str], Any], size: int = 0) -> None:
        self.name = name
        self.parse = parse
        self.size = size

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        return geometry_text(self.parse(text))

    def output(self, value: Any, ctx: CallContext) -> str:
        if ctx.extra_float_digits > 0:
            return str(value)
        return geometry_text(
            READERS[self.name](value), lambda number: FLOAT8.output(nan_text(number), ctx)
        )

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> Value:
        if self.size:
            check_length(data, self.size)
        return geometry_text(self.received(data))

    def received(self, data: bytes) -> Any:
        values = doubles(data)
        if self.name == "point":
            return Point(*values)
        if self.name == "line":
            return self.checked_line(Line(*values))
        if self.name == "circle":
            if values[2] < 0.0:
                raise PgError(
                    INVALID_BINARY_REPRESENTATION, 'invalid radius in external "circle" value'
                )
            return Circle(Point(values[0], values[1]), values[2])
        one, two = Point(values[0], values[1]), Point(values[2], values[3])
        return Lseg(one, two) if self.name == "lseg" else box_construct(one, two)

    def checked_line(self, line: Line) -> Line:
        if fp_zero(line.a) and fp_zero(line.b):
            raise PgError(
                INVALID_BINARY_REPRESENTATION,
                "invalid line specification: A and B cannot both be zero",
            )
        return line

    def send(self, value: Any, ctx: CallContext) -> bytes:
        values = flat(READERS[self.name](value))
        return struct.pack(f">{len(values)}d", *values)


class PolygonType(GeometricType):
    def received(self, data: bytes) -> Any:
        return Polygon(counted_points(Message(data), "polygon"))

    def send(self, value: Any, ctx: CallContext) -> bytes:
        return send_points(READERS["polygon"](value).points)


class PathType(GeometricType):
    def received(self, data: bytes) -> Any:
        message = Message(data)
        return Path(bool(message.byte()), counted_points(message, "path"))

    def send(self, value: Any, ctx: CallContext) -> bytes:
        path = READERS["path"](value)
        return bytes((path.closed,)) + send_points(path.points)


register_type(
    GeometricType("point", point_in, 16),
    GeometricType("lseg", lseg_in, 32),
    GeometricType("box", box_in, 32),
    GeometricType("line", line_in, 24),
    GeometricType("circle", circle_in, 24),
    PathType("path", path_in),
    PolygonType("polygon", polygon_in),
)
