"""One interleaving on pgemu and on PostgreSQL: where do their transcripts part?"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field

from tests.concurrency.player import Event, Player, Step
from tests.concurrency.statements import Shape
from tests.regress.wire import Address, ServerRefused


@dataclass
class Transcript:
    events: list[Event] = field(default_factory=list)
    final: list[str] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        return [event.text for event in self.events] + self.final


class Server:
    """A server with a schema for each shape; interleavings are played in them."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._players: dict[int, Player] = {}
        self._schemas: set[str] = set()

    def close(self) -> None:
        for player in self._players.values():
            player.close()
        self._players = {}

    def forget_sessions(self) -> None:
        """After a failure nobody knows in which state they are."""
        self.close()

    def prepare(self, shape: Shape, sessions: int) -> Player:
        player = self._players.get(sessions)
        if player is None:
            player = self._players[sessions] = Player(self.address, sessions)
        if shape.name not in self._schemas:
            player.control.ask(f"drop schema if exists {shape.name} cascade")
            player.control.ask(f"create schema {shape.name}")
        for wire in (player.control, *player.wires):
            wire.ask(f"set search_path to {shape.name}")
        if shape.name not in self._schemas:
            for sql in shape.schema:
                player.control.ask(sql)
            self._schemas.add(shape.name)
        for sql in shape.rows:
            player.control.ask(sql)
        return player

    def play(self, shape: Shape, sessions: int, steps: list[Step]) -> Transcript:
        player = self.prepare(shape, sessions)
        try:
            rehearse(player, steps)
            events = player.play(steps)
            final = [f"{sql} -> {player.control.ask(sql)}" for sql in shape.final]
        except BaseException:
            self.forget_sessions()
            raise
        return Transcript(events, final)


def rehearse(player: Player, steps: list[Step]) -> None:
    """Each session runs its statements once by itself, so that their plans are at hand."""
    for number, sql in steps:
        if not sql.startswith(("select * from", "insert", "update", "delete")):
            continue
        wire = player.wires[number]
        wire.ask("begin")
        with contextlib.suppress(ServerRefused):
            wire.ask(sql)
        wire.ask("rollback")


def difference(ours: Transcript, theirs: Transcript) -> str:
    """The transcript up to the first difference; empty: there is none.

    A serialization failure of ours at SERIALIZABLE where PostgreSQL has none ends the comparison:
    which transactions are refused is not fixed (only that no anomaly is let through)."""
    shown: list[str] = []
    for mine, their in zip(ours.events, theirs.events, strict=False):
        if mine.text == their.text:
            shown.append(mine.text)
            continue
        if "read/write dependencies" in mine.text or "read/write dependencies" in their.text:
            return ""
        shown += ["pgemu:", mine.text, "PostgreSQL:", their.text]
        return "\n".join(shown)
    if ours.final != theirs.final:
        return "\n".join([*shown, "pgemu:", *ours.final, "PostgreSQL:", *theirs.final])
    return ""


def compare(ours: Server, theirs: Server, shape: Shape, sessions: int, steps: list[Step]) -> str:
    """The difference, if it is there whenever it is looked for and PostgreSQL itself answers the
    same each time (who of two woken sessions comes first, is not fixed)."""
    found = difference(
        ours.play(shape, sessions, steps), expected := theirs.play(shape, sessions, steps)
    )
    for _ in range(2):
        if not found:
            return ""
        again = theirs.play(shape, sessions, steps)
        if again.lines != expected.lines:
            return ""
        found = difference(ours.play(shape, sessions, steps), again)
    return f"{shape}\n{found}" if found else ""
