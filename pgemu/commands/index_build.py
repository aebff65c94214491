"""The physical side of an index (PostgreSQL's index_build): a SQLite index, after a check that the
rows already there obey it.

A unique index whose check is deferrable is made non-unique, the executor checks it.
"""

from __future__ import annotations

from typing import Any

from pgemu.catalog.index import BTREE_AM_OID, HASH_AM_OID, IndexInfo
from pgemu.catalog.pg_locale import storage_collation
from pgemu.catalog.rows import PgClass
from pgemu.commands.clauses import inline_mutable_functions
from pgemu.commands.ddl_messages import index_built
from pgemu.errors import UNIQUE_VIOLATION, PgError
from pgemu.executor.constraints import opcintype


def _deparse(session: Any, relid: int, expr: Any) -> str:
    from pgemu.rewrite.ruleutils import deparse_expression

    relation = session.catalog.relation(relid)
    text: str = deparse_expression(session.catalog, expr, relation)
    return text


def compile_expr(session: Any, relid: int, expr: Any) -> str:
    """SQLite text of an expression over the columns of one table."""
    from pgemu.planner.planner import compile_index_expr

    text: str = compile_index_expr(session.catalog, session.catalog.relation(relid), expr)
    return text


def _compile_immutable(session: Any, relid: int, expr: Any) -> str:
    """The same for an index, which calls only functions that say that they are immutable."""
    return compile_expr(session, relid, inline_mutable_functions(session.catalog, expr))


def physical_index_sql(
    session: Any, heap_oid: int, relfilenode: int, index_relfilenode: int, info: IndexInfo
) -> str | None:
    """The CREATE INDEX for SQLite, or None when the index has no useful physical form."""
    unique = info.unique and info.immediate
    catalog = session.catalog
    if info.am not in (BTREE_AM_OID, HASH_AM_OID) and not unique:
        return None
    parts = []
    for key in info.keys:
        if key.attnum > 0:
            text = f"c{key.attnum}"
        else:
            text = _compile_immutable(session, heap_oid, key.expr)
        collation = storage_collation(catalog, key.type_id, key.collation)
        if collation:
            text += f" COLLATE {collation}"
        if key.descending:
            text += " DESC"
        parts.append(text)
    where = ""
    if info.predicate is not None:
        where = " WHERE " + _compile_immutable(session, heap_oid, info.predicate)
    if info.nulls_not_distinct and unique:
        # SQLite's unique indexes hold NULLs apart; a flag per key tells NULL from any value
        extra = [f"{p.removesuffix(' DESC')} IS NULL" for p in parts]
        parts = [f"ifnull({p.removesuffix(' DESC')}, 0)" for p in parts] + extra
    kind = "UNIQUE INDEX" if unique else "INDEX"
    return f"CREATE {kind} i{index_relfilenode} ON r{relfilenode} ({', '.join(parts)}){where}"


def build_index(
    session: Any, heap: Any, oid: int, name: str, info: IndexInfo, *, heap_is_new: bool = False
) -> None:
    """Make the physical index; 23505 with PostgreSQL's words when the rows are not unique."""
    relfilenode = heap.relfilenode
    index_built(session, heap, name, info)
    sql = physical_index_sql(session, heap.oid, relfilenode, oid, info)
    if sql is None:
        return
    empty = f"main.r{relfilenode}" in session.xact.unbuilt
    if info.unique and not heap_is_new and not empty:
        check_unique(session, heap, name, info)
    plain = info.predicate is None and all(key.attnum > 0 for key in info.keys)
    session.xact.make_storage(f"main.i{oid}", sql, late=empty and plain)
    if not heap_is_new and not empty:
        _update_stats(session, heap)


def _update_stats(session: Any, heap: Any) -> None:
    """Who makes an index has counted the rows (index_update_stats)."""
    rows = session.xact.execute(f"SELECT count(*) FROM r{heap.relfilenode}")[0][0]
    if rows:
        pages = estimated_pages(rows, len(session.catalog.relation(heap.oid).attrs))
        session.catalog.update(PgClass, {"oid": heap.oid}, reltuples=float(rows), relpages=pages)


def estimated_pages(rows: int, columns: int) -> int:
    """How many pages PostgreSQL would have for a table."""
    return (rows * (columns * 8 + 32) + 8191) // 8192


def check_unique(session: Any, heap: Any, name: str, info: IndexInfo) -> None:
    """Look for two visible rows with one key; raises what index_build would raise."""
    terms = []
    for key in info.keys:
        if key.attnum > 0:
            text = f"c{key.attnum}"
        else:
            text = _compile_immutable(session, heap.oid, key.expr)
        terms.append(text)
    conditions = [] if info.nulls_not_distinct else [f"{t} IS NOT NULL" for t in terms]
    if info.predicate is not None:
        text = _compile_immutable(session, heap.oid, info.predicate)
        conditions.append(f"({text})")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    keys = ", ".join(terms)
    groups = []
    for key, text in zip(info.keys, terms, strict=True):
        collation = storage_collation(session.catalog, key.type_id, key.collation)
        groups.append(f"{text} COLLATE {collation}" if collation else text)
    found = session.xact.execute(
        f"SELECT {keys} FROM r{heap.relfilenode}{where} GROUP BY {', '.join(groups)} "
        "HAVING count(*) > 1 LIMIT 1"
    )
    if found:
        shown = build_index_value_description(session, heap.oid, info, found[0])
        raise PgError(
            UNIQUE_VIOLATION,
            f'could not create unique index "{name}"',
            detail=f"Key {shown} is duplicated.",
            schema=heap.schema_name,
            table=heap.name,
            constraint=name,
        )


def build_index_value_description(
    session: Any, relid: int, info: IndexInfo, values: tuple[Any, ...]
) -> str:
    """`(a, b)=(1, x)`: PostgreSQL's BuildIndexValueDescription."""
    names = []
    for key in info.keys:
        if key.attnum > 0:
            names.append(key.name)
        else:
            names.append(_deparse(session, relid, key.expr) or key.name)
    shown = []
    for key, value in zip(info.keys, values, strict=False):
        if value is None:
            shown.append("null")
        else:
            taken = opcintype(session.catalog, key.opclass, key.type_id)
            shown.append(session.catalog.types.io(taken).output(value, session.ctx))
    return f"({', '.join(names)})=({', '.join(shown)})"
