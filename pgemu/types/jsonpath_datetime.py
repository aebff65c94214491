"""jsonpath's datetime values: .datetime(), their text and their comparison (PostgreSQL:
executeDateTimeMethod and compareDatetime in jsonpath_exec.c)."""

from __future__ import annotations

from typing import NamedTuple

from pgemu.errors import FEATURE_NOT_SUPPORTED, PgError
from pgemu.fmgr import CallContext
from pgemu.types.datetime_calendar import USECS_PER_DAY, USECS_PER_SEC, current_tm, local_to_utc
from pgemu.types.datetime_format import encode_time, iso_date, timestamp_encoder
from pgemu.types.formatting_input import parse_datetime
from pgemu.types.timezone import session_zone

NAMES = {
    "date": "date",
    "time": "time without time zone",
    "timetz": "time with time zone",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
}
_CLOCKS = ("HH24:MI:SS", "HH24:MI:SS.US")
_ZONES = ("TZH:TZM", "TZH", "")


def iso_templates(text: str) -> list[str]:
    """The ISO 8601 templates that a text of this shape may follow, PostgreSQL's order."""
    if ":" not in text:
        return ["yyyy-mm-dd"]
    clock = _CLOCKS["." in text]
    dated = "-" in text.partition(":")[0].lstrip("-+ ")
    lead = "" if not dated else 'yyyy-mm-dd"T"' if "T" in text else "yyyy-mm-dd "
    return [lead + clock + zone for zone in _ZONES]


class Datetime(NamedTuple):
    """kind is the short name of the type; value its storage value (timetz: the local time);
    zone the seconds west of UTC that the text gave."""

    kind: str
    value: int
    zone: int = 0

    @classmethod
    def parse(cls, text: str, template: str | None) -> Datetime:
        if template is not None:
            return cls(*parse_datetime(text, template))
        for one in iso_templates(text):
            try:
                return cls(*parse_datetime(text, one))
            except PgError as error:
                if error.sqlstate not in ("22007", "22008", "22009"):
                    raise
        raise PgError(
            "22031",
            f'datetime format is not recognized: "{text}"',
            hint="Use a datetime template argument to specify the input data format.",
        )

    def zone_text(self) -> str:
        sign = "-" if self.zone > 0 else "+"
        minutes = abs(self.zone) // 60
        return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}"

    def text(self) -> str:
        if self.kind == "date":
            return "".join(iso_date(self.value))
        if self.kind == "time":
            return encode_time(self.value)
        if self.kind == "timetz":
            return encode_time(self.value) + self.zone_text()
        local = self.value - self.zone * USECS_PER_SEC
        text = timestamp_encoder("ISO", "YMD")(local).replace(" ", "T", 1)
        return text + self.zone_text() if self.kind == "timestamptz" else text


def need_zone(use_tz: bool, source: str, target: str) -> None:
    if not use_tz:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            f"cannot convert value from {source} to {target} without time zone usage",
            hint="Use *_tz() function for time zone support.",
        )


def compare_datetime(ctx: CallContext, a: Datetime, b: Datetime, use_tz: bool) -> int | None:
    """Below, equal or above 0; None for kinds that cannot be compared."""
    clocks = ("time", "timetz")
    if (a.kind in clocks) != (b.kind in clocks):
        return None
    wanted = max(a.kind, b.kind, key=("date", "time", "timestamp", "timetz", "timestamptz").index)
    x, y = (instant(ctx, one, wanted, use_tz) for one in (a, b))
    return (x > y) - (x < y)


def instant(ctx: CallContext, one: Datetime, wanted: str, use_tz: bool) -> tuple[int, int]:
    """A value in the type `wanted`, as a pair that orders."""
    if one.kind == wanted:
        if wanted == "timetz":
            return one.value + one.zone * USECS_PER_SEC, one.zone
        return one.value, 0
    if wanted == "timetz":
        need_zone(use_tz, "time", "timetz")
        now = current_tm(ctx)
        now.set_time(one.value)
        zone = -session_zone(ctx).local_offset(now.local_seconds())[0]
        return one.value + zone * USECS_PER_SEC, zone
    value = one.value * USECS_PER_DAY if one.kind == "date" else one.value
    if wanted == "timestamptz":
        need_zone(use_tz, one.kind, wanted)
        value = local_to_utc(value, session_zone(ctx))
    return value, 0
