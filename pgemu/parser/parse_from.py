"""The FROM clause (PostgreSQL's parse_clause.c, its first third).

transform_from_clause fills pstate.p_rtable, p_joinlist and p_namespace.  Columns of a join become
Vars of the underlying tables wherever the merged value is just one side's column; only the
merged column of a FULL JOIN, or of sides of different types, is a Var of the join itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pgemu.errors import PgError
from pgemu.errors.codes import (
    AMBIGUOUS_COLUMN,
    DUPLICATE_COLUMN,
    FEATURE_NOT_SUPPORTED,
    INVALID_TABLESAMPLE_ARGUMENT,
    SYNTAX_ERROR,
    UNDEFINED_COLUMN,
    UNDEFINED_OBJECT,
)
from pgemu.nodes.nodefuncs import expr_location, expr_type, expr_typmod
from pgemu.nodes.parsenodes import JoinExpr, JoinTreeNode, RangeTblRef
from pgemu.nodes.primnodes import BoolExpr, CoalesceExpr, Expr, RelabelType, Var
from pgemu.nodes.walk import walk
from pgemu.parser.parse_coerce import (
    coerce_to_boolean,
    coerce_to_specific_type,
    coerce_type,
    select_common_type,
    select_common_typmod,
)
from pgemu.parser.parse_collate import assign_expr_collations, assign_list_collations
from pgemu.parser.parse_expr import transform_expr
from pgemu.parser.parse_node import (
    ParseExprKind,
    ParseNamespaceColumn,
    ParseNamespaceItem,
    ParseState,
)
from pgemu.parser.parse_oper import make_op
from pgemu.parser.parse_relation import (
    add_nsitem_to_query,
    add_range_table_entry,
    add_range_table_entry_for_cte,
    add_range_table_entry_for_enr,
    add_range_table_entry_for_function,
    add_range_table_entry_for_join,
    add_range_table_entry_for_relation,
    add_range_table_entry_for_subquery,
    alias_of,
    check_namespace_conflicts,
    is_locked_refname,
    mark_var_for_select_priv,
    parser_open_table,
    scan_namespace_for_cte,
)
from pgemu.parser.raw_location import open_parenthesis_before, raw_location

K = ParseExprKind
_JOIN_TYPES = {
    "JOIN_INNER": "inner",
    "JOIN_LEFT": "left",
    "JOIN_RIGHT": "right",
    "JOIN_FULL": "full",
}
_FLOAT4OID, _FLOAT8OID = 700, 701


def transform_from_clause(pstate: ParseState, frm_list: list[dict[str, Any]]) -> None:
    """Analyze every item of FROM and make it visible."""
    for raw in frm_list:
        node, _nsitem, namespace = transform_from_clause_item(pstate, raw)
        check_namespace_conflicts(pstate.p_namespace, namespace)
        # later items may refer to this one only through LATERAL
        _set_namespace_lateral_state(namespace, True, True)
        pstate.p_joinlist.append(node)
        pstate.p_namespace.extend(namespace)
    _set_namespace_lateral_state(pstate.p_namespace, False, True)


def set_target_table(
    pstate: ParseState,
    relation: dict[str, Any],
    inh: bool,
    also_source: bool,
    required_perms: set[str],
) -> int:
    """Open the target of INSERT, UPDATE, DELETE or MERGE; its range table index."""
    if (
        pstate.p_query_env
        and not relation.get("schemaname")
        and relation["relname"] in pstate.p_query_env
    ):
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            f'relation "{relation["relname"]}" cannot be the target of a modifying statement',
        )
    pstate.p_target_relation = parser_open_table(pstate, relation)
    nsitem = add_range_table_entry_for_relation(
        pstate, pstate.p_target_relation, alias_of(relation.get("alias")), inh, False
    )
    nsitem.p_rte.required_perms = set(required_perms)
    pstate.p_target_nsitem = nsitem
    if also_source:
        add_nsitem_to_query(pstate, nsitem, True, True, True)
    return nsitem.p_rtindex


FromItem = tuple[JoinTreeNode, ParseNamespaceItem, list[ParseNamespaceItem]]


def transform_from_clause_item(pstate: ParseState, raw: dict[str, Any]) -> FromItem:
    """One item of FROM: (join tree node, its name-space item, everything it makes visible)."""
    tag, body = next(iter(raw.items()))
    if tag == "RangeVar":
        nsitem = _special_relation(pstate, body)
        if nsitem is None:
            nsitem = add_range_table_entry(
                pstate, body, alias_of(body.get("alias")), bool(body.get("inh")), True
            )
    elif tag == "JoinExpr":
        return _transform_join_expr(pstate, body)
    elif tag == "RangeSubselect":
        nsitem = _transform_range_subselect(pstate, body)
    elif tag == "RangeFunction":
        nsitem = _transform_range_function(pstate, body)
    elif tag == "RangeTableSample":
        item = transform_from_clause_item(pstate, body["relation"])
        _transform_range_table_sample(pstate, body, item[1])
        return item
    elif tag == "RangeTableFunc":
        from pgemu.parser.parse_tablefunc import transform_range_table_func

        nsitem = transform_range_table_func(pstate, body)
    elif tag == "JsonTable":
        at = body.get("location", 0)
        from pgemu.parser.parser import syntax_error_at

        raise syntax_error_at(pstate.source_text, at)
    else:
        raise PgError("XX000", f"unrecognized node type: {tag}")
    return RangeTblRef(nsitem.p_rtindex), nsitem, [nsitem]


def _special_relation(pstate: ParseState, rangevar: dict[str, Any]) -> ParseNamespaceItem | None:
    """getNSItemForSpecialRelationTypes: a WITH item or a transition table."""
    if rangevar.get("schemaname"):
        return None
    found = scan_namespace_for_cte(pstate, rangevar["relname"])
    if found is not None:
        return add_range_table_entry_for_cte(pstate, found[0], found[1], rangevar, True)
    if pstate.p_query_env and rangevar["relname"] in pstate.p_query_env:
        return add_range_table_entry_for_enr(pstate, rangevar, True)
    return None


def _transform_range_subselect(pstate: ParseState, body: dict[str, Any]) -> ParseNamespaceItem:
    from pgemu.parser.analyze import parse_sub_analyze

    alias = alias_of(body.get("alias"))
    if alias is None:
        values = bool(body["subquery"]["SelectStmt"].get("valuesLists"))
        location = raw_location(body["subquery"])
        if values:
            # from the first value out of its row
            location = open_parenthesis_before(pstate.source_text, location)
        raise PgError(
            SYNTAX_ERROR,
            f"{'VALUES' if values else 'subquery'} in FROM must have an alias",
            hint=f"For example, FROM ({'VALUES' if values else 'SELECT'} ...) [AS] foo.",
            location=open_parenthesis_before(pstate.source_text, location),
        )
    lateral = bool(body.get("lateral"))
    pstate.p_expr_kind = K.EXPR_KIND_FROM_SUBSELECT
    pstate.p_lateral_active = lateral
    query = parse_sub_analyze(
        body["subquery"],
        pstate,
        None,
        is_locked_refname(pstate, alias.aliasname),
        True,
    )
    pstate.p_lateral_active = False
    pstate.p_expr_kind = K.EXPR_KIND_NONE
    return add_range_table_entry_for_subquery(pstate, query, alias, lateral, True)


# ----------------------------------------------------------------------------- functions


def _transform_range_function(pstate: ParseState, body: dict[str, Any]) -> ParseNamespaceItem:
    from pgemu.parser.parse_target import figure_colname

    # functions in FROM see the items before them without LATERAL being written
    pstate.p_lateral_active = True
    funcexprs: list[Expr] = []
    funcnames: list[str] = []
    coldeflists: list[list[dict[str, Any]] | None] = []
    for fexpr, coldeflist in _expand_functions(body):
        last_srf = pstate.p_last_srf
        newfexpr = transform_expr(pstate, fexpr, K.EXPR_KIND_FROM_FUNCTION)
        if pstate.p_last_srf is not last_srf and pstate.p_last_srf is not newfexpr:
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                "set-returning functions must appear at top level of FROM",
                location=expr_location(pstate.p_last_srf),
            )
        funcexprs.append(newfexpr)
        funcnames.append(figure_colname(fexpr))
        if coldeflist and body.get("coldeflist"):
            raise PgError(
                SYNTAX_ERROR,
                "multiple column definition lists are not allowed for the same function",
                location=body["coldeflist"][0]["ColumnDef"].get("location", 0),
            )
        coldeflists.append(coldeflist)
    pstate.p_lateral_active = False
    assign_list_collations(pstate, funcexprs)
    if body.get("coldeflist"):
        _check_outer_coldeflist(body, len(funcexprs))
        coldeflists = [body["coldeflist"]]
    lateral = bool(body.get("lateral")) or contain_vars_of_level(funcexprs, 0)
    return add_range_table_entry_for_function(
        pstate,
        funcnames,
        funcexprs,
        coldeflists,
        body,
        alias_of(body.get("alias")),
        lateral,
        True,
    )


def _expand_functions(
    body: dict[str, Any],
) -> list[tuple[dict[str, Any], list[dict[str, Any]] | None]]:
    """(function expression, column definitions) of each; unnest(a, b) stands for two calls."""
    pairs: list[tuple[dict[str, Any], list[dict[str, Any]] | None]] = []
    for item in body["functions"]:
        parts = item["List"]["items"]
        fexpr = parts[0]
        coldeflist = parts[1]["List"]["items"] if len(parts) > 1 and parts[1] else None
        call = fexpr.get("FuncCall")
        if (
            call is not None
            and len(call["funcname"]) == 1
            and call["funcname"][0]["String"].get("sval") == "unnest"
            and len(call.get("args", ())) > 1
            and not coldeflist
            and not any(
                call.get(f)
                for f in (
                    "agg_order",
                    "agg_filter",
                    "over",
                    "agg_star",
                    "agg_distinct",
                    "func_variadic",
                )
            )
        ):
            for arg in call["args"]:
                single = {
                    "funcname": [
                        {"String": {"sval": "pg_catalog"}},
                        {"String": {"sval": "unnest"}},
                    ],
                    "args": [arg],
                    "funcformat": "COERCE_EXPLICIT_CALL",
                    "location": call.get("location", 0),
                }
                pairs.append(({"FuncCall": single}, None))
            continue
        pairs.append((fexpr, coldeflist))
    return pairs


def _check_outer_coldeflist(body: dict[str, Any], nfuncs: int) -> None:
    at = body["coldeflist"][0]["ColumnDef"].get("location", 0)
    if nfuncs != 1:
        if body.get("is_rowsfrom"):
            raise PgError(
                SYNTAX_ERROR,
                "ROWS FROM() with multiple functions cannot have a column definition list",
                hint="Put a separate column definition list for each function inside ROWS FROM().",
                location=at,
            )
        raise PgError(
            SYNTAX_ERROR,
            "UNNEST() with multiple arguments cannot have a column definition list",
            hint="Use separate UNNEST() calls inside ROWS FROM(), and attach a column definition "
            "list to each one.",
            location=at,
        )
    if body.get("ordinality"):
        raise PgError(
            SYNTAX_ERROR,
            "WITH ORDINALITY cannot be used with a column definition list",
            hint="Put the column definition list inside ROWS FROM().",
            location=at,
        )


def contain_vars_of_level(nodes: Any, levelsup: int) -> bool:
    """Whether a tree refers to columns of the query level levelsup above it."""
    from pgemu.nodes.parsenodes import Query
    from pgemu.nodes.walk import children

    def search(node: Any, level: int) -> bool:
        if isinstance(node, (list, tuple)):
            return any(search(n, level) for n in node)
        if isinstance(node, Var):
            return node.varlevelsup == level
        below = level + 1 if isinstance(node, Query) else level
        return any(search(child, below) for child in children(node))

    return search(nodes, levelsup)


def contain_vars_of_this_level(node: Any) -> bool:
    """contain_var_clause: any Var of the current level, not looking into sub-queries."""
    found = False

    def visit(n: Any) -> bool | None:
        nonlocal found
        if isinstance(n, Var) and n.varlevelsup == 0:
            found = True
        return None

    walk(node, visit)
    return found


def _transform_range_table_sample(
    pstate: ParseState, body: dict[str, Any], nsitem: ParseNamespaceItem
) -> None:
    rte = nsitem.p_rte
    if rte.rtekind != "relation" or rte.relkind not in ("r", "m", "p"):
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "TABLESAMPLE clause can only be applied to tables and materialized views",
            location=raw_location(body["relation"]),
        )
    names = [n["String"].get("sval", "") for n in body["method"]]
    method = names[-1]
    at = body.get("location", 0)
    if method not in ("bernoulli", "system") or names[:-1] not in ([], ["pg_catalog"]):
        raise PgError(
            UNDEFINED_OBJECT, f"tablesample method {'.'.join(names)} does not exist", location=at
        )
    raw_args = body.get("args", [])
    if len(raw_args) != 1:
        raise PgError(
            INVALID_TABLESAMPLE_ARGUMENT,
            f"tablesample method {method} requires 1 argument, not {len(raw_args)}",
            location=at,
        )
    args: list[Expr] = []
    for raw in raw_args:
        arg = transform_expr(pstate, raw, K.EXPR_KIND_FROM_FUNCTION)
        arg = coerce_to_specific_type(pstate, arg, _FLOAT4OID, "TABLESAMPLE")
        assign_expr_collations(pstate, arg)
        args.append(arg)
    repeatable: Expr | None = None
    if body.get("repeatable") is not None:
        repeatable = transform_expr(pstate, body["repeatable"], K.EXPR_KIND_FROM_FUNCTION)
        repeatable = coerce_to_specific_type(pstate, repeatable, _FLOAT8OID, "REPEATABLE")
        assign_expr_collations(pstate, repeatable)
    rte.tablesample = (method, args, repeatable)


# ----------------------------------------------------------------------------- joins


class _JoinColumns:
    """The columns of a join as they are collected: merged ones first, then each side's rest."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.vars: list[Expr] = []
        self.nscolumns: list[ParseNamespaceColumn] = []

    def add_remaining(self, nsitem: ParseNamespaceItem, taken: list[int]) -> None:
        """extractRemainingColumns."""
        names, columns = nsitem.p_names.colnames, nsitem.p_nscolumns
        if not taken and "" not in names:
            self.names += names
            self.vars += [column.p_var for column in columns]
            self.nscolumns += columns
            return
        for index, (name, column) in enumerate(zip(names, columns, strict=True)):
            if name and index not in taken:
                self.names.append(name)
                self.vars.append(column.p_var)
                self.nscolumns.append(column)


