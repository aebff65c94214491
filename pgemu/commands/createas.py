"""CREATE TABLE AS, SELECT INTO and CREATE MATERIALIZED VIEW (PostgreSQL's createas.c)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.heap import ColumnSpec, heap_create_with_catalog
from pgemu.catalog.rows import PgClass, PgType
from pgemu.catalog.toasting import create_toast_table
from pgemu.commands.amcmds import choose_table_am
from pgemu.commands.default_acl import get_user_default_acl
from pgemu.commands.define import strings
from pgemu.commands.on_commit import register_on_commit_action
from pgemu.commands.permissions import check_catalog_modification, check_type_usage
from pgemu.commands.reloptions import transform_reloptions
from pgemu.commands.result import CommandResult, Statement
from pgemu.commands.tablespace import choose_tablespace
from pgemu.errors import (
    DUPLICATE_TABLE,
    FEATURE_NOT_SUPPORTED,
    INDETERMINATE_COLLATION,
    SYNTAX_ERROR,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.nodes import expr_collation, expr_type, expr_typmod
from pgemu.nodes.parsenodes import Query, RawStmt


def create_table_as(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """Make the table of a query's columns and fill it."""
    from pgemu.catalog.namespace import (
        range_var_adjust_relation_persistence,
        range_var_get_and_check_creation_namespace,
    )

    catalog = session.catalog
    into = stmt["into"]
    is_matview = stmt.get("objtype") == "OBJECT_MATVIEW"
    relation = into["rel"]
    name = relation["relname"]
    namespace = range_var_get_and_check_creation_namespace(catalog, relation)
    range_var_adjust_relation_persistence(catalog, relation, namespace)
    tag = "CREATE MATERIALIZED VIEW" if is_matview else "CREATE TABLE AS"
    if catalog.one(PgClass, relname=name, relnamespace=namespace) is not None:
        if stmt.get("if_not_exists"):
            session.notice("NOTICE", DUPLICATE_TABLE, f'relation "{name}" already exists, skipping')
            return CommandResult(tag)
        raise PgError(DUPLICATE_TABLE, f'relation "{name}" already exists')
    query, params = _query(session, stmt, st)
    columns = columns_of_query(session, query, strings(into.get("colNames")))
    persistence = relation.get("relpersistence", "p")
    if is_matview and persistence == "u":
        raise PgError(FEATURE_NOT_SUPPORTED, "materialized views cannot be unlogged")
    for column in columns:
        check_type_usage(catalog, column.type_id)
    check_catalog_modification(session, namespace, name)
    made = heap_create_with_catalog(
        session,
        name,
        namespace,
        "m" if is_matview else "r",
        persistence,
        columns,
        reloptions=transform_reloptions(into.get("options"), "heap"),
        populated=not (is_matview and into.get("skipData")),
        has_rules=is_matview,
        access_method=choose_table_am(session, into.get("accessMethod")),
        tablespace=choose_tablespace(
            session, into.get("tableSpaceName"), persistence, partitioned=False
        ),
        acl=get_user_default_acl(session, "r", session.ctx.current_user_oid, namespace),
    )
    if made.toast_of is not None:
        toast_options = transform_reloptions(into.get("options"), "toast")
        create_toast_table(catalog, made.toast_of, toast_options)
    if is_matview:
        from pgemu.commands.view import store_view_query

        store_view_query(session, made.oid, query)
    action = into.get("onCommit", "ONCOMMIT_NOOP")
    if action in ("ONCOMMIT_DELETE_ROWS", "ONCOMMIT_DROP"):
        register_on_commit_action(session, made.oid, action)
    if into.get("skipData"):
        return CommandResult("SELECT 0" if "ExecuteStmt" in stmt["query"] else tag)
    count = fill(session, made.oid, len(columns), query, params)
    return CommandResult(f"SELECT {count}")


def _query(session: Any, stmt: dict[str, Any], st: Statement) -> tuple[Query, Any]:
    """The query and its parameters."""
    raw = stmt["query"]
    if "ExecuteStmt" in raw:
        query, params = session.prepared_query(raw["ExecuteStmt"], st.source_text)
        if query is None or query.command_type != "select":
            raise PgError(WRONG_OBJECT_TYPE, "prepared statement is not a SELECT")
        return query, params
    if st.query is not None and st.query.utility_query is not None:
        return st.query.utility_query, st.params
    return session.analyze(RawStmt(raw), st.source_text), st.params


def columns_of_query(session: Any, query: Query, names: list[str]) -> list[ColumnSpec]:
    """create_ctas_nodata's column definitions."""
    catalog = session.catalog
    targets = query.returning_list or query.target_list
    visible = [t for t in targets if not t.resjunk]
    if len(names) > len(visible):
        raise PgError(SYNTAX_ERROR, "too many column names were specified")
    columns = []
    for i, target in enumerate(visible):
        type_id = expr_type(target.expr)
        name = names[i] if i < len(names) else (target.resname or "?column?")
        collation = expr_collation(target.expr)
        row = catalog.one(PgType, oid=type_id)
        if not collation and row is not None and row.typcollation:
            raise PgError(
                INDETERMINATE_COLLATION,
                f'no collation was derived for column "{name}" with collatable type '
                f"{catalog.type_name(type_id)}",
                hint="Use the COLLATE clause to set the collation explicitly.",
            )
        columns.append(ColumnSpec(name, type_id, expr_typmod(target.expr), collation=collation))
    return columns


def fill(session: Any, relfilenode: int, width: int, query: Query, params: Any) -> int:
    """Insert the query's rows into new storage; how many."""
    result = session.run(query, params)
    rows = [tuple(row) for row in result.rows]
    if rows and width:
        marks = ",".join("?" * width)
        names = ",".join(f"c{n}" for n in range(1, width + 1))
        insert = f"INSERT INTO r{relfilenode} (xmin,{names}) VALUES ({session.xact.xid},{marks})"
        session.xact.conn.executemany(insert, rows)
    elif rows:
        for _row in rows:
            session.xact.execute(f"INSERT INTO r{relfilenode} DEFAULT VALUES")
    return len(rows)
