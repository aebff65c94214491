"""In which order PostgreSQL yields the groups of grouping sets when it sorts (planner.c).

The sets are divided into as few chains as possible, in each of which every set contains the one
before it: these are computed in one pass over the sorted rows, so that a sub-total follows the
groups it sums up.  The chains are found by a maximum matching in the graph of containment
(Hopcroft and Karp), which is walked as PostgreSQL walks it: several answers are equally good.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pgemu.nodes import primnodes as p
from pgemu.nodes.parsenodes import Query
from pgemu.nodes.walk import walk

_FAR = 1 << 30


def groups_are_sorted(query: Query, catalog: Any) -> bool:
    """Hashing is switched off, or not possible: an aggregate sorts, or a type has no hash."""
    if not catalog.guc.value("enable_hashagg"):
        return True
    return not all(c.hashable for c in query.group_clause) or _has_ordered_aggregates(query)


def _has_ordered_aggregates(query: Query) -> bool:
    found = False

    def visit(node: object) -> bool:
        nonlocal found
        if isinstance(node, p.Aggref) and not node.agglevelsup:
            found = found or bool(node.aggorder or node.aggdistinct) or node.aggkind != "n"
        return not found

    walk([query.target_list, query.having_qual], visit)
    return found


def rollups(
    sets: Sequence[Sequence[int]], sort_clause: Sequence[p.SortGroupClause]
) -> list[list[list[int]]]:
    """The chains, each from its largest set to its smallest, whose columns (ressortgrouprefs) are
    in the order they are sorted by.  sets: in the order of their size."""
    chains = _extract(sets)
    clauses = sort_clause if len(chains) == 1 else ()
    return [_reordered(chain, [c.tle_sort_group_ref for c in clauses]) for chain in chains]


def _reordered(chain: Sequence[Sequence[int]], wanted: Sequence[int]) -> list[list[int]]:
    """reorder_grouping_sets; wanted: the columns of ORDER BY."""
    previous: list[int] = []
    result = []
    for candidate in chain:
        new = [ref for ref in candidate if ref not in previous]
        while len(wanted) > len(previous) and new:
            ref = wanted[len(previous)]
            if ref not in new:
                wanted = ()
                break
            previous.append(ref)
            new.remove(ref)
        previous = previous + new
        result.append(list(previous))
    return result[::-1]


def _extract(sets: Sequence[Sequence[int]]) -> list[list[Sequence[int]]]:
    """extract_rollup_sets: the chains, each from its smallest set to its largest."""
    empty = [one for one in sets if not one]
    copies: dict[frozenset[int], list[Sequence[int]]] = {}
    for one in sets:
        if one:
            copies.setdefault(frozenset(one), []).append(one)
    if not copies:
        return [list(sets)]
    masks = list(copies)
    inside = [
        [k for k in range(n) if masks[k] < mask] for n, mask in enumerate(masks)
    ]  # the smaller sets that each contains
    matched = _match(inside)
    chain_of: list[int] = []
    chains: list[list[Sequence[int]]] = []
    for n, mask in enumerate(masks):
        smaller = matched[n]
        if smaller is None:
            chain_of.append(len(chains))
            chains.append([])
        else:
            chain_of.append(chain_of[smaller])
        chains[chain_of[n]] += copies[mask]
    chains[0][:0] = empty
    return chains


def _match(adjacent: Sequence[Sequence[int]]) -> list[int | None]:
    """BipartiteMatch: which of its neighbours each node gets."""
    count = len(adjacent)
    given: list[int | None] = [None] * count  # u -> v
    taken: list[int | None] = [None] * count  # v -> u

    def distances() -> dict[int | None, int] | None:
        far: dict[int | None, int] = {u: 0 if given[u] is None else _FAR for u in range(count)}
        far[None] = _FAR
        queue = [u for u in range(count) if given[u] is None]
        for u in queue:
            if far[u] >= far[None]:
                continue
            for v in adjacent[u]:
                after = taken[v]
                if far[after] == _FAR:
                    far[after] = far[u] + 1
                    if after is not None:
                        queue.append(after)
        return far if far[None] != _FAR else None

    def augment(u: int | None, far: dict[int | None, int]) -> bool:
        if u is None:
            return True
        if far[u] == _FAR:
            return False
        for v in adjacent[u]:
            if far[taken[v]] == far[u] + 1 and augment(taken[v], far):
                taken[v], given[u] = u, v
                return True
        far[u] = _FAR
        return False

    while (far := distances()) is not None:
        for u in range(count):
            if given[u] is None:
                augment(u, far)
    return given
