"""to_date, to_timestamp and jsonpath's datetime(): text by a picture (PostgreSQL: formatting.c,
DCH_from_char, do_to_timestamp, parse_datetime).

`std` is the SQL standard's mode of jsonpath: separators and characters must match exactly, the
whole picture and the whole text must be used.
"""

from __future__ import annotations

import re
from typing import NoReturn

from pgemu.errors import DATETIME_VALUE_OUT_OF_RANGE, INVALID_DATETIME_FORMAT, PgError
from pgemu.fmgr import CallContext, pg_function
from pgemu.types.datetime_calendar import (
    DATE_END_JULIAN,
    POSTGRES_EPOCH_JDATE,
    Tm,
    date2j,
    days_in_month,
    is_leap,
    j2date,
    tm2timestamp,
    valid_julian,
)
from pgemu.types.datetime_extract import isoweek2j
from pgemu.types.formatting import DAYS, MONTHS, ROMAN_MONTHS, Node, parse_format
from pgemu.types.timezone import session_zone

# keyword -> (field, digits that it takes)
NUMBERS = {"HH": ("hh", 2), "HH12": ("hh", 2), "HH24": ("hh", 2), "MI": ("mi", 2),
           "SS": ("ss", 2), "SSSS": ("ssss", 4), "SSSSS": ("ssss", 5), "MM": ("mm", 2),
           "DDD": ("ddd", 3), "IDDD": ("ddd", 3), "DD": ("dd", 2), "D": ("d", 1), "WW": ("ww", 2),
           "IW": ("ww", 2), "Q": ("", 1), "CC": ("cc", 2), "W": ("w", 1),
           "J": ("j", 1)}  # fmt: skip
YEARS = {"YYYY": 4, "YYY": 3, "YY": 2, "Y": 1, "IYYY": 4, "IYY": 3, "IY": 2, "I": 1}
ISO_WEEK = frozenset(("IYYY", "IYY", "IY", "I", "IDDD", "ID", "IW"))
GREGORIAN = frozenset(("DDD", "DD", "D", "MM", "MONTH", "MON", "RM", "WW", "W", "Y,YYY",
                       "YYYY", "YYY", "YY", "Y"))  # fmt: skip
TIMED = frozenset(("AM", "PM", "A.M.", "P.M.", "HH", "HH12", "HH24", "MI", "SS", "MS", "US",
                   "FF1", "FF2", "FF3", "FF4", "FF5", "FF6", "SSSS", "SSSSS"))  # fmt: skip
ZONED = frozenset(("TZ", "OF", "TZH", "TZM"))
# keywords whose text does not start with a digit
WORDS = frozenset(("A.D.", "A.M.", "AD", "AM", "B.C.", "BC", "DAY", "DY", "FX", "MONTH", "MON",
                   "OF", "P.M.", "PM", "RM", "TZ", "TZH"))  # fmt: skip
STANDARD_SEPARATORS = "-./,':; "
MAX_TZDISP_HOUR = 15
_SPACE = " \t\n\v\f\r"
_LONG = re.compile(r"[ \t\n\v\f\r]*[+-]?[0-9]+")


def bad(message: str, detail: str | None = None, hint: str | None = None) -> NoReturn:
    raise PgError(INVALID_DATETIME_FORMAT, message, detail=detail, hint=hint)


def is_separator(char: str) -> bool:
    return " " < char < "\x7f" and not (char.isascii() and char.isalnum())


def key_name(node: Node) -> str:
    """The keyword as the picture spells it."""
    text = re.sub(r"^(?:FM|fm|TM|tm)+(?=.)", "", node.text)
    return text[: len(node.keyword)]


