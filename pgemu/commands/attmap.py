"""Expressions of one table for another with the same columns (PostgreSQL's attmap.c and
map_variable_attnos): columns are found by name, their numbers differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pgemu.nodes.primnodes import Var
from pgemu.nodes.walk import mutate


def map_columns_by_name(
    expr: Any, source: Any, attnum_of: Callable[[str], int], row_type: int
) -> Any:
    """expr's columns of the relation `source` renumbered; whole rows get the type row_type."""
    if expr is None:
        return None

    def visit(node: object) -> object | None:
        if isinstance(node, Var) and not node.varlevelsup:
            if node.varattno > 0:
                return replace(node, varattno=attnum_of(source.attrs[node.varattno - 1].attname))
            if node.varattno == 0:
                return replace(node, vartype=row_type)
        return None

    return mutate(expr, visit)
