"""Aggregates over numbers, booleans and bits (PostgreSQL: the transition functions in
utils/adt/numeric.c, float.c, int8.c, bool.c, varbit.c).

Each is a class with step and final; inverse serves moving window frames.  final never destroys
the state, so that a running window aggregate may call it at every row.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from functools import reduce
from operator import add
from typing import Any

from pgemu.fmgr import pg_aggregate
from pgemu.types.float import PgFloat, float_overflow, round_to_single
from pgemu.types.integers import INT8
from pgemu.types.numeric import checked_pack, pack, unpack
from pgemu.types.numeric_math import sqrt_at
from pgemu.types.numeric_ops import EXACT, finished, finite_div, quotient_at, select_div_scale

INF = math.inf
# values below it have squared deviations that cannot overflow, however many there are
SAFE_TO_SQUARE = 1e100


@pg_aggregate("count()", strict=False)
@pg_aggregate("count(any)")
class Count:
    def __init__(self) -> None:
        self.count = 0

    def step(self, *args: Any) -> None:
        self.count += 1

    def inverse(self, *args: Any) -> None:
        self.count -= 1

    def final(self) -> int:
        return self.count


@pg_aggregate("sum(int2)", "sum(int4)", "sum(money)")
class SumInteger:
    """sum whose result is an int8 (or money)."""

    def __init__(self) -> None:
        self.count = 0
        self.total = 0

    def step(self, value: int) -> None:
        self.count += 1
        self.total += value

    def inverse(self, value: int) -> None:
        self.count -= 1
        self.total -= value

    def final(self) -> int | str | None:
        return INT8.checked(self.total) if self.count else None


@pg_aggregate("sum(int8)")
class SumBigint(SumInteger):
    def final(self) -> str | None:
        return str(self.total) if self.count else None


@pg_aggregate("avg(int2)", "avg(int4)", "avg(int8)")
class AvgInteger(SumInteger):
    def final(self) -> str | None:
        return finite_div(self.total, 0, self.count, 0) if self.count else None


class NumericState:
    """NumericAggState: finite values as one scaled integer, the others counted."""

    def __init__(self) -> None:
        self.count = 0
        self.total = 0
        self.scale = 0
        self.scales: dict[int, int] = {}
        self.specials = {"NaN": 0, "Infinity": 0, "-Infinity": 0}

    def step(self, value: str) -> None:
        try:
            unscaled, scale = unpack(value)
        except ValueError:
            self.specials[value] += 1
            return
        self.count += 1
        if scale != self.scale:
            unscaled = self.align(unscaled, scale)
        self.total += unscaled
        self.scales[scale] = self.scales.get(scale, 0) + 1

    def align(self, unscaled: int, scale: int) -> int:
        if scale > self.scale:
            self.rescale(10 ** (scale - self.scale))
            self.scale = scale
            return unscaled
        return unscaled * int(10 ** (self.scale - scale))

    def rescale(self, factor: int) -> None:
        self.total *= factor

    def inverse(self, value: str) -> None:
        try:
            unscaled, scale = unpack(value)
        except ValueError:
            self.specials[value] -= 1
            return
        self.count -= 1
        self.total -= unscaled * int(10 ** (self.scale - scale))
        self.scales[scale] -= 1

    def display_scale(self) -> int:
        """The largest scale among the values still in the frame."""
        if not self.scales.get(self.scale):
            return max((s for s, n in self.scales.items() if n), default=0)
        return self.scale

    def seen(self) -> int:
        return self.count + sum(self.specials.values())

    def special(self) -> str | None:
        """The sum of the values that are not finite, if there are any."""
        plus, minus = self.specials["Infinity"], self.specials["-Infinity"]
        if self.specials["NaN"] or (plus and minus):
            return "NaN"
        if plus:
            return "Infinity"
        return "-Infinity" if minus else None

    def scaled_total(self) -> tuple[int, int]:
        scale = self.display_scale()
        return self.total // int(10 ** (self.scale - scale)), scale


class BatchedState(NumericState):
    """A sum whose values, where they only ever are added, are kept as text and added up a few
    thousand at a time in C, which costs a fraction of adding each when it comes."""

    BATCH = 4096

    def __init__(self) -> None:
        super().__init__()
        self.pending: list[str] = []

    def stepper(self) -> Callable[[None, str | None], None]:
        """The step function of a plain aggregate: one call per row, NULLs left out."""
        pending, full, flush = self.pending, self.BATCH, self.flush

        def step(_none: None, value: str | None) -> None:
            if value is not None:
                pending.append(value)
                if len(pending) == full:
                    flush()

        return step

    def only_batch(self) -> Decimal | None:
        """The sum where one batch is all there was and its values are finite."""
        if self.count or not self.pending:
            return None
        total = reduce(EXACT.add, map(Decimal, self.pending))
        return total if total.is_finite() else None

    def flush(self) -> None:
        pending = self.pending
        total = reduce(EXACT.add, map(Decimal, pending))
        if total.is_finite():
            scale = -int(total.as_tuple().exponent)
            unscaled = int(total.scaleb(scale, EXACT))
            if scale != self.scale:
                unscaled = self.align(unscaled, scale)  # which may rescale self.total
            self.total += unscaled
            self.count += len(pending)
            self.scales[scale] = self.scales.get(scale, 0) + len(pending)
        else:
            for value in pending:
                self.step(value)
        pending.clear()

    def seen(self) -> int:
        if self.pending:
            self.flush()
        return super().seen()


@pg_aggregate("sum(numeric)")
class SumNumeric(BatchedState):
    def final(self) -> str | None:
        total = self.only_batch()
        if total is not None:
            return finished(total)
        if not self.seen():
            return None
        return self.special() or checked_pack(*self.scaled_total())


@pg_aggregate("avg(numeric)")
class AvgNumeric(BatchedState):
    def final(self) -> str | None:
        total = self.only_batch()
        if total is not None:
            return finite_div(*unpack(finished(total)), len(self.pending), 0)
        if not self.seen():
            return None
        return self.special() or finite_div(*self.scaled_total(), self.count, 0)


class NumericVariance(NumericState):
    """sum and sum of squares; sample and root say which of the four statistics it is."""

    sample = True
    root = False

    def __init__(self) -> None:
        super().__init__()
        self.squares = 0

    def rescale(self, factor: int) -> None:
        self.total *= factor
        self.squares *= factor * factor

    def step(self, value: Any) -> None:
        try:
            unscaled, scale = unpack(value) if isinstance(value, str) else (value, 0)
        except ValueError:
            self.specials[value] += 1
            return
        self.count += 1
        if scale != self.scale:
            unscaled = self.align(unscaled, scale)
        self.total += unscaled
        self.squares += unscaled * unscaled
        self.scales[scale] = self.scales.get(scale, 0) + 1

    def inverse(self, value: Any) -> None:
        try:
            unscaled, scale = unpack(value) if isinstance(value, str) else (value, 0)
        except ValueError:
            self.specials[value] -= 1
            return
        self.count -= 1
        unscaled *= int(10 ** (self.scale - scale))
        self.total -= unscaled
        self.squares -= unscaled * unscaled
        self.scales[scale] -= 1

    def final(self) -> str | None:
        """numeric_stddev_internal."""
        n = self.seen()
        if n <= (1 if self.sample else 0):
            return None
        if self.special() is not None:
            return "NaN"
        total, scale = self.scaled_total()
        squares = self.squares // int(100 ** (self.scale - scale))
        numerator = n * squares - total * total
        if numerator <= 0:
            return "0"
        divisor = n * (n - 1) if self.sample else n * n
        result_scale = select_div_scale(numerator, 2 * scale, divisor, 0)
        variance = quotient_at(numerator, 2 * scale, divisor, 0, result_scale)
        if self.root:
            return sqrt_at(variance, result_scale, result_scale)
        return pack(variance, result_scale)


class BatchedFloats:
    """Collects the values of a plain aggregate, so that a few thousand at a time are added up in
    row order by one loop in C (functools.reduce: builtin sum compensates rounding errors)."""

    BATCH = 4096

    def __init__(self) -> None:
        self.pending: list[Any] = []

    def stepper(self) -> Callable[[None, PgFloat | None], None]:
        """The step function of a plain aggregate: one call per row, NULLs left out."""
        pending, full, flush = self.pending, self.BATCH, self.flush

        def step(_none: None, value: PgFloat | None) -> None:
            if value is not None:
                pending.append(value)
                if len(pending) == full:
                    flush()

        return step

    def flush(self) -> None:
        if self.pending and not self.add_batch(self.pending):
            for value in self.pending:
                self.step(value)
        self.pending.clear()

    def add_batch(self, values: list[Any]) -> bool:
        """Add all values at once; False: they have to be looked at one by one."""
        return False

    def step(self, value: PgFloat) -> None:
        raise NotImplementedError


class FloatSum(BatchedFloats):
    """sum(float8): plain addition in row order; no inverse, as in PostgreSQL."""

    single = False

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.total: PgFloat = 0.0

    def add_batch(self, values: list[Any]) -> bool:
        if self.single or self.total == "NaN":
            return False
        try:
            total = reduce(add, values, self.total) if self.count else reduce(add, values)
        except TypeError:  # a NaN, which is stored as text
            return False
        if type(total) is not float or not math.isfinite(total):
            return False
        self.total = total
        self.count += len(values)
        return True

    def step(self, value: PgFloat) -> None:
        self.count += 1
        if self.total == "NaN" or isinstance(value, str):
            self.total = "NaN"
            return
        if self.count == 1:
            self.total = value
            return
        old = float(self.total)
        total = old + value
        if self.single:
            total = round_to_single(total)
        if math.isinf(total) and math.isfinite(old) and math.isfinite(value):
            raise float_overflow()
        self.total = "NaN" if total != total else total

    def final(self) -> PgFloat | None:
        self.flush()
        return self.total if self.count else None


pg_aggregate("sum(float8)")(FloatSum)


@pg_aggregate("sum(float4)")
class SingleSum(FloatSum):
    single = True


class FloatMoments(BatchedFloats):
    """float8_accum: Youngs and Cramer's update of N, sum and sum of squared deviations."""

    def __init__(self) -> None:
        super().__init__()
        self.n = 0
        self.sx = 0.0
        self.sxx = 0.0

    def step(self, stored: PgFloat) -> None:
        value = math.nan if isinstance(stored, str) else stored
        old_n, old_sx = self.n, self.sx
        self.n += 1
        self.sx += value
        if old_n > 0:
            deviation = value * self.n - self.sx
            self.sxx += deviation * deviation / (self.n * old_n)
            if math.isinf(self.sx) or math.isinf(self.sxx):
                if not math.isinf(old_sx) and not math.isinf(value):
                    raise float_overflow()
                self.sxx = math.nan
        elif math.isnan(value) or math.isinf(value):
            self.sxx = math.nan


