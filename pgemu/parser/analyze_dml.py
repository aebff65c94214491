"""INSERT, UPDATE, DELETE and RETURNING (the DML part of PostgreSQL's analyze.c)."""

from __future__ import annotations

from typing import Any

from pgemu.errors import PgError
from pgemu.errors.codes import SYNTAX_ERROR
from pgemu.nodes.nodefuncs import expr_location, expr_type, expr_typmod
from pgemu.nodes.parsenodes import Alias, OnConflictExpr, Query
from pgemu.nodes.primnodes import (
    CoerceToDomain,
    Const,
    Expr,
    FieldStore,
    Param,
    RowExpr,
    SubscriptingRef,
    TargetEntry,
    Var,
)
from pgemu.parser.analyze import (
    finish_query,
    transform_stmt,
    transform_values_lists,
    transform_with_of,
)
from pgemu.parser.parse_clause import (
    contain_vars_of_level,
    set_target_table,
    transform_from_clause,
    transform_on_conflict_arbiter,
    transform_where_clause,
)
from pgemu.parser.parse_collate import assign_list_collations, assign_query_collations
from pgemu.parser.parse_node import ParseExprKind, ParseState, make_parsestate
from pgemu.parser.parse_relation import (
    add_nsitem_to_query,
    add_range_table_entry_for_relation,
    add_range_table_entry_for_subquery,
    add_range_table_entry_for_values,
    expand_nsitem_vars,
)
from pgemu.parser.parse_rte import SYSTEM_COLUMNS, undefined_column
from pgemu.parser.parse_target import (
    check_insert_targets,
    mark_target_list_origins,
    resolve_target_list_unknowns,
    transform_assigned_expr,
    transform_expression_list,
    transform_target_list,
    update_target_list_entry,
)
from pgemu.parser.type_oids import UNKNOWNOID

K = ParseExprKind
RawNode = dict[str, Any]
OVERRIDES = {
    "OVERRIDING_NOT_SET": "",
    "OVERRIDING_USER_VALUE": "user",
    "OVERRIDING_SYSTEM_VALUE": "system",
}


# ----------------------------------------------------------------------------- INSERT


class _InsertTargets:
    """INSERT's column list: raw bodies (name, indirection, location) and attribute numbers."""

    def __init__(self, pstate: ParseState, cols: list[RawNode]) -> None:
        self.pstate = pstate
        self.given = bool(cols)
        self.columns, self.attrnos = check_insert_targets(pstate, cols)

    def row(self, exprs: list[Expr], strip_indirection: bool) -> list[Expr]:
        """transformInsertRow: coerce one source row to the columns."""
        columns = self.columns
        if len(exprs) > len(columns):
            raise PgError(
                SYNTAX_ERROR,
                "INSERT has more expressions than target columns",
                location=expr_location(exprs[len(columns)]),
            )
        if self.given and len(exprs) < len(columns):
            hint = None
            if (
                len(exprs) == 1
                and isinstance(exprs[0], RowExpr)
                and len(exprs[0].args) == len(columns)
            ):
                hint = (
                    "The insertion source is a row expression containing the same number of "
                    "columns expected by the INSERT. Did you accidentally use extra parentheses?"
                )
            raise PgError(
                SYNTAX_ERROR,
                "INSERT has more target columns than expressions",
                hint=hint,
                location=columns[len(exprs)].get("location", 0),
            )
        result: list[Expr] = []
        for expr, col, attrno in zip(exprs, columns, self.attrnos, strict=False):
            expr = transform_assigned_expr(
                self.pstate,
                expr,
                K.EXPR_KIND_INSERT_TARGET,
                col["name"],
                attrno,
                col.get("indirection", []),
                col.get("location", 0),
            )
            result.append(_strip_assignment(expr) if strip_indirection else expr)
        return result


def _strip_assignment(expr: Expr) -> Expr:
    """The value inside the field and element assignments around it."""
    node: Any = expr
    while True:
        if isinstance(node, CoerceToDomain):
            inner = node.arg
            if not isinstance(inner, (FieldStore, SubscriptingRef)):
                return node
            node = inner
        elif isinstance(node, FieldStore):
            node = node.newvals[0]
        elif isinstance(node, SubscriptingRef) and node.refassgnexpr is not None:
            node = node.refassgnexpr
        else:
            return node  # type: ignore[no-any-return]


