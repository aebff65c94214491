"""Transition, combine and final functions of the builtin aggregates as SQL-callable functions.

CREATE AGGREGATE may name them (PostgreSQL: utils/adt/numeric.c, float.c, int8.c).  States of
SQL types are arrays as in PostgreSQL; states of type internal are the Python aggregates of
aggregates.py, handed through from call to call.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from pgemu.errors import INTERNAL_ERROR, PgError
from pgemu.fmgr import pg_function
from pgemu.types.aggregates import (
    AvgNumeric,
    FloatMoments,
    FloatVariance,
    NumericState,
    NumericVariance,
    SumNumeric,
)
from pgemu.types.aggregates_regr import STATISTICS, Regression
from pgemu.types.arrays_value import dump_array, load_flat
from pgemu.types.float import PgFloat, float_overflow, from_storage, nan_text
from pgemu.types.integers import INT8
from pgemu.types.numeric_ops import finite_div


def float_state(array: str, size: int, caller: str) -> list[float]:
    values = load_flat(array)
    if len(values) != size:
        raise PgError(INTERNAL_ERROR, f"{caller}: expected {size}-element float8 array")
    return [from_storage(v) for v in values]


def float_array(values: list[float]) -> str:
    return dump_array([nan_text(v) for v in values])


def moments(array: str, caller: str, cls: type[FloatMoments] = FloatMoments) -> Any:
    state = cls()
    n, state.sx, state.sxx = float_state(array, 3, caller)
    state.n = int(n)
    return state


@pg_function("float8_accum(_float8,float8)", "float4_accum(_float8,float4)")
def float8_accum(array: str, value: PgFloat) -> str:
    state = moments(array, "float8_accum")
    state.step(value)
    return float_array([float(state.n), state.sx, state.sxx])


@pg_function("float8_combine(_float8,_float8)")
def float8_combine(a: str, b: str) -> str:
    n1, sx1, sxx1 = float_state(a, 3, "float8_combine")
    n2, sx2, sxx2 = float_state(b, 3, "float8_combine")
    if n1 == 0.0:
        return float_array([n2, sx2, sxx2])
    if n2 == 0.0:
        return float_array([n1, sx1, sxx1])
    n = n1 + n2
    sx = sx1 + sx2
    if math.isinf(sx) and not math.isinf(sx1) and not math.isinf(sx2):
        raise float_overflow()
    difference = sx1 / n1 - sx2 / n2
    sxx = sxx1 + sxx2 + n1 * n2 * difference * difference / n
    if math.isinf(sxx) and not math.isinf(sxx1) and not math.isinf(sxx2):
        raise float_overflow()
    return float_array([n, sx, sxx])


@pg_function("float8_avg(_float8)")
def float8_avg(array: str) -> PgFloat | None:
    state = moments(array, "float8_avg")
    return nan_text(state.sx / state.n) if state.n else None


def bind_float_variance(name: str, sample: bool, root: bool) -> None:
    cls = type(name, (FloatVariance,), {"sample": sample, "root": root})
    pg_function(f"{name}(_float8)")(lambda array: moments(array, name, cls).final())


def bind_regression(name: str) -> None:
    least, compute = STATISTICS[name.removeprefix("float8_")]

    def final(array: str) -> PgFloat | None:
        state = regression(array, name)
        if state.n < least:
            return None
        value = compute(state)
        return None if value is None else nan_text(value)

    pg_function(f"{name}(_float8)")(final)


def regression(array: str, caller: str) -> Regression:
    state = Regression()
    n, state.sx, state.sxx, state.sy, state.syy, state.sxy = float_state(array, 6, caller)
    state.n = int(n)
    return state


@pg_function("float8_regr_accum(_float8,float8,float8)")
def float8_regr_accum(array: str, y: PgFloat, x: PgFloat) -> str:
    s = regression(array, "float8_regr_accum")
    s.step(y, x)
    return float_array([float(s.n), s.sx, s.sxx, s.sy, s.syy, s.sxy])


for _name, _sample, _root in (
    ("float8_var_pop", False, False),
    ("float8_var_samp", True, False),
    ("float8_stddev_pop", False, True),
    ("float8_stddev_samp", True, True),
):
    bind_float_variance(_name, _sample, _root)
for _name in STATISTICS:
    bind_regression(
        f"float8_{_name}"
        if _name.startswith(("regr_", "corr", "covar_"))
        else f"float8_regr_{_name}"
    )
pg_function("int8inc_float8_float8(int8,float8,float8)")(lambda a, _y, _x: INT8.checked(a + 1))


# Averages of integers: {count,sum}
def count_and_sum(array: str) -> tuple[int, int]:
    values = load_flat(array)
    if len(values) != 2:
        raise PgError(INTERNAL_ERROR, "expected 2-element int8 array")
    return values[0], values[1]


@pg_function("int2_avg_accum(_int8,int2)", "int4_avg_accum(_int8,int4)")
def int4_avg_accum(array: str, value: int) -> str:
    count, total = count_and_sum(array)
    return dump_array([count + 1, total + value])


@pg_function("int2_avg_accum_inv(_int8,int2)", "int4_avg_accum_inv(_int8,int4)")
def int4_avg_accum_inv(array: str, value: int) -> str:
    count, total = count_and_sum(array)
    return dump_array([count - 1, total - value])


@pg_function("int4_avg_combine(_int8,_int8)")
def int4_avg_combine(a: str, b: str) -> str:
    (n1, s1), (n2, s2) = count_and_sum(a), count_and_sum(b)
    return dump_array([n1 + n2, s1 + s2])


@pg_function("int8_avg(_int8)")
def int8_avg(array: str) -> str | None:
    count, total = count_and_sum(array)
    return finite_div(total, 0, count, 0) if count else None


@pg_function("int2int4_sum(_int8)")
def int2int4_sum(array: str) -> int | None:
    count, total = count_and_sum(array)
    return total if count else None


# Intervals: {sum, count as an interval}
def interval_body(signature: str) -> Callable[..., str]:
    from pgemu.fmgr import functions

    body: Callable[..., str] = functions[signature].body
    return body


def interval_parts(array: str) -> tuple[str, int]:
    total, count = load_flat(array)
    return total, int(str(count).rsplit(" ", 1)[-1])


@pg_function("interval_accum(_interval,interval)")
def interval_accum(array: str, value: str) -> str:
    total, count = interval_parts(array)
    add = interval_body("interval_pl(interval,interval)")
    return dump_array([add(total, value), f"0 0 {count + 1}"])


@pg_function("interval_accum_inv(_interval,interval)")
def interval_accum_inv(array: str, value: str) -> str:
    total, count = interval_parts(array)
    subtract = interval_body("interval_mi(interval,interval)")
    return dump_array([subtract(total, value), f"0 0 {count - 1}"])


@pg_function("interval_combine(_interval,_interval)")
def interval_combine(a: str, b: str) -> str:
    (s1, n1), (s2, n2) = interval_parts(a), interval_parts(b)
    add = interval_body("interval_pl(interval,interval)")
    return dump_array([add(s1, s2), f"0 0 {n1 + n2}"])


@pg_function("interval_avg(_interval)")
def interval_avg(array: str) -> str | None:
    total, count = interval_parts(array)
    if not count:
        return None
    return interval_body("interval_div(interval,float8)")(total, float(count))


# States of type internal.
class Accumulated(NumericVariance):
    """NumericAggState with everything that any of the final functions wants."""


def accumulate(state: Accumulated | None, value: Any) -> Accumulated:
    state = Accumulated() if state is None else state
    if value is not None:
        state.step(value)
    return state


def discharge(state: Accumulated | None, value: Any) -> Accumulated:
    if state is None:
        raise PgError(INTERNAL_ERROR, "numeric_accum_inv called with NULL state")
    if value is not None:
        state.inverse(value)
    return state


for _type in ("numeric", "int2", "int4", "int8"):
    pg_function(f"{_type}_accum(internal,{_type})")(accumulate)
    pg_function(f"{_type}_accum_inv(internal,{_type})")(discharge)
for _type in ("numeric", "int8"):
    pg_function(f"{_type}_avg_accum(internal,{_type})")(accumulate)
pg_function("int8_avg_accum_inv(internal,int8)")(discharge)


@pg_function(
    "numeric_combine(internal,internal)",
    "numeric_poly_combine(internal,internal)",
    "numeric_avg_combine(internal,internal)",
    "int8_avg_combine(internal,internal)",
)
def numeric_combine(a: Accumulated | None, b: Accumulated | None) -> Accumulated | None:
    if a is None or b is None:
        return b if a is None else a
    scale = max(a.scale, b.scale)
    for state in (a, b):
        if state.scale < scale:
            state.rescale(10 ** (scale - state.scale))
            state.scale = scale
    a.count += b.count
    a.total += b.total
    a.squares += b.squares
    for key, number in b.scales.items():
        a.scales[key] = a.scales.get(key, 0) + number
    for name, number in b.specials.items():
        a.specials[name] += number
    return a


def bind_final(name: str, final: Callable[[Any], str | None]) -> None:
    pg_function(f"{name}(internal)")(lambda state: None if state is None else final(state))


def average(state: NumericState) -> str | None:
    return AvgNumeric.final(state)  # type: ignore[arg-type]


def total(state: NumericState) -> str | None:
    return SumNumeric.final(state)  # type: ignore[arg-type]


def bind_variance(name: str, sample: bool, root: bool) -> None:
    cls = type(name, (NumericVariance,), {"sample": sample, "root": root})

    def final(state: Accumulated) -> str | None:
        other = cls()
        other.__dict__.update(state.__dict__)
        result: str | None = other.final()
        return result

    for prefix in ("numeric", "numeric_poly"):
        bind_final(f"{prefix}_{name}", final)


for _prefix in ("numeric", "numeric_poly"):
    bind_final(f"{_prefix}_avg", average)
    bind_final(f"{_prefix}_sum", total)
for _name, _sample, _root in (
    ("var_pop", False, False),
    ("var_samp", True, False),
    ("stddev_pop", False, True),
    ("stddev_samp", True, True),
):
    bind_variance(_name, _sample, _root)


class BoolState:
    def __init__(self) -> None:
        self.count = 0
        self.true = 0


def count_bool(state: BoolState | None, value: Any, by: int) -> BoolState:
    state = BoolState() if state is None else state
    if value is not None:
        state.count += by
        state.true += by * bool(value)
    return state


pg_function("bool_accum(internal,bool)")(lambda state, value: count_bool(state, value, 1))
pg_function("bool_accum_inv(internal,bool)")(lambda state, value: count_bool(state, value, -1))
pg_function("bool_alltrue(internal)")(
    lambda s: None if s is None or not s.count else s.true == s.count
)
pg_function("bool_anytrue(internal)")(lambda s: None if s is None or not s.count else s.true > 0)


def string_agg(state: list[Any] | None, value: Any, delimiter: Any) -> list[Any] | None:
    if value is None:
        return state
    state = [] if state is None else state
    if state and delimiter is not None:
        state.append(delimiter)
    state.append(value)
    return state


pg_function("string_agg_transfn(internal,text,text)")(string_agg)
pg_function("bytea_string_agg_transfn(internal,bytea,bytea)")(string_agg)
pg_function("string_agg_finalfn(internal)")(lambda s: None if s is None else "".join(s))
pg_function("bytea_string_agg_finalfn(internal)")(lambda s: None if s is None else b"".join(s))


def array_agg(state: list[Any] | None, value: Any) -> list[Any]:
    state = [] if state is None else state
    state.append(value)
    return state


pg_function("array_agg_transfn(internal,anynonarray)")(array_agg)
pg_function("array_agg_finalfn(internal,anynonarray)")(
    lambda state, _value=None: None if state is None else dump_array(state)
)


@pg_function("float8_regr_combine(_float8,_float8)")
def float8_regr_combine(first: str, second: str) -> str:
    """Youngs and Cramer's update for two samples."""
    a = regression(first, "float8_regr_combine")
    b = regression(second, "float8_regr_combine")
    if not a.n or not b.n:
        s = a if a.n else b
        return float_array([float(s.n), s.sx, s.sxx, s.sy, s.syy, s.sxy])
    n = a.n + b.n
    x, y = a.sx / a.n - b.sx / b.n, a.sy / a.n - b.sy / b.n
    weight = a.n * b.n
    values = [
        (a.sx + b.sx, a.sx, b.sx),
        (a.sxx + b.sxx + weight * x * x / n, a.sxx, b.sxx),
        (a.sy + b.sy, a.sy, b.sy),
        (a.syy + b.syy + weight * y * y / n, a.syy, b.syy),
        (a.sxy + b.sxy + weight * x * y / n, a.sxy, b.sxy),
    ]
    for value, *sources in values:
        if math.isinf(value) and not any(map(math.isinf, sources)):
            raise float_overflow()
    return float_array([float(n), *(value for value, *_ in values)])
