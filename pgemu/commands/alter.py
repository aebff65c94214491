"""ALTER ... OWNER TO, SET SCHEMA, DEPENDS ON EXTENSION for every kind of object (alter.c)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog import rows as r
from pgemu.catalog.acl import (
    ACL_CREATE,
    ACL_USAGE,
    acl_from_texts,
    acl_to_texts,
    pg_database_aclcheck,
    pg_foreign_data_wrapper_aclcheck,
    pg_namespace_aclcheck,
)
from pgemu.catalog.heap import is_pinned
from pgemu.catalog.objectaddress import ObjectAddress
from pgemu.catalog.roles import superuser, superuser_arg
from pgemu.catalog.toasting import update_toast
from pgemu.commands.name_conflict import check_name_is_free
from pgemu.commands.ownership import KINDS, check_named_object_ownership, check_object_ownership
from pgemu.commands.permissions import aclcheck_error, check_not_system, check_owner
from pgemu.commands.result import CommandResult, Statement
from pgemu.commands.role_spec import check_can_set_role, get_rolespec_oid
from pgemu.commands.typecmds import refuse_array_type
from pgemu.errors import (
    DUPLICATE_TABLE,
    FEATURE_NOT_SUPPORTED,
    INSUFFICIENT_PRIVILEGE,
    WRONG_OBJECT_TYPE,
    PgError,
)

_RELATIONS = {
    "OBJECT_TABLE": ("TABLE", "rpvmSf"), "OBJECT_VIEW": ("VIEW", "v"),
    "OBJECT_MATVIEW": ("MATERIALIZED VIEW", "m"), "OBJECT_SEQUENCE": ("SEQUENCE", "S"),
    "OBJECT_FOREIGN_TABLE": ("FOREIGN TABLE", "f"), "OBJECT_INDEX": ("INDEX", "iI"),
}  # fmt: skip


def _tag(objtype: str) -> str:
    from pgemu.commands.rename import _TAGS

    return "ALTER " + _TAGS.get(objtype, objtype.removeprefix("OBJECT_"))


def _address(session: Any, objtype: str, node: Any) -> ObjectAddress:
    from pgemu.commands.get_object_address import get_object_address

    if objtype in ("OBJECT_TYPE", "OBJECT_DOMAIN") and "List" in node:
        node = {"TypeName": {"names": node["List"]["items"], "typemod": -1, "location": -1}}
    found = get_object_address(session.catalog, objtype, node, False)
    assert found is not None
    return ObjectAddress(*found)


# --- owner -----------------------------------------------------------------------------------


def alter_owner(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER ... OWNER TO of what is not a relation."""
    objtype = stmt["objectType"]
    new_owner = get_rolespec_oid(session, stmt["newowner"])
    change_owner(session, _address(session, objtype, stmt["object"]), new_owner)
    return CommandResult(_tag(objtype))


def change_owner(session: Any, address: ObjectAddress, new_owner: int) -> None:
    """AlterObjectOwner_internal: the object, its ACL, its dependency on the owner."""
    catalog = session.catalog
    if address.classid == r.PgClass.RELID:
        change_relation_owner(session, catalog.relation(address.objid), new_owner)
        return
    entry = KINDS[address.classid]
    row = catalog.one(entry.cls, oid=address.objid)
    if not entry.owner:
        raise PgError(FEATURE_NOT_SUPPORTED, f"{entry.word} has no owner")
    if entry.cls is r.PgType:
        if row.typtype == "c" and catalog.relation(row.typrelid).relkind != "c":
            raise PgError(
                WRONG_OBJECT_TYPE,
                f"{catalog.type_name(row.oid)} is a table's row type",
                hint="Use ALTER TABLE instead.",
            )
        refuse_array_type(catalog, row)
    old_owner = getattr(row, entry.owner)
    if old_owner == new_owner:
        return
    if entry.cls is r.PgForeignDataWrapper:
        _check_wrapper_owner(session, row, new_owner)
    check_object_ownership(session, address)
    if entry.cls is r.PgEventTrigger:
        from pgemu.commands.event_trigger import check_new_owner

        check_new_owner(session, row.evtname, new_owner)
    if entry.cls is r.PgSubscription:
        from pgemu.commands import subscriptioncmds

        subscriptioncmds.check_new_owner(session, row.subname, new_owner)
    check_can_set_role(session, new_owner)
    _check_new_owner(session, entry, row, new_owner)
    if entry.cls is r.PgType:
        if row.typarray:
            catalog.update(r.PgType, {"oid": row.typarray}, typowner=new_owner)
        if row.typrelid:
            catalog.update(r.PgClass, {"oid": row.typrelid}, relowner=new_owner)
    _store_owner(session, address, row, old_owner, new_owner)


