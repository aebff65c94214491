"""Regular expressions to trees (PostgreSQL: regex/regc_lex.c, regcomp.c).

One parser for the three flavours: advanced (ARE), extended (ERE) and basic (BRE).  It reads the
text directly, without a lexer of its own; brackets are in are_bracket.
"""

from __future__ import annotations

import re

from pgemu.errors import INVALID_REGULAR_EXPRESSION, PgError
from pgemu.types.are_bracket import WORD, bracket_source, character_source, class_source
from pgemu.types.are_tree import (
    BACKR,
    CAP,
    EMPTY,
    INFINITE,
    LONGER,
    MESSY,
    SHORTER,
    Lang,
    Sub,
    combine,
    concatenation,
    quantified,
    repetition,
    up,
)

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
HEX_ESCAPES = {"u": r"[0-9a-fA-F]{4}", "U": r"[0-9a-fA-F]{8}", "x": r"[0-9a-fA-F]{1,255}"}
WORD_START = f"(?:(?<!{WORD})(?={WORD}))"
WORD_END = f"(?:(?<={WORD})(?!{WORD}))"
CONSTRAINTS = {
    "A": r"\A",
    "Z": r"\Z",
    "m": WORD_START,
    "M": WORD_END,
    "y": f"(?:{WORD_START}|{WORD_END})",
    "Y": f"(?:(?<={WORD})(?={WORD})|(?<!{WORD})(?!{WORD}))",
}
MAX_REPEAT = 255
DIGITS = re.compile(r"[0-9]+")


def bad_regex(what: str) -> PgError:
    return PgError(INVALID_REGULAR_EXPRESSION, f"invalid regular expression: {what}")


class Options:
    """What the flags of a regexp function, or of a (?...) prefix, say."""

    def __init__(self) -> None:
        self.icase = False
        self.newline_any = False  # . and [^ exclude newline
        self.newline_anchor = False  # ^ and $ match at lines
        self.expanded = False
        self.flavour = "advanced"  # or extended, basic, literal

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
        elif letter in ("q", "b", "e"):
            self.flavour = {"q": "literal", "b": "basic", "e": "extended"}[letter]
        else:
            return False
        return True


