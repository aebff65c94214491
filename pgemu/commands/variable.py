"""SET, SHOW, RESET, SET ROLE, SET SESSION AUTHORIZATION, SET TRANSACTION's settings and DISCARD
(PostgreSQL's guc_funcs.c, variable.c and discard.c)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.acl import ACL_SET, pg_parameter_aclcheck
from pgemu.catalog.rows import PgAuthid
from pgemu.commands.define import const_value, quote_identifier
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    INSUFFICIENT_PRIVILEGE,
    INVALID_PARAMETER_VALUE,
    NO_ACTIVE_SQL_TRANSACTION,
    SYNTAX_ERROR,
    PgError,
)
from pgemu.fmgr import functions
from pgemu.transam.snapshots import import_snapshot
from pgemu.transam.xact import IMPLICIT

TEXTOID = 25
# settings whose value is a list of names, each quoted when needed (GUC_LIST_QUOTE)
_LIST_QUOTE = frozenset(
    ("search_path", "temp_tablespaces", "session_preload_libraries", "shared_preload_libraries",
     "local_preload_libraries", "unix_socket_directories")
)  # fmt: skip
# settings that take a list without quoting (GUC_LIST_INPUT)
_LIST_INPUT = _LIST_QUOTE | frozenset(
    ("datestyle", "listen_addresses", "log_destination", "wal_consistency_checking",
     "synchronous_standby_names", "debug_io_direct")
)  # fmt: skip


def flatten_set_variable_args(name: str, args: list[dict[str, Any]]) -> str | None:
    """flatten_set_variable_args: the text of `SET name TO a, 'b', 3`; None for DEFAULT."""
    if not args:
        return None
    lowered = name.lower()
    if len(args) > 1 and lowered not in _LIST_INPUT:
        raise PgError(INVALID_PARAMETER_VALUE, f"SET {name} takes only one argument")
    parts = []
    for arg in args:
        kind, inner = next(iter(arg.items()))
        if kind == "TypeCast":
            # SET TIME ZONE INTERVAL '...'
            parts.append(_interval_text(inner))
            continue
        if kind != "A_Const":
            raise PgError(SYNTAX_ERROR, f"unrecognized node type: {kind}")
        value = const_value(inner)
        if isinstance(value, bool):
            parts.append("true" if value else "false")
        elif isinstance(value, str) and "sval" in inner and lowered in _LIST_QUOTE:
            parts.append(quote_identifier(value))
        else:
            parts.append(str(value))
    return ", ".join(parts)


def _interval_text(cast: dict[str, Any]) -> str:
    value = const_value(cast["arg"]["A_Const"])
    return f"INTERVAL '{value}'"


def variable_set(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """SET and RESET in all their forms (ExecSetVariableStmt)."""
    kind = stmt["kind"]
    name = stmt.get("name", "")
    local = bool(stmt.get("is_local"))
    if local and st.top_level and not in_transaction_block(session):
        session.notice(
            "WARNING",
            NO_ACTIVE_SQL_TRANSACTION,
            "SET LOCAL can only be used in transaction blocks",
        )
    elif not st.top_level and not session.guc.depth:
        session.guc.push()  # in a function: until the end of the statement's transaction
    if kind in ("VAR_SET_VALUE", "VAR_SET_CURRENT", "VAR_SET_DEFAULT", "VAR_RESET"):
        if kind == "VAR_SET_VALUE":
            value = flatten_set_variable_args(name, stmt.get("args", []))
        elif kind == "VAR_SET_CURRENT":
            value = session.guc.get(name)
        else:
            value = None
        set_variable(session, name, value, local=local)
    elif kind == "VAR_RESET_ALL":
        session.guc.reset_all()
    elif kind == "VAR_SET_MULTI":
        _set_multi(session, name, stmt, local, st.top_level)
    else:
        raise PgError(FEATURE_NOT_SUPPORTED, f"{kind} is not supported")
    return CommandResult("RESET" if kind in ("VAR_RESET", "VAR_RESET_ALL") else "SET")


def set_variable(session: Any, name: str, value: str | None, *, local: bool = False) -> None:
    """set_config_option for the client; roles have their own checks."""

    lowered = name.lower()
    if lowered == "role":
        set_role(session, value, local=local)
        return
    if lowered == "session_authorization":
        set_session_authorization(session, value, local=local)
        return
    if lowered in ("transaction_isolation", "transaction_read_only", "transaction_deferrable"):
        local = True  # they belong to the transaction; the settings' hooks tell it
    allowed = pg_parameter_aclcheck(session.catalog, name, ACL_SET)
    session.guc.set(name, value, local=local, superuser=allowed)


def _set_multi(session: Any, name: str, stmt: dict[str, Any], local: bool, top_level: bool) -> None:
    if name == "TRANSACTION":
        command = "SET TRANSACTION" if top_level else None
        _set_characteristics(session, stmt, "transaction_", command)
    elif name == "SESSION CHARACTERISTICS":
        _set_characteristics(session, stmt, "default_transaction_", None)
    elif name == "TRANSACTION SNAPSHOT":
        _set_snapshot(session, stmt)
    else:
        raise PgError(SYNTAX_ERROR, f"unexpected SET MULTI element: {name}")


def in_transaction_block(session: Any) -> bool:
    """What WarnNoTransactionBlock takes for one: BEGIN, or several statements in one string."""
    xact = session.xact
    return bool(xact.in_block or (xact.state == IMPLICIT and xact.several))


def _set_snapshot(session: Any, stmt: dict[str, Any]) -> None:
    if not in_transaction_block(session):
        session.notice(
            "WARNING",
            NO_ACTIVE_SQL_TRANSACTION,
            "SET TRANSACTION can only be used in transaction blocks",
        )
    import_snapshot(session.xact, str(const_value(stmt["args"][0]["A_Const"])))


def _set_characteristics(
    session: Any, stmt: dict[str, Any], prefix: str, block_command: str | None
) -> None:
    if block_command and not in_transaction_block(session):
        session.notice(
            "WARNING",
            NO_ACTIVE_SQL_TRANSACTION,
            f"{block_command} can only be used in transaction blocks",
        )
    for node in stmt.get("args", ()):
        option = node["DefElem"]
        value = const_value(option["arg"]["A_Const"])
        name = option["defname"].removeprefix("transaction_")
        text = ("on" if value else "off") if name != "isolation" else str(value)
        set_variable(session, prefix + name, text, local=False)


def _without_effect(session: Any, local: bool) -> bool:
    """SET LOCAL outside a transaction block is over when the statement is."""
    return local and not session.guc.depth


def set_role(session: Any, value: str | None, *, local: bool = False) -> None:
    """SET ROLE: one must be a member (check_role)."""
    from pgemu.catalog.roles import is_member_of_role

    catalog, ctx = session.catalog, session.ctx
    if value is None:
        value = session.guc.reset_value("role")
    if value == "none":
        if _without_effect(session, local):
            return
        session.guc.set("role", "none", local=local)
        session.set_current_user(ctx.session_user_oid)
        _report_superuser(session, local)
        return
    row = catalog.one(PgAuthid, rolname=value)
    if row is None:
        raise PgError(INVALID_PARAMETER_VALUE, f'role "{value}" does not exist')
    if not is_member_of_role(catalog, ctx.session_user_oid, row.oid):
        raise PgError(INSUFFICIENT_PRIVILEGE, f'permission denied to set role "{value}"')
    if _without_effect(session, local):
        return
    session.guc.set("role", value, local=local)
    session.set_current_user(row.oid)
    _report_superuser(session, local)


def set_session_authorization(session: Any, value: str | None, *, local: bool = False) -> None:
    """SET SESSION AUTHORIZATION (check_session_authorization)."""
    from pgemu.catalog.roles import superuser_arg

    catalog = session.catalog
    authenticated = getattr(session, "authenticated_user_oid", session.ctx.session_user_oid)
    if value is None:
        row = catalog.one(PgAuthid, oid=authenticated)
    else:
        row = catalog.one(PgAuthid, rolname=value)
    if row is None:
        raise PgError(INVALID_PARAMETER_VALUE, f'role "{value}" does not exist')
    if row.oid != authenticated and not superuser_arg(catalog, authenticated):
        message = f'permission denied to set session authorization "{row.rolname}"'
        raise PgError(INSUFFICIENT_PRIVILEGE, message)
    if _without_effect(session, local):
        return
    session.guc.set("session_authorization", row.rolname, local=local)
    if session.guc.get("role") != "none":
        session.guc.set("role", "none", local=local)
    session.set_session_user(row.oid)
    _report_superuser(session, local)


def _report_superuser(session: Any, local: bool) -> None:
    """is_superuser is of the current user; the client is told."""
    from pgemu.catalog.roles import superuser

    shown = "on" if superuser(session.catalog) else "off"
    if session.guc.get("is_superuser") != shown:
        session.guc.set("is_superuser", shown, local=local, source="override")


def variable_show(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """SHOW name and SHOW ALL."""
    privileged = session.reads_all_settings()
    name = stmt["name"]
    if name == "all":
        columns = [("name", TEXTOID, -1), ("setting", TEXTOID, -1), ("description", TEXTOID, -1)]
        rows = session.guc.show_all(privileged=privileged)
        return CommandResult("SHOW", columns, rows)
    canonical = session.guc.find(name)[1].name
    return CommandResult(
        "SHOW", [(canonical, TEXTOID, -1)], [(session.guc.get(name, privileged=privileged),)]
    )


def show_columns(name: str) -> list[tuple[str, int, int]]:
    """Result columns of SHOW, for Describe before execution."""
    if name == "all":
        return [("name", TEXTOID, -1), ("setting", TEXTOID, -1), ("description", TEXTOID, -1)]
    return [(name, TEXTOID, -1)]


def discard(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """DISCARD ALL, PLANS, SEQUENCES, TEMP."""
    target = stmt["target"]
    if target == "DISCARD_ALL":
        session.xact.prevent_in_transaction_block("DISCARD ALL", st.top_level)
        session.discard_portals()
        set_session_authorization(session, None)
        session.guc.reset_all()
        session.prepared_statements.clear()
        session.notify_queue.unlisten("")
        functions["pg_advisory_unlock_all()"].body(session.ctx)
    # plans that are kept are made anew when they have to be: DISCARD PLANS changes no answer
    if target in ("DISCARD_ALL", "DISCARD_TEMP"):
        from pgemu.commands.on_commit import reset_temp_table_namespace

        reset_temp_table_namespace(session)
    if target in ("DISCARD_ALL", "DISCARD_SEQUENCES"):
        session.sequences.discard_cached()
        session.sequence_state.clear()
    return CommandResult("DISCARD " + target.removeprefix("DISCARD_"))
