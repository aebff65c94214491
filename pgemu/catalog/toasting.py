"""TOAST tables as the catalogs show them (PostgreSQL's toasting.c and heaptoast.c).

SQLite stores long values itself, so a TOAST table is catalog rows alone: which tables have one, its
index, its storage parameters.  It has no storage and never a row.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from pgemu.catalog.rows import (
    PG_CLASS_RELID,
    PgAttribute,
    PgClass,
    PgDepend,
    PgIndex,
)

PG_TOAST_NAMESPACE = 99
HEAP_TABLE_AM_OID, BTREE_AM_OID = 2, 403
OID_OPS, INT4_OPS = 1981, 1978
BPCHAROID, VARCHAROID, NUMERICOID, BITOID, VARBITOID = 1042, 1043, 1700, 1560, 1562
VARHDRSZ = 4
_TUPLE_HEADER = 23
_TOAST_TUPLE_THRESHOLD = 2032
_ALIGN = {"c": 1, "s": 2, "i": 4, "d": 8}


def _maximum_size(type_id: int, typmod: int) -> int | None:
    """type_maximum_size: the bytes that a value can take; None: no limit is known."""
    if typmod < 0:
        return None
    if type_id in (BPCHAROID, VARCHAROID):
        return (typmod - VARHDRSZ) * 4 + VARHDRSZ  # UTF-8 in PostgreSQL 15
    if type_id == NUMERICOID:
        precision = (typmod - VARHDRSZ) >> 16 & 0xFFFF
        return 8 + (precision + 6) // 4 * 2
    if type_id in (BITOID, VARBITOID):
        return (typmod + 7) // 8 + 8
    return None


def needs_toast_table(attributes: Iterable[PgAttribute]) -> bool:
    """Can a row be too long for a page, and be shortened?"""
    length, count = 0, 0
    toastable = unknown = False
    for att in attributes:
        count += 1
        if att.attisdropped:
            continue
        align = _ALIGN[att.attalign]
        length = -(-length // align) * align
        if att.attlen > 0:
            length += att.attlen
            continue
        most = _maximum_size(att.atttypid, att.atttypmod)
        unknown = unknown or most is None
        length += most or 0
        toastable = toastable or att.attstorage != "p"
    header = -(-(_TUPLE_HEADER + (count + 7) // 8) // 8) * 8
    return toastable and (unknown or header + -(-length // 8) * 8 > _TOAST_TUPLE_THRESHOLD)


@cache
def _attributes() -> tuple[tuple[Any, ...], ...]:
    """The columns of every TOAST table, without attrelid."""
    from pgemu.catalog.heap import system_attribute_rows

    rows = []
    for number, (name, type_id, length, by_value, align) in enumerate(
        (("chunk_id", 26, 4, True, "i"), ("chunk_seq", 23, 4, True, "i"),
         ("chunk_data", 17, -1, False, "i")), 1,
    ):  # fmt: skip
        row = PgAttribute(
            attrelid=0, attname=name, atttypid=type_id, attstattarget=-1, attlen=length,
            attnum=number, attndims=0, attcacheoff=-1, atttypmod=-1, attbyval=by_value,
            attalign=align, attstorage="p", attcompression="", attnotnull=False, atthasdef=False,
            atthasmissing=False, attidentity="", attgenerated="", attisdropped=False,
            attislocal=True, attinhcount=0, attcollation=0, attacl=None, attoptions=None,
            attfdwoptions=None, attmissingval=None,
        )  # fmt: skip
        rows.append(tuple(row)[1:])
    return (*rows, *(tuple(row)[1:] for row in system_attribute_rows(0)))


def _rows(
    catalog: Any, table: PgClass, reloptions: tuple[str, ...] | None
) -> tuple[int, list[Any]]:
    """create_toast_table: the OID of the TOAST table of a table, and the rows to insert."""
    from pgemu.catalog.heap import class_row, depend
    from pgemu.catalog.namespace import get_namespace_oid

    oid, index = catalog.new_oid(), catalog.new_oid()
    namespace = PG_TOAST_NAMESPACE
    if table.relpersistence == "t":
        namespace = get_namespace_oid(catalog, f"pg_toast_temp_{catalog.backend_id}")
    name = f"pg_toast_{table.oid}"
    place = {"reltablespace": table.reltablespace}
    rows: list[Any] = [
        class_row(
            oid, name, namespace, "t", table.relpersistence, table.relowner,
            relam=HEAP_TABLE_AM_OID, relnatts=3, relhasindex=True, reloptions=reloptions,
            relfilenode=oid, relfrozenxid=table.relfrozenxid, relminmxid=1, **place,
        ),
        class_row(
            index, f"{name}_index", namespace, "i", table.relpersistence, table.relowner,
            relam=BTREE_AM_OID, relnatts=2, relfilenode=index, relpages=1, reltuples=0.0, **place,
        ),
    ]  # fmt: skip
    rows += [PgAttribute(oid, *rest) for rest in _attributes()]
    rows += [PgAttribute(index, *rest) for rest in _attributes()[:2]]
    rows.append(
        PgIndex(
            indexrelid=index, indrelid=oid, indnatts=2, indnkeyatts=2, indisunique=True,
            indnullsnotdistinct=False, indisprimary=True, indisexclusion=False, indimmediate=True,
            indisclustered=False, indisvalid=True, indcheckxmin=False, indisready=True,
            indislive=True, indisreplident=False, indkey=(1, 2), indcollation=(0, 0),
            indclass=(OID_OPS, INT4_OPS), indoption=(0, 0), indexprs=None, indpred=None,
        )
    )  # fmt: skip
    rows.append(depend((PG_CLASS_RELID, oid, 0), (PG_CLASS_RELID, table.oid, 0), "i"))
    for number in (1, 2):
        rows.append(depend((PG_CLASS_RELID, index, 0), (PG_CLASS_RELID, oid, number), "a"))
    return oid, rows


def create_toast_table(
    catalog: Any, table: PgClass, reloptions: tuple[str, ...] | None = None
) -> None:
    """NewRelationCreateToastTable: for a table that needs one."""
    from pgemu.catalog.heap import insert_rows

    oid, rows = _rows(catalog, table, reloptions)
    insert_rows(catalog, rows)
    catalog.update(PgClass, {"oid": table.oid}, reltoastrelid=oid)


def alter_table_create_toast_table(catalog: Any, relid: int, *, rewritten: bool) -> None:
    """AlterTableCreateToastTable: for a table that has come to need one.  A table that is written
    anew without the need for one loses it (finish_heap_swap)."""
    from pgemu.catalog.dependency import perform_deletion
    from pgemu.catalog.objectaddress import ObjectAddress

    table = catalog.get(PgClass, oid=relid)
    toast = table.reltoastrelid
    if table.relkind not in "rm" or relid < 16384 or (toast and not rewritten):
        return
    needed = needs_toast_table(catalog.relation(relid).attrs)
    if needed and not toast:
        create_toast_table(catalog, table)
    elif toast and not needed:
        catalog.update(PgClass, {"oid": relid}, reltoastrelid=0)
        catalog.delete(PgDepend, classid=PG_CLASS_RELID, objid=toast, refobjid=relid)
        perform_deletion(
            catalog, ObjectAddress(PG_CLASS_RELID, toast, 0), quietly=True, internal=True
        )


def update_toast(catalog: Any, relid: int, **changes: Any) -> None:
    """Owner, persistence or place of a table's TOAST table and its index follow the table's."""
    toast = catalog.get(PgClass, oid=relid).reltoastrelid
    if toast:
        catalog.update(PgClass, {"oid": toast}, **changes)
        for index in catalog.all(PgIndex, indrelid=toast):
            catalog.update(PgClass, {"oid": index.indexrelid}, **changes)


def toast_reloptions(catalog: Any, relid: int) -> tuple[str, ...] | None:
    """The storage parameters of a table's TOAST table."""
    toast = catalog.get(PgClass, oid=relid).reltoastrelid
    options: tuple[str, ...] | None = None
    if toast:
        options = catalog.get(PgClass, oid=toast).reloptions
    return options
