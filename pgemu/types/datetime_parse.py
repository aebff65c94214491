"""Text to date/time fields: ParseDateTime, DecodeDateTime, DecodeTimeOnly and their parts.

Counterpart of the input half of PostgreSQL's datetime.c; same order of decisions, because only
that gives the same verdict on every odd input.  `decode_datetime` is for date, timestamp and
timestamptz, `decode_time_only` for time and timetz; interval.py shares the tokenizer.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn

from pgemu.errors import (
    DATETIME_VALUE_OUT_OF_RANGE,
    INTERVAL_FIELD_OVERFLOW,
    INVALID_DATETIME_FORMAT,
    INVALID_PARAMETER_VALUE,
    INVALID_TIME_ZONE_DISPLACEMENT_VALUE,
    PgError,
)
from pgemu.types import datetime_tokens as k
from pgemu.types.datetime_calendar import (
    Tm,
    current_tm,
    date2j,
    days_in_month,
    j2date,
)
from pgemu.types.datetime_tokens import DATE_M, TIME_M, decode_special, m
from pgemu.types.timezone import PgTimeZone, pg_tzset, session_zone, timezone_abbrevs

NUMBER, STRING, DATE, TIME_FIELD, TZ_FIELD, SPECIAL = range(6)
MAXDATEFIELDS = 25
INT_MAX = 2**31 - 1


class DecodeError(Exception):
    """Why an input is refused: "format", "overflow", "md_overflow", "interval", "tzdisp"."""

    def __init__(self, kind: str = "format") -> None:
        self.kind = kind


def raise_decode_error(kind: str, text: str, type_name: str) -> NoReturn:
    """DateTimeParseError."""
    if kind == "overflow":
        raise PgError(DATETIME_VALUE_OUT_OF_RANGE, f'date/time field value out of range: "{text}"')
    if kind == "md_overflow":
        raise PgError(
            DATETIME_VALUE_OUT_OF_RANGE,
            f'date/time field value out of range: "{text}"',
            hint='Perhaps you need a different "datestyle" setting.',
        )
    if kind == "interval":
        raise PgError(INTERVAL_FIELD_OVERFLOW, f'interval field value out of range: "{text}"')
    if kind == "tzdisp":
        raise PgError(
            INVALID_TIME_ZONE_DISPLACEMENT_VALUE,
            f'time zone displacement out of range: "{text}"',
        )
    raise PgError(INVALID_DATETIME_FORMAT, f'invalid input syntax for type {type_name}: "{text}"')


def zone_not_recognized(name: str) -> PgError:
    return PgError(INVALID_PARAMETER_VALUE, f'time zone "{name}" not recognized')


_DIGITS = re.compile(r"[0-9]*")
_TIME_CHARS = re.compile(r"[0-9:.]*")
_WORD_TAIL = re.compile(r"[A-Za-z0-9+\-/_.:]*")
_ALPHA = re.compile(r"[A-Za-z]*")
_TZ_CHARS = re.compile(r"[0-9:.\-]*")
_SPACES = " \t\n\r\v\f"


def _is_digit(char: str) -> bool:
    return "0" <= char <= "9"


def _is_alpha(char: str) -> bool:
    return "a" <= char <= "z" or "A" <= char <= "Z"


def parse_datetime(text: str) -> list[tuple[str, int]]:
    """Split an input into (field text in lower case, field type)."""
    fields: list[tuple[str, int]] = []
    at, end = 0, len(text)
    text += "\0\0"
    while at < end:
        char = text[at]
        if char in _SPACES:
            at += 1
            continue
        start = at
        if _is_digit(char):
            at, kind = _scan_number(text, at)
        elif char == ".":
            stop = _DIGITS.match(text, at + 1)
            assert stop is not None
            at, kind = stop.end(), NUMBER
        elif _is_alpha(char):
            stop = _ALPHA.match(text, at)
            assert stop is not None
            at, kind = stop.end(), STRING
            follow = text[at]
            if follow in "-/." or (
                (follow == "+" or _is_digit(follow))
                and text[start:at].lower()[: k.TOKMAXLEN] not in k.date_tokens
            ):
                kind = DATE
                stop = _WORD_TAIL.match(text, at)
                assert stop is not None
                at = stop.end()
        elif char in "+-":
            at += 1
            while text[at] in _SPACES:
                at += 1
            if _is_digit(text[at]):
                pattern, kind = _TZ_CHARS, TZ_FIELD
            elif _is_alpha(text[at]):
                pattern, kind = _ALPHA, SPECIAL
            else:
                raise DecodeError
            stop = pattern.match(text, at)
            assert stop is not None
            fields.append((char + text[at : stop.end()].lower(), kind))
            at = stop.end()
            continue
        elif "!" <= char <= "~":
            at += 1
            continue
        else:
            raise DecodeError
        fields.append((text[start:at].lower(), kind))
        if len(fields) > MAXDATEFIELDS:
            raise DecodeError
    return fields


def _scan_number(text: str, at: int) -> tuple[int, int]:
    """End and type of a field that begins with a digit."""

    def digits(start: int) -> int:
        stop = _DIGITS.match(text, start)
        assert stop is not None
        return stop.end()

    at = digits(at)
    delim = text[at]
    if delim == ":":
        stop = _TIME_CHARS.match(text, at)
        assert stop is not None
        return stop.end(), TIME_FIELD
    if delim not in "-/.":
        return at, NUMBER
    at += 1
    if _is_digit(text[at]):
        kind = NUMBER if delim == "." else DATE
        at = digits(at)
        if text[at] == delim:
            kind = DATE
            while _is_digit(text[at]) or text[at] == delim:
                at += 1
        return at, kind
    while _is_digit(text[at]) or _is_alpha(text[at]) or text[at] == delim:
        at += 1
    # A number with a bare trailing point is a DATE field to PostgreSQL as well.
    return at, DATE


def strtoint(text: str, at: int = 0) -> tuple[int, int]:
    """(value, end) of an integer at a place; "overflow" past int4; end == at if there is none."""
    found = re.compile(r"[ \t\n\r\v\f]*([+-]?[0-9]+)").match(text, at)
    if found is None:
        return 0, at
    value = int(found[1])
    if not -INT_MAX - 1 <= value <= INT_MAX:
        raise DecodeError("overflow")
    return value, found.end()


def parse_fractional_second(text: str) -> int:
    """ ".123" to microseconds, rounded."""
    if not re.fullmatch(r"\.[0-9]*([eE][+-]?[0-9]+)?", text):
        raise DecodeError
    if text == ".":
        return 0
    return round(float("0" + text) * 1_000_000)


def decode_timezone(text: str) -> int:
    """+hh:mm:ss to seconds WEST of UTC."""
    if text[:1] not in ("+", "-"):
        raise DecodeError
    try:
        hour, at = strtoint(text, 1)
        minute = second = 0
        if text[at : at + 1] == ":":
            minute, at = strtoint(text, at + 1)
            if text[at : at + 1] == ":":
                second, at = strtoint(text, at + 1)
        elif at == len(text) and len(text) > 3:
            hour, minute = divmod(hour, 100)
    except DecodeError:
        raise DecodeError("tzdisp") from None
    if not (0 <= hour <= 15 and 0 <= minute < 60 and 0 <= second < 60):
        raise DecodeError("tzdisp")
    offset = (hour * 60 + minute) * 60 + second
    if at != len(text):
        raise DecodeError
    return offset if text[0] == "-" else -offset


def decode_time(text: str, tm: Tm, *, minute_to_second: bool = False) -> None:
    """hh:mm[:ss[.ffffff]] (or mm:ss.fff) into the fields."""
    found = re.match(r"[0-9]+", text)
    if found is None or text[found.end() : found.end() + 1] != ":":
        raise DecodeError
    hour = int(found[0])
    if hour > 2**63 - 1:
        raise DecodeError("overflow")
    minute, at = strtoint(text, found.end() + 1)
    rest = text[at:]
    second = usec = 0
    if not rest:
        if minute_to_second:
            hour, minute, second = 0, hour, minute
    elif rest[0] == ".":
        usec = parse_fractional_second(rest)
        hour, minute, second = 0, hour, minute
    elif rest[0] == ":":
        second, at = strtoint(text, at + 1)
        if text[at:]:
            if text[at] != ".":
                raise DecodeError
            usec = parse_fractional_second(text[at:])
    else:
        raise DecodeError
    if not (0 <= minute <= 59 and 0 <= second <= 60 and 0 <= usec <= 1_000_000):
        raise DecodeError("overflow")
    tm.hour, tm.min, tm.sec, tm.usec = hour, minute, second, usec


def time_overflows(tm: Tm) -> bool:
    """Range check of the time of day; 24:00:00 and second 60 are allowed."""
    if not (0 <= tm.hour <= 24 and 0 <= tm.min <= 59 and 0 <= tm.sec <= 60):
        return True
    return tm.time_usecs() > 86_400_000_000


class Decoder:
    """The state of one decoding: fields found so far and what they still wait for."""

    def __init__(self, text: str, ctx: Any) -> None:
        self.ctx = ctx
        self.order = ctx.dateorder
        self.fields = parse_datetime(text)
        self.tm = Tm()
        self.fmask = 0
        self.dtype = k.UNKNOWN_FIELD
        self.tz: int = 0
        self.ptype = 0
        self.meridian = k.HR24
        self.is_julian = self.is2digits = self.bc = self.have_text_month = False
        self.named_zone: PgTimeZone | None = None
        self.abbrev_zone: tuple[PgTimeZone, str] | None = None

    # ---- numbers and dates

    def decode_number(self, text: str, fmask: int, have_text_month: bool) -> int:
        """One number of a date (or a time behind a complete date); returns its mask."""
        tm = self.tm
        value, at = strtoint(text)
        if at == 0:
            raise DecodeError
        rest = text[at:]
        if rest.startswith("."):
            if at > 2:
                return self.decode_number_field(text, fmask | DATE_M)
            tm.usec = parse_fractional_second(rest)
        elif rest:
            raise DecodeError
        size = len(text)
        have = fmask & DATE_M
        if size == 3 and have == m(k.YEAR) and 1 <= value <= 366:
            tm.yday = value
            return m(k.DOY, k.MONTH, k.DAY)
        if have == 0:
            if size >= 3 or self.order == "YMD":
                kind = k.YEAR
            else:
                kind = k.DAY if self.order == "DMY" else k.MONTH
        elif have == m(k.YEAR):
            kind = k.MONTH
        elif have == m(k.MONTH):
            if have_text_month:
                kind = k.YEAR if size >= 3 or self.order == "YMD" else k.DAY
            else:
                kind = k.DAY
        elif have == m(k.YEAR, k.MONTH):
            kind = k.DAY
            if have_text_month and size >= 3 and self.is2digits:
                tm.day, tm.year = tm.year, value
                self.is2digits = False
                return m(k.DAY)
        elif have == m(k.DAY):
            kind = k.MONTH
        elif have == m(k.MONTH, k.DAY):
            kind = k.YEAR
        elif have == DATE_M:
            return self.decode_number_field(text, fmask)
        else:
            raise DecodeError
        self.set_field(kind, value)
        if kind == k.YEAR:
            self.is2digits = size <= 2
        return m(kind)

    def set_field(self, kind: int, value: int) -> None:
        tm = self.tm
        if kind == k.YEAR:
            tm.year = value
        elif kind == k.MONTH:
            tm.mon = value
        elif kind == k.DAY:
            tm.day = value
        elif kind == k.HOUR:
            tm.hour = value
        elif kind == k.MINUTE:
            tm.min = value
        else:
            tm.sec = value

    def decode_number_field(self, text: str, fmask: int) -> int:
        """A run-together date or time: yyyymmdd, hhmmss[.fff], hhmm."""
        tm = self.tm
        head, point, fraction = text.partition(".")
        size = len(head)
        if point:
            try:
                tm.usec = round(float("0." + fraction) * 1_000_000)
            except ValueError:
                raise DecodeError from None
        elif fmask & DATE_M != DATE_M and size >= 6:
            try:
                tm.day, tm.mon, tm.year = int(head[-2:]), int(head[-4:-2]), int(head[:-4])
            except ValueError:
                raise DecodeError from None
            if tm.year > INT_MAX:  # C's atoi() wraps around
                tm.year = (tm.year + 2**31) % 2**32 - 2**31
            if size == 6:
                self.is2digits = True
            return DATE_M
        if fmask & TIME_M != TIME_M and size in (4, 6):
            if not head.isdigit():
                raise DecodeError
            tm.hour, tm.min = int(head[:2]), int(head[2:4])
            tm.sec = int(head[4:]) if size == 6 else 0
            return TIME_M
        raise DecodeError

    def decode_date(self, text: str, fmask: int) -> int:
        """A date with separators, in the field order of DateStyle."""
        parts: list[str | None] = list(re.findall(r"[0-9]+|[a-z]+", text))
        if not parts or not (text[-1].isdigit() or text[-1].isalpha()):
            raise DecodeError
        tmask = 0
        have_text_month = False
        for number, part in enumerate(parts):
            assert part is not None
            if part[0].isalpha():
                kind, value = decode_special(part)
                if kind == k.IGNORE_DTF:
                    continue
                if kind != k.MONTH:
                    raise DecodeError
                self.tm.mon = value
                have_text_month = True
                if fmask & m(k.MONTH):
                    raise DecodeError
                fmask |= m(k.MONTH)
                tmask |= m(k.MONTH)
                parts[number] = None
        for part in parts:
            if part is None:
                continue
            mask = self.decode_number(part, fmask, have_text_month)
            if fmask & mask:
                raise DecodeError
            fmask |= mask
            tmask |= mask
        if fmask & ~m(k.DOY, k.TZ) != DATE_M:
            raise DecodeError
        return tmask

    # ---- words

    def labelled_number(self, text: str) -> int:
        """A number behind a unit letter, as in y2001m02d04 or t040506."""
        tm, ptype = self.tm, self.ptype
        self.ptype = 0
        self.dtype = DATE
        if ptype == k.TIME:
            mask = self.decode_number_field(text, self.fmask | DATE_M)
            if mask != TIME_M:
                raise DecodeError
            return mask
        value, at = strtoint(text)
        rest = text[at:]
        if rest and not (rest[0] == "." and ptype in (k.JULIAN, k.SECOND)):
            raise DecodeError
        if ptype == k.MONTH and self.fmask & m(k.MONTH) and self.fmask & m(k.HOUR):
            tm.min = value
            return m(k.MINUTE)
        if ptype in (k.YEAR, k.MONTH, k.DAY, k.HOUR, k.MINUTE):
            self.set_field(ptype, value)
            return m(ptype)
        if ptype == k.SECOND:
            tm.sec = value
            if rest:
                tm.usec = parse_fractional_second(rest)
                return k.ALL_SECS_M
            return m(k.SECOND)
        if ptype == k.JULIAN:
            if value < 0:
                raise DecodeError("overflow")
            tm.year, tm.mon, tm.day = j2date(value)
            self.is_julian = True
            if rest:
                tm.set_time(round(float("0" + rest) * 86_400_000_000))
                return DATE_M | TIME_M
            return DATE_M
        raise DecodeError

    def timezone_word(self, word: str) -> int | None:
        """A time zone abbreviation: its mask, None if it is none."""
        entry = timezone_abbrevs().get(word[: k.TOKMAXLEN])
        if entry is None:
            return None
        offset, is_dst, zone_name = entry
        if zone_name:
            zone = pg_tzset(zone_name)
            assert zone is not None
            self.abbrev_zone = (zone, word)
            return m(k.TZ, k.DYNTZ)
        self.tm.isdst = is_dst
        self.tz = -offset
        return m(k.TZ, k.DTZ) if is_dst else m(k.TZ)

    def word(self, number: int, word: str, *, time_only: bool) -> int | None:
        """A STRING or SPECIAL field: its mask, None when it is to be ignored."""
        mask = self.timezone_word(word)
        if mask is not None:
            return mask
        kind, value = decode_special(word)
        if kind == k.IGNORE_DTF:
            return None
        if kind == k.RESERV:
            return self.reserved_time(value) if time_only else self.reserved(value)
        if kind == k.MONTH and not time_only:
            mask = m(k.MONTH)
            if (
                self.fmask & mask
                and not self.have_text_month
                and not self.fmask & m(k.DAY)
                and 1 <= self.tm.mon <= 31
            ):
                self.tm.day = self.tm.mon
                mask = m(k.DAY)
            self.have_text_month = True
            self.tm.mon = value
            return mask
        if kind == k.DTZMOD:
            self.tz -= value
            return m(k.DTZMOD, k.DTZ)
        if kind == k.AMPM:
            self.meridian = value
        elif kind == k.ADBC:
            self.bc = value == k.BC
        elif kind == k.UNITS:
            self.ptype = value
            return 0
        elif kind == k.ISOTIME:
            if not time_only and self.fmask & DATE_M != DATE_M:
                raise DecodeError
            following = self.fields[number + 1][1] if number + 1 < len(self.fields) else None
            if following not in (NUMBER, TIME_FIELD, DATE):
                raise DecodeError
            self.ptype = value
            return 0
        elif kind == k.UNKNOWN_FIELD:
            self.named_zone = pg_tzset(word)
            if self.named_zone is None:
                raise DecodeError
            return m(k.TZ)
        elif kind != k.DOW or time_only:
            raise DecodeError
        return m(kind)

    def reserved(self, value: int) -> int:
        tm = self.tm
        if value == k.NOW:
            self.set_now()
            return DATE_M | TIME_M | m(k.TZ)
        if value in (k.TODAY, k.TOMORROW, k.YESTERDAY):
            now = current_tm(self.ctx)
            shift = {k.TODAY: 0, k.TOMORROW: 1, k.YESTERDAY: -1}[value]
            tm.year, tm.mon, tm.day = j2date(date2j(now.year, now.mon, now.day) + shift)
            self.dtype = DATE
            return DATE_M
        if value == k.ZULU:
            tm.hour = tm.min = tm.sec = 0
            self.tz = 0
            self.dtype = DATE
            return TIME_M | m(k.TZ)
        self.dtype = value
        return m(k.RESERV)

    def set_now(self) -> None:
        now = current_tm(self.ctx)
        tm = self.tm
        tm.year, tm.mon, tm.day = now.year, now.mon, now.day
        tm.hour, tm.min, tm.sec, tm.usec = now.hour, now.min, now.sec, now.usec
        self.tz = -now.gmtoff
        self.dtype = DATE

    def reserved_time(self, value: int) -> int:
        if value == k.NOW:
            self.set_now()
            return TIME_M
        if value == k.ZULU:
            self.tm.hour = self.tm.min = self.tm.sec = 0
            self.tz = 0
            return TIME_M | m(k.TZ)
        raise DecodeError

    # ---- after the fields

    def named(self, text: str) -> int:
        self.named_zone = pg_tzset(text)
        if self.named_zone is None:
            raise zone_not_recognized(text)
        return m(k.TZ)

    def validate_date(self) -> None:
        tm, fmask = self.tm, self.fmask
        if fmask & m(k.YEAR) and not self.is_julian:
            if self.bc:
                if tm.year <= 0:
                    raise DecodeError("overflow")
                tm.year = -(tm.year - 1)
            elif self.is2digits:
                if tm.year < 0:
                    raise DecodeError("overflow")
                if tm.year < 70:
                    tm.year += 2000
                elif tm.year < 100:
                    tm.year += 1900
            elif tm.year <= 0:
                raise DecodeError("overflow")
        if fmask & m(k.DOY):
            tm.year, tm.mon, tm.day = j2date(date2j(tm.year, 1, 1) + tm.yday - 1)
        if fmask & m(k.MONTH) and not 1 <= tm.mon <= 12:
            raise DecodeError("md_overflow")
        if fmask & m(k.DAY) and not 1 <= tm.day <= 31:
            raise DecodeError("md_overflow")
        if fmask & DATE_M == DATE_M and tm.day > days_in_month(tm.year, tm.mon):
            raise DecodeError("overflow")

    def apply_meridian(self) -> None:
        tm = self.tm
        if self.meridian != k.HR24 and tm.hour > 12:
            raise DecodeError("overflow")
        if self.meridian == k.AM and tm.hour == 12:
            tm.hour = 0
        elif self.meridian == k.PM and tm.hour != 12:
            tm.hour += 12

    def resolve_zone(self, tm: Tm) -> None:
        """The offset of a zone that needs the date, or of the session's zone."""
        if self.named_zone is None and self.abbrev_zone is None and self.fmask & m(k.TZ):
            return
        if self.fmask & m(k.DTZMOD):
            raise DecodeError
        local = tm.local_seconds()
        if self.named_zone is not None:
            offset, self.tm.isdst = self.named_zone.local_offset(local)
        elif self.abbrev_zone is not None:
            zone, abbrev = self.abbrev_zone
            guess = local - zone.local_offset(local)[0]
            found = zone.abbrev_offset(abbrev, guess)
            offset, self.tm.isdst = found if found is not None else zone.local_offset(local)
        else:
            offset, self.tm.isdst = session_zone(self.ctx).local_offset(local)
        self.tz = -offset


