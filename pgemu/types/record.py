"""Composite types and record (PostgreSQL: utils/adt/rowtypes.c).

Storage of a named composite: the JSON list of its fields' storage values.  Of an anonymous record:
{"t": [type OIDs], "v": [values]}, with "n" for names and "m" for typmods where they are known.
A blob is {"b": "<hex>"}.  Collation record_ops compares by the kinds of the values; the record_*
functions, which know the types, compare by the types' order.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

from pgemu.errors import (
    DATATYPE_MISMATCH,
    FEATURE_NOT_SUPPORTED,
    INVALID_BINARY_REPRESENTATION,
    INVALID_TEXT_REPRESENTATION,
    UNDEFINED_FUNCTION,
    PgError,
)
from pgemu.fmgr import CallContext, TypeInfo, pg_function
from pgemu.nodes.primnodes import Value
from pgemu.types.base import BaseType
from pgemu.types.comparison import NATIVE
from pgemu.types.domains import DomainType
from pgemu.types.pqformat import FIRST_GENBKI_OBJECT_ID, LeftOver, Message, shown_type

BPCHAROID = 1042

# json, xml, unknown and the geometric types: no btree operator class, no hash one
WITHOUT_ORDER = frozenset((114, 142, 705, 600, 601, 602, 603, 604, 628, 718))
SPACE = " \t\n\v\f\r"


class Column(NamedTuple):
    name: str
    type_oid: int
    typmod: int = -1


def to_json(value: Any) -> Any:
    """A storage value as json.dumps takes it."""
    if isinstance(value, (bytes, memoryview)):
        return {"b": bytes(value).hex()}
    return value


def from_json(value: Any) -> Value:
    if isinstance(value, dict):
        return bytes.fromhex(value["b"])
    result: Value = value
    return result


def dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def plain_numbers(values: Sequence[Any]) -> bool:
    return not any(isinstance(v, float) and math.isinf(v) for v in values)


def dump_values(values: Sequence[Any]) -> str:
    """JSON text of a list of storage values; infinities become 1e999, which reads back as inf."""
    if plain_numbers(values):
        return dump([to_json(v) for v in values])
    items = (
        ("1e999" if v > 0 else "-1e999")
        if isinstance(v, float) and math.isinf(v)
        else dump(to_json(v))
        for v in values
    )
    return f"[{','.join(items)}]"


def form_composite(values: Sequence[Any]) -> str:
    """Storage value of a named composite."""
    return dump_values(values)


def form_record(
    type_oids: Sequence[int],
    values: Sequence[Any],
    names: Sequence[str] | None = None,
    typmods: Sequence[int] = (),
) -> str:
    """Storage value of an anonymous record; names if they are not f1, f2, ...; typmods if there
    are columns of type character(n), whose padding is shown (0: others)."""
    shown = f',"n":{dump(list(names))}' if names is not None else ""
    if any(typmods):
        shown += f',"m":{dump(list(typmods))}'
    return f'{{"t":{dump(list(type_oids))},"v":{dump_values(values)}{shown}}}'


def deform(text: str) -> tuple[list[int] | None, list[Value]]:
    """(type OIDs, None for a named composite; field values)."""
    data = json.loads(text)
    if isinstance(data, dict):
        return data["t"], [from_json(v) for v in data["v"]]
    return None, [from_json(v) for v in data]


def compare_values(a: Any, b: Any) -> int:
    """Two field values by kind: NULL last, numbers and text natively, lists by their parts."""
    if a is None or b is None:
        return (a is None) - (b is None)
    if isinstance(a, list) and isinstance(b, list):
        orders = (compare_values(x, y) for x, y in zip(a, b, strict=False))
        return next((order for order in orders if order), len(a) - len(b))
    if isinstance(a, (list, dict)) or isinstance(b, (list, dict)):
        a, b = json.dumps(a, sort_keys=True), json.dumps(b, sort_keys=True)
    if isinstance(a, str) != isinstance(b, str):
        return 1 if isinstance(a, str) else -1  # 'NaN' is above every number
    return bool(a > b) - bool(a < b)


def compare_by_kind(a: str, b: str) -> int:
    """The SQLite collation record_ops."""
    if a == b:
        return 0
    left, right = deform(a)[1], deform(b)[1]
    for x, y in zip(left, right, strict=False):
        order = compare_values(x, y)
        if order:
            return order
    return len(left) - len(right)


def malformed(text: str, detail: str) -> PgError:
    return PgError(
        INVALID_TEXT_REPRESENTATION, f'malformed record literal: "{text}"', detail=detail
    )


def parse_record(text: str) -> list[str | None]:
    """The fields of record_in's syntax: (a,"b c",)."""
    start = len(text) - len(text.lstrip(SPACE))
    if text[start : start + 1] != "(":
        raise malformed(text, "Missing left parenthesis.")
    fields: list[str | None] = []
    position = start + 1
    while True:
        field, position = parse_field(text, position)
        fields.append(field)
        if text[position] == ")":
            break
        position += 1
    if text[position + 1 :].strip(SPACE):
        raise malformed(text, "Junk after right parenthesis.")
    return fields


