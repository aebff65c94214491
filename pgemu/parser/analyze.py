"""Parse analysis: a raw statement becomes a Query (PostgreSQL's analyze.c).

Here the entry points, SELECT, VALUES, row locking and the utility statements that contain a
query; set operations are analyze_setop.py, INSERT, UPDATE and DELETE analyze_dml.py, MERGE
parse_merge.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pgemu.errors import PgError
from pgemu.errors.codes import (
    FEATURE_NOT_SUPPORTED,
    INVALID_CURSOR_DEFINITION,
    SYNTAX_ERROR,
    UNDEFINED_TABLE,
)
from pgemu.nodes.parsenodes import (
    CommonTableExpr,
    FromExpr,
    Query,
    RawStmt,
    RowMarkClause,
)
from pgemu.nodes.primnodes import Expr, Param, TargetEntry
from pgemu.nodes.walk import walk
from pgemu.parser.parse_agg import parse_check_aggregates
from pgemu.parser.parse_clause import (
    contain_vars_of_level,
    transform_distinct_clause,
    transform_distinct_on_clause,
    transform_from_clause,
    transform_group_clause,
    transform_limit_clause,
    transform_sort_clause,
    transform_where_clause,
    transform_window_definitions,
)
from pgemu.parser.parse_coerce import (
    coerce_to_common_type,
    select_common_type,
    select_common_typmod,
)
from pgemu.parser.parse_collate import (
    assign_expr_collations,
    assign_query_collations,
    select_common_collation,
)
from pgemu.parser.parse_expr import transform_expr
from pgemu.parser.parse_func import parse_func_or_column
from pgemu.parser.parse_node import ParseExprKind, ParseState, make_parsestate
from pgemu.parser.parse_relation import (
    add_nsitem_to_query,
    add_range_table_entry_for_values,
    expand_nsitem_attrs,
)
from pgemu.parser.parse_target import (
    mark_target_list_origins,
    resolve_target_list_unknowns,
    transform_expression_list,
    transform_target_list,
)
from pgemu.parser.raw_location import raw_location

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog

K = ParseExprKind
RawNode = dict[str, Any]

LCS_NAMES = {
    "LCS_FORKEYSHARE": "FOR KEY SHARE",
    "LCS_FORSHARE": "FOR SHARE",
    "LCS_FORNOKEYUPDATE": "FOR NO KEY UPDATE",
    "LCS_FORUPDATE": "FOR UPDATE",
}
_STRENGTHS = {
    "LCS_FORKEYSHARE": "forkeyshare",
    "LCS_FORSHARE": "forshare",
    "LCS_FORNOKEYUPDATE": "fornokeyupdate",
    "LCS_FORUPDATE": "forupdate",
}
_STRENGTH_ORDER = list(_STRENGTHS.values())
STRENGTH_NAMES = {v: LCS_NAMES[k] for k, v in _STRENGTHS.items()}
_WAIT_POLICIES = {"LockWaitBlock": "block", "LockWaitSkip": "skip", "LockWaitError": "error"}
_WAIT_ORDER = list(_WAIT_POLICIES.values())


# ----------------------------------------------------------------------------- entry points


def parse_analyze(
    raw: RawStmt,
    source_text: str,
    catalog: Catalog,
    param_types: list[int] | None = None,
    *,
    variable_params: bool = False,
) -> Query:
    """Analyze one statement.  param_types: types of $1, $2, ...; with variable_params entries 0
    or missing are inferred, and the list is completed in place."""
    pstate = make_parsestate(None, catalog, source_text)
    return analyze_with_state(pstate, raw, param_types, variable_params=variable_params)


def analyze_with_state(
    pstate: ParseState,
    raw: RawStmt,
    param_types: list[int] | None = None,
    *,
    variable_params: bool = False,
) -> Query:
    """parse_analyze with a state the caller prepared (hooks of SQL functions and plpgsql)."""
    from pgemu.parser.parse_param import (
        check_variable_parameters,
        setup_parse_fixed_parameters,
        setup_parse_variable_parameters,
    )

    if variable_params:
        types = param_types if param_types is not None else []
        setup_parse_variable_parameters(pstate, types)
    elif param_types:
        setup_parse_fixed_parameters(pstate, param_types)
    try:
        query = transform_top_level_stmt(pstate, raw)
    except RecursionError:
        from pgemu.parser.parser import stack_depth_exceeded

        raise stack_depth_exceeded() from None
    if variable_params:
        check_variable_parameters(pstate, query)
    return query


def parse_sub_analyze(
    raw: RawNode,
    parent_pstate: ParseState,
    parent_cte: CommonTableExpr | None,
    locked_from_parent: bool,
    resolve_unknowns: bool,
) -> Query:
    """Analyze a sub-query ({"SelectStmt": ...}) below parent_pstate."""
    pstate = make_parsestate(parent_pstate)
    pstate.p_parent_cte = parent_cte
    pstate.p_locked_from_parent = locked_from_parent
    pstate.p_resolve_unknowns = resolve_unknowns
    return transform_stmt(pstate, raw)


def transform_top_level_stmt(pstate: ParseState, raw: RawStmt) -> Query:
    """Analyze and remember where the statement stands in the text."""
    query = transform_optional_select_into(pstate, raw.node)
    query.stmt_location = raw.location
    query.stmt_len = raw.length
    return query


def transform_optional_select_into(pstate: ParseState, node: RawNode) -> Query:
    """SELECT ... INTO at the top means CREATE TABLE AS."""
    select = node.get("SelectStmt")
    if select is not None:
        leaf = select
        path: list[RawNode] = []
        while leaf.get("op", "SETOP_NONE") != "SETOP_NONE":
            path.append(leaf)
            leaf = leaf["larg"]
        if leaf.get("intoClause"):
            into = leaf["intoClause"]
            stripped: RawNode = {k: v for k, v in leaf.items() if k != "intoClause"}
            for outer in reversed(path):
                stripped = {**outer, "larg": stripped}
            node = {
                "CreateTableAsStmt": {
                    "query": {"SelectStmt": stripped},
                    "into": into,
                    "objtype": "OBJECT_TABLE",
                    "is_select_into": True,
                }
            }
    return transform_stmt(pstate, node)


def transform_stmt(pstate: ParseState, node: RawNode) -> Query:
    """Dispatch on the statement's tag; what is no query becomes a "utility" Query."""
    tag, body = next(iter(node.items()))
    if tag == "SelectStmt":
        if body.get("valuesLists"):
            return transform_values_clause(pstate, body)
        if body.get("op", "SETOP_NONE") == "SETOP_NONE":
            return transform_select_stmt(pstate, body)
        from pgemu.parser.analyze_setop import transform_set_operation_stmt

        return transform_set_operation_stmt(pstate, body)
    if tag in ("InsertStmt", "UpdateStmt", "DeleteStmt"):
        from pgemu.parser import analyze_dml

        if tag == "InsertStmt":
            return analyze_dml.transform_insert_stmt(pstate, body)
        if tag == "UpdateStmt":
            return analyze_dml.transform_update_stmt(pstate, body)
        return analyze_dml.transform_delete_stmt(pstate, body)
    if tag == "MergeStmt":
        from pgemu.parser.parse_merge import transform_merge_stmt

        return transform_merge_stmt(pstate, body)
    handler = _UTILITY_WITH_QUERY.get(tag)
    if handler is not None:
        return handler(pstate, node)
    return Query("utility", utility_stmt=node)


