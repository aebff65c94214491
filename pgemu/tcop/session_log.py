"""A session in the server's log: its beginning, its end, and what log_line_prefix tells of it.

Counterpart: the log_connections and log_disconnections parts of PostgreSQL's postinit.c and
postgres.c.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from pgemu.libpq.elog import ServerLog
from pgemu.tcop.statement_log import SETTINGS, StatementLog, wanted
from pgemu.transam import xact

if TYPE_CHECKING:
    from pgemu.tcop.postgres import Backend

_IN_BLOCK = {xact.BLOCK: "idle in transaction", xact.FAILED: "idle in transaction (aborted)"}
_TWO_WORDS = frozenset(("ALTER", "CREATE", "DROP", "REFRESH", "REINDEX", "SECURITY", "LOCK"))


def start_log(
    backend: Backend, peer: tuple[str, int] | None, params: Any, early: ServerLog | None
) -> None:
    """Give the backend its log, and replace its handlers if the settings ask for it.  early: what
    has written of this connection before."""
    values = backend.session.guc.values
    log = backend.log = ServerLog(values, peer)
    if early is not None:
        log.follows(early)
    log.facts = {"u": params.user, "d": params.database, "i": "authentication"}.get
    if values["log_connections"]:
        name = str(values["application_name"])
        log.write(
            "LOG",
            f"connection authorized: user={params.user} database={params.database}"
            + (f" application_name={name}" if name else "")
            + _tls(backend),
        )
    log.facts = partial(_fact, backend, params)
    statements = StatementLog(backend, log)
    for name in SETTINGS:
        backend.session.guc.assign_hooks[name] = statements.follow
    if wanted(values):
        statements.follow()


def _tls(backend: Backend) -> str:
    facts = backend.connection.tls_facts()
    if facts is None:
        return ""
    return " SSL enabled (protocol={}, cipher={}, bits={})".format(*facts)


def log_disconnection(backend: Backend) -> None:
    log = backend.log
    if log is None:
        return
    milliseconds = int((time.time() - log.started) * 1000)
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    ctx = backend.session.ctx
    host = f"host={log.remote[0]} port={log.remote[1]}" if log.remote else "host=[local]"
    backend.statement_text = ""
    log.write(
        "LOG",
        f"disconnection: session time: {hours}:{minutes:02d}:{seconds:02d}.{milliseconds:03d}"
        f" user={ctx.session_user} database={ctx.database} {host}",
    )


def _fact(backend: Backend, params: Any, letter: str) -> str | None:
    session = backend.session
    match letter:
        case "u":
            return str(params.user)
        case "d":
            return str(session.ctx.database)
        case "a":
            return str(session.guc.values["application_name"])
        case "x":
            return str(session.xact.xid or 0)
        case "v":
            return f"{session.slot.number + 2}/0"
        case "i":
            return _activity(backend)
    return None


def _activity(backend: Backend) -> str:
    words = backend.statement_text.upper().split(None, 2)
    if not words:
        return _IN_BLOCK.get(backend.session.xact.state, "idle")
    return " ".join(words[:2]) if words[0] in _TWO_WORDS else words[0].rstrip(";")
