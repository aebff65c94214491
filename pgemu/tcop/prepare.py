"""PREPARE, EXECUTE and DEALLOCATE (PostgreSQL's commands/prepare.c)."""

from __future__ import annotations

from typing import Any

from pgemu.errors import (
    DUPLICATE_PSTATEMENT,
    INVALID_SQL_STATEMENT_NAME,
    SYNTAX_ERROR,
    UNDEFINED_PSTATEMENT,
    PgError,
)
from pgemu.executor.execute import Result
from pgemu.nodes import expr_type
from pgemu.nodes.parsenodes import Query, RawStmt
from pgemu.nodes.primnodes import Value
from pgemu.tcop.prepared import PreparedStatement


def prepare_statement(
    session: Any, stmt: dict[str, Any], query: Query, params: Any, source_text: str
) -> Result:
    from pgemu.parser.parse_type import typename_type_id

    name = stmt["name"]
    if not name:
        raise PgError(INVALID_SQL_STATEMENT_NAME, "invalid statement name: must not be empty")
    types = [typename_type_id(session.catalog, t["TypeName"]) for t in stmt.get("argtypes", ())]
    if name in session.prepared_statements:
        raise PgError(DUPLICATE_PSTATEMENT, f'prepared statement "{name}" already exists')
    raw = RawStmt(stmt["query"], query.stmt_location, query.stmt_len)
    text = session.statement_text(source_text, query)
    prepared = session.prepare(name, source_text, raw, types)
    prepared.text = text
    prepared.from_sql = True
    session.prepared_statements[name] = prepared
    return Result(None, None, 0, "PREPARE")


def find_statement(session: Any, name: str) -> PreparedStatement:
    found: PreparedStatement | None = session.prepared_statements.get(name)
    if found is None:
        raise PgError(UNDEFINED_PSTATEMENT, f'prepared statement "{name}" does not exist')
    return found


def execute_prepared(
    session: Any, stmt: dict[str, Any], query: Query, params: Any, source_text: str
) -> Result:
    prepared = find_statement(session, stmt["name"])
    values = evaluate_params(session, prepared, stmt, source_text)
    session.unnamed_portals += 1
    prepared.count_plan(str(session.guc.values["plan_cache_mode"]))
    result: Result = session.run_prepared(prepared, values)
    return result


def evaluate_params(
    session: Any, prepared: PreparedStatement, stmt: dict[str, Any], source_text: str
) -> list[Value]:
    """EvaluateParams: each argument, coerced to its parameter's type."""
    from pgemu.parser.parse_coerce import coerce_to_target_type
    from pgemu.parser.parse_collate import assign_expr_collations
    from pgemu.parser.parse_expr import transform_expr
    from pgemu.parser.parse_node import ParseExprKind, make_parsestate

    given = stmt.get("params", [])
    wanted = prepared.param_types
    if len(given) != len(wanted):
        raise PgError(
            SYNTAX_ERROR,
            f'wrong number of parameters for prepared statement "{prepared.name}"',
            detail=f"Expected {len(wanted)} parameters but got {len(given)}.",
        )
    pstate = make_parsestate(None, session.catalog, source_text)
    values = []
    for number, (raw, type_oid) in enumerate(zip(given, wanted, strict=True), 1):
        expr = transform_expr(pstate, raw, ParseExprKind.EXPR_KIND_EXECUTE_PARAMETER)
        given_type = expr_type(expr)
        coerced = coerce_to_target_type(
            pstate, expr, given_type, type_oid, -1, "assignment", "implicit_cast", -1
        )
        if coerced is None:
            raise PgError(
                "42804",
                f"parameter ${number} of type {session.catalog.type_name(given_type)} cannot "
                f"be coerced to the expected type {session.catalog.type_name(type_oid)}",
                hint="You will need to rewrite or cast the expression.",
                location=getattr(expr, "location", -1),
            )
        assign_expr_collations(pstate, coerced)
        values.append(session.evaluate(coerced))
    return values


def deallocate(
    session: Any, stmt: dict[str, Any], query: Query, params: Any, source_text: str
) -> Result:
    name = stmt.get("name")
    if not name:
        session.prepared_statements.clear()
        return Result(None, None, 0, "DEALLOCATE ALL")
    find_statement(session, name)
    del session.prepared_statements[name]
    return Result(None, None, 0, "DEALLOCATE")
