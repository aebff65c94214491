"""What goes to the server's log: which messages, and PostgreSQL's lines for them.

Counterpart: send_message_to_server_log, log_line_prefix and is_log_level_output of PostgreSQL's
elog.c.  Settings are read when something is to be said; nothing is kept of them before.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from pgemu.errors import Notice, PgError
from pgemu.guc.timezone import zone_info

_LEVELS = (
    "DEBUG5", "DEBUG4", "DEBUG3", "DEBUG2", "DEBUG1", "INFO", "NOTICE", "WARNING", "ERROR",
    "FATAL", "PANIC",
)  # fmt: skip
_RANK = {name: rank for rank, name in enumerate(_LEVELS)}
_RANK["DEBUG"] = _RANK["DEBUG2"]
_ERROR = _RANK["ERROR"]
_FATAL = _RANK["FATAL"]
_ESCAPE = re.compile(r"%(-?[0-9]*)(.)", re.DOTALL)
DEFAULT_PREFIX = "%m [%p] "
_ON = frozenset(("on", "true", "yes", "1", "t", "y"))


def is_on(text: str) -> bool:
    return text.lower() in _ON


def is_logged(severity: str, threshold: str) -> bool:
    """is_log_level_output: LOG is worth as much as an error to the log."""
    if severity == "LOG":
        return threshold == "log" or _RANK[threshold.upper()] <= _ERROR
    if threshold == "log":
        return _RANK[severity] >= _FATAL
    return _RANK[severity] >= _RANK[threshold.upper()]


class ServerLog:
    """Of one connection, or of a process without one.  facts: the text of an escape letter, once
    there is a session."""

    def __init__(
        self,
        values: Mapping[str, Any],
        remote: tuple[str, int] | None = None,
        *,
        connected: bool = True,
    ) -> None:
        self.connected = connected
        self.values = values
        self.remote = remote
        self.started = time.time()
        self.activity = ""
        self.facts: Callable[[str], str | None] | None = None
        self._lines = 0

    def follows(self, other: ServerLog) -> None:
        """What has been said of the connection already counts."""
        self.started, self._lines = other.started, other._lines

    def report(self, report: PgError | Notice, position: int | None, statement: str) -> None:
        """An error or a message, if log_min_messages lets it through."""
        values = self.values
        if not is_logged(report.severity, str(values["log_min_messages"])):
            return
        message = report.message or "missing error text"
        if position:
            message += f" at character {position}"
        elif isinstance(report, PgError) and report.internal_position:
            message += f" at character {report.internal_position}"
        lines: list[tuple[str, str | None]] = []
        if values["log_error_verbosity"] != "terse":
            query = report.internal_query if isinstance(report, PgError) else None
            detail = getattr(report, "detail_log", None) or report.detail
            lines += [("DETAIL", detail), ("HINT", report.hint), ("QUERY", query)]
            lines.append(("CONTEXT", report.where))
        if statement and is_logged(report.severity, str(values["log_min_error_statement"])):
            lines.append(("STATEMENT", statement))
        self.write(report.severity, message, lines, report.sqlstate)

    def write(
        self,
        severity: str,
        message: str,
        lines: list[tuple[str, str | None]] | None = None,
        sqlstate: str = "00000",
    ) -> None:
        """The message, and those of the lines below it that are there."""
        if self.values["log_error_verbosity"] == "verbose":
            message = f"{sqlstate}: {message}"
        shown = [(severity.rstrip("12345"), message), *(lines or ())]
        prefix = str(self.values["log_line_prefix"])
        same = self._plain_prefix() if prefix == DEFAULT_PREFIX else None
        text = ""
        for label, body in shown:
            if body is not None:
                body = body.replace("\n", "\n\t") if "\n" in body else body
                self._lines += 1
                text += f"{same or self._prefix(prefix, sqlstate)}{label}:  {body}\n"
        write_stderr(text)

    def _plain_prefix(self) -> str:
        stamp = log_time(str(self.values["log_timezone"]), milliseconds=True)
        return f"{stamp} [{os.getpid()}] "

    def _prefix(self, text: str, sqlstate: str) -> str:
        if not self.connected:
            text = text.partition("%q")[0]
        return _ESCAPE.sub(lambda found: self._escape(found, sqlstate), text)

    def _escape(self, found: re.Match[str], sqlstate: str) -> str:
        width, letter = found.groups()
        if letter == "%":
            return "%"
        text = self._fact(letter, sqlstate)
        if width in ("", "-"):
            return text
        return text.ljust(-int(width)) if width[0] == "-" else text.rjust(int(width))

    def _fact(self, letter: str, sqlstate: str) -> str:
        if letter in "adhiruv" and not self.connected:
            return ""
        known = None if self.facts is None else self.facts(letter)
        if known is not None:
            return known
        match letter:
            case "m" | "t":
                return log_time(str(self.values["log_timezone"]), milliseconds=letter == "m")
            case "n":
                return f"{time.time():.3f}"
            case "s":
                return log_time(str(self.values["log_timezone"]), self.started)
            case "p":
                return str(os.getpid())
            case "l":
                return str(self._lines)
            case "e":
                return sqlstate
            case "c":
                return f"{int(self.started):x}.{os.getpid():x}"
            case "h":
                return self.remote[0] if self.remote else "[local]"
            case "r":
                return f"{self.remote[0]}({self.remote[1]})" if self.remote else "[local]"
            case "i":
                return self.activity
            case "a" | "u" | "d":
                return "[unknown]"
            case "b":
                return "client backend" if self.connected else "postmaster"
            case "x" | "Q":
                return "0"
        return ""


def log_time(zone: str, at: float | None = None, *, milliseconds: bool = False) -> str:
    """As %m, %t and %s show it."""
    now = time.time() if at is None else at
    if zone in ("Etc/UTC", "UTC", "GMT"):
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now))
        name = "GMT" if zone == "GMT" else "UTC"
    else:
        there = datetime.fromtimestamp(now, _zone(zone))
        stamp, name = there.strftime("%Y-%m-%d %H:%M:%S"), there.strftime("%Z")
    return f"{stamp}.{int(now * 1000) % 1000:03d} {name}" if milliseconds else f"{stamp} {name}"


@cache
def _zone(name: str) -> Any:
    return zone_info(name)


def write_stderr(text: str) -> None:
    """One write, so that the lines of a message stay together."""
    try:
        os.write(2, text.encode("utf-8", "replace"))
    except OSError:
        return  # nobody reads it any more