def _check_wrapper_owner(session: Any, row: Any, new_owner: int) -> None:
    """AlterForeignDataWrapperOwner_internal: superusers among themselves."""
    hint = None
    if not superuser(session.catalog):
        hint = "Must be superuser to change owner of a foreign-data wrapper."
    elif not superuser_arg(session.catalog, new_owner):
        hint = "The owner of a foreign-data wrapper must be a superuser."
    if hint:
        raise PgError(
            INSUFFICIENT_PRIVILEGE,
            f'permission denied to change owner of foreign-data wrapper "{row.fdwname}"',
            hint=hint,
        )


def _check_new_owner(session: Any, entry: Any, row: Any, new_owner: int) -> None:
    """The new owner could have made the object where it is."""
    catalog = session.catalog
    if superuser(catalog):
        return
    if entry.cls is r.PgForeignServer:
        if not pg_foreign_data_wrapper_aclcheck(catalog, row.srvfdw, ACL_USAGE, new_owner):
            wrapper = catalog.get(r.PgForeignDataWrapper, oid=row.srvfdw)
            aclcheck_error("foreign-data wrapper", wrapper.fdwname)
    elif entry.cls is r.PgNamespace:
        database = session.ctx.database_oid
        if not pg_database_aclcheck(catalog, database, ACL_CREATE, session.ctx.current_user_oid):
            aclcheck_error("database", session.ctx.database)
    elif entry.namespace:
        check_may_create_in(session, getattr(row, entry.namespace), new_owner)


def check_may_create_in(session: Any, namespace: int, role: int) -> None:
    if not pg_namespace_aclcheck(session.catalog, namespace, ACL_CREATE, role):
        name = session.catalog.get(r.PgNamespace, oid=namespace).nspname
        aclcheck_error("schema", name)


def _store_owner(
    session: Any, address: ObjectAddress, row: Any, old_owner: int, new_owner: int
) -> None:
    from pgemu.catalog.acl_change import aclnewowner

    catalog = session.catalog
    entry = KINDS[address.classid]
    changes: dict[str, Any] = {entry.owner: new_owner}
    texts = getattr(row, entry.acl) if entry.acl else None
    if texts is not None:
        acl = aclnewowner(acl_from_texts(catalog, texts), old_owner, new_owner)
        changes[entry.acl] = acl_to_texts(catalog, acl)
    catalog.update(entry.cls, {"oid": address.objid}, **changes)
    shared = address.classid in (
        r.PgDatabase.RELID,
        r.PgTablespace.RELID,
        r.PgSubscription.RELID,
    )
    key = {
        "dbid": 0 if shared else session.ctx.database_oid,
        "classid": address.classid,
        "objid": address.objid,
        "objsubid": 0,
        "refclassid": r.PgAuthid.RELID,
    }
    catalog.delete(r.PgShdepend, **key, deptype="o")
    # what an ACL gives the owner is implicit
    catalog.delete(r.PgShdepend, **key, refobjid=new_owner, deptype="a")
    if not is_pinned(new_owner):
        catalog.insert(r.PgShdepend(**key, refobjid=new_owner, deptype="o"))


