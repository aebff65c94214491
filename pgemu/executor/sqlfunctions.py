"""Functions in language SQL (PostgreSQL's functions.c): their statements run as queries with the
arguments as parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from pgemu.catalog.rows import PgProc
from pgemu.errors import INVALID_FUNCTION_DEFINITION, PgError
from pgemu.fmgr import TypeInfo
from pgemu.nodes import expr_type
from pgemu.nodes.parsenodes import Alias, FromExpr, Query, RangeTblEntry, RangeTblRef
from pgemu.nodes.primnodes import Expr, TargetEntry, Var
from pgemu.parser.parse_coerce import coerce_to_target_type
from pgemu.parser.parse_func import parse_func_or_column
from pgemu.parser.parse_node import ParseState, make_parsestate
from pgemu.types.record import form_composite, form_record

VOIDOID, RECORDOID = 2278, 2249
_BUILTIN_RETURN = "SQL:RETURN "
_BUILTIN_ATOMIC = "SQL:BEGIN ATOMIC"


def sql_function(session: Any, proc: PgProc, info: TypeInfo) -> Callable[..., Any]:
    """A callable that runs the body; the last statement's rows are the result."""
    prepared: list[Any] = []

    def statements() -> list[Any]:
        # who asks and what the settings are decide names and privileges too
        key = (session.catalog_version(), session.guc.epoch, session.ctx.current_user_oid)
        if not prepared or prepared[0][0] != key:
            body = _body_queries(session, proc, info)
            prepared[:] = [(key, body, [None] * len(body))]
        return prepared[0][1]  # type: ignore[no-any-return]

    # the types of the last result's columns
    types: list[int] = []

    def run(*args: Any) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = []
        statement = 0
        try:
            body = statements()
            plans = prepared[0][2]
            for number, query in enumerate(body):
                statement = number + 1
                if plans[number] is None:
                    plans[number] = session.plan_once(query)
                result = session.run_planned(plans[number], query, args)
                rows = list(result.rows or ())
                types[:] = [c.type_oid for c in result.columns or ()]
        except PgError as error:
            _add_context(error, proc, statement, len(prepared[0][1]) if prepared else 0)
            raise
        return rows

    if proc.proretset:

        def rows_of(*args: Any) -> Iterator[Any]:
            rows = run(*args)
            if info.result_type == VOIDOID:
                return  # a set of nothing has no rows
            # a row type of one column is a row too
            whole = types == [info.result_type] or not (
                info.result_type == RECORDOID
                or session.catalog.types.row(info.result_type).typtype == "c"
            )
            for row in rows:
                yield row[0] if len(row) == 1 and whole else _spread(session, row, info)

        return rows_of

    def call(*args: Any) -> Any:
        rows = run(*args)
        if info.result_type == VOIDOID:
            return None
        if not rows:
            return None
        return _one_value(session, rows[0], info, types)

    return call


def _add_context(error: PgError, proc: PgProc, statement: int, count: int) -> None:
    """sql_exec_error_callback.  PostgreSQL inlines a function of one SELECT, whose errors at run
    time then have no context."""
    inlined = count == 1 and not (
        proc.proretset
        or proc.prosecdef
        or proc.proconfig
        or proc.prorettype in (VOIDOID, RECORDOID)
    )
    if statement == 0:
        what = "during startup" if not inlined else "during inlining"
    elif inlined:
        return
    else:
        what = f"statement {statement}"
    error.add_context(f'SQL function "{proc.proname}" {what}')


def _spread(session: Any, row: tuple[Any, ...], info: TypeInfo) -> tuple[Any, ...]:
    """A row with a place for each dropped column of the result's row type."""
    types = session.catalog.types
    io = types.io(types.base_type(info.result_type))
    live = len(getattr(io, "columns", ())) == len(row) and hasattr(io, "spread")
    return tuple(io.spread(row)) if live else row


def _one_value(session: Any, row: tuple[Any, ...], info: TypeInfo, types: list[int]) -> Any:
    io = session.catalog.types.row(info.result_type)
    if len(row) == 1 and io.typtype != "c" and info.result_type != RECORDOID:
        return row[0]
    if io.typtype == "c":
        if len(row) == 1 and types == [info.result_type]:
            return row[0]
        return form_composite(_spread(session, row, info))
    if len(row) == 1 and types == [RECORDOID]:
        return row[0]
    return form_record(types, row)


def body_text(proc: PgProc) -> str:
    """The source of a body; that of a built-in function with a RETURN body is in prosqlbody."""
    if proc.prosqlbody is not None and proc.prosqlbody.startswith(_BUILTIN_RETURN):
        return "SELECT " + proc.prosqlbody.removeprefix(_BUILTIN_RETURN)
    if proc.prosqlbody is not None and proc.prosqlbody.startswith(_BUILTIN_ATOMIC):
        return proc.prosqlbody.removeprefix(_BUILTIN_ATOMIC).removesuffix("END")
    text: str = proc.prosrc
    return text


def _body_queries(session: Any, proc: PgProc, info: TypeInfo) -> list[Query]:
    if proc.prosqlbody is not None and not proc.prosqlbody.startswith("SQL:"):
        body = session.catalog.decode_node(proc.prosqlbody, "query")
        queries = list(body) if isinstance(body, list) else [body]
        if queries:
            queries[-1] = _coerced(session, queries[-1], info)
        return queries
    queries = []
    for raw in session.parse(body_text(proc)):
        queries.append(session.analyze_function_body(raw, proc, list(info.arg_types)))
    if queries:
        queries[-1] = _coerced(session, queries[-1], info)
    return queries


