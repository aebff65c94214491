"""Text to raw trees (PostgreSQL's parser.c and gram.y, by way of libpg_query).

libpg_query's grammar is that of a newer PostgreSQL.  What PostgreSQL 15 does not accept is found
here by patterns over the text with quoted parts blanked out (`_NEWER_SYNTAX`), and reported the
way 15 reports it; constructors of SQL/JSON that 15 would read as function calls become calls.
"""

from __future__ import annotations

import re
from typing import Any

import pgparse

from pgemu.errors import PgError
from pgemu.errors.codes import (
    INVALID_TEXT_REPRESENTATION,
    STATEMENT_TOO_COMPLEX,
    SYNTAX_ERROR,
)
from pgemu.nodes.parsenodes import RawStmt

_STACK_DEPTH_HINT = (
    'Increase the configuration parameter "max_stack_depth" (currently 2048kB), after ensuring '
    "the platform's stack depth limit is adequate."
)


def stack_depth_exceeded() -> PgError:
    """54001: the statement is nested too deeply."""
    return PgError(STATEMENT_TOO_COMPLEX, "stack depth limit exceeded", hint=_STACK_DEPTH_HINT)


def raw_parser(text: str) -> list[RawStmt]:
    """The statements of a query string; 42601 with the position for a syntax error."""
    nul = text.find("\0")
    if nul >= 0:
        # a C string ends there; the protocol never delivers one, other callers might
        text = text[:nul]
    try:
        parsed = pgparse.parse(text)
    except pgparse.PGQueryError as error:
        found = _syntax_error(text, error)
        _reject_junk(_masked(text), found.position)
        raise found from None
    except RecursionError:
        raise stack_depth_exceeded() from None
    junk = "$" in text and _JUNK["parameter"].search(text) is not None
    if junk or _maybe_newer(text):
        reject_newer_syntax(text)
        if "json" in text.lower():
            parsed = [
                {**item, "stmt": _json_constructors_to_calls(item["stmt"])} for item in parsed
            ]
    return [
        RawStmt(item["stmt"], item.get("stmt_location", 0), item.get("stmt_len", 0))
        for item in parsed
    ]


_FIXED_MESSAGES = {
    "invalid hexadecimal integer": "trailing junk after numeric literal",
    "invalid octal integer": "trailing junk after numeric literal",
    "invalid binary integer": "trailing junk after numeric literal",
}
# the scanner and the grammar's own actions do not always answer 42601
_SQLSTATES = (
    ("invalid Unicode", "42601"),
    ("invalid byte sequence", "22021"),
    ("unsafe use of", "22P06"),
    ("invalid Unicode escape value", "42601"),
    ("zero-length delimited identifier", "42601"),
    ("memory exhausted", "54001"),
    ("interval precision specified twice", "42601"),
    ("precision for type float must be", "22023"),
    ("improper use of", "42601"),
    ("current database cannot be changed", "0A000"),
    ("CREATE ASSERTION is not yet implemented", "0A000"),
    ("MATCH PARTIAL not yet implemented", "0A000"),
    ("UNIQUE predicate is not yet implemented", "0A000"),
    ("unlogged", "0A000"),
    ("WITH CHECK OPTION not supported on recursive views", "0A000"),
    ("LIMIT #,# syntax is not supported", "42601"),
    ("frame start cannot be", "42P20"),
    ("frame end cannot be", "42P20"),
    ("frame starting from", "42P20"),
    ("a column list with", "0A000"),
    ("unrecognized partitioning strategy", "22023"),
    ("modulus for hash partition provided more than once", "42710"),
    ("remainder for hash partition provided more than once", "42710"),
    ("column number must be in range", "22023"),
    ("constraints cannot be marked", "0A000"),
    ("CREATE OR REPLACE CONSTRAINT TRIGGER is not supported", "0A000"),
    ("aggregates cannot have output arguments", "0A000"),
    ("CREATE SCHEMA IF NOT EXISTS cannot include schema elements", "0A000"),
    ("UNENCRYPTED PASSWORD is no longer supported", "0A000"),
    ("CREATE EXTENSION ... FROM is no longer supported", "0A000"),
    ("an ordered-set aggregate with a VARIADIC direct argument", "0A000"),
    ("role name ", "42939"),
    *(
        (f"{word} cannot be used as a role name here", "42939")
        for word in ("CURRENT_ROLE", "CURRENT_USER", "SESSION_USER")
    ),
)
_DETAILS = {
    "invalid publication object list": "One of TABLE or TABLES IN SCHEMA must be specified before "
    "a standalone table or schema name.",
}
# hints of the grammar's and the scanner's own errors, which the library does not hand on
_HINTS = (
    ("LIMIT #,# syntax", "Use separate LIMIT and OFFSET clauses."),
    ("missing argument", "Use NONE to denote the missing argument of a unary operator."),
    (
        "unsafe use of \\' in a string literal",
        "Use '' to write quotes in strings. \\' is insecure in client-only encodings.",
    ),
    ("UNENCRYPTED PASSWORD", "Remove UNENCRYPTED to store the password in encrypted form instead."),
    (
        "unrecognized row security option",
        "Only PERMISSIVE or RESTRICTIVE policies are supported currently.",
    ),
    ("subquery in FROM must have an alias", "For example, FROM (SELECT ...) [AS] foo."),
    ("VALUES in FROM must have an alias", "For example, FROM (VALUES ...) [AS] foo."),
)