def parse_field(text: str, position: int) -> tuple[str | None, int]:
    """One field and the position of the comma or parenthesis behind it."""
    if text[position : position + 1] in (",", ")") and position < len(text):
        return None, position
    out: list[str] = []
    quoted = False
    while quoted or text[position : position + 1] not in (",", ")"):
        if position >= len(text):
            raise malformed(text, "Unexpected end of input.")
        char = text[position]
        position += 1
        if char == "\\":
            if position >= len(text):
                raise malformed(text, "Unexpected end of input.")
            out.append(text[position])
            position += 1
        elif char == '"':
            if not quoted:
                quoted = True
            elif text[position : position + 1] == '"':
                out.append('"')
                position += 1
            else:
                quoted = False
        else:
            out.append(char)
        if position >= len(text):
            raise malformed(text, "Unexpected end of input.")
    return "".join(out), position


def quote_field(text: str) -> str:
    """record_out's quoting."""
    if text and not any(c in '"\\(),' or c in SPACE for c in text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '""') + '"'


class RecordType(BaseType):
    """Anonymous record: the value itself says its fields' types."""

    name = "record"
    collation = "record_ops"

    def __init__(self, registry: Any) -> None:
        self.registry = registry

    def column_types(self, value: str) -> tuple[list[int], list[Value]]:
        oids, values = deform(value)
        if oids is None:
            raise PgError(DATATYPE_MISMATCH, "record type has not been registered")
        return oids, values

    def compare(self, a: Any, b: Any) -> int:
        return compare_by_kind(a, b)

    def hash_key(self, value: Any) -> Any:
        return tuple(deform(value)[1])

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        raise PgError(
            FEATURE_NOT_SUPPORTED, "input of anonymous composite types is not implemented"
        )

    def shown(self, value: str) -> tuple[list[int], list[Value]]:
        """The fields' types and values for output."""
        oids, values = self.column_types(value)
        if '"m":[' in value:
            for index, typmod in enumerate(json.loads(value).get("m", ())):
                field = values[index]
                if typmod and isinstance(field, str):
                    values[index] = field.ljust(typmod - 4)
        return oids, values

    def output(self, value: Any, ctx: CallContext) -> str:
        oids, values = self.shown(value)
        io = self.registry.io
        fields = (
            "" if v is None else quote_field(io(oid).output(v, ctx))
            for oid, v in zip(oids, values, strict=False)
        )
        return f"({','.join(fields)})"

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> Value:
        raise PgError(
            FEATURE_NOT_SUPPORTED, "input of anonymous composite types is not implemented"
        )

    def send(self, value: Any, ctx: CallContext) -> bytes:
        oids, values = self.shown(value)
        parts = [len(values).to_bytes(4, "big")]
        for oid, field in zip(oids, values, strict=False):
            parts.append(oid.to_bytes(4, "big"))
            if field is None:
                parts.append(b"\xff\xff\xff\xff")
            else:
                data = self.registry.io(oid).send(field, ctx)
                parts.append(len(data).to_bytes(4, "big") + data)
        return b"".join(parts)


