"""@node: what @dataclass(slots=True) makes of a class, at a fraction of the cost at import.

Nothing in PostgreSQL corresponds to it (its nodes are C structs).  A server must answer its first
query soon after it starts, and `dataclass` compiles four methods for each of the many node classes.
Here only __init__ is compiled, when the first node of the class is made; the rest are closures.
`dataclasses.fields`, `is_dataclass` and `replace` work as for dataclasses, and a dataclass may
derive from a node.  What dataclass offers beyond (frozen, order, InitVar, ...) is not here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, field, fields
from operator import attrgetter
from reprlib import recursive_repr
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")

# Where in the text a node stands does not make it another expression (PostgreSQL's equal()).
NOT_COMPARED = frozenset({"location", "literal_location"})


@dataclass(slots=True)
class _Sample:
    """Where the marks come from that make a field a field for the dataclasses module."""

    sample: int


_FIELD_KIND: Any = vars(Field)["_field_type"].__get__(fields(_Sample)[0])
_PARAMS: Any = vars(_Sample)["__dataclass_params__"]

_PENDING: dict[type, dict[str, Field[Any]]] = {}
_LITERALS: dict[Any, str] = {list: "[]", dict: "{}", set: "set()"}


@dataclass_transform(field_specifiers=(field,))
def node(cls: type[T]) -> type[T]:
    """The class made anew with slots, __init__, __eq__ and __repr__ from its annotations."""
    space = dict(vars(cls))
    found: dict[str, Field[Any]] = {}
    for base in reversed(cls.__mro__[1:]):
        found.update(getattr(base, "__dataclass_fields__", {}))
    own = cls.__annotations__
    inherited = set(found)
    for name, annotation in own.items():
        found[name] = _field(name, annotation, space.pop(name, MISSING))
    space.pop("__dict__", None)
    space.pop("__weakref__", None)
    space["__slots__"] = tuple(name for name in own if name not in inherited)
    space["__match_args__"] = tuple(found)
    space["__dataclass_fields__"] = found
    space["__dataclass_params__"] = _PARAMS
    space.setdefault("__repr__", _repr)
    space.setdefault("__eq__", _equality(tuple(n for n in found if n not in NOT_COMPARED)))
    kind: Any = type(cls)
    made = kind(cls.__name__, cls.__bases__, space)
    made.__init__ = _first_init(made)
    _PENDING[made] = found
    result: type[T] = made
    return result


def compile_pending() -> None:
    """Make the __init__ of every class that has none yet: before a process forks others that
    would each do it."""
    for cls in list(_PENDING):
        _complete(cls)


def _field(name: str, annotation: Any, default: Any) -> Field[Any]:
    one: Any = default if isinstance(default, Field) else field(default=default)
    one.name, one.type = name, annotation
    one.kw_only = False
    one._field_type = _FIELD_KIND
    made: Field[Any] = one
    return made


def _first_init(cls: type) -> Callable[..., None]:
    def __init__(self: Any, *args: Any, **named: Any) -> None:
        if cls in _PENDING:
            _complete(cls)
        vars(cls)["__init__"](self, *args, **named)

    return __init__


def _complete(cls: Any) -> None:
    """Compile the __init__ of a class."""
    defaults: list[Any] = []
    scope: dict[str, Any] = {"_M": MISSING}
    params, lines = ["self"], []
    for name, one in _PENDING.pop(cls).items():
        value = name
        if one.default_factory is not MISSING:
            call = _LITERALS.get(one.default_factory)
            if call is None:
                scope[f"_new_{name}"] = one.default_factory
                call = f"_new_{name}()"
            value = f"{call} if {name} is _M else {name}"
        if one.default_factory is not MISSING or one.default is not MISSING:
            params.append(f"{name}=None")
            defaults.append(one.default)
        else:
            params.append(name)
        lines.append(f" self.{name} = {value}\n")
    source = f"def __init__({', '.join(params)}):\n" + ("".join(lines) or " pass\n")
    exec(source, scope)
    init: Any = scope["__init__"]
    init.__defaults__ = tuple(defaults)
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    cls.__init__ = init


def _equality(names: tuple[str, ...]) -> Callable[[Any, Any], Any]:
    get: Callable[[Any], Any] = attrgetter(*names) if names else type

    def __eq__(self: Any, other: Any) -> Any:
        if other.__class__ is self.__class__:
            return get(self) == get(other)
        return NotImplemented

    return __eq__


@recursive_repr()
def _repr(self: Any) -> str:
    shown = ", ".join(f"{one.name}={getattr(self, one.name)!r}" for one in fields(self))
    return f"{type(self).__qualname__}({shown})"
