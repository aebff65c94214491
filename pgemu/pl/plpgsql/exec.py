"""The interpreter: a running function and its control structures (PostgreSQL's pl_exec.c)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from pgemu.errors import (
    ARRAY_SUBSCRIPT_ERROR,
    CASE_NOT_FOUND,
    DATATYPE_MISMATCH,
    FEATURE_NOT_SUPPORTED,
    INVALID_PARAMETER_VALUE,
    NULL_VALUE_NOT_ALLOWED,
    S_R_E_FUNCTION_EXECUTED_NO_RETURN_STATEMENT,
    PgError,
)
from pgemu.pl.plpgsql import conditions
from pgemu.pl.plpgsql import statements as s
from pgemu.pl.plpgsql.datums import (
    RECORDOID,
    Datum,
    Expr,
    IntoTarget,
    PlType,
    Rec,
    RecField,
    RecordValue,
    Var,
)
from pgemu.pl.plpgsql.exec_assign import Assigning
from pgemu.pl.plpgsql.exec_raise import Raising
from pgemu.pl.plpgsql.exec_sql import RunningSql
from pgemu.pl.plpgsql.subxact import Subtransaction

OK, EXIT, CONTINUE, RETURN = 0, 1, 2, 3
BOOLOID, INT4OID = 16, 23

_NOT_A_ROW = "cannot return non-composite value from function returning composite type"
_INITIALIZATION = "during statement block local variable initialization"


class Execution(Assigning, RunningSql, Raising):
    """One call of a function."""

    def __init__(self, handler: Any, function: s.Function, *, atomic: bool = True) -> None:
        self.handler = handler
        self.session = handler.session
        self.function = function
        self.atomic = atomic
        self.values: list[Any] = [None] * len(function.datums)
        self.stmt: s.Stmt | None = None
        self.text = "during function entry"
        self.label: str | None = None
        self.result: Any = None
        # what RETURN was given, to be converted when the body is left: (value, type, typmod)
        self.returned: tuple[Any, int, int] | None = None
        self.rows: list[Any] = []
        self.processed = 0
        self.error: PgError | None = None
        # the one that a block is initializing
        self.variable: Var | Rec | None = None
        self.trigger: Any = None
        self.evaluating: Expr | None = None
        for datum in function.datums:
            if isinstance(datum, Rec):
                self.values[datum.dno] = self.empty_record(datum)

    # -- context ---------------------------------------------------------------------------------

    def context_line(self) -> str:
        """plpgsql_exec_error_callback."""
        name = self.function.signature
        if self.stmt is not None and self.stmt.lineno:
            if self.text and self.text != "during function entry":
                lineno = self.stmt.lineno
                if self.text == _INITIALIZATION and self.variable is not None:
                    lineno = self.variable.lineno
                return f"PL/pgSQL function {name} line {lineno} {self.text}"
            return (
                f"PL/pgSQL function {name} line {self.stmt.lineno} at "
                f"{self.stmt.label_of_context()}"
            )
        if self.text:
            return f"PL/pgSQL function {name} {self.text}"
        return f"PL/pgSQL function {name}"

    def run(self, enter: Callable[[], None]) -> int:
        """Run the body inside its error context."""
        stack = self.handler.stack
        stack.append(self)
        try:
            enter()
            self.text = ""
            self.values[self.function.found.dno] = 0
            code = self.block(self.function.body)
            if code in (EXIT, CONTINUE):
                raise PgError("42601", "control reached end of function without RETURN")
            self.stmt = None
            if code != RETURN and not self._may_fall_through():
                raise PgError(
                    S_R_E_FUNCTION_EXECUTED_NO_RETURN_STATEMENT,
                    "control reached end of function without RETURN"
                    if not self.function.is_trigger
                    else "control reached end of trigger procedure without RETURN",
                )
            self.text = "while casting return value to function's return type"
            if self.returned is not None:
                self._convert_result()
            return code
        except PgError as error:
            if getattr(error, "context_of", None) is not self:
                error.add_context(self.context_line())
            error.context_of = None  # type: ignore[attr-defined]
            raise
        finally:
            stack.pop()

    def _may_fall_through(self) -> bool:
        function = self.function
        result = function.result_type
        if function.is_trigger:
            return False
        return bool(
            result.oid in (0, 2278) or result.retset or function.out_params or result.is_procedure
        )

    # -- blocks and statements -------------------------------------------------------------------

    def block(self, block: s.Block) -> int:
        self.text = _INITIALIZATION
        saved = self.stmt
        self.stmt = block
        for variable in block.variables:
            self.variable = variable
            self.initialize(variable)
        self.text = ""
        if block.handlers is not None:
            code = self._guarded(block)
        else:
            code = self.statements(block.body)
        self.stmt = saved
        self.text = ""
        return self._leave_block(block, code)

    def _leave_block(self, block: s.Block, code: int) -> int:
        if code == EXIT and self.label is not None and self.label == block.label:
            self.label = None
            return OK
        return code

    def _guarded(self, block: s.Block) -> int:
        """A block with EXCEPTION: a subtransaction."""
        assert block.handlers is not None
        self.text = "during statement block entry"
        sub = Subtransaction(self.session)
        sub.begin()
        self.text = ""
        depth = len(self.handler.stack)
        saved_error = self.error
        try:
            code = self.statements(block.body)
            self.text = "during statement block exit"
            sub.release()
            self.text = ""
            return code
        except RecursionError:
            sub.rollback()
            raise
        except PgError as error:
            if getattr(error, "context_of", None) is not self:
                error.add_context(self.context_line())
            error.context_of = self  # type: ignore[attr-defined]
            sub.rollback()
            del self.handler.stack[depth:]
            self.text = ""
            handler = self._handler_for(block, error)
            if handler is None:
                raise
            self.error = error
        except BaseException:
            sub.rollback()
            raise
        assert block.sqlstate is not None
        assert block.sqlerrm is not None
        self.values[block.sqlstate.dno] = self.error.sqlstate
        self.values[block.sqlerrm.dno] = self.error.message
        self.stmt = block
        try:
            return self.statements(handler.body)
        finally:
            self.error = saved_error

    def _handler_for(self, block: s.Block, error: PgError) -> s.ExceptionHandler | None:
        if error.severity != "ERROR":
            return None
        for handler in block.handlers or ():
            if any(conditions.matches(c, error.sqlstate) for c in handler.conditions):
                return handler
        return None

    def statements(self, body: Sequence[s.Stmt]) -> int:
        for stmt in body:
            saved = self.stmt
            self.stmt = stmt
            code = RUN[type(stmt)](self, stmt)
            self.stmt = saved
            if code:
                return code
        return OK

    # -- conditions and loops --------------------------------------------------------------------

    def run_if(self, stmt: s.If) -> int:
        for condition, body in stmt.branches:
            if self.boolean(condition):
                return self.statements(body)
        return self.statements(stmt.otherwise)

    def run_case(self, stmt: s.Case) -> int:
        if stmt.operand is not None:
            assert stmt.variable is not None
            value, oid, typmod = self.evaluate(stmt.operand)
            if stmt.variable.type.oid != oid:
                stmt.variable.type = self.plain_type(oid, typmod)
                for condition, _ in stmt.branches:
                    condition.cache.clear()
            self.values[stmt.variable.dno] = value
        for condition, body in stmt.branches:
            if self.boolean(condition):
                return self.statements(body)
        if stmt.otherwise is None:
            raise PgError(
                CASE_NOT_FOUND, "case not found", hint="CASE statement is missing ELSE part."
            )
        return self.statements(stmt.otherwise)

    def after_body(self, code: int, label: str | None) -> tuple[bool, int]:
        """LOOP_RC_PROCESSING: (leave the loop, with this code)."""
        if code == OK:
            return False, OK
        if code == RETURN:
            return True, RETURN
        if self.label is None:
            return code == EXIT, OK
        if self.label == label:
            self.label = None
            return code == EXIT, OK
        return True, code

    def run_loop(self, stmt: s.Loop) -> int:
        while True:
            self.session.check_for_interrupts()
            leave, code = self.after_body(self.statements(stmt.body), stmt.label)
            if leave:
                return code

    def run_while(self, stmt: s.While) -> int:
        while self.boolean(stmt.condition):
            self.session.check_for_interrupts()
            leave, code = self.after_body(self.statements(stmt.body), stmt.label)
            if leave:
                return code
        return OK

    def _bound(self, expr: Expr, what: str) -> int:
        value = self.value_as(expr, self.integer())
        if value is None:
            raise PgError(NULL_VALUE_NOT_ALLOWED, f"{what} of FOR loop cannot be null")
        return int(value)

    def run_for_integer(self, stmt: s.ForInteger) -> int:
        lower = self._bound(stmt.lower, "lower bound")
        upper = self._bound(stmt.upper, "upper bound")
        step = 1 if stmt.step is None else self._bound(stmt.step, "BY value")
        if step <= 0:
            raise PgError(INVALID_PARAMETER_VALUE, "BY value of FOR loop must be greater than zero")
        numbers = range(lower, upper - 1, -step) if stmt.reverse else range(lower, upper + 1, step)
        found, code, dno = 0, OK, stmt.variable.dno
        for number in numbers:
            found = 1
            self.values[dno] = number
            leave, code = self.after_body(self.statements(stmt.body), stmt.label)
            if leave:
                break
            self.session.check_for_interrupts()
        self.values[self.function.found.dno] = found
        return code

    def run_foreach(self, stmt: s.ForEach) -> int:
        value, oid, _ = self.evaluate(stmt.expr)
        if value is None:
            raise PgError(NULL_VALUE_NOT_ALLOWED, "FOREACH expression must not be null")
        element = self.session.catalog.types.element_type(oid)
        if not element:
            name = self.session.catalog.type_name(oid)
            raise PgError(
                DATATYPE_MISMATCH, f"FOREACH expression must yield an array, not type {name}"
            )
        data = json.loads(value)
        data = data["a"] if isinstance(data, dict) else data
        dimensions, probe = 0, data
        while isinstance(probe, list):
            dimensions += 1
            probe = probe[0] if probe else None
        if stmt.slice < 0 or (stmt.slice > dimensions and data):
            raise PgError(
                ARRAY_SUBSCRIPT_ERROR,
                f"slice dimension ({stmt.slice}) is out of the valid range 0..{dimensions}",
            )
        self._check_foreach_target(stmt)
        typed = oid if stmt.slice else element
        found, code = 0, OK
        for item in self._slices(data, dimensions - stmt.slice, element, stmt.slice):
            found = 1
            self._assign_item(stmt.target, item, typed)
            leave, code = self.after_body(self.statements(stmt.body), stmt.label)
            if leave:
                break
            self.session.check_for_interrupts()
        self.values[self.function.found.dno] = found
        return code

    def _assign_item(self, target: IntoTarget, item: Any, oid: int) -> None:
        if target.rec is not None:
            self.assign(target.rec, item, oid, -1)
        elif len(target.scalars) == 1:
            self.assign(target.scalars[0], item, oid, -1)
        else:
            record = self.record_of(item, oid)
            if record is None:
                raise PgError(
                    DATATYPE_MISMATCH, "cannot assign non-composite value to a row variable"
                )
            self.assign_into(target, record.columns, record.values)

    def _check_foreach_target(self, stmt: s.ForEach) -> None:
        scalars = stmt.target.scalars
        if len(scalars) > 1 or (scalars and isinstance(scalars[0], RecField)):
            return
        target = stmt.target.rec or scalars[0]
        assert not isinstance(target, RecField)
        is_array = bool(self.session.catalog.types.element_type(target.type.oid))
        if stmt.slice and not is_array:
            raise PgError(
                DATATYPE_MISMATCH, "FOREACH ... SLICE loop variable must be of an array type"
            )
        if not stmt.slice and is_array:
            raise PgError(DATATYPE_MISMATCH, "FOREACH loop variable must not be of an array type")

    def _slices(self, data: Any, depth: int, element: int, width: int) -> Any:
        from pgemu.types.record import dump

        if depth == 0:
            if width:
                yield dump(data) if not isinstance(data, str) else data
            else:
                yield self.array_element(data, element)
            return
        for item in data:
            yield from self._slices(item, depth - 1, element, width)

    def run_exit(self, stmt: s.Exit) -> int:
        if stmt.condition is not None and not self.boolean(stmt.condition):
            return OK
        self.label = stmt.label
        return EXIT if stmt.is_exit else CONTINUE

    def run_assign(self, stmt: s.Assign) -> int:
        if stmt.indirect:
            self.assign_part(stmt)
        else:
            self.assign_expr(stmt.target, stmt.expr)
        return OK

    # -- RETURN ----------------------------------------------------------------------------------

    def run_return(self, stmt: s.Return) -> int:
        function = self.function
        result = function.result_type
        if result.retset:
            return RETURN
        if stmt.expr is None:
            if function.out_params:
                self.result = self.out_row()
            return RETURN
        if function.is_trigger:
            self.result = self._trigger_result(stmt.expr)
            return RETURN
        if result.is_row:
            record = self.record_variable(stmt.expr)
            if record is not None:
                self.returned = (record.copy(), 0, -1)
                return RETURN
            self.returned = self.evaluate(stmt.expr)
            if self.returned[0] is not None and self.record_of(*self.returned) is None:
                raise PgError(DATATYPE_MISMATCH, _NOT_A_ROW)
            return RETURN
        self.returned = self.evaluate(stmt.expr)
        return RETURN

    def _convert_result(self) -> None:
        """The result as the function's type (the end of plpgsql_exec_function)."""
        assert self.returned is not None
        value, oid, typmod = self.returned
        result = self.function.result_type
        if result.is_row:
            self.result = self.row_result(value, oid, typmod)
        elif result.oid not in (0, 2278):
            self.result = self.cast(value, oid, typmod, self.plain_type(result.oid, -1))

    def _trigger_result(self, expr: Expr) -> RecordValue | None:
        """RETURN of a trigger function: a row, or NULL."""
        prepared = self.prepare(expr)
        if prepared.getter is not None:
            record = self.record_variable(expr)
            if record is not None:
                return record if record.values is not None else None
        value, oid, typmod = self.evaluate(expr)
        if value is None:
            return None
        made = self.record_of(value, oid, typmod)
        if made is None:
            raise PgError(DATATYPE_MISMATCH, _NOT_A_ROW)
        return made

    def row_result(self, value: Any, oid: int, typmod: int) -> Any:
        """A composite result, converted to the function's row type."""
        result = self.function.result_type
        if isinstance(value, RecordValue):
            record: RecordValue | None = value
        elif value is None:
            return None
        else:
            record = self.record_of(value, oid, typmod)
        assert record is not None
        if record.values is None:
            return None
        if not result.columns:
            return self.storage_of(record)
        if record.type_oid == result.oid and result.oid != RECORDOID:
            return self.storage_of(record)
        values = self.convert_columns(
            record, result.columns, "returned record type does not match expected record type"
        )
        return self.storage_of(RecordValue(result.columns, values, result.oid))

    def out_row(self) -> Any:
        """What the OUT parameters hold, as the result."""
        out = self.function.out_params
        if len(out) == 1 and not self.function.result_type.is_procedure:
            only = out[0]
            value = self.values[only.dno]
            if isinstance(only, Rec):
                return self.storage_of(value)
            return value
        return self.storage_of(self.record_of_out())

    def record_of_out(self) -> RecordValue:
        out = self.function.out_params
        columns = tuple((d.refname, d.type.oid, d.type.typmod) for d in out)
        values = [self.plain_value(d) for d in out]
        return RecordValue(columns, values)

    def plain_value(self, datum: Datum) -> Any:
        value = self.datum_value(datum)
        return self.storage_of(value) if isinstance(value, RecordValue) else value

    def run_return_next(self, stmt: s.ReturnNext) -> int:
        function = self.function
        result = function.result_type
        self.check_materialize()
        if stmt.expr is None:
            out = function.out_params
            if len(out) == 1:
                self.rows.append(self.plain_value(out[0]))
            else:
                self.rows.append(tuple(self.plain_value(d) for d in out))
            return OK
        if not result.is_row:
            self.rows.append(self.value_as(stmt.expr, self.plain_type(result.oid, -1)))
            return OK
        record = self.record_variable(stmt.expr)
        if record is None:
            value, oid, typmod = self.evaluate(stmt.expr)
            if value is None:
                self.rows.append((None,) * max(len(result.columns), 1))
                return OK
            record = self.record_of(value, oid, typmod)
            if record is None:
                raise PgError(DATATYPE_MISMATCH, _NOT_A_ROW)
            message = "returned record type does not match expected record type"
            self.rows.append(self.tuple_of(record, message))
            return OK
        if record.values is None and not record.columns:
            from pgemu.pl.plpgsql.expr import not_assigned

            raise not_assigned(self.record_name(stmt.expr))
        self.rows.append(self.tuple_of(record, "wrong record type supplied in RETURN NEXT"))
        return OK

    def tuple_of(self, record: RecordValue, message: str) -> Any:
        """A row of the result set, converted to its columns."""
        columns = self.result_columns()
        if record.values is None:
            return (None,) * max(len(columns), len(record.columns), 1)
        if not columns:
            return tuple(record.values)
        return tuple(self.convert_columns(record, columns, message))

    def check_materialize(self) -> None:
        """exec_init_tuple_store: rows of an unknown shape have nowhere to go."""
        if self.function.result_type.oid == RECORDOID and not self.result_columns():
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                "materialize mode required, but it is not allowed in this context",
            )

    def result_columns(self) -> Sequence[tuple[str, int, int]]:
        return self.function.result_type.columns or self.function.result_type.extra or ()

    # -- small things ----------------------------------------------------------------------------

    def boolean(self, expr: Expr) -> bool:
        return bool(self.value_as(expr, self.handler.bool_type))

    def integer(self) -> PlType:
        made: PlType = self.handler.int_type
        return made

    def set_found(self, found: bool) -> None:
        self.values[self.function.found.dno] = int(found)

    def initialize(self, variable: Var | Rec) -> None:
        """A variable of a block that begins."""
        if isinstance(variable, Rec):
            self.values[variable.dno] = self.empty_record(variable)
        else:
            self.values[variable.dno] = None
        if isinstance(variable, Var) and variable.cursor_query is not None:
            self.values[variable.dno] = variable.refname
            return
        if variable.default is not None:
            self.assign_expr(variable, variable.default)
        elif isinstance(variable, Var) and variable.type.is_domain:
            self.assign(variable, None, 705, -1)


