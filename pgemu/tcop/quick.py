"""Bind, [Describe,] Execute and Sync in one piece.

Drivers send these for every run of a prepared statement, mostly together.  When the unnamed portal
is bound, everything after the Bind is in the buffer already, and the plan is at hand, the
statement runs here without a portal; the answers are those of the single messages.  The
same goes for the statements of a pipeline that has begun, whose Sync comes later (executemany of
the drivers).  Anything else takes the ordinary way (extended.py): this function then has done
nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pgemu.executor.execute import bind, run_plan, select_rows
from pgemu.executor.locking import PlanOutdated
from pgemu.planner.plan import Plan
from pgemu.tcop.dest import describe, encoders, send_rows
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
_NEXT = b"BSPC"


def run_bound(backend: Backend, payload: bytes) -> bool:
    """Serve a Bind with what follows it; False: not one of these, nothing was done."""
    if payload[0]:
        return False  # a named portal
    connection = backend.connection
    session: Any = backend.session
    state = session.xact.state
    synced = state != IMPLICIT
    if synced and connection.follows(_DESCRIBE_SYNC):
        length, described = len(_DESCRIBE_SYNC), True
    elif synced and connection.follows(_EXECUTE_SYNC):
        length, described = len(_EXECUTE_SYNC), False
    elif state != IDLE and connection.follows(_DESCRIBE_EXECUTE):
        length, described, synced = len(_DESCRIBE_EXECUTE), True, False
    elif state != IDLE and connection.follows(_EXECUTE):
        length, described, synced = len(_EXECUTE), False, False
    else:
        return False
    if not synced and connection.buffered_byte(length) not in _NEXT:
        return False
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
    plan = _plan_at_hand(session, statement)
    columns = statement.columns
    if plan is None:
        transaction = statement.transaction_statement
        if transaction is None:
            return False
    elif columns is not None and 1 < len(results) != len(columns):
        return False
    portals.clear()  # the unnamed one is replaced, and has ended at the end of this
    session.source_text = statement.text
    params = backend.extended.decode_params(statement, formats, raw_params)
    backend.report_query(statement.text)
    write = connection.write
    write(BIND_COMPLETE)
    if described:
        write(_description(session, statement, results))
    if plan is None:
        tag = transaction_statement(session, transaction)
        if session.notices:
            backend.send_notices()
        write(command_complete(tag))
    else:
        try:
            _run(backend, statement, plan, params, results)
        except PlanOutdated:
            _run_anew(backend, statement, params, results)
    connection.skip(length)
    if synced:
        backend.send_ready()
    return True


def _plan_at_hand(session: Any, statement: PreparedStatement) -> Plan | None:
    if (
        statement.plan is None
        or statement.version != session.plan_version()
        or statement.epoch != session.guc.epoch
    ):
        return None
    return statement.plan


def _description(session: Any, statement: PreparedStatement, results: tuple[int, ...]) -> bytes:
    if statement.columns is None:
        return NO_DATA
    known = statement.descriptions.get(results)
    if known is None:
        known = statement.descriptions[results] = describe(session, statement.columns, results)
    return known


def _run(
    backend: Backend,
    statement: PreparedStatement,
    plan: Plan,
    params: Any,
    results: tuple[int, ...],
) -> None:
    session: Any = backend.session
    write = backend.connection.write
    session.current_params = params
    bindings = bind(plan, params)
    encode = None
    if statement.columns is not None:
        encode = statement.encoders.get(results)
        if encode is None:
            encode = encoders(session, statement.columns, results)
            statement.encoders[results] = encode
    if plan.command_type == "select" and not (plan.row_marks or plan.steps or plan.may_write):
        assert encode is not None
        count = send_rows(write, select_rows(session, plan, bindings, replans=True), encode)
        tag = f"SELECT {count}"
    else:
        result = run_plan(session, plan, bindings, replans=True)
        if result.rows is not None and encode is not None:
            send_rows(write, result.rows, encode)
        tag = result.tag
    if session.notices:
        backend.send_notices()
    write(command_complete(tag))


def _run_anew(
    backend: Backend, statement: PreparedStatement, params: Any, results: tuple[int, ...]
) -> None:
    """A table has changed while the statement waited for its lock."""
    session: Any = backend.session
    while True:
        session.accept_invalidations()
        plan = session.plan_for(statement)
        try:
            if plan is not None:
                _run(backend, statement, plan, params, results)
                return
        except PlanOutdated:
            continue
        # a rule has come that makes several statements of it
        session.current_params = params
        done = session.run(statement.query, params)
        if session.notices:
            backend.send_notices()
        backend.connection.write(command_complete(done.tag))
        return
