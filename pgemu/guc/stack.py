"""SettingStack: what to restore when a transaction, subtransaction or function ends.

Counterpart: push_old_value and AtEOXact_GUC of PostgreSQL's guc.c.  Each level remembers, for
each setting that it changed, the state before; SET survives a commit, SET LOCAL and a
function's SET clause do not, and both may happen to one setting in one level.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import NamedTuple

from pgemu.guc.setting import Typed


class State(NamedTuple):
    value: Typed
    source: str


class Level(Enum):
    """How a level changed a setting."""

    SAVE = auto()
    SET = auto()
    LOCAL = auto()
    SET_LOCAL = auto()


class Saved:
    """masked, of SET_LOCAL: the value that SET gave before SET LOCAL covered it."""

    __slots__ = ("how", "masked", "prior")

    def __init__(self, how: Level, prior: State) -> None:
        self.how = how
        self.prior = prior
        self.masked: State | None = None


class SettingStack:
    __slots__ = ("levels",)

    def __init__(self) -> None:
        self.levels: list[dict[str, Saved]] = []

    @property
    def depth(self) -> int:
        return len(self.levels)

    def push(self) -> int:
        self.levels.append({})
        return len(self.levels)

    def save(self, key: str, now: State, action: Level) -> bool:
        """Remember the state before a change; False: the change would end at once (no level)."""
        if not self.levels:
            return action is Level.SET
        saved = self.levels[-1].get(key)
        if saved is None:
            self.levels[-1][key] = Saved(action, now)
        elif action is Level.SET:
            saved.how, saved.masked = Level.SET, None
        elif action is Level.LOCAL and saved.how is Level.SET:
            saved.how, saved.masked = Level.SET_LOCAL, now
        return True

    def replace(self, key: str, fits: Callable[[State], bool], state: State) -> None:
        """A weaker value changed under the levels: those that would restore one get the new."""
        for level in self.levels:
            saved = level.get(key)
            if saved is None:
                continue
            if fits(saved.prior):
                saved.prior = state
            if saved.masked is not None and fits(saved.masked):
                saved.masked = state

    def pop(self, commit: bool, now: Callable[[str], State]) -> dict[str, State]:
        """End the innermost level; setting -> state to put in force."""
        level = self.levels.pop()
        below = self.levels[-1] if self.levels else None
        restored: dict[str, State] = {}
        for key, saved in level.items():
            if not commit or saved.how is Level.SAVE:
                restored[key] = saved.prior
            elif below is None:
                if saved.how is Level.LOCAL:
                    restored[key] = saved.prior
                elif saved.how is Level.SET_LOCAL and saved.masked is not None:
                    restored[key] = saved.masked
            else:
                _merge(below, key, saved)
        return restored


def _merge(below: dict[str, Saved], key: str, saved: Saved) -> None:
    """A subtransaction commits: its changes become its parent's."""
    under = below.get(key)
    if under is None:
        below[key] = saved
    elif saved.how is Level.SET:
        under.how, under.masked = Level.SET, None
    elif saved.how is Level.LOCAL:
        if under.how is Level.SET:
            under.how, under.masked = Level.SET_LOCAL, saved.prior
    elif saved.how is Level.SET_LOCAL:
        under.how, under.masked = Level.SET_LOCAL, saved.masked
