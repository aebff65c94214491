"""The jsonpath type: parser and canonical text (PostgreSQL: jsonpath_gram.y, jsonpath.c).

A path is parsed to nested tuples (kind, ...); the stored value is the canonical text, which is
parsed again on use and cached.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    INVALID_TEXT_REPRESENTATION,
    SYNTAX_ERROR,
    UNTRANSLATABLE_CHARACTER,
    PgError,
)
from pgemu.fmgr import CallContext
from pgemu.types.are import compile_are
from pgemu.types.base import BaseType, register_type
from pgemu.types.json_parse import Num, encode_string, number_text
from pgemu.types.pqformat import Message

METHODS = ("type", "size", "abs", "floor", "ceiling", "double", "keyvalue", "datetime")
_TOKEN = re.compile(
    r"""\s+|/\*.*?\*/|(?P<num>(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<op>\*\*|&&|\|\||==|!=|<>|<=|>=|[-+*/%<>=!?@$.,:()\[\]{}])
    |(?P<str>"(?:[^"\\]|\\.)*")|(?P<word>(?:[^\s?%$.\[\]{}()|&!=<>@\#,*:\-+/"\\]|\\.)+)""",
    re.X | re.S,
)
_OTHER = re.compile(r"""[^?%$.\[\]{}()|&!=<>@#,*:\-+/\\" \t\n\r\f]+""")
_WORD = re.compile(rf"(?:{_OTHER.pattern}|\\.)+", re.S)
_BLANK = re.compile(r"[ \t\n\r\f]+")
_EXPONENT_WITHOUT_DIGITS = re.compile(r"(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)[eE][+-](?!\d)")
PRIORITY = {"||": 0, "&&": 1, "==": 2, "!=": 2, "<": 2, ">": 2, "<=": 2, ">=": 2, "+": 3, "-": 3,
            "*": 4, "/": 4, "%": 4}  # fmt: skip
COMPARISONS = ("==", "!=", "<", ">", "<=", ">=")

Node = tuple[Any, ...]


class Path(NamedTuple):
    lax: bool
    root: Node


class Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


def syntax_error(text: str, at: str | None) -> PgError:
    where = f'at or near "{at}"' if at else "at end"
    return PgError(SYNTAX_ERROR, f"syntax error {where} of jsonpath input")


_ESCAPES = re.compile(
    r"(?P<u>(?:\\u(?:\{[0-9a-fA-F]{1,6}\}|[0-9a-fA-F]{4}))+)"
    r"|(?P<x>\\x[0-9a-fA-F]{2})"
    r"|(?P<badx>\\x[0-9a-fA-F]?)"
    r"|(?P<badu>\\u(?:\{[0-9a-fA-F]{0,6}|[0-9a-fA-F]{0,3}))"
    r"|\\(?P<c>.)",
    re.S,
)
_CONTROL = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def unescape(text: str) -> str:
    """The text of a quoted or plain name; bad escapes are PostgreSQL's errors."""

    def one(found: re.Match[str]) -> str:
        kind = found.lastgroup
        if kind == "u":
            return unicode_escapes(found[0])
        if kind == "x":
            return unicode_char(int(found[0][2:], 16))
        if kind == "c":
            return _CONTROL.get(found["c"], found["c"])
        what = "hex character" if kind == "badx" else "unicode"
        raise PgError(
            SYNTAX_ERROR, f'invalid {what} sequence at or near "{found[0]}" of jsonpath input'
        )

    return _ESCAPES.sub(one, text) if "\\" in text else text


def unicode_char(code: int) -> str:
    if code == 0:
        raise PgError(
            UNTRANSLATABLE_CHARACTER,
            "unsupported Unicode escape sequence",
            detail="\\u0000 cannot be converted to text.",
        )
    if code > 0x10FFFF:
        raise PgError("42601", "Unicode escape value cannot be greater than 10FFFF")
    return chr(code)


def unicode_escapes(text: str) -> str:
    """A run of \\u escapes, with its surrogate pairs."""
    high = 0
    out: list[str] = []

    def refuse(detail: str) -> PgError:
        return PgError(
            INVALID_TEXT_REPRESENTATION, "invalid input syntax for type jsonpath", detail=detail
        )

    lone = "Unicode low surrogate must follow a high surrogate."
    for digits in re.findall(r"[0-9a-fA-F]+", text):
        code = int(digits, 16)
        if 0xD800 <= code <= 0xDBFF:
            if high:
                raise refuse("Unicode high surrogate must not follow a high surrogate.")
            high = code
            continue
        if 0xDC00 <= code <= 0xDFFF:
            if not high:
                raise refuse(lone)
            code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00)
            high = 0
        elif high:
            raise refuse(lone)
        out.append(unicode_char(code))
    if high:
        raise refuse(lone)
    return "".join(out)


