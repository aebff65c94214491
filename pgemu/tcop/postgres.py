"""The message loop of a backend (PostgreSQL's postgres.c).

A message's handler is found in a table by its type byte.  Errors end the statement, not the
connection: ErrorResponse goes out, the transaction fails, and in the extended protocol everything
up to the next Sync is skipped.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any

import apsw

from pgemu.errors import (
    IN_FAILED_SQL_TRANSACTION,
    INTERNAL_ERROR,
    PgError,
)
from pgemu.libpq.elog import ServerLog
from pgemu.libpq.pqcomm import Connection, ConnectionLost
from pgemu.libpq.report import error_fields, notice_fields, violation_error
from pgemu.storage.procarray import IDLE, IDLE_IN_TRANSACTION, IDLE_IN_TRANSACTION_ABORTED
from pgemu.tcop.backend_session import BackendSession
from pgemu.tcop.extended import ExtendedQuery
from pgemu.tcop.quick import bind
from pgemu.tcop.simple import SimpleQuery
from pgemu.transam import xact
from pgemu.transam.heldwrites import SILENCE
from pgemu_protocol.hot import (
    decode_query,
    error_response,
    notice_response,
    notification_response,
    parameter_status,
    ready_for_query,
)
from pgemu_protocol.violation import ProtocolViolation

# by the state of the transaction: what ReadyForQuery says, and pg_stat_activity
_STATUS = {
    xact.IDLE: (b"I", IDLE),
    xact.IMPLICIT: (b"I", IDLE),
    xact.BLOCK: (b"T", IDLE_IN_TRANSACTION),
    xact.FAILED: (b"E", IDLE_IN_TRANSACTION_ABORTED),
}
_COPY_MESSAGES = frozenset(b"dcf")
# how long a client may think before others get the writer lock that they wait for
GRACE_SECONDS = 0.0005


class Terminated(Exception):
    """The client said Terminate."""


class Backend:
    """One connection being served."""

    log: ServerLog | None = None

    def __init__(self, connection: Connection, session: BackendSession) -> None:
        self.connection = connection
        self.session = session
        session.flush_notices = self._flush_notices
        self.simple = SimpleQuery(self)
        self.extended = ExtendedQuery(self)
        self.skip_till_sync = False
        self.statement_text = ""
        self.latch: Any = None
        ext = self.extended
        self.handlers: dict[int, Callable[[bytes], None]] = {
            ord("Q"): self._query,
            ord("P"): ext.parse,
            ord("B"): partial(bind, self),
            ord("D"): ext.describe,
            ord("E"): ext.execute,
            ord("C"): ext.close,
            ord("H"): self._flush,
            ord("S"): self._sync,
            ord("F"): self._function_call,
            ord("X"): self._terminate,
        }

    # -- the loop ----------------------------------------------------------------------------------

    def run(self) -> None:
        """Serve until the client leaves."""
        read_message = self.connection.read_message
        wait = self._wait if self.latch is not None else self.connection.flush
        self.send_ready()
        while True:
            try:
                kind, payload = read_message(wait)
            except (Terminated, ConnectionLost):
                return
            try:
                self._dispatch(kind, payload)
            except Terminated:
                return

    def _wait(self) -> None:
        """Nothing is left to do: send the answers and sleep until the client sends; the latch may
        have work for an idle backend."""
        connection, session = self.connection, self.session
        timeouts = session.timeouts
        xact = session.xact
        connection.flush()
        if connection.tls and connection.has_buffered_input():
            return
        if xact.standing:
            if xact.writer_lock.wanted():
                xact.give_way(self._client_sends)
        elif xact.holds_back and self._client_is_silent():
            xact.settle()
        while True:
            if session.cancel_pending and self._late_interrupt():
                continue
            if session.reload is not None:
                session.reload()
            session.idle = True  # now a signal to terminate takes effect at once
            try:
                woken = connection.sleep(self.latch.fd, timeouts.idle_seconds())
            finally:
                session.idle = False
            if woken == "timeout":
                raise timeouts.idle_error()
            if woken == "client":
                if session.reload is not None:
                    session.reload()
                return
            self.latch.drain()
            if xact.standing:
                xact.give_way(self._client_sends)
            self._send_notifications()
            connection.flush()

    def _client_is_silent(self) -> bool:
        """Before the transaction writes what it holds back; False: the client goes on."""
        connection, held = self.connection, self.session.writer_lock.holders
        until = monotonic() + SILENCE
        while not held.asked():
            left = until - monotonic()
            if left <= 0:
                break
            woken = connection.sleep(self.latch.fd, left)
            if woken == "client":
                return False
            if woken == "latch":
                self.latch.drain()
        return True

    def _client_sends(self) -> bool:
        """The next message comes soon, or has come."""
        return self.connection.readable_within(GRACE_SECONDS)

    def _late_interrupt(self) -> bool:
        """True: a cancel that came too late, which cancels nothing.  Else the error is raised."""
        try:
            self.session.check_for_interrupts()
        except PgError as error:
            if error.severity != "ERROR":
                raise
        return True

    def _send_notifications(self) -> None:
        for pid, channel, payload in self.session.notify_queue.collect():
            self.connection.write(
                notification_response(pid, channel, payload, self.session.client_codec)
            )

    def _dispatch(self, kind: int, payload: bytes) -> None:
        if self.skip_till_sync and kind not in b"SX":
            return
        handler = self.handlers.get(kind)
        if handler is None:
            if kind in _COPY_MESSAGES:
                return  # left over from a COPY that failed
            raise PgError("08P01", f"invalid frontend message type {kind}", severity="FATAL")
        try:
            handler(payload)
        except PgError as error:
            self._failed(error, kind)
        except ProtocolViolation as violation:
            self._failed(violation_error(violation), kind)
        except apsw.Error as error:
            self._failed(self.session.translate(error), kind)
        except RecursionError:
            self._failed(
                PgError(
                    "54001",
                    "stack depth limit exceeded",
                    hint='Increase the configuration parameter "max_stack_depth" (currently '
                    "2048kB), after ensuring the platform's stack depth limit is adequate.",
                ),
                kind,
            )
        except (Terminated, ConnectionLost):
            raise
        except Exception as error:  # the one boundary: anything unforeseen is XX000
            traceback.print_exc(file=sys.stderr)
            self._failed(PgError(INTERNAL_ERROR, f"{type(error).__name__}: {error}"), kind)

    def _failed(self, error: PgError, kind: int) -> None:
        """Tell the client, fail the transaction, and find the way back into the protocol."""
        self.send_notices()
        if self.log is not None:
            text = self.statement_text if kind in b"QPBE" else ""
            self.log.report(error, self._position(error), text)
        self.send_error(error)
        if error.severity != "ERROR":
            self.connection.flush()
            raise Terminated from error
        try:
            self.session.close_failed_portals()
            self.session.xact.fail()
        except apsw.Error as second:
            raise self.session.translate(second) from second
        if kind in b"QFS":  # S: the commit of an implicit transaction
            self.send_ready()
        else:
            self.skip_till_sync = True
            self.connection.flush()  # the client may go on sending for long

    # -- messages ----------------------------------------------------------------------------------

    def _query(self, payload: bytes) -> None:
        session = self.session
        text = decode_query(payload, session.client_codec)
        self.simple.run(text)
        self.send_ready()

    def _flush(self, payload: bytes) -> None:
        self.connection.flush()

    def _sync(self, payload: bytes) -> None:
        self.skip_till_sync = False
        self.session.end_implicit()
        self.send_ready()

    def _function_call(self, payload: bytes) -> None:
        from pgemu.tcop.fastpath import handle_function_request

        handle_function_request(self, payload)
        self.send_ready()

    def _terminate(self, payload: bytes) -> None:
        raise Terminated

    # -- answers -----------------------------------------------------------------------------------

    def send_ready(self) -> None:
        session = self.session
        write = self.connection.write
        state = session.xact.state
        status, activity = _STATUS[state]
        if self.latch is not None:
            if session.timeouts.armed:
                session.timeouts.end_statement()
            if state == xact.IDLE:
                session.locks.before_ready()
                if session.notify_queue.before_ready():
                    self._send_notifications()
        if session.notices:
            self.send_notices()
        if session.guc.unreported:
            for name, value in session.guc.changed_reports():
                write(parameter_status(name, value, session.client_codec))
        if session.portals and status == b"I":
            session.close_portals(committing=True)
        session.slot.report_activity(activity)
        write(ready_for_query(status))

    def report_query(self, text: str, raw: bytes | None = None) -> None:
        """pg_stat_activity's view of what runs.  raw: the text in UTF-8."""
        session = self.session
        session.source_text = text
        if session.guc.values["statement_timeout"] and self.latch is not None:
            session.timeouts.start_statement()
        if text is self.statement_text:
            session.slot.report_running()
            return
        self.statement_text = text
        session.slot.report_query(text.encode("utf-8", "replace") if raw is None else raw)

    def send_notices(self) -> None:
        session = self.session
        pending = list(session.notices)
        session.notices.clear()
        threshold = str(session.guc.values["client_min_messages"])
        for notice in pending:
            if self.log is not None:
                position = character_position(self.statement_text, notice.location)
                self.log.report(notice, position, self.statement_text)
            shown = notice.shown
            if shown is None:
                shown = session.wants_notice(notice.severity, threshold)
            if not shown:
                continue
            position = character_position(self.statement_text, notice.location)
            self.connection.write(
                notice_response(notice_fields(notice, position), session.client_codec)
            )

    def _flush_notices(self) -> None:
        """A statement is going to sleep: its messages so far must not sleep with it."""
        if self.session.notices:
            self.send_notices()
            self.connection.flush()

    def send_error(self, error: PgError) -> None:
        fields = error_fields(error, self._position(error))
        self.connection.write(error_response(fields, self.session.client_codec))

    def _position(self, error: PgError) -> int | None:
        if error.position is not None:
            return error.position
        return character_position(self.statement_text, error.location)


def character_position(text: str, location: int | None) -> int | None:
    """1-based character position of a 0-based byte offset."""
    if location is None or location < 0:
        return None
    if text.isascii():
        return location + 1
    return len(text.encode()[:location].decode("utf-8", "ignore")) + 1


def check_failed_transaction(session: Any, raw: Any) -> None:
    """In a failed transaction only its end is accepted."""
    from pgemu.tcop.xact_commands import ALLOWED_WHEN_FAILED

    ends = raw is not None and raw.tag == "TransactionStmt"
    if ends and raw.body.get("kind", "TRANS_STMT_BEGIN") in ALLOWED_WHEN_FAILED:
        return
    raise PgError(
        IN_FAILED_SQL_TRANSACTION,
        "current transaction is aborted, commands ignored until end of transaction block",
    )
