"""The extension unaccent: texts without diacritics (PostgreSQL: contrib/unaccent).

What becomes of a character is in data/unaccent.tsv, which tools/dump_extensions.py asks a server
for.  The dictionary of that name has no body: text search configurations cannot use it yet.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pgemu.errors import UNDEFINED_OBJECT, PgError
from pgemu.fmgr import CallContext, pg_function

DATA = Path(__file__).parent / "data" / "unaccent.tsv"
UNACCENT = "unaccent"


@lru_cache(maxsize=1)
def rules() -> dict[int, str]:
    lines = DATA.read_text(encoding="utf-8").split("\n")
    return {int(code): text for code, _, text in (line.partition("\t") for line in lines if line)}


@pg_function("unaccent(text)")
def unaccent(text: str) -> str:
    return text if text.isascii() else text.translate(rules())


@pg_function("unaccent(regdictionary, text)", context=True)
def unaccent_dict(ctx: CallContext, dictionary: int, text: str) -> str:
    name = ctx.catalog.reg_out("regdictionary", dictionary).split(".")[-1]
    if name != UNACCENT:
        raise PgError(UNDEFINED_OBJECT, f'text search dictionary "{name}" is not supported here')
    return unaccent(text)