class Reader:
    """DCH_from_char: walks picture and text together; `values` is TmFromChar (0 = not given)."""

    def __init__(self, text: str, picture: str, *, std: bool = False) -> None:
        self.text = text
        self.nodes = parse_format(picture)
        self.std = std
        self.at = 0
        self.values: dict[str, int] = {}
        self.mode = ""
        self.clock12 = False
        self.year_digits = 0
        self.fraction_digits = 0
        self.extra_skip = 0

    def get(self, name: str) -> int:
        return self.values.get(name, 0)

    def skip_spaces(self) -> None:
        text = self.text
        while self.at < len(text) and text[self.at] in _SPACE:
            self.at += 1
            self.extra_skip += 1

    def run(self) -> None:
        if self.std:
            for node in self.nodes:
                if not node.keyword and not node.quoted and node.text not in STANDARD_SEPARATORS:
                    bad(f'invalid datetime format separator: "{node.text}"')
        fx = self.std
        number = 0
        for number, node in enumerate(self.nodes):
            if self.at >= len(self.text):
                break
            if not fx and node.keyword != "FX" and (node.keyword or number == 0):
                self.skip_spaces()
                if self.at >= len(self.text) and node.keyword:
                    pass  # the field itself complains
            if not node.keyword:
                self.literal(node, fx)
                continue
            if node.keyword == "FX":
                fx = True
            else:
                self.set_mode(node.keyword)
                self.field(node, number)
            if not fx:
                self.extra_skip = 0
                self.skip_spaces()
        else:
            number += 1
        if self.std:
            if number < len(self.nodes):
                bad("input string is too short for datetime format")
            self.skip_spaces()
            if self.at < len(self.text):
                bad("trailing characters remain in input string after datetime format")

    def literal(self, node: Node, fx: bool) -> None:
        if self.at >= len(self.text):
            return
        char = self.text[self.at]
        separator = not node.quoted and (is_separator(node.text) or node.text in _SPACE)
        if self.std:
            if char != node.text:
                what = "separator" if separator else "character"
                bad(f'unmatched format {what} "{node.text}"')
            self.at += 1
        elif fx:
            self.at += 1
        elif separator:
            self.extra_skip -= 1
            if char in _SPACE or is_separator(char):
                self.at += 1
                self.extra_skip += 1
        elif self.extra_skip > 0:
            self.extra_skip -= 1
        else:
            self.at += 1

    def set_mode(self, keyword: str) -> None:
        keyword = keyword.upper()
        mode = "iso" if keyword in ISO_WEEK else "gregorian" if keyword in GREGORIAN else ""
        if mode and self.mode and mode != self.mode:
            bad(
                "invalid combination of date conventions",
                hint="Do not mix Gregorian and ISO week date conventions in a formatting template.",
            )
        self.mode = self.mode or mode

    def put(self, name: str, value: int, node: Node) -> None:
        old = self.values.get(name, 0)
        if name and old not in (0, value):
            bad(
                f'conflicting values for "{key_name(node)}" field in formatting string',
                "This value contradicts a previous setting for the same field type.",
            )
        self.values[name] = value

    def next_is_separator(self, node: Node, number: int) -> bool:
        if node.th or number + 1 >= len(self.nodes):
            return True
        following = self.nodes[number + 1]
        if following.keyword:
            return following.keyword.upper() in WORDS
        return not following.text.isdigit()

    def integer(self, node: Node, number: int, width: int, name: str) -> int:
        """from_char_parse_int_len: sets the field and returns the characters used."""
        text = self.text
        start = self.at
        while self.at < len(text) and text[self.at] in _SPACE:
            self.at += 1
        copy = text[self.at : self.at + width]
        shown = key_name(node)
        if node.fm or self.next_is_separator(node, number):
            found = _LONG.match(text, start)
            self.at = found.end() if found else start
        else:
            hint = 'If your source string is not fixed-width, try using the "FM" modifier.'
            if len(copy) < width:
                bad(
                    f'source string too short for "{shown}" formatting field',
                    f"Field requires {width} characters, but only {len(copy)} remain.",
                    hint,
                )
            found = _LONG.match(copy)
            used = found.end() if found else 0
            if 0 < used < width:
                bad(
                    f'invalid value "{copy}" for "{shown}"',
                    f"Field requires {width} characters, but only {used} could be parsed.",
                    hint,
                )
            self.at += used
            if not used:
                self.at = start
        if found is None:
            bad(f'invalid value "{copy}" for "{shown}"', "Value must be an integer.")
        value = int(found[0])
        if not -(2**31) <= value < 2**31:
            raise PgError(
                DATETIME_VALUE_OUT_OF_RANGE,
                f'value for "{shown}" in source string is out of range',
                detail="Value must be in the range -2147483648 to 2147483647.",
            )
        self.put(name, value, node)
        return self.at - start

    def word(self, choices: tuple[str, ...], node: Node) -> int:
        rest = self.text[self.at :]
        lower = rest.lower()
        for index, choice in enumerate(choices):
            if lower.startswith(choice.lower()):
                self.at += len(choice)
                return index
        shown = re.split(r"[ \t\n\v\f\r]", rest)[0]
        bad(
            f'invalid value "{shown}" for "{key_name(node)}"',
            "The given value did not match any of the allowed values for this field.",
        )

    def field(self, node: Node, number: int) -> None:
        upper = node.keyword.upper()
        if upper in ("AM", "PM", "A.M.", "P.M."):
            choices = ("a.m.", "p.m.") if "." in upper else ("am", "pm")
            self.put("pm", self.word(choices, node), node)
            self.clock12 = True
        elif upper in ("AD", "BC", "A.D.", "B.C."):
            choices = ("a.d.", "b.c.") if "." in upper else ("ad", "bc")
            self.put("bc", self.word(choices, node), node)
        elif upper == "MONTH":
            self.put("mm", self.word(MONTHS, node) + 1, node)
        elif upper == "MON":
            self.put("mm", self.word(tuple(m[:3] for m in MONTHS), node) + 1, node)
        elif upper in ("DAY", "DY"):
            names = DAYS if upper == "DAY" else tuple(d[:3] for d in DAYS)
            # compared with a day set before that counts from 1, as PostgreSQL does
            self.put("d", self.word(names, node), node)
            self.values["d"] += 1
        elif upper == "RM":
            self.put("mm", 12 - self.word(ROMAN_MONTHS, node), node)
        elif upper in ("TZ", "OF"):
            raise PgError(
                "0A000", f'formatting field "{key_name(node)}" is only supported in to_char'
            )
        elif upper in ("TZH", "TZM"):
            self.zone(node, number)
        else:
            self.number(node, number, upper)

    def zone(self, node: Node, number: int) -> None:
        if node.keyword.upper() == "TZM":
            self.values.setdefault("tzsign", 1)
            self.integer(node, number, 2, "tzm")
            return
        char = self.text[self.at : self.at + 1]
        if char and char in "+- ":
            self.values["tzsign"] = -1 if char == "-" else 1
            self.at += 1
        else:
            minus = self.extra_skip > 0 and self.text[self.at - 1] == "-"
            self.values["tzsign"] = -1 if minus else 1
        self.integer(node, number, 2, "tzh")

    def number(self, node: Node, number: int, upper: str) -> None:
        if upper in ("MS", "US") or upper.startswith("FF"):
            width = 3 if upper == "MS" else 6 if upper == "US" else int(upper[2])
            name = "ms" if upper == "MS" else "us"
            if upper.startswith("FF"):
                self.fraction_digits = width
            used = self.integer(node, number, width, name)
            self.values[name] *= 10 ** max((3 if upper == "MS" else 6) - used, 0)
        elif upper == "Y,YYY":
            found = re.compile(r"\s*([+-]?\d+),(\d{1,3})").match(self.text, self.at)
            if found is None:
                bad('invalid input string for "Y,YYY"')
            self.at = found.end()
            self.put("year", int(found[1]) * 1000 + int(found[2]), node)
            self.year_digits = 4
        elif upper in YEARS:
            self.year_digits = YEARS[upper]
            used = self.integer(node, number, self.year_digits, "year")
            if self.year_digits < 4 and used < 4:
                self.values["year"] = adjust_partial_year(self.values["year"])
        elif upper == "ID":
            self.integer(node, number, 1, "d")
            day = self.values["d"] + 1
            self.values["d"] = 1 if day > 7 else day
        else:
            name, width = NUMBERS[upper]
            self.clock12 = self.clock12 or upper in ("HH", "HH12")
            self.integer(node, number, width, name)
        if node.th:
            self.at += 2


