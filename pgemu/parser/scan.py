"""What the library's scanner does not do by itself (PostgreSQL's scan.l): strings while
standard_conforming_strings is off, backslash_quote, notices about identifiers that are too long.

A '...' string with a backslash is given to the library as E'...', and \\v, which PostgreSQL 15
takes for a v, as \\x76; the places in the tree, which stand further right behind that, are moved
back.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pgemu.errors import PgError
from pgemu.nodes.parsenodes import RawStmt
from pgemu.parser.parser import raw_parser

NAMEDATALEN = 64
NONSTANDARD_USE_OF_ESCAPE_CHARACTER, NAME_TOO_LONG = "22P06", "42622"

_TOKEN = re.compile(
    r"""
    (?P<line>--[^\n]*)
  | (?P<block>/\*)
  | (?P<escape>[eE]'[^'\\]*+(?:(?:''|\\.)[^'\\]*+)*+(?:'|$))
  | (?P<other>(?:[bBxX]|[uU]&)'[^']*+(?:''[^']*+)*+(?:'|$))
  | (?P<string>')
  | (?P<dollar>\$(?:[A-Za-z_\x80-\U0010ffff][\w\x80-\U0010ffff]*)?\$)
  | (?P<quoted>(?:[uU]&)?"[^"]*+(?:""[^"]*+)*+(?:"|$))
  | (?P<name>[A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*)
    """,
    re.VERBOSE | re.DOTALL,
)
_STANDARD = re.compile(r"'[^']*+(?:''[^']*+)*+(?:'|$)", re.DOTALL)
_WITH_ESCAPES = re.compile(r"'[^'\\]*+(?:(?:''|\\.)[^'\\]*+)*+(?:'|$)", re.DOTALL)
_NO_ESCAPE = re.compile(r"\\.", re.DOTALL)  # \v is one for later PostgreSQLs
_COMMENT = re.compile(r"/\*|\*/")
LONG_NAME = re.compile(r'[\w$\x80-\U0010ffff]{64,}|[\x80-\U0010ffff]{16,}|"[^"]{64,}')

Notice = Callable[..., None]


@dataclass(slots=True)
class Scanned:
    """The text for the library, and the byte offsets (in it) of what was added."""

    text: str
    added: list[int] = field(default_factory=list)
    # something was said about the text: it must be said again the next time
    noticed: bool = False

    def original(self, offset: int) -> int:
        """A byte offset of the library in the text as it came."""
        return offset - sum(place < offset for place in self.added)


def scan(
    text: str, notice: Notice, *, conforming: bool, warning: bool, backslash_quote: str
) -> Scanned:
    """Go through the tokens; warnings and notices are sent, unsafe quotes refused."""
    parts: list[str] = []
    added: list[int] = []
    noticed = False
    at = copied = 0
    size = len(text)
    while at < size:
        found = _TOKEN.search(text, at)
        if found is None:
            break
        start, at = found.span()
        kind = found.lastgroup
        if kind == "block":
            at = _end_of_comment(text, start)
        elif kind == "dollar":
            closing = text.find(found[0], at)
            at = size if closing < 0 else closing + len(found[0])
        elif kind == "escape":
            _check_quotes(text, start, found[0], backslash_quote)
            for escape in _NO_ESCAPE.finditer(found[0]):
                if escape[0] == "\\v":
                    place = start + escape.start()
                    parts += [text[copied:place], "\\x76"]
                    offset = len(text[:place].encode()) + len(added)
                    added += [offset, offset]
                    copied = place + 2
        elif kind == "string":
            pattern = _STANDARD if conforming else _WITH_ESCAPES
            literal = pattern.match(text, start)
            assert literal is not None
            at = literal.end()
            if not conforming and "\\" in literal[0]:
                _check_quotes(text, start, literal[0], backslash_quote)
                if warning:
                    _warn(text, start, literal[0], notice)
                parts.append(text[copied:start])
                added.append(len(text[:start].encode()) + len(added))
                parts.append("E")
                copied = start
        elif kind in ("name", "quoted"):
            noticed = _check_length(found[0], notice) or noticed
    parts.append(text[copied:])
    return Scanned("".join(parts), added, noticed or bool(added))


def _end_of_comment(text: str, start: int) -> int:
    """Comments nest."""
    depth = 0
    for mark in _COMMENT.finditer(text, start):
        depth += 1 if mark[0] == "/*" else -1
        if not depth:
            return mark.end()
    return len(text)


def _check_quotes(text: str, start: int, literal: str, backslash_quote: str) -> None:
    if backslash_quote != "off" or "\\'" not in re.sub(r"\\[^']", "", literal):
        return
    raise PgError(
        NONSTANDARD_USE_OF_ESCAPE_CHARACTER,
        "unsafe use of \\' in a string literal",
        hint="Use '' to write quotes in strings. \\' is insecure in client-only encodings.",
        location=len(text[:start].encode()),
    )


def _warn(text: str, start: int, literal: str, notice: Notice) -> None:
    """escape_string_warning: once for each string."""
    letter = literal[literal.index("\\") + 1]
    if letter == "'":
        what = "\\'"
        hint = "Use '' to write quotes in strings, or use the escape string syntax (E'...')."
    elif letter == "\\":
        what = "\\\\"
        hint = "Use the escape string syntax for backslashes, e.g., E'\\\\'."
    else:
        what = "escape"
        hint = "Use the escape string syntax for escapes, e.g., E'\\r\\n'."
    notice(
        "WARNING",
        NONSTANDARD_USE_OF_ESCAPE_CHARACTER,
        f"nonstandard use of {what} in a string literal",
        hint=hint,
        location=len(text[:start].encode()),
    )


def _check_length(token: str, notice: Notice) -> bool:
    """truncate_identifier; True: it is too long."""
    if token.startswith('"'):
        token = token[1:-1].replace('""', '"')
    elif len(token) < NAMEDATALEN and token.isascii():
        return False
    else:
        token = token.lower()
    data = token.encode()
    if len(data) < NAMEDATALEN:
        return False
    cut = data[: NAMEDATALEN - 1].decode(errors="ignore")
    notice("NOTICE", NAME_TOO_LONG, f'identifier "{token}" will be truncated to "{cut}"')
    return True


def parse_scanned(scanned: Scanned) -> list[RawStmt]:
    """The raw trees, with places in the original text."""
    if not scanned.added:
        return raw_parser(scanned.text)
    try:
        statements = raw_parser(scanned.text)
    except PgError as error:
        if error.position is not None:
            before = len(scanned.text[: error.position - 1].encode())
            error.position -= sum(place < before for place in scanned.added)
        raise
    moved = []
    for one in statements:
        move_back(one.node, scanned)
        start = scanned.original(one.location)
        end = scanned.original(one.location + one.length)
        moved.append(RawStmt(one.node, start, end - start if one.length else 0))
    return moved


def move_back(node: Any, scanned: Scanned) -> None:
    """The places in a raw tree, in place."""
    if isinstance(node, list):
        for item in node:
            move_back(item, scanned)
        return
    if not isinstance(node, dict):
        return
    end = None
    if "stmt_len" in node:
        end = scanned.original(node.get("stmt_location", 0) + node["stmt_len"])
    for key, value in node.items():
        if isinstance(value, int):
            if key == "location" or key.endswith("_location"):
                node[key] = scanned.original(value)
        else:
            move_back(value, scanned)
    if end is not None:
        node["stmt_len"] = end - node.get("stmt_location", 0)
