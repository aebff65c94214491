"""Expressions as text (get_rule_expr of PostgreSQL's ruleutils.c): one function per node class,
found through a table.

Without pretty printing every operator gets its parentheses; with it only where
`is_simple_node` says that they are needed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pgemu.catalog.format_type import format_type_with_typemod
from pgemu.catalog.keywords import quote_identifier
from pgemu.catalog.rows import PgType
from pgemu.nodes import primnodes as p
from pgemu.nodes.nodefuncs import expr_type, expr_typmod
from pgemu.nodes.parsenodes import InferenceElem
from pgemu.rewrite.ruleutils_context import (
    PRETTYINDENT_VAR,
    Context,
    generate_relation_name,
)
from pgemu.rewrite.ruleutils_fields import field_name
from pgemu.rewrite.ruleutils_xml import get_xml_expr

INT4OID, NUMERICOID, BOOLOID, UNKNOWNOID, RECORDOID = 23, 1700, 16, 705, 2249
_CASTS = (p.RelabelType, p.CoerceViaIO, p.ArrayCoerceExpr, p.ConvertRowtypeExpr, p.CoerceToDomain)
_CAST_FORMAT = {
    p.RelabelType: "relabelformat",
    p.CoerceViaIO: "coerceformat",
    p.ArrayCoerceExpr: "coerceformat",
    p.ConvertRowtypeExpr: "convertformat",
    p.CoerceToDomain: "coercionformat",
}


def quote_literal(text: str) -> str:
    """simple_quote_literal, for standard_conforming_strings = on."""
    return "'" + text.replace("'", "''") + "'"


def get_rule_expr(node: Any, ctx: Context, showimplicit: bool) -> None:
    """Write an expression; showimplicit: also conversions that nobody wrote."""
    if node is None:
        return
    if isinstance(node, list):
        for index, item in enumerate(node):
            if index:
                ctx.add(", ")
            get_rule_expr(item, ctx, showimplicit)
        return
    _WRITERS[type(node)](node, ctx, showimplicit)


def get_rule_expr_paren(node: Any, ctx: Context, showimplicit: bool, parent: Any) -> None:
    """The same with parentheses where pretty printing needs them."""
    need = ctx.pretty_paren and not is_simple_node(node, parent, ctx)
    if need:
        ctx.add("(")
    get_rule_expr(node, ctx, showimplicit)
    if need:
        ctx.add(")")


def get_rule_expr_toplevel(node: Any, ctx: Context, showimplicit: bool) -> None:
    """An expression where `t.*` would be expanded: a whole row gets a cast."""
    if isinstance(node, p.Var):
        get_variable(node, ctx, True)
    else:
        get_rule_expr(node, ctx, showimplicit)


# ----------------------------------------------------------------------------- parentheses

_FUNCTION_LIKE = (
    p.SubscriptingRef, p.ArrayExpr, p.RowExpr, p.CoalesceExpr, p.MinMaxExpr, p.SQLValueFunction,
    p.XmlExpr, p.NextValueExpr, p.Aggref, p.GroupingFunc, p.WindowFunc, p.FuncExpr,
)  # fmt: skip
_ALWAYS_SIMPLE = (
    p.Var, p.Const, p.Param, p.CoerceToDomainValue, p.SetToDefault, p.CurrentOfExpr, p.CaseExpr,
)  # fmt: skip
_OWN_PARENS = (
    p.SubscriptingRef, p.ArrayExpr, p.RowExpr, p.CoalesceExpr, p.MinMaxExpr, p.XmlExpr,
    p.Aggref, p.GroupingFunc, p.WindowFunc, p.CaseExpr,
)  # fmt: skip


def is_simple_node(node: Any, parent: Any, ctx: Context) -> bool:
    """isSimpleNode: whether the node needs no parentheses inside its parent."""
    if isinstance(node, (*_ALWAYS_SIMPLE, *_FUNCTION_LIKE, p.NullIfExpr)):
        return True
    if isinstance(node, p.FieldSelect):
        return not isinstance(parent, p.FieldSelect)
    if isinstance(node, p.FieldStore):
        return not isinstance(parent, p.FieldStore)
    if isinstance(node, _CASTS):
        return is_simple_node(node.arg, node, ctx)
    if isinstance(node, p.BoolExpr):
        if isinstance(parent, p.BoolExpr):
            if node.boolop in ("not", "and"):
                return parent.boolop in ("and", "or")
            return parent.boolop == "or"
        return _in_own_parens(parent)
    if type(node) is p.OpExpr and type(parent) is p.OpExpr:
        return _is_simple_in_operator(node, parent, ctx)
    if isinstance(node, (p.OpExpr, p.SubLink, p.NullTest, p.BooleanTest)):
        return isinstance(parent, p.BoolExpr) or _in_own_parens(parent)
    return False


def _in_own_parens(parent: Any) -> bool:
    if isinstance(parent, p.FuncExpr):
        return parent.funcformat == "explicit_call"
    return isinstance(parent, (*_OWN_PARENS, p.NullIfExpr))


def _binary_op_name(node: p.OpExpr, ctx: Context) -> str:
    if len(node.args) == 2:
        name = ctx.operator_name(node.opno)
        if len(name) == 1:
            return name
    return ""


def _is_simple_in_operator(node: p.OpExpr, parent: p.OpExpr, ctx: Context) -> bool:
    op, parent_op = _binary_op_name(node, ctx), _binary_op_name(parent, ctx)
    if not op or not parent_op or op not in "+-*/%" or parent_op not in "+-*/%":
        return False
    high, parent_high = op in "*/%", parent_op in "*/%"
    if high != parent_high:
        return high
    return node is parent.args[0]


# ----------------------------------------------------------------------------- variables


def get_variable(var: p.Var, ctx: Context, istoplevel: bool, levelsup: int = 0) -> str | None:
    """Write a column reference; the column's name, None for a whole row."""
    namespace = ctx.namespaces[var.varlevelsup + levelsup]
    varno, attno = var.varno, var.varattno
    through = namespace.through_join.get((varno, attno))
    if through is not None and through[0] not in namespace.open_joins:
        varno, attno = through
    rte = namespace.rtable[varno - 1]
    refname = namespace.names[varno - 1]
    if rte.rtekind == "join" and rte.alias is None and attno > 0:
        expr = rte.joinaliasvars[attno - 1]
        if isinstance(expr, p.Var):
            return get_variable(expr, ctx, istoplevel, var.varlevelsup + levelsup)
        refname = None
    if attno == 0:
        attname = None
    elif attno > 0:
        names = namespace.columns[varno - 1].colnames
        attname = names[attno - 1] if attno <= len(names) else "?dropped?column?"
    else:
        from pgemu.parser.parse_rte import system_attribute

        attname = system_attribute(attno)[0]
    if refname and (ctx.varprefix or attname is None):
        ctx.add(quote_identifier(refname) + ".")
    if attname is not None:
        ctx.add(quote_identifier(attname))
    else:
        ctx.add("*")
        if istoplevel:
            ctx.add("::" + format_type_with_typemod(ctx.catalog, var.vartype, var.vartypmod))
    return attname


