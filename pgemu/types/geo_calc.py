"""Intersections, closest points and containment of geometric values (PostgreSQL: the static
functions of geo_ops.c).

The order of the float operations is PostgreSQL's, since results are compared to the last digit.
Functions that in C fill an optional result return (distance, point), or the point or None.
"""

from __future__ import annotations

import itertools

from pgemu.types.geo_values import (
    INFINITY,
    NAN,
    Box,
    Line,
    Lseg,
    Path,
    Point,
    Polygon,
    div,
    float8_eq,
    float8_gt,
    float8_lt,
    float8_max,
    float8_min,
    fp_eq,
    fp_ge,
    fp_gt,
    fp_le,
    fp_lt,
    fp_zero,
    hypot,
    mi,
    mul,
    pl,
)

Closest = tuple[float, Point]
Points = tuple[Point, ...]
ON_POLYGON = 1 << 31


def point_eq(a: Point, b: Point) -> bool:
    if a.x != a.x or a.y != a.y or b.x != b.x or b.y != b.y:
        return float8_eq(a.x, b.x) and float8_eq(a.y, b.y)
    return fp_eq(a.x, b.x) and fp_eq(a.y, b.y)


def point_distance(a: Point, b: Point) -> float:
    return hypot(mi(a.x, b.x), mi(a.y, b.y))


def point_slope(a: Point, b: Point) -> float:
    if fp_eq(a.x, b.x):
        return INFINITY
    if fp_eq(a.y, b.y):
        return 0.0
    return div(mi(a.y, b.y), mi(a.x, b.x))


def point_inverse_slope(a: Point, b: Point) -> float:
    """The slope of the perpendicular."""
    if fp_eq(a.x, b.x):
        return 0.0
    if fp_eq(a.y, b.y):
        return INFINITY
    return div(mi(a.x, b.x), mi(b.y, a.y))


def point_add(a: Point, b: Point) -> Point:
    return Point(pl(a.x, b.x), pl(a.y, b.y))


def point_sub(a: Point, b: Point) -> Point:
    return Point(mi(a.x, b.x), mi(a.y, b.y))


def point_mul(a: Point, b: Point) -> Point:
    return Point(
        mi(mul(a.x, b.x), mul(a.y, b.y)),
        pl(mul(a.x, b.y), mul(a.y, b.x)),
    )


def point_div(a: Point, b: Point) -> Point:
    divisor = pl(mul(b.x, b.x), mul(b.y, b.y))
    return Point(
        div(pl(mul(a.x, b.x), mul(a.y, b.y)), divisor),
        div(mi(mul(a.y, b.x), mul(a.x, b.y)), divisor),
    )


def line_construct(point: Point, slope: float) -> Line:
    if slope in (INFINITY, -INFINITY):
        return Line(-1.0, 0.0, point.x)
    if slope == 0.0:
        return Line(0.0, -1.0, point.y)
    c = mi(point.y, mul(slope, point.x))
    return Line(slope, -1.0, 0.0 if c == 0.0 else c)


def line_slope(line: Line) -> float:
    if fp_zero(line.a):
        return 0.0
    if fp_zero(line.b):
        return INFINITY
    return div(line.a, -line.b)


def line_inverse_slope(line: Line) -> float:
    if fp_zero(line.a):
        return INFINITY
    if fp_zero(line.b):
        return 0.0
    return div(line.b, line.a)


def line_interpt_line(l1: Line, l2: Line) -> Point | None:
    if not fp_zero(l1.b):
        if fp_eq(l2.a, mul(l1.a, div(l2.b, l1.b))):
            return None
        x = div(
            mi(mul(l1.b, l2.c), mul(l2.b, l1.c)),
            mi(mul(l1.a, l2.b), mul(l2.a, l1.b)),
        )
        y = div(-pl(mul(l1.a, x), l1.c), l1.b)
    elif not fp_zero(l2.b):
        if fp_eq(l1.a, mul(l2.a, div(l1.b, l2.b))):
            return None
        x = div(
            mi(mul(l2.b, l1.c), mul(l1.b, l2.c)),
            mi(mul(l2.a, l1.b), mul(l1.a, l2.b)),
        )
        y = div(-pl(mul(l2.a, x), l2.c), l2.b)
    else:
        return None
    return Point(0.0 if x == 0.0 else x, 0.0 if y == 0.0 else y)


