"""What a parsed ARE is (PostgreSQL: regguts.h, the struct subre).

`Lang` is the language of a piece of the expression, without captures' meaning; `Sub` is a node of
the tree by which a match is taken apart.  A node's flags say whether it prefers the longest or the
shortest match, and whether it has anything inside that is worth taking apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field

LONGER = 1
SHORTER = 2
MIXED = 4
CAP = 8
BACKR = 16
LOCAL = LONGER | SHORTER
MESSY = MIXED | CAP | BACKR
INFINITE = 256


def up(flags: int) -> int:
    """The flags that a parent takes over; both preferences inside make it MIXED."""
    mixed = MIXED if flags & LOCAL == LOCAL else 0
    return (flags & ~LOCAL) | mixed


def combine(first: int, second: int) -> int:
    return up(first | second) | (first & LOCAL or second & LOCAL)


@dataclass(slots=True, eq=False)
class Lang:
    """kind: set (source of a one-character class), cat, alt, rep, con (source of a constraint),
    look (source of the group's head), cap, ref, empty."""

    kind: str
    source: str = ""
    items: tuple[Lang, ...] = ()
    low: int = 1
    high: int = 1
    number: int = 0


EMPTY = Lang("empty")


def concatenation(items: list[Lang]) -> Lang:
    return items[0] if len(items) == 1 else Lang("cat", items=tuple(items)) if items else EMPTY


def repetition(item: Lang, low: int, high: int) -> Lang:
    if (low, high) == (1, 1):
        return item
    return Lang("rep", items=(item,), low=low, high=high) if high else EMPTY


@dataclass(slots=True, eq=False)
class Sub:
    """op: = (a plain language), . (concatenation), | (alternatives), * (iteration),
    b (back-reference), ( (a capture around a capture)."""

    op: str
    flags: int
    lang: Lang
    children: list[Sub] = field(default_factory=list)
    low: int = 1
    high: int = 1
    capture: int = 0
    reference: int = 0


def quantified(atom: Sub, low: int, high: int, prefer: int) -> Sub:
    """The node of an atom with its quantifier (the end of parseqatom)."""
    own = atom.flags & (LOCAL | MIXED)
    flags = combine(prefer, atom.flags)
    whole = repetition(atom.lang, low, high)
    if atom.op == "b" and not atom.capture:
        atom.low, atom.high, atom.lang = low, high, whole
        atom.flags |= flags
        return atom
    if (low, high) == (1, 1) and (prefer == 0 or own == 0 or prefer == own):
        return atom
    if not atom.flags & (CAP | BACKR):
        return Sub("=", flags, whole)
    if low > 0 and not atom.flags & BACKR:
        before = repetition(atom.lang, low - 1, high if high == INFINITE else high - 1)
        prefix = Sub("=", flags & LOCAL, before)
        return Sub(".", flags, concatenation([before, atom.lang]), [prefix, atom])
    return Sub("*", flags, whole, [atom], low, high)
