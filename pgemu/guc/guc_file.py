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
_NAME = re.compile(r"[A-Za-z_][\w$]*(?:\.[A-Za-z_][\w$]*)*")
_VALUE = re.compile(r"'(?:[^'\\\n]|\\.|'')*'|[\w.+:/-]+")
_TOKEN = re.compile(r"'(?:[^'\\\n]|\\.|'')*'|[\w.+:/-]+|.")
_MISSING = "No such file or directory"
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_ESCAPE = re.compile(r"\\([0-7]{1,3}|.)|''")


class ConfigLine(NamedTuple):
    """error, message: what is wrong with it, for pg_file_settings and for the log."""

    name: str
    value: str
    file: str
    line: int
    error: str = ""
    message: str = ""


def parse_config_file(path: Path, depth: int = 0, by: str = "", at: int = 0) -> list[ConfigLine]:
    """The settings of a file and of those it includes, in order; later ones win.  What cannot be
    read is a line with an error, named or not.  by, at: the file and line that includes it."""
    if depth > MAX_DEPTH:
        words = f'could not open configuration file "{path}": maximum nesting depth exceeded'
        return [ConfigLine("", "", by, at, "nesting depth exceeded", words)]
    try:
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        words = f'could not open configuration file "{path}": {error.strerror}'
        return [ConfigLine("", "", by, at, f'could not open file "{path}"', words)]
    made: list[ConfigLine] = []
    for entry in _lines(text, str(path)):
        if not entry.error and entry.name in ("include", "include_if_exists", "include_dir"):
            if entry.name == "include_dir" and not (path.parent / entry.value).is_dir():
                folder = path.parent / entry.value
                words = f'could not open directory "{folder}"'
                log = f'could not open configuration directory "{folder}": {_MISSING}'
                made.append(ConfigLine("", "", str(path), entry.line, words, log))
                continue
            for included in _included(entry, path.parent):
                made += parse_config_file(included, depth + 1, str(path), entry.line)
        else:
            made.append(entry)
    return made


def parse_config_text(text: str, file: str = "") -> Iterator[ConfigLine]:
    """The lines of a text, include directives among them; PgError for a bad one."""
    for entry in _lines(text, file):
        if entry.error:
            raise PgError(CONFIG_FILE_ERROR, entry.message)
        yield entry


def _lines(text: str, file: str) -> Iterator[ConfigLine]:
    for number, line in enumerate(text.split("\n"), 1):
        matched = _LINE.match(line)
        if matched is None:
            words = f'syntax error in file "{file}" line {number}, {_near(line)}'
            yield ConfigLine("", "", file, number, "syntax error", words)
            continue
        if matched["name"] is None:
            continue
        value = matched["plain"]
        if value is None:
            value = _ESCAPE.sub(_unescape, matched["quoted"])
        yield ConfigLine(matched["name"], value, file, number)


def _near(line: str) -> str:
    """Where the grammar gives up: the token that is neither name, value nor end."""
    rest = line.lstrip()
    name = _NAME.match(rest)
    if name is None:
        token = _TOKEN.match(rest)
        return f'near token "{token[0] if token else rest[:1]}"'
    rest = re.sub(r"^\s*=?\s*", "", rest[name.end() :])
    value = _VALUE.match(rest)
    if value is not None:
        rest = rest[value.end() :].lstrip()
    if not rest or rest[0] == "#":
        return "near end of line"
    token = _TOKEN.match(rest)
    return f'near token "{token[0] if token else rest[0]}"'


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
