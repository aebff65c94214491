"""Who stores values of a row type, and which tables are made of it: what ALTER TABLE and ALTER TYPE
must refuse or follow (find_composite_type_dependencies and find_typed_table_dependencies of
tablecmds.c, CheckAttributeType's look into containers of heap.c)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.rows import (
    PG_CLASS_RELID,
    PG_TYPE_RELID,
    PgClass,
    PgDepend,
    PgRange,
    PgType,
)
from pgemu.errors import (
    DEPENDENT_OBJECTS_STILL_EXIST,
    FEATURE_NOT_SUPPORTED,
    INVALID_TABLE_DEFINITION,
    PgError,
)


def find_composite_type_dependencies(
    catalog: Any, type_oid: int, origin: Any, type_name: str = ""
) -> None:
    """0A000 when a stored column holds values of the type, in whatever container; origin: the
    relation that is altered, None for a type, which type_name tells."""
    for link in catalog.all(PgDepend, refclassid=PG_TYPE_RELID, refobjid=type_oid):
        if link.classid == PG_TYPE_RELID:
            find_composite_type_dependencies(catalog, link.objid, origin, type_name)
            continue
        if link.classid != PG_CLASS_RELID or (origin is not None and link.objid == origin.oid):
            continue
        relation = catalog.relation(link.objid)
        if 0 < link.objsubid <= len(relation.attrs):
            att = relation.attrs[link.objsubid - 1]
        else:
            att = next(
                (a for a in relation.attrs if a.atttypid == type_oid and not a.attisdropped), None
            )
        if att is None:
            continue
        if relation.relkind in "rmSitpI":
            column = f'"{relation.name}.{att.attname}"'
            if origin is None:
                raise PgError(
                    FEATURE_NOT_SUPPORTED,
                    f'cannot alter type "{type_name}" because column {column} uses it',
                )
            words = {
                "c": f'type "{origin.name}" because column {column} uses it',
                "f": f'foreign table "{origin.name}" because column {column} uses its row type',
            }
            table = f'table "{origin.name}" because column {column} uses its row type'
            raise PgError(FEATURE_NOT_SUPPORTED, f"cannot alter {words.get(origin.relkind, table)}")
        if relation.row.reltype:
            find_composite_type_dependencies(catalog, relation.row.reltype, origin, type_name)


def typed_tables(catalog: Any, relation: Any, behavior: str | None) -> list[int]:
    """The tables made OF the composite type; 2BP01 unless CASCADE follows them."""
    found = [r.oid for r in catalog.all(PgClass, reloftype=relation.row.reltype)]
    if found and (behavior or "DROP_RESTRICT") != "DROP_CASCADE":
        raise PgError(
            DEPENDENT_OBJECTS_STILL_EXIST,
            f'cannot alter type "{relation.name}" because it is the type of a typed table',
            hint="Use ALTER ... CASCADE to alter the typed tables too.",
        )
    return found


def check_not_member_of_itself(catalog: Any, type_oid: int, containing: tuple[int, ...]) -> None:
    """A column's type must not hold the row type the column goes into."""
    if type_oid in containing:
        raise PgError(
            INVALID_TABLE_DEFINITION,
            f"composite type {catalog.type_name(type_oid)} cannot be made a member of itself",
        )
    row = catalog.one(PgType, oid=type_oid)
    if row is None:
        return
    if row.typtype == "d":
        check_not_member_of_itself(catalog, row.typbasetype, containing)
    elif row.typtype == "c" and row.typrelid:
        for att in catalog.relation(row.typrelid).columns:
            check_not_member_of_itself(catalog, att.atttypid, (*containing, type_oid))
    elif row.typtype == "r":
        span = catalog.one(PgRange, rngtypid=type_oid)
        check_not_member_of_itself(catalog, span.rngsubtype, containing)
    elif row.typelem and row.typtype == "b":
        check_not_member_of_itself(catalog, row.typelem, containing)
