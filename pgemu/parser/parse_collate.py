"""Collations of expressions (PostgreSQL's parse_collate.c).

After an expression tree is complete, one bottom-up pass gives every node its output collation and
every function call its input collation.  A state bubbles up: none, implicit (from a column or a
type), conflict (two implicit ones that differ), explicit (COLLATE).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pgemu.catalog.rows import PgCollation, PgProc
from pgemu.errors import COLLATION_MISMATCH, PgError
from pgemu.nodes import primnodes as p
from pgemu.nodes.nodefuncs import expr_collation, expr_location, expr_type
from pgemu.nodes.parsenodes import (
    FromExpr,
    InferenceElem,
    JoinExpr,
    Query,
)
from pgemu.nodes.walk import children
from pgemu.parser.parse_cache import get_type
from pgemu.parser.type_oids import DEFAULT_COLLATION_OID

if TYPE_CHECKING:
    from pgemu.parser.parse_node import ParseState

_NONE, _IMPLICIT, _CONFLICT, _EXPLICIT = range(4)


@dataclass(slots=True)
class _State:
    collation: int = 0
    strength: int = _NONE
    location: int = -1
    # of the conflicting second collation
    collation2: int = 0
    location2: int = -1


_LEAVES = frozenset(
    {
        p.Var,
        p.Const,
        p.Param,
        p.CoerceToDomainValue,
        p.CaseTestExpr,
        p.SetToDefault,
        p.CurrentOfExpr,
    }
)
# class -> (field of the output collation, field of the input collation)
_FIELDS: dict[type, tuple[str, str]] = {
    p.FuncExpr: ("funccollid", "inputcollid"),
    p.OpExpr: ("opcollid", "inputcollid"),
    p.DistinctExpr: ("opcollid", "inputcollid"),
    p.NullIfExpr: ("opcollid", "inputcollid"),
    p.ScalarArrayOpExpr: ("", "inputcollid"),
    p.Aggref: ("aggcollid", "inputcollid"),
    p.WindowFunc: ("wincollid", "inputcollid"),
    p.SubscriptingRef: ("refcollid", ""),
    p.RelabelType: ("resultcollid", ""),
    p.CoerceViaIO: ("resultcollid", ""),
    p.ArrayCoerceExpr: ("resultcollid", ""),
    p.CaseExpr: ("casecollid", ""),
    p.ArrayExpr: ("array_collid", ""),
    p.CoalesceExpr: ("coalescecollid", ""),
    p.MinMaxExpr: ("minmaxcollid", "inputcollid"),
    p.CoerceToDomain: ("resultcollid", ""),
}
_ARGS_ONLY = frozenset(
    {
        p.FuncExpr,
        p.OpExpr,
        p.DistinctExpr,
        p.NullIfExpr,
        p.ScalarArrayOpExpr,
        p.BoolExpr,
        p.CoalesceExpr,
        p.MinMaxExpr,
    }
)
_ONE_ARG = frozenset({p.RelabelType, p.CoerceViaIO, p.NullTest, p.BooleanTest})


def assign_query_collations(pstate: ParseState, query: Query) -> None:
    """Of all expressions of one query level; sub-queries in FROM and WITH are done already."""
    assign_list_collations(pstate, query.target_list)
    _jointree(pstate, query.jointree)
    for expr in (query.having_qual, query.limit_offset, query.limit_count):
        if expr is not None:
            assign_expr_collations(pstate, expr)
    assign_list_collations(pstate, query.returning_list)
    for window in query.window_clause:
        for expr in (window.start_offset, window.end_offset):
            if expr is not None:
                assign_expr_collations(pstate, expr)
    conflict = query.on_conflict
    if conflict is not None:
        assign_list_collations(pstate, conflict.arbiter_elems)
        assign_list_collations(pstate, conflict.on_conflict_set)
        for expr in (conflict.arbiter_where, conflict.on_conflict_where):
            if expr is not None:
                assign_expr_collations(pstate, expr)
    for action in query.merge_action_list:
        if action.qual is not None:
            assign_expr_collations(pstate, action.qual)
        assign_list_collations(pstate, action.target_list)


def _jointree(pstate: ParseState, node: Any) -> None:
    if isinstance(node, FromExpr):
        for item in node.fromlist:
            _jointree(pstate, item)
    elif isinstance(node, JoinExpr):
        _jointree(pstate, node.larg)
        _jointree(pstate, node.rarg)
    else:
        return
    if node.quals is not None:
        assign_expr_collations(pstate, node.quals)


def assign_list_collations(pstate: ParseState, exprs: Iterable[Any]) -> None:
    """Each expression of the list by itself."""
    for expr in exprs:
        if expr is not None:
            assign_expr_collations(pstate, expr)


def assign_expr_collations(pstate: ParseState, expr: Any) -> None:
    """Of one expression tree."""
    if type(expr) in _LEAVES:
        return
    _walk(pstate, expr, _State())


def select_common_collation(pstate: ParseState, exprs: list[Any], none_ok: bool) -> int:
    """The collation that expressions have in common; a conflict gives 0 or, unless none_ok,
    42P22."""
    state = _State()
    for expr in exprs:
        _walk(pstate, expr, state)
    if state.strength == _CONFLICT:
        if none_ok:
            return 0
        raise _implicit_mismatch(pstate, state)
    return state.collation


def _collation_name(pstate: ParseState, oid: int) -> str:
    row = pstate.catalog.one(PgCollation, oid=oid)
    return row.collname if row is not None else ""


def _implicit_mismatch(pstate: ParseState, state: _State) -> PgError:
    return PgError(
        COLLATION_MISMATCH,
        "collation mismatch between implicit collations"
        f' "{_collation_name(pstate, state.collation)}"'
        f' and "{_collation_name(pstate, state.collation2)}"',
        hint="You can choose the collation by applying the COLLATE clause to one or both"
        " expressions.",
        location=state.location2,
    )


def _walk(pstate: ParseState, node: Any, context: _State) -> None:
    """assign_collations_walker: process a node and merge its state into the parent's."""
    cls = type(node)
    if cls in _LEAVES:
        collation = expr_collation(node)
        if collation:
            _merge(
                pstate,
                context,
                collation,
                _IMPLICIT,
                node.location if hasattr(node, "location") else -1,
            )
        return
    special = _SPECIAL.get(cls)
    if special is not None:
        special(pstate, node, context)
        return
    local = _State()
    if cls in _ARGS_ONLY:
        for arg in node.args:
            _walk(pstate, arg, local)
    elif cls in _ONE_ARG:
        _walk(pstate, node.arg, local)
    else:
        handler = _CHILDREN.get(cls)
        if handler is not None:
            handler(pstate, node, local)
        else:
            for child in children(node):
                if isinstance(child, (p.Expr, Query)):
                    _walk(pstate, child, local)
    typcollation = get_type(pstate.catalog, expr_type(node)).typcollation
    collation, strength, location = 0, _NONE, -1
    if typcollation:
        if local.strength > _NONE:
            collation, strength, location = local.collation, local.strength, local.location
        else:
            collation, strength, location = typcollation, _IMPLICIT, expr_location(node)
    _set_collations(node, local, collation, strength)
    _merge(pstate, context, collation, strength, location, local.collation2, local.location2)


