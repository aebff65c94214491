"""numeric: representation and I/O (PostgreSQL: utils/adt/numeric.c).

Storage: canonical decimal text that keeps the scale ("1.00", "-0.5", "NaN", "Infinity"), without
exponent, ordered by the SQLite collation numeric_ops.  Arithmetic works on the pair (unscaled int,
scale): `unpack` and `pack` convert.  Operators are in numeric_ops, transcendental functions in
numeric_math.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from pgemu.errors import (
    INVALID_BINARY_REPRESENTATION,
    INVALID_PARAMETER_VALUE,
    INVALID_TEXT_REPRESENTATION,
    NUMERIC_VALUE_OUT_OF_RANGE,
    PgError,
)
from pgemu.fmgr import CallContext
from pgemu.nodes.primnodes import Value
from pgemu.types.base import BaseType, register_type
from pgemu.types.pqformat import Message

# A numeric may have 131072 digits before the point; Python's own limit is against hostile input
# to web servers.
sys.set_int_max_str_digits(0)

MAX_PRECISION = 1000
MAX_SCALE = 1000
MIN_SCALE = -1000
DSCALE_MAX = 0x3FFF
MAX_INTEGER_DIGITS = 131072
VARHDRSZ = 4
SPECIALS = ("NaN", "Infinity", "-Infinity")

PLAIN = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
NUMBER = re.compile(
    r"[ \t\n\v\f\r]*([+-]?)(?:([0-9]+)(?:\.([0-9]*))?|\.([0-9]+))(?:[eE]([+-]?[0-9]+))?"
    r"[ \t\n\v\f\r]*"
)
SPECIAL = re.compile(r"[ \t\n\v\f\r]*(?:(nan)|([+-]?)(inf|infinity))[ \t\n\v\f\r]*", re.IGNORECASE)


def unpack(text: str) -> tuple[int, int]:
    """(unscaled, scale) of a finite value.  ValueError for NaN and the infinities."""
    point = text.find(".")
    if point < 0:
        return int(text), 0
    return int(text[:point] + text[point + 1 :]), len(text) - point - 1


def pack(unscaled: int, scale: int) -> str:
    """Canonical text of unscaled * 10^-scale with that display scale (scale >= 0)."""
    if scale == 0:
        return str(unscaled)
    if unscaled < 0:
        digits = str(-unscaled)
        sign = "-"
    else:
        digits = str(unscaled)
        sign = ""
    if len(digits) <= scale:
        digits = digits.zfill(scale + 1)
    return f"{sign}{digits[:-scale]}.{digits[-scale:]}"


def divide_rounded(a: int, b: int) -> int:
    """a / b rounded half away from zero."""
    negative = (a < 0) != (b < 0)
    a, b = abs(a), abs(b)
    quotient = (2 * a + b) // (2 * b)
    return -quotient if negative else quotient


def rescale(unscaled: int, scale: int, new_scale: int) -> int:
    """The unscaled value at another scale (which may be negative), rounded half away from zero."""
    if new_scale >= scale:
        return unscaled * int(10 ** (new_scale - scale))
    return divide_rounded(unscaled, 10 ** (scale - new_scale))


def overflow_error() -> PgError:
    return PgError(NUMERIC_VALUE_OUT_OF_RANGE, "value overflows numeric format")


def checked_pack(unscaled: int, scale: int) -> str:
    """pack, with PostgreSQL's limits on digits (make_result)."""
    if scale > DSCALE_MAX:
        unscaled, scale = rescale(unscaled, scale, DSCALE_MAX), DSCALE_MAX
    text = pack(unscaled, scale)
    if len(text) > MAX_INTEGER_DIGITS and len(text.lstrip("-").split(".")[0]) > MAX_INTEGER_DIGITS:
        raise overflow_error()
    return text


def make_typmod(precision: int, scale: int) -> int:
    return ((precision << 16) | (scale & 0x7FF)) + VARHDRSZ


