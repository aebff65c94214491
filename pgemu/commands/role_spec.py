"""Roles as statements name them: CURRENT_USER, PUBLIC, a name (get_rolespec_oid of acl.c)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.roles import get_role_oid, is_member_of_role
from pgemu.catalog.rows import PgAuthid
from pgemu.errors import INSUFFICIENT_PRIVILEGE, RESERVED_NAME, UNDEFINED_OBJECT, PgError

PUBLIC_OID = 0


def get_rolespec_oid(session: Any, spec: dict[str, Any], *, missing_ok: bool = False) -> int:
    """OID of a RoleSpec; PUBLIC is refused as an unknown role."""
    spec = spec.get("RoleSpec", spec)
    kind = spec["roletype"]
    if kind == "ROLESPEC_CSTRING":
        return get_role_oid(session.catalog, spec["rolename"], missing_ok)
    if kind in ("ROLESPEC_CURRENT_USER", "ROLESPEC_CURRENT_ROLE"):
        return int(session.ctx.current_user_oid)
    if kind == "ROLESPEC_SESSION_USER":
        return int(session.ctx.session_user_oid)
    raise PgError(UNDEFINED_OBJECT, 'role "public" does not exist')


def grantee_oid(session: Any, spec: dict[str, Any]) -> int:
    """The same for grantees, where PUBLIC is 0."""
    spec = spec.get("RoleSpec", spec)
    if spec["roletype"] == "ROLESPEC_PUBLIC":
        return PUBLIC_OID
    return get_rolespec_oid(session, spec)


def get_rolespec_name(session: Any, spec: dict[str, Any]) -> str:
    """Name of a RoleSpec."""
    row = session.catalog.one(PgAuthid, oid=get_rolespec_oid(session, spec))
    return str(row.rolname)


def check_rolespec_name(spec: dict[str, Any], detail: str) -> None:
    """Refuse reserved names for RENAME and the like."""
    name = spec.get("rolename", "")
    if name.startswith("pg_"):
        raise PgError(RESERVED_NAME, f'role name "{name}" is reserved', detail=detail or None)


def check_can_set_role(session: Any, role: int) -> None:
    """check_is_member_of_role: may the current user act for the role?"""
    catalog = session.catalog
    if not is_member_of_role(catalog, session.ctx.current_user_oid, role):
        row = catalog.one(PgAuthid, oid=role)
        raise PgError(INSUFFICIENT_PRIVILEGE, f'must be member of role "{row.rolname}"')
