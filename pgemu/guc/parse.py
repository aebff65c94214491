"""Text to value and value to text, by the type of the setting.

Counterpart: parse_int, parse_real, parse_bool, config_enum_lookup_by_name,
parse_and_validate_value and ShowGUCOption of PostgreSQL's guc.c, with their messages.
"""

from __future__ import annotations

import math
import re

from pgemu.errors import INVALID_PARAMETER_VALUE, PgError
from pgemu.guc.setting import (
    HIDDEN_ENUM_VALUES,
    OCTAL_SHOWN,
    SHOWN_WITHOUT_UNIT,
    Setting,
    Typed,
)

_KB, _MB, _GB, _TB = 1024, 1024**2, 1024**3, 1024**4
_MEMORY = {"TB": _TB, "GB": _GB, "MB": _MB, "kB": _KB, "B": 1}
_TIME = {
    "d": 86_400_000_000,
    "h": 3_600_000_000,
    "min": 60_000_000,
    "s": 1_000_000,
    "ms": 1000,
    "us": 1,
}
_BASE_UNITS: dict[str, tuple[dict[str, int], int]] = {
    "B": (_MEMORY, 1),
    "kB": (_MEMORY, _KB),
    "8kB": (_MEMORY, 8 * _KB),
    "MB": (_MEMORY, _MB),
    "ms": (_TIME, 1000),
    "s": (_TIME, 1_000_000),
    "min": (_TIME, 60_000_000),
}
_MEMORY_HINT = 'Valid units for this parameter are "B", "kB", "MB", "GB", and "TB".'
_TIME_HINT = 'Valid units for this parameter are "us", "ms", "s", "min", "h", and "d".'

_INTEGER = re.compile(r"[ \t\n\r\f\v]*[+-]?(?:0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")
_FLOAT = re.compile(
    r"[ \t\n\r\f\v]*[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
    r"|inf(?:inity)?|nan)",
    re.IGNORECASE,
)
_UNIT = re.compile(r"[ \t\n\r\f\v]*(\S*)[ \t\n\r\f\v]*\Z")


class BadNumber(Exception):
    """Not a number in this setting's syntax; the hint says more, if there is one."""

    def __init__(self, hint: str | None = None) -> None:
        super().__init__(hint)
        self.hint = hint


def parse_int(text: str, unit: str | None) -> int:
    """An integer in the base unit, rounded as PostgreSQL rounds."""
    matched = _INTEGER.match(text)
    end = matched.end() if matched else 0
    if matched is None or text[end : end + 1] in (".", "e", "E"):
        as_float = _FLOAT.match(text)
        if as_float is None or "n" in as_float.group().lower():
            raise BadNumber
        value: float = float(as_float.group())
        end = as_float.end()
    else:
        value = int(_c_base(matched.group().strip()), 0)
    value = _apply_unit(value, text[end:], unit)
    if math.isinf(value):
        raise BadNumber("Value exceeds integer range.")
    rounded = value if isinstance(value, int) else round(value)
    if not -(2**31) <= rounded < 2**31:
        raise BadNumber("Value exceeds integer range.")
    return rounded


def _c_base(digits: str) -> str:
    """strtol's notation of octal (010) as Python's (0o10)."""
    return re.sub(r"^([+-]?)0([0-7]+)$", r"\g<1>0o\2", digits)


def parse_real(text: str, unit: str | None) -> float:
    matched = _FLOAT.match(text)
    if matched is None:
        raise BadNumber
    value = float(matched.group())
    mantissa = matched.group().lower().partition("e")[0]
    overflow = math.isinf(value) and "i" not in mantissa
    underflow = value == 0 and any(digit in mantissa for digit in "123456789")
    if math.isnan(value) or overflow or underflow:
        raise BadNumber
    return float(_apply_unit(value, text[matched.end() :], unit))


