"""Making relations and their columns (PostgreSQL's heap.c and heap's part of relcache/tableam).

A new relation is one batch of catalog rows (pg_class, pg_type twice, pg_attribute, pg_depend) and,
for kinds that store rows, one SQLite table.  The rows are collected first and inserted together,
and nothing that was just written is read back: `ColumnSpec` lists serve as the tuple descriptor.
What differs from PostgreSQL: no TOAST tables (SQLite stores long values itself).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pgemu.catalog.acl import acl_from_texts
from pgemu.catalog.acl_change import aclmembers
from pgemu.catalog.pg_shdepend import change_dependency_on_tablespace
from pgemu.catalog.pg_type_create import array_type_row, composite_type_row, make_array_type_name
from pgemu.catalog.rows import (
    PG_ATTRDEF_RELID,
    PG_CLASS_RELID,
    PG_NAMESPACE_RELID,
    PG_TYPE_RELID,
    PgAm,
    PgAttrdef,
    PgAttribute,
    PgClass,
    PgDepend,
    PgShdepend,
    PgType,
)
from pgemu.catalog.toasting import needs_toast_table
from pgemu.errors import (
    DUPLICATE_COLUMN,
    DUPLICATE_OBJECT,
    DUPLICATE_TABLE,
    INVALID_TABLE_DEFINITION,
    TOO_MANY_COLUMNS,
    PgError,
)
from pgemu.nodes.serialize import node_to_string

MAX_HEAP_ATTRIBUTES = 1600
HEAP_TABLE_AM_OID = 2
RECORDOID = 2249
RECORDARRAYOID = 2287
UNKNOWNOID = 705
CSTRINGOID, CSTRINGARRAYOID = 2275, 1263

# relkinds that have rows of their own in SQLite
KINDS_WITH_STORAGE = frozenset("rmt")
# relkinds that have a row type
KINDS_WITH_ROW_TYPE = frozenset("rvmfpc")

# name, type, length, attnum, by value, alignment
_SYSTEM_COLUMNS = (
    ("ctid", 27, 6, -1, False, "s"),
    ("xmin", 28, 4, -2, True, "i"),
    ("cmin", 29, 4, -3, True, "i"),
    ("xmax", 28, 4, -4, True, "i"),
    ("cmax", 29, 4, -5, True, "i"),
    ("tableoid", 26, 4, -6, True, "i"),
)
SYSTEM_COLUMN_NAMES = frozenset(c[0] for c in _SYSTEM_COLUMNS)
SYSTEM_COLUMN_TYPES = {c[0]: (c[3], c[1]) for c in _SYSTEM_COLUMNS}


@dataclass(slots=True)
class ColumnSpec:
    """One column of a relation to be made (PostgreSQL's ColumnDef after transformation and
    Form_pg_attribute in one).  default: the cooked expression; raw_default: before analysis."""

    name: str
    type_id: int
    typmod: int = -1
    collation: int = 0
    not_null: bool = False
    ndims: int = 0
    identity: str = ""
    generated: str = ""
    is_local: bool = True
    inhcount: int = 0
    storage: str = ""
    compression: str = ""
    raw_default: Any = None
    default: Any = None
    stattarget: int = -1
    options: tuple[str, ...] | None = None
    location: int = -1
    is_from_type: bool = False
    dropped: bool = False
    expects_default: bool = False


def insert_rows(catalog: Any, rows: Iterable[Any]) -> None:
    """Insert catalog rows; through the catalog's batch interface where it has one."""
    many = getattr(catalog, "insert_many", None)
    if many is not None:
        many(list(rows))
        return
    for row in rows:
        catalog.insert(row)


