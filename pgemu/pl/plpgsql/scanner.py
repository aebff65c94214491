"""The tokens of a PL/pgSQL body (PostgreSQL's pl_scanner.c over the core scanner)."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

from pgemu.errors import SYNTAX_ERROR, PgError

_TOKEN = re.compile(
    r"""
    (?P<space>\s+ | --[^\n]*)
  | (?P<comment>/\*)
  | (?P<dollar>\$(?:[A-Za-z_\x80-\U0010ffff][\w\x80-\U0010ffff]*)?\$)
  | (?P<param>\$\d+)
  | (?P<estring>[eE]'(?:[^'\\]|''|\\.)*')
  | (?P<ustring>[uU]&'(?:[^']|'')*')
  | (?P<bstring>[bBxX]'[^']*')
  | (?P<nstring>[nN]'(?:[^']|'')*')
  | (?P<string>'(?:[^']|'')*')
  | (?P<quoted>"(?:[^"]|"")+")
  | (?P<word>[A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*)
  | (?P<number>(?:\d+(?:\.(?!\.)\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<op>:=|\.\.|::|<<|>>|=>|<=|>=|<>|!=)
  | (?P<other>[-+*/<>=~!@#%^&|`?]+?|[\[\](){},;:.]|.)
    """,
    re.VERBOSE | re.DOTALL,
)


_JUNK = re.compile(r"[A-Za-z_\x80-\U0010ffff]+")

# pl_reserved_kwlist.h: what no variable, label or condition can be called without quotes
RESERVED = frozenset(
    [
        *("all", "begin", "by", "case", "declare", "else", "end", "execute", "for", "foreach"),
        *("from", "if", "in", "into", "loop", "not", "null", "or", "strict", "then", "to"),
        *("using", "when", "while"),
    ]
)

# pl_unreserved_kwlist.h without those that begin a SQL statement: at a statement's start they
# are keywords unless an assignment follows
UNRESERVED = frozenset(
    [
        *("absolute", "alias", "and", "array", "assert", "backward", "call", "chain", "close"),
        *("collate", "column", "column_name", "commit", "constant", "constraint"),
        *("constraint_name", "continue", "current", "cursor", "datatype", "debug", "default"),
        *("detail", "diagnostics", "do", "dump", "elseif", "elsif", "errcode", "error"),
        *("exception", "exit", "fetch", "first", "forward", "get", "hint", "info", "is", "last"),
        *("log", "message", "message_text", "move", "next", "no", "notice", "open", "option"),
        *("perform", "pg_context", "pg_datatype_name", "pg_exception_context"),
        *("pg_exception_detail", "pg_exception_hint", "print_strict_params", "prior", "query"),
        *("raise", "relative", "return", "returned_sqlstate", "reverse", "rollback"),
        *("row_count", "rowtype", "schema", "schema_name", "scroll", "slice", "sqlstate"),
        *("stacked", "table", "table_name", "type", "use_column", "use_variable"),
        *("variable_conflict", "warning"),
    ]
)


@dataclass(frozen=True, slots=True)
class Token:
    """kind: word, quoted, string, number, param, op or end.  value: words in lower case, strings
    and quoted names without their quotes."""

    kind: str
    value: str
    start: int
    end: int

    @property
    def is_name(self) -> bool:
        """any_identifier"""
        return self.kind == "quoted" or (self.kind == "word" and self.value not in RESERVED)


def tokenize(text: str) -> list[Token]:
    tokens: list[Token] = []
    position, length = 0, len(text)
    while position < length:
        match = _TOKEN.match(text, position)
        assert match is not None
        kind = match.lastgroup or "other"
        end = match.end()
        if kind == "space":
            position = end
            continue
        if kind == "comment":
            position = _end_of_comment(text, position)
            continue
        if kind == "dollar":
            close = text.find(match.group(), end)
            if close < 0:
                raise _unterminated("dollar-quoted string", text, position)
            tokens.append(Token("string", text[end:close], position, close + len(match.group())))
            position = close + len(match.group())
            continue
        value = match.group()
        if kind == "other" and value in ("'", '"'):
            what = "quoted string" if value == "'" else "quoted identifier"
            raise _unterminated(what, text, position)
        if kind == "number" and (junk := _JUNK.match(text, end)):
            raise PgError(
                SYNTAX_ERROR,
                f'trailing junk after numeric literal at or near "{value}{junk.group()}"',
                internal_query=text,
                internal_position=position + 1,
            )
        tokens.append(_token(kind, value, position, end))
        position = end
    tokens.append(Token("end", "", length, length))
    return tokens


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


def _token(kind: str, value: str, start: int, end: int) -> Token:
    if kind == "word":
        return Token("word", value.lower(), start, end)
    if kind == "quoted":
        return Token("quoted", value[1:-1].replace('""', '"'), start, end)
    if kind == "string":
        return Token("string", value[1:-1].replace("''", "'"), start, end)
    if kind == "nstring":
        return Token("string", value[2:-1].replace("''", "'"), start, end)
    if kind == "estring":
        inner = re.sub(r"''|\\(.)", _unescape, value[2:-1], flags=re.DOTALL)
        return Token("string", inner, start, end)
    if kind in ("ustring", "bstring"):
        return Token("string", value, start, end)
    if kind in ("number", "param"):
        return Token(kind, value, start, end)
    return Token("op", value, start, end)


def _unescape(match: re.Match[str]) -> str:
    escaped = match.group(1)
    return "'" if escaped is None else _ESCAPES.get(escaped, escaped)


def _end_of_comment(text: str, start: int) -> int:
    depth, position = 0, start
    for match in re.finditer(r"/\*|\*/", text[start:]):
        depth += 1 if match.group() == "/*" else -1
        position = start + match.end()
        if not depth:
            return position
    raise _unterminated("/* comment", text, start)


def _unterminated(what: str, text: str, start: int) -> PgError:
    return PgError(
        SYNTAX_ERROR,
        f'unterminated {what} at or near "{text[start:]}"',
        internal_query=text,
        internal_position=start + 1,
    )


class Lines:
    """Line numbers of character offsets."""

    def __init__(self, text: str) -> None:
        self.starts = [0] + [m.end() for m in re.finditer("\n", text)]

    def of(self, position: int) -> int:
        return bisect_right(self.starts, position)
