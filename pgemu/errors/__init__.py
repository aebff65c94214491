"""Errors as PostgreSQL reports them: PgError with the protocol's fields, and the SQLSTATE rows.

Counterpart of PostgreSQL's elog.h/ereport.  Raise with the text at the raise site:

    raise PgError(UNDEFINED_TABLE, f'relation "{name}" does not exist', location=node.location)
"""

from pgemu.errors.codes import *  # noqa: F403
from pgemu.errors.pgerror import Notice, PgError, Severity

__all__ = ["Notice", "PgError", "Severity"]