def line_closept_point(line: Line, point: Point) -> Closest:
    perpendicular = line_construct(point, line_inverse_slope(line))
    closest = line_interpt_line(perpendicular, line)
    if closest is None:
        return NAN, point
    return point_distance(closest, point), closest


def line_contains_point(line: Line, point: Point) -> bool:
    return fp_zero(pl(pl(mul(line.a, point.x), mul(line.b, point.y)), line.c))


def lseg_slope(lseg: Lseg) -> float:
    return point_slope(lseg.a, lseg.b)


def lseg_contains_point(lseg: Lseg, point: Point) -> bool:
    return fp_eq(
        pl(point_distance(point, lseg.a), point_distance(point, lseg.b)),
        point_distance(lseg.a, lseg.b),
    )


def lseg_interpt_line(lseg: Lseg, line: Line) -> Point | None:
    found = line_interpt_line(line_construct(lseg.a, lseg_slope(lseg)), line)
    if found is None or not lseg_contains_point(lseg, found):
        return None
    # An endpoint is given back exactly.
    if point_eq(lseg.a, found):
        return lseg.a
    return lseg.b if point_eq(lseg.b, found) else found


def lseg_interpt_lseg(l1: Lseg, l2: Lseg) -> Point | None:
    found = lseg_interpt_line(l1, line_construct(l2.a, lseg_slope(l2)))
    if found is None or not lseg_contains_point(l2, found):
        return None
    return found


def lseg_closept_line(lseg: Lseg, line: Line) -> Closest:
    found = lseg_interpt_line(lseg, line)
    if found is not None:
        return 0.0, found
    first = line_closept_point(line, lseg.a)[0]
    second = line_closept_point(line, lseg.b)[0]
    return (first, lseg.a) if first < second else (second, lseg.b)


def lseg_closept_point(lseg: Lseg, point: Point) -> Closest:
    perpendicular = line_construct(point, point_inverse_slope(lseg.a, lseg.b))
    closest = lseg_closept_line(lseg, perpendicular)[1]
    return point_distance(closest, point), closest


def nearer(best: Closest, other: Closest) -> Closest:
    return other if float8_lt(other[0], best[0]) else best


def lseg_closept_lseg(on: Lseg, to: Lseg) -> Closest:
    found = lseg_interpt_lseg(on, to)
    if found is not None:
        return 0.0, found
    best = nearer(lseg_closept_point(on, to.a), lseg_closept_point(on, to.b))
    best = nearer(best, (lseg_closept_point(to, on.a)[0], on.a))
    return nearer(best, (lseg_closept_point(to, on.b)[0], on.b))


def box_construct(a: Point, b: Point) -> Box:
    x = (a.x, b.x) if float8_gt(a.x, b.x) else (b.x, a.x)
    y = (a.y, b.y) if float8_gt(a.y, b.y) else (b.y, a.y)
    return Box(Point(x[0], y[0]), Point(x[1], y[1]))


def box_overlap(a: Box, b: Box) -> bool:
    return (
        fp_le(a.low.x, b.high.x)
        and fp_le(b.low.x, a.high.x)
        and fp_le(a.low.y, b.high.y)
        and fp_le(b.low.y, a.high.y)
    )


def box_contains_box(a: Box, b: Box) -> bool:
    return (
        fp_ge(a.high.x, b.high.x)
        and fp_le(a.low.x, b.low.x)
        and fp_ge(a.high.y, b.high.y)
        and fp_le(a.low.y, b.low.y)
    )


def box_contains_point(box: Box, point: Point) -> bool:
    return box.low.x <= point.x <= box.high.x and box.low.y <= point.y <= box.high.y


def box_center(box: Box) -> Point:
    return Point(
        div(pl(box.high.x, box.low.x), 2.0),
        div(pl(box.high.y, box.low.y), 2.0),
    )


