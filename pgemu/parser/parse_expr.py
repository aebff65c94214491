"""Raw expressions to typed ones (PostgreSQL's parse_expr.c).

`transform_expr` looks the raw node's tag up in one table.  Column references and indirection are
in parse_expr_column.py, operators and row comparisons in parse_expr_op.py, sub-selects in
parse_expr_sublink.py, XML and the value functions of SQL in parse_expr_sql.py.

An already analyzed Expr may stand wherever a raw node is expected: it passes unchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pgemu.errors import (
    CANNOT_COERCE,
    DATATYPE_MISMATCH,
    FEATURE_NOT_SUPPORTED,
    INDETERMINATE_DATATYPE,
    SYNTAX_ERROR,
    TOO_MANY_COLUMNS,
    UNDEFINED_OBJECT,
    PgError,
)
from pgemu.nodes.nodefuncs import expr_collation, expr_location, expr_type, expr_typmod
from pgemu.nodes.primnodes import (
    ArrayExpr,
    BooleanTest,
    BoolExpr,
    CaseExpr,
    CaseTestExpr,
    CaseWhen,
    CoalesceExpr,
    CollateExpr,
    Const,
    CurrentOfExpr,
    Expr,
    MinMaxExpr,
    NamedArgExpr,
    NullTest,
    Param,
    RowExpr,
)
from pgemu.parser.parse_cache import (
    get_array_type,
    get_base_type_and_typmod,
    get_element_type,
    get_type,
    is_rowtype,
)
from pgemu.parser.parse_coerce import (
    COERCE_EXPLICIT_CAST,
    COERCION_EXPLICIT,
    coerce_to_boolean,
    coerce_to_common_type,
    coerce_to_target_type,
    parser_coercion_errposition,
    select_common_type,
)
from pgemu.parser.parse_expr_column import (
    transform_column_ref,
    transform_indirection,
    transform_param_ref,
    transform_whole_row_ref,
)
from pgemu.parser.parse_expr_op import (
    make_row_comparison_op,
    transform_a_expr,
    transform_a_expr_op,
)
from pgemu.parser.parse_expr_sql import (
    transform_sql_value_function,
    transform_xml_expr,
    transform_xml_serialize,
)
from pgemu.parser.parse_expr_sublink import transform_multi_assign_ref, transform_sub_link
from pgemu.parser.parse_func import parse_func_or_column
from pgemu.parser.parse_node import ParseExprKind
from pgemu.parser.parse_srf import parse_expr_kind_name
from pgemu.parser.parse_type import lookup_collation, typename_type_id_and_mod
from pgemu.parser.type_oids import (
    BITOID,
    BOOLOID,
    INT4OID,
    INT8OID,
    NUMERICOID,
    RECORDOID,
    REFCURSOROID,
    TEXTOID,
    UNKNOWNOID,
)

if TYPE_CHECKING:
    from pgemu.parser.parse_node import ParseState

__all__ = [
    "make_const",
    "make_row_comparison_op",
    "parse_expr_kind_name",
    "transform_expr",
    "transform_expr_recurse",
    "transform_whole_row_ref",
]

RawNode = dict[str, Any]

MAX_TARGET_LIST_ENTRIES = 1664


def transform_expr(
    pstate: ParseState, expr: RawNode | Expr | None, expr_kind: ParseExprKind
) -> Any:
    """The analyzed form of a raw expression of the given kind; None for None."""
    saved = pstate.p_expr_kind
    pstate.p_expr_kind = expr_kind
    result = transform_expr_recurse(pstate, expr)
    pstate.p_expr_kind = saved
    return result


def transform_expr_recurse(pstate: ParseState, expr: RawNode | Expr | None) -> Any:
    """The same in the current expression kind."""
    if not isinstance(expr, dict):
        return expr
    for tag, body in expr.items():
        transform = _TRANSFORM.get(tag)
        if transform is None:
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                f"expression of type {tag} is not supported",
                location=body.get("location") if isinstance(body, dict) else None,
            )
        return transform(pstate, body)
    return None


def make_const(pstate: ParseState, body: RawNode) -> Const:
    """A raw A_Const: the smallest numeric type that fits, an unknown literal for a string."""
    location = body.get("location", 0)
    if "sval" in body:
        text = body["sval"].get("sval", "")
        return Const(UNKNOWNOID, text, -1, 0, location, location)
    if "ival" in body:
        value = body["ival"].get("ival", 0)
        return Const(INT4OID, value, -1, 0, location, location)
    if "boolval" in body:
        return Const(BOOLOID, int(body["boolval"].get("boolval", False)), -1, 0, location)
    if "fval" in body:
        return _numeric_const(pstate, body["fval"].get("fval", "0"), location)
    if "bsval" in body:
        catalog = pstate.catalog
        text = body["bsval"].get("bsval", "")
        try:
            bits = catalog.types.io(BITOID).input(text, -1, catalog.ctx)
        except PgError as error:
            error.location = location if error.location is None else error.location
            raise
        return Const(BITOID, bits, -1, 0, location, location)
    return Const(UNKNOWNOID, None, -1, 0, location)


def _numeric_const(pstate: ParseState, text: str, location: int) -> Const:
    digits = text.lstrip("-")
    if digits.isdecimal() and digits.isascii() and len(digits) < 20:
        value = int(text)
        if -(2**31) <= value < 2**31:
            return Const(INT4OID, value, -1, 0, location, location)
        if -(2**63) <= value < 2**63:
            return Const(INT8OID, value, -1, 0, location, location)
    catalog = pstate.catalog
    try:
        numeric = catalog.types.io(NUMERICOID).input(text, -1, catalog.ctx)
    except PgError as error:
        error.location = location if error.location is None else error.location
        raise
    return Const(NUMERICOID, numeric, -1, 0, location, location)


def _transform_type_cast(pstate: ParseState, body: RawNode) -> Expr:
    catalog = pstate.catalog
    typename = body["typeName"]
    target, typmod = typename_type_id_and_mod(pstate, typename)
    arg = body["arg"]
    expr: Expr
    array = arg.get("A_ArrayExpr") if isinstance(arg, dict) else None
    if array is not None:
        base, base_mod = get_base_type_and_typmod(catalog, target, typmod)
        element = get_element_type(catalog, base)
        if element:
            expr = _transform_array_expr(pstate, array, base, element, base_mod)
        else:
            expr = transform_expr_recurse(pstate, arg)
    else:
        expr = transform_expr_recurse(pstate, arg)
    source = expr_type(expr)
    location = body.get("location", 0)
    if location < 0:
        location = typename.get("TypeName", typename).get("location", 0)
    result = coerce_to_target_type(
        pstate, expr, source, target, typmod, COERCION_EXPLICIT, COERCE_EXPLICIT_CAST, location
    )
    if result is None:
        raise PgError(
            CANNOT_COERCE,
            f"cannot cast type {catalog.type_name(source)} to {catalog.type_name(target)}",
            location=parser_coercion_errposition(location, expr),
        )
    return result


def _transform_array(pstate: ParseState, body: RawNode) -> Expr:
    return _transform_array_expr(pstate, body, 0, 0, -1)


def _transform_array_expr(
    pstate: ParseState, body: RawNode, array_type: int, element_type: int, typmod: int
) -> Expr:
    """ARRAY[...]; array_type and element_type are those of an explicit cast around it, else 0."""
    catalog = pstate.catalog
    location = body.get("location", 0)
    elements: list[Expr] = []
    multidims = False
    for raw in body.get("elements", ()):
        if isinstance(raw, dict) and "A_ArrayExpr" in raw:
            element: Expr = _transform_array_expr(
                pstate, raw["A_ArrayExpr"], array_type, element_type, typmod
            )
            multidims = True
        else:
            element = transform_expr_recurse(pstate, raw)
            if not multidims and get_element_type(catalog, expr_type(element)):
                multidims = True
        elements.append(element)
    if array_type:
        wanted = array_type if multidims else element_type
        converted = [_cast_element(pstate, e, wanted, typmod) for e in elements]
    else:
        wanted, array_type, element_type = _array_types(pstate, elements, multidims, location)
        converted = [coerce_to_common_type(pstate, e, wanted, "ARRAY") for e in elements]
    return ArrayExpr(array_type, element_type, converted, multidims, 0, location)


def _array_types(
    pstate: ParseState, elements: list[Expr], multidims: bool, location: int
) -> tuple[int, int, int]:
    """(type the elements are converted to, array type, element type)."""
    catalog = pstate.catalog
    if not elements:
        raise PgError(
            INDETERMINATE_DATATYPE,
            "cannot determine type of empty array",
            hint="Explicitly cast to the desired type, for example ARRAY[]::integer[].",
            location=location,
        )
    wanted = select_common_type(pstate, elements, "ARRAY")
    if multidims:
        element_type = get_element_type(catalog, wanted)
        if not element_type:
            raise PgError(
                UNDEFINED_OBJECT,
                f"could not find element type for data type {catalog.type_name(wanted)}",
                location=location,
            )
        return wanted, wanted, element_type
    array_type = get_array_type(catalog, wanted)
    if not array_type:
        raise PgError(
            UNDEFINED_OBJECT,
            f"could not find array type for data type {catalog.type_name(wanted)}",
            location=location,
        )
    return wanted, array_type, wanted


def _cast_element(pstate: ParseState, element: Expr, wanted: int, typmod: int) -> Expr:
    source = expr_type(element)
    result = coerce_to_target_type(
        pstate, element, source, wanted, typmod, COERCION_EXPLICIT, COERCE_EXPLICIT_CAST, -1
    )
    if result is None:
        catalog = pstate.catalog
        raise PgError(
            CANNOT_COERCE,
            f"cannot cast type {catalog.type_name(source)} to {catalog.type_name(wanted)}",
            location=expr_location(element),
        )
    return result


def _transform_collate_clause(pstate: ParseState, body: RawNode) -> Expr:
    arg = transform_expr_recurse(pstate, body["arg"])
    argtype = expr_type(arg)
    location = body.get("location", 0)
    catalog = pstate.catalog
    if argtype != UNKNOWNOID and not get_type(catalog, argtype).typcollation:
        raise PgError(
            DATATYPE_MISMATCH,
            f"collations are not supported by type {catalog.type_name(argtype)}",
            location=location,
        )
    return CollateExpr(arg, lookup_collation(pstate, body["collname"], location), location)


_BOOLOPS = {"AND_EXPR": ("and", "AND"), "OR_EXPR": ("or", "OR"), "NOT_EXPR": ("not", "NOT")}


def _transform_bool_expr(pstate: ParseState, body: RawNode) -> Expr:
    boolop, name = _BOOLOPS[body["boolop"]]
    args = [
        coerce_to_boolean(pstate, transform_expr_recurse(pstate, a), name) for a in body["args"]
    ]
    return BoolExpr(boolop, args, body.get("location", 0))


def _transform_func_call(pstate: ParseState, body: RawNode) -> Expr:
    last_srf = pstate.p_last_srf
    args = [transform_expr_recurse(pstate, a) for a in body.get("args", ())]
    if body.get("agg_within_group"):
        # the sort expressions are arguments too, as far as resolution goes
        for sort in body["agg_order"]:
            args.append(
                transform_expr(pstate, sort["SortBy"]["node"], ParseExprKind.EXPR_KIND_ORDER_BY)
            )
    result = parse_func_or_column(
        pstate, body["funcname"], args, last_srf, body, False, body.get("location", 0)
    )
    assert result is not None
    return result


def _transform_named_arg(pstate: ParseState, body: RawNode) -> Expr:
    return NamedArgExpr(
        transform_expr_recurse(pstate, body["arg"]),
        body["name"],
        body.get("argnumber", 0),
        body.get("location", 0),
    )


def _check_no_srf(pstate: ParseState, last_srf: Expr | None, construct: str) -> None:
    if pstate.p_last_srf is not last_srf:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            f"set-returning functions are not allowed in {construct}",
            hint="You might be able to move the set-returning function into a LATERAL FROM item.",
            location=expr_location(pstate.p_last_srf),
        )


def _transform_case_expr(pstate: ParseState, body: RawNode) -> Expr:
    from pgemu.parser.parse_collate import assign_expr_collations

    last_srf = pstate.p_last_srf
    arg = transform_expr_recurse(pstate, body.get("arg"))
    placeholder: CaseTestExpr | None = None
    if arg is not None:
        if expr_type(arg) == UNKNOWNOID:
            arg = coerce_to_common_type(pstate, arg, TEXTOID, "CASE")
        assign_expr_collations(pstate, arg)
        placeholder = CaseTestExpr(expr_type(arg), expr_typmod(arg), expr_collation(arg))
    whens: list[CaseWhen] = []
    for item in body["args"]:
        when = item["CaseWhen"]
        location = when.get("location", 0)
        if placeholder is not None:
            condition = transform_a_expr_op(
                pstate,
                {
                    "name": ["="],
                    "lexpr": placeholder,
                    "rexpr": when["expr"],
                    "location": location,
                },
            )
        else:
            condition = transform_expr_recurse(pstate, when["expr"])
        condition = coerce_to_boolean(pstate, condition, "CASE/WHEN")
        result = transform_expr_recurse(pstate, when["result"])
        whens.append(CaseWhen(condition, result, location))
    if body.get("defresult") is not None:
        default = transform_expr_recurse(pstate, body["defresult"])
    else:
        default = Const(UNKNOWNOID, None)
    casetype = select_common_type(pstate, [default, *(w.result for w in whens)], "CASE")
    default = coerce_to_common_type(pstate, default, casetype, "CASE/ELSE")
    for one in whens:
        one.result = coerce_to_common_type(pstate, one.result, casetype, "CASE/WHEN")
    _check_no_srf(pstate, last_srf, "CASE")
    return CaseExpr(casetype, arg, whens, default, 0, body.get("location", 0))


def transform_row_expr(pstate: ParseState, body: RawNode, allow_default: bool) -> RowExpr:
    """ROW(...) or (a, b): of type record."""
    from pgemu.parser.parse_target import transform_expression_list

    args = transform_expression_list(
        pstate, body.get("args", []), pstate.p_expr_kind, allow_default
    )
    location = body.get("location", 0)
    if len(args) > MAX_TARGET_LIST_ENTRIES:
        raise PgError(
            TOO_MANY_COLUMNS,
            f"ROW expressions can have at most {MAX_TARGET_LIST_ENTRIES} entries",
            location=location,
        )
    row_format = "explicit_call"
    if body.get("row_format") == "COERCE_IMPLICIT_CAST":
        row_format = "implicit_cast"
    return RowExpr(
        list(args), RECORDOID, row_format, [f"f{i}" for i in range(1, len(args) + 1)], location
    )


def _transform_row(pstate: ParseState, body: RawNode) -> Expr:
    return transform_row_expr(pstate, body, False)


def _transform_coalesce(pstate: ParseState, body: RawNode) -> Expr:
    last_srf = pstate.p_last_srf
    args = [transform_expr_recurse(pstate, a) for a in body["args"]]
    common = select_common_type(pstate, args, "COALESCE")
    args = [coerce_to_common_type(pstate, a, common, "COALESCE") for a in args]
    _check_no_srf(pstate, last_srf, "COALESCE")
    return CoalesceExpr(common, args, 0, body.get("location", 0))


def _transform_min_max(pstate: ParseState, body: RawNode) -> Expr:
    greatest = body.get("op", "IS_GREATEST") == "IS_GREATEST"
    name = "GREATEST" if greatest else "LEAST"
    args = [transform_expr_recurse(pstate, a) for a in body["args"]]
    common = select_common_type(pstate, args, name)
    args = [coerce_to_common_type(pstate, a, common, name) for a in args]
    return MinMaxExpr(common, name.lower(), args, 0, 0, body.get("location", 0))


def _transform_null_test(pstate: ParseState, body: RawNode) -> Expr:
    arg = transform_expr_recurse(pstate, body["arg"])
    return NullTest(
        arg,
        body.get("nulltesttype", "IS_NULL") == "IS_NULL",
        is_rowtype(pstate.catalog, expr_type(arg)),
        body.get("location", 0),
    )


def _transform_boolean_test(pstate: ParseState, body: RawNode) -> Expr:
    test = body.get("booltesttype", "IS_TRUE")
    arg = transform_expr_recurse(pstate, body["arg"])
    arg = coerce_to_boolean(pstate, arg, test.replace("_", " "))
    return BooleanTest(arg, test.lower(), body.get("location", 0))


def _transform_current_of(pstate: ParseState, body: RawNode) -> Expr:
    target = pstate.p_target_nsitem
    assert target is not None
    name = body.get("cursor_name", "")
    cref = {"fields": [{"String": {"sval": name}}], "location": -1}
    found = None
    if pstate.p_pre_columnref_hook is not None:
        found = pstate.p_pre_columnref_hook(pstate, cref)
    if found is None and pstate.p_post_columnref_hook is not None:
        found = pstate.p_post_columnref_hook(pstate, cref, None)
    if isinstance(found, Param) and found.paramtype == REFCURSOROID:
        return CurrentOfExpr(target.p_rtindex, "", found)
    return CurrentOfExpr(target.p_rtindex, name)


def _transform_set_to_default(pstate: ParseState, body: RawNode) -> Expr:
    raise PgError(
        SYNTAX_ERROR, "DEFAULT is not allowed in this context", location=body.get("location", 0)
    )


def _transform_grouping_func(pstate: ParseState, body: RawNode) -> Expr:
    from pgemu.parser.parse_agg import transform_grouping_func

    return transform_grouping_func(pstate, body)


def _transform_list(pstate: ParseState, body: RawNode) -> list[Expr]:
    return [transform_expr_recurse(pstate, item) for item in body.get("items", ())]


_TRANSFORM: dict[str, Callable[[Any, RawNode], Any]] = {
    "ColumnRef": transform_column_ref,
    "ParamRef": transform_param_ref,
    "A_Const": make_const,
    "A_Indirection": transform_indirection,
    "A_ArrayExpr": _transform_array,
    "TypeCast": _transform_type_cast,
    "CollateClause": _transform_collate_clause,
    "A_Expr": transform_a_expr,
    "BoolExpr": _transform_bool_expr,
    "FuncCall": _transform_func_call,
    "MultiAssignRef": transform_multi_assign_ref,
    "GroupingFunc": _transform_grouping_func,
    "NamedArgExpr": _transform_named_arg,
    "SubLink": transform_sub_link,
    "CaseExpr": _transform_case_expr,
    "RowExpr": _transform_row,
    "CoalesceExpr": _transform_coalesce,
    "MinMaxExpr": _transform_min_max,
    "SQLValueFunction": transform_sql_value_function,
    "XmlExpr": transform_xml_expr,
    "XmlSerialize": transform_xml_serialize,
    "NullTest": _transform_null_test,
    "BooleanTest": _transform_boolean_test,
    "CurrentOfExpr": _transform_current_of,
    "SetToDefault": _transform_set_to_default,
    "List": _transform_list,
}
