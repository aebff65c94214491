"""Locks of a session: tables, advisory keys, other transactions (PostgreSQL's lmgr.c).

`attach_locks` gives a session its lock manager.  A table lock is taken before the statement opens
its SQLite transaction: who waits must not hold the writer lock, which the holder needs for its
commit.  A lock that only turns out to be needed inside a write statement (a function's statement,
an advisory key) is tried there; if it is not free, WaitForLock takes the whole statement back, the
wait happens outside, and the statement runs again.

Autocommit reads take no lock, as the SQLite read transaction protects them; if somebody holds or
wants a strong lock on the table they wait for it, and let it go at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from pgemu.errors import LOCK_NOT_AVAILABLE, PgError
from pgemu.executor.index_conditions import satisfies
from pgemu.executor.lock_levels import (
    ACCESS_SHARE,
    ROW_EXCLUSIVE,
    ROW_SHARE,
    SHARE,
    utility_locks,
)
from pgemu.executor.lockers import wait_before
from pgemu.executor.notify import NotifyQueue
from pgemu.executor.timeouts import Timeouts
from pgemu.executor.waiting import WaitForLock
from pgemu.planner.plan import Plan
from pgemu.storage.latch import Latch, LatchSender
from pgemu.storage.lockmgr import TRANSACTION_OWNER, LockManager
from pgemu.storage.locktable import SLOT, WAIT, LockTable, strong_word
from pgemu.storage.locktag import RELATION_B, LockTag, relation_tag, transaction_tag
from pgemu.storage.writerlock import WriterLock
from pgemu.transam.predicate import PredicateLocks
from pgemu.transam.xact import IDLE

FIRST_USER_OID = 16384


class SessionLocks(LockManager):
    """The lock manager of a session; transaction levels follow its savepoints."""

    def __init__(
        self, session: Any, table: LockTable, slot: int, latch: Latch, sender: LatchSender
    ) -> None:
        super().__init__(table, slot, latch, sender)
        self.session = session
        self.level = TRANSACTION_OWNER
        self._relations: dict[tuple[int, int], int] = {}
        self._tags: dict[int, LockTag] = {}
        session.xact.on_subxact.append(self._subtransaction)

    def _subtransaction(self, event: str) -> None:
        if event == "start":
            self.level += 1
            return
        if event == "commit":
            self.promote_owner(self.level)
        else:
            self.release_owner(self.level)
            level = self.level
            self._relations = {k: v for k, v in self._relations.items() if v < level}
        self.level -= 1

    def subxact_failed(self) -> None:
        """A statement failed after a savepoint: what was locked since is free at once."""
        self.release_owner(self.level)
        self._relations = {k: v for k, v in self._relations.items() if v < self.level}

    def release_all(self, *, session: bool = False) -> None:
        self.level = TRANSACTION_OWNER
        if self._relations:
            self._relations = {}
        super().release_all(session=session)

    def before_ready(self) -> None:
        """Before ReadyForQuery outside of a transaction: nothing of one may be held."""
        if self._owned:
            self.release_all()

    def acquire(
        self,
        tag: LockTag,
        mode: int,
        owner: int = TRANSACTION_OWNER,
        *,
        dont_wait: bool = False,
    ) -> bool:
        """LockManager.acquire for the current level, never waiting with the writer lock in hand."""
        if owner == TRANSACTION_OWNER:
            owner = self.level
        if dont_wait or not self.session.xact.write_depth:
            if not super().acquire(tag, mode, owner, dont_wait=dont_wait):
                return False
            if mode >= SHARE and tag.b == RELATION_B:
                self._pass_writers()
            return True
        if not super().acquire(tag, mode, owner, dont_wait=True):
            raise WaitForLock(tag, mode)
        return True

    def _sleep(self, tag: LockTag, mode: int, at: int) -> None:
        self.session.xact.settle()
        super()._sleep(tag, mode, at)

    def _pass_writers(self) -> None:
        """Statements that write without a table lock (lone_modify.py) began before they could see
        ours: they are over once the writer lock was ours."""
        with self.session.xact.writer_lock:
            pass

    def release(self, tag: LockTag, mode: int, owner: int = TRANSACTION_OWNER) -> bool:
        return super().release(tag, mode, self.level if owner == TRANSACTION_OWNER else owner)

    def relation(self, oid: int, mode: int, *, nowait: bool = False) -> bool:
        """Lock a table until the end of the transaction (LockRelationOid)."""
        key = (oid, mode)
        if key in self._relations:
            return True
        tag = self._tags.get(oid)
        if tag is None:
            tag = self._tags[oid] = self.tag(oid)
        if oid >= FIRST_USER_OID and mode <= ROW_EXCLUSIVE:
            free = self.acquire_weak(tag, mode, self.level)
        else:
            free = False
        if not free and not self.acquire(tag, mode, dont_wait=nowait):
            return False
        self._relations[key] = self.level
        return True

    def locked_relations(self) -> list[int]:
        """The tables that this transaction has locked."""
        return sorted({oid for oid, _ in self._relations})

    def transaction_locks(self) -> list[tuple[int, int, int]]:
        """What a prepared transaction goes on holding: (tag, mode) of all transaction locks."""
        return [
            (tag.a, tag.b, mode)
            for (tag, mode), owners in self._held.items()
            if any(owner >= TRANSACTION_OWNER for owner in owners)
        ]

    def held_both_ways(self) -> bool:
        """CheckForSessionAndXactLocks: is something locked by the session and the transaction?"""
        by_session: set[LockTag] = set()
        by_transaction: set[LockTag] = set()
        for (tag, _), owners in self._held.items():
            if any(owner >= TRANSACTION_OWNER for owner in owners):
                by_transaction.add(tag)
            if any(owner < TRANSACTION_OWNER for owner in owners):
                by_session.add(tag)
        return bool(by_session & by_transaction)

    def tag(self, oid: int) -> LockTag:
        session = self.session
        shared = oid < FIRST_USER_OID and session.catalog.relation(oid).sqlite_name[0] == "g"
        return relation_tag(0 if shared else session.ctx.database_oid, oid)

    def pass_relation(self, oid: int, mode: int) -> None:
        """Wait until a lock on a table could be had."""
        if self._words[strong_word(self.session.ctx.database_oid << 32 | oid)]:
            tag = self.tag(oid)
            if not self.holds_any(tag):
                self.acquire(tag, mode)
                self.release(tag, mode)

    def pass_relations(self, plan: Plan) -> bool:
        """An autocommit read: wait until no AccessExclusiveLock is in the way.  True: it had to
        look closer."""
        database = self.session.ctx.database_oid << 32
        words = self._words
        oids = [oid for oid in _relations_read(plan) if oid >= FIRST_USER_OID]
        if plan.strong_words is None:
            plan.strong_words = tuple(strong_word(database | oid) for oid in oids)
        looked = False
        for oid in oids:
            if words[strong_word(database | oid)]:
                looked = True
                tag = LockTag(database | oid, RELATION_B)
                if not self.holds_any(tag):
                    self.acquire(tag, ACCESS_SHARE)
                    self.release(tag, ACCESS_SHARE)
        return looked

    def xid_let_go(self, xid: int) -> None:
        """ROLLBACK TO freed rows: who waits for the xid looks again at what it wanted."""
        table = self.table
        tag = transaction_tag(xid)
        woken = []
        with table.lock:
            for at in list(table.chain(tag)):
                mode = table.words[at + WAIT]
                if mode:
                    table.grant(at, mode)
                    woken.append(table.words[at + SLOT])
        for slot in woken:
            self.sender.wake(slot)


def attach_locks(session: Any, cluster: Any, shm: Any, slot: Any, latch: Latch) -> None:
    """Give a session its locks, its notifications and its timeouts."""
    table = LockTable(cluster.locks_path, shm.procarray)
    sender = getattr(session, "latch_sender", None) or LatchSender(cluster.runtime)
    locks = SessionLocks(session, table, slot.number, latch, sender)
    locks.check_interrupts = session.check_for_interrupts
    session.locks = locks
    xact = session.xact
    xact.xid_ended = locks.transaction_ended
    xact.xid_let_go = locks.xid_let_go
    xact.subxact_failed = locks.subxact_failed
    xact.predicate = PredicateLocks(xact, cluster.runtime, session.ctx.database_oid)
    xact.predicate.satisfies = partial(satisfies, session)
    xact.global_lock = WriterLock(cluster.writer_lock_path(0), session.check_for_interrupts)
    session.notify_queue = NotifyQueue(session, cluster, latch, sender)
    session.timeouts = Timeouts(session)
    _wire_settings(session, locks)


def _wire_settings(session: Any, locks: SessionLocks) -> None:
    """The lock settings, now and whenever they change."""

    def seconds(attribute: str) -> Callable[[Any], None]:
        return lambda value: setattr(locks, attribute, int(value) / 1000)

    def synchronous_commit(value: Any) -> None:
        session.xact.synchronous_commit = str(value) not in ("off", "False")

    for name, hook in (
        ("lock_timeout", seconds("lock_timeout")),
        ("deadlock_timeout", seconds("deadlock_timeout")),
        ("synchronous_commit", synchronous_commit),
    ):
        session.guc.assign_hooks[name] = hook
        hook(session.guc.value(name))


# -- relations -----------------------------------------------------------------------------------


def lock_relation(session: Any, oid: int, mode: int, *, nowait: bool = False) -> None:
    """Lock a relation until the transaction ends.  55P03 with nowait."""
    locks = session.locks
    if locks is not None and not locks.relation(oid, mode, nowait=nowait):
        name = session.catalog.relation(oid).name
        raise PgError(LOCK_NOT_AVAILABLE, f'could not obtain lock on relation "{name}"')


class PlanOutdated(Exception):
    """The catalogs have changed while the plan's locks were waited for; nothing was done."""


