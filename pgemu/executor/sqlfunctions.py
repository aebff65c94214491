"""Functions in language SQL (PostgreSQL's functions.c): their statements run as queries with the
arguments as parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pgemu.catalog.rows import PgProc
from pgemu.errors import UNDEFINED_COLUMN, PgError
from pgemu.fmgr import TypeInfo
from pgemu.nodes.parsenodes import Query
from pgemu.types.record import form_composite, form_record

VOIDOID, RECORDOID = 2278, 2249
_BUILTIN_RETURN = "SQL:RETURN "


def sql_function(session: Any, proc: PgProc, info: TypeInfo) -> Callable[..., Any]:
    """A callable that runs the body; the last statement's rows are the result."""
    prepared: list[Any] = []

    def statements() -> list[Any]:
        if not prepared or prepared[0][0] != session.catalog_version():
            body = _body_queries(session, proc, info)
            prepared[:] = [(session.catalog_version(), body, [None] * len(body))]
        return prepared[0][1]  # type: ignore[no-any-return]

    def run(*args: Any) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = []
        for number, query in enumerate(statements()):
            plans = prepared[0][2]
            if plans[number] is None:
                plans[number] = session.plan_once(query)
            rows = list(session.run_planned(plans[number], query, args).rows or ())
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


def body_text(proc: PgProc) -> str:
    """The source of a body; that of a built-in function with a RETURN body is in prosqlbody."""
    if proc.prosqlbody is not None and proc.prosqlbody.startswith(_BUILTIN_RETURN):
        return "SELECT " + proc.prosqlbody.removeprefix(_BUILTIN_RETURN)
    text: str = proc.prosrc
    return text


def _body_queries(session: Any, proc: PgProc, info: TypeInfo) -> list[Query]:
    if proc.prosqlbody is not None and not proc.prosqlbody.startswith(_BUILTIN_RETURN):
        body = session.catalog.decode_node(proc.prosqlbody, "query")
        return body if isinstance(body, list) else [body]
    queries = []
    for raw in session.parse(body_text(proc)):
        queries.append(
            session.analyze_function_body(raw, proc, list(info.arg_types))
        )
    return queries


def analyze_with_argument_names(
    session: Any, raw: Any, proc: PgProc, arg_types: list[int]
) -> Query:
    """Analyze a body statement with $n parameters; names of arguments stand for them too
    (PostgreSQL's sql_fn_parser_setup)."""
    from pgemu.parser.analyze import parse_analyze

    names = [n for n in (proc.proargnames or ())]
    modes = proc.proargmodes or ("i",) * len(names)
    inputs = [n for n, m in zip(names, modes, strict=False) if m in ("i", "b", "v")]

    def rename(node: Any) -> Any:
        """A column reference that is an argument's name becomes that argument."""
        if isinstance(node, list):
            return [rename(item) for item in node]
        if not isinstance(node, dict):
            return node
        column = node.get("ColumnRef")
        if column is not None:
            fields = [f.get("String", {}).get("sval") for f in column["fields"]]
            if len(fields) == 2 and fields[0] == proc.proname and fields[1] in inputs:
                fields = fields[1:]
            if len(fields) == 1 and fields[0] in inputs:
                return {"ParamRef": {"number": inputs.index(fields[0]) + 1,
                                     "location": column.get("location", 0)}}
        return {key: rename(value) for key, value in node.items()}

    try:
        return parse_analyze(raw, body_text(proc), session.catalog, list(arg_types))
    except PgError as error:
        if error.sqlstate != UNDEFINED_COLUMN or not inputs:
            raise
        from pgemu.nodes.parsenodes import RawStmt

        renamed = RawStmt(rename(raw.node), raw.location, raw.length)
        return parse_analyze(renamed, body_text(proc), session.catalog, list(arg_types))
