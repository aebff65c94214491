"""PostgreSQL's hash functions (PostgreSQL: common/hashfn.c, access/hash/hashfunc.c).

hash_any is Jenkins' lookup3 in little-endian word order; hashtext('x') and the rest give
PostgreSQL's values, which users see through partitioning and direct calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pgemu.fmgr import pg_function
from pgemu.types.comparison import load_unsigned
from pgemu.types.float import DOUBLE, PgFloat, from_storage
from pgemu.types.numeric import numeric_send

MASK = 0xFFFFFFFF
INITIAL = 0x9E3779B9 + 3923095


def rot(x: int, k: int) -> int:
    return ((x << k) | (x >> (32 - k))) & MASK


def mix(a: int, b: int, c: int) -> tuple[int, int, int]:
    a = (a - c & MASK) ^ rot(c, 4)
    c = c + b & MASK
    b = (b - a & MASK) ^ rot(a, 6)
    a = a + c & MASK
    c = (c - b & MASK) ^ rot(b, 8)
    b = b + a & MASK
    a = (a - c & MASK) ^ rot(c, 16)
    c = c + b & MASK
    b = (b - a & MASK) ^ rot(a, 19)
    a = a + c & MASK
    c = (c - b & MASK) ^ rot(b, 4)
    b = b + a & MASK
    return a, b, c


def final(a: int, b: int, c: int) -> tuple[int, int, int]:
    c = (c ^ b) - rot(b, 14) & MASK
    a = (a ^ c) - rot(c, 11) & MASK
    b = (b ^ a) - rot(a, 25) & MASK
    c = (c ^ b) - rot(b, 16) & MASK
    a = (a ^ c) - rot(c, 4) & MASK
    b = (b ^ a) - rot(a, 14) & MASK
    c = (c ^ b) - rot(b, 24) & MASK
    return a, b, c


def seeded(a: int, seed: int) -> tuple[int, int, int]:
    """The start state, perturbed by a 64-bit seed if there is one."""
    if not seed:
        return a, a, a
    return mix((a + (seed >> 32)) & MASK, (a + (seed & MASK)) & MASK, a)


def hash_state(data: bytes, seed: int = 0) -> tuple[int, int]:
    """(b, c) after hashing; c alone is the 32-bit hash."""
    a, b, c = seeded((INITIAL + len(data)) & MASK, seed)
    position = 0
    while len(data) - position >= 12:
        a = (a + int.from_bytes(data[position : position + 4], "little")) & MASK
        b = (b + int.from_bytes(data[position + 4 : position + 8], "little")) & MASK
        c = (c + int.from_bytes(data[position + 8 : position + 12], "little")) & MASK
        a, b, c = mix(a, b, c)
        position += 12
    tail = data[position:]
    a = (a + int.from_bytes(tail[:4], "little")) & MASK
    b = (b + int.from_bytes(tail[4:8], "little")) & MASK
    # The lowest byte of c is reserved for the length.
    c = (c + (int.from_bytes(tail[8:], "little") << 8)) & MASK
    a, b, c = final(a, b, c)
    return b, c


def hash_any(data: bytes) -> int:
    return hash_state(data)[1]


def hash_any_extended(data: bytes, seed: int) -> int:
    b, c = hash_state(data, seed & 0xFFFFFFFFFFFFFFFF)
    return b << 32 | c


def uint32_state(k: int, seed: int = 0) -> tuple[int, int]:
    a, b, c = seeded((INITIAL + 4) & MASK, seed)
    _, b, c = final((a + k) & MASK, b, c)
    return b, c


def signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value


def fold_int8(value: int) -> int:
    """hashint8: int8 values in int4's range hash as the int4 does."""
    low, high = value & MASK, (value >> 32) & MASK
    return low ^ (high if value >= 0 else ~high & MASK)


