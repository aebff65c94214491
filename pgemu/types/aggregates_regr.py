"""The two-argument statistics: regr_*, corr, covar_* (PostgreSQL: utils/adt/float.c,
float8_regr_accum)."""

from __future__ import annotations

import math
from collections.abc import Callable

from pgemu.fmgr import pg_aggregate
from pgemu.types.float import PgFloat, float_overflow, from_storage


class Regression:
    """N, Sx, Sxx, Sy, Syy, Sxy by Youngs and Cramer's update."""

    def __init__(self) -> None:
        self.n = 0
        self.sx = self.sxx = self.sy = self.syy = self.sxy = 0.0

    def step(self, stored_y: PgFloat, stored_x: PgFloat) -> None:
        y, x = from_storage(stored_y), from_storage(stored_x)
        old_n, old_sx, old_sy = self.n, self.sx, self.sy
        self.n += 1
        self.sx += x
        self.sy += y
        if old_n > 0:
            tx = x * self.n - self.sx
            ty = y * self.n - self.sy
            scale = 1.0 / (self.n * old_n)
            self.sxx += tx * tx * scale
            self.syy += ty * ty * scale
            self.sxy += tx * ty * scale
            if any(math.isinf(v) for v in (self.sx, self.sxx, self.sy, self.syy, self.sxy)):
                self.overflowed(old_sx, old_sy, x, y)
            return
        if not math.isfinite(x):
            self.sxx = self.sxy = math.nan
        if not math.isfinite(y):
            self.syy = self.sxy = math.nan

    def overflowed(self, old_sx: float, old_sy: float, x: float, y: float) -> None:
        """Overflow out of finite input is an error, out of infinite input gives NaN."""
        x_bad = math.isinf(self.sx) or math.isinf(self.sxx)
        y_bad = math.isinf(self.sy) or math.isinf(self.syy)
        x_finite = not math.isinf(old_sx) and not math.isinf(x)
        y_finite = not math.isinf(old_sy) and not math.isinf(y)
        if (
            (x_bad and x_finite)
            or (y_bad and y_finite)
            or (math.isinf(self.sxy) and x_finite and y_finite)
        ):
            raise float_overflow()
        if math.isinf(self.sxx):
            self.sxx = math.nan
        if math.isinf(self.syy):
            self.syy = math.nan
        if math.isinf(self.sxy):
            self.sxy = math.nan


def slope(r: Regression) -> float | None:
    return None if r.sxx == 0 else r.sxy / r.sxx


def intercept(r: Regression) -> float | None:
    return None if r.sxx == 0 else (r.sy - r.sx * r.sxy / r.sxx) / r.n


def r2(r: Regression) -> float | None:
    if r.sxx == 0:
        return None
    return 1.0 if r.syy == 0 else (r.sxy * r.sxy) / (r.sxx * r.syy)


def corr(r: Regression) -> float | None:
    if r.sxx == 0 or r.syy == 0:
        return None
    product = r.sxx * r.syy
    return r.sxy / (math.sqrt(product) if product == product else math.nan)


Final = Callable[[Regression], float | None]

STATISTICS: dict[str, tuple[int, Final]] = {
    "regr_sxx": (1, lambda r: r.sxx),
    "regr_syy": (1, lambda r: r.syy),
    "regr_sxy": (1, lambda r: r.sxy),
    "regr_avgx": (1, lambda r: r.sx / r.n),
    "regr_avgy": (1, lambda r: r.sy / r.n),
    "regr_slope": (1, slope),
    "regr_intercept": (1, intercept),
    "regr_r2": (1, r2),
    "corr": (1, corr),
    "covar_pop": (1, lambda r: r.sxy / r.n),
    "covar_samp": (2, lambda r: r.sxy / (r.n - 1)),
}


def bind_statistic(name: str, least: int, compute: Final) -> None:
    class Statistic(Regression):
        def final(self) -> PgFloat | None:
            if self.n < least:
                return None
            value = compute(self)
            return "NaN" if value is not None and value != value else value

    pg_aggregate(f"{name}(float8,float8)")(Statistic)


for _name, (_least, _compute) in STATISTICS.items():
    bind_statistic(_name, _least, _compute)


@pg_aggregate("regr_count(float8,float8)")
class RegrCount:
    def __init__(self) -> None:
        self.n = 0

    def step(self, y: PgFloat, x: PgFloat) -> None:
        self.n += 1

    def final(self) -> int:
        return self.n
