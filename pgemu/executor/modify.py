"""INSERT, UPDATE and DELETE at run time (PostgreSQL's nodeModifyTable.c).

When no other transaction has written and no older snapshot is held, the plan's direct SQLite
statement does all of it.  Otherwise the rows to write are selected first, through the overlay,
and each is looked at: a row that another open transaction has changed or locked is waited for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from pgemu.catalog.rows import PgClass
from pgemu.catalog.store import FIRST_NORMAL_OID
from pgemu.errors import (
    CARDINALITY_VIOLATION,
    FEATURE_NOT_SUPPORTED,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.executor.check_options import check_policies, check_view_options
from pgemu.executor.conflicts import conflicting_row
from pgemu.executor.evalplanqual import EvalPlanQual, rechecking
from pgemu.executor.lock_levels import ACCESS_EXCLUSIVE, EXCLUSIVE
from pgemu.executor.lone_modify import locks_on_conflict, note_lone_target
from pgemu.executor.predicate_targets import note_reads
from pgemu.executor.row_writer import RowWriter
from pgemu.executor.suspending import in_place
from pgemu.executor.trigger_writer import TriggeringWriter, start_triggers, write_view
from pgemu.executor.waiting import WaitFor, retrying, row_context
from pgemu.nodes.primnodes import Value
from pgemu.planner.plan import ConflictPlan, ModifyPlan, Plan
from pgemu.transam.schema import prefix
from pgemu.transam.visibility import EVERYTHING, Snapshot, dirty_tables
from pgemu.transam.xact import IDLE

Row = tuple[Any, ...]
_DOING = {"update": "updating", "delete": "deleting"}
_EVENTS = {"insert": "INSERT", "update": "UPDATE", "delete": "DELETE", "merge": "MERGE"}


def run_modify(session: Any, plan: Plan, bindings: Sequence[Value]) -> tuple[list[Row], int]:
    """(rows of RETURNING, number of rows written)."""
    modify = plan.modify
    assert modify is not None
    if session.xact.current.read_only and session.catalog.relation(modify.relid).persistence != "t":
        session.xact.prevent_if_read_only(_EVENTS[plan.command_type])

    def once() -> tuple[list[Row], int]:
        with session.xact.write():
            return _run_once(session, plan, modify, bindings)

    return retrying(session, once, plain=True)


def _run_once(
    session: Any, plan: Plan, modify: ModifyPlan, bindings: Sequence[Value]
) -> tuple[list[Row], int]:
    relation = session.catalog.relation(modify.relid)
    session.modifying = modify.query
    triggers = start_triggers(session, relation, plan, modify)
    if triggers is None and not plan.may_write:
        return _run_statement(session, plan, modify, relation, bindings, None)
    # what they do may be DDL on the table
    session.changing.append((relation.oid,))
    try:
        return _run_statement(session, plan, modify, relation, bindings, triggers)
    finally:
        session.changing.pop()


def _run_statement(
    session: Any,
    plan: Plan,
    modify: ModifyPlan,
    relation: Any,
    bindings: Sequence[Value],
    triggers: Any,
) -> tuple[list[Row], int]:
    if triggers is not None:
        parts = session.parts
        triggers.before_statement(parts.begun if parts is not None and parts.has(plan) else None)
    if relation.relkind == "v" and triggers is not None:
        return _run_view(session, plan, modify, relation, bindings, triggers)
    if relation.relkind not in ("r", "p"):
        raise _cannot_change(relation)
    if relation.relkind == "r":
        session.prepare_write(relation)
    direct = modify.direct_sql if session.own_overlay is None else None
    if (
        triggers is not None
        or plan.may_write
        or plan.calls_stable
        or (session.xact.state != IDLE and locks_on_conflict(session, relation, modify))
    ):
        direct = None
    if session.xact.alone():
        undisturbed = True
        session.xact.snapshot = EVERYTHING
    else:
        snapshot = session.xact.take_snapshot(relation.sqlite_name.startswith("g."))
        if session.own_overlay is not None and session.own_overlay.recheck is not None:
            snapshot = session.xact.snapshot = session.own_overlay.recheck.snapshot
        undisturbed = _undisturbed(session, plan, relation, snapshot)
    if direct is not None and undisturbed:
        conn = session.conn
        rows = conn.execute(direct, bindings[: _parameters(direct, bindings)]).fetchall()
        count = conn.changes()
    else:
        rows, count = run_rows(session, plan, modify, relation, bindings, triggers)
    if relation.oid < FIRST_NORMAL_OID:
        session.catalog.rows_written()
    if session.parts is not None and session.parts.has(plan):
        session.parts.note(plan, triggers)
    else:
        session.after_triggers.end_of_statement(triggers)
    if direct is not None and _parameters(direct, bindings) == len(bindings):
        note_lone_target(session, plan, relation)
    return rows, count


def _run_view(
    session: Any,
    plan: Plan,
    modify: ModifyPlan,
    relation: Any,
    bindings: Sequence[Value],
    triggers: Any,
) -> tuple[list[Row], int]:
    """A view with INSTEAD OF triggers."""
    source = source_rows(session, plan, modify, bindings)
    run = _Statement(session, modify, RowWriter(session, relation), bindings)
    run.written = write_view(triggers, relation, plan.command_type, modify.target_columns, source)
    rows = returning(run)
    triggers.after_statement()
    return rows, len(run.written)


def _parameters(text: str, bindings: Sequence[Value]) -> int:
    """How many of the bindings the text uses: SQLite refuses more than it has."""
    if not bindings:
        return 0
    number = len(bindings)
    while number and f"?{number}" not in text:
        number -= 1
    return number


def _undisturbed(session: Any, plan: Plan, relation: Any, snapshot: Snapshot) -> bool:
    """Nobody else has changed or locked rows of the tables at hand: SQLite may do it alone."""
    if snapshot.xmax:
        return False
    if snapshot.invisible:
        names = {name: natts for _, name, natts in plan.relations}
        names[relation.sqlite_name] = len(relation.attrs)
        if dirty_tables(session.conn.execute, list(names.items())):
            return False
    return not _locked_rows(session, relation)


def _locked_rows(session: Any, relation: Any) -> bool:
    """Some other transaction holds row locks in the table."""
    schema, _, table = relation.sqlite_name.partition(".")
    found = session.conn.execute(
        f"SELECT 1 FROM {schema}.{prefix(schema)}rowlock WHERE relfilenode=? AND xid<>? LIMIT 1",
        (int(table[1:]), session.xact.xid),
    ).fetchone()
    return found is not None


def source_rows(
    session: Any,
    plan: Plan,
    modify: ModifyPlan,
    bindings: Sequence[Value],
    recheck: EvalPlanQual | None = None,
) -> list[Row]:
    """What to write, as the statement's snapshot sees the tables.  recheck: others are writing;
    rows of joined tables come with it, should a row have to be looked at again."""
    relations = [(name, natts) for _, name, natts in plan.relations]
    dirty = dirty_tables(session.conn.execute, relations)
    predicate, targets = note_reads(session, plan, modify.source_sql, bindings)
    if predicate is not None:
        predicate.check_out(targets)
    marked = recheck.marked() if recheck is not None else None
    if marked is not None:
        return marked
    saved, session.dirty = session.dirty, dirty
    text = session.visible_sql(modify.source_sql)
    try:
        rows: list[Row] = session.conn.execute(
            text, bindings[: _parameters(text, bindings)]
        ).fetchall()
        return rows
    finally:
        session.dirty = saved


def run_rows(
    session: Any,
    plan: Plan,
    modify: ModifyPlan,
    relation: Any,
    bindings: Sequence[Value],
    triggers: Any = None,
) -> tuple[list[Row], int]:
    """Row by row: the rows to write are selected first."""
    with rechecking(session, plan, bindings) as recheck:
        return _run_rows(session, plan, modify, relation, bindings, triggers, recheck)


def _run_rows(
    session: Any,
    plan: Plan,
    modify: ModifyPlan,
    relation: Any,
    bindings: Sequence[Value],
    triggers: Any,
    recheck: EvalPlanQual,
) -> tuple[list[Row], int]:
    writer = (
        RowWriter(session, relation)
        if triggers is None
        else TriggeringWriter(session, relation, triggers)
    )
    source: Iterable[Row] | None = None
    if plan.command_type in ("update", "delete"):
        source = recheck.stepwise()
    if source is None:
        marks = recheck if writer.contended else None
        source = recheck.selecting(lambda: source_rows(session, plan, modify, bindings, marks))
        if writer.contended and plan.command_type in ("update", "delete"):
            source = _in_scan_order(relation, recheck, source)
    if triggers is not None:
        session.changing[-1] = writer.tables
    run = _Statement(session, modify, writer, bindings, recheck)
    if modify.checks:
        writer.check_row = partial(check_policies, run)
    if plan.command_type == "insert":
        conflict = modify.conflict
        if conflict is not None:
            insert_on_conflict(run, conflict, source)
        else:
            for row in source:
                run.add(writer.insert(writer.full_row(modify.target_columns, row)))
    elif plan.command_type == "merge":
        if isinstance(writer, TriggeringWriter):
            writer.action = "updated or deleted"
        run_merge(run, source)
    else:
        _change_rows(run, plan.command_type, source)
    check_view_options(run)
    return returning(run), run.count or len(run.written)


def _in_scan_order(relation: Any, recheck: EvalPlanQual, source: list[Row]) -> list[Row]:
    """Rows as a scan of the table finds them: the overlay puts those that somebody has changed
    behind the others."""
    if recheck.plan.query is None or recheck.plan.query.command_type == "merge":
        return source
    places = {oid: number for number, oid in enumerate(relation.scanned)}
    return sorted(source, key=lambda row: (places.get(row[1], 0), row[0] or 0))


class _Statement:
    """One statement being run row by row: what it has written, with the further columns that
    RETURNING reads."""

    def __init__(
        self,
        session: Any,
        modify: ModifyPlan,
        writer: RowWriter,
        bindings: Sequence[Value],
        recheck: EvalPlanQual | None = None,
    ) -> None:
        self.session, self.modify, self.writer, self.bindings = session, modify, writer, bindings
        self.recheck = recheck
        self.written: list[Row] = []
        # images that WITH CHECK OPTION looks at too but RETURNING does not
        self.count = 0

    def add(self, image: Row | None) -> None:
        """Note a row that was written; None: a trigger has skipped it."""
        if image is not None:
            self.written.append(image)

    def execute(self, text: str) -> list[Row]:
        rows: list[Row] = self.session.conn.execute(
            text, self.bindings[: _parameters(text, self.bindings)]
        ).fetchall()
        return rows


def _change_rows(run: _Statement, command: str, source: Iterable[Row]) -> None:
    """UPDATE and DELETE; of several source rows for one target row the first counts."""
    modify, writer = run.modify, run.writer
    width = 2 + len(modify.target_columns)
    columns = modify.target_columns
    done: set[tuple[int, int]] = set()
    session = run.session

    def check(row: Row) -> None:
        check_conflicts(session, {(row[1], row[0]): row}, command, modify.target_columns)

    for found in source:
        row: Row | None = found
        if found[0] is None or (found[1], found[0]) in done:
            continue
        done.add((found[1], found[0]))
        if run.recheck is not None:
            row = run.recheck.claim(found, check, partial(_lock_newest, session, command, columns))
        if row is None:
            continue
        if command == "delete":
            image = writer.delete(row[1], row[0])
        else:
            image = writer.update(row[1], row[0], modify.target_columns, row[2:width])
        if image is not None:
            run.written.append((*image, *row[width:]))


def _in_the_way(
    run: _Statement, row: Sequence[Value], conflict: ConflictPlan, touched: set[tuple[int, int]]
) -> tuple[int, int] | None:
    """The row whose key a new row has; one that is to be changed is nobody else's."""
    found = conflicting_row(run.session, run.writer, row, conflict.arbiters)
    if found is not None and conflict.action != "nothing" and found not in touched:
        session = run.session
        check_conflicts(session, {found: (found[1], found[0])}, "update")
        _lock_newest(session, "update", conflict.set_columns, *found)
    return found


