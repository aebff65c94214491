"""Statements whose writes a transaction block holds back (transam/heldwrites.py).

These are: UPDATE of one row by a unique key, of columns that no index and no foreign key has, and
INSERT ... VALUES into a table without indexes, references and checks; no triggers or policies are
about those tables.
Such a statement depends on its row alone, which is locked, so its values are computed at once, with
all that it may complain of; what is held back only stores them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pgemu.nodes.primnodes import Value
from pgemu.planner.plan import ModifyPlan, Plan
from pgemu.planner.planner import compile_table_expr
from pgemu.storage.heldrows import row_address
from pgemu.transam.heldwrites import HeldWrite
from pgemu.transam.schema import next_rid
from pgemu.transam.visibility import EVERYTHING, dirty_tables

Row = tuple[Any, ...]
_FEW = 100
# a statement about one table, which runs no other statements
_ONE_TABLE = re.compile(r"\bFROM main\.r\d+ AS \w+(?= WHERE | GROUP BY | ORDER BY | LIMIT |$)")
# what tells a statement about its transaction, or about rows, that is not so yet
_TELLING = re.compile(r"\b(?:txid_|pg_)\w+\(|\bxm(?:in|ax)\b|\brid\b")


def held_text(session: Any, plan: Plan, relation: Any) -> str:
    """For a plan that runs alone (lone_modify.note_lone_target): the SQLite statement that stores
    the values of a row (of UPDATE, the rid comes last).  Empty: it must not be held back."""
    modify = plan.modify
    assert modify is not None
    if not _may_be_held(session, plan, relation):
        return ""
    columns = [f"c{n}" for n in modify.target_columns]
    if plan.command_type == "update":
        new = "".join(f", {column} = ?{n}" for n, column in enumerate(columns, 1))
        table = modify.sqlite_name
        return f"UPDATE {table} SET xmin = pg_xid(){new} WHERE rid = ?{len(columns) + 1}"
    names = "".join(f", {column}" for column in columns)
    marks = "".join(f", ?{n}" for n in range(1, len(columns) + 1))
    return (
        f"INSERT INTO {modify.sqlite_name} (rid, xmin{names}) "
        f"VALUES ({next_rid(modify.sqlite_name)}, pg_xid(){marks})"
    )


def _may_be_held(session: Any, plan: Plan, relation: Any) -> bool:
    modify = plan.modify
    assert modify is not None
    test = modify.row_test
    if (
        test is None
        or modify.returning
        or modify.checks
        or modify.conflict is not None
        or any(a.attgenerated for a in relation.columns)
    ):
        return False
    written = set(modify.target_columns)
    if plan.command_type == "update":
        return bool(test.target) and not _binds(relation, written)
    required = {a.attnum for a in relation.columns if a.attnotnull}
    return (
        plan.command_type == "insert"
        and not (test.text or relation.all_indexes or relation.checks)
        and not session.constraints.notes_rows(relation)
        and required <= written
    )


def _binds(relation: Any, written: set[int]) -> bool:
    """Something besides CHECK looks at these columns when a row is updated, or at all of it."""
    indexes = [entry.index for entry in relation.all_indexes]
    return (
        any(0 in i.indkey or i.indpred is not None or written & set(i.indkey) for i in indexes)
        or any(c.condeferrable or written & set(c.conkey) for c in relation.fkeys)
        or any(written & set(c.confkey) for c in relation.referenced_by)
        or bool(relation.exclusions)
    )


def held_test(session: Any, plan: Plan, relation: Any) -> str:
    """SQLite text that is true of a row ("NEW") that violates a CHECK constraint which an UPDATE
    may touch; empty: there is none."""
    assert plan.modify is not None
    written = set(plan.modify.target_columns)
    tests = [
        compile_table_expr(session.catalog, relation, expr, "NEW")
        for constraint, expr in relation.checks
        if not constraint.conkey or written & set(constraint.conkey)
    ]
    return " OR ".join(f"({test}) IS 0" for test in tests)


def hold_back(
    session: Any, plan: Plan, relation: Any, bindings: Sequence[Value]
) -> tuple[list[Row], int] | None:
    """(no rows, number of rows written); None: nothing is held back any more, and nothing of this
    statement was done."""
    xact, modify = session.xact, plan.modify
    assert modify is not None
    if not (xact.may_go_on_holding() if xact.holds_back else xact.begin_holding_back()):
        xact.settle()
        return None
    xact.snapshot = EVERYTHING
    if plan.command_type == "insert":
        count = _insert(session, modify, relation, bindings)
    else:
        count = _update(session, modify, relation, bindings)
    if count is None:
        xact.settle()
        return None
    return [], count


def _insert(
    session: Any, modify: ModifyPlan, relation: Any, bindings: Sequence[Value]
) -> int | None:
    rows = session.conn.execute(modify.source_sql, bindings).fetchall()
    if any(_lacks_values(modify, relation, row) for row in rows):
        return None
    session.xact.held_rows[relation.oid] = None
    for row in rows:
        session.xact.hold(HeldWrite(modify.held_sql, row))
    return len(rows)


def _update(
    session: Any, modify: ModifyPlan, relation: Any, bindings: Sequence[Value]
) -> int | None:
    xact, conn, test = session.xact, session.conn, modify.row_test
    assert test is not None
    own = xact.held_rows.setdefault(relation.oid, {})
    if own is None:
        return None
    found = conn.execute(test.target, bindings[: test.parameters]).fetchone()
    if found is not None and not _take(session, relation, found[0]):
        return None
    if xact.others_have_xids() and conn.execute(test.text, bindings[: test.parameters]).fetchone():
        return None
    if found is None:
        return 0
    rid: int = found[0]
    text, values = modify.source_sql, tuple(bindings)
    if own:
        text, values = _with_own(text, values, {relation.sqlite_name: (relation, own)})
    rows = conn.execute(text, values).fetchall()
    if len(rows) != 1 or rows[0][0] != rid or _lacks_values(modify, relation, rows[0][2:]):
        return None
    new = rows[0][2 : 2 + len(modify.target_columns)]
    own.setdefault(rid, {}).update(zip(modify.target_columns, new, strict=True))
    if modify.held_test and _violates(conn, modify.held_test, relation, own, rid):
        return None
    xact.hold(HeldWrite(modify.held_sql, (*new, rid)))
    return 1


def _violates(
    conn: Any, test: str, relation: Any, own: dict[int, dict[int, Value]], rid: int
) -> bool:
    values: list[Value] = []
    table = _changed_table(relation.sqlite_name, len(relation.attrs), own, values)
    values.append(rid)
    text = f"SELECT 1 FROM {table}NEW WHERE NEW.rid = ?{len(values)} AND ({test})"
    return conn.execute(text, values).fetchone() is not None


def _take(session: Any, relation: Any, rid: int) -> bool:
    lock = session.writer_lock
    address = row_address(relation.oid, rid)
    if lock.holders.take(address):
        return True
    lock.note_contention()
    taken: bool = lock.holders.wait_for_row(
        address, session.latch.sleep, session.check_for_interrupts
    )
    return taken


def _lacks_values(modify: ModifyPlan, relation: Any, values: Sequence[Value]) -> bool:
    """A column that must not be null would be."""
    attrs = relation.attrs
    return any(
        value is None and attrs[number - 1].attnotnull
        for number, value in zip(modify.target_columns, values, strict=False)
    )


def rows_amid_held(session: Any, plan: Plan, bindings: Sequence[Value]) -> list[Row] | None:
    """The rows of a SELECT of a block that holds writes back; it may see those.  None: nothing is
    held back any more."""
    xact = session.xact
    tables = {}
    for oid, name, _ in plan.relations:
        if oid in xact.held_rows:
            tables[name] = session.catalog.relation(oid), xact.held_rows[oid]
    if (
        not plan.brief
        or _TELLING.search(plan.sql)
        or (tables and not _reads_one(plan.sql))
        or any(own is None for _, own in tables.values())
        or not xact.may_go_on_holding()
    ):
        xact.settle()
        return None
    text, values = _with_own(plan.sql, tuple(bindings), tables)
    rows = _rows(session, plan, text, values)
    if len(rows) > _FEW:
        xact.settle()  # to send them may take long
    return rows


def _rows(session: Any, plan: Plan, text: str, values: tuple[Value, ...]) -> list[Row]:
    xact = session.xact
    cursor = xact.read_quietly(text, values, True)
    if cursor is not None:
        return list(cursor)
    snapshot = xact.begin_read(amid_held=True)
    try:
        saved, session.dirty = session.dirty, ()
        if snapshot.invisible or snapshot.xmax:
            named = [(name, natts) for _, name, natts in plan.relations]
            session.dirty = dirty_tables(xact.conn.execute, named)
        try:
            return list(xact.conn.execute(session.visible_sql(text), values))
        finally:
            session.dirty = saved
    finally:
        xact.end_read()


def _reads_one(text: str) -> bool:
    return text.count("FROM") == 1 and _ONE_TABLE.search(text) is not None


def _with_own(
    text: str,
    bindings: tuple[Value, ...],
    tables: dict[str, tuple[Any, dict[int, dict[int, Value]] | None]],
) -> tuple[str, tuple[Value, ...]]:
    """The text with the tables as this transaction leaves them."""
    values = list(bindings)
    for name, (relation, own) in tables.items():
        if own:
            shown = _changed_table(name, len(relation.attrs), own, values)
            text = re.sub(rf"\b{re.escape(name)} AS ", shown, text)
    return text, tuple(values)


def _changed_table(
    name: str, natts: int, own: dict[int, dict[int, Value]], values: list[Value]
) -> str:
    """A select that SQLite merges into the statement around it, so that it goes on using indexes:
    the columns that have changed are in none.  values: the bindings, which become more."""
    changes: dict[int, list[str]] = {}
    for rid, new in own.items():
        values.append(rid)
        rid_parameter = len(values)
        for column, value in new.items():
            values.append(value)
            changes.setdefault(column, []).append(f"WHEN ?{rid_parameter} THEN ?{len(values)}")
    columns = ", ".join(
        f"CASE rid {' '.join(changes[n])} ELSE c{n} END AS c{n}" if n in changes else f"c{n}"
        for n in range(1, natts + 1)
    )
    return f"(SELECT rid, xmin, {columns} FROM {name}) AS "
