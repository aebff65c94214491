"""Turning raw DEFAULT, CHECK and GENERATED expressions into trees (cookDefault and cookConstraint
of PostgreSQL's heap.c) over a relation that may not exist in the catalogs yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pgemu.commands.clauses import contain_mutable_functions
from pgemu.errors import (
    DATATYPE_MISMATCH,
    INVALID_COLUMN_REFERENCE,
    INVALID_OBJECT_DEFINITION,
    PgError,
)
from pgemu.nodes.parsenodes import Alias, RangeTblEntry
from pgemu.nodes.primnodes import Var
from pgemu.nodes.walk import walk
from pgemu.parser.parse_coerce import coerce_to_boolean, coerce_to_target_type
from pgemu.parser.parse_collate import assign_expr_collations
from pgemu.parser.parse_expr import transform_expr
from pgemu.parser.parse_node import (
    ParseExprKind,
    ParseNamespaceColumn,
    ParseNamespaceItem,
    ParseState,
    make_parsestate,
)


def relation_pstate(
    catalog: Any,
    source_text: str,
    relid: int,
    relname: str,
    relkind: str,
    columns: Sequence[tuple[str, int, int, int]],
) -> ParseState:
    """A parse state in which one relation is visible; columns: (name, type, typmod, collation),
    name "" for a dropped one."""
    pstate = make_parsestate(None, catalog, source_text)
    names = Alias(relname, [c[0] for c in columns])
    rte = RangeTblEntry("relation", names, relid=relid, relkind=relkind)
    pstate.p_rtable.append(rte)
    pstate.p_joinexprs.append(None)
    made = [
        ParseNamespaceColumn(1, n, typ, typmod, coll, 1, n)
        if name
        else ParseNamespaceColumn(0, 0, 0, -1, 0, 0, 0)
        for n, (name, typ, typmod, coll) in enumerate(columns, 1)
    ]
    pstate.p_namespace.append(ParseNamespaceItem(names, rte, 1, p_nscolumns_made=made))
    return pstate


def open_relation_pstate(catalog: Any, source_text: str, relation: Any) -> ParseState:
    """The same for a relation of the relcache."""
    columns = [
        ("" if a.attisdropped else a.attname, a.atttypid, a.atttypmod, a.attcollation)
        for a in relation.attrs
    ]
    return relation_pstate(
        catalog, source_text, relation.oid, relation.name, relation.relkind, columns
    )


def cook_default(
    pstate: ParseState, raw: Any, type_id: int, typmod: int, name: str, generated: bool = False
) -> Any:
    """cookDefault: analyze and coerce to the column's type."""
    kind = (
        ParseExprKind.EXPR_KIND_GENERATED_COLUMN
        if generated
        else ParseExprKind.EXPR_KIND_COLUMN_DEFAULT
    )
    expr = transform_expr(pstate, raw, kind)
    if generated:
        _refuse_whole_row(expr)
    if generated and contain_mutable_functions(pstate.catalog, expr):
        raise PgError(INVALID_OBJECT_DEFINITION, "generation expression is not immutable")
    return coerce_default(pstate, expr, type_id, typmod, name)


def _refuse_whole_row(expr: Any) -> None:
    def visit(node: Any) -> bool | None:
        if isinstance(node, Var) and node.varattno == 0 and not node.varlevelsup:
            raise PgError(
                INVALID_OBJECT_DEFINITION,
                "cannot use whole-row variable in column generation expression",
                detail="This would cause the generated column to depend on its own value.",
                location=node.location,
            )
        return None

    walk([expr], visit)


def coerce_default(pstate: ParseState, expr: Any, type_id: int, typmod: int, name: str) -> Any:
    """The coercing half of cookDefault."""
    from pgemu.nodes import expr_type

    from_type = expr_type(expr)
    result = coerce_to_target_type(
        pstate, expr, from_type, type_id, typmod, "assignment", "implicit_cast", -1
    )
    if result is None:
        catalog = pstate.catalog
        raise PgError(
            DATATYPE_MISMATCH,
            f'column "{name}" is of type {catalog.type_name(type_id)} but default expression '
            f"is of type {catalog.type_name(from_type)}",
            hint="You will need to rewrite or cast the expression.",
        )
    assign_expr_collations(pstate, result)
    return result


def cook_constraint(pstate: ParseState, raw: Any, relname: str) -> Any:
    """cookConstraint: a CHECK condition."""
    expr = transform_expr(pstate, raw, ParseExprKind.EXPR_KIND_CHECK_CONSTRAINT)
    expr = coerce_to_boolean(pstate, expr, "CHECK")
    assign_expr_collations(pstate, expr)
    if len(pstate.p_rtable) != 1:
        raise PgError(
            INVALID_COLUMN_REFERENCE,
            f'only table "{relname}" can be referenced in check constraint',
        )
    return expr


def referenced_columns(expr: Any) -> list[int]:
    """Attribute numbers of the Vars of the one relation, in order of appearance, once each."""
    found: dict[int, None] = {}

    def visit(node: Any) -> bool | None:
        if isinstance(node, Var) and node.varlevelsup == 0:
            found[node.varattno] = None
        return None

    walk([expr], visit)
    return list(found)
