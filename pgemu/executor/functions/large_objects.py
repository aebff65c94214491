"""The lo_* functions (PostgreSQL's be-fsstubs.c)."""

from __future__ import annotations

import os
from typing import Any

from pgemu.catalog.acl import ACL_UPDATE
from pgemu.catalog.roles import has_privs_of_role
from pgemu.catalog.rows import PgLargeobjectMetadata
from pgemu.errors import (
    INSUFFICIENT_PRIVILEGE,
    INVALID_PARAMETER_VALUE,
    NUMERIC_VALUE_OUT_OF_RANGE,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    PROGRAM_LIMIT_EXCEEDED,
    UNDEFINED_FILE,
    PgError,
)
from pgemu.executor import inv_api as inv
from pgemu.fmgr import CallContext, pg_function

_INT_MAX = 2**31 - 1
_MAX_ALLOC = 0x3FFFFFFF
_BUFFER = 8192


def _desc(ctx: CallContext, fd: int) -> inv.LargeObjectDesc:
    return inv.large_objects(ctx.session).get(fd)


def _writable(ctx: CallContext, fd: int) -> inv.LargeObjectDesc:
    desc = _desc(ctx, fd)
    if not desc.writable:
        raise PgError(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            f"large object descriptor {fd} was not opened for writing",
        )
    return desc


@pg_function("lo_open(oid, int4)", context=True)
def lo_open(ctx: CallContext, oid: int, mode: int) -> int:
    desc = inv.inv_open(ctx.session, oid, mode)
    return inv.large_objects(ctx.session).open(desc)


@pg_function("lo_close(int4)", context=True)
def lo_close(ctx: CallContext, fd: int) -> int:
    _desc(ctx, fd)
    inv.large_objects(ctx.session).cookies[fd] = None
    return 0


@pg_function("loread(int4, int4)", context=True)
def loread(ctx: CallContext, fd: int, length: int) -> bytes:
    return inv.inv_read(ctx.session, _desc(ctx, fd), max(length, 0))


@pg_function("lowrite(int4, bytea)", context=True)
def lowrite(ctx: CallContext, fd: int, data: bytes) -> int:
    return inv.inv_write(ctx.session, _writable(ctx, fd), data)


@pg_function("lo_lseek(int4, int4, int4)", context=True)
def lo_lseek(ctx: CallContext, fd: int, offset: int, whence: int) -> int:
    return _fits(inv.inv_seek(ctx.session, _desc(ctx, fd), offset, whence), "lo_lseek", fd)


@pg_function("lo_lseek64(int4, int8, int4)", context=True)
def lo_lseek64(ctx: CallContext, fd: int, offset: int, whence: int) -> int:
    return inv.inv_seek(ctx.session, _desc(ctx, fd), offset, whence)


def _fits(position: int, function: str, fd: int) -> int:
    if position > _INT_MAX:
        raise PgError(
            NUMERIC_VALUE_OUT_OF_RANGE,
            f"{function} result out of range for large-object descriptor {fd}",
        )
    return position


@pg_function("lo_tell(int4)", context=True)
def lo_tell(ctx: CallContext, fd: int) -> int:
    return _fits(_desc(ctx, fd).offset, "lo_tell", fd)


@pg_function("lo_tell64(int4)", context=True)
def lo_tell64(ctx: CallContext, fd: int) -> int:
    return _desc(ctx, fd).offset


@pg_function("lo_creat(int4)", context=True)
def lo_creat(ctx: CallContext, mode: int) -> int:
    del mode
    return inv.inv_create(ctx.session, 0)


@pg_function("lo_create(oid)", context=True)
def lo_create(ctx: CallContext, oid: int) -> int:
    return inv.inv_create(ctx.session, oid)


@pg_function("lo_unlink(oid)", context=True)
def lo_unlink(ctx: CallContext, oid: int) -> int:
    session = ctx.session
    row = session.catalog.one(PgLargeobjectMetadata, oid=oid)
    if row is None:
        raise inv.does_not_exist(oid)
    mine = has_privs_of_role(session.catalog, ctx.current_user_oid, row.lomowner)
    if not mine and not session.guc.value("lo_compat_privileges"):
        raise PgError(INSUFFICIENT_PRIVILEGE, f"must be owner of large object {oid}")
    inv.large_objects(session).close_all_of(oid)
    inv.inv_drop(session, oid)
    return 1


