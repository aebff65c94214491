"""GROUPING SETS, ROLLUP and CUBE: one grouped select per set, united.

In the select for one set, the grouping expressions that the set leaves out read as NULL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, replace
from itertools import combinations, product

from pgemu.nodes import expr_collation, expr_type
from pgemu.nodes import primnodes as p
from pgemu.nodes.parsenodes import GroupingSet, Query
from pgemu.nodes.walk import mutate
from pgemu.parser.parse_agg_check import expand_grouping_sets as expand_by_size
from pgemu.parser.parse_sort_group import equal
from pgemu.planner import sql
from pgemu.planner.expressions import lower
from pgemu.planner.finishing import finish_rows, keys_of
from pgemu.planner.lowering import Lowering, Scope
from pgemu.planner.rollups import groups_are_sorted, rollups
from pgemu.planner.select import lower_core
from pgemu.planner.sql import Sql


def expand_grouping_sets(sets: list[GroupingSet], distinct: bool) -> list[tuple[int, ...]]:
    """The cross product of all items as lists of ressortgrouprefs, in PostgreSQL's order."""
    result = []
    for choice in product(*(_expand(item) for item in sets)):
        merged: list[int] = []
        for part in choice:
            merged += [ref for ref in part if ref not in merged]
        result.append(tuple(merged))
    if distinct:
        seen: dict[frozenset[int], tuple[int, ...]] = {}
        for one in result:
            seen.setdefault(frozenset(one), one)
        result = list(seen.values())
    return result


def _expand(item: GroupingSet) -> list[list[int]]:
    if item.kind == "empty":
        return [[]]
    if item.kind == "simple":
        return [list(item.content)]
    if item.kind == "sets":
        return [one for part in item.content for one in _expand(part)]
    parts = [_flat(part) for part in item.content]
    if item.kind == "rollup":
        return [_joined(parts[:n]) for n in range(len(parts), -1, -1)]
    chosen = []
    for size in range(len(parts), -1, -1):
        for subset in combinations(parts, size):
            chosen.append(_joined(subset))
    return chosen


def _joined(parts: Iterable[list[int]]) -> list[int]:
    return [ref for part in parts for ref in part]


def _flat(item: GroupingSet) -> list[int]:
    return [ref for one in _expand(item) for ref in one]


def lower_grouping_sets(query: Query, low: Lowering, scope: Scope) -> Sql:
    chains: list[list[list[int]]] = []
    if groups_are_sorted(query, low.catalog):
        ordered = expand_by_size(query.grouping_sets, query.group_distinct) or []
        chains = rollups(ordered, query.sort_clause)
        sets = [(refs, n) for n, chain in enumerate(chains) for refs in chain]
    else:
        every_set = expand_grouping_sets(query.grouping_sets, query.group_distinct)
        sets = [(list(refs), 0) for refs in every_set]
    by_ref = {t.ressortgroupref: t for t in query.target_list if t.ressortgroupref}
    every = {c.tle_sort_group_ref for c in query.group_clause}
    union: Sql | None = None
    for refs, chain in sets:
        # what the sorted order needs: the number of the chain and the size of the set
        place = [sql.integer(chain), sql.integer(len(refs))] if chains else []
        part = _one_set(query, frozenset(refs), every, by_ref, low, scope, place)
        union = part if union is None else sql.compound("union", union, part, all_rows=True)
    assert union is not None
    if chains:
        union = _as_sorted(union, chains, query, low)
    return finish_rows(union, query, low, scope)


