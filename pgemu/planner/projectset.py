"""Set-returning functions in the select list (PostgreSQL's ProjectSet node).

What the select computes without them becomes a derived table; the functions are joined to it as
one table-valued function that runs them in lockstep, and the rest of the select list is computed
from both.
"""

from __future__ import annotations

from dataclasses import replace

from pgemu.nodes import expr_collation, expr_type
from pgemu.nodes import primnodes as p
from pgemu.nodes.parsenodes import Query, RangeTblFunction
from pgemu.nodes.walk import mutate, walk
from pgemu.parser.parse_sort_group import equal
from pgemu.planner import sql
from pgemu.planner.expressions import lower
from pgemu.planner.finishing import finish_rows, first_of_each, keys_of
from pgemu.planner.lowering import RECORDOID, Lowering, Scope, SetCall
from pgemu.planner.select import lower_core
from pgemu.planner.sql import Sql


def contains_srf(node: object) -> bool:
    found = False

    def visit(item: object) -> bool | None:
        nonlocal found
        if isinstance(item, (p.FuncExpr, p.OpExpr)) and _returns_set(item):
            found = True
        return not found and not isinstance(item, Query)

    walk(node, visit)
    return found


def _returns_set(node: object) -> bool:
    return bool(getattr(node, "funcretset", False) or getattr(node, "opretset", False))


class _Stage:
    """A derived table being filled with columns; expressions are replaced by Vars of it."""

    def __init__(self, low: Lowering) -> None:
        self.low = low
        self.alias = low.new_alias("s")
        self.columns: list[Sql] = []
        self.known: list[tuple[p.Expr, int]] = []

    def add(self, expr: p.Expr, lowered: Sql) -> int:
        for seen, number in self.known:
            if isinstance(expr, p.Var) and equal(seen, expr):
                return number
        self.columns.append(lowered)
        number = len(self.columns)
        self.known.append((expr, number))
        return number


def _comparable(value: Sql, expr: p.Expr, low: Lowering) -> Sql:
    """A value with the collation that the expression it comes from is compared by."""
    return low.comparable(value, expr_type(expr), expr_collation(expr))


def lower_project_set(query: Query, low: Lowering, scope: Scope) -> Sql:
    stage = _Stage(low)
    entries = query.target_list
    marker = _MARKER
    # varno of the replaced Vars: one beyond the range table is the stage, two the functions
    stage_no, srf_no = len(query.rtable) + 1, len(query.rtable) + 2
    functions: list[p.FuncExpr] = []

    def into_stage(expr: p.Expr) -> p.Expr:
        if isinstance(expr, p.Const):
            return expr
        number = stage.add(expr, sql.alias(lower(expr, low, scope), ""))
        return p.Var(stage_no, number, expr_type(expr), location=marker)

    def split(node: object) -> object | None:
        if isinstance(node, p.OpExpr) and node.opretset:
            node = _call_of(node)
        if isinstance(node, p.FuncExpr) and node.funcretset:
            return _replace_srf(node)
        if (
            isinstance(node, p.Expr)
            and not isinstance(node, p.TargetEntry)
            and not contains_srf(node)
        ):
            return into_stage(node)
        return None

    def _replace_srf(node: p.FuncExpr) -> p.Expr:
        inner = replace(node, args=[mutate(arg, split) for arg in node.args], notation=())
        functions.append(inner)
        return p.Var(srf_no, len(functions), node.funcresulttype, location=marker)

    outputs = [mutate(t.expr, split) for t in entries]
    columns = [sql.alias(c.this, f"c{n}") for n, c in enumerate(stage.columns, 1)]
    distinct_before = _distinct_before(query)
    keys = list(zip(entries, outputs, strict=True)) if distinct_before else []
    core = _core(query, low, scope, columns, keys)
    outer = _outer_scope(query, low, scope, stage, stage_no)
    joins = []
    for level in _levels(functions, srf_no):
        joins.append(sql.join(_lockstep(level, functions, srf_no, low, outer), "", sql.raw("1")))
    result_columns = [
        sql.alias(_comparable(lower(e, low, outer), t.expr, low), f"c{n}")
        for n, (e, t) in enumerate(zip(outputs, entries, strict=True), 1)
    ]
    body = sql.select(result_columns, from_=sql.derived(core, stage.alias), joins=joins)
    return finish_rows(body, query, low, scope, distinct=not distinct_before)


