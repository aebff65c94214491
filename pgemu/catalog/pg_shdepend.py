"""Dependencies on shared objects, roles above all (PostgreSQL's pg_shdepend.c).

Types: o owner, a mentioned in an ACL, r policy target, t tablespace, i initial privileges.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pgemu.catalog.objectaddress import ObjectAddress, get_object_description
from pgemu.catalog.pg_depend import is_pinned_object
from pgemu.catalog.rows import (
    CATALOG_BY_RELID,
    CATALOGS,
    PgAuthid,
    PgDatabase,
    PgShdepend,
    PgTablespace,
)
from pgemu.errors import DEPENDENT_OBJECTS_STILL_EXIST, PgError

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog

SHARED_DEPENDENCY_OWNER = "o"
SHARED_DEPENDENCY_ACL = "a"
SHARED_DEPENDENCY_POLICY = "r"
SHARED_DEPENDENCY_TABLESPACE = "t"


def class_id_get_db_id(catalog: Catalog, classid: int) -> int:
    """The database that objects of a catalog belong to: 0 for shared ones."""
    cls = CATALOG_BY_RELID.get(classid)
    return 0 if cls is not None and CATALOGS[cls].shared else catalog.ctx.database_oid


def record_shared_dependency_on(
    catalog: Catalog, depender: ObjectAddress, referenced: ObjectAddress, deptype: str
) -> None:
    """One row, unless it is there or the referenced object is pinned."""
    if is_pinned_object(referenced[0], referenced[1]):
        return
    row = PgShdepend(
        dbid=class_id_get_db_id(catalog, depender[0]),
        classid=depender[0],
        objid=depender[1],
        objsubid=depender[2],
        refclassid=referenced[0],
        refobjid=referenced[1],
        deptype=deptype,
    )
    if not catalog.all(PgShdepend, **row._asdict()):
        catalog.insert(row)


def record_dependency_on_owner(catalog: Catalog, classid: int, objid: int, owner: int) -> None:
    record_shared_dependency_on(
        catalog,
        ObjectAddress(classid, objid),
        ObjectAddress(PgAuthid.RELID, owner),
        SHARED_DEPENDENCY_OWNER,
    )


def _own_rows(catalog: Catalog, classid: int, objid: int) -> dict[str, int]:
    return {
        "dbid": class_id_get_db_id(catalog, classid),
        "classid": classid,
        "objid": objid,
    }


def change_dependency_on_owner(catalog: Catalog, classid: int, objid: int, owner: int) -> None:
    """ALTER ... OWNER TO: the new owner's ACL entries become implicit."""
    where = _own_rows(catalog, classid, objid)
    catalog.delete(PgShdepend, **where, objsubid=0, deptype=SHARED_DEPENDENCY_OWNER)
    record_dependency_on_owner(catalog, classid, objid, owner)
    catalog.delete(PgShdepend, **where, objsubid=0, refobjid=owner, deptype=SHARED_DEPENDENCY_ACL)


def change_dependency_on_tablespace(
    catalog: Catalog, classid: int, objid: int, tablespace: int
) -> None:
    where = _own_rows(catalog, classid, objid)
    catalog.delete(PgShdepend, **where, deptype=SHARED_DEPENDENCY_TABLESPACE)
    if tablespace:
        record_shared_dependency_on(
            catalog,
            ObjectAddress(classid, objid),
            ObjectAddress(PgTablespace.RELID, tablespace),
            SHARED_DEPENDENCY_TABLESPACE,
        )


def update_acl_dependencies(
    catalog: Catalog,
    classid: int,
    objid: int,
    objsubid: int,
    owner: int,
    old_members: Iterable[int],
    new_members: Iterable[int],
) -> None:
    """GRANT and REVOKE: the roles that an ACL mentions, the owner left out."""
    old = set(old_members) - {owner, 0}
    new = set(new_members) - {owner, 0}
    for role in sorted(new - old):
        record_shared_dependency_on(
            catalog,
            ObjectAddress(classid, objid, objsubid),
            ObjectAddress(PgAuthid.RELID, role),
            SHARED_DEPENDENCY_ACL,
        )
    for role in old - new:
        catalog.delete(
            PgShdepend,
            **_own_rows(catalog, classid, objid),
            objsubid=objsubid,
            refclassid=PgAuthid.RELID,
            refobjid=role,
            deptype=SHARED_DEPENDENCY_ACL,
        )


def delete_shared_dependency_records_for(
    catalog: Catalog, classid: int, objid: int, objsubid: int = 0
) -> None:
    where = _own_rows(catalog, classid, objid)
    if objsubid:
        where["objsubid"] = objsubid
    del where["objid"]
    catalog.delete_of_object(PgShdepend, "objid", objid, **where)


def _describe(catalog: Catalog, row: PgShdepend) -> str:
    what = get_object_description(catalog, ObjectAddress(row.classid, row.objid, row.objsubid))
    if row.refclassid == PgTablespace.RELID:
        return f"tablespace for {what}"
    prefix = {"o": "owner of", "a": "privileges for", "r": "target of"}.get(row.deptype, "")
    return f"{prefix} {what}"


def check_shared_dependencies(catalog: Catalog, classid: int, objid: int) -> str | None:
    """The DETAIL of refusing to drop a role or tablespace: one line per object; None: nothing
    depends on it.  A pinned one is an error."""
    if is_pinned_object(classid, objid):
        what = get_object_description(catalog, ObjectAddress(classid, objid))
        raise PgError(
            DEPENDENT_OBJECTS_STILL_EXIST,
            f"cannot drop {what} because it is required by the database system",
        )
    rows = catalog.all(PgShdepend, refclassid=classid, refobjid=objid)
    here: list[PgShdepend] = []
    elsewhere: dict[int, int] = {}
    for row in rows:
        if row.dbid in (0, catalog.ctx.database_oid):
            here.append(row)
        else:
            elsewhere[row.dbid] = elsewhere.get(row.dbid, 0) + 1
    here.sort(key=lambda s: (s.objid, s.classid, s.objsubid))
    lines = [_describe(catalog, row) for row in here[:100]]
    if len(here) > 100:
        more = len(here) - 100
        lines.append(f"and {more} other object{'s' if more != 1 else ''} (see server log for list)")
    for dbid, count in elsewhere.items():
        database = catalog.one(PgDatabase, oid=dbid)
        name = database.datname if database is not None else str(dbid)
        lines.append(f"{count} object{'s' if count != 1 else ''} in database {name}")
    return "\n".join(lines) if lines else None


def owned_objects(catalog: Catalog, roles: Iterable[int]) -> list[tuple[ObjectAddress, Any]]:
    """Rows about these roles in this database (and of shared objects), for DROP OWNED and
    REASSIGN OWNED: (address, row)."""
    found = []
    for role in roles:
        for row in catalog.all(PgShdepend, refclassid=PgAuthid.RELID, refobjid=role):
            if row.dbid in (0, catalog.ctx.database_oid):
                found.append((ObjectAddress(row.classid, row.objid, row.objsubid), row))
    return found
