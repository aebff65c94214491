"""CREATE TABLE OF type, and the column options that OF and PARTITION OF allow in place of column
definitions (transformOfType and MergeAttributes' second half)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.heap import ColumnSpec
from pgemu.catalog.rows import PgClass, PgType
from pgemu.commands.parse_utilcmd import (
    TableDef,
    transform_column_constraints,
    transform_table_constraint,
)
from pgemu.commands.permissions import check_type_usage
from pgemu.errors import (
    DUPLICATE_COLUMN,
    FEATURE_NOT_SUPPORTED,
    UNDEFINED_COLUMN,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.parser.parse_type import typename_type_id


def of_type_columns(catalog: Any, table: TableDef, type_name: dict[str, Any]) -> int:
    """Take the columns of a stand-alone composite type; its OID."""
    oid = typename_type_id(catalog, {**type_name, "location": -1})
    row = catalog.one(PgType, oid=oid)
    relation = catalog.one(PgClass, oid=row.typrelid) if row.typrelid else None
    if row.typtype != "c" or relation is None or relation.relkind != "c":
        raise PgError(WRONG_OBJECT_TYPE, f"type {catalog.type_name(oid)} is not a composite type")
    check_type_usage(catalog, oid)
    for att in catalog.relation(row.typrelid).columns:
        table.columns.append(
            ColumnSpec(
                att.attname,
                att.atttypid,
                att.atttypmod,
                collation=att.attcollation,
                ndims=att.attndims,
                is_from_type=True,
            )
        )
    return int(oid)


def apply_column_options(catalog: Any, table: TableDef, elements: list[Any], of_type: int) -> None:
    """`column WITH OPTIONS ...` entries refine columns that are already there."""
    seen: set[str] = set()
    for element in elements:
        kind, inner = next(iter(element.items()))
        if kind == "Constraint":
            transform_table_constraint(table, inner)
            continue
        name = inner["colname"]
        column = table.column(name)
        if column is None:
            raise PgError(UNDEFINED_COLUMN, f'column "{name}" does not exist')
        if name in seen:
            raise PgError(DUPLICATE_COLUMN, f'column "{name}" specified more than once')
        seen.add(name)
        before = column.not_null
        own_default = column.default
        options = ColumnSpec(name, column.type_id, column.typmod, collation=column.collation)
        transform_column_constraints(table, options, inner, is_serial=False)
        if options.identity:
            where = "typed tables" if of_type else "partitions"
            raise PgError(FEATURE_NOT_SUPPORTED, f"identity columns are not supported on {where}")
        column.not_null = before or options.not_null
        column.identity = options.identity or column.identity
        column.generated = options.generated or column.generated
        if options.raw_default is not None:
            column.raw_default, column.default = options.raw_default, None
        elif own_default is not None:
            column.default = own_default