def _transform_join_expr(pstate: ParseState, body: dict[str, Any]) -> FromItem:
    from pgemu.parser.parse_clause import transform_where_clause

    jointype = _JOIN_TYPES[body["jointype"]]
    larg, l_nsitem, l_namespace = transform_from_clause_item(pstate, body["larg"])
    # the right side may refer to the left one through LATERAL
    _set_namespace_lateral_state(l_namespace, True, jointype in ("inner", "left"))
    saved = len(pstate.p_namespace)
    pstate.p_namespace.extend(l_namespace)
    rarg, r_nsitem, r_namespace = transform_from_clause_item(pstate, body["rarg"])
    del pstate.p_namespace[saved:]
    check_namespace_conflicts(l_namespace, r_namespace)
    my_namespace = l_namespace + r_namespace
    natural = bool(body.get("isNatural"))
    using = [n["String"].get("sval", "") for n in body.get("usingClause", ())]
    if natural:
        r_names = set(r_nsitem.p_names.colnames)
        using = [n for n in l_nsitem.p_names.colnames if n and n in r_names]
    columns = _JoinColumns()
    quals: Expr | None = None
    l_taken: list[int] = []
    r_taken: list[int] = []
    if using:
        quals = _transform_using(
            pstate, jointype, using, (l_nsitem, l_taken), (r_nsitem, r_taken), columns
        )
    elif body.get("quals") is not None:
        _set_namespace_lateral_state(my_namespace, False, True)
        outer_namespace = pstate.p_namespace
        pstate.p_namespace = my_namespace
        quals = transform_where_clause(pstate, body["quals"], K.EXPR_KIND_JOIN_ON, "JOIN/ON")
        pstate.p_namespace = outer_namespace
    columns.add_remaining(l_nsitem, l_taken)
    columns.add_remaining(r_nsitem, r_taken)
    join = JoinExpr(jointype, larg, rarg, quals, 0, natural, using)
    return _finish_join(pstate, body, join, columns, my_namespace)


