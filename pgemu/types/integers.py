"""int2, int4 and int8: representation and I/O (PostgreSQL: utils/adt/int.c, int8.c, numutils.c).

Storage: INTEGER.  Their operators are in integer_ops.
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
from pgemu.fmgr import CallContext
from pgemu.nodes.primnodes import Value
from pgemu.types.base import BaseType, register_type
from pgemu.types.pqformat import check_length

INTEGER = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]+)[ \t\n\v\f\r]*")


def to_signed(value: int) -> int:
    """The signed number with the bits of an unsigned 64-bit one."""
    return value - (1 << 64) if value >= 1 << 63 else value


def encode_integer(value: int) -> bytes:
    return b"%d" % value


class IntegerType(BaseType):
    """One width of integer; sql_name is the word of its error messages."""

    storage = "integer"

    def __init__(self, name: str, sql_name: str, size: int) -> None:
        self.name = name
        self.sql_name = sql_name
        self.size = size
        self.minimum = -(1 << (size * 8 - 1))
        self.maximum = (1 << (size * 8 - 1)) - 1

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        match = INTEGER.fullmatch(text)
        if match is None:
            raise self.input_error(text)
        value = int(match[1])
        if self.minimum <= value <= self.maximum:
            return value
        raise self.input_range_error(text)

    def input_error(self, text: str) -> PgError:
        match = INTEGER.match(text)
        # The digits are read before what follows them is looked at.
        if match is not None and not self.minimum <= int(match[1]) <= self.maximum:
            return self.input_range_error(text)
        return PgError(
            INVALID_TEXT_REPRESENTATION,
            f'invalid input syntax for type {self.sql_name}: "{text}"',
        )

    def input_range_error(self, text: str) -> PgError:
        return PgError(
            NUMERIC_VALUE_OUT_OF_RANGE,
            f'value "{text}" is out of range for type {self.sql_name}',
        )

    def output(self, value: Any, ctx: CallContext) -> str:
        return str(int(value))

    def text_encoder(self, ctx: CallContext) -> Callable[[Any], bytes]:
        return encode_integer

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> Value:
        check_length(data, self.size)
        return int.from_bytes(data, "big", signed=True)

    def send(self, value: Any, ctx: CallContext) -> bytes:
        return int(value).to_bytes(self.size, "big", signed=True)

    def binary_encoder(self, ctx: CallContext) -> Callable[[Any], bytes]:
        size = self.size
        return lambda value: int(value).to_bytes(size, "big", signed=True)

    def checked(self, value: int) -> int:
        """The value, or PostgreSQL's overflow error."""
        if self.minimum <= value <= self.maximum:
            return value
        raise PgError(NUMERIC_VALUE_OUT_OF_RANGE, f"{self.sql_name} out of range")


INT2 = IntegerType("int2", "smallint", 2)
INT4 = IntegerType("int4", "integer", 4)
INT8 = IntegerType("int8", "bigint", 8)

register_type(INT2, INT4, INT8)
