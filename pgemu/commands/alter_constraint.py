"""ALTER TABLE ADD, DROP, ALTER and VALIDATE CONSTRAINT (tablecmds.c)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.dependency import perform_deletion
from pgemu.catalog.objectaddress import ObjectAddress
from pgemu.catalog.pg_constraint import constraint_name_is_used
from pgemu.catalog.pg_type_create import proc_oid
from pgemu.catalog.rows import PG_CONSTRAINT_RELID, PgClass, PgConstraint, PgTrigger
from pgemu.commands.constraint_cmds import (
    CheckSpec,
    add_check_constraints,
    add_index_constraint,
    check_existing_rows,
    check_index_usable,
    constraint_using_index,
)
from pgemu.commands.cook import cook_constraint, open_relation_pstate
from pgemu.commands.define import strings
from pgemu.commands.foreign_keys import add_foreign_key, validate_foreign_key
from pgemu.commands.heap_ref import from_relation
from pgemu.commands.parse_utilcmd import no_exclusion_on_partitioned, not_on_foreign_table
from pgemu.errors import (
    DUPLICATE_COLUMN,
    DUPLICATE_OBJECT,
    DUPLICATE_TABLE,
    FEATURE_NOT_SUPPORTED,
    INTERNAL_ERROR,
    INVALID_TABLE_DEFINITION,
    UNDEFINED_COLUMN,
    UNDEFINED_OBJECT,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.parser.parse_rte import SYSTEM_COLUMNS
from pgemu.parser.parse_sort_group import equal

DEFERRABLE_FUNCTIONS = (
    "RI_FKey_noaction_del", "RI_FKey_noaction_upd", "RI_FKey_check_ins", "RI_FKey_check_upd",
)  # fmt: skip


def add_constraint(ctx: Any, command: dict[str, Any]) -> None:
    """ADD CONSTRAINT of any kind."""
    con = command["def"]["Constraint"]
    kind = con["contype"]
    if kind == "CONSTR_CHECK":
        add_check(ctx, con)
    elif ctx.relation.relkind == "f":
        raise not_on_foreign_table(con)
    elif kind == "CONSTR_FOREIGN":
        add_foreign_key(ctx.session, from_relation(ctx.relation), con, recurse=ctx.recurse)
    else:
        add_key(ctx, con)


def add_check(ctx: Any, con: dict[str, Any]) -> None:
    """A CHECK constraint, and the children's."""
    session, catalog = ctx.session, ctx.catalog
    heap = from_relation(ctx.relation)
    no_inherit = bool(con.get("is_no_inherit"))
    if no_inherit and heap.relkind == "p":
        raise PgError(
            INVALID_TABLE_DEFINITION,
            f'cannot add NO INHERIT constraint to partitioned table "{heap.name}"',
        )
    valid = not con.get("skip_validation")
    if _merged_with_inherited(ctx, con, valid=valid, no_inherit=no_inherit):
        return
    spec = CheckSpec(con.get("conname"), con["raw_expr"], no_inherit=no_inherit, valid=valid)
    try:
        made = add_check_constraints(session, heap, [spec], ctx.source_text)
    except PgError as error:
        error.location = None  # ALTER TABLE's errors do not point into the expression
        raise
    _bump_checks(catalog, heap.oid)
    _oid, name, _expr = made[0]
    if valid:
        check_existing_rows(session, heap, name)
    if no_inherit:
        return
    children = ctx.relation.children
    if children and not ctx.recurse:
        raise PgError(INVALID_TABLE_DEFINITION, "constraint must be added to child tables too")
    for child in children:
        _add_inherited_check(ctx, child, name, con, valid)


