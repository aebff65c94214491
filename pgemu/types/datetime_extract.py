"""extract, date_part, date_trunc, date_bin and AT TIME ZONE.

Counterparts: timestamp_part_common, time_part_common, interval_part_common, timestamp_trunc and
their kin.  One function computes each field as an exact number of decimals; extract() prints it
as numeric, date_part() as float8.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from functools import lru_cache
from typing import Any

from pgemu.errors import (
    DATETIME_VALUE_OUT_OF_RANGE,
    FEATURE_NOT_SUPPORTED,
    INVALID_PARAMETER_VALUE,
    PgError,
)
from pgemu.fmgr import CallContext, pg_function
from pgemu.types import datetime_tokens as k
from pgemu.types.datetime_calendar import (
    DATE_NOBEGIN,
    DATE_NOEND,
    DT_NOBEGIN,
    DT_NOEND,
    UNIX_EPOCH_JDATE,
    UNIX_TO_PG_SECS,
    USECS_PER_DAY,
    USECS_PER_SEC,
    Tm,
    date2j,
    j2date,
    j2day,
    local_to_utc,
    timestamp2tm,
    timestamptz2tm,
    tm2timestamp,
    utc_to_local,
)
from pgemu.types.datetime_ops import INFINITE, check_timestamp, date2timestamp
from pgemu.types.datetime_parse import DecodeError, decode_timezone, zone_not_recognized
from pgemu.types.datetime_tokens import decode_special, decode_units
from pgemu.types.datetime_types import timetz_parts
from pgemu.types.interval import encode_interval, pack_interval, unpack_interval
from pgemu.types.timezone import (
    PgTimeZone,
    fixed_zone,
    pg_tzset,
    session_zone,
    timezone_abbrevs,
)

# (integer, decimals): the value is integer / 10 ** decimals; a str is printed as it is.
Field = tuple[int, int] | str | None

TIMESTAMP = "timestamp without time zone"
TIMESTAMPTZ = "timestamp with time zone"


def not_recognized(unit: str, type_name: str) -> PgError:
    return PgError(INVALID_PARAMETER_VALUE, f'unit "{unit}" not recognized for type {type_name}')


def not_supported(unit: str, type_name: str, detail: str | None = None) -> PgError:
    return PgError(
        FEATURE_NOT_SUPPORTED, f'unit "{unit}" not supported for type {type_name}', detail=detail
    )


def find_unit(unit: str, type_name: str) -> tuple[int, str]:
    """(field kind, lower-case name) of an extract unit."""
    lower = unit.lower()[:63]
    kind, value = decode_units(lower)
    if kind == k.UNKNOWN_FIELD:
        kind, value = decode_special(lower)
    if kind == k.RESERV and value == k.EPOCH:
        return k.EPOCH, lower
    if kind == k.UNITS:
        return value, lower
    if kind == k.UNKNOWN_FIELD:
        raise not_recognized(lower, type_name)
    raise not_supported(lower, type_name)


def date2isoweek(year: int, month: int, day: int) -> tuple[int, int]:
    """(ISO year, ISO week)."""
    jd = date2j(year, month, day)

    def first(of: int) -> int:
        day4 = date2j(of, 1, 4)
        return day4 - j2day(day4 - 1)

    iso = year
    start = first(iso)
    if jd < start:
        iso -= 1
        start = first(iso)
    elif jd >= first(iso + 1):
        iso += 1
        start = first(iso)
    return iso, (jd - start) // 7 + 1


def isoweek2j(year: int, week: int) -> int:
    day4 = date2j(year, 1, 4)
    return (week - 1) * 7 + (day4 - j2day(day4 - 1))


def div_numeric(numerator: int, denominator: int) -> str:
    """numerator / denominator as numeric's division prints it (select_div_scale)."""

    def weight(n: int) -> tuple[int, int]:
        digits, w = abs(n), 0
        while digits >= 10000:
            digits //= 10000
            w += 1
        return (w if n else 0), digits

    w1, f1 = weight(numerator)
    w2, f2 = weight(denominator)
    qweight = w1 - w2 - (1 if f1 <= f2 else 0)
    scale = max(16 - qweight * 4, 0)
    with localcontext() as context:
        context.prec = 200
        value = Decimal(numerator) / Decimal(denominator)
        return str(value.quantize(Decimal(1).scaleb(-scale)))


