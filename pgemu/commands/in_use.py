"""CheckTableNotInUse of PostgreSQL's tablecmds.c: DDL on a table that an open cursor or a statement
further out is working on, or whose deferred triggers have still to fire.
"""

from __future__ import annotations

from typing import Any

from pgemu.errors import OBJECT_IN_USE, PgError


def check_table_not_in_use(session: Any, relation: Any, command: str) -> None:
    """command: what the message says that cannot be done."""
    if relation.oid in _used(session):
        raise PgError(
            OBJECT_IN_USE,
            f'cannot {command} "{relation.name}" because it is being used by active queries in '
            "this session",
        )
    if relation.relkind in "iI":
        return
    deferred = getattr(session, "deferred_triggers", None)
    if session.after_triggers.pending_on(relation.oid) or (
        deferred is not None and deferred.pending_on(relation.oid)
    ):
        raise PgError(
            OBJECT_IN_USE,
            f'cannot {command} "{relation.name}" because it has pending trigger events',
        )


def _used(session: Any) -> set[int]:
    """OIDs of the tables that open cursors read and running statements change."""
    found: set[int] = set()
    for tables in session.changing:
        found.update(tables)
    for portal in getattr(session, "portals", {}).values():
        if portal.is_cursor and portal.created_level >= 0 and portal.statement.query is not None:
            _collect(portal.statement.query, found)
    return found


def _collect(query: Any, found: set[int]) -> None:
    for rte in query.rtable:
        if rte.rtekind == "relation":
            found.add(rte.relid)
        elif rte.subquery is not None:
            _collect(rte.subquery, found)
    for cte in query.cte_list:
        _collect(cte.ctequery, found)
