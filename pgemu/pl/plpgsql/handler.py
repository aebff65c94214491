"""The call handler of PL/pgSQL (PostgreSQL's pl_handler.c and plpgsql_exec_function)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pgemu.catalog.rows import PgProc
from pgemu.errors import PgError
from pgemu.executor.triggers import row_of
from pgemu.fmgr import TypeInfo
from pgemu.guc.stack import Level
from pgemu.pl.plpgsql import statements as s
from pgemu.pl.plpgsql.compile import (
    TypeResolver,
    compile_event_trigger,
    compile_function,
    compile_inline,
    compile_trigger,
)
from pgemu.pl.plpgsql.datums import RECORDOID, PlType, Rec, RecordValue
from pgemu.pl.plpgsql.exec import Execution
from pgemu.types.record import deform


class PlpgsqlHandler:
    """PL/pgSQL of one session: its compiled functions, casts and running calls."""

    def __init__(self, session: Any) -> None:
        self.session = session
        # running calls (Execution) and the SQL statements between them, outermost first
        self.stack: list[Any] = session.context_stack
        self.casts: dict[Any, Any] = {}
        self._compiled: dict[Any, tuple[Any, s.Function]] = {}
        self._types: dict[tuple[int, int], PlType] = {}
        self._types_version = -1
        self._columns: dict[int, Any] = {}
        # names of the cursors that loops go through; how many loops are over changes
        self.pinned: set[str] = set()
        self.writing_loops = 0
        self.bool_type = PlType(16)
        self.int_type = PlType(23)

    # -- what calls share ----------------------------------------------------------------------

    def _check_version(self) -> None:
        version = self.session.plan_version()
        if version != self._types_version:
            self._types_version = version
            self._types.clear()
            self._columns.clear()

    def plain_type(self, oid: int, typmod: int) -> PlType:
        self._check_version()
        made = self._types.get((oid, typmod))
        if made is None:
            made = self._types[oid, typmod] = _plain(self.session, oid, typmod)
        return made

    def columns_of_type(self, oid: int) -> tuple[tuple[str, int, int], ...]:
        """The columns of a named composite type; dropped ones as ("", 0, -1)."""
        self._check_version()
        made = self._columns.get(oid)
        if made is None:
            types = self.session.catalog.types
            row = types.row(types.base_type(oid))
            relation = self.session.catalog.relation(row.typrelid)
            made = self._columns[oid] = tuple(
                ("", 0, -1) if a.attisdropped else (a.attname, a.atttypid, a.atttypmod)
                for a in relation.attrs
            )
        return made

    def unnamed_cursor(self) -> str:
        """CreateNewPortal: the name of a portal that was given none."""
        self.session.unnamed_portals += 1
        return f"<unnamed portal {self.session.unnamed_portals}>"

    def setting(self, name: str, default: str) -> str:
        try:
            return str(self.session.guc.get(name))
        except PgError:
            return default

    def context(self, skip: int = 0) -> str:
        """The CONTEXT of a message sent now, innermost line first."""
        text: str = self.session.context(skip)
        return text

    # -- functions -------------------------------------------------------------------------------

    def function(self, proc: PgProc, key: Any, make: Callable[[], s.Function]) -> s.Function:
        """The compiled function; compiled again when its row or the catalogs have changed."""
        version = (proc, self.session.plan_version())
        known = self._compiled.get(key)
        if known is not None and known[0] == version:
            return known[1]
        made = make()
        self._compiled[key] = (version, made)
        return made

    def callable(self, proc: PgProc, info: TypeInfo) -> Callable[..., Any]:
        oid = proc.oid
        if proc.proretset:

            def rows(*args: Any) -> Iterator[Any]:
                return iter(self._call(oid, info, args))

            return rows
        return lambda *args: self._call(oid, info, args)

    def _call(self, oid: int, info: TypeInfo, args: Sequence[Any]) -> Any:
        session = self.session
        proc = session.catalog.get(PgProc, oid=oid)
        function = self.function(
            proc,
            (oid, info.arg_types, info.result_type, info.collation),
            lambda: compile_function(
                session, proc, info.arg_types, info.result_type, collation=info.collation
            ),
        )
        if function.is_trigger or function.is_event_trigger:
            error = PgError("0A000", "trigger functions can only be called as triggers")
            error.add_context(f'compilation of PL/pgSQL function "{proc.proname}" near line 1')
            raise error
        atomic, session.call_atomic = session.call_atomic, True
        execution = Execution(self, function, atomic=atomic or proc.prokind != "p")
        if function.result_type.retset and not function.result_type.columns:
            function.result_type.extra = info.ret_columns
        try:
            with _Environment(session, proc):
                self._guard(execution, args)
        finally:
            session.call_atomic = atomic
        return self._result(execution, info)

    def _guard(self, execution: Execution, args: Sequence[Any]) -> None:
        try:
            execution.run(lambda: _store_args(execution, args))
        except RecursionError:
            from pgemu.parser.parser import stack_depth_exceeded

            raise stack_depth_exceeded() from None

    def _result(self, execution: Execution, info: TypeInfo) -> Any:
        function = execution.function
        kind = function.result_type
        if kind.retset:
            return execution.rows
        if kind.oid == 2278:
            return ""
        if function.out_params and execution.result is None:
            execution.result = execution.out_row()
        result = execution.result
        if kind.is_procedure and not function.out_params:
            return None
        if (
            kind.oid == RECORDOID
            and info.ret_columns
            and isinstance(result, str)
            and not kind.columns
        ):
            try:
                _check_record(self.session, result, info)
            except PgError as error:
                error.add_context(
                    f"PL/pgSQL function {function.signature} while casting return value to "
                    "function's return type"
                )
                raise
        return result

    def inline(self, text: str, *, atomic: bool) -> None:
        """DO."""
        function = compile_inline(self.session, text)
        execution = Execution(self, function, atomic=atomic)
        self._guard(execution, ())

    def trigger(self, proc: PgProc, data: Any) -> RecordValue | None:
        """plpgsql_exec_trigger: what a trigger function returns."""
        session = self.session
        relation = data.relation
        function = self.function(
            proc, (proc.oid, "trigger", relation.oid), lambda: compile_trigger(session, proc)
        )
        execution = Execution(self, function)
        execution.trigger = data
        atomic, session.call_atomic = session.call_atomic, True
        try:
            with _Environment(session, proc):
                try:
                    execution.run(lambda: _store_trigger(execution, data))
                except RecursionError:
                    from pgemu.parser.parser import stack_depth_exceeded

                    raise stack_depth_exceeded() from None
        finally:
            session.call_atomic = atomic
        if data.level != "ROW":
            return None  # what it returns is not looked at
        result: RecordValue | None = execution.result
        if result is not None:
            try:
                row_of(session, relation, result)
            except PgError as error:
                error.add_context(f"PL/pgSQL function {function.signature} during function exit")
                raise
        return result

    def event_trigger(self, proc: PgProc, event: str, tag: str) -> None:
        """plpgsql_exec_event_trigger."""
        session = self.session
        function = self.function(
            proc, (proc.oid, "event_trigger"), lambda: compile_event_trigger(session, proc)
        )
        execution = Execution(self, function)

        def store() -> None:
            execution.text = "during function entry"
            for name, value in (("tg_event", event), ("tg_tag", tag)):
                execution.values[function.trigger_vars[name].dno] = value

        atomic, session.call_atomic = session.call_atomic, True
        try:
            with _Environment(session, proc):
                try:
                    execution.run(store)
                except RecursionError:
                    from pgemu.parser.parser import stack_depth_exceeded

                    raise stack_depth_exceeded() from None
        finally:
            session.call_atomic = atomic


def _plain(session: Any, oid: int, typmod: int) -> PlType:
    try:
        return TypeResolver(session).plain(oid, typmod)
    except PgError:
        return PlType(oid, typmod)


def _store_args(execution: Execution, args: Sequence[Any]) -> None:
    """Arguments into their variables."""
    execution.text = "while storing call arguments into local variables"
    for datum, value in zip(execution.function.args, args, strict=False):
        if isinstance(datum, Rec):
            if value is not None:
                oid = datum.type.oid
                record = execution.record_of(value, oid)
                if record is not None:
                    execution.values[datum.dno] = record
        else:
            execution.values[datum.dno] = value
    execution.text = "during function entry"


def _store_trigger(execution: Execution, data: Any) -> None:
    function = execution.function
    assert function.new is not None
    assert function.old is not None
    columns = execution.handler.columns_of_type(data.relation.row.reltype)
    for rec, row in ((function.new, data.new), (function.old, data.old)):
        if row is not None:
            execution.values[rec.dno] = RecordValue(columns, list(row), data.relation.row.reltype)
        else:  # a function of several triggers may name both
            execution.values[rec.dno] = RecordValue(columns, None, data.relation.row.reltype)
    values = {
        "tg_name": data.trigger.tgname,
        "tg_when": data.when,
        "tg_level": data.level,
        "tg_op": data.operation,
        "tg_relid": data.relation.oid,
        "tg_relname": data.relation.name,
        "tg_table_name": data.relation.name,
        "tg_table_schema": data.relation.schema_name,
        "tg_nargs": len(data.args),
        "tg_argv": json.dumps(
            {"l": [0], "a": list(data.args)}, separators=(",", ":"), ensure_ascii=False
        )
        if data.args
        else None,
    }
    for name, var in function.trigger_vars.items():
        execution.values[var.dno] = values[name]


def _check_record(session: Any, result: str, info: TypeInfo) -> None:
    types, values = deform(result)
    wanted = [c[1] for c in info.ret_columns]
    if types is None:
        return
    name = session.catalog.type_name
    message = "returned record type does not match expected record type"
    for number, (have, want) in enumerate(zip(types, wanted, strict=False), 1):
        if have != want:
            raise PgError(
                "42804",
                message,
                detail=f"Returned type {name(have)} does not match expected type "
                f"{name(want)} in column {number}.",
            )
    if len(types) != len(wanted):
        raise PgError(
            "42804",
            message,
            detail=f"Number of returned columns ({len(types)}) does not match expected column "
            f"count ({len(wanted)}).",
        )
    del values


class _Environment:
    """SECURITY DEFINER and SET clauses of a function (fmgr_security_definer)."""

    def __init__(self, session: Any, proc: PgProc) -> None:
        self.session, self.proc = session, proc

    def __enter__(self) -> None:
        session, proc = self.session, self.proc
        if proc.prosecdef:
            self.user = session.ctx.current_user_oid
            session.set_current_user(proc.proowner)
        if proc.proconfig:
            self.level = session.guc.save_function_nest()
            for item in proc.proconfig:
                name, _, value = item.partition("=")
                session.guc.set(name, value, action=Level.SAVE)

    def __exit__(self, *error: Any) -> None:
        if self.proc.proconfig:
            self.session.guc.restore_function_nest(self.level)
        if self.proc.prosecdef:
            self.session.set_current_user(self.user)