def _lock_newest(session: Any, command: str, columns: Sequence[int], relid: int, rid: int) -> None:
    """The row is locked before it is known what becomes of its key, or whether it is changed at
    all (ExecUpdateLockMode)."""
    relation = session.catalog.relation(relid)
    key = command == "delete" or not session.key_columns(relation).isdisjoint(columns)
    strength = "forupdate" if key else "fornokeyupdate"
    holder = session.row_locks.holder(relation, rid, strength)
    if holder:
        own = session.row_locks.has_own(relation, rid)
        queue = (relation.oid, rid, ACCESS_EXCLUSIVE if key else EXCLUSIVE)
        raise WaitFor(holder, None if own else queue, row_context("locking", relation, rid))
    session.row_locks.hold(relation, rid, strength)


def _cannot_change(relation: Any) -> PgError:
    """CheckValidResultRel."""
    if relation.relkind == "S":
        return PgError(WRONG_OBJECT_TYPE, f'cannot change sequence "{relation.name}"')
    if relation.relkind == "t":
        return PgError(WRONG_OBJECT_TYPE, f'cannot change TOAST relation "{relation.name}"')
    return PgError(FEATURE_NOT_SUPPORTED, f'cannot change relation "{relation.name}" here yet')


def insert_on_conflict(run: _Statement, conflict: ConflictPlan, source: Iterable[Row]) -> None:
    """ExecInsert with ON CONFLICT: look for rows with an equal key, then insert or update."""
    session, writer, modify = run.session, run.writer, run.modify
    touched: set[tuple[int, int]] = set()
    for values in source:
        row = writer.full_row(modify.target_columns, values)
        if isinstance(writer, TriggeringWriter):
            changed_row = writer.before_insert(row)
            if changed_row is None:
                continue
            row = changed_row
        if writer.check_row is not None:
            writer.check_row("rls_insert", (modify.relid, None, 0, *row))
        found = in_place(session, partial(_in_the_way, run, row, conflict, touched))
        if found is None:
            image = writer.insert(row)
            touched.add((image[0], image[1]))
            run.written.append(image)
            continue
        if conflict.action == "nothing":
            continue
        if found in touched:
            raise PgError(
                CARDINALITY_VIOLATION,
                "ON CONFLICT DO UPDATE command cannot affect row a second time",
                hint="Ensure that no rows proposed for insertion within the same command have "
                "duplicate constrained values.",
            )
        session.udfs.row_sets["excluded"] = [(*found, *row)]
        new = run.execute(conflict.set_sql)
        if not new:
            keys = session.key_columns(writer.storage(found[0]))
            strength = "forupdate" if keys.intersection(conflict.set_columns) else "fornokeyupdate"
            session.row_locks.hold(writer.storage(found[0]), found[1], strength)
            continue
        touched.add(found)
        writer.check_stored("rls_conflict", *found)
        writer.may_move = False
        changed = writer.update(*found, conflict.set_columns, new[0], session.xact.xid)
        writer.may_move = True
        if changed is not None:
            touched.add((changed[0], changed[1]))
            run.written.append(changed)


