"""Session information and what belongs to no type (PostgreSQL: utils/adt/misc.c, version.c,
pgsleep.c, acl.c in part).

Answered from the call context alone; what needs shared memory or transactions is above.
"""

from __future__ import annotations

import re
import time
from typing import Any

from pgemu.errors import (
    INVALID_PARAMETER_VALUE,
    UNDEFINED_OBJECT,
    PgError,
)
from pgemu.fmgr import CallContext, TypeInfo, pg_function
from pgemu.guc.encodings import encoding_by_name, encoding_name
from pgemu.types.float import PgFloat
from pgemu.types.numeric import SPECIALS, compare_numeric, divide_rounded, unpack
from pgemu.types.numeric_ops import numeric_mul
from pgemu.types.variadic import variadic_any

SERVER_VERSION = "15.18"
SLEEP_SLICE = 0.05


@pg_function("version() -> text")
def version() -> str:
    return (
        f"PostgreSQL {SERVER_VERSION} (pgemu) on x86_64-pc-linux-gnu, compiled by CPython, 64-bit"
    )


pg_function("current_database() -> name", context=True)(lambda ctx: ctx.database)
pg_function("current_user() -> name", "getpgusername() -> name", context=True)(
    lambda ctx: ctx.current_user
)
pg_function("session_user() -> name", context=True)(lambda ctx: ctx.session_user)
pg_function("pg_backend_pid() -> int4", context=True)(lambda ctx: ctx.backend_pid)
pg_function("pg_client_encoding() -> name", context=True)(lambda ctx: ctx.client_encoding)
pg_function("getdatabaseencoding() -> name")(lambda: "UTF8")


@pg_function("current_setting(text)", "current_setting(text,bool)", context=True)
def show_config_by_name(ctx: CallContext, name: str, missing_ok: Any = 0) -> str | None:
    try:
        return str(ctx.guc.get(name, privileged=ctx.session.reads_all_settings()))
    except PgError as error:
        if missing_ok and error.sqlstate == UNDEFINED_OBJECT:
            return None
        raise


@pg_function("set_config(text,text,bool)", context=True)
def set_config_by_name(ctx: CallContext, name: str | None, value: str | None, is_local: Any) -> str:
    if name is None:
        raise PgError("22004", "SET requires parameter name")
    if not ctx.guc.depth:  # it ends with the statement, or is taken back with it
        ctx.guc.push()
    ctx.guc.set(name, value, local=bool(is_local), superuser=ctx.session.may_set(name))
    return str(ctx.guc.get(name))


@pg_function("pg_typeof(any) -> regtype", typed=True)
def pg_typeof(info: TypeInfo, value: Any) -> int:
    return info.arg_types[0]


@pg_function("num_nulls(any) -> int4", context=True, typed=True)
@variadic_any()
def num_nulls(_ctx: CallContext, _info: TypeInfo, *args: Any) -> int:
    return sum(1 for arg in args if arg is None)


@pg_function("num_nonnulls(any) -> int4", context=True, typed=True)
@variadic_any()
def num_nonnulls(_ctx: CallContext, _info: TypeInfo, *args: Any) -> int:
    return sum(1 for arg in args if arg is not None)


FIXED_SIZES = {
    "bool": 1,
    "char": 1,
    "int2": 2,
    "int4": 4,
    "oid": 4,
    "float4": 4,
    "date": 4,
    "xid": 4,
    "cid": 4,
    "int8": 8,
    "float8": 8,
    "timestamp": 8,
    "timestamptz": 8,
    "time": 8,
    "money": 8,
    "xid8": 8,
    "pg_lsn": 8,
    "timetz": 12,
    "interval": 16,
    "uuid": 16,
    "name": 64,
    "tid": 6,
    "macaddr": 6,
    "macaddr8": 8,
    "regclass": 4,
    "regtype": 4,
    "regproc": 4,
}


