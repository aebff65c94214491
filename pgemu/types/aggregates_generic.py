"""min, max, string_agg, array_agg and the ordered-set aggregates (PostgreSQL: utils/adt/
varlena.c, array_userfuncs.c, orderedsetaggs.c).

min and max of a type compare as the type's BaseType does.  Ordered-set aggregates get their
aggregated arguments in sorted order, and the direct ones by `direct` before the first final.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

from pgemu.errors import (
    ARRAY_SUBSCRIPT_ERROR,
    NULL_VALUE_NOT_ALLOWED,
    NUMERIC_VALUE_OUT_OF_RANGE,
    PgError,
)
from pgemu.fmgr import CallContext, TypeInfo, pg_aggregate
from pgemu.nodes.primnodes import Value
from pgemu.types.arrays_value import load_array
from pgemu.types.base import BaseType, base_types
from pgemu.types.comparison import compare_unsigned
from pgemu.types.float import compare_float, shortest_float8
from pgemu.types.record import to_json

NATIVE_ORDER = "int2 int4 int8 oid text bpchar date time timestamp timestamptz money"
OTHER_ORDER = "numeric interval timetz tid inet"


class Extreme:
    """min or max: keep the better of two by a comparison."""

    def __init__(self, better: Callable[[Any, Any], bool]) -> None:
        self.better = better
        self.state: Any = None

    def step(self, value: Any) -> None:
        if self.state is None or self.better(value, self.state):
            self.state = value

    def final(self) -> Value:
        result: Value = self.state
        return result


def larger(compare: Callable[[Any, Any], int]) -> Callable[[Any, Any], bool]:
    return lambda a, b: compare(a, b) > 0


def smaller(compare: Callable[[Any, Any], int]) -> Callable[[Any, Any], bool]:
    return lambda a, b: compare(a, b) < 0


for _type in NATIVE_ORDER.split():
    pg_aggregate(f"max({_type})")(lambda: Extreme(lambda a, b: a > b))
    pg_aggregate(f"min({_type})")(lambda: Extreme(lambda a, b: a < b))
for _type in ("pg_lsn", "xid8"):
    pg_aggregate(f"max({_type})")(lambda: Extreme(larger(compare_unsigned)))
    pg_aggregate(f"min({_type})")(lambda: Extreme(smaller(compare_unsigned)))
for _type in ("float4", "float8"):
    pg_aggregate(f"max({_type})")(lambda: Extreme(larger(compare_float)))
    pg_aggregate(f"min({_type})")(lambda: Extreme(smaller(compare_float)))


def bind_ordered(type_name: str) -> None:
    """min and max of a type whose module may be imported after this one."""

    def compare(a: Any, b: Any) -> int:
        return base_types[type_name].compare(a, b)

    pg_aggregate(f"max({type_name})")(lambda: Extreme(larger(compare)))
    pg_aggregate(f"min({type_name})")(lambda: Extreme(smaller(compare)))


for _type in OTHER_ORDER.split():
    bind_ordered(_type)


@pg_aggregate("max(anyarray)", "max(anyenum)", context=True, typed=True)
def max_any(ctx: CallContext, info: TypeInfo) -> Extreme:
    return Extreme(larger(ctx.catalog.types.io(info.arg_types[0]).compare))


@pg_aggregate("min(anyarray)", "min(anyenum)", context=True, typed=True)
def min_any(ctx: CallContext, info: TypeInfo) -> Extreme:
    return Extreme(smaller(ctx.catalog.types.io(info.arg_types[0]).compare))


class StringAgg:
    """string_agg over text or bytea: NULL values are skipped, a NULL delimiter is nothing."""

    def __init__(self, empty: Any) -> None:
        self.empty = empty
        self.parts: list[Any] = []

    def step(self, value: Any, delimiter: Any) -> None:
        if value is None:
            return
        if self.parts and delimiter:
            self.parts.append(delimiter)
        self.parts.append(value)
        if not self.parts[0]:
            # Keep a first element: an empty first value still counts as one.
            self.parts[0] = self.empty

    def final(self) -> Any:
        return self.empty.join(self.parts) if self.parts else None


pg_aggregate("string_agg(text,text)", strict=False)(lambda: StringAgg(""))
pg_aggregate("string_agg(bytea,bytea)", strict=False)(lambda: StringAgg(b""))


class ArrayAgg:
    """array_agg(anynonarray): storage of the array is the JSON text of its elements."""

    def __init__(self) -> None:
        self.items: list[Any] = []

    def step(self, value: Any) -> None:
        self.items.append(value.hex() if isinstance(value, bytes) else value)

    def final(self) -> str | None:
        return dump_array(self.items) if self.items else None


pg_aggregate("array_agg(anynonarray)", strict=False)(ArrayAgg)


def dump_array(items: list[Any]) -> str:
    if any(isinstance(v, float) and math.isinf(v) for v in items):
        return f"[{','.join(dump_item(v) for v in items)}]"
    return json.dumps(items, separators=(",", ":"), ensure_ascii=False)


def dump_item(value: Any) -> str:
    if isinstance(value, float) and math.isinf(value):
        return "1e999" if value > 0 else "-1e999"
    return json.dumps(to_json(value), separators=(",", ":"), ensure_ascii=False)


@pg_aggregate("array_agg(anyarray)", strict=False)
class ArrayAggArray:
    """array_agg over arrays: one dimension more; all must have the same dimensions."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.shape: tuple[tuple[int, ...], list[int]] | None = None

    def step(self, value: Any) -> None:
        if value is None:
            raise PgError(NULL_VALUE_NOT_ALLOWED, "cannot accumulate null arrays")
        array, lower = load_array(value)
        if not array and self.shape is None:
            raise PgError(ARRAY_SUBSCRIPT_ERROR, "cannot accumulate empty arrays")
        shape = (shape_of(array), lower)
        if self.shape is not None and shape != self.shape:
            raise PgError(
                ARRAY_SUBSCRIPT_ERROR, "cannot accumulate arrays of different dimensionality"
            )
        self.shape = shape
        self.items.append(array)

    def final(self) -> str | None:
        if self.shape is None:
            return None
        lower = self.shape[1]
        text = dump_nested(self.items)
        if all(one == 1 for one in lower):
            return text
        return f'{{"l":{json.dumps([1, *lower])},"a":{text}}}'


