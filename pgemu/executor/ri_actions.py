"""The actions of foreign keys: CASCADE, SET NULL, SET DEFAULT (RI_FKey_cascade_del and its kin of
PostgreSQL's ri_triggers.c).

`after` is the queue (ri_triggers.AfterTriggers), `event` says which key went.  Tables without
user triggers are changed by one SQLite statement, others row by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import apsw

from pgemu.catalog.rows import PgConstraint
from pgemu.errors import PgError
from pgemu.executor.trigger_writer import TriggeringWriter
from pgemu.executor.triggers import TriggerRun, start
from pgemu.nodes.primnodes import Value

NO_ACTION, RESTRICT, CASCADE, SET_NULL, SET_DEFAULT = "a", "r", "c", "n", "d"


def run_action(after: Any, constraint: PgConstraint, child: Any, event: Any, action: str) -> None:
    """What the rows of `child` with the event's key become."""
    assert constraint.conkey is not None
    columns: Sequence[int] = constraint.conkey
    values: Sequence[Value] = event.new
    if action == CASCADE and event.kind == "delete":
        columns = ()
    elif action != CASCADE and event.kind == "delete" and constraint.confdelsetcols:
        columns = constraint.confdelsetcols
    kind = "update" if columns else "delete"
    begun = True
    triggers: TriggerRun | None = after.cascades.get((child.oid, kind, *columns))
    if triggers is None and child.row.relhastriggers:
        triggers, begun = start(after.session, child, (kind,), columns), False
    if action != CASCADE:
        values = [after.new_value(child, c, action) for c in columns]
    line = f'SQL statement "{_text(child, constraint.conkey, columns, action)}"'
    stack = after.session.context_stack
    stack.append(line)
    try:
        if triggers is None:
            _change_at_once(after, child, constraint.conkey, event, action, columns, values)
            return
        if not begun:
            after.cascades[(child.oid, kind, *columns)] = triggers
            triggers.before_statement()
        _change_rows(after, triggers, child, constraint.conkey, event, columns, values)
    except PgError as error:
        error.add_context(line)
        raise
    except apsw.Error as error:
        error.add_note(line)
        raise
    finally:
        stack.pop()


def _change_at_once(
    after: Any,
    child: Any,
    keys: Sequence[int],
    event: Any,
    action: str,
    columns: Sequence[int],
    values: Sequence[Value],
) -> None:
    session = after.session
    contended = session.xact.others_running()
    for leaf in after.leaves(child):
        session.prepare_write(leaf)
        name, key = leaf.sqlite_name, event.key
        where = after.where(leaf, keys)
        if contended or session.xact.fixed_snapshot is not None:
            rids = after.rows_of_action(leaf, keys, event, action)
            where, key = f"rid IN ({','.join(map(str, rids))})", ()
        if columns:
            sets = "".join(f", c{c}=?" for c in columns)
            text = f"UPDATE {name} AS t SET xmin=pg_xid(){sets} WHERE {where}"
        else:
            text = f"DELETE FROM {name} AS t WHERE {where}"
        session.conn.execute(text, (*(values if columns else ()), *key))


def _change_rows(
    after: Any,
    triggers: TriggerRun,
    child: Any,
    keys: Sequence[int],
    event: Any,
    columns: Sequence[int],
    values: Sequence[Value],
) -> None:
    session, where = after.session, after.where(child, keys)
    writer = TriggeringWriter(session, child, triggers)
    for oid in child.all_inheritors if child.relkind == "p" else (child.oid,):
        storage = session.catalog.relation(oid)
        if storage.relkind == "p":
            continue
        session.prepare_write(storage)
        found = session.conn.execute(
            f"SELECT rid FROM {storage.sqlite_name} AS t WHERE {where}", event.key
        ).fetchall()
        for (rid,) in found:
            if columns:
                writer.update(oid, rid, columns, values)
            else:
                writer.delete(oid, rid)


def _text(child: Any, keys: Sequence[int], columns: Sequence[int], action: str) -> str:
    """The query that PostgreSQL runs for it."""

    def quoted(name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    only = "" if child.relkind == "p" else "ONLY "
    table = f"{only}{quoted(child.schema_name)}.{quoted(child.name)}"
    names = {a.attnum: quoted(a.attname) for a in child.attrs}
    first, sets = 1, ""
    if columns and action == CASCADE:
        sets = ", ".join(f"{names[c]} = ${n}" for n, c in enumerate(columns, 1))
        first = len(columns) + 1
    elif columns:
        word = "NULL" if action == SET_NULL else "DEFAULT"
        sets = ", ".join(f"{names[c]} = {word}" for c in columns)
    where = " AND ".join(
        f"${n} OPERATOR(pg_catalog.=) {names[c]}" for n, c in enumerate(keys, first)
    )
    return (
        f"UPDATE {table} SET {sets} WHERE {where}" if sets else f"DELETE FROM {table} WHERE {where}"
    )
