"""jsonb scalars to bool and the numbers (PostgreSQL: jsonb_bool, jsonb_int4 and their kin)."""

from __future__ import annotations

from typing import Any

from pgemu.errors import INVALID_PARAMETER_VALUE, PgError
from pgemu.fmgr import CallContext, pg_function
from pgemu.types.base import base_types
from pgemu.types.json_parse import load_jsonb, number_text
from pgemu.types.json_types import type_rank

KINDS = {0: "null", 1: "string", 2: "numeric", 3: "boolean", 4: "array", 5: "object"}


def scalar(doc: str, rank: int, type_name: str) -> Any:
    """The value of a document that must be a scalar of one kind."""
    value = load_jsonb(doc)
    found = type_rank(value)
    if found != rank:
        raise PgError(
            INVALID_PARAMETER_VALUE, f"cannot cast jsonb {KINDS[found]} to type {type_name}"
        )
    return value


@pg_function("bool(jsonb)")
def jsonb_bool(doc: str) -> bool:
    return bool(scalar(doc, 3, "boolean"))


@pg_function("numeric(jsonb)")
def jsonb_numeric(doc: str) -> str:
    return number_text(scalar(doc, 2, "numeric"))


for _name, _sql_name, _low in (
    ("int2", "smallint", 15),
    ("int4", "integer", 31),
    ("int8", "bigint", 63),
):

    def _integer(doc: str, sql_name: str = _sql_name, bits: int = _low) -> int:
        from decimal import ROUND_HALF_UP, Decimal

        value = scalar(doc, 2, sql_name)
        whole = int(Decimal(value).to_integral_value(ROUND_HALF_UP))
        if not -(2**bits) <= whole < 2**bits:
            raise PgError("22003", f"{sql_name} out of range")
        return whole

    pg_function(f"{_name}(jsonb)")(_integer)

for _name, _sql_name in (("float4", "real"), ("float8", "double precision")):

    def _float(ctx: CallContext, doc: str, name: str = _name, sql_name: str = _sql_name) -> Any:
        return base_types[name].input(number_text(scalar(doc, 2, sql_name)), -1, ctx)

    pg_function(f"{_name}(jsonb)", context=True)(_float)
