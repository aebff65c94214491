"""The analyzed tree: expressions (primnodes), Query (parsenodes), walking (walk) and what every
expression can tell about itself (nodefuncs)."""

from pgemu.nodes.nodefuncs import (
    expr_collation,
    expr_location,
    expr_type,
    expr_typmod,
    plain_expression,
)
from pgemu.nodes.parsenodes import *  # noqa: F403
from pgemu.nodes.primnodes import *  # noqa: F403
from pgemu.nodes.walk import children, mutate, walk

__all__ = [
    "children",
    "expr_collation",
    "expr_location",
    "expr_type",
    "expr_typmod",
    "mutate",
    "plain_expression",
    "walk",
]
