"""Geometric values: tuples of floats, their text, fuzzy comparison (PostgreSQL: utils/geo_decls.h
and the float arithmetic of float.h).

Storage: PostgreSQL's text form with shortest digits, which gives every float back exactly.
`geometric` binds a body that takes and returns the tuples of this module.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from pgemu.errors import DIVISION_BY_ZERO, PgError
from pgemu.fmgr import pg_function
from pgemu.types.float import (
    float_overflow,
    float_underflow,
    from_storage,
    nan_text,
    shortest_float8,
    special_text,
)

EPSILON = 1.0e-06
PUNCTUATION = str.maketrans("", "", "()[]{}<>")
NAN = math.nan
INFINITY = math.inf


class Point(NamedTuple):
    x: float
    y: float


class Lseg(NamedTuple):
    a: Point
    b: Point


class Box(NamedTuple):
    high: Point
    low: Point


class Line(NamedTuple):
    """Ax + By + C = 0."""

    a: float
    b: float
    c: float


class Path(NamedTuple):
    closed: bool
    points: tuple[Point, ...]


class Polygon(NamedTuple):
    points: tuple[Point, ...]


class Circle(NamedTuple):
    center: Point
    radius: float


def fp_zero(a: float) -> bool:
    return abs(a) <= EPSILON


def fp_eq(a: float, b: float) -> bool:
    return a == b or abs(a - b) <= EPSILON


def fp_ne(a: float, b: float) -> bool:
    return a != b and abs(a - b) > EPSILON


def fp_lt(a: float, b: float) -> bool:
    return a + EPSILON < b


def fp_le(a: float, b: float) -> bool:
    return a <= b + EPSILON


def fp_gt(a: float, b: float) -> bool:
    return a > b + EPSILON


def fp_ge(a: float, b: float) -> bool:
    return a + EPSILON >= b


def float8_eq(a: float, b: float) -> bool:
    return b != b if a != a else a == b


def float8_lt(a: float, b: float) -> bool:
    """NaN is above every number."""
    return a == a and (b != b or a < b)


def float8_gt(a: float, b: float) -> bool:
    return b == b and (a != a or a > b)


def float8_min(a: float, b: float) -> float:
    return a if float8_lt(a, b) else b


def float8_max(a: float, b: float) -> float:
    return a if float8_gt(a, b) else b


def checked_overflow(result: float, a: float, b: float) -> float:
    if math.isinf(result) and not math.isinf(a) and not math.isinf(b):
        raise float_overflow()
    return result


def pl(a: float, b: float) -> float:
    return checked_overflow(a + b, a, b)


def mi(a: float, b: float) -> float:
    return checked_overflow(a - b, a, b)


def mul(a: float, b: float) -> float:
    result = checked_overflow(a * b, a, b)
    if result == 0.0 and a != 0.0 and b != 0.0:
        raise float_underflow()
    return result


def div(a: float, b: float) -> float:
    if b == 0.0:
        if a == a:
            raise PgError(DIVISION_BY_ZERO, "division by zero")
        return NAN
    result = a / b
    if math.isinf(result) and not math.isinf(a):
        raise float_overflow()
    if result == 0.0 and a != 0.0 and not math.isinf(b):
        raise float_underflow()
    return result


def hypot(x: float, y: float) -> float:
    """pg_hypot, whose last digit the C library's need not share."""
    if math.isinf(x) or math.isinf(y):
        return INFINITY
    if x != x or y != y:
        return NAN
    x, y = abs(x), abs(y)
    if x < y:
        x, y = y, x
    if y == 0.0:
        return x
    ratio = y / x
    result = x * math.sqrt(1.0 + ratio * ratio)
    if math.isinf(result):
        raise float_overflow()
    if result == 0.0:
        raise float_underflow()
    return result


def float_text(value: float) -> str:
    special = special_text(nan_text(value))
    return shortest_float8(value) if special is None else special


FloatText = Callable[[float], str]


def pair_text(point: Point, number: FloatText) -> str:
    return f"{number(point.x)},{number(point.y)}"


def points_text(points: tuple[Point, ...], number: FloatText) -> str:
    return ",".join(f"({pair_text(p, number)})" for p in points)


def geometry_text(value: Any, number: FloatText = float_text) -> str:
    """The text form of any of the tuples."""
    if isinstance(value, Point):
        return f"({pair_text(value, number)})"
    if isinstance(value, Box):
        return points_text((value.high, value.low), number)
    if isinstance(value, Lseg):
        return f"[{points_text((value.a, value.b), number)}]"
    if isinstance(value, Line):
        return "{" + ",".join(number(v) for v in value) + "}"
    if isinstance(value, Circle):
        return f"<({pair_text(value.center, number)}),{number(value.radius)}>"
    if isinstance(value, Path) and not value.closed:
        return f"[{points_text(value.points, number)}]"
    return f"({points_text(value.points, number)})"


def floats(text: str) -> list[float]:
    return [float(part) for part in text.translate(PUNCTUATION).split(",")]


def pairs(text: str) -> tuple[Point, ...]:
    values = iter(floats(text))
    return tuple(Point(x, y) for x, y in zip(values, values, strict=True))


def line_value(text: str) -> Line:
    return Line(*floats(text))


def circle_value(text: str) -> Circle:
    x, y, radius = floats(text)
    return Circle(Point(x, y), radius)


READERS: dict[str, Callable[[Any], Any]] = {
    "point": lambda text: pairs(text)[0],
    "lseg": lambda text: Lseg(*pairs(text)),
    "box": lambda text: Box(*pairs(text)),
    "line": line_value,
    "path": lambda text: Path(text[0] != "[", pairs(text)),
    "polygon": lambda text: Polygon(pairs(text)),
    "circle": circle_value,
    "float8": from_storage,
}


def stored(value: Any) -> Any:
    """The storage value of a body's result."""
    if isinstance(value, tuple):
        return geometry_text(value)
    return nan_text(value) if isinstance(value, float) else value


def geometric(*signatures: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """pg_function for bodies over tuples: arguments are read, the result is written."""

    def bind(body: Callable[..., Any]) -> Callable[..., Any]:
        names = signatures[0].partition("(")[2].rstrip(")").split(",")
        readers = [READERS.get(name, lambda value: value) for name in names]
        if len(readers) == 1:
            read = readers[0]

            def unary(a: Any) -> Any:
                return stored(body(read(a)))

            pg_function(*signatures)(unary)
        else:
            first, second = readers

            def binary(a: Any, b: Any) -> Any:
                return stored(body(first(a), second(b)))

            pg_function(*signatures)(binary)
        return body

    return bind
