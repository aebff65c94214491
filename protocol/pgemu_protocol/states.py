"""Where a conversation stands, and what each message does there: all of it in one table.

Counterpart: the phases are implicit in PostgreSQL's code (BackendInitialize, SocketBackend,
PostgresMain's doing_extended_query_message and ignore_till_sync, CopyGetData); here they are
rows.  The server's own events (authenticated, error, copy starts, done) are rows of the same
table, so that a reader sees every way from phase to phase.
"""

from __future__ import annotations

from enum import Enum, auto

from pgemu_protocol.framing import invalid_message_type
from pgemu_protocol.violation import ProtocolViolation


class Phase(Enum):
    STARTUP = auto()
    """The first packet has not come."""
    AUTHENTICATION = auto()
    IDLE = auto()
    """ReadyForQuery was sent."""
    SIMPLE_QUERY = auto()
    EXTENDED = auto()
    """Parse, Bind, ... came; Sync did not."""
    SKIP_UNTIL_SYNC = auto()
    """An extended query failed: everything up to Sync is dropped."""
    COPY_IN = auto()
    """COPY FROM STDIN of a simple query."""
    COPY_IN_EXTENDED = auto()
    COPY_OUT = auto()
    TERMINATED = auto()


class Action(Enum):
    PROCESS = auto()
    IGNORE = auto()
    FLUSH = auto()
    READY = auto()
    """Commit what is implicit and send ReadyForQuery."""
    COPY_DATA = auto()
    COPY_END = auto()
    COPY_FAIL = auto()
    CLOSE = auto()
    REFUSE = auto()
    """Refused by a ProtocolViolation; see Conversation.receive."""


class Event(Enum):
    """What the server itself does."""

    STARTED = auto()
    AUTHENTICATED = auto()
    DONE = auto()
    """The statement (or function call) ended well."""
    ERROR = auto()
    COPY_IN_BEGINS = auto()
    COPY_OUT_BEGINS = auto()
    COPY_ENDS = auto()
    CLOSED = auto()


_P, _A = Phase, Action


def _rows(
    phase: Phase, kinds: bytes, action: Action, after: Phase
) -> dict[tuple[Phase, int], tuple[Action, Phase]]:
    return {(phase, kind): (action, after) for kind in kinds}


MESSAGES: dict[tuple[Phase, int], tuple[Action, Phase]] = {
    **_rows(_P.AUTHENTICATION, b"p", _A.PROCESS, _P.AUTHENTICATION),
    # Idle: copy messages are left-overs of a failed COPY and dropped.
    **_rows(_P.IDLE, b"QF", _A.PROCESS, _P.SIMPLE_QUERY),
    **_rows(_P.IDLE, b"PBDEC", _A.PROCESS, _P.EXTENDED),
    **_rows(_P.IDLE, b"H", _A.FLUSH, _P.EXTENDED),
    **_rows(_P.IDLE, b"S", _A.READY, _P.IDLE),
    **_rows(_P.IDLE, b"dcf", _A.IGNORE, _P.IDLE),
    **_rows(_P.IDLE, b"X", _A.CLOSE, _P.TERMINATED),
    **_rows(_P.EXTENDED, b"PBDEC", _A.PROCESS, _P.EXTENDED),
    **_rows(_P.EXTENDED, b"QF", _A.PROCESS, _P.SIMPLE_QUERY),
    **_rows(_P.EXTENDED, b"H", _A.FLUSH, _P.EXTENDED),
    **_rows(_P.EXTENDED, b"S", _A.READY, _P.IDLE),
    **_rows(_P.EXTENDED, b"dcf", _A.IGNORE, _P.EXTENDED),
    **_rows(_P.EXTENDED, b"X", _A.CLOSE, _P.TERMINATED),
    **_rows(_P.SKIP_UNTIL_SYNC, b"PBDECHQFdcf", _A.IGNORE, _P.SKIP_UNTIL_SYNC),
    **_rows(_P.SKIP_UNTIL_SYNC, b"S", _A.READY, _P.IDLE),
    **_rows(_P.SKIP_UNTIL_SYNC, b"X", _A.CLOSE, _P.TERMINATED),
    # COPY FROM STDIN: Flush and Sync are ignored, so that a client may always append them.
    **_rows(_P.COPY_IN, b"d", _A.COPY_DATA, _P.COPY_IN),
    **_rows(_P.COPY_IN, b"c", _A.COPY_END, _P.SIMPLE_QUERY),
    **_rows(_P.COPY_IN, b"f", _A.COPY_FAIL, _P.SIMPLE_QUERY),
    **_rows(_P.COPY_IN, b"HS", _A.IGNORE, _P.COPY_IN),
    **_rows(_P.COPY_IN_EXTENDED, b"d", _A.COPY_DATA, _P.COPY_IN_EXTENDED),
    **_rows(_P.COPY_IN_EXTENDED, b"c", _A.COPY_END, _P.EXTENDED),
    **_rows(_P.COPY_IN_EXTENDED, b"f", _A.COPY_FAIL, _P.EXTENDED),
    **_rows(_P.COPY_IN_EXTENDED, b"HS", _A.IGNORE, _P.COPY_IN_EXTENDED),
}
"""(phase, type byte) -> (what to do, phase after).  What has no row is refused."""

