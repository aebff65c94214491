"""CREATE, ALTER, DROP DATABASE (PostgreSQL's dbcommands.c): a database is a file, so CREATE is a
copy of the template's, in use or not."""

from __future__ import annotations

import os
import re
from typing import Any

from pgemu.catalog.roles import superuser
from pgemu.catalog.rows import (
    PgAuthid,
    PgDatabase,
    PgDbRoleSetting,
    PgShdepend,
    PgShdescription,
    PgSubscription,
)
from pgemu.commands.define import (
    def_get_boolean,
    def_get_int,
    def_get_string,
    elements,
    error_conflicting_def_elem,
)
from pgemu.commands.ownership import check_object_ownership
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    DUPLICATE_DATABASE,
    FEATURE_NOT_SUPPORTED,
    INSUFFICIENT_PRIVILEGE,
    INVALID_PARAMETER_VALUE,
    OBJECT_IN_USE,
    SYNTAX_ERROR,
    UNDEFINED_DATABASE,
    UNDEFINED_OBJECT,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.executor.waiting import retrying
from pgemu.guc.encodings import encoding_by_name

_OPTIONS = (
    "tablespace", "owner", "template", "encoding", "locale", "lc_collate", "lc_ctype",
    "icu_locale", "locale_provider", "is_template", "allow_connections", "connection_limit",
    "collation_version", "oid", "strategy",
)  # fmt: skip