def bind_hash(
    name: str, extended: str, type_name: str, state: Callable[[Any, int], tuple[int, int]]
) -> None:
    """Bind a type's hash function and its 64-bit form."""

    def plain(value: Any) -> int:
        return signed(state(value, 0)[1], 32)

    def with_seed(value: Any, seed: int) -> int:
        b, c = state(value, seed & 0xFFFFFFFFFFFFFFFF)
        return signed(b << 32 | c, 64)

    pg_function(f"{name}({type_name})")(plain)
    pg_function(f"{extended}({type_name},int8)")(with_seed)


def text_state(value: str, seed: int) -> tuple[int, int]:
    return hash_state(value.encode(), seed)


def int_state(value: int, seed: int) -> tuple[int, int]:
    return uint32_state(value & MASK, seed)


def char_state(value: str | int, seed: int) -> tuple[int, int]:
    """Of a "char", and of a bool, whose operator class has this function too."""
    code = value if isinstance(value, int) else ord(value) if value else 0
    return uint32_state((code - 256 if code >= 128 else code) & MASK, seed)


def int8_state(value: int | str, seed: int) -> tuple[int, int]:
    """Of an int8, and of an xid8, whose operator class has this function too."""
    return uint32_state(fold_int8(signed(load_unsigned(value), 64)), seed)


def float_state(value: PgFloat, seed: int) -> tuple[int, int]:
    number = from_storage(value)
    if number == 0:
        return 0, 0
    return hash_state(DOUBLE.pack(number)[::-1], seed)


bind_hash("hashtext", "hashtextextended", "text", text_state)
bind_hash("hashbpchar", "hashbpcharextended", "bpchar", text_state)
bind_hash("hashname", "hashnameextended", "name", text_state)
bind_hash("hashchar", "hashcharextended", "char", char_state)
bind_hash("hashint2", "hashint2extended", "int2", int_state)
bind_hash("hashint4", "hashint4extended", "int4", int_state)
bind_hash("hashoid", "hashoidextended", "oid", int_state)
bind_hash("hashint8", "hashint8extended", "int8", int8_state)
bind_hash("hashvarlena", "hashvarlenaextended", "internal", hash_state)
bind_hash("uuid_hash", "uuid_hash_extended", "uuid", hash_state)
bind_hash(
    "pg_lsn_hash",
    "pg_lsn_hash_extended",
    "pg_lsn",
    lambda value, seed: int8_state(signed(load_unsigned(value), 64), seed),
)


def bind_float_hash(name: str) -> None:
    def plain(value: PgFloat) -> int:
        return signed(float_state(value, 0)[1], 32)

    def with_seed(value: PgFloat, seed: int) -> int:
        if value == 0:
            return seed
        b, c = float_state(value, seed & 0xFFFFFFFFFFFFFFFF)
        return signed(b << 32 | c, 64)

    pg_function(f"hash{name}({name})")(plain)
    pg_function(f"hash{name}extended({name},int8)")(with_seed)


bind_float_hash("float4")
bind_float_hash("float8")


def numeric_digits(value: str) -> tuple[int, bytes] | None:
    """(weight, base-10000 digits in native byte order), None for NaN and the infinities."""
    if value in ("NaN", "Infinity", "-Infinity"):
        return None
    data = numeric_send(value)
    weight = int.from_bytes(data[2:4], "big", signed=True)
    digits = b"".join(data[i : i + 2][::-1] for i in range(8, len(data), 2))
    return weight, digits


@pg_function("hash_numeric(numeric)")
def hash_numeric(value: str) -> int:
    found = numeric_digits(value)
    if found is None:
        return 0
    weight, digits = found
    if not digits:
        return -1
    return signed(hash_any(digits) ^ (weight & MASK), 32)


@pg_function("hash_numeric_extended(numeric,int8)")
def hash_numeric_extended(value: str, seed: int) -> int:
    found = numeric_digits(value)
    if found is None:
        return seed
    weight, digits = found
    if not digits:
        return signed((seed - 1) & 0xFFFFFFFFFFFFFFFF, 64)
    hashed = hash_any_extended(digits, seed)
    return signed(hashed ^ (weight & 0xFFFFFFFFFFFFFFFF), 64)
