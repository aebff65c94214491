"""LOCK TABLE (PostgreSQL's lockcmds.c)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.acl import (
    ACL_DELETE,
    ACL_INSERT,
    ACL_SELECT,
    ACL_TRUNCATE,
    ACL_UPDATE,
    pg_class_aclcheck,
)
from pgemu.catalog.namespace import range_var_get_relid
from pgemu.commands.permissions import aclcheck_error, relkind_word
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    LOCK_NOT_AVAILABLE,
    NO_ACTIVE_SQL_TRANSACTION,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.storage.locktag import ACCESS_EXCLUSIVE_LOCK, ACCESS_SHARE_LOCK, ROW_EXCLUSIVE_LOCK
from pgemu.transam.xact import IDLE

_KINDS = {
    "i": "indexes", "I": "partitioned indexes", "S": "sequences", "t": "TOAST tables",
    "m": "materialized views", "c": "composite types", "f": "foreign tables",
}  # fmt: skip


def lock_table(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """LOCK TABLE name [, ...] IN mode MODE [NOWAIT]."""
    if st.top_level and session.xact.state == IDLE:
        raise PgError(
            NO_ACTIVE_SQL_TRANSACTION, "LOCK TABLE can only be used in transaction blocks"
        )
    mode = int(stmt.get("mode", ACCESS_EXCLUSIVE_LOCK))
    nowait = bool(stmt.get("nowait"))
    for node in stmt["relations"]:
        body = node["RangeVar"]
        oid = range_var_get_relid(session.catalog, body)
        relation = session.catalog.relation(oid)
        if relation.relkind not in "rpv":
            raise PgError(
                WRONG_OBJECT_TYPE,
                f'cannot lock relation "{body["relname"]}"',
                detail=f"This operation is not supported for {_KINDS[relation.relkind]}.",
            )
        _check(session, relation, mode)
        _lock(session, oid, mode, nowait)
        if relation.relkind == "v":
            _lock_view(session, relation, mode, nowait, {oid})
        elif body.get("inh"):
            for child in relation.all_inheritors:
                _lock(session, child, mode, nowait)
    session.accept_invalidations()
    return CommandResult("LOCK TABLE")


def _lock(session: Any, oid: int, mode: int, nowait: bool) -> None:
    if session.locks.relation(oid, mode, nowait=nowait):
        return
    name = session.catalog.relation(oid).name
    raise PgError(LOCK_NOT_AVAILABLE, f'could not obtain lock on relation "{name}"')


def _check(session: Any, relation: Any, mode: int) -> None:
    """LockTableAclCheck: any one of the privileges will do."""
    wanted = ACL_UPDATE | ACL_DELETE | ACL_TRUNCATE
    if mode == ACCESS_SHARE_LOCK:
        wanted = ACL_SELECT
    elif mode == ROW_EXCLUSIVE_LOCK:
        wanted |= ACL_INSERT
    bits = [bit for bit in (ACL_SELECT, ACL_INSERT, ACL_UPDATE, ACL_DELETE, ACL_TRUNCATE)
            if wanted & bit]  # fmt: skip
    if not any(pg_class_aclcheck(session.catalog, relation.oid, bit) for bit in bits):
        aclcheck_error(relkind_word(relation.relkind), relation.name)


def _lock_view(session: Any, view: Any, mode: int, nowait: bool, seen: set[int]) -> None:
    """LockViewRecurse: the relations that a view reads are locked too."""
    for oid in _relations_of(view.view_query):
        if oid in seen:
            continue
        seen.add(oid)
        relation = session.catalog.relation(oid)
        if relation.relkind not in "rpv":
            continue
        _lock(session, oid, mode, nowait)
        if relation.relkind == "v":
            _lock_view(session, relation, mode, nowait, seen)


def _relations_of(query: Any) -> list[int]:
    """OIDs of the relations in a query's range table, subqueries included."""
    found: list[int] = []
    for entry in getattr(query, "rtable", ()):
        if getattr(entry, "rtekind", "") == "relation":
            found.append(entry.relid)
        elif getattr(entry, "subquery", None) is not None:
            found.extend(_relations_of(entry.subquery))
    return found
