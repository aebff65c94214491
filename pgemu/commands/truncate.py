"""TRUNCATE (ExecuteTruncate of tablecmds.c): CASCADE, RESTART IDENTITY, foreign-key checks.

A small table is emptied with DELETE, which undo can put back; a large one gets new storage.
"""

from __future__ import annotations

from typing import Any

from pgemu.catalog.heap import create_storage
from pgemu.catalog.rows import PgClass
from pgemu.commands.in_use import check_table_not_in_use
from pgemu.commands.indexcmds import rebuild_index
from pgemu.commands.permissions import aclcheck_error, check_not_system
from pgemu.commands.result import CommandResult, Statement
from pgemu.commands.sequence import owned_sequences, reset_sequence
from pgemu.errors import FEATURE_NOT_SUPPORTED, WRONG_OBJECT_TYPE, PgError
from pgemu.planner.fromclause import no_fdw_handler

# rowid above which new storage is cheaper than DELETE
LARGE = 2000


def truncate(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """TRUNCATE TABLE."""
    from pgemu.catalog.namespace import range_var_get_relid

    catalog = session.catalog
    oids: list[int] = []
    for node in stmt["relations"]:
        body = node["RangeVar"]
        relation = catalog.relation(range_var_get_relid(catalog, body))
        _check(session, relation)
        wanted = relation.all_inheritors if body.get("inh") else (relation.oid,)
        if not body.get("inh") and relation.relkind == "p":
            raise PgError(
                WRONG_OBJECT_TYPE,
                "cannot truncate only a partitioned table",
                hint="Do not specify the ONLY keyword, or use TRUNCATE ONLY on the "
                "partitions directly.",
            )
        oids.extend(o for o in wanted if o not in oids)
    cascade = stmt.get("behavior") == "DROP_CASCADE"
    _follow_references(session, oids, cascade)
    fire = getattr(session, "fire_truncate_triggers", None)
    if fire is not None:
        fire(oids, "before")
    if stmt.get("restart_seqs"):
        for oid in oids:
            for sequence in owned_sequences(catalog, oid):
                reset_sequence(session, sequence)
    for oid in oids:
        truncate_relation(session, catalog.relation(oid))
    if fire is not None:
        fire(oids, "after")
    return CommandResult("TRUNCATE TABLE")


def _check(session: Any, relation: Any) -> None:
    from pgemu.catalog.acl import ACL_TRUNCATE, pg_class_aclcheck

    if relation.relkind not in "rpf":
        raise PgError(WRONG_OBJECT_TYPE, f'"{relation.name}" is not a table')
    if not pg_class_aclcheck(session.catalog, relation.oid, ACL_TRUNCATE):
        aclcheck_error("table", relation.name)
    check_not_system(session, relation)
    if relation.relkind == "f":
        raise no_fdw_handler(session.catalog, relation.oid)
    check_table_not_in_use(session, relation, "TRUNCATE")


def _follow_references(session: Any, oids: list[int], cascade: bool) -> None:
    catalog = session.catalog
    for oid in oids:
        relation = catalog.relation(oid)
        for con in sorted(relation.referenced_by, key=lambda c: c.conrelid):
            if con.conrelid in oids:
                continue
            other = catalog.relation(con.conrelid)
            if not cascade:
                raise PgError(
                    FEATURE_NOT_SUPPORTED,
                    "cannot truncate a table referenced in a foreign key constraint",
                    detail=f'Table "{other.name}" references "{relation.name}".',
                    hint=f'Truncate table "{other.name}" at the same time, or use '
                    "TRUNCATE ... CASCADE.",
                )
            session.notice("NOTICE", "00000", f'truncate cascades to table "{other.name}"')
            _check(session, other)
            for child in other.all_inheritors:
                if child not in oids:
                    oids.append(child)


def truncate_relation(session: Any, relation: Any) -> None:
    """Empty one table's storage."""
    if relation.relkind != "r":
        return
    name = relation.sqlite_name
    highest = session.xact.execute(f"SELECT max(rid) FROM {name}")[0][0] or 0
    if highest <= LARGE or relation.oid < 16384:
        if highest:
            session.xact.writes_to(name, len(relation.attrs))
            session.udfs.special("relation", relation.oid)
            session.xact.execute(f"DELETE FROM {name}")
        session.xact.truncated[name] = len(session.xact.savepoints)
        return
    set_new_storage(session, relation)


def set_new_storage(session: Any, relation: Any) -> None:
    """Give a table new and empty storage (RelationSetNewRelfilenumber)."""
    name, catalog = relation.sqlite_name, session.catalog
    new = catalog.new_oid()
    create_storage(session, new, [(a.attnum, a.atttypid) for a in relation.attrs])
    session.xact.drop_on_commit(name)
    catalog.update(PgClass, {"oid": relation.oid}, relfilenode=new, relpages=0, reltuples=-1.0)
    changed = catalog.relation(relation.oid)
    for index in changed.indexes:
        rebuild_index(session, changed, index)
