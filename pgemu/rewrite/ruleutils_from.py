"""FROM as text (get_from_clause of PostgreSQL's ruleutils.c)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.keywords import quote_identifier
from pgemu.catalog.rows import PgType
from pgemu.nodes.nodefuncs import expr_type
from pgemu.nodes.parsenodes import JoinExpr, Query, RangeTblEntry, RangeTblRef
from pgemu.nodes.primnodes import Expr, FuncExpr
from pgemu.rewrite.ruleutils_context import (
    PRETTYINDENT_JOIN,
    PRETTYINDENT_STD,
    PRETTYINDENT_VAR,
    Context,
)
from pgemu.rewrite.ruleutils_expr import get_rule_expr
from pgemu.rewrite.ruleutils_query import get_query_text, get_values_def
from pgemu.rewrite.ruleutils_xml import get_tablefunc

STD = PRETTYINDENT_STD


def get_from_clause(query: Query, prefix: str, ctx: Context) -> None:
    first = True
    for item in query.jointree.fromlist:
        if isinstance(item, RangeTblRef) and not query.rtable[item.rtindex - 1].in_from_cl:
            continue
        if first:
            ctx.keyword(prefix, -STD, STD, 2)
            first = False
            _from_item(item, query, ctx)
            continue
        ctx.add(", ")
        outer, ctx.out = ctx.out, []
        _from_item(item, query, ctx)
        text = ctx.text()
        ctx.out = outer
        if ctx.pretty_indent and ctx.wrap_column >= 0:
            if text.startswith("\n"):
                ctx.strip_spaces()
            elif len(ctx.current_line()) + len(text) > ctx.wrap_column:
                ctx.keyword("", -STD, STD, PRETTYINDENT_VAR)
        ctx.add(text)


def _from_item(item: Any, query: Query, ctx: Context) -> None:
    if isinstance(item, JoinExpr):
        _join_item(item, query, ctx)
        return
    varno = item.rtindex
    rte = query.rtable[varno - 1]
    if rte.lateral:
        ctx.add("LATERAL ")
    coldefs = None
    if rte.rtekind == "relation":
        ctx.add(("" if rte.inh else "ONLY ") + ctx.relation_name(rte.relid))
    elif rte.rtekind == "subquery":
        assert rte.subquery is not None
        ctx.add("(" + get_query_text(rte.subquery, ctx, ctx.namespaces, None, True) + ")")
    elif rte.rtekind == "function":
        coldefs = _function_item(rte, ctx)
    elif rte.rtekind == "values":
        ctx.add("(")
        get_values_def(rte.values_lists, ctx)
        ctx.add(")")
    elif rte.rtekind == "tablefunc":
        assert rte.tablefunc is not None
        get_tablefunc(rte.tablefunc, ctx)
    elif rte.rtekind in ("cte", "namedtuplestore"):
        ctx.add(quote_identifier(rte.ctename))
    _alias(rte, varno, ctx)
    info = ctx.namespaces[0].columns[varno - 1]
    if coldefs is not None:
        ctx.add(coldefs)
    elif info.printaliases:
        ctx.add("(" + ", ".join(map(quote_identifier, info.new_colnames)) + ")")
    if rte.tablesample is not None:
        method, args, repeatable = rte.tablesample
        ctx.add(f" TABLESAMPLE {quote_identifier(method)} (")
        get_rule_expr(list(args), ctx, False)
        ctx.add(")")
        if repeatable is not None:
            ctx.add(" REPEATABLE (")
            get_rule_expr(repeatable, ctx, False)
            ctx.add(")")


def _coldef_list(function: Any, ctx: Context) -> str:
    parts = []
    for name, type_oid, typmod, collation in zip(
        function.colnames,
        function.coltypes,
        function.coltypmods,
        function.colcollations,
        strict=True,
    ):
        text = f"{quote_identifier(name)} {ctx.catalog.type_name(type_oid, typmod)}"
        row = ctx.catalog.one(PgType, oid=type_oid)
        if collation and row is not None and collation != row.typcollation:
            text += f" COLLATE {ctx.collation_name(collation)}"
        parts.append(text)
    return "(" + ", ".join(parts) + ")"


def _is_unnest(function: Any, ctx: Context) -> bool:
    from pgemu.catalog.rows import PgProc

    call = function.funcexpr
    if not isinstance(call, FuncExpr) or function.coldeflist or len(call.args) != 1:
        return False
    row = ctx.catalog.one(PgProc, oid=call.funcid)
    return row is not None and row.proname == "unnest" and row.pronamespace == 11


def _function_item(rte: RangeTblEntry, ctx: Context) -> str | None:
    """Write the call(s); the column definition list that has to follow the alias."""
    first = rte.functions[0]
    coldefs: str | None = None
    if len(rte.functions) == 1 and not (first.coldeflist and rte.funcordinality):
        _call_in_from(first.funcexpr, ctx)
        if first.coldeflist:
            coldefs = _coldef_list(first, ctx)
    elif all(_is_unnest(f, ctx) for f in rte.functions):
        ctx.add("UNNEST(")
        args = [f.funcexpr.args[0] for f in rte.functions if isinstance(f.funcexpr, FuncExpr)]
        get_rule_expr(args, ctx, True)
        ctx.add(")")
    else:
        ctx.add("ROWS FROM(")
        for index, function in enumerate(rte.functions):
            ctx.add(", " if index else "")
            _call_in_from(function.funcexpr, ctx)
            if function.coldeflist:
                ctx.add(" AS " + _coldef_list(function, ctx))
        ctx.add(")")
    if rte.funcordinality:
        ctx.add(" WITH ORDINALITY")
    return coldefs


def _call_in_from(expr: Expr, ctx: Context) -> None:
    """get_rule_expr_funccall: what is no plain call is wrapped into a CAST."""
    from pgemu.rewrite.ruleutils_expr import looks_like_function

    if looks_like_function(expr):
        get_rule_expr(expr, ctx, True)
        return
    ctx.add("CAST(")
    get_rule_expr(expr, ctx, False)
    ctx.add(f" AS {ctx.catalog.type_name(expr_type(expr))})")


def _alias(rte: RangeTblEntry, varno: int, ctx: Context) -> None:
    """get_rte_alias."""
    refname = ctx.namespaces[0].names[varno - 1]
    if refname is None:
        return
    show = rte.alias is not None or ctx.namespaces[0].columns[varno - 1].printaliases
    if not show:
        if rte.rtekind == "relation":
            from pgemu.catalog.rows import PgClass

            row = ctx.catalog.one(PgClass, oid=rte.relid)
            show = row is None or refname != row.relname
        elif rte.rtekind in ("cte", "namedtuplestore"):
            show = refname != rte.ctename
        elif rte.rtekind == "tablefunc":
            show = False
        else:
            show = True
    if show:
        ctx.add(f" {quote_identifier(refname)}")


_JOINS = {"left": " LEFT JOIN ", "right": " RIGHT JOIN ", "full": " FULL JOIN "}


def _join_item(join: JoinExpr, query: Query, ctx: Context) -> None:
    namespace = ctx.namespaces[0]
    if join.alias is not None:
        namespace.open_joins.add(join.rtindex)
    right_paren = (
        ctx.pretty_paren
        and not isinstance(join.rarg, RangeTblRef)
        and not (isinstance(join.rarg, JoinExpr) and join.rarg.alias is not None)
    )
    parens = not ctx.pretty_paren or join.alias is not None
    ctx.add("(" if parens else "")
    _from_item(join.larg, query, ctx)
    word = _JOINS.get(join.jointype)
    if word is None:
        word = " JOIN " if join.quals is not None else " CROSS JOIN "
    ctx.keyword(word, -STD, STD, PRETTYINDENT_JOIN)
    ctx.add("(" if right_paren else "")
    _from_item(join.rarg, query, ctx)
    ctx.add(")" if right_paren else "")
    if join.using_clause:
        names = namespace.columns[join.rtindex - 1].using_names
        ctx.add(" USING (" + ", ".join(map(quote_identifier, names)) + ")")
        using_alias = query.rtable[join.rtindex - 1].join_using_alias
        if using_alias is not None:
            ctx.add(f" AS {quote_identifier(using_alias.aliasname)}")
    elif join.quals is not None:
        ctx.add(" ON ")
        ctx.add("" if ctx.pretty_paren else "(")
        get_rule_expr(join.quals, ctx, False)
        ctx.add("" if ctx.pretty_paren else ")")
    elif join.jointype != "inner":
        ctx.add(" ON TRUE")
    ctx.add(")" if parens else "")
    if join.alias is not None:
        namespace.open_joins.discard(join.rtindex)
        ctx.add(f" {quote_identifier(namespace.names[join.rtindex - 1] or '')}")
        info = namespace.columns[join.rtindex - 1]
        if info.printaliases:
            ctx.add("(" + ", ".join(map(quote_identifier, info.new_colnames)) + ")")
