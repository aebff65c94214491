"""Target lists (PostgreSQL's parse_target.c): output columns, `*`, column names, assignments."""

from __future__ import annotations

from typing import Any

from pgemu.errors import PgError
from pgemu.errors.codes import (
    DATATYPE_MISMATCH,
    DUPLICATE_COLUMN,
    FEATURE_NOT_SUPPORTED,
    SYNTAX_ERROR,
    UNDEFINED_COLUMN,
)
from pgemu.nodes.nodefuncs import expr_location, expr_type
from pgemu.nodes.parsenodes import RangeTblEntry
from pgemu.nodes.primnodes import (
    CaseTestExpr,
    Const,
    Expr,
    FieldSelect,
    FieldStore,
    SetToDefault,
    TargetEntry,
    Var,
)
from pgemu.parser.figure_colname import figure_colname, figure_index_colname
from pgemu.parser.funcapi import ResultColumn, get_expr_result_type
from pgemu.parser.parse_cache import get_base_type_and_typmod, get_collation_of_type, get_type
from pgemu.parser.parse_coerce import coerce_to_domain, coerce_to_target_type, coerce_type
from pgemu.parser.parse_expr import transform_expr
from pgemu.parser.parse_node import ParseExprKind, ParseNamespaceItem, ParseState
from pgemu.parser.parse_relation import (
    error_missing_rte,
    expand_nsitem_attrs,
    expand_nsitem_vars,
    get_cte_for_rte,
    get_nsitem_by_range_table_posn,
    get_rte_by_range_table_posn,
    mark_var_for_select_priv,
    refname_namespace_item,
)
from pgemu.parser.type_oids import RECORDOID, TEXTOID, UNKNOWNOID

__all__ = [
    "check_insert_targets",
    "expand_record_variable",
    "figure_colname",
    "figure_index_colname",
    "mark_target_list_origins",
    "resolve_target_list_unknowns",
    "transform_assigned_expr",
    "transform_assignment_indirection",
    "transform_expression_list",
    "transform_target_entry",
    "transform_target_list",
    "update_target_list_entry",
]

K = ParseExprKind
RawNode = dict[str, Any]


def transform_target_entry(
    pstate: ParseState,
    node: RawNode | None,
    expr: Expr | None,
    expr_kind: ParseExprKind,
    colname: str | None,
    resjunk: bool,
) -> TargetEntry:
    """One output column from a raw expression (or from `expr`, analyzed already)."""
    if expr is None:
        assert node is not None
        if expr_kind is K.EXPR_KIND_UPDATE_SOURCE and "SetToDefault" in node:
            expr = SetToDefault(0, location=node["SetToDefault"].get("location", 0))
        else:
            expr = transform_expr(pstate, node, expr_kind)
    if colname is None and not resjunk and node is not None:
        colname = figure_colname(node)
    entry = TargetEntry(expr, pstate.p_next_resno, colname, resjunk=resjunk)
    pstate.p_next_resno += 1
    return entry


def transform_target_list(
    pstate: ParseState, targetlist: list[RawNode], expr_kind: ParseExprKind
) -> list[TargetEntry]:
    """The list of SELECT, RETURNING or SET (there `*` is not expanded)."""
    entries: list[TargetEntry] = []
    expand_star = expr_kind is not K.EXPR_KIND_UPDATE_SOURCE
    for item in targetlist:
        res = item["ResTarget"]
        val: RawNode = res["val"]
        if expand_star:
            ref = val.get("ColumnRef")
            if ref is not None:
                if "A_Star" in ref["fields"][-1]:
                    entries.extend(_expand_column_ref_star_targets(pstate, ref))
                    continue
            else:
                ind = val.get("A_Indirection")
                if ind is not None and "A_Star" in ind["indirection"][-1]:
                    entries.extend(_expand_indirection_targets(pstate, ind, expr_kind))
                    continue
        entries.append(transform_target_entry(pstate, val, None, expr_kind, res.get("name"), False))
    if pstate.p_multiassign_exprs:
        entries.extend(pstate.p_multiassign_exprs)
        pstate.p_multiassign_exprs = []
    return entries


