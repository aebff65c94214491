"""Time zones: offsets at an instant or at a local time, abbreviations, POSIX zone strings.

Counterpart of PostgreSQL's src/timezone and the zone part of datetime.c.  A `PgTimeZone` holds
the transitions of a TZif file and the rule of its footer; instants are Unix seconds without any
limit of years, which `zoneinfo` cannot do.  What differs: the files are those that `zoneinfo`
finds (the system's, else the tzdata package's).
"""

from __future__ import annotations

import re
import struct
import zoneinfo
from bisect import bisect_right
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

DEFAULT_RULES = ",M3.2.0,M11.1.0"
DAYS_0000_TO_1970 = 719468

# (start, end, offset east in seconds, is_dst, abbreviation); None: no limit
Span = tuple[int | None, int | None, int, bool, str]


def days_from_civil(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 of a proleptic Gregorian date (year 0 = 1 BC)."""
    year -= month <= 2
    era = year // 400
    yoe = year - era * 400
    doy = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + yoe * 365 + yoe // 4 - yoe // 100 + doy - DAYS_0000_TO_1970


class PosixRule:
    """A POSIX TZ string, e.g. EST5EDT,M3.2.0,M11.1.0 (offsets west of UTC)."""

    def __init__(self, text: str, *, default_rules: bool = False) -> None:
        name = r"(?:<([^>]+)>|([^\d,+\-<>]+))"
        match = re.match(name.replace("-<>]+)", "-<>:]*)") + r"([+-]?\d+(?::\d+){0,2})", text)
        if match is None:
            raise ValueError(text)
        self.std_name = match[1] or match[2]  # PostgreSQL accepts an empty name
        self.std_offset = -posix_seconds(match[3])
        self.dst_name: str | None = None
        self.dst_offset = self.std_offset
        self.rules: list[tuple[str, list[int], int]] = []
        rest = text[match.end() :]
        if not rest:
            return
        match = re.match(name + r"([+-]?\d+(?::\d+){0,2})?", rest)
        if match is None:
            raise ValueError(text)
        self.dst_name = match[1] or match[2]
        self.dst_offset = -posix_seconds(match[3]) if match[3] else self.std_offset + 3600
        rest = rest[match.end() :]
        if not rest and default_rules:
            rest = DEFAULT_RULES
        for part in rest[1:].split(","):
            when, _, at = part.partition("/")
            seconds = posix_seconds(at) if at else 7200
            if when.startswith("M"):
                numbers = [int(n) for n in when[1:].split(".")]
                self.rules.append(("M", numbers, seconds))
            elif when.startswith("J"):
                self.rules.append(("J", [int(when[1:])], seconds))
            else:
                self.rules.append(("N", [int(when)], seconds))
        if len(self.rules) != 2:
            raise ValueError(text)

    def boundary(self, year: int, which: int) -> int:
        """Unix seconds of the change to DST (which = 0) or back (1) in a year."""
        kind, n, seconds = self.rules[which]
        if kind == "M":
            month, week, weekday = n
            first = days_from_civil(year, month, 1)
            shift = (weekday - (first + 4)) % 7
            day = first + shift + (week - 1) * 7
            following = (
                days_from_civil(year, month + 1, 1)
                if month < 12
                else days_from_civil(year + 1, 1, 1)
            )
            while day >= following:
                day -= 7
        else:
            day = days_from_civil(year, 1, 1) + n[0] - (1 if kind == "J" else 0)
            leap = days_from_civil(year, 3, 1) - days_from_civil(year, 2, 1) == 29
            if kind == "J" and leap and n[0] >= 60:
                day += 1
        return day * 86400 + seconds - (self.std_offset if which == 0 else self.dst_offset)

    def span(self, at: int) -> Span:
        """The span without change that holds at an instant."""
        if self.dst_name is None:
            return (None, None, self.std_offset, False, self.std_name)
        year = 1970 + (at // 86400) * 400 // 146097
        changes: list[tuple[int, bool]] = []
        for one in (year - 1, year, year + 1):
            changes.append((self.boundary(one, 0), True))
            changes.append((self.boundary(one, 1), False))
        changes.sort()
        index = bisect_right([c[0] for c in changes], at) - 1
        start, dst = changes[index]
        end = changes[index + 1][0]
        if dst:
            return (start, end, self.dst_offset, True, self.dst_name)
        return (start, end, self.std_offset, False, self.std_name)


def posix_seconds(text: str) -> int:
    """[+-]hh[:mm[:ss]] in seconds."""
    sign = -1 if text.startswith("-") else 1
    parts = [int(p) for p in text.lstrip("+-").split(":")] + [0, 0]
    return sign * (parts[0] * 3600 + parts[1] * 60 + parts[2])


class PgTimeZone:
    """One zone; `name` is its canonical spelling."""

    def __init__(
        self,
        name: str,
        transitions: list[int],
        indexes: list[int],
        types: list[tuple[int, bool, str]],
        rule: PosixRule | None,
    ) -> None:
        self.name = name
        self.transitions = transitions
        self.indexes = indexes
        self.types = types
        self.rule = rule
        self._last: Span = (0, 0, 0, False, "")
        self._rule_spans: dict[int, Span] = {}

    def span(self, at: int) -> Span:
        """The span that holds at Unix second `at`."""
        last = self._last
        if (last[0] is None or last[0] <= at) and (last[1] is None or at < last[1]):
            return last
        self._last = found = self._find(at)
        return found

    def _find(self, at: int) -> Span:
        transitions = self.transitions
        index = bisect_right(transitions, at)
        if index == len(transitions) and self.rule is not None:
            start, end, offset, dst, abbrev = self.rule.span(at)
            if transitions and (start is None or start < transitions[-1]):
                start = transitions[-1]
            return (start, end, offset, dst, abbrev)
        if index == 0:
            which = 0
            for number, one in enumerate(self.types):
                if not one[1]:
                    which = number
                    break
        else:
            which = self.indexes[index - 1]
        offset, dst, abbrev = self.types[which]
        start = transitions[index - 1] if index else None
        end = transitions[index] if index < len(transitions) else None
        return (start, end, offset, dst, abbrev)

    def local_offset(self, local: int) -> tuple[int, bool]:
        """(offset east, is_dst) for local wall-clock seconds (as if they were UTC).

        DetermineTimeZoneOffset: a time in a gap takes the offset before it, an ambiguous
        one the offset after the change."""
        before = self.span(local - 86400)
        boundary = before[1]
        if boundary is None:
            return before[2], before[3]
        after = self.span(boundary)
        before_time = local - before[2]
        after_time = local - after[2]
        if before_time < boundary and after_time < boundary:
            return before[2], before[3]
        if before_time > boundary and after_time >= boundary:
            return after[2], after[3]
        if before_time > after_time:
            return before[2], before[3]
        return after[2], after[3]

    def fixed_offset(self) -> int | None:
        """The offset of a zone that never had another one (pg_get_timezone_offset)."""
        offsets = {t[0] for t in self.types}
        if self.rule is not None:
            offsets |= {self.rule.std_offset, self.rule.dst_offset}
        return offsets.pop() if len(offsets) == 1 else None

    def abbrev_offset(self, abbrev: str, at: int) -> tuple[int, bool] | None:
        """The offset that `abbrev` had at or most recently before an instant, else the first
        after it (pg_interpret_timezone_abbrev)."""
        wanted = abbrev.upper()
        span: Span | None = self.span(at)
        while span is not None:
            if span[4].upper() == wanted:
                return span[2], span[3]
            span = self.span(span[0] - 1) if span[0] is not None else None
        for instant in self.transitions:
            if instant > at:
                after = self.span(instant)
                if after[4].upper() == wanted:
                    return after[2], after[3]
        return None


def fixed_zone(name: str, offset: int, abbrev: str) -> PgTimeZone:
    """A zone of one offset (seconds east of UTC)."""
    return PgTimeZone(name, [], [], [(offset, False, abbrev)], None)


def parse_tzif(name: str, data: bytes) -> PgTimeZone:
    """A zone from the bytes of a TZif file (version 2 or later, or 1)."""

    def header(at: int) -> tuple[int, ...]:
        return struct.unpack(">6l", data[at + 20 : at + 44])

    isut, isstd, leap, timecnt, typecnt, charcnt = header(0)
    at, size, rule = 44, 4, None
    if data[4:5] >= b"2":
        at += timecnt * 5 + typecnt * 6 + charcnt + leap * 8 + isstd + isut
        isut, isstd, leap, timecnt, typecnt, charcnt = header(at)
        at, size = at + 44, 8
    code = "q" if size == 8 else "l"
    transitions = list(struct.unpack(f">{timecnt}{code}", data[at : at + timecnt * size]))
    at += timecnt * size
    indexes = list(data[at : at + timecnt])
    at += timecnt
    raw_types = [struct.unpack(">lBB", data[at + 6 * i : at + 6 * i + 6]) for i in range(typecnt)]
    at += typecnt * 6
    chars = data[at : at + charcnt]
    types = [(off, bool(dst), chars[i : chars.index(0, i)].decode()) for off, dst, i in raw_types]
    at += charcnt + leap * (size + 4) + isstd + isut
    if size == 8:
        footer = data[at:].strip(b"\n").decode()
        rule = PosixRule(footer) if footer else None
    return PgTimeZone(name, transitions, indexes, types, rule)


@lru_cache(maxsize=1)
def zone_names() -> dict[str, str]:
    """Lower-case name -> canonical name of every zone there is."""
    return {name.lower(): name for name in zoneinfo.available_timezones()}


def zone_bytes(name: str) -> bytes | None:
    """The TZif file of an exactly spelled zone."""
    if not re.fullmatch(r"[A-Za-z0-9_+\-/]+", name) or name.startswith("/"):
        return None
    for folder in zoneinfo.TZPATH:
        path = Path(folder) / name
        if path.is_file():
            data = path.read_bytes()
            return data if data[:4] == b"TZif" else None
    try:
        entry = resources.files("tzdata").joinpath("zoneinfo", *name.split("/"))
        data = entry.read_bytes()
    except (OSError, ModuleNotFoundError):
        return None
    return data if data[:4] == b"TZif" else None


@lru_cache(maxsize=512)
def pg_tzset(name: str) -> PgTimeZone | None:
    """The zone of a name (any case) or POSIX string, None if it is neither."""
    if not name or len(name) > 255:
        return None
    data = zone_bytes(name)
    if data is None:
        canonical = zone_names().get(name.lower())
        if canonical is not None and canonical != name:
            return pg_tzset(canonical)
    if data is not None:
        return parse_tzif(name, data)
    if name.lower() == "gmt":
        return fixed_zone("GMT", 0, "GMT")
    try:
        rule = PosixRule(name.upper(), default_rules=True)
    except (ValueError, IndexError):
        return None
    return PgTimeZone(name.upper(), [], [], [(rule.std_offset, False, rule.std_name)], rule)


@lru_cache(maxsize=128)
def pg_tzset_offset(offset: int) -> PgTimeZone:
    """The zone of SET TIME ZONE with a numeric offset: `offset` is seconds WEST of UTC."""
    east = -offset
    size = abs(east)
    text = f"{size // 3600:02d}"
    if size % 3600:
        text += f":{size % 3600 // 60:02d}"
        if size % 60:
            text += f":{size % 60:02d}"
    sign, other = ("+", "-") if east >= 0 else ("-", "+")
    name = f"<{sign}{text}>{other}{text}"
    return fixed_zone(name, east, f"{sign}{text}")


@lru_cache(maxsize=64)
def _zone_of(key: Any) -> PgTimeZone:
    name = getattr(key, "key", None) or str(key)
    return pg_tzset(name) or fixed_zone("GMT", 0, "GMT")


def session_zone(ctx: Any) -> PgTimeZone:
    """The session's zone, whatever form the context holds it in."""
    zone = ctx.timezone
    if isinstance(zone, PgTimeZone):
        return zone
    return _zone_of(zone)


@lru_cache(maxsize=1)
def timezone_abbrevs() -> dict[str, tuple[int, bool, str]]:
    """Lower-case abbreviation -> (offset east, is_dst, zone name if the offset varies)."""
    text = resources.files("pgemu.types").joinpath("data/timezone_abbrevs.tsv").read_text()
    table: dict[str, tuple[int, bool, str]] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            abbrev, offset, dst, zone = line.split("\t")
            table[abbrev.lower()] = (int(offset), dst == "t", zone)
    return table
