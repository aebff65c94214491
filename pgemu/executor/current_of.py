"""UPDATE and DELETE ... WHERE CURRENT OF cursor (PostgreSQL's execCurrent.c).

A cursor's query is run with further columns: the table and the address of the row that each of
its rows comes from.  They stay with the portal; pg_current_of_rid, a function of the lowered
UPDATE, looks up where the cursor stands when the statement runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pgemu.errors import INVALID_CURSOR_STATE, UNDEFINED_CURSOR, PgError
from pgemu.nodes.parsenodes import Query, RangeTblRef
from pgemu.nodes.primnodes import TargetEntry, Var
from pgemu.planner.expressions import RID_ATTNUM

INT8OID, OIDOID = 20, 26
Row = Sequence[Any]


@dataclass(slots=True)
class CursorScan:
    """The tables of a cursor's query whose rows can be found again: their OIDs.  locking: they
    are those of its FOR UPDATE or FOR SHARE.  rows: for each row of the cursor and each table
    (OID of the table that stores the row, rid)."""

    relids: tuple[int, ...]
    locking: bool
    rows: list[tuple[tuple[int, int] | None, ...]]


def query_for_cursor(catalog: Any, query: Query) -> tuple[Query, CursorScan | None]:
    """The query with the addresses as its last columns; None: no row can be found again."""
    if query.command_type != "select" or query.has_modifying_cte:
        return query, None
    numbers = _scanned_entries(catalog, query)
    relids = tuple(query.rtable[n - 1].relid for n in numbers)
    scan = CursorScan(relids, bool(query.row_marks), [])
    if not numbers:
        return query, scan
    targets = list(query.target_list)
    resno = max((t.resno for t in targets), default=0)
    for number in numbers:
        targets.append(TargetEntry(Var(number, -6, OIDOID), resno + 1, "tableoid"))
        targets.append(TargetEntry(Var(number, RID_ATTNUM, INT8OID), resno + 2, "rid"))
        resno += 2
    return replace(query, target_list=targets), scan


def _scanned_entries(catalog: Any, query: Query) -> list[int]:
    """Range table numbers of the tables that FOR UPDATE names, or of the one that is scanned."""
    tables = [n for n, rte in enumerate(query.rtable, 1) if _is_table(rte)]
    if query.row_marks:
        marked = {mark.rti for mark in query.row_marks}
        return [n for n in tables if n in marked]
    plain = query.jointree.fromlist
    if len(plain) != 1 or not isinstance(plain[0], RangeTblRef) or plain[0].rtindex not in tables:
        return []
    if (
        query.group_clause
        or query.grouping_sets
        or query.having_qual is not None
        or query.has_aggs
        or query.has_window_funcs
        or query.has_target_srfs
        or query.distinct_clause
        or query.set_operations is not None
        or (query.sort_clause and not _sorted_by_index(catalog, query, plain[0].rtindex))
    ):
        return []
    return [plain[0].rtindex]


def _is_table(rte: Any) -> bool:
    return rte.rtekind == "relation" and rte.relkind in ("r", "p")


def _sorted_by_index(catalog: Any, query: Query, number: int) -> bool:
    """Does an index give the order, so that no Sort stands above the scan?"""
    wanted = []
    for clause in query.sort_clause:
        expr = next(
            t.expr for t in query.target_list if t.ressortgroupref == clause.tle_sort_group_ref
        )
        if not isinstance(expr, Var) or expr.varno != number:
            return False
        wanted.append(expr.varattno)
    indexes = catalog.relation(query.rtable[number - 1].relid).indexes
    return any(list(i.index.indkey[: len(wanted)]) == wanted for i in indexes if i.pred is None)


def split_rows(scan: CursorScan | None, rows: Sequence[Row]) -> list[Row]:
    """Take the addresses off the rows and keep them in the scan."""
    if scan is None or not scan.relids:
        return list(rows)
    width = 2 * len(scan.relids)
    for row in rows:
        hidden = row[len(row) - width :]
        scan.rows.append(
            tuple(
                None if hidden[n] is None or hidden[n + 1] is None else (hidden[n], hidden[n + 1])
                for n in range(0, width, 2)
            )
        )
    return [row[: len(row) - width] for row in rows]


def visible_columns(scan: CursorScan | None, columns: Any) -> Any:
    if scan is None or not scan.relids or columns is None:
        return columns
    return columns[: len(columns) - 2 * len(scan.relids)]


def current_row(session: Any, name: str, relid: int) -> tuple[int, int] | None:
    """execCurrentOf."""
    catalog = session.catalog
    portal = session.portals.get(name)
    if portal is None:
        raise PgError(UNDEFINED_CURSOR, f'cursor "{name}" does not exist')
    if portal.created_level < 0:
        raise PgError(INVALID_CURSOR_STATE, f'cursor "{name}" is held from a previous transaction')
    scan: CursorScan | None = portal.scan
    if scan is None:
        raise PgError(INVALID_CURSOR_STATE, f'cursor "{name}" is not a SELECT query')
    table = catalog.relation(relid).name
    places = [
        n for n, one in enumerate(scan.relids) if one == relid or _related(catalog, one, relid)
    ]
    if scan.locking and len(places) > 1:
        raise PgError(
            INVALID_CURSOR_STATE,
            f'cursor "{name}" has multiple FOR UPDATE/SHARE references to table "{table}"',
        )
    if not places:
        words = (
            f'does not have a FOR UPDATE/SHARE reference to table "{table}"'
            if scan.locking
            else f'is not a simply updatable scan of table "{table}"'
        )
        raise PgError(INVALID_CURSOR_STATE, f'cursor "{name}" {words}')
    if not 1 <= portal.position <= len(scan.rows):
        raise PgError(INVALID_CURSOR_STATE, f'cursor "{name}" is not positioned on a row')
    row: tuple[tuple[int, int] | None, ...] = scan.rows[portal.position - 1]
    return row[places[0]]


def _related(catalog: Any, scanned: int, searched: int) -> bool:
    """One of two tables is read together with the other."""
    return (
        searched in catalog.relation(scanned).all_inheritors
        or scanned in catalog.relation(searched).all_inheritors
    )
