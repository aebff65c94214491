"""Queries as text (get_query_def and its family of PostgreSQL's ruleutils.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pgemu.catalog.keywords import quote_identifier
from pgemu.nodes.nodefuncs import expr_type
from pgemu.nodes.parsenodes import (
    CommonTableExpr,
    GroupingSet,
    Query,
    RangeTblEntry,
    RangeTblRef,
    SetOperationStmt,
    WindowClause,
)
from pgemu.nodes.primnodes import (
    Aggref,
    Const,
    Expr,
    FuncExpr,
    SortGroupClause,
    TargetEntry,
    Var,
    WindowFunc,
)
from pgemu.rewrite.ruleutils_context import (
    PRETTYINDENT_STD,
    PRETTYINDENT_VAR,
    Context,
    Namespace,
    generate_operator_name,
    namespace_for_query,
)
from pgemu.rewrite.ruleutils_expr import (
    get_const_expr,
    get_rule_expr,
    get_rule_expr_toplevel,
    get_variable,
    quote_literal,
)

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog

STD = PRETTYINDENT_STD
_STRENGTHS = {
    "forkeyshare": " FOR KEY SHARE",
    "forshare": " FOR SHARE",
    "fornokeyupdate": " FOR NO KEY UPDATE",
    "forupdate": " FOR UPDATE",
}


def get_query_text(
    query: Query,
    parent: Context,
    namespaces: list[Namespace],
    result_names: list[str] | None,
    col_names_visible: bool,
    indent_level: int | None = None,
) -> str:
    """get_query_def of a query inside another text."""
    return get_query_def(
        parent.catalog,
        query,
        namespaces,
        result_names,
        col_names_visible,
        parent.pretty_flags,
        parent.wrap_column,
        parent.indent_level if indent_level is None else indent_level,
        start_column=len(parent.current_line()) + parent.start_column * parent.on_first_line(),
    )


def get_query_def(
    catalog: Catalog,
    query: Query,
    parents: list[Namespace],
    result_names: list[str] | None,
    col_names_visible: bool,
    pretty_flags: int,
    wrap_column: int,
    start_indent: int,
    varprefix: bool = False,
    start_column: int = 0,
) -> str:
    """Text of a query; result_names: the column names a view gives its output; varprefix:
    columns are qualified even if there is one table only; start_column: how much there is before
    the query on its first line."""
    namespace = namespace_for_query(catalog, query, parents)
    ctx = Context(
        catalog,
        [namespace, *parents],
        pretty_flags=pretty_flags,
        varprefix=varprefix or bool(parents) or len(query.rtable) != 1,
        wrap_column=wrap_column,
        indent_level=start_indent,
    )
    ctx.start_column = start_column
    from pgemu.rewrite import ruleutils_dml

    writer = {
        "select": _select_query,
        "insert": ruleutils_dml.get_insert_query_def,
        "update": ruleutils_dml.get_update_query_def,
        "delete": ruleutils_dml.get_delete_query_def,
    }.get(query.command_type)
    if query.command_type == "utility":
        _utility_query(query, ctx)
        return ctx.text()
    assert writer is not None
    if query.is_return:
        _return_query(query, ctx)
    else:
        writer(query, ctx, result_names, col_names_visible)
    return ctx.text()


def _return_query(query: Query, ctx: Context) -> None:
    """RETURN expression, in a SQL function's body."""
    from pgemu.rewrite.ruleutils_expr import get_rule_expr

    if ctx.pretty_indent:
        ctx.add(" ")
    ctx.add("RETURN ")
    get_rule_expr(query.target_list[0].expr, ctx, False)


def _utility_query(query: Query, ctx: Context) -> None:
    """get_utility_query_def."""
    body = (query.utility_stmt or {}).get("NotifyStmt")
    if body is None:
        ctx.add("NOTHING")
        return
    ctx.keyword("", 0, STD, 1)
    ctx.add(f"NOTIFY {quote_identifier(body['conditionname'])}")
    if body.get("payload"):
        ctx.add(f", {quote_literal(body['payload'])}")