def box_sides(box: Box) -> tuple[Lseg, ...]:
    """In the order PostgreSQL tries them."""
    upper_left = Point(box.low.x, box.high.y)
    lower_right = Point(box.high.x, box.low.y)
    return (
        Lseg(box.low, upper_left),
        Lseg(box.high, upper_left),
        Lseg(box.low, lower_right),
        Lseg(box.high, lower_right),
    )


def box_closept_point(box: Box, point: Point) -> Closest:
    if box_contains_point(box, point):
        return 0.0, point
    first, *rest = box_sides(box)
    best = lseg_closept_point(first, point)
    for side in rest:
        best = nearer(best, lseg_closept_point(side, point))
    return best


def box_interpt_lseg(box: Box, lseg: Lseg) -> Point | None:
    around = Box(
        Point(float8_max(lseg.a.x, lseg.b.x), float8_max(lseg.a.y, lseg.b.y)),
        Point(float8_min(lseg.a.x, lseg.b.x), float8_min(lseg.a.y, lseg.b.y)),
    )
    if not box_overlap(around, box):
        return None
    if (
        box_contains_point(box, lseg.a)
        or box_contains_point(box, lseg.b)
        or any(lseg_interpt_lseg(side, lseg) is not None for side in box_sides(box))
    ):
        return lseg_closept_point(lseg, box_center(box))[1]
    return None


def box_closept_lseg(box: Box, lseg: Lseg) -> Closest:
    found = box_interpt_lseg(box, lseg)
    if found is not None:
        return 0.0, found
    first, *rest = box_sides(box)
    best = lseg_closept_lseg(first, lseg)
    for side in rest:
        best = nearer(best, lseg_closept_lseg(side, lseg))
    return best


def bound_box(points: Points) -> Box:
    low_x = high_x = points[0].x
    low_y = high_y = points[0].y
    for point in points[1:]:
        low_x = point.x if float8_lt(point.x, low_x) else low_x
        high_x = point.x if float8_gt(point.x, high_x) else high_x
        low_y = point.y if float8_lt(point.y, low_y) else low_y
        high_y = point.y if float8_gt(point.y, high_y) else high_y
    return Box(Point(high_x, high_y), Point(low_x, low_y))


def crossing_on_axis(x: float, prev_x: float, prev_y: float) -> int:
    """lseg_crossing where the new point lies on the X axis."""
    if fp_zero(x):
        return ON_POLYGON
    if fp_gt(x, 0.0):
        if fp_zero(prev_y):
            return 0 if fp_gt(prev_x, 0.0) else ON_POLYGON
        return 1 if fp_lt(prev_y, 0.0) else -1
    if fp_zero(prev_y):
        return 0 if fp_lt(prev_x, 0.0) else ON_POLYGON
    return 0


def lseg_crossing(x: float, y: float, prev_x: float, prev_y: float) -> int:
    """How a side crosses the positive X axis: ±2 crossing, ±1 touching, 0 not."""
    if fp_zero(y):
        return crossing_on_axis(x, prev_x, prev_y)
    sign = 1 if fp_gt(y, 0.0) else -1
    if fp_zero(prev_y):
        return 0 if fp_lt(prev_x, 0.0) else sign
    if (sign < 0 and fp_lt(prev_y, 0.0)) or (sign > 0 and fp_gt(prev_y, 0.0)):
        return 0
    if fp_ge(x, 0.0) and fp_gt(prev_x, 0.0):
        return 2 * sign
    if fp_lt(x, 0.0) and fp_le(prev_x, 0.0):
        return 0
    z = mi(mul(mi(x, prev_x), y), mul(mi(y, prev_y), x))
    if fp_zero(z):
        return ON_POLYGON
    if (sign < 0 and fp_lt(z, 0.0)) or (sign > 0 and fp_gt(z, 0.0)):
        return 0
    return 2 * sign


