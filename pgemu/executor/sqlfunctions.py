"""Functions in language SQL (PostgreSQL's functions.c): their statements run as queries with the
arguments as parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pgemu.catalog.rows import PgProc
from pgemu.fmgr import TypeInfo
from pgemu.nodes.parsenodes import Query
from pgemu.types.record import form_composite, form_record

VOIDOID, RECORDOID = 2278, 2249


def sql_function(session: Any, proc: PgProc, info: TypeInfo) -> Callable[..., Any]:
    """A callable that runs the body; the last statement's rows are the result."""
    prepared: list[Any] = []

    def statements() -> list[Any]:
        if not prepared or prepared[0][0] != session.catalog_version():
            body = _body_queries(session, proc, info)
            prepared[:] = [(session.catalog_version(), body)]
        return prepared[0][1]  # type: ignore[no-any-return]

    def run(*args: Any) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = []
        for query in statements():
            result = session.run_nested(query, args)
            rows = list(result.rows or ())
        return rows

    if proc.proretset:
        def rows_of(*args: Any) -> Iterator[Any]:
            for row in run(*args):
                yield row[0] if len(row) == 1 else row
        return rows_of

    def call(*args: Any) -> Any:
        rows = run(*args)
        if info.result_type == VOIDOID:
            return None if not rows else ""
        if not rows:
            return None
        return _one_value(session, rows[0], info)

    return call


def _one_value(session: Any, row: tuple[Any, ...], info: TypeInfo) -> Any:
    io = session.catalog.types.row(info.result_type)
    if len(row) == 1 and io.typtype != "c" and info.result_type != RECORDOID:
        return row[0]
    if io.typtype == "c":
        return row[0] if len(row) == 1 and _is_composite(row[0]) else form_composite(row)
    types = [t for _, t, _ in info.ret_columns] or [25] * len(row)
    return form_record(types, row) if len(row) > 1 else row[0]


def _is_composite(value: Any) -> bool:
    return isinstance(value, str) and value[:1] == "["


def _body_queries(session: Any, proc: PgProc, info: TypeInfo) -> list[Query]:
    if proc.prosqlbody is not None:
        body = session.catalog.decode_node(proc.prosqlbody, "query")
        return body if isinstance(body, list) else [body]
    queries = []
    for raw in session.parse(proc.prosrc):
        queries.append(
            session.analyze_function_body(raw, proc, list(info.arg_types))
        )
    return queries