@pg_function("pg_column_size(any) -> int4", context=True, typed=True)
def pg_column_size(ctx: CallContext, info: TypeInfo, value: Any) -> int:
    """The size PostgreSQL would store, for numbers and strings; an estimate for the rest."""
    name = ctx.catalog.types.io(info.arg_types[0]).name
    if name in FIXED_SIZES:
        return FIXED_SIZES[name]
    if name == "numeric":
        digits = value.lstrip("-").partition(".")
        groups = -(-len(digits[0].lstrip("0")) // 4) + -(-len(digits[2].rstrip("0")) // 4)
        return 6 + 2 * groups
    data = value if isinstance(value, bytes) else str(value).encode()
    return len(data) + 4


@pg_function("pg_sleep(float8) -> void", context=True)
def pg_sleep(ctx: CallContext, seconds: PgFloat) -> str:
    """Sleeps in slices, so that a cancel request or a timeout is seen."""
    if isinstance(seconds, str):
        return ""
    check = getattr(ctx.session, "check_for_interrupts", None)
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, SLEEP_SLICE))
        if check is not None:
            check()
    return ""


@pg_function("pg_jit_available() -> bool")
def pg_jit_available() -> int:
    return 0


SIZE_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")


@pg_function("pg_size_pretty(int8) -> text")
def pg_size_pretty(size: int) -> str:
    """Halved units: as PostgreSQL, one extra bit is kept for rounding."""
    limits = (10 * 1024, *(20 * 1024 - 1,) * 5)
    rounding = (False, True, True, True, True, True)
    shifts = (0, 9, 10, 10, 10, 10)
    value = size
    for i, unit in enumerate(SIZE_UNITS):
        if i:
            negative = value < 0
            value = abs(value) >> shifts[i]
            value = -value if negative else value
        if i == len(SIZE_UNITS) - 1 or abs(value) < limits[i]:
            if rounding[i]:
                value = (abs(value) + 1) // 2 * (-1 if value < 0 else 1)
            return f"{value} {unit}"
    return ""


@pg_function("pg_size_pretty(numeric) -> text")
def pg_size_pretty_numeric(size: str) -> str:
    if size in SPECIALS:
        return f"{size} PB"
    n, s = unpack(size)
    if compare_numeric(size.removeprefix("-"), str(10 * 1024)) < 0:
        return f"{size} bytes"
    return pg_size_pretty(divide_rounded(n, 10**s))


SIZE_TEXT = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*", re.DOTALL)
MULTIPLIERS = {
    "": 0,
    "bytes": 0,
    "b": 0,
    "kb": 10,
    "mb": 20,
    "gb": 30,
    "tb": 40,
    "pb": 50,
}


@pg_function("pg_size_bytes(text) -> int8")
def pg_size_bytes(text: str) -> int:
    from pgemu.types.integers import INT8
    from pgemu.types.numeric_ops import to_integer

    match = SIZE_TEXT.fullmatch(text)
    if match is None:
        raise PgError(INVALID_PARAMETER_VALUE, f'invalid size: "{text}"')
    shift = MULTIPLIERS.get(match[2].lower())
    if shift is None:
        raise PgError(
            INVALID_PARAMETER_VALUE,
            f'invalid size: "{text}"',
            detail=f'Invalid size unit: "{match[2]}".',
            hint='Valid units are "bytes", "kB", "MB", "GB", "TB", and "PB".',
        )
    from pgemu.types.numeric import parse_numeric

    return to_integer(numeric_mul(parse_numeric(match[1]), str(1 << shift)), INT8)


@pg_function("pg_char_to_encoding(name) -> int4")
def pg_char_to_encoding(name: str) -> int:
    found = encoding_by_name(name)
    return -1 if found is None else found.number


pg_function("pg_encoding_to_char(int4) -> name")(encoding_name)

MAX_LENGTHS = {1: 3, 2: 3, 3: 3, 4: 4, 5: 3, 6: 4, 7: 4}
LAST_SERVER_ENCODING = 34


@pg_function("pg_encoding_max_length(int4) -> int4")
def pg_encoding_max_length(number: int) -> int | None:
    if not encoding_name(number):
        return None
    return MAX_LENGTHS.get(number, 1 if number <= LAST_SERVER_ENCODING else 4)