def numeric_text(field: Field) -> str | None:
    if field is None or isinstance(field, str):
        return field
    number, decimals = field
    if decimals == 0:
        return str(number)
    text = f"{abs(number):0{decimals + 1}d}"
    return f"{'-' if number < 0 else ''}{text[:-decimals]}.{text[-decimals:]}"


def float_value(field: Field) -> float | None:
    if field is None:
        return None
    if isinstance(field, str):
        return float(field)
    number, decimals = field
    return number / 10**decimals if decimals else float(number)


def time_fields(unit: int, usecs: int) -> Field:
    """The fields that a time of day has."""
    second = usecs % 60_000_000
    if unit == k.MICROSECOND:
        return second, 0
    if unit == k.MILLISECOND:
        return second, 3
    if unit == k.SECOND:
        return second, 6
    if unit == k.MINUTE:
        return usecs // 60_000_000 % 60, 0
    if unit == k.HOUR:
        return usecs // 3_600_000_000, 0
    return None


def date_fields(unit: int, year: int, month: int, day: int) -> Field:
    """The fields that a date has (all but epoch)."""
    result: int | None = None
    if unit == k.DAY:
        result = day
    elif unit == k.MONTH:
        result = month
    elif unit == k.QUARTER:
        result = (month - 1) // 3 + 1
    elif unit == k.WEEK:
        result = date2isoweek(year, month, day)[1]
    elif unit == k.YEAR:
        result = year if year > 0 else year - 1
    elif unit == k.DECADE:
        result = year // 10 if year >= 0 else -((8 - (year - 1)) // 10)
    elif unit == k.CENTURY:
        result = (year + 99) // 100 if year > 0 else -((99 - (year - 1)) // 100)
    elif unit == k.MILLENNIUM:
        result = (year + 999) // 1000 if year > 0 else -((999 - (year - 1)) // 1000)
    elif unit == k.ISOYEAR:
        iso = date2isoweek(year, month, day)[0]
        result = iso if iso > 0 else iso - 1
    elif unit in (k.DOW, k.ISODOW):
        dow = j2day(date2j(year, month, day))
        result = 7 if dow == 0 and unit == k.ISODOW else dow
    elif unit == k.DOY:
        result = date2j(year, month, day) - date2j(year, 1, 1) + 1
    return None if result is None else (result, 0)


MONOTONIC = (k.YEAR, k.DECADE, k.CENTURY, k.MILLENNIUM, k.JULIAN, k.ISOYEAR, k.EPOCH)
OSCILLATING = (k.MICROSECOND, k.MILLISECOND, k.SECOND, k.MINUTE, k.HOUR, k.DAY, k.MONTH,
               k.QUARTER, k.WEEK, k.DOW, k.ISODOW, k.DOY)  # fmt: skip
ZONE_UNITS = (k.TIMEZONE, k.TZ_HOUR, k.TZ_MINUTE)


def infinite_part(unit: int, name: str, type_name: str, negative: bool, zone: bool) -> Field:
    if unit in OSCILLATING or (zone and unit in ZONE_UNITS):
        return None
    if unit in MONOTONIC:
        return "-Infinity" if negative else "Infinity"
    raise not_supported(name, type_name)