def _set_collations(node: Any, local: _State, collation: int, strength: int) -> None:
    fields = _FIELDS.get(type(node))
    if fields is None:
        return
    output, inputs = fields
    if output:
        setattr(node, output, 0 if strength == _CONFLICT else collation)
    if inputs:
        setattr(node, inputs, 0 if local.strength == _CONFLICT else local.collation)


def _merge(
    pstate: ParseState,
    context: _State,
    collation: int,
    strength: int,
    location: int,
    collation2: int = 0,
    location2: int = -1,
) -> None:
    """merge_collation_state."""
    if strength > context.strength:
        context.collation, context.strength, context.location = collation, strength, location
        if strength == _CONFLICT:
            context.collation2, context.location2 = collation2, location2
        return
    if strength < context.strength or collation == context.collation:
        return
    if strength == _IMPLICIT:
        if context.collation == DEFAULT_COLLATION_OID:
            context.collation, context.location = collation, location
        elif collation != DEFAULT_COLLATION_OID:
            context.strength = _CONFLICT
            context.collation2, context.location2 = collation, location
    elif strength == _EXPLICIT:
        raise PgError(
            COLLATION_MISMATCH,
            "collation mismatch between explicit collations"
            f' "{_collation_name(pstate, context.collation)}"'
            f' and "{_collation_name(pstate, collation)}"',
            location=location,
        )


# --- nodes that decide by themselves ----------------------------------------------------------


def _collate_expr(pstate: ParseState, node: p.CollateExpr, context: _State) -> None:
    _walk(pstate, node.arg, _State())
    _merge(pstate, context, node.coll_oid, _EXPLICIT, node.location)


def _field_select(pstate: ParseState, node: p.FieldSelect, context: _State) -> None:
    _walk(pstate, node.arg, _State())
    if node.resultcollid:
        _merge(pstate, context, node.resultcollid, _IMPLICIT, expr_location(node))


def _row_expr(pstate: ParseState, node: p.RowExpr, context: _State) -> None:
    assign_list_collations(pstate, node.args)


