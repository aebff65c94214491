"""Constraints of a table as TEMP triggers of this connection (PostgreSQL's ExecConstraints).

NOT NULL and CHECK are tested before a row is stored, foreign keys and deferrable unique
constraints are noted after it and tested at the end of the statement or of the transaction
(ri_triggers.py).  The triggers are made from the relcache the first time that a session writes to
the table, and made anew when the table has changed; every way of writing goes through them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import apsw

from pgemu.catalog.rows import PgConstraint
from pgemu.errors import CHECK_VIOLATION, NOT_NULL_VIOLATION, UNIQUE_VIOLATION, PgError
from pgemu.executor.conflicts import first_conflict
from pgemu.executor.partition_routing import convert_row
from pgemu.executor.ri_notes import child_notes, parent_notes, unique_notes
from pgemu.executor.shown_values import may_show_key, shown_columns
from pgemu.nodes.primnodes import Value
from pgemu.planner.planner import compile_index_expr, compile_table_expr

MAX_FIELD = 64  # bytes of a value shown in "Failing row contains"


class Constraints:
    """The trigger programs of this connection's tables, and the row that is being checked."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self._made: dict[str, tuple[str, ...]] = {}
        self._changed: set[str] = set()  # tables whose triggers were made or dropped lately
        self._relations: dict[int, Any] = {}
        self._noting: set[int] = set()
        # of partitions, when their triggers were made
        self._ancestors: dict[int, list[Any]] = {}
        self._by_table: dict[str, Any] = {}
        self._rows: dict[int, tuple[Any, tuple[tuple[int, str], ...]]] = {}
        # the last row that the BEFORE triggers saw: (relation, values by attnum - 1)
        self.last_row: tuple[Any, tuple[Value, ...]] | None = None
        # the rid that it has already, if it is an UPDATE's; else 0
        self.last_rid = 0
        self.pending_checks: dict[int, list[PgConstraint]] = {}
        triggers = session.xact.triggers
        triggers.nested = lambda: session.callback_depth > 0
        triggers.local_ended.append(self.local_ended)
        session.conn.create_scalar_function("pg_checked", self._is_checked, 0)
        session.conn.create_scalar_function("pg_check_fail", self._check_fail, 2)
        session.conn.create_scalar_function("pg_check_partition", self._check_partition, 1)

    def _is_checked(self) -> bool:
        return not self.session.xact.taking_back

    def ensure(self, relation: Any) -> None:
        """Make the triggers of a table, if it has not got just these."""
        if self._relations.get(relation.oid) is relation and not self._ancestors_changed(relation):
            return
        program = tuple(self._program(relation))
        known = self._made.get(relation.sqlite_name)
        if known != program:
            if known:
                self.forget(relation.sqlite_name)
            if program:
                self.session.xact.triggers.create(relation.sqlite_name, program)
            self._made[relation.sqlite_name] = program
            self._changed.add(relation.sqlite_name)
        self._relations[relation.oid] = relation
        self._noting.discard(relation.oid)
        if any(" AFTER " in trigger for trigger in program):
            self._noting.add(relation.oid)
        self._by_table[relation.sqlite_name.partition(".")[2]] = relation

    def ready(self, relation: Any) -> bool:
        """The table's triggers are made."""
        return self._relations.get(relation.oid) is relation

    def tables(self) -> dict[str, int]:
        """The tables that have triggers: SQLite name -> OID."""
        return {
            name: self._by_table[name.partition(".")[2]].oid
            for name, program in self._made.items()
            if program
        }

    def notes_rows(self, relation: Any) -> bool:
        """Something is to be tested after a statement has written to the (ready) table."""
        return relation.oid in self._noting

    def _ancestors_changed(self, relation: Any) -> bool:
        """Foreign keys that reference a partitioned table hold for its partitions too."""
        if not relation.is_partition:
            return False
        catalog = self.session.catalog
        now = [catalog.relation(oid) for oid in relation.partition_ancestors]
        known = self._ancestors.get(relation.oid, [])
        self._ancestors[relation.oid] = now
        return len(now) != len(known) or any(a is not b for a, b in zip(now, known, strict=True))

    def forget(self, sqlite_name: str) -> None:
        """Drop a table's triggers (it is being dropped, or they are out of date)."""
        if self._made.pop(sqlite_name, None):
            self._drop(sqlite_name)
            self._changed.add(sqlite_name)
        for oid, relation in list(self._relations.items()):
            if relation.sqlite_name == sqlite_name:
                del self._relations[oid]

    def _drop(self, sqlite_name: str) -> None:
        stem = "check_" + sqlite_name.replace(".", "_")
        names = [f"{stem}_{suffix}" for suffix in ("bi", "bu", "ai", "au", "ad")]
        self.session.xact.triggers.drop(sqlite_name, names)

    def local_ended(self, sqlite_name: str) -> None:
        """Its triggers of the database's schema are gone (UndoTriggers.end_local)."""
        self._made.pop(sqlite_name, None)
        for oid, relation in list(self._relations.items()):
            if relation.sqlite_name == sqlite_name:
                del self._relations[oid]

    def lost(self) -> None:
        """A SQLite rollback may have taken triggers away or brought former ones back: those made
        or dropped lately are made anew, the others are looked at again."""
        for sqlite_name in self._changed:
            self._drop(sqlite_name)
            self._made.pop(sqlite_name, None)
        self._changed.clear()
        names = {
            row[0]
            for row in self.session.conn.execute(
                "SELECT name FROM temp.sqlite_schema WHERE type='trigger'"
            )
        }
        for local in self.session.xact.triggers.local.values():
            names.update(local)
        for name in names:
            if name.startswith("check_"):  # dropped before, and now back
                sqlite_name = name.removeprefix("check_").rpartition("_")[0].replace("_", ".", 1)
                if sqlite_name not in self._made:
                    self._drop(sqlite_name)
        for sqlite_name, program in list(self._made.items()):
            stem = "check_" + sqlite_name.replace(".", "_")
            if program and not any(n.startswith(stem + "_") for n in names):
                del self._made[sqlite_name]
        self._relations.clear()

    def insert_needs_triggers(self, relation: Any) -> bool:
        """Whether a new row must obey more than NOT NULL and unique indexes, or there are triggers
        of the table in this connection."""
        made = self._made.get(relation.sqlite_name) is not None
        return bool(
            made
            or len(self._before_row(relation, "0")) > 1
            or child_notes(self.session, relation)[0]
            or unique_notes(self.session, relation)[0]
        )

    # -- programs --------------------------------------------------------------------------

    def _program(self, relation: Any) -> list[str]:
        before = self._before_row(relation, "0")
        before_update = self._before_row(relation, "OLD.rid")
        child = child_notes(self.session, relation)
        parent = parent_notes(self.session, relation)
        unique = unique_notes(self.session, relation)
        parts = {
            "bi": ("BEFORE INSERT", before),
            "bu": ("BEFORE UPDATE", before_update),
            "ai": ("AFTER INSERT", [*child[0], *unique[0]]),
            "au": ("AFTER UPDATE", [*child[1], *parent[0], *unique[1]]),
            "ad": ("AFTER DELETE", parent[1]),
        }
        stem = "check_" + relation.sqlite_name.replace(".", "_")
        return [
            f"CREATE TEMP TRIGGER {stem}_{suffix} {event} ON {relation.sqlite_name} "
            f"WHEN pg_checked() BEGIN {'; '.join(body)}; END"
            for suffix, (event, body) in parts.items()
            if body
        ]

    def _before_row(self, relation: Any, rid: str) -> list[str]:
        needs_row = (
            any(a.attnotnull for a in relation.columns)
            or relation.checks
            or any(i.index.indisunique for i in relation.indexes)
            or relation.is_partition
        )
        if not needs_row:
            return []
        name = self._row_function(relation)
        columns = ", ".join(f"NEW.c{a.attnum}" for a in relation.attrs)
        body = [f"SELECT {name}({rid}{columns and ', '}{columns})"]
        for constraint, expr in sorted(relation.checks, key=lambda c: str(c[0].conname)):
            test = compile_table_expr(self.session.catalog, relation, expr, "NEW")
            body.append(f"SELECT pg_check_fail({relation.oid}, {constraint.oid}) WHERE {test} IS 0")
        if relation.is_partition:
            body.append(f"SELECT pg_check_partition({relation.oid})")
        return body

    def _row_function(self, relation: Any) -> str:
        """Registers the function that tests NOT NULL and remembers the row."""
        name = f"pg_row_{relation.oid}"
        known = relation.oid in self._rows
        self._rows[relation.oid] = (
            relation,
            tuple((a.attnum - 1, a.attname) for a in relation.columns if a.attnotnull),
        )
        if known:  # SQLite refuses to replace a function that a running statement uses
            return name
        rows, oid = self._rows, relation.oid

        def check(rid: int, *values: Value) -> None:
            current, required = rows[oid]
            self.last_row = (current, values)
            self.last_rid = rid
            for index, column in required:
                if values[index] is None:
                    raise self._not_null(current, column, values)

        self.session.conn.create_scalar_function(name, check, -1)
        return name

    # -- errors ----------------------------------------------------------------------------

    def _not_null(self, relation: Any, column: str, values: Sequence[Value]) -> PgError:
        return PgError(
            NOT_NULL_VIOLATION,
            f'null value in column "{column}" of relation "{relation.name}" violates '
            "not-null constraint",
            detail=self.failing_row(relation, values),
            schema=relation.schema_name,
            table=relation.name,
            column=column,
        )

    def _check_fail(self, relid: int, constraint_oid: int) -> None:
        assert self.last_row is not None
        relation, values = self.last_row
        constraint = self.session.catalog.get(PgConstraint, oid=constraint_oid)
        raise PgError(
            CHECK_VIOLATION,
            f'new row for relation "{relation.name}" violates check constraint '
            f'"{constraint.conname}"',
            detail=self.failing_row(relation, values),
            schema=relation.schema_name,
            table=relation.name,
            constraint=constraint.conname,
        )

    def _check_partition(self, relid: int) -> None:
        """ExecPartitionCheck."""
        assert self.last_row is not None
        relation, values = self.last_row
        if not self.session.routing.check(relation, values):
            raise self.partition_violation(relation, values)

    def partition_violation(self, relation: Any, values: Sequence[Value]) -> PgError:
        return PgError(
            CHECK_VIOLATION,
            f'new row for relation "{relation.name}" violates partition constraint',
            detail=self.failing_row(relation, values),
            schema=relation.schema_name,
            table=relation.name,
        )

    def failing_row(self, relation: Any, values: Sequence[Value]) -> str | None:
        """`Failing row contains (1, null, abc).`, long values cut; with the names of the columns
        if the user may not see all of them, None when there are none to be seen."""
        relation, values = self._as_target(relation, values)
        columns = shown_columns(self.session, relation, self._written_columns(relation))
        if columns is not None and not columns:
            return None
        names = "" if columns is None else f"({', '.join(a.attname for a in columns)}) = "
        text = self._row_text(relation.columns if columns is None else columns, values)
        return f"Failing row contains {names}{text}."

    def _as_target(self, relation: Any, values: Sequence[Value]) -> tuple[Any, Sequence[Value]]:
        """A row of a partition or child as one of the table that the statement names."""
        query = self.session.modifying
        if query is None:
            return relation, values
        target = self.session.catalog.relation(query.rtable[query.result_relation - 1].relid)
        if target.oid == relation.oid or relation.oid not in target.all_inheritors:
            return relation, values
        return target, convert_row(relation, target, values)

    def _written_columns(self, relation: Any) -> list[int]:
        """The columns that the running statement names as its targets, as of one table of its."""
        query = self.session.modifying
        if query is None:
            return []
        rte = query.rtable[query.result_relation - 1]
        written = rte.inserted_cols | rte.updated_cols
        if rte.relid == relation.oid:
            return list(written)
        target = self.session.catalog.relation(rte.relid)
        if relation.oid not in target.all_inheritors:
            return []
        names = {a.attname for a in target.columns if a.attnum in written}
        return [a.attnum for a in relation.columns if a.attname in names]

    def _row_text(self, columns: Sequence[Any], values: Sequence[Value]) -> str:
        shown = []
        for attr in columns:
            value = values[attr.attnum - 1] if attr.attnum <= len(values) else None
            if value is None:
                shown.append("null")
                continue
            text = self.session.output_value(attr.atttypid, value, attr.atttypmod)
            data = text.encode()
            if len(data) > MAX_FIELD:
                text = data[:MAX_FIELD].decode("utf-8", "ignore") + "..."
            shown.append(text)
        return f"({', '.join(shown)})"

    def unique_violation(
        self, *, index_name: str = "", table: str = "", attnums: Sequence[int] = ()
    ) -> PgError:
        """23505 for the index that SQLite complains of, with the key of the last row."""
        if index_name:
            relation, index = self._index_by_name(index_name)
        else:
            relation = self._by_table.get(table)
            index = _index_by_columns(relation, attnums) if relation is not None else None
        if relation is None or index is None:
            return PgError(UNIQUE_VIOLATION, "duplicate key value violates unique constraint")
        values = self.last_row[1] if self.last_row is not None else ()
        if self.last_row is not None and self.last_row[0] is relation:
            # SQLite does not look into the indexes in the order of their OIDs
            try:
                found = first_conflict(self.session, relation, values, self.last_rid)[0]
            except apsw.SQLError:
                found = None  # the statement's rollback took the table, which was built in it
            index = found or index
        key = index_key(self.session, relation, index, values)
        return duplicate_key(self.session, relation, index, key)

    def _index_by_name(self, name: str) -> tuple[Any, Any]:
        if self.last_row is not None:
            relation = self.last_row[0]
            for index in relation.indexes:
                if f"i{index.relfilenode}" == name:
                    return relation, index
        return None, None


