"""Start, accept, cancel, crash, shut down: and nothing is left after any of it."""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pgemu.errors import PgError
from pgemu.postmaster.control_client import Address, ControlClient

from .conftest import Server

Start = Callable[..., Server]


def until(condition: Callable[[], bool], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_serves_and_stops(start: Start, number: int) -> None:
    server = start()
    with ControlClient(server.address) as client:
        assert client.query("hello").rows == [("hello",)]
    assert server.end(number) == 0
    server.assert_nothing_left()


def test_smart_shutdown_waits_for_clients(start: Start) -> None:
    server = start()
    with ControlClient(server.address) as client:
        server.process.send_signal(signal.SIGTERM)
        until(lambda: "smart shutdown" in server.log)
        time.sleep(0.1)
        assert client.query("still here").rows == [("still here",)]
        with pytest.raises(OSError):
            ControlClient(server.address)
    assert server.process.wait(10) == 0
    server.assert_nothing_left()


def test_fast_shutdown_ends_clients(start: Start) -> None:
    server = start()
    client = ControlClient(server.address)
    assert server.end(signal.SIGINT) == 0
    with pytest.raises(OSError):
        client.query("gone")
    client.close()
    server.assert_nothing_left()


def test_many_connections_at_once_and_one_too_many(start: Start) -> None:
    server = start("--set", "max_connections=8")
    clients = [ControlClient(server.address) for _ in range(8)]
    assert len({client.query("x").rows[0][0] for client in clients}) == 1
    with pytest.raises(PgError, match="sorry, too many clients already") as error:
        ControlClient(server.address)
    assert (error.value.sqlstate, error.value.severity) == ("53300", "FATAL")
    clients.pop().close()

    def room() -> bool:
        try:
            ControlClient(server.address).close()
        except PgError:
            return False
        return True

    until(room)
    for client in clients:
        client.close()


def test_cancel(start: Start) -> None:
    server = start()
    with ControlClient(server.address) as client:
        packet = struct.pack("!iii", 16, 80877102, client.process_id) + client.secret_key
        pid = os.fork()
        if pid == 0:
            time.sleep(0.2)
            with socket.create_connection((server.address.host, server.address.port)) as sock:
                sock.sendall(packet)
                sock.recv(1)
            os._exit(0)
        with pytest.raises(PgError, match="canceling statement due to user request"):
            client.query("sleep")
        assert client.query("x").rows == [("x",)]
        os.waitpid(pid, 0)


def test_a_killed_backend_frees_its_slot(start: Start) -> None:
    server = start("--set", "max_connections=3")
    for before in range(5):
        client = ControlClient(server.address)
        client.query("xid")
        with pytest.raises(OSError):
            client.query("die")
        client.close()
        until(lambda n=before: server.log.count("was terminated by signal 9") > n)  # type: ignore[misc]
    with ControlClient(server.address) as client:
        assert client.query("x").rows == [("x",)]


@pytest.mark.parametrize("busy", [False, True])
def test_a_killed_postmaster_takes_everything_along(start: Start, busy: bool) -> None:
    server = start()
    client = ControlClient(server.address) if busy else None
    server.process.kill()
    server.process.wait()
    server.assert_nothing_left()
    if client is not None:
        client.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_dies_with_its_parent(tmp_path: Path, number: int) -> None:
    program = (
        "import sys, pathlib, time; sys.path[:0] = sys.argv[2:]\n"
        "from tests.postmaster.conftest import Server\n"
        "s = Server(pathlib.Path(sys.argv[1]), '--die-with-parent')\n"
        "print(s.dsn, flush=True); time.sleep(60)"
    )
    root = str(Path(__file__).parent.parent.parent)
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path), root, root + "/protocol"],
        stdout=subprocess.PIPE,
    )
    assert parent.stdout is not None
    address = Address.of_dsn(parent.stdout.readline().decode().strip())
    ControlClient(address).close()
    parent.send_signal(number)
    parent.wait()
    parent.stdout.close()
    probe = object.__new__(Server)
    probe.folder = tmp_path
    probe.errors = tmp_path / "stderr"
    probe.assert_nothing_left()


def test_unix_socket_and_its_lock_file(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "s"
    folder.mkdir()
    server = start("--unix-socket-dir", str(folder))
    port = server.address.port
    with ControlClient(Address(str(folder), port)) as client:
        assert client.query("x").rows == [("x",)]
    assert sorted(os.listdir(folder)) == [f".s.PGSQL.{port}", f".s.PGSQL.{port}.lock"]
    server.process.kill()
    server.process.wait()
    server.assert_nothing_left(("s",))
    assert os.listdir(folder) == []


def test_mistakes_are_one_line(start: Start, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = start("--port", str(port), "-D", str(tmp_path / "d"))
        assert server.process.wait(10) == 1
    expected = f"pgemu: cannot listen on 127.0.0.1 port {port}: Address already in use\n"
    assert server.log == expected
    assert not (tmp_path / "d").exists()
    for arguments in (("--port", "x"), ("--nonsense",), ("--set", "nonsense"), ("--host", "")):
        server = start(*arguments)
        assert server.process.wait(10) == 2
        assert server.log.startswith("pgemu: ") and server.log.count("\n") == 1
    server.assert_nothing_left()


def test_data_folder_stays_and_is_locked(start: Start, tmp_path: Path) -> None:
    data = str(tmp_path / "d")
    first = start("-D", data)
    second = start("-D", data)
    assert second.process.wait(10) == 1
    assert f"in use by another server (PID {first.process.pid})" in second.log
    assert first.end() == 0
    assert "postmaster.pid" not in os.listdir(data)
    third = start("-D", data)
    assert third.dsn
    third.process.kill()
    third.process.wait()
    third.assert_nothing_left(("d",))
    fourth = start("-D", data)
    assert fourth.dsn
    assert fourth.end(signal.SIGTERM) == 0
    fourth.assert_nothing_left(("d",))