def like_regex(text: str, pattern: str, flags: str) -> bool:
    """The LIKE_REGEX predicate: XQuery's flags in PostgreSQL's terms (jspConvertRegexFlags)."""
    return compile_like_regex(pattern, flags).search(text) is not None


def compile_like_regex(pattern: str, flags: str) -> Any:
    if "q" in flags:
        return compile_are(pattern, "q" + ("i" if "i" in flags else ""))
    if "x" in flags:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            'XQuery "x" flag (expanded regular expressions) is not implemented',
        )
    newlines = {(False, False): "p", (True, False): "s", (False, True): "n", (True, True): "w"}
    letters = newlines["s" in flags, "m" in flags]
    return compile_are(pattern, letters + ("i" if "i" in flags else ""))


class Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[Token] = []
        self.at = 0
        # The scanner meets it only when the grammar has come so far.
        self.error: PgError | None = None
        try:
            self.scan()
        except PgError as error:
            self.error = error

    def scan(self) -> None:
        text, at = self.text, 0
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None:
                if text.startswith("/*", at):
                    raise PgError(
                        SYNTAX_ERROR, "unexpected end of comment at end of jsonpath input"
                    )
                if text[at] == '"':
                    raise PgError(
                        SYNTAX_ERROR, "unexpected end of quoted string at end of jsonpath input"
                    )
                raise syntax_error(text, text[at])
            if found.lastgroup == "num":
                found = self.number(found)
            if found.lastgroup or found.re is _WORD:
                kind = found.lastgroup or "word"
                self.tokens.append(Token(kind, found[0], at, found.end()))
            at = found.end()

    def number(self, found: re.Match[str]) -> re.Match[str]:
        """The match of a number, or of a word that begins with it: the scanner takes what is
        longest."""
        at, end = found.span()
        bad = _EXPONENT_WITHOUT_DIGITS.match(self.text, at)
        if bad is not None:
            raise PgError(
                SYNTAX_ERROR, f'invalid numeric literal at or near "{bad[0]}" of jsonpath input'
            )
        if not _OTHER.match(self.text, end):
            return found
        run, word = _OTHER.match(self.text, at), _WORD.match(self.text, at)
        if run is not None and word is not None and run.end() > end + 1:
            return word
        junk = self.text[at : end + 1]
        raise PgError(
            SYNTAX_ERROR,
            f'trailing junk after numeric literal at or near "{junk}" of jsonpath input',
        )

    def peek(self, ahead: int = 0) -> Token:
        index = self.at + ahead
        end = len(self.text)
        if index >= len(self.tokens) and self.error is not None and not ahead:
            raise self.error
        return self.tokens[index] if index < len(self.tokens) else Token("end", "", end, end)

    def take(self, text: str) -> bool:
        token = self.peek()
        if token.kind != "str" and token.text == text:
            self.at += 1
            return True
        return False

    def fail(self) -> PgError:
        return syntax_error(self.text, self.scanned(self.peek()))

    def scanned(self, token: Token) -> str | None:
        """What the scanner has matched last when it returns the token, which an error shows: the
        quote that ends a string, the blanks behind a word, nothing if something else ends it."""
        after = self.peek(1)
        if token.text == "$" and after.kind in ("word", "str") and after.start == token.end:
            run = _OTHER.match(self.text, after.start)
            return '"' if run is None else f"${run[0]}"
        if token.kind == "str":
            return '"'
        if token.kind != "word":
            return token.text
        blanks = _BLANK.match(self.text, token.end)
        return blanks[0] if blanks is not None else None

    def need(self, text: str) -> None:
        if not self.take(text):
            raise self.fail()

    def word(self, name: str) -> bool:
        token = self.peek()
        if token.kind == "word" and token.text.lower() == name:
            self.at += 1
            return True
        return False

    def parse(self) -> Path:
        lax = True
        if self.word("strict"):
            lax = False
        else:
            self.word("lax")
        root = self.expression(0)
        if self.peek().kind != "end":
            raise self.fail()
        return Path(lax, root)

    def expression(self, level: int) -> Node:
        if level > 4:
            return self.unary()
        left = self.expression(level + 1)
        while True:
            token = self.peek()
            name = {"<>": "!="}.get(token.text, token.text)
            if token.kind == "op" and PRIORITY.get(name) == level:
                self.require(left, predicate=level < 2)
                self.at += 1
                left = (name, left, self.expression(level + 1))
                self.require(left[2], predicate=level < 2)
            elif level == 2 and token.kind == "word" and token.text.lower() == "starts":
                self.at += 1
                if not self.word("with"):
                    raise self.fail()
                left = ("starts", left, self.unary())
            elif level == 2 and token.kind == "word" and token.text.lower() == "like_regex":
                self.at += 1
                left = self.like_regex(left)
            elif level == 2 and token.kind == "word" and token.text.lower() == "is":
                self.at += 1
                if not self.word("unknown"):
                    raise self.fail()
                left = ("is_unknown", left)
            else:
                return left

    def require(self, node: Node, *, predicate: bool) -> None:
        """The grammar keeps predicates and expressions apart."""
        if is_predicate(node) != predicate:
            raise self.fail()

    def like_regex(self, left: Node) -> Node:
        if self.peek().kind != "str":
            raise self.fail()
        pattern = unescape(self.peek().text[1:-1])
        self.at += 1
        flags = ""
        if self.word("flag"):
            if self.peek().kind != "str":
                raise self.fail()
            flags = unescape(self.peek().text[1:-1])
            self.at += 1
            for one in flags:
                if one not in "ismxq":
                    raise PgError(
                        SYNTAX_ERROR,
                        "invalid input syntax for type jsonpath",
                        detail=f'Unrecognized flag character "{one}" in LIKE_REGEX predicate.',
                    )
            flags = "".join(one for one in "ismxq" if one in flags)
        compile_like_regex(pattern, flags)
        return ("like_regex", left, pattern, flags)

    def unary(self) -> Node:
        if self.take("!"):
            if self.peek().text != "(" and self.peek().text.lower() != "exists":
                raise self.fail()
            inner = self.unary()
            self.require(inner, predicate=True)
            return ("!", inner)
        for sign, name in (("-", "neg"), ("+", "pos")):
            if self.take(sign):
                inner = self.unary()
                if inner[0] == "const" and isinstance(inner[1], (int, Decimal)):
                    value = inner[1] if sign == "+" else -inner[1]
                    return ("const", value if isinstance(value, int) else Num(value))
                return (name, inner)
        return self.path()

    def path(self) -> Node:
        node = self.primary()
        while True:
            if self.take("."):
                node = self.member(node)
            elif self.take("["):
                if self.take("*"):
                    self.need("]")
                    node = ("any_array", node)
                    continue
                parts: list[tuple[Node, Node | None]] = []
                while True:
                    low = self.expression(3)
                    high = self.expression(3) if self.word("to") else None
                    parts.append((low, high))
                    if not self.take(","):
                        break
                self.need("]")
                node = ("index", node, tuple(parts))
            elif self.take("?"):
                self.need("(")
                node = ("filter", node, self.expression(0))
                self.require(node[2], predicate=True)
                self.need(")")
            else:
                return node

    def member(self, node: Node) -> Node:
        if self.take("*"):
            return ("any_key", node)
        if self.take("**"):
            low, high = 0, -1
            if self.take("{"):
                low = self.level()
                high = self.level() if self.word("to") else low
                self.need("}")
            return ("any", node, low, high)
        token = self.peek()
        if token.kind not in ("word", "str"):
            raise self.fail()
        self.at += 1
        if token.kind == "str":
            return ("key", node, unescape(token.text[1:-1]))
        name = unescape(token.text)
        if name.lower() in METHODS and self.take("("):
            argument = None
            if name.lower() == "datetime" and self.peek().kind == "str":
                argument = unescape(self.peek().text[1:-1])
                self.at += 1
            self.need(")")
            return ("method", node, name.lower(), argument)
        return ("key", node, name)

    def level(self) -> int:
        if self.word("last"):
            return -1
        token = self.peek()
        if token.kind != "num" or not token.text.isdigit():
            raise self.fail()
        self.at += 1
        return int(token.text)

    def primary(self) -> Node:
        token = self.peek()
        self.at += 1
        if token.kind == "num":
            integral = token.text.isdigit()
            return ("const", int(token.text) if integral else Num(Decimal(token.text)))
        if token.kind == "str":
            return ("const", unescape(token.text[1:-1]))
        if token.text == "$":
            after = self.peek()
            if after.kind in ("word", "str") and after.start == token.end:
                self.at += 1
                raw = after.text[1:-1] if after.kind == "str" else after.text
                return ("var", unescape(raw))
            return ("root",)
        if token.text == "@":
            return ("current",)
        if token.text == "(":
            inner = self.expression(0)
            self.need(")")
            return ("group", inner)
        if token.kind == "word":
            lower = token.text
            if lower in ("true", "false", "null"):
                return ("const", {"true": True, "false": False, "null": None}[lower])
            if lower.lower() == "last":
                return ("last",)
            if lower.lower() == "exists":
                self.need("(")
                inner = self.expression(0)
                self.need(")")
                return ("exists", inner)
        self.at -= 1
        raise self.fail()


