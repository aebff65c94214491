"""CALL (PostgreSQL's functioncmds.c, ExecuteCallStmt)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.rows import PgProc
from pgemu.commands.docmds import may_end_transaction, start_settings
from pgemu.commands.permissions import aclcheck_error
from pgemu.commands.result import CommandResult, Statement
from pgemu.executor.waiting import retrying
from pgemu.fmgr import TypeInfo
from pgemu.nodes import expr_type
from pgemu.nodes.parsenodes import Query
from pgemu.nodes.primnodes import TargetEntry
from pgemu.parser.funcapi import build_function_result_columns
from pgemu.transam.suspension import allow_suspension
from pgemu.types.record import deform


def execute_call(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CALL procedure(args); OUT and INOUT parameters come back as a row."""
    from pgemu.catalog.acl import ACL_EXECUTE, pg_proc_aclcheck

    assert st.query is not None
    inner = st.query.utility_query
    assert inner is not None
    call: Any = inner.target_list[0].expr
    proc = session.catalog.get(PgProc, oid=call.funcid)
    if not pg_proc_aclcheck(session.catalog, proc.oid, ACL_EXECUTE):
        aclcheck_error("procedure", proc.proname)

    def run() -> CommandResult:
        atomic = not may_end_transaction(session) or proc.prosecdef or bool(proc.proconfig)
        start_settings(session)
        session.xact.queried = True
        with session.xact.write():
            allow_suspension(session.xact)
            args, types = _arguments(session, call, proc, st.params)
            result = _run(session, proc, args, types, call.funcresulttype, atomic)
            return _result(session, proc, types, result)

    return retrying(session, run)


def call_columns(session: Any, query: Query) -> list[tuple[str, int, int]] | None:
    """The columns of the row that a CALL returns; None: it returns none."""
    assert query.utility_query is not None
    call: Any = query.utility_query.target_list[0].expr
    proc = session.catalog.get(PgProc, oid=call.funcid)
    _, types = _inputs(call, proc)
    columns = build_function_result_columns(session.catalog, proc, list(types))
    return None if columns is None else [(c.name, c.type_oid, c.typmod) for c in columns]


def _inputs(call: Any, proc: PgProc) -> tuple[list[Any], tuple[int, ...]]:
    """The expressions of the input arguments and their types."""
    exprs = list(call.args)
    modes = proc.proargmodes
    if modes is not None and len(exprs) > len(proc.proargtypes):
        exprs = [e for e, m in zip(exprs, modes, strict=False) if m != "o"]
    return exprs, tuple(expr_type(e) for e in exprs)


def _arguments(
    session: Any, call: Any, proc: PgProc, params: Any
) -> tuple[list[Any], tuple[int, ...]]:
    """The values of the input arguments."""
    exprs, types = _inputs(call, proc)
    if not exprs:
        return [], types
    query = Query(
        "select", target_list=[TargetEntry(e, n, f"a{n}") for n, e in enumerate(exprs, 1)]
    )
    query.has_sublinks = True
    rows = list(session.run(query, params or ()).rows or ())
    return list(rows[0]), types


def _run(
    session: Any, proc: PgProc, args: list[Any], types: tuple[int, ...], result: int, atomic: bool
) -> Any:
    info = TypeInfo(types, result)
    body = session.udfs.callable(proc, info)
    saved, session.call_atomic = session.call_atomic, atomic
    session.callback_depth -= 1  # no SQLite statement is being stepped for it
    try:
        return body(*args)
    finally:
        session.callback_depth += 1
        session.call_atomic = saved


def _result(session: Any, proc: PgProc, types: tuple[int, ...], result: Any) -> CommandResult:
    columns = build_function_result_columns(session.catalog, proc, list(types))
    if columns is None:
        return CommandResult("CALL")
    shaped = [(c.name, c.type_oid, c.typmod) for c in columns]
    if result is None:
        row: tuple[Any, ...] = (None,) * len(shaped)
    elif isinstance(result, (list, tuple)):
        row = tuple(result)
    elif isinstance(result, str) and result[:1] in "[{":
        row = tuple(deform(result)[1])
    else:
        row = (result,)
    return CommandResult("CALL", shaped, [row])
