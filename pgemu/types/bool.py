"""bool (PostgreSQL: utils/adt/bool.c).  Storage: INTEGER 0/1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pgemu.errors import INVALID_TEXT_REPRESENTATION, PgError
from pgemu.fmgr import CallContext, pg_function
from pgemu.nodes.primnodes import Value
from pgemu.types.base import BaseType, register_type
from pgemu.types.comparison import bind_comparisons
from pgemu.types.pqformat import Message

SPACE = " \t\n\v\f\r"


def parse_bool(text: str) -> int | None:
    """parse_bool: unique prefixes of true, false, yes, no, and on, off, 1, 0; None if neither."""
    word = text.lower()
    if not word:
        return None
    for full, value in (("true", 1), ("false", 0), ("yes", 1), ("no", 0)):
        if full.startswith(word):
            return value
    if word in ("on", "1"):
        return 1
    if word in ("off", "of", "0"):
        return 0
    return None


class BoolType(BaseType):
    name = "bool"
    storage = "integer"

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        if text == "t" or text == "true":
            return 1
        value = parse_bool(text.strip(SPACE))
        if value is None:
            raise PgError(
                INVALID_TEXT_REPRESENTATION, f'invalid input syntax for type boolean: "{text}"'
            )
        return value

    def output(self, value: Any, ctx: CallContext) -> str:
        return "t" if value else "f"

    def text_encoder(self, ctx: CallContext) -> Callable[[Any], bytes]:
        return lambda value: b"t" if value else b"f"

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> Value:
        message = Message(data)
        value = message.byte()
        message.end()
        return int(value != 0)

    def send(self, value: Any, ctx: CallContext) -> bytes:
        return b"\1" if value else b"\0"


register_type(BoolType())

bind_comparisons("bool", "bool,bool", cmp="btboolcmp")

pg_function("bool(int4) -> bool")(lambda n: int(n != 0))
pg_function("int4(bool) -> int4")(lambda b: int(b))
pg_function("text(bool) -> text")(lambda b: "true" if b else "false")
pg_function("booland_statefunc(bool,bool) -> bool")(lambda a, b: int(a and b))
pg_function("boolor_statefunc(bool,bool) -> bool")(lambda a, b: int(a or b))
