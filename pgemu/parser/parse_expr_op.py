"""A_Expr: operators, IN, BETWEEN, IS DISTINCT FROM, NULLIF, and row comparisons
(transformAExpr... and make_row_comparison_op of PostgreSQL's parse_expr.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pgemu.catalog.rows import PgAmop
from pgemu.errors import DATATYPE_MISMATCH, FEATURE_NOT_SUPPORTED, SYNTAX_ERROR, PgError
from pgemu.nodes.nodefuncs import expr_type
from pgemu.nodes.primnodes import (
    ArrayExpr,
    BoolExpr,
    CaseTestExpr,
    Const,
    DistinctExpr,
    Expr,
    NullIfExpr,
    NullTest,
    OpExpr,
    RowCompareExpr,
    RowExpr,
    SubLink,
    Var,
)
from pgemu.nodes.walk import walk
from pgemu.parser.parse_cache import get_array_type, get_operator, str_list
from pgemu.parser.parse_coerce import (
    coerce_to_boolean,
    coerce_to_common_type,
    expression_returns_set,
    select_common_type,
    verify_common_type,
)
from pgemu.parser.parse_oper import make_op, make_scalar_array_op
from pgemu.parser.type_oids import BOOLOID, BTREE_AM_OID, RECORDOID

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog
    from pgemu.parser.parse_node import ParseState

RawNode = dict[str, Any]


def _recurse(pstate: ParseState, node: Any) -> Any:
    from pgemu.parser.parse_expr import transform_expr_recurse

    return transform_expr_recurse(pstate, node)


def transform_a_expr(pstate: ParseState, body: RawNode) -> Expr:
    """Dispatch on the kind of A_Expr."""
    return _KINDS[body["kind"]](pstate, body)


def _is_null_constant(node: Any) -> bool:
    return isinstance(node, dict) and bool(node.get("A_Const", {}).get("isnull"))


def _is_row(node: Any) -> bool:
    return isinstance(node, RowExpr) or (isinstance(node, dict) and "RowExpr" in node)


def transform_a_expr_op(pstate: ParseState, body: RawNode) -> Expr:
    """A binary or prefix operator (also LIKE, ILIKE, SIMILAR TO)."""
    lexpr, rexpr = body.get("lexpr"), body.get("rexpr")
    location = body.get("location", 0)
    name = str_list(body["name"])
    if _is_null_constant(lexpr) or _is_null_constant(rexpr):
        tested = rexpr if _is_null_constant(lexpr) else lexpr
        if (
            name == ["="]
            and not isinstance(lexpr, CaseTestExpr)
            and not isinstance(rexpr, CaseTestExpr)
            and _transform_null_equals(pstate.catalog)
        ):
            from pgemu.parser.parse_expr import transform_expr_recurse

            test = {"arg": tested, "nulltesttype": "IS_NULL", "location": location}
            result: Expr = transform_expr_recurse(pstate, {"NullTest": test})
            return result
    if _is_row(lexpr) and isinstance(rexpr, dict):
        sublink = rexpr.get("SubLink")
        if sublink is not None and sublink.get("subLinkType") == "EXPR_SUBLINK":
            # row op (SELECT ...)
            rewritten = {
                **sublink,
                "subLinkType": "ROWCOMPARE_SUBLINK",
                "testexpr": lexpr,
                "operName": body["name"],
                "location": location,
            }
            compared: Expr = _recurse(pstate, {"SubLink": rewritten})
            return compared
        if "RowExpr" in rexpr:
            left, right = _recurse(pstate, lexpr), _recurse(pstate, rexpr)
            return make_row_comparison_op(pstate, name, left.args, right.args, location)
    last_srf = pstate.p_last_srf
    left = _recurse(pstate, lexpr)
    right = _recurse(pstate, rexpr)
    return make_op(pstate, name, left, right, last_srf, location)


def _transform_null_equals(catalog: Catalog) -> bool:
    guc = getattr(catalog, "guc", None)
    return guc is not None and bool(guc.value("transform_null_equals"))


def _transform_op_any(pstate: ParseState, body: RawNode) -> Expr:
    return _scalar_array(pstate, body, True)


def _transform_op_all(pstate: ParseState, body: RawNode) -> Expr:
    return _scalar_array(pstate, body, False)


def _scalar_array(pstate: ParseState, body: RawNode, use_or: bool) -> Expr:
    left = _recurse(pstate, body["lexpr"])
    right = _recurse(pstate, body["rexpr"])
    return make_scalar_array_op(pstate, body["name"], use_or, left, right, body.get("location", 0))


def _transform_distinct(pstate: ParseState, body: RawNode) -> Expr:
    negated = body["kind"] == "AEXPR_NOT_DISTINCT"
    location = body.get("location", 0)
    lexpr, rexpr = body["lexpr"], body["rexpr"]
    for null, other in ((rexpr, lexpr), (lexpr, rexpr)):
        if _is_null_constant(null):
            return NullTest(_recurse(pstate, other), negated, False, location)
    left, right = _recurse(pstate, lexpr), _recurse(pstate, rexpr)
    name = str_list(body["name"])
    result: Expr
    if isinstance(left, RowExpr) and isinstance(right, RowExpr):
        result = _make_row_distinct_op(pstate, name, left, right, location)
    else:
        result = make_distinct_op(pstate, name, left, right, location)
    return BoolExpr("not", [result], location) if negated else result


def make_distinct_op(
    pstate: ParseState, opname: list[str], ltree: Expr, rtree: Expr, location: int
) -> DistinctExpr:
    """IS DISTINCT FROM over the type's = operator."""
    op = make_op(pstate, opname, ltree, rtree, pstate.p_last_srf, location)
    _check_comparison(op, "IS DISTINCT FROM", location)
    return DistinctExpr(op.opno, op.opfuncid, op.opresulttype, op.args, op.opretset, 0, 0, location)


