"""INSERT, UPDATE and DELETE as text, for the actions of rules and the bodies of SQL functions."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.keywords import quote_identifier
from pgemu.catalog.rows import PgType
from pgemu.nodes.parsenodes import Query, RangeTblEntry, RangeTblRef
from pgemu.nodes.primnodes import Expr, TargetEntry
from pgemu.rewrite.ruleutils_context import PRETTYINDENT_STD, Context
from pgemu.rewrite.ruleutils_expr import get_rule_expr, get_rule_expr_toplevel
from pgemu.rewrite.ruleutils_from import get_from_clause
from pgemu.rewrite.ruleutils_query import (
    get_query_text,
    get_target_list,
    get_values_def,
    get_with_clause,
)

STD = PRETTYINDENT_STD


def _returning(query: Query, ctx: Context) -> None:
    if query.returning_list:
        ctx.keyword(" RETURNING", -STD, STD, 1)
        get_target_list(query.returning_list, ctx, None, True)


def _target_name(query: Query, ctx: Context) -> str:
    rte = query.rtable[query.result_relation - 1]
    text = ctx.relation_name(rte.relid)
    if query.command_type != "insert" and not rte.inh:
        text = "ONLY " + text
    return text


def _column_name(query: Query, ctx: Context, attno: int) -> str:
    rte = query.rtable[query.result_relation - 1]
    return quote_identifier(ctx.catalog.relation(rte.relid).attr(attno).attname)


def get_insert_query_def(
    query: Query, ctx: Context, _names: list[str] | None, _visible: bool
) -> None:
    get_with_clause(query, ctx)
    if ctx.pretty_indent:
        ctx.indent_level += STD
        ctx.add(" ")
    rte = query.rtable[query.result_relation - 1]
    ctx.add(f"INSERT INTO {_target_name(query, ctx)} ")
    if rte.alias is not None:
        ctx.add(f"AS {quote_identifier(rte.alias.aliasname)} ")
    targets = [t for t in query.target_list if not t.resjunk]
    ctx.add("(" if targets else "")
    exprs: list[Expr] = []
    for index, entry in enumerate(targets):
        ctx.add(", " if index else "")
        ctx.add(_column_name(query, ctx, entry.resno))
        exprs.append(process_indirection(entry.expr, ctx))
    ctx.add(") " if targets else "")
    if query.override:
        ctx.add(f"OVERRIDING {query.override.upper()} VALUE ")
    source = _insert_source(query)
    if source is not None and source.subquery is not None:
        ctx.add(get_query_text(source.subquery, ctx, ctx.namespaces, None, False))
    elif source is not None:
        get_values_def(source.values_lists, ctx)
    elif exprs:
        ctx.keyword("VALUES (", -STD, STD, 2)
        for index, expr in enumerate(exprs):
            ctx.add(", " if index else "")
            get_rule_expr_toplevel(expr, ctx, False)
        ctx.add(")")
    else:
        ctx.add("DEFAULT VALUES")
    _on_conflict(query, ctx)
    _returning(query, ctx)


def _insert_source(query: Query) -> RangeTblEntry | None:
    for item in query.jointree.fromlist:
        if isinstance(item, RangeTblRef):
            rte = query.rtable[item.rtindex - 1]
            if rte.rtekind in ("subquery", "values"):
                return rte
    return None


def _on_conflict(query: Query, ctx: Context) -> None:
    conflict = query.on_conflict
    if conflict is None:
        return
    ctx.add(" ON CONFLICT")
    if conflict.arbiter_elems:
        ctx.add("(")
        prefix, ctx.varprefix = ctx.varprefix, False
        get_rule_expr(list(conflict.arbiter_elems), ctx, False)
        ctx.add(")")
        if conflict.arbiter_where is not None:
            ctx.keyword(" WHERE ", -STD, STD, 1)
            get_rule_expr(conflict.arbiter_where, ctx, False)
        ctx.varprefix = prefix
    elif conflict.constraint:
        from pgemu.catalog.rows import PgConstraint

        row = ctx.catalog.one(PgConstraint, oid=conflict.constraint)
        ctx.add(f" ON CONSTRAINT {quote_identifier(row.conname if row else '')}")
    if conflict.action == "nothing":
        ctx.add(" DO NOTHING")
        return
    ctx.add(" DO UPDATE SET ")
    _set_list(query, conflict.on_conflict_set, ctx)
    if conflict.on_conflict_where is not None:
        ctx.keyword(" WHERE ", -STD, STD, 1)
        get_rule_expr(conflict.on_conflict_where, ctx, False)


def process_indirection(node: Any, ctx: Context) -> Any:
    """Write the `.field[3]` of an assignment target; the value assigned."""
    from pgemu.nodes.primnodes import CoerceToDomain, FieldStore, SubscriptingRef
    from pgemu.rewrite.ruleutils_expr import print_subscripts

    while True:
        if isinstance(node, FieldStore):
            typrel = ctx.catalog.one(PgType, oid=node.resulttype)
            assert typrel is not None
            att = ctx.catalog.relation(typrel.typrelid).attr(node.fieldnums[0])
            ctx.add("." + quote_identifier(att.attname))
            node = node.newvals[0]
        elif isinstance(node, SubscriptingRef) and node.refassgnexpr is not None:
            print_subscripts(node, ctx)
            node = node.refassgnexpr
        elif isinstance(node, CoerceToDomain) and isinstance(
            node.arg, (FieldStore, SubscriptingRef)
        ):
            node = node.arg
        else:
            return node


def _set_list(query: Query, targets: list[TargetEntry], ctx: Context) -> None:
    first = True
    for entry in targets:
        if entry.resjunk:
            continue
        ctx.add("" if first else ", ")
        first = False
        ctx.add(_column_name(query, ctx, entry.resno))
        expr = process_indirection(entry.expr, ctx)
        ctx.add(" = ")
        get_rule_expr(expr, ctx, False)


def get_update_query_def(
    query: Query, ctx: Context, _names: list[str] | None, _visible: bool
) -> None:
    get_with_clause(query, ctx)
    if ctx.pretty_indent:
        ctx.add(" ")
        ctx.indent_level += STD
    rte = query.rtable[query.result_relation - 1]
    ctx.add(f"UPDATE {_target_name(query, ctx)}")
    if rte.alias is not None:
        ctx.add(f" {quote_identifier(rte.alias.aliasname)}")
    ctx.add(" SET ")
    _set_list(query, query.target_list, ctx)
    get_from_clause(query, " FROM ", ctx)
    _where_and_returning(query, ctx)


def get_delete_query_def(
    query: Query, ctx: Context, _names: list[str] | None, _visible: bool
) -> None:
    get_with_clause(query, ctx)
    if ctx.pretty_indent:
        ctx.add(" ")
        ctx.indent_level += STD
    rte = query.rtable[query.result_relation - 1]
    ctx.add(f"DELETE FROM {_target_name(query, ctx)}")
    if rte.alias is not None:
        ctx.add(f" {quote_identifier(rte.alias.aliasname)}")
    get_from_clause(query, " USING ", ctx)
    _where_and_returning(query, ctx)


def _where_and_returning(query: Query, ctx: Context) -> None:
    if query.jointree.quals is not None:
        ctx.keyword(" WHERE ", -STD, STD, 1)
        get_rule_expr(query.jointree.quals, ctx, False)
    _returning(query, ctx)
