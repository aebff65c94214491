"""Operators: lookup, and the expressions made with them (PostgreSQL's parse_oper.c), including
the sorting and equality operators of a type (from typcache.c and lsyscache.c)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pgemu.catalog.namespace import function_search_path
from pgemu.catalog.namespace_candidates import opername_get_candidates, opername_get_oprid
from pgemu.catalog.rows import PgAmop, PgOpclass, PgOperator
from pgemu.errors import (
    AMBIGUOUS_FUNCTION,
    SYNTAX_ERROR,
    UNDEFINED_FUNCTION,
    UNDEFINED_OBJECT,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.nodes.nodefuncs import expr_type
from pgemu.nodes.primnodes import Expr, OpExpr, ScalarArrayOpExpr
from pgemu.parser.parse_cache import (
    by_role,
    get_array_type,
    get_base_element_type,
    get_base_type,
    get_element_type,
    get_multirange_range,
    get_operator,
    get_proc,
    get_range_subtype,
    get_type,
    parse_cache,
    str_list,
)
from pgemu.parser.parse_coerce import composite_attributes, enforce_generic_type_consistency
from pgemu.parser.parse_coerce_path import is_binary_coercible, is_preferred_type
from pgemu.parser.parse_func_detail import func_match_argtypes, func_select_candidate
from pgemu.parser.parse_type import lookup_type_name_oid
from pgemu.parser.type_oids import (
    ARRAY_EQ_OP,
    ARRAY_GT_OP,
    ARRAY_LT_OP,
    BOOLOID,
    BTREE_AM_OID,
    HASH_AM_OID,
    MULTIRANGE_EQ_OP,
    POLYMORPHIC_TYPES,
    RANGE_EQ_OP,
    RECORD_EQ_OP,
    RECORD_GT_OP,
    RECORD_LT_OP,
    RECORDOID,
    UNKNOWNOID,
)

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog
    from pgemu.parser.parse_node import ParseState


def oper(
    pstate: ParseState | None,
    opname: list[Any],
    ltype: int,
    rtype: int,
    no_error: bool = False,
    location: int = -1,
    *,
    catalog: Catalog | None = None,
) -> PgOperator | None:
    """The binary operator that these operand types select."""
    if catalog is None:
        assert pstate is not None
        catalog = pstate.catalog
    names = str_list(opname)
    cache = parse_cache(catalog)
    path = function_search_path(catalog) if len(names) == 1 else by_role(catalog)
    key = ("oper", path, ltype, rtype, *names)
    oid: int | None = cache.get(key)
    if oid is None:
        oid, multiple = _find_operator(catalog, names, "b", [ltype, rtype], location)
        if not oid:
            if no_error:
                return None
            raise op_error(catalog, names, "b", ltype, rtype, multiple, location)
        cache[key] = oid
    return get_operator(catalog, oid)


def left_oper(
    pstate: ParseState, opname: list[Any], arg: int, no_error: bool = False, location: int = -1
) -> PgOperator | None:
    """The prefix operator for an operand type."""
    catalog = pstate.catalog
    names = str_list(opname)
    cache = parse_cache(catalog)
    path = function_search_path(catalog) if len(names) == 1 else by_role(catalog)
    key = ("oper", path, 0, arg, *names)
    oid: int | None = cache.get(key)
    if oid is None:
        oid, multiple = _find_operator(catalog, names, "l", [arg], location)
        if not oid:
            if no_error:
                return None
            raise op_error(catalog, names, "l", 0, arg, multiple, location)
        cache[key] = oid
    return get_operator(catalog, oid)


def _find_operator(
    catalog: Catalog, names: list[str], kind: str, types: list[int], location: int
) -> tuple[int, bool]:
    """(operator OID or 0, was it ambiguous?): an exact match, else the best candidate."""
    try:
        if kind == "b":
            oid = _binary_oper_exact(catalog, names, types[0], types[1])
        else:
            oid = opername_get_oprid(catalog, names, 0, types[0])
        return (oid, False) if oid else _oper_select(catalog, names, kind, types)
    except PgError as error:
        # a schema that does not exist
        if error.location is None or error.location < 0:
            error.location = location
        raise


def _binary_oper_exact(catalog: Catalog, names: list[str], arg1: int, arg2: int) -> int:
    was_unknown = False
    if arg1 == UNKNOWNOID and arg2:
        arg1, was_unknown = arg2, True
    elif arg2 == UNKNOWNOID and arg1:
        arg2, was_unknown = arg1, True
    found = opername_get_oprid(catalog, names, arg1, arg2)
    if not found and was_unknown:
        base = get_base_type(catalog, arg1)
        if base != arg1:
            found = opername_get_oprid(catalog, names, base, base)
    return found


def _oper_select(
    catalog: Catalog, names: list[str], kind: str, types: list[int]
) -> tuple[int, bool]:
    """oper_select_candidate: (operator OID or 0, was it ambiguous?)."""
    candidates = opername_get_candidates(catalog, names, kind)
    if kind == "l":
        candidates = [replace(c, args=c.args[1:]) for c in candidates]
    matching = func_match_argtypes(catalog, types, candidates)
    if not matching:
        return 0, False
    if len(matching) == 1:
        return matching[0].oid, False
    best = func_select_candidate(catalog, types, matching)
    return (best.oid, False) if best is not None else (0, True)


def compatible_oper(
    pstate: ParseState,
    opname: list[Any],
    arg1: int,
    arg2: int,
    no_error: bool = False,
    location: int = -1,
) -> PgOperator | None:
    """An operator that takes the operands without any run-time conversion."""
    catalog = pstate.catalog
    found = oper(pstate, opname, arg1, arg2, no_error, location)
    if found is None:
        return None
    if is_binary_coercible(catalog, arg1, found.oprleft) and is_binary_coercible(
        catalog, arg2, found.oprright
    ):
        return found
    if no_error:
        return None
    raise PgError(
        UNDEFINED_FUNCTION,
        "operator requires run-time type coercion: "
        + op_signature_string(catalog, str_list(opname), "b", arg1, arg2),
        location=location,
    )


def op_signature_string(catalog: Catalog, names: list[str], kind: str, arg1: int, arg2: int) -> str:
    left = f"{catalog.type_name(arg1)} " if kind != "l" else ""
    return f"{left}{'.'.join(names)} {catalog.type_name(arg2)}"


def op_error(
    catalog: Catalog,
    names: list[str],
    kind: str,
    arg1: int,
    arg2: int,
    multiple: bool,
    location: int,
) -> PgError:
    """The error for an operator that is ambiguous or does not exist."""
    signature = op_signature_string(catalog, names, kind, arg1, arg2)
    if multiple:
        return PgError(
            AMBIGUOUS_FUNCTION,
            f"operator is not unique: {signature}",
            hint="Could not choose a best candidate operator."
            " You might need to add explicit type casts.",
            location=location,
        )
    if not arg1 or not arg2:
        hint = (
            "No operator matches the given name and argument type."
            " You might need to add an explicit type cast."
        )
    else:
        hint = (
            "No operator matches the given name and argument types."
            " You might need to add explicit type casts."
        )
    return PgError(
        UNDEFINED_FUNCTION, f"operator does not exist: {signature}", hint=hint, location=location
    )


def _check_not_shell(catalog: Catalog, op: PgOperator, names: list[str], location: int) -> None:
    if not op.oprcode:
        signature = op_signature_string(catalog, names, op.oprkind, op.oprleft, op.oprright)
        raise PgError(
            UNDEFINED_FUNCTION, f"operator is only a shell: {signature}", location=location
        )


def make_op(
    pstate: ParseState,
    opname: list[Any],
    ltree: Expr | None,
    rtree: Expr | None,
    last_srf: Expr | None,
    location: int,
) -> OpExpr:
    """An OpExpr with its operands converted; ltree None: a prefix operator."""
    from pgemu.parser.parse_func import check_srf_call_placement, make_fn_arguments

    catalog = pstate.catalog
    if rtree is None:
        raise PgError(SYNTAX_ERROR, "postfix operators are not supported")
    rtype = expr_type(rtree)
    if ltree is None:
        op = left_oper(pstate, opname, rtype, False, location)
        assert op is not None
        args, actual, declared = [rtree], [rtype], [op.oprright]
    else:
        ltype = expr_type(ltree)
        op = oper(pstate, opname, ltype, rtype, False, location)
        assert op is not None
        args, actual, declared = [ltree, rtree], [ltype, rtype], [op.oprleft, op.oprright]
    if not op.oprcode:
        _check_not_shell(catalog, op, str_list(opname), location)
    rettype = op.oprresult
    if actual != declared:
        rettype = enforce_generic_type_consistency(catalog, actual, declared, rettype)
        make_fn_arguments(pstate, args, actual, declared)
    result = OpExpr(op.oid, op.oprcode, rettype, args, False, 0, 0, location)
    if get_proc(catalog, op.oprcode).proretset:
        result.opretset = True
        check_srf_call_placement(pstate, last_srf, location)
        pstate.p_last_srf = result
    return result


def make_scalar_array_op(
    pstate: ParseState,
    opname: list[Any],
    use_or: bool,
    ltree: Expr,
    rtree: Expr,
    location: int,
) -> ScalarArrayOpExpr:
    """scalar op ANY/ALL (array)."""
    from pgemu.parser.parse_func import make_fn_arguments

    catalog = pstate.catalog
    ltype, atype = expr_type(ltree), expr_type(rtree)
    if atype == UNKNOWNOID:
        rtype = UNKNOWNOID
    else:
        rtype = get_base_element_type(catalog, atype)
        if not rtype:
            raise PgError(
                WRONG_OBJECT_TYPE,
                "op ANY/ALL (array) requires array on right side",
                location=location,
            )
    op = oper(pstate, opname, ltype, rtype, False, location)
    assert op is not None
    _check_not_shell(catalog, op, str_list(opname), location)
    args = [ltree, rtree]
    actual, declared = [ltype, rtype], [op.oprleft, op.oprright]
    rettype = enforce_generic_type_consistency(catalog, actual, declared, op.oprresult)
    if rettype != BOOLOID:
        raise PgError(
            WRONG_OBJECT_TYPE,
            "op ANY/ALL (array) requires operator to yield boolean",
            location=location,
        )
    if get_proc(catalog, op.oprcode).proretset:
        raise PgError(
            WRONG_OBJECT_TYPE,
            "op ANY/ALL (array) requires operator not to return a set",
            location=location,
        )
    if declared[1] in POLYMORPHIC_TYPES:
        array_type = atype
    else:
        array_type = get_array_type(catalog, declared[1])
        if not array_type:
            raise PgError(
                UNDEFINED_OBJECT,
                f"could not find array type for data type {catalog.type_name(declared[1])}",
                location=location,
            )
    actual[1], declared[1] = atype, array_type
    make_fn_arguments(pstate, args, actual, declared)
    return ScalarArrayOpExpr(op.oid, op.oprcode, use_or, args, 0, location)


def lookup_oper_name(
    pstate: Any,
    opername: list[Any],
    oprleft: int,
    oprright: int,
    no_error: bool = False,
    location: int = -1,
) -> int:
    """LookupOperName: OID by exact operand types."""
    catalog: Catalog = getattr(pstate, "catalog", pstate)
    names = str_list(opername)
    found = opername_get_oprid(catalog, names, oprleft, oprright)
    if found or no_error:
        return found
    if oprleft and not oprright:
        raise PgError(SYNTAX_ERROR, "postfix operators are not supported", location=location)
    kind = "b" if oprleft else "l"
    signature = op_signature_string(catalog, names, kind, oprleft, oprright)
    raise PgError(UNDEFINED_FUNCTION, f"operator does not exist: {signature}", location=location)


def lookup_oper_with_args(
    catalog: Any, objectwithargs: dict[str, Any], no_error: bool = False
) -> int:
    """LookupOperWithArgs: from a raw ObjectWithArgs (two types, NONE being an empty node)."""
    catalog = getattr(catalog, "catalog", catalog)
    obj = objectwithargs.get("ObjectWithArgs", objectwithargs)
    types = [lookup_type_name_oid(catalog, a, no_error) if a else 0 for a in obj.get("objargs", [])]
    left, right = types
    return lookup_oper_name(catalog, obj["objname"], left, right, no_error)


# --- operators that sort and group ------------------------------------------------------------


def get_default_opclass(catalog: Catalog, type_id: int, am_id: int) -> PgOpclass | None:
    """GetDefaultOpClass of indexcmds.c, as its pg_opclass row."""
    cache = parse_cache(catalog)
    key = ("opclass", type_id, am_id)
    if key not in cache:
        cache[key] = _get_default_opclass(catalog, get_base_type(catalog, type_id), am_id)
    row: PgOpclass | None = cache[key]
    return row


def _get_default_opclass(catalog: Catalog, type_id: int, am_id: int) -> PgOpclass | None:
    category = get_type(catalog, type_id).typcategory
    compatible, preferred = [], []
    for row in catalog.all(PgOpclass, opcmethod=am_id):
        if not row.opcdefault:
            continue
        if row.opcintype == type_id:
            return row
        if is_binary_coercible(catalog, type_id, row.opcintype):
            if is_preferred_type(catalog, category, row.opcintype):
                preferred.append(row)
            else:
                compatible.append(row)
    if len(preferred) == 1:
        return preferred[0]
    if not preferred and len(compatible) == 1:
        return compatible[0]
    return None


def get_opfamily_member(
    catalog: Catalog, opfamily: int, lefttype: int, righttype: int, strategy: int
) -> int:
    """Operator of a strategy in an operator family, 0 if there is none."""
    row = catalog.one(
        PgAmop,
        amopfamily=opfamily,
        amoplefttype=lefttype,
        amoprighttype=righttype,
        amopstrategy=strategy,
    )
    return row.amopopr if row is not None else 0


def _type_operators(catalog: Catalog, type_id: int) -> tuple[int, int, int, bool]:
    """(<, =, >, hashable) of a type, 0 where it has none (lookup_type_cache)."""
    cache = parse_cache(catalog)
    key = ("sortgroup", type_id)
    known: tuple[int, int, int, bool] | None = cache.get(key)
    if known is None:
        cache[key] = (0, 0, 0, False)  # ends recursion of types that contain themselves
        known = cache[key] = _find_type_operators(catalog, type_id)
    return known


def _find_type_operators(catalog: Catalog, type_id: int) -> tuple[int, int, int, bool]:
    lt = eq = gt = 0
    btree = get_default_opclass(catalog, type_id, BTREE_AM_OID)
    if btree is not None:
        family, intype = btree.opcfamily, btree.opcintype
        lt = get_opfamily_member(catalog, family, intype, intype, 1)
        eq = get_opfamily_member(catalog, family, intype, intype, 3)
        gt = get_opfamily_member(catalog, family, intype, intype, 5)
    hash_class = get_default_opclass(catalog, type_id, HASH_AM_OID)
    if hash_class is not None and not eq:
        eq = get_opfamily_member(
            catalog, hash_class.opcfamily, hash_class.opcintype, hash_class.opcintype, 1
        )
    has_eq, has_cmp, has_hash = _contained(catalog, type_id, eq)
    if not has_eq:
        eq = 0
    if not has_cmp:
        lt = gt = 0
    hashable = hash_class is not None and eq != 0 and has_hash
    return lt, eq, gt, hashable


def _contained(catalog: Catalog, type_id: int, eq: int) -> tuple[bool, bool, bool]:
    """Can the parts of a container type be tested for equality, compared, hashed?"""
    base = get_base_type(catalog, type_id)
    if eq in (ARRAY_EQ_OP, ARRAY_LT_OP, ARRAY_GT_OP):
        parts = [get_element_type(catalog, base)]
    elif eq in (RECORD_EQ_OP, RECORD_LT_OP, RECORD_GT_OP):
        if base == RECORDOID:
            return True, True, False
        parts = [a.atttypid for a in composite_attributes(catalog, base) if not a.attisdropped]
    elif eq == RANGE_EQ_OP:
        _, _, _, hashable = _type_operators(catalog, get_range_subtype(catalog, base))
        return True, True, hashable
    elif eq == MULTIRANGE_EQ_OP:
        subtype = get_range_subtype(catalog, get_multirange_range(catalog, base))
        return True, True, _type_operators(catalog, subtype)[3]
    else:
        return True, True, True
    found = [_type_operators(catalog, p) if p else (0, 0, 0, False) for p in parts]
    return (
        all(f[1] for f in found),
        all(f[0] for f in found),
        all(f[3] for f in found),
    )


def get_sort_group_operators(
    catalog: Any,
    argtype: int,
    need_lt: bool,
    need_eq: bool,
    need_gt: bool,
    location: int = -1,
) -> tuple[int, int, int, bool]:
    """(<, =, >, is_hashable) of a type; raises 42883 for a needed one that does not exist.
    First argument: Catalog or ParseState."""
    catalog = getattr(catalog, "catalog", catalog)
    lt, eq, gt, hashable = _type_operators(catalog, argtype)
    if (need_lt and not lt) or (need_gt and not gt):
        raise PgError(
            UNDEFINED_FUNCTION,
            f"could not identify an ordering operator for type {catalog.type_name(argtype)}",
            hint="Use an explicit ordering operator or modify the query.",
            location=location,
        )
    if need_eq and not eq:
        raise PgError(
            UNDEFINED_FUNCTION,
            f"could not identify an equality operator for type {catalog.type_name(argtype)}",
            location=location,
        )
    return lt, eq, gt, hashable


def get_ordering_op_properties(catalog: Catalog, ordering_op: int) -> tuple[int, int, bool] | None:
    """get_ordering_op_properties: (opfamily, input type, is it the > of its family?) of a btree
    < or > operator, None for others."""
    for row in catalog.all(PgAmop, amopopr=ordering_op):
        if (
            row.amopmethod == BTREE_AM_OID
            and row.amoplefttype == row.amoprighttype
            and row.amopstrategy in (1, 5)
        ):
            return row.amopfamily, row.amoplefttype, row.amopstrategy == 5
    return None


def get_equality_op_for_ordering_op(catalog: Catalog, ordering_op: int) -> tuple[int, bool] | None:
    """(equality operator, reverse) of a < or > operator; None if it is none."""
    found = get_ordering_op_properties(catalog, ordering_op)
    if found is None:
        return None
    family, intype, reverse = found
    eq = get_opfamily_member(catalog, family, intype, intype, 3)
    return (eq, reverse) if eq else None


def op_hashjoinable(catalog: Catalog, op: int, input_type: int) -> bool:
    """May values be grouped by hashing with this equality operator?"""
    if op in (ARRAY_EQ_OP, RECORD_EQ_OP):
        return _type_operators(catalog, input_type)[3]
    return get_operator(catalog, op).oprcanhash


def compatible_oper_opid(
    pstate: ParseState, opname: list[Any], arg1: int, arg2: int, no_error: bool = False
) -> int:
    """compatible_oper_opid: the OID only, 0 with no_error."""
    found = compatible_oper(pstate, opname, arg1, arg2, no_error)
    return found.oid if found is not None else 0
