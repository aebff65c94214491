"""COMMIT with its deferred checks, which may have to wait for other transactions (the part of
PostgreSQL's CommitTransaction that fires AFTER triggers)."""

from __future__ import annotations

from typing import Any

from pgemu.executor.waiting import retrying


def commit_retrying(session: Any) -> None:
    """COMMIT, whose deferred checks may meet other transactions too.  What they had done is taken
    back with the SQLite transaction, so all of them run again."""
    checks, queue = session.after_triggers, getattr(session, "deferred_triggers", None)
    if not checks.deferred and (queue is None or not queue.events):
        session.xact.commit()
        return
    deferred = dict(checks.deferred)
    events = list(queue.events) if queue is not None else []

    def run() -> None:
        checks.immediate, checks.deferred = {}, dict(deferred)
        if queue is not None:
            queue.events = list(events)
        session.xact.commit()

    retrying(session, run)
