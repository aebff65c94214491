"""Enumerated types: stored as their REAL sort order (PostgreSQL: enum.c)."""

from __future__ import annotations

import operator
from typing import Any

from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    INVALID_BINARY_REPRESENTATION,
    INVALID_TEXT_REPRESENTATION,
    PgError,
)
from pgemu.fmgr import CallContext, TypeInfo, pg_function
from pgemu.types.arrays_value import dump_array
from pgemu.types.base import BaseType


class EnumType(BaseType):
    """One enum; labels maps label to sort order."""

    storage = "real"

    def __init__(self, name: str, labels: dict[str, float]) -> None:
        self.name = name
        self.labels = dict(sorted(labels.items(), key=lambda pair: pair[1]))
        self.names = {order: label for label, order in self.labels.items()}

    def input(self, text: str, typmod: int, ctx: CallContext) -> float:
        order = self.labels.get(text)
        if order is None:
            raise PgError(
                INVALID_TEXT_REPRESENTATION,
                f'invalid input value for enum {self.name}: "{text}"',
            )
        return order

    def output(self, value: Any, ctx: CallContext) -> str:
        label = self.names.get(value)
        if label is None:
            raise PgError(
                INVALID_BINARY_REPRESENTATION, f"invalid internal value for enum: {value}"
            )
        return label

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> float:
        return self.input(data.decode(), typmod, ctx)

    def send(self, value: Any, ctx: CallContext) -> bytes:
        return self.output(value, ctx).encode()


def enum_type(ctx: CallContext, oid: int) -> EnumType:
    found = ctx.catalog.types.io(oid) if ctx.catalog is not None else None
    if not isinstance(found, EnumType):
        raise PgError(FEATURE_NOT_SUPPORTED, "could not determine actual enum type")
    return found


for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    pg_function(f"enum_{_name}(anyenum, anyenum)")(getattr(operator, _name))
pg_function("enum_larger(anyenum, anyenum)")(max)
pg_function("enum_smaller(anyenum, anyenum)")(min)


@pg_function("enum_cmp(anyenum, anyenum)")
def enum_cmp(a: float, b: float) -> int:
    return int(a > b) - int(a < b)


@pg_function("enum_first(anyenum)", context=True, typed=True)
def enum_first(ctx: CallContext, info: TypeInfo, value: float | None) -> float:
    return next(iter(_labels(ctx, info).values()))


@pg_function("enum_last(anyenum)", context=True, typed=True)
def enum_last(ctx: CallContext, info: TypeInfo, value: float | None) -> float:
    return list(_labels(ctx, info).values())[-1]


def _labels(ctx: CallContext, info: TypeInfo) -> dict[str, float]:
    found = enum_type(ctx, info.arg_types[0])
    if not found.labels:
        raise PgError("55000", f"enum {found.name} contains no values")
    return found.labels


@pg_function("enum_range(anyenum)", context=True, typed=True)
def enum_range_all(ctx: CallContext, info: TypeInfo, value: float | None) -> str:
    return dump_array(list(enum_type(ctx, info.arg_types[0]).labels.values()))


@pg_function("enum_range(anyenum, anyenum)", context=True, typed=True)
def enum_range_bounds(
    ctx: CallContext, info: TypeInfo, low: float | None, high: float | None
) -> str:
    orders = enum_type(ctx, info.arg_types[0]).labels.values()
    return dump_array(
        [o for o in orders if (low is None or o >= low) and (high is None or o <= high)]
    )
