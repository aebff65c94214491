"""Ownership and privilege checks of DDL (aclcheck_error of PostgreSQL's aclchk.c)."""

from __future__ import annotations

from typing import Any, NoReturn

from pgemu.catalog.acl import ACL_USAGE, pg_type_aclcheck
from pgemu.catalog.pg_depend import FIRST_UNPINNED_OBJECT_ID
from pgemu.catalog.roles import has_privs_of_role, superuser
from pgemu.errors import INSUFFICIENT_PRIVILEGE, PgError

_RELKIND_WORDS = {
    "r": "table", "p": "table", "v": "view", "m": "materialized view", "i": "index",
    "I": "index", "S": "sequence", "f": "foreign table", "c": "table", "t": "table",
}  # fmt: skip


def relkind_word(relkind: str) -> str:
    """How messages call this kind of relation."""
    return _RELKIND_WORDS[relkind]


def aclcheck_error_not_owner(what: str, name: str) -> NoReturn:
    """42501 of somebody who is not the owner."""
    raise PgError(INSUFFICIENT_PRIVILEGE, f"must be owner of {what} {name}")


def aclcheck_error(what: str, name: str) -> NoReturn:
    """42501 of somebody without the privilege."""
    raise PgError(INSUFFICIENT_PRIVILEGE, f"permission denied for {what} {name}")


def aclcheck_error_type(session: Any, type_oid: int) -> NoReturn:
    """aclcheck_error_type: an array is called by its element type."""
    catalog = session.catalog
    element = catalog.types.element_type(type_oid)
    aclcheck_error("type", catalog.type_name(element or type_oid))


def check_type_usage(catalog: Any, type_oid: int) -> None:
    """42501 unless the current user has USAGE on the type."""
    if not pg_type_aclcheck(catalog, type_oid, ACL_USAGE):
        aclcheck_error_type(catalog.ctx.session, type_oid)


def owns(session: Any, owner: int) -> bool:
    """Is the current user the owner, a member of it, or a superuser?"""
    return has_privs_of_role(session.catalog, session.ctx.current_user_oid, owner)


def check_owner(session: Any, relation: Any) -> None:
    """Relation commands are for owners."""
    if not owns(session, relation.owner):
        aclcheck_error_not_owner(relkind_word(relation.relkind), relation.name)


def check_object_owner(session: Any, what: str, name: str, owner: int) -> None:
    """The same for any other object."""
    if not owns(session, owner):
        aclcheck_error_not_owner(what, name)


def check_not_system(session: Any, relation: Any) -> None:
    """42501 for DDL on system catalogs."""
    if relation.namespace == 99 or relation.oid < FIRST_UNPINNED_OBJECT_ID:
        raise PgError(
            INSUFFICIENT_PRIVILEGE, f'permission denied: "{relation.name}" is a system catalog'
        )


def check_catalog_modification(session: Any, namespace: int, name: str) -> None:
    """heap_create: nothing new in pg_catalog and pg_toast."""
    schema = {11: "pg_catalog", 99: "pg_toast"}.get(namespace)
    if schema and not session.guc.value("allow_system_table_mods"):
        raise PgError(
            INSUFFICIENT_PRIVILEGE,
            f'permission denied to create "{schema}.{name}"',
            detail="System catalog modifications are currently disallowed.",
        )


def require_superuser(session: Any, message: str, hint: str | None = None) -> None:
    """42501 unless the current user is a superuser."""
    if not superuser(session.catalog):
        raise PgError(INSUFFICIENT_PRIVILEGE, message, hint=hint)
