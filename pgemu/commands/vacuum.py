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
    PgError,
)
from pgemu.executor.lock_levels import ACCESS_EXCLUSIVE, SHARE_UPDATE_EXCLUSIVE
from pgemu.planner.fromclause import no_fdw_handler

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
    relations = _chosen(session, targets, given, word)
    if not targets:
        relations = _all_tables(session)
    verbose = bool(given.get("verbose"))
    _refresh(session, relations, given, is_vacuum=is_vacuum, analyze=analyze, verbose=verbose)
    return CommandResult(word)


def _chosen(
    session: Any, targets: list[dict[str, Any]], given: dict[str, Any], word: str
) -> list[Any]:
    """The tables that are named and may be worked on."""
    from pgemu.catalog.namespace import range_var_get_relid

    catalog = session.catalog
    relations = []
    for target in targets:
        relation = catalog.relation(range_var_get_relid(catalog, target["relation"]))
        _check_columns(relation, strings(target.get("va_cols")))
        who = _who_may(session, relation)
        if who:
            session.notice(
                "WARNING",
                "01000",
                f'skipping "{relation.name}" --- only {who} can {word.lower()} it',
            )
            continue
        if relation.relkind == "f" and word == "ANALYZE":
            raise no_fdw_handler(catalog, relation.oid)
        if relation.relkind not in "rmpt":
            what = "non-tables or special system tables"
            session.notice(
                "WARNING",
                "01000",
                f'skipping "{relation.name}" --- cannot {word.lower()} {what}',
            )
            continue
        if given.get("skip_locked") and not _try_lock(session, relation, given, word):
            continue
        relations.append(relation)
    return relations


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


def _try_lock(session: Any, relation: Any, options: dict[str, Any], word: str) -> bool:
    """SKIP_LOCKED: who cannot have the lock at once goes on to the next table."""
    if session.locks is None:
        return True
    mode = ACCESS_EXCLUSIVE if options.get("full") else SHARE_UPDATE_EXCLUSIVE
    if session.locks.relation(relation.oid, mode, nowait=True):
        return True
    session.notice(
        "WARNING",
        LOCK_NOT_AVAILABLE,
        f'skipping {word.lower()} of "{relation.name}" --- lock not available',
    )
    return False


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
    session: Any,
    relations: list[Any],
    given: dict[str, Any],
    *,
    is_vacuum: bool,
    analyze: bool,
    verbose: bool,
) -> None:
    """reltuples and relpages of these relations."""
    if not relations:
        return
    with session.xact.write():
        for relation in relations:
            if analyze and relation.row.relhassubclass and not relation.children:
                session.catalog.update(PgClass, {"oid": relation.oid}, relhassubclass=False)
            if verbose and analyze and relation.relkind == "p":
                table = f"{relation.schema_name}.{relation.name}"
                session.notice("INFO", "00000", f'analyzing "{table}" inheritance tree')
            for oid in relation.all_inheritors if relation.relkind == "p" else (relation.oid,):
                target = session.catalog.relation(oid)
                if target.relkind not in "rm" or target.oid < 16384:
                    continue
                _forget_desummarized(session, target)
                count = session.xact.execute(f"SELECT count(*) FROM {target.sqlite_name}")[0][0]
                pages = estimated_pages(count, len(target.attrs))
                session.catalog.update(
                    PgClass, {"oid": oid}, reltuples=float(count), relpages=pages
                )
                if verbose and is_vacuum:
                    _report_vacuum(session, target, count, pages, bool(given.get("full")))
                if verbose and analyze:
                    _report_analyze(session, target, count, pages)
                if analyze:
                    session.xact.execute(f"ANALYZE {target.sqlite_name}")


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
        if row.oid >= 16384 and owns(session, row.relowner)
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
