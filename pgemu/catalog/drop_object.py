"""Removing the rows (and the storage) of one object (PostgreSQL's doDeletion and the functions
that it calls: heap_drop_with_catalog, RemoveAttributeById, RemoveTypeById, ...)."""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import TYPE_CHECKING, Any

from pgemu.catalog import rows as r
from pgemu.catalog.objectaddress import ObjectAddress
from pgemu.catalog.pg_shdepend import delete_shared_dependency_records_for
from pgemu.errors import INTERNAL_ERROR, PgError

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog


def delete_one_object(
    catalog: Catalog, address: ObjectAddress, dropped_with_it: Set[ObjectAddress] = frozenset()
) -> None:
    """Remove the object, its dependency rows, comments and labels.  dropped_with_it: everything
    that the same command drops (an index needs no dropping when its table goes)."""
    classid, objid, objsubid = address
    _do_deletion(catalog, address, dropped_with_it)
    if objsubid:
        where = {"classid": classid, "objid": objid, "objsubid": objsubid}
        catalog.delete(r.PgDepend, **where)
        for cls in (r.PgDescription, r.PgSeclabel, r.PgInitPrivs):
            catalog.delete_of_object(cls, "objoid", objid, classoid=classid, objsubid=objsubid)
    else:
        catalog.delete(r.PgDepend, classid=classid, objid=objid)
        for cls in (r.PgDescription, r.PgSeclabel, r.PgInitPrivs):
            catalog.delete_of_object(cls, "objoid", objid, classoid=classid)
    delete_shared_dependency_records_for(catalog, classid, objid, objsubid)


def _do_deletion(
    catalog: Catalog, address: ObjectAddress, dropped_with_it: Set[ObjectAddress]
) -> None:
    if address.classid == r.PgClass.RELID:
        if address.objsubid:
            remove_attribute_by_id(catalog, address.objid, address.objsubid)
        else:
            drop_relation(catalog, address.objid, dropped_with_it)
        return
    special = _SPECIAL.get(address.classid)
    if special is not None:
        special(catalog, address.objid)
        return
    if address.classid == r.PgAttrdef.RELID:
        remove_attr_default_by_id(catalog, address.objid, dropped_with_it)
        return
    if address.classid == r.PgConstraint.RELID:
        remove_constraint_by_id(catalog, address.objid, dropped_with_it)
        return
    cls = r.CATALOG_BY_RELID.get(address.classid)
    if cls is None or "oid" not in cls._fields:
        raise PgError(INTERNAL_ERROR, f"unrecognized object class: {address.classid}")
    catalog.delete(cls, oid=address.objid)


def drop_relation(
    catalog: Catalog, oid: int, dropped_with_it: Set[ObjectAddress] = frozenset()
) -> None:
    """heap_drop_with_catalog, index_drop and DeleteSequenceTuple."""
    row = catalog.get(r.PgClass, oid=oid)
    index = catalog.one(r.PgIndex, indexrelid=oid) if row.relkind in "iI" else None
    _drop_storage(catalog, oid, row, index, dropped_with_it)
    if index is not None:
        catalog.delete(r.PgIndex, indexrelid=oid)
    if row.relkind == "S":
        catalog.delete(r.PgSequence, seqrelid=oid)
    elif row.relkind == "f":
        catalog.delete(r.PgForeignTable, ftrelid=oid)
    elif row.relkind == "p":
        catalog.delete(r.PgPartitionedTable, partrelid=oid)
    for parent in catalog.all(r.PgInherits, inhrelid=oid):
        catalog.update(
            r.PgPartitionedTable,
            {"partrelid": parent.inhparent, "partdefid": oid},
            partdefid=0,
        )
    catalog.delete(r.PgInherits, inhrelid=oid)
    catalog.delete_of_object(r.PgStatistic, "starelid", oid)
    catalog.delete(r.PgAttribute, attrelid=oid)
    catalog.delete_of_object(r.PgPublicationRel, "prrelid", oid)
    catalog.delete_of_object(r.PgSubscriptionRel, "srrelid", oid)
    catalog.delete(r.PgClass, oid=oid)


def _drop_storage(
    catalog: Catalog,
    oid: int,
    row: r.PgClass,
    index: r.PgIndex | None,
    dropped_with_it: Set[ObjectAddress],
) -> None:
    """What is in SQLite vanishes when the transaction commits."""
    session: Any = catalog.ctx.session
    if session is None:
        return
    node = row.relfilenode or oid
    if row.relkind == "t" or (index is not None and row.relname.startswith("pg_toast_")):
        return  # TOAST tables have none
    if row.relkind in "rm":
        session.xact.drop_on_commit(f"main.r{node}")
    elif row.relkind == "i" and index is not None:
        table = ObjectAddress(r.PgClass.RELID, index.indrelid, 0)
        if table not in dropped_with_it:
            session.xact.drop_index(f"main.i{node}")
    elif row.relkind == "S":
        session.xact.at_commit(lambda: session.sequences.drop(node))


