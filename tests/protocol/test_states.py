"""The table of phases: every client message has a row, or a refusal in PostgreSQL's words."""

from __future__ import annotations

import pytest

from pgemu_protocol import Action, Conversation, Event, Phase, ProtocolViolation
from pgemu_protocol.framing import MESSAGE_LIMITS
from pgemu_protocol.states import MESSAGES


def test_every_message_has_a_row_where_statements_are_read() -> None:
    for phase in (Phase.IDLE, Phase.EXTENDED, Phase.SKIP_UNTIL_SYNC):
        assert {kind for at, kind in MESSAGES if at is phase} == set(MESSAGE_LIMITS)


def test_an_extended_query_that_fails() -> None:
    talk = Conversation(Phase.IDLE)
    assert talk.receive(b"P"[0]) is Action.PROCESS
    talk.happen(Event.ERROR)
    assert talk.phase is Phase.SKIP_UNTIL_SYNC
    assert talk.receive(b"B"[0]) is Action.IGNORE
    assert talk.receive(b"S"[0]) is Action.READY
    assert talk.phase is Phase.IDLE


def test_copy_in() -> None:
    talk = Conversation(Phase.IDLE)
    talk.receive(b"Q"[0])
    talk.happen(Event.COPY_IN_BEGINS)
    assert talk.receive(b"d"[0]) is Action.COPY_DATA
    assert talk.receive(b"S"[0]) is Action.IGNORE
    with pytest.raises(ProtocolViolation) as caught:
        talk.receive(b"Q"[0])
    assert caught.value.message == "unexpected message type 0x51 during COPY from stdin"
    assert talk.receive(b"c"[0]) is Action.COPY_END
    talk.happen(Event.DONE)
    assert talk.phase is Phase.IDLE


def test_start() -> None:
    talk = Conversation()
    talk.happen(Event.STARTED)
    with pytest.raises(ProtocolViolation, match="expected password response, got message type 81"):
        talk.receive(b"Q"[0])
    talk.happen(Event.AUTHENTICATED)
    with pytest.raises(ProtocolViolation, match="invalid frontend message type 112"):
        talk.receive(b"p"[0])
    assert talk.receive(b"X"[0]) is Action.CLOSE
    assert talk.phase is Phase.TERMINATED
