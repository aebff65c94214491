"""float4 and float8: representation and I/O (PostgreSQL: utils/adt/float.c, ryu).

Storage: REAL; NaN is the TEXT 'NaN', which SQLite sorts above every number as PostgreSQL does.
Bodies get and return the str 'NaN', and float inf.  A float4 is a float whose value is one of
the 24-bit ones: `to_float4` rounds.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pgemu.errors import (
    INVALID_PARAMETER_VALUE,
    INVALID_TEXT_REPRESENTATION,
    NUMERIC_VALUE_OUT_OF_RANGE,
    PgError,
)
from pgemu.fmgr import CallContext
from pgemu.nodes.primnodes import Value
from pgemu.types.base import BaseType, register_type
from pgemu.types.comparison import native_compare
from pgemu.types.pqformat import check_length

PgFloat = float | str

NUMBER = re.compile(
    r"[ \t\n\v\f\r]*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[ \t\n\v\f\r]*"
)
HEXADECIMAL = re.compile(
    r"[ \t\n\v\f\r]*([+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)(?:[pP][+-]?[0-9]+)?)"
    r"[ \t\n\v\f\r]*"
)
SPECIAL = re.compile(r"[ \t\n\v\f\r]*([+-]?)(nan|inf|infinity)[ \t\n\v\f\r]*", re.IGNORECASE)
SINGLE = struct.Struct(">f")
DOUBLE = struct.Struct(">d")
FLOAT4_MIN_NORMAL = 2.0**-126
HALFWAY_FROM = 2.0**53


def float_overflow() -> PgError:
    return PgError(NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: overflow")


def float_underflow() -> PgError:
    return PgError(NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: underflow")


def nan_text(value: float) -> PgFloat:
    """The storage value of a Python float."""
    return "NaN" if value != value else value


def from_storage(value: PgFloat) -> float:
    """A Python float, NaN included."""
    return math.nan if value == "NaN" else float(value)


def round_to_single(value: float) -> float:
    """The nearest 24-bit float, an infinity on overflow."""
    try:
        return float(SINGLE.unpack(SINGLE.pack(value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def to_float4(value: float) -> float:
    """float8 to float4 with PostgreSQL's overflow and underflow errors (dtof)."""
    single = round_to_single(value)
    if math.isinf(single) and not math.isinf(value):
        raise float_overflow()
    if single == 0.0 and value != 0.0:
        raise float_underflow()
    return single


def compare_float(a: PgFloat, b: PgFloat) -> int:
    """float8_cmp_internal: NaN equals NaN and is above all else."""
    if a == "NaN":
        return 0 if b == "NaN" else 1
    if b == "NaN":
        return -1
    return native_compare(a, b)


def exponent_form(digits: str, exponent: int) -> str:
    """d.ddde+XX from a digit string and the decimal exponent of its first digit."""
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def layout(shortest: str, limit: int) -> str:
    """Lay the digits of a %e text out as PostgreSQL does: exponent form below 1e-4, from
    10^limit on."""
    sign = "-" if shortest.startswith("-") else ""
    mantissa, _, power = shortest.lstrip("-").partition("e")
    digits = mantissa.replace(".", "").rstrip("0") or "0"
    exponent = int(power)
    if digits == "0":
        return sign + "0"
    if exponent < -4 or exponent >= limit:
        return sign + exponent_form(digits, exponent)
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    if len(digits) <= exponent + 1:
        return sign + digits.ljust(exponent + 1, "0")
    return f"{sign}{digits[: exponent + 1]}.{digits[exponent + 1 :]}"


def on_boundary(text: str, value: float) -> bool:
    """Is the text exactly halfway to a neighbour?  Python then relies on round-half-even in the
    reader, PostgreSQL writes a digit more.  Possible only where doubles are whole numbers."""
    return abs(int(Decimal(text)) - int(value)) * 2 == int(math.ulp(value))


def shortest_float8(value: float) -> str:
    """Python's repr is the shortest text too; only its layout differs from PostgreSQL's."""
    text = repr(value)
    if not -HALFWAY_FROM < value < HALFWAY_FROM and on_boundary(text, value):
        return layout(f"{value:.16e}", 15)
    if "e" in text:
        return text
    if -1e15 < value < 1e15:
        return text.removesuffix(".0")
    return layout_repr(text)