def _index_by_columns(relation: Any, attnums: Sequence[int]) -> Any:
    for index in relation.indexes:
        row = index.index
        if row.indisunique and list(row.indkey[: row.indnkeyatts]) == list(attnums):
            return index
    return None


def index_key(
    session: Any, relation: Any, index: Any, values: Sequence[Value]
) -> list[tuple[str, int, Value]]:
    """(displayed name, type OID, value) of each key column of an index for one row."""
    from pgemu.nodes import expr_type
    from pgemu.rewrite.ruleutils import pg_get_indexdef_column

    exprs = iter(index.exprs)
    key = []
    row = index.index
    for number, attnum in enumerate(row.indkey[: row.indnkeyatts], 1):
        if attnum > 0:
            attr = relation.attrs[attnum - 1]
            value = values[attnum - 1] if attnum <= len(values) else None
            key.append((attr.attname, attr.atttypid, value))
            continue
        expr = next(exprs)
        text = compile_index_expr(session.catalog, relation, expr)
        columns = ", ".join(f"? AS c{n}" for n in range(1, len(values) + 1))
        found = session.conn.execute(f"SELECT {text} FROM (SELECT {columns})", values).fetchone()
        name = pg_get_indexdef_column(session.catalog, row.indexrelid, number)
        key.append((name, expr_type(expr), found[0]))
    return key


def key_text(session: Any, key: Sequence[tuple[str, int, Value]]) -> str:
    """`(a, b)=(1, x)` as PostgreSQL's details write keys."""
    names = ", ".join(name for name, _, _ in key)
    shown = ", ".join(
        "null" if value is None else session.output_value(type_oid, value)
        for _, type_oid, value in key
    )
    return f"({names})=({shown})"


def duplicate_key(
    session: Any, relation: Any, index: Any, key: Sequence[tuple[str, int, Value]]
) -> PgError:
    show = may_show_key(session, relation, index.index.indkey[: index.index.indnkeyatts])
    return PgError(
        UNIQUE_VIOLATION,
        f'duplicate key value violates unique constraint "{index.name}"',
        detail=f"Key {key_text(session, key)} already exists." if show else None,
        schema=relation.schema_name,
        table=relation.name,
        constraint=index.name,
    )


Note = Callable[..., None]
