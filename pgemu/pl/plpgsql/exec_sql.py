"""SQL statements, dynamic SQL, query loops and cursors (pl_exec.c, exec_stmt_execsql and kin)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from pgemu.commands.cmdtag import written_by
from pgemu.errors import (
    DATATYPE_MISMATCH,
    ERROR_IN_ASSIGNMENT,
    FEATURE_NOT_SUPPORTED,
    INVALID_TRANSACTION_TERMINATION,
    NULL_VALUE_NOT_ALLOWED,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    SYNTAX_ERROR,
    TOO_MANY_ROWS,
    UNDEFINED_CURSOR,
    PgError,
)
from pgemu.executor.backward_scan import supports_backward_scan
from pgemu.executor.current_of import (
    CursorScan,
    query_for_cursor,
    split_rows,
    visible_columns,
)
from pgemu.executor.late_errors import rows_until_error
from pgemu.executor.locking import PlanOutdated
from pgemu.pl.plpgsql import statements as s
from pgemu.pl.plpgsql.cursor_plans import (
    check_cursor_plan,
    check_returns_tuples,
    is_select_into,
)
from pgemu.pl.plpgsql.datums import (
    Columns,
    Datum,
    Expr,
    IntoTarget,
    PlType,
    RecField,
    RecordValue,
    ns_lookup,
)
from pgemu.pl.plpgsql.expr import Prepared, analyze_statement, internal_error
from pgemu.pl.plpgsql.extra_checks import (
    LIMIT_HINT,
    MORE_THAN_ONE,
    multi_assignment_mismatch,
    too_many_rows,
)
from pgemu.pl.plpgsql.subxact import run_step
from pgemu.planner.plan import Plan
from pgemu.transam.suspension import allow_suspension
from pgemu.transam.xact import IMPLICIT

OK = 0
_WRITING = ("insert", "update", "delete", "merge")
_NO_DATA = "INTO used with a command that cannot return data"


def _may_commit(query: Any) -> bool:
    """CALL and DO, which may end the transaction inside."""
    return next(iter(query.utility_stmt or {"": 0})) in ("CallStmt", "DoStmt")


def _with_rows(run: Callable[[], Any]) -> Any:
    """The result with all its rows."""
    result = run()
    if result.rows is not None and not isinstance(result.rows, list):
        result.rows = list(result.rows)
    return result


class RunningSql:
    """Mixed into Execution."""

    handler: Any
    session: Any
    function: s.Function
    values: list[Any]
    rows: list[Any]
    atomic: bool
    processed: int
    # the text that run_dynamic ran last
    dynamic_text: str
    # what the cursor's query that ran last fails with behind its rows
    late_error: PgError | None
    result_columns: Any
    check_materialize: Callable[[], None]
    assign: Any
    move_values: Any
    evaluate: Any
    value_as: Any
    set_found: Any
    statements: Callable[[Sequence[s.Stmt]], int]
    after_body: Callable[[int, str | None], tuple[bool, int]]
    storage_of: Any
    plain_value: Any
    cast: Any
    record_of: Any

    # -- running ---------------------------------------------------------------------------------

    def prepare_statement(self, expr: Expr) -> Prepared:
        session, values = self.session, self.values
        prepared: Prepared | None = expr.cache.get("sql")
        if (
            prepared is not None
            and prepared.version == session.plan_version()
            and prepared.epoch == session.guc.epoch
        ):
            for dno, columns in prepared.shapes:
                if values[dno].columns != columns:
                    break
            else:
                return prepared
        session.accept_invalidations()
        prepared = analyze_statement(session, expr, values, self.function.variable_conflict)
        prepared.version, prepared.epoch = session.plan_version(), session.guc.epoch
        if len(prepared.queries) == 1:
            expr.cache["sql"] = prepared
        return prepared

    def run_cursor_query(self, expr: Expr) -> tuple[Any, CursorScan | None]:
        """The result of a cursor's query, with what WHERE CURRENT OF wants to know."""
        prepared = self.prepare_statement(expr)
        check_cursor_plan(prepared.queries, expr.text)
        if prepared.scan is None and len(prepared.queries) == 1:
            made, prepared.scan = query_for_cursor(self.session.catalog, prepared.queries[0])
            prepared.queries = [made]
        _, result = self.run_statement(expr, prepared, is_cursor=True)
        return result, replace(prepared.scan, rows=[]) if prepared.scan is not None else None

    def run_statement(self, expr: Expr, prepared: Any = None, *, is_cursor: bool = False) -> Any:
        """Run a static statement; its Result.  is_cursor: by a portal of its own."""
        if prepared is None:
            prepared = self.prepare_statement(expr)
        params = [get(self.values) for get in prepared.sources]
        result = None
        for query in prepared.queries:
            run = partial(self._run_query, prepared, query, params)
            try:
                result = self._in_context(
                    expr.text, query, run, params=params, is_cursor=is_cursor, prepared=prepared
                )
            except PlanOutdated:
                return self.run_statement(expr, is_cursor=is_cursor)
        return prepared, result

    def _plan(self, prepared: Prepared | None, query: Any) -> Plan | bool:
        """False: there is none that could be looked at."""
        if prepared is None:
            return False
        if prepared.plan is None:
            prepared.plan = self.session.plan_once(query)
        return prepared.plan if len(prepared.queries) == 1 else False

    def _run_query(self, prepared: Prepared, query: Any, params: list[Any]) -> Any:
        plan = self._plan(prepared, query)
        return self.session.run_planned(plan, query, params, replans=prepared.scan is None)

    def _in_context(
        self,
        text: str,
        query: Any,
        run: Callable[[], Any],
        *,
        params: Sequence[Any] = (),
        is_cursor: bool = False,
        prepared: Prepared | None = None,
    ) -> Any:
        """Run with `SQL statement "..."` in the context of messages, which portals do without."""
        line = f'SQL statement "{text}"'
        self.late_error = None
        session, stack = self.session, self.handler.stack
        self._check_command(query)
        saved, session.source_text = session.source_text, text
        depth = len(stack)
        if not is_cursor:
            stack.append(line)
        try:
            self._check_allowed(query, line if is_cursor else None)
            try:
                if query.command_type == "utility" and not self.atomic and _may_commit(query):
                    return _with_rows(run)
                return run_step(session, self._plan(prepared, query), partial(_with_rows, run))
            except PgError as error:
                if not is_cursor or query.command_type != "select":
                    raise
                try:
                    result, self.late_error = rows_until_error(session, query, params, error)
                except PgError as planned:  # by the planner, before there is a portal
                    planned.add_context(line)
                    raise
            return _with_rows(lambda: result)
        except PgError as error:
            error.location = None
            if error.internal_query is None and error.position is not None:
                error.internal_query, error.internal_position = text, error.position
                error.position = None
            elif not is_cursor:
                error.add_context(line)
            raise
        finally:
            del stack[depth:]
            session.source_text = saved

    def _check_command(self, query: Any) -> None:
        """What SPI knows and PL/pgSQL refuses."""
        if query.command_type != "utility":
            return
        tag = next(iter(query.utility_stmt or {"": 0}))
        if tag == "TransactionStmt":
            raise PgError(FEATURE_NOT_SUPPORTED, "unsupported transaction command in PL/pgSQL")
        if tag == "CopyStmt" and not query.utility_stmt["CopyStmt"].get("filename"):
            raise PgError(FEATURE_NOT_SUPPORTED, "cannot COPY to/from client in PL/pgSQL")

    def _check_allowed(self, query: Any, line: str | None) -> None:
        """A function that is not volatile only reads.  line: of context, if nobody else adds it."""
        if self.function.readonly and (word := written_by(query)) is not None:
            error = PgError(
                FEATURE_NOT_SUPPORTED, f"{word} is not allowed in a non-volatile function"
            )
            if line is not None:
                error.add_context(line)
            raise error

    def run_dynamic(
        self,
        expr: Expr,
        params: Sequence[Expr],
        what: str,
        scans: list[CursorScan | None] | None = None,
        check: Callable[[Sequence[Any], str], None] | None = None,
    ) -> Any:
        """A query in a string: (Query, Result).  scans: it is a cursor's, and gets what WHERE
        CURRENT OF wants to know.  check: whether the statements are what the caller can use."""
        value, oid, typmod = self.evaluate(expr)
        if value is None:
            message = f"query string argument of {what} is null"
            raise PgError(NULL_VALUE_NOT_ALLOWED, message)
        text = value if oid in (25, 1043, 705) else self.session.output_value(oid, value, typmod)
        given = [self.evaluate(p) for p in params]
        types = [25 if g[1] == 705 else g[1] for g in given]
        values = [g[0] for g in given]
        query: Any = None
        result: Any = None
        shown = Expr(text, 0, None, True)
        self.dynamic_text = text
        try:
            raws = self.session.parse(text)
        except PgError as error:
            raise internal_error(error, shown, 0) from None
        if check is not None and len(raws) != 1:
            check(raws, text)
        for raw in raws:
            if "TransactionStmt" in raw.node:
                raise PgError(
                    FEATURE_NOT_SUPPORTED, "EXECUTE of transaction commands is not implemented"
                )
            try:
                query = self._analyze_dynamic(raw, text, types)
            except PgError as error:
                raise internal_error(error, shown, 0) from None
            if check is not None:
                check([query], text)
            if is_select_into(query):
                raise PgError(
                    FEATURE_NOT_SUPPORTED,
                    "EXECUTE of SELECT ... INTO is not implemented",
                    hint="You might want to use EXECUTE ... INTO or EXECUTE CREATE TABLE ... AS "
                    "instead.",
                )
            if scans is not None:
                query, scan = query_for_cursor(self.session.catalog, query)
                scans.append(scan)
            run = partial(self.session.run, query, values)
            result = self._in_context(
                text, query, run, params=values, is_cursor=check is check_cursor_plan
            )
        return query, result

    def _analyze_dynamic(self, raw: Any, text: str, types: list[int]) -> Any:
        from pgemu.parser.analyze import analyze_with_state
        from pgemu.parser.parse_node import make_parsestate

        pstate = make_parsestate(None, self.session.catalog, text)
        pstate.p_query_env = self.session.query_environment
        return analyze_with_state(pstate, raw, types)

    # -- statements ------------------------------------------------------------------------------

    def run_execsql(self, stmt: s.ExecSql) -> int:
        prepared, result = self.run_statement(stmt.sql)
        query = prepared.queries[-1] if prepared.queries else None
        if query is None or result is None:
            return OK
        self.processed = self._count(query, result)
        if query.command_type != "utility":
            self.set_found(self.processed != 0)
        if stmt.into is not None:
            self._store_into(stmt, query, result)
        elif result.columns is not None and query.command_type == "select":
            raise PgError(
                SYNTAX_ERROR,
                "query has no destination for result data",
                hint="If you want to discard the results of a SELECT, use PERFORM instead.",
            )
        elif result.columns is not None:
            raise PgError(SYNTAX_ERROR, "query has no destination for result data")
        return OK

    def _count(self, query: Any, result: Any) -> int:
        if query.command_type == "utility":
            last = result.tag.rsplit(" ", 1)[-1]
            return int(last) if last.isdigit() else 0
        return int(result.count)

    def _store_into(self, stmt: Any, query: Any, result: Any) -> None:
        if result.columns is None:
            raise PgError(SYNTAX_ERROR, _NO_DATA)
        rows = result.rows or []
        modifies = query.command_type in _WRITING
        columns = _columns(result)
        if not rows:
            if stmt.strict:
                raise PgError("P0002", "query returned no rows", detail=self._strict_detail(stmt))
            self.assign_into(stmt.into, columns, None)
        else:
            if len(rows) > 1:
                dynamic = isinstance(stmt, s.DynExecute)
                if stmt.strict or (modifies and not dynamic):
                    raise PgError(
                        TOO_MANY_ROWS,
                        MORE_THAN_ONE,
                        detail=self._strict_detail(stmt),
                        hint=None if dynamic else LIMIT_HINT,
                    )
                if not dynamic:
                    too_many_rows(self.session, self.handler.context())
            self.assign_into(stmt.into, columns, rows[0])
        if not modifies:
            self.processed = min(len(rows), 1)

    def _strict_detail(self, stmt: Any) -> str | None:
        """print_strict_params."""
        if not self.function.print_strict_params:
            return None
        shown: list[str] = []
        if isinstance(stmt, s.DynExecute):
            for number, expr in enumerate(stmt.params, 1):
                value, oid, typmod = self.evaluate(expr)
                shown.append(f"${number} = {self._shown(value, oid, typmod)}")
        else:
            seen: list[str] = []
            for name, value, dtype in self._params_of(stmt.sql):
                if name not in seen:
                    seen.append(name)
                    shown.append(f"{name} = {self._shown(value, dtype.oid, dtype.typmod)}")
        return f"parameters: {', '.join(shown)}" if shown else None

    def _params_of(self, expr: Expr) -> list[tuple[str, Any, PlType]]:
        from pgemu.pl.plpgsql.scanner import tokenize

        found = []
        for token in tokenize(expr.text):
            if token.kind in ("word", "quoted"):
                datum, _ = ns_lookup(expr.ns, False, [token.value])
                if datum is not None and not isinstance(self.values[datum.dno], RecordValue):
                    found.append((datum.refname, self.values[datum.dno], datum.type))
        return found

    def _shown(self, value: Any, oid: int, typmod: int) -> str:
        if value is None:
            return "NULL"
        text: str = self.session.output_value(oid, value, typmod)
        return "'" + text.replace("'", "''") + "'"

    def run_dynexecute(self, stmt: s.DynExecute) -> int:
        query, result = self.run_dynamic(stmt.query, stmt.params, "EXECUTE")
        if query is None:
            self.processed = 0
            if stmt.into is not None:
                raise PgError(SYNTAX_ERROR, _NO_DATA)
            return OK
        self.processed = self._count(query, result)
        if stmt.into is not None:
            self._store_into(stmt, query, result)
        return OK

    def run_perform(self, stmt: s.Perform) -> int:
        _, result = self.run_statement(stmt.expr)
        self.processed = int(result.count)
        self.set_found(self.processed != 0)
        return OK

    def run_call(self, stmt: s.Call) -> int:
        session = self.session
        prepared = self.prepare_statement(stmt.expr)
        query = prepared.queries[0]
        targets = self._call_targets(stmt, query) if stmt.is_call else []
        params = [get(self.values) for get in prepared.sources]
        saved = session.call_atomic
        session.call_atomic = self.atomic or bool(session.pl_subxact_depth)
        try:
            result = self._in_context(stmt.expr.text, query, lambda: session.run(query, params))
        finally:
            session.call_atomic = saved
        rows = list(result.rows or ())
        if rows:
            columns = _columns(result)
            for position, target in enumerate(targets):
                _, oid, typmod = columns[position]
                self.assign(target, rows[0][position], oid, typmod)
        return OK

    def _call_targets(self, stmt: s.Call, query: Any) -> list[Datum]:
        """What the INOUT and OUT arguments go to (make_callstmt_target)."""
        from pgemu.catalog.rows import PgProc

        call = query.utility_stmt["CallStmt"]["funccall"]
        func = query.utility_query.target_list[0].expr
        proc = self.session.catalog.get(PgProc, oid=func.funcid)
        names = proc.proargnames or ()
        modes = proc.proargmodes or ("i",) * len(proc.proargtypes)
        targets: list[Datum] = []
        for number, mode in enumerate(modes):
            if mode not in ("o", "b"):
                continue
            raw = _call_argument(call, number, names)
            target = None if raw is None else self._writable(stmt.expr, raw)
            if target is None:
                name = names[number] if number < len(names) and names[number] else ""
                shown = f'parameter "{name}"' if name else f"parameter {number + 1}"
                raise PgError(
                    SYNTAX_ERROR,
                    f"procedure {shown} is an output parameter but corresponding "
                    "argument is not writable",
                )
            owner = target.rec if isinstance(target, RecField) else target
            if owner.isconst:
                raise PgError(
                    ERROR_IN_ASSIGNMENT, f'variable "{owner.refname}" is declared CONSTANT'
                )
            targets.append(target)
        return targets

    def _writable(self, expr: Expr, raw: dict[str, Any]) -> Datum | None:
        if "ParamRef" in raw:
            datum, _ = ns_lookup(expr.ns, False, [f"${raw['ParamRef'].get('number', 0)}"])
            return datum
        if "ColumnRef" not in raw:
            return None
        names = [f.get("String", {}).get("sval", "") for f in raw["ColumnRef"]["fields"]]
        datum, used = ns_lookup(expr.ns, False, names)
        if datum is None or used == len(names):
            return datum
        from pgemu.pl.plpgsql.datums import Rec

        return RecField(datum, names[-1]) if isinstance(datum, Rec) else None

    # -- INTO ------------------------------------------------------------------------------------

    def assign_into(self, target: IntoTarget, columns: Columns, row: Sequence[Any] | None) -> None:
        """exec_move_row."""
        if target.rec is not None:
            self.move_values(target.rec, columns, row)
            return
        if row is not None and len(row) != len(target.scalars):
            multi_assignment_mismatch(self.session, self.handler.context())
        for number, scalar in enumerate(target.scalars):
            if row is None or number >= len(row):
                self.assign(scalar, None, 705, -1)
            else:
                _, oid, typmod = columns[number]
                self.assign(scalar, row[number], oid, typmod)

    # -- loops over rows -------------------------------------------------------------------------

    def _loop_rows(
        self,
        stmt: Any,
        target: IntoTarget,
        columns: Columns,
        rows: Sequence[Any],
        cursor: str | None = None,
    ) -> int:
        found, code, late_error = False, OK, self.late_error
        if not rows and late_error is None:
            self.assign_into(target, columns, None)
        if cursor is not None:
            self.handler.pinned.add(cursor)
        for row in rows:
            found = True
            if cursor is not None:
                self.session.cursor_advance(cursor)
            self.assign_into(target, columns, row)
            leave, code = self.after_body(self.statements(stmt.body), stmt.label)
            if leave:
                break
            self.session.check_for_interrupts()
        else:
            if late_error is not None:
                raise late_error
        self.set_found(found)
        return code

    def run_for_query(self, stmt: s.ForQuery) -> int:
        prepared = self.prepare_statement(stmt.query)
        check_cursor_plan(prepared.queries, stmt.query.text)
        self.handler.unnamed_cursor()
        _, result = self.run_statement(stmt.query, prepared, is_cursor=True)
        with self._writing_loop(prepared.queries[0]):
            return self._loop_rows(stmt, stmt.target, _columns(result), result.rows or [])

    @contextmanager
    def _writing_loop(self, query: Any) -> Iterator[None]:
        """A loop over a query that is not read-only cannot see its transaction end."""
        writing = int(query.command_type in _WRITING or query.has_modifying_cte)
        self.handler.writing_loops += writing
        try:
            yield
        finally:
            self.handler.writing_loops -= writing

    def run_for_execute(self, stmt: s.ForExecute) -> int:
        query, result = self.run_dynamic(
            stmt.query, stmt.params, "EXECUTE", check=check_cursor_plan
        )
        self.handler.unnamed_cursor()
        with self._writing_loop(query):
            return self._loop_rows(stmt, stmt.target, _columns(result), result.rows or [])

    def run_for_cursor(self, stmt: s.ForCursor) -> int:
        name = self.values[stmt.cursor.dno]
        if name is not None and self.session.cursor_exists(name):
            raise PgError("42P03", f'cursor "{name}" already in use')
        self._set_cursor_args(stmt.cursor, stmt.args)
        assert stmt.cursor.cursor_query is not None
        result, scan = self.run_cursor_query(stmt.cursor.cursor_query)
        text = stmt.cursor.cursor_query.text
        opened = self._open(stmt.cursor, result, text, stmt.cursor.cursor_scroll, scan)
        columns, rows = _columns(result), self.session.portals[opened].spool
        try:
            return self._loop_rows(stmt, stmt.target, columns, rows, opened)
        finally:
            self.handler.pinned.discard(opened)
            self.session.cursor_close(opened)
            if name is None:
                self.values[stmt.cursor.dno] = None

    def _set_cursor_args(self, cursor: Any, args: list[Expr] | None) -> None:
        values = [
            self.value_as(e, v.type)
            for e, v in zip(args or (), cursor.cursor_args or (), strict=False)
        ]
        for variable, value in zip(cursor.cursor_args or (), values, strict=False):
            self.values[variable.dno] = value

    # -- RETURN QUERY ----------------------------------------------------------------------------

    def run_return_query(self, stmt: s.ReturnQuery) -> int:
        self.check_materialize()
        if stmt.query is not None:
            text = stmt.query.text
            prepared = self.prepare_statement(stmt.query)
            check_returns_tuples(prepared.queries, text)
            _, result = self.run_statement(stmt.query, prepared)
        else:
            assert stmt.dynamic is not None
            _, result = self.run_dynamic(
                stmt.dynamic, stmt.params, "EXECUTE", check=check_returns_tuples
            )
            text = self.dynamic_text
        columns = _columns(result)
        wanted = self.result_columns()
        kind = self.function.result_type
        try:
            self._check_result(columns, wanted)
        except PgError as error:
            error.add_context(f'SQL statement "{text}"')
            raise
        if not kind.is_row:
            self.rows.extend(row[0] for row in result.rows or ())
        elif any(not c[1] for c in wanted):
            self.rows.extend(_spread(row, wanted) for row in result.rows or ())
        else:
            self.rows.extend(result.rows or ())
        self.processed = len(result.rows or ())
        self.set_found(self.processed != 0)
        return OK

    def _check_result(self, columns: Columns, wanted: Sequence[tuple[str, int, int]]) -> None:
        kind = self.function.result_type
        message = "structure of query does not match function result type"
        if not kind.is_row:
            self._check_structure(columns, (("", kind.oid, -1),), message)
        elif wanted:
            self._check_structure(columns, wanted, message)

    def _check_structure(
        self, columns: Columns, wanted: Sequence[tuple[str, int, int]], message: str
    ) -> None:
        name = self.session.catalog.type_name
        live = [c for c in wanted if c[1]]
        for number, (have, want) in enumerate(zip(columns, live, strict=False), 1):
            if have[1] != want[1] or (want[2] >= 0 and have[2] != want[2]):
                raise PgError(
                    DATATYPE_MISMATCH,
                    message,
                    detail=f"Returned type {name(have[1], have[2])} does not match expected "
                    f"type {name(want[1], want[2])} in column {number}.",
                )
        if len(columns) != len(live):
            raise PgError(
                DATATYPE_MISMATCH,
                message,
                detail=f"Number of returned columns ({len(columns)}) does not match expected "
                f"column count ({len(live)}).",
            )

    # -- cursors ---------------------------------------------------------------------------------

    def _open(
        self,
        cursor: Any,
        result: Any,
        text: str,
        scroll: bool | None,
        scan: CursorScan | None = None,
    ) -> str:
        name = self.values[cursor.dno]
        if name is None:
            name = self.handler.unnamed_cursor()
            self.values[cursor.dno] = name
        rows = split_rows(scan, list(result.rows or ()))
        result.columns = visible_columns(scan, result.columns)
        session, late_error = self.session, self.late_error
        session.cursor_open(name, result.columns, rows, text, scroll, scan, late_error)
        return str(name)

    def run_open(self, stmt: s.Open) -> int:
        name = self.values[stmt.cursor.dno]
        if name is not None and self.session.cursor_exists(name):
            raise PgError("42P03", f'cursor "{name}" already in use')
        if stmt.dynamic is not None:
            scans: list[CursorScan | None] = []
            query, result = self.run_dynamic(
                stmt.dynamic, stmt.params, "EXECUTE", scans, check_cursor_plan
            )
            text, scan = self.dynamic_text, scans[-1] if scans else None
        else:
            expr = stmt.query
            if expr is None:
                self._set_cursor_args(stmt.cursor, stmt.args)
                expr = stmt.cursor.cursor_query
            assert expr is not None
            result, scan = self.run_cursor_query(expr)
            text, query = expr.text, self.prepare_statement(expr).query
        scroll = stmt.scroll
        if scroll is None:
            scroll = query.command_type == "select" and not query.row_marks
            scroll = scroll and supports_backward_scan(query)
        self._open(stmt.cursor, result, text, scroll, scan)
        return OK

    def _cursor_name(self, stmt: Any) -> str:
        name = self.values[stmt.cursor.dno]
        if name is None:
            raise PgError(
                NULL_VALUE_NOT_ALLOWED, f'cursor variable "{stmt.cursor.refname}" is null'
            )
        if not self.session.cursor_exists(name):
            raise PgError(UNDEFINED_CURSOR, f'cursor "{name}" does not exist')
        return str(name)

    def run_fetch(self, stmt: s.Fetch) -> int:
        name = self._cursor_name(stmt)
        count = stmt.how_many
        if stmt.expr is not None:
            count = self.value_as(stmt.expr, self.handler.int_type)
            if count is None:
                raise PgError(
                    NULL_VALUE_NOT_ALLOWED, "relative or absolute cursor position is null"
                )
        columns, rows = self.session.cursor_fetch(name, stmt.direction, count)
        if not stmt.is_move:
            assert stmt.target is not None
            shaped: Columns = tuple((c.name, c.type_oid, c.typmod) for c in columns or ())
            self.assign_into(stmt.target, shaped, rows[0] if rows else None)
        self.processed = len(rows)
        self.set_found(bool(rows))
        return OK

    def run_close(self, stmt: s.Close) -> int:
        self.session.cursor_close(self._cursor_name(stmt))
        return OK

    # -- COMMIT and ROLLBACK ---------------------------------------------------------------------

    def run_commit(self, stmt: s.Commit) -> int:
        self._end_transaction(True, stmt.chain)
        return OK

    def run_rollback(self, stmt: s.Rollback) -> int:
        self._end_transaction(False, stmt.chain)
        return OK

    def _end_transaction(self, committing: bool, chain: bool) -> None:
        if self.atomic:
            raise PgError(INVALID_TRANSACTION_TERMINATION, "invalid transaction termination")
        if getattr(self.session, "pl_subxact_depth", 0):
            word = "commit" if committing else "roll back"
            raise PgError(
                INVALID_TRANSACTION_TERMINATION,
                f"cannot {word} while a subtransaction is active",
            )
        session = self.session
        xact = session.xact
        if self.handler.writing_loops:
            raise PgError(
                OBJECT_NOT_IN_PREREQUISITE_STATE,
                "cannot perform transaction commands inside a cursor loop that is not read-only",
            )
        kept = xact.current
        session.ended_inside = True
        # the calls around this one are inside the same transaction
        depth, xact._write_depth = xact._write_depth, 1
        if committing:
            xact.end_write()
        else:
            xact.abort_write()
        # it has slept in the middle, or is serializable
        began_implicit = xact.state == IMPLICIT
        if began_implicit:
            xact.commit(may_wait=True) if committing else xact.rollback()
        self._end_cursors()
        session.start_statement()
        if began_implicit and xact.current.isolation == "serializable":
            session.begin_implicit(pipeline=True)
        else:
            session.guc.push()
        xact.queried = False
        if chain:
            for name, value in (
                ("isolation", kept.isolation),
                ("read_only", "on" if kept.read_only else "off"),
                ("deferrable", "on" if kept.deferrable else "off"),
            ):
                session.guc.set(f"transaction_{name}", value, local=True)
        xact.begin_write()
        xact._write_depth = depth
        allow_suspension(xact, alone=True)  # a lock of somebody who does not write may be met

    def _end_cursors(self) -> None:
        """Cursors end with the transaction, but for those of loops (HoldPinnedPortals)."""
        session = self.session
        for name, portal in list(session.portals.items()):
            if portal.is_cursor and not portal.is_holdable and name not in self.handler.pinned:
                session.cursor_close(name)


def _columns(result: Any) -> Columns:
    return tuple((c.name, c.type_oid, c.typmod) for c in result.columns or ())


def _spread(row: Sequence[Any], wanted: Sequence[tuple[str, int, int]]) -> tuple[Any, ...]:
    """A row with NULLs where the row type has dropped columns."""
    values = iter(row)
    return tuple(next(values) if c[1] else None for c in wanted)


def _call_argument(
    call: dict[str, Any], number: int, names: Sequence[str]
) -> dict[str, Any] | None:
    args = call.get("args", ())
    for position, raw in enumerate(args):
        named = raw.get("NamedArgExpr")
        if named is not None:
            if number < len(names) and named["name"] == names[number]:
                found: dict[str, Any] = named["arg"]
                return found
        elif position == number:
            plain: dict[str, Any] = raw
            return plain
    return None