_PREDICATES = frozenset(
    ("&&", "||", "!", "exists", "starts", "like_regex", "is_unknown", *COMPARISONS)
)


def is_predicate(node: Node) -> bool:
    while node[0] == "group":
        node = node[1]
    return node[0] in _PREDICATES


def strip_groups(node: Any) -> Any:
    if isinstance(node, tuple):
        if node[:1] == ("group",):
            return strip_groups(node[1])
        return tuple(strip_groups(one) for one in node)
    return node


@lru_cache(maxsize=512)
def parse_jsonpath(text: str) -> Path:
    parser = Parser(text)
    if not parser.tokens and parser.error is None:
        raise PgError("22P02", f'invalid input syntax for type jsonpath: "{text}"')
    path = parser.parse()
    root = strip_groups(path.root)
    check_context(root, False, False)
    return Path(path.lax, root)


def check_context(node: Any, in_filter: bool, in_index: bool) -> None:
    if not isinstance(node, tuple) or not node:
        return
    if node[0] == "current" and not in_filter:
        raise PgError(SYNTAX_ERROR, "@ is not allowed in root expressions")
    if node[0] == "last" and not in_index:
        raise PgError(SYNTAX_ERROR, "LAST is allowed only in array subscripts")
    if node[0] == "filter":
        check_context(node[1], in_filter, in_index)
        check_context(node[2], True, in_index)
        return
    if node[0] == "index":
        check_context(node[1], in_filter, in_index)
        for pair in node[2]:
            check_context(pair[0], in_filter, True)
            check_context(pair[1], in_filter, True)
        return
    if node[0] == "const":
        return
    for one in node[1:]:
        check_context(one, in_filter, in_index)