def typmod_precision(typmod: int) -> int:
    return ((typmod - VARHDRSZ) >> 16) & 0xFFFF


def typmod_scale(typmod: int) -> int:
    return (((typmod - VARHDRSZ) & 0x7FF) ^ 1024) - 1024


def field_overflow(precision: int, scale: int) -> PgError:
    whole = precision - scale
    bound = f"10^{whole}" if whole else "1"
    return PgError(
        NUMERIC_VALUE_OUT_OF_RANGE,
        "numeric field overflow",
        detail=f"A field with precision {precision}, scale {scale} must round to an absolute "
        f"value less than {bound}.",
    )


def apply_typmod(text: str, typmod: int) -> str:
    """apply_typmod and apply_typmod_special: round to the scale, check the precision."""
    if typmod < VARHDRSZ:
        return text
    precision, scale = typmod_precision(typmod), typmod_scale(typmod)
    try:
        unscaled, old_scale = unpack(text)
    except ValueError:
        if text == "NaN":
            return text
        raise PgError(
            NUMERIC_VALUE_OUT_OF_RANGE,
            "numeric field overflow",
            detail=f"A field with precision {precision}, scale {scale} cannot hold an infinite "
            "value.",
        ) from None
    if old_scale == scale:
        if len(text) <= precision:
            return text
        new = unscaled
    else:
        new = rescale(unscaled, old_scale, scale)
    if abs(new) >= 10**precision:
        raise field_overflow(precision, scale)
    if scale < 0:
        return str(new * int(10**-scale))
    return pack(new, scale)


def parse_numeric(text: str) -> str:
    """Canonical text of an input text, or PgError 22P02/22003."""
    if PLAIN.fullmatch(text) and len(text) < MAX_INTEGER_DIGITS and not text.startswith("-0"):
        return text
    match = NUMBER.fullmatch(text)
    if match is None:
        special = SPECIAL.fullmatch(text)
        if special is None:
            raise PgError(
                INVALID_TEXT_REPRESENTATION, f'invalid input syntax for type numeric: "{text}"'
            )
        if special[1]:
            return "NaN"
        return "-Infinity" if special[2] == "-" else "Infinity"
    sign, whole, fraction, only_fraction, exponent = match.groups()
    whole, fraction = whole or "0", fraction or only_fraction or ""
    power = int(exponent) if exponent else 0
    if abs(power) >= (1 << 31) // 2:
        raise overflow_error()
    if power > MAX_INTEGER_DIGITS + len(fraction) and int(whole + fraction):
        raise overflow_error()
    scale = len(fraction) - power
    if scale > DSCALE_MAX:
        raise overflow_error()
    unscaled = 0
    if power > MAX_INTEGER_DIGITS * 2:
        scale = max(0, scale)
    else:
        unscaled = int(whole + fraction)
        if scale < 0:
            unscaled, scale = unscaled * 10**-scale, 0
    return checked_pack(-unscaled if sign == "-" else unscaled, scale)


def compare_numeric(a: str, b: str) -> int:
    """cmp_numerics: NaN is above everything and equals itself."""
    if a == b:
        return 0
    # rounding to double keeps the order: where the doubles differ, so do the numbers
    near, far = float(a), float(b)
    if near < far:
        return -1
    if near > far:
        return 1
    if a == "NaN":
        return 1
    if b == "NaN":
        return -1
    x, y = Decimal(a), Decimal(b)
    return (x > y) - (x < y)


