"""Columns at speed: whole columns of text to storage values, and storage values to text.

A type's own input and output functions are right but are Python per value.  For the types that
loads of rows are made of there are quick readers here, which take a whole column at once and give
None when any value is not of the plain shape they know: then the type's own input reads them all.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pgemu.nodes.primnodes import Value

Texts = Sequence[str]
ColumnReader = Callable[[Texts], "list[Value] | None"]
_LIMITS = {"int2": 15, "int4": 31, "int8": 63}
_EPOCH = datetime(2000, 1, 1)
_EPOCH_UTC = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_STAMP = r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{6}|\.\d{3})?"
_STAMPS = re.compile(rf"(?:{_STAMP}\n)*+")
_STAMPS_TZ = re.compile(rf"(?:{_STAMP}[+-]\d\d(?::\d\d)?\n)*+")
_DATES = re.compile(r"(?:\d{4}-\d\d-\d\d\n)*+")
_BOOLS = {"t": 1, "f": 0, "true": 1, "false": 0, "1": 1, "0": 0}


def column_reader(session: Any, type_oid: int, typmod: int) -> ColumnReader:
    """Reads a column that has no NULLs; None: not all of it is plain."""
    io = session.catalog.types.io(type_oid)
    name = io.name
    if name in _LIMITS:
        return _integers(_LIMITS[name])
    if name in ("text", "unknown") or (name == "varchar" and typmod < 4):
        return lambda texts: list(texts)
    if name == "varchar":
        return lambda texts: list(texts) if max(map(len, texts)) <= typmod - 4 else None
    if name == "bpchar":
        return lambda texts: (
            [text.rstrip(" ") for text in texts]
            if typmod < 4 or max(map(len, texts)) <= typmod - 4
            else None
        )
    if name == "numeric":
        return _numerics(typmod)
    if name == "bool":
        return _bools
    if name == "date":
        return _dates if session.ctx.datestyle == "ISO" else _none
    if name == "timestamp":
        return _timestamps if typmod < 0 or typmod == 6 else _none
    if name == "timestamptz":
        if typmod not in (-1, 6):
            return _none
        return (
            _timestamptz_utc
            if session.ctx.timezone_name in ("UTC", "Etc/UTC", "GMT")
            else (_timestamptz)
        )
    if name == "jsonb":
        return _jsonbs
    return _none


def _none(texts: Texts) -> list[Value] | None:
    return None


def _joined(texts: Texts) -> str | None:
    """All values with a newline behind each; None if some contain newlines themselves."""
    text = "\n".join(texts) + "\n"
    return text if text.count("\n") == len(texts) else None


def _integers(bits: int) -> ColumnReader:
    low, high = -(1 << bits), (1 << bits) - 1

    def read(texts: Texts) -> list[Value] | None:
        try:
            values = list(map(int, texts))
        except ValueError:
            return None
        text = "".join(texts)
        # Python also reads 1_000 and the digits of every script
        if "_" in text or not text.isascii() or min(values) < low or max(values) > high:
            return None
        return values  # type: ignore[return-value]

    return read


def _numerics(typmod: int) -> ColumnReader:
    """Values that are written just as they are stored."""
    if typmod >= 4:
        precision, scale = (typmod - 4) >> 16 & 0xFFFF, (typmod - 4) & 0x7FF
        if scale & 0x400 or precision <= scale:
            return _none
        whole = rf"(?:0|[1-9]\d{{0,{precision - scale - 1}}})"
        fraction = rf"\.\d{{{scale}}}" if scale else ""
    else:
        whole, fraction = r"(?:0|[1-9]\d{0,300})", r"(?:\.\d{1,300})?"
    plain = re.compile(rf"(?:(?!-[0.]+\n)-?{whole}{fraction}\n)*+")

    def read(texts: Texts) -> list[Value] | None:
        text = _joined(texts)
        if text is None or not text.isascii() or plain.fullmatch(text) is None:
            return None
        return list(texts)

    return read


def _bools(texts: Texts) -> list[Value] | None:
    try:
        return [_BOOLS[t] for t in texts]
    except KeyError:
        return None


def _dates(texts: Texts) -> list[Value] | None:
    text = _joined(texts)
    if text is None or not text.isascii() or _DATES.fullmatch(text) is None:
        return None
    read, epoch = datetime.fromisoformat, _EPOCH.toordinal()
    try:
        return [read(t).toordinal() - epoch for t in texts]
    except ValueError:
        return None


def _stamps(texts: Texts, shape: re.Pattern[str], epoch: datetime) -> list[Value] | None:
    text = _joined(texts)
    if text is None or not text.isascii() or shape.fullmatch(text) is None:
        return None
    read, one = datetime.fromisoformat, _MICROSECOND
    try:
        return [(read(t) - epoch) // one for t in texts]
    except ValueError:
        return None


def _timestamps(texts: Texts) -> list[Value] | None:
    return _stamps(texts, _STAMPS, _EPOCH)


def _timestamptz(texts: Texts) -> list[Value] | None:
    return _stamps(texts, _STAMPS_TZ, _EPOCH_UTC)


def _timestamptz_utc(texts: Texts) -> list[Value] | None:
    with_zone = _stamps(texts, _STAMPS_TZ, _EPOCH_UTC)
    return with_zone if with_zone is not None else _stamps(texts, _STAMPS, _EPOCH)


def _plain_float(text: str) -> float:
    if "e" in text or "E" in text or not float(text):
        raise ValueError(text)
    return float(text)


def _no_constant(text: str) -> Any:
    raise ValueError(text)


_DECODER: Any = json.JSONDecoder(parse_float=_plain_float, parse_constant=_no_constant)
_scan = _DECODER.scan_once
_write_json = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode
# stands between the values of a column: what begins in one value cannot end in another
_MARK = secrets.token_hex(8)


def _keys_in_order(keys: Iterable[str]) -> bool:
    """Jsonb's order of keys: by length, then by bytes."""
    last, size = "", -1
    for key in keys:
        length = len(key)
        if length < size or (length == size and key <= last) or not key.isascii():
            return False
        last, size = key, length
    return True


