"""Type coercion of expressions (PostgreSQL's parse_coerce.c).

Which cast applies is decided in parse_coerce_path.py, common types in parse_coerce_common.py,
polymorphic ones in parse_coerce_generic.py; here the nodes are built.

An unknown literal is converted by its target type's input function at once.  Its Const keeps
`literal_location`, so that the plan cache can turn it into a parameter, except where the input
reads the catalogs (regclass and its kin).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pgemu.catalog.rows import PgAttribute
from pgemu.errors import CANNOT_COERCE, DATATYPE_MISMATCH, FEATURE_NOT_SUPPORTED, PgError
from pgemu.nodes.nodefuncs import expr_collation, expr_location, expr_type, expr_typmod
from pgemu.nodes.primnodes import (
    Aggref,
    ArrayCoerceExpr,
    CaseTestExpr,
    CoerceToDomain,
    CoerceViaIO,
    CollateExpr,
    Const,
    ConvertRowtypeExpr,
    Expr,
    FuncExpr,
    GroupingFunc,
    OpExpr,
    Param,
    RelabelType,
    RowExpr,
    SubLink,
    Value,
    Var,
    WindowFunc,
)
from pgemu.nodes.walk import walk
from pgemu.parser.parse_cache import (
    get_base_type,
    get_base_type_and_typmod,
    get_element_type,
    get_proc,
    get_type,
    is_complex,
)
from pgemu.parser.parse_coerce_common import (
    coerce_to_common_type,
    select_common_type,
    select_common_typmod,
    verify_common_type,
)
from pgemu.parser.parse_coerce_generic import (
    check_generic_type_consistency,
    enforce_generic_type_consistency,
)
from pgemu.parser.parse_coerce_path import (
    COERCE_EXPLICIT_CALL,
    COERCE_EXPLICIT_CAST,
    COERCE_IMPLICIT_CAST,
    COERCE_SQL_SYNTAX,
    COERCION_ASSIGNMENT,
    COERCION_EXPLICIT,
    COERCION_IMPLICIT,
    COERCION_PLPGSQL,
    PATH_ARRAYCOERCE,
    PATH_FUNC,
    PATH_NONE,
    PATH_RELABELTYPE,
    find_coercion_pathway,
    find_typmod_coercion_function,
    is_binary_coercible,
    is_complex_array,
    is_preferred_type,
    type_category,
    type_inherits_from,
    type_is_of_typed_table,
)
from pgemu.parser.type_oids import (
    ANYCOMPATIBLENONARRAYOID,
    ANYCOMPATIBLEOID,
    ANYELEMENTOID,
    ANYNONARRAYOID,
    ANYOID,
    BOOLOID,
    CSTRINGOID,
    INT4OID,
    INTERVALOID,
    POLYMORPHIC_TYPES,
    RECORDARRAYOID,
    RECORDOID,
    REG_TYPES,
    TEXTOID,
    UNKNOWNOID,
    VOIDOID,
)

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog
    from pgemu.parser.parse_node import ParseState

__all__ = [
    "COERCE_EXPLICIT_CALL",
    "COERCE_EXPLICIT_CAST",
    "COERCE_IMPLICIT_CAST",
    "COERCE_SQL_SYNTAX",
    "COERCION_ASSIGNMENT",
    "COERCION_EXPLICIT",
    "COERCION_IMPLICIT",
    "COERCION_PLPGSQL",
    "build_coercion_expression",
    "can_coerce_type",
    "check_generic_type_consistency",
    "coerce_null_to_domain",
    "coerce_to_boolean",
    "coerce_to_common_type",
    "coerce_to_domain",
    "coerce_to_specific_type",
    "coerce_to_specific_type_typmod",
    "coerce_to_target_type",
    "coerce_type",
    "coerce_type_typmod",
    "enforce_generic_type_consistency",
    "expression_returns_set",
    "find_coercion_pathway",
    "is_binary_coercible",
    "is_preferred_type",
    "make_null_const",
    "resolve_unknown",
    "select_common_type",
    "select_common_typmod",
    "type_category",
    "verify_common_type",
]

# targets that take any node as it is, even an unknown literal
_ANY_TARGETS = frozenset(
    {ANYOID, ANYELEMENTOID, ANYNONARRAYOID, ANYCOMPATIBLEOID, ANYCOMPATIBLENONARRAYOID}
)
_RESTRICTED_ANY_TARGETS = POLYMORPHIC_TYPES - _ANY_TARGETS


def coerce_to_target_type(
    pstate: ParseState,
    expr: Expr,
    exprtype: int,
    targettype: int,
    targettypmod: int,
    ccontext: str,
    cformat: str,
    location: int,
) -> Expr | None:
    """The expression converted to type and typmod; None when no cast exists in this context."""
    if exprtype == targettype and targettypmod == -1 == expr_typmod(expr):
        return expr
    catalog = pstate.catalog
    if not can_coerce_type(catalog, [exprtype], [targettype], ccontext):
        return None
    origexpr = expr
    while isinstance(expr, CollateExpr):
        expr = expr.arg
    result = coerce_type(
        pstate, expr, exprtype, targettype, targettypmod, ccontext, cformat, location
    )
    result = coerce_type_typmod(
        pstate,
        result,
        targettype,
        targettypmod,
        ccontext,
        cformat,
        location,
        result is not expr and not isinstance(result, Const),
    )
    if expr is not origexpr and get_type(catalog, targettype).typcollation:
        assert isinstance(origexpr, CollateExpr)
        return CollateExpr(result, origexpr.coll_oid, origexpr.location)
    return result


def coerce_type(
    pstate: ParseState,
    node: Expr,
    input_type_id: int,
    target_type_id: int,
    target_type_mod: int,
    ccontext: str,
    cformat: str,
    location: int,
) -> Expr:
    """Convert to the type (not the typmod).  The caller has made sure with can_coerce_type that
    it is possible."""
    if target_type_id == input_type_id or target_type_id in _ANY_TARGETS:
        return node
    catalog = pstate.catalog
    if target_type_id in _RESTRICTED_ANY_TARGETS and input_type_id != UNKNOWNOID:
        # an array or range of known type; a domain over one is seen as its base
        base = get_base_type(catalog, input_type_id)
        if base != input_type_id:
            return RelabelType(node, base, -1, 0, cformat, location)
        return node
    if input_type_id == UNKNOWNOID and isinstance(node, Const):
        return _coerce_unknown_const(
            pstate, node, target_type_id, target_type_mod, ccontext, cformat, location
        )
    if isinstance(node, Param) and pstate.p_coerce_param_hook is not None:
        found = pstate.p_coerce_param_hook(pstate, node, target_type_id, target_type_mod, location)
        if found is not None:
            return found
    if isinstance(node, CollateExpr):
        arg = coerce_type(
            pstate,
            node.arg,
            input_type_id,
            target_type_id,
            target_type_mod,
            ccontext,
            cformat,
            location,
        )
        if get_type(catalog, target_type_id).typcollation:
            return CollateExpr(arg, node.coll_oid, node.location)
        return arg
    path, function = find_coercion_pathway(catalog, target_type_id, input_type_id, ccontext)
    if path != PATH_NONE:
        return _apply_path(
            pstate,
            node,
            path,
            function,
            target_type_id,
            target_type_mod,
            ccontext,
            cformat,
            location,
        )
    return _coerce_composite(
        pstate, node, input_type_id, target_type_id, ccontext, cformat, location
    )


def _coerce_unknown_const(
    pstate: ParseState,
    con: Const,
    target_type_id: int,
    target_type_mod: int,
    ccontext: str,
    cformat: str,
    location: int,
) -> Expr:
    """A string literal becomes a constant of the target type through its input function."""
    catalog = pstate.catalog
    row = get_type(catalog, target_type_id)
    base_type, base_mod = target_type_id, target_type_mod
    if row.typtype == "d":
        base_type, base_mod = get_base_type_and_typmod(catalog, target_type_id, target_type_mod)
        row = get_type(catalog, base_type)
    # interval's input needs the typmod; for others the length coercion follows separately
    input_mod = base_mod if base_type == INTERVALOID else -1
    value = con.value
    noticed = _notices(catalog)
    if value is not None and base_type != TEXTOID:
        value = string_type_datum(catalog, base_type, str(value), input_mod, con.location)
    result: Expr = Const(
        base_type,
        value,
        input_mod,
        row.typcollation,
        con.location,
        # what gives a notice is not converted a second time
        None if base_type in REG_TYPES or _notices(catalog) != noticed else con.literal_location,
    )
    if base_type != target_type_id:
        result = coerce_to_domain(
            pstate,
            result,
            base_type,
            base_mod,
            target_type_id,
            ccontext,
            cformat,
            location,
            False,
        )
    return result


def _notices(catalog: Catalog) -> int:
    session = catalog.ctx.session
    return len(session.notices) if session is not None else 0


def string_type_datum(
    catalog: Catalog, type_oid: int, text: str, typmod: int, location: int
) -> Value:
    """stringTypeDatum: the input function's result; an error gets the literal's position."""
    session, noticed = catalog.ctx.session, _notices(catalog)
    try:
        if get_type(catalog, type_oid).typtype == "p":
            return _pseudo_type_input(catalog, type_oid, text, typmod)
        value: Value = catalog.types.io(type_oid).input(text, typmod, catalog.ctx)
        for notice in session.notices[noticed:] if session is not None else ():
            if notice.location is None:
                notice.location = location
        return value
    except PgError as error:
        if error.location is None and error.position is None:
            error.location = location
        raise


def _pseudo_type_input(catalog: Catalog, type_oid: int, text: str, typmod: int) -> Value:
    if type_oid in (CSTRINGOID, UNKNOWNOID):
        return text
    if type_oid == VOIDOID:
        return ""
    if type_oid in (RECORDOID, RECORDARRAYOID):
        raise PgError(
            FEATURE_NOT_SUPPORTED, "input of anonymous composite types is not implemented"
        )
    raise PgError(
        FEATURE_NOT_SUPPORTED, f"cannot accept a value of type {catalog.type_name(type_oid)}"
    )


def _apply_path(
    pstate: ParseState,
    node: Expr,
    path: str,
    function: int,
    target_type_id: int,
    target_type_mod: int,
    ccontext: str,
    cformat: str,
    location: int,
) -> Expr:
    catalog = pstate.catalog
    if path != PATH_RELABELTYPE:
        base_type, base_mod = get_base_type_and_typmod(catalog, target_type_id, target_type_mod)
        result = build_coercion_expression(
            pstate, node, path, function, base_type, base_mod, ccontext, cformat, location
        )
        if base_type != target_type_id:
            result = coerce_to_domain(
                pstate,
                result,
                base_type,
                base_mod,
                target_type_id,
                ccontext,
                cformat,
                location,
                True,
            )
        return result
    result = coerce_to_domain(
        pstate, node, 0, -1, target_type_id, ccontext, cformat, location, False
    )
    if result is node:
        return RelabelType(node, target_type_id, -1, 0, cformat, location)
    return result


def _coerce_composite(
    pstate: ParseState,
    node: Expr,
    input_type_id: int,
    target_type_id: int,
    ccontext: str,
    cformat: str,
    location: int,
) -> Expr:
    """Rows: record to a named type, a named type to record, a child table's row to its parent's."""
    catalog = pstate.catalog
    if input_type_id == RECORDOID and is_complex(catalog, target_type_id):
        return coerce_record_to_complex(pstate, node, target_type_id, ccontext, cformat, location)
    if target_type_id == RECORDOID and is_complex(catalog, input_type_id):
        return node
    if target_type_id == RECORDARRAYOID and is_complex_array(catalog, input_type_id):
        return node
    if type_inherits_from(catalog, input_type_id, target_type_id) or type_is_of_typed_table(
        catalog, input_type_id, target_type_id
    ):
        base = get_base_type(catalog, input_type_id)
        if base != input_type_id:
            node = RelabelType(node, base, -1, 0, COERCE_IMPLICIT_CAST, location)
        return ConvertRowtypeExpr(node, target_type_id, cformat, location)
    raise PgError(
        "XX000",
        f"failed to find conversion function from {catalog.type_name(input_type_id)}"
        f" to {catalog.type_name(target_type_id)}",
    )


def can_coerce_type(
    catalog: Catalog, input_types: Sequence[int], target_types: Sequence[int], ccontext: str
) -> bool:
    """Can all inputs be converted to their targets in this context?  First argument may be a
    ParseState too."""
    catalog = getattr(catalog, "catalog", catalog)
    have_generics = False
    for source, target in zip(input_types, target_types, strict=True):
        if source == target or target == ANYOID:
            continue
        if target in POLYMORPHIC_TYPES:
            have_generics = True
            continue
        if source == UNKNOWNOID:
            continue
        if find_coercion_pathway(catalog, target, source, ccontext)[0] != PATH_NONE:
            continue
        if source == RECORDOID and is_complex(catalog, target):
            continue
        if target == RECORDOID and is_complex(catalog, source):
            continue
        if target == RECORDARRAYOID and is_complex_array(catalog, source):
            continue
        if type_inherits_from(catalog, source, target) or type_is_of_typed_table(
            catalog, source, target
        ):
            continue
        return False
    return not have_generics or check_generic_type_consistency(
        catalog, list(input_types), list(target_types)
    )


def coerce_to_domain(
    pstate: ParseState,
    arg: Expr,
    base_type_id: int,
    base_type_mod: int,
    type_id: int,
    ccontext: str,
    cformat: str,
    location: int,
    hide_input_coercion: bool,
) -> Expr:
    """Wrap a value of the base type into the check of a domain; unchanged if type_id is none."""
    if not base_type_id:
        base_type_id, base_type_mod = get_base_type_and_typmod(
            pstate.catalog, type_id, base_type_mod
        )
    if base_type_id == type_id:
        return arg
    if hide_input_coercion:
        hide_coercion_node(arg)
    arg = coerce_type_typmod(
        pstate, arg, base_type_id, base_type_mod, ccontext, COERCE_IMPLICIT_CAST, location, False
    )
    return CoerceToDomain(arg, type_id, -1, 0, cformat, location)


def coerce_type_typmod(
    pstate: ParseState,
    node: Expr,
    target_type_id: int,
    target_typmod: int,
    ccontext: str,
    cformat: str,
    location: int,
    hide_input_coercion: bool,
) -> Expr:
    """Force a typmod (a length coercion) on an expression that has the type already."""
    if target_typmod == expr_typmod(node):
        return node
    if hide_input_coercion:
        hide_coercion_node(node)
    path, function = PATH_NONE, 0
    if target_typmod >= 0:
        path, function = find_typmod_coercion_function(pstate.catalog, target_type_id)
    if path != PATH_NONE:
        return build_coercion_expression(
            pstate,
            node,
            path,
            function,
            target_type_id,
            target_typmod,
            ccontext,
            cformat,
            location,
        )
    return _apply_relabel_type(
        node, target_type_id, target_typmod, expr_collation(node), cformat, location
    )


def _apply_relabel_type(
    arg: Expr, rtype: int, rtypmod: int, rcollid: int, rformat: str, location: int
) -> Expr:
    """applyRelabelType: no stack of RelabelTypes, and none over a constant."""
    while isinstance(arg, RelabelType):
        arg = arg.arg
    if isinstance(arg, Const):
        return replace(arg, consttype=rtype, consttypmod=rtypmod, constcollid=rcollid)
    if expr_type(arg) == rtype and expr_typmod(arg) == rtypmod and expr_collation(arg) == rcollid:
        return arg
    return RelabelType(arg, rtype, rtypmod, rcollid, rformat, location)


_FORMAT_FIELD = {
    FuncExpr: "funcformat",
    RelabelType: "relabelformat",
    CoerceViaIO: "coerceformat",
    ArrayCoerceExpr: "coerceformat",
    ConvertRowtypeExpr: "convertformat",
    RowExpr: "row_format",
    CoerceToDomain: "coercionformat",
}


def hide_coercion_node(node: Expr) -> None:
    """Mark a coercion step so that it is not shown when the expression is printed."""
    field: str | None = _FORMAT_FIELD.get(type(node))
    if field is not None:
        setattr(node, field, COERCE_IMPLICIT_CAST)


def build_coercion_expression(
    pstate: ParseState,
    node: Expr,
    path: str,
    function: int,
    target_type_id: int,
    target_typmod: int,
    ccontext: str,
    cformat: str,
    location: int,
) -> Expr:
    """The node for a coercion path; cast functions get typmod and "is explicit" if they take
    them."""
    catalog = pstate.catalog
    if path == PATH_FUNC:
        nargs = get_proc(catalog, function).pronargs
        args: list[Expr] = [node]
        if nargs >= 2:
            args.append(Const(INT4OID, target_typmod))
        if nargs == 3:
            args.append(Const(BOOLOID, int(ccontext == COERCION_EXPLICIT)))
        return FuncExpr(function, target_type_id, args, funcformat=cformat, location=location)
    if path == PATH_ARRAYCOERCE:
        source, source_mod = get_base_type_and_typmod(catalog, expr_type(node), expr_typmod(node))
        test = CaseTestExpr(get_element_type(catalog, source), source_mod)
        elemexpr = coerce_to_target_type(
            pstate,
            test,
            test.type_id,
            get_element_type(catalog, target_type_id),
            target_typmod,
            ccontext,
            cformat,
            location,
        )
        if elemexpr is None:
            raise PgError("XX000", "failed to coerce array element type as expected")
        return ArrayCoerceExpr(
            node, elemexpr, target_type_id, expr_typmod(elemexpr), 0, cformat, location
        )
    return CoerceViaIO(node, target_type_id, 0, cformat, location)


def coerce_record_to_complex(
    pstate: ParseState,
    node: Expr,
    target_type_id: int,
    ccontext: str,
    cformat: str,
    location: int,
) -> Expr:
    """ROW(...) to a named composite type, column by column."""
    catalog = pstate.catalog
    if isinstance(node, RowExpr):
        args = node.args
    elif isinstance(node, Var) and node.varattno == 0:
        args = _whole_row_columns(pstate, node)
    else:
        raise _cannot_cast_record(catalog, target_type_id, None, location, node)
    base_type, base_mod = get_base_type_and_typmod(catalog, target_type_id, -1)
    attributes = composite_attributes(catalog, base_type)
    newargs: list[Expr] = []
    remaining = list(args)
    column = 1
    for att in attributes:
        if att.attisdropped:
            newargs.append(make_null_const(INT4OID, -1, 0))
            continue
        if not remaining:
            raise _cannot_cast_record(
                catalog, target_type_id, "Input has too few columns.", location, node
            )
        expr = remaining.pop(0)
        source = expr_type(expr)
        converted = coerce_to_target_type(
            pstate,
            expr,
            source,
            att.atttypid,
            att.atttypmod,
            ccontext,
            COERCE_IMPLICIT_CAST,
            -1,
        )
        if converted is None:
            detail = (
                f"Cannot cast type {catalog.type_name(source)}"
                f" to {catalog.type_name(att.atttypid)} in column {column}."
            )
            raise _cannot_cast_record(catalog, target_type_id, detail, location, expr)
        newargs.append(converted)
        column += 1
    if remaining:
        raise _cannot_cast_record(
            catalog, target_type_id, "Input has too many columns.", location, node
        )
    row = RowExpr(newargs, base_type, cformat, [], location)
    if base_type == target_type_id:
        return row
    row.row_format = COERCE_IMPLICIT_CAST
    return coerce_to_domain(
        pstate, row, base_type, base_mod, target_type_id, ccontext, cformat, location, False
    )


def _whole_row_columns(pstate: ParseState, var: Var) -> list[Expr]:
    from pgemu.parser.parse_relation import get_nsitem_by_range_table_posn
    from pgemu.parser.parse_rte import expand_nsitem_vars

    nsitem = get_nsitem_by_range_table_posn(pstate, var.varno, var.varlevelsup)
    return list(expand_nsitem_vars(pstate, nsitem, var.varlevelsup, var.location)[1])


def composite_attributes(catalog: Catalog, type_oid: int) -> list[PgAttribute]:
    """The columns of a composite type, in order, dropped ones included."""
    relid = get_type(catalog, type_oid).typrelid
    rows = [a for a in catalog.all(PgAttribute, attrelid=relid) if a.attnum > 0]
    rows.sort(key=lambda a: a.attnum)
    return rows


def _cannot_cast_record(
    catalog: Catalog, target: int, detail: str | None, location: int, node: Expr
) -> PgError:
    return PgError(
        CANNOT_COERCE,
        f"cannot cast type record to {catalog.type_name(target)}",
        detail=detail,
        location=parser_coercion_errposition(location, node),
    )


def parser_coercion_errposition(coerce_location: int, input_expr: Expr) -> int:
    """Where to point at: the cast itself if it was written, else its argument."""
    return coerce_location if coerce_location >= 0 else expr_location(input_expr)


def coerce_to_boolean(pstate: ParseState, node: Expr, construct_name: str) -> Expr:
    """A condition: "argument of WHERE must be type boolean, not type integer"."""
    return _coerce_assignment(pstate, node, BOOLOID, -1, construct_name)


def coerce_to_specific_type(
    pstate: ParseState, node: Expr, target_type_id: int, construct_name: str
) -> Expr:
    """An argument that must be of one type (LIMIT ...), and not a set."""
    return _coerce_assignment(pstate, node, target_type_id, -1, construct_name)


def coerce_to_specific_type_typmod(
    pstate: ParseState,
    node: Expr,
    target_type_id: int,
    target_typmod: int,
    construct_name: str,
) -> Expr:
    return _coerce_assignment(pstate, node, target_type_id, target_typmod, construct_name)


def _coerce_assignment(
    pstate: ParseState, node: Expr, target: int, typmod: int, construct_name: str
) -> Expr:
    source = expr_type(node)
    if source != target:
        converted = coerce_to_target_type(
            pstate, node, source, target, typmod, COERCION_ASSIGNMENT, COERCE_IMPLICIT_CAST, -1
        )
        if converted is None:
            catalog = pstate.catalog
            raise PgError(
                DATATYPE_MISMATCH,
                f"argument of {construct_name} must be type {catalog.type_name(target)},"
                f" not type {catalog.type_name(source)}",
                location=expr_location(node),
            )
        node = converted
    if pstate.p_last_srf is not None and expression_returns_set(node):
        raise PgError(
            DATATYPE_MISMATCH,
            f"argument of {construct_name} must not return a set",
            location=expr_location(node),
        )
    return node


def coerce_null_to_domain(pstate: ParseState, typid: int, typmod: int, collation: int) -> Expr:
    """A NULL constant of a type, checked if the type is a domain."""
    base_type, base_mod = get_base_type_and_typmod(pstate.catalog, typid, typmod)
    result: Expr = make_null_const(base_type, base_mod, collation)
    if base_type != typid:
        result = coerce_to_domain(
            pstate,
            result,
            base_type,
            base_mod,
            typid,
            COERCION_IMPLICIT,
            COERCE_IMPLICIT_CAST,
            -1,
            False,
        )
    return result


def make_null_const(consttype: int, consttypmod: int = -1, constcollid: int = 0) -> Const:
    """makeNullConst."""
    return Const(consttype, None, consttypmod, constcollid)


def resolve_unknown(pstate: ParseState, node: Expr) -> Expr:
    """An expression that is still of unknown type becomes text."""
    if expr_type(node) != UNKNOWNOID:
        return node
    return coerce_type(
        pstate, node, UNKNOWNOID, TEXTOID, -1, COERCION_IMPLICIT, COERCE_IMPLICIT_CAST, -1
    )


def expression_returns_set(node: Any) -> bool:
    """Does the expression contain a set-returning call (sub-queries and aggregates aside)?"""
    found = False

    def visit(item: Any) -> bool | None:
        nonlocal found
        if (isinstance(item, FuncExpr) and item.funcretset) or (
            isinstance(item, OpExpr) and item.opretset
        ):
            found = True
        stop = found or isinstance(item, (Aggref, GroupingFunc, WindowFunc, SubLink))
        return False if stop else None

    walk([node] if isinstance(node, Expr) else node, visit)
    return found


def strip_implicit_coercions(node: Expr) -> Expr:
    """The expression under the coercions that analysis put on top of it."""
    while True:
        field = _FORMAT_FIELD.get(type(node))
        if field is None or getattr(node, field) != COERCE_IMPLICIT_CAST:
            return node
        if isinstance(node, FuncExpr):
            node = node.args[0]
        elif isinstance(node, RowExpr):
            return node
        else:
            node = node.arg  # type: ignore[attr-defined]