def run_merge(run: _Statement, source: Iterable[Row]) -> None:
    """ExecMerge: for each source row the action that was chosen for it."""
    writer = run.writer
    touched: set[tuple[int, int]] = set()
    for found in source:
        row: Row | None = _claim_for_merge(run, found)
        if row is None or row[2] < 0:
            continue
        action = run.modify.actions[row[2]]
        values = row[action.first : action.first + len(action.columns)]
        if action.command == "nothing":
            continue
        run.count += 1
        if action.command == "insert":
            _merge_insert(run, writer.full_row(action.columns, values))
            continue
        address = (row[1], row[0])
        if address in touched:
            raise PgError(
                CARDINALITY_VIOLATION,
                "MERGE command cannot affect row a second time",
                hint="Ensure that not more than one source row matches any one target row.",
            )
        touched.add(address)
        writer.check_stored(f"rls_merge_{action.command}", *address)
        if action.command == "delete":
            writer.delete(*address)
        else:
            image = writer.update(*address, action.columns, values)
            if image is not None:
                run.written.append(image)


def _claim_for_merge(run: _Statement, row: Row) -> Row | None:
    """Wait for whoever holds the row that the chosen action would change."""
    if run.recheck is None or row[0] is None or row[2] < 0:
        return row

    def check(row: Row) -> None:
        if row[0] is None or row[2] < 0:
            return
        action = run.modify.actions[row[2]]
        if action.command == "nothing":
            return
        values = row[action.first : action.first + len(action.columns)]
        target = {(row[1], row[0]): (row[0], row[1], *values)}
        check_conflicts(run.session, target, action.command, action.columns)

    actions = run.modify.actions
    columns = [c for action in actions if action.command == "update" for c in action.columns]
    lock = partial(_lock_newest, run.session, "update", columns)
    return run.recheck.claim(row, check, lock, outer=True)