def attribute_row(catalog: Any, relid: int, attnum: int, col: ColumnSpec) -> PgAttribute:
    """The pg_attribute row of a column."""
    typ = catalog.one(PgType, oid=col.type_id)
    return PgAttribute(
        attrelid=relid,
        attname=col.name,
        atttypid=col.type_id,
        attstattarget=col.stattarget,
        attlen=typ.typlen,
        attnum=attnum,
        attndims=col.ndims,
        attcacheoff=-1,
        atttypmod=col.typmod,
        attbyval=typ.typbyval,
        attalign=typ.typalign,
        attstorage=col.storage or typ.typstorage,
        attcompression=col.compression,
        attnotnull=col.not_null,
        atthasdef=col.default is not None or bool(col.generated) or col.expects_default,
        atthasmissing=False,
        attidentity=col.identity,
        attgenerated=col.generated,
        attisdropped=False,
        attislocal=col.is_local,
        attinhcount=col.inhcount,
        attcollation=col.collation,
        attacl=None,
        attoptions=col.options,
        attfdwoptions=None,
        attmissingval=None,
    )


def system_attribute_rows(relid: int) -> list[PgAttribute]:
    """ctid, xmin, cmin, xmax, cmax and tableoid."""
    return [PgAttribute(relid, *rest) for rest in _system_attributes()]


@cache
def _system_attributes() -> list[tuple[Any, ...]]:
    """Their rows without attrelid, which comes first."""
    rows = [
        PgAttribute(
            attrelid=0, attname=name, atttypid=type_id, attstattarget=0, attlen=length,
            attnum=attnum, attndims=0, attcacheoff=-1, atttypmod=-1, attbyval=byval,
            attalign=align, attstorage="p", attcompression="", attnotnull=True, atthasdef=False,
            atthasmissing=False, attidentity="", attgenerated="", attisdropped=False,
            attislocal=True, attinhcount=0, attcollation=0, attacl=None, attoptions=None,
            attfdwoptions=None, attmissingval=None,
        )
        for name, type_id, length, attnum, byval, align in _SYSTEM_COLUMNS
    ]  # fmt: skip
    return [row[1:] for row in rows]


def check_attribute_names_types(catalog: Any, columns: Sequence[ColumnSpec], relkind: str) -> None:
    """CheckAttributeNamesTypes: system names, duplicates, pseudo-types."""
    if len(columns) > MAX_HEAP_ATTRIBUTES:
        raise PgError(TOO_MANY_COLUMNS, f"tables can have at most {MAX_HEAP_ATTRIBUTES} columns")
    seen: set[str] = set()
    for col in columns:
        if relkind not in "vc" and col.name in SYSTEM_COLUMN_NAMES:
            raise PgError(
                DUPLICATE_COLUMN,
                f'column name "{col.name}" conflicts with a system column name',
            )
        if col.name in seen:
            raise PgError(DUPLICATE_COLUMN, f'column "{col.name}" specified more than once')
        seen.add(col.name)
        check_attribute_type(catalog, col.name, col.type_id, col.collation)


def check_attribute_type(catalog: Any, name: str, type_id: int, collation: int) -> None:
    """CheckAttributeType: a column cannot have a pseudo-type, and needs a collation if its type
    has one."""
    if type_id == CSTRINGARRAYOID:
        type_id = CSTRINGOID
    if type_id in (RECORDOID, RECORDARRAYOID, UNKNOWNOID) or type_id >= 2200:
        typ = catalog.one(PgType, oid=type_id)
        pseudo = typ is not None and typ.typtype == "p"
    else:
        typ, pseudo = None, False
    if pseudo:
        raise PgError(
            INVALID_TABLE_DEFINITION,
            f'column "{name}" has pseudo-type {catalog.type_name(type_id)}',
        )
    if not collation:
        typ = typ or catalog.one(PgType, oid=type_id)
        if typ.typcollation:
            raise PgError(
                INVALID_TABLE_DEFINITION,
                f'no collation was derived for column "{name}" with collatable type '
                f"{catalog.type_name(type_id)}",
                hint="Use the COLLATE clause to set the collation explicitly.",
            )


