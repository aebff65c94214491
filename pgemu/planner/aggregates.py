"""Aggregate calls.

count, min, max, sum of small integers and the boolean ones are SQLite's own; sums and averages of
integer and numeric columns are made of SQLite's sums (scaled.py has the numeric ones); the others
are Python aggregates bound to their pg_aggregate rows.  DISTINCT sorts in PostgreSQL, so an ORDER
BY is added to it; DISTINCT over several arguments is done by the body's wrapper, as SQLite takes
one only.
"""

from __future__ import annotations

from pgemu.catalog.rows import PgAggregate, PgProc
from pgemu.fmgr import TypeInfo
from pgemu.nodes import expr_collation, expr_type
from pgemu.nodes import primnodes as p
from pgemu.parser.parse_agg import resolve_aggregate_transtype
from pgemu.planner import sql
from pgemu.planner.calls import with_blanks
from pgemu.planner.expressions import handler, lower, lower_qual
from pgemu.planner.lowering import FIRST_USER_OID, Lowering, Scope, type_infos
from pgemu.planner.scaled import scaled_column, scaled_sum
from pgemu.planner.sql import Sql

INTERNALOID = 2281
HALF = 32  # bits of an int8 that are summed by themselves
# (proname, first argument's typname) -> SQLite aggregate with PostgreSQL's result
_NATIVE = {
    ("sum", "int2"): "sum",
    ("sum", "int4"): "sum",
    ("bool_and", "bool"): "min",
    ("every", "bool"): "min",
    ("bool_or", "bool"): "max",
}


@handler(p.Aggref)
def lower_aggref(node: p.Aggref, low: Lowering, scope: Scope) -> Sql:
    # the arguments belong to the query the aggregate belongs to only if agglevelsup is 0;
    # SQLite finds the level by the columns, as PostgreSQL does
    args = [lower(t.expr, low, scope) for t in node.args if not t.resjunk]
    direct = [lower(d, low, scope) for d in node.aggdirectargs]
    scaled = _scaled_call(node, args, low, scope)
    if scaled is not None:
        return scaled
    whole = _whole_call(node, args, low)
    if whole is not None:
        finish, calls = whole
        return sql.func(finish, *[_filtered(call, node, low, scope) for call in calls])
    shared = _shared_state(node, low)
    if shared is not None:
        final, state = shared
        call = _bound_call(node, args, direct, low, scope, state=state)
        extra = [sql.NULL] * (len(final[1].arg_types) - 1)
        return sql.func(low.binder.scalar(*final), _filtered(call, node, low, scope), *extra)
    call = _native_call(node, args, low)
    if call is None:
        call = _bound_call(node, args, direct, low, scope)
        if direct:
            # without a row there are no direct arguments
            empty = low.binder.special("empty_set", node.aggfnoid, _info(node))
            call = _filtered(call, node, low, scope)
            return sql.func("coalesce", call, sql.func(empty, *direct))
    return _filtered(call, node, low, scope)


def _shared_state(node: p.Aggref, low: Lowering) -> tuple[tuple[PgProc, TypeInfo], int] | None:
    """((final function, its types), type of the state) of a user's aggregate that is lowered as
    its final function over its state: SQLite computes once what two aggregates then have in
    common (find_compatible_trans)."""
    if node.aggfnoid < FIRST_USER_OID or node.aggkind != "n":
        return None
    row = low.catalog.get(PgAggregate, aggfnoid=node.aggfnoid)
    if not row.aggfinalfn or row.aggfinalmodify == "w" or row.aggtranstype == INTERNALOID:
        return None
    info = _info(node)
    state = resolve_aggregate_transtype(low.catalog, row, info.arg_types, info.result_type)
    given = info.arg_types if row.aggfinalextra else ()
    types = type_infos((state, *given), info.result_type, info.collation)
    return (low.proc(row.aggfinalfn), types), state


def _filtered(call: Sql, node: p.Aggref, low: Lowering, scope: Scope) -> Sql:
    if node.aggfilter is None:
        return call
    condition = lower_qual(node.aggfilter, low, scope)
    assert condition is not None
    return sql.filtered(call, condition)


def _scaled_call(node: p.Aggref, args: list[Sql], low: Lowering, scope: Scope) -> Sql | None:
    if node.aggdistinct or node.agglevelsup or len(node.args) != 1:
        return None
    arg = node.args[0].expr
    found = scaled_calls(low.proc(node.aggfnoid), arg, args[0], low, scope)
    if found is None:
        return None
    finish, calls = found
    return sql.func(finish, *[_filtered(call, node, low, scope) for call in calls])


def scaled_calls(
    proc: PgProc, arg: p.Expr, lowered: Sql, low: Lowering, scope: Scope
) -> tuple[str, list[Sql]] | None:
    """(function, SQLite aggregates that it gets the values of) for min, max, sum or avg of a
    numeric column: aggregates over its scaled integers."""
    if proc.pronamespace != 11:
        return None
    if proc.proname in ("min", "max"):
        column = scaled_column(arg, low, scope)
        if column is None:
            return None
        calls, scale = [sql.func(proc.proname, column[0])], column[1]
    elif proc.proname in ("sum", "avg"):
        sums = scaled_sum(arg, low, scope)
        if sums is None:
            return None
        calls, scale = sums
        if proc.proname == "avg":
            calls.append(sql.func("count", lowered))
    else:
        return None
    return low.binder.special(f"scaled_{proc.proname}", scale), calls


