"""Domains as elements of arrays and columns of composites (PostgreSQL's domains.c): their input
functions test the constraints, which coercions in expressions do by themselves elsewhere."""

from __future__ import annotations

from typing import Any

from pgemu.fmgr import CallContext
from pgemu.nodes.primnodes import Value
from pgemu.types.base import BaseType


def check_domain(ctx: CallContext, oid: int, value: Any) -> Any:
    """The constraints of a domain, through the function that the executor makes for them."""
    session = ctx.session
    if session is None:
        return value
    name = session.udfs.special("domain", oid)
    return session.conn.execute(f"SELECT {name}(?)", (value,)).fetchall()[0][0]


class DomainType(BaseType):
    """The base type's I/O with the domain's typmod and constraints (domain_in, domain_recv)."""

    def __init__(self, base: BaseType, oid: int, typmod: int) -> None:
        self.base, self.oid, self.base_typmod = base, oid, typmod
        self.name, self.storage, self.collation = base.name, base.storage, base.collation

    def compare(self, a: Any, b: Any) -> int:
        return self.base.compare(a, b)

    def hash_key(self, value: Any) -> Any:
        return self.base.hash_key(value)

    def check(self, value: Any, ctx: CallContext) -> Value:
        checked: Value = check_domain(ctx, self.oid, value)
        return checked

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        return self.check(self.base.input(text, self.base_typmod, ctx), ctx)

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> Value:
        return self.check(self.base.recv(data, self.base_typmod, ctx), ctx)

    def output(self, value: Any, ctx: CallContext) -> str:
        return self.base.output(value, ctx)

    def send(self, value: Any, ctx: CallContext) -> bytes:
        return self.base.send(value, ctx)
