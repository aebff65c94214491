"""What the row filter of a publication may be made of (check_simple_rowfilter_expr of
publicationcmds.c): it is evaluated where no user's code can be run."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.rows import PgOperator, PgProc
from pgemu.errors import FEATURE_NOT_SUPPORTED, PgError
from pgemu.nodes import expr_collation, expr_location, expr_type
from pgemu.nodes import primnodes as p
from pgemu.nodes.walk import children

FIRST_NORMAL_OBJECT_ID = 16384
_SIMPLE = (
    p.Const, p.FuncExpr, p.BoolExpr, p.RelabelType, p.CollateExpr, p.CaseExpr, p.CaseTestExpr,
    p.ArrayExpr, p.RowExpr, p.CoalesceExpr, p.MinMaxExpr, p.XmlExpr, p.NullTest, p.BooleanTest,
)  # fmt: skip
_WITH_OPERATOR = (p.OpExpr, p.DistinctExpr, p.NullIfExpr, p.ScalarArrayOpExpr)


def check_simple_rowfilter_expr(catalog: Any, node: Any) -> None:
    """0A000 at the first part that is not allowed."""
    problem = _problem(catalog, node)
    if problem:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "invalid publication WHERE expression",
            detail=problem,
            location=expr_location(node),
        )
    for child in children(node):
        if isinstance(child, p.Expr):
            check_simple_rowfilter_expr(catalog, child)


def _problem(catalog: Any, node: Any) -> str:
    if isinstance(node, p.CaseWhen):
        return ""  # a part of CaseExpr, not an expression of its own
    operators: list[int] = []
    if isinstance(node, p.Var):
        if node.varattno < 0:
            return "System columns are not allowed."
    elif isinstance(node, _WITH_OPERATOR):
        operators = [node.opno]
    elif isinstance(node, p.RowCompareExpr):
        operators = list(node.opnos)
    elif not isinstance(node, _SIMPLE):
        return (
            "Only columns, constants, built-in operators, built-in data types, built-in "
            "collations, and immutable built-in functions are allowed."
        )
    if any(oid >= FIRST_NORMAL_OBJECT_ID for oid in operators):
        return "User-defined operators are not allowed."
    if expr_type(node) >= FIRST_NORMAL_OBJECT_ID:
        return "User-defined types are not allowed."
    functions = [catalog.get(PgOperator, oid=oid).oprcode for oid in operators]
    if isinstance(node, p.FuncExpr):
        functions.append(node.funcid)
    if any(
        oid >= FIRST_NORMAL_OBJECT_ID or catalog.get(PgProc, oid=oid).provolatile != "i"
        for oid in functions
    ):
        return "User-defined or built-in mutable functions are not allowed."
    collations = (expr_collation(node), getattr(node, "inputcollid", 0))
    if any(oid >= FIRST_NORMAL_OBJECT_ID for oid in collations):
        return "User-defined collations are not allowed."
    return ""
