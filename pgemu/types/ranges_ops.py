"""Constructors, operators, functions and aggregates of ranges and multiranges.

A range argument and a multirange argument are both taken as a list of ranges; most operators of
the four combinations are one body.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

from pgemu.errors import DATA_EXCEPTION, PgError
from pgemu.fmgr import CallContext, TypeInfo, pg_aggregate, pg_function
from pgemu.types.arrays_value import load_flat
from pgemu.types.numeric_ops import numeric_sub
from pgemu.types.ranges import (
    EMPTY_RANGE,
    MultirangeType,
    Range,
    RangeType,
    dump_multirange,
    load_multirange,
    load_range,
)


def range_type(ctx: CallContext, *oids: int) -> RangeType:
    """The range type among some type OIDs (a multirange gives its range)."""
    for oid in oids:
        found = ctx.catalog.types.io(oid)
        if isinstance(found, MultirangeType):
            return found.range
        if isinstance(found, RangeType):
            return found
    raise PgError(DATA_EXCEPTION, "not a range type")


def ranges_of(text: str) -> list[Range]:
    """The ranges of a stored range or multirange (empty ones dropped)."""
    if text.startswith("[[") or text == "[]":
        return load_multirange(text)
    found = load_range(text)
    return [] if found.empty else [found]


# ---- constructors

BUILTIN = {
    "int4range": "int4",
    "int8range": "int8",
    "numrange": "numeric",
    "daterange": "date",
    "tsrange": "timestamp",
    "tstzrange": "timestamptz",
}


def range_constructor(
    ctx: CallContext, info: TypeInfo, lower: Any, upper: Any, flags: str | None = "[)"
) -> str:
    if flags is None:
        raise PgError(DATA_EXCEPTION, "range constructor flags argument must not be null")
    if len(flags) != 2 or flags[0] not in "[(" or flags[1] not in "])":
        raise PgError(
            "42601",
            "invalid range bound flags",
            hint='Valid values are "[]", "[)", "(]", and "()".',
        )
    made = range_type(ctx, info.result_type).make(lower, upper, flags[0] == "[", flags[1] == "]")
    return made.stored()


def multirange_constructor(ctx: CallContext, info: TypeInfo, *args: str | None) -> str:
    if not args:
        return "[]"
    if args[0] is None:
        raise PgError("22004", "multirange values cannot contain null members")
    value = args[0]
    kind = range_type(ctx, info.result_type)
    if len(info.arg_types) == 1 and isinstance(ctx.catalog.types.io(info.arg_types[0]), RangeType):
        return dump_multirange(kind.normalize([load_range(value)]))
    members = load_flat(value)
    if None in members:
        raise PgError("22004", "multirange values cannot contain null members")
    return dump_multirange(kind.normalize([load_range(one) for one in members]))


for _range, _sub in BUILTIN.items():
    pg_function(
        f"{_range}({_sub}, {_sub})", f"{_range}({_sub}, {_sub}, text)", context=True, typed=True
    )(range_constructor)
    _multi = _range.replace("range", "multirange")
    pg_function(
        f"{_multi}()", f"{_multi}({_range})", f"{_multi}(_{_range})", context=True, typed=True
    )(multirange_constructor)

pg_function("multirange(anyrange)", context=True, typed=True)(multirange_constructor)


# ---- comparison

for _kind in ("range", "multirange"):

    def _cmp(ctx: CallContext, info: TypeInfo, a: str, b: str) -> int:
        order: int = ctx.catalog.types.io(info.arg_types[0]).compare(a, b)
        return (order > 0) - (order < 0)

    pg_function(f"{_kind}_cmp(any{_kind}, any{_kind})", context=True, typed=True)(_cmp)
    for _op in ("eq", "ne", "lt", "le", "gt", "ge"):

        def _test(
            ctx: CallContext, info: TypeInfo, a: str, b: str,
            test: Callable[[int, int], bool] = getattr(operator, _op),
            cmp: Callable[..., int] = _cmp,
        ) -> bool:  # fmt: skip
            return test(cmp(ctx, info, a, b), 0)

        pg_function(f"{_kind}_{_op}(any{_kind}, any{_kind})", context=True, typed=True)(_test)


# ---- bounds


def _edges(text: str) -> tuple[Range, Range] | None:
    found = ranges_of(text)
    return (found[0], found[-1]) if found else None


@pg_function("lower(anyrange)", "lower(anymultirange)")
def range_lower(value: str) -> Any:
    edges = _edges(value)
    return edges[0].lower if edges else None


@pg_function("upper(anyrange)", "upper(anymultirange)")
def range_upper(value: str) -> Any:
    edges = _edges(value)
    return edges[1].upper if edges else None


@pg_function("isempty(anyrange)", "isempty(anymultirange)")
def range_empty(value: str) -> bool:
    return not ranges_of(value)


@pg_function("lower_inc(anyrange)", "lower_inc(anymultirange)")
def range_lower_inc(value: str) -> bool:
    edges = _edges(value)
    return bool(edges and edges[0].lower_inc)


@pg_function("upper_inc(anyrange)", "upper_inc(anymultirange)")
def range_upper_inc(value: str) -> bool:
    edges = _edges(value)
    return bool(edges and edges[1].upper_inc)


@pg_function("lower_inf(anyrange)", "lower_inf(anymultirange)")
def range_lower_inf(value: str) -> bool:
    edges = _edges(value)
    return bool(edges and edges[0].lower is None)


@pg_function("upper_inf(anyrange)", "upper_inf(anymultirange)")
def range_upper_inf(value: str) -> bool:
    edges = _edges(value)
    return bool(edges and edges[1].upper is None)


# ---- operators over lists of ranges

Test = Callable[[RangeType, list[Range], list[Range]], bool]


def contains(t: RangeType, a: list[Range], b: list[Range]) -> bool:
    return all(any(t.contains(x, y) for x in a) for y in b)


def overlaps(t: RangeType, a: list[Range], b: list[Range]) -> bool:
    return any(t.overlaps(x, y) for x in a for y in b)


def before(t: RangeType, a: list[Range], b: list[Range]) -> bool:
    return bool(a and b) and t.before(a[-1], b[0])


def overleft(t: RangeType, a: list[Range], b: list[Range]) -> bool:
    return bool(a and b) and t.overleft(a[-1], b[-1])


def overright(t: RangeType, a: list[Range], b: list[Range]) -> bool:
    return bool(a and b) and t.overright(a[0], b[0])


def adjacent(t: RangeType, a: list[Range], b: list[Range]) -> bool:
    if not a or not b:
        return False
    first, last = a[-1], b[0]
    if t.touches(first.upper, first.upper_inc, last.lower, last.lower_inc):
        return True
    first, last = b[-1], a[0]
    return t.touches(first.upper, first.upper_inc, last.lower, last.lower_inc)


def _swap(test: Test) -> Test:
    return lambda t, a, b: test(t, b, a)


def _bind(signature: str, test: Test) -> None:
    def body(ctx: CallContext, info: TypeInfo, a: str, b: str) -> bool:
        return test(range_type(ctx, *info.arg_types), ranges_of(a), ranges_of(b))

    pg_function(signature, context=True, typed=True)(body)


TESTS: dict[str, Test] = {
    "overlaps": overlaps,
    "contains": contains,
    "contained_by": _swap(contains),
    "before": before,
    "after": _swap(before),
    "overleft": overleft,
    "overright": overright,
    "adjacent": adjacent,
}
for _word, _one in TESTS.items():
    _bind(f"range_{_word}(anyrange, anyrange)", _one)
    _bind(f"range_{_word}_multirange(anyrange, anymultirange)", _one)
    _bind(f"multirange_{_word}_range(anymultirange, anyrange)", _one)
    _bind(f"multirange_{_word}_multirange(anymultirange, anymultirange)", _one)


@pg_function(
    "range_contains_elem(anyrange, anyelement)",
    "multirange_contains_elem(anymultirange, anyelement)",
    context=True,
    typed=True,
)
def range_contains_elem(ctx: CallContext, info: TypeInfo, a: str, value: Any) -> bool:
    kind = range_type(ctx, info.arg_types[0])
    return any(kind.contains_elem(one, value) for one in ranges_of(a))


@pg_function(
    "elem_contained_by_range(anyelement, anyrange)",
    "elem_contained_by_multirange(anyelement, anymultirange)",
    context=True,
    typed=True,
)
def elem_contained_by_range(ctx: CallContext, info: TypeInfo, value: Any, a: str) -> bool:
    kind = range_type(ctx, info.arg_types[1])
    return any(kind.contains_elem(one, value) for one in ranges_of(a))


# ---- union, minus, intersection


@pg_function("range_union(anyrange, anyrange)", context=True, typed=True)
def range_union(ctx: CallContext, info: TypeInfo, a: str, b: str) -> str:
    return range_type(ctx, info.arg_types[0]).union(load_range(a), load_range(b)).stored()


@pg_function("range_merge(anyrange, anyrange)", context=True, typed=True)
def range_merge(ctx: CallContext, info: TypeInfo, a: str, b: str) -> str:
    kind = range_type(ctx, info.arg_types[0])
    return kind.union(load_range(a), load_range(b), strict=False).stored()


@pg_function("range_merge(anymultirange)", context=True, typed=True)
def range_merge_from_multirange(ctx: CallContext, info: TypeInfo, value: str) -> str:
    kind = range_type(ctx, info.arg_types[0])
    found = ranges_of(value)
    return kind.union(found[0], found[-1], strict=False).stored() if found else EMPTY_RANGE.stored()


@pg_function(
    "range_intersect(anyrange, anyrange)",
    "range_intersect_agg_transfn(anyrange, anyrange)",
    context=True,
    typed=True,
)
def range_intersect(ctx: CallContext, info: TypeInfo, a: str, b: str) -> str:
    return range_type(ctx, info.arg_types[0]).intersect(load_range(a), load_range(b)).stored()


@pg_function("range_minus(anyrange, anyrange)", context=True, typed=True)
def range_minus(ctx: CallContext, info: TypeInfo, a: str, b: str) -> str:
    parts = range_type(ctx, info.arg_types[0]).minus_parts(load_range(a), load_range(b))
    if len(parts) > 1:
        raise PgError(DATA_EXCEPTION, "result of range difference would not be contiguous")
    return (parts[0] if parts else EMPTY_RANGE).stored()


@pg_function("multirange_union(anymultirange, anymultirange)", context=True, typed=True)
def multirange_union(ctx: CallContext, info: TypeInfo, a: str, b: str) -> str:
    kind = range_type(ctx, info.arg_types[0])
    return dump_multirange(kind.normalize(ranges_of(a) + ranges_of(b)))


@pg_function(
    "multirange_intersect(anymultirange, anymultirange)",
    "multirange_intersect_agg_transfn(anymultirange, anymultirange)",
    context=True,
    typed=True,
)
def multirange_intersect(ctx: CallContext, info: TypeInfo, a: str, b: str) -> str:
    kind = range_type(ctx, info.arg_types[0])
    found = [kind.intersect(x, y) for x in ranges_of(a) for y in ranges_of(b)]
    return dump_multirange(kind.normalize(found))


@pg_function("multirange_minus(anymultirange, anymultirange)", context=True, typed=True)
def multirange_minus(ctx: CallContext, info: TypeInfo, a: str, b: str) -> str:
    kind = range_type(ctx, info.arg_types[0])
    rest = ranges_of(a)
    for gone in ranges_of(b):
        rest = [part for one in rest for part in kind.minus_parts(one, gone)]
    return dump_multirange(kind.normalize(rest))


@pg_function("unnest(anymultirange)")
def multirange_unnest(value: str) -> Iterator[str]:
    for one in ranges_of(value):
        yield one.stored()


# ---- aggregates


@pg_aggregate("range_agg(anyrange)", "range_agg(anymultirange)", context=True, typed=True)
class RangeAgg:
    def __init__(self, ctx: CallContext, info: TypeInfo) -> None:
        self.kind = range_type(ctx, info.arg_types[0])
        self.found: list[Range] | None = None

    def step(self, *args: Any) -> None:
        self.found = (self.found or []) + ranges_of(args[0])

    def final(self) -> str | None:
        return None if self.found is None else dump_multirange(self.kind.normalize(self.found))


@pg_aggregate("range_intersect_agg(anyrange)", context=True, typed=True)
class RangeIntersectAgg:
    def __init__(self, ctx: CallContext, info: TypeInfo) -> None:
        self.kind = range_type(ctx, info.arg_types[0])
        self.found: Range | None = None

    def step(self, *args: Any) -> None:
        new = load_range(args[0])
        self.found = new if self.found is None else self.kind.intersect(self.found, new)

    def final(self) -> str | None:
        return None if self.found is None else self.found.stored()


@pg_aggregate("range_intersect_agg(anymultirange)", context=True, typed=True)
class MultirangeIntersectAgg:
    def __init__(self, ctx: CallContext, info: TypeInfo) -> None:
        self.kind = range_type(ctx, info.arg_types[0])
        self.found: list[Range] | None = None

    def step(self, *args: Any) -> None:
        new = ranges_of(args[0])
        if self.found is not None:
            new = self.kind.normalize([self.kind.intersect(x, y) for x in self.found for y in new])
        self.found = new

    def final(self) -> str | None:
        return None if self.found is None else dump_multirange(self.found)


# ---- subtypes' differences and canonical forms (stored values are canonical already)

for _name in ("int4range", "int8range", "daterange"):
    pg_function(f"{_name}_canonical({_name})")(lambda value: value)
pg_function("int4range_subdiff(int4,int4)", "daterange_subdiff(date,date)")(
    lambda a, b: float(a - b)
)
pg_function("int8range_subdiff(int8,int8)")(lambda a, b: float(a) - float(b))
pg_function("tsrange_subdiff(timestamp,timestamp)", "tstzrange_subdiff(timestamptz,timestamptz)")(
    lambda a, b: (float(a) - float(b)) / 1000000.0
)


@pg_function("numrange_subdiff(numeric,numeric)")
def numrange_subdiff(a: str, b: str) -> Any:
    difference = float(numeric_sub(a, b))
    return "NaN" if difference != difference else difference
