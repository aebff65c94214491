"""Window function calls: SQLite's own window functions, or Python aggregates over a frame."""

from __future__ import annotations

from pgemu.errors import FEATURE_NOT_SUPPORTED, PgError
from pgemu.nodes import expr_type
from pgemu.nodes import primnodes as p
from pgemu.nodes.parsenodes import WindowClause
from pgemu.planner import sql
from pgemu.planner.aggregates import scaled_calls, whole_number_calls
from pgemu.planner.expressions import handler, lower, lower_qual
from pgemu.planner.lowering import Lowering, Scope, type_infos
from pgemu.planner.scaled import scaled_column
from pgemu.planner.sql import Sql

# SQLite has these with PostgreSQL's meaning, by pg_proc.prosrc without "window_"
_NATIVE = {
    "row_number",
    "rank",
    "dense_rank",
    "percent_rank",
    "cume_dist",
    "ntile",
    "first_value",
    "last_value",
    "nth_value",
    "lag",
    "lead",
}
_NATIVE_AGGREGATES = {("sum", "int2"), ("sum", "int4")}
_BOUNDS = {
    "unbounded_preceding": "UNBOUNDED PRECEDING",
    "current_row": "CURRENT ROW",
    "unbounded_following": "UNBOUNDED FOLLOWING",
}
INTERVALOID, USECS_PER_DAY = 1186, 86_400_000_000
_EXCLUSIONS = {
    "current_row": " EXCLUDE CURRENT ROW",
    "group": " EXCLUDE GROUP",
    "ties": " EXCLUDE TIES",
}


@handler(p.WindowFunc)
def lower_window_func(node: p.WindowFunc, low: Lowering, scope: Scope) -> Sql:
    clause = next(w for w in scope.query.window_clause if w.winref == node.winref)
    args = [lower(arg, low, scope) for arg in node.args]
    finish, calls = _made_of_native(node, args, low, scope) or ("", [_call(node, args, low)])
    if node.aggfilter is not None:
        condition = lower_qual(node.aggfilter, low, scope)
        assert condition is not None
        calls = [sql.filtered(call, condition) for call in calls]
    partition = [_key(c.tle_sort_group_ref, low, scope) for c in clause.partition_clause]
    order = [
        sql.ordered(_key(c.tle_sort_group_ref, low, scope), c.descending, c.nulls_first)
        for c in clause.order_clause
    ]
    frame = _frame(clause, low, scope)
    values = [sql.window(call, partition, order, frame) for call in calls]
    return sql.func(finish, *values) if finish else values[0]


def _made_of_native(
    node: p.WindowFunc, args: list[Sql], low: Lowering, scope: Scope
) -> tuple[str, list[Sql]] | None:
    """(function, SQLite aggregates over the frame that it gets the values of)."""
    if not node.winagg or len(args) != 1:
        return None
    proc = low.proc(node.winfnoid)
    scaled = scaled_calls(proc, node.args[0], args[0], low, scope)
    if scaled is not None:
        return scaled
    return whole_number_calls(proc, expr_type(node.args[0]), args[0], low)


def _call(node: p.WindowFunc, args: list[Sql], low: Lowering) -> Sql:
    proc = low.proc(node.winfnoid)
    arg_types = [expr_type(a) for a in node.args]
    if proc.pronamespace == 11:
        if not node.winagg and proc.proname in _NATIVE:
            if proc.proname in ("ntile", "nth_value"):
                checked = low.binder.special("window_argument", proc.proname)
                args[-1] = sql.func(checked, args[-1])
            return sql.func(proc.proname, *args)
        if proc.proname == "count":
            return sql.func("count", *(args or [sql.raw("*")]))
        if args and (proc.proname, low.io(arg_types[0]).name) in _NATIVE_AGGREGATES:
            return sql.func(proc.proname, *args)
        if args and proc.proname in ("min", "max"):
            return sql.func(proc.proname, low.comparable(args[0], arg_types[0]))
    if not node.winagg:
        raise PgError(FEATURE_NOT_SUPPORTED, f"window function {proc.proname} is not supported yet")
    info = type_infos(arg_types, node.wintype, node.inputcollid)
    return sql.func(low.binder.window(proc, info), *args)


