"""Functions in language SQL (PostgreSQL's functions.c): their statements run as queries with the
arguments as parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from pgemu.catalog.rows import PgProc
from pgemu.errors import FEATURE_NOT_SUPPORTED, INVALID_FUNCTION_DEFINITION, PgError
from pgemu.executor.locking import PlanOutdated
from pgemu.executor.spi import as_internal_error
from pgemu.fmgr import TypeInfo
from pgemu.nodes import expr_type, expr_typmod, plain_expression
from pgemu.nodes.parsenodes import Alias, FromExpr, Query, RangeTblEntry, RangeTblRef
from pgemu.nodes.primnodes import Expr, TargetEntry, Var
from pgemu.parser.parse_coerce import coerce_to_target_type
from pgemu.parser.parse_func import parse_func_or_column
from pgemu.parser.parse_node import ParseState, make_parsestate
from pgemu.types.record import form_composite, form_record

VOIDOID, RECORDOID = 2278, 2249
_BUILTIN_RETURN = "SQL:RETURN "
_TRANSACTION_TAGS = {
    "TRANS_STMT_BEGIN": "BEGIN",
    "TRANS_STMT_START": "START TRANSACTION",
    "TRANS_STMT_COMMIT": "COMMIT",
    "TRANS_STMT_ROLLBACK": "ROLLBACK",
    "TRANS_STMT_SAVEPOINT": "SAVEPOINT",
    "TRANS_STMT_RELEASE": "RELEASE",
    "TRANS_STMT_ROLLBACK_TO": "ROLLBACK",
    "TRANS_STMT_PREPARE": "PREPARE TRANSACTION",
    "TRANS_STMT_COMMIT_PREPARED": "COMMIT PREPARED",
    "TRANS_STMT_ROLLBACK_PREPARED": "ROLLBACK PREPARED",
}
_BUILTIN_ATOMIC = "SQL:BEGIN ATOMIC"


def sql_function(session: Any, proc: PgProc, info: TypeInfo) -> Callable[..., Any]:
    """A callable that runs the body; the last statement's rows are the result."""
    prepared: list[Any] = []

    def statements() -> tuple[Any, ...]:
        # who asks and what the settings are decide names and privileges too
        key = (session.catalog_version(), session.guc.epoch, session.ctx.current_user_oid)
        if not prepared or prepared[0][0] != key:
            session.accept_invalidations()
            prepared[:] = [(key, *_prepare(session, proc, info))]
        return prepared[0]  # type: ignore[no-any-return]

    # the types of the last result's columns
    types: list[int] = []

    def run(*args: Any) -> list[tuple[Any, ...]]:
        stack = session.context_stack
        depth = len(stack)
        made: tuple[Any, ...] | None = None
        try:
            made = statements()
            rows = _run_body(session, made, args, types)
            if made[4] and types != [info.result_type]:
                rows = [_spread(row, made[4]) for row in rows]
        except PlanOutdated:
            del stack[depth:]
            return run(*args)
        except PgError as error:
            if made is not None:
                for line in stack[depth:]:
                    error.add_context(line)
            raise
        finally:
            del stack[depth:]
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
                yield row[0] if len(row) == 1 and whole else row

        return rows_of

    def call(*args: Any) -> Any:
        rows = run(*args)
        if info.result_type == VOIDOID or not rows:
            return None
        return _one_value(session, rows[0], info, types)

    return call


def _run_body(
    session: Any, prepared: tuple[Any, ...], args: tuple[Any, ...], types: list[int]
) -> list[tuple[Any, ...]]:
    """The last statement's rows, and the types of their columns."""
    _, body, plans, lines, _ = prepared
    stack, rows = session.context_stack, []
    depth = len(stack)
    for number, query in enumerate(body):
        stack[depth:] = lines[number]
        if plans[number] is None:
            plans[number] = session.plan_once(query)
        # what has been done already is not to be done twice
        result = session.run_planned(plans[number], query, args, replans=number == 0)
        rows = list(result.rows or ())
        types[:] = [c.type_oid for c in result.columns or ()]
    return rows


