"""to_date and to_timestamp: text by a picture (PostgreSQL: formatting.c, DCH_from_char)."""

from __future__ import annotations

import re
from typing import NoReturn

from pgemu.errors import DATETIME_VALUE_OUT_OF_RANGE, INVALID_DATETIME_FORMAT, PgError
from pgemu.fmgr import CallContext, pg_function
from pgemu.types.datetime_calendar import (
    POSTGRES_EPOCH_JDATE,
    Tm,
    date2j,
    days_in_month,
    j2date,
    tm2timestamp,
)
from pgemu.types.datetime_extract import isoweek2j
from pgemu.types.formatting import DAYS, MONTHS, ROMAN_MONTHS, Node, parse_format
from pgemu.types.timezone import session_zone

WIDTHS = {"YYYY": 4, "IYYY": 4, "YYY": 3, "IYY": 3, "YY": 2, "IY": 2, "Y": 1, "I": 1, "CC": 2,
          "DDD": 3, "IDDD": 3, "D": 1, "ID": 1, "Q": 1, "W": 1, "MS": 3, "US": 6, "SSSS": 5,
          "SSSSS": 5, "J": 9}  # fmt: skip


class Fields:
    """TmFromChar: what the text gave."""

    def __init__(self) -> None:
        self.values: dict[str, int] = {}
        self.pm: bool | None = None
        self.bc = False
        self.clock12 = False
        self.year_digits = 4
        self.tz: int | None = None
        self.usec = 0


def bad(value: str, field: str, detail: str | None = None, hint: str | None = None) -> NoReturn:
    raise PgError(
        INVALID_DATETIME_FORMAT, f'invalid value "{value}" for "{field}"', detail=detail, hint=hint
    )


