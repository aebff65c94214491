"""pgemu.testing: a server for a block, a fresh database for a block, nothing left."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from pgemu.testing import PgemuServer, server
from pgemu.testing.server import ServerError

ROOT = Path(__file__).parent.parent.parent
STUB = ("--backend", "tests.postmaster.stub_backend:backend_main")
real = pytest.mark.skipif(
    importlib.util.find_spec("pgemu.tcop.backend_main") is None, reason="no backend yet"
)


def test_a_server_for_a_block(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PGPORT", "1")  # what surrounds the tests must not redirect the server
    monkeypatch.setenv("PGEMU_TMPDIR", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    with PgemuServer(arguments=STUB) as pg:
        assert pg.dsn == f"postgresql://postgres@127.0.0.1:{pg.port}/postgres"
        assert pg.execute("hello").rows == [("hello",)]
        assert "ready to accept connections" in pg.log()
        pid = pg.pid
        assert os.listdir(tmp_path)
    assert os.listdir(tmp_path) == []
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert pg.pid == 0 and pg.stop() == 0


def test_what_the_server_says_when_it_cannot_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ServerError, match="is not empty and is not a data folder of pgemu"):
        PgemuServer(data=tmp_path, arguments=STUB).start()


def test_dsn_quotes_names() -> None:
    pg = PgemuServer(user="a b", password="p/w", dbname="d?")
    pg.port = 5
    assert pg.dsn == "postgresql://a%20b:p%2Fw@127.0.0.1:5/d%3F"


CONFTEST = """
import pytest
from pgemu.testing import PgemuServer

@pytest.fixture(scope="session")
def pgemu_server(pgemu_settings):
    assert pgemu_settings == {"work_mem": "8MB"}
    with PgemuServer(arguments=%r) as server:
        yield server

@pytest.fixture(scope="session")
def pgemu_template(pgemu_server):
    return pgemu_server.create_database(name="app_template")
"""
TESTS = """
seen = set()

def test_one(pgemu_dsn, pgemu_template):
    assert pgemu_template == "app_template"
    seen.add(pgemu_dsn)

def test_two(pgemu_database, pgemu_server):
    assert pgemu_database.dsn.endswith(pgemu_database.name)
    assert pgemu_database.port == pgemu_server.port
    seen.add(pgemu_database.dsn)
"""


@pytest.mark.parametrize("workers", ["0", "2"])
def test_the_plugin(tmp_path: Path, workers: str) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST % (STUB,))
    (tmp_path / "test_it.py").write_text(TESTS)
    shared = tmp_path / "tmp"
    shared.mkdir()
    env = {**os.environ, "PGEMU_TMPDIR": str(shared), "TMPDIR": str(shared)}
    env["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "protocol")])
    run = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", workers),
            *("-p", "pgemu", "--pgemu-set", "work_mem=8MB", str(tmp_path)),
        ],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "2 passed" in run.stdout
    assert [name for name in os.listdir(shared) if "pgemu-" in name] == []


@real
def test_fresh_databases() -> None:
    with server() as pg:
        template = pg.create_database(name="t")
        pg.execute("CREATE TABLE a(x int); INSERT INTO a VALUES (1)", template)
        for _ in range(2):
            with pg.database(template=template) as dsn:
                name = dsn.rpartition("/")[2]
                assert pg.execute("SELECT count(*) FROM a", name).rows == [("1",)]
                pg.execute("DELETE FROM a", name)


@real
def test_a_superuser_of_another_name_changes_no_other_cluster() -> None:
    with server(user="me") as pg:
        assert pg.execute("SELECT current_user").rows == [("me",)]
    with server() as pg:
        pg.execute("CREATE DATABASE t TEMPLATE template0")
        owners = "SELECT count(*) FROM pg_namespace WHERE nspacl::text LIKE '%me=%'"
        assert pg.execute(owners, "t").rows == [("0",)]
        pg.execute("UPDATE pg_database SET datallowconn = true WHERE datname = 'template0'")
        pg.execute("CREATE TABLE a (x int)", "template0")
    with server() as pg:
        pg.execute("CREATE DATABASE t TEMPLATE template0")
        assert pg.execute("SELECT to_regclass('a') IS NULL", "t").rows == [("t",)]


@real
def test_a_password_is_asked_for() -> None:
    with server(user="me", password="secret", dbname="app") as pg:
        assert pg.execute("SELECT current_user").rows == [("me",)]
        pg.password = "wrong"
        with pytest.raises(Exception, match="password authentication failed"):
            pg.execute("SELECT 1")