class _TakenBackError(Exception):
    """The row could have been stored."""


def _merge_insert(run: _Statement, row: Sequence[Value]) -> None:
    """Store a row that had no match.  PostgreSQL does not look again whether it has one by now:
    after a wait for the owner of an equal key that key is a duplicate."""
    session, relation = run.session, run.writer.relation

    def recheck() -> None:
        if session.xact.write_depth:
            return  # the wait was in the middle of a statement, whose step runs again
        try:
            with session.xact.write():
                if relation.relkind == "r":
                    session.prepare_write(relation)
                RowWriter(session, relation).insert(row)
                raise _TakenBackError
        except (_TakenBackError, WaitFor):
            return

    try:
        run.add(run.writer.insert(row))
    except WaitFor as wait:
        wait.recheck = recheck
        raise


def returning(run: _Statement) -> list[Row]:
    if not run.modify.returning:
        return []
    run.session.udfs.row_sets["returning"] = run.written
    return run.execute(run.session.visible_sql(run.modify.returning_sql))


def check_conflicts(
    session: Any,
    targets: dict[tuple[int, int], Row],
    command: str,
    columns: Sequence[int] = (),
) -> None:
    """Before rows are changed: no other open transaction may have changed or locked them; under
    REPEATABLE READ nobody may have changed them since the snapshot."""
    own = session.xact.xid
    fixed = session.xact.fixed_snapshot
    for (relid, rid), row in targets.items():
        relation = session.catalog.relation(relid)
        name = relation.sqlite_name
        schema, _, table = name.partition(".")
        p = f"{schema}.{prefix(schema)}"
        relfilenode = int(table[1:])
        if fixed is not None:  # whoever has the row now: what the snapshot sees is out of date
            session.check_not_changed_since(p, relfilenode, rid, committed=True)
        holder = session.conn.execute(
            f"SELECT u.xid FROM {p}undo AS u JOIN {p}active AS a ON a.xid=u.xid "
            "WHERE u.relfilenode=? AND u.rid=? AND u.xid<>? "
            f"UNION ALL SELECT xid FROM {p}rowlock WHERE relfilenode=? AND rid=? AND xid<>? "
            "AND mode>1 LIMIT 1",
            (relfilenode, rid, own, relfilenode, rid, own),
        ).fetchone()
        if holder is not None:
            raise WaitFor(
                holder[0],
                _queue(session, relation, rid, command, columns, row),
                row_context(_DOING[command], relation, rid),
            )
        shared = session.conn.execute(
            f"SELECT xid FROM {p}rowlock WHERE relfilenode=? AND rid=? AND xid<>? LIMIT 1",
            (relfilenode, rid, own),
        ).fetchone()
        if shared is not None and (
            command != "update" or _changes_key(session, relation, rid, columns, row)
        ):
            raise WaitFor(
                shared[0],
                _queue(session, relation, rid, command, columns, row),
                row_context(_DOING[command], relation, rid),
            )
        if fixed is not None:
            session.check_not_changed_since(p, relfilenode, rid)


def _queue(
    session: Any, relation: Any, rid: int, command: str, columns: Sequence[int], row: Row
) -> tuple[int, int, int] | None:
    """Where to queue for a row; None: the transaction has a lock on it, and who waits for that
    must not be waited for."""
    if session.row_locks.has_own(relation, rid):
        return None
    weak = command == "update" and not _changes_key(session, relation, rid, columns, row)
    return relation.oid, rid, EXCLUSIVE if weak else ACCESS_EXCLUSIVE


def _changes_key(session: Any, relation: Any, rid: int, columns: Sequence[int], row: Row) -> bool:
    """Does an UPDATE touch what FOR KEY SHARE protects (HeapDetermineColumnsInfo)?"""
    keys = session.key_columns(relation)
    new = [(c, v) for c, v in zip(columns, row[2:], strict=False) if c in keys]
    if not new:
        return False
    terms = " AND ".join(f"c{c} IS ?" for c, _ in new)
    same = session.conn.execute(
        f"SELECT 1 FROM {relation.sqlite_name} WHERE rid=? AND {terms}",
        (rid, *(v for _, v in new)),
    ).fetchone()
    return same is None


__all__ = ["PgClass", "WaitFor", "run_modify"]