def transform_insert_stmt(pstate: ParseState, stmt: RawNode) -> Query:
    """INSERT of VALUES, of a SELECT or of DEFAULT VALUES."""
    pstate.p_is_insert = True
    query = Query("insert")
    transform_with_of(pstate, stmt, query)
    query.override = OVERRIDES[stmt.get("override", "OVERRIDING_NOT_SET")]
    conflict = stmt.get("onConflictClause")
    updates = conflict is not None and conflict["action"] == "ONCONFLICT_UPDATE"
    source = stmt.get("selectStmt")
    select = source["SelectStmt"] if source else None
    general = select is not None and (
        not select.get("valuesLists")
        or any(
            select.get(f)
            for f in ("sortClause", "limitOffset", "limitCount", "lockingClause", "withClause")
        )
    )
    sub_rtable, sub_namespace, sub_joinexprs = (
        (pstate.p_rtable, pstate.p_namespace, pstate.p_joinexprs) if general else ([], [], [])
    )
    if general:
        pstate.p_rtable, pstate.p_namespace, pstate.p_joinexprs = [], [], []
    perms = {"INSERT", "UPDATE"} if updates else {"INSERT"}
    query.result_relation = set_target_table(pstate, stmt["relation"], False, False, perms)
    targets = _InsertTargets(pstate, stmt.get("cols", []))
    if select is None:
        exprs: list[Expr] = []
    elif general and source is not None:
        sub_pstate = make_parsestate(pstate)
        sub_pstate.p_rtable, sub_pstate.p_namespace = sub_rtable, sub_namespace
        sub_pstate.p_joinexprs = sub_joinexprs
        sub_pstate.p_resolve_unknowns = False
        exprs = _insert_from_select(pstate, transform_stmt(sub_pstate, source), targets)
    elif len(select["valuesLists"]) > 1:
        exprs = _insert_from_values(pstate, select["valuesLists"], targets)
    else:
        items = select["valuesLists"][0]["List"]["items"]
        row = transform_expression_list(pstate, items, K.EXPR_KIND_VALUES_SINGLE, True)
        exprs = targets.row(row, False)
    rte = pstate.p_rtable[query.result_relation - 1]
    for expr, col, attrno in zip(exprs, targets.columns, targets.attrnos, strict=False):
        query.target_list.append(TargetEntry(expr, attrno, col["name"]))
        rte.inserted_cols.add(attrno)
    if conflict is not None or stmt.get("returningList"):
        assert pstate.p_target_nsitem is not None
        pstate.p_namespace = []
        add_nsitem_to_query(pstate, pstate.p_target_nsitem, False, True, True)
    if conflict is not None:
        query.on_conflict = transform_on_conflict_clause(pstate, conflict)
    if stmt.get("returningList"):
        query.returning_list = transform_returning_list(pstate, stmt["returningList"])
    finish_query(pstate, query, None)
    assign_query_collations(pstate, query)
    return query


def _insert_from_select(pstate: ParseState, select: Query, targets: _InsertTargets) -> list[Expr]:
    if select.command_type != "select":
        raise PgError("XX000", "unexpected non-SELECT command in INSERT ... SELECT")
    nsitem = add_range_table_entry_for_subquery(pstate, select, Alias("*SELECT*"), False, False)
    add_nsitem_to_query(pstate, nsitem, True, False, False)
    exprs: list[Expr] = []
    for target in select.target_list:
        if target.resjunk:
            continue
        expr = target.expr
        if isinstance(expr, (Const, Param)) and expr_type(expr) == UNKNOWNOID:
            exprs.append(expr)
            continue
        from pgemu.nodes.nodefuncs import expr_collation

        exprs.append(
            Var(
                nsitem.p_rtindex,
                target.resno,
                expr_type(expr),
                expr_typmod(expr),
                expr_collation(expr),
                0,
                expr_location(expr),
            )
        )
    return targets.row(exprs, False)


def _insert_from_values(
    pstate: ParseState, lists: list[RawNode], targets: _InsertTargets
) -> list[Expr]:
    rows: list[list[Expr]] = []
    for row in transform_values_lists(pstate, lists, True):
        prepared = targets.row(row, True)
        assign_list_collations(pstate, prepared)
        rows.append(prepared)
    types = [expr_type(e) for e in rows[0]]
    typmods = [expr_typmod(e) for e in rows[0]]
    # only in a rule are there tables besides the target: OLD and NEW
    lateral = len(pstate.p_rtable) > 1 and contain_vars_of_level(rows, 0)
    nsitem = add_range_table_entry_for_values(
        pstate, rows, types, typmods, [0] * len(types), None, lateral, True
    )
    add_nsitem_to_query(pstate, nsitem, True, False, False)
    _names, variables = expand_nsitem_vars(pstate, nsitem, 0, -1)
    return targets.row(list(variables), False)


