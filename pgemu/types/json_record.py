"""JSON objects to rows: json(b)_populate_record(set), json(b)_to_record(set).

Counterpart: populate_record and its kin in jsonfuncs.c.  `JsonText` and `JsonbValue` are its
JsValue: one item of a document, as a slice of json text (which keeps its spelling) or as a value.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Protocol

from pgemu.errors import (
    DATATYPE_MISMATCH,
    FEATURE_NOT_SUPPORTED,
    INVALID_PARAMETER_VALUE,
    INVALID_TEXT_REPRESENTATION,
    PgError,
)
from pgemu.fmgr import CallContext, TypeInfo, pg_function
from pgemu.types.arrays_value import dump_array
from pgemu.types.domains import check_domain
from pgemu.types.json_encode import JSON, JSONB
from pgemu.types.json_parse import (
    canonical,
    check_escapes,
    dump_jsonb,
    json_kind,
    load_jsonb,
    scalar_text,
    split_array,
    split_object,
)
from pgemu.types.record import form_composite, form_record

RECORDOID = 2249
ROW_TYPE_HINT = (
    "Provide a non-null record argument, or call the function in the FROM clause using a column "
    "definition list."
)
Column = tuple[str, int, int]


class Item(Protocol):
    """One JSON value."""

    kind: str  # object, array, string, number, boolean, null

    def fields(self) -> dict[str, Item]: ...
    def elements(self) -> list[Item]: ...
    def text(self) -> str: ...
    def source(self) -> str: ...


class JsonText:
    def __init__(self, slice_: str) -> None:
        self.slice = slice_.strip(" \t\r\n")
        self.kind = json_kind(self.slice)

    def fields(self) -> dict[str, Item]:
        return {key: JsonText(value) for key, value in split_object(self.slice)}

    def elements(self) -> list[Item]:
        return [JsonText(one) for one in split_array(self.slice)]

    def text(self) -> str:
        """What an input function gets."""
        return (scalar_text(self.slice) or "") if self.kind == "string" else self.slice

    def source(self) -> str:
        return self.slice


class JsonbValue:
    def __init__(self, value: Any) -> None:
        self.value = value
        kinds = {dict: "object", list: "array", str: "string", bool: "boolean"}
        self.kind = "null" if value is None else kinds.get(type(value), "number")

    def fields(self) -> dict[str, Item]:
        return {key: JsonbValue(value) for key, value in self.value.items()}

    def elements(self) -> list[Item]:
        return [JsonbValue(one) for one in self.value]

    def text(self) -> str:
        return self.value if type(self.value) is str else dump_jsonb(self.value)

    def source(self) -> str:
        return dump_jsonb(self.value)


NULL = JsonbValue(None)


def to_storage(ctx: CallContext, oid: int, typmod: int, item: Item, key: str, base: Any) -> Any:
    """populate_record_field: the storage value of a type; base is the field's present value."""
    types = ctx.catalog.types
    row = types.row(oid)
    if row.typtype == "d":
        inner = types.base_type(oid)
        if hasattr(types.io(inner), "columns"):
            value = to_storage(ctx, inner, -1, item, key, base)
        else:
            value = to_storage(ctx, row.typbasetype, row.typtypmod, item, key, None)
        return check_domain(ctx, oid, value)
    if item.kind == "null":
        return None
    io = types.io(oid)
    if item.kind != "string":
        element = types.element_type(oid)
        if element:
            return ArrayBuilder(ctx, element, typmod, key).build(item)
        columns = getattr(io, "columns", None)
        if columns is not None:
            plain = [(c.name, c.type_oid, c.typmod) for c in columns]
            fields = object_of(item, "populate_composite")
            given = base_values(base)
            row = row_of(ctx, plain, fields, None if given is None else io.live(list(given)))
            return form_composite(io.placed(list(row)))
    if oid == JSON:
        return item.source()
    if oid == JSONB:
        return canonical(item.source())
    return io.input(item.text(), typmod, ctx)


