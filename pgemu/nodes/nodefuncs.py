"""exprType, exprTypmod, exprCollation, exprLocation of PostgreSQL's nodeFuncs.c, as tables.

A SubLink's type is that of its sub-select's first column; "array" sublinks need the catalog to
name the array type, so the analyzer wraps them: it stores that OID through `array_type_of`.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from pgemu.nodes import primnodes as p
from pgemu.nodes.parsenodes import Query

BOOLOID = 16
_Getter = Callable[[Any], int]

# PostgreSQL's system catalog: element type OID -> array type OID; filled from the catalog data by
# the analyzer (types made by users are looked up when the node is made).
array_type_of: dict[int, int] = {}


def _const(value: int) -> _Getter:
    return lambda _node: value


def _sublink_type(node: p.SubLink) -> int:
    if node.sublinktype in ("expr", "array", "multiexpr"):
        element = next(t for t in node.subselect.target_list if not t.resjunk)
        elem_type = expr_type(element.expr)
        if node.sublinktype == "array":
            # an array of arrays has the type of its elements
            return array_type_of.get(elem_type, elem_type)
        return elem_type if node.sublinktype == "expr" else 2249
    return BOOLOID


def _sublink_typmod(node: p.SubLink) -> int:
    if node.sublinktype in ("expr", "array"):
        return expr_typmod(next(t for t in node.subselect.target_list if not t.resjunk).expr)
    return -1


def _sublink_coll(node: p.SubLink) -> int:
    if node.sublinktype in ("expr", "array"):
        return expr_collation(next(t for t in node.subselect.target_list if not t.resjunk).expr)
    return 0


def _nullif_type(node: p.NullIfExpr) -> int:
    return node.opresulttype


_TYPE: dict[type, _Getter] = {
    p.Var: attrgetter("vartype"),
    p.Const: attrgetter("consttype"),
    p.Param: attrgetter("paramtype"),
    p.FuncExpr: attrgetter("funcresulttype"),
    p.NamedArgExpr: lambda n: expr_type(n.arg),
    p.OpExpr: attrgetter("opresulttype"),
    p.DistinctExpr: _const(BOOLOID),
    p.NullIfExpr: _nullif_type,
    p.ScalarArrayOpExpr: _const(BOOLOID),
    p.BoolExpr: _const(BOOLOID),
    p.Aggref: attrgetter("aggtype"),
    p.GroupingFunc: _const(23),
    p.WindowFunc: attrgetter("wintype"),
    p.SubscriptingRef: attrgetter("refrestype"),
    p.FieldSelect: attrgetter("resulttype"),
    p.FieldStore: attrgetter("resulttype"),
    p.SubLink: _sublink_type,
    p.RelabelType: attrgetter("resulttype"),
    p.CoerceViaIO: attrgetter("resulttype"),
    p.ArrayCoerceExpr: attrgetter("resulttype"),
    p.ConvertRowtypeExpr: attrgetter("resulttype"),
    p.CollateExpr: lambda n: expr_type(n.arg),
    p.CaseExpr: attrgetter("casetype"),
    p.CaseWhen: lambda n: expr_type(n.result),
    p.CaseTestExpr: attrgetter("type_id"),
    p.ArrayExpr: attrgetter("array_typeid"),
    p.RowExpr: attrgetter("row_typeid"),
    p.RowCompareExpr: _const(BOOLOID),
    p.CoalesceExpr: attrgetter("coalescetype"),
    p.MinMaxExpr: attrgetter("minmaxtype"),
    p.SQLValueFunction: attrgetter("type"),
    p.XmlExpr: attrgetter("type"),
    p.NullTest: _const(BOOLOID),
    p.BooleanTest: _const(BOOLOID),
    p.CoerceToDomain: attrgetter("resulttype"),
    p.CoerceToDomainValue: attrgetter("type_id"),
    p.SetToDefault: attrgetter("type_id"),
    p.CurrentOfExpr: _const(BOOLOID),
    p.NextValueExpr: attrgetter("type_id"),
    p.TargetEntry: lambda n: expr_type(n.expr),
}

_TYPMOD: dict[type, _Getter] = {
    p.Var: attrgetter("vartypmod"),
    p.Const: attrgetter("consttypmod"),
    p.Param: attrgetter("paramtypmod"),
    p.SubscriptingRef: attrgetter("reftypmod"),
    p.FieldSelect: attrgetter("resulttypmod"),
    p.NamedArgExpr: lambda n: expr_typmod(n.arg),
    p.SubLink: _sublink_typmod,
    p.RelabelType: attrgetter("resulttypmod"),
    p.ArrayCoerceExpr: attrgetter("resulttypmod"),
    p.CollateExpr: lambda n: expr_typmod(n.arg),
    p.CaseTestExpr: attrgetter("type_mod"),
    p.SQLValueFunction: attrgetter("typmod"),
    p.CoerceToDomain: attrgetter("resulttypmod"),
    p.CoerceToDomainValue: attrgetter("type_mod"),
    p.SetToDefault: attrgetter("type_mod"),
    p.XmlExpr: attrgetter("typmod"),
    p.TargetEntry: lambda n: expr_typmod(n.expr),
    p.NullIfExpr: lambda n: expr_typmod(n.args[0]),
}

_COLLATION: dict[type, _Getter] = {
    p.Var: attrgetter("varcollid"),
    p.Const: attrgetter("constcollid"),
    p.Param: attrgetter("paramcollid"),
    p.FuncExpr: attrgetter("funccollid"),
    p.NamedArgExpr: lambda n: expr_collation(n.arg),
    p.OpExpr: attrgetter("opcollid"),
    p.NullIfExpr: attrgetter("opcollid"),
    p.Aggref: attrgetter("aggcollid"),
    p.WindowFunc: attrgetter("wincollid"),
    p.SubscriptingRef: attrgetter("refcollid"),
    p.FieldSelect: attrgetter("resultcollid"),
    p.SubLink: _sublink_coll,
    p.RelabelType: attrgetter("resultcollid"),
    p.CoerceViaIO: attrgetter("resultcollid"),
    p.ArrayCoerceExpr: attrgetter("resultcollid"),
    p.CollateExpr: attrgetter("coll_oid"),
    p.CaseExpr: attrgetter("casecollid"),
    p.CaseTestExpr: attrgetter("collation"),
    p.ArrayExpr: attrgetter("array_collid"),
    p.CoalesceExpr: attrgetter("coalescecollid"),
    p.MinMaxExpr: attrgetter("minmaxcollid"),
    p.CoerceToDomain: attrgetter("resultcollid"),
    p.CoerceToDomainValue: attrgetter("collation"),
    p.SetToDefault: attrgetter("collation"),
    p.TargetEntry: lambda n: expr_collation(n.expr),
    p.SQLValueFunction: lambda n: 950 if n.type == 19 else 0,
    p.XmlExpr: lambda n: 100 if n.op == "IS_XMLSERIALIZE" else 0,
}


def expr_type(node: p.Expr) -> int:
    """OID of the expression's type."""
    return _TYPE[type(node)](node)