def _syntax_error(text: str, error: Any) -> PgError:
    message: str = error.message
    position: int | None = error.position or None
    for newer, older in _FIXED_MESSAGES.items():
        if message.startswith(newer):
            message = older + message[len(newer) :]
    code = SYNTAX_ERROR
    for start, sqlstate in _SQLSTATES:
        if message.startswith(start):
            code = sqlstate
            break
    if message.endswith("cannot be marked NOT VALID") or "cannot be marked" in message:
        code = "0A000"
    hint = next((h for start, h in _HINTS if message.startswith(start)), None)
    detail = _DETAILS.get(message)
    if message == "invalid Unicode escape":
        if position is not None and text[position - 1 : position + 1].lower() == "\\u":
            code = "22025"
        hint = "Unicode escapes must be \\uXXXX or \\UXXXXXXXX."
        if position is not None and text[position - 1 : position + 1].lower() != "\\u":
            hint = "Unicode escapes must be \\XXXX or \\+XXXXXX."
        else:
            code = "22025"
    return PgError(code, message, detail=detail, hint=hint, position=position)


def syntax_error_at(text: str, location: int) -> PgError:
    """'syntax error at or near "x"' for the token at a byte offset."""
    encoded = text.encode()
    position = len(encoded[:location].decode(errors="ignore"))
    return _near(text, position)


def _near(text: str, position: int) -> PgError:
    """The syntax error at a character offset."""
    token = _TOKEN.match(text, position)
    if token is None or not token.group():
        return PgError(
            SYNTAX_ERROR, "syntax error at end of input", position=len(text.rstrip()) + 1
        )
    return PgError(
        SYNTAX_ERROR, f'syntax error at or near "{token.group()}"', position=position + 1
    )


_TOKEN = re.compile(r"[^\x00-@\[-^`{-\x7f](?:[\w$]|[^\x00-\x7f])*|[0-9][\w.]*|\S?")

# ----------------------------------------------------------------------------- newer syntax

_MAYBE_NEWER = re.compile(
    r"(?<![\w$])\d[\d.]*(?:[eE][+-]?\d+)?_|\b0[xXoObB]|\bmerge\b|\bjson|\bat\s+local|\bindent\b|\bstorage\b|\bstatistics\b"
    r"|\bset\s+expression|\bwith\s+(?:inherit|set)\b|\breindex\b|(?<![\w$])[bx]'|\bstored\b|\bvirtual\b",
    re.IGNORECASE,
)
# Without one of these the expression above, which is slow over long texts, finds nothing.
_SIGNS = (
    *("merge", "json", "local", "indent", "storage", "statistics", "expression", "inherit"),
    *("with", "reindex", "stored", "virtual", "0x", "0o", "0b", "b'", "x'"),
)
_SPLIT_NUMBER = re.compile(r"[\d.]_")
# above it the quoted parts, which are most of such a text, are taken out first
_LONG_TEXT = 10_000


def _maybe_newer(text: str) -> bool:
    if not _has_sign(text):
        return False
    if len(text) > _LONG_TEXT:
        text = _QUOTED.sub("''", text)
        if not _has_sign(text):
            return False
    return _MAYBE_NEWER.search(text) is not None


def _has_sign(text: str) -> bool:
    lowered = text.lower()
    return any(sign in lowered for sign in _SIGNS) or _SPLIT_NUMBER.search(lowered) is not None


# group 1 is what PostgreSQL 15 stumbles over
_NEWER_SYNTAX = (
    r"\bmerge\s+into\b[^;]*?\bmatched\s+(by)\s+(?:source|target)\b",
    r"\bmerge\s+into\b[^;]*\bwhen\b[^;]*?\bthen\b[^;]*?\b(returning)\b",
    r"\bis\s+(?:not\s+)?(json)\b(?!\s*[.(])",
    r"\bjson_object(?:agg)?\s*\(\s*[^(),:]*[^(),:\s]\s*(:)(?![:=])",
    r"\bjson_table\s*\([^()]*?\b(columns)\b",
    r"\bat\s+(local)\b",
    r"\bxmlserialize\s*\([^()]*\b((?:no\s+)?indent)\s*\)",
    r"\bset\s+(expression)\s+as\b",
    r"\bcreate\s+[^;()]*\btable\b[^;]*?[(,]\s*\w+\s+\w+(?:\s*\([^()]*\))?\s+(storage)\s+\w+",
    r"\bgrant\b[^;]*\bwith\s+(inherit|set)\s+(?:true|false|option)\b",
    r"\breindex\s+(?:\([^)]*\)\s*)?(?:database|system)\s*(;|$)",
    r"\bcreate\s+statistics\s+(?:\([^)]*\)\s*)?(on)\b",
)
# after which of its tokens 15's scanner finds junk where the newer one goes on, or begins another
_JUNK = {
    "numeric literal": re.compile(
        r"(?<![\w$.])(?:0[xXoObB]\w[\w$]*|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?_[\w$]*)"
    ),
    "parameter": re.compile(r"(?<![\w$])\$\d+[^\W\d][\w$]*"),
}
_QUOTED = re.compile(
    r"""--[^\n]*|/\*.*?\*/|(?<![\w$])[eE]'[^'\\]*+(?:(?:''|\\.)[^'\\]*+)*+'|'[^']*+(?:''[^']*+)*+'"""
    r"""|"[^"]*+(?:""[^"]*+)*+"|\$(\w*)\$.*?\$\1\$""",
    re.DOTALL,
)
_BIT_STRING = re.compile(r"(?<![\w$])([bBxX])'([^']*)'")


