"""Bringing together the code that every backend runs.

Nothing in PostgreSQL corresponds to it.  CPython counts references in the objects themselves, so a
forked child that calls a function writes to it and to its code, and makes pages of its own of them.
Modules are loaded whole: what a backend runs is strewn among what it does not.  New copies of the
code that a rehearsal has run, made one after the other, lie side by side.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

_COPIED = ("__kwdefaults__", "__qualname__", "__module__", "__doc__", "__annotations__")


class HotCode:
    """watch() what runs, then move() it."""

    def __init__(self) -> None:
        self._codes: dict[int, CodeType] = {}

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Remember each code that is called.  (By id: equal codes are not one.)"""
        codes = self._codes

        def called(frame: FrameType, event: str, arg: Any) -> None:
            if event == "call":
                codes[id(frame.f_code)] = frame.f_code

        before = sys.getprofile()
        sys.setprofile(called)
        try:
            yield
        finally:
            sys.setprofile(before)

    def move(self) -> None:
        """Give the functions whose code was called a copy of it, and make a copy of the function
        where all who know it are classes and modules.  What is replaced lives until all copies are
        made: they would take its place."""
        functions = [
            one
            for one in gc.get_objects()
            if type(one) is FunctionType and id(one.__code__) in self._codes
        ]
        kept: list[object] = [*self._codes.values(), *functions]
        copies: dict[int, CodeType] = {}
        for code in sorted({id(f.__code__): f.__code__ for f in functions}.values(), key=_size):
            copies[id(code)] = self._copy(code)
        for function in functions:
            function.__code__ = copies[id(function.__code__)]
        del functions, function, code
        _move_functions(kept)
        self._codes.clear()

    def _copy(self, code: CodeType) -> CodeType:
        """With copies of the called codes that it makes functions of."""
        constants = tuple(
            self._copy(one) if type(one) is CodeType and id(one) in self._codes else one
            for one in code.co_consts
        )
        return code.replace(co_consts=constants)


def _size(code: CodeType) -> int:
    """Large ones first: what is needed to make them leaves room for smaller ones."""
    return -sys.getsizeof(code)


def _move_functions(kept: list[object]) -> None:
    """Replace those of the objects that are functions, and that nobody knows but the namespaces
    of classes and modules."""
    owners: dict[int, list[tuple[Any, str]]] = {
        id(one): [] for one in kept if type(one) is FunctionType
    }
    for owner in [one for one in gc.get_objects() if isinstance(one, type | ModuleType)]:
        for name, one in vars(owner).items():
            if id(one) in owners:
                owners[id(one)].append((owner, name))
    for one in kept:
        if type(one) is not FunctionType:
            continue
        known = owners[id(one)]
        # the others: the list, the variable, the argument of the call
        if known and sys.getrefcount(one) == len(known) + 3:
            twin = _twin(one)
            for owner, name in known:
                setattr(owner, name, twin)


def _twin(function: FunctionType) -> FunctionType:
    twin = FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    for name in _COPIED:
        setattr(twin, name, getattr(function, name))
    twin.__dict__.update(function.__dict__)
    return twin
