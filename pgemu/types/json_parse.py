"""JSON text: validation with PostgreSQL's errors, jsonb's canonical form, slices of json text.

Counterparts: common/jsonapi.c, jsonb.c, jsonb_util.c.  The C scanner of Python's json module
does the work; only text that it refuses (or that holds a \\u escape) is read again by `Lexer`,
which knows PostgreSQL's words.  jsonb values are Python values: dict in jsonb key order, list,
str, bool, None, int, and `Num` for numbers with a fraction or exponent.
"""

from __future__ import annotations

import json
import json.decoder
import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any, NoReturn

from pgemu.errors import INVALID_TEXT_REPRESENTATION, UNTRANSLATABLE_CHARACTER, PgError


class Num(Decimal):
    """A JSON number that is not a plain integer; keeps its scale as numeric does."""

    __slots__ = ()


def number(text: str) -> Num:
    return Num(text)


def integer(text: str) -> Any:
    return int(text) if len(text) < 4000 else Num(text)


def number_text(value: Any) -> str:
    """numeric's output of a number."""
    if type(value) is int:
        return str(value)
    text = f"{value:f}"
    return text[1:] if text.startswith("-") and not value else text


def jsonb_key(key: str) -> tuple[int, bytes]:
    """jsonb's order of keys: by length in bytes, then bytes."""
    data = key.encode()
    return len(data), data


