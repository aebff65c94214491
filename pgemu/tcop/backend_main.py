"""A backend's life: start-up, authentication, session, message loop, end (PostgreSQL's
BackendMain, InitPostgres and the first half of PostgresMain).
"""

from __future__ import annotations

import os
import signal
import socket
from types import FrameType
from typing import Any

import apsw

from pgemu.catalog.roles import superuser
from pgemu.catalog.rows import PgAuthid, PgDatabase, PgDbRoleSetting
from pgemu.catalog.store import DirectStore
from pgemu.catalog.syscache import Catalog
from pgemu.errors import (
    ADMIN_SHUTDOWN,
    INVALID_CATALOG_NAME,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    QUERY_CANCELED,
    PgError,
)
from pgemu.fmgr.binding_index import install
from pgemu.guc.config_files import apply_entries
from pgemu.libpq.auth import RoleAuth, authenticate
from pgemu.libpq.elog import ServerLog, is_on
from pgemu.libpq.pqcomm import Connection, ConnectionLost
from pgemu.libpq.report import as_fatal, send_error, violation_error
from pgemu.libpq.startup import StartupParams, UnsupportedProtocol, negotiate
from pgemu.storage.connection import open_database, set_interrupt_check
from pgemu.storage.procarray import (
    BACKEND_START,
    DATABASE,
    INTERRUPT,
    INTERRUPT_TERMINATE,
    ROLE,
)
from pgemu.storage.procsignal import process_cancel_request
from pgemu.storage.template_cache import cache_folder
from pgemu.storage.writerlock import WriterLock
from pgemu.tcop.backend_session import BackendSession
from pgemu.tcop.copy_channel import CopyChannel
from pgemu.tcop.lost_indexes import rebuild_lost_indexes
from pgemu.tcop.postgres import Backend
from pgemu.tcop.prewarm import Prepared, boot_settings, close_session
from pgemu.tcop.session_log import log_disconnection, start_log
from pgemu.types.base import base_types
from pgemu_protocol.hot import backend_key_data
from pgemu_protocol.violation import ProtocolViolation

COLLATIONS = install(cache_folder(), base_types)


def prewarm(cluster: Any, shm: Any, config: Any) -> Prepared:
    """In a spare, before it has a connection: open what the first connection will want."""
    prepared = Prepared(cluster, config)
    prepared.begin_session(cluster, shm, config, COLLATIONS)
    return prepared


def backend_main(sock: socket.socket, cluster: Any, shm: Any, slot: Any, config: Any) -> bool:
    """Serve one connection to its end.  True: the process is as if it had never served one."""
    connection = Connection(sock)
    params, early = None, None
    try:
        if is_on(config.file_settings(cluster).get("log_connections", "off")):
            peer = connection.peer()
            host = f"{peer[0]} port={peer[1]}" if peer else "[local]"
            early = _early_log(connection, None, cluster, config)
            early.write("LOG", f"connection received: host={host}")
        params = _negotiate(connection, cluster, shm, config)
        if params is None:
            return False
        backend = _start(connection, params, cluster, shm, slot, config, early)
    except (ConnectionLost, BrokenPipeError):
        return False
    except ProtocolViolation as violation:
        if not violation.silent:
            error = as_fatal(violation_error(violation))
            _early_log(connection, params, cluster, config).report(error, None, "")
            send_error(connection, error)
        return False
    except PgError as error:
        _early_log(connection, params, cluster, config).report(as_fatal(error), None, "")
        old = isinstance(error, UnsupportedProtocol) and error.protocol2
        send_error(connection, as_fatal(error), protocol2=old)
        return False
    clean = False
    try:
        backend.run()
        clean = True
    except (ConnectionLost, BrokenPipeError):
        pass
    except ProtocolViolation as violation:
        _ended_by(backend, violation_error(violation))
    except PgError as error:
        _ended_by(backend, error)
    finally:
        if backend.session.guc.values["log_disconnections"]:
            log_disconnection(backend)
        _end(backend.session)
    return clean


def _ended_by(backend: Backend, error: PgError) -> None:
    error = as_fatal(error)
    if backend.log is not None:
        backend.log.report(error, None, "")
    send_error(backend.connection, error)


