"""Files of text search dictionaries: affixes, words, synonyms, thesauri, stop words (PostgreSQL's
ts_utils.c, ts_locale.c).

They are those of a PostgreSQL that is installed on the machine, in the tsearch_data folder of its
share folder; without one the error is PostgreSQL's for a missing file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pgemu.errors import INVALID_PARAMETER_VALUE, PgError

TSEARCH_DATA = "/usr/share/postgresql/15/tsearch_data"
CONFIG_FILE_ERROR = "F0000"


class Lexeme(str):
    """A lexeme as dictionaries give it (TSLexeme): lexemes of one variant belong together, addpos
    starts a new position, prefix asks queries for a prefix match."""

    variant: int = 0
    addpos: bool = False
    prefix: bool = False


def lexeme(text: str, variant: int = 0, *, addpos: bool = False, prefix: bool = False) -> Lexeme:
    made = Lexeme(text)
    made.variant, made.addpos, made.prefix = variant, addpos, prefix
    return made


def config_lines(name: str, extension: str, what: str) -> Iterator[str]:
    """tsearch_readline: the lines of tsearch_data/name.extension."""
    if re.fullmatch("[a-z0-9_]*", name) is None:
        raise PgError(
            INVALID_PARAMETER_VALUE, f'invalid text search configuration file name "{name}"'
        )
    path = f"{TSEARCH_DATA}/{name}.{extension}"
    try:
        with open(path, encoding="utf-8") as file:
            yield from file
    except OSError as error:
        raise PgError(
            CONFIG_FILE_ERROR, f'could not open {what} file "{path}": {error.strerror}'
        ) from None
    except UnicodeDecodeError:
        raise PgError(
            "22021", f'invalid byte sequence for encoding "UTF8" in configuration file "{path}"'
        ) from None
