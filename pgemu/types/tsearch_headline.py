"""ts_headline: a part of a document with the query's words marked (PostgreSQL:
tsearch/wparser_def.c, prsd_headline).

A document within MaxWords is shown whole.  Of a longer one the span with the most words of the
query is taken and filled up; how ties are broken may differ from PostgreSQL.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from pgemu.errors import INVALID_PARAMETER_VALUE, PgError
from pgemu.fmgr import CallContext, pg_function
from pgemu.types.json_parse import Num, dump_jsonb, encode_string, load_jsonb, number_text
from pgemu.types.tsearch_config import configuration, current_configuration
from pgemu.types.tsearch_parser import TYPE_NUMBER, tokens
from pgemu.types.tsearch_rank import Document
from pgemu.types.tsquery import Node, load_tsquery, operands
from pgemu.types.tsvector import Lexemes

OPTION = re.compile(
    r"\s*(\w+)\s*=\s*(?:\"((?:[^\"]|\"\")*)\"|'((?:[^']|'')*)'|([^,\s]*))\s*(?:,|$)"
)
NOT_WORDS = frozenset(TYPE_NUMBER[name] for name in ("blank", "tag", "protocol", "entity"))
# A compound's parts and a URL's are within the whole, which is shown.
REPEATED = frozenset(TYPE_NUMBER[name] for name in ("hword", "numhword", "asciihword", "url"))


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
    for name, double, single, bare in OPTION.findall(text):
        value = double.replace('""', '"') or single.replace("''", "'") or bare
        key = name.lower()
        if key == "highlightall":
            options.highlightall = value.lower() in ("1", "on", "true", "t", "y", "yes")
        elif not hasattr(options, key):
            raise PgError(INVALID_PARAMETER_VALUE, f'unrecognized headline parameter: "{name}"')
        elif isinstance(getattr(options, key), int):
            setattr(options, key, int(value))
        else:
            setattr(options, key, value)
    check_options(options)
    return options


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


@dataclass
class Word:
    text: str
    kind: int
    lexemes: list[str]
    marked: bool = False

    @property
    def counts(self) -> bool:
        return self.kind not in NOT_WORDS


def read_words(ctx: CallContext, config: int, text: str, tree: Node | None) -> list[Word]:
    """The tokens that make up the text, with those of the query marked."""
    chosen = configuration(ctx, config)
    wanted = operands(tree)
    words: list[Word] = []
    skip = ""
    for kind, token in tokens(text):
        lexemes = chosen.lexize(kind, token) or []
        hit = any(
            lexeme == o.lexeme or (o.prefix and lexeme.startswith(o.lexeme))
            for lexeme in lexemes
            for o in wanted
        )
        if skip and skip.startswith(token):
            # A part of the compound that was just read.
            skip = skip[len(token) :]
            words[-1].marked = words[-1].marked or hit
            words[-1].lexemes += lexemes
            continue
        skip = token if kind in REPEATED else ""
        words.append(Word(token, kind, list(lexemes), hit))
    return words


def best_span(words: list[Word], tree: Node, options: Options) -> tuple[int, int]:
    """The cover with the most marked words, filled up to the word limits."""
    lexemes: Lexemes = {}
    for number, word in enumerate(words):
        for lexeme in word.lexemes:
            lexemes.setdefault(lexeme, []).append((number + 1) * 4)
    document = Document(dict(sorted(lexemes.items())), tree)
    best = (0, 0)
    most = -1
    for begin, end in document.covers():
        first = (document.places[begin][0] >> 2) - 1
        last = (document.places[end][0] >> 2) - 1
        marked = sum(word.marked for word in words[first : last + 1])
        if marked > most:
            best, most = (first, last), marked
    return filled(words, best, options)


def filled(words: list[Word], span: tuple[int, int], options: Options) -> tuple[int, int]:
    first, last = span
    count = sum(word.counts for word in words[first : last + 1])
    while last + 1 < len(words) and count < options.maxwords:
        short = words[last].counts and len(words[last].text) <= options.shortword
        if count >= options.minwords and words[last].counts and not short:
            break
        last += 1
        count += words[last].counts
    while first > 0 and count < options.minwords:
        first -= 1
        count += words[first].counts
    while first < last and not words[first].counts:
        first += 1
    while last > first and not words[last].counts:
        last -= 1
    return first, last


def shown(words: list[Word], options: Options) -> str:
    """Neighbouring marked words get one mark."""
    parts: list[str] = []
    inside = False
    for word in words:
        if word.marked and not inside:
            parts.append(options.startsel)
        elif inside and not word.marked:
            parts.append(options.stopsel)
        inside = word.marked
        tag = word.kind == TYPE_NUMBER["tag"] and not options.highlightall
        parts.append(" " if tag else word.text)
    if inside:
        parts.append(options.stopsel)
    return "".join(parts)


@pg_function("ts_headline(regconfig,text,tsquery,text)", context=True)
def ts_headline_byid_opt(
    ctx: CallContext, config: int, text: str, query: str, option_text: str
) -> str:
    options = parse_options(option_text)
    tree = load_tsquery(query)
    words = read_words(ctx, config, text, tree)
    total = sum(word.counts for word in words)
    if options.highlightall or (total <= options.maxwords and tree is not None):
        return shown(words, options)
    if tree is None:
        first, last = filled(words, (0, 0), options)
    else:
        first, last = best_span(words, tree, options)
    return shown(words[first : last + 1], options)


def in_json(ctx: CallContext, config: int, value: Any, query: str, options: str) -> Any:
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