def zone_field(unit: int, east: int) -> Field:
    if unit == k.TIMEZONE:
        return east, 0
    sign = -1 if east < 0 else 1
    if unit == k.TZ_HOUR:
        return sign * (abs(east) // 3600), 0
    return sign * (abs(east) // 60 % 60), 0


def julian_field(tm: Tm, exact: bool) -> Field:
    jd = date2j(tm.year, tm.mon, tm.day)
    usecs = tm.time_usecs()
    if not exact:
        return repr(jd + usecs / USECS_PER_DAY)
    fraction = Decimal(div_numeric(usecs, USECS_PER_DAY))
    with localcontext() as context:
        context.prec = 100
        return f"{Decimal(jd) + fraction:f}"


def timestamp_field(unit_name: str, value: int, zone: PgTimeZone | None, exact: bool) -> Field:
    type_name = TIMESTAMP if zone is None else TIMESTAMPTZ
    unit, name = find_unit(unit_name, type_name)
    if value in INFINITE:
        return infinite_part(unit, name, type_name, value == DT_NOBEGIN, zone is not None)
    if unit == k.EPOCH:
        return value + UNIX_TO_PG_SECS * USECS_PER_SEC, 6
    tm = timestamp2tm(value) if zone is None else timestamptz2tm(value, zone)
    if zone is not None and unit in ZONE_UNITS:
        return zone_field(unit, tm.gmtoff)
    if unit == k.JULIAN:
        return julian_field(tm, exact)
    field = time_fields(unit, tm.time_usecs())
    if field is None:
        field = date_fields(unit, tm.year, tm.mon, tm.day)
    if field is None:
        raise not_supported(name, type_name)
    return field


@pg_function("extract(text, timestamp)")
def extract_timestamp(unit: str, value: int) -> str | None:
    return numeric_text(timestamp_field(unit, value, None, True))


@pg_function("date_part(text, timestamp)")
def timestamp_part(unit: str, value: int) -> float | None:
    return float_value(timestamp_field(unit, value, None, False))


@pg_function("extract(text, timestamptz)", context=True)
def extract_timestamptz(ctx: CallContext, unit: str, value: int) -> str | None:
    return numeric_text(timestamp_field(unit, value, session_zone(ctx), True))


@pg_function("date_part(text, timestamptz)", context=True)
def timestamptz_part(ctx: CallContext, unit: str, value: int) -> float | None:
    return float_value(timestamp_field(unit, value, session_zone(ctx), False))


@pg_function("extract(text, date)")
def extract_date(unit_name: str, value: int) -> str | None:
    unit, name = find_unit(unit_name, "date")
    if value in (DATE_NOBEGIN, DATE_NOEND):
        if unit in (k.DAY, k.MONTH, k.QUARTER, k.WEEK, k.DOW, k.ISODOW, k.DOY):
            return None
        if unit in MONOTONIC:
            return "-Infinity" if value == DATE_NOBEGIN else "Infinity"
        raise not_supported(name, "date")
    if unit == k.EPOCH:
        return str((value - (UNIX_EPOCH_JDATE - 2451545)) * 86400)
    if unit == k.JULIAN:
        return str(value + 2451545)
    field = date_fields(unit, *j2date(value + 2451545))
    if field is None:
        raise not_supported(name, "date")
    return numeric_text(field)


@pg_function("date_part(text, date)")
def date_part_date(unit: str, value: int) -> float | None:
    return timestamp_part(unit, date2timestamp(value))


def time_field(unit_name: str, usecs: int, zone: int | None) -> Field:
    type_name = "time without time zone" if zone is None else "time with time zone"
    unit, name = find_unit(unit_name, type_name)
    if unit == k.EPOCH:
        return usecs + (0 if zone is None else zone * USECS_PER_SEC), 6
    if zone is not None and unit in ZONE_UNITS:
        return zone_field(unit, -zone)
    field = time_fields(unit, usecs)
    if field is None:
        raise not_supported(name, type_name)
    return field


@pg_function("extract(text, time)")
def extract_time(unit: str, value: int) -> str | None:
    return numeric_text(time_field(unit, value, None))


@pg_function("date_part(text, time)")
def time_part(unit: str, value: int) -> float | None:
    return float_value(time_field(unit, value, None))


@pg_function("extract(text, timetz)")
def extract_timetz(unit: str, value: str) -> str | None:
    return numeric_text(time_field(unit, *timetz_parts(value)))


@pg_function("date_part(text, timetz)")
def timetz_part(unit: str, value: str) -> float | None:
    return float_value(time_field(unit, *timetz_parts(value)))


def quotient(a: int, b: int) -> int:
    """C's division: toward zero."""
    return a // b if a >= 0 else -(-a // b)


def interval_field(unit_name: str, value: str) -> Field:
    unit, name = find_unit(unit_name, "interval")
    months, days, usecs = unpack_interval(value)
    year = quotient(months, 12)
    month = months - year * 12
    hour = quotient(usecs, 3_600_000_000)
    rest = usecs - hour * 3_600_000_000
    minute = quotient(rest, 60_000_000)
    second = rest - minute * 60_000_000
    simple = {
        k.MICROSECOND: (second, 0),
        k.MILLISECOND: (second, 3),
        k.SECOND: (second, 6),
        k.MINUTE: (minute, 0),
        k.HOUR: (hour, 0),
        k.DAY: (days, 0),
        k.MONTH: (month, 0),
        k.QUARTER: (quotient(month, 3) + 1, 0),
        k.YEAR: (year, 0),
        k.DECADE: (quotient(year, 10), 0),
        k.CENTURY: (quotient(year, 100), 0),
        k.MILLENNIUM: (quotient(year, 1000), 0),
    }
    if unit in simple:
        return simple[unit]
    if unit == k.EPOCH:
        seconds = year * 31557600 + month * 2592000 + days * 86400
        return seconds * USECS_PER_SEC + usecs, 6
    raise not_supported(name, "interval")


@pg_function("extract(text, interval)")
def extract_interval(unit: str, value: str) -> str | None:
    return numeric_text(interval_field(unit, value))


@pg_function("date_part(text, interval)")
def interval_part(unit: str, value: str) -> float | None:
    return float_value(interval_field(unit, value))


# ---- date_trunc

_TIME_UNITS = {
    k.MICROSECOND: 1,
    k.MILLISECOND: 1000,
    k.SECOND: USECS_PER_SEC,
    k.MINUTE: 60_000_000,
    k.HOUR: 3_600_000_000,
    k.DAY: USECS_PER_DAY,
}
_DATE_UNITS = (k.WEEK, k.MONTH, k.QUARTER, k.YEAR, k.DECADE, k.CENTURY, k.MILLENNIUM)


@lru_cache(maxsize=64)
def trunc_unit(unit_name: str, type_name: str) -> tuple[int, str]:
    lower = unit_name.lower()[:63]
    kind, unit = decode_units(lower)
    if kind != k.UNITS:
        raise not_recognized(lower, type_name)
    return unit, lower


def truncate_local(unit: int, name: str, value: int, type_name: str) -> int:
    if unit in _TIME_UNITS:
        return value // _TIME_UNITS[unit] * _TIME_UNITS[unit]
    if unit not in _DATE_UNITS:
        raise not_supported(name, type_name)
    return _truncate_day(unit, value // USECS_PER_DAY)


@lru_cache(maxsize=4096)
def _truncate_day(unit: int, day: int) -> int:
    tm = timestamp2tm(day * USECS_PER_DAY)
    year = tm.year
    if unit == k.WEEK:
        jd = date2j(year, tm.mon, tm.day)
        return check_timestamp((jd - (jd % 7) - 2451545) * USECS_PER_DAY)
    tm.day = 1
    if unit == k.QUARTER:
        tm.mon = 3 * ((tm.mon - 1) // 3) + 1
    elif unit != k.MONTH:
        tm.mon = 1
        if unit == k.MILLENNIUM:
            year = (
                (year + 999) // 1000 * 1000 - 999
                if year > 0
                else -((999 - (year - 1)) // 1000) * 1000 + 1
            )
        elif unit == k.CENTURY:
            year = (
                (year + 99) // 100 * 100 - 99 if year > 0 else -((99 - (year - 1)) // 100) * 100 + 1
            )
        elif unit == k.DECADE:
            year = year // 10 * 10 if year > 0 else -((8 - (year - 1)) // 10) * 10
    tm.year = year
    result = tm2timestamp(tm)
    if result is None:
        raise PgError(DATETIME_VALUE_OUT_OF_RANGE, "timestamp out of range")
    return result


@pg_function("date_trunc(text, timestamp)")
def timestamp_trunc(unit_name: str, value: int) -> int:
    if value in INFINITE:
        return value
    unit, name = trunc_unit(unit_name, TIMESTAMP)
    return truncate_local(unit, name, value, TIMESTAMP)


def trunc_in_zone(unit_name: str, value: int, zone: PgTimeZone) -> int:
    unit, name = trunc_unit(unit_name, TIMESTAMPTZ)
    local = utc_to_local(value, zone)
    truncated = truncate_local(unit, name, local, TIMESTAMPTZ)
    if unit in _TIME_UNITS and unit != k.DAY:
        return check_timestamp(truncated - (local - value))
    return _instant(truncated, zone)


_instant = lru_cache(maxsize=4096)(local_to_utc)


@pg_function("date_trunc(text, timestamptz)", context=True)
def timestamptz_trunc(ctx: CallContext, unit: str, value: int) -> int:
    return value if value in INFINITE else trunc_in_zone(unit, value, session_zone(ctx))


@pg_function("date_trunc(text, timestamptz, text)")
def timestamptz_trunc_zone(unit: str, value: int, zone: str) -> int:
    return value if value in INFINITE else trunc_in_zone(unit, value, named_zone(zone, value))


@pg_function("date_trunc(text, interval)")
def interval_trunc(unit_name: str, value: str) -> str:
    unit, name = trunc_unit(unit_name, "interval")
    months, days, usecs = unpack_interval(value)
    by_month = {k.MILLENNIUM: 12000, k.CENTURY: 1200, k.DECADE: 120, k.YEAR: 12, k.QUARTER: 3,
                k.MONTH: 1}  # fmt: skip
    if unit in by_month:
        return pack_interval(quotient(months, by_month[unit]) * by_month[unit], 0, 0)
    if unit == k.DAY:
        return pack_interval(months, days, 0)
    if unit in _TIME_UNITS:
        return pack_interval(months, days, quotient(usecs, _TIME_UNITS[unit]) * _TIME_UNITS[unit])
    detail = "Months usually have fractional weeks." if unit == k.WEEK else None
    raise not_supported(name, "interval", detail)


@pg_function(
    "date_bin(interval, timestamp, timestamp)", "date_bin(interval, timestamptz, timestamptz)"
)
def timestamp_bin(stride: str, value: int, origin: int) -> int:
    if value in INFINITE:
        return value
    if origin in INFINITE:
        raise PgError(DATETIME_VALUE_OUT_OF_RANGE, "origin out of range")
    months, days, usecs = unpack_interval(stride)
    if months:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "timestamps cannot be binned into intervals containing months or years",
        )
    size = usecs + days * USECS_PER_DAY
    if size >= 2**63 or not -(2**63) <= value - origin < 2**63:
        raise PgError(DATETIME_VALUE_OUT_OF_RANGE, "interval out of range")
    if size <= 0:
        raise PgError(DATETIME_VALUE_OUT_OF_RANGE, "stride must be greater than zero")
    return check_timestamp(origin + (value - origin) // size * size)


# ---- AT TIME ZONE


def named_zone(name: str, at: int = 0, *, local: bool = False) -> PgTimeZone:
    """A zone by abbreviation, name or POSIX text; `at` (a local time or an instant) fixes an
    abbreviation that varies."""
    entry = timezone_abbrevs().get(name.lower())
    if entry is not None:
        offset = entry[0]
        if entry[2]:
            base = pg_tzset(entry[2])
            assert base is not None
            seconds = at // USECS_PER_SEC + UNIX_TO_PG_SECS
            if local:
                seconds -= base.local_offset(seconds)[0]
            found = base.abbrev_offset(name, seconds)
            offset = found[0] if found is not None else base.span(seconds)[2]
        return fixed_zone(name, offset, name.upper())
    zone = pg_tzset(name)
    if zone is None:
        raise zone_not_recognized(name)
    return zone


def interval_zone(span: str) -> int:
    """Seconds east of a numeric zone."""
    months, days, usecs = unpack_interval(span)
    if months or days:
        shown = encode_interval(months, days, usecs, "postgres")
        raise PgError(
            INVALID_PARAMETER_VALUE,
            f'interval time zone "{shown}" must not include months or days',
        )
    return quotient(usecs, USECS_PER_SEC)


@pg_function("timezone(text, timestamp)")
def timestamp_zone(zone: str, value: int) -> int:
    if value in INFINITE:
        return value
    return local_to_utc(value, named_zone(zone, value, local=True))


@pg_function("timezone(text, timestamptz)")
def timestamptz_zone(zone: str, value: int) -> int:
    if value in INFINITE:
        return value
    return utc_to_local(value, named_zone(zone, value))


@pg_function("timezone(interval, timestamp)")
def timestamp_izone(zone: str, value: int) -> int:
    if value in INFINITE:
        return value
    return check_timestamp(value - interval_zone(zone) * USECS_PER_SEC)


@pg_function("timezone(interval, timestamptz)")
def timestamptz_izone(zone: str, value: int) -> int:
    if value in INFINITE:
        return value
    return check_timestamp(value + interval_zone(zone) * USECS_PER_SEC)


def shift_timetz(value: str, east: int) -> str:
    usecs, zone = timetz_parts(value)
    return f"{(usecs + (zone + east) * USECS_PER_SEC) % USECS_PER_DAY} {-east}"


@pg_function("timezone(text, timetz)", context=True)
def timetz_zone(ctx: CallContext, zone: str, value: str) -> str:
    found = named_zone(zone, ctx.xact_start_us)
    east = found.span(ctx.xact_start_us // USECS_PER_SEC + UNIX_TO_PG_SECS)[2]
    return shift_timetz(value, east)


@pg_function("timezone(interval, timetz)")
def timetz_izone(zone: str, value: str) -> str:
    return shift_timetz(value, interval_zone(zone))


@pg_function(
    "make_timestamptz(int4, int4, int4, int4, int4, float8, text)",
)
def make_timestamptz_at_timezone(
    year: int, month: int, day: int, hour: int, minute: int, seconds: Any, zone: str
) -> int:
    from pgemu.types.datetime_ops import make_timestamp

    local = make_timestamp(year, month, day, hour, minute, seconds)
    if zone[:1] in ("+", "-") or zone[:1].isdigit():
        if zone[0].isdigit():
            raise PgError(
                INVALID_PARAMETER_VALUE,
                f'invalid input syntax for type numeric time zone: "{zone}"',
                hint='Numeric time zones must have "-" or "+" as first character.',
            )
        try:
            west = decode_timezone(zone)
        except DecodeError as error:
            if error.kind == "tzdisp":
                raise PgError(
                    INVALID_PARAMETER_VALUE, f'numeric time zone "{zone}" out of range'
                ) from None
            raise zone_not_recognized(zone) from None
        return check_timestamp(local + west * USECS_PER_SEC)
    return local_to_utc(local, named_zone(zone, local, local=True))


__all__ = ["DT_NOEND", "date2isoweek", "isoweek2j", "named_zone", "quotient"]