@pg_function("lo_truncate(int4, int4)", "lo_truncate64(int4, int8)", context=True)
def lo_truncate(ctx: CallContext, fd: int, length: int) -> int:
    inv.inv_truncate(ctx.session, _writable(ctx, fd), length)
    return 0


# --- whole objects -------------------------------------------------------------------------------


@pg_function("lo_from_bytea(oid, bytea)", context=True)
def lo_from_bytea(ctx: CallContext, oid: int, data: bytes) -> int:
    session = ctx.session
    oid = inv.inv_create(session, oid)
    inv.inv_write(session, inv.inv_open(session, oid, inv.INV_WRITE), data)
    return oid


@pg_function("lo_get(oid)", context=True)
def lo_get(ctx: CallContext, oid: int) -> bytes:
    return _fragment(ctx, oid, 0, -1)


@pg_function("lo_get(oid, int8, int4)", context=True)
def lo_get_fragment(ctx: CallContext, oid: int, offset: int, length: int) -> bytes:
    if length < 0:
        raise PgError(INVALID_PARAMETER_VALUE, "requested length cannot be negative")
    return _fragment(ctx, oid, offset, length)


def _fragment(ctx: CallContext, oid: int, offset: int, length: int) -> bytes:
    session = ctx.session
    desc = inv.inv_open(session, oid, inv.INV_READ)
    rest = max(inv.inv_size(session, desc) - offset, 0)
    length = rest if length < 0 else min(length, rest)
    if length > _MAX_ALLOC - 4:
        raise PgError(PROGRAM_LIMIT_EXCEEDED, "large object read request is too large")
    inv.inv_seek(session, desc, offset, inv.SEEK_SET)
    return inv.inv_read(session, desc, length)


@pg_function("lo_put(oid, int8, bytea)", context=True)
def lo_put(ctx: CallContext, oid: int, offset: int, data: bytes) -> str:
    session = ctx.session
    desc = inv.inv_open(session, oid, inv.INV_WRITE)
    inv.check_privilege(session, oid, ACL_UPDATE)
    inv.inv_seek(session, desc, offset, inv.SEEK_SET)
    inv.inv_write(session, desc, data)
    return ""


# --- files of the server -------------------------------------------------------------------------


def _file_error(error: OSError, what: str) -> PgError:
    code = UNDEFINED_FILE if isinstance(error, FileNotFoundError) else "58030"
    if isinstance(error, PermissionError):
        code = INSUFFICIENT_PRIVILEGE
    return PgError(code, f"{what}: {error.strerror}")


@pg_function("lo_import(text)", context=True)
def lo_import(ctx: CallContext, name: str) -> int:
    return lo_import_with_oid(ctx, name, 0)


@pg_function("lo_import(text, oid)", context=True)
def lo_import_with_oid(ctx: CallContext, name: str, oid: int) -> int:
    session: Any = ctx.session
    try:
        fd = os.open(os.path.join(session.cluster.data, name), os.O_RDONLY)
    except OSError as error:
        raise _file_error(error, f'could not open server file "{name}"') from None
    with open(fd, "rb") as file:
        oid = inv.inv_create(session, oid)
        desc = inv.inv_open(session, oid, inv.INV_WRITE)
        try:
            while data := file.read(_BUFFER * 16):
                inv.inv_write(session, desc, data)
        except OSError as error:
            raise _file_error(error, f'could not read server file "{name}"') from None
    return oid


@pg_function("lo_export(oid, text)", context=True)
def lo_export(ctx: CallContext, oid: int, name: str) -> int:
    session: Any = ctx.session
    desc = inv.inv_open(session, oid, inv.INV_READ)
    try:
        flags = os.O_CREAT | os.O_WRONLY | os.O_TRUNC
        fd = os.open(os.path.join(session.cluster.data, name), flags, 0o644)
    except OSError as error:
        raise _file_error(error, f'could not create server file "{name}"') from None
    with open(fd, "wb") as file:
        try:
            while data := inv.inv_read(session, desc, _BUFFER * 16):
                file.write(data)
        except OSError as error:
            raise _file_error(error, f'could not write server file "{name}"') from None
    return 1