def _var(node: p.Var, ctx: Context, _show: bool) -> None:
    get_variable(node, ctx, False)


def _const(node: p.Const, ctx: Context, _show: bool) -> None:
    get_const_expr(node, ctx, 0)


def get_const_expr(node: p.Const, ctx: Context, showtype: int) -> None:
    """A constant; showtype -1: never with its type, 0: if needed, 1: always."""
    catalog = ctx.catalog
    if node.value is None:
        ctx.add("NULL")
        if showtype >= 0:
            ctx.add("::" + format_type_with_typemod(catalog, node.consttype, node.consttypmod))
            _const_collation(node, ctx)
        return
    text: str = catalog.types.io(node.consttype).output(node.value, catalog.ctx)
    needlabel = True
    if node.consttype == INT4OID:
        needlabel = text.startswith("-")
        ctx.add(quote_literal(text) if needlabel else text)
    elif node.consttype == NUMERICOID:
        plain = text[:1].isdigit() and any(c in text for c in "eE.")
        ctx.add(text if plain else quote_literal(text))
        needlabel = not plain or node.consttypmod >= 0
    elif node.consttype == BOOLOID:
        ctx.add("true" if text == "t" else "false")
        needlabel = False
    else:
        ctx.add(quote_literal(text))
        needlabel = node.consttype != UNKNOWNOID
    if showtype < 0:
        return
    if needlabel or showtype > 0:
        ctx.add("::" + format_type_with_typemod(catalog, node.consttype, node.consttypmod))
    _const_collation(node, ctx)


