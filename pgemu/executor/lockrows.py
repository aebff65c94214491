"""SELECT ... FOR UPDATE and its kin: locks the rows in the order in which they come
(PostgreSQL's nodeLockRows.c).

A row that has been changed since the snapshot is evaluated again with its newest version
(evalplanqual.py); one that is gone is left out.  Where the statement has a LIMIT and rows were left
out, it is run again, keeping its locks: PostgreSQL would have gone on to further rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from pgemu.executor.evalplanqual import EvalPlanQual, rechecking
from pgemu.executor.waiting import WaitFor
from pgemu.nodes.primnodes import Value
from pgemu.planner.plan import Plan

Row = tuple[Any, ...]
Select = Callable[[Any, Plan, Sequence[Value]], Iterable[Row]]


def lock_rows(session: Any, plan: Plan, bindings: Sequence[Value], select: Select) -> list[Row]:
    """The rows of a plan with row marks, locked; select runs a plan."""
    width = len(plan.columns)
    with rechecking(session, plan, bindings) as recheck:
        while True:
            rows = _selected(session, recheck, bindings, select)
            kept = [row for row in (_lock(session, recheck, row) for row in rows) if row]
            limited = plan.query is not None and plan.query.limit_count is not None
            if len(kept) == len(rows) or not limited or not recheck.again:
                return [row[:width] for row in kept]
            session.xact.take_snapshot(shared=True)


def locked_as_asked(session: Any, plan: Plan, bindings: Sequence[Value]) -> Iterator[Row]:
    """The rows of a sub-query with row marks, which sees what the statement around it sees."""
    width = len(plan.columns)
    recheck = EvalPlanQual(session, plan, bindings)
    if session.rechecks:
        recheck.snapshot = session.rechecks[-1].snapshot
    session.xact.row_lock_stamp += 1
    session.callback_depth += 1  # nobody may sleep while SQLite steps the statement around it
    try:
        for row in recheck.rows_to_lock():
            locked = _lock(session, recheck, row)
            if locked is not None:
                yield locked[:width]
    finally:
        session.callback_depth -= 1


def _selected(
    session: Any, recheck: EvalPlanQual, bindings: Sequence[Value], select: Select
) -> list[Row]:
    plan, pinned = recheck.plan, False
    session.xact.row_lock_stamp += 1
    if session.xact.others_running():
        variants = recheck.variants
        if variants is not None and variants.marked is not None:
            marked = variants.marked
            plan, pinned = replace(plan, sql=marked.text, params=marked.params), True
            bindings = recheck.bindings(marked)
        plan = session.row_locks.without_locked(plan)

    def run() -> list[Row]:
        try:
            return list(select(session, plan, bindings))
        finally:
            recheck.snapshot = session.xact.snapshot

    rows = recheck.selecting(run)
    recheck.again = False
    return recheck.in_scan_order(rows) if pinned else rows


def _lock(session: Any, recheck: EvalPlanQual, row: Row) -> Row | None:
    """The row, or what has become of it; None: it is not to be returned."""
    newest: dict[int, Row | None] = {}
    for mark in recheck.plan.row_marks:
        rid = row[mark.column]
        if rid is None:
            continue
        relid = row[mark.tableoid] if mark.tableoid >= 0 else mark.relid
        waited = False
        while True:
            try:
                locked = session.row_locks.lock_one(mark, relid, rid)
                break
            except WaitFor as wait:
                recheck.wait(wait)
                waited = True
        if not locked:
            recheck.again = True
            return None
        # who needs the key alone keeps the version that it has seen, unless it had to wait
        key = mark.strength == "forkeyshare" and not waited
        if recheck.changed(relid, rid, key=key):
            found = recheck.newest(relid, rid, mark.relid)
            if found is None:
                recheck.again = True
                return None
            newest[mark.rti] = found
    if not newest:
        return row
    variants = recheck.variants
    assert variants is not None
    pinned = recheck.pinned(row)
    rows = recheck.evaluate({**pinned, **newest})
    if not rows:
        recheck.again = True
        return None
    return rows[0]