def adjust_partial_year(year: int) -> int:
    """The year near 2020 that ends with these digits."""
    if year < 70:
        return year + 2000
    if year < 100:
        return year + 1900
    if year < 520:
        return year + 2000
    return year + 1000 if year < 1000 else year


def out_of_range(text: str) -> PgError:
    return PgError(DATETIME_VALUE_OUT_OF_RANGE, f'date/time field value out of range: "{text}"')


def do_to_timestamp(text: str, picture: str, *, std: bool = False) -> tuple[Tm, int | None, Reader]:
    """(fields, seconds WEST of UTC or None, the reader)."""
    r = Reader(text, picture, std=std)
    r.run()
    tm = Tm()
    tm.year, tm.mon, tm.day = 0, 1, 1
    if r.get("ssss"):
        tm.hour, rest = divmod(r.get("ssss"), 3600)
        tm.min, tm.sec = divmod(rest, 60)
    tm.sec = r.get("ss") or tm.sec
    tm.min = r.get("mi") or tm.min
    tm.hour = r.get("hh") or tm.hour
    if r.clock12:
        if not 1 <= tm.hour <= 12:
            bad(
                f'hour "{tm.hour}" is invalid for the 12-hour clock',
                hint="Use the 24-hour clock, or give an hour between 1 and 12.",
            )
        if r.get("pm") and tm.hour < 12:
            tm.hour += 12
        elif not r.get("pm") and tm.hour == 12:
            tm.hour = 0
    mask = fill_year(r, tm) | fill_date(r, tm)
    tm.usec = r.get("ms") * 1000 + r.get("us")
    if mask & 2 and not 1 <= tm.mon <= 12:
        raise out_of_range(text)
    if mask & 4 and not 1 <= tm.day <= 31:
        raise out_of_range(text)
    if mask == 7 and tm.day > days_in_month(tm.year, tm.mon):
        raise out_of_range(text)
    times = 0 <= tm.hour < 24 and 0 <= tm.min < 60 and 0 <= tm.sec < 60
    if not times or not 0 <= tm.usec < 1_000_000:
        raise out_of_range(text)
    zone = None
    if r.get("tzsign"):
        hours, minutes = r.get("tzh"), r.get("tzm")
        if not (0 <= hours <= MAX_TZDISP_HOUR and 0 <= minutes < 60):
            raise PgError("22009", f'time zone displacement out of range: "{text}"')
        zone = -r.get("tzsign") * (hours * 3600 + minutes * 60)
    return tm, zone, r


