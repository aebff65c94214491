"""Foreign-data wrappers, servers, user mappings and foreign tables (PostgreSQL's foreigncmds.c).

They are catalog rows.  Handlers are functions in C, which there are none of here, so reading a
foreign table ends as in PostgreSQL with a wrapper that has no handler.
"""

from __future__ import annotations

from typing import Any

from pgemu.catalog import acl
from pgemu.catalog.heap import depend, insert_rows, is_pinned, owner_rows
from pgemu.catalog.roles import superuser
from pgemu.catalog.rows import (
    PG_CLASS_RELID,
    PG_FOREIGN_DATA_WRAPPER_RELID,
    PG_FOREIGN_SERVER_RELID,
    PG_PROC_RELID,
    PG_USER_MAPPING_RELID,
    PgAttribute,
    PgDepend,
    PgForeignDataWrapper,
    PgForeignServer,
    PgForeignTable,
    PgProc,
    PgUserMapping,
)
from pgemu.commands.define import elements, list_items, node_value, strings
from pgemu.commands.permissions import owns
from pgemu.commands.result import CommandResult, Statement
from pgemu.commands.role_spec import get_rolespec_name, get_rolespec_oid
from pgemu.errors import (
    DUPLICATE_OBJECT,
    FEATURE_NOT_SUPPORTED,
    INSUFFICIENT_PRIVILEGE,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    SYNTAX_ERROR,
    UNDEFINED_COLUMN,
    UNDEFINED_OBJECT,
    WRONG_OBJECT_TYPE,
    PgError,
)

FDW_HANDLEROID, TEXTARRAYOID, OIDOID = 3115, 1009, 26


def transform_generic_options(
    session: Any, catalog_id: int, old: Any, nodes: Any, validator: int
) -> tuple[str, ...] | None:
    """transformGenericOptions: ADD, SET and DROP over the options there are."""
    result: dict[str, str] = dict(item.split("=", 1) for item in old or ())
    for option in elements(nodes):
        name = option["defname"]
        action = option.get("defaction", "DEFELEM_UNSPEC")
        if action in ("DEFELEM_DROP", "DEFELEM_SET") and name not in result:
            raise PgError(UNDEFINED_OBJECT, f'option "{name}" not found')
        if action in ("DEFELEM_ADD", "DEFELEM_UNSPEC") and name in result:
            raise PgError(DUPLICATE_OBJECT, f'option "{name}" provided more than once')
        if action == "DEFELEM_DROP":
            del result[name]
        else:
            result[name] = str(node_value(option["arg"]))
    found = tuple(f"{name}={value}" for name, value in result.items())
    if validator:
        _validate(session, validator, found, catalog_id)
    return found or None


def _validate(session: Any, validator: int, options: tuple[str, ...], catalog_id: int) -> None:
    from pgemu.nodes.primnodes import Const, Expr, FuncExpr
    from pgemu.types.arrays_value import dump_array

    row = session.catalog.get(PgProc, oid=validator)
    args: list[Expr] = [Const(TEXTARRAYOID, dump_array(list(options))), Const(OIDOID, catalog_id)]
    session.evaluate(FuncExpr(validator, row.prorettype, args))


def _function(catalog: Any, names: list[Any], types: tuple[int, ...]) -> Any:
    from pgemu.catalog.namespace import lookup_explicit_namespace

    words = strings(names)
    if len(words) > 1:
        spaces = [lookup_explicit_namespace(catalog, words[-2])]
    else:
        spaces = list(catalog.search_path())
    for space in spaces:
        for row in catalog.all(PgProc, proname=words[-1], pronamespace=space):
            if tuple(row.proargtypes) == types:
                return row
    shown = ", ".join(catalog.type_name(t) for t in types)
    raise PgError("42883", f"function {'.'.join(words)}({shown}) does not exist")