def _finish_join(
    pstate: ParseState,
    body: dict[str, Any],
    join: JoinExpr,
    columns: _JoinColumns,
    my_namespace: list[ParseNamespaceItem],
) -> FromItem:
    """Make the join's own entry and say what is visible above it."""
    alias = alias_of(body.get("alias"))
    using_alias = alias_of(body.get("join_using_alias"))
    nmerged = len(join.using_clause)
    nsitem = add_range_table_entry_for_join(
        pstate,
        columns.names,
        columns.nscolumns,
        join.jointype,
        nmerged,
        columns.vars,
        using_alias,
        alias,
        True,
    )
    join.rtindex = nsitem.p_rtindex
    join.alias = nsitem.p_rte.alias
    pstate.p_joinexprs[join.rtindex - 1] = join
    if using_alias is not None:
        using_alias.colnames = list(join.using_clause)
        jnsitem = ParseNamespaceItem(
            using_alias,
            nsitem.p_rte,
            nsitem.p_rtindex,
            columns.nscolumns[:nmerged],
            p_rel_visible=True,
            p_cols_visible=False,
        )
        check_namespace_conflicts([jnsitem], my_namespace)
        my_namespace = [*my_namespace, jnsitem]
    if alias is not None:
        my_namespace = []
    else:
        for item in my_namespace:
            item.p_cols_visible = False
    nsitem.p_rel_visible = alias is not None
    nsitem.p_cols_visible = True
    nsitem.p_lateral_only = False
    nsitem.p_lateral_ok = True
    return join, nsitem, [*my_namespace, nsitem]


