"""ALTER DEFAULT PRIVILEGES and what it does to new objects (aclchk.c, pg_default_acl)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.acl import acl_from_texts, acl_to_texts, acldefault
from pgemu.catalog.dependency import perform_deletion
from pgemu.catalog.heap import depend, insert_rows, owner_rows
from pgemu.catalog.objectaddress import ObjectAddress
from pgemu.catalog.rows import PG_NAMESPACE_RELID, PgDefaultAcl
from pgemu.commands.define import elements, strings
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import FEATURE_NOT_SUPPORTED, INVALID_GRANT_OPERATION, PgError

_OBJECT_CODES = {
    "OBJECT_TABLE": "r", "OBJECT_SEQUENCE": "S", "OBJECT_FUNCTION": "f", "OBJECT_ROUTINE": "f",
    "OBJECT_PROCEDURE": "f", "OBJECT_TYPE": "T", "OBJECT_SCHEMA": "n",
}  # fmt: skip
# pg_default_acl's letter -> acldefault's
_ACLDEFAULT_KIND = {"r": "r", "S": "s", "f": "f", "T": "T", "n": "n"}
DEFAULT_ACL_RELID = 826


def get_user_default_acl(
    session: Any, kind: str, owner: int, namespace: int
) -> tuple[str, ...] | None:
    """The ACL of a new object: None when no ALTER DEFAULT PRIVILEGES speaks of it."""
    catalog = session.catalog
    rows = catalog.all(PgDefaultAcl, defaclrole=owner, defaclobjtype=kind)
    if not rows:
        return None
    global_row = next((r for r in rows if r.defaclnamespace == 0), None)
    schema_row = next((r for r in rows if namespace and r.defaclnamespace == namespace), None)
    if global_row is None and schema_row is None:
        return None
    default = acldefault(_ACLDEFAULT_KIND[kind], owner)
    acl = acl_from_texts(catalog, global_row.defaclacl) if global_row is not None else default
    if schema_row is not None:
        from pgemu.commands.grant import merge_acls

        acl = merge_acls(acl, acl_from_texts(catalog, schema_row.defaclacl))
    if sorted(acl_to_texts(catalog, acl)) == sorted(acl_to_texts(catalog, default)):
        return None
    return acl_to_texts(catalog, sorted(acl, key=_order))


def _order(item: Any) -> tuple[int, int]:
    """aclitemsort."""
    return item.grantee, item.grantor


def alter_default_privileges(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER DEFAULT PRIVILEGES."""
    from pgemu.catalog.namespace import get_namespace_oid
    from pgemu.commands.define import list_items
    from pgemu.commands.role_spec import check_can_set_role, get_rolespec_oid

    catalog = session.catalog
    schemas: list[int] = []
    roles: list[int] = []
    for option in elements(stmt.get("options")):
        if option["defname"] == "schemas":
            names = strings(list_items(option["arg"]))
            schemas = [get_namespace_oid(catalog, n) for n in names]
        elif option["defname"] == "roles":
            roles = [get_rolespec_oid(session, r) for r in list_items(option["arg"])]
    action = stmt["action"]
    kind = _OBJECT_CODES[action["objtype"]]
    if kind == "n" and schemas:
        raise PgError(
            INVALID_GRANT_OPERATION,
            "cannot use IN SCHEMA clause when using GRANT/REVOKE ON SCHEMAS",
        )
    if action["objtype"] not in _OBJECT_CODES:
        raise PgError(FEATURE_NOT_SUPPORTED, "ALTER DEFAULT PRIVILEGES of this kind")
    for role in roles or [session.ctx.current_user_oid]:
        check_can_set_role(session, role)
        for schema in schemas or [0]:
            _set_default_acl(session, role, schema, kind, action)
    return CommandResult("ALTER DEFAULT PRIVILEGES")


def _set_default_acl(
    session: Any, role: int, schema: int, kind: str, action: dict[str, Any]
) -> None:
    from pgemu.commands.grant import apply_grant, privileges_of, update_acl_shdepend

    catalog = session.catalog
    default = acldefault(_ACLDEFAULT_KIND[kind], role) if not schema else []
    row = catalog.one(PgDefaultAcl, defaclrole=role, defaclnamespace=schema, defaclobjtype=kind)
    old = acl_from_texts(catalog, row.defaclacl) if row is not None else default
    privileges, _columns = privileges_of(_ACLDEFAULT_KIND[kind], action, default=True)
    new = apply_grant(session, old, action, privileges, role, role)
    address = ObjectAddress(DEFAULT_ACL_RELID, row.oid if row is not None else catalog.new_oid())
    same = sorted(acl_to_texts(catalog, new)) == sorted(acl_to_texts(catalog, default))
    if same:
        if row is not None:
            perform_deletion(catalog, ObjectAddress(DEFAULT_ACL_RELID, row.oid, 0))
        return
    texts = acl_to_texts(catalog, sorted(new, key=_order))
    if row is not None:
        catalog.update(PgDefaultAcl, {"oid": row.oid}, defaclacl=texts)
    else:
        me = (DEFAULT_ACL_RELID, address.objid, 0)
        rows: list[Any] = [PgDefaultAcl(address.objid, role, schema, kind, texts)]
        rows += owner_rows(catalog, DEFAULT_ACL_RELID, address.objid, role)
        if schema:
            rows.append(depend(me, (PG_NAMESPACE_RELID, schema, 0), "a"))
        insert_rows(catalog, rows)
    update_acl_shdepend(session, address, old if row is not None else [], new, role)


def remove_from_default_acl(session: Any, oid: int, role: int) -> None:
    """RemoveRoleFromObjectACL for default privileges."""
    from pgemu.commands.grant import update_acl_shdepend

    catalog = session.catalog
    row = catalog.get(PgDefaultAcl, oid=oid)
    old = acl_from_texts(catalog, row.defaclacl)
    new = [i for i in old if role not in (i.grantee, i.grantor)]
    default = (
        []
        if row.defaclnamespace
        else acldefault(_ACLDEFAULT_KIND[row.defaclobjtype], row.defaclrole)
    )
    address = ObjectAddress(DEFAULT_ACL_RELID, oid)
    if sorted(acl_to_texts(catalog, new)) == sorted(acl_to_texts(catalog, default)):
        perform_deletion(catalog, address)
        return
    texts = acl_to_texts(catalog, sorted(new, key=_order))
    catalog.update(PgDefaultAcl, {"oid": oid}, defaclacl=texts)
    update_acl_shdepend(session, address, old, new, row.defaclrole)
