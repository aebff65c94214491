"""ALTER TABLE's column subcommands: ADD, DROP, DEFAULT, NOT NULL, TYPE, identity, statistics, ...

A change of type makes new storage: every row is computed by a SELECT of the USING expressions and
written to a table of a new relfilenode; indexes are built anew, CHECKs, defaults and foreign keys
that mention the column are made again from their text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pgemu.catalog.dependency import perform_deletion, perform_multiple_deletions
from pgemu.catalog.heap import (
    ColumnSpec,
    attrdef_rows,
    attribute_dependencies,
    attribute_row,
    check_attribute_type,
    insert_rows,
)
from pgemu.catalog.lsyscache import domain_has_constraints
from pgemu.catalog.objectaddress import ObjectAddress
from pgemu.catalog.rows import (
    PG_ATTRDEF_RELID,
    PG_CLASS_RELID,
    PgAttrdef,
    PgAttribute,
    PgClass,
    PgDepend,
    PgForeignServer,
    PgForeignTable,
)
from pgemu.commands.clauses import contain_volatile_functions
from pgemu.commands.constraint_cmds import record_expression_dependencies
from pgemu.commands.cook import cook_default, open_relation_pstate
from pgemu.commands.create_table import cook_defaults, take_sequence_name
from pgemu.commands.ddl_messages import check_not_null, implicit_sequence, not_null_is_implied
from pgemu.commands.define import def_get_string, elements, list_items
from pgemu.commands.event_trigger import REWRITE_DEFAULT_VAL
from pgemu.commands.foreign_keys import add_foreign_key
from pgemu.commands.foreigncmds import store_column_options
from pgemu.commands.heap_ref import from_relation
from pgemu.commands.index_build import compile_expr
from pgemu.commands.inherit import collation_name
from pgemu.commands.parse_utilcmd import (
    OwnedSequence,
    TableDef,
    compression_code,
    transform_column_definition,
)
from pgemu.commands.reloptions import check_value
from pgemu.commands.row_type_uses import (
    check_not_member_of_itself,
    find_composite_type_dependencies,
    typed_tables,
)
from pgemu.commands.sequence import (
    alter_sequence_options,
    create_sequence,
    own_sequence,
    owned_sequences,
)
from pgemu.errors import (
    COLLATION_MISMATCH,
    DATATYPE_MISMATCH,
    DUPLICATE_COLUMN,
    FEATURE_NOT_SUPPORTED,
    INVALID_PARAMETER_VALUE,
    INVALID_TABLE_DEFINITION,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    SYNTAX_ERROR,
    UNDEFINED_COLUMN,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.nodes.primnodes import Const, NextValueExpr
from pgemu.rewrite.rewrite_target import build_column_default, null_for


def find_column(ctx: Any, name: str) -> PgAttribute:
    """A live column by name; 42703, or 0A000 for a system column."""
    att: PgAttribute | None = ctx.relation.attrs_by_name.get(name)
    if att is None:
        from pgemu.catalog.heap import SYSTEM_COLUMN_NAMES

        if name in SYSTEM_COLUMN_NAMES:
            raise PgError(FEATURE_NOT_SUPPORTED, f'cannot alter system column "{name}"')
        raise PgError(
            UNDEFINED_COLUMN,
            f'column "{name}" of relation "{ctx.relation.name}" does not exist',
        )
    return att


def update_attribute(ctx: Any, attnum: int, relid: int | None = None, **changes: Any) -> None:
    """Change a pg_attribute row."""
    where = {"attrelid": ctx.relid if relid is None else relid, "attnum": attnum}
    ctx.catalog.update(PgAttribute, where, **changes)


# --- ADD COLUMN ------------------------------------------------------------------------------


def add_column(ctx: Any, command: dict[str, Any]) -> None:
    """ADD COLUMN with its constraints, on the table and its children."""
    relation = ctx.relation
    if relation.row.reloftype:
        raise PgError(WRONG_OBJECT_TYPE, "cannot add column to typed table")
    if relation.is_partition and ctx.recurse:
        raise PgError(WRONG_OBJECT_TYPE, "cannot add column to a partition")
    of_type = _typed_tables(ctx, command)
    _add_column_to(ctx, ctx.relid, command, inherited=False)
    for relid in of_type:
        _add_column_to(ctx, relid, command, inherited=False)


def _typed_tables(ctx: Any, command: dict[str, Any]) -> list[int]:
    """The typed tables that an ALTER TYPE ... CASCADE changes too."""
    relation = ctx.relation
    if relation.relkind != "c":
        return []
    return typed_tables(ctx.catalog, relation, command.get("behavior"))


def _add_column_to(
    ctx: Any,
    relid: int,
    command: dict[str, Any],
    *,
    inherited: bool,
    sequences: Sequence[OwnedSequence] = (),
) -> None:
    catalog = ctx.catalog
    relation = catalog.relation(relid)
    coldef = command["def"]["ColumnDef"]
    name = coldef["colname"]
    existing = relation.attrs_by_name.get(name)
    if existing is not None:
        _column_exists(ctx, relation, existing, command, inherited)
        return
    from pgemu.catalog.heap import SYSTEM_COLUMN_NAMES

    if name in SYSTEM_COLUMN_NAMES and relation.relkind != "c":
        raise PgError(DUPLICATE_COLUMN, f'column name "{name}" conflicts with a system column name')
    table = TableDef(relation.name, is_alter=True)
    col = transform_column_definition(catalog, table, coldef)
    check_attribute_type(catalog, name, col.type_id, col.collation)
    check_not_member_of_itself(catalog, col.type_id, (relation.row.reltype,))
    if inherited:
        col.is_local, col.inhcount = False, 1
    if relation.children and not ctx.recurse and not inherited:
        raise PgError(INVALID_TABLE_DEFINITION, "column must be added to child tables too")
    if (col.identity or table.sequences) and relation.children and col.identity:
        raise PgError(
            INVALID_TABLE_DEFINITION,
            "cannot recursively add identity column to table that has child tables",
        )
    if sequences:  # the children take their values from the parent's sequence
        table.sequences = list(sequences)
    try:
        _store_new_column(ctx, relation, table, col)
    except PgError as error:
        error.location = None  # AddRelationNewConstraints is called without the text
        raise
    if relation.relkind == "f":
        table_row = catalog.get(PgForeignTable, ftrelid=relid)
        server = catalog.get(PgForeignServer, oid=table_row.ftserver)
        store_column_options(ctx.session, relid, coldef, server)
    elif coldef.get("fdwoptions"):
        raise PgError(WRONG_OBJECT_TYPE, f'"{relation.name}" is not a foreign table')
    for child in relation.children:
        _add_column_to(ctx, child, command, inherited=True, sequences=table.sequences)
    if not inherited:
        _add_column_constraints(ctx, table)


def _column_exists(
    ctx: Any, relation: Any, existing: Any, command: dict[str, Any], inherited: bool
) -> None:
    """A child's column is merged; IF NOT EXISTS skips; else it is an error."""
    session, name = ctx.session, existing.attname
    if inherited:
        _check_mergeable(ctx, relation, existing, command["def"]["ColumnDef"])
        session.notice(
            "NOTICE",
            "00000",
            f'merging definition of column "{name}" for child "{relation.name}"',
        )
        count = existing.attinhcount + 1
        update_attribute(ctx, existing.attnum, relation.oid, attinhcount=count)
        return
    message = f'column "{name}" of relation "{relation.name}" already exists'
    if not command.get("missing_ok"):
        raise PgError(DUPLICATE_COLUMN, message)
    session.notice("NOTICE", DUPLICATE_COLUMN, message + ", skipping")


