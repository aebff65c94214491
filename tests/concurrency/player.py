"""Plays an interleaving of sessions on one server, statement by statement.

A step is sent and watched until it has ended or its session waits for another one, as the control
connection sees it (pg_isolation_test_session_is_blocked).  Then all sessions that waited are looked
at: who goes on because of this step belongs to it.  So the transcript says of every step what it
answered, or that it waits, and who it woke.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field

from pgemu_protocol.backend import (
    CommandComplete,
    DataRow,
    ErrorResponse,
    NoticeResponse,
    ReadyForQuery,
)
from pgemu_protocol.frontend import Query
from pgemu_protocol.message import Message
from tests.regress.wire import Address, Wire, WireTimeout

Step = tuple[int, str]  # number of the session, SQL
PATIENCE = 20.0
DEADLOCK_MS = 15
SETTLED_SECONDS = 0.05  # after this long a new waiter has looked for deadlocks


@dataclass
class Answer:
    """What a statement said: tag, rows (sorted unless it has ORDER BY) or an error."""

    sql: str
    tags: list[str] = field(default_factory=list)
    rows: list[tuple[str | None, ...]] = field(default_factory=list)
    error: tuple[str, ...] = ()

    @property
    def sqlstate(self) -> str:
        return self.error[0] if self.error else ""

    @property
    def text(self) -> str:
        parts = [*self.tags, *(repr(row) for row in self.rows), *self.error]
        return " | ".join(parts)


@dataclass
class Event:
    """One step: its answer (None: it waits; skipped: its session waited already) and the answers
    of those that it let go on."""

    session: int
    sql: str
    answer: Answer | None
    woken: dict[int, Answer]
    skipped: bool = False

    @property
    def text(self) -> str:
        if self.skipped:
            return f"s{self.session}: {self.sql}  -- not sent, the session waits"
        said = self.answer.text if self.answer is not None else "waits"
        lines = [f"s{self.session}: {self.sql}  -> {said}"]
        lines += [f"    s{n} goes on: {a.sql}  -> {a.text}" for n, a in sorted(self.woken.items())]
        return "\n".join(lines)


def normalise(sql: str, answer: Answer) -> None:
    """What differs between servers: order without ORDER BY, process ids, xids."""
    if "order by" not in sql.lower():
        answer.rows.sort(key=repr)
    if answer.error:
        answer.rows = []  # how many had been sent before is the server's business
        state, *texts = answer.error
        answer.error = (state, *(re.sub(r"\d{3,}", "N", text) for text in texts))
        if answer.error[0] == "40P01":
            answer.error = answer.error[:2]


class Player:
    """The sessions of an interleaving and a control connection, all in one database."""

    def __init__(self, address: Address, sessions: int) -> None:
        options = {"client_encoding": "UTF8", "TimeZone": "UTC"}
        self.control = Wire(address, options=options)
        self.wires = [Wire(address, options=options) for _ in range(sessions)]
        self.pids = ", ".join(str(wire.process_id) for wire in self.wires)
        for wire in self.wires:
            wire.ask(f"SET deadlock_timeout = '{DEADLOCK_MS}ms'")
        self.pending: dict[int, tuple[str, list[Message]]] = {}

    def close(self) -> None:
        for wire in (*self.wires, self.control):
            wire.close()

    # -- one interleaving ------------------------------------------------------------------------

    def play(self, steps: list[Step]) -> list[Event]:
        """All steps, then a COMMIT of each session until nobody waits."""
        events = [self.step(session, sql) for session, sql in steps]
        everybody = range(len(self.wires))
        for _ in range(2 * len(self.wires)):
            for number in everybody:
                if number not in self.pending and self.wires[number].status in ("T", "E"):
                    events.append(self.step(number, "commit"))
            for number in everybody:
                if number not in self.pending and self.wires[number].status == "I":
                    self.step(number, "select pg_advisory_unlock_all()")
            if not self.pending and all(wire.status == "I" for wire in self.wires):
                return events
        raise AssertionError(f"nobody can go on: {self.pending}")

    def step(self, session: int, sql: str) -> Event:
        if session in self.pending:
            return Event(session, sql, None, {}, skipped=True)
        others = set(self.pending)
        self.wires[session].send(Query(sql))
        self.pending[session] = (sql, [])
        done: dict[int, Answer] = {}
        self.settle(done)
        if session in self.pending:
            time.sleep(SETTLED_SECONDS)  # it may find a deadlock
            self.settle(done)
        mine = done.pop(session, None)
        assert set(done) <= others
        return Event(session, sql, mine, done)

    def settle(self, done: dict[int, Answer]) -> None:
        """Until every session has answered or waits for another one."""
        deadline = time.monotonic() + PATIENCE
        quiet: dict[int, int] = {}  # session -> how often in a row it was seen to wait
        while True:
            for number in list(self.pending):
                if self._collect(number, done):
                    quiet.clear()  # it may have let others go on
            if all(quiet.get(number, 0) >= 2 for number in self.pending):
                return
            for number in self.pending:
                blocked = self.is_blocked(number)
                quiet[number] = quiet.get(number, 0) + 1 if blocked else 0
            if time.monotonic() > deadline:
                states = self.control.ask(
                    "select pid, state, wait_event_type, wait_event, query from pg_stat_activity"
                )
                raise WireTimeout(f"neither done nor waiting: {self.pending}, {states}")
            if self.pending:
                time.sleep(0.002)

    def is_blocked(self, number: int) -> bool:
        pid = self.wires[number].process_id
        found = self.control.ask(
            f"SELECT pg_catalog.pg_isolation_test_session_is_blocked({pid}, '{{{self.pids}}}')"
        )
        return found == [("t",)]

    def _collect(self, number: int, done: dict[int, Answer]) -> bool:
        """Read what a session says; True: its statement has ended."""
        wire = self.wires[number]
        sql, messages = self.pending[number]
        while wire.inbox or wire.pump(0.001):
            while wire.inbox:
                message = wire.inbox.popleft()
                if isinstance(message, ReadyForQuery):
                    wire.status = message.status.decode()
                    del self.pending[number]
                    done[number] = read_answer(sql, messages)
                    return True
                messages.append(message)
        return False


def read_answer(sql: str, messages: list[Message]) -> Answer:
    answer = Answer(sql)
    for message in messages:
        match message:
            case DataRow(values=values):
                answer.rows.append(tuple(None if v is None else v.decode() for v in values))
            case CommandComplete(tag=tag):
                answer.tags.append(tag)
            case NoticeResponse(fields=fields):
                answer.tags.append("notice: " + dict(fields)[b"M"])
            case ErrorResponse(fields=fields):
                found = dict(fields)
                answer.error = tuple(found[k] for k in (b"C", b"M", b"D") if k in found)
            case _:
                pass
    normalise(sql, answer)
    return answer
