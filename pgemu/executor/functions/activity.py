"""pg_stat_activity and the questions about one backend (PostgreSQL's pgstatfuncs.c)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pgemu.catalog.roles import get_role_oid, has_privs_of_role
from pgemu.fmgr import PG_EPOCH_UNIX_US, CallContext, pg_function
from pgemu.storage.procarray import (
    BACKEND_START,
    CLIENT_BACKEND,
    CLIENT_PORT,
    QUERY_ID,
    QUERY_START,
    SSL,
    STATE_CHANGE,
    XACT_START,
    XID,
    XMIN,
    Slot,
)

_BACKEND_TYPE = 1
_COLUMNS = 30


def pg_time(unix_us: int) -> int | None:
    """A time of a slot as a timestamptz; 0 is NULL."""
    return unix_us - PG_EPOCH_UNIX_US if unix_us else None


def may_see(ctx: CallContext, role: int) -> bool:
    """HAS_PGSTAT_PERMISSIONS: own role, or a member of pg_read_all_stats."""
    catalog, user = ctx.catalog, ctx.current_user_oid
    return has_privs_of_role(catalog, user, role) or has_privs_of_role(
        catalog, user, get_role_oid(catalog, "pg_read_all_stats")
    )


def _text(value: str) -> str | None:
    return value or None


@pg_function("pg_stat_get_activity(int4)", context=True)
def pg_stat_get_activity(ctx: CallContext, pid: int | None) -> Iterator[tuple[Any, ...]]:
    if ctx.session is None:
        return
    for slot in ctx.session.shm.procarray.slots():
        if pid is None or slot.pid == pid:
            yield _activity_row(ctx, slot)


def _activity_row(ctx: CallContext, slot: Slot) -> tuple[Any, ...]:
    words = slot.words
    client = words[_BACKEND_TYPE] == CLIENT_BACKEND
    datid = slot.database or None
    role = slot.role or None
    head = (datid, slot.pid, role)
    if not may_see(ctx, slot.role):
        row: list[Any] = [*head, *[None] * (_COLUMNS - 3)]
        row[5] = "<insufficient privilege>"
        return tuple(row)
    kind, event = slot.wait_event
    address, port = slot.client_address, words[CLIENT_PORT]
    ssl = bool(words[SSL])
    return (
        *head,
        slot.application_name if client else "",
        _text(slot.state),
        slot.query if client else "",
        _text(kind),
        _text(event),
        pg_time(words[XACT_START]),
        pg_time(words[QUERY_START]),
        pg_time(words[BACKEND_START]),
        pg_time(words[STATE_CHANGE]),
        _text(address),
        None,
        port if client else None,
        words[XID] or None,
        words[XMIN] or None,
        slot.backend_type,
        *((ssl, None, None, None, None, None, None) if client else (None,) * 7),
        *((False, None, False) if client else (None,) * 3),
        None,
        words[QUERY_ID] or None,
    )


# -- by backend number ---------------------------------------------------------------------------


@pg_function("pg_stat_get_backend_idset()", context=True)
def pg_stat_get_backend_idset(ctx: CallContext) -> Iterator[int]:
    for slot in ctx.session.shm.procarray.slots():
        yield slot.number + 1


def _slot(ctx: CallContext, number: int) -> Slot | None:
    procarray = ctx.session.shm.procarray
    if not 1 <= number <= procarray.size:
        return None
    slot: Slot = procarray.slot(number - 1)
    return slot if slot.pid else None


def _bind(name: str, read: Callable[[Slot], Any], hidden: Any = None) -> None:
    """hidden: what those see who may not; with "public" everybody sees the value."""

    def body(ctx: CallContext, number: int) -> Any:
        slot = _slot(ctx, number)
        if slot is None:
            return None
        if hidden != "public" and not may_see(ctx, slot.role):
            return hidden
        return read(slot)

    pg_function(f"pg_stat_get_backend_{name}(int4)", context=True)(body)


_bind("pid", lambda s: s.pid, "public")
_bind("dbid", lambda s: s.database, "public")
_bind("userid", lambda s: s.role, "public")
_bind("activity", lambda s: s.query, "<insufficient privilege>")
_bind("activity_start", lambda s: pg_time(s.words[QUERY_START]))
_bind("xact_start", lambda s: pg_time(s.words[XACT_START]))
_bind("start", lambda s: pg_time(s.words[BACKEND_START]))
_bind("client_addr", lambda s: _text(s.client_address))
_bind("client_port", lambda s: s.words[CLIENT_PORT])
_bind("wait_event_type", lambda s: _text(s.wait_event[0]), "<insufficient privilege>")
_bind("wait_event", lambda s: _text(s.wait_event[1]), "<insufficient privilege>")


@pg_function("inet_client_addr()", context=True)
def inet_client_addr(ctx: CallContext) -> str | None:
    return _text(ctx.session.slot.client_address)


@pg_function("inet_client_port()", context=True)
def inet_client_port(ctx: CallContext) -> int | None:
    slot = ctx.session.slot
    return slot.words[CLIENT_PORT] if slot.client_address else None


@pg_function("inet_server_addr()", context=True)
def inet_server_addr(ctx: CallContext) -> str | None:
    return getattr(ctx.session, "server_address", None)


@pg_function("inet_server_port()", context=True)
def inet_server_port(ctx: CallContext) -> int | None:
    """NULL on a Unix socket."""
    return int(ctx.session.guc.value("port")) if ctx.session.slot.client_address else None


@pg_function("current_query()", context=True)
def current_query(ctx: CallContext) -> str | None:
    return ctx.session.slot.query if ctx.session is not None else None


@pg_function("pg_trigger_depth()", context=True)
def pg_trigger_depth(ctx: CallContext) -> int:
    return int(getattr(ctx.session, "trigger_depth", 0))