def level_of(node: Node) -> int:
    if node[0] in ("starts", "like_regex", "is_unknown"):
        return 2
    if node[0] in ("neg", "pos"):
        return 5
    return PRIORITY.get(node[0], 6)


def show(node: Node, brackets: bool = False) -> str:
    """Canonical text of a node."""
    kind = node[0]
    if kind in PRIORITY:
        level = PRIORITY[kind]

        def side(one: Node) -> str:
            text = show(one)
            return f"({text})" if level_of(one) <= level else text

        text = f"{side(node[1])} {kind} {side(node[2])}"
        return f"({text})" if brackets else text
    if kind == "const":
        value = node[1]
        if isinstance(value, str):
            return encode_string(value)
        if value is None or isinstance(value, bool):
            return {None: "null", True: "true", False: "false"}[value]
        return number_text(value)
    simple = {"root": "$", "current": "@", "last": "last"}
    if kind in simple:
        return simple[kind]
    if kind == "var":
        return "$" + encode_string(node[1])
    if kind in ("neg", "pos"):
        inner = show(node[1])
        sign = "-" if kind == "neg" else "+"
        body = f"({inner})" if level_of(node[1]) <= 5 else inner
        return f"({sign}{body})" if brackets else f"{sign}{body}"
    if kind == "!":
        return f"!({show(node[1])})"
    if kind == "exists":
        return f"exists ({show(node[1])})"
    if kind == "is_unknown":
        return f"({show(node[1])}) is unknown"
    if kind == "starts":
        text = f"{show(node[1])} starts with {show(node[2])}"
        return f"({text})" if brackets else text
    if kind == "like_regex":
        flags = f' flag "{node[3]}"' if node[3] else ""
        text = f"{show(node[1])} like_regex {encode_string(node[2])}{flags}"
        return f"({text})" if brackets else text
    return show_accessor(node)


