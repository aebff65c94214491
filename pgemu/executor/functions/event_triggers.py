"""The functions that event trigger functions may call (event_trigger.c)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pgemu.catalog.object_identity import PROPERTIES, get_object_identity
from pgemu.catalog.objectaddress import get_object_type_description
from pgemu.catalog.rows import CATALOG_BY_RELID, PgAttribute, PgDepend, PgNamespace
from pgemu.errors import E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED, PgError
from pgemu.fmgr import CallContext, pg_function


def _violated(function: str, where: str) -> PgError:
    return PgError(
        E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED, f"{function}() can only be called in {where}"
    )


def _array(items: list[str]) -> str:
    return json.dumps(items, separators=(",", ":"), ensure_ascii=False)


@pg_function("pg_event_trigger_dropped_objects()", context=True)
def pg_event_trigger_dropped_objects(ctx: CallContext) -> Iterator[tuple[Any, ...]]:
    state = ctx.session.event_trigger_state
    if state is None or not state.in_sql_drop:
        raise _violated("pg_event_trigger_dropped_objects", "a sql_drop event trigger function")
    for one in reversed(state.dropped):
        yield (
            *one.address, one.original, one.normal, one.is_temporary, one.object_type,
            one.schema_name, one.object_name, one.identity, _array(one.names), _array(one.args),
        )  # fmt: skip


@pg_function("pg_event_trigger_ddl_commands()", context=True)
def pg_event_trigger_ddl_commands(ctx: CallContext) -> Iterator[tuple[Any, ...]]:
    state = ctx.session.event_trigger_state
    if state is None:
        raise _violated("pg_event_trigger_ddl_commands", "an event trigger function")
    catalog = ctx.catalog
    for command in state.commands:
        address = command.address
        if address is None:
            yield None, None, None, command.tag, command.object_type, None, None, False, ""
            continue
        if not _exists(catalog, address):
            continue
        kind = get_object_type_description(catalog, address)
        schema = _schema(catalog, address)
        depends = catalog.all(
            PgDepend, classid=address.classid, objid=address.objid, objsubid=0, deptype="e"
        )
        identity = get_object_identity(catalog, address)
        yield *address, command.tag, kind, schema, identity, bool(depends), ""


def _schema(catalog: Any, address: Any) -> str | None:
    cls = CATALOG_BY_RELID[address.classid]
    column = PROPERTIES[cls][1] if cls in PROPERTIES else ""
    namespace = getattr(catalog.get(cls, oid=address.objid), column) if column else 0
    if not namespace:
        return None
    if namespace == catalog.my_temp_namespace:
        return "pg_temp"
    name: str = catalog.get(PgNamespace, oid=namespace).nspname
    return name


def _exists(catalog: Any, address: Any) -> bool:
    """It may have been dropped by a later part of the same command."""
    if catalog.one(CATALOG_BY_RELID[address.classid], oid=address.objid) is None:
        return False
    if not address.objsubid:
        return True
    att = catalog.one(PgAttribute, attrelid=address.objid, attnum=address.objsubid)
    return att is not None and not att.attisdropped


@pg_function("pg_event_trigger_table_rewrite_oid()", context=True)
def pg_event_trigger_table_rewrite_oid(ctx: CallContext) -> int:
    state = ctx.session.event_trigger_state
    if state is None or not state.rewrite_oid:
        raise _violated(
            "pg_event_trigger_table_rewrite_oid", "a table_rewrite event trigger function"
        )
    return int(state.rewrite_oid)


@pg_function("pg_event_trigger_table_rewrite_reason()", context=True)
def pg_event_trigger_table_rewrite_reason(ctx: CallContext) -> int:
    state = ctx.session.event_trigger_state
    if state is None or not state.rewrite_reason:
        raise _violated(
            "pg_event_trigger_table_rewrite_reason", "a table_rewrite event trigger function"
        )
    return int(state.rewrite_reason)
