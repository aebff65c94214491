"""CREATE TABLE's element list, and ALTER TABLE ADD COLUMN's, taken apart (parse_utilcmd.c):
columns, their constraints, serial, identity, LIKE.

The result is a `TableDef`: ColumnSpecs and lists of constraints to be made after the table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pgemu.catalog.heap import SYSTEM_COLUMN_NAMES, ColumnSpec
from pgemu.commands.constraint_cmds import CheckSpec, check_single_primary_key
from pgemu.commands.define import strings
from pgemu.commands.permissions import check_type_usage
from pgemu.errors import (
    DUPLICATE_COLUMN,
    FEATURE_NOT_SUPPORTED,
    INVALID_PARAMETER_VALUE,
    SYNTAX_ERROR,
    UNDEFINED_COLUMN,
    PgError,
)
from pgemu.parser.parse_node import make_parsestate
from pgemu.parser.parse_type import get_column_def_collation, typename_type_id_and_mod

_SERIAL = {
    "smallserial": 21, "serial2": 21, "serial": 23, "serial4": 23, "bigserial": 20, "serial8": 20,
}  # fmt: skip
_ATTRIBUTE_WORDS = {
    "CONSTR_ATTR_DEFERRABLE": "DEFERRABLE",
    "CONSTR_ATTR_NOT_DEFERRABLE": "NOT DEFERRABLE",
    "CONSTR_ATTR_DEFERRED": "INITIALLY DEFERRED",
    "CONSTR_ATTR_IMMEDIATE": "INITIALLY IMMEDIATE",
}
_CAN_DEFER = ("CONSTR_PRIMARY", "CONSTR_UNIQUE", "CONSTR_EXCLUSION", "CONSTR_FOREIGN")


@dataclass(slots=True)
class OwnedSequence:
    """A sequence that serial or identity asks for: made before the table, owned after it."""

    column: str
    type_id: int
    options: list[dict[str, Any]]
    identity: bool
    oid: int = 0


@dataclass(slots=True)
class TableDef:
    """What the element list says."""

    name: str
    columns: list[ColumnSpec] = field(default_factory=list)
    checks: list[CheckSpec] = field(default_factory=list)
    index_constraints: list[dict[str, Any]] = field(default_factory=list)
    foreign_keys: list[dict[str, Any]] = field(default_factory=list)
    sequences: list[OwnedSequence] = field(default_factory=list)
    likes: list[tuple[dict[str, Any], int]] = field(default_factory=list)
    # the pg_class row of a table that is to have a TOAST table, and the parameters of that
    toast_of: Any = None
    toast_options: tuple[str, ...] | None = None
    is_foreign: bool = False
    partition_of: bool = False
    # ALTER TABLE ADD COLUMN on an existing table
    is_alter: bool = False

    def column(self, name: str) -> ColumnSpec | None:
        """A column by name."""
        return next((c for c in self.columns if c.name == name), None)


def transform_table_elements(catalog: Any, table: TableDef, elements: list[Any]) -> None:
    """Columns first come, table constraints after them, as transformCreateStmt does."""
    for element in elements:
        kind, inner = next(iter(element.items()))
        if kind == "ColumnDef":
            table.columns.append(transform_column_definition(catalog, table, inner))
        elif kind == "Constraint":
            transform_table_constraint(table, inner)
        elif kind == "TableLikeClause":
            from pgemu.commands.table_like import transform_table_like_clause

            transform_table_like_clause(catalog, table, inner)
        else:
            raise PgError(SYNTAX_ERROR, f"unrecognized node type: {kind}")


def serial_type(type_name: dict[str, Any]) -> int:
    """OID of the integer type behind serial and its kin, else 0."""
    names = strings(type_name.get("names"))
    if len(names) != 1 or type_name.get("pct_type"):
        return 0
    found = _SERIAL.get(names[0], 0)
    if found and type_name.get("arrayBounds"):
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "array of serial is not implemented",
            location=type_name.get("location", -1),
        )
    return found


def transform_column_definition(catalog: Any, table: TableDef, coldef: Any) -> ColumnSpec:
    """transformColumnDefinition."""
    name = coldef["colname"]
    type_name = coldef.get("typeName")
    location = coldef.get("location", 0)
    spec = ColumnSpec(name, 0, location=location)
    is_serial = False
    if type_name is not None:
        serial = serial_type(type_name)
        if serial:
            is_serial = True
            spec.type_id = serial
            spec.not_null = True
            table.sequences.append(OwnedSequence(name, serial, [], identity=False))
        else:
            if type_name.get("setof"):
                raise PgError("42P16", f'column "{name}" cannot be declared SETOF')
            spec.type_id, spec.typmod = typename_type_id_and_mod(catalog, type_name)
            spec.ndims = len(type_name.get("arrayBounds", ()))
            check_type_usage(catalog, spec.type_id)
        spec.collation = get_column_def_collation(
            make_parsestate(None, catalog), coldef, spec.type_id
        )
    if coldef.get("compression"):
        spec.compression = compression_code(catalog, coldef["compression"], spec.type_id)
    transform_column_constraints(table, spec, coldef, is_serial)
    return spec


def compression_code(catalog: Any, word: str, type_id: int) -> str:
    """GetAttributeCompression: only types that can be toasted have one."""
    codes = {"pglz": "p", "lz4": "l", "default": ""}
    if word not in codes:
        raise PgError(INVALID_PARAMETER_VALUE, f'invalid compression method "{word}"')
    if word != "default" and type_id and catalog.types.row(type_id).typstorage == "p":
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            f"column data type {catalog.type_name(type_id)} does not support compression",
        )
    return codes[word]


def transform_column_constraints(
    table: TableDef, spec: ColumnSpec, coldef: dict[str, Any], is_serial: bool
) -> None:
    """The constraint list of one column."""
    constraints = [c["Constraint"] for c in coldef.get("constraints", ())]
    transform_constraint_attrs(constraints)
    saw_nullable = saw_default = saw_identity = saw_generated = False
    where = f'for column "{spec.name}" of table "{table.name}"'
    if is_serial:
        saw_nullable = saw_default = True
    for con in constraints:
        kind = con["contype"]
        location = con.get("location", 0)
        if kind in ("CONSTR_NULL", "CONSTR_NOTNULL"):
            wanted = kind == "CONSTR_NOTNULL"
            if (saw_nullable and spec.not_null != wanted) or (not wanted and saw_identity):
                raise PgError(
                    SYNTAX_ERROR,
                    f"conflicting NULL/NOT NULL declarations {where}",
                    # the NOT NULL of a serial column stands nowhere
                    location=None if is_serial else location,
                )
            spec.not_null = wanted
            saw_nullable = True
        elif kind == "CONSTR_DEFAULT":
            if saw_default:
                raise PgError(
                    SYNTAX_ERROR,
                    f"multiple default values specified {where}",
                    location=None if is_serial else location,
                )
            spec.raw_default = con["raw_expr"]
            saw_default = True
        elif kind == "CONSTR_IDENTITY":
            if saw_identity:
                raise PgError(
                    SYNTAX_ERROR,
                    f"multiple identity specifications {where}",
                    location=location,
                )
            _add_identity(table, spec, con)
            saw_identity = True
            if saw_nullable and not spec.not_null:
                raise PgError(
                    SYNTAX_ERROR,
                    f"conflicting NULL/NOT NULL declarations {where}",
                    location=location,
                )
            spec.not_null = True
            saw_nullable = True
        elif kind == "CONSTR_GENERATED":
            if saw_generated:
                raise PgError(
                    SYNTAX_ERROR,
                    f"multiple generation clauses specified {where}",
                    location=location,
                )
            spec.generated = "s"
            spec.raw_default = con["raw_expr"]
            saw_generated = True
        elif kind not in _ATTRIBUTE_WORDS:
            _column_level_constraint(table, spec, con)
        for left, right, message in (
            (saw_default and not (saw_generated and not spec.raw_default), saw_identity,
             "both default and identity specified"),
            (saw_default, saw_generated, "both default and generation expression specified"),
            (saw_identity, saw_generated, "both identity and generation expression specified"),
        ):  # fmt: skip
            if left and right:
                # the default of a serial column stands nowhere
                place = None if is_serial and saw_default else location
                raise PgError(SYNTAX_ERROR, f"{message} {where}", location=place)


def _add_identity(table: TableDef, spec: ColumnSpec, con: dict[str, Any]) -> None:
    if spec.type_id not in (20, 21, 23):
        raise PgError(
            INVALID_PARAMETER_VALUE, "identity column type must be smallint, integer, or bigint"
        )
    options = [o["DefElem"] for o in con.get("options", ())]
    table.sequences.append(OwnedSequence(spec.name, spec.type_id, options, identity=True))
    spec.identity = con["generated_when"]


def not_on_foreign_table(con: dict[str, Any]) -> PgError:
    words = {
        "CONSTR_PRIMARY": "primary key",
        "CONSTR_UNIQUE": "unique",
        "CONSTR_FOREIGN": "foreign key",
    }
    word = words.get(con["contype"], "exclusion")
    return PgError(
        FEATURE_NOT_SUPPORTED,
        f"{word} constraints are not supported on foreign tables",
        location=con.get("location", 0),
    )


def _column_level_constraint(table: TableDef, spec: ColumnSpec, con: dict[str, Any]) -> None:
    kind = con["contype"]
    if kind == "CONSTR_CHECK":
        table.checks.append(
            CheckSpec(
                con.get("conname"), con["raw_expr"], no_inherit=bool(con.get("is_no_inherit"))
            )
        )
        return
    if table.is_foreign:
        raise not_on_foreign_table(con)
    if kind in ("CONSTR_PRIMARY", "CONSTR_UNIQUE"):
        if not con.get("keys"):
            con = {**con, "keys": [{"String": {"sval": spec.name}}]}
        table.index_constraints.append(con)
    elif kind == "CONSTR_FOREIGN":
        con = {**con, "fk_attrs": [{"String": {"sval": spec.name}}]}
        table.foreign_keys.append(con)
    else:
        raise PgError(SYNTAX_ERROR, f"unrecognized constraint type: {kind}")


def transform_constraint_attrs(constraints: list[dict[str, Any]]) -> None:
    """transformConstraintAttrs: DEFERRABLE and its kin belong to the constraint before them."""
    last: dict[str, Any] | None = None
    saw_deferrability = saw_initially = False
    for con in constraints:
        kind = con["contype"]
        if kind not in _ATTRIBUTE_WORDS:
            last = con
            saw_deferrability = saw_initially = False
            continue
        word = _ATTRIBUTE_WORDS[kind]
        location = con.get("location", 0)
        if last is None or last["contype"] not in _CAN_DEFER:
            raise PgError(SYNTAX_ERROR, f"misplaced {word} clause", location=location)
        if kind in ("CONSTR_ATTR_DEFERRABLE", "CONSTR_ATTR_NOT_DEFERRABLE"):
            if saw_deferrability:
                raise PgError(
                    SYNTAX_ERROR,
                    "multiple DEFERRABLE/NOT DEFERRABLE clauses not allowed",
                    location=location,
                )
            saw_deferrability = True
            last["deferrable"] = kind == "CONSTR_ATTR_DEFERRABLE"
            if not last["deferrable"] and saw_initially and last.get("initdeferred"):
                raise _deferred_error(location)
        else:
            if saw_initially:
                raise PgError(
                    SYNTAX_ERROR,
                    "multiple INITIALLY IMMEDIATE/DEFERRED clauses not allowed",
                    location=location,
                )
            saw_initially = True
            last["initdeferred"] = kind == "CONSTR_ATTR_DEFERRED"
            if last["initdeferred"]:
                if not saw_deferrability:
                    last["deferrable"] = True
                elif not last.get("deferrable"):
                    raise _deferred_error(location)


def _deferred_error(location: int) -> PgError:
    return PgError(
        SYNTAX_ERROR,
        "constraint declared INITIALLY DEFERRED must be DEFERRABLE",
        location=location,
    )


def transform_table_constraint(table: TableDef, con: dict[str, Any]) -> None:
    """transformTableConstraint."""
    kind = con["contype"]
    if kind == "CONSTR_CHECK":
        table.checks.append(
            CheckSpec(
                con.get("conname"), con["raw_expr"], no_inherit=bool(con.get("is_no_inherit"))
            )
        )
    elif kind == "CONSTR_FOREIGN":
        table.foreign_keys.append(con)
    elif kind in ("CONSTR_PRIMARY", "CONSTR_UNIQUE", "CONSTR_EXCLUSION"):
        table.index_constraints.append(con)
    else:
        raise PgError(SYNTAX_ERROR, f"unrecognized constraint type: {kind}")


def no_exclusion_on_partitioned(con: dict[str, Any]) -> PgError:
    return PgError(
        FEATURE_NOT_SUPPORTED,
        "exclusion constraints are not supported on partitioned tables",
        location=con.get("location", 0),
    )


def finish_index_constraints(table: TableDef) -> list[dict[str, Any]]:
    """transformIndexConstraints for a new table: one PRIMARY KEY at most, its columns NOT NULL,
    key columns must exist, repeated UNIQUE constraints are merged; the key comes first."""
    check_single_primary_key(table.name, table.index_constraints)
    for con in table.index_constraints:
        if con["contype"] == "CONSTR_EXCLUSION":
            continue
        for name in strings(con.get("including")):
            if table.column(name) is None and name not in SYSTEM_COLUMN_NAMES:
                raise PgError(
                    UNDEFINED_COLUMN,
                    f'column "{name}" named in key does not exist',
                    location=con.get("location", 0),
                )
        seen: set[str] = set()
        for name in strings(con.get("keys")):
            column = table.column(name)
            if column is None and name in SYSTEM_COLUMN_NAMES:
                if con["contype"] != "CONSTR_PRIMARY":
                    continue
                raise PgError(FEATURE_NOT_SUPPORTED, f'cannot alter system column "{name}"')
            if column is None:
                raise PgError(
                    UNDEFINED_COLUMN,
                    f'column "{name}" named in key does not exist',
                    location=con.get("location", 0),
                )
            if name in seen:
                what = "primary key" if con["contype"] == "CONSTR_PRIMARY" else "unique"
                raise PgError(
                    DUPLICATE_COLUMN,
                    f'column "{name}" appears twice in {what} constraint',
                    location=con.get("location", 0),
                )
            seen.add(name)
            if column is not None and con["contype"] == "CONSTR_PRIMARY":
                column.not_null = True
    ordered = sorted(table.index_constraints, key=lambda c: c["contype"] != "CONSTR_PRIMARY")
    kept: list[dict[str, Any]] = []
    for con in ordered:
        twin = next((k for k in kept if _same_index(k, con)), None)
        if twin is None:
            kept.append(con)
        elif not twin.get("conname"):
            twin["conname"] = con.get("conname")
    return kept


def _same_index(a: dict[str, Any], b: dict[str, Any]) -> bool:
    if "CONSTR_EXCLUSION" in (a["contype"], b["contype"]):
        return False
    if a.get("conname") and b.get("conname"):
        return False
    fields = ("deferrable", "initdeferred", "nulls_not_distinct")
    return (
        strings(a.get("keys")) == strings(b.get("keys"))
        and strings(a.get("including")) == strings(b.get("including"))
        and all(bool(a.get(f)) == bool(b.get(f)) for f in fields)
    )
