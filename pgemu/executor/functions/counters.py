"""Cumulative statistics: the functions behind pg_stat_user_tables, pg_stat_database and the like.

pgemu does not count: counters are 0, times are NULL, and numbers of rows are those of the table
itself.  What a client may rely on is that the views exist, have their rows and answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pgemu.catalog.rows import PgClass, PgDatabase
from pgemu.errors import INVALID_PARAMETER_VALUE, PgError
from pgemu.fmgr import CallContext, pg_function
from pgemu.storage.procarray import CLIENT_BACKEND

Row = tuple[Any, ...]


def _zero(_oid: int) -> int:
    return 0


def _zero_float(_oid: int) -> float:
    return 0.0


def _never(_oid: int) -> None:
    return None


def _bind(names: str, stem: str, body: Callable[..., Any]) -> None:
    for name in names.split():
        pg_function(f"pg_stat_get_{stem}{name}(oid)")(body)


# of a table or index
_bind(
    "numscans tuples_returned tuples_fetched tuples_inserted tuples_updated tuples_deleted "
    "tuples_hot_updated dead_tuples mod_since_analyze ins_since_vacuum blocks_fetched blocks_hit "
    "vacuum_count autovacuum_count analyze_count autoanalyze_count",
    "",
    _zero,
)
_bind(
    "numscans tuples_returned tuples_fetched tuples_inserted tuples_updated tuples_deleted "
    "tuples_hot_updated blocks_fetched blocks_hit",
    "xact_",
    _zero,
)
_bind("last_vacuum_time last_autovacuum_time last_analyze_time last_autoanalyze_time", "", _never)
# of a function: NULL until it is counted, which it never is
_bind("function_calls function_total_time function_self_time", "", _never)
_bind("function_calls function_total_time function_self_time", "xact_", _never)
# of a database
_bind(
    "xact_commit xact_rollback blocks_fetched blocks_hit tuples_returned tuples_fetched "
    "tuples_inserted tuples_updated tuples_deleted conflict_tablespace conflict_lock "
    "conflict_snapshot conflict_bufferpin conflict_startup_deadlock conflict_all temp_files "
    "temp_bytes deadlocks sessions sessions_abandoned sessions_fatal sessions_killed",
    "db_",
    _zero,
)
_bind(
    "blk_read_time blk_write_time session_time active_time idle_in_transaction_time",
    "db_",
    _zero_float,
)
_bind("checksum_failures checksum_last_failure stat_reset_time", "db_", _never)


@pg_function("pg_stat_get_live_tuples(oid)", context=True)
def pg_stat_get_live_tuples(ctx: CallContext, relid: int) -> int:
    """Rows in the table now."""
    row = ctx.catalog.one(PgClass, oid=relid)
    if row is None or row.relkind not in "rm" or ctx.session is None:
        return 0
    name = ctx.catalog.relation(relid).sqlite_name
    return int(ctx.session.xact.execute(f"SELECT count(*) FROM {name}")[0][0])


@pg_function("pg_stat_get_db_numbackends(oid)", context=True)
def pg_stat_get_db_numbackends(ctx: CallContext, database: int) -> int:
    if ctx.catalog.one(PgDatabase, oid=database) is None:
        return 0
    return sum(
        1
        for slot in ctx.session.shm.procarray.slots()
        if slot.database == database and slot.words[1] == CLIENT_BACKEND
    )


# of the server
def _nothing() -> int:
    return 0


pg_function(
    "pg_stat_get_bgwriter_timed_checkpoints()",
    "pg_stat_get_bgwriter_requested_checkpoints()",
    "pg_stat_get_bgwriter_buf_written_checkpoints()",
    "pg_stat_get_bgwriter_buf_written_clean()",
    "pg_stat_get_bgwriter_maxwritten_clean()",
    "pg_stat_get_buf_written_backend()",
    "pg_stat_get_buf_fsync_backend()",
    "pg_stat_get_buf_alloc()",
)(_nothing)
pg_function("pg_stat_get_checkpoint_write_time()", "pg_stat_get_checkpoint_sync_time()")(
    lambda: 0.0
)


@pg_function("pg_stat_get_bgwriter_stat_reset_time()", context=True)
def pg_stat_get_bgwriter_stat_reset_time(ctx: CallContext) -> int:
    from pgemu.executor.functions.control import pg_postmaster_start_time

    return pg_postmaster_start_time(ctx)


@pg_function("pg_stat_get_wal()", context=True)
def pg_stat_get_wal(ctx: CallContext) -> Row:
    reset = pg_stat_get_bgwriter_stat_reset_time(ctx)
    return 0, 0, "0", 0, 0, 0, 0.0, 0.0, reset


@pg_function("pg_stat_get_archiver()", context=True)
def pg_stat_get_archiver(ctx: CallContext) -> Row:
    return 0, None, None, 0, None, None, pg_stat_get_bgwriter_stat_reset_time(ctx)


_SLRUS = (
    "CommitTs", "MultiXactMember", "MultiXactOffset", "Notify", "Serial", "Subtrans", "Xact",
    "other",
)  # fmt: skip


@pg_function("pg_stat_get_slru()", context=True)
def pg_stat_get_slru(ctx: CallContext) -> Iterator[Row]:
    reset = pg_stat_get_bgwriter_stat_reset_time(ctx)
    for name in _SLRUS:
        yield (name, 0, 0, 0, 0, 0, 0, 0, reset)


@pg_function("pg_stat_get_recovery_prefetch()")
def pg_stat_get_recovery_prefetch() -> Iterator[Row]:
    yield (None, 0, 0, 0, 0, 0, 0, 0, 0, 0)


@pg_function("pg_stat_get_replication_slot(text)")
def pg_stat_get_replication_slot(name: str) -> Row:
    return (name, 0, 0, 0, 0, 0, 0, 0, 0, None)


@pg_function("pg_stat_get_subscription_stats(oid)")
def pg_stat_get_subscription_stats(subid: int) -> Row:
    return (subid, 0, 0, None)


_RESET_TARGETS = frozenset({"archiver", "bgwriter", "recovery_prefetch", "wal"})
_FIXED_KINDS = frozenset({"archiver", "bgwriter", "checkpointer", "slru", "wal"})
_VARIABLE_KINDS = frozenset({"database", "relation", "function", "replslot", "subscription"})


@pg_function("pg_stat_have_stats(text, oid, oid)", context=True)
def pg_stat_have_stats(ctx: CallContext, kind: str, database: int, objid: int) -> bool:
    """Kinds with one entry have it; of the others databases alone are counted here."""
    if kind.lower() in _FIXED_KINDS:
        return True
    if kind.lower() not in _VARIABLE_KINDS:
        raise PgError(INVALID_PARAMETER_VALUE, f'invalid statistics kind: "{kind}"')
    if kind.lower() != "database" or objid:
        return False
    return not database or ctx.catalog.one(PgDatabase, oid=database) is not None


@pg_function("pg_stat_get_snapshot_timestamp()")
def pg_stat_get_snapshot_timestamp() -> int | None:
    return None


@pg_function("pg_stat_reset_shared(text)")
def pg_stat_reset_shared(target: str) -> str:
    if target not in _RESET_TARGETS:
        raise PgError(
            INVALID_PARAMETER_VALUE,
            f'unrecognized reset target: "{target}"',
            hint='Target must be "archiver", "bgwriter", "recovery_prefetch", or "wal".',
        )
    return ""


pg_function("pg_stat_clear_snapshot()", "pg_stat_force_next_flush()", "pg_stat_reset()")(lambda: "")
pg_function(
    "pg_stat_reset_slru(text)",
    "pg_stat_reset_replication_slot(text)",
    "pg_stat_reset_single_table_counters(oid)",
    "pg_stat_reset_single_function_counters(oid)",
    "pg_stat_reset_subscription_stats(oid)",
)(lambda _what: "")