def _check_mergeable(ctx: Any, relation: Any, existing: Any, coldef: dict[str, Any]) -> None:
    """A child's column of the name has the new column's type and collation."""
    col = transform_column_definition(ctx.catalog, TableDef(relation.name, is_alter=True), coldef)
    name = existing.attname
    if (existing.atttypid, existing.atttypmod) != (col.type_id, col.typmod):
        raise PgError(
            DATATYPE_MISMATCH,
            f'child table "{relation.name}" has different type for column "{name}"',
        )
    if existing.attcollation != col.collation:
        names = [collation_name(ctx.catalog, c) for c in (existing.attcollation, col.collation)]
        raise PgError(
            COLLATION_MISMATCH,
            f'child table "{relation.name}" has different collation for column "{name}"',
            detail=f'"{names[0]}" versus "{names[1]}"',
        )


def _store_new_column(ctx: Any, relation: Any, table: TableDef, col: ColumnSpec) -> None:
    session, catalog = ctx.session, ctx.catalog
    attnum = len(relation.attrs) + 1
    raw_default = col.raw_default
    rows: list[Any] = [attribute_row(catalog, relation.oid, attnum, col)]
    rows.extend(attribute_dependencies(relation.oid, attnum, col))
    insert_rows(catalog, rows)
    catalog.update(PgClass, {"oid": relation.oid}, relnatts=attnum)
    if relation.relkind in "rm":
        _add_stored_column(session, relation.sqlite_name, attnum, col.type_id)
    new = [wanted for wanted in table.sequences if not wanted.oid]
    for wanted in new:
        _sequence_for(ctx, relation, wanted)
    heap = from_relation(catalog.relation(relation.oid))
    heap.columns[attnum - 1].raw_default = raw_default
    heap.columns[attnum - 1].generated = col.generated
    cook_defaults(session, heap, [heap.columns[attnum - 1]], ctx.source_text, table)
    for wanted in new:
        own_sequence(session, wanted.oid, relation.oid, attnum, "i" if wanted.identity else "a")
    if relation.relkind != "r":
        return
    _fill_new_column(ctx, catalog.relation(relation.oid), attnum, heap.columns[attnum - 1], col)


