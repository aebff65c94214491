"""bit and varbit (PostgreSQL: utils/adt/varbit.c).  Storage: TEXT of 0s and 1s."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pgemu.errors import (
    ARRAY_SUBSCRIPT_ERROR,
    INVALID_BINARY_REPRESENTATION,
    INVALID_PARAMETER_VALUE,
    INVALID_TEXT_REPRESENTATION,
    NUMERIC_VALUE_OUT_OF_RANGE,
    STRING_DATA_LENGTH_MISMATCH,
    STRING_DATA_RIGHT_TRUNCATION,
    PgError,
)
from pgemu.fmgr import CallContext, pg_aggregate, pg_function
from pgemu.nodes.primnodes import Value
from pgemu.types.base import BaseType, register_type
from pgemu.types.bytea import check_overlay, slice_bounds
from pgemu.types.comparison import bind_comparisons
from pgemu.types.pqformat import Message

MAX_BITS = 83886080
MAX_LENGTH = (1 << 31) - 8


def parse_bits(text: str) -> str:
    """bit_in's text: 0101, b0101 or x5."""
    if text[:1] in ("x", "X"):
        out = []
        for char in text[1:]:
            if char not in "0123456789abcdefABCDEF":
                raise PgError(
                    INVALID_TEXT_REPRESENTATION, f'"{char}" is not a valid hexadecimal digit'
                )
            out.append(f"{int(char, 16):04b}")
        return "".join(out)
    bits = text[1:] if text[:1] in ("b", "B") else text
    for char in bits:
        if char not in "01":
            raise PgError(INVALID_TEXT_REPRESENTATION, f'"{char}" is not a valid binary digit')
    return bits


