"""Calls whose constant argument decides how SQLite computes them: AT TIME ZONE 'UTC', date_trunc
with a unit over a timestamp, fields and dates of timestamps.  Over timestamps with time zone this
is done if the session's zone has one offset only, as UTC has.

The constant becomes part of the statement's identity in the plan cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgemu.catalog.internal_function import FIRST_USER_OID
from pgemu.nodes import primnodes as p
from pgemu.nodes.walk import walk
from pgemu.planner import sql
from pgemu.planner.calls import lower_function
from pgemu.planner.sql import Sql
from pgemu.types.timezone import session_zone

if TYPE_CHECKING:
    from pgemu.planner.lowering import Lowering, Scope

# pg_proc: timezone(text, timestamptz), timezone(text, timestamp), date_trunc(text, timestamp),
# date_trunc(text, timestamptz), date_trunc(text, timestamptz, text), date(timestamp),
# date(timestamptz), set_config, extract(text, date), extract(text, timestamp) and date_part(...),
# extract(text, timestamptz) and date_part(...)
_ZONE_CALLS, _TRUNC, _TRUNC_LOCAL, _TRUNC_ZONE = (1159, 2069), 2020, 1217, 1284
_DATE, _DATE_LOCAL, _SET_CONFIG = 2029, 1178, 2078
_EXTRACT_DATE, _EXTRACT, _EXTRACT_LOCAL = 6199, (6202, 2021), (6203, 1171)
_DATE_PARTS = (2021, 1171)  # whose result is a float8
# fields of microseconds {0} and of seconds {1}, both from the year 1 on; no date has the last two
_FIELDS = {
    "year": "CAST(strftime('%Y', {1}, 'unixepoch') AS INTEGER)",
    "quarter": "(CAST(strftime('%m', {1}, 'unixepoch') AS INTEGER) + 2) / 3",
    "month": "CAST(strftime('%m', {1}, 'unixepoch') AS INTEGER)",
    "day": "CAST(strftime('%d', {1}, 'unixepoch') AS INTEGER)",
    "doy": "CAST(strftime('%j', {1}, 'unixepoch') AS INTEGER)",
    "dow": "({0} / 86400000000 + 1) % 7",
    "isodow": "{0} / 86400000000 % 7 + 1",
    "hour": "{0} / 3600000000 % 24",
    "minute": "{0} / 60000000 % 60",
}
_NOT_OF_DATES = ("hour", "minute")
_UTC = ("utc", "gmt", "z", "zulu", "uct", "etc/utc")
_FIXED_UNITS = {"second": 1_000_000, "minute": 60_000_000, "hour": 3_600_000_000}
_DAY = 86_400_000_000
_DAY_UNITS = {"day": _DAY, "week": 7 * _DAY}  # the first of January of the year 1 was a Monday
_CALENDAR_UNITS = {"month": "start of month", "year": "start of year"}
# microseconds from 0001-01-01 to 2000-01-01 and from 2000-01-01 to 10000-01-01: here SQLite's
# calendar works with whole seconds
_YEAR_1, _YEAR_10000 = 63_082_281_600_000_000, 252_455_616_000_000_000
_EPOCH = 946_684_800  # seconds from 1970 to 2000


def lower_by_constants(node: p.FuncExpr, low: Lowering, scope: Scope) -> Sql | None:
    if node.funcid in _ZONE_CALLS:
        return _at_utc(node, low, scope)
    if node.funcid in (_DATE, _DATE_LOCAL):
        return _date(node, low, scope)
    if node.funcid in (_TRUNC, _TRUNC_LOCAL, _TRUNC_ZONE):
        return _date_trunc(node, low, scope)
    if node.funcid == _EXTRACT_DATE or node.funcid in _EXTRACT + _EXTRACT_LOCAL:
        return _extract(node, low, scope)
    return None


def _at_utc(node: p.FuncExpr, low: Lowering, scope: Scope) -> Sql | None:
    name = _constant_text(node.args[0])
    if name is None:
        return None
    from pgemu.planner.expressions import lower

    _pin(node.args[0], low)
    return lower(node.args[1], low, scope) if name.lower() in _UTC else None


def _date_trunc(node: p.FuncExpr, low: Lowering, scope: Scope) -> Sql | None:
    unit = (_constant_text(node.args[0]) or "").lower()
    if unit not in _CALENDAR_UNITS and unit not in _FIXED_UNITS and unit not in _DAY_UNITS:
        return None
    east = 0
    if node.funcid == _TRUNC_ZONE:
        if (_constant_text(node.args[2]) or "").lower() not in _UTC:
            return None
        _pin(node.args[2], low)
    elif node.funcid == _TRUNC_LOCAL:
        found = _session_offset(low, scope)
        if found is None:
            return None
        east = found
    from pgemu.planner.expressions import lower

    _pin(node.args[0], low)
    args = [lower(arg, low, scope) for arg in node.args]
    body = lower_function(node, args, low)
    if not sql.is_column(args[1]):
        return body
    return sql.raw(_truncated(unit, sql.render(args[1]), east, sql.render(body)))


def _date(node: p.FuncExpr, low: Lowering, scope: Scope) -> Sql | None:
    """The date of a timestamp: whole days."""
    east = _session_offset(low, scope) if node.funcid == _DATE_LOCAL else 0
    if east is None:
        return None
    from pgemu.planner.expressions import lower

    arg = lower(node.args[0], low, scope)
    if not sql.is_column(arg):
        return None
    value = sql.render(arg)
    local = f"({value} + {_YEAR_1 + east})"
    body = sql.render(lower_function(node, [arg], low))
    days = f"{local} / {_DAY} - {_YEAR_1 // _DAY}"
    return sql.raw(f"CASE WHEN {_inside(value)} THEN {days} ELSE {body} END")


def _extract(node: p.FuncExpr, low: Lowering, scope: Scope) -> Sql | None:
    """A field that is a whole number."""
    unit = (_constant_text(node.args[0]) or "").lower()
    of_date = node.funcid == _EXTRACT_DATE
    if unit not in _FIELDS or (of_date and unit in _NOT_OF_DATES):
        return None
    east = _session_offset(low, scope) if node.funcid in _EXTRACT_LOCAL else 0
    if east is None:
        return None
    from pgemu.planner.expressions import lower

    _pin(node.args[0], low)
    args = [lower(arg, low, scope) for arg in node.args]
    body = lower_function(node, args, low)
    if not sql.is_column(args[1]):
        return body
    value = sql.render(args[1])
    if of_date:
        value = f"({value} * {_DAY})"
    local = f"({value} + {_YEAR_1 + east})"
    seconds = f"({local} / 1000000 - {_YEAR_1 // 1_000_000 - _EPOCH})"
    kind = "REAL" if node.funcid in _DATE_PARTS else "TEXT"
    result = f"CAST({_FIELDS[unit].format(local, seconds)} AS {kind})"
    return sql.raw(f"CASE WHEN {_inside(value)} THEN {result} ELSE {body} END")


def _session_offset(low: Lowering, scope: Scope) -> int | None:
    """Microseconds east of UTC of the session's time zone, if it has one offset for ever and
    stays what it is while the statement runs; a plan is good for one setting of it."""
    offset = session_zone(low.catalog.ctx).fixed_offset()
    top = scope
    while top.parent is not None:
        top = top.parent
    if offset is None or not top.query.rtable:  # without tables: an expression that is kept
        return None
    fixed = True

    def visit(item: object) -> bool | None:
        nonlocal fixed
        proc = getattr(item, "funcid", 0) or getattr(item, "opfuncid", 0)
        if proc == _SET_CONFIG or proc >= FIRST_USER_OID:
            fixed = False
        return None if fixed else False

    walk(top.query, visit)
    return offset * 1_000_000 if fixed else None


def _constant_text(node: p.Expr) -> str | None:
    return node.value if isinstance(node, p.Const) and isinstance(node.value, str) else None


def _pin(constant: p.Expr, low: Lowering) -> None:
    assert isinstance(constant, p.Const)
    if constant.literal_location is not None:
        low.used_literals.add(constant.literal_location)


def _inside(value: str) -> str:
    """Within the years 1 to 9999, and a day away from their ends."""
    return f"{value} >= -{_YEAR_1 - _DAY} AND {value} < {_YEAR_10000 - _DAY}"


def _truncated(unit: str, value: str, east: int, body: str) -> str:
    """Within the years 1 to 9999 arithmetic, else (and for NULL) the body."""
    local = f"({value} + {_YEAR_1 + east})"
    if unit in _CALENDAR_UNITS:
        seconds = f"({local} / 1000000 - {_YEAR_1 // 1_000_000 - _EPOCH})"
        start = f"unixepoch({seconds}, 'unixepoch', '{_CALENDAR_UNITS[unit]}')"
        result = f"({start} - {_EPOCH + east // 1_000_000}) * 1000000"
    else:
        size = _FIXED_UNITS.get(unit) or _DAY_UNITS[unit]
        result = f"({value} - {local} % {size})"
    return f"CASE WHEN {_inside(value)} THEN {result} ELSE {body} END"
