"""date, time, timetz, timestamp, timestamptz: input, output, precision.

Counterparts: date.c and timestamp.c (the *_in, *_out, *_recv, *_send and typmod functions).
Inputs in ISO form take a short path; all others go through datetime_parse.  timetz is stored as
"usecs zone", zone in seconds west of UTC as in PostgreSQL.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from pgemu.errors import (
    DATETIME_VALUE_OUT_OF_RANGE,
    INVALID_PARAMETER_VALUE,
    PgError,
)
from pgemu.fmgr import CallContext
from pgemu.types import datetime_tokens as k
from pgemu.types.base import BaseType, register_type
from pgemu.types.datetime_calendar import (
    DATE_END_JULIAN,
    DATE_NOBEGIN,
    DATE_NOEND,
    DT_NOBEGIN,
    DT_NOEND,
    END_TIMESTAMP,
    MIN_TIMESTAMP,
    MONTH_DAYS,
    POSTGRES_EPOCH_JDATE,
    UNIX_EPOCH_JDATE,
    UNIX_TO_PG_SECS,
    USECS_PER_DAY,
    USECS_PER_SEC,
    date2j,
    is_leap,
    timestamp_out_of_range,
    tm2timestamp,
    valid_julian,
)
from pgemu.types.datetime_format import (
    encode_date,
    encode_time,
    encode_timezone,
    iso_date,
    timestamp_encoder,
    timestamptz_column_encoder,
    timestamptz_encoder,
)
from pgemu.types.datetime_parse import (
    DecodeError,
    Decoder,
    decode_datetime,
    decode_time_only,
    raise_decode_error,
)
from pgemu.types.pqformat import check_length
from pgemu.types.timezone import session_zone

UNIX_EPOCH_DAYS = UNIX_EPOCH_JDATE - POSTGRES_EPOCH_JDATE
_ISO_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_ISO_TIMESTAMP = re.compile(
    r"(\d{4}-\d\d-\d\d)[ T](\d\d):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,6}))?)?"
    r"(?:(Z)|([+-])(\d\d)(?::?(\d\d))?)?",
    re.ASCII,
)


@lru_cache(maxsize=16384)
def iso_days(text: str) -> int | None:
    """Days since 2000-01-01 of a plain yyyy-mm-dd, None if it is not a valid one."""
    year, month, day = int(text[:4]), int(text[5:7]), int(text[8:10])
    if year == 0 or not 1 <= month <= 12 or day < 1:
        return None
    if day > MONTH_DAYS[month - 1] and not (month == 2 and day == 29 and is_leap(year)):
        return None
    return date2j(year, month, day) - POSTGRES_EPOCH_JDATE


def adjust_precision(value: int, typmod: int) -> int:
    """Round microseconds to `typmod` decimals of a second, halves away from zero."""
    if not 0 <= typmod < 6:
        return value
    scale = 10 ** (6 - typmod)
    size: int = (abs(value) + scale // 2) // scale * scale
    return size if value >= 0 else -size


def precision_typmod(args: list[str], name: str, ctx: CallContext) -> int:
    """anytime_typmod_check: "TIMESTAMP", "TIME WITH TIME ZONE" ... in the messages."""
    if len(args) != 1:
        raise PgError(INVALID_PARAMETER_VALUE, "invalid type modifier")
    word, _, rest = name.partition(" ")
    precision = int(args[0])
    shown = f"{word}({precision})" + (f" {rest}" if rest else "")
    if precision < 0:
        raise PgError(INVALID_PARAMETER_VALUE, f"{shown} precision must not be negative")
    if precision > 6:
        ctx.notice(
            "WARNING",
            INVALID_PARAMETER_VALUE,
            f"{shown} precision reduced to maximum allowed, 6",
        )
        return 6
    return precision


def decode(parse: Callable[[str, Any], Decoder], text: str, ctx: CallContext, name: str) -> Decoder:
    """Run a decoder, its refusals as PostgreSQL's errors."""
    try:
        return parse(text, ctx)
    except DecodeError as error:
        raise_decode_error(error.kind, text, name)


def unpack(code: str, data: bytes) -> tuple[Any, ...]:
    """struct.unpack with PostgreSQL's error for a wrong size."""
    check_length(data, struct.calcsize(code))
    return struct.unpack(code, data)


