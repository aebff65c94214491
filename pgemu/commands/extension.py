"""CREATE EXTENSION and its kin (PostgreSQL's extension.c): plpgsql is there, nothing else is
installed, and the answers are those of a server where the files are missing."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.rows import PgExtension
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    DUPLICATE_OBJECT,
    FEATURE_NOT_SUPPORTED,
    UNDEFINED_FILE,
    UNDEFINED_OBJECT,
    PgError,
)

SHARE_FOLDER = "/usr/share/postgresql/15"


def create_extension(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE EXTENSION."""
    name = stmt["extname"]
    if session.catalog.one(PgExtension, extname=name) is not None:
        if stmt.get("if_not_exists"):
            session.notice(
                "NOTICE", DUPLICATE_OBJECT, f'extension "{name}" already exists, skipping'
            )
            return CommandResult("CREATE EXTENSION")
        raise PgError(DUPLICATE_OBJECT, f'extension "{name}" already exists')
    raise PgError(
        FEATURE_NOT_SUPPORTED,
        f'extension "{name}" is not available',
        detail=f"Could not open extension control file "
        f'"{SHARE_FOLDER}/extension/{name}.control": No such file or directory.',
        hint="The extension must first be installed on the system where PostgreSQL is running.",
    )


def _existing(session: Any, name: str) -> PgExtension:
    row: PgExtension | None = session.catalog.one(PgExtension, extname=name)
    if row is None:
        raise PgError(UNDEFINED_OBJECT, f'extension "{name}" does not exist')
    return row


def alter_extension(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER EXTENSION UPDATE."""
    row = _existing(session, stmt["extname"])
    session.notice(
        "NOTICE",
        "00000",
        f'version "{row.extversion}" of extension "{row.extname}" is already installed',
    )
    return CommandResult("ALTER EXTENSION")


def alter_extension_contents(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """ALTER EXTENSION ADD / DROP object."""
    _existing(session, stmt["extname"])
    raise PgError(FEATURE_NOT_SUPPORTED, "ALTER EXTENSION ADD and DROP are not supported")


def create_language(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE LANGUAGE with handlers."""
    raise PgError(FEATURE_NOT_SUPPORTED, "CREATE LANGUAGE is not supported")


def load(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """LOAD of a shared library: none can be loaded, plpgsql is built in."""
    name = stmt["filename"]
    if name.removeprefix("$libdir/") == "plpgsql":
        return CommandResult("LOAD")
    raise PgError(UNDEFINED_FILE, f'could not access file "{name}": No such file or directory')
