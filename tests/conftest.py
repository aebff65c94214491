"""The server that tests talk to: pgemu, or any other given by --server-dsn.

The second serves to prove a test: what is asserted must hold on PostgreSQL 15 itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.regress.transcript import fresh_database
from tests.regress.wire import Address


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--server-dsn",
        default=None,
        metavar="URI",
        help="run tests/regress, tests/isolation and tests/clients against this server instead",
    )


@pytest.fixture(scope="session")
def server_address(request: pytest.FixtureRequest) -> Address:
    """Of the session's server."""
    dsn = request.config.getoption("--server-dsn")
    if dsn is None:
        server: Any = request.getfixturevalue("pgemu_server")
        dsn = server.dsn
    return Address.of_dsn(dsn)


@pytest.fixture
def database(server_address: Address) -> Iterator[Address]:
    """A fresh database of the session's server."""
    with fresh_database(server_address, "clients") as address:
        yield address


@pytest.fixture
def dsn(database: Address) -> str:
    """URI of a fresh database."""
    return database.dsn
