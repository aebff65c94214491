"""SQLite's syntax as constructor functions: the one place that knows how it is spelled.

Expressions become text at once, operands parenthesised here, so that callers never think about
precedence; a select stays an object until it is rendered, because ORDER BY, LIMIT and WITH are
added to it late.  (Building sqlglot trees and generating them took two thirds of the time that a
statement's plan takes.)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

OPERATORS = ("=", "<>", "<", "<=", ">", ">=", "IS", "GLOB", "+", "-", "*", "||", "&")


class Text:
    """An expression or a part of a clause; atom: it needs no parentheses as an operand."""

    __slots__ = ("atom", "text")

    def __init__(self, text: str, atom: bool = False) -> None:
        self.text = text
        self.atom = atom

    def __str__(self) -> str:
        return self.text


class Alias(Text):
    """An output column: this AS alias."""

    __slots__ = ("alias", "this")

    def __init__(self, this: Sql, name: str) -> None:
        super().__init__(f"{this} AS {name}")
        self.this = this
        self.alias = name


class Join(Text):
    __slots__ = ("side",)

    def __init__(self, text: str, side: str) -> None:
        super().__init__(text)
        self.side = side


class Query:
    """A select, or a compound (then `head` is its text and `expressions` is empty)."""

    __slots__ = (
        "distinct",
        "expressions",
        "head",
        "limit",
        "offset",
        "order",
        "rest",
        "with_clause",
    )

    def __init__(
        self,
        expressions: Sequence[Sql] = (),
        rest: str = "",
        *,
        head: str = "",
        distinct: bool = False,
    ) -> None:
        self.expressions = list(expressions)
        self.rest = rest
        self.head = head
        self.distinct = distinct
        self.order: Sequence[Sql] = ()
        self.limit: Sql | None = None
        self.offset: Sql | None = None
        self.with_clause = ""

    def __str__(self) -> str:
        text = self.head
        if not text:
            columns = ", ".join([str(e) for e in self.expressions])
            text = f"SELECT {'DISTINCT ' if self.distinct else ''}{columns}{self.rest}"
        if self.order:
            text += f" ORDER BY {_list(self.order)}"
        if self.limit is not None:
            text += f" LIMIT {self.limit}"
        if self.offset is not None:
            text += f" OFFSET {self.offset}"
        return self.with_clause + text


Sql = Any  # a Text or a Query


def _list(nodes: Sequence[Sql]) -> str:
    return ", ".join([str(node) for node in nodes])


def render(node: Sql) -> str:
    """The SQLite text of an expression or a query."""
    return str(node)


def raw(text: str) -> Sql:
    """Text that goes out as it stands (a parameter, a keyword, a checked name)."""
    return Text(text, True)


NULL = Text("NULL", True)


def integer(value: int) -> Sql:
    # a negative literal is an operator and an operand: keep them together
    return raw(str(value)) if value >= 0 else raw(f"({value})")


def string(value: str) -> Sql:
    quoted = value.replace("'", "''")
    return raw(f"'{quoted}'")


def value_literal(value: Any) -> Sql:
    """A storage value as a SQLite literal."""
    if value is None:
        return raw("NULL")
    if isinstance(value, bool):
        return integer(int(value))
    if isinstance(value, int):
        # the least integer has no literal of its own
        return integer(value) if value > -(2**63) else raw("(-9223372036854775807 - 1)")
    if isinstance(value, float):
        if value in (float("inf"), float("-inf")):
            return raw("9e999" if value > 0 else "(-9e999)")
        text = repr(value)
        text = text if "e" in text or "." in text else text + ".0"
        return raw(text if value >= 0 and not text.startswith("-") else f"({text})")
    if isinstance(value, bytes):
        return raw(f"x'{value.hex()}'")
    if "\0" in value:
        return raw(f"CAST(x'{value.encode().hex()}' AS TEXT)")
    return string(value)


def column(alias: str, name: str) -> Sql:
    return Text(f"{alias}.{name}", True)


def func(name: str, *args: Sql) -> Sql:
    return Text(f"{name}({_list(args)})", True)


def as_text(node: Sql) -> Sql:
    """An integer's decimal text."""
    return Text(f"CAST({node} AS TEXT)", True)