def ordered(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object in jsonb key order; of equal keys the last one wins."""
    found = dict(pairs)
    if len(found) < 2:
        return found
    return dict(sorted(found.items(), key=_pair_key))


def _pair_key(pair: tuple[str, Any]) -> tuple[int, bytes]:
    data = pair[0].encode()
    return len(data), data


def _constant(name: str) -> NoReturn:
    raise ValueError(name)


_load_new = json.JSONDecoder(
    parse_float=number, parse_int=integer, parse_constant=_constant, object_pairs_hook=ordered
).decode
_load_canonical = json.JSONDecoder(
    parse_float=number, parse_int=integer, parse_constant=_constant
).decode
# without a hook for integers, which C code then makes: the longest ones it refuses
_load_plain = json.JSONDecoder(parse_float=number, parse_constant=_constant).decode
_checker = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_constant)
_scan_once: Callable[[str, int], tuple[Any, int]] = _checker.scan_once  # type: ignore[attr-defined]
_scan_string: Callable[[str, int, bool], tuple[str, int]] = json.decoder.scanstring  # type: ignore[attr-defined]
encode_string: Callable[[str], str] = json.encoder.encode_basestring

_SPACE = re.compile(r"[ \t\n\r]*")
_RISKY_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


def parse_jsonb(text: str) -> Any:
    """A new jsonb value from outside; raises PostgreSQL's errors."""
    if _RISKY_ESCAPE.search(text):
        Lexer(text, True).check()
    try:
        return _load_new(text)
    except (ValueError, RecursionError):
        Lexer(text, True).check()
        raise PgError(INVALID_TEXT_REPRESENTATION, "invalid input syntax for type json") from None


def check_json(text: str) -> None:
    """json_in's validation."""
    if _RISKY_ESCAPE.search(text):
        Lexer(text, False).check()
        return
    try:
        _checker.decode(text)
    except (ValueError, RecursionError):
        Lexer(text, False).check()


@lru_cache(maxsize=256)
def load_jsonb(text: str) -> Any:
    """The value of a stored jsonb; shared by callers, so never change it."""
    try:
        return _load_plain(text)
    except ValueError:
        return _load_canonical(text)


def dump_jsonb(value: Any) -> str:
    """jsonb's output text."""
    kind = type(value)
    if kind is str:
        return encode_string(value)
    if kind is dict:
        return (
            "{"
            + ", ".join([f"{encode_string(k)}: {dump_jsonb(v)}" for k, v in value.items()])
            + "}"
        )
    if kind is list:
        return "[" + ", ".join([dump_jsonb(one) for one in value]) + "]"
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    return number_text(value)


def canonical(text: str) -> str:
    """jsonb_in."""
    return dump_jsonb(parse_jsonb(text))


def jsonb_text(value: Any) -> str | None:
    """A value as ->> shows it."""
    if value is None:
        return None
    return value if type(value) is str else dump_jsonb(value)


# ---- slices of json text


def check_escapes(text: str) -> None:
    """What PostgreSQL notices while it decodes the strings of a json document."""
    if "\\u" in text and _RISKY_ESCAPE.search(text):
        Lexer(text, True).check()


def skip_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    assert found is not None
    return found.end()


def json_kind(text: str) -> str:
    """object, array, string, number, boolean or null by the first character."""
    char = text[skip_space(text, 0)]
    kinds = {
        "{": "object",
        "[": "array",
        '"': "string",
        "t": "boolean",
        "f": "boolean",
        "n": "null",
    }
    return kinds.get(char, "number")


def split_object(text: str) -> list[tuple[str, str]]:
    """(key, text of the value) of a valid json object, in order, duplicates kept."""
    at = skip_space(text, skip_space(text, 0) + 1)
    pairs: list[tuple[str, str]] = []
    while text[at] != "}":
        if text[at] == ",":
            at = skip_space(text, at + 1)
        key, at = _scan_string(text, at + 1, True)
        start = skip_space(text, skip_space(text, at) + 1)
        _value, end = _scan_once(text, start)
        pairs.append((key, text[start:end]))
        at = skip_space(text, end)
    return pairs


def split_array(text: str) -> list[str]:
    """The texts of the elements of a valid json array."""
    at = skip_space(text, skip_space(text, 0) + 1)
    parts: list[str] = []
    while text[at] != "]":
        if text[at] == ",":
            at = skip_space(text, at + 1)
        _value, end = _scan_once(text, at)
        parts.append(text[at:end])
        at = skip_space(text, end)
    return parts


def scalar_text(text: str) -> str | None:
    """A json slice as ->> shows it."""
    if text[0] == '"':
        if _RISKY_ESCAPE.search(text):
            Lexer(text, True).check()
        return _scan_string(text, 1, True)[0]
    return None if text == "null" else text


# ---- PostgreSQL's verdict

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORD = re.compile(r"[A-Za-z0-9_\u0080-\U0010ffff]+")


class Lexer:
    """A recursive-descent parser that raises PostgreSQL's error for the first fault.

    unescape: escapes are decoded (jsonb), so \\u0000 and lone surrogates are faults."""

    def __init__(self, text: str, unescape: bool) -> None:
        self.text = text
        self.unescape = unescape
        self.at = 0
        self.start = 0
        self.end = 0
        self.token = ""

    def check(self) -> None:
        self.advance()
        self.value("Expected JSON value")
        if self.token != "end":
            self.expected("Expected end of input")

    def context(self, end: int) -> str:
        text = self.text
        line = text.count("\n", 0, self.start) + 1
        line_start = text.rfind("\n", 0, self.start) + 1
        begin = line_start
        while len(text[begin:end].encode()) >= 50:
            begin += 1
        if begin - line_start <= 3:
            begin = line_start
        prefix = "..." if begin > line_start else ""
        more = self.token != "end" and end < len(text) and text[end] not in "\r\n"
        return f"JSON data, line {line}: {prefix}{text[begin:end]}{'...' if more else ''}"

    def fail(self, detail: str, end: int | None = None) -> NoReturn:
        raise PgError(
            INVALID_TEXT_REPRESENTATION,
            "invalid input syntax for type json",
            detail=detail,
            where=self.context(self.end if end is None else end),
        )

    def expected(self, what: str) -> NoReturn:
        if self.token == "end":
            self.end = len(self.text)
            self.fail("The input string ended unexpectedly.")
        self.fail(f'{what}, but found "{self.text[self.start : self.end]}".')

    def advance(self) -> None:
        text = self.text
        self.start = at = skip_space(text, self.at)
        if at >= len(text):
            self.token, self.end = "end", at
            self.start = at
            return
        char = text[at]
        if char in "{}[],:":
            self.token, self.end = char, at + 1
        elif char == '"':
            self.token = "string"
            self.string(at)
        elif char == "-" or "0" <= char <= "9":
            self.token = "number"
            found = _NUMBER.match(text, at)
            self.end = found.end() if found else at + 1
            more = text[self.end : self.end + 1]
            fraction = more == "." and found is not None and found[0].lstrip("-").isdigit()
            if found is None or fraction or _WORD.match(more):
                self.end = self.number_end(at)
                self.fail(f'Token "{text[at : self.end]}" is invalid.')
        else:
            word = _WORD.match(text, at)
            self.end = word.end() if word else at + 1
            self.token = text[at : self.end]
            if self.token not in ("true", "false", "null"):
                self.fail(f'Token "{self.token}" is invalid.')
        self.at = self.end

    def number_end(self, at: int) -> int:
        """The end of a bad number: what was read, and the word characters behind it."""
        found = re.compile(
            r"-?(?:0|[1-9][0-9]*)?(?:\.[0-9]*)?(?:[eE][+-]?[0-9]*)?[A-Za-z0-9_\u0080-\U0010ffff]*"
        ).match(self.text, at)
        return max(found.end() if found else at, at + 1)

    def string(self, at: int) -> None:
        text = self.text
        at += 1
        high = False
        while True:
            if at >= len(text):
                self.end = at
                self.fail(f'Token "{text[self.start : at]}" is invalid.')
            char = text[at]
            if char < " ":
                self.end = at
                self.fail(f"Character with value 0x{ord(char):02x} must be escaped.", at)
            if char != "\\":
                if high:
                    self.lone(at + 1)
                if char == '"':
                    break
                at += 1
                continue
            if at + 1 >= len(text):
                self.end = at + 1
                self.fail(f'Token "{text[self.start : at + 1]}" is invalid.')
            escape = text[at + 1]
            if escape == "u":
                code = text[at + 2 : at + 6]
                if not re.fullmatch("[0-9a-fA-F]{4}", code):
                    good = re.match("[0-9a-fA-F]*", code)
                    stop = at + 2 + (len(good[0]) if good else 0) + 1
                    self.end = min(stop, len(text))
                    self.fail('"\\u" must be followed by four hexadecimal digits.')
                high = self.unicode_escape(int(code, 16), high, at + 6)
                at += 6
            elif escape in '"\\/bfnrt':
                if high:
                    self.lone(at + 2)
                at += 2
            else:
                self.end = at + 2
                self.fail(f'Escape sequence "\\{escape}" is invalid.')
        self.end = at + 1

    def lone(self, end: int) -> NoReturn:
        self.end = end
        self.fail("Unicode low surrogate must follow a high surrogate.", end)

    def unicode_escape(self, code: int, high: bool, end: int) -> bool:
        if not self.unescape:
            return False
        if 0xD800 <= code <= 0xDBFF:
            if high:
                self.fail("Unicode high surrogate must not follow a high surrogate.", end)
            return True
        if 0xDC00 <= code <= 0xDFFF:
            if not high:
                self.lone(end)
            return False
        if high:
            self.lone(end)
        if code == 0:
            raise PgError(
                UNTRANSLATABLE_CHARACTER,
                "unsupported Unicode escape sequence",
                detail="\\u0000 cannot be converted to text.",
                where=self.context(end),
            )
        return False

    def value(self, what: str) -> None:
        if self.token == "{":
            self.object()
        elif self.token == "[":
            self.array()
        elif self.token in ("string", "number", "true", "false", "null"):
            self.advance()
        else:
            self.expected(what)

    def object(self) -> None:
        self.advance()
        if self.token == "string":
            self.pair()
            while self.token == ",":
                self.advance()
                if self.token != "string":
                    self.expected("Expected string")
                self.pair()
            if self.token != "}":
                self.expected('Expected "," or "}"')
        elif self.token != "}":
            self.expected('Expected string or "}"')
        self.advance()

    def pair(self) -> None:
        self.advance()
        if self.token != ":":
            self.expected('Expected ":"')
        self.advance()
        self.value("Expected JSON value")

    def array(self) -> None:
        self.advance()
        if self.token != "]":
            self.value("Expected JSON value")
            while self.token == ",":
                self.advance()
                self.value("Expected JSON value")
            if self.token != "]":
                self.expected('Expected "," or "]"')
        self.advance()