def _prepare(session: Any, proc: PgProc, info: TypeInfo) -> tuple[Any, ...]:
    """The statements, their plans (not made yet), what CONTEXT says of them, and _layout()."""
    body = _body_queries(session, proc, info)
    lines = [
        _context(proc, number, body, constant=info.constant) for number in range(1, len(body) + 1)
    ]
    return body, [None] * len(body), lines, _layout(session, info.result_type)


def _layout(session: Any, result_type: int) -> list[bool] | None:
    """Which columns of a table's row type are there, if some have been dropped."""
    row = session.catalog.types.row(result_type)
    if row.typtype != "c":
        return None
    live = [not a.attisdropped for a in session.catalog.relation(row.typrelid).attrs]
    return None if all(live) else live


def _spread(row: tuple[Any, ...], layout: list[bool]) -> tuple[Any, ...]:
    values = iter(row)
    return tuple(next(values, None) if there else None for there in layout)


def _context(
    proc: PgProc, statement: int, body: list[Query], *, constant: bool = False
) -> list[str]:
    """sql_exec_error_callback.  PostgreSQL inlines a function of one plain expression, whose
    errors at run time then have no context.  constant: the planner evaluates the call."""
    inlined = (
        len(body) <= 1
        and all(plain_expression(q) is not None for q in body)
        and not (
            proc.proretset
            or proc.prosecdef
            or proc.proconfig
            or proc.prorettype in (VOIDOID, RECORDOID)
        )
    )
    if inlined and constant and proc.provolatile != "i":
        what = "during inlining"
    elif inlined and not constant:
        return []
    else:
        what = f"statement {statement}"
    return [f'SQL function "{proc.proname}" {what}']


def _one_value(session: Any, row: tuple[Any, ...], info: TypeInfo, types: list[int]) -> Any:
    io = session.catalog.types.row(info.result_type)
    if len(row) == 1 and io.typtype != "c" and info.result_type != RECORDOID:
        return row[0]
    if io.typtype == "c":
        return row[0] if len(row) == 1 and types == [info.result_type] else form_composite(row)
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
    text = body_text(proc)
    # inline_function looks at the body first
    inlined = not (
        proc.proretset or proc.prosecdef or proc.proconfig or proc.prorettype == RECORDOID
    )
    try:
        raws = session.parse(text)
        inlined = inlined and len(raws) == 1
        for raw in raws:
            types = list(info.arg_types)
            queries.append(session.analyze_function_body(raw, proc, types, info.collation))
        checked, inlined = inlined, False
        for query in queries:
            _check_statement(session, query, proc)
        inlined = checked
        if queries:
            queries[-1] = _coerced(session, queries[-1], info)
    except PgError as error:
        as_internal_error(error, text)
        what = "inlining" if inlined else "startup"
        error.add_context(f'SQL function "{proc.proname}" during {what}')
        raise
    return queries


def _check_statement(session: Any, query: Query, proc: PgProc) -> None:
    """What init_execution_state refuses."""
    if proc.provolatile != "v" and (word := session.written_by(query)) is not None:
        raise PgError(FEATURE_NOT_SUPPORTED, f"{word} is not allowed in a non-volatile function")
    if query.command_type != "utility":
        return
    tag, stmt = next(iter((query.utility_stmt or {"": {}}).items()))
    if tag == "CopyStmt" and not stmt.get("filename"):
        raise PgError(FEATURE_NOT_SUPPORTED, "cannot COPY to/from client in an SQL function")
    if tag == "TransactionStmt":
        kind = stmt.get("kind", "TRANS_STMT_BEGIN")
        raise PgError(
            FEATURE_NOT_SUPPORTED, f"{_TRANSACTION_TAGS[kind]} is not allowed in an SQL function"
        )


