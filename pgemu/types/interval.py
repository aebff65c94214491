"""interval: input (verbose, ISO 8601, SQL standard), output in four styles, typmods, ordering.

Counterpart of DecodeInterval, DecodeISO8601Interval, EncodeInterval and interval_in/out.  Stored
as "months days usecs".  Fields are summed as exact integers and fractions as floats, as there.
"""

from __future__ import annotations

import re
import struct
from typing import Any

from pgemu.errors import DATETIME_VALUE_OUT_OF_RANGE, INVALID_PARAMETER_VALUE, PgError
from pgemu.fmgr import CallContext
from pgemu.types import datetime_tokens as k
from pgemu.types.base import BaseType, register_type
from pgemu.types.datetime_calendar import Tm
from pgemu.types.datetime_parse import (
    DATE,
    NUMBER,
    SPECIAL,
    STRING,
    TIME_FIELD,
    TZ_FIELD,
    DecodeError,
    decode_time,
    parse_datetime,
    raise_decode_error,
)
from pgemu.types.datetime_tokens import TIME_M, decode_units, m
from pgemu.types.datetime_types import unpack

INT_MIN, INT_MAX = -(2**31), 2**31 - 1
LONG_MIN, LONG_MAX = -(2**63), 2**63 - 1
FULL_RANGE, FULL_PRECISION = 0x7FFF, 0xFFFF
DAY_US = 86_400_000_000
UNIT_US = {k.HOUR: 3_600_000_000, k.MINUTE: 60_000_000, k.SECOND: 1_000_000,
           k.MILLISECOND: 1000, k.MICROSECOND: 1}  # fmt: skip
UNIT_MONTHS = {k.YEAR: 12, k.DECADE: 120, k.CENTURY: 1200, k.MILLENNIUM: 12000, k.MONTH: 1}

Span = tuple[int, int, int]


def interval_out_of_range() -> PgError:
    return PgError(DATETIME_VALUE_OUT_OF_RANGE, "interval out of range")


def unpack_interval(value: str) -> Span:
    """(months, days, usecs) of a stored interval."""
    months, days, usecs = value.split(" ")
    return int(months), int(days), int(usecs)


def pack_interval(months: int, days: int, usecs: int) -> str:
    """The stored form; an overflow of any part is an error."""
    if (
        not INT_MIN <= months <= INT_MAX
        or not INT_MIN <= days <= INT_MAX
        or not LONG_MIN <= usecs <= LONG_MAX
    ):
        raise interval_out_of_range()
    return f"{months} {days} {usecs}"


def interval_span(value: str) -> int:
    """interval_cmp_value: the length with 30-day months and 24-hour days."""
    months, days, usecs = unpack_interval(value)
    return usecs + (days + months * 30) * DAY_US


