"""Roles: CREATE, ALTER, DROP ROLE, membership, settings per role (PostgreSQL's user.c).

Passwords are stored as SCRAM-SHA-256 verifiers or md5 hashes, never in clear.
"""

from __future__ import annotations

from typing import Any

from pgemu.catalog.acl import ACL_SET, pg_parameter_aclcheck
from pgemu.catalog.roles import ROLE_PG_DATABASE_OWNER, is_admin_of_role, superuser
from pgemu.catalog.rows import PgAuthid, PgAuthMembers, PgDatabase, PgDbRoleSetting, PgShdepend
from pgemu.commands.define import elements, error_conflicting_def_elem, list_items
from pgemu.commands.permissions import check_object_owner
from pgemu.commands.result import CommandResult, Statement
from pgemu.commands.role_password import encrypt_password, is_empty_password
from pgemu.commands.role_spec import check_rolespec_name, get_rolespec_name, get_rolespec_oid
from pgemu.errors import (
    DEPENDENT_OBJECTS_STILL_EXIST,
    DUPLICATE_OBJECT,
    INSUFFICIENT_PRIVILEGE,
    INTERNAL_ERROR,
    INVALID_GRANT_OPERATION,
    INVALID_PARAMETER_VALUE,
    OBJECT_IN_USE,
    RESERVED_NAME,
    SYNTAX_ERROR,
    UNDEFINED_OBJECT,
    PgError,
)

_FLAGS = {
    "superuser": "rolsuper", "inherit": "rolinherit", "createrole": "rolcreaterole",
    "createdb": "rolcreatedb", "canlogin": "rolcanlogin", "isreplication": "rolreplication",
    "bypassrls": "rolbypassrls",
}  # fmt: skip


