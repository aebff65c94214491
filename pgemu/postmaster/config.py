"""What a server is started with, and the log line format.

ServerConfig is made by the command line (or the container's entry point) and handed to every
backend.  The rooms that do the work are named as import strings, so that the postmaster loads them
at the time of its choosing, and tests may put others in.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pgemu.storage.cluster import Cluster

BACKEND = "pgemu.tcop.backend_main:backend_main"
PREWARM = "pgemu.tcop.backend_main:prewarm"
RECOVER_BACKEND = "pgemu.transam.recovery:recover_backend"
RECOVER_CLUSTER = "pgemu.transam.recovery:recover_cluster"
PURGE = "pgemu.transam.purge:purge"
LATE_IMPORTS = ("pgemu.tcop.late",)


@dataclass
class ServerConfig:
    """settings: name -> value of --set, stronger than the configuration files.

    recover_backend(cluster, shm, slot), recover_cluster(cluster, shm), purge(cluster, shm),
    backend(sock, cluster, shm, slot, config), prewarm(cluster, shm, config): missing ones, prewarm
    and purge for example, are skipped.
    """

    hosts: tuple[str, ...] = ("127.0.0.1",)
    port: int = 5432
    unix_socket_dir: str = ""
    data: str | None = None
    user: str = "postgres"
    dbname: str = "postgres"
    password: str | None = None
    auth_method: str | None = None
    settings: dict[str, str] = field(default_factory=dict)
    die_with_parent: bool = False
    parent_pid: int = 0
    ready_fd: int = -1
    sigterm_is_fast: bool = False
    quiet: bool = False
    spares: int = 2
    hba_lines: tuple[str, ...] = ()
    backend: str = BACKEND
    prewarm: str = PREWARM
    recover_backend: str = RECOVER_BACKEND
    recover_cluster: str = RECOVER_CLUSTER
    purge: str = PURGE
    late_imports: tuple[str, ...] = LATE_IMPORTS
    prewarmed: Any = None  # in a spare: what prewarm gave; its slot, if it has one, is claimed
    _parsed: tuple[tuple[int, ...], dict[str, str]] | None = None

    @property
    def max_connections(self) -> int:
        value = self.settings.get("max_connections", "100")
        return int(value) if value.isdigit() and int(value) > 0 else 100

    def fsync(self, cluster: Cluster) -> bool:
        """Durable commits: the default of named clusters, pointless for ephemeral ones."""
        default = "off" if cluster.ephemeral else "on"
        return self.settings.get("fsync", default).lower() in ("on", "true", "yes", "1")

    def file_settings(self, cluster: Cluster) -> dict[str, str]:
        """Settings of postgresql.conf and postgresql.auto.conf, then --set over them.  Read again
        by each backend when shm.config_generation has moved on."""
        key = self.settings_key(cluster)
        if self._parsed is not None and self._parsed[0] == key:
            return dict(self._parsed[1])
        found: dict[str, str] = {}
        for path in (cluster.config_path, cluster.auto_config_path):
            if os.path.exists(path) and os.path.getsize(path):
                from pathlib import Path

                from pgemu.guc.guc_file import parse_config_file

                for line in parse_config_file(Path(path)):
                    found[line.name] = line.value
        found.update(self.settings)
        self._parsed = key, dict(found)
        return found

    def settings_key(self, cluster: Cluster) -> tuple[int, ...]:
        """Changes whenever a configuration file does."""
        key: list[int] = []
        for path in (cluster.config_path, cluster.auto_config_path):
            try:
                status = os.stat(path)
            except FileNotFoundError:
                key += (0, 0)
            else:
                key += (status.st_mtime_ns, status.st_size)
        return tuple(key)

    def dsn(self, port: int) -> str:
        """A URI that reaches this server, without the password."""
        from urllib.parse import quote

        user, dbname = quote(self.user, safe=""), quote(self.dbname, safe="")
        if not self.hosts:
            return f"postgresql://{user}@/{dbname}?host={quote(self.unix_socket_dir)}&port={port}"
        host = self.hosts[0]
        if host in ("*", "0.0.0.0", "::"):
            host = "127.0.0.1"
        if ":" in host:
            host = f"[{host}]"
        return f"postgresql://{user}@{host}:{port}/{dbname}"


def resolve(name: str) -> Callable[..., Any] | None:
    """The function that an import string names; None if there is none."""
    module, _, attribute = name.partition(":")
    if not module:
        return None
    try:
        if importlib.util.find_spec(module) is None:
            return None
    except ModuleNotFoundError:
        return None
    found = getattr(importlib.import_module(module), attribute, None)
    return found if callable(found) else None


def log(level: str, message: str) -> None:
    """One line to stderr in PostgreSQL's default log format."""
    now = time.time()
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now))
    line = f"{stamp}.{int(now * 1000) % 1000:03d} UTC [{os.getpid()}] {level}:  {message}\n"
    try:
        os.write(2, line.encode("utf-8", "replace"))
    except OSError:
        return  # nobody reads it any more
