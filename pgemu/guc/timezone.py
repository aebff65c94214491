"""Time zone settings: what TimeZone accepts, its canonical spelling, and the tzinfo behind it.

Counterpart: check_timezone in PostgreSQL's variable.c, pg_tzset and tzparse of its timezone
library.  Names of the tz database in any case, POSIX specifications (`EST5EDT,M3.2.0,M11.1.0`,
`<+05>-05:30`), numbers of hours east of Greenwich, and `INTERVAL '...'`.
"""

from __future__ import annotations

import io
import os
import re
import struct
from datetime import tzinfo
from functools import lru_cache
from zoneinfo import TZPATH, ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pgemu.errors import INVALID_DATETIME_FORMAT, PgError

_STANDARD = r"(?:<[^>]+>|[^0-9,+\-<:]*)"
_DAYLIGHT = r"(?:<[^>]+>|[^0-9,+\-]+)"
_OFFSET = r"[+-]?[0-9]{1,3}(?::[0-5]?[0-9](?::[0-5]?[0-9])?)?"
_RULE = (
    r"(?:J[0-9]{1,3}|[0-9]{1,3}|M1?[0-9]\.[1-5]\.[0-6])"
    r"(?:/[+-]?[0-9]{1,3}(?::[0-9]{1,2}(?::[0-9]{1,2})?)?)?"
)
_POSIX = (
    rf"(?P<std>{_STANDARD})(?P<offset>{_OFFSET})"
    rf"(?:(?P<dst>{_DAYLIGHT})(?P<dstoffset>{_OFFSET})?(?P<rules>,{_RULE},{_RULE})?)?\Z"
)
_DEFAULT_RULES = ",M3.2.0,M11.1.0"
_MAX_HOURS = 24 * 7 - 1
_CLOCK = re.compile(r"\s*([+-]?)(\d+)(?::(\d{1,2})(?::(\d{1,2})(?:\.\d*)?)?)?\s*\Z")
_SPAN = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*([a-z]+)\s*", re.IGNORECASE)
_SPAN_SECONDS = {
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
}
_SPAN_MONTHS = frozenset(["mon", "mons", "month", "months", "y", "yr", "yrs", "year", "years"])
_SPAN_DAYS = frozenset(["d", "day", "days", "w", "week", "weeks"])


class BadZone(Exception):
    """Not a time zone; detail as PostgreSQL's GUC_check_errdetail, message if it has its own."""

    def __init__(self, detail: str | None = None, message: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.message = message


def canonical_zone(text: str) -> str:
    """The spelling that SHOW gives; BadZone if it is none."""
    if text[:8].lower() == "interval":
        return offset_zone(_interval_seconds(text[8:]))
    try:
        hours = float(text.strip()) if "_" not in text else None
    except ValueError:
        hours = None
    if hours is not None and hours == hours and not text.endswith((" ", "\t", "\n")):
        if abs(hours) > _MAX_HOURS + 1:
            raise BadZone("UTC timezone offset is out of range.")
        return offset_zone(int(hours * 3600))
    name = named_zone(text)
    if name is None:
        raise BadZone
    return name


def offset_zone(seconds_east: int) -> str:
    """The name of a fixed offset: `<-03>+03`."""
    absolute = abs(seconds_east)
    if absolute >= (_MAX_HOURS + 1) * 3600:
        raise BadZone("UTC timezone offset is out of range.")
    shown = f"{absolute // 3600:02d}"
    if absolute % 3600:
        shown += f":{absolute % 3600 // 60:02d}"
        if absolute % 60:
            shown += f":{absolute % 60:02d}"
    return f"<-{shown}>+{shown}" if seconds_east < 0 else f"<+{shown}>-{shown}"


@lru_cache(maxsize=256)
def named_zone(text: str) -> str | None:
    """Canonical spelling of a zone of the tz database or a POSIX specification; or None."""
    if not text or len(text) > 255:
        return None
    if text[:6].lower() == "right/":
        raise BadZone(
            "PostgreSQL does not support leap seconds.",
            f'time zone "{text}" appears to use leap seconds',
        )
    plain = text[6:] if text[:6].lower() == "posix/" else text
    found = plain if _is_zone_file(plain) else _zone_names().get(plain.lower())
    if found is not None:
        return found if plain is text else f"posix/{found}"
    spec = text.upper()
    matched = re.match(_POSIX, spec)
    if matched is None or int(re.findall(r"\d+", matched["offset"])[0]) > _MAX_HOURS:
        return None
    return spec


def _is_zone_file(name: str) -> bool:
    """A name in its canonical spelling: the system's tz database has a file of that name.  To
    list all of them takes far longer."""
    if re.fullmatch(r"[A-Z]\w*(?:/\w[\w+-]*)*", name) is None:
        return False
    for folder in TZPATH:
        try:
            with open(os.path.join(folder, name), "rb") as file:
                return file.read(4) == b"TZif"
        except OSError:
            continue
    return False


@lru_cache(maxsize=1)
def _zone_names() -> dict[str, str]:
    """Every name of the tz database by its lower-case form."""
    return {name.lower(): name for name in available_timezones()}


@lru_cache(maxsize=64)
def zone_info(name: str) -> tzinfo:
    """The tzinfo of a canonical name, as the setting holds it."""
    try:
        return ZoneInfo(name.removeprefix("posix/"))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    matched = re.match(_POSIX, name)
    if matched is None:
        raise BadZone
    footer = name
    if not re.fullmatch("<?[-+A-Z0-9]{3,}>?", matched["std"]):  # a tz file wants three letters
        footer = "UTC" + footer[len(matched["std"]) :]
    if matched["dst"] and not matched["rules"]:
        footer += _DEFAULT_RULES
    return ZoneInfo.from_file(io.BytesIO(_tzif(footer)), key=name)


def _tzif(footer: str) -> bytes:
    """A tz file without transitions whose footer holds the whole rule."""
    head = struct.pack(">4sc15x6l", b"TZif", b"2", 0, 0, 0, 0, 1, 4)
    body = struct.pack(">lbb4s", 0, 0, 0, b"UTC\0")
    return head + body + head + body + b"\n" + footer.encode() + b"\n"


def _interval_seconds(rest: str) -> int:
    rest = rest.strip(" \t\n\r\f\v")
    if len(rest) < 2 or rest[0] != "'" or rest[-1] != "'":
        raise BadZone
    text = rest[1:-1]
    if not text:
        raise PgError(INVALID_DATETIME_FORMAT, 'invalid input syntax for type interval: ""')
    clock = _CLOCK.match(text)
    if clock is not None:
        if clock[3] is None:  # a bare number is seconds
            return int(clock[1] + clock[2])
        sign, hours, minutes, seconds = clock.groups()
        total = int(hours) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
        return -total if sign == "-" else total
    at, total_seconds = 0, 0.0
    while at < len(text):
        span = _SPAN.match(text, at)
        if span is None:
            raise BadZone
        unit = span[2].lower()
        if unit in _SPAN_MONTHS:
            raise BadZone("Cannot specify months in time zone interval.")
        if unit in _SPAN_DAYS:
            raise BadZone("Cannot specify days in time zone interval.")
        if unit not in _SPAN_SECONDS:
            raise BadZone
        total_seconds += float(span[1]) * _SPAN_SECONDS[unit]
        at = span.end()
    return int(total_seconds)
