"""Date/time values to text in every DateStyle, fast for ISO.

Counterpart of EncodeDateOnly, EncodeTimeOnly and EncodeDateTime.  Dates and the hh:mm:ss of a
day are cached as ready strings; the zone suffix is cached for the span between transitions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from pgemu.types.datetime_calendar import (
    DATE_NOBEGIN,
    DATE_NOEND,
    DT_NOBEGIN,
    DT_NOEND,
    POSTGRES_EPOCH_JDATE,
    UNIX_TO_PG_SECS,
    USECS_PER_DAY,
    USECS_PER_SEC,
    j2date,
    j2day,
)
from pgemu.types.timezone import PgTimeZone

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
MINUTES = tuple(f"{m // 60:02d}:{m % 60:02d}:" for m in range(1441))
SECONDS = tuple(f"{s:02d}" for s in range(61))
DOUBLE_DIGITS = SECONDS
YEAR_1 = -63_082_195_200_000_000  # microseconds to the second day of the year 1


@lru_cache(maxsize=16384)
def iso_date(days: int) -> tuple[str, str]:
    """(yyyy-mm-dd, " BC" or "") of a day since 2000-01-01."""
    year, month, day = j2date(days + POSTGRES_EPOCH_JDATE)
    if year > 0:
        return f"{year:04d}-{month:02d}-{day:02d}", ""
    return f"{1 - year:04d}-{month:02d}-{day:02d}", " BC"


def encode_date(days: int, style: str, order: str) -> str:
    """A date in a DateStyle."""
    if days == DATE_NOEND:
        return "infinity"
    if days == DATE_NOBEGIN:
        return "-infinity"
    if style == "ISO":
        text, bc = iso_date(days)
        return text + bc
    year, month, day = j2date(days + POSTGRES_EPOCH_JDATE)
    bc = "" if year > 0 else " BC"
    shown = year if year > 0 else 1 - year
    return numeric_date(shown, month, day, style, order) + bc


def numeric_date(year: int, month: int, day: int, style: str, order: str) -> str:
    if style == "German":
        return f"{day:02d}.{month:02d}.{year:04d}"
    sep = "/" if style == "SQL" else "-"
    if order == "DMY":
        return f"{day:02d}{sep}{month:02d}{sep}{year:04d}"
    return f"{month:02d}{sep}{day:02d}{sep}{year:04d}"


def encode_time(usecs: int) -> str:
    """hh:mm:ss[.ffffff] of microseconds of a day."""
    seconds, fraction = divmod(usecs, USECS_PER_SEC)
    minutes, second = divmod(seconds, 60)
    if fraction:
        return f"{MINUTES[minutes]}{SECONDS[second]}.{fraction:06d}".rstrip("0")
    return MINUTES[minutes] + SECONDS[second]


@lru_cache(maxsize=512)
def encode_timezone(east: int) -> str:
    """+hh[:mm[:ss]]."""
    size = abs(east)
    text = f"{'+' if east >= 0 else '-'}{size // 3600:02d}"
    if size % 3600:
        text += f":{size % 3600 // 60:02d}"
        if size % 60:
            text += f":{size % 60:02d}"
    return text


def encode_timestamp(
    local: int, style: str, order: str, east: int | None = None, abbrev: str | None = None
) -> str:
    """A finite local timestamp; with `east` (and the abbreviation) the zone behind it."""
    days, usecs = divmod(local, USECS_PER_DAY)
    time = encode_time(usecs)
    if style == "ISO":
        date, bc = iso_date(days)
        zone = "" if east is None else encode_timezone(east)
        return f"{date} {time}{zone}{bc}"
    year, month, day = j2date(days + POSTGRES_EPOCH_JDATE)
    bc = "" if year > 0 else " BC"
    shown = year if year > 0 else 1 - year
    if style == "Postgres":
        weekday = DAYS[j2day(days + POSTGRES_EPOCH_JDATE)]
        name = MONTHS[month - 1]
        middle = f"{day:02d} {name}" if order == "DMY" else f"{name} {day:02d}"
        zone = "" if east is None else " " + (abbrev or encode_timezone(east))
        return f"{weekday} {middle} {time} {shown:04d}{zone}{bc}"
    zone = ""
    if east is not None:
        zone = f" {abbrev}" if abbrev else encode_timezone(east)
    return f"{numeric_date(shown, month, day, style, order)} {time}{zone}{bc}"


def encode_timestamptz(value: int, zone: PgTimeZone, style: str, order: str) -> str:
    """A finite instant in a zone."""
    span = zone.span(value // USECS_PER_SEC + UNIX_TO_PG_SECS)
    local = value + span[2] * USECS_PER_SEC
    return encode_timestamp(local, style, order, span[2], span[4])


def timestamp_encoder(style: str, order: str) -> Callable[[Any], str]:
    """Timestamp to text as a function of one argument."""
    if style != "ISO":

        def slow(value: int) -> str:
            if value == DT_NOEND:
                return "infinity"
            if value == DT_NOBEGIN:
                return "-infinity"
            return encode_timestamp(value, style, order)

        return slow

    def fast(value: int) -> str:
        if value == DT_NOEND:
            return "infinity"
        if value == DT_NOBEGIN:
            return "-infinity"
        days, usecs = divmod(value, 86_400_000_000)
        seconds, fraction = divmod(usecs, 1_000_000)
        minutes, second = divmod(seconds, 60)
        date, bc = iso_date(days)
        if fraction:
            tail = f"{fraction:06d}".rstrip("0")
            return f"{date} {MINUTES[minutes]}{SECONDS[second]}.{tail}{bc}"
        return f"{date} {MINUTES[minutes]}{SECONDS[second]}{bc}"

    return fast


def timestamptz_encoder(zone: PgTimeZone, style: str, order: str) -> Callable[[Any], str]:
    """Instant to text as a function of one argument, remembering the last zone span."""
    low, high, shift, suffix = 1, 0, 0, ""

    def encode(value: int) -> str:
        nonlocal low, high, shift, suffix
        if not low <= value < high:
            if value == DT_NOEND:
                return "infinity"
            if value == DT_NOBEGIN:
                return "-infinity"
            if style != "ISO":
                return encode_timestamptz(value, zone, style, order)
            span = zone.span(value // USECS_PER_SEC + UNIX_TO_PG_SECS)
            low = max(DT_NOBEGIN + 1, DT_NOBEGIN if span[0] is None else unix_to_pg(span[0]))
            high = min(DT_NOEND, DT_NOEND if span[1] is None else unix_to_pg(span[1]))
            shift, suffix = span[2] * USECS_PER_SEC, encode_timezone(span[2])
        days, usecs = divmod(value + shift, 86_400_000_000)
        seconds, fraction = divmod(usecs, 1_000_000)
        minutes, second = divmod(seconds, 60)
        date, bc = iso_date(days)
        if fraction:
            tail = f"{fraction:06d}".rstrip("0")
            return f"{date} {MINUTES[minutes]}{SECONDS[second]}.{tail}{suffix}{bc}"
        return f"{date} {MINUTES[minutes]}{SECONDS[second]}{suffix}{bc}"

    return encode


class _IsoDates(dict[int, str]):
    """Day since 2000-01-01 -> yyyy-mm-dd and a blank, for days after Christ."""

    def __missing__(self, day: int) -> str:
        if len(self) > 16384:
            self.clear()
        text = self[day] = iso_date(day)[0] + " "
        return text


def timestamptz_column_encoder(
    zone: PgTimeZone, style: str, order: str
) -> Callable[[Sequence[Any]], list[bytes]]:
    """Many instants to text at once, without NULLs (TypeError): quick where all of them are in
    ISO style, in one span of the zone and in whole seconds."""
    encode = timestamptz_encoder(zone, style, order)
    dates = _IsoDates()

    def column(values: Sequence[Any]) -> list[bytes]:
        first, last = min(values), max(values)
        if style == "ISO" and first >= YEAR_1 and last < DT_NOEND:
            span = zone.span(first // USECS_PER_SEC + UNIX_TO_PG_SECS)
            if span[1] is None or last < unix_to_pg(span[1]):
                return whole_seconds(values, span[2])
        return [encode(value).encode() for value in values]

    def whole_seconds(values: Sequence[Any], east: int) -> list[bytes]:
        suffix = encode_timezone(east)
        shift = east * USECS_PER_SEC
        lines = []
        for value in values:
            days, usecs = divmod(value + shift, USECS_PER_DAY)
            seconds = usecs // 1_000_000
            if seconds * 1_000_000 != usecs:
                lines.append(encode(value))
            else:
                lines.append(
                    f"{dates[days]}{MINUTES[seconds // 60]}{SECONDS[seconds % 60]}{suffix}"
                )
        return "\n".join(lines).encode().split(b"\n")

    return column


def unix_to_pg(seconds: int) -> int:
    """Unix seconds to microseconds since 2000-01-01."""
    return (seconds - UNIX_TO_PG_SECS) * USECS_PER_SEC
