"""Functions with SECURITY DEFINER or SET clauses (fmgr_security_definer of PostgreSQL's fmgr.c):
the user and the settings are switched for the time of a call.

A set-returning body is run to its end while they are, as PostgreSQL does with a materialised set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pgemu.catalog.rows import PgProc
from pgemu.guc.stack import Level


def is_security_definer(proc: PgProc) -> bool:
    """Does a call need the switch?"""
    return proc.prosecdef or bool(proc.proconfig)


@contextmanager
def definer_context(session: Any, proc: PgProc) -> Iterator[None]:
    """Run as the owner (SECURITY DEFINER), with the function's settings (SET)."""
    ctx = session.ctx
    user = ctx.current_user_oid
    done = False
    if proc.proconfig:
        session.guc.push()
    try:
        for item in proc.proconfig or ():
            name, _, value = item.partition("=")
            session.guc.set(name, value, action=Level.SAVE)
        if proc.prosecdef:
            session.set_current_user(proc.proowner)
        yield
        done = True
    finally:
        if proc.proconfig:
            # what the body itself has SET stays
            session.guc.pop(done)
        session.set_current_user(user)


def with_definer(session: Any, proc: PgProc, body: Callable[..., Any]) -> Callable[..., Any]:
    """The body of a function, run in its definer's context."""
    if proc.proretset:

        def rows_of(*args: Any) -> Iterator[Any]:
            with definer_context(session, proc):
                rows = list(body(*args))
            yield from rows

        return rows_of

    def call(*args: Any) -> Any:
        with definer_context(session, proc):
            return body(*args)

    return call
