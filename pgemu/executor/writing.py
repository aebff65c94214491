"""The part of a session that writing statements use: preparing tables, conflicts, routing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from pgemu.catalog.pg_locale import storage_collation
from pgemu.executor.conflicts import first_conflict
from pgemu.executor.partition_routing import PartitionRouting
from pgemu.executor.waiting import WaitFor
from pgemu.nodes.primnodes import Value
from pgemu.transam.schema import prefix


class WritingMixin:
    """Mixed into Session, whose attributes it uses."""

    conn: Any
    xact: Any
    catalog: Any
    constraints: Any
    locks: Any
    row_locks: Any
    check_for_interrupts: Any
    # while data-modifying CTEs run: hides what the statement itself has written
    own_overlay: Any = None
    # the statement with data-modifying CTEs that is running: its AFTER triggers wait for its end
    parts: Any = None
    _changing: list[Collection[int]] | None = None
    _routing: Any = None

    @property
    def routing(self) -> PartitionRouting:
        """The bounds of the partitioned tables that rows are stored in."""
        if self._routing is None:
            self._routing = PartitionRouting(self)
        return self._routing  # type: ignore[no-any-return]

    @property
    def changing(self) -> list[Collection[int]]:
        """Tables that running statements change, those with triggers or functions that may do
        DDL."""
        if self._changing is None:
            self._changing = []
        return self._changing

    def prepare_write(self, relation: Any) -> None:
        """Before rows of a table are written: its undo and its constraint triggers."""
        self.xact.writes_to(relation.sqlite_name, len(relation.attrs))
        if relation.oid < 16384:
            self.xact.catalog_changed = True
            self.catalog.builtin_written = True
        self.constraints.ensure(relation)

    def wait_for_xid(self, xid: int) -> None:
        """Sleep until a transaction has ended (XactLockTableWait); the caller holds no SQLite
        transaction."""
        from pgemu.executor.locking import wait_for_xid

        wait_for_xid(self, xid)

    def lock_parent_key(self, parent: Any, attnums: Sequence[int], key: Sequence[Value]) -> None:
        """A referenced row must stay until the end of the transaction (FOR KEY SHARE)."""
        contended = self.xact.others_running()
        if not contended and self.xact.state == "idle":
            return
        for leaf in self._leaves(parent):
            schema, _, table = leaf.sqlite_name.partition(".")
            p = f"{schema}.{prefix(schema)}"
            relfilenode, own = int(table[1:]), self.xact.xid
            where = self._key_is(leaf, attnums, "t")
            fixed = self.xact.fixed_snapshot is not None and parent is leaf
            if contended or fixed:
                text = f"SELECT t.rid FROM {leaf.sqlite_name} AS t WHERE {where}"
                for (rid,) in self.conn.execute(text, key).fetchall():
                    holder = self.row_locks.holder(leaf, rid, "forkeyshare") if contended else 0
                    if holder:
                        raise WaitFor(holder, self.row_locks.queue(leaf, rid, "forkeyshare"))
                    if fixed and self.row_locks.key_changed_since(leaf, rid):
                        raise self.xact.serialization_failure("update")
            if self.xact.state != "idle":
                self.xact.row_lock_stamp += 1
                self.conn.execute(
                    f"INSERT INTO {p}rowlock SELECT ?, rid, ?, 1, ? FROM {leaf.sqlite_name} AS t "
                    f"WHERE {where} ON CONFLICT DO NOTHING",
                    (relfilenode, own, self.xact.row_lock_stamp, *key),
                )

    def _leaves(self, relation: Any) -> list[Any]:
        """The tables that hold a relation's rows: its partitions for a partitioned one."""
        if relation.relkind != "p":
            return [relation]
        found = [self.catalog.relation(oid) for oid in relation.all_inheritors]
        return [one for one in found if one.relkind != "p"]

    def _key_is(self, relation: Any, attnums: Sequence[int], alias: str) -> str:
        """`alias.c1=? AND ...` with the collations of the columns."""
        terms = []
        for attnum in attnums:
            att = relation.attrs[attnum - 1]
            collation = storage_collation(self.catalog, att.atttypid, att.attcollation)
            collated = f" COLLATE {collation}" if collation else ""
            terms.append(f"{alias}.c{attnum}{collated}=?")
        return " AND ".join(terms)

    def uncommitted_key(self, relation: Any, attnums: Sequence[int], key: Sequence[Value]) -> int:
        """Another open transaction that made the rows which have this key now; 0: none did."""
        for leaf in self._leaves(relation):
            schema, _, table = leaf.sqlite_name.partition(".")
            p, number = f"{schema}.{prefix(schema)}", table[1:]
            found = self.conn.execute(
                f"SELECT u.xid FROM {leaf.sqlite_name} AS t JOIN {p}undo AS u "
                f"ON u.relfilenode={number} AND u.rid=t.rid "
                f"WHERE {self._key_is(leaf, attnums, 't')} AND u.seq=(SELECT min(v.seq) FROM "
                f"{p}undo AS v JOIN {p}active AS a ON a.xid=v.xid WHERE v.relfilenode={number} "
                f"AND v.rid=t.rid AND v.xid<>?) "
                f"AND (u.op='I' OR NOT ({self._key_is(leaf, attnums, 'u')})) LIMIT 1",
                (*key, self.xact.xid, *key),
            ).fetchone()
            if found is not None:
                return int(found[0])
        return 0

    def freed_key(self, relation: Any, attnums: Sequence[int], key: Sequence[Value]) -> int:
        """Another open transaction that took this key away from a row; 0: none did."""
        found = self.freed_row(relation, attnums, key)
        return found[0] if found is not None else 0

    def freed_row(
        self, relation: Any, attnums: Sequence[int], key: Sequence[Value]
    ) -> tuple[int, Any, int] | None:
        """That transaction, the table and the rid of the row."""
        for leaf in self._leaves(relation):
            schema, _, table = leaf.sqlite_name.partition(".")
            p, number = f"{schema}.{prefix(schema)}", table[1:]
            found = self.conn.execute(
                f"SELECT u.xid, u.rid FROM {p}undo AS u JOIN {p}active AS a ON a.xid=u.xid "
                f"WHERE u.relfilenode={number} AND u.xid<>? AND u.op<>'I' "
                f"AND {self._key_is(leaf, attnums, 'u')} AND NOT EXISTS (SELECT 1 FROM "
                f"{leaf.sqlite_name} AS t WHERE t.rid=u.rid "
                f"AND {self._key_is(leaf, attnums, 't')}) LIMIT 1",
                (self.xact.xid, *key, *key),
            ).fetchone()
            if found is not None:
                return int(found[0]), leaf, int(found[1])
        return None

    def key_gone_since(self, relation: Any, attnums: Sequence[int], key: Sequence[Value]) -> bool:
        """REPEATABLE READ: the snapshot still sees a row with this key that somebody has taken
        away since."""
        if self.xact.fixed_snapshot is None:
            return False
        for leaf in self._leaves(relation):
            schema, _, table = leaf.sqlite_name.partition(".")
            found = self.conn.execute(
                f"SELECT 1 FROM {schema}.{prefix(schema)}undo AS u WHERE u.relfilenode={table[1:]} "
                f"AND u.op<>'I' AND {self._key_is(leaf, attnums, 'u')} AND pg_invisible(u.xid) "
                "LIMIT 1",
                key,
            ).fetchone()
            if found is not None:
                return True
        return False

    def rows_with_key(
        self, storage: str, relation: Any, attnums: Sequence[int], key: Sequence[Value]
    ) -> list[int]:
        """The rids of the rows of a table that have this key for a new snapshot: the rows that
        other open transactions have made are not there, those they have changed are as they
        were."""
        schema, _, table = storage.partition(".")
        p, number, own = f"{schema}.{prefix(schema)}", table[1:], self.xact.xid
        others = (
            f"SELECT min(v.seq) FROM {p}undo AS v JOIN {p}active AS a ON a.xid=v.xid "
            f"WHERE v.relfilenode={number} AND v.xid<>?"
        )
        found: list[Any] = self.conn.execute(
            f"SELECT t.rid FROM {storage} AS t WHERE {self._key_is(relation, attnums, 't')} "
            f"AND ({others} AND v.rid=t.rid) IS NULL UNION ALL "
            f"SELECT u.rid FROM {p}undo AS u WHERE u.relfilenode={number} AND u.op<>'I' "
            f"AND {self._key_is(relation, attnums, 'u')} AND u.seq=({others} AND v.rid=u.rid) "
            "ORDER BY 1",
            (*key, own, *key, own),
        ).fetchall()
        return [row[0] for row in found]

    def key_moved(self, relation: Any, attnums: Sequence[int], key: Sequence[Value]) -> bool:
        """The row that had this key has gone to another partition."""
        for leaf in self._leaves(relation):
            schema, _, table = leaf.sqlite_name.partition(".")
            found = self.conn.execute(
                f"SELECT op FROM {schema}.{prefix(schema)}undo AS u WHERE "
                f"u.relfilenode={table[1:]} AND {self._key_is(leaf, attnums, 'u')} "
                "ORDER BY seq DESC LIMIT 1",
                key,
            ).fetchone()
            if found is not None and found[0] == "M":
                return True
        return False

    def key_columns(self, relation: Any) -> set[int]:
        """Columns that a foreign key could reference (INDEX_ATTR_BITMAP_KEY)."""
        found: set[int] = set()
        for index in relation.indexes:
            row = index.index
            if row.indisunique and 0 not in row.indkey and row.indpred is None:
                found.update(row.indkey[: row.indnkeyatts])
        return found

    def key_changed_by(self, relation: Any, rid: int) -> bool:
        """Have other open transactions deleted this row or changed its key?"""
        schema, _, table = relation.sqlite_name.partition(".")
        p = f"{schema}.{prefix(schema)}"
        same = [f"t.c{a} IS u.c{a}" for a in sorted(self.key_columns(relation))]
        found = self.conn.execute(
            f"SELECT 1 FROM {p}undo AS u JOIN {p}active AS a ON a.xid=u.xid "
            f"WHERE u.relfilenode={table[1:]} AND u.rid=? AND u.xid<>? AND NOT EXISTS (SELECT 1 "
            f"FROM {relation.sqlite_name} AS t WHERE {' AND '.join(['t.rid=u.rid', *same])}) "
            "UNION ALL "
            f"SELECT 1 FROM {p}rowlock WHERE relfilenode={table[1:]} AND rid=? AND xid<>? "
            "AND mode=4 LIMIT 1",
            (rid, self.xact.xid, rid, self.xact.xid),
        ).fetchone()
        return found is not None

    def changed_since_snapshot(self, relation: Any, rid: int) -> bool:
        """REPEATABLE READ: somebody has made or changed the row since the snapshot."""
        if self.xact.fixed_snapshot is None:
            return False
        schema, _, table = relation.sqlite_name.partition(".")
        found = self.conn.execute(
            f"SELECT 1 FROM {schema}.{prefix(schema)}undo WHERE relfilenode=? AND rid=? "
            "AND pg_invisible(xid) LIMIT 1",
            (int(table[1:]), rid),
        ).fetchone()
        return found is not None

    def check_not_changed_since(
        self, p: str, relfilenode: int, rid: int, *, committed: bool = False
    ) -> None:
        """REPEATABLE READ: 40001 if somebody has changed the row since the snapshot (committed:
        and the first to do so has committed)."""
        later = self.conn.execute(
            f"SELECT op, xid FROM {p}undo WHERE relfilenode=? AND rid=? AND pg_invisible(xid) "
            "ORDER BY seq LIMIT 1",
            (relfilenode, rid),
        ).fetchone()
        if later is not None and committed:
            active = f"SELECT 1 FROM {p}active WHERE xid=?"
            if self.conn.execute(active, (later[1],)).fetchone() is not None:
                return
        if later is not None:
            raise self.xact.serialization_failure("delete" if later[0] == "D" else "update")

    def conflicting_xid(self, relation: Any) -> tuple[Any, int]:
        """The unique index whose key the last row cannot have yet, or at all, and the open
        transaction to wait for before that is certain (0: there is none)."""
        last = self.constraints.last_row
        if last is None or last[0].oid != relation.oid:
            return None, 0
        return first_conflict(self, relation, last[1], self.constraints.last_rid)

    def freed_key_of_last_row(self, relation: Any) -> tuple[Any, int]:
        """A unique index, and an open transaction that had a row with the key of the row just
        stored."""
        last = self.constraints.last_row
        if last is None or last[0].oid != relation.oid:
            return None, 0
        for index in relation.indexes:
            row = index.index
            if not row.indisunique or not row.indimmediate or 0 in row.indkey:
                continue
            attnums = row.indkey[: row.indnkeyatts]
            key = [last[1][a - 1] for a in attnums]
            freed = 0 if None in key else self.freed_key(relation, attnums, key)
            if freed:
                return index, freed
        return None, 0

    def row_xmax(self, relid: int, rid: int) -> int:
        """xmax of a row: the transaction that has locked it, else 0."""
        relation = self.catalog.relation(relid)
        schema, _, table = relation.sqlite_name.partition(".")
        found = self.conn.execute(
            f"SELECT xid FROM {schema}.{prefix(schema)}rowlock WHERE relfilenode=? AND rid=?",
            (int(table[1:]), rid),
        ).fetchone()
        return int(found[0]) if found is not None else 0
