"""ALTER COLUMN TYPE (ATExecAlterColumnType): new storage computed by the USING expressions.

CHECK and FOREIGN KEY constraints that use the column are dropped and made again under their names;
what else depends on it is in alter_type_dependents.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pgparse

from pgemu.catalog.comment import create_comments
from pgemu.catalog.dependency import perform_deletion
from pgemu.catalog.heap import check_attribute_type, create_storage
from pgemu.catalog.objectaddress import ObjectAddress
from pgemu.catalog.rows import (
    PG_ATTRDEF_RELID,
    PG_CLASS_RELID,
    PG_CONSTRAINT_RELID,
    PgAttrdef,
    PgAttribute,
    PgClass,
    PgConstraint,
    PgDepend,
    PgDescription,
    PgType,
)
from pgemu.commands.alter_column import (
    check_identity_type,
    find_column,
    partition_columns,
    remove_default,
    store_default,
)
from pgemu.commands.alter_type_dependents import IndexTexts, check_dependents
from pgemu.commands.cook import coerce_default, open_relation_pstate, referenced_columns
from pgemu.commands.ddl_messages import contains_nulls
from pgemu.commands.event_trigger import REWRITE_COLUMN
from pgemu.commands.index_build import compile_expr
from pgemu.commands.inherit import map_variable_attnos
from pgemu.commands.row_type_uses import (
    check_not_member_of_itself,
    find_composite_type_dependencies,
    typed_tables,
)
from pgemu.errors import (
    DATATYPE_MISMATCH,
    FEATURE_NOT_SUPPORTED,
    INVALID_COLUMN_DEFINITION,
    INVALID_TABLE_DEFINITION,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.executor.event_triggers import collect_command
from pgemu.nodes import expr_type, expr_typmod
from pgemu.nodes.primnodes import CoerceToDomain, Const, FuncExpr, RelabelType, Var
from pgemu.parser.parse_coerce import coerce_to_target_type
from pgemu.parser.parse_collate import assign_expr_collations
from pgemu.parser.parse_expr import transform_expr
from pgemu.parser.parse_node import ParseExprKind
from pgemu.parser.parse_type import get_column_def_collation, typename_type_id_and_mod

TEXTOID = 25
_TIMESTAMP_CASTS = (2027, 2028)
# varchar, varbit, numeric, timestamp, timestamptz, time, timetz with a modifier
_LENGTH_COERCIONS = (669, 1687, 1703, 1961, 1967, 1968, 1969)
_NUMERIC_COERCION = 1703


@dataclass(slots=True)
class TypeChange:
    """One column of one table: its row before, what it becomes, and how values are converted
    (as a tree, and for tables with rows of their own as SQLite's text)."""

    relid: int
    att: PgAttribute
    type_id: int
    typmod: int
    collation: int
    coldef: dict[str, Any]
    transform: Any
    sql: str | None


def alter_column_type(ctx: Any, command: dict[str, Any]) -> None:
    """ALTER COLUMN ... TYPE ... [USING]: the first one of a statement does them all."""
    commands = [c for c in ctx.commands if c["subtype"] == "AT_AlterColumnType"]
    if command is commands[0]:
        alter_types(ctx, commands)


def alter_types(ctx: Any, commands: list[dict[str, Any]]) -> None:
    """The ALTER COLUMN TYPEs of one statement.  All are analyzed before the first one changes a
    row of the catalogs, and each table is written once: every USING sees the old row."""
    changes: list[TypeChange] = []
    for command in commands:
        _prepare(ctx, ctx.relation, command, changes)
    tables = dict.fromkeys(change.relid for change in changes)
    texts = {relid: IndexTexts() for relid in tables}
    for relid in tables:
        for change in changes:
            if change.relid == relid:
                _execute(ctx, change, texts[relid])
    for relid in tables:
        _rewrite(ctx, ctx.catalog.relation(relid), [c for c in changes if c.relid == relid])
        texts[relid].restore(ctx.session, ctx.catalog.relation(relid))


def _prepare(
    ctx: Any,
    relation: Any,
    command: dict[str, Any],
    changes: list[TypeChange],
    using: Any = None,
    *,
    inherited: bool = False,
) -> None:
    """ATPrepAlterColumnType: the checks and the conversion for one table, then for those that
    follow it (its children and the tables of the type)."""
    catalog = ctx.catalog
    att = _alterable_column(ctx, relation, command, inherited)
    coldef = command["def"]["ColumnDef"]
    if relation.relkind == "f" and coldef.get("raw_default") is not None:
        raise PgError(WRONG_OBJECT_TYPE, f'"{relation.name}" is not a table')
    pstate = open_relation_pstate(catalog, ctx.source_text, relation)
    type_id, typmod, collation = _new_type(pstate, coldef)
    check_attribute_type(catalog, att.attname, type_id, collation)
    check_not_member_of_itself(catalog, type_id, (relation.row.reltype,))
    if att.attidentity:
        check_identity_type(type_id)
    if not inherited:
        _check_children_alterable(ctx, relation, att.attname)
    of_type = []
    if relation.relkind == "c":
        find_composite_type_dependencies(catalog, relation.row.reltype, relation)
        of_type = typed_tables(catalog, relation, command.get("behavior"))
    raw = coldef.get("raw_default")
    if raw is not None and using is None:
        using = transform_expr(pstate, raw, ParseExprKind.EXPR_KIND_ALTER_COL_TRANSFORM)
    transform = _transform_expr(pstate, att, using, type_id, typmod)
    sql = None
    if relation.relkind == "r":
        if att.atttypid != type_id and 0 in referenced_columns(transform):
            _refuse_whole_row(ctx.session, relation, att, type_id)
        sql = compile_expr(ctx.session, relation.oid, transform)
    changes.append(
        TypeChange(relation.oid, att, type_id, typmod, collation, coldef, transform, sql)
    )
    if relation.children and not ctx.recurse and not inherited:
        raise PgError(
            INVALID_TABLE_DEFINITION,
            f'type of inherited column "{command["name"]}" must be changed in child tables too',
        )
    # find_all_inheritors: a child with several ways to it comes once
    below = () if inherited else relation.all_inheritors
    for relid in (*(oid for oid in below if oid != relation.oid), *of_type):
        other = catalog.relation(relid)
        mapped = _using_of_child(relation, other, using)
        _prepare(ctx, other, command, changes, mapped, inherited=True)


def _alterable_column(
    ctx: Any, relation: Any, command: dict[str, Any], inherited: bool
) -> PgAttribute:
    """The column, after what needs no look at the new type."""
    if relation.row.reloftype and not inherited:
        raise PgError(WRONG_OBJECT_TYPE, "cannot alter column type of typed table")
    att = find_column(replace(ctx, relid=relation.oid), command["name"])
    if att.attgenerated and command["def"]["ColumnDef"].get("raw_default") is not None:
        raise PgError(
            INVALID_COLUMN_DEFINITION,
            "cannot specify USING when altering type of generated column",
            detail=f'Column "{att.attname}" is a generated column.',
        )
    if att.attinhcount > 0 and not inherited:
        raise PgError(INVALID_TABLE_DEFINITION, f'cannot alter inherited column "{att.attname}"')
    if att.attnum in partition_columns(relation):
        raise PgError(
            INVALID_TABLE_DEFINITION,
            f'cannot alter column "{att.attname}" because it is part of the partition key of '
            f'relation "{relation.name}"',
        )
    return att


def _using_of_child(parent: Any, child: Any, using: Any) -> Any:
    """The parent's USING expression for a child, whose columns may be in another order."""
    if using is None:
        return None
    mapping = {
        a.attnum: child.attrs_by_name[a.attname].attnum for a in parent.attrs if not a.attisdropped
    }
    if 0 in referenced_columns(using):
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "cannot convert whole-row table reference",
            detail="USING expression contains a whole-row table reference.",
        )
    return map_variable_attnos(using, mapping)


