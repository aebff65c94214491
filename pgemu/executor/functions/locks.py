"""pg_locks, who blocks whom, and signals to other backends (lockfuncs.c, signalfuncs.c)."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

from pgemu.catalog.roles import get_role_oid, has_privs_of_role, superuser, superuser_arg
from pgemu.errors import (
    INSUFFICIENT_PRIVILEGE,
    NUMERIC_VALUE_OUT_OF_RANGE,
    WARNING,
    PgError,
)
from pgemu.executor.functions.activity import pg_time
from pgemu.executor.lockers import slot_waited_for
from pgemu.fmgr import CallContext, pg_function
from pgemu.storage.lockmgr import blocking_pids, lock_rows
from pgemu.storage.procsignal import cancel_backend, terminate_backend
from pgemu.transam.predicate import safe_snapshot_blockers


@pg_function("pg_lock_status()", context=True)
def pg_lock_status(ctx: CallContext) -> Iterator[tuple[Any, ...]]:
    locks = ctx.session.locks
    if locks is None:
        return
    for row in lock_rows(locks.table):
        yield (*row[:-1], pg_time(row.waitstart or 0))


def _blocking(ctx: CallContext, pid: int) -> list[int]:
    locks = ctx.session.locks
    if locks is None:
        return []
    return blocking_pids(locks.table, pid) or slot_waited_for(ctx.session.shm.procarray, pid)


@pg_function("pg_blocking_pids(int4)", context=True)
def pg_blocking_pids(ctx: CallContext, pid: int) -> str:
    return json.dumps(_blocking(ctx, pid), separators=(",", ":"))


def _safe_snapshot_blockers(ctx: CallContext, pid: int) -> list[int]:
    shm = ctx.session.shm
    slot = shm.procarray.find_by_pid(pid)
    return safe_snapshot_blockers(shm.runtime, slot.database, pid) if slot is not None else []


@pg_function("pg_safe_snapshot_blocking_pids(int4)", context=True)
def pg_safe_snapshot_blocking_pids(ctx: CallContext, pid: int) -> str:
    return json.dumps(_safe_snapshot_blockers(ctx, pid), separators=(",", ":"))


@pg_function("pg_isolation_test_session_is_blocked(int4, _int4)", context=True)
def pg_isolation_test_session_is_blocked(ctx: CallContext, pid: int, interesting: str) -> bool:
    if not set(_blocking(ctx, pid)).isdisjoint(json.loads(interesting)):
        return True
    return bool(_safe_snapshot_blockers(ctx, pid))


def _check_signal(ctx: CallContext, pid: int, verb: str) -> bool:
    """May the backend be signalled?  False, with a warning: there is none (pg_signal_backend)."""
    slot = ctx.session.shm.procarray.find_by_pid(pid)
    if slot is None:
        ctx.notice("WARNING", WARNING, f"PID {pid} is not a PostgreSQL backend process")
        return False
    catalog, user = ctx.catalog, ctx.current_user_oid
    if superuser_arg(catalog, slot.role) and not superuser(catalog):
        raise PgError(
            INSUFFICIENT_PRIVILEGE, f"must be a superuser to {verb} superuser {_WHAT[verb]}"
        )
    if not has_privs_of_role(catalog, user, slot.role) and not has_privs_of_role(
        catalog, user, get_role_oid(catalog, "pg_signal_backend")
    ):
        raise PgError(
            INSUFFICIENT_PRIVILEGE,
            f"must be a member of the role whose {_WHAT[verb]} is being {_DONE[verb]} or member "
            "of pg_signal_backend",
        )
    return True


_WHAT = {"cancel": "query", "terminate": "process"}
_DONE = {"cancel": "canceled", "terminate": "terminated"}


@pg_function("pg_cancel_backend(int4)", context=True)
def pg_cancel_backend(ctx: CallContext, pid: int) -> bool:
    done = _check_signal(ctx, pid, "cancel") and cancel_backend(ctx.session.shm, pid)
    if pid == ctx.backend_pid:
        ctx.session.check_for_interrupts()
    return done


@pg_function("pg_terminate_backend(int4, int8)", context=True)
def pg_terminate_backend(ctx: CallContext, pid: int, timeout: int) -> bool:
    if timeout < 0:
        raise PgError(NUMERIC_VALUE_OUT_OF_RANGE, '"timeout" must not be negative')
    if not _check_signal(ctx, pid, "terminate"):
        return False
    session = ctx.session
    done = terminate_backend(session.shm, pid)
    if pid == ctx.backend_pid:
        session.check_for_interrupts()
    if not done or not timeout:
        return done
    deadline = time.monotonic() + timeout / 1000
    while time.monotonic() < deadline:
        if session.shm.procarray.find_by_pid(pid) is None:
            return True
        session.check_for_interrupts()
        time.sleep(0.01)
    ctx.notice(
        "WARNING",
        WARNING,
        f"backend with PID {pid} did not terminate within {timeout} milliseconds",
    )
    return False


@pg_function("pg_log_backend_memory_contexts(int4)", context=True)
def pg_log_backend_memory_contexts(ctx: CallContext, pid: int) -> bool:
    if ctx.session.shm.procarray.find_by_pid(pid) is None:
        ctx.notice("WARNING", WARNING, f"PID {pid} is not a PostgreSQL server process")
        return False
    return True
