"""jsonb['a'][1]: fetching and assigning (PostgreSQL's jsonbsubs.c and jsonb_set_element)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pgemu.errors import INVALID_PARAMETER_VALUE, NULL_VALUE_NOT_ALLOWED, PgError
from pgemu.types.json_parse import canonical, dump_jsonb, load_jsonb, parse_jsonb

Path = Sequence[Any]


def jsonb_subscript(doc: str | None, path: Path) -> str | None:
    """The element at a path; NULL where there is none."""
    if doc is None or None in path:
        return None
    value = load_jsonb(doc)
    for step in path:
        if isinstance(value, dict):
            if str(step) not in value:
                return None
            value = value[str(step)]
            continue
        if not isinstance(value, list):
            return None
        try:
            index = int(step)
        except ValueError:
            return None
        if not -len(value) <= index < len(value):
            return None
        value = value[index]
    return dump_jsonb(value)


def jsonb_subscript_assign(doc: str | None, path: Path, new: str | None) -> str:
    """The document with the element at the path replaced, and what lacks on the way made."""
    if None in path:
        raise PgError(NULL_VALUE_NOT_ALLOWED, "jsonb subscript in assignment must not be null")
    element = None if new is None else load_jsonb(new)
    root = _empty(path[0]) if doc is None else parse_jsonb(doc)
    if not isinstance(root, (dict, list)):
        raise _scalar(0)
    node: Any = root
    fresh = doc is None
    for depth, step in enumerate(path):
        last = depth == len(path) - 1
        fill = element if last else _empty(path[depth + 1])
        if isinstance(node, dict):
            key = str(step)
            fresh = key not in node
            if last or fresh:
                node[key] = fill
            child = node[key]
            if not last:
                if not isinstance(child, (dict, list)):
                    raise _scalar(depth + 1)
                node = child
            continue
        size = len(node)
        node = _into_array(node, step, fill, last=last, depth=depth, fresh=fresh)
        fresh = size <= int(step)
    return canonical(dump_jsonb(root))


def _into_array(
    array: list[Any], step: Any, fill: Any, *, last: bool, depth: int, fresh: bool
) -> Any:
    try:
        index = int(step)
    except ValueError:
        raise PgError(
            "22P02", f'path element at position {depth + 1} is not an integer: "{step}"'
        ) from None
    if index < 0 and fresh:
        index = 0
    elif index < 0:
        if index < -len(array):
            raise PgError(
                INVALID_PARAMETER_VALUE,
                f"path element at position {depth + 1} is out of range: {index}",
            )
        index += len(array)
    if index >= len(array):
        array.extend([None] * (index - len(array)))
        array.append(fill)
    elif last:
        array[index] = fill
    child = array[index]
    if not last and not isinstance(child, (dict, list)):
        raise _scalar(depth + 1)
    return child


def _empty(step: Any) -> Any:
    return [] if isinstance(step, int) else {}


def _scalar(depth: int) -> PgError:
    return PgError(
        INVALID_PARAMETER_VALUE,
        "cannot replace existing key",
        detail="The path assumes key is a composite object, but it is a scalar value.",
    )
