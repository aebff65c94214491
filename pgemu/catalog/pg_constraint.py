"""pg_constraint rows and the names of constraints (PostgreSQL's pg_constraint.c and the naming
functions of indexcmds.c)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pgemu.catalog.rows import PgClass, PgConstraint

NAMEDATALEN = 64


def make_object_name(name1: str, name2: str | None, label: str | None) -> str:
    """makeObjectName: name1_name2_label, the longer of the two names cut until it fits."""
    overhead = 0
    n1, n2 = name1.encode(), (name2 or "").encode()
    if name2 is not None:
        overhead += 1
    if label is not None:
        overhead += len(label.encode()) + 1
    available = NAMEDATALEN - 1 - overhead
    len1, len2 = len(n1), len(n2)
    while len1 + len2 > available:
        if len1 > len2:
            len1 -= 1
        else:
            len2 -= 1
    text = n1[:len1].decode(errors="ignore")
    if name2 is not None:
        text += "_" + n2[:len2].decode(errors="ignore")
    if label is not None:
        text += "_" + label
    return text


def choose_relation_name(
    catalog: Any,
    name1: str,
    name2: str | None,
    label: str,
    namespace: int,
    *,
    is_constraint: bool = False,
    taken: frozenset[str] | set[str] = frozenset(),
) -> str:
    """ChooseRelationName: the first free of name1_name2_label, ..._label1, ..._label2."""
    tries = 0
    modified = label
    while True:
        name = make_object_name(name1, name2, modified)
        if (
            name not in taken
            and catalog.one(PgClass, relname=name, relnamespace=namespace) is None
            and not (
                is_constraint and catalog.all(PgConstraint, conname=name, connamespace=namespace)
            )
        ):
            return name
        tries += 1
        modified = f"{label}{tries}"


def choose_constraint_name(
    catalog: Any,
    name1: str,
    name2: str | None,
    label: str,
    namespace: int,
    others: Sequence[str] | set[str] = (),
) -> str:
    """ChooseConstraintName: like choose_relation_name, over the constraints of the schema."""
    tries = 0
    modified = label
    while True:
        name = make_object_name(name1, name2, modified)
        if name not in others and not catalog.all(
            PgConstraint, conname=name, connamespace=namespace
        ):
            return name
        tries += 1
        modified = f"{label}{tries}"


def constraint_name_is_used(catalog: Any, relid: int, name: str, *, typid: int = 0) -> bool:
    """ConstraintNameIsUsed: does the relation (or domain) have a constraint of this name?"""
    return catalog.one(PgConstraint, conrelid=relid, contypid=typid, conname=name) is not None


def constraint_row(oid: int, name: str, namespace: int, contype: str, **given: Any) -> PgConstraint:
    """A pg_constraint row with CreateConstraintEntry's defaults; `given` sets its columns."""
    values: dict[str, Any] = {
        "oid": oid, "conname": name, "connamespace": namespace, "contype": contype,
        "condeferrable": False, "condeferred": False, "convalidated": True, "conrelid": 0,
        "contypid": 0, "conindid": 0, "conparentid": 0, "confrelid": 0, "confupdtype": " ",
        "confdeltype": " ", "confmatchtype": " ", "conislocal": True, "coninhcount": 0,
        "connoinherit": contype in "pufx", "conkey": None, "confkey": None, "conpfeqop": None,
        "conppeqop": None, "conffeqop": None, "confdelsetcols": None, "conexclop": None,
        "conbin": None,
    }  # fmt: skip
    values.update(given)
    return PgConstraint(**values)


def get_relation_constraint_oid(catalog: Any, relid: int, name: str) -> int:
    """OID of a relation's constraint, 0 if there is none of that name."""
    row = catalog.one(PgConstraint, conrelid=relid, contypid=0, conname=name)
    return int(row.oid) if row is not None else 0