def _check_comparison(op: OpExpr, construct: str, location: int) -> None:
    if op.opresulttype != BOOLOID:
        raise PgError(
            DATATYPE_MISMATCH,
            f"{construct} requires = operator to yield boolean",
            location=location,
        )
    if op.opretset:
        raise PgError(DATATYPE_MISMATCH, f"{construct} must not return a set", location=location)


def _make_row_distinct_op(
    pstate: ParseState, opname: list[str], lrow: RowExpr, rrow: RowExpr, location: int
) -> Expr:
    if len(lrow.args) != len(rrow.args):
        raise _unequal_rows(location)
    result: Expr | None = None
    for left, right in zip(lrow.args, rrow.args, strict=True):
        one = make_distinct_op(pstate, opname, left, right, location)
        result = one if result is None else BoolExpr("or", [result, one], location)
    return result if result is not None else Const(BOOLOID, 0)


def _unequal_rows(location: int) -> PgError:
    return PgError(SYNTAX_ERROR, "unequal number of entries in row expressions", location=location)


def _transform_nullif(pstate: ParseState, body: RawNode) -> Expr:
    left, right = _recurse(pstate, body["lexpr"]), _recurse(pstate, body["rexpr"])
    location = body.get("location", 0)
    op = make_op(pstate, body["name"], left, right, pstate.p_last_srf, location)
    _check_comparison(op, "NULLIF", location)
    return NullIfExpr(op.opno, op.opfuncid, expr_type(op.args[0]), op.args, False, 0, 0, location)


def _contains_vars_of_this_level(node: Expr) -> bool:
    if isinstance(node, Const):
        return False
    if isinstance(node, Var):
        return node.varlevelsup == 0
    found = False
    has_sublink = False

    def visit(item: Any) -> bool | None:
        nonlocal found, has_sublink
        if isinstance(item, Var) and item.varlevelsup == 0:
            found = True
        if isinstance(item, SubLink):
            has_sublink = True
            return False
        return False if found else None

    walk([node], visit)
    if not found and has_sublink:
        from pgemu.parser.parse_from import contain_vars_of_level

        return contain_vars_of_level([node], 0)
    return found


def _transform_in(pstate: ParseState, body: RawNode) -> Expr:
    """x [NOT] IN (list): one array comparison over the items without columns, the rest ORed."""
    name = str_list(body["name"])
    use_or = name != ["<>"]
    location = body.get("location", 0)
    lexpr = _recurse(pstate, body["lexpr"])
    items = [_recurse(pstate, item) for item in body["rexpr"]["List"]["items"]]
    constants = [item for item in items if not _contains_vars_of_this_level(item)]
    result: Expr | None = None
    if len(constants) > 1:
        result = _in_array(pstate, name, use_or, lexpr, constants, location)
        if result is not None:
            items = (
                [item for item in items if not any(item is c for c in constants)]
                if len(constants) != len(items)
                else []
            )
    for item in items:
        one: Expr
        if isinstance(lexpr, RowExpr) and isinstance(item, RowExpr):
            one = make_row_comparison_op(pstate, name, lexpr.args, item.args, location)
        else:
            one = make_op(pstate, name, lexpr, item, pstate.p_last_srf, location)
        one = coerce_to_boolean(pstate, one, "IN")
        if result is None:
            result = one
        else:
            result = BoolExpr("or" if use_or else "and", [result, one], location)
    assert result is not None
    return result


def _in_array(
    pstate: ParseState,
    name: list[str],
    use_or: bool,
    lexpr: Expr,
    constants: list[Expr],
    location: int,
) -> Expr | None:
    catalog = pstate.catalog
    every = [lexpr, *constants]
    scalar_type = select_common_type(pstate, every, None)
    if not scalar_type or scalar_type == RECORDOID:
        return None
    if not verify_common_type(catalog, scalar_type, every):
        return None
    array_type = get_array_type(catalog, scalar_type)
    if not array_type:
        return None
    elements = [coerce_to_common_type(pstate, c, scalar_type, "IN") for c in constants]
    array = ArrayExpr(array_type, scalar_type, elements)
    return make_scalar_array_op(pstate, name, use_or, lexpr, array, location)


