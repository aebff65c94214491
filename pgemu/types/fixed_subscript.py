"""Subscripts of the fixed-length types that have elements: name, point, lseg, box, line
(PostgreSQL: raw_array_subscript_handler).

Subscripts count from 0.  The elements of a point or line are its floats, those of a box or lseg
its points.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pgemu.errors import ARRAY_SUBSCRIPT_ERROR, FEATURE_NOT_SUPPORTED, PgError
from pgemu.types.float import from_storage, nan_text
from pgemu.types.geo_values import READERS, Box, Line, Lseg, Point, geometry_text

FIXED_LENGTH = frozenset(("name", "point", "lseg", "box", "line"))
SHAPES: dict[str, Any] = {"point": Point, "line": Line, "lseg": Lseg, "box": Box}


def elements(type_name: str, value: str) -> list[Any]:
    if type_name == "name":
        return list(value)
    parts = READERS[type_name](value)
    return [nan_text(p) if isinstance(p, float) else geometry_text(p) for p in parts]


def fixed_get_element(type_name: str, value: str, subscripts: Sequence[int | None]) -> Any:
    """The element; None where there is none."""
    if len(subscripts) != 1 or subscripts[0] is None:
        return None
    found = elements(type_name, value)
    at = subscripts[0]
    return found[at] if 0 <= at < len(found) else None


def fixed_set_element(
    type_name: str, value: str | None, subscripts: Sequence[int | None], new: Any
) -> str | None:
    """The value with one element replaced; NULL in either place changes nothing."""
    if value is None or new is None:
        return value
    found = elements(type_name, value)
    if len(subscripts) != 1:
        raise PgError(ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts")
    at = subscripts[0]
    if at is None or not 0 <= at < len(found):
        raise PgError(ARRAY_SUBSCRIPT_ERROR, "array subscript out of range")
    found[at] = new
    if type_name == "name":
        return "".join(found)
    if type_name in ("point", "line"):
        parts = [from_storage(one) for one in found]
    else:
        parts = [READERS["point"](one) for one in found]
    return geometry_text(SHAPES[type_name](*parts))


def fixed_slice() -> PgError:
    return PgError(FEATURE_NOT_SUPPORTED, "slices of fixed-length arrays not implemented")
