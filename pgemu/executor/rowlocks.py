"""Row locks: SELECT ... FOR UPDATE, NO KEY UPDATE, SHARE and KEY SHARE.

A lock is a row of `_rowlock` of the holder's transaction; a changed row is locked by its undo.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pgemu.errors import LOCK_NOT_AVAILABLE, PgError
from pgemu.executor.modify import WaitFor
from pgemu.planner.plan import RowMark
from pgemu.transam.schema import prefix

Row = tuple[Any, ...]
STRENGTHS = {"forkeyshare": 1, "forshare": 2, "fornokeyupdate": 3, "forupdate": 4}
# strength -> strengths of others that it cannot stand beside
_CONFLICTS = {1: (4,), 2: (3, 4), 3: (2, 3, 4), 4: (1, 2, 3, 4)}


class RowLocks:
    def __init__(self, session: Any) -> None:
        self.session = session

    def lock(self, marks: Sequence[RowMark], rows: list[Row]) -> list[Row] | None:
        """Lock the marked rows; rows skipped by SKIP LOCKED are left out."""
        kept = []
        for row in rows:
            skip = False
            for mark in marks:
                rid = row[mark.column]
                if rid is not None and not self._lock_one(mark, rid):
                    skip = True
            if not skip:
                kept.append(row)
        return kept

    def _lock_one(self, mark: RowMark, rid: int) -> bool:
        session = self.session
        relation = session.catalog.relation(mark.relid)
        schema, _, table = relation.sqlite_name.partition(".")
        p = f"{schema}.{prefix(schema)}"
        relfilenode, xid = int(table[1:]), session.xact.xid
        strength = STRENGTHS[mark.strength]
        holder = self._holder(p, relfilenode, rid, strength)
        if holder:
            if mark.wait_policy == "skip":
                return False
            if mark.wait_policy == "error":
                raise PgError(
                    LOCK_NOT_AVAILABLE,
                    f'could not obtain lock on row in relation "{relation.name}"',
                )
            raise WaitFor(holder)
        if session.xact.state != "idle":
            session.conn.execute(
                f"INSERT INTO {p}rowlock VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE "
                "SET mode=max(mode, excluded.mode)",
                (relfilenode, rid, xid, strength),
            )
        return True

    def _holder(self, p: str, relfilenode: int, rid: int, strength: int) -> int:
        own = self.session.xact.xid
        modes = ",".join(str(m) for m in _CONFLICTS[strength])
        found = self.session.conn.execute(
            f"SELECT u.xid FROM {p}undo AS u JOIN {p}active AS a ON a.xid=u.xid "
            "WHERE u.relfilenode=? AND u.rid=? AND u.xid<>? AND u.op<>'I' "
            f"UNION ALL SELECT xid FROM {p}rowlock WHERE relfilenode=? AND rid=? AND xid<>? "
            f"AND mode IN ({modes}) LIMIT 1",
            (relfilenode, rid, own, relfilenode, rid, own),
        ).fetchone()
        return int(found[0]) if found is not None else 0