_MARKER = -1


def _call_of(node: p.OpExpr) -> p.FuncExpr:
    """The call of its function that an operator is."""
    return p.FuncExpr(
        node.opfuncid,
        node.opresulttype,
        node.args,
        funcretset=True,
        funccollid=node.opcollid,
        inputcollid=node.inputcollid,
        location=node.location,
    )


def _distinct_before(query: Query) -> bool:
    """make_sort_input_target: the functions are run after the sort, and so after DISTINCT ON too,
    unless one of them is a key."""
    return (
        query.has_distinct_on
        and bool(query.sort_clause)
        and not any(t.ressortgroupref and contains_srf(t.expr) for t in query.target_list)
    )


def _core(
    query: Query,
    low: Lowering,
    scope: Scope,
    columns: list[Sql],
    keys: list[tuple[p.TargetEntry, p.Expr]],
) -> Sql:
    """The rows that the functions are joined to.  keys: the target list and what it has become,
    if DISTINCT ON comes before the functions."""
    core = lower_core(query, low, scope, columns or [sql.alias(sql.integer(1), "c1")])
    if not keys:
        return core
    numbers = {
        entry.ressortgroupref: (entry.expr, stand_in.varattno)
        for entry, stand_in in keys
        if entry.ressortgroupref and isinstance(stand_in, p.Var)
    }
    return first_of_each(core, query, low, keys_of(numbers, low), len(columns))


def _outer_scope(query: Query, low: Lowering, scope: Scope, stage: _Stage, stage_no: int) -> Scope:
    outer = Scope(query, list(scope.aliases), low, scope.parent)
    for number in range(1, len(stage.columns) + 1):
        outer.replaced[(stage_no, number)] = sql.column(stage.alias, f"c{number}")
    return outer


def _levels(functions: list[p.FuncExpr], srf_no: int) -> list[list[int]]:
    """Functions by nesting: those whose arguments need no other come first."""
    depth: dict[int, int] = {}
    for number, function in enumerate(functions):
        below = 0

        def visit(item: object) -> bool | None:
            nonlocal below
            if isinstance(item, p.Var) and item.varno == srf_no:
                below = max(below, depth[item.varattno - 1] + 1)
            return None

        walk(function.args, visit)
        depth[number] = below
    return [
        [n for n, d in depth.items() if d == level]
        for level in range(max(depth.values(), default=-1) + 1)
    ]


def _lockstep(
    level: list[int], functions: list[p.FuncExpr], srf_no: int, low: Lowering, outer: Scope
) -> Sql:
    from pgemu.planner.fromclause import set_call

    alias = low.new_alias("f")
    calls, args = [], []
    column = 1
    for number in level:
        function = functions[number]
        call, its_args = set_call(
            RangeTblFunction(
                function, coltypes=[function.funcresulttype], colnames=[""], coltypmods=[-1]
            ),
            low,
            outer,
        )
        calls.append(_in_select_list(call, function, low))
        args += its_args
        outer.replaced[(srf_no, number + 1)] = sql.column(alias, f"c{column}")
        column += 1
    name = low.binder.table_function(tuple(calls))
    return sql.table_function(name, args, alias)


def _in_select_list(call: SetCall, function: p.FuncExpr, low: Lowering) -> SetCall:
    """Here a function yields one column; several are the fields of a row."""
    from pgemu.planner.fromclause import function_columns

    if not call.expand:
        return call
    columns = function_columns(RangeTblFunction(function), low)
    if [c[1] for c in columns] == [RECORDOID]:
        columns = []  # of a record, nobody has said which
    info = replace(call.info, ret_columns=tuple(columns))
    return replace(call, info=info, expand=False, as_row=True)
