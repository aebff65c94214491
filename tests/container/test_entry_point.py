"""The container's entry point: environment, arguments, initialization scripts, health, stop."""

from __future__ import annotations

import gzip
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pgemu.cli.container import ContainerSettings, parse_arguments, server_config
from pgemu.cli.sql_script import split_script
from pgemu.postmaster.bootstrap import hba_lines
from pgemu.storage.cluster import ClusterError

ROOT = Path(__file__).parent.parent.parent


def test_environment(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3\n")
    env = {"POSTGRES_USER": "app", "POSTGRES_PASSWORD_FILE": str(secret), "PGPORT": "6000"}
    settings = ContainerSettings.of_environment(env)
    assert (settings.user, settings.dbname, settings.password) == ("app", "app", "s3")
    assert (settings.port, settings.auth_method) == (6000, "scram-sha-256")
    config = server_config(settings, {"work_mem": "1MB"})
    assert config.sigterm_is_fast and config.hosts == ("*",)
    assert hba_lines(config).splitlines()[-1].split()[-1] == "scram-sha-256"
    wrong = (
        {"POSTGRES_PASSWORD": "a", "POSTGRES_PASSWORD_FILE": "b"},
        {"POSTGRES_HOST_AUTH_METHOD": "none"},
        {"PGPORT": "x"},
    )
    for one in wrong:
        with pytest.raises(ClusterError):
            ContainerSettings.of_environment(one)


def test_arguments() -> None:
    assert parse_arguments(["-c", "fsync=off", "--work-mem=4MB", "-cjit=off"]) == {
        "fsync": "off",
        "work_mem": "4MB",
        "jit": "off",
    }
    for wrong in (["-c"], ["--x"], ["y"], ["-c", "z"]):
        with pytest.raises(ClusterError):
            parse_arguments(wrong)


SCRIPT = """\
-- a comment; with a semicolon
CREATE TABLE "a;b"(x text DEFAULT 'it''s; $x$', y text DEFAULT E'\\';'); /* ; /* ; */ ; */
CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $body$ BEGIN RETURN 1; END $body$;
CREATE FUNCTION g() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END;
COPY t (a, b) FROM stdin;
1\tx;'
\\.
\\connect other
CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2);
SELECT 'last'
"""


def test_splitting_a_script() -> None:
    found = list(split_script(SCRIPT))
    starts = [statement.text.splitlines()[-1][:14] for statement in found]
    assert starts == [
        'CREATE TABLE "',
        "CREATE FUNCTIO",
        "CREATE FUNCTIO",
        "COPY t (a, b) ",
        "\\connect other",
        "CREATE RULE r ",
        "SELECT 'last'",
    ]
    assert found[3].data == b"1\tx;'\n"
    assert found[2].text.endswith("END")
    with pytest.raises(ValueError, match="unterminated"):
        list(split_script("SELECT $a$ ;"))


class Container:
    """The entry point as a process, with the stub in the backend's place."""

    def __init__(self, folder: Path, *arguments: str, **env: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PG")},
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "protocol")]),
            "PGDATA": str(folder / "data"),
            "PGPORT": str(self.port),
            "PGEMU_INITDB_FOLDER": str(folder / "init"),
            "PGEMU_SOCKET_FOLDER": str(folder / "run"),
            "TMPDIR": str(folder),
            **env,
        }
        self.log = folder / "log"
        with open(self.log, "wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "pgemu", "container", *arguments],
                env=self.env,
                stderr=errors,
                stdout=subprocess.DEVNULL,
            )

    def healthy(self) -> bool:
        run = subprocess.run(
            [sys.executable, "-m", "pgemu", "container", "healthcheck"],
            env=self.env,
            check=False,
            stderr=subprocess.DEVNULL,
        )
        return run.returncode == 0

    def until_healthy(self) -> None:
        deadline = time.monotonic() + 20
        while not self.healthy():
            assert self.process.poll() is None and time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)


STUB = "tests.postmaster.stub_backend:backend_main"


def test_no_password_no_start(tmp_path: Path) -> None:
    container = Container(tmp_path)
    assert container.process.wait(20) == 1
    assert "POSTGRES_PASSWORD" in container.log.read_text()
    assert not (tmp_path / "data").exists()


def test_it_runs_scripts_once_and_stops_cleanly(tmp_path: Path) -> None:
    scripts = tmp_path / "init"
    scripts.mkdir()
    (scripts / "1.sh").write_text(f'echo "$PGUSER $PGDATABASE" >> {tmp_path}/ran\n')
    (scripts / "2.sql").write_text("hello; again;")
    (scripts / "3.sql.gz").write_bytes(gzip.compress(b"packed;"))
    (scripts / "4.txt").write_text("no script")
    for _ in range(2):
        container = Container(tmp_path, POSTGRES_PASSWORD="x", PGEMU_BACKEND=STUB)
        container.until_healthy()
        container.process.send_signal(signal.SIGTERM)
        assert container.process.wait(20) == 0, container.log.read_text()
    assert (tmp_path / "ran").read_text() == "postgres postgres\n"
    assert os.listdir(tmp_path / "run") == []
    assert "postmaster.pid" not in os.listdir(tmp_path / "data")


def test_a_failing_script_leaves_a_fresh_folder(tmp_path: Path) -> None:
    (tmp_path / "init").mkdir()
    (tmp_path / "init" / "1.sh").write_text("exit 7\n")
    container = Container(tmp_path, POSTGRES_HOST_AUTH_METHOD="trust", PGEMU_BACKEND=STUB)
    assert container.process.wait(20) == 7
    assert os.listdir(tmp_path / "data") == []
