"""The ids of jsonpath's .keyvalue(): where an object stands in PostgreSQL's binary jsonb
(executeKeyValueMethod in jsonpath_exec.c, convertJsonb in jsonb_util.c).

An id is the offset of the object in its document plus 10^10 times the document's number: 0 for
the target, 1 for the variables, from 2 on for the pairs that .keyvalue() itself makes.
"""

from __future__ import annotations

from typing import Any

STEP = 10_000_000_000


def numeric_size(value: Any) -> int:
    """Bytes of a numeric datum with a 4-byte length word."""
    text = f"{value:f}" if not isinstance(value, int) else str(value)
    whole, _, fraction = text.lstrip("-").partition(".")
    whole = whole.lstrip("0")
    groups = -(-len(whole) // 4)
    digits = whole.rjust(groups * 4, "0") + fraction.ljust(-(-len(fraction) // 4) * 4, "0")
    parts = [digits[i : i + 4] for i in range(0, len(digits), 4)]
    weight = groups - 1
    while parts and parts[0] == "0000":
        parts.pop(0)
        weight -= 1
    while parts and parts[-1] == "0000":
        parts.pop()
    short = len(fraction) <= 63 and -64 <= weight <= 63
    return 4 + (2 if short else 4) + 2 * len(parts)


def lay_out(value: Any, at: int, places: dict[int, int]) -> int:
    """Record the offsets of the containers of a value that starts at `at`; returns its end."""
    kind = type(value)
    if value is None or kind is bool:
        return at
    if kind is str:
        return at + len(value.encode())
    at += -at % 4
    if kind is list:
        places[id(value)] = at
        at += 4 + 4 * len(value)
        for one in value:
            at = lay_out(one, at, places)
        return at
    if kind is dict:
        places[id(value)] = at
        at += 4 + 8 * len(value)
        for key in value:
            at += len(key.encode())
        for one in value.values():
            at = lay_out(one, at, places)
        return at
    return at + numeric_size(value)


class ObjectIds:
    """The ids of one evaluation."""

    def __init__(self) -> None:
        self.places: dict[int, int] | None = None
        self.kept: list[Any] = []  # keeps generated objects alive, so that id() stays theirs
        self.next = 2

    def number(self, value: Any, root: Any, variables: Any) -> int:
        if self.places is None:
            self.places = {}
            for one in variables.values():
                lay_out(one, 0, self.places)
            for key in self.places:
                self.places[key] += STEP
            lay_out(root, 0, self.places)
        return self.places.get(id(value), 0)

    def generated(self, pair: dict[str, Any]) -> None:
        """A new object of .keyvalue() becomes the document of what is in it."""
        assert self.places is not None
        found: dict[int, int] = {}
        lay_out(pair, 0, found)
        for key, offset in found.items():
            self.places[key] = offset + self.next * STEP
        self.next += 1
        self.kept.append(pair)