def _execute(ctx: Any, change: TypeChange, texts: IndexTexts) -> None:
    """ATExecAlterColumnType: the catalogs of one column."""
    catalog, relid = ctx.catalog, change.relid
    relation = catalog.relation(relid)
    att = relation.attrs[change.att.attnum - 1]
    if (att.atttypid, att.atttypmod) != (change.att.atttypid, change.att.atttypmod):
        raise PgError(FEATURE_NOT_SUPPORTED, f'cannot alter type of column "{att.attname}" twice')
    type_id, typmod = change.type_id, change.typmod
    pstate = open_relation_pstate(catalog, ctx.source_text, relation)
    default = _converted_default(pstate, relation, att, type_id, typmod)
    check_dependents(catalog, relation, att)
    if relation.relkind != "c" and relation.row.reltype:
        find_composite_type_dependencies(catalog, relation.row.reltype, relation)
    texts.remember(ctx.session, relation, att.attnum)
    _remember_constraints(ctx, relation, att)
    if relation.relkind == "r" and column_change_requires_rewrite(
        catalog, change.transform, att.attnum
    ):
        ctx.note_rewrite(relid, REWRITE_COLUMN)
    _update_catalogs(ctx, relation, att, type_id, typmod, change.collation, change.coldef)
    if att.attidentity:
        _alter_identity_sequence(ctx, relid, att.attnum, type_id)
    if default is not None:
        _replace_default(ctx, relation, att, default)


