"""INSERT, UPDATE and DELETE at run time (PostgreSQL's nodeModifyTable.c).

When no other transaction has written and no older snapshot is held, the plan's direct SQLite
statement does all of it.  Otherwise the rows to write are selected first, through the overlay,
and each is looked at: a row that another open transaction has changed or locked is waited for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import apsw

from pgemu.catalog.rows import PgClass
from pgemu.errors import FEATURE_NOT_SUPPORTED, PgError
from pgemu.executor.waiting import WaitFor, retrying
from pgemu.nodes.primnodes import Value
from pgemu.planner.plan import ModifyPlan, Plan
from pgemu.transam.schema import prefix
from pgemu.transam.visibility import Snapshot, dirty_tables, overlay_statement

Row = tuple[Any, ...]
_EVENTS = {"insert": "INSERT", "update": "UPDATE", "delete": "DELETE", "merge": "MERGE"}


def run_modify(session: Any, plan: Plan, bindings: Sequence[Value]) -> tuple[list[Row], int]:
    """(rows of RETURNING, number of rows written)."""
    modify = plan.modify
    assert modify is not None
    session.xact.prevent_if_read_only(_EVENTS[plan.command_type])

    def once() -> tuple[list[Row], int]:
        with session.xact.write():
            return _run_once(session, plan, modify, bindings)

    return retrying(session, once)


def _run_once(
    session: Any, plan: Plan, modify: ModifyPlan, bindings: Sequence[Value]
) -> tuple[list[Row], int]:
    relation = session.catalog.relation(modify.relid)
    if relation.relkind not in ("r", "p"):
        raise PgError(
            FEATURE_NOT_SUPPORTED, f'cannot change relation "{relation.name}" here yet'
        )
    session.prepare_write(relation)
    snapshot = session.xact.take_snapshot(relation.sqlite_name.startswith("g."))
    direct = modify.direct_sql if relation.relkind == "r" else None
    if direct is not None and _undisturbed(session, plan, relation, snapshot):
        conn = session.conn
        rows = conn.execute(direct, bindings[: _parameters(direct, bindings)]).fetchall()
        count = conn.changes()
    else:
        rows, count = _row_by_row(session, plan, modify, relation, bindings)
    session.after_triggers.end_of_statement()
    return rows, count


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


def _row_by_row(
    session: Any, plan: Plan, modify: ModifyPlan, relation: Any, bindings: Sequence[Value]
) -> tuple[list[Row], int]:
    source = _source_rows(session, plan, modify, bindings)
    if modify.query is not None and modify.query.on_conflict is not None:
        return _insert_on_conflict(session, plan, modify, relation, source, bindings)
    if plan.command_type == "insert":
        rids = _insert_rows(session, modify, relation, source, bindings)
        written = [(rid,) for rid in rids]
        return _returning(session, plan, modify, written, bindings), len(rids)
    width = 2 + len(modify.target_columns)
    targets: dict[tuple[int, int], Row] = {}
    for row in source:
        if row[0] is not None:
            targets.setdefault((row[1], row[0]), row)
    check_conflicts(session, targets, plan.command_type, modify.target_columns)
    extra = [(row[0], *row[width:]) for row in targets.values()]
    if plan.command_type == "delete":
        rows = _returning(session, plan, modify, extra, bindings)
        for relid, rid in targets:
            target = _target(session, relation, relid)
            session.conn.execute(f"DELETE FROM {target.sqlite_name} WHERE rid=?", (rid,))
        return rows, len(targets)
    _update_rows(session, modify, relation, targets)
    return _returning(session, plan, modify, extra, bindings), len(targets)


def _target(session: Any, relation: Any, relid: int) -> Any:
    """The table that holds a row: the relation itself, a child or a partition."""
    if relid == relation.oid:
        return relation
    child = session.catalog.relation(relid)
    session.prepare_write(child)
    return child


def _source_rows(
    session: Any, plan: Plan, modify: ModifyPlan, bindings: Sequence[Value]
) -> list[Row]:
    relations = [(name, natts) for _, name, natts in plan.relations]
    dirty = dirty_tables(session.conn.execute, relations)
    text = overlay_statement(modify.source_sql, dirty)
    saved, session.dirty = session.dirty, dirty
    try:
        rows: list[Row] = session.conn.execute(
            text, bindings[: _parameters(text, bindings)]
        ).fetchall()
        return rows
    finally:
        session.dirty = saved


def _insert_rows(
    session: Any, modify: ModifyPlan, relation: Any, source: list[Row],
    bindings: Sequence[Value],
) -> list[int]:
    rids = []
    for row in source:
        target = session.route_row(relation, modify.target_columns, row)
        columns, values = session.row_for(relation, target, modify.target_columns, row)
        names = "".join(f", c{number}" for number in columns)
        marks = ", ?" * len(columns)
        text = (
            f"INSERT INTO {target.sqlite_name} (xmin{names}) VALUES (pg_xid(){marks}) "
            "RETURNING rid"
        )
        rids.append(store_row(session, target, text, values))
    return rids


def store_row(session: Any, relation: Any, text: str, values: Sequence[Value]) -> int:
    """Run an INSERT of one row.  An equal key of an open transaction is waited for."""
    try:
        rid: int = session.conn.execute(text, values).fetchall()[0][0]
    except apsw.ConstraintError:
        owner = session.conflicting_xid(relation)
        if owner:
            raise WaitFor(owner) from None
        raise
    owner = session.freed_key_of_last_row(relation)
    if owner:
        raise WaitFor(owner)
    return rid


def _insert_on_conflict(
    session: Any, plan: Plan, modify: ModifyPlan, relation: Any, source: list[Row],
    bindings: Sequence[Value],
) -> tuple[list[Row], int]:
    """ON CONFLICT with other writers about: the direct statement, once their keys are known to
    be out of the way."""
    assert modify.direct_sql is not None
    for row in source:
        session.check_key_owner(relation, modify.target_columns, row)
    others = [(n, natts) for _, n, natts in plan.relations if n != relation.sqlite_name]
    text = overlay_statement(modify.direct_sql, dirty_tables(session.conn.execute, others))
    rows = session.conn.execute(text, bindings[: _parameters(text, bindings)]).fetchall()
    return rows, session.conn.changes()


def check_conflicts(
    session: Any, targets: dict[tuple[int, int], Row], command: str,
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
        holder = session.conn.execute(
            f"SELECT u.xid FROM {p}undo AS u JOIN {p}active AS a ON a.xid=u.xid "
            "WHERE u.relfilenode=? AND u.rid=? AND u.xid<>? "
            f"UNION ALL SELECT xid FROM {p}rowlock WHERE relfilenode=? AND rid=? AND xid<>? "
            "AND mode>1 LIMIT 1",
            (relfilenode, rid, own, relfilenode, rid, own),
        ).fetchone()
        if holder is not None:
            raise WaitFor(holder[0])
        shared = session.conn.execute(
            f"SELECT xid FROM {p}rowlock WHERE relfilenode=? AND rid=? AND xid<>? LIMIT 1",
            (relfilenode, rid, own),
        ).fetchone()
        if shared is not None and (
            command != "update" or _changes_key(session, relation, rid, columns, row)
        ):
            raise WaitFor(shared[0])
        if fixed is not None:
            session.check_not_changed_since(p, relfilenode, rid)


def _changes_key(
    session: Any, relation: Any, rid: int, columns: Sequence[int], row: Row
) -> bool:
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


def _update_rows(
    session: Any, modify: ModifyPlan, relation: Any, targets: dict[tuple[int, int], Row]
) -> None:
    count = len(modify.target_columns)
    for (relid, rid), row in targets.items():
        target = _target(session, relation, relid)
        columns, values = session.row_for(
            relation, target, modify.target_columns, row[2 : 2 + count]
        )
        sets = "".join(f", c{number}=?" for number in columns)
        text = f"UPDATE {target.sqlite_name} SET xmin=pg_xid(){sets} WHERE rid=? RETURNING rid"
        store_row(session, target, text, (*values, rid))


def _returning(
    session: Any, plan: Plan, modify: ModifyPlan, written: list[Row], bindings: Sequence[Value]
) -> list[Row]:
    if not modify.returning:
        return []
    session.udfs.row_sets["returning"] = written
    text = modify.returning_sql
    rows: list[Row] = session.conn.execute(
        text, bindings[: _parameters(text, bindings)]
    ).fetchall()
    return rows


__all__ = ["PgClass", "WaitFor", "run_modify"]
