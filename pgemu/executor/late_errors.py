"""Errors of a cursor's query that come up only when the row is fetched.

A cursor's rows are all computed when it is opened.  If that fails, the rows before the failure are
kept, and the error is raised by the FETCH that gets so far, as PostgreSQL's executor would.  What
PostgreSQL's planner would have evaluated fails at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import apsw

from pgemu.catalog.rows import PgProc
from pgemu.errors import PgError
from pgemu.executor.execute import Result, bind, select_rows
from pgemu.executor.sqlite_errors import translate
from pgemu.nodes.parsenodes import Query
from pgemu.nodes.primnodes import Aggref, Const, FuncExpr, OpExpr, TargetEntry, Value
from pgemu.nodes.walk import walk


def rows_until_error(
    session: Any, query: Query, params: Sequence[Value], error: PgError
) -> tuple[Result, PgError]:
    """A cursor's query has failed to run: what it delivers before, and the error to come.  Raises
    the error where there is nothing to wait for."""
    plan = session.plan_once(query)
    if isinstance(plan, bool) or plan.command_type != "select":
        raise error
    if plan.steps or plan.row_marks or _fails_in_planning(session, query):
        raise error
    rows: list[Any] = []
    if plan.may_write:  # not twice: its rows are lost
        return Result(rows, plan.columns, 0, "SELECT"), error
    saved, session.current_params = session.current_params, params
    try:
        for row in select_rows(session, plan, bind(plan, params)):
            rows.append(row)
    except PgError as again:
        error = again
    except apsw.Error as again:
        error = translate(again, session)
    finally:
        session.current_params = saved
    return Result(rows, plan.columns, len(rows), "SELECT"), error


def _fails_in_planning(session: Any, query: Query) -> bool:
    """Is there an immutable expression of constants that cannot be evaluated?"""
    found: list[Any] = []

    def visit(node: Any) -> bool | None:
        if isinstance(node, (FuncExpr, OpExpr)) and all(isinstance(a, Const) for a in node.args):
            funcid = node.funcid if isinstance(node, FuncExpr) else node.opfuncid
            proc = session.catalog.one(PgProc, oid=funcid)
            if proc is not None and proc.provolatile == "i" and not proc.proretset:
                found.append(node)
        return False if isinstance(node, Aggref) else None

    walk(query, visit)
    for node in found:
        try:
            session.run(Query("select", target_list=[TargetEntry(node, 1, "c")]))
        except PgError:
            return True
    return False