def lock_for_plan(session: Any, plan: Plan) -> bool:
    """Take the table locks of a planned statement, before it starts.  False: the catalogs have
    changed meanwhile; accept invalidations, plan again, call again."""
    locks = session.locks
    if locks is None:
        return True
    version = session._known_version
    xact = session.xact
    if (
        xact.state == IDLE
        and plan.command_type == "select"
        and not (plan.row_marks or plan.steps or plan.sequences)
    ):
        known = plan.strong_words
        if known is not None:
            words = locks._words
            for at in known:
                if words[at]:
                    break
            else:
                return True
        if xact.write_depth or not locks.pass_relations(plan):
            return True
    else:
        if xact.current.isolation != "read committed" and xact.fixed_snapshot is None:
            _fix_snapshot(xact)
        _lock_relations(locks, plan)
    return bool(session.catalog_version() == version)


def _relations_read(plan: Plan) -> list[int]:
    return [*plan.partitioned, *(oid for oid, _, _ in plan.relations)]


def _fix_snapshot(xact: Any) -> None:
    """REPEATABLE READ takes its snapshot before it waits, as parse analysis does."""
    nested = xact.state == IDLE or xact.write_depth
    if not nested and xact.serializable() is None and xact.fixed_snapshot is None:
        xact.begin_read()
        xact.end_read()


