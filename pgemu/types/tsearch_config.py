"""Text search configurations and dictionaries (PostgreSQL: tsearch/dict*.c, ts_cache.c).

What a configuration maps comes from the catalog; a dictionary is made from its template's name
and its options.  The templates are simple, synonym, thesaurus, ispell and snowball.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from pgemu.errors import FEATURE_NOT_SUPPORTED, UNDEFINED_OBJECT, PgError
from pgemu.fmgr import CallContext
from pgemu.types.tsearch_files import config_lines
from pgemu.types.tsearch_ispell import IspellDictionary
from pgemu.types.tsearch_stem import STOP_WORDS, english_stem
from pgemu.types.tsearch_synonym import Thesaurus, boolean_option, synonym_dictionary

# Lexemes of a token: [] for a stop word, None if the dictionary does not know it.
Dictionary = Callable[[str], list[str] | None]

OPTION = re.compile(r"(\w+)\s*=\s*(?:E?'((?:[^']|'')*)'|(\d+))")
# a template's lexize function -> what it is here, whatever name CREATE TEXT SEARCH TEMPLATE gave
TEMPLATES = {
    "dsimple_lexize": "simple", "dsynonym_lexize": "synonym", "dispell_lexize": "ispell",
    "thesaurus_lexize": "thesaurus", "dsnowball_lexize": "snowball",
}  # fmt: skip
MAX_WORD = 2047


def simple_dictionary(stop_words: frozenset[str], accept: bool) -> Dictionary:
    def lexize(word: str) -> list[str] | None:
        word = word.lower()
        if word in stop_words:
            return []
        return [word] if accept else None

    return lexize


def english_dictionary(stop_words: frozenset[str]) -> Dictionary:
    def lexize(word: str) -> list[str]:
        word = word.lower()
        if len(word) > 1000:
            return [word]
        return [] if word in stop_words else [english_stem(word)]

    return lexize


def snowball_dictionary(language: str, stop_words: frozenset[str]) -> Dictionary:
    """Another language's stemmer: the Snowball project's own, for Python."""
    try:
        stemmers = importlib.import_module("snowballstemmer")
    except ImportError:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            f'the Snowball stemmer for language "{language}" is not available',
        ) from None
    if language not in stemmers.algorithms() or language == "porter":
        raise PgError(
            UNDEFINED_OBJECT,
            f'no Snowball stemmer available for language "{language}" and encoding "UTF8"',
        )
    stem = stemmers.stemmer(language).stemWord

    def lexize(word: str) -> list[str]:
        word = word.lower()
        if len(word) > 1000:
            return [word]
        return [] if word in stop_words else [stem(word)]

    return lexize


@cache
def stop_word_lists() -> dict[str, str]:
    """What PostgreSQL's share folder has, by language."""
    text = (Path(__file__).parent / "data" / "stop_words.tsv").read_text(encoding="utf-8")
    pairs = (line.partition("\t") for line in text.splitlines())
    return {language: words for language, _, words in pairs}


def stop_words(options: dict[str, str], name: str) -> frozenset[str]:
    listed = options.get("stopwords")
    if listed is None:
        return frozenset()
    if listed == "english":
        return STOP_WORDS
    found = stop_word_lists().get(listed)
    if found is not None:
        return frozenset(found.split())
    lines = config_lines(listed, "stop", "stop-word")
    return frozenset(word for line in lines for word in line.lower().split()[:1])


def make_dictionary(template: str, option_text: str, name: str, ctx: Any = None) -> Dictionary:
    """ctx: for the dictionary that a thesaurus names."""
    options = {k.lower(): quoted or plain for k, quoted, plain in OPTION.findall(option_text)}
    if template == "synonym":
        sensitive = boolean_option("casesensitive", options.get("casesensitive", "false"))
        return synonym_dictionary(options["synonyms"], sensitive)
    if template == "ispell":
        return IspellDictionary(
            options["dictfile"], options["afffile"], stop_words(options, name)
        ).lexize
    if template == "thesaurus":
        return PhraseDictionary(thesaurus(ctx, options)).lexize
    if template == "simple":
        accept = options.get("accept", "true").lower() in ("true", "t", "on", "yes", "1")
        return simple_dictionary(stop_words(options, name), accept)
    if template == "snowball":
        language = options.get("language", "").lower()
        if language in ("english", "porter"):
            return english_dictionary(stop_words(options, name))
        return snowball_dictionary(language, stop_words(options, name))
    raise PgError(FEATURE_NOT_SUPPORTED, f'text search template "{template}" is not supported')