def numeric_send(text: str) -> bytes:
    """ndigits, weight, sign, dscale and base-10000 digits, all int16."""
    if text in SPECIALS:
        sign = {"NaN": 0xC000, "Infinity": 0xD000, "-Infinity": 0xF000}[text]
        return b"\0\0\0\0" + sign.to_bytes(2, "big") + (b"\0\0" if text == "NaN" else b"\0\x20")
    negative = text.startswith("-")
    whole, _, fraction = text.lstrip("-").partition(".")
    scale = len(fraction)
    whole = whole.lstrip("0")
    whole = "0" * (-len(whole) % 4) + whole
    fraction += "0" * (-scale % 4)
    digits = [int((whole + fraction)[i : i + 4]) for i in range(0, len(whole) + len(fraction), 4)]
    weight = len(whole) // 4 - 1
    while digits and digits[0] == 0:
        del digits[0]
        weight -= 1
    while digits and digits[-1] == 0:
        del digits[-1]
    if not digits:
        weight, negative = 0, False
    head = (len(digits), weight & 0xFFFF, 0x4000 if negative else 0, scale)
    return b"".join(n.to_bytes(2, "big") for n in (*head, *digits))


def numeric_recv(data: bytes) -> str:
    message = Message(data)
    count, weight, sign = message.unpack("HhH")
    special = {0xC000: "NaN", 0xD000: "Infinity", 0xF000: "-Infinity"}.get(sign)
    if special is None and sign not in (0, 0x4000):
        raise PgError(INVALID_BINARY_REPRESENTATION, 'invalid sign in external "numeric" value')
    scale = message.integer(2, signed=False)
    if scale & ~DSCALE_MAX:
        raise PgError(INVALID_BINARY_REPRESENTATION, 'invalid scale in external "numeric" value')
    unscaled = 0
    for _ in range(count):
        digit = message.integer(2, signed=False)
        if digit >= 10000:
            raise PgError(
                INVALID_BINARY_REPRESENTATION, 'invalid digit in external "numeric" value'
            )
        unscaled = unscaled * 10000 + digit
    message.end()
    if special is not None:
        return special
    # The last digit's place is 10000^(weight - count + 1); cut or extend to the display scale.
    places = 4 * (count - 1 - weight)
    if places > scale:
        unscaled = (unscaled // 10 ** (places - scale)) if count else 0
    else:
        unscaled *= 10 ** (scale - places)
    return checked_pack(-unscaled if sign else unscaled, scale)


class NumericType(BaseType):
    name = "numeric"
    storage = "text"
    collation = "numeric_ops"

    def compare(self, a: Any, b: Any) -> int:
        return compare_numeric(a, b)

    def hash_key(self, value: Any) -> Any:
        return value if value == "NaN" else Decimal(value)

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        value = parse_numeric(text)
        return value if typmod < VARHDRSZ else apply_typmod(value, typmod)

    def output(self, value: Any, ctx: CallContext) -> str:
        return str(value)

    def text_encoder(self, ctx: CallContext) -> Callable[[Any], bytes]:
        return str.encode

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> Value:
        return apply_typmod(numeric_recv(data), typmod)

    def send(self, value: Any, ctx: CallContext) -> bytes:
        return numeric_send(value)

    def binary_encoder(self, ctx: CallContext) -> Callable[[Any], bytes]:
        return numeric_send

    def typmod_in(self, args: list[str], ctx: CallContext) -> int:
        numbers = [int(arg) for arg in args]
        if len(numbers) not in (1, 2):
            raise PgError(INVALID_PARAMETER_VALUE, "invalid NUMERIC type modifier")
        precision = numbers[0]
        if not 1 <= precision <= MAX_PRECISION:
            raise PgError(
                INVALID_PARAMETER_VALUE,
                f"NUMERIC precision {precision} must be between 1 and {MAX_PRECISION}",
            )
        scale = numbers[1] if len(numbers) == 2 else 0
        if not MIN_SCALE <= scale <= MAX_SCALE:
            raise PgError(
                INVALID_PARAMETER_VALUE,
                f"NUMERIC scale {scale} must be between {MIN_SCALE} and {MAX_SCALE}",
            )
        return make_typmod(precision, scale)

    def typmod_out(self, typmod: int) -> str:
        if typmod < VARHDRSZ:
            return ""
        return f"({typmod_precision(typmod)},{typmod_scale(typmod)})"


register_type(NumericType())
