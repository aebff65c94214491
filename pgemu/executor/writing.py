"""The part of a session that writing statements use: preparing tables, conflicts, routing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pgemu.errors import FEATURE_NOT_SUPPORTED, PgError
from pgemu.nodes.primnodes import Value
from pgemu.transam.schema import prefix


class WritingMixin:
    """Mixed into Session, whose attributes it uses."""

    conn: Any
    xact: Any
    catalog: Any
    constraints: Any
    locks: Any
    check_for_interrupts: Any

    def prepare_write(self, relation: Any) -> None:
        """Before rows of a table are written: its undo and its constraint triggers."""
        self.xact.writes_to(relation.sqlite_name, len(relation.attrs))
        if relation.oid >= 16384:
            self.constraints.ensure(relation)
        else:
            self.xact.catalog_changed = True

    def wait_for_xid(self, xid: int) -> None:
        """Sleep until a transaction has ended (XactLockTableWait); the caller holds no SQLite
        transaction."""
        if self.locks is not None:
            self.locks.xact_lock_table_wait(xid)
        self.xact.refresh_after_wait()

    def lock_parent_key(self, parent: Any, attnums: Sequence[int], key: Sequence[Value]) -> None:
        """A referenced row must stay until the end of the transaction (FOR KEY SHARE)."""
        if self.xact.state == "idle" or not self.xact.others_running():
            return
        schema, _, table = parent.sqlite_name.partition(".")
        where = " AND ".join(f"c{a}=?" for a in attnums)
        p = f"{schema}.{prefix(schema)}"
        self.conn.execute(
            f"INSERT INTO {p}rowlock SELECT ?, rid, ?, 1 FROM {parent.sqlite_name} "
            f"WHERE {where} ON CONFLICT DO NOTHING",
            (int(table[1:]), self.xact.xid, *key),
        )

    def conflicting_xid(self, relation: Any) -> int:
        """Whose open transaction owns the row that a unique index complains of; 0: nobody's."""
        if self.constraints.last_row is None:
            return 0
        values = self.constraints.last_row[1]
        schema, _, table = relation.sqlite_name.partition(".")
        p = f"{schema}.{prefix(schema)}"
        for index in relation.indexes:
            row = index.index
            if not row.indisunique or 0 in row.indkey:
                continue
            attnums = row.indkey[: row.indnkeyatts]
            where = " AND ".join(f"t.c{a}=?" for a in attnums)
            found = self.conn.execute(
                f"SELECT u.xid FROM {relation.sqlite_name} AS t JOIN {p}undo AS u "
                f"ON u.rid=t.rid AND u.relfilenode={table[1:]} JOIN {p}active AS a "
                f"ON a.xid=u.xid WHERE {where} AND u.xid<>? LIMIT 1",
                (*(values[a - 1] for a in attnums), self.xact.xid),
            ).fetchone()
            if found is not None:
                return int(found[0])
        return 0

    def check_key_owner(self, relation: Any, columns: Sequence[int], row: Sequence[Value]) -> None:
        """ON CONFLICT: wait for an open transaction that owns, or has freed, an equal key."""
        from pgemu.executor.modify import WaitFor

        values: list[Value] = [None] * len(relation.attrs)
        for attnum, value in zip(columns, row, strict=False):
            values[attnum - 1] = value
        self.constraints.last_row = (relation, tuple(values))
        owner = self.conflicting_xid(relation)
        if owner:
            raise WaitFor(owner)

    def route_row(self, relation: Any, columns: Sequence[int], row: Sequence[Value]) -> Any:
        """The table that a new row belongs to (a partition, for a partitioned table)."""
        if relation.relkind != "p":
            return relation
        raise PgError(
            FEATURE_NOT_SUPPORTED, "inserting into partitioned tables is not supported yet"
        )

    def row_for(
        self, relation: Any, target: Any, columns: Sequence[int], row: Sequence[Value]
    ) -> tuple[Sequence[int], Sequence[Value]]:
        """Column numbers and values for the table that holds the row; children may number their
        columns otherwise."""
        if target is relation:
            return columns, row
        numbers = {a.attname: a.attnum for a in target.attrs if not a.attisdropped}
        return [numbers[relation.attrs[c - 1].attname] for c in columns], row

    def row_xmax(self, relid: int, rid: int) -> int:
        """xmax of a row: the transaction that has locked it, else 0."""
        relation = self.catalog.relation(relid)
        schema, _, table = relation.sqlite_name.partition(".")
        found = self.conn.execute(
            f"SELECT xid FROM {schema}.{prefix(schema)}rowlock WHERE relfilenode=? AND rid=?",
            (int(table[1:]), rid),
        ).fetchone()
        return int(found[0]) if found is not None else 0
