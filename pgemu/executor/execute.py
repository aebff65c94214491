"""Runs plans: binds parameters, chooses the clean or the overlay variant, returns rows.

Counterpart of PostgreSQL's execMain.c.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from time import monotonic_ns
from typing import Any

import apsw

from pgemu.errors import PgError
from pgemu.executor.committing import retrying_in_both_files
from pgemu.executor.evalplanqual import rechecking
from pgemu.executor.holding import rows_amid_held
from pgemu.executor.locking import PlanOutdated, lock_for_plan
from pgemu.executor.lockrows import lock_rows
from pgemu.executor.lone_modify import run_alone
from pgemu.executor.modify import run_modify
from pgemu.executor.modifying_ctes import StatementParts, own_writes_hidden
from pgemu.executor.predicate_targets import note_reads
from pgemu.executor.sqlite_errors import translate
from pgemu.nodes.parsenodes import SELECT_LOCKING
from pgemu.nodes.primnodes import Value
from pgemu.planner.lowering import MAX_PARAMETERS
from pgemu.planner.plan import ExternParam, LiteralParam, OutputColumn, Plan
from pgemu.transam.snapshots import fix_first_snapshot
from pgemu.transam.visibility import dirty_tables
from pgemu.transam.xact import ReaderWritesError

Row = tuple[Any, ...]
# a SELECT that takes no longer may keep writers waiting
BRIEF_NS = 2_000_000
# of a SELECT whose functions may turn out to write
ROWS_HELD_BACK = 1000
_TAGS = {"insert": "INSERT 0 {}", "update": "UPDATE {}", "delete": "DELETE {}", "merge": "MERGE {}"}


@dataclass(slots=True)
class Result:
    """What a statement gave: rows of storage values (None: it returns none), the columns that
    describe them, the number of rows affected or returned, and the command tag."""

    rows: Iterable[Row] | None
    columns: tuple[OutputColumn, ...] | None
    count: int
    tag: str


def bind(
    plan: Plan, params: Sequence[Value], literals: Mapping[int, Value] | None = None
) -> tuple[Value, ...]:
    """Values for ?1 .. ?n of a plan's SQLite text.  literals: by location, where the statement
    is another one of the same shape than the plan was made for."""
    if plan.params_in_order is None:
        plan.params_in_order = plan.params == tuple(map(ExternParam, range(1, len(params) + 1)))
    if plan.params_in_order and len(params) == len(plan.params):
        return tuple(params) if len(params) < MAX_PARAMETERS else _packed(params)
    values: list[Value] = []
    for source in plan.params:
        if type(source) is ExternParam:
            values.append(params[source.number - 1])
        else:
            assert type(source) is LiteralParam
            values.append(source.value if literals is None else literals[source.location])
    return tuple(values) if len(values) < MAX_PARAMETERS else _packed(values)


def _packed(values: Sequence[Value]) -> tuple[Any, ...]:
    """More values than SQLite has parameters: the last parameter holds the rest, from which
    pg_bound takes them (Lowering.param)."""
    last = MAX_PARAMETERS - 1
    return (*values[:last], apsw.pyobject(tuple(values[last:])))


def run_plan(
    session: Any, plan: Plan, bindings: Sequence[Value], *, replans: bool = False
) -> Result:
    """Run a plan to its end.  replans: the caller has not locked its tables and makes another plan
    at PlanOutdated."""
    session.xact.queried = True
    modify = plan.modify
    if modify is not None and modify.lone_target is not None:
        try:
            done = run_alone(session, plan, bindings)
        except apsw.Error as error:
            raise translate(error, session) from error
        if done is not None:
            return _modify_result(plan, *done)
    if not lock_for_plan(session, plan) and replans:
        raise PlanOutdated
    if plan.command_type == "select" and not (plan.steps or plan.row_marks or plan.may_write):
        rows = list(select_rows(session, plan, bindings))
        return Result(rows, plan.columns, len(rows), f"SELECT {len(rows)}")
    if plan.steps or plan.row_marks or plan.may_write:
        return retrying_in_both_files(
            session, lambda: _run_in_write(session, plan, bindings), plain=True
        )
    return _modify(session, plan, bindings)


def _modify(session: Any, plan: Plan, bindings: Sequence[Value]) -> Result:
    try:
        rows, count = run_modify(session, plan, bindings)
    except apsw.Error as error:
        raise translate(error, session) from error
    return _modify_result(plan, rows, count)


def _modify_result(plan: Plan, rows: list[Row], count: int) -> Result:
    columns = plan.columns if plan.modify is not None and plan.modify.returning else None
    tag = _TAGS[plan.command_type].format(count)
    return Result(rows if columns is not None else None, columns, count, tag)


def _run_in_write(session: Any, plan: Plan, bindings: Sequence[Value]) -> Result:
    """Data-modifying CTEs and row locks: several steps in one write statement."""
    if plan.row_marks:
        session.xact.prevent_if_read_only(SELECT_LOCKING[plan.row_marks[0].strength])
    with session.xact.write(), own_writes_hidden(session, plan):
        if plan.steps and session.own_overlay is not None and session.xact.others_have_xids():
            return _run_steps_beside_others(session, plan, bindings)
        return _run_steps(session, plan, bindings)


def _run_steps_beside_others(session: Any, plan: Plan, bindings: Sequence[Value]) -> Result:
    """All parts of the statement have one snapshot, also if one of them has to wait."""
    session.xact.take_snapshot(shared=True)
    with rechecking(session, plan, bindings) as recheck:
        session.own_overlay.recheck = recheck
        return _run_steps(session, plan, bindings)


def _run_steps(session: Any, plan: Plan, bindings: Sequence[Value]) -> Result:
    if not plan.steps:
        return _run_parts(session, plan, bindings)
    parts = StatementParts(plan)
    saved, session.parts = session.parts, parts
    try:
        result = _run_parts(session, plan, bindings)
    finally:
        session.parts = saved
    try:
        parts.end(session)
    except apsw.Error as error:
        raise translate(error, session) from error
    return result


def _run_parts(session: Any, plan: Plan, bindings: Sequence[Value]) -> Result:
    for name, step in plan.steps:
        session.xact.prevent_if_read_only(plan.command_type.upper())
        if name not in plan.late_steps:
            result = _run_main(session, step, bind(step, session.current_params))
            session.udfs.row_sets[name] = list(result.rows or ())
    done = _run_main(session, plan, bindings)
    for name, step in plan.steps:
        if name in plan.late_steps:
            _modify(session, step, bind(step, session.current_params))
    return done


def _run_main(session: Any, plan: Plan, bindings: Sequence[Value]) -> Result:
    xact = session.xact
    if plan.command_type != "select":
        return _modify(session, plan, bindings)
    recheck = session.own_overlay.recheck if session.own_overlay is not None else None
    if recheck is not None:
        xact.snapshot, xact._snapshot_taken = recheck.snapshot, True
    if plan.row_marks:
        rows = lock_rows(session, plan, bindings, select_rows)
    else:
        rows = list(select_rows(session, plan, bindings))
    return Result(rows, plan.columns, len(rows), f"SELECT {len(rows)}")


def select_rows(
    session: Any, plan: Plan, bindings: Sequence[Value], *, replans: bool = False
) -> Iterator[Row]:
    """The rows of a SELECT, as they come; the SQLite read transaction ends with them.  replans: as
    in run_plan."""
    if plan.calls_functions and not plan.may_write and not session.xact.write_depth:
        yield from _select_warily(session, plan, bindings, replans)
    else:
        yield from _select_rows(session, plan, bindings, replans)


def _select_warily(
    session: Any, plan: Plan, bindings: Sequence[Value], replans: bool
) -> Iterator[Row]:
    """The same where a function that is not volatile may call one that writes: then the statement
    runs again, as one that writes, and so do all after it.  That has to show before rows have
    gone to the client."""
    notices = len(session.notices)
    rows = _select_rows(session, plan, bindings, replans)
    try:
        first = list(islice(rows, ROWS_HELD_BACK))
    except ReaderWritesError:
        del session.notices[notices:]
        plan.may_write = True
        yield from run_plan(session, plan, bindings).rows or ()
        return
    yield from first
    yield from rows


def _select_rows(
    session: Any, plan: Plan, bindings: Sequence[Value], replans: bool
) -> Iterator[Row]:
    session.xact.queried = True
    if plan.result is not None:
        fix_first_snapshot(session.xact)
        yield tuple([bindings[n - 1] if n else value for n, value in plan.result])
        return
    if not lock_for_plan(session, plan) and replans:
        raise PlanOutdated
    xact = session.xact
    started = monotonic_ns()
    cursor = quiet_cursor(session, plan, bindings)
    if cursor is not None:
        try:
            yield from cursor
        except apsw.Error as error:
            raise translate(error, session) from error
        finally:
            cursor.close()
            note_duration(plan, started)
        return
    shared = any(name.startswith("g.") for _, name, _ in plan.relations)
    text = plan.sql
    predicate, targets = note_reads(session, plan, text, bindings)
    snapshot = xact.begin_read(shared, brief=plan.brief and not plan.volatile)
    try:
        if predicate is not None:
            predicate.check_out(targets)
        saved = session.dirty
        session.dirty = ()
        if snapshot.invisible or snapshot.xmax:
            session.dirty = dirty_tables(
                xact.conn.execute, [(name, natts) for _, name, natts in plan.relations]
            )
        text = session.visible_sql(text)
        try:
            yield from xact.conn.execute(text, bindings)
        except apsw.Error as error:
            raise translate(error, session) from error
        finally:
            session.dirty = saved
    finally:
        xact.end_read()
        note_duration(plan, started)


class Fetched(list[Row]):
    """Rows that are there already, in the place of a cursor."""

    def close(self) -> None:
        self.clear()


def note_duration(plan: Plan, started: int) -> None:
    """The statement is over, which began at that time of the monotonic clock."""
    brief = monotonic_ns() - started < BRIEF_NS
    if brief != plan.brief:
        plan.brief = brief and not any(name.startswith("g.") for _, name, _ in plan.relations)


def quiet_cursor(session: Any, plan: Plan, bindings: Sequence[Value]) -> Any:
    """A SELECT that needs no snapshot, its table locks held.  None: it has to be taken."""
    if plan.volatile or plan.calls_functions:
        return None
    try:
        if session.xact.holds_back:
            rows = rows_amid_held(session, plan, bindings)
            if rows is not None:
                return Fetched(rows)
        return session.xact.read_quietly(plan.sql, bindings, plan.brief)
    except apsw.Error as error:
        raise translate(error, session) from error


__all__ = ["PgError", "Result", "bind", "run_plan", "select_rows"]
