"""Reading and assigning array elements and slices.

Counterpart: array_get_element, array_set_element, array_get_slice, array_set_slice of
arrayfuncs.c, with their rules for extension: a one-dimensional array grows, the gap is NULL.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pgemu.errors import ARRAY_SUBSCRIPT_ERROR, NULL_VALUE_NOT_ALLOWED, PgError
from pgemu.types.arrays_value import (
    check_size,
    dimensions,
    dump_array,
    flatten,
    load_array,
    reshape,
)


def out_of_range() -> PgError:
    return PgError(ARRAY_SUBSCRIPT_ERROR, "array subscript out of range")


def array_get_element(value: str, subscripts: Sequence[int | None]) -> Any:
    """The element, None when the subscripts miss (bytes elements come back as hex text)."""
    if any(one is None for one in subscripts):
        return None
    part, lower = load_array(value)
    if len(lower) != len(subscripts):
        return None
    found: Any = part
    for subscript, low in zip(subscripts, lower, strict=True):
        assert subscript is not None
        index = subscript - low
        if not 0 <= index < len(found):
            return None
        found = found[index]
    return found


Bound = tuple[int | None, int | None]


def array_get_slice(value: str, bounds: Sequence[Bound]) -> str:
    """value[l:u][l:u]...; an omitted bound is None.  Anything out of range: the empty array."""
    elements, lower = load_array(value)
    sizes = dimensions(elements)
    if not sizes or len(bounds) > len(sizes):
        return "[]"
    spans: list[tuple[int, int]] = []
    for number, (low, size) in enumerate(zip(lower, sizes, strict=True)):
        first, last = bounds[number] if number < len(bounds) else (None, None)
        start = max(low, first) if first is not None else low
        stop = min(low + size - 1, last) if last is not None else low + size - 1
        if start > stop:
            return "[]"
        spans.append((start - low, stop - low + 1))

    def cut(part: list[Any], level: int) -> list[Any]:
        start, stop = spans[level]
        inner = part[start:stop]
        if level + 1 == len(spans):
            return inner
        return [cut(one, level + 1) for one in inner]

    return dump_array(cut(elements, 0))


def array_set_element(value: str | None, subscripts: Sequence[int | None], new: Any) -> str:
    """value with one element replaced; a NULL array counts as empty."""
    if any(one is None for one in subscripts):
        raise PgError(NULL_VALUE_NOT_ALLOWED, "array subscript in assignment must not be null")
    wanted = [int(one) for one in subscripts if one is not None]
    elements, lower = load_array(value) if value is not None else ([], [])
    if not lower:
        nested: Any = new
        for _ in wanted:
            nested = [nested]
        check_size([1] * len(wanted), wanted)
        return dump_array(nested, wanted)
    if len(lower) != len(wanted):
        raise PgError(ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts")
    if len(lower) == 1:
        index = wanted[0] - lower[0]
        last = max(lower[0] + len(elements), wanted[0] + 1)
        start = min(lower[0], wanted[0])
        check_size([last - start], [start])
        if index < 0:
            elements = [new] + [None] * (-index - 1) + elements
            return dump_array(elements, [wanted[0]])
        if index >= len(elements):
            elements += [None] * (index - len(elements)) + [new]
        else:
            elements[index] = new
        return dump_array(elements, lower)
    part = elements
    for level, (subscript, low) in enumerate(zip(wanted, lower, strict=True)):
        index = subscript - low
        if not 0 <= index < len(part):
            raise out_of_range()
        if level + 1 == len(wanted):
            part[index] = new
        else:
            part = part[index]
    return dump_array(elements, lower)


def array_set_slice(value: str | None, bounds: Sequence[Bound], source: str | None) -> str | None:
    """value[l:u] := source."""
    if source is None:
        return value
    flat = list(flatten(load_array(source)[0]))
    elements, lower = load_array(value) if value is not None else ([], [])
    if not lower:
        sizes = []
        for first, last in bounds:
            if first is None or last is None:
                raise PgError(
                    ARRAY_SUBSCRIPT_ERROR,
                    "array slice subscript must provide both boundaries",
                    detail="When assigning to a slice of an empty array value, slice boundaries "
                    "must be fully specified.",
                )
            sizes.append(last - first + 1)
        starts = [first for first, _ in bounds if first is not None]
        count = check_size(sizes, starts)
        if len(flat) < count:
            raise PgError(ARRAY_SUBSCRIPT_ERROR, "source array too small")
        return dump_array(reshape(flat[:count], sizes), starts)
    if len(bounds) > len(lower):
        raise PgError(ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts")
    if len(lower) == 1:
        return _set_slice_1d(elements, lower[0], bounds[0], flat)
    return _set_slice_nd(elements, lower, bounds, flat)


def _set_slice_1d(elements: list[Any], low: int, bound: Bound, flat: list[Any]) -> str:
    first = bound[0] if bound[0] is not None else low
    last = bound[1] if bound[1] is not None else low + len(elements) - 1
    if first > last:
        raise PgError(ARRAY_SUBSCRIPT_ERROR, "upper bound cannot be less than lower bound")
    count = last - first + 1
    if len(flat) < count:
        raise PgError(ARRAY_SUBSCRIPT_ERROR, "source array too small")
    start = min(first, low)
    check_size([max(last + 1, low + len(elements)) - start], [start])
    if first < low:
        elements = [None] * (low - first) + elements
        low = first
    if last >= low + len(elements):
        elements += [None] * (last - low + 1 - len(elements))
    elements[first - low : last - low + 1] = flat[:count]
    return dump_array(elements, [low])


def _set_slice_nd(
    elements: list[Any], lower: list[int], bounds: Sequence[Bound], flat: list[Any]
) -> str:
    sizes = dimensions(elements)
    spans: list[tuple[int, int]] = []
    count = 1
    for number, (low, size) in enumerate(zip(lower, sizes, strict=True)):
        first, last = bounds[number] if number < len(bounds) else (None, None)
        start = low if first is None else first
        stop = low + size - 1 if last is None else last
        if start > stop:
            raise PgError(ARRAY_SUBSCRIPT_ERROR, "upper bound cannot be less than lower bound")
        if start < low or stop >= low + size:
            raise out_of_range()
        spans.append((start - low, stop - low + 1))
        count *= stop - start + 1
    if len(flat) < count:
        raise PgError(ARRAY_SUBSCRIPT_ERROR, "source array too small")
    source = iter(flat)

    def put(part: list[Any], level: int) -> None:
        start, stop = spans[level]
        for index in range(start, stop):
            if level + 1 == len(spans):
                part[index] = next(source)
            else:
                put(part[index], level + 1)

    put(elements, 0)
    return dump_array(elements, lower)
