"""Random interleavings of three transactions against a model that keeps whole copies."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.transam.two_sessions import backends

KEYS = 6
Action = tuple[int, str, int]
actions = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(
            [
                "begin",
                "begin rr",
                "commit",
                "rollback",
                "insert",
                "update",
                "delete",
                "savepoint",
                "rollback to",
                "fail",
                "read",
                "read",
            ]
        ),
        st.integers(0, KEYS - 1),
    ),
    max_size=60,
)


class Model:
    """What PostgreSQL would say.  owner: whose uncommitted change a key holds."""

    def __init__(self) -> None:
        self.committed: dict[int, Any] = {}
        self.own: list[dict[int, Any] | None] = [None, None, None]  # changes; None: no block
        self.fixed: list[dict[int, Any] | None] = [None, None, None]
        self.isolation = ["", "", ""]
        self.saved: list[list[dict[int, Any]]] = [[], [], []]

    def base(self, who: int) -> dict[int, Any]:
        fixed = self.fixed[who]
        return fixed if fixed is not None else self.committed

    def sees(self, who: int) -> dict[int, Any]:
        merged = {**self.base(who), **(self.own[who] or {})}
        return {k: v for k, v in merged.items() if v is not None}

    def fix(self, who: int) -> None:
        if self.isolation[who] == "repeatable read" and self.fixed[who] is None:
            self.fixed[who] = dict(self.committed)

    def may_write(self, who: int, key: int) -> bool:
        """No other open transaction has the key; under REPEATABLE READ it is unchanged."""
        for other, own in enumerate(self.own):
            if other != who and own is not None and key in own:
                return False
        return self.base(who).get(key) == self.committed.get(key)

    def end(self, who: int, *, commit: bool) -> None:
        own = self.own[who]
        if commit and own is not None:
            self.committed.update(own)
        self.own[who] = self.fixed[who] = None
        self.isolation[who], self.saved[who] = "", []


def play(steps: list[Action], folder: Path) -> None:
    model = Model()
    with backends(folder, 3) as made:
        sessions = made[2:]
        for number, (who, action, key) in enumerate(steps):
            session, in_block = sessions[who], model.own[who] is not None
            if action.startswith("begin"):
                if not in_block:
                    isolation = "repeatable read" if action == "begin rr" else "read committed"
                    session.begin(isolation)
                    model.own[who], model.isolation[who] = {}, isolation
            elif action in ("commit", "rollback", "fail"):
                if in_block:
                    if action == "fail":
                        # only of a whole transaction, then ROLLBACK
                        session.xact.savepoints.clear()
                        session.xact.fail()
                    getattr(session.xact, "commit" if action == "commit" else "rollback")()
                    model.end(who, commit=action == "commit")
            elif action == "savepoint":
                if in_block:
                    session.xact.savepoint("s")
                    model.saved[who].append(dict(model.own[who] or {}))
            elif action == "rollback to":
                if model.saved[who]:
                    session.xact.rollback_to_savepoint("s")
                    model.own[who] = dict(model.saved[who][-1])
            elif action == "read":
                model.fix(who)
                assert dict(session.rows()) == model.sees(who), (number, who)
            else:
                model.fix(who)
                if model.isolation[who] == "repeatable read":
                    session.rows()
                change(model, session, who, action, key, number)
        for who, session in enumerate(sessions):
            model.fix(who)
            assert dict(session.rows()) == model.sees(who), who


def change(model: Model, session: Any, who: int, action: str, key: int, number: int) -> None:
    """A write that the executor would let through."""
    there = key in model.sees(who)
    if not model.may_write(who, key) or there == (action == "insert"):
        return
    value = None if action == "delete" else f"v{number}"
    if action == "insert":
        session.insert(key, value)
    elif action == "update":
        session.update(key, value)
    else:
        session.delete(key)
    own = model.own[who]
    if own is None:
        model.committed[key] = value
    else:
        own[key] = value


@given(actions)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_interleaving_reads_what_the_model_says(steps: list[Action]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        play(steps, Path(folder))
