"""Trees as text and back (PostgreSQL's outfuncs.c and readfuncs.c): what pg_node_tree columns hold.

The form is JSON: a node is ["NodeType", field values...], with bytes as {"x": hex}, sets as
{"s": [...]}, tuples as {"t": [...]} and lists as {"l": [...]}.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import Any

from pgemu.nodes import parsenodes, primnodes

_CLASSES: dict[str, type] = {
    name: cls
    for module in (primnodes, parsenodes)
    for name, cls in vars(module).items()
    if isinstance(cls, type) and is_dataclass(cls)
}


_node_text = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def node_to_string(node: Any) -> str:
    """The text form of a node, a list of nodes, or None."""
    return _node_text(_encode(node))


def string_to_node(text: str) -> Any:
    """The node that node_to_string wrote."""
    return _decode(json.loads(text))


_PLAIN = frozenset({type(None), bool, int, float, str})


@lru_cache(maxsize=256)
def _field_names(cls: Any) -> tuple[str, ...]:
    return tuple(f.name for f in fields(cls))


def _encode(value: Any) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is list:
        return {"l": [v if type(v) in _PLAIN else _encode(v) for v in value]}
    if is_dataclass(kind):
        encoded = [kind.__name__]
        for name in _field_names(kind):
            field = getattr(value, name)
            encoded.append(field if type(field) in _PLAIN else _encode(field))
        return encoded
    if isinstance(value, bytes):
        return {"x": value.hex()}
    if isinstance(value, tuple):
        return {"t": [_encode(v) for v in value]}
    if isinstance(value, (set, frozenset)):
        return {"s": sorted(value)}
    if isinstance(value, dict):
        return {"d": {k: _encode(v) for k, v in value.items()}}
    return value  # a subclass of a plain type


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        cls = _CLASSES[value[0]]
        names = _field_names(cls)
        # a node written before its class got a new last field lacks that one
        return cls(**dict(zip(names, map(_decode, value[1:]), strict=False)))
    if isinstance(value, dict):
        kind, content = next(iter(value.items()))
        if kind == "x":
            return bytes.fromhex(content)
        if kind == "l":
            return [_decode(v) for v in content]
        if kind == "t":
            return tuple(_decode(v) for v in content)
        if kind == "s":
            return set(content)
        return {k: _decode(v) for k, v in content.items()}
    return value