def _const_collation(node: p.Const, ctx: Context) -> None:
    if node.constcollid:
        row = ctx.catalog.one(PgType, oid=node.consttype)
        if row is not None and row.typcollation != node.constcollid:
            ctx.add(" COLLATE " + ctx.collation_name(node.constcollid))


def _param(node: p.Param, ctx: Context, _show: bool) -> None:
    names = ctx.namespaces[-1].arg_names if ctx.namespaces else []
    if node.paramkind == "extern" and 0 < node.paramid <= len(names) and names[node.paramid - 1]:
        # where columns could be meant too, the function's name says that it is a parameter
        if any(namespace.names for namespace in ctx.namespaces[:-1]):
            ctx.add(quote_identifier(ctx.namespaces[-1].function_name) + ".")
        ctx.add(quote_identifier(names[node.paramid - 1]))
    else:
        ctx.add(f"${node.paramid}")


# ----------------------------------------------------------------------------- calls


def get_coercion_expr(
    arg: Any, ctx: Context, resulttype: int, resulttypmod: int, parent: Any
) -> None:
    """arg::type."""
    if isinstance(arg, p.Const) and arg.consttype == resulttype and arg.consttypmod == -1:
        get_const_expr(arg, ctx, -1)
    else:
        if not ctx.pretty_paren:
            ctx.add("(")
        get_rule_expr_paren(arg, ctx, False, parent)
        if not ctx.pretty_paren:
            ctx.add(")")
    ctx.add("::" + format_type_with_typemod(ctx.catalog, resulttype, resulttypmod))


def _cast(node: Any, ctx: Context, show: bool) -> None:
    if getattr(node, _CAST_FORMAT[type(node)]) == "implicit_cast" and not show:
        get_rule_expr_paren(node.arg, ctx, False, node)
    else:
        typmod = getattr(node, "resulttypmod", -1)
        get_coercion_expr(node.arg, ctx, node.resulttype, typmod, node)


def _func(node: p.FuncExpr, ctx: Context, show: bool) -> None:
    if node.funcformat == "implicit_cast" and not show:
        get_rule_expr_paren(node.args[0], ctx, False, node)
        return
    if node.funcformat in ("implicit_cast", "explicit_cast"):
        get_coercion_expr(node.args[0], ctx, node.funcresulttype, expr_typmod(node), node)
        return
    if node.funcformat == "sql_syntax":
        from pgemu.rewrite.ruleutils_sql_syntax import get_func_sql_syntax

        if get_func_sql_syntax(node, ctx):
            return
    ctx.add(ctx.function_name(node.funcid) + "(")
    _arguments(given_arguments(node), ctx, node.funcvariadic)
    ctx.add(")")


def given_arguments(node: p.FuncExpr) -> list[Any]:
    """The arguments as the call was written: named ones with their names, without defaults."""
    if not node.notation:
        return node.args
    return [
        p.NamedArgExpr(node.args[index], name) if name else node.args[index]
        for index, name in node.notation
    ]


def _arguments(args: list[Any], ctx: Context, variadic: bool) -> None:
    for index, arg in enumerate(args):
        if index:
            ctx.add(", ")
        if variadic and index == len(args) - 1:
            ctx.add("VARIADIC ")
        get_rule_expr(arg, ctx, True)


