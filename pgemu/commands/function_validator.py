"""What CREATE FUNCTION checks of a body (fmgr_sql_validator, plpgsql_validator)."""

from __future__ import annotations

from typing import Any

import pgparse

from pgemu.catalog.rows import PgProc
from pgemu.errors import SYNTAX_ERROR, PgError
from pgemu.nodes.parsenodes import RawStmt


def validate_sql_function(session: Any, row: PgProc) -> None:
    """Parse the body and analyze its statements, unless argument types are polymorphic."""
    try:
        parsed = pgparse.parse(row.prosrc)
    except pgparse.PGQueryError as error:
        raise PgError(
            SYNTAX_ERROR,
            error.message,
            internal_query=row.prosrc,
            internal_position=error.position,
        ) from None
    if any(2276 <= t <= 2283 or t in (2776, 3500, 3831) for t in row.proargtypes):
        return
    analyze = getattr(session, "analyze_function_body", None)
    if analyze is None:
        return
    for item in parsed:
        raw = item["stmt"]
        tag = next(iter(raw))
        if tag in ("SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt"):
            analyze(
                RawStmt(raw, item.get("stmt_location", 0), item.get("stmt_len", 0)),
                row,
                list(row.proargtypes),
            )


def validate_plpgsql_function(session: Any, row: PgProc) -> None:
    """PL/pgSQL's own parser looks at the body."""
    validate = getattr(session, "validate_plpgsql", None)
    if validate is not None:
        validate(row)
