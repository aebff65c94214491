"""Can a query's plan run backwards (ExecSupportsBackwardScan of PostgreSQL's execAmi.c)?

A cursor without SCROLL or NO SCROLL is scrollable if its plan is.  There is no such plan here, so
the answer comes from the query: what is always planned as a join, an aggregate, a Unique or a
Result is not; what is sorted last is.
"""

from __future__ import annotations

from pgemu.nodes.parsenodes import Query, RangeTblRef, SetOpNode


def supports_backward_scan(query: Query) -> bool:
    """Would PostgreSQL's plan of this SELECT deliver its rows backwards too?"""
    if query.has_target_srfs:
        return False
    if query.sort_clause:
        return True
    if query.set_operations is not None:
        return _set_operation(query, query.set_operations)
    if (
        query.has_aggs
        or query.group_clause
        or query.grouping_sets
        or query.having_qual is not None
        or query.has_window_funcs
        or query.distinct_clause
    ):
        return False
    items = query.jointree.fromlist
    if len(items) != 1 or not isinstance(items[0], RangeTblRef):
        return False  # a Result, or a join
    entry = query.rtable[items[0].rtindex - 1]
    if entry.rtekind == "subquery":
        return entry.subquery is not None and supports_backward_scan(entry.subquery)
    return entry.rtekind in ("relation", "function", "values", "cte", "tablefunc")


def _set_operation(query: Query, node: SetOpNode) -> bool:
    """UNION ALL is an Append; the others compare rows."""
    if isinstance(node, RangeTblRef):
        subquery = query.rtable[node.rtindex - 1].subquery
        return subquery is not None and supports_backward_scan(subquery)
    if node.op != "union" or not node.all:
        return False
    return _set_operation(query, node.larg) and _set_operation(query, node.rarg)
