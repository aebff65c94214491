"""CREATE TYPE (enum, composite) and ALTER TYPE (PostgreSQL's typecmds.c and pg_enum.c)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.heap import (
    ColumnSpec,
    acl_rows,
    depend,
    heap_create_with_catalog,
    insert_rows,
    is_pinned,
    move_array_type_name,
    owner_rows,
)
from pgemu.catalog.pg_type_create import array_type_row, make_array_type_name, type_row
from pgemu.catalog.rows import (
    PG_NAMESPACE_RELID,
    PG_TYPE_RELID,
    PgClass,
    PgEnum,
    PgType,
)
from pgemu.commands.default_acl import get_user_default_acl
from pgemu.commands.define import strings
from pgemu.commands.ownership import check_object_ownership
from pgemu.commands.permissions import check_catalog_modification
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    DUPLICATE_OBJECT,
    INVALID_NAME,
    INVALID_PARAMETER_VALUE,
    UNIQUE_VIOLATION,
    WRONG_OBJECT_TYPE,
    PgError,
)


def creation_target(
    session: Any, names: list[Any], *, replace_shell: bool = True
) -> tuple[int, str, int]:
    """(namespace, name, OID of a shell type to fill or 0); 42710 when the name is taken."""
    from pgemu.catalog.acl import ACL_CREATE, pg_namespace_aclcheck
    from pgemu.catalog.namespace import qualified_name_get_creation_namespace
    from pgemu.catalog.rows import PgNamespace

    catalog = session.catalog
    namespace, name = qualified_name_get_creation_namespace(catalog, names)
    if not pg_namespace_aclcheck(catalog, namespace, ACL_CREATE):
        row = catalog.one(PgNamespace, oid=namespace)
        raise PgError("42501", f"permission denied for schema {row.nspname}")
    old = catalog.one(PgType, typname=name, typnamespace=namespace)
    if old is not None:
        if not old.typisdefined and replace_shell:
            return namespace, name, old.oid
        if not move_array_type_name(catalog, old):
            raise PgError(DUPLICATE_OBJECT, f'type "{name}" already exists')
    return namespace, name, 0


def refuse_array_type(catalog: Any, row: PgType) -> None:
    """RENAME, OWNER TO and SET SCHEMA are for the element type."""
    from pgemu.catalog.lsyscache import get_element_type

    element = get_element_type(catalog, row.oid)
    if element and catalog.get(PgType, oid=element).typarray == row.oid:
        raise PgError(
            WRONG_OBJECT_TYPE,
            f"cannot alter array type {catalog.type_name(row.oid)}",
            hint=f"You can alter type {catalog.type_name(element)}, which will alter the array "
            "type as well.",
        )


def type_dependency_rows(catalog: Any, row: PgType, array_oid: int) -> list[Any]:
    """GenerateTypeDependencies for a type of its own, and its array type."""
    me = (PG_TYPE_RELID, row.oid, 0)
    rows: list[Any] = []
    if not is_pinned(row.typnamespace, PG_NAMESPACE_RELID):
        rows.append(depend(me, (PG_NAMESPACE_RELID, row.typnamespace, 0), "n"))
    rows.extend(owner_rows(catalog, PG_TYPE_RELID, row.oid, row.typowner))
    if row.typbasetype and not is_pinned(row.typbasetype):
        rows.append(depend(me, (PG_TYPE_RELID, row.typbasetype, 0), "n"))
    if array_oid:
        rows.append(depend((PG_TYPE_RELID, array_oid, 0), me, "i"))
    return rows


def create_type_with_array(
    session: Any, names: list[Any], *, array_align: str = "i", **fields: Any
) -> tuple[int, int]:
    """A new type (filling a shell if there is one) and its array type: their OIDs."""
    catalog = session.catalog
    namespace, name, shell = creation_target(session, names)
    owner = session.ctx.current_user_oid
    oid = shell or catalog.new_oid()
    array_oid = catalog.new_oid()
    if shell:
        catalog.delete(PgType, oid=shell)
    acl = get_user_default_acl(session, "T", owner, namespace)
    row = type_row(catalog, oid, name, namespace, owner, typarray=array_oid, typacl=acl, **fields)
    array_name = make_array_type_name(catalog, name, namespace)
    array = array_type_row(
        catalog, array_oid, array_name, namespace, owner, oid,
        align=array_align, collation=row.typcollation,
    )  # fmt: skip
    links = type_dependency_rows(catalog, row, array_oid)
    if shell:
        links = [x for x in links if getattr(x, "objid", 0) == array_oid]
    links += acl_rows(catalog, PG_TYPE_RELID, oid, owner, acl)
    insert_rows(catalog, [row, array, *links])
    return int(oid), int(array_oid)


def define_enum(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE TYPE ... AS ENUM."""
    labels = strings(stmt.get("vals"))
    for number, label in enumerate(labels):
        _check_label(label)
        if label in labels[:number]:  # PostgreSQL 15 leaves it to the catalog's index
            raise PgError(
                UNIQUE_VIOLATION,
                'duplicate key value violates unique constraint "pg_enum_typid_label_index"',
                detail=f"Key (enumtypid, enumlabel)=({session.catalog.new_oid()}, {label}) "
                "already exists.",
                schema="pg_catalog",
                table="pg_enum",
                constraint="pg_enum_typid_label_index",
            )
    catalog = session.catalog
    oid, _array = create_type_with_array(
        session, stmt["typeName"],
        typtype="e", typcategory="E", typlen=4, typbyval=True, typalign="i", typstorage="p",
        typinput="enum_in", typoutput="enum_out", typreceive="enum_recv", typsend="enum_send",
    )  # fmt: skip
    rows = [
        PgEnum(catalog.new_oid(), oid, float(number), label)
        for number, label in enumerate(labels, 1)
    ]
    insert_rows(catalog, rows)
    return CommandResult("CREATE TYPE")


