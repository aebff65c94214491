"""pg_lsn (PostgreSQL: utils/adt/pg_lsn.c).

Storage: INTEGER, positions from 2^63 on as hexadecimal TEXT (comparison.py).
"""

from __future__ import annotations

import re
from typing import Any

from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    INVALID_PARAMETER_VALUE,
    INVALID_TEXT_REPRESENTATION,
    PgError,
)
from pgemu.fmgr import CallContext, pg_function
from pgemu.nodes.primnodes import Value
from pgemu.types.base import BaseType, register_type
from pgemu.types.comparison import (
    bind_comparisons,
    compare_unsigned,
    load_unsigned,
    store_unsigned,
)
from pgemu.types.numeric import SPECIALS, rescale, unpack
from pgemu.types.pqformat import check_length

LSN = re.compile(r"([0-9a-fA-F]{1,8})/([0-9a-fA-F]{1,8})")


class LsnType(BaseType):
    name = "pg_lsn"
    storage = "integer"

    def compare(self, a: Any, b: Any) -> int:
        return compare_unsigned(a, b)

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        match = LSN.fullmatch(text)
        if match is None:
            raise PgError(
                INVALID_TEXT_REPRESENTATION, f'invalid input syntax for type pg_lsn: "{text}"'
            )
        return store_unsigned(int(match[1], 16) << 32 | int(match[2], 16))

    def output(self, value: Any, ctx: CallContext) -> str:
        value = load_unsigned(value)
        return f"{value >> 32:X}/{value & 0xFFFFFFFF:X}"

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> Value:
        check_length(data, 8)
        return store_unsigned(int.from_bytes(data, "big"))

    def send(self, value: Any, ctx: CallContext) -> bytes:
        return load_unsigned(value).to_bytes(8, "big")


register_type(LsnType())
bind_comparisons(
    "pg_lsn_",
    "pg_lsn,pg_lsn",
    compare_unsigned,
    larger="pg_lsn_larger",
    smaller="pg_lsn_smaller",
    cmp="pg_lsn_cmp",
)


def checked(value: int) -> int | str:
    if 0 <= value < 1 << 64:
        return store_unsigned(value)
    raise PgError(INVALID_PARAMETER_VALUE, "pg_lsn out of range")


def offset(text: str, word: str, base: int = 0) -> int:
    """The numeric added to an address, rounded at the end."""
    if text in SPECIALS:
        joint = "from" if word == "subtract" else "to"
        if word != "convert" and text != "NaN":
            raise PgError(FEATURE_NOT_SUPPORTED, "cannot convert infinity to pg_lsn")
        what = "NaN" if text == "NaN" else "infinity"
        raise PgError(FEATURE_NOT_SUPPORTED, f"cannot {word} {what} {joint} pg_lsn")
    n, s = unpack(text)
    return rescale(base * int(10**s) + n, s, 0)


@pg_function("pg_lsn_mii(pg_lsn,numeric)")
def pg_lsn_mii(a: int | str, text: str) -> int | str:
    if text in SPECIALS:
        return offset(text, "subtract")
    n, s = unpack(text)
    return checked(rescale(load_unsigned(a) * int(10**s) - n, s, 0))


pg_function("pg_lsn(numeric)")(lambda a: checked(offset(a, "convert")))
pg_function("pg_lsn_mi(pg_lsn,pg_lsn)", "pg_wal_lsn_diff(pg_lsn,pg_lsn)")(
    lambda a, b: str(load_unsigned(a) - load_unsigned(b))
)
pg_function("pg_lsn_pli(pg_lsn,numeric)")(lambda a, b: checked(offset(b, "add", load_unsigned(a))))
pg_function("numeric_pl_pg_lsn(numeric,pg_lsn)")(
    lambda b, a: checked(offset(b, "add", load_unsigned(a)))
)
