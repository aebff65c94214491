"""The extension tablefunc: normal_rand (PostgreSQL: contrib/tablefunc).

crosstab and connectby, which run queries that they are given, have no bodies yet.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from pgemu.errors import INVALID_PARAMETER_VALUE, PgError
from pgemu.fmgr import pg_function


@pg_function("normal_rand(int4, float8, float8)")
def normal_rand(count: int, mean: float, deviation: float) -> Iterator[float]:
    if count < 0:
        raise PgError(INVALID_PARAMETER_VALUE, "number of rows cannot be negative")
    for _ in range(count):
        yield random.gauss(mean, deviation)
