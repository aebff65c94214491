"""PostgreSQL's regular expressions (PostgreSQL: src/backend/regex).

are_parse reads one into a tree.  The tree's language, written in the dialect of the `regex`
library, finds where a match starts; where it ends and what its groups hold follows other rules
than Python's (the longest or the shortest match as a whole, then its parts from left to right), so
are_match works that out.  Expressions in which both agree - characters and greedy quantifiers of
single characters - run in the library alone.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import regex

from pgemu.types.are_match import Machine
from pgemu.types.are_parse import Options, Parser, bad_regex
from pgemu.types.are_tree import BACKR, INFINITE, Lang

__all__ = ["Options", "compile_are"]


class Writer:
    """A language as a pattern of the `regex` library."""

    def __init__(self, icase: bool, captures: bool) -> None:
        self.icase = icase
        self.captures = captures

    def write(self, lang: Lang) -> str:
        kind = lang.kind
        if kind in ("set", "con"):
            return lang.source
        inner = [self.write(item) for item in lang.items]
        if kind == "cat":
            return "".join(inner)
        if kind == "alt":
            return f"(?:{'|'.join(inner)})"
        if kind == "rep":
            return self.repeated(lang, inner[0])
        if kind == "cap":
            return f"(?P<g{lang.number}>{inner[0]})" if self.captures else f"(?:{inner[0]})"
        if kind == "look":
            return f"{lang.source}{inner[0]})"
        if kind == "ref":
            return f"(?{'i' if self.icase else ''}:(?P=g{lang.number}))"
        return ""

    @staticmethod
    def repeated(lang: Lang, inner: str) -> str:
        high = "" if lang.high == INFINITE else str(lang.high)
        bound = {"0,": "*", "1,": "+", "0,1": "?"}.get(f"{lang.low},{high}")
        if bound is None:
            bound = f"{{{lang.low},{high}}}"
        return f"(?:{inner}){bound}" if lang.items[0].kind != "set" else inner + bound


@lru_cache(maxsize=512)
def compile_are(pattern: str, flags: str = "") -> Any:
    """The expression with regexp flags (without g): a pattern of the library or a Machine."""
    options = Options()
    for letter in flags:
        options.apply(letter)
    parser = Parser(pattern, options)
    tree = parser.parse()
    backrefs = bool(tree.flags & BACKR)
    source = Writer(options.icase, parser.simple or backrefs).write(tree.lang)
    try:
        finder = regex.compile(source, regex.V1 | regex.UNICODE)
    except regex.error as error:
        raise bad_regex(str(error)) from None
    if parser.simple:
        return finder
    return Machine(tree, parser.groups, finder, options.icase, backrefs)
