"""What CREATE FUNCTION checks of a PL/pgSQL function (plpgsql_validator)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.rows import PgProc
from pgemu.errors import FEATURE_NOT_SUPPORTED, PgError
from pgemu.pl.plpgsql.compile import compile_function, transpose_error

_ALLOWED_RESULTS = (2249, 2278, 2279, 3838)
_POLYMORPHIC = (2277, 2283, 2776, 3500, 3831, 4537, 4538, 5077, 5078, 5079, 5080)


def validate(session: Any, proc: PgProc) -> None:
    """Errors of the body point into the text of CREATE FUNCTION where the body stands in it."""
    catalog = session.catalog
    result = catalog.types.row(proc.prorettype)
    if result.typtype == "p" and proc.prorettype not in (*_ALLOWED_RESULTS, *_POLYMORPHIC):
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            f"PL/pgSQL functions cannot return type {catalog.type_name(proc.prorettype)}",
        )
    for oid in proc.proargtypes:
        row = catalog.types.row(oid)
        if row.typtype == "p" and oid != 2249 and oid not in _POLYMORPHIC:
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                f"PL/pgSQL functions cannot accept type {catalog.type_name(oid)}",
            )
    if not session.guc.value("check_function_bodies"):
        return
    try:
        compile_function(session, proc, (), 0, check_syntax=True)
    except PgError as error:
        transpose_error(session, proc.prosrc, error)
        raise
