"""SELECT ... FOR UPDATE and its kin: locks the rows in the order in which they come
(PostgreSQL's nodeLockRows.c).

A row that has been changed since the snapshot is evaluated again with its newest version
(evalplanqual.py); one that is gone is left out.  LIMIT counts what has been locked: where rows were
left out, the statement is run again without it, and goes on behind the rows that it has had.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from pgemu.executor.evalplanqual import EvalPlanQual, rechecking
from pgemu.executor.waiting import RowQueue, WaitFor
from pgemu.nodes.primnodes import Value
from pgemu.planner.plan import Plan, RowLimit

Row = tuple[Any, ...]
Select = Callable[[Any, Plan, Sequence[Value]], Iterable[Row]]


class _LockedRows:
    """The rows of one statement with row marks, locked as they come."""

    def __init__(self, session: Any, recheck: EvalPlanQual) -> None:
        self.session, self.recheck = session, recheck
        # the rows that were had in the run before: rids of the marked tables -> were they kept?
        self._before: dict[Row, list[bool]] = {}
        self._had: dict[Row, list[bool]] = {}

    def of(self, plan: Plan, rows: Iterable[Row]) -> Iterator[Row]:
        """Those of a run of the statement that were not had before."""
        limit = plan.row_limit
        self._before, self._had = self._had, {}
        if limit is not None:
            yield from self._limited(limit, rows)
            return
        for row in rows:
            locked = self._lock(row)
            if locked is not None:
                yield locked

    def _limited(self, limit: RowLimit, rows: Iterable[Row]) -> Iterator[Row]:
        """ExecLimit"""
        position, last = 0, None
        for row in rows:
            count, offset = row[limit.count], max(row[limit.offset] or 0, 0)
            if count is not None and count >= 0 and position >= offset + count:
                if limit.rank < 0 or not count:
                    return
                if row[limit.rank] != last:
                    self._lock(row)  # it had to be fetched to know
                    return
            had = self._before.get(self._identity(row))
            if had:
                kept = had.pop(0)
                position, last = position + kept, row[limit.rank] if kept else last
                continue
            locked = self._lock(row)
            if locked is None:
                continue
            position, last = position + 1, row[limit.rank]
            if position > offset:
                yield locked

    def _identity(self, row: Row) -> Row:
        marks = self.recheck.plan.row_marks
        return tuple([row[n] for m in marks for n in (m.column, m.tableoid) if n >= 0])

    def _lock(self, row: Row) -> Row | None:
        locked = _lock(self.session, self.recheck, row)
        self._had.setdefault(self._identity(row), []).append(locked is not None)
        return locked


def lock_rows(session: Any, plan: Plan, bindings: Sequence[Value], select: Select) -> list[Row]:
    """The rows of a plan with row marks, locked; select runs a plan."""
    width = len(plan.columns)
    with rechecking(session, plan, bindings) as recheck:
        locked = _LockedRows(session, recheck)
        kept = list(locked.of(*_selected(session, recheck, bindings, select)))
        if recheck.again and _has_limit(plan) and recheck.marked_plan(unlimited=True):
            unlimited = _selected(session, recheck, bindings, select, unlimited=True)
            kept += locked.of(*unlimited)
        return [row[:width] for row in kept]


def _has_limit(plan: Plan) -> bool:
    return plan.query is not None and plan.query.limit_count is not None and not plan.row_limit


def locked_as_asked(session: Any, plan: Plan, bindings: Sequence[Value]) -> Iterator[Row]:
    """The rows of a sub-query with row marks, which sees what the statement around it sees."""
    width = len(plan.columns)
    recheck = EvalPlanQual(session, plan, bindings)
    if session.rechecks:
        recheck.snapshot = session.rechecks[-1].snapshot
    session.xact.row_lock_stamp += 1
    session.callback_depth += 1  # nobody may sleep while SQLite steps the statement around it
    locked = _LockedRows(session, recheck)
    try:
        for unlimited in (False, True):
            if unlimited and not (recheck.again and _has_limit(plan)):
                return
            run, rows = recheck.rows_to_lock(unlimited=unlimited)
            try:
                for row in locked.of(run, rows):
                    yield row[:width]
            finally:
                rows.close()  # who has to wait may not be reading
    finally:
        session.callback_depth -= 1


def _selected(
    session: Any,
    recheck: EvalPlanQual,
    bindings: Sequence[Value],
    select: Select,
    *,
    unlimited: bool = False,
) -> tuple[Plan, list[Row]]:
    plan, pinned = recheck.plan, False
    session.xact.row_lock_stamp += 1
    if unlimited:
        session.xact.snapshot, session.xact._snapshot_taken = recheck.snapshot, True
    if session.xact.others_running() or unlimited:
        marked = recheck.marked_plan(unlimited=unlimited)
        if marked is not None:
            (plan, bindings), pinned = marked, True
        plan = session.row_locks.without_locked(plan)
    run = partial(_run, session, recheck, plan, bindings, select)
    rows = recheck.selecting(run)
    recheck.again = False
    return plan, recheck.in_scan_order(rows) if pinned else rows


def _run(
    session: Any, recheck: EvalPlanQual, plan: Plan, bindings: Sequence[Value], select: Select
) -> list[Row]:
    try:
        return list(select(session, plan, bindings))
    finally:
        recheck.snapshot = session.xact.snapshot


def _lock(session: Any, recheck: EvalPlanQual, row: Row) -> Row | None:
    """The row, or what has become of it; None: it is not to be returned."""
    newest: dict[int, Row | None] = {}
    for mark in recheck.plan.row_marks:
        rid = row[mark.column]
        if rid is None:
            continue
        relid = row[mark.tableoid] if mark.tableoid >= 0 else mark.relid
        queue = None
        try:
            while True:
                try:
                    locked = session.row_locks.lock_one(mark, relid, rid)
                    break
                except WaitFor as wait:
                    queue = queue or RowQueue(session)
                    recheck.wait(wait, queue)
        finally:
            if queue is not None:
                queue.leave()
        waited = queue is not None
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
