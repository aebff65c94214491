"""DECLARE, FETCH, MOVE and CLOSE (PostgreSQL's commands/portalcmds.c and pquery.c's fetching).

A cursor's rows are fetched into its spool as far as they were asked for, so that it can go
backwards and is not disturbed by later statements.
"""

from __future__ import annotations

from typing import Any

from pgemu.errors import (
    DUPLICATE_CURSOR,
    INVALID_CURSOR_NAME,
    NO_ACTIVE_SQL_TRANSACTION,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    UNDEFINED_CURSOR,
    PgError,
)
from pgemu.executor.backward_scan import supports_backward_scan
from pgemu.executor.current_of import query_for_cursor, split_rows, visible_columns
from pgemu.executor.execute import Result
from pgemu.executor.late_errors import rows_until_error
from pgemu.nodes.parsenodes import Query
from pgemu.tcop.prepared import Portal, PreparedStatement
from pgemu.transam.xact import IDLE, IMPLICIT

OPT_BINARY, OPT_SCROLL, OPT_NO_SCROLL, OPT_HOLD = 1, 2, 4, 32
FETCH_ALL = 2**63 - 1


def declare_cursor(
    session: Any, stmt: dict[str, Any], query: Query, params: Any, source_text: str
) -> Result:
    name, options = stmt["portalname"], stmt.get("options", 0)
    if not name:
        raise PgError(INVALID_CURSOR_NAME, "invalid cursor name: must not be empty")
    state = session.xact.state
    outside = state == IDLE or (state == IMPLICIT and session.in_pipeline)
    if not options & OPT_HOLD and outside:
        raise PgError(
            NO_ACTIVE_SQL_TRANSACTION, "DECLARE CURSOR can only be used in transaction blocks"
        )
    if name in session.portals:
        raise PgError(DUPLICATE_CURSOR, f'cursor "{name}" already exists')
    inner = query.utility_query
    assert inner is not None
    text = session.statement_text(source_text, query)
    statement = PreparedStatement(name, text, None, inner, [], None, 0, 0)
    inner, scan = query_for_cursor(session.catalog, inner)
    late_error = None
    try:
        result = session.run(inner, params)
    except PgError as error:
        result, late_error = rows_until_error(session, inner, params, error)
    portal = Portal(
        name,
        statement,
        params,
        columns=visible_columns(scan, result.columns),
        started=True,
        text=text,
        is_cursor=True,
        is_holdable=bool(options & OPT_HOLD),
        is_binary=bool(options & OPT_BINARY),
        is_scrollable=_is_scrollable(options, inner),
        creation_time_us=session.ctx.statement_start_us,
        spool=split_rows(scan, list(result.rows or ())),
        scan=scan,
        created_level=len(session.xact.savepoints),
        late_error=late_error,
    )
    session.portals[name] = portal
    if portal.is_holdable and session.xact.state == IDLE:
        if late_error is not None:
            del session.portals[name]
            raise late_error
        portal.created_level = -1
    return Result(None, None, 0, "DECLARE CURSOR")


def _is_scrollable(options: int, query: Query) -> bool:
    if options & (OPT_SCROLL | OPT_NO_SCROLL):
        return bool(options & OPT_SCROLL)
    return not query.row_marks and supports_backward_scan(query)


def find_cursor(session: Any, name: str) -> Portal:
    portal: Portal | None = session.portals.get(name)
    if portal is None:
        raise PgError(UNDEFINED_CURSOR, f'cursor "{name}" does not exist')
    return portal


def fetch(
    session: Any, stmt: dict[str, Any], query: Query, params: Any, source_text: str
) -> Result:
    portal = find_cursor(session, stmt["portalname"])
    if not portal.started:
        _start(session, portal)
    portal.drain()
    rows = fetch_rows(
        portal,
        stmt.get("direction", "FETCH_FORWARD"),
        int(stmt.get("howMany", 0)),
        is_move=bool(stmt.get("ismove")),
    )
    if stmt.get("ismove"):
        return Result(None, None, len(rows), f"MOVE {len(rows)}")
    return Result(rows, portal.columns, len(rows), f"FETCH {len(rows)}")