def transform_expression_list(
    pstate: ParseState,
    exprlist: list[RawNode],
    expr_kind: ParseExprKind,
    allow_default: bool,
) -> list[Expr]:
    """The elements of ROW(...) or of a VALUES row; `t.*` gives several."""
    result: list[Expr] = []
    for raw in exprlist:
        tag, body = next(iter(raw.items()))
        if tag == "ColumnRef" and "A_Star" in body["fields"][-1]:
            result.extend(_expand_column_ref_star(pstate, body))
            continue
        if tag == "A_Indirection" and "A_Star" in body["indirection"][-1]:
            result.extend(e for _name, e in _expand_indirection_star(pstate, body, expr_kind))
            continue
        if tag == "SetToDefault" and allow_default:
            result.append(SetToDefault(0, location=body.get("location", 0)))
            continue
        result.append(transform_expr(pstate, raw, expr_kind))
    return result


def resolve_target_list_unknowns(pstate: ParseState, targetlist: list[TargetEntry]) -> None:
    """Output columns that are still of type unknown become text."""
    for entry in targetlist:
        if expr_type(entry.expr) == UNKNOWNOID:
            entry.expr = coerce_type(
                pstate, entry.expr, UNKNOWNOID, TEXTOID, -1, "implicit", "implicit_cast", -1
            )


# ----------------------------------------------------------------------------- origins


def mark_target_list_origins(pstate: ParseState, targetlist: list[TargetEntry]) -> None:
    """Note which table column an output column shows (RowDescription tells the client)."""
    for entry in targetlist:
        expr = entry.expr
        if type(expr) is Var:
            _mark_target_list_origin(pstate, entry, expr, 0)


def _mark_target_list_origin(
    pstate: ParseState, entry: TargetEntry, var: Var, levelsup: int
) -> None:
    netlevelsup = var.varlevelsup + levelsup
    rte = get_rte_by_range_table_posn(pstate, var.varno, netlevelsup)
    source: list[TargetEntry] | None = None
    if rte.rtekind == "relation":
        entry.resorigtbl = rte.relid
        entry.resorigcol = var.varattno
    elif rte.rtekind == "subquery" and var.varattno > 0:
        assert rte.subquery is not None
        source = rte.subquery.target_list or rte.subquery.returning_list
    elif rte.rtekind == "cte" and var.varattno > 0 and not rte.self_reference:
        query = get_cte_for_rte(pstate, rte, netlevelsup).ctequery
        source = query.target_list if query.command_type == "select" else query.returning_list
    if source is not None:
        for te in source:
            if te.resno == var.varattno and not te.resjunk:
                entry.resorigtbl, entry.resorigcol = te.resorigtbl, te.resorigcol
                break


# ----------------------------------------------------------------------------- assignments


