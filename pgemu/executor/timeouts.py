"""statement_timeout, idle_in_transaction_session_timeout, idle_session_timeout (timeout.c).

A statement's timer is the process's real-time interval timer; its signal only sets flags, and the
statement's own polling (the progress handler, check_for_interrupts) ends it.  The idle timeouts are
no timers: the message loop asks how long it may sleep.
"""

from __future__ import annotations

import signal
import time
from types import FrameType
from typing import Any

from pgemu.errors import (
    IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
    IDLE_SESSION_TIMEOUT,
    PgError,
)
from pgemu.storage.writerlock import WriterLock
from pgemu.transam.xact import BLOCK, FAILED

USER_REQUEST = "canceling statement due to user request"
STATEMENT_TIMEOUT = "canceling statement due to statement timeout"
_IN_BLOCK = (BLOCK, FAILED)


class Timeouts:
    """The loop calls start_statement() when a message with statements comes, end_statement()
    before ReadyForQuery, idle_seconds() before it sleeps, idle_error() when that was too long."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.armed = False  # a statement runs that has a time
        self._fired = False
        self._handler = False
        # on the monotonic clock: when the statement's time is over, when the timer will ring
        self._deadline = self._timer = 0.0
        session.cancel_reason = self.cancel_reason

    def start_statement(self) -> None:
        milliseconds = self.session.guc.values["statement_timeout"]
        if milliseconds and not self.armed:
            self.armed = True
            self._fired = False
            now = time.monotonic()
            self._deadline = now + milliseconds / 1000
            if not now < self._timer <= self._deadline:
                self._set_timer(milliseconds / 1000)

    def _set_timer(self, seconds: float) -> None:
        if not self._handler:
            signal.signal(signal.SIGALRM, self._alarm)
            self._handler = True
        self._timer = time.monotonic() + seconds
        signal.setitimer(signal.ITIMER_REAL, seconds)

    def end_statement(self) -> None:
        if self.armed:
            self.armed = False  # the timer goes on: the next statement may make use of it
            if self._fired:  # too late to matter
                self._fired = False
                self.session.cancel_pending = False

    def _alarm(self, number: int, frame: FrameType | None) -> None:
        self._timer = 0.0
        if not self.armed:
            return
        left = self._deadline - time.monotonic()
        if left > 0:  # it was set for an earlier statement
            self._set_timer(left)
            return
        self._fired = True
        self.session.cancel_pending = True
        WriterLock.interrupt()

    def cancel_reason(self) -> str:
        """The message of 57014: what made cancel_pending true."""
        if self._fired:
            self._fired = False
            return STATEMENT_TIMEOUT
        return USER_REQUEST

    def idle_seconds(self) -> float | None:
        """How long the loop may wait for the client; None: for ever."""
        values = self.session.guc.values
        if self.session.xact.state in _IN_BLOCK:
            milliseconds = values["idle_in_transaction_session_timeout"]
        else:
            milliseconds = values["idle_session_timeout"]
        return milliseconds / 1000 if milliseconds else None

    def idle_error(self) -> PgError:
        """The FATAL error that ends the connection of a client that was silent for too long."""
        if self.session.xact.in_block:
            return PgError(
                IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
                "terminating connection due to idle-in-transaction timeout",
                severity="FATAL",
            )
        return PgError(
            IDLE_SESSION_TIMEOUT,
            "terminating connection due to idle-session timeout",
            severity="FATAL",
        )
