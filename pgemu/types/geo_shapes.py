"""Functions and operators of box, path, polygon and circle (PostgreSQL: utils/adt/geo_ops.c)."""

from __future__ import annotations

import math
from collections.abc import Callable

from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    INVALID_PARAMETER_VALUE,
    PROGRAM_LIMIT_EXCEEDED,
    PgError,
)
from pgemu.types import geo_calc as calc
from pgemu.types.geo_calc import (
    bound_box,
    box_center,
    box_construct,
    path_sides,
    point_distance,
    point_eq,
)
from pgemu.types.geo_values import (
    Box,
    Circle,
    Lseg,
    Path,
    Point,
    Polygon,
    div,
    float8_lt,
    float8_max,
    float8_min,
    fp_eq,
    fp_ge,
    fp_gt,
    fp_le,
    fp_lt,
    fp_ne,
    fp_zero,
    geometric,
    hypot,
    mi,
    mul,
    pl,
)

MOVES: tuple[tuple[str, Callable[[Point, Point], Point]], ...] = (
    ("add", calc.point_add),
    ("sub", calc.point_sub),
    ("mul", calc.point_mul),
    ("div", calc.point_div),
)
FUZZY: tuple[tuple[str, Callable[[float, float], bool]], ...] = (
    ("lt", fp_lt),
    ("le", fp_le),
    ("eq", fp_eq),
    ("ge", fp_ge),
    ("gt", fp_gt),
)


# box
def box_area(box: Box) -> float:
    return mul(mi(box.high.x, box.low.x), mi(box.high.y, box.low.y))


geometric("box_same(box,box)")(lambda a, b: point_eq(a.high, b.high) and point_eq(a.low, b.low))
geometric("box_overlap(box,box)")(calc.box_overlap)
geometric("box_overleft(box,box)")(lambda a, b: fp_le(a.high.x, b.high.x))
geometric("box_left(box,box)")(lambda a, b: fp_lt(a.high.x, b.low.x))
geometric("box_right(box,box)")(lambda a, b: fp_gt(a.low.x, b.high.x))
geometric("box_overright(box,box)")(lambda a, b: fp_ge(a.low.x, b.low.x))
geometric("box_below(box,box)")(lambda a, b: fp_lt(a.high.y, b.low.y))
geometric("box_overbelow(box,box)")(lambda a, b: fp_le(a.high.y, b.high.y))
geometric("box_above(box,box)")(lambda a, b: fp_gt(a.low.y, b.high.y))
geometric("box_overabove(box,box)")(lambda a, b: fp_ge(a.low.y, b.low.y))
geometric("box_below_eq(box,box)")(lambda a, b: fp_le(a.high.y, b.low.y))
geometric("box_above_eq(box,box)")(lambda a, b: fp_ge(a.low.y, b.high.y))
geometric("box_contained(box,box)")(lambda a, b: calc.box_contains_box(b, a))
geometric("box_contain(box,box)")(calc.box_contains_box)
geometric("box_contain_pt(box,point)")(calc.box_contains_point)
geometric("area(box)")(box_area)
geometric("width(box)")(lambda b: mi(b.high.x, b.low.x))
geometric("height(box)")(lambda b: mi(b.high.y, b.low.y))
geometric("box_distance(box,box)")(lambda a, b: point_distance(box_center(a), box_center(b)))
geometric("box_center(box)", "point(box)", "center(box)")(box_center)
geometric("diagonal(box)", "lseg(box)")(lambda b: Lseg(b.high, b.low))
geometric("box(point,point)")(box_construct)
geometric("box(point)")(lambda p: Box(p, p))
geometric("bound_box(box,box)")(
    lambda a, b: Box(
        Point(float8_max(a.high.x, b.high.x), float8_max(a.high.y, b.high.y)),
        Point(float8_min(a.low.x, b.low.x), float8_min(a.low.y, b.low.y)),
    )
)


@geometric("box_intersect(box,box)")
def box_intersect(a: Box, b: Box) -> Box | None:
    if not calc.box_overlap(a, b):
        return None
    return Box(
        Point(float8_min(a.high.x, b.high.x), float8_min(a.high.y, b.high.y)),
        Point(float8_max(a.low.x, b.low.x), float8_max(a.low.y, b.low.y)),
    )


def bind_moves(name: str, move: Callable[[Point, Point], Point]) -> None:
    """<shape>_<name>_pt: every point added to, multiplied by ... one point."""

    def moved_box(box: Box, by: Point) -> Box:
        high, low = move(box.high, by), move(box.low, by)
        return Box(high, low) if name in ("add", "sub") else box_construct(high, low)

    def moved_circle(circle: Circle, by: Point) -> Circle:
        center, radius = move(circle.center, by), circle.radius
        if name == "mul":
            radius = mul(radius, hypot(by.x, by.y))
        elif name == "div":
            radius = div(radius, hypot(by.x, by.y))
        return Circle(center, radius)

    geometric(f"box_{name}(box,point)")(moved_box)
    geometric(f"path_{name}_pt(path,point)")(
        lambda path, by: Path(path.closed, tuple(move(p, by) for p in path.points))
    )
    geometric(f"circle_{name}_pt(circle,point)")(moved_circle)


