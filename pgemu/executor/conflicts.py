"""Rows whose unique keys stand in the way of a new row (PostgreSQL's ExecCheckIndexConstraints).

ON CONFLICT looks here before it inserts; so do constraints that SQLite's indexes cannot hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pgemu.catalog.rows import PgInherits, PgOperator
from pgemu.errors import OBJECT_NOT_IN_PREREQUISITE_STATE, PgError
from pgemu.executor.partition_routing import convert_row
from pgemu.executor.waiting import WaitFor
from pgemu.nodes import expr_collation, expr_type
from pgemu.nodes.primnodes import Expr, OpExpr, Value, Var
from pgemu.nodes.walk import mutate
from pgemu.planner.planner import compile_pair_expr, compile_table_expr
from pgemu.transam.schema import prefix


def conflicting_row(
    session: Any, writer: Any, row: Sequence[Value], arbiters: Sequence[int]
) -> tuple[int, int] | None:
    """(table OID, rid) of a row with an equal key in one of the arbiter indexes (none named: in
    any unique index)."""
    target, values = writer.relation, row
    if target.relkind == "p":
        target, values = session.routing.route(target, row)
        target = writer.storage(target.oid)
        arbiters = [_partition_index(session, target, oid) for oid in arbiters]
    for index in target.indexes:
        if arbiters and index.oid not in arbiters:
            continue
        if not index.index.indisunique and not index.index.indisexclusion:
            continue
        if not index.index.indimmediate:
            raise PgError(
                OBJECT_NOT_IN_PREREQUISITE_STATE,
                "ON CONFLICT does not support deferrable unique constraints/exclusion "
                "constraints as arbiters",
                schema=target.schema_name,
                table=target.name,
                constraint=index.name,
            )
        rid = equal_row(session, target, index, values)
        if rid is not None:
            _check_owner(session, writer, target, rid)
            return target.oid, rid
        if writer.contended:
            _wait_for_owner(session, target, index, values)
    return None


def _check_owner(session: Any, writer: Any, relation: Any, rid: int) -> None:
    """A row that another open transaction has changed is no conflict yet: wait.  Under REPEATABLE
    READ it must be one that the snapshot sees (ExecCheckTIDVisible)."""
    schema, _, table = relation.sqlite_name.partition(".")
    p, key = f"{schema}.{prefix(schema)}", (int(table[1:]), rid)
    if writer.contended:
        owner = session.conn.execute(
            f"SELECT u.xid FROM {p}undo AS u JOIN {p}active AS a ON a.xid=u.xid "
            "WHERE u.relfilenode=? AND u.rid=? AND u.xid<>? LIMIT 1",
            (*key, session.xact.xid),
        ).fetchone()
        if owner is not None:
            raise WaitFor(owner[0])
    if session.xact.fixed_snapshot is not None:
        later = session.conn.execute(
            f"SELECT 1 FROM {p}undo WHERE relfilenode=? AND rid=? AND pg_invisible(xid) LIMIT 1",
            key,
        ).fetchone()
        if later is not None:
            raise session.xact.serialization_failure("update")


def first_conflict(
    session: Any, relation: Any, values: Sequence[Value], own_rid: int
) -> tuple[Any, int]:
    """(unique index, xid): the first index, in the order in which PostgreSQL fills them, in which
    a new row has the key of another row, or one that an open transaction has freed; and the open
    transaction to wait for before that is certain, 0: it is.  (None, 0): no index has."""
    schema, _, table = relation.sqlite_name.partition(".")
    p, own = f"{schema}.{prefix(schema)}", session.xact.xid
    for index in relation.indexes:
        if not index.index.indisunique or not index.index.indimmediate:
            continue
        text = _equal_text(session, relation, index)
        found: list[Any] = session.conn.execute(text, values).fetchall()
        for (rid,) in found:
            if rid == own_rid:
                continue
            owner = session.conn.execute(
                f"SELECT u.xid FROM {p}undo AS u JOIN {p}active AS a ON a.xid=u.xid "
                "WHERE u.relfilenode=? AND u.rid=? AND u.xid<>? LIMIT 1",
                (int(table[1:]), rid, own),
            ).fetchone()
            return index, int(owner[0]) if owner is not None else 0
        freed = _freed_by(session, relation, index, values)
        if freed:
            return index, freed
    return None, 0


def _partition_index(session: Any, partition: Any, parent_index: int) -> int:
    """The index of a partition that is a part of a partitioned table's index."""
    for index in partition.indexes:
        oid = index.oid
        while True:
            if oid == parent_index:
                return int(index.oid)
            link = session.catalog.one(PgInherits, inhrelid=oid)
            if link is None:
                break
            oid = link.inhparent
    return 0


