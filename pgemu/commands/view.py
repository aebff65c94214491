"""CREATE [OR REPLACE] VIEW (PostgreSQL's view.c and DefineQueryRewrite for the _RETURN rule)."""

from __future__ import annotations

from typing import Any

from pgemu.catalog.heap import (
    ColumnSpec,
    attribute_dependencies,
    attribute_row,
    depend,
    heap_create_with_catalog,
    insert_rows,
)
from pgemu.catalog.objectaddress import ObjectAddress
from pgemu.catalog.rows import (
    PG_CLASS_RELID,
    PG_REWRITE_RELID,
    PgClass,
    PgDepend,
    PgRewrite,
)
from pgemu.commands.createas import columns_of_query
from pgemu.commands.define import strings
from pgemu.commands.permissions import check_catalog_modification, check_owner, check_type_usage
from pgemu.commands.reloptions import transform_reloptions
from pgemu.commands.result import CommandResult, Statement
from pgemu.errors import (
    DUPLICATE_COLUMN,
    DUPLICATE_TABLE,
    FEATURE_NOT_SUPPORTED,
    INVALID_TABLE_DEFINITION,
    SYNTAX_ERROR,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.nodes.parsenodes import Query, RangeTblEntry, RawStmt
from pgemu.nodes.serialize import node_to_string
from pgemu.nodes.walk import walk

_CHECK = {"LOCAL_CHECK_OPTION": "local", "CASCADED_CHECK_OPTION": "cascaded"}


def define_view(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE VIEW."""
    from pgemu.catalog.namespace import (
        range_var_adjust_relation_persistence,
        range_var_get_and_check_creation_namespace,
    )

    catalog = session.catalog
    relation = stmt["view"]
    raw = stmt["query"]
    if "intoClause" in raw.get("SelectStmt", {}):
        raise PgError(FEATURE_NOT_SUPPORTED, "views must not contain SELECT INTO")
    query = session.analyze(RawStmt(raw), st.source_text)
    if query.has_modifying_cte:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "views must not contain data-modifying statements in WITH",
        )
    names = strings(stmt.get("aliases"))
    _name_columns(query, names)
    if relation.get("relpersistence") == "u":
        raise PgError(SYNTAX_ERROR, "views cannot be unlogged because they do not have storage")
    _check_no_parameters(query)
    if relation.get("relpersistence", "p") == "p" and is_query_using_temp_relation(catalog, query):
        relation["relpersistence"] = "t"
        session.notice("NOTICE", "00000", f'view "{relation["relname"]}" will be a temporary view')
    options = list(stmt.get("options", []))
    check = _CHECK.get(stmt.get("withCheckOption", ""))
    if check:
        options.append({"DefElem": {"defname": "check_option", "arg": {"String": {"sval": check}}}})
    if any(o["DefElem"]["defname"] == "check_option" for o in options):
        check_updatable(session, query)
    reloptions = transform_reloptions(options, "view")
    namespace = range_var_get_and_check_creation_namespace(catalog, relation)
    range_var_adjust_relation_persistence(catalog, relation, namespace)
    columns = columns_of_query(session, query, [])
    existing = catalog.one(PgClass, relname=relation["relname"], relnamespace=namespace)
    if existing is None or not stmt.get("replace"):
        _refuse_repeated(columns)
    if existing is not None:
        if not stmt.get("replace"):
            raise PgError(DUPLICATE_TABLE, f'relation "{relation["relname"]}" already exists')
        _replace(session, catalog.relation(existing.oid), columns, query, reloptions)
        return CommandResult("CREATE VIEW")
    from pgemu.commands.default_acl import get_user_default_acl

    _check_may_create(session, columns, namespace, relation["relname"])
    made = heap_create_with_catalog(
        session,
        relation["relname"],
        namespace,
        "v",
        relation.get("relpersistence", "p"),
        columns,
        reloptions=reloptions,
        has_rules=True,
        acl=get_user_default_acl(session, "r", session.ctx.current_user_oid, namespace),
    )
    store_view_query(session, made.oid, query)
    return CommandResult("CREATE VIEW")


def _check_may_create(session: Any, columns: list[ColumnSpec], namespace: int, name: str) -> None:
    for column in columns:
        check_type_usage(session.catalog, column.type_id)
    check_catalog_modification(session, namespace, name)


def _name_columns(query: Query, names: list[str]) -> None:
    visible = [t for t in query.target_list if not t.resjunk]
    if len(names) > len(visible):
        raise PgError(SYNTAX_ERROR, "CREATE VIEW specifies more column names than columns")
    for target, name in zip(visible, names, strict=False):
        target.resname = name


def _refuse_repeated(columns: list[ColumnSpec]) -> None:
    """A name twice is refused before the view's own name is looked at (MergeAttributes)."""
    names = [column.name for column in columns]
    for name in names:
        if names.count(name) > 1:
            raise PgError(DUPLICATE_COLUMN, f'column "{name}" specified more than once')


def _check_no_parameters(query: Query) -> None:
    from pgemu.nodes.primnodes import Param

    def visit(node: Any) -> bool | None:
        if isinstance(node, Param) and node.paramkind == "extern":
            raise PgError("42P02", f"there is no parameter ${node.paramid}")
        return None

    walk([query], visit)


def is_query_using_temp_relation(catalog: Any, query: Query) -> bool:
    """isQueryUsingTempRelation."""
    found = False

    def visit(node: Any) -> bool | None:
        nonlocal found
        if isinstance(node, RangeTblEntry) and node.rtekind == "relation":
            row = catalog.one(PgClass, oid=node.relid)
            found = found or (row is not None and row.relpersistence == "t")
        return None

    walk([query], visit)
    return found


def check_updatable(session: Any, query: Query) -> None:
    """WITH CHECK OPTION wants an automatically updatable view."""
    from pgemu.rewrite.rewrite_view import view_query_is_auto_updatable

    problem = view_query_is_auto_updatable(query, check_cols=True)
    if problem:
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "WITH CHECK OPTION is supported only on automatically updatable views",
            hint=problem,
        )


def store_view_query(session: Any, oid: int, query: Query) -> None:
    """The _RETURN rule with its dependencies."""
    from pgemu.catalog.find_expr_references import record_dependency_on_query

    catalog = session.catalog
    rule = catalog.new_oid()
    me = (PG_REWRITE_RELID, rule, 0)
    insert_rows(
        catalog,
        [
            PgRewrite(rule, "_RETURN", oid, "1", "O", True, "<>", node_to_string([query])),
            depend(me, (PG_CLASS_RELID, oid, 0), "i"),
            depend(me, (PG_CLASS_RELID, oid, 0), "n"),
        ],
    )
    record_dependency_on_query(catalog, ObjectAddress(*me), query)


def _replace(
    session: Any,
    view: Any,
    columns: list[ColumnSpec],
    query: Query,
    reloptions: tuple[str, ...] | None,
) -> None:
    from pgemu.catalog.find_expr_references import record_dependency_on_query

    catalog = session.catalog
    if view.relkind != "v":
        raise PgError(WRONG_OBJECT_TYPE, f'"{view.name}" is not a view')
    check_owner(session, view)
    check_view_columns(catalog, view, columns)
    rows: list[Any] = []
    for attnum in range(len(view.attrs) + 1, len(columns) + 1):
        col = columns[attnum - 1]
        rows.append(attribute_row(catalog, view.oid, attnum, col))
        rows.extend(attribute_dependencies(view.oid, attnum, col))
    if rows:
        insert_rows(catalog, rows)
    catalog.update(PgClass, {"oid": view.oid}, reloptions=reloptions, relnatts=len(columns))
    rule = catalog.one(PgRewrite, ev_class=view.oid, rulename="_RETURN")
    catalog.update(PgRewrite, {"oid": rule.oid}, ev_action=node_to_string([query]))
    me = (PG_REWRITE_RELID, rule.oid, 0)
    catalog.delete(PgDepend, classid=PG_REWRITE_RELID, objid=rule.oid)
    insert_rows(
        catalog,
        [
            depend(me, (PG_CLASS_RELID, view.oid, 0), "i"),
            depend(me, (PG_CLASS_RELID, view.oid, 0), "n"),
        ],
    )
    record_dependency_on_query(catalog, ObjectAddress(*me), query)


def check_view_columns(catalog: Any, view: Any, columns: list[ColumnSpec]) -> None:
    """checkViewTupleDesc: a replacement may only add columns at the end."""
    if len(columns) < len(view.attrs):
        raise PgError(INVALID_TABLE_DEFINITION, "cannot drop columns from view")
    for att, col in zip(view.attrs, columns, strict=False):
        if att.attisdropped:
            raise PgError(INVALID_TABLE_DEFINITION, "cannot drop columns from view")
        if att.attname != col.name:
            raise PgError(
                INVALID_TABLE_DEFINITION,
                f'cannot change name of view column "{att.attname}" to "{col.name}"',
                hint="Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.",
            )
        if (att.atttypid, att.atttypmod) != (col.type_id, col.typmod):
            raise PgError(
                INVALID_TABLE_DEFINITION,
                f'cannot change data type of view column "{att.attname}" from '
                f"{catalog.type_name(att.atttypid, att.atttypmod)} to "
                f"{catalog.type_name(col.type_id, col.typmod)}",
            )
        if att.attcollation != col.collation:
            from pgemu.catalog.rows import PgCollation

            old = catalog.one(PgCollation, oid=att.attcollation)
            new = catalog.one(PgCollation, oid=col.collation)
            raise PgError(
                INVALID_TABLE_DEFINITION,
                f'cannot change collation of view column "{att.attname}" from '
                f'"{old.collname}" to "{new.collname}"',
            )
