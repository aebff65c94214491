"""Base types of users: their I/O functions are copies of built-in ones, which lend them the
representation of their own type (CREATE TYPE with functions in language internal).

A value has the storage form of the type that lends the input function.  Where another type's
output function or a cast WITHOUT FUNCTION reads the same bytes as another type, `reinterpret`
does what PostgreSQL's bits do, through the binary form of both types.
"""

from __future__ import annotations

from typing import Any

from pgemu.fmgr import CallContext
from pgemu.nodes.primnodes import Value
from pgemu.types.base import BaseType


def same_representation(a: BaseType, b: BaseType) -> bool:
    """Are storage values of one type storage values of the other as they stand?"""
    if not (isinstance(a, BorrowedType) or isinstance(b, BorrowedType)):
        return True
    a, b = _root(a), _root(b)
    if a is b or (a.storage == b.storage == "text" and not a.collation and not b.collation):
        return True
    return a.storage == b.storage == "integer" or a.storage == b.storage == "real"


def _root(one: BaseType) -> BaseType:
    while isinstance(one, BorrowedType):
        one = one.lender
    return one


def reinterpret(value: Any, source: BaseType, target: BaseType, ctx: CallContext) -> Value:
    """The value of target that has the same bytes as this value of source."""
    if value is None or same_representation(source, target):
        return value  # type: ignore[no-any-return]
    return _root(target).recv(_root(source).send(value, ctx), -1, ctx)


class BorrowedType(BaseType):
    """lender: whose input function it has; the others are lenders of the other functions."""

    def __init__(
        self,
        name: str,
        lender: BaseType,
        output: BaseType,
        binary: BaseType | None,
        typmods: BaseType | None,
    ) -> None:
        self.name = name
        self.lender = lender
        self.storage = lender.storage
        self.collation = lender.collation
        self._output = output
        self._binary = binary
        self._typmods = typmods

    def compare(self, a: Any, b: Any) -> int:
        return self.lender.compare(a, b)

    def hash_key(self, value: Any) -> Any:
        return self.lender.hash_key(value)

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        return self.lender.input(text, typmod, ctx)

    def output(self, value: Any, ctx: CallContext) -> str:
        shown = reinterpret(value, self.lender, self._output, ctx)
        return self._output.output(shown, ctx)

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> Value:
        if self._binary is None:
            return super().recv(data, typmod, ctx)
        return reinterpret(self._binary.recv(data, typmod, ctx), self._binary, self.lender, ctx)

    def send(self, value: Any, ctx: CallContext) -> bytes:
        if self._binary is None:
            return super().send(value, ctx)
        return self._binary.send(reinterpret(value, self.lender, self._binary, ctx), ctx)

    def typmod_in(self, args: list[str], ctx: CallContext) -> int:
        if self._typmods is None:
            return super().typmod_in(args, ctx)
        return self._typmods.typmod_in(args, ctx)

    def typmod_out(self, typmod: int) -> str:
        if self._typmods is None:
            return super().typmod_out(typmod)
        return self._typmods.typmod_out(typmod)
