"""Referential integrity and deferrable uniqueness: what must be tested after rows were written.

Counterpart of PostgreSQL's ri_triggers.c and of the trigger queue (trigger.c, AfterTrigger...).
The AFTER triggers of a table only note keys here; `end_of_statement` tests those of immediate
constraints and runs the actions, `before_commit` those of deferred ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from pgemu.catalog.pg_locale import storage_collation
from pgemu.catalog.rows import PgConstraint
from pgemu.errors import (
    EXCLUSION_VIOLATION,
    FEATURE_NOT_SUPPORTED,
    FOREIGN_KEY_VIOLATION,
    RESTRICT_VIOLATION,
    UNIQUE_VIOLATION,
    PgError,
)
from pgemu.executor.lock_levels import ROW_EXCLUSIVE, ROW_SHARE
from pgemu.executor.ri_actions import (
    CASCADE,
    NO_ACTION,
    RESTRICT,
    SET_DEFAULT,
    SET_NULL,
    run_action,
)
from pgemu.executor.ri_notes import fires_in_role
from pgemu.executor.suspending import in_place
from pgemu.executor.waiting import WaitFor, moved_error
from pgemu.nodes.primnodes import Const, Value
from pgemu.transam.schema import prefix
from pgemu.transam.visibility import overlay_statement

Key = tuple[Value, ...]
_Side = tuple[Any, Sequence[int]]  # a relation and its columns' numbers
# types whose equal values are stored alike: integers and OIDs, strings, floats
_ALIKE = (frozenset((20, 21, 23, 26)), frozenset((18, 19, 25, 1042, 1043)), frozenset((700, 701)))
# so many new references are looked up together, and so many keys by one statement
MANY, AT_ONCE = 8, 200


@dataclass(frozen=True, slots=True)
class Event:
    """kind "child": a referencing row with `key` appeared; "delete"/"update": a referenced row
    with `key` went (to `new`); "unique": a row with `key` came into index `constraint`."""

    kind: str
    constraint: int
    key: Key
    new: Key = ()


class AfterTriggers:
    """The queue of this session."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.immediate: dict[Event, None] = {}
        self.deferred: dict[Event, None] = {}
        # the user triggers of the tables that actions have changed, by table and kind of change
        self.cascades: dict[tuple[Any, ...], Any] = {}
        # of each savepoint: what was deferred, and the modes
        self._marks: list[tuple[dict[Event, None], dict[int, bool]]] = []
        # the foreign key and the key of the check that was the last to wait for a deleter
        self._waited: tuple[int, Key] | None = None
        self._waited_row: tuple[int, int, int] | None = None
        # SET CONSTRAINTS of this transaction: constraint OID (0: ALL) -> deferred?
        self.modes: dict[int, bool] = {}
        # session_replication_role
        self.replica = False
        # constraints with triggers that fire there only
        self.for_replica: set[int] = set()
        session.guc.assign_hooks["session_replication_role"] = self._follow_role
        self._follow_role(session.guc.value("session_replication_role"))
        conn = session.conn
        conn.create_scalar_function("pg_note_child", self._note_child, -1)
        conn.create_scalar_function("pg_note_null", self._note_null, 1)
        conn.create_scalar_function("pg_note_delete", self._note_delete, -1)
        conn.create_scalar_function("pg_note_update", self._note_update, -1)
        conn.create_scalar_function("pg_note_unique", self._note_unique, -1)
        conn.create_scalar_function("pg_note_exclude", self._note_exclude, 2)

    # -- noting ------------------------------------------------------------------------------

    def _note_child(self, constraint: int, *key: Value) -> None:
        self._add(Event("child", constraint, key))

    def _note_null(self, constraint: int) -> None:
        self._add(Event("null", constraint, ()))

    def _note_delete(self, constraint: int, *key: Value) -> None:
        self._add(Event("delete", constraint, key))

    def _note_update(self, constraint: int, *keys: Value) -> None:
        half = len(keys) // 2
        self._add(Event("update", constraint, keys[:half], keys[half:]))

    def _note_unique(self, constraint: int, *key: Value) -> None:
        self._add(Event("unique", constraint, key))

    def _note_exclude(self, constraint: int, rid: int) -> None:
        self._add(Event("exclude", constraint, (rid,)))

    def _follow_role(self, role: Any) -> None:
        self.replica = str(role) == "replica"

    def _add(self, event: Event) -> None:
        if (self.replica or event.constraint in self.for_replica) and not fires_in_role(
            self.session, self._constraint(event.constraint), event.kind, replica=self.replica
        ):
            return
        queue = self.deferred if self._is_deferred(event) else self.immediate
        queue[event] = None

    def _is_deferred(self, event: Event) -> bool:
        row = self._constraint(event.constraint)
        if not row.condeferrable:
            return False
        if event.kind in ("delete", "update"):
            action = row.confdeltype if event.kind == "delete" else row.confupdtype
            if action != NO_ACTION:
                return False
        mode = self.modes.get(row.oid, self.modes.get(0))
        return bool(row.condeferred) if mode is None else mode

    def _constraint(self, oid: int) -> PgConstraint:
        memo = self.session.catalog.memo
        row: PgConstraint | None = memo.get(("noted", oid))
        if row is None:
            row = memo["noted", oid] = self.session.catalog.get(PgConstraint, oid=oid)
        return row

    # -- testing -----------------------------------------------------------------------------

    def end_of_statement(self, run: Any = None) -> None:
        """Test what the statement noted; actions may note more.  run: the user triggers of the
        statement; those of the tables that actions have changed come behind them."""
        if not self.immediate:
            if run is not None:
                run.after_statement()
            return
        outer, self.cascades = self.cascades, {}
        same = None if run is None else (run.relation.oid, "delete")
        if same is not None and "delete" in run.events:
            self.cascades[same] = run  # rows that go with others of their table
        try:
            while self.immediate:
                events, self.immediate = self.immediate, {}
                for event in self._without_kept(events):
                    in_place(self.session, partial(self._fire, event))
            if run is not None:
                run.after_statement()
                if same is not None:
                    self.cascades.pop(same, None)
            while self.cascades:
                runs, self.cascades = self.cascades, {}
                for cascade in runs.values():
                    cascade.after_statement()
        finally:
            self.cascades = outer

    def before_commit(self) -> None:
        while self.deferred or self.immediate:
            self.immediate, self.deferred = {**self.immediate, **self.deferred}, {}
            self.end_of_statement()

    def mark(self) -> tuple[int, int]:
        """How much has been noted."""
        return len(self.immediate), len(self.deferred)

    def back_to(self, mark: tuple[int, int]) -> None:
        """A row was not stored after all: forget what it has noted."""
        for queue, length in zip((self.immediate, self.deferred), mark, strict=True):
            while len(queue) > length:
                queue.popitem()

    def moved(self, mark: tuple[int, int], root: Any, target: Any, row: Sequence[Value]) -> None:
        """What was noted since `mark` is of a row of partition `target` that an UPDATE of `root`
        moves elsewhere: an update of the root's key (ExecCrossPartitionUpdateForeignKey)."""
        events: list[Event] = []
        for queue, length in zip((self.immediate, self.deferred), mark, strict=True):
            while len(queue) > length:
                events.append(queue.popitem()[0])
        for event in reversed(events):
            if event.kind != "delete":
                self._add(event)
                continue
            constraint = self._constraint(event.constraint)
            if not constraint.conparentid and constraint.confrelid != root.oid:
                self._add(event)  # the partition itself is referenced: its row goes
                continue
            while constraint.conparentid and constraint.confrelid != root.oid:
                constraint = self._constraint(constraint.conparentid)
            if constraint.confrelid != root.oid:
                raise self._not_root(constraint, root)
            assert constraint.confkey is not None
            names = [root.attrs[n - 1].attname for n in constraint.confkey]
            new = tuple(row[target.attrs_by_name[name].attnum - 1] for name in names)
            if new != event.key:
                self._add(Event("update", constraint.oid, event.key, new))

    def _not_root(self, constraint: PgConstraint, root: Any) -> PgError:
        name = self._relation(constraint.confrelid).name
        return PgError(
            FEATURE_NOT_SUPPORTED,
            "cannot move tuple across partitions when a non-root ancestor of the source partition "
            "is directly referenced in a foreign key",
            detail=f'A foreign key points to ancestor "{name}" but not the root ancestor '
            f'"{root.name}".',
            hint=f'Consider defining the foreign key on table "{root.name}".',
        )

    def set_mode(self, constraints: Sequence[int], deferred: bool) -> None:
        """SET CONSTRAINTS (empty: ALL).  Going immediate tests what was deferred."""
        if not constraints:
            self.modes = {0: deferred}
        else:
            self.modes = {**self.modes, **dict.fromkeys(constraints, deferred)}
        if not deferred:
            due = [e for e in self.deferred if not self._is_deferred(e)]
            for event in due:
                del self.deferred[event]
                self.immediate[event] = None
            saved = dict(self.immediate), dict(self.deferred)
            try:
                with self.session.xact.write():
                    self.end_of_statement()
            except WaitFor:
                self.deferred = saved[0] | saved[1]  # it runs again
                raise

    def pending_on(self, relid: int) -> bool:
        """Is there a deferred event of this table (AfterTriggerPendingOnRel)?"""
        for event in self.deferred:
            row = self.session.catalog.one(PgConstraint, oid=event.constraint)
            if row is not None and relid == (
                row.confrelid if event.kind in ("delete", "update") else row.conrelid
            ):
                return True
        return False

    def forget_statement(self) -> None:
        self.immediate = {}

    def forget_transaction(self) -> None:
        self.immediate, self.deferred, self.modes, self._marks = {}, {}, {}, []

    def on_subxact(self, event: str) -> None:
        """Deferred events of an aborted level are forgotten with it, those that it has fired are
        deferred again, and its SET CONSTRAINTS is undone."""
        if event == "start":
            self._marks.append((dict(self.deferred), dict(self.modes)))
        elif self._marks:
            mark, modes = self._marks.pop()
            if event == "abort":
                self.deferred, self.modes = mark, modes

    # -- firing ------------------------------------------------------------------------------

    def _fire(self, event: Event) -> None:
        constraint = self.session.catalog.one(PgConstraint, oid=event.constraint)
        if constraint is None:
            return  # dropped meanwhile
        if event.kind == "child":
            self._check_child(constraint, event.key)
        elif event.kind == "null":  # nothing to look for, but the table is opened and closed
            if self.session.locks is not None:
                self.session.locks.pass_relation(constraint.confrelid, ROW_SHARE)
        elif event.kind == "exclude":
            self._check_exclusion(constraint, event.key[0])
        elif event.kind == "unique":
            self._check_unique(constraint, event.key)
        else:
            self._parent_gone(constraint, event)

    def _without_kept(self, events: dict[Event, None]) -> dict[Event, None]:
        """What has to be looked at one by one: not the many new references of a statement whose
        keys are all there while nobody else is writing."""
        xact = self.session.xact
        if len(events) < MANY or xact.fixed_snapshot is not None or xact.others_running():
            return events
        children: dict[int, list[Event]] = {}
        for event in events:
            if event.kind == "child" and None not in event.key:
                children.setdefault(event.constraint, []).append(event)
        for oid, group in children.items():
            if len(group) >= MANY and self._all_kept(oid, [event.key for event in group]):
                for event in group:
                    del events[event]
        return events

    def _all_kept(self, oid: int, keys: Sequence[Key]) -> bool:
        """The parent has all these keys; it is locked as by _check_child then."""
        constraint = self.session.catalog.one(PgConstraint, oid=oid)
        if constraint is None:
            return False
        parent, columns = self._relation(constraint.confrelid), constraint.confkey
        if parent.relkind != "r" or columns is None:
            return False
        assert constraint.conkey is not None
        child = self._relation(constraint.conrelid), constraint.conkey
        distinct = list(dict.fromkeys(keys))
        if any(self._conversions(child, (parent, columns))):
            cast = [self._cast_key(key, child, (parent, columns)) for key in distinct]
            distinct = [key for key in cast if key is not None]
            if len(distinct) < len(cast):
                return False  # a value that the parent's type does not have
        self._lock(parent.oid, ROW_SHARE)
        names = ", ".join(f"column{n} AS k{n}" for n in range(1, len(columns) + 1))
        where = self.where(parent, columns)
        for n in range(1, len(columns) + 1):
            where = where.replace("=?", f"=k{n}", 1)
        marks = "(" + ", ".join("?" * len(columns)) + ")"
        for start in range(0, len(distinct), AT_ONCE):
            some = distinct[start : start + AT_ONCE]
            missing = self.session.conn.execute(
                f"SELECT 1 FROM (SELECT {names} FROM (VALUES {', '.join([marks] * len(some))})) "
                f"WHERE NOT EXISTS (SELECT 1 FROM {parent.sqlite_name} AS t WHERE {where}) LIMIT 1",
                [value for key in some for value in key],
            ).fetchone()
            if missing is not None:
                return False
        for key in distinct:
            self.session.lock_parent_key(parent, columns, key)
        return True

    def _relation(self, oid: int) -> Any:
        return self.session.catalog.relation(oid)

    def _lock(self, oid: int, mode: int) -> None:
        """The lock of the query that PostgreSQL's trigger would run."""
        if self.session.locks is not None:
            self.session.locks.relation(oid, mode)

    def where(self, relation: Any, attnums: Sequence[int]) -> str:
        terms = []
        for attnum in attnums:
            att = relation.attrs[attnum - 1]
            collation = storage_collation(self.session.catalog, att.atttypid, att.attcollation)
            collated = f" COLLATE {collation}" if collation else ""
            terms.append(f"t.c{attnum}{collated}=?")
        return " AND ".join(terms)

    def _exists(self, relation: Any, attnums: Sequence[int], key: Key) -> bool:
        for name in self._storage(relation):
            found = self.session.conn.execute(
                f"SELECT 1 FROM {name} AS t WHERE {self.where(relation, attnums)} LIMIT 1", key
            ).fetchone()
            if found is not None:
                return True
        return False

    def leaves(self, relation: Any) -> list[Any]:
        """The tables that hold a relation's rows: its partitions for a partitioned one."""
        leaves: list[Any] = self.session._leaves(relation)
        return leaves

    def _storage(self, relation: Any) -> list[str]:
        return [leaf.sqlite_name for leaf in self.leaves(relation)]

    def _conversions(self, source: _Side, target: _Side) -> list[tuple[int, int] | None]:
        """For each column of a key the types of both sides, if they store equal values
        differently."""
        types = self.session.catalog.types
        found: list[tuple[int, int] | None] = []
        for have, want in zip(source[1], target[1], strict=True):
            one, other = source[0].attrs[have - 1].atttypid, target[0].attrs[want - 1].atttypid
            if one != other:
                one, other = types.base_type(one), types.base_type(other)
            alike = one == other or any({one, other} <= same for same in _ALIKE)
            found.append(None if alike else (one, other))
        return found

    def _cast_key(
        self, key: Key, source: _Side, target: _Side, *, exact: bool = True
    ) -> Key | None:
        """A key of one side in the types of the other side's columns; None: no value of theirs is
        equal to it (exact)."""
        types = self.session.catalog.types
        cast: list[Value] = []
        for value, conversion in zip(key, self._conversions(source, target), strict=True):
            if value is None or conversion is None:
                cast.append(value)
                continue
            one, other = conversion
            try:
                made = self._cast(value, one, other)
                if exact and types.io(one).compare(self._cast(made, other, one), value):
                    return None
            except PgError:
                if not exact:
                    raise
                return None  # out of the other type's range
            cast.append(made)
        return tuple(cast)

    def _cast(self, value: Value, source: int, target: int) -> Value:
        from pgemu.parser.parse_coerce import coerce_to_target_type
        from pgemu.parser.parse_node import make_parsestate

        pstate = make_parsestate(None, self.session.catalog)
        expr = coerce_to_target_type(
            pstate, Const(source, value), source, target, -1, "explicit", "explicit_cast", -1
        )
        result: Value = self.session.evaluate(expr)
        return result

    def _check_child(self, constraint: PgConstraint, key: Key) -> None:
        parent = self._relation(constraint.confrelid)
        child = self._relation(constraint.conrelid)
        assert constraint.confkey is not None and constraint.conkey is not None
        self._lock(parent.oid, ROW_SHARE)
        if None in key:
            raise self._partial_null(constraint, child)
        event_key = constraint.oid, key
        busy = self.session.xact.others_running()
        if busy and not self._exists(child, constraint.conkey, key):
            return  # the row has gone again: nobody is to be waited for
        pk_key = self._cast_key(key, (child, constraint.conkey), (parent, constraint.confkey))
        if pk_key is None:
            raise self._not_present(constraint, parent, child, key)
        if self._exists(parent, constraint.confkey, pk_key) and not (
            busy and self.session.uncommitted_key(parent, constraint.confkey, pk_key)
        ):
            if self.session.xact.fixed_snapshot is not None and parent.relkind != "p":
                self._check_visible(constraint, parent, child, key, pk_key)
            try:
                self.session.lock_parent_key(parent, constraint.confkey, pk_key)
            except WaitFor as wait:
                self._waited, self._waited_row = event_key, wait.row
                raise
            return
        if busy:
            self._wait_for_freed(event_key, parent, constraint.confkey, pk_key)
        if not self._exists(child, constraint.conkey, key):
            return  # the row has gone again
        if self._waited == event_key and self.session.key_moved(parent, constraint.confkey, pk_key):
            raise moved_error()
        if self.session.key_gone_since(parent, constraint.confkey, pk_key):
            raise self.session.xact.serialization_failure("update")
        raise self._not_present(constraint, parent, child, key)

    def _wait_for_freed(
        self, event_key: tuple[int, Key], parent: Any, attnums: Sequence[int], key: Key
    ) -> None:
        """Somebody is taking the key away from a row; or had that row when it was waited for: then
        its newest version is wanted, unless it had to stay as it was."""
        session, locks = self.session, self.session.row_locks
        freed = session.freed_row(parent, attnums, key)
        if freed is not None:
            self._waited = event_key
            self._waited_row = locks.queue(*freed[1:], "forkeyshare")
            raise WaitFor(freed[0], self._waited_row)
        row = self._waited_row if self._waited == event_key else None
        if row is not None and session.xact.fixed_snapshot is None:
            relation = self._relation(row[0])
            holder = locks.holder(relation, row[1], "forkeyshare")
            if holder:
                raise WaitFor(holder, locks.queue(relation, row[1], "forkeyshare"))

    def _check_visible(
        self, constraint: PgConstraint, parent: Any, child: Any, key: Key, pk_key: Key
    ) -> None:
        """REPEATABLE READ: what the transaction's snapshot does not see is not there, but in
        partitioned tables."""
        xact = self.session.xact
        name = parent.sqlite_name
        assert constraint.confkey is not None
        text = f"SELECT 1 FROM {name} AS t WHERE {self.where(parent, constraint.confkey)} LIMIT 1"
        saved, xact.snapshot = xact.snapshot, xact.fixed_snapshot
        try:
            text = overlay_statement(text, [(name, len(parent.attrs))])
            found = self.session.conn.execute(text, pk_key).fetchone()
        finally:
            xact.snapshot = saved
        if found is None:
            raise self._not_present(constraint, parent, child, key)

    def _not_present(self, constraint: PgConstraint, parent: Any, child: Any, key: Key) -> PgError:
        assert constraint.conkey is not None
        return PgError(
            FOREIGN_KEY_VIOLATION,
            f'insert or update on table "{child.name}" violates foreign key constraint '
            f'"{constraint.conname}"',
            detail=f"{self.key_shown(child, constraint.conkey, key)} is not present in "
            f'table "{parent.name}".',
            schema=child.schema_name,
            table=child.name,
            constraint=constraint.conname,
        )

    def _partial_null(self, constraint: PgConstraint, child: Any) -> PgError:
        return PgError(
            FOREIGN_KEY_VIOLATION,
            f'insert or update on table "{child.name}" violates foreign key constraint '
            f'"{constraint.conname}"',
            detail="MATCH FULL does not allow mixing of null and nonnull key values.",
            schema=child.schema_name,
            table=child.name,
            constraint=constraint.conname,
        )

    def key_shown(self, relation: Any, attnums: Sequence[int], key: Key) -> str:
        """`Key (a, b)=(1, x)`, or "Key" alone if the user may not see its columns."""
        from pgemu.executor.constraints import key_text
        from pgemu.executor.shown_values import may_show_key

        if not may_show_key(self.session, relation, attnums):
            return "Key"
        columns = [relation.attrs[a - 1] for a in attnums]
        text = key_text(
            self.session,
            [(c.attname, c.atttypid, v) for c, v in zip(columns, key, strict=True)],
        )
        return f"Key {text}"

    def _parent_gone(self, constraint: PgConstraint, event: Event) -> None:
        action = constraint.confdeltype if event.kind == "delete" else constraint.confupdtype
        parent = self._relation(constraint.confrelid)
        child = self._relation(constraint.conrelid)
        assert constraint.confkey is not None and constraint.conkey is not None
        sides = (parent, constraint.confkey), (child, constraint.conkey)
        fk_key = self._cast_key(event.key, *sides)
        if fk_key is None:
            return  # no value of the referencing columns' types is equal
        if action in (NO_ACTION, RESTRICT):
            self._lock(child.oid, ROW_SHARE)
            if action == NO_ACTION and self._exists(parent, constraint.confkey, event.key):
                return
            if self._is_referenced(child, constraint.conkey, fk_key):
                raise self._still_referenced(constraint, parent, child, event.key)
            return
        self._lock(child.oid, ROW_EXCLUSIVE)
        new = self._cast_key(event.new, *sides, exact=False) if event.new else event.new
        in_child = replace(event, key=fk_key, new=new or ())
        run_action(self, constraint, child, in_child, action)
        # rows whose default is the key that went have not changed, and were not noted again
        if (
            action == SET_DEFAULT
            and not self._exists(parent, constraint.confkey, event.key)
            and self._is_referenced(child, constraint.conkey, fk_key)
        ):
            raise self._still_referenced(constraint, parent, child, event.key)

    def _is_referenced(self, child: Any, attnums: Sequence[int], key: Key) -> bool:
        """SELECT 1 ... FOR KEY SHARE: a row with this key, which nobody is deleting."""
        session = self.session
        if not session.xact.others_running():
            return self._exists(child, attnums, key)
        for leaf in self.leaves(child):
            for rid in session.rows_with_key(leaf.sqlite_name, leaf, attnums, key):
                self._wait_for_holder(leaf, rid, "forkeyshare")
                return True
        return False

    def _wait_for_holder(self, leaf: Any, rid: int, strength: str) -> None:
        """Wait for a row that the trigger's query has found.  At REPEATABLE READ it may not have
        changed then."""
        session = self.session
        holder = session.row_locks.holder(leaf, rid, strength)
        if not holder:
            return
        wait = WaitFor(holder, session.row_locks.queue(leaf, rid, strength))

        def recheck() -> None:
            if strength == "forkeyshare" and session.changed_since_snapshot(leaf, rid):
                raise session.xact.serialization_failure("update")
            schema, _, table = leaf.sqlite_name.partition(".")
            p = f"{schema}.{prefix(schema)}"
            session.check_not_changed_since(p, int(table[1:]), rid)

        if session.xact.fixed_snapshot is not None:
            wait.recheck = recheck
        raise wait

    def rows_of_action(
        self, leaf: Any, attnums: Sequence[int], event: Event, action: str
    ) -> list[int]:
        """The rows that an action changes, free to be changed."""
        session = self.session
        rids = session.rows_with_key(leaf.sqlite_name, leaf, attnums, event.key)
        delete = event.kind == "delete" and action == CASCADE
        keys = set(attnums) & session.key_columns(leaf)
        for rid in rids:
            strength = "forupdate" if delete or keys else "fornokeyupdate"
            self._wait_for_holder(leaf, rid, strength)
            if session.changed_since_snapshot(leaf, rid):  # the crosscheck snapshot
                raise session.xact.serialization_failure("update")
        return list(rids)

    def _still_referenced(
        self, constraint: PgConstraint, parent: Any, child: Any, key: Key
    ) -> PgError:
        assert constraint.confkey is not None
        return PgError(
            FOREIGN_KEY_VIOLATION,
            f'update or delete on table "{parent.name}" violates foreign key constraint '
            f'"{constraint.conname}" on table "{child.name}"',
            detail=f"{self.key_shown(parent, constraint.confkey, key)} is still referenced "
            f'from table "{child.name}".',
            schema=child.schema_name,
            table=child.name,
            constraint=constraint.conname,
        )

    def new_value(self, child: Any, attnum: int, action: str) -> Value:
        if action == SET_NULL or attnum not in child.defaults:
            return None
        value: Value = self.session.evaluate(child.defaults[attnum])
        return value

    def _check_exclusion(self, constraint: PgConstraint, rid: Value) -> None:
        """No other row may have a key that the constraint's operators find in conflict."""
        from pgemu.executor.conflicts import key_condition
        from pgemu.executor.constraints import index_key, key_text
        from pgemu.executor.shown_values import may_show_key

        session = self.session
        relation = self._relation(constraint.conrelid)
        index = next(i for i in relation.indexes if i.oid == constraint.conindid)
        sides = [", ".join(f"{s}.c{a.attnum}" for a in relation.attrs) for s in "nt"]
        condition = f"n.rid=? AND t.rid<>n.rid AND {key_condition(session, relation, index)}"
        if session.xact.others_running():
            self._wait_for_excluded(relation, condition, rid)
        found = session.conn.execute(
            f"SELECT {sides[0]}, {sides[1]} FROM {relation.sqlite_name} AS n CROSS JOIN "
            f"{relation.sqlite_name} AS t WHERE {condition} LIMIT 1",
            (rid,),
        ).fetchall()
        if not found:
            return
        width = len(relation.attrs)
        new = key_text(session, index_key(session, relation, index, found[0][:width]))
        old = key_text(session, index_key(session, relation, index, found[0][width:]))
        key = index.index.indkey[: index.index.indnkeyatts]
        show = may_show_key(session, relation, key)
        raise PgError(
            EXCLUSION_VIOLATION,
            f'conflicting key value violates exclusion constraint "{constraint.conname}"',
            detail=f"Key {new} conflicts with existing key {old}." if show else None,
            schema=relation.schema_name,
            table=relation.name,
            constraint=constraint.conname,
        )

    def _wait_for_excluded(self, relation: Any, condition: str, rid: Value) -> None:
        """A conflicting row that an open transaction has made, changed or taken away."""
        session = self.session
        schema, _, table = relation.sqlite_name.partition(".")
        p = f"{schema}.{prefix(schema)}"
        running = f"u.relfilenode={table[1:]} AND u.xid<>?"
        found = session.conn.execute(
            f"SELECT u.xid FROM {relation.sqlite_name} AS n CROSS JOIN {relation.sqlite_name} AS t "
            f"JOIN {p}undo AS u ON u.rid=t.rid JOIN {p}active AS a ON a.xid=u.xid "
            f"WHERE {running} AND {condition} UNION ALL "
            f"SELECT t.xid FROM {relation.sqlite_name} AS n CROSS JOIN {p}undo AS t "
            f"JOIN {p}active AS a ON a.xid=t.xid WHERE t.relfilenode={table[1:]} AND t.xid<>? "
            f"AND t.op<>'I' AND {condition} LIMIT 1",
            (session.xact.xid, rid, session.xact.xid, rid),
        ).fetchone()
        if found is not None:
            raise WaitFor(int(found[0]))

    def _check_unique(self, constraint: PgConstraint, key: Key) -> None:
        relation = self._relation(constraint.conrelid)
        assert constraint.conkey is not None
        others = self.session.xact.others_running()
        if others and not self._surely_twice(relation, constraint.conkey, key):
            self._wait_for_key(relation, constraint.conkey, key)
        count = self.session.conn.execute(
            f"SELECT count(*) FROM {relation.sqlite_name} AS t "
            f"WHERE {self.where(relation, constraint.conkey)}",
            key,
        ).fetchone()[0]
        if count > 1:
            shown = self.key_shown(relation, constraint.conkey, key)
            raise PgError(
                UNIQUE_VIOLATION,
                f'duplicate key value violates unique constraint "{constraint.conname}"',
                detail=f"{shown} already exists." if shown != "Key" else None,
                schema=relation.schema_name,
                table=relation.name,
                constraint=constraint.conname,
            )

    def _surely_twice(self, relation: Any, attnums: Sequence[int], key: Key) -> bool:
        """Two rows have the key whatever becomes of other open transactions."""
        schema, _, table = relation.sqlite_name.partition(".")
        p = f"{schema}.{prefix(schema)}"
        found = self.session.conn.execute(
            f"SELECT 1 FROM {relation.sqlite_name} AS t WHERE {self.where(relation, attnums)} "
            f"AND NOT EXISTS (SELECT 1 FROM {p}undo AS u JOIN {p}active AS a ON a.xid=u.xid "
            f"WHERE u.relfilenode={table[1:]} AND u.rid=t.rid AND u.xid<>?) LIMIT 2",
            (*key, self.session.xact.xid),
        ).fetchall()
        return len(found) > 1

    def _wait_for_key(self, relation: Any, attnums: Sequence[int], key: Key) -> None:
        """Open transactions that have made or changed a row with this key, or freed it."""
        session, own = self.session, self.session.xact.xid
        for name in self._storage(relation):
            schema, _, table = name.partition(".")
            p = f"{schema}.{prefix(schema)}"
            found = session.conn.execute(
                f"SELECT u.xid FROM {name} AS t JOIN {p}undo AS u ON u.rid=t.rid "
                f"JOIN {p}active AS a ON a.xid=u.xid WHERE u.relfilenode={table[1:]} "
                f"AND u.xid<>? AND {self.where(relation, attnums)} LIMIT 1",
                (own, *key),
            ).fetchone()
            if found is not None:
                raise WaitFor(int(found[0]))
        freed = session.freed_key(relation, attnums, key)
        if freed:
            raise WaitFor(freed)


__all__ = ["RESTRICT_VIOLATION", "AfterTriggers", "Event"]