def transform_assigned_expr(
    pstate: ParseState,
    expr: Expr,
    expr_kind: ParseExprKind,
    colname: str,
    attrno: int,
    indirection: list[RawNode],
    location: int,
) -> Expr:
    """Coerce a source expression to the column it is assigned to (INSERT, UPDATE)."""
    rel = pstate.p_target_relation
    assert rel is not None
    saved_kind = pstate.p_expr_kind
    pstate.p_expr_kind = expr_kind
    if attrno <= 0:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            f'cannot assign to system column "{colname}"',
            location=location,
        )
    att = rel.attrs[attrno - 1]
    attrtype, typmod, collation = att.atttypid, att.atttypmod, att.attcollation
    if isinstance(expr, SetToDefault):
        expr.type_id, expr.type_mod, expr.collation = attrtype, typmod, collation
        if indirection:
            what = "an array element" if "A_Indices" in indirection[0] else "a subfield"
            raise PgError(FEATURE_NOT_SUPPORTED, f"cannot set {what} to DEFAULT", location=location)
    if indirection:
        base: Expr
        if pstate.p_is_insert:
            base = Const(attrtype, None, typmod, collation)
        else:
            assert pstate.p_target_nsitem is not None
            base = Var(
                pstate.p_target_nsitem.p_rtindex, attrno, attrtype, typmod, collation, 0, location
            )
        result: Expr | None = transform_assignment_indirection(
            pstate,
            base,
            colname,
            False,
            (attrtype, typmod, collation),
            indirection,
            0,
            expr,
            "assignment",
            location,
        )
    else:
        type_id = expr_type(expr)
        result = coerce_to_target_type(
            pstate, expr, type_id, attrtype, typmod, "assignment", "implicit_cast", -1
        )
        if result is None:
            raise PgError(
                DATATYPE_MISMATCH,
                f'column "{colname}" is of type {pstate.catalog.type_name(attrtype)} but '
                f"expression is of type {pstate.catalog.type_name(type_id)}",
                hint="You will need to rewrite or cast the expression.",
                location=expr_location(expr),
            )
    pstate.p_expr_kind = saved_kind
    assert result is not None
    return result


def update_target_list_entry(
    pstate: ParseState,
    entry: TargetEntry,
    colname: str,
    attrno: int,
    indirection: list[RawNode],
    location: int,
) -> None:
    """Turn a SET source into the assignment of a column."""
    entry.expr = transform_assigned_expr(
        pstate, entry.expr, K.EXPR_KIND_UPDATE_TARGET, colname, attrno, indirection, location
    )
    entry.resno = attrno
    entry.resname = colname


TypeModColl = tuple[int, int, int]


def transform_assignment_indirection(
    pstate: ParseState,
    basenode: Expr | None,
    target_name: str,
    target_is_subscripting: bool,
    target: TypeModColl,
    indirection: list[RawNode],
    start: int,
    rhs: Expr,
    ccontext: str,
    location: int,
) -> Expr:
    """`col.field[3] = rhs`: nested FieldStore and SubscriptingRef nodes around rhs.  target is
    (type, typmod, collation) of the thing assigned to; indirection counts from `start`."""
    catalog = pstate.catalog
    type_id, typmod, collation = target
    if start < len(indirection) and basenode is None:
        basenode = CaseTestExpr(type_id, typmod, collation)
    subscripts: list[RawNode] = []
    for index in range(start, len(indirection)):
        item = indirection[index]
        if "A_Indices" in item:
            subscripts.append(item)
            continue
        if "A_Star" in item:
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                'row expansion via "*" is not supported here',
                location=location,
            )
        if subscripts:
            assert basenode is not None
            return _transform_assignment_subscripts(
                pstate,
                basenode,
                target_name,
                target,
                subscripts,
                indirection,
                index,
                rhs,
                ccontext,
                location,
            )
        return _transform_field_assignment(
            pstate, basenode, target_name, target, indirection, index, rhs, ccontext, location
        )
    if subscripts:
        assert basenode is not None
        return _transform_assignment_subscripts(
            pstate,
            basenode,
            target_name,
            target,
            subscripts,
            indirection,
            len(indirection),
            rhs,
            ccontext,
            location,
        )
    result = coerce_to_target_type(
        pstate, rhs, expr_type(rhs), type_id, typmod, ccontext, "implicit_cast", -1
    )
    if result is None:
        needed, got = catalog.type_name(type_id), catalog.type_name(expr_type(rhs))
        raise PgError(
            DATATYPE_MISMATCH,
            f'subscripted assignment to "{target_name}" requires type {needed} but expression '
            f"is of type {got}"
            if target_is_subscripting
            else f'subfield "{target_name}" is of type {needed} but expression is of type {got}',
            hint="You will need to rewrite or cast the expression.",
            location=location,
        )
    return result