class DateType(BaseType):
    name = "date"
    storage = "integer"

    def input(self, text: str, typmod: int, ctx: CallContext) -> int:
        if _ISO_DATE.fullmatch(text):
            days = iso_days(text)
            if days is not None:
                return days
        d = decode(decode_datetime, text, ctx, "date")
        if d.dtype == k.EPOCH:
            return UNIX_EPOCH_DAYS
        if d.dtype == k.LATE:
            return DATE_NOEND
        if d.dtype == k.EARLY:
            return DATE_NOBEGIN
        tm = d.tm
        julian = date2j(tm.year, tm.mon, tm.day)
        if not valid_julian(tm.year, tm.mon) or not 0 <= julian < DATE_END_JULIAN:
            raise PgError(DATETIME_VALUE_OUT_OF_RANGE, f'date out of range: "{text}"')
        return julian - POSTGRES_EPOCH_JDATE

    def output(self, value: Any, ctx: CallContext) -> str:
        return encode_date(value, ctx.datestyle, ctx.dateorder)

    def text_encoder(self, ctx: CallContext) -> Callable[[Any], bytes]:
        style, order = ctx.datestyle, ctx.dateorder

        @lru_cache(maxsize=4096)
        def encode(value: Any) -> bytes:
            return encode_date(value, style, order).encode()

        return encode

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> int:
        value: int = unpack("!i", data)[0]
        if value in (DATE_NOBEGIN, DATE_NOEND):
            return value
        if not 0 <= value + POSTGRES_EPOCH_JDATE < DATE_END_JULIAN:
            raise PgError(DATETIME_VALUE_OUT_OF_RANGE, "date out of range")
        return value

    def send(self, value: Any, ctx: CallContext) -> bytes:
        return struct.pack("!i", value)

    def binary_encoder(self, ctx: CallContext) -> Callable[[Any], bytes]:
        return struct.Struct("!i").pack


class TimestampType(BaseType):
    name = "timestamp"
    storage = "integer"
    with_zone = False
    sql_name = "timestamp"
    typmod_name = "TIMESTAMP"
    suffix = " without time zone"

    def input(self, text: str, typmod: int, ctx: CallContext) -> int:
        found = _ISO_TIMESTAMP.fullmatch(text)
        if found is not None:
            value = self.input_iso(found, ctx)
            if value is not None:
                return value if typmod < 0 else self.adjust(value, typmod)
        d = decode(decode_datetime, text, ctx, self.sql_name)
        if d.dtype == k.LATE:
            return DT_NOEND
        if d.dtype == k.EARLY:
            return DT_NOBEGIN
        if d.dtype == k.EPOCH:
            return UNIX_EPOCH_DAYS * USECS_PER_DAY
        result = tm2timestamp(d.tm, d.tz if self.with_zone else None)
        if result is None:
            raise PgError(DATETIME_VALUE_OUT_OF_RANGE, f'timestamp out of range: "{text}"')
        return self.adjust(result, typmod)

    def input_iso(self, found: re.Match[str], ctx: CallContext) -> int | None:
        date, hour, minute, second, fraction, zulu, sign, zone_h, zone_m = found.groups()
        days = iso_days(date)
        hours = int(hour)
        if days is None or hours > 23:
            return None
        value = days * 86400 + hours * 3600 + int(minute) * 60
        if second is not None:
            value += int(second)
        if zone_h is not None and (int(zone_h) > 15 or (zone_m and int(zone_m) > 59)):
            return None
        if self.with_zone:
            if sign is not None:
                offset = int(zone_h) * 3600 + (int(zone_m) * 60 if zone_m else 0)
                value -= offset if sign == "+" else -offset
            elif zulu is None:
                value -= session_zone(ctx).local_offset(value + UNIX_TO_PG_SECS)[0]
        value *= 1_000_000
        if fraction is not None:
            value += int(fraction.ljust(6, "0"))
        return value

    def adjust(self, value: int, typmod: int) -> int:
        if typmod < 0 or value in (DT_NOBEGIN, DT_NOEND):
            return value
        return adjust_precision(value, typmod)

    def output(self, value: Any, ctx: CallContext) -> str:
        return self.encoder(ctx)(value)

    def encoder(self, ctx: CallContext) -> Callable[[Any], str]:
        return timestamp_encoder(ctx.datestyle, ctx.dateorder)

    def text_encoder(self, ctx: CallContext) -> Callable[[Any], bytes]:
        encode = self.encoder(ctx)
        return lambda value: encode(value).encode()

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> int:
        value: int = unpack("!q", data)[0]
        if value in (DT_NOBEGIN, DT_NOEND):
            return value
        if not MIN_TIMESTAMP <= value < END_TIMESTAMP:
            raise timestamp_out_of_range()
        return self.adjust(value, typmod)

    def send(self, value: Any, ctx: CallContext) -> bytes:
        return struct.pack("!q", value)

    def binary_encoder(self, ctx: CallContext) -> Callable[[Any], bytes]:
        return struct.Struct("!q").pack

    def typmod_in(self, args: list[str], ctx: CallContext) -> int:
        return precision_typmod(args, self.typmod_name, ctx)

    def typmod_out(self, typmod: int) -> str:
        return f"({typmod}){self.suffix}" if typmod >= 0 else self.suffix


