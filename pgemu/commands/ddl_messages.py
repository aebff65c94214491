"""What DDL says of its work at DEBUG1: implicit sequences and indexes, indexes built, tables
rewritten or read (messages of parse_utilcmd.c, indexcmds.c, index.c, nbtutils.c, tablecmds.c).

Drivers and migration tools read them with `client_min_messages = debug1`.  Nothing is said of
TOAST tables, which do not exist here.
"""

from __future__ import annotations

from typing import Any

from pgemu.catalog.index import BTREE_AM_OID, IndexInfo
from pgemu.catalog.rows import PgAmproc, PgCollation, PgOpclass
from pgemu.errors import NOT_NULL_VIOLATION, PgError
from pgemu.nodes.primnodes import BoolExpr, NullTest, Var
from pgemu.nodes.walk import walk
from pgemu.parser.parse_sort_group import equal
from pgemu.parser.predtest import predicate_implied_by

_EQUAL_IMAGE_PROC = 4
_BTVARSTREQUALIMAGE = 5050
_KINDS = {"p": "PRIMARY KEY", "u": "UNIQUE", "x": "EXCLUDE"}


def debug1(session: Any, message: str) -> None:
    """Said only to those who listen."""
    if str(session.guc.values["client_min_messages"]).startswith("debug"):
        session.notice("DEBUG1", "00000", message)


def implicit_sequence(session: Any, what: str, sequence: str, table: str, column: str) -> None:
    debug1(
        session,
        f'{what} will create implicit sequence "{sequence}" for serial column "{table}.{column}"',
    )


def implicit_index(session: Any, heap: Any, name: str, contype: str) -> None:
    what = "CREATE TABLE /" if heap.is_new else "ALTER TABLE / ADD"
    debug1(
        session,
        f'{what} {_KINDS[contype]} will create implicit index "{name}" for table "{heap.name}"',
    )


def index_built(session: Any, heap: Any, name: str, info: IndexInfo) -> None:
    """index_build and, for a btree, _bt_allequalimage."""
    if not str(session.guc.values["client_min_messages"]).startswith("debug"):
        return
    debug1(session, f'building index "{name}" on table "{heap.name}" serially')
    if info.am == BTREE_AM_OID and not info.included:
        safe = all(_equal_image(session.catalog, key) for key in info.keys)
        word = "can safely" if safe else "cannot"
        debug1(session, f'index "{name}" {word} use deduplication')


def _equal_image(catalog: Any, key: Any) -> bool:
    """Are equal keys of the operator class always the same bytes?"""
    opclass = catalog.one(PgOpclass, oid=key.opclass)
    found = catalog.one(
        PgAmproc,
        amprocfamily=opclass.opcfamily,
        amproclefttype=opclass.opcintype,
        amprocrighttype=opclass.opcintype,
        amprocnum=_EQUAL_IMAGE_PROC,
    )
    if found is None:
        return False
    if found.amproc != _BTVARSTREQUALIMAGE or not key.collation:
        return True
    collation = catalog.one(PgCollation, oid=key.collation)
    return collation is None or bool(collation.collisdeterministic)


def verifying_table(session: Any, name: str) -> None:
    """ATRewriteTable that only reads: once for all that one ALTER TABLE has to look for."""
    message = f'verifying table "{name}"'
    if not session.notices or session.notices[-1].message != message:
        debug1(session, message)


def implied_by_constraints(catalog: Any, relation: Any, conditions: list[Any]) -> bool:
    """ConstraintImpliedByRelConstraint: nothing in the rows could break these conditions.  A CHECK
    allows what is null: its operators do not prove IS NOT NULL, only that test itself does."""
    known: list[Any] = []
    for con, expr in relation.checks:
        if con.convalidated:
            known.extend(_conjuncts(expr))
    for att in relation.attrs:
        if att.attnotnull and not att.attisdropped:
            column = Var(1, att.attnum, att.atttypid, att.atttypmod, att.attcollation)
            known.append(NullTest(column, False))
    for condition in (part for one in conditions for part in _conjuncts(one)):
        if _has_null_test(condition):
            if not any(equal(condition, clause) for clause in known):
                return False
        elif not predicate_implied_by(catalog, [condition], known):
            return False
    return True


def _has_null_test(expr: Any) -> bool:
    found = []
    walk(expr, lambda node: found.append(node) if isinstance(node, NullTest) else None)
    return bool(found)


def _conjuncts(expr: Any) -> list[Any]:
    if isinstance(expr, BoolExpr) and expr.boolop == "and":
        return [part for arg in expr.args for part in _conjuncts(arg)]
    return [expr]


def not_null_is_implied(session: Any, relation: Any, attnum: int) -> bool:
    """NotNullImpliedByRelConstraints: SET NOT NULL need not look at the rows."""
    att = relation.attrs[attnum - 1]
    column = Var(1, attnum, att.atttypid, att.atttypmod, att.attcollation)
    if not implied_by_constraints(session.catalog, relation, [NullTest(column, False)]):
        return False
    debug1(
        session,
        f'existing constraints on column "{relation.name}.{att.attname}" are sufficient to '
        "prove that it does not contain nulls",
    )
    return True


def check_not_null(session: Any, relation: Any, attnum: int) -> None:
    """23502 when a row has NULL there."""
    verifying_table(session, relation.name)
    if session.xact.execute(
        f"SELECT 1 FROM {relation.sqlite_name} WHERE c{attnum} IS NULL LIMIT 1"
    ):
        raise contains_nulls(relation, relation.attrs[attnum - 1].attname)


def contains_nulls(relation: Any, column: str, what: str = "relation") -> PgError:
    """23502 of a column of rows that are there already."""
    return PgError(
        NOT_NULL_VIOLATION,
        f'column "{column}" of {what} "{relation.name}" contains null values',
        schema=relation.schema_name,
        table=relation.name,
        column=column,
    )
