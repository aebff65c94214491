"""width_bucket(anycompatible, anycompatiblearray) (PostgreSQL: width_bucket_array of
utils/adt/arrayfuncs.c)."""

from __future__ import annotations

from typing import Any

from pgemu.errors import ARRAY_SUBSCRIPT_ERROR, NULL_VALUE_NOT_ALLOWED, PgError
from pgemu.fmgr import CallContext, TypeInfo, pg_function
from pgemu.types.arrays_value import array_bounds
from pgemu.types.variadic import array_elements


@pg_function("width_bucket(anycompatible,anycompatiblearray)", context=True, typed=True)
def width_bucket_array(ctx: CallContext, info: TypeInfo, operand: Any, thresholds: str) -> int:
    """How many thresholds are not above the operand; the array is taken for sorted."""
    _, sizes = array_bounds(thresholds)
    if len(sizes) > 1:
        raise PgError(ARRAY_SUBSCRIPT_ERROR, "thresholds must be one-dimensional array")
    element, values = array_elements(ctx, info.arg_types[1], thresholds)
    if None in values:
        raise PgError(NULL_VALUE_NOT_ALLOWED, "thresholds array must not contain NULLs")
    compare = ctx.catalog.types.io(element).compare
    left, right = 0, len(values)
    while left < right:
        middle = (left + right) // 2
        if compare(operand, values[middle]) < 0:
            right = middle
        else:
            left = middle + 1
    return left
