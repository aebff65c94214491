"""Deadlock detection over the waits-for graph of the lock table.

Counterpart of PostgreSQL's deadlock.c.  A process waits for the holders of conflicting modes
(hard edges) and for conflicting requests queued ahead of it (soft edges).  A cycle with a soft
edge can be cured by reordering that queue; one of hard edges only cannot.  Everything runs on a
copy of the table taken under its lock, so the graph is one moment's truth.
"""

from __future__ import annotations

from dataclasses import dataclass

from pgemu.errors import T_R_DEADLOCK_DETECTED, PgError
from pgemu.storage.locktable import LockState, Waiter
from pgemu.storage.locktag import LOCK_CONFLICTS, LOCK_MODE_NAMES, LockTag, describe_lock_tag

States = dict[LockTag, LockState]


@dataclass(frozen=True, slots=True)
class Edge:
    """waiter waits for blocker at tag; soft: the blocker is only ahead in the queue."""

    waiter: int
    blocker: int
    tag: LockTag
    mode: int
    soft: bool


@dataclass(slots=True)
class Verdict:
    """deadlock: the cycle, from the process that asked on; else the new order of queues."""

    deadlock: list[Edge] | None
    orders: dict[LockTag, list[Waiter]]


def edges_of(states: States, tag: LockTag, waiter: Waiter, queue: list[Waiter]) -> list[Edge]:
    """Whom a process waits for: hard edges first, then soft ones in queue order."""
    conflicts = LOCK_CONFLICTS[waiter.mode]
    state = states[tag]
    hard = [
        Edge(waiter.slot, slot, tag, waiter.mode, False)
        for slot, modes in state.holders.items()
        if slot != waiter.slot and modes & conflicts
    ]
    blocked_by = {edge.blocker for edge in hard}
    soft: list[Edge] = []
    for other in queue:
        if other.slot == waiter.slot:
            break
        if conflicts & 1 << other.mode and other.slot not in blocked_by:
            soft.append(Edge(waiter.slot, other.slot, tag, waiter.mode, True))
    return hard + soft


def blocking_slots(states: States, slot: int) -> list[int]:
    """The processes that keep this one waiting (pg_blocking_pids)."""
    for tag, state in states.items():
        for waiter in state.waiters:
            if waiter.slot == slot:
                return [edge.blocker for edge in edges_of(states, tag, waiter, state.waiters)]
    return []


class DeadlockCheck:
    """One run of the detector for the process in slot `start`."""

    def __init__(self, states: States, start: int) -> None:
        self.states = states
        self.start = start
        self.waits: dict[int, tuple[LockTag, Waiter]] = {
            waiter.slot: (tag, waiter) for tag, state in states.items() for waiter in state.waiters
        }

    def run(self) -> Verdict:
        if self.start not in self.waits:
            return Verdict(None, {})
        return self._check([])

    def _check(self, constraints: list[Edge]) -> Verdict:
        """DeadLockCheckRecurse: constraints say "waiter must come before blocker"."""
        orders = self._expand(constraints)
        if orders is None:
            return Verdict([], {})
        starts = [self.start]
        for edge in constraints:
            starts += [edge.waiter, edge.blocker]
        cycle: list[Edge] | None = None
        for start in starts:
            cycle = self._find_cycle(start, orders)
            if cycle is not None:
                break
        if cycle is None:
            return Verdict(None, orders)
        for edge in reversed(cycle):  # FindLockCycle finds the soft edges in this order
            if edge.soft and len(constraints) < 16:
                verdict = self._check([*constraints, edge])
                if verdict.deadlock is None:
                    return verdict
        return Verdict(cycle, {})

    def _find_cycle(self, start: int, orders: dict[LockTag, list[Waiter]]) -> list[Edge] | None:
        """FindLockCycle: a way from start back to start, depth first."""
        visited: set[int] = set()
        path: list[Edge] = []

        def visit(slot: int) -> bool:
            if slot in visited:
                return slot == start
            visited.add(slot)
            if slot not in self.waits:
                return False
            tag, waiter = self.waits[slot]
            queue = orders.get(tag, self.states[tag].waiters)
            for edge in edges_of(self.states, tag, waiter, queue):
                path.append(edge)
                if visit(edge.blocker):
                    return True
                path.pop()
            return False

        return path if visit(start) else None

    def _expand(self, constraints: list[Edge]) -> dict[LockTag, list[Waiter]] | None:
        """ExpandConstraints: queues reordered, as little as needed; None if impossible."""
        orders: dict[LockTag, list[Waiter]] = {}
        for tag in {edge.tag for edge in constraints}:
            before = [(e.waiter, e.blocker) for e in constraints if e.tag == tag]
            remaining = list(self.states[tag].waiters)
            result: list[Waiter] = []
            while remaining:
                slots = {waiter.slot for waiter in remaining}
                for waiter in reversed(remaining):
                    # Last place: nobody who remains must come after this one.
                    if not any(w == waiter.slot and b in slots for w, b in before):
                        result.insert(0, waiter)
                        remaining.remove(waiter)
                        break
                else:
                    return None
            orders[tag] = result
        return orders


def early_deadlock(state: LockState, slot: int, mode: int) -> list[Edge]:
    """The cycle of a process that wants a mode and the first waiter that blocks it while it waits
    for what the process holds (ProcSleep)."""
    held = state.held_by(slot)
    for waiter in state.waiters:
        if waiter.slot != slot and LOCK_CONFLICTS[waiter.mode] & held:
            return [
                Edge(slot, waiter.slot, state.tag, mode, False),
                Edge(waiter.slot, slot, state.tag, waiter.mode, False),
            ]
    return []


def deadlock_error(cycle: list[Edge], pids: dict[int, int]) -> PgError:
    """PostgreSQL's report (DeadLockReport)."""
    lines = [
        f"Process {pids.get(edge.waiter, 0)} waits for {LOCK_MODE_NAMES[edge.mode]} on "
        f"{describe_lock_tag(edge.tag)}; blocked by process {pids.get(edge.blocker, 0)}."
        for edge in cycle
    ]
    return PgError(
        T_R_DEADLOCK_DETECTED,
        "deadlock detected",
        detail="\n".join(lines),
        hint="See server log for query details.",
    )
