"""What the event triggers of a running command may ask about (EventTriggerQueryState of
PostgreSQL's event_trigger.c).

A complete command makes a state while triggers exist that want one; commands inside its trigger
functions make their own, so that none sees the objects of another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pgemu.catalog import rows as r
from pgemu.catalog.object_identity import (
    PROPERTIES,
    get_object_identity,
    identify_object_as_address,
)
from pgemu.catalog.objectaddress import ObjectAddress, get_object_type_description

# objects that event triggers do not hear of
_UNSUPPORTED = frozenset(
    {r.PgDatabase.RELID, r.PgTablespace.RELID, r.PgAuthid.RELID, r.PgEventTrigger.RELID}
)
_OF_RELATION = {
    r.PgAttrdef: "adrelid", r.PgTrigger: "tgrelid", r.PgPolicy: "polrelid",
}  # fmt: skip


@dataclass(slots=True)
class DroppedObject:
    """A row of pg_event_trigger_dropped_objects()."""

    address: ObjectAddress
    original: bool
    normal: bool
    is_temporary: bool
    object_type: str
    schema_name: str | None
    object_name: str | None
    identity: str
    names: list[str]
    args: list[str]


@dataclass(slots=True)
class CollectedCommand:
    """A row of pg_event_trigger_ddl_commands().  address: None for GRANT and ALTER DEFAULT
    PRIVILEGES, whose object_type says what they are about."""

    tag: str
    address: ObjectAddress | None
    object_type: str = ""


@dataclass(slots=True)
class EventTriggerQueryState:
    """One complete command."""

    previous: EventTriggerQueryState | None
    inhibited: bool = False
    in_sql_drop: bool = False
    rewrite_oid: int = 0
    rewrite_reason: int = 0
    dropped: list[DroppedObject] = field(default_factory=list)
    commands: list[CollectedCommand] = field(default_factory=list)
    # (catalog, OID) of rows that were inserted or changed, in order
    touched: list[tuple[type[Any], int]] = field(default_factory=list)

    def touch(self, cls: type[Any], oid: int) -> None:
        """A catalog row was written."""
        self.touched.append((cls, oid))

    def collect(self, tag: str, address: ObjectAddress | None, object_type: str = "") -> None:
        """EventTriggerCollectSimpleCommand."""
        if not self.inhibited:
            self.commands.append(CollectedCommand(tag, address, object_type))

    def add_dropped(self, catalog: Any, target: Any, original: bool, normal: bool) -> None:
        """EventTriggerSQLDropAddObject, before the object goes."""
        address = ObjectAddress(*target)
        if address.classid in _UNSUPPORTED:
            return
        found = _name_and_schema(catalog, address)
        if found is None:
            return
        schema, name, is_temporary = found
        _word, names, args = identify_object_as_address(catalog, address)
        self.dropped.append(
            DroppedObject(
                address, original, normal, is_temporary,
                get_object_type_description(catalog, address), schema, name,
                get_object_identity(catalog, address), names, args,
            )
        )  # fmt: skip


def _is_other_temp(catalog: Any, namespace: int) -> bool:
    name: str = catalog.get(r.PgNamespace, oid=namespace).nspname
    return name.startswith(("pg_temp_", "pg_toast_temp_"))


def _name_and_schema(
    catalog: Any, address: ObjectAddress
) -> tuple[str | None, str | None, bool] | None:
    """(schema, name, is temporary); None: belongs to another session's temporary objects."""
    cls = r.CATALOG_BY_RELID[address.classid]
    column = _OF_RELATION.get(cls)
    if column is not None:
        row: Any = catalog.get(cls, oid=address.objid)
        table = ObjectAddress(r.PgClass.RELID, getattr(row, column), 0)
        found = _name_and_schema(catalog, table)
        return None if found is None else (found[0], None, found[2])
    if cls is r.PgNamespace:
        name = catalog.get(cls, oid=address.objid).nspname
        mine = address.objid == catalog.my_temp_namespace
        if not mine and _is_other_temp(catalog, address.objid):
            return None
        return None, name, mine
    properties = PROPERTIES.get(cls)
    if properties is None:
        return None, None, False
    row = catalog.get(cls, oid=address.objid)
    name_column, namespace_column, unique = properties
    schema, is_temporary = None, False
    namespace = getattr(row, namespace_column) if namespace_column else 0
    if namespace:
        if namespace == catalog.my_temp_namespace:
            schema, is_temporary = "pg_temp", True
        elif _is_other_temp(catalog, namespace):
            return None
        else:
            schema = catalog.get(r.PgNamespace, oid=namespace).nspname
    name = getattr(row, name_column) if unique and not address.objsubid else None
    return schema, name, is_temporary


def collect_command(session: Any, tag: str, classid: int, oid: int, subid: int = 0) -> None:
    """A command made or changed an object: remember it for ddl_command_end triggers."""
    state = session.event_trigger_state
    if state is not None and oid:
        state.collect(tag, ObjectAddress(classid, oid, subid))
