"""UNION, INTERSECT and EXCEPT (transformSetOperationStmt of PostgreSQL's analyze.c).

Every leaf becomes a sub-query in the range table; the query's own target list are Vars of the
leftmost leaf with the unified types.
"""

from __future__ import annotations

from typing import Any

from pgemu.errors import PgError
from pgemu.errors.codes import (
    FEATURE_NOT_SUPPORTED,
    INVALID_COLUMN_REFERENCE,
    SYNTAX_ERROR,
)
from pgemu.nodes.nodefuncs import expr_collation, expr_location, expr_type, expr_typmod
from pgemu.nodes.parsenodes import Alias, Query, RangeTblRef, SetOperationStmt, SetOpNode
from pgemu.nodes.primnodes import (
    Const,
    Expr,
    Param,
    SetToDefault,
    SortGroupClause,
    TargetEntry,
    Var,
)
from pgemu.parser.analyze import (
    LCS_NAMES,
    finish_query,
    parse_sub_analyze,
    transform_limits,
    transform_with_of,
)
from pgemu.parser.parse_clause import contain_vars_of_level, transform_sort_clause
from pgemu.parser.parse_coerce import (
    coerce_to_common_type,
    select_common_type,
    select_common_typmod,
)
from pgemu.parser.parse_collate import assign_query_collations, select_common_collation
from pgemu.parser.parse_node import ParseExprKind, ParseNamespaceColumn, ParseState
from pgemu.parser.parse_oper import get_sort_group_operators
from pgemu.parser.parse_relation import (
    add_nsitem_to_query,
    add_range_table_entry_for_join,
    add_range_table_entry_for_subquery,
)
from pgemu.parser.type_oids import UNKNOWNOID

RawNode = dict[str, Any]
_OPS = {"SETOP_UNION": "union", "SETOP_INTERSECT": "intersect", "SETOP_EXCEPT": "except"}
_TOP_CLAUSES = (
    "sortClause",
    "limitOffset",
    "limitCount",
    "limitOption",
    "lockingClause",
    "withClause",
)


def transform_set_operation_stmt(pstate: ParseState, stmt: RawNode) -> Query:
    """The topmost node of a tree of set operations."""
    query = Query("select")
    leaf = stmt["larg"]
    while leaf.get("op", "SETOP_NONE") != "SETOP_NONE":
        leaf = leaf["larg"]
    if leaf.get("intoClause"):
        raise PgError(
            SYNTAX_ERROR,
            "SELECT ... INTO is not allowed here",
            location=leaf["intoClause"]["rel"].get("location", 0),
        )
    tree_stmt = {k: v for k, v in stmt.items() if k not in _TOP_CLAUSES}
    if stmt.get("lockingClause"):
        raise _locking_not_allowed(stmt)
    transform_with_of(pstate, stmt, query)
    tree, _targets = _transform_tree(pstate, tree_stmt, True)
    assert isinstance(tree, SetOperationStmt)
    query.set_operations = tree
    _refresh_leaves(pstate)
    leftmost: SetOpNode = tree
    while isinstance(leftmost, SetOperationStmt):
        leftmost = leftmost.larg
    leaf_query = pstate.p_rtable[leftmost.rtindex - 1].subquery
    assert leaf_query is not None
    query.target_list = _output_columns(pstate, tree, leftmost.rtindex, leaf_query)
    _transform_output_sort(pstate, stmt, query)
    transform_limits(pstate, stmt, query)
    finish_query(pstate, query, None)
    assign_query_collations(pstate, query)
    return query


def _output_columns(
    pstate: ParseState, tree: SetOperationStmt, rtindex: int, leaf: Query
) -> list[TargetEntry]:
    targets: list[TargetEntry] = []
    columns = zip(
        (t for t in leaf.target_list if not t.resjunk),
        tree.col_types,
        tree.col_typmods,
        tree.col_collations,
        strict=True,
    )
    for left, type_oid, typmod, collation in columns:
        var = Var(rtindex, left.resno, type_oid, typmod, collation, 0, expr_location(left.expr))
        targets.append(TargetEntry(var, pstate.p_next_resno, left.resname))
        pstate.p_next_resno += 1
    return targets


def _transform_output_sort(pstate: ParseState, stmt: RawNode, query: Query) -> None:
    """ORDER BY of a set operation: by output columns only."""
    sort = stmt.get("sortClause")
    if not sort:
        return
    exprs = [t.expr for t in query.target_list]
    nscolumns = [
        ParseNamespaceColumn(
            e.varno, e.varattno, e.vartype, e.vartypmod, e.varcollid, e.varno, e.varattno
        )
        for e in exprs
        if isinstance(e, Var)
    ]
    nrtable = len(pstate.p_rtable)
    nsitem = add_range_table_entry_for_join(
        pstate,
        [t.resname or "" for t in query.target_list],
        nscolumns,
        "inner",
        0,
        exprs,
        None,
        None,
        False,
    )
    namespace = pstate.p_namespace
    pstate.p_namespace = []
    add_nsitem_to_query(pstate, nsitem, False, False, True)
    ntargets = len(query.target_list)
    query.sort_clause = transform_sort_clause(
        pstate, sort, query.target_list, ParseExprKind.EXPR_KIND_ORDER_BY, False
    )
    pstate.p_namespace = namespace
    del pstate.p_rtable[nrtable:]
    del pstate.p_joinexprs[nrtable:]
    if len(query.target_list) != ntargets:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "invalid UNION/INTERSECT/EXCEPT ORDER BY clause",
            detail="Only result column names can be used, not expressions or functions.",
            hint="Add the expression/function to every SELECT, or move the UNION into a FROM "
            "clause.",
            location=expr_location(query.target_list[ntargets].expr),
        )


