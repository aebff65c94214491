"""The subtransaction of an EXCEPTION block, inside a running statement.

A statement of the client is one SQLite transaction, so what a block must take back is a SQLite
SAVEPOINT of it: undo, transaction registers and all are rolled back together.  In a statement that
only reads (the function is STABLE or IMMUTABLE) there is nothing to take back.
"""

from __future__ import annotations

from typing import Any

import apsw


class Subtransaction:
    """begin(), then release() or rollback()."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.active = False
        self.name = ""

    def begin(self) -> None:
        session, xact = self.session, self.session.xact
        depth = getattr(session, "pl_subxact_depth", 0) + 1
        session.pl_subxact_depth = depth
        self.name = f"pl_{depth}"
        if xact.write_depth:
            xact.build_storage()
            try:
                xact.conn.execute(f"SAVEPOINT {self.name}").fetchall()
                self.active = True
            except apsw.SQLError:
                # a SQLite statement is writing (a constraint calls us): nothing can be taken back
                self.active = False
        self._portals = set(session.portals)
        self._registered = set(xact.registered)
        self._registered_now = set(xact._registered_now)
        self._lengths = (
            len(xact._commit_callbacks),
            len(xact._abort_callbacks),
            len(xact._created),
            len(xact._dropped),
        )
        self._immediate = dict(session.after_triggers.immediate)
        self._undo_written = xact.undo_written
        for hook in xact.on_subxact:
            hook("start")

    def release(self) -> None:
        session = self.session
        session.pl_subxact_depth -= 1
        if self.active:
            session.xact.conn.execute(f"RELEASE {self.name}").fetchall()
        for hook in session.xact.on_subxact:
            hook("commit")

    def rollback(self) -> None:
        session, xact = self.session, self.session.xact
        session.pl_subxact_depth -= 1
        if self.active and xact.conn.in_transaction:
            xact.conn.execute(f"ROLLBACK TO {self.name}").fetchall()
            xact.conn.execute(f"RELEASE {self.name}").fetchall()
        commit, abort, created, dropped = self._lengths
        for callback in xact._abort_callbacks[abort:]:
            callback()
        del xact._abort_callbacks[abort:]
        del xact._commit_callbacks[commit:]
        del xact._created[created:]
        del xact._dropped[dropped:]
        xact.registered = self._registered
        xact._registered_now = self._registered_now
        xact.undo_written = self._undo_written
        for name in set(session.portals) - self._portals:
            session.cursor_close(name)
        xact.triggers.lost()
        session.constraints.lost()
        session.after_triggers.immediate = self._immediate
        for hook in xact.on_subxact:
            hook("abort")
