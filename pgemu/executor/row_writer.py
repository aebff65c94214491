"""Writing one row after the other (PostgreSQL's ExecInsert, ExecUpdate and ExecDelete).

The rows written come back as images (tableoid, rid, xmax, columns of the statement's target table
in order), from which RETURNING, WITH CHECK OPTION and the like are computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import apsw

from pgemu.errors import FEATURE_NOT_SUPPORTED, TRIGGERED_DATA_CHANGE_VIOLATION, PgError
from pgemu.executor.lock_levels import ROW_EXCLUSIVE
from pgemu.executor.modifying_ctes import ForeignChangeError
from pgemu.executor.partition_routing import convert_row
from pgemu.executor.suspending import in_place
from pgemu.executor.waiting import WaitFor, WaitForKey
from pgemu.nodes.primnodes import Value
from pgemu.transam.schema import next_rid, prefix

Row = tuple[Any, ...]


def modified_by_trigger(what: str) -> PgError:
    """The row at hand was changed by a command inside the statement."""
    return PgError(
        TRIGGERED_DATA_CHANGE_VIOLATION,
        f"tuple to be {what} was already modified by an operation triggered by the current command",
        hint="Consider using an AFTER trigger instead of a BEFORE trigger to propagate "
        "changes to other rows.",
    )


class RowWriter:
    """Writes rows of one target table, of its children and partitions."""

    def __init__(self, session: Any, relation: Any) -> None:
        self.session = session
        self.relation = relation
        # by OID: what has been made ready to be written
        self.tables: dict[int, Any] = {relation.oid: relation}
        # nobody can start writing while this statement does, unless it sleeps
        self._contended = bool(session.xact.others_running(relation.sqlite_name.startswith("g.")))
        # tests the policies' conditions for (kind of check, image of a row)
        self.check_row: Callable[[str, Row], None] | None = None
        # the INSERT at hand is half of an UPDATE that moves a row to another partition
        self._changing = False
        # ON CONFLICT DO UPDATE may not move the row to another partition
        self.may_move = True

    @property
    def contended(self) -> bool:
        """Others may have changed what is at hand."""
        return self._contended or self.session.xact.suspensions > 0

    def storage(self, relid: int) -> Any:
        """The table with this OID, ready to be written."""
        found = self.tables.get(relid)
        if found is None:
            found = self.tables[relid] = self.session.catalog.relation(relid)
            self.session.prepare_write(found)
        return found

    def check_stored(self, kind: str, relid: int, rid: int) -> None:
        """The policies' conditions for a row that is there, before something happens to it."""
        if self.check_row is None:
            return
        target = self.storage(relid)
        names = "".join(f", c{a.attnum}" for a in target.attrs)
        found = self.session.conn.execute(
            f"SELECT rid{names} FROM {target.sqlite_name} WHERE rid=?", (rid,)
        ).fetchall()
        if found:
            self.check_row(kind, self._image(target, found[0], 0))

    def full_row(self, columns: Sequence[int], values: Sequence[Value]) -> list[Value]:
        row: list[Value] = [None] * len(self.relation.attrs)
        for number, value in zip(columns, values, strict=False):
            row[number - 1] = value
        return row

    def insert(self, row: Sequence[Value], xmax: int = 0) -> Row:
        """Store a row of the target table's shape; a partitioned table routes it."""
        target, values = self.relation, row
        if target.relkind == "p":
            if target.is_partition and not self.session.routing.check(target, row):
                raise self.session.constraints.partition_violation(target, row)
            target, values = self.session.routing.route(target, row)
            if target.oid not in self.tables:
                self._lock_partition(target, values)
            target = self.storage(target.oid)
        return self._insert_into(target, values, xmax)

    def _lock_partition(self, target: Any, values: Sequence[Value]) -> None:
        """Rows go into a partition under a lock of its own (ExecInitPartitionInfo).  Who had to
        wait for it looks at the bounds again: of a default partition they may have changed."""
        session = self.session
        if session.locks is None:
            return
        suspensions = session.xact.suspensions
        ancestors = target.partition_ancestors
        below = ancestors[: ancestors.index(self.relation.oid)]
        path = [*reversed(below), target.oid]
        for oid in path:
            in_place(session, partial(session.locks.relation, oid, ROW_EXCLUSIVE))
        if session.xact.suspensions == suspensions:
            return
        session.accept_invalidations()
        if not session.routing.check(session.catalog.relation(target.oid), values):
            found = next(
                (oid for oid in path if not session.routing.fits(oid, target.oid, values)),
                target.oid,
            )
            raise session.constraints.partition_violation(session.catalog.relation(found), values)

    def _insert_into(self, target: Any, values: Sequence[Value], xmax: int) -> Row:
        numbers = [a.attnum for a in target.attrs]
        if self.check_row is not None:
            kind = "rls_update" if self._changing else "rls_insert"
            self.check_row(kind, self._image(target, (None, *values), 0))
        names = "".join(f", c{n}" for n in numbers)
        marks = ", ?" * len(numbers)
        stored = self._store(
            target,
            f"INSERT INTO {target.sqlite_name} (rid, xmin{names}) "
            f"VALUES ({next_rid(target.sqlite_name)}, pg_xid(){marks}) RETURNING rid{names}",
            tuple(values),
        )
        assert stored is not None
        return self._image(target, stored, xmax)

    def update(
        self,
        relid: int,
        rid: int,
        columns: Sequence[int],
        values: Sequence[Value],
        xmax: int = 0,
    ) -> Row | None:
        """Change columns (numbers of the target table) of a row; None: it has gone."""
        target = self.storage(relid)
        if self._done(target, rid, "updated"):
            return None
        if target.oid != self.relation.oid:
            numbers = {a.attname: a.attnum for a in target.attrs if not a.attisdropped}
            columns = [numbers[self.relation.attrs[c - 1].attname] for c in columns]
        if self.relation.relkind == "p" or not self.may_move:
            moved = self._moved(target, rid, columns, values)
            if moved is not None:
                return moved
        if self.check_row is not None:
            new = self._changed_row(target, rid, columns, values)
            if new is None:
                return None
            self.check_row("rls_update", self._image(target, (rid, *new), 0))
        sets = "".join(f", c{number}=?" for number in columns)
        names = "".join(f", c{a.attnum}" for a in target.attrs)
        stored = self._store(
            target,
            f"UPDATE {target.sqlite_name} SET xmin=pg_xid(){sets} WHERE rid=? RETURNING rid{names}",
            (*values, rid),
            partial(self._keep_locked, target, rid, columns, values),
        )
        return self._image(target, stored, xmax) if stored is not None else None

    def _keep_locked(
        self, target: Any, rid: int, columns: Sequence[int], values: Sequence[Value]
    ) -> None:
        """An UPDATE has to wait for a key of the new row: the old one is nobody else's by now."""
        keys = self.session.key_columns(target)
        new = [(c, v) for c, v in zip(columns, values, strict=True) if c in keys]
        terms = "".join(f" AND c{c} IS ?" for c, _ in new)
        same = self.session.conn.execute(
            f"SELECT 1 FROM {target.sqlite_name} WHERE rid=?{terms}", (rid, *(v for _, v in new))
        ).fetchone()
        self.session.row_locks.hold(target, rid, "fornokeyupdate" if same else "forupdate")

    def _check_may_move(self) -> None:
        if not self.may_move:
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                "invalid ON UPDATE specification",
                detail="The result tuple would appear in a different partition than the original "
                "tuple.",
            )

    def _moved(
        self, target: Any, rid: int, columns: Sequence[int], values: Sequence[Value]
    ) -> Row | None:
        """The new image when the changed row belongs to another partition; else None."""
        if not target.is_partition:
            return None
        row = self._changed_row(target, rid, columns, values)
        if row is None or self.session.routing.check(target, row):
            return None
        self._check_may_move()
        self._take_away(target, rid, row)
        self._changing = True
        image = self.insert(convert_row(target, self.relation, row))
        self._changing = False
        return image

    def _changed_row(
        self, target: Any, rid: int, columns: Sequence[int], values: Sequence[Value]
    ) -> list[Value] | None:
        """A stored row with new values in some columns; None: it has gone."""
        names = ", ".join(f"c{a.attnum}" for a in target.attrs)
        found = self.session.conn.execute(
            f"SELECT {names} FROM {target.sqlite_name} WHERE rid=?", (rid,)
        ).fetchall()
        if not found:
            return None
        row = list(found[0])
        for number, value in zip(columns, values, strict=True):
            row[number - 1] = value
        return row

    def _take_away(self, target: Any, rid: int, row: Sequence[Value]) -> None:
        """The deleting half of a move; who references the row sees an update."""
        queue = self.session.after_triggers
        mark = queue.mark()
        self.session.conn.execute(f"DELETE FROM {target.sqlite_name} WHERE rid=?", (rid,))
        self._note_move(target)
        queue.moved(mark, self.relation, target, row)

    def _note_move(self, target: Any) -> None:
        """The undo that was just written is of a row that goes to another partition."""
        if self.session.xact.undo_xid:
            schema = target.sqlite_name.partition(".")[0]
            undo = f"{schema}.{prefix(schema)}undo"
            self.session.conn.execute(
                f"UPDATE {undo} SET op='M' WHERE seq=(SELECT max(seq) FROM {undo}) AND op='D'"
            )

    def delete(self, relid: int, rid: int) -> Row | None:
        """Take a row away; its image, or None: it had gone."""
        target = self.storage(relid)
        if self._done(target, rid, "deleted"):
            return None
        names = "".join(f", c{a.attnum}" for a in target.attrs)
        found = self.session.conn.execute(
            f"DELETE FROM {target.sqlite_name} WHERE rid=? RETURNING rid{names}", (rid,)
        ).fetchall()
        if found:
            self._note(target, rid)
        return self._image(target, found[0], 0) if found else None

    def _done(self, target: Any, rid: int, what: str) -> bool:
        """Another part of the same statement has changed the row: only one change counts."""
        overlay = self.session.own_overlay
        try:
            return overlay is not None and overlay.touched(target.sqlite_name, rid)
        except ForeignChangeError:
            raise modified_by_trigger(what) from None

    def _note(self, target: Any, rid: int) -> None:
        overlay = self.session.own_overlay
        if overlay is not None:
            overlay.note(target.sqlite_name, rid)

    def _image(self, target: Any, stored: Row, xmax: int) -> Row:
        columns: Sequence[Value] = stored[1:]
        if target.oid != self.relation.oid:
            columns = convert_row(target, self.relation, columns)
        return (target.oid, stored[0], xmax, *columns)

    def _store(
        self,
        target: Any,
        text: str,
        values: Sequence[Value],
        keep: Callable[[], None] | None = None,
    ) -> Row | None:
        """Run an INSERT or UPDATE of one row.  An equal key of an open transaction is waited
        for.  keep: what to do before that."""
        if not self.contended or self.session.callback_depth:
            stored = self._store_once(target, text, values)
        else:
            stored = in_place(
                self.session, lambda: self._store_or_nothing(target, text, values, keep)
            )
        if stored is not None and self.session.own_overlay is not None:
            self._note(target, stored[0])
        return stored

    def _store_or_nothing(
        self, target: Any, text: str, values: Sequence[Value], keep: Callable[[], None] | None
    ) -> Row | None:
        """Whoever has to wait finds things as they were before, but has the row that is changed
        and the keys that were entered before."""
        conn, noted = self.session.conn, self.session.after_triggers.mark()
        conn.execute("SAVEPOINT pg_row")
        try:
            return self._store_once(target, text, values)
        except WaitFor as wait:
            conn.execute("ROLLBACK TO pg_row")
            self.session.after_triggers.back_to(noted)
            if self.session.xact.undo_xid:
                if keep is not None:
                    keep()
                if isinstance(wait, WaitForKey):
                    self._keep_keys(target, wait.index)
            raise
        finally:
            conn.execute("RELEASE pg_row")

    def _keep_keys(self, target: Any, awaited: Any) -> None:
        """The keys of the new row in the indexes before the awaited one are taken while it waits:
        the undo says of them that this transaction made a row with them and deleted it."""
        last = self.session.constraints.last_row
        before = target.indexes[: target.indexes.index(awaited)]
        keys = {a for i in before if i.index.indisunique for a in i.index.indkey if a}
        if not keys or last is None:
            return
        xact, table = self.session.xact, target.sqlite_name
        schema, _, storage = table.partition(".")
        undo = f"{schema}.{prefix(schema)}undo"
        rid = self.session.conn.execute(f"SELECT {next_rid(table)}").fetchone()[0]
        made = (xact.undo_xid, int(storage[1:]), rid)
        names = "".join(f", c{a}" for a in sorted(keys))
        images = [last[1][a - 1] for a in sorted(keys)]
        text = f"INSERT INTO {undo} (xid, relfilenode, rid, op"
        self.session.conn.execute(f"{text}) VALUES (?, ?, ?, 'I')", made)
        self.session.conn.execute(
            f"{text}{names}) VALUES (?, ?, ?, 'D'{', ?' * len(images)})", (*made, *images)
        )
        xact.undo_written = True

    def _store_once(self, target: Any, text: str, values: Sequence[Value]) -> Row | None:
        session = self.session
        try:
            found = session.conn.execute(text, values).fetchall()
        except apsw.ConstraintError as error:
            index, owner = session.conflicting_xid(target) if self.contended else (None, 0)
            if owner:
                raise WaitForKey(owner, index) from None
            predicate = session.xact.serializable()
            if predicate is not None and str(error).startswith("UNIQUE"):
                predicate.check_key_in(target.sqlite_name, session.constraints.last_row[1])
            raise
        index, owner = session.freed_key_of_last_row(target) if self.contended else (None, 0)
        if owner:
            raise WaitForKey(owner, index)
        row: Row | None = found[0] if found else None
        return row
