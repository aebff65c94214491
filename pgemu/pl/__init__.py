"""Procedural languages: PL/pgSQL (PostgreSQL: src/pl).

A session reaches them through the functions here; each session has one handler per language.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pgemu.catalog.rows import PgLanguage, PgProc
from pgemu.errors import INVALID_NAME
from pgemu.fmgr import TypeInfo


def _handler(session: Any) -> Any:
    handler = getattr(session, "pl_handler", None)
    if handler is None:
        from pgemu.pl.plpgsql.handler import PlpgsqlHandler

        handler = session.pl_handler = PlpgsqlHandler(session)
        for name in session.guc.load_plpgsql():
            session.notice(
                "WARNING",
                INVALID_NAME,
                f'invalid configuration parameter name "{name}", removing it',
                detail='"plpgsql" is now a reserved prefix.',
            )
    return handler


def load_library(session: Any) -> None:
    """LOAD 'plpgsql'."""
    _handler(session)


def _is_plpgsql(session: Any, language: int) -> bool:
    """By the handler: a language of another name may have PL/pgSQL's."""
    catalog = session.catalog
    row = catalog.one(PgLanguage, oid=language)
    known = catalog.one(PgLanguage, lanname="plpgsql")
    return row is not None and known is not None and row.lanplcallfoid == known.lanplcallfoid


def language_handler(session: Any, proc: PgProc, info: TypeInfo) -> Callable[..., Any] | None:
    """The callable for a function in a procedural language; None: not one of ours."""
    if not _is_plpgsql(session, proc.prolang):
        return None
    made: Callable[..., Any] = _handler(session).callable(proc, info)
    return made


def call_trigger(session: Any, proc: PgProc, data: Any) -> Any:
    """Run a trigger function; data: pgemu.executor.triggers.TriggerData.  A RecordValue or
    None."""
    return _handler(session).trigger(proc, data)


def call_event_trigger(session: Any, proc: PgProc, event: str, tag: str) -> None:
    """Run an event trigger function."""
    _handler(session).event_trigger(proc, event, tag)


def run_inline(session: Any, text: str, *, atomic: bool) -> None:
    """DO in PL/pgSQL."""
    _handler(session).inline(text, atomic=atomic)


def validate_function(session: Any, proc: PgProc) -> None:
    """plpgsql_validator: compile without running."""
    from pgemu.pl.plpgsql.validator import validate

    _handler(session)
    validate(session, proc)