def shape_of(array: Any) -> tuple[int, ...]:
    shape = []
    while isinstance(array, list):
        shape.append(len(array))
        array = array[0] if array else None
    return tuple(shape)


def dump_nested(value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(dump_nested(v) for v in value)}]"
    return dump_item(value)


# Ordered-set aggregates.


class Sorted:
    """The aggregated values in order (NULLs do not come here) and the direct arguments."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.arguments: tuple[Any, ...] = ()

    def direct(self, *arguments: Any) -> None:
        self.arguments = arguments

    def step(self, *args: Any) -> None:
        if args[0] is not None:
            self.values.append(args[0])


def check_percentile(fraction: Any) -> None:
    if fraction == "NaN" or not 0 <= fraction <= 1:
        text = fraction if fraction == "NaN" else shortest_float8(fraction)
        raise PgError(NUMERIC_VALUE_OUT_OF_RANGE, f"percentile value {text} is not between 0 and 1")


def percentile_discrete(values: list[Any], fraction: float) -> Any:
    check_percentile(fraction)
    return values[max(math.ceil(fraction * len(values)), 1) - 1]


def percentile_continuous(values: list[Any], fraction: float) -> Any:
    check_percentile(fraction)
    position = fraction * (len(values) - 1)
    first, second = math.floor(position), math.ceil(position)
    low, high = values[first], values[second]
    if first == second:
        return low
    return low + (position - first) * (high - low)


def interval_continuous(values: list[str], fraction: float) -> str:
    """percentile_cont over intervals, by the interval module's own arithmetic."""
    from pgemu.fmgr import functions

    check_percentile(fraction)
    position = fraction * (len(values) - 1)
    first, second = math.floor(position), math.ceil(position)
    if first == second:
        return values[first]
    subtract = functions["interval_mi(interval,interval)"].body
    multiply = functions["interval_mul(interval,float8)"].body
    add = functions["interval_pl(interval,interval)"].body
    span = multiply(subtract(values[second], values[first]), position - first)
    return str(add(values[first], span))


