"""The simple query protocol: a string of statements (exec_simple_query)."""

from __future__ import annotations

from itertools import islice
from time import monotonic_ns
from typing import TYPE_CHECKING, Any

import apsw

from pgemu.errors import PgError
from pgemu.executor.execute import (
    Result,
    bind,
    note_duration,
    quiet_cursor,
    run_plan,
    select_rows,
)
from pgemu.executor.locking import PlanOutdated, lock_for_plan
from pgemu.executor.session import EMPTY_TAGS
from pgemu.nodes.parsenodes import Query, RawStmt
from pgemu.nodes.primnodes import Aggref, CoerceToDomain, FuncExpr, SubLink, XmlExpr
from pgemu.nodes.walk import walk
from pgemu.planner.plan import Plan
from pgemu.planner.planner import plan_query
from pgemu.rewrite.rewrite_handler import query_rewrite
from pgemu.tcop.bulk_values import MIN_TEXT, run_bulk
from pgemu.tcop.dest import describe, encoders, send_rows
from pgemu.tcop.literals import Shape, cut
from pgemu.tcop.plancache import CachedStatement
from pgemu.tcop.xact_commands import transaction_statement
from pgemu_protocol.hot import command_complete

if TYPE_CHECKING:
    from pgemu.tcop.postgres import Backend

MAX_TRANSACTION_TEXTS = 500
ROWS_AT_ONCE = 100
EMPTY_QUERY = b"I\x00\x00\x00\x04"
_PLANNED = ("select", "insert", "update", "delete", "merge")


