"""CREATE TYPE ... AS RANGE (DefineRange of typecmds.c): range, its array, multirange, its array."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.heap import depend, insert_rows
from pgemu.catalog.pg_type_create import array_type_row, make_array_type_name, type_row
from pgemu.catalog.rows import PG_TYPE_RELID, PgRange, PgType
from pgemu.commands.define import def_get_qualified_name, def_get_type_name, elements
from pgemu.commands.opclass_lookup import resolve_opclass
from pgemu.commands.result import CommandResult, Statement
from pgemu.commands.typecmds import create_type_with_array
from pgemu.errors import (
    DUPLICATE_OBJECT,
    FEATURE_NOT_SUPPORTED,
    SYNTAX_ERROR,
    PgError,
)

_OPTIONS = (
    "subtype", "subtype_opclass", "collation", "canonical", "subtype_diff",
    "multirange_type_name",
)  # fmt: skip


def define_range(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE TYPE name AS RANGE."""
    from pgemu.parser.parse_type import typename_type_id

    catalog = session.catalog
    given: dict[str, dict[str, Any]] = {}
    for option in elements(stmt.get("params")):
        name = option["defname"]
        if name not in _OPTIONS:
            raise PgError(SYNTAX_ERROR, f'type attribute "{name}" not recognized')
        given[name] = option
    if "subtype" not in given:
        raise PgError(SYNTAX_ERROR, 'type attribute "subtype" is required')
    subtype = typename_type_id(catalog, def_get_type_name(given["subtype"]))
    sub = catalog.one(PgType, oid=subtype)
    if sub.typtype == "p":
        raise PgError("42804", f"range subtype cannot be {catalog.type_name(subtype)}")
    names = None
    if "subtype_opclass" in given:
        words = def_get_qualified_name(given["subtype_opclass"])
        names = [{"String": {"sval": w}} for w in words]
    opclass = resolve_opclass(catalog, names, subtype, "btree", 403)
    collation = _collation(catalog, given, sub)
    if "canonical" in given:
        raise PgError(FEATURE_NOT_SUPPORTED, "range canonical functions are not supported")
    align = "d" if sub.typalign == "d" else "i"
    oid, _array = create_type_with_array(
        session, stmt["typeName"], array_align=align,
        typtype="r", typcategory="R", typalign=align, typinput="range_in",
        typoutput="range_out", typreceive="range_recv", typsend="range_send",
        typanalyze="range_typanalyze",
    )  # fmt: skip
    multirange = _multirange(session, oid, given, align)
    diff = _subdiff(session, given, subtype)
    rows: list[Any] = [PgRange(oid, subtype, multirange, collation, opclass, 0, diff)]
    me = (PG_TYPE_RELID, oid, 0)
    if subtype >= 12000:
        rows.append(depend(me, (PG_TYPE_RELID, subtype, 0), "n"))
    rows.append(depend((PG_TYPE_RELID, multirange, 0), me, "i"))
    insert_rows(catalog, rows)
    return CommandResult("CREATE TYPE")


def _collation(catalog: Any, given: dict[str, dict[str, Any]], sub: PgType) -> int:
    if "collation" not in given:
        return sub.typcollation
    if not sub.typcollation:
        raise PgError("42809", "range collation specified but subtype does not support collation")
    from pgemu.catalog.namespace import get_collation_oid

    return int(get_collation_oid(catalog, def_get_qualified_name(given["collation"])))


def _subdiff(session: Any, given: dict[str, dict[str, Any]], subtype: int) -> int:
    if "subtype_diff" not in given:
        return 0
    from pgemu.catalog.namespace_candidates import funcname_get_candidates

    words = def_get_qualified_name(given["subtype_diff"])
    for candidate in funcname_get_candidates(session.catalog, words, 2):
        if list(candidate.args)[:2] == [subtype, subtype]:
            return int(candidate.oid)
    shown = session.catalog.type_name(subtype)
    raise PgError("42883", f"function {'.'.join(words)}({shown}, {shown}) does not exist")


def _multirange(session: Any, range_oid: int, given: dict[str, dict[str, Any]], align: str) -> int:
    catalog = session.catalog
    row = catalog.one(PgType, oid=range_oid)
    if "multirange_type_name" in given:
        name = def_get_qualified_name(given["multirange_type_name"])[-1]
    elif "range" in row.typname:
        name = row.typname.replace("range", "multirange", 1)
    else:
        name = row.typname[:52] + "_multirange"
    if catalog.one(PgType, typname=name, typnamespace=row.typnamespace) is not None:
        raise PgError(
            DUPLICATE_OBJECT,
            f'type "{name}" already exists',
            hint="You can manually specify a multirange type name using the "
            '"multirange_type_name" attribute.',
        )
    oid, array = catalog.new_oid(), catalog.new_oid()
    array_name = make_array_type_name(catalog, name, row.typnamespace)
    insert_rows(
        catalog,
        [
            type_row(
                catalog, oid, name, row.typnamespace, row.typowner,
                typtype="m", typcategory="R", typalign=align, typarray=array,
                typinput="multirange_in", typoutput="multirange_out",
                typreceive="multirange_recv", typsend="multirange_send",
                typanalyze="multirange_typanalyze",
            ),
            array_type_row(
                catalog, array, array_name, row.typnamespace, row.typowner, oid, align=align
            ),
            depend((PG_TYPE_RELID, array, 0), (PG_TYPE_RELID, oid, 0), "i"),
        ],
    )  # fmt: skip
    return int(oid)
