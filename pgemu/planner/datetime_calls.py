"""Calls whose constant argument decides how SQLite computes them: AT TIME ZONE 'UTC' and
date_trunc with a unit over a timestamp.

The constant becomes part of the statement's identity in the plan cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgemu.nodes import primnodes as p
from pgemu.planner import sql
from pgemu.planner.calls import lower_function
from pgemu.planner.sql import Sql

if TYPE_CHECKING:
    from pgemu.planner.lowering import Lowering, Scope

# pg_proc: timezone(text, timestamptz), timezone(text, timestamp), date_trunc(text, timestamp)
_ZONE_CALLS, _TRUNC = (1159, 2069), 2020
_UTC = ("utc", "gmt", "z", "zulu", "uct", "etc/utc")
_FIXED_UNITS = {"second": 1_000_000, "minute": 60_000_000, "hour": 3_600_000_000}
_DAY = 86_400_000_000
_CALENDAR_UNITS = {"month": "start of month", "year": "start of year"}
# microseconds from 0001-01-01 to 2000-01-01 and from 2000-01-01 to 10000-01-01: here SQLite's
# calendar works with whole seconds
_YEAR_1, _YEAR_10000 = 63_082_281_600_000_000, 252_455_616_000_000_000
_EPOCH = 946_684_800  # seconds from 1970 to 2000


def lower_by_constants(node: p.FuncExpr, low: Lowering, scope: Scope) -> Sql | None:
    if node.funcid not in _ZONE_CALLS and node.funcid != _TRUNC:
        return None
    constant = node.args[0]
    if not isinstance(constant, p.Const) or not isinstance(constant.value, str):
        return None
    from pgemu.planner.expressions import lower

    name = constant.value.lower()
    if node.funcid in _ZONE_CALLS:
        _pin(constant, low)
        return lower(node.args[1], low, scope) if name in _UTC else None
    if name not in _CALENDAR_UNITS and name not in _FIXED_UNITS and name != "day":
        return None
    _pin(constant, low)
    value = lower(node.args[1], low, scope)
    if not sql.is_column(value):
        return lower_function(node, [lower(constant, low, scope), value], low)
    body = lower_function(node, [lower(constant, low, scope), value], low)
    return sql.raw(_truncated(name, sql.render(value), sql.render(body)))


def _pin(constant: p.Const, low: Lowering) -> None:
    if constant.literal_location is not None:
        low.used_literals.add(constant.literal_location)


def _truncated(unit: str, value: str, body: str) -> str:
    """Within the years 1 to 9999 arithmetic, else (and for NULL) the body."""
    seconds = f"(({value} + {_YEAR_1}) / 1000000 - {_YEAR_1 // 1_000_000 - _EPOCH})"
    if unit in _CALENDAR_UNITS:
        start = f"unixepoch({seconds}, 'unixepoch', '{_CALENDAR_UNITS[unit]}')"
        result = f"({start} - {_EPOCH}) * 1000000"
    else:
        size = _FIXED_UNITS.get(unit, _DAY)
        result = f"({value} - ({value} + {_YEAR_1}) % {size})"
    inside = f"{value} >= -{_YEAR_1} AND {value} < {_YEAR_10000}"
    return f"CASE WHEN {inside} THEN {result} ELSE {body} END"