def _func_options(catalog: Any, nodes: Any) -> dict[str, int]:
    """parse_func_options: {"handler": OID, "validator": OID} of those that are given."""
    found: dict[str, int] = {}
    for option in elements(nodes):
        name = option["defname"]
        if name in found:
            raise PgError(
                SYNTAX_ERROR, "conflicting or redundant options", location=option["location"]
            )
        if option.get("arg") is None:
            found[name] = 0
            continue
        names = list_items(option["arg"])
        types = () if name == "handler" else (TEXTARRAYOID, OIDOID)
        row = _function(catalog, names, types)
        if name == "handler" and row.prorettype != FDW_HANDLEROID:
            raise PgError(
                WRONG_OBJECT_TYPE,
                f"function {'.'.join(strings(names))} must return type fdw_handler",
            )
        found[name] = row.oid
    return found


# ----------------------------------------------------------------------------- wrappers


def _need_superuser(session: Any, action: str, name: str) -> None:
    if not superuser(session.catalog):
        raise PgError(
            INSUFFICIENT_PRIVILEGE,
            f'permission denied to {action} foreign-data wrapper "{name}"',
            hint=f"Must be superuser to {action} a foreign-data wrapper.",
        )


def create_fdw(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE FOREIGN DATA WRAPPER."""
    catalog = session.catalog
    name = stmt["fdwname"]
    _need_superuser(session, "create", name)
    if catalog.one(PgForeignDataWrapper, fdwname=name) is not None:
        raise PgError(DUPLICATE_OBJECT, f'foreign-data wrapper "{name}" already exists')
    functions = _func_options(catalog, stmt.get("func_options"))
    handler, validator = functions.get("handler", 0), functions.get("validator", 0)
    options = transform_generic_options(
        session, PG_FOREIGN_DATA_WRAPPER_RELID, None, stmt.get("options"), validator
    )
    oid = catalog.new_oid()
    owner = session.ctx.current_user_oid
    row = PgForeignDataWrapper(oid, name, owner, handler, validator, None, options)
    me = (PG_FOREIGN_DATA_WRAPPER_RELID, oid, 0)
    insert_rows(
        catalog,
        [
            row,
            *owner_rows(catalog, PG_FOREIGN_DATA_WRAPPER_RELID, oid, owner),
            *_function_rows(me, handler, validator),
        ],
    )
    return CommandResult("CREATE FOREIGN DATA WRAPPER")


def _function_rows(me: tuple[int, int, int], *functions: int) -> list[Any]:
    return [depend(me, (PG_PROC_RELID, f, 0), "n") for f in functions if f and not is_pinned(f)]


def _wrapper(catalog: Any, name: str) -> Any:
    row = catalog.one(PgForeignDataWrapper, fdwname=name)
    if row is None:
        raise PgError(UNDEFINED_OBJECT, f'foreign-data wrapper "{name}" does not exist')
    return row


def alter_fdw(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER FOREIGN DATA WRAPPER."""
    catalog = session.catalog
    name = stmt["fdwname"]
    _need_superuser(session, "alter", name)
    row = _wrapper(catalog, name)
    functions = _func_options(catalog, stmt.get("func_options"))
    if "handler" in functions:
        session.notice(
            "WARNING",
            "01000",
            "changing the foreign-data wrapper handler can change behavior of existing "
            "foreign tables",
        )
    if functions.get("validator"):
        session.notice(
            "WARNING",
            "01000",
            "changing the foreign-data wrapper validator can cause the options for dependent "
            "objects to become invalid",
        )
    handler = functions.get("handler", row.fdwhandler)
    validator = functions.get("validator", row.fdwvalidator)
    changes: dict[str, Any] = {"fdwhandler": handler, "fdwvalidator": validator}
    if stmt.get("options"):
        changes["fdwoptions"] = transform_generic_options(
            session, PG_FOREIGN_DATA_WRAPPER_RELID, row.fdwoptions, stmt["options"], validator
        )
    catalog.update(PgForeignDataWrapper, {"oid": row.oid}, **changes)
    if functions:
        me = (PG_FOREIGN_DATA_WRAPPER_RELID, row.oid, 0)
        catalog.delete(PgDepend, classid=me[0], objid=me[1], refclassid=PG_PROC_RELID)
        insert_rows(catalog, _function_rows(me, handler, validator))
    return CommandResult("ALTER FOREIGN DATA WRAPPER")


# ----------------------------------------------------------------------------- servers


def create_server(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE SERVER."""
    catalog = session.catalog
    name = stmt["servername"]
    if catalog.one(PgForeignServer, srvname=name) is not None:
        message = f'server "{name}" already exists'
        if not stmt.get("if_not_exists"):
            raise PgError(DUPLICATE_OBJECT, message)
        session.notice("NOTICE", DUPLICATE_OBJECT, message + ", skipping")
        return CommandResult("CREATE SERVER")
    wrapper = _wrapper(catalog, stmt["fdwname"])
    if not acl.pg_foreign_data_wrapper_aclcheck(catalog, wrapper.oid, acl.ACL_USAGE):
        raise PgError(
            INSUFFICIENT_PRIVILEGE, f"permission denied for foreign-data wrapper {wrapper.fdwname}"
        )
    options = transform_generic_options(
        session, PG_FOREIGN_SERVER_RELID, None, stmt.get("options"), wrapper.fdwvalidator
    )
    oid = catalog.new_oid()
    owner = session.ctx.current_user_oid
    row = PgForeignServer(
        oid, name, owner, wrapper.oid, stmt.get("servertype"), stmt.get("version"), None, options
    )
    me = (PG_FOREIGN_SERVER_RELID, oid, 0)
    insert_rows(
        catalog,
        [
            row,
            *owner_rows(catalog, PG_FOREIGN_SERVER_RELID, oid, owner),
            depend(me, (PG_FOREIGN_DATA_WRAPPER_RELID, wrapper.oid, 0), "n"),
        ],
    )
    return CommandResult("CREATE SERVER")


def get_foreign_server(catalog: Any, name: str) -> Any:
    """GetForeignServerByName."""
    row = catalog.one(PgForeignServer, srvname=name)
    if row is None:
        raise PgError(UNDEFINED_OBJECT, f'server "{name}" does not exist')
    return row


def _validator(catalog: Any, server: Any) -> int:
    return int(catalog.get(PgForeignDataWrapper, oid=server.srvfdw).fdwvalidator)


def alter_server(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER SERVER."""
    catalog = session.catalog
    row = get_foreign_server(catalog, stmt["servername"])
    if not owns(session, row.srvowner):
        raise PgError(INSUFFICIENT_PRIVILEGE, f"must be owner of foreign server {row.srvname}")
    changes: dict[str, Any] = {}
    if stmt.get("has_version"):
        changes["srvversion"] = stmt.get("version")
    if stmt.get("options"):
        changes["srvoptions"] = transform_generic_options(
            session,
            PG_FOREIGN_SERVER_RELID,
            row.srvoptions,
            stmt["options"],
            _validator(catalog, row),
        )
    catalog.update(PgForeignServer, {"oid": row.oid}, **changes)
    return CommandResult("ALTER SERVER")


# ----------------------------------------------------------------------------- user mappings


def _mapping_user(session: Any, spec: dict[str, Any]) -> tuple[int, str]:
    if spec["roletype"] == "ROLESPEC_PUBLIC":
        return 0, "public"
    return get_rolespec_oid(session, spec), get_rolespec_name(session, spec)


def _check_mapping(session: Any, user: int, server: Any) -> None:
    """user_mapping_ddl_aclcheck."""
    if owns(session, server.srvowner):
        return
    if user != session.ctx.current_user_oid:
        raise PgError(INSUFFICIENT_PRIVILEGE, f"must be owner of foreign server {server.srvname}")
    if not acl.pg_foreign_server_aclcheck(session.catalog, server.oid, acl.ACL_USAGE):
        raise PgError(
            INSUFFICIENT_PRIVILEGE, f"permission denied for foreign server {server.srvname}"
        )


def create_user_mapping(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE USER MAPPING."""
    catalog = session.catalog
    user, name = _mapping_user(session, stmt["user"])
    server = get_foreign_server(catalog, stmt["servername"])
    _check_mapping(session, user, server)
    if catalog.one(PgUserMapping, umuser=user, umserver=server.oid) is not None:
        message = f'user mapping for "{name}" already exists for server "{server.srvname}"'
        if not stmt.get("if_not_exists"):
            raise PgError(DUPLICATE_OBJECT, message)
        session.notice("NOTICE", DUPLICATE_OBJECT, message + ", skipping")
        return CommandResult("CREATE USER MAPPING")
    options = transform_generic_options(
        session, PG_USER_MAPPING_RELID, None, stmt.get("options"), _validator(catalog, server)
    )
    oid = catalog.new_oid()
    me = (PG_USER_MAPPING_RELID, oid, 0)
    rows: list[Any] = [
        PgUserMapping(oid, user, server.oid, options),
        depend(me, (PG_FOREIGN_SERVER_RELID, server.oid, 0), "n"),
    ]
    if user:
        rows.extend(owner_rows(catalog, PG_USER_MAPPING_RELID, oid, user))
    insert_rows(catalog, rows)
    return CommandResult("CREATE USER MAPPING")


def alter_user_mapping(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER USER MAPPING."""
    catalog = session.catalog
    user, name = _mapping_user(session, stmt["user"])
    server = get_foreign_server(catalog, stmt["servername"])
    row = catalog.one(PgUserMapping, umuser=user, umserver=server.oid)
    if row is None:
        raise PgError(
            UNDEFINED_OBJECT,
            f'user mapping for "{name}" does not exist for server "{server.srvname}"',
        )
    _check_mapping(session, user, server)
    options = transform_generic_options(
        session,
        PG_USER_MAPPING_RELID,
        row.umoptions,
        stmt.get("options"),
        _validator(catalog, server),
    )
    catalog.update(PgUserMapping, {"oid": row.oid}, umoptions=options)
    return CommandResult("ALTER USER MAPPING")


def drop_user_mapping(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """DROP USER MAPPING."""
    from pgemu.catalog.dependency import perform_deletion
    from pgemu.catalog.objectaddress import ObjectAddress

    catalog = session.catalog
    done = CommandResult("DROP USER MAPPING")
    missing_ok = bool(stmt.get("missing_ok"))
    try:
        user, name = _mapping_user(session, stmt["user"])
        server = get_foreign_server(catalog, stmt["servername"])
    except PgError as error:
        if not missing_ok or error.sqlstate != UNDEFINED_OBJECT:
            raise
        session.notice("NOTICE", "00000", f"{error.message}, skipping")
        return done
    row = catalog.one(PgUserMapping, umuser=user, umserver=server.oid)
    if row is None:
        message = f'user mapping for "{name}" does not exist for server "{server.srvname}"'
        if not missing_ok:
            raise PgError(UNDEFINED_OBJECT, message)
        session.notice("NOTICE", "00000", message + ", skipping")
        return done
    _check_mapping(session, user, server)
    perform_deletion(catalog, ObjectAddress(PG_USER_MAPPING_RELID, row.oid, 0), "cascade")
    return done


# ----------------------------------------------------------------------------- foreign tables


def create_foreign_table(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE FOREIGN TABLE."""
    from pgemu.commands.create_table import define_relation

    catalog = session.catalog
    base = stmt["base"] if "base" in stmt else stmt["base_stmt"]
    _check_constraints(base)
    oid = define_relation(session, base, st, relkind="f")
    if not oid:
        return CommandResult("CREATE FOREIGN TABLE")
    server = get_foreign_server(catalog, stmt["servername"])
    if not acl.pg_foreign_server_aclcheck(catalog, server.oid, acl.ACL_USAGE):
        raise PgError(
            INSUFFICIENT_PRIVILEGE, f"permission denied for foreign server {server.srvname}"
        )
    validator = _validator(catalog, server)
    options = transform_generic_options(
        session, PgForeignTable.RELID, None, stmt.get("options"), validator
    )
    me = (PG_CLASS_RELID, oid, 0)
    insert_rows(
        catalog,
        [
            PgForeignTable(oid, server.oid, options),
            depend(me, (PG_FOREIGN_SERVER_RELID, server.oid, 0), "n"),
        ],
    )
    for node in base.get("tableElts", ()):
        store_column_options(session, oid, node.get("ColumnDef", {}), server)
    return CommandResult("CREATE FOREIGN TABLE")


def store_column_options(
    session: Any, relid: int, column: dict[str, Any], server: PgForeignServer
) -> None:
    """The OPTIONS of a new column."""
    if not column.get("fdwoptions"):
        return
    found = transform_generic_options(
        session, PgAttribute.RELID, None, column["fdwoptions"], _validator(session.catalog, server)
    )
    where = {"attrelid": relid, "attname": column["colname"]}
    session.catalog.update(PgAttribute, where, attfdwoptions=found)


_REFUSED = {
    "CONSTR_PRIMARY": "primary key",
    "CONSTR_UNIQUE": "unique",
    "CONSTR_EXCLUSION": "exclusion",
    "CONSTR_FOREIGN": "foreign key",
}


def _check_constraints(base: dict[str, Any]) -> None:
    """Foreign tables have no keys (transformColumnDefinition, transformTableConstraint)."""
    for node in base.get("tableElts", ()):
        column = node.get("ColumnDef")
        found = column.get("constraints", ()) if column is not None else (node,)
        for item in found:
            constraint = item.get("Constraint")
            if constraint is not None and constraint["contype"] in _REFUSED:
                raise PgError(
                    FEATURE_NOT_SUPPORTED,
                    f"{_REFUSED[constraint['contype']]} constraints are not supported on "
                    "foreign tables",
                    location=constraint.get("location", 0),
                )


def alter_table_options(ctx: Any, command: dict[str, Any]) -> None:
    """ALTER FOREIGN TABLE ... OPTIONS (ATExecGenericOptions)."""
    catalog = ctx.catalog
    table = catalog.get(PgForeignTable, ftrelid=ctx.relation.oid)
    server = catalog.get(PgForeignServer, oid=table.ftserver)
    options = transform_generic_options(
        ctx.session,
        PgForeignTable.RELID,
        table.ftoptions,
        list_items(command["def"]),
        _validator(catalog, server),
    )
    catalog.update(PgForeignTable, {"ftrelid": ctx.relation.oid}, ftoptions=options)


def alter_column_options(ctx: Any, command: dict[str, Any]) -> None:
    """ALTER FOREIGN TABLE ... ALTER COLUMN ... OPTIONS (ATExecAlterColumnGenericOptions)."""
    catalog, relation, name = ctx.catalog, ctx.relation, command["name"]
    att = relation.attrs_by_name.get(name)
    if att is None:
        raise PgError(
            UNDEFINED_COLUMN, f'column "{name}" of relation "{relation.name}" does not exist'
        )
    if att.attnum <= 0:
        raise PgError(FEATURE_NOT_SUPPORTED, f'cannot alter system column "{name}"')
    table = catalog.get(PgForeignTable, ftrelid=relation.oid)
    server = catalog.get(PgForeignServer, oid=table.ftserver)
    options = transform_generic_options(
        ctx.session,
        PgAttribute.RELID,
        att.attfdwoptions,
        list_items(command["def"]),
        _validator(catalog, server),
    )
    where = {"attrelid": relation.oid, "attnum": att.attnum}
    catalog.update(PgAttribute, where, attfdwoptions=options)


def import_foreign_schema(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """IMPORT FOREIGN SCHEMA ends where PostgreSQL asks the wrapper's handler."""
    from pgemu.catalog.namespace import lookup_creation_namespace

    catalog = session.catalog
    server = get_foreign_server(catalog, stmt["server_name"])
    if not acl.pg_foreign_server_aclcheck(catalog, server.oid, acl.ACL_USAGE):
        raise PgError(
            INSUFFICIENT_PRIVILEGE, f"permission denied for foreign server {server.srvname}"
        )
    lookup_creation_namespace(catalog, stmt["local_schema"])
    wrapper = catalog.get(PgForeignDataWrapper, oid=server.srvfdw).fdwname
    raise PgError(
        OBJECT_NOT_IN_PREREQUISITE_STATE, f'foreign-data wrapper "{wrapper}" has no handler'
    )
