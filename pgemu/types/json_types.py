"""json and jsonb as types, and jsonb's ordering (compareJsonbContainers)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pgemu.errors import INTERNAL_ERROR, PgError
from pgemu.fmgr import CallContext, pg_function
from pgemu.types.base import BaseType, register_type
from pgemu.types.json_parse import canonical, check_json, load_jsonb
from pgemu.types.pqformat import Message, decode_utf8


class JsonType(BaseType):
    name = "json"

    def input(self, text: str, typmod: int, ctx: CallContext) -> str:
        check_json(text)
        return text

    def output(self, value: Any, ctx: CallContext) -> str:
        return str(value)

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> str:
        return self.input(decode_utf8(data), typmod, ctx)

    def send(self, value: Any, ctx: CallContext) -> bytes:
        return str(value).encode()


def type_rank(value: Any) -> int:
    kind = type(value)
    if value is None:
        return 0
    if kind is str:
        return 1
    if kind is bool:
        return 3
    if kind is list:
        return 4
    return 5 if kind is dict else 2


def compare_jsonb(a: Any, b: Any) -> int:
    """Order of two nested values: object > array > boolean > number > string > null."""
    rank_a, rank_b = type_rank(a), type_rank(b)
    if rank_a != rank_b:
        return 1 if rank_a > rank_b else -1
    if rank_a == 0:
        return 0
    if rank_a < 4:
        return int(a > b) - int(a < b)
    if len(a) != len(b):
        return 1 if len(a) > len(b) else -1
    if rank_a == 4:
        for x, y in zip(a, b, strict=True):
            order = compare_jsonb(x, y)
            if order:
                return order
        return 0
    for (ka, va), (kb, vb) in zip(a.items(), b.items(), strict=True):
        if ka != kb:
            return 1 if ka > kb else -1
        order = compare_jsonb(va, vb)
        if order:
            return order
    return 0


def jsonb_compare(a: str, b: str) -> int:
    """Order of two stored values.  A scalar at the top is an array of one element that sorts
    before real arrays of the same size."""
    if a == b:
        return 0
    x, y = load_jsonb(a), load_jsonb(b)
    scalar_x, scalar_y = type_rank(x) < 4, type_rank(y) < 4
    if scalar_x != scalar_y and not (isinstance(x, dict) or isinstance(y, dict)):
        size_x, size_y = (1 if scalar_x else len(x)), (1 if scalar_y else len(y))
        if size_x != size_y:
            return 1 if size_x > size_y else -1
        return -1 if scalar_x else 1
    return compare_jsonb(x, y)


def frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple((k, frozen(v)) for k, v in value.items())
    if isinstance(value, list):
        return ("[", *(frozen(one) for one in value))
    return (type_rank(value), value)


class JsonbType(BaseType):
    name = "jsonb"
    collation = "jsonb_ops"

    def compare(self, a: Any, b: Any) -> int:
        return jsonb_compare(a, b)

    def hash_key(self, value: Any) -> Any:
        return frozen(load_jsonb(value)) if "." in value else value

    def input(self, text: str, typmod: int, ctx: CallContext) -> str:
        return canonical(text)

    def text_encoder(self, ctx: CallContext) -> Callable[[Any], bytes]:
        return str.encode

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> str:
        message = Message(data)
        version = message.integer(1, signed=False)
        if version != 1:
            raise PgError(INTERNAL_ERROR, f"unsupported jsonb version number {version}")
        return canonical(message.text())

    def send(self, value: Any, ctx: CallContext) -> bytes:
        return b"\x01" + str(value).encode()


register_type(JsonType(), JsonbType())

for _name, _test in (
    ("eq", lambda c: c == 0),
    ("ne", lambda c: c != 0),
    ("lt", lambda c: c < 0),
    ("le", lambda c: c <= 0),
    ("gt", lambda c: c > 0),
    ("ge", lambda c: c >= 0),
):

    def _body(a: str, b: str, test: Any = _test) -> bool:
        result: bool = test(jsonb_compare(a, b))
        return result

    pg_function(f"jsonb_{_name}(jsonb, jsonb)")(_body)

pg_function("jsonb_cmp(jsonb, jsonb)")(jsonb_compare)
