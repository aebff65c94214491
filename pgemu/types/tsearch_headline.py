"""ts_headline: a part of a document with the query's words marked (PostgreSQL:
tsearch/wparser_def.c, prsd_headline).

A cover is a shortest stretch of the document that satisfies the query.  Without MaxFragments the
best cover is lengthened or cut to MinWords .. MaxWords; with it several covers are shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from pgemu.errors import (
    INVALID_PARAMETER_VALUE,
    INVALID_TEXT_REPRESENTATION,
    SYNTAX_ERROR,
    PgError,
)
from pgemu.fmgr import CallContext, pg_function
from pgemu.types.json_parse import Num, dump_jsonb, encode_string, load_jsonb, number_text
from pgemu.types.tsearch_config import configuration, current_configuration
from pgemu.types.tsearch_match import NO, execute
from pgemu.types.tsearch_parser import TYPE_NUMBER, tokens
from pgemu.types.tsquery import Node, Operand, load_tsquery, operands
from pgemu.types.tsvector import Lexemes

OPTION = re.compile(
    r"[\s,]*(\w+)\s*=\s*(?:\"((?:[^\"]|\"\")*)\"|'((?:[^']|'')*)'|([^,\s]*))\s*(?:,|$|(?=\w))"
)
# a compound is shown as its parts
COMPOUNDS = frozenset(TYPE_NUMBER[name] for name in ("url", "numhword", "asciihword", "hword"))
TAG = TYPE_NUMBER["tag"]
# NONWORDTOKEN and NOENDTOKEN
NOT_WORDS = COMPOUNDS | {TAG, TYPE_NUMBER["blank"]}
NO_END = NOT_WORDS | frozenset(
    TYPE_NUMBER[name]
    for name in ("sfloat", "version", "float", "int", "uint", "protocol", "entity")
)


@dataclass
class Options:
    startsel: str = "<b>"
    stopsel: str = "</b>"
    maxwords: int = 35
    minwords: int = 15
    shortword: int = 3
    maxfragments: int = 0
    fragmentdelimiter: str = " ... "
    highlightall: bool = False


def parse_options(text: str) -> Options:
    options = Options()
    for name, double, single, bare in _settings(text):
        value = double.replace('""', '"') or single.replace("''", "'") or bare
        key = name.lower()
        if key == "highlightall":
            options.highlightall = value.lower() in ("1", "on", "true", "t", "y", "yes")
        elif not hasattr(options, key):
            raise PgError(INVALID_PARAMETER_VALUE, f'unrecognized headline parameter: "{name}"')
        elif isinstance(getattr(options, key), int):
            setattr(options, key, whole_number(value))
        else:
            setattr(options, key, value)
    check_options(options)
    return options


def _settings(text: str) -> Iterator[tuple[str, str, str, str]]:
    """deserialize_deflist: name = value, ... with the three ways to write a value."""
    at = 0
    while text[at:].strip(" \t\n\v\f\r,"):
        found = OPTION.match(text, at)
        if found is None:
            raise PgError(SYNTAX_ERROR, f'invalid parameter list format: "{text}"')
        yield found[1], found[2] or "", found[3] or "", found[4] or ""
        at = found.end()


def whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise PgError(
            INVALID_TEXT_REPRESENTATION, f'invalid input syntax for type integer: "{text}"'
        ) from None


def check_options(options: Options) -> None:
    if options.highlightall:
        return
    for bad, message in (
        (options.minwords >= options.maxwords, "MinWords should be less than MaxWords"),
        (options.minwords <= 0, "MinWords should be positive"),
        (options.shortword < 0, "ShortWord should be >= 0"),
        (options.maxfragments < 0, "MaxFragments should be >= 0"),
    ):
        if bad:
            raise PgError(INVALID_PARAMETER_VALUE, message)


@dataclass(slots=True)
class Word:
    """HeadlineWordEntry: one token, with the lexemes of the query that it matches."""

    text: str
    kind: int
    # (lexeme, position) of those the query asks for
    items: list[tuple[str, int]]
    # within the headline
    shown: bool = False

    @property
    def counts(self) -> bool:
        return self.kind not in NOT_WORDS

    def bad_end(self, shortword: int) -> bool:
        """BADENDPOINT: neither of the query, nor fit to begin or end a headline."""
        if self.items:
            return False
        return self.kind in NO_END or len(self.text.encode()) <= shortword


def read_words(ctx: CallContext, config: int, text: str, tree: Node | None) -> list[Word]:
    """hlparsetext: every token, parts of compounds too."""
    chosen = configuration(ctx, config)
    wanted = operands(tree)
    found = list(tokens(text))
    words: list[Word] = []
    at = position = 0
    while at < len(found):
        used, lexemes = chosen.lexize_at(found, at)
        if lexemes is not None:
            position += 1
        items = []
        place = position
        for lexeme in lexemes or ():
            place += bool(getattr(lexeme, "addpos", False))
            if any(
                lexeme == o.lexeme or (o.prefix and lexeme.startswith(o.lexeme)) for o in wanted
            ):
                items.append((str(lexeme), place))
        words += [Word(token, kind, list(items)) for kind, token in found[at : at + used]]
        position = place
        at += used
    return words


def without_weights(node: Node) -> Node:
    """checkcondition_HL does not look at weights."""
    if isinstance(node, Operand):
        return replace(node, weight=0)
    left = None if node.left is None else without_weights(node.left)
    return replace(node, left=left, right=without_weights(node.right))


class Headline:
    """prsd_headline's work on one document."""

    def __init__(self, words: list[Word], tree: Node | None, options: Options) -> None:
        self.words, self.options = words, options
        self.tree = None if tree is None else without_weights(tree)
        self.items = [i for i, word in enumerate(words) if word.items]
        cover = max(options.maxwords * 10, 100)
        self.max_cover = cover * options.maxfragments if options.maxfragments > 0 else cover

    def bad_end(self, number: int) -> bool:
        return self.words[number].bad_end(self.options.shortword)

    def matches(self, first: int, last: int) -> bool:
        lexemes: Lexemes = {}
        for word in self.words[first : last + 1]:
            for lexeme, position in word.items:
                lexemes.setdefault(lexeme, []).append(position << 2)
        return self.tree is not None and execute(self.tree, lexemes) != NO

    def covers(self) -> Iterator[tuple[int, int]]:
        """hlCover: the earliest, shortest stretches that satisfy the query."""
        for index, first in enumerate(self.items):
            for last in self.items[index:]:
                if last > first and last - first >= self.max_cover:
                    break
                if self.matches(first, last):
                    yield first, last
                    break

    def mark(self, first: int, last: int) -> None:
        for word in self.words[first : last + 1]:
            word.shown = True

    def beginning(self) -> tuple[int, int]:
        """The first min_words words, if nothing matches."""
        count = last = 0
        for number, word in enumerate(self.words):
            if count >= self.options.minwords:
                break
            count += word.counts
            last = number
        return 0, last

    # -- one stretch: mark_hl_words ------------------------------------------------------------

    def choose(self) -> tuple[int, int]:
        best, best_items, best_covers = (-1, -1), -1, False
        for first, last in self.covers():
            begin, end, items = self.around(first, last)
            covers = begin <= first and end >= last
            if (
                covers > best_covers
                or (covers == best_covers and items > best_items)
                or (
                    (covers, items) == (best_covers, best_items)
                    and not self.bad_end(end)
                    and self.bad_end(best[1])
                )
            ):
                best, best_items, best_covers = (begin, end), items, covers
        return self.beginning() if best_items < 0 else best

    def around(self, first: int, last: int) -> tuple[int, int, int]:
        """(begin, end, words of the query) of the headline for a cover."""
        words, options = self.words, self.options
        count = items = 0
        end = at = first
        while at <= last and count < options.maxwords:
            count += words[at].counts
            items += bool(words[at].items)
            end = at
            at += 1
        if count >= options.maxwords:
            at = min(at, last)
            while count > options.minwords and self.bad_end(at):
                count -= words[at].counts
                items -= bool(words[at].items)
                end = at - 1
                at -= 1
            return first, end, items
        at -= 1
        while at < len(words) and count < options.maxwords:
            if at > last:
                count += words[at].counts
                items += bool(words[at].items)
            end = at
            if not self.bad_end(at) and count >= options.minwords:
                break
            at += 1
        begin = first
        if count < options.minwords:
            begin, items = self.to_the_left(first, count, items)
        return begin, end, items

    def to_the_left(self, first: int, count: int, items: int) -> tuple[int, int]:
        """The text ended before min_words: what stands before the cover."""
        for at in range(first - 1, -1, -1):
            count += self.words[at].counts
            items += bool(self.words[at].items)
            if count >= self.options.maxwords:
                return at, items
            if not self.bad_end(at) and count >= self.options.minwords:
                return at, items
        return 0, items

    # -- several: mark_hl_fragments ------------------------------------------------------------

    def fragments(self) -> None:
        """The covers with the most words of the query, stretched to both sides."""
        left = [part for first, last in self.covers() for part in self.parts(first, last)]
        marked = False
        for _ in range(self.options.maxfragments):
            candidates = [part for part in left if part[3] > 0]
            if not candidates:
                break
            chosen = max(candidates, key=lambda part: (part[3], -part[2]))
            first, last = self.stretched(*chosen[:3])
            self.mark(first, last)
            marked = True
            left.remove(chosen)
            left = [part for part in left if part[1] < first or part[0] > last]
        if not marked:
            self.mark(*self.beginning())

    def parts(self, first: int, last: int) -> Iterator[tuple[int, int, int, int]]:
        """get_next_fragment: (first, last, words, words of the query) of pieces of a cover with
        at most max_words words."""
        start = first
        while start <= last:
            while start < last and not self.words[start].items:
                start += 1
            count = items = 0
            at = start
            while at <= last and count < self.options.maxwords:
                count += self.words[at].counts
                items += bool(self.words[at].items)
                at += 1
            end = last
            if end > at:
                end = at
                for number in range(at, start - 1, -1):
                    end = number
                    if self.words[number].items:
                        break
                    count -= self.words[number].counts
            yield start, end, count, items
            start = end + 1

    def stretched(self, first: int, last: int, count: int) -> tuple[int, int]:
        words, most = self.words, self.options.maxwords
        if count >= most:
            return first, last
        limit, stretch, marker = (most - count) // 2, 0, first
        at = first - 1
        while at >= 0 and stretch < limit and not words[at].shown:
            count += words[at].counts
            stretch += words[at].counts
            marker = at
            at -= 1
        while marker < first and self.bad_end(marker):
            count -= words[marker].counts
            marker += 1
        begin, marker, at = marker, last, last + 1
        while at < len(words) and count < most and not words[at].shown:
            count += words[at].counts
            marker = at
            at += 1
        while marker > last and self.bad_end(marker):
            marker -= 1
        return begin, marker

    def text(self) -> str:
        """generateHeadline."""
        options = self.options
        parts: list[str] = []
        inside, number = False, 0
        for word in self.words:
            if not word.shown:
                inside = False
                continue
            if not inside:
                inside, number = True, number + 1
                if number > 1:
                    parts.append(options.fragmentdelimiter)
            if word.kind in COMPOUNDS:
                continue
            if word.kind == TAG and not options.highlightall:
                parts.append(" ")
            elif word.items:
                parts += [options.startsel, word.text, options.stopsel]
            else:
                parts.append(word.text)
        return "".join(parts)


