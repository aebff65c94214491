"""BaseType: what every type tells the rest of the server about itself.

One subclass (or instance) per type, registered with `register_type`, found by typname.  A type
module holds the type's representation, its text and binary I/O, its ordering (if SQLite's own
order of the storage value is not right), and its functions.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from pgemu.errors import UNDEFINED_FUNCTION, PgError
from pgemu.fmgr import CallContext
from pgemu.fmgr.registry import LazyTable
from pgemu.nodes.primnodes import Value


class BaseType:
    """I/O of one type.

    name       pg_type.typname
    storage    "integer", "real", "text" or "blob": what SQLite sees
    collation  name of the SQLite collation that orders storage values as the type's btree
               operator class does, or None where SQLite's native order is right
    compare    for types with a collation: (a, b) -> negative, 0, positive over storage values
    hash_key   for types with a collation: storage value -> hashable equal exactly when compare
               gives 0 (DISTINCT aggregates, hash lookups)
    """

    name: str = ""
    storage: str = "text"
    collation: str | None = None

    def compare(self, a: Any, b: Any) -> int:
        return bool(a > b) - bool(a < b)

    def hash_key(self, value: Any) -> Any:
        return value

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        """The storage value of a text form.  Raises PostgreSQL's error (22P02, 22003 ...)."""
        raise NotImplementedError

    def output(self, value: Any, ctx: CallContext) -> str:
        """The text form of a storage value (never None)."""
        return str(value)

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> Value:
        """The storage value of a binary form; malformed data: PgError 22P03 or 08P01."""
        raise PgError(
            UNDEFINED_FUNCTION, f"no binary input function available for type {self.name}"
        )

    def send(self, value: Any, ctx: CallContext) -> bytes:
        """The binary form of a storage value."""
        raise PgError(
            UNDEFINED_FUNCTION, f"no binary output function available for type {self.name}"
        )

    def text_encoder(self, ctx: CallContext) -> Callable[[Any], bytes]:
        """A function from storage value to the bytes of the text form, as fast as can be: it is
        called per field of every DataRow.  Asked for once per statement execution."""
        output = self.output
        return lambda value: output(value, ctx).encode()

    def binary_encoder(self, ctx: CallContext) -> Callable[[Any], bytes]:
        """The same for the binary form."""
        send = self.send
        return lambda value: send(value, ctx)

    def typmod_in(self, args: list[str], ctx: CallContext) -> int:
        """pg_type.typmodin: `numeric(10,2)` -> typmod from ["10", "2"]."""
        raise PgError("42601", f'type modifier is not allowed for type "{self.name}"')

    def typmod_out(self, typmod: int) -> str:
        """pg_type.typmodout: the text in parentheses behind the type name, e.g. "(10,2)"."""
        return f"({typmod})" if typmod >= 0 else ""


# typname -> type.  Arrays, enums, domains, composites and ranges of users are made from their
# catalog rows by pgemu.types.lookup.
base_types: LazyTable[BaseType] = LazyTable()


def register_type(*types: BaseType) -> None:
    """Make types known under their names; a name given twice is an error at import."""
    module = sys._getframe(1).f_globals["__name__"]
    for one in types:
        base_types.register(one.name, one, module)
