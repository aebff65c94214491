"""pg_lsn (PostgreSQL: utils/adt/pg_lsn.c).  Storage: INTEGER."""

from __future__ import annotations

import re
from typing import Any

from pgemu.errors import INVALID_TEXT_REPRESENTATION, NUMERIC_VALUE_OUT_OF_RANGE, PgError
from pgemu.fmgr import CallContext, pg_function
from pgemu.nodes.primnodes import Value
from pgemu.types.base import BaseType, register_type
from pgemu.types.comparison import bind_comparisons
from pgemu.types.integers import check_length
from pgemu.types.numeric import rescale, unpack

LSN = re.compile(r"([0-9a-fA-F]{1,8})/([0-9a-fA-F]{1,8})")


class LsnType(BaseType):
    name = "pg_lsn"
    storage = "integer"

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        match = LSN.fullmatch(text)
        if match is None:
            raise PgError(
                INVALID_TEXT_REPRESENTATION, f'invalid input syntax for type pg_lsn: "{text}"'
            )
        return int(match[1], 16) << 32 | int(match[2], 16)

    def output(self, value: Any, ctx: CallContext) -> str:
        return f"{value >> 32:X}/{value & 0xFFFFFFFF:X}"

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> Value:
        check_length(data, 8)
        return int.from_bytes(data, "big")

    def send(self, value: Any, ctx: CallContext) -> bytes:
        return int(value).to_bytes(8, "big")


register_type(LsnType())
bind_comparisons(
    "pg_lsn_", "pg_lsn,pg_lsn", larger="pg_lsn_larger", smaller="pg_lsn_smaller", cmp="pg_lsn_cmp"
)


def checked(value: int) -> int:
    if 0 <= value < 1 << 64:
        return value
    raise PgError(NUMERIC_VALUE_OUT_OF_RANGE, "pg_lsn out of range")


def offset(text: str, word: str) -> int:
    if text == "NaN":
        raise PgError("0A000", f"cannot {word} NaN {'to' if word == 'add' else 'from'} pg_lsn")
    n, s = unpack(text)
    return rescale(n, s, 0)


pg_function("pg_lsn(numeric)")(lambda a: checked(offset(a, "convert")))
pg_function("pg_lsn_mi(pg_lsn,pg_lsn)", "pg_wal_lsn_diff(pg_lsn,pg_lsn)")(lambda a, b: str(a - b))
pg_function("pg_lsn_pli(pg_lsn,numeric)")(lambda a, b: checked(a + offset(b, "add")))
pg_function("numeric_pl_pg_lsn(numeric,pg_lsn)")(lambda b, a: checked(a + offset(b, "add")))
pg_function("pg_lsn_mii(pg_lsn,numeric)")(lambda a, b: checked(a - offset(b, "subtract")))
