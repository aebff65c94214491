"""Catalog rows under MVCC: the CatalogStore of a session (PostgreSQL's catalog scans).

Like PostgreSQL's, a catalog scan sees the newest committed state and the own transaction's
changes, whatever snapshot the statement has.  The rows and the store protocol are those of
pgemu.catalog; this module knows only their physical names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pgemu.nodes.primnodes import Value
from pgemu.transam.visibility import Snapshot, dirty_tables, overlay_statement
from pgemu.transam.xact import TransactionManager

_OIDS_AT_ONCE = 16


class MvccStore:
    """scan, insert, update, delete of catalog rows through the transaction manager.

    `layout` is the physical knowledge of pgemu.catalog.store: functions select_list,
    where_clause, insert_statement, column_numbers, physical_name.
    """

    def __init__(self, xact: TransactionManager, layout: Any) -> None:
        self.xact = xact
        self.layout = layout
        self._reading = False
        # while reading: other transactions that have written, by shared or not
        self._running_now: dict[bool, frozenset[int]] = {}
        self._oids: list[int] = []  # taken from the counter, the next one last

    @contextmanager
    def reading(self) -> Iterator[None]:
        """What is scanned meanwhile comes from one state of the database, which one SQLite read
        transaction holds: the analysis of a statement needs dozens of scans."""
        xact = self.xact
        if not xact.quiet():
            yield
            return
        xact.begin_read()
        self._reading, self._running_now = True, {}
        try:
            yield
        finally:
            self._reading = False
            xact.end_read()

    def scan(
        self,
        cls: type[Any],
        where: Mapping[str, Value],
        at_least: tuple[str, int] | None = None,
    ) -> list[tuple[Value, ...]]:
        clause, params = self.layout.where_clause(cls, where)
        if at_least is not None:
            clause, params = self.layout.at_least_clause(cls, *at_least)
        conn = self.xact.conn
        outer = conn.in_transaction
        if not outer:
            found = self._scan_alone(self.layout.select_list(cls) + clause, params)
            if found is not None:
                return found
            conn.execute("BEGIN")
        try:
            name = self.layout.physical_name(cls)
            running = self._running(name[0] == "g")
            text = self.layout.select_list(cls) + clause
            if running:
                self.xact.catalog_snapshot = Snapshot(running, own=self.xact.xid)
                natts = len(self.layout.column_numbers(cls))
                dirty = dirty_tables(conn.execute, [(name, natts)], "pg_cat_invisible")
                text = text.replace(f" FROM {name}", f" FROM {name} AS t")
                text = overlay_statement(text, dirty, "pg_cat_invisible")
            rows: list[tuple[Value, ...]] = conn.execute(text, params).fetchall()
            return rows
        finally:
            if not outer and conn.in_transaction:
                conn.execute("COMMIT")

    def _scan_alone(self, text: str, params: tuple[Value, ...]) -> list[tuple[Value, ...]] | None:
        """Without a SQLite transaction around it, if nobody was writing before the scan and nobody
        has begun to until after it; else None."""
        xact = self.xact
        before = xact.shm.read_next_xid()
        if xact.others_have_xids():
            return None
        rows: list[tuple[Value, ...]] = xact.conn.execute(text, params).fetchall()
        return rows if xact.shm.read_next_xid() == before else None

    def _running(self, shared: bool) -> frozenset[int]:
        """Other transactions that have written.  While this one holds the write lock of SQLite
        their set cannot change, so it is read once per statement."""
        xact = self.xact
        known = self._running_now.get(shared) if self._reading else None
        if xact.write_depth:
            known = xact.running_others.get(shared)
        if known is not None:
            return known
        active = "g._gactive" if shared else "main._active"
        running = frozenset(r[0] for r in xact.conn.execute(f"SELECT xid FROM {active}"))
        running -= {xact.xid}
        if xact.write_depth:
            xact.running_others[shared] = running
        elif self._reading:
            self._running_now[shared] = running
        return running

    def insert_many(self, cls: type[Any], rows: Sequence[tuple[Value, ...]]) -> None:
        xact = self.xact
        if not xact.write_depth:
            with xact.write():
                self.insert_many(cls, rows)
            return
        self._writing(cls)
        xid = xact.xid
        xact.conn.executemany(self.layout.insert_statement(cls), [(xid, *row) for row in rows])

    def update(
        self, cls: type[Any], where: Mapping[str, Value], changes: Mapping[str, Value]
    ) -> int:
        numbers = self.layout.column_numbers(cls)
        sets = ",".join([f"c{numbers[name]}=?" for name in changes])
        clause, params = self.layout.where_clause(cls, where)
        return self._change(
            cls,
            f"UPDATE {self.layout.physical_name(cls)} SET xmin=pg_xid(), {sets}{clause}",
            (*changes.values(), *params),
        )

    def delete(self, cls: type[Any], where: Mapping[str, Value]) -> int:
        clause, params = self.layout.where_clause(cls, where)
        return self._change(cls, f"DELETE FROM {self.layout.physical_name(cls)}{clause}", params)

    def _change(self, cls: type[Any], text: str, params: tuple[Value, ...]) -> int:
        xact = self.xact
        if not xact.write_depth:
            with xact.write():
                return self._change(cls, text, params)
        self._writing(cls)
        xact.conn.execute(text, params)
        return int(xact.conn.changes())

    def _writing(self, cls: type[Any]) -> None:
        name = self.layout.physical_name(cls)
        self.xact.writes_to(name, len(self.layout.column_numbers(cls)))
        self.xact.catalog_changed = True

    def catalog_version(self) -> int:
        return self.xact.shm.catalog_version(self.xact.database)

    def new_oid(self) -> int:
        if not self._oids:
            first = self.xact.shm.next_oid(_OIDS_AT_ONCE)
            self._oids = list(range(first + _OIDS_AT_ONCE - 1, first - 1, -1))
        return self._oids.pop()
