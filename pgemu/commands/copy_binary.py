"""The binary format of COPY FROM: the header, then counted fields (CopyReadBinaryHeader ...)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pgemu.errors import BAD_COPY_FILE_FORMAT, PgError
from pgemu.nodes.primnodes import Value

SIGNATURE = b"PGCOPY\n\xff\r\n\x00"
_COUNT, _SIZE = struct.Struct(">h"), struct.Struct(">i")


class _Bytes:
    """A stream of blocks that is read by length."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._data = b""
        self._at = 0

    def take(self, size: int) -> bytes:
        """So many bytes, or what is left."""
        while len(self._data) - self._at < size:
            block = next(self._blocks, None)
            if block is None:
                break
            self._data = self._data[self._at :] + block
            self._at = 0
        found = self._data[self._at : self._at + size]
        self._at += len(found)
        return found


def _header(data: _Bytes) -> None:
    if data.take(11) != SIGNATURE:
        raise PgError(BAD_COPY_FILE_FORMAT, "COPY file signature not recognized")
    flags = data.take(4)
    if len(flags) < 4:
        raise PgError(BAD_COPY_FILE_FORMAT, "invalid COPY file header (missing flags)")
    number = int.from_bytes(flags, "big")
    if number & 1 << 16:
        raise PgError(BAD_COPY_FILE_FORMAT, "invalid COPY file header (WITH OIDS)")
    if number >> 16:
        raise PgError(BAD_COPY_FILE_FORMAT, "unrecognized critical flags in COPY file header")
    length = data.take(4)
    if len(length) < 4 or _SIZE.unpack(length)[0] < 0:
        raise PgError(BAD_COPY_FILE_FORMAT, "invalid COPY file header (missing length)")
    size = _SIZE.unpack(length)[0]
    if len(data.take(size)) < size:
        raise PgError(BAD_COPY_FILE_FORMAT, "invalid COPY file header (wrong length)")


def binary_rows(
    blocks: Iterable[bytes],
    names: list[str],
    readers: list[Callable[[bytes], Value]],
) -> Iterator[tuple[int, list[Any]]]:
    """(number, values) of every row."""
    data = _Bytes(blocks)
    _header(data)
    width = len(names)
    number = 0
    while True:
        number += 1
        head = data.take(2)
        if len(head) < 2:
            return  # without a trailer: old clients do that
        count = _COUNT.unpack(head)[0]
        if count == -1:
            if data.take(1):
                raise _at(
                    PgError(BAD_COPY_FILE_FORMAT, "received copy data after EOF marker"), number
                )
            return
        if count != width:
            raise _at(
                PgError(BAD_COPY_FILE_FORMAT, f"row field count is {count}, expected {width}"),
                number,
            )
        yield (
            number,
            [_field(data, name, read, number) for name, read in zip(names, readers, strict=True)],
        )


def _at(error: PgError, number: int, column: str = "") -> PgError:
    error.add_context(f"\x00line {number}" + (f", column {column}" if column else ""))
    return error


def _field(data: _Bytes, name: str, read: Callable[[bytes], Value], number: int) -> Value:
    head = data.take(4)
    if len(head) < 4:
        raise _at(PgError(BAD_COPY_FILE_FORMAT, "unexpected EOF in COPY data"), number, name)
    size = _SIZE.unpack(head)[0]
    if size == -1:
        return None
    if size < 0:
        raise _at(PgError(BAD_COPY_FILE_FORMAT, "invalid field size"), number, name)
    value = data.take(size)
    if len(value) < size:
        raise _at(PgError(BAD_COPY_FILE_FORMAT, "unexpected EOF in COPY data"), number, name)
    try:
        return read(value)
    except PgError as error:
        raise _at(error, number, name) from None