# ----------------------------------------------------------------------------- SELECT


def get_with_clause(query: Query, ctx: Context) -> None:
    if not query.cte_list:
        return
    if ctx.pretty_indent:
        ctx.indent_level += STD
        ctx.add(" ")
    separator = "WITH RECURSIVE " if query.has_recursive else "WITH "
    for cte in query.cte_list:
        ctx.add(separator + quote_identifier(cte.ctename))
        if cte.aliascolnames:
            ctx.add("(" + ", ".join(map(quote_identifier, cte.aliascolnames)) + ")")
        ctx.add(" AS ")
        if cte.materialized is not None:
            ctx.add("MATERIALIZED " if cte.materialized else "NOT MATERIALIZED ")
        ctx.add("(")
        if ctx.pretty_indent:
            ctx.keyword("", 0, 0, 0)
        ctx.add(get_query_text(cte.ctequery, ctx, ctx.namespaces, None, True))
        if ctx.pretty_indent:
            ctx.keyword("", 0, 0, 0)
        ctx.add(")")
        _search_cycle(cte, ctx)
        separator = ", "
    if ctx.pretty_indent:
        ctx.indent_level -= STD
        ctx.keyword("", 0, 0, 0)
    else:
        ctx.add(" ")


def _search_cycle(cte: CommonTableExpr, ctx: Context) -> None:
    search, cycle = cte.search_clause, cte.cycle_clause
    if search is not None:
        order = "BREADTH" if search.search_breadth_first else "DEPTH"
        columns = ", ".join(map(quote_identifier, search.search_col_list))
        ctx.add(f" SEARCH {order} FIRST BY {columns}")
        ctx.add(f" SET {quote_identifier(search.search_seq_column)}")
    if cycle is not None:
        columns = ", ".join(map(quote_identifier, cycle.cycle_col_list))
        ctx.add(f" CYCLE {columns} SET {quote_identifier(cycle.cycle_mark_column)}")
        value, default = cycle.cycle_mark_value, cycle.cycle_mark_default
        plain = (
            isinstance(value, Const)
            and value.consttype == 16
            and value.value
            and isinstance(default, Const)
            and not default.value
        )
        if not plain:
            ctx.add(" TO ")
            get_rule_expr(value, ctx, False)
            ctx.add(" DEFAULT ")
            get_rule_expr(default, ctx, False)
        ctx.add(f" USING {quote_identifier(cycle.cycle_path_column)}")


def _select_query(
    query: Query, ctx: Context, result_names: list[str] | None, visible: bool
) -> None:
    get_with_clause(query, ctx)
    ctx.window_clause, ctx.window_tlist = query.window_clause, query.target_list
    if query.set_operations is not None:
        _setop_query(query.set_operations, query, ctx, result_names, visible)
        force_colno = True
    else:
        _basic_select(query, ctx, result_names, visible)
        force_colno = False
    if query.sort_clause:
        ctx.keyword(" ORDER BY ", -STD, STD, 1)
        get_rule_orderby(query.sort_clause, query.target_list, force_colno, ctx)
    if query.limit_offset is not None:
        ctx.keyword(" OFFSET ", -STD, STD, 0)
        get_rule_expr(query.limit_offset, ctx, False)
    if query.limit_count is not None:
        if query.limit_option == "with_ties":
            # the grammar takes a c_expr here
            ctx.keyword(" FETCH FIRST ", -STD, STD, 0)
            ctx.add("(")
            get_rule_expr(query.limit_count, ctx, False)
            ctx.add(") ROWS WITH TIES")
        else:
            ctx.keyword(" LIMIT ", -STD, STD, 0)
            if isinstance(query.limit_count, Const) and query.limit_count.value is None:
                ctx.add("ALL")
            else:
                get_rule_expr(query.limit_count, ctx, False)
    if query.has_for_update:
        for mark in query.row_marks:
            if mark.pushed_down:
                continue
            ctx.keyword(_STRENGTHS[mark.strength], -STD, STD, 0)
            name = ctx.namespaces[0].names[mark.rti - 1] or ""
            ctx.add(f" OF {quote_identifier(name)}")
            ctx.add({"error": " NOWAIT", "skip": " SKIP LOCKED"}.get(mark.wait_policy, ""))


