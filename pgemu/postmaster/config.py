"""What a server is started with, and the log line format.

ServerConfig is made by the command line (or the container's entry point) and handed to every
backend.  The rooms that do the work are named as import strings, so that the postmaster loads them
at the time of its choosing, and tests may put others in.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pgemu.guc.config_files import NO_ENTRIES, ConfigEntries, read_entries
from pgemu.libpq.elog import DEFAULT_PREFIX, ServerLog, log_time, write_stderr
from pgemu.storage.cluster import Cluster
from pgemu.storage.shmem import SharedMemory

BACKEND = "pgemu.tcop.backend_main:backend_main"
PREWARM = "pgemu.tcop.backend_main:prewarm"
RECOVER_BACKEND = "pgemu.transam.recovery:recover_backend"
RECOVER_CLUSTER = "pgemu.transam.recovery:recover_cluster"
PURGE = "pgemu.transam.purge:purge"
LATE_IMPORTS = ("pgemu.tcop.late",)

_TRUE = ("on", "true", "yes", "1")


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
    shm: SharedMemory | None = None
    started: ConfigEntries = NO_ENTRIES
    _entries: ConfigEntries = NO_ENTRIES
    _entries_key: int = 0
    _merged: tuple[int, dict[str, str]] | None = None

    @property
    def max_connections(self) -> int:
        value = self.settings.get("max_connections", "100")
        return int(value) if value.isdigit() and int(value) > 0 else 100

    def fsync(self, cluster: Cluster) -> bool:
        """Durable commits: the default of named clusters, pointless for ephemeral ones."""
        default = "off" if cluster.ephemeral else "on"
        return self.file_settings(cluster).get("fsync", default).lower() in _TRUE

    def file_settings(self, cluster: Cluster) -> dict[str, str]:
        """Settings of postgresql.conf and postgresql.auto.conf, then --set over them."""
        key = self.settings_key()
        if self._merged is None or self._merged[0] != key:
            found = {key: line.value for key, line in self.entries(cluster).found.items()}
            found.update((name.lower(), text) for name, text in self.settings.items())
            self._merged = key, found
        return self._merged[1]

    def entries(self, cluster: Cluster) -> ConfigEntries:
        """What the files said at the start or at the last reload; those before that if there was
        an error in them."""
        key = self.settings_key()
        if self._entries_key != key:
            self._entries_key = key
            found = read_entries((cluster.config_path, cluster.auto_config_path))
            if not found.faults:
                self._entries = found
        return self._entries

    def start_with(self, entries: ConfigEntries) -> None:
        """What the server was started with: settings that need a restart stay as they are here."""
        self.started = self._entries = entries
        self._entries_key = self.settings_key()

    def addresses(self) -> dict[str, str]:
        """Where the server listens, as settings; those that have their defaults are left out."""
        port = self.port if self.shm is None else self.shm.port
        found = {
            "port": (str(port), "5432"),
            "listen_addresses": (",".join(self.hosts), "localhost"),
            "unix_socket_directories": (self.unix_socket_dir, "/var/run/postgresql"),
        }
        return {name: text for name, (text, default) in found.items() if text != default}

    def settings_key(self) -> int:
        """Changes whenever the configuration files are to be read again."""
        return 0 if self.shm is None else self.shm.config_generation

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


# what log() writes with, if not PostgreSQL's default format
_own_log: ServerLog | None = None


def set_log_format(settings: Mapping[str, str]) -> None:
    """Follow log_line_prefix."""
    global _own_log
    values = {
        "log_line_prefix": settings.get("log_line_prefix", DEFAULT_PREFIX),
        "log_timezone": "Etc/UTC",
        "log_error_verbosity": "default",
    }
    other = values["log_line_prefix"] != DEFAULT_PREFIX
    _own_log = ServerLog(values, connected=False) if other else None


def log(level: str, message: str) -> None:
    """One line to stderr."""
    if _own_log is not None:
        _own_log.write(level, message)
        return
    stamp = log_time("Etc/UTC", milliseconds=True)
    write_stderr(f"{stamp} [{os.getpid()}] {level}:  {message}\n")
