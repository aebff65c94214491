"""DO (PostgreSQL's functioncmds.c, ExecuteDoStmt)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.acl import ACL_USAGE, pg_language_aclcheck
from pgemu.catalog.roles import superuser
from pgemu.catalog.rows import PgLanguage
from pgemu.commands.proclang import undefined_language
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    INSUFFICIENT_PRIVILEGE,
    SYNTAX_ERROR,
    PgError,
)
from pgemu.executor.waiting import retrying
from pgemu.transam.suspension import allow_suspension
from pgemu.transam.xact import IDLE, IMPLICIT


def execute_do(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """DO [LANGUAGE x] 'body'."""
    text: str | None = None
    language = "plpgsql"
    seen: set[str] = set()
    for item in stmt.get("args", ()):
        option = item["DefElem"]
        name = option["defname"]
        if name in seen:
            raise PgError(
                SYNTAX_ERROR,
                "conflicting or redundant options",
                location=option.get("location", -1),
            )
        seen.add(name)
        value = option["arg"]["String"].get("sval", "")
        if name == "as":
            text = value
        elif name == "language":
            language = value
    if text is None:
        raise PgError(SYNTAX_ERROR, "no inline code specified")
    row = session.catalog.one(PgLanguage, lanname=language)
    if row is None:
        raise undefined_language(language)
    allowed = (
        pg_language_aclcheck(session.catalog, row.oid, ACL_USAGE)
        if row.lanpltrusted
        else superuser(session.catalog)
    )
    if not allowed:
        raise PgError(INSUFFICIENT_PRIVILEGE, f"permission denied for language {row.lanname}")
    if not row.laninline:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            f'language "{row.lanname}" does not support inline code execution',
        )
    body = text

    def run() -> CommandResult:
        atomic = not may_end_transaction(session)
        start_settings(session)
        session.xact.queried = True
        if not session.xact.write_depth:
            session.ended_inside = False
        with session.xact.write():
            allow_suspension(session.xact)
            session.run_inline(body, atomic=atomic)
        return CommandResult("DO")

    return retrying(session, run)


def start_settings(session: Any) -> None:
    """SET LOCAL inside the statement lasts to the end of its transaction."""
    if session.xact.state == IDLE and not session.guc.depth:
        session.guc.push()


def may_end_transaction(session: Any) -> bool:
    """Nothing stands around this statement: a procedure may COMMIT."""
    if session.xact.write_depth:
        return not session.call_atomic
    xact = session.xact
    # a message of the extended protocol, or a statement of a serializable session, is by itself
    return bool(xact.state == IDLE or (xact.state == IMPLICIT and not xact.several))
