"""What a PL/pgSQL function's names stand for (the datums and the namespace of plpgsql.h).

A function's datums are numbered; a running function holds one value per number (a storage value,
or a RecordValue for records).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

RECORDOID = 2249


@dataclass(frozen=True, slots=True)
class PlType:
    """A resolved data type.  is_row: record or named composite (or a domain over one)."""

    oid: int
    typmod: int = -1
    collation: int = 0
    is_row: bool = False
    is_domain: bool = False


@dataclass(eq=False, slots=True)
class Expr:
    """A piece of SQL: an expression or a whole statement, with the names visible to it.

    text: as written; location: its character offset in the body.  cache: see expr.py.
    """

    text: str
    location: int
    ns: NsItem | None
    is_statement: bool = False
    cache: dict[Any, Any] = field(default_factory=dict)
    # what stands before the text in messages: `x := ` of an assignment
    prefix: str = ""

    @property
    def shown(self) -> str:
        return self.prefix + self.text

    def context_line(self) -> str:
        """How CONTEXT calls it (_SPI_error_callback)."""
        if self.is_statement:
            return f'SQL statement "{self.text}"'
        kind = "PL/pgSQL assignment" if self.prefix else "SQL expression"
        return f'{kind} "{self.shown}"'


@dataclass(eq=False, slots=True)
class Var:
    """A scalar variable (or one of an array, domain, range ... type)."""

    dno: int
    refname: str
    type: PlType
    lineno: int = 0
    isconst: bool = False
    notnull: bool = False
    default: Expr | None = None
    # a bound cursor: its query, options and arguments
    cursor_query: Expr | None = None
    cursor_scroll: bool | None = None
    cursor_args: list[Var] | None = None
    is_cursor: bool = False


@dataclass(eq=False, slots=True)
class Rec:
    """A record variable: of type record or of a named composite type."""

    dno: int
    refname: str
    type: PlType
    lineno: int = 0
    isconst: bool = False
    notnull: bool = False
    default: Expr | None = None


@dataclass(frozen=True, slots=True)
class RecField:
    rec: Rec
    fieldname: str


Datum = Var | Rec | RecField


@dataclass(frozen=True, slots=True)
class IntoTarget:
    """Where rows go: one record, or a list of scalars."""

    rec: Rec | None
    scalars: Sequence[Var | RecField] = ()


@dataclass(frozen=True, slots=True)
class NsItem:
    """One name of the namespace chain; the innermost comes first.  kind: "label" (with block:
    begins a block, loop: begins a loop), "datum"."""

    kind: str
    name: str
    datum: Var | Rec | None
    prev: NsItem | None
    label: str = ""  # of a "label" item: "block", "loop" or "other"


def ns_lookup(
    ns: NsItem | None, localmode: bool, names: Sequence[str]
) -> tuple[Var | Rec | None, int]:
    """plpgsql_ns_lookup: (the datum, how many of the names were used up)."""
    first = names[0]
    item = ns
    while item is not None:
        start = item
        while item is not None and item.kind != "label":
            if item.name == first and item.datum is not None:
                if len(names) == 1 or isinstance(item.datum, Rec):
                    return item.datum, 1
                if len(names) > 1:
                    return item.datum, 1
            item = item.prev
        if item is None:
            break
        if localmode:
            break
        if len(names) > 1 and item.name == first:
            inner: NsItem | None = start
            while inner is not None and inner.kind != "label":
                if inner.name == names[1] and inner.datum is not None:
                    return inner.datum, 2
                inner = inner.prev
        item = item.prev
    return None, 0


def ns_lookup_label(ns: NsItem | None, name: str) -> NsItem | None:
    while ns is not None:
        if ns.kind == "label" and ns.name == name:
            return ns
        ns = ns.prev
    return None


def ns_find_nearest_loop(ns: NsItem | None) -> NsItem | None:
    while ns is not None:
        if ns.kind == "label" and ns.label == "loop":
            return ns
        ns = ns.prev
    return None


Columns = tuple[tuple[str, int, int], ...]  # (name, type OID, typmod)


@dataclass(eq=False, slots=True)
class RecordValue:
    """The value of a record variable: columns () and values None: not assigned yet.  type_oid:
    that of a named composite, else RECORDOID."""

    columns: Columns = ()
    values: list[Any] | None = None
    type_oid: int = RECORDOID

    def index(self, name: str) -> int:
        for number, column in enumerate(self.columns):
            if column[0] == name:
                return number
        return -1

    def copy(self) -> RecordValue:
        values = None if self.values is None else list(self.values)
        return RecordValue(self.columns, values, self.type_oid)
