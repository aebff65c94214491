"""Utility statements: those of the transaction, of prepared statements and cursors here, the rest
in pgemu.commands.
"""

from __future__ import annotations

from typing import Any

from pgemu.commands.utility import process_utility
from pgemu.errors import ACTIVE_SQL_TRANSACTION, PgError
from pgemu.executor.execute import Result
from pgemu.nodes.parsenodes import Query
from pgemu.planner.plan import OutputColumn
from pgemu.tcop.portalcmds import close_portal, declare_cursor, fetch
from pgemu.tcop.prepare import deallocate, execute_prepared, prepare_statement
from pgemu.tcop.xact_commands import transaction_statement
from pgemu.transam.xact import IMPLICIT

_OWN = {
    "PrepareStmt": prepare_statement,
    "ExecuteStmt": execute_prepared,
    "DeallocateStmt": deallocate,
    "DeclareCursorStmt": declare_cursor,
    "FetchStmt": fetch,
    "ClosePortalStmt": close_portal,
}


# what cannot be one of several statements in a string
_ALONE = {
    "CreatedbStmt": "CREATE DATABASE",
    "DropdbStmt": "DROP DATABASE",
    "CreateTableSpaceStmt": "CREATE TABLESPACE",
    "DropTableSpaceStmt": "DROP TABLESPACE",
    "AlterSystemStmt": "ALTER SYSTEM",
}


def run_utility(session: Any, query: Query, params: Any, source_text: str = "") -> Result:
    """Run an analyzed utility statement."""
    raw = query.utility_stmt or {}
    tag, body = next(iter(raw.items()))
    if tag == "TransactionStmt":
        return Result(None, None, 0, transaction_statement(session, body))
    session.xact.write_held()
    own = _OWN.get(tag)
    if own is not None:
        return own(session, body, query, params, source_text)
    alone = _ALONE.get(tag)
    if alone is not None and session.xact.state == IMPLICIT and not session.in_pipeline:
        raise PgError(ACTIVE_SQL_TRANSACTION, f"{alone} cannot run inside a transaction block")
    done = process_utility(
        session,
        query,
        source_text or session.source_text,
        params,
        top_level=not (session.xact.write_depth or session.context_stack),
    )
    if done.columns is None:
        return Result(None, None, 0, done.tag)
    columns = tuple(OutputColumn(name, oid, typmod) for name, oid, typmod in done.columns)
    rows = list(done.rows or ())
    return Result(rows, columns, len(rows), done.tag)