def _coerced(session: Any, query: Query, info: TypeInfo) -> Query:
    """The last statement with its columns coerced to the declared result (check_sql_fn_retval)."""
    returning = query.command_type in ("insert", "update", "delete")
    entries = query.returning_list if returning else query.target_list
    if query.command_type == "utility":
        return query
    given = [expr_type(t.expr) for t in entries if not t.resjunk]
    wanted = _wanted_types(session, given, info)
    if info.ret_columns and info.result_type == RECORDOID and len(wanted) != len(given):
        row = len(given) == 1 and session.catalog.types.row(given[0])
        if not (row and (row.typtype == "c" or row.oid == RECORDOID)):
            few = "few" if len(given) < len(wanted) else "many"
            raise PgError(
                INVALID_FUNCTION_DEFINITION,
                "return type mismatch in function declared to return record",
                detail=f"Final statement returns too {few} columns.",
            )
    if not wanted or len(wanted) != len(given) or wanted == given:
        return query
    if returning:
        return replace(query, returning_list=_coerced_entries(session, entries, wanted))
    if not query.set_operations and not query.sort_clause and not query.distinct_clause:
        return replace(query, target_list=_coerced_entries(session, entries, wanted))
    names = [t.resname or "" for t in entries if not t.resjunk]
    entry = RangeTblEntry(
        "subquery",
        Alias("result", names),
        subquery=query,
        coltypes=given,
        coltypmods=[-1] * len(given),
        colcollations=[0] * len(given),
    )
    outputs = [
        TargetEntry(Var(1, n, t), n, name)
        for n, (t, name) in enumerate(zip(given, names, strict=True), 1)
    ]
    return Query(
        "select",
        target_list=_coerced_entries(session, outputs, wanted),
        rtable=[entry],
        jointree=FromExpr([RangeTblRef(1)]),
    )


def _wanted_types(session: Any, given: list[int], info: TypeInfo) -> list[int]:
    if info.result_type in (VOIDOID, RECORDOID) or info.ret_columns:
        if info.result_type == VOIDOID or not info.ret_columns:
            return []
        return [t for _, t, _ in info.ret_columns if t]  # 0: of a dropped column
    row = session.catalog.types.row(info.result_type)
    if row.typtype == "c":
        if given == [info.result_type]:
            return given
        return [c.type_oid for c in session.catalog.types.io(info.result_type).columns]
    return [info.result_type]


def _coerced_entries(
    session: Any, entries: list[TargetEntry], wanted: list[int]
) -> list[TargetEntry]:
    pstate = make_parsestate(None, session.catalog)
    result = []
    types = iter(wanted)
    for entry in entries:
        if entry.resjunk:
            result.append(entry)
            continue
        expr = coerce_to_target_type(
            pstate,
            entry.expr,
            expr_type(entry.expr),
            next(types),
            -1,
            "assignment",
            "implicit_cast",
            -1,
        )
        result.append(entry if expr is None else replace(entry, expr=expr))
    return result


def analyze_with_argument_names(
    session: Any, raw: Any, proc: PgProc, arg_types: list[int]
) -> Query:
    """Analyze a body statement with $n parameters; names of arguments stand for them too
    (PostgreSQL's sql_fn_parser_setup)."""
    from pgemu.parser.analyze import analyze_with_state

    returned = raw.node.get("ReturnStmt")
    if returned is not None:
        raw = replace(raw, node=_select_of(returned["returnval"]))
    names = proc.proargnames or ()
    modes = proc.proargmodes or ("i",) * len(names)
    inputs = [n for n, m in zip(names, modes, strict=False) if m in ("i", "b", "v")]
    # the text of a standard body is that of the statement that defines the function
    text = session.source_text if proc.prosqlbody is None and not proc.prosrc else body_text(proc)
    pstate = make_parsestate(None, session.catalog, text)
    if any(inputs):
        pstate.p_post_columnref_hook = _argument_hook(proc.proname, inputs)
    query = analyze_with_state(pstate, raw, list(arg_types))
    return replace(query, is_return=True) if returned is not None else query


def _select_of(value: Any) -> dict[str, Any]:
    return {
        "SelectStmt": {
            "targetList": [{"ResTarget": {"val": value}}],
            "limitOption": "LIMIT_OPTION_DEFAULT",
            "op": "SETOP_NONE",
        }
    }


def _argument_hook(function: str, inputs: list[str]) -> Callable[..., Expr | None]:
    """sql_fn_post_column_ref: argument, argument.field, function.argument[.field], where the
    name is not a column's."""

    def hook(pstate: ParseState, body: dict[str, Any], found: Expr | None) -> Expr | None:
        if found is not None:
            return None
        location = body.get("location", 0)
        names = [f["String"].get("sval", "") for f in body["fields"] if "String" in f]
        if not names or len(body["fields"]) > 3:
            return None
        if len(names) > 1 and names[0] == function and names[1] in inputs:
            names = names[1:]
        elif len(names) == 3:
            return None
        if names[0] not in inputs:
            return None
        assert pstate.p_paramref_hook is not None
        number = inputs.index(names[0]) + 1
        param = pstate.p_paramref_hook(pstate, {"number": number, "location": location})
        if len(names) == 1 or param is None:
            return param
        return parse_func_or_column(pstate, names[1:], [param], None, None, False, location)

    return hook
