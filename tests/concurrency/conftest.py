"""Servers to play interleavings on: the session's, and PostgreSQL 15 where there is one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.concurrency.interleaving import Server
from tests.concurrency.oracle import oracle
from tests.regress.transcript import fresh_database
from tests.regress.wire import Address


@pytest.fixture(scope="module")
def ours(server_address: Address) -> Iterator[Server]:
    """A database of the session's server."""
    with fresh_database(server_address, "interleavings") as address:
        server = Server(address)
        try:
            yield server
        finally:
            server.close()


@pytest.fixture(scope="module")
def theirs() -> Iterator[Server]:
    """A database of a PostgreSQL 15."""
    with oracle() as found:
        if found is None:
            pytest.skip("no PostgreSQL 15: set PGEMU_ORACLE_DSN or install it")
        with fresh_database(found, "interleavings") as address:
            server = Server(address)
            try:
                yield server
            finally:
                server.close()