def _add_stored_column(session: Any, table: str, attnum: int, type_id: int) -> None:
    """SQLite's column.  An ADD COLUMN that was rolled back has left one: it is emptied and taken
    again, or dropped if it compares otherwise."""
    collation = session.catalog.types.io(type_id).collation
    clause = f" COLLATE {collation}" if collation else ""
    schema, _, name = table.rpartition(".")
    execute = session.xact.execute
    known = execute(
        "SELECT 1 FROM pragma_table_info(?, ?) WHERE name = ?", (name, schema, f"c{attnum}")
    )
    if known:
        ((text,),) = execute(f"SELECT sql FROM {schema}.sqlite_schema WHERE name = ?", (name,))
        found = re.search(rf"\bc{attnum}(?: COLLATE (\w+))?\s*[,)]", text)
        if found is not None and (found[1] or "") == (collation or ""):
            session.xact.writes_to(table, attnum)
            execute(f"UPDATE {table} SET c{attnum} = NULL WHERE c{attnum} IS NOT NULL")
            return
        execute(f"ALTER TABLE {table} DROP COLUMN c{attnum}")
    execute(f"ALTER TABLE {table} ADD COLUMN c{attnum}{clause}")


def _sequence_for(ctx: Any, relation: Any, wanted: OwnedSequence) -> None:
    from pgemu.catalog.pg_constraint import choose_relation_name

    name, namespace, options = take_sequence_name(ctx.session, wanted.options, relation.namespace)
    if not any(o["defname"] == "as" for o in options):
        options.insert(0, {"defname": "as", "arg": wanted.type_id})
    name = name or choose_relation_name(ctx.catalog, relation.name, wanted.column, "seq", namespace)
    implicit_sequence(ctx.session, "ALTER TABLE", name, relation.name, wanted.column)
    wanted.oid, _p = create_sequence(
        ctx.session, name, namespace, relation.persistence, options,
        owner=relation.owner, for_identity=wanted.identity,
    )  # fmt: skip


def _fill_new_column(
    ctx: Any, relation: Any, attnum: int, cooked: ColumnSpec, col: ColumnSpec
) -> None:
    """Give existing rows the value of the default, then hold NOT NULL against them."""
    session = ctx.session
    computed = col.generated or col.identity
    if computed or contain_volatile_functions(ctx.catalog, cooked.default):
        ctx.note_rewrite(relation.oid, REWRITE_DEFAULT_VAL)
    expr = cooked.default
    if expr is None and not col.identity:
        expr = _type_value(ctx.catalog, relation, attnum)
    if expr is not None or col.identity:
        find_composite_type_dependencies(ctx.catalog, relation.row.reltype, relation)
    has_rows = bool(session.xact.execute(f"SELECT 1 FROM {relation.sqlite_name} LIMIT 1"))
    if not has_rows:
        return
    if expr is not None or col.identity:
        fill_column_from_default(ctx, relation, attnum, expr, bool(col.generated), col.identity)
    if col.not_null:
        check_not_null(session, relation, attnum)


