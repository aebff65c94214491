"""Advisory locks, on one bigint or two integers (PostgreSQL's lockfuncs.c), and NOTIFY's
functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pgemu.errors import FEATURE_NOT_SUPPORTED, WARNING, PgError
from pgemu.executor.notify import queue_usage
from pgemu.fmgr import CallContext, pg_function
from pgemu.storage.lockmgr import SESSION_OWNER, TRANSACTION_OWNER
from pgemu.storage.locktag import (
    EXCLUSIVE_LOCK,
    LOCK_MODE_NAMES,
    LOCKTAG_ADVISORY,
    SHARE_LOCK,
    LockTag,
    advisory_tag,
    advisory_tag2,
)


def _locks(ctx: CallContext) -> Any:
    locks = ctx.session.locks
    if locks is None:
        raise PgError(FEATURE_NOT_SUPPORTED, "advisory locks are not supported here")
    return locks


def _tag(ctx: CallContext, key: tuple[int, ...]) -> LockTag:
    if len(key) == 1:
        return advisory_tag(ctx.database_oid, key[0])
    return advisory_tag2(ctx.database_oid, key[0], key[1])


def _bind_lock(name: str, mode: int, owner: int, *, wait: bool) -> None:
    def body(ctx: CallContext, *key: int) -> Any:
        got = _locks(ctx).acquire(_tag(ctx, key), mode, owner, dont_wait=not wait)
        return "" if wait else bool(got)

    pg_function(f"{name}(int8)", f"{name}(int4, int4)", context=True)(body)


def _bind_unlock(name: str, mode: int) -> None:
    def body(ctx: CallContext, *key: int) -> bool:
        released = bool(_locks(ctx).release(_tag(ctx, key), mode, SESSION_OWNER))
        if not released:
            ctx.notice("WARNING", WARNING, f"you don't own a lock of type {LOCK_MODE_NAMES[mode]}")
        return released

    pg_function(f"{name}(int8)", f"{name}(int4, int4)", context=True)(body)


for _suffix, _mode in (("", EXCLUSIVE_LOCK), ("_shared", SHARE_LOCK)):
    _bind_lock(f"pg_advisory_lock{_suffix}", _mode, SESSION_OWNER, wait=True)
    _bind_lock(f"pg_try_advisory_lock{_suffix}", _mode, SESSION_OWNER, wait=False)
    _bind_lock(f"pg_advisory_xact_lock{_suffix}", _mode, TRANSACTION_OWNER, wait=True)
    _bind_lock(f"pg_try_advisory_xact_lock{_suffix}", _mode, TRANSACTION_OWNER, wait=False)
    _bind_unlock(f"pg_advisory_unlock{_suffix}", _mode)


@pg_function("pg_advisory_unlock_all()", context=True)
def pg_advisory_unlock_all(ctx: CallContext) -> str:
    """Every session-level advisory lock, however often it was taken."""
    locks = _locks(ctx)
    for tag, mode in list(locks._owned.get(SESSION_OWNER, ())):
        if tag.type == LOCKTAG_ADVISORY:
            while locks.release(tag, mode, SESSION_OWNER):
                pass
    return ""


# -- NOTIFY --------------------------------------------------------------------------------------


def _queue(ctx: CallContext) -> Any:
    queue = getattr(ctx.session, "notify_queue", None)
    if queue is None:
        raise PgError(FEATURE_NOT_SUPPORTED, "NOTIFY is not supported here")
    return queue


@pg_function("pg_notify(text, text)", context=True)
def pg_notify(ctx: CallContext, channel: str | None, payload: str | None) -> str:
    """Not strict: NULLs are empty strings, which the queue judges."""
    _queue(ctx).notify(channel, payload)
    return ""


@pg_function("pg_listening_channels()", context=True)
def pg_listening_channels(ctx: CallContext) -> Iterator[str]:
    queue = getattr(ctx.session, "notify_queue", None)
    yield from getattr(queue, "channels", ())


@pg_function("pg_notification_queue_usage()", context=True)
def pg_notification_queue_usage(ctx: CallContext) -> float:
    return queue_usage(ctx.session.shm.procarray)
