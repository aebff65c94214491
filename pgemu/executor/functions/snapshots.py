"""Transaction ids and snapshots: pg_current_xact_id and its family (PostgreSQL's xid8funcs.c).

A snapshot is stored as its text, xmin:xmax:xip1,xip2.  There is one epoch: xids are 64-bit here.
"""

from __future__ import annotations

import re
from typing import Any

from pgemu.errors import (
    INVALID_PARAMETER_VALUE,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    PgError,
)
from pgemu.fmgr import CallContext, pg_function
from pgemu.transam.snapshots import export_snapshot

_SHAPE = re.compile(r"(\d+):(\d+):((?:\d+(?:,\d+)*)?)")


def _parts(text: str) -> tuple[int, int, list[int]] | None:
    match = _SHAPE.fullmatch(text.strip())
    if match is None:
        return None
    xmin, xmax = int(match[1]), int(match[2])
    xip = [int(x) for x in match[3].split(",")] if match[3] else []
    if not xmin or not xmax or xmin > xmax:
        return None
    if any(x < xmin or x >= xmax for x in xip) or xip != sorted(xip):
        return None
    return xmin, xmax, list(dict.fromkeys(xip))


FIRST_NORMAL_XID, FIRST_MULTIXACT, MAX_INT32 = 3, 1, 2**31 - 1

# -- the current transaction ---------------------------------------------------------------------


@pg_function("pg_current_xact_id()", "txid_current()", context=True)
def pg_current_xact_id(ctx: CallContext) -> int:
    """The xid of this transaction, which gets one if it has none."""
    xact = ctx.session.xact
    if not xact.xid and xact.state == "idle":
        statement, xid = getattr(ctx.session, "xid_of_statement", (0, 0))
        if statement != ctx.statement_start_us:
            xid = int(ctx.session.shm.next_xid())
            ctx.session.xid_of_statement = (ctx.statement_start_us, xid)
        return int(xid)
    return int(xact.assign_xid())


@pg_function("pg_current_xact_id_if_assigned()", "txid_current_if_assigned()", context=True)
def pg_current_xact_id_if_assigned(ctx: CallContext) -> int | None:
    return ctx.session.xact.xid or None


@pg_function("age(xid)", context=True)
def xid_age(ctx: CallContext, xid: int) -> int:
    """How many transactions ago that was; permanent ids are infinitely old."""
    if xid < FIRST_NORMAL_XID:
        return MAX_INT32
    now = ctx.session.xact.xid or ctx.session.shm.read_next_xid()
    return int(now) - xid


@pg_function("mxid_age(xid)")
def mxid_age(mxid: int) -> int:
    """There are no multixacts: the next one is the first."""
    return FIRST_MULTIXACT - mxid if mxid else MAX_INT32


@pg_function("pg_current_snapshot()", "txid_current_snapshot()", context=True)
def pg_current_snapshot(ctx: CallContext) -> str:
    session = ctx.session
    statement, xid = getattr(session, "xid_of_statement", (0, 0))
    own = session.xact.xid or (xid if statement == ctx.statement_start_us else 0)
    xmax = session.shm.read_next_xid()
    running = sorted(x for x in session.shm.procarray.running_xids() if x < xmax and x != own)
    if own and own < xmax:
        xmax = max([own, *running])
    xip = [x for x in running if x < xmax]
    xmin = xip[0] if xip else xmax
    return f"{xmin}:{xmax}:{','.join(map(str, xip))}"


@pg_function("pg_xact_status(xid8)", "txid_status(int8)", context=True)
def pg_xact_status(ctx: CallContext, xid: int) -> str | None:
    """Aborted transactions leave no trace: any that has ended is said to have committed."""
    shm = ctx.session.shm
    if xid >= shm.read_next_xid():
        raise PgError(INVALID_PARAMETER_VALUE, f"transaction ID {xid} is in the future")
    if xid < 3:
        return "committed" if xid else None
    return "in progress" if xid in shm.procarray.running_xids() else "committed"


@pg_function("pg_export_snapshot()", context=True)
def pg_export_snapshot(ctx: CallContext) -> str:
    return export_snapshot(ctx.session.xact)


@pg_function("pg_xact_commit_timestamp(xid)", "pg_xact_commit_timestamp_origin(xid)")
def pg_xact_commit_timestamp(xid: int) -> Any:
    raise PgError(
        OBJECT_NOT_IN_PREREQUISITE_STATE,
        "could not get commit timestamp data",
        hint='Make sure the configuration parameter "track_commit_timestamp" is set.',
    )


@pg_function("pg_last_committed_xact()")
def pg_last_committed_xact() -> Any:
    raise PgError(
        OBJECT_NOT_IN_PREREQUISITE_STATE,
        "could not get commit timestamp data",
        hint='Make sure the configuration parameter "track_commit_timestamp" is set.',
    )
