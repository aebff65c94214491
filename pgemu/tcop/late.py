"""What the postmaster loads and tries out in quiet moments after the start, a step at a time, so
that the backends which it forks later share it (shared_preload_libraries come closest).
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

import apsw

from pgemu.catalog.builtin_objects import prepare_to_fork
from pgemu.errors import PgError
from pgemu.fmgr.registry import aggregates, functions
from pgemu.nodes.node_class import compile_pending
from pgemu.storage.procarray import STARTING_BACKEND
from pgemu.tcop.heap_holes import fill_holes
from pgemu.tcop.hot_code import HotCode
from pgemu.tcop.rehearsal import rehearse
from pgemu.types.base import base_types

_FIRST = (
    "pgemu.tcop.simple",
    "pgemu.transam.recovery",
    "pgemu.types.lookup",
    "pgemu.planner.planner",
    "pgemu.rewrite.rewrite_handler",
    "pgemu.commands.utility",
)
Trial = tuple[str, tuple[Any, ...], tuple[int, ...]]
"""A statement, its parameters and their types."""
# the postmaster does nothing else for as long as these take
TRIALS_AT_ONCE = 4
# so many calls make CPython put a quicker code in place, and settle on it
REHEARSALS = 12
_SHAPES = (
    'SELECT "a"."oid", "a"."rolname", "a"."rolvaliduntil" FROM "pg_authid" AS "a"'
    ' WHERE "a"."oid" = 10 LIMIT 21',
    'SELECT 1 AS "a" FROM "pg_type" WHERE "pg_type"."typname" = \'int4\' LIMIT 1',
    "SELECT c.relname, n.nspname FROM pg_class c LEFT OUTER JOIN pg_namespace n"
    " ON (c.relnamespace = n.oid) WHERE c.oid IN (1247, 1249, 1255) AND NOT c.relisshared"
    " ORDER BY c.relname ASC, c.oid DESC LIMIT 10 OFFSET 1",
    "SELECT DISTINCT relkind FROM pg_class WHERE reltype <> 0 ORDER BY relkind",
    "SELECT relnamespace, sum(relnatts * 2), avg(relnatts), min(relname::text),"
    " count(*) FILTER (WHERE relhasindex) FROM pg_class GROUP BY relnamespace"
    " HAVING count(oid) > 3 ORDER BY 1",
    "SELECT coalesce(sum(CASE WHEN typtype IN ('b', 'c') THEN typlen ELSE NULL END), 0)"
    " FROM pg_type WHERE upper(typname::text) LIKE upper('%int%') AND typlen BETWEEN 1 AND 8",
    "SELECT count(*) FROM pg_type t WHERE EXISTS (SELECT 1 FROM pg_range r WHERE"
    " r.rngtypid = t.oid) AND t.oid NOT IN (SELECT r.rngsubtype FROM pg_range r)",
    "SELECT r.rngtypid, (SELECT count(*) FROM pg_type t WHERE t.oid = r.rngsubtype) AS n,"
    " row_number() OVER (PARTITION BY r.rngcollation ORDER BY r.rngtypid DESC) FROM pg_range r",
    "WITH top AS (SELECT oid, typname FROM pg_type WHERE typlen = 8 ORDER BY 2 LIMIT 3)"
    " SELECT t.typname FROM top t JOIN pg_type p ON p.oid = t.oid",
    "(SELECT oid, rolname FROM pg_authid WHERE oid < 20) UNION (SELECT oid, datname FROM"
    " pg_database) ORDER BY 1, 2 LIMIT 3",
    "SELECT date_trunc('month', rolvaliduntil AT TIME ZONE 'UTC') AS m, count(*) FROM pg_authid"
    " WHERE rolvaliduntil < '2024-01-01 00:00:00+00'::timestamptz - '30 days'::interval GROUP BY 1",
    "SELECT j.v ->> 'a', (j.n * 2)::numeric(10, 2), md5('x'), 1.5 + 2, j.b IS NOT TRUE FROM"
    " (SELECT '{\"a\": 1}'::jsonb AS v, '12.50'::numeric AS n, true AS b) j"
    " WHERE j.v @> '{\"a\": 1}'::jsonb AND j.n >= 1.00 AND 5 = ANY (ARRAY[1, 5])",
    "EXPLAIN INSERT INTO pg_description (objoid, classoid, objsubid, description) VALUES"
    " (1, 1, 0, 'a'), (2, 1, 0, NULL) RETURNING objoid",
    "EXPLAIN INSERT INTO information_schema.sql_features (feature_id, feature_name) VALUES"
    " ('a', 'b') ON CONFLICT DO NOTHING",
    "EXPLAIN UPDATE pg_description SET objsubid = (pg_description.objsubid - 1),"
    " description = 'a' WHERE pg_description.objoid = 1",
    "EXPLAIN DELETE FROM pg_description WHERE objoid IN (SELECT oid FROM pg_class WHERE oid = 1)",
)
# Comparisons, grouping and aggregates of usual types, for the sake of what is looked up for them.
_COMPARED = (
    "EXPLAIN SELECT v, count(v), array_agg(v){more} FROM (SELECT NULL::{type} AS v) t WHERE v = v"
    " AND v <> v AND v < v AND v <= v AND v > v AND v >= v AND v = NULL AND v IN (v, NULL)"
    " AND v = ANY (ARRAY[v]) AND v BETWEEN NULL AND v AND v IS NOT NULL GROUP BY v ORDER BY v DESC"
)
_EXTREMES = ", min(v), max(v)"
_SUMS = ", min(v), max(v), sum(v), avg(v), sum(v + v - v * v), sum(v / v), sum(v + 1 - 1 * v)"
_TYPES = {
    "bool": "", "uuid": "", "jsonb": "", "bytea": "", "text": _EXTREMES,
    "varchar(9)": ", min(upper(v)), max(lower(v)), min(v || v), count(v LIKE v)",
    "date": _EXTREMES, "timestamp": _EXTREMES, "timestamptz": _EXTREMES, "interval": _EXTREMES,
    "int4": _SUMS, "int8": _SUMS, "int2": _SUMS, "float8": _SUMS, "numeric(9,2)": _SUMS,
}  # fmt: skip
# What drivers and ORMs ask first, and the shapes of their statements, over tables that every
# database has.
_TRIALS: tuple[Trial, ...] = (
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
    *((text, (), ()) for text in _SHAPES),
    *((_COMPARED.format(type=name, more=more), (), ()) for name, more in _TYPES.items()),
)


def steps(cluster: Any, shm: Any, config: Any) -> Iterator[None]:
    """Each next() loads one more module; the last ones run some statements."""
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
        for start in range(0, len(_TRIALS), TRIALS_AT_ONCE):
            try_out(cluster, shm, config, _TRIALS[start : start + TRIALS_AT_ONCE])
            yield
        yield from rehearsals(cluster, shm, config)
        prepare_to_fork()
    except (PgError, apsw.Error):
        return  # it only makes backends start sooner


def rehearsals(cluster: Any, shm: Any, config: Any) -> Iterator[None]:
    """Whole connections: the first one tells what code is to be moved together, the others make
    its copies quick."""
    hot = HotCode()
    with hot.watch():
        rehearse(cluster, shm, config)
    yield
    gc.unfreeze()
    fillers = fill_holes()
    hot.move()
    yield
    for _ in range(REHEARSALS):
        rehearse(cluster, shm, config)
        yield
    del fillers


def try_out(cluster: Any, shm: Any, config: Any, trials: Sequence[Trial]) -> None:
    """Fill the process's caches by use.  SQLite is closed again: the caller forks."""
    from pgemu.tcop.backend_main import COLLATIONS
    from pgemu.tcop.backend_session import BackendSession
    from pgemu.tcop.prewarm import boot_settings

    settings = boot_settings(cluster, config)
    slot = shm.procarray.claim_slot(backend_type=STARTING_BACKEND)
    try:
        session = BackendSession(
            cluster, shm, slot, 5, settings, fsync=config.fsync(cluster), collations=COLLATIONS
        )
        try:
            session.set_session_user(10)
            for text, params, types in trials:
                session.start_statement()
                session.begin_implicit()
                session.query(text, params, types)
                session.end_implicit()
        finally:
            session.close()
            session.writer_lock.close()
    finally:
        shm.procarray.release(slot)
