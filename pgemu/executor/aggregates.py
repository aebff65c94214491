"""Aggregates and window aggregates as apsw wants them: factories of (state, step, final ...)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import apsw

from pgemu.catalog.rows import PgAggregate, PgProc
from pgemu.errors import PgError
from pgemu.executor.expiry import StatementExpiredError
from pgemu.executor.waiting import WaitFor
from pgemu.fmgr import AggregateBinding, TypeInfo
from pgemu.nodes.primnodes import Value
from pgemu.parser.parse_agg import resolve_aggregate_transtype

if TYPE_CHECKING:
    from pgemu.executor.udf import UdfRegistry

STEP_ERRORS = (PgError, apsw.Error, WaitFor, StatementExpiredError)
_Parts = tuple[Any, Callable[..., None], Callable[[Any], Any]]


def state_maker(
    udfs: UdfRegistry,
    binding: AggregateBinding | PgAggregate,
    info: TypeInfo,
    *,
    transition: bool = False,
) -> Callable[[], Any]:
    """() -> an Aggregate (pgemu.fmgr) with a `strict` rule already applied to its step.
    transition: without the final function."""
    if isinstance(binding, PgAggregate):
        row = binding._replace(aggfinalfn=0) if transition else binding
        return lambda: CatalogAggregate(udfs, row, info)
    first: list[Any] = [udfs.ctx] if binding.context else []
    if binding.typed:
        first.append(info)
    factory = binding.factory
    return lambda: factory(*first)


def aggregate_factory(
    udfs: UdfRegistry,
    binding: AggregateBinding | PgAggregate,
    info: TypeInfo,
    *,
    distinct: bool,
    ndirect: int,
    ordering: tuple[tuple[bool, bool], ...] = (),
    transition: bool = False,
) -> Callable[[], _Parts]:
    make = state_maker(udfs, binding, info, transition=transition)
    strict = isinstance(binding, AggregateBinding) and binding.strict
    if ndirect:
        return lambda: _late_errors(_ordered_set(make(), ndirect, strict, ordering))
    batches = (
        isinstance(binding, AggregateBinding)
        and binding.strict
        and not distinct
        and hasattr(binding.factory, "stepper")
    )
    keys = None
    if distinct:
        keys = [udfs.catalog.types.io(t).hash_key for t in info.arg_types]

    def factory() -> _Parts:
        state = make()
        if batches:
            return None, state.stepper(), lambda _none: state.final()
        plain = state.step
        step = plain
        if strict:

            def step(*args: Value) -> None:
                if None not in args:
                    plain(*args)

        if keys is not None:
            step = _distinct(step, keys)
        return _late_errors((None, lambda _none, *args: step(*args), lambda _none: state.final()))

    return factory


def _late_errors(parts: _Parts) -> _Parts:
    """SQLite hears of a failed step only at the end, and goes on reading until then, which calls
    table functions in Python: the exception must not be pending meanwhile."""
    state, step, final = parts
    failures: list[Exception] = []

    def guarded(first: Any, *args: Value) -> None:
        if not failures:
            try:
                step(first, *args)
            except STEP_ERRORS as failure:  # raised again by finish
                failures.append(failure)

    def finish(first: Any) -> Any:
        if failures:
            raise failures[0]
        return final(first)

    return state, guarded, finish


def _distinct(step: Callable[..., None], keys: list[Callable[[Any], Any]]) -> Callable[..., None]:
    seen: set[Any] = set()

    def once(*args: Value) -> None:
        key = tuple(None if a is None else k(a) for a, k in zip(args, keys, strict=False))
        if key not in seen:
            seen.add(key)
            step(*args)

    return once


def _ordered_set(
    state: Any, ndirect: int, strict: bool, ordering: tuple[tuple[bool, bool], ...]
) -> _Parts:
    if ordering:
        state.ordering = ordering
    direct: list[tuple[Value, ...]] = []

    def step(_none: None, *args: Value) -> None:
        if not direct:
            direct.append(args[-ndirect:])
        values = args[:-ndirect]
        if not strict or None not in values:
            state.step(*values)

    def final(_none: None) -> Any:
        if not direct:
            return None
        state.direct(*direct[0])
        return state.final()

    return None, step, final


def window_factory(
    udfs: UdfRegistry, binding: AggregateBinding | PgAggregate, info: TypeInfo
) -> Callable[[], tuple[Any, ...]]:
    """Aggregates over frames.  A state without inverse() is rebuilt from the frame's rows."""
    make = state_maker(udfs, binding, info)
    strict = isinstance(binding, AggregateBinding) and binding.strict
    return lambda: _window_parts(make, strict)


