"""concat, concat_ws, format and the text || anything operators (PostgreSQL: utils/adt/varlena.c).

Their VARIADIC "any" arguments become text by their types' output functions.
"""

from __future__ import annotations

import re
from typing import Any

from pgemu.errors import (
    INVALID_PARAMETER_VALUE,
    NULL_VALUE_NOT_ALLOWED,
    NUMERIC_VALUE_OUT_OF_RANGE,
    PgError,
)
from pgemu.fmgr import CallContext, TypeInfo, pg_function
from pgemu.guc.lists import quote_identifier
from pgemu.types.quote import quote_nullable
from pgemu.types.variadic import variadic_any

INT4OID = 23
SPECIFIER = re.compile(r"%(?:(\d+)\$)?(-?)(?:(\d+)|\*(?:(\d+)\$)?()|)(.?)", re.DOTALL)


def texts(ctx: CallContext, type_oids: tuple[int, ...], values: tuple[Any, ...]) -> list[Any]:
    """The text forms of arguments; NULL stays None."""
    io = ctx.catalog.types.io
    return [
        None if value is None else value if oid in (25, 705, 1043) else io(oid).output(value, ctx)
        for oid, value in zip(type_oids, values, strict=False)
    ]


@pg_function("concat(any) -> text", context=True, typed=True)
@variadic_any()
def text_concat(ctx: CallContext, info: TypeInfo, *args: Any) -> str:
    return "".join(t for t in texts(ctx, info.arg_types, args) if t is not None)


@pg_function("concat_ws(text,any) -> text", context=True, typed=True)
@variadic_any(1)
def text_concat_ws(ctx: CallContext, info: TypeInfo, separator: Any, *args: Any) -> str | None:
    if separator is None:
        return None
    parts = texts(ctx, info.arg_types[1:], args)
    return str(separator).join(t for t in parts if t is not None)


@pg_function("textanycat(text,anynonarray)", context=True, typed=True)
def textanycat(ctx: CallContext, info: TypeInfo, a: str, b: Any) -> str:
    return a + str(texts(ctx, info.arg_types[1:], (b,))[0])


@pg_function("anytextcat(anynonarray,text)", context=True, typed=True)
def anytextcat(ctx: CallContext, info: TypeInfo, a: Any, b: str) -> str:
    return str(texts(ctx, info.arg_types[:1], (a,))[0]) + b


def convert(kind: str, text: str | None) -> str:
    if kind == "s":
        return "" if text is None else text
    if kind == "I":
        if text is None:
            raise PgError(
                NULL_VALUE_NOT_ALLOWED, "null values cannot be formatted as an SQL identifier"
            )
        return quote_identifier(text)
    return quote_nullable(text)


def number_out_of_range() -> PgError:
    return PgError(NUMERIC_VALUE_OUT_OF_RANGE, "number is out of range")


def digits(text: str) -> int:
    """text_format_parse_digits."""
    if int(text) > 0x7FFFFFFF:
        raise number_out_of_range()
    return int(text)


class Formatter:
    """One call of format(): the arguments and which comes next."""

    def __init__(self, ctx: CallContext, values: list[Any]) -> None:
        self.ctx = ctx
        self.int4 = ctx.catalog.types.io(INT4OID)
        self.values = values
        self.next = 0

    def argument(self, position: str | None) -> Any:
        if position is not None:
            self.next = digits(position) - 1
            if self.next < 0:
                raise PgError(
                    INVALID_PARAMETER_VALUE,
                    "format specifies argument 0, but arguments are numbered from 1",
                )
        if self.next >= len(self.values):
            raise PgError(INVALID_PARAMETER_VALUE, "too few arguments for format()")
        value = self.values[self.next]
        self.next += 1
        return value

    def width(self, value: Any) -> int:
        if value is None:
            return 0
        number = self.int4.input(str(value), -1, self.ctx)
        if number == -0x80000000:
            raise number_out_of_range()
        return int(number)

    def replaced(self, match: re.Match[str]) -> str:
        position, minus, number, star_position, star, kind = match.groups()
        if match[0] == "%%":
            return "%"
        if not kind:
            raise PgError(
                INVALID_PARAMETER_VALUE,
                "unterminated format() type specifier",
                hint='For a single "%" use "%%".',
            )
        width = digits(number) if number else 0
        if star is not None:
            width = self.width(self.argument(star_position))
        if kind not in "sIL":
            raise PgError(
                INVALID_PARAMETER_VALUE,
                f'unrecognized format() type specifier "{kind}"',
                hint='For a single "%" use "%%".',
            )
        text = convert(kind, self.argument(position))
        left = bool(minus) or width < 0
        return text.ljust(abs(width)) if left else text.rjust(abs(width))


@pg_function("format(text) -> text", "format(text,any) -> text", context=True, typed=True)
@variadic_any(1, null_array=False)
def text_format(ctx: CallContext, info: TypeInfo, pattern: str | None, *args: Any) -> str | None:
    if pattern is None:
        return None
    formatter = Formatter(ctx, texts(ctx, info.arg_types[1:], args))
    return SPECIFIER.sub(formatter.replaced, pattern)
