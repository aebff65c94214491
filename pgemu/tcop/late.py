"""What the postmaster loads and tries out in quiet moments after the start, a step at a time, so
that the backends which it forks later share it (shared_preload_libraries come closest).
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import apsw

from pgemu.errors import PgError
from pgemu.fmgr.registry import aggregates, functions
from pgemu.nodes.node_class import compile_pending
from pgemu.storage.procarray import STARTING_BACKEND
from pgemu.types.base import base_types

_FIRST = (
    "pgemu.tcop.simple",
    "pgemu.transam.recovery",
    "pgemu.types.lookup",
    "pgemu.planner.planner",
    "pgemu.rewrite.rewrite_handler",
    "pgemu.commands.utility",
)
# What drivers and ORMs ask first, and the shapes of simple statements.
_TRIALS: tuple[tuple[str, tuple[Any, ...], tuple[int, ...]], ...] = (
    ("SELECT 1", (), ()),
    ("SELECT $1 + 1, $2::text", (1, "a"), (23, 25)),
    ("SELECT pg_catalog.version(), current_schema(), current_database()", (), ()),
    (
        "SELECT n.nspname, c.relname, count(*) FROM pg_class c JOIN pg_namespace n"
        " ON n.oid = c.relnamespace WHERE c.relkind = ANY ('{r,v}') AND c.relname LIKE $1"
        " GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 2",
        ("pg_d%",),
        (25,),
    ),
)


def steps(cluster: Any, shm: Any, config: Any) -> Iterator[None]:
    """Each next() loads one more module; the last runs some statements."""
    for name in _FIRST:
        import_module(name)
        yield
    for table in (base_types, functions, aggregates):
        for name in sorted(set(table.index.values())):
            import_module(name)
            yield
    compile_pending()
    yield
    try:
        try_out(cluster, shm, config)
    except (PgError, apsw.Error):
        return  # it only makes backends start sooner


def try_out(cluster: Any, shm: Any, config: Any) -> None:
    """Fill the process's caches by use.  SQLite is closed again: the caller forks."""
    from pgemu.guc import Settings
    from pgemu.libpq.hba import load_hba
    from pgemu.tcop.backend_main import COLLATIONS
    from pgemu.tcop.backend_session import BackendSession
    from pgemu.tcop.prewarm import boot_settings

    load_hba(Path(cluster.hba_path))
    settings = Settings(boot_settings(cluster, config))
    slot = shm.procarray.claim_slot(backend_type=STARTING_BACKEND)
    try:
        session = BackendSession(
            cluster, shm, slot, 5, settings, fsync=config.fsync(cluster), collations=COLLATIONS
        )
        try:
            session.set_session_user(10)
            for text, params, types in _TRIALS:
                session.start_statement()
                session.begin_implicit()
                session.query(text, params, types)
                session.end_implicit()
        finally:
            session.close()
            session.writer_lock.close()
    finally:
        shm.procarray.release(slot)
