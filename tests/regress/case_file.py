"""A golden case: one .sql file, read as statements with directives.

    -- The rule, in one line                     first line: what PostgreSQL does
    -- xfail: reason                             header: pgemu is known to differ (strict)
    -- conn: b                                   what follows runs on connection b (made when named)
    -- bind: ["1", null]                         next statement: extended protocol, text parameters
    -- bind: [{"hex": "0001"}]                ... a parameter in binary
    -- types: [23, 25]                           ... with these parameter type OIDs
    -- max_rows: 2                               ... Execute with this limit until it is done
    -- format: binary                            ... results in binary, shown as hex

A statement ends at a `;` outside quotes, parentheses and BEGIN ATOMIC ... END; `\\;` joins two
into one Query message, as in psql.  After `COPY ... FROM STDIN` come its data, up to `\\.`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

_TOKEN = re.compile(
    r"""
      (?P<comment>--[^\n]*\n?)
    | (?P<block>/\*.*?\*/)
    | (?P<escape>\b[eE]'(?:[^'\\]|\\.|'')*')
    | (?P<string>'(?:[^']|'')*')
    | (?P<name>"(?:[^"]|"")*")
    | (?P<dollar>\$(?P<tag>[A-Za-z_][A-Za-z_0-9]*|)\$.*?\$(?P=tag)\$)
    | (?P<join>\\;)
    | (?P<end>;)
    | (?P<open>[(\[])
    | (?P<close>[)\]])
    | (?P<atomic>\bbegin\s+atomic\b)
    | (?P<case>\bcase\b)
    | (?P<word>\w+)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_DIRECTIVE = re.compile(r"^--\s*(conn|bind|types|max_rows|format|xfail):\s*(.*?)\s*$")
_COPY_IN = re.compile(r"^\s*copy\b.*\bfrom\s+stdin\b", re.IGNORECASE | re.DOTALL)


@dataclass
class Step:
    """One Query (or Parse/Bind/Execute) and how to send it."""

    sql: str
    connection: str = ""
    bind: list[str | dict[str, str] | None] | None = None
    types: list[int] = field(default_factory=list)
    max_rows: int = 0
    binary: bool = False
    copy_data: str | None = None


@dataclass
class Case:
    path: Path
    rule: str
    xfail: str
    steps: list[Step]


class CaseError(Exception):
    """The file is not a well-formed case."""


def read_case(path: Path) -> Case:
    text = path.read_text(encoding="utf-8")
    first = text.split("\n", 1)[0]
    if not first.startswith("-- ") or _DIRECTIVE.match(first):
        raise CaseError(f"{path}: the first line must be a comment that says the rule")
    reader = _Reader(text)
    steps = reader.read()
    return Case(path, first[3:].strip(), reader.xfail, steps)


class _Reader:
    """Walks the text once; keeps the directives that wait for their statement."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.xfail = ""
        self.connection = ""
        self.pending: dict[str, str] = {}
        self.steps: list[Step] = []

    def read(self) -> list[Step]:
        at, depth, atomic, sql = 0, 0, 0, ""
        while at < len(self.text):
            token = _TOKEN.match(self.text, at)
            assert token is not None
            at = token.end()
            kind = token.lastgroup
            if kind == "tag":
                kind = "dollar"
            word = token.group().lower()
            if kind == "comment":
                if not sql.strip():
                    self.directive(token.group().strip())
                else:
                    sql += "\n"
                continue
            if kind == "join":
                sql += ";"
                continue
            if kind == "end" and depth == 0 and atomic == 0:
                at = self.step(sql.strip(), at)
                sql = ""
                continue
            depth = max(0, depth + {"open": 1, "close": -1}.get(kind or "", 0))
            if kind == "atomic" or (atomic and kind == "case"):
                atomic += 1
            elif atomic and word == "end":
                atomic -= 1
            sql += token.group()
        if sql.strip():
            raise CaseError(f"statement without its end: {sql.strip()[:60]!r}")
        return self.steps

    def directive(self, line: str) -> None:
        found = _DIRECTIVE.match(line)
        if found is None:
            return
        name, value = found.groups()
        if name == "xfail":
            self.xfail = value
        elif name == "conn":
            self.connection = "" if value == "main" else value
        else:
            self.pending[name] = value

    def step(self, sql: str, at: int) -> int:
        """Append the statement; take COPY's data after it.  Where to read on."""
        step = Step(sql, self.connection)
        if "bind" in self.pending:
            step.bind = json.loads(self.pending["bind"])
        step.types = json.loads(self.pending.get("types", "[]"))
        step.max_rows = int(self.pending.get("max_rows", "0"))
        step.binary = self.pending.get("format") == "binary"
        if self.pending and step.bind is None:
            step.bind = []
        self.pending = {}
        if _COPY_IN.match(sql):
            start = self.text.index("\n", at) + 1
            end = self.text.index("\\.\n", start)
            step.copy_data = self.text[start:end]
            at = end + 3
        self.steps.append(step)
        return at
