"""What a statement at SERIALIZABLE reads, as far as the bookkeeping cares (predicate.c's targets).

SQLite's own plan tells: a table that it searches by equality in an index is read as "the rows with
this value in this column", all others as whole tables.  That is where PostgreSQL takes page and
tuple locks after an index scan, and a relation lock after a sequential one, which its planner
prefers for small tables that have been analyzed.  A small index is one page, so that whoever
writes to it is in conflict with all that have searched it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pgemu.catalog.index import BTREE_AM_OID
from pgemu.executor.index_conditions import Condition, index_condition
from pgemu.nodes.primnodes import Value
from pgemu.planner.plan import Plan
from pgemu.transam.predicate import PredicateLocks, Target

_SEARCH = re.compile(r"SEARCH (\w+) USING .*?INDEX \w+ \(c(\d+)=\?")
_TABLE = re.compile(r"\b(main|g)\.r(\d+) AS (\w+)")
MAX_KNOWN = 500
FIRST_USER_OID = 16384
INDEX_PAGE_ROWS = 360  # entries of one page of a B-tree
INDEX_SCAN_COST = 8.15  # of looking up one key

# (table, column, place of the value: (number of a parameter, 0: none; literal), condition of a
# GIN or GiST index)
_Shape = list[tuple[str, int, tuple[int, Value], Condition | None]]


class ReadTargets:
    """Targets by statement text; the search for them is made once per text."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self._known: dict[str, _Shape] = {}

    def of(self, text: str, names: Mapping[str, int], bindings: Sequence[Value]) -> list[Target]:
        """names: the tables that it reads, as SQLite knows them, and their OIDs."""
        shape = self._known.get(text)
        if shape is None:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            shape = self._known[text] = self._find(text, names, bindings)
        found: list[Target] = []
        for name, column, (number, literal), condition in shape:
            if condition is not None:
                found.append((name, condition[0], self._operand(condition, bindings), ()))
                continue
            value = bindings[number - 1] if number else literal
            indexed = None
            if column and isinstance(value, int | float | str):
                indexed = self._pages(names[name], column)
            if indexed is not None:
                found.append((name, column, value, indexed))
            else:
                found.append((name, 0, None, ()))
        return found

    def _pages(self, relid: int, column: int) -> tuple[int, ...] | None:
        """The indexed columns of a table whose indexes have one page each, () if they have more.
        None: PostgreSQL would not use an index (cost_seqscan against cost_index)."""
        session = self.session
        relation = session.catalog.relation(relid)
        rows = session.conn.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM {relation.sqlite_name} LIMIT 1000)"
        ).fetchone()[0]
        if relation.row.reltuples >= 0 and session.guc.value("enable_seqscan"):
            pages = -(-rows * _width(relation) // 8168)
            if pages + 0.0125 * rows < INDEX_SCAN_COST:
                return None
        search = [i for i in relation.indexes if i.index.indkey[0] == column]
        if rows > INDEX_PAGE_ROWS or all(i.pg_class.relam != BTREE_AM_OID for i in search):
            return ()
        return tuple(sorted({a for index in relation.indexes for a in index.index.indkey if a}))

    def _operand(self, condition: Condition, bindings: Sequence[Value]) -> tuple[int, Value]:
        _, proc, operand = condition
        text = f"SELECT {operand}"
        row = self.session.conn.execute(
            text, bindings[: used_parameters(text, bindings)]
        ).fetchone()
        return proc, row[0]

    def _find(self, text: str, names: Mapping[str, int], bindings: Sequence[Value]) -> _Shape:
        aliases: dict[str, set[str]] = {}
        for schema, number, alias in _TABLE.findall(text):
            aliases.setdefault(alias, set()).add(f"{schema}.r{number}")
        details = [
            str(row[3])
            for row in self.session.conn.execute(
                f"EXPLAIN QUERY PLAN {text}", bindings[: used_parameters(text, bindings)]
            )
        ]
        found: _Shape = []
        for name, relid in names.items():
            mine = [a for a, tables in aliases.items() if name in tables]
            key = condition = None
            if len(mine) == 1 and len(aliases[mine[0]]) == 1:
                uses = len(re.findall(rf"{re.escape(name)}\b", text))
                if uses == 1:
                    key = _key_of(text, mine[0], details)
                    if key is None:
                        condition = index_condition(self.session, text, relid, mine[0])
            if key is not None:
                found.append((name, *key, None))
            else:
                found.append((name, 0, (0, None), condition))
        return found


def _width(relation: Any) -> int:
    """Bytes of a row with its header (get_rel_data_width)."""
    return 28 + sum(a.attlen if a.attlen > 0 else 32 for a in relation.attrs)


def used_parameters(text: str, bindings: Sequence[Value]) -> int:
    """How many of the bindings the text uses: SQLite refuses more than it has."""
    number = len(bindings)
    while number and f"?{number}" not in text:
        number -= 1
    return number


def note_reads(
    session: Any, plan: Plan, text: str, bindings: Sequence[Value]
) -> tuple[PredicateLocks | None, list[Target]]:
    """At SERIALIZABLE, before a statement reads: note what it will read.  The caller then looks
    for conflicts out, when its SQLite transaction is open."""
    predicate = session.xact.serializable()
    if predicate is None:
        return None, []
    names = {name: oid for oid, name, _ in plan.relations if oid >= FIRST_USER_OID}
    if plan.modify is not None and plan.command_type != "insert":
        names[plan.modify.sqlite_name] = plan.modify.relid
    used = {name: oid for name, oid in names.items() if f"{name} " in text}
    targets = session.read_targets.of(text, used, bindings) if used else []
    predicate.note_reads(targets)
    return predicate, targets


def _key_of(text: str, alias: str, details: Sequence[str]) -> tuple[int, tuple[int, Value]] | None:
    """The column and the value that SQLite looks a table up by; None: it reads more."""
    if any("MULTI-INDEX" in detail for detail in details):
        return None
    found = None
    for detail in details:
        if not re.search(rf"\b{re.escape(alias)}\b", detail):
            continue
        search = _SEARCH.match(detail)
        if search is None or search[1] != alias or found is not None:
            return None
        found = int(search[2])
    if found is None:
        return None
    column = rf"\b{re.escape(alias)}\.c{found}(?: COLLATE \w+)?"
    places = re.findall(rf"{column}\s*=\s*(\?\d+|-?\d+\b|'(?:[^']|'')*')", text)
    if len(places) != 1:
        return None
    place = places[0]
    if place[0] == "?":
        return found, (int(place[1:]), None)
    if place[0] == "'":
        return found, (0, place[1:-1].replace("''", "'"))
    return found, (0, int(place))