def _simple_values_rte(query: Query, result_names: list[str] | None) -> RangeTblEntry | None:
    """The VALUES entry of a query that is nothing but SELECT * FROM (VALUES ...)."""
    found: RangeTblEntry | None = None
    for rte in query.rtable:
        if rte.rtekind == "values" and rte.in_from_cl:
            if found is not None:
                return None
            found = rte
        elif rte.rtekind == "relation" and not rte.in_from_cl:
            continue
        else:
            return None
    if found is None or len(query.target_list) != len(found.eref.colnames):
        return None
    for position, (entry, name) in enumerate(
        zip(query.target_list, found.eref.colnames, strict=True)
    ):
        if entry.resjunk:
            return None
        shown = (
            result_names[position]
            if result_names is not None and position < len(result_names)
            else entry.resname
        )
        if shown is None or shown != name:
            return None
    return found


def get_values_def(rows: list[list[Expr]], ctx: Context) -> None:
    ctx.add("VALUES ")
    for index, row in enumerate(rows):
        ctx.add("(" if index == 0 else ", (")
        for position, item in enumerate(row):
            if position:
                ctx.add(",")
            get_rule_expr_toplevel(item, ctx, False)
        ctx.add(")")


def _basic_select(
    query: Query, ctx: Context, result_names: list[str] | None, visible: bool
) -> None:
    if ctx.pretty_indent:
        ctx.indent_level += STD
        ctx.add(" ")
    values = _simple_values_rte(query, result_names)
    if values is not None:
        get_values_def(values.values_lists, ctx)
        return
    ctx.add("SELECT")
    if query.distinct_clause:
        if query.has_distinct_on:
            ctx.add(" DISTINCT ON (")
            for index, clause in enumerate(query.distinct_clause):
                ctx.add(", " if index else "")
                get_rule_sortgroupclause(clause.tle_sort_group_ref, query.target_list, False, ctx)
            ctx.add(")")
        else:
            ctx.add(" DISTINCT")
    from pgemu.rewrite.ruleutils_from import get_from_clause

    get_target_list(query.target_list, ctx, result_names, visible)
    get_from_clause(query, " FROM ", ctx)
    if query.jointree.quals is not None:
        ctx.keyword(" WHERE ", -STD, STD, 1)
        get_rule_expr(query.jointree.quals, ctx, False)
    if query.group_clause or query.grouping_sets:
        ctx.keyword(" GROUP BY ", -STD, STD, 1)
        if query.group_distinct:
            ctx.add("DISTINCT ")
        if query.grouping_sets:
            for index, gset in enumerate(query.grouping_sets):
                ctx.add(", " if index else "")
                _grouping_set(gset, query.target_list, True, ctx)
        else:
            for index, clause in enumerate(query.group_clause):
                ctx.add(", " if index else "")
                get_rule_sortgroupclause(clause.tle_sort_group_ref, query.target_list, False, ctx)
    if query.having_qual is not None:
        ctx.keyword(" HAVING ", -STD, STD, 0)
        get_rule_expr(query.having_qual, ctx, False)
    first = True
    for clause_def in query.window_clause:
        if clause_def.name is None:
            continue
        if first:
            ctx.keyword(" WINDOW ", -STD, STD, 1)
        else:
            ctx.add(", ")
        first = False
        ctx.add(f"{quote_identifier(clause_def.name)} AS ")
        get_rule_windowspec(clause_def, query.target_list, ctx)