def paren(node: Sql) -> Sql:
    return node if node.atom else Text(f"({node.text})", True)


def binary(op: str, left: Sql, right: Sql) -> Sql:
    assert op in OPERATORS
    return Text(f"{paren(left)} {op} {paren(right)}")


def is_not(left: Sql, right: Sql) -> Sql:
    return Text(f"NOT ({paren(left)} IS {paren(right)})")


def not_(node: Sql) -> Sql:
    return Text(f"NOT {paren(node)}")


def connect(op: str, nodes: Sequence[Sql]) -> Sql:
    """nodes joined by "and" or "or"; at least one."""
    if len(nodes) == 1:
        return paren(nodes[0])
    return Text(f" {op.upper()} ".join([paren(node).text for node in nodes]))


def collate(node: Sql, collation: str | None) -> Sql:
    if collation is None:
        return node
    return Text(f"({paren(node)} COLLATE {collation})", True)


def case(whens: Sequence[tuple[Sql, Sql]], default: Sql | None, operand: Sql | None = None) -> Sql:
    parts = "".join([f" WHEN {cond} THEN {result}" for cond, result in whens])
    start = "CASE" if operand is None else f"CASE {operand}"
    end = "" if default is None else f" ELSE {default}"
    return Text(f"{start}{parts}{end} END", True)


def in_list(left: Sql, items: Sequence[Sql]) -> Sql:
    return Text(f"{paren(left)} IN ({_list(items)})")


def row(items: Sequence[Sql]) -> Sql:
    """A row value."""
    return Text(f"({', '.join(str(paren(item)) for item in items)})", True)


def in_query(left: Sql, query: Sql) -> Sql:
    return Text(f"{paren(left)} IN ({query})")


def exists(query: Sql) -> Sql:
    return Text(f"EXISTS({query})", True)


def scalar(query: Sql) -> Sql:
    return Text(f"({query})", True)


def alias(node: Sql, name: str) -> Sql:
    return Alias(node, name)


def ordered(node: Sql, descending: bool, nulls_first: bool | None) -> Sql:
    """nulls_first None: no NULLs can come, so SQLite's own order (and its indexes) serve."""
    text = f"{node} DESC" if descending else str(node)
    if nulls_first is not None and nulls_first == descending:
        text += " NULLS FIRST" if nulls_first else " NULLS LAST"
    return Text(text)


def table(name: str, as_alias: str, schema: str | None = None) -> Sql:
    return Text(f"{schema}.{name} AS {as_alias}" if schema else f"{name} AS {as_alias}")


# SQLite compares the arguments of a table-valued function again from this one on
# (sqlite3_index_info's "omit" has 16 bits), by = also where they are NULL
PLAIN_ARGUMENTS = 16


def table_function(name: str, args: Sequence[Sql], as_alias: str) -> Sql:
    """Arguments that SQLite would compare again are handed over as literals in text."""
    if len(args) > PLAIN_ARGUMENTS:
        rest = [func("quote", arg) for arg in args[PLAIN_ARGUMENTS:]]
        args = [*args[:PLAIN_ARGUMENTS], *rest]
    return Text(f"{name}({_list(args)}) AS {as_alias}")


def derived(query: Sql, as_alias: str) -> Sql:
    """A sub-query in FROM."""
    return Text(f"({query}) AS {as_alias}")