def _lock_relations(locks: SessionLocks, plan: Plan) -> None:
    held = locks._relations
    # tables that are written or whose rows are locked get their stronger lock below
    written = plan.modify.relid if plan.modify is not None else 0
    marked = {mark.relid for mark in plan.row_marks} if plan.row_marks else ()
    for oid in plan.partitioned:  # before their partitions
        if oid != written and (oid, ACCESS_SHARE) not in held:
            locks.relation(oid, ACCESS_SHARE)
    for oid, _, _ in plan.relations:
        if (
            oid >= FIRST_USER_OID
            and oid != written
            and oid not in marked
            and (oid, ACCESS_SHARE) not in held
        ):
            locks.relation(oid, ACCESS_SHARE)
    for oid in plan.sequences:
        locks.relation(oid, ROW_EXCLUSIVE)
    for mark in plan.row_marks:
        if mark.relid >= FIRST_USER_OID:
            locks.relation(mark.relid, ROW_SHARE)
    modify = plan.modify
    if modify is not None and modify.relid >= FIRST_USER_OID:
        locks.relation(modify.relid, ROW_EXCLUSIVE)
    for _, step in plan.steps:
        _lock_relations(locks, step)


def lock_for_utility(session: Any, query: Any) -> bool:
    """Take the table locks of a utility statement before it runs (the lock levels of the manual's
    chapter "Explicit Locking").  False as in lock_for_plan; the caller accepts invalidations and
    may just go on.  What does not exist is left to the command to complain of."""
    locks = session.locks
    raw = getattr(query, "utility_stmt", None) or getattr(query, "node", None) or query
    if locks is None or not isinstance(raw, dict) or not raw:
        return True
    version = session.catalog_version()
    tag, body = next(iter(raw.items()))
    for oid, mode in utility_locks(session.catalog, tag, body):
        locks.relation(oid, mode)
    if tag in ("IndexStmt", "DropStmt", "ReindexStmt", "AlterTableStmt"):
        wait_before(session, tag, body)
    return bool(session.catalog_version() == version)


# -- waiting -------------------------------------------------------------------------------------


def wait_for_xid(session: Any, xid: int) -> None:
    """XactLockTableWait.  An xid that no process has (a prepared transaction, one that is being
    recovered) is looked at again and again."""
    locks = session.locks
    if locks is None:
        return
    if session.shm.procarray.find_by_xid(xid) is not None:
        locks.xact_lock_table_wait(xid)
        return
    session.xact.settle()
    started = time.monotonic()
    while _still_active(session, xid):
        if session.shm.procarray.find_by_xid(xid) is not None:
            return
        session.check_for_interrupts()
        time.sleep(0.005)
        if 0 < locks.lock_timeout <= time.monotonic() - started:
            raise PgError(LOCK_NOT_AVAILABLE, "canceling statement due to lock timeout")


def _still_active(session: Any, xid: int) -> bool:
    found = session.conn.execute(
        "SELECT 1 FROM main._active WHERE xid=? UNION ALL SELECT 1 FROM g._gactive WHERE xid=?",
        (xid, xid),
    ).fetchone()
    return found is not None
