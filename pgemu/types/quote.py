"""quote_ident, quote_literal, quote_nullable, parse_ident (PostgreSQL: utils/adt/quote.c,
ruleutils.c, misc.c)."""

from __future__ import annotations

import json
import re
from typing import Any

from pgemu.errors import INVALID_PARAMETER_VALUE, PgError
from pgemu.fmgr import CallContext, TypeInfo, pg_function
from pgemu.guc.lists import quote_identifier
from pgemu.types.text import truncate_name

IDENTIFIER = re.compile(r"[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*")

BOOLOID = 16

pg_function("quote_ident(text) -> text")(quote_identifier)


@pg_function("quote_literal(text) -> text")
def quote_literal(text: str) -> str:
    prefix = "E" if "\\" in text else ""
    return prefix + "'" + text.replace("'", "''").replace("\\", "\\\\") + "'"


@pg_function("quote_literal(anyelement) -> text", context=True, typed=True)
def quote_literal_any(ctx: CallContext, info: TypeInfo, value: Any) -> str:
    if info.arg_types[0] == BOOLOID:  # the function's SQL body casts to text
        return "'true'" if value else "'false'"
    return quote_literal(ctx.catalog.types.io(info.arg_types[0]).output(value, ctx))


@pg_function("quote_nullable(text) -> text")
def quote_nullable(text: str | None) -> str:
    return "NULL" if text is None else quote_literal(text)


@pg_function("quote_nullable(anyelement) -> text", context=True, typed=True)
def quote_nullable_any(ctx: CallContext, info: TypeInfo, value: Any) -> str:
    return "NULL" if value is None else quote_literal_any(ctx, info, value)


def identifier_error(text: str, detail: str | None = None) -> PgError:
    return PgError(
        INVALID_PARAMETER_VALUE, f'string is not a valid identifier: "{text}"', detail=detail
    )


@pg_function("parse_ident(text,bool) -> _text")
def parse_ident(text: str, strict: Any = 1) -> str:
    """The parts of a qualified identifier, folded and unquoted."""
    space = " \t\n\r\f\v"
    parts: list[str] = []
    i, size = 0, len(text)

    def skip(i: int) -> int:
        while i < size and text[i] in space:
            i += 1
        return i

    i = skip(i)
    after_dot = False
    while True:
        if i < size and text[i] == '"':
            end = i + 1
            while (end := text.find('"', end)) >= 0 and text[end + 1 : end + 2] == '"':
                end += 2
            if end < 0:
                raise identifier_error(text, "String has unclosed double quotes.")
            part = text[i + 1 : end].replace('""', '"')
            if not part:
                raise identifier_error(text, "Quoted identifier must not be empty.")
            parts.append(part)
            i = end + 1
        else:
            match = IDENTIFIER.match(text, i)
            if match is None:
                if i < size and text[i] == ".":
                    raise identifier_error(text, 'No valid identifier before ".".')
                if after_dot:
                    raise identifier_error(text, 'No valid identifier after ".".')
                raise identifier_error(text)
            parts.append(truncate_name(match[0].lower()) if not strict else match[0].lower())
            i = match.end()
        i = skip(i)
        if i < size and text[i] == ".":
            after_dot = True
            i = skip(i + 1)
        elif i >= size:
            break
        else:
            if strict:
                raise identifier_error(text)
            break
    return json.dumps(parts, separators=(",", ":"), ensure_ascii=False)
