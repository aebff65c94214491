"""How statements and transactions end (parts of PostgreSQL's CommitTransaction).

COMMIT fires deferred checks, which may have to wait for other transactions.  And a statement
outside a transaction that writes both its database's file and global.db is made a transaction:
SQLite commits the files one after the other, and only undo makes that whole after a crash.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pgemu.executor.waiting import retrying
from pgemu.transam.durability import OneFile, SharedFileBehind, TwoFilesWritten
from pgemu.transam.xact import IDLE

T = TypeVar("T")


def commit_retrying(session: Any) -> None:
    """COMMIT, whose deferred checks may meet other transactions too.  What they had done is taken
    back with the SQLite transaction, so all of them run again."""
    checks, queue = session.after_triggers, getattr(session, "deferred_triggers", None)
    if not checks.deferred and (queue is None or not queue.events):
        session.xact.commit()
        return
    session.xact.settle()  # the checks may take the committing statement back and wait
    deferred = dict(checks.deferred)
    events = list(queue.events) if queue is not None else []

    def run() -> None:
        checks.immediate, checks.deferred = {}, dict(deferred)
        if queue is not None:
            queue.events = list(events)
        session.xact.commit()

    retrying(session, run)


def retrying_in_both_files(session: Any, run: Callable[[], T], *, plain: bool = False) -> T:
    """`retrying` for a statement that may change shared catalogs as well as its database's."""
    xact = session.xact
    if xact.write_depth:
        return run()
    notices = len(session.notices)
    implicit = False
    if xact.state == IDLE:
        xact.one_file = OneFile()
    try:
        while True:
            try:
                result = retrying(session, run, plain=plain)
                break
            except TwoFilesWritten:
                xact.one_file, implicit = None, True
                session.begin_implicit(pipeline=True)
            except SharedFileBehind:
                if xact.shared_first:
                    raise
                xact.shared_first = True
            del session.notices[notices:]
    finally:
        xact.one_file, xact.shared_first = None, False
    if implicit:
        _commit_implicit(session)
    return result


def _commit_implicit(session: Any) -> None:
    session.xact.builds_late = False  # what the statement has left for later is made before this
    try:
        commit_retrying(session)
    except BaseException:
        session.xact.rollback()
        raise
