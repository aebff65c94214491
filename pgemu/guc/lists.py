"""Comma-separated lists of names, as search_path and its kind hold them.

Counterpart: SplitIdentifierString and SplitGUCList of PostgreSQL's varlena.c, quote_identifier
of ruleutils.c and flatten_set_variable_args of guc.c.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from pgemu.errors import INVALID_PARAMETER_VALUE, PgError
from pgemu.guc.setting import Setting

_SPACE = " \t\n\r\f\v"
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*\Z")
NAMEDATALEN = 64

RESERVED = frozenset(
    [
        "all",
        "analyse",
        "analyze",
        "and",
        "any",
        "array",
        "as",
        "asc",
        "asymmetric",
        "authorization",
        "between",
        "bigint",
        "binary",
        "bit",
        "boolean",
        "both",
        "case",
        "cast",
        "char",
        "character",
        "check",
        "coalesce",
        "collate",
        "collation",
        "column",
        "concurrently",
        "constraint",
        "create",
        "cross",
        "current_catalog",
        "current_date",
        "current_role",
        "current_schema",
        "current_time",
        "current_timestamp",
        "current_user",
        "dec",
        "decimal",
        "default",
        "deferrable",
        "desc",
        "distinct",
        "do",
        "else",
        "end",
        "except",
        "exists",
        "extract",
        "false",
        "fetch",
        "float",
        "for",
        "foreign",
        "freeze",
        "from",
        "full",
        "grant",
        "greatest",
        "group",
        "grouping",
        "having",
        "ilike",
        "in",
        "initially",
        "inner",
        "inout",
        "int",
        "integer",
        "intersect",
        "interval",
        "into",
        "is",
        "isnull",
        "join",
        "lateral",
        "leading",
        "least",
        "left",
        "like",
        "limit",
        "localtime",
        "localtimestamp",
        "national",
        "natural",
        "nchar",
        "none",
        "normalize",
        "not",
        "notnull",
        "null",
        "nullif",
        "numeric",
        "offset",
        "on",
        "only",
        "or",
        "order",
        "out",
        "outer",
        "overlaps",
        "overlay",
        "placing",
        "position",
        "precision",
        "primary",
        "real",
        "references",
        "returning",
        "right",
        "row",
        "select",
        "session_user",
        "setof",
        "similar",
        "smallint",
        "some",
        "substring",
        "symmetric",
        "table",
        "tablesample",
        "then",
        "time",
        "timestamp",
        "to",
        "trailing",
        "treat",
        "trim",
        "true",
        "union",
        "unique",
        "user",
        "using",
        "values",
        "varchar",
        "variadic",
        "verbose",
        "when",
        "where",
        "window",
        "with",
        "xmlattributes",
        "xmlconcat",
        "xmlelement",
        "xmlexists",
        "xmlforest",
        "xmlnamespaces",
        "xmlparse",
        "xmlpi",
        "xmlroot",
        "xmlserialize",
        "xmltable",
    ]
)
"""Every keyword that is not unreserved: quote_identifier quotes these."""


def quote_identifier(name: str) -> str:
    if _PLAIN.match(name) and name not in RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


@lru_cache(maxsize=256)
def split_identifier_string(text: str) -> tuple[str, ...] | None:
    """The names of a list like `a, "B c"`; unquoted ones are folded; None if malformed."""
    return _split(text, fold=True)


@lru_cache(maxsize=64)
def split_guc_list(text: str) -> tuple[str, ...] | None:
    """As split_identifier_string, without folding."""
    return _split(text, fold=False)


def _split(text: str, *, fold: bool) -> tuple[str, ...] | None:
    names: list[str] = []
    at = _skip_space(text, 0)
    if at == len(text):
        return ()
    while True:
        if text[at : at + 1] == '"':
            found = _quoted(text, at + 1)
            if found is None:
                return None
            name, at = found
        else:
            start = at
            while at < len(text) and text[at] != "," and text[at] not in _SPACE:
                at += 1
            if at == start:
                return None
            name = text[start:at]
            if fold:
                name = name.lower() if name.isascii() else "".join(map(_fold, name))
        names.append(name.encode()[: NAMEDATALEN - 1].decode("utf-8", "ignore") if fold else name)
        at = _skip_space(text, at)
        if at == len(text):
            return tuple(names)
        if text[at] != ",":
            return None
        at = _skip_space(text, at + 1)


def _skip_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _fold(letter: str) -> str:
    return letter.lower() if letter.isascii() else letter


def _quoted(text: str, at: int) -> tuple[str, int] | None:
    parts: list[str] = []
    while True:
        end = text.find('"', at)
        if end < 0:
            return None
        parts.append(text[at:end])
        if text[end + 1 : end + 2] != '"':
            return "".join(parts), end + 1
        parts.append('"')
        at = end + 2


def flatten_set_variable_args(setting: Setting | None, name: str, args: Sequence[str]) -> str:
    """The one text of SET's arguments, already each a text; 22023 if there may be only one."""
    flags = setting.flags if setting is not None else frozenset[str]()
    if "LIST_INPUT" not in flags and len(args) != 1:
        raise PgError(INVALID_PARAMETER_VALUE, f"SET {name} takes only one argument")
    if "LIST_QUOTE" in flags:
        return ", ".join(map(quote_identifier, args))
    return ", ".join(args)
