"""PgemuServer: a server as a child process, and fresh databases in it.

The child dies with this process however that ends (it watches our pidfd), so nothing is left
behind.  Control statements go through our own small client: no driver is needed.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from typing import IO
from urllib.parse import quote

from pgemu.postmaster.control_client import Address, Answer, ControlClient, quote_identifier

START_SECONDS = 30.0
STOP_SECONDS = 15.0


class ServerError(Exception):
    """The server did not start; str() has what it said."""


class PgemuServer:
    """start() and stop(), or a with block.  Attributes once started: host, port, user, dbname,
    password, dsn, pid.

    data: a folder to keep; None gives an ephemeral cluster.  settings: as in postgresql.conf.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        data: str | os.PathLike[str] | None = None,
        user: str = "postgres",
        dbname: str = "postgres",
        password: str | None = None,
        settings: Mapping[str, str] | None = None,
        unix_socket_dir: str | os.PathLike[str] | None = None,
        arguments: tuple[str, ...] = (),
    ) -> None:
        self.host = host
        self.port = port
        self.data = os.fspath(data) if data is not None else None
        self.user = user
        self.dbname = dbname
        self.password = password
        self.settings = dict(settings or {})
        self.unix_socket_dir = os.fspath(unix_socket_dir) if unix_socket_dir else ""
        self.arguments = arguments
        self._asked_port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None  # without a name: nothing is left of it
        self._numbers = itertools.count(1)

    # -- life ------------------------------------------------------------------------------------

    def start(self) -> PgemuServer:
        """Start the server and wait until its port is open.  ServerError if it does not."""
        if self._process is not None:
            return self
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by _end
        reader, writer = os.pipe()
        try:
            self._process = subprocess.Popen(
                self._command(writer),
                pass_fds=[writer],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._log,
                env=self._environment(),
                start_new_session=True,  # Ctrl-C in the test run is ours to handle, in order
            )
        finally:
            os.close(writer)
        try:
            dsn = self._read_ready(reader)
        except BaseException:
            self.kill()
            raise
        finally:
            os.close(reader)
        if not dsn:
            said = self.log().strip()
            self.kill()
            raise ServerError(said or "the server ended before it was ready")
        self.port = Address.of_dsn(dsn).port
        return self

    def _command(self, ready_fd: int) -> list[str]:
        command = [
            *(sys.executable, "-m", "pgemu", "serve", "--quiet", "--die-with-parent"),
            *("--parent-pid", str(os.getpid()), "--ready-fd", str(ready_fd)),
            *("--port", str(self._asked_port), "--host", self.host),
            *("--user", self.user, "--dbname", self.dbname),
        ]
        if self.data is not None:
            command += ["--data", self.data]
        if self.unix_socket_dir:
            command += ["--unix-socket-dir", self.unix_socket_dir]
        for name, value in self.settings.items():
            command += ["--set", f"{name}={value}"]
        return [*command, *self.arguments]

    def _environment(self) -> dict[str, str]:
        """Ours, without what would redirect the server, and able to import this very pgemu."""
        env = {
            name: value
            for name, value in os.environ.items()
            if name not in ("PGDATA", "PGPORT", "POSTGRES_USER", "POSTGRES_DB")
        }
        env.pop("POSTGRES_PASSWORD", None)
        if self.password is not None:
            env["POSTGRES_PASSWORD"] = self.password  # not in sight of `ps`
        paths = [path for path in sys.path if path]
        env["PYTHONPATH"] = os.pathsep.join(paths)
        return env

    def _read_ready(self, reader: int) -> str:
        deadline = time.monotonic() + START_SECONDS
        data = b""
        while not data.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([reader], [], [], left)[0]:
                raise ServerError(f"the server was not ready in {START_SECONDS:.0f} s")
            more = os.read(reader, 4096)
            if not more:
                return ""
            data += more
        return data.decode().strip()

    def stop(self) -> int:
        """Fast shutdown (clients are disconnected); the exit code."""
        return self._end(signal.SIGINT)

    def kill(self) -> int:
        """Immediate shutdown."""
        return self._end(signal.SIGQUIT)

    def _end(self, number: signal.Signals) -> int:
        process = self._process
        code = 0
        if process is not None:
            self._process = None
            process.send_signal(number)
            try:
                code = process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                code = process.wait()
        if self._log is not None:
            self._log.close()
            self._log = None
        return code

    def __enter__(self) -> PgemuServer:
        return self.start()

    def __exit__(self, *failure: object) -> None:
        self.stop()

    def log(self) -> str:
        """What the server wrote to its log so far."""
        if self._log is None:
            return ""
        handle = self._log.fileno()  # its place in the file is that of the server's writing
        return os.pread(handle, os.fstat(handle).st_size, 0).decode("utf-8", "replace")

    @property
    def pid(self) -> int:
        """Of the postmaster; 0 if it does not run."""
        return self._process.pid if self._process is not None else 0

    # -- databases -------------------------------------------------------------------------------

    @property
    def dsn(self) -> str:
        """URI of the first database."""
        return self.dsn_of(self.dbname)

    def dsn_of(self, dbname: str) -> str:
        """URI of a database of this server, password included."""
        who = quote(self.user, safe="")
        if self.password is not None:
            who += ":" + quote(self.password, safe="")
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"postgresql://{who}@{host}:{self.port}/{quote(dbname, safe='')}"

    def connect(self, dbname: str | None = None) -> ControlClient:
        """A control connection (simple queries, values as text)."""
        address = Address(self.host, self.port, self.user, dbname or self.dbname, self.password)
        return ControlClient(address)

    def execute(self, sql: str, dbname: str | None = None) -> Answer:
        """Run control statements on a connection of their own."""
        with self.connect(dbname) as client:
            return client.query(sql)

    def create_database(self, template: str | None = None, name: str | None = None) -> str:
        """CREATE DATABASE [TEMPLATE template]; the name, unique in the server if not given."""
        name = name or f"test_{os.getpid()}_{next(self._numbers)}"
        sql = f"CREATE DATABASE {quote_identifier(name)}"
        if template is not None:
            sql += f" TEMPLATE {quote_identifier(template)}"
        self.execute(sql)
        return name

    def drop_database(self, name: str) -> None:
        """DROP DATABASE, ending the connections that tests left open."""
        self.execute(f"DROP DATABASE IF EXISTS {quote_identifier(name)} WITH (FORCE)")

    @contextlib.contextmanager
    def database(self, template: str | None = None) -> Iterator[str]:
        """A fresh database for the block; its DSN."""
        name = self.create_database(template)
        try:
            yield self.dsn_of(name)
        finally:
            if self._process is not None and self._process.poll() is None:
                self.drop_database(name)


@contextlib.contextmanager
def server(
    *,
    port: int = 0,
    host: str = "127.0.0.1",
    data: str | os.PathLike[str] | None = None,
    user: str = "postgres",
    dbname: str = "postgres",
    password: str | None = None,
    settings: Mapping[str, str] | None = None,
) -> Iterator[PgemuServer]:
    """A running server for the block."""
    made = PgemuServer(
        port=port,
        host=host,
        data=data,
        user=user,
        dbname=dbname,
        password=password,
        settings=settings,
    )
    with made:
        yield made
