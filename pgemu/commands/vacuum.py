"""VACUUM, ANALYZE, CHECKPOINT (PostgreSQL's vacuum.c, analyze.c).

Dead rows do not exist in SQLite's tables, so VACUUM checks its options and refreshes reltuples;
ANALYZE also lets SQLite gather its own statistics.
"""

from __future__ import annotations

from typing import Any

from pgemu.catalog.roles import has_privs_of_role
from pgemu.catalog.rows import PgClass, PgDatabase
from pgemu.commands.define import def_get_boolean, def_get_int, elements, strings
from pgemu.commands.index_build import estimated_pages
from pgemu.commands.permissions import owns
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    INSUFFICIENT_PRIVILEGE,
    LOCK_NOT_AVAILABLE,
    SYNTAX_ERROR,
    UNDEFINED_COLUMN,
    UNDEFINED_TABLE,
    PgError,
)
from pgemu.executor.lock_levels import ACCESS_EXCLUSIVE, ACCESS_SHARE, SHARE_UPDATE_EXCLUSIVE
from pgemu.executor.waiting import retrying
from pgemu.planner.fromclause import no_fdw_handler
from pgemu.transam.xact import IDLE

FIRST_NORMAL_OBJECT_ID = 16384
ROLE_PG_CHECKPOINT = 4544
PG_CATALOG_NAMESPACE = 11
_VACUUM_OPTIONS = (
    "full", "freeze", "verbose", "analyze", "disable_page_skipping", "skip_locked",
    "index_cleanup", "process_toast", "truncate", "parallel",
)  # fmt: skip
_ANALYZE_OPTIONS = ("verbose", "skip_locked")


def vacuum(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """VACUUM and ANALYZE."""
    is_vacuum = bool(stmt.get("is_vacuumcmd"))
    word = "VACUUM" if is_vacuum else "ANALYZE"
    given: dict[str, Any] = {}
    for option in elements(stmt.get("options")):
        name = option["defname"]
        if name not in (_VACUUM_OPTIONS if is_vacuum else _ANALYZE_OPTIONS):
            raise PgError(
                SYNTAX_ERROR,
                f'unrecognized {word} option "{name}"',
                location=option.get("location"),
            )
        given[name] = _option_value(name, option)
    analyze = not is_vacuum or bool(given.get("analyze"))
    if is_vacuum:
        session.xact.prevent_in_transaction_block("VACUUM", st.top_level)
        if given.get("full") and given.get("parallel"):
            raise PgError(FEATURE_NOT_SUPPORTED, "VACUUM FULL cannot be performed in parallel")
        if given.get("full") and given.get("disable_page_skipping"):
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                "VACUUM option DISABLE_PAGE_SKIPPING cannot be used with FULL",
            )
        if given.get("full") and given.get("process_toast") is False:
            raise PgError(FEATURE_NOT_SUPPORTED, "PROCESS_TOAST required with VACUUM FULL")
    targets = [r["VacuumRelation"] for r in stmt.get("rels", ())]
    if is_vacuum and not analyze and any(t.get("va_cols") for t in targets):
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "ANALYZE option must be specified when a column list is provided",
        )
    if targets:
        chosen = _expand(session, targets, given, word)
    else:
        chosen = [(relation.oid, "") for relation in _all_tables(session)]
    alone = session.locks is not None and session.xact.state == IDLE
    for oid, name in chosen:
        if alone:  # each table has a transaction of its own
            session.begin_implicit(pipeline=True)
        _work_on(session, oid, name, given, is_vacuum=is_vacuum, analyze=analyze)
        if alone:
            session.end_implicit()
    return CommandResult(word)


def _expand(
    session: Any, targets: list[dict[str, Any]], given: dict[str, Any], word: str
) -> list[tuple[int, str]]:
    """expand_vacuum_rel: the tables that are named (OID, name), and behind a partitioned one its
    partitions, nameless."""
    from pgemu.catalog.namespace import range_var_get_relid

    catalog = session.catalog
    found = []
    for target in targets:
        oid = range_var_get_relid(catalog, target["relation"])
        if not _pass(session, oid, skip=bool(given.get("skip_locked"))):
            _not_locked(session, catalog.relation(oid).name, word)
            continue
        session.accept_invalidations()
        relation = catalog.relation(range_var_get_relid(catalog, target["relation"]))
        _check_columns(relation, strings(target.get("va_cols")))
        if _may_work_on(session, relation, word):
            found.append((relation.oid, relation.name))
            if relation.relkind == "p":
                found += [(oid, "") for oid in relation.all_inheritors if oid != relation.oid]
    return found


