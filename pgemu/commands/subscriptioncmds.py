"""CREATE, ALTER and DROP SUBSCRIPTION (PostgreSQL's subscriptioncmds.c).

The catalog rows and every check are here; whatever needs the publisher tries to reach it and
fails as PostgreSQL does when it cannot.  No worker applies changes: publisher.py says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, NoReturn

from pgemu.catalog.heap import insert_rows
from pgemu.catalog.pg_shdepend import (
    delete_shared_dependency_records_for,
    record_dependency_on_owner,
)
from pgemu.catalog.roles import superuser, superuser_arg
from pgemu.catalog.rows import (
    PgDescription,
    PgReplicationOrigin,
    PgSubscription,
    PgSubscriptionRel,
)
from pgemu.commands.define import (
    def_get_boolean,
    def_get_string,
    elements,
    error_conflicting_def_elem,
    strings,
)
from pgemu.commands.permissions import check_object_owner
from pgemu.commands.publisher import connect_publisher, connection_error, parse_conninfo
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    CONNECTION_FAILURE,
    DUPLICATE_OBJECT,
    FEATURE_NOT_SUPPORTED,
    INSUFFICIENT_PRIVILEGE,
    INVALID_NAME,
    INVALID_OBJECT_DEFINITION,
    INVALID_PARAMETER_VALUE,
    NAME_TOO_LONG,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    SYNTAX_ERROR,
    UNDEFINED_OBJECT,
    PgError,
)
from pgemu.executor.replication_origin import create_origin, drop_origin, origin_lsn

PG_LSNOID = 3220
_FLAGS = ("connect", "enabled", "create_slot", "copy_data", "refresh")
_COLUMNS = {"binary": "subbinary", "streaming": "substream", "disable_on_error": "subdisableonerr"}
_CREATE_OPTIONS = (
    "connect", "enabled", "create_slot", "slot_name", "copy_data", "synchronous_commit",
    "binary", "streaming", "two_phase", "disable_on_error",
)  # fmt: skip
_SET_OPTIONS = ("slot_name", "synchronous_commit", "binary", "streaming", "disable_on_error")


@dataclass(slots=True)
class _Options:
    """SubOpts: values, and which of them were given."""

    given: set[str] = field(default_factory=set)
    flags: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(_FLAGS, True))
    columns: dict[str, Any] = field(default_factory=dict)
    slot_name: str | None = None
    two_phase: bool = False
    lsn: int = 0


def _parse_options(session: Any, nodes: Any, supported: tuple[str, ...]) -> _Options:
    """parse_subscription_options."""
    opts = _Options()
    for option in elements(nodes):
        name = option["defname"]
        if name not in supported:
            raise PgError(SYNTAX_ERROR, f'unrecognized subscription parameter: "{name}"')
        if name in opts.given:
            raise error_conflicting_def_elem(option)
        opts.given.add(name)
        if name in _FLAGS:
            opts.flags[name] = def_get_boolean(option)
        elif name in _COLUMNS:
            opts.columns[_COLUMNS[name]] = def_get_boolean(option)
        elif name == "two_phase":
            opts.two_phase = def_get_boolean(option)
        elif name == "slot_name":
            text = def_get_string(option)
            opts.slot_name = None if text == "none" else text
            if opts.slot_name is not None:
                validate_slot_name(opts.slot_name)
        elif name == "synchronous_commit":
            text = def_get_string(option)
            session.guc.validate("synchronous_commit", text)
            opts.columns["subsynccommit"] = text
        else:
            opts.lsn = _skip_lsn(session, def_get_string(option))
    if "connect" in supported and not opts.flags["connect"]:
        for name in ("enabled", "create_slot", "copy_data"):
            if name in opts.given and opts.flags[name]:
                _exclusive("connect = false", f"{name} = true")
            opts.flags[name] = False
    if "slot_name" in opts.given and opts.slot_name is None:
        for name in ("enabled", "create_slot"):
            if name not in supported or not opts.flags[name]:
                continue
            if name in opts.given:
                _exclusive("slot_name = NONE", f"{name} = true")
            raise PgError(
                SYNTAX_ERROR, f"subscription with slot_name = NONE must also set {name} = false"
            )
    return opts


def _exclusive(one: str, other: str) -> NoReturn:
    raise PgError(SYNTAX_ERROR, f"{one} and {other} are mutually exclusive options")


def _skip_lsn(session: Any, text: str) -> int:
    if text == "none":
        return 0
    lsn: int = session.catalog.types.io(PG_LSNOID).input(text, -1, session.ctx)
    if not lsn:
        raise PgError(INVALID_PARAMETER_VALUE, f"invalid WAL location (LSN): {text}")
    return lsn


def validate_slot_name(name: str) -> None:
    """ReplicationSlotValidateName."""
    if not name:
        raise PgError(INVALID_NAME, f'replication slot name "{name}" is too short')
    if len(name.encode()) >= 64:
        raise PgError(NAME_TOO_LONG, f'replication slot name "{name}" is too long')
    if re.fullmatch("[a-z0-9_]+", name) is None:
        raise PgError(
            INVALID_NAME,
            f'replication slot name "{name}" contains invalid character',
            hint="Replication slot names may only contain lower case letters, numbers, and the "
            "underscore character.",
        )


def _unique_names(nodes: Any) -> list[str]:
    """check_duplicates_in_publist."""
    names = strings(nodes)
    for number, name in enumerate(names):
        if name in names[:number]:
            raise PgError(DUPLICATE_OBJECT, f'publication name "{name}" used more than once')
    return names


def create_subscription(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE SUBSCRIPTION."""
    catalog = session.catalog
    name, conninfo = stmt["subname"], stmt.get("conninfo", "")
    opts = _parse_options(session, stmt.get("options"), _CREATE_OPTIONS)
    if opts.flags["create_slot"]:
        _not_in_transaction(session, st, "CREATE SUBSCRIPTION ... WITH (create_slot = true)")
    if not superuser(catalog):
        raise PgError(INSUFFICIENT_PRIVILEGE, "must be superuser to create subscriptions")
    database = session.ctx.database_oid
    if catalog.one(PgSubscription, subname=name, subdbid=database) is not None:
        raise PgError(DUPLICATE_OBJECT, f'subscription "{name}" already exists')
    if "slot_name" not in opts.given:
        opts.slot_name = name
    parse_conninfo(conninfo)
    publications = _unique_names(stmt["publication"])
    if opts.flags["connect"]:
        connect_publisher(session, conninfo)
    oid = catalog.new_oid()
    owner = session.ctx.current_user_oid
    columns: dict[str, Any] = {
        "subskiplsn": 0,
        "subbinary": False, "substream": False, "subdisableonerr": False, "subsynccommit": "off",
        **opts.columns,
    }  # fmt: skip
    row = PgSubscription(
        oid=oid, subdbid=database, subname=name, subowner=owner,
        subenabled=opts.flags["enabled"], subtwophasestate="p" if opts.two_phase else "d",
        subconninfo=conninfo, subslotname=opts.slot_name, subpublications=tuple(publications),
        **columns,
    )  # fmt: skip
    insert_rows(catalog, [row])
    record_dependency_on_owner(catalog, PgSubscription.RELID, oid, owner)
    create_origin(catalog, f"pg_{oid}")
    session.notice(
        "WARNING",
        "01000",
        "tables were not subscribed, you will have to run ALTER SUBSCRIPTION ... REFRESH "
        "PUBLICATION to subscribe the tables",
    )
    return CommandResult("CREATE SUBSCRIPTION")


