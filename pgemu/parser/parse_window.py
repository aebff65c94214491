"""The WINDOW clause and inline window definitions (transformWindowDefinitions of PostgreSQL's
parse_clause.c)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pgemu.catalog.rows import PgAmproc
from pgemu.errors import PgError
from pgemu.errors.codes import FEATURE_NOT_SUPPORTED, UNDEFINED_OBJECT, WINDOWING_ERROR
from pgemu.nodes.nodefuncs import expr_collation, expr_location, expr_type
from pgemu.nodes.parsenodes import WindowClause
from pgemu.nodes.primnodes import Expr, TargetEntry
from pgemu.parser.parse_coerce import can_coerce_type, coerce_to_specific_type
from pgemu.parser.parse_expr import transform_expr
from pgemu.parser.parse_node import ParseExprKind, ParseState
from pgemu.parser.parse_oper import get_ordering_op_properties
from pgemu.parser.parse_sort_group import (
    get_sortgroupref_tle,
    transform_group_clause,
    transform_sort_clause,
)
from pgemu.parser.type_oids import INT8OID, UNKNOWNOID

K = ParseExprKind
RawNode = dict[str, Any]

# bits of the raw WindowDef.frameOptions (PostgreSQL's parsenodes.h)
NONDEFAULT, RANGE, ROWS, GROUPS, BETWEEN = 0x1, 0x2, 0x4, 0x8, 0x10
START_OFFSET, END_OFFSET = 0x800 | 0x2000, 0x1000 | 0x4000
FRAMEOPTION_DEFAULTS = 0x422
_STARTS = {
    0x20: "unbounded_preceding",
    0x80: "unbounded_following",
    0x200: "current_row",
    0x800: "offset_preceding",
    0x2000: "offset_following",
}
_ENDS = {
    0x40: "unbounded_preceding",
    0x100: "unbounded_following",
    0x400: "current_row",
    0x1000: "offset_preceding",
    0x4000: "offset_following",
}
_EXCLUSIONS = {0x8000: "current_row", 0x10000: "group", 0x20000: "ties"}


def _bit_name(options: int, names: dict[int, str], default: str) -> str:
    return next((name for bit, name in names.items() if options & bit), default)


def transform_window_definitions(
    pstate: ParseState, windowdefs: list[RawNode], targetlist: list[TargetEntry]
) -> list[WindowClause]:
    """WindowClauses of the raw definitions, in order; winref counts from 1."""
    result: list[WindowClause] = []
    options_of: dict[int, int] = {}
    for winref, windef in enumerate(windowdefs, 1):
        name, refname = windef.get("name"), windef.get("refname")
        location = windef.get("location", 0)
        options: int = windef.get("frameOptions", 0)
        if name and any(w.name == name for w in result):
            raise PgError(WINDOWING_ERROR, f'window "{name}" is already defined', location=location)
        ref: WindowClause | None = None
        if refname:
            ref = next((w for w in result if w.name == refname), None)
            if ref is None:
                raise PgError(
                    UNDEFINED_OBJECT, f'window "{refname}" does not exist', location=location
                )
        order = transform_sort_clause(
            pstate, windef.get("orderClause", []), targetlist, K.EXPR_KIND_WINDOW_ORDER, True
        )
        partition, _sets = transform_group_clause(
            pstate,
            windef.get("partitionClause", []),
            targetlist,
            order,
            K.EXPR_KIND_WINDOW_PARTITION,
            True,
        )
        wc = WindowClause(winref, name, refname, partition, order)
        if ref is not None:
            _inherit(wc, ref, windef, options_of[ref.winref] != FRAMEOPTION_DEFAULTS)
        _set_frame(pstate, wc, windef, options, targetlist)
        options_of[winref] = options
        result.append(wc)
    return result


def _inherit(wc: WindowClause, ref: WindowClause, windef: RawNode, ref_has_frame: bool) -> None:
    location = windef.get("location", 0)
    refname = windef["refname"]
    if wc.partition_clause:
        raise PgError(
            WINDOWING_ERROR,
            f'cannot override PARTITION BY clause of window "{refname}"',
            location=location,
        )
    has_order = bool(wc.order_clause)
    if has_order and ref.order_clause:
        raise PgError(
            WINDOWING_ERROR,
            f'cannot override ORDER BY clause of window "{refname}"',
            location=location,
        )
    wc.partition_clause = [replace(c) for c in ref.partition_clause]
    if not has_order:
        wc.order_clause = [replace(c) for c in ref.order_clause]
    if ref_has_frame:
        plain = (
            not windef.get("name")
            and not has_order
            and windef.get("frameOptions", 0) == FRAMEOPTION_DEFAULTS
        )
        raise PgError(
            WINDOWING_ERROR,
            f'cannot copy window "{refname}" because it has a frame clause',
            hint="Omit the parentheses in this OVER clause." if plain else None,
            location=location,
        )


def _set_frame(
    pstate: ParseState,
    wc: WindowClause,
    windef: RawNode,
    options: int,
    targetlist: list[TargetEntry],
) -> None:
    location = windef.get("location", 0)
    wc.frame_default = not options & NONDEFAULT
    wc.frame_between = bool(options & BETWEEN)
    wc.frame_mode = "rows" if options & ROWS else "groups" if options & GROUPS else "range"
    wc.frame_start = _bit_name(options, _STARTS, "unbounded_preceding")
    wc.frame_end = _bit_name(options, _ENDS, "current_row")
    wc.frame_exclusion = _bit_name(options, _EXCLUSIONS, "")
    family = type_oid = 0
    if options & RANGE and options & (START_OFFSET | END_OFFSET):
        if len(wc.order_clause) != 1:
            raise PgError(
                WINDOWING_ERROR,
                "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column",
                location=location,
            )
        clause = wc.order_clause[0]
        key = get_sortgroupref_tle(clause.tle_sort_group_ref, targetlist).expr
        found = get_ordering_op_properties(pstate.catalog, clause.sortop)
        if found is not None:
            family, type_oid, descending = found
            wc.in_range_asc = not descending
        wc.in_range_coll = expr_collation(key)
        wc.in_range_nulls_first = clause.nulls_first
    if options & GROUPS and not wc.order_clause:
        raise PgError(WINDOWING_ERROR, "GROUPS mode requires an ORDER BY clause", location=location)
    if windef.get("startOffset") is not None:
        wc.start_offset, wc.start_in_range_func = _transform_frame_offset(
            pstate, options, family, type_oid, windef["startOffset"]
        )
    if windef.get("endOffset") is not None:
        wc.end_offset, wc.end_in_range_func = _transform_frame_offset(
            pstate, options, family, type_oid, windef["endOffset"]
        )


def _transform_frame_offset(
    pstate: ParseState, options: int, family: int, key_type: int, clause: RawNode
) -> tuple[Expr, int]:
    """(offset expression coerced, in_range function of a RANGE frame)."""
    from pgemu.parser.parse_clause import check_expr_is_var_free

    in_range = 0
    if options & ROWS:
        construct = "ROWS"
        node = transform_expr(pstate, clause, K.EXPR_KIND_WINDOW_FRAME_ROWS)
        node = coerce_to_specific_type(pstate, node, INT8OID, construct)
    elif options & RANGE:
        construct = "RANGE"
        node = transform_expr(pstate, clause, K.EXPR_KIND_WINDOW_FRAME_RANGE)
        selected, in_range = _select_in_range(pstate, family, key_type, node)
        node = coerce_to_specific_type(pstate, node, selected, construct)
    else:
        construct = "GROUPS"
        node = transform_expr(pstate, clause, K.EXPR_KIND_WINDOW_FRAME_GROUPS)
        node = coerce_to_specific_type(pstate, node, INT8OID, construct)
    check_expr_is_var_free(pstate, node, construct)
    return node, in_range


def _select_in_range(pstate: ParseState, family: int, key_type: int, node: Expr) -> tuple[int, int]:
    """(offset type, in_range support function) for a RANGE frame over key_type."""
    catalog = pstate.catalog
    offset_type = expr_type(node)
    procs = [
        p
        for p in catalog.all(PgAmproc, amprocfamily=family)
        if p.amprocnum == 3 and p.amproclefttype == key_type
    ]
    exact = [p for p in procs if p.amprocrighttype == offset_type]
    if exact:
        return offset_type, exact[0].amproc
    matching = [
        p for p in procs if can_coerce_type(catalog, [offset_type], [p.amprocrighttype], "implicit")
    ]
    # an unknown literal prefers the type of the column itself
    if offset_type == UNKNOWNOID:
        matching = [p for p in matching if p.amprocrighttype == key_type] or matching
    name = catalog.type_name(key_type)
    offset_name = catalog.type_name(offset_type)
    location = expr_location(node)
    if not procs:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "RANGE with offset PRECEDING/FOLLOWING is not supported for column type " + name,
            location=location,
        )
    if not matching:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            f"RANGE with offset PRECEDING/FOLLOWING is not supported for column type {name} and "
            f"offset type {offset_name}",
            hint="Cast the offset value to an appropriate type.",
            location=location,
        )
    if len(matching) > 1:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "RANGE with offset PRECEDING/FOLLOWING has multiple interpretations for column type "
            f"{name} and offset type {offset_name}",
            hint="Cast the offset value to the exact intended type.",
            location=location,
        )
    return matching[0].amprocrighttype, matching[0].amproc
