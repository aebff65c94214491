"""DISTINCT, ORDER BY, LIMIT and WITH TIES around rows that a derived table has.

The derived table has a column for each entry of the target list, c1 .. cn, those for sorting
alone too, which are left behind here.  DISTINCT ON takes the first row of each group by
row_number(), WITH TIES the rows whose rank() is within the limit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pgemu.nodes import expr_collation, expr_type
from pgemu.nodes import primnodes as p
from pgemu.nodes.parsenodes import Query
from pgemu.planner import sql
from pgemu.planner.lowering import Lowering, Scope
from pgemu.planner.select import limit_offset
from pgemu.planner.sql import Sql

# what a SortGroupClause's ressortgroupref stands for in the derived table with an alias
Key = Callable[[str, int], Sql]


def keys_of(columns: Mapping[int, tuple[p.Expr, int]], low: Lowering) -> Key:
    """columns: ressortgroupref -> the expression and the number of its column."""

    def key(alias: str, ref: int) -> Sql:
        if ref not in columns:
            return sql.raw("NULL")  # a constant orders nothing
        expr, number = columns[ref]
        column = sql.column(alias, f"c{number}")
        return low.comparable(column, expr_type(expr), expr_collation(expr))

    return key


def finish_rows(
    body: Sql, query: Query, low: Lowering, scope: Scope, *, distinct: bool = True
) -> Sql:
    """distinct: what the DISTINCT clause asks for is still to be done."""
    entries = query.target_list
    keep = [n for n, t in enumerate(entries, 1) if not t.resjunk]
    limit, offset = limit_offset(query, low, scope)
    distinct = distinct and bool(query.distinct_clause)
    if not (distinct or query.sort_clause or limit is not None or offset is not None):
        return body if len(keep) == len(entries) else _outputs_of(body, keep, low)

    key = keys_of({t.ressortgroupref: (t.expr, n) for n, t in enumerate(entries, 1)}, low)
    if distinct and query.has_distinct_on:
        body = first_of_each(body, query, low, key, len(entries))
    elif distinct:
        alias = low.new_alias("s")
        refs = {n: t.ressortgroupref for n, t in enumerate(entries, 1) if not t.resjunk}
        columns = [sql.alias(key(alias, ref), f"c{n}") for n, ref in refs.items()]
        body = sql.select(columns, from_=sql.derived(body, alias), distinct=True)
    if query.limit_option == "with_ties" and limit is not None:
        return with_ties(body, keep, query, low, limit, offset, key)
    alias = low.new_alias("s")
    outputs = [sql.alias(sql.column(alias, f"c{n}"), f"c{k}") for k, n in enumerate(keep, 1)]
    order = _order(alias, _sorting(query), key)
    return sql.add_tail(sql.select(outputs, from_=sql.derived(body, alias)), order, limit, offset)


def _outputs_of(body: Sql, keep: Sequence[int], low: Lowering) -> Sql:
    alias = low.new_alias("s")
    outputs = [sql.alias(sql.column(alias, f"c{n}"), f"c{k}") for k, n in enumerate(keep, 1)]
    return sql.select(outputs, from_=sql.derived(body, alias))


def _sorting(query: Query) -> list[p.SortGroupClause]:
    """PostgreSQL sorts for DISTINCT ON, and the rows come in that order."""
    longer = len(query.distinct_clause) > len(query.sort_clause)
    return query.distinct_clause if query.has_distinct_on and longer else query.sort_clause


def _order(alias: str, clauses: Sequence[p.SortGroupClause], key: Key) -> list[Sql]:
    return [
        sql.ordered(key(alias, clause.tle_sort_group_ref), clause.descending, clause.nulls_first)
        for clause in clauses
    ]


def first_of_each(body: Sql, query: Query, low: Lowering, key: Key, width: int) -> Sql:
    """DISTINCT ON: the first row of each group.  width: how many columns body has."""
    alias, above = low.new_alias("s"), low.new_alias("s")
    numbers = range(1, width + 1)
    on = [key(alias, clause.tle_sort_group_ref) for clause in query.distinct_clause]
    number = sql.window(sql.func("row_number"), on, _order(alias, _sorting(query), key), "")
    every = [sql.alias(sql.column(alias, f"c{n}"), f"c{n}") for n in numbers]
    ranked = sql.select([*every, sql.alias(number, "rn")], from_=sql.derived(body, alias))
    return sql.select(
        [sql.alias(sql.column(above, f"c{n}"), f"c{n}") for n in numbers],
        from_=sql.derived(ranked, above),
        where=sql.binary("=", sql.column(above, "rn"), sql.integer(1)),
    )


def with_ties(
    body: Sql,
    keep: Sequence[int],
    query: Query,
    low: Lowering,
    limit: Sql,
    offset: Sql | None,
    key: Key,
) -> Sql:
    """Rows whose rank is within the limit: ties of the last row have its rank.  keep: the numbers
    of the columns that are put out."""
    alias, above = low.new_alias("s"), low.new_alias("s")
    order = _order(alias, _sorting(query), key)
    rank = sql.window(sql.func("rank"), [], order, "")
    number = sql.window(sql.func("row_number"), [], order, "")
    outputs = [sql.alias(sql.column(alias, f"c{n}"), f"c{n}") for n in keep]
    ranked = sql.select(
        [*outputs, sql.alias(rank, "rk"), sql.alias(number, "rn")], from_=sql.derived(body, alias)
    )
    last = limit if offset is None else sql.binary("+", limit, offset)
    # a limit that is NULL at run time, which comes as -1, is none
    unlimited = sql.binary("<", limit, sql.integer(0))
    within = sql.binary("<=", sql.column(above, "rk"), last)
    where = [sql.connect("or", [unlimited, within])]
    if offset is not None:
        where.append(sql.binary("<>", limit, sql.integer(0)))
        where.append(sql.binary(">", sql.column(above, "rn"), offset))
    return sql.select(
        [sql.alias(sql.column(above, f"c{n}"), f"c{k}") for k, n in enumerate(keep, 1)],
        from_=sql.derived(ranked, above),
        where=sql.connect("and", where),
        order=[sql.ordered(sql.column(above, "rn"), False, None)],
    )