def _pass(session: Any, oid: int, *, skip: bool) -> bool:
    """Wait until the table may be looked at; False: SKIP_LOCKED, and it may not be yet."""
    locks = session.locks
    if locks is None or oid < FIRST_NORMAL_OBJECT_ID:
        return True
    tag = locks.tag(oid)
    if not locks.acquire(tag, ACCESS_SHARE, dont_wait=skip):
        return False
    locks.release(tag, ACCESS_SHARE)
    return True


def _may_work_on(session: Any, relation: Any, word: str) -> bool:
    who = _who_may(session, relation)
    if who:
        session.notice(
            "WARNING",
            "01000",
            f'skipping "{relation.name}" --- only {who} can {word.lower()} it',
        )
    return not who


def _not_locked(session: Any, name: str, word: str) -> None:
    session.notice(
        "WARNING",
        LOCK_NOT_AVAILABLE,
        f'skipping {"vacuum" if word == "VACUUM" else "analyze"} of "{name}" --- '
        "lock not available",
    )


def _open(session: Any, oid: int, name: str, mode: int, word: str, *, skip: bool) -> Any:
    """vacuum_open_relation: the table, locked; None: it cannot be had, or has gone."""
    locks = session.locks
    if locks is not None and oid >= FIRST_NORMAL_OBJECT_ID:
        if not locks.relation(oid, mode, nowait=skip):
            if name:
                _not_locked(session, name, word)
            return None
        session.accept_invalidations()
    if session.catalog.one(PgClass, oid=oid) is not None:
        return session.catalog.relation(oid)
    if name:
        session.notice(
            "WARNING",
            UNDEFINED_TABLE,
            f'skipping {word.lower()} of "{name}" --- relation no longer exists',
        )
    return None


def _work_on(
    session: Any, oid: int, name: str, given: dict[str, Any], *, is_vacuum: bool, analyze: bool
) -> None:
    """vacuum_rel and analyze_rel of one table."""
    word = "VACUUM" if is_vacuum else "ANALYZE"
    mode = ACCESS_EXCLUSIVE if given.get("full") else SHARE_UPDATE_EXCLUSIVE
    skip = bool(given.get("skip_locked"))
    relation = _open(session, oid, name, mode, word, skip=skip)
    if relation is None or not (name or _may_work_on(session, relation, word)):
        return
    if relation.relkind == "f" and word == "ANALYZE":
        raise no_fdw_handler(session.catalog, oid)
    if relation.relkind not in "rmpt":
        session.notice(
            "WARNING",
            "01000",
            f'skipping "{relation.name}" --- cannot {word.lower()} non-tables or special system '
            "tables",
        )
        return
    if analyze and session.locks is not None:
        for child in relation.all_inheritors:
            if child != oid:
                session.locks.relation(child, ACCESS_SHARE)
        session.accept_invalidations()

    def refresh() -> None:
        relation = session.catalog.relation(oid)
        _refresh(session, relation, given, is_vacuum=is_vacuum, analyze=analyze)

    retrying(session, refresh)


def _who_may(session: Any, relation: Any) -> str:
    """vacuum_is_relation_owner: empty if the user may work on the table, else who may."""
    catalog = session.catalog
    shared = catalog.get(PgClass, oid=relation.oid).relisshared
    database = catalog.get(PgDatabase, oid=session.ctx.database_oid)
    if owns(session, relation.owner) or (owns(session, database.datdba) and not shared):
        return ""
    if shared:
        return "superuser"
    if relation.namespace == PG_CATALOG_NAMESPACE:
        return "superuser or database owner"
    return "table or database owner"


def _option_value(name: str, option: dict[str, Any]) -> Any:
    if name == "parallel":
        if option.get("arg") is None:
            raise PgError(
                SYNTAX_ERROR,
                "parallel option requires a value between 0 and 1024",
                location=option.get("location"),
            )
        workers = def_get_int(option)
        if not 0 <= workers <= 1024:
            raise PgError(
                SYNTAX_ERROR,
                "parallel workers for vacuum must be between 0 and 1024",
                location=option.get("location"),
            )
        return workers
    if name == "index_cleanup" and option.get("arg") is not None:
        from pgemu.commands.define import def_get_string

        if def_get_string(option).lower() == "auto":
            return True
    return def_get_boolean(option)