def _type_value(catalog: Any, relation: Any, attnum: int) -> Any:
    """What a column without a default gets: that of its domain, or a null that the domain must
    allow."""
    expr = build_column_default(catalog, relation, attnum)
    if expr is None and domain_has_constraints(catalog, relation.attrs[attnum - 1].atttypid):
        expr = null_for(catalog, relation.attrs[attnum - 1])
    return expr


def fill_column_from_default(
    ctx: Any, relation: Any, attnum: int, expr: Any, generated: bool, identity: str
) -> None:
    """Compute the column of every row."""
    session, catalog = ctx.session, ctx.catalog
    table = relation.sqlite_name
    session.xact.writes_to(table, len(relation.attrs))
    if identity:
        oid = owned_sequences(catalog, relation.oid, attnum, "i")[0]
        expr = NextValueExpr(oid, relation.attrs[attnum - 1].atttypid)
    if not generated and not identity and isinstance(expr, Const):
        session.xact.execute(f"UPDATE {table} SET c{attnum} = ?", (expr.value,))
        return
    text = compile_expr(session, relation.oid, expr)
    session.xact.execute(f"UPDATE {table} SET c{attnum} = {text}")


def _add_column_constraints(ctx: Any, table: TableDef) -> None:
    """The column's constraints, as ADD CONSTRAINT makes them: children inherit CHECKs."""
    from pgemu.commands.alter_constraint import add_check, add_key

    for spec in table.checks:
        con = {"conname": spec.name, "raw_expr": spec.raw, "is_no_inherit": spec.no_inherit}
        add_check(ctx, con)
    for con in table.index_constraints:
        add_key(ctx, con)
    for con in table.foreign_keys:
        heap = from_relation(ctx.relation)
        add_foreign_key(ctx.session, heap, con, recurse=ctx.recurse)


# --- DROP COLUMN -----------------------------------------------------------------------------


def drop_column(ctx: Any, command: dict[str, Any]) -> None:
    """DROP COLUMN [IF EXISTS] [CASCADE]."""
    relation = ctx.relation
    name = command["name"]
    if relation.row.reloftype:
        raise PgError(WRONG_OBJECT_TYPE, "cannot drop column from typed table")
    of_type = _typed_tables(ctx, command)
    att = relation.attrs_by_name.get(name)
    if att is None:
        from pgemu.catalog.heap import SYSTEM_COLUMN_NAMES

        if name in SYSTEM_COLUMN_NAMES:
            raise PgError(FEATURE_NOT_SUPPORTED, f'cannot drop system column "{name}"')
        if not command.get("missing_ok"):
            raise PgError(
                UNDEFINED_COLUMN,
                f'column "{name}" of relation "{relation.name}" does not exist',
            )
        ctx.session.notice(
            "NOTICE",
            "00000",
            f'column "{name}" of relation "{relation.name}" does not exist, skipping',
        )
        return
    if att.attinhcount > 0:
        raise PgError(INVALID_TABLE_DEFINITION, f'cannot drop inherited column "{name}"')
    if att.attnum in partition_columns(relation):
        raise PgError(
            INVALID_TABLE_DEFINITION,
            f'cannot drop column "{name}" because it is part of the partition key of relation '
            f'"{relation.name}"',
        )
    if relation.relkind == "p" and relation.children and not ctx.recurse:
        raise PgError(
            INVALID_TABLE_DEFINITION,
            "cannot drop column from only the partitioned table when partitions exist",
            hint="Do not specify the ONLY keyword.",
        )
    behavior = command.get("behavior", "restrict")
    for relid in of_type:
        own = ctx.catalog.relation(relid).attrs_by_name[name]
        address = ObjectAddress(PG_CLASS_RELID, relid, own.attnum)
        perform_deletion(ctx.catalog, address, behavior)
    addresses: list[ObjectAddress] = []
    for child in relation.children:
        _drop_child_column(ctx, child, name, addresses)
    addresses.append(ObjectAddress(PG_CLASS_RELID, relation.oid, att.attnum))
    perform_multiple_deletions(ctx.catalog, addresses, behavior)


