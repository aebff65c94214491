"""Pulling sub-queries up into the query that locks them (PostgreSQL's prepjointree.c, for
sub-queries and views under FOR UPDATE and its kin alone).

SQLite flattens sub-queries by itself; but which rows a locking clause locks depends on it: in
`SELECT ... FROM view WHERE id = 1 FOR UPDATE` the one row is locked, not all that the view has.
A sub-query that cannot be pulled up locks the rows that it yields (lockedquery.py).  What differs:
one that is a join is pulled up from a list of FROM items only, none from within JOIN.
"""

from __future__ import annotations

from typing import Any

from pgemu.catalog.rows import PgProc
from pgemu.nodes import primnodes as p
from pgemu.nodes.parsenodes import JoinExpr, Query, RangeTblEntry, RangeTblRef
from pgemu.nodes.walk import walk
from pgemu.parser.analyze import check_select_locking
from pgemu.planner.lowering import Lowering
from pgemu.rewrite.rewrite_manip import (
    check_expr_has_sublink,
    copy_object,
    increment_var_sublevels_up,
    make_and_qual,
    offset_var_nodes,
    replace_vars_from_target_list,
)

# what a condition may be made of beside a sub-query that hides rows
_HARMLESS = (
    *(p.Var, p.Const, p.Param, p.ArrayExpr),
    *(p.BoolExpr, p.NullTest, p.BooleanTest, p.RelabelType),
)
_OPERATORS = (p.OpExpr, p.ScalarArrayOpExpr)


def prepare_locked(query: Query, low: Lowering) -> None:
    """What a SELECT with row marks, or with sub-queries that have some, is planned as.  In place;
    for a query that has gone through this before there is nothing left to do."""
    if query.row_marks:
        check_select_locking(query, query.row_marks[0].strength)
        _pull_up_locked(query, low)
    for rti, rte in enumerate(query.rtable, 1):
        if rte.rtekind == "subquery" and rte.subquery is not None and rte.subquery.row_marks:
            _push_down(query, rti, rte, low)


def _push_down(query: Query, rti: int, rte: RangeTblEntry, low: Lowering) -> None:
    """Conditions of the query on a sub-query that locks rows are tested before they are locked
    (subquery_push_qual)."""
    sub, quals = rte.subquery, query.jointree.quals
    assert sub is not None
    if quals is None or not sub.jointree.fromlist or _place(query, rti) is None:
        return
    if sub.limit_count is not None or sub.limit_offset is not None or sub.set_operations:
        return
    if sub.has_aggs or sub.has_window_funcs or sub.has_target_srfs or sub.group_clause:
        return
    stable = {t.resno for t in sub.target_list if _stays_same(t.expr, low)}
    parts = quals.args if isinstance(quals, p.BoolExpr) and quals.boolop == "and" else [quals]
    kept: list[p.Expr] = []
    for part in parts:
        columns = _columns_of(part, rti)
        safe = columns is not None and columns <= stable and _stays_same(part, low)
        if safe and (not rte.security_barrier or _leaks_nothing([part], low)):
            down = replace_vars_from_target_list(copy_object(part), rti, rte, sub.target_list)
            sub.jointree.quals = make_and_qual(sub.jointree.quals, down)
        else:
            kept.append(part)
    if len(kept) < len(parts):
        query.jointree.quals = None if not kept else kept[0]
        if len(kept) > 1:
            query.jointree.quals = p.BoolExpr("and", kept)


def _columns_of(qual: p.Expr, rti: int) -> set[int] | None:
    """The columns of one entry that a condition reads; None: it reads anything else."""
    found: set[int] = set()
    alone = True

    def visit(one: Any) -> bool:
        nonlocal alone
        if isinstance(one, p.Var):
            alone = alone and one.varno == rti and not one.varlevelsup and one.varattno > 0
            found.add(one.varattno)
        elif isinstance(one, Query):
            alone = False
        return alone

    walk(qual, visit)
    return found if alone and found else None


def _pull_up_locked(query: Query, low: Lowering) -> None:
    """Pull up the marked sub-queries as far as they are simple."""
    while True:
        for mark in query.row_marks:
            rte = query.rtable[mark.rti - 1]
            if rte.rtekind == "subquery" and mark.rti <= len(query.rtable):
                place = _place(query, mark.rti)
                if place is not None and _is_simple(query, rte, place, low):
                    query.row_marks.remove(mark)
                    _pull_up(query, mark.rti, rte, place)
                    break
        else:
            return


