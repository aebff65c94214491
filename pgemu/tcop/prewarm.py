"""What a spare backend makes ready before it has a connection: settings, pg_hba.conf, and a
session of the database that clients most often want, with a slot of its own.

PostgreSQL has no counterpart: it forks when the client is there already.  Everything here is
checked again when the client comes (files by their times, rows by reading them), for a spare may
wait for hours.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import apsw

from pgemu.catalog.rows import PgAuthid, PgDatabase, PgDbRoleSetting, PgNamespace, PgType
from pgemu.catalog.store import DirectStore
from pgemu.catalog.syscache import Catalog
from pgemu.errors import PgError
from pgemu.executor.locking import attach_locks
from pgemu.guc import Settings
from pgemu.guc.config_files import initial_settings
from pgemu.libpq.hba import HbaLine, load_hba
from pgemu.storage.connection import open_database
from pgemu.storage.latch import Latch, LatchSender
from pgemu.storage.procarray import STARTING_BACKEND, Slot
from pgemu.tcop.backend_session import BackendSession

# Rows that the first statements of nearly every session look up.
_WARM: tuple[tuple[type[Any], dict[str, Any]], ...] = (
    (PgType, {"oid": 23}),
    (PgType, {"oid": 25}),
    (PgNamespace, {"nspname": "public"}),
)


# the pg_hba.conf that this process has read: path -> its times, its lines
_HBA: dict[str, tuple[tuple[int, int], tuple[HbaLine, ...]]] = {}


class Prepared:
    """database: the OID whose file `conn` has open; 0 and None if there is none."""

    def __init__(self, cluster: Any, config: Any) -> None:
        self.settings_key = config.settings_key()
        self.settings: Settings | None = boot_settings(cluster, config)
        self.hba(cluster)
        self.database = 0
        self.conn: apsw.Connection | None = None
        self.slot: Slot | None = None
        self._session: BackendSession | None = None
        self._open(cluster, config)

    def _open(self, cluster: Any, config: Any) -> None:
        fsync = config.fsync(cluster)
        path = cluster.database_path(5)
        if not os.path.exists(path):
            return
        conn = open_database(path, cluster.global_path, fsync=fsync)
        shared = Catalog(DirectStore(conn))
        shared.one(PgAuthid, rolname=config.user)
        row = shared.one(PgDatabase, datname=config.dbname)
        shared.all(PgDbRoleSetting)
        if row is not None and row.oid != 5:
            conn.close()
            path = cluster.database_path(row.oid)
            if not os.path.exists(path):
                return
            conn = open_database(path, cluster.global_path, fsync=fsync)
        store = DirectStore(conn)
        for cls, where in _WARM:
            store.scan(cls, where)
        self.database = row.oid if row is not None else 5
        self.conn = conn

    def begin_session(
        self, cluster: Any, shm: Any, config: Any, collations: Mapping[str, str]
    ) -> None:
        """Claim a slot, if one is free, and make a session of the open database."""
        if self.conn is None:
            return
        try:
            slot: Slot = shm.procarray.claim_slot(backend_type=STARTING_BACKEND)
        except PgError:
            return  # when the client comes it may be told so
        self.slot = slot
        self._session = self._make_session(
            cluster, shm, slot, config, collations, self.database, self.conn
        )

    def take_session(
        self,
        cluster: Any,
        shm: Any,
        slot: Slot,
        config: Any,
        collations: Mapping[str, str],
        database: int,
    ) -> BackendSession:
        """A session of this database: the one that was made, unless a file of settings has
        changed since."""
        session, self._session = self._session, None
        if session is not None:
            if self.database == database and self.settings_key == config.settings_key():
                session.accept_invalidations()
                return session
            close_session(session)
            self.conn = None
        conn = self._take_connection(database)
        return self._make_session(cluster, shm, slot, config, collations, database, conn)

    def _make_session(
        self,
        cluster: Any,
        shm: Any,
        slot: Slot,
        config: Any,
        collations: Mapping[str, str],
        database: int,
        conn: apsw.Connection | None,
    ) -> BackendSession:
        session = BackendSession(
            cluster,
            shm,
            slot,
            database,
            self._take_settings(cluster, config),
            fsync=config.fsync(cluster),
            collations=collations,
            conn=conn,
        )
        _attach_latch(session, cluster, shm, slot)
        return session

    def _take_settings(self, cluster: Any, config: Any) -> Settings:
        """The settings, made anew if a file changed since."""
        settings, self.settings = self.settings, None
        if settings is None or self.settings_key != config.settings_key():
            settings = boot_settings(cluster, config)
        return settings

    def hba(self, cluster: Any) -> tuple[HbaLine, ...]:
        path = cluster.hba_path
        key = _file_key(path)
        known = _HBA.get(path)
        if known is None or known[0] != key:
            known = _HBA[path] = key, load_hba(Path(path))
        return known[1]

    def _take_connection(self, database: int) -> apsw.Connection | None:
        """The open connection if it is that of this database; else it is closed."""
        conn, self.conn = self.conn, None
        if conn is not None and self.database != database:
            conn.close()
            return None
        return conn

    def close(self) -> None:
        if self._session is not None:
            close_session(self._session)
            self._session = None
        elif self.conn is not None:
            self.conn.close()
        self.conn = None


def _attach_latch(session: BackendSession, cluster: Any, shm: Any, slot: Slot) -> None:
    """What lets the session sleep and be woken."""
    latch = Latch(cluster.runtime, slot.number)
    latch.install_wakeup_fd()
    session.latch = latch
    session.xact.standing_slot = slot.number
    session.latch_sender = LatchSender(cluster.runtime)
    attach_locks(session, cluster, shm, slot, latch)


def close_session(session: BackendSession) -> None:
    """Give back the descriptors too that the end of the process would close: it may serve another
    connection."""
    if session.latch is not None:
        session.latch.close()
    session.close()
    for lock in (session.writer_lock, session.xact.global_lock, session.latch_sender):
        if lock is not None:
            lock.close()
    if session.locks is not None:
        session.locks.table.close()


def boot_settings(cluster: Any, config: Any) -> Settings:
    """The command line, the configuration files, and where they are."""
    settings = initial_settings(config.settings, config.started, config.entries(cluster))
    if "fsync" not in config.file_settings(cluster) and not config.fsync(cluster):
        settings.set("fsync", "off", source="default", context="postmaster")
    for name, text in config.addresses().items():
        settings.set(name, text, source="command line")
    for name, text in (
        ("config_file", cluster.config_path),
        ("data_directory", cluster.data),
        ("hba_file", cluster.hba_path),
        ("ident_file", cluster.ident_path),
    ):
        settings.set(name, text, source="override")
    return settings


def _file_key(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return 0, 0
    return status.st_mtime_ns, status.st_size
