"""oidvector comparisons (PostgreSQL: utils/adt/oid.c): the shorter is the smaller."""

from __future__ import annotations

from pgemu.fmgr import CallContext, pg_function
from pgemu.types.arrays_value import load_flat
from pgemu.types.comparison import bind_comparisons, native_compare


def compare_oidvector(a: str, b: str) -> int:
    x, y = load_flat(a), load_flat(b)
    if len(x) != len(y):
        return len(x) - len(y)
    return native_compare(x, y)


bind_comparisons("oidvector", "oidvector,oidvector", compare_oidvector, cmp="btoidvectorcmp")


@pg_function("oidvectortypes(oidvector)", context=True)
def oidvectortypes(ctx: CallContext, value: str) -> str:
    return ", ".join(ctx.catalog.type_name(oid) for oid in load_flat(value))