def get_target_list(
    targets: list[TargetEntry], ctx: Context, result_names: list[str] | None, visible: bool
) -> None:
    """The output columns, one a line where wrapping is on."""
    separator = " "
    colno = 0
    last_was_multiline = False
    for entry in targets:
        if entry.resjunk:
            continue
        ctx.add(separator)
        separator = ", "
        colno += 1
        outer, ctx.out = ctx.out, []
        if isinstance(entry.expr, Var):
            attname = get_variable(entry.expr, ctx, True)
        else:
            get_rule_expr(entry.expr, ctx, True)
            attname = None if visible else "?column?"
        if result_names is not None and colno <= len(result_names):
            colname: str | None = result_names[colno - 1]
        else:
            colname = entry.resname
        if colname and attname != colname:
            ctx.add(f" AS {quote_identifier(colname)}")
        text = ctx.text()
        ctx.out = outer
        line = len(ctx.current_line()) + ctx.start_column * ctx.on_first_line()
        if ctx.pretty_indent and ctx.wrap_column >= 0:
            starts_line = text.startswith("\n")
            if starts_line:
                ctx.strip_spaces()
            elif colno > 1 and (line + len(text) > ctx.wrap_column or last_was_multiline):
                ctx.keyword("", -STD, STD, PRETTYINDENT_VAR)
            last_was_multiline = "\n" in (text[1:] if starts_line else text)
        ctx.add(text)


def _setop_query(
    node: Any, query: Query, ctx: Context, result_names: list[str] | None, visible: bool
) -> None:
    if isinstance(node, RangeTblRef):
        sub = query.rtable[node.rtindex - 1].subquery
        assert sub is not None
        need_paren = bool(
            sub.cte_list
            or sub.sort_clause
            or sub.row_marks
            or sub.limit_offset is not None
            or sub.limit_count is not None
        )
        ctx.add("(" if need_paren else "")
        ctx.add(get_query_text(sub, ctx, ctx.namespaces, result_names, visible))
        ctx.add(")" if need_paren else "")
        return
    left = node.larg
    need_paren = isinstance(left, SetOperationStmt) and (left.op, left.all) != (
        node.op,
        node.all,
    )
    subindent = 0
    if need_paren:
        ctx.add("(")
        subindent = STD
        ctx.keyword("", subindent, 0, 0)
    _setop_query(left, query, ctx, result_names, visible)
    if need_paren:
        ctx.keyword(") ", -subindent, 0, 0)
    elif ctx.pretty_indent:
        ctx.keyword("", -subindent, 0, 0)
    else:
        ctx.add(" ")
    ctx.add(node.op.upper() + (" ALL " if node.all else " "))
    need_paren = isinstance(node.rarg, SetOperationStmt)
    subindent = 0
    if need_paren:
        ctx.add("(")
        subindent = STD
    ctx.keyword("", subindent, 0, 0)
    _setop_query(node.rarg, query, ctx, result_names, False)
    if ctx.pretty_indent:
        ctx.indent_level -= subindent
    if need_paren:
        ctx.keyword(")", 0, 0, 0)


# ----------------------------------------------------------------------------- sort, group


def _entry_of(ref: int, targets: list[TargetEntry]) -> TargetEntry:
    return next(t for t in targets if t.ressortgroupref == ref)


def get_rule_sortgroupclause(
    ref: int, targets: list[TargetEntry], force_colno: bool, ctx: Context
) -> Expr:
    """An ORDER BY, GROUP BY or DISTINCT ON item; its expression."""
    entry = _entry_of(ref, targets)
    expr = entry.expr
    if force_colno:
        ctx.add(str(entry.resno))
    elif isinstance(expr, Const):
        get_const_expr(expr, ctx, 1)
    elif isinstance(expr, Var):
        get_rule_expr(expr, ctx, True)
    else:
        need = ctx.pretty_paren or isinstance(expr, (FuncExpr, Aggref, WindowFunc))
        ctx.add("(" if need else "")
        get_rule_expr(expr, ctx, True)
        ctx.add(")" if need else "")
    return expr