def _window_parts(make: Callable[[], Any], strict: bool) -> tuple[Any, ...]:
    frame = Frame(make, strict)
    return (
        frame,
        lambda f, *args: f.late(f.step, *args),
        lambda f: f.value(),
        lambda f: f.value(),
        lambda f, *args: f.late(f.inverse, *args),
    )


class Frame:
    """The rows of a frame with the state that was computed from them."""

    def __init__(self, make: Callable[[], Any], strict: bool) -> None:
        self._make = make
        self._strict = strict
        self._state = make()
        self._invertible = hasattr(self._state, "inverse")
        self._rows: deque[tuple[Value, ...]] = deque()
        self._stale = False
        self._failure: Exception | None = None

    def step(self, *args: Value) -> None:
        if self._strict and None in args:
            return
        if not self._invertible:
            self._rows.append(args)
        if not self._stale:
            self._state.step(*args)

    def inverse(self, *args: Value) -> None:
        if self._strict and None in args:
            return
        if self._invertible:
            self._state.inverse(*args)
        else:
            self._rows.popleft()
            self._stale = True

    def late(self, change: Callable[..., None], *args: Value) -> None:
        """What is asked for next hears of an error (see _late_errors)."""
        if self._failure is None:
            try:
                change(*args)
            except STEP_ERRORS as failure:  # raised again by value
                self._failure = failure

    def value(self) -> Any:
        if self._failure is not None:
            raise self._failure
        if self._stale:
            self._state = self._make()
            for row in self._rows:
                self._state.step(*row)
            self._stale = False
        state = self._state
        return state.value() if hasattr(state, "value") else state.final()


class CatalogAggregate:
    """An aggregate made by CREATE AGGREGATE: transition and final function from pg_aggregate."""

    def __init__(self, udfs: UdfRegistry, row: PgAggregate, info: TypeInfo) -> None:
        catalog = udfs.catalog
        transition: PgProc = catalog.get(PgProc, oid=row.aggtransfn)
        state_type = resolve_aggregate_transtype(catalog, row, info.arg_types, info.result_type)
        self._strict = transition.proisstrict
        direct = row.aggnumdirectargs if row.aggkind != "n" else 0
        self._transition = udfs.callable(
            transition,
            TypeInfo((state_type, *info.arg_types[direct:]), state_type, info.collation),
        )
        self._direct: tuple[Value, ...] = ()
        self._final = None
        if row.aggfinalfn:
            final: PgProc = catalog.get(PgProc, oid=row.aggfinalfn)
            given = info.arg_types if row.aggfinalextra else info.arg_types[:direct]
            self._final = udfs.callable(
                final, TypeInfo((state_type, *given), info.result_type, info.collation)
            )
            self._final_extra = len(given) - direct
        self._state: Value = None
        self._seen = row.agginitval is not None
        if row.agginitval is not None:
            self._state = catalog.types.io(state_type).input(row.agginitval, -1, udfs.ctx)

    def step(self, *args: Value) -> None:
        if self._strict:
            if None in args:
                return
            if not self._seen:
                self._seen = True
                self._state = args[0]
                return
            if self._state is None:
                return
        self._state = self._transition(self._state, *args)

    def final(self) -> Value:
        if self._final is None:
            return self._state
        args = (self._state, *self._direct, *([None] * self._final_extra))
        result: Value = self._final(*args)
        return result

    def direct(self, *values: Value) -> None:
        """The direct arguments of an ordered-set aggregate: its final function gets them."""
        self._direct = values
