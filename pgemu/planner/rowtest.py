"""The row test of a plan: does another open transaction stand in the way of it?

For statements that write one row of one table, found by a unique key, and for INSERT ... VALUES.
What the test reads are the rows that others have touched and not committed: if the statement's
condition holds for none of their images, old or new, SQLite may run the statement as if nobody
else was there (executor/lone_modify.py).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pgemu.nodes import primnodes as p
from pgemu.nodes.parsenodes import Query
from pgemu.nodes.walk import walk
from pgemu.planner.comparison import native_comparison
from pgemu.planner.plan import ModifyPlan, RowTest
from pgemu.transam.schema import prefix

if TYPE_CHECKING:
    from pgemu.planner.lowering import Lowering, Scope

_PARAMETER = re.compile(r"\?(\d+)")


def key_row_test(
    query: Query, low: Lowering, scope: Scope, modify: ModifyPlan, where: str
) -> RowTest | None:
    """For UPDATE and DELETE whose condition fixes a unique key.  where: that condition as SQLite
    text, of values that stay the same.  None: the statement is not that simple, or writes a
    key."""
    relation = scope.entry(query.result_relation)
    if query.has_sublinks or len(query.jointree.fromlist) != 1 or not where:
        return None
    stored = low.catalog.relation(relation.relid)
    fixed = _fixed_columns(query.jointree.quals, query.result_relation, low)
    keys = [i.index for i in stored.indexes if i.index.indisunique]
    if any(0 in key.indkey or key.indpred is not None for key in keys):
        return None
    columns = [set(key.indkey[: key.indnkeyatts]) for key in keys if key.indimmediate]
    if not any(key <= fixed for key in columns):
        return None
    if query.command_type == "update":
        written = set(modify.target_columns)
        if any(written & set(key.indkey) for key in keys):
            return None
    alias = scope.aliases[query.result_relation - 1]
    target = f"SELECT {alias}.rid FROM {modify.sqlite_name} AS {alias} WHERE {where}"
    before = f"SELECT {alias}.rid {_old_images(modify.sqlite_name, alias, where)}"
    return _made(_touched(modify.sqlite_name, alias, where), target, before)


def insert_row_test(query: Query, low: Lowering, modify: ModifyPlan) -> RowTest | None:
    """For INSERT ... VALUES: a key may be free only because somebody has taken it from a row and
    not committed."""
    if query.has_sublinks or query.jointree.fromlist or query.has_target_srfs:
        return None
    if query.on_conflict is not None:
        return None
    stored = low.catalog.relation(modify.relid)
    if not any(i.index.indisunique for i in stored.indexes):
        return RowTest("", 0)
    undo, active, table = _names(modify.sqlite_name)
    return _made(
        f"SELECT u.xid, u.rid, u.op FROM {undo} AS u JOIN {active} AS a ON a.xid=u.xid "
        f"WHERE u.relfilenode={table} AND u.xid<>pg_xid() AND u.op<>'I' LIMIT 1"
    )


def _made(text: str, target: str = "", before: str = "") -> RowTest:
    return RowTest(text, max((int(n) for n in _PARAMETER.findall(text)), default=0), target, before)


def _names(sqlite_name: str) -> tuple[str, str, str]:
    """Undo table, table of active transactions, relfilenode."""
    schema, _, table = sqlite_name.partition(".")
    start = f"{schema}.{prefix(schema)}"
    return f"{start}undo", f"{start}active", table[1:]


def _touched(sqlite_name: str, alias: str, where: str) -> str:
    undo, active, table = _names(sqlite_name)
    locks = undo.replace("undo", "rowlock")
    return (
        f"SELECT u.xid, u.rid, u.op FROM {sqlite_name} AS {alias} JOIN {undo} AS u "
        f"ON u.relfilenode={table} AND u.rid={alias}.rid JOIN {active} AS a ON a.xid=u.xid "
        f"WHERE ({where}) AND u.xid<>pg_xid() UNION ALL "
        f"SELECT l.xid, l.rid, l.mode FROM {sqlite_name} AS {alias} JOIN {locks} AS l "
        f"ON l.relfilenode={table} AND l.rid={alias}.rid WHERE ({where}) AND l.xid<>pg_xid() "
        f"UNION ALL SELECT {alias}.xid, {alias}.rid, 'K' {_old_images(sqlite_name, alias, where)} "
        "LIMIT 1"
    )


def _old_images(sqlite_name: str, alias: str, where: str) -> str:
    undo, active, table = _names(sqlite_name)
    return (
        f"FROM {undo} AS {alias} JOIN {active} AS a ON a.xid={alias}.xid "
        f"WHERE {alias}.relfilenode={table} AND {alias}.op<>'I' AND {alias}.xid<>pg_xid() "
        f"AND ({where})"
    )


def _fixed_columns(quals: Any, rtindex: int, low: Lowering) -> set[int]:
    """Columns of the target that the condition says are equal to something without columns."""
    found: set[int] = set()
    parts = [quals]
    while parts:
        part = parts.pop()
        if isinstance(part, p.BoolExpr) and part.boolop == "and":
            parts.extend(part.args)
        elif isinstance(part, p.OpExpr) and len(part.args) == 2:
            comparison = native_comparison(part.opno, part.args, low, part.inputcollid)
            if comparison is not None and comparison[0] == "=":
                for column, value in (part.args, part.args[::-1]):
                    number = _own_column(column, rtindex)
                    if number and not _has_columns(value):
                        found.add(number)
    return found


def _own_column(node: p.Expr, rtindex: int) -> int:
    """The number of the target's column that the expression is; 0: it is none."""
    if isinstance(node, p.Var) and node.varno == rtindex and node.varlevelsup == 0:
        return node.varattno
    return 0


def _has_columns(node: Any) -> bool:
    found: list[Any] = []

    def visit(one: Any) -> bool:
        if isinstance(one, p.Var):
            found.append(one)
        return not found

    walk(node, visit)
    return bool(found)