def _options(stmt: dict[str, Any], known: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for option in elements(stmt.get("options")):
        name = option["defname"]
        if name not in known:
            raise PgError(
                SYNTAX_ERROR, f'option "{name}" not recognized', location=option.get("location")
            )
        if name in found:
            raise error_conflicting_def_elem(option)
        found[name] = option
    return found


def get_database(session: Any, name: str) -> PgDatabase:
    """The row, or 3D000."""
    row: PgDatabase | None = session.catalog.one(PgDatabase, datname=name)
    if row is None:
        raise PgError(UNDEFINED_DATABASE, f'database "{name}" does not exist')
    return row


def createdb(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE DATABASE."""
    from pgemu.catalog.roles import get_role_oid

    session.xact.prevent_in_transaction_block("CREATE DATABASE", st.top_level)
    catalog = session.catalog
    options = _options(stmt, _OPTIONS)
    name = stmt["dbname"]
    owner = session.ctx.current_user_oid
    if _given(options, "owner"):
        owner = get_role_oid(catalog, def_get_string(options["owner"]))
    me = catalog.one(PgAuthid, oid=session.ctx.current_user_oid)
    if not superuser(catalog) and not me.rolcreatedb:
        raise PgError(INSUFFICIENT_PRIVILEGE, "permission denied to create database")
    template_name = (
        def_get_string(options["template"]) if _given(options, "template") else "template1"
    )
    template: PgDatabase | None = catalog.one(PgDatabase, datname=template_name)
    if template is None:
        raise PgError(UNDEFINED_DATABASE, f'template database "{template_name}" does not exist')
    if not template.datistemplate and not superuser(catalog) and template.datdba != me.oid:
        raise PgError(
            INSUFFICIENT_PRIVILEGE, f'permission denied to copy database "{template_name}"'
        )
    values = {**_locale(options, template), **_new_values(session, options, template)}
    if catalog.one(PgDatabase, datname=name) is not None:
        raise PgError(DUPLICATE_DATABASE, f'database "{name}" already exists')
    retrying(session, lambda: _insert(session, template, name, owner, options, values))
    return CommandResult("CREATE DATABASE")


def _insert(
    session: Any,
    template: PgDatabase,
    name: str,
    owner: int,
    options: dict[str, dict[str, Any]],
    values: dict[str, Any],
) -> None:
    catalog = session.catalog
    with session.xact.write():
        oid = def_get_int(options["oid"]) if _given(options, "oid") else catalog.new_oid()
        if _given(options, "oid") and oid < FIRST_NORMAL_OBJECT_ID:
            raise PgError(
                INVALID_PARAMETER_VALUE,
                f"OIDs less than {FIRST_NORMAL_OBJECT_ID} are reserved for system objects",
            )
        plain = {"datistemplate": False, "datallowconn": True, "datconnlimit": -1, "datacl": None}
        row = template._replace(oid=oid, datname=name, datdba=owner, **{**plain, **values})
        session.xact.writes_to("g.r1262", len(PgDatabase._fields))
        catalog.insert(row)
        if owner >= 12000:
            catalog.insert(PgShdepend(0, PgDatabase.RELID, oid, 0, PgAuthid.RELID, owner, "o"))
        copy_database_files(session, template.oid, oid)


def _given(options: dict[str, dict[str, Any]], name: str) -> bool:
    return name in options and options[name].get("arg") is not None


FIRST_NORMAL_OBJECT_ID = 16384
UTF8, LAST_SERVER_ENCODING = 6, 34
# the names that setlocale() could know: C.UTF-8, en_US.utf8, de_DE@euro
_LOCALE_NAME = re.compile(r"(C|POSIX|[a-z]{2,3}(_[A-Z]{2})?)(\.[\w-]+)?(@\w+)?")


def _locale(options: dict[str, dict[str, Any]], template: PgDatabase) -> dict[str, Any]:
    """Encoding, collation and character type: checked, and those of the template unless that is
    template0, of which nothing depends on them."""
    encoding = UTF8
    if _given(options, "encoding"):
        name = def_get_string(options["encoding"])
        found = encoding_by_name("UTF8" if name == str(UTF8) else name)
        if found is None or found.number > LAST_SERVER_ENCODING:
            raise PgError(
                UNDEFINED_OBJECT,
                f"{name} is not a valid encoding name",
                location=options["encoding"].get("location"),
            )
        encoding, name = found.number, found.name
    names = {"datcollate": template.datcollate, "datctype": template.datctype}
    for option in ("locale", "lc_collate", "lc_ctype"):
        if _given(options, option):
            text = def_get_string(options[option])
            if not _LOCALE_NAME.fullmatch(text):
                raise PgError(WRONG_OBJECT_TYPE, f'invalid locale name: "{text}"')
            columns = names if option == "locale" else (f"dat{option.removeprefix('lc_')}",)
            names.update(dict.fromkeys(columns, "C" if text == "POSIX" else text))
    if encoding != UTF8:
        _refuse_encoding(name, names, template)
    if template.datname != "template0":
        for column, what, whose in (
            ("datcollate", "collation", "collation"),
            ("datctype", "LC_CTYPE", "LC_CTYPE"),
        ):
            if names[column] != getattr(template, column):
                raise PgError(
                    INVALID_PARAMETER_VALUE,
                    f"new {what} ({names[column]}) is incompatible with the {whose} of the "
                    f"template database ({getattr(template, column)})",
                    hint=f"Use the same {whose} as in the template database, or use template0 "
                    "as template.",
                )
    return names


def _refuse_encoding(name: str, names: dict[str, str], template: PgDatabase) -> None:
    for column, setting in (("datctype", "LC_CTYPE"), ("datcollate", "LC_COLLATE")):
        if names[column] not in ("C", "POSIX"):
            raise PgError(
                INVALID_PARAMETER_VALUE,
                f'encoding "{name}" does not match locale "{names[column]}"',
                detail=f'The chosen {setting} setting requires encoding "UTF8".',
            )
    if template.datname != "template0":
        raise PgError(
            INVALID_PARAMETER_VALUE,
            f"new encoding ({name}) is incompatible with the encoding of the template database "
            "(UTF8)",
            hint="Use the same encoding as in the template database, or use template0 as template.",
        )
    raise PgError(FEATURE_NOT_SUPPORTED, f'encoding "{name}" is not supported')


def _new_values(
    session: Any, options: dict[str, dict[str, Any]], template: PgDatabase
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if _given(options, "locale_provider"):
        provider = def_get_string(options["locale_provider"])
        if provider == "icu":
            raise PgError(FEATURE_NOT_SUPPORTED, "ICU is not supported in this build")
        if provider != "libc":
            raise PgError("42P17", f"unrecognized locale provider: {provider}")
    if _given(options, "tablespace"):
        values["dattablespace"] = _tablespace(session, def_get_string(options["tablespace"]))
    if _given(options, "strategy"):
        word = def_get_string(options["strategy"])
        if word.lower() not in ("wal_log", "file_copy"):
            raise PgError(
                INVALID_PARAMETER_VALUE,
                f'invalid create database strategy "{word}"',
                hint='Valid strategies are "wal_log", and "file_copy".',
            )
    if _given(options, "is_template"):
        values["datistemplate"] = def_get_boolean(options["is_template"])
    if _given(options, "allow_connections"):
        values["datallowconn"] = def_get_boolean(options["allow_connections"])
    if _given(options, "connection_limit"):
        limit = def_get_int(options["connection_limit"])
        if limit < -1:
            raise PgError(INVALID_PARAMETER_VALUE, f"invalid connection limit: {limit}")
        values["datconnlimit"] = limit
    return values


def copy_database_files(session: Any, source: int, target: int) -> None:
    """The database file and its sequences, consistent although the source may be in use."""
    from pgemu.storage.filecopy import copy_database_files as copy_files
    from pgemu.storage.sequence import SequenceFile
    from pgemu.storage.writerlock import WriterLock

    cluster = session.cluster
    paths = cluster.database_path(source), cluster.database_path(target)
    if source == session.ctx.database_oid:
        # this command's write transaction holds the lock of the own database
        copy_files(*paths, sync=session.xact.fsync)
    else:
        with WriterLock(cluster.writer_lock_path(source), session.check_for_interrupts):
            copy_files(*paths, sync=session.xact.fsync)
    sequences = SequenceFile(cluster.sequence_path(source), cluster.sequence_lock_path(source))
    sequences.copy_to(cluster.sequence_path(target))


def count_other_backends(session: Any, oid: int) -> int:
    """CountOtherDBBackends."""
    return int(session.shm.procarray.count_databases(oid, session.ctx.backend_pid))


def _in_use(session: Any, name: str, count: int) -> PgError:
    noun = "session" if count == 1 else "sessions"
    verb = "is" if count == 1 else "are"
    return PgError(
        OBJECT_IN_USE,
        f'database "{name}" is being accessed by other users',
        detail=f"There {verb} {count} other {noun} using the database.",
    )


def dropdb(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """DROP DATABASE [IF EXISTS] [(FORCE)]."""
    from pgemu.catalog.objectaddress import ObjectAddress

    session.xact.prevent_in_transaction_block("DROP DATABASE", st.top_level)
    catalog = session.catalog
    name = stmt["dbname"]
    force = False
    for option in elements(stmt.get("options")):
        if option["defname"] != "force":
            raise PgError(SYNTAX_ERROR, f'unrecognized DROP DATABASE option "{option["defname"]}"')
        force = True
    row = catalog.one(PgDatabase, datname=name)
    if row is None:
        if not stmt.get("missing_ok"):
            raise PgError(UNDEFINED_DATABASE, f'database "{name}" does not exist')
        session.notice("NOTICE", "00000", f'database "{name}" does not exist, skipping')
        return CommandResult("DROP DATABASE")
    check_object_ownership(session, ObjectAddress(PgDatabase.RELID, row.oid, 0))
    if row.datistemplate:
        raise PgError(WRONG_OBJECT_TYPE, "cannot drop a template database")
    if row.oid == session.ctx.database_oid:
        raise PgError(OBJECT_IN_USE, "cannot drop the currently open database")
    _refuse_subscriptions(session, row)
    if force:
        _terminate_others(session, row.oid)
    count = _wait_for_others(session, row.oid)
    if count:
        raise _in_use(session, name, count)
    with session.xact.write():
        session.xact.writes_to("g.r1262", len(PgDatabase._fields))
        catalog.delete(PgDatabase, oid=row.oid)
        catalog.delete(PgDbRoleSetting, setdatabase=row.oid)
        catalog.delete(PgShdescription, objoid=row.oid, classoid=PgDatabase.RELID)
        catalog.delete(PgShdepend, dbid=row.oid)
        catalog.delete(PgShdepend, dbid=0, classid=PgDatabase.RELID, objid=row.oid)
    remove_database_files(session, row.oid)
    return CommandResult("DROP DATABASE")


def _refuse_subscriptions(session: Any, row: PgDatabase) -> None:
    count = len(session.catalog.all(PgSubscription, subdbid=row.oid))
    if count:
        there = "is 1 subscription" if count == 1 else f"are {count} subscriptions"
        raise PgError(
            OBJECT_IN_USE,
            f'database "{row.datname}" is being used by logical replication subscription',
            detail=f"There {there}.",
        )


def _terminate_others(session: Any, oid: int) -> None:
    import signal

    for slot in session.shm.procarray.slots():
        if slot.database == oid and slot.pid and slot.pid != session.ctx.backend_pid:
            try:
                os.kill(slot.pid, signal.SIGTERM)
            except ProcessLookupError:
                continue


def _wait_for_others(session: Any, oid: int) -> int:
    """Backends on their way out get up to five seconds, as PostgreSQL gives them."""
    import time

    for _attempt in range(50):
        count = count_other_backends(session, oid)
        if not count:
            return 0
        session.check_for_interrupts()
        time.sleep(0.1)
    return count_other_backends(session, oid)


def remove_database_files(session: Any, oid: int) -> None:
    """The file, its WAL and its sequences."""
    from pgemu.storage import filecopy

    cluster = session.cluster
    filecopy.remove_database_files(cluster.database_path(oid))
    if os.path.exists(cluster.sequence_path(oid)):
        os.unlink(cluster.sequence_path(oid))


def _tablespace(session: Any, name: str) -> int:
    """The default tablespace of a database; only the catalog tells it from another."""
    from pgemu.catalog.tablespace import GLOBALTABLESPACE_OID, get_tablespace_oid
    from pgemu.commands.tablespace import check_create_privilege

    oid = get_tablespace_oid(session.catalog, name)
    check_create_privilege(session, oid)
    if oid == GLOBALTABLESPACE_OID:
        raise PgError(INVALID_PARAMETER_VALUE, "pg_global cannot be used as default tablespace")
    return oid


def alter_database(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER DATABASE options (is_template, allow_connections, connection_limit, tablespace)."""
    from pgemu.catalog.objectaddress import ObjectAddress

    known = ("is_template", "allow_connections", "connection_limit", "tablespace")
    options = _options(stmt, known)
    row = get_database(session, stmt["dbname"])
    check_object_ownership(session, ObjectAddress(PgDatabase.RELID, row.oid, 0))
    if _given(options, "tablespace"):
        session.xact.prevent_in_transaction_block("ALTER DATABASE SET TABLESPACE", st.top_level)
        if row.oid == session.ctx.database_oid:
            raise PgError(
                OBJECT_IN_USE, "cannot change the tablespace of the currently open database"
            )
    values = _new_values(session, options, row)
    if values.get("datallowconn") is False and row.oid == session.ctx.database_oid:
        raise PgError(INVALID_PARAMETER_VALUE, "cannot disallow connections for current database")
    if values:
        session.catalog.update(PgDatabase, {"oid": row.oid}, **values)
    return CommandResult("ALTER DATABASE")


def alter_database_set(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER DATABASE SET / RESET setting."""
    from pgemu.catalog.objectaddress import ObjectAddress
    from pgemu.commands.user import alter_setting
    from pgemu.commands.variable import flatten_set_variable_args

    row = get_database(session, stmt["dbname"])
    check_object_ownership(session, ObjectAddress(PgDatabase.RELID, row.oid, 0))
    set_stmt = stmt["setstmt"]
    value = None
    if set_stmt["kind"] == "VAR_SET_VALUE":
        value = flatten_set_variable_args(set_stmt["name"], set_stmt.get("args", []))
    elif set_stmt["kind"] == "VAR_SET_CURRENT":
        value = session.guc.get(set_stmt["name"])
    alter_setting(session, row.oid, 0, set_stmt, value)
    return CommandResult("ALTER DATABASE")


def refresh_collation(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER DATABASE ... REFRESH COLLATION VERSION."""
    get_database(session, stmt["dbname"])
    session.notice("NOTICE", "00000", "version has not changed")
    return CommandResult("ALTER DATABASE")