def _early_log(
    connection: Connection, params: StartupParams | None, cluster: Any, config: Any
) -> ServerLog:
    """The log while there is no session."""
    log = ServerLog(boot_settings(cluster, config).values, connection.peer())
    if params is not None:
        known = {"u": params.user, "d": params.database, "i": "authentication"}
        log.facts = known.get
    return log


def _negotiate(connection: Connection, cluster: Any, shm: Any, config: Any) -> StartupParams | None:
    tls = None
    settings = config.file_settings(cluster)
    if str(settings.get("ssl", "off")).lower() in ("on", "true", "yes", "1"):
        from pgemu.tcop.tls_config import tls_server

        tls = tls_server(cluster, settings)
    packet = negotiate(connection, tls)
    if isinstance(packet, StartupParams):
        return packet
    process_cancel_request(shm, packet.process_id, packet.secret_key)
    return None


def _start(
    connection: Connection,
    params: StartupParams,
    cluster: Any,
    shm: Any,
    slot: Any,
    config: Any,
    early: ServerLog | None,
) -> Backend:
    prepared = config.prewarmed or Prepared(cluster, config)
    config.prewarmed = None
    shared = _SharedCatalogs(cluster, prepared.conn)
    try:
        role_row = shared.role(params.user)
        role = authenticate(
            connection,
            params,
            prepared.hba(cluster),
            shared.lookup_role,
            mock_nonce=cluster.data.encode(),
        )
        del role
        if early is not None and connection.authenticated is not None:
            identity, method, line = connection.authenticated
            log = _early_log(connection, params, cluster, config)
            log.follows(early)
            early = log
            place = f"method={method} ({cluster.hba_path}:{line})"
            log.write("LOG", f'connection authenticated: identity="{identity}" {place}')
        database = shared.database(params.database, role_row)
        stored = shared.stored_settings(database.oid, role_row.oid)
    finally:
        shared.close()
    if database.datname == "template0":
        cluster.own_database_file(database.oid)
    slot.words[DATABASE] = database.oid
    slot.words[ROLE] = role_row.oid
    session = prepared.take_session(cluster, shm, slot, config, COLLATIONS, database.oid)
    session.ctx.database = database.datname
    session.authenticated_user_oid = role_row.oid
    session.set_session_user(role_row.oid)
    _apply_settings(session, stored, params, role_row)
    backend = Backend(connection, session)
    session.client = CopyChannel(backend)
    _signals(session, slot, config, prepared.settings_key)
    backend.latch = session.latch
    rebuild_lost_indexes(session)
    peer = connection.peer()
    slot.set_client(peer[0] if peer else "", peer[1] if peer else -1)
    session.server_address = connection.local_address() if peer else None
    slot.words[BACKEND_START] = slot.words[BACKEND_START] or _now_us()
    start_log(backend, peer, params, early)
    secret = os.urandom(4)
    slot.cancel_key = secret
    connection.write(backend_key_data(os.getpid(), secret))
    return backend


def _now_us() -> int:
    import time

    return time.time_ns() // 1000


def _apply_settings(
    session: BackendSession,
    stored: list[tuple[str, str, str]],
    params: StartupParams,
    role: PgAuthid,
) -> None:
    guc = session.guc
    for name, value in (
        ("is_superuser", "on" if role.rolsuper else "off"),
        ("session_authorization", role.rolname),
    ):
        guc.set(name, value, source="override")
    for name, value, source in stored:
        # whether one may was asked when the setting was stored
        try:
            guc.set(name, value, source=source, context="user", superuser=True)
        except PgError as error:
            warning = {"detail": error.detail, "hint": error.hint}
            session.notice("WARNING", error.sqlstate, error.message, **warning)
    for name, value in params.settings:
        guc.set(name, value, source="client", superuser=role.rolsuper)
    if guc.values["role"] != "none":
        shown = "on" if superuser(session.catalog) else "off"
        guc.set("is_superuser", shown, source="override")
    session.slot.application_name = str(guc.value("application_name"))
    guc.assign_hooks["application_name"] = lambda value: setattr(
        session.slot, "application_name", str(value)
    )