def _key(ref: int, low: Lowering, scope: Scope) -> Sql:
    entry = next(t for t in scope.query.target_list if t.ressortgroupref == ref)
    scaled = scaled_column(entry.expr, low, scope)
    if scaled is not None:
        return scaled[0]
    return low.comparable(lower(entry.expr, low, scope), expr_type(entry.expr))


def _frame(clause: WindowClause, low: Lowering, scope: Scope) -> str:
    if clause.frame_default:
        return ""
    if clause.frame_mode == "range" and (clause.start_offset or clause.end_offset):
        _check_range_offset(clause, low, scope)
    start = _bound(clause.frame_start, clause.start_offset, clause, low, scope)
    end = _bound(clause.frame_end, clause.end_offset, clause, low, scope)
    exclusion = _EXCLUSIONS.get(clause.frame_exclusion, "")
    return f"{clause.frame_mode.upper()} BETWEEN {start} AND {end}{exclusion}"


def _bound(
    kind: str, offset: p.Expr | None, clause: WindowClause, low: Lowering, scope: Scope
) -> str:
    if kind in _BOUNDS:
        return _BOUNDS[kind]
    assert offset is not None
    # SQLite takes constants and parameters only here, and tests them itself (sqlite_errors.py)
    number = _interval_offset(offset, clause, low, scope)
    value = sql.render(lower(offset, low, scope)) if number is None else str(number)
    if not value.lstrip("?").replace(".", "", 1).isdigit():
        raise PgError(FEATURE_NOT_SUPPORTED, "this frame offset is not supported yet")
    return f"{value} {'PRECEDING' if kind == 'offset_preceding' else 'FOLLOWING'}"


def _order_type(clause: WindowClause, scope: Scope) -> int:
    ref = clause.order_clause[0].tle_sort_group_ref
    return expr_type(next(t for t in scope.query.target_list if t.ressortgroupref == ref).expr)


def _interval_offset(
    offset: p.Expr | None, clause: WindowClause, low: Lowering, scope: Scope
) -> float | int | None:
    """A constant interval as a distance of stored dates (days) or timestamps (microseconds);
    None when it has no fixed length."""
    if not isinstance(offset, p.Const) or offset.consttype != INTERVALOID or not offset.value:
        return None
    kind = low.io(_order_type(clause, scope)).name
    months, days, usecs = (int(part) for part in str(offset.value).split())
    if months or kind not in ("date", "timestamp", "timestamptz"):
        return None
    if kind == "timestamptz" and days:
        return None  # a day's length depends on the time zone
    if offset.literal_location is not None:
        low.used_literals.add(offset.literal_location)
    total = days * USECS_PER_DAY + usecs
    if total < 0:
        return None
    if kind != "date":
        return total
    return total // USECS_PER_DAY if total % USECS_PER_DAY == 0 else total / USECS_PER_DAY


def _check_range_offset(clause: WindowClause, low: Lowering, scope: Scope) -> None:
    """SQLite adds the offset to the stored value: right for numbers that are stored as numbers."""
    ref = clause.order_clause[0].tle_sort_group_ref
    entry = next(t for t in scope.query.target_list if t.ressortgroupref == ref)
    if low.io(expr_type(entry.expr)).storage not in ("integer", "real"):
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "RANGE with offset PRECEDING/FOLLOWING is not supported yet for this column type",
        )
    for offset in (clause.start_offset, clause.end_offset):
        if _interval_offset(offset, clause, low, scope) is not None:
            continue
        if offset is not None and low.io(expr_type(offset)).storage not in ("integer", "real"):
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                "RANGE with offset PRECEDING/FOLLOWING is not supported yet for this offset type",
            )