def partition_columns(relation: Any) -> set[int]:
    """Columns of the partition key, those of its expressions too (has_partition_attrs)."""
    from pgemu.commands.cook import referenced_columns

    key = relation.partition_key
    if key is None:
        return set()
    found = {n for n in key.partattrs if n}
    for expr in relation.partition_exprs:
        found.update(referenced_columns(expr))
    return found


def _drop_child_column(ctx: Any, relid: int, name: str, addresses: list[ObjectAddress]) -> None:
    """The columns that go with the parent's are added to addresses."""
    relation = ctx.catalog.relation(relid)
    att = relation.attrs_by_name.get(name)
    if att is None or att.attinhcount <= 0:
        return
    if ctx.recurse and att.attinhcount == 1 and not att.attislocal:
        for child in relation.children:
            _drop_child_column(ctx, child, name, addresses)
        addresses.append(ObjectAddress(PG_CLASS_RELID, relid, att.attnum))
        return
    changes: dict[str, Any] = {"attinhcount": att.attinhcount - 1}
    if not ctx.recurse:
        changes["attislocal"] = True
    update_attribute(ctx, att.attnum, relid, **changes)


# --- DEFAULT, NOT NULL -----------------------------------------------------------------------


def remove_default(ctx: Any, relid: int, attnum: int, *, internal: bool = True) -> None:
    """RemoveAttrDefault, quietly doing nothing when there is none.  internal: another one takes
    its place."""
    row = ctx.catalog.one(PgAttrdef, adrelid=relid, adnum=attnum)
    if row is not None:
        perform_deletion(
            ctx.catalog, ObjectAddress(PG_ATTRDEF_RELID, row.oid, 0), "restrict", quietly=True,
            internal=internal,
        )  # fmt: skip


def column_default(ctx: Any, command: dict[str, Any]) -> None:
    """SET DEFAULT and DROP DEFAULT."""
    att = find_column(ctx, command["name"])
    relation = ctx.relation
    raw = command.get("def")
    where = f'column "{att.attname}" of relation "{relation.name}"'
    if att.attidentity:
        hint = (
            None
            if raw is not None
            else "Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead."
        )
        raise PgError(SYNTAX_ERROR, f"{where} is an identity column", hint=hint)
    if att.attgenerated:
        hint = (
            None
            if raw is not None
            else "Use ALTER TABLE ... ALTER COLUMN ... DROP EXPRESSION instead."
        )
        raise PgError(SYNTAX_ERROR, f"{where} is a generated column", hint=hint)
    targets = relation.all_inheritors if ctx.recurse else (relation.oid,)
    for relid in targets:
        target = ctx.catalog.relation(relid)
        attnum = target.attrs_by_name[att.attname].attnum
        remove_default(ctx, relid, attnum, internal=raw is not None)
        if raw is None:
            continue
        pstate = open_relation_pstate(ctx.catalog, ctx.source_text, target)
        try:
            expr = cook_default(pstate, raw, att.atttypid, att.atttypmod, att.attname)
        except PgError as error:
            error.location = None  # ATExecColumnDefault has no text to point to
            raise
        store_default(ctx, relid, attnum, expr)


def store_default(ctx: Any, relid: int, attnum: int, expr: Any, *, generated: bool = False) -> None:
    """StoreAttrDefault for one column."""
    oid, rows = attrdef_rows(ctx.catalog, relid, attnum, expr, generated=generated)
    insert_rows(ctx.catalog, rows)
    update_attribute(ctx, attnum, relid, atthasdef=True)
    record_expression_dependencies(ctx.session, PG_ATTRDEF_RELID, relid, [(oid, "", expr)])


