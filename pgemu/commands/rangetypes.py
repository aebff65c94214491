"""CREATE TYPE ... AS RANGE (DefineRange of typecmds.c): range, its array, multirange, its array."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.acl import ACL_EXECUTE, pg_proc_aclcheck
from pgemu.catalog.heap import (
    acl_rows,
    depend,
    insert_rows,
    is_pinned,
    move_array_type_name,
    owner_rows,
)
from pgemu.catalog.namespace import qualified_name_get_creation_namespace
from pgemu.catalog.pg_proc_create import procedure_create
from pgemu.catalog.pg_type_create import array_type_row, make_array_type_name, type_row
from pgemu.catalog.rows import (
    PG_CAST_RELID,
    PG_COLLATION_RELID,
    PG_NAMESPACE_RELID,
    PG_OPCLASS_RELID,
    PG_PROC_RELID,
    PG_TYPE_RELID,
    PgCast,
    PgProc,
    PgRange,
    PgType,
)
from pgemu.commands.default_acl import get_user_default_acl
from pgemu.commands.define import (
    def_get_qualified_name,
    def_get_type_name,
    elements,
    error_conflicting_def_elem,
)
from pgemu.commands.opclass_lookup import resolve_opclass
from pgemu.commands.permissions import aclcheck_error
from pgemu.commands.result import CommandResult, Statement
from pgemu.commands.typecmds import create_type_with_array, creation_target
from pgemu.errors import (
    DATATYPE_MISMATCH,
    DUPLICATE_OBJECT,
    FEATURE_NOT_SUPPORTED,
    INVALID_OBJECT_DEFINITION,
    SYNTAX_ERROR,
    UNDEFINED_OBJECT,
    PgError,
)

_OPTIONS = (
    "subtype", "subtype_opclass", "collation", "canonical", "subtype_diff",
    "multirange_type_name",
)  # fmt: skip
BTREE_AM, TEXTOID, FLOAT8OID, BOOTSTRAP_SUPERUSER = 403, 25, 701, 10


def define_range(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE TYPE name AS RANGE."""
    from pgemu.parser.parse_type import typename_type_id

    catalog = session.catalog
    _namespace, _name, shell = creation_target(session, stmt["typeName"])
    given = _options(stmt)
    if "subtype" not in given:
        raise PgError(SYNTAX_ERROR, 'type attribute "subtype" is required')
    subtype = typename_type_id(catalog, {**def_get_type_name(given["subtype"]), "location": -1})
    sub = catalog.one(PgType, oid=subtype)
    if sub.typtype == "p":
        raise PgError(DATATYPE_MISMATCH, f"range subtype cannot be {catalog.type_name(subtype)}")
    opclass = _opclass(catalog, given, subtype)
    collation = _collation(catalog, given, sub)
    if "canonical" in given:
        if not shell:
            raise PgError(
                INVALID_OBJECT_DEFINITION,
                "cannot specify a canonical function without a pre-created shell type",
                hint="Create the type as a shell type, then create its canonicalization function, "
                "then do a full CREATE TYPE.",
            )
        raise PgError(FEATURE_NOT_SUPPORTED, "range canonical functions are not supported")
    diff = _subdiff(session, given, subtype)
    align = "d" if sub.typalign == "d" else "i"
    oid, array = create_type_with_array(
        session, stmt["typeName"], array_align=align,
        typtype="r", typcategory="R", typalign=align, typinput="range_in",
        typoutput="range_out", typreceive="range_recv", typsend="range_send",
        typanalyze="range_typanalyze",
    )  # fmt: skip
    multirange = _multirange(session, oid, given, align)
    rows: list[Any] = [PgRange(oid, subtype, multirange, collation, opclass, 0, diff)]
    me = (PG_TYPE_RELID, oid, 0)
    for classid, needed in (
        (PG_TYPE_RELID, subtype),
        (PG_OPCLASS_RELID, opclass),
        (PG_COLLATION_RELID, collation),
        (PG_PROC_RELID, diff),
    ):
        if needed and not is_pinned(needed):
            rows.append(depend(me, (classid, needed, 0), "n"))
    rows.append(depend((PG_TYPE_RELID, multirange, 0), me, "i"))
    insert_rows(catalog, rows)
    _make_constructors(session, catalog.get(PgType, oid=oid), subtype, multirange, array)
    return CommandResult("CREATE TYPE")


