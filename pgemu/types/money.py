"""money in the C locale (PostgreSQL: utils/adt/cash.c).  Storage: INTEGER cents."""

from __future__ import annotations

import math
import re
from typing import Any

from pgemu.errors import (
    INVALID_TEXT_REPRESENTATION,
    NUMERIC_VALUE_OUT_OF_RANGE,
    PgError,
)
from pgemu.fmgr import CallContext, pg_function
from pgemu.nodes.primnodes import Value
from pgemu.types.base import BaseType, register_type
from pgemu.types.comparison import bind_comparisons
from pgemu.types.float import PgFloat, float_overflow
from pgemu.types.integer_ops import division_by_zero, truncated_quotient
from pgemu.types.integers import INT8
from pgemu.types.numeric import pack
from pgemu.types.numeric_ops import numeric_mul, to_integer
from pgemu.types.pqformat import check_length

CASH = re.compile(
    r"\s*(\(?)\s*([+-]?)\s*\$?\s*(\(?)([+-]?)\s*\$?\s*([0-9,]*)(?:\.([0-9]*))?\s*\)?\s*(-?)\s*\)?\s*"
)


def out_of_range() -> PgError:
    return PgError(NUMERIC_VALUE_OUT_OF_RANGE, "money out of range")


def checked(value: int) -> int:
    if INT8.minimum <= value <= INT8.maximum:
        return value
    raise out_of_range()


class MoneyType(BaseType):
    name = "money"
    storage = "integer"

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        match = CASH.fullmatch(text)
        if match is None or (text.strip() and not re.search("[0-9]", text)):
            raise PgError(
                INVALID_TEXT_REPRESENTATION, f'invalid input syntax for type money: "{text}"'
            )
        paren, sign, paren2, sign2, whole, fraction, tail = match.groups()
        fraction = fraction or ""
        cents = int((whole.replace(",", "") or "0") + fraction[:2].ljust(2, "0"))
        if fraction[2:3] >= "5":
            cents += 1
        if paren or paren2 or "-" in (sign, sign2, tail):
            cents = -cents
        if not INT8.minimum <= cents <= INT8.maximum:
            raise PgError(
                NUMERIC_VALUE_OUT_OF_RANGE, f'value "{text}" is out of range for type money'
            )
        return cents

    def output(self, value: Any, ctx: CallContext) -> str:
        sign = "-" if value < 0 else ""
        return f"{sign}${abs(value) // 100:,}.{abs(value) % 100:02d}"

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> Value:
        check_length(data, 8)
        return int.from_bytes(data, "big", signed=True)

    def send(self, value: Any, ctx: CallContext) -> bytes:
        return int(value).to_bytes(8, "big", signed=True)


register_type(MoneyType())

bind_comparisons("cash_", "money,money", larger="cashlarger", smaller="cashsmaller", cmp="cash_cmp")
pg_function("cash_pl(money,money)")(lambda a, b: checked(a + b))
pg_function("cash_mi(money,money)")(lambda a, b: checked(a - b))


def multiply_float(a: int, b: PgFloat) -> int:
    if isinstance(b, str) or b in (float("inf"), float("-inf")):
        raise out_of_range()
    product = a * b
    if math.isinf(product):
        raise float_overflow()
    return checked(round(product))


def divide_float(a: int, b: PgFloat) -> int:
    if b == 0:
        raise division_by_zero()
    if isinstance(b, str):
        raise out_of_range()
    quotient = a / b
    if math.isinf(quotient):
        raise float_overflow()
    return checked(round(quotient))


@pg_function("cash_div_cash(money,money)")
def cash_div_cash(a: int, b: int) -> float:
    if b == 0:
        raise division_by_zero()
    return float(a) / float(b)


for _size in (4, 8):
    pg_function(f"cash_mul_flt{_size}(money,float{_size})")(multiply_float)
    pg_function(f"flt{_size}_mul_cash(float{_size},money)")(lambda b, a: multiply_float(a, b))
    pg_function(f"cash_div_flt{_size}(money,float{_size})")(divide_float)
for _size in (2, 4, 8):
    pg_function(f"cash_mul_int{_size}(money,int{_size})")(lambda a, b: checked(a * b))
    pg_function(f"int{_size}_mul_cash(int{_size},money)")(lambda b, a: checked(a * b))
    pg_function(f"cash_div_int{_size}(money,int{_size})")(
        lambda a, b: checked(truncated_quotient(a, b))
    )


@pg_function("money(int4)", "money(int8)")
def int_cash(a: int) -> int:
    return INT8.checked(a * 100)


@pg_function("money(numeric)")
def numeric_cash(a: str) -> int:
    return to_integer(numeric_mul(a, "100"), INT8)


pg_function("numeric(money)")(lambda a: pack(a, 2))

SMALL = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
]


SCALES = ("quadrillion", "trillion", "billion", "million", "thousand", "")


def num_word(value: int) -> str:
    """0..999 in words."""
    tens = value % 100
    if tens < 21:
        low = SMALL[tens]
    elif tens % 10:
        low = f"{SMALL[18 + tens // 10]} {SMALL[tens % 10]}"
    else:
        low = SMALL[18 + tens // 10]
    if value < 100:
        return low
    head = f"{SMALL[value // 100]} hundred"
    if not tens:
        return head
    return f"{head} and {low}" if tens < 20 else f"{head} {low}"


@pg_function("cash_words(money)")
def cash_words(a: int) -> str:
    dollars, cents = divmod(abs(a), 100)
    words = ""
    for i, scale in enumerate(SCALES):
        part = dollars // 1000 ** (5 - i) % 1000
        if part:
            words += num_word(part) + (f" {scale} " if scale else "")
    text = "minus " if a < 0 else ""
    text += words or "zero"
    text += " dollar and " if dollars == 1 else " dollars and "
    text += num_word(cents) + (" cent" if cents == 1 else " cents")
    return text[0].upper() + text[1:]
