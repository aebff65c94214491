"""Hash functions of network addresses, dates and times, vectors, arrays, ranges, jsonb
(PostgreSQL: the *_hash functions of utils/adt).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from typing import Any

from pgemu.errors import UNDEFINED_FUNCTION, PgError
from pgemu.fmgr import CallContext, TypeInfo, functions, pg_function
from pgemu.types.arrays_value import load_flat
from pgemu.types.hash import (
    MASK,
    bind_hash,
    char_state,
    hash_any,
    hash_any_extended,
    hash_state,
    int8_state,
    int_state,
    signed,
)
from pgemu.types.network import split_inet
from pgemu.types.oid import tid_key
from pgemu.types.variadic import array_elements

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

BY_NAME = {
    "varchar": "hashtext",
    "cidr": "hashinet",
    "numeric": "hash_numeric",
    "date": "hashint4",
    "bool": "hashchar",
    "timestamptz": "timestamp_hash",
    "bytea": "",
}


def hash_body(ctx: CallContext, type_oid: int) -> Callable[[Any], int]:
    """The type's hash function, found by its name."""
    io = ctx.catalog.types.io(type_oid)
    name = io.name
    if name == "bytea":
        return lambda value: hash_any(bytes(value))
    if name == "bool":
        return lambda value: hash_any(bytes((bool(value),)))
    element = ctx.catalog.types.element_type(type_oid)
    if element:
        return lambda value: array_hash(ctx, type_oid, value)
    candidates = [BY_NAME.get(name, ""), f"hash{name}", f"{name}_hash", f"hash_{name}"]
    for candidate in candidates:
        for argument in (name, "text", "int4", "timestamp", "inet"):
            binding = functions.get(f"{candidate}({argument})")
            if binding is not None:
                body: Callable[[Any], int] = binding.body
                return body
    raise PgError(UNDEFINED_FUNCTION, f"could not identify a hash function for type {name}")


def array_hash(ctx: CallContext, type_oid: int, value: str) -> int:
    element, values = array_elements(ctx, type_oid, value)
    body = hash_body(ctx, element)
    result = 1
    for one in values:
        hashed = 0 if one is None else body(one) & MASK
        result = ((result << 5) - result + hashed) & MASK
    return signed(result, 32)


@pg_function("hash_array(anyarray)", context=True, typed=True)
def hash_array(ctx: CallContext, info: TypeInfo, value: str) -> int:
    return array_hash(ctx, info.arg_types[0], value)


def jsonb_scalar_hash(result: int, value: Any) -> int:
    """JsonbHashScalarValue: rotate and mix in one scalar."""
    from pgemu.types.hash import hash_numeric

    if value is None:
        hashed = 0x01
    elif isinstance(value, bool):
        hashed = 0x02 if value else 0x04
    elif isinstance(value, str):
        hashed = hash_any(value.encode())
    else:
        hashed = hash_numeric(value.text) & MASK
    return (((result << 1) | (result >> 31)) & MASK) ^ hashed


class Number:
    """A JSON number as written."""

    def __init__(self, text: str) -> None:
        self.text = text


JB_FOBJECT = 0x20000000
JB_FARRAY = 0x40000000


def jsonb_mix(result: int, value: Any) -> int:
    """The containers' flags and the scalars in the order of JsonbIteratorNext."""
    if isinstance(value, list):
        result ^= JB_FARRAY
        for one in value:
            result = jsonb_mix(result, one)
        return result
    if isinstance(value, dict):
        result ^= JB_FOBJECT
        for key, one in value.items():
            result = jsonb_mix(jsonb_scalar_hash(result, key), one)
        return result
    return jsonb_scalar_hash(result, value)


@pg_function("jsonb_hash(jsonb)")
def jsonb_hash(text: str) -> int:
    value = json.loads(text, parse_int=Number, parse_float=Number)
    if not isinstance(value, list | dict):
        # A lone scalar is the only element of an array.
        return signed(jsonb_scalar_hash(JB_FARRAY, value), 32)
    return signed(jsonb_mix(0, value), 32) if value else 0


def jsonb_scalars(value: Any) -> Iterator[tuple[bool, Any]]:
    """(is a container's flag, flag or scalar) in the order of JsonbIteratorNext."""
    if isinstance(value, list):
        yield True, JB_FARRAY
        for one in value:
            yield from jsonb_scalars(one)
    elif isinstance(value, dict):
        yield True, JB_FOBJECT
        for key, one in value.items():
            yield False, key
            yield from jsonb_scalars(one)
    else:
        yield False, value


def jsonb_scalar_hash_extended(value: Any, seed: int) -> int:
    """What JsonbHashScalarValueExtended mixes in."""
    from pgemu.types.hash import hash_numeric_extended

    if value is None:
        return seed + 0x01
    if isinstance(value, bool):
        if seed:
            high, low = char_state("\x01" if value else "\0", seed)
            return high << 32 | low
        return 0x02 if value else 0x04
    if isinstance(value, str):
        return hash_any_extended(value.encode(), seed)
    return int(hash_numeric_extended(value.text, seed))


@pg_function("jsonb_hash_extended(jsonb,int8)")
def jsonb_hash_extended(text: str, seed: int) -> int:
    value = json.loads(text, parse_int=Number, parse_float=Number)
    if isinstance(value, list | dict) and not value:
        return seed
    result = 0
    for flag, one in jsonb_scalars(value if isinstance(value, list | dict) else [value]):
        if flag:
            result ^= (one << 32) | one
            continue
        rotated = (result << 1) & 0xFFFFFFFEFFFFFFFE | (result >> 31) & 0x100000001
        result = rotated ^ (jsonb_scalar_hash_extended(one, seed) & MASK64)
    return signed(result, 64)