def equal_row(session: Any, relation: Any, index: Any, values: Sequence[Value]) -> int | None:
    text = _equal_text(session, relation, index)
    found = session.conn.execute(text, values).fetchall()
    return int(found[0][0]) if found else None


def _equal_text(session: Any, relation: Any, index: Any) -> str:
    """SELECT the rid of a row with the key of the row that is bound as c1 .. cn."""
    known: str | None = index.__dict__.get("equal_text")
    if known is None:
        columns = ", ".join(f"? AS c{a.attnum}" for a in relation.attrs)
        known = index.__dict__["equal_text"] = (
            f"SELECT t.rid FROM (SELECT {columns}) AS n CROSS JOIN {relation.sqlite_name} AS t "
            f"WHERE {key_condition(session, relation, index)}"
        )
    return known


def key_condition(session: Any, relation: Any, index: Any) -> str:
    """Rows t and n of a table have keys that exclude each other in an index."""
    catalog = session.catalog
    exprs = iter(index.exprs)
    row = index.index
    terms = []
    equals = "IS" if row.indnullsnotdistinct else "="
    operators = index.constraint.conexclop if row.indisexclusion else None
    for number, attnum in enumerate(row.indkey[: row.indnkeyatts]):
        expr = None
        if attnum:
            attr = relation.attrs[attnum - 1]
            expr = Var(1, attnum, attr.atttypid, attr.atttypmod, attr.attcollation)
        else:
            expr = next(exprs)
        if operators is not None:
            terms.append(_operator_text(catalog, relation, expr, operators[number]))
            continue
        left = compile_table_expr(catalog, relation, expr, "t")
        right = compile_table_expr(catalog, relation, expr, "n")
        collation = session.udfs.collation_of(expr_type(expr), index.index.indcollation[number])
        collated = f" COLLATE {collation}" if collation else ""
        terms.append(f"{left}{collated} {equals} {right}")
    if index.pred is not None:
        terms += [compile_table_expr(catalog, relation, index.pred, side) for side in "tn"]
    return " AND ".join(terms)


def _operator_text(catalog: Any, relation: Any, expr: Expr, operator: int) -> str:
    """t's key operator n's key."""

    def other(node: object) -> object | None:
        if isinstance(node, Var) and node.varno == 1:
            return replace(node, varno=2)
        return None

    row = catalog.get(PgOperator, oid=operator)
    call = OpExpr(
        operator,
        row.oprcode,
        row.oprresult,
        [expr, mutate(expr, other)],
        inputcollid=expr_collation(expr),
    )
    return compile_pair_expr(catalog, relation, call)


def _wait_for_owner(session: Any, relation: Any, index: Any, values: Sequence[Value]) -> None:
    """A key that an open transaction has freed may come back: wait for it."""
    freed = _freed_by(session, relation, index, values)
    if freed:
        raise WaitFor(freed)


def _freed_by(session: Any, relation: Any, index: Any, values: Sequence[Value]) -> int:
    """An open transaction that took the key of these values away from a row; 0: none did."""
    row = index.index
    if 0 in row.indkey[: row.indnkeyatts]:
        return 0
    attnums = row.indkey[: row.indnkeyatts]
    key = [values[a - 1] for a in attnums]
    return 0 if None in key else int(session.freed_key(relation, attnums, key))


__all__ = ["conflicting_row", "convert_row"]
