"""The one place that makes sqlglot nodes: SQLite's syntax as constructor functions.

sqlglot's classes are neither subclassed nor patched (its compiled build refuses), and the names of
its arguments are asked for, not assumed, because they have changed between releases.  Operands
are parenthesised here, so that callers never think about precedence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Sql = Any  # a sqlglot expression; its classes are Any for mypy, as the compiled build has no stubs

_BINARY = {
    "=": "EQ",
    "<>": "NEQ",
    "<": "LT",
    "<=": "LTE",
    ">": "GT",
    ">=": "GTE",
    "IS": "Is",
    "GLOB": "Glob",
    "+": "Add",
    "-": "Sub",
    "*": "Mul",
    "||": "DPipe",
    "&": "BitwiseAnd",
}
_ATOMS = ("Column", "Var", "Literal", "Anonymous", "Paren", "Subquery", "Case")


class _Expressions:
    """sqlglot.exp, imported when the first node is made: the import takes longer than all the
    rest of a start, and the first statements of most connections need no node."""

    def __getattr__(self, name: str) -> Any:
        global exp
        from sqlglot import exp as module

        exp = module
        return getattr(module, name)


exp: Any = _Expressions()


def render(node: Sql) -> str:
    """The SQLite text of a tree."""
    from sqlglot.dialects.dialect import Dialect

    return str(Dialect.get_or_raise("sqlite").generator().generate(node, copy=False))


def _argument(name: str) -> str:
    """The name of an argument of Select in this release of sqlglot: "from" or "from_"."""
    return f"{name}_" if f"{name}_" in exp.Select.arg_types else name


def raw(text: str) -> Sql:
    """Text that goes out as it stands (a parameter, a keyword, a checked name)."""
    return exp.Var(this=text)




def __getattr__(name: str) -> Sql:
    """NULL is a node of its own each time, made late."""
    if name == "NULL":
        return raw("NULL")
    raise AttributeError(name)


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
    return exp.Column(this=exp.Identifier(this=name), table=exp.Identifier(this=alias))


def func(name: str, *args: Sql) -> Sql:
    return exp.Anonymous(this=name, expressions=list(args))


def paren(node: Sql) -> Sql:
    return node if type(node).__name__ in _ATOMS else exp.Paren(this=node)


def binary(op: str, left: Sql, right: Sql) -> Sql:
    return getattr(exp, _BINARY[op])(this=paren(left), expression=paren(right))


def is_not(left: Sql, right: Sql) -> Sql:
    return exp.Not(this=exp.Paren(this=binary("IS", left, right)))


def not_(node: Sql) -> Sql:
    return exp.Not(this=paren(node))


def connect(op: str, nodes: Sequence[Sql]) -> Sql:
    """nodes joined by "and" or "or"; at least one."""
    cls = exp.And if op == "and" else exp.Or
    result = paren(nodes[0])
    for node in nodes[1:]:
        result = cls(this=result, expression=paren(node))
    return result


def collate(node: Sql, collation: str | None) -> Sql:
    if collation is None:
        return node
    return exp.Paren(this=exp.Collate(this=paren(node), expression=raw(collation)))


def case(whens: Sequence[tuple[Sql, Sql]], default: Sql | None, operand: Sql | None = None) -> Sql:
    ifs = [exp.If(this=cond, true=result) for cond, result in whens]
    return exp.Case(this=operand, ifs=ifs, default=default)


def in_list(left: Sql, items: Sequence[Sql]) -> Sql:
    return exp.In(this=paren(left), expressions=list(items))


def in_query(left: Sql, query: Sql) -> Sql:
    return exp.In(this=paren(left), query=exp.Subquery(this=query))


def exists(query: Sql) -> Sql:
    return exp.Exists(this=query)


def scalar(query: Sql) -> Sql:
    return exp.Subquery(this=query)


def alias(node: Sql, name: str) -> Sql:
    return exp.Alias(this=node, alias=exp.Identifier(this=name))


def ordered(node: Sql, descending: bool, nulls_first: bool | None) -> Sql:
    """nulls_first None: no NULLs can come, so SQLite's own order (and its indexes) serve."""
    if nulls_first is None:
        nulls_first = not descending
    return exp.Ordered(this=node, desc=descending, nulls_first=nulls_first)


def order_by(items: Sequence[Sql]) -> Sql:
    return exp.Order(expressions=list(items))