def set_not_null(ctx: Any, command: dict[str, Any]) -> None:
    """SET NOT NULL, after a look at the rows."""
    att = find_column(ctx, command["name"])
    relation = ctx.relation
    targets = relation.all_inheritors if ctx.recurse else (relation.oid,)
    if not ctx.recurse and relation.relkind == "p" and not att.attnotnull:
        _check_children_not_null(ctx, relation, att.attname)
    for relid in targets:
        target = ctx.catalog.relation(relid)
        mine = target.attrs_by_name[att.attname]
        if mine.attnotnull:
            continue
        if target.relkind == "r" and not not_null_is_implied(ctx.session, target, mine.attnum):
            check_not_null(ctx.session, target, mine.attnum)
        update_attribute(ctx, mine.attnum, relid, attnotnull=True)


def _check_children_not_null(ctx: Any, relation: Any, name: str) -> None:
    """ATExecCheckNotNull: ONLY is refused while a partition still allows nulls."""
    for relid in relation.all_inheritors:
        child = ctx.catalog.relation(relid)
        if relid != relation.oid and not child.attrs_by_name[name].attnotnull:
            raise PgError(
                INVALID_TABLE_DEFINITION,
                "constraint must be added to child tables too",
                detail=f'Column "{name}" of relation "{child.name}" is not already NOT NULL.',
                hint="Do not specify the ONLY keyword.",
            )


def only_partitioned(what: str) -> PgError:
    return PgError(
        INVALID_TABLE_DEFINITION,
        f"cannot {what} constraint from only the partitioned table when partitions exist",
        hint="Do not specify the ONLY keyword.",
    )


def drop_not_null(ctx: Any, command: dict[str, Any]) -> None:
    """DROP NOT NULL: not for identity and key columns."""
    att = find_column(ctx, command["name"])
    relation = ctx.relation
    if att.attidentity:
        raise PgError(
            SYNTAX_ERROR,
            f'column "{att.attname}" of relation "{relation.name}" is an identity column',
        )
    for index in relation.indexes:
        row = index.index
        if att.attnum in index.key_attnums and (row.indisprimary or row.indisreplident):
            what = "a primary key" if row.indisprimary else "index used as replica identity"
            raise PgError(INVALID_TABLE_DEFINITION, f'column "{att.attname}" is in {what}')
    if relation.is_partition:
        parent = ctx.catalog.relation(relation.parents[0])
        theirs = parent.attrs_by_name.get(att.attname)
        if theirs is not None and theirs.attnotnull:
            raise PgError(
                INVALID_TABLE_DEFINITION,
                f'column "{att.attname}" is marked NOT NULL in parent table',
            )
    if relation.relkind == "p" and not ctx.recurse and relation.children:
        raise only_partitioned("remove")
    targets = relation.all_inheritors if ctx.recurse else (relation.oid,)
    for relid in targets:
        mine = ctx.catalog.relation(relid).attrs_by_name[att.attname]
        if mine.attnotnull:
            update_attribute(ctx, mine.attnum, relid, attnotnull=False)


# --- identity and generated ------------------------------------------------------------------


def check_identity_type(type_id: int) -> None:
    """22023 for a type that no sequence has."""
    if type_id not in (20, 21, 23):
        raise PgError(
            INVALID_PARAMETER_VALUE, "identity column type must be smallint, integer, or bigint"
        )


def add_identity(ctx: Any, command: dict[str, Any]) -> None:
    """ADD GENERATED ... AS IDENTITY."""
    att = find_column(ctx, command["name"])
    relation = ctx.relation
    where = f'column "{att.attname}" of relation "{relation.name}"'
    con = command["def"]["Constraint"]
    check_identity_type(att.atttypid)
    if not att.attnotnull:
        raise PgError(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            f"{where} must be declared NOT NULL before identity can be added",
        )
    if att.attidentity:
        raise PgError(OBJECT_NOT_IN_PREREQUISITE_STATE, f"{where} is already an identity column")
    if att.atthasdef:
        raise PgError(OBJECT_NOT_IN_PREREQUISITE_STATE, f"{where} already has a default value")
    wanted = OwnedSequence(att.attname, att.atttypid, elements(con.get("options")), True)
    _sequence_for(ctx, relation, wanted)
    own_sequence(ctx.session, wanted.oid, relation.oid, att.attnum, "i")
    update_attribute(ctx, att.attnum, attidentity=con["generated_when"])


