"""Checks of settings that name catalog objects: default_tablespace, temp_tablespaces,
default_table_access_method (the check hooks of PostgreSQL's tablespace.c and tableamapi.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pgemu.catalog.roles import is_member_of_role, superuser_arg
from pgemu.catalog.rows import PgAm, PgAuthid, PgTablespace
from pgemu.errors import (
    INSUFFICIENT_PRIVILEGE,
    INVALID_PARAMETER_VALUE,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    SUCCESSFUL_COMPLETION,
    UNDEFINED_OBJECT,
    PgError,
)
from pgemu.guc.lists import split_identifier_string
from pgemu.guc.parse import invalid_value


def catalog_checks(session: Any) -> dict[str, Callable[[str], str]]:
    """Check hooks by setting.  Settings that come from files or the start-up packet are not
    checked: no transaction is there to look into the catalogs."""
    guc = session.guc

    def applies() -> bool:
        return guc.check_source in ("session", "test")

    def missing(name: str, value: str, detail: str, notice: str) -> None:
        if guc.check_source == "test":
            session.notice("NOTICE", UNDEFINED_OBJECT, notice)
            return
        raise invalid_value(name, f'"{value}"', detail=detail)

    def default_tablespace(value: str) -> str:
        if value and applies() and session.catalog.one(PgTablespace, spcname=value) is None:
            words = f'ablespace "{value}" does not exist'
            missing("default_tablespace", value, f"T{words}.", f"t{words}")
        return value

    def temp_tablespaces(value: str) -> str:
        names = split_identifier_string(value)
        if names is None:
            raise invalid_value("temp_tablespaces", f'"{value}"', detail="List syntax is invalid.")
        for name in names if applies() else ():
            if name and session.catalog.one(PgTablespace, spcname=name) is None:
                message = f'tablespace "{name}" does not exist'
                if guc.check_source != "test":
                    raise PgError(UNDEFINED_OBJECT, message)
                session.notice("NOTICE", UNDEFINED_OBJECT, message)
        return value

    def default_table_access_method(value: str) -> str:
        setting = "default_table_access_method"
        if not value:
            raise invalid_value(setting, '""', detail=f"{setting} cannot be empty.")
        if not applies():
            return value
        row = session.catalog.one(PgAm, amname=value)
        if row is None:
            words = f'able access method "{value}" does not exist'
            missing(setting, value, f"T{words}.", f"t{words}")
        elif row.amtype != "t":
            raise PgError(
                OBJECT_NOT_IN_PREREQUISITE_STATE, f'access method "{value}" is not of type TABLE'
            )
        return value

    return {
        "default_tablespace": default_tablespace,
        "temp_tablespaces": temp_tablespaces,
        "default_table_access_method": default_table_access_method,
        "role": lambda value: _check_role(session, value),
        "session_authorization": lambda value: _check_session_authorization(session, value),
    }


def _check_role(session: Any, value: str) -> str:
    """check_role: one must be a member, whoever stored the setting."""
    if value == "none" or session.guc.check_source == "override":
        return value
    row = session.catalog.one(PgAuthid, rolname=value)
    if row is None:
        _refuse(session, INVALID_PARAMETER_VALUE, f'role "{value}" does not exist')
    elif not is_member_of_role(session.catalog, session.ctx.session_user_oid, row.oid):
        _refuse(session, INSUFFICIENT_PRIVILEGE, f'permission denied to set role "{value}"')
    return value


def _check_session_authorization(session: Any, value: str) -> str:
    """check_session_authorization: who has logged in as a superuser may be anybody."""
    if session.guc.check_source == "override":
        return value
    authenticated = getattr(session, "authenticated_user_oid", session.ctx.session_user_oid)
    row = session.catalog.one(PgAuthid, rolname=value)
    if row is None:
        _refuse(session, INVALID_PARAMETER_VALUE, f'role "{value}" does not exist')
    elif row.oid != authenticated and not superuser_arg(session.catalog, authenticated):
        message = f'permission denied to set session authorization "{value}"'
        _refuse(session, INSUFFICIENT_PRIVILEGE, message)
    return value


def _refuse(session: Any, sqlstate: str, message: str) -> None:
    """A setting that is only stored may be right when it is used."""
    if session.guc.check_source != "test":
        raise PgError(sqlstate, message)
    warned = message.replace("permission denied", "permission will be denied")
    session.notice("NOTICE", SUCCESSFUL_COMPLETION, warned)
