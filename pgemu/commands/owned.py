"""DROP OWNED and REASSIGN OWNED (shdepDropOwned and shdepReassignOwned of pg_shdepend.c)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog import rows as r
from pgemu.catalog.dependency import perform_multiple_deletions
from pgemu.catalog.objectaddress import ObjectAddress
from pgemu.catalog.roles import has_privs_of_role
from pgemu.commands.default_acl import remove_from_default_acl
from pgemu.commands.grant import revoke_all
from pgemu.commands.ownership import KINDS
from pgemu.commands.policy import remove_role_from_policy
from pgemu.commands.result import CommandResult, Statement
from pgemu.commands.role_spec import get_rolespec_oid
from pgemu.errors import DEPENDENT_OBJECTS_STILL_EXIST, INSUFFICIENT_PRIVILEGE, PgError


def _check_privileges_of(session: Any, role: int, verb: str) -> None:
    if not has_privs_of_role(session.catalog, session.ctx.current_user_oid, role):
        raise PgError(INSUFFICIENT_PRIVILEGE, f"permission denied to {verb} objects")


def _links(session: Any, role: int, deptype: str) -> list[r.PgShdepend]:
    rows = session.catalog.all(r.PgShdepend, refclassid=r.PgAuthid.RELID, refobjid=role)
    here = (0, session.ctx.database_oid)
    return [x for x in rows if x.dbid in here and x.deptype == deptype]


def drop_owned(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """DROP OWNED BY: privileges are revoked, objects dropped (databases are not)."""
    catalog = session.catalog
    addresses: list[ObjectAddress] = []
    for spec in stmt["roles"]:
        role = get_rolespec_oid(session, spec)
        _check_privileges_of(session, role, "drop")
        if role < 12000:
            name = catalog.one(r.PgAuthid, oid=role).rolname
            raise PgError(
                DEPENDENT_OBJECTS_STILL_EXIST,
                f"cannot drop objects owned by role {name} because they are required by the "
                "database system",
            )
        for link in _links(session, role, "a"):
            _revoke(session, link, role)
        for link in _links(session, role, "r"):
            if not remove_role_from_policy(session, role, link.objid):
                addresses.append(ObjectAddress(link.classid, link.objid))
        for link in _links(session, role, "o"):
            if link.classid not in (r.PgDatabase.RELID, r.PgTablespace.RELID):
                addresses.append(ObjectAddress(link.classid, link.objid, link.objsubid))
    perform_multiple_deletions(catalog, addresses, stmt.get("behavior", "restrict"))
    return CommandResult("DROP OWNED")


def _revoke(session: Any, link: r.PgShdepend, role: int) -> None:
    """Take what the role was granted out of an object's ACL and those of its columns."""
    catalog = session.catalog
    if link.classid == r.PgDefaultAcl.RELID:
        remove_from_default_acl(session, link.objid, role)
        return
    name = catalog.get(r.PgAuthid, oid=role).rolname
    if catalog.one(r.PgShdepend, **link._asdict()):  # the table's own ACL came with its columns'
        revoke_all(session, ObjectAddress(link.classid, link.objid, 0), name)


def reassign_owned(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """REASSIGN OWNED BY ... TO."""
    from pgemu.commands.alter import change_owner

    new = get_rolespec_oid(session, stmt["newrole"])
    roles = [get_rolespec_oid(session, spec) for spec in stmt["roles"]]
    for role in [*roles, new]:
        _check_privileges_of(session, role, "reassign")
    for role in roles:
        if role < 12000:
            name = session.catalog.get(r.PgAuthid, oid=role).rolname
            raise PgError(
                DEPENDENT_OBJECTS_STILL_EXIST,
                f"cannot reassign ownership of objects owned by role {name} because they are "
                "required by the database system",
            )
        for link in _links(session, role, "o"):
            if link.classid in KINDS and KINDS[link.classid].owner:
                change_owner(session, ObjectAddress(link.classid, link.objid, 0), new)
    return CommandResult("REASSIGN OWNED")