class ArrayBuilder:
    """populate_array: the number of dimensions is that of the first path of brackets."""

    def __init__(self, ctx: CallContext, element: int, typmod: int, key: str) -> None:
        self.ctx = ctx
        self.element = element
        self.typmod = typmod
        self.key = key
        self.ndims = 0
        self.dims: list[int] = []
        self.at: list[int] = []  # the index at each level
        self.blob = ctx.catalog.types.io(element).storage == "blob"

    def build(self, item: Item) -> str:
        return dump_array(self.level(item, 1)) if self.not_empty(item) else "[]"

    def not_empty(self, item: Item) -> bool:
        """Walks the dimensions; an array of empty arrays is the empty array."""
        one = item
        while one.kind == "array":
            elements = one.elements()
            if not elements:
                self.level(item, 1)
                return False
            one = elements[0]
        return True

    def expected_array(self) -> PgError:
        hint = None
        if self.key:
            hint = f'See the value of key "{self.key}".'
        if self.at:
            where = "".join(f"[{i}]" for i in self.at)
            hint = f"See the array element {where}."
            if self.key:
                hint = f'See the array element {where} of key "{self.key}".'
        return PgError(INVALID_TEXT_REPRESENTATION, "expected JSON array", hint=hint)

    def level(self, item: Item, depth: int) -> list[Any]:
        if item.kind != "array":
            raise self.expected_array()
        elements = item.elements()
        if not self.ndims and (not elements or elements[0].kind != "array"):
            self.ndims = depth
            self.dims = [-1] * depth
        out: list[Any] = []
        for index, one in enumerate(elements):
            self.at.append(index)
            if self.ndims and depth >= self.ndims:
                out.append(self.one(one))
            else:
                out.append(self.level(one, depth + 1))
            self.at.pop()
        if self.dims[depth - 1] == -1:
            self.dims[depth - 1] = len(out)
        elif self.dims[depth - 1] != len(out):
            raise PgError(
                INVALID_TEXT_REPRESENTATION,
                "malformed JSON array",
                detail="Multidimensional arrays must have sub-arrays with matching dimensions.",
            )
        return out

    def one(self, item: Item) -> Any:
        value = to_storage(self.ctx, self.element, self.typmod, item, "", None)
        return value.hex() if self.blob and isinstance(value, bytes) else value


def row_of(
    ctx: CallContext, columns: list[Column], fields: dict[str, Item], base: list[Any] | None
) -> list[Any]:
    """The fields of one object; a key that is missing takes base's value."""
    out: list[Any] = []
    for index, (name, oid, typmod) in enumerate(columns):
        if not oid:  # a dropped column
            out.append(None)
            continue
        found = fields.get(name)
        present = base[index] if base is not None and index < len(base) else None
        if found is None and base is not None:
            out.append(present)
        else:
            out.append(to_storage(ctx, oid, typmod, found or NULL, name, present))
    return out


def row_type(ctx: CallContext, info: TypeInfo, base: str | None, name: str) -> list[Column]:
    """The columns of the result: of a named type, of the column definition list, or of the record
    that is the first argument."""
    types = ctx.catalog.types
    io = types.io(types.base_type(info.result_type))
    if info.result_type != RECORDOID and not hasattr(io, "columns"):
        raise PgError(DATATYPE_MISMATCH, f"first argument of {name} must be a row type")
    if info.ret_columns and (base is None or info.result_type != RECORDOID):
        return list(info.ret_columns)
    if hasattr(io, "columns"):
        placed = io.placed([(c.name, c.type_oid, c.typmod) for c in io.columns])
        return [c or ("", 0, -1) for c in placed]
    data = json.loads(base) if base is not None else None
    if not isinstance(data, dict):
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            f"could not determine row type for result of {name}",
            hint=ROW_TYPE_HINT,
        )
    names = data.get("n") or [f"f{i + 1}" for i in range(len(data["t"]))]
    columns = [(n, t, -1) for n, t in zip(names, data["t"], strict=True)]
    if info.ret_columns:
        check_returned_row(ctx, columns, list(info.ret_columns))
    return columns