def bind_sizes(name: str, compare: Callable[[float, float], bool]) -> None:
    """Boxes and circles are ordered by area."""
    geometric(f"box_{name}(box,box)")(lambda a, b: compare(box_area(a), box_area(b)))
    geometric(f"circle_{name}(circle,circle)")(lambda a, b: compare(circle_area(a), circle_area(b)))


def circle_area(circle: Circle) -> float:
    return mul(mul(circle.radius, circle.radius), math.pi)


for _name, _move in MOVES:
    bind_moves(_name, _move)
for _name, _compare in FUZZY:
    bind_sizes(_name, _compare)
geometric("circle_ne(circle,circle)")(lambda a, b: fp_ne(circle_area(a), circle_area(b)))


# path
geometric("path_n_lt(path,path)")(lambda a, b: len(a.points) < len(b.points))
geometric("path_n_gt(path,path)")(lambda a, b: len(a.points) > len(b.points))
geometric("path_n_eq(path,path)")(lambda a, b: len(a.points) == len(b.points))
geometric("path_n_le(path,path)")(lambda a, b: len(a.points) <= len(b.points))
geometric("path_n_ge(path,path)")(lambda a, b: len(a.points) >= len(b.points))
geometric("isclosed(path)")(lambda p: p.closed)
geometric("isopen(path)")(lambda p: not p.closed)
geometric("path_npoints(path)", "npoints(path)")(lambda p: len(p.points))
geometric("pclose(path)")(lambda p: Path(True, p.points))
geometric("popen(path)")(lambda p: Path(False, p.points))


@geometric("area(path)")
def path_area(path: Path) -> float | None:
    if not path.closed:
        return None
    area = 0.0
    points = path.points
    for i, point in enumerate(points):
        after = points[(i + 1) % len(points)]
        area = pl(area, mul(point.x, after.y))
        area = mi(area, mul(point.y, after.x))
    return div(abs(area), 2.0)


@geometric("path_inter(path,path)")
def path_inter(a: Path, b: Path) -> bool:
    if not calc.box_overlap(bound_box(a.points), bound_box(b.points)):
        return False
    others = path_sides(b)
    return any(
        calc.lseg_interpt_lseg(side, other) is not None
        for side in path_sides(a)
        for other in others
    )


def sides_distance(a: list[Lseg], b: list[Lseg]) -> float | None:
    """The least distance of two sets of segments."""
    least: float | None = None
    for side in a:
        for other in b:
            distance = calc.lseg_closept_lseg(side, other)[0]
            if least is None or float8_lt(distance, least):
                least = distance
    return least


@geometric("path_distance(path,path)")
def path_distance(a: Path, b: Path) -> float | None:
    return sides_distance(path_sides(a), path_sides(b))


@geometric("path_length(path)", "length(path)")
def path_length(path: Path) -> float:
    total = 0.0
    for side in path_sides(path):
        total = pl(total, point_distance(side.a, side.b))
    return total


@geometric("path_add(path,path)")
def path_add(a: Path, b: Path) -> Path | None:
    if a.closed or b.closed:
        return None
    return Path(False, a.points + b.points)


@geometric("polygon(path)")
def path_poly(path: Path) -> Polygon:
    if not path.closed:
        raise PgError(INVALID_PARAMETER_VALUE, "open path cannot be converted to polygon")
    return Polygon(path.points)


# polygon
def bind_position(name: str, test: Callable[[Box, Box], bool]) -> None:
    """Positions of polygons are those of their bounding boxes, compared exactly."""
    geometric(f"poly_{name}(polygon,polygon)")(
        lambda a, b: test(bound_box(a.points), bound_box(b.points))
    )


bind_position("left", lambda a, b: a.high.x < b.low.x)
bind_position("overleft", lambda a, b: a.high.x <= b.high.x)
bind_position("right", lambda a, b: a.low.x > b.high.x)
bind_position("overright", lambda a, b: a.low.x >= b.low.x)
bind_position("below", lambda a, b: a.high.y < b.low.y)
bind_position("overbelow", lambda a, b: a.high.y <= b.high.y)
bind_position("above", lambda a, b: a.low.y > b.high.y)
bind_position("overabove", lambda a, b: a.low.y >= b.low.y)
geometric("poly_same(polygon,polygon)")(
    lambda a, b: len(a.points) == len(b.points) and calc.same_ring(a.points, b.points)
)
geometric("poly_overlap(polygon,polygon)")(calc.polygon_overlap)
geometric("poly_contain(polygon,polygon)")(calc.polygon_contains)
geometric("poly_contained(polygon,polygon)")(lambda a, b: calc.polygon_contains(b, a))
geometric("poly_contain_pt(polygon,point)")(lambda a, p: calc.point_inside(p, a.points) != 0)
geometric("pt_contained_poly(point,polygon)")(lambda p, a: calc.point_inside(p, a.points) != 0)
geometric("poly_npoints(polygon)", "npoints(polygon)")(lambda a: len(a.points))
geometric("box(polygon)")(lambda a: bound_box(a.points))
geometric("path(polygon)")(lambda a: Path(True, a.points))
geometric("polygon(box)")(
    lambda b: Polygon((b.low, Point(b.low.x, b.high.y), b.high, Point(b.high.x, b.low.y)))
)


