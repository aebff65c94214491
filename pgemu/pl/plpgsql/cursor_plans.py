"""Which statements a portal of PL/pgSQL can run (SPI_is_cursor_plan and must_return_tuples of
PostgreSQL's spi.c).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pgemu.commands.cmdtag import command_name
from pgemu.errors import INVALID_CURSOR_DEFINITION, SYNTAX_ERROR, PgError


def _returns_tuples(query: Any) -> bool:
    """UtilityReturnsTuples and its like of queries."""
    if query.command_type == "utility":
        tag = next(iter(query.utility_stmt or {"": 0}))
        return tag in ("ExplainStmt", "VariableShowStmt", "FetchStmt", "ExecuteStmt", "CallStmt")
    return query.command_type == "select" or bool(query.returning_list)


def check_cursor_plan(queries: Sequence[Any], text: str) -> None:
    """SPI_is_cursor_plan"""
    what = None
    if len(queries) != 1:
        what = "multi-query plan"
    elif not _returns_tuples(queries[0]):
        what = f"{command_name(queries[0])} query"
    if what is not None:
        raise PgError(INVALID_CURSOR_DEFINITION, f"cannot open {what} as cursor")


def check_returns_tuples(queries: Sequence[Any], text: str) -> None:
    """must_return_tuples of _SPI_execute_plan"""
    if len(queries) > 1 or (queries and _returns_tuples(queries[0])):
        return
    what = f"{command_name(queries[0])} query" if queries else "empty query"
    error = PgError(SYNTAX_ERROR, f"{what} does not return tuples")
    if queries:
        error.add_context(f'SQL statement "{text}"')
    raise error


def is_select_into(query: Any) -> bool:
    stmt = query.utility_stmt if query.command_type == "utility" else None
    return bool(stmt and stmt.get("CreateTableAsStmt", {}).get("is_select_into"))
