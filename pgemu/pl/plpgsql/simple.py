"""Simple expressions without SQLite (exec_simple_expr of PostgreSQL's pl_exec.c).

An expression of variables, constants and immutable or stable functions becomes a Python closure
over the function's values; what this module does not know is run as a query.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pgemu.catalog.pg_locale import icu_collation
from pgemu.catalog.rows import PgProc
from pgemu.errors import PgError
from pgemu.fmgr import TypeInfo
from pgemu.nodes import primnodes as p
from pgemu.nodes.nodefuncs import expr_type
from pgemu.planner.calls import collations_conflict

Getter = Callable[[list[Any]], Any]
_INTERNAL = (12, 13)
_LIMIT = 40


class Compiler:
    """Compiles one expression.  sources: the getters of its parameters."""

    def __init__(self, session: Any, sources: Sequence[Getter], *, user_functions: bool) -> None:
        self.session, self.sources = session, sources
        self.user_functions = user_functions
        self.size = 0

    def compile(self, node: Any) -> Getter | None:
        """The closure; None: not a simple expression."""
        self.size += 1
        reader = _READERS.get(type(node))
        if reader is None or self.size > _LIMIT:
            return None
        made: Getter | None = reader(self, node)
        return made

    def _all(self, nodes: Sequence[Any]) -> list[Getter] | None:
        made: list[Getter] = []
        for node in nodes:
            one = self.compile(node)
            if one is None:
                return None
            made.append(one)
        return made

    def param(self, node: p.Param) -> Getter | None:
        return self.sources[node.paramid - 1] if node.paramkind == "extern" else None

    def const(self, node: p.Const) -> Getter | None:
        value = node.value
        return lambda values: value

    def relabel(self, node: p.RelabelType) -> Getter | None:
        return self.compile(node.arg)

    def boolean(self, node: p.BoolExpr) -> Getter | None:
        args = self._all(node.args)
        if args is None:
            return None
        if node.boolop == "not":
            only = args[0]

            def negate(values: list[Any]) -> Any:
                value = only(values)
                return None if value is None else int(not value)

            return negate
        decisive = node.boolop == "or"

        def connect(values: list[Any]) -> Any:
            unknown = False
            for arg in args:
                value = arg(values)
                if value is None:
                    unknown = True
                elif bool(value) == decisive:
                    return int(decisive)
            return None if unknown else int(not decisive)

        return connect

    def null_test(self, node: p.NullTest) -> Getter | None:
        if node.argisrow:
            return None
        arg = self.compile(node.arg)
        if arg is None:
            return None
        if node.is_null:
            return lambda values: int(arg(values) is None)
        return lambda values: int(arg(values) is not None)

    def case(self, node: p.CaseExpr) -> Getter | None:
        if node.arg is not None:
            return None
        tests = self._all([w.expr for w in node.args])
        results = self._all([w.result for w in node.args])
        default = (
            self.compile(node.defresult) if node.defresult is not None else (lambda values: None)
        )
        if tests is None or results is None or default is None:
            return None
        branches = list(zip(tests, results, strict=True))
        otherwise: Getter = default

        def choose(values: list[Any]) -> Any:
            for test, result in branches:
                if test(values):
                    return result(values)
            return otherwise(values)

        return choose

    def coalesce(self, node: p.CoalesceExpr) -> Getter | None:
        args = self._all(node.args)
        if args is None:
            return None

        def first(values: list[Any]) -> Any:
            for arg in args:
                value = arg(values)
                if value is not None:
                    return value
            return None

        return first

    def operator(self, node: p.OpExpr) -> Getter | None:
        if node.opretset:
            return None
        return self._call(node.opfuncid, node.args, node.opresulttype, node.inputcollid)

    def function(self, node: p.FuncExpr) -> Getter | None:
        if node.funcretset or node.funcvariadic:
            return None
        return self._call(node.funcid, node.args, node.funcresulttype, node.inputcollid)

    def _call(self, oid: int, args: Sequence[Any], result: int, collation: int) -> Getter | None:
        session = self.session
        if icu_collation(session.catalog, collation) is not None:
            return None  # the bodies of functions order strings by their bytes
        if not collation and collations_conflict(list(args)):
            return None
        proc = session.catalog.get(PgProc, oid=oid)
        if proc.prolang in _INTERNAL:
            if proc.provolatile == "v" or session.udfs.binding(proc) is None:
                return None
        elif not self.user_functions or proc.prolang == 14 or proc.proretset:
            return None
        made = self._all(args)
        if made is None:
            return None
        info = TypeInfo(tuple(expr_type(a) for a in args), result, collation)
        try:
            body = session.udfs.callable(proc, info)
        except PgError:
            return None
        if len(made) == 1:
            only = made[0]
            return lambda values: body(only(values))
        if len(made) == 2:
            left, right = made
            return lambda values: body(left(values), right(values))
        return lambda values: body(*[arg(values) for arg in made])


_READERS: dict[type[Any], Callable[[Compiler, Any], Getter | None]] = {
    p.Param: Compiler.param,
    p.Const: Compiler.const,
    p.RelabelType: Compiler.relabel,
    p.BoolExpr: Compiler.boolean,
    p.NullTest: Compiler.null_test,
    p.CaseExpr: Compiler.case,
    p.CoalesceExpr: Compiler.coalesce,
    p.OpExpr: Compiler.operator,
    p.FuncExpr: Compiler.function,
}
