"""CREATE EXTENSION and its kin (PostgreSQL's extension.c).

An extension's script is a list of catalog rows (pgemu.catalog.extension_data), of its default
version only.  What is not in that list answers as a server where the files are missing.
"""

from __future__ import annotations

from typing import Any

from pgemu.catalog.acl import ACL_CREATE, pg_database_aclcheck
from pgemu.catalog.extension_data import (
    BOOTSTRAP_OWNER,
    Control,
    extension_rows,
    read_control,
)
from pgemu.catalog.heap import acl_rows, insert_rows, owner_rows
from pgemu.catalog.namespace import get_creation_namespace, get_namespace_oid
from pgemu.catalog.objectaddress import ObjectAddress
from pgemu.catalog.roles import superuser
from pgemu.catalog.rows import (
    PG_EXTENSION_RELID,
    PG_NAMESPACE_RELID,
    PgAuthid,
    PgDepend,
    PgExtension,
    PgProc,
    PgType,
)
from pgemu.commands.default_acl import get_user_default_acl
from pgemu.commands.permissions import check_object_owner
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    DUPLICATE_FUNCTION,
    DUPLICATE_OBJECT,
    FEATURE_NOT_SUPPORTED,
    INSUFFICIENT_PRIVILEGE,
    INVALID_PARAMETER_VALUE,
    SYNTAX_ERROR,
    UNDEFINED_FILE,
    UNDEFINED_OBJECT,
    PgError,
)

SHARE_FOLDER = "/usr/share/postgresql/15"


