"""WITH: plain, materialized, recursive and data-modifying queries."""

from __future__ import annotations

from collections.abc import Sequence

from pgemu.errors import FEATURE_NOT_SUPPORTED, PgError
from pgemu.nodes.parsenodes import CommonTableExpr, Query, RangeTblRef
from pgemu.planner import sql
from pgemu.planner.lowering import Lowering, Scope
from pgemu.planner.sql import Sql

LoweredCte = tuple[str, Sequence[str], Sql, bool | None]


def lower_ctes(query: Query, low: Lowering, scope: Scope) -> list[LoweredCte]:
    """The entries of SQLite's WITH for this query; scope learns their names.

    A data-modifying one is run before the statement (Lowering.modifying_ctes) and read from its
    RETURNING rows."""
    lowered: list[LoweredCte] = []
    for cte in query.cte_list:
        name = low.new_alias("w")
        scope.ctes[cte.ctename] = name
    for cte in query.cte_list:
        name = scope.ctes[cte.ctename]
        columns = [f"c{n}" for n in range(1, len(cte.ctecolnames) + 1)]
        if cte.ctequery.command_type != "select":
            low.modifying_ctes.append((name, cte.ctequery, scope))
            if not columns:
                continue
            lowered.append((name, columns, _returned_rows(name, len(columns), low), None))
            continue
        if cte.search_clause is not None or cte.cycle_clause is not None:
            raise PgError(FEATURE_NOT_SUPPORTED, "SEARCH and CYCLE clauses are not supported yet")
        body = _recursive(cte, low, scope) if cte.cterecursive else _plain(cte, low, scope)
        lowered.append((name, columns or ["c1"], body, _materialized(cte)))
    return lowered


def _materialized(cte: CommonTableExpr) -> bool | None:
    """As written; else PostgreSQL computes a CTE once that is read more than once."""
    if cte.cterecursive:
        return None
    if cte.materialized is not None:
        return cte.materialized
    return True if cte.cterefcount > 1 else None


def _plain(cte: CommonTableExpr, low: Lowering, scope: Scope) -> Sql:
    from pgemu.planner.select import lower_query

    volatile_before, low.volatile = low.volatile, False
    body = lower_query(cte.ctequery, low, scope)
    if low.volatile and not body.args.get("limit"):
        sql.add_tail(body, limit=sql.integer(-1))
    low.volatile = low.volatile or volatile_before
    return body


def _recursive(cte: CommonTableExpr, low: Lowering, scope: Scope) -> Sql:
    """SQLite's recursive form: initial UNION [ALL] recursive, both plain selects."""
    from pgemu.planner.select import lower_query, lower_query_in

    query = cte.ctequery
    operation = query.set_operations
    if (
        operation is None
        or operation.op != "union"
        or not isinstance(operation.larg, RangeTblRef)
        or not isinstance(operation.rarg, RangeTblRef)
    ):
        return lower_query(query, low, scope)
    inner = low.new_scope(query, scope)
    left = inner.entry(operation.larg.rtindex).subquery
    right = inner.entry(operation.rarg.rtindex).subquery
    assert left is not None and right is not None
    first = lower_query(left, low, inner)
    alias = low.new_alias("u")
    columns = [
        sql.alias(low.comparable(sql.column(alias, f"c{n}"), type_oid), f"c{n}")
        for n, type_oid in enumerate(operation.col_types, 1)
    ]
    first = sql.select(columns, from_=sql.derived(first, alias))
    second = lower_query_in(right, low, low.new_scope(right, inner))
    return sql.compound("union", first, second, all_rows=operation.all)


def _returned_rows(name: str, width: int, low: Lowering) -> Sql:
    """The rows that the data-modifying CTE called name returned."""
    function = low.binder.special("rows", width)
    alias = low.new_alias("r")
    columns = [sql.alias(sql.column(alias, f"c{n}"), f"c{n}") for n in range(1, width + 1)]
    return sql.select(
        columns, from_=sql.table_function(function, [sql.string(name)], alias)
    )
