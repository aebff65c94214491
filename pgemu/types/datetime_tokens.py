"""The words of date/time input: PostgreSQL's datetktbl and deltatktbl as tables, field masks.

Every token maps to (kind, value); names are cut to TOKMAXLEN letters before the search.
"""

from __future__ import annotations

TOKMAXLEN = 10

# Field kinds; DTK_M(kind) is 1 << kind.
RESERV, MONTH, YEAR, DAY, JULIAN, TZ, DTZ, DYNTZ, IGNORE_DTF, AMPM = range(10)
HOUR, MINUTE, SECOND, MILLISECOND, MICROSECOND, DOY, DOW, UNITS, ADBC, AGO = range(10, 20)
DTZMOD, ISOTIME, UNKNOWN_FIELD = 28, 22, 31

DECADE, CENTURY, MILLENNIUM, QUARTER, WEEK, ISODOW, ISOYEAR, EPOCH = range(40, 48)
LATE, EARLY, NOW, TODAY, TOMORROW, YESTERDAY, ZULU, TIMEZONE, TZ_HOUR, TZ_MINUTE = range(50, 60)
DELTA, TIME = 60, 61

AM, PM, HR24 = 0, 1, 2
AD, BC = 0, 1


def m(*kinds: int) -> int:
    """The mask of some field kinds."""
    mask = 0
    for kind in kinds:
        mask |= 1 << kind
    return mask


ALL_SECS_M = m(SECOND, MILLISECOND, MICROSECOND)
DATE_M = m(YEAR, MONTH, DAY)
TIME_M = m(HOUR, MINUTE) | ALL_SECS_M

_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_DAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]

date_tokens: dict[str, tuple[int, int]] = {
    "-infinity": (RESERV, EARLY),
    "ad": (ADBC, AD),
    "allballs": (RESERV, ZULU),
    "am": (AMPM, AM),
    "at": (IGNORE_DTF, 0),
    "bc": (ADBC, BC),
    "d": (UNITS, DAY),
    "dow": (UNITS, DOW),
    "doy": (UNITS, DOY),
    "dst": (DTZMOD, 3600),
    "epoch": (RESERV, EPOCH),
    "h": (UNITS, HOUR),
    "infinity": (RESERV, LATE),
    "isodow": (UNITS, ISODOW),
    "isoyear": (UNITS, ISOYEAR),
    "j": (UNITS, JULIAN),
    "jd": (UNITS, JULIAN),
    "julian": (UNITS, JULIAN),
    "m": (UNITS, MONTH),
    "mm": (UNITS, MINUTE),
    "now": (RESERV, NOW),
    "on": (IGNORE_DTF, 0),
    "pm": (AMPM, PM),
    "s": (UNITS, SECOND),
    "sept": (MONTH, 9),
    "t": (ISOTIME, TIME),
    "thur": (DOW, 4),
    "thurs": (DOW, 4),
    "today": (RESERV, TODAY),
    "tomorrow": (RESERV, TOMORROW),
    "tues": (DOW, 2),
    "weds": (DOW, 3),
    "y": (UNITS, YEAR),
    "yesterday": (RESERV, YESTERDAY),
}
for _n, _name in enumerate(_MONTHS):
    date_tokens[_name] = date_tokens[_name[:3]] = (MONTH, _n + 1)
for _n, _name in enumerate(_DAYS):
    date_tokens[_name] = date_tokens[_name[:3]] = (DOW, _n)
date_tokens = {name[:TOKMAXLEN]: value for name, value in date_tokens.items()}


def _units(names: str, unit: int) -> dict[str, tuple[int, int]]:
    return {name[:TOKMAXLEN]: (UNITS, unit) for name in names.split()}


delta_tokens: dict[str, tuple[int, int]] = {
    "@": (IGNORE_DTF, 0),
    "ago": (AGO, 0),
    **_units("c cent centuries century", CENTURY),
    **_units("d day days", DAY),
    **_units("dec decade decades decs", DECADE),
    **_units("h hour hours hr hrs", HOUR),
    **_units("m min mins minute minutes", MINUTE),
    **_units("mil mils millennia millennium", MILLENNIUM),
    **_units("mon mons month months", MONTH),
    **_units("ms msec msecs millisecon msecond mseconds", MILLISECOND),
    **_units("milliseconds", MILLISECOND),
    **_units("microsecon microseconds us usec usecond useconds usecs", MICROSECOND),
    **_units("qtr quarter", QUARTER),
    "reltime": (IGNORE_DTF, 0),
    **_units("s sec second seconds secs", SECOND),
    **_units("timezone", TIMEZONE),
    **_units("timezone_h", TZ_HOUR),
    **_units("timezone_m", TZ_MINUTE),
    **_units("w week weeks", WEEK),
    **_units("y year years yr yrs", YEAR),
}


def decode_special(word: str) -> tuple[int, int]:
    """A word of date input."""
    return date_tokens.get(word[:TOKMAXLEN], (UNKNOWN_FIELD, 0))


def decode_units(word: str) -> tuple[int, int]:
    """A unit of an interval, of extract or of date_trunc."""
    return delta_tokens.get(word[:TOKMAXLEN], (UNKNOWN_FIELD, 0))
