"""The connection to a client: socket, first packets, authentication, TLS."""

from pgemu.libpq.pqcomm import Connection, ConnectionLost

__all__ = ["Connection", "ConnectionLost"]