def _new_type(pstate: Any, coldef: dict[str, Any]) -> tuple[int, int, int]:
    """(type, modifier, collation)"""
    try:
        type_id, typmod = typename_type_id_and_mod(pstate, coldef["typeName"])
        return type_id, typmod, get_column_def_collation(pstate, coldef, type_id)
    except PgError as error:
        error.location = None  # PostgreSQL looks them up without the text
        raise


def _alter_identity_sequence(ctx: Any, relid: int, attnum: int, type_id: int) -> None:
    """The sequence of an identity column gets the column's type."""
    from pgemu.commands.sequence import alter_sequence_options, owned_sequences

    for oid in owned_sequences(ctx.catalog, relid, attnum, "i"):
        options = [{"defname": "as", "arg": type_id}]
        alter_sequence_options(ctx.session, oid, options, for_identity=True)
        collect_command(ctx.session, "ALTER SEQUENCE", PG_CLASS_RELID, oid)


def _replace_default(ctx: Any, relation: Any, att: PgAttribute, default: Any) -> None:
    """The default or generation expression, converted to the new type."""
    if att.attgenerated:
        # its INTERNAL dependency on the column would forbid the deletion
        row = ctx.catalog.one(PgAttrdef, adrelid=relation.oid, adnum=att.attnum)
        ctx.catalog.delete(PgDepend, classid=PG_ATTRDEF_RELID, objid=row.oid)
    remove_default(ctx, relation.oid, att.attnum)
    store_default(ctx, relation.oid, att.attnum, default, generated=bool(att.attgenerated))


def _check_children_alterable(ctx: Any, relation: Any, name: str) -> None:
    """A child that has the column from another parent too keeps its type."""
    inside = set(relation.all_inheritors)
    for relid in relation.all_inheritors if ctx.recurse else ():
        child = ctx.catalog.relation(relid)
        if relid == relation.oid:
            continue
        att = child.attrs_by_name[name]
        if att.attinhcount > sum(p in inside for p in child.parents):
            raise PgError(
                INVALID_TABLE_DEFINITION,
                f'cannot alter inherited column "{name}" of relation "{child.name}"',
            )


def _transform_expr(pstate: Any, att: PgAttribute, using: Any, type_id: int, typmod: int) -> Any:
    """The USING expression, or the column itself, as a value of the new type."""
    catalog = pstate.catalog
    expr = using
    if using is None:
        expr = Var(1, att.attnum, att.atttypid, att.atttypmod, att.attcollation)
    result = coerce_to_target_type(
        pstate, expr, expr_type(expr), type_id, typmod, "assignment", "implicit_cast", -1
    )
    if result is None:
        if using is not None:
            raise PgError(
                DATATYPE_MISMATCH,
                f'result of USING clause for column "{att.attname}" cannot be cast '
                f"automatically to type {catalog.type_name(type_id)}",
                hint="You might need to add an explicit cast.",
            )
        typmod_text = catalog.type_name(type_id, typmod)
        raise PgError(
            DATATYPE_MISMATCH,
            f'column "{att.attname}" cannot be cast automatically to type '
            f"{catalog.type_name(type_id)}",
            hint=None
            if att.attgenerated
            else f'You might need to specify "USING {_quoted(att.attname)}::{typmod_text}".',
        )
    assign_expr_collations(pstate, result)
    return result


def _quoted(name: str) -> str:
    from pgemu.catalog.keywords import quote_identifier

    return quote_identifier(name)


