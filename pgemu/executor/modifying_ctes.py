"""Data-modifying CTEs: all parts of a statement see the tables as they were before it.

While such a statement runs, its transaction writes undo, and what it reads goes through an overlay
that also hides its own entries made since the statement began.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

from pgemu.executor.triggers import join_runs
from pgemu.planner.plan import Plan
from pgemu.transam.schema import prefix

_TABLE = re.compile(r"\b(main|g)\.r(\d+) AS ")


class ForeignChangeError(Exception):
    """The row was changed by a command inside the statement (TM_SelfModified, another cid)."""


class OwnOverlay:
    """Hides what the running statement itself has written."""

    def __init__(self, session: Any, tables: dict[str, int]) -> None:
        self.session = session
        self.tables = tables
        self.xid = session.xact.xid
        self.mark: dict[str, int] = {}
        # the newest undo of the rows that the statement's own parts have changed
        self.written: dict[tuple[str, int], int] = {}
        # keeps the snapshot of all parts of the statement
        self.recheck: Any = None
        for schema in {name.partition(".")[0] for name in tables}:
            found = session.conn.execute(
                f"SELECT coalesce(max(seq), 0) FROM {schema}.{prefix(schema)}undo"
            ).fetchall()
            self.mark[schema] = found[0][0]

    def apply(self, text: str, *, whole: bool = False) -> str:
        tail = " ORDER BY rid LIMIT -1" if whole else ""

        def replace(match: re.Match[str]) -> str:
            name = f"{match[1]}.r{match[2]}"
            if name not in self.tables:
                return match[0]
            rows = self._overlay(name)
            if self.session.reads_first:
                return f"(WITH seen AS MATERIALIZED ({rows}) SELECT * FROM seen) AS "
            return f"({rows}{tail}) AS "

        return _TABLE.sub(replace, text)

    def _overlay(self, name: str) -> str:
        schema, _, table = name.partition(".")
        undo, number = f"{schema}.{prefix(schema)}undo", table[1:]
        columns = "".join(f", c{n}" for n in range(1, self.tables[name] + 1))

        def hidden(alias: str) -> str:
            own = f"{alias}.xid={self.xid} AND {alias}.seq>{self.mark[schema]}"
            return f"(pg_invisible({alias}.xid) OR ({own}))"

        return (
            f"SELECT rid, xmin{columns} FROM {name} AS b WHERE NOT EXISTS (SELECT 1 FROM {undo} "
            f"AS u WHERE u.relfilenode={number} AND u.rid=b.rid AND {hidden('u')}) "
            f"UNION ALL SELECT rid, xmin{columns} FROM {undo} AS o WHERE o.relfilenode={number} "
            f"AND o.op<>'I' AND o.seq=(SELECT min(v.seq) FROM {undo} AS v "
            f"WHERE v.relfilenode={number} AND v.rid=o.rid AND {hidden('v')})"
        )

    def touched(self, sqlite_name: str, rid: int) -> bool:
        """Has this statement changed the row already?  ForeignChangeError if
        the last change was one of a function that it has called."""
        last = self._last(sqlite_name, rid)
        if last and self.written.get((sqlite_name, rid)) != last:
            raise ForeignChangeError
        return last > 0

    def note(self, sqlite_name: str, rid: int) -> None:
        """A part of the statement itself has changed the row."""
        self.written[sqlite_name, rid] = self._last(sqlite_name, rid)

    def _last(self, sqlite_name: str, rid: int) -> int:
        schema, _, table = sqlite_name.partition(".")
        found = self.session.conn.execute(
            f"SELECT max(seq) FROM {schema}.{prefix(schema)}undo WHERE relfilenode=? AND rid=? "
            "AND xid=? AND seq>?",
            (int(table[1:]), rid, self.xid, self.mark.get(schema, 0)),
        ).fetchone()
        return int(found[0] or 0)


class StatementParts:
    """The data-modifying parts of a statement: immediate constraints are tested and AFTER
    triggers fire when all of them are done (AfterTriggerEndQuery)."""

    def __init__(self, plan: Plan) -> None:
        self.plans = [plan, *(step for _, step in plan.steps)]
        self._late = [step for name, step in plan.steps if name in plan.late_steps]
        self._triggers: list[Any] = []
        self._late_triggers: list[Any] = []
        # (table, event) whose BEFORE STATEMENT triggers ran: once for all parts
        self.begun: set[tuple[int, str]] = set()

    def has(self, plan: Plan) -> bool:
        return any(one is plan for one in self.plans)

    def note(self, plan: Plan, triggers: Any) -> None:
        """A part is done; triggers: those of its table, or None."""
        if triggers is not None:
            late = any(one is plan for one in self._late)
            (self._late_triggers if late else self._triggers).append(triggers)

    def end(self, session: Any) -> None:
        session.after_triggers.end_of_statement()
        runs = [*self._triggers, *self._late_triggers]
        alike: dict[tuple[int, str], list[Any]] = {}
        for triggers in runs:
            for event in triggers.events:
                alike.setdefault((triggers.relation.oid, event), []).append(triggers)
        for (_oid, event), parts in alike.items():
            join_runs(parts, event)
        for triggers in self._triggers:
            triggers.after_rows()
        for triggers in runs:
            triggers.after_statement()


@contextlib.contextmanager
def own_writes_hidden(session: Any, plan: Plan) -> Iterator[None]:
    """For a statement with data-modifying CTEs, or with functions that may write to the tables
    it reads, inside its write transaction."""
    read = _read_tables(plan) if plan.may_write else {}
    if not (plan.steps or read) or session.own_overlay is not None:
        yield
        return
    xact = session.xact
    forced = not xact.undo_xid
    if forced:
        xact.undo_xid = xact.xid
    session.own_overlay = OwnOverlay(session, {**read, **_targets(session, plan)})
    try:
        yield
    finally:
        session.own_overlay = None
    if forced:
        xact.undo_xid = 0
        for schema in xact.schemas_open_for_writing():
            session.conn.execute(
                f"DELETE FROM {schema}.{prefix(schema)}undo WHERE xid=?", (xact.xid,)
            )


def _read_tables(plan: Plan) -> dict[str, int]:
    """The user tables that a statement reads."""
    return {name: natts for oid, name, natts in plan.relations if oid >= 16384}


def _targets(session: Any, plan: Plan) -> dict[str, int]:
    """The tables that the parts of a statement write: SQLite name -> number of columns."""
    found: dict[str, int] = {}
    for part in [plan, *(step for _, step in plan.steps)]:
        if part.modify is None:
            continue
        for oid in session.catalog.relation(part.modify.relid).all_inheritors:
            relation = session.catalog.relation(oid)
            if relation.relkind == "r":
                found[relation.sqlite_name] = len(relation.attrs)
    return found
