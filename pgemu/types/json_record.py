"""JSON objects to rows: json(b)_populate_record(set), json(b)_to_record(set).

Counterpart: populate_record and its kin in jsonfuncs.c.  Values travel as jsonb Python values;
json input is parsed the same way (its spelling is lost only inside json columns).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pgemu.errors import INVALID_PARAMETER_VALUE, INVALID_TEXT_REPRESENTATION, PgError
from pgemu.fmgr import CallContext, TypeInfo, pg_function
from pgemu.types.arrays_value import dimensions, dump_array, flatten, reshape
from pgemu.types.json_encode import JSON, JSONB
from pgemu.types.json_parse import dump_jsonb, parse_jsonb
from pgemu.types.record import form_composite, form_record


def to_storage(ctx: CallContext, oid: int, typmod: int, value: Any, key: str) -> Any:
    """A JSON value as the storage value of a type (populate_record_field)."""
    if value is None:
        return None
    types = ctx.catalog.types
    base = types.base_type(oid)
    if base in (JSON, JSONB):
        return dump_jsonb(value)
    io = types.io(oid)
    element = types.element_type(oid)
    if element and type(value) is not str:
        return to_array(ctx, element, typmod, value, key)
    columns = getattr(io, "columns", None)
    if columns is not None and type(value) is dict:
        return form_composite(
            [to_storage(ctx, c.type_oid, c.typmod, value.get(c.name), c.name) for c in columns]
        )
    text = value if type(value) is str else dump_jsonb(value)
    return io.input(text, typmod, ctx)


def to_array(ctx: CallContext, element: int, typmod: int, value: Any, key: str) -> str:
    if type(value) is not list:
        raise PgError(
            INVALID_TEXT_REPRESENTATION,
            "expected JSON array",
            hint=f'See the value of key "{key}".',
        )
    sizes = dimensions(value)
    flat = list(flatten(value))
    count = 1
    for size in sizes:
        count *= size
    if sizes and count != len(flat):
        raise PgError(
            INVALID_TEXT_REPRESENTATION,
            "malformed JSON array",
            detail="Multidimensional arrays must have sub-arrays with matching dimensions.",
        )
    stored = [to_storage(ctx, element, typmod, one, key) for one in flat]
    stored = [one.hex() if isinstance(one, bytes) else one for one in stored]
    return dump_array(reshape(stored, sizes) if sizes else [])


def row_of(ctx: CallContext, columns: Any, value: Any, base: list[Any] | None) -> list[Any]:
    """The fields of one object; a key that is missing takes base's value."""
    out = []
    for index, (name, oid, typmod) in enumerate(columns):
        if name not in value and base is not None:
            out.append(base[index])
        else:
            out.append(to_storage(ctx, oid, typmod, value.get(name), name))
    return out


def composite_columns(ctx: CallContext, info: TypeInfo) -> list[tuple[str, int, int]]:
    if info.ret_columns:
        return list(info.ret_columns)
    io = ctx.catalog.types.io(info.result_type)
    if not hasattr(io, "columns"):
        raise PgError(
            "42804", "could not determine row type for result of json_populate_record",
            hint="Provide a non-null record argument, or call the function in the FROM clause "
            "using a column definition list.",
        )  # fmt: skip
    return [(c.name, c.type_oid, c.typmod) for c in io.columns]


def base_values(base: str | None) -> list[Any] | None:
    if base is None:
        return None
    data = json.loads(base)
    values = data["v"] if isinstance(data, dict) else data
    return [bytes.fromhex(v["b"]) if isinstance(v, dict) else v for v in values]


def object_of(doc: str, name: str) -> dict[str, Any]:
    value = parse_jsonb(doc)
    if type(value) is not dict:
        what = "an array" if type(value) is list else "a scalar"
        raise PgError(INVALID_PARAMETER_VALUE, f"cannot call {name} on {what}")
    return value


@pg_function(
    "jsonb_populate_record(anyelement, jsonb)",
    "json_populate_record(anyelement, json, bool)",
    context=True,
    typed=True,
)
def populate_record(
    ctx: CallContext, info: TypeInfo, base: str | None, doc: str | None, *_text: Any
) -> str | None:
    if doc is None:
        return base
    columns = composite_columns(ctx, info)
    value = object_of(doc, "populate_composite")
    return form_composite(row_of(ctx, columns, value, base_values(base)))


def objects_of(doc: str, name: str) -> list[dict[str, Any]]:
    value = parse_jsonb(doc)
    if type(value) is not list:
        what = "an object" if type(value) is dict else "a scalar"
        raise PgError(INVALID_PARAMETER_VALUE, f"cannot call {name} on {what}")
    if any(type(one) is not dict for one in value):
        raise PgError(INVALID_PARAMETER_VALUE, f"argument of {name} must be an array of objects")
    return value


@pg_function(
    "jsonb_populate_recordset(anyelement, jsonb)",
    "json_populate_recordset(anyelement, json, bool)",
    context=True,
    typed=True,
)
def populate_recordset(
    ctx: CallContext, info: TypeInfo, base: str | None, doc: str | None, *_text: Any
) -> Iterator[str]:
    if doc is None:
        return
    columns = composite_columns(ctx, info)
    for value in objects_of(doc, "jsonb_populate_recordset"):
        yield form_composite(row_of(ctx, columns, value, base_values(base)))


@pg_function("jsonb_to_record(jsonb)", "json_to_record(json)", context=True, typed=True)
def to_record(ctx: CallContext, info: TypeInfo, doc: str) -> str:
    value = object_of(doc, "jsonb_to_record")
    values = row_of(ctx, info.ret_columns, value, None)
    return form_record([c[1] for c in info.ret_columns], values)


@pg_function("jsonb_to_recordset(jsonb)", "json_to_recordset(json)", context=True, typed=True)
def to_recordset(ctx: CallContext, info: TypeInfo, doc: str | None) -> Iterator[tuple[Any, ...]]:
    if doc is None:
        return
    for value in objects_of(doc, "jsonb_to_recordset"):
        yield tuple(row_of(ctx, info.ret_columns, value, None))