def decode_datetime(text: str, ctx: Any) -> Decoder:
    """DecodeDateTime; the result's dtype is DATE, EPOCH, LATE or EARLY, tz the offset west."""
    d = Decoder(text, ctx)
    d.dtype = DATE
    if not d.fields:
        raise DecodeError
    for number, (field, kind) in enumerate(d.fields):
        mask = _datetime_field(d, number, field, kind)
        if mask is None:
            continue
        if mask & d.fmask:
            raise DecodeError
        d.fmask |= mask
    d.validate_date()
    d.apply_meridian()
    if d.dtype != DATE:
        return d
    if d.fmask & DATE_M != DATE_M:
        raise DecodeError
    d.resolve_zone(d.tm)
    return d


def _datetime_field(d: Decoder, number: int, field: str, kind: int) -> int | None:
    if kind == DATE:
        if d.ptype == k.JULIAN:
            value, at = strtoint(field)
            if value < 0:
                raise DecodeError("overflow")
            d.tm.year, d.tm.mon, d.tm.day = j2date(value)
            d.is_julian = True
            d.tz = decode_timezone(field[at:])
            d.ptype = 0
            return DATE_M | TIME_M | m(k.TZ)
        if d.ptype or d.fmask & m(k.MONTH, k.DAY) == m(k.MONTH, k.DAY):
            if not (field[0].isdigit() or d.ptype):
                return d.named(field)
            if d.ptype:
                if d.ptype != k.TIME:
                    raise DecodeError
                d.ptype = 0
            if d.fmask & TIME_M == TIME_M or "-" not in field:
                raise DecodeError
            at = field.index("-")
            d.tz = decode_timezone(field[at:])
            return d.decode_number_field(field[:at], d.fmask) | m(k.TZ)
        return d.decode_date(field, d.fmask)
    if kind == TIME_FIELD:
        if d.ptype:
            if d.ptype != k.TIME:
                raise DecodeError
            d.ptype = 0
        decode_time(field, d.tm)
        if time_overflows(d.tm):
            raise DecodeError("overflow")
        return TIME_M
    if kind == TZ_FIELD:
        d.tz = decode_timezone(field)
        return m(k.TZ)
    if kind == NUMBER:
        if d.ptype:
            return d.labelled_number(field)
        point = field.find(".")
        if point >= 0 and not d.fmask & DATE_M:
            return d.decode_date(field, d.fmask)
        if point > 2:
            return d.decode_number_field(field, d.fmask)
        if point < 0 and len(field) >= 6 and (not d.fmask & DATE_M or not d.fmask & TIME_M):
            return d.decode_number_field(field, d.fmask)
        return d.decode_number(field, d.fmask, d.have_text_month)
    return d.word(number, field, time_only=False)