def create_extension(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE EXTENSION."""
    name = stmt["extname"]
    if session.catalog.one(PgExtension, extname=name) is not None:
        if stmt.get("if_not_exists"):
            session.notice(
                "NOTICE", DUPLICATE_OBJECT, f'extension "{name}" already exists, skipping'
            )
            return CommandResult("CREATE EXTENSION")
        raise PgError(DUPLICATE_OBJECT, f'extension "{name}" already exists')
    options = _options(stmt)
    control = read_control(name)
    if control is None:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            f'extension "{name}" is not available',
            detail=f"Could not open extension control file "
            f'"{SHARE_FOLDER}/extension/{name}.control": No such file or directory.',
            hint="The extension must first be installed on the system where PostgreSQL is running.",
        )
    version = options.get("new_version", control.version)
    if version != control.version:
        raise PgError(
            INVALID_PARAMETER_VALUE,
            f'extension "{name}" has no installation script nor update path '
            f'for version "{version}"',
        )
    namespace = _target_namespace(session, control, options.get("schema"))
    script_owner = _script_owner(session, control)
    user = session.ctx.current_user_oid
    rows = extension_rows(name, session.catalog.new_oid, namespace, user, script_owner)
    _check_names(session, rows)
    for row in [r for r in rows if isinstance(r, PgExtension)]:
        rows += owner_rows(session.catalog, PG_EXTENSION_RELID, row.oid, user)
    insert_rows(session.catalog, _with_default_acls(session, rows))
    return CommandResult("CREATE EXTENSION")


def _with_default_acls(session: Any, rows: list[Any]) -> list[Any]:
    """What the script makes gets the ACLs that any new object of its owner gets."""
    found: list[Any] = []
    for row in rows:
        if isinstance(row, PgProc):
            acl = get_user_default_acl(session, "f", row.proowner, row.pronamespace)
            found.append(row._replace(proacl=row.proacl or acl))
            found += acl_rows(session.catalog, PgProc.RELID, row.oid, row.proowner, acl)
        elif isinstance(row, PgType) and not row.typelem and not row.typrelid:
            acl = get_user_default_acl(session, "T", row.typowner, row.typnamespace)
            found.append(row._replace(typacl=row.typacl or acl))
            found += acl_rows(session.catalog, PgType.RELID, row.oid, row.typowner, acl)
        else:
            found.append(row)
    return found


def _options(stmt: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in stmt.get("options", ()):
        option = node["DefElem"]
        if option["defname"] in found:
            raise PgError(
                SYNTAX_ERROR,
                "conflicting or redundant options",
                position=option.get("location", 0) + 1,
            )
        found[option["defname"]] = option.get("arg", {}).get("String", {}).get("sval", "")
    return found


def _target_namespace(session: Any, control: Control, schema: str | None) -> int:
    if control.schema is not None and schema not in (None, control.schema):
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            f'extension "{control.name}" must be installed in schema "{control.schema}"',
        )
    if schema is not None:
        return get_namespace_oid(session.catalog, schema)
    return get_creation_namespace(session.catalog)


def _script_owner(session: Any, control: Control) -> int:
    """Who runs the script: of a trusted extension the bootstrap superuser does, for whoever may
    create things in the database."""
    catalog, user = session.catalog, session.ctx.current_user_oid
    if not control.superuser or catalog.get(PgAuthid, oid=user).rolsuper:
        return int(user)
    if control.trusted and pg_database_aclcheck(catalog, session.ctx.database_oid, ACL_CREATE):
        return BOOTSTRAP_OWNER
    hint = "Must be superuser to create this extension."
    if control.trusted:
        hint = "Must have CREATE privilege on current database to create this extension."
    raise PgError(
        INSUFFICIENT_PRIVILEGE,
        f'permission denied to create extension "{control.name}"',
        hint=hint,
    )


def _check_names(session: Any, rows: list[Any]) -> None:
    """What the script makes must not be there yet."""
    catalog = session.catalog
    for row in rows:
        if isinstance(row, PgType):
            key = {"typname": row.typname, "typnamespace": row.typnamespace}
            if catalog.one(PgType, **key) is not None:
                raise PgError(DUPLICATE_OBJECT, f'type "{row.typname}" already exists')
        elif isinstance(row, PgProc):
            key = {"proname": row.proname, "pronamespace": row.pronamespace}
            if catalog.one(PgProc, proargtypes=row.proargtypes, **key) is not None:
                raise PgError(
                    DUPLICATE_FUNCTION,
                    f'function "{row.proname}" already exists with same argument types',
                )


def _existing(session: Any, name: str) -> PgExtension:
    row: PgExtension | None = session.catalog.one(PgExtension, extname=name)
    if row is None:
        raise PgError(UNDEFINED_OBJECT, f'extension "{name}" does not exist')
    return row


def alter_extension(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER EXTENSION UPDATE: of each extension there is one version."""
    row = _existing(session, stmt["extname"])
    check_object_owner(session, "extension", row.extname, row.extowner)
    version = _options(stmt).get("new_version", row.extversion)
    if version != row.extversion:
        raise PgError(
            INVALID_PARAMETER_VALUE,
            f'extension "{row.extname}" has no update path '
            f'from version "{row.extversion}" to version "{version}"',
        )
    session.notice(
        "NOTICE",
        "00000",
        f'version "{row.extversion}" of extension "{row.extname}" is already installed',
    )
    return CommandResult("ALTER EXTENSION")


def move_extension(session: Any, row: PgExtension, namespace: int) -> None:
    """ALTER EXTENSION SET SCHEMA (AlterExtensionNamespace): its objects move with it."""
    from pgemu.catalog.namespace import check_set_namespace
    from pgemu.commands.alter import move_object
    from pgemu.commands.ownership import KINDS, check_object_ownership

    catalog = session.catalog
    check_object_ownership(session, ObjectAddress(PG_EXTENSION_RELID, row.oid))
    if row.extnamespace == namespace:
        return
    if not row.extrelocatable:
        raise PgError(
            FEATURE_NOT_SUPPORTED, f'extension "{row.extname}" does not support SET SCHEMA'
        )
    check_set_namespace(catalog, row.extnamespace, namespace)
    members = catalog.all(PgDepend, refclassid=PG_EXTENSION_RELID, refobjid=row.oid, deptype="e")
    for member in members:
        kind = KINDS.get(member.classid)
        if kind is None or not kind.namespace:
            continue
        if getattr(catalog.one(kind.cls, oid=member.objid), kind.namespace) != namespace:
            move_object(session, ObjectAddress(member.classid, member.objid), namespace)
    catalog.update(PgExtension, {"oid": row.oid}, extnamespace=namespace)
    catalog.update(
        PgDepend,
        {
            "classid": PG_EXTENSION_RELID, "objid": row.oid, "refclassid": PG_NAMESPACE_RELID,
            "refobjid": row.extnamespace,
        },
        refobjid=namespace,
    )  # fmt: skip


def alter_extension_contents(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER EXTENSION ADD / DROP object."""
    _existing(session, stmt["extname"])
    raise PgError(FEATURE_NOT_SUPPORTED, "ALTER EXTENSION ADD and DROP are not supported")


def load(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """LOAD of a shared library: none can be loaded, plpgsql is built in."""
    name = stmt["filename"]
    if not superuser(session.catalog) and not name.startswith("$libdir/plugins/"):
        raise PgError(INSUFFICIENT_PRIVILEGE, f'access to library "{name}" is not allowed')
    if name.removeprefix("$libdir/") == "plpgsql":
        session.load_plpgsql()
        return CommandResult("LOAD")
    raise PgError(UNDEFINED_FILE, f'could not access file "{name}": No such file or directory')
