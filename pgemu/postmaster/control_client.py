"""A small client for our own errands: fixtures, initialization scripts, health checks.

Counterpart of the part of PostgreSQL's libpq that they need: connect over TCP or a Unix socket,
authenticate (trust, password, md5, SCRAM-SHA-256), run simple queries, feed COPY FROM STDIN.
Values come as text.
"""

from __future__ import annotations

import contextlib
import hashlib
import socket
from dataclasses import dataclass, field
from types import TracebackType
from urllib.parse import parse_qs, unquote, urlsplit

from pgemu.errors import PgError
from pgemu_protocol import backend, frontend
from pgemu_protocol.message import Message
from pgemu_protocol.startup import StartupMessage, protocol

Row = tuple[str | None, ...]


@dataclass
class Address:
    """Where a server is and who we are there; host with a slash is a socket folder."""

    host: str = "127.0.0.1"
    port: int = 5432
    user: str = "postgres"
    dbname: str = "postgres"
    password: str | None = None

    @classmethod
    def of_dsn(cls, dsn: str) -> Address:
        """From a postgresql:// URI."""
        parts = urlsplit(dsn)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        user = unquote(parts.username or query.get("user", "postgres"))
        return cls(
            host=unquote(query.get("host", parts.hostname or "127.0.0.1")),
            port=int(query.get("port", parts.port or 5432)),
            user=user,
            dbname=unquote(parts.path.lstrip("/")) or query.get("dbname", user),
            password=unquote(parts.password) if parts.password else query.get("password"),
        )


@dataclass
class Answer:
    """What one simple query brought: the rows of its last statement, and all command tags."""

    rows: list[Row] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


class ControlClient:
    """One connection.  A server's error is raised as PgError; the connection stays usable."""

    def __init__(self, address: Address, timeout: float | None = 30.0) -> None:
        self.address = address
        self.parameters: dict[str, str] = {}
        self.process_id = 0
        self.secret_key = b""
        if "/" in address.host:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._socket.settimeout(timeout)
            where = f"{address.host}/.s.PGSQL.{address.port}"
            try:
                self._socket.connect(where)
            except OSError:
                self._socket.close()
                raise
        else:
            self._socket = socket.create_connection((address.host, address.port), timeout)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb")
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> ControlClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Say goodbye and close."""
        with contextlib.suppress(OSError):  # the server may be faster
            self._send(frontend.Terminate())
        self._file.close()
        self._socket.close()

    def _send(self, message: Message) -> None:
        self._socket.sendall(message.encode())

    def _receive(self) -> Message:
        head = self._file.read(5)
        if len(head) < 5:
            raise ConnectionError("the server closed the connection")
        size = int.from_bytes(head[1:], "big") - 4
        body = self._file.read(size)
        if len(body) < size:
            raise ConnectionError("the server closed the connection")
        return backend.decode_backend(head[0], body)

    # -- start-up --------------------------------------------------------------------------------

    def _start(self) -> None:
        address = self.address
        options = (
            ("user", address.user),
            ("database", address.dbname),
            ("application_name", "pgemu"),
            ("client_encoding", "UTF8"),
        )
        payload = StartupMessage(protocol(3, 0), options).payload()
        self._socket.sendall((len(payload) + 4).to_bytes(4, "big") + payload)
        while True:
            message = self._receive()
            match message:
                case backend.AuthenticationCleartextPassword():
                    self._send(frontend.PasswordMessage(self._password()))
                case backend.AuthenticationMD5Password(salt=salt):
                    inner = hashlib.md5((self._password() + address.user).encode()).hexdigest()
                    outer = hashlib.md5(inner.encode() + bytes(salt)).hexdigest()
                    self._send(frontend.PasswordMessage("md5" + outer))
                case backend.AuthenticationSASL():
                    self._scram()
                case backend.ErrorResponse(fields=fields):
                    raise _error(dict(fields))
                case backend.BackendKeyData(process_id=pid, secret_key=key):
                    self.process_id, self.secret_key = pid, bytes(key)
                case backend.ParameterStatus(name=name, value=value):
                    self.parameters[name] = value
                case backend.ReadyForQuery():
                    return

    def _password(self) -> str:
        if self.address.password is None:
            raise PgError("28P01", "the server asks for a password and none was given")
        return self.address.password

    def _scram(self) -> None:
        from scramp import ScramClient

        client = ScramClient(["SCRAM-SHA-256"], self.address.user, self._password())
        first = client.get_client_first().encode()
        self._send(frontend.SASLInitialResponse("SCRAM-SHA-256", first))
        while True:
            message = self._receive()
            match message:
                case backend.AuthenticationSASLContinue(data=data):
                    client.set_server_first(bytes(data).decode())
                    self._send(frontend.SASLResponse(client.get_client_final().encode()))
                case backend.AuthenticationSASLFinal(data=data):
                    client.set_server_final(bytes(data).decode())
                    return
                case backend.ErrorResponse(fields=fields):
                    raise _error(dict(fields))

    # -- queries ---------------------------------------------------------------------------------

    def query(self, sql: str, copy_data: bytes | None = None) -> Answer:
        """Run a simple query; copy_data is what a COPY FROM STDIN in it gets."""
        self._send(frontend.Query(sql))
        answer = Answer()
        failure: PgError | None = None
        while True:
            message = self._receive()
            match message:
                case backend.RowDescription():
                    answer.rows = []
                case backend.DataRow(values=values):
                    answer.rows.append(
                        tuple(None if v is None else bytes(v).decode() for v in values)
                    )
                case backend.CommandComplete(tag=tag):
                    answer.tags.append(tag)
                case backend.NoticeResponse(fields=fields):
                    found = dict(fields)
                    answer.notices.append(f"{found.get(b'S', '')}:  {found.get(b'M', '')}")
                case backend.CopyInResponse():
                    self._send(frontend.CopyData(copy_data or b""))
                    self._send(frontend.CopyDone())
                case backend.ErrorResponse(fields=fields):
                    failure = _error(dict(fields))
                    if failure.severity != "ERROR":
                        raise failure
                case backend.ReadyForQuery():
                    if failure is not None:
                        raise failure
                    return answer


def quote_identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def is_ready(address: Address, timeout: float = 3.0) -> bool:
    """pg_isready: the server answers a startup packet in a way that is not "cannot connect now"."""
    try:
        ControlClient(address, timeout).close()
    except PgError as error:
        return not error.sqlstate.startswith("57P0")
    except OSError:
        return False
    return True


def _error(coded: dict[bytes, str]) -> PgError:
    fields = {code.decode(): text for code, text in coded.items()}
    severity = fields.get("V", fields.get("S", "ERROR"))
    return PgError(
        fields.get("C", "XX000"),
        fields.get("M", ""),
        detail=fields.get("D"),
        hint=fields.get("H"),
        where=fields.get("W"),
        severity="FATAL" if severity == "FATAL" else "PANIC" if severity == "PANIC" else "ERROR",
    )
