"""DETACH PARTITION CONCURRENTLY and FINALIZE (ATExecDetachPartition of tablecmds.c).

The first transaction marks the partition: statements that start afterwards leave it out, those
whose snapshot is older do not.  When nobody is left who may have seen it, a second transaction
detaches it.  Who is cancelled in between leaves the mark; FINALIZE does the rest.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pgemu.catalog.rows import PgClass, PgConstraint, PgInherits
from pgemu.commands.permissions import check_owner
from pgemu.errors import (
    FOREIGN_KEY_VIOLATION,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    UNDEFINED_TABLE,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.executor.lock_levels import ACCESS_EXCLUSIVE, SHARE, SHARE_UPDATE_EXCLUSIVE
from pgemu.executor.lockers import wait_for_lockers

FINALIZE_HINT = (
    "Use ALTER TABLE ... DETACH PARTITION ... FINALIZE to complete the pending detach operation."
)


def concurrent_detach(stmt: dict[str, Any]) -> dict[str, Any] | None:
    """The PartitionCmd of an ALTER TABLE that detaches in two transactions; else None."""
    for node in stmt.get("cmds", ()):
        cmd = node["AlterTableCmd"]
        if cmd.get("subtype") == "AT_DetachPartition":
            partition: dict[str, Any] = cmd["def"]["PartitionCmd"]
            return partition if partition.get("concurrent") else None
    return None


def detach_concurrently(session: Any, stmt: dict[str, Any], cmd: dict[str, Any]) -> None:
    from pgemu.catalog.namespace import range_var_get_relid

    session.xact.prevent_in_transaction_block("ALTER TABLE ... DETACH CONCURRENTLY")
    catalog = session.catalog
    parent = catalog.relation(range_var_get_relid(catalog, stmt["relation"]))
    check_owner(session, parent)
    if parent.relkind != "p":
        raise PgError(
            WRONG_OBJECT_TYPE,
            f'ALTER action DETACH PARTITION cannot be performed on relation "{parent.name}"',
            detail="This operation is not supported for tables.",
        )
    if parent.partition_key.partdefid:
        raise PgError(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "cannot detach partitions concurrently when a default partition exists",
        )
    child = catalog.relation(range_var_get_relid(catalog, cmd["name"]))
    _lock_referencing(session, [con for con in parent.referenced_by if not con.conparentid])
    with session.xact.write():
        _mark(session, parent, child)
    wait_for_lockers(session, parent.oid, ACCESS_EXCLUSIVE)
    session.accept_invalidations()
    locks = session.locks
    if locks is not None:
        locks.relation(parent.oid, SHARE_UPDATE_EXCLUSIVE)
        locks.relation(child.oid, ACCESS_EXCLUSIVE)
    session.accept_invalidations()
    with session.xact.write():
        finish(session, catalog.relation(parent.oid), cmd)


def _mark(session: Any, parent: Any, child: Any) -> None:
    catalog = session.catalog
    for row in catalog.all(PgInherits, inhparent=parent.oid):
        if row.inhdetachpending:
            pending = catalog.relation(row.inhrelid).name
            raise PgError(
                OBJECT_NOT_IN_PREREQUISITE_STATE,
                f'partition "{pending}" already pending detach in partitioned table '
                f'"{parent.schema_name}.{parent.name}"',
                hint=FINALIZE_HINT,
            )
    check_attached(catalog, parent, child)
    check_not_referenced(session, child)
    catalog.update(
        PgInherits, {"inhrelid": child.oid, "inhparent": parent.oid}, inhdetachpending=True
    )


def check_not_pending(session: Any, relation: Any) -> None:
    """A partition that is half detached is not to be altered."""
    row = session.catalog.one(PgInherits, inhrelid=relation.oid)
    if row is not None and row.inhdetachpending:
        raise PgError(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            f'cannot alter partition "{relation.name}" with an incomplete detach',
            hint=FINALIZE_HINT,
        )


def check_attached(catalog: Any, parent: Any, child: Any) -> None:
    if catalog.one(PgInherits, inhrelid=child.oid, inhparent=parent.oid) is None:
        raise PgError(
            UNDEFINED_TABLE,
            f'relation "{child.name}" is not a partition of relation "{parent.name}"',
        )


def finalize(session: Any, parent: Any, cmd: dict[str, Any]) -> None:
    """DETACH PARTITION ... FINALIZE."""
    from pgemu.catalog.namespace import range_var_get_relid

    catalog = session.catalog
    child = catalog.relation(range_var_get_relid(catalog, cmd["name"]))
    check_attached(catalog, parent, child)
    row = catalog.one(PgInherits, inhrelid=child.oid, inhparent=parent.oid)
    if not row.inhdetachpending:
        raise PgError(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            f'cannot complete detaching partition "{child.name}"',
            detail="There's no pending concurrent detach.",
        )
    finish(session, parent, cmd)


def finish(session: Any, parent: Any, cmd: dict[str, Any]) -> None:
    """The part that both have in common."""
    from pgemu.catalog.namespace import range_var_get_relid
    from pgemu.commands.partition import detach

    catalog = session.catalog
    child = range_var_get_relid(catalog, cmd["name"])
    _add_constraint(session, catalog.relation(child))
    catalog.update(PgInherits, {"inhrelid": child, "inhparent": parent.oid}, inhdetachpending=False)
    detach(session, catalog.relation(parent.oid), cmd)


def _add_constraint(session: Any, child: Any) -> None:
    """DetachAddConstraintIfNeeded: what was true of the partition's rows stays so."""
    from pgemu.commands.constraint_cmds import CheckSpec, add_check_constraints
    from pgemu.commands.heap_ref import from_relation
    from pgemu.nodes.primnodes import BoolExpr
    from pgemu.nodes.serialize import node_to_string
    from pgemu.rewrite.partition_qual import generate_partition_qual

    quals = generate_partition_qual(session.catalog, child)
    if not quals:
        return
    expr = quals[0] if len(quals) == 1 else BoolExpr("and", list(quals))
    if any(node_to_string(e) == node_to_string(expr) for _con, e in child.checks):
        return
    add_check_constraints(session, from_relation(child), [CheckSpec(None, expr=expr)], "")
    checks = session.catalog.get(PgClass, oid=child.oid).relchecks
    session.catalog.update(PgClass, {"oid": child.oid}, relchecks=checks + 1)


