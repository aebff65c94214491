"""BEGIN, COMMIT, ROLLBACK and savepoints (the transaction part of PostgreSQL's utility.c and the
state machine of xact.c).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pgemu.errors import (
    ACTIVE_SQL_TRANSACTION,
    NO_ACTIVE_SQL_TRANSACTION,
    PgError,
)
from pgemu.tcop.prepared_xacts import commit_prepared, prepare_transaction, rollback_prepared
from pgemu.transam.xact import BLOCK, FAILED, IDLE, IMPLICIT, Characteristics

_ISOLATION = ("serializable", "repeatable read", "read committed", "read uncommitted")


def default_characteristics(session: Any) -> Characteristics:
    values = session.guc.values
    return Characteristics(
        str(values["default_transaction_isolation"]),
        bool(values["default_transaction_read_only"]),
        bool(values["default_transaction_deferrable"]),
    )


def characteristic_checks(session: Any) -> dict[str, Callable[[str], str]]:
    """The check hooks of transaction_isolation and its kin (PostgreSQL's variable.c)."""
    xact = session.xact

    def refuse(message: str) -> PgError:
        return PgError(ACTIVE_SQL_TRANSACTION, message)

    def isolation(value: str) -> str:
        if _outside(xact) or value.lower() == xact.current.isolation:
            return value
        if xact.queried:
            raise refuse("SET TRANSACTION ISOLATION LEVEL must be called before any query")
        if xact.savepoints:
            raise refuse("SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction")
        return value

    def read_only(value: str) -> str:
        if not xact.current.read_only or _is_on(value) or _outside(xact):
            return value
        if xact.savepoints:
            raise refuse("cannot set transaction read-write mode inside a read-only transaction")
        if xact.queried:
            raise refuse("transaction read-write mode must be set before any query")
        return value

    def deferrable(value: str) -> str:
        if _outside(xact) or _is_on(value) == xact.current.deferrable:
            return value
        command = "SET TRANSACTION [NOT] DEFERRABLE"
        if xact.savepoints:
            raise refuse(f"{command} cannot be called within a subtransaction")
        if xact.queried:
            raise refuse(f"{command} must be called before any query")
        return value

    return {
        "transaction_isolation": isolation,
        "transaction_read_only": read_only,
        "transaction_deferrable": deferrable,
    }


def _outside(xact: Any) -> bool:
    """No transaction that goes on; that of a procedure does."""
    return xact.state == FAILED or (xact.state == IDLE and not xact.running_functions)


def _is_on(value: str) -> bool:
    return value.lower() in ("on", "true", "yes", "1", "t", "y")


def transaction_statement(session: Any, stmt: dict[str, Any]) -> str:
    """Run a TransactionStmt; the command tag."""
    return _KINDS[stmt.get("kind", "TRANS_STMT_BEGIN")](session, stmt)


def _begin(session: Any, stmt: dict[str, Any]) -> str:
    xact = session.xact
    tag = "START TRANSACTION" if stmt.get("kind") == "TRANS_STMT_START" else "BEGIN"
    if xact.state == BLOCK:
        session.notice(
            "WARNING", ACTIVE_SQL_TRANSACTION, "there is already a transaction in progress"
        )
    else:
        session.begin_transaction_block()
    _set_options(session, stmt)
    return tag


def _set_options(session: Any, stmt: dict[str, Any]) -> None:
    for option in stmt.get("options", ()):
        item = option["DefElem"]
        value = item["arg"]["A_Const"]
        text = value.get("sval", {}).get("sval")
        number = value.get("ival", {}).get("ival", 0)
        name = item["defname"]
        setting = text if text is not None else ("on" if number else "off")
        session.guc.set(name, setting, local=True)


def _commit(session: Any, stmt: dict[str, Any]) -> str:
    xact = session.xact
    chain = bool(stmt.get("chain"))
    if xact.state in (IDLE, IMPLICIT):
        if chain:
            raise PgError(
                NO_ACTIVE_SQL_TRANSACTION,
                "COMMIT AND CHAIN can only be used in transaction blocks",
            )
        session.notice("WARNING", NO_ACTIVE_SQL_TRANSACTION, "there is no transaction in progress")
        if xact.state == IMPLICIT:
            session.commit_transaction()
        return "COMMIT"
    kept = _chained(session) if chain else None
    failed = xact.state == FAILED
    if failed:
        session.rollback_transaction()
    else:
        session.commit_transaction()
    if kept is not None:
        _chain(session, kept)
    return "ROLLBACK" if failed else "COMMIT"


def _rollback(session: Any, stmt: dict[str, Any]) -> str:
    xact = session.xact
    chain = bool(stmt.get("chain"))
    if xact.state in (IDLE, IMPLICIT):
        if chain:
            raise PgError(
                NO_ACTIVE_SQL_TRANSACTION,
                "ROLLBACK AND CHAIN can only be used in transaction blocks",
            )
        session.notice("WARNING", NO_ACTIVE_SQL_TRANSACTION, "there is no transaction in progress")
        if xact.state == IMPLICIT:
            session.rollback_transaction()
        return "ROLLBACK"
    kept = _chained(session) if chain else None
    session.rollback_transaction()
    if kept is not None:
        _chain(session, kept)
    return "ROLLBACK"


def _chained(session: Any) -> Characteristics:
    """SaveTransactionCharacteristics: one that has failed as a whole has lost its own."""
    xact = session.xact
    if xact.state == FAILED and not xact.savepoints:
        return default_characteristics(session)
    current: Characteristics = xact.current
    return replace(current)


def _chain(session: Any, kept: Characteristics) -> None:
    session.begin_transaction_block()
    for name, value in (
        ("transaction_isolation", kept.isolation),
        ("transaction_read_only", "on" if kept.read_only else "off"),
        ("transaction_deferrable", "on" if kept.deferrable else "off"),
    ):
        session.guc.set(name, value, local=True)


def _need_block(session: Any, command: str) -> None:
    if not session.xact.in_block:
        raise PgError(
            NO_ACTIVE_SQL_TRANSACTION, f"{command} can only be used in transaction blocks"
        )


def _savepoint(session: Any, stmt: dict[str, Any]) -> str:
    _need_block(session, "SAVEPOINT")
    xact = session.xact
    xact.savepoint(stmt["savepoint_name"])
    xact.savepoints[-1].read_only = xact.current.read_only
    return "SAVEPOINT"


def _release(session: Any, stmt: dict[str, Any]) -> str:
    _need_block(session, "RELEASE SAVEPOINT")
    xact = session.xact
    saved = list(xact.savepoints)
    xact.release_savepoint(stmt["savepoint_name"])
    level = len(xact.savepoints)
    if saved[level].read_only != xact.current.read_only:  # SET TRANSACTION READ ONLY ends with it
        xact.current.read_only = False
        session.guc.set("transaction_read_only", "off", local=True)
    for portal in session.portals.values():
        portal.created_level = min(portal.created_level, level)
    return "RELEASE"


def _rollback_to(session: Any, stmt: dict[str, Any]) -> str:
    _need_block(session, "ROLLBACK TO SAVEPOINT")
    session.xact.rollback_to_savepoint(stmt["savepoint_name"])
    session.close_portals_since(len(session.xact.savepoints))
    return "ROLLBACK"


_KINDS = {
    "TRANS_STMT_BEGIN": _begin,
    "TRANS_STMT_START": _begin,
    "TRANS_STMT_COMMIT": _commit,
    "TRANS_STMT_ROLLBACK": _rollback,
    "TRANS_STMT_SAVEPOINT": _savepoint,
    "TRANS_STMT_RELEASE": _release,
    "TRANS_STMT_ROLLBACK_TO": _rollback_to,
    "TRANS_STMT_PREPARE": prepare_transaction,
    "TRANS_STMT_COMMIT_PREPARED": commit_prepared,
    "TRANS_STMT_ROLLBACK_PREPARED": rollback_prepared,
}
# raw TransactionStmt kinds that a failed transaction still takes
ALLOWED_WHEN_FAILED = {
    "TRANS_STMT_COMMIT",
    "TRANS_STMT_ROLLBACK",
    "TRANS_STMT_ROLLBACK_TO",
    "TRANS_STMT_PREPARE",
}