def _transform_field_assignment(
    pstate: ParseState,
    basenode: Expr | None,
    target_name: str,
    target: TypeModColl,
    indirection: list[RawNode],
    index: int,
    rhs: Expr,
    ccontext: str,
    location: int,
) -> Expr:
    catalog = pstate.catalog
    type_id = target[0]
    name = indirection[index]["String"].get("sval", "")
    base_type, base_typmod = get_base_type_and_typmod(catalog, type_id, target[1])
    typrelid = get_type(catalog, base_type).typrelid
    if not typrelid:
        raise PgError(
            DATATYPE_MISMATCH,
            f'cannot assign to field "{name}" of column "{target_name}" because its type '
            f"{catalog.type_name(type_id)} is not a composite type",
            location=location,
        )
    att = catalog.relation(typrelid).attrs_by_name.get(name)
    if att is None:
        raise PgError(
            UNDEFINED_COLUMN,
            f'cannot assign to field "{name}" of column "{target_name}" because there is no such '
            f"column in data type {catalog.type_name(type_id)}",
            location=location,
        )
    rhs = transform_assignment_indirection(
        pstate,
        None,
        name,
        False,
        (att.atttypid, att.atttypmod, att.attcollation),
        indirection,
        index + 1,
        rhs,
        ccontext,
        location,
    )
    store = FieldStore(basenode, [rhs], [att.attnum], base_type)
    if base_type != type_id:
        return coerce_to_domain(
            pstate,
            store,
            base_type,
            base_typmod,
            type_id,
            "implicit",
            "implicit_cast",
            location,
            False,
        )
    return store


def _transform_assignment_subscripts(
    pstate: ParseState,
    basenode: Expr,
    target_name: str,
    target: TypeModColl,
    subscripts: list[RawNode],
    indirection: list[RawNode],
    next_index: int,
    rhs: Expr,
    ccontext: str,
    location: int,
) -> Expr:
    from pgemu.parser.parse_subscript import (
        transform_container_subscripts,
        transform_container_type,
    )

    catalog = pstate.catalog
    type_id, typmod, collation = target
    container, container_typmod = transform_container_type(catalog, type_id, typmod)
    ref = transform_container_subscripts(
        pstate, basenode, container, container_typmod, subscripts, True
    )
    needed_collation = (
        collation if container == type_id else get_collation_of_type(catalog, container)
    )
    ref.refassgnexpr = transform_assignment_indirection(
        pstate,
        None,
        target_name,
        True,
        (ref.refrestype, ref.reftypmod, needed_collation),
        indirection,
        next_index,
        rhs,
        ccontext,
        location,
    )
    ref.refrestype, ref.reftypmod = container, container_typmod
    result: Expr | None = ref
    if container != type_id:
        result = coerce_to_target_type(
            pstate, ref, container, type_id, typmod, "assignment", "implicit_cast", -1
        )
        if result is None:
            raise PgError(
                DATATYPE_MISMATCH,
                f"cannot cast type {catalog.type_name(container)} to {catalog.type_name(type_id)}",
                location=location,
            )
    assert result is not None
    return result


def check_insert_targets(
    pstate: ParseState, cols: list[RawNode]
) -> tuple[list[RawNode], list[int]]:
    """The ResTarget bodies and attribute numbers of INSERT's column list (without one: all)."""
    rel = pstate.p_target_relation
    assert rel is not None
    if not cols:
        atts = rel.columns
        return [{"name": a.attname, "location": -1} for a in atts], [a.attnum for a in atts]
    bodies: list[RawNode] = []
    attrnos: list[int] = []
    whole: set[int] = set()
    partial: set[int] = set()
    by_name = rel.attrs_by_name
    for col in cols:
        body = col["ResTarget"]
        name, location = body["name"], body.get("location", 0)
        att = by_name.get(name)
        if att is None:
            from pgemu.parser.parse_rte import undefined_column

            raise undefined_column(rel.name, name, location)
        if body.get("indirection"):
            duplicate = att.attnum in whole
            partial.add(att.attnum)
        else:
            duplicate = att.attnum in whole or att.attnum in partial
            whole.add(att.attnum)
        if duplicate:
            raise PgError(
                DUPLICATE_COLUMN,
                f'column "{name}" specified more than once',
                location=location,
            )
        bodies.append(body)
        attrnos.append(att.attnum)
    return bodies, attrnos