# ----------------------------------------------------------------------------- SELECT


def transform_with_of(pstate: ParseState, stmt: RawNode, query: Query) -> None:
    """The WITH clause of any statement."""
    with_clause = stmt.get("withClause")
    if with_clause:
        from pgemu.parser.parse_cte import transform_with_clause

        query.has_recursive = bool(with_clause.get("recursive"))
        query.cte_list = transform_with_clause(pstate, with_clause)
        query.has_modifying_cte = pstate.p_has_modifying_cte


def _limit_option(stmt: RawNode) -> str:
    with_ties = stmt.get("limitOption") == "LIMIT_OPTION_WITH_TIES"
    return "with_ties" if with_ties else "count"


def transform_limits(pstate: ParseState, stmt: RawNode, query: Query) -> None:
    """LIMIT and OFFSET."""
    option = _limit_option(stmt)
    query.limit_offset = transform_limit_clause(
        pstate, stmt.get("limitOffset"), K.EXPR_KIND_OFFSET, "OFFSET", option
    )
    query.limit_count = transform_limit_clause(
        pstate, stmt.get("limitCount"), K.EXPR_KIND_LIMIT, "LIMIT", option
    )
    query.limit_option = option


def finish_query(pstate: ParseState, query: Query, qual: Expr | None) -> None:
    """Range table, join tree and flags from the state into the query."""
    query.rtable = pstate.p_rtable
    query.jointree = FromExpr(pstate.p_joinlist, qual)
    query.has_sublinks = pstate.p_has_sublinks
    query.has_target_srfs = pstate.p_has_target_srfs
    query.has_aggs = pstate.p_has_aggs
    query.has_window_funcs = pstate.p_has_window_funcs


