"""Writing rows of tables with user triggers, and views with INSTEAD OF triggers
(the trigger calls of PostgreSQL's nodeModifyTable.c).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pgemu.executor.partition_routing import convert_row
from pgemu.executor.row_writer import Row, RowWriter, modified_by_trigger
from pgemu.executor.triggers import BEFORE, TriggerRun, start
from pgemu.nodes.primnodes import Value
from pgemu.planner.planner import compile_index_expr
from pgemu.types.record import deform


def start_triggers(session: Any, relation: Any, plan: Any, modify: Any) -> TriggerRun | None:
    """The triggers of a statement; None: the table has none."""
    row = relation.row
    if not (row.relhastriggers or row.relhassubclass or row.relispartition):
        return None
    events: list[str] = [plan.command_type]
    columns: Sequence[int] = modify.target_columns
    if plan.command_type == "insert":
        if modify.conflict is not None and modify.conflict.action != "nothing":
            events.append("update")
            columns = modify.conflict.set_columns
    elif plan.command_type == "merge":
        events = [
            e for e in ("insert", "update", "delete") if any(a.command == e for a in modify.actions)
        ]
        columns = [c for a in modify.actions if a.command == "update" for c in a.columns]
    made: TriggerRun | None = start(session, relation, events, columns)
    return made


class TriggeringWriter(RowWriter):
    """A RowWriter that fires row triggers."""

    def __init__(self, session: Any, relation: Any, triggers: TriggerRun) -> None:
        super().__init__(session, relation)
        self.triggers = triggers
        self._stored: Row = ()
        self._fired = False
        # how messages call what happens to a row; "": what it is
        self.action = ""

    def _store(
        self,
        target: Any,
        text: str,
        values: Sequence[Value],
        keep: Callable[[], None] | None = None,
    ) -> Row | None:
        found = super()._store(target, text, values, keep)
        if found is not None:
            self._stored = found[1:]
        return found

    def before_insert(self, row: Sequence[Value]) -> list[Value] | None:
        """ON CONFLICT: BEFORE INSERT triggers run before the conflict is looked for."""
        target, values = self.relation, row
        if target.relkind == "p":
            target, values = self.session.routing.route(target, row)
        made = self._before(target, values)
        self._fired = True
        return None if made is None else list(convert_row(target, self.relation, made))

    def _before(self, target: Any, row: Sequence[Value]) -> Sequence[Value] | None:
        if not self.triggers.has(target, "insert", BEFORE):
            return row
        new = self.triggers.before_row(target, "insert", None, row)
        if new is None:
            return None
        new = self._generated(target, new)
        routed = self.relation.oid != target.oid and target.is_partition
        if routed and not self.session.routing.check(target, new):
            raise self.session.constraints.partition_violation(target, new)
        return new

    def _insert_into(self, target: Any, values: Sequence[Value], xmax: int) -> Row:
        row: Sequence[Value] | None = values
        if not self._fired:
            row = self._before(target, values)
        self._fired = False
        if row is None:
            return None  # type: ignore[return-value]
        image = super()._insert_into(target, row, xmax)
        self.triggers.after_row(target, "insert", None, self._stored, collect=not self._changing)
        return image

    def _old(self, target: Any, rid: int) -> Row | None:
        names = ", ".join(f"c{a.attnum}" for a in target.attrs)
        found = self.session.conn.execute(
            f"SELECT {names} FROM {target.sqlite_name} WHERE rid=?", (rid,)
        ).fetchall()
        return found[0] if found else None

    def update(
        self,
        relid: int,
        rid: int,
        columns: Sequence[int],
        values: Sequence[Value],
        xmax: int = 0,
    ) -> Row | None:
        target = self.storage(relid)
        if self._done(target, rid, "updated"):
            return None
        old = self._old(target, rid)
        if old is None:
            return None
        if target.oid != self.relation.oid:
            numbers = {a.attname: a.attnum for a in target.attrs if not a.attisdropped}
            columns = [numbers[self.relation.attrs[c - 1].attname] for c in columns]
        new: list[Value] = list(old)
        for number, value in zip(columns, values, strict=False):
            new[number - 1] = value
        if self.triggers.has(target, "update", BEFORE):
            made = self.triggers.before_row(target, "update", old, new)
            if made is None:
                return None
            self._check_untouched(target, rid, old, "updated")
            new = list(self._generated(target, made))
        if (
            self.relation.relkind == "p"
            and target.is_partition
            and not self.session.routing.check(target, new)
        ):
            return self._move(target, rid, old, new)
        return self._update_row(target, rid, old, new, xmax)

    def _update_row(
        self, target: Any, rid: int, old: Row, new: Sequence[Value], xmax: int
    ) -> Row | None:
        if self.check_row is not None:
            self.check_row("rls_update", self._image(target, (rid, *new), 0))
        changed = [a.attnum for a in target.attrs if not a.attisdropped]
        sets = "".join(f", c{number}=?" for number in changed)
        names = "".join(f", c{a.attnum}" for a in target.attrs)
        stored = self._store(
            target,
            f"UPDATE {target.sqlite_name} SET xmin=pg_xid(){sets} WHERE rid=? RETURNING rid{names}",
            (*(new[n - 1] for n in changed), rid),
        )
        if stored is None:
            return None
        self.triggers.after_row(target, "update", old, stored[1:])
        return self._image(target, stored, xmax)

    def _move(self, target: Any, rid: int, old: Row, new: Sequence[Value]) -> Row | None:
        """The changed row belongs to another partition: DELETE there, INSERT here."""
        self._check_may_move()
        if (
            self.triggers.has(target, "delete", BEFORE)
            and self.triggers.before_row(target, "delete", old, None) is None
        ):
            return None
        self._take_away(target, rid, new)
        self.triggers.after_row(target, "delete", old, None, collect=False)
        self._changing = True
        image = self.insert(convert_row(target, self.relation, new))
        self._changing = False
        self.triggers.collect(target, "update", old, new if image is not None else None)
        return image

    def delete(self, relid: int, rid: int) -> Row | None:
        target = self.storage(relid)
        if self._done(target, rid, "deleted"):
            return None
        old = self._old(target, rid)
        if old is None:
            return None
        if self.triggers.has(target, "delete", BEFORE):
            if self.triggers.before_row(target, "delete", old, None) is None:
                return None
            self._check_untouched(target, rid, old, "deleted")
        image = super().delete(relid, rid)
        if image is not None:
            self.triggers.after_row(target, "delete", old, None)
        return image

    def _check_untouched(self, target: Any, rid: int, old: Row, what: str) -> None:
        """A BEFORE trigger must not have changed the row itself."""
        if self._old(target, rid) != old:
            raise modified_by_trigger(self.action or what)

    def _generated(self, target: Any, row: Sequence[Value]) -> Sequence[Value]:
        """Generated columns follow what triggers have changed."""
        generated = target.generated
        if not generated:
            return row
        values = list(row)
        columns = ", ".join(f"? AS c{n}" for n in range(1, len(values) + 1))
        for number, expr in generated.items():
            text = compile_index_expr(self.session.catalog, target, expr)
            found = self.session.conn.execute(
                f"SELECT {text} FROM (SELECT {columns})", values
            ).fetchall()
            values[number - 1] = found[0][0]
        return values


def write_view(
    triggers: TriggerRun,
    relation: Any,
    command: str,
    columns: Sequence[int],
    source: Sequence[Row],
) -> list[Row]:
    """INSTEAD OF triggers of a view; the images of the rows that were not skipped."""
    written: list[Row] = []
    width = len(relation.attrs)
    for item in source:
        old: list[Value] | None = None
        new: list[Value] | None = None
        extra: Row = ()
        if command == "insert":
            new = [None] * width
            for number, value in zip(columns, item, strict=False):
                new[number - 1] = value
        else:
            if item[0] is None:
                continue
            old = list(deform(str(item[0]))[1])
            extra = tuple(item[2 + len(columns) :])
            if command == "update":
                new = list(old)
                for number, value in zip(columns, item[2:], strict=False):
                    new[number - 1] = value
        result = triggers.instead_of(relation, command, old, new)
        if result is not None:
            written.append((relation.oid, 0, 0, *result, *extra))
    return written


def cascade_with_triggers(
    session: Any,
    child: Any,
    where: str,
    key: Sequence[Value],
    columns: Sequence[int],
    values: Sequence[Value],
) -> bool:
    """The action of a foreign key on a table with user triggers: DELETE (without columns) or
    UPDATE of the rows that `where` finds.  False: the table has no triggers."""
    event = "update" if columns else "delete"
    triggers: TriggerRun | None = start(session, child, (event,), columns)
    if triggers is None:
        return False
    triggers.before_statement()
    writer = TriggeringWriter(session, child, triggers)
    for oid in child.all_inheritors if child.relkind == "p" else (child.oid,):
        storage = session.catalog.relation(oid)
        if storage.relkind == "p":
            continue
        session.prepare_write(storage)
        found = session.conn.execute(
            f"SELECT rid FROM {storage.sqlite_name} AS t WHERE {where}", key
        ).fetchall()
        for (rid,) in found:
            if columns:
                writer.update(oid, rid, columns, values)
            else:
                writer.delete(oid, rid)
    triggers.after_statement()
    return True
