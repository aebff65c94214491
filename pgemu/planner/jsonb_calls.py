"""jsonb in SQLite: elements of objects by key (-> and ->>), their casts, and what a document must
have in it to contain another (@>, ?).

A stored jsonb is PostgreSQL's own output text, so SQLite's JSON functions find scalars in it as
they are written: a number is numeric's text, a string has the escapes that PostgreSQL writes.
Objects and arrays are left to the body, since SQLite writes them without spaces; so is whatever
else SQLite may read otherwise.  A document contains another one only if the text of each of its
strings, and of each pair of a key and a string, is somewhere in the document's text: what fails
this test does not need the body.  An object of one key and a string is looked for as ->> would.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pgemu.nodes import primnodes as p
from pgemu.planner import sql
from pgemu.planner.calls import native
from pgemu.planner.sql import Sql

if TYPE_CHECKING:
    from pgemu.planner.lowering import Lowering

_Call = p.FuncExpr | p.OpExpr
_Body = Callable[[], Sql]
# SQLite's JSON functions go a thousand levels deep; a shorter text cannot be as deep as that, and
# what is too deep is not valid to them
MAX_JSON_BYTES = 1900
# so many characters of digits fit surely
_DIGITS = {"int2": 4, "int4": 9, "int8": 18}


class Element(sql.Text):
    """The lowered `column -> key -> key` or `... ->> key`, with what it is made of."""

    __slots__ = ("document", "keys", "path")

    def __init__(self, text: str, document: str, keys: list[Sql], path: str) -> None:
        super().__init__(text, True)
        self.document = document
        self.keys = keys
        self.path = path

    @property
    def usable(self) -> str:
        """SQLite can look for it."""
        return f"{_readable(self.document)} AND {self.path} IS NOT NULL"

    @property
    def kind(self) -> str:
        return f"json_type({self.document}, {self.path})"

    @property
    def raw(self) -> str:
        return f"{self.document} -> {self.path}"


def _readable(document: str) -> str:
    return f"(octet_length({document}) < {MAX_JSON_BYTES} OR json_valid({document}))"


def _element(node: _Call, args: list[Sql], low: Lowering) -> Element | None:
    if not isinstance(node.args[1], (p.Const, p.Param)):
        return None
    source = args[0]
    if isinstance(source, Element):
        document, keys = source.document, [*source.keys, args[1]]
    elif sql.is_column(source):
        document, keys = sql.render(source), [args[1]]
    else:
        return None
    path = sql.render(sql.func(low.binder.special("json_path"), *keys))
    if not low.for_index and all(sql.render(key).startswith("?") for key in keys):
        path = f"(SELECT {path})"  # is computed once and not for every row
    return Element("", document, keys, path)


@native("jsonb_object_field")
def object_field(node: _Call, args: list[Sql], low: Lowering, body: _Body) -> Sql | None:
    """jsonb -> key where the value is none or a scalar."""
    found = _element(node, args, low)
    if found is None:
        return None
    found.text = (
        f"CASE WHEN {found.usable} AND coalesce({found.kind} NOT IN ('object', 'array'), 1) "
        f"THEN {found.raw} ELSE {body()} END"
    )
    return found


@native("jsonb_object_field_text")
def object_field_text(node: _Call, args: list[Sql], low: Lowering, body: _Body) -> Sql | None:
    """jsonb ->> key where the value is none or a scalar."""
    found = _element(node, args, low)
    if found is None:
        return None
    scalars = "".join(
        f" WHEN '{kind}' THEN {found.raw}" for kind in ("integer", "real", "true", "false")
    )
    found.text = (  # the kind is looked for once
        f"CASE iif({found.usable}, coalesce({found.kind}, 'null'), '') "
        f"WHEN 'text' THEN {found.document} ->> {found.path} WHEN 'null' THEN NULL{scalars} "
        f"ELSE {body()} END"
    )
    return found


def cast_element(element: Sql, target: str, body: Sql) -> Sql | None:
    """The cast of an element to the type of that name; body is the cast done by the body."""
    if not isinstance(element, Element):
        return None
    if target == "numeric":
        test, value = f"{element.kind} IN ('integer', 'real')", element.raw
    elif target in _DIGITS:
        test = f"{element.kind} = 'integer' AND length({element.raw}) <= {_DIGITS[target]}"
        value = f"{element.document} ->> {element.path}"
    elif target == "bool":
        test, value = f"{element.kind} IN ('true', 'false')", f"{element.kind} = 'true'"
    else:
        return None
    return sql.raw(f"CASE WHEN {element.usable} AND {test} THEN {value} ELSE {body} END")


def _cast(target: str) -> Callable[[_Call, list[Sql], Lowering, _Body], Sql | None]:
    def translate(node: _Call, args: list[Sql], low: Lowering, body: _Body) -> Sql | None:
        return cast_element(args[0], target, body())

    return translate


for _target in ("numeric", "bool", *_DIGITS):
    native(f"jsonb_{_target}")(_cast(_target))


@native("jsonb_contains")
def contains(node: _Call, args: list[Sql], low: Lowering, body: _Body) -> Sql | None:
    return _containing(args[0], args[1], node.args[1], low, body)


@native("jsonb_contained")
def contained(node: _Call, args: list[Sql], low: Lowering, body: _Body) -> Sql | None:
    return _containing(args[1], args[0], node.args[0], low, body)


def _containing(
    document: Sql, part: Sql, part_node: p.Expr, low: Lowering, body: _Body
) -> Sql | None:
    if not isinstance(part_node, (p.Const, p.Param)) or not sql.is_column(document):
        return None
    text = sql.func(low.binder.special("jsonb_needle"), part)
    path = sql.func(low.binder.special("jsonb_pair", "path"), part)
    value = sql.func(low.binder.special("jsonb_pair", "text"), part)
    same = f"json_type({document}, {path}) = 'text' AND {document} ->> {path} = {value}"
    # without OR, NOT and CASE: executor/index_conditions.py looks for conditions of indexes
    small = f"max(octet_length({document}) < {MAX_JSON_BYTES}, json_valid({document}))"
    exact = f"iif(length({path}) > 0 AND {small}, coalesce({same}, 0), {body()})"
    return sql.raw(f"(instr({document}, {text}) > 0 AND {exact})")


@native("jsonb_exists")
def exists(node: _Call, args: list[Sql], low: Lowering, body: _Body) -> Sql | None:
    """A key of an object."""
    found = _element(node, args, low) if sql.is_column(args[0]) else None
    if found is None:
        return None
    test = f"{found.usable} AND json_type({found.document}) = 'object'"
    return sql.raw(f"CASE WHEN {test} THEN {found.kind} IS NOT NULL ELSE {body()} END")
