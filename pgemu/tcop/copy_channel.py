"""The client's end of COPY: CopyData in and out on the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pgemu.errors import QUERY_CANCELED, PgError
from pgemu_protocol.hot import (
    copy_data,
    copy_data_rows,
    copy_in_response,
    copy_out_response,
    decode_copy_fail,
)

if TYPE_CHECKING:
    from pgemu.tcop.postgres import Backend

COPY_DONE = b"c\x00\x00\x00\x04"


class CopyChannel:
    """What pgemu.commands.copy uses as `session.client`."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def begin_copy_in(self, overall_format: int, column_formats: list[int]) -> None:
        connection = self._backend.connection
        connection.write(copy_in_response(overall_format, column_formats))
        connection.flush()

    def read_copy_data(self) -> bytes | None:
        """What the next CopyData messages hold, as many as have come; None at CopyDone.  CopyFail
        is 57014; Flush and Sync are ignored."""
        connection = self._backend.connection
        while True:
            kind, payload = connection.read_message()
            if kind == ord("d"):
                more = connection.buffered_copy_data()
                return b"".join([payload, *more]) if more else payload
            if kind == ord("c"):
                return None
            if kind == ord("f"):
                reason = decode_copy_fail(payload, self._backend.session.client_codec)
                raise PgError(QUERY_CANCELED, f"COPY from stdin failed: {reason}")
            if kind not in b"HS":
                raise PgError(
                    "08P01", f"unexpected message type 0x{kind:02X} during COPY from stdin"
                )

    def begin_copy_out(self, overall_format: int, column_formats: list[int]) -> None:
        self._backend.connection.write(copy_out_response(overall_format, column_formats))

    def send_copy_data(self, data: bytes) -> None:
        self._backend.connection.write(copy_data(data))

    def send_copy_rows(self, rows: list[bytes]) -> None:
        """CopyData for each of many rows, in one piece."""
        self._backend.connection.write(copy_data_rows(rows))

    def end_copy_out(self) -> None:
        self._backend.connection.write(COPY_DONE)