def _converted_default(
    pstate: Any, relation: Any, att: PgAttribute, type_id: int, typmod: int
) -> Any:
    """The default cast to the new type; 42804 when it cannot be."""
    expr = relation.defaults.get(att.attnum) or relation.generated.get(att.attnum)
    if expr is None:
        return None
    while type(expr).__name__ in ("RelabelType", "CoerceViaIO") or (
        type(expr).__name__ == "FuncExpr" and expr.funcformat == "implicit_cast"
    ):
        expr = expr.arg if hasattr(expr, "arg") else expr.args[0]
    try:
        return coerce_default(pstate, expr, type_id, typmod, att.attname)
    except PgError as error:
        if error.sqlstate != DATATYPE_MISMATCH:
            raise
        what = "generation expression" if att.attgenerated else "default"
        raise PgError(
            DATATYPE_MISMATCH,
            f'{what} for column "{att.attname}" cannot be cast automatically to type '
            f"{pstate.catalog.type_name(type_id)}",
        ) from None


def _remember_constraints(ctx: Any, relation: Any, att: PgAttribute) -> None:
    """Drop CHECKs and FOREIGN KEYs that use the column, keeping their text."""
    from pgemu.rewrite.ruleutils import pg_get_constraintdef

    catalog = ctx.catalog
    wanted = [
        c
        for c in (*relation.constraints, *relation.referenced_by)
        if (c.contype != "f" or not c.conparentid)
        and (
            (c.contype in "cf" and c.conrelid == relation.oid and att.attnum in (c.conkey or ()))
            or (c.confrelid == relation.oid and att.attnum in (c.confkey or ()))
        )
    ]
    for con in {c.oid: c for c in wanted}.values():
        text = pg_get_constraintdef(catalog, con.oid)
        # what is inherited alone comes back with the parent's
        if con.contype != "c" or con.conislocal or not con.coninhcount:
            said = catalog.one(
                PgDescription, objoid=con.oid, classoid=PG_CONSTRAINT_RELID, objsubid=0
            )
            comment = said.description if said is not None else None
            ctx.rebuild.append((con.conrelid, con.conname, text, con.connoinherit, comment))
        perform_deletion(
            catalog, ObjectAddress(PG_CONSTRAINT_RELID, con.oid, 0), "cascade", quietly=True,
            internal=True,
        )  # fmt: skip


def rebuild(ctx: Any) -> None:
    """Make the remembered constraints again."""
    from pgemu.catalog.keywords import quote_identifier, quote_qualified_identifier
    from pgemu.commands.utility import process_utility

    pending, ctx.rebuild = ctx.rebuild, []
    for relid, name, text, no_inherit, comment in pending:
        relation = ctx.catalog.relation(relid)
        table = quote_qualified_identifier(relation.schema_name, relation.name)
        recurses = relation.relkind == "p" if text.startswith("FOREIGN KEY") else not no_inherit
        only = "" if recurses else "ONLY "
        sql = f"ALTER TABLE {only}{table} ADD CONSTRAINT {quote_identifier(name)} {text}"
        session = ctx.session
        state, session.event_trigger_state = session.event_trigger_state, None
        try:
            process_utility(
                session, pgparse.parse(sql)[0]["stmt"], sql, top_level=False, complete=False
            )
        finally:
            session.event_trigger_state = state
        if comment is not None:
            made = ctx.catalog.one(PgConstraint, conrelid=relid, conname=name)
            create_comments(ctx.catalog, made.oid, PG_CONSTRAINT_RELID, 0, comment)


def _rewrite(ctx: Any, relation: Any, changes: list[TypeChange]) -> None:
    """Copy the rows into new storage with the columns computed anew."""
    if relation.relkind != "r":
        return
    session, catalog = ctx.session, ctx.catalog
    old, new = relation.sqlite_name, catalog.new_oid()
    computed = {change.att.attnum: change.sql for change in changes}
    # dropped columns keep their place in the storage
    columns = [(a.attnum, TEXTOID if a.attisdropped else a.atttypid) for a in relation.attrs]
    create_storage(session, new, columns)
    kept = [a.attnum for a in relation.attrs if not a.attisdropped]
    names = ",".join(f"c{n}" for n in kept)
    values = ",".join(computed.get(n) or f"c{n}" for n in kept)
    session.xact.execute(
        f"INSERT INTO r{new} (rid, xmin, {names}) SELECT rid, xmin, {values} FROM {old}"
    )
    for number in computed:
        _check_not_null(session, relation, relation.attrs[number - 1], new)
    session.xact.drop_on_commit(old)
    catalog.update(PgClass, {"oid": relation.oid}, relfilenode=new)


