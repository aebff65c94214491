"""Calendar arithmetic and the broken-down time of the date/time types.

Counterpart of the lower half of PostgreSQL's datetime.c/timestamp.c: Julian days, struct pg_tm,
timestamps to and from fields.  All instants are microseconds since 2000-01-01.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pgemu.errors import DATETIME_VALUE_OUT_OF_RANGE, PgError
from pgemu.types.timezone import PgTimeZone, session_zone

POSTGRES_EPOCH_JDATE = 2451545
UNIX_EPOCH_JDATE = 2440588
UNIX_TO_PG_SECS = (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * 86400
USECS_PER_DAY = 86_400_000_000
USECS_PER_HOUR = 3_600_000_000
USECS_PER_MINUTE = 60_000_000
USECS_PER_SEC = 1_000_000

DT_NOBEGIN = -(2**63)
DT_NOEND = 2**63 - 1
DATE_NOBEGIN = -(2**31)
DATE_NOEND = 2**31 - 1
MIN_TIMESTAMP = -211813488000000000
END_TIMESTAMP = 9223371331200000000
DATETIME_MIN_JULIAN = 0
DATE_END_JULIAN = 2147483494
TIMESTAMP_END_JULIAN = 109203528

MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_in_month(year: int, month: int) -> int:
    return 29 if month == 2 and is_leap(year) else MONTH_DAYS[month - 1]


def date2j(year: int, month: int, day: int) -> int:
    """The Julian day of a date; month and day may be out of their ranges as in PostgreSQL."""
    if month > 2:
        month += 1
        year += 4800
    else:
        month += 13
        year += 4799
    century = year // 100
    julian = year * 365 - 32167
    julian += year // 4 - century + century // 4
    return julian + 7834 * month // 256 + day


@lru_cache(maxsize=8192)
def j2date(jd: int) -> tuple[int, int, int]:
    """(year, month, day) of a Julian day."""
    julian = jd + 32044
    quad = julian // 146097
    extra = (julian - quad * 146097) * 4 + 3
    julian += 60 + quad * 3 + extra // 146097
    quad = julian // 1461
    julian -= quad * 1461
    y = julian * 4 // 1461
    julian = ((julian + 305) % 365 if y != 0 else (julian + 306) % 366) + 123
    y += quad * 4
    year = y - 4800
    quad = julian * 2141 // 65536
    day = julian - 7834 * quad // 256
    month = (quad + 10) % 12 + 1
    return year, month, day


def j2day(jd: int) -> int:
    """Day of the week of a Julian day, 0 = Sunday."""
    return (jd + 1) % 7


def valid_julian(year: int, month: int) -> bool:
    """IS_VALID_JULIAN: date2j does not overflow."""
    after = year > -4713 or (year == -4713 and month >= 11)
    return after and (year < 5874898 or (year == 5874898 and month < 6))


class Tm:
    """struct pg_tm with the fraction (usec) and zone offset west of UTC (gmtoff is east)."""

    __slots__ = ("day", "gmtoff", "hour", "isdst", "min", "mon", "sec", "usec", "yday", "year",
                 "zone")  # fmt: skip

    def __init__(self) -> None:
        self.year = self.mon = self.day = self.hour = self.min = self.sec = self.usec = 0
        self.yday = 0
        self.gmtoff = 0
        self.isdst = False
        self.zone: str | None = None

    def local_seconds(self) -> int:
        """Wall clock as Unix seconds, as if the zone were UTC."""
        days = date2j(self.year, self.mon, self.day) - UNIX_EPOCH_JDATE
        return days * 86400 + self.hour * 3600 + self.min * 60 + self.sec

    def set_time(self, usecs: int) -> None:
        self.hour, rest = divmod(usecs, USECS_PER_HOUR)
        self.min, rest = divmod(rest, USECS_PER_MINUTE)
        self.sec, self.usec = divmod(rest, USECS_PER_SEC)

    def time_usecs(self) -> int:
        return ((self.hour * 60 + self.min) * 60 + self.sec) * USECS_PER_SEC + self.usec


def timestamp_out_of_range() -> PgError:
    return PgError(DATETIME_VALUE_OUT_OF_RANGE, "timestamp out of range")


def timestamp2tm(value: int) -> Tm:
    """The fields of a timestamp without time zone (finite)."""
    tm = Tm()
    days, usecs = divmod(value, USECS_PER_DAY)
    tm.year, tm.mon, tm.day = j2date(days + POSTGRES_EPOCH_JDATE)
    tm.set_time(usecs)
    return tm


def timestamptz2tm(value: int, zone: PgTimeZone) -> Tm:
    """The fields of an instant in a zone."""
    span = zone.span(value // USECS_PER_SEC + UNIX_TO_PG_SECS)
    tm = timestamp2tm(value + span[2] * USECS_PER_SEC)
    tm.gmtoff, tm.isdst, tm.zone = span[2], span[3], span[4]
    return tm


def tm2timestamp(tm: Tm, tz: int | None = None) -> int | None:
    """Fields to microseconds; tz is seconds WEST of UTC.  None: out of range."""
    if not valid_julian(tm.year, tm.mon):
        return None
    days = date2j(tm.year, tm.mon, tm.day) - POSTGRES_EPOCH_JDATE
    result = days * USECS_PER_DAY + tm.time_usecs()
    if tz is not None:
        result += tz * USECS_PER_SEC
    if not MIN_TIMESTAMP <= result < END_TIMESTAMP:
        return None
    return result


def local_to_utc(value: int, zone: PgTimeZone) -> int:
    """A local timestamp's instant in a zone (timestamp2timestamptz); errors when out of range."""
    if value in (DT_NOBEGIN, DT_NOEND):
        return value
    offset = zone.local_offset(value // USECS_PER_SEC + UNIX_TO_PG_SECS)[0]
    result = value - offset * USECS_PER_SEC
    if not MIN_TIMESTAMP <= result < END_TIMESTAMP:
        raise timestamp_out_of_range()
    return result


def utc_to_local(value: int, zone: PgTimeZone) -> int:
    """An instant's wall clock in a zone."""
    if value in (DT_NOBEGIN, DT_NOEND):
        return value
    offset = zone.span(value // USECS_PER_SEC + UNIX_TO_PG_SECS)[2]
    result = value + offset * USECS_PER_SEC
    if not MIN_TIMESTAMP <= result < END_TIMESTAMP:
        raise timestamp_out_of_range()
    return result


def current_tm(ctx: Any) -> Tm:
    """GetCurrentTimeUsec: the transaction's start in the session's zone."""
    return timestamptz2tm(ctx.xact_start_us, session_zone(ctx))