def _not_in_transaction(session: Any, st: Statement, what: str) -> None:
    session.xact.prevent_in_transaction_block(what, st.top_level)


def alter_subscription(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER SUBSCRIPTION, except OWNER TO and RENAME TO."""
    catalog = session.catalog
    name = stmt["subname"]
    row = catalog.one(PgSubscription, subname=name, subdbid=session.ctx.database_oid)
    if row is None:
        raise PgError(UNDEFINED_OBJECT, f'subscription "{name}" does not exist')
    check_object_owner(session, "subscription", name, row.subowner)
    changes = _ACTIONS[stmt["kind"].removeprefix("ALTER_SUBSCRIPTION_")](session, row, stmt, st)
    if changes:
        catalog.update(PgSubscription, {"oid": row.oid}, **changes)
    return CommandResult("ALTER SUBSCRIPTION")


def _alter_options(session: Any, row: PgSubscription, stmt: Any, st: Statement) -> dict[str, Any]:
    opts = _parse_options(session, stmt.get("options"), _SET_OPTIONS)
    changes = dict(opts.columns)
    if "slot_name" in opts.given:
        if row.subenabled and opts.slot_name is None:
            raise PgError(
                OBJECT_NOT_IN_PREREQUISITE_STATE,
                "cannot set slot_name = NONE for enabled subscription",
            )
        changes["subslotname"] = opts.slot_name
    return changes


def _alter_enabled(session: Any, row: PgSubscription, stmt: Any, st: Statement) -> dict[str, Any]:
    opts = _parse_options(session, stmt.get("options"), ("enabled",))
    if row.subslotname is None and opts.flags["enabled"]:
        raise PgError(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "cannot enable subscription that does not have a slot name",
        )
    return {"subenabled": opts.flags["enabled"]}


def _alter_connection(
    session: Any, row: PgSubscription, stmt: Any, st: Statement
) -> dict[str, Any]:
    conninfo = stmt.get("conninfo", "")
    parse_conninfo(conninfo)
    return {"subconninfo": conninfo}


def _alter_publications(
    session: Any, row: PgSubscription, stmt: Any, st: Statement
) -> dict[str, Any]:
    """SET, ADD and DROP PUBLICATION."""
    verb = stmt["kind"].removeprefix("ALTER_SUBSCRIPTION_").removesuffix("_PUBLICATION")
    supported = ("refresh",) if verb == "DROP" else ("copy_data", "refresh")
    opts = _parse_options(session, stmt.get("options"), supported)
    names = _unique_names(stmt["publication"])
    publications = names if verb == "SET" else _merged(row, names, verb == "ADD")
    if opts.flags["refresh"]:
        if not row.subenabled:
            instead = "" if verb == "SET" else " instead"
            raise PgError(
                OBJECT_NOT_IN_PREREQUISITE_STATE,
                "ALTER SUBSCRIPTION with refresh is not allowed for disabled subscriptions",
                hint=f"Use ALTER SUBSCRIPTION ... {verb} PUBLICATION ... WITH (refresh = false)"
                f"{instead}.",
            )
        _not_in_transaction(session, st, "ALTER SUBSCRIPTION with refresh")
        connect_publisher(session, row.subconninfo)
    return {"subpublications": tuple(publications)}


def _merged(row: PgSubscription, names: list[str], add: bool) -> list[str]:
    """merge_publications."""
    result = list(row.subpublications)
    for name in names:
        if add and name in row.subpublications:
            raise PgError(
                DUPLICATE_OBJECT,
                f'publication "{name}" is already in subscription "{row.subname}"',
            )
        if not add and name not in row.subpublications:
            raise PgError(
                INVALID_OBJECT_DEFINITION,
                f'publication "{name}" is not in subscription "{row.subname}"',
            )
        if add:
            result.append(name)
        else:
            result.remove(name)
    if not result:
        raise PgError(
            INVALID_OBJECT_DEFINITION, "cannot drop all the publications from a subscription"
        )
    return result


def _alter_refresh(session: Any, row: PgSubscription, stmt: Any, st: Statement) -> dict[str, Any]:
    if not row.subenabled:
        raise PgError(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "ALTER SUBSCRIPTION ... REFRESH is not allowed for disabled subscriptions",
        )
    _parse_options(session, stmt.get("options"), ("copy_data",))
    _not_in_transaction(session, st, "ALTER SUBSCRIPTION ... REFRESH")
    connect_publisher(session, row.subconninfo)
    return {}


def _alter_skip(session: Any, row: PgSubscription, stmt: Any, st: Statement) -> dict[str, Any]:
    opts = _parse_options(session, stmt.get("options"), ("lsn",))
    if not superuser(session.catalog):
        raise PgError(INSUFFICIENT_PRIVILEGE, "must be superuser to skip transaction")
    remote = origin_lsn(session, f"pg_{row.oid}") if opts.lsn else None
    if remote and opts.lsn <= remote:
        show = session.catalog.types.io(PG_LSNOID).output
        raise PgError(
            INVALID_PARAMETER_VALUE,
            f"skip WAL location (LSN {show(opts.lsn, session.ctx)}) must be greater than origin "
            f"LSN {show(remote, session.ctx)}",
        )
    return {"subskiplsn": opts.lsn}


_ACTIONS = {
    "OPTIONS": _alter_options,
    "ENABLED": _alter_enabled,
    "CONNECTION": _alter_connection,
    "SET_PUBLICATION": _alter_publications,
    "ADD_PUBLICATION": _alter_publications,
    "DROP_PUBLICATION": _alter_publications,
    "REFRESH": _alter_refresh,
    "SKIP": _alter_skip,
}


def drop_subscription(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """DROP SUBSCRIPTION [IF EXISTS]; a subscription with a slot drops that at the publisher."""
    catalog = session.catalog
    name = stmt["subname"]
    row = catalog.one(PgSubscription, subname=name, subdbid=session.ctx.database_oid)
    if row is None:
        if not stmt.get("missing_ok"):
            raise PgError(UNDEFINED_OBJECT, f'subscription "{name}" does not exist')
        message = f'subscription "{name}" does not exist, skipping'
        session.notice("NOTICE", "00000", message)
        return CommandResult("DROP SUBSCRIPTION")
    check_object_owner(session, "subscription", name, row.subowner)
    if row.subslotname is not None:
        _not_in_transaction(session, st, "DROP SUBSCRIPTION")
        _drop_slot(session, row)
    state = session.event_trigger_state
    if state is not None:
        state.add_dropped(catalog, (PgSubscription.RELID, row.oid, 0), True, False)
    catalog.delete(PgSubscription, oid=row.oid)
    catalog.delete(PgSubscriptionRel, srsubid=row.oid)
    catalog.delete(PgDescription, classoid=PgSubscription.RELID, objoid=row.oid)
    delete_shared_dependency_records_for(catalog, PgSubscription.RELID, row.oid)
    if catalog.one(PgReplicationOrigin, roname=f"pg_{row.oid}") is not None:
        drop_origin(session, f"pg_{row.oid}")
    return CommandResult("DROP SUBSCRIPTION")


def _drop_slot(session: Any, row: PgSubscription) -> NoReturn:
    error = connection_error(session, row.subconninfo)
    if error is None:
        raise PgError(
            FEATURE_NOT_SUPPORTED, "dropping replication slots of publishers is not supported"
        )
    raise PgError(
        CONNECTION_FAILURE,
        "could not connect to publisher when attempting to drop replication slot "
        f'"{row.subslotname}": {error}',
        hint="Use ALTER SUBSCRIPTION ... DISABLE to disable the subscription, and then use "
        "ALTER SUBSCRIPTION ... SET (slot_name = NONE) to disassociate it from the slot.",
    )


def check_new_owner(session: Any, name: str, new_owner: int) -> None:
    """AlterSubscriptionOwner_internal: only superusers own subscriptions."""
    if not superuser_arg(session.catalog, new_owner):
        raise PgError(
            INSUFFICIENT_PRIVILEGE,
            f'permission denied to change owner of subscription "{name}"',
            hint="The owner of a subscription must be a superuser.",
        )
