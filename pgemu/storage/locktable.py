"""The heavyweight lock table in shared memory: who holds and who waits for which lock.

Counterpart of the shared half of PostgreSQL's lock.c.  One entry per (tag, process slot), in hash
chains, in a file of its own, guarded by one FileLock.  Two things are not in the table:
- weak locks on relations (modes 1..3) go, as in PostgreSQL, to the fast-path array of the slot,
  without the lock, unless somebody holds or wants a strong lock that hashes alike;
- the ExclusiveLock that each transaction holds on its own xid is the XID word of its slot.
Both are seen as holders here.  What a fast-path holder writes and then reads (its entry, the
strong counter) a strong locker writes and reads the other way round, so one of them notices.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from pgemu.errors import INTERNAL_ERROR, OUT_OF_MEMORY, PgError
from pgemu.storage.filelock import FileLock
from pgemu.storage.locktag import (
    LOCK_CONFLICTS,
    LOCKTAG_TRANSACTION,
    RELATION_B,
    STRONG_MODES,
    LockTag,
)
from pgemu.storage.procarray import XID, ProcArray

MAGIC = 0x50474C4F434B0002
EXCLUSIVE_BIT = 1 << 7

# Words of the header.
W_MAGIC, W_ENTRIES, W_USED, W_FREE, W_ORDER, W_XID_WAITERS, W_SLOTS, W_LIVE = range(8)
STRONG_AT, STRONG_COUNT = 64, 1024
BUCKETS_AT, BUCKET_COUNT = STRONG_AT + STRONG_COUNT, 4096
FAST_AT = BUCKETS_AT + BUCKET_COUNT
FAST_PAIRS = 63
FAST_WORDS = 2 + FAST_PAIRS * 2  # high-water mark, spare, then (tag.a, modes) pairs

# Words of an entry.
NEXT, TAG_A, TAG_B, SLOT, HOLD, WAIT, ORDER, WAIT_START, STRONG, SPARE = range(10)
ENTRY_WORDS = 10
ORDER_STEP = 1 << 20


@dataclass(slots=True)
class Waiter:
    """A process in the queue of one lock."""

    slot: int
    mode: int
    order: int
    since: int = 0


@dataclass(slots=True)
class LockState:
    """Everything about one tag: holders (slot -> mode mask) and the queue in its order."""

    tag: LockTag
    holders: dict[int, int] = field(default_factory=dict)
    fast: dict[int, int] = field(default_factory=dict)
    waiters: list[Waiter] = field(default_factory=list)

    def held_by_others(self, slot: int) -> int:
        """Mask of the modes that processes other than this one hold."""
        mask = 0
        for holder, modes in self.holders.items():
            if holder != slot:
                mask |= modes
        return mask

    def held_by(self, slot: int) -> int:
        return self.holders.get(slot, 0)


def bucket_of(tag: LockTag) -> int:
    return BUCKETS_AT + hash(tag) % BUCKET_COUNT


def strong_word(tag_a: int) -> int:
    return STRONG_AT + (tag_a ^ tag_a >> 32) % STRONG_COUNT


class LockTable:
    """Access to the table.  Methods that say so want `lock` to be held."""

    def __init__(self, path: str, procarray: ProcArray) -> None:
        self.path = path
        self.procarray = procarray
        self.lock = FileLock(os.path.join(os.path.dirname(path), "lock.heavy"))
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            self._map = mmap.mmap(fd, 0)
        finally:
            os.close(fd)
        self.words = memoryview(self._map).cast("q")
        if self.words[W_MAGIC] != MAGIC:
            raise PgError(INTERNAL_ERROR, f'"{path}" is not a lock table of this version')
        self._entries_at = FAST_AT + self.words[W_SLOTS] * FAST_WORDS

    @classmethod
    def create(cls, path: str, procarray: ProcArray, locks_per_process: int = 64) -> LockTable:
        """Make the file; it is sparse until used."""
        slots = procarray.size
        entries = max(8192, slots * locks_per_process)
        size = (FAST_AT + slots * FAST_WORDS + entries * ENTRY_WORDS) * 8
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(fd, size)
            os.pwrite(fd, struct.pack("=8q", MAGIC, entries, 0, 0, 0, 0, slots, 0), 0)
        finally:
            os.close(fd)
        return cls(path, procarray)

    def close(self) -> None:
        self.words.release()
        self._map.close()
        self.lock.close()

    # -- entries (lock held) -----------------------------------------------------------------

    def chain(self, tag: LockTag) -> Iterator[int]:
        """First words of the entries of a tag, in no order."""
        words = self.words
        a, b = tag
        at = words[bucket_of(tag)]
        while at:
            if words[at + TAG_A] == a and words[at + TAG_B] == b:
                yield at
            at = words[at + NEXT]

    def find(self, tag: LockTag, slot: int) -> int:
        """The entry of a process, 0 if there is none."""
        for at in self.chain(tag):
            if self.words[at + SLOT] == slot:
                return at
        return 0

    def make(self, tag: LockTag, slot: int) -> int:
        """A new, empty entry.  53200 when the table is full."""
        words = self.words
        at = words[W_FREE]
        if at:
            words[W_FREE] = words[at + NEXT]
        else:
            used = words[W_USED]
            if used >= words[W_ENTRIES]:
                raise PgError(
                    OUT_OF_MEMORY,
                    "out of shared memory",
                    hint="You might need to increase max_locks_per_transaction.",
                )
            at = self._entries_at + used * ENTRY_WORDS
            words[W_USED] = used + 1
        bucket = bucket_of(tag)
        words[at + HOLD] = words[at + WAIT] = words[at + ORDER] = words[at + STRONG] = 0
        words[at + SLOT] = slot
        words[at + TAG_A], words[at + TAG_B] = tag
        words[at + NEXT] = words[bucket]
        words[bucket] = at
        words[W_LIVE] += 1
        return at

    def settle(self, at: int) -> None:
        """After HOLD or WAIT changed: the strong counter follows, an empty entry is freed."""
        words = self.words
        wait = words[at + WAIT]
        modes = words[at + HOLD] | (1 << wait if wait else 0)
        strong = 1 if modes & STRONG_MODES and words[at + TAG_B] == RELATION_B else 0
        if strong != words[at + STRONG]:
            words[strong_word(words[at + TAG_A])] += strong - words[at + STRONG]
            words[at + STRONG] = strong
        if not modes:
            self._free(at)

    def _free(self, at: int) -> None:
        words = self.words
        tag = LockTag(words[at + TAG_A], words[at + TAG_B])
        previous = bucket_of(tag)
        if words[previous] == at:
            words[previous] = words[at + NEXT]
        else:
            previous = words[previous]
            while words[previous + NEXT] != at:
                previous = words[previous + NEXT]
            words[previous + NEXT] = words[at + NEXT]
        words[at + SLOT] = -1
        words[at + NEXT] = words[W_FREE]
        words[W_FREE] = at
        words[W_LIVE] -= 1

    # -- whole locks (lock held) ---------------------------------------------------------------

    def state(self, tag: LockTag) -> LockState:
        """Holders and queue of one tag, fast path and xids included."""
        words = self.words
        state = LockState(tag)
        for at in self.chain(tag):
            slot = words[at + SLOT]
            if words[at + HOLD]:
                state.holders[slot] = words[at + HOLD]
            if words[at + WAIT]:
                state.waiters.append(
                    Waiter(slot, words[at + WAIT], words[at + ORDER], words[at + WAIT_START])
                )
        state.waiters.sort(key=lambda waiter: waiter.order)
        self._add_implicit(state)
        return state

    def _add_implicit(self, state: LockState) -> None:
        """Holders that have no entry: fast-path arrays, and the owner of an xid."""
        tag = state.tag
        if tag.b == RELATION_B:
            for slot, modes in self.fast_holders(tag.a):
                state.fast[slot] = modes
                state.holders[slot] = state.holders.get(slot, 0) | modes
        elif tag.type == LOCKTAG_TRANSACTION:
            owner = self.procarray.find_by_xid(tag.field1)
            if owner is not None:
                number = owner.number
                state.holders[number] = state.holders.get(number, 0) | EXCLUSIVE_BIT

    def fast_holders(self, tag_a: int) -> Iterator[tuple[int, int]]:
        """(slot, modes) of the fast-path locks on a relation."""
        words = self.words
        end = FAST_AT + words[W_SLOTS] * FAST_WORDS
        for slot, used in enumerate(words[FAST_AT:end:FAST_WORDS].tolist()):
            if not used:
                continue
            start = FAST_AT + slot * FAST_WORDS + 2
            pairs = words[start : start + used * 2].tolist()
            for index in range(0, used * 2, 2):
                if pairs[index] == tag_a and pairs[index + 1]:
                    yield slot, pairs[index + 1]

    def all_states(self) -> dict[LockTag, LockState]:
        """The whole table, for the deadlock detector and pg_locks."""
        words = self.words
        used = words[W_USED]
        data = words[self._entries_at : self._entries_at + used * ENTRY_WORDS].tolist()
        states: dict[LockTag, LockState] = {}
        for at in range(0, used * ENTRY_WORDS, ENTRY_WORDS):
            if data[at + SLOT] < 0 or not (data[at + HOLD] or data[at + WAIT]):
                continue
            tag = LockTag(data[at + TAG_A], data[at + TAG_B])
            state = states.setdefault(tag, LockState(tag))
            if data[at + HOLD]:
                state.holders[data[at + SLOT]] = data[at + HOLD]
            if data[at + WAIT]:
                state.waiters.append(
                    Waiter(
                        data[at + SLOT], data[at + WAIT], data[at + ORDER], data[at + WAIT_START]
                    )
                )
        for state in states.values():
            state.waiters.sort(key=lambda waiter: waiter.order)
            self._add_implicit(state)
        return states

    def fast_locks(self) -> Iterator[tuple[int, LockTag, int]]:
        """(slot, tag, modes) of every fast-path lock."""
        words = self.words
        for slot in range(words[W_SLOTS]):
            start = FAST_AT + slot * FAST_WORDS
            used = words[start]
            pairs = words[start + 2 : start + 2 + used * 2].tolist()
            for index in range(0, used * 2, 2):
                if pairs[index + 1]:
                    yield slot, LockTag(pairs[index], RELATION_B), pairs[index + 1]

    def wake_waiters(self, tag: LockTag) -> list[int]:
        """Grant what can be granted now, in queue order (ProcLockWakeup).  The slots to wake."""
        entries = list(self.chain(tag))
        words = self.words
        if not any(words[at + WAIT] for at in entries):
            return []
        state = self.state(tag)
        by_slot = {words[at + SLOT]: at for at in entries}
        ahead = 0
        granted: list[int] = []
        for waiter in state.waiters:
            conflicts = LOCK_CONFLICTS[waiter.mode]
            if conflicts & (ahead | state.held_by_others(waiter.slot)):
                ahead |= 1 << waiter.mode
                continue
            self.grant(by_slot[waiter.slot], waiter.mode)
            state.holders[waiter.slot] = state.held_by(waiter.slot) | 1 << waiter.mode
            granted.append(waiter.slot)
        return granted

    def grant(self, at: int, mode: int) -> None:
        """A waiter's entry becomes a holder's."""
        words = self.words
        words[at + HOLD] |= 1 << mode
        self.stop_waiting(at)

    def start_waiting(self, at: int, mode: int, order: int, since: int) -> None:
        words = self.words
        words[at + ORDER] = order
        words[at + WAIT_START] = since
        words[at + WAIT] = mode
        if words[at + TAG_B] >> 8 & 0xFF == LOCKTAG_TRANSACTION:
            words[W_XID_WAITERS] += 1

    def stop_waiting(self, at: int) -> None:
        words = self.words
        if words[at + WAIT]:
            words[at + WAIT] = 0
            if words[at + TAG_B] >> 8 & 0xFF == LOCKTAG_TRANSACTION:
                words[W_XID_WAITERS] -= 1

    def next_order(self) -> int:
        """A queue position behind all that were given before."""
        self.words[W_ORDER] += ORDER_STEP
        return self.words[W_ORDER]

    # -- dead processes ------------------------------------------------------------------------

    def release_slot(self, slot: int) -> list[int]:
        """Everything a dead process held or waited for, without its help.  Takes the lock; the
        slots to wake.  Its XID word must have been cleared (or kept, if others must wait on)."""
        words = self.words
        with self.lock:
            start = FAST_AT + slot * FAST_WORDS
            tags = {
                LockTag(words[at], RELATION_B)
                for at in range(start + 2, start + 2 + words[start] * 2, 2)
                if words[at + 1]
            }
            words[start] = 0
            for at in range(start + 2, start + FAST_WORDS):
                words[at] = 0
            end = self._entries_at + words[W_USED] * ENTRY_WORDS
            for at in range(self._entries_at, end, ENTRY_WORDS):
                if words[at + SLOT] == slot:
                    tags.add(LockTag(words[at + TAG_A], words[at + TAG_B]))
                    self.stop_waiting(at)
                    words[at + HOLD] = 0
                    self.settle(at)
            woken = [number for tag in tags for number in self.wake_waiters(tag)]
            woken.extend(self._wake_xid_waiters())
        return woken

    def _wake_xid_waiters(self) -> list[int]:
        """Wake those who wait for an xid that nobody has any more."""
        if not self.words[W_XID_WAITERS]:
            return []
        running = set(self.procarray.column(XID))
        return [
            number
            for tag, state in self.all_states().items()
            if tag.type == LOCKTAG_TRANSACTION and state.waiters and tag.field1 not in running
            for number in self.wake_waiters(tag)
        ]
