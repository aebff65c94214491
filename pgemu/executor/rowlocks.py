"""Row locks: SELECT ... FOR UPDATE, NO KEY UPDATE, SHARE and KEY SHARE.

A lock is a row of `_rowlock` of the holder's transaction; a changed row is locked by its undo.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pgemu.errors import LOCK_NOT_AVAILABLE, PgError
from pgemu.executor.waiting import WaitFor, row_context
from pgemu.planner.plan import Plan, RowMark
from pgemu.transam.schema import prefix

STRENGTHS = {"forkeyshare": 1, "forshare": 2, "fornokeyupdate": 3, "forupdate": 4}
# strength -> strengths of others that it cannot stand beside
CONFLICTS = {1: (4,), 2: (3, 4), 3: (2, 3, 4), 4: (1, 2, 3, 4)}


# strength -> mode of the heavyweight lock at which to queue for the row (tupleLockExtraInfo)
_TUPLE_LOCKS = {1: 1, 2: 2, 3: 7, 4: 8}


class RowLocks:
    def __init__(self, session: Any) -> None:
        self.session = session

    def without_locked(self, plan: Plan) -> Plan:
        """SKIP LOCKED: the plan over tables without the rows that others hold, so that LIMIT
        counts the rows that are left."""
        marks = [m for m in plan.row_marks if m.wait_policy == "skip"]
        if not marks or not self.session.xact.others_running():
            return plan
        text = plan.sql
        own = self.session.xact.xid
        catalog = self.session.catalog
        for mark, oid in [(m, o) for m in marks for o in catalog.relation(m.relid).all_inheritors]:
            relation = catalog.relation(oid)
            name = relation.sqlite_name
            schema, _, table = name.partition(".")
            p = f"{schema}.{prefix(schema)}"
            strength = STRENGTHS[mark.strength]
            modes = ",".join(str(m) for m in CONFLICTS[strength])
            key_kept = ""
            if strength == 1:
                same = [f"k.c{a} IS u.c{a}" for a in sorted(self.session.key_columns(relation))]
                key_kept = (
                    # without AS: the table as it is, not as the snapshot sees it
                    f" AND NOT EXISTS (SELECT 1 FROM {name} k WHERE "
                    f"{' AND '.join(['k.rid=u.rid', *same])})"
                )
            free = (
                f"(SELECT * FROM {name} AS pg_unlocked WHERE rid NOT IN (SELECT u.rid FROM "
                f"{p}undo AS u JOIN {p}active AS a ON a.xid=u.xid WHERE "
                f"u.relfilenode={table[1:]} AND u.xid<>{own}{key_kept} UNION ALL SELECT rid FROM "
                f"{p}rowlock WHERE relfilenode={table[1:]} AND xid<>{own} AND mode IN ({modes})))"
                " AS "
            )
            pattern = rf"{re.escape(name)} AS {mark.alias}\b" if mark.alias else ""
            if pattern and re.search(pattern, text):
                # the same table may stand beside it without being marked
                text = re.sub(pattern, free + mark.alias, text)
            else:
                text = text.replace(f"{name} AS ", free)
        return replace(plan, sql=text)

    def lock_one(self, mark: RowMark, relid: int, rid: int) -> bool:
        """Lock a row of the marked table or of one of its children; False: SKIP LOCKED."""
        session = self.session
        relation = session.catalog.relation(relid)
        name = relation.sqlite_name
        schema, _, table = name.partition(".")
        p = f"{schema}.{prefix(schema)}"
        relfilenode = int(table[1:])
        strength = STRENGTHS[mark.strength]
        holder = self._holder(p, relation, relfilenode, rid, strength)
        if holder:
            if mark.wait_policy == "skip":
                return False
            if mark.wait_policy == "error":
                raise PgError(
                    LOCK_NOT_AVAILABLE,
                    f'could not obtain lock on row in relation "{relation.name}"',
                )
            raise WaitFor(
                holder,
                self.queue(relation, rid, mark.strength),
                row_context("locking", relation, rid),
            )
        if (
            session.xact.fixed_snapshot is not None
            and (strength > 1 or self.key_changed_since(relation, rid))
            and session.changed_since_snapshot(relation, rid)
        ):
            raise session.xact.serialization_failure("update")
        gone = session.xact.suspensions and self._gone(name, rid)
        if session.xact.state != "idle" and not gone:
            self.note(relation, rid, strength)
        return True

    def _gone(self, sqlite_name: str, rid: int) -> bool:
        """Somebody has deleted the row: there is nothing to lock."""
        found = self.session.conn.execute(f"SELECT 1 FROM {sqlite_name} WHERE rid=?", (rid,))
        return found.fetchone() is None

    def note(self, relation: Any, rid: int, strength: int) -> None:
        """The transaction has the row from now on."""
        xact = self.session.xact
        schema, _, table = relation.sqlite_name.partition(".")
        if schema == "g":
            xact.writes_to(relation.sqlite_name, len(relation.attrs))
        self.session.conn.execute(
            f"INSERT INTO {schema}.{prefix(schema)}rowlock VALUES (?, ?, ?, ?, ?) ON CONFLICT "
            "DO UPDATE SET mode=max(mode, excluded.mode)",
            (int(table[1:]), rid, xact.xid, strength, xact.row_lock_stamp),
        )

    def holder(self, relation: Any, rid: int, strength: str) -> int:
        """Another open transaction whose change or lock of a row conflicts with a lock; 0: none."""
        schema, _, table = relation.sqlite_name.partition(".")
        p = f"{schema}.{prefix(schema)}"
        return self._holder(p, relation, int(table[1:]), rid, STRENGTHS[strength])

    def queue(self, relation: Any, rid: int, strength: str) -> tuple[int, int, int] | None:
        """Where to queue for a lock on a row; None: the transaction has one on it already, and
        who waits for that must not be waited for."""
        if self.has_own(relation, rid):
            return None
        return relation.oid, rid, _TUPLE_LOCKS[STRENGTHS[strength]]

    def hold(self, relation: Any, rid: int, strength: str) -> None:
        """Lock a row that is known to be free."""
        if self.session.xact.state != "idle":
            self.session.xact.row_lock_stamp += 1
            self.note(relation, rid, STRENGTHS[strength])

    def hold_newest(self, relation: Any, rid: int, command: str, columns: Sequence[int]) -> None:
        """A row that was waited for is locked even if it is none to change any more, unless it
        has gone."""
        session = self.session
        if session.xact.state == "idle":
            return
        key = command == "delete" or not session.key_columns(relation).isdisjoint(columns)
        with session.xact.write():
            if not self._gone(relation.sqlite_name, rid):
                self.hold(relation, rid, "forupdate" if key else "fornokeyupdate")

    def has_own(self, relation: Any, rid: int) -> bool:
        """The transaction has locked or changed the row."""
        schema, _, table = relation.sqlite_name.partition(".")
        p, number, own = f"{schema}.{prefix(schema)}", int(table[1:]), self.session.xact.xid
        found = self.session.conn.execute(
            f"SELECT 1 FROM {p}rowlock WHERE relfilenode=? AND rid=? AND xid=? UNION ALL "
            f"SELECT 1 FROM {p}undo WHERE relfilenode=? AND rid=? AND xid=? LIMIT 1",
            (number, rid, own, number, rid, own),
        ).fetchone()
        return found is not None

    def key_changed_since(self, relation: Any, rid: int) -> bool:
        """The row's key is another one than in the snapshot, or the row has gone."""
        schema, _, table = relation.sqlite_name.partition(".")
        p = f"{schema}.{prefix(schema)}"
        same = [f"t.c{a} IS u.c{a}" for a in sorted(self.session.key_columns(relation))]
        found = self.session.conn.execute(
            f"SELECT 1 FROM {p}undo AS u WHERE u.relfilenode={table[1:]} AND u.rid=? AND "
            f"pg_invisible(u.xid) AND NOT EXISTS (SELECT 1 FROM {relation.sqlite_name} AS t "
            f"WHERE {' AND '.join(['t.rid=u.rid', *same])}) LIMIT 1",
            (rid,),
        ).fetchone()
        return found is not None

    def _holder(self, p: str, relation: Any, relfilenode: int, rid: int, strength: int) -> int:
        own = self.session.xact.xid
        modes = ",".join(str(m) for m in CONFLICTS[strength])
        found = self.session.conn.execute(
            f"SELECT u.xid FROM {p}undo AS u JOIN {p}active AS a ON a.xid=u.xid "
            "WHERE u.relfilenode=? AND u.rid=? AND u.xid<>? AND u.op<>'I' "
            f"UNION ALL SELECT xid FROM {p}rowlock WHERE relfilenode=? AND rid=? AND xid<>? "
            f"AND mode IN ({modes}) LIMIT 1",
            (relfilenode, rid, own, relfilenode, rid, own),
        ).fetchone()
        if found is None:
            return 0
        if strength == 1 and not self.session.key_changed_by(relation, rid):
            return 0
        return int(found[0])
