"""The errors of a name that is taken, for RENAME and SET SCHEMA (report_name_conflict,
report_namespace_conflict and IsThereFunctionInNamespace of PostgreSQL's alter.c)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog import rows as r
from pgemu.commands.ownership import ObjectKind
from pgemu.errors import DUPLICATE_FUNCTION, DUPLICATE_OBJECT, PgError

_METHODS = {r.PgOpclass: "opcmethod", r.PgOpfamily: "opfmethod"}


def check_name_is_free(catalog: Any, kind: ObjectKind, row: Any, name: str, namespace: int) -> None:
    """The object `row` is to be called name in this schema (0: its kind has no schema)."""
    where: dict[str, Any] = {kind.name: name}
    if kind.namespace:
        where[kind.namespace] = namespace
    if kind.cls is r.PgProc:
        where["proargtypes"] = row.proargtypes
    if kind.cls is r.PgOperator:
        where |= {"oprleft": row.oprleft, "oprright": row.oprright}
    method = _METHODS.get(kind.cls)
    if method is not None:
        where[method] = getattr(row, method)
    if kind.cls is r.PgCollation:
        _check_collation(catalog, name, namespace)
        return
    if catalog.one(kind.cls, **where) is None:
        return
    place = ""
    if kind.namespace:
        place = f' in schema "{catalog.get(r.PgNamespace, oid=namespace).nspname}"'
    if kind.cls is r.PgProc:
        args = ", ".join(catalog.type_name(t) for t in row.proargtypes)
        raise PgError(DUPLICATE_FUNCTION, f"function {name}({args}) already exists{place}")
    word = "server" if kind.cls is r.PgForeignServer else kind.word
    shown = f'{word} "{name}"'
    if method is not None:
        access_method = catalog.get(r.PgAm, oid=getattr(row, method)).amname
        shown += f' for access method "{access_method}"'
    raise PgError(DUPLICATE_OBJECT, f"{shown} already exists{place}")


def _check_collation(catalog: Any, name: str, namespace: int) -> None:
    """IsThereCollationInNamespace: those of the database's encoding and those of any."""
    schema = catalog.get(r.PgNamespace, oid=namespace).nspname
    for row in catalog.all(r.PgCollation, collname=name, collnamespace=namespace):
        encoding = ' for encoding "UTF8"' if row.collencoding != -1 else ""
        raise PgError(
            DUPLICATE_OBJECT,
            f'collation "{name}"{encoding} already exists in schema "{schema}"',
        )