class _SharedCatalogs:
    """pg_authid, pg_database and pg_db_role_setting before there is a session."""

    def __init__(self, cluster: Any, conn: apsw.Connection | None) -> None:
        self._own: apsw.Connection | None = None
        if conn is None:
            conn = open_database(cluster.global_path, cluster.global_path)
            self._own = conn
        self._catalog = Catalog(DirectStore(conn))

    def close(self) -> None:
        if self._own is not None:
            self._own.close()

    def role(self, name: str) -> Any:
        return self._catalog.one(PgAuthid, rolname=name)

    def lookup_role(self, name: str) -> RoleAuth | None:
        row = self.role(name)
        if row is None:
            return None
        return RoleAuth(row.rolname, row.rolpassword, row.rolcanlogin, _seconds(row))

    def database(self, name: str, role: Any) -> PgDatabase:
        row = self._catalog.one(PgDatabase, datname=name)
        if row is None:
            raise PgError(
                INVALID_CATALOG_NAME, f'database "{name}" does not exist', severity="FATAL"
            )
        if not row.datallowconn:
            raise PgError(
                OBJECT_NOT_IN_PREREQUISITE_STATE,
                f'database "{name}" is not currently accepting connections',
                severity="FATAL",
            )
        del role
        return row

    def stored_settings(self, database: int, role: int) -> list[tuple[str, str, str]]:
        """ALTER DATABASE/ROLE ... SET as (name, value, source), the stronger ones first."""
        found: list[tuple[str, str, str]] = []
        rows = self._catalog.all(PgDbRoleSetting)
        keys = ((database, role), (0, role), (database, 0), (0, 0))
        sources = ("database user", "user", "database", "global")
        for key, source in zip(keys, sources, strict=True) if rows else ():
            of_key = [row for row in rows if (row.setdatabase, row.setrole) == key]
            for item in (of_key[0].setconfig or ()) if of_key else ():
                name, _, value = str(item).partition("=")
                found.append((name, value, source))
        return found


def _seconds(row: PgAuthid) -> float | None:
    """rolvaliduntil (microseconds since 2000) as seconds since 1970."""
    until: Any = row.rolvaliduntil
    if until is None or until >= 2**62:
        return None
    return float(until / 1e6 + 946_684_800)


def _signals(session: BackendSession, slot: Any, config: Any, settings_key: int) -> None:
    """Handlers only set flags; the statement's own polling raises."""

    def cancel(number: int, frame: FrameType | None) -> None:
        if not session.idle:  # a cancel that comes too late cancels nothing
            session.cancel_pending = True
            WriterLock.interrupt()

    def terminate(number: int, frame: FrameType | None) -> None:
        session.cancel_pending = True
        slot.words[INTERRUPT] |= INTERRUPT_TERMINATE
        if session.idle:
            raise _terminated()
        WriterLock.interrupt()

    def interrupted() -> PgError:
        session.cancel_pending = False
        why = slot.words[INTERRUPT]
        slot.words[INTERRUPT] = 0
        if why & INTERRUPT_TERMINATE:
            return _terminated()
        return PgError(QUERY_CANCELED, session.cancel_reason())

    def reload(number: int, frame: FrameType | None) -> None:
        session.reload = process_config_file

    def process_config_file() -> None:
        session.reload = None
        apply_entries(session.guc, config.entries(session.cluster), running=True)

    session.interrupt_handler = interrupted
    signal.signal(signal.SIGHUP, reload)
    if settings_key != config.settings_key():
        process_config_file()  # the signal came too early
    signal.signal(signal.SIGINT, cancel)
    signal.signal(signal.SIGTERM, terminate)
    set_interrupt_check(session.conn, lambda: session.cancel_pending)


def _terminated() -> PgError:
    return PgError(
        ADMIN_SHUTDOWN, "terminating connection due to administrator command", severity="FATAL"
    )


def _end(session: BackendSession) -> None:
    """Roll back what is open, drop temporary tables, leave nothing behind."""
    try:
        if session.xact.state != "idle" or session.xact.write_depth:
            session.rollback_transaction()
        if session.catalog.my_temp_namespace:
            from pgemu.commands.on_commit import reset_temp_table_namespace

            reset_temp_table_namespace(session)
        if session.locks is not None:
            session.locks.release_all(session=True)
            session.notify_queue.close()
    finally:
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        close_session(session)
