"""User triggers at run time (PostgreSQL's trigger.c: ExecBRInsertTriggers, AfterTriggerSaveEvent
and their kin).

A statement on a table with user triggers goes row by row and asks a TriggerRun.  BEFORE and
INSTEAD OF row triggers run at once; AFTER triggers are queued to the end of the statement,
deferred constraint triggers to the end of the transaction.  The internal triggers of foreign keys
are not run here: ri_triggers.py enforces those natively.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pgemu.catalog.rows import PgLanguage, PgProc, PgTrigger
from pgemu.errors import (
    DATATYPE_MISMATCH,
    E_R_I_E_TRIGGER_PROTOCOL_VIOLATED,
    FEATURE_NOT_SUPPORTED,
    PgError,
)
from pgemu.executor.partition_routing import convert_row
from pgemu.executor.row_watch import Touched, watching
from pgemu.nodes import mutate
from pgemu.nodes.parsenodes import Query
from pgemu.nodes.primnodes import Param, TargetEntry, Value, Var
from pgemu.types.record import form_composite

ROW, BEFORE, INSERT, DELETE, UPDATE, TRUNCATE, INSTEAD = 1, 2, 4, 8, 16, 32, 64
_BITS = {"insert": INSERT, "update": UPDATE, "delete": DELETE, "truncate": TRUNCATE}
_INTERNAL = (12, 13)
Values = Sequence[Value]


@dataclass(slots=True)
class TriggerData:
    """What a trigger function learns of its call.  old and new: values by attribute number - 1."""

    trigger: PgTrigger
    relation: Any
    when: str
    level: str
    operation: str
    old: Values | None = None
    new: Values | None = None
    args: list[str] = field(default_factory=list)


@dataclass(slots=True)
class TransitionTable:
    """A named tuple store as the parser wants it."""

    relid: int
    columns: list[tuple[str, int, int, int]]
    # attribute numbers behind the columns
    attnums: list[int]


def user_triggers(session: Any, relation: Any) -> list[PgTrigger]:
    """The enabled user triggers of a table in firing order."""
    found = [t for t in relation.triggers if not t.tgisinternal]
    if not found:
        return []
    replica = str(session.guc.values["session_replication_role"]) == "replica"
    allowed = "RA" if replica else "OA"
    return sorted((t for t in found if t.tgenabled in allowed), key=lambda t: t.tgname)


def row_triggers(session: Any, relation: Any) -> list[PgTrigger]:
    """A partition has clones of the row triggers of its ancestors."""
    return [t for t in user_triggers(session, relation) if t.tgtype & ROW]


def start(session: Any, relation: Any, events: Sequence[str], columns: Sequence[int] = ()) -> Any:
    """A TriggerRun for a statement, or None: nothing can fire."""
    if relation.oid < 16384:
        return None
    shared = getattr(session, "shared_trigger_run", None)
    if shared is not None and shared.relation.oid == relation.oid and shared.shared:
        return shared
    if not _may_fire(session, relation):
        return None
    return TriggerRun(session, relation, events, columns)


def _may_fire(session: Any, relation: Any) -> bool:
    if relation.row.relhastriggers and user_triggers(session, relation):
        return True
    if relation.is_partition and row_triggers(session, relation):
        return True
    if relation.row.relhassubclass or relation.relkind == "p":
        for oid in relation.all_inheritors:
            one = session.catalog.relation(oid)
            if one.row.relhastriggers and user_triggers(session, one):
                return True
    return False


@contextmanager
def one_statement(session: Any, relation: Any) -> Iterator[None]:
    """COPY: the INSERT statements inside are one statement to the triggers of the table."""
    run = start(session, relation, ("insert",))
    if run is None:
        yield
        return
    saved = getattr(session, "shared_trigger_run", None)
    session.shared_trigger_run = run
    run.shared = True
    try:
        run.before_statement()
        yield
    finally:
        run.shared = False
        session.shared_trigger_run = saved
    run.after_statement()


def join_runs(runs: list[TriggerRun], event: str) -> None:
    """Several parts of a statement have changed one table in the same way: the transition tables
    hold the rows of all, and AFTER STATEMENT triggers fire for the last part alone
    (GetAfterTriggersTableData, cancel_prior_stmt_triggers)."""
    if len(runs) < 2:
        return
    old = [row for run in runs for row in run.old_rows.get(event, ())]
    new = [row for run in runs for row in run.new_rows.get(event, ())]
    for run in runs:
        run.old_rows[event], run.new_rows[event] = old, new
    for run in runs[:-1]:
        run.left_to_others.add(event)


class TriggerRun:
    """The triggers of one statement."""

    def __init__(
        self, session: Any, relation: Any, events: Sequence[str], columns: Sequence[int]
    ) -> None:
        self.session, self.relation = session, relation
        self.events = events
        self.columns = set(columns)
        # AFTER ROW events: (trigger, data)
        self.queue: list[tuple[PgTrigger, TriggerData]] = []
        # the row trigger that was the last to change a row, for messages
        self.old_rows: dict[str, list[Values]] = {}
        self.new_rows: dict[str, list[Values]] = {}
        # rows that BEFORE UPDATE and BEFORE DELETE triggers have written
        self.touched: Touched = set()
        self._of: dict[int, list[PgTrigger]] = {}
        self._statement = [t for t in user_triggers(session, relation) if not t.tgtype & ROW]
        self._transition = any(
            t.tgoldtable or t.tgnewtable for t in user_triggers(session, relation)
        )
        # COPY: one run for many INSERT statements; `begun`: its BEFORE STATEMENT triggers ran
        self.shared = self.begun = False
        # events whose AFTER STATEMENT triggers a later part of the statement fires
        self.left_to_others: set[str] = set()

    # -- choosing --------------------------------------------------------------------------------

    def _rows_of(self, relation: Any) -> list[PgTrigger]:
        found = self._of.get(relation.oid)
        if found is None:
            found = self._of[relation.oid] = row_triggers(self.session, relation)
        return found

    def has(self, relation: Any, event: str, timing: int) -> bool:
        """Is there a row trigger of this event and timing (BEFORE, INSTEAD or 0: AFTER)?"""
        bit = _BITS[event]
        return any(
            t.tgtype & bit and t.tgtype & (BEFORE | INSTEAD) == timing
            for t in self._rows_of(relation)
        )

    def _matches(self, trigger: PgTrigger, event: str, relation: Any) -> bool:
        if not trigger.tgtype & _BITS[event]:
            return False
        if event == "update" and trigger.tgattr and self.columns:
            wanted = set(trigger.tgattr)
            if relation.oid != self.relation.oid:
                # the statement's columns are those of the table that it names
                names = [relation.attrs[n - 1].attname for n in wanted]
                known = self.relation.attrs_by_name
                wanted = {known[n].attnum for n in names if n in known}
            return bool(wanted & self.columns)
        return True

    # -- statement level -------------------------------------------------------------------------

    def before_statement(self, begun: set[tuple[int, str]] | None = None) -> None:
        """begun: what has fired already for another part of the statement, and what fires now."""
        if self.begun:
            return
        self.begun = self.shared
        for event in self.events:
            if begun is not None:
                if (self.relation.oid, event) in begun:
                    continue
                begun.add((self.relation.oid, event))
            for trigger in self._statement:
                if trigger.tgtype & BEFORE and self._matches(trigger, event, self.relation):
                    self._statement_trigger(trigger, "BEFORE", event)

    def _statement_trigger(self, trigger: PgTrigger, when: str, event: str) -> None:
        data = TriggerData(
            trigger, self.relation, when, "STATEMENT", event.upper(), args=_args(trigger)
        )
        if not passes(self.session, trigger, data):
            return
        with self._transition_tables(trigger, event):
            result = fire(self.session, trigger, data)
        if when == "BEFORE" and result is not None:
            raise PgError(
                E_R_I_E_TRIGGER_PROTOCOL_VIOLATED,
                "BEFORE STATEMENT trigger cannot return a value",
            )

    def after_rows(self) -> None:
        """Run what was queued."""
        if self.shared:
            return
        queued, self.queue = self.queue, []
        for trigger, data in queued:
            with self._transition_tables(trigger, data.operation.lower()):
                fire(self.session, trigger, data)

    def after_statement(self) -> None:
        """Run what was queued, then the AFTER STATEMENT triggers."""
        if self.shared:
            return
        self.after_rows()
        for event in reversed(self.events):
            if event in self.left_to_others:
                continue
            for trigger in self._statement:
                if trigger.tgtype & (BEFORE | INSTEAD):
                    continue
                if self._matches(trigger, event, self.relation):
                    self._statement_trigger(trigger, "AFTER", event)

    # -- rows ------------------------------------------------------------------------------------

    def before_row(
        self, relation: Any, event: str, old: Values | None, new: Values | None
    ) -> Values | None:
        """The row to store (to delete: the old one); None: skip it."""
        return self._at_once(relation, event, old, new, BEFORE)

    def instead_of(
        self, relation: Any, event: str, old: Values | None, new: Values | None
    ) -> Values | None:
        return self._at_once(relation, event, old, new, INSTEAD)

    def _at_once(
        self, relation: Any, event: str, old: Values | None, new: Values | None, timing: int
    ) -> Values | None:
        row = old if event == "delete" else new
        when = "BEFORE" if timing == BEFORE else "INSTEAD OF"
        for trigger in self._rows_of(relation):
            if trigger.tgtype & (BEFORE | INSTEAD) != timing:
                continue
            if not self._matches(trigger, event, relation):
                continue
            current = None if event == "delete" else row
            data = TriggerData(
                trigger, relation, when, "ROW", event.upper(), old, current, _args(trigger)
            )
            if timing == BEFORE and event != "delete" and relation.generated and row is not None:
                data.new = [None if n in relation.generated else v for n, v in enumerate(row, 1)]
            if not passes(self.session, trigger, data):
                continue
            if event == "insert":
                result = fire(self.session, trigger, data)
            else:
                with watching(self.session, self.touched):
                    result = fire(self.session, trigger, data)
            if result is None:
                return None
            if event != "delete":
                row = row_of(self.session, relation, result)
            if event == "insert" and timing == BEFORE and trigger.tgparentid:
                self._check_still_here(trigger, relation, row)
        return row

    def _check_still_here(self, trigger: Any, relation: Any, row: Values | None) -> None:
        """A trigger that a partitioned table gave its partition may not move the row out of it."""
        if row is None or self.session.routing.check(relation, row):
            return
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "moving row to another partition during a BEFORE FOR EACH ROW trigger is not supported",
            detail=f'Before executing trigger "{trigger.tgname}", the row was to be in partition '
            f'"{relation.schema_name}.{relation.name}".',
        )

    def after_row(
        self,
        relation: Any,
        event: str,
        old: Values | None,
        new: Values | None,
        *,
        collect: bool = True,
    ) -> None:
        """Note a row that was written."""
        if self._transition and collect:
            self.collect(relation, event, old, new)
        for trigger in self._rows_of(relation):
            if trigger.tgtype & (BEFORE | INSTEAD):
                continue
            if not self._matches(trigger, event, relation):
                continue
            data = TriggerData(
                trigger, relation, "AFTER", "ROW", event.upper(), old, new, _args(trigger)
            )
            if not passes(self.session, trigger, data):
                continue
            if is_deferred(self.session, trigger):
                deferred_queue(self.session).add(trigger, data)
            else:
                self.queue.append((trigger, data))

    # -- transition tables -----------------------------------------------------------------------

    def collect(self, relation: Any, event: str, old: Values | None, new: Values | None) -> None:
        """Rows for the transition tables."""
        if not self._transition:
            return
        for row, store in ((old, self.old_rows), (new, self.new_rows)):
            if row is None:
                continue
            if relation.oid != self.relation.oid:
                row = convert_row(relation, self.relation, row)
            store.setdefault(event, []).append(row)

    @contextmanager
    def _transition_tables(self, trigger: PgTrigger, event: str) -> Iterator[None]:
        if not trigger.tgoldtable and not trigger.tgnewtable:
            yield
            return
        session = self.session
        atts = [a for a in self.relation.attrs if not a.attisdropped]
        table = TransitionTable(
            self.relation.oid,
            [(a.attname, a.atttypid, a.atttypmod, a.attcollation) for a in atts],
            [a.attnum for a in atts],
        )
        saved, rows = session.query_environment, session.udfs.row_sets
        session.query_environment = {}
        kept: dict[str, Any] = {}
        for name, stores in (
            (trigger.tgoldtable, self.old_rows),
            (trigger.tgnewtable, self.new_rows),
        ):
            if name:
                session.query_environment[name] = table
                key = f"transition:{name}"
                kept[key] = rows.get(key)
                rows[key] = [tuple(r[a.attnum - 1] for a in atts) for r in stores.get(event, ())]
        try:
            yield
        finally:
            session.query_environment = saved
            rows.update(kept)


# ----------------------------------------------------------------------------- firing


def _args(trigger: PgTrigger) -> list[str]:
    data = trigger.tgargs
    if not data:
        return []
    return [part.decode() for part in bytes(data).split(b"\0")[: trigger.tgnargs]]


def fire(session: Any, trigger: PgTrigger, data: TriggerData) -> Any:
    """ExecCallTriggerFunc: what the function returned."""
    proc = session.catalog.get(PgProc, oid=trigger.tgfoid)
    at, udfs = session.after_triggers, session.udfs
    immediate, at.immediate = at.immediate, {}
    overlay, session.own_overlay = session.own_overlay, None
    dirty, session.dirty = session.dirty, ()
    rows = dict(udfs.row_sets)
    session.trigger_depth = getattr(session, "trigger_depth", 0) + 1
    try:
        if proc.prolang in _INTERNAL:
            return _builtin(session, proc, data)
        language = session.catalog.get(PgLanguage, oid=proc.prolang).lanname
        if language == "sql":
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                f'trigger functions in language "{language}" are not supported: {proc.proname}',
            )
        return session.call_trigger_function(proc, data)
    finally:
        session.trigger_depth -= 1
        session.own_overlay, session.dirty = overlay, dirty
        udfs.row_sets.clear()
        udfs.row_sets.update(rows)
        at.immediate = {**immediate, **at.immediate}


def _builtin(session: Any, proc: PgProc, data: TriggerData) -> Any:
    if proc.proname == "suppress_redundant_updates_trigger":
        if data.old is None or data.new is None:
            raise PgError("39P01", "suppress_redundant_updates_trigger: must be called on update")
        if data.old is not None and data.new is not None and list(data.old) == list(data.new):
            return None
        return data.new
    if proc.proname in ("tsvector_update_trigger", "tsvector_update_trigger_column"):
        from pgemu.executor.tsvector_trigger import tsvector_update_trigger

        by_column = proc.proname == "tsvector_update_trigger_column"
        return tsvector_update_trigger(session, data, config_column=by_column)
    raise PgError(FEATURE_NOT_SUPPORTED, f"function {proc.proname}() is not supported yet")


def row_of(session: Any, relation: Any, result: Any) -> Values:
    """The row that a trigger function returned, in the shape of the table."""
    if isinstance(result, (list, tuple)):
        return result
    values: Values = result.values
    if result.type_oid == relation.row.reltype:
        return values
    atts = relation.attrs
    given = [(c, v) for c, v in zip(result.columns, values, strict=True) if c[1]]
    live = [a for a in atts if not a.attisdropped]
    message = "returned row structure does not match the structure of the triggering table"
    name = session.catalog.type_name
    for number, (att, ((_, oid, _), _)) in enumerate(zip(live, given, strict=False), 1):
        if att.atttypid != oid:
            raise PgError(
                DATATYPE_MISMATCH,
                message,
                detail=f"Returned type {name(oid)} does not match expected type "
                f"{name(att.atttypid)} in column {number}.",
            )
    if len(live) != len(given):
        raise PgError(
            DATATYPE_MISMATCH,
            message,
            detail=f"Number of returned columns ({len(given)}) does not match expected column "
            f"count ({len(live)}).",
        )
    row: list[Value] = [None] * len(atts)
    for att, (_, value) in zip(live, given, strict=True):
        row[att.attnum - 1] = value
    return row


def passes(session: Any, trigger: PgTrigger, data: TriggerData) -> bool:
    """The WHEN condition (TriggerEnabled)."""
    if trigger.tgqual is None:
        return True
    plans = session.catalog.parse_cache.setdefault("trigger_quals", {})
    key = (trigger.oid, data.relation.oid)
    known = plans.get(key)
    if known is None or known[0] is not trigger.tgqual:
        query, width = _condition(session, trigger, data.relation)
        known = plans[key] = (trigger.tgqual, query, session.plan_once(query), width)
    _, query, plan, width = known
    blank = (None,) * width
    old, new = data.old or blank, data.new or blank
    params = [*old, *new, _whole(data.old), _whole(data.new), data.relation.oid]
    rows = session.run_planned(plan, query, params).rows
    return bool(next(iter(rows))[0])


def _whole(row: Values | None) -> Value:
    return None if row is None else form_composite(row)


def _condition(session: Any, trigger: PgTrigger, relation: Any) -> tuple[Query, int]:
    """The condition over parameters: old columns, new columns, both rows, tableoid."""
    expr = session.catalog.decode_node(trigger.tgqual, "expr", relation.oid)
    width = len(relation.attrs)
    numbers: dict[int, int] = {}
    if trigger.tgrelid != relation.oid:
        mine = {a.attname: a.attnum for a in relation.attrs if not a.attisdropped}
        theirs = session.catalog.relation(trigger.tgrelid).attrs
        numbers = {a.attnum: mine.get(a.attname, 0) for a in theirs}

    def visit(node: Any) -> Any:
        if isinstance(node, Var) and not node.varlevelsup:
            first = 0 if node.varno == 1 else width
            number = node.varattno
            if number == 0:
                position = 2 * width + (1 if node.varno == 1 else 2)
            elif number == -6:
                position = 2 * width + 3
            else:
                position = first + numbers.get(number, number)
            return Param("extern", position, node.vartype, node.vartypmod, node.varcollid)
        return None

    made = mutate(expr, visit)
    query = Query("select", target_list=[TargetEntry(made, 1, "ok")])
    query.has_sublinks = True
    return query, width


# ----------------------------------------------------------------------------- deferred


def is_deferred(session: Any, trigger: PgTrigger) -> bool:
    if not trigger.tgdeferrable:
        return False
    modes = session.after_triggers.modes
    mode = modes.get(trigger.tgconstraint, modes.get(0))
    return bool(trigger.tginitdeferred) if mode is None else bool(mode)


class DeferredTriggers:
    """Constraint triggers that wait for the end of the transaction."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.events: list[tuple[PgTrigger, TriggerData]] = []
        self._marks: list[list[tuple[PgTrigger, TriggerData]]] = []
        session.xact.before_commit.insert(0, self.fire_all)
        session.xact.on_end.append(self._ended)
        session.xact.on_subxact.append(self._subxact)

    def add(self, trigger: PgTrigger, data: TriggerData) -> None:
        self.events.append((trigger, data))

    def fire_all(self) -> None:
        while self.events:
            trigger, data = self.events.pop(0)
            self._fire(trigger, data)

    def fire_due(self) -> None:
        """SET CONSTRAINTS ... IMMEDIATE."""
        due = [e for e in self.events if not is_deferred(self.session, e[0])]
        if not due:
            return
        self.events = [e for e in self.events if e not in due]
        for trigger, data in due:
            self._fire(trigger, data)

    def pending_on(self, relid: int) -> bool:
        """AfterTriggerPendingOnRel."""
        return any(data.relation.oid == relid for _, data in self.events)

    def _fire(self, trigger: PgTrigger, data: TriggerData) -> None:
        if self.session.catalog.one(PgTrigger, oid=trigger.oid) is None:
            return  # dropped meanwhile
        if self.session.xact.write_depth:
            fire(self.session, trigger, data)
            return
        with self.session.xact.write():
            fire(self.session, trigger, data)

    def _ended(self, committed: bool) -> None:
        self.events, self._marks = [], []

    def _subxact(self, event: str) -> None:
        if event == "start":
            self._marks.append(list(self.events))
        elif self._marks:
            mark = self._marks.pop()
            if event == "abort":
                self.events = mark


def deferred_queue(session: Any) -> DeferredTriggers:
    queue: DeferredTriggers | None = getattr(session, "deferred_triggers", None)
    if queue is None:
        queue = session.deferred_triggers = DeferredTriggers(session)
    return queue


def fire_truncate_triggers(session: Any, oids: Sequence[int], when: str) -> None:
    """BEFORE or AFTER TRUNCATE triggers of all tables of a TRUNCATE."""
    for oid in oids:
        run = start(session, session.catalog.relation(oid), ("truncate",))
        if run is None:
            continue
        if when == "before":
            run.before_statement()
        else:
            run.after_statement()