def _check_not_null(session: Any, relation: Any, att: PgAttribute, relfilenode: int) -> None:
    """ATRewriteTable: the new values of a NOT NULL column."""
    query = f"SELECT 1 FROM r{relfilenode} WHERE c{att.attnum} IS NULL LIMIT 1"
    if att.attnotnull and session.xact.execute(query):
        raise contains_nulls(relation, att.attname)


def _refuse_whole_row(session: Any, relation: Any, att: PgAttribute, type_id: int) -> None:
    """PostgreSQL computes the expression when the column has its new type already, and finds
    (ExecEvalWholeRowVar) that the old rows are not of the table's row type."""
    if not session.xact.execute(f"SELECT 1 FROM {relation.sqlite_name} LIMIT 1"):
        return
    had, has = (session.catalog.type_name(t) for t in (att.atttypid, type_id))
    raise PgError(
        DATATYPE_MISMATCH,
        "table row type and query-specified row type do not match",
        detail=f"Table has type {had} at ordinal position {att.attnum}, but query expects {has}.",
    )


def column_change_requires_rewrite(catalog: Any, expr: Any, attnum: int) -> bool:
    """ATColumnChangeRequiresRewrite: does PostgreSQL write the rows anew?  Only then do
    table_rewrite event triggers fire."""
    while not (isinstance(expr, Var) and expr.varattno == attnum):
        if isinstance(expr, RelabelType):
            expr = expr.arg
        elif isinstance(expr, CoerceToDomain):
            if any(c.contypid == expr.resulttype for c in catalog.all(PgConstraint, contype="c")):
                return True
            if catalog.get(PgType, oid=expr.resulttype).typnotnull:
                return True
            expr = expr.arg
        elif isinstance(expr, FuncExpr) and _keeps_values(catalog, expr):
            expr = expr.args[0]
        else:
            return True
    return False


def _keeps_values(catalog: Any, call: FuncExpr) -> bool:
    """A conversion that leaves every stored value as it is: between the timestamp types in a
    zone that is UTC, and length coercions to a wider modifier."""
    if call.funcid in _TIMESTAMP_CASTS:
        return _is_utc(catalog.ctx.timezone)
    if call.funcid not in _LENGTH_COERCIONS or len(call.args) < 2:
        return False
    new: Any = call.args[1].value if isinstance(call.args[1], Const) else None
    if new is None:
        return False
    old = expr_typmod(call.args[0])
    if new < 0:
        return True
    if old < 0:
        return False
    if call.funcid == _NUMERIC_COERCION:
        same_scale = (new - 4) & 0x7FF == (old - 4) & 0x7FF
        return bool(same_scale and (new - 4) >> 16 >= (old - 4) >> 16)
    return bool(new >= old)


def _is_utc(zone: Any) -> bool:
    """Is the zone's offset always zero?  Those that had rules once had them in these years."""
    return not any(
        zone.utcoffset(datetime(year, month, 1))
        for year in range(1880, 2038, 3)
        for month in (1, 7)
    )


def _update_catalogs(
    ctx: Any,
    relation: Any,
    att: PgAttribute,
    type_id: int,
    typmod: int,
    collation: int,
    coldef: dict[str, Any],
) -> None:
    from pgemu.catalog.heap import ColumnSpec, attribute_dependencies, insert_rows

    catalog = ctx.catalog
    typ = catalog.one(PgType, oid=type_id)
    catalog.update(
        PgAttribute,
        {"attrelid": relation.oid, "attnum": att.attnum},
        atttypid=type_id,
        atttypmod=typmod,
        attcollation=collation,
        attndims=len(coldef["typeName"].get("arrayBounds", ())),
        attlen=typ.typlen,
        attbyval=typ.typbyval,
        attalign=typ.typalign,
        attstorage=typ.typstorage,
    )
    me = {"classid": PG_CLASS_RELID, "objid": relation.oid, "objsubid": att.attnum}
    catalog.delete(PgDepend, **me, refclassid=PgType.RELID)
    catalog.delete(PgDepend, **me, refclassid=3456)
    spec = ColumnSpec(att.attname, type_id, typmod, collation=collation)
    insert_rows(catalog, attribute_dependencies(relation.oid, att.attnum, spec))
