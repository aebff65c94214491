"""CLUSTER (PostgreSQL's cluster.c): a table is stored anew in the order of an index."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.heap import create_storage
from pgemu.catalog.index import builtin_am_name
from pgemu.catalog.pg_locale import storage_collation
from pgemu.catalog.rows import PgClass, PgIndex
from pgemu.commands.define import def_get_boolean, elements
from pgemu.commands.in_use import check_table_not_in_use
from pgemu.commands.index_build import compile_expr, estimated_pages
from pgemu.commands.indexcmds import index_info_of, rebuild_index
from pgemu.commands.permissions import check_owner, owns
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    SYNTAX_ERROR,
    UNDEFINED_OBJECT,
    WRONG_OBJECT_TYPE,
    PgError,
)

TEXTOID = 25
_CLUSTERABLE = ("btree", "gist")


def cluster(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CLUSTER [table [USING index]]."""
    from pgemu.catalog.namespace import range_var_get_relid

    catalog = session.catalog
    verbose = False
    for option in elements(stmt.get("params")):
        if option["defname"] != "verbose":
            raise PgError(
                SYNTAX_ERROR,
                f'unrecognized CLUSTER option "{option["defname"]}"',
                location=option.get("location"),
            )
        verbose = def_get_boolean(option)
    if "relation" not in stmt:
        session.xact.prevent_in_transaction_block("CLUSTER", st.top_level)
        _cluster_everything(session, verbose)
        return CommandResult("CLUSTER")
    relation = catalog.relation(range_var_get_relid(catalog, stmt["relation"]))
    if relation.relkind not in "rtmp":
        raise PgError(WRONG_OBJECT_TYPE, f'"{relation.name}" is not a table or materialized view')
    check_owner(session, relation)
    index = _find_index(catalog, relation, stmt.get("indexname"))
    if relation.relkind != "p":
        cluster_rel(session, relation, index, verbose)
        return CommandResult("CLUSTER")
    session.xact.prevent_in_transaction_block("CLUSTER", st.top_level)
    check_clusterable(catalog, index)
    for oid in catalog.relation(index.oid).all_inheritors:
        leaf = catalog.relation(oid)
        if leaf.relkind != "i":
            continue
        table = catalog.relation(leaf.index.indrelid)
        if owns(session, table.owner):
            cluster_rel(session, table, next(i for i in table.indexes if i.oid == oid), verbose)
    return CommandResult("CLUSTER")


def _find_index(catalog: Any, relation: Any, name: str | None) -> Any:
    if name is None:
        found = next((i for i in relation.all_indexes if i.index.indisclustered), None)
        if found is None:
            raise PgError(
                UNDEFINED_OBJECT,
                f'there is no previously clustered index for table "{relation.name}"',
            )
        return found
    found = next((i for i in relation.all_indexes if i.name == name), None)
    row = catalog.one(PgClass, relname=name, relnamespace=relation.namespace)
    if found is None and row is not None:
        raise PgError(WRONG_OBJECT_TYPE, f'"{name}" is not an index for table "{relation.name}"')
    if found is None:
        raise PgError(
            UNDEFINED_OBJECT, f'index "{name}" for table "{relation.name}" does not exist'
        )
    return found


def _cluster_everything(session: Any, verbose: bool) -> None:
    """get_tables_to_cluster: every table of the user that has a clustered index."""
    catalog = session.catalog
    for row in catalog.all(PgIndex, indisclustered=True):
        table = catalog.relation(row.indrelid)
        if table.relkind in "rm" and owns(session, table.owner):
            index = next(i for i in table.indexes if i.oid == row.indexrelid)
            cluster_rel(session, table, index, verbose)


def check_clusterable(catalog: Any, index: Any) -> None:
    """check_index_is_clusterable."""
    if builtin_am_name(catalog, index.pg_class.relam) not in _CLUSTERABLE:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            f'cannot cluster on index "{index.name}" because access method does not support '
            "clustering",
        )
    if index.pred is not None:
        raise PgError(FEATURE_NOT_SUPPORTED, f'cannot cluster on partial index "{index.name}"')
    if not index.index.indisvalid:
        raise PgError(FEATURE_NOT_SUPPORTED, f'cannot cluster on invalid index "{index.name}"')


def mark_index_clustered(catalog: Any, relid: int, index: int) -> None:
    """At most one index of a table is the clustered one."""
    for row in catalog.all(PgIndex, indrelid=relid):
        if row.indisclustered and row.indexrelid != index:
            catalog.update(PgIndex, {"indexrelid": row.indexrelid}, indisclustered=False)
    catalog.update(PgIndex, {"indexrelid": index}, indisclustered=True)


def cluster_rel(session: Any, relation: Any, index: Any, verbose: bool = False) -> None:
    """rebuild_relation: new storage in the index's order, then the indexes again."""
    catalog = session.catalog
    if relation.row.relisshared:
        raise PgError(FEATURE_NOT_SUPPORTED, "cannot cluster a shared catalog")
    check_table_not_in_use(session, relation, "CLUSTER")
    check_clusterable(catalog, index)
    mark_index_clustered(catalog, relation.oid, index.oid)
    if relation.oid < 16384:
        return  # catalogs are read through their indexes: the order of their rows has no use
    old, new = relation.sqlite_name, catalog.new_oid()
    # dropped columns keep their place in the storage
    columns = [(a.attnum, TEXTOID if a.attisdropped else a.atttypid) for a in relation.attrs]
    create_storage(session, new, columns, relation.persistence)
    names = "".join(f", c{n}" for n, _type in columns)
    order = _order(session, relation, index)
    session.xact.execute(
        f"INSERT INTO r{new} (xmin{names}) SELECT xmin{names} FROM {old} ORDER BY {order}"
    )
    session.xact.drop_on_commit(old)
    catalog.update(PgClass, {"oid": relation.oid}, relfilenode=new)
    if verbose:
        _report(session, relation, index, new)
    for one in catalog.relation(relation.oid).indexes:
        rebuild_index(session, catalog.relation(relation.oid), one)


def _report(session: Any, relation: Any, index: Any, relfilenode: int) -> None:
    """What CLUSTER VERBOSE says: rows are always sorted, none of them is dead."""
    name = f"{relation.schema_name}.{relation.name}"
    how = "sequential scan and sort"
    if builtin_am_name(session.catalog, index.pg_class.relam) != "btree":
        how = f'index scan on "{index.name}"'
    session.notice("INFO", "00000", f'clustering "{name}" using {how}')
    count = session.xact.execute(f"SELECT count(*) FROM r{relfilenode}")[0][0]
    pages = estimated_pages(count, len(relation.attrs))
    session.notice(
        "INFO",
        "00000",
        f'"{name}": found 0 removable, {count} nonremovable row versions in {pages} pages',
        detail="0 dead row versions cannot be removed yet.",
    )


def _order(session: Any, relation: Any, index: Any) -> str:
    """ORDER BY for the index's order; rows that are equal in it keep their order, and those of a
    GiST index, which has none, too."""
    catalog = session.catalog
    if builtin_am_name(catalog, index.pg_class.relam) != "btree":
        return "rid"
    terms = []
    for key in index_info_of(catalog, index).keys:
        text = f"c{key.attnum}" if key.attnum else compile_expr(session, relation.oid, key.expr)
        collation = storage_collation(catalog, key.type_id, key.collation)
        terms.append(
            text
            + (f" COLLATE {collation}" if collation else "")
            + (" DESC" if key.descending else " ASC")
            + (" NULLS FIRST" if key.nulls_first else " NULLS LAST")
        )
    return ", ".join([*terms, "rid"])
