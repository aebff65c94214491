"""Bounds of partitions: values read and held against those of the siblings (partbounds.c and the
end of parse_utilcmd.c).  A bound's form is told in partition.py.
"""

from __future__ import annotations

from functools import cmp_to_key
from typing import Any

from pgemu.catalog.pg_locale import value_comparison, value_hash_key
from pgemu.errors import (
    DATATYPE_MISMATCH,
    INVALID_OBJECT_DEFINITION,
    PgError,
)
from pgemu.nodes import expr_collation, expr_type
from pgemu.nodes.primnodes import Const
from pgemu.parser.parse_node import ParseExprKind, make_parsestate
from pgemu.parser.raw_location import raw_location

Bound = dict[str, Any]
KeyType = tuple[str, int, int, int]


def key_types(parent: Any) -> list[KeyType]:
    """(name, type, typmod, collation) of each key column."""
    key = parent.partition_key
    exprs = iter(parent.partition_exprs)
    result = []
    for attnum, collation in zip(key.partattrs, key.partcollation, strict=True):
        if attnum:
            att = parent.attrs[attnum - 1]
            result.append((att.attname, att.atttypid, att.atttypmod, collation))
        else:
            expr = next(exprs)
            result.append(("", expr_type(expr), -1, expr_collation(expr)))
    return result


def range_datum(session: Any, node: dict[str, Any], typ: KeyType, text: str) -> Any:
    """One value of FROM or TO; MINVALUE and MAXVALUE are {"kind": "min"} and {"kind": "max"}."""
    fields = node.get("ColumnRef", {}).get("fields", [])
    if len(fields) == 1 and "String" in fields[0]:
        word = fields[0]["String"]["sval"]
        if word in ("minvalue", "maxvalue"):
            return {"kind": word[:3]}
    value = bound_value(session, node, typ, text)
    if value is None:
        raise PgError(INVALID_OBJECT_DEFINITION, "cannot specify NULL in range bound")
    return value


def bound_value(session: Any, node: Any, typ: KeyType, text: str) -> Any:
    """transformPartitionBoundValue: a storage value of the key column's type."""
    from pgemu.nodes.parsenodes import FromExpr, Query
    from pgemu.nodes.primnodes import TargetEntry
    from pgemu.parser.parse_coerce import coerce_to_target_type
    from pgemu.parser.parse_collate import assign_expr_collations
    from pgemu.parser.parse_expr import transform_expr

    catalog = session.catalog
    name, type_id, typmod, _collation = typ
    pstate = make_parsestate(None, catalog, text)
    expr = transform_expr(pstate, node, ParseExprKind.EXPR_KIND_PARTITION_BOUND)
    result = coerce_to_target_type(
        pstate, expr, expr_type(expr), type_id, typmod, "assignment", "implicit_cast", -1
    )
    if result is None:
        raise PgError(
            DATATYPE_MISMATCH,
            f"specified value cannot be cast to type {catalog.type_name(type_id)} for column "
            f'"{name}"',
            location=raw_location(node),
        )
    if isinstance(result, Const):
        return result.value
    assign_expr_collations(pstate, result)
    query = Query("select", target_list=[TargetEntry(result, 1, "value")], jointree=FromExpr())
    rows = list(session.run(query).rows)
    return rows[0][0]


def _sibling_bounds(catalog: Any, parent: Any) -> list[tuple[Any, Bound]]:
    found = []
    for oid in parent.children:
        child = catalog.relation(oid)
        if child.partition_bound is not None:
            found.append((child, child.partition_bound))
    return found


def check_new_partition_bound(
    session: Any, name: str, parent: Any, bound: Bound, raw: dict[str, Any]
) -> None:
    """check_new_partition_bound: no overlap with a sibling.  raw: the clause, for positions."""
    siblings = _sibling_bounds(session.catalog, parent)
    if bound.get("is_default"):
        for child, other in siblings:
            if other.get("is_default"):
                raise PgError(
                    INVALID_OBJECT_DEFINITION,
                    f'partition "{name}" conflicts with existing default partition "{child.name}"',
                    location=raw.get("location"),
                )
        return
    others = [(child, other) for child, other in siblings if not other.get("is_default")]
    types = key_types(parent)
    if bound["strategy"] == "h":
        found = _hash_overlap(bound, others, raw)
    elif bound["strategy"] == "l":
        found = _list_overlap(session, types, bound, others, raw["listdatums"])
    else:
        _refuse_empty_range(session, name, types, bound, raw)
        found = _range_overlap(session, types, bound, others, raw)
    if found is not None:
        raise PgError(
            INVALID_OBJECT_DEFINITION,
            f'partition "{name}" would overlap partition "{found[0].name}"',
            location=found[1],
        )


