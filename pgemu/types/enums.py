"""Enumerated types: stored as their REAL sort order (PostgreSQL: enum.c)."""

from __future__ import annotations

import operator
from collections.abc import Iterable
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
from pgemu.types.pqformat import decode_utf8


class EnumType(BaseType):
    """One enum; labels maps label to sort order."""

    storage = "real"

    def __init__(self, name: str, labels: dict[str, float], oid: int = 0) -> None:
        self.name, self.oid = name, oid
        self.labels = dict(sorted(labels.items(), key=lambda pair: pair[1]))
        self.names = {order: label for label, order in self.labels.items()}

    def input(self, text: str, typmod: int, ctx: CallContext) -> float:
        order = self.labels.get(text)
        if order is None:
            raise PgError(
                INVALID_TEXT_REPRESENTATION,
                f'invalid input value for enum {self.shown(ctx)}: "{text}"',
            )
        self.check_safe_use([order], ctx)
        return order

    def shown(self, ctx: CallContext) -> str:
        """format_type_be: with its schema where the search path does not lead to it."""
        catalog = getattr(ctx, "catalog", None)
        return catalog.type_name(self.oid) if catalog is not None and self.oid else self.name

    def check_safe_use(self, orders: Iterable[float], ctx: CallContext) -> None:
        """check_safe_enum_use: a label added in this transaction cannot be used before commit."""
        fresh = getattr(ctx.session, "uncommitted_enums", None)
        if not fresh:
            return
        for order in orders:
            if (self.oid, order) in fresh:
                raise PgError(
                    "55P04",
                    f'unsafe use of new value "{self.names[order]}" of enum type {self.shown(ctx)}',
                    hint="New enum values must be committed before they can be used.",
                )

    def output(self, value: Any, ctx: CallContext) -> str:
        label = self.names.get(value)
        if label is None:
            raise PgError(
                INVALID_BINARY_REPRESENTATION, f"invalid internal value for enum: {value}"
            )
        return label

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> float:
        return self.input(decode_utf8(data), typmod, ctx)

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


def _safe(ctx: CallContext, info: TypeInfo, orders: list[float]) -> list[float]:
    enum_type(ctx, info.arg_types[0]).check_safe_use(orders, ctx)
    return orders


@pg_function("enum_first(anyenum)", context=True, typed=True)
def enum_first(ctx: CallContext, info: TypeInfo, value: float | None) -> float:
    return _safe(ctx, info, list(_labels(ctx, info).values())[:1])[0]


@pg_function("enum_last(anyenum)", context=True, typed=True)
def enum_last(ctx: CallContext, info: TypeInfo, value: float | None) -> float:
    return _safe(ctx, info, list(_labels(ctx, info).values())[-1:])[0]


def _labels(ctx: CallContext, info: TypeInfo) -> dict[str, float]:
    found = enum_type(ctx, info.arg_types[0])
    if not found.labels:
        raise PgError("55000", f"enum {found.name} contains no values")
    return found.labels


@pg_function("enum_range(anyenum)", context=True, typed=True)
def enum_range_all(ctx: CallContext, info: TypeInfo, value: float | None) -> str:
    return dump_array(_safe(ctx, info, list(enum_type(ctx, info.arg_types[0]).labels.values())))


@pg_function("enum_range(anyenum, anyenum)", context=True, typed=True)
def enum_range_bounds(
    ctx: CallContext, info: TypeInfo, low: float | None, high: float | None
) -> str:
    orders = enum_type(ctx, info.arg_types[0]).labels.values()
    found = [o for o in orders if (low is None or o >= low) and (high is None or o <= high)]
    return dump_array(_safe(ctx, info, found))