def transform_select_stmt(pstate: ParseState, stmt: RawNode) -> Query:
    """A plain SELECT (no set operation, no VALUES)."""
    query = Query("select")
    transform_with_of(pstate, stmt, query)
    if stmt.get("intoClause"):
        raise _into_not_allowed(stmt["intoClause"])
    locking = [c["LockingClause"] for c in stmt.get("lockingClause", ())]
    pstate.p_locking_clause = locking
    pstate.p_windowdefs = [w["WindowDef"] for w in stmt.get("windowClause", ())]
    if "fromClause" in stmt:
        transform_from_clause(pstate, stmt["fromClause"])
    tlist = transform_target_list(pstate, stmt.get("targetList", []), K.EXPR_KIND_SELECT_TARGET)
    query.target_list = tlist
    mark_target_list_origins(pstate, tlist)
    qual = transform_where_clause(pstate, stmt.get("whereClause"), K.EXPR_KIND_WHERE, "WHERE")
    query.having_qual = transform_where_clause(
        pstate, stmt.get("havingClause"), K.EXPR_KIND_HAVING, "HAVING"
    )
    if "sortClause" in stmt:
        query.sort_clause = transform_sort_clause(
            pstate, stmt["sortClause"], tlist, K.EXPR_KIND_ORDER_BY, False
        )
    if "groupClause" in stmt:
        query.group_clause, query.grouping_sets = transform_group_clause(
            pstate, stmt["groupClause"], tlist, query.sort_clause, K.EXPR_KIND_GROUP_BY, False
        )
        query.group_distinct = bool(stmt.get("groupDistinct"))
    distinct = stmt.get("distinctClause")
    if distinct:
        if not distinct[0]:
            query.distinct_clause = transform_distinct_clause(
                pstate, tlist, query.sort_clause, False
            )
        else:
            query.distinct_clause = transform_distinct_on_clause(
                pstate, distinct, tlist, query.sort_clause
            )
            query.has_distinct_on = True
    transform_limits(pstate, stmt, query)
    if pstate.p_windowdefs:
        query.window_clause = transform_window_definitions(pstate, pstate.p_windowdefs, tlist)
    if pstate.p_resolve_unknowns:
        resolve_target_list_unknowns(pstate, tlist)
    finish_query(pstate, query, qual)
    for clause in locking:
        transform_locking_clause(pstate, query, clause, False)
    assign_query_collations(pstate, query)
    if pstate.p_has_aggs or query.group_clause or query.grouping_sets or query.having_qual:
        parse_check_aggregates(pstate, query)
    return query


