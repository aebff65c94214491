"""CREATE and ALTER EVENT TRIGGER (the commands of PostgreSQL's event_trigger.c; running them:
event_trigger_fire.py)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.heap import depend, insert_rows, owner_rows
from pgemu.catalog.roles import superuser, superuser_arg
from pgemu.catalog.rows import PG_PROC_RELID, PgEventTrigger, PgProc
from pgemu.commands.cmdtag import EVENT_TRIGGER_TAGS, KNOWN_TAGS, TABLE_REWRITE_TAGS
from pgemu.commands.define import list_items, strings
from pgemu.commands.permissions import owns
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    DUPLICATE_OBJECT,
    FEATURE_NOT_SUPPORTED,
    INSUFFICIENT_PRIVILEGE,
    INVALID_OBJECT_DEFINITION,
    SYNTAX_ERROR,
    UNDEFINED_OBJECT,
    PgError,
)

EVENTS = ("ddl_command_start", "ddl_command_end", "sql_drop", "table_rewrite")
EVTTRIGGEROID = 3838
# why ALTER TABLE gives a table new storage (AT_REWRITE_*)
REWRITE_PERSISTENCE, REWRITE_DEFAULT_VAL, REWRITE_COLUMN, REWRITE_ACCESS_METHOD = 1, 2, 4, 8


def create_event_trigger(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE EVENT TRIGGER."""
    from pgemu.parser.parse_func_lookup import lookup_func_name

    catalog = session.catalog
    name, event = stmt["trigname"], stmt["eventname"]
    if not superuser(catalog):
        raise PgError(
            INSUFFICIENT_PRIVILEGE,
            f'permission denied to create event trigger "{name}"',
            hint="Must be superuser to create an event trigger.",
        )
    if event not in EVENTS:
        raise PgError(SYNTAX_ERROR, f'unrecognized event name "{event}"')
    tags = _tags(stmt, event)
    if catalog.one(PgEventTrigger, evtname=name) is not None:
        raise PgError(DUPLICATE_OBJECT, f'event trigger "{name}" already exists')
    names = strings(stmt["funcname"])
    function = lookup_func_name(catalog, names, [])
    if catalog.get(PgProc, oid=function).prorettype != EVTTRIGGEROID:
        shown = ".".join(names)
        raise PgError(INVALID_OBJECT_DEFINITION, f"function {shown} must return type event_trigger")
    oid = catalog.new_oid()
    me = (PgEventTrigger.RELID, oid, 0)
    owner = session.ctx.current_user_oid
    insert_rows(
        catalog,
        [
            PgEventTrigger(oid, name, event, owner, function, "O", tags),
            *owner_rows(catalog, PgEventTrigger.RELID, oid, owner),
            depend(me, (PG_PROC_RELID, function, 0), "n"),
        ],
    )
    return CommandResult("CREATE EVENT TRIGGER")


def _tags(stmt: dict[str, Any], event: str) -> tuple[str, ...] | None:
    """The WHEN clause: tags in capitals; None without one."""
    values: list[str] | None = None
    for item in stmt.get("whenclause", ()):
        option = item["DefElem"]
        variable = option["defname"]
        if variable != "tag":
            raise PgError(SYNTAX_ERROR, f'unrecognized filter variable "{variable}"')
        if values is not None:
            raise PgError(SYNTAX_ERROR, f'filter variable "{variable}" specified more than once')
        values = strings(list_items(option["arg"]))
    if values is None:
        return None
    for value in values:
        tag = value.upper()
        if event == "table_rewrite":
            if tag not in TABLE_REWRITE_TAGS:
                raise PgError(
                    FEATURE_NOT_SUPPORTED, f"event triggers are not supported for {value}"
                )
        elif tag not in KNOWN_TAGS:
            raise PgError(
                SYNTAX_ERROR, f'filter value "{value}" not recognized for filter variable "tag"'
            )
        elif tag not in EVENT_TRIGGER_TAGS:
            raise PgError(FEATURE_NOT_SUPPORTED, f"event triggers are not supported for {value}")
    return tuple(value.upper() for value in values)


def alter_event_trigger(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ENABLE, DISABLE, ENABLE REPLICA, ENABLE ALWAYS."""
    catalog = session.catalog
    name = stmt["trigname"]
    row = catalog.one(PgEventTrigger, evtname=name)
    if row is None:
        raise PgError(UNDEFINED_OBJECT, f'event trigger "{name}" does not exist')
    if not owns(session, row.evtowner):
        raise PgError(INSUFFICIENT_PRIVILEGE, f"must be owner of event trigger {name}")
    catalog.update(PgEventTrigger, {"oid": row.oid}, evtenabled=stmt["tgenabled"])
    return CommandResult("ALTER EVENT TRIGGER")


def check_new_owner(session: Any, name: str, new_owner: int) -> None:
    """AlterEventTriggerOwner_internal: only superusers own event triggers."""
    if not superuser_arg(session.catalog, new_owner):
        raise PgError(
            INSUFFICIENT_PRIVILEGE,
            f'permission denied to change owner of event trigger "{name}"',
            hint="The owner of an event trigger must be a superuser.",
        )
