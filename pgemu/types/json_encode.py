"""SQL values to JSON: to_json, row_to_json, array_to_json, json_build_*, the aggregates.

Counterpart: json.c (json_categorize_type, datum_to_json) and the same part of jsonb.c.  The json
functions write text with PostgreSQL's spacing; the jsonb ones build Python values.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable
from typing import Any

from pgemu.errors import INVALID_PARAMETER_VALUE, NULL_VALUE_NOT_ALLOWED, PgError
from pgemu.fmgr import CallContext, TypeInfo, pg_aggregate, pg_function
from pgemu.types.arrays_value import load_array
from pgemu.types.datetime_format import encode_date, timestamp_encoder, timestamptz_encoder
from pgemu.types.json_parse import dump_jsonb, encode_string, ordered, parse_jsonb
from pgemu.types.timezone import session_zone
from pgemu.types.variadic import variadic_any

BOOL, INT2, INT4, INT8, FLOAT4, FLOAT8, NUMERIC = 16, 21, 23, 20, 700, 701, 1700
FIRST_NORMAL_OID = 16384
VARHDRSZ = 4
JSON, JSONB, DATE, TIMESTAMP, TIMESTAMPTZ, RECORD = 114, 3802, 1082, 1114, 1184, 2249
NUMBERS = (INT2, INT4, INT8, FLOAT4, FLOAT8, NUMERIC)
UNKNOWN, TEXT, CSTRING = 705, 25, 2275
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")


def base_type(ctx: CallContext, oid: int) -> int:
    if oid < 10000 or ctx.catalog is None:
        return oid
    return int(ctx.catalog.types.base_type(oid))


def type_io(ctx: CallContext, oid: int) -> Any:
    return None if ctx.catalog is None else ctx.catalog.types.io(oid)


def element_type(ctx: CallContext, oid: int) -> int:
    return 0 if ctx.catalog is None else int(ctx.catalog.types.element_type(oid))


def is_composite(ctx: CallContext, oid: int) -> bool:
    return oid == RECORD or hasattr(type_io(ctx, oid), "columns")


def iso_text(ctx: CallContext, oid: int, value: Any) -> str:
    """Dates and times in ISO 8601 whatever DateStyle says (JsonEncodeDateTime)."""
    if oid == DATE:
        return encode_date(value, "ISO", "YMD")
    if oid == TIMESTAMP:
        return timestamp_encoder("ISO", "YMD")(value).replace(" ", "T", 1)
    text = timestamptz_encoder(session_zone(ctx), "ISO", "YMD")(value).replace(" ", "T", 1)
    found = re.search(r"[+-]\d\d$", text.removesuffix(" BC"))
    if found is not None:
        at = found.end()
        text = text[:at] + ":00" + text[at:]
    return text


def record_fields(ctx: CallContext, oid: int, value: str) -> list[tuple[str, int, Any]]:
    """(name, type, value) of each field; an anonymous record's are f1, f2 ... unless it carries
    names under "n"."""
    if value.startswith("{"):
        data = json.loads(value)
        types, values = data["t"], data["v"]
        for index, typmod in enumerate(data.get("m", ())):
            if typmod and isinstance(values[index], str):
                values[index] = values[index].ljust(typmod - VARHDRSZ)
        names = data.get("n") or [f"f{i + 1}" for i in range(len(types))]
    else:
        io = type_io(ctx, oid)
        names = [c.name for c in io.columns]
        types, values = io.shown(value)
    plain = [bytes.fromhex(v["b"]) if isinstance(v, dict) else v for v in values]
    return list(zip(names, types, plain, strict=False))


def datum_to_json(ctx: CallContext, oid: int, value: Any, *, as_key: bool = False) -> str:
    """The json text of one value."""
    if value is None:
        return "null"
    oid = base_type(ctx, oid)
    if oid == BOOL and not as_key:
        return "true" if value else "false"
    if oid in (JSON, JSONB) and not as_key:
        return str(value)
    if oid in (TEXT, UNKNOWN, CSTRING):
        return encode_string(value)
    if oid in (DATE, TIMESTAMP, TIMESTAMPTZ):
        return encode_string(iso_text(ctx, oid, value))
    if not as_key and oid not in NUMBERS:
        element = element_type(ctx, oid)
        if element:
            return array_json(ctx, element, value)
        if is_composite(ctx, oid):
            return composite_json(ctx, oid, value)
        cast = json_cast(ctx, oid) if oid >= FIRST_NORMAL_OID else None
        if cast is not None:
            return str(cast(value))
    if oid in (INT2, INT4, INT8):
        text = str(value)
    else:
        io = type_io(ctx, oid)
        text = io.output(value, ctx) if io is not None else str(value)
    if oid in NUMBERS and not as_key and _NUMBER.fullmatch(text):
        return text
    return encode_string(text)


def json_cast(ctx: CallContext, oid: int) -> Callable[[Any], Any] | None:
    """The function of an extension's or a user's cast to json, which takes precedence."""
    rows = importlib.import_module("pgemu.catalog.rows")
    cast = ctx.catalog.one(rows.PgCast, castsource=oid, casttarget=JSON)
    if cast is None or not cast.castfunc:
        return None
    proc = ctx.catalog.get(rows.PgProc, oid=cast.castfunc)
    found: Callable[[Any], Any] = ctx.session.udfs.callable(proc, TypeInfo((oid,), JSON))
    return found


def array_json(ctx: CallContext, element: int, value: str, separator: str = ",") -> str:
    elements, _lower = load_array(value)
    blob = getattr(type_io(ctx, element), "storage", "") == "blob"

    def show(one: Any) -> str:
        if isinstance(one, list):
            return "[" + ",".join(show(inner) for inner in one) + "]"
        if blob and one is not None:
            one = bytes.fromhex(one)
        return datum_to_json(ctx, element, one)

    return "[" + separator.join(show(one) for one in elements) + "]"


def composite_json(ctx: CallContext, oid: int, value: str, separator: str = ",") -> str:
    fields = record_fields(ctx, oid, value)
    return (
        "{"
        + separator.join(f"{encode_string(n)}:{datum_to_json(ctx, t, v)}" for n, t, v in fields)
        + "}"
    )


def datum_to_jsonb(ctx: CallContext, oid: int, value: Any) -> Any:
    """The jsonb value of one SQL value."""
    if value is None:
        return None
    oid = base_type(ctx, oid)
    if oid == BOOL:
        return bool(value)
    if oid in (INT2, INT4, INT8):
        return int(value)
    if oid == JSONB:
        return parse_jsonb(value)
    text = datum_to_json(ctx, oid, value)
    return parse_jsonb(text)


# ---- functions


@pg_function("to_json(anyelement)", context=True, typed=True)
def to_json(ctx: CallContext, info: TypeInfo, value: Any) -> str:
    return datum_to_json(ctx, info.arg_types[0], value)


@pg_function("to_jsonb(anyelement)", context=True, typed=True)
def to_jsonb(ctx: CallContext, info: TypeInfo, value: Any) -> str:
    return dump_jsonb(datum_to_jsonb(ctx, info.arg_types[0], value))


@pg_function("row_to_json(record)", "row_to_json(record, bool)", context=True, typed=True)
def row_to_json(ctx: CallContext, info: TypeInfo, value: str, pretty: int = 0) -> str:
    return composite_json(ctx, info.arg_types[0], value, ",\n " if pretty else ",")


@pg_function("array_to_json(anyarray)", "array_to_json(anyarray, bool)", context=True, typed=True)
def array_to_json(ctx: CallContext, info: TypeInfo, value: str, pretty: int = 0) -> str:
    element = element_type(ctx, base_type(ctx, info.arg_types[0]))
    return array_json(ctx, element, value, ",\n " if pretty else ",")


def key_text(ctx: CallContext, oid: int, value: Any) -> str:
    """An object key as text (for jsonb)."""
    oid = base_type(ctx, oid)
    if oid in (TEXT, UNKNOWN, CSTRING):
        return str(value)
    if oid == BOOL:
        return "true" if value else "false"
    if element_type(ctx, oid) or is_composite(ctx, oid) or oid in (JSON, JSONB):
        raise PgError(
            INVALID_PARAMETER_VALUE,
            "key value must be scalar, not array, composite, or json",
        )
    decoded: str = json.loads(datum_to_json(ctx, oid, value, as_key=True))
    return decoded


def _pairs(args: tuple[Any, ...], name: str) -> None:
    if len(args) % 2:
        raise PgError(
            INVALID_PARAMETER_VALUE,
            "argument list must have even number of elements",
            hint=f"The arguments of {name}() must consist of alternating keys and values.",
        )


@pg_function("json_build_object(any)", "json_build_object()", context=True, typed=True)
@variadic_any()
def json_build_object(ctx: CallContext, info: TypeInfo, *args: Any) -> str:
    _pairs(args, "json_build_object")
    parts = []
    for i in range(0, len(args), 2):
        if args[i] is None:
            raise PgError(
                INVALID_PARAMETER_VALUE,
                f"argument {i + 1} cannot be null",
                hint="Object keys should be text.",
            )
        key = encode_string(key_text(ctx, info.arg_types[i], args[i]))
        parts.append(f"{key} : {datum_to_json(ctx, info.arg_types[i + 1], args[i + 1])}")
    return "{" + ", ".join(parts) + "}"


@pg_function("json_build_array(any)", "json_build_array()", context=True, typed=True)
@variadic_any()
def json_build_array(ctx: CallContext, info: TypeInfo, *args: Any) -> str:
    parts = [datum_to_json(ctx, t, a) for t, a in zip(info.arg_types, args, strict=False)]
    return "[" + ", ".join(parts) + "]"


@pg_function("jsonb_build_object(any)", "jsonb_build_object()", context=True, typed=True)
@variadic_any()
def jsonb_build_object(ctx: CallContext, info: TypeInfo, *args: Any) -> str:
    _pairs(args, "jsonb_build_object")
    pairs = []
    for i in range(0, len(args), 2):
        if args[i] is None:
            raise PgError(INVALID_PARAMETER_VALUE, f"argument {i + 1}: key must not be null")
        key = key_text(ctx, info.arg_types[i], args[i])
        pairs.append((key, datum_to_jsonb(ctx, info.arg_types[i + 1], args[i + 1])))
    return dump_jsonb(ordered(pairs))


@pg_function("jsonb_build_array(any)", "jsonb_build_array()", context=True, typed=True)
@variadic_any()
def jsonb_build_array(ctx: CallContext, info: TypeInfo, *args: Any) -> str:
    return dump_jsonb(
        [datum_to_jsonb(ctx, t, a) for t, a in zip(info.arg_types, args, strict=False)]
    )


def object_pairs(keys: str, values: str | None) -> list[tuple[str, str | None]]:
    """The pairs of json_object's one or two text arrays."""
    elements, lower = load_array(keys)
    if values is not None:
        second, lower2 = load_array(values)
        if len(lower) > 1 or len(lower) != len(lower2):
            raise PgError("2202E", "wrong number of array subscripts")
        if len(elements) != len(second):
            raise PgError("2202E", "mismatched array dimensions")
        flat: list[tuple[Any, Any]] = list(zip(elements, second, strict=True))
    elif len(lower) > 2:
        raise PgError("2202E", "wrong number of array subscripts")
    elif len(lower) == 2:
        if len(elements[0]) != 2:
            raise PgError("2202E", "array must have two columns")
        flat = [(one[0], one[1]) for one in elements]
    else:
        if len(elements) % 2:
            raise PgError("2202E", "array must have even number of elements")
        flat = list(zip(elements[::2], elements[1::2], strict=True))
    if any(key is None for key, _ in flat):
        raise PgError(NULL_VALUE_NOT_ALLOWED, "null value not allowed for object key")
    return flat