def _into_not_allowed(into: RawNode) -> PgError:
    return PgError(
        SYNTAX_ERROR,
        "SELECT ... INTO is not allowed here",
        location=into["rel"].get("location", 0),
    )


def transform_values_clause(pstate: ParseState, stmt: RawNode) -> Query:
    """A VALUES that stands where a SELECT could."""
    query = Query("select")
    transform_with_of(pstate, stmt, query)
    rows = transform_values_lists(pstate, stmt["valuesLists"], False)
    types: list[int] = []
    typmods: list[int] = []
    collations: list[int] = []
    for column in range(len(rows[0])):
        exprs = [row[column] for row in rows]
        type_oid = select_common_type(pstate, exprs, "VALUES")
        exprs = [coerce_to_common_type(pstate, e, type_oid, "VALUES") for e in exprs]
        for row, expr in zip(rows, exprs, strict=True):
            row[column] = expr
        types.append(type_oid)
        typmods.append(select_common_typmod(pstate, exprs, type_oid))
        collations.append(select_common_collation(pstate, exprs, True))
    lateral = bool(pstate.p_rtable) and contain_vars_of_level(rows, 0)
    nsitem = add_range_table_entry_for_values(
        pstate, rows, types, typmods, collations, None, lateral, True
    )
    add_nsitem_to_query(pstate, nsitem, True, True, True)
    query.target_list = expand_nsitem_attrs(pstate, nsitem, 0, True, -1)
    query.sort_clause = transform_sort_clause(
        pstate, stmt.get("sortClause", []), query.target_list, K.EXPR_KIND_ORDER_BY, False
    )
    transform_limits(pstate, stmt, query)
    if stmt.get("lockingClause"):
        strength = stmt["lockingClause"][0]["LockingClause"]["strength"]
        raise PgError(FEATURE_NOT_SUPPORTED, f"{LCS_NAMES[strength]} cannot be applied to VALUES")
    finish_query(pstate, query, None)
    assign_query_collations(pstate, query)
    return query


def transform_values_lists(
    pstate: ParseState, lists: list[RawNode], allow_default: bool
) -> list[list[Expr]]:
    """The rows of VALUES, all of one length."""
    rows: list[list[Expr]] = []
    for raw in lists:
        items = raw["List"]["items"]
        row = transform_expression_list(pstate, items, K.EXPR_KIND_VALUES, allow_default)
        if rows and len(row) != len(rows[0]):
            raise PgError(
                SYNTAX_ERROR,
                "VALUES lists must all be the same length",
                location=raw_location(items),
            )
        rows.append(row)
    return rows


# ----------------------------------------------------------------------------- row locking


def check_select_locking(query: Query, strength: str) -> None:
    """0A000 for queries whose rows cannot be traced back to table rows."""
    for present, what in (
        (query.set_operations, "UNION/INTERSECT/EXCEPT"),
        (query.distinct_clause, "DISTINCT clause"),
        (query.group_clause or query.grouping_sets, "GROUP BY clause"),
        (query.having_qual, "HAVING clause"),
        (query.has_aggs, "aggregate functions"),
        (query.has_window_funcs, "window functions"),
        (query.has_target_srfs, "set-returning functions in the target list"),
    ):
        if present:
            name = LCS_NAMES.get(strength) or STRENGTH_NAMES[strength]
            raise PgError(FEATURE_NOT_SUPPORTED, f"{name} is not allowed with {what}")


def transform_locking_clause(
    pstate: ParseState, query: Query, clause: RawNode, pushed_down: bool
) -> None:
    """FOR UPDATE and its kin: row marks on the range table entries meant."""
    strength: str = clause["strength"]
    check_select_locking(query, strength)
    rels = clause.get("lockedRels")
    if not rels:
        for rti, rte in enumerate(query.rtable, 1):
            if rte.in_from_cl and rte.rtekind in ("relation", "subquery"):
                _lock_rte(pstate, query, rti, clause, pushed_down)
        return
    for item in rels:
        thisrel = item["RangeVar"]
        location = thisrel.get("location", 0)
        if thisrel.get("catalogname") or thisrel.get("schemaname"):
            raise PgError(
                SYNTAX_ERROR,
                f"{LCS_NAMES[strength]} must specify unqualified relation names",
                location=location,
            )
        rti = _find_locked_rte(query, thisrel["relname"], strength, location)
        _lock_rte(pstate, query, rti, clause, pushed_down)


