"""Values: evaluating expressions and assigning to variables (pl_exec.c, exec_eval_expr,
exec_assign_value and their kin).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from pgemu.commands.clauses import contain_mutable_functions
from pgemu.errors import (
    CHECK_VIOLATION,
    DATATYPE_MISMATCH,
    NOT_NULL_VIOLATION,
    NULL_VALUE_NOT_ALLOWED,
    UNDEFINED_COLUMN,
    PgError,
)
from pgemu.executor.suspending import in_place, wait_in_place
from pgemu.executor.waiting import WaitFor
from pgemu.nodes.parsenodes import Query
from pgemu.nodes.primnodes import Param, TargetEntry
from pgemu.pl.plpgsql import statements as s
from pgemu.pl.plpgsql.datums import (
    RECORDOID,
    Columns,
    Datum,
    Expr,
    PlType,
    Rec,
    RecField,
    RecordValue,
    Var,
)
from pgemu.pl.plpgsql.expr import (
    Prepared,
    analyze_assignment,
    analyze_expr,
    cast_expr,
    not_assigned,
    record_storage,
)
from pgemu.pl.plpgsql.extra_checks import MORE_THAN_ONE, multi_assignment_mismatch
from pgemu.pl.plpgsql.simple import Compiler
from pgemu.pl.plpgsql.subxact import only_reads, run_step
from pgemu.planner.clauses import ConstantCheck
from pgemu.types.record import deform, form_record, from_json

UNKNOWNOID = 705


class Assigning:
    """Mixed into Execution."""

    handler: Any
    session: Any
    function: s.Function
    values: list[Any]
    # the simple expression at hand
    evaluating: Expr | None

    # -- types -----------------------------------------------------------------------------------

    def plain_type(self, oid: int, typmod: int) -> PlType:
        made: PlType = self.handler.plain_type(oid, typmod)
        return made

    def empty_record(self, rec: Rec) -> RecordValue:
        oid = rec.type.oid
        if oid == RECORDOID:
            return RecordValue()
        return RecordValue(self.handler.columns_of_type(oid), None, oid)

    def storage_of(self, record: RecordValue) -> str | None:
        """A composite storage value; a record of the function's own columns."""
        if record.values is None:
            return None
        if record.type_oid == RECORDOID:
            return form_record(
                [c[1] for c in record.columns], record.values, [c[0] for c in record.columns]
            )
        return record_storage(record)

    def record_of(self, value: Any, oid: int, typmod: int = -1) -> RecordValue | None:
        """The fields of a composite value; None: it is not composite."""
        base = self.session.catalog.types.base_type(oid) if oid else oid
        if base == RECORDOID:
            if value is None:
                return RecordValue((), None)
            data = json.loads(value)
            names = data.get("n") or [f"f{n}" for n in range(1, len(data["t"]) + 1)]
            columns = tuple((n, t, -1) for n, t in zip(names, data["t"], strict=True))
            return RecordValue(columns, [from_json(v) for v in data["v"]])
        if self.session.catalog.types.row(base).typtype != "c":
            return None
        columns = self.handler.columns_of_type(base)
        values = None if value is None else list(deform(value)[1])
        if values is not None:
            values += [None] * (len(columns) - len(values))
        return RecordValue(columns, values, base)

    # -- evaluating ------------------------------------------------------------------------------

    def prepare(self, expr: Expr, target: PlType | None = None) -> Prepared:
        """The plan of an expression, made anew when what it depends on has changed."""
        key = None if target is None else (target.oid, target.typmod)
        prepared: Prepared | None = expr.cache.get(key)
        session, values = self.session, self.values
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
        prepared = analyze_expr(
            session,
            expr,
            values,
            self.function.variable_conflict,
            target,
            user_functions=not self.function.readonly,
        )
        prepared.version, prepared.epoch = session.plan_version(), session.guc.epoch
        expr.cache[key] = prepared
        return prepared

    def _rows(self, prepared: Prepared, params: list[Any]) -> list[Any]:
        session, plan = self.session, prepared.plan

        def run() -> list[Any]:
            return list(session.run_planned(plan, prepared.query, params).rows or ())

        if session.ended_inside:
            rows: list[Any] = run_step(session, plan, run)
            return rows
        try:
            return run()
        except WaitFor as wait:
            if session.callback_depth or not only_reads(plan):
                raise
            wait_in_place(session, wait)
            return in_place(session, run)

    def run_prepared(self, expr: Expr, prepared: Prepared) -> Any:
        """The value of a prepared expression."""
        if prepared.getter is not None:
            self.evaluating = expr
            try:
                value = prepared.getter(self.values)
            except PgError as error:
                if self._in_use(expr) or self._fails_in_planning(expr, prepared, error):
                    error.add_context(expr.context_line())
                raise
            finally:
                self.evaluating = None
            return int(value) if value is True or value is False else value
        values = self.values
        params = [get(values) for get in prepared.sources]
        session = self.session
        query = prepared.query
        # a simple expression is evaluated without SPI
        simple = not (query.rtable or query.has_sublinks or query.has_aggs or query.has_target_srfs)
        if not simple:
            self.handler.stack.append(expr.context_line())
        try:
            if prepared.plan is None:
                prepared.plan = session.plan_once(query)
            rows = self._rows(prepared, params)
        except PgError as error:
            error.location = None
            if not simple or self._fails_in_planning(expr, prepared, error):
                error.add_context(expr.context_line())
            raise
        finally:
            if not simple:
                self.handler.stack.pop()
        if not rows:
            return None
        if len(rows) > 1:
            many = PgError("21000", MORE_THAN_ONE)
            many.add_context(f"query: {expr.shown}")
            raise many
        return rows[0][0]

    def _in_use(self, expr: Expr) -> bool:
        """A call further out is evaluating the same expression: PostgreSQL then takes it for one
        that is not simple (expr_simple_in_use)."""
        return any(
            frame is not self and getattr(frame, "evaluating", None) is expr
            for frame in self.handler.stack
        )

    def _fails_in_planning(self, expr: Expr, prepared: Prepared, error: PgError) -> bool:
        """Has the failed expression constants that PostgreSQL's planner would evaluate?  The cast
        to a variable's type that is not part of the expression comes later, and so do the
        constraints of domains."""
        if error.sqlstate in (CHECK_VIOLATION, NOT_NULL_VIOLATION):
            return False
        catalog = self.session.catalog
        try:
            if prepared.converted and not expr.prefix:
                prepared = self.prepare(expr)
        except PgError:
            return False
        try:
            ConstantCheck(catalog).query(prepared.query, None)
            node = prepared.query.target_list[0].expr
            if prepared.sources or contain_mutable_functions(catalog, node):
                return False
            self.session.evaluate(node)
        except PgError:
            return True
        return False

    def value_as(self, expr: Expr, target: PlType) -> Any:
        """An expression's value converted to a type."""
        prepared = self.prepare(expr, target)
        return self.run_prepared(expr, prepared)

    def evaluate(self, expr: Expr) -> tuple[Any, int, int]:
        """exec_eval_expr: (value, type, typmod)."""
        prepared = self.prepare(expr)
        return (self.run_prepared(expr, prepared), *prepared.typed)

    def record_variable(self, expr: Expr) -> RecordValue | None:
        """The record if the expression is just a record variable's name."""
        rec = self._rec_named(expr)
        return None if rec is None else self.values[rec.dno]

    def record_name(self, expr: Expr) -> str:
        rec = self._rec_named(expr)
        return rec.refname if rec is not None else ""

    def _rec_named(self, expr: Expr) -> Rec | None:
        from pgemu.pl.plpgsql.datums import ns_lookup
        from pgemu.pl.plpgsql.scanner import tokenize

        known = expr.cache.get("rec", 0)
        if known == 0:
            tokens = tokenize(expr.text)[:-1]
            known = None
            if len(tokens) == 1 and tokens[0].kind in ("word", "quoted", "param"):
                datum, _ = ns_lookup(expr.ns, False, [tokens[0].value])
                known = datum if isinstance(datum, Rec) else None
            expr.cache["rec"] = known
        result: Rec | None = known
        return result

    def cast(self, value: Any, oid: int, typmod: int, target: PlType) -> Any:
        """exec_cast_value."""
        if oid == target.oid and (target.typmod == -1 or target.typmod == typmod):
            return value
        if value is None and not target.is_domain:
            return None
        key = (oid, target.oid, target.typmod)
        casts = self.handler.casts
        known = casts.get(key)
        if known is None or known[0] != self.session.plan_version():
            source = oid or UNKNOWNOID
            if source == UNKNOWNOID:
                source = 25
            row = self.session.catalog.types.row(source)
            param = Param("extern", 1, source, -1, row.typcollation)
            expr = cast_expr(self.session, param, target)
            query = Query("select", target_list=[TargetEntry(expr, 1, "v")])
            plan: Any = None
            if expr is not param:
                plan = Compiler(self.session, [itemgetter(0)], user_functions=True).compile(expr)
                plan = plan or self.session.plan_once(query)
            known = casts[key] = (self.session.plan_version(), plan, query)
        if known[1] is None:
            return value
        if callable(known[1]):
            value = known[1]([value])
            return int(value) if value is True or value is False else value
        rows = self.session.run_planned(known[1], known[2], [value]).rows
        return next(iter(rows))[0]

    def array_element(self, item: Any, element: int) -> Any:
        """An element of an array as a storage value of its own."""
        if isinstance(item, (dict, list)):
            return json.dumps(item, separators=(",", ":"), ensure_ascii=False)
        if isinstance(item, str):
            typname = self.session.catalog.types.row(element).typname
            if typname in ("bytea", "uuid", "macaddr", "macaddr8"):
                return bytes.fromhex(item)
        return item

    # -- assigning -------------------------------------------------------------------------------

    def datum_value(self, datum: Datum) -> Any:
        if isinstance(datum, RecField):
            record: RecordValue = self.values[datum.rec.dno]
            index = self._field_index(datum, record)
            return None if record.values is None else record.values[index]
        return self.values[datum.dno]

    def datum_type(self, datum: Datum) -> PlType:
        if isinstance(datum, RecField):
            record: RecordValue = self.values[datum.rec.dno]
            column = record.columns[self._field_index(datum, record)]
            return self.plain_type(column[1], column[2])
        return datum.type

    def _field_index(self, field: RecField, record: RecordValue) -> int:
        if not record.columns:
            raise not_assigned(field.rec.refname)
        index = record.index(field.fieldname)
        if index < 0:
            raise PgError(
                UNDEFINED_COLUMN,
                f'record "{field.rec.refname}" has no field "{field.fieldname}"',
            )
        return index

    def assign_expr(self, target: Datum, expr: Expr) -> None:
        """exec_assign_expr."""
        if isinstance(target, Var):
            value = self.value_as(expr, target.type)
            if value is None and target.notnull:
                raise self._null_not_allowed(target)
            self.values[target.dno] = value
            return
        if isinstance(target, RecField):
            try:
                dtype = self.datum_type(target)
            except PgError as error:  # found by the analysis of the assignment
                error.add_context(expr.context_line())
                raise
            self.set_field(target, self.value_as(expr, dtype))
            return
        source = self.record_variable(expr)
        if source is not None:
            self.move_record(target, source)
            return
        value, oid, typmod = self.evaluate(expr)
        self.assign(target, value, oid, typmod)

    def assign(self, target: Datum, value: Any, oid: int, typmod: int) -> None:
        """exec_assign_value."""
        if isinstance(target, Var):
            value = self.cast(value, oid, typmod, target.type)
            if value is None and target.notnull:
                raise self._null_not_allowed(target)
            self.values[target.dno] = value
        elif isinstance(target, RecField):
            dtype = self.datum_type(target)
            self.set_field(target, self.cast(value, oid, typmod, dtype))
        elif value is None:
            self.set_null(target)
        else:
            record = self.record_of(value, oid, typmod)
            if record is None:
                value = self.cast(value, oid, typmod, target.type)
                record = self.record_of(value, target.type.oid)
            assert record is not None
            self.move_record(target, record)

    def _null_not_allowed(self, target: Var | Rec) -> PgError:
        return PgError(
            NULL_VALUE_NOT_ALLOWED,
            f'null value cannot be assigned to variable "{target.refname}" declared NOT NULL',
        )

    def set_null(self, rec: Rec) -> None:
        if rec.notnull:
            raise self._null_not_allowed(rec)
        record = self.empty_record(rec)
        if rec.type.is_domain:
            self.cast(None, UNKNOWNOID, -1, rec.type)
        self.values[rec.dno] = record

    def set_field(self, field: RecField, value: Any) -> None:
        record: RecordValue = self.values[field.rec.dno]
        index = self._field_index(field, record)
        values = [None] * len(record.columns) if record.values is None else list(record.values)
        values[index] = value
        if field.rec.type.is_domain:
            self._check_domain(field.rec, RecordValue(record.columns, values, field.rec.type.oid))
        record.values = values

    def _check_domain(self, rec: Rec, record: RecordValue) -> None:
        """The constraints of a domain over a composite type."""
        base = self.session.catalog.types.base_type(rec.type.oid)
        self.cast(record_storage(record), base, -1, rec.type)

    def move_record(self, rec: Rec, source: RecordValue) -> None:
        """exec_move_row for a record value as the source."""
        if rec.type.oid == RECORDOID:
            self.values[rec.dno] = source.copy()
            return
        if source.values is None:
            self.set_null(rec)
            return
        self.move_values(rec, source.columns, source.values)

    def move_values(
        self, rec: Rec, columns: Columns, row: Sequence[Any] | None, type_oid: int = RECORDOID
    ) -> None:
        """exec_move_row: a row of a query into a record."""
        if rec.type.oid == RECORDOID:
            if row is None:
                self.values[rec.dno] = RecordValue(columns, [None] * len(columns))
            else:
                self.values[rec.dno] = RecordValue(columns, list(row), type_oid)
            return
        wanted = self.handler.columns_of_type(rec.type.oid)
        if row is None:
            row = [None] * len(columns)
        elif sum(1 for c in columns if c[1]) != sum(1 for c in wanted if c[1]):
            multi_assignment_mismatch(self.session, self.handler.context())
        values: list[Any] = []
        given = [(c, v) for c, v in zip(columns, row, strict=False) if c[1]]
        position = 0
        for column in wanted:
            if not column[1]:
                values.append(None)
                continue
            if position < len(given):
                (_, oid, typmod), value = given[position]
                position += 1
                target = self.plain_type(column[1], column[2])
                values.append(self.cast(value, oid, typmod, target))
            else:
                values.append(None)
        record = RecordValue(wanted, values, rec.type.oid)
        if rec.type.is_domain:
            self._check_domain(rec, record)
        self.values[rec.dno] = record

    def convert_columns(
        self, record: RecordValue, columns: Sequence[tuple[str, int, int]], message: str
    ) -> list[Any]:
        """convert_tuples_by_position."""
        assert record.values is not None
        given = [(c, v) for c, v in zip(record.columns, record.values, strict=True) if c[1]]
        values: list[Any] = []
        position = 0
        number = 0
        for column in columns:
            if not column[1]:
                values.append(None)
                continue
            number += 1
            if position >= len(given):
                position += 1
                continue
            (_, oid, typmod), value = given[position]
            position += 1
            if oid != column[1]:
                name = self.session.catalog.type_name
                raise PgError(
                    DATATYPE_MISMATCH,
                    message,
                    detail=f"Returned type {name(oid, typmod)} does not match expected type "
                    f"{name(column[1], column[2])} in column {number}.",
                )
            values.append(value)
        expected = sum(1 for c in columns if c[1])
        if len(given) != expected:
            raise PgError(
                DATATYPE_MISMATCH,
                message,
                detail=f"Number of returned columns ({len(given)}) does not match expected "
                f"column count ({expected}).",
            )
        return values

    # -- x[1].f := ... ---------------------------------------------------------------------------

    def assign_part(self, stmt: s.Assign) -> None:
        """An assignment to an element or a field of a variable."""
        target = stmt.target
        dtype = self.datum_type(target)
        rec = target if isinstance(target, Rec) else None
        current = self.datum_value(target)
        if rec is not None:
            if dtype.oid == RECORDOID:
                dtype = self.plain_type(current.type_oid, -1)
            current = self.storage_of(current)
        slot = len(self.function.datums)
        if len(self.values) <= slot:
            self.values.append(None)
        self.values[slot] = current
        key = ("part", dtype.oid)
        prepared: Prepared | None = stmt.expr.cache.get(key)
        session = self.session
        if (
            prepared is None
            or prepared.version != session.plan_version()
            or any(self.values[d].columns != c for d, c in prepared.shapes)
        ):
            skip = self._names_of(target, stmt)
            prepared = analyze_assignment(
                session,
                stmt.expr,
                self.values,
                self.function.variable_conflict,
                stmt.target_text,
                (slot, dtype),
                skip,
            )
            prepared.version = session.plan_version()
            stmt.expr.cache[key] = prepared
        value = self.run_prepared(stmt.expr, prepared)
        if rec is not None:
            made = self.record_of(value, dtype.oid)
            assert made is not None
            self.values[rec.dno] = made
        else:
            self.assign(target, value, dtype.oid, dtype.typmod)

    def _names_of(self, target: Datum, stmt: s.Assign) -> int:
        from pgemu.pl.plpgsql.datums import ns_lookup
        from pgemu.pl.plpgsql.scanner import tokenize

        names: list[str] = []
        for token in tokenize(stmt.target_text):
            if token.kind in ("word", "quoted"):
                names.append(token.value)
            elif token.value != ".":
                break
        _, used = ns_lookup(stmt.expr.ns, False, names)
        return used + (1 if isinstance(target, RecField) else 0)
