"""Functions in LANGUAGE internal, and the built-in function that lends one its body (PostgreSQL's
fmgr_internal_function): the body is named by pg_proc.prosrc."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgemu.catalog.rows import PgProc

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog

INTERNAL_LANGUAGE = 12
FIRST_USER_OID = 16384


def internal_function(catalog: Catalog, source: str, nargs: int = -1) -> PgProc | None:
    """The built-in function whose body is `source`; several rows may share one, and the number
    of arguments tells which is meant."""
    found: tuple[PgProc, ...] = tuple(
        p
        for p in catalog.all(PgProc, prosrc=source, prolang=INTERNAL_LANGUAGE)
        if p.oid < FIRST_USER_OID
    )
    return next((p for p in found if p.pronargs == nargs), found[0] if found else None)


def lending_function(catalog: Catalog, proc: PgProc) -> PgProc:
    """The built-in function that runs for proc: proc itself unless it is a user's copy."""
    if proc.oid < FIRST_USER_OID or proc.prolang != INTERNAL_LANGUAGE:
        return proc
    return internal_function(catalog, proc.prosrc, proc.pronargs) or proc
