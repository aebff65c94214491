"""LISTEN, UNLISTEN, NOTIFY (PostgreSQL's async.c; the queue is pgemu.executor.notify)."""

from __future__ import annotations

from typing import Any

from pgemu.commands.result import CommandResult, Statement


def notify(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """NOTIFY channel [, payload]."""
    session.notify_queue.notify(stmt["conditionname"], stmt.get("payload"))
    return CommandResult("NOTIFY")


def listen(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """LISTEN channel."""
    session.notify_queue.listen(stmt["conditionname"])
    return CommandResult("LISTEN")


def unlisten(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """UNLISTEN channel, UNLISTEN *."""
    session.notify_queue.unlisten(stmt.get("conditionname", ""))
    return CommandResult("UNLISTEN")