def transform_on_conflict_clause(pstate: ParseState, clause: RawNode) -> OnConflictExpr:
    """ON CONFLICT; the namespace holds the target table only."""
    updates = clause["action"] == "ONCONFLICT_UPDATE"
    result = OnConflictExpr("update" if updates else "nothing")
    rel = pstate.p_target_relation
    assert rel is not None
    excluded = None
    if updates:
        pstate.p_is_insert = False
        excluded = add_range_table_entry_for_relation(pstate, rel, Alias("excluded"), False, False)
        # not a real table: it has no system columns and needs no privileges
        excluded.p_rte.relkind = "c"
        excluded.p_rte.required_perms = set()
        result.excl_rel_index = excluded.p_rtindex
    transform_on_conflict_arbiter(pstate, clause, result)
    if excluded is not None:
        add_nsitem_to_query(pstate, excluded, False, True, True)
        result.on_conflict_set = transform_update_target_list(pstate, clause.get("targetList", []))
        result.on_conflict_where = transform_where_clause(
            pstate, clause.get("whereClause"), K.EXPR_KIND_WHERE, "WHERE"
        )
        excluded.p_rte.required_perms = set()
        pstate.p_namespace.pop()
    return result


# ----------------------------------------------------------------------------- UPDATE, DELETE


def transform_update_stmt(pstate: ParseState, stmt: RawNode) -> Query:
    """UPDATE ... SET ... FROM ... WHERE."""
    query = Query("update")
    pstate.p_is_insert = False
    transform_with_of(pstate, stmt, query)
    relation = stmt["relation"]
    query.result_relation = set_target_table(
        pstate, relation, bool(relation.get("inh")), True, {"UPDATE"}
    )
    qual = _transform_source(pstate, stmt, "fromClause")
    if stmt.get("returningList"):
        query.returning_list = transform_returning_list(pstate, stmt["returningList"])
    query.target_list = transform_update_target_list(pstate, stmt["targetList"])
    finish_query(pstate, query, qual)
    assign_query_collations(pstate, query)
    return query


def _transform_source(pstate: ParseState, stmt: RawNode, clause: str) -> Expr | None:
    """FROM or USING, in which the target may not be referenced, and then WHERE."""
    nsitem = pstate.p_target_nsitem
    assert nsitem is not None
    nsitem.p_lateral_only = True
    nsitem.p_lateral_ok = False
    transform_from_clause(pstate, stmt.get(clause, []))
    nsitem.p_lateral_only = False
    nsitem.p_lateral_ok = True
    return transform_where_clause(pstate, stmt.get("whereClause"), K.EXPR_KIND_WHERE, "WHERE")


def transform_update_target_list(
    pstate: ParseState, orig_tlist: list[RawNode]
) -> list[TargetEntry]:
    """The SET list (of UPDATE, ON CONFLICT DO UPDATE and MERGE)."""
    rel = pstate.p_target_relation
    nsitem = pstate.p_target_nsitem
    assert rel is not None and nsitem is not None
    tlist = transform_target_list(pstate, orig_tlist, K.EXPR_KIND_UPDATE_SOURCE)
    pstate.p_next_resno = max(pstate.p_next_resno, len(rel.attrs) + 1)
    index = 0
    for entry in tlist:
        if entry.resjunk:
            # a sub-select behind several columns: kept beyond the table's own columns
            entry.resno = pstate.p_next_resno
            pstate.p_next_resno += 1
            entry.resname = None
            continue
        target = orig_tlist[index]["ResTarget"]
        index += 1
        name, location = target["name"], target.get("location", 0)
        att = rel.attrs_by_name.get(name)
        if att is not None:
            attrno = att.attnum
        elif name in SYSTEM_COLUMNS:
            attrno = SYSTEM_COLUMNS[name][0]
        else:
            raise undefined_column(rel.name, name, location)
        update_target_list_entry(
            pstate, entry, name, attrno, target.get("indirection", []), location
        )
        nsitem.p_rte.updated_cols.add(attrno)
    return tlist


def transform_returning_list(pstate: ParseState, raw: list[RawNode]) -> list[TargetEntry]:
    """RETURNING."""
    saved = pstate.p_next_resno
    pstate.p_next_resno = 1
    rlist = transform_target_list(pstate, raw, K.EXPR_KIND_RETURNING)
    if not rlist:
        from pgemu.parser.raw_location import raw_location

        raise PgError(
            SYNTAX_ERROR,
            "RETURNING must have at least one column",
            location=raw_location(raw),
        )
    mark_target_list_origins(pstate, rlist)
    if pstate.p_resolve_unknowns:
        resolve_target_list_unknowns(pstate, rlist)
    pstate.p_next_resno = saved
    return rlist


def transform_delete_stmt(pstate: ParseState, stmt: RawNode) -> Query:
    """DELETE ... USING ... WHERE."""
    query = Query("delete")
    transform_with_of(pstate, stmt, query)
    relation = stmt["relation"]
    query.result_relation = set_target_table(
        pstate, relation, bool(relation.get("inh")), True, {"DELETE"}
    )
    qual = _transform_source(pstate, stmt, "usingClause")
    if stmt.get("returningList"):
        query.returning_list = transform_returning_list(pstate, stmt["returningList"])
    finish_query(pstate, query, qual)
    assign_query_collations(pstate, query)
    return query
