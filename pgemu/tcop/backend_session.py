"""BackendSession: a Session with what only a connection has: transaction blocks as the client
sees them, prepared statements, portals, the client's encoding and its reports.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pgemu.catalog.keywords import quote_identifier
from pgemu.catalog.rows import PgAuthid, PgNamespace, PgTsConfig
from pgemu.commands.setting_checks import catalog_checks
from pgemu.errors import INVALID_PARAMETER_VALUE, PgError
from pgemu.executor.committing import commit_retrying
from pgemu.executor.execute import Result
from pgemu.executor.session import Session
from pgemu.guc.encodings import python_codec
from pgemu.nodes.parsenodes import Query
from pgemu.tcop.plancache import PlanCache
from pgemu.tcop.prepared import Portal, PreparedStatement
from pgemu.tcop.procedural import ProceduralMixin
from pgemu.tcop.statements import StatementsMixin
from pgemu.tcop.xact_commands import characteristic_checks, default_characteristics
from pgemu.transam.xact import BLOCK, IDLE, IMPLICIT, Characteristics


class BackendSession(ProceduralMixin, StatementsMixin, Session):
    """client: the COPY channel of the connection (pgemu.tcop.copy_channel)."""

    # of a TCP connection, this end
    server_address: str | None = None
    # after a SIGHUP: applies the configuration files, between two statements
    reload: Callable[[], None] | None = None
    # client_min_messages, when the messages that wait now were made
    _min_messages: str = "notice"

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.prepared_statements: dict[str, PreparedStatement] = {}
        self.portals: dict[str, Portal] = {}
        self.unnamed: PreparedStatement | None = None
        self.plan_cache = PlanCache(self)
        self.client_codec = "utf-8"
        self.client: Any = None
        self.local_version = 0
        self.in_pipeline = False
        self._defaults: Any = None
        self._characteristics = Characteristics()
        self.utility_handler = self._utility
        self.catalog.on_write.append(self._catalog_written)
        self._wire_settings()

    def _catalog_written(self, cls: type[Any] | None) -> None:
        self.local_version += 1

    def plan_version(self) -> int:
        """Plans made under another value of this are stale."""
        return self.catalog_version() + (self.local_version << 40)

    def accepted_version(self) -> int:
        """The same, as it was when the statement started."""
        return self._known_version + (self.local_version << 40)

    # -- settings ----------------------------------------------------------------------------------

    def _wire_settings(self) -> None:
        hooks = self.guc.assign_hooks
        ctx = self.ctx
        hooks["client_encoding"] = self._set_client_encoding
        hooks["timezone"] = self._set_timezone
        hooks["datestyle"] = self._set_datestyle
        hooks["client_min_messages"] = self._set_client_min_messages
        for name in (
            "intervalstyle",
            "bytea_output",
            "extra_float_digits",
            "standard_conforming_strings",
        ):
            hooks[name] = lambda value, n=name: setattr(ctx, n, value)
        self.guc.check_hooks.update(characteristic_checks(self))
        self.guc.check_hooks.update(catalog_checks(self))
        self.guc.check_hooks["default_text_search_config"] = self._check_text_search_config
        hooks["transaction_isolation"] = self._characteristic("isolation")
        hooks["transaction_read_only"] = self._characteristic("read_only")
        hooks["transaction_deferrable"] = self._characteristic("deferrable")
        for name, hook in list(hooks.items()):
            if not name.startswith("transaction_"):
                hook(self.guc.value(name))
        hooks["role"] = hooks["session_authorization"] = self._identity_changed

    def _check_text_search_config(self, value: Any) -> Any:
        """check_default_text_search_config: the name is kept with its schema."""
        name = str(value)
        try:
            oid = self.catalog.reg_in("regconfig", name)
        except PgError:
            raise PgError(
                INVALID_PARAMETER_VALUE,
                f'invalid value for parameter "default_text_search_config": "{name}"',
            ) from None
        row = self.catalog.get(PgTsConfig, oid=oid)
        schema = self.catalog.get(PgNamespace, oid=row.cfgnamespace).nspname
        return f"{quote_identifier(schema)}.{quote_identifier(row.cfgname)}"

    def _identity_changed(self, _value: Any) -> None:
        """SET ROLE and SET SESSION AUTHORIZATION, and their end by a rollback or a function."""
        user, role = str(self.guc.value("session_authorization")), str(self.guc.value("role"))
        if user != self.ctx.session_user:
            row = self.catalog.one(PgAuthid, rolname=user)
            if row is not None and row.oid != self.ctx.session_user_oid:
                self.set_session_user(row.oid)
        row = None if role == "none" else self.catalog.one(PgAuthid, rolname=role)
        self.set_current_user(self.ctx.session_user_oid if row is None else row.oid)

    def _characteristic(self, attribute: str) -> Any:
        def assign(value: Any) -> None:
            setattr(self.xact.current, attribute, value)

        return assign

    def _set_client_encoding(self, value: Any) -> None:
        self.client_codec = python_codec(str(value))
        self.ctx.client_encoding = str(value)

    def _set_client_min_messages(self, value: Any) -> None:
        """Messages that wait to be sent were made under the old value."""
        for notice in self.notices:
            if notice.shown is None:
                notice.shown = self.wants_notice(notice.severity, self._min_messages)
        self._min_messages = str(value)

    def _set_timezone(self, value: Any) -> None:
        from pgemu.guc.timezone import zone_info

        self.ctx.timezone = zone_info(str(value))
        self.ctx.timezone_name = str(value)

    def _set_datestyle(self, value: Any) -> None:
        style, _, order = str(value).partition(", ")
        self.ctx.datestyle, self.ctx.dateorder = style, order

    # -- transactions as the client sees them ------------------------------------------------------

    def start_statement(self) -> None:
        """A message that runs statements has come."""
        now = self.ctx.statement_start_us = self.ctx.clock_us()
        if self.xact.state == IDLE:
            while self.guc.levels:  # SET LOCAL in a function that a query called
                self.guc.pop(True)
            self.ctx.xact_start_us = now
            values = self.guc.values
            defaults = (
                values["default_transaction_isolation"],
                values["default_transaction_read_only"],
                values["default_transaction_deferrable"],
            )
            if defaults != self._defaults or self.xact.current is not self._characteristics:
                self._defaults = defaults
                self._characteristics = default_characteristics(self)
                self.xact.current = self._characteristics
                (
                    values["transaction_isolation"],
                    values["transaction_read_only"],
                    values["transaction_deferrable"],
                ) = defaults
        if self.catalog_version() != self._known_version:
            self.accept_invalidations()

    def begin_implicit(self, *, pipeline: bool = False) -> None:
        """A pipeline is no transaction block to statements that ask for one; a string of several
        statements is."""
        if self.xact.state == IDLE:
            self.in_pipeline = pipeline
            self.xact.queried = False
            self.xact.several = not pipeline
            self.xact.begin_implicit()
            self.guc.push()

    def begin_transaction_block(self) -> None:
        if self.xact.state == IDLE:
            self.guc.push()
            self.xact.queried = False
        self.xact.state = BLOCK

    def commit_transaction(self) -> None:
        try:
            self.close_portals(committing=True)
            from pgemu.commands.on_commit import pre_commit_on_commit_actions

            if self.on_commit_actions:
                pre_commit_on_commit_actions(self)
            commit_retrying(self)
        except BaseException:
            self.xact.rollback()
            raise

    def rollback_transaction(self) -> None:
        self.close_portals(committing=False)
        self.xact.rollback()

    def end_implicit(self) -> None:
        """The end of a query string, or Sync: an implicit transaction commits."""
        if self.xact.state == IMPLICIT:
            self.commit_transaction()

    def _transaction_ended(self, committed: bool) -> None:
        if self.guc.levels:
            # SET TRANSACTION may have changed the object: the next transaction gets a new one
            self._defaults = None
        while self.guc.levels:
            self.guc.pop(committed)
        if self.xact.catalog_changed:
            self.local_version += 1
        super()._transaction_ended(committed)

    def _subtransaction(self, event: str) -> None:
        super()._subtransaction(event)
        if event == "abort" and self.xact.catalog_changed:
            self.local_version += 1

    def close_portals(self, *, committing: bool) -> None:
        """Cursors end with their transaction; those WITH HOLD keep their rows at commit."""
        for name, portal in list(self.portals.items()):
            if portal.is_holdable and (committing or portal.created_level < 0):
                portal.drain()
                if portal.late_error is not None and portal.created_level >= 0:
                    del self.portals[name]
                    raise portal.late_error
                portal.created_level = -1
                continue
            del self.portals[name]
            _close_rows(portal)

    def close_portals_since(self, level: int) -> None:
        """AtSubAbort_Portals: cursors end with the savepoint they were opened after."""
        for name, portal in list(self.portals.items()):
            if portal.is_cursor and portal.created_level >= level:
                del self.portals[name]
                _close_rows(portal)

    def discard_portals(self) -> None:
        """PortalHashTableDeleteAll, for DISCARD ALL; the one that runs it stays."""
        for name, portal in list(self.portals.items()):
            if name:
                del self.portals[name]
                _close_rows(portal)

    def drain_portals(self) -> None:
        """Before another statement runs: open result sets go to their spools."""
        for portal in self.portals.values():
            if portal.rows is not None and portal.spool is None:
                portal.drain()

    def _utility(self, query: Query, params: Any) -> Result:
        from pgemu.tcop.utility import run_utility

        return run_utility(self, query, params)


def _close_rows(portal: Portal) -> None:
    close = getattr(portal.rows, "close", None)
    portal.rows = None
    if close is not None:
        close()
