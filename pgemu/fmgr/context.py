"""What a function body or a type's I/O may ask of its session (PostgreSQL's globals).

Bodies declared with context=True get one of these as first argument.  The session implements it;
the default values here are those of a session without settings, for tests and for folding.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from pgemu.errors import Notice

PG_EPOCH_UNIX_US = 946_684_800_000_000  # 2000-01-01 00:00:00 UTC in Unix microseconds


class CallContext:
    """Session facts in the form that bodies want them; guc assign hooks keep them current.

    Times are microseconds since 2000-01-01 UTC.
    """

    def __init__(self) -> None:
        self.timezone: ZoneInfo | Any = ZoneInfo("UTC")
        self.timezone_name = "UTC"
        self.datestyle = "ISO"  # ISO | Postgres | SQL | German
        self.dateorder = "MDY"  # MDY | DMY | YMD
        self.intervalstyle = "postgres"
        self.bytea_output = "hex"
        self.extra_float_digits = 1
        self.standard_conforming_strings = True
        self.client_encoding = "UTF8"
        self.xact_start_us = self.clock_us()
        self.statement_start_us = self.xact_start_us
        self.database = ""
        self.database_oid = 0
        self.current_user = ""
        self.session_user = ""
        self.current_user_oid = 10
        self.session_user_oid = 10
        self.backend_pid = 0
        # Set by the session: the Catalog (pgemu.catalog), the settings (pgemu.guc), and the
        # session itself, for bodies that need them (regclass I/O, current_setting, nextval ...).
        self.catalog: Any = None
        self.guc: Any = None
        self.session: Any = None
        self.notice_sink: Callable[[Notice], None] | None = None

    def clock_us(self) -> int:
        """Now, in microseconds since 2000-01-01 UTC (clock_timestamp)."""
        return time.time_ns() // 1000 - PG_EPOCH_UNIX_US

    def notice(self, severity: str, sqlstate: str, message: str, **fields: Any) -> None:
        """Send a message below ERROR to the client (subject to client_min_messages)."""
        if self.notice_sink is not None:
            self.notice_sink(Notice(severity, sqlstate, message, **fields))
