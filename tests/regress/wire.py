"""Wire: a client connection made of pgemu_protocol alone, so that tests see every field sent.

Drivers hide what they do not need (typmods, column numbers, constraint names, parameter
reports); a golden test must not.  Reading never blocks longer than it is told to.
"""

from __future__ import annotations

import select
import socket
import time
from collections import deque
from dataclasses import dataclass
from types import TracebackType
from urllib.parse import parse_qsl, unquote, urlsplit

from pgemu_protocol.backend import (
    BACKEND_MESSAGES,
    AuthenticationOk,
    BackendKeyData,
    ErrorResponse,
    ParameterStatus,
    ReadyForQuery,
    decode_backend,
)
from pgemu_protocol.framing import PQ_LARGE_MESSAGE_LIMIT, FrameReader
from pgemu_protocol.frontend import Query, Terminate
from pgemu_protocol.message import Message
from pgemu_protocol.startup import PROTOCOL_3_0, CancelRequest, StartupMessage

BACKEND_LIMITS = dict.fromkeys([*BACKEND_MESSAGES, b"R"[0]], PQ_LARGE_MESSAGE_LIMIT)
PATIENCE = 30.0


class WireClosed(Exception):
    """The server closed the connection."""


class WireTimeout(Exception):
    """The server said nothing for too long."""


class ServerRefused(Exception):
    """An ErrorResponse where the caller wanted none; fields has it whole."""

    def __init__(self, error: ErrorResponse) -> None:
        self.fields = {key.decode(): value for key, value in error.fields}
        super().__init__(f"{self.fields['C']} {self.fields['M']}")


@dataclass(frozen=True)
class Address:
    """Where a server listens and who asks.  host may be a folder: a Unix socket."""

    host: str
    port: int
    user: str
    database: str

    @classmethod
    def of_dsn(cls, dsn: str) -> Address:
        """Of a URI (postgresql://user@host:port/db?host=/folder) or of `key=value` words."""
        if "://" not in dsn:
            words = dict(word.split("=", 1) for word in dsn.split())
            user = words.get("user", "postgres")
            return cls(
                words.get("host", "127.0.0.1"),
                int(words.get("port", "5432")),
                user,
                words.get("dbname", user),
            )
        parts = urlsplit(dsn)
        extra = dict(parse_qsl(parts.query))
        user = unquote(parts.username or "postgres")
        return cls(
            extra.get("host", parts.hostname or "127.0.0.1"),
            parts.port or int(extra.get("port", "5432")),
            user,
            unquote(parts.path.lstrip("/")) or user,
        )

    def to(self, database: str) -> Address:
        return Address(self.host, self.port, self.user, database)

    @property
    def dsn(self) -> str:
        if self.host.startswith("/"):
            return f"postgresql://{self.user}@/{self.database}?host={self.host}&port={self.port}"
        return f"postgresql://{self.user}@{self.host}:{self.port}/{self.database}"

    def open_socket(self) -> socket.socket:
        if self.host.startswith("/"):
            plug = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            plug.connect(f"{self.host}/.s.PGSQL.{self.port}")
            return plug
        plug = socket.create_connection((self.host, self.port), timeout=PATIENCE)
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return plug


class Wire:
    """One connection.  parameters, process_id and secret_key are what the server reported."""

    def __init__(
        self,
        address: Address,
        *,
        options: dict[str, str] | None = None,
        start: bool = True,
        version: int = PROTOCOL_3_0,
    ) -> None:
        self.address = address
        self.socket = address.open_socket()
        self.frames = FrameReader(BACKEND_LIMITS)
        self.inbox: deque[Message] = deque()
        self.parameters: dict[str, str] = {}
        self.process_id = 0
        self.secret_key = b""
        self.status = ""
        self.greeting: list[Message] = []
        if start:
            self.start(options or {}, version)

    def start(self, options: dict[str, str], version: int = PROTOCOL_3_0) -> None:
        """Send the start-up packet and read up to the first ReadyForQuery."""
        named = {"user": self.address.user, "database": self.address.database, **options}
        self.send(StartupMessage(version, tuple(named.items())))
        while True:
            message = self.receive()
            self.greeting.append(message)
            match message:
                case AuthenticationOk():
                    pass
                case ParameterStatus(name=name, value=value):
                    self.parameters[name] = value
                case BackendKeyData(process_id=process_id, secret_key=key):
                    self.process_id, self.secret_key = process_id, key
                case ReadyForQuery(status=status):
                    self.status = status.decode()
                    return
                case ErrorResponse():
                    self.close()
                    raise ServerRefused(message)
                case _:
                    pass

    def send(self, *messages: Message) -> None:
        self.socket.settimeout(PATIENCE)
        self.socket.sendall(b"".join(message.encode() for message in messages))

    def send_bytes(self, data: bytes) -> None:
        self.socket.settimeout(PATIENCE)
        self.socket.sendall(data)

    def pump(self, timeout: float = 0.0) -> bool:
        """Read what comes within timeout seconds; False if nothing did.  WireClosed at the end."""
        if not select.select([self.socket], [], [], timeout)[0]:
            return False
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError as error:
            raise WireClosed("connection reset") from error
        if not data:
            raise WireClosed("the server closed the connection")
        self.frames.feed(data)
        for kind, payload in self.frames:
            self.inbox.append(decode_backend(kind, payload))
        return True

    def receive(self, timeout: float = PATIENCE) -> Message:
        """The next message, whatever it is."""
        deadline = time.monotonic() + timeout
        while not self.inbox:
            left = deadline - time.monotonic()
            if left <= 0:
                raise WireTimeout(f"nothing in {timeout:.0f} s")
            self.pump(left)
        return self.inbox.popleft()

    def until_ready(self, timeout: float = PATIENCE) -> list[Message]:
        """All messages up to and with the next ReadyForQuery."""
        found: list[Message] = []
        while True:
            message = self.receive(timeout)
            found.append(message)
            if isinstance(message, ReadyForQuery):
                self.status = message.status.decode()
                return found

    def until_closed(self, timeout: float = PATIENCE) -> list[Message]:
        """All messages up to the end of the connection."""
        found: list[Message] = []
        while True:
            try:
                found.append(self.receive(timeout))
            except WireClosed:
                return found

    def ask(self, sql: str, timeout: float = PATIENCE) -> list[tuple[str | None, ...]]:
        """Rows of a simple query as text; ServerRefused on an error."""
        self.send(Query(sql))
        rows: list[tuple[str | None, ...]] = []
        failure: ErrorResponse | None = None
        for message in self.until_ready(timeout):
            if isinstance(message, ErrorResponse):
                failure = message
            values = getattr(message, "values", None)
            if values is not None:
                rows.append(tuple(None if v is None else v.decode() for v in values))
        if failure is not None:
            raise ServerRefused(failure)
        return rows

    def cancel(self) -> None:
        """Send a CancelRequest for this connection, over one of its own."""
        with self.address.open_socket() as plug:
            plug.sendall(CancelRequest(self.process_id, self.secret_key).encode())
            plug.settimeout(PATIENCE)
            plug.recv(1)  # the server closes it once the signal is sent

    def close(self) -> None:
        try:
            self.socket.settimeout(1.0)
            self.socket.sendall(Terminate().encode())
        except OSError:
            pass  # it may be gone already
        self.socket.close()

    def __enter__(self) -> Wire:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
