"""WITH: plain, materialized, recursive and data-modifying queries."""

from __future__ import annotations

from collections.abc import Sequence

from pgemu.nodes.parsenodes import CommonTableExpr, Query, RangeTblEntry
from pgemu.planner import sql
from pgemu.planner.lowering import Lowering, Scope
from pgemu.planner.recursion import lower_recursive
from pgemu.planner.sql import Sql

LoweredCte = tuple[str, Sequence[str], Sql, bool | None]


def lower_ctes(query: Query, low: Lowering, scope: Scope) -> list[LoweredCte]:
    """The entries of SQLite's WITH for this query; scope learns their names.

    A data-modifying one is run before the statement (Lowering.cte_steps) and read from its
    RETURNING rows; after it, if nobody reads them (ExecPostprocessPlan).  Beside it the parts of
    the statement are statements of their own, so that what several references read is run before
    them too: it is computed once."""
    lowered: list[LoweredCte] = []
    for cte in query.cte_list:
        name = low.new_alias("w")
        scope.ctes[cte.ctename] = name
    if any(is_modifying(cte) for cte in query.cte_list):
        scope.shared_ctes = frozenset(
            c.ctename for c in query.cte_list if c.cterefcount > 1 and not is_modifying(c)
        )
    for cte in query.cte_list:
        name = scope.ctes[cte.ctename]
        if cte.ctename in scope.shared_ctes:
            low.cte_steps.append((name, cte, scope))
        elif is_modifying(cte):
            low.cte_steps.append((name, cte, scope))
            low.has_modifying_ctes = True
            if not cte.cterefcount:
                low.late_ctes.add(name)
            if not cte.ctecolnames:
                continue
        lowered.append(_lower_cte(cte, name, low, scope))
    return lowered


def is_modifying(cte: CommonTableExpr) -> bool:
    return cte.ctequery.command_type != "select"


def alone(cte: CommonTableExpr, low: Lowering, scope: Scope) -> Scope:
    """A scope for the CTE in a statement that does not have the WITH of the one it is from."""
    return Scope(
        scope.query, [], low, scope.parent,
        ctes=scope.ctes, shared_ctes=scope.shared_ctes, lone_cte=cte.ctename,
    )  # fmt: skip


def lower_shared(cte: CommonTableExpr, name: str, low: Lowering, scope: Scope) -> Sql:
    """A recursive CTE as a statement of its own: all its rows."""
    own = alone(cte, low, scope)
    own.shared_ctes -= {cte.ctename}
    lowered = _lower_cte(cte, name, low, own)
    columns = [sql.column(name, c) for c in lowered[1]]
    return sql.with_(sql.select(columns, from_=sql.table(name, name)), [lowered], True)


def _lower_cte(cte: CommonTableExpr, name: str, low: Lowering, scope: Scope) -> LoweredCte:
    width = column_count(cte)
    columns = [f"c{n}" for n in range(1, width + 1)] or ["c0"]
    if is_modifying(cte) or cte.ctename in scope.shared_ctes:
        # materialized, so that a join with it can have an index
        return name, columns, returned_rows(name, width, low), True
    body = lower_recursive(cte, low, scope) if cte.cterecursive else _plain(cte, low, scope)
    return name, columns, body, _materialized(cte)


def column_count(cte: CommonTableExpr) -> int:
    """How many columns a CTE has with those of SEARCH and CYCLE."""
    return (
        len(cte.ctecolnames) + (cte.search_clause is not None) + 2 * (cte.cycle_clause is not None)
    )


def lower_cte_entry(entry: RangeTblEntry, alias: str, low: Lowering, scope: Scope) -> Sql:
    """A reference to a CTE.  A statement that another one runs per row does not see that one's
    WITH: it gets a copy of the CTE."""
    defining = scope.up(entry.ctelevelsup)
    defining = defining.stands_for or defining
    name = defining.ctes[entry.ctename]
    width = low.working_tables.get(name)
    if width is not None:
        return sql.derived(returned_rows(name, width, low), alias)
    if defining.owner is low and defining.lone_cte in (None, entry.ctename):
        return sql.table(name, alias)
    cte = next(c for c in defining.query.cte_list if c.ctename == entry.ctename)
    if cte.cterecursive:
        defining = alone(cte, low, defining)
    copied = _lower_cte(cte, name, low, defining)
    inner = low.new_alias("u")
    columns = [sql.alias(sql.column(inner, c), c) for c in copied[1]]
    body = sql.select(columns, from_=sql.table(name, inner))
    return sql.derived(sql.with_(body, [copied], cte.cterecursive), alias)


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
    if low.volatile and not body.limit:
        sql.add_tail(body, limit=sql.integer(-1))
    low.volatile = low.volatile or volatile_before
    return body


def returned_rows(name: str, width: int, low: Lowering) -> Sql:
    """The rows that the data-modifying CTE called name returned."""
    function = low.binder.special("rows", width)
    alias = low.new_alias("r")
    columns = [sql.alias(sql.column(alias, f"c{n}"), f"c{n}") for n in range(1, width + 1)]
    return sql.select(columns, from_=sql.table_function(function, [sql.string(name)], alias))