def _in_order(value: Any) -> bool:
    """Are the keys of all objects within a value in order?"""
    if type(value) is dict:
        return _keys_in_order(value) and all(
            type(v) not in (dict, list) or _in_order(v) for v in value.values()
        )
    if type(value) is list:
        return all(type(v) not in (dict, list) or _in_order(v) for v in value)
    return True


_STRING = r'"[^"\\\x00-\x1f]*+"'
_NUMBER = r"(?:(?!-0(?:\.0*)?[,}\]])-?(?:0|[1-9]\d*+)(?:\.\d++)?)"
_SCALAR = rf"(?:{_STRING}|{_NUMBER}|true|false|null)"
_VALUE = rf"(?:{_SCALAR}|\[(?:{_SCALAR}(?:, {_SCALAR})*+)?\])"
_FLAT = re.compile(rf"(?:\{{(?:{_STRING}: {_VALUE}(?:, (?=\")|(?=\}})))*+\}}\n)*+")
_VALUES = re.compile(rf": {_VALUE}")


def _same_keys(first: str, text: str) -> bool:
    """The usual case: all values are objects with the keys of the first."""
    try:
        value, _ = _scan(first, 0)
    except (ValueError, RecursionError, StopIteration):
        return False
    if type(value) is not dict or len(value) > 50 or not _keys_in_order(value):
        return False
    fields = ", ".join(f"{re.escape(_write_json(key))}: {_VALUE}" for key in value)
    return re.fullmatch(rf"(?:\{{{fields}\}}\n)*+", text) is not None


def _flat_jsonbs(texts: Texts) -> bool:
    """Are all values objects of scalars and of arrays of scalars, in jsonb's own spelling?"""
    text = _joined(texts)
    if text is None:
        return False
    if _same_keys(texts[0], text):
        return True
    if _FLAT.fullmatch(text) is None:
        return False
    # what is left without the values are the lists of keys, of which there are few kinds
    shapes = set(_VALUES.sub("", text).split("\n"))
    return all(_keys_in_order(shape[2:-2].split('", "')) for shape in shapes if len(shape) > 2)


def _jsonbs(texts: Texts) -> list[Value] | None:
    """Values in jsonb's own spelling: read and written again they are the same text.  All are
    read at once, as one array."""
    if _flat_jsonbs(texts):
        return list(texts)
    text = "[" + f', "{_MARK}", '.join(texts) + "]"
    if "\\u" in text:
        return None
    try:
        values, end = _scan(text, 0)
        if end != len(text) or len(values) != 2 * len(texts) - 1:
            return None
        if values[1::2].count(_MARK) != len(texts) - 1 or _write_json(values) != text:
            return None
    except (ValueError, RecursionError, StopIteration):
        return None
    found = values[::2]
    objects = [v for v in found if type(v) is dict]
    if text.count("{") == len(objects):
        ordered = all(map(_keys_in_order, set(map(tuple, objects))))
    else:
        ordered = all(map(_in_order, found))
    return list(texts) if ordered else None


# -- out -----------------------------------------------------------------------------------------


def text_writer(session: Any, type_oid: int, typmod: int) -> Callable[[Any], str] | None:
    """From a storage value to its text; None: it is its text."""
    ctx = session.ctx
    io = session.catalog.types.io(type_oid)
    name = io.name
    if name in ("text", "varchar", "name", "numeric", "json", "jsonb", "unknown", "xml"):
        return None
    if name in ("int2", "int4", "int8", "oid"):
        return str
    if name == "bool":
        return lambda value: "t" if value else "f"
    if name == "bpchar" and typmod > 4:
        width = typmod - 4
        return lambda value: str(value).ljust(width)
    output = io.output
    utc = ctx.timezone_name in ("UTC", "Etc/UTC", "GMT")
    if ctx.datestyle == "ISO" and (name == "timestamp" or (name == "timestamptz" and utc)):
        suffix = "+00" if name == "timestamptz" else ""
        return _stamp_writer(suffix, lambda value: output(value, ctx))

    def write(value: Any) -> str:
        text: str = output(value, ctx)
        return text

    return write


_DAY = 86_400_000_000
_FIRST, _LAST = -730_119 * _DAY, 2_921_939 * _DAY  # the years 1 to 9999


def _stamp_writer(suffix: str, output: Callable[[Any], str]) -> Callable[[Any], str]:
    """Timestamps in ISO style by datetime, which is C; others by the type."""
    epoch, delta = _EPOCH, timedelta

    def write(value: Any) -> str:
        if not _FIRST <= value < _LAST:
            return output(value)
        text = (epoch + delta(0, 0, value)).isoformat(" ")
        if len(text) > 19:
            text = text.rstrip("0")
        return text + suffix

    return write