def _options(stmt: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for option in elements(stmt.get("options")):
        if option["defname"] in found:
            raise error_conflicting_def_elem(option)
        found[option["defname"]] = option
    return found


def _column_values(session: Any, name: str, options: dict[str, dict[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for option, column in _FLAGS.items():
        if option in options:
            values[column] = bool(options[option]["arg"]["Boolean"].get("boolval", False))
    if "connectionlimit" in options:
        limit = options["connectionlimit"]["arg"]["Integer"].get("ival", 0)
        if limit < -1:
            raise PgError(INVALID_PARAMETER_VALUE, f"invalid connection limit: {limit}")
        values["rolconnlimit"] = limit
    if "password" in options:
        arg = options["password"].get("arg")
        password = arg["String"].get("sval", "") if arg else None
        if password is not None and is_empty_password(name, password):
            session.notice(
                "NOTICE", "00000", "empty string is not a valid password, clearing password"
            )
            password = None
        method = session.guc.get("password_encryption")
        values["rolpassword"] = (
            None if password is None else encrypt_password(method, name, password)
        )
    if "validUntil" in options:
        text = options["validUntil"]["arg"]["String"]["sval"]
        values["rolvaliduntil"] = session.catalog.types.io(1184).input(text, -1, session.ctx)
    return values


def create_role(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE ROLE / USER / GROUP."""
    catalog = session.catalog
    name = stmt["role"]
    options = _options(stmt)
    if options.pop("sysid", None):
        session.notice("NOTICE", "00000", "SYSID can no longer be specified")
    values: dict[str, Any] = {
        "rolsuper": False, "rolinherit": True, "rolcreaterole": False, "rolcreatedb": False,
        "rolcanlogin": stmt["stmt_type"] == "ROLESTMT_USER", "rolreplication": False,
        "rolbypassrls": False, "rolconnlimit": -1, "rolpassword": None, "rolvaliduntil": None,
    }  # fmt: skip
    values.update(_column_values(session, name, options))
    _check_may_set(session, values, "create")
    if name.startswith("pg_"):
        raise PgError(
            RESERVED_NAME,
            f'role name "{name}" is reserved',
            detail='Role names starting with "pg_" are reserved.',
        )
    if catalog.one(PgAuthid, rolname=name) is not None:
        raise PgError(DUPLICATE_OBJECT, f'role "{name}" already exists')
    oid = catalog.new_oid()
    catalog.insert(PgAuthid(oid=oid, rolname=name, **values))
    for option in ("addroleto", "rolemembers", "adminmembers"):
        for spec in list_items(options[option]["arg"]) if option in options else ():
            other = get_rolespec_oid(session, spec)
            admin = option == "adminmembers"
            if option == "addroleto":
                _check_admin(session, catalog.get(PgAuthid, oid=other))
                add_role_member(session, other, oid, admin=False)
            else:
                add_role_member(session, oid, other, admin=admin)
    return CommandResult("CREATE ROLE")


def _check_may_set(session: Any, values: dict[str, Any], verb: str) -> None:
    catalog = session.catalog
    if superuser(catalog):
        return
    me = catalog.one(PgAuthid, oid=session.ctx.current_user_oid)
    for column, what in (
        ("rolsuper", "superusers"),
        ("rolreplication", "replication users"),
        ("rolbypassrls", "bypassrls users"),
    ):
        if values.get(column):
            raise PgError(INSUFFICIENT_PRIVILEGE, f"must be superuser to {verb} {what}")
    if not me.rolcreaterole:
        raise PgError(INSUFFICIENT_PRIVILEGE, f"permission denied to {verb} role")


def alter_role(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER ROLE options, and ALTER GROUP ADD / DROP USER."""
    catalog = session.catalog
    options = _options(stmt)
    check_rolespec_name(stmt["role"], "Cannot alter reserved roles.")
    name = get_rolespec_name(session, stmt["role"])
    row = catalog.one(PgAuthid, rolname=name)
    members = options.pop("rolemembers", None)
    values = _column_values(session, name, options)
    _check_may_alter(session, row, values, members is not None)
    if values:
        catalog.update(PgAuthid, {"oid": row.oid}, **values)
    if members is not None:
        for spec in list_items(members["arg"]):
            member = get_rolespec_oid(session, spec)
            if stmt.get("action", 1) < 0:
                _delete_member(session, row.oid, member, admin_only=False)
            else:
                add_role_member(session, row.oid, member, admin=False)
    return CommandResult("ALTER ROLE")


def _check_may_alter(
    session: Any, row: PgAuthid, values: dict[str, Any], with_members: bool
) -> None:
    """Superusers, replication users and BYPASSRLS are for superusers, the rest for who has
    CREATEROLE; anybody may change the own password."""
    catalog = session.catalog
    if superuser(catalog):
        return
    if row.rolsuper or "rolsuper" in values:
        message = "must be superuser to alter superuser roles or change superuser attribute"
    elif row.rolreplication or "rolreplication" in values:
        message = "must be superuser to alter replication roles or change replication attribute"
    elif "rolbypassrls" in values:
        message = "must be superuser to change bypassrls attribute"
    else:
        me = catalog.get(PgAuthid, oid=session.ctx.current_user_oid)
        own_password = set(values) == {"rolpassword"} and row.oid == me.oid and not with_members
        if me.rolcreaterole or own_password:
            return
        message = "permission denied"
    raise PgError(INSUFFICIENT_PRIVILEGE, message)


def alter_role_set(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER ROLE ... [IN DATABASE d] SET / RESET."""
    from pgemu.commands.variable import flatten_set_variable_args

    catalog = session.catalog
    role = get_rolespec_oid(session, stmt["role"]) if "role" in stmt else 0
    if role:
        _check_may_set_for(session, catalog.get(PgAuthid, oid=role))
    database = 0
    if stmt.get("database"):
        found = catalog.one(PgDatabase, datname=stmt["database"])
        if found is None:
            raise PgError("3D000", f'database "{stmt["database"]}" does not exist')
        database = found.oid
        if not role:
            check_object_owner(session, "database", found.datname, found.datdba)
    elif not role and not superuser(catalog):
        raise PgError(INSUFFICIENT_PRIVILEGE, "must be superuser to alter settings globally")
    set_stmt = stmt["setstmt"]
    value = None
    if set_stmt["kind"] == "VAR_SET_VALUE":
        value = flatten_set_variable_args(set_stmt["name"], set_stmt.get("args", []))
    elif set_stmt["kind"] == "VAR_SET_CURRENT":
        value = session.guc.get(set_stmt["name"])
    alter_setting(session, database, role, set_stmt, value)
    return CommandResult("ALTER ROLE")


def _check_may_set_for(session: Any, row: PgAuthid) -> None:
    if row.rolname.startswith("pg_"):
        raise PgError(
            RESERVED_NAME,
            f'role name "{row.rolname}" is reserved',
            detail="Cannot alter reserved roles.",
        )
    if superuser(session.catalog):
        return
    if row.rolsuper:
        raise PgError(INSUFFICIENT_PRIVILEGE, "must be superuser to alter superusers")
    me = session.catalog.get(PgAuthid, oid=session.ctx.current_user_oid)
    if row.oid != me.oid and not me.rolcreaterole:
        raise PgError(INSUFFICIENT_PRIVILEGE, "permission denied")


def alter_setting(
    session: Any, database: int, role: int, set_stmt: dict[str, Any], value: str | None
) -> None:
    """AlterSetting of pg_db_role_setting.c."""
    catalog = session.catalog
    where = {"setdatabase": database, "setrole": role}
    row = catalog.one(PgDbRoleSetting, **where)
    settings = dict(s.split("=", 1) for s in (row.setconfig or ())) if row else {}
    if set_stmt["kind"] == "VAR_RESET_ALL":
        settings = {}
    else:
        key = session.guc.canonical_name(set_stmt["name"])
        key = next((k for k in settings if k.lower() == key.lower()), key)
        if value is None:
            settings.pop(key, None)
        else:
            allowed = pg_parameter_aclcheck(catalog, key, ACL_SET)
            session.guc.validate(key, value, superuser=allowed)
            settings[key] = value
    texts = tuple(f"{k}={v}" for k, v in settings.items())
    if row is not None:
        catalog.delete(PgDbRoleSetting, **where)
    if texts:
        catalog.insert(PgDbRoleSetting(database, role, texts))


def drop_role(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """DROP ROLE."""
    catalog = session.catalog
    me = catalog.one(PgAuthid, oid=session.ctx.current_user_oid)
    if not superuser(catalog) and not me.rolcreaterole:
        raise PgError(INSUFFICIENT_PRIVILEGE, "permission denied to drop role")
    for node in stmt["roles"]:
        spec = node["RoleSpec"]
        if spec["roletype"] != "ROLESPEC_CSTRING":
            raise PgError(INVALID_PARAMETER_VALUE, "cannot use special role specifier in DROP ROLE")
        name = spec["rolename"]
        row = catalog.one(PgAuthid, rolname=name)
        if row is None:
            if not stmt.get("missing_ok"):
                raise PgError(UNDEFINED_OBJECT, f'role "{name}" does not exist')
            session.notice("NOTICE", "00000", f'role "{name}" does not exist, skipping')
            continue
        _check_droppable(session, row)
        catalog.delete(PgAuthMembers, roleid=row.oid)
        catalog.delete(PgAuthMembers, member=row.oid)
        catalog.delete(PgDbRoleSetting, setrole=row.oid)
        catalog.delete(PgAuthid, oid=row.oid)
    return CommandResult("DROP ROLE")


def _check_droppable(session: Any, row: PgAuthid) -> None:
    if row.oid == session.ctx.current_user_oid:
        raise PgError(OBJECT_IN_USE, "current user cannot be dropped")
    if row.oid == session.ctx.session_user_oid:
        raise PgError(OBJECT_IN_USE, "session user cannot be dropped")
    if row.rolsuper and not superuser(session.catalog):
        raise PgError(INSUFFICIENT_PRIVILEGE, "must be superuser to drop superusers")
    detail = role_dependencies(session, row.oid)
    if detail:
        raise PgError(
            DEPENDENT_OBJECTS_STILL_EXIST,
            f'role "{row.rolname}" cannot be dropped because some objects depend on it',
            detail=detail,
        )


def role_dependencies(session: Any, role: int) -> str:
    """checkSharedDependencies: one line per object that needs the role."""
    from pgemu.catalog.objectaddress import ObjectAddress, get_object_description

    catalog = session.catalog
    lines = []
    others: dict[int, int] = {}
    links = catalog.all(PgShdepend, refclassid=PgAuthid.RELID, refobjid=role)
    for link in sorted(links, key=lambda x: (x.objid, x.classid, x.objsubid, x.deptype)):
        if link.dbid not in (0, session.ctx.database_oid):
            others[link.dbid] = others.get(link.dbid, 0) + 1
            continue
        what = get_object_description(
            catalog, ObjectAddress(link.classid, link.objid, link.objsubid)
        )
        words = {"o": "owner of", "a": "privileges for", "r": "target of"}
        lines.append(f"{words.get(link.deptype, 'owner of')} {what}")
    for dbid, count in others.items():
        database = catalog.one(PgDatabase, oid=dbid)
        noun = "object" if count == 1 else "objects"
        lines.append(f"{count} {noun} in database {database.datname if database else dbid}")
    return "\n".join(lines)


def grant_role(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """GRANT role TO role, and REVOKE."""
    catalog = session.catalog
    is_grant = bool(stmt.get("is_grant"))
    admin = _has_admin_option(stmt)
    grantor = session.ctx.current_user_oid
    if "grantor" in stmt:
        grantor = get_rolespec_oid(session, {"RoleSpec": stmt["grantor"]})
    members = [get_rolespec_oid(session, spec) for spec in stmt["grantee_roles"]]
    for granted in stmt["granted_roles"]:
        name = granted["AccessPriv"]["priv_name"]
        if granted["AccessPriv"].get("cols"):
            raise PgError(
                INVALID_GRANT_OPERATION, "column names cannot be included in GRANT/REVOKE ROLE"
            )
        row = catalog.one(PgAuthid, rolname=name)
        if row is None:
            raise PgError(UNDEFINED_OBJECT, f'role "{name}" does not exist')
        _check_admin(session, row)
        if grantor != session.ctx.current_user_oid and not superuser(catalog):
            raise PgError(INSUFFICIENT_PRIVILEGE, "must be superuser to set grantor")
        for member in members:
            if is_grant:
                add_role_member(session, row.oid, member, admin=admin, grantor=grantor)
            else:
                _delete_member(session, row.oid, member, admin_only=admin)
    return CommandResult("GRANT ROLE" if is_grant else "REVOKE ROLE")


def _has_admin_option(stmt: dict[str, Any]) -> bool:
    """WITH ADMIN OPTION, or REVOKE ADMIN OPTION FOR."""
    for option in elements(stmt.get("opt")):
        if option["defname"] != "admin":
            raise PgError(
                SYNTAX_ERROR,
                f'syntax error at or near "{option["defname"]}"',
                location=option.get("location", 0),
            )
    return bool(stmt.get("opt"))


def _check_admin(session: Any, row: PgAuthid) -> None:
    catalog = session.catalog
    if row.rolsuper and not superuser(catalog):
        raise PgError(INSUFFICIENT_PRIVILEGE, "must be superuser to alter superusers")
    me = catalog.one(PgAuthid, oid=session.ctx.current_user_oid)
    if (
        not superuser(catalog)
        and not me.rolcreaterole
        and not is_admin_of_role(catalog, me.oid, row.oid)
    ):
        raise PgError(INSUFFICIENT_PRIVILEGE, f'must have admin option on role "{row.rolname}"')


def add_role_member(
    session: Any, role: int, member: int, *, admin: bool, grantor: int | None = None
) -> None:
    """AddRoleMems for one member."""
    catalog = session.catalog
    role_row = catalog.one(PgAuthid, oid=role)
    member_row = catalog.one(PgAuthid, oid=member)
    if role == ROLE_PG_DATABASE_OWNER:
        message = f'role "{role_row.rolname}" cannot have explicit members'
        raise PgError(INTERNAL_ERROR, message)
    if member == ROLE_PG_DATABASE_OWNER:
        message = f'role "{member_row.rolname}" cannot be a member of any role'
        raise PgError(INTERNAL_ERROR, message)
    if is_member_of_role_plain(catalog, role, member):
        raise PgError(
            INVALID_GRANT_OPERATION,
            f'role "{role_row.rolname}" is a member of role "{member_row.rolname}"',
        )
    old = catalog.one(PgAuthMembers, roleid=role, member=member)
    if old is not None:
        if not admin or old.admin_option:
            session.notice(
                "NOTICE",
                "00000",
                f'role "{member_row.rolname}" is already a member of role "{role_row.rolname}"',
            )
            return
        where = {"roleid": role, "member": member}
        if grantor is not None:
            catalog.update(PgAuthMembers, where, admin_option=True, grantor=grantor)
        else:
            catalog.update(PgAuthMembers, where, admin_option=True)
        return
    giver = session.ctx.current_user_oid if grantor is None else grantor
    catalog.insert(PgAuthMembers(role, member, giver, admin))


def is_member_of_role_plain(catalog: Any, member: int, role: int) -> bool:
    """Membership without the superuser short cut."""
    from pgemu.catalog.roles import is_member_of_role_nosuper

    return is_member_of_role_nosuper(catalog, member, role)


def _delete_member(session: Any, role: int, member: int, *, admin_only: bool) -> None:
    catalog = session.catalog
    where = {"roleid": role, "member": member}
    if catalog.one(PgAuthMembers, **where) is None:
        role_row = catalog.one(PgAuthid, oid=role)
        member_row = catalog.one(PgAuthid, oid=member)
        session.notice(
            "WARNING",
            "01000",
            f'role "{member_row.rolname}" is not a member of role "{role_row.rolname}"',
        )
    elif admin_only:
        catalog.update(PgAuthMembers, where, admin_option=False)
    else:
        catalog.delete(PgAuthMembers, **where)
