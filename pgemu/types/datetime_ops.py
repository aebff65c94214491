"""Arithmetic, comparison and casts of date, time, timetz, timestamp and timestamptz.

Counterparts: date.c and timestamp.c.  Functions that differ only in the comparison operator are
registered in loops from tables.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from pgemu.errors import (
    DATETIME_FIELD_OVERFLOW,
    DATETIME_VALUE_OUT_OF_RANGE,
    INVALID_PARAMETER_VALUE,
    PgError,
)
from pgemu.fmgr import CallContext, pg_function
from pgemu.types.datetime_calendar import (
    DATE_END_JULIAN,
    DATE_NOBEGIN,
    DATE_NOEND,
    DT_NOBEGIN,
    DT_NOEND,
    END_TIMESTAMP,
    MIN_TIMESTAMP,
    POSTGRES_EPOCH_JDATE,
    TIMESTAMP_END_JULIAN,
    UNIX_TO_PG_SECS,
    USECS_PER_DAY,
    USECS_PER_SEC,
    date2j,
    days_in_month,
    j2date,
    local_to_utc,
    timestamp_out_of_range,
    utc_to_local,
)
from pgemu.types.datetime_types import adjust_precision, timetz_parts, timetz_type
from pgemu.types.interval import (
    interval_type,
    pack_interval,
    unpack_interval,
)
from pgemu.types.timezone import PgTimeZone, session_zone

INFINITE = (DT_NOBEGIN, DT_NOEND)
INFINITE_DATES = (DATE_NOBEGIN, DATE_NOEND)


def check_timestamp(value: int) -> int:
    if not MIN_TIMESTAMP <= value < END_TIMESTAMP:
        raise timestamp_out_of_range()
    return value


def check_date(days: int) -> int:
    if not 0 <= days + POSTGRES_EPOCH_JDATE < DATE_END_JULIAN:
        raise PgError(DATETIME_VALUE_OUT_OF_RANGE, "date out of range")
    return days


def date2timestamp(days: int) -> int:
    if days == DATE_NOBEGIN:
        return DT_NOBEGIN
    if days == DATE_NOEND:
        return DT_NOEND
    if days >= TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE:
        raise PgError(DATETIME_VALUE_OUT_OF_RANGE, "date out of range for timestamp")
    return days * USECS_PER_DAY


def date2timestamptz(days: int, zone: PgTimeZone) -> int:
    local = date2timestamp(days)
    if local in INFINITE:
        return local
    offset = zone.local_offset(local // USECS_PER_SEC + UNIX_TO_PG_SECS)[0]
    result = local - offset * USECS_PER_SEC
    if not MIN_TIMESTAMP <= result < END_TIMESTAMP:
        raise PgError(DATETIME_VALUE_OUT_OF_RANGE, "date out of range for timestamp")
    return result


def timestamp2date(value: int) -> int:
    if value == DT_NOBEGIN:
        return DATE_NOBEGIN
    if value == DT_NOEND:
        return DATE_NOEND
    return value // USECS_PER_DAY


def soft_date2timestamp(days: int) -> int:
    """For comparisons: a date past the last timestamp is later than all but infinity."""
    if days in INFINITE_DATES or days < TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE:
        return date2timestamp(days)
    return DT_NOEND - 1


def soft_date2timestamptz(days: int, zone: PgTimeZone) -> int:
    local = soft_date2timestamp(days)
    if local in INFINITE or local == DT_NOEND - 1:
        return local
    return local - zone.local_offset(local // USECS_PER_SEC + UNIX_TO_PG_SECS)[0] * USECS_PER_SEC


def soft_local_to_utc(value: int, zone: PgTimeZone) -> int:
    if value in INFINITE:
        return value
    return value - zone.local_offset(value // USECS_PER_SEC + UNIX_TO_PG_SECS)[0] * USECS_PER_SEC


# ---- comparison

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}


def cmp(a: Any, b: Any) -> int:
    return int(a > b) - int(a < b)


Key = Callable[[CallContext, Any], Any]


def _plain(ctx: CallContext, value: Any) -> Any:
    return value


def _register_comparison(prefix: str, suffix: str, types: tuple[str, str], a: Key, b: Key) -> None:
    args = f"({types[0]}, {types[1]})"
    for name, test in OPERATORS.items():

        def body(ctx: CallContext, x: Any, y: Any, test: Callable[[Any, Any], bool] = test) -> bool:
            return test(a(ctx, x), b(ctx, y))

        pg_function(f"{prefix}_{name}{suffix}{args}", context=True)(body)

    def compare(ctx: CallContext, x: Any, y: Any) -> int:
        return cmp(a(ctx, x), b(ctx, y))

    pg_function(f"{prefix}_cmp{suffix}{args}", context=True)(compare)


for _type in ("date", "time", "timestamp", "timestamptz"):
    for _name, _test in OPERATORS.items():
        pg_function(f"{_type}_{_name}({_type}, {_type})")(_test)
    pg_function(f"{_type}_cmp({_type}, {_type})")(cmp)
    pg_function(f"{_type}_larger({_type}, {_type})")(max)
    pg_function(f"{_type}_smaller({_type}, {_type})")(min)


def _keyed(name: str, key: Callable[[Any], Any]) -> None:
    def one(ctx: CallContext, value: Any) -> Any:
        return key(value)

    _register_comparison(name, "", (name, name), one, one)

    def larger(x: str, y: str) -> str:
        return x if key(x) > key(y) else y

    def smaller(x: str, y: str) -> str:
        return x if key(x) < key(y) else y

    pg_function(f"{name}_larger({name}, {name})")(larger)
    pg_function(f"{name}_smaller({name}, {name})")(smaller)


_keyed("timetz", timetz_type.hash_key)
_keyed("interval", interval_type.hash_key)


def _date_ts(ctx: CallContext, value: int) -> int:
    return soft_date2timestamp(value)


def _date_tz(ctx: CallContext, value: int) -> int:
    return soft_date2timestamptz(value, session_zone(ctx))


def _ts_tz(ctx: CallContext, value: int) -> int:
    return soft_local_to_utc(value, session_zone(ctx))


_register_comparison("date", "_timestamp", ("date", "timestamp"), _date_ts, _plain)
_register_comparison("date", "_timestamptz", ("date", "timestamptz"), _date_tz, _plain)
_register_comparison("timestamp", "_date", ("timestamp", "date"), _plain, _date_ts)
_register_comparison("timestamptz", "_date", ("timestamptz", "date"), _plain, _date_tz)
_register_comparison("timestamp", "_timestamptz", ("timestamp", "timestamptz"), _ts_tz, _plain)
_register_comparison("timestamptz", "_timestamp", ("timestamptz", "timestamp"), _plain, _ts_tz)


# ---- date


@pg_function("date_mi(date, date)")
def date_mi(a: int, b: int) -> int:
    if a in INFINITE_DATES or b in INFINITE_DATES:
        raise PgError(DATETIME_VALUE_OUT_OF_RANGE, "cannot subtract infinite dates")
    return a - b


@pg_function("date_pli(date, int4)")
def date_pli(date: int, days: int) -> int:
    return date if date in INFINITE_DATES else check_date(date + days)


@pg_function("integer_pl_date(int4, date)")
def integer_pl_date(days: int, date: int) -> int:
    return date_pli(date, days)


@pg_function("date_mii(date, int4)")
def date_mii(date: int, days: int) -> int:
    return date if date in INFINITE_DATES else check_date(date - days)


@pg_function("timestamp(date)")
def date_timestamp(date: int) -> int:
    return date2timestamp(date)


@pg_function("timestamptz(date)", context=True)
def date_timestamptz(ctx: CallContext, date: int) -> int:
    return date2timestamptz(date, session_zone(ctx))


@pg_function("timestamp(date, time)", "datetime_pl(date, time)")
def datetime_timestamp(date: int, time: int) -> int:
    result = date2timestamp(date)
    return result if result in INFINITE else check_timestamp(result + time)


@pg_function("timedate_pl(time, date)")
def timedate_pl(time: int, date: int) -> int:
    return datetime_timestamp(date, time)


@pg_function("timestamptz(date, time)", context=True)
def datetime_timestamptz(ctx: CallContext, date: int, time: int) -> int:
    return local_to_utc(datetime_timestamp(date, time), session_zone(ctx))


@pg_function("timestamptz(date, timetz)", "datetimetz_pl(date, timetz)")
def datetimetz_timestamptz(date: int, time: str) -> int:
    if date in INFINITE_DATES:
        return date2timestamp(date)
    usecs, zone = timetz_parts(time)
    result = date2timestamp(date) + usecs + zone * USECS_PER_SEC
    if not MIN_TIMESTAMP <= result < END_TIMESTAMP:
        raise PgError(DATETIME_VALUE_OUT_OF_RANGE, "date out of range for timestamp")
    return result


@pg_function("timetzdate_pl(timetz, date)")
def timetzdate_pl(time: str, date: int) -> int:
    return datetimetz_timestamptz(date, time)


@pg_function("date(timestamp)")
def timestamp_date(value: int) -> int:
    return timestamp2date(value)


@pg_function("date(timestamptz)", context=True)
def timestamptz_date(ctx: CallContext, value: int) -> int:
    return timestamp2date(utc_to_local(value, session_zone(ctx)))


@pg_function("timestamp(timestamptz)", context=True)
def timestamptz_timestamp(ctx: CallContext, value: int) -> int:
    return utc_to_local(value, session_zone(ctx))


@pg_function("timestamptz(timestamp)", context=True)
def timestamp_timestamptz(ctx: CallContext, value: int) -> int:
    return local_to_utc(value, session_zone(ctx))


@pg_function("time(timestamp)")
def timestamp_time(value: int) -> int | None:
    return None if value in INFINITE else value % USECS_PER_DAY


@pg_function("time(timestamptz)", context=True)
def timestamptz_time(ctx: CallContext, value: int) -> int | None:
    if value in INFINITE:
        return None
    return utc_to_local(value, session_zone(ctx)) % USECS_PER_DAY


@pg_function("timetz(timestamptz)", context=True)
def timestamptz_timetz(ctx: CallContext, value: int) -> str | None:
    if value in INFINITE:
        return None
    offset = session_zone(ctx).span(value // USECS_PER_SEC + UNIX_TO_PG_SECS)[2]
    return f"{(value + offset * USECS_PER_SEC) % USECS_PER_DAY} {-offset}"


@pg_function("timetz(time)", context=True)
def time_timetz(ctx: CallContext, value: int) -> str:
    zone = session_zone(ctx)
    today = utc_to_local(ctx.xact_start_us, zone) // USECS_PER_DAY
    local = today * 86400 + value // USECS_PER_SEC + UNIX_TO_PG_SECS
    return f"{value} {-zone.local_offset(local)[0]}"


@pg_function("time(timetz)")
def timetz_time(value: str) -> int:
    return timetz_parts(value)[0]


@pg_function("time(interval)")
def interval_time(value: str) -> int:
    return unpack_interval(value)[2] % USECS_PER_DAY


@pg_function("interval(time)")
def time_interval(value: int) -> str:
    return pack_interval(0, 0, value)


@pg_function("timestamp(timestamp, int4)", "timestamptz(timestamptz, int4)")
def timestamp_scale(value: int, typmod: int) -> int:
    if value in INFINITE or typmod == -1:
        return value
    if not 0 <= typmod <= 6:
        raise PgError(
            INVALID_PARAMETER_VALUE, f"timestamp({typmod}) precision must be between 0 and 6"
        )
    return adjust_precision(value, typmod)


@pg_function("time(time, int4)")
def time_scale(value: int, typmod: int) -> int:
    return adjust_precision(value, typmod)


@pg_function("timetz(timetz, int4)")
def timetz_scale(value: str, typmod: int) -> str:
    usecs, zone = timetz_parts(value)
    return f"{adjust_precision(usecs, typmod)} {zone}"


@pg_function("isfinite(date)")
def date_finite(value: int) -> bool:
    return value not in INFINITE_DATES


@pg_function("isfinite(timestamp)", "isfinite(timestamptz)")
def timestamp_finite(value: int) -> bool:
    return value not in INFINITE


@pg_function("isfinite(interval)")
def interval_finite(value: str) -> bool:
    return True


# ---- time and timetz


@pg_function("time_mi_time(time, time)")
def time_mi_time(a: int, b: int) -> str:
    return pack_interval(0, 0, a - b)


@pg_function("time_pl_interval(time, interval)")
def time_pl_interval(time: int, span: str) -> int:
    return (time + unpack_interval(span)[2]) % USECS_PER_DAY


@pg_function("interval_pl_time(interval, time)")
def interval_pl_time(span: str, time: int) -> int:
    return time_pl_interval(time, span)


@pg_function("time_mi_interval(time, interval)")
def time_mi_interval(time: int, span: str) -> int:
    return (time - unpack_interval(span)[2]) % USECS_PER_DAY


@pg_function("timetz_pl_interval(timetz, interval)")
def timetz_pl_interval(time: str, span: str) -> str:
    usecs, zone = timetz_parts(time)
    return f"{(usecs + unpack_interval(span)[2]) % USECS_PER_DAY} {zone}"


@pg_function("interval_pl_timetz(interval, timetz)")
def interval_pl_timetz(span: str, time: str) -> str:
    return timetz_pl_interval(time, span)


@pg_function("timetz_mi_interval(timetz, interval)")
def timetz_mi_interval(time: str, span: str) -> str:
    usecs, zone = timetz_parts(time)
    return f"{(usecs - unpack_interval(span)[2]) % USECS_PER_DAY} {zone}"


# ---- timestamps and intervals


def add_months(days: int, months: int) -> int:
    """Months on a day number, clamped to the end of the month."""
    year, month, day = j2date(days + POSTGRES_EPOCH_JDATE)
    shift, month = divmod(month - 1 + months, 12)
    year, month = year + shift, month + 1
    day = min(day, days_in_month(year, month))
    return date2j(year, month, day) - POSTGRES_EPOCH_JDATE


@pg_function("timestamp_pl_interval(timestamp, interval)")
def timestamp_pl_interval(value: int, span: str) -> int:
    if value in INFINITE:
        return value
    months, days, usecs = unpack_interval(span)
    if months:
        day, rest = divmod(value, USECS_PER_DAY)
        value = check_timestamp(add_months(day, months) * USECS_PER_DAY + rest)
    if days:
        value = check_timestamp(value + days * USECS_PER_DAY)
    return check_timestamp(value + usecs)


def negated(span: str) -> str:
    months, days, usecs = unpack_interval(span)
    return pack_interval(-months, -days, -usecs)


@pg_function("interval_pl_timestamp(interval, timestamp)")
def interval_pl_timestamp(span: str, value: int) -> int:
    return timestamp_pl_interval(value, span)


@pg_function("timestamp_mi_interval(timestamp, interval)")
def timestamp_mi_interval(value: int, span: str) -> int:
    return timestamp_pl_interval(value, negated(span))


@pg_function("date_pl_interval(date, interval)")
def date_pl_interval(date: int, span: str) -> int:
    return timestamp_pl_interval(date2timestamp(date), span)


@pg_function("interval_pl_date(interval, date)")
def interval_pl_date(span: str, date: int) -> int:
    return date_pl_interval(date, span)


@pg_function("date_mi_interval(date, interval)")
def date_mi_interval(date: int, span: str) -> int:
    return timestamp_pl_interval(date2timestamp(date), negated(span))


def add_to_timestamptz(value: int, span: str, zone: PgTimeZone) -> int:
    """Months and days move the wall clock of the zone, the rest the instant."""
    if value in INFINITE:
        return value
    months, days, usecs = unpack_interval(span)
    if months:
        day, rest = divmod(utc_to_local(value, zone), USECS_PER_DAY)
        value = local_to_utc(add_months(day, months) * USECS_PER_DAY + rest, zone)
    if days:
        value = local_to_utc(utc_to_local(value, zone) + days * USECS_PER_DAY, zone)
    return check_timestamp(value + usecs)


@pg_function("timestamptz_pl_interval(timestamptz, interval)", context=True)
def timestamptz_pl_interval(ctx: CallContext, value: int, span: str) -> int:
    return add_to_timestamptz(value, span, session_zone(ctx))


@pg_function("interval_pl_timestamptz(interval, timestamptz)", context=True)
def interval_pl_timestamptz(ctx: CallContext, span: str, value: int) -> int:
    return add_to_timestamptz(value, span, session_zone(ctx))


@pg_function("timestamptz_mi_interval(timestamptz, interval)", context=True)
def timestamptz_mi_interval(ctx: CallContext, value: int, span: str) -> int:
    return add_to_timestamptz(value, negated(span), session_zone(ctx))


def justify_hours_parts(months: int, days: int, usecs: int) -> tuple[int, int, int]:
    whole = int(abs(usecs) // USECS_PER_DAY)
    whole = whole if usecs >= 0 else -whole
    usecs -= whole * USECS_PER_DAY
    days += whole
    if days > 0 and usecs < 0:
        usecs, days = usecs + USECS_PER_DAY, days - 1
    elif days < 0 and usecs > 0:
        usecs, days = usecs - USECS_PER_DAY, days + 1
    return months, days, usecs


@pg_function("timestamp_mi(timestamp, timestamp)", "timestamptz_mi(timestamptz, timestamptz)")
def timestamp_mi(a: int, b: int) -> str:
    if a in INFINITE or b in INFINITE:
        raise PgError(DATETIME_VALUE_OUT_OF_RANGE, "cannot subtract infinite timestamps")
    difference = (a - b + 2**63) % 2**64 - 2**63  # wraps around as C's does
    return pack_interval(*justify_hours_parts(0, 0, difference))


# ---- makers


def seconds_to_usecs(seconds: Any) -> int:
    usecs: int = round(seconds * USECS_PER_SEC)
    return usecs


def _make_date(year: int, month: int, day: int) -> int | None:
    bc = year < 0
    shown = -year - 1 if bc else year
    if year == 0 or not 1 <= month <= 12 or day < 1:
        return None
    real = -shown if bc else shown
    if day > days_in_month(real, month):
        return None
    return date2j(real, month, day) - POSTGRES_EPOCH_JDATE


@pg_function("make_date(int4, int4, int4)")
def make_date(year: int, month: int, day: int) -> int:
    days = _make_date(year, month, day)
    if days is None:
        raise PgError(
            DATETIME_FIELD_OVERFLOW,
            # a year BC is counted from zero by then
            f"date field value out of range: {year + (year < 0)}-{month:02d}-{day:02d}",
        )
    if not 0 <= days + POSTGRES_EPOCH_JDATE < DATE_END_JULIAN:
        raise PgError(
            DATETIME_VALUE_OUT_OF_RANGE, f"date out of range: {year}-{month:02d}-{day:02d}"
        )
    return days


def float_time(hour: int, minute: int, seconds: Any) -> int | None:
    """Microseconds of a time whose seconds are a float, None if it overflows."""
    if seconds == "NaN" or not 0 <= hour <= 24 or not 0 <= minute <= 59:
        return None
    if not 0 <= seconds <= 60:
        return None
    total = (hour * 60 + minute) * 60 * USECS_PER_SEC + seconds_to_usecs(seconds)
    return total if total <= USECS_PER_DAY else None


def shown_seconds(seconds: Any) -> str:
    return "NaN" if seconds == "NaN" else f"{seconds:02g}"


@pg_function("make_time(int4, int4, float8)")
def make_time(hour: int, minute: int, seconds: Any) -> int:
    usecs = float_time(hour, minute, seconds)
    if usecs is None:
        raise PgError(
            DATETIME_FIELD_OVERFLOW,
            f"time field value out of range: {hour}:{minute:02d}:{shown_seconds(seconds)}",
        )
    return usecs


@pg_function("make_timestamp(int4, int4, int4, int4, int4, float8)")
def make_timestamp(year: int, month: int, day: int, hour: int, minute: int, seconds: Any) -> int:
    days = _make_date(year, month, day)
    if days is None:
        raise PgError(
            DATETIME_FIELD_OVERFLOW, f"date field value out of range: {year}-{month:02d}-{day:02d}"
        )
    shown = f"{year}-{month:02d}-{day:02d}"
    if days < -POSTGRES_EPOCH_JDATE or days >= TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE:
        raise PgError(DATETIME_VALUE_OUT_OF_RANGE, f"date out of range: {shown}")
    usecs = float_time(hour, minute, seconds)
    clock = f"{hour}:{minute:02d}:{shown_seconds(seconds)}"
    if usecs is None:
        raise PgError(DATETIME_FIELD_OVERFLOW, f"time field value out of range: {clock}")
    result = days * USECS_PER_DAY + usecs
    if not MIN_TIMESTAMP <= result < END_TIMESTAMP:
        raise PgError(DATETIME_VALUE_OUT_OF_RANGE, f"timestamp out of range: {shown} {clock}")
    return result


@pg_function("make_timestamptz(int4, int4, int4, int4, int4, float8)", context=True)
def make_timestamptz(
    ctx: CallContext, year: int, month: int, day: int, hour: int, minute: int, seconds: Any
) -> int:
    return local_to_utc(make_timestamp(year, month, day, hour, minute, seconds), session_zone(ctx))


@pg_function("to_timestamp(float8)")
def float8_timestamptz(seconds: Any) -> int:
    if seconds == "NaN":
        raise PgError(DATETIME_VALUE_OUT_OF_RANGE, "timestamp cannot be NaN")
    if seconds in (float("inf"), float("-inf")):
        return DT_NOEND if seconds > 0 else DT_NOBEGIN
    if seconds < -210866803200 or seconds >= 9224318016000:
        raise PgError(DATETIME_VALUE_OUT_OF_RANGE, f'timestamp out of range: "{seconds:g}"')
    return check_timestamp(round((seconds - UNIX_TO_PG_SECS) * USECS_PER_SEC))


# ---- the clock


@pg_function("now()", "transaction_timestamp()", context=True)
def now(ctx: CallContext) -> int:
    return ctx.xact_start_us


@pg_function("statement_timestamp()", context=True)
def statement_timestamp(ctx: CallContext) -> int:
    return ctx.statement_start_us


@pg_function("clock_timestamp()", context=True)
def clock_timestamp(ctx: CallContext) -> int:
    return ctx.clock_us()


@pg_function("timeofday()", context=True)
def timeofday(ctx: CallContext) -> str:
    from pgemu.types.datetime_calendar import timestamptz2tm
    from pgemu.types.datetime_format import DAYS, MONTHS

    tm = timestamptz2tm(ctx.clock_us(), session_zone(ctx))
    weekday = DAYS[(date2j(tm.year, tm.mon, tm.day) + 1) % 7]
    return (
        f"{weekday} {MONTHS[tm.mon - 1]} {tm.day:02d} {tm.hour:02d}:{tm.min:02d}:{tm.sec:02d}."
        f"{tm.usec:06d} {tm.year} {tm.zone}"
    )


# ---- OVERLAPS: arguments may be NULL


def _overlaps(s1: Any, e1: Any, s2: Any, e2: Any) -> bool | None:
    if s1 is None:
        if e1 is None:
            return None
        s1, e1 = e1, None
    elif e1 is not None and s1 > e1:
        s1, e1 = e1, s1
    if s2 is None:
        if e2 is None:
            return None
        s2, e2 = e2, None
    elif e2 is not None and s2 > e2:
        s2, e2 = e2, s2
    if s1 == s2:
        return None if e1 is None or e2 is None else True
    if s1 > s2:
        if e2 is None:
            return None
        if s1 < e2:
            return True
        return None if e1 is None else False
    if e1 is None:
        return None
    if s2 < e1:
        return True
    return None if e2 is None else False


def _register_overlaps(name: str, add: Callable[[CallContext, Any, str], Any], key: Any) -> None:
    for first in (name, "interval"):
        for second in (name, "interval"):
            if name == "timetz" and "interval" in (first, second):
                continue

            def body(
                ctx: CallContext, s1: Any, e1: Any, s2: Any, e2: Any,
                first: str = first, second: str = second,
            ) -> bool | None:  # fmt: skip
                if first == "interval":
                    e1 = None if s1 is None or e1 is None else add(ctx, s1, e1)
                if second == "interval":
                    e2 = None if s2 is None or e2 is None else add(ctx, s2, e2)
                return _overlaps(*(v if v is None else key(v) for v in (s1, e1, s2, e2)))

            pg_function(f"overlaps({name}, {first}, {name}, {second})", context=True)(body)


_register_overlaps("time", lambda ctx, v, i: time_pl_interval(v, i), int)
_register_overlaps("timetz", lambda ctx, v, i: v, timetz_type.hash_key)
_register_overlaps("timestamp", lambda ctx, v, i: timestamp_pl_interval(v, i), int)
_register_overlaps("timestamptz", timestamptz_pl_interval, int)


def invalid_preceding() -> PgError:
    return PgError("22013", "invalid preceding or following size in window function")


def _register_in_range(name: str, add: Callable[..., Any], key: Callable[[Any], Any]) -> None:
    def body(ctx: CallContext, val: Any, base: Any, offset: str, sub: int, less: int) -> bool:
        if interval_type.hash_key(offset) < 0:
            raise invalid_preceding()
        edge = add(ctx, base, negated(offset) if sub else offset)
        return bool(key(val) <= key(edge) if less else key(val) >= key(edge))

    pg_function(f"in_range({name}, {name}, interval, bool, bool)", context=True)(body)


def _date_edge(ctx: CallContext, base: int, offset: str) -> int:
    return timestamp_pl_interval(date2timestamp(base), offset)


def _date_in_range(ctx: CallContext, val: int, base: int, offset: str, sub: int, less: int) -> bool:
    if interval_type.hash_key(offset) < 0:
        raise invalid_preceding()
    edge = _date_edge(ctx, base, negated(offset) if sub else offset)
    value = date2timestamp(val)
    return value <= edge if less else value >= edge


def _timetz_edge(ctx: CallContext, base: str, offset: str) -> str:
    """Not wrapped at midnight."""
    usecs, zone = base.split()
    return f"{int(usecs) + unpack_interval(offset)[2]} {zone}"


def _interval_edge(ctx: CallContext, base: str, offset: str) -> str:
    one, two = unpack_interval(base), unpack_interval(offset)
    return pack_interval(one[0] + two[0], one[1] + two[1], one[2] + two[2])


pg_function("in_range(date, date, interval, bool, bool)", context=True)(_date_in_range)
_register_in_range("timestamp", lambda ctx, v, i: timestamp_pl_interval(v, i), int)
_register_in_range("timestamptz", timestamptz_pl_interval, int)
_register_in_range("time", lambda ctx, v, i: v + unpack_interval(i)[2], int)
_register_in_range("timetz", _timetz_edge, timetz_type.hash_key)
_register_in_range("interval", _interval_edge, interval_type.hash_key)

__all__ = ["INVALID_PARAMETER_VALUE", "add_to_timestamptz", "check_timestamp", "date2timestamp"]