def remove_attribute_by_id(catalog: Catalog, relid: int, attnum: int) -> None:
    """RemoveAttributeById: the row stays, without a type, so that attribute numbers do."""
    catalog.update(
        r.PgAttribute,
        {"attrelid": relid, "attnum": attnum},
        attisdropped=True,
        atttypid=0,
        attnotnull=False,
        attstattarget=0,
        attgenerated="",
        attidentity="",
        attname=f"........pg.dropped.{attnum}........",
        atthasmissing=False,
        attmissingval=None,
        attacl=None,
        attoptions=None,
        attfdwoptions=None,
    )
    catalog.delete(r.PgStatistic, starelid=relid, staattnum=attnum)


def remove_attr_default_by_id(
    catalog: Catalog, oid: int, dropped_with_it: Set[ObjectAddress] = frozenset()
) -> None:
    """A default goes: the column remembers that it has none."""
    row = catalog.get(r.PgAttrdef, oid=oid)
    catalog.delete(r.PgAttrdef, oid=oid)
    if ObjectAddress(r.PgClass.RELID, row.adrelid, 0) in dropped_with_it:
        return
    catalog.update(r.PgAttribute, {"attrelid": row.adrelid, "attnum": row.adnum}, atthasdef=False)


def remove_constraint_by_id(
    catalog: Catalog, oid: int, dropped_with_it: Set[ObjectAddress] = frozenset()
) -> None:
    """A CHECK constraint goes: the table counts its checks."""
    row = catalog.get(r.PgConstraint, oid=oid)
    table = ObjectAddress(r.PgClass.RELID, row.conrelid, 0)
    if row.conrelid and row.contype == "c" and table not in dropped_with_it:
        relation = catalog.get(r.PgClass, oid=row.conrelid)
        catalog.update(r.PgClass, {"oid": relation.oid}, relchecks=max(relation.relchecks - 1, 0))
    catalog.delete(r.PgConstraint, oid=oid)


def remove_function_by_id(catalog: Catalog, oid: int) -> None:
    row = catalog.get(r.PgProc, oid=oid)
    catalog.delete(r.PgProc, oid=oid)
    if row.prokind == "a":
        catalog.delete(r.PgAggregate, aggfnoid=oid)


def remove_type_by_id(catalog: Catalog, oid: int) -> None:
    row = catalog.get(r.PgType, oid=oid)
    catalog.delete(r.PgType, oid=oid)
    if row.typtype == "e":
        catalog.delete(r.PgEnum, enumtypid=oid)
    if row.typtype == "r":
        catalog.delete(r.PgRange, rngtypid=oid)


def remove_operator_by_id(catalog: Catalog, oid: int) -> None:
    """Its commutator and negator forget it."""
    catalog.update(r.PgOperator, {"oprcom": oid}, oprcom=0)
    catalog.update(r.PgOperator, {"oprnegate": oid}, oprnegate=0)
    catalog.delete(r.PgOperator, oid=oid)


def remove_rewrite_rule_by_id(catalog: Catalog, oid: int) -> None:
    row = catalog.get(r.PgRewrite, oid=oid)
    catalog.delete(r.PgRewrite, oid=oid)
    if not catalog.all(r.PgRewrite, ev_class=row.ev_class):
        catalog.update(r.PgClass, {"oid": row.ev_class}, relhasrules=False)


def remove_statistics_by_id(catalog: Catalog, oid: int) -> None:
    catalog.delete(r.PgStatisticExtData, stxoid=oid)
    catalog.delete(r.PgStatisticExt, oid=oid)


def remove_ts_configuration_by_id(catalog: Catalog, oid: int) -> None:
    catalog.delete(r.PgTsConfig, oid=oid)
    catalog.delete(r.PgTsConfigMap, mapcfg=oid)


def drop_large_object(catalog: Catalog, oid: int) -> None:
    catalog.delete(r.PgLargeobjectMetadata, oid=oid)
    catalog.delete(r.PgLargeobject, loid=oid)


_SPECIAL: dict[int, Callable[[Any, int], None]] = {
    r.PgProc.RELID: remove_function_by_id,
    r.PgType.RELID: remove_type_by_id,
    r.PgOperator.RELID: remove_operator_by_id,
    r.PgRewrite.RELID: remove_rewrite_rule_by_id,
    r.PgStatisticExt.RELID: remove_statistics_by_id,
    r.PgTsConfig.RELID: remove_ts_configuration_by_id,
    r.PgLargeobject.RELID: drop_large_object,
    r.PgLargeobjectMetadata.RELID: drop_large_object,
}
