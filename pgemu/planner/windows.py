"""Window function calls: SQLite's own window functions, or Python aggregates over a frame.

A frame that SQLite cannot express is computed by the executor over the whole partition
(executor/windowframes.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from pgemu.catalog.rows import PgAggregate
from pgemu.errors import FEATURE_NOT_SUPPORTED, PgError
from pgemu.nodes import expr_collation, expr_type
from pgemu.nodes import primnodes as p
from pgemu.nodes.parsenodes import WindowClause
from pgemu.nodes.walk import walk
from pgemu.planner import sql
from pgemu.planner.aggregates import scaled_calls, whole_number_calls
from pgemu.planner.expressions import handler, lower, lower_qual
from pgemu.planner.lowering import FIRST_USER_OID, Lowering, Scope, type_infos
from pgemu.planner.scaled import scaled_column
from pgemu.planner.sql import Sql

# SQLite has these with PostgreSQL's meaning, by pg_proc.prosrc without "window_"
_NATIVE = {
    "row_number",
    "rank",
    "dense_rank",
    "percent_rank",
    "cume_dist",
    "first_value",
    "last_value",
    "lag",
    "lead",
}
_OWN = {"ntile", "nth_value"}
_FRAMED = {"first_value", "last_value", "nth_value"}
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


@dataclass(frozen=True, slots=True)
class FrameSpec:
    """A frame for the executor.  start and end as in WindowClause; start_test and end_test are
    the in_range functions of RANGE with an offset; moving: a user's aggregate may use its
    moving-aggregate functions."""

    mode: str
    start: str
    end: str
    exclusion: str
    start_test: int
    end_test: int
    collation: int
    ascending: bool
    nulls_first: bool
    key_types: tuple[int, ...]
    aggregate: bool
    moving: bool


@handler(p.WindowFunc)
def lower_window_func(node: p.WindowFunc, low: Lowering, scope: Scope) -> Sql:
    clause = next(w for w in scope.query.window_clause if w.winref == node.winref)
    args = [lower(arg, low, scope) for arg in node.args]
    partition = [_key(c.tle_sort_group_ref, low, scope) for c in clause.partition_clause]
    order = [
        sql.ordered(_key(c.tle_sort_group_ref, low, scope), c.descending, c.nulls_first)
        for c in clause.order_clause
    ]
    name = low.proc(node.winfnoid).proname
    framed = node.winagg or name in _FRAMED
    condition = lower_qual(node.aggfilter, low, scope) if node.aggfilter is not None else None
    if (not node.winagg and name in _OWN) or _needs_executor(node, clause, low, scope):
        call = _executor_call(node, args, condition, clause, low, scope)
        return sql.window(call, partition, order, _WHOLE_PARTITION)
    finish, calls = _made_of_native(node, args, low, scope) or ("", [_call(node, args, low)])
    if condition is not None:
        calls = [sql.filtered(call, condition) for call in calls]
    frame = _frame(clause, low, scope) if framed else ""
    values = [sql.window(call, partition, order, frame) for call in calls]
    return sql.func(finish, *values) if finish else values[0]


_WHOLE_PARTITION = "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING"


def _needs_executor(node: p.WindowFunc, clause: WindowClause, low: Lowering, scope: Scope) -> bool:
    """SQLite has no such frame, or the aggregate has functions for moving frames."""
    if node.winagg:
        if _moves(node, clause, low):
            return True
    elif low.proc(node.winfnoid).proname not in _FRAMED:
        return False
    return not all(
        offset is None or _is_native_offset(offset, clause, low, scope)
        for offset in (clause.start_offset, clause.end_offset)
    )


def _moves(node: p.WindowFunc, clause: WindowClause, low: Lowering) -> bool:
    """initialize_peragg: whether the moving-aggregate functions are used.  Those of built-in
    aggregates give what the plain ones give."""
    if node.winfnoid < FIRST_USER_OID:
        return False
    row = low.catalog.get(PgAggregate, aggfnoid=node.winfnoid)
    if not row.aggminvtransfn:
        return False
    if row.aggmfinalmodify == "r" and row.aggfinalmodify != "r":
        return True
    if clause.frame_start == "unbounded_preceding":
        return False
    may_restart = True

    def visit(item: object) -> bool:
        nonlocal may_restart
        oid = item.funcid if isinstance(item, p.FuncExpr) else 0
        if isinstance(item, p.OpExpr):
            oid = item.opfuncid
        if isinstance(item, p.SubLink) or (oid and low.proc(oid).provolatile == "v"):
            may_restart = False
        return may_restart

    walk([*node.args, node.aggfilter], visit)
    return may_restart


def _is_native_offset(offset: p.Expr, clause: WindowClause, low: Lowering, scope: Scope) -> bool:
    """A constant that SQLite adds to a stored number as PostgreSQL does."""
    if not isinstance(offset, p.Const) or offset.value is None:
        return False
    if clause.frame_mode != "range":
        return True
    if _interval_offset(offset, clause, low, scope) is not None:
        return True
    kinds = ("int2", "int4", "int8")
    return (
        low.io(_order_type(clause, scope)).name in kinds and low.io(offset.consttype).name in kinds
    )


def _executor_call(
    node: p.WindowFunc,
    args: list[Sql],
    condition: Sql | None,
    clause: WindowClause,
    low: Lowering,
    scope: Scope,
) -> Sql:
    entries = [_entry(c.tle_sort_group_ref, scope) for c in clause.order_clause]
    spec = FrameSpec(
        clause.frame_mode,
        clause.frame_start,
        clause.frame_end,
        clause.frame_exclusion,
        clause.start_in_range_func,
        clause.end_in_range_func,
        clause.in_range_coll,
        clause.in_range_asc,
        clause.in_range_nulls_first,
        tuple(expr_type(entry) for entry in entries),
        node.winagg,
        node.winagg and _moves(node, clause, low),
    )
    arg_types = [expr_type(a) for a in node.args]
    info = type_infos(arg_types, node.wintype, node.inputcollid)
    name = low.binder.frame(low.proc(node.winfnoid), info, spec)
    offsets = [
        sql.NULL if offset is None else lower(offset, low, scope)
        for offset in (clause.start_offset, clause.end_offset)
    ]
    keys = [lower(entry, low, scope) for entry in entries]
    return sql.func(name, *offsets, condition or sql.integer(1), *keys, *args)


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
            return sql.func(proc.proname, *args)
        if proc.proname == "count":
            return sql.func("count", *(args or [sql.raw("*")]))
        if args and (proc.proname, low.io(arg_types[0]).name) in _NATIVE_AGGREGATES:
            return sql.func(proc.proname, *args)
        if args and proc.proname in ("min", "max"):
            return sql.func(proc.proname, low.comparable(args[0], arg_types[0], node.inputcollid))
    if not node.winagg:
        raise PgError(FEATURE_NOT_SUPPORTED, f"window function {proc.proname} is not supported yet")
    info = type_infos(arg_types, node.wintype, node.inputcollid)
    return sql.func(low.binder.window(proc, info), *args)


def _entry(ref: int, scope: Scope) -> p.Expr:
    return next(t for t in scope.query.target_list if t.ressortgroupref == ref).expr


def _key(ref: int, low: Lowering, scope: Scope) -> Sql:
    entry = _entry(ref, scope)
    scaled = scaled_column(entry, low, scope)
    if scaled is not None:
        return scaled[0]
    return low.comparable(lower(entry, low, scope), expr_type(entry), expr_collation(entry))


def _frame(clause: WindowClause, low: Lowering, scope: Scope) -> str:
    if clause.frame_default:
        return ""
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
    # SQLite tests for itself that it is not negative (sqlite_errors.py)
    number = _interval_offset(offset, clause, low, scope)
    value = sql.render(lower(offset, low, scope)) if number is None else str(number)
    return f"{value} {'PRECEDING' if kind == 'offset_preceding' else 'FOLLOWING'}"


def _order_type(clause: WindowClause, scope: Scope) -> int:
    return expr_type(_entry(clause.order_clause[0].tle_sort_group_ref, scope))


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