class CompositeType(RecordType):
    """A named composite; columns are its live attributes in order.

    A value has a place for dropped ones too, which is NULL.  numbers: those of the columns, if
    they are not 1, 2 ...
    """

    def __init__(
        self, registry: Any, name: str, columns: tuple[Column, ...], numbers: tuple[int, ...]
    ) -> None:
        super().__init__(registry)
        self.name = name
        self.columns = columns
        self.width = max(numbers, default=0)
        self.numbers = numbers if self.width != len(numbers) else None
        self.padded = [(n, c.typmod - 4) for n, c in enumerate(columns) if c.type_oid == BPCHAROID]

    def column_types(self, value: str) -> tuple[list[int], list[Value]]:
        return [c.type_oid for c in self.columns], self.live(deform(value)[1])

    def shown(self, value: str) -> tuple[list[int], list[Value]]:
        """Those of type character(n) with their padding, which is not stored."""
        oids, values = self.column_types(value)
        for index, width in self.padded:
            field = values[index]
            if isinstance(field, str):
                values[index] = field.ljust(width)
        return oids, values

    def live(self, values: list[Any]) -> list[Any]:
        """The values of the columns among those of a stored value.  One added after it was stored
        is NULL in it."""
        if self.numbers is None:
            missing = self.width - len(values)
            return values + [None] * missing if missing >= 0 else values[: self.width]
        return [values[n - 1] if n <= len(values) else None for n in self.numbers]

    def placed(self, values: list[Any]) -> list[Any]:
        """The values of the columns at their places in a stored value."""
        if self.numbers is None:
            return values
        placed = [None] * self.width
        for number, value in zip(self.numbers, values, strict=False):
            placed[number - 1] = value
        return placed

    def column(self, number: int) -> Column:
        """By attribute number."""
        index = number - 1 if self.numbers is None else self.numbers.index(number)
        return self.columns[index]

    def compare(self, a: Any, b: Any) -> int:
        if a == b:
            return 0
        oids, left = self.column_types(a)
        _, right = self.column_types(b)
        return compare_fields(self.registry, oids, left, oids, right)

    def hash_key(self, value: Any) -> Any:
        oids, values = self.column_types(value)
        return tuple(
            None if v is None else self.registry.io(oid).hash_key(v)
            for oid, v in zip(oids, values, strict=False)
        )

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        fields = parse_record(text)
        if fields == [None] and not self.columns:
            fields = []
        if len(fields) < len(self.columns):
            raise malformed(text, "Too few columns.")
        if len(fields) > len(self.columns):
            raise malformed(text, "Too many columns.")
        values: list[Value] = []
        for column, field in zip(self.columns, fields, strict=True):
            io = self.registry.element_io(column.type_oid)
            if field is not None:
                values.append(io.input(field, column.typmod, ctx))
            else:
                values.append(io.check(None, ctx) if isinstance(io, DomainType) else None)
        return form_composite(self.placed(values))

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> Value:
        message = Message(data)
        count = message.integer(4)
        if count != len(self.columns):
            raise PgError(
                DATATYPE_MISMATCH,
                f"wrong number of columns: {count}, expected {len(self.columns)}",
            )
        values = [
            self.recv_column(message, number, column, ctx)
            for number, column in enumerate(self.columns, 1)
        ]
        message.end()
        return form_composite(self.placed(values))

    def recv_column(self, message: Message, number: int, column: Column, ctx: CallContext) -> Value:
        oid = message.integer(4, signed=False)
        if oid != column.type_oid and oid < FIRST_GENBKI_OBJECT_ID > column.type_oid:
            raise PgError(
                DATATYPE_MISMATCH,
                f"binary data has type {oid} ({shown_type(oid, ctx)}) instead of expected "
                f"{column.type_oid} ({shown_type(column.type_oid, ctx)}) in record column {number}",
            )
        size = message.integer(4)
        if not -1 <= size <= message.left:
            raise PgError(INVALID_BINARY_REPRESENTATION, "insufficient data left in message")
        io: BaseType = self.registry.io(column.type_oid)
        if size < 0:
            return io.check(None, ctx) if isinstance(io, DomainType) else None
        try:
            return io.recv(message.take(size), column.typmod, ctx)
        except LeftOver as error:
            raise error.said(f"improper binary format in record column {number}") from None


