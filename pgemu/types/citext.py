"""citext: text that compares without regard to case (PostgreSQL: contrib/citext).

Storage: TEXT as given.  The order is that of lower(), by a SQLite collation; SQLite's own equality
of texts is not the type's, so what compares values without it takes hash_key.
"""

from __future__ import annotations

from typing import Any

from pgemu.fmgr import pg_function
from pgemu.types.base import register_type
from pgemu.types.comparison import NATIVE, bind_comparisons, native_compare
from pgemu.types.hash import hash_any, hash_any_extended, signed
from pgemu.types.text import TextType


def fold(text: str) -> str:
    """str_tolower: each character by itself."""
    folded = text.lower()
    if len(folded) == len(text):
        return folded
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)


def citext_cmp(a: str, b: str) -> int:
    return native_compare(fold(a), fold(b))


class CitextType(TextType):
    collation = "citext_ops"

    def compare(self, a: Any, b: Any) -> int:
        return citext_cmp(a, b)

    def hash_key(self, value: Any) -> Any:
        return fold(value)


register_type(CitextType("citext"))
bind_comparisons(
    "citext_",
    "citext, citext",
    citext_cmp,
    larger="citext_larger",
    smaller="citext_smaller",
    cmp="citext_cmp",
)


def _bind_pattern(suffix: str) -> None:
    test = NATIVE[suffix]
    pg_function(f"citext_pattern_{suffix}(citext, citext)")(
        lambda a, b: test(fold(a).encode(), fold(b).encode())
    )


for _suffix in ("lt", "le", "gt", "ge"):
    _bind_pattern(_suffix)


@pg_function("citext_pattern_cmp(citext, citext)")
def citext_pattern_cmp(a: str, b: str) -> int:
    return native_compare(fold(a).encode(), fold(b).encode())


@pg_function("citext_hash(citext)")
def citext_hash(value: str) -> int:
    return signed(hash_any(fold(value).encode()), 32)


@pg_function("citext_hash_extended(citext, int8)")
def citext_hash_extended(value: str, seed: int) -> int:
    return signed(hash_any_extended(fold(value).encode(), seed & (2**64 - 1)), 64)