class SimpleQuery:
    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.session: Any = backend.session
        self._transactions: dict[str, RawStmt] = {}

    def run(self, text: str) -> None:
        backend, session = self.backend, self.session
        backend.report_query(text)
        session.unnamed = None
        session.start_statement()
        session.drain_portals()
        transaction = self._transactions.get(text)
        if transaction is not None:
            self._run_transaction(transaction)
            return
        if session.xact.current.isolation == "serializable":
            session.begin_implicit(pipeline=True)  # what it reads counts until it commits
        shape = None
        if not session.xact.failed and ("\\" not in text or _conforming(session)):
            shape = cut(text)
        if shape is not None and self._run_cached(shape):
            session.end_implicit()
            return
        if len(text) >= MIN_TEXT and not session.xact.failed:
            bulk = run_bulk(session, text, self._prepare_one)
            if bulk is not None:
                self.send_result(bulk)
                session.end_implicit()
                return
        statements = session.parse(text)
        if session.parse_noticed:
            shape = None
            backend.send_notices()
        if len(statements) == 1 and statements[0].tag == "TransactionStmt":
            if len(self._transactions) < MAX_TRANSACTION_TEXTS:
                self._transactions[text] = statements[0]
            self._run_transaction(statements[0])
            return
        if not statements:
            backend.connection.write(EMPTY_QUERY)
            return
        if len(statements) > 1:
            session.begin_implicit()
            shape = None
        for number, raw in enumerate(statements):
            self._run_one(raw, text, shape)
            if number + 1 < len(statements):
                if session.xact.state == "idle":
                    session.begin_implicit()
                session.drain_portals()
        session.end_implicit()

    def _run_transaction(self, raw: RawStmt) -> None:
        """BEGIN, COMMIT and their kin need no analysis; drivers send the same texts for ever."""
        from pgemu.tcop.postgres import check_failed_transaction

        session = self.session
        if session.xact.failed:
            check_failed_transaction(session, raw)
        tag = transaction_statement(session, raw.body)
        if session.notices:
            self.backend.send_notices()
        self.backend.connection.write(command_complete(tag))

    # -- cached plans ------------------------------------------------------------------------------

    def _run_cached(self, shape: Shape) -> bool:
        session = self.session
        cached = session.plan_cache.find(shape, session.guc.epoch, session.plan_version())
        if cached is None:
            return False
        literals, noticed = shape.literals, len(session.notices)
        try:
            bindings = [convert(literals[n]) for n, convert in cached.converters]
        except (PgError, IndexError):
            return False  # the slow way gives the error with its position
        if len(session.notices) != noticed:
            del session.notices[noticed:]  # and a notice
            return False
        modify = cached.plan.modify
        alone = modify is not None and modify.lone_target is not None  # looks at locks itself
        if not alone and not lock_for_plan(session, cached.plan):
            session.accept_invalidations()
            return False
        try:
            self._execute(cached, bindings, replans=alone)
        except PlanOutdated:
            session.accept_invalidations()
            return False
        return True

    def _execute(self, cached: CachedStatement, bindings: Any, *, replans: bool = False) -> None:
        session, write = self.session, self.backend.connection.write
        plan = cached.plan
        if plan.command_type == "select" and not plan.row_marks and not plan.may_write:
            if not cached.row_description:
                cached.row_description = describe(session, plan.columns, ())
                cached.encoders = encoders(session, plan.columns, ())
            head = cached.row_description
            if plan.result is None and self._send_quiet(cached, bindings):
                return
            rows = select_rows(session, plan, bindings)
            try:
                first = next(rows, None)
            except (PgError, apsw.Error):
                if _had_started(session, cached.query):
                    write(head)
                raise
            write(head)
            if session.notices:
                self.backend.send_notices()
            count = 0
            if first is not None:
                count = send_rows(write, (first,), cached.encoders)
                count += send_rows(write, rows, cached.encoders)
            if session.notices:
                self.backend.send_notices()
            write(command_complete(f"SELECT {count}"))
            return
        try:
            result = run_plan(session, plan, bindings, replans=replans)
        except (PgError, apsw.Error):
            if plan.command_type == "select" and _had_started(session, cached.query):
                write(describe(session, plan.columns, ()))
            raise
        if result.columns is None or result.columns is not plan.columns:
            self.send_result(result)
            return
        if not cached.row_description:
            cached.row_description = describe(session, plan.columns, ())
            cached.encoders = encoders(session, plan.columns, ())
        if plan.command_type == "select":
            write(cached.row_description)
        if session.notices:
            self.backend.send_notices()
        if plan.command_type != "select":
            write(cached.row_description)
        send_rows(write, result.rows or (), cached.encoders)
        write(command_complete(result.tag))

    def _send_quiet(self, cached: CachedStatement, bindings: Any) -> bool:
        """The rows of a SELECT that can run without a snapshot; its table locks are held."""
        session, write = self.session, self.backend.connection.write
        session.xact.queried = True
        head = cached.row_description
        count = 0
        cursor = None
        started = monotonic_ns()
        try:
            cursor = quiet_cursor(session, cached.plan, bindings)
            if cursor is None:
                return False
            while True:
                rows = list(islice(cursor, ROWS_AT_ONCE))
                if head:
                    write(head)
                    head = b""
                if session.notices:
                    self.backend.send_notices()
                count += send_rows(write, rows, cached.encoders)
                if len(rows) < ROWS_AT_ONCE:
                    break
        except (PgError, apsw.Error):
            if head and _had_started(session, cached.query):
                write(head)
            raise
        finally:
            if cursor is not None:
                cursor.close()
        note_duration(cached.plan, started)
        write(command_complete(f"SELECT {count}"))
        return True

    # -- other statements --------------------------------------------------------------------------

    def _run_one(self, raw: RawStmt, text: str, shape: Shape | None) -> None:
        from pgemu.tcop.postgres import check_failed_transaction

        session = self.session
        if session.xact.failed:
            check_failed_transaction(session, raw)
        while True:
            with session.catalog.store.reading():
                query, used = session.analyze_statement(raw, text)
                planned = query.command_type in _PLANNED
                rewritten = query_rewrite(query, session.catalog) if planned else []
                if len(rewritten) == 1 and rewritten[0].command_type in _PLANNED:
                    plan = self._plan(rewritten[0], used)
                else:
                    planned = False
            if not planned:
                if not rewritten:
                    session.used_literals = used
                result = session.run(query, show=self._send_rows)
                if raw.tag == "FetchStmt":
                    portal = session.portals.get(raw.body["portalname"])
                    session.result_formats = (1,) if portal is not None and portal.is_binary else ()
                self.send_result(result)
                return
            if lock_for_plan(session, plan):
                break
            session.accept_invalidations()  # a table changed while we waited for its lock
        if rewritten[0].command_type != query.command_type and not rewritten[0].can_set_tag:
            # what a rule does instead: its rows are shown under the statement's own tag
            result = session.run_planned(plan, rewritten[0], ())
            result.tag = EMPTY_TAGS[query.command_type]
            self.send_result(result)
            return
        cached = None
        if session.notices:  # of analysis; they must be given the next time too
            self.backend.send_notices()
        elif shape is not None:
            cached = session.plan_cache.store(
                shape, session.guc.epoch, session.plan_version(), plan
            )
        if cached is None:
            cached = CachedStatement(plan)
        cached.query = None if rewritten[0].rtable else rewritten[0]
        self._execute(cached, bind(plan, ()))

    def _prepare_one(self, text: str, shape: Shape) -> CachedStatement | None:
        """Plan a statement and remember it under its shape; None: it is not to be planned so."""
        session = self.session
        try:
            statements = session.parse(text)
            if len(statements) != 1 or session.parse_noticed:
                return None
            with session.catalog.store.reading():
                query, used = session.analyze_statement(statements[0], text)
                rewritten = query_rewrite(query, session.catalog)
                if len(rewritten) != 1 or rewritten[0].command_type != "insert":
                    return None
                plan = self._plan(rewritten[0], used)
        except PgError:
            return None  # to be raised with its position by the general way
        return session.plan_cache.store(  # type: ignore[no-any-return]
            shape, session.guc.epoch, session.plan_version(), plan
        )

    def _plan(self, query: Any, used: set[int]) -> Plan:
        session = self.session
        return plan_query(query, session.catalog, session.udfs, used)

    def send_result(self, result: Result) -> None:
        """Rows with their description, and the tag."""
        self._send_rows(result)
        self.backend.connection.write(command_complete(result.tag))

    def _send_rows(self, result: Result) -> None:
        session, backend = self.session, self.backend
        write = backend.connection.write
        if session.notices:
            backend.send_notices()
        if result.columns is not None:
            formats = session.result_formats
            session.result_formats = ()
            write(describe(session, result.columns, formats))
            if result.rows is not None:
                send_rows(write, result.rows, encoders(session, result.columns, formats))


def _conforming(session: Any) -> bool:
    """Whether a backslash is nothing special in an ordinary literal."""
    return bool(session.guc.values["standard_conforming_strings"])


def _had_started(session: Any, query: Query | None) -> bool:
    """Whether PostgreSQL would have sent RowDescription before this error: not if it folds
    constants and so fails while planning.  None: a query with a FROM."""
    from pgemu.commands.clauses import contain_mutable_functions

    if query is None:
        return True
    started = False
    for entry in query.target_list:
        if _unfoldable(entry.expr) or contain_mutable_functions(session.catalog, entry.expr):
            started = True
            continue
        noticed = len(session.notices)
        try:
            session.evaluate(entry.expr)
        except (PgError, apsw.Error):
            return False
        finally:
            del session.notices[noticed:]
    return started


def _unfoldable(expr: Any) -> bool:
    found = False

    def visit(node: Any) -> bool | None:
        nonlocal found
        found = found or isinstance(node, (SubLink, CoerceToDomain, Aggref, XmlExpr))
        found = found or (isinstance(node, FuncExpr) and node.funcretset)
        return False if found else None

    walk([expr], visit)
    return found
