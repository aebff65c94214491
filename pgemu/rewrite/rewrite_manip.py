"""Changing trees (PostgreSQL's rewriteManip.c): copy, renumber, replace Vars.

All functions but copy_object change the tree in place; give them a copy (copy_object also undoes
the sharing of sub-trees, without which a Var might be renumbered twice).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

from pgemu.nodes.parsenodes import (
    JoinExpr,
    OnConflictExpr,
    Query,
    RangeTblEntry,
    RangeTblRef,
    RowMarkClause,
)
from pgemu.nodes.primnodes import (
    Aggref,
    BoolExpr,
    Const,
    CurrentOfExpr,
    Expr,
    GroupingFunc,
    RowExpr,
    TargetEntry,
    Var,
)

T = TypeVar("T")
RECORDOID = 2249

# class -> field names; a pure function of the class
_FIELDS: dict[type, tuple[str, ...]] = {}
_LEAVES = (str, int, float, bool, bytes, type(None), dict)
_LEAF_CLASSES = frozenset(_LEAVES)


def field_names(cls: type) -> tuple[str, ...]:
    """Names of a node class's fields; () for what is no node."""
    names = _FIELDS.get(cls)
    if names is None:
        found = getattr(cls, "__dataclass_fields__", None)
        names = _FIELDS[cls] = tuple(f.name for f in fields(cls)) if found else ()
    return names


def copy_object(node: T) -> T:
    """A deep copy of a tree; raw parse nodes (dicts) are shared."""
    cls = type(node)
    if cls in _LEAF_CLASSES:
        return node
    if cls is list:
        return [copy_object(item) for item in node] if node else []  # type: ignore
    if isinstance(node, tuple):
        return tuple([copy_object(item) for item in node])  # type: ignore[return-value]
    if isinstance(node, set):
        return set(node)  # type: ignore[return-value]
    new = object.__new__(cls)
    for name in field_names(cls):
        value = getattr(node, name)
        setattr(new, name, value if type(value) in _LEAF_CLASSES else copy_object(value))
    return new


def copy_stored(node: T) -> T:
    """A copy of a tree from the catalogs for use in a statement: its constants are no literals
    of that statement, so that the plan cache must leave them alone."""
    copied = copy_object(node)

    def visit(n: Any, _level: int) -> Any:
        if isinstance(n, Const):
            n.literal_location = None
        return None

    mutate_levels(copied, visit)
    return copied


def mutate_levels(node: Any, replace: Callable[[Any, int], Any], level: int = 0) -> Any:
    """Visit every node with the depth of queries around it; where `replace` returns something
    else than None, that stands for the node (and is not visited).  In place."""
    if isinstance(node, (_LEAVES, set)):
        return node
    if isinstance(node, list):
        for index, item in enumerate(node):
            new = mutate_levels(item, replace, level)
            if new is not item:
                node[index] = new
        return node
    if isinstance(node, tuple):
        return tuple(mutate_levels(item, replace, level) for item in node)
    found = replace(node, level)
    if found is not None:
        return found
    below = level + 1 if isinstance(node, Query) else level
    for name in field_names(type(node)):
        old = getattr(node, name)
        if isinstance(old, _LEAVES):
            continue
        new = mutate_levels(old, replace, below)
        if new is not old:
            setattr(node, name, new)
    return node


def mutate_inside(node: Any, replace: Callable[[Any, int], Any]) -> Any:
    """mutate_levels where a Query given at the top counts as level 0 inside."""
    if isinstance(node, Query):
        for name in field_names(Query):
            old = getattr(node, name)
            if not isinstance(old, _LEAVES):
                setattr(node, name, mutate_levels(old, replace, 0))
        return node
    return mutate_levels(node, replace, 0)


def change_var_nodes(node: Any, rt_index: int, new_index: int, sublevels_up: int = 0) -> Any:
    """Everything that refers to range table entry rt_index refers to new_index afterwards."""

    def visit(n: Any, level: int) -> Any:
        _renumber(n, level - sublevels_up, lambda i: new_index if i == rt_index else i)
        return None

    result = mutate_inside(node, visit)
    if isinstance(node, Query) and sublevels_up == 0 and node.result_relation == rt_index:
        node.result_relation = new_index
    return result


def offset_var_nodes(node: Any, offset: int, sublevels_up: int = 0) -> Any:
    """Add an offset to all range table indexes of the level."""

    def visit(n: Any, level: int) -> Any:
        _renumber(n, level - sublevels_up, lambda i: i + offset if i > 0 else i)
        return None

    result = mutate_inside(node, visit)
    if isinstance(node, Query) and sublevels_up == 0 and node.result_relation:
        node.result_relation += offset
    return result