def point_inside(point: Point, points: Points) -> int:
    """0 outside, 1 inside, 2 on the polygon."""
    x0 = prev_x = mi(points[0].x, point.x)
    y0 = prev_y = mi(points[0].y, point.y)
    total = 0
    for one in points[1:]:
        x, y = mi(one.x, point.x), mi(one.y, point.y)
        cross = lseg_crossing(x, y, prev_x, prev_y)
        if cross == ON_POLYGON:
            return 2
        total += cross
        prev_x, prev_y = x, y
    cross = lseg_crossing(x0, y0, prev_x, prev_y)
    if cross == ON_POLYGON:
        return 2
    return 1 if total + cross else 0


def path_sides(path: Path) -> list[Lseg]:
    """The segments of a path, the closing one first."""
    points = path.points
    first = [Lseg(points[-1], points[0])] if path.closed else []
    return first + [Lseg(a, b) for a, b in itertools.pairwise(points)]


def ring_sides(points: Points) -> list[Lseg]:
    return [Lseg(points[i - 1], points[i]) for i in range(len(points))]


def distance_point_polygon(point: Point, polygon: Polygon) -> float:
    points = polygon.points
    if point_inside(point, points):
        return 0.0
    result = lseg_closept_point(Lseg(points[0], points[-1]), point)[0]
    for a, b in itertools.pairwise(points):
        other = lseg_closept_point(Lseg(a, b), point)[0]
        if float8_lt(other, result):
            result = other
    return result


def touched_lseg_inside(a: Point, b: Point, side: Lseg, points: Points, start: int) -> bool:
    """a lies on the side, b does not."""
    segment = Lseg(a, b)
    if point_eq(a, side.a):
        if lseg_contains_point(segment, side.b):
            return lseg_inside(b, side.b, points, start)
    elif point_eq(a, side.b):
        if lseg_contains_point(segment, side.a):
            return lseg_inside(b, side.a, points, start)
    elif lseg_contains_point(segment, side.a):
        return lseg_inside(b, side.a, points, start)
    elif lseg_contains_point(segment, side.b):
        return lseg_inside(b, side.b, points, start)
    return True


def lseg_inside(a: Point, b: Point, points: Points, start: int) -> bool:
    """lseg_inside_poly: is the segment within the polygon, judged by the sides from start on?"""
    segment = Lseg(a, b)
    inside = True
    crossed = False
    previous = points[start - 1] if start else points[-1]
    for i in range(start, len(points)):
        side = Lseg(previous, points[i])
        if lseg_contains_point(side, a):
            if lseg_contains_point(side, b):
                return True
            inside = touched_lseg_inside(a, b, side, points, i + 1)
        elif lseg_contains_point(side, b):
            inside = touched_lseg_inside(b, a, side, points, i + 1)
        else:
            found = lseg_interpt_lseg(segment, side)
            if found is not None:
                crossed = True
                inside = lseg_inside(a, found, points, i + 1)
                inside = inside and lseg_inside(b, found, points, i + 1)
        if not inside:
            return False
        previous = points[i]
    if not crossed:
        middle = Point(div(pl(a.x, b.x), 2.0), div(pl(a.y, b.y), 2.0))
        return point_inside(middle, points) != 0
    return True


def polygon_contains(a: Polygon, b: Polygon) -> bool:
    if not box_contains_box(bound_box(a.points), bound_box(b.points)):
        return False
    return all(lseg_inside(s.a, s.b, a.points, 0) for s in ring_sides(b.points))


def polygon_overlap(a: Polygon, b: Polygon) -> bool:
    if not box_overlap(bound_box(a.points), bound_box(b.points)):
        return False
    others = ring_sides(b.points)
    for side in ring_sides(a.points):
        if any(lseg_interpt_lseg(side, other) is not None for other in others):
            return True
    return bool(point_inside(a.points[0], b.points) or point_inside(b.points[0], a.points))


def same_ring(a: Points, b: Points) -> bool:
    """plist_same: the same points from some start, forwards or backwards."""
    count = len(a)
    for i in range(count):
        if not point_eq(b[i], a[0]):
            continue
        for step in (1, -1):
            if all(point_eq(b[(i + step * k) % count], a[k]) for k in range(1, count)):
                return True
    return False
