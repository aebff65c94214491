"""COMMENT ON and SECURITY LABEL (PostgreSQL's comment.c, seclabel.c)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.rows import (
    PgAuthid,
    PgDatabase,
    PgDescription,
    PgShdescription,
    PgTablespace,
)
from pgemu.commands.indexcmds import not_supported_detail
from pgemu.commands.ownership import check_named_object_ownership
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    INVALID_PARAMETER_VALUE,
    UNDEFINED_DATABASE,
    WRONG_OBJECT_TYPE,
    PgError,
)

# the shared objects whose comments are in pg_shdescription; subscriptions are not among them
_SHARED = frozenset((PgDatabase.RELID, PgAuthid.RELID, PgTablespace.RELID))


def comment(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """COMMENT ON object IS 'text' or NULL."""
    from pgemu.commands.get_object_address import existing_object

    catalog = session.catalog
    if stmt["objtype"] == "OBJECT_DATABASE":
        # a dump may be restored into a database of another name
        name = stmt["object"]["String"]["sval"]
        if catalog.one(PgDatabase, datname=name) is None:
            session.notice("WARNING", UNDEFINED_DATABASE, f'database "{name}" does not exist')
            return CommandResult("COMMENT")
    address = existing_object(catalog, stmt["objtype"], stmt["object"])
    check_named_object_ownership(session, address, stmt["objtype"], stmt["object"])
    if stmt["objtype"] == "OBJECT_COLUMN":
        relation = catalog.relation(address.objid)
        if relation.relkind not in "rvmcfp":
            raise PgError(
                WRONG_OBJECT_TYPE,
                f'cannot set comment on relation "{relation.name}"',
                detail=not_supported_detail(relation.relkind),
            )
    text = stmt.get("comment") or None
    if address.classid in _SHARED:
        create_shared_comment(catalog, address.objid, address.classid, text)
    else:
        create_comment(catalog, address.objid, address.classid, address.objsubid, text)
    return CommandResult("COMMENT")


def create_comment(catalog: Any, oid: int, classid: int, subid: int, text: str | None) -> None:
    """CreateComments: replace, add or remove."""
    where = {"objoid": oid, "classoid": classid, "objsubid": subid}
    old = catalog.one(PgDescription, **where)
    if text is None:
        if old is not None:
            catalog.delete(PgDescription, **where)
    elif old is not None:
        catalog.update(PgDescription, where, description=text)
    else:
        catalog.insert(PgDescription(oid, classid, subid, text))


def create_shared_comment(catalog: Any, oid: int, classid: int, text: str | None) -> None:
    """CreateSharedComments."""
    where = {"objoid": oid, "classoid": classid}
    old = catalog.one(PgShdescription, **where)
    if text is None:
        if old is not None:
            catalog.delete(PgShdescription, **where)
    elif old is not None:
        catalog.update(PgShdescription, where, description=text)
    else:
        catalog.insert(PgShdescription(oid, classid, text))


def security_label(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """SECURITY LABEL: no provider can be loaded, as in a PostgreSQL without one."""
    provider = stmt.get("provider")
    if provider:
        raise PgError(
            INVALID_PARAMETER_VALUE, f'security label provider "{provider}" is not loaded'
        )
    raise PgError(INVALID_PARAMETER_VALUE, "no security label providers have been loaded")
