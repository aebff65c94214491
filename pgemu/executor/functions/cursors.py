"""pg_cursors, pg_prepared_statements and pg_prepared_xacts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pgemu.fmgr import CallContext, pg_function
from pgemu.transam.twophase import prepared_xacts


@pg_function("pg_prepared_statement()", context=True)
def pg_prepared_statement(ctx: CallContext) -> Iterator[tuple[Any, ...]]:
    for name, one in sorted(getattr(ctx.session, "prepared_statements", {}).items()):
        if not name:
            continue
        yield (
            name,
            one.text,
            one.prepare_time_us,
            json.dumps(list(one.param_types), separators=(",", ":")),
            bool(one.from_sql),
            int(getattr(one, "generic_plans", 0)),
            int(getattr(one, "custom_plans", 0)),
        )


@pg_function("pg_cursor()", context=True)
def pg_cursor(ctx: CallContext) -> Iterator[tuple[Any, ...]]:
    for name, portal in sorted(getattr(ctx.session, "portals", {}).items()):
        if not name:
            continue
        statement = getattr(portal, "statement", None)
        text = getattr(portal, "text", "") or getattr(statement, "text", "")
        yield (
            name,
            text,
            bool(portal.is_holdable),
            bool(portal.is_binary),
            bool(portal.is_scrollable),
            portal.creation_time_us,
        )


@pg_function("pg_prepared_xact()", context=True)
def pg_prepared_xact(ctx: CallContext) -> Iterator[tuple[Any, ...]]:
    for one in prepared_xacts(ctx.session.cluster):
        yield one.xid, one.gid, one.prepared_at, one.owner, one.database
