"""Clients of libpq and asyncpg get in, or are refused, as PostgreSQL would."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psycopg
import pytest
from one_session_server import Server, tls_files

from pgemu.libpq.startup import StartupParams, TlsServer

METHODS = """
host all nobody,"trusted" all trust
host all rejected all reject
host plain all all password
host digest all all md5
host shaken all all scram-sha-256
hostssl secure all all scram-sha-256
"""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(METHODS) as running:
        yield running


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> TlsServer:
    return tls_files(Path(tmp_path_factory.mktemp("tls")))


def dsn(server: Server, user: str, database: str, password: str, more: str = "") -> str:
    return (
        f"host=127.0.0.1 port={server.port} user={user} dbname={database}"
        f" password={password} gssencmode=disable {more}"
    )


@pytest.mark.parametrize(
    ("user", "database", "password"),
    [
        ("scram", "shaken", "sécret"),
        ("scram", "digest", "sécret"),
        ("scram", "plain", "sécret"),
        ("hashed", "plain", "secret"),
        ("hashed", "digest", "secret"),
    ],
)
def test_let_in(server: Server, user: str, database: str, password: str) -> None:
    with psycopg.connect(dsn(server, user, database, password)) as connection:
        assert connection.info.parameter_status("server_version") == "15.18"
        assert connection.info.backend_pid == 7

    async def connect() -> None:
        connection = await asyncpg.connect(
            host="127.0.0.1", port=server.port, user=user, database=database, password=password
        )
        await connection.close()

    asyncio.run(connect())


@pytest.mark.parametrize(
    ("user", "database", "words"),
    [
        ("scram", "shaken", 'password authentication failed for user "scram"'),
        ("scram", "plain", 'password authentication failed for user "scram"'),
        ("hashed", "digest", 'password authentication failed for user "hashed"'),
        ("hashed", "shaken", 'password authentication failed for user "hashed"'),
        ("unknown", "shaken", 'password authentication failed for user "unknown"'),
        ("unknown", "plain", 'password authentication failed for user "unknown"'),
        ("unknown", "digest", 'password authentication failed for user "unknown"'),
        ("nopassword", "shaken", 'password authentication failed for user "nopassword"'),
        ("nobody", "x", 'role "nobody" does not exist'),
        (
            "rejected",
            "x",
            'pg_hba.conf rejects connection for host "127.0.0.1", user "rejected",'
            ' database "x", no encryption',
        ),
        (
            "scram",
            "elsewhere",
            'no pg_hba.conf entry for host "127.0.0.1", user "scram", database "elsewhere",'
            " no encryption",
        ),
    ],
)
def test_refused(server: Server, user: str, database: str, words: str) -> None:
    with pytest.raises(psycopg.OperationalError) as caught:
        psycopg.connect(dsn(server, user, database, "wrong"))
    assert f"FATAL:  {words}" in str(caught.value)


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ("expired", 'password authentication failed for user "expired"'),
        ("nologin", 'role "nologin" is not permitted to log in'),
    ],
)
def test_right_password_refused(server: Server, user: str, words: str) -> None:
    with pytest.raises(psycopg.OperationalError, match=words):
        psycopg.connect(dsn(server, user, "shaken", "secret"))


def test_tls_with_channel_binding(tls: TlsServer) -> None:
    with Server(METHODS, tls) as server:
        text = dsn(server, "scram", "secure", "sécret", "sslmode=require channel_binding=require")
        with psycopg.connect(text) as connection:
            assert connection.pgconn.ssl_in_use
        text = dsn(server, "scram", "secure", "sécret", "sslmode=require channel_binding=disable")
        psycopg.connect(text).close()
        with pytest.raises(psycopg.OperationalError, match="no encryption"):
            psycopg.connect(dsn(server, "scram", "secure", "sécret", "sslmode=disable"))


def test_start_up_settings(server: Server) -> None:
    text = dsn(server, "scram", "shaken", "sécret")
    more = "application_name=x options='-c work_mem=1MB --datestyle=sql,\\\\ dmy'"
    psycopg.connect(f"{text} {more}").close()
    params = server.started[0]
    assert isinstance(params, StartupParams)
    assert params.settings[:2] == (("work_mem", "1MB"), ("datestyle", "sql, dmy"))
    assert ("application_name", "x") in params.settings


def test_a_bad_start_up_setting_is_fatal(server: Server) -> None:
    with pytest.raises(psycopg.OperationalError, match="FATAL:  invalid value for parameter"):
        psycopg.connect(dsn(server, "scram", "shaken", "sécret", "options='-c work_mem=x'"))