def _whole_call(node: p.Aggref, args: list[Sql], low: Lowering) -> tuple[str, list[Sql]] | None:
    if node.aggdistinct or node.aggkind != "n" or len(args) != 1:
        return None
    return whole_number_calls(low.proc(node.aggfnoid), expr_type(node.args[0].expr), args[0], low)


def whole_number_calls(
    proc: PgProc, arg_type: int, arg: Sql, low: Lowering
) -> tuple[str, list[Sql]] | None:
    """(function, SQLite aggregates that it gets the values of) for sum and avg of a column of
    integers whose results are numeric.  Sums of the high and the low half of an int8 cannot
    overflow before there are billions of rows."""
    if proc.pronamespace != 11 or not sql.is_column(arg):
        return None
    kind = low.io(arg_type).name
    if proc.proname == "sum" and kind == "int8":
        calls = []
    elif proc.proname == "avg" and kind in ("int2", "int4", "int8"):
        calls = [sql.func("count", arg)]
    else:
        return None
    if kind == "int8":
        text = sql.render(arg)
        calls += [sql.raw(f"sum({text} >> {HALF})"), sql.raw(f"sum({text} & {2**HALF - 1})")]
    else:
        calls.append(sql.func("sum", arg))
    return low.binder.special(f"whole_{proc.proname}", HALF), calls


def _native_call(node: p.Aggref, args: list[Sql], low: Lowering) -> Sql | None:
    proc = low.proc(node.aggfnoid)
    if proc.pronamespace != 11 or node.aggkind != "n":
        return None
    distinct = bool(node.aggdistinct)
    if proc.proname == "count":
        if not args:
            return sql.func("count", sql.raw("*"))
        first = node.args[0].expr
        arg = args[0]
        if distinct:
            arg = low.comparable(arg, expr_type(first), expr_collation(first))
        return _call("count", [arg], distinct)
    if not args:
        return None
    arg_type = expr_type(node.args[0].expr)
    if proc.proname in ("min", "max"):
        return sql.func(proc.proname, low.comparable(args[0], arg_type, node.inputcollid))
    name = _NATIVE.get((proc.proname, low.io(arg_type).name))
    return _call(name, args, distinct) if name is not None else None


def _call(name: str, args: list[Sql], distinct: bool) -> Sql:
    if distinct:
        return sql.func(name, sql.distinct_argument(args))
    return sql.func(name, *args)


def _bound_call(
    node: p.Aggref,
    args: list[Sql],
    direct: list[Sql],
    low: Lowering,
    scope: Scope,
    *,
    state: int = 0,
) -> Sql:
    """state: the type of the state, if that is to be the result."""
    proc = low.proc(node.aggfnoid)
    args = with_blanks(proc, [t.expr for t in node.args if not t.resjunk], args, low)
    arg_types = [expr_type(t.expr) for t in node.args if not t.resjunk]
    info = _info(node)
    if state:
        info = type_infos(info.arg_types, state, info.collation)
    wrapped_distinct = bool(node.aggdistinct) and len(args) > 1
    ordering: tuple[tuple[bool, bool], ...] = ()
    if node.aggkind == "h":
        ordering = tuple((c.descending, c.nulls_first) for c in node.aggorder)
    name = low.binder.aggregate(
        proc,
        info,
        distinct=wrapped_distinct,
        ndirect=len(direct),
        ordering=ordering,
        transition=bool(state),
    )
    order = _order(node, low, scope) if _sorts(node, low) else []
    inputs = [*args, *direct]
    if node.aggdistinct and not wrapped_distinct:
        inputs[0] = low.comparable(inputs[0], arg_types[0], expr_collation(node.args[0].expr))
        if len(inputs) == 1:
            inputs = [sql.distinct_argument(inputs)]
    if order:
        inputs[-1] = sql.ordered_argument(inputs[-1], order)
    return sql.func(name, *inputs)


def _info(node: p.Aggref) -> TypeInfo:
    inputs = [*node.aggdirectargs, *(t.expr for t in node.args if not t.resjunk)]
    return type_infos([expr_type(one) for one in inputs], node.aggtype, node.inputcollid)


def _sorts(node: p.Aggref, low: Lowering) -> bool:
    """It is the transition function of an ordered-set aggregate that sorts, not the executor:
    one that keeps no state of type internal gets its input as it comes."""
    if node.aggkind == "n" or node.aggfnoid < FIRST_USER_OID:
        return True
    row = low.catalog.get(PgAggregate, aggfnoid=node.aggfnoid)
    return bool(row.aggtranstype == INTERNALOID)


def _order(node: p.Aggref, low: Lowering, scope: Scope) -> list[Sql]:
    by_ref = {t.ressortgroupref: t for t in node.args if t.ressortgroupref}
    items = []
    for clause in node.aggorder or node.aggdistinct:
        entry = by_ref[clause.tle_sort_group_ref]
        key = low.comparable(
            lower(entry.expr, low, scope), expr_type(entry.expr), expr_collation(entry.expr)
        )
        items.append(sql.ordered(key, clause.descending, clause.nulls_first))
    return items


@handler(p.GroupingFunc)
def lower_grouping(node: p.GroupingFunc, low: Lowering, scope: Scope) -> Sql:
    """Bit mask of the arguments that the current grouping set leaves out."""
    present = scope.up(node.agglevelsup).grouped_refs
    mask = 0
    for ref in node.refs:
        mask = mask * 2 + (0 if present is None or ref in present else 1)
    return sql.integer(mask)
