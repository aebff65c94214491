"""Catalog rows under MVCC: the CatalogStore of a session (PostgreSQL's catalog scans).

Like PostgreSQL's, a catalog scan sees the newest committed state and the own transaction's
changes, whatever snapshot the statement has.  The rows and the store protocol are those of
pgemu.catalog; this module knows only their physical names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pgemu.errors import INTERNAL_ERROR, UNIQUE_VIOLATION, PgError
from pgemu.nodes.primnodes import Value
from pgemu.transam.schema import prefix
from pgemu.transam.visibility import Snapshot, dirty_tables, overlay_statement
from pgemu.transam.xact import TransactionManager

# Raises what makes the statement wait for an xid, call the function and run again.
WaitFor = Callable[[int, Callable[[], None] | None], None]


def _never(xid: int, recheck: Callable[[], None] | None) -> None:
    """Without sessions there is nobody to wait for."""


# Who changes pg_description, pg_shdescription or pg_enum has locked the object that the row belongs
# to, and looks for the row after that.
_LOCKED_BEFORE = ("main.r2609", "g.r2396", "main.r3501")


class MvccStore:
    """scan, insert, update, delete of catalog rows through the transaction manager.

    `layout` is the physical knowledge of pgemu.catalog.store: functions select_list,
    where_clause, insert_statement, column_numbers, physical_name, unique_names.
    """

    def __init__(self, xact: TransactionManager, layout: Any, wait_for: WaitFor = _never) -> None:
        self.xact = xact
        self.layout = layout
        self._reading = False
        # while reading: other transactions that have written, by shared or not
        self._running_now: dict[bool, frozenset[int]] = {}
        self.wait_for = wait_for

    @contextmanager
    def reading(self) -> Iterator[None]:
        """What is scanned meanwhile comes from one state of the database, which one SQLite read
        transaction holds: the analysis of a statement needs dozens of scans."""
        xact = self.xact
        if xact.standing or not xact.quiet():
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
        conn, xact = self.xact.conn, self.xact
        if xact.standing and self.layout.physical_name(cls)[0] == "g":
            if xact.write_depth:
                xact.shared_read = True
            else:
                xact.settle()
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
        if xact.standing and not shared:
            return frozenset()
        known = self._running_now.get(shared) if self._reading else None
        if xact.write_depth:
            known = xact.running_others.get(shared)
        if known is not None:
            return known
        active = "g._gactive" if shared else "main._active"
        running = frozenset(r[0] for r in xact.conn.execute(f"SELECT xid FROM {active}"))
        running -= {xact.xid}
        if xact.write_depth and (not shared or xact._global_held):
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
        self._wait_for_keys(cls, rows)
        xact.conn.executemany(self.layout.insert_statement(cls), [(xid, *row) for row in rows])

    def update(
        self, cls: type[Any], where: Mapping[str, Value], changes: Mapping[str, Value]
    ) -> int:
        numbers = self.layout.column_numbers(cls)
        sets = ",".join([f"c{numbers[name]}=?" for name in changes])
        clause, params = self.layout.where_clause(cls, where)
        xact = self.xact
        if not xact.write_depth:
            with xact.write():
                return self.update(cls, where, changes)
        self._writing(cls)
        if self._running(self.layout.physical_name(cls)[0] == "g"):
            self._wait_for_update(cls, where, changes)
        text = f"UPDATE {self.layout.physical_name(cls)} SET xmin=pg_xid(), {sets}{clause}"
        xact.conn.execute(text, (*changes.values(), *params))
        return int(xact.conn.changes())

    def update_inplace(
        self, cls: type[Any], where: Mapping[str, Value], changes: Mapping[str, Value]
    ) -> int:
        """heap_inplace_update: the row keeps its xmin and its undo; who is changing or locking it
        is waited for."""
        numbers = self.layout.column_numbers(cls)
        sets = ",".join([f"c{numbers[name]}=?" for name in changes])
        clause, params = self.layout.where_clause(cls, where)
        xact = self.xact
        if not xact.write_depth:
            with xact.write():
                return self.update_inplace(cls, where, changes)
        self._writing(cls)
        self._wait_for_rows(cls, clause, params, updating=True, inplace=True)
        saved, xact.undo_xid = xact.undo_xid, 0
        try:
            text = f"UPDATE {self.layout.physical_name(cls)} SET {sets}{clause}"
            xact.conn.execute(text, (*changes.values(), *params))
        finally:
            xact.undo_xid = saved
        return int(xact.conn.changes())

    def _wait_for_update(
        self, cls: type[Any], where: Mapping[str, Value], changes: Mapping[str, Value]
    ) -> None:
        numbers = self.layout.column_numbers(cls)
        clause, params = self.layout.where_clause(cls, where)
        differs = " OR ".join(f"c{numbers[name]} IS NOT ?" for name in changes)
        differing = f"{clause} {'AND' if clause else 'WHERE'} ({differs})"
        self._wait_for_rows(cls, differing, (*params, *changes.values()), updating=True)
        places = {numbers[name] - 1: value for name, value in changes.items()}
        new = [tuple(places.get(i, v) for i, v in enumerate(row)) for row in self.scan(cls, where)]
        self._wait_for_keys(cls, new, set(changes))

    def delete(self, cls: type[Any], where: Mapping[str, Value]) -> int:
        clause, params = self.layout.where_clause(cls, where)
        xact = self.xact
        if not xact.write_depth:
            with xact.write():
                return self.delete(cls, where)
        self._writing(cls)
        self._wait_for_rows(cls, clause, params, updating=False)
        xact.conn.execute(f"DELETE FROM {self.layout.physical_name(cls)}{clause}", params)
        return int(xact.conn.changes())

    def _wait_for_rows(
        self,
        cls: type[Any],
        clause: str,
        params: Sequence[Value],
        *,
        updating: bool,
        inplace: bool = False,
    ) -> None:
        """Rows that another open transaction has changed, made or locked are waited for.  What it
        has changed may not be changed then (simple_heap_update), except comments and in place."""
        name = self.layout.physical_name(cls)
        if not self._running(name[0] == "g"):
            return
        schema, _, table = name.partition(".")
        p = f"{schema}.{prefix(schema)}"
        found: Any = self.xact.conn.execute(
            f"SELECT u.xid, u.rid FROM {p}undo AS u JOIN {p}active AS a ON a.xid=u.xid WHERE "
            f"u.relfilenode={table[1:]} AND u.xid<>? AND u.rid IN (SELECT rid FROM {name}{clause}) "
            f"UNION ALL SELECT xid, rid FROM {p}rowlock WHERE relfilenode={table[1:]} AND xid<>? "
            f"AND mode>{int(updating)} AND rid IN (SELECT rid FROM {name}{clause}) LIMIT 1",
            (self.xact.xid, *params, self.xact.xid, *params),
        ).fetchone()
        if found is None:
            return
        xid, rid = found

        def recheck() -> None:
            changed = self.xact.conn.execute(
                f"SELECT 1 FROM {name} WHERE rid=? AND xmin=?", (rid, xid)
            ).fetchone()
            if changed is not None:
                raise PgError(INTERNAL_ERROR, "tuple concurrently updated")

        retried = inplace or not updating or name in _LOCKED_BEFORE
        self.wait_for(xid, None if retried else recheck)

    def _wait_for_keys(
        self, cls: type[Any], rows: Sequence[Sequence[Value]], changed: set[str] | None = None
    ) -> None:
        """Equal keys that another open transaction has made are waited for (_bt_check_unique).
        Those of committed rows the commands have looked for."""
        name = self.layout.physical_name(cls)
        if not self._running(name[0] == "g"):
            return
        schema, _, table = name.partition(".")
        p = f"{schema}.{prefix(schema)}"
        for index, columns, keys in self.layout.unique_names(cls):
            if changed is not None and not changed.intersection(columns):
                continue
            where = " AND ".join(f"t.c{key}=?" for key in keys)
            for row in rows:
                values = [row[key - 1] for key in keys]
                found: Any = self.xact.conn.execute(
                    f"SELECT u.xid FROM {name} AS t JOIN {p}undo AS u ON u.rid=t.rid JOIN "
                    f"{p}active AS a ON a.xid=u.xid WHERE {where} AND "
                    f"u.relfilenode={table[1:]} AND u.xid<>? LIMIT 1",
                    (*values, self.xact.xid),
                ).fetchone()
                if found is not None:
                    text = f"SELECT 1 FROM {name} AS t WHERE {where}"
                    self._wait_for_key(found[0], text, index, columns, values)

    def _wait_for_key(
        self, xid: int, text: str, index: str, columns: Sequence[str], values: Sequence[Value]
    ) -> None:
        def recheck() -> None:
            if self.xact.conn.execute(text, values).fetchone() is not None:
                shown = ", ".join(str(v).strip("[]").replace(",", " ") for v in values)
                raise PgError(
                    UNIQUE_VIOLATION,
                    f'duplicate key value violates unique constraint "{index}"',
                    detail=f"Key ({', '.join(columns)})=({shown}) already exists.",
                )

        locked = any(f" {name} " in text for name in _LOCKED_BEFORE)
        self.wait_for(xid, None if locked else recheck)

    def _writing(self, cls: type[Any]) -> None:
        name = self.layout.physical_name(cls)
        self.xact.writes_to(name, len(self.layout.column_numbers(cls)))
        self.xact.catalog_changed = True

    def catalog_version(self) -> int:
        return self.xact.shm.catalog_version(self.xact.database)

    def new_oid(self) -> int:
        return self.xact.shm.next_oid()