def set_identity(ctx: Any, command: dict[str, Any]) -> None:
    """SET GENERATED, SET sequence options, RESTART of an identity column."""
    att = find_column(ctx, command["name"])
    if not att.attidentity:
        raise PgError(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            f'column "{att.attname}" of relation "{ctx.relation.name}" is not an identity column',
        )
    options = elements(list_items(command["def"]))
    sequence_options = []
    for option in options:
        if option["defname"] == "generated":
            kind = chr(option["arg"]["Integer"]["ival"])
            update_attribute(ctx, att.attnum, attidentity=kind)
        elif option["defname"] == "sequence_name":
            raise PgError(
                SYNTAX_ERROR,
                "invalid sequence option SEQUENCE NAME",
                location=option.get("location"),
            )
        else:
            sequence_options.append(option)
    if sequence_options:
        oid = owned_sequences(ctx.catalog, ctx.relid, att.attnum, "i")[0]
        alter_sequence_options(ctx.session, oid, sequence_options, for_identity=True)


def drop_identity(ctx: Any, command: dict[str, Any]) -> None:
    """DROP IDENTITY [IF EXISTS]."""
    att = find_column(ctx, command["name"])
    if not att.attidentity:
        message = (
            f'column "{att.attname}" of relation "{ctx.relation.name}" is not an identity column'
        )
        if command.get("missing_ok"):
            ctx.session.notice("NOTICE", "00000", message + ", skipping")
            return
        raise PgError(OBJECT_NOT_IN_PREREQUISITE_STATE, message)
    update_attribute(ctx, att.attnum, attidentity="")
    for oid in owned_sequences(ctx.catalog, ctx.relid, att.attnum, "i"):
        ctx.catalog.delete(PgDepend, classid=PG_CLASS_RELID, objid=oid, deptype="i")
        perform_deletion(
            ctx.catalog, ObjectAddress(PG_CLASS_RELID, oid, 0), "restrict", quietly=True,
            internal=True,
        )  # fmt: skip


def drop_expression(ctx: Any, command: dict[str, Any]) -> None:
    """DROP EXPRESSION [IF EXISTS]: the column keeps its values, in the children too."""
    relation = ctx.relation
    if relation.children and not ctx.recurse:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "ALTER TABLE / DROP EXPRESSION must be applied to child tables too",
        )
    att = relation.attrs_by_name.get(command["name"])
    if att is not None and att.attinhcount > 0:
        raise PgError(
            INVALID_TABLE_DEFINITION, "cannot drop generation expression from inherited column"
        )
    for relid in relation.all_inheritors:
        _drop_expression(replace(ctx, relid=relid), command)


def _drop_expression(ctx: Any, command: dict[str, Any]) -> None:
    att = find_column(ctx, command["name"])
    if not att.attgenerated:
        message = (
            f'column "{att.attname}" of relation "{ctx.relation.name}" is not a stored '
            "generated column"
        )
        if command.get("missing_ok"):
            ctx.session.notice("NOTICE", "00000", message + ", skipping")
            return
        raise PgError(OBJECT_NOT_IN_PREREQUISITE_STATE, message)
    row = ctx.catalog.one(PgAttrdef, adrelid=ctx.relid, adnum=att.attnum)
    ctx.catalog.delete(PgDepend, classid=PG_ATTRDEF_RELID, objid=row.oid)
    ctx.catalog.delete(PgAttrdef, oid=row.oid)
    update_attribute(ctx, att.attnum, attgenerated="", atthasdef=False)


# --- attributes without effect on results ------------------------------------------------------


def set_statistics(ctx: Any, command: dict[str, Any]) -> None:
    """SET STATISTICS, of the children too."""
    for relid in ctx.relation.all_inheritors if ctx.recurse else (ctx.relid,):
        _set_statistics(replace(ctx, relid=relid), command)