def decode_time_only(text: str, ctx: Any) -> Decoder:
    """DecodeTimeOnly."""
    d = Decoder(text, ctx)
    if not d.fields:
        raise DecodeError
    for number, (field, kind) in enumerate(d.fields):
        mask = _time_field(d, number, field, kind)
        if mask is None:
            continue
        if mask & d.fmask:
            raise DecodeError
        d.fmask |= mask
    d.validate_date()
    d.apply_meridian()
    if time_overflows(d.tm):
        raise DecodeError("overflow")
    if d.fmask & TIME_M != TIME_M:
        raise DecodeError
    _resolve_time_zone(d)
    return d


def _resolve_time_zone(d: Decoder) -> None:
    have = d.fmask & DATE_M
    if d.named_zone is not None:
        fixed = d.named_zone.fixed_offset()
        if fixed is not None:
            d.tz = -fixed
            return
        if have != DATE_M:
            raise DecodeError
    elif d.fmask & m(k.TZ) and d.abbrev_zone is None:
        return
    tm = d.tm
    if not have:
        now = current_tm(d.ctx)
        tm.year, tm.mon, tm.day = now.year, now.mon, now.day
    elif have != DATE_M:
        raise DecodeError
    d.resolve_zone(tm)


def _time_field(d: Decoder, number: int, field: str, kind: int) -> int | None:
    count = len(d.fields)
    if kind == DATE:
        last_is_date = d.fields[-1][1] == DATE
        if number == 0 and count >= 2 and (last_is_date or d.fields[1][1] == TIME_FIELD):
            return d.decode_date(field, d.fmask)
        if not field[0].isdigit():
            return d.named(field)
        if d.fmask & TIME_M == TIME_M or "-" not in field:
            raise DecodeError
        at = field.index("-")
        d.tz = decode_timezone(field[at:])
        d.ptype = 0
        return d.decode_number_field(field[:at], d.fmask | DATE_M) | m(k.TZ)
    if kind == TIME_FIELD:
        d.ptype = 0
        decode_time(field, d.tm)
        return TIME_M
    if kind == TZ_FIELD:
        d.tz = decode_timezone(field)
        return m(k.TZ)
    if kind == NUMBER:
        if d.ptype:
            return d.labelled_number(field)
        point = field.find(".")
        if point >= 0:
            if number == 0 and count >= 2 and d.fields[-1][1] == DATE:
                return d.decode_date(field, d.fmask)
            if point > 2:
                return d.decode_number_field(field, d.fmask | DATE_M)
            raise DecodeError
        if len(field) > 4:
            return d.decode_number_field(field, d.fmask | DATE_M)
        return d.decode_number(field, d.fmask | DATE_M, False)
    return d.word(number, field, time_only=True)