def storage_columns(catalog: Any, columns: Sequence[tuple[int, int]]) -> str:
    """SQLite column definitions of (attnum, type OID) pairs."""
    io = catalog.types.io
    parts = []
    for attnum, type_id in columns:
        collation = io(type_id).collation
        parts.append(f", c{attnum} COLLATE {collation}" if collation else f", c{attnum}")
    return "".join(parts)


def create_storage(
    session: Any, relfilenode: int, columns: Sequence[tuple[int, int]], persistence: str = "p"
) -> None:
    """The SQLite table of a relation: (attnum, type OID) pairs.  Dropped again on abort."""
    del persistence
    body = storage_columns(session.catalog, columns)
    name = f"r{relfilenode}"
    session.xact.make_storage(
        f"main.{name}", f"CREATE TABLE {name} (rid INTEGER PRIMARY KEY, xmin{body})"
    )


@dataclass(slots=True)
class NewRelation:
    """What heap_create_with_catalog made, for the steps that follow in the same command."""

    oid: int
    name: str
    namespace: int
    relkind: str
    persistence: str
    columns: list[ColumnSpec]
    rowtype: int = 0
    rows: list[Any] = field(default_factory=list)
    # its pg_class row, if it is to have a TOAST table
    toast_of: PgClass | None = None

    def attnum(self, name: str) -> int:
        """1-based number of a column, 0 if there is none of that name."""
        for number, col in enumerate(self.columns, 1):
            if col.name == name:
                return number
        return 0


def class_row(
    oid: int,
    name: str,
    namespace: int,
    relkind: str,
    persistence: str,
    owner: int,
    **changes: Any,
) -> PgClass:
    """A pg_class row with PostgreSQL's initial values; `changes` name columns to set."""
    values: dict[str, Any] = {
        "oid": oid,
        "relname": name,
        "relnamespace": namespace,
        "reltype": 0,
        "reloftype": 0,
        "relowner": owner,
        "relam": HEAP_TABLE_AM_OID if relkind in "rm" else 0,
        "relfilenode": oid if relkind in "rmSit" else 0,
        "reltablespace": 0,
        "relpages": 1 if relkind == "S" else 0,
        "reltuples": 1.0 if relkind == "S" else (0.0 if relkind in "iI" else -1.0),
        "relallvisible": 0,
        "reltoastrelid": 0,
        "relhasindex": False,
        "relisshared": False,
        "relpersistence": persistence,
        "relkind": relkind,
        "relnatts": 0,
        "relchecks": 0,
        "relhasrules": False,
        "relhastriggers": False,
        "relhassubclass": False,
        "relrowsecurity": False,
        "relforcerowsecurity": False,
        "relispopulated": True,
        "relreplident": "d" if relkind in "rpm" else "n",
        "relispartition": False,
        "relrewrite": 0,
        "relfrozenxid": 0,
        "relminmxid": 1 if relkind in "rm" else 0,
        "relacl": None,
        "reloptions": None,
        "relpartbound": None,
    }
    values.update(changes)
    return PgClass(**values)


def depend(
    depender: tuple[int, int, int], referenced: tuple[int, int, int], deptype: str
) -> PgDepend:
    """A pg_depend row."""
    return PgDepend(*depender, *referenced, deptype)


def is_pinned(oid: int, classid: int = 0) -> bool:
    """IsPinnedObject: objects of the system need no dependency rows (schema public is the
    exception)."""
    if classid == PG_NAMESPACE_RELID and oid == 2200:
        return False
    return oid < 12000


def owner_rows(catalog: Any, classid: int, oid: int, owner: int) -> list[Any]:
    """recordDependencyOnOwner: nothing for the bootstrap superuser, who is pinned."""
    if is_pinned(owner):
        return []
    return [
        PgShdepend(
            dbid=catalog.ctx.database_oid,
            classid=classid,
            objid=oid,
            objsubid=0,
            refclassid=1260,
            refobjid=owner,
            deptype="o",
        )
    ]


