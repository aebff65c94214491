"""Constant sub-expressions are computed once while a statement is planned (PostgreSQL's
eval_const_expressions of clauses.c), so that what fails in them fails whether or not a row is read.

Only the errors are wanted: SQLite computes constants once by itself, and a plan must serve other
literals than those it was made for.  So the tree stays what it is, and the walk here merely knows
what PostgreSQL would have made of it: which operands AND, OR, CASE and COALESCE never come to,
which columns of a sub-query nobody reads.

What differs: parameters and functions of users in other languages than SQL are constants of which
the value is not known here (a function may have side effects): what depends on them does not
fail before it is run.  A plan that is taken from the cache is not looked at again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from pgemu.catalog.rows import PgProc, PgType
from pgemu.nodes import expr_type
from pgemu.nodes import primnodes as p
from pgemu.nodes.parsenodes import CommonTableExpr, FromExpr, Query, RangeTblEntry
from pgemu.nodes.primnodes import Value
from pgemu.nodes.walk import children
from pgemu.planner.lowering import FIRST_USER_OID, type_infos

BOOLOID = 16
SQL_LANGUAGE = 14
EVERY_COLUMN = 0

# What cannot fail for any values of its arguments, by pg_proc.prosrc: not worth computing.
_HARMLESS = """
    textcat lower upper textlen int2_numeric int4_numeric int8_numeric i2toi4 int48 int28 i2tod
    i4tod i8tod ftod date_timestamp bpchar_name text_name name_text rtrim1 btrim1 ltrim1
