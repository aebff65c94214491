"""container[...] (transformContainerSubscripts of PostgreSQL's parse_node.c, and the transform
functions of arraysubs.c and jsonbsubs.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pgemu.errors import DATATYPE_MISMATCH, FEATURE_NOT_SUPPORTED, PROGRAM_LIMIT_EXCEEDED, PgError
from pgemu.nodes.nodefuncs import expr_location, expr_type
from pgemu.nodes.primnodes import Const, Expr, OpExpr, SubscriptingRef
from pgemu.parser.parse_cache import get_base_type_and_typmod, get_type, subscript_kind
from pgemu.parser.parse_coerce import (
    COERCE_IMPLICIT_CAST,
    COERCION_ASSIGNMENT,
    COERCION_IMPLICIT,
    can_coerce_type,
    coerce_to_target_type,
    coerce_type,
)
from pgemu.parser.type_oids import (
    INT2VECTOROID,
    INT4OID,
    JSONBOID,
    OIDVECTOROID,
    TEXTOID,
    UNKNOWNOID,
)

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog
    from pgemu.parser.parse_node import ParseState

RawNode = dict[str, Any]
MAXDIM = 6
INT4PL_OPERATOR, INT4PL_FUNCTION = 551, 177
# the vector types are subscripted as the arrays they are
_AS_ARRAY = {INT2VECTOROID: 1005, OIDVECTOROID: 1028}


def transform_container_type(
    catalog: Catalog, container_type: int, container_typmod: int
) -> tuple[int, int]:
    """The type and typmod that subscripting works on: domains are flattened."""
    base, typmod = get_base_type_and_typmod(catalog, container_type, container_typmod)
    return _AS_ARRAY.get(base, base), typmod


def transform_container_subscripts(
    pstate: ParseState,
    container_base: Expr | None,
    container_type: int,
    container_typmod: int,
    indirection: list[RawNode],
    is_assignment: bool,
) -> SubscriptingRef:
    """A SubscriptingRef over raw A_Indices; for an assignment the caller sets refassgnexpr."""
    catalog = pstate.catalog
    vector = container_type in _AS_ARRAY
    if not is_assignment:
        container_type, container_typmod = transform_container_type(
            catalog, container_type, container_typmod
        )
    row = get_type(catalog, container_type)
    kind = subscript_kind(row)
    if not kind:
        raise PgError(
            DATATYPE_MISMATCH,
            f"cannot subscript type {catalog.type_name(container_type)}"
            " because it does not support subscripting",
            location=expr_location(container_base) if container_base is not None else -1,
        )
    indices = [item["A_Indices"] for item in indirection]
    is_slice = any(index.get("is_slice") for index in indices)
    ref = SubscriptingRef(
        container_type,
        row.typelem,
        0,
        container_base,
        [],
        [],
        None,
        is_slice,
        container_typmod,
    )
    if kind == "jsonb":
        _jsonb_subscripts(pstate, ref, indices)
    elif kind == "hstore":
        _hstore_subscript(pstate, ref, indices)
    else:
        _array_subscripts(pstate, ref, indices)
        if vector:
            ref.reflowerindexpr = [_from_one(e) for e in ref.reflowerindexpr]
            ref.refupperindexpr = [_from_one(e) for e in ref.refupperindexpr]
    return ref


def _from_one(subscript: Expr | None) -> Expr | None:
    """Subscripts of int2vector and oidvector start at 0, those of the array at 1."""
    if subscript is None:
        return None
    return OpExpr(INT4PL_OPERATOR, INT4PL_FUNCTION, INT4OID, [subscript, Const(INT4OID, 1)])


def _array_subscripts(pstate: ParseState, ref: SubscriptingRef, indices: list[RawNode]) -> None:
    for index in indices:
        if ref.is_slice:
            if index.get("lidx"):
                ref.reflowerindexpr.append(_integer_subscript(pstate, index["lidx"]))
            else:
                # x[3] among slices means x[1:3]; x[:3] leaves the bound open
                ref.reflowerindexpr.append(None if index.get("is_slice") else Const(INT4OID, 1))
        upper = index.get("uidx")
        ref.refupperindexpr.append(_integer_subscript(pstate, upper) if upper else None)
    if len(ref.refupperindexpr) > MAXDIM:
        raise PgError(
            PROGRAM_LIMIT_EXCEEDED,
            f"number of array dimensions ({len(ref.refupperindexpr)})"
            f" exceeds the maximum allowed ({MAXDIM})",
        )
    ref.refrestype = ref.refcontainertype if ref.is_slice else ref.refelemtype


def _integer_subscript(pstate: ParseState, raw: RawNode) -> Expr:
    from pgemu.parser.parse_expr import transform_expr_recurse

    subscript = transform_expr_recurse(pstate, raw)
    converted = coerce_to_target_type(
        pstate,
        subscript,
        expr_type(subscript),
        INT4OID,
        -1,
        COERCION_ASSIGNMENT,
        COERCE_IMPLICIT_CAST,
        -1,
    )
    if converted is None:
        raise PgError(
            DATATYPE_MISMATCH,
            "array subscript must have type integer",
            location=expr_location(subscript),
        )
    return converted


def _jsonb_subscripts(pstate: ParseState, ref: SubscriptingRef, indices: list[RawNode]) -> None:
    from pgemu.parser.parse_expr import transform_expr_recurse
    from pgemu.parser.raw_location import raw_location

    for index in indices:
        if ref.is_slice:
            bound = index.get("uidx") or index.get("lidx")
            raise PgError(
                DATATYPE_MISMATCH,
                "jsonb subscript does not support slices",
                location=raw_location(bound) if bound else -1,
            )
        subscript = transform_expr_recurse(pstate, index["uidx"])
        source = expr_type(subscript)
        target = _jsonb_subscript_type(pstate, subscript, source)
        ref.refupperindexpr.append(
            coerce_type(
                pstate, subscript, source, target, -1, COERCION_IMPLICIT, COERCE_IMPLICIT_CAST, -1
            )
        )
    ref.refrestype, ref.reftypmod = JSONBOID, -1


def _hstore_subscript(pstate: ParseState, ref: SubscriptingRef, indices: list[RawNode]) -> None:
    """hstore_subscript_transform: one subscript, a text."""
    from pgemu.parser.parse_expr import transform_expr_recurse

    if ref.is_slice or len(indices) != 1:
        raise PgError(FEATURE_NOT_SUPPORTED, "hstore allows only one subscript")
    subscript = transform_expr_recurse(pstate, indices[0]["uidx"])
    converted = coerce_to_target_type(
        pstate,
        subscript,
        expr_type(subscript),
        TEXTOID,
        -1,
        COERCION_ASSIGNMENT,
        COERCE_IMPLICIT_CAST,
        -1,
    )
    if converted is None:
        raise PgError(
            DATATYPE_MISMATCH,
            "hstore subscript must have type text",
            location=expr_location(subscript),
        )
    ref.refupperindexpr.append(converted)
    ref.refrestype, ref.reftypmod = TEXTOID, -1


def _jsonb_subscript_type(pstate: ParseState, subscript: Expr, source: int) -> int:
    """int4 or text, whichever the subscript can become; it must not be both."""
    if source == UNKNOWNOID:
        return TEXTOID
    catalog = pstate.catalog
    targets = [
        t for t in (INT4OID, TEXTOID) if can_coerce_type(catalog, [source], [t], COERCION_IMPLICIT)
    ]
    if len(targets) == 1:
        return targets[0]
    which = "only one type, integer or text" if targets else "either integer or text"
    raise PgError(
        DATATYPE_MISMATCH,
        f"subscript type {catalog.type_name(source)} is not supported",
        hint=f"jsonb subscript must be coercible to {which}.",
        location=expr_location(subscript),
    )