def _locking_not_allowed(stmt: RawNode) -> PgError:
    strength = stmt["lockingClause"][0]["LockingClause"]["strength"]
    return PgError(
        FEATURE_NOT_SUPPORTED,
        f"{LCS_NAMES[strength]} is not allowed with UNION/INTERSECT/EXCEPT",
    )


def _refresh_leaves(pstate: ParseState) -> None:
    """Unifying types may have changed columns of the leaves: their entries show the types."""
    for rte in pstate.p_rtable:
        if rte.subquery is not None:
            exprs = [t.expr for t in rte.subquery.target_list if not t.resjunk]
            if exprs:
                rte.coltypes = [expr_type(e) for e in exprs]
                rte.coltypmods = [expr_typmod(e) for e in exprs]
                rte.colcollations = [expr_collation(e) for e in exprs]


def _transform_tree(
    pstate: ParseState, stmt: RawNode, is_top_level: bool
) -> tuple[SetOpNode, list[TargetEntry]]:
    """One node of the tree and its output columns (for an operation: place-holders)."""
    if stmt.get("intoClause"):
        raise PgError(
            SYNTAX_ERROR,
            "INTO is only allowed on first SELECT of UNION/INTERSECT/EXCEPT",
            location=stmt["intoClause"]["rel"].get("location", 0),
        )
    if stmt.get("lockingClause"):
        raise _locking_not_allowed(stmt)
    if stmt.get("op", "SETOP_NONE") == "SETOP_NONE" or any(
        stmt.get(f) for f in ("sortClause", "limitOffset", "limitCount", "withClause")
    ):
        return _transform_leaf(pstate, stmt)
    op = _OPS[stmt["op"]]
    context = op.upper()
    all_rows = bool(stmt.get("all"))
    larg, ltargets = _transform_tree(pstate, stmt["larg"], False)
    cte = pstate.p_parent_cte
    if is_top_level and cte is not None and cte.cterecursive:
        _determine_recursive_col_types(pstate, larg, ltargets)
    rarg, rtargets = _transform_tree(pstate, stmt["rarg"], False)
    if len(ltargets) != len(rtargets):
        raise PgError(
            SYNTAX_ERROR,
            f"each {context} query must have the same number of columns",
            location=expr_location(rtargets),
        )
    result = SetOperationStmt(op, all_rows, larg, rarg)
    targets: list[TargetEntry] = []
    for ltarget, rtarget in zip(ltargets, rtargets, strict=True):
        location = _unify_column(pstate, result, context, ltarget, rtarget)
        targets.append(
            TargetEntry(
                SetToDefault(
                    result.col_types[-1],
                    result.col_typmods[-1],
                    result.col_collations[-1],
                    location,
                ),
                0,
            )
        )
    return result, targets


def _transform_leaf(pstate: ParseState, stmt: RawNode) -> tuple[RangeTblRef, list[TargetEntry]]:
    query = parse_sub_analyze({"SelectStmt": stmt}, pstate, None, False, False)
    if pstate.p_namespace and contain_vars_of_level(query, 0):
        raise PgError(
            INVALID_COLUMN_REFERENCE,
            "UNION/INTERSECT/EXCEPT member statement cannot refer to other relations of same "
            "query level",
        )
    targets = [t for t in query.target_list if not t.resjunk]
    name = f"*SELECT* {len(pstate.p_rtable) + 1}"
    nsitem = add_range_table_entry_for_subquery(pstate, query, Alias(name), False, False)
    return RangeTblRef(nsitem.p_rtindex), targets


def _unify_column(
    pstate: ParseState,
    result: SetOperationStmt,
    context: str,
    ltarget: TargetEntry,
    rtarget: TargetEntry,
) -> int:
    """Append the common type of one column to `result`; the location for later errors."""
    which: list[Expr] = []
    type_oid = select_common_type(pstate, [ltarget.expr, rtarget.expr], context, which)
    location = expr_location(which[0]) if which else -1
    nodes: list[Expr] = []
    for target in (ltarget, rtarget):
        node = target.expr
        if expr_type(node) != UNKNOWNOID:
            # only checked: changing the leaf's expression could change what the leaf means
            node = coerce_to_common_type(pstate, node, type_oid, context)
        elif isinstance(node, (Const, Param)):
            node = target.expr = coerce_to_common_type(pstate, node, type_oid, context)
        nodes.append(node)
    union_all = result.op == "union" and result.all
    result.col_types.append(type_oid)
    result.col_typmods.append(select_common_typmod(pstate, nodes, type_oid))
    result.col_collations.append(select_common_collation(pstate, nodes, union_all))
    if not union_all:
        sortop, eqop, _gt, hashable = get_sort_group_operators(
            pstate, type_oid, False, True, False, location
        )
        result.group_clauses.append(SortGroupClause(0, eqop, sortop, False, hashable))
    return location


def _determine_recursive_col_types(
    pstate: ParseState, larg: SetOpNode, targets: list[TargetEntry]
) -> None:
    """The non-recursive term tells the columns of a recursive WITH item."""
    from pgemu.parser.parse_cte import analyze_cte_target_list

    leftmost: SetOpNode = larg
    while isinstance(leftmost, SetOperationStmt):
        leftmost = leftmost.larg
    query = pstate.p_rtable[leftmost.rtindex - 1].subquery
    assert query is not None and pstate.p_parent_cte is not None
    names = [t for t in query.target_list if not t.resjunk]
    merged = [
        TargetEntry(target.expr, n, left.resname)
        for n, (left, target) in enumerate(zip(names, targets, strict=True), 1)
    ]
    analyze_cte_target_list(pstate, pstate.p_parent_cte, merged)