_NOT_LOCKABLE = {
    "join": "a join",
    "function": "a function",
    "tablefunc": "a table function",
    "values": "VALUES",
    "cte": "a WITH query",
    "namedtuplestore": "a named tuplestore",
}


def _find_locked_rte(query: Query, relname: str, strength: str, location: int) -> int:
    for rti, rte in enumerate(query.rtable, 1):
        if not rte.in_from_cl:
            continue
        name = rte.eref.aliasname
        if rte.rtekind == "join" and rte.alias is None:
            if rte.join_using_alias is None:
                continue
            name = rte.join_using_alias.aliasname
        if name != relname:
            continue
        if rte.rtekind in _NOT_LOCKABLE:
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                f"{LCS_NAMES[strength]} cannot be applied to {_NOT_LOCKABLE[rte.rtekind]}",
                location=location,
            )
        return rti
    raise PgError(
        UNDEFINED_TABLE,
        f'relation "{relname}" in {LCS_NAMES[strength]} clause not found in FROM clause',
        location=location,
    )


def _lock_rte(
    pstate: ParseState, query: Query, rti: int, clause: RawNode, pushed_down: bool
) -> None:
    rte = query.rtable[rti - 1]
    strength = _STRENGTHS[clause["strength"]]
    policy = _WAIT_POLICIES[clause.get("waitPolicy", "LockWaitBlock")]
    apply_locking_clause(query, rti, strength, policy, pushed_down)
    if rte.rtekind == "relation":
        rte.required_perms.add("UPDATE")
    elif rte.subquery is not None:
        everything = {k: v for k, v in clause.items() if k != "lockedRels"}
        transform_locking_clause(pstate, rte.subquery, everything, True)


def apply_locking_clause(
    query: Query, rti: int, strength: str, wait_policy: str, pushed_down: bool
) -> None:
    """Add a row mark, or strengthen the one that is there."""
    if not pushed_down:
        query.has_for_update = True
    for mark in query.row_marks:
        if mark.rti == rti:
            mark.strength = max(mark.strength, strength, key=_STRENGTH_ORDER.index)
            mark.wait_policy = max(mark.wait_policy, wait_policy, key=_WAIT_ORDER.index)
            mark.pushed_down = mark.pushed_down and pushed_down
            return
    query.row_marks.append(RowMarkClause(rti, strength, wait_policy, pushed_down))


# ----------------------------------------------------------------------------- utility


_CURSOR_OPT_SCROLL, _CURSOR_OPT_NO_SCROLL = 0x2, 0x4
_CURSOR_OPT_INSENSITIVE, _CURSOR_OPT_ASENSITIVE, _CURSOR_OPT_HOLD = 0x8, 0x10, 0x20


