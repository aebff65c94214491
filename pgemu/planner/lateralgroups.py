"""a LEFT JOIN (b JOIN LATERAL (... a.x ...) c ON ...): a joined operand that reads what stands
left of it.

SQLite does not let a join in parentheses see its neighbours.  Such an operand becomes a
table-valued function that runs the join as a statement of its own, as a LATERAL sub-select does,
and hands on the columns that the query uses.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from pgemu.nodes import primnodes as p
from pgemu.nodes.parsenodes import FromExpr, JoinExpr, JoinTreeNode, Query
from pgemu.nodes.walk import walk
from pgemu.planner import sql
from pgemu.planner.lowering import Lowering, Scope

_Columns = dict[tuple[int, int], p.Var]


def prepare_lateral_groups(query: Query, low: Lowering, scope: Scope) -> None:
    """Lower such operands of the query's joins, and have their columns read from there."""
    for item in query.jointree.fromlist:
        if isinstance(item, JoinExpr):
            _prepare(item, query, low, scope)


def _prepare(node: JoinExpr, query: Query, low: Lowering, scope: Scope) -> None:
    if isinstance(node.larg, JoinExpr):
        _prepare(node.larg, query, low, scope)
    if not isinstance(node.rarg, JoinExpr):
        return
    inner = node.jointype == "inner" and node.rarg.jointype == "inner"
    members = _members(node.rarg)
    outside = {
        key: var
        for key, var in _columns([node.rarg, [query.rtable[n - 1] for n in members]]).items()
        if key[0] not in members
    }
    if outside and not inner:
        _lower_group(node.rarg, members, outside, query, low, scope)
    else:
        _prepare(node.rarg, query, low, scope)


def _members(node: JoinTreeNode) -> set[int]:
    """The range table indexes of a join, its own and those below."""
    if not isinstance(node, JoinExpr):
        return {node.rtindex}
    return {node.rtindex} | _members(node.larg) | _members(node.rarg)


def _columns(node: Any, depth: int = 0) -> _Columns:
    """The columns that node, `depth` queries below, reads of this query's range table."""
    found: _Columns = {}

    def visit(item: Any) -> bool:
        if isinstance(item, p.Var) and item.varlevelsup == depth:
            found[item.varno, item.varattno] = replace(item, varlevelsup=0)
        if isinstance(item, Query):
            parts = [getattr(item, field.name) for field in fields(item)]
            found.update(_columns(parts, depth + 1))
            return False
        return True

    walk(node, visit)
    return found


def _lower_group(
    group: JoinExpr,
    members: set[int],
    outside: _Columns,
    query: Query,
    low: Lowering,
    scope: Scope,
) -> None:
    from pgemu.planner.expressions import lower
    from pgemu.planner.select import lower_core

    child = low.sub_statement()
    part = Query("select", rtable=query.rtable, jointree=FromExpr([group]))
    aliases = [child.new_alias() for _ in query.rtable]
    inner = Scope(part, aliases, child, scope.parent, stands_for=scope)
    for key, var in outside.items():
        inner.replaced[key] = child.outer_reference(lower(var, low, scope), low)
    parts = [getattr(query, field.name) for field in fields(query)]
    used = [
        (key, var)
        for key, var in _columns(parts).items()
        if key[0] in members and query.rtable[key[0] - 1].rtekind != "join"
    ]
    outputs = [sql.alias(lower(var, child, inner), f"c{n}") for n, (_, var) in enumerate(used, 1)]
    body = lower_core(part, child, inner, outputs)
    low.note_calls_of(child)
    args = [low.bind_for_caller(source) for source in child.params]
    name = low.binder.statement_function(sql.render(body), len(args), max(len(used), 1))
    alias = low.new_alias("q")
    for number, (key, _) in enumerate(used, 1):
        scope.replaced[key] = sql.column(alias, f"c{number}")
    scope.prelowered[group.rtindex] = sql.table_function(name, args, alias)
