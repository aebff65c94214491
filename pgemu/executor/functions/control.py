"""The server as a whole: start, configuration, WAL positions, replication (xlogfuncs.c, ...).

There is no WAL: its position is that of the transaction counter, which grows as WAL would.
Functions of replication and backup answer as a server does that has none set up.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from typing import Any

from pgemu.catalog.extension_data import available
from pgemu.errors import (
    INSUFFICIENT_PRIVILEGE,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    UNDEFINED_OBJECT,
    PgError,
)
from pgemu.fmgr import PG_EPOCH_UNIX_US, CallContext, pg_function
from pgemu.types.comparison import load_unsigned

_SEGMENT = 16 << 20
_LSN_AT_START = 0x1_0000_0000 // 256
_BYTES_PER_XACT = 128
Row = tuple[Any, ...]


@pg_function("pg_postmaster_start_time()", context=True)
def pg_postmaster_start_time(ctx: CallContext) -> int:
    return int(ctx.session.shm.postmaster_start) - PG_EPOCH_UNIX_US


@pg_function("pg_conf_load_time()", context=True)
def pg_conf_load_time(ctx: CallContext) -> int:
    """The configuration is read at start; a later reload is not remembered."""
    return int(ctx.session.shm.postmaster_start) - PG_EPOCH_UNIX_US


@pg_function("pg_reload_conf()", context=True)
def pg_reload_conf(ctx: CallContext) -> bool:
    """SIGHUP to the postmaster."""
    pid = ctx.session.shm.postmaster_pid
    if not pid:
        return False
    os.kill(pid, signal.SIGHUP)
    return True


@pg_function("pg_rotate_logfile()", "pg_rotate_logfile_old()", context=True)
def pg_rotate_logfile(ctx: CallContext) -> bool:
    ctx.notice("WARNING", "01000", "rotation not possible because log collection not active")
    return False


@pg_function("pg_current_logfile()", "pg_current_logfile(text)")
def pg_current_logfile(kind: str = "") -> str | None:
    return None


# -- WAL -----------------------------------------------------------------------------------------


@pg_function(
    "pg_current_wal_lsn()",
    "pg_current_wal_insert_lsn()",
    "pg_current_wal_flush_lsn()",
    "pg_switch_wal()",
    context=True,
)
def pg_current_wal_lsn(ctx: CallContext) -> int:
    return _LSN_AT_START + int(ctx.session.shm.read_next_xid()) * _BYTES_PER_XACT


@pg_function("pg_walfile_name(pg_lsn)")
def pg_walfile_name(lsn: int | str) -> str:
    segment = (load_unsigned(lsn) - 1) % (1 << 64) // _SEGMENT
    return f"{1:08X}{segment // 256:08X}{segment % 256:08X}"


@pg_function("pg_walfile_name_offset(pg_lsn)")
def pg_walfile_name_offset(lsn: int | str) -> tuple[str, int]:
    return pg_walfile_name(lsn), load_unsigned(lsn) % _SEGMENT


@pg_function(
    "pg_last_wal_receive_lsn()", "pg_last_wal_replay_lsn()", "pg_last_xact_replay_timestamp()"
)
def pg_last_wal_receive_lsn() -> int | None:
    return None


def _recovery_only() -> Any:
    raise PgError(
        OBJECT_NOT_IN_PREREQUISITE_STATE,
        "recovery is not in progress",
        hint="Recovery control functions can only be executed during recovery.",
    )


pg_function(
    "pg_is_wal_replay_paused()",
    "pg_get_wal_replay_pause_state()",
    "pg_wal_replay_pause()",
    "pg_wal_replay_resume()",
)(_recovery_only)


@pg_function("pg_promote(bool, int4)")
def pg_promote(wait: int, seconds: int) -> Any:
    return _recovery_only()


# -- things of which there are none ---------------------------------------------------------------


def _no_rows() -> Iterator[Row]:
    return iter(())


pg_function(
    "pg_stat_get_wal_senders()",
    "pg_get_replication_slots()",
    "pg_get_shmem_allocations()",
    "pg_get_backend_memory_contexts()",
)(_no_rows)


@pg_function("pg_stat_get_wal_receiver()")
def pg_stat_get_wal_receiver() -> Any:
    return None


@pg_function("pg_stat_get_subscription(oid)")
def pg_stat_get_subscription(subid: int | None) -> Iterator[Row]:
    return iter(())


@pg_function("pg_stat_get_progress_info(text)")
def pg_stat_get_progress_info(command: str) -> Iterator[Row]:
    return iter(())


@pg_function("pg_indexam_progress_phasename(oid, int8)")
def pg_indexam_progress_phasename(am: int, phase: int) -> str | None:
    return None


@pg_function("pg_mcv_list_items(pg_mcv_list)")
def pg_mcv_list_items(mcv: str) -> Iterator[Row]:
    return iter(())


@pg_function("pg_get_publication_tables(text)", context=True)
def pg_get_publication_tables(ctx: CallContext, name: str) -> Iterator[Row]:
    """(relid, attrs, qual)"""
    from pgemu.catalog.rows import PgPublication, PgPublicationRel

    publication = ctx.catalog.one(PgPublication, pubname=name)
    if publication is None:
        raise PgError(UNDEFINED_OBJECT, f'publication "{name}" does not exist')
    members = {m.prrelid: m for m in ctx.catalog.all(PgPublicationRel, prpubid=publication.oid)}
    for relid, schema_wide in _published(ctx.catalog, publication, list(members)).items():
        member = None if schema_wide else members.get(relid)
        attrs = None if member is None else member.prattrs
        text = json.dumps(list(attrs), separators=(",", ":")) if attrs is not None else None
        yield relid, text, None if member is None else member.prqual


def _published(catalog: Any, publication: Any, members: list[int]) -> dict[int, bool]:
    """The tables of a publication, in its way of publishing partitions: whether they are in it
    because of all tables or a whole schema."""
    from pgemu.catalog.rows import PgClass, PgPublicationNamespace

    def of(**where: Any) -> list[int]:
        kinds = "rp" if "relnamespace" in where or publication.pubviaroot else "r"
        rows = [c for kind in kinds for c in catalog.all(PgClass, relkind=kind, **where)]
        return [c.oid for c in rows if c.oid >= 16384 and c.relpersistence == "p"]

    found: dict[int, bool] = {}
    if publication.puballtables:
        found.update(dict.fromkeys(of(), True))
    schemas = catalog.all(PgPublicationNamespace, pnpubid=publication.oid)
    chosen = [(relid, False) for relid in members]
    chosen += [(relid, True) for s in schemas for relid in of(relnamespace=s.pnnspid)]
    for relid, whole in chosen:
        for one in [relid] if publication.pubviaroot else _leaves(catalog, relid):
            found[one] = found.get(one, False) or whole
    if publication.pubviaroot:
        roots = set(found)
        found = {k: v for k, v in found.items() if not roots & set(_ancestors(catalog, k))}
        if publication.puballtables:
            found = {k: v for k, v in found.items() if not catalog.relation(k).row.relispartition}
    return found


def _leaves(catalog: Any, relid: int) -> list[int]:
    relation = catalog.relation(relid)
    if relation.relkind != "p":
        return [relid]
    return [leaf for child in relation.children for leaf in _leaves(catalog, child)]


def _ancestors(catalog: Any, relid: int) -> Iterator[int]:
    from pgemu.catalog.rows import PgInherits

    link = catalog.one(PgInherits, inhrelid=relid, inhseqno=1)
    if link is not None and catalog.relation(relid).row.relispartition:
        yield link.inhparent
        yield from _ancestors(catalog, link.inhparent)


# -- what was built -------------------------------------------------------------------------------


@pg_function("pg_available_extension_versions()")
def pg_available_extension_versions() -> Iterator[Row]:
    for c in available():
        facts = (c.superuser, c.trusted, c.relocatable)
        yield c.name, c.version, *facts, c.schema, None, c.comment


@pg_function("pg_extension_update_paths(name)")
def pg_extension_update_paths(name: str) -> Iterator[Row]:
    return iter(())


@pg_function("pg_extension_config_dump(regclass, text)")
def pg_extension_config_dump(relid: int, condition: str) -> Any:
    raise PgError(
        "0A000",
        "pg_extension_config_dump() can only be called from an SQL script executed by "
        "CREATE EXTENSION",
    )


@pg_function("pg_config()", context=True)
def pg_config(ctx: CallContext) -> Iterator[tuple[str, str]]:
    yield "VERSION", f"PostgreSQL {ctx.guc.get('server_version')}"


@pg_function("pg_control_init()")
def pg_control_init() -> Row:
    return 8, 8192, 131072, 8192, _SEGMENT, 64, 32, 1996, 2048, True, 0


@pg_function("pg_control_system()", context=True)
def pg_control_system(ctx: CallContext) -> Row:
    started = pg_postmaster_start_time(ctx)
    return 1300, 202209061, int(ctx.session.shm.postmaster_start), started


@pg_function("pg_control_recovery()")
def pg_control_recovery() -> Row:
    return 0, 0, 0, 0, False


@pg_function("pg_settings_get_flags(text)", context=True)
def pg_settings_get_flags(ctx: CallContext, name: str) -> str | None:
    """The flags of a setting, as an array; NULL if there is no such setting."""
    try:
        setting = ctx.guc.find(name)[1]
    except PgError:
        return None
    flags = getattr(setting, "flags", ())
    names = flags.split(",") if isinstance(flags, str) else list(flags)
    known = ("EXPLAIN", "NO_SHOW_ALL", "NO_RESET_ALL", "NOT_IN_SAMPLE", "RUNTIME_COMPUTED")
    return json.dumps([f for f in known if f in names], separators=(",", ":"))


@pg_function("pg_import_system_collations(regnamespace)")
def pg_import_system_collations(namespace: int) -> int:
    return 0


@pg_function("pg_stop_making_pinned_objects()")
def pg_stop_making_pinned_objects() -> str:
    raise PgError(
        INSUFFICIENT_PRIVILEGE, "permission denied for function pg_stop_making_pinned_objects"
    )
