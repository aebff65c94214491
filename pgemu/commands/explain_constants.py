"""Expressions as PostgreSQL's planner leaves them: constants are computed (eval_const_expressions
of clauses.c), comparisons with TRUE and FALSE are gone (simplify_boolean_equality)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pgemu.catalog.rows import PgOperator, PgProc
from pgemu.nodes import primnodes as p
from pgemu.nodes.parsenodes import Query
from pgemu.nodes.walk import mutate, walk
from pgemu.planner.clauses import UNCOMPUTED, ConstantCheck
from pgemu.types.arrays_value import load_flat

_BOOLEAN_EQUAL, _BOOLEAN_NOT_EQUAL = 91, 85


def simplified(catalog: Any, expr: Any) -> Any:
    """expr as EXPLAIN shows it; sub-queries are left as they are."""
    check = ConstantCheck(catalog)

    def fold(node: Any) -> Any:
        if isinstance(node, Query):
            return node
        if not isinstance(node, p.Expr) or isinstance(node, (p.Const, p.Var, p.Param)):
            return None
        if isinstance(node, p.OpExpr) and node.opno in (_BOOLEAN_EQUAL, _BOOLEAN_NOT_EQUAL):
            return _boolean(catalog, node)
        if isinstance(node, (p.RelabelType, p.ArrayCoerceExpr)):
            return _converted(catalog, check, node)
        found = check.fold(node)
        if found is None or found is UNCOMPUTED:
            return None
        return check.compute(found)

    return mutate(expr, fold)


def _boolean(catalog: Any, node: p.OpExpr) -> Any:
    """x = true is x, x = false is NOT x."""
    for value, other in (node.args, node.args[::-1]):
        if isinstance(value, p.Const) and value.value is not None:
            plain = simplified(catalog, other)
            same = bool(value.value) == (node.opno == _BOOLEAN_EQUAL)
            return plain if same else p.BoolExpr("not", [plain])
    return None


def _converted(catalog: Any, check: ConstantCheck, node: Any) -> Any:
    arg = simplified(catalog, node.arg)
    changed = replace(node, arg=arg)
    return check.compute(changed) if isinstance(arg, p.Const) else changed


def in_order(catalog: Any, quals: list[Any]) -> list[Any]:
    """order_qual_clauses: the cheapest condition first; those that are made again from an
    equivalence class come behind the others of their cost."""
    return sorted(quals, key=lambda qual: (_cost(catalog, qual), _is_equivalence(catalog, qual)))


def _cost(catalog: Any, qual: Any) -> float:
    total = 0.0

    def visit(node: Any) -> bool:
        nonlocal total
        if isinstance(node, p.SubLink):
            total += 1e6
        elif isinstance(node, p.ScalarArrayOpExpr):
            array = node.args[1]
            count = len(load_flat(str(array.value))) if isinstance(array, p.Const) else 10
            total += catalog.get(PgProc, oid=node.opfuncid).procost * count * 0.5
        elif isinstance(node, (p.OpExpr, p.FuncExpr)):
            oid = node.opfuncid if isinstance(node, p.OpExpr) else node.funcid
            total += catalog.get(PgProc, oid=oid).procost
        return not isinstance(node, Query)

    walk(qual, visit)
    return total


def _is_equivalence(catalog: Any, qual: Any) -> bool:
    if type(qual) is not p.OpExpr or len(qual.args) != 2:
        return False
    return bool(catalog.get(PgOperator, oid=qual.opno).oprcanmerge)