# ----------------------------------------------------------------------------- stars


def _find_star_item(pstate: ParseState, ref: RawNode) -> tuple[ParseNamespaceItem, int] | Expr:
    """The FROM item of `a.*`, `s.a.*`, or what a hook makes of it."""
    location = ref.get("location", 0)
    names = [f["String"].get("sval", "") for f in ref["fields"][:-1]]
    if pstate.p_pre_columnref_hook is not None:
        node = pstate.p_pre_columnref_hook(pstate, ref)
        if node is not None:
            return node
    found: tuple[ParseNamespaceItem, int] | None = None
    schema: str | None = None
    error = ""
    if len(names) == 1:
        found = refname_namespace_item(pstate, None, names[0], location)
    elif len(names) == 2:
        schema = names[0]
        found = refname_namespace_item(pstate, schema, names[1], location)
    elif len(names) == 3:
        if names[0] != pstate.catalog.ctx.database:
            error = f"cross-database references are not implemented: {'.'.join(names)}.*"
        else:
            schema = names[1]
            found = refname_namespace_item(pstate, schema, names[2], location)
    else:
        error = f"improper qualified name (too many dotted names): {'.'.join(names)}.*"
    if pstate.p_post_columnref_hook is not None:
        node = pstate.p_post_columnref_hook(
            pstate, ref, None if found is None else Var(found[0].p_rtindex, 0, 0)
        )
        if node is not None:
            if found is not None:
                raise PgError(
                    "42702",
                    f'column reference "{".".join(names)}.*" is ambiguous',
                    location=location,
                )
            return node
    if error:
        code = FEATURE_NOT_SUPPORTED if error.startswith("cross") else SYNTAX_ERROR
        raise PgError(code, error, location=location)
    if found is None:
        relation = {"relname": names[-1], "location": location}
        if schema is not None:
            relation["schemaname"] = schema
        error_missing_rte(pstate, relation)
    return found


def _expand_column_ref_star_targets(pstate: ParseState, ref: RawNode) -> list[TargetEntry]:
    location = ref.get("location", 0)
    if len(ref["fields"]) > 1:
        found = _find_star_item(pstate, ref)
        if isinstance(found, tuple):
            return expand_nsitem_attrs(pstate, found[0], found[1], True, location)
        return _row_targets(pstate, expand_row_reference(pstate, found))
    entries: list[TargetEntry] = []
    found_table = False
    for nsitem in pstate.p_namespace:
        if nsitem.p_cols_visible:
            found_table = True
            entries.extend(expand_nsitem_attrs(pstate, nsitem, 0, True, location))
    if not found_table:
        raise PgError(
            SYNTAX_ERROR, "SELECT * with no tables specified is not valid", location=location
        )
    return entries


def _expand_column_ref_star(pstate: ParseState, ref: RawNode) -> list[Expr]:
    location = ref.get("location", 0)
    if len(ref["fields"]) == 1:
        return [e.expr for e in _expand_column_ref_star_targets(pstate, ref)]
    found = _find_star_item(pstate, ref)
    if not isinstance(found, tuple):
        return [e for _name, e in expand_row_reference(pstate, found)]
    nsitem, levels_up = found
    _names, variables = expand_nsitem_vars(pstate, nsitem, levels_up, location)
    for var in variables:
        mark_var_for_select_priv(pstate, var)
    return list(variables)


def _expand_indirection_targets(
    pstate: ParseState, ind: RawNode, expr_kind: ParseExprKind
) -> list[TargetEntry]:
    return _row_targets(pstate, _expand_indirection_star(pstate, ind, expr_kind))


def _row_targets(pstate: ParseState, fields: list[tuple[str, Expr]]) -> list[TargetEntry]:
    entries = []
    for name, expr in fields:
        entries.append(TargetEntry(expr, pstate.p_next_resno, name))
        pstate.p_next_resno += 1
    return entries