def layout_repr(text: str) -> str:
    """A plain repr of 1e15 <= |value| < 1e16 in exponent form."""
    sign = "-" if text.startswith("-") else ""
    whole, _, fraction = text.lstrip("-").partition(".")
    digits = (whole + fraction).rstrip("0")
    return sign + exponent_form(digits, len(whole) - 1)


def single_ulp(value: float) -> float:
    return math.ldexp(1.0, math.frexp(value)[1] - 24)


def shortest_float4(value: float) -> str:
    first = 5 if abs(value) >= FLOAT4_MIN_NORMAL else 0
    for places in range(first, 9):
        text = f"{value:.{places}e}"
        read = float(text)
        if round_to_single(read) == value and abs(read - value) * 2 != single_ulp(value):
            return layout(text, 6)
    return layout(f"{value:.8e}", 6)


def general_format(value: float, digits: int) -> str:
    """C's %.*g."""
    text = f"{value:.{max(digits, 1)}g}"
    return text.removesuffix(".0")


def special_text(value: PgFloat) -> str | None:
    if value == "NaN":
        return "NaN"
    if math.isinf(float(value)):
        return "Infinity" if float(value) > 0 else "-Infinity"
    return None


class FloatType(BaseType):
    storage = "real"
    sql_name = ""
    size = 8
    digits = 15

    def shortest(self, value: float) -> str:
        raise NotImplementedError

    def narrow(self, value: float, exact_text: str) -> float:
        """The parsed double as this type's value."""
        raise NotImplementedError

    def compare(self, a: Any, b: Any) -> int:
        return compare_float(a, b)

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        match = NUMBER.fullmatch(text)
        if match is not None:
            value = self.narrow(float(match[1]), match[1])
            zero = value == 0.0 and re.search("[1-9]", match[1].lower().partition("e")[0])
            if math.isinf(value) or zero:
                raise PgError(
                    NUMERIC_VALUE_OUT_OF_RANGE,
                    f'"{match[1]}" is out of range for type {self.sql_name}',
                )
            return value
        special = SPECIAL.fullmatch(text)
        if special is not None:
            if special[2].lower() == "nan":
                return "NaN"
            return -math.inf if special[1] == "-" else math.inf
        hexadecimal = HEXADECIMAL.fullmatch(text)
        if hexadecimal is not None:
            return self.narrow(float.fromhex(hexadecimal[1]), "")
        raise PgError(
            INVALID_TEXT_REPRESENTATION,
            f'invalid input syntax for type {self.sql_name}: "{text}"',
        )

    def output(self, value: Any, ctx: CallContext) -> str:
        special = special_text(value)
        if special is not None:
            return special
        if ctx.extra_float_digits > 0:
            return self.shortest(float(value))
        return general_format(float(value), self.digits + ctx.extra_float_digits)

    def text_encoder(self, ctx: CallContext) -> Callable[[Any], bytes]:
        output = self.output
        return lambda value: output(value, ctx).encode()

    def typmod_in(self, args: list[str], ctx: CallContext) -> int:
        raise PgError(INVALID_PARAMETER_VALUE, f'type modifier is not allowed for "{self.name}"')


class Float8Type(FloatType):
    name = "float8"
    sql_name = "double precision"

    def shortest(self, value: float) -> str:
        return shortest_float8(value)

    def narrow(self, value: float, exact_text: str) -> float:
        return value

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> Value:
        check_length(data, 8)
        return nan_text(DOUBLE.unpack(data)[0])

    def send(self, value: Any, ctx: CallContext) -> bytes:
        return DOUBLE.pack(from_storage(value))


class Float4Type(FloatType):
    name = "float4"
    sql_name = "real"
    size = 4
    digits = 6

    def shortest(self, value: float) -> str:
        return shortest_float4(value)

    def narrow(self, value: float, exact_text: str) -> float:
        """Rounded once: a double that lies midway between two floats is first moved toward the
        exact decimal value."""
        bits = int.from_bytes(DOUBLE.pack(value), "big")
        if bits & 0x1FFFFFFF == 0x10000000 and exact_text and not math.isinf(value):
            exact, double = Fraction(exact_text), Fraction(value)
            if exact != double:
                value = math.nextafter(value, math.inf if exact > double else -math.inf)
        return round_to_single(value)

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> Value:
        check_length(data, 4)
        return nan_text(SINGLE.unpack(data)[0])

    def send(self, value: Any, ctx: CallContext) -> bytes:
        return SINGLE.pack(from_storage(value))


FLOAT4 = Float4Type()
FLOAT8 = Float8Type()
register_type(FLOAT4, FLOAT8)
