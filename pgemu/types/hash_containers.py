"""Hash functions of arrays, records, ranges, multiranges and jsonb (PostgreSQL: hash_array,
hash_record, hash_range, hash_multirange, jsonb_hash with their extended forms).

They mix what the hash functions of the parts give.  A seed of None stands for the 32-bit form.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pgemu.errors import UNDEFINED_FUNCTION, PgError
from pgemu.fmgr import CallContext, TypeInfo, functions, pg_function
from pgemu.types.arrays import ArrayType, VectorType
from pgemu.types.arrays_value import load_flat
from pgemu.types.base import BaseType
from pgemu.types.domains import DomainType
from pgemu.types.enums import EnumType
from pgemu.types.hash import (
    MASK,
    char_state,
    hash_any,
    hash_any_extended,
    hash_numeric,
    hash_numeric_extended,
    signed,
    uint32_state,
)
from pgemu.types.hash_types import enum_state
from pgemu.types.ranges import EMPTY as RANGE_EMPTY
from pgemu.types.ranges import (
    LB_INC,
    LB_INF,
    UB_INC,
    UB_INF,
    MultirangeType,
    Range,
    RangeType,
    load_multirange,
    load_range,
)
from pgemu.types.record import CompositeType, RecordType

MASK64 = 0xFFFFFFFFFFFFFFFF
NAMES = {
    "varchar": "hashtext",
    "cidr": "hashinet",
    "date": "hashint4",
    "timestamptz": "timestamp_hash",
}
JB_FOBJECT = 0x20000000
JB_FARRAY = 0x40000000
Hash = Callable[[Any, "int | None"], int]


def uint32_hash(value: int, seed: int | None) -> int:
    if seed is None:
        return uint32_state(value)[1]
    b, c = uint32_state(value, seed & MASK64)
    return b << 32 | c


def type_hash(ctx: CallContext, io: BaseType) -> Hash:
    """The hash function of a type: (storage value, seed) to an unsigned number."""
    while isinstance(io, DomainType):
        io = io.base
    container = CONTAINERS.get(type(io))
    if container is not None:
        return lambda value, seed: container(ctx, io, value, seed)
    if isinstance(io, EnumType):
        return enum_hash
    if io.name == "bytea":
        return lambda value, seed: (
            hash_any(bytes(value)) if seed is None else hash_any_extended(bytes(value), seed)
        )
    if io.name == "bool":
        return bool_hash
    return scalar_hash(io.name)


def bool_hash(value: Any, seed: int | None) -> int:
    b, c = char_state("\1" if value else "", (seed or 0) & MASK64)
    return c if seed is None else b << 32 | c


def enum_hash(value: float, seed: int | None) -> int:
    b, c = enum_state(value, (seed or 0) & MASK64)
    return c if seed is None else b << 32 | c


def scalar_hash(name: str) -> Hash:
    for candidate in (NAMES.get(name, ""), f"hash{name}", f"{name}_hash", f"hash_{name}"):
        for argument in (name, "text", "int4", "timestamp", "inet", "anyenum"):
            plain = functions.get(f"{candidate}({argument})")
            if plain is None:
                continue
            extended = functions.get(f"{candidate}extended({argument},int8)")
            if extended is None:
                extended = functions.get(f"{candidate}_extended({argument},int8)")
            if extended is not None:
                first, second = plain.body, extended.body
                return lambda value, seed: (
                    first(value) & MASK if seed is None else second(value, seed) & MASK64
                )
    raise PgError(UNDEFINED_FUNCTION, f"could not identify a hash function for type {name}")


def summed(hashes: list[int], start: int, seed: int | None) -> int:
    """result * 31 + hash, over all."""
    mask = MASK if seed is None else MASK64
    result = start
    for one in hashes:
        result = ((result << 5) - result + one) & mask
    return result


def rotated(value: int, seed: int | None) -> int:
    """A bit to the left, in each half of a 64-bit hash for itself."""
    if seed is None:
        return ((value << 1) | (value >> 31)) & MASK
    return (value << 1) & 0xFFFFFFFEFFFFFFFE | (value >> 31) & 0x100000001


def array_hash(ctx: CallContext, io: Any, value: str, seed: int | None) -> int:
    part = type_hash(ctx, io.element)
    values = load_flat(value)
    if io.element.storage == "blob":
        values = [bytes.fromhex(one) if one is not None else None for one in values]
    return summed([0 if one is None else part(one, seed) for one in values], 1, seed)


def record_hash(ctx: CallContext, io: Any, value: str, seed: int | None) -> int:
    oids, values = io.column_types(value)
    types = ctx.catalog.types
    parts = [
        0 if one is None else type_hash(ctx, types.io(oid))(one, seed)
        for oid, one in zip(oids, values, strict=True)
    ]
    return summed(parts, 0, seed)


def range_flags(r: Range) -> int:
    if r.empty:
        return RANGE_EMPTY
    flags = LB_INC * r.lower_inc | UB_INC * r.upper_inc
    return flags | (LB_INF if r.lower is None else 0) | (UB_INF if r.upper is None else 0)


def one_range_hash(part: Hash, r: Range, seed: int | None) -> int:
    result = uint32_hash(range_flags(r), seed)
    if r.lower is not None and not r.empty:
        result ^= part(r.lower, seed)
    result = rotated(result, seed)
    if r.upper is not None and not r.empty:
        result ^= part(r.upper, seed)
    return result


def range_hash(ctx: CallContext, io: Any, value: str, seed: int | None) -> int:
    return one_range_hash(type_hash(ctx, io.subtype), load_range(value), seed)


def multirange_hash(ctx: CallContext, io: Any, value: str, seed: int | None) -> int:
    part = type_hash(ctx, io.range.subtype)
    return summed([one_range_hash(part, r, seed) for r in load_multirange(value)], 1, seed)


CONTAINERS: dict[type[BaseType], Callable[[CallContext, Any, str, int | None], int]] = {
    ArrayType: array_hash,
    VectorType: array_hash,
    RecordType: record_hash,
    CompositeType: record_hash,
    RangeType: range_hash,
    MultirangeType: multirange_hash,
}


def bind_container(name: str, argument: str) -> None:
    def plain(ctx: CallContext, info: TypeInfo, value: str) -> int:
        io = ctx.catalog.types.io(info.arg_types[0])
        return signed(type_hash(ctx, io)(value, None), 32)

    def with_seed(ctx: CallContext, info: TypeInfo, value: str, seed: int) -> int:
        io = ctx.catalog.types.io(info.arg_types[0])
        return signed(type_hash(ctx, io)(value, seed), 64)

    pg_function(f"{name}({argument})", context=True, typed=True)(plain)
    pg_function(f"{name}_extended({argument},int8)", context=True, typed=True)(with_seed)


bind_container("hash_array", "anyarray")
bind_container("hash_record", "record")
bind_container("hash_range", "anyrange")
bind_container("hash_multirange", "anymultirange")


class Number:
    """A JSON number as written."""

    def __init__(self, text: str) -> None:
        self.text = text


def jsonb_scalar(result: int, value: Any, seed: int | None) -> int:
    """JsonbHashScalarValue: rotate and mix in one scalar."""
    if value is None:
        hashed = 0x01 + (seed or 0) & MASK64
    elif isinstance(value, bool):
        hashed = bool_hash(value, seed) if seed else 0x02 if value else 0x04
    elif isinstance(value, str):
        data = value.encode()
        hashed = hash_any(data) if seed is None else hash_any_extended(data, seed)
    elif seed is None:
        hashed = hash_numeric(value.text) & MASK
    else:
        hashed = hash_numeric_extended(value.text, seed) & MASK64
    return rotated(result, seed) ^ hashed


def jsonb_mix(result: int, value: Any, seed: int | None) -> int:
    """The containers' flags and the scalars in the order of JsonbIteratorNext."""
    if isinstance(value, list):
        result ^= JB_FARRAY if seed is None else JB_FARRAY << 32 | JB_FARRAY
        for one in value:
            result = jsonb_mix(result, one, seed)
        return result
    if isinstance(value, dict):
        result ^= JB_FOBJECT if seed is None else JB_FOBJECT << 32 | JB_FOBJECT
        for key, one in value.items():
            result = jsonb_mix(jsonb_scalar(result, key, seed), one, seed)
        return result
    return jsonb_scalar(result, value, seed)


def jsonb_hashed(text: str, seed: int | None) -> int:
    value = json.loads(text, parse_int=Number, parse_float=Number)
    if not isinstance(value, list | dict):
        value = [value]  # a lone scalar is the only element of an array
    return jsonb_mix(0, value, seed) if value else (seed or 0) & MASK64


@pg_function("jsonb_hash(jsonb)")
def jsonb_hash(text: str) -> int:
    return signed(jsonb_hashed(text, None), 32)


@pg_function("jsonb_hash_extended(jsonb,int8)")
def jsonb_hash_extended(text: str, seed: int) -> int:
    return signed(jsonb_hashed(text, seed), 64)