def _expand_indirection_star(
    pstate: ParseState, ind: RawNode, expr_kind: ParseExprKind
) -> list[tuple[str, Expr]]:
    rest = ind["indirection"][:-1]
    inner = {"A_Indirection": {**ind, "indirection": rest}} if rest else ind["arg"]
    return expand_row_reference(pstate, transform_expr(pstate, inner, expr_kind))


def expand_row_reference(pstate: ParseState, expr: Expr) -> list[tuple[str, Expr]]:
    """(name, expression) of every field of a composite expression."""
    if isinstance(expr, Var) and expr.varattno == 0:
        nsitem = get_nsitem_by_range_table_posn(pstate, expr.varno, expr.varlevelsup)
        names, variables = expand_nsitem_vars(pstate, nsitem, expr.varlevelsup, expr.location)
        for var in variables:
            mark_var_for_select_priv(pstate, var)
        return list(zip(names, variables, strict=True))
    columns: list[ResultColumn] | None
    if isinstance(expr, Var) and expr.vartype == RECORDOID:
        columns = expand_record_variable(pstate, expr, 0)
    else:
        columns = get_expr_result_type(pstate.catalog, expr).columns
    if columns is None:
        type_id = expr_type(expr)
        if type_id == RECORDOID:
            raise PgError("42809", "record type has not been registered")
        raise PgError("42809", f"type {pstate.catalog.type_name(type_id)} is not composite")
    return [
        (c.name, FieldSelect(expr, n, c.type_oid, c.typmod, c.collation))
        for n, c in enumerate(columns, 1)
        if c.type_oid
    ]


def expand_record_variable(pstate: ParseState, var: Var, levelsup: int) -> list[ResultColumn]:
    """The columns of a Var of type RECORD, found by looking at where it comes from."""
    netlevelsup = var.varlevelsup + levelsup
    rte = get_rte_by_range_table_posn(pstate, var.varno, netlevelsup)
    if var.varattno == 0:
        from pgemu.parser.parse_rte import rte_column_types

        return [
            ResultColumn(name, *types)
            for name, types in zip(rte.eref.colnames, rte_column_types(pstate, rte), strict=True)
        ]
    expr = _record_source(pstate, rte, var, netlevelsup)
    if isinstance(expr, tuple):
        return expand_record_variable(expr[0], expr[1], expr[2])
    columns = get_expr_result_type(pstate.catalog, expr).columns if expr is not None else None
    if columns is None:
        raise PgError("42809", "record type has not been registered")
    return columns


def _record_source(
    pstate: ParseState, rte: RangeTblEntry, var: Var, netlevelsup: int
) -> Expr | tuple[ParseState, Var, int] | None:
    """The expression behind a column; for a Var the state and level to look it up in."""
    from pgemu.parser.parse_node import make_parsestate

    if rte.rtekind == "join":
        expr = rte.joinaliasvars[var.varattno - 1]
        return (pstate, expr, netlevelsup) if isinstance(expr, Var) else expr
    query = None
    level = netlevelsup
    if rte.rtekind == "subquery":
        query = rte.subquery
    elif rte.rtekind == "cte" and not rte.self_reference:
        query = get_cte_for_rte(pstate, rte, netlevelsup).ctequery
        level += rte.ctelevelsup
    elif rte.rtekind == "values":
        return rte.values_lists[0][var.varattno - 1]
    if query is None:
        return None
    targets = query.target_list if query.command_type == "select" else query.returning_list
    expr = next(te.expr for te in targets if te.resno == var.varattno)
    if not isinstance(expr, Var):
        return expr
    # a state whose range table is the sub-query's, below the level the sub-query stands in
    parent = pstate
    for _ in range(level):
        assert parent.parent_pstate is not None
        parent = parent.parent_pstate
    below = make_parsestate(parent)
    below.p_rtable = query.rtable
    below.p_ctenamespace = query.cte_list
    return below, expr, 0
