"""Walking and rewriting trees (PostgreSQL's nodeFuncs.c): generic over the dataclass fields.

`children` yields what a node directly holds, `walk` everything below it, `mutate` copies a tree
while a function replaces nodes.  Sub-queries are nodes like others: stop at them by returning
False from the visitor where levels matter.  Per class, only the fields whose annotation can hold
a node are looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import Field, fields, is_dataclass
from typing import Any, TypeVar

T = TypeVar("T")

# annotations without a node: built of these words only
_PLAIN = re.compile(r"(?:int|str|bool|float|bytes|None|Value|list|tuple|set|frozenset|dict|\W)+")
_NODE_FIELDS: dict[type, tuple[str, ...] | None] = {}


def _may_hold_node(field: Field[Any]) -> bool:
    return not (isinstance(field.type, str) and _PLAIN.fullmatch(field.type))


def node_fields(cls: type) -> tuple[str, ...] | None:
    """The fields of a node class that may hold nodes; None if the class is no dataclass."""
    try:
        return _NODE_FIELDS[cls]
    except KeyError:
        pass
    names = None
    if is_dataclass(cls):
        names = tuple(f.name for f in fields(cls) if _may_hold_node(f))
    _NODE_FIELDS[cls] = names
    return names


def children(node: Any) -> Iterator[Any]:
    """The dataclass nodes directly inside node, through lists and tuples."""
    for name in node_fields(type(node)) or ():
        yield from _nodes_in(getattr(node, name))


def _nodes_in(value: Any) -> Iterator[Any]:
    kind = type(value)
    if kind is list or kind is tuple:
        for item in value:
            yield from _nodes_in(item)
    elif value is not None and node_fields(kind) is not None:
        yield value


def walk(node: Any, visit: Callable[[Any], bool | None]) -> None:
    """Call visit on node and, unless it returns False, on everything below, depth first.
    node may also be a list of nodes or None."""
    if node is None:
        return
    kind = type(node)
    if kind is list or kind is tuple:
        for item in node:
            walk(item, visit)
        return
    names = node_fields(kind)
    if names is None or visit(node) is False:
        return
    for name in names:
        value = getattr(node, name)
        if value is not None:
            walk(value, visit)


def contains(node: Any, *kinds: type, stop_at: type | tuple[type, ...] = ()) -> bool:
    """Whether a node of one of these kinds is in the tree; not looked for below stop_at."""
    found = False

    def visit(item: Any) -> bool:
        nonlocal found
        found = found or isinstance(item, kinds)
        return not found and not isinstance(item, stop_at)

    walk(node, visit)
    return found


def mutate(node: T, replace: Callable[[Any], Any]) -> T:
    """Copy of the tree in which replace(n), when it is not None, stands for n (and is not
    descended into).  Unchanged sub-trees are shared, not copied."""
    result: T = _mutate(node, replace)
    return result


def _mutate(node: Any, replace: Callable[[Any], Any]) -> Any:
    if node is None:
        return None
    kind = type(node)
    if kind is list or kind is tuple:
        items = [_mutate(item, replace) for item in node]
        for old, new in zip(node, items, strict=True):
            if old is not new:
                return items if kind is list else tuple(items)
        return node
    names = node_fields(kind)
    if names is None:
        return node
    replaced = replace(node)
    if replaced is not None:
        return replaced
    changes = {}
    for name in names:
        old = getattr(node, name)
        new = _mutate(old, replace)
        if new is not old:
            changes[name] = new
    if not changes:
        return node
    for field in fields(kind):
        if field.name not in changes:
            changes[field.name] = getattr(node, field.name)
    return kind(**changes)