def _masked(text: str) -> str:
    """The text with blanks for what stands in quotes and comments."""
    return _QUOTED.sub(lambda m: "'" + " " * (len(m.group()) - 2) + "'", text)


def _reject_junk(masked: str, error_position: int | None = None) -> None:
    """error_position: what comes behind that, which the parser has complained about, the scanner
    does not get to see."""
    found = [(m.start() + 1, what, m[0]) for what, p in _JUNK.items() if (m := p.search(masked))]
    if not found:
        return
    position, what, junk = min(found)
    if error_position is None or position <= error_position:
        message = f'trailing junk after {what} at or near "{junk}"'
        raise PgError(SYNTAX_ERROR, message, position=position)


def reject_newer_syntax(text: str) -> None:
    """Raise what PostgreSQL 15 raises for constructs that came after it."""
    # without what is quoted the text is short, and searched quickly
    short = _QUOTED.sub("''", text)
    flags = re.IGNORECASE | re.DOTALL
    if any(pattern.search(short) for pattern in _JUNK.values()) or any(
        re.search(pattern, short, flags) for pattern in _NEWER_SYNTAX
    ):
        _point_to_newer_syntax(text)
    for quoted in _QUOTED.finditer(text):
        found = _BIT_STRING.match(text, max(quoted.start() - 1, 0))
        if found is not None and found.end() == quoted.end():
            _check_bit_string(found)


def _point_to_newer_syntax(text: str) -> None:
    masked = _masked(text)
    _reject_junk(masked)
    for pattern in _NEWER_SYNTAX:
        found = re.search(pattern, masked, re.IGNORECASE | re.DOTALL)
        if found is not None:
            raise _near(text, found.start(1))


def _check_bit_string(found: re.Match[str]) -> None:
    kind, digits = found.group(1).lower(), found.group(2)
    allowed = "01" if kind == "b" else "0123456789abcdefABCDEF"
    for digit in digits:
        if digit not in allowed:
            name = "binary" if kind == "b" else "hexadecimal"
            raise PgError(
                INVALID_TEXT_REPRESENTATION,
                f'"{digit}" is not a valid {name} digit',
                position=found.start() + 1,
            )


# raw node of the newer grammar -> (function of PostgreSQL 15's reading, where its arguments are)
_JSON_CALLS = {
    "JsonArrayConstructor": ("json_array", "exprs"),
    "JsonArrayAgg": ("json_arrayagg", "arg"),
    "JsonParseExpr": ("json", "expr"),
    "JsonScalarExpr": ("json_scalar", "expr"),
    "JsonSerializeExpr": ("json_serialize", "expr"),
    "JsonFuncExpr": ("json_query", "context_item"),
}
_JSON_FUNC_OPS = {
    "JSON_EXISTS_OP": "json_exists",
    "JSON_QUERY_OP": "json_query",
    "JSON_VALUE_OP": "json_value",
}


def _json_constructors_to_calls(node: Any) -> Any:
    """Replace SQL/JSON nodes by the plain function calls that 15 sees in the same text."""
    if isinstance(node, list):
        return [_json_constructors_to_calls(item) for item in node]
    if not isinstance(node, dict):
        return node
    for tag, (name, field) in _JSON_CALLS.items():
        body = node.get(tag)
        if isinstance(body, dict):
            name = _JSON_FUNC_OPS.get(body.get("op", ""), name)
            value = body.get(field)
            values = value if isinstance(value, list) else [value]
            args = [_json_value(v) for v in values if v]
            if body.get("pathspec"):
                args.append(body["pathspec"])
            return {
                "FuncCall": {
                    "funcname": [{"String": {"sval": name}}],
                    "args": [_json_constructors_to_calls(a) for a in args],
                    "funcformat": "COERCE_EXPLICIT_CALL",
                    "location": body.get("location", 0),
                }
            }
    return {key: _json_constructors_to_calls(value) for key, value in node.items()}


def _json_value(node: Any) -> Any:
    """The expression inside a JsonValueExpr."""
    body = node.get("JsonValueExpr", node)
    return body.get("raw_expr", body)
