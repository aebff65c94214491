"""The stored form of arrays: JSON text to Python lists and back, dimensions and lower bounds.

Counterpart of ArrayType's header macros.  A plain array is `[1,2,null]`; other lower bounds
`{"l":[0],"a":[...]}`; `[]` is the empty array (no dimensions).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pgemu.errors import PgError

MAXDIM = 6
MAX_ARRAY_SIZE = 134217727
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def dump_array(elements: list[Any], lower: list[int] | None = None) -> str:
    """The stored form of (nested) storage values; bytes become hex text."""
    plain = _plain(elements)
    if lower is not None and elements and any(one != 1 for one in lower):
        text = f'{{"l":{_encode(lower)},"a":{_encode(plain)}}}'
    else:
        text = _encode(plain)
    if "Infinity" in text:
        text = _mark_infinity(elements, lower)
    return text


def _plain(value: Any) -> Any:
    for one in value:
        kind = type(one)
        if kind is list or kind is bytes or kind is bool:
            return [_plain_one(v) for v in value]
    return value


def _plain_one(value: Any) -> Any:
    if isinstance(value, list):
        return _plain(value)
    if isinstance(value, bytes):
        return value.hex()
    return int(value) if isinstance(value, bool) else value


def _mark_infinity(elements: list[Any], lower: list[int] | None) -> str:
    """Float infinities are written 1e999, which every JSON reader takes for infinity."""

    def write(value: Any) -> str:
        if isinstance(value, list):
            return "[" + ",".join(write(one) for one in value) + "]"
        if isinstance(value, float) and value in (float("inf"), float("-inf")):
            return "1e999" if value > 0 else "-1e999"
        return _encode(_plain_one(value))

    body = write(elements)
    if lower is not None and any(one != 1 for one in lower):
        return f'{{"l":{_encode(lower)},"a":{body}}}'
    return body


def load_array(text: str) -> tuple[list[Any], list[int]]:
    """(nested elements, lower bounds); bounds are all 1 for the plain form, [] when empty."""
    value = json.loads(text)
    if isinstance(value, dict):
        return value["a"], value["l"]
    if not value:
        return value, []
    return value, [1] * depth(value)


def check_size(sizes: list[int], lower: list[int]) -> int:
    """ArrayGetNItems and ArrayCheckBounds: the number of elements, if an array may have it."""
    count = 1 if sizes else 0
    for size in sizes:
        count *= size
        if size < 0 or count > MAX_ARRAY_SIZE:
            raise PgError("54000", f"array size exceeds the maximum allowed ({MAX_ARRAY_SIZE})")
    for low, size in zip(lower, sizes, strict=True):
        if low + size > 0x7FFFFFFF:
            raise PgError("54000", f"array lower bound is too large: {low}")
    return count


VECTORS = (22, 30)  # int2vector, oidvector: arrays whose subscripts start at 0


def zero_based(type_oid: int, array: str) -> str:
    """A value of a vector type as the array that it is; others unchanged."""
    return f'{{"l":[0],"a":{array}}}' if type_oid in VECTORS and array != "[]" else array


def depth(value: list[Any]) -> int:
    count = 1
    while value and isinstance(value[0], list):
        value = value[0]
        count += 1
    return count


def dimensions(value: list[Any]) -> list[int]:
    sizes: list[int] = []
    one: Any = value
    while isinstance(one, list) and (one or not sizes):
        if not one:
            return []
        sizes.append(len(one))
        one = one[0]
    return sizes


def array_bounds(text: str) -> tuple[list[int], list[int]]:
    """(lower bounds, sizes)."""
    value, lower = load_array(text)
    return lower, dimensions(value)


def flatten(value: list[Any]) -> Iterator[Any]:
    """Elements in storage order."""
    for one in value:
        if isinstance(one, list):
            yield from flatten(one)
        else:
            yield one


def reshape(flat: list[Any], sizes: list[int]) -> list[Any]:
    """Nested lists of the given sizes from elements in storage order."""
    for size in reversed(sizes[1:]):
        flat = [flat[i : i + size] for i in range(0, len(flat), size)]
    return flat


def load_flat(text: str) -> list[Any]:
    """All elements of an array in storage order."""
    value = json.loads(text)
    if isinstance(value, dict):
        value = value["a"]
    if value and isinstance(value[0], list):
        return list(flatten(value))
    result: list[Any] = value
    return result
