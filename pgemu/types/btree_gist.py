"""The extension btree_gist: distances of values (PostgreSQL: contrib/btree_gist).

Its operator classes let EXCLUDE constraints compare plain values; the functions behind them have no
bodies, and the distances of dates and times neither.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pgemu.errors import NUMERIC_VALUE_OUT_OF_RANGE, PgError
from pgemu.fmgr import pg_function


def _integer_distance(bits: int, type_name: str) -> Callable[[Any, Any], int]:
    def distance(a: int, b: int) -> int:
        found = abs(a - b)
        if found >= 1 << (bits - 1):
            raise PgError(NUMERIC_VALUE_OUT_OF_RANGE, f"{type_name} out of range")
        return found

    return distance


for _name, _bits, _type in (
    ("int2", 16, "smallint"),
    ("int4", 32, "integer"),
    ("int8", 64, "bigint"),
):
    pg_function(f"{_name}_dist({_name}, {_name})")(_integer_distance(_bits, _type))


@pg_function("oid_dist(oid, oid)")
def oid_dist(a: int, b: int) -> int:
    return abs(a - b)


@pg_function("date_dist(date, date)")
def date_dist(a: int, b: int) -> int:
    """The days between."""
    return abs(a - b)
