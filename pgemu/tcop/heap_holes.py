"""Closing the holes of the heaps before the process forks.

Nothing in PostgreSQL corresponds to it.  What is imported and thrown away leaves free chunks all
over malloc's heap and CPython's pools.  A child that fills them writes to a page here and a page
there, and each becomes its own copy: several times the memory that it asked for.  Chunks that
nobody frees in the holes send the children to fresh memory.  On other C libraries than glibc only
CPython's pools are filled.
"""

from __future__ import annotations

import ctypes

SIZES = (32_768, 8192, 4096, 2048, 1024, 768, 512, 384, 256, 192, 128, 96, 80, 64, 48, 40, 24)
"""From large to small, so that the large ones do not cut up what small ones would fit."""
LIMIT = 16 << 20
POOL = 16_384
"""CPython's pools: objects of one size up to 512 bytes, in steps of 16; the first one of a pool
stands behind a header of 48 bytes."""


class _Mallinfo(ctypes.Structure):
    """struct mallinfo2: the last word is the size of the chunk at the heap's end."""

    _fields_ = (("counters", ctypes.c_size_t * 9), ("keepcost", ctypes.c_size_t))


def fill_holes() -> list[object]:
    """Fill what is free below the end of the heaps.  The result is to be kept."""
    _fill_heap()
    return _fill_pools()


def _fill_pools() -> list[object]:
    """Objects of every size, until fresh pools are begun."""
    kept: list[object] = []
    for size in range(16, 513, 16):
        fresh = 0
        while fresh < 3 and len(kept) < LIMIT // 64:
            one = object() if size == 16 else complex(size, 1) if size == 32 else bytes(size - 33)
            fresh += id(one) % POOL == 48
            kept.append(one)
    return kept


def _fill_heap() -> None:
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallinfo2") or not hasattr(libc, "sbrk"):
        return
    malloc, free = libc.malloc, libc.free
    malloc.restype, malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    free.restype, free.argtypes = None, [ctypes.c_void_p]
    libc.sbrk.restype, libc.mallinfo2.restype = ctypes.c_void_p, _Mallinfo
    end = libc.sbrk(0) - libc.mallinfo2().keepcost - 4096
    beyond: list[int] = []
    for size in SIZES:
        for _ in range(LIMIT // size):
            at = malloc(size)
            if at is None or at >= end:
                beyond.append(at or 0)
                break
    for at in beyond:
        free(at)