@geometric("poly_distance(polygon,polygon)")
def poly_distance(a: Polygon, b: Polygon) -> float | None:
    if calc.polygon_overlap(a, b):
        return 0.0
    return sides_distance(calc.ring_sides(a.points), calc.ring_sides(b.points))


@geometric("circle(polygon)")
def poly_circle(polygon: Polygon) -> Circle:
    """Around the mean of the points, with their mean distance."""
    count = float(len(polygon.points))
    center = Point(0.0, 0.0)
    for point in polygon.points:
        center = calc.point_add(center, point)
    center = Point(div(center.x, count), div(center.y, count))
    radius = 0.0
    for point in polygon.points:
        radius = pl(radius, point_distance(point, center))
    return Circle(center, div(radius, count))


geometric("poly_center(polygon)", "point(polygon)")(lambda a: poly_circle(a).center)


# circle
def gap(name: str, test: Callable[[Circle, Circle], bool]) -> None:
    geometric(f"circle_{name}(circle,circle)")(test)


gap(
    "same",
    lambda a, b: (
        ((a.radius != a.radius and b.radius != b.radius) or fp_eq(a.radius, b.radius))
        and point_eq(a.center, b.center)
    ),
)
gap("overlap", lambda a, b: fp_le(point_distance(a.center, b.center), pl(a.radius, b.radius)))
gap("contained", lambda a, b: fp_le(point_distance(a.center, b.center), mi(b.radius, a.radius)))
gap("contain", lambda a, b: fp_le(point_distance(a.center, b.center), mi(a.radius, b.radius)))
gap("left", lambda a, b: fp_lt(pl(a.center.x, a.radius), mi(b.center.x, b.radius)))
gap("overleft", lambda a, b: fp_le(pl(a.center.x, a.radius), pl(b.center.x, b.radius)))
gap("right", lambda a, b: fp_gt(mi(a.center.x, a.radius), pl(b.center.x, b.radius)))
gap("overright", lambda a, b: fp_ge(mi(a.center.x, a.radius), mi(b.center.x, b.radius)))
gap("below", lambda a, b: fp_lt(pl(a.center.y, a.radius), mi(b.center.y, b.radius)))
gap("overbelow", lambda a, b: fp_le(pl(a.center.y, a.radius), pl(b.center.y, b.radius)))
gap("above", lambda a, b: fp_gt(mi(a.center.y, a.radius), pl(b.center.y, b.radius)))
gap("overabove", lambda a, b: fp_ge(mi(a.center.y, a.radius), mi(b.center.y, b.radius)))
geometric("circle(point,float8)")(Circle)
geometric("area(circle)")(circle_area)
geometric("diameter(circle)")(lambda c: mul(c.radius, 2.0))
geometric("radius(circle)")(lambda c: c.radius)
geometric("circle_center(circle)", "point(circle)", "center(circle)")(lambda c: c.center)
geometric("circle_contain_pt(circle,point)")(lambda c, p: point_distance(c.center, p) <= c.radius)
geometric("pt_contained_circle(point,circle)")(lambda p, c: point_distance(c.center, p) <= c.radius)


@geometric("circle_distance(circle,circle)")
def circle_distance(a: Circle, b: Circle) -> float:
    result = mi(point_distance(a.center, b.center), pl(a.radius, b.radius))
    return 0.0 if result < 0.0 else result


@geometric("box(circle)")
def circle_box(circle: Circle) -> Box:
    delta = div(circle.radius, math.sqrt(2.0))
    center = circle.center
    return Box(
        Point(pl(center.x, delta), pl(center.y, delta)),
        Point(mi(center.x, delta), mi(center.y, delta)),
    )


@geometric("circle(box)")
def box_circle(box: Box) -> Circle:
    center = box_center(box)
    return Circle(center, point_distance(center, box.high))


MAX_POLYGON_POINTS = (2**31 - 1) // 16  # whose size still is an int


@geometric("polygon(int4,circle)")
def circle_poly(count: int, circle: Circle) -> Polygon:
    if fp_zero(circle.radius):
        raise PgError(FEATURE_NOT_SUPPORTED, "cannot convert circle with radius zero to polygon")
    if count < 2:
        raise PgError(INVALID_PARAMETER_VALUE, "must request at least 2 points")
    if count > MAX_POLYGON_POINTS:
        raise PgError(PROGRAM_LIMIT_EXCEEDED, "too many points requested")
    step = div(2.0 * math.pi, float(count))
    points = []
    for i in range(count):
        angle = mul(step, float(i))
        points.append(
            Point(
                mi(circle.center.x, mul(circle.radius, math.cos(angle))),
                pl(circle.center.y, mul(circle.radius, math.sin(angle))),
            )
        )
    return Polygon(tuple(points))
