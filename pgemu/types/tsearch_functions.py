"""to_tsvector, to_tsquery and their kin, ts_parse, ts_lexize (PostgreSQL: tsearch/to_tsany.c,
tsearch/wparser.c, tsearch/dict.c)."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from pgemu.errors import INVALID_PARAMETER_VALUE, PgError
from pgemu.fmgr import CallContext, pg_function
from pgemu.types.arrays_value import dump_array
from pgemu.types.tsearch_config import (
    MAX_WORD,
    Configuration,
    configuration,
    current_configuration,
    dictionary,
    rows,
)
from pgemu.types.tsearch_match import matches
from pgemu.types.tsearch_parser import TOKEN_TYPES, tokens
from pgemu.types.tsquery import (
    AND,
    NOT,
    OR,
    PHRASE,
    STOP,
    Node,
    Operand,
    Operator,
    QueryReader,
    clean,
    parse_tsquery,
    query_text,
)
from pgemu.types.tsvector import (
    MAX_POSITION,
    Lexemes,
    tsvector_text,
    unique_positions,
)


def parse_text(
    ctx: CallContext, config: Configuration, text: str, position: int = 0
) -> Iterator[tuple[int, list[str]]]:
    """parsetext: (position, lexemes) of each token that a dictionary knows."""
    words: list[tuple[int, str]] = []
    for kind, word in tokens(text):
        if kind not in config.mapped:
            continue
        if len(word.encode()) >= MAX_WORD:
            ctx.notice(
                "NOTICE",
                "54000",
                "word is too long to be indexed",
                detail=f"Words longer than {MAX_WORD} characters are ignored.",
            )
            continue
        words.append((kind, word))
    at = 0
    while at < len(words):
        used, found = config.lexize_at(words, at)
        at += used
        if found is None:
            continue
        position += 1
        group: list[str] = []
        for one in found:
            if getattr(one, "addpos", False):
                yield position, group
                group = []
                position += 1
            group.append(one)
        yield position, group


def make_vector(words: Iterable[tuple[int, list[str]]]) -> str:
    vector: Lexemes = {}
    for position, lexemes in words:
        for lexeme in lexemes:
            vector.setdefault(lexeme, []).append(min(position, MAX_POSITION) * 4)
    return tsvector_text({k: unique_positions(v) for k, v in vector.items()})


@pg_function("to_tsvector(regconfig,text)", context=True)
def to_tsvector_byid(ctx: CallContext, config: int, text: str) -> str:
    return make_vector(parse_text(ctx, configuration(ctx, config), text))


@pg_function("to_tsvector(text)", context=True)
def to_tsvector(ctx: CallContext, text: str) -> str:
    return to_tsvector_byid(ctx, current_configuration(ctx), text)


def json_strings(value: Any, wanted: frozenset[str]) -> Iterator[str]:
    """The values of a JSON document that are asked for, as text."""
    if isinstance(value, dict):
        for key, one in value.items():
            if "key" in wanted:
                yield key
            yield from json_strings(one, wanted)
    elif isinstance(value, list):
        for one in value:
            yield from json_strings(one, wanted)
    elif isinstance(value, bool):
        if "boolean" in wanted:
            yield "true" if value else "false"
    elif isinstance(value, Number):
        if "numeric" in wanted:
            yield value.text
    elif isinstance(value, str) and "string" in wanted:
        yield value


class Number:
    """A JSON number as written."""

    def __init__(self, text: str) -> None:
        self.text = text


def json_vector(ctx: CallContext, config: int, document: str, wanted: frozenset[str]) -> str:
    """Each string is parsed alone; a gap of one position keeps phrases from crossing."""
    value = json.loads(document, parse_int=Number, parse_float=Number, parse_constant=Number)
    chosen = configuration(ctx, config)
    position = 0
    words: list[tuple[int, list[str]]] = []
    for text in json_strings(value, wanted):
        found = list(parse_text(ctx, chosen, text, position))
        words += found
        if found:
            position = found[-1][0]
        position += any(lexemes for _, lexemes in found)
    return make_vector(words)


TSVECTOROID = 3614
STRINGS = frozenset(("string",))
KINDS = frozenset(("string", "numeric", "boolean", "key"))


def flags(text: str) -> frozenset[str]:
    """parse_jsonb_index_flags."""
    value = json.loads(text)
    if isinstance(value, dict):
        raise PgError(
            INVALID_PARAMETER_VALUE, "wrong flag type, only arrays and scalars are allowed"
        )
    if not isinstance(value, list):
        value = [value]
    found: set[str] = set()
    for one in value:
        if not isinstance(one, str):
            raise PgError(
                INVALID_PARAMETER_VALUE,
                "flag array element is not a string",
                hint='Possible values are: "string", "numeric", "boolean", "key", and "all".',
            )
        found |= one_flag(one)
    return frozenset(found)


def one_flag(name: str) -> frozenset[str]:
    lowered = name.lower()
    if lowered == "all":
        return KINDS
    if lowered not in KINDS:
        raise PgError(
            INVALID_PARAMETER_VALUE,
            f'wrong flag in flag array: "{name}"',
            hint='Possible values are: "string", "numeric", "boolean", "key", and "all".',
        )
    return frozenset((lowered,))


def json_flags(text: str) -> frozenset[str]:
    value = json.loads(text)
    return one_flag(value) if isinstance(value, str) else flags(text)


def bind_json(name: str) -> None:
    pg_function(f"to_tsvector(regconfig,{name})", context=True)(
        lambda ctx, config, document: json_vector(ctx, config, document, STRINGS)
    )
    pg_function(f"to_tsvector({name})", context=True)(
        lambda ctx, document: json_vector(ctx, current_configuration(ctx), document, STRINGS)
    )
    pg_function(f"{name}_to_tsvector(regconfig,{name},jsonb)", context=True)(
        lambda ctx, config, document, wanted: json_vector(ctx, config, document, json_flags(wanted))
    )
    pg_function(f"{name}_to_tsvector({name},jsonb)", context=True)(
        lambda ctx, document, wanted: json_vector(
            ctx, current_configuration(ctx), document, json_flags(wanted)
        )
    )


bind_json("json")
bind_json("jsonb")


def _variants(lexemes: list[str]) -> list[list[str]]:
    """Lexemes that belong together; plain ones stand for themselves."""
    groups: dict[int, list[str]] = {}
    for number, lexeme in enumerate(lexemes):
        groups.setdefault(getattr(lexeme, "variant", -1 - number), []).append(lexeme)
    return list(groups.values())


def morph(
    ctx: CallContext, config: Configuration, text: str, join: int, weight: int, prefix: bool
) -> Node | None:
    """pushval_morph: the lexemes of one operand, joined; STOP holds a lost word's place."""
    tree: Node | None = None
    last = 0
    for position, lexemes in parse_text(ctx, config, text):
        if not lexemes:
            continue
        while 0 < last < position - 1:
            last += 1
            tree = STOP if tree is None else Operator(join, tree, STOP)
        last = position
        group: Node | None = None
        for variant in _variants(lexemes):
            both: Node | None = None
            for lexeme in variant:
                operand = Operand(lexeme, weight, prefix or getattr(lexeme, "prefix", False))
                both = operand if both is None else Operator(AND, both, operand)
            assert both is not None
            group = both if group is None else Operator(OR, group, both)
        assert group is not None
        tree = group if tree is None else Operator(join, tree, group)
    return tree


