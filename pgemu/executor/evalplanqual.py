"""Looking again at a row that somebody has changed since the statement's snapshot
(PostgreSQL's EvalPlanQual, and the fetching of the newest version in heapam_tuple_lock).

READ COMMITTED: before a row is changed or locked, whoever holds it is waited for.  If it has been
changed by then, the statement is evaluated for its newest version together with the rows of the
other tables as they were, and what comes out (perhaps nothing) takes the place of the row.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pgemu.executor.partition_routing import convert_row
from pgemu.executor.predicate_targets import used_parameters
from pgemu.executor.suspending import wait_in_place
from pgemu.executor.waiting import RowQueue, WaitFor, moved_error, without_sent
from pgemu.nodes.primnodes import Value
from pgemu.planner.plan import ExternParam, LiteralParam, Plan
from pgemu.planner.recheck import RecheckPlan, Statement, plan_recheck
from pgemu.transam.schema import prefix
from pgemu.transam.visibility import Snapshot, dirty_tables

Row = tuple[Any, ...]
MOVED = "M"  # op of undo: the row has gone to another partition


class EvalPlanQual:
    """The rechecks of one statement, inside its write transaction."""

    def __init__(self, session: Any, plan: Plan, bindings: Sequence[Value]) -> None:
        self.session, self.plan = session, plan
        self._bindings = bindings
        self._known: dict[Any, Value] | None = None
        self.snapshot: Snapshot = session.xact.snapshot
        # rows were left out that others take the place of (LIMIT)
        self.again = False

    # -- the statement's variants ------------------------------------------------------------------

    @property
    def variants(self) -> RecheckPlan | None:
        plan = self.plan
        if plan.recheck is None:
            made = plan_recheck(plan, self.session.catalog, self.session.udfs)
            plan.recheck = False if made is None else made
        return None if isinstance(plan.recheck, bool) else plan.recheck

    def bindings(self, statement: Statement) -> list[Value]:
        known = self._known
        if known is None:
            known = self._known = dict(zip(self.plan.params, self._bindings, strict=False))
        values: list[Value] = []
        for source in statement.params:
            if source in known:
                values.append(known[source])
            elif isinstance(source, ExternParam):
                values.append(self.session.current_params[source.number - 1])
            else:
                assert isinstance(source, LiteralParam)
                values.append(source.value)
        return values

    def run(self, statement: Statement) -> list[Row]:
        """Rows of a variant as the statement's snapshot sees the tables."""
        session = self.session
        saved = session.dirty
        try:
            return list(self._cursor(statement.text, statement.relations, self.bindings(statement)))
        finally:
            session.dirty = saved

    def _cursor(
        self,
        text: str,
        relations: Sequence[tuple[str, int]],
        bindings: Sequence[Value],
        *,
        whole: bool = False,
    ) -> Any:
        session = self.session
        session.xact.snapshot = self.snapshot
        if self.snapshot.invisible or self.snapshot.xmax:
            session.dirty = dirty_tables(session.conn.execute, relations)
        text = session.visible_sql(text, whole=whole)
        return session.conn.execute(text, bindings[: used_parameters(text, bindings)])

    def rows_to_lock(self, *, unlimited: bool = False) -> tuple[Plan, Any]:
        """A sub-query with row marks, as a plan, and SQLite's cursor with its rows.  unlimited:
        without its LIMIT."""
        plan, bindings = self.plan, list(self._bindings)
        others = unlimited or self.session.xact.others_running()
        variants = self.variants if others else None
        if variants is not None:
            plan, bindings = self._variant(variants, unlimited, plan, bindings)
        plan = self.session.row_locks.without_locked(plan)
        relations = [(name, natts) for _, name, natts in plan.relations]
        return plan, self._cursor(plan.sql, relations, bindings, whole=plan.volatile)

    def _variant(
        self, variants: RecheckPlan, unlimited: bool, plan: Plan, bindings: list[Value]
    ) -> tuple[Plan, list[Value]]:
        """The plan for rows of which some may have to be looked at again."""
        text = variants.marked
        if unlimited and variants.unlimited is not None:
            text = variants.unlimited
            plan = replace(plan, row_limit=variants.row_limit)
        if text is None:
            return plan, bindings
        return replace(plan, sql=text.text, params=text.params), self.bindings(text)

    def marked_plan(self, *, unlimited: bool = False) -> tuple[Plan, list[Value]] | None:
        """None: there is nothing beside the plan itself."""
        variants = self.variants
        if variants is None or (variants.unlimited if unlimited else variants.marked) is None:
            return None
        return self._variant(variants, unlimited, self.plan, list(self._bindings))

    def in_scan_order(self, rows: list[Row]) -> list[Row]:
        """Marked rows as a scan of the tables finds them: the overlay puts those that somebody
        has changed behind the others."""
        query, variants = self.plan.query, self.variants
        if query is None or query.sort_clause or variants is None or not variants.pins:
            return rows
        start = -sum(pin.width for pin in variants.pins)
        places = [start + pin.first for pin in variants.pins if pin.relid]
        return sorted(rows, key=lambda row: [(row[at] is None, row[at] or 0) for at in places])

    # -- rows --------------------------------------------------------------------------------------

    def evaluate(self, rows: Mapping[int, Row | None]) -> list[Row]:
        """What the statement makes of these rows: range table index -> rid, xmin, tableoid,
        the rid that ctid shows, columns."""
        variants = self.variants
        assert variants is not None
        return self._evaluate(variants.recheck, rows)

    def _evaluate(self, statement: Statement, rows: Mapping[int, Row | None]) -> list[Row]:
        sets = self.session.udfs.row_sets

        def run() -> list[Row]:
            for rtindex, row in rows.items():
                sets[f"epq:{rtindex}"] = [] if row is None else [row]
            return self.run(statement)

        return self.selecting(run)

    def selecting(self, run: Callable[[], list[Row]]) -> list[Row]:
        """Run a select that may meet somebody in the middle (a sub-query with FOR UPDATE, an
        advisory lock): after the wait it runs again, seeing what it saw."""
        session = self.session
        sent: list[Any] = []
        while True:
            start = len(session.notices)
            try:
                return run()
            except WaitFor as wait:
                found = wait
            finally:
                sent = without_sent(session, start, sent)
            self.wait(found)
            session.xact.snapshot = self.snapshot
            session.xact._snapshot_taken = True

    def stepwise(self) -> Iterator[Row] | None:
        """The rows to write, each one found when the one before it has been written: where the
        statement calls functions of the user's for each row.  None: it does not."""
        variants = self.variants if self.plan.may_write else None
        if variants is None or variants.candidates is None:
            return None
        return self._steps(variants)

    def _steps(self, variants: RecheckPlan) -> Iterator[Row]:
        (target,) = variants.targets
        assert variants.candidates is not None and variants.stepped is not None
        assert self.plan.modify is not None
        relation = self.session.catalog.relation(self.plan.modify.relid)
        places = {oid: number for number, oid in enumerate(relation.scanned)}
        candidates = variants.candidates
        rows = self.selecting(lambda: self.run(candidates))
        for row in sorted(rows, key=lambda row: (places.get(row[2], 0), row[0])):
            yield from self._evaluate(variants.stepped, {target: row})

    def marked(self) -> list[Row] | None:
        """The rows to write with the rows of the other tables behind them.  None: there are
        none."""
        variants = self.variants
        if variants is None or variants.marked is None:
            return None
        return self.run(variants.marked)

    def pinned(self, row: Row) -> dict[int, Row | None]:
        """The rows of the other tables in a marked row."""
        variants = self.variants
        assert variants is not None
        found: dict[int, Row | None] = {}
        if variants.pins:
            start = len(row) - sum(pin.width for pin in variants.pins)
            for pin in variants.pins:
                part = row[start + pin.first : start + pin.first + pin.width]
                absent = part[0] is None if pin.relid else not any(v is not None for v in part)
                found[pin.rtindex] = None if pin.optional and absent else part
        return found

    def newest(self, relid: int, rid: int, shape: int) -> Row | None:
        """A row as it is now, to be evaluated in the shape of table `shape`; None: it has been
        deleted.  40001 if it has gone to another partition.  Rows change in place here; a new
        version of PostgreSQL's has a ctid of its own, so conditions on it see one behind the
        table's end."""
        catalog = self.session.catalog
        relation = catalog.relation(relid)
        names = "".join(f", c{a.attnum}" for a in relation.attrs)
        found = self.session.conn.execute(
            f"SELECT rid, xmin, (SELECT max(rid) + 1 FROM {relation.sqlite_name}){names} "
            f"FROM {relation.sqlite_name} WHERE rid=?",
            (rid,),
        ).fetchone()
        if found is None:
            if self.last_change(relation, rid) == MOVED:
                raise moved_error()
            return None
        columns = found[3:]
        if shape != relid:
            columns = convert_row(relation, catalog.relation(shape), columns)
        return (found[0], found[1], relid, found[2], *columns)

    def last_change(self, relation: Any, rid: int) -> str:
        """What those who are invisible to the snapshot, and have committed, did to a row last;
        "": nothing."""
        schema, _, table = relation.sqlite_name.partition(".")
        p = f"{schema}.{prefix(schema)}"
        self.session.xact.snapshot = self.snapshot
        found = self.session.conn.execute(
            f"SELECT op FROM {p}undo AS u WHERE relfilenode=? AND rid=? AND pg_invisible(xid) "
            f"AND NOT EXISTS (SELECT 1 FROM {p}active AS a WHERE a.xid=u.xid) "
            "ORDER BY seq DESC LIMIT 1",
            (int(table[1:]), rid),
        ).fetchone()
        return str(found[0]) if found is not None else ""

    def changed(self, relid: int, rid: int, *, key: bool = False) -> bool:
        """Have others changed (key: the key of) a row since the snapshot?"""
        session = self.session
        if not session.xact.suspensions or session.xact.fixed_snapshot is not None:
            return False
        relation = session.catalog.relation(relid)
        if not self.last_change(relation, rid):
            return False
        return not key or session.row_locks.key_changed_since(relation, rid)

    # -- waiting -----------------------------------------------------------------------------------

    def wait(self, wait: WaitFor, queue: RowQueue | None = None) -> None:
        """Sleep in the middle of the statement; what the snapshot must not see stays unseen."""
        session = self.session
        session.xact.snapshot = self.snapshot
        if self.variants is None:
            raise wait
        wait_in_place(session, wait, queue)

    def claim(
        self,
        row: Row,
        check: Callable[[Row], None],
        lock: Callable[[int, int], None],
        *,
        outer: bool = False,
    ) -> Row | None:
        """Before a row to write is written: nobody else may hold it.  The row, or what has become
        of it (None: nothing).  check and lock, which locks the newest version before it is looked
        at again, raise WaitFor.  outer: without its target row the statement may still have
        something to do (MERGE)."""
        queue = None
        try:
            while True:
                try:
                    check(row)
                    if not self.changed(row[1], row[0]):
                        return row
                    assert self.plan.modify is not None
                    newest = self.newest(row[1], row[0], self.plan.modify.relid)
                    if newest is not None:
                        lock(row[1], row[0])
                    break
                except WaitFor as wait:
                    queue = queue or RowQueue(self.session)
                    self.wait(wait, queue)
            variants = self.variants
            assert variants is not None
            (target,) = variants.targets
            if newest is None and not outer:
                return None
            pinned = self.pinned(row)
            found = self.evaluate({**pinned, target: newest})
            if not found:
                return None
            again = self._with_pins(found[0], row)
            if again[0] is None:
                return again
            check(again)  # nobody can have come in between
            return again
        finally:
            if queue is not None:
                queue.leave()

    def _with_pins(self, row: Row, before: Row) -> Row:
        variants = self.variants
        assert variants is not None
        width = sum(pin.width for pin in variants.pins)
        return (*row, *before[len(before) - width :]) if width else row


@contextlib.contextmanager
def rechecking(session: Any, plan: Plan, bindings: Sequence[Value]) -> Iterator[EvalPlanQual]:
    """The rechecks of a statement whose snapshot has just been taken."""
    made = EvalPlanQual(session, plan, bindings)
    session.rechecks.append(made)
    try:
        yield made
    finally:
        session.rechecks.pop()
