"""Rehearsals: whole connections that the postmaster serves to itself before it forks.

Nothing in PostgreSQL corresponds to it.  A forked backend shares the memory of the postmaster until
one of them writes to it, and in CPython whatever runs for the first times writes: code is made
quicker where it stands, names go into caches, and their reference counts change.  A code that has
been run often enough by the postmaster is only read by its children.
"""

from __future__ import annotations

import contextlib
import signal
import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pgemu.libpq.hba import Client, HbaLine, Name, check_hba
from pgemu.tcop.prewarm import Prepared
from pgemu_protocol import frontend
from pgemu_protocol.startup import PROTOCOL_3_0, StartupMessage

_QUIET = {
    "log_connections": "off",
    "log_disconnections": "off",
    "log_duration": "off",
    "log_min_duration_statement": "-1",
    "log_min_error_statement": "panic",
    "log_min_messages": "panic",
    "log_statement": "none",
    "ssl": "off",
}
"""Nobody is to read in the log about a client who never was."""
_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGCHLD)
_ALL = (Name("all"),)
_TRUST = HbaLine("local", _ALL, _ALL, "", None, "trust")


class _Trusting(Prepared):
    """Whoever rehearses is let in.  The file is read and looked through all the same, but for
    lines that a name server would be asked about."""

    def hba(self, cluster: Any) -> tuple[HbaLine, ...]:
        lines = super().hba(cluster)
        sure = tuple(line for line in lines if line.network or line.address in ("", "all"))
        for address in (None, "127.0.0.1", "::1"):
            check_hba(sure, Client("", "", address))
        return (_TRUST,)


def rehearse(cluster: Any, shm: Any, config: Any) -> None:
    """Serve one connection from its first packet to its last one."""
    from pgemu.tcop.backend_main import COLLATIONS, backend_main

    quiet = replace(config, settings={**config.settings, **_QUIET}, _merged=None)
    client, server = socket.socketpair()
    with client, server, _signals_kept():
        client.sendall(_conversation(config.user, config.dbname))
        prepared = quiet.prewarmed = _Trusting(cluster, quiet)
        try:
            prepared.begin_session(cluster, shm, quiet, COLLATIONS)
            if prepared.slot is not None:
                backend_main(server, cluster, shm, prepared.slot, quiet)
        finally:
            prepared.close()
            if prepared.slot is not None:
                shm.procarray.release(prepared.slot)


@contextlib.contextmanager
def _signals_kept() -> Iterator[None]:
    """A backend's signal handlers are its own; signals wait until ours are back."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    handlers = [signal.getsignal(number) for number in _SIGNALS]
    wakeup = signal.set_wakeup_fd(-1)
    try:
        yield
    finally:
        for number, handler in zip(_SIGNALS, handlers, strict=True):
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _conversation(user: str, dbname: str) -> bytes:
    """All that the client says."""
    log = ((name, value) for name, value in _QUIET.items() if name != "ssl")
    # said by the client too: stronger than what is stored for the database and the role
    options = (("user", user), ("database", dbname), ("client_encoding", "UTF8"), *log)
    start = StartupMessage(PROTOCOL_3_0, options).payload()
    said = [(len(start) + 4).to_bytes(4, "big") + start]
    said += [
        message.encode()
        for message in (
            frontend.Parse("", "SELECT $1::int + 1", (21,)),
            frontend.Bind("", "", (0,), (b"1",), (0,)),
            frontend.Describe(b"P", ""),
            frontend.Execute("", 0),
            frontend.Close(b"P", ""),
            frontend.Sync(),
            frontend.Query("BEGIN"),
            frontend.Query("SELECT 1"),
            frontend.Query("COMMIT"),
            frontend.Terminate(),
        )
    ]
    return b"".join(said)