def _simple_op(op: str, left: RawNode, right: RawNode, location: int) -> RawNode:
    return {
        "A_Expr": {
            "kind": "AEXPR_OP",
            "name": [op],
            "lexpr": left,
            "rexpr": right,
            "location": location,
        }
    }


def _transform_between(pstate: ParseState, body: RawNode) -> Expr:
    """BETWEEN becomes comparisons; the tested expression is analyzed once for each."""
    a = body["lexpr"]
    b, c = body["rexpr"]["List"]["items"]
    location = body.get("location", 0)
    kind = body["kind"]
    negated = "NOT" in kind
    low, high, inner, outer = (
        ("<", ">", "OR_EXPR", "AND_EXPR") if negated else (">=", "<=", "AND_EXPR", "OR_EXPR")
    )

    def pair(x: RawNode, y: RawNode) -> RawNode:
        args = [_simple_op(low, a, x, location), _simple_op(high, a, y, location)]
        return {"BoolExpr": {"boolop": inner, "args": args, "location": location}}

    if kind.endswith("_SYM"):
        both = [pair(b, c), pair(c, b)]
        tree: RawNode = {"BoolExpr": {"boolop": outer, "args": both, "location": location}}
    else:
        tree = pair(b, c)
    result: Expr = _recurse(pstate, tree)
    return result


_ROWCOMPARE = {1: "<", 2: "<=", 3: "=", 4: ">=", 5: ">", 6: "<>"}


def make_row_comparison_op(
    pstate: ParseState,
    opname: list[Any],
    largs: list[Expr],
    rargs: list[Expr],
    location: int,
) -> Expr:
    """ROW op ROW: AND or OR of the pairs for = and <>, a RowCompareExpr for the others."""
    catalog = pstate.catalog
    if len(largs) != len(rargs):
        raise _unequal_rows(location)
    if not largs:
        raise PgError(
            FEATURE_NOT_SUPPORTED, "cannot compare rows of zero length", location=location
        )
    ops: list[OpExpr] = []
    for left, right in zip(largs, rargs, strict=True):
        op = make_op(pstate, opname, left, right, pstate.p_last_srf, location)
        if op.opresulttype != BOOLOID:
            raise PgError(
                DATATYPE_MISMATCH,
                "row comparison operator must yield type boolean, not type "
                + catalog.type_name(op.opresulttype),
                location=location,
            )
        if pstate.p_last_srf is not None and expression_returns_set(op):
            raise PgError(
                DATATYPE_MISMATCH,
                "row comparison operator must not return a set",
                location=location,
            )
        ops.append(op)
    if len(ops) == 1:
        return ops[0]
    strategies = set.intersection(*(btree_strategies(catalog, op.opno) for op in ops))
    if not strategies:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "could not determine interpretation of row comparison operator " + str_list(opname)[-1],
            hint="Row comparison operators must be associated with btree operator families.",
            location=location,
        )
    rctype = _ROWCOMPARE[min(strategies)]
    if rctype == "=":
        return BoolExpr("and", list(ops), location)
    if rctype == "<>":
        return BoolExpr("or", list(ops), location)
    return RowCompareExpr(
        rctype,
        [op.opno for op in ops],
        [],
        [op.args[0] for op in ops],
        [op.args[1] for op in ops],
    )


def btree_strategies(catalog: Catalog, opno: int) -> set[int]:
    """get_op_btree_interpretation: the strategy numbers that an operator has in btree families;
    6 for the negator of an equality."""
    found = {
        row.amopstrategy
        for row in catalog.all(PgAmop, amopopr=opno)
        if row.amopmethod == BTREE_AM_OID
    }
    if found:
        return found
    negator = get_operator(catalog, opno).oprnegate
    if negator and any(
        row.amopmethod == BTREE_AM_OID and row.amopstrategy == 3
        for row in catalog.all(PgAmop, amopopr=negator)
    ):
        return {6}
    return set()


_KINDS: dict[str, Callable[[Any, RawNode], Expr]] = {
    "AEXPR_OP": transform_a_expr_op,
    "AEXPR_OP_ANY": _transform_op_any,
    "AEXPR_OP_ALL": _transform_op_all,
    "AEXPR_DISTINCT": _transform_distinct,
    "AEXPR_NOT_DISTINCT": _transform_distinct,
    "AEXPR_NULLIF": _transform_nullif,
    "AEXPR_IN": _transform_in,
    "AEXPR_LIKE": transform_a_expr_op,
    "AEXPR_ILIKE": transform_a_expr_op,
    "AEXPR_SIMILAR": transform_a_expr_op,
    "AEXPR_BETWEEN": _transform_between,
    "AEXPR_NOT_BETWEEN": _transform_between,
    "AEXPR_BETWEEN_SYM": _transform_between,
    "AEXPR_NOT_BETWEEN_SYM": _transform_between,
}
