"""generate_series over timestamps, generate_subscripts, and the SRFs that list time zones.

Counterparts: generate_series_* of timestamp.c; array_subscripts.  The integer and numeric series
stand in integer_ops.py and numeric_ops.py.
Bodies are generators: nothing is kept in memory.
"""

from __future__ import annotations

from collections.abc import Iterator

from pgemu.errors import INVALID_PARAMETER_VALUE, PgError
from pgemu.fmgr import CallContext, TypeInfo, pg_function
from pgemu.types.arrays_value import array_bounds, zero_based
from pgemu.types.datetime_calendar import UNIX_TO_PG_SECS, USECS_PER_SEC
from pgemu.types.datetime_ops import INFINITE, add_to_timestamptz, timestamp_pl_interval
from pgemu.types.interval import interval_span
from pgemu.types.timezone import PgTimeZone, pg_tzset, session_zone, timezone_abbrevs, zone_names

STEP_ZERO = "step size cannot equal zero"


def _check_step(step: str) -> int:
    sign = interval_span(step)
    if sign == 0:
        raise PgError(INVALID_PARAMETER_VALUE, STEP_ZERO)
    return sign


@pg_function("generate_series(timestamp, timestamp, interval)")
def generate_series_timestamp(start: int, stop: int, step: str) -> Iterator[int]:
    sign = _check_step(step)
    current = start
    while (current <= stop) if sign > 0 else (current >= stop):
        yield current
        if current in INFINITE:
            return
        current = timestamp_pl_interval(current, step)


@pg_function("generate_series(timestamptz, timestamptz, interval)", context=True)
def generate_series_timestamptz(
    ctx: CallContext, start: int, stop: int, step: str
) -> Iterator[int]:
    sign = _check_step(step)
    zone = session_zone(ctx)
    current = start
    while (current <= stop) if sign > 0 else (current >= stop):
        yield current
        if current in INFINITE:
            return
        current = add_to_timestamptz(current, step, zone)


@pg_function("generate_subscripts(anyarray, int4)", typed=True)
def generate_subscripts(info: TypeInfo, array: str, dim: int) -> Iterator[int]:
    yield from _subscripts(zero_based(info.arg_types[0], array), dim)


@pg_function("generate_subscripts(anyarray, int4, bool)", typed=True)
def generate_subscripts_reverse(
    info: TypeInfo, array: str, dim: int, reverse: int
) -> Iterator[int]:
    found = list(_subscripts(zero_based(info.arg_types[0], array), dim))
    yield from reversed(found) if reverse else found


def _subscripts(array: str, dim: int) -> Iterator[int]:
    lower, sizes = array_bounds(array)
    if 1 <= dim <= len(sizes):
        yield from range(lower[dim - 1], lower[dim - 1] + sizes[dim - 1])


def _offset_interval(seconds: int) -> str:
    return f"0 0 {seconds * USECS_PER_SEC}"


@pg_function("pg_timezone_names()", context=True)
def pg_timezone_names(ctx: CallContext) -> Iterator[tuple[str, str, str, bool]]:
    at = ctx.xact_start_us // USECS_PER_SEC + UNIX_TO_PG_SECS
    for name in sorted(zone_names().values()):
        zone: PgTimeZone | None = pg_tzset(name)
        if zone is not None:
            span = zone.span(at)
            yield name, span[4], _offset_interval(span[2]), span[3]


@pg_function("pg_timezone_abbrevs()", context=True)
def pg_timezone_abbrevs(ctx: CallContext) -> Iterator[tuple[str, str, bool]]:
    at = ctx.xact_start_us // USECS_PER_SEC + UNIX_TO_PG_SECS
    for abbrev, (offset, dst, zone_name) in timezone_abbrevs().items():
        if zone_name:
            zone = pg_tzset(zone_name)
            found = zone.abbrev_offset(abbrev, at) if zone is not None else None
            if found is not None:
                offset, dst = found
        yield abbrev.upper(), _offset_interval(offset), dst
