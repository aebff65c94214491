"""Makes pg_proc rows callable from SQLite on one backend's connection (the planner's binder).

A function is registered the first time that a plan names it: its Python body, wrapped for
strictness and for the call context, under a name that starts with its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator
from functools import partial
from hashlib import blake2s
from types import GeneratorType
from typing import Any

import apsw

from pgemu.catalog.internal_function import FIRST_USER_OID, lending_function
from pgemu.catalog.rows import PgAggregate, PgLanguage, PgProc, PgType
from pgemu.errors import FEATURE_NOT_SUPPORTED, PgError
from pgemu.executor.aggregates import aggregate_factory, window_factory
from pgemu.executor.security_definer import is_security_definer, with_definer
from pgemu.executor.specials import SPECIAL_AGGREGATES, SPECIALS
from pgemu.executor.tablefunctions import (
    FunctionModule,
    LockedModule,
    RecursionModule,
    RowsModule,
    SequenceModule,
    StatementModule,
)
from pgemu.executor.windowframes import frame_factory
from pgemu.fmgr import AggregateBinding, FunctionBinding, TypeInfo, aggregates, functions
from pgemu.nodes.primnodes import Value
from pgemu.planner.lowering import SetCall
from pgemu.planner.plan import Plan
from pgemu.planner.windows import FrameSpec
from pgemu.types.record import form_record

ANYOID, INTERNALOID = 2276, 2281
_UNSAFE = re.compile(r"\W")
INTERNAL_LANGUAGE = 12
_INTERNAL_LANGUAGES = (INTERNAL_LANGUAGE, 13)
# specials that hold what a user's type is: its labels, columns, checks
_OF_TYPES = frozenset(
    (
        "array_coerce", "coerce_via_io", "convert_rowtype", "field_store", "min_max",
        "reinterpret", "row_is_null",
    )
)  # fmt: skip
SQL_LANGUAGE = 14


def _bound(*args: Any) -> Any:
    """One of the values that the last parameter holds: (the values, index)."""
    values, index = args
    return values[index]


class UdfRegistry:
    """Which functions, aggregates and modules this connection knows, by call site."""

    def __init__(self, conn: apsw.Connection, session: Any) -> None:
        self.conn = conn
        self.session = session
        self.ctx = session.ctx
        self._names: dict[Hashable, str] = {}
        self._indexed_relations: dict[int, Any] = {}
        # rows that a statement hands to its own parts: data-modifying CTEs, RETURNING
        self.row_sets: dict[str, list[tuple[Value, ...]]] = {}
        # see row_watch.py
        self.row_watches: list[set[tuple[str, int]]] = []
        # of execute.py's bind
        conn.create_scalar_function("pg_bound", _bound, 2, deterministic=True)

    @property
    def catalog(self) -> Any:
        return self.session.catalog

    def _name(self, key: Hashable, stem: str) -> tuple[str, bool]:
        """(name, is new) of what key identifies."""
        known = self._names.get(key)
        if known is not None:
            return known, False
        name = f"{_UNSAFE.sub('_', stem)}_{len(self._names)}"
        self._names[key] = name
        return name, True

    # -- scalar functions --------------------------------------------------------------------

    def signature(self, proc: PgProc) -> str:
        proc = lending_function(self.catalog, proc)
        names = [self.catalog.get(PgType, oid=oid).typname for oid in proc.proargtypes]
        return f"{proc.proname}({','.join(names)})"

    def binding(self, proc: PgProc) -> FunctionBinding | None:
        """The body of a function in C, or of the built-in one that lends it."""
        found: FunctionBinding | None = functions.get(self.signature(proc))
        return found

    def scalar(self, proc: PgProc, info: TypeInfo) -> str:
        key = ("f", _identity(proc), self._type_key(proc, info))
        known = self._names.get(key)
        if known is not None:
            return known
        body = self.callable(proc, info)
        name = f"{_UNSAFE.sub('_', proc.proname)}_{proc.oid}"
        if key[2] is not None:
            name += f"_{_digest(key[2])}"
        immutable = proc.provolatile == "i"
        try:
            self.conn.create_scalar_function(name, body, -1, deterministic=immutable)
        except apsw.BusyError:
            # replaced while a statement runs, which may call it: another name until that has ended
            name += f"_{_digest(key)}"
            self.conn.create_scalar_function(name, body, -1, deterministic=immutable)
            return name
        self._names[key] = name
        return name

    def _type_key(self, proc: PgProc, info: TypeInfo) -> Hashable:
        if proc.prolang in _INTERNAL_LANGUAGES:
            binding = self.binding(proc)
            if binding is not None and not binding.typed:
                return None
        return info

    def callable(self, proc: PgProc, info: TypeInfo) -> Callable[..., Any]:
        """A Python callable over storage values; NULL in gives NULL out where strict."""
        if proc.prolang not in _INTERNAL_LANGUAGES and not self._has_native_body(proc):
            return self._language_callable(proc, info)
        binding = self.binding(proc)
        if binding is None:
            raise PgError(
                FEATURE_NOT_SUPPORTED, f"function {self._display(proc)} is not supported yet"
            )
        body = binding.body
        if proc.prolang == SQL_LANGUAGE and info.constant and proc.provolatile == "i":
            body = _with_context(body, f'SQL function "{proc.proname}" statement 1')
        first: list[Any] = [self.ctx] if binding.context else []
        if binding.typed:
            first.append(info)
        if first:
            body = partial(body, *first)
        if proc.prorettype == RECORDOID and proc.proallargtypes and not proc.proretset:
            body = _record_result(body, proc)
        return _strict(body, len(info.arg_types)) if proc.proisstrict else body

    def _has_native_body(self, proc: PgProc) -> bool:
        """A few built-in SQL functions have a body in Python, for speed."""
        built_in = proc.prolang == SQL_LANGUAGE and proc.oid < FIRST_USER_OID
        return built_in and functions.get(self.signature(proc)) is not None

    def _language_callable(self, proc: PgProc, info: TypeInfo) -> Callable[..., Any]:
        if proc.prolang == SQL_LANGUAGE:
            from pgemu.executor.sqlfunctions import sql_function

            body = sql_function(self.session, proc, info)
        else:
            body = self.session.language_handler(proc, info)
            if body is None:
                language = self.catalog.get(PgLanguage, oid=proc.prolang).lanname
                raise PgError(
                    FEATURE_NOT_SUPPORTED,
                    f'functions in language "{language}" '
                    f"are not supported yet: {self._display(proc)}",
                )
        if is_security_definer(proc):
            body = with_definer(self.session, proc, body)
        body = self._sees_own_writes(body) if proc.provolatile == "v" else self._called(body)
        return _strict(body, len(info.arg_types)) if proc.proisstrict else body

    def _sees_own_writes(self, body: Callable[..., Any]) -> Callable[..., Any]:
        """A volatile function has snapshots of its own: what hides the writes of the calling
        statement from that statement does not count inside."""
        session = self.session

        def call(*args: Any) -> Any:
            saved, session.own_overlay = session.own_overlay, None
            try:
                return body(*args)
            finally:
                session.own_overlay = saved

        return self._called(call)

    def _called(self, body: Callable[..., Any]) -> Callable[..., Any]:
        """Notes that SQLite is in the middle of a statement."""
        session = self.session

        def call(*args: Any) -> Any:
            session.callback_depth += 1
            try:
                result = body(*args)
            finally:
                session.callback_depth -= 1
            return rows_of(result) if type(result) is GeneratorType else result

        def rows_of(result: Iterator[Any]) -> Iterator[Any]:
            while True:
                session.callback_depth += 1
                try:
                    row = next(result)
                except StopIteration:
                    return
                finally:
                    session.callback_depth -= 1
                yield row

        return call

    def _display(self, proc: PgProc) -> str:
        types = ", ".join(self.catalog.type_name(t) for t in proc.proargtypes)
        return f"{proc.proname}({types})"

    # -- aggregates ----------------------------------------------------------------------------

    def aggregate_binding(self, proc: PgProc, info: TypeInfo) -> AggregateBinding | PgAggregate:
        if proc.oid < FIRST_USER_OID:
            binding: AggregateBinding | None = aggregates.get(self.signature(proc))
            if binding is None:
                raise PgError(
                    FEATURE_NOT_SUPPORTED, f"aggregate {self._display(proc)} is not supported yet"
                )
            return binding
        row: PgAggregate = self.catalog.get(PgAggregate, aggfnoid=proc.oid)
        if row.aggtranstype == INTERNALOID:
            return self._lending_aggregate(proc, row) or row
        return row

    def _lending_aggregate(self, proc: PgProc, row: PgAggregate) -> AggregateBinding | None:
        """The states of type internal have no form here; but a user's aggregate that is made of
        a built-in one's functions is that aggregate."""
        for one in self.catalog.all(
            PgAggregate, aggtransfn=row.aggtransfn, aggfinalfn=row.aggfinalfn, aggkind=row.aggkind
        ):
            if one.aggfnoid >= FIRST_USER_OID:
                continue
            lender = self.catalog.get(PgProc, oid=one.aggfnoid)
            if lender.pronargs == proc.pronargs and lender.provariadic == proc.provariadic:
                found: AggregateBinding | None = aggregates.get(self.signature(lender))
                if found is not None:
                    return found
        return None

    def aggregate(
        self,
        proc: PgProc,
        info: TypeInfo,
        *,
        distinct: bool = False,
        ndirect: int = 0,
        ordering: tuple[tuple[bool, bool], ...] = (),
        transition: bool = False,
    ) -> str:
        """ordering: (descending, nulls first) of each column of a hypothetical set.  transition:
        the result is the state, which aggregates that differ in the final function share."""
        binding = self.aggregate_binding(proc, info)
        row = binding if isinstance(binding, PgAggregate) else None
        key: Hashable = ("a", proc.oid, row, info, distinct, ndirect, ordering)
        if transition and row is not None:
            key = ("t", row.aggtransfn, row.agginitval, info, distinct)
        name, new = self._name(key, proc.proname)
        if new:
            factory = aggregate_factory(
                self,
                binding,
                info,
                distinct=distinct,
                ndirect=ndirect,
                ordering=ordering,
                transition=transition,
            )
            self.conn.create_aggregate_function(name, factory, -1)
        return name

    def window(self, proc: PgProc, info: TypeInfo) -> str:
        binding = self.aggregate_binding(proc, info)
        row = binding if isinstance(binding, PgAggregate) else None
        name, new = self._name(("w", proc.oid, row, info), f"w_{proc.proname}")
        if new:
            factory = window_factory(self, binding, info)
            self.conn.create_window_function(name, factory, -1)
        return name

    def frame(self, proc: PgProc, info: TypeInfo, spec: FrameSpec) -> str:
        binding = self.aggregate_binding(proc, info) if spec.aggregate else None
        row = binding if isinstance(binding, PgAggregate) else None
        name, new = self._name(("wf", proc.oid, row, info, spec), f"w_{proc.proname}")
        if new:
            factory = frame_factory(self, proc, info, spec)
            self.conn.create_window_function(name, factory, -1)
        return name

    # -- functions in FROM -----------------------------------------------------------------------

    def table_function(self, calls: tuple[SetCall, ...]) -> str:
        stem = "set_" + "_".join(c.proc.proname if c.proc else "value" for c in calls)
        key = (
            "t",
            tuple(
                (
                    _identity(c.proc) if c.proc else 0,
                    c.info,
                    c.nargs,
                    c.ncolumns,
                    c.expand,
                    c.as_row,
                )
                for c in calls
            ),
        )
        if key not in self._names:
            module = FunctionModule(calls, [self._set_body(c) for c in calls])
            self._create_module(self._name(key, stem)[0], module)
        return self._names[key]

    def _set_body(self, call: SetCall) -> Callable[..., Any]:
        if call.proc is None:
            return lambda value: value
        return self.callable(call.proc, call.info)

    def statement_function(self, sql_text: str, nparams: int, ncolumns: int) -> str:
        name, new = self._name(("s", sql_text, nparams, ncolumns), "lateral")
        if new:
            module = StatementModule(self.conn, sql_text, nparams, ncolumns, self.session)
            self._create_module(name, module)
        return name

    def locked_rows(self, plan: Plan, ncolumns: int) -> str:
        key = ("l", plan.sql, plan.params, plan.row_marks, ncolumns)
        name, new = self._name(key, "locked")
        if new:
            self._create_module(name, LockedModule(self.session, plan, ncolumns))
        return name

    # -- specials ----------------------------------------------------------------------------------

    def special(self, kind: str, *key: Any) -> str:
        if kind == "relation":
            self._bind_index_functions(key[0])
            return ""
        if kind == "xid":
            return "pg_xid"
        if kind == "collation":
            return self._typed_collation(key[0])
        identity: tuple[Hashable, ...] = (kind, *map(_hashable, key))
        lasting = kind in SPECIALS
        if kind == "scalar_array_op":
            identity += (_identity(self.catalog.get(PgProc, oid=key[0])),)
        elif kind in _OF_TYPES and any(isinstance(k, int) and k >= FIRST_USER_OID for k in key):
            identity += (self.catalog.cached(("special",), object),)
            lasting = False
        known = self._names.get(identity)
        if known is not None:
            return known
        if lasting:
            name = self._names[identity] = f"pg_{kind}_{_digest(identity)}"
        else:
            name, _new = self._name(identity, f"pg_{kind}")
        try:
            self._create_special(name, kind, key)
        except BaseException:
            # a name whose factory failed must not be taken for one that SQLite knows
            self._names[("failed", len(self._names))] = self._names.pop(identity)
            raise
        return name

    def _create_special(self, name: str, kind: str, key: tuple[Any, ...]) -> None:
        if kind == "rows":
            self._create_module(name, RowsModule(self.row_sets, key[0]))
        elif kind == "sequence":
            self._create_module(name, SequenceModule(self.session))
        elif kind == "recursion":
            module = RecursionModule(self, key[0], key[1:3], key[3:5], key[5], key[6])
            self._create_module(name, module)
        elif kind == "xml_table":
            from pgemu.executor.xmltable import XmlTableModule

            self._create_module(name, XmlTableModule(self.ctx, *key))
        elif kind in SPECIAL_AGGREGATES:
            self.conn.create_aggregate_function(name, SPECIAL_AGGREGATES[kind](self, *key), -1)
        else:
            factory, deterministic = SPECIALS[kind]
            self.conn.create_scalar_function(
                name, factory(self, *key), -1, deterministic=deterministic
            )

    def collation_of(self, type_oid: int, collid: int = 0) -> str | None:
        """The SQLite collation of a type's values (Lowering.collation)."""
        from pgemu.planner.lowering import Lowering

        return Lowering(self.catalog, self).collation(type_oid, collid)

    def _create_module(self, name: str, module: Any) -> None:
        self.conn.create_module(
            name, module, eponymous_only=True, read_only=True, use_bestindex_object=True
        )

    def _typed_collation(self, type_oid: int) -> str:
        name, new = self._name(("collation", type_oid), f"ops_{type_oid}")
        if new:
            compare = self.catalog.types.io(type_oid).compare
            if self.catalog.types.row(type_oid).typtype == "c":
                # the columns may change

                def compare(left: Any, right: Any) -> int:
                    order: int = self.catalog.types.io(type_oid).compare(left, right)
                    return order

            self.conn.create_collation(name, compare)
        return name

    def _bind_index_functions(self, relid: int) -> None:
        """SQLite must know the functions in a table's indexes before it plans a statement."""
        relation = self.catalog.relation(relid)
        if self._indexed_relations.get(relid) is relation:
            return
        self._indexed_relations[relid] = relation
        for index in relation.indexes:
            if index.index.indexprs is not None or index.index.indpred is not None:
                from pgemu.planner.planner import compile_index_expr

                for expr in [*index.exprs, *([index.pred] if index.pred is not None else [])]:
                    compile_index_expr(self.catalog, relation, expr)