def _start(session: Any, portal: Portal) -> None:
    """Run a portal that Bind made and no Execute has started."""
    statement = portal.statement
    if statement.columns is None:
        raise PgError(OBJECT_NOT_IN_PREREQUISITE_STATE, f'portal "{portal.name}" cannot be run')
    result = session.run(statement.query, portal.params)
    portal.started = True
    portal.spool = list(result.rows or ())


def fetch_rows(portal: Portal, direction: str, count: int, *, is_move: bool = False) -> list[Any]:
    """The rows that FETCH direction count delivers; moves the cursor.  position is the 1-based
    number of the current row, 0 before the first, len + 1 behind the last."""
    spool = portal.spool or []
    size = len(spool)
    if portal.late_error is not None:
        _meet_late_error(portal, direction, count, size)
    if direction == "FETCH_FORWARD" and count < 0:
        direction, count = "FETCH_BACKWARD", -count
    elif direction == "FETCH_BACKWARD" and count < 0:
        direction, count = "FETCH_FORWARD", -count
    if not portal.is_scrollable and _goes_back(portal.position, size, direction, count, is_move):
        raise PgError(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "cursor can only scan forward",
            hint="Declare it with SCROLL option to enable backward scan.",
        )
    if direction == "FETCH_ABSOLUTE":
        target = count if count >= 0 else size + 1 + count
        return _go(portal, max(0, min(target, size + 1)), size)
    if direction == "FETCH_RELATIVE":
        return _go(portal, max(0, min(portal.position + count, size + 1)), size)
    if count == 0:
        return _go(portal, portal.position, size)
    if direction == "FETCH_FORWARD":
        start = portal.position
        end = min(size, start + count)
        rows = spool[start:end]
        portal.position = end if end - start == count else size + 1
        return rows
    last = max(0, min(portal.position, size + 1) - 1)
    first = max(0, last - count)
    rows = spool[first:last][::-1]
    portal.position = first + 1 if len(rows) == count else 0
    return rows


def _meet_late_error(portal: Portal, direction: str, count: int, size: int) -> None:
    """Does it get to the row that cannot be computed?"""
    if portal.failed:
        raise PgError(OBJECT_NOT_IN_PREREQUISITE_STATE, f'portal "{portal.name}" cannot be run')
    target = count
    if direction == "FETCH_ABSOLUTE":
        target = size + 1 if count < 0 else count
    elif direction in ("FETCH_FORWARD", "FETCH_RELATIVE"):
        target = portal.position + count
    elif direction == "FETCH_BACKWARD":
        target = portal.position - count
    if target > size:
        portal.failed = True
        assert portal.late_error is not None
        raise portal.late_error


def _goes_back(position: int, size: int, direction: str, count: int, is_move: bool) -> bool:
    """Does PostgreSQL rewind, or step back, for this (DoPortalRunFetch)?"""
    if direction == "FETCH_BACKWARD":  # also no rows at all
        return True
    if direction == "FETCH_ABSOLUTE":
        return count < 0 or (count <= position and position > 0)
    if count == 0:  # the current row again
        return 1 <= position <= size and not is_move
    return direction == "FETCH_RELATIVE" and count < 0


def _go(portal: Portal, target: int, size: int) -> list[Any]:
    portal.position = target
    spool = portal.spool or []
    return [spool[target - 1]] if 1 <= target <= size else []


def close_portal(
    session: Any, stmt: dict[str, Any], query: Query, params: Any, source_text: str
) -> Result:
    name = stmt.get("portalname")
    if not name:
        for portal_name, portal in list(session.portals.items()):
            if portal.is_cursor:
                del session.portals[portal_name]
        return Result(None, None, 0, "CLOSE CURSOR ALL")
    find_cursor(session, name)
    del session.portals[name]
    return Result(None, None, 0, "CLOSE CURSOR")
