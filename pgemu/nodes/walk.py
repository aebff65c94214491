"""Walking and rewriting trees (PostgreSQL's nodeFuncs.c): generic over the dataclass fields.

`children` yields what a node directly holds, `walk` everything below it, `mutate` copies a tree
while a function replaces nodes.  Sub-queries are nodes like others: stop at them by returning
False from the visitor where levels matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

_FIELDS: dict[type, tuple[str, ...]] = {}

T = TypeVar("T")


def _field_names(cls: type) -> tuple[str, ...]:
    names = _FIELDS.get(cls)
    if names is None:
        names = _FIELDS[cls] = tuple(f.name for f in fields(cls))
    return names


def children(node: Any) -> Iterator[Any]:
    """The dataclass nodes directly inside node, through lists and tuples."""
    for name in _field_names(type(node)):
        yield from _nodes_in(getattr(node, name))


def _nodes_in(value: Any) -> Iterator[Any]:
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _nodes_in(item)
    elif is_dataclass(value):
        yield value


def walk(node: Any, visit: Callable[[Any], bool | None]) -> None:
    """Call visit on node and, unless it returns False, on everything below, depth first.
    node may also be a list of nodes or None."""
    for item in _nodes_in(node):
        if visit(item) is not False:
            for name in _field_names(type(item)):
                walk(getattr(item, name), visit)


def mutate(node: T, replace: Callable[[Any], Any]) -> T:
    """Copy of the tree in which replace(n), when it is not None, stands for n (and is not
    descended into).  Unchanged sub-trees are shared, not copied."""
    if isinstance(node, list):
        new_list = [mutate(item, replace) for item in node]
        changed = any(a is not b for a, b in zip(new_list, node, strict=True))
        return new_list if changed else node  # type: ignore[return-value]
    if isinstance(node, tuple):
        new_tuple = tuple(mutate(item, replace) for item in node)
        changed = any(a is not b for a, b in zip(new_tuple, node, strict=True))
        return new_tuple if changed else node  # type: ignore[return-value]
    if not is_dataclass(node):
        return node
    replaced = replace(node)
    if replaced is not None:
        return replaced  # type: ignore[no-any-return]
    values = {}
    changed = False
    for name in _field_names(type(node)):
        old = getattr(node, name)
        new = mutate(old, replace)
        values[name] = new
        changed = changed or new is not old
    return type(node)(**values) if changed else node  # type: ignore[return-value]
