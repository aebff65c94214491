"""Is everything grouped?  (parseCheckAggregates of PostgreSQL's parse_agg.c, and
check_functional_grouping of pg_constraint.c.)"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any

from pgemu.catalog.rows import PgConstraint
from pgemu.errors import GROUPING_ERROR, INVALID_RECURSION, STATEMENT_TOO_COMPLEX, PgError
from pgemu.nodes.nodefuncs import expr_location
from pgemu.nodes.parsenodes import GroupingSet, Query
from pgemu.nodes.primnodes import Aggref, Const, Expr, GroupingFunc, Param, TargetEntry, Var
from pgemu.nodes.walk import children, mutate

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog
    from pgemu.parser.parse_node import ParseState

MAX_GROUPING_SETS = 4096


def expand_grouping_sets(
    sets: list[GroupingSet], group_distinct: bool = False, limit: int = -1
) -> list[list[int]] | None:
    """Every grouping set as a list of ressortgrouprefs, smallest first; None: more than limit."""
    if not sets:
        return []
    factors = [_expand_node(s) for s in sets]
    if limit > 0:
        total = 1
        for factor in factors:
            total *= len(factor)
            if total > limit:
                return None
    result = []
    for combination in product(*factors):
        merged: list[int] = []
        for part in combination:
            merged.extend(ref for ref in part if ref not in merged)
        result.append(merged)
    result.sort(key=len)
    if group_distinct:
        seen: set[frozenset[int]] = set()
        unique = []
        for one in result:
            if frozenset(one) not in seen:
                seen.add(frozenset(one))
                unique.append(one)
        return unique
    return result


def _expand_node(node: GroupingSet) -> list[list[int]]:
    if node.kind == "empty":
        return [[]]
    if node.kind == "simple":
        return [list(dict.fromkeys(node.content))]
    if node.kind == "sets":
        return [one for inner in node.content for one in _expand_node(inner)]
    groups: list[list[int]] = [inner.content for inner in node.content]
    if node.kind == "rollup":
        chosen = [groups[:n] for n in range(len(groups), -1, -1)]
    else:
        chosen = [
            [g for i, g in enumerate(groups) if mask >> i & 1] for mask in range(2 ** len(groups))
        ]
    return [list(dict.fromkeys(ref for g in some for ref in g)) for some in chosen]


@dataclass(slots=True)
class _Check:
    """The working state of one check."""

    pstate: ParseState
    query: Query
    clauses: list[TargetEntry]
    common_vars: list[Var]
    non_var_grouping: bool
    grouped_rels: set[int] = field(default_factory=set)


def parse_check_aggregates(pstate: ParseState, query: Query) -> None:
    """42803 for a column that is neither grouped nor aggregated; completes GROUPING calls."""
    from pgemu.parser.parse_agg import locate_agg_of_level

    common = _common_refs(query)
    # only merged columns (JOIN USING) are Vars of the join itself
    has_joins = any(r.rtekind == "join" and r.joinmergedcols for r in pstate.p_rtable)
    self_reference = any(r.rtekind == "cte" and r.self_reference for r in pstate.p_rtable)
    clauses = []
    for clause in query.group_clause:
        entry = next(t for t in query.target_list if t.ressortgroupref == clause.tle_sort_group_ref)
        expr = _flatten(query, entry.expr) if has_joins else entry.expr
        clauses.append(TargetEntry(expr, entry.resno, entry.resname, entry.ressortgroupref))
    common_vars = [
        c.expr
        for c in clauses
        if isinstance(c.expr, Var) and (not query.grouping_sets or c.ressortgroupref in common)
    ]
    check = _Check(
        pstate, query, clauses, common_vars, any(not isinstance(c.expr, Var) for c in clauses)
    )
    tested: list[list[Any]] = [list(query.target_list)]
    if query.having_qual is not None:
        tested.append([query.having_qual])
    for nodes in tested:
        for node in nodes:
            _finalize_grouping(check, node, 0, has_joins)
        for node in nodes:
            flat = _flatten(query, node) if has_joins else node
            _check_ungrouped(check, flat, 0, False)
    if pstate.p_has_aggs and self_reference:
        raise PgError(
            INVALID_RECURSION,
            "aggregate functions are not allowed in a recursive query's recursive term",
            location=locate_agg_of_level([node for nodes in tested for node in nodes], 0),
        )


def _common_refs(query: Query) -> set[int]:
    """References that are in every grouping set; a single set is turned into a plain GROUP BY."""
    if not query.grouping_sets:
        return set()
    sets = expand_grouping_sets(query.grouping_sets, query.group_distinct, MAX_GROUPING_SETS)
    if sets is None:
        raise PgError(
            STATEMENT_TOO_COMPLEX,
            f"too many grouping sets present (maximum {MAX_GROUPING_SETS})",
            # PostgreSQL asks the GROUP BY list where it stands, which it does not know
            location=-1 if query.group_clause else query.grouping_sets[0].location,
        )
    common = set(sets[0]).intersection(*sets[1:])
    if len(sets) == 1 and query.group_clause:
        query.grouping_sets = []
    return common


def _flatten(query: Query, node: Any) -> Any:
    """flatten_join_alias_vars: columns of joins become what they stand for."""

    def replace(item: Any) -> Any:
        if isinstance(item, Var) and item.varlevelsup == 0 and item.varattno > 0:
            rte = query.rtable[item.varno - 1] if item.varno <= len(query.rtable) else None
            if rte is not None and rte.rtekind == "join":
                return _flatten(query, rte.joinaliasvars[item.varattno - 1])
        return item if isinstance(item, Query) else None

    return mutate(node, replace)


def _equal(a: Any, b: Any) -> bool:
    from pgemu.parser.parse_sort_group import equal

    return type(a) is type(b) and equal(a, b)


def _check_ungrouped(check: _Check, node: Any, sublevels: int, in_direct: bool) -> None:
    """check_ungrouped_columns_walker."""
    cls = type(node)
    if cls is Const or cls is Param:
        return
    if cls is Aggref:
        if node.agglevelsup == sublevels:
            for arg in node.aggdirectargs:
                _check_ungrouped(check, arg, sublevels, True)
            return
        if node.agglevelsup > sublevels:
            return
    elif cls is GroupingFunc and node.agglevelsup >= sublevels:
        return
    if (
        check.non_var_grouping
        and sublevels == 0
        and isinstance(node, Expr)
        and any(_equal(node, c.expr) for c in check.clauses)
    ):
        return
    if cls is Var:
        _check_var(check, node, sublevels, in_direct)
        return
    below = sublevels + 1 if cls is Query else sublevels
    for child in children(node):
        _check_ungrouped(check, child, below, in_direct)


def _check_var(check: _Check, var: Var, sublevels: int, in_direct: bool) -> None:
    if var.varlevelsup != sublevels:
        return
    for clause in check.clauses:
        grouped = clause.expr
        if (
            isinstance(grouped, Var)
            and grouped.varno == var.varno
            and grouped.varattno == var.varattno
            and grouped.varlevelsup == 0
        ):
            return
    if var.varno in check.grouped_rels:
        return
    rte = check.pstate.p_rtable[var.varno - 1]
    if rte.rtekind == "relation" and check_functional_grouping(
        check.pstate.catalog,
        rte.relid,
        var.varno,
        0,
        check.common_vars,
        check.query.constraint_deps,
    ):
        check.grouped_rels.add(var.varno)
        return
    from pgemu.parser.parse_rte import get_rte_attribute_name

    name = f"{rte.eref.aliasname}.{get_rte_attribute_name(rte, var.varattno)}"
    if sublevels == 0:
        detail = None
        if in_direct:
            detail = "Direct arguments of an ordered-set aggregate must use only grouped columns."
        raise PgError(
            GROUPING_ERROR,
            f'column "{name}" must appear in the GROUP BY clause or be used in an aggregate'
            " function",
            detail=detail,
            location=var.location,
        )
    raise PgError(
        GROUPING_ERROR,
        f'subquery uses ungrouped column "{name}" from outer query',
        location=var.location,
    )


def check_functional_grouping(
    catalog: Catalog,
    relid: int,
    varno: int,
    varlevelsup: int,
    grouping_columns: list[Var],
    constraint_deps: list[int],
) -> bool:
    """Do the grouping columns contain the (not deferrable) primary key of the relation?"""
    for con in catalog.all(PgConstraint, conrelid=relid):
        if con.contype != "p":
            continue
        if con.condeferrable:
            return False
        grouped = {
            v.varattno
            for v in grouping_columns
            if v.varno == varno and v.varlevelsup == varlevelsup
        }
        if set(con.conkey or ()) <= grouped:
            if con.oid not in constraint_deps:
                constraint_deps.append(con.oid)
            return True
    return False


def _finalize_grouping(check: _Check, node: Any, sublevels: int, has_joins: bool) -> None:
    """finalize_grouping_exprs: find the grouping column of each argument of GROUPING."""
    cls = type(node)
    if cls is Const or cls is Param or cls is Var:
        return
    if cls is Aggref:
        if node.agglevelsup == sublevels:
            for arg in node.aggdirectargs:
                _finalize_grouping(check, arg, sublevels, has_joins)
            return
        if node.agglevelsup > sublevels:
            return
    elif cls is GroupingFunc:
        if node.agglevelsup == sublevels:
            node.refs = [_grouping_ref(check, arg, sublevels, has_joins) for arg in node.args]
        if node.agglevelsup >= sublevels:
            return
    below = sublevels + 1 if cls is Query else sublevels
    for child in children(node):
        _finalize_grouping(check, child, below, has_joins)


def _grouping_ref(check: _Check, arg: Expr, sublevels: int, has_joins: bool) -> int:
    expr = _flatten(check.query, arg) if has_joins else arg
    for clause in check.clauses:
        grouped = clause.expr
        if isinstance(expr, Var) and isinstance(grouped, Var):
            if (
                expr.varlevelsup == sublevels
                and grouped.varno == expr.varno
                and grouped.varattno == expr.varattno
                and grouped.varlevelsup == 0
            ):
                return clause.ressortgroupref
        elif sublevels == 0 and _equal(expr, grouped):
            return clause.ressortgroupref
    raise PgError(
        GROUPING_ERROR,
        "arguments to GROUPING must be grouping expressions of the associated query level",
        location=expr_location(expr),
    )