@pg_function("json_object(_text)", "json_object(_text, _text)")
def json_object(keys: str, values: str | None = None) -> str:
    parts = [
        f"{encode_string(k)} : {'null' if v is None else encode_string(v)}"
        for k, v in object_pairs(keys, values)
    ]
    return "{" + ", ".join(parts) + "}"


@pg_function("jsonb_object(_text)", "jsonb_object(_text, _text)")
def jsonb_object(keys: str, values: str | None = None) -> str:
    return dump_jsonb(ordered(object_pairs(keys, values)))


# ---- aggregates


class _JsonState:
    def __init__(self, ctx: CallContext, info: TypeInfo) -> None:
        self.ctx = ctx
        self.types = info.arg_types
        self.parts: list[Any] = []


@pg_aggregate("json_agg(anyelement)", strict=False, context=True, typed=True)
class JsonAgg(_JsonState):
    def step(self, *args: Any) -> None:
        oid = base_type(self.ctx, self.types[0])
        broken = (
            oid not in NUMBERS
            and oid not in (TEXT, JSON, JSONB, BOOL)
            and (element_type(self.ctx, oid) or is_composite(self.ctx, oid))
        )
        lead = "\n " if broken and args[0] is not None and self.parts else ""
        self.parts.append(lead + datum_to_json(self.ctx, self.types[0], args[0]))

    def final(self) -> str | None:
        return "[" + ", ".join(self.parts) + "]" if self.parts else None