def _check_columns(relation: Any, names: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name not in relation.attrs_by_name:
            raise PgError(
                UNDEFINED_COLUMN,
                f'column "{name}" of relation "{relation.name}" does not exist',
            )
        if name in seen:
            raise PgError(
                "42701",
                f'column "{name}" of relation "{relation.name}" appears more than once',
            )
        seen.add(name)


def _refresh(
    session: Any, relation: Any, given: dict[str, Any], *, is_vacuum: bool, analyze: bool
) -> None:
    """reltuples and relpages of a table."""
    verbose = bool(given.get("verbose"))
    with session.xact.write():
        if analyze and relation.row.relhassubclass and not relation.children:
            session.catalog.update_inplace(PgClass, {"oid": relation.oid}, relhassubclass=False)
        if verbose and analyze and relation.relkind == "p":
            table = f"{relation.schema_name}.{relation.name}"
            session.notice("INFO", "00000", f'analyzing "{table}" inheritance tree')
        if relation.relkind not in "rm" or relation.oid < FIRST_NORMAL_OBJECT_ID:
            return
        _forget_desummarized(session, relation)
        _reset_flags(session, relation)
        count = session.xact.execute(f"SELECT count(*) FROM {relation.sqlite_name}")[0][0]
        pages = estimated_pages(count, len(relation.attrs))
        session.catalog.update_inplace(
            PgClass, {"oid": relation.oid}, reltuples=float(count), relpages=pages
        )
        if verbose and is_vacuum:
            _report_vacuum(session, relation, count, pages, bool(given.get("full")))
        if verbose and analyze:
            _report_analyze(session, relation, count, pages)
        if analyze:
            session.xact.execute(f"ANALYZE {relation.sqlite_name}")


def _reset_flags(session: Any, relation: Any) -> None:
    """vac_update_relstats: a table that has lost its indexes, rules or triggers says so, but not
    in a transaction that may still be rolled back."""
    row = relation.row
    if session.xact.in_block:
        return
    gone = {
        flag: False
        for flag, some in (
            ("relhasindex", relation.all_indexes),
            ("relhasrules", relation.rules),
            ("relhastriggers", relation.triggers),
        )
        if getattr(row, flag) and not some
    }
    if gone:
        session.catalog.update_inplace(PgClass, {"oid": relation.oid}, **gone)


def _report_vacuum(session: Any, table: Any, count: int, pages: int, full: bool) -> None:
    """What VACUUM VERBOSE says of a table: there are never dead rows, so nothing is removed."""
    name = f"{table.schema_name}.{table.name}"
    if full:
        session.notice("INFO", "00000", f'vacuuming "{name}"')
        session.notice(
            "INFO",
            "00000",
            f'"{name}": found 0 removable, {count} nonremovable row versions in {pages} pages',
            detail="0 dead row versions cannot be removed yet.",
        )
        return
    name = f"{session.ctx.database}.{name}"
    session.notice("INFO", "00000", f'vacuuming "{name}"')
    session.notice(
        "INFO",
        "00000",
        f'finished vacuuming "{name}": index scans: 0\n'
        f"pages: 0 removed, {pages} remain, {pages} scanned (100.00% of total)\n"
        f"tuples: 0 removed, {count} remain, 0 are dead but not yet removable",
    )


def _report_analyze(session: Any, table: Any, count: int, pages: int) -> None:
    """What ANALYZE VERBOSE says of a table: it is scanned as a whole, the sample is bounded."""
    name = f"{table.schema_name}.{table.name}"
    session.notice("INFO", "00000", f'analyzing "{name}"')
    targets = [
        a.attstattarget if a.attstattarget >= 0 else session.guc.value("default_statistics_target")
        for a in table.columns
    ]
    rows = min(count, 300 * max([1, *targets]))
    session.notice(
        "INFO",
        "00000",
        f'"{table.name}": scanned {pages} of {pages} pages, containing {count} live rows and 0 '
        f"dead rows; {rows} rows in sample, {count} estimated total rows",
    )


def _forget_desummarized(session: Any, table: Any) -> None:
    """VACUUM summarizes what a BRIN index lacks."""
    missing = getattr(session, "brin_desummarized", None)
    if missing:
        own = {index.oid for index in table.indexes}
        missing -= {one for one in missing if one[0] in own}


def _all_tables(session: Any) -> list[Any]:
    """VACUUM or ANALYZE without tables: all tables the user owns."""
    return [
        session.catalog.relation(row.oid)
        for kind in "rm"
        for row in session.catalog.all(PgClass, relkind=kind)
        if row.oid >= FIRST_NORMAL_OBJECT_ID and owns(session, row.relowner)
    ]


def checkpoint(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CHECKPOINT: the WAL goes into the database file."""
    me = session.ctx.current_user_oid
    if not has_privs_of_role(session.catalog, me, ROLE_PG_CHECKPOINT):
        raise PgError(
            INSUFFICIENT_PRIVILEGE,
            "must be superuser or have privileges of pg_checkpoint to do CHECKPOINT",
        )
    if not session.conn.in_transaction:
        session.conn.execute("PRAGMA main.wal_checkpoint(PASSIVE)").fetchall()
    return CommandResult("CHECKPOINT")
