"""Aggregate and window function calls (PostgreSQL's parse_agg.c).

Which query level an aggregate belongs to follows from its arguments: the innermost level whose
columns it uses.  The check that everything else is grouped is in parse_agg_check.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pgemu.catalog.rows import PgAggregate, PgProc
from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    GROUPING_ERROR,
    TOO_MANY_ARGUMENTS,
    UNDEFINED_FUNCTION,
    UNDEFINED_OBJECT,
    WINDOWING_ERROR,
    PgError,
)
from pgemu.nodes.nodefuncs import expr_location, expr_type
from pgemu.nodes.parsenodes import Query
from pgemu.nodes.primnodes import (
    Aggref,
    Const,
    Expr,
    FuncExpr,
    GroupingFunc,
    OpExpr,
    TargetEntry,
    Var,
    WindowFunc,
)
from pgemu.nodes.walk import children
from pgemu.parser.parse_agg_check import expand_grouping_sets, parse_check_aggregates
from pgemu.parser.parse_coerce_generic import enforce_generic_type_consistency
from pgemu.parser.parse_node import ParseExprKind as K
from pgemu.parser.parse_srf import PLACE_WORDS, parse_expr_kind_name
from pgemu.parser.type_oids import INTERNALOID

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog
    from pgemu.parser.parse_node import ParseState

__all__ = [
    "check_agglevels_and_constraints",
    "check_no_aggregates_or_windows",
    "contain_aggs_of_level",
    "contain_windowfuncs",
    "expand_grouping_sets",
    "locate_agg_of_level",
    "locate_windowfunc",
    "parse_check_aggregates",
    "resolve_aggregate_transtype",
    "transform_aggregate_call",
    "transform_grouping_func",
    "transform_window_func_call",
]

RawNode = dict[str, Any]


def transform_aggregate_call(
    pstate: ParseState,
    agg: Aggref,
    args: list[Expr],
    aggorder: list[RawNode],
    agg_distinct: bool,
) -> None:
    """Finish an Aggref: argument target list, ORDER BY, DISTINCT, level and place."""
    from pgemu.parser.parse_clause import (
        add_target_to_sort_list,
        transform_distinct_clause,
        transform_sort_clause,
    )

    agg.aggargtypes = [expr_type(a) for a in args]
    tlist: list[TargetEntry] = []
    if agg.aggkind != "n":
        ndirect = len(args) - len(aggorder)
        agg.aggdirectargs = args[:ndirect]
        order: list[Any] = []
        for attno, (arg, sort) in enumerate(zip(args[ndirect:], aggorder, strict=True), 1):
            entry = TargetEntry(arg, attno)
            tlist.append(entry)
            added = add_target_to_sort_list(pstate, entry, order, tlist, sort["SortBy"])
            order = order if added is None else added
        agg.aggorder = order
    else:
        tlist = [TargetEntry(arg, attno) for attno, arg in enumerate(args, 1)]
        if aggorder or agg_distinct:
            saved = pstate.p_next_resno
            pstate.p_next_resno = len(args) + 1
            agg.aggorder = transform_sort_clause(
                pstate, aggorder, tlist, K.EXPR_KIND_ORDER_BY, True
            )
            if agg_distinct:
                agg.aggdistinct = transform_distinct_clause(pstate, tlist, agg.aggorder, True)
                _check_distinct_sortable(pstate, agg, tlist)
            pstate.p_next_resno = saved
    agg.args = tlist
    check_agglevels_and_constraints(pstate, agg)


def _check_distinct_sortable(pstate: ParseState, agg: Aggref, tlist: list[TargetEntry]) -> None:
    for clause in agg.aggdistinct:
        if clause.sortop:
            continue
        expr = next(t.expr for t in tlist if t.ressortgroupref == clause.tle_sort_group_ref)
        raise PgError(
            UNDEFINED_FUNCTION,
            "could not identify an ordering operator for type "
            + pstate.catalog.type_name(expr_type(expr)),
            detail="Aggregates with DISTINCT must be able to sort their inputs.",
            location=expr_location(expr),
        )


def transform_grouping_func(pstate: ParseState, body: RawNode) -> Expr:
    """GROUPING(...)."""
    from pgemu.parser.parse_expr import transform_expr

    args = body.get("args", [])
    location = body.get("location", 0)
    if len(args) > 31:
        raise PgError(
            TOO_MANY_ARGUMENTS,
            "GROUPING must have fewer than 32 arguments",
            location=location,
        )
    result = GroupingFunc(
        [transform_expr(pstate, a, pstate.p_expr_kind) for a in args], [], 0, location
    )
    check_agglevels_and_constraints(pstate, result)
    return result


_COMMON_WORDS = {
    **PLACE_WORDS,
    K.EXPR_KIND_JOIN_ON: "JOIN conditions",
    K.EXPR_KIND_JOIN_USING: "JOIN conditions",
    K.EXPR_KIND_FROM_FUNCTION: "functions in FROM",
    K.EXPR_KIND_POLICY: "policy expressions",
    K.EXPR_KIND_MERGE_WHEN: "MERGE WHEN conditions",
}
_AGG_WORDS = {
    **_COMMON_WORDS,
    K.EXPR_KIND_FROM_SUBSELECT: "FROM clause of their own query level",
}
_WINDOW_WORDS = {
    **_COMMON_WORDS,
    K.EXPR_KIND_WINDOW_PARTITION: "window definitions",
    K.EXPR_KIND_WINDOW_ORDER: "window definitions",
    K.EXPR_KIND_WINDOW_FRAME_RANGE: "window definitions",
    K.EXPR_KIND_WINDOW_FRAME_ROWS: "window definitions",
    K.EXPR_KIND_WINDOW_FRAME_GROUPS: "window definitions",
}
_AGG_OK = frozenset(
    {
        K.EXPR_KIND_NONE,
        K.EXPR_KIND_OTHER,
        K.EXPR_KIND_HAVING,
        K.EXPR_KIND_WINDOW_PARTITION,
        K.EXPR_KIND_WINDOW_ORDER,
        K.EXPR_KIND_SELECT_TARGET,
        K.EXPR_KIND_ORDER_BY,
        K.EXPR_KIND_DISTINCT_ON,
    }
)
_WINDOW_OK = frozenset(
    {
        K.EXPR_KIND_NONE,
        K.EXPR_KIND_OTHER,
        K.EXPR_KIND_SELECT_TARGET,
        K.EXPR_KIND_ORDER_BY,
        K.EXPR_KIND_DISTINCT_ON,
    }
)


def check_agglevels_and_constraints(pstate: ParseState, expr: Aggref | GroupingFunc) -> None:
    """Set agglevelsup and reject aggregates where their query does not allow them."""
    if isinstance(expr, Aggref):
        level = _check_agg_arguments(expr.aggdirectargs, expr.args, expr.aggfilter)
    else:
        level = _check_agg_arguments([], expr.args, None)
    expr.agglevelsup = level
    for _ in range(level):
        assert pstate.parent_pstate is not None
        pstate = pstate.parent_pstate
    pstate.p_has_aggs = True
    kind = pstate.p_expr_kind
    if kind in _AGG_OK:
        return
    what = "aggregate functions" if isinstance(expr, Aggref) else "grouping operations"
    place = _AGG_WORDS.get(kind) or parse_expr_kind_name(kind)
    raise PgError(GROUPING_ERROR, f"{what} are not allowed in {place}", location=expr.location)


@dataclass(slots=True)
class _Levels:
    """Least level of the columns and of the aggregates found, -1 while there is none."""

    var: int = -1
    agg: int = -1

    def note_var(self, level: int) -> None:
        if level >= 0 and (self.var < 0 or level < self.var):
            self.var = level

    def note_agg(self, level: int) -> None:
        if level >= 0 and (self.agg < 0 or level < self.agg):
            self.agg = level


def _check_agg_arguments(directargs: list[Expr], args: list[Any], aggfilter: Expr | None) -> int:
    found = _Levels()
    for arg in args:
        _scan_levels(arg, 0, found)
    if aggfilter is not None:
        _scan_levels(aggfilter, 0, found)
    known = [level for level in (found.var, found.agg) if level >= 0]
    agglevel = min(known, default=0)
    if agglevel == found.agg:
        where = locate_agg_of_level(args, agglevel)
        if where < 0 and aggfilter is not None:
            where = locate_agg_of_level(aggfilter, agglevel)
        raise _nested(where)
    if directargs:
        direct = _Levels()
        for arg in directargs:
            _scan_levels(arg, 0, direct)
        if 0 <= direct.var < agglevel:
            raise PgError(
                GROUPING_ERROR,
                "outer-level aggregate cannot contain a lower-level variable in its direct"
                " arguments",
                location=_locate_var_of_level(directargs, direct.var),
            )
        if 0 <= direct.agg <= agglevel:
            raise _nested(locate_agg_of_level(directargs, direct.agg))
    return agglevel


def _nested(location: int) -> PgError:
    return PgError(GROUPING_ERROR, "aggregate function calls cannot be nested", location=location)


def _scan_levels(node: Any, sublevels_up: int, found: _Levels) -> None:
    """check_agg_arguments_walker."""
    cls = type(node)
    if cls is Var:
        found.note_var(node.varlevelsup - sublevels_up)
        return
    if cls is Const:
        return
    if cls is Aggref:
        found.note_agg(node.agglevelsup - sublevels_up)
        return
    if cls is GroupingFunc:
        found.note_agg(node.agglevelsup - sublevels_up)
    elif sublevels_up == 0:
        if (isinstance(node, FuncExpr) and node.funcretset) or (
            isinstance(node, OpExpr) and node.opretset
        ):
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                "aggregate function calls cannot contain set-returning function calls",
                hint="You might be able to move the set-returning function into a"
                " LATERAL FROM item.",
                location=expr_location(node),
            )
        if cls is WindowFunc:
            raise PgError(
                GROUPING_ERROR,
                "aggregate function calls cannot contain window function calls",
                location=node.location,
            )
    below = sublevels_up + 1 if cls is Query else sublevels_up
    for child in children(node):
        _scan_levels(child, below, found)


# --- finding aggregates and window functions --------------------------------------------------


def _nodes(node: Any) -> list[Any]:
    return node if isinstance(node, list) else [node]


def locate_agg_of_level(node: Any, levelsup: int) -> int:
    """Location of an aggregate (or GROUPING) of the level in an expression or list, -1 if it has
    none that is known."""
    for one in _nodes(node):
        found = _find_agg(one, levelsup)
        if found is not None and found.location >= 0:
            return int(found.location)
    return -1


def contain_aggs_of_level(node: Any, levelsup: int) -> bool:
    return any(_find_agg(one, levelsup) is not None for one in _nodes(node))


def _find_agg(node: Any, level: int) -> Any:
    if isinstance(node, (Aggref, GroupingFunc)) and node.agglevelsup == level:
        return node
    below = level + 1 if isinstance(node, Query) else level
    for child in children(node):
        found = _find_agg(child, below)
        if found is not None:
            return found
    return None


def _locate_var_of_level(node: Any, level: int) -> int:
    for one in _nodes(node):
        if isinstance(one, Var):
            if one.varlevelsup == level and one.location >= 0:
                return one.location
            continue
        below = level + 1 if isinstance(one, Query) else level
        where = _locate_var_of_level(list(children(one)), below)
        if where >= 0:
            return where
    return -1


def _find_windowfunc(node: Any) -> WindowFunc | None:
    if isinstance(node, WindowFunc):
        return node
    if isinstance(node, Query):
        return None
    for child in children(node):
        found = _find_windowfunc(child)
        if found is not None:
            return found
    return None


def contain_windowfuncs(node: Any) -> bool:
    """Is there a window function call (not counting sub-queries)?"""
    return any(_find_windowfunc(one) is not None for one in _nodes(node))


def locate_windowfunc(node: Any) -> int:
    for one in _nodes(node):
        found = _find_windowfunc(one)
        if found is not None and found.location >= 0:
            return found.location
    return -1


def check_no_aggregates_or_windows(pstate: ParseState, expr: Any, clause: str) -> None:
    """checkTargetlistEntrySQL92: a column named by GROUP BY may hold neither."""
    if pstate.p_has_aggs and contain_aggs_of_level(expr, 0):
        raise PgError(
            GROUPING_ERROR,
            f"aggregate functions are not allowed in {clause}",
            location=locate_agg_of_level(expr, 0),
        )
    if pstate.p_has_window_funcs and contain_windowfuncs(expr):
        raise PgError(
            WINDOWING_ERROR,
            f"window functions are not allowed in {clause}",
            location=locate_windowfunc(expr),
        )


# --- window functions -------------------------------------------------------------------------


def transform_window_func_call(pstate: ParseState, wfunc: WindowFunc, windef: RawNode) -> None:
    """Check the place and connect the call with its window (p_windowdefs grows by new ones)."""
    if pstate.p_has_window_funcs and contain_windowfuncs(wfunc.args):
        raise PgError(
            WINDOWING_ERROR,
            "window function calls cannot be nested",
            location=locate_windowfunc(wfunc.args),
        )
    kind = pstate.p_expr_kind
    if kind not in _WINDOW_OK:
        place = _WINDOW_WORDS.get(kind) or parse_expr_kind_name(kind)
        raise PgError(
            WINDOWING_ERROR,
            f"window functions are not allowed in {place}",
            location=wfunc.location,
        )
    windef = windef.get("WindowDef", windef)
    if windef.get("name"):
        wfunc.winref = _named_window(pstate, windef)
    else:
        wfunc.winref = _matching_window(pstate, windef)
    pstate.p_has_window_funcs = True


def _named_window(pstate: ParseState, windef: RawNode) -> int:
    for winref, other in enumerate(pstate.p_windowdefs, 1):
        if other.get("name") == windef["name"]:
            return winref
    raise PgError(
        UNDEFINED_OBJECT,
        f'window "{windef["name"]}" does not exist',
        location=windef.get("location", 0),
    )


_WINDOW_PARTS = (
    "refname",
    "partitionClause",
    "orderClause",
    "frameOptions",
    "startOffset",
    "endOffset",
)


def _matching_window(pstate: ParseState, windef: RawNode) -> int:
    wanted = [_without_locations(windef.get(part)) for part in _WINDOW_PARTS]
    for winref, other in enumerate(pstate.p_windowdefs, 1):
        if [_without_locations(other.get(part)) for part in _WINDOW_PARTS] == wanted:
            return winref
    pstate.p_windowdefs.append(windef)
    return len(pstate.p_windowdefs)


def _without_locations(raw: Any) -> Any:
    """A raw tree for comparison: where things stand in the text does not matter."""
    if isinstance(raw, dict):
        return {k: _without_locations(v) for k, v in raw.items() if k != "location"}
    if isinstance(raw, list):
        return [_without_locations(item) for item in raw]
    return raw


def resolve_aggregate_transtype(
    catalog: Catalog, row: PgAggregate, arg_types: Sequence[int], result_type: int
) -> int:
    """A polymorphic state is of the arguments' type."""
    state_type: int = row.aggtranstype
    if state_type == INTERNALOID or catalog.types.row(state_type).typtype != "p":
        return state_type
    declared = list(catalog.get(PgProc, oid=row.aggfnoid).proargtypes)
    if len(declared) != len(arg_types):
        return result_type
    return enforce_generic_type_consistency(catalog, list(arg_types), declared, state_type)