@pg_aggregate("jsonb_agg(anyelement)", strict=False, context=True, typed=True)
class JsonbAgg(_JsonState):
    def step(self, *args: Any) -> None:
        self.parts.append(datum_to_jsonb(self.ctx, self.types[0], args[0]))

    def final(self) -> str | None:
        return dump_jsonb(self.parts) if self.parts else None


@pg_aggregate("json_object_agg(any, any)", strict=False, context=True, typed=True)
class JsonObjectAgg(_JsonState):
    def step(self, *args: Any) -> None:
        if args[0] is None:
            raise PgError(INVALID_PARAMETER_VALUE, "field name must not be null")
        key = encode_string(key_text(self.ctx, self.types[0], args[0]))
        self.parts.append(f"{key} : {datum_to_json(self.ctx, self.types[1], args[1])}")

    def final(self) -> str | None:
        return "{ " + ", ".join(self.parts) + " }" if self.parts else None


@pg_aggregate("jsonb_object_agg(any, any)", strict=False, context=True, typed=True)
class JsonbObjectAgg(_JsonState):
    def step(self, *args: Any) -> None:
        if args[0] is None:
            raise PgError(INVALID_PARAMETER_VALUE, "field name must not be null")
        key = key_text(self.ctx, self.types[0], args[0])
        self.parts.append((key, datum_to_jsonb(self.ctx, self.types[1], args[1])))

    def final(self) -> str | None:
        return dump_jsonb(ordered(self.parts)) if self.parts else None