def _find_using_column(nsitem: ParseNamespaceItem, name: str, side: str) -> int:
    position = nsitem.p_colindex.get(name, 0)
    if position < 0:
        raise PgError(
            AMBIGUOUS_COLUMN,
            f'common column name "{name}" appears more than once in {side} table',
        )
    if position == 0:
        raise PgError(
            UNDEFINED_COLUMN,
            f'column "{name}" specified in USING clause does not exist in {side} table',
        )
    return position - 1


def _transform_using(
    pstate: ParseState,
    jointype: str,
    using: list[str],
    left: tuple[ParseNamespaceItem, list[int]],
    right: tuple[ParseNamespaceItem, list[int]],
    columns: _JoinColumns,
) -> Expr:
    l_nsitem, l_taken = left
    r_nsitem, r_taken = right
    rtindex = len(pstate.p_rtable) + 1
    pairs: list[tuple[Var, Var]] = []
    for position, name in enumerate(using):
        if name in using[:position]:
            raise PgError(
                DUPLICATE_COLUMN,
                f'column name "{name}" appears more than once in USING clause',
            )
        l_index = _find_using_column(l_nsitem, name, "left")
        r_index = _find_using_column(r_nsitem, name, "right")
        l_taken.append(l_index)
        r_taken.append(r_index)
        l_column, r_column = l_nsitem.p_nscolumns[l_index], r_nsitem.p_nscolumns[r_index]
        l_var, r_var = l_column.p_var, r_column.p_var
        pairs.append((l_var, r_var))
        merged = _build_merged_join_var(pstate, jointype, l_var, r_var)
        columns.names.append(name)
        columns.vars.append(merged)
        if merged is l_var:
            columns.nscolumns.append(l_column)
        elif merged is r_var:
            columns.nscolumns.append(r_column)
        else:
            from pgemu.nodes.nodefuncs import expr_collation

            attno = len(columns.vars)
            columns.nscolumns.append(
                ParseNamespaceColumn(
                    rtindex,
                    attno,
                    expr_type(merged),
                    expr_typmod(merged),
                    expr_collation(merged),
                    rtindex,
                    attno,
                )
            )
    return _transform_join_using_clause(pstate, pairs)