class VarbitType(BaseType):
    name = "varbit"
    sql_name = "bit varying"

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        # PostgreSQL looks at the length before the digits.
        kind, size = text[:1].lower(), len(text.encode())
        self.check(4 * size - 4 if kind == "x" else size - (kind == "b"), typmod)
        return parse_bits(text)

    def check(self, length: int, typmod: int) -> None:
        if typmod > 0 and length > typmod:
            raise PgError(
                STRING_DATA_RIGHT_TRUNCATION, f"bit string too long for type bit varying({typmod})"
            )

    def text_encoder(self, ctx: CallContext) -> Callable[[Any], bytes]:
        return str.encode

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> Value:
        message = Message(data)
        count = message.integer(4)
        if not 0 <= count <= MAX_LENGTH:
            raise PgError(INVALID_BINARY_REPRESENTATION, "invalid length in external bit string")
        self.check(count, typmod)
        digits = message.take(-(-count // 8))
        message.end()
        return "".join(f"{byte:08b}" for byte in digits)[:count]

    def send(self, value: Any, ctx: CallContext) -> bytes:
        padded = value.ljust(-(-len(value) // 8) * 8, "0")
        data = bytes(int(padded[i : i + 8], 2) for i in range(0, len(padded), 8))
        return len(value).to_bytes(4, "big") + data

    def typmod_in(self, args: list[str], ctx: CallContext) -> int:
        word = "bit" if self.name == "bit" else "varbit"
        if len(args) != 1:
            raise PgError(INVALID_PARAMETER_VALUE, "invalid type modifier")
        length = int(args[0])
        if length < 1:
            raise PgError(INVALID_PARAMETER_VALUE, f"length for type {word} must be at least 1")
        if length > MAX_BITS:
            raise PgError(
                INVALID_PARAMETER_VALUE, f"length for type {word} cannot exceed {MAX_BITS}"
            )
        return length


class BitType(VarbitType):
    name = "bit"

    def check(self, length: int, typmod: int) -> None:
        if typmod > 0 and length != typmod:
            raise PgError(
                STRING_DATA_LENGTH_MISMATCH,
                f"bit string length {length} does not match type bit({typmod})",
            )


BIT, VARBIT = BitType(), VarbitType()
register_type(BIT, VARBIT)

bind_comparisons("bit", "bit,bit", cmp="bitcmp")
bind_comparisons("varbit", "varbit,varbit", cmp="varbitcmp")


@pg_function("bit(bit,int4,bool)")
def bit_coerce(bits: str, length: int, explicit: Any) -> str:
    if length <= 0 or length == len(bits):
        return bits
    if not explicit:
        BIT.check(len(bits), length)
    return bits[:length].ljust(length, "0")


@pg_function("varbit(varbit,int4,bool)")
def varbit_coerce(bits: str, length: int, explicit: Any) -> str:
    if length <= 0 or len(bits) <= length:
        return bits
    if not explicit:
        VARBIT.check(len(bits), length)
    return bits[:length]


@pg_function("bit(int4,int4)", "bit(int8,int4)")
def bits_of_integer(number: int, length: int) -> str:
    length = length if length > 0 else 1
    return f"{number & ((1 << length) - 1):0{length}b}"


def integer_of_bits(width: int, name: str) -> Callable[[str], int]:
    def cast(bits: str) -> int:
        if len(bits) > width:
            raise PgError(NUMERIC_VALUE_OUT_OF_RANGE, f"{name} out of range")
        value = int(bits, 2) if bits else 0
        return value - (1 << width) if len(bits) == width and bits[0] == "1" else value

    return cast


pg_function("int4(bit)")(integer_of_bits(32, "integer"))
pg_function("int8(bit)")(integer_of_bits(64, "bigint"))


def bitwise(word: str, op: Callable[[int, int], int]) -> Callable[[str, str], str]:
    def body(a: str, b: str) -> str:
        if len(a) != len(b):
            raise PgError(
                STRING_DATA_LENGTH_MISMATCH, f"cannot {word} bit strings of different sizes"
            )
        return f"{op(int(a, 2), int(b, 2)):0{len(a)}b}" if a else ""

    return body


bit_and = bitwise("AND", lambda a, b: a & b)
bit_or = bitwise("OR", lambda a, b: a | b)
bit_xor = bitwise("XOR", lambda a, b: a ^ b)
pg_function("bitand(bit,bit)")(bit_and)
pg_function("bitor(bit,bit)")(bit_or)
pg_function("bitxor(bit,bit)")(bit_xor)
pg_function("bitnot(bit)")(lambda a: a.translate({48: "1", 49: "0"}))
pg_function("bitcat(varbit,varbit)")(lambda a, b: a + b)
pg_function("length(bit)", "bit_length(bit)")(len)
pg_function("octet_length(bit)")(lambda a: -(-len(a) // 8))
pg_function("bit_count(bit)")(lambda a: a.count("1"))
pg_function("position(bit,bit)")(lambda a, b: a.find(b) + 1 if a else 0)


@pg_function("bitshiftleft(bit,int4)")
def bitshiftleft(bits: str, n: int) -> str:
    if n < 0:
        return bitshiftright(bits, -n)
    return bits[n:].ljust(len(bits), "0")


@pg_function("bitshiftright(bit,int4)")
def bitshiftright(bits: str, n: int) -> str:
    if n < 0:
        return bitshiftleft(bits, -n)
    return bits[: max(len(bits) - n, 0)].rjust(len(bits), "0")


@pg_function("substring(bit,int4)", "substring(bit,int4,int4)")
def bitsubstr(bits: str, start: int, length: int | None = None) -> str:
    first, last = slice_bounds(start, length, len(bits))
    return bits[first:last]


@pg_function("overlay(bit,bit,int4)", "overlay(bit,bit,int4,int4)")
def bitoverlay(bits: str, new: str, start: int, length: int | None = None) -> str:
    if length is None:
        length = len(new)
    check_overlay(start, length)
    return bits[: start - 1] + new + bits[max(start - 1 + length, 0) :]


def check_bit_index(bits: str, index: int) -> None:
    if not 0 <= index < len(bits):
        raise PgError(
            ARRAY_SUBSCRIPT_ERROR, f"bit index {index} out of valid range (0..{len(bits) - 1})"
        )


@pg_function("get_bit(bit,int4)")
def bitgetbit(bits: str, index: int) -> int:
    check_bit_index(bits, index)
    return int(bits[index])


@pg_function("set_bit(bit,int4,int4)")
def bitsetbit(bits: str, index: int, value: int) -> str:
    check_bit_index(bits, index)
    if value not in (0, 1):
        raise PgError(INVALID_PARAMETER_VALUE, "new bit must be 0 or 1")
    return bits[:index] + str(value) + bits[index + 1 :]


def bind_bit_aggregate(name: str, combine: Callable[[str, str], str]) -> None:
    class BitStringAggregate:
        def __init__(self) -> None:
            self.state: str | None = None

        def step(self, value: str) -> None:
            self.state = value if self.state is None else combine(self.state, value)

        def final(self) -> str | None:
            return self.state

    pg_aggregate(f"{name}(bit)")(BitStringAggregate)


bind_bit_aggregate("bit_and", bit_and)
bind_bit_aggregate("bit_or", bit_or)
bind_bit_aggregate("bit_xor", bit_xor)
