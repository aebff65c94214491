"""CREATE, ALTER, DROP TABLESPACE and ALTER ... ALL IN TABLESPACE (PostgreSQL's tablespace.c).

The rows of every table stay in the database's one SQLite file.  A tablespace has its catalog row,
its folder with PostgreSQL's version folder in it, its link in pg_tblspc, and relations that say
they are in it; rights and refusals are PostgreSQL's.
"""

from __future__ import annotations

import os
import re
import shutil
from typing import Any

import apsw

from pgemu.catalog.acl import ACL_CREATE, pg_tablespace_aclcheck
from pgemu.catalog.heap import insert_rows
from pgemu.catalog.pg_shdepend import (
    check_shared_dependencies,
    delete_shared_dependency_records_for,
    record_dependency_on_owner,
)
from pgemu.catalog.rows import (
    PgClass,
    PgDatabase,
    PgShdescription,
    PgTablespace,
)
from pgemu.catalog.tablespace import (
    GLOBALTABLESPACE_OID,
    database_tablespace,
    get_tablespace_name,
    get_tablespace_oid,
    set_relation_tablespace,
)
from pgemu.catalog.toasting import update_toast
from pgemu.commands.permissions import aclcheck_error, check_object_owner, owns, require_superuser
from pgemu.commands.reloptions import reset_reloptions, transform_reloptions
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    DEPENDENT_OBJECTS_STILL_EXIST,
    DUPLICATE_OBJECT,
    INVALID_NAME,
    INVALID_OBJECT_DEFINITION,
    INVALID_PARAMETER_VALUE,
    OBJECT_IN_USE,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    RESERVED_NAME,
    UNDEFINED_FILE,
    UNDEFINED_OBJECT,
    PgError,
)

VERSION_FOLDER = "PG_15_202209061"
_MAX_PATH = 1024 - 64
_MOVED_KINDS = {"OBJECT_TABLE": "rp", "OBJECT_INDEX": "iI", "OBJECT_MATVIEW": "m"}
_SYSTEM_SCHEMAS = (11, 99)


