"""Preparing and revalidating statements: the part of a BackendSession that knows about plans
(PostgreSQL's exec_parse_message and plancache.c).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pgemu.errors import PgError
from pgemu.executor.execute import Result, bind, run_plan
from pgemu.executor.locking import lock_for_plan
from pgemu.nodes.parsenodes import Query, RawStmt
from pgemu.nodes.primnodes import Const, Param, Value
from pgemu.nodes.walk import contains, mutate
from pgemu.parser.analyze import analyze_with_state
from pgemu.parser.parse_node import make_parsestate
from pgemu.parser.parse_param import check_parameter_types
from pgemu.planner.plan import OutputColumn, Plan
from pgemu.planner.planner import output_columns_of, plan_query
from pgemu.rewrite.rewrite_handler import query_rewrite, rewrite_query
from pgemu.rewrite.rewrite_manip import copy_object
from pgemu.tcop.prepared import PreparedStatement

_PLANNED = ("select", "insert", "update", "delete", "merge")
_SEVERITIES = (
    "DEBUG5",
    "DEBUG4",
    "DEBUG3",
    "DEBUG2",
    "DEBUG1",
    "LOG",
    "NOTICE",
    "WARNING",
    "ERROR",
)
MAX_PARSED = 500


class StatementsMixin:
    """Mixed into BackendSession, whose attributes it uses."""

    catalog: Any
    guc: Any
    ctx: Any
    xact: Any
    accept_invalidations: Any
    udfs: Any
    notices: Any
    plan_version: Any
    portals: Any
    parse: Any
    run: Any
    current_params: Any
    source_text: str = ""
    used_literals: set[int] = set()
    result_formats: Sequence[int] = ()
    unnamed: Any

    def analyze_statement(
        self,
        raw: RawStmt,
        text: str,
        param_types: list[int] | None = None,
        *,
        variable_params: bool = False,
    ) -> tuple[Query, set[int]]:
        """(the analyzed statement, locations of the literals whose value mattered)."""
        pstate = make_parsestate(None, self.catalog, text)
        query = analyze_with_state(pstate, raw, param_types, variable_params=variable_params)
        return query, pstate.used_literals

    def prepare_text(self, name: str, text: str, types: list[int]) -> PreparedStatement:
        """Parse message: one statement, parameter types given or to be found."""
        key = (text, tuple(types), self.guc.epoch)
        cache = self.catalog.parse_cache.setdefault("prepared", {})
        known: PreparedStatement | None = cache.get(key)
        if known is not None and known.version == self.plan_version() and not self.xact.failed:
            return known
        statements = self.parse(text)
        if len(statements) > 1:
            raise PgError("42601", "cannot insert multiple commands into a prepared statement")
        if not statements:
            return PreparedStatement(name, text, None, None, types, None, 0, 0)
        if self.xact.failed:
            from pgemu.tcop.postgres import check_failed_transaction

            check_failed_transaction(self, statements[0])
        prepared = self.prepare(name, text, statements[0], types)
        if len(cache) > MAX_PARSED:
            cache.clear()
        cache[key] = prepared
        return prepared

    def execute_parameters(
        self, statement: PreparedStatement, stmt: dict[str, Any], source_text: str
    ) -> list[Value]:
        """The values of EXECUTE's arguments."""
        from pgemu.tcop.prepare import evaluate_params

        return evaluate_params(self, statement, stmt, source_text)

    def prepare(self, name: str, text: str, raw: RawStmt, types: list[int]) -> PreparedStatement:
        """Analyze a statement whose parameter types may be open."""
        query, used = self.analyze_statement(raw, text, types, variable_params=True)
        check_parameter_types(types)
        if query.result_relation and query.rtable[query.result_relation - 1].relkind == "v":
            rewrite_query(self.catalog, copy_object(query), ())  # can the view be written?
        return PreparedStatement(
            name,
            text,
            raw,
            query,
            types,
            statement_columns(self, query),
            self.plan_version(),
            self.guc.epoch,
            prepare_time_us=self.ctx.statement_start_us,
            used_literals=used,
            transaction_statement=raw.body if raw.tag == "TransactionStmt" else None,
        )

    def revalidate(self, statement: PreparedStatement) -> None:
        """Analyze again if the catalogs or the settings have changed since."""
        if statement.query is None or statement.raw is None:
            return
        version, epoch = self.plan_version(), self.guc.epoch
        if statement.version == version and statement.epoch == epoch:
            return
        types = list(statement.param_types)
        query, used = self.analyze_statement(
            statement.raw, statement.text, types, variable_params=True
        )
        columns = statement_columns(self, query)
        if statement.columns is not None and _changed(statement.columns, columns):
            raise PgError(
                "0A000",
                "cached plan must not change result type",
                routine="RevalidateCachedQuery",
            )
        statement.query, statement.used_literals = query, used
        statement.columns = columns
        statement.plan = None
        statement.version, statement.epoch = version, epoch
        statement.decoders.clear()
        statement.domain_params.clear()
        statement.encoders.clear()
        statement.descriptions.clear()

    def plan_for(self, statement: PreparedStatement, params: Sequence[Value] = ()) -> Plan | None:
        """The statement's plan; None for utility statements and those that rules multiply."""
        self.revalidate(statement)
        if statement.plan is not None:
            return statement.plan
        query = statement.query
        assert query is not None
        if query.command_type not in _PLANNED:
            return None
        custom = with_arbiter_values(query, params)
        rewritten = query_rewrite(custom, self.catalog)
        if len(rewritten) != 1 or rewritten[0].command_type not in _PLANNED:
            return None
        plan = plan_query(rewritten[0], self.catalog, self.udfs, statement.used_literals)
        if custom is query:
            statement.plan = plan
        return plan

    def prepared_query(
        self, stmt: dict[str, Any], source_text: str
    ) -> tuple[Query | None, list[Value]]:
        """What EXECUTE would run, for CREATE TABLE AS EXECUTE: the query and its parameters."""
        from pgemu.tcop.prepare import evaluate_params, find_statement

        statement = find_statement(self, stmt["name"])
        values = evaluate_params(self, statement, stmt, source_text)
        statement.count_plan(str(self.guc.values["plan_cache_mode"]))
        self.revalidate(statement)
        return statement.query, values

    def run_prepared(self, statement: PreparedStatement, params: Sequence[Value]) -> Result:
        """EXECUTE."""
        plan = self.plan_for(statement, params)
        while plan is not None and not lock_for_plan(self, plan):
            self.accept_invalidations()
            plan = self.plan_for(statement, params)
        saved, self.current_params = self.current_params, params
        try:
            if plan is None:
                result: Result = self.run(statement.query, params)
                return result
            return run_plan(self, plan, bind(plan, params))
        finally:
            self.current_params = saved

    def statement_text(self, source_text: str, query: Query) -> str:
        """What pg_cursors and pg_prepared_statements show: the whole query string."""
        text: str = source_text or self.source_text
        return text

    def wants_notice(self, severity: str, threshold: str) -> bool:
        """client_min_messages; INFO always goes out."""
        if severity == "INFO":
            return True
        threshold = threshold.upper()
        threshold = "DEBUG2" if threshold == "DEBUG" else threshold
        return _SEVERITIES.index(severity) >= _SEVERITIES.index(threshold)

    def close_failed_portals(self) -> None:
        """After an error no half-read result may keep a SQLite statement open."""
        for name, portal in list(self.portals.items()):
            if portal.is_cursor and portal.spool is not None:
                continue
            close = getattr(portal.rows, "close", None)
            if close is not None:
                close()
            del self.portals[name]


