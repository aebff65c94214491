"""Checks of settings that name catalog objects: default_tablespace, temp_tablespaces,
default_table_access_method (the check hooks of PostgreSQL's tablespace.c and tableamapi.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pgemu.catalog.rows import PgAm, PgTablespace
from pgemu.errors import OBJECT_NOT_IN_PREREQUISITE_STATE, UNDEFINED_OBJECT, PgError
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
    }
