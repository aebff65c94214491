"""Conditions by which a GIN or GiST index is searched, as targets of predicate locks.

PostgreSQL locks the pages of such an index that a scan looks at, so a writer is in conflict if its
key comes onto one of them.  Here the condition itself is the target: a row is in conflict if it
satisfies it.  GIN with fastupdate locks its metapage, which is as good as the whole index.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pgemu.catalog.rows import PgAm, PgAmop, PgOpclass, PgOperator
from pgemu.nodes.primnodes import Value

# column, OID of the operator's function, SQLite text of its right operand
Condition = tuple[int, int, str]
SMALL_TABLE = 1000  # rows; PostgreSQL reads such a table from end to end
_MORE = re.compile(r"\b(OR|NOT|CASE)\b")


def index_condition(session: Any, text: str, relid: int, alias: str) -> Condition | None:
    """How a statement that names the table once searches it; None: it reads all of it."""
    relation = session.catalog.relation(relid)
    if _MORE.search(text) or not _searches(session, relation):
        return None
    for attnum, family in _searchable_columns(session, relation):
        for call in re.finditer(rf"\b\w+?_(\d+)(?:_[0-9a-f]{{12}})?\({alias}\.c{attnum}, ", text):
            operand = _operand(text, call.end())
            proc = int(call[1])
            if operand and _supports(session, family, proc):
                return attnum, proc, operand
    return None


def _searches(session: Any, relation: Any) -> bool:
    """Is it likely that PostgreSQL uses an index?"""
    if not session.guc.value("enable_seqscan"):
        return True
    found = session.conn.execute(
        f"SELECT 1 FROM {relation.sqlite_name} LIMIT 1 OFFSET {SMALL_TABLE}"
    ).fetchone()
    return found is not None


def _searchable_columns(session: Any, relation: Any) -> Iterator[tuple[int, int]]:
    """(column, operator family) of the GIN and GiST indexes."""
    catalog = session.catalog
    for index in relation.indexes:
        am = catalog.get(PgAm, oid=index.pg_class.relam).amname
        if am not in ("gin", "gist") or index.index.indpred is not None:
            continue
        if am == "gin" and not _fastupdate_off(index.pg_class.reloptions):
            continue
        for attnum, opclass in zip(index.index.indkey, index.index.indclass, strict=False):
            if attnum:
                yield attnum, catalog.get(PgOpclass, oid=opclass).opcfamily


def _fastupdate_off(options: Any) -> bool:
    return any(option in ("fastupdate=off", "fastupdate=false") for option in options or ())


def _operand(text: str, start: int) -> str:
    """The last argument of a call, from its start to the call's closing parenthesis; "" if it
    reads columns."""
    depth, quoted = 0, False
    for at in range(start, len(text)):
        char = text[at]
        if char == "'":
            quoted = not quoted
        elif not quoted and char == "(":
            depth += 1
        elif not quoted and char == ")":
            if not depth:
                operand = text[start:at]
                return "" if re.search(r"\b[a-z]+\d+\.\w", operand) else operand
            depth -= 1
    return ""


def _supports(session: Any, family: int, proc: int) -> bool:
    catalog = session.catalog
    return any(
        row.amopfamily == family and row.amoppurpose == "s"
        for operator in catalog.all(PgOperator, oprcode=proc)
        for row in catalog.all(PgAmop, amopopr=operator.oid)
    )


def satisfies(session: Any, proc: int, left: Value, right: Value) -> bool:
    """Does a row with this value in the column satisfy the condition?"""
    from pgemu.catalog.rows import PgProc
    from pgemu.fmgr import TypeInfo

    row = session.catalog.get(PgProc, oid=proc)
    test = session.udfs.callable(row, TypeInfo(tuple(row.proargtypes), row.prorettype))
    return bool(test(left, right))