def acl_rows(
    catalog: Any, classid: int, oid: int, owner: int, acl: Sequence[str] | None
) -> list[Any]:
    """recordDependencyOnNewAcl: the roles that a new object's ACL mentions."""
    if not acl:
        return []
    roles = aclmembers(acl_from_texts(catalog, acl)) - {owner}
    owned = [row for role in sorted(roles) for row in owner_rows(catalog, classid, oid, role)]
    return [row._replace(deptype="a") for row in owned]


def heap_create_with_catalog(
    session: Any,
    name: str,
    namespace: int,
    relkind: str,
    persistence: str,
    columns: list[ColumnSpec],
    *,
    owner: int | None = None,
    reloptions: tuple[str, ...] | None = None,
    of_type: int = 0,
    partition_bound: str | None = None,
    is_partition: bool = False,
    populated: bool = True,
    acl: tuple[str, ...] | None = None,
    type_acl: tuple[str, ...] | None = None,
    relchecks: int = 0,
    has_triggers: bool = False,
    has_index: bool = False,
    has_rules: bool = False,
    access_method: int = HEAP_TABLE_AM_OID,
    tablespace: int = 0,
) -> NewRelation:
    """Make a relation with its row type, columns and storage; constraints and defaults are the
    caller's.  Raises 42P07 when the name is taken, 42710 when the type name is."""
    catalog = session.catalog
    owner = session.ctx.current_user_oid if owner is None else owner
    check_attribute_names_types(catalog, columns, relkind)
    if catalog.one(PgClass, relname=name, relnamespace=namespace) is not None:
        raise PgError(DUPLICATE_TABLE, f'relation "{name}" already exists')
    with_type = relkind in KINDS_WITH_ROW_TYPE
    if with_type:
        existing = catalog.one(PgType, typname=name, typnamespace=namespace)
        if existing is not None and not move_array_type_name(catalog, existing):
            raise PgError(
                DUPLICATE_OBJECT,
                f'type "{name}" already exists',
                hint="A relation has an associated type of the same name, so you must use a "
                "name that doesn't conflict with any existing type.",
            )
    oid = catalog.new_oid()
    array_oid = catalog.new_oid() if with_type else 0
    type_oid = catalog.new_oid() if with_type else 0
    rows: list[Any] = [
        class_row(
            oid, name, namespace, relkind, persistence, owner,
            reltype=type_oid, reloftype=of_type, relnatts=len(columns), reloptions=reloptions,
            relpartbound=partition_bound, relispartition=is_partition,
            relispopulated=populated, relacl=acl, relchecks=relchecks,
            relhastriggers=has_triggers, relhasindex=has_index, relhasrules=has_rules,
            relam=access_method if relkind in "rm" else 0, reltablespace=tablespace,
            relfrozenxid=session.shm.read_next_xid() if relkind in "rm" and session.shm else 0,
        )
    ]  # fmt: skip
    me = (PG_CLASS_RELID, oid, 0)
    if with_type:
        array_name = make_array_type_name(catalog, name, namespace)
        row = composite_type_row(catalog, type_oid, name, namespace, owner, oid, array_oid)
        rows.append(row._replace(typacl=type_acl))
        rows.append(
            array_type_row(catalog, array_oid, array_name, namespace, owner, type_oid, align="d")
        )
        row_type = (PG_TYPE_RELID, type_oid, 0)
        if relkind == "c":
            rows.append(depend(me, row_type, "i"))
            rows.append(depend(row_type, (PG_NAMESPACE_RELID, namespace, 0), "n"))
            rows.extend(owner_rows(catalog, PG_TYPE_RELID, type_oid, owner))
            rows.extend(acl_rows(catalog, PG_TYPE_RELID, type_oid, owner, type_acl))
        else:
            rows.append(depend(row_type, me, "i"))
        rows.append(depend((PG_TYPE_RELID, array_oid, 0), row_type, "i"))
    attributes = new_attribute_rows(catalog, oid, columns, relkind)
    rows.extend(attributes)
    toast_of = None
    if relkind in "rm" and needs_toast_table(
        row for row in attributes if isinstance(row, PgAttribute) and row.attnum > 0
    ):
        toast_of = rows[0]
    if relkind != "c":
        if not is_pinned(namespace, PG_NAMESPACE_RELID):
            rows.append(depend(me, (PG_NAMESPACE_RELID, namespace, 0), "n"))
        rows.extend(owner_rows(catalog, PG_CLASS_RELID, oid, owner))
        rows.extend(acl_rows(catalog, PG_CLASS_RELID, oid, owner, acl))
        if of_type:
            rows.append(depend(me, (PG_TYPE_RELID, of_type, 0), "n"))
        if relkind in "rm" and not is_pinned(access_method):
            rows.append(depend(me, (PgAm.RELID, access_method, 0), "n"))
    # the type first: who makes a relation of the same name at the same time meets that
    rows.sort(key=lambda row: not isinstance(row, PgType))
    insert_rows(catalog, rows)
    if tablespace and relkind == "p":
        change_dependency_on_tablespace(catalog, PG_CLASS_RELID, oid, tablespace)
    if relkind in KINDS_WITH_STORAGE:
        create_storage(
            session, oid, [(n, c.type_id) for n, c in enumerate(columns, 1)], persistence
        )
    return NewRelation(
        oid, name, namespace, relkind, persistence, columns, type_oid, toast_of=toast_of
    )