def _set_statistics(ctx: Any, command: dict[str, Any]) -> None:
    if command.get("num"):
        if ctx.relation.relkind not in "iI":
            raise PgError(FEATURE_NOT_SUPPORTED, "cannot refer to non-index column by number")
        if command["num"] > len(ctx.relation.attrs):
            raise PgError(
                UNDEFINED_COLUMN,
                f'column number {command["num"]} of relation "{ctx.relation.name}" does not exist',
            )
        att = ctx.relation.attr(command["num"])
    else:
        att = find_column(ctx, command["name"])
    _check_index_column(ctx, att)
    value = command["def"]["Integer"].get("ival", 0)
    if value < -1:
        raise PgError(INVALID_PARAMETER_VALUE, f"statistics target {value} is too low")
    if value > 10000:
        value = 10000
        ctx.session.notice(
            "WARNING", INVALID_PARAMETER_VALUE, f"lowering statistics target to {value}"
        )
    update_attribute(ctx, att.attnum, attstattarget=value)


def _check_index_column(ctx: Any, att: PgAttribute) -> None:
    """Of an index only expression columns have statistics of their own."""
    relation = ctx.relation
    if relation.relkind not in "iI":
        return
    row = relation.index
    what = f'column "{att.attname}" of index "{relation.name}"'
    if att.attnum > row.indnkeyatts:
        raise PgError(FEATURE_NOT_SUPPORTED, f"cannot alter statistics on included {what}")
    if row.indkey[att.attnum - 1]:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            f"cannot alter statistics on non-expression {what}",
            hint="Alter statistics on table column instead.",
        )


def set_options(ctx: Any, command: dict[str, Any]) -> None:
    """SET (n_distinct = ...)."""
    att = find_column(ctx, command["name"])
    merged = dict(o.split("=", 1) for o in att.attoptions or ())
    for option in elements(list_items(command["def"])):
        name = option["defname"]
        if name not in ("n_distinct", "n_distinct_inherited"):
            raise PgError(INVALID_PARAMETER_VALUE, f'unrecognized parameter "{name}"')
        merged[name] = def_get_string(option)
        check_value(name, merged[name], "attribute")
    update_attribute(ctx, att.attnum, attoptions=tuple(f"{k}={v}" for k, v in merged.items()))


def reset_options(ctx: Any, command: dict[str, Any]) -> None:
    """RESET (n_distinct, ...)."""
    att = find_column(ctx, command["name"])
    merged = dict(o.split("=", 1) for o in att.attoptions or ())
    for option in elements(list_items(command["def"])):
        merged.pop(option["defname"], None)
    options = tuple(f"{k}={v}" for k, v in merged.items()) or None
    update_attribute(ctx, att.attnum, attoptions=options)


def set_storage(ctx: Any, command: dict[str, Any]) -> None:
    """SET STORAGE, of the children too."""
    for relid in ctx.relation.all_inheritors if ctx.recurse else (ctx.relid,):
        _set_storage(replace(ctx, relid=relid), command)


def _set_storage(ctx: Any, command: dict[str, Any]) -> None:
    att = find_column(ctx, command["name"])
    word = command["def"]["String"]["sval"].lower()
    codes = {"plain": "p", "external": "e", "extended": "x", "main": "m"}
    if word not in codes:
        raise PgError(INVALID_PARAMETER_VALUE, f'invalid storage type "{word}"')
    if att.attlen != -1 and word != "plain":
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            f"column data type {ctx.catalog.type_name(att.atttypid)} can only have storage PLAIN",
        )
    update_attribute(ctx, att.attnum, attstorage=codes[word])
    _set_index_storage(ctx, att, codes[word])


def _set_index_storage(ctx: Any, att: Any, storage: str) -> None:
    """SetIndexStorageProperties: indexes store the column in the same way."""
    for index in ctx.relation.indexes:
        for number, attnum in enumerate(index.index.indkey, 1):
            where = {"attrelid": index.oid, "attnum": number}
            if attnum == att.attnum:
                ctx.catalog.update(PgAttribute, where, attstorage=storage)


def set_compression(ctx: Any, command: dict[str, Any]) -> None:
    """SET COMPRESSION."""
    att = find_column(ctx, command["name"])
    word = command["def"]["String"]["sval"]
    code = compression_code(ctx.catalog, word, att.atttypid)
    update_attribute(ctx, att.attnum, attcompression=code)