class Itm:
    """The sum of the parts of an input."""

    def __init__(self) -> None:
        self.years = 0
        self.months = 0
        self.days = 0
        self.usecs = 0

    def add_usecs(self, value: int, fraction: float, scale: int) -> None:
        self.usecs += value * scale + round(fraction * scale)
        self.check(LONG_MIN <= self.usecs <= LONG_MAX)

    def add_days(self, value: int, fraction: float, scale: int) -> None:
        self.days += value * scale
        self.add_fraction_days(fraction, scale)
        self.check(INT_MIN <= self.days <= INT_MAX)

    def add_fraction_days(self, fraction: float, scale: int) -> None:
        if fraction == 0:
            return
        fraction *= scale
        whole = int(fraction)
        self.days += whole
        fraction -= whole
        self.usecs += round(fraction * DAY_US)

    def add_months(self, value: int, fraction: float) -> None:
        self.months += value
        self.check(INT_MIN <= self.months <= INT_MAX)
        self.add_fraction_days(fraction, 30)

    def add_years(self, value: int, fraction: float, scale: int) -> None:
        self.years += value * scale
        self.check(INT_MIN <= self.years <= INT_MAX)
        self.months += round(fraction * scale * 12)
        self.check(INT_MIN <= self.months <= INT_MAX)

    @staticmethod
    def check(fine: bool) -> None:
        if not fine:
            raise DecodeError("overflow")

    def stored(self) -> Span:
        months = self.years * 12 + self.months
        self.check(INT_MIN <= self.days <= INT_MAX and LONG_MIN <= self.usecs <= LONG_MAX)
        if not INT_MIN <= months <= INT_MAX:
            raise interval_out_of_range()
        return months, self.days, self.usecs

    def add_unit(self, unit: int, value: int, fraction: float) -> int:
        """Add a number of a unit; returns its mask."""
        if unit in UNIT_US:
            self.add_usecs(value, fraction, UNIT_US[unit])
            if unit == k.SECOND and fraction:
                return k.ALL_SECS_M
        elif unit == k.DAY:
            self.add_days(value, fraction, 1)
        elif unit == k.WEEK:
            self.add_days(value, fraction, 7)
        elif unit == k.MONTH:
            self.add_months(value, fraction)
        elif unit in UNIT_MONTHS:
            self.add_years(value, fraction, UNIT_MONTHS[unit] // 12)
        else:
            raise DecodeError
        return m(unit)


def default_unit(span: int) -> int:
    """The unit of a bare number under an interval's range."""
    if span == m(k.YEAR):
        return k.YEAR
    if span in (m(k.MONTH), m(k.YEAR, k.MONTH)):
        return k.MONTH
    if span == m(k.DAY):
        return k.DAY
    if span in (m(k.HOUR), m(k.DAY, k.HOUR)):
        return k.HOUR
    if span in (m(k.MINUTE), m(k.HOUR, k.MINUTE), m(k.DAY, k.HOUR, k.MINUTE)):
        return k.MINUTE
    return k.SECOND


_INTEGER = re.compile(r"[+-]?[0-9]*")


def decode_interval(text: str, span: int, style: str) -> Span:
    """DecodeInterval: the fields are read from the right, units before their numbers."""
    fields = parse_datetime(text)
    itm = Itm()
    fmask = 0
    unit: int | None = None
    is_before = parsing_unit = False
    force_negative = False
    if style == "sql_standard" and fields and fields[0][0].startswith("-"):
        # SQL standard: one leading sign holds for all, unless another sign is there.
        force_negative = not any(f[0][:1] in ("-", "+") for f in fields[1:])
    for number in range(len(fields) - 1, -1, -1):
        field, kind = fields[number]
        tmask = 0
        if kind == TIME_FIELD:
            tm = Tm()
            decode_time(field, tm, minute_to_second=span == m(k.MINUTE, k.SECOND))
            usecs = tm.time_usecs()
            itm.check(usecs <= LONG_MAX)
            itm.usecs += -usecs if force_negative else usecs
            itm.check(LONG_MIN <= itm.usecs <= LONG_MAX)
            tmask = TIME_M
            unit, parsing_unit = k.DAY, False
        elif kind == TZ_FIELD and ":" in field[1:]:
            tm = Tm()
            try:
                decode_time(field[1:], tm, minute_to_second=span == m(k.MINUTE, k.SECOND))
            except DecodeError:
                raise DecodeError from None  # it is no number either
            usecs = tm.time_usecs()
            itm.usecs += -usecs if field[0] == "-" else usecs
            itm.check(LONG_MIN <= itm.usecs <= LONG_MAX)
            tmask = TIME_M
            unit, parsing_unit = k.DAY, False
        elif kind in (TZ_FIELD, DATE, NUMBER):
            if unit is None:
                unit = default_unit(span)
            value, fraction, unit = _interval_number(field, unit, itm)
            if force_negative:
                value, fraction = -abs(value), -abs(fraction)
            tmask = itm.add_unit(unit, value, fraction)
            parsing_unit = False
            if unit == k.HOUR:  # '1 2' DAY TO HOUR
                unit = k.DAY
        elif kind in (STRING, SPECIAL):
            if parsing_unit:
                raise DecodeError
            what, value = decode_units(field)
            if what == k.UNKNOWN_FIELD:
                what, value = k.decode_special(field)
            if what == k.IGNORE_DTF:
                continue
            if what == k.UNITS:
                unit, parsing_unit = value, True
            elif what == k.AGO:
                is_before = True
                unit = value
            else:
                raise DecodeError
        else:
            raise DecodeError
        if tmask & fmask:
            raise DecodeError
        fmask |= tmask
    if fmask == 0 or parsing_unit:
        raise DecodeError
    months, days, usecs = itm.stored()
    if is_before:
        months, days, usecs = -months, -days, -usecs
        itm.check(months <= INT_MAX and days <= INT_MAX and usecs <= LONG_MAX)
    return months, days, usecs


def _interval_number(field: str, unit: int, itm: Itm) -> tuple[int, float, int]:
    """(value, fraction, unit) of a number; a "y-m" form is YEAR TO MONTH."""
    found = _INTEGER.match(field)
    assert found is not None
    digits = found[0]
    value = int(digits) if digits not in ("", "+", "-") else 0
    if not LONG_MIN <= value <= LONG_MAX:
        raise DecodeError("overflow")
    rest = field[found.end() :]
    negative = field.startswith("-")
    if rest.startswith("-"):
        tail = rest[1:]
        digits_found = re.match(r"[0-9]*", tail)
        low = int(digits_found[0] or "0") if digits_found else 0
        if low > 11:
            raise DecodeError("overflow")
        if not tail.isdigit():
            raise DecodeError
        total = value * 12 + (-low if negative else low)
        return total, 0.0, k.MONTH
    if rest.startswith("."):
        if not re.fullmatch(r"\.[0-9]*", rest):
            raise DecodeError
        fraction = float("0" + rest) if rest != "." else 0.0
        return value, -fraction if negative else fraction, unit
    if rest or digits in ("", "+", "-"):
        raise DecodeError
    return value, 0.0, unit


_ISO_PART = re.compile(r"(-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")


def decode_iso8601_interval(text: str) -> Span:
    """P1Y2M3DT4H5M6S, P2W, and the alternative P0001-02-03T04:05:06."""
    if len(text) < 2 or text[0] != "P":
        raise DecodeError
    itm = Itm()
    at, date_part, have_field = 1, True, False
    while at < len(text):
        if text[at] == "T":
            date_part, have_field = False, False
            at += 1
            continue
        found = _ISO_PART.match(text, at)
        if found is None:
            raise DecodeError
        number = found[1]
        at = found.end()
        unit = text[at : at + 1]
        value, fraction = _iso_number(number)
        at += 1
        if date_part and unit in ("Y", "M", "W", "D"):
            itm.add_unit(
                {"Y": k.YEAR, "M": k.MONTH, "W": k.WEEK, "D": k.DAY}[unit], value, fraction
            )
        elif not date_part and unit in ("H", "M", "S"):
            itm.add_unit({"H": k.HOUR, "M": k.MINUTE, "S": k.SECOND}[unit], value, fraction)
        elif not have_field:
            at = _iso_alternative(text, found.start(), date_part, itm)
            if at < 0:
                return itm.stored()
            if at < len(text) and text[at] == "T":
                date_part, have_field = False, False
                at += 1
                continue
        else:
            raise DecodeError
        have_field = True
    return itm.stored()


def _iso_number(text: str) -> tuple[int, float]:
    """ParseISO8601Number: whole part and fraction by way of a double, as there."""
    number = float(text)
    if not -LONG_MAX <= number <= LONG_MAX:
        raise DecodeError("overflow")
    value = int(number)
    return value, number - value


def _iso_alternative(text: str, at: int, date_part: bool, itm: Itm) -> int:
    """The forms with separators; returns where to go on, -1 at the end."""
    head, _, _ = text[at:].partition("T") if date_part else (text[at:], "", "")
    if date_part:
        units = [k.YEAR, k.MONTH, k.DAY]
        if re.fullmatch(r"[0-9]{8}", head):
            parts = [head[:4], head[4:6], head[6:]]
        else:
            found = re.fullmatch(r"([+-]?[0-9.]+)(?:-([+-]?[0-9.]+))?(?:-([+-]?[0-9.]+))?", head)
            if found is None:
                raise DecodeError
            parts = [p for p in found.groups() if p is not None]
    else:
        units = [k.HOUR, k.MINUTE, k.SECOND]
        if re.fullmatch(r"[0-9]{6}(\.[0-9]*)?", head):
            parts = [head[:2], head[2:4], head[4:]]
        else:
            found = re.fullmatch(r"([+-]?[0-9.]+)(?::([+-]?[0-9.]+))?(?::([+-]?[0-9.]+))?", head)
            if found is None:
                raise DecodeError
            parts = [p for p in found.groups() if p is not None]
    for unit, part in zip(units, parts, strict=False):
        itm.add_unit(unit, *_iso_number(part))
    at += len(head)
    return at if at < len(text) else -1


# ---- output


def encode_interval(months: int, days: int, usecs: int, style: str) -> str:
    """EncodeInterval."""
    year, month = int(abs(months) // 12), int(abs(months) % 12)
    if months < 0:
        year, month = -year, -month
    size = abs(usecs)
    hour, minute = size // 3_600_000_000, size // 60_000_000 % 60
    second, fraction = size // 1_000_000 % 60, size % 1_000_000
    if usecs < 0:
        hour, minute, second, fraction = -hour, -minute, -second, -fraction
    if style == "iso_8601":
        return _encode_iso(year, month, days, hour, minute, second, fraction)
    if style == "sql_standard":
        return _encode_sql(year, month, days, hour, minute, second, fraction)
    if style == "postgres_verbose":
        return _encode_verbose(year, month, days, hour, minute, second, fraction)
    parts: list[str] = []
    before = False
    for value, unit in ((year, "year"), (month, "mon"), (days, "day")):
        if value:
            sign = "+" if before and value > 0 else ""
            parts.append(f"{sign}{value} {unit}{'' if value == 1 else 's'}")
            before = value < 0
    if not parts or usecs:
        sign = "-" if usecs < 0 else "+" if before else ""
        parts.append(f"{sign}{abs(hour):02d}:{abs(minute):02d}:{seconds_text(second, fraction, 2)}")
    return " ".join(parts)


def seconds_text(second: int, fraction: int, width: int) -> str:
    """|seconds| with its fraction, trailing zeros cut."""
    text = f"{abs(second):0{width}d}"
    if fraction:
        text += f".{abs(fraction):06d}".rstrip("0")
    return text


def _encode_iso(y: int, mo: int, d: int, h: int, mi: int, s: int, f: int) -> str:
    if not (y or mo or d or h or mi or s or f):
        return "PT0S"
    text = "P"
    for value, unit in ((y, "Y"), (mo, "M"), (d, "D")):
        if value:
            text += f"{value}{unit}"
    if h or mi or s or f:
        text += "T"
        if h:
            text += f"{h}H"
        if mi:
            text += f"{mi}M"
        if s or f:
            text += f"{'-' if s < 0 or f < 0 else ''}{seconds_text(s, f, 1)}S"
    return text


def _encode_sql(y: int, mo: int, d: int, h: int, mi: int, s: int, f: int) -> str:
    parts = (y, mo, d, h, mi, s, f)
    negative, positive = any(p < 0 for p in parts), any(p > 0 for p in parts)
    has_year_month, has_day, has_time = bool(y or mo), bool(d), bool(h or mi or s or f)
    if not (negative or positive):
        return "0"
    clock = f"{abs(mi):02d}:{seconds_text(s, f, 2)}"
    if (negative and positive) or (has_year_month and (has_day or has_time)):
        year_sign = "-" if y < 0 or mo < 0 else "+"
        day_sign = "-" if d < 0 else "+"
        sec_sign = "-" if h < 0 or mi < 0 or s < 0 or f < 0 else "+"
        return f"{year_sign}{abs(y)}-{abs(mo)} {day_sign}{abs(d)} {sec_sign}{abs(h)}:{clock}"
    lead = "-" if negative else ""
    if has_year_month:
        return f"{lead}{abs(y)}-{abs(mo)}"
    if has_day:
        return f"{lead}{abs(d)} {abs(h)}:{clock}"
    return f"{lead}{abs(h)}:{clock}"


def _encode_verbose(y: int, mo: int, d: int, h: int, mi: int, s: int, f: int) -> str:
    text, zero, before = "@", True, False
    for value, unit in ((y, "year"), (mo, "mon"), (d, "day"), (h, "hour"), (mi, "min")):
        if value:
            if zero:
                before = value < 0
                shown = abs(value)
            else:
                shown = -value if before else value
            text += f" {shown} {unit}{'' if shown == 1 else 's'}"
            zero = False
    if s or f:
        if zero:
            before = s < 0 or f < 0
            sign = ""
        else:
            now_negative = s < 0 or f < 0
            sign = "-" if now_negative != before else ""
        plural = "" if abs(s) == 1 and f == 0 else "s"
        text += f" {sign}{seconds_text(s, f, 1)} sec{plural}"
        zero = False
    if zero:
        text += " 0"
    if before:
        text += " ago"
    return text


def adjust_interval_for_typmod(span: Span, typmod: int) -> Span:
    """Drop the fields outside of the range, round the fraction."""
    if typmod < 0:
        return span
    months, days, usecs = span
    fields, precision = (typmod >> 16) & FULL_RANGE, typmod & FULL_PRECISION

    def trunc(value: int, unit: int) -> int:
        return value // unit * unit if value >= 0 else -(-value // unit * unit)

    if fields != FULL_RANGE:
        if fields == m(k.YEAR):
            months, days, usecs = trunc(months, 12), 0, 0
        elif fields in (m(k.MONTH), m(k.YEAR, k.MONTH)):
            days = usecs = 0
        elif fields == m(k.DAY):
            usecs = 0
        elif fields in (m(k.HOUR), m(k.DAY, k.HOUR)):
            usecs = trunc(usecs, 3_600_000_000)
        elif fields in (m(k.MINUTE), m(k.HOUR, k.MINUTE), m(k.DAY, k.HOUR, k.MINUTE)):
            usecs = trunc(usecs, 60_000_000)
    if precision != FULL_PRECISION and precision < 6:
        scale = 10 ** (6 - precision)
        size = (abs(usecs) + scale // 2) // scale * scale
        usecs = size if usecs >= 0 else -size
    return months, days, usecs


RANGE_NAMES = {
    m(k.YEAR): " year",
    m(k.MONTH): " month",
    m(k.DAY): " day",
    m(k.HOUR): " hour",
    m(k.MINUTE): " minute",
    m(k.SECOND): " second",
    m(k.YEAR, k.MONTH): " year to month",
    m(k.DAY, k.HOUR): " day to hour",
    m(k.DAY, k.HOUR, k.MINUTE): " day to minute",
    m(k.DAY, k.HOUR, k.MINUTE, k.SECOND): " day to second",
    m(k.HOUR, k.MINUTE): " hour to minute",
    m(k.HOUR, k.MINUTE, k.SECOND): " hour to second",
    m(k.MINUTE, k.SECOND): " minute to second",
    FULL_RANGE: "",
}


class IntervalType(BaseType):
    name = "interval"
    collation = "interval_ops"

    def compare(self, a: Any, b: Any) -> int:
        ka, kb = interval_span(a), interval_span(b)
        return (ka > kb) - (ka < kb)

    def hash_key(self, value: Any) -> int:
        return interval_span(value)

    def input(self, text: str, typmod: int, ctx: CallContext) -> str:
        fields = (typmod >> 16) & FULL_RANGE if typmod >= 0 else FULL_RANGE
        try:
            try:
                span = decode_interval(text, fields, ctx.intervalstyle)
            except DecodeError as error:
                if error.kind != "format":
                    raise
                span = decode_iso8601_interval(text)
        except DecodeError as error:
            kind = "interval" if error.kind == "overflow" else error.kind
            raise_decode_error(kind, text, "interval")
        return pack_interval(*adjust_interval_for_typmod(span, typmod))

    def output(self, value: Any, ctx: CallContext) -> str:
        return encode_interval(*unpack_interval(value), ctx.intervalstyle)

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> str:
        usecs, days, months = unpack("!qii", data)
        return pack_interval(*adjust_interval_for_typmod((months, days, usecs), typmod))

    def send(self, value: Any, ctx: CallContext) -> bytes:
        months, days, usecs = unpack_interval(value)
        return struct.pack("!qii", usecs, days, months)

    def typmod_in(self, args: list[str], ctx: CallContext) -> int:
        fields = int(args[0]) if args else -1
        if args and fields not in RANGE_NAMES:
            raise PgError(INVALID_PARAMETER_VALUE, "invalid INTERVAL type modifier")
        if len(args) == 1:
            return -1 if fields == FULL_RANGE else (fields << 16) | FULL_PRECISION
        if len(args) != 2:
            raise PgError(INVALID_PARAMETER_VALUE, "invalid INTERVAL type modifier")
        precision = int(args[1])
        if precision < 0:
            raise PgError(
                INVALID_PARAMETER_VALUE, f"INTERVAL({precision}) precision must not be negative"
            )
        if precision > 6:
            ctx.notice(
                "WARNING",
                INVALID_PARAMETER_VALUE,
                f"INTERVAL({precision}) precision reduced to maximum allowed, 6",
            )
            precision = 6
        return (fields << 16) | precision

    def typmod_out(self, typmod: int) -> str:
        if typmod < 0:
            return ""
        text = RANGE_NAMES.get((typmod >> 16) & FULL_RANGE, "")
        precision = typmod & FULL_PRECISION
        return text + (f"({precision})" if precision != FULL_PRECISION else "")


interval_type = IntervalType()
register_type(interval_type)