def table(name: str, as_alias: str, schema: str | None = None) -> Sql:
    return exp.Table(
        this=exp.Identifier(this=name),
        db=exp.Identifier(this=schema) if schema else None,
        alias=exp.TableAlias(this=exp.Identifier(this=as_alias)),
    )


def table_function(name: str, args: Sequence[Sql], as_alias: str) -> Sql:
    return exp.Table(
        this=func(name, *args), alias=exp.TableAlias(this=exp.Identifier(this=as_alias))
    )


def derived(query: Sql, as_alias: str) -> Sql:
    """A sub-query in FROM."""
    return exp.Subquery(this=query, alias=exp.TableAlias(this=exp.Identifier(this=as_alias)))


def join(right: Sql, side: str, on: Sql | None) -> Sql:
    """side: "" (inner), "LEFT", "RIGHT", "FULL" or "CROSS"."""
    if side == "CROSS" or (not side and on is None):
        return exp.Join(this=right, kind="CROSS")
    return exp.Join(this=right, side=side or None, on=on if on is not None else raw("1"))


def join_group(first: Sql, joins: Sequence[Sql]) -> Sql:
    """(first JOIN ... JOIN ...) as one operand of an outer join."""
    first = first.copy()
    first.set("joins", list(joins))
    return exp.Paren(this=first)


def window(call: Sql, partition: Sequence[Sql], order: Sequence[Sql], frame: str) -> Sql:
    return exp.Window(
        this=call,
        partition_by=list(partition) or None,
        order=order_by(order) if order else None,
        spec=raw(frame) if frame else None,
    )


def filtered(call: Sql, condition: Sql) -> Sql:
    return exp.Filter(this=call, expression=exp.Where(this=condition))


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
    query = exp.Select(expressions=list(expressions))
    if distinct:
        query.set("distinct", exp.Distinct())
    if from_ is not None:
        query.set(_argument("from"), exp.From(this=from_))
        if joins:
            query.set("joins", list(joins))
    if where is not None:
        query.set("where", exp.Where(this=where))
    if group:
        query.set("group", exp.Group(expressions=list(group)))
    if having is not None:
        query.set("having", exp.Having(this=having))
    return add_tail(query, order, limit, offset)


def add_tail(
    query: Sql, order: Sequence[Sql] = (), limit: Sql | None = None, offset: Sql | None = None
) -> Sql:
    """ORDER BY, LIMIT and OFFSET of a select or compound."""
    if order:
        query.set("order", order_by(order))
    if limit is not None or offset is not None:
        query.set("limit", exp.Limit(expression=limit if limit is not None else integer(-1)))
    if offset is not None:
        query.set("offset", exp.Offset(expression=offset))
    return query


def compound(op: str, left: Sql, right: Sql, *, all_rows: bool) -> Sql:
    """op: "union", "intersect" or "except"."""
    cls = {"union": exp.Union, "intersect": exp.Intersect, "except": exp.Except}[op]
    return cls(this=left, expression=right, distinct=not all_rows)


def with_(query: Sql, ctes: Sequence[tuple[str, Sequence[str], Sql, bool | None]],
          recursive: bool) -> Sql:
    """ctes: (name, column names, query, materialized)."""
    items = []
    for name, columns, body, materialized in ctes:
        as_alias = exp.TableAlias(
            this=exp.Identifier(this=name),
            columns=[exp.Identifier(this=c) for c in columns],
        )
        items.append(exp.CTE(this=body, alias=as_alias, materialized=materialized))
    query.set(_argument("with"), exp.With(expressions=items, recursive=recursive))
    return query


def values(rows: Sequence[Sequence[Sql]]) -> Sql:
    """VALUES as a compound of selects would be slow to parse: rows of a VALUES clause, whose
    columns SQLite names column1 ...; wrap it in a select to rename them."""
    tuples = [exp.Tuple(expressions=list(row)) for row in rows]
    return exp.Values(expressions=tuples)


def distinct_argument(args: Sequence[Sql]) -> Sql:
    """DISTINCT before the arguments of an aggregate."""
    return exp.Distinct(expressions=list(args))


def ordered_argument(last: Sql, order: Sequence[Sql]) -> Sql:
    """ORDER BY behind the last argument of an aggregate."""
    return exp.Order(this=last, expressions=list(order))
