"""Bracket expressions and classes of characters (PostgreSQL: regcomp.c bracket, regc_locale.c).

The sources are classes of the `regex` library (its version 1, which nests sets); what digits,
letters and spaces are is the C library's idea under a UTF-8 locale, which differs from Unicode's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pgemu.errors import INVALID_REGULAR_EXPRESSION, PgError

if TYPE_CHECKING:
    from pgemu.types.are_parse import Options

CLASSES = {
    "alnum": "[:alnum:]",
    "alpha": "[:alpha:]",
    "ascii": "\\x00-\\x7f",
    "blank": "\\t ",
    "cntrl": "\\x00-\\x1f\\x7f-\\x9f",
    "digit": "0-9",
    "graph": "[:graph:]",
    "lower": "[:lower:]",
    "print": "[:print:]",
    "punct": "\\p{P}\\p{S}\\p{Mn}\\p{Me}\\p{No}\\p{Cf}",
    "space": "\\t-\\r \\u1680\\u2000-\\u2006\\u2008-\\u200a\\u2028\\u2029\\u205f\\u3000",
    "upper": "[:upper:]",
    "word": "[:alnum:]_",
    "xdigit": "0-9A-Fa-f",
}
LETTERS = {"d": "digit", "s": "space", "w": "word"}
WORD = "[[:alnum:]_]"
CHARACTER_NAMES = {
    "NUL": "\0",
    "space": " ",
    "tab": "\t",
    "newline": "\n",
    "hyphen": "-",
    "hyphen-minus": "-",
    "period": ".",
    "full-stop": ".",
    "comma": ",",
    "colon": ":",
    "semicolon": ";",
    "slash": "/",
    "solidus": "/",
    "backslash": "\\",
    "reverse-solidus": "\\",
    "underscore": "_",
    "low-line": "_",
    "left-parenthesis": "(",
    "right-parenthesis": ")",
    "left-square-bracket": "[",
    "right-square-bracket": "]",
    "left-brace": "{",
    "left-curly-bracket": "{",
    "right-brace": "}",
    "right-curly-bracket": "}",
    "vertical-line": "|",
    "circumflex": "^",
    "circumflex-accent": "^",
    "grave-accent": "`",
    "tilde": "~",
    "dollar-sign": "$",
    "percent-sign": "%",
    "number-sign": "#",
    "plus-sign": "+",
    "equals-sign": "=",
    "less-than-sign": "<",
    "greater-than-sign": ">",
    "question-mark": "?",
    "exclamation-mark": "!",
    "commercial-at": "@",
    "ampersand": "&",
    "apostrophe": "'",
    "quotation-mark": '"',
    "asterisk": "*",
    "alert": "\a",
    "backspace": "\b",
    "carriage-return": "\r",
    "form-feed": "\f",
    "vertical-tab": "\v",
    "zero": "0",
    "one": "1",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
    "nine": "9",
}
WIDE_RANGE = 3000
Escape = Callable[[str, int], tuple[str, int]]


def bad(what: str) -> PgError:
    return PgError(INVALID_REGULAR_EXPRESSION, f"invalid regular expression: {what}")


def escaped(char: str) -> str:
    return "\\" + char if char in "\\]^-[&~|" else char


def cases(char: str) -> str:
    """The character with its other case, where that is one character."""
    forms = (char, char.lower(), char.upper())
    return "".join(dict.fromkeys(form for form in forms if len(form) == 1))


def character_source(char: str, icase: bool) -> str:
    forms = cases(char) if icase else char
    if len(forms) > 1:
        return f"[{''.join(map(escaped, forms))}]"
    return "\\" + char if char in "\\.^$*+?{}[]|()" else char


def class_source(letter: str) -> str:
    """\\d and its kin outside brackets."""
    negation = "^" if letter.isupper() else ""
    return f"[{negation}{CLASSES[LETTERS[letter.lower()]]}]"


def bracket_source(text: str, position: int, options: Options, escape: Escape) -> tuple[str, int]:
    """(class of the regex library, where the bracket ends)."""
    position += 1
    negated = text.startswith("^", position)
    position += negated
    items: list[str] = []
    first = True
    while True:
        if position >= len(text):
            raise bad("brackets [] not balanced")
        if text[position] == "]" and not first:
            break
        first = False
        item, position = bracket_item(text, position, options, escape)
        items.append(item)
    if negated and options.newline_any:
        items.append("\\n")
    return f"[{'^' if negated else ''}{''.join(items)}]", position + 1


def bracket_item(text: str, position: int, options: Options, escape: Escape) -> tuple[str, int]:
    """A class, a character or a range."""
    start, is_class, position = bracket_atom(text, position, options, escape)
    if is_class:
        return start, position
    rest = text[position : position + 2]
    if rest[:1] != "-" or rest[1:] in ("]", ""):
        forms = cases(start) if options.icase else start
        return "".join(map(escaped, forms)), position
    end, is_class, position = bracket_atom(text, position + 1, options, escape)
    if is_class or end < start:
        raise bad("invalid character range")
    source = f"{escaped(start)}-{escaped(end)}"
    if options.icase and ord(end) - ord(start) < WIDE_RANGE:
        every = (cases(chr(code)) for code in range(ord(start), ord(end) + 1))
        source += "".join(escaped(char) for char in dict.fromkeys("".join(every)))
    return source, position


def bracket_atom(
    text: str, position: int, options: Options, escape: Escape
) -> tuple[str, bool, int]:
    """(character, False, end) or (class text, True, end)."""
    char = text[position]
    position += 1
    if char == "[" and text[position : position + 1] in (":", ".", "=") and position < len(text):
        return named(text, position, options)
    if char == "\\" and options.flavour == "advanced":
        if position >= len(text):
            raise bad("invalid escape \\ sequence")
        letter = text[position]
        if letter in LETTERS:
            return CLASSES[LETTERS[letter]], True, position + 1
        if letter in "DSW":
            return class_source(letter), True, position + 1
        if letter in "AmMyYZ123456789":
            raise bad("invalid escape \\ sequence")
        value, position = escape(text, position)
        return value, False, position
    return char, False, position


def named(text: str, position: int, options: Options) -> tuple[str, bool, int]:
    """[:class:], [.element.] and [=equivalence=]."""
    kind = text[position]
    end = text.find(kind + "]", position + 1)
    if end < 0:
        raise bad("brackets [] not balanced")
    name = text[position + 1 : end]
    if kind == ":":
        if name not in CLASSES:
            raise bad("invalid character class")
        if options.icase and name in ("upper", "lower"):
            name = "alpha"
        return CLASSES[name], True, end + 2
    if len(name) != 1 and name not in CHARACTER_NAMES:
        raise bad("invalid collating element")
    return CHARACTER_NAMES.get(name, name), False, end + 2