def _must_be_alike(registry: Any, oid: int, other: int, number: int) -> None:
    """The types of the columns with that number."""
    if oid != other:
        raise PgError(
            DATATYPE_MISMATCH,
            f"cannot compare dissimilar column types {registry.catalog.type_name(oid)} and "
            f"{registry.catalog.type_name(other)} at record column {number}",
        )


def compare_fields(
    registry: Any,
    left_oids: list[int],
    left: list[Value],
    right_oids: list[int],
    right: list[Value],
    *,
    equality: bool = False,
) -> int:
    """record_cmp: field by field in each type's order, NULLs last.  equality: only that is asked
    for, and an error says so."""
    for number, (oid, x, other, y) in enumerate(
        zip(left_oids, left, right_oids, right, strict=False), 1
    ):
        _must_be_alike(registry, oid, other, number)
        if oid in WITHOUT_ORDER:
            wanted = "an equality operator" if equality else "a comparison function"
            raise PgError(
                UNDEFINED_FUNCTION,
                f"could not identify {wanted} for type {registry.catalog.type_name(oid)}",
            )
        if x is None or y is None:
            if (x is None) != (y is None):
                return 1 if x is None else -1
            continue
        order = registry.io(oid).compare(x, y)
        if order:
            return int(order)
    if len(left) != len(right):
        raise PgError(
            DATATYPE_MISMATCH, "cannot compare record types with different numbers of columns"
        )
    return 0


@pg_function("btrecordcmp(record,record)", context=True, typed=True)
def record_cmp(ctx: CallContext, info: TypeInfo, a: str, b: str, *, equality: bool = False) -> int:
    registry = ctx.catalog.types
    sides = []
    for type_oid, value in zip(info.arg_types, (a, b), strict=True):
        io = registry.io(type_oid)
        sides.append(io.column_types(value))
    (left_oids, left), (right_oids, right) = sides
    return compare_fields(registry, left_oids, left, right_oids, right, equality=equality)


@pg_function("btrecordimagecmp(record,record)", context=True, typed=True)
def record_image_cmp(ctx: CallContext, info: TypeInfo, a: str, b: str) -> int:
    """By the bytes of the values as PostgreSQL holds them."""
    registry = ctx.catalog.types
    sides = [registry.io(t).column_types(v) for t, v in zip(info.arg_types, (a, b), strict=True)]
    (left_oids, left), (right_oids, right) = sides
    for number, (oid, x, other, y) in enumerate(
        zip(left_oids, left, right_oids, right, strict=False), 1
    ):
        _must_be_alike(registry, oid, other, number)
        io = registry.io(oid)
        order = compare_values(_image(io, x), _image(io, y))
        if order:
            return order
    if len(left) != len(right):
        raise PgError(
            DATATYPE_MISMATCH, "cannot compare record types with different numbers of columns"
        )
    return 0


def _image(io: BaseType, value: Any) -> Any:
    """What orders as the bytes of a value: integers are compared without a sign."""
    if io.storage == "integer" and isinstance(value, int):
        return value & 0xFFFFFFFFFFFFFFFF
    if io.storage == "real" and isinstance(value, float):
        if io.name == "float4":
            return int.from_bytes(struct.pack("<f", value), "little")
        return int.from_bytes(struct.pack("<d", value), "little")
    if io.storage == "text" and io.collation is None and isinstance(value, str):
        return value.encode()
    return value


def bind_record_operator(suffix: str) -> None:
    test = NATIVE[suffix]

    def body(ctx: CallContext, info: TypeInfo, a: str, b: str) -> bool:
        equality = suffix in ("eq", "ne")
        return bool(test(record_cmp(ctx, info, a, b, equality=equality), 0))

    pg_function(f"record_{suffix}(record,record)", context=True, typed=True)(body)

    def image(ctx: CallContext, info: TypeInfo, a: str, b: str) -> bool:
        return bool(test(record_image_cmp(ctx, info, a, b), 0))

    pg_function(f"record_image_{suffix}(record,record)", context=True, typed=True)(image)


for _suffix in NATIVE:
    bind_record_operator(_suffix)