def stored(value: float) -> PgFloat:
    return "NaN" if value != value else value


@pg_aggregate("avg(float4)", "avg(float8)")
class AvgFloat(FloatMoments):
    def add_batch(self, values: list[Any]) -> bool:
        """The squares matter only in that they may overflow."""
        try:
            if not -SAFE_TO_SQUARE < min(values) <= max(values) < SAFE_TO_SQUARE:
                return False
        except TypeError:  # a NaN, which is stored as text
            return False
        self.sx = reduce(add, values, self.sx)
        self.n += len(values)
        return True

    def final(self) -> PgFloat | None:
        self.flush()
        return stored(self.sx / self.n) if self.n else None


class FloatVariance(FloatMoments):
    sample = True
    root = False

    def add_batch(self, values: list[Any]) -> bool:
        n, sx, sxx = self.n, self.sx, self.sxx
        rest = iter(values)
        try:
            if not n:
                n, sx = 1, sx + next(rest)
                if not math.isfinite(sx):
                    return False
            for value in rest:
                old_n = n
                n += 1
                sx += value
                deviation = value * n - sx
                sxx += deviation * deviation / (n * old_n)
        except TypeError:  # a NaN, which is stored as text
            return False
        if not math.isfinite(sx) or not math.isfinite(sxx):
            return False
        self.n, self.sx, self.sxx = n, sx, sxx
        return True

    def final(self) -> PgFloat | None:
        self.flush()
        if self.n <= (1 if self.sample else 0):
            return None
        variance = self.sxx / (self.n - 1 if self.sample else self.n)
        if self.root and variance == variance:
            return math.sqrt(variance)
        return stored(variance)