def _options(stmt: dict[str, Any]) -> dict[str, dict[str, Any]]:
    given: dict[str, dict[str, Any]] = {}
    for option in elements(stmt.get("params")):
        name = option["defname"]
        if name not in _OPTIONS:
            raise PgError(SYNTAX_ERROR, f'type attribute "{name}" not recognized')
        if name in given:
            raise error_conflicting_def_elem(option)
        given[name] = option
    return given


def _opclass(catalog: Any, given: dict[str, dict[str, Any]], subtype: int) -> int:
    """findRangeSubOpclass."""
    from pgemu.parser.parse_oper import get_default_opclass

    if "subtype_opclass" in given:
        words = def_get_qualified_name(given["subtype_opclass"])
        names = [{"String": {"sval": w}} for w in words]
        return int(resolve_opclass(catalog, names, subtype, "btree", BTREE_AM))
    found = get_default_opclass(catalog, subtype, BTREE_AM)
    if found is None:
        raise PgError(
            UNDEFINED_OBJECT,
            f"data type {catalog.type_name(subtype)} has no default operator class for "
            'access method "btree"',
            hint="You must specify an operator class for the range type or define a default "
            "operator class for the subtype.",
        )
    return int(found.oid)


def _collation(catalog: Any, given: dict[str, dict[str, Any]], sub: PgType) -> int:
    if "collation" not in given:
        return sub.typcollation
    if not sub.typcollation:
        raise PgError("42809", "range collation specified but subtype does not support collation")
    from pgemu.catalog.namespace import get_collation_oid

    return int(get_collation_oid(catalog, def_get_qualified_name(given["collation"])))


def _subdiff(session: Any, given: dict[str, dict[str, Any]], subtype: int) -> int:
    """findRangeSubtypeDiffFunction."""
    from pgemu.parser.parse_func_lookup import func_signature_string, lookup_func_name

    if "subtype_diff" not in given:
        return 0
    catalog = session.catalog
    words = def_get_qualified_name(given["subtype_diff"])
    oid = lookup_func_name(catalog, words, [subtype, subtype])
    row = catalog.get(PgProc, oid=oid)
    shown = func_signature_string(catalog, words, [], [subtype, subtype])
    what = f"range subtype diff function {shown} must"
    if row.prorettype != FLOAT8OID:
        raise PgError(INVALID_OBJECT_DEFINITION, f"{what} return type double precision")
    if row.provolatile != "i":
        raise PgError(INVALID_OBJECT_DEFINITION, f"{what} be immutable")
    if not pg_proc_aclcheck(catalog, oid, ACL_EXECUTE):
        aclcheck_error("function", row.proname)
    return oid


def _make_constructors(
    session: Any, row: PgType, subtype: int, multirange: int, array: int
) -> None:
    """makeRangeConstructors, makeMultirangeConstructors: functions that go away with the type."""
    catalog = session.catalog
    name = catalog.get(PgType, oid=multirange).typname
    two = [subtype, subtype]
    made = [
        _constructor(session, row, row.typname, row.oid, two, "range_constructor2"),
        _constructor(session, row, row.typname, row.oid, [*two, TEXTOID], "range_constructor3"),
        _constructor(session, row, name, multirange, [], "multirange_constructor0"),
        _constructor(session, row, name, multirange, [row.oid], "multirange_constructor1"),
        _constructor(session, row, name, multirange, [array], "multirange_constructor2"),
    ]
    cast = catalog.new_oid()
    links = [
        depend((PG_PROC_RELID, oid, 0), (PG_TYPE_RELID, owner, 0), "i")
        for oid, owner in zip(made, (row.oid,) * 2 + (multirange,) * 3, strict=True)
    ]
    me = (PG_CAST_RELID, cast, 0)
    links += [
        depend(me, (PG_PROC_RELID, made[3], 0), "i"),
        depend(me, (PG_TYPE_RELID, multirange, 0), "i"),
        depend(me, (PG_TYPE_RELID, row.oid, 0), "i"),
    ]
    insert_rows(catalog, [PgCast(cast, row.oid, multirange, made[3], "e", "f"), *links])


