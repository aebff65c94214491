"""Function calls and column projection (PostgreSQL's parse_func.c).

What differs from PostgreSQL: named arguments are put into their places and default arguments are
added here, not by the planner, so that nothing later has to know of them.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from pgemu.catalog.rows import PgAggregate
from pgemu.errors import (
    AMBIGUOUS_FUNCTION,
    DATATYPE_MISMATCH,
    FEATURE_NOT_SUPPORTED,
    INVALID_FUNCTION_DEFINITION,
    SYNTAX_ERROR,
    TOO_MANY_ARGUMENTS,
    UNDEFINED_FUNCTION,
    UNDEFINED_OBJECT,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.nodes.nodefuncs import expr_location, expr_type
from pgemu.nodes.primnodes import (
    Aggref,
    ArrayExpr,
    Expr,
    FieldSelect,
    FuncExpr,
    NamedArgExpr,
    Param,
    Var,
    WindowFunc,
)
from pgemu.parser.parse_cache import (
    get_array_type,
    get_base_element_type,
    get_proc,
    is_complex,
    parse_cache,
    str_list,
)
from pgemu.parser.parse_coerce import (
    COERCE_EXPLICIT_CALL,
    COERCE_IMPLICIT_CAST,
    COERCION_EXPLICIT,
    COERCION_IMPLICIT,
    coerce_type,
    enforce_generic_type_consistency,
    select_common_type,
    select_common_typmod,
)
from pgemu.parser.parse_func_detail import FuncDetail, func_get_detail
from pgemu.parser.parse_func_lookup import func_signature_string, lookup_func_with_args
from pgemu.parser.parse_srf import check_srf_call_placement
from pgemu.parser.type_oids import ANYOID, RECORDOID, VOIDOID

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog
    from pgemu.parser.parse_node import ParseState

__all__ = [
    "check_srf_call_placement",
    "func_get_detail",
    "func_signature_string",
    "lookup_func_with_args",
    "make_fn_arguments",
    "parse_func_or_column",
]

FUNC_MAX_ARGS = 100
_FORMATS = {
    "COERCE_EXPLICIT_CALL": "explicit_call",
    "COERCE_EXPLICIT_CAST": "explicit_cast",
    "COERCE_IMPLICIT_CAST": "implicit_cast",
    "COERCE_SQL_SYNTAX": "sql_syntax",
}


def parse_func_or_column(
    pstate: ParseState,
    funcname: list[Any],
    fargs: list[Expr],
    last_srf: Expr | None,
    fn: dict[str, Any] | None,
    proc_call: bool,
    location: int,
) -> Expr | None:
    """A function call, or the projection of a composite's column.

    fn: the raw FuncCall body; None when the notation was column notation (then None is returned
    if nothing fits, and the caller reports the missing column).
    """
    names = str_list(funcname)
    catalog = pstate.catalog
    agg_filter: Expr | None = None
    if fn is not None and fn.get("agg_filter"):
        from pgemu.parser.parse_clause import transform_where_clause
        from pgemu.parser.parse_node import ParseExprKind

        agg_filter = transform_where_clause(
            pstate, fn["agg_filter"], ParseExprKind.EXPR_KIND_FILTER, "FILTER"
        )
    call = fn or {}
    if len(fargs) > FUNC_MAX_ARGS:
        raise PgError(
            TOO_MANY_ARGUMENTS,
            f"cannot pass more than {FUNC_MAX_ARGS} arguments to a function",
            location=location,
        )
    if fn is not None and not call.get("agg_within_group"):
        fargs = [a for a in fargs if not (isinstance(a, Param) and a.paramtype == VOIDOID)]
    actual = [expr_type(a) for a in fargs]
    argnames = _argument_names(fargs)
    variadic = bool(call.get("func_variadic"))
    could_be_projection = (
        len(fargs) == 1
        and len(names) == 1
        and not proc_call
        and not argnames
        and agg_filter is None
        and not variadic
        and not (
            call.get("agg_order")
            or call.get("agg_star")
            or call.get("agg_distinct")
            or call.get("over")
        )
        and (actual[0] == RECORDOID or is_complex(catalog, actual[0]))
    )
    if could_be_projection and fn is None:
        found = parse_complex_projection(pstate, names[0], fargs[0], location)
        if found is not None:
            return found
    try:
        detail = func_get_detail(
            catalog, names, fargs, argnames, actual, not variadic, True, proc_call
        )
    except PgError as error:
        if error.location is None or error.location < 0:
            error.location = location
        raise
    code = detail.code
    if code != "normal" or proc_call or call.keys() & _DECORATIONS:
        early = _check_kind(
            pstate,
            detail,
            names,
            fargs,
            argnames,
            actual,
            call,
            agg_filter,
            proc_call,
            fn is None,
            could_be_projection,
            location,
        )
        if early == "none":
            return None
        if early == "projection":
            return parse_complex_projection(pstate, names[0], fargs[0], location)
        if code == "coercion":
            return coerce_type(
                pstate,
                fargs[0],
                actual[0],
                detail.rettype,
                -1,
                COERCION_EXPLICIT,
                COERCE_EXPLICIT_CALL,
                location,
            )
    return _build_call(
        pstate, detail, names, fargs, argnames, actual, call, agg_filter, last_srf, location
    )


_DECORATIONS = frozenset(
    {"agg_star", "agg_distinct", "agg_within_group", "agg_order", "agg_filter", "over"}
)


def _argument_names(fargs: list[Expr]) -> list[str]:
    """Names of the named arguments, which must be unique and come last."""
    names: list[str] = []
    for arg in fargs:
        if isinstance(arg, NamedArgExpr):
            if arg.name in names:
                raise PgError(
                    SYNTAX_ERROR,
                    f'argument name "{arg.name}" used more than once',
                    location=arg.location,
                )
            names.append(arg.name)
        elif names:
            raise PgError(
                SYNTAX_ERROR,
                "positional argument cannot follow named argument",
                location=expr_location(arg),
            )
    return names


def _check_kind(
    pstate: ParseState,
    detail: FuncDetail,
    names: list[str],
    fargs: list[Expr],
    argnames: list[str],
    actual: list[int],
    call: dict[str, Any],
    agg_filter: Expr | None,
    proc_call: bool,
    is_column: bool,
    could_be_projection: bool,
    location: int,
) -> str:
    """Errors of calls that do not fit the kind of routine that was found.  Returns "none" (not a
    column after all), "projection" or ""."""
    catalog = pstate.catalog
    code = detail.code
    signature = ""
    if proc_call or code in ("procedure", "multiple", "notfound"):
        signature = func_signature_string(catalog, names, argnames, actual)
    if proc_call and code in ("normal", "aggregate", "windowfunc", "coercion"):
        raise PgError(
            WRONG_OBJECT_TYPE,
            f"{signature} is not a procedure",
            hint="To call a function, use SELECT.",
            location=location,
        )
    if code == "procedure" and not proc_call:
        raise PgError(
            WRONG_OBJECT_TYPE,
            f"{signature} is a procedure",
            hint="To call a procedure, use CALL.",
            location=location,
        )
    shown = ".".join(names)
    if code in ("normal", "procedure", "coercion"):
        _reject_decorations(shown, call, agg_filter, location)
    elif code == "aggregate":
        _check_aggregate(pstate, detail, names, fargs, argnames, actual, call, location)
    elif code == "windowfunc":
        if not call.get("over"):
            raise PgError(
                WRONG_OBJECT_TYPE,
                f"window function {shown} requires an OVER clause",
                location=location,
            )
        if call.get("agg_within_group"):
            raise PgError(
                WRONG_OBJECT_TYPE,
                f"window function {shown} cannot have WITHIN GROUP",
                location=location,
            )
    elif is_column:
        return "none"
    elif code == "notfound" and could_be_projection:
        if parse_complex_projection(pstate, names[0], fargs[0], location) is not None:
            return "projection"
        raise _not_found(signature, call, proc_call, location)
    elif code == "notfound":
        raise _not_found(signature, call, proc_call, location)
    else:
        word = "procedure" if proc_call else "function"
        raise PgError(
            AMBIGUOUS_FUNCTION,
            f"{word} {signature} is not unique",
            hint=f"Could not choose a best candidate {word}."
            " You might need to add explicit type casts.",
            location=location,
        )
    return ""


def _reject_decorations(
    shown: str, call: dict[str, Any], agg_filter: Expr | None, location: int
) -> None:
    what = ""
    if call.get("agg_star"):
        what = f"{shown}(*) specified, but {shown} is not an aggregate function"
    elif call.get("agg_distinct"):
        what = f"DISTINCT specified, but {shown} is not an aggregate function"
    elif call.get("agg_within_group"):
        what = f"WITHIN GROUP specified, but {shown} is not an aggregate function"
    elif call.get("agg_order"):
        what = f"ORDER BY specified, but {shown} is not an aggregate function"
    elif agg_filter is not None:
        what = f"FILTER specified, but {shown} is not an aggregate function"
    elif call.get("over"):
        what = f"OVER specified, but {shown} is not a window function nor an aggregate function"
    if what:
        raise PgError(WRONG_OBJECT_TYPE, what, location=location)


def _not_found(signature: str, call: dict[str, Any], proc_call: bool, location: int) -> PgError:
    word = "procedure" if proc_call else "function"
    hint = (
        f"No {word} matches the given name and argument types."
        " You might need to add explicit type casts."
    )
    if len(call.get("agg_order", ())) > 1 and not call.get("agg_within_group"):
        hint = (
            "No aggregate function matches the given name and argument types."
            " Perhaps you misplaced ORDER BY; ORDER BY must appear after all regular arguments"
            " of the aggregate."
        )
    return PgError(
        UNDEFINED_FUNCTION, f"{word} {signature} does not exist", hint=hint, location=location
    )


def _check_aggregate(
    pstate: ParseState,
    detail: FuncDetail,
    names: list[str],
    fargs: list[Expr],
    argnames: list[str],
    actual: list[int],
    call: dict[str, Any],
    location: int,
) -> None:
    """WITHIN GROUP belongs to ordered-set aggregates, with the right number of arguments."""
    catalog = pstate.catalog
    shown = ".".join(names)
    agg = catalog.one(PgAggregate, aggfnoid=detail.funcid)
    assert agg is not None
    if agg.aggkind == "n":
        if call.get("agg_within_group"):
            raise PgError(
                WRONG_OBJECT_TYPE,
                f"{shown} is not an ordered-set aggregate, so it cannot have WITHIN GROUP",
                location=location,
            )
        return
    if not call.get("agg_within_group"):
        raise PgError(
            WRONG_OBJECT_TYPE,
            f"WITHIN GROUP is required for ordered-set aggregate {shown}",
            location=location,
        )
    if call.get("over"):
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            f"OVER is not supported for ordered-set aggregate {shown}",
            location=location,
        )
    hint = _ordered_set_mismatch(detail, agg, shown, len(actual), len(call["agg_order"]))
    if hint:
        signature = func_signature_string(catalog, names, argnames, actual)
        raise PgError(
            UNDEFINED_FUNCTION,
            f"function {signature} does not exist",
            hint=hint,
            location=location,
        )


def _ordered_set_mismatch(
    detail: FuncDetail, agg: PgAggregate, shown: str, nargs: int, naggregated: int
) -> str:
    wanted = agg.aggnumdirectargs
    direct = nargs - naggregated
    plural = "" if wanted == 1 else "s"
    fixed = (
        f"There is an ordered-set aggregate {shown}, but it requires {wanted} direct"
        f" argument{plural}, not {direct}."
    )
    if not detail.vatype:
        return fixed if direct != wanted else ""
    pronargs = nargs - (detail.nvargs - 1 if detail.nvargs > 1 else 0)
    if wanted < pronargs:
        return fixed if direct != wanted else ""
    if agg.aggkind == "h":
        if detail.nvargs != 2 * naggregated:
            return (
                f"To use the hypothetical-set aggregate {shown}, the number of hypothetical"
                f" direct arguments (here {detail.nvargs - naggregated}) must match the number"
                f" of ordering columns (here {naggregated})."
            )
    elif detail.nvargs <= naggregated:
        return (
            f"There is an ordered-set aggregate {shown}, but it requires at least"
            f" {wanted} direct argument{plural}."
        )
    return ""


def _unify_hypothetical_args(
    pstate: ParseState,
    fargs: list[Expr],
    naggregated: int,
    actual: list[int],
    declared: list[int],
) -> None:
    """Each hypothetical argument gets the type of the sort column it is compared with."""
    direct = len(fargs) - naggregated
    for hypothetical in range(direct - naggregated, direct):
        aggregated = hypothetical + naggregated
        if declared[hypothetical] != declared[aggregated]:
            raise PgError("XX000", "hypothetical-set aggregate has inconsistent declared types")
        if declared[hypothetical] != ANYOID:
            continue
        # the sort column comes first: it wins when types are equally good
        pair = [fargs[aggregated], fargs[hypothetical]]
        common = select_common_type(pstate, pair, "WITHIN GROUP")
        typmod = select_common_typmod(pstate, pair, common)
        for position in (hypothetical, aggregated):
            fargs[position] = coerce_type(
                pstate,
                fargs[position],
                actual[position],
                common,
                typmod,
                COERCION_IMPLICIT,
                COERCE_IMPLICIT_CAST,
                -1,
            )
            actual[position] = common


def _build_call(
    pstate: ParseState,
    detail: FuncDetail,
    names: list[str],
    fargs: list[Expr],
    argnames: list[str],
    actual: list[int],
    call: dict[str, Any],
    agg_filter: Expr | None,
    last_srf: Expr | None,
    location: int,
) -> Expr:
    """Convert the arguments and make FuncExpr, Aggref or WindowFunc."""
    catalog = pstate.catalog
    declared = list(detail.true_typeids)
    rettype = detail.rettype
    if detail.code == "aggregate" and call.get("agg_within_group"):
        agg = catalog.one(PgAggregate, aggfnoid=detail.funcid)
        if agg is not None and agg.aggkind == "h":
            _unify_hypothetical_args(pstate, fargs, len(call["agg_order"]), actual, declared)
    defaults: list[Expr] = []
    if detail.ndargs:
        defaults = _default_arguments(catalog, detail, len(fargs))
        actual = actual + [expr_type(d) for d in defaults]
    if actual != declared:
        rettype = enforce_generic_type_consistency(catalog, actual, declared, rettype)
        make_fn_arguments(pstate, fargs, actual, declared)
        make_fn_arguments(pstate, defaults, actual[len(fargs) :], declared[len(fargs) :])
    variadic = bool(call.get("func_variadic")) and detail.vatype != 0
    if detail.nvargs > 0 and detail.vatype != ANYOID:
        fargs = _collect_variadic(catalog, fargs, detail.nvargs)
        variadic = True
    if (
        fargs
        and detail.vatype == ANYOID
        and variadic
        and not get_base_element_type(catalog, actual[len(fargs) - 1])
    ):
        raise PgError(
            DATATYPE_MISMATCH,
            "VARIADIC argument must be an array",
            location=expr_location(fargs[-1]),
        )
    if detail.retset:
        check_srf_call_placement(pstate, last_srf, location)
    result: Expr
    if detail.code in ("normal", "procedure"):
        result = FuncExpr(
            detail.funcid,
            rettype,
            _in_place(detail, fargs, defaults),
            detail.retset,
            variadic,
            _FORMATS[call.get("funcformat", "COERCE_EXPLICIT_CALL")],
            0,
            0,
            location,
            _notation(detail, fargs) if defaults or detail.argnumbers is not None else (),
        )
    elif detail.code == "aggregate" and not call.get("over"):
        result = _make_aggref(
            pstate, detail, names, fargs, argnames, call, agg_filter, rettype, variadic, location
        )
    else:
        result = _make_window_func(
            pstate, detail, names, fargs, argnames, call, agg_filter, rettype, last_srf, location
        )
    if detail.retset:
        pstate.p_last_srf = result
    return result


def _collect_variadic(catalog: Catalog, fargs: list[Expr], nvargs: int) -> list[Expr]:
    first = len(fargs) - nvargs
    elements = fargs[first:]
    element_type = expr_type(elements[0])
    array_type = get_array_type(catalog, element_type)
    if not array_type:
        raise PgError(
            UNDEFINED_OBJECT,
            f"could not find array type for data type {catalog.type_name(element_type)}",
            location=expr_location(elements),
        )
    array = ArrayExpr(array_type, element_type, elements, False, 0, expr_location(elements))
    return [*fargs[:first], array]


def _in_place(detail: FuncDetail, fargs: list[Expr], defaults: list[Expr]) -> list[Expr]:
    """Arguments in the order of the parameters, named ones unwrapped, defaults added."""
    if detail.argnumbers is None:
        return fargs + defaults if defaults else fargs
    given = [a.arg if isinstance(a, NamedArgExpr) else a for a in fargs]
    placed: dict[int, Expr] = dict(zip(detail.argnumbers, given + defaults, strict=True))
    return [placed[n] for n in sorted(placed)]


def _notation(detail: FuncDetail, fargs: list[Expr]) -> tuple[tuple[int, str], ...]:
    """How the call is written: FuncExpr.notation."""
    if detail.argnumbers is None:
        return tuple((n, "") for n in range(len(fargs)))
    order = sorted(detail.argnumbers)
    return tuple(
        (order.index(number), arg.name if isinstance(arg, NamedArgExpr) else "")
        for number, arg in zip(detail.argnumbers, fargs, strict=False)
    )


def _default_arguments(catalog: Catalog, detail: FuncDetail, nargs: int) -> list[Expr]:
    """The default expressions that this call needs, in call order."""
    every = function_defaults(catalog, detail.funcid)
    if detail.argnumbers is None:
        return copy.deepcopy(every[len(every) - detail.ndargs :])
    first = len(detail.argnumbers) - len(every)  # CALL counts OUT parameters too
    return [copy.deepcopy(every[n - first]) for n in detail.argnumbers[nargs:]]


def function_defaults(catalog: Catalog, funcid: int) -> list[Expr]:
    """proargdefaults as expressions: stored nodes, or text for built-in functions."""
    cache = parse_cache(catalog)
    key = ("defaults", funcid)
    found: list[Expr] | None = cache.get(key)
    if found is None:
        proc = get_proc(catalog, funcid)
        found = cache[key] = _decode_defaults(catalog, proc.proargdefaults, proc)
    return found


def _decode_defaults(catalog: Catalog, text: str | None, proc: Any) -> list[Expr]:
    if not text:
        return []
    if not text.startswith("SQL:"):
        from pgemu.nodes.serialize import string_to_node

        decoded = string_to_node(text)
        return list(decoded) if isinstance(decoded, list) else [decoded]
    import pgparse

    from pgemu.parser.parse_expr import transform_expr
    from pgemu.parser.parse_node import ParseExprKind, make_parsestate

    pstate = make_parsestate(None, catalog, text[4:])
    raw = pgparse.parse(f"SELECT {text[4:]}")[0]["stmt"]["SelectStmt"]["targetList"]
    exprs = [
        transform_expr(pstate, t["ResTarget"]["val"], ParseExprKind.EXPR_KIND_FUNCTION_DEFAULT)
        for t in raw
    ]
    types = list(proc.proargtypes)[-len(exprs) :]
    make_fn_arguments(pstate, exprs, [expr_type(e) for e in exprs], types)
    # positions in that text mean nothing to the statement that calls the function
    from pgemu.nodes.walk import walk

    def forget(node: Any) -> None:
        if hasattr(node, "location"):
            node.location = -1
        if hasattr(node, "literal_location"):
            node.literal_location = None

    walk(exprs, forget)
    return exprs


def _make_aggref(
    pstate: ParseState,
    detail: FuncDetail,
    names: list[str],
    fargs: list[Expr],
    argnames: list[str],
    call: dict[str, Any],
    agg_filter: Expr | None,
    rettype: int,
    variadic: bool,
    location: int,
) -> Aggref:
    from pgemu.parser.parse_agg import transform_aggregate_call

    agg = pstate.catalog.one(PgAggregate, aggfnoid=detail.funcid)
    assert agg is not None
    _check_parameterless(names, fargs, call, location)
    if detail.retset:
        raise PgError(
            INVALID_FUNCTION_DEFINITION, "aggregates cannot return sets", location=location
        )
    _no_named_arguments(argnames, "aggregates", location)
    aggref = Aggref(
        detail.funcid,
        rettype,
        [],
        aggfilter=agg_filter,
        aggstar=bool(call.get("agg_star")),
        aggvariadic=variadic,
        aggkind=agg.aggkind,
        location=location,
    )
    transform_aggregate_call(
        pstate, aggref, fargs, call.get("agg_order", []), bool(call.get("agg_distinct"))
    )
    return aggref


def _check_parameterless(
    names: list[str], fargs: list[Expr], call: dict[str, Any], location: int
) -> None:
    if not fargs and not call.get("agg_star") and not call.get("agg_within_group"):
        raise PgError(
            WRONG_OBJECT_TYPE,
            f"{'.'.join(names)}(*) must be used to call a parameterless aggregate function",
            location=location,
        )


def _no_named_arguments(argnames: list[str], what: str, location: int) -> None:
    if argnames:
        raise PgError(
            FEATURE_NOT_SUPPORTED, f"{what} cannot use named arguments", location=location
        )


def _make_window_func(
    pstate: ParseState,
    detail: FuncDetail,
    names: list[str],
    fargs: list[Expr],
    argnames: list[str],
    call: dict[str, Any],
    agg_filter: Expr | None,
    rettype: int,
    last_srf: Expr | None,
    location: int,
) -> WindowFunc:
    from pgemu.parser.parse_agg import transform_window_func_call

    winagg = detail.code == "aggregate"
    message = ""
    if call.get("agg_distinct"):
        message = "DISTINCT is not implemented for window functions"
    elif winagg and not fargs and not call.get("agg_star"):
        _check_parameterless(names, fargs, call, location)
    elif call.get("agg_order"):
        message = "aggregate ORDER BY is not implemented for window functions"
    elif not winagg and agg_filter is not None:
        message = "FILTER is not implemented for non-aggregate window functions"
    if message:
        raise PgError(FEATURE_NOT_SUPPORTED, message, location=location)
    if pstate.p_last_srf is not last_srf:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "window function calls cannot contain set-returning function calls",
            hint="You might be able to move the set-returning function into a LATERAL FROM item.",
            location=expr_location(pstate.p_last_srf),
        )
    if detail.retset:
        raise PgError(
            INVALID_FUNCTION_DEFINITION, "window functions cannot return sets", location=location
        )
    _no_named_arguments(argnames, "window functions", location)
    wfunc = WindowFunc(
        detail.funcid,
        rettype,
        fargs,
        0,
        agg_filter,
        bool(call.get("agg_star")),
        winagg,
        location=location,
    )
    transform_window_func_call(pstate, wfunc, call["over"])
    return wfunc


def make_fn_arguments(
    pstate: ParseState, fargs: list[Expr], actual: list[int], declared: list[int]
) -> None:
    """Convert arguments, in place, to the declared types."""
    for i, arg in enumerate(fargs):
        source, target = actual[i], declared[i]
        if source == target:
            continue
        if isinstance(arg, NamedArgExpr):
            arg.arg = coerce_type(
                pstate, arg.arg, source, target, -1, COERCION_IMPLICIT, COERCE_IMPLICIT_CAST, -1
            )
        else:
            fargs[i] = coerce_type(
                pstate, arg, source, target, -1, COERCION_IMPLICIT, COERCE_IMPLICIT_CAST, -1
            )


def parse_complex_projection(
    pstate: ParseState, funcname: str, first_arg: Expr, location: int
) -> Expr | None:
    """Column funcname of a composite expression; None when it has no such column."""
    from pgemu.parser.funcapi import get_expr_result_type
    from pgemu.parser.parse_relation import (
        get_nsitem_by_range_table_posn,
        scan_nsitem_for_column,
    )
    from pgemu.parser.parse_target import expand_record_variable

    if isinstance(first_arg, Var) and first_arg.varattno == 0:
        nsitem = get_nsitem_by_range_table_posn(pstate, first_arg.varno, first_arg.varlevelsup)
        return scan_nsitem_for_column(pstate, nsitem, first_arg.varlevelsup, funcname, location)
    if isinstance(first_arg, Var) and first_arg.vartype == RECORDOID:
        columns = expand_record_variable(pstate, first_arg, 0)
    else:
        columns = get_expr_result_type(pstate.catalog, first_arg).columns or []
    for number, column in enumerate(columns, 1):
        if column.name == funcname and column.type_oid:
            return FieldSelect(first_arg, number, column.type_oid, column.typmod, column.collation)
    return None
