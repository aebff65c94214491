"""Hash functions of network addresses, dates and times, vectors, enums (PostgreSQL: the *_hash
functions of utils/adt)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from pgemu.types.arrays_value import load_flat
from pgemu.types.hash import bind_hash, hash_state, int8_state, int_state, signed
from pgemu.types.network import split_inet
from pgemu.types.oid import tid_key

MASK64 = 0xFFFFFFFFFFFFFFFF


def inet_state(value: str, seed: int) -> tuple[int, int]:
    address, bits = split_inet(value)
    family = 2 if address.version == 4 else 3
    return hash_state(bytes((family, bits)) + address.packed, seed)


def tid_state(value: str, seed: int) -> tuple[int, int]:
    block, offset = tid_key(value)
    return hash_state(struct.pack("<HHH", block >> 16, block & 0xFFFF, offset), seed)


def vector_state(value: str, seed: int) -> tuple[int, int]:
    values = load_flat(value)
    return hash_state(struct.pack(f"<{len(values)}I", *values), seed)


def timetz_state(value: str, seed: int) -> tuple[int, int]:
    usecs, zone = (int(part) for part in value.split(" "))
    b1, c1 = int8_state(usecs, seed)
    b2, c2 = int_state(zone, seed)
    return b1 ^ b2, c1 ^ c2


def interval_state(value: str, seed: int) -> tuple[int, int]:
    from pgemu.types.interval import interval_span

    return int8_state(signed(interval_span(value) & MASK64, 64), seed)


def enum_state(value: float, seed: int) -> tuple[int, int]:
    """PostgreSQL hashes the label's OID; here the sort order stands for it."""
    return hash_state(struct.pack("<d", value), seed)


def bind_pair(name: str, type_name: str, state: Callable[[Any, int], tuple[int, int]]) -> None:
    bind_hash(name, f"{name}_extended", type_name, state)


bind_hash("hashmacaddr", "hashmacaddrextended", "macaddr", hash_state)
bind_hash("hashmacaddr8", "hashmacaddr8extended", "macaddr8", hash_state)
bind_hash("hashinet", "hashinetextended", "inet", inet_state)
bind_hash("hashtid", "hashtidextended", "tid", tid_state)
bind_hash("hashoidvector", "hashoidvectorextended", "oidvector", vector_state)
bind_hash("hashenum", "hashenumextended", "anyenum", enum_state)
bind_pair("time_hash", "time", int8_state)
bind_pair("timestamp_hash", "timestamp", int8_state)
bind_pair("timetz_hash", "timetz", timetz_state)
bind_pair("interval_hash", "interval", interval_state)