def show_accessor(node: Node) -> str:
    kind = node[0]
    base = show(node[1], level_of(node[1]) < 6 or node[1][0] in ("neg", "pos"))
    if node[1][0] == "const" and isinstance(node[1][1], (int, Decimal)):
        base = f"({base})"
    if kind == "key":
        return f"{base}.{encode_string(node[2])}"
    if kind == "any_key":
        return f"{base}.*"
    if kind == "any_array":
        return f"{base}[*]"
    if kind == "any":
        low, high = node[2], node[3]
        if (low, high) == (0, -1):
            return f"{base}.**"

        def level(n: int) -> str:
            return "last" if n == -1 else str(n)

        span = level(low) if low == high else f"{level(low)} to {level(high)}"
        return f"{base}.**{{{span}}}"
    if kind == "index":
        parts = [show(a) + (f" to {show(b)}" if b else "") for a, b in node[2]]
        return f"{base}[{','.join(parts)}]"
    if kind == "filter":
        return f"{base}?({show(node[2])})"
    argument = encode_string(node[3]) if node[3] is not None else ""
    return f"{base}.{node[2]}({argument})"


class JsonpathType(BaseType):
    name = "jsonpath"

    def input(self, text: str, typmod: int, ctx: CallContext) -> str:
        path = parse_jsonpath(text)
        brackets = level_of(path.root) < 6 and path.root[0] not in ("is_unknown",)
        return ("" if path.lax else "strict ") + show(path.root, brackets)

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> str:
        message = Message(data)
        version = message.integer(1, signed=False)
        if version != 1:
            raise PgError("XX000", f"unsupported jsonpath version number: {version}")
        return self.input(message.text(), typmod, ctx)

    def send(self, value: Any, ctx: CallContext) -> bytes:
        return b"\x01" + str(value).encode()


register_type(JsonpathType())