def _as_sorted(union: Sql, chains: list[list[list[int]]], query: Query, low: Lowering) -> Sql:
    """The groups in the order of the columns that their chain is sorted by, a sub-total behind
    the groups that it sums up."""
    alias = low.new_alias("s")
    width = len(query.target_list)
    key = keys_of({t.ressortgroupref: (t.expr, n) for n, t in enumerate(query.target_list, 1)}, low)
    clauses = {c.tle_sort_group_ref: c for c in query.group_clause}
    chain, size = (sql.column(alias, f"c{width + n}") for n in (1, 2))
    order = [sql.ordered(chain, False, None)]

    def within(number: int, value: Sql) -> Sql:
        """value in the rows of one chain, NULL in those of the others"""
        if len(chains) == 1:
            return value
        return sql.case([(sql.binary("=", chain, sql.integer(number)), value)], None)

    for number, sets in enumerate(chains):
        for position, ref in enumerate(sets[0], 1):
            shorter = sql.binary("<", size, sql.integer(position))
            order.append(sql.ordered(within(number, shorter), False, None))
            clause, column = clauses[ref], key(alias, ref)
            value = column if len(chains) == 1 else within(number, column)
            value = low.comparable(value, *_type_of(ref, query))
            order.append(sql.ordered(value, clause.descending, clause.nulls_first))
    columns = [sql.alias(sql.column(alias, f"c{n}"), f"c{n}") for n in range(1, width + 1)]
    # SQLite drops the ORDER BY of a derived table that has no LIMIT
    everything = sql.integer(-1)
    return sql.select(columns, from_=sql.derived(union, alias), order=order, limit=everything)


def _type_of(ref: int, query: Query) -> tuple[int, int]:
    expr = next(t.expr for t in query.target_list if t.ressortgroupref == ref)
    return expr_type(expr), expr_collation(expr)


def _one_set(
    query: Query,
    refs: frozenset[int],
    every: set[int],
    by_ref: dict[int, p.TargetEntry],
    low: Lowering,
    scope: Scope,
    place: Sequence[Sql],
) -> Sql:
    """place: further columns."""
    absent = [by_ref[ref].expr for ref in every - refs]
    present = [by_ref[ref].expr for ref in refs]

    blank = _blanking(present, absent, 0)
    part = Query(
        "select",
        target_list=[
            p.TargetEntry(
                mutate(t.expr, blank), t.resno, t.resname, t.ressortgroupref, resjunk=t.resjunk
            )
            for t in query.target_list
        ],
        rtable=query.rtable,
        jointree=query.jointree,
        has_aggs=query.has_aggs,
        window_clause=query.window_clause,
        having_qual=mutate(query.having_qual, blank) if query.having_qual else None,
    )
    inner = Scope(
        query,
        [low.new_alias() for _ in query.rtable],
        low,
        scope.parent,
        ctes=scope.ctes,
        grouped_refs=refs,
        prelowered=scope.prelowered,
    )
    inner.query = _with_groups(part, query, refs, by_ref)
    columns = [
        sql.alias(lower(t.expr, low, inner), f"c{n}") for n, t in enumerate(part.target_list, 1)
    ]
    columns += [sql.alias(one, f"c{n}") for n, one in enumerate(place, len(columns) + 1)]
    return lower_core(inner.query, low, inner, columns)


def _blanking(
    present: Sequence[p.Expr], absent: Sequence[p.Expr], depth: int
) -> Callable[[object], object | None]:
    """For mutate: `absent` become NULL, also in sub-selects, which are `depth` levels below."""

    def blank(node: object) -> object | None:
        if isinstance(node, Query):
            return _blank_below(node, present, absent, depth + 1)
        if isinstance(node, p.Aggref) and node.agglevelsup == depth:
            # its direct arguments are evaluated once per group
            return replace(node, aggdirectargs=mutate(node.aggdirectargs, blank))
        if isinstance(node, p.GroupingFunc):
            return node
        if isinstance(node, p.Expr):
            if any(equal(node, other) for other in present):
                return node
            if any(equal(node, other) for other in absent):
                return p.Const(expr_type(node), None)
        return None

    return blank


def _blank_below(
    query: Query, present: Sequence[p.Expr], absent: Sequence[p.Expr], depth: int
) -> Query:
    """As check_ungrouped_columns: in a sub-select it is columns alone that are grouped by."""
    blank = _blanking(_from_below(present), _from_below(absent), depth)
    changes = {field.name: mutate(getattr(query, field.name), blank) for field in fields(query)}
    return replace(query, **changes)


def _from_below(exprs: Sequence[p.Expr]) -> list[p.Expr]:
    return [replace(e, varlevelsup=e.varlevelsup + 1) for e in exprs if isinstance(e, p.Var)]


def _with_groups(
    part: Query, query: Query, refs: frozenset[int], by_ref: dict[int, p.TargetEntry]
) -> Query:
    part.group_clause = [c for c in query.group_clause if c.tle_sort_group_ref in refs]
    return part
