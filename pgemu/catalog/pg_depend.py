"""Rows of pg_depend: recording, changing and finding them (PostgreSQL's pg_depend.c).

Dependency types: n normal, a auto, i internal, P and S partition, e extension, x auto-extension.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pgemu.catalog.objectaddress import ObjectAddress
from pgemu.catalog.rows import PgClass, PgDatabase, PgDepend, PgLargeobject, PgNamespace

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog

DEPENDENCY_NORMAL = "n"
DEPENDENCY_AUTO = "a"
DEPENDENCY_INTERNAL = "i"
DEPENDENCY_PARTITION_PRI = "P"
DEPENDENCY_PARTITION_SEC = "S"
DEPENDENCY_EXTENSION = "e"
DEPENDENCY_AUTO_EXTENSION = "x"

FIRST_UNPINNED_OBJECT_ID = 12000
PUBLIC_NAMESPACE = 2200


def is_pinned_object(classid: int, objid: int) -> bool:
    """May it never be dropped, so that nothing needs to say that it depends on it?"""
    if objid >= FIRST_UNPINNED_OBJECT_ID:
        return False
    if classid == PgLargeobject.RELID or classid == PgDatabase.RELID:
        return False
    return not (classid == PgNamespace.RELID and objid == PUBLIC_NAMESPACE)


def record_dependency_on(
    catalog: Catalog, depender: ObjectAddress, referenced: ObjectAddress, behavior: str
) -> None:
    """One row; nothing for pinned objects."""
    record_multiple_dependencies(catalog, depender, [referenced], behavior)


def record_multiple_dependencies(
    catalog: Catalog, depender: ObjectAddress, referenced: Iterable[ObjectAddress], behavior: str
) -> None:
    """The same for several objects, each once."""
    rows = [
        PgDepend(
            classid=depender[0],
            objid=depender[1],
            objsubid=depender[2],
            refclassid=ref[0],
            refobjid=ref[1],
            refobjsubid=ref[2],
            deptype=behavior,
        )
        for ref in dict.fromkeys(referenced)
        if ref[1] and not is_pinned_object(ref[0], ref[1])
    ]
    if rows:
        catalog.insert_many(rows)


def delete_dependency_records_for(
    catalog: Catalog, classid: int, objid: int, *, skip_extension: bool = False
) -> int:
    """Forget what an object depends on; how many rows that were."""
    count = 0
    if skip_extension:
        for row in catalog.all(PgDepend, classid=classid, objid=objid):
            if row.deptype != DEPENDENCY_EXTENSION:
                count += catalog.delete(PgDepend, **row._asdict())
        return count
    return catalog.delete(PgDepend, classid=classid, objid=objid)


def delete_dependency_records_for_class(
    catalog: Catalog, classid: int, objid: int, refclassid: int, deptype: str
) -> int:
    """Forget dependencies of one type on objects of one class."""
    return catalog.delete(
        PgDepend, classid=classid, objid=objid, refclassid=refclassid, deptype=deptype
    )


def delete_dependency_records_for_specific(
    catalog: Catalog, classid: int, objid: int, deptype: str, refclassid: int, refobjid: int
) -> int:
    """Forget dependencies of one type on one object."""
    return catalog.delete(
        PgDepend,
        classid=classid,
        objid=objid,
        deptype=deptype,
        refclassid=refclassid,
        refobjid=refobjid,
    )


def change_dependency_for(
    catalog: Catalog, classid: int, objid: int, refclassid: int, old: int, new: int
) -> int:
    """Point a dependency at another object (ALTER ... SET SCHEMA); how many rows changed."""
    if is_pinned_object(refclassid, old):
        if not is_pinned_object(refclassid, new):
            record_dependency_on(
                catalog,
                ObjectAddress(classid, objid),
                ObjectAddress(refclassid, new),
                DEPENDENCY_NORMAL,
            )
        return 1
    where = {"classid": classid, "objid": objid, "refclassid": refclassid, "refobjid": old}
    if is_pinned_object(refclassid, new):
        return catalog.delete(PgDepend, **where)
    return catalog.update(PgDepend, where, refobjid=new)


def change_dependencies_of(catalog: Catalog, classid: int, old: int, new: int) -> int:
    """Make everything that depended on by `old` depended on by `new`: the depender changes."""
    return catalog.update(PgDepend, {"classid": classid, "objid": old}, objid=new)


def change_dependencies_on(catalog: Catalog, refclassid: int, old: int, new: int) -> int:
    """Make everything that depends on `old` depend on `new`."""
    return catalog.update(PgDepend, {"refclassid": refclassid, "refobjid": old}, refobjid=new)


def get_extension_of_object(catalog: Catalog, classid: int, objid: int) -> int:
    """OID of the extension that an object belongs to, or 0."""
    for row in catalog.all(PgDepend, classid=classid, objid=objid):
        if row.deptype == DEPENDENCY_EXTENSION:
            return row.refobjid
    return 0


def sequence_is_owned(catalog: Catalog, seqid: int, deptype: str) -> tuple[int, int] | None:
    """(table, column) that owns a sequence through `deptype` ("a" OWNED BY, "i" identity)."""
    for row in catalog.all(PgDepend, classid=PgClass.RELID, objid=seqid):
        if row.refclassid == PgClass.RELID and row.deptype == deptype:
            return row.refobjid, row.refobjsubid
    return None


def get_owned_sequences(
    catalog: Catalog, relid: int, attnum: int = 0, deptype: str = ""
) -> list[int]:
    """OIDs of the sequences that a table (or one column of it) owns."""
    found = []
    for row in catalog.all(PgDepend, refclassid=PgClass.RELID, refobjid=relid):
        if row.classid != PgClass.RELID or row.objsubid or not row.refobjsubid:
            continue
        if attnum and row.refobjsubid != attnum:
            continue
        if row.deptype not in (deptype or "ai"):
            continue
        relation = catalog.one(PgClass, oid=row.objid)
        if relation is not None and relation.relkind == "S":
            found.append(row.objid)
    return found


def get_constraint_index(catalog: Catalog, constraint: int) -> int:
    """OID of the index that implements a PRIMARY KEY, UNIQUE or EXCLUDE constraint, or 0."""
    from pgemu.catalog.rows import PgConstraint

    row = catalog.one(PgConstraint, oid=constraint)
    return row.conindid if row is not None and row.contype in "pux" else 0


def get_index_constraint(catalog: Catalog, index: int) -> int:
    """OID of the constraint that owns an index, or 0."""
    from pgemu.catalog.rows import PgConstraint

    for row in catalog.all(PgDepend, classid=PgClass.RELID, objid=index):
        if row.refclassid == PgConstraint.RELID and row.deptype == DEPENDENCY_INTERNAL:
            return row.refobjid
    return 0
