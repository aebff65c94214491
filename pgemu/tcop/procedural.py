"""What a BackendSession offers to procedural languages: their handlers, and its portals as their
cursors (PostgreSQL's SPI_cursor_open and its kin).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pgemu.catalog.rows import PgProc
from pgemu.errors import PgError
from pgemu.executor.current_of import CursorScan
from pgemu.planner.plan import OutputColumn
from pgemu.tcop.portalcmds import fetch_rows, find_cursor
from pgemu.tcop.prepared import Portal, PreparedStatement


class ProceduralMixin:
    """Mixed into BackendSession, whose attributes it uses."""

    portals: Any
    xact: Any
    ctx: Any
    # CALL and DO: may the code at hand not end the transaction?
    call_atomic: bool = True
    # transition tables that queries of a running trigger see, by name
    query_environment: dict[str, Any] | None = None
    pl_subxact_depth: int = 0
    pl_handler: Any = None
    # portals that were given a name of the form <unnamed portal n> (CreateNewPortal)
    unnamed_portals: int = 0

    def language_handler(self, proc: PgProc, info: Any) -> Callable[..., Any] | None:
        """The callable for a function in a procedural language; None: there is none."""
        from pgemu.pl import language_handler

        return language_handler(self, proc, info)

    def call_trigger_function(self, proc: PgProc, data: Any) -> Any:
        """Run a trigger function (pgemu.executor.triggers.TriggerData)."""
        from pgemu.pl import call_trigger

        return call_trigger(self, proc, data)

    def call_event_trigger_function(self, proc: PgProc, event: str, tag: str) -> None:
        """Run an event trigger function."""
        from pgemu.pl import call_event_trigger

        call_event_trigger(self, proc, event, tag)

    def fire_truncate_triggers(self, oids: Sequence[int], when: str) -> None:
        from pgemu.executor.triggers import fire_truncate_triggers

        fire_truncate_triggers(self, oids, when)

    def run_inline(self, text: str, *, atomic: bool) -> None:
        from pgemu.pl import run_inline

        run_inline(self, text, atomic=atomic)

    def load_plpgsql(self) -> None:
        from pgemu.pl import load_library

        load_library(self)

    def written_by(self, query: Any) -> str | None:
        from pgemu.commands.cmdtag import written_by

        return written_by(query)

    def validate_plpgsql(self, proc: PgProc) -> None:
        from pgemu.pl import validate_function

        validate_function(self, proc)

    # -- cursors ---------------------------------------------------------------------------------

    def cursor_exists(self, name: str) -> bool:
        return name in self.portals

    def cursor_open(
        self,
        name: str,
        columns: tuple[OutputColumn, ...] | None,
        rows: list[Any],
        text: str,
        scroll: bool | None,
        scan: CursorScan | None = None,
        late_error: PgError | None = None,
    ) -> None:
        statement = PreparedStatement(name, text, None, None, [], columns, 0, 0)
        self.portals[name] = Portal(
            name,
            statement,
            (),
            columns=columns,
            started=True,
            text=text,
            is_cursor=True,
            is_scrollable=scroll is not False,
            creation_time_us=self.ctx.statement_start_us,
            spool=rows,
            scan=scan,
            created_level=len(self.xact.savepoints),
            late_error=late_error,
        )

    def cursor_advance(self, name: str) -> None:
        """A FOR loop has gone on to the cursor's next row."""
        if name in self.portals:
            self.portals[name].position += 1

    def cursor_fetch(
        self, name: str, direction: str, count: int
    ) -> tuple[Sequence[OutputColumn] | None, list[Any]]:
        portal = find_cursor(self, name)
        portal.drain()
        return portal.columns, fetch_rows(portal, direction, count)

    def cursor_close(self, name: str) -> None:
        self.portals.pop(name, None)