def bind_percentile(signature: str, compute: Callable[[list[Any], float], Any]) -> None:
    class Percentile(Sorted):
        def final(self) -> Any:
            (fraction,) = self.arguments
            if fraction is None:
                return None
            check_percentile(fraction)
            return compute(self.values, fraction) if self.values else None

    class PercentileArray(Sorted):
        def final(self) -> Any:
            (fractions,) = self.arguments
            if fractions is None or not self.values:
                return None
            return dump_nested(self.each(json.loads(fractions)))

        def each(self, fraction: Any) -> Any:
            if isinstance(fraction, list):
                return [self.each(f) for f in fraction]
            if fraction is None:
                return None
            value = compute(self.values, fraction)
            return value.hex() if isinstance(value, bytes) else value

    name, _, value_type = signature.partition(" ")
    pg_aggregate(f"{name}(float8,{value_type})", strict=False)(Percentile)
    pg_aggregate(f"{name}(_float8,{value_type})", strict=False)(PercentileArray)


bind_percentile("percentile_disc anyelement", percentile_discrete)
bind_percentile("percentile_cont float8", percentile_continuous)
bind_percentile("percentile_cont interval", interval_continuous)


@pg_aggregate("mode(anyelement)", strict=False, context=True, typed=True)
class Mode(Sorted):
    """The most frequent value, the first such in order."""

    def __init__(self, ctx: CallContext, info: TypeInfo) -> None:
        super().__init__()
        self.io: BaseType = ctx.catalog.types.io(info.arg_types[-1])

    def final(self) -> Any:
        best: Any = None
        best_count = count = 0
        previous: Any = None
        for value in self.values:
            if count and self.io.compare(previous, value) == 0:
                count += 1
            else:
                previous, count = value, 1
            if count > best_count:
                best, best_count = previous, count
        return best


class HypotheticalSet:
    """rank() and its kin WITHIN GROUP: how the direct row would rank among the sorted rows.

    The executor sorts the aggregated rows together with their order; here rows are compared with
    the direct arguments by the argument types' order, and by what the executor put into
    `ordering`: (descending, nulls first) of each column.
    """

    ordering: tuple[tuple[bool, bool], ...] = ()

    def __init__(self, ctx: CallContext, info: TypeInfo) -> None:
        count = len(info.arg_types) // 2
        self.types = [ctx.catalog.types.io(oid) for oid in info.arg_types[:count]]
        self.rows: list[tuple[Any, ...]] = []
        self.arguments: tuple[Any, ...] = ()

    def direct(self, *arguments: Any) -> None:
        self.arguments = arguments

    def step(self, *args: Any) -> None:
        self.rows.append(args)

    def compare_rows(self, a: tuple[Any, ...], b: tuple[Any, ...]) -> int:
        ordering = self.ordering or ((False, False),) * len(self.types)
        for io, x, y, (descending, nulls_first) in zip(self.types, a, b, ordering, strict=False):
            if x is None or y is None:
                order = (x is None) - (y is None)
                order = -order if nulls_first else order
            else:
                order = io.compare(x, y)
                order = -order if descending else order
            if order:
                return order
        return 0

    def before(self) -> list[tuple[Any, ...]]:
        return [row for row in self.rows if self.compare_rows(row, self.arguments) < 0]

    def final(self) -> Any:
        return len(self.before()) + 1


pg_aggregate("rank(any)", strict=False, context=True, typed=True)(HypotheticalSet)


@pg_aggregate("dense_rank(any)", strict=False, context=True, typed=True)
class HypotheticalDenseRank(HypotheticalSet):
    def final(self) -> Any:
        rows = self.before()
        distinct = sum(
            1 for i, row in enumerate(rows) if i == 0 or self.compare_rows(rows[i - 1], row)
        )
        return distinct + 1


@pg_aggregate("percent_rank(any)", strict=False, context=True, typed=True)
class HypotheticalPercentRank(HypotheticalSet):
    def final(self) -> Any:
        return len(self.before()) / len(self.rows) if self.rows else 0.0


@pg_aggregate("cume_dist(any)", strict=False, context=True, typed=True)
class HypotheticalCumeDist(HypotheticalSet):
    def final(self) -> Any:
        peers = sum(1 for row in self.rows if self.compare_rows(row, self.arguments) <= 0)
        return (peers + 1) / (len(self.rows) + 1)