def thesaurus(ctx: Any, options: dict[str, str]) -> Thesaurus:
    """With the dictionary that its words are brought to their base forms by."""
    oid = ctx.catalog.reg_in("regdictionary", options["dictionary"])
    return Thesaurus(options["dictfile"], dictionary(ctx, oid))


def template_kind(ctx: Any, oid: int) -> str:
    """The built-in template with the same functions."""
    classes = rows()
    row = ctx.catalog.one(classes.PgTsTemplate, oid=oid)
    proc = ctx.catalog.one(classes.PgProc, oid=row.tmpllexize)
    kind: str = TEMPLATES.get(proc.proname, row.tmplname)
    return kind


def rows() -> Any:
    """The catalog room's row classes; it stands above this room."""
    return importlib.import_module("pgemu.catalog.rows")


def dictionary(ctx: CallContext, oid: int) -> Dictionary:
    classes = rows()
    row = ctx.catalog.one(classes.PgTsDict, oid=oid)
    if row is None:
        raise PgError("XX000", f"cache lookup failed for text search dictionary {oid}")
    memo = getattr(ctx.catalog, "memo", None)
    key = ("ts_dict", row)
    if memo is not None and key in memo:
        known: Dictionary = memo[key]
        return known
    kind = template_kind(ctx, row.dicttemplate)
    made = make_dictionary(kind, row.dictinitoption or "", row.dictname, ctx)
    if memo is not None:
        memo[key] = made
    return made


class PhraseDictionary:
    """A thesaurus that is asked for one word only, as ts_lexize does."""

    def __init__(self, phrases: Thesaurus) -> None:
        self.phrases = phrases

    def lexize(self, word: str) -> list[str] | None:
        found = self.phrases.match([word])
        return None if found is None else found[1]


class Configuration:
    """Token type to dictionaries, looked up when a token of the type comes."""

    def __init__(self, ctx: CallContext, oid: int) -> None:
        self.ctx = ctx
        self.oid = oid
        classes = rows()
        if ctx.catalog.one(classes.PgTsConfig, oid=oid) is None:
            raise PgError("XX000", f"cache lookup failed for text search configuration {oid}")
        self.mapped: dict[int, list[int]] = {}
        found = ctx.catalog.all(classes.PgTsConfigMap, mapcfg=oid)
        for row in sorted(found, key=lambda row: (row.maptokentype, row.mapseqno)):
            self.mapped.setdefault(row.maptokentype, []).append(row.mapdict)
        self.made: dict[int, Dictionary] = {}

    def lexize(self, token_type: int, word: str) -> list[str] | None:
        """The first dictionary that knows the word answers."""
        for oid in self.mapped.get(token_type, ()):
            found = self.dictionary_of(oid)(word)
            if found is not None:
                return found
        return None

    def dictionary_of(self, oid: int) -> Dictionary:
        """The dictionary, made at first use."""
        found = self.made.get(oid)
        if found is None:
            found = self.made[oid] = dictionary(self.ctx, oid)
        return found

    def lexize_at(self, words: list[tuple[int, str]], at: int) -> tuple[int, list[str] | None]:
        """(how many of the words were used, their lexemes): a thesaurus may take several."""
        token_type, word = words[at]
        for oid in self.mapped.get(token_type, ()):
            lexize = self.dictionary_of(oid)
            owner = getattr(lexize, "__self__", None)
            if isinstance(owner, PhraseDictionary):
                following = []
                for kind, text in words[at:]:
                    if oid not in self.mapped[kind]:
                        break
                    following.append(text)
                matched = owner.phrases.match(following)
                if matched is not None:
                    return matched
                continue
            found = lexize(word)
            if found is not None:
                return 1, found
        return 1, None


def configuration(ctx: CallContext, oid: int) -> Configuration:
    """Kept with the catalog's other derived facts, which it forgets when a row changes."""
    memo = getattr(ctx.catalog, "memo", None)
    if memo is None:
        return Configuration(ctx, oid)
    found: Configuration | None = memo.get(("ts_config", oid))
    if found is None:
        found = memo[("ts_config", oid)] = Configuration(ctx, oid)
    return found


def current_configuration(ctx: CallContext) -> int:
    """getTSCurrentConfig."""
    name = ctx.guc.get("default_text_search_config") if ctx.guc is not None else "simple"
    if not name:
        raise PgError(UNDEFINED_OBJECT, "text search configuration isn't set")
    oid: int = ctx.catalog.reg_in("regconfig", name)
    return oid
