"""@pg_function and its kin: bind Python code to pg_proc rows by signature.

The signature names pg_proc's proname and pg_type's typname, arrays with a leading underscore as
in pg_type: `"array_append(anycompatiblearray, anycompatible)"`.  What pg_proc knows (strictness,
volatility, result type, set-returning) is not repeated here.  A body gets and returns storage
values (see pgemu/types/README.md).  For a strict function NULL never reaches the body.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from pgemu.nodes.primnodes import Value

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class FunctionBinding:
    """A scalar or set-returning body.

    context: the first argument is the CallContext.  typed: after it comes a TypeInfo (OIDs of
    the actual argument and result types, inputcollid), for polymorphic and collation-aware
    bodies.  A set-returning body is a generator: of values, or of tuples when the function has
    several columns.
    """

    signature: str
    body: Callable[..., Any]
    context: bool = False
    typed: bool = False


@dataclass(frozen=True, slots=True)
class TypeInfo:
    """The call site as analysis typed it: resolved argument types, result type, collation, the
    typmod of the result if known; ret_columns = [(name, type OID, typmod)] for record results.
    variadic: the call was written f(VARIADIC array) (only bodies of VARIADIC "any" care).
    constant: all arguments are constants (only functions in SQL care)."""

    arg_types: tuple[int, ...]
    result_type: int
    collation: int = 0
    result_typmod: int = -1
    ret_columns: tuple[tuple[str, int, int], ...] = ()
    variadic: bool = False
    constant: bool = False


class Aggregate(Protocol):
    """Transition state of one group.  step gets the storage values of one row's arguments."""

    def step(self, *args: Value) -> None: ...

    def final(self) -> Value: ...


@dataclass(frozen=True, slots=True)
class AggregateBinding:
    """factory() -> Aggregate; with context/typed it is called with those arguments.

    strict: rows with a NULL argument are not passed to step.  An Aggregate that has
    `inverse(*args)` and `value()` methods can serve moving window frames; without `value` the
    executor calls final(), which therefore must not destroy the state.
    Ordered-set aggregates: factory gets the direct arguments through `direct(*values)` called
    once before the first final; step gets the aggregated arguments in sorted order.
    """

    signature: str
    factory: Callable[..., Aggregate]
    strict: bool = True
    context: bool = False
    typed: bool = False


B = TypeVar("B")


class LazyTable(dict[str, B]):
    """A registry that knows, by an index, which module registers a missing key, and imports it
    when it is asked for: a server answers its first query long before it has loaded every
    function.  Without an index (tests, tools) it is a plain dict."""

    def __init__(self) -> None:
        super().__init__()
        self.index: dict[str, str] = {}
        self.modules: dict[str, str] = {}

    def register(self, key: str, value: B, module: str) -> None:
        """Add an entry that `module` defines; a key given twice is an error."""
        if dict.__contains__(self, key):
            raise ValueError(f"two registrations of {key}")
        self[key] = value
        self.modules[key] = module

    def _load(self, key: str) -> bool:
        module = self.index.pop(key, None)
        if module is None:
            return False
        importlib.import_module(module)
        return dict.__contains__(self, key)

    def get(self, key: str, default: Any = None) -> Any:
        if not dict.__contains__(self, key) and not self._load(key):
            return default
        return dict.__getitem__(self, key)

    def __missing__(self, key: str) -> B:
        if self._load(key):
            return dict.__getitem__(self, key)
        raise KeyError(key)


functions: LazyTable[FunctionBinding] = LazyTable()
aggregates: LazyTable[AggregateBinding] = LazyTable()


def normalize_signature(signature: str) -> str:
    """`upper( text ) -> text` becomes `upper(text)`; the part after -> is for the reader."""
    call = signature.split("->")[0].strip()
    name, _, args = call.partition("(")
    inner = ",".join(a.strip() for a in args.rstrip(")").split(",") if a.strip())
    return f"{name.strip()}({inner})"


def registering_module() -> str:
    """The module whose body is running: a family may bind through another module's function
    (bind_comparisons, geometric), and it is the family that has to be imported."""
    frame = sys._getframe(2)
    while frame.f_code.co_name != "<module>" and frame.f_back is not None:
        frame = frame.f_back
    return str(frame.f_globals["__name__"])


def pg_function(*signatures: str, context: bool = False, typed: bool = False) -> Callable[[F], F]:
    """Bind a body to one or more pg_proc rows."""

    module = registering_module()

    def bind(body: F) -> F:
        for written in signatures:
            signature = normalize_signature(written)
            binding = FunctionBinding(signature, body, context, typed)
            functions.register(signature, binding, module)
        return body

    return bind


def pg_aggregate(
    *signatures: str, strict: bool = True, context: bool = False, typed: bool = False
) -> Callable[[F], F]:
    """Bind an Aggregate class (or factory) to one or more pg_proc rows of kind 'a'."""

    module = registering_module()

    def bind(factory: F) -> F:
        for written in signatures:
            signature = normalize_signature(written)
            binding = AggregateBinding(signature, factory, strict, context, typed)
            aggregates.register(signature, binding, module)
        return factory

    return bind


def bound_signatures() -> Iterator[str]:
    """Every signature that has a body, for the test that holds them against pg_proc."""
    yield from functions
    yield from aggregates
