"""oid, xid, xid8, cid, tid and the reg* types (PostgreSQL: utils/adt/oid.c, xid.c, tid.c,
regproc.c).

Storage: INTEGER, the tid as text "(block,offset)".  What a reg* type prints is the catalog's
business: ctx.catalog.reg_in and reg_out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from pgemu.errors import (
    INVALID_TEXT_REPRESENTATION,
    NUMERIC_VALUE_OUT_OF_RANGE,
    PgError,
)
from pgemu.fmgr import CallContext, pg_function
from pgemu.nodes.primnodes import Value
from pgemu.types.base import BaseType, register_type
from pgemu.types.comparison import (
    bind_comparisons,
    compare_unsigned,
    load_unsigned,
    native_compare,
    store_unsigned,
)
from pgemu.types.pqformat import check_length

UNSIGNED = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]+)[ \t\n\v\f\r]*")
LEADING = re.compile(r"[ \t\n\v\f\r]*([+-]?(?:0[xX][0-9a-fA-F]+|[0-9]+))")
TID = re.compile(r"[ ]*\([ ]*([+-]?[0-9]+),[ ]*([0-9]+)\)[ ]*")


class OidType(BaseType):
    """An unsigned integer of size bytes; strict ones refuse text that is not a number."""

    storage = "integer"

    def __init__(self, name: str, size: int = 4, strict: bool = True) -> None:
        self.name = name
        self.size = size
        self.strict = strict
        self.modulus = 1 << (8 * size)

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        if not self.strict:
            # xidin and its kin are bare strtoul calls.
            match = LEADING.match(text)
            if match is None:
                return 0
            digits = match[1].lower()
            octal = digits.lstrip("+-").startswith("0") and "x" not in digits
            base = 8 if octal and not set(digits) & set("89") else 0 if "x" in digits else 10
            value = int(digits, base)
            limit = 1 << 64
            return self.stored((limit - 1 if abs(value) >= limit else value) % self.modulus)
        match = UNSIGNED.fullmatch(text)
        if match is None:
            raise PgError(
                INVALID_TEXT_REPRESENTATION, f'invalid input syntax for type oid: "{text}"'
            )
        value = int(match[1])
        if not -(1 << 31) <= value < self.modulus:
            raise PgError(
                NUMERIC_VALUE_OUT_OF_RANGE, f'value "{text}" is out of range for type oid'
            )
        return self.stored(value % self.modulus)

    def output(self, value: Any, ctx: CallContext) -> str:
        return str(load_unsigned(value) % self.modulus)

    def text_encoder(self, ctx: CallContext) -> Callable[[Any], bytes]:
        if self.size == 4:
            return lambda value: b"%d" % (value & 0xFFFFFFFF)
        return lambda value: b"%d" % load_unsigned(value)

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> Value:
        check_length(data, self.size)
        return self.stored(int.from_bytes(data, "big"))

    def stored(self, value: int) -> int | str:
        return store_unsigned(value) if self.size == 8 else value

    def send(self, value: Any, ctx: CallContext) -> bytes:
        return (load_unsigned(value) % self.modulus).to_bytes(self.size, "big")

    def compare(self, a: Any, b: Any) -> int:
        return compare_unsigned(a, b)


class RegType(OidType):
    """regclass and the like: an OID that is shown as a name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        value: int = ctx.catalog.reg_in(self.name, text)
        return value

    def output(self, value: Any, ctx: CallContext) -> str:
        return str(ctx.catalog.reg_out(self.name, value & 0xFFFFFFFF))

    def text_encoder(self, ctx: CallContext) -> Callable[[Any], bytes]:
        return lambda value: self.output(value, ctx).encode()


def tid_key(value: str) -> tuple[int, int]:
    block, _, offset = value[1:-1].partition(",")
    return int(block), int(offset)


def compare_tid(a: str, b: str) -> int:
    return native_compare(tid_key(a), tid_key(b))


class TidType(BaseType):
    name = "tid"
    collation = "tid_ops"

    def compare(self, a: Any, b: Any) -> int:
        return compare_tid(a, b)

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        match = TID.match(text)
        if match is None or not -(1 << 31) <= int(match[1]) < 1 << 32 or int(match[2]) >= 1 << 16:
            raise PgError(
                INVALID_TEXT_REPRESENTATION, f'invalid input syntax for type tid: "{text}"'
            )
        return f"({int(match[1]) % (1 << 32)},{int(match[2])})"

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> Value:
        check_length(data, 6)
        return f"({int.from_bytes(data[:4], 'big')},{int.from_bytes(data[4:], 'big')})"

    def send(self, value: Any, ctx: CallContext) -> bytes:
        block, offset = tid_key(value)
        return block.to_bytes(4, "big") + offset.to_bytes(2, "big")


REG_TYPES = [
    "regproc",
    "regprocedure",
    "regoper",
    "regoperator",
    "regclass",
    "regcollation",
    "regtype",
    "regrole",
    "regnamespace",
    "regconfig",
    "regdictionary",
]

register_type(
    OidType("oid"),
    OidType("xid", strict=False),
    OidType("cid", strict=False),
    OidType("xid8", 8, strict=False),
    TidType(),
    *(RegType(name) for name in REG_TYPES),
)

bind_comparisons("oid", "oid,oid", larger="oidlarger", smaller="oidsmaller", cmp="btoidcmp")
bind_comparisons(
    "xid8",
    "xid8,xid8",
    compare_unsigned,
    larger="xid8_larger",
    smaller="xid8_smaller",
    cmp="xid8cmp",
)
bind_comparisons(
    "tid", "tid,tid", compare_tid, larger="tidlarger", smaller="tidsmaller", cmp="bttidcmp"
)
pg_function("xideq(xid,xid)", "cideq(cid,cid)")(lambda a, b: a == b)
pg_function("xidneq(xid,xid)")(lambda a, b: a != b)
pg_function("int8(oid)")(lambda a: a)
pg_function("xid(xid8)")(lambda a: load_unsigned(a) & 0xFFFFFFFF)


@pg_function("oid(int8)")
def i8tooid(a: int) -> int:
    if not 0 <= a <= 0xFFFFFFFF:
        raise PgError(NUMERIC_VALUE_OUT_OF_RANGE, "OID out of range")
    return a


@pg_function("regclass(text)", context=True)
def text_regclass(ctx: CallContext, text: str) -> int:
    if text.strip().isdigit() or text == "-":
        text = f'"{text.strip()}"'  # a name here, not an OID
    value: int = ctx.catalog.reg_in("regclass", text)
    return value