def _coerced(session: Any, query: Query, info: TypeInfo) -> Query:
    """The last statement with its columns coerced to the declared result (check_sql_fn_retval)."""
    returning = query.command_type in ("insert", "update", "delete")
    entries = query.returning_list if returning else query.target_list
    if query.command_type == "utility":
        return query
    given = [expr_type(t.expr) for t in entries if not t.resjunk]
    wanted = _wanted_types(session, given, info)
    declared = session.catalog.types.row(info.result_type).typtype == "c" or (
        info.ret_columns and info.result_type == RECORDOID
    )
    if declared and len(wanted) != len(given):
        row = len(given) == 1 and session.catalog.types.row(given[0])
        if not (row and (row.typtype == "c" or row.oid == RECORDOID)):
            few = "few" if len(given) < len(wanted) else "many"
            raise PgError(
                INVALID_FUNCTION_DEFINITION,
                "return type mismatch in function declared to return "
                + session.catalog.type_name(info.result_type),
                detail=f"Final statement returns too {few} columns.",
            )
    typmods = [expr_typmod(t.expr) for t in entries if not t.resjunk]
    if len(wanted) != len(given) or all(
        t == g and m in (-1, own) for (t, m), g, own in zip(wanted, given, typmods, strict=True)
    ):
        return query
    if returning:
        return replace(query, returning_list=_coerced_entries(session, entries, wanted, info))
    if not query.set_operations and not query.sort_clause and not query.distinct_clause:
        return replace(query, target_list=_coerced_entries(session, entries, wanted, info))
    names = [t.resname or "" for t in entries if not t.resjunk]
    entry = RangeTblEntry(
        "subquery",
        Alias("result", names),
        subquery=query,
        coltypes=given,
        coltypmods=typmods,
        colcollations=[0] * len(given),
    )
    outputs = [
        TargetEntry(Var(1, n, t, typmod), n, name)
        for n, (t, typmod, name) in enumerate(zip(given, typmods, names, strict=True), 1)
    ]
    return Query(
        "select",
        target_list=_coerced_entries(session, outputs, wanted, info),
        rtable=[entry],
        jointree=FromExpr([RangeTblRef(1)]),
    )


def _wanted_types(session: Any, given: list[int], info: TypeInfo) -> list[tuple[int, int]]:
    """The types and typmods of the declared result's columns."""
    if info.result_type in (VOIDOID, RECORDOID) or info.ret_columns:
        if info.result_type == VOIDOID or not info.ret_columns:
            return []
        return [(t, m) for _, t, m in info.ret_columns if t]  # 0: of a dropped column
    row = session.catalog.types.row(info.result_type)
    if row.typtype == "c":
        if given == [info.result_type]:
            return [(info.result_type, -1)]
        columns = session.catalog.types.io(info.result_type).columns
        return [(c.type_oid, c.typmod) for c in columns]
    return [(info.result_type, -1)]


def _coerced_entries(
    session: Any, entries: list[TargetEntry], wanted: list[tuple[int, int]], info: TypeInfo
) -> list[TargetEntry]:
    pstate = make_parsestate(None, session.catalog)
    result = []
    types = iter(wanted)
    for entry in entries:
        if entry.resjunk:
            result.append(entry)
            continue
        given, (target, typmod) = expr_type(entry.expr), next(types)
        expr = coerce_to_target_type(
            pstate, entry.expr, given, target, typmod, "assignment", "implicit_cast", -1
        )
        if expr is None:
            name = session.catalog.type_name
            shown = name(info.result_type)
            raise PgError(
                INVALID_FUNCTION_DEFINITION,
                f"return type mismatch in function declared to return {shown}",
                detail=f"Final statement returns {name(given)} instead of {name(target)} "
                f"at column {len(result) + 1}.",
            )
        result.append(replace(entry, expr=expr))
    return result


def analyze_with_argument_names(
    session: Any, raw: Any, proc: PgProc, arg_types: list[int], collation: int = 0
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
    pstate.p_input_collation = collation
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