@pg_function("to_tsquery(regconfig,text)", context=True)
def to_tsquery_byid(ctx: CallContext, config: int, text: str) -> str:
    chosen = configuration(ctx, config)
    return query_text(
        parse_tsquery(
            text,
            ctx,
            lambda word, weight, prefix: morph(ctx, chosen, word, PHRASE, weight, prefix),
        )
    )


def cleaned(ctx: CallContext, tree: Node | None, text: str) -> str:
    result = clean(tree)[0]
    if result is None:
        notice = (
            f'text-search query doesn\'t contain lexemes: "{text}"'
            if not text.strip()
            else "text-search query contains only stop words or doesn't contain lexemes, ignored"
        )
        ctx.notice("NOTICE", "00000", notice)
    return query_text(result)


@pg_function("plainto_tsquery(regconfig,text)", context=True)
def plainto_tsquery_byid(ctx: CallContext, config: int, text: str) -> str:
    return cleaned(ctx, morph(ctx, configuration(ctx, config), text, AND, 0, False), text)


@pg_function("phraseto_tsquery(regconfig,text)", context=True)
def phraseto_tsquery_byid(ctx: CallContext, config: int, text: str) -> str:
    return cleaned(ctx, morph(ctx, configuration(ctx, config), text, PHRASE, 0, False), text)


class WebReader(QueryReader):
    """gettoken_query_websearch: quotes make phrases, - negates, `or` is |, the rest is joined by &;
    nothing is an error."""

    def token(self) -> tuple[str, Any]:
        while self.char.isspace():
            self.at += 1
        return self.operand_token() if self.want_operand else self.operator_token()

    def operand_token(self) -> tuple[str, Any]:
        while True:
            char = self.char
            if char == "-":
                self.at += 1
                self.first = False
                return "opr", (NOT, 0)
            if char == '"':
                end = self.text.find('"', self.at + 1)
                quoted = self.text[self.at + 1 : end if end >= 0 else len(self.text)]
                self.at = end + 1 if end >= 0 else len(self.text)
                return self._value(quoted)
            if char and (char.isspace() or char in OPERATORS):
                self.first = self.first and char.isspace()
                self.at += 1
                continue
            if char:
                match = WEB_WORD.match(self.text, self.at)
                assert match is not None
                self.at = match.end()
                return self._value(match[0])
            if self.first:
                return "end", None
            return self._value("")  # an operator lacks its operand

    def _value(self, word: str) -> tuple[str, Any]:
        self.want_operand = self.first = False
        return "val", (word, 0, False)

    def operator_token(self) -> tuple[str, Any]:
        if not self.char:
            return "end", None
        self.want_operand = True
        if WEB_OR.match(self.text, self.at):
            self.at += 2
            return "opr", (OR, 0)
        return "opr", (AND, 0)