def fill_year(r: Reader, tm: Tm) -> int:
    """Year and century; 1 when the picture had one."""
    year, century = r.get("year"), r.get("cc")
    if r.get("bc"):
        century = -century
    if year:
        if century and r.year_digits <= 2:
            tm.year = int(abs(year) % 100) * (1 if year > 0 else -1)
            if tm.year and century >= 0:
                tm.year += (century - 1) * 100
            elif tm.year:
                tm.year = (century + 1) * 100 - tm.year + 1
            else:
                tm.year = century * 100 + (0 if century >= 0 else 1)
        else:
            tm.year = -year if r.get("bc") else year
            if tm.year < 0:
                tm.year += 1
        return 1
    if century:
        tm.year = (century - 1) * 100 + 1 if century >= 0 else century * 100 + 1
        return 1
    return 0


def fill_date(r: Reader, tm: Tm) -> int:
    """Month and day from whatever was given; a mask of 2 (month) and 4 (day), 7 for a date."""
    mask = 0
    day_of_year = r.get("ddd")
    if r.get("j"):
        tm.year, tm.mon, tm.day = j2date(r.get("j"))
        mask = 7
    if r.get("ww"):
        if r.mode == "iso":
            start = isoweek2j(tm.year, r.get("ww"))
            weekday = r.get("d")  # 1 = Sunday
            start += 6 if weekday == 1 else max(weekday - 2, 0)
            tm.year, tm.mon, tm.day = j2date(start)
            mask = 7
        else:
            day_of_year = (r.get("ww") - 1) * 7 + 1
    day = (r.get("w") - 1) * 7 + 1 if r.get("w") else r.get("dd")
    if day:
        tm.day = day
        mask |= 4
    if r.get("mm"):
        tm.mon = r.get("mm")
        mask |= 2
    if day_of_year and (tm.mon <= 1 or tm.day <= 1):
        if not tm.year and not r.get("bc"):
            bad("cannot calculate day of year without year information")
        if r.mode == "iso":
            tm.year, tm.mon, tm.day = j2date(isoweek2j(tm.year, 1) - 1 + day_of_year)
            return 7
        sums = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365]
        if is_leap(tm.year):
            sums = [n + (i > 1) for i, n in enumerate(sums)]
        month = next((i for i in range(1, 13) if day_of_year <= sums[i]), 13)
        if tm.mon <= 1:
            tm.mon = month
        if tm.day <= 1:
            tm.day = day_of_year - sums[month - 1]
        mask |= 6
    return mask