def _merged_with_inherited(ctx: Any, con: dict[str, Any], *, valid: bool, no_inherit: bool) -> bool:
    """MergeWithExistingConstraint: a constraint that is only inherited becomes local too."""
    catalog, relation = ctx.catalog, ctx.relation
    name = con.get("conname")
    existing = name and catalog.one(PgConstraint, conrelid=relation.oid, contypid=0, conname=name)
    if not existing or existing.contype != "c" or existing.conislocal or relation.is_partition:
        return False
    if not _says(ctx, relation.oid, existing, con):
        return False
    _must_not_conflict(
        str(name), relation.name, existing.coninhcount > 0 and no_inherit, "inherited"
    )
    _must_not_conflict(str(name), relation.name, valid and not existing.convalidated, "NOT VALID")
    message = f'merging constraint "{name}" with inherited definition'
    ctx.session.notice("NOTICE", "00000", message)
    catalog.update(PgConstraint, {"oid": existing.oid}, conislocal=True)
    return True


def _must_not_conflict(name: str, relation: str, conflicts: bool, words: str) -> None:
    """words: what the constraint of that name is which is there already."""
    if conflicts:
        raise PgError(
            "42P17",
            f'constraint "{name}" conflicts with {words} constraint on relation "{relation}"',
        )


def _bump_checks(catalog: Any, relid: int) -> None:
    row = catalog.one(PgClass, oid=relid)
    catalog.update(PgClass, {"oid": relid}, relchecks=row.relchecks + 1)


def _add_inherited_check(ctx: Any, relid: int, name: str, con: dict[str, Any], valid: bool) -> None:
    session, catalog = ctx.session, ctx.catalog
    heap = from_relation(catalog.relation(relid))
    existing = catalog.one(PgConstraint, conrelid=relid, contypid=0, conname=name)
    if existing is not None:
        if existing.contype != "c" or not _says(ctx, relid, existing, con):
            raise PgError(
                DUPLICATE_OBJECT,
                f'constraint "{name}" for relation "{heap.name}" already exists',
            )
        _must_not_conflict(name, heap.name, existing.connoinherit, "non-inherited")
        _must_not_conflict(name, heap.name, valid and not existing.convalidated, "NOT VALID")
        session.notice("NOTICE", "00000", f'merging constraint "{name}" with inherited definition')
        catalog.update(PgConstraint, {"oid": existing.oid}, coninhcount=existing.coninhcount + 1)
        return  # the tables below have it
    spec = CheckSpec(name, con["raw_expr"], valid=valid, is_local=False, inhcount=1)
    add_check_constraints(session, heap, [spec], ctx.source_text)
    _bump_checks(catalog, relid)
    if valid:
        check_existing_rows(session, heap, name)
    for child in catalog.relation(relid).children:
        _add_inherited_check(ctx, child, name, con, valid)


def _says(ctx: Any, relid: int, existing: PgConstraint, con: dict[str, Any]) -> bool:
    """Has the child's constraint the expression of the new one?"""
    relation = ctx.catalog.relation(relid)
    pstate = open_relation_pstate(ctx.catalog, ctx.source_text, relation)
    expr = cook_constraint(pstate, con["raw_expr"], relation.name)
    return any(c.oid == existing.oid and equal(e, expr) for c, e in relation.checks)


def add_key(ctx: Any, con: dict[str, Any]) -> None:
    """ADD PRIMARY KEY, UNIQUE, EXCLUDE."""
    session, catalog = ctx.session, ctx.catalog
    relation = ctx.relation
    primary = con["contype"] == "CONSTR_PRIMARY"
    if con["contype"] == "CONSTR_EXCLUSION" and relation.relkind == "p":
        raise no_exclusion_on_partitioned(con)
    for key in strings(con.get("including")):
        if key not in relation.attrs_by_name and key not in SYSTEM_COLUMNS:
            raise PgError(UNDEFINED_COLUMN, f'column "{key}" named in key does not exist')
    if primary and relation.primary_key is not None:
        if con.get("indexname"):
            check_index_usable(session, relation, con)
        raise PgError(
            INVALID_TABLE_DEFINITION,
            f'multiple primary keys for table "{relation.name}" are not allowed',
        )
    name = con.get("conname")
    if name and not con.get("indexname"):
        _check_index_name(catalog, relation, name)
    if name and not con.get("indexname") and constraint_name_is_used(catalog, relation.oid, name):
        raise PgError(
            DUPLICATE_OBJECT,
            f'constraint "{name}" for relation "{relation.name}" already exists',
        )
    if con.get("indexname"):
        found = next((i for i in relation.all_indexes if i.name == con["indexname"]), None)
        if found is not None and primary:
            names = [relation.attrs[n - 1].attname for n in found.key_attnums if n]
            _set_key_not_null(ctx, names)
        constraint_using_index(session, ctx.relation, con)
        return
    names = strings(con.get("keys"))
    _check_key_columns(relation, names, con)
    if primary:
        _set_key_not_null(ctx, names)
    heap = from_relation(ctx.relation)
    constraint, index = add_index_constraint(session, heap, con)
    if heap.relkind == "p" and ctx.recurse:
        from pgemu.commands.partition import create_partition_indexes

        create_partition_indexes(session, ctx.relation, index, constraint)