def with_arbiter_values(query: Query, params: Sequence[Value]) -> Query:
    """ON CONFLICT (...) WHERE with parameters: which partial index is meant depends on their
    values, so that each execution has a plan of its own (PostgreSQL's custom plan)."""
    conflict = query.on_conflict
    if conflict is None or not contains(conflict.arbiter_where, Param):
        return query

    def value_of(node: Any) -> Any:
        if isinstance(node, Param) and node.paramkind == "extern":
            value = params[node.paramid - 1]
            return Const(node.paramtype, value, node.paramtypmod, node.paramcollid)
        return None

    where = mutate(conflict.arbiter_where, value_of)
    return replace(query, on_conflict=replace(conflict, arbiter_where=where))


def _changed(old: tuple[OutputColumn, ...], new: tuple[OutputColumn, ...] | None) -> bool:
    if new is None or len(old) != len(new):
        return True
    pairs = zip(old, new, strict=True)
    return any(
        a.type_oid != b.type_oid or a.typmod != b.typmod or a.name != b.name for a, b in pairs
    )


def statement_columns(session: Any, query: Query) -> tuple[OutputColumn, ...] | None:
    """What RowDescription will say of a statement; None: it returns no rows."""
    if query.command_type == "select":
        return output_columns_of(query.target_list)
    if query.command_type in _PLANNED:
        if not query.returning_list:
            return None
        return output_columns_of(query.returning_list)
    return _utility_columns(session, query)


def _utility_columns(session: Any, query: Query) -> tuple[OutputColumn, ...] | None:
    tag, body = next(iter((query.utility_stmt or {}).items()))
    if tag == "ExplainStmt":
        from pgemu.commands.explain import result_type

        return (OutputColumn("QUERY PLAN", result_type(body.get("options", []))),)
    if tag == "CallStmt":
        from pgemu.commands.callcmds import call_columns

        found = call_columns(session, query)
        return None if found is None else tuple(OutputColumn(*c) for c in found)
    if tag == "VariableShowStmt":
        if body["name"].lower() == "all":
            return tuple(OutputColumn(n, 25) for n in ("name", "setting", "description"))
        name = session.guc.find(body["name"])[1].name
        return (OutputColumn(name, 25),)
    if tag == "ExecuteStmt":
        prepared = session.prepared_statements.get(body["name"])
        return prepared.columns if prepared is not None else None
    if tag == "FetchStmt" and not body.get("ismove"):
        portal = session.portals.get(body["portalname"])
        return portal.columns if portal is not None else None
    return None
