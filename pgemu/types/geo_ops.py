"""Functions and operators of point, lseg and line, and distances and closest points between the
geometric types (PostgreSQL: utils/adt/geo_ops.c).

Names of the bodies are PostgreSQL's where the signature does not say it already.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from pgemu.errors import INVALID_PARAMETER_VALUE, PgError
from pgemu.types import geo_calc as calc
from pgemu.types.geo_calc import Closest, lseg_slope, point_distance, point_eq
from pgemu.types.geo_values import (
    Box,
    Circle,
    Line,
    Lseg,
    Path,
    Point,
    Polygon,
    div,
    float8_eq,
    float8_lt,
    fp_eq,
    fp_ge,
    fp_gt,
    fp_le,
    fp_lt,
    fp_zero,
    geometric,
    hypot,
    mi,
    mul,
    pl,
)

# point
geometric("point(float8,float8)")(Point)
geometric("point_left(point,point)")(lambda a, b: fp_lt(a.x, b.x))
geometric("point_right(point,point)")(lambda a, b: fp_gt(a.x, b.x))
geometric("point_above(point,point)")(lambda a, b: fp_gt(a.y, b.y))
geometric("point_below(point,point)")(lambda a, b: fp_lt(a.y, b.y))
geometric("point_vert(point,point)", "isvertical(point,point)")(lambda a, b: fp_eq(a.x, b.x))
geometric("point_horiz(point,point)", "ishorizontal(point,point)")(lambda a, b: fp_eq(a.y, b.y))
geometric("point_eq(point,point)")(point_eq)
geometric("point_ne(point,point)")(lambda a, b: not point_eq(a, b))
geometric("point_distance(point,point)")(point_distance)
geometric("slope(point,point)")(calc.point_slope)
geometric("point_add(point,point)")(calc.point_add)
geometric("point_sub(point,point)")(calc.point_sub)
geometric("point_mul(point,point)")(calc.point_mul)
geometric("point_div(point,point)")(calc.point_div)


# lseg
def lseg_length(lseg: Lseg) -> float:
    return point_distance(lseg.a, lseg.b)


def by_length(compare: Callable[[float, float], bool]) -> Callable[[Lseg, Lseg], bool]:
    return lambda a, b: compare(lseg_length(a), lseg_length(b))


def lseg_eq(a: Lseg, b: Lseg) -> bool:
    return point_eq(a.a, b.a) and point_eq(a.b, b.b)


geometric("lseg(point,point)")(Lseg)
geometric("lseg_length(lseg)", "length(lseg)")(lseg_length)
geometric("lseg_intersect(lseg,lseg)")(lambda a, b: calc.lseg_interpt_lseg(a, b) is not None)
geometric("lseg_interpt(lseg,lseg)")(calc.lseg_interpt_lseg)
geometric("lseg_parallel(lseg,lseg)", "isparallel(lseg,lseg)")(
    lambda a, b: fp_eq(lseg_slope(a), lseg_slope(b))
)
geometric("lseg_perp(lseg,lseg)", "isperp(lseg,lseg)")(
    lambda a, b: fp_eq(lseg_slope(a), calc.point_inverse_slope(b.a, b.b))
)
geometric("lseg_vertical(lseg)", "isvertical(lseg)")(lambda s: fp_eq(s.a.x, s.b.x))
geometric("lseg_horizontal(lseg)", "ishorizontal(lseg)")(lambda s: fp_eq(s.a.y, s.b.y))
geometric("lseg_eq(lseg,lseg)")(lseg_eq)
geometric("lseg_ne(lseg,lseg)")(lambda a, b: not lseg_eq(a, b))
geometric("lseg_lt(lseg,lseg)")(by_length(fp_lt))
geometric("lseg_le(lseg,lseg)")(by_length(fp_le))
geometric("lseg_gt(lseg,lseg)")(by_length(fp_gt))
geometric("lseg_ge(lseg,lseg)")(by_length(fp_ge))
geometric("lseg_center(lseg)", "point(lseg)")(
    lambda s: Point(div(pl(s.a.x, s.b.x), 2.0), div(pl(s.a.y, s.b.y), 2.0))
)
geometric("lseg_distance(lseg,lseg)")(lambda a, b: calc.lseg_closept_lseg(a, b)[0])


# line
@geometric("line(point,point)")
def line_construct_pp(a: Point, b: Point) -> Line:
    if point_eq(a, b):
        raise PgError(
            INVALID_PARAMETER_VALUE, "invalid line specification: must be two distinct points"
        )
    return calc.line_construct(a, calc.point_slope(a, b))


@geometric("line_perp(line,line)", "isperp(line,line)")
def line_perp(a: Line, b: Line) -> bool:
    if fp_zero(a.a):
        return fp_zero(b.b)
    if fp_zero(b.a):
        return fp_zero(a.b)
    if fp_zero(a.b):
        return fp_zero(b.a)
    if fp_zero(b.b):
        return fp_zero(a.a)
    return fp_eq(div(mul(a.a, b.a), mul(a.b, b.b)), -1.0)


@geometric("line_eq(line,line)")
def line_eq(a: Line, b: Line) -> bool:
    """Proportional coefficients; with a NaN the same ones."""
    if any(v != v for v in (*a, *b)):
        return all(float8_eq(x, y) for x, y in zip(a, b, strict=True))
    ratio = 1.0
    for x, y in zip(a, b, strict=True):
        if not fp_zero(y):
            ratio = div(x, y)
            break
    return all(fp_eq(x, mul(ratio, y)) for x, y in zip(a, b, strict=True))


@geometric("line_distance(line,line)")
def line_distance(a: Line, b: Line) -> float:
    if calc.line_interpt_line(a, b) is not None:
        return 0.0
    ratio = 1.0
    for x, y in ((a.a, b.a), (a.b, b.b)):
        if not fp_zero(x) and x == x and not fp_zero(y) and y == y:
            ratio = div(x, y)
            break
    return div(abs(mi(a.c, mul(ratio, b.c))), hypot(a.a, a.b))


geometric("line_interpt(line,line)")(calc.line_interpt_line)
geometric("line_intersect(line,line)")(lambda a, b: calc.line_interpt_line(a, b) is not None)
geometric("line_parallel(line,line)", "isparallel(line,line)")(
    lambda a, b: calc.line_interpt_line(a, b) is None
)
geometric("line_vertical(line)", "isvertical(line)")(lambda line: fp_zero(line.b))
geometric("line_horizontal(line)", "ishorizontal(line)")(lambda line: fp_zero(line.a))

# on: does the right one contain the left one?
geometric("on_pl(point,line)")(lambda p, line: calc.line_contains_point(line, p))
geometric("on_ps(point,lseg)")(lambda p, s: calc.lseg_contains_point(s, p))
geometric("on_pb(point,box)")(lambda p, b: calc.box_contains_point(b, p))
geometric("on_sl(lseg,line)")(lambda s, line: all(calc.line_contains_point(line, p) for p in s))
geometric("on_sb(lseg,box)")(lambda s, b: all(calc.box_contains_point(b, p) for p in s))


@geometric("on_ppath(point,path)")
def on_ppath(point: Point, path: Path) -> bool:
    if path.closed:
        return calc.point_inside(point, path.points) != 0
    return any(
        fp_eq(pl(point_distance(point, a), point_distance(point, b)), point_distance(a, b))
        for a, b in zip(path.points, path.points[1:], strict=False)
    )


# inter: do they meet?
geometric("inter_sl(lseg,line)")(lambda s, line: calc.lseg_interpt_line(s, line) is not None)
geometric("inter_sb(lseg,box)")(lambda s, b: calc.box_interpt_lseg(b, s) is not None)


@geometric("inter_lb(line,box)")
def inter_lb(line: Line, box: Box) -> bool:
    upper_left = Point(box.low.x, box.high.y)
    lower_right = Point(box.high.x, box.low.y)
    corners = (box.low, upper_left, box.high, lower_right, box.low)
    return any(
        calc.lseg_interpt_line(Lseg(a, b), line) is not None for a, b in itertools.pairwise(corners)
    )


def bind_distance(left: str, right: str, closest: Callable[[Any, Any], Closest]) -> None:
    """dist_xy(x, y) of closest(x, y), and dist_yx."""
    names = {"point": "p", "line": "l", "lseg": "s", "box": "b"}
    a, b = names[left], names[right]
    geometric(f"dist_{a}{b}({left},{right})")(lambda x, y: closest(x, y)[0])
    geometric(f"dist_{b}{a}({right},{left})")(lambda y, x: closest(x, y)[0])


bind_distance("point", "line", lambda p, line: calc.line_closept_point(line, p))
bind_distance("point", "lseg", lambda p, s: calc.lseg_closept_point(s, p))
bind_distance("point", "box", lambda p, b: calc.box_closept_point(b, p))
bind_distance("lseg", "line", calc.lseg_closept_line)
bind_distance("lseg", "box", lambda s, b: calc.box_closept_lseg(b, s))


def distance_point_path(point: Point, path: Path) -> float:
    result = 0.0
    for number, side in enumerate(calc.path_sides(path)):
        distance = calc.lseg_closept_point(side, point)[0]
        if not number or float8_lt(distance, result):
            result = distance
    return result


def not_negative(distance: float) -> float:
    return 0.0 if distance < 0.0 else distance


def distance_circle_polygon(circle: Circle, polygon: Polygon) -> float:
    return not_negative(mi(calc.distance_point_polygon(circle.center, polygon), circle.radius))


def distance_point_circle(point: Point, circle: Circle) -> float:
    return not_negative(mi(point_distance(point, circle.center), circle.radius))


geometric("dist_ppath(point,path)")(distance_point_path)
geometric("dist_pathp(path,point)")(lambda path, p: distance_point_path(p, path))
geometric("dist_ppoly(point,polygon)")(calc.distance_point_polygon)
geometric("dist_polyp(polygon,point)")(lambda g, p: calc.distance_point_polygon(p, g))
geometric("dist_cpoly(circle,polygon)")(distance_circle_polygon)
geometric("dist_polyc(polygon,circle)")(lambda g, c: distance_circle_polygon(c, g))
geometric("dist_pc(point,circle)")(distance_point_circle)
geometric("dist_cpoint(circle,point)")(lambda c, p: distance_point_circle(p, c))


def found(closest: Closest) -> Point | None:
    """close_xy gives NULL where NaN made a distance meaningless."""
    distance, point = closest
    return point if distance == distance else None


geometric("close_pl(point,line)")(lambda p, line: found(calc.line_closept_point(line, p)))
geometric("close_ps(point,lseg)")(lambda p, s: found(calc.lseg_closept_point(s, p)))
geometric("close_pb(point,box)")(lambda p, b: found(calc.box_closept_point(b, p)))
geometric("close_sb(lseg,box)")(lambda s, b: found(calc.box_closept_lseg(b, s)))


@geometric("close_ls(line,lseg)")
def close_ls(line: Line, lseg: Lseg) -> Point | None:
    if lseg_slope(lseg) == calc.line_slope(line):
        return None
    return found(calc.lseg_closept_line(lseg, line))


@geometric("close_lseg(lseg,lseg)")
def close_lseg(a: Lseg, b: Lseg) -> Point | None:
    if lseg_slope(a) == lseg_slope(b):
        return None
    return found(calc.lseg_closept_lseg(b, a))