def check_not_referenced(session: Any, child: Any) -> None:
    """ATDetachCheckNoForeignKeyRefs: rows of the partition that foreign keys reference must stay
    where they are."""
    catalog = session.catalog
    _lock_referencing(session, child.referenced_by)
    leaves = [catalog.relation(oid) for oid in child.all_inheritors]
    for con in child.referenced_by:
        if not con.conparentid:
            continue
        for leaf in leaves:
            if leaf.relkind == "p":
                continue
            key = _referenced_key(session, con, leaf, child)
            if key is None:
                continue
            table = catalog.relation(con.conrelid)
            shown = session.after_triggers.key_shown(table, con.conkey, key)
            raise PgError(
                FOREIGN_KEY_VIOLATION,
                f'removing partition "{child.name}" violates foreign key constraint '
                f'"{con.conname}"',
                detail=f'{shown} is still referenced from table "{table.name}".',
                schema=table.schema_name,
                table=table.name,
                constraint=con.conname,
            )


def _lock_referencing(session: Any, constraints: Iterable[PgConstraint]) -> None:
    """Nobody may add rows that reference the partition after it was looked for them."""
    if session.locks is None:
        return
    for con in constraints:
        session.locks.relation(con.conrelid, SHARE)


def _referenced_key(session: Any, con: Any, leaf: Any, parent: Any) -> Any:
    """The key of one row of a leaf partition that the foreign key references; None: there is
    none."""
    catalog = session.catalog
    numbers = {a.attname: a.attnum for a in leaf.columns}
    places = [numbers[parent.attrs[a - 1].attname] for a in con.confkey]
    for oid in catalog.relation(con.conrelid).all_inheritors:
        table = catalog.relation(oid)
        if table.relkind == "p":
            continue
        pairs = zip(con.conkey, places, strict=True)
        same = " AND ".join(f"f.c{a}=p.c{b}" for a, b in pairs)
        columns = ", ".join(f"f.c{a}" for a in con.conkey)
        found = session.conn.execute(
            f"SELECT {columns} FROM {table.sqlite_name} AS f JOIN {leaf.sqlite_name} AS p "
            f"ON {same} LIMIT 1"
        ).fetchone()
        if found is not None:
            return found
    return None
