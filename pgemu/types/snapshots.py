"""pg_snapshot and txid_snapshot: I/O and their functions (PostgreSQL: utils/adt/xid8funcs.c).

Storage: the canonical text `xmin:xmax:xip,xip`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, NamedTuple

from pgemu.errors import INVALID_BINARY_REPRESENTATION, INVALID_TEXT_REPRESENTATION, PgError
from pgemu.fmgr import CallContext, pg_function
from pgemu.nodes.primnodes import Value
from pgemu.types.base import BaseType, register_type
from pgemu.types.comparison import load_unsigned
from pgemu.types.pqformat import Message

MAX_XID = (1 << 63) - 1
MAX_XIDS = (0x3FFFFFFF - 32) // 8


class Snapshot(NamedTuple):
    xmin: int
    xmax: int
    xip: list[int]


def split_snapshot(value: str) -> Snapshot:
    xmin, xmax, running = value.split(":")
    return Snapshot(int(xmin), int(xmax), [int(x) for x in running.split(",") if x])


def snapshot_text(snapshot: Snapshot) -> str:
    return f"{snapshot.xmin}:{snapshot.xmax}:{','.join(map(str, snapshot.xip))}"


def number(text: str, at: int) -> tuple[int, int]:
    """strtoull: (value, end)."""
    end = at
    while end < len(text) and text[end].isdigit():
        end += 1
    return (int(text[at:end]) if end > at else 0), end


def parse_snapshot(text: str) -> Snapshot | None:
    """None where parse_snapshot goes to bad_format."""
    xmin, at = number(text, 0)
    if text[at : at + 1] != ":":
        return None
    xmax, at = number(text, at + 1)
    if text[at : at + 1] != ":":
        return None
    at += 1
    if not 0 < xmin <= xmax or xmax > MAX_XID:
        return None
    running: list[int] = []
    last = 0
    while at < len(text):
        value, at = number(text, at)
        if value < xmin or value >= xmax or value < last:
            return None
        if value != last:
            running.append(value)
        last = value
        if text[at : at + 1] == ",":
            at += 1
        elif at < len(text):
            return None
    return Snapshot(xmin, xmax, running)


class SnapshotType(BaseType):
    def __init__(self, name: str) -> None:
        self.name = name

    def input(self, text: str, typmod: int, ctx: CallContext) -> Value:
        found = parse_snapshot(text)
        if found is None:
            raise PgError(
                INVALID_TEXT_REPRESENTATION,
                f'invalid input syntax for type pg_snapshot: "{text}"',
            )
        return snapshot_text(found)

    def send(self, value: Any, ctx: CallContext) -> bytes:
        found = split_snapshot(value)
        numbers = (found.xmin, found.xmax, *found.xip)
        return len(found.xip).to_bytes(4, "big") + b"".join(n.to_bytes(8, "big") for n in numbers)

    def recv(self, data: bytes, typmod: int, ctx: CallContext) -> Value:
        message = Message(data)
        count = message.integer(4)
        if not 0 <= count <= MAX_XIDS:
            raise PgError(INVALID_BINARY_REPRESENTATION, "invalid external pg_snapshot data")
        numbers = [message.integer(8, signed=False) for _ in range(count + 2)]
        message.end()
        text = f"{':'.join(map(str, numbers[:2]))}:{','.join(map(str, numbers[2:]))}"
        found = parse_snapshot(text)
        if found is None:
            raise PgError(INVALID_BINARY_REPRESENTATION, "invalid external pg_snapshot data")
        return snapshot_text(found)


register_type(SnapshotType("pg_snapshot"), SnapshotType("txid_snapshot"))


def running(value: str) -> Iterator[int]:
    yield from split_snapshot(value).xip


def visible(xid: int | str, value: str) -> bool:
    """is_visible_fxid."""
    xid = load_unsigned(xid)
    snapshot = split_snapshot(value)
    if xid < snapshot.xmin:
        return True
    if xid >= snapshot.xmax:
        return False
    at = bisect_left(snapshot.xip, xid)
    return at == len(snapshot.xip) or snapshot.xip[at] != xid


for _prefix, _xid in (("pg", "xid8"), ("txid", "int8")):
    pg_function(f"{_prefix}_snapshot_xmin({_prefix}_snapshot)")(lambda v: split_snapshot(v).xmin)
    pg_function(f"{_prefix}_snapshot_xmax({_prefix}_snapshot)")(lambda v: split_snapshot(v).xmax)
    pg_function(f"{_prefix}_snapshot_xip({_prefix}_snapshot)")(running)
    pg_function(f"{_prefix}_visible_in_snapshot({_xid},{_prefix}_snapshot)")(visible)
