"""What the session knows about the server: settings, extensions, properties."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pgemu.catalog.extension_data import available
from pgemu.catalog.rows import PgAm, PgClass, PgIndex, PgOpclass
from pgemu.fmgr import CallContext, pg_function
from pgemu.types.arrays_value import dump_array


@pg_function("pg_show_all_settings()", context=True)
def pg_show_all_settings(ctx: CallContext) -> Iterator[tuple[Any, ...]]:
    for row in ctx.guc.rows(privileged=ctx.session.reads_all_settings()):
        yield tuple(dump_array(v) if isinstance(v, list) else v for v in row)


@pg_function("pg_available_extensions()")
def pg_available_extensions() -> Iterator[tuple[str, str, str]]:
    """(name, default_version, comment)"""
    for control in available():
        yield control.name, control.version, control.comment


@pg_function("pg_is_in_recovery()")
def pg_is_in_recovery() -> bool:
    return False


def _am_name(ctx: CallContext, relid: int) -> str | None:
    row = ctx.catalog.one(PgClass, oid=relid)
    if row is None or row.relkind not in "iI":
        return None
    am = ctx.catalog.one(PgAm, oid=row.relam)
    return am.amname if am is not None else None


_AM_PROPERTIES = {
    "btree": {"can_order", "can_unique", "can_multi_col", "can_exclude", "can_include"},
    "hash": {"can_exclude"},
    "gist": {"can_multi_col", "can_exclude", "can_include"},
    "gin": {"can_multi_col"},
    "spgist": {"can_exclude", "can_include"},
    "brin": {"can_multi_col"},
    "bloom": {"can_multi_col"},
}
_INDEX_PROPERTIES = {
    "btree": {"clusterable", "index_scan", "bitmap_scan", "backward_scan"},
    "hash": {"index_scan", "bitmap_scan", "backward_scan"},
    "gist": {"clusterable", "index_scan", "bitmap_scan"},
    "gin": {"bitmap_scan"},
    "spgist": {"index_scan", "bitmap_scan"},
    "brin": {"bitmap_scan"},
    "bloom": {"bitmap_scan"},
}


@pg_function("pg_indexam_has_property(oid, text)", context=True)
def pg_indexam_has_property(ctx: CallContext, amoid: int, name: str) -> bool | None:
    row = ctx.catalog.one(PgAm, oid=amoid)
    known = _AM_PROPERTIES["btree"]
    if row is None or row.amname not in _AM_PROPERTIES or name.lower() not in known:
        return None
    return name.lower() in _AM_PROPERTIES[row.amname]


@pg_function("pg_index_has_property(regclass, text)", context=True)
def pg_index_has_property(ctx: CallContext, relid: int, name: str) -> bool | None:
    am = _am_name(ctx, relid)
    if am not in _INDEX_PROPERTIES or name.lower() not in _INDEX_PROPERTIES["btree"]:
        return None
    return name.lower() in _INDEX_PROPERTIES[am]


@pg_function("pg_index_column_has_property(regclass, int4, text)", context=True)
def pg_index_column_has_property(
    ctx: CallContext, relid: int, attno: int, name: str
) -> bool | None:
    am = _am_name(ctx, relid)
    index = ctx.catalog.one(PgIndex, indexrelid=relid)
    prop = name.lower()
    if am is None or index is None or not 0 < attno <= index.indnatts:
        return None
    iskey = attno <= index.indnkeyatts
    if prop in ("asc", "desc", "nulls_first", "nulls_last", "orderable"):
        if not iskey or am != "btree":
            return None if not iskey and prop != "orderable" else False
        option = index.indoption[attno - 1]
        return {
            "asc": not option & 1,
            "desc": bool(option & 1),
            "nulls_first": bool(option & 2),
            "nulls_last": not option & 2,
            "orderable": True,
        }[prop]
    if prop in ("search_array", "search_nulls"):
        if not iskey:
            return None
        arrays = am == "btree"
        return arrays if prop == "search_array" else am in ("btree", "gist", "spgist", "brin")
    if prop == "returnable":
        return am == "btree"
    if prop == "distance_orderable":
        if not iskey:
            return None
        opclass = ctx.catalog.one(PgOpclass, oid=index.indclass[attno - 1])
        return am in ("gist", "spgist") and opclass is not None and "point" in opclass.opcname
    return None
