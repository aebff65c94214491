"""SQL keywords and quoting of identifiers (PostgreSQL's kwlist.h and quote_identifier).

The list is data/<version>/keywords.tsv, written by tools/dump_catalogs.py.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from pgemu.fmgr import pg_function

_SAFE = re.compile(r"[a-z_][a-z0-9_]*", re.ASCII)


class Keyword(NamedTuple):
    """catcode: U unreserved, C column name, T type or function name, R reserved."""

    word: str
    catcode: str
    barelabel: bool
    catdesc: str
    baredesc: str


@lru_cache(maxsize=1)
def keywords() -> dict[str, Keyword]:
    """Every keyword by its word."""
    path = Path(__file__).parent / "data" / "15" / "keywords.tsv"
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        word, catcode, bare, catdesc, baredesc = line.split("\t")
        found[word] = Keyword(word, catcode, bare == "1", catdesc, baredesc)
    return found


def is_reserved_for_quoting(word: str) -> bool:
    """Must an identifier of this spelling be quoted: any keyword that is not unreserved."""
    keyword = keywords().get(word)
    return keyword is not None and keyword.catcode != "U"


def quote_identifier(name: str) -> str:
    """The identifier as SQL text, in double quotes only where needed."""
    if _SAFE.fullmatch(name) and not is_reserved_for_quoting(name):
        return name
    return '"' + name.replace('"', '""') + '"'


def quote_qualified_identifier(qualifier: str | None, name: str) -> str:
    """`schema.name`, each part quoted where needed."""
    if qualifier is None:
        return quote_identifier(name)
    return f"{quote_identifier(qualifier)}.{quote_identifier(name)}"


@pg_function("pg_get_keywords()")
def pg_get_keywords() -> list[tuple[str, str, bool, str, str]]:
    return [(k[0], k[1], k[2], k[3], k[4]) for k in sorted(keywords().values())]
