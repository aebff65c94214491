"""Which tables EXPLAIN shows for one with partitions or children (partprune.c and inherit.c).

SQLite reads all partitions; PostgreSQL plans to read those that may hold rows that the conditions
on the partition key let through.  What is understood: comparisons of a key column with constants,
IN, IS NULL and their combinations by AND and OR, and sub-partitions.  For everything else a table
counts as read, as in PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from itertools import pairwise
from typing import Any

from pgemu.catalog.partdesc import partition_oids
from pgemu.catalog.rows import PgOperator
from pgemu.commands.explain_constants import simplified
from pgemu.executor.partition_routing import PartitionTable
from pgemu.nodes import primnodes as p
from pgemu.types.arrays_value import load_flat

_FLIPPED = {"<": ">", "<=": ">=", "=": "=", ">": "<", ">=": "<="}


def tables_read(session: Any, relation: Any, rti: int, quals: Sequence[Any]) -> list[Any]:
    """The relations whose rows are read, in PostgreSQL's order; quals are about entry rti."""
    if relation.relkind != "p":
        every = [session.catalog.relation(oid) for oid in relation.all_inheritors]
        return [one for one in every if one.relkind != "p"]
    columns = {a.attname: a.attnum for a in relation.columns}
    quals = [simplified(session.catalog, qual) for qual in quals]
    return _leaves(session, relation.oid, rti, quals, columns)


def _leaves(
    session: Any, oid: int, rti: int, quals: Sequence[Any], columns: dict[str, int]
) -> list[Any]:
    """columns: the attnums that the conditions know the columns by."""
    relation = session.catalog.relation(oid)
    if relation.relkind != "p":
        return [relation]
    pruning = _Pruning(session, relation, rti, columns)
    found = []
    for one in pruning.matching(quals):
        rest = [pruning.within(one, qual) for qual in quals]
        found += _leaves(session, one, rti, rest, columns)
    return found


@dataclass(frozen=True, slots=True)
class _Clause:
    """A condition on one column of the partition key: an operator or "null" or "not null"."""

    column: int
    operator: str
    value: Any = None


