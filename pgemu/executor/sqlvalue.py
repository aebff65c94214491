"""CURRENT_DATE, CURRENT_TIMESTAMP(n), CURRENT_USER and the others that are grammar, not calls."""

from __future__ import annotations

from typing import Any

from pgemu.fmgr import CallContext, TypeInfo, functions
from pgemu.nodes.primnodes import Value

TIMESTAMPTZ, TIMESTAMP, DATE, TIME, TIMETZ = 1184, 1114, 1082, 1083, 1266
_TYPES = {
    "SVFOP_CURRENT_DATE": DATE,
    "SVFOP_CURRENT_TIME": TIMETZ,
    "SVFOP_CURRENT_TIME_N": TIMETZ,
    "SVFOP_CURRENT_TIMESTAMP": TIMESTAMPTZ,
    "SVFOP_CURRENT_TIMESTAMP_N": TIMESTAMPTZ,
    "SVFOP_LOCALTIME": TIME,
    "SVFOP_LOCALTIME_N": TIME,
    "SVFOP_LOCALTIMESTAMP": TIMESTAMP,
    "SVFOP_LOCALTIMESTAMP_N": TIMESTAMP,
}
# type -> the cast from timestamptz that computes it in the session's time zone
_CASTS = {
    DATE: "date(timestamptz)",
    TIME: "time(timestamptz)",
    TIMETZ: "timetz(timestamptz)",
    TIMESTAMP: "timestamp(timestamptz)",
}


def sql_value(ctx: CallContext, catalog: Any, op: str, typmod: int) -> Value:
    """The value of one; times are those of the transaction's start."""
    wanted = _TYPES.get(op)
    if wanted is not None:
        return _time_value(ctx, wanted, typmod)
    if op in ("SVFOP_CURRENT_ROLE", "SVFOP_CURRENT_USER", "SVFOP_USER"):
        return ctx.current_user
    if op == "SVFOP_SESSION_USER":
        return ctx.session_user
    if op == "SVFOP_CURRENT_CATALOG":
        return ctx.database
    body = functions["current_schema()"]
    value: Value = body.body(ctx) if body.context else body.body()
    return value


def _time_value(ctx: CallContext, wanted: int, typmod: int) -> Value:
    stamp: Any = ctx.xact_start_us
    if wanted != TIMESTAMPTZ:
        binding = functions[_CASTS[wanted]]
        first: list[Any] = [ctx] if binding.context else []
        if binding.typed:
            first.append(TypeInfo((TIMESTAMPTZ,), wanted))
        stamp = binding.body(*first, stamp)
    if 0 <= typmod < 6 and wanted != DATE:
        unit = 10 ** (6 - typmod)
        if isinstance(stamp, int):
            return int((stamp + unit // 2) // unit * unit)
        usecs, _, zone = str(stamp).partition(" ")
        return f"{(int(usecs) + unit // 2) // unit * unit} {zone}"
    value: Value = stamp
    return value