EVENTS: dict[tuple[Phase, Event], Phase] = {
    (_P.STARTUP, Event.STARTED): _P.AUTHENTICATION,
    (_P.STARTUP, Event.ERROR): _P.TERMINATED,
    (_P.AUTHENTICATION, Event.AUTHENTICATED): _P.IDLE,
    (_P.AUTHENTICATION, Event.ERROR): _P.TERMINATED,
    (_P.SIMPLE_QUERY, Event.DONE): _P.IDLE,
    (_P.SIMPLE_QUERY, Event.ERROR): _P.IDLE,
    (_P.SIMPLE_QUERY, Event.COPY_IN_BEGINS): _P.COPY_IN,
    (_P.SIMPLE_QUERY, Event.COPY_OUT_BEGINS): _P.COPY_OUT,
    (_P.EXTENDED, Event.DONE): _P.EXTENDED,
    (_P.EXTENDED, Event.ERROR): _P.SKIP_UNTIL_SYNC,
    (_P.EXTENDED, Event.COPY_IN_BEGINS): _P.COPY_IN_EXTENDED,
    (_P.COPY_IN, Event.ERROR): _P.IDLE,
    (_P.COPY_IN_EXTENDED, Event.ERROR): _P.SKIP_UNTIL_SYNC,
    (_P.COPY_OUT, Event.COPY_ENDS): _P.SIMPLE_QUERY,
    (_P.COPY_OUT, Event.ERROR): _P.IDLE,
    # An error while idle is one raised by a latch (timeouts, cancel): still idle.
    (_P.IDLE, Event.ERROR): _P.IDLE,
    **{(phase, Event.CLOSED): _P.TERMINATED for phase in Phase},
}
"""(phase, what the server did) -> phase after."""


class Conversation:
    """One connection's place in the table."""

    __slots__ = ("phase",)

    def __init__(self, phase: Phase = Phase.STARTUP) -> None:
        self.phase = phase

    def receive(self, kind: int) -> Action:
        """What to do with a message of this type; moves to the phase after it."""
        row = MESSAGES.get((self.phase, kind))
        if row is None:
            raise self._refusal(kind)
        action, self.phase = row
        return action

    def happen(self, event: Event) -> None:
        """Note what the server did.  KeyError: a bug of the server, not of the client."""
        self.phase = EVENTS[self.phase, event]

    def _refusal(self, kind: int) -> ProtocolViolation:
        if self.phase is Phase.AUTHENTICATION:
            return ProtocolViolation(
                f"expected password response, got message type {kind}", fatal=True
            )
        if self.phase in (Phase.COPY_IN, Phase.COPY_IN_EXTENDED):
            return ProtocolViolation(f"unexpected message type 0x{kind:02X} during COPY from stdin")
        return invalid_message_type(kind)