def _named_arg(node: p.NamedArgExpr, ctx: Context, show: bool) -> None:
    ctx.add(quote_identifier(node.name) + " => ")
    get_rule_expr(node.arg, ctx, show)


def _oper(node: p.OpExpr, ctx: Context, _show: bool) -> None:
    if not ctx.pretty_paren:
        ctx.add("(")
    name = ctx.operator_name(node.opno)
    if len(node.args) == 2:
        get_rule_expr_paren(node.args[0], ctx, True, node)
        ctx.add(f" {name} ")
        get_rule_expr_paren(node.args[1], ctx, True, node)
    else:
        ctx.add(f"{name} ")
        get_rule_expr_paren(node.args[0], ctx, True, node)
    if not ctx.pretty_paren:
        ctx.add(")")


def _infix(node: Any, ctx: Context, left: Any, between: str, right: Any) -> None:
    if not ctx.pretty_paren:
        ctx.add("(")
    get_rule_expr_paren(left, ctx, True, node)
    ctx.add(between)
    get_rule_expr_paren(right, ctx, True, node)
    if not ctx.pretty_paren:
        ctx.add(")")


def _distinct(node: p.DistinctExpr, ctx: Context, _show: bool) -> None:
    _infix(node, ctx, node.args[0], " IS DISTINCT FROM ", node.args[1])


def _nullif(node: p.NullIfExpr, ctx: Context, _show: bool) -> None:
    ctx.add("NULLIF(")
    get_rule_expr(list(node.args), ctx, True)
    ctx.add(")")


def _scalar_array(node: p.ScalarArrayOpExpr, ctx: Context, _show: bool) -> None:
    if not ctx.pretty_paren:
        ctx.add("(")
    scalar, array = node.args
    get_rule_expr_paren(scalar, ctx, True, node)
    ctx.add(f" {ctx.operator_name(node.opno)} {'ANY' if node.use_or else 'ALL'} (")
    get_rule_expr_paren(array, ctx, True, node)
    if isinstance(array, p.SubLink) and array.sublinktype == "expr":
        ctx.add("::" + ctx.catalog.type_name(expr_type(array), expr_typmod(array)))
    ctx.add(")")
    if not ctx.pretty_paren:
        ctx.add(")")


def _bool(node: p.BoolExpr, ctx: Context, _show: bool) -> None:
    if not ctx.pretty_paren:
        ctx.add("(")
    if node.boolop == "not":
        ctx.add("NOT ")
        get_rule_expr_paren(node.args[0], ctx, False, node)
    else:
        for index, arg in enumerate(node.args):
            if index:
                ctx.add(f" {node.boolop.upper()} ")
            get_rule_expr_paren(arg, ctx, False, node)
    if not ctx.pretty_paren:
        ctx.add(")")


def _subscript(node: p.SubscriptingRef, ctx: Context, show: bool) -> None:
    if isinstance(node.refexpr, p.CaseTestExpr):
        # a target of a multi-level assignment: only the new value is of interest
        get_rule_expr(node.refassgnexpr, ctx, show)
        return
    need = not isinstance(node.refexpr, (p.Var, p.FieldSelect))
    if need:
        ctx.add("(")
    get_rule_expr(node.refexpr, ctx, show)
    if need:
        ctx.add(")")
    print_subscripts(node, ctx)


def print_subscripts(node: p.SubscriptingRef, ctx: Context) -> None:
    """[lower:upper] for each dimension."""
    for index, upper in enumerate(node.refupperindexpr):
        ctx.add("[")
        if node.is_slice or node.reflowerindexpr:
            lower = node.reflowerindexpr[index] if index < len(node.reflowerindexpr) else None
            get_rule_expr(lower, ctx, False)
            ctx.add(":")
        get_rule_expr(upper, ctx, False)
        ctx.add("]")


