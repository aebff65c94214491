"""A server with the stub backend, and proof that nothing is left of it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pgemu.postmaster.control_client import Address

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


class Server:
    """`pgemu serve` as a child in a session of its own."""

    def __init__(self, folder: Path, *arguments: str, stub: bool = True) -> None:
        self.folder = folder
        reader, writer = os.pipe()
        env = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        env["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "protocol"), str(HERE)])
        env["PGEMU_TMPDIR"] = str(folder)
        command = [sys.executable, "-m", "pgemu", "serve", "--quiet", "--ready-fd", str(writer)]
        if stub:
            command += ["--backend", "stub_backend:backend_main"]
        if "--port" not in arguments:
            command += ["--port", "0"]
        self.errors = folder / "stderr"
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(
                [*command, *arguments],
                pass_fds=[writer],
                env=env,
                stderr=errors,
                start_new_session=True,
            )
        os.close(writer)
        data = b""
        while not data.endswith(b"\n") and select.select([reader], [], [], 20)[0]:
            more = os.read(reader, 4096)
            if not more:
                break
            data += more
        os.close(reader)
        self.dsn = data.decode().strip()
        self.address = Address.of_dsn(self.dsn) if self.dsn else Address()

    @property
    def log(self) -> str:
        return self.errors.read_text()

    def end(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)

    def processes(self) -> list[int]:
        """Everything alive that was started with this server's command line."""
        mark = f"PGEMU_TMPDIR={self.folder}\0".encode()
        found = []
        for name in os.listdir("/proc"):
            if name.isdigit() and int(name) != os.getpid():
                try:
                    if mark in Path(f"/proc/{name}/environ").read_bytes():
                        found.append(int(name))
                except OSError:
                    continue
        return found

    def assert_nothing_left(self, but: tuple[str, ...] = ()) -> None:
        deadline = time.monotonic() + 8
        allowed = {"stderr", *but}
        while self.processes() or set(os.listdir(self.folder)) - allowed:
            assert time.monotonic() < deadline, (
                self.processes(),
                os.listdir(self.folder),
                self.log,
            )
            time.sleep(0.02)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def run(*arguments: str, stub: bool = True) -> Server:
        server = Server(tmp_path, *arguments, stub=stub)
        servers.append(server)
        return server

    yield run
    for server in servers:
        if server.process.poll() is None:
            server.process.send_signal(signal.SIGQUIT)
            server.process.wait(20)
