"""A server of one connection: first packets, authentication, an empty session, no SQL."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from types import TracebackType

from pgemu.errors import PgError
from pgemu.guc import Settings
from pgemu.libpq import Connection, ConnectionLost
from pgemu.libpq.auth import LookupRole, RoleAuth, authenticate
from pgemu.libpq.crypt import md5_verifier, scram_verifier
from pgemu.libpq.hba import parse_hba
from pgemu.libpq.report import as_fatal, send_error, violation_error
from pgemu.libpq.startup import StartupParams, TlsServer, UnsupportedProtocol, negotiate
from pgemu.libpq.tls import load_tls, make_certificate
from pgemu_protocol import (
    EMPTY_QUERY_RESPONSE,
    READY_IDLE,
    ProtocolViolation,
    backend_key_data,
    parameter_status,
)
from pgemu_protocol.startup import CancelRequest

ROLES = {
    "scram": RoleAuth("scram", scram_verifier("sécret", iterations=4096)),
    "hashed": RoleAuth("hashed", md5_verifier("hashed", "secret")),
    "nologin": RoleAuth("nologin", scram_verifier("secret"), can_login=False),
    "expired": RoleAuth("expired", scram_verifier("secret"), valid_until=1.0),
    "nopassword": RoleAuth("nopassword"),
}


def tls_files(folder: Path) -> TlsServer:
    make_certificate(folder / "server.crt", folder / "server.key")
    return load_tls(folder / "server.crt", folder / "server.key")


class Server:
    """Accepts connections one after the other in a thread; notes what clients asked for."""

    def __init__(
        self, hba: str, tls: TlsServer | None = None, lookup: LookupRole = ROLES.get
    ) -> None:
        self.hba = parse_hba(hba)
        self.tls = tls
        self.lookup = lookup
        self.started: list[StartupParams | CancelRequest] = []
        self.errors: list[str] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Server:
        self.thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            connection = Connection(client)
            try:
                self._session(connection)
            except ConnectionLost:
                self.errors.append("lost")
            except ProtocolViolation as violation:
                self.errors.append(violation.message)
                if not violation.silent:
                    send_error(connection, violation_error(violation))
            except PgError as error:
                self.errors.append(error.message)
                old = isinstance(error, UnsupportedProtocol) and error.protocol2
                send_error(connection, as_fatal(error), protocol2=old)
            finally:
                connection.close()

    def _session(self, connection: Connection) -> None:
        params = negotiate(connection, self.tls)
        self.started.append(params)
        if isinstance(params, CancelRequest):
            return
        authenticate(connection, params, self.hba, self.lookup, mock_nonce=b"n")
        settings = Settings()
        for name, value in params.settings:
            settings.set(name, value, source="client")
        for name, value in settings.changed_reports():
            connection.write(parameter_status(name, value))
        connection.write(backend_key_data(7, b"abcd") + READY_IDLE)
        connection.flush()
        while True:
            kind, _ = connection.read_message()
            if kind == b"X"[0]:
                return
            if kind == b"Q"[0]:
                connection.write(EMPTY_QUERY_RESPONSE + READY_IDLE)
                connection.flush()