def _row_compare(pstate: ParseState, node: p.RowCompareExpr, context: _State) -> None:
    node.inputcollids = [
        select_common_collation(pstate, [left, right], True)
        for left, right in zip(node.largs, node.rargs, strict=True)
    ]


def _coerce_to_domain(pstate: ParseState, node: p.CoerceToDomain, context: _State) -> None:
    local = _State()
    _walk(pstate, node.arg, local)
    typcollation = get_type(pstate.catalog, node.resulttype).typcollation
    if not typcollation:
        collation, strength, location = 0, _NONE, -1
    elif typcollation == DEFAULT_COLLATION_OID:
        collation, strength, location = local.collation, local.strength, local.location
    else:
        collation, strength, location = typcollation, _IMPLICIT, expr_location(node)
    node.resultcollid = 0 if strength == _CONFLICT else collation
    _merge(pstate, context, collation, strength, location, local.collation2, local.location2)


def _target_entry(pstate: ParseState, node: p.TargetEntry, context: _State) -> None:
    local = _State()
    _walk(pstate, node.expr, local)
    if local.strength == _CONFLICT and node.ressortgroupref:
        raise _implicit_mismatch(pstate, local)
    _merge(
        pstate,
        context,
        local.collation,
        local.strength,
        local.location,
        local.collation2,
        local.location2,
    )


def _query(pstate: ParseState, node: Query, context: _State) -> None:
    """A SubLink's query acts as its first column."""
    if not node.target_list or node.target_list[0].resjunk:
        return
    expr = node.target_list[0].expr
    collation = expr_collation(expr)
    _merge(pstate, context, collation, _IMPLICIT if collation else _NONE, expr_location(expr))


def _inference_elem(pstate: ParseState, node: InferenceElem, context: _State) -> None:
    _walk(pstate, node.expr, _State())


_SPECIAL: dict[type, Any] = {
    p.CollateExpr: _collate_expr,
    p.FieldSelect: _field_select,
    p.RowExpr: _row_expr,
    p.RowCompareExpr: _row_compare,
    p.CoerceToDomain: _coerce_to_domain,
    p.TargetEntry: _target_entry,
    Query: _query,
    InferenceElem: _inference_elem,
}


# --- nodes whose children do not all count alike ----------------------------------------------


def _aggref(pstate: ParseState, node: p.Aggref, local: _State) -> None:
    if node.aggkind == "n":
        for entry in node.args:
            _walk(pstate, entry, _State() if entry.resjunk else local)
    elif node.aggkind == "o":
        for arg in node.aggdirectargs:
            _walk(pstate, arg, local)
        merge = len(node.args) == 1 and not _is_variadic(pstate, node.aggfnoid)
        for entry in node.args:
            _walk(pstate, entry, local if merge else _State())
    else:
        _hypothetical(pstate, node, local)
    if node.aggfilter is not None:
        assign_expr_collations(pstate, node.aggfilter)


def _is_variadic(pstate: ParseState, funcid: int) -> bool:
    row = pstate.catalog.one(PgProc, oid=funcid)
    return row is not None and row.provariadic != 0


def _hypothetical(pstate: ParseState, node: p.Aggref, local: _State) -> None:
    """Each hypothetical argument and its sort column share a collation."""
    merge = len(node.args) == 1 and not _is_variadic(pstate, node.aggfnoid)
    extra = len(node.aggdirectargs) - len(node.args)
    for arg in node.aggdirectargs[: max(extra, 0)]:
        _walk(pstate, arg, local)
    for arg, entry in zip(node.aggdirectargs[max(extra, 0) :], node.args, strict=True):
        pair = _State()
        _walk(pstate, arg, pair)
        _walk(pstate, entry.expr, pair)
        if pair.strength == _CONFLICT:
            raise _implicit_mismatch(pstate, pair)
        if pair.collation and pair.collation != expr_collation(entry.expr):
            entry.expr = p.RelabelType(
                entry.expr, expr_type(entry.expr), -1, pair.collation, "implicit_cast", -1
            )
        if merge:
            _merge(pstate, local, pair.collation, pair.strength, pair.location)


def _window_func(pstate: ParseState, node: p.WindowFunc, local: _State) -> None:
    for arg in node.args:
        _walk(pstate, arg, local)
    if node.aggfilter is not None:
        assign_expr_collations(pstate, node.aggfilter)


def _case_expr(pstate: ParseState, node: p.CaseExpr, local: _State) -> None:
    # the test expression got its collation when the CASE was made and does not count
    for when in node.args:
        _walk(pstate, when.expr, local)
        _walk(pstate, when.result, local)
    if node.defresult is not None:
        _walk(pstate, node.defresult, local)


_CHILDREN: dict[type, Any] = {
    p.Aggref: _aggref,
    p.WindowFunc: _window_func,
    p.CaseExpr: _case_expr,
}