def _constructor(
    session: Any, row: PgType, name: str, result: int, types: list[int], source: str
) -> int:
    variadic = source == "multirange_constructor2"
    proc = PgProc(
        oid=0, proname=name, pronamespace=row.typnamespace, proowner=BOOTSTRAP_SUPERUSER,
        prolang=12, procost=1.0, prorows=0.0, provariadic=row.oid if variadic else 0,
        prosupport=0, prokind="f", prosecdef=False, proleakproof=False,
        proisstrict=source.startswith("multirange"), proretset=False, provolatile="i",
        proparallel="s", pronargs=len(types), pronargdefaults=0, prorettype=result,
        proargtypes=tuple(types), proallargtypes=tuple(types) if variadic else None,
        proargmodes=("v",) if variadic else None, proargnames=None, proargdefaults=None,
        protrftypes=None, prosrc=source, probin=None, prosqlbody=None, proconfig=None,
        proacl=None,
    )  # fmt: skip
    return procedure_create(session, proc, replace=False)


def _multirange_name(
    session: Any, row: PgType, given: dict[str, dict[str, Any]]
) -> tuple[str, int]:
    """(name, schema) of the multirange type (makeMultirangeTypeName)."""
    catalog = session.catalog
    hint = detail = None
    if "multirange_type_name" in given:
        words = def_get_qualified_name(given["multirange_type_name"])
        nodes = [{"String": {"sval": w}} for w in words]
        namespace, name = qualified_name_get_creation_namespace(catalog, nodes)
    else:
        namespace = row.typnamespace
        detail = f'Failed while creating a multirange type for type "{row.typname}".'
        hint = (
            'You can manually specify a multirange type name using the "multirange_type_name" '
            "attribute."
        )
        if "range" in row.typname:
            name = row.typname.replace("range", "multirange", 1)
        else:
            name = row.typname.encode()[:52].decode(errors="ignore") + "_multirange"
        name = name.encode()[:63].decode(errors="ignore")
    old = catalog.one(PgType, typname=name, typnamespace=namespace)
    if old is not None and not move_array_type_name(catalog, old):
        raise PgError(DUPLICATE_OBJECT, f'type "{name}" already exists', detail=detail, hint=hint)
    return name, namespace


def _multirange(session: Any, range_oid: int, given: dict[str, dict[str, Any]], align: str) -> int:
    catalog = session.catalog
    row = catalog.one(PgType, oid=range_oid)
    name, namespace = _multirange_name(session, row, given)
    oid, array = catalog.new_oid(), catalog.new_oid()
    array_name = make_array_type_name(catalog, name, namespace)
    acl = get_user_default_acl(session, "T", row.typowner, namespace)
    insert_rows(
        catalog,
        [
            type_row(
                catalog, oid, name, namespace, row.typowner, typacl=acl,
                typtype="m", typcategory="R", typalign=align, typarray=array,
                typinput="multirange_in", typoutput="multirange_out",
                typreceive="multirange_recv", typsend="multirange_send",
                typanalyze="multirange_typanalyze",
            ),
            array_type_row(
                catalog, array, array_name, namespace, row.typowner, oid, align=align
            ),
            depend((PG_TYPE_RELID, array, 0), (PG_TYPE_RELID, oid, 0), "i"),
            depend((PG_TYPE_RELID, oid, 0), (PG_NAMESPACE_RELID, namespace, 0), "n"),
            *owner_rows(catalog, PG_TYPE_RELID, oid, row.typowner),
            *acl_rows(catalog, PG_TYPE_RELID, oid, row.typowner, acl),
        ],
    )  # fmt: skip
    return int(oid)
