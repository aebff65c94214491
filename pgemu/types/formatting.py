"""Format pictures of dates: to_char of timestamps and intervals (PostgreSQL: formatting.c, DCH).

A picture is cut into keywords and literal text once (cached); `dch_to_char` then prints fields.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from pgemu.errors import INVALID_DATETIME_FORMAT, PgError
from pgemu.fmgr import CallContext, pg_function
from pgemu.types.datetime_calendar import Tm, date2j, j2day, timestamp2tm, timestamptz2tm
from pgemu.types.datetime_extract import date2isoweek, quotient
from pgemu.types.datetime_ops import INFINITE
from pgemu.types.interval import unpack_interval
from pgemu.types.timezone import session_zone

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September",
          "October", "November", "December")  # fmt: skip
DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
ROMAN_MONTHS = ("XII", "XI", "X", "IX", "VIII", "VII", "VI", "V", "IV", "III", "II", "I")

_UPPER = [
    "A.D.",
    "A.M.",
    "AD",
    "AM",
    "B.C.",
    "BC",
    "CC",
    "DAY",
    "DDD",
    "DD",
    "DY",
    "Day",
    "Dy",
    "D",
    "FF1",
    "FF2",
    "FF3",
    "FF4",
    "FF5",
    "FF6",
    "FX",
    "HH24",
    "HH12",
    "HH",
    "IDDD",
    "ID",
    "IW",
    "IYYY",
    "IYY",
    "IY",
    "I",
    "J",
    "MI",
    "MM",
    "MONTH",
    "MON",
    "MS",
    "Month",
    "Mon",
    "OF",
    "P.M.",
    "PM",
    "Q",
    "RM",
    "SSSSS",
    "SSSS",
    "SS",
    "TZH",
    "TZM",
    "TZ",
    "US",
    "WW",
    "W",
    "Y,YYY",
    "YYYY",
    "YYY",
    "YY",
    "Y",
]
_LOWER = [word.lower() for word in _UPPER if word == word.upper()]
KEYWORDS = sorted({*_UPPER, *_LOWER}, key=len, reverse=True)
CASED = {"DAY", "Day", "day", "DY", "Dy", "dy", "MONTH", "Month", "month", "MON", "Mon", "mon",
         "RM", "rm", "TZ", "tz", "AM", "am", "PM", "pm", "A.M.", "a.m.", "P.M.", "p.m.",
         "AD", "ad", "BC", "bc", "A.D.", "a.d.", "B.C.", "b.c."}  # fmt: skip


class Node(NamedTuple):
    """A keyword with its modifiers, or literal text (keyword "")."""

    keyword: str
    text: str
    fm: bool = False
    tm: bool = False
    th: str = ""
    quoted: bool = False


@lru_cache(maxsize=512)
def parse_format(picture: str) -> tuple[Node, ...]:
    """The nodes of a date picture."""
    nodes: list[Node] = []
    at = 0
    while at < len(picture):
        start, prefix = at, picture[at : at + 2].upper()
        fm, tm = prefix == "FM", prefix == "TM"
        if fm or tm:
            at += 2
        keyword = next((w for w in KEYWORDS if picture.startswith(w, at)), None)
        if keyword is not None:
            at += len(keyword)
            th = ""
            if picture[at : at + 2] in ("TH", "th"):
                th = picture[at : at + 2]
                at += 2
            elif picture[at : at + 2] in ("SP", "sp"):
                at += 2
            canonical = keyword if keyword in CASED else keyword.upper()
            nodes.append(Node(canonical, picture[start:at], fm, tm, th))
            continue
        if at >= len(picture):
            break
        char = picture[at]
        if char == '"':
            at += 1
            out = []
            while at < len(picture) and picture[at] != '"':
                if picture[at] == "\\" and at + 1 < len(picture):
                    at += 1
                out.append(picture[at])
                at += 1
            at += 1
            nodes.extend(Node("", one, quoted=True) for one in out)
            continue
        if char == "\\" and picture[at + 1 : at + 2] == '"':
            at += 1
            char = '"'
        nodes.append(Node("", char))
        at += 1
    return tuple(nodes)


def ordinal(number: str, style: str) -> str:
    """number with st, nd, rd or th."""
    last = number[-1:]
    teen = number[-2:-1] == "1" and len(number) > 1
    suffix = "th" if teen else {"1": "st", "2": "nd", "3": "rd"}.get(last, "th")
    return number + (suffix.upper() if style == "TH" else suffix)


def padded(value: int, width: int, fm: bool) -> str:
    if fm:
        return str(value)
    return f"{value:0{width + (1 if value < 0 else 0)}d}"


def interval_refused() -> PgError:
    return PgError(
        INVALID_DATETIME_FORMAT,
        "invalid format specification for an interval value",
        hint="Intervals are not tied to specific calendar dates.",
    )


def name_field(node: Node, tm: Tm, interval: bool) -> str | None:
    """Month and day names."""
    word = node.keyword
    upper = word.upper()
    if upper in ("MONTH", "MON"):
        if interval:
            raise interval_refused()
        if not tm.mon:
            return ""
        name = MONTHS[tm.mon - 1]
        width = 9
    elif upper in ("DAY", "DY"):
        if interval:
            raise interval_refused()
        name = DAYS[j2day(date2j(tm.year, tm.mon, tm.day))]
        width = 9
    else:
        return None
    if upper in ("MON", "DY"):
        name, width = name[:3], 0
    if word == upper:
        name = name.upper()
    elif word.islower():
        name = name.lower()
    return name if node.fm or node.tm else name.ljust(width)


def year_field(node: Node, tm: Tm, interval: bool) -> str | None:
    word, fm = node.keyword, node.fm
    if word in ("YYYY", "YYY", "YY", "Y"):
        year = tm.year
    elif word in ("IYYY", "IYY", "IY", "I"):
        year = date2isoweek(tm.year, tm.mon, tm.day)[0]
    elif word == "Y,YYY":
        shown = tm.year if interval or tm.year > 0 else 1 - tm.year
        thousands = quotient(shown, 1000)
        return f"{thousands},{shown - thousands * 1000:03d}"
    else:
        return None
    if not interval and year <= 0:
        year = 1 - year
    width = len(word)
    if width < 4:
        year = year % 10**width if year >= 0 else -(-year % 10**width)
    if interval and word[0] == "I" and not fm:
        return f"{year:0{width + (tm.year < 0)}d}"
    return padded(year, width, fm)


def clock_field(node: Node, tm: Tm, interval: bool) -> str | None:
    word, fm = node.keyword, node.fm
    if word in ("HH", "HH12"):
        hour = tm.hour
        half = 12 if hour % 12 == 0 else (hour % 12 if hour >= 0 else -(-hour % 12))
        return padded(half, 2, fm)
    if word == "HH24":
        return padded(tm.hour, 2, fm)
    if word == "MI":
        return padded(tm.min, 2, fm)
    if word == "SS":
        return padded(tm.sec, 2, fm)
    if word in ("MS", "FF3"):
        return f"{quotient(tm.usec, 1000):03d}"
    if word in ("US", "FF6"):
        return f"{tm.usec:06d}"
    if word.startswith("FF"):
        digits = int(word[2])
        return f"{quotient(tm.usec, 10 ** (6 - digits)):0{digits}d}"
    if word in ("SSSS", "SSSSS"):
        return str(tm.hour * 3600 + tm.min * 60 + tm.sec)
    upper = word.upper()
    if upper in ("AM", "PM", "A.M.", "P.M."):
        # C's remainder: what is negative is before noon
        text = "pm" if tm.hour >= 0 and tm.hour % 24 >= 12 else "am"
        if "." in upper:
            text = f"{text[0]}.{text[1]}."
        return text.upper() if word == upper else text
    return None


def zone_field(node: Node, tm: Tm, interval: bool) -> str | None:
    word = node.keyword
    if word.upper() not in ("TZ", "TZH", "TZM", "OF"):
        return None
    if interval:
        raise interval_refused()
    size = abs(tm.gmtoff)
    sign = "-" if tm.gmtoff < 0 else "+"
    if word == "TZ":
        return tm.zone or ""
    if word == "tz":
        return (tm.zone or "").lower()
    if word == "TZM":
        return f"{size // 60 % 60:02d}"
    text = f"{sign}{size // 3600:02d}"
    if word == "OF" and size % 3600:
        text += f":{size // 60 % 60:02d}"
    return text


def calendar_field(node: Node, tm: Tm, interval: bool) -> str | None:
    """Day, week, month, quarter and century numbers."""
    word, fm = node.keyword, node.fm
    upper = word.upper()
    if upper in ("AD", "BC", "A.D.", "B.C."):
        if interval:
            raise interval_refused()
        text = "bc" if tm.year <= 0 else "ad"
        if "." in upper:
            text = f"{text[0]}.{text[1]}."
        return text.upper() if word == upper else text
    if word == "MM":
        return padded(tm.mon, 2, fm)
    if word == "DD":
        return str(tm.day) if fm else f"{tm.day:02d}"
    if upper == "RM":
        if not tm.mon and not tm.year and interval:
            return ""
        if not tm.mon:
            name = "XII" if tm.year > 0 else "I"
        elif tm.mon < 0:
            name = ROMAN_MONTHS[-tm.mon - 1]
        else:
            name = ROMAN_MONTHS[12 - tm.mon]
        name = name if word == "RM" else name.lower()
        return name if fm else name.ljust(4)
    if word == "DDD":
        return str(tm.yday) if fm else f"{tm.yday:03d}"
    if word == "Q":
        return str(quotient(tm.mon - 1, 3) + 1) if tm.mon else ""
    if word == "CC":
        year = tm.year
        if interval:
            century = quotient(year, 100)
        else:
            century = (year - 1) // 100 + 1 if year > 0 else -((-(year - 1) - 1) // 100 + 1)
        return padded(century, 2, fm) if -99 <= century <= 99 else str(century)
    if word == "J":
        return str(date2j(tm.year, tm.mon, tm.day))
    if word == "WW":
        week = quotient(tm.yday - 1, 7) + 1
        return str(week) if fm else f"{week:02d}"
    if word == "W":
        return str(quotient(tm.day - 1, 7) + 1)
    if word not in ("D", "ID", "IW", "IDDD"):
        return None
    if interval and word in ("D", "ID"):
        raise interval_refused()
    weekday = j2day(date2j(tm.year, tm.mon, tm.day))
    if word == "D":
        return str(weekday + 1)
    if word == "ID":
        return str(weekday or 7)
    week = date2isoweek(tm.year, tm.mon, tm.day)[1]
    if word == "IW":
        return padded(week, 2, fm)
    return padded((week - 1) * 7 + (weekday or 7), 3, fm)


FIELDS = (clock_field, year_field, calendar_field, name_field, zone_field)


def dch_to_char(picture: str, tm: Tm, interval: bool) -> str:
    out: list[str] = []
    for node in parse_format(picture):
        if not node.keyword:
            out.append(node.text)
            continue
        for field in FIELDS:
            text = field(node, tm, interval)
            if text is not None:
                break
        else:
            continue
        if node.th and text and text[-1].isdigit() and field is not zone_field:
            text = ordinal(text, node.th)
        out.append(text)
    return "".join(out)


def with_yday(tm: Tm) -> Tm:
    tm.yday = date2j(tm.year, tm.mon, tm.day) - date2j(tm.year, 1, 1) + 1
    return tm


@pg_function("to_char(timestamp, text)")
def timestamp_to_char(value: int, picture: str) -> str | None:
    if not picture or value in INFINITE:
        return None
    return dch_to_char(picture, with_yday(timestamp2tm(value)), False)


@pg_function("to_char(timestamptz, text)", context=True)
def timestamptz_to_char(ctx: CallContext, value: int, picture: str) -> str | None:
    if not picture or value in INFINITE:
        return None
    return dch_to_char(picture, with_yday(timestamptz2tm(value, session_zone(ctx))), False)


@pg_function("to_char(interval, text)")
def interval_to_char(value: str, picture: str) -> str | None:
    if not picture:
        return None
    months, days, usecs = unpack_interval(value)
    tm = Tm()
    tm.year = quotient(months, 12)
    tm.mon = months - tm.year * 12
    tm.day = days
    tm.hour = quotient(usecs, 3_600_000_000)
    usecs -= tm.hour * 3_600_000_000
    tm.min = quotient(usecs, 60_000_000)
    usecs -= tm.min * 60_000_000
    tm.sec = quotient(usecs, 1_000_000)
    tm.usec = usecs - tm.sec * 1_000_000
    tm.yday = (tm.year * 12 + tm.mon) * 30 + tm.day
    return dch_to_char(picture, tm, True)
