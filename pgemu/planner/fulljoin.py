"""FULL JOIN (what PostgreSQL's joinpath.c allows of it, and how SQLite does it at speed).

SQLite builds no index for the tables of a FULL JOIN, so that it compares every row of one with
every row of the other.  For two plain tables the pairs of rids are found by an inner join, those
without a partner are added, and the tables are read by rid.
"""

from __future__ import annotations

from typing import Any

from pgemu.catalog.rows import PgOperator
from pgemu.errors import FEATURE_NOT_SUPPORTED, PgError
from pgemu.nodes import primnodes as p
from pgemu.nodes.parsenodes import JoinExpr, RangeTblRef
from pgemu.nodes.walk import walk
from pgemu.planner import sql
from pgemu.planner.expressions import has_children
from pgemu.planner.lowering import Lowering, Scope
from pgemu.planner.nonnullable import nonnullable_rels
from pgemu.planner.sql import Sql


def check_full_join(node: JoinExpr, low: Lowering, scope: Scope) -> None:
    """One of the conditions must compare the sides by an operator that merges or hashes."""
    clauses = [c for c in _conjuncts(node.quals) if not isinstance(c, p.Const)]
    if not clauses:
        return
    left, right = _relids(node.larg, scope), _relids(node.rarg, scope)
    for clause in clauses:
        if not isinstance(clause, p.OpExpr) or len(clause.args) != 2:
            continue
        sides = [_used(arg, scope) for arg in clause.args]
        joins = all(sides) and (
            (sides[0] <= left and sides[1] <= right) or (sides[0] <= right and sides[1] <= left)
        )
        operator = low.catalog.one(PgOperator, oid=clause.opno)
        if joins and operator is not None and (operator.oprcanhash or operator.oprcanmerge):
            return
    if _is_reduced(node, left | right, low, scope):
        return
    raise PgError(
        FEATURE_NOT_SUPPORTED,
        "FULL JOIN is only supported with merge-joinable or hash-joinable join conditions",
    )


def _is_reduced(node: JoinExpr, below: set[int], low: Lowering, scope: Scope) -> bool:
    """Conditions above it make it another join (reduce_outer_joins), or no row is asked for."""
    quals = scope.query.jointree.quals
    if isinstance(quals, p.Const) and quals.value in (None, 0):
        return True
    strict = _asked_for(quals, low, scope)
    for item in scope.query.jointree.fromlist:
        while isinstance(item, JoinExpr) and item is not node:
            if item.jointype == "inner":
                strict |= _asked_for(item.quals, low, scope)
            item = item.larg if below <= _relids(item.larg, scope) else item.rarg
    return bool(strict & below)


def _asked_for(quals: p.Expr | None, low: Lowering, scope: Scope) -> set[int]:
    return {n for n in nonnullable_rels(quals, low) if scope.entry(n).rtekind != "join"}


def _conjuncts(quals: Any) -> list[Any]:
    if quals is None:
        return []
    if isinstance(quals, p.BoolExpr) and quals.boolop == "and":
        return [c for arg in quals.args for c in _conjuncts(arg)]
    return [quals]


def _relids(item: Any, scope: Scope) -> set[int]:
    if isinstance(item, RangeTblRef):
        return {item.rtindex}
    return _relids(item.larg, scope) | _relids(item.rarg, scope)


def _used(expr: Any, scope: Scope) -> set[int]:
    """The entries whose columns an expression reads, those of joins by what they stand for."""
    found: set[int] = set()

    def visit(node: object) -> bool | None:
        if isinstance(node, p.Var) and not node.varlevelsup:
            entry = scope.entry(node.varno)
            if entry.rtekind == "join" and node.varattno > 0:
                found.update(_used(entry.joinaliasvars[node.varattno - 1], scope))
            else:
                found.add(node.varno)
        return None

    walk(expr, visit)
    return found


def full_join_of_tables(
    node: JoinExpr, left: Sql, right: Sql, condition: Sql, low: Lowering, scope: Scope
) -> tuple[Sql, list[Sql]] | None:
    """(first table, joins behind it); None: SQLite's own FULL JOIN has to do."""
    numbers = []
    for item in (node.larg, node.rarg):
        if not isinstance(item, RangeTblRef) or not _is_plain_table(item.rtindex, low, scope):
            return None
        numbers.append(item.rtindex)
    rids = [sql.column(scope.aliases[n - 1], "rid") for n in numbers]
    inner = [sql.join(right, "", condition)]
    pairs = sql.select([sql.alias(rids[0], "l"), sql.alias(rids[1], "r")], from_=left, joins=inner)
    found = [sql.select([rid], from_=left, joins=inner) for rid in rids]
    alone = [sql.not_(sql.in_query(rid, rows)) for rid, rows in zip(rids, found, strict=True)]
    without_right = sql.select([rids[0], sql.NULL], from_=left, where=alone[0])
    without_left = sql.select([sql.NULL, rids[1]], from_=right, where=alone[1])
    rows = sql.compound("UNION", pairs, without_right, all_rows=True)
    rows = sql.compound("UNION", rows, without_left, all_rows=True)
    alias = low.new_alias("f")
    return sql.derived(rows, alias), [
        sql.join(table, "LEFT", sql.binary("=", rid, sql.column(alias, side)))
        for table, rid, side in ((left, rids[0], "l"), (right, rids[1], "r"))
    ]


def _is_plain_table(rtindex: int, low: Lowering, scope: Scope) -> bool:
    entry = scope.entry(rtindex)
    return (
        entry.rtekind == "relation"
        and entry.relkind in ("r", "m")
        and entry.tablesample is None
        and rtindex not in scope.prelowered
        and not has_children(entry, low)
    )
