"""Bind, [Describe,] Execute and Sync in one piece.

Drivers send these for every run of a prepared statement, mostly together.  When the unnamed portal
is bound, everything after the Bind is in the buffer already, and the plan is at hand, the
statement runs here without a portal; the answers are those of the single messages.  The
same goes for the statements of a pipeline that has begun, whose Sync comes later (executemany of
the drivers).  Anything else takes the ordinary way (extended.py): this function then has done
nothing.
"""

from __future__ import annotations

from time import monotonic_ns
from typing import TYPE_CHECKING, Any

from pgemu.executor.execute import bind as bind_params
from pgemu.executor.execute import note_duration, quiet_cursor, run_plan, select_rows
from pgemu.executor.locking import PlanOutdated, lock_for_plan
from pgemu.nodes.primnodes import Value
from pgemu.planner.plan import Plan
from pgemu.tcop.dest import describe, encoders, send_cursor, send_rows
from pgemu.tcop.extended import BIND_COMPLETE, NO_DATA
from pgemu.tcop.prepared import PreparedStatement
from pgemu.tcop.xact_commands import transaction_statement
from pgemu.transam.xact import FAILED, IDLE, IMPLICIT
from pgemu_protocol.hot import command_complete, decode_bind

if TYPE_CHECKING:
    from pgemu.tcop.postgres import Backend

_EXECUTE = b"E\x00\x00\x00\x09\x00\x00\x00\x00\x00"
_EXECUTE_SYNC = _EXECUTE + b"S\x00\x00\x00\x04"
_DESCRIBE = b"D\x00\x00\x00\x06P\x00"
_DESCRIBE_SYNC = _DESCRIBE + _EXECUTE_SYNC
_DESCRIBE_EXECUTE = _DESCRIBE + _EXECUTE
# what may come next in a pipeline that asks no more of the portal
_NEXT = (b"B", b"S", b"P", b"C")
_LONGEST = len(_DESCRIBE_SYNC) + 1
_NOTHING_TO_DESCRIBE = BIND_COMPLETE + NO_DATA


def bind(backend: Backend, payload: bytes) -> None:
    """The handler of Bind."""
    if not _run_bound(backend, payload):
        backend.extended.bind(payload)


def _run_bound(backend: Backend, payload: bytes) -> bool:
    """Serve a Bind with what follows it; False: not one of these, nothing was done."""
    connection = backend.connection
    session: Any = backend.session
    state = session.xact.state
    length, described, synced = _what_follows(connection.peek(_LONGEST), state)
    if payload[0] or not length:
        return False  # a named portal, or something else is wanted of it
    portals = session.portals
    if state == FAILED or len(portals) > 1:
        return False
    if portals and ("" not in portals or not portals[""].done):
        return False  # a cursor is open
    _, name, formats, raw_params, results = decode_bind(payload, session.client_codec)
    statement = session.prepared_statements.get(name) if name else session.unnamed
    if statement is None or len(raw_params) != len(statement.param_types):
        return False
    session.start_statement()
    plan: Plan | None = statement.plan
    if statement.version != session.accepted_version() or statement.epoch != session.guc.epoch:
        plan = None
    columns = statement.columns
    if plan is None:
        transaction = statement.transaction_statement
        if transaction is None:
            return False
    elif columns is not None and 1 < len(results) != len(columns):
        return False
    if portals:
        portals.clear()  # the unnamed one is replaced, and has ended at the end of this
    session.source_text = statement.text
    params: list[Value] = []
    if raw_params:
        params = backend.extended.decode_params(statement, formats, raw_params)
    backend.report_query(statement.text, statement.raw_text)
    if described:
        connection.write(_answer(session, statement, results))
    else:
        connection.write(BIND_COMPLETE)
    if plan is None:
        tag = transaction_statement(session, transaction)
    else:
        try:
            tag = _run(backend, statement, plan, params, results)
        except PlanOutdated:
            tag = _run_anew(backend, statement, params, results)
    if session.notices:
        backend.send_notices()
    connection.write(command_complete(tag))
    connection.skip(length)
    if synced:
        backend.send_ready()
    return True


def _what_follows(buffered: bytes, state: str) -> tuple[int, bool, bool]:
    """The length of the messages that belong to a Bind (0: others follow), whether Describe is
    among them, and Sync."""
    if state != IMPLICIT:
        if buffered.startswith(_DESCRIBE_SYNC):
            return len(_DESCRIBE_SYNC), True, True
        if buffered.startswith(_EXECUTE_SYNC):
            return len(_EXECUTE_SYNC), False, True
    if state != IDLE:
        for start, described in ((_DESCRIBE_EXECUTE, True), (_EXECUTE, False)):
            if buffered.startswith(start) and buffered[len(start) : len(start) + 1] in _NEXT:
                return len(start), described, False
    return 0, False, False


def _answer(session: Any, statement: PreparedStatement, results: tuple[int, ...]) -> bytes:
    """To Bind and Describe."""
    if statement.columns is None:
        return _NOTHING_TO_DESCRIBE
    known = statement.descriptions.get(results)
    if known is None:
        known = statement.descriptions[results] = describe(session, statement.columns, results)
    return BIND_COMPLETE + known


def _run(
    backend: Backend,
    statement: PreparedStatement,
    plan: Plan,
    params: list[Value],
    results: tuple[int, ...],
) -> str:
    """The command tag."""
    session: Any = backend.session
    write = backend.connection.write
    session.current_params = params
    bindings = bind_params(plan, params)
    encode = None
    if statement.columns is not None:
        encode = statement.encoders.get(results)
        if encode is None:
            encode = encoders(session, statement.columns, results)
            statement.encoders[results] = encode
    if plan.command_type == "select" and not (plan.row_marks or plan.steps or plan.may_write):
        assert encode is not None
        if plan.result is None and not plan.calls_functions:
            session.xact.queried = True
            if not lock_for_plan(session, plan):
                raise PlanOutdated
            started = monotonic_ns()
            cursor = quiet_cursor(session, plan, bindings)
            if cursor is not None:
                count = send_cursor(write, cursor, encode)
                note_duration(plan, started)
                return f"SELECT {count}"
        rows = select_rows(session, plan, bindings, replans=True)
        return f"SELECT {send_rows(write, rows, encode)}"
    result = run_plan(session, plan, bindings, replans=True)
    if result.rows is not None and encode is not None:
        send_rows(write, result.rows, encode)
    return result.tag


def _run_anew(
    backend: Backend, statement: PreparedStatement, params: list[Value], results: tuple[int, ...]
) -> str:
    """A table has changed while the statement waited for its lock."""
    session: Any = backend.session
    while True:
        session.accept_invalidations()
        plan = session.plan_for(statement, params)
        try:
            if plan is not None:
                return _run(backend, statement, plan, params, results)
        except PlanOutdated:
            continue
        # a rule has come that makes several statements of it
        session.current_params = params
        tag: str = session.run(statement.query, params).tag
        return tag
