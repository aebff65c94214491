"""Large objects: pages of pg_largeobject, and the descriptors of a session (PostgreSQL's
inv_api.c and the state of be-fsstubs.c).

An object's bytes are rows of at most 2048 bytes; pages that nobody wrote are holes that read as
zeros.  A descriptor for writing sees the newest state, one for reading what the statement's
snapshot sees (PostgreSQL keeps the snapshot of lo_open).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pgemu.catalog.acl import ACL_SELECT, ACL_UPDATE, pg_largeobject_aclcheck
from pgemu.catalog.heap import insert_rows, owner_rows
from pgemu.catalog.rows import PgLargeobject, PgLargeobjectMetadata
from pgemu.errors import (
    INSUFFICIENT_PRIVILEGE,
    INTERNAL_ERROR,
    INVALID_PARAMETER_VALUE,
    UNDEFINED_OBJECT,
    UNIQUE_VIOLATION,
    PgError,
)
from pgemu.executor.expiry import StatementExpiredError
from pgemu.transam.visibility import dirty_tables, overlay_statement

INV_WRITE, INV_READ = 0x20000, 0x40000
LOBLKSIZE = 2048
MAX_LARGE_OBJECT_SIZE = 0x7FFFFFFF * LOBLKSIZE
SEEK_SET, SEEK_CUR, SEEK_END = 0, 1, 2
_TABLE = f"main.r{PgLargeobject.RELID}"
_NATTS = 3
_CONSTRAINT = "pg_largeobject_metadata_oid_index"


@dataclass(slots=True)
class LargeObjectDesc:
    """An open large object.  level: the subtransaction depth that it was opened in; statement:
    outside of a transaction block, the only statement that may use it."""

    oid: int
    writable: bool
    level: int
    statement: int | None
    offset: int = 0


class LargeObjects:
    """The descriptors of a session."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.cookies: list[LargeObjectDesc | None] = []
        self.level = 0
        session.xact.on_end.append(self._ended)
        session.xact.on_subxact.append(self._subtransaction)

    def _ended(self, committed: bool) -> None:
        self.cookies.clear()
        self.level = 0

    def _subtransaction(self, event: str) -> None:
        if event == "start":
            self.level += 1
            return
        for fd, desc in enumerate(self.cookies):
            if desc is not None and desc.level >= self.level:
                if event == "abort":
                    self.cookies[fd] = None
                else:
                    desc.level = max(self.level - 1, 0)
        self.level = max(self.level - 1, 0)

    def open(self, desc: LargeObjectDesc) -> int:
        """newLOfd: the lowest free number."""
        if desc.writable:
            self._make_ready()
        for fd, other in enumerate(self.cookies):
            if other is None or self._is_stale(other):
                self.cookies[fd] = desc
                return fd
        self.cookies.append(desc)
        return len(self.cookies) - 1

    def _is_stale(self, desc: LargeObjectDesc) -> bool:
        return desc.statement not in (None, self.session.ctx.statement_start_us)

    def get(self, fd: int) -> LargeObjectDesc:
        """42704 for a number that is not open."""
        desc = self.cookies[fd] if 0 <= fd < len(self.cookies) else None
        if desc is None or self._is_stale(desc):
            raise PgError(UNDEFINED_OBJECT, f"invalid large-object descriptor: {fd}")
        if desc.writable:
            self._make_ready()
        return desc

    def _make_ready(self) -> None:
        """The triggers of pg_largeobject: a statement that they end runs again before it has moved
        any descriptor."""
        session, xact = self.session, self.session.xact
        if not (xact._read_depth and xact.write_depth and xact.undo_xid):
            return
        if not xact.triggers.made_for(_TABLE, _NATTS):
            xact.writes_to(_TABLE, _NATTS)
            raise StatementExpiredError(
                session, PgError(INTERNAL_ERROR, "large objects are not ready to be written to")
            )

    def close_all_of(self, oid: int) -> None:
        """lo_unlink closes what is open of the object."""
        for fd, desc in enumerate(self.cookies):
            if desc is not None and desc.oid == oid:
                self.cookies[fd] = None