def _check_key_columns(relation: Any, names: list[str], con: dict[str, Any]) -> None:
    primary = con["contype"] == "CONSTR_PRIMARY"
    seen: set[str] = set()
    for key in names:
        if key in SYSTEM_COLUMNS:
            if not primary:
                continue  # said with the other refusals of an index
            raise PgError(FEATURE_NOT_SUPPORTED, f'cannot alter system column "{key}"')
        if key not in relation.attrs_by_name:
            # a primary key sets NOT NULL first
            message = f'column "{key}" of relation "{relation.name}" does not exist'
            if not primary:
                message = f'column "{key}" named in key does not exist'
            raise PgError(UNDEFINED_COLUMN, message)
        if key in seen:
            word = "primary key" if primary else "unique"
            raise PgError(
                DUPLICATE_COLUMN,
                f'column "{key}" appears twice in {word} constraint',
                location=con.get("location", 0),
            )
        seen.add(key)


def _check_index_name(catalog: Any, relation: Any, name: str) -> None:
    """index_create looks for a relation of the name before it looks for a constraint."""
    if catalog.one(PgClass, relname=name, relnamespace=relation.namespace) is not None:
        raise PgError(DUPLICATE_TABLE, f'relation "{name}" already exists')


def _set_key_not_null(ctx: Any, names: list[str]) -> None:
    from pgemu.commands.alter_column import set_not_null

    for name in names:
        if not ctx.relation.attrs_by_name[name].attnotnull:
            set_not_null(ctx, {"name": name})


def _find(ctx: Any, name: str) -> PgConstraint:
    row: PgConstraint | None = ctx.catalog.one(
        PgConstraint, conrelid=ctx.relid, contypid=0, conname=name
    )
    if row is None:
        raise PgError(
            UNDEFINED_OBJECT,
            f'constraint "{name}" of relation "{ctx.relation.name}" does not exist',
        )
    return row


def drop_constraint(ctx: Any, command: dict[str, Any]) -> None:
    """DROP CONSTRAINT [IF EXISTS] [CASCADE]."""
    name = command["name"]
    catalog = ctx.catalog
    row = catalog.one(PgConstraint, conrelid=ctx.relid, contypid=0, conname=name)
    if row is None:
        if not command.get("missing_ok"):
            raise PgError(
                UNDEFINED_OBJECT,
                f'constraint "{name}" of relation "{ctx.relation.name}" does not exist',
            )
        ctx.session.notice(
            "NOTICE",
            "00000",
            f'constraint "{name}" of relation "{ctx.relation.name}" does not exist, skipping',
        )
        return
    if row.coninhcount > 0:
        raise PgError(
            INVALID_TABLE_DEFINITION,
            f'cannot drop inherited constraint "{name}" of relation "{ctx.relation.name}"',
        )
    if (
        ctx.relation.relkind == "p"
        and not ctx.recurse
        and ctx.relation.children
        and not row.connoinherit
        and row.contype == "c"
    ):
        from pgemu.commands.alter_column import only_partitioned

        raise only_partitioned("remove")
    drop_constraint_row(ctx.session, row, command.get("behavior", "restrict"))
    if row.contype == "c" and not row.connoinherit:
        for child in catalog.relation(ctx.relid).children:
            _drop_inherited(ctx, child, name, ctx.recurse)


