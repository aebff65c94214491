"""Interval arithmetic, justification, age, and the aggregates sum and avg.

Counterpart: the interval functions of timestamp.c.  Fractions cascade from months to days to
microseconds with PostgreSQL's rounding (TSROUND: to microseconds).
"""

from __future__ import annotations

import math
from typing import Any

from pgemu.errors import DATETIME_VALUE_OUT_OF_RANGE, DIVISION_BY_ZERO, PgError
from pgemu.fmgr import CallContext, pg_aggregate, pg_function
from pgemu.types.datetime_calendar import (
    USECS_PER_DAY,
    Tm,
    days_in_month,
    timestamp2tm,
    timestamptz2tm,
    utc_to_local,
)
from pgemu.types.datetime_ops import INFINITE, justify_hours_parts, negated
from pgemu.types.interval import (
    adjust_interval_for_typmod,
    interval_out_of_range,
    pack_interval,
    unpack_interval,
)
from pgemu.types.timezone import session_zone


@pg_function("interval_pl(interval, interval)")
def interval_pl(a: str, b: str) -> str:
    x, y = unpack_interval(a), unpack_interval(b)
    return pack_interval(x[0] + y[0], x[1] + y[1], x[2] + y[2])


@pg_function("interval_mi(interval, interval)")
def interval_mi(a: str, b: str) -> str:
    x, y = unpack_interval(a), unpack_interval(b)
    return pack_interval(x[0] - y[0], x[1] - y[1], x[2] - y[2])


pg_function("interval_um(interval)")(negated)


@pg_function("interval(interval, int4)")
def interval_scale(value: str, typmod: int) -> str:
    return pack_interval(*adjust_interval_for_typmod(unpack_interval(value), typmod))


def tsround(value: float) -> float:
    return round(value * 1_000_000) / 1_000_000


def _scaled(value: str, scale: Any) -> str:
    """months, days and usecs through `scale` (a function on floats), fractions cascading."""
    months, days, usecs = unpack_interval(value)
    month_result, day_result = scale(months), scale(days)
    for one in (month_result, day_result):
        if math.isnan(one) or not -(2**31) <= one < 2**31:
            raise interval_out_of_range()
    new_months, new_days = int(month_result), int(day_result)
    month_days = tsround((month_result - new_months) * 30)
    seconds = tsround((day_result - new_days + month_days - int(month_days)) * 86400)
    if abs(seconds) >= 86400:
        new_days += int(seconds / 86400)
        seconds -= int(seconds / 86400) * 86400
    new_days += int(month_days)
    rest = scale(usecs) + seconds * 1_000_000
    if math.isnan(rest) or not -(2.0**63) <= rest < 2.0**63:
        raise interval_out_of_range()
    return pack_interval(new_months, new_days, round(rest))


@pg_function("interval_mul(interval, float8)")
def interval_mul(value: str, factor: Any) -> str:
    number = float(factor)
    return _scaled(value, lambda part: part * number)


@pg_function("mul_d_interval(float8, interval)")
def mul_d_interval(factor: Any, value: str) -> str:
    return interval_mul(value, factor)


@pg_function("interval_div(interval, float8)")
def interval_div(value: str, divisor: Any) -> str:
    number = float(divisor)
    if number == 0:
        raise PgError(DIVISION_BY_ZERO, "division by zero")
    return _scaled(value, lambda part: part / number)


@pg_function("justify_hours(interval)")
def justify_hours(value: str) -> str:
    return pack_interval(*justify_hours_parts(*unpack_interval(value)))


def _carry_days(months: int, days: int) -> tuple[int, int]:
    whole = abs(days) // 30
    whole = whole if days >= 0 else -whole
    return months + whole, days - whole * 30


@pg_function("justify_days(interval)")
def justify_days(value: str) -> str:
    months, days, usecs = unpack_interval(value)
    months, days = _carry_days(months, days)
    if months > 0 and days < 0:
        months, days = months - 1, days + 30
    elif months < 0 and days > 0:
        months, days = months + 1, days - 30
    return pack_interval(months, days, usecs)


@pg_function("justify_interval(interval)")
def justify_interval(value: str) -> str:
    months, days, usecs = unpack_interval(value)
    if (days > 0 and usecs > 0) or (days < 0 and usecs < 0):
        months, days = _carry_days(months, days)
    whole = abs(usecs) // USECS_PER_DAY
    whole = whole if usecs >= 0 else -whole
    usecs -= whole * USECS_PER_DAY
    days += whole
    months, days = _carry_days(months, days)
    if months > 0 and (days < 0 or (days == 0 and usecs < 0)):
        months, days = months - 1, days + 30
    elif months < 0 and (days > 0 or (days == 0 and usecs > 0)):
        months, days = months + 1, days - 30
    if days > 0 and usecs < 0:
        days, usecs = days - 1, usecs + USECS_PER_DAY
    elif days < 0 and usecs > 0:
        days, usecs = days + 1, usecs - USECS_PER_DAY
    return pack_interval(months, days, usecs)


