"""plpgsql.extra_errors and plpgsql.extra_warnings: what is legal and most likely a mistake
(plpgsql_extra_checks_check_hook of PostgreSQL's pl_handler.c and the checks of pl_exec.c).
"""

from __future__ import annotations

from typing import Any

from pgemu.errors import DATATYPE_MISMATCH, DUPLICATE_ALIAS, TOO_MANY_ROWS, PgError
from pgemu.pl.plpgsql.prosrc import match_prosrc

SHADOWED_VARIABLES = "shadowed_variables"
STRICT_MULTI_ASSIGNMENT = "strict_multi_assignment"
TOO_MANY_ROWS_CHECK = "too_many_rows"
MORE_THAN_ONE = "query returned more than one row"
LIMIT_HINT = "Make sure the query returns a single row, or use LIMIT 1."


def check_level(session: Any, check: str) -> tuple[str, str] | None:
    """(severity, the setting that asks for it); None: nobody has asked."""
    for severity, setting in (("ERROR", "extra_errors"), ("WARNING", "extra_warnings")):
        try:
            words = str(session.guc.get(f"plpgsql.{setting}"))
        except PgError:
            continue
        if {w.strip().lower() for w in words.split(",")} & {"all", check}:
            return severity, setting
    return None


def multi_assignment_mismatch(session: Any, where: str) -> None:
    """A row and its target have a different number of fields."""
    level = check_level(session, STRICT_MULTI_ASSIGNMENT)
    if level is None:
        return
    message = "number of source and target fields in assignment does not match"
    detail = f"{STRICT_MULTI_ASSIGNMENT} check of {level[1]} is active."
    hint = "Make sure the query returns the exact list of columns."
    if level[0] == "ERROR":
        raise PgError(DATATYPE_MISMATCH, message, detail=detail, hint=hint)
    session.notice("WARNING", DATATYPE_MISMATCH, message, detail=detail, hint=hint, where=where)


def too_many_rows(session: Any, where: str) -> None:
    """SELECT INTO of more than one row."""
    level = check_level(session, TOO_MANY_ROWS_CHECK)
    if level is None:
        return
    if level[0] == "ERROR":
        raise PgError(TOO_MANY_ROWS, MORE_THAN_ONE, hint=LIMIT_HINT)
    session.notice("WARNING", TOO_MANY_ROWS, MORE_THAN_ONE, hint=LIMIT_HINT, where=where)


def shadowed_variable(session: Any, level: str, name: str, position: dict[str, Any]) -> None:
    """A declaration hides a variable of a block further out.  position: in the body."""
    message = f'variable "{name}" shadows a previously defined variable'
    if level == "ERROR":
        raise PgError(DUPLICATE_ALIAS, message, **position)
    text = session.source_text or ""
    found = match_prosrc(position["internal_query"], text, position["internal_position"])
    location = len(text[: found - 1].encode()) if found else None
    session.notice("WARNING", DUPLICATE_ALIAS, message, location=location)