def change_relation_owner(session: Any, relation: Any, new_owner: int) -> None:
    """ATExecChangeOwner: with indexes, row type and owned sequences."""
    from pgemu.commands.sequence import owned_sequences

    catalog = session.catalog
    if relation.owner == new_owner:
        return
    check_owner(session, relation)
    check_can_set_role(session, new_owner)
    if not superuser(catalog):
        check_may_create_in(session, relation.namespace, new_owner)
    _store_owner(
        session,
        ObjectAddress(r.PgClass.RELID, relation.oid, 0),
        relation.row,
        relation.owner,
        new_owner,
    )
    if relation.type_oid:
        typ = catalog.one(r.PgType, oid=relation.type_oid)
        for oid in (typ.oid, typ.typarray):
            catalog.update(r.PgType, {"oid": oid}, typowner=new_owner)
    for index in relation.indexes:
        catalog.update(r.PgClass, {"oid": index.oid}, relowner=new_owner)
    update_toast(catalog, relation.oid, relowner=new_owner)
    for sequence in owned_sequences(catalog, relation.oid):
        change_relation_owner(session, catalog.relation(sequence), new_owner)


# --- schema ----------------------------------------------------------------------------------


def alter_object_schema(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER ... SET SCHEMA."""
    from pgemu.catalog.namespace import (
        check_set_namespace,
        lookup_creation_namespace,
        range_var_get_relid,
    )

    catalog = session.catalog
    objtype = stmt["objectType"]
    if objtype in _RELATIONS:
        word, kinds = _RELATIONS[objtype]
        oid = range_var_get_relid(catalog, stmt["relation"], bool(stmt.get("missing_ok")))
        if not oid:
            name = stmt["relation"]["relname"]
            session.notice("NOTICE", "00000", f'relation "{name}" does not exist, skipping')
            return CommandResult(f"ALTER {word}")
        relation = catalog.relation(oid)
        if relation.relkind not in kinds:
            raise PgError(WRONG_OBJECT_TYPE, f'"{relation.name}" is not a {word.lower()}')
        check_owner(session, relation)
        check_not_system(session, relation)
        if relation.relkind == "S":
            _refuse_owned_sequence(catalog, relation)
        new = lookup_creation_namespace(catalog, stmt["newschema"])
        check_set_namespace(catalog, relation.namespace, new)
        move_relation(session, relation, new)
        return CommandResult(f"ALTER {word}")
    new = lookup_creation_namespace(catalog, stmt["newschema"])
    address = _address(session, objtype, stmt["object"])
    entry = KINDS[address.classid]
    row = catalog.one(entry.cls, oid=address.objid)
    if entry.cls is r.PgExtension:
        from pgemu.commands.extension import move_extension

        move_extension(session, row, new)
        return CommandResult(_tag(objtype))
    if entry.cls is r.PgType or not entry.namespace or getattr(row, entry.namespace) != new:
        # who moves an object to where it is already need not be its owner
        check_object_ownership(session, address)
    if entry.cls is r.PgType:
        refuse_array_type(catalog, row)
    move_object(session, address, new)
    return CommandResult(_tag(objtype))


def _refuse_owned_sequence(catalog: Any, relation: Any) -> None:
    for link in catalog.all(r.PgDepend, classid=r.PgClass.RELID, objid=relation.oid):
        if link.refclassid == r.PgClass.RELID and link.refobjsubid and link.deptype in "ai":
            table = catalog.relation(link.refobjid).name
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                "cannot move an owned sequence into another schema",
                detail=f'Sequence "{relation.name}" is linked to table "{table}".',
            )


def _move_dependency(catalog: Any, classid: int, oid: int, old: int, new: int) -> None:
    from pgemu.catalog.pg_depend import change_dependency_for

    change_dependency_for(catalog, classid, oid, r.PgNamespace.RELID, old, new)


def move_relation(session: Any, relation: Any, new: int) -> None:
    """AlterTableNamespaceInternal: with indexes, sequences, constraints, row type."""
    from pgemu.commands.sequence import owned_sequences

    catalog = session.catalog
    old = relation.namespace
    if old == new:
        return
    if catalog.one(r.PgClass, relname=relation.name, relnamespace=new) is not None:
        schema = catalog.one(r.PgNamespace, oid=new).nspname
        raise PgError(
            DUPLICATE_TABLE, f'relation "{relation.name}" already exists in schema "{schema}"'
        )
    indexes, constraints = relation.indexes, relation.constraints
    catalog.update(r.PgClass, {"oid": relation.oid}, relnamespace=new)
    _move_dependency(catalog, r.PgClass.RELID, relation.oid, old, new)
    if relation.type_oid:
        typ = catalog.one(r.PgType, oid=relation.type_oid)
        for oid in (typ.oid, typ.typarray):
            catalog.update(r.PgType, {"oid": oid}, typnamespace=new)
    for index in indexes:
        catalog.update(r.PgClass, {"oid": index.oid}, relnamespace=new)
    for con in constraints:
        catalog.update(r.PgConstraint, {"oid": con.oid}, connamespace=new)
    for sequence in owned_sequences(catalog, relation.oid):
        move_relation(session, catalog.relation(sequence), new)


def move_object(session: Any, address: ObjectAddress, new: int) -> None:
    """AlterObjectNamespace_internal."""
    from pgemu.catalog.namespace import check_set_namespace

    catalog = session.catalog
    entry = KINDS[address.classid]
    row = catalog.one(entry.cls, oid=address.objid)
    if not entry.namespace:
        raise PgError(FEATURE_NOT_SUPPORTED, f"SET SCHEMA of {entry.word} is not supported")
    old = getattr(row, entry.namespace)
    if old == new:
        return
    check_set_namespace(catalog, old, new)
    check_name_is_free(catalog, entry, row, getattr(row, entry.name), new)
    catalog.update(entry.cls, {"oid": row.oid}, **{entry.namespace: new})
    _move_dependency(catalog, address.classid, row.oid, old, new)
    if entry.cls is r.PgType:
        if row.typarray:
            catalog.update(r.PgType, {"oid": row.typarray}, typnamespace=new)
        if row.typrelid:
            catalog.update(r.PgClass, {"oid": row.typrelid}, relnamespace=new)
        catalog.update(r.PgConstraint, {"contypid": row.oid}, connamespace=new)


def alter_object_depends(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER ... [NO] DEPENDS ON EXTENSION."""
    from pgemu.catalog.heap import depend

    catalog = session.catalog
    name = stmt["extname"]["sval"]
    extension = catalog.one(r.PgExtension, extname=name)
    if extension is None:
        raise PgError("42704", f'extension "{name}" does not exist')
    objtype = stmt["objectType"]
    if objtype == "OBJECT_TRIGGER":
        parts = (stmt["relation"].get(n) for n in ("catalogname", "schemaname", "relname"))
        names = [{"String": {"sval": part}} for part in parts if part]
        trigger = {"List": {"items": [*names, *stmt["object"]["List"]["items"]]}}
        address = _address(session, objtype, trigger)
    elif "relation" in stmt:
        from pgemu.catalog.namespace import range_var_get_relid

        oid = range_var_get_relid(catalog, stmt["relation"])
        address = ObjectAddress(r.PgClass.RELID, oid, 0)
    else:
        address = _address(session, objtype, stmt["object"])
    check_named_object_ownership(session, address, objtype, stmt.get("object", {}))
    target = (r.PgExtension.RELID, extension.oid, 0)
    catalog.delete(
        r.PgDepend, classid=address.classid, objid=address.objid,
        refclassid=target[0], refobjid=target[1], deptype="x",
    )  # fmt: skip
    if not stmt.get("remove"):
        catalog.insert(depend((address.classid, address.objid, address.objsubid), target, "x"))
    return CommandResult(_tag(objtype))
