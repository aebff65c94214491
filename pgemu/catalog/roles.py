"""Roles: names, superusers, membership (PostgreSQL's acl.c, the part about roles, and
superuser.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgemu.catalog.rows import PgAuthid, PgAuthMembers, PgDatabase
from pgemu.errors import UNDEFINED_OBJECT, PgError

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog

BOOTSTRAP_SUPERUSERID = 10
ROLE_PG_DATABASE_OWNER = 6171
ROLE_PG_READ_ALL_SETTINGS = 3374


def get_role_oid(catalog: Catalog, name: str, missing_ok: bool = False) -> int:
    """OID of a role; 42704 if there is none (0 if missing_ok)."""
    row = catalog.one(PgAuthid, rolname=name)
    if row is not None:
        return row.oid
    if missing_ok:
        return 0
    raise PgError(UNDEFINED_OBJECT, f'role "{name}" does not exist')


def get_rolename(catalog: Catalog, roleid: int) -> str | None:
    """Name of a role, or None."""
    row = catalog.one(PgAuthid, oid=roleid)
    return row.rolname if row is not None else None


def role_name_or_oid(catalog: Catalog, roleid: int) -> str:
    """Name of a role, or its number if it is gone."""
    return get_rolename(catalog, roleid) or str(roleid)


def get_user_name_from_id(catalog: Catalog, roleid: int, noerr: bool = False) -> str | None:
    """GetUserNameFromId."""
    name = get_rolename(catalog, roleid)
    if name is None and not noerr:
        raise PgError(UNDEFINED_OBJECT, f"invalid role OID: {roleid}")
    return name


def superuser_arg(catalog: Catalog, roleid: int) -> bool:
    """Is this role a superuser?"""
    key = ("superuser", roleid)
    found: bool | None = catalog.memo.get(key)
    if found is None:
        row = catalog.one(PgAuthid, oid=roleid)
        found = catalog.memo[key] = row is not None and row.rolsuper
    return found


def superuser(catalog: Catalog) -> bool:
    """Is the current user a superuser?"""
    return superuser_arg(catalog, catalog.ctx.current_user_oid)


def roles_is_member_of(catalog: Catalog, roleid: int, *, privileges: bool) -> frozenset[int]:
    """Every role that `roleid` belongs to, itself included.  privileges: only those whose rights
    it has without SET ROLE (memberships of NOINHERIT roles are not followed)."""
    key = ("member_of", roleid, privileges)
    found: frozenset[int] | None = catalog.memo.get(key)
    if found is not None:
        return found
    result = [roleid]
    for member in result:
        row = catalog.one(PgAuthid, oid=member)
        if privileges and row is not None and not row.rolinherit:
            continue
        groups = [m.roleid for m in catalog.all(PgAuthMembers, member=member)]
        database = catalog.one(PgDatabase, oid=catalog.ctx.database_oid)
        if database is not None and database.datdba == member:
            groups.append(ROLE_PG_DATABASE_OWNER)
        result.extend(g for g in groups if g not in result)
    found = catalog.memo[key] = frozenset(result)
    return found


def has_privs_of_role(catalog: Catalog, member: int, role: int) -> bool:
    """Has `member` the rights of `role` right now?"""
    if member == role or superuser_arg(catalog, member):
        return True
    return role in roles_is_member_of(catalog, member, privileges=True)


def is_member_of_role(catalog: Catalog, member: int, role: int) -> bool:
    """Could `member` become `role` (SET ROLE)?  Superusers are members of every role."""
    if member == role or superuser_arg(catalog, member):
        return True
    return role in roles_is_member_of(catalog, member, privileges=False)


def is_member_of_role_nosuper(catalog: Catalog, member: int, role: int) -> bool:
    """The same without regard to superusers."""
    return member == role or role in roles_is_member_of(catalog, member, privileges=False)


def is_admin_of_role(catalog: Catalog, member: int, role: int) -> bool:
    """May `member` grant `role` to others?"""
    if superuser_arg(catalog, member):
        return True
    if member == role:
        return False
    for group in roles_is_member_of(catalog, member, privileges=False):
        for row in catalog.all(PgAuthMembers, roleid=role, member=group):
            if row.admin_option:
                return True
    return False
