"""The pytest plugin: a server for the session, a fresh database for each test.

    def test_something(pgemu_dsn):
        with psycopg.connect(pgemu_dsn) as connection: ...

Fill a template once by overriding the fixture `pgemu_template` in conftest.py:

    @pytest.fixture(scope="session")
    def pgemu_template(pgemu_server):
        name = pgemu_server.create_database(name="app_template")
        migrate(pgemu_server.dsn_of(name))
        return name

Under pytest-xdist each worker has a server of its own; nothing is shared and nothing stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pgemu.testing.server import PgemuServer


@dataclass(frozen=True)
class PgemuDatabase:
    """One test's database."""

    server: PgemuServer
    name: str

    @property
    def dsn(self) -> str:
        return self.server.dsn_of(self.name)

    @property
    def host(self) -> str:
        return self.server.host

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def user(self) -> str:
        return self.server.user

    @property
    def password(self) -> str | None:
        return self.server.password


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("pgemu")
    group.addoption(
        "--pgemu-template",
        default=None,
        metavar="NAME",
        help="template database of each test's database (see the fixture pgemu_template)",
    )
    group.addoption(
        "--pgemu-set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of the server, as in postgresql.conf",
    )


@pytest.fixture(scope="session")
def pgemu_settings(request: pytest.FixtureRequest) -> dict[str, str]:
    """Settings of the session's server; override it or give --pgemu-set."""
    settings: dict[str, str] = {}
    for text in request.config.getoption("--pgemu-set"):
        name, _, value = text.partition("=")
        settings[name.strip()] = value.strip()
    return settings


@pytest.fixture(scope="session")
def pgemu_server(pgemu_settings: dict[str, str]) -> Iterator[PgemuServer]:
    """A server for the whole session (of this xdist worker)."""
    from pgemu.testing.server import PgemuServer

    with PgemuServer(settings=pgemu_settings) as server:
        yield server


@pytest.fixture(scope="session")
def pgemu_template(request: pytest.FixtureRequest) -> str | None:
    """Name of the database that each test's is copied from; override it to fill one."""
    name: str | None = request.config.getoption("--pgemu-template")
    return name


@pytest.fixture
def pgemu_database(
    pgemu_server: PgemuServer, pgemu_template: str | None
) -> Iterator[PgemuDatabase]:
    """A fresh database, dropped after the test."""
    name = pgemu_server.create_database(pgemu_template)
    yield PgemuDatabase(pgemu_server, name)
    if pgemu_server.pid:
        pgemu_server.drop_database(name)


@pytest.fixture
def pgemu_dsn(pgemu_database: PgemuDatabase) -> str:
    """The URI of the test's fresh database."""
    return pgemu_database.dsn
