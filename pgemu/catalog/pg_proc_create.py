"""Making pg_proc rows (PostgreSQL's pg_proc.c, ProcedureCreate): checks against an existing
function of the same signature, the row, and its dependencies."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.heap import acl_rows, depend, insert_rows, is_pinned, owner_rows
from pgemu.catalog.polymorphic import check_result_types
from pgemu.catalog.rows import (
    PG_LANGUAGE_RELID,
    PG_NAMESPACE_RELID,
    PG_PROC_RELID,
    PG_TYPE_RELID,
    PgDepend,
    PgProc,
)
from pgemu.errors import (
    DUPLICATE_FUNCTION,
    INVALID_FUNCTION_DEFINITION,
    WRONG_OBJECT_TYPE,
    PgError,
)

_KIND_WORDS = {
    "f": "function",
    "a": "an aggregate function",
    "w": "a window function",
    "p": "a procedure",
}


def procedure_create(session: Any, row: PgProc, *, replace: bool) -> int:
    """Insert the row, or replace the function that has its name and argument types.  `row.oid`
    is ignored; the result is the OID used."""
    catalog = session.catalog
    outputs = zip(row.proallargtypes or (), row.proargmodes or (), strict=False)
    check_result_types(
        row.prorettype, [t for t, mode in outputs if mode in "obt"], list(row.proargtypes)
    )
    same_name = catalog.all(PgProc, proname=row.proname, pronamespace=row.pronamespace)
    old = next((p for p in same_name if tuple(p.proargtypes) == tuple(row.proargtypes)), None)
    if old is None:
        oid = catalog.new_oid()
        new = row._replace(oid=oid)
        insert_rows(catalog, [new, *_dependencies(catalog, new)])
        return int(oid)
    if not replace:
        raise PgError(
            DUPLICATE_FUNCTION,
            f'function "{row.proname}" already exists with same argument types',
        )
    _check_replaceable(catalog, old, row)
    new = row._replace(oid=old.oid, proowner=old.proowner, proacl=old.proacl)
    changes = {k: v for k, v in new._asdict().items() if getattr(old, k) != v}
    if changes:
        catalog.update(PgProc, {"oid": old.oid}, **changes)
    catalog.delete(PgDepend, classid=PG_PROC_RELID, objid=old.oid)
    insert_rows(catalog, _dependencies(catalog, new, with_owner=False))
    return int(old.oid)


def _signature(catalog: Any, row: PgProc) -> str:
    args = ",".join(catalog.type_name(t) for t in row.proargtypes)
    return f"{row.proname}({args})"


def _drop_hint(catalog: Any, row: PgProc) -> str:
    word = {"p": "PROCEDURE", "a": "AGGREGATE"}.get(row.prokind, "FUNCTION")
    return f"Use DROP {word} {_signature(catalog, row)} first."


def _check_replaceable(catalog: Any, old: PgProc, new: PgProc) -> None:
    if old.prokind != new.prokind:
        word = _KIND_WORDS[old.prokind]
        raise PgError(
            WRONG_OBJECT_TYPE,
            "cannot change routine kind",
            detail=f'"{old.proname}" is a function.'
            if old.prokind == "f"
            else f'"{old.proname}" is {word}.',
        )
    if old.prorettype != new.prorettype or old.proretset != new.proretset:
        raise PgError(
            INVALID_FUNCTION_DEFINITION,
            "cannot change whether a procedure has output parameters"
            if new.prokind == "p"
            else "cannot change return type of existing function",
            hint=_drop_hint(catalog, old),
        )
    if old.prorettype == 2249 and (
        _output_columns(old) != _output_columns(new) and (_output_columns(old) or new.proargmodes)
    ):
        raise PgError(
            INVALID_FUNCTION_DEFINITION,
            "cannot change return type of existing function",
            detail="Row type defined by OUT parameters is different.",
            hint=_drop_hint(catalog, old),
        )
    _check_parameter_names(catalog, old, new)
    if old.pronargdefaults > new.pronargdefaults:
        raise PgError(
            INVALID_FUNCTION_DEFINITION,
            "cannot remove parameter defaults from existing function",
            hint=_drop_hint(catalog, old),
        )


def _output_columns(row: PgProc) -> list[tuple[str, int]]:
    if row.proargmodes is None or row.proallargtypes is None:
        return []
    names = row.proargnames or ("",) * len(row.proargmodes)
    return [
        (n, t)
        for n, t, m in zip(names, row.proallargtypes, row.proargmodes, strict=False)
        if m in "obt"
    ]


def _input_names(row: PgProc) -> list[str]:
    if row.proargnames is None:
        return []
    modes = row.proargmodes or ("i",) * len(row.proargnames)
    return [n for n, m in zip(row.proargnames, modes, strict=False) if m in "ibv"]


def _check_parameter_names(catalog: Any, old: PgProc, new: PgProc) -> None:
    new_names = _input_names(new)
    for position, name in enumerate(_input_names(old)):
        if name and (position >= len(new_names) or new_names[position] != name):
            raise PgError(
                INVALID_FUNCTION_DEFINITION,
                f'cannot change name of input parameter "{name}"',
                hint=_drop_hint(catalog, old),
            )


def _dependencies(catalog: Any, row: PgProc, *, with_owner: bool = True) -> list[Any]:
    me = (PG_PROC_RELID, row.oid, 0)
    rows: list[Any] = []
    if not is_pinned(row.pronamespace, PG_NAMESPACE_RELID):
        rows.append(depend(me, (PG_NAMESPACE_RELID, row.pronamespace, 0), "n"))
    if not is_pinned(row.prolang):
        rows.append(depend(me, (PG_LANGUAGE_RELID, row.prolang, 0), "n"))
    types = dict.fromkeys((row.prorettype, *(row.proallargtypes or row.proargtypes)))
    rows.extend(depend(me, (PG_TYPE_RELID, t, 0), "n") for t in types if not is_pinned(t))
    if with_owner:
        rows.extend(owner_rows(catalog, PG_PROC_RELID, row.oid, row.proowner))
        rows.extend(acl_rows(catalog, PG_PROC_RELID, row.oid, row.proowner, row.proacl))
    return rows
