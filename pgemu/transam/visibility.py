"""Snapshots, and the overlay through which a reader sees past other transactions' changes.

Rows are changed in place, so a table holds the newest state.  A snapshot is the set of xids whose
changes it must not see.  When such an xid has undo on a table, the table's name in the statement
is replaced by "the rows without invisible undo, and the oldest invisible image of the others".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pgemu.transam.schema import prefix


@dataclass(frozen=True, slots=True)
class Snapshot:
    """invisible: xids that were running; xmax: the first xid that did not exist yet (0: the
    snapshot is younger than everything); own: the transaction itself."""

    invisible: frozenset[int]
    xmax: int = 0
    own: int = 0

    def hides(self, xid: int) -> bool:
        if xid == self.own:
            return False
        return xid in self.invisible or (self.xmax != 0 and xid >= self.xmax)


EVERYTHING = Snapshot(frozenset())

_TABLE = re.compile(r"\b(main|g)\.r(\d+) AS ")


def overlay_statement(
    sql: str,
    dirty: Iterable[tuple[str, int]],
    predicate: str = "pg_invisible",
    *,
    whole: bool = False,
) -> str:
    """The statement with every dirty table (SQLite name, number of columns) overlaid.  Where it
    reads one table only, the rows keep the order of the table; with an ORDER BY in the overlay of
    a join SQLite could no longer look rows up in indexes.  whole: all rows are read before any
    condition is looked at."""
    columns = dict(dirty)
    order = " ORDER BY rid" if whole or len(_TABLE.findall(sql)) == 1 else ""
    if whole:
        order += " LIMIT -1"

    def replace(match: re.Match[str]) -> str:
        name = f"{match[1]}.r{match[2]}"
        if name not in columns:
            return match[0]
        return f"({overlay(name, columns[name], predicate)}{order}) AS "

    return _TABLE.sub(replace, sql)


def overlay(sqlite_name: str, natts: int, predicate: str = "pg_invisible") -> str:
    """A select over one table as the current snapshot sees it: rid, xmin, c1 .. cn."""
    schema, _, table = sqlite_name.partition(".")
    undo = f"{schema}.{prefix(schema)}undo"
    relfilenode = table[1:]
    columns = "".join(f", c{n}" for n in range(1, natts + 1))
    return (
        f"SELECT rid, xmin{columns} FROM {sqlite_name} AS b WHERE NOT EXISTS (SELECT 1 FROM "
        f"{undo} AS u WHERE u.relfilenode={relfilenode} AND u.rid=b.rid AND {predicate}(u.xid)) "
        f"UNION ALL SELECT rid, xmin{columns} FROM {undo} AS o "
        f"WHERE o.relfilenode={relfilenode} AND o.op<>'I' AND o.seq=(SELECT min(v.seq) FROM "
        f"{undo} AS v WHERE v.relfilenode={relfilenode} AND v.rid=o.rid AND {predicate}(v.xid))"
    )


def dirty_tables(
    execute: Callable[[str], Any],
    relations: Sequence[tuple[str, int]],
    predicate: str = "pg_invisible",
) -> list[tuple[str, int]]:
    """Which of the tables have undo that the snapshot must not see."""
    found = []
    for name, natts in relations:
        schema, _, table = name.partition(".")
        query = (
            f"SELECT 1 FROM {schema}.{prefix(schema)}undo WHERE relfilenode={table[1:]} "
            f"AND {predicate}(xid) LIMIT 1"
        )
        if execute(query).fetchone() is not None:
            found.append((name, natts))
    return found
