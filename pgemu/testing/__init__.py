"""Servers and databases for tests: see README.md.

with pgemu.testing.server() as pg:
    connect(pg.dsn)
    with pg.database(template="app") as dsn: ...
"""

from pgemu.testing.server import PgemuServer, server

__all__ = ["PgemuServer", "server"]
