"""CREATE LANGUAGE (PostgreSQL's proclang.c).  The one handler that there is is PL/pgSQL's, so that
every language is PL/pgSQL under another name."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.heap import depend, insert_rows, is_pinned, owner_rows
from pgemu.catalog.namespace import name_list_to_string
from pgemu.catalog.rows import (
    PG_LANGUAGE_RELID,
    PG_PROC_RELID,
    PgDepend,
    PgLanguage,
    PgProc,
)
from pgemu.commands.define import strings
from pgemu.commands.permissions import aclcheck_error_not_owner, owns, require_superuser
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import DUPLICATE_OBJECT, UNDEFINED_OBJECT, WRONG_OBJECT_TYPE, PgError
from pgemu.parser.parse_func_lookup import lookup_func_name

LANGUAGE_HANDLEROID, INTERNALOID, OIDOID = 2280, 2281, 26
_EXTENSIONS = {"plpgsql", "plperl", "plperlu", "plpython3u", "pltcl", "pltclu"}


def undefined_language(name: str) -> PgError:
    """42704, with the hint about languages that an extension brings."""
    hint = "Use CREATE EXTENSION to load the language into the database."
    return PgError(
        UNDEFINED_OBJECT,
        f'language "{name}" does not exist',
        hint=hint if name in _EXTENSIONS else None,
    )


def create_language(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE [OR REPLACE] [TRUSTED] LANGUAGE name HANDLER ... [INLINE ...] [VALIDATOR ...]."""
    catalog = session.catalog
    require_superuser(session, "must be superuser to create custom procedural language")
    words = strings(stmt["plhandler"])
    handler = lookup_func_name(catalog, words, [])
    if catalog.get(PgProc, oid=handler).prorettype != LANGUAGE_HANDLEROID:
        raise PgError(
            WRONG_OBJECT_TYPE,
            f"function {name_list_to_string(words)} must return type language_handler",
        )
    inline = validator = 0
    if stmt.get("plinline"):
        inline = lookup_func_name(catalog, strings(stmt["plinline"]), [INTERNALOID])
    if stmt.get("plvalidator"):
        validator = lookup_func_name(catalog, strings(stmt["plvalidator"]), [OIDOID])
    name = stmt["plname"]
    old = catalog.one(PgLanguage, lanname=name)
    changes = {
        "lanispl": True, "lanpltrusted": bool(stmt.get("pltrusted")), "lanplcallfoid": handler,
        "laninline": inline, "lanvalidator": validator,
    }  # fmt: skip
    if old is not None:
        if not stmt.get("replace"):
            raise PgError(DUPLICATE_OBJECT, f'language "{name}" already exists')
        if not owns(session, old.lanowner):
            aclcheck_error_not_owner("language", name)
        oid = old.oid
        catalog.update(PgLanguage, {"oid": oid}, **changes)
        catalog.delete(PgDepend, classid=PG_LANGUAGE_RELID, objid=oid, deptype="n")
        rows: list[Any] = []
    else:
        oid, owner = catalog.new_oid(), session.ctx.current_user_oid
        row = PgLanguage(oid=oid, lanname=name, lanowner=owner, lanacl=None, **changes)
        rows = [row, *owner_rows(catalog, PG_LANGUAGE_RELID, oid, owner)]
    me = (PG_LANGUAGE_RELID, oid, 0)
    rows += [
        depend(me, (PG_PROC_RELID, f, 0), "n")
        for f in (handler, inline, validator)
        if f and not is_pinned(f)
    ]
    insert_rows(catalog, rows)
    return CommandResult("CREATE LANGUAGE")