def _digest(key: Hashable) -> str:
    """The same in every session: a function that an index calls must keep its name."""
    return blake2s(repr(key).encode(), digest_size=6).hexdigest()


def _identity(proc: PgProc) -> Hashable:
    """A user's function is another one after CREATE OR REPLACE or ALTER."""
    return proc.oid if proc.oid < FIRST_USER_OID else proc


def _hashable(value: Any) -> Hashable:
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return value  # type: ignore[no-any-return]


RECORDOID = 2249


def _record_result(body: Callable[..., Any], proc: PgProc) -> Callable[..., Any]:
    """The OUT parameters of a function as one record."""
    types, names = [], []
    for type_oid, mode, name in zip(
        proc.proallargtypes or (), proc.proargmodes or (), proc.proargnames or (), strict=True
    ):
        if mode in "obt":
            types.append(type_oid)
            names.append(name)

    def call(*args: Any) -> Any:
        found = body(*args)
        return form_record(types, found, names) if isinstance(found, tuple) else found

    return call


def _with_context(body: Callable[..., Any], line: str) -> Callable[..., Any]:
    """A SQL function that PostgreSQL would run, not inline, since its arguments are constants."""

    def call(*args: Any) -> Any:
        try:
            return body(*args)
        except PgError as error:
            error.add_context(line)
            raise

    return call


def _strict(body: Callable[..., Any], nargs: int) -> Callable[..., Any]:
    """NULL for a NULL argument, without calling the body."""
    if nargs == 0:
        return body
    if nargs == 1:
        return lambda a: None if a is None else body(a)
    if nargs == 2:
        return lambda a, b: None if a is None or b is None else body(a, b)

    def call(*args: Any) -> Any:
        return None if None in args else body(*args)

    return call
