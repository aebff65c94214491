"""What CREATE FUNCTION checks of a body (fmgr_sql_validator, plpgsql_validator)."""

from __future__ import annotations

from typing import Any

import pgparse

from pgemu.catalog.lsyscache import get_typtype
from pgemu.catalog.rows import PgProc
from pgemu.errors import INVALID_FUNCTION_DEFINITION, SYNTAX_ERROR, PgError
from pgemu.nodes.nodefuncs import expr_type
from pgemu.nodes.parsenodes import Query, RawStmt
from pgemu.parser.parse_coerce import coerce_to_target_type
from pgemu.parser.parse_node import make_parsestate

RECORDOID, VOIDOID, ANYOID = 2249, 2278, 2276
_POLYMORPHIC = frozenset((*range(2276, 2284), 2776, 3500, 3831, 4537, 4538, *range(5077, 5081)))
# trigger, language_handler, internal, cstring's neighbours
_NOT_POLYMORPHIC = frozenset((2278, 2279, 2280, 2281, 2282))


def validate_sql_function(session: Any, row: PgProc) -> None:
    """Parse the body and analyze its statements, unless argument types are polymorphic."""
    _check_pseudo_types(session.catalog, row)
    if row.prosqlbody is not None:
        body = session.catalog.decode_node(row.prosqlbody, "query")
        queries = body if isinstance(body, list) else [body]
        _check_result(session, row, queries[-1] if queries else None)
        return
    try:
        parsed = pgparse.parse(row.prosrc)
    except pgparse.PGQueryError as error:
        raise _syntax_error(session, row, error) from None
    if (_POLYMORPHIC - _NOT_POLYMORPHIC) & {*row.proargtypes, row.prorettype}:
        return
    last: Query | None = None
    for item in parsed:
        statement = RawStmt(item["stmt"], item.get("stmt_location", 0), item.get("stmt_len", 0))
        try:
            last = session.analyze_function_body(statement, row, list(row.proargtypes))
        except PgError as error:
            _transpose(session, row, error)
            raise
    _check_result(session, row, last)


def _syntax_error(session: Any, row: PgProc, error: pgparse.PGQueryError) -> PgError:
    """With its position in CREATE FUNCTION, if the body stands there as it is."""
    position = error.position or 1
    start = session.source_text.find(f"'{row.prosrc}'")
    start = session.source_text.find(f"${row.prosrc}$") if start < 0 else start
    if start < 0:
        return PgError(
            SYNTAX_ERROR, error.message, internal_query=row.prosrc, internal_position=position
        )
    return PgError(SYNTAX_ERROR, error.message, position=start + 1 + position)


def _check_pseudo_types(catalog: Any, row: PgProc) -> None:
    def refused(type_id: int) -> bool:
        plain = type_id in (RECORDOID, VOIDOID) or type_id in _POLYMORPHIC - _NOT_POLYMORPHIC
        return not plain and get_typtype(catalog, type_id) == "p"

    if refused(row.prorettype):
        raise PgError(
            INVALID_FUNCTION_DEFINITION,
            f"SQL functions cannot return type {catalog.type_name(row.prorettype)}",
        )
    for type_id in row.proargtypes:
        if type_id in (VOIDOID, RECORDOID, ANYOID) or refused(type_id):
            raise PgError(
                INVALID_FUNCTION_DEFINITION,
                f"SQL functions cannot have arguments of type {catalog.type_name(type_id)}",
            )


def _transpose(session: Any, row: PgProc, error: PgError) -> None:
    """A position in the body as one in CREATE FUNCTION (function_parse_error_transpose)."""
    if error.location is None or error.location < 0:
        return
    start = session.source_text.encode().find(row.prosrc.encode())
    if start >= 0:
        error.location += start


def _check_result(session: Any, row: PgProc, last: Query | None) -> None:
    """check_sql_fn_retval: what the last statement gives fits the declared result."""
    catalog = session.catalog
    if row.prorettype == VOIDOID:
        return
    entries = [] if last is None else [
        t for t in (last.target_list if last.command_type == "select" else last.returning_list)
        if not t.resjunk
    ]  # fmt: skip
    if not entries:
        raise _mismatch(
            catalog,
            row,
            "Function's final statement must be SELECT or INSERT/UPDATE/DELETE RETURNING.",
        )
    given = [expr_type(t.expr) for t in entries]
    columns = _result_columns(catalog, row)
    if columns is None:
        if row.prorettype == RECORDOID:
            return
        if len(entries) != 1:
            raise _mismatch(catalog, row, "Final statement must return exactly one column.")
        if not _coercible(catalog, entries[0].expr, row.prorettype):
            raise _mismatch(catalog, row, f"Actual return type is {catalog.type_name(given[0])}.")
        return
    if given == [row.prorettype]:
        return
    for number, (entry, wanted) in enumerate(zip(entries, columns, strict=False), 1):
        if not _coercible(catalog, entry.expr, wanted):
            raise _mismatch(
                catalog,
                row,
                f"Final statement returns {catalog.type_name(given[number - 1])} instead of "
                f"{catalog.type_name(wanted)} at column {number}.",
            )
    if len(entries) != len(columns):
        few = "few" if len(entries) < len(columns) else "many"
        raise _mismatch(catalog, row, f"Final statement returns too {few} columns.")


def _result_columns(catalog: Any, row: PgProc) -> list[int] | None:
    """The types of a composite result; None: not one that is known now."""
    if row.proallargtypes is not None and row.proargmodes is not None:
        outputs = [
            t for t, m in zip(row.proallargtypes, row.proargmodes, strict=True) if m in "obt"
        ]
        if row.prorettype == RECORDOID and outputs:
            return outputs
    if catalog.types.row(row.prorettype).typtype == "c":
        return [c.type_oid for c in catalog.types.io(row.prorettype).columns]
    return None


def _coercible(catalog: Any, expr: Any, wanted: int) -> bool:
    pstate = make_parsestate(None, catalog)
    done = coerce_to_target_type(
        pstate, expr, expr_type(expr), wanted, -1, "assignment", "implicit_cast", -1
    )
    return done is not None


def _mismatch(catalog: Any, row: PgProc, detail: str) -> PgError:
    error = PgError(
        INVALID_FUNCTION_DEFINITION,
        f"return type mismatch in function declared to return {catalog.type_name(row.prorettype)}",
        detail=detail,
    )
    error.add_context(f'SQL function "{row.proname}"')
    return error


def validate_plpgsql_function(session: Any, row: PgProc) -> None:
    """PL/pgSQL's own parser looks at the body."""
    validate = getattr(session, "validate_plpgsql", None)
    if validate is not None:
        validate(row)
