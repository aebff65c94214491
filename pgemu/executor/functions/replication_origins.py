"""The pg_replication_origin_* functions (PostgreSQL's origin.c).

A session may say that it replays an origin; since no WAL is written, what it commits carries no
mark of that, and progress is what pg_replication_origin_advance says.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pgemu.catalog.rows import PgReplicationOrigin
from pgemu.errors import OBJECT_NOT_IN_PREREQUISITE_STATE, RESERVED_NAME, PgError
from pgemu.executor.replication_origin import (
    create_origin,
    drop_origin,
    origin_by_name,
    progress,
)
from pgemu.fmgr import CallContext, pg_function


def _state_error(message: str) -> PgError:
    return PgError(OBJECT_NOT_IN_PREREQUISITE_STATE, message)


def _configured(ctx: CallContext) -> int:
    number: int = getattr(ctx.session, "replication_origin", 0)
    if not number:
        raise _state_error("no replication origin is configured")
    return number


@pg_function("pg_replication_origin_create(text)", context=True)
def pg_replication_origin_create(ctx: CallContext, name: str) -> int:
    if name.startswith("pg_"):
        raise PgError(
            RESERVED_NAME,
            f'replication origin name "{name}" is reserved',
            detail='Origin names starting with "pg_" are reserved.',
        )
    return create_origin(ctx.catalog, name)


@pg_function("pg_replication_origin_drop(text)", context=True)
def pg_replication_origin_drop(ctx: CallContext, name: str) -> str:
    drop_origin(ctx.session, name)
    return ""


@pg_function("pg_replication_origin_oid(text)", context=True)
def pg_replication_origin_oid(ctx: CallContext, name: str) -> int | None:
    row = ctx.catalog.one(PgReplicationOrigin, roname=name)
    return row.roident if row is not None else None


@pg_function("pg_replication_origin_session_setup(text)", context=True)
def pg_replication_origin_session_setup(ctx: CallContext, name: str) -> str:
    number = origin_by_name(ctx.catalog, name)
    if getattr(ctx.session, "replication_origin", 0):
        raise _state_error("cannot setup replication origin when one is already setup")
    ctx.session.replication_origin = number
    return ""


@pg_function("pg_replication_origin_session_reset()", context=True)
def pg_replication_origin_session_reset(ctx: CallContext) -> str:
    _configured(ctx)
    ctx.session.replication_origin = 0
    return ""


@pg_function("pg_replication_origin_session_is_setup()", context=True)
def pg_replication_origin_session_is_setup(ctx: CallContext) -> bool:
    return bool(getattr(ctx.session, "replication_origin", 0))


@pg_function("pg_replication_origin_session_progress(bool)", context=True)
def pg_replication_origin_session_progress(ctx: CallContext, flush: bool) -> int | None:
    number = _configured(ctx)
    with progress(ctx.session) as states:
        return states.get(str(number))


@pg_function("pg_replication_origin_xact_setup(pg_lsn, timestamptz)", context=True)
def pg_replication_origin_xact_setup(ctx: CallContext, lsn: int, when: int) -> str:
    _configured(ctx)
    return ""


@pg_function("pg_replication_origin_xact_reset()")
def pg_replication_origin_xact_reset() -> str:
    return ""


@pg_function("pg_replication_origin_advance(text, pg_lsn)", context=True)
def pg_replication_origin_advance(ctx: CallContext, name: str, lsn: int) -> str:
    number = origin_by_name(ctx.catalog, name)
    with progress(ctx.session) as states:
        states[str(number)] = lsn
    return ""


@pg_function("pg_replication_origin_progress(text, bool)", context=True)
def pg_replication_origin_progress(ctx: CallContext, name: str, flush: bool) -> int | None:
    number = origin_by_name(ctx.catalog, name)
    with progress(ctx.session) as states:
        return states.get(str(number))


@pg_function("pg_show_replication_origin_status()", context=True)
def pg_show_replication_origin_status(ctx: CallContext) -> Iterator[tuple[Any, ...]]:
    """(local_id, external_id, remote_lsn, local_lsn)"""
    with progress(ctx.session) as states:
        known = sorted((int(number), lsn) for number, lsn in states.items())
    for number, lsn in known:
        row = ctx.catalog.one(PgReplicationOrigin, roident=number)
        yield number, row.roname if row is not None else None, lsn, 0