def create_tablespace(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE TABLESPACE."""
    from pgemu.commands.role_spec import get_rolespec_oid

    catalog = session.catalog
    name = stmt["tablespacename"]
    require_superuser(
        session,
        f'permission denied to create tablespace "{name}"',
        "Must be superuser to create a tablespace.",
    )
    owner = session.ctx.current_user_oid
    if "owner" in stmt:
        owner = get_rolespec_oid(session, stmt["owner"])
    location = _canonical(stmt.get("location", ""))
    in_place = not location and bool(session.guc.value("allow_in_place_tablespaces"))
    _check_location(session, location, in_place)
    if name.startswith("pg_"):
        raise PgError(
            RESERVED_NAME,
            f'unacceptable tablespace name "{name}"',
            detail='The prefix "pg_" is reserved for system tablespaces.',
        )
    _check_free(catalog, name)
    session.xact.prevent_in_transaction_block("CREATE TABLESPACE", st.top_level)
    options = transform_reloptions(stmt.get("options"), "tablespace")
    oid = catalog.new_oid()
    insert_rows(catalog, [PgTablespace(oid, name, owner, None, options)])
    record_dependency_on_owner(catalog, PgTablespace.RELID, oid, owner)
    _create_folders(session, oid, location)
    return CommandResult("CREATE TABLESPACE")


def _canonical(path: str) -> str:
    """canonicalize_path: no doubled or trailing slashes."""
    text = re.sub("/+", "/", path)
    return text.rstrip("/") if len(text) > 1 else text


def _check_location(session: Any, location: str, in_place: bool) -> None:
    if "'" in location:
        raise PgError(INVALID_NAME, "tablespace location cannot contain single quotes")
    if not in_place and not location.startswith("/"):
        raise PgError(INVALID_OBJECT_DEFINITION, "tablespace location must be an absolute path")
    if len(location.encode()) > _MAX_PATH:
        raise PgError(INVALID_OBJECT_DEFINITION, f'tablespace location "{location}" is too long')
    data = os.path.abspath(session.cluster.data)
    if location == data or location.startswith(data + "/"):
        session.notice(
            "WARNING",
            INVALID_OBJECT_DEFINITION,
            "tablespace location should not be inside the data directory",
        )


def _check_free(catalog: Any, name: str) -> None:
    if catalog.one(PgTablespace, spcname=name) is not None:
        raise PgError(DUPLICATE_OBJECT, f'tablespace "{name}" already exists')


def _link(session: Any, oid: int) -> str:
    return os.path.join(session.cluster.data, "pg_tblspc", str(oid))


def _create_folders(session: Any, oid: int, location: str) -> None:
    """create_tablespace_directories; a rollback takes them away again."""
    link = _link(session, oid)
    if location and not os.path.isdir(location):
        raise PgError(
            UNDEFINED_FILE,
            f'directory "{location}" does not exist',
        )
    folder = os.path.join(location or link, VERSION_FOLDER)
    if os.path.isdir(folder):
        raise PgError(OBJECT_IN_USE, f'directory "{folder}" already in use as a tablespace')
    try:
        os.makedirs(folder, mode=0o700)
        if location:
            os.makedirs(os.path.dirname(link), exist_ok=True)
            os.symlink(location, link)
    except OSError as error:
        raise PgError("58030", f'could not create directory "{folder}": {error.strerror}') from None
    session.xact.at_abort(lambda: _remove_folders(link))


def _remove_folders(link: str) -> None:
    """destroy_tablespace_directories."""
    shutil.rmtree(os.path.join(link, VERSION_FOLDER), ignore_errors=True)
    if os.path.islink(link):
        os.unlink(link)
    else:
        shutil.rmtree(link, ignore_errors=True)


def drop_tablespace(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """DROP TABLESPACE [IF EXISTS]."""
    session.xact.prevent_in_transaction_block("DROP TABLESPACE", st.top_level)
    catalog = session.catalog
    name = stmt["tablespacename"]
    row = catalog.one(PgTablespace, spcname=name)
    if row is None:
        if not stmt.get("missing_ok"):
            raise PgError(UNDEFINED_OBJECT, f'tablespace "{name}" does not exist')
        message = f'tablespace "{name}" does not exist, skipping'
        session.notice("NOTICE", "00000", message)
        return CommandResult("DROP TABLESPACE")
    check_object_owner(session, "tablespace", name, row.spcowner)
    if row.oid < 12000:
        aclcheck_error("tablespace", name)
    detail = check_shared_dependencies(catalog, PgTablespace.RELID, row.oid)
    if detail:
        raise PgError(
            DEPENDENT_OBJECTS_STILL_EXIST,
            f'tablespace "{name}" cannot be dropped because some objects depend on it',
            detail=detail,
        )
    if _is_in_use(session, row.oid):
        raise PgError(OBJECT_NOT_IN_PREREQUISITE_STATE, f'tablespace "{name}" is not empty')
    catalog.delete(PgTablespace, oid=row.oid)
    catalog.delete(PgShdescription, classoid=PgTablespace.RELID, objoid=row.oid)
    delete_shared_dependency_records_for(catalog, PgTablespace.RELID, row.oid)
    link = _link(session, row.oid)
    session.xact.at_commit(lambda: _remove_folders(link))
    return CommandResult("DROP TABLESPACE")


def _is_in_use(session: Any, oid: int) -> bool:
    """Are there relations of any database, or whole databases, in it?"""
    catalog = session.catalog
    if catalog.all(PgClass, reltablespace=oid) or catalog.all(PgDatabase, dattablespace=oid):
        return True
    column = PgClass._fields.index("reltablespace") + 1
    query = f"SELECT 1 FROM r{PgClass.RELID} WHERE c{column} = ? LIMIT 1"
    for database in catalog.all(PgDatabase):
        path = session.cluster.database_path(database.oid)
        if database.oid == session.ctx.database_oid or not os.path.exists(path):
            continue
        other = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READONLY)
        try:
            if other.execute(query, (oid,)).fetchone() is not None:
                return True
        finally:
            other.close()
    return False


def alter_tablespace_options(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER TABLESPACE SET / RESET (options)."""
    catalog = session.catalog
    name = stmt["tablespacename"]
    row = catalog.one(PgTablespace, spcname=name)
    if row is None:
        raise PgError(UNDEFINED_OBJECT, f'tablespace "{name}" does not exist')
    check_object_owner(session, "tablespace", name, row.spcowner)
    if stmt.get("isReset"):
        options = reset_reloptions(stmt.get("options"), "tablespace", row.spcoptions)
    else:
        options = transform_reloptions(stmt.get("options"), "tablespace", row.spcoptions)
    catalog.update(PgTablespace, {"oid": row.oid}, spcoptions=options)
    return CommandResult("ALTER TABLESPACE")


def rename_tablespace(session: Any, name: str, new_name: str) -> CommandResult:
    """ALTER TABLESPACE RENAME TO."""
    catalog = session.catalog
    row = catalog.one(PgTablespace, spcname=name)
    if row is None:
        raise PgError(UNDEFINED_OBJECT, f'tablespace "{name}" does not exist')
    if not owns(session, row.spcowner):
        aclcheck_error("tablespace", name)
    if new_name.startswith("pg_"):
        raise PgError(
            RESERVED_NAME,
            f'unacceptable tablespace name "{new_name}"',
            detail='The prefix "pg_" is reserved for system tablespaces.',
        )
    _check_free(catalog, new_name)
    catalog.update(PgTablespace, {"oid": row.oid}, spcname=new_name)
    return CommandResult("ALTER TABLESPACE")


# --- where relations go ------------------------------------------------------------------------


def choose_tablespace(
    session: Any,
    name: str | None,
    persistence: str,
    *,
    partitioned: bool,
    parent: int = 0,
) -> int:
    """The tablespace of a new relation, as DefineRelation and DefineIndex find it: named, the
    partitioned parent's, or the default one.  What pg_class.reltablespace is to be."""
    catalog = session.catalog
    usual = database_tablespace(catalog)
    if name:
        found = get_tablespace_oid(catalog, name)
        if partitioned and found == usual:
            raise default_for_partitioned()
    else:
        found = parent or get_default_tablespace(session, persistence, partitioned=partitioned)
    if found and found != usual:
        check_create_privilege(session, found)
    if found == GLOBALTABLESPACE_OID:
        raise only_shared()
    return 0 if found == usual else found


def index_tablespace(session: Any, name: str | None, heap: Any) -> int:
    """The same for a new index of `heap`."""
    return choose_tablespace(session, name, heap.persistence, partitioned=heap.relkind == "p")


def default_for_partitioned() -> PgError:
    """Partitioned relations keep only a tablespace that is not the default one."""
    return PgError("0A000", "cannot specify default tablespace for partitioned relations")


def only_shared() -> PgError:
    """pg_global is the server's."""
    return PgError(
        INVALID_PARAMETER_VALUE, "only shared relations can be placed in pg_global tablespace"
    )


def check_create_privilege(session: Any, oid: int) -> None:
    """42501 without CREATE on the tablespace."""
    if not pg_tablespace_aclcheck(session.catalog, oid, ACL_CREATE):
        aclcheck_error("tablespace", get_tablespace_name(session.catalog, oid))


def get_default_tablespace(session: Any, persistence: str, *, partitioned: bool) -> int:
    """GetDefaultTablespace: of default_tablespace or temp_tablespaces; 0: the database's."""
    from pgemu.guc.lists import split_identifier_string

    catalog = session.catalog
    usual = database_tablespace(catalog)
    if persistence == "t":
        listed = str(session.guc.get("temp_tablespaces"))
        for name in split_identifier_string(listed) or ():
            row = catalog.one(PgTablespace, spcname=name) if name else None
            if row is not None and pg_tablespace_aclcheck(catalog, row.oid, ACL_CREATE):
                return 0 if row.oid == usual else int(row.oid)
        return 0
    name = str(session.guc.get("default_tablespace"))
    row = catalog.one(PgTablespace, spcname=name) if name else None
    if row is None:
        return 0
    if row.oid == usual:
        if partitioned:
            raise default_for_partitioned()
        return 0
    return int(row.oid)


def move_relation(session: Any, relation: Any, oid: int) -> bool:
    """CheckRelationTableSpaceMove and SetRelationTableSpace; False: it is there already."""
    catalog = session.catalog
    usual = database_tablespace(catalog)
    old = relation.row.reltablespace
    if oid == old or (oid == usual and not old):
        return False
    if relation.oid < 16384:
        raise PgError("0A000", f'cannot move system relation "{relation.name}"')
    if oid == GLOBALTABLESPACE_OID:
        raise only_shared()
    place = 0 if oid == usual else oid
    set_relation_tablespace(catalog, relation.row, place)
    update_toast(catalog, relation.oid, reltablespace=place)
    return True


def alter_table_move_all(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER TABLE, INDEX, MATERIALIZED VIEW ALL IN TABLESPACE ... SET TABLESPACE."""
    from pgemu.commands.permissions import check_owner
    from pgemu.commands.role_spec import get_rolespec_oid

    catalog = session.catalog
    objtype = stmt["objtype"]
    word = {"OBJECT_TABLE": "TABLE", "OBJECT_INDEX": "INDEX"}.get(objtype, "MATERIALIZED VIEW")
    roles = [get_rolespec_oid(session, r["RoleSpec"]) for r in stmt.get("roles", ())]
    old = get_tablespace_oid(catalog, stmt["orig_tablespacename"])
    new = get_tablespace_oid(catalog, stmt["new_tablespacename"])
    if GLOBALTABLESPACE_OID in (old, new):
        raise PgError(
            INVALID_PARAMETER_VALUE,
            "cannot move relations in to or out of pg_global tablespace",
        )
    usual = database_tablespace(catalog)
    if new != usual:
        check_create_privilege(session, new)
    result = CommandResult(f"ALTER {word}")
    if old == new:
        return result
    found = [
        row
        for row in catalog.all(PgClass, reltablespace=0 if old == usual else old)
        if row.relkind in _MOVED_KINDS[objtype]
        and row.relnamespace not in _SYSTEM_SCHEMAS
        and not row.relisshared
        and row.relpersistence != "t"
        and (not roles or row.relowner in roles)
    ]
    for row in found:
        check_owner(session, catalog.relation(row.oid))
    if not found:
        name = '"(database default)"' if old == usual else f'"{stmt["orig_tablespacename"]}"'
        message = f"no matching relations in tablespace {name} found"
        session.notice("NOTICE", "P0002", message)
    for row in found:
        move_relation(session, catalog.relation(row.oid), new)
    return result
