"""XMLTABLE in FROM (transformRangeTableFunc of PostgreSQL's parse_clause.c)."""

from __future__ import annotations

from typing import Any

from pgemu.errors import PgError
from pgemu.errors.codes import (
    INVALID_COLUMN_REFERENCE,
    INVALID_TABLE_DEFINITION,
    SYNTAX_ERROR,
    TOO_MANY_COLUMNS,
)
from pgemu.nodes.parsenodes import Alias, RangeTblEntry
from pgemu.nodes.primnodes import Expr, TableFunc
from pgemu.parser.parse_cache import get_collation_of_type
from pgemu.parser.parse_coerce import coerce_to_specific_type, coerce_to_specific_type_typmod
from pgemu.parser.parse_collate import assign_expr_collations
from pgemu.parser.parse_expr import transform_expr
from pgemu.parser.parse_from import contain_vars_of_level
from pgemu.parser.parse_node import ParseExprKind, ParseNamespaceItem, ParseState
from pgemu.parser.parse_relation import alias_of
from pgemu.parser.parse_rte import _append, _merge_alias, _nsitem_from_lists
from pgemu.parser.parse_type import typename_type_id_and_mod
from pgemu.parser.type_oids import INT4OID, TEXTOID, XMLOID

_KIND = ParseExprKind.EXPR_KIND_FROM_FUNCTION
_MAX_COLUMNS = 1600


def transform_range_table_func(pstate: ParseState, body: dict[str, Any]) -> ParseNamespaceItem:
    """XMLTABLE sees the items before it without LATERAL being written."""
    pstate.p_lateral_active = True
    columns = [item["RangeTableFuncCol"] for item in body["columns"]]
    rowexpr = _coerced(pstate, body["rowexpr"], TEXTOID)
    docexpr = _coerced(pstate, body["docexpr"], XMLOID)
    func = TableFunc(
        [], [], docexpr, rowexpr, [], [], [], [], [], [], [], location=body.get("location", 0)
    )
    _columns(pstate, func, columns)
    _namespaces(pstate, func, body.get("namespaces", ()))
    pstate.p_lateral_active = False
    lateral = bool(body.get("lateral")) or contain_vars_of_level(func, 0)
    return add_range_table_entry_for_tablefunc(pstate, func, alias_of(body.get("alias")), lateral)


def add_range_table_entry_for_tablefunc(
    pstate: ParseState, func: TableFunc, alias: Alias | None, lateral: bool
) -> ParseNamespaceItem:
    refname = alias.aliasname if alias is not None else "xmltable"
    if alias is not None and len(alias.colnames) > len(func.colnames):
        raise PgError(
            INVALID_COLUMN_REFERENCE,
            f"XMLTABLE function has {len(func.colnames)} columns available but"
            f" {len(alias.colnames)} columns specified",
        )
    types, typmods, collations = func.coltypes, func.coltypmods, func.colcollations
    rte = RangeTblEntry(
        "tablefunc",
        _merge_alias(alias, refname, func.colnames, "XMLTABLE function"),
        alias,
        lateral,
        tablefunc=func,
        coltypes=types,
        coltypmods=typmods,
        colcollations=collations,
    )
    return _nsitem_from_lists(rte, _append(pstate, rte), types, typmods, collations)


def _coerced(pstate: ParseState, raw: dict[str, Any], type_oid: int) -> Expr:
    expr = coerce_to_specific_type(pstate, transform_expr(pstate, raw, _KIND), type_oid, "XMLTABLE")
    assign_expr_collations(pstate, expr)
    return expr


def _columns(pstate: ParseState, func: TableFunc, columns: list[dict[str, Any]]) -> None:
    if len(columns) > _MAX_COLUMNS:
        raise PgError(
            TOO_MANY_COLUMNS, f"functions in FROM can return at most {_MAX_COLUMNS} columns"
        )
    for number, column in enumerate(columns):
        name = column["colname"]
        func.colnames.append(name)
        type_oid, typmod = INT4OID, -1
        if column.get("for_ordinality"):
            if func.ordinalitycol >= 0:
                raise PgError(
                    SYNTAX_ERROR,
                    "only one FOR ORDINALITY column is allowed",
                    location=column.get("location", 0),
                )
            func.ordinalitycol = number
        else:
            if column["typeName"].get("setof"):
                raise PgError(
                    INVALID_TABLE_DEFINITION,
                    f'column "{name}" cannot be declared SETOF',
                    location=column.get("location", 0),
                )
            type_oid, typmod = typename_type_id_and_mod(pstate, column["typeName"])
        func.coltypes.append(type_oid)
        func.coltypmods.append(typmod)
        func.colcollations.append(get_collation_of_type(pstate.catalog, type_oid))
        func.notnulls.append(bool(column.get("is_not_null")))
        path = column.get("colexpr")
        func.colexprs.append(None if path is None else _coerced(pstate, path, TEXTOID))
        default = column.get("coldefexpr")
        func.coldefexprs.append(
            None if default is None else _default(pstate, default, type_oid, typmod)
        )
        if name in func.colnames[:number]:
            raise PgError(
                SYNTAX_ERROR,
                f'column name "{name}" is not unique',
                location=column.get("location", 0),
            )


def _default(pstate: ParseState, raw: dict[str, Any], type_oid: int, typmod: int) -> Expr:
    expr = coerce_to_specific_type_typmod(
        pstate, transform_expr(pstate, raw, _KIND), type_oid, typmod, "XMLTABLE"
    )
    assign_expr_collations(pstate, expr)
    return expr


def _namespaces(pstate: ParseState, func: TableFunc, raws: list[dict[str, Any]]) -> None:
    seen: set[str] = set()
    for raw in raws:
        target = raw["ResTarget"]
        func.ns_uris.append(_coerced(pstate, target["val"], TEXTOID))
        name = target.get("name")
        if name in seen or ("" in seen and name is None):
            at = target.get("location", 0)
            if name is None:
                raise PgError(SYNTAX_ERROR, "only one default namespace is allowed", location=at)
            raise PgError(SYNTAX_ERROR, f'namespace name "{name}" is not unique', location=at)
        seen.add(name or "")
        func.ns_names.append(name or "")
