"""Clauses of a statement (PostgreSQL's parse_clause.c): here WHERE, LIMIT and the ON CONFLICT
target; FROM is parse_from.py, GROUP BY, ORDER BY and DISTINCT are parse_sort_group.py, WINDOW is
parse_window.py.  All of them can be imported from here, as in PostgreSQL."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.rows import PgConstraint, PgOpclass
from pgemu.errors import PgError
from pgemu.errors.codes import (
    FEATURE_NOT_SUPPORTED,
    INVALID_COLUMN_REFERENCE,
    INVALID_ROW_COUNT_IN_LIMIT_CLAUSE,
    SYNTAX_ERROR,
    UNDEFINED_OBJECT,
    WRONG_OBJECT_TYPE,
)
from pgemu.nodes.parsenodes import InferenceElem, OnConflictExpr, Query
from pgemu.nodes.primnodes import BoolExpr, Expr, Var
from pgemu.nodes.walk import children
from pgemu.parser.parse_coerce import coerce_to_boolean, coerce_to_specific_type
from pgemu.parser.parse_expr import transform_expr
from pgemu.parser.parse_from import (
    contain_vars_of_level,
    set_target_table,
    transform_from_clause,
    transform_from_clause_item,
)
from pgemu.parser.parse_node import ParseExprKind, ParseState
from pgemu.parser.parse_sort_group import (
    add_target_to_group_list,
    add_target_to_sort_list,
    assign_sort_group_ref,
    equal,
    find_targetlist_entry_sql92,
    find_targetlist_entry_sql99,
    get_sortgroupref_tle,
    target_is_in_sort_list,
    transform_distinct_clause,
    transform_distinct_on_clause,
    transform_group_clause,
    transform_sort_clause,
)
from pgemu.parser.parse_window import transform_window_definitions
from pgemu.parser.predtest import predicate_implied_by
from pgemu.parser.type_oids import INT8OID

__all__ = [
    "add_target_to_group_list",
    "add_target_to_sort_list",
    "assign_sort_group_ref",
    "check_expr_is_var_free",
    "contain_vars_of_level",
    "equal",
    "find_targetlist_entry_sql92",
    "find_targetlist_entry_sql99",
    "get_sortgroupref_tle",
    "infer_arbiter_indexes",
    "locate_var_of_level",
    "set_target_table",
    "target_is_in_sort_list",
    "transform_distinct_clause",
    "transform_distinct_on_clause",
    "transform_from_clause",
    "transform_from_clause_item",
    "transform_group_clause",
    "transform_limit_clause",
    "transform_on_conflict_arbiter",
    "transform_sort_clause",
    "transform_where_clause",
    "transform_window_definitions",
]

K = ParseExprKind
RawNode = dict[str, Any]
BTREE_AM_OID = 403


def transform_where_clause(
    pstate: ParseState, clause: RawNode | None, expr_kind: ParseExprKind, construct_name: str
) -> Expr | None:
    """A boolean condition; construct_name is for the error ("WHERE", "HAVING", ...)."""
    if clause is None:
        return None
    qual = transform_expr(pstate, clause, expr_kind)
    return coerce_to_boolean(pstate, qual, construct_name)


def transform_limit_clause(
    pstate: ParseState,
    clause: RawNode | None,
    expr_kind: ParseExprKind,
    construct_name: str,
    limit_option: str,
) -> Expr | None:
    """LIMIT or OFFSET: a bigint without columns of this query level."""
    if clause is None:
        return None
    qual = transform_expr(pstate, clause, expr_kind)
    qual = coerce_to_specific_type(pstate, qual, INT8OID, construct_name)
    check_expr_is_var_free(pstate, qual, construct_name)
    if (
        expr_kind is K.EXPR_KIND_LIMIT
        and limit_option == "with_ties"
        and clause.get("A_Const", {}).get("isnull")
    ):
        raise PgError(
            INVALID_ROW_COUNT_IN_LIMIT_CLAUSE,
            "row count cannot be null in FETCH FIRST ... WITH TIES clause",
        )
    return qual


def check_expr_is_var_free(pstate: ParseState, node: Expr, construct_name: str) -> None:
    """42P10 when the expression refers to a column of the query it belongs to."""
    location = locate_var_of_level(node, 0)
    if location is not None:
        raise PgError(
            INVALID_COLUMN_REFERENCE,
            f"argument of {construct_name} must not contain variables",
            location=location,
        )


def locate_var_of_level(node: Any, levelsup: int) -> int | None:
    """Location of a Var of the given level (-1 when it has none); None when there is no Var."""
    if isinstance(node, Var):
        return node.location if node.varlevelsup == levelsup else None
    below = levelsup + 1 if isinstance(node, Query) else levelsup
    for child in children(node):
        location = locate_var_of_level(child, below)
        if location is not None:
            return location
    return None


# ----------------------------------------------------------------------------- ON CONFLICT


def transform_on_conflict_arbiter(
    pstate: ParseState, clause: RawNode, result: OnConflictExpr
) -> None:
    """The conflict target: index columns, predicate or constraint name, into `result`."""
    infer = clause.get("infer")
    rel = pstate.p_target_relation
    assert rel is not None
    if result.action == "update" and infer is None:
        raise PgError(
            SYNTAX_ERROR,
            "ON CONFLICT DO UPDATE requires inference specification or constraint name",
            hint="For example, ON CONFLICT (column_name).",
            location=clause.get("location", 0),
        )
    if rel.is_system_catalog:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "ON CONFLICT is not supported with system catalog tables",
            location=clause.get("location", 0),
        )
    if infer is None:
        return
    if infer.get("indexElems"):
        result.arbiter_elems = [
            _resolve_index_elem(pstate, item["IndexElem"], infer.get("location", 0))
            for item in infer["indexElems"]
        ]
    if infer.get("whereClause") is not None:
        result.arbiter_where = transform_expr(
            pstate, infer["whereClause"], K.EXPR_KIND_INDEX_PREDICATE
        )
    if infer.get("conname"):
        row = pstate.catalog.one(PgConstraint, conrelid=rel.oid, conname=infer["conname"])
        if row is None:
            raise PgError(
                UNDEFINED_OBJECT,
                f'constraint "{infer["conname"]}" for table "{rel.name}" does not exist',
            )
        result.constraint = row.oid
        # inference tells about these columns
        assert pstate.p_target_nsitem is not None
        rte = pstate.p_target_nsitem.p_rte
        rte.required_perms.add("SELECT")
        rte.selected_cols.update(row.conkey or ())


def _resolve_index_elem(pstate: ParseState, elem: RawNode, location: int) -> InferenceElem:
    if elem.get("ordering", "SORTBY_DEFAULT") != "SORTBY_DEFAULT":
        raise PgError(
            INVALID_COLUMN_REFERENCE,
            "ASC/DESC is not allowed in ON CONFLICT clause",
            location=location,
        )
    if elem.get("nulls_ordering", "SORTBY_NULLS_DEFAULT") != "SORTBY_NULLS_DEFAULT":
        raise PgError(
            INVALID_COLUMN_REFERENCE,
            "NULLS FIRST/LAST is not allowed in ON CONFLICT clause",
            location=location,
        )
    raw = elem.get("expr") or {
        "ColumnRef": {"fields": [{"String": {"sval": elem["name"]}}], "location": location}
    }
    result = InferenceElem(transform_expr(pstate, raw, K.EXPR_KIND_INDEX_EXPRESSION))
    if elem.get("collation"):
        from pgemu.parser.parse_type import lookup_collation

        result.infercollid = lookup_collation(pstate, elem["collation"], location)
    if elem.get("opclass"):
        names = [n["String"].get("sval", "") for n in elem["opclass"]]
        classes = pstate.catalog.all(PgOpclass, opcname=names[-1])
        found = next((c for c in classes if c.opcmethod == BTREE_AM_OID), None)
        if found is None:
            raise PgError(
                UNDEFINED_OBJECT,
                f'operator class "{".".join(names)}" does not exist for access method "btree"',
            )
        result.inferopclass = found.oid
    return result


def _conjuncts(node: Expr | None) -> list[Expr]:
    if node is None:
        return []
    if isinstance(node, BoolExpr) and node.boolop == "and":
        return [c for arg in node.args for c in _conjuncts(arg)]
    return [node]


def infer_arbiter_indexes(relation: Any, oc: OnConflictExpr) -> list[int]:
    """OIDs of the unique indexes that ON CONFLICT's target means (PostgreSQL's plancat.c)."""
    if not oc.arbiter_elems and not oc.constraint:
        return []
    if oc.constraint:
        for info in relation.indexes:
            if info.constraint is not None and info.constraint.oid == oc.constraint:
                if oc.action == "update" and info.index.indisexclusion:
                    raise PgError(
                        WRONG_OBJECT_TYPE,
                        "ON CONFLICT DO UPDATE not supported with exclusion constraints",
                    )
                return [info.oid]
        raise PgError(WRONG_OBJECT_TYPE, "constraint in ON CONFLICT clause has no associated index")
    attrs: set[int] = set()
    exprs: list[Expr] = []
    for elem in oc.arbiter_elems:
        if isinstance(elem.expr, Var):
            if elem.expr.varattno == 0:
                raise PgError(
                    FEATURE_NOT_SUPPORTED,
                    "whole row unique index inference specifications are not supported",
                )
            attrs.add(elem.expr.varattno)
        else:
            exprs.append(elem.expr)
    where = _conjuncts(oc.arbiter_where)
    found = [info.oid for info in relation.indexes if _index_matches(info, oc, attrs, exprs, where)]
    if not found:
        raise PgError(
            INVALID_COLUMN_REFERENCE,
            "there is no unique or exclusion constraint matching the ON CONFLICT specification",
        )
    return found


def _index_matches(
    info: Any, oc: OnConflictExpr, attrs: set[int], exprs: list[Expr], where: list[Expr]
) -> bool:
    index = info.index
    if not index.indisunique or not index.indisvalid or index.indisexclusion:
        return False
    if {a for a in info.key_attnums if a} != attrs:
        return False
    index_exprs = info.exprs
    if not all(any(equal(e, x) for x in index_exprs) for e in exprs):
        return False
    if not all(any(equal(e, x) for e in exprs) for x in index_exprs):
        return False
    for elem in oc.arbiter_elems:
        if (elem.infercollid or elem.inferopclass) and not _elem_matches(info, elem):
            return False
    return predicate_implied_by(info.catalog, _conjuncts(info.pred), where)


def _elem_matches(info: Any, elem: InferenceElem) -> bool:
    expr_position = 0
    for position, attnum in enumerate(info.key_attnums):
        if attnum:
            same = isinstance(elem.expr, Var) and elem.expr.varattno == attnum
        else:
            same = equal(elem.expr, info.exprs[expr_position])
            expr_position += 1
        if not same:
            continue
        if elem.infercollid and info.index.indcollation[position] != elem.infercollid:
            continue
        if elem.inferopclass and info.index.indclass[position] != elem.inferopclass:
            continue
        return True
    return False