OPERATORS = "!&|()"
WEB_WORD = re.compile(r'[^\s"!&|()][^\s"!&|():]*')
# the word alone, and something after it
WEB_OR = re.compile(r"or(?![-_]|[^\W_]).\s*\S", re.IGNORECASE | re.DOTALL)


@pg_function("websearch_to_tsquery(regconfig,text)", context=True)
def websearch_to_tsquery_byid(ctx: CallContext, config: int, text: str) -> str:
    chosen = configuration(ctx, config)
    reader = WebReader(
        text, lambda word, weight, prefix: morph(ctx, chosen, word, PHRASE, weight, prefix)
    )
    return cleaned(ctx, reader.parse(), text)


for _name, _body in (
    ("to_tsquery", to_tsquery_byid),
    ("plainto_tsquery", plainto_tsquery_byid),
    ("phraseto_tsquery", phraseto_tsquery_byid),
    ("websearch_to_tsquery", websearch_to_tsquery_byid),
):
    pg_function(f"{_name}(text)", context=True)(
        lambda ctx, text, body=_body: body(ctx, current_configuration(ctx), text)
    )


@pg_function("ts_match_tt(text,text)", context=True)
def ts_match_tt(ctx: CallContext, text: str, query: str) -> bool:
    config = current_configuration(ctx)
    return matches(to_tsvector_byid(ctx, config, text), plainto_tsquery_byid(ctx, config, query))


@pg_function("ts_match_tq(text,tsquery)", context=True)
def ts_match_tq(ctx: CallContext, text: str, query: str) -> bool:
    return matches(to_tsvector(ctx, text), query)


pg_function("get_current_ts_config()", context=True)(current_configuration)


@pg_function("ts_lexize(regdictionary,text)", context=True)
def ts_lexize(ctx: CallContext, oid: int, word: str) -> str | None:
    found = dictionary(ctx, oid)(word)
    return None if found is None else dump_array(found)


def check_parser(ctx: CallContext, parser: Any) -> None:
    """Every parser has the functions of the default one."""
    if isinstance(parser, int):
        if ctx.catalog.one(rows().PgTsParser, oid=parser) is None:
            raise PgError("XX000", f"cache lookup failed for text search parser {parser}")
        return
    namespace = importlib.import_module("pgemu.catalog.namespace")
    regproc = importlib.import_module("pgemu.catalog.regproc")
    names = regproc.string_to_qualified_name_list(parser)
    namespace.get_ts_parser_oid(ctx.catalog, names)


@pg_function("ts_parse(oid,text)", "ts_parse(text,text)", context=True)
def ts_parse(ctx: CallContext, parser: Any, text: str) -> Iterator[tuple[int, str]]:
    check_parser(ctx, parser)
    yield from tokens(text)


@pg_function("ts_token_type(oid)", "ts_token_type(text)", context=True)
def ts_token_type(ctx: CallContext, parser: Any) -> Iterator[tuple[int, str, str]]:
    check_parser(ctx, parser)
    yield from TOKEN_TYPES


@pg_function("ts_stat(text)", "ts_stat(text,text)", context=True)
def ts_stat(ctx: CallContext, sql: str, weights: str = "") -> Iterator[tuple[str, int, int]]:
    """Documents and occurrences of every lexeme of a query's tsvectors."""
    from pgemu.types.tsvector import load_tsvector

    wanted = {"dcba".index(letter) for letter in weights.lower() if letter in "abcd"}
    documents: dict[str, int] = {}
    entries: dict[str, int] = {}
    columns, rows = ctx.session.cursor_query(sql)
    if len(columns) != 1 or columns[0].type_oid != TSVECTOROID:
        raise PgError(INVALID_PARAMETER_VALUE, "ts_stat query must return one tsvector column")
    for (vector,) in rows:
        if vector is None:
            continue
        for lexeme, positions in load_tsvector(vector).items():
            count = sum(1 for p in positions if not weights or p & 3 in wanted)
            if not positions and not weights:
                count = 1
            if count:
                documents[lexeme] = documents.get(lexeme, 0) + 1
                entries[lexeme] = entries.get(lexeme, 0) + count
    for lexeme in sorted(documents):
        yield lexeme, documents[lexeme], entries[lexeme]
