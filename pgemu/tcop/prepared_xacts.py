"""PREPARE TRANSACTION, COMMIT PREPARED, ROLLBACK PREPARED (checks of PostgreSQL's twophase.c)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.roles import superuser
from pgemu.catalog.rows import PgClass
from pgemu.errors import (
    DUPLICATE_OBJECT,
    FEATURE_NOT_SUPPORTED,
    INSUFFICIENT_PRIVILEGE,
    INVALID_PARAMETER_VALUE,
    NO_ACTIVE_SQL_TRANSACTION,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    OUT_OF_MEMORY,
    UNDEFINED_OBJECT,
    PgError,
)
from pgemu.storage.filelock import FileLock
from pgemu.storage.procarray import FINISHING_XID
from pgemu.transam import twophase
from pgemu.transam.twophase import PreparedXact
from pgemu.transam.xact import FAILED, IDLE, IMPLICIT

GIDSIZE = 200


def prepare_transaction(session: Any, stmt: dict[str, Any]) -> str:
    """The command tag."""
    xact = session.xact
    if xact.state in (IDLE, IMPLICIT):
        session.notice("WARNING", NO_ACTIVE_SQL_TRANSACTION, "there is no transaction in progress")
        if xact.state == IMPLICIT:
            session.commit_transaction()
        return "ROLLBACK"
    if xact.state == FAILED:
        session.rollback_transaction()
        return "ROLLBACK"
    try:
        _prepare(session, str(stmt["gid"]))
    except BaseException:
        if xact.state != IDLE:
            session.rollback_transaction()
        raise
    return "PREPARE TRANSACTION"


def _prepare(session: Any, gid: str) -> None:
    xact, cluster, shm = session.xact, session.cluster, session.shm
    limit = int(session.guc.value("max_prepared_transactions"))
    _check_contents(session)
    if len(gid.encode()) >= GIDSIZE:
        raise PgError(INVALID_PARAMETER_VALUE, f'transaction identifier "{gid}" is too long')
    if limit == 0:
        raise PgError(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "prepared transactions are disabled",
            hint="Set max_prepared_transactions to a nonzero value.",
        )
    session.close_portals(committing=True)
    twophase.prepare(xact)
    with FileLock(f"{cluster.runtime}/lock.twophase"):
        others = twophase.prepared_xacts(cluster)
        if any(other.gid == gid for other in others):
            raise PgError(DUPLICATE_OBJECT, f'transaction identifier "{gid}" is already in use')
        if len(others) >= limit:
            raise PgError(
                OUT_OF_MEMORY,
                "maximum number of prepared transactions reached",
                hint=f"Increase max_prepared_transactions (currently {limit}).",
            )
        slot = twophase.claim_slot(shm)
        predicate = xact.predicate
        prepared = PreparedXact(
            gid,
            xact.xid,
            session.ctx.clock_us(),
            session.ctx.current_user_oid,
            session.ctx.database_oid,
            sorted(xact.registered),
            xact.catalog_changed,
            xact.shared_changed,
            predicate.number if predicate is not None else 0,
            session.locks.transaction_locks(),
        )
        try:
            twophase.save(cluster, prepared)
        except BaseException:
            shm.procarray.release(slot)
            raise
        twophase.occupy(session.locks.table, slot, prepared)
    if predicate is not None:
        predicate.hand_over()
    xact.detach()
    if prepared.catalog_changed:
        session.catalog.invalidate()
        session.local_version += 1


def _check_contents(session: Any) -> None:
    if session.notify_queue.used:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "cannot PREPARE a transaction that has executed LISTEN, UNLISTEN, or NOTIFY",
        )
    if any(portal.is_holdable and portal.created_level >= 0
           for portal in session.portals.values()):  # fmt: skip
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "cannot PREPARE a transaction that has created a cursor WITH HOLD",
        )
    if session.locks.held_both_ways():
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "cannot PREPARE while holding both session-level and transaction-level locks on the "
            "same object",
        )
    namespace, made = session.catalog.my_temp_namespace, session.xact.is_new_storage
    temporary = session.catalog.all(PgClass, relnamespace=namespace) if namespace else ()
    new = [row.oid for row in temporary if made(f"main.r{row.relfilenode}")]
    for oid in (*new, *session.locks.locked_relations()):
        row = session.catalog.one(PgClass, oid=oid)  # None: dropped
        if row is not None and row.relpersistence == "t":
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                "cannot PREPARE a transaction that has operated on temporary objects",
            )


def commit_prepared(session: Any, stmt: dict[str, Any]) -> str:
    _finish(session, str(stmt["gid"]), commit=True)
    return "COMMIT PREPARED"


def rollback_prepared(session: Any, stmt: dict[str, Any]) -> str:
    _finish(session, str(stmt["gid"]), commit=False)
    return "ROLLBACK PREPARED"


def _finish(session: Any, gid: str, *, commit: bool) -> None:
    xact, cluster, shm = session.xact, session.cluster, session.shm
    word = "COMMIT" if commit else "ROLLBACK"
    xact.prevent_in_transaction_block(f"{word} PREPARED")
    if xact.state == IMPLICIT:
        session.commit_transaction()
    with FileLock(f"{cluster.runtime}/lock.twophase"):
        prepared = _find(session, gid)
        xact.slot.words[FINISHING_XID] = prepared.xid
        try:
            twophase.finish(xact, prepared, commit=commit)
            twophase.remove(cluster, prepared.xid)
            woken = twophase.vacate(shm, session.locks.table, prepared.xid)
        finally:
            xact.slot.words[FINISHING_XID] = 0
    if prepared.serializable and xact.predicate is not None:
        xact.predicate.finish(prepared.serializable, commit, prepared.xid)
    if commit and prepared.catalog_changed:
        shm.bump_builtin_version(prepared.database)
    if commit and prepared.shared_changed:
        shm.bump_catalog_version(0)
    for slot in woken:
        session.locks.sender.wake(slot)
    session.accept_invalidations()


def _find(session: Any, gid: str) -> PreparedXact:
    for one in twophase.prepared_xacts(session.cluster):
        if one.gid != gid:
            continue
        user = session.ctx.current_user_oid
        if one.owner != user and not superuser(session.catalog):
            raise PgError(
                INSUFFICIENT_PRIVILEGE,
                "permission denied to finish prepared transaction",
                hint="Must be superuser or the user that prepared the transaction.",
            )
        if one.database != session.ctx.database_oid:
            raise PgError(
                FEATURE_NOT_SUPPORTED,
                "prepared transaction belongs to another database",
                hint="Connect to the database where the transaction was prepared to finish it.",
            )
        return one
    raise PgError(UNDEFINED_OBJECT, f'prepared transaction with identifier "{gid}" does not exist')
