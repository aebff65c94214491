"""has_table_privilege and its family, pg_has_role, row_security_active (PostgreSQL's acl.c).

Every function exists in six forms: with a role's name, a role's OID or the current role, and with
the object's name or OID.  An OID of nothing gives NULL.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pgemu.catalog import acl
from pgemu.catalog import rows as r
from pgemu.catalog.functions.acl_items import convert_any_priv_string
from pgemu.catalog.namespace import (
    get_namespace_oid,
    make_range_var_from_name_list,
    range_var_get_relid,
)
from pgemu.catalog.regproc import reg_in, string_to_qualified_name_list
from pgemu.catalog.roles import (
    get_role_oid,
    has_privs_of_role,
    is_admin_of_role,
    is_member_of_role,
)
from pgemu.errors import UNDEFINED_COLUMN, UNDEFINED_DATABASE, UNDEFINED_OBJECT, PgError
from pgemu.errors import WRONG_OBJECT_TYPE as WRONG_TYPE
from pgemu.fmgr import CallContext, pg_function

_GRANT_OPTION = 16


def _words(*names: str) -> dict[str, int]:
    """Privilege words with their WITH GRANT OPTION forms."""
    found = {}
    for name in names:
        bit = acl.PRIVILEGE_NAMES[name]
        found[name] = bit
        found[f"{name} WITH GRANT OPTION"] = bit << _GRANT_OPTION
    return found


def _mode(text: str, words: dict[str, int]) -> int:
    mode = 0
    for mask in convert_any_priv_string(text, words):
        mode |= mask
    return mode


def _role_or_public(catalog: Any, name: str) -> int:
    return 0 if name == "public" else get_role_oid(catalog, name)


def _relation_oid(catalog: Any, name: str) -> int:
    return range_var_get_relid(
        catalog, make_range_var_from_name_list(string_to_qualified_name_list(name))
    )


def _named(cls: type[Any], column: str, what: str, code: str) -> Callable[[Any, str], int]:
    def resolve(catalog: Any, name: str) -> int:
        row: Any = catalog.one(cls, **{column: name})
        if row is None:
            raise PgError(code, f'{what} "{name}" does not exist')
        return int(row.oid)

    return resolve


def _sequence_check(catalog: Any, oid: int, mode: int, role: int) -> bool:
    return acl.pg_class_aclcheck(catalog, oid, mode, role)


_TABLE_WORDS = _words(
    "SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"
) | {"RULE": 0, "RULE WITH GRANT OPTION": 0}
_COLUMN_WORDS = _words("SELECT", "INSERT", "UPDATE", "REFERENCES")

Check = Callable[[Any, int, int, int], bool]

# name -> (catalog, resolver of names, words, check)
_FAMILIES: dict[str, tuple[type[Any], Callable[[Any, str], int], dict[str, int], Check]] = {
    "table": (r.PgClass, _relation_oid, _TABLE_WORDS, acl.pg_class_aclcheck),
    "sequence": (
        r.PgClass,
        _relation_oid,
        _words("USAGE", "SELECT", "UPDATE"),
        _sequence_check,
    ),
    "database": (
        r.PgDatabase,
        _named(r.PgDatabase, "datname", "database", UNDEFINED_DATABASE),
        _words("CREATE", "TEMPORARY", "TEMP", "CONNECT"),
        acl.pg_database_aclcheck,
    ),
    "foreign_data_wrapper": (
        r.PgForeignDataWrapper,
        _named(r.PgForeignDataWrapper, "fdwname", "foreign-data wrapper", UNDEFINED_OBJECT),
        _words("USAGE"),
        acl.pg_foreign_data_wrapper_aclcheck,
    ),
    "function": (
        r.PgProc,
        lambda c, name: reg_in(c, "regprocedure", name),
        _words("EXECUTE"),
        acl.pg_proc_aclcheck,
    ),
    "language": (
        r.PgLanguage,
        _named(r.PgLanguage, "lanname", "language", UNDEFINED_OBJECT),
        _words("USAGE"),
        acl.pg_language_aclcheck,
    ),
    "schema": (
        r.PgNamespace,
        lambda c, name: get_namespace_oid(c, name, False),
        _words("CREATE", "USAGE"),
        acl.pg_namespace_aclcheck,
    ),
    "server": (
        r.PgForeignServer,
        _named(r.PgForeignServer, "srvname", "server", UNDEFINED_OBJECT),
        _words("USAGE"),
        acl.pg_foreign_server_aclcheck,
    ),
    "tablespace": (
        r.PgTablespace,
        _named(r.PgTablespace, "spcname", "tablespace", UNDEFINED_OBJECT),
        _words("CREATE"),
        acl.pg_tablespace_aclcheck,
    ),
    "type": (
        r.PgType,
        lambda c, name: reg_in(c, "regtype", name),
        _words("USAGE"),
        acl.pg_type_aclcheck,
    ),
}


def _bind_family(name: str) -> None:
    cls, resolve, words, check = _FAMILIES[name]

    def answer(ctx: CallContext, role: int, target: int | str, privilege: str) -> bool | None:
        catalog = ctx.catalog
        mode = _mode(privilege, words)
        if isinstance(target, str):
            oid = resolve(catalog, target)
        else:
            oid = target
            if catalog.one(cls, oid=oid) is None:
                return None
        if name == "sequence" and catalog.get(r.PgClass, oid=oid).relkind != "S":
            raise PgError(WRONG_TYPE, f'"{target}" is not a sequence')
        return check(catalog, oid, mode, role)

    def by_name(ctx: CallContext, user: str, target: int | str, privilege: str) -> bool | None:
        return answer(ctx, _role_or_public(ctx.catalog, user), target, privilege)

    def by_oid(ctx: CallContext, user: int, target: int | str, privilege: str) -> bool | None:
        return answer(ctx, user, target, privilege)

    def current(ctx: CallContext, target: int | str, privilege: str) -> bool | None:
        return answer(ctx, ctx.current_user_oid, target, privilege)

    f = f"has_{name}_privilege"
    pg_function(f"{f}(name,text,text)", f"{f}(name,oid,text)", context=True)(by_name)
    pg_function(f"{f}(oid,text,text)", f"{f}(oid,oid,text)", context=True)(by_oid)
    pg_function(f"{f}(text,text)", f"{f}(oid,text)", context=True)(current)


for _family in _FAMILIES:
    _bind_family(_family)


# --- columns -------------------------------------------------------------------------------------


def _target_relation(catalog: Any, target: int | str) -> int:
    return _relation_oid(catalog, target) if isinstance(target, str) else target


def _any_column(ctx: CallContext, role: int, target: int | str, privilege: str) -> bool | None:
    mode = _mode(privilege, _COLUMN_WORDS)
    relid = _target_relation(ctx.catalog, target)
    if ctx.catalog.one(r.PgClass, oid=relid) is None:
        return None
    return acl.pg_class_aclcheck(ctx.catalog, relid, mode, role) or acl.pg_attribute_aclcheck_all(
        ctx.catalog, relid, mode, "any", role
    )


def _column(
    ctx: CallContext, role: int, target: int | str, column: int | str, privilege: str
) -> bool | None:
    catalog = ctx.catalog
    mode = _mode(privilege, _COLUMN_WORDS)
    relid = _target_relation(catalog, target)
    relation = catalog.one(r.PgClass, oid=relid)
    if relation is None:
        return None
    if isinstance(column, str):
        att = catalog.one(r.PgAttribute, attrelid=relid, attname=column)
        if att is None:
            raise PgError(
                UNDEFINED_COLUMN,
                f'column "{column}" of relation "{relation.relname}" does not exist',
            )
    else:
        att = catalog.one(r.PgAttribute, attrelid=relid, attnum=column)
    if att is None or att.attisdropped:
        return None
    return acl.pg_class_aclcheck(catalog, relid, mode, role) or acl.pg_attribute_aclcheck(
        catalog, relid, att.attnum, mode, role
    )


@pg_function(
    "has_any_column_privilege(name,text,text)",
    "has_any_column_privilege(name,oid,text)",
    context=True,
)
def has_any_column_privilege_name(
    ctx: CallContext, user: str, target: int | str, privilege: str
) -> bool | None:
    return _any_column(ctx, _role_or_public(ctx.catalog, user), target, privilege)


@pg_function(
    "has_any_column_privilege(oid,text,text)",
    "has_any_column_privilege(oid,oid,text)",
    context=True,
)
def has_any_column_privilege_id(
    ctx: CallContext, user: int, target: int | str, privilege: str
) -> bool | None:
    return _any_column(ctx, user, target, privilege)


@pg_function(
    "has_any_column_privilege(text,text)", "has_any_column_privilege(oid,text)", context=True
)
def has_any_column_privilege(ctx: CallContext, target: int | str, privilege: str) -> bool | None:
    return _any_column(ctx, ctx.current_user_oid, target, privilege)


@pg_function(
    "has_column_privilege(name,text,text,text)",
    "has_column_privilege(name,text,int2,text)",
    "has_column_privilege(name,oid,text,text)",
    "has_column_privilege(name,oid,int2,text)",
    context=True,
)
def has_column_privilege_name(
    ctx: CallContext, user: str, target: int | str, column: int | str, privilege: str
) -> bool | None:
    return _column(ctx, _role_or_public(ctx.catalog, user), target, column, privilege)


@pg_function(
    "has_column_privilege(oid,text,text,text)",
    "has_column_privilege(oid,text,int2,text)",
    "has_column_privilege(oid,oid,text,text)",
    "has_column_privilege(oid,oid,int2,text)",
    context=True,
)
def has_column_privilege_id(
    ctx: CallContext, user: int, target: int | str, column: int | str, privilege: str
) -> bool | None:
    return _column(ctx, user, target, column, privilege)


@pg_function(
    "has_column_privilege(text,text,text)",
    "has_column_privilege(text,int2,text)",
    "has_column_privilege(oid,text,text)",
    "has_column_privilege(oid,int2,text)",
    context=True,
)
def has_column_privilege(
    ctx: CallContext, target: int | str, column: int | str, privilege: str
) -> bool | None:
    return _column(ctx, ctx.current_user_oid, target, column, privilege)


# --- parameters, roles, row security -------------------------------------------------------------

_PARAMETER_WORDS = _words("SET", "ALTER SYSTEM")


@pg_function("has_parameter_privilege(name,text,text)", context=True)
def has_parameter_privilege_name(
    ctx: CallContext, user: str, parameter: str, privilege: str
) -> bool:
    role = _role_or_public(ctx.catalog, user)
    mode = _mode(privilege, _PARAMETER_WORDS)
    return acl.pg_parameter_aclcheck(ctx.catalog, parameter, mode, role)


@pg_function("has_parameter_privilege(oid,text,text)", context=True)
def has_parameter_privilege_id(ctx: CallContext, user: int, parameter: str, privilege: str) -> bool:
    mode = _mode(privilege, _PARAMETER_WORDS)
    return acl.pg_parameter_aclcheck(ctx.catalog, parameter, mode, user)


@pg_function("has_parameter_privilege(text,text)", context=True)
def has_parameter_privilege(ctx: CallContext, parameter: str, privilege: str) -> bool:
    return acl.pg_parameter_aclcheck(ctx.catalog, parameter, _mode(privilege, _PARAMETER_WORDS))


_ROLE_WORDS = {
    "USAGE": 1,
    "MEMBER": 2,
    "USAGE WITH GRANT OPTION": 4,
    "USAGE WITH ADMIN OPTION": 4,
    "MEMBER WITH GRANT OPTION": 4,
    "MEMBER WITH ADMIN OPTION": 4,
}


def _has_role(ctx: CallContext, member: int | str, role: int | str, privilege: str) -> bool:
    catalog = ctx.catalog
    member_oid = get_role_oid(catalog, member) if isinstance(member, str) else member
    role_oid = get_role_oid(catalog, role) if isinstance(role, str) else role
    mode = _mode(privilege, _ROLE_WORDS)
    return (
        bool(mode & 4 and is_admin_of_role(catalog, member_oid, role_oid))
        or bool(mode & 2 and is_member_of_role(catalog, member_oid, role_oid))
        or bool(mode & 1 and has_privs_of_role(catalog, member_oid, role_oid))
    )


@pg_function(
    "pg_has_role(name,name,text)",
    "pg_has_role(name,oid,text)",
    "pg_has_role(oid,name,text)",
    "pg_has_role(oid,oid,text)",
    context=True,
)
def pg_has_role_of(ctx: CallContext, member: int | str, role: int | str, privilege: str) -> bool:
    return _has_role(ctx, member, role, privilege)


@pg_function("pg_has_role(name,text)", "pg_has_role(oid,text)", context=True)
def pg_has_role(ctx: CallContext, role: int | str, privilege: str) -> bool:
    return _has_role(ctx, ctx.current_user_oid, role, privilege)


@pg_function("row_security_active(oid)", "row_security_active(text)", context=True)
def row_security_active(ctx: CallContext, target: int | str) -> bool | None:
    from pgemu.catalog.aclcheck_error import has_bypassrls_privilege

    relid = _target_relation(ctx.catalog, target)
    row = ctx.catalog.one(r.PgClass, oid=relid)
    if row is None:
        return None
    if not row.relrowsecurity or has_bypassrls_privilege(ctx.catalog):
        return False
    owner = has_privs_of_role(ctx.catalog, ctx.current_user_oid, row.relowner)
    return row.relforcerowsecurity if owner else True