def _grouping_set(
    gset: GroupingSet, targets: list[TargetEntry], omit_parens: bool, ctx: Context
) -> None:
    if gset.kind == "empty":
        ctx.add("()")
        return
    if gset.kind == "simple":
        parens = not omit_parens or len(gset.content) != 1
        ctx.add("(" if parens else "")
        for index, ref in enumerate(gset.content):
            ctx.add(", " if index else "")
            get_rule_sortgroupclause(ref, targets, False, ctx)
        ctx.add(")" if parens else "")
        return
    name = {"rollup": "ROLLUP(", "cube": "CUBE(", "sets": "GROUPING SETS ("}[gset.kind]
    ctx.add(name)
    for index, inner in enumerate(gset.content):
        ctx.add(", " if index else "")
        _grouping_set(inner, targets, gset.kind != "sets", ctx)
    ctx.add(")")


def get_rule_orderby(
    clauses: list[SortGroupClause], targets: list[TargetEntry], force_colno: bool, ctx: Context
) -> None:
    """The items of ORDER BY."""
    from pgemu.parser.parse_oper import get_sort_group_operators

    for index, clause in enumerate(clauses):
        ctx.add(", " if index else "")
        expr = get_rule_sortgroupclause(clause.tle_sort_group_ref, targets, force_colno, ctx)
        lt, _eq, gt, _hashable = get_sort_group_operators(
            ctx.catalog, expr_type(expr), False, False, False
        )
        if clause.sortop == lt:
            ctx.add(" NULLS FIRST" if clause.nulls_first else "")
        elif clause.sortop == gt:
            ctx.add(" DESC" if clause.nulls_first else " DESC NULLS LAST")
        else:
            ctx.add(f" USING {generate_operator_name(ctx.catalog, clause.sortop)}")
            ctx.add(" NULLS FIRST" if clause.nulls_first else " NULLS LAST")


_BOUNDS = {
    "unbounded_preceding": "UNBOUNDED PRECEDING ",
    "unbounded_following": "UNBOUNDED FOLLOWING ",
    "current_row": "CURRENT ROW ",
}


def get_rule_windowspec(clause: WindowClause, targets: list[TargetEntry], ctx: Context) -> None:
    """A window definition in parentheses."""
    referenced = next(
        (w for w in ctx.window_clause if clause.refname and w.name == clause.refname), None
    )
    copied_order = referenced is not None and bool(referenced.order_clause)
    outer, ctx.out = ctx.out, []
    if clause.refname:
        ctx.add(quote_identifier(clause.refname) + " ")
    if clause.partition_clause and not clause.refname:
        ctx.add("PARTITION BY ")
        for index, item in enumerate(clause.partition_clause):
            ctx.add(", " if index else "")
            get_rule_sortgroupclause(item.tle_sort_group_ref, targets, False, ctx)
        ctx.add(" ")
    if clause.order_clause and not copied_order:
        ctx.add("ORDER BY ")
        get_rule_orderby(clause.order_clause, targets, False, ctx)
        ctx.add(" ")
    if not clause.frame_default:
        _frame(clause, ctx)
    text = ctx.text().rstrip(" ")
    ctx.out = outer
    ctx.add(f"({text})")


def _frame(clause: WindowClause, ctx: Context) -> None:
    ctx.add(clause.frame_mode.upper() + " ")
    ctx.add("BETWEEN " if clause.frame_between else "")
    _bound(clause.frame_start, clause.start_offset, ctx)
    if clause.frame_between:
        ctx.add("AND ")
        _bound(clause.frame_end, clause.end_offset, ctx)
    if clause.frame_exclusion:
        ctx.add(f"EXCLUDE {clause.frame_exclusion.replace('_', ' ').upper()} ")


def _bound(bound: str, offset: Expr | None, ctx: Context) -> None:
    fixed = _BOUNDS.get(bound)
    if fixed is not None:
        ctx.add(fixed)
        return
    get_rule_expr(offset, ctx, False)
    ctx.add(" PRECEDING " if bound == "offset_preceding" else " FOLLOWING ")
