"""HeldRows of several processes; here each is an object with descriptors of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pgemu.storage.heldrows import HeldRows, row_address
from pgemu.storage.latch import Latch
from pgemu.storage.writerlock import WriterLock


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[list[HeldRows]]:
    found = [HeldRows(str(tmp_path / "5.lock")) for _ in range(3)]
    yield found
    for one in found:
        one.close()


def test_a_row_has_one_holder(rows: list[HeldRows]) -> None:
    one, two, _ = rows
    first, second = row_address(16400, 7), row_address(16400, 8)
    assert one.begin(1) and two.begin(2)
    assert one.take(first) and one.take(first)
    assert not two.take(first)
    assert two.take(second)
    one.end()
    assert two.take(first)
    two.end()


def test_nobody_begins_while_somebody_asks(rows: list[HeldRows]) -> None:
    one, two, asker = rows
    assert not one.maybe_others()
    assert one.begin(1)
    assert asker.maybe_others() and not asker.nobody()
    with asker.asking():
        assert one.asked()
        assert not two.begin(2)
    assert not one.asked()
    assert two.begin(2)
    for holder in (one, two):
        holder.end()
    assert asker.nobody()
    assert not one.maybe_others()


def test_the_waiter_is_woken(rows: list[HeldRows], tmp_path: Path) -> None:
    one, two, _ = rows
    latch = Latch(str(tmp_path), 2)
    address = row_address(16400, 7)
    assert one.begin(1) and two.begin(2)
    assert one.take(address)
    timer = threading.Timer(0.005, one.end)
    timer.start()
    assert two.wait_for_row(address, latch.sleep, lambda: None)
    timer.join()
    assert one.begin(1)
    assert not one.wait_for_row(address, lambda s: time.sleep(s), lambda: None)
    latch.close()


def test_an_ordinary_writer_waits_until_all_have_written(tmp_path: Path) -> None:
    holder, writer = (WriterLock(str(tmp_path / "5.lock")) for _ in range(2))
    latch = Latch(str(tmp_path), 3)
    with holder:
        assert holder.holders.begin(3)
    order: list[str] = []

    def write() -> None:
        with writer:
            order.append("written")

    thread = threading.Thread(target=write)
    thread.start()
    assert latch.wait(10)  # it was asked
    holder.acquire_uninterrupted()
    order.append("held written")
    holder.holders.end()
    holder.release()
    thread.join(10)
    assert order == ["held written", "written"]
    for lock in (holder, writer):
        lock.close()
    latch.close()