class _Pruning:
    """The partitions of one table, in the order of their bounds."""

    def __init__(self, session: Any, relation: Any, rti: int, columns: dict[str, int]) -> None:
        self.catalog = session.catalog
        self.rti = rti
        self.table = PartitionTable(session, relation)
        names = {a.attnum: a.attname for a in relation.columns}
        self.keys = [columns.get(names.get(n, ""), 0) for n in self.table.attnums]
        self.order = partition_oids(self.catalog, relation)

    def _compare_bounds(self, a: Sequence[Any], b: Sequence[Any]) -> int:
        for one, other, compare in zip(a, b, self.table.comparisons, strict=False):
            ranks = [_rank(one), _rank(other)]
            order = ranks[0] - ranks[1] if any(ranks) else compare(one, other)
            if order:
                return int(order)
        return 0

    def matching(self, quals: Sequence[Any]) -> list[int]:
        chosen = self._of_all(quals)
        return [oid for oid in self.order if chosen is None or oid in chosen]

    def within(self, oid: int, qual: Any) -> Any:
        """A condition without those alternatives that no row of a partition can meet."""
        if not isinstance(qual, p.BoolExpr) or qual.boolop != "or":
            return qual
        arms = [a for a in qual.args if (some := self._of_all([a])) is None or oid in some]
        return p.BoolExpr("or", arms) if len(arms) > 1 else arms[0] if arms else qual

    def _of_all(self, quals: Sequence[Any]) -> set[int] | None:
        """The partitions that conditions that all hold let through; None: any."""
        chosen: set[int] | None = None
        clauses = []
        for qual in quals:
            clause = self._clause(qual)
            about_key = self._different(qual) if clause is None else [clause]
            if about_key:
                clauses += about_key
                continue
            some = self._of_one(qual)
            if some is not None:
                chosen = some if chosen is None else chosen & some
        if clauses:
            some = self._of_clauses(clauses)
            chosen = some if chosen is None else chosen & some
        return chosen

    def _of_one(self, qual: Any) -> set[int] | None:
        if isinstance(qual, p.Const):
            return None if qual.value else set()
        if isinstance(qual, p.BoolExpr) and qual.boolop == "and":
            return self._of_all(qual.args)
        if isinstance(qual, p.BoolExpr) and qual.boolop == "or":
            found: set[int] = set()
            for arg in qual.args:
                some = self._of_all([arg])
                if some is None:
                    return None
                found |= some
            return found
        if isinstance(qual, p.ScalarArrayOpExpr) and qual.use_or:
            return self._of_any(qual)
        return None

    def _of_any(self, qual: p.ScalarArrayOpExpr) -> set[int] | None:
        """column = ANY (constant array): the partitions of each element."""
        column = self._column(qual.args[0])
        array = qual.args[1]
        name = self.catalog.get(PgOperator, oid=qual.opno).oprname
        if column is None or not isinstance(array, p.Const) or name != "=":
            return None
        values = load_flat(str(array.value)) if array.value is not None else []
        found: set[int] = set()
        for value in values:
            found |= self._of_clauses([_Clause(column, "=", value)])
        return found

    def _clause(self, qual: Any) -> _Clause | None:
        if isinstance(qual, p.NullTest):
            column = self._column(qual.arg)
            if column is None or qual.argisrow:
                return None
            return _Clause(column, "null" if qual.is_null else "not null")
        truth = _truth(qual)
        if truth is not None and (column := self._column(truth[0])) is not None:
            return _Clause(column, "=", truth[1])
        if type(qual) is not p.OpExpr or len(qual.args) != 2:
            return None
        name = self.catalog.get(PgOperator, oid=qual.opno).oprname
        left, right = qual.args
        if not isinstance(right, p.Const):
            left, right, name = right, left, _FLIPPED.get(name, "")
        column = self._column(left)
        if column is None or not isinstance(right, p.Const) or name not in _FLIPPED:
            return None
        return _Clause(column, name, right.value)

    def _different(self, qual: Any) -> list[_Clause]:
        """column <> value, column <> ALL (array): they prune lists alone."""
        if type(qual) not in (p.OpExpr, p.ScalarArrayOpExpr) or self.table.strategy != "l":
            return []
        column = self._column(qual.args[0])
        name = self.catalog.get(PgOperator, oid=qual.opno).oprname
        value = qual.args[-1]
        if column is None or name != "<>" or not isinstance(value, p.Const):
            return []
        if isinstance(qual, p.ScalarArrayOpExpr):
            if qual.use_or or value.value is None:
                return []
            return [_Clause(column, name, one) for one in load_flat(str(value.value))]
        return [_Clause(column, name, value.value)]

    def _column(self, expr: Any) -> int | None:
        while isinstance(expr, p.RelabelType):
            expr = expr.arg
        if isinstance(expr, p.Var) and expr.varno == self.rti and not expr.varlevelsup:
            return self.keys.index(expr.varattno) if expr.varattno in self.keys else None
        return None

    def _of_clauses(self, clauses: Sequence[_Clause]) -> set[int]:
        if any(c.value is None for c in clauses if c.operator in (*_FLIPPED, "<>")):
            return set()  # a strict operator and NULL
        if self.table.strategy == "l":
            return self._of_list(clauses)
        if self.table.strategy == "h":
            return self._of_hash(clauses)
        return self._of_range(clauses)

    def _of_list(self, clauses: Sequence[_Clause]) -> set[int]:
        table = self.table
        if any(c.operator == "null" for c in clauses):
            if len({c.operator for c in clauses}) > 1:
                return set()
            return {table.listed.get(None) or table.default}
        chosen = {oid for oid, b in table.bounds if any(v is not None for v in b["list"])}
        chosen.add(table.default)
        unwanted = {table.hash_key(c.value) for c in clauses if c.operator == "<>"}
        if unwanted:
            chosen -= {
                oid
                for oid, b in table.bounds
                if all(v is not None and table.hash_key(v) in unwanted for v in b["list"])
            }
        limits = [c for c in clauses if c.operator in _FLIPPED]
        for clause in limits:
            if clause.operator == "=":
                chosen &= {table.listed.get(table.hash_key(clause.value)) or table.default}
        if limits:
            chosen &= {table.default} | {
                oid for oid, b in table.bounds if any(self._holds(v, limits) for v in b["list"])
            }
        return chosen

    def _holds(self, value: Any, limits: Sequence[_Clause]) -> bool:
        compare = self.table.comparisons[0]
        return value is not None and all(
            _satisfies(compare(value, c.value), c.operator) for c in limits
        )

    def _of_hash(self, clauses: Sequence[_Clause]) -> set[int]:
        known: dict[int, Any] = {}
        for clause in clauses:
            if clause.operator == "=":
                known[clause.column] = clause.value
            elif clause.operator == "null":
                known[clause.column] = None
        if len(known) < len(self.keys):
            return set(self.order)
        return {self.table.find([known[n] for n in range(len(self.keys))])}

    def _of_range(self, clauses: Sequence[_Clause]) -> set[int]:
        table = self.table
        if any(c.operator == "null" for c in clauses):
            return {table.default}
        exact: list[Any] = []
        for column in range(len(self.keys)):
            same = [c.value for c in clauses if c.column == column and c.operator == "="]
            if not same:
                break
            exact.append(same[0])
        if len(exact) == len(self.keys):
            return {table.find(exact)}
        limits = [c for c in clauses if c.column == len(exact) and c.operator in _FLIPPED]
        if not exact and not limits:
            return set(self.order)
        chosen = {oid for oid, bound in table.bounds if self._meets(bound, exact, limits)}
        if table.default and not self._covered(chosen, exact, limits):
            chosen.add(table.default)
        return chosen

    def _meets(self, bound: Any, exact: Sequence[Any], limits: Sequence[_Clause]) -> bool:
        for clause in limits or [None]:  # type: ignore[list-item]
            values = [*exact, clause.value] if clause is not None else list(exact)
            inclusive = clause is None or clause.operator.endswith("=")
            whole = len(values) == len(self.keys)
            if clause is None or clause.operator[0] == ">":
                order = self._compare_bounds(bound["upper"], values)
                rest = None if whole else _rank(bound["upper"][len(values)])
                if order < 0 or (order == 0 and (whole or not inclusive or rest == -1)):
                    return False
            if clause is None or clause.operator[0] == "<":
                order = self._compare_bounds(bound["lower"], values)
                rest = None if whole else _rank(bound["lower"][len(values)])
                if order > 0 or (order == 0 and (not inclusive or rest == 1)):
                    return False
            if clause is not None and exact and not self._meets(bound, exact, []):
                return False
        return True

    def _covered(self, chosen: set[int], exact: Sequence[Any], limits: Sequence[_Clause]) -> bool:
        """No key between the limits is left to the default partition."""
        if exact or len(self.keys) > 1:
            return False
        bounds = [b for oid, b in self.table.bounds if oid in chosen]
        bounds.sort(key=cmp_to_key(lambda a, b: self._compare_bounds(a["lower"], b["lower"])))
        if not bounds:
            return False
        lows = [c for c in limits if c.operator[0] == ">"]
        highs = [c for c in limits if c.operator[0] == "<"]
        first, last = bounds[0]["lower"], bounds[-1]["upper"]
        starts = _rank(first[0]) < 0 or any(
            self._compare_bounds(first, [c.value]) <= 0 for c in lows
        )
        ends = _rank(last[0]) > 0 or any(
            (order := self._compare_bounds(last, [c.value])) > 0
            or (order == 0 and c.operator == "<")
            for c in highs
        )
        joined = all(self._compare_bounds(a["upper"], b["lower"]) == 0 for a, b in pairwise(bounds))
        return starts and ends and joined


def _truth(qual: Any) -> tuple[Any, int] | None:
    """(expression, what it has to be) of a boolean one"""
    if isinstance(qual, (p.Var, p.RelabelType)):
        return qual, 1
    if isinstance(qual, p.BoolExpr) and qual.boolop == "not":
        return qual.args[0], 0
    if isinstance(qual, p.BooleanTest) and qual.booltesttype in ("is_true", "is_false"):
        return qual.arg, int(qual.booltesttype == "is_true")
    return None


def _rank(limit: Any) -> int:
    """-1 for MINVALUE, 1 for MAXVALUE"""
    if isinstance(limit, dict):
        return -1 if limit["kind"] == "min" else 1
    return 0


def _satisfies(order: int, operator: str) -> bool:
    if order == 0:
        return operator.endswith("=")
    return operator[0] == ("<" if order < 0 else ">")
