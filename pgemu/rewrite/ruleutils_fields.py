"""The name of a column of a record: get_name_for_var_field of PostgreSQL's ruleutils.c.

A FieldSelect knows a number.  The names belong to whatever made the record: a composite type, a
function's OUT parameters, a ROW(); behind a column that passes a record on, to the expression in
the sub-query, CTE, join or VALUES list that the column comes from.
"""

from __future__ import annotations

from pgemu.nodes import primnodes as p
from pgemu.nodes.parsenodes import CommonTableExpr, Query, RangeTblEntry
from pgemu.parser.funcapi import get_expr_result_type
from pgemu.rewrite.ruleutils_context import Context

# what Vars refer to, innermost query first
Level = tuple[list[RangeTblEntry], list[CommonTableExpr]]


def field_name(node: p.FieldSelect, ctx: Context) -> str:
    """The name of the column a FieldSelect takes."""
    levels = [(n.rtable, n.cte_list) for n in ctx.namespaces]
    return _name(node.arg, node.fieldnum, levels, ctx) or f"f{node.fieldnum}"


def _name(expr: p.Expr | None, number: int, levels: list[Level], ctx: Context) -> str | None:
    columns = get_expr_result_type(ctx.catalog, expr).columns
    if columns is not None:
        return columns[number - 1].name if number <= len(columns) else None
    if not isinstance(expr, p.Var) or expr.varlevelsup >= len(levels):
        return None
    outer = levels[expr.varlevelsup :]
    rte = outer[0][0][expr.varno - 1]
    if expr.varattno == 0:
        return rte.eref.colnames[number - 1]
    if rte.rtekind == "join":
        return _name(rte.joinaliasvars[expr.varattno - 1], number, outer, ctx)
    if rte.rtekind == "values":
        return _name(rte.values_lists[0][expr.varattno - 1], number, outer, ctx)
    query = rte.subquery
    if rte.rtekind == "cte" and not rte.self_reference:
        outer = outer[rte.ctelevelsup :]
        found = [c for c in outer[0][1] if c.ctename == rte.ctename] if outer else []
        query = found[0].ctequery if found else None
    if query is None:
        return None
    return _name(_output(query, expr.varattno), number, [_level(query), *outer], ctx)


def _output(query: Query, number: int) -> p.Expr | None:
    targets = query.target_list if query.command_type == "select" else query.returning_list
    return next((t.expr for t in targets if t.resno == number), None)


def _level(query: Query) -> Level:
    return query.rtable, query.cte_list