def _hash_overlap(
    bound: Bound, others: list[tuple[Any, Bound]], raw: dict[str, Any]
) -> tuple[Any, int | None] | None:
    modulus, remainder = bound["modulus"], bound["remainder"]
    others = sorted(others, key=lambda one: (one[1]["modulus"], one[1]["remainder"]))
    smaller = [o for o in others if (o[1]["modulus"], o[1]["remainder"]) <= (modulus, remainder)]
    detail = ""
    if smaller and modulus % smaller[-1][1]["modulus"]:
        child, other = smaller[-1]
        detail = (
            f"The new modulus {modulus} is not divisible by {other['modulus']}, the modulus of "
            f'existing partition "{child.name}".'
        )
    elif len(smaller) < len(others) and others[len(smaller)][1]["modulus"] % modulus:
        child, other = others[len(smaller)]
        detail = (
            f"The new modulus {modulus} is not a factor of {other['modulus']}, the modulus of "
            f'existing partition "{child.name}".'
        )
    if detail:
        raise PgError(
            INVALID_OBJECT_DEFINITION,
            "every hash partition modulus must be a factor of the next larger modulus",
            detail=detail,
        )
    if not others:
        return None
    greatest = others[-1][1]["modulus"]
    for step in range(remainder % greatest, greatest, modulus):
        for child, other in others:
            if step % other["modulus"] == other["remainder"]:
                return child, raw.get("location")
    return None


def _list_overlap(
    session: Any,
    types: list[KeyType],
    bound: Bound,
    others: list[tuple[Any, Bound]],
    nodes: list[Any],
) -> tuple[Any, int | None] | None:
    key = value_hash_key(session.catalog, types[0][1], types[0][3])
    owners = {
        None if value is None else key(value): child
        for child, other in others
        for value in other["list"]
    }
    for value, node in zip(bound["list"], nodes, strict=False):
        child = owners.get(None if value is None else key(value))
        if child is not None:
            return child, raw_location(node)
    return None


def _compare(
    session: Any, types: list[KeyType], a: list[Any], b: list[Any], *, side: int = 0
) -> int:
    """partition_rbound_cmp: negative, 0 or positive; what counts from 1 is the column that made
    the difference.  side 1: a is a lower bound and b an upper one; -1: the other way round."""
    column = 0
    for (_name, type_id, _typmod, collation), x, y in zip(types, a, b, strict=True):
        column += 1
        rank_x = {"min": -1, "max": 1}[x["kind"]] if isinstance(x, dict) else 0
        rank_y = {"min": -1, "max": 1}[y["kind"]] if isinstance(y, dict) else 0
        if rank_x != rank_y:
            return column if rank_x > rank_y else -column
        if rank_x:
            break
        result = value_comparison(session.catalog, type_id, collation)(x, y)
        if result:
            return column if result > 0 else -column
    return side * column


def _refuse_empty_range(
    session: Any, name: str, types: list[KeyType], bound: Bound, raw: dict[str, Any]
) -> None:
    order = _compare(session, types, bound["lower"], bound["upper"], side=1)
    if order < 0:
        return
    shown = [_show(session, types, bound[side]) for side in ("lower", "upper")]
    raise PgError(
        INVALID_OBJECT_DEFINITION,
        f'empty range bound specified for partition "{name}"',
        detail=f"Specified lower bound ({shown[0]}) is greater than or equal to upper bound "
        f"({shown[1]}).",
        location=raw_location(raw["lowerdatums"][order - 1]),
    )


def _range_overlap(
    session: Any,
    types: list[KeyType],
    bound: Bound,
    others: list[tuple[Any, Bound]],
    raw: dict[str, Any],
) -> tuple[Any, int | None] | None:
    """The sibling that holds the lower bound, or the first one behind it if the upper bound
    reaches into it, and the datum that PostgreSQL's search compared last."""
    bounds = _sorted_bounds(session, types, others)
    lower, upper = bound["lower"], bound["upper"]
    low, high, order = -1, len(bounds) - 1, 0
    while low < high:  # partition_range_bsearch
        middle = (low + high + 1) // 2
        order = _compare(session, types, bounds[middle][0], lower, side=bounds[middle][1])
        if order > 0:
            high = middle - 1
            continue
        low = middle
        if not order:
            break
    if low + 1 >= len(bounds):
        return None
    datums, side, holder = bounds[low + 1]
    if holder is not None:
        return holder, raw_location(raw["lowerdatums"][max(abs(order) - 1, 0)])
    order = _compare(session, types, datums, upper, side=side + 1)
    if order < 0:
        return bounds[low + 2][2], raw_location(raw["upperdatums"][abs(order) - 1])
    return None


def _sorted_bounds(
    session: Any, types: list[KeyType], others: list[tuple[Any, Bound]]
) -> list[tuple[list[Any], int, Any]]:
    """create_range_bounds: (datums, 0 for a lower and -1 for an upper bound, whose upper bound)
    in order.  An upper bound that is the lower one of the next partition is there once."""

    def compare(x: tuple[Any, Bound], y: tuple[Any, Bound]) -> int:
        return _compare(session, types, x[1]["lower"], y[1]["lower"])

    ordered = sorted(others, key=cmp_to_key(compare))
    bounds: list[tuple[list[Any], int, Any]] = []
    for child, other in ordered:
        if not bounds or _compare(session, types, bounds[-1][0], other["lower"]):
            bounds.append((other["lower"], 0, None))
        bounds.append((other["upper"], -1, child))
    return bounds


def _show(session: Any, types: list[KeyType], values: list[Any]) -> str:
    parts = []
    for (_name, type_id, _typmod, _coll), value in zip(types, values, strict=True):
        if isinstance(value, dict):
            parts.append(value["kind"].upper() + "VALUE")
        else:
            text = session.catalog.types.io(type_id).output(value, session.ctx)
            parts.append(text if isinstance(value, (int, float)) else f"'{text}'")
    return ", ".join(parts)