def drop_constraint_row(session: Any, row: PgConstraint, behavior: str) -> None:
    """Delete a constraint with its index, triggers and dependents."""
    perform_deletion(session.catalog, ObjectAddress(PG_CONSTRAINT_RELID, row.oid, 0), behavior)


def _drop_inherited(ctx: Any, relid: int, name: str, recurse: bool) -> None:
    catalog = ctx.catalog
    row = catalog.one(PgConstraint, conrelid=relid, contypid=0, conname=name)
    if row is None or row.coninhcount <= 0:
        return
    if recurse and row.coninhcount == 1 and not row.conislocal:
        for child in catalog.relation(relid).children:
            _drop_inherited(ctx, child, name, recurse)
        drop_constraint_row(ctx.session, row, "restrict")
        return
    changes: dict[str, Any] = {"coninhcount": row.coninhcount - 1}
    if not recurse:
        changes["conislocal"] = True
    catalog.update(PgConstraint, {"oid": row.oid}, **changes)


def alter_constraint(ctx: Any, command: dict[str, Any]) -> None:
    """ALTER CONSTRAINT [NOT] DEFERRABLE: foreign keys only."""
    con = command["def"]["Constraint"]
    row = _find(ctx, con["conname"])
    if row.contype != "f":
        raise PgError(
            WRONG_OBJECT_TYPE,
            f'constraint "{row.conname}" of relation "{ctx.relation.name}" is not a foreign '
            "key constraint",
        )
    if row.conparentid:
        above = ctx.catalog.get(PgConstraint, oid=row.conparentid)
        raise PgError(
            INTERNAL_ERROR,  # as PostgreSQL has it
            f'cannot alter constraint "{row.conname}" on relation "{ctx.relation.name}"',
            detail=f'Constraint "{row.conname}" is derived from constraint "{above.conname}" of '
            f'relation "{ctx.catalog.relation(above.conrelid).name}".',
            hint="You may alter the constraint it derives from, instead.",
        )
    _set_deferrability(ctx.catalog, row, con)


def _set_deferrability(catalog: Any, row: PgConstraint, con: dict[str, Any]) -> None:
    """Of a constraint and of those of the partitions."""
    deferrable, deferred = bool(con.get("deferrable")), bool(con.get("initdeferred"))
    for below in catalog.all(PgConstraint, conparentid=row.oid):
        _set_deferrability(catalog, below, con)
    catalog.update(PgConstraint, {"oid": row.oid}, condeferrable=deferrable, condeferred=deferred)
    checked = {proc_oid(catalog, name) for name in DEFERRABLE_FUNCTIONS}
    for trigger in catalog.all(PgTrigger, tgconstraint=row.oid):
        if trigger.tgfoid in checked:
            catalog.update(
                PgTrigger, {"oid": trigger.oid}, tgdeferrable=deferrable, tginitdeferred=deferred
            )


def validate_constraint(ctx: Any, command: dict[str, Any]) -> None:
    """VALIDATE CONSTRAINT."""
    row = _find(ctx, command["name"])
    if row.contype not in "fc":
        raise PgError(
            WRONG_OBJECT_TYPE,
            f'constraint "{row.conname}" of relation "{ctx.relation.name}" is not a foreign '
            "key or check constraint",
        )
    if row.convalidated:
        return
    ctx.catalog.update(PgConstraint, {"oid": row.oid}, convalidated=True)
    if row.contype == "f":
        validate_foreign_key(ctx.session, row.oid)
        return
    check_existing_rows(ctx.session, from_relation(ctx.relation), row.conname)
    for child in ctx.relation.children:
        child_row = ctx.catalog.one(PgConstraint, conrelid=child, contypid=0, conname=row.conname)
        if child_row is not None and not child_row.convalidated:
            ctx.catalog.update(PgConstraint, {"oid": child_row.oid}, convalidated=True)
            check_existing_rows(
                ctx.session, from_relation(ctx.catalog.relation(child)), row.conname
            )
