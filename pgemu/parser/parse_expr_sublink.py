"""Sub-selects in expressions and multi-column assignment sources (transformSubLink and
transformMultiAssignRef of PostgreSQL's parse_expr.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pgemu.errors import FEATURE_NOT_SUPPORTED, SYNTAX_ERROR, UNDEFINED_OBJECT, PgError
from pgemu.nodes import nodefuncs
from pgemu.nodes.nodefuncs import expr_collation, expr_location, expr_type, expr_typmod
from pgemu.nodes.parsenodes import Query
from pgemu.nodes.primnodes import Expr, Param, RowExpr, SubLink, TargetEntry
from pgemu.parser.parse_cache import get_promoted_array_type, str_list
from pgemu.parser.parse_node import ParseExprKind as K

if TYPE_CHECKING:
    from pgemu.parser.parse_node import ParseState

RawNode = dict[str, Any]

_FORBIDDEN = {
    K.EXPR_KIND_CHECK_CONSTRAINT: "check constraint",
    K.EXPR_KIND_DOMAIN_CHECK: "check constraint",
    K.EXPR_KIND_COLUMN_DEFAULT: "DEFAULT expression",
    K.EXPR_KIND_FUNCTION_DEFAULT: "DEFAULT expression",
    K.EXPR_KIND_INDEX_EXPRESSION: "index expression",
    K.EXPR_KIND_INDEX_PREDICATE: "index predicate",
    K.EXPR_KIND_STATS_EXPRESSION: "statistics expression",
    K.EXPR_KIND_ALTER_COL_TRANSFORM: "transform expression",
    K.EXPR_KIND_EXECUTE_PARAMETER: "EXECUTE parameter",
    K.EXPR_KIND_TRIGGER_WHEN: "trigger WHEN condition",
    K.EXPR_KIND_PARTITION_BOUND: "partition bound",
    K.EXPR_KIND_PARTITION_EXPRESSION: "partition key expression",
    K.EXPR_KIND_CALL_ARGUMENT: "CALL argument",
    K.EXPR_KIND_COPY_WHERE: "COPY FROM WHERE condition",
    K.EXPR_KIND_GENERATED_COLUMN: "column generation expression",
}
_KINDS = {
    "EXISTS_SUBLINK": "exists",
    "ALL_SUBLINK": "all",
    "ANY_SUBLINK": "any",
    "ROWCOMPARE_SUBLINK": "rowcompare",
    "EXPR_SUBLINK": "expr",
    "MULTIEXPR_SUBLINK": "multiexpr",
    "ARRAY_SUBLINK": "array",
    "CTE_SUBLINK": "cte",
}


def _columns(query: Query) -> list[TargetEntry]:
    return [t for t in query.target_list if not t.resjunk]


def transform_sub_link(pstate: ParseState, body: RawNode) -> Expr:
    """(SELECT ...), EXISTS, IN, op ANY/ALL, ARRAY(SELECT ...)."""
    from pgemu.parser.analyze import parse_sub_analyze
    from pgemu.parser.parse_expr import transform_expr_recurse
    from pgemu.parser.parse_expr_op import make_row_comparison_op

    location = body.get("location", 0)
    place = _FORBIDDEN.get(pstate.p_expr_kind)
    if place is not None:
        raise PgError(FEATURE_NOT_SUPPORTED, f"cannot use subquery in {place}", location=location)
    pstate.p_has_sublinks = True
    query = parse_sub_analyze(body["subselect"], pstate, None, False, True)
    kind = _KINDS[body.get("subLinkType", "EXISTS_SUBLINK")]
    sublink = SubLink(kind, query, None, 0, [], location)
    if kind in ("exists", "multiexpr"):
        return sublink
    columns = _columns(query)
    if kind in ("expr", "array"):
        if len(columns) != 1:
            raise PgError(SYNTAX_ERROR, "subquery must return only one column", location=location)
        if kind == "array":
            _register_array_type(pstate, expr_type(columns[0].expr))
        return sublink
    sublink.opername = str_list(body.get("operName") or ["="])
    lefthand = transform_expr_recurse(pstate, body["testexpr"])
    left = lefthand.args if isinstance(lefthand, RowExpr) else [lefthand]
    right: list[Expr] = [
        Param("sublink", t.resno, expr_type(t.expr), expr_typmod(t.expr), expr_collation(t.expr))
        for t in columns
    ]
    if len(left) != len(right):
        word = "many" if len(left) < len(right) else "few"
        raise PgError(SYNTAX_ERROR, f"subquery has too {word} columns", location=location)
    sublink.testexpr = make_row_comparison_op(pstate, sublink.opername, left, right, location)
    return sublink


def _register_array_type(pstate: ParseState, element: int) -> None:
    """expr_type of an ARRAY sublink reads its type from the table of nodefuncs."""
    catalog = pstate.catalog
    array = get_promoted_array_type(catalog, element)
    if not array:
        raise PgError(
            UNDEFINED_OBJECT,
            f"could not find array type for data type {catalog.type_name(element)}",
        )
    nodefuncs.array_type_of[element] = array


def transform_multi_assign_ref(pstate: ParseState, body: RawNode) -> Expr:
    """Column number colno of the source in UPDATE ... SET (a, b) = source."""
    from pgemu.parser.parse_expr import transform_expr_recurse, transform_row_expr
    from pgemu.parser.raw_location import raw_location

    colno, ncolumns = body["colno"], body["ncolumns"]
    if colno == 1:
        source = body["source"]
        sublink = source.get("SubLink")
        if sublink is not None and sublink.get("subLinkType") == "EXPR_SUBLINK":
            node = transform_expr_recurse(
                pstate, {"SubLink": {**sublink, "subLinkType": "MULTIEXPR_SUBLINK"}}
            )
            count = len(_columns(node.subselect))
        elif "RowExpr" in source:
            node = transform_row_expr(pstate, source["RowExpr"], True)
            count = len(node.args)
        else:
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression",
                location=raw_location(source),
            )
        if count != ncolumns:
            raise PgError(
                SYNTAX_ERROR,
                "number of columns does not match number of values",
                location=node.location,
            )
        pstate.p_multiassign_exprs.append(TargetEntry(node, 0, None, resjunk=True))
        if isinstance(node, SubLink):
            node.sublinkid = len(pstate.p_multiassign_exprs)
    held = pstate.p_multiassign_exprs[-1].expr
    if isinstance(held, SubLink):
        column = _columns(held.subselect)[colno - 1].expr
        return Param(
            "multiexpr",
            (held.sublinkid << 16) | colno,
            expr_type(column),
            expr_typmod(column),
            expr_collation(column),
            expr_location(column),
        )
    result: Expr = held.args[colno - 1]
    if colno == ncolumns:
        pstate.p_multiassign_exprs.pop()
    return result