@pg_function("make_interval(int4, int4, int4, int4, int4, int4, float8)")
def make_interval(
    years: int, months: int, weeks: int, days: int, hours: int, mins: int, secs: Any
) -> str:
    if secs == "NaN" or secs in (float("inf"), float("-inf")):
        raise interval_out_of_range()
    usecs = hours * 3_600_000_000 + mins * 60_000_000 + round(secs * 1_000_000)
    return pack_interval(int32(years * 12 + months), int32(weeks * 7 + days), usecs)


def int32(value: int) -> int:
    """Wrapped around, as C's integers are."""
    return (value + 2**31) % 2**32 - 2**31


# ---- age


def _age(one: Tm, two: Tm, a: int, b: int) -> str:
    fields = [
        one.usec - two.usec,
        one.sec - two.sec,
        one.min - two.min,
        one.hour - two.hour,
        one.day - two.day,
        one.mon - two.mon,
        one.year - two.year,
    ]
    negative = a < b
    if negative:
        fields = [-f for f in fields]
    for index, limit in enumerate((1_000_000, 60, 60, 24)):
        while fields[index] < 0:
            fields[index] += limit
            fields[index + 1] -= 1
    while fields[4] < 0:
        base = one if negative else two
        fields[4] += days_in_month(base.year, base.mon)
        fields[5] -= 1
    while fields[5] < 0:
        fields[5] += 12
        fields[6] -= 1
    usec, sec, minute, hour, day, month, year = fields
    usecs = ((hour * 60 + minute) * 60 + sec) * 1_000_000 + usec
    months = year * 12 + month
    return pack_interval(-months, -day, -usecs) if negative else pack_interval(months, day, usecs)


def _check_age(a: int, b: int) -> None:
    # infinity counts as the largest timestamp that there is, as in PostgreSQL 15
    if min(INFINITE) in (a, b):
        raise PgError(DATETIME_VALUE_OUT_OF_RANGE, "timestamp out of range")


@pg_function("age(timestamp, timestamp)")
def timestamp_age(a: int, b: int) -> str:
    _check_age(a, b)
    return _age(timestamp2tm(a), timestamp2tm(b), a, b)


@pg_function("age(timestamptz, timestamptz)", context=True)
def timestamptz_age(ctx: CallContext, a: int, b: int) -> str:
    _check_age(a, b)
    zone = session_zone(ctx)
    one, two = timestamptz2tm(a, zone), timestamptz2tm(b, zone)
    return _age(one, two, a, b)


def _today(ctx: CallContext) -> int:
    local = utc_to_local(ctx.xact_start_us, session_zone(ctx))
    return local // USECS_PER_DAY * USECS_PER_DAY


@pg_function("age(timestamp)", context=True)
def timestamp_age_today(ctx: CallContext, value: int) -> str:
    return timestamp_age(_today(ctx), value)


@pg_function("age(timestamptz)", context=True)
def timestamptz_age_today(ctx: CallContext, value: int) -> str:
    from pgemu.types.datetime_calendar import local_to_utc

    return timestamptz_age(ctx, local_to_utc(_today(ctx), session_zone(ctx)), value)


# ---- aggregates


@pg_aggregate("sum(interval)")
class IntervalSum:
    """Sum with inverse for moving frames."""

    def __init__(self) -> None:
        self.count = self.months = self.days = self.usecs = 0

    def step(self, *args: Any) -> None:
        months, days, usecs = unpack_interval(args[0])
        self.count += 1
        self.months += months
        self.days += days
        self.usecs += usecs

    def inverse(self, *args: Any) -> None:
        months, days, usecs = unpack_interval(args[0])
        self.count -= 1
        self.months -= months
        self.days -= days
        self.usecs -= usecs

    def value(self) -> str | None:
        return self.final()

    def final(self) -> str | None:
        if self.count == 0:
            return None
        return pack_interval(self.months, self.days, self.usecs)


@pg_aggregate("avg(interval)")
class IntervalAvg(IntervalSum):
    def final(self) -> str | None:
        total = super().final()
        return None if total is None else interval_div(total, float(self.count))