class Reader:
    def __init__(self, text: str, picture: str) -> None:
        self.text = text
        self.nodes = parse_format(picture)
        self.at = 0
        self.fields = Fields()
        self.fx = False

    def run(self) -> Fields:
        nodes = self.nodes
        for number, node in enumerate(nodes):
            if not node.keyword:
                self.literal(node, number)
                continue
            if node.keyword == "FX":
                self.fx = True
                continue
            if not self.fx:
                self.skip_spaces()
            if self.at >= len(self.text):
                break
            self.field(node, number)
        return self.fields

    def skip_spaces(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def literal(self, node: Node, number: int) -> None:
        if self.at >= len(self.text):
            return
        char = self.text[self.at]
        if node.quoted or node.text.isalnum():
            self.at += 1
            return
        if self.fx:
            self.at += 1
            return
        if char.isspace():
            self.skip_spaces()
        elif not char.isalnum() and not (char in "+-" and self.zone_follows(number)):
            self.at += 1
            self.skip_spaces()

    def zone_follows(self, number: int) -> bool:
        following = self.nodes[number + 1 : number + 2]
        return bool(following) and following[0].keyword in ("TZH", "TZM")

    def next_is_digits(self, number: int) -> bool:
        """is_next_separator is false: digits follow directly, so the width counts."""
        following = self.nodes[number + 1 : number + 2]
        if not following:
            return False
        node = following[0]
        if not node.keyword:
            return node.text.isdigit()
        return node.keyword.upper() not in (
            "MONTH", "MON", "DAY", "DY", "AM", "PM", "A.M.", "P.M.", "AD", "BC", "A.D.", "B.C.",
            "RM", "TZ", "OF",
        )  # fmt: skip

    def integer(self, node: Node, width: int, number: int) -> tuple[int, int]:
        """(value, digits used)."""
        self.skip_spaces()
        if self.next_is_digits(number) and not node.fm:
            pattern = re.compile(rf"[+-]?\d{{1,{width}}}")
        else:
            pattern = re.compile(r"[+-]?\d+")
        found = pattern.match(self.text, self.at)
        if found is None:
            piece = self.text[self.at : self.at + width]
            bad(piece, node.keyword, "Value must be an integer.")
        self.at = found.end()
        value = int(found[0])
        if abs(value) > 2**31 - 1:
            raise PgError(
                DATETIME_VALUE_OUT_OF_RANGE,
                f'value for "{node.keyword}" in source string is out of range',
                detail="Value must be in the range -2147483648 to 2147483647.",
            )
        if node.th:
            self.at += 2
        return value, len(found[0].lstrip("+-"))

    def put(self, key: str, value: int, node: Node) -> None:
        old = self.fields.values.get(key)
        if old is not None and old != value:
            raise PgError(
                INVALID_DATETIME_FORMAT,
                f'conflicting values for "{node.keyword}" field in formatting string',
                detail="This value contradicts a previous setting for the same field type.",
            )
        self.fields.values[key] = value

    def word(self, choices: tuple[str, ...], node: Node) -> int:
        rest = self.text[self.at :].lower()
        for index, choice in enumerate(choices):
            if rest.startswith(choice.lower()):
                self.at += len(choice)
                return index
        shown = re.split(r"\s", self.text[self.at :])[0]
        bad(
            shown,
            node.keyword,
            "The given value did not match any of the allowed values for this field.",
        )

    def field(self, node: Node, number: int) -> None:
        word = node.keyword
        upper = word.upper()
        f = self.fields
        if upper in ("AM", "PM"):
            f.pm = bool(self.word(("am", "pm"), node))
            f.clock12 = True
        elif upper in ("A.M.", "P.M."):
            f.pm = bool(self.word(("a.m.", "p.m."), node))
            f.clock12 = True
        elif upper in ("AD", "BC"):
            f.bc = bool(self.word(("ad", "bc"), node))
        elif upper in ("A.D.", "B.C."):
            f.bc = bool(self.word(("a.d.", "b.c."), node))
        elif upper == "MONTH":
            self.put("MM", self.word(MONTHS, node) + 1, node)
        elif upper == "MON":
            self.put("MM", self.word(tuple(m[:3] for m in MONTHS), node) + 1, node)
        elif upper == "DAY":
            self.put("D", self.word(DAYS, node) + 1, node)
        elif upper == "DY":
            self.put("D", self.word(tuple(d[:3] for d in DAYS), node) + 1, node)
        elif upper == "RM":
            order = sorted(range(12), key=lambda i: -len(ROMAN_MONTHS[i]))
            found = self.word(tuple(ROMAN_MONTHS[i] for i in order), node)
            self.put("MM", 12 - order[found], node)
        elif upper in ("TZ", "OF"):
            raise PgError("0A000", f'formatting field "{word}" is only supported in to_char')
        elif upper in ("TZH", "TZM"):
            self.zone(node, number)
        elif word == "Y,YYY":
            found_year = re.compile(r"(\d+),(\d{3})").match(self.text, self.at)
            if found_year is None:
                raise PgError(INVALID_DATETIME_FORMAT, 'invalid input string for "Y,YYY"')
            self.at = found_year.end()
            self.put("YYYY", int(found_year[1]) * 1000 + int(found_year[2]), node)
        else:
            self.number(node, number)

    def zone(self, node: Node, number: int) -> None:
        f = self.fields
        if node.keyword == "TZH":
            sign = -1 if self.text[self.at] == "-" else 1
            if self.text[self.at] in "+- ":
                self.at += 1
            value, _ = self.integer(node, 2, number)
            f.values["TZSIGN"] = sign
            f.values["TZH"] = value
        else:
            f.values["TZM"] = self.integer(node, 2, number)[0]

    def number(self, node: Node, number: int) -> None:
        word = node.keyword
        f = self.fields
        start = self.at
        value, digits = self.integer(node, WIDTHS.get(word, 6 if word[:2] == "FF" else 2), number)
        if word.startswith("FF") or word in ("US", "MS"):
            text = self.text[start : self.at].strip()
            f.usec += round(int(text) * 10 ** (6 - len(text)))
            return
        if word in ("HH", "HH12"):
            f.clock12 = True
            self.put("HH", value, node)
        elif word == "HH24":
            self.put("HH", value, node)
        elif word in ("YYYY", "IYYY"):
            self.put(word, value, node)
        elif word in ("YYY", "YY", "Y", "IYY", "IY", "I"):
            key = "IYYY" if word[0] == "I" else "YYYY"
            if digits < 4:
                value = adjust_partial_year(value)
            self.put(key, value, node)
        else:
            self.put("SSSS" if word == "SSSSS" else word, value, node)


def adjust_partial_year(year: int) -> int:
    """The year of two centuries around now that ends with these digits."""
    if year < 70:
        return year + 2000
    if year < 100:
        return year + 1900
    if year < 520:
        return year + 2000
    return year + 1000 if year < 1000 else year


def out_of_range(text: str) -> PgError:
    return PgError(DATETIME_VALUE_OUT_OF_RANGE, f'date/time field value out of range: "{text}"')


def do_to_timestamp(text: str, picture: str) -> tuple[Tm, Fields]:
    f = Reader(text, picture).run()
    v = f.values
    tm = Tm()
    if "SSSS" in v:
        tm.hour, rest = divmod(v["SSSS"], 3600)
        tm.min, tm.sec = divmod(rest, 60)
    tm.sec = v.get("SS", tm.sec)
    tm.min = v.get("MI", tm.min)
    if "HH" in v:
        tm.hour = v["HH"]
    if f.clock12:
        if not 1 <= tm.hour <= 12:
            raise PgError(
                INVALID_DATETIME_FORMAT,
                f'hour "{tm.hour}" is invalid for the 12-hour clock',
                hint="Use the 24-hour clock, or give an hour between 1 and 12.",
            )
        if f.pm and tm.hour < 12:
            tm.hour += 12
        elif not f.pm and tm.hour == 12:
            tm.hour = 0
    fill_year(f, tm)
    fill_date(f, tm)
    tm.usec = f.usec
    if tm.usec >= 1_000_000:
        tm.sec, tm.usec = tm.sec + 1, tm.usec - 1_000_000
    if "SSSS" in v and not 0 <= v["SSSS"] < 86400:
        raise out_of_range(text)
    if not (1 <= tm.mon <= 12 and 1 <= tm.day <= days_in_month(tm.year, tm.mon)):
        raise out_of_range(text)
    if not (0 <= tm.hour < 24 and 0 <= tm.min < 60 and 0 <= tm.sec < 60):
        raise out_of_range(text)
    if "TZH" in v or "TZM" in v:
        f.tz = -v.get("TZSIGN", 1) * (v.get("TZH", 0) * 3600 + v.get("TZM", 0) * 60)
    return tm, f


def fill_year(f: Fields, tm: Tm) -> None:
    v = f.values
    if "YYYY" in v:
        year = v["YYYY"]
        if "CC" in v and abs(year) < 100:
            year = year % 100
            year = year + (v["CC"] - 1) * 100 if year else v["CC"] * 100
        if f.bc:
            year = -year if year > 0 else year
        tm.year = year + 1 if year < 0 else year
        if year == 0 and not f.bc:
            tm.year = 0
    elif "CC" in v:
        century = -v["CC"] if f.bc else v["CC"]
        tm.year = (century - 1) * 100 + 1 if century >= 0 else century * 100 + 1
    tm.mon = tm.day = 1


def fill_date(f: Fields, tm: Tm) -> None:
    v = f.values
    if "J" in v:
        tm.year, tm.mon, tm.day = j2date(v["J"])
    if "IYYY" in v:
        iso = v["IYYY"]
        if "IDDD" in v:
            tm.year, tm.mon, tm.day = j2date(isoweek2j(iso, 1) + v["IDDD"] - 1)
        else:
            monday = isoweek2j(iso, v.get("IW", 1))
            weekday = v.get("ID") or ((v["D"] + 5) % 7 + 1 if "D" in v else 1)
            tm.year, tm.mon, tm.day = j2date(monday + weekday - 1)
        return
    if "WW" in v:
        v.setdefault("DDD", (v["WW"] - 1) * 7 + 1)
    if "MM" in v:
        tm.mon = v["MM"]
    if "W" in v:
        tm.day = (v["W"] - 1) * 7 + 1
    if "DD" in v:
        tm.day = v["DD"]
    elif "DDD" in v and "MM" not in v:
        if "YYYY" not in v and "CC" not in v:
            raise PgError(
                INVALID_DATETIME_FORMAT,
                "cannot calculate day of year without year information",
            )
        tm.year, tm.mon, tm.day = j2date(date2j(tm.year, 1, 1) + v["DDD"] - 1)


@pg_function("to_timestamp(text, text)", context=True)
def to_timestamp(ctx: CallContext, text: str, picture: str) -> int:
    tm, f = do_to_timestamp(text, picture)
    tz = f.tz
    if tz is None:
        tz = -session_zone(ctx).local_offset(tm.local_seconds())[0]
    result = tm2timestamp(tm, tz)
    if result is None:
        raise PgError(DATETIME_VALUE_OUT_OF_RANGE, "timestamp out of range")
    return result


@pg_function("to_date(text, text)")
def to_date(text: str, picture: str) -> int:
    tm, _f = do_to_timestamp(text, picture)
    return date2j(tm.year, tm.mon, tm.day) - POSTGRES_EPOCH_JDATE
