"""The common type of several expressions: UNION, CASE, VALUES, ARRAY, COALESCE ... (PostgreSQL's
select_common_type and its kin in parse_coerce.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgemu.errors import CANNOT_COERCE, DATATYPE_MISMATCH, PgError
from pgemu.nodes.nodefuncs import expr_location, expr_type, expr_typmod
from pgemu.nodes.primnodes import Expr
from pgemu.parser.parse_cache import get_base_type, get_type
from pgemu.parser.parse_coerce_path import COERCE_IMPLICIT_CAST, COERCION_IMPLICIT
from pgemu.parser.type_oids import TEXTOID, UNKNOWNOID

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog
    from pgemu.parser.parse_node import ParseState


def select_common_type(
    pstate: ParseState,
    exprs: list[Expr],
    context: str | None,
    which_expr: list[Expr] | None = None,
) -> int:
    """Common type OID.  context (a word such as "CASE") starts the error message 42804; None:
    return 0 instead of raising.  which_expr: an empty list that receives the deciding
    expression."""
    catalog = pstate.catalog
    types = [expr_type(e) for e in exprs]
    first = types[0]
    if first != UNKNOWNOID and all(t == first for t in types):
        if which_expr is not None:
            which_expr.append(exprs[0])
        return first
    chosen, index, conflict = _choose(catalog, types)
    if conflict is not None:
        if context is None:
            return 0
        raise PgError(
            DATATYPE_MISMATCH,
            f"{context} types {catalog.type_name(chosen)} and"
            f" {catalog.type_name(get_base_type(catalog, types[conflict]))} cannot be matched",
            location=expr_location(exprs[conflict]),
        )
    if which_expr is not None:
        which_expr.append(exprs[index])
    return TEXTOID if chosen == UNKNOWNOID else chosen


def _choose(catalog: Catalog, types: list[int]) -> tuple[int, int, int | None]:
    """(type, index of the expression that decided, index of a conflicting one or None)."""
    from pgemu.parser.parse_coerce import can_coerce_type

    chosen, index = get_base_type(catalog, types[0]), 0
    row = get_type(catalog, chosen)
    for i in range(1, len(types)):
        candidate = get_base_type(catalog, types[i])
        if candidate in (UNKNOWNOID, chosen):
            continue
        new = get_type(catalog, candidate)
        if chosen == UNKNOWNOID:
            chosen, index, row = candidate, i, new
        elif new.typcategory != row.typcategory:
            return chosen, index, i
        elif (
            not row.typispreferred
            and can_coerce_type(catalog, [chosen], [candidate], COERCION_IMPLICIT)
            and not can_coerce_type(catalog, [candidate], [chosen], COERCION_IMPLICIT)
        ):
            chosen, index, row = candidate, i, new
    return chosen, index, None


def select_common_type_from_oids(catalog: Catalog, types: list[int], noerror: bool) -> int:
    """The same over type OIDs; 0 with noerror when there is no common type."""
    first = types[0]
    if first != UNKNOWNOID and all(t == first for t in types):
        return first
    chosen, _, conflict = _choose(catalog, types)
    if conflict is not None:
        if noerror:
            return 0
        raise PgError(
            DATATYPE_MISMATCH,
            f"argument types {catalog.type_name(chosen)} and"
            f" {catalog.type_name(get_base_type(catalog, types[conflict]))} cannot be matched",
        )
    return TEXTOID if chosen == UNKNOWNOID else chosen


def coerce_to_common_type(
    pstate: ParseState, node: Expr, target_type_id: int, context: str
) -> Expr:
    """Convert to the type that select_common_type chose; 42846 when that is impossible."""
    from pgemu.parser.parse_coerce import can_coerce_type, coerce_type

    input_type = expr_type(node)
    if input_type == target_type_id:
        return node
    catalog = pstate.catalog
    if can_coerce_type(catalog, [input_type], [target_type_id], COERCION_IMPLICIT):
        return coerce_type(
            pstate,
            node,
            input_type,
            target_type_id,
            -1,
            COERCION_IMPLICIT,
            COERCE_IMPLICIT_CAST,
            -1,
        )
    raise PgError(
        CANNOT_COERCE,
        f"{context} could not convert type {catalog.type_name(input_type)}"
        f" to {catalog.type_name(target_type_id)}",
        location=expr_location(node),
    )


def verify_common_type(catalog: Catalog, common_type: int, exprs: list[Expr]) -> bool:
    return verify_common_type_from_oids(catalog, common_type, [expr_type(e) for e in exprs])


def verify_common_type_from_oids(catalog: Catalog, common_type: int, types: list[int]) -> bool:
    """Can all of them be converted implicitly?"""
    from pgemu.parser.parse_coerce import can_coerce_type

    return all(
        t == common_type or can_coerce_type(catalog, [t], [common_type], COERCION_IMPLICIT)
        for t in types
    )


def select_common_typmod(pstate: ParseState, exprs: list[Expr], common_type: int) -> int:
    """The typmod that all expressions share, -1 when they differ."""
    result = -1
    for i, expr in enumerate(exprs):
        if expr_type(expr) != common_type:
            return -1
        typmod = expr_typmod(expr)
        if i == 0:
            result = typmod
        elif typmod != result:
            return -1
    return result