def _apply_unit(value: float, rest: str, unit: str | None) -> float:
    found = _UNIT.match(rest)
    if found is None:
        raise BadNumber(_hint(unit))
    given = found.group(1)
    if not given:
        return value
    if unit is None:
        raise BadNumber
    table, base = _BASE_UNITS[unit]
    factor = table.get(given)
    if factor is None:
        raise BadNumber(_hint(unit))
    if isinstance(value, int) and factor % base == 0:
        return value * (factor // base)
    # A fraction is first rounded to the next smaller unit: 30.1GB is a whole number of MB.
    converted = value * factor / base
    names = list(table)
    at = names.index(given)
    if at + 1 < len(names):
        smaller = table[names[at + 1]] / base
        converted = round(converted / smaller) * smaller
    return converted


def _hint(unit: str | None) -> str | None:
    if unit is None:
        return None
    return _MEMORY_HINT if _BASE_UNITS[unit][0] is _MEMORY else _TIME_HINT


def parse_bool(text: str) -> bool | None:
    """Unique prefixes of true, false, yes, no, on, off; 1 and 0."""
    word = text.lower()
    if not word:
        return None
    if word == "1" or "true".startswith(word) or "yes".startswith(word) or word == "on":
        return True
    if word == "0" or "false".startswith(word) or "no".startswith(word) or word in ("of", "off"):
        return False
    return None


def invalid_value(
    name: str, shown: str, *, detail: str | None = None, hint: str | None = None
) -> PgError:
    return PgError(
        INVALID_PARAMETER_VALUE,
        f'invalid value for parameter "{name}": {shown}',
        detail=detail,
        hint=hint,
    )


def parse_value(setting: Setting, text: str) -> Typed:
    """The typed value of the text, its range checked; check hooks come after."""
    name = setting.name
    match setting.vartype:
        case "bool":
            truth = parse_bool(text)
            if truth is None:
                raise PgError(
                    INVALID_PARAMETER_VALUE, f'parameter "{name}" requires a Boolean value'
                )
            return truth
        case "integer":
            return _in_range(setting, _number(setting, text))
        case "real":
            return _in_range(setting, _number(setting, text))
        case "enum":
            return parse_enum(setting, text)
    return text


def _number(setting: Setting, text: str) -> float:
    try:
        if setting.vartype == "integer":
            return parse_int(text, setting.unit)
        return parse_real(text, setting.unit)
    except BadNumber as bad:
        raise invalid_value(setting.name, f'"{text}"', hint=bad.hint) from None


def _in_range(setting: Setting, value: float) -> float:
    low, high = setting.min_val, setting.max_val
    if (low is None or value >= float(low)) and (high is None or value <= float(high)):
        return value
    shown = str(value) if setting.vartype == "integer" else f"{value:g}".replace("inf", "Infinity")
    unit = f" {setting.unit}" if setting.unit else ""
    raise PgError(
        INVALID_PARAMETER_VALUE,
        f"{shown}{unit} is outside the valid range for parameter"
        f' "{setting.name}" ({low} .. {high})',
    )


def parse_enum(setting: Setting, text: str) -> str:
    wanted = text.lower()
    # First what several spellings share (wal_compression's on is pglz), then the plain values.
    hidden = HIDDEN_ENUM_VALUES.get(setting.name, {}).get(wanted)
    if hidden is not None:
        return hidden
    for value in setting.enumvals:
        if value.lower() == wanted:
            return value
    raise invalid_value(
        setting.name, f'"{text}"', hint=f"Available values: {', '.join(setting.enumvals)}."
    )


def raw_text(setting: Setting, value: Typed) -> str:
    """As pg_settings.setting shows it: no unit."""
    if setting.vartype == "bool":
        return "on" if value else "off"
    if setting.vartype == "real":
        return f"{value:g}"
    if setting.name in OCTAL_SHOWN:
        return f"{value:04o}"
    return str(value)


def show_text(setting: Setting, value: Typed) -> str:
    """As SHOW shows it: a number in the largest unit that holds it."""
    bare = setting.name in SHOWN_WITHOUT_UNIT
    if bare or setting.unit is None or isinstance(value, str) or value <= 0:
        return raw_text(setting, value)
    table, base = _BASE_UNITS[setting.unit]
    if isinstance(value, int):
        absolute = value * base
        for unit, factor in table.items():
            if factor <= absolute and absolute % factor == 0:
                return f"{absolute // factor}{unit}"
    for unit, factor in table.items():
        shown = value * base / factor
        if shown > 0 and abs(round(shown) / shown - 1.0) <= 1e-8:
            return f"{shown:g}{unit}"
    smallest, factor = list(table.items())[-1]
    return f"{value * base / factor:g}{smallest}"
