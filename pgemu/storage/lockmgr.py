"""The lock manager of one backend: acquire, wait, release, with owners and counts.

Counterpart of PostgreSQL's lock.c (LockAcquireExtended, LockReleaseAll), proc.c (ProcSleep) and
lmgr.c.  What this backend holds is counted locally, so taking a lock again touches no shared
memory; weak relation locks take the fast path (locktable.py).

Owners are numbers: 0 is the session, n >= 1 the transaction at nesting level n (a savepoint's
level is one more than its parent's).  `release_owner(n)` aborts a level, `promote_owner(n)` gives
the locks of a released savepoint to its parent.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from pgemu.errors import LOCK_NOT_AVAILABLE, PgError
from pgemu.storage.deadlock import (
    DeadlockCheck,
    blocking_slots,
    deadlock_error,
    early_deadlock,
)
from pgemu.storage.latch import Latch, LatchSender, wait_latch
from pgemu.storage.locktable import (
    FAST_AT,
    FAST_PAIRS,
    FAST_WORDS,
    HOLD,
    ORDER,
    W_XID_WAITERS,
    WAIT,
    LockState,
    LockTable,
    strong_word,
)
from pgemu.storage.locktag import (
    LOCK_CONFLICTS,
    LOCK_MODE_NAMES,
    LOCKTAG_NAMES,
    RELATION_B,
    SHARE_LOCK,
    LockTag,
    transaction_tag,
)
from pgemu.storage.procarray import (
    LXID,
    PID,
    PREPARED_PIDS,
    WAIT_EVENT,
    WAIT_EVENT_NUMBERS,
    WAITING_FOR_XID,
    XACT_START,
    XID,
    ProcArray,
)

SESSION_OWNER = 0
TRANSACTION_OWNER = 1
_Key = tuple[LockTag, int]


class LockRow(NamedTuple):
    """One row of pg_locks; None where the column does not apply to the kind of lock."""

    locktype: str
    database: int | None
    relation: int | None
    page: int | None
    tuple: int | None
    virtualxid: str | None
    transactionid: int | None
    classid: int | None
    objid: int | None
    objsubid: int | None
    virtualtransaction: str
    pid: int | None  # None: a prepared transaction
    mode: str
    granted: bool
    fastpath: bool
    waitstart: int | None  # microseconds of the Unix epoch


class LockManager:
    """Locks of the process in one slot.

    lock_timeout and deadlock_timeout are seconds (lock_timeout 0: wait for ever).
    check_interrupts is called after every wake-up while waiting and may raise.
    """

    def __init__(self, table: LockTable, slot: int, latch: Latch, sender: LatchSender) -> None:
        self.table = table
        self.slot = slot
        self.latch = latch
        self.sender = sender
        self.lock_timeout = 0.0
        self.deadlock_timeout = 1.0
        self.check_interrupts: Callable[[], None] = lambda: None
        self._words = table.words
        self._procarray: ProcArray = table.procarray
        self._held: dict[_Key, dict[int, int]] = {}
        self._owned: dict[int, set[_Key]] = {}
        self._fast_at = FAST_AT + slot * FAST_WORDS
        self._fast: dict[int, int] = {}  # tag.a -> word of its pair
        self._fast_free: list[int] = []
        self._words[self._fast_at] = 0

    # -- acquiring -------------------------------------------------------------------------------

    def acquire(
        self,
        tag: LockTag,
        mode: int,
        owner: int = TRANSACTION_OWNER,
        *,
        dont_wait: bool = False,
    ) -> bool:
        """Take a lock, waiting unless dont_wait (then False if it is not free).  40P01, 55P03."""
        key = (tag, mode)
        counts = self._held.get(key)
        if counts is None:
            fast = tag.b == RELATION_B and mode <= 3 and tag.a >> 32
            if (not fast or not self._acquire_fast(tag.a, mode)) and not self._acquire_shared(
                tag, mode, dont_wait
            ):
                return False
            self._held[key] = {owner: 1}
        else:
            counts[owner] = counts.get(owner, 0) + 1
        self._owned.setdefault(owner, set()).add(key)
        return True

    def acquire_weak(self, tag: LockTag, mode: int, owner: int) -> bool:
        """acquire() of a table lock up to ROW EXCLUSIVE where nobody has a stronger one; False:
        nothing was done."""
        key = (tag, mode)
        counts = self._held.get(key)
        if counts is None:
            if not self._acquire_fast(tag.a, mode):
                return False
            self._held[key] = {owner: 1}
        else:
            counts[owner] = counts.get(owner, 0) + 1
        owned = self._owned.get(owner)
        if owned is None:
            self._owned[owner] = {key}
        else:
            owned.add(key)
        return True

    def holds(self, tag: LockTag, mode: int) -> bool:
        """Whether this backend holds the lock in exactly this mode."""
        return (tag, mode) in self._held

    def holds_any(self, tag: LockTag, at_least: int = 1) -> bool:
        """Whether it holds this or a stronger mode (CheckRelationLockedByMe)."""
        return any((tag, mode) in self._held for mode in range(at_least, 9))

    def _acquire_fast(self, tag_a: int, mode: int) -> bool:
        words = self._words
        strong = strong_word(tag_a)
        if words[strong]:
            return False
        at = self._fast.get(tag_a)
        if at is None:
            if self._fast_free:
                at = self._fast_free.pop()
            else:
                used = words[self._fast_at]
                if used >= FAST_PAIRS:
                    return False
                at = self._fast_at + 2 + used * 2
                words[at + 1] = 0
                words[self._fast_at] = used + 1
            words[at] = tag_a
            self._fast[tag_a] = at
        words[at + 1] |= 1 << mode
        if words[strong]:  # a strong locker came between; it may not have seen us
            self._release_fast(tag_a, mode)
            return False
        return True

    def _release_fast(self, tag_a: int, mode: int) -> None:
        words = self._words
        at = self._fast[tag_a]
        words[at + 1] &= ~(1 << mode)
        if not words[at + 1]:
            del self._fast[tag_a]
            self._fast_free.append(at)

    def _acquire_shared(self, tag: LockTag, mode: int, dont_wait: bool) -> bool:
        table = self.table
        words = self._words
        with table.lock:
            at = table.find(tag, self.slot) or table.make(tag, self.slot)
            # Announce what we want before looking for holders that have no entry: they check
            # the announcement after they changed their own state.
            table.start_waiting(at, mode, 0, time.time_ns() // 1000)
            table.settle(at)
            state = table.state(tag)
            waiting = 0
            for waiter in state.waiters:
                if waiter.slot != self.slot:
                    waiting |= 1 << waiter.mode
            free = not LOCK_CONFLICTS[mode] & (waiting | state.held_by_others(self.slot))
            order = 0 if free or dont_wait else self._queue_order(state, mode)
            if order < 0:  # the deadlock is plain to see
                table.stop_waiting(at)
                table.settle(at)
                pids = dict(enumerate(self._procarray.column(PID)))
                raise deadlock_error(early_deadlock(state, self.slot, mode), pids)
            if order == 0:
                if dont_wait and not free:
                    table.stop_waiting(at)
                else:
                    table.grant(at, mode)
                table.settle(at)
                return free or not dont_wait
            words[at + ORDER] = order
        self._sleep(tag, mode, at)
        return True

    def _queue_order(self, state: LockState, mode: int) -> int:
        """Where to join the queue (ProcSleep): behind all, or before the first waiter that our
        own locks block; 0 if we may have the lock at once; -1: that waiter also blocks us, which
        is a deadlock.  The table's lock is held."""
        held = state.held_by(self.slot)
        ahead = 0
        previous = 0
        for waiter in state.waiters if held else ():
            if waiter.slot == self.slot:
                continue
            if LOCK_CONFLICTS[waiter.mode] & held:
                if LOCK_CONFLICTS[mode] & state.held_by(waiter.slot):
                    return -1
                if not LOCK_CONFLICTS[mode] & (ahead | state.held_by_others(self.slot)):
                    return 0
                return (previous + waiter.order) // 2
            ahead |= 1 << waiter.mode
            previous = waiter.order
        return self.table.next_order()

    # -- waiting ---------------------------------------------------------------------------------

    def _sleep(self, tag: LockTag, mode: int, at: int) -> None:
        """Wait until somebody grants the lock; raises for deadlock, timeout, interrupts."""
        words = self._words
        proc = self._procarray.slot(self.slot).words
        event = proc[WAIT_EVENT]
        name = LOCKTAG_NAMES[tag.type]
        proc[WAIT_EVENT] = WAIT_EVENT_NUMBERS.get(("Lock", name), 0)
        started = time.monotonic()
        give_up = started + self.lock_timeout if self.lock_timeout > 0 else None
        check: float | None = started + self.deadlock_timeout
        queued = True
        try:
            while True:
                deadlines = [d for d in (give_up, check) if d is not None]
                deadline = min(deadlines) if deadlines else None
                if wait_latch(
                    self.latch, lambda: not words[at + WAIT], deadline, self.check_interrupts
                ):
                    queued = False
                    return
                now = time.monotonic()
                if check is not None and now >= check:
                    check = None
                    error = self._check_deadlock(tag, at)
                    if error is not None:
                        queued = False
                        raise error
                if give_up is not None and now >= give_up and words[at + WAIT]:
                    raise PgError(LOCK_NOT_AVAILABLE, "canceling statement due to lock timeout")
        finally:
            proc[WAIT_EVENT] = event
            if queued:
                self._leave_queue(tag, mode, at)

    def _leave_queue(self, tag: LockTag, mode: int, at: int) -> None:
        """Stop waiting, or give back what was granted in the last moment."""
        table = self.table
        words = self._words
        with table.lock:
            if words[at + WAIT]:
                table.stop_waiting(at)
            else:
                words[at + HOLD] &= ~(1 << mode)
            table.settle(at)
            woken = table.wake_waiters(tag)
        self._wake(woken)

    def _check_deadlock(self, tag: LockTag, at: int) -> PgError | None:
        """Who finds a deadlock leaves the queue at once: the others that are in it must not find
        it as well (CheckDeadLock)."""
        table = self.table
        words = self._words
        error = None
        woken: list[int] = []
        with table.lock:
            verdict = DeadlockCheck(table.all_states(), self.slot).run()
            if verdict.deadlock is not None:
                pids = dict(enumerate(self._procarray.column(PID)))
                error = deadlock_error(verdict.deadlock, pids)
                table.stop_waiting(at)
                table.settle(at)
                woken = table.wake_waiters(tag)
            else:
                for one, queue in verdict.orders.items():
                    for waiter in queue:
                        words[table.find(one, waiter.slot) + ORDER] = table.next_order()
                    woken += table.wake_waiters(one)
        self._wake(woken)
        return error

    def _wake(self, slots: list[int]) -> None:
        for slot in slots:
            self.sender.wake(slot)

    # -- releasing -------------------------------------------------------------------------------

    def release(self, tag: LockTag, mode: int, owner: int = TRANSACTION_OWNER) -> bool:
        """Give one acquisition back; False if the owner does not hold the lock."""
        key = (tag, mode)
        counts = self._held.get(key)
        if counts is None or not counts.get(owner):
            return False
        counts[owner] -= 1
        if counts[owner]:
            return True
        del counts[owner]
        self._owned[owner].discard(key)
        if not counts:
            del self._held[key]
            self._give_back([key])
        return True

    def release_owner(self, owner: int) -> None:
        """Release all that a transaction level (or the session, 0) holds."""
        keys = self._owned.pop(owner, None)
        if not keys:
            return
        gone: list[_Key] = []
        for key in keys:
            counts = self._held[key]
            counts.pop(owner, None)
            if not counts:
                del self._held[key]
                gone.append(key)
        self._give_back(gone)

    def release_all(self, *, session: bool = False) -> None:
        """End of transaction: every owner but the session; with session, that one as well."""
        if self._owned:
            for owner in [o for o in self._owned if session or o != SESSION_OWNER]:
                self.release_owner(owner)

    def promote_owner(self, owner: int) -> None:
        """RELEASE SAVEPOINT: the parent level (owner - 1) gets the locks."""
        keys = self._owned.pop(owner, None)
        if not keys:
            return
        parent = owner - 1
        for key in keys:
            counts = self._held[key]
            counts[parent] = counts.get(parent, 0) + counts.pop(owner)
        self._owned.setdefault(parent, set()).update(keys)

    def _give_back(self, keys: list[_Key]) -> None:
        words = self._words
        fast = self._fast
        shared: list[_Key] = []
        wake: set[LockTag] = set()
        for key in keys:
            tag, mode = key
            at = fast.get(tag.a) if mode <= 3 and tag.b == RELATION_B else None
            if at is not None and words[at + 1] & 1 << mode:
                left = words[at + 1] = words[at + 1] & ~(1 << mode)
                if not left:
                    del fast[tag.a]
                    self._fast_free.append(at)
                if words[strong_word(tag.a)]:
                    wake.add(tag)
            else:
                shared.append(key)
        if not fast and self._fast_free:
            words[self._fast_at] = 0
            self._fast_free.clear()
        if not shared and not wake:
            return
        table = self.table
        with table.lock:
            for tag, mode in shared:
                at = table.find(tag, self.slot)
                if at:
                    words[at + HOLD] &= ~(1 << mode)
                    table.settle(at)
                wake.add(tag)
            woken = [slot for tag in wake for slot in table.wake_waiters(tag)]
        self._wake(woken)

    # -- transactions ----------------------------------------------------------------------------

    def xact_lock_table_wait(self, xid: int) -> None:
        """Wait until the transaction with this xid has ended (XactLockTableWait)."""
        tag = transaction_tag(xid)
        proc = self._procarray.slot(self.slot).words
        proc[WAITING_FOR_XID] = xid
        try:
            self.acquire(tag, SHARE_LOCK)
            self.release(tag, SHARE_LOCK)
        finally:
            proc[WAITING_FOR_XID] = 0

    def transaction_ended(self, xid: int) -> None:
        """After this backend cleared the XID word of its slot: wake those who waited for it."""
        if self._words[W_XID_WAITERS]:
            table = self.table
            with table.lock:
                woken = table.wake_waiters(transaction_tag(xid))
            self._wake(woken)

    def has_waiters(self, tag: LockTag) -> bool:
        """LockHasWaiters, for long operations that want to yield."""
        with self.table.lock:
            return bool(self.table.state(tag).waiters)


