"""Reading the server's files (PostgreSQL's genfile.c): for superusers and pg_read_server_files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from pgemu.catalog.roles import get_role_oid, has_privs_of_role, superuser
from pgemu.errors import (
    INSUFFICIENT_PRIVILEGE,
    INVALID_PARAMETER_VALUE,
    UNDEFINED_FILE,
    PgError,
)
from pgemu.fmgr import PG_EPOCH_UNIX_US, CallContext, pg_function


def _path(ctx: CallContext, name: str) -> str:
    """convert_and_check_filename: relative names are within the data folder."""
    catalog, user = ctx.catalog, ctx.current_user_oid
    readers = get_role_oid(catalog, "pg_read_server_files")
    if not superuser(catalog) and not has_privs_of_role(catalog, user, readers):
        if os.path.isabs(name):
            raise PgError(INSUFFICIENT_PRIVILEGE, "absolute path not allowed")
        if ".." in name.split("/"):
            raise PgError(INSUFFICIENT_PRIVILEGE, "path must be in or below the current directory")
    return os.path.join(str(ctx.guc.get("data_directory")), name)


def _read(ctx: CallContext, name: str, offset: int, length: int, missing: bool) -> bytes | None:
    if length < 0 and length != -1:
        raise PgError(INVALID_PARAMETER_VALUE, "requested length cannot be negative")
    try:
        with open(_path(ctx, name), "rb") as file:
            file.seek(offset, os.SEEK_END if offset < 0 else os.SEEK_SET)
            return file.read(length)
    except FileNotFoundError:
        if missing:
            return None
        raise PgError(
            UNDEFINED_FILE,
            f'could not open file "{name}" for reading: No such file or directory',
        ) from None
    except OSError as error:
        raise PgError(
            INSUFFICIENT_PRIVILEGE,
            f'could not open file "{name}" for reading: {error.strerror}',
        ) from None


def _checked_length(length: int) -> int:
    if length < 0:
        raise PgError(INVALID_PARAMETER_VALUE, "requested length cannot be negative")
    return length


@pg_function("pg_read_binary_file(text)", context=True)
def pg_read_binary_file(ctx: CallContext, name: str) -> bytes | None:
    return _read(ctx, name, 0, -1, False)


@pg_function(
    "pg_read_binary_file(text, int8, int8)",
    "pg_read_binary_file(text, int8, int8, bool)",
    context=True,
)
def pg_read_binary_file_part(
    ctx: CallContext, name: str, offset: int, length: int, missing: int = 0
) -> bytes | None:
    return _read(ctx, name, offset, _checked_length(length), bool(missing))


@pg_function("pg_read_file(text)", context=True)
def pg_read_file(ctx: CallContext, name: str) -> str | None:
    data = _read(ctx, name, 0, -1, False)
    return None if data is None else data.decode()


@pg_function(
    "pg_read_file(text, int8, int8)",
    "pg_read_file_old(text, int8, int8)",
    "pg_read_file(text, int8, int8, bool)",
    context=True,
)
def pg_read_file_part(
    ctx: CallContext, name: str, offset: int, length: int, missing: int = 0
) -> str | None:
    data = _read(ctx, name, offset, _checked_length(length), bool(missing))
    return None if data is None else data.decode()


@pg_function("pg_ls_dir(text)", "pg_ls_dir(text, bool, bool)", context=True)
def pg_ls_dir(ctx: CallContext, name: str, missing: int = 0, dots: int = 0) -> Iterator[str]:
    try:
        found = os.listdir(_path(ctx, name))
    except OSError as error:
        if missing and isinstance(error, FileNotFoundError):
            return
        raise PgError(
            UNDEFINED_FILE, f'could not open directory "{name}": {error.strerror}'
        ) from None
    if dots:
        yield from (".", "..")
    yield from found


@pg_function("pg_stat_file(text)", "pg_stat_file(text, bool)", context=True)
def pg_stat_file(ctx: CallContext, name: str, missing: int = 0) -> Any:
    """(size, access, modification, change, creation, isdir)"""
    try:
        found = os.stat(_path(ctx, name))
    except OSError as error:
        if missing and isinstance(error, FileNotFoundError):
            return None
        raise PgError(UNDEFINED_FILE, f'could not stat file "{name}": {error.strerror}') from None
    times = [
        int(t) // 1000 - PG_EPOCH_UNIX_US
        for t in (found.st_atime_ns, found.st_mtime_ns, found.st_ctime_ns)
    ]
    return (found.st_size, *times, None, os.path.isdir(_path(ctx, name)))


@pg_function("pg_tablespace_databases(oid)", context=True)
def pg_tablespace_databases(ctx: CallContext, oid: int) -> Iterator[int]:
    from pgemu.catalog.rows import PgDatabase

    for row in ctx.catalog.all(PgDatabase, dattablespace=oid):
        yield row.oid
