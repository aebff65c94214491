"""Random interleavings of two to four sessions: every statement answers, waits and wakes as on
PostgreSQL 15; and what commits at SERIALIZABLE fits one order of the transactions.

PGEMU_INTERLEAVINGS sets the number of examples of each test.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.concurrency.interleaving import Server, compare
from tests.concurrency.player import Event, Player, Step
from tests.concurrency.statements import (
    LEVELS,
    Shape,
    deletes,
    inserts,
    interleavings,
    reads,
    shapes,
    updates,
)

EXAMPLES = int(os.environ.get("PGEMU_INTERLEAVINGS", "15"))
some = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # shrinking plays hundreds of interleavings
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink]
    if EXAMPLES > 100
    else [Phase.explicit, Phase.reuse, Phase.generate],
)


@pytest.mark.timeout(120 + 3 * EXAMPLES)
@pytest.mark.parametrize("levels", [LEVELS[:1], LEVELS[1:2], LEVELS], ids=["rc", "rr", "all"])
def test_answers_and_waits_as_postgresql(
    ours: Server, theirs: Server, levels: tuple[str, ...]
) -> None:
    @some
    @given(interleavings(levels))
    def play(history: tuple[Shape, int, list[Step]]) -> None:
        found = compare(ours, theirs, *history)
        assert not found, f"\n{found}"

    play()


@st.composite
def serializable_histories(draw: st.DrawFn) -> tuple[Shape, int, list[Step]]:
    """Each session one transaction at SERIALIZABLE, shuffled."""
    shape, sessions = draw(shapes), draw(st.integers(2, 4))
    # what SKIP LOCKED passes over fits no order
    change = st.one_of(inserts(), updates(), deletes()).filter(lambda s: "skip locked" not in s)
    plans = [
        draw(st.lists(st.one_of(reads(), reads(), change), min_size=1, max_size=4))
        for _ in range(sessions)
    ]
    moves = [n for n, plan in enumerate(plans) for _ in range(len(plan) + 1)]
    steps: list[Step] = [(n, "begin isolation level serializable") for n in range(sessions)]
    left = [iter([*plan, "commit"]) for plan in plans]
    steps += [(n, next(left[n])) for n in draw(st.permutations(moves))]
    return shape, sessions, steps


def committed(events: Sequence[Event]) -> dict[int, list[tuple[str, str]]]:
    """(statement, answer) of the sessions whose transaction committed, in the order of COMMIT."""
    said: dict[int, list[tuple[str, str]]] = {}
    found: dict[int, list[tuple[str, str]]] = {}
    for event in events:
        answers = {**event.woken}
        if event.answer is not None:
            answers[event.session] = event.answer
        for number, answer in answers.items():
            if answer.sql != "commit":
                said.setdefault(number, []).append((answer.sql, answer.text))
            elif answer.tags == ["COMMIT"] and number in said:
                found[number] = said.pop(number)
    return found


def in_this_order(
    player: Player, shape: Shape, order: Sequence[list[tuple[str, str]]]
) -> list[str] | None:
    """The final tables after the transactions, one after the other; None: one answered
    otherwise."""
    for sql in shape.rows:
        player.control.ask(sql)
    for transaction in order:
        for sql, text in transaction:
            event = player.step(0, sql)
            if event.answer is None or event.answer.text != text:
                player.step(0, "rollback")
                return None
        if player.step(0, "commit").answer.text != "COMMIT":  # type: ignore[union-attr]
            return None
    return final_tables(player)


def final_tables(player: Player) -> list[str]:
    return [repr(player.control.ask(f"select * from {t} order by id")) for t in "pc"]


@pytest.mark.timeout(120 + 3 * EXAMPLES)
def test_serializable_means_in_some_order(ours: Server) -> None:
    """No anomaly gets through; refusing more than PostgreSQL does is allowed."""
    seen = 0

    @some
    @given(serializable_histories())
    def play(history: tuple[Shape, int, list[Step]]) -> None:
        nonlocal seen
        shape, sessions, steps = history
        player = ours.prepare(shape, sessions)
        try:
            events = player.play(steps)
            transactions = committed(events)
            seen += len(transactions)
            left = final_tables(player)
            orders = itertools.permutations(transactions.values())
            explained = any(in_this_order(player, shape, order) == left for order in orders)
        except BaseException:
            ours.forget_sessions()
            raise
        shown = "\n".join(event.text for event in events)
        assert explained, f"{shape}\nno order explains\n{shown}\n{left}"

    play()
    assert seen > EXAMPLES  # not everything may be refused