for _names, _sample, _root in (
    (("variance", "var_samp"), True, False),
    (("var_pop",), False, False),
    (("stddev", "stddev_samp"), True, True),
    (("stddev_pop",), False, True),
):
    _members = {"sample": _sample, "root": _root}
    _numeric = type("NumericVariance_" + _names[0], (NumericVariance,), _members)
    _float = type("FloatVariance_" + _names[0], (FloatVariance,), _members)
    for _name in _names:
        for _type in ("int2", "int4", "int8", "numeric"):
            pg_aggregate(f"{_name}({_type})")(_numeric)
        for _type in ("float4", "float8"):
            pg_aggregate(f"{_name}({_type})")(_float)


@pg_aggregate("bool_and(bool)", "every(bool)")
class BoolAnd:
    def __init__(self) -> None:
        self.true = 0
        self.count = 0

    def step(self, value: Any) -> None:
        self.count += 1
        self.true += bool(value)

    def inverse(self, value: Any) -> None:
        self.count -= 1
        self.true -= bool(value)

    def final(self) -> bool | None:
        return self.true == self.count if self.count else None


@pg_aggregate("bool_or(bool)")
class BoolOr(BoolAnd):
    def final(self) -> bool | None:
        return self.true > 0 if self.count else None


class BitAggregate:
    """bit_and, bit_or, bit_xor over integers."""

    def __init__(self) -> None:
        self.state: int | None = None

    def combine(self, a: int, b: int) -> int:
        raise NotImplementedError

    def step(self, value: int) -> None:
        self.state = value if self.state is None else self.combine(self.state, value)

    def final(self) -> int | None:
        return self.state


@pg_aggregate("bit_and(int2)", "bit_and(int4)", "bit_and(int8)")
class BitAnd(BitAggregate):
    def combine(self, a: int, b: int) -> int:
        return a & b


@pg_aggregate("bit_or(int2)", "bit_or(int4)", "bit_or(int8)")
class BitOr(BitAggregate):
    def combine(self, a: int, b: int) -> int:
        return a | b


@pg_aggregate("bit_xor(int2)", "bit_xor(int4)", "bit_xor(int8)")
class BitXor(BitAggregate):
    def combine(self, a: int, b: int) -> int:
        return a ^ b