class TimestamptzType(TimestampType):
    name = "timestamptz"
    with_zone = True
    sql_name = "timestamp with time zone"
    typmod_name = "TIMESTAMP WITH TIME ZONE"
    suffix = " with time zone"

    def encoder(self, ctx: CallContext) -> Callable[[Any], str]:
        return timestamptz_encoder(session_zone(ctx), ctx.datestyle, ctx.dateorder)

    def text_encoder(self, ctx: CallContext) -> Callable[[Any], bytes]:
        encode = self.encoder(ctx)

        def one(value: Any) -> bytes:
            return encode(value).encode()

        one.of_column = timestamptz_column_encoder(  # type: ignore[attr-defined]
            session_zone(ctx), ctx.datestyle, ctx.dateorder
        )
        return one


class TimeType(BaseType):
    name = "time"
    storage = "integer"

    def input(self, text: str, typmod: int, ctx: CallContext) -> int:
        d = decode(decode_time_only, text, ctx, "time")
        return adjust_precision(d.tm.time_usecs(), typmod)

    def output(self, value: Any, ctx: CallContext) -> str:
        return encode_time(value)

    def text_encoder(self, ctx: CallContext) -> Callable[[Any], bytes]:
        return lambda value: encode_time(value).encode()

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> int:
        value: int = unpack("!q", data)[0]
        if not 0 <= value <= USECS_PER_DAY:
            raise PgError(DATETIME_VALUE_OUT_OF_RANGE, "time out of range")
        return adjust_precision(value, typmod)

    def send(self, value: Any, ctx: CallContext) -> bytes:
        return struct.pack("!q", value)

    def typmod_in(self, args: list[str], ctx: CallContext) -> int:
        return precision_typmod(args, "TIME", ctx)

    def typmod_out(self, typmod: int) -> str:
        return f"({typmod}) without time zone" if typmod >= 0 else " without time zone"


def timetz_parts(value: str) -> tuple[int, int]:
    """(usecs, seconds west) of a stored timetz."""
    usecs, _, zone = value.partition(" ")
    return int(usecs), int(zone)


class TimetzType(BaseType):
    name = "timetz"
    collation = "timetz_ops"

    def compare(self, a: Any, b: Any) -> int:
        ka, kb = self.hash_key(a), self.hash_key(b)
        return int(ka > kb) - int(ka < kb)

    def hash_key(self, value: Any) -> tuple[int, int]:
        usecs, zone = timetz_parts(value)
        return usecs + zone * USECS_PER_SEC, zone

    def input(self, text: str, typmod: int, ctx: CallContext) -> str:
        d = decode(decode_time_only, text, ctx, "time with time zone")
        return f"{adjust_precision(d.tm.time_usecs(), typmod)} {d.tz}"

    def output(self, value: Any, ctx: CallContext) -> str:
        usecs, zone = timetz_parts(value)
        return encode_time(usecs) + encode_timezone(-zone)

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> str:
        usecs, zone = unpack("!qi", data)
        if not 0 <= usecs <= USECS_PER_DAY:
            raise PgError(DATETIME_VALUE_OUT_OF_RANGE, "time out of range")
        if not -16 * 3600 < zone < 16 * 3600:
            raise PgError("22009", "time zone displacement out of range")
        return f"{adjust_precision(usecs, typmod)} {zone}"

    def send(self, value: Any, ctx: CallContext) -> bytes:
        return struct.pack("!qi", *timetz_parts(value))

    def typmod_in(self, args: list[str], ctx: CallContext) -> int:
        return precision_typmod(args, "TIME WITH TIME ZONE", ctx)

    def typmod_out(self, typmod: int) -> str:
        return f"({typmod}) with time zone" if typmod >= 0 else " with time zone"


date_type = DateType()
time_type = TimeType()
timetz_type = TimetzType()
timestamp_type = TimestampType()
timestamptz_type = TimestamptzType()
register_type(date_type, time_type, timetz_type, timestamp_type, timestamptz_type)

__all__ = [
    "adjust_precision",
    "date_type",
    "iso_date",
    "precision_typmod",
    "time_type",
    "timestamp_type",
    "timestamptz_type",
    "timetz_parts",
    "timetz_type",
    "unpack",
]