@pg_function("ts_headline(regconfig,text,tsquery,text)", context=True)
def ts_headline_byid_opt(
    ctx: CallContext, config: int, text: str, query: str, option_text: str
) -> str:
    options = parse_options(option_text)
    tree = load_tsquery(query)
    words = read_words(ctx, config, text, tree)
    headline = Headline(words, tree, options)
    if options.maxfragments > 0:
        headline.fragments()
    elif options.highlightall:
        headline.mark(0, len(words))
    else:
        headline.mark(*headline.choose())
    return headline.text()


def in_json(ctx: CallContext, config: int, value: Any, query: str, options: str) -> Any:
    parse_options(options)
    if isinstance(value, str):
        return ts_headline_byid_opt(ctx, config, value, query, options)
    if isinstance(value, list):
        return [in_json(ctx, config, one, query, options) for one in value]
    if isinstance(value, dict):
        return {k: in_json(ctx, config, v, query, options) for k, v in value.items()}
    return value


def json_text(value: Any) -> str:
    """json as transform_json_string_values writes it: without blanks, numbers as they were."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{encode_string(k)}:{json_text(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(json_text(one) for one in value) + "]"
    if isinstance(value, str):
        return encode_string(value)
    if isinstance(value, Num):
        return number_text(value)
    return json.dumps(value)


def json_headline(
    ctx: CallContext, config: int, document: str, query: str, options: str = ""
) -> str:
    return json_text(in_json(ctx, config, load_jsonb(document), query, options))


def jsonb_headline(
    ctx: CallContext, config: int, document: str, query: str, options: str = ""
) -> str:
    return dump_jsonb(in_json(ctx, config, load_jsonb(document), query, options))


def bind_headline(name: str, body: Any) -> None:
    if name != "text":
        pg_function(f"ts_headline(regconfig,{name},tsquery,text)", context=True)(body)
    pg_function(f"ts_headline(regconfig,{name},tsquery)", context=True)(
        lambda ctx, config, document, query: body(ctx, config, document, query, "")
    )
    pg_function(f"ts_headline({name},tsquery,text)", context=True)(
        lambda ctx, document, query, options: body(
            ctx, current_configuration(ctx), document, query, options
        )
    )
    pg_function(f"ts_headline({name},tsquery)", context=True)(
        lambda ctx, document, query: body(ctx, current_configuration(ctx), document, query, "")
    )


bind_headline("text", ts_headline_byid_opt)
bind_headline("json", json_headline)
bind_headline("jsonb", jsonb_headline)