def transform_declare_cursor_stmt(pstate: ParseState, node: RawNode) -> Query:
    """DECLARE ... CURSOR: utility_query is the SELECT."""
    stmt = node["DeclareCursorStmt"]
    options: int = stmt.get("options", 0)
    for a, b, names in (
        (_CURSOR_OPT_SCROLL, _CURSOR_OPT_NO_SCROLL, "SCROLL and NO SCROLL"),
        (_CURSOR_OPT_ASENSITIVE, _CURSOR_OPT_INSENSITIVE, "ASENSITIVE and INSENSITIVE"),
    ):
        if options & a and options & b:
            raise PgError(INVALID_CURSOR_DEFINITION, f"cannot specify both {names}")
    query = transform_stmt(pstate, stmt["query"])
    if query.has_modifying_cte:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "DECLARE CURSOR must not contain data-modifying statements in WITH",
        )
    if query.row_marks:
        name = STRENGTH_NAMES[query.row_marks[0].strength]
        for bit, message, kind in (
            (_CURSOR_OPT_HOLD, f"DECLARE CURSOR WITH HOLD ... {name} is not supported", "Holdable"),
            (
                _CURSOR_OPT_SCROLL,
                f"DECLARE SCROLL CURSOR ... {name} is not supported",
                "Scrollable",
            ),
            (
                _CURSOR_OPT_INSENSITIVE,
                f"DECLARE INSENSITIVE CURSOR ... {name} is not valid",
                "Insensitive",
            ),
        ):
            if options & bit:
                code = (
                    INVALID_CURSOR_DEFINITION
                    if bit == _CURSOR_OPT_INSENSITIVE
                    else FEATURE_NOT_SUPPORTED
                )
                raise PgError(code, message, detail=f"{kind} cursors must be READ ONLY.")
    return Query("utility", utility_stmt=node, utility_query=query)


def transform_explain_stmt(pstate: ParseState, node: RawNode) -> Query:
    """EXPLAIN: utility_query is the explained statement."""
    inner = transform_optional_select_into(pstate, node["ExplainStmt"]["query"])
    return Query("utility", utility_stmt=node, utility_query=inner)


def transform_create_table_as_stmt(pstate: ParseState, node: RawNode) -> Query:
    """CREATE TABLE AS, SELECT INTO, CREATE MATERIALIZED VIEW."""
    stmt = node["CreateTableAsStmt"]
    query = transform_stmt(pstate, stmt["query"])
    if stmt.get("objtype") == "OBJECT_MATVIEW":
        if query.has_modifying_cte:
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                "materialized views must not use data-modifying statements in WITH",
            )
        if is_query_using_temp_relation(pstate.catalog, query):
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                "materialized views must not use temporary tables or views",
            )
        if _contains_extern_params(query):
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                "materialized views may not be defined using bound parameters",
            )
        if stmt["into"]["rel"].get("relpersistence") == "u":
            raise PgError(FEATURE_NOT_SUPPORTED, "materialized views cannot be unlogged")
    return Query("utility", utility_stmt=node, utility_query=query)


def is_query_using_temp_relation(catalog: Any, query: Query) -> bool:
    """Whether any relation in the query is temporary."""
    found = False

    def visit(node: Any) -> bool | None:
        nonlocal found
        if getattr(node, "rtekind", "") == "relation" and node.relid:
            found = found or catalog.relation(node.relid).persistence == "t"
        return None

    walk(query, visit)
    return found


def _contains_extern_params(query: Query) -> bool:
    found = False

    def visit(node: Any) -> bool | None:
        nonlocal found
        found = found or (isinstance(node, Param) and node.paramkind == "extern")
        return None

    walk(query, visit)
    return found


def transform_call_stmt(pstate: ParseState, node: RawNode) -> Query:
    """CALL: utility_query is a SELECT whose only column is the procedure's FuncExpr."""
    call = node["CallStmt"]["funccall"]
    args = [transform_expr(pstate, raw, K.EXPR_KIND_CALL_ARGUMENT) for raw in call.get("args", ())]
    expr = parse_func_or_column(
        pstate, call["funcname"], args, pstate.p_last_srf, call, True, call.get("location", 0)
    )
    assert expr is not None
    assign_expr_collations(pstate, expr)
    inner = Query("select", target_list=[TargetEntry(expr, 1, "call")])
    inner.has_sublinks = pstate.p_has_sublinks
    return Query("utility", utility_stmt=node, utility_query=inner)


_UTILITY_WITH_QUERY = {
    "DeclareCursorStmt": transform_declare_cursor_stmt,
    "ExplainStmt": transform_explain_stmt,
    "CreateTableAsStmt": transform_create_table_as_stmt,
    "CallStmt": transform_call_stmt,
}
