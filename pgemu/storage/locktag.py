"""Lock tags and lock modes: what is locked, and how.

Counterpart of PostgreSQL's lock.h/lockdefs.h and lmgr.c (DescribeLockTag).  A tag is PostgreSQL's
16-byte LOCKTAG as two signed 64-bit words: a = field1|field2, b = field3|field4|type|method.
"""

from __future__ import annotations

from typing import NamedTuple

ACCESS_SHARE_LOCK, ROW_SHARE_LOCK, ROW_EXCLUSIVE_LOCK, SHARE_UPDATE_EXCLUSIVE_LOCK = 1, 2, 3, 4
SHARE_LOCK, SHARE_ROW_EXCLUSIVE_LOCK, EXCLUSIVE_LOCK, ACCESS_EXCLUSIVE_LOCK = 5, 6, 7, 8

# Mode names as pg_locks.mode and error messages write them; index = mode.
LOCK_MODE_NAMES = (
    "INVALID",
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)


def _bits(*modes: int) -> int:
    return sum(1 << mode for mode in modes)


# LockConflicts: index = mode, value = bit mask of the modes it conflicts with.
LOCK_CONFLICTS = (
    0,
    _bits(8),
    _bits(7, 8),
    _bits(5, 6, 7, 8),
    _bits(4, 5, 6, 7, 8),
    _bits(3, 4, 6, 7, 8),
    _bits(3, 4, 5, 6, 7, 8),
    _bits(2, 3, 4, 5, 6, 7, 8),
    _bits(1, 2, 3, 4, 5, 6, 7, 8),
)
# Modes that conflict with one that may take the fast path (1, 2, 3).
STRONG_MODES = _bits(5, 6, 7, 8)

# Tag types, PostgreSQL's LockTagType, and their names in pg_locks.locktype.
LOCKTAG_RELATION, LOCKTAG_EXTEND, LOCKTAG_FROZEN_IDS, LOCKTAG_PAGE = 0, 1, 2, 3
LOCKTAG_TUPLE, LOCKTAG_TRANSACTION, LOCKTAG_VIRTUALTRANSACTION = 4, 5, 6
LOCKTAG_SPECULATIVE, LOCKTAG_OBJECT, LOCKTAG_USERLOCK, LOCKTAG_ADVISORY = 7, 8, 9, 10
LOCKTAG_NAMES = (
    "relation",
    "extend",
    "frozenid",
    "page",
    "tuple",
    "transactionid",
    "virtualxid",
    "spectoken",
    "object",
    "userlock",
    "advisory",
)

DEFAULT_METHOD, USER_METHOD = 1, 2


class LockTag(NamedTuple):
    """One lockable thing; make it with the functions below."""

    a: int
    b: int

    @property
    def field1(self) -> int:
        return self.a >> 32 & 0xFFFFFFFF

    @property
    def field2(self) -> int:
        return self.a & 0xFFFFFFFF

    @property
    def field3(self) -> int:
        return self.b >> 32 & 0xFFFFFFFF

    @property
    def field4(self) -> int:
        return self.b >> 16 & 0xFFFF

    @property
    def type(self) -> int:
        return self.b >> 8 & 0xFF


def _signed(word: int) -> int:
    return word - (1 << 64) if word >= 1 << 63 else word


def _tag(kind: int, f1: int, f2: int = 0, f3: int = 0, f4: int = 0, method: int = 1) -> LockTag:
    return LockTag(
        _signed((f1 & 0xFFFFFFFF) << 32 | (f2 & 0xFFFFFFFF)),
        _signed((f3 & 0xFFFFFFFF) << 32 | (f4 & 0xFFFF) << 16 | kind << 8 | method),
    )


RELATION_B = _tag(LOCKTAG_RELATION, 0).b  # the second word of every relation tag


def relation_tag(database: int, relation: int) -> LockTag:
    """A table, index, view ...; database 0 for shared catalogs."""
    return LockTag(database << 32 | relation, RELATION_B)


def tuple_tag(database: int, relation: int, block: int, offset: int) -> LockTag:
    return _tag(LOCKTAG_TUPLE, database, relation, block, offset)


def transaction_tag(xid: int) -> LockTag:
    return _tag(LOCKTAG_TRANSACTION, xid)


def virtualtransaction_tag(backend: int, lxid: int) -> LockTag:
    return _tag(LOCKTAG_VIRTUALTRANSACTION, backend, lxid)


def object_tag(database: int, classid: int, objid: int, objsubid: int = 0) -> LockTag:
    """An object without storage; database 0 for shared ones (roles, databases ...)."""
    return _tag(LOCKTAG_OBJECT, database, classid, objid, objsubid)


def advisory_tag(database: int, key: int) -> LockTag:
    """pg_advisory_lock(bigint)."""
    return _tag(LOCKTAG_ADVISORY, database, key >> 32, key, 1, USER_METHOD)


def advisory_tag2(database: int, key1: int, key2: int) -> LockTag:
    """pg_advisory_lock(int, int)."""
    return _tag(LOCKTAG_ADVISORY, database, key1, key2, 2, USER_METHOD)


def describe_lock_tag(tag: LockTag) -> str:
    """The thing in words, as messages about deadlocks write it (DescribeLockTag)."""
    f1, f2, f3, f4 = tag.field1, tag.field2, tag.field3, tag.field4
    match tag.type:
        case 0:
            return f"relation {f2} of database {f1}"
        case 1:
            return f"extension of relation {f2} of database {f1}"
        case 3:
            return f"page {f3} of relation {f2} of database {f1}"
        case 4:
            return f"tuple ({f3},{f4}) of relation {f2} of database {f1}"
        case 5:
            return f"transaction {f1}"
        case 6:
            return f"virtual transaction {f1}/{f2}"
        case 8:
            return f"object {f3} of class {f2} of database {f1}"
        case 10:
            return f"advisory lock [{f1},{f2},{f3},{f4}]"
    return f"unrecognized locktag type {tag.type}"