"""
_COMPARED = ("bool", "int2", "int4", "int8", "int24", "int42", "int48", "int84", "int28", "int82")
_COMPARISONS = frozenset(
    [f"{t}{op}" for t in _COMPARED for op in ("eq", "ne", "lt", "le", "gt", "ge")]
    + [f"{t}_{op}" for t in ("text", "date") for op in ("eq", "ne", "lt", "le", "gt", "ge")]
    + ["texteq", "textne", "nameeq", "namene", "oideq", "oidne"]
)
_CANNOT_FAIL = _COMPARISONS.union(_HARMLESS.split())
# varchar(varchar, int4, bool), numeric(numeric, int4)
_CUT_TO_LENGTH = ("varchar", "numeric")


class Uncomputed(p.Expr):
    """A constant whose value is not known here."""


UNCOMPUTED = Uncomputed()
_Folder = Callable[["ConstantCheck", Any], p.Expr | None]
_FOLDERS: dict[type, _Folder] = {}


def folder(*types: type) -> Callable[[_Folder], _Folder]:
    def register(function: _Folder) -> _Folder:
        for one in types:
            _FOLDERS[one] = function
        return function

    return register


def check_constants(query: Query, catalog: Any) -> None:
    """Raise what the constants in the statement raise."""
    if query.command_type == "utility" or _runs_anyway(query):
        return
    ConstantCheck(catalog).query(query, None)


def _runs_anyway(query: Query) -> bool:
    """All its expressions are computed when it is run: SELECT without FROM, INSERT of VALUES."""
    if (
        query.cte_list
        or query.has_sublinks
        or query.on_conflict is not None
        or query.returning_list
        or query.jointree.quals is not None
        or query.set_operations is not None
    ):
        return False
    if query.command_type == "insert":
        return all(e.rtekind in ("relation", "values") for e in query.rtable)
    return (
        query.command_type == "select"
        and not query.rtable
        and not query.limit_count
        and not query.limit_offset
        and not query.having_qual
        and not query.has_target_srfs
    )


class ConstantCheck:
    """One walk over a statement.  fold() gives an expression that stands for the value of a
    constant one (a Const, what cannot fail and has not been computed, or UNCOMPUTED), None for
    others."""

    def __init__(self, catalog: Any) -> None:
        self.catalog = catalog
        # for each query around: its range table and which (varno, attno) of it are read
        self.levels: list[tuple[Query, set[tuple[int, int]]]] = []
        self.case_value: p.Expr | None = None

    def query(self, query: Query, wanted: set[int] | None) -> None:
        """wanted: the output columns that are read; None: all."""
        read: set[tuple[int, int]] = set()
        self.levels.append((query, read))
        self.function_entries(query.rtable)
        everything = wanted is None or EVERY_COLUMN in wanted or query.distinct_clause
        for target in query.target_list:
            if everything or target.ressortgroupref or target.resno in (wanted or ()):
                self.fold(target.expr)
        self.each(t.expr for t in query.returning_list)
        self.join_tree(query.jointree)
        self.each((query.having_qual, query.limit_offset, query.limit_count))
        for clause in query.window_clause:
            self.each((clause.start_offset, clause.end_offset))
        for node in (query.on_conflict, query.merge_action_list):
            self.inside(node)
        for entry in query.rtable:
            for row in entry.values_lists:
                self.each(row)
        self.from_queries(query, read)
        self.levels.pop()

    def function_entries(self, rtable: list[RangeTblEntry]) -> None:
        for entry in rtable:
            self.each(f.funcexpr for f in entry.functions)
            if entry.tablefunc is not None:
                self.inside(entry.tablefunc)

    def from_queries(self, query: Query, read: set[tuple[int, int]]) -> None:
        """The sub-queries of FROM and WITH, the last first: LATERAL looks at those before it."""
        cte_columns: dict[str, set[int]] = {}
        for varno in range(len(query.rtable), 0, -1):
            entry = query.rtable[varno - 1]
            columns = {attno for number, attno in read if number == varno}
            if entry.subquery is not None:
                leaf = query.set_operations is not None
                self.query(entry.subquery, None if leaf else columns)
            elif entry.rtekind == "cte" and not entry.ctelevelsup:
                cte_columns.setdefault(entry.ctename, set()).update(columns)
        for cte in query.cte_list:
            if cte.ctequery.command_type != "select" or cte.ctename not in cte_columns:
                continue
            self.query(cte.ctequery, cte_columns[cte.ctename] if _is_inlined(cte) else None)

    def join_tree(self, node: Any) -> None:
        if isinstance(node, FromExpr):
            for item in node.fromlist:
                self.join_tree(item)
        elif hasattr(node, "larg"):
            self.join_tree(node.larg)
            self.join_tree(node.rarg)
        else:
            return
        if node.quals is not None:
            self.fold(node.quals)

    def each(self, exprs: Iterable[p.Expr | None]) -> None:
        for expr in exprs:
            if expr is not None:
                self.fold(expr)

    def inside(self, node: Any) -> None:
        """Every expression below something that is no expression itself."""
        for child in [node] if isinstance(node, p.Expr) else _below(node):
            self.fold(child)

    def fold(self, node: p.Expr) -> p.Expr | None:
        found = _FOLDERS.get(type(node))
        if found is not None:
            return found(self, node)
        for child in children(node):
            self.fold(child)
        return None

    def all_constant(self, args: list[p.Expr]) -> list[p.Expr] | None:
        """The folded arguments; all are looked at, None if one is not constant."""
        folded = [self.fold(arg) for arg in args]
        constant = [arg for arg in folded if arg is not None]
        return constant if len(constant) == len(folded) else None

    def compute(self, expr: p.Expr) -> p.Const:
        if isinstance(expr, p.Const):
            return expr
        value: Value = self.catalog.ctx.session.evaluate(expr)
        return p.Const(expr_type(expr), value)

    def cut_to_length(self, proc: PgProc, expr: p.FuncExpr) -> p.Const:
        """A constant for a column with a length, of which each INSERT has some: its function is
        called without a statement around it."""
        info = type_infos([expr_type(arg) for arg in expr.args], expr.funcresulttype)
        body = self.catalog.ctx.session.udfs.callable(proc, info)
        value: Value = body(*[arg.value for arg in expr.args if isinstance(arg, p.Const)])
        return p.Const(expr.funcresulttype, value)

    def call(self, node: Any, funcid: int, result: int) -> p.Expr | None:
        """A call with constant arguments (simplify_function)."""
        folded = [self.fold(arg) for arg in node.args]
        proc: PgProc = self.catalog.one(PgProc, oid=funcid)
        if proc.proretset or proc.prorettype == RECORDOID:
            return None
        if proc.proisstrict and any(isinstance(a, p.Const) and a.value is None for a in folded):
            return p.Const(result, None)
        args = [arg for arg in folded if arg is not None]
        if len(args) < len(folded) or proc.provolatile != "i":
            return None
        if UNCOMPUTED in args or not self.is_callable(proc):
            return UNCOMPUTED
        constant: p.Expr = replace(node, args=args)
        if proc.oid < FIRST_USER_OID and proc.prosrc in _CANNOT_FAIL:
            return constant
        if (
            proc.oid < FIRST_USER_OID
            and proc.prosrc in _CUT_TO_LENGTH
            and isinstance(constant, p.FuncExpr)
            and all(isinstance(arg, p.Const) for arg in args)
        ):
            return self.cut_to_length(proc, constant)
        return self.compute(constant)

    def is_callable(self, proc: PgProc) -> bool:
        return proc.oid < FIRST_USER_OID or proc.prolang == SQL_LANGUAGE

    def compute_all(self, node: Any, funcid: int) -> p.Expr | None:
        """The value of a node with args, if all of them are constant and its function immutable."""
        args = self.all_constant(node.args)
        proc: PgProc = self.catalog.one(PgProc, oid=funcid)
        if args is None or proc.provolatile != "i":
            return None
        if UNCOMPUTED in args or not self.is_callable(proc):
            return UNCOMPUTED
        return self.compute(replace(node, args=args))

    def io_is_immutable(self, source: int, target: int) -> bool:
        row_in, row_out = self.catalog.one(PgType, oid=target), self.catalog.one(PgType, oid=source)
        procs = [self.catalog.one(PgProc, oid=o) for o in (row_out.typoutput, row_in.typinput)]
        return all(proc is not None and proc.provolatile == "i" for proc in procs)


RECORDOID = 2249


def _is_inlined(cte: CommonTableExpr) -> bool:
    return not cte.cterecursive and cte.cterefcount == 1 and cte.materialized is not True


def _below(node: Any) -> Iterable[p.Expr]:
    items = node if isinstance(node, list) else [] if node is None else list(children(node))
    for item in items:
        if isinstance(item, p.Expr):
            yield item
        else:
            yield from _below(item)


@folder(p.Const)
def _const(check: ConstantCheck, node: p.Const) -> p.Expr | None:
    if node.literal_location is None:
        return node
    return p.Const(node.consttype, node.value, node.consttypmod, node.constcollid, node.location)


@folder(p.Param)
def _param(check: ConstantCheck, node: p.Param) -> p.Expr | None:
    return UNCOMPUTED if node.paramkind == "extern" else None


@folder(p.Var)
def _var(check: ConstantCheck, node: p.Var) -> p.Expr | None:
    if node.varlevelsup >= len(check.levels):
        return None
    query, read = check.levels[-1 - node.varlevelsup]
    if node.varno > len(query.rtable) or (node.varno, node.varattno) in read:
        return None
    read.add((node.varno, node.varattno))
    entry = query.rtable[node.varno - 1]
    if entry.rtekind == "join":
        inner, check.levels = check.levels, check.levels[: len(check.levels) - node.varlevelsup]
        columns = entry.joinaliasvars
        for column in [columns[node.varattno - 1]] if node.varattno > 0 else columns:
            check.fold(column)
        check.levels = inner
    return None


@folder(p.FuncExpr)
def _func(check: ConstantCheck, node: p.FuncExpr) -> p.Expr | None:
    return check.call(node, node.funcid, node.funcresulttype)


@folder(p.OpExpr, p.DistinctExpr, p.NullIfExpr)
def _op(check: ConstantCheck, node: p.OpExpr) -> p.Expr | None:
    if type(node) is p.OpExpr:
        return check.call(node, node.opfuncid, node.opresulttype)
    return check.compute_all(node, node.opfuncid)


@folder(p.ScalarArrayOpExpr)
def _scalar_array(check: ConstantCheck, node: p.ScalarArrayOpExpr) -> p.Expr | None:
    return check.compute_all(node, node.opfuncid)


@folder(p.BoolExpr)
def _bool(check: ConstantCheck, node: p.BoolExpr) -> p.Expr | None:
    if node.boolop == "not":
        args = check.all_constant(node.args)
        if args is None or args == [UNCOMPUTED]:
            return None if args is None else UNCOMPUTED
        return check.compute(replace(node, args=args))
    decisive = int(node.boolop == "or")
    constant: list[p.Expr] = []
    for arg in node.args:
        folded = check.fold(arg)
        if folded is None:
            continue
        if folded is UNCOMPUTED:
            return UNCOMPUTED
        value = check.compute(folded)
        if value.value is not None and int(value.value) == decisive:
            return value
        constant.append(value)
    if len(constant) < len(node.args):
        return None
    return check.compute(replace(node, args=constant))


@folder(p.CaseExpr)
def _case(check: ConstantCheck, node: p.CaseExpr) -> p.Expr | None:
    tested = None if node.arg is None else check.fold(node.arg)
    saved = check.case_value
    decided = True
    for when in node.args:
        check.case_value = tested
        condition = check.fold(when.expr)
        check.case_value = saved
        if condition is None:
            decided = False
            check.fold(when.result)
        elif condition is UNCOMPUTED:
            return UNCOMPUTED
        elif check.compute(condition).value:
            result = check.fold(when.result)
            return result if decided else None
    result = None if node.defresult is None else check.fold(node.defresult)
    return result if decided else None


@folder(p.CaseTestExpr)
def _case_test(check: ConstantCheck, node: p.CaseTestExpr) -> p.Expr | None:
    return check.case_value


@folder(p.CoalesceExpr)
def _coalesce(check: ConstantCheck, node: p.CoalesceExpr) -> p.Expr | None:
    decided = True
    for arg in node.args:
        folded = check.fold(arg)
        if folded is None:
            decided = False
            continue
        if folded is UNCOMPUTED:
            return UNCOMPUTED
        value = check.compute(folded)
        if value.value is not None:
            return value if decided else None
    return p.Const(node.coalescetype, None) if decided else None


@folder(p.RelabelType, p.CollateExpr, p.NullTest, p.BooleanTest, p.FieldSelect)
def _of_one(check: ConstantCheck, node: Any) -> p.Expr | None:
    """What cannot fail: it is constant if its argument is."""
    arg = check.fold(node.arg)
    if arg is None or arg is UNCOMPUTED:
        return arg
    if isinstance(arg, p.Const) and isinstance(node, p.RelabelType):
        return replace(arg, consttype=node.resulttype, consttypmod=node.resulttypmod)
    constant: p.Expr = replace(node, arg=arg)
    return constant


@folder(p.CoerceViaIO)
def _via_io(check: ConstantCheck, node: p.CoerceViaIO) -> p.Expr | None:
    arg = check.fold(node.arg)
    if arg is None or arg is UNCOMPUTED:
        return arg
    if isinstance(arg, p.Const) and arg.value is None:
        return p.Const(node.resulttype, None)
    if not check.io_is_immutable(expr_type(node.arg), node.resulttype):
        return None
    return check.compute(replace(node, arg=arg))


@folder(p.ArrayExpr)
def _array(check: ConstantCheck, node: p.ArrayExpr) -> p.Expr | None:
    elements = check.all_constant(node.elements)
    if elements is None or UNCOMPUTED in elements:
        return None if elements is None else UNCOMPUTED
    return replace(node, elements=elements)


@folder(p.RowExpr, p.MinMaxExpr)
def _row(check: ConstantCheck, node: Any) -> p.Expr | None:
    args = check.all_constant(node.args)
    if args is None or UNCOMPUTED in args:
        return None if args is None else UNCOMPUTED
    constant: p.Expr = replace(node, args=args)
    return constant


@folder(p.ArrayCoerceExpr, p.CoerceToDomain, p.ConvertRowtypeExpr)
def _conversion(check: ConstantCheck, node: Any) -> p.Expr | None:
    """Of the argument only: what the conversion does is left for execution."""
    check.fold(node.arg)
    return None


@folder(p.SubscriptingRef, p.FieldStore)
def _parts(check: ConstantCheck, node: Any) -> p.Expr | None:
    saved, check.case_value = check.case_value, None
    for child in children(node):
        check.fold(child)
    check.case_value = saved
    return None


@folder(p.SubLink)
def _sublink(check: ConstantCheck, node: p.SubLink) -> p.Expr | None:
    if node.testexpr is not None:
        check.fold(node.testexpr)
    query = node.subselect
    saved, check.case_value = check.case_value, None
    unread = node.sublinktype == "exists" and not (
        query.set_operations
        or query.has_aggs
        or query.grouping_sets
        or query.has_window_funcs
        or query.has_target_srfs
        or query.having_qual
        or query.limit_offset
    )
    check.query(query, set() if unread else None)
    check.case_value = saved
    return None
