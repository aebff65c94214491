"""PostgreSQL's isolation .spec files: setup, teardown, session, step, permutation.

The format is described in the README of PostgreSQL's src/test/isolation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r\f\n]+|\#[^\n]*)
    | (?P<sql>\{[ \t\r\f]*(?P<text>[^}]*?)[ \t\r\f]*\})
    | "(?P<quoted>[^"\n]*)"
    | (?P<word>[A-Za-z_\x80-\U0010ffff][A-Za-z_0-9$\x80-\U0010ffff]*)
    | (?P<number>[0-9]+)
    | (?P<self>[(),*])
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Step:
    """index: of its session, from 0."""

    name: str
    sql: str
    session: int


@dataclass
class Session:
    name: str
    setup: str | None = None
    teardown: str | None = None
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True)
class Blocker:
    """kind: "once" for (*), "step" for (other), "notices" for (other notices n)."""

    kind: str
    step: Step | None = None
    notices: int = 0


@dataclass(frozen=True)
class PermutationStep:
    step: Step
    blockers: tuple[Blocker, ...] = ()


@dataclass
class Spec:
    name: str
    setups: list[str] = field(default_factory=list)
    teardown: str | None = None
    sessions: list[Session] = field(default_factory=list)
    permutations: list[list[PermutationStep]] = field(default_factory=list)

    def all_permutations(self) -> Iterator[list[PermutationStep]]:
        """Those of the file; every interleaving if it names none."""
        if self.permutations:
            yield from self.permutations
        else:
            yield from self._interleavings([0] * len(self.sessions), [])

    def _interleavings(
        self, taken: list[int], so_far: list[PermutationStep]
    ) -> Iterator[list[PermutationStep]]:
        found = False
        for i, session in enumerate(self.sessions):
            if taken[i] < len(session.steps):
                found = True
                taken[i] += 1
                step = PermutationStep(session.steps[taken[i] - 1])
                yield from self._interleavings(taken, [*so_far, step])
                taken[i] -= 1
        if not found:
            yield so_far


class SpecError(Exception):
    """The file is not a well-formed spec."""


def read_spec(path: Path) -> Spec:
    return _Parser(path.stem, path.read_text(encoding="utf-8")).parse()


class _Parser:
    def __init__(self, name: str, text: str) -> None:
        self.spec = Spec(name)
        self.tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                raise SpecError(f"{name}: unexpected {text[at : at + 20]!r}")
            at = found.end()
            kind = found.lastgroup or ""
            if kind in ("sql", "text"):
                self.tokens.append(("sql", found["text"]))
            elif kind == "quoted":
                self.tokens.append(("name", found["quoted"]))
            elif kind != "space":
                self.tokens.append((kind, found.group()))
        self.tokens.append(("end", ""))
        self.at = 0
        self.steps: dict[str, Step] = {}

    def take(self, *kinds: str) -> str:
        kind, text = self.tokens[self.at]
        if kind not in kinds:
            raise SpecError(f"{self.spec.name}: expected {kinds}, found {kind} {text!r}")
        self.at += 1
        return text

    def keyword(self, word: str) -> bool:
        """Take it if it comes next."""
        if self.tokens[self.at] == ("word", word):
            self.at += 1
            return True
        return False

    def punctuation(self, mark: str) -> bool:
        if self.tokens[self.at] == ("self", mark):
            self.at += 1
            return True
        return False

    def parse(self) -> Spec:
        spec = self.spec
        while self.keyword("setup"):
            spec.setups.append(self.take("sql"))
        if self.keyword("teardown"):
            spec.teardown = self.take("sql")
        while self.keyword("session"):
            self.session()
        raw: list[list[tuple[str, list[tuple[str, str, int]]]]] = []
        while self.keyword("permutation"):
            raw.append(self.permutation())
        self.take("end")
        for permutation in raw:
            spec.permutations.append(
                [
                    PermutationStep(
                        self.steps[name],
                        tuple(Blocker(k, self.steps.get(other), n) for k, other, n in blockers),
                    )
                    for name, blockers in permutation
                ]
            )
        return spec

    def session(self) -> None:
        session = Session(self.take("word", "name"))
        index = len(self.spec.sessions)
        self.spec.sessions.append(session)
        if self.keyword("setup"):
            session.setup = self.take("sql")
        while self.keyword("step"):
            name = self.take("word", "name")
            step = Step(name, self.take("sql"), index)
            session.steps.append(step)
            self.steps[name] = step
        if self.keyword("teardown"):
            session.teardown = self.take("sql")

    def permutation(self) -> list[tuple[str, list[tuple[str, str, int]]]]:
        found = []
        while self.tokens[self.at][0] in ("word", "name") and self.tokens[self.at] != (
            "word",
            "permutation",
        ):
            name = self.take("word", "name")
            blockers: list[tuple[str, str, int]] = []
            if self.punctuation("("):
                blockers.append(self.blocker())
                while self.punctuation(","):
                    blockers.append(self.blocker())
                if not self.punctuation(")"):
                    raise SpecError(f"{self.spec.name}: expected ) after {name}")
            found.append((name, blockers))
        return found

    def blocker(self) -> tuple[str, str, int]:
        if self.punctuation("*"):
            return ("once", "", 0)
        name = self.take("word", "name")
        if self.keyword("notices"):
            return ("notices", name, int(self.take("number")))
        return ("step", name, 0)
