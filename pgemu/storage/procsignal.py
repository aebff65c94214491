"""Signals between backends: cancel, terminate.

Counterpart of PostgreSQL's procsignal.c and of the end of postmaster.c's processCancelRequest.
The reason is posted in the target's INTERRUPT word before the signal is sent; the target's handler
only notes that there is something to look at.
"""

from __future__ import annotations

import os
import signal

from pgemu.storage.procarray import (
    INTERRUPT,
    INTERRUPT_CANCEL,
    INTERRUPT_TERMINATE,
    Slot,
)
from pgemu.storage.shmem import SharedMemory


def process_cancel_request(shm: SharedMemory, pid: int, key: bytes) -> bool:
    """A CancelRequest came in: signal the backend if the key is right.  The client is told
    nothing either way."""
    slot = shm.procarray.find_by_cancel_key(pid, key)
    return slot is not None and send_interrupt(slot, INTERRUPT_CANCEL, signal.SIGINT)


def cancel_backend(shm: SharedMemory, pid: int) -> bool:
    """pg_cancel_backend; False if there is no such backend."""
    slot = shm.procarray.find_by_pid(pid)
    return slot is not None and send_interrupt(slot, INTERRUPT_CANCEL, signal.SIGINT)


def terminate_backend(shm: SharedMemory, pid: int) -> bool:
    """pg_terminate_backend; False if there is no such backend."""
    slot = shm.procarray.find_by_pid(pid)
    return slot is not None and send_interrupt(slot, INTERRUPT_TERMINATE, signal.SIGTERM)


def send_interrupt(slot: Slot, reason: int, number: signal.Signals) -> bool:
    """Post the reason and send the signal; False if the process is gone."""
    pid = slot.pid
    slot.words[INTERRUPT] |= reason
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True