def _transform_join_using_clause(pstate: ParseState, pairs: list[tuple[Var, Var]]) -> Expr:
    conditions: list[Expr] = []
    kind = pstate.p_expr_kind
    pstate.p_expr_kind = K.EXPR_KIND_JOIN_USING
    for l_var, r_var in pairs:
        mark_var_for_select_priv(pstate, l_var)
        mark_var_for_select_priv(pstate, r_var)
        condition = make_op(
            pstate,
            [{"String": {"sval": "="}}],
            replace(l_var),
            replace(r_var),
            pstate.p_last_srf,
            -1,
        )
        conditions.append(coerce_to_boolean(pstate, condition, "JOIN/USING"))
    pstate.p_expr_kind = kind
    return conditions[0] if len(conditions) == 1 else BoolExpr("and", conditions)


def _build_merged_join_var(pstate: ParseState, jointype: str, l_var: Var, r_var: Var) -> Expr:
    out_type, out_typmod = l_var.vartype, l_var.vartypmod
    if out_type != r_var.vartype:
        out_type = select_common_type(pstate, [l_var, r_var], "JOIN/USING")
        out_typmod = -1
    elif out_typmod != r_var.vartypmod:
        out_typmod = select_common_typmod(pstate, [l_var, r_var], out_type)

    def coerced(var: Var) -> Expr:
        if var.vartype != out_type:
            return coerce_type(
                pstate, var, var.vartype, out_type, out_typmod, "implicit", "implicit_cast", -1
            )
        if var.vartypmod != out_typmod:
            return RelabelType(var, out_type, out_typmod)
        return var

    l_node, r_node = coerced(l_var), coerced(r_var)
    result: Expr
    if jointype == "inner":
        result = r_node if not isinstance(l_node, Var) and isinstance(r_node, Var) else l_node
    elif jointype == "left":
        result = l_node
    elif jointype == "right":
        result = r_node
    else:
        result = CoalesceExpr(out_type, [l_node, r_node])
    assign_expr_collations(pstate, result)
    return result


def _set_namespace_lateral_state(
    namespace: list[ParseNamespaceItem], lateral_only: bool, lateral_ok: bool
) -> None:
    for nsitem in namespace:
        nsitem.p_lateral_only = lateral_only
        nsitem.p_lateral_ok = lateral_ok