def _place(query: Query, rti: int) -> tuple[Any, str | int] | None:
    """(parent, where in it) of the entry in the join tree; None: on the side of an outer join
    that may be missing, or not there."""
    for number, item in enumerate(query.jointree.fromlist):
        if isinstance(item, RangeTblRef):
            if item.rtindex == rti:
                return query.jointree.fromlist, number
            continue
        found = _place_in_join(item, rti)
        if found is not None:
            return found
    return None


def _place_in_join(join: Any, rti: int) -> tuple[Any, str | int] | None:
    sides = {"inner": ("larg", "rarg"), "left": ("larg",), "right": ("rarg",)}
    for side in sides.get(join.jointype, ()):
        item = getattr(join, side)
        if isinstance(item, RangeTblRef):
            if item.rtindex == rti:
                return join, side
        else:
            found = _place_in_join(item, rti)
            if found is not None:
                return found
    return None


def _is_simple(
    query: Query, rte: RangeTblEntry, place: tuple[Any, str | int], low: Lowering
) -> bool:
    """is_simple_subquery."""
    sub = rte.subquery
    if sub is None or sub.command_type != "select" or rte.lateral or not sub.jointree.fromlist:
        return False
    if (
        sub.set_operations is not None
        or sub.has_aggs
        or sub.has_window_funcs
        or sub.has_target_srfs
        or sub.has_for_update
        or sub.group_clause
        or sub.grouping_sets
        or sub.having_qual is not None
        or sub.distinct_clause
        or sub.sort_clause
        or sub.limit_count is not None
        or sub.limit_offset is not None
        or sub.cte_list
    ):
        return False
    if isinstance(place[0], JoinExpr) and len(sub.jointree.fromlist) > 1:
        return False
    if any(entry.lateral for entry in query.rtable):
        return False
    if not all(_stays_same(t.expr, low) for t in sub.target_list if not t.resjunk):
        return False
    return not rte.security_barrier or _leaks_nothing(_conditions(query), low)


def _functions(node: Any) -> list[int]:
    found: list[int] = []

    def visit(one: Any) -> bool:
        number = getattr(one, "opfuncid", 0) or getattr(one, "funcid", 0)
        if number:
            found.append(number)
        return True

    walk(node, visit)
    return found


def _stays_same(expr: Any, low: Lowering) -> bool:
    """No volatile function, which would be called at more places."""
    return all(low.catalog.get(PgProc, oid=f).provolatile != "v" for f in _functions(expr))


def _conditions(query: Query) -> list[Any]:
    """WHERE and the conditions of joins."""
    quals: list[Any] = [query.jointree.quals]
    joins = [item for item in query.jointree.fromlist if isinstance(item, JoinExpr)]
    while joins:
        join = joins.pop()
        quals.append(join.quals)
        joins += [i for i in (join.larg, join.rarg) if isinstance(i, JoinExpr)]
    return quals


def _leaks_nothing(quals: list[Any], low: Lowering) -> bool:
    """The conditions may be tested for rows that a sub-query hides."""
    harmless = True

    def visit(one: Any) -> bool:
        nonlocal harmless
        if isinstance(one, p.Expr) and not isinstance(one, (*_HARMLESS, *_OPERATORS)):
            harmless = False
        return harmless

    walk(quals, visit)
    return harmless and all(low.catalog.get(PgProc, oid=f).proleakproof for f in _functions(quals))


def _pull_up(query: Query, rti: int, rte: RangeTblEntry, place: tuple[Any, str | int]) -> None:
    """pull_up_simple_subquery.  The sub-query's own entry stays, for what is checked of it."""
    sub: Query = copy_object(rte.subquery)  # type: ignore[assignment]
    offset_var_nodes(sub, len(query.rtable))
    # what it says of the levels around it is said from one level higher
    for part in (sub.rtable, sub.target_list, sub.jointree):
        increment_var_sublevels_up(part, -1, 1)
    for entry in sub.rtable:
        if entry.rtekind == "cte":
            entry.ctelevelsup -= 1
    parent, where = place
    items = sub.jointree.fromlist
    if isinstance(where, int):
        parent[where : where + 1] = items
    else:
        setattr(parent, where, items[0])
    replace_vars_from_target_list(query, rti, rte, sub.target_list)
    query.rtable += sub.rtable
    quals = sub.jointree.quals
    query.jointree.quals = make_and_qual(quals, query.jointree.quals)
    query.has_sublinks = query.has_sublinks or sub.has_sublinks or check_expr_has_sublink(quals)
    query.row_marks += sub.row_marks