def expr_typmod(node: p.Expr) -> int:
    """Type modifier where it is known, else -1.  CASE, COALESCE and the like have one only when
    all their branches agree in type and typmod."""
    getter = _TYPMOD.get(type(node))
    if getter is not None:
        return getter(node)
    if isinstance(node, p.CaseExpr):
        branches = [w.result for w in node.args]
        if node.defresult is None:
            return -1
        return _common_typmod(node.casetype, [node.defresult, *branches])
    if isinstance(node, p.CoalesceExpr):
        return _common_typmod(node.coalescetype, node.args)
    if isinstance(node, p.MinMaxExpr):
        return _common_typmod(node.minmaxtype, node.args)
    if isinstance(node, p.ArrayExpr) and node.elements:
        wanted = node.array_typeid if node.multidims else node.element_typeid
        return _common_typmod(wanted, node.elements)
    if isinstance(node, p.FuncExpr):
        return _length_coercion_typmod(node)
    return -1


def _common_typmod(wanted: int, exprs: list[p.Expr]) -> int:
    typmods = {expr_typmod(e) if expr_type(e) == wanted else -1 for e in exprs}
    return typmods.pop() if len(typmods) == 1 else -1


def _length_coercion_typmod(node: p.FuncExpr) -> int:
    """A cast function whose second argument is an int4 constant is a length coercion."""
    if node.funcformat not in ("explicit_cast", "implicit_cast") or not 2 <= len(node.args) <= 3:
        return -1
    second = node.args[1]
    if isinstance(second, p.Const) and second.consttype == 23 and isinstance(second.value, int):
        return second.value
    return -1


def expr_collation(node: p.Expr) -> int:
    """OID of the expression's collation; 0 when its type has none."""
    getter = _COLLATION.get(type(node))
    return getter(node) if getter is not None else 0


def expr_location(node: Any) -> int:
    """Byte offset of the leftmost part of the expression, -1 when unknown."""
    if isinstance(node, list):
        found = [loc for loc in map(expr_location, node) if loc >= 0]
        return min(found, default=-1)
    own: int = getattr(node, "location", -1)
    if isinstance(node, p.TargetEntry):
        return expr_location(node.expr)
    if isinstance(node, (p.FuncExpr, p.OpExpr, p.ScalarArrayOpExpr, p.BoolExpr, p.NamedArgExpr)):
        args = [node.arg] if isinstance(node, p.NamedArgExpr) else node.args
        found = [loc for loc in (own, expr_location(list(args))) if loc >= 0]
        return min(found, default=-1)
    if isinstance(node, p.SubLink) and node.testexpr is not None:
        found = [loc for loc in (own, expr_location(node.testexpr)) if loc >= 0]
        return min(found, default=-1)
    if isinstance(
        node,
        (
            p.RelabelType,
            p.CoerceViaIO,
            p.ArrayCoerceExpr,
            p.CollateExpr,
            p.CoerceToDomain,
            p.NullTest,
            p.BooleanTest,
            p.ConvertRowtypeExpr,
        ),
    ):
        found = [loc for loc in (own, expr_location(node.arg)) if loc >= 0]
        return min(found, default=-1)
    if isinstance(node, p.FieldSelect):
        return expr_location(node.arg)
    if isinstance(node, p.SubscriptingRef) and node.refexpr is not None:
        return expr_location(node.refexpr)
    return own


def plain_expression(query: Query) -> p.Expr | None:
    """What inline_function of clauses.c asks of the body of a SQL function: the expression of a
    query that is `SELECT expression` and nothing more."""
    if (
        query.command_type != "select"
        or query.has_aggs
        or query.has_window_funcs
        or query.has_target_srfs
        or query.has_sublinks
        or query.cte_list
        or query.rtable
        or query.jointree.fromlist
        or query.jointree.quals is not None
        or query.group_clause
        or query.grouping_sets
        or query.having_qual is not None
        or query.window_clause
        or query.distinct_clause
        or query.sort_clause
        or query.limit_offset is not None
        or query.limit_count is not None
        or query.set_operations is not None
        or len(query.target_list) != 1
    ):
        return None
    return query.target_list[0].expr