def large_objects(session: Any) -> LargeObjects:
    """The session's descriptors, made at first use."""
    found: LargeObjects | None = getattr(session, "large_objects", None)
    if found is None:
        found = session.large_objects = LargeObjects(session)
    return found


def does_not_exist(oid: int) -> PgError:
    return PgError(UNDEFINED_OBJECT, f"large object {oid} does not exist")


def check_privilege(session: Any, oid: int, mode: int) -> None:
    """42501 without the right, unless lo_compat_privileges switches the checks off."""
    if session.guc.value("lo_compat_privileges"):
        return
    if not pg_largeobject_aclcheck(session.catalog, oid, mode):
        raise PgError(INSUFFICIENT_PRIVILEGE, f"permission denied for large object {oid}")


def inv_create(session: Any, oid: int) -> int:
    """LargeObjectCreate; oid 0: any free one."""
    catalog = session.catalog
    oid = oid or catalog.new_oid()
    if catalog.one(PgLargeobjectMetadata, oid=oid) is not None:
        raise PgError(
            UNIQUE_VIOLATION,
            f'duplicate key value violates unique constraint "{_CONSTRAINT}"',
            detail=f"Key (oid)=({oid}) already exists.",
            schema="pg_catalog",
            table="pg_largeobject_metadata",
            constraint=_CONSTRAINT,
        )
    owner = session.ctx.current_user_oid
    insert_rows(
        catalog,
        [
            PgLargeobjectMetadata(oid, owner, None),
            *owner_rows(catalog, PgLargeobject.RELID, oid, owner),
        ],
    )
    return int(oid)


def inv_open(session: Any, oid: int, mode: int) -> LargeObjectDesc:
    """Check that it is there and may be used; writing includes reading."""
    writable = bool(mode & INV_WRITE)
    if not mode & (INV_WRITE | INV_READ):
        raise PgError(INVALID_PARAMETER_VALUE, f"invalid flags for opening a large object: {mode}")
    if session.catalog.one(PgLargeobjectMetadata, oid=oid) is None:
        raise does_not_exist(oid)
    check_privilege(session, oid, ACL_SELECT)
    if writable:
        check_privilege(session, oid, ACL_UPDATE)
    in_block = session.xact.state != "idle"
    statement = None if in_block else session.ctx.statement_start_us
    return LargeObjectDesc(oid, writable, large_objects(session).level, statement)


# --- pages ---------------------------------------------------------------------------------------


def _select(session: Any, desc: LargeObjectDesc, columns: str, rest: str, *params: int) -> Any:
    """Rows of the object's pages as the descriptor sees them."""
    xact = session.xact
    conn, predicate = xact.conn, "pg_invisible"
    if desc.writable:
        session.catalog.store.scan(PgLargeobject, {"loid": 0})  # sets the newest snapshot
        predicate = "pg_cat_invisible" if xact.others_running() else ""
    text = f"SELECT {columns} FROM {_TABLE} AS t WHERE c1=? {rest}"
    if predicate:
        dirty = dirty_tables(conn.execute, [(_TABLE, _NATTS)], predicate)
        text = overlay_statement(text, dirty, predicate)
    return conn.execute(text, (desc.oid, *params)).fetchall()


def inv_size(session: Any, desc: LargeObjectDesc) -> int:
    """inv_getsize: the end of the last page."""
    rows = _select(session, desc, "c2, length(c3)", "ORDER BY c2 DESC LIMIT 1")
    return int(rows[0][0]) * LOBLKSIZE + int(rows[0][1]) if rows else 0


def inv_seek(session: Any, desc: LargeObjectDesc, offset: int, whence: int) -> int:
    """The new position."""
    if whence == SEEK_SET:
        target = offset
    elif whence == SEEK_CUR:
        target = desc.offset + offset
    elif whence == SEEK_END:
        target = inv_size(session, desc) + offset
    else:
        raise PgError(INVALID_PARAMETER_VALUE, f"invalid whence setting: {whence}")
    if not 0 <= target <= MAX_LARGE_OBJECT_SIZE:
        raise PgError(INVALID_PARAMETER_VALUE, f"invalid large object seek target: {target}")
    desc.offset = target
    return target