def _aggref(node: p.Aggref, ctx: Context, _show: bool) -> None:
    from pgemu.rewrite.ruleutils_query import get_rule_orderby

    ctx.add(f"{ctx.function_name(node.aggfnoid)}({'DISTINCT ' if node.aggdistinct else ''}")
    args = [t for t in node.args if not t.resjunk]
    if node.aggkind != "n":
        get_rule_expr(list(node.aggdirectargs), ctx, True)
        ctx.add(") WITHIN GROUP (ORDER BY ")
        get_rule_orderby(node.aggorder, node.args, False, ctx)
    else:
        if node.aggstar:
            ctx.add("*")
        _arguments([t.expr for t in args], ctx, node.aggvariadic)
        if node.aggorder:
            ctx.add(" ORDER BY ")
            get_rule_orderby(node.aggorder, node.args, False, ctx)
    if node.aggfilter is not None:
        ctx.add(") FILTER (WHERE ")
        get_rule_expr(node.aggfilter, ctx, False)
    ctx.add(")")


def _grouping(node: p.GroupingFunc, ctx: Context, _show: bool) -> None:
    ctx.add("GROUPING(")
    get_rule_expr(list(node.args), ctx, True)
    ctx.add(")")


def _window(node: p.WindowFunc, ctx: Context, _show: bool) -> None:
    from pgemu.rewrite.ruleutils_query import get_rule_windowspec

    ctx.add(ctx.function_name(node.winfnoid) + "(")
    if node.winstar:
        ctx.add("*")
    else:
        get_rule_expr(list(node.args), ctx, True)
    if node.aggfilter is not None:
        ctx.add(") FILTER (WHERE ")
        get_rule_expr(node.aggfilter, ctx, False)
    ctx.add(") OVER ")
    for clause in ctx.window_clause:
        if clause.winref == node.winref:
            if clause.name:
                ctx.add(quote_identifier(clause.name))
            else:
                get_rule_windowspec(clause, ctx.window_tlist, ctx)
            return


# ----------------------------------------------------------------------------- others


def _field_select(node: p.FieldSelect, ctx: Context, _show: bool) -> None:
    need = not isinstance(node.arg, (p.SubscriptingRef, p.FieldSelect))
    if need:
        ctx.add("(")
    get_rule_expr(node.arg, ctx, True)
    if need:
        ctx.add(")")
    ctx.add("." + quote_identifier(field_name(node, ctx)))


def _field_store(node: p.FieldStore, ctx: Context, show: bool) -> None:
    if len(node.newvals) > 1:
        ctx.add("ROW(")
    get_rule_expr(list(node.newvals), ctx, show)
    if len(node.newvals) > 1:
        ctx.add(")")


def _collate(node: p.CollateExpr, ctx: Context, show: bool) -> None:
    if not ctx.pretty_paren:
        ctx.add("(")
    get_rule_expr_paren(node.arg, ctx, show, node)
    ctx.add(" COLLATE " + ctx.collation_name(node.coll_oid))
    if not ctx.pretty_paren:
        ctx.add(")")


def _case(node: p.CaseExpr, ctx: Context, _show: bool) -> None:
    from pgemu.parser.parse_coerce import strip_implicit_coercions

    ctx.keyword("CASE", 0, PRETTYINDENT_VAR, 0)
    if node.arg is not None:
        ctx.add(" ")
        get_rule_expr(node.arg, ctx, True)
    for when in node.args:
        condition: Any = when.expr
        if (
            node.arg is not None
            and isinstance(condition, p.OpExpr)
            and len(condition.args) == 2
            and isinstance(strip_implicit_coercions(condition.args[0]), p.CaseTestExpr)
        ):
            condition = condition.args[1]
        if not ctx.pretty_indent:
            ctx.add(" ")
        ctx.keyword("WHEN ", 0, 0, 0)
        get_rule_expr(condition, ctx, False)
        ctx.add(" THEN ")
        get_rule_expr(when.result, ctx, True)
    if not ctx.pretty_indent:
        ctx.add(" ")
    ctx.keyword("ELSE ", 0, 0, 0)
    default = node.defresult
    if default is None:
        default = p.Const(node.casetype, None, -1, node.casecollid)
    get_rule_expr(default, ctx, True)
    if not ctx.pretty_indent:
        ctx.add(" ")
    ctx.keyword("END", -PRETTYINDENT_VAR, 0, 0)


