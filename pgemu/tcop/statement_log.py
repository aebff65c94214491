"""log_statement, log_duration and log_min_duration_statement.

Counterpart: check_log_statement, check_log_duration and their callers in PostgreSQL's postgres.c,
GetCommandLogLevel of its utility.c.  While one of the settings asks for it the handlers of the
messages are replaced by those of here; otherwise nothing of this is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

from pgemu.errors import PgError
from pgemu.libpq.elog import ServerLog
from pgemu_protocol.hot import decode_bind, decode_execute, decode_parse, decode_query

if TYPE_CHECKING:
    from pgemu.tcop.postgres import Backend

SETTINGS = ("log_statement", "log_duration", "log_min_duration_statement")
_MOD = frozenset(("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt", "TruncateStmt"))
_DDL = frozenset(
    ("IndexStmt", "RuleStmt", "ViewStmt", "DefineStmt", "CompositeTypeStmt", "GrantStmt",
     "GrantRoleStmt", "CommentStmt", "SecLabelStmt", "RenameStmt", "ReassignOwnedStmt",
     "RefreshMatViewStmt", "ImportForeignSchemaStmt", "ClusterStmt")
)  # fmt: skip
_LEVELS = {"none": 0, "ddl": 1, "mod": 2, "all": 3}
_DDL_LEVEL, _MOD_LEVEL, _ALL_LEVEL = 1, 2, 3


def wanted(values: Any) -> bool:
    """Whether the settings ask for anything."""
    return bool(
        values["log_statement"] != "none"
        or values["log_duration"]
        or values["log_min_duration_statement"] >= 0
    )


class StatementLog:
    """The handlers of Query, Parse, Bind and Execute that write to the log."""

    def __init__(self, backend: Backend, log: ServerLog) -> None:
        self.backend = backend
        self.session: Any = backend.session
        self.values: Any = backend.session.guc.values
        self.log = log
        self._plain = backend.handlers

    def follow(self, _value: Any = None) -> None:
        """A setting has changed."""
        self.backend.handlers = self._handlers()

    def _handlers(self) -> dict[int, Callable[[bytes], None]]:
        if not wanted(self.values):
            return self._plain
        own = {ord("Q"): self.query, ord("P"): self.parse, ord("B"): self.bind}
        return {**self._plain, **own, ord("E"): self.execute}

    # -- messages ----------------------------------------------------------------------------------

    def query(self, payload: bytes) -> None:
        started = perf_counter()
        text = decode_query(payload, self.session.client_codec)
        logged = False
        if self.values["log_statement"] != "none":
            try:
                statements = self.session.parse(text)
            except PgError:
                statements = None  # said when it runs
            if statements is not None and self._asked_for(statements):
                logged = True
                self.log.write("LOG", f"statement: {text}", self._prepared_text(statements))
        self._plain[ord("Q")](payload)
        self._duration(started, logged, f"statement: {text}")

    def parse(self, payload: bytes) -> None:
        started = perf_counter()
        self._plain[ord("P")](payload)
        name, text, _ = decode_parse(payload, self.session.client_codec)
        self._duration(started, False, f"parse {name or '<unnamed>'}: {text}")

    def bind(self, payload: bytes) -> None:
        started = perf_counter()
        self.backend.extended.bind(payload)
        portal = self.session.portals[decode_bind(payload, self.session.client_codec)[0]]
        self._duration(started, False, f"bind {_label(portal)}", self._parameters(portal))

    def execute(self, payload: bytes) -> None:
        started = perf_counter()
        portal = self.session.portals.get(decode_execute(payload, self.session.client_codec)[0])
        logged, text, below = False, "", []
        if portal is not None:
            verb = "execute fetch from" if portal.started else "execute"
            text, below = f"{verb} {_label(portal)}", self._parameters(portal)
            raw = getattr(portal.statement, "raw", None)
            logged = self._asked_for(() if raw is None else (raw,))
            if logged:
                self.log.write("LOG", text, below)
        self._plain[ord("E")](payload)
        self._duration(started, logged, text, below)

    # -- what to say -------------------------------------------------------------------------------

    def _asked_for(self, statements: Sequence[Any]) -> bool:
        level = _LEVELS[str(self.values["log_statement"])]
        if level == _ALL_LEVEL:
            return True
        return any(self._level(raw.tag, raw.body) <= level for raw in statements)

    def _level(self, tag: str, body: dict[str, Any]) -> int:
        """GetCommandLogLevel."""
        match tag:
            case "SelectStmt":
                return _DDL_LEVEL if body.get("intoClause") else _ALL_LEVEL
            case "CopyStmt":
                return _MOD_LEVEL if body.get("is_from") else _ALL_LEVEL
            case "PrepareStmt":
                return self._level(*next(iter(body["query"].items())))
            case "ExplainStmt":
                options = [option["DefElem"]["defname"] for option in body.get("options", ())]
                inner = self._level(*next(iter(body["query"].items())))
                return inner if "analyze" in options else _ALL_LEVEL
            case "ExecuteStmt":
                held = self.session.prepared_statements.get(body["name"])
                raw = getattr(held, "raw", None)
                return _ALL_LEVEL if raw is None else self._level(raw.tag, raw.body)
        if tag in _MOD:
            return _MOD_LEVEL
        if tag in _DDL or tag.startswith(("Create", "Alter", "Drop")):
            return _DDL_LEVEL
        return _ALL_LEVEL

    def _prepared_text(self, statements: Sequence[Any]) -> list[tuple[str, str | None]]:
        """errdetail_execute: what an EXECUTE runs."""
        for raw in statements:
            if raw.tag == "ExecuteStmt":
                held = self.session.prepared_statements.get(raw.body["name"])
                if held is not None:
                    return [("DETAIL", f"prepare: {held.text}")]
        return []

    def _parameters(self, portal: Any) -> list[tuple[str, str | None]]:
        """errdetail_params."""
        if not portal.params:
            return []
        types, ctx = self.session.catalog.types, self.session.ctx
        shown = []
        for number, (value, oid) in enumerate(
            zip(portal.params, portal.statement.param_types, strict=False), 1
        ):
            text = "NULL"
            if value is not None:
                plain = types.io(oid).text_encoder(ctx)(value).decode("utf-8", "replace")
                text = "'" + plain.replace("'", "''") + "'"
            shown.append(f"${number} = {text}")
        return [("DETAIL", "parameters: " + ", ".join(shown))]

    def _duration(
        self,
        started: float,
        logged: bool,
        text: str,
        below: list[tuple[str, str | None]] | None = None,
    ) -> None:
        """check_log_duration; the text is not said twice."""
        least = self.values["log_min_duration_statement"]
        if least < 0 and not self.values["log_duration"]:
            return
        took = (perf_counter() - started) * 1000
        exceeded = least == 0 or 0 < least < took
        if exceeded and not logged:
            self.log.write("LOG", f"duration: {took:.3f} ms  {text}", below)
        elif exceeded or self.values["log_duration"]:
            self.log.write("LOG", f"duration: {took:.3f} ms")


def _label(portal: Any) -> str:
    name = portal.statement.name or "<unnamed>"
    return f"{name}/{portal.name}: {portal.text}" if portal.name else f"{name}: {portal.text}"