def _check_label(label: str) -> None:
    if len(label.encode()) > 63:
        raise PgError(
            INVALID_NAME,
            f'invalid enum label "{label}"',
            detail="Labels must be 63 bytes or less.",
        )


def _enum_type(session: Any, names: list[Any]) -> PgType:
    from pgemu.catalog.objectaddress import ObjectAddress
    from pgemu.parser.parse_type import typename_type_id

    catalog = session.catalog
    oid = typename_type_id(catalog, {"names": names, "typemod": -1, "location": -1})
    row: PgType = catalog.one(PgType, oid=oid)
    if row.typtype != "e":
        raise PgError(WRONG_OBJECT_TYPE, f"{catalog.type_name(oid)} is not an enum")
    check_object_ownership(session, ObjectAddress(PG_TYPE_RELID, oid, 0))
    return row


def alter_enum(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER TYPE ... ADD VALUE / RENAME VALUE."""
    catalog = session.catalog
    typ = _enum_type(session, stmt["typeName"])
    rows = sorted(catalog.all(PgEnum, enumtypid=typ.oid), key=lambda e: e.enumsortorder)
    labels = [e.enumlabel for e in rows]
    new = stmt["newVal"]
    _check_label(new)
    if "oldVal" in stmt:
        old = next((e for e in rows if e.enumlabel == stmt["oldVal"]), None)
        if old is None:
            raise PgError(
                INVALID_PARAMETER_VALUE, f'"{stmt["oldVal"]}" is not an existing enum label'
            )
        if new in labels:
            raise PgError(DUPLICATE_OBJECT, f'enum label "{new}" already exists')
        catalog.update(PgEnum, {"oid": old.oid}, enumlabel=new)
        return CommandResult("ALTER TYPE")
    if new in labels:
        message = f'enum label "{new}" already exists'
        if stmt.get("skipIfNewValExists"):
            session.notice("NOTICE", DUPLICATE_OBJECT, message + ", skipping")
            return CommandResult("ALTER TYPE")
        raise PgError(DUPLICATE_OBJECT, message)
    order = _new_sort_order(rows, stmt)
    catalog.insert(PgEnum(catalog.new_oid(), typ.oid, order, new))
    session.uncommitted_enums.add((typ.oid, order))
    session.xact.at_commit(session.uncommitted_enums.clear)
    session.xact.at_abort(session.uncommitted_enums.clear)
    return CommandResult("ALTER TYPE")


def _new_sort_order(rows: list[PgEnum], stmt: dict[str, Any]) -> float:
    neighbor = stmt.get("newValNeighbor")
    if neighbor is None:
        return rows[-1].enumsortorder + 1 if rows else 1.0
    position = next((i for i, e in enumerate(rows) if e.enumlabel == neighbor), None)
    if position is None:
        raise PgError(INVALID_PARAMETER_VALUE, f'"{neighbor}" is not an existing enum label')
    here = rows[position].enumsortorder
    if stmt.get("newValIsAfter"):
        if position + 1 == len(rows):
            return here + 1
        return (here + rows[position + 1].enumsortorder) / 2
    if position == 0:
        return here - 1
    return (rows[position - 1].enumsortorder + here) / 2


def _without_position(coldef: dict[str, Any]) -> dict[str, Any]:
    """DefineRelation looks the types up without the statement's text."""
    return {**coldef, "typeName": {**coldef["typeName"], "location": -1}}


def define_composite_type(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE TYPE ... AS (...): a relation of kind c."""
    from pgemu.catalog.namespace import range_var_get_and_check_creation_namespace
    from pgemu.commands.parse_utilcmd import TableDef, transform_column_definition

    catalog = session.catalog
    relation = stmt["typevar"]
    namespace = range_var_get_and_check_creation_namespace(catalog, relation)
    name = relation["relname"]
    old = catalog.one(PgType, typname=name, typnamespace=namespace)
    if old is not None and old.typisdefined and not move_array_type_name(catalog, old):
        raise PgError(DUPLICATE_OBJECT, f'type "{name}" already exists')
    if old is not None and not old.typisdefined:
        catalog.delete(PgType, oid=old.oid)
    if catalog.one(PgClass, relname=name, relnamespace=namespace) is not None:
        raise PgError("42P07", f'relation "{name}" already exists')
    table = TableDef(name)
    columns: list[ColumnSpec] = [
        transform_column_definition(catalog, table, _without_position(c["ColumnDef"]))
        for c in stmt.get("coldeflist", ())
    ]
    if table.sequences:
        raise PgError("42704", 'type "serial" does not exist')
    acl = get_user_default_acl(session, "T", session.ctx.current_user_oid, namespace)
    check_catalog_modification(session, namespace, name)
    heap_create_with_catalog(session, name, namespace, "c", "p", columns, type_acl=acl)
    return CommandResult("CREATE TYPE")