def _array(node: p.ArrayExpr, ctx: Context, _show: bool) -> None:
    ctx.add("ARRAY[")
    get_rule_expr(list(node.elements), ctx, True)
    ctx.add("]")
    if not node.elements:
        ctx.add("::" + ctx.catalog.type_name(node.array_typeid))


def _row(node: p.RowExpr, ctx: Context, _show: bool) -> None:
    ctx.add("ROW(")
    for index, arg in enumerate(node.args):
        if index:
            ctx.add(", ")
        get_rule_expr_toplevel(arg, ctx, True)
    ctx.add(")")
    if node.row_format == "explicit_cast":
        ctx.add("::" + ctx.catalog.type_name(node.row_typeid))


def _row_compare(node: p.RowCompareExpr, ctx: Context, _show: bool) -> None:
    ctx.add("(ROW(")
    _list_toplevel(node.largs, ctx)
    ctx.add(f") {ctx.operator_name(node.opnos[0])} ROW(")
    _list_toplevel(node.rargs, ctx)
    ctx.add("))")


def _list_toplevel(items: list[p.Expr], ctx: Context) -> None:
    """get_rule_list_toplevel: the items of a ROW(), a whole row among them with its type."""
    for number, item in enumerate(items):
        if number:
            ctx.add(", ")
        get_rule_expr_toplevel(item, ctx, True)


def _named_list(name: Callable[[Any], str]) -> Callable[[Any, Context, bool], None]:
    def write(node: Any, ctx: Context, _show: bool) -> None:
        ctx.add(name(node) + "(")
        get_rule_expr(list(node.args), ctx, True)
        ctx.add(")")

    return write


def _sql_value(node: p.SQLValueFunction, ctx: Context, _show: bool) -> None:
    name = node.op.removeprefix("SVFOP_")
    if name.endswith("_N"):
        ctx.add(f"{name[:-2]}({node.typmod})")
    else:
        ctx.add(name)


def _null_test(node: p.NullTest, ctx: Context, _show: bool) -> None:
    if not ctx.pretty_paren:
        ctx.add("(")
    get_rule_expr_paren(node.arg, ctx, True, node)
    row = ctx.catalog.one(PgType, oid=expr_type(node.arg))
    composite = row is not None and (row.typtype == "c" or row.oid == RECORDOID)
    if node.argisrow or not composite:
        ctx.add(" IS NULL" if node.is_null else " IS NOT NULL")
    else:
        ctx.add(" IS NOT DISTINCT FROM NULL" if node.is_null else " IS DISTINCT FROM NULL")
    if not ctx.pretty_paren:
        ctx.add(")")


def _boolean_test(node: p.BooleanTest, ctx: Context, _show: bool) -> None:
    if not ctx.pretty_paren:
        ctx.add("(")
    get_rule_expr_paren(node.arg, ctx, False, node)
    ctx.add(" " + node.booltesttype.replace("_", " ").upper())
    if not ctx.pretty_paren:
        ctx.add(")")


def _next_value(node: p.NextValueExpr, ctx: Context, _show: bool) -> None:
    name = generate_relation_name(ctx.catalog, node.seqid)
    ctx.add(f"nextval({quote_literal(name)}::regclass)")


def _inference(node: InferenceElem, ctx: Context, show: bool) -> None:
    need = not isinstance(node.expr, (p.Var, p.FuncExpr))
    ctx.add("(" if need else "")
    get_rule_expr(node.expr, ctx, show)
    ctx.add(")" if need else "")
    if node.infercollid:
        ctx.add(" COLLATE " + ctx.collation_name(node.infercollid))