def inv_read(session: Any, desc: LargeObjectDesc, count: int) -> bytes:
    """At most count bytes from the position on; holes are zeros, nothing is behind the end."""
    if count <= 0:
        return b""
    start, end = desc.offset, desc.offset + count
    first, last = start // LOBLKSIZE, (end - 1) // LOBLKSIZE
    rows = _select(session, desc, "c2, c3", "AND c2 BETWEEN ? AND ? ORDER BY c2", first, last)
    out = bytearray()
    for pageno, data in rows:
        page_start = pageno * LOBLKSIZE
        if page_start > start + len(out):
            out.extend(bytes(page_start - start - len(out)))
        out.extend(data[start + len(out) - page_start : end - page_start])
    if len(out) < count and _select(session, desc, "1", "AND c2>? LIMIT 1", last):
        out.extend(bytes(count - len(out)))
    desc.offset += len(out)
    return bytes(out)


def inv_write(session: Any, desc: LargeObjectDesc, data: bytes) -> int:
    """Write at the position; pages between the end and it stay holes."""
    if desc.offset + len(data) > MAX_LARGE_OBJECT_SIZE:
        raise PgError(
            INVALID_PARAMETER_VALUE, f"invalid large object write request size: {len(data)}"
        )
    xact = session.xact
    written = 0
    with xact.write():
        xact.writes_to(_TABLE, _NATTS)
        while written < len(data):
            pageno, skip = divmod(desc.offset, LOBLKSIZE)
            piece = data[written : written + LOBLKSIZE - skip]
            old = _page(session, desc, pageno)
            page = bytearray(old or b"")
            if len(page) < skip:
                page.extend(bytes(skip - len(page)))
            page[skip : skip + len(piece)] = piece
            _store_page(session, desc.oid, pageno, bytes(page), is_new=old is None)
            desc.offset += len(piece)
            written += len(piece)
    return written


def _page(session: Any, desc: LargeObjectDesc, pageno: int) -> bytes | None:
    rows = _select(session, desc, "c3", "AND c2=?", pageno)
    return bytes(rows[0][0]) if rows else None


def _store_page(session: Any, oid: int, pageno: int, data: bytes, *, is_new: bool) -> None:
    xact = session.xact
    if is_new:
        text = f"INSERT INTO {_TABLE} (c3, xmin, c1, c2) VALUES (?, ?, ?, ?)"
    else:
        text = f"UPDATE {_TABLE} SET c3=?, xmin=? WHERE c1=? AND c2=?"
    xact.conn.execute(text, (data, xact.xid, oid, pageno))


def inv_truncate(session: Any, desc: LargeObjectDesc, length: int) -> None:
    """Cut, or extend: the page that holds the new end exists afterwards."""
    if not 0 <= length <= MAX_LARGE_OBJECT_SIZE:
        raise PgError(INVALID_PARAMETER_VALUE, f"invalid large object truncation target: {length}")
    xact = session.xact
    pageno, end = divmod(length, LOBLKSIZE)
    with xact.write():
        xact.writes_to(_TABLE, _NATTS)
        old = _page(session, desc, pageno)
        page = (old or b"")[:end].ljust(end, b"\0")
        _store_page(session, desc.oid, pageno, page, is_new=old is None)
        xact.conn.execute(f"DELETE FROM {_TABLE} WHERE c1=? AND c2>?", (desc.oid, pageno))


def inv_drop(session: Any, oid: int) -> None:
    """The object, with its comments and privileges."""
    from pgemu.catalog.dependency import perform_deletion
    from pgemu.catalog.objectaddress import ObjectAddress

    address = ObjectAddress(PgLargeobject.RELID, oid, 0)
    perform_deletion(session.catalog, address, "cascade")