class Parser:
    """parse, parsebranch and parseqatom over the text."""

    def __init__(self, pattern: str, options: Options) -> None:
        self.text = pattern
        self.options = options
        self.position = 0
        self.body = 0  # where the expression starts behind directors and options
        self.groups = 0
        self.subs: dict[int, Lang] = {}
        self.simple = True  # nothing that Python's greedy matching does otherwise

    def parse(self) -> Sub:
        self.prefixes()
        self.body = self.position
        if self.options.flavour == "literal":
            items = [self.one(char) for char in self.text[self.position :]]
            return Sub("=", 0, concatenation(items))
        tree = self.alternatives("", False)
        if not self.at_end():
            raise bad_regex("parentheses () not balanced")
        return tree

    def prefixes(self) -> None:
        """***= and ***: directors, (?options)."""
        options = self.options
        if options.flavour == "literal":
            return
        if self.text.startswith("***"):
            director = self.text[3:4]
            if director == "?":
                raise bad_regex("invalid regexp (reg version 0.8)")
            if director not in ("=", ":") or not director:
                raise bad_regex("quantifier operand invalid")
            self.position = 4
            options.flavour = "literal" if director == "=" else "advanced"
            if director == "=":
                return
        if options.flavour != "advanced":
            return
        match = re.compile(r"\(\?([a-zA-Z]+)").match(self.text, self.position)
        if match is None:
            return
        known = all(options.apply(letter) for letter in match[1])
        if not known or not self.text.startswith(")", match.end()):
            raise bad_regex("invalid embedded option")
        self.position = match.end() + 1

    # ---- reading

    def skip(self) -> None:
        """White space and comments."""
        while True:
            if self.options.expanded:
                found = re.compile(r"(?:\s+|#[^\n]*)+").match(self.text, self.position)
                if found is not None:
                    self.position = found.end()
            if self.options.flavour != "advanced" or not self.see("(?#"):
                return
            end = self.text.find(")", self.position)
            self.position = len(self.text) if end < 0 else end + 1

    def see(self, token: str) -> bool:
        return self.text.startswith(token, self.position)

    def at_end(self) -> bool:
        self.skip()
        return self.position >= len(self.text)

    def token(self) -> str:
        """The next operator ( ) { | * + ? . ^ $ [ or "" for anything else."""
        char = self.text[self.position]
        if self.options.flavour != "basic":
            return char if char in "(){|*+?.^$[" else ""
        if char == "\\":
            following = self.text[self.position + 1 : self.position + 2]
            return following if following and following in "(){" else ""
        return char if char in "*.^$[" else ""

    def take(self) -> None:
        """Past the operator."""
        self.position += 1 + (self.text[self.position] == "\\")

    def branch_ends(self, stopper: str) -> bool:
        if self.at_end():
            return True
        token = self.token()
        return token == "|" or (token == ")" and stopper == ")")

    def digit_follows(self) -> bool:
        return self.text[self.position + 1 : self.position + 2].isdigit()

    def branch_starts(self) -> bool:
        """Is a basic * here a character of its own?"""
        before = self.text[self.body : self.position]
        return not before or before.endswith(("\\(", "^"))

    # ---- structure

    def alternatives(self, stopper: str, constraint: bool) -> Sub:
        branches = [self.branch(stopper, constraint)]
        while not self.at_end() and self.token() == "|":
            self.take()
            branches.append(self.branch(stopper, constraint))
        if stopper:
            if self.at_end():
                raise bad_regex("parentheses () not balanced")
            self.take()
        if len(branches) == 1:
            return branches[0]
        self.simple = False
        flags = LONGER
        for branch in branches:
            flags |= up(flags | branch.flags)
        lang = Lang("alt", items=tuple(branch.lang for branch in branches))
        return Sub("|", flags, lang, branches) if flags & MESSY else Sub("=", flags, lang)

    def branch(self, stopper: str, constraint: bool) -> Sub:
        items: list[Lang] = []
        flags = 0
        first = True
        while not self.branch_ends(stopper):
            plain = self.constraint(first, stopper)
            first = False
            if plain is not None:
                items.append(plain)
                continue
            number = self.groups + 1
            atom = self.atom(constraint)
            low, high, prefer = self.quantifier()
            if high == 0:
                self.subs.pop(number, None)
                continue
            self.note(atom, low, high, prefer)
            together = flags | prefer | atom.flags
            if atom.op != "b" and not atom.capture and not up(together) & MESSY:
                items.append(repetition(atom.lang, low, high))
                flags = together
                continue
            node = quantified(atom, low, high, prefer)
            rest = None if self.branch_ends(stopper) else self.branch(stopper, constraint)
            return joined(Sub("=", flags, concatenation(items)), node, rest)
        return Sub("=", flags, concatenation(items))

    def note(self, atom: Sub, low: int, high: int, prefer: int) -> None:
        plain = atom.lang.kind == "set" or (low, high) == (1, 1)
        if not plain or prefer == SHORTER or atom.op == "b":
            self.simple = False

    def constraint(self, first: bool, stopper: str) -> Lang | None:
        """^, $, \\y, lookaround: they take no quantifier."""
        token = self.token()
        basic = self.options.flavour == "basic"
        if token == "^" and (not basic or first):
            self.position += 1
            return Lang("con", "(?m:^)" if self.options.newline_anchor else r"\A")
        if token == "$" and (not basic or self.dollar_is_last()):
            self.position += 1
            return Lang("con", "(?m:$)" if self.options.newline_anchor else r"\Z")
        if self.see("[[:<:]]") or self.see("[[:>:]]"):
            source = WORD_START if self.text[self.position + 3] == "<" else WORD_END
            self.position += 7
            return Lang("con", source)
        if basic and (self.see("\\<") or self.see("\\>")):
            self.position += 2
            return Lang("con", WORD_START if self.text[self.position - 1] == "<" else WORD_END)
        if self.options.flavour != "advanced":
            return None
        if self.see("\\") and self.text[self.position + 1 : self.position + 2] in [*CONSTRAINTS]:
            self.position += 2
            return Lang("con", CONSTRAINTS[self.text[self.position - 1]])
        for head in ("(?=", "(?!", "(?<=", "(?<!"):
            if self.see(head):
                self.position += len(head)
                inner = self.alternatives(")", True)
                self.simple = False
                return Lang("look", head, (inner.lang,))
        return None

    def dollar_is_last(self) -> bool:
        rest = self.text[self.position + 1 :]
        return not rest or rest.startswith("\\)")

    # ---- atoms

    def one(self, char: str) -> Lang:
        return Lang("set", character_source(char, self.options.icase))

    def atom(self, constraint: bool) -> Sub:
        token = self.token()
        flavour = self.options.flavour
        if token == ")" and flavour == "extended":
            token = ""
        if token == ")":
            raise bad_regex("parentheses () not balanced")
        if token == "(":
            return self.group(constraint)
        if token == "{" and flavour != "basic" and not self.digit_follows():
            token = ""
        if token in ("*", "+", "?", "{") and not (flavour == "basic" and self.branch_starts()):
            raise bad_regex("quantifier operand invalid")
        if token == ".":
            self.take()
            return Sub("=", 0, Lang("set", "[^\\n]" if self.options.newline_any else "(?s:.)"))
        if token == "[":
            source, self.position = bracket_source(
                self.text, self.position, self.options, self.character_escape
            )
            return Sub("=", 0, Lang("set", source))
        if self.text[self.position] == "\\":
            return self.escape(constraint)
        self.position += 1
        return Sub("=", 0, self.one(self.text[self.position - 1]))

    def group(self, constraint: bool) -> Sub:
        advanced = self.options.flavour == "advanced"
        self.take()
        capturing = not constraint
        if advanced and self.see("?:"):
            self.position += 2
            return self.alternatives(")", constraint)
        if advanced and self.see("?"):
            raise bad_regex("quantifier operand invalid")
        if not capturing:
            return self.alternatives(")", constraint)
        self.groups += 1
        number = self.groups
        atom = self.alternatives(")", constraint)
        self.subs[number] = atom.lang
        lang = Lang("cap", items=(atom.lang,), number=number)
        if atom.capture:
            return Sub("(", atom.flags | CAP, lang, [atom], capture=number)
        atom.flags |= CAP
        atom.capture = number
        atom.lang = lang
        return atom

    def escape(self, constraint: bool) -> Sub:
        self.position += 1
        if self.position >= len(self.text):
            raise bad_regex("invalid escape \\ sequence")
        char = self.text[self.position]
        if self.options.flavour == "advanced" and char in "dswDSW":
            self.position += 1
            return Sub("=", 0, Lang("set", class_source(char)))
        if char in "123456789" and self.options.flavour != "extended":
            reference = self.back_reference(constraint)
            if reference is not None:
                return reference
        if self.options.flavour != "advanced":
            self.position += 1
            return Sub("=", 0, self.one(char))
        value, self.position = self.character_escape(self.text, self.position)
        return Sub("=", 0, self.one(value))

    def back_reference(self, constraint: bool) -> Sub | None:
        basic = self.options.flavour == "basic"
        match = DIGITS.match(self.text, self.position)
        digits = match[0] if match and not basic else self.text[self.position]
        number = int(digits)
        if len(digits) > 1 and number > self.groups:
            return None
        if number not in self.subs or constraint:
            raise bad_regex("invalid backreference number")
        self.position += len(digits)
        lang = Lang("ref", items=(self.subs[number],), number=number)
        return Sub("b", BACKR, lang, reference=number)

    @staticmethod
    def character_escape(text: str, position: int) -> tuple[str, int]:
        """The character behind a backslash, and where it ends."""
        char = text[position]
        after = position + 1
        if not char.isalnum() or not char.isascii():
            return char, after
        if char in CHARACTER_ESCAPES:
            return CHARACTER_ESCAPES[char], after
        if char == "c" and after < len(text):
            return chr(ord(text[after]) & 0x1F), after + 1
        if char in HEX_ESCAPES:
            match = re.compile(HEX_ESCAPES[char]).match(text, after)
            if match is not None and int(match[0], 16) <= 0x7FFFFFFE:
                value = int(match[0], 16)
                return chr(value if value <= 0x10FFFF else 0x10FFFF), match.end()
        elif char.isdigit():
            match = re.compile(r"[0-7]{1,3}").match(text, position)
            if match is not None:
                value, end = int(match[0], 8), match.end()
                return (chr(value), end) if value < 256 else (chr(value >> 3), end - 1)
        raise bad_regex("invalid escape \\ sequence")

    # ---- quantifiers

    def quantifier(self) -> tuple[int, int, int]:
        """(least, most, preference)."""
        if self.at_end():
            return 1, 1, 0
        token = self.token()
        if token == "{" and self.options.flavour != "basic" and not self.digit_follows():
            return 1, 1, 0
        if not token or token not in "*+?{":
            return 1, 1, 0
        self.take()
        if token == "{":
            low, high, exact = self.bound()
            prefer = self.preference()
            return low, high, 0 if exact else prefer
        low, high = {"*": (0, INFINITE), "+": (1, INFINITE), "?": (0, 1)}[token]
        return low, high, self.preference()

    def preference(self) -> int:
        if self.options.flavour == "advanced" and self.see("?"):
            self.position += 1
            return SHORTER
        return LONGER

    def bound(self) -> tuple[int, int, bool]:
        low = self.number()
        high, exact = low, True
        self.skip_in_bound()
        if self.see(","):
            self.position += 1
            self.skip_in_bound()
            exact = False
            following = self.text[self.position : self.position + 1]
            high = self.number() if following.isdigit() else INFINITE
        if high < low:
            raise bad_regex("invalid repetition count(s)")
        closer = "\\}" if self.options.flavour == "basic" else "}"
        if self.position >= len(self.text):
            raise bad_regex("braces {} not balanced")
        if not self.see(closer):
            raise bad_regex("invalid repetition count(s)")
        self.position += len(closer)
        return low, high, exact

    def skip_in_bound(self) -> None:
        if self.options.expanded:
            self.skip()

    def number(self) -> int:
        match = DIGITS.match(self.text, self.position)
        if match is None or int(match[0]) > MAX_REPEAT:
            raise bad_regex("invalid repetition count(s)")
        self.position = match.end()
        return int(match[0])


def joined(prefix: Sub, node: Sub, rest: Sub | None) -> Sub:
    """What stands before an atom, the atom, what comes after it."""
    bare = prefix.lang is EMPTY
    if rest is None:
        if bare:
            return node
        flags = prefix.flags | combine(prefix.flags, node.flags)
        return Sub(".", flags, concatenation([prefix.lang, node.lang]), [prefix, node])
    tail_flags = node.flags & ~CAP if node.capture else node.flags
    tail_flags = combine(tail_flags, 0) | (node.flags & MESSY)
    tail_flags |= combine(tail_flags, rest.flags)
    flags = prefix.flags | combine(prefix.flags, tail_flags)
    lang = concatenation([node.lang, rest.lang])
    if bare:
        return Sub(".", flags, lang, [node, rest])
    tail = Sub(".", tail_flags, lang, [node, rest])
    return Sub(".", flags, concatenation([prefix.lang, lang]), [prefix, tail])