def _sublink(node: p.SubLink, ctx: Context, _show: bool) -> None:
    from pgemu.rewrite.ruleutils_query import get_query_text

    kind = node.sublinktype
    ctx.add("ARRAY(" if kind == "array" else "(")
    opname = ""
    if node.testexpr is not None:
        opname = _sublink_test(node.testexpr, ctx)
    if kind == "exists":
        ctx.add("EXISTS ")
    elif kind == "any":
        ctx.add(" IN " if opname == "=" else f" {opname} ANY ")
    elif kind == "all":
        ctx.add(f" {opname} ALL ")
    elif kind == "rowcompare":
        ctx.add(f" {opname} ")
    need_paren = kind in ("exists", "any", "all", "rowcompare", "cte")
    if need_paren:
        ctx.add("(")
    ctx.add(get_query_text(node.subselect, ctx, ctx.namespaces, None, False))
    ctx.add("))" if need_paren else ")")


def _sublink_test(test: Any, ctx: Context) -> str:
    """Write the left side of a row or scalar comparison with a sub-query; its operator."""
    if type(test) is p.OpExpr:
        get_rule_expr(test.args[0], ctx, True)
        return ctx.operator_name(test.opno)
    if isinstance(test, p.BoolExpr):
        parts = [a.args[0] for a in test.args if isinstance(a, p.OpExpr)]
        first = test.args[0]
        operator = ctx.operator_name(first.opno) if isinstance(first, p.OpExpr) else "="
    elif isinstance(test, p.RowCompareExpr):
        parts = list(test.largs)
        operator = ctx.operator_name(test.opnos[0])
    else:
        get_rule_expr(getattr(test, "args", [test])[0], ctx, True)
        return "="
    ctx.add("(")
    get_rule_expr(parts, ctx, True)
    ctx.add(")")
    return operator


def _text(text: str) -> Callable[[Any, Context, bool], None]:
    return lambda _node, ctx, _show: ctx.add(text)


_WRITERS: dict[type, Callable[[Any, Context, bool], None]] = {
    p.Var: _var,
    p.Const: _const,
    p.Param: _param,
    p.FuncExpr: _func,
    p.NamedArgExpr: _named_arg,
    p.OpExpr: _oper,
    p.DistinctExpr: _distinct,
    p.NullIfExpr: _nullif,
    p.ScalarArrayOpExpr: _scalar_array,
    p.BoolExpr: _bool,
    p.Aggref: _aggref,
    p.GroupingFunc: _grouping,
    p.WindowFunc: _window,
    p.SubscriptingRef: _subscript,
    p.FieldSelect: _field_select,
    p.FieldStore: _field_store,
    p.SubLink: _sublink,
    p.RelabelType: _cast,
    p.CoerceViaIO: _cast,
    p.ArrayCoerceExpr: _cast,
    p.ConvertRowtypeExpr: _cast,
    p.CoerceToDomain: _cast,
    p.CollateExpr: _collate,
    p.CaseExpr: _case,
    p.CaseTestExpr: _text("CASE_TEST_EXPR"),
    p.ArrayExpr: _array,
    p.RowExpr: _row,
    p.RowCompareExpr: _row_compare,
    p.CoalesceExpr: _named_list(lambda n: "COALESCE"),
    p.MinMaxExpr: _named_list(lambda n: n.op.upper()),
    p.SQLValueFunction: _sql_value,
    p.XmlExpr: get_xml_expr,
    p.NullTest: _null_test,
    p.BooleanTest: _boolean_test,
    p.CoerceToDomainValue: _text("VALUE"),
    p.SetToDefault: _text("DEFAULT"),
    p.NextValueExpr: _next_value,
    p.CurrentOfExpr: lambda n, ctx, _s: ctx.add(f"CURRENT OF {quote_identifier(n.cursor_name)}"),
    p.TargetEntry: lambda n, ctx, s: get_rule_expr(n.expr, ctx, s),
    InferenceElem: _inference,
}


def looks_like_function(node: Any) -> bool:
    """Whether an expression can stand as an index column without parentheses."""
    if isinstance(node, p.FuncExpr):
        return node.funcformat in ("explicit_call", "sql_syntax")
    return isinstance(
        node,
        (p.CoalesceExpr, p.MinMaxExpr, p.NullIfExpr, p.SQLValueFunction, p.XmlExpr, p.Aggref),
    )