def new_attribute_rows(
    catalog: Any, relid: int, columns: Sequence[ColumnSpec], relkind: str
) -> list[Any]:
    """AddNewAttributeTuples: the columns, their dependencies on types and collations, and the
    system columns of kinds that have them."""
    rows: list[Any] = []
    for attnum, col in enumerate(columns, 1):
        rows.append(attribute_row(catalog, relid, attnum, col))
        rows.extend(attribute_dependencies(relid, attnum, col))
    if relkind not in "vc":
        rows.extend(system_attribute_rows(relid))
    return rows


def attribute_dependencies(relid: int, attnum: int, col: ColumnSpec) -> list[Any]:
    """A column needs its type and its collation, unless they are the system's."""
    me = (PG_CLASS_RELID, relid, attnum)
    rows = []
    if not is_pinned(col.type_id):
        rows.append(depend(me, (PG_TYPE_RELID, col.type_id, 0), "n"))
    if col.collation and not is_pinned(col.collation):
        rows.append(depend(me, (3456, col.collation, 0), "n"))
    return rows


def move_array_type_name(catalog: Any, typ: PgType) -> bool:
    """moveArrayTypeName: an automatic array type makes way for a type that wants its name."""
    if not typ.typelem or typ.typcategory != "A" or typ.typtype != "b":
        return False
    element = catalog.one(PgType, oid=typ.typelem)
    if element is None or element.typarray != typ.oid:
        return False
    new_name = make_array_type_name(catalog, typ.typname, typ.typnamespace)
    catalog.update(PgType, {"oid": typ.oid}, typname=new_name)
    return True


def attrdef_rows(
    catalog: Any, relid: int, attnum: int, expr: Any, *, generated: bool = False
) -> tuple[int, list[Any]]:
    """StoreAttrDefault without the atthasdef flag: (OID of the default, its rows except those of
    the expression's dependencies, which the caller records)."""
    oid = catalog.new_oid()
    row = PgAttrdef(oid=oid, adrelid=relid, adnum=attnum, adbin=node_to_string(expr))
    # a generated column's expression is an internal part of the column
    deptype = "i" if generated else "a"
    link = depend((PG_ATTRDEF_RELID, oid, 0), (PG_CLASS_RELID, relid, attnum), deptype)
    return oid, [row, link]
