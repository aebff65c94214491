"""character(n) with its blanks where they are seen.

PostgreSQL stores the blanks; here values are stored without them, so that SQLite compares them
rightly, and get them back from the declared length: columns of the result on their way out, others
here.  The length of an expression is that of its type modifier or, where PostgreSQL's nodes have
none but the value does (max(), a CASE, a sub-query's column), that of what the value comes from.
"""

from __future__ import annotations

from dataclasses import replace

from pgemu.nodes import expr_type, expr_typmod
from pgemu.nodes import primnodes as p
from pgemu.nodes.node_class import node as node_class
from pgemu.nodes.parsenodes import Query
from pgemu.planner import sql
from pgemu.planner.expressions import handler, lower
from pgemu.planner.lowering import Lowering, Scope
from pgemu.planner.sql import Sql

BPCHAROID, BPCHARARRAYOID = 1042, 1014
_PADDED_TYPES = (BPCHAROID, BPCHARARRAYOID)
VARHDRSZ = 4


@node_class
class PaddedExpr(p.Expr):
    """An expression whose value is wanted with its blanks."""

    arg: p.Expr


def padded_typmod(node: p.Expr, query: Query | None) -> int:
    """The type modifier that all values of a character(n) or character(n)[] have; else -1."""
    if expr_type(node) not in _PADDED_TYPES:
        return -1
    typmod = expr_typmod(node)
    if typmod >= VARHDRSZ:
        return typmod
    sources: list[p.Expr] = []
    if isinstance(node, p.CaseExpr):
        sources = [when.result for when in node.args]
        if node.defresult is not None:
            sources.append(node.defresult)
    elif isinstance(node, (p.CoalesceExpr, p.MinMaxExpr)):
        sources = node.args
    elif isinstance(node, p.Aggref):
        sources = [t.expr for t in node.args[:1]]
    elif isinstance(node, p.WindowFunc):
        sources = node.args[:1]
    elif isinstance(node, p.SubLink) and node.sublinktype in ("expr", "array"):
        query = node.subselect
        sources = [t.expr for t in query.target_list if not t.resjunk]
    elif isinstance(node, p.Var) and query is not None and not node.varlevelsup:
        entry = query.rtable[node.varno - 1]
        query = entry.subquery
        if query is not None and query.set_operations is None and node.varattno > 0:
            sources = [t.expr for t in query.target_list if t.resno == node.varattno]
    known = {padded_typmod(s, query) for s in sources if not _is_null(s)}
    return known.pop() if len(known) == 1 else -1


def _is_null(node: p.Expr) -> bool:
    return isinstance(node, p.Const) and node.value is None


def pad(node: p.Expr, value: Sql, low: Lowering, query: Query | None) -> Sql:
    """The value of node with its blanks, if it is of such a type and the length is known."""
    typmod = padded_typmod(node, query)
    if typmod < VARHDRSZ:
        return value
    kind = "bpchar_padded" if expr_type(node) == BPCHAROID else "bpchar_array_padded"
    return sql.func(low.binder.special(kind, typmod - VARHDRSZ), value)


def lower_output(node: p.Expr, low: Lowering, scope: Scope) -> Sql:
    """A column of the statement's result.  A character(n) with a type modifier gets its blanks on
    its way to the client; the branches of CASE and COALESCE may each have a length of its own."""
    type_oid = expr_type(node)
    if type_oid not in _PADDED_TYPES or (type_oid == BPCHAROID and expr_typmod(node) >= VARHDRSZ):
        return lower(node, low, scope)
    if type_oid == BPCHAROID and padded_typmod(node, scope.query) < VARHDRSZ:
        if isinstance(node, p.CaseExpr):
            whens = [replace(when, result=PaddedExpr(when.result)) for when in node.args]
            default = None if node.defresult is None else PaddedExpr(node.defresult)
            node = replace(node, args=whens, defresult=default)
        elif isinstance(node, p.CoalesceExpr):
            node = replace(node, args=[PaddedExpr(arg) for arg in node.args])
        return lower(node, low, scope)
    return pad(node, lower(node, low, scope), low, scope.query)


@handler(PaddedExpr)
def lower_padded(node: PaddedExpr, low: Lowering, scope: Scope) -> Sql:
    return pad(node.arg, lower(node.arg, low, scope), low, scope.query)