@pg_function("to_timestamp(text, text)", context=True)
def to_timestamp(ctx: CallContext, text: str, picture: str) -> int:
    tm, tz, _r = do_to_timestamp(text, picture)
    if tz is None:
        tz = -session_zone(ctx).local_offset(tm.local_seconds())[0]
    result = tm2timestamp(tm, tz)
    if result is None:
        raise PgError(DATETIME_VALUE_OUT_OF_RANGE, "timestamp out of range")
    return result


@pg_function("to_date(text, text)")
def to_date(text: str, picture: str) -> int:
    tm, _zone, _r = do_to_timestamp(text, picture)
    return date_of(tm, text)


def date_of(tm: Tm, text: str) -> int:
    if not valid_julian(tm.year, tm.mon):
        raise PgError(DATETIME_VALUE_OUT_OF_RANGE, f'date out of range: "{text}"')
    julian = date2j(tm.year, tm.mon, tm.day)
    if not 0 <= julian < DATE_END_JULIAN:
        raise PgError(DATETIME_VALUE_OUT_OF_RANGE, f'date out of range: "{text}"')
    return julian - POSTGRES_EPOCH_JDATE


def parse_datetime(text: str, picture: str) -> tuple[str, int, int]:
    """(kind, storage value or local microseconds, seconds WEST of UTC) in standard mode; the kind
    is date, time, timetz, timestamp or timestamptz by the picture's fields."""
    tm, zone, r = do_to_timestamp(text, picture, std=True)
    words = {node.keyword.upper() for node in r.nodes if node.keyword}
    timed, zoned = bool(words & TIMED), bool(words & ZONED)
    dated = bool(words - TIMED - ZONED - {"FX"})
    if timed and r.fraction_digits:
        step = 10 ** (6 - r.fraction_digits)
        tm.usec = (tm.usec + step // 2) // step * step
    if dated and timed:
        kind = "timestamptz" if zoned else "timestamp"
        if zoned and zone is None:
            bad("missing time zone in input string for type timestamptz")
        value = tm2timestamp(tm, zone if zoned else None)
        if value is None:
            raise PgError(DATETIME_VALUE_OUT_OF_RANGE, f"{kind} out of range")
        return kind, value, zone or 0
    if dated:
        if zoned:
            bad("datetime format is zoned but not timed")
        return "date", date_of(tm, text), 0
    if timed:
        if zoned and zone is None:
            bad("missing time zone in input string for type timetz")
        return "timetz" if zoned else "time", tm.time_usecs(), zone or 0
    bad("datetime format is not dated and not timed")