# -- views over all backends -----------------------------------------------------------------------


def blocking_pids(table: LockTable, pid: int) -> list[int]:
    """pg_blocking_pids: empty if that process does not wait."""
    procarray = table.procarray
    slot = procarray.find_by_pid(pid)
    if slot is None:
        return []
    with table.lock:
        states = table.all_states()
    pids = procarray.column(PID)
    return [pids[number] for number in blocking_slots(states, slot.number)]


def lock_rows(table: LockTable) -> list[LockRow]:
    """The rows of pg_locks (GetLockStatusData), virtual and real transaction ids included."""
    procarray = table.procarray
    with table.lock:
        states = table.all_states()
        fast = list(table.fast_locks())
    pids = procarray.column(PID)
    lxids = procarray.column(LXID)
    xids = procarray.column(XID)
    rows: list[LockRow] = []

    def add(slot: int, tag: LockTag, mode: int, granted: bool, fastpath: bool, since: int) -> None:
        prepared = pids[slot] >= PREPARED_PIDS
        virtual = f"-1/{xids[slot]}" if prepared else f"{slot + 1}/{lxids[slot]}"
        rows.append(
            LockRow(
                *_tag_columns(tag),
                virtual,
                None if prepared else pids[slot],
                LOCK_MODE_NAMES[mode],
                granted,
                fastpath,
                since or None,
            )
        )

    def add_modes(slot: int, tag: LockTag, modes: int, fastpath: bool) -> None:
        for mode in range(1, 9):
            if modes & 1 << mode:
                add(slot, tag, mode, True, fastpath, 0)

    for number, tag, modes in fast:
        add_modes(number, tag, modes, True)
    for number, (pid, xid, started) in enumerate(
        zip(pids, procarray.column(XID), procarray.column(XACT_START), strict=True)
    ):
        if 0 < pid < PREPARED_PIDS and (started or xid):
            rows.append(_virtual_row(number, lxids[number], pid))
        if pid and xid:
            add(number, transaction_tag(xid), 7, True, False, 0)
    for tag, state in states.items():
        for number, modes in state.holders.items():
            own = modes & ~state.fast.get(number, 0)
            if tag.b != RELATION_B and tag.type == 5:
                own &= ~(1 << 7)
            add_modes(number, tag, own, False)
        for waiter in state.waiters:
            add(waiter.slot, tag, waiter.mode, False, False, waiter.since)
    return rows


def _virtual_row(slot: int, lxid: int, pid: int) -> LockRow:
    virtual = f"{slot + 1}/{lxid}"
    return LockRow(
        "virtualxid", None, None, None, None, virtual, None, None, None, None,
        virtual, pid, "ExclusiveLock", True, True, None,
    )  # fmt: skip


def _tag_columns(
    tag: LockTag,
) -> tuple[
    str,
    int | None,
    int | None,
    int | None,
    int | None,
    str | None,
    int | None,
    int | None,
    int | None,
    int | None,
]:
    """The columns locktype .. objsubid of pg_locks."""
    f1, f2, f3, f4 = tag.field1, tag.field2, tag.field3, tag.field4
    name = LOCKTAG_NAMES[tag.type]
    match name:
        case "relation" | "extend":
            return name, f1, f2, None, None, None, None, None, None, None
        case "page":
            return name, f1, f2, f3, None, None, None, None, None, None
        case "tuple":
            return name, f1, f2, f3, f4, None, None, None, None, None
        case "transactionid":
            return name, None, None, None, None, None, f1, None, None, None
        case "virtualxid":
            return name, None, None, None, None, f"{f1}/{f2}", None, None, None, None
    return name, f1, None, None, None, None, None, f2, f3, f4
