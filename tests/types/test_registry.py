"""Rule: TypeRegistry makes the I/O of arrays, enums, domains, composites and records."""

from __future__ import annotations

from typing import Any

import pytest

import pgemu.types.families  # noqa: F401  (registers the types)
from pgemu.errors import PgError
from pgemu.fmgr import CallContext
from pgemu.types.lookup import ARRAY_SUBSCRIPT_HANDLER, TypeRegistry
from pgemu.types.record import form_composite, form_record

ROWS: dict[int, dict[str, Any]] = {
    16: {"typname": "bool"},
    23: {"typname": "int4"},
    25: {"typname": "text"},
    701: {"typname": "float8"},
    17: {"typname": "bytea"},
    1700: {"typname": "numeric"},
    2249: {"typname": "record", "typtype": "p"},
    1007: {"typname": "_int4", "typelem": 23, "typsubscript": ARRAY_SUBSCRIPT_HANDLER},
    20000: {"typname": "pair", "typtype": "c", "typrelid": 50, "typnamespace": 2200},
    20001: {"typname": "positive", "typtype": "d", "typbasetype": 23, "typnamespace": 2200},
    20002: {"typname": "mood", "typtype": "e", "typnamespace": 2200},
}
DEFAULTS = {
    "typtype": "b",
    "typnamespace": 11,
    "typelem": 0,
    "typsubscript": 0,
    "typrelid": 0,
    "typbasetype": 0,
    "typdelim": ",",
}
ATTRIBUTES = (("a", 23, False), ("gone", 0, True), ("b", 25, False), ("c", 17, False))


class Row:
    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


class FakeCatalog:
    """As much of the Catalog as the registry asks for."""

    def __init__(self) -> None:
        self.types = TypeRegistry(self)

    def one(self, cls: Any, oid: int) -> Any:
        return Row(oid=oid, **{**DEFAULTS, **ROWS[oid]}) if oid in ROWS else None

    def all(self, cls: Any, **keys: int) -> Any:
        if "enumtypid" in keys:
            return [Row(enumlabel="sad", enumsortorder=1.0), Row(enumlabel="ok", enumsortorder=2.0)]
        return [
            Row(attname=n, atttypid=t, atttypmod=-1, attnum=i, attisdropped=d)
            for i, (n, t, d) in enumerate(ATTRIBUTES, 1)
        ]


@pytest.fixture
def ctx() -> CallContext:
    context = CallContext()
    context.catalog = FakeCatalog()
    return context


def test_builtin_array_domain_enum(ctx: CallContext) -> None:
    io = ctx.catalog.types.io
    assert io(23).name == "int4"
    assert io(1007).output("[1,2,null]", ctx) == "{1,2,NULL}"
    assert io(20001).input("7", -1, ctx) == 7
    assert io(20002).input("ok", -1, ctx) == 2.0


def test_composite_round_trip(ctx: CallContext) -> None:
    io = ctx.catalog.types.io(20000)
    value = io.input('(1,"a ""b"", c\\\\",\\\\x00ff)', -1, ctx)
    # a dropped attribute keeps its place
    assert value == form_composite([1, None, 'a "b", c\\', b"\x00\xff"])
    assert io.output(value, ctx) == '(1,"a ""b"", c\\\\","\\\\x00ff")'
    assert io.recv(io.send(value, ctx), -1, ctx) == value
    assert io.output(io.input('(,"",)', -1, ctx), ctx) == '(,"",)'


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("1,2", "Missing left parenthesis."),
        ("(1,2)", "Too few columns."),
        ("(1,2,,4)", "Too many columns."),
        ("(1,2,", "Unexpected end of input."),
        ("(1,2,) x", "Junk after right parenthesis."),
    ],
)
def test_malformed(ctx: CallContext, text: str, detail: str) -> None:
    with pytest.raises(PgError) as caught:
        ctx.catalog.types.io(20000).input(text, -1, ctx)
    assert caught.value.message == f'malformed record literal: "{text}"'
    assert caught.value.detail == detail


def test_record(ctx: CallContext) -> None:
    io = ctx.catalog.types.io(2249)
    value = form_record([23, 25, 701], [1, None, float("inf")])
    assert io.output(value, ctx) == "(1,,Infinity)"
    assert io.compare(form_record([23], [9]), form_record([23], [10])) < 0


def test_composite_order_is_the_column_types(ctx: CallContext) -> None:
    io = ctx.catalog.types.io(20000)
    small, large = form_composite([9, "a", None]), form_composite([10, "a", None])
    assert io.compare(small, large) < 0
    assert io.compare(form_composite([None, "a", None]), small) > 0