def check_returned_row(ctx: CallContext, columns: list[Column], wanted: list[Column]) -> None:
    """tupledesc_match: the record that the argument is against the column definition list."""

    def mismatch(detail: str) -> PgError:
        return PgError(
            DATATYPE_MISMATCH,
            "function return row and query-specified return row do not match",
            detail=detail,
        )

    count = len(columns)
    if count != len(wanted):
        plural = "" if count == 1 else "s"
        raise mismatch(
            f"Returned row contains {count} attribute{plural}, but query expects {len(wanted)}."
        )
    name = ctx.catalog.type_name
    for number, (given, asked) in enumerate(zip(columns, wanted, strict=True), 1):
        if given[1] != asked[1]:
            raise mismatch(
                f"Returned type {name(given[1])} at ordinal position {number}, "
                f"but query expects {name(asked[1])}."
            )


def base_values(base: str | None) -> list[Any] | None:
    if base is None:
        return None
    data = json.loads(base)
    values = data["v"] if isinstance(data, dict) else data
    return [bytes.fromhex(v["b"]) if isinstance(v, dict) else v for v in values]


def object_of(item: Item, name: str) -> dict[str, Item]:
    if item.kind != "object":
        what = "an array" if item.kind == "array" else "a scalar"
        raise PgError(INVALID_PARAMETER_VALUE, f"cannot call {name} on {what}")
    return item.fields()


def objects_of(item: Item, name: str) -> list[dict[str, Item]]:
    if item.kind != "array":
        what = "an object" if item.kind == "object" else "a scalar"
        if isinstance(item, JsonbValue):
            what = "a non-array"
        raise PgError(INVALID_PARAMETER_VALUE, f"cannot call {name} on {what}")
    elements = item.elements()
    if any(one.kind != "object" for one in elements):
        raise PgError(INVALID_PARAMETER_VALUE, f"argument of {name} must be an array of objects")
    return [one.fields() for one in elements]


def finish(ctx: CallContext, info: TypeInfo, columns: list[Column], values: list[Any]) -> str:
    """The row as a storage value of the result type."""
    if info.result_type == RECORDOID:
        return form_record([c[1] for c in columns], values)
    value = form_composite(values)
    if ctx.catalog.types.row(info.result_type).typtype == "d":
        check_domain(ctx, info.result_type, value)
    return value


def json_item(doc: str) -> Item:
    check_escapes(doc)
    return JsonText(doc)


def jsonb_item(doc: str) -> Item:
    return JsonbValue(load_jsonb(doc))


def bind(kind: str, text_argument: str, make: Any) -> None:
    """The four functions of json or jsonb."""
    names = [f"{kind}_{what}" for what in ("populate_record", "populate_recordset")]

    def populate_record(
        ctx: CallContext, info: TypeInfo, base: str | None, doc: str | None, *_text: Any
    ) -> str | None:
        columns = row_type(ctx, info, base, names[0])
        if doc is None:
            return base
        fields = object_of(make(doc), "populate_composite")
        return finish(ctx, info, columns, row_of(ctx, columns, fields, base_values(base)))

    def populate_recordset(
        ctx: CallContext, info: TypeInfo, base: str | None, doc: str | None, *_text: Any
    ) -> Iterator[str]:
        columns = row_type(ctx, info, base, names[1])
        if doc is None:
            return
        present = base_values(base)
        for fields in objects_of(make(doc), names[1]):
            yield finish(ctx, info, columns, row_of(ctx, columns, fields, present))

    def to_record(ctx: CallContext, info: TypeInfo, doc: str) -> str:
        columns = row_type(ctx, info, None, f"{kind}_to_record")
        fields = object_of(make(doc), "populate_composite")
        return form_record([c[1] for c in columns], row_of(ctx, columns, fields, None))

    def to_recordset(
        ctx: CallContext, info: TypeInfo, doc: str | None
    ) -> Iterator[tuple[Any, ...]]:
        columns = row_type(ctx, info, None, f"{kind}_to_recordset")
        if doc is None:
            return
        for fields in objects_of(make(doc), f"{kind}_to_recordset"):
            yield tuple(row_of(ctx, columns, fields, None))

    typed = {"context": True, "typed": True}
    pg_function(f"{names[0]}(anyelement, {kind}{text_argument})", **typed)(populate_record)
    pg_function(f"{names[1]}(anyelement, {kind}{text_argument})", **typed)(populate_recordset)
    pg_function(f"{kind}_to_record({kind})", **typed)(to_record)
    pg_function(f"{kind}_to_recordset({kind})", **typed)(to_recordset)


bind("json", ", bool", json_item)
bind("jsonb", "", jsonb_item)
