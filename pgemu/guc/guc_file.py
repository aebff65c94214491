"""postgresql.conf: lines of `name = value`, comments, quotes, include directives.

Counterpart: guc-file.l of PostgreSQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pgemu.errors import CONFIG_FILE_ERROR, PgError

MAX_DEPTH = 10
_LINE = re.compile(
    r"""\s*(?:
        (?P<name>[^\x00-@\[-^`{-\x7f][\w$]*(?:\.[^\x00-@\[-^`{-\x7f][\w$]*)*)
        (?:\s*=\s*|\s+)
        (?: '(?P<quoted>(?:[^'\\\n]|\\.|'')*)' | (?P<plain>[^\s'\#=]+) )
    )?\s*(?:\#.*)?\Z""",
    re.VERBOSE,
)
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_ESCAPE = re.compile(r"\\([0-7]{1,3}|.)|''")


class ConfigLine(NamedTuple):
    name: str
    value: str
    file: str
    line: int


def parse_config_file(path: Path, depth: int = 0) -> list[ConfigLine]:
    """The settings of a file and of those it includes, in order; later ones win."""
    if depth > MAX_DEPTH:
        raise PgError(
            CONFIG_FILE_ERROR,
            f'could not open configuration file "{path}": maximum nesting depth exceeded',
        )
    try:
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise PgError(
            CONFIG_FILE_ERROR, f'could not open configuration file "{path}": {error.strerror}'
        ) from error
    made: list[ConfigLine] = []
    for entry in parse_config_text(text, str(path)):
        if entry.name in ("include", "include_if_exists", "include_dir"):
            for included in _included(entry, path.parent):
                made += parse_config_file(included, depth + 1)
        else:
            made.append(entry)
    return made


def parse_config_text(text: str, file: str = "") -> Iterator[ConfigLine]:
    """The lines of a text, include directives among them."""
    for number, line in enumerate(text.split("\n"), 1):
        matched = _LINE.match(line)
        if matched is None:
            token = line.split("#")[0].split()
            near = f'near token "{token[-1]}"' if token else "near end of line"
            raise PgError(CONFIG_FILE_ERROR, f'syntax error in file "{file}" line {number}, {near}')
        if matched["name"] is None:
            continue
        value = matched["plain"]
        if value is None:
            value = _ESCAPE.sub(_unescape, matched["quoted"])
        yield ConfigLine(matched["name"], value, file, number)


def _unescape(matched: re.Match[str]) -> str:
    escaped = matched[1]
    if escaped is None:
        return "'"
    if escaped[0] in "01234567":
        return chr(int(escaped, 8) & 0xFF)
    return _ESCAPES.get(escaped, escaped)


def _included(entry: ConfigLine, folder: Path) -> list[Path]:
    target = folder / entry.value
    if entry.name == "include_dir":
        return sorted(
            item
            for item in target.iterdir()
            if item.suffix == ".conf" and not item.name.startswith(".")
        )
    if entry.name == "include_if_exists" and not target.exists():
        return []
    return [target]
