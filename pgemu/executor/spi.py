"""Queries that built-in functions get as text and only read (PostgreSQL: SPI_execute and
SPI_cursor_open with read_only, of executor/spi.c)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pgemu.errors import FEATURE_NOT_SUPPORTED, INVALID_CURSOR_DEFINITION, PgError

_TAGS = {"insert": "INSERT", "update": "UPDATE", "delete": "DELETE", "merge": "MERGE"}


def as_internal_error(error: PgError, text: str) -> None:
    """Where an error points is a place in a text that the server runs by itself."""
    position = error.position
    if position is None and error.location is not None and error.location >= 0:
        position = len(text.encode()[: error.location].decode("utf-8", "ignore")) + 1
    if error.internal_query is None and position is not None:
        error.internal_query, error.internal_position = text, position
        error.location = error.position = None


def analyzed(session: Any, text: str) -> Any:
    """The one Query of a text; errors point into it."""
    try:
        raws = session.parse(text)
        if not raws:
            return None
        return session.analyze(raws[0], text, [])
    except PgError as error:
        as_internal_error(error, text)
        raise


def spi_select(
    session: Any, text: str, *, cursor: bool = False
) -> tuple[Sequence[Any], list[Sequence[Any]]]:
    """(columns, rows) of a query; cursor: it is opened as one, which other messages say."""
    query = analyzed(session, text)
    if query is None or query.command_type == "utility":
        raise PgError("22000" if not cursor else INVALID_CURSOR_DEFINITION, "invalid query")
    if query.command_type != "select" and cursor:
        tag = _TAGS.get(query.command_type, query.command_type.upper())
        raise PgError(INVALID_CURSOR_DEFINITION, f"cannot open {tag} query as cursor")
    try:
        if query.command_type != "select":
            tag = _TAGS.get(query.command_type, query.command_type.upper())
            raise PgError(FEATURE_NOT_SUPPORTED, f"{tag} is not allowed in a non-volatile function")
        result = session.run(query)
        return result.columns, list(result.rows or ())
    except PgError as error:
        error.add_context(f'SQL statement "{text}"')
        raise