Runner = Callable[[Execution, Any], int]
RUN: dict[type[s.Stmt], Runner] = {
    s.Block: Execution.block,
    s.Assign: Execution.run_assign,
    s.If: Execution.run_if,
    s.Case: Execution.run_case,
    s.Loop: Execution.run_loop,
    s.While: Execution.run_while,
    s.ForInteger: Execution.run_for_integer,
    s.ForQuery: Execution.run_for_query,
    s.ForExecute: Execution.run_for_execute,
    s.ForCursor: Execution.run_for_cursor,
    s.ForEach: Execution.run_foreach,
    s.Exit: Execution.run_exit,
    s.Return: Execution.run_return,
    s.ReturnNext: Execution.run_return_next,
    s.ReturnQuery: Execution.run_return_query,
    s.Raise: Execution.run_raise,
    s.Assert: Execution.run_assert,
    s.ExecSql: Execution.run_execsql,
    s.DynExecute: Execution.run_dynexecute,
    s.Perform: Execution.run_perform,
    s.Call: Execution.run_call,
    s.GetDiagnostics: Execution.run_get_diagnostics,
    s.Open: Execution.run_open,
    s.Fetch: Execution.run_fetch,
    s.Close: Execution.run_close,
    s.Commit: Execution.run_commit,
    s.Rollback: Execution.run_rollback,
}
