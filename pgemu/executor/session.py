"""Session: everything one backend knows while it serves a client.

The rooms above pass it down; what PostgreSQL keeps in globals is here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import apsw

from pgemu.catalog import store as catalog_layout
from pgemu.catalog.acl import ACL_SET, pg_parameter_aclcheck
from pgemu.catalog.builtin_objects import adopt, keep
from pgemu.catalog.roles import ROLE_PG_READ_ALL_SETTINGS, has_privs_of_role
from pgemu.catalog.rows import PgAuthid, PgConstraint, PgProc, PgType
from pgemu.catalog.syscache import Catalog
from pgemu.errors import QUERY_CANCELED, Notice, PgError
from pgemu.executor.constraints import Constraints
from pgemu.executor.evalplanqual import EvalPlanQual
from pgemu.executor.execute import Result, bind, run_plan
from pgemu.executor.predicate_targets import ReadTargets
from pgemu.executor.ri_triggers import AfterTriggers
from pgemu.executor.rowlocks import RowLocks
from pgemu.executor.spi import spi_select
from pgemu.executor.sqlite_errors import translate
from pgemu.executor.timeouts import USER_REQUEST
from pgemu.executor.udf import UdfRegistry
from pgemu.executor.waiting import raise_wait
from pgemu.executor.writing import WritingMixin
from pgemu.fmgr import CallContext, functions
from pgemu.guc import Settings
from pgemu.nodes import primnodes as p
from pgemu.nodes.parsenodes import Query, RawStmt
from pgemu.nodes.primnodes import Value
from pgemu.parser.analyze import analyze_with_state, parse_analyze
from pgemu.parser.parse_node import make_parsestate
from pgemu.parser.parser import raw_parser
from pgemu.parser.scan import LONG_NAME, parse_scanned, scan
from pgemu.planner.plan import Plan
from pgemu.planner.planner import plan_query
from pgemu.rewrite.rewrite_handler import query_rewrite
from pgemu.storage.connection import open_database
from pgemu.storage.sequence import SequenceFile
from pgemu.storage.shmem import W_CREATED, W_SHARED_CATALOG_VERSION
from pgemu.storage.writerlock import WriterLock
from pgemu.transam.catalog_store import MvccStore
from pgemu.transam.visibility import overlay_statement
from pgemu.transam.xact import TransactionManager
from pgemu.types.base import base_types


def collation_comparison(name: str, types: Mapping[str, str]) -> Any:
    """The comparison behind a SQLite collation; types: collation -> typname of a type with it."""
    if name == "array_ops":
        from pgemu.types.arrays import compare_arrays
        from pgemu.types.arrays_ops import native_compare

        return lambda a, b: compare_arrays(a, b, native_compare)
    if name in ("record_ops", "range_ops", "multirange_ops") and name not in types:
        from pgemu.types.record import compare_by_kind

        return compare_by_kind
    if name.startswith("icu_"):
        from pgemu.types.icu import comparison_of

        return comparison_of(name)
    typname = types.get(name)
    if typname is not None:
        return base_types[typname].compare
    return next((t.compare for t in base_types.values() if t.collation == name), None)


# from here on parse() goes through the tokens
_LONG_TEXT = 50_000
# of statements that rules replaced by something else
EMPTY_TAGS = {"insert": "INSERT 0 0", "update": "UPDATE 0", "delete": "DELETE 0"}


class Session(WritingMixin):
    """One database session.  cluster, shm and slot come from the postmaster."""

    # the INSERT, UPDATE ... that was started last: what its errors may show
    modifying: Query | None = None
    # the running statement reads its tables before it calls functions
    reads_first: bool = False
    # the text parsed last was commented on: its plan must not be found by the text
    parse_noticed: bool = False
    # sends the notices now (set by the backend): a statement is going to sleep
    flush_notices: Any = staticmethod(lambda: None)
    # functions that SQLite has called in the middle of a statement
    callback_depth = 0
    idle = False

    # what event triggers know of the running command (EventTriggerQueryState)
    event_trigger_state: Any = None

    def __init__(
        self,
        cluster: Any,
        shm: Any,
        slot: Any,
        database: int,
        settings: Settings,
        *,
        fsync: bool = False,
        conn: apsw.Connection | None = None,
        collations: Mapping[str, str] | None = None,
    ) -> None:
        self.cluster, self.shm, self.slot = cluster, shm, slot
        self.ctx = CallContext()
        self.ctx.session = self
        self.ctx.database_oid = database
        self.ctx.backend_pid = slot.pid
        self.guc = settings
        self.ctx.guc = settings
        self.conn = conn or open_database(
            cluster.database_path(database), cluster.global_path, fsync=fsync
        )
        self.collations = collations or {}
        self.conn.collation_needed(self._collation_needed)
        self.writer_lock = WriterLock(cluster.writer_lock_path(database), self.check_for_interrupts)
        self.xact = TransactionManager(
            self.conn, shm, slot, database, self.writer_lock, fsync=fsync
        )
        self.catalog = Catalog(MvccStore(self.xact, catalog_layout, raise_wait), self.ctx)
        self.catalog.backend_id = slot.number + 1
        self.catalog.analyze_sql = self._analyze_builtin
        self.udfs = UdfRegistry(self.conn, self)
        # (enum type, sort order) of labels that this transaction has added to a type
        self.uncommitted_enums: set[tuple[int, float]] = set()
        self.constraints = Constraints(self)
        self.after_triggers = AfterTriggers(self)
        self.row_locks = RowLocks(self)
        self.read_targets = ReadTargets(self)
        self.sequences = SequenceFile(
            cluster.sequence_path(database), cluster.sequence_lock_path(database)
        )
        self.sequence_state: dict[Any, Any] = {}
        self.on_commit_actions: dict[int, str] = {}
        self.notices: list[Notice] = []
        self.ctx.notice_sink = self.notices.append
        self.rechecks: list[EvalPlanQual] = []
        self.dirty: Sequence[tuple[str, int]] = ()
        self.current_params: Sequence[Value] = ()
        # set by executor/locking.py when the session has a latch
        self.locks: Any = None
        self.timeouts: Any = None
        self.notify_queue: Any = None
        self.cancel_reason: Callable[[], str] = lambda: USER_REQUEST
        self.latch: Any = None
        self.latch_sender: Any = None
        self.authenticated_user_oid = 10
        self.cancel_pending = False
        self.interrupt_handler: Any = None
        self._watch_catalogs()
        self._wire_transactions()

    def _collation_needed(self, conn: apsw.Connection, name: str) -> None:
        """SQLite met a collation that it does not know yet."""
        compare = collation_comparison(name, self.collations)
        if compare is not None:
            conn.create_collation(name, compare)

    def _watch_catalogs(self) -> None:
        self._words = self.shm.words
        self._version_at = self.shm.version_word(self.ctx.database_oid)
        self._builtin_at = self.shm.builtin_version_word(self.ctx.database_oid)
        self._known_version = self.catalog_version()
        self._known_builtin = self._builtin_version()
        self._kept_under = (int(self._words[W_CREATED]), self.ctx.database_oid)
        adopt(self.catalog, self._kept_under, self._known_version, self._known_builtin)

    def _wire_transactions(self) -> None:
        xact = self.xact
        xact.before_commit.append(self.after_triggers.before_commit)
        xact.on_end.append(self._transaction_ended)
        xact.on_subxact.append(self._subtransaction)
        xact.on_statement_abort.append(self._statement_aborted)

    # -- transactions ------------------------------------------------------------------------------

    def _transaction_ended(self, committed: bool) -> None:
        self.after_triggers.forget_transaction()
        if self.xact.catalog_changed:
            self._catalogs_written(committed)
        if self.locks is not None:
            self.locks.release_all()

    def _catalogs_written(self, committed: bool) -> None:
        """The end of a transaction that has written catalog rows."""
        catalog = self.catalog
        builtin, shared = catalog.builtin_written, catalog.shared_written
        catalog.builtin_written = catalog.shared_written = False
        if not committed:
            catalog.invalidate(builtin=builtin)
            return
        if builtin:
            self.shm.bump_builtin_version(self.ctx.database_oid)
        # if somebody else has moved a version too, the next statement sees the difference
        if self.catalog_version() == self._known_version + 1 + builtin + shared:
            self._known_version = self.catalog_version()
            self._known_builtin += builtin + shared

    def _subtransaction(self, event: str) -> None:
        self.after_triggers.on_subxact(event)
        if event == "start":
            self.guc.push()
        else:
            self.guc.pop(event == "commit")
            if event == "abort" and self.xact.catalog_changed:
                self.catalog.invalidate(builtin=self.catalog.builtin_written)

    def _statement_aborted(self) -> None:
        self.after_triggers.forget_statement()
        if self.xact.triggers.changed:
            self.constraints.lost()
        if self.xact.catalog_changed:
            self.catalog.invalidate(builtin=self.catalog.builtin_written)

    def catalog_version(self) -> int:
        """SharedMemory.catalog_version of this database."""
        words = self._words
        return int(words[self._version_at] + words[W_SHARED_CATALOG_VERSION])

    def accept_invalidations(self) -> None:
        """AcceptInvalidationMessages: another session's DDL empties the caches."""
        version = self.catalog_version()
        if version != self._known_version:
            self._known_version = version
            known, self._known_builtin = self._known_builtin, self._builtin_version()
            self.catalog.invalidate(builtin=known != self._known_builtin)

    def _builtin_version(self) -> int:
        """Changes when something may concern built-in objects, or shared catalogs."""
        words = self._words
        return int(words[self._builtin_at] + words[W_SHARED_CATALOG_VERSION])

    # -- statements --------------------------------------------------------------------------------

    def parse(self, text: str) -> list[RawStmt]:
        values = self.guc.values
        self.parse_noticed = False
        conforming = bool(values["standard_conforming_strings"])
        quote = str(values["backslash_quote"])
        plain = "\\" not in text or (conforming and quote != "off" and "\\v" not in text)
        # going through the tokens of a long text is quicker than looking for a name everywhere
        if plain and len(text) < _LONG_TEXT and not LONG_NAME.search(text):
            return raw_parser(text)
        scanned = scan(
            text,
            self.notice,
            conforming=conforming,
            warning=bool(values["escape_string_warning"]),
            backslash_quote=quote,
        )
        self.parse_noticed = scanned.noticed
        return parse_scanned(scanned)

    def analyze(
        self,
        raw: RawStmt,
        source_text: str,
        param_types: list[int] | None = None,
        *,
        variable_params: bool = False,
    ) -> Query:
        return parse_analyze(
            raw, source_text, self.catalog, param_types, variable_params=variable_params
        )

    def plan(self, query: Query) -> Plan:
        """Rewrite and plan one query that rules turn into exactly one."""
        rewritten = query_rewrite(query, self.catalog)
        plan = plan_query(rewritten[-1], self.catalog, self.udfs, query_literals(query))
        plan.catalog_version = self.catalog_version()
        return plan

    def run(
        self,
        query: Query,
        params: Sequence[Value] = (),
        show: Callable[[Result], None] | None = None,
    ) -> Result:
        """Rewrite, plan and execute an analyzed query.  show: takes the rows of all the queries
        that rules make of it, not only of the one that sets the tag."""
        if query.command_type == "utility":
            return self._run_utility(query, params)
        result: Result | None = None
        for one in query_rewrite(query, self.catalog):
            if one.command_type == "utility":
                self._run_utility(one, params)
                continue
            plan = plan_query(one, self.catalog, self.udfs, query_literals(query))
            saved, self.current_params = self.current_params, params
            try:
                done = run_plan(self, plan, bind(plan, params))
            finally:
                self.current_params = saved
            if show is not None and done.columns is not None:
                # nothing is said of where the columns come from
                done.columns = tuple(replace(c, table_oid=0, attnum=0) for c in done.columns)
                show(done)
                done = Result(None, None, done.count, done.tag)
            if one.can_set_tag:
                result = done
        return result or Result(None, None, 0, EMPTY_TAGS.get(query.command_type, ""))

    run_nested = run

    def plan_once(self, query: Query) -> Plan | bool:
        """The plan of a query that is run again and again; False if it has not just one."""
        if query.command_type == "utility":
            return False
        rewritten = query_rewrite(query, self.catalog)
        if len(rewritten) != 1 or rewritten[0].command_type == "utility":
            return False
        return plan_query(rewritten[0], self.catalog, self.udfs, query_literals(query))

    def run_planned(
        self, plan: Plan | bool, query: Query, params: Sequence[Value], *, replans: bool = False
    ) -> Result:
        """Run a plan of plan_once, or the query where there is none.  replans: see run_plan."""
        if isinstance(plan, bool):
            return self.run(query, params)
        saved, self.current_params = self.current_params, params
        try:
            return run_plan(self, plan, bind(plan, params), replans=replans)
        finally:
            self.current_params = saved

    def _run_utility(self, query: Query, params: Sequence[Value]) -> Result:
        handler = self.utility_handler
        result: Result = handler(query, params)
        return result

    # set by tcop, which stands above the commands
    utility_handler: Any = None
    # subtransactions of procedural code that are open in the running statement
    subxacts: tuple[Any, ...] = ()
    # the running CALL or DO has ended a transaction: it must not run again from its start
    ended_inside = False

    def query(
        self, sql: str, params: Sequence[Value] = (), param_types: Sequence[int] = ()
    ) -> list[tuple[Any, ...]]:
        """Run SQL text inside the current statement (PostgreSQL's SPI); storage values."""
        rows: list[tuple[Any, ...]] = []
        for raw in self.parse(sql):
            query = self.analyze(raw, sql, list(param_types))
            result = self.run(query, params)
            rows = list(result.rows or ())
        return rows

    def cursor_query(self, sql: str) -> tuple[Sequence[Any], list[Sequence[Any]]]:
        """(columns, rows) of a query that a built-in function reads through a cursor."""
        return spi_select(self, sql, cursor=True)

    def evaluate(self, expr: p.Expr) -> Value:
        """The value of an expression without columns."""
        query = Query("select", target_list=[p.TargetEntry(expr, 1, "v")])
        plan = plan_query(query, self.catalog, self.udfs)
        params = self.current_params if plan.params else ()  # there may be thousands
        rows = list(run_plan(self, plan, bind(plan, params)).rows or ())
        value: Value = rows[0][0]
        return value

    def _analyze_builtin(self, kind: str, text: str, relid: int) -> Any:
        """A builtin object's SQL text as a tree: "query", "expr" or "exprlist"."""
        path = f'"{self.catalog.relation(relid).schema_name}", pg_catalog' if relid else ""
        with self.guc.replaced("search_path", path or "pg_catalog"):
            if kind == "query":
                raw = self.parse(text.rstrip().rstrip(";"))[0]
                return self.analyze(raw, text)
            if kind == "expr" and not relid and "VALUE" in text:
                return self._analyze_domain_check(text)
            if relid:
                name = self.catalog.relation(relid).name.replace('"', '""')
                wrapped = f'SELECT {text} FROM ONLY "{name}"'
            else:
                wrapped = f"SELECT {text}"
            query = self.analyze(self.parse(wrapped)[0], wrapped)
            exprs = [t.expr for t in query.target_list]
            return exprs if kind == "exprlist" else exprs[0]

    def _analyze_domain_check(self, text: str) -> Any:
        """The CHECK expression of a builtin domain: VALUE is the value under test."""
        row = self.catalog.all(PgConstraint, conbin="SQL:" + text)[0]
        domain = self.catalog.get(PgType, oid=row.contypid)
        value = p.CoerceToDomainValue(domain.typbasetype, domain.typtypmod, domain.typcollation)

        def replace_value(pstate: Any, column: dict[str, Any]) -> Any:
            names = [f.get("String", {}).get("sval") for f in column["fields"]]
            return value if names == ["value"] else None

        pstate = make_parsestate(None, self.catalog, text)
        pstate.p_pre_columnref_hook = replace_value
        query = analyze_with_state(pstate, self.parse(f"SELECT {text}")[0])
        return query.target_list[0].expr

    def analyze_function_body(
        self, raw: RawStmt, proc: PgProc, arg_types: list[int], collation: int = 0
    ) -> Query:
        """A statement of a SQL function; its arguments are $n and their names."""
        from pgemu.executor.sqlfunctions import analyze_with_argument_names

        return analyze_with_argument_names(self, raw, proc, arg_types, collation)

    def language_handler(self, proc: PgProc, info: Any) -> Any:
        """The callable for a function in a procedural language; None: there is none."""
        return None

    def visible_sql(self, text: str, *, whole: bool = False) -> str:
        """A nested statement's text as the current statement's snapshot must see it.  whole: the
        conditions must not be evaluated for rows that it does not see."""
        if self.own_overlay is not None:
            text = self.own_overlay.apply(text, whole=whole)
        return overlay_statement(text, self.dirty, whole=whole) if self.dirty else text

    # -- values ------------------------------------------------------------------------------------

    def output_value(self, type_oid: int, value: Value, typmod: int = -1) -> str:
        io = self.catalog.types.io(type_oid)
        text: str = io.output(value, self.ctx)
        if io.name == "bpchar" and typmod > 4:
            text = text.ljust(typmod - 4)
        return text

    def sql_value(self, op: str, typmod: int) -> Value:
        """CURRENT_DATE and its family."""
        from pgemu.executor.sqlvalue import sql_value

        return sql_value(self.ctx, self.catalog, op, typmod)

    def nextval(self, seqid: int) -> int:
        """nextval of an identity column's sequence."""
        value: int = functions["nextval(regclass)"].body(self.ctx, seqid, check=False)
        return value

    def reads_all_settings(self) -> bool:
        """May the user see settings that are not for everybody?"""
        return has_privs_of_role(self.catalog, self.ctx.current_user_oid, ROLE_PG_READ_ALL_SETTINGS)

    def may_set(self, name: str) -> bool:
        """May the user change a setting that is for superusers?"""
        return pg_parameter_aclcheck(self.catalog, name, ACL_SET)

    # -- messages, interrupts ----------------------------------------------------------------------

    def notice(self, severity: str, sqlstate: str, message: str, **fields: Any) -> None:
        if self.context_stack and "where" not in fields:
            fields["where"] = self.context()
        self.notices.append(Notice(severity, sqlstate, message, **fields))

    @property
    def context_stack(self) -> list[Any]:
        """Running functions and their statements, outermost first: lines of CONTEXT, or what has
        context_line()."""
        stack: list[Any] = self.xact.running_functions
        return stack

    def context(self, skip: int = 0) -> str:
        """The CONTEXT of a message sent now, innermost line first."""
        lines = [
            item if isinstance(item, str) else item.context_line()
            for item in reversed(self.context_stack)
        ]
        return "\n".join(lines[skip:])

    def check_for_interrupts(self) -> None:
        """Raise what a signal has asked for."""
        if self.cancel_pending:
            raise self.interrupted()

    def interrupted(self) -> PgError:
        """The error of a statement that was told to stop."""
        if self.interrupt_handler is not None:
            error: PgError = self.interrupt_handler()
            return error
        self.cancel_pending = False
        return PgError(QUERY_CANCELED, "canceling statement due to user request")

    def translate(self, error: apsw.Error) -> PgError:
        return translate(error, self)

    # -- identity ----------------------------------------------------------------------------------

    def set_current_user(self, oid: int) -> None:
        self.ctx.current_user_oid = oid
        row = self.catalog.one(PgAuthid, oid=oid)
        self.ctx.current_user = row.rolname if row is not None else ""

    def set_session_user(self, oid: int) -> None:
        self.ctx.session_user_oid = oid
        row = self.catalog.one(PgAuthid, oid=oid)
        self.ctx.session_user = row.rolname if row is not None else ""
        self.set_current_user(oid)

    def close(self) -> None:
        if not self.xact.catalog_changed:
            keep(self.catalog, self._kept_under, self._known_version, self._known_builtin)
        self.sequences.close()
        self.conn.close()


def query_literals(query: Query) -> set[int]:
    """Locations of literals whose value analysis looked at (set by tcop on the query)."""
    return getattr(query, "used_literals", None) or set()