def _renumber(n: Any, level: int, new: Callable[[int], int]) -> None:
    """Renumber one node when it belongs to the wanted query level (level 0: relative to it)."""
    if isinstance(n, Var):
        if n.varlevelsup == level:
            n.varno = new(n.varno)
    elif level != 0:
        return
    elif isinstance(n, (RangeTblRef, JoinExpr)):
        n.rtindex = new(n.rtindex)
    elif isinstance(n, CurrentOfExpr):
        n.cvarno = new(n.cvarno)
    elif isinstance(n, RowMarkClause):
        n.rti = new(n.rti)
    elif isinstance(n, OnConflictExpr) and n.excl_rel_index:
        n.excl_rel_index = new(n.excl_rel_index)


def increment_var_sublevels_up(node: Any, delta: int, min_sublevels_up: int = 0) -> Any:
    """Move an expression `delta` query levels down: references to outer levels grow."""
    if delta == 0:
        return node

    def visit(n: Any, level: int) -> Any:
        if isinstance(n, Var):
            if n.varlevelsup >= min_sublevels_up + level:
                n.varlevelsup += delta
        elif isinstance(n, (Aggref, GroupingFunc)):
            if n.agglevelsup >= min_sublevels_up + level:
                n.agglevelsup += delta
        elif (
            isinstance(n, RangeTblEntry)
            and n.rtekind == "cte"
            and n.ctelevelsup >= min_sublevels_up + level
            and level > 0
        ):
            n.ctelevelsup += delta
        return None

    return mutate_levels(node, visit, 0)


def replace_vars_from_target_list(
    node: Any,
    target_varno: int,
    rte: RangeTblEntry,
    targetlist: list[TargetEntry],
    nomatch: str = "error",
    nomatch_varno: int = 0,
    column_types: list[tuple[int, int, int]] | None = None,
) -> Any:
    """Replace Vars of entry target_varno by the expressions of a target list.  nomatch: "error",
    "change_varno" (to nomatch_varno) or "null"."""
    by_resno = {t.resno: t.expr for t in targetlist if not t.resjunk}

    def column(var: Var, attno: int, level: int) -> Expr:
        expr = by_resno.get(attno)
        if expr is not None:
            return increment_var_sublevels_up(  # type: ignore[no-any-return]
                copy_object(expr), level
            )
        if nomatch == "change_varno":
            new: Var = copy_object(var)
            new.varno = nomatch_varno
            return new
        if nomatch == "null":
            return Const(var.vartype, None, var.vartypmod, var.varcollid)
        raise _not_found(attno)

    def visit(n: Any, level: int) -> Any:
        if not isinstance(n, Var) or n.varno != target_varno or n.varlevelsup != level:
            return None
        if n.varattno == 0:
            if nomatch == "change_varno" and not by_resno:
                return column(n, 0, level)
            args: list[Expr] = []
            names: list[str] = []
            for attno, name in enumerate(rte.eref.colnames, 1):
                if not name and attno not in by_resno:
                    args.append(Const(23, None))
                else:
                    types = column_types[attno - 1] if column_types else (0, -1, 0)
                    args.append(column(Var(n.varno, attno, *types, level), attno, level))
                names.append(name)
            return RowExpr(args, n.vartype, "implicit_cast", names, n.location)
        return column(n, n.varattno, level)

    return mutate_inside(node, visit)


def _not_found(attno: int) -> Exception:
    from pgemu.errors import PgError

    return PgError("XX000", f"could not find replacement targetlist entry for attno {attno}")


def add_qual(query: Query, qual: Expr | None) -> None:
    """AND a condition to the query's WHERE."""
    if qual is None:
        return
    query.jointree.quals = make_and_qual(query.jointree.quals, copy_object(qual))
    if not query.has_sublinks:
        query.has_sublinks = check_expr_has_sublink(qual)


def make_and_qual(qual1: Expr | None, qual2: Expr | None) -> Expr | None:
    """qual1 AND qual2, where None is "true"."""
    if qual1 is None:
        return qual2
    if qual2 is None:
        return qual1
    first = qual1.args if isinstance(qual1, BoolExpr) and qual1.boolop == "and" else [qual1]
    return BoolExpr("and", [*first, qual2])


def check_expr_has_sublink(node: Any) -> bool:
    """Whether there is a sub-query in the expression."""
    from pgemu.nodes.primnodes import SubLink

    found = False

    def visit(n: Any, _level: int) -> Any:
        nonlocal found
        found = found or isinstance(n, SubLink)
        return None

    mutate_levels(node, visit)
    return found
