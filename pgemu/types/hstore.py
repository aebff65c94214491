"""hstore: the type, its functions and operators (PostgreSQL: contrib/hstore).

The functions are those of the extension's pg_proc rows; there is no index support of its own, so
the GiST and GIN functions have no bodies.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator, Sequence
from typing import Any

from pgemu.errors import (
    ARRAY_SUBSCRIPT_ERROR,
    INVALID_BINARY_REPRESENTATION,
    NULL_VALUE_NOT_ALLOWED,
    PgError,
)
from pgemu.fmgr import CallContext, TypeInfo, pg_function
from pgemu.types.arrays_value import dimensions, dump_array, flatten, load_array, load_flat
from pgemu.types.base import BaseType, register_type
from pgemu.types.comparison import bind_comparisons
from pgemu.types.hash import hash_any, hash_any_extended, signed
from pgemu.types.hstore_value import Pairs, Reader, compare, dump, load, unique
from pgemu.types.json_encode import record_fields
from pgemu.types.json_parse import canonical
from pgemu.types.json_record import base_values, finish, row_type

_JSON_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?\Z", re.ASCII)


class HstoreType(BaseType):
    name = "hstore"
    collation = "hstore_ops"

    def compare(self, a: Any, b: Any) -> int:
        return compare(a, b)

    def input(self, text: str, typmod: int, ctx: CallContext) -> str:
        return dump(Reader(text).read())

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> str:
        (count,) = struct.unpack_from("!i", data)
        at = 4
        pairs: list[tuple[str, str | None]] = []

        def word() -> str | None:
            nonlocal at
            (length,) = struct.unpack_from("!i", data, at)
            at += 4
            if length < 0:
                return None
            at += length
            return data[at - length : at].decode()

        for _ in range(count):
            key = word()
            if key is None:
                raise PgError(NULL_VALUE_NOT_ALLOWED, "null value not allowed for hstore key")
            pairs.append((key, word()))
        if at != len(data):
            raise PgError(
                INVALID_BINARY_REPRESENTATION, "incorrect binary data format in bind parameter"
            )
        return dump(unique(pairs))

    def send(self, value: Any, ctx: CallContext) -> bytes:
        pairs = load(value)
        out = [struct.pack("!i", len(pairs))]
        for pair in pairs.items():
            for word in pair:
                data = None if word is None else word.encode()
                out.append(struct.pack("!i", -1 if data is None else len(data)) + (data or b""))
        return b"".join(out)


class GhstoreType(BaseType):
    """The key type of the GiST operator class; it has no values."""

    name = "ghstore"


register_type(HstoreType(), GhstoreType())
bind_comparisons("hstore_", "hstore, hstore", compare, cmp="hstore_cmp")


# -- looking into one ------------------------------------------------------------------------------


@pg_function("fetchval(hstore, text)")
def hstore_fetchval(value: str, key: str) -> str | None:
    return load(value).get(key)


@pg_function("exist(hstore, text)", "isexists(hstore, text)")
def hstore_exists(value: str, key: str) -> bool:
    return key in load(value)


@pg_function("defined(hstore, text)", "isdefined(hstore, text)")
def hstore_defined(value: str, key: str) -> bool:
    return load(value).get(key) is not None


@pg_function("exists_any(hstore, _text)")
def hstore_exists_any(value: str, keys: str) -> bool:
    pairs = load(value)
    return any(key in pairs for key in load_flat(keys))


@pg_function("exists_all(hstore, _text)")
def hstore_exists_all(value: str, keys: str) -> bool:
    pairs = load(value)
    return all(key is None or key in pairs for key in load_flat(keys))


@pg_function("hs_contains(hstore, hstore)")
def hstore_contains(value: str, part: str) -> bool:
    pairs = load(value)
    return all(key in pairs and pairs[key] == wanted for key, wanted in load(part).items())


@pg_function("hs_contained(hstore, hstore)")
def hstore_contained(part: str, value: str) -> bool:
    return hstore_contains(value, part)


# -- parts of one --------------------------------------------------------------------------------


@pg_function("slice_array(hstore, _text)")
def hstore_slice_to_array(value: str, keys: str) -> str:
    pairs = load(value)
    elements, lower = load_array(keys)
    found = [pairs.get(key) for key in flatten(elements)]
    return dump_array(found, lower if found else None)


@pg_function("slice(hstore, _text)")
def hstore_slice_to_hstore(value: str, keys: str) -> str:
    pairs = load(value)
    return dump({key: pairs[key] for key in load_flat(keys) if key in pairs})


@pg_function("delete(hstore, text)")
def hstore_delete(value: str, key: str) -> str:
    return dump({k: v for k, v in load(value).items() if k != key})


@pg_function("delete(hstore, _text)")
def hstore_delete_array(value: str, keys: str) -> str:
    gone = set(load_flat(keys))
    return dump({k: v for k, v in load(value).items() if k not in gone})


@pg_function("delete(hstore, hstore)")
def hstore_delete_hstore(value: str, other: str) -> str:
    gone = load(other)
    return dump({k: v for k, v in load(value).items() if k not in gone or gone[k] != v})


@pg_function("hs_concat(hstore, hstore)")
def hstore_concat(value: str, other: str) -> str:
    return dump({**load(value), **load(other)})


@pg_function("akeys(hstore)")
def hstore_akeys(value: str) -> str:
    return dump_array(list(load(value)))


@pg_function("avals(hstore)")
def hstore_avals(value: str) -> str:
    return dump_array(list(load(value).values()))


@pg_function("skeys(hstore)")
def hstore_skeys(value: str) -> Iterator[str]:
    yield from load(value)


@pg_function("svals(hstore)")
def hstore_svals(value: str) -> Iterator[str | None]:
    yield from load(value).values()


@pg_function("each(hstore)")
def hstore_each(value: str) -> Iterator[tuple[str, str | None]]:
    yield from load(value).items()


@pg_function("hstore_to_array(hstore)")
def hstore_to_array(value: str) -> str:
    return dump_array([word for pair in load(value).items() for word in pair])


@pg_function("hstore_to_matrix(hstore)")
def hstore_to_matrix(value: str) -> str:
    return dump_array([list(pair) for pair in load(value).items()])


# -- making one ----------------------------------------------------------------------------------


def _key(key: str | None) -> str:
    if key is None:
        raise PgError(NULL_VALUE_NOT_ALLOWED, "null value not allowed for hstore key")
    return key


@pg_function("hstore(text, text)", "tconvert(text, text)")
def hstore_from_text(key: str | None, value: str | None) -> str | None:
    return None if key is None else dump({key: value})


@pg_function("hstore(_text, _text)")
def hstore_from_arrays(keys: str | None, values: str | None) -> str | None:
    if keys is None:
        return None
    names, lower = load_array(keys)
    if len(dimensions(names)) > 1:
        raise PgError(ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts")
    words: list[Any] = [None] * len(names)
    if values is not None:
        words, other = load_array(values)
        if len(dimensions(words)) > 1:
            raise PgError(ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts")
        if len(words) != len(names) or (names and lower != other):
            raise PgError(ARRAY_SUBSCRIPT_ERROR, "arrays must have same bounds")
    return dump(unique((_key(k), v) for k, v in zip(names, words, strict=True)))


@pg_function("hstore(_text)")
def hstore_from_array(array: str) -> str:
    elements, _ = load_array(array)
    sizes = dimensions(elements)
    if len(sizes) == 1 and sizes[0] % 2:
        raise PgError(ARRAY_SUBSCRIPT_ERROR, "array must have even number of elements")
    if len(sizes) == 2 and sizes[1] != 2:
        raise PgError(ARRAY_SUBSCRIPT_ERROR, "array must have two columns")
    if len(sizes) > 2:
        raise PgError(ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts")
    flat = list(flatten(elements))
    return dump(unique((_key(k), v) for k, v in zip(flat[::2], flat[1::2], strict=True)))


@pg_function("hstore(record)", context=True, typed=True)
def hstore_from_record(ctx: CallContext, info: TypeInfo, record: str | None) -> str:
    types = ctx.catalog.types
    if record is None:
        columns = row_type(ctx, TypeInfo((), info.arg_types[0]), None, "hstore")
        return dump({name: None for name, _, _ in columns})
    fields = record_fields(ctx, info.arg_types[0], record)
    return dump(
        {
            name: None if value is None else types.io(oid).output(value, ctx)
            for name, oid, value in fields
        }
    )


@pg_function("populate_record(anyelement, hstore)", context=True, typed=True)
def hstore_populate_record(
    ctx: CallContext, info: TypeInfo, base: str | None, value: str | None
) -> str | None:
    columns = row_type(ctx, info, base, "populate_record")
    pairs = load(value) if value is not None else {}
    if base is not None and not pairs:
        return base
    present = base_values(base) or [None] * len(columns)
    types = ctx.catalog.types
    out: list[Any] = []
    for (name, oid, typmod), old in zip(columns, present, strict=True):
        if name not in pairs:
            out.append(old)
            continue
        text = pairs[name]
        out.append(None if text is None else types.io(oid).input(text, typmod, ctx))
    return finish(ctx, info, columns, out)


# -- as JSON -------------------------------------------------------------------------------------


def _json(pairs: Pairs, *, loose: bool) -> str:
    def word(value: str | None) -> str:
        if value is None:
            return "null"
        if loose and value in ("t", "f"):
            return "true" if value == "t" else "false"
        if loose and _JSON_NUMBER.match(value):
            return value
        return json.dumps(value, ensure_ascii=False)

    inner = ", ".join(
        f"{json.dumps(key, ensure_ascii=False)}: {word(value)}" for key, value in pairs.items()
    )
    return "{" + inner + "}"


@pg_function("hstore_to_json(hstore)")
def hstore_to_json(value: str) -> str:
    return _json(load(value), loose=False)


@pg_function("hstore_to_json_loose(hstore)")
def hstore_to_json_loose(value: str) -> str:
    return _json(load(value), loose=True)


@pg_function("hstore_to_jsonb(hstore)")
def hstore_to_jsonb(value: str) -> str:
    return canonical(_json(load(value), loose=False))


@pg_function("hstore_to_jsonb_loose(hstore)")
def hstore_to_jsonb_loose(value: str) -> str:
    return canonical(_json(load(value), loose=True))


# -- the rest ------------------------------------------------------------------------------------


def _image(value: str) -> bytes:
    """The value as PostgreSQL lays it out, which is what it hashes."""
    pairs = load(value)
    entries, area = [], bytearray()
    for key, word in pairs.items():
        area += key.encode()
        entries.append(len(area))
        area += (word or "").encode()
        entries.append(len(area) | (0x40000000 if word is None else 0))
    if entries:
        entries[0] |= 0x80000000
    head = len(pairs) | 0x80000000
    return struct.pack(f"<I{len(entries)}I", head, *entries) + bytes(area)


@pg_function("hstore_hash(hstore)")
def hstore_hash(value: str) -> int:
    return signed(hash_any(_image(value)), 32)


@pg_function("hstore_hash_extended(hstore, int8)")
def hstore_hash_extended(value: str, seed: int) -> int:
    return signed(hash_any_extended(_image(value), seed & (2**64 - 1)), 64)


@pg_function("hstore_version_diag(hstore)")
def hstore_version_diag(value: str) -> int:
    return 2


def hstore_subscript(value: str | None, keys: Sequence[Any]) -> str | None:
    """hstore_subscript_fetch."""
    return None if value is None or keys[0] is None else load(value).get(keys[0])


def hstore_subscript_assign(value: str | None, keys: Sequence[Any], new: str | None) -> str:
    """hstore_subscript_assign."""
    if keys[0] is None:
        raise PgError(NULL_VALUE_NOT_ALLOWED, "hstore subscript in assignment must not be null")
    return dump({**(load(value) if value is not None else {}), keys[0]: new})
