"""The partitions of a table in the order of their bounds (PartitionDesc of partdesc.c, and
partition_bounds_create of partbounds.c): the order in which PostgreSQL reads them."""

from __future__ import annotations

from functools import cmp_to_key
from typing import Any

from pgemu.catalog.pg_locale import value_comparison
from pgemu.nodes.nodefuncs import expr_type

Bound = dict[str, Any]


def partition_oids(catalog: Any, relation: Any) -> list[int]:
    """The direct partitions: hash by modulus and remainder, list by lowest value with NULL behind,
    range by lower bound; the default partition last."""
    key = relation.partition_key
    bounds: list[tuple[int, Bound]] = []
    default = []
    for oid in relation.children:
        bound = catalog.relation(oid).partition_bound
        if bound is None or bound.get("is_default"):
            default.append(oid)
        else:
            bounds.append((oid, bound))
    if key.partstrat == "h":
        bounds.sort(key=lambda one: (one[1]["modulus"], one[1]["remainder"]))
    else:
        exprs = iter(relation.partition_exprs)
        compare = [
            value_comparison(
                catalog,
                relation.attrs[attnum - 1].atttypid if attnum else expr_type(next(exprs)),
                collation,
            )
            for attnum, collation in zip(key.partattrs, key.partcollation, strict=True)
        ]
        order = _list_key if key.partstrat == "l" else _range_key
        bounds.sort(key=lambda one: order(one[1], compare))
    return [*(oid for oid, _ in bounds), *default]


def _list_key(bound: Bound, compare: list[Any]) -> Any:
    values = sorted((v for v in bound["list"] if v is not None), key=cmp_to_key(compare[0]))
    if not values:
        return 1, 0  # NULL alone
    return 0, cmp_to_key(compare[0])(values[0])


def _range_key(bound: Bound, compare: list[Any]) -> Any:
    def order(a: list[Any], b: list[Any]) -> int:
        for x, y, cmp in zip(a, b, compare, strict=True):
            rank_x, rank_y = _infinity(x), _infinity(y)
            if rank_x or rank_y:
                return rank_x - rank_y
            found: int = cmp(x, y)
            if found:
                return found
        return 0

    return cmp_to_key(order)(bound["lower"])


def _infinity(limit: Any) -> int:
    """MINVALUE and MAXVALUE stand at the ends."""
    return {"min": -1, "max": 1}[limit["kind"]] if isinstance(limit, dict) else 0
