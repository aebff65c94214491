"""Connection: one client's socket, buffered both ways.

Counterpart: PostgreSQL's pqcomm.c and the waiting of be-secure.c.  One recv takes as many
pipelined messages as came; what is written waits for flush.  A client that went away is a
ConnectionLost, whoever notices.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from pgemu.errors import PROTOCOL_VIOLATION, PgError
from pgemu_protocol.framing import (
    AUTHENTICATION_LIMITS,
    MESSAGE_LIMITS,
    invalid_message_length,
    invalid_message_type,
    startup_length,
)
from pgemu_protocol.violation import ProtocolViolation

if TYPE_CHECKING:
    import ssl

RECEIVE_SIZE = 65536
COPY_DATA = ord("d")
FLUSH_AT = 65536

Woken = Literal["client", "latch", "timeout"]

_unpack_length = struct.Struct(">I").unpack_from


class ConnectionLost(Exception):
    """The client is gone.  clean: between two messages."""

    def __init__(self, *, clean: bool) -> None:
        super().__init__("unexpected EOF on client connection")
        self.clean = clean


_SAME_STATEMENT = frozenset(b"BDEH")


class Connection:
    """A blocking client socket.  Not to be shared between threads."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.is_local = sock.family == socket.AF_UNIX
        self.limits = MESSAGE_LIMITS
        self.authenticated: tuple[str, str, int] | None = None
        """Who the client has proven to be, the method, the line of pg_hba.conf; for the log."""
        self.tls_endpoint: bytes | None = None
        """Hash of the server's certificate, for channel binding; None without TLS."""
        self._input = b""
        self._at = 0
        self._output: list[bytes] = []
        self._output_size = 0
        self._tls: ssl.SSLSocket | None = None
        self._poll = select.poll()
        self._polled: int | None = None
        if not self.is_local and sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._poll.register(sock.fileno(), select.POLLIN)

    # Who is there.

    @property
    def tls(self) -> bool:
        return self._tls is not None

    def tls_facts(self) -> tuple[str, str, int] | None:
        """Protocol, cipher, bits."""
        cipher = None if self._tls is None else self._tls.cipher()
        return None if cipher is None else (cipher[1], cipher[0], cipher[2])

    def peer(self) -> tuple[str, int] | None:
        """(address, port) of a TCP client."""
        if self.sock.family not in (socket.AF_INET, socket.AF_INET6):
            return None
        try:
            name = self.sock.getpeername()
        except OSError:
            raise ConnectionLost(clean=False) from None
        return name[0], name[1]

    def local_address(self) -> str:
        """The address that a TCP client has connected to."""
        address: str = self.sock.getsockname()[0]
        return address

    def peer_uid(self) -> int | None:
        """The user id of the process on the other end of a Unix socket."""
        if not self.is_local:
            return None
        raw = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        uid: int = struct.unpack("3i", raw)[1]
        return uid

    # Reading.

    def read_message(self, before_receive: Callable[[], None] | None = None) -> tuple[int, bytes]:
        """(type byte, payload) of the next message; waits for it.  before_receive: called when
        nothing is buffered."""
        data, at = self._input, self._at
        have = len(data) - at
        if have < 5:
            if have == 0:
                if before_receive is not None:
                    before_receive()
                data, at = self._receive(RECEIVE_SIZE, True), 0
                self._input, self._at = data, 0
            if data[at] not in self.limits:
                raise self._unexpected(data[at])
            if len(data) - at < 5:
                self._fill(5)
                data, at = self._input, 0
        kind = data[at]
        limit = self.limits.get(kind)
        if limit is None:
            raise self._unexpected(kind)
        (length,) = _unpack_length(data, at + 1)
        if length < 4 or length > limit:
            raise invalid_message_length()
        end = at + 1 + length
        if end > len(data):
            self._fill(length + 1)
            data, at, end = self._input, 0, length + 1
        self._at = end
        return kind, data[at + 5 : end]

    def buffered_copy_data(self) -> list[bytes]:
        """The payloads of the CopyData messages that have come in whole, without waiting."""
        data, at = self._input, self._at
        size = len(data)
        limit = self.limits.get(COPY_DATA, 0)
        found: list[bytes] = []
        while at + 5 <= size and data[at] == COPY_DATA:
            (length,) = _unpack_length(data, at + 1)
            end = at + 1 + length
            if end > size or not 4 <= length <= limit:
                break  # read_message() waits for the rest, or complains
            found.append(data[at + 5 : end])
            at = end
        self._at = at
        return found

    def _unexpected(self, kind: int) -> ProtocolViolation:
        if self.limits is AUTHENTICATION_LIMITS:
            return ProtocolViolation(
                f"expected password response, got message type {kind}", fatal=True
            )
        return invalid_message_type(kind)

    def read_startup(self) -> bytes:
        """The payload of an untyped first packet."""
        if len(self._input) - self._at < 4:
            self._fill(4, clean=len(self._input) == self._at)
        length = startup_length(self._input[self._at : self._at + 4])
        if len(self._input) - self._at < length + 4:
            self._fill(length + 4)
        start = self._at + 4
        self._at = start + length
        return self._input[start : self._at]

    def _fill(self, wanted: int, *, clean: bool = False) -> None:
        """Receive until so many bytes are buffered; they then start at offset 0."""
        rest = self._input[self._at :]
        have = len(rest)
        if have == 0:
            data = self._receive(RECEIVE_SIZE, clean)
            if len(data) >= wanted:
                self._input, self._at = data, 0
                return
            rest, have = data, len(data)
        parts = [rest]
        while have < wanted:
            data = self._receive(max(RECEIVE_SIZE, min(wanted - have, 1 << 20)), False)
            parts.append(data)
            have += len(data)
        self._input, self._at = b"".join(parts), 0

    def _receive(self, size: int, clean: bool) -> bytes:
        try:
            data = self.sock.recv(size)
        except TimeoutError:
            raise
        except OSError:
            # A reset, or a TLS stream cut short: the client went away.
            raise ConnectionLost(clean=clean) from None
        if not data:
            raise ConnectionLost(clean=clean)
        return data

    def has_buffered_input(self) -> bool:
        """Whether reading would find bytes without asking the kernel."""
        if len(self._input) > self._at:
            return True
        return self._tls is not None and self._tls.pending() > 0

    def sync_follows(self, executes: int = 1) -> bool:
        """The next buffered message is a Sync: what runs now is the last before it.  What belongs
        to the same statement, with so many Execute, may stand between."""
        data, at = self._input, self._at
        while at + 5 <= len(data):
            kind = data[at]
            if kind == 83:  # S
                return True
            if kind not in _SAME_STATEMENT:
                return False
            if kind == 69:  # E
                executes -= 1
                if executes < 0:
                    return False
            (length,) = _unpack_length(data, at + 1)
            at += 1 + length
        return False

    def peek(self, size: int) -> bytes:
        """At most so many of the bytes that are buffered."""
        return self._input[self._at : self._at + size]

    def skip(self, length: int) -> None:
        """Pass over buffered messages that have been served."""
        self._at += length

    def wait_for_message(self, latch_fd: int | None, timeout: float | None = None) -> Woken:
        """Wait until the client sent something, the latch is set, or the seconds are over."""
        if self.has_buffered_input():
            return "client"
        return self.sleep(latch_fd, timeout)

    def sleep(self, latch_fd: int | None, timeout: float | None) -> Woken:
        """The same, where nothing is buffered."""
        if latch_fd != self._polled:
            if self._polled is not None:
                self._poll.unregister(self._polled)
            if latch_fd is not None:
                self._poll.register(latch_fd, select.POLLIN)
            self._polled = latch_fd
        ready = self._poll.poll(None if timeout is None else max(0, int(timeout * 1000 + 0.999)))
        if not ready:
            return "timeout"
        # The latch first: an interrupt must not wait behind a client that never stops sending.
        if ready[0][0] == latch_fd or (len(ready) > 1 and ready[1][0] == latch_fd):
            return "latch"
        return "client"

    def readable_within(self, seconds: float) -> bool:
        """The client sends something in that time."""
        return bool(select.select([self.sock], (), (), seconds)[0])

    def is_connected(self) -> bool:
        """Whether the client has not hung up (client_connection_check_interval)."""
        poller = select.poll()
        poller.register(self.sock.fileno(), select.POLLRDHUP)
        return not poller.poll(0)

    # Writing.

    def write(self, data: bytes) -> None:
        """Queue bytes; sent when enough have gathered, or by flush."""
        self._output.append(data)
        self._output_size += len(data)
        if self._output_size >= FLUSH_AT:
            self.flush()

    def flush(self) -> None:
        output = self._output
        if not output:
            return
        data = output[0] if len(output) == 1 else b"".join(output)
        output.clear()
        self._output_size = 0
        try:
            self.sock.sendall(data)
        except TimeoutError:
            raise
        except OSError:
            raise ConnectionLost(clean=False) from None

    def discard_output(self) -> None:
        """Forget what was queued: a statement that failed before anything was sent."""
        self._output.clear()
        self._output_size = 0

    # Life.

    def expect_authentication(self) -> None:
        """Accept only what a client may send before it is authenticated."""
        self.limits = AUTHENTICATION_LIMITS

    def expect_statements(self) -> None:
        self.limits = MESSAGE_LIMITS

    def start_tls(self, context: ssl.SSLContext, endpoint: bytes | None) -> None:
        """Go on in TLS; what came in clear after the request is an attack or a bug."""
        self.refuse_early_data("SSL")
        fileno = self.sock.fileno()
        try:
            self._tls = context.wrap_socket(self.sock, server_side=True)
        except (OSError, ValueError):
            raise ConnectionLost(clean=False) from None
        self.sock = self._tls
        self._poll.unregister(fileno)
        self._poll.register(self.sock.fileno(), select.POLLIN)
        self.tls_endpoint = endpoint

    def refuse_early_data(self, what: str) -> None:
        if len(self._input) > self._at:
            self._at = len(self._input)
            raise PgError(
                PROTOCOL_VIOLATION,
                f"received unencrypted data after {what} request",
                detail="This could be either a client-software bug or evidence of an attempted"
                " man-in-the-middle attack.",
                severity="FATAL",
            )

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.sock.close()