def join(right: Sql, side: str, on: Sql | None) -> Sql:
    """side: "" (inner), "LEFT", "RIGHT", "FULL" or "CROSS"."""
    if side == "CROSS" or (not side and on is None):
        return Join(f" CROSS JOIN {right}", "CROSS")
    start = f" {side} JOIN" if side else " JOIN"
    return Join(f"{start} {right} ON {on if on is not None else 1}", side)


def join_group(first: Sql, joins: Sequence[Sql]) -> Sql:
    """(first JOIN ... JOIN ...) as one operand of an outer join."""
    return Text(f"({first}{''.join([j.text for j in joins])})")


def window(call: Sql, partition: Sequence[Sql], order: Sequence[Sql], frame: str) -> Sql:
    parts = []
    if partition:
        parts.append(f"PARTITION BY {_list(partition)}")
    if order:
        parts.append(f"ORDER BY {_list(order)}")
    if frame:
        parts.append(frame)
    return Text(f"{call} OVER ({' '.join(parts)})", True)


def filtered(call: Sql, condition: Sql) -> Sql:
    return Text(f"{call} FILTER(WHERE {condition})", True)


def select(
    expressions: Sequence[Sql],
    *,
    from_: Sql | None = None,
    joins: Sequence[Sql] = (),
    where: Sql | None = None,
    group: Sequence[Sql] = (),
    having: Sql | None = None,
    order: Sequence[Sql] = (),
    limit: Sql | None = None,
    offset: Sql | None = None,
    distinct: bool = False,
) -> Sql:
    rest = ""
    if from_ is not None:
        rest = f" FROM {from_}" + "".join([j.text for j in joins])
    if where is not None:
        rest += f" WHERE {where}"
    if group:
        rest += f" GROUP BY {_list(group)}"
    if having is not None:
        rest += f" HAVING {having}"
    return add_tail(Query(expressions, rest, distinct=distinct), order, limit, offset)


def add_tail(
    query: Sql, order: Sequence[Sql] = (), limit: Sql | None = None, offset: Sql | None = None
) -> Sql:
    """ORDER BY, LIMIT and OFFSET of a select or compound."""
    if order:
        query.order = order
    if limit is not None or offset is not None:
        query.limit = limit if limit is not None else integer(-1)
    if offset is not None:
        query.offset = offset
    return query


def compound(op: str, left: Sql, right: Sql, *, all_rows: bool) -> Sql:
    """op: "union", "intersect" or "except"."""
    return Query(head=f"{left} {op.upper()}{' ALL' if all_rows else ''} {right}")


def with_(
    query: Sql, ctes: Sequence[tuple[str, Sequence[str], Sql, bool | None]], recursive: bool
) -> Sql:
    """ctes: (name, column names, query, materialized)."""
    items = []
    for name, columns, body, materialized in ctes:
        how = (
            "" if materialized is None else "MATERIALIZED " if materialized else "NOT MATERIALIZED "
        )
        items.append(f"{name}({', '.join(columns)}) AS {how}({body})")
    query.with_clause = f"WITH {'RECURSIVE ' if recursive else ''}{', '.join(items)} "
    return query


def values(rows: Sequence[Sequence[Sql]]) -> Sql:
    """VALUES as a compound of selects would be slow to parse: rows of a VALUES clause, whose
    columns SQLite names column1 ...; wrap it in a select to rename them."""
    return Query(head="VALUES " + ", ".join([f"({_list(row)})" for row in rows]))


def distinct_argument(args: Sequence[Sql]) -> Sql:
    """DISTINCT before the arguments of an aggregate."""
    return Text(f"DISTINCT {_list(args)}")


def ordered_argument(last: Sql, order: Sequence[Sql]) -> Sql:
    """ORDER BY behind the last argument of an aggregate."""
    return Text(f"{last} ORDER BY {_list(order)}")


_COLUMN = re.compile(r"\w+\.\w+")


def is_column(node: Sql) -> bool:
    """A plain column of a table: it may be written several times."""
    return isinstance(node, Text) and _COLUMN.fullmatch(node.text) is not None
