"""Text search configurations and dictionaries (PostgreSQL: tsearch/dict*.c, ts_cache.c).

What a configuration maps comes from the catalog; a dictionary is made from its template's name
and its options.  The templates are simple and snowball (English); others are 0A000.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from typing import Any

from pgemu.errors import FEATURE_NOT_SUPPORTED, UNDEFINED_OBJECT, PgError
from pgemu.fmgr import CallContext
from pgemu.types.tsearch_stem import STOP_WORDS, english_stem

# Lexemes of a token: [] for a stop word, None if the dictionary does not know it.
Dictionary = Callable[[str], list[str] | None]

OPTION = re.compile(r"(\w+)\s*=\s*'((?:[^']|'')*)'")
MAX_WORD = 2047


FIRST_USER_OID = 16384


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


def stop_words(options: dict[str, str], name: str) -> frozenset[str]:
    listed = options.get("stopwords")
    if listed is None:
        return frozenset()
    if listed != "english":
        raise PgError(
            "F0000", f'could not open stop-word file "{listed}.stop": No such file or directory'
        )
    return STOP_WORDS


def make_dictionary(template: str, option_text: str, name: str) -> Dictionary:
    options = {key.lower(): value for key, value in OPTION.findall(option_text)}
    if template == "simple":
        accept = options.get("accept", "true").lower() in ("true", "t", "on", "yes", "1")
        return simple_dictionary(stop_words(options, name), accept)
    if template == "snowball":
        language = options.get("language", "").lower()
        if language in ("english", "porter"):
            return english_dictionary(stop_words(options, name))
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            f'the Snowball stemmer for language "{language}" is not available',
        )
    raise PgError(FEATURE_NOT_SUPPORTED, f'text search template "{template}" is not supported')


def rows() -> Any:
    """The catalog room's row classes; it stands above this room."""
    return importlib.import_module("pgemu.catalog.rows")


def dictionary(ctx: CallContext, oid: int) -> Dictionary:
    classes = rows()
    row = ctx.catalog.one(classes.PgTsDict, oid=oid)
    if row is None:
        raise PgError("XX000", f"cache lookup failed for text search dictionary {oid}")
    template = ctx.catalog.one(classes.PgTsTemplate, oid=row.dicttemplate)
    name = method_of_template(ctx.catalog, template)
    return make_dictionary(name, row.dictinitoption or "", row.dictname)


def method_of_template(catalog: Any, template: Any) -> str:
    """The built-in template whose lexize function a template has."""
    same = catalog.all(type(template), tmpllexize=template.tmpllexize)
    builtin = next((t for t in same if t.oid < FIRST_USER_OID), template)
    return str(builtin.tmplname)


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
            lexize = self.made.get(oid)
            if lexize is None:
                lexize = self.made[oid] = dictionary(self.ctx, oid)
            found = lexize(word)
            if found is not None:
                return found
        return None


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
