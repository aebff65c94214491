"""Column references, parameters, field selection and subscripts in expressions
(transformColumnRef, transformIndirection ... of PostgreSQL's parse_expr.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from pgemu.errors import (
    AMBIGUOUS_COLUMN,
    FEATURE_NOT_SUPPORTED,
    SYNTAX_ERROR,
    UNDEFINED_COLUMN,
    UNDEFINED_PARAMETER,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.nodes.nodefuncs import expr_collation, expr_location, expr_type, expr_typmod
from pgemu.nodes.primnodes import Expr, RowExpr, Var
from pgemu.parser.parse_cache import is_complex, is_rowtype
from pgemu.parser.parse_node import ParseExprKind
from pgemu.parser.parse_relation import (
    col_name_to_var,
    error_missing_column,
    error_missing_rte,
    refname_namespace_item,
    scan_nsitem_for_column,
)
from pgemu.parser.type_oids import RECORDOID

if TYPE_CHECKING:
    from pgemu.parser.parse_node import ParseNamespaceItem, ParseState

RawNode = dict[str, Any]

_NO_COLUMNS = {
    ParseExprKind.EXPR_KIND_COLUMN_DEFAULT: "cannot use column reference in DEFAULT expression",
    ParseExprKind.EXPR_KIND_PARTITION_BOUND: (
        "cannot use column reference in partition bound expression"
    ),
}


def transform_column_ref(pstate: ParseState, body: RawNode) -> Expr:
    """A possibly qualified name: a column, a whole row, or a function on a row."""
    location = body.get("location", 0)
    forbidden = _NO_COLUMNS.get(pstate.p_expr_kind)
    if forbidden is not None:
        raise PgError(FEATURE_NOT_SUPPORTED, forbidden, location=location)
    if pstate.p_pre_columnref_hook is not None:
        hooked = pstate.p_pre_columnref_hook(pstate, body)
        if hooked is not None:
            return hooked
    fields = body["fields"]
    missing: tuple[str, str | None, str | None, str | None] | None = None
    if len(fields) == 1 and "String" in fields[0]:
        colname = fields[0]["String"].get("sval", "")
        node: Expr | None = col_name_to_var(pstate, colname, False, location)
        if node is None:
            found = refname_namespace_item(pstate, None, colname, location)
            if found is not None:
                node = transform_whole_row_ref(pstate, found[0], found[1], location)
            else:
                missing = ("column", None, None, colname)
    else:
        node, missing = _qualified(pstate, fields, location)
    if pstate.p_post_columnref_hook is not None:
        hooked = pstate.p_post_columnref_hook(pstate, body, node)
        if node is None:
            node = hooked
        elif hooked is not None:
            raise PgError(
                AMBIGUOUS_COLUMN,
                f'column reference "{_name_list(fields)}" is ambiguous',
                location=location,
            )
    if node is None:
        assert missing is not None
        _report_missing(pstate, fields, missing, location)
    return node


def _name_list(fields: list[RawNode]) -> str:
    return ".".join(f["String"].get("sval", "") if "String" in f else "*" for f in fields)


def _qualified(
    pstate: ParseState, fields: list[RawNode], location: int
) -> tuple[Expr | None, tuple[str, str | None, str | None, str | None] | None]:
    """rel.col, schema.rel.col or database.schema.rel.col (col may be *)."""
    names = [f["String"].get("sval", "") if "String" in f else None for f in fields]
    if len(names) > 4:
        return None, ("too_many", None, None, None)
    schema: str | None = None
    if len(names) == 4:
        if names[0] != pstate.catalog.ctx.database:
            return None, ("wrong_db", None, None, None)
        names = names[1:]
    if len(names) == 3:
        schema = names[0]
        names = names[1:]
    relname, colname = names[0] or "", names[1]
    found = refname_namespace_item(pstate, schema, relname, location)
    if found is None:
        return None, ("rte", schema, relname, colname)
    nsitem, levels_up = found
    if colname is None:
        return transform_whole_row_ref(pstate, nsitem, levels_up, location), None
    node: Expr | None = scan_nsitem_for_column(pstate, nsitem, levels_up, colname, location)
    if node is None:
        from pgemu.parser.parse_func import parse_func_or_column

        row = transform_whole_row_ref(pstate, nsitem, levels_up, location)
        node = parse_func_or_column(
            pstate, [colname], [row], pstate.p_last_srf, None, False, location
        )
    return node, ("column", schema, relname, colname) if node is None else None


def _report_missing(
    pstate: ParseState,
    fields: list[RawNode],
    missing: tuple[str, str | None, str | None, str | None],
    location: int,
) -> NoReturn:
    what, schema, relname, colname = missing
    if what == "column":
        error_missing_column(pstate, relname, colname or "", location)
    if what == "rte":
        relation: RawNode = {"relname": relname, "location": location}
        if schema is not None:
            relation["schemaname"] = schema
        error_missing_rte(pstate, relation)
    if what == "wrong_db":
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            f"cross-database references are not implemented: {_name_list(fields)}",
            location=location,
        )
    raise PgError(
        SYNTAX_ERROR,
        f"improper qualified name (too many dotted names): {_name_list(fields)}",
        location=location,
    )


def transform_param_ref(pstate: ParseState, body: RawNode) -> Expr:
    """`$n`, through the hook of parse_param.py."""
    if pstate.p_paramref_hook is not None:
        found = pstate.p_paramref_hook(pstate, body)
        if found is not None:
            return found
    raise PgError(
        UNDEFINED_PARAMETER,
        f"there is no parameter ${body.get('number', 0)}",
        location=body.get("location", 0),
    )


def transform_whole_row_ref(
    pstate: ParseState, nsitem: ParseNamespaceItem, sublevels_up: int, location: int
) -> Expr:
    """A whole-row Var; for the alias of JOIN USING a RowExpr of the merged columns."""
    from pgemu.parser.parse_rte import expand_nsitem_vars, mark_var_for_select_priv

    rte = nsitem.p_rte
    if nsitem.p_names is not rte.eref and nsitem.p_names != rte.eref:
        names, variables = expand_nsitem_vars(pstate, nsitem, sublevels_up, location)
        return RowExpr(list(variables), RECORDOID, "implicit_cast", list(names), location)
    var = _make_whole_row_var(pstate, nsitem, sublevels_up, location)
    mark_var_for_select_priv(pstate, var)
    return var


def _make_whole_row_var(
    pstate: ParseState, nsitem: ParseNamespaceItem, sublevels_up: int, location: int
) -> Var:
    """makeWholeRowVar (allowScalar)."""
    rte = nsitem.p_rte
    rtindex = nsitem.p_rtindex
    type_oid = RECORDOID
    if rte.rtekind == "relation":
        from pgemu.catalog.rows import PgClass

        row = pstate.catalog.one(PgClass, oid=rte.relid)
        type_oid = row.reltype if row is not None else 0
        if not type_oid:
            raise PgError(
                WRONG_OBJECT_TYPE,
                f'relation "{row.relname if row else rte.relid}" does not have a composite type',
            )
    elif rte.rtekind == "function" and not rte.funcordinality and len(rte.functions) == 1:
        fexpr = rte.functions[0].funcexpr
        function_type = expr_type(fexpr)
        if not is_rowtype(pstate.catalog, function_type):
            return Var(rtindex, 1, function_type, -1, expr_collation(fexpr), sublevels_up, location)
        type_oid = function_type
    return Var(rtindex, 0, type_oid, -1, 0, sublevels_up, location)


def transform_indirection(pstate: ParseState, body: RawNode) -> Expr:
    """expr.field and expr[subscripts], in any mixture."""
    from pgemu.parser.parse_expr import transform_expr_recurse
    from pgemu.parser.parse_func import parse_func_or_column
    from pgemu.parser.parse_subscript import transform_container_subscripts

    last_srf = pstate.p_last_srf
    result: Expr = transform_expr_recurse(pstate, body["arg"])
    location = expr_location(result)
    subscripts: list[RawNode] = []
    for item in body["indirection"]:
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
            result = transform_container_subscripts(
                pstate, result, expr_type(result), expr_typmod(result), subscripts, False
            )
            subscripts = []
        name = item["String"].get("sval", "")
        selected = parse_func_or_column(pstate, [name], [result], last_srf, None, False, location)
        if selected is None:
            _unknown_attribute(pstate, result, name, location)
        result = selected
    if subscripts:
        result = transform_container_subscripts(
            pstate, result, expr_type(result), expr_typmod(result), subscripts, False
        )
    return result


def _unknown_attribute(pstate: ParseState, relref: Expr, attname: str, location: int) -> NoReturn:
    if isinstance(relref, Var) and relref.varattno == 0:
        from pgemu.parser.parse_rte import get_rte_by_range_table_posn

        rte = get_rte_by_range_table_posn(pstate, relref.varno, relref.varlevelsup)
        raise PgError(
            UNDEFINED_COLUMN,
            f"column {rte.eref.aliasname}.{attname} does not exist",
            location=location,
        )
    type_oid = expr_type(relref)
    catalog = pstate.catalog
    if is_complex(catalog, type_oid):
        raise PgError(
            UNDEFINED_COLUMN,
            f'column "{attname}" not found in data type {catalog.type_name(type_oid)}',
            location=location,
        )
    if type_oid == RECORDOID:
        raise PgError(
            UNDEFINED_COLUMN,
            f'could not identify column "{attname}" in record data type',
            location=location,
        )
    raise PgError(
        WRONG_OBJECT_TYPE,
        f"column notation .{attname} applied to type {catalog.type_name(type_oid)},"
        " which is not a composite type",
        location=location,
    )
