"""PostgreSQL's advanced regular expressions as patterns of the `regex` library (PostgreSQL:
src/backend/regex).

The translation walks the ARE once and writes the same thing in Python's dialect: `$` only at the
very end, `.` and negated brackets across newlines unless newline-sensitive, \\y \\m \\M as word
boundaries, bracket classes spelled out.  What differs: of two matches at one position an ARE takes
the longest, Python the first alternative; patterns with an alternation and no non-greedy
quantifier are therefore compiled with regex.POSIX, the others rely on greedy quantifiers.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import regex

from pgemu.errors import INVALID_REGULAR_EXPRESSION, PgError

CLASS_ESCAPES = {"d": "[[:digit:]]", "s": "[[:space:]]", "w": "[[:word:]]"}
CHARACTER_ESCAPES = {
    "a": "\a",
    "b": "\b",
    "B": "\\",
    "e": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}
CONSTRAINTS = {"A": r"\A", "Z": r"\Z", "m": r"\m", "M": r"\M", "y": r"\b", "Y": r"\B"}
CLASS_NAMES = {
    "alnum",
    "alpha",
    "ascii",
    "blank",
    "cntrl",
    "digit",
    "graph",
    "lower",
    "print",
    "punct",
    "space",
    "upper",
    "xdigit",
    "word",
}
CHARACTER_NAMES = {
    "NUL": "\0",
    "space": " ",
    "tab": "\t",
    "newline": "\n",
    "hyphen": "-",
    "period": ".",
    "comma": ",",
    "colon": ":",
    "semicolon": ";",
    "slash": "/",
    "backslash": "\\",
    "underscore": "_",
    "left-square-bracket": "[",
    "right-square-bracket": "]",
    "circumflex": "^",
    "tilde": "~",
    "dollar-sign": "$",
    "plus-sign": "+",
    "asterisk": "*",
}
BOUND = re.compile(r"\{(\d+)(?:(,)(\d*))?\}")
MAX_REPEAT = 255


def bad_regex(what: str) -> PgError:
    return PgError(INVALID_REGULAR_EXPRESSION, f"invalid regular expression: {what}")


def escape(text: str) -> str:
    return str(regex.escape(text, special_only=True, literal_spaces=True))


class Options:
    """What the flags of a regexp function, or of a (?...) prefix, say."""

    def __init__(self) -> None:
        self.icase = False
        self.newline_any = False  # . and [^ exclude newline
        self.newline_anchor = False  # ^ and $ match at lines
        self.expanded = False
        self.literal = False
        self.basic = False

    def apply(self, letter: str) -> bool:
        """False if there is no such option."""
        if letter in "ci":
            self.icase = letter == "i"
        elif letter in "nm":
            self.newline_any = self.newline_anchor = True
        elif letter == "p":
            self.newline_any, self.newline_anchor = True, False
        elif letter == "w":
            self.newline_any, self.newline_anchor = False, True
        elif letter == "s":
            self.newline_any = self.newline_anchor = False
        elif letter in "xt":
            self.expanded = letter == "x"
        elif letter == "q":
            self.literal, self.basic = True, False
        elif letter in "be":
            self.literal, self.basic = False, letter == "b"
        else:
            return False
        return True


class Translator:
    """One pass over an ARE."""

    def __init__(self, pattern: str, options: Options) -> None:
        self.text = pattern
        self.options = options
        self.position = 0
        self.out: list[str] = []
        self.depth = 0
        self.groups = 0
        self.closed: set[int] = set()
        self.open: list[int] = []
        self.alternation = False
        self.lazy = False
        self.first_quantifier_lazy: bool | None = None
        self.can_quantify = False

    def prefix(self) -> None:
        """***= and ***: directors, (?options)."""
        if self.text.startswith("***"):
            director = self.text[3:4]
            if director == "=":
                self.options.literal = True
            elif director != ":":
                raise bad_regex("quantifier operand invalid")
            self.text = self.text[4:]
        if self.options.literal:
            return
        match = re.match(r"\(\?([a-z]+)\)", self.text)
        if match is not None:
            for letter in match[1]:
                if not self.options.apply(letter):
                    raise bad_regex("invalid embedded option")
            self.text = self.text[match.end() :]

    def translate(self) -> str:
        self.prefix()
        if self.options.literal:
            return escape(self.text)
        while self.position < len(self.text):
            self.step()
        if self.depth:
            raise bad_regex("parentheses () not balanced")
        return "".join(self.out)

    def emit(self, text: str, quantifiable: bool = True) -> None:
        self.out.append(text)
        self.can_quantify = quantifiable

    def step(self) -> None:
        char = self.text[self.position]
        handler = self.HANDLERS.get(char)
        if handler is not None:
            handler(self)
            return
        self.position += 1
        if self.options.expanded and char.isspace():
            return
        if self.options.expanded and char == "#":
            end = self.text.find("\n", self.position)
            self.position = len(self.text) if end < 0 else end + 1
            return
        self.emit(escape(char))

    def dot(self) -> None:
        self.position += 1
        self.emit("[^\\n]" if self.options.newline_any else "(?s:.)")

    def caret(self) -> None:
        self.position += 1
        self.emit("(?m:^)" if self.options.newline_anchor else "\\A", False)

    def dollar(self) -> None:
        self.position += 1
        self.emit("(?m:$)" if self.options.newline_anchor else "\\Z", False)

    def bar(self) -> None:
        self.position += 1
        self.alternation = True
        self.emit("|", False)

    def left_parenthesis(self) -> None:
        rest = self.text[self.position :]
        if rest.startswith("(?#"):
            end = self.text.find(")", self.position)
            self.position = len(self.text) if end < 0 else end + 1
            return
        self.depth += 1
        for special in ("(?:", "(?=", "(?!", "(?<=", "(?<!"):
            if rest.startswith(special):
                self.position += len(special)
                self.open.append(0)
                self.emit(special, False)
                return
        if rest.startswith("(?"):
            raise bad_regex("quantifier operand invalid")
        self.groups += 1
        self.open.append(self.groups)
        self.position += 1
        self.emit("(", False)

    def right_parenthesis(self) -> None:
        if not self.depth:
            raise bad_regex("parentheses () not balanced")
        self.depth -= 1
        self.closed.add(self.open.pop())
        self.position += 1
        self.emit(")")

    def quantifier(self) -> None:
        text = self.text[self.position]
        if text == "{":
            if not self.text[self.position + 1 : self.position + 2].isdigit():
                self.position += 1
                self.emit("\\{")
                return
            match = BOUND.match(self.text, self.position)
            if match is None:
                closed = "}" in self.text[self.position :]
                raise bad_regex(
                    "invalid repetition count(s)" if closed else "braces {} not balanced"
                )
            low = int(match[1])
            high = int(match[3]) if match[3] else low
            if low > MAX_REPEAT or high > MAX_REPEAT or high < low:
                raise bad_regex("invalid repetition count(s)")
            text = match[0]
        if not self.can_quantify:
            raise bad_regex("quantifier operand invalid")
        self.position += len(text)
        lazy = self.text[self.position : self.position + 1] == "?"
        if lazy:
            self.position += 1
            self.lazy = True
        if self.first_quantifier_lazy is None and text not in ("{1}", "{1,1}"):
            self.first_quantifier_lazy = lazy
        self.emit(text + ("?" if lazy else ""), False)

    def backslash(self) -> None:
        self.position += 1
        if self.position >= len(self.text):
            raise bad_regex("invalid escape \\ sequence")
        char = self.text[self.position]
        if char in CONSTRAINTS:
            self.position += 1
            self.emit(CONSTRAINTS[char], False)
        elif char.lower() in CLASS_ESCAPES:
            self.position += 1
            body = CLASS_ESCAPES[char.lower()]
            if char.isupper():
                newline = "\\n" if self.options.newline_any and char != "S" else ""
                body = f"[^{newline}{body[1:-1]}]"
            self.emit(body)
        elif char in "123456789" and self.back_reference():
            return
        else:
            self.emit(escape(self.character_escape()))

    def back_reference(self) -> bool:
        match = re.compile(r"\d+").match(self.text, self.position)
        digits = match[0] if match else ""
        number = int(digits)
        if len(digits) > 1 and number > self.groups:
            return False
        if number not in self.closed:
            raise bad_regex("invalid backreference number")
        self.position += len(digits)
        self.emit(f"(?:\\{number})")
        return True

    def character_escape(self) -> str:
        """The character behind a backslash; the position moves past it."""
        char = self.text[self.position]
        self.position += 1
        if char in CHARACTER_ESCAPES:
            return CHARACTER_ESCAPES[char]
        if char == "c" and self.position < len(self.text):
            self.position += 1
            return chr(ord(self.text[self.position - 1]) & 0x1F)
        forms = {"u": r"[0-9a-fA-F]{4}", "U": r"[0-9a-fA-F]{8}", "x": r"[0-9a-fA-F]+"}
        if char in forms:
            match = re.compile(forms[char]).match(self.text, self.position)
            if match is None or int(match[0], 16) > 0x10FFFF:
                raise bad_regex("invalid escape \\ sequence")
            self.position = match.end()
            return chr(int(match[0], 16))
        if char.isdigit():
            match = re.compile(r"[0-7]{1,3}").match(self.text, self.position - 1)
            if match is None:
                raise bad_regex("invalid escape \\ sequence")
            self.position = match.end()
            return chr(int(match[0], 8))
        if char.isalnum() and char.isascii():
            raise bad_regex("invalid escape \\ sequence")
        return char

    def bracket(self) -> None:
        if self.text.startswith(("[[:<:]]", "[[:>:]]"), self.position):
            self.emit("\\m" if self.text[self.position + 3] == "<" else "\\M", False)
            self.position += 7
            return
        self.position += 1
        negated = self.text.startswith("^", self.position)
        self.position += negated
        items: list[str] = []
        first = True
        while True:
            if self.position >= len(self.text):
                raise bad_regex("brackets [] not balanced")
            if self.text[self.position] == "]" and not first:
                self.position += 1
                break
            first = False
            items.append(self.bracket_item())
        if negated and self.options.newline_any:
            items.append("\\n")
        self.emit(f"[{'^' if negated else ''}{''.join(items)}]")

    def bracket_item(self) -> str:
        """A class, a character or a range."""
        start, is_class = self.bracket_atom()
        if is_class:
            return start
        rest = self.text[self.position : self.position + 2]
        if rest[:1] != "-" or rest[1:] in ("]", ""):
            return bracket_escape(start)
        self.position += 1
        end, is_class = self.bracket_atom()
        if is_class or end < start:
            raise bad_regex("invalid character range")
        return f"{bracket_escape(start)}-{bracket_escape(end)}"

    def bracket_atom(self) -> tuple[str, bool]:
        """(character, False) or (class text, True)."""
        char = self.text[self.position]
        self.position += 1
        if char == "[" and self.text[self.position : self.position + 1] in (":", ".", "="):
            kind = self.text[self.position]
            end = self.text.find(kind + "]", self.position + 1)
            if end < 0:
                raise bad_regex("brackets [] not balanced")
            name = self.text[self.position + 1 : end]
            self.position = end + 2
            if kind == ":":
                if name not in CLASS_NAMES:
                    raise bad_regex("invalid character class")
                return ("\\x00-\\x7f" if name == "ascii" else f"[:{name}:]"), True
            if len(name) != 1 and name not in CHARACTER_NAMES:
                raise bad_regex("invalid collating element")
            return CHARACTER_NAMES.get(name, name), False
        if char == "\\":
            if self.position >= len(self.text):
                raise bad_regex("invalid escape \\ sequence")
            following = self.text[self.position]
            if following in CLASS_ESCAPES:
                self.position += 1
                return CLASS_ESCAPES[following][1:-1], True
            if following in "DSW":
                raise bad_regex("invalid escape \\ sequence")
            return self.character_escape(), False
        return char, False

    HANDLERS = {
        ".": dot,
        "^": caret,
        "$": dollar,
        "|": bar,
        "(": left_parenthesis,
        ")": right_parenthesis,
        "*": quantifier,
        "+": quantifier,
        "?": quantifier,
        "{": quantifier,
        "\\": backslash,
        "[": bracket,
    }


def bracket_escape(char: str) -> str:
    return "\\" + char if char in "\\]^-[&~|" else char


@lru_cache(maxsize=512)
def compile_are(pattern: str, flags: str = "") -> Any:
    """The compiled `regex` pattern of an ARE with regexp flags (without g)."""
    options = Options()
    for letter in flags:
        options.apply(letter)
    translator = Translator(pattern, options)
    text = translator.translate()
    mode = regex.V0 | regex.UNICODE
    if options.icase:
        mode |= regex.IGNORECASE
    if translator.alternation and not translator.lazy:
        mode |= regex.POSIX
    try:
        return regex.compile(text, mode)
    except regex.error as error:
        raise bad_regex(str(error)) from None
