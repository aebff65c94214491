"""random() and setseed() (PostgreSQL: common/pg_prng.c, utils/adt/float.c).

The generator is PostgreSQL 15's xoroshiro128**, so that a seeded sequence is the same as there.
The state belongs to the session: it hangs on the call context.
"""

from __future__ import annotations

import math
import os

from pgemu.errors import INVALID_PARAMETER_VALUE, PgError
from pgemu.fmgr import CallContext, pg_function
from pgemu.types.float import PgFloat, shortest_float8

MASK = (1 << 64) - 1


def splitmix64(state: int) -> tuple[int, int]:
    """(new state, output)."""
    state = (state + 0x9E3779B97F4A7C15) & MASK
    value = state
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return state, value ^ (value >> 31)


def rotl(value: int, bits: int) -> int:
    return ((value << bits) | (value >> (64 - bits))) & MASK


class Prng:
    """xoroshiro128**: two words of state."""

    def __init__(self) -> None:
        self.s0 = int.from_bytes(os.urandom(8), "big")
        self.s1 = int.from_bytes(os.urandom(8), "big") | 1

    def seed(self, seed: int) -> None:
        state, self.s0 = splitmix64(seed & MASK)
        state, self.s1 = splitmix64(state)
        if self.s0 == 0 and self.s1 == 0:
            self.s0, self.s1 = 0x5851F42D4C957F2D, 0x14057B7EF767814F

    def next(self) -> int:
        s0, sx = self.s0, self.s1 ^ self.s0
        value = (rotl((s0 * 5) & MASK, 7) * 9) & MASK
        self.s0 = rotl(s0, 24) ^ sx ^ ((sx << 16) & MASK)
        self.s1 = rotl(sx, 37)
        return value

    def double(self) -> float:
        """Uniform in [0, 1)."""
        return math.ldexp(self.next() >> 12, -52)


def session_prng(ctx: CallContext) -> Prng:
    state = vars(ctx).get("prng")
    if not isinstance(state, Prng):
        state = Prng()
        vars(ctx)["prng"] = state
    return state


@pg_function("random() -> float8", context=True)
def drandom(ctx: CallContext) -> float:
    return session_prng(ctx).double()


@pg_function("setseed(float8) -> void", context=True)
def setseed(ctx: CallContext, seed: PgFloat) -> str:
    if isinstance(seed, str) or not -1 <= seed <= 1:
        text = seed if isinstance(seed, str) else shortest_float8(seed)
        raise PgError(
            INVALID_PARAMETER_VALUE,
            f"setseed parameter {text} is out of allowed range [-1,1]",
        )
    session_prng(ctx).seed(int(0x000FFFFFFFFFFFFF * float(seed)))
    return ""
