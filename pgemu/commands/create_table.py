"""CREATE TABLE (DefineRelation of tablecmds.c and transformCreateStmt).

Order of work: names and columns (with inherited ones), sequences, the table, defaults, CHECK
constraints, indexes, foreign keys, LIKE's remainder, ownership of the sequences.
"""

from __future__ import annotations

from typing import Any

from pgemu.catalog.heap import (
    ColumnSpec,
    attrdef_rows,
    heap_create_with_catalog,
    insert_rows,
)
from pgemu.catalog.pg_constraint import choose_relation_name
from pgemu.catalog.rows import (
    PG_ATTRDEF_RELID,
    PgAttribute,
    PgClass,
)
from pgemu.catalog.toasting import create_toast_table
from pgemu.commands.amcmds import choose_table_am
from pgemu.commands.constraint_cmds import (
    add_check_constraints,
    add_index_constraint,
    record_expression_dependencies,
)
from pgemu.commands.cook import coerce_default, cook_default, relation_pstate
from pgemu.commands.ddl_messages import implicit_sequence
from pgemu.commands.define import strings
from pgemu.commands.foreign_keys import add_foreign_key
from pgemu.commands.heap_ref import HeapRef, from_new
from pgemu.commands.in_use import check_table_not_in_use
from pgemu.commands.inherit import attach_parents, merge_attributes, merge_checks, parent_relations
from pgemu.commands.parse_utilcmd import (
    TableDef,
    finish_index_constraints,
    no_exclusion_on_partitioned,
    transform_table_elements,
)
from pgemu.commands.permissions import check_catalog_modification
from pgemu.commands.reloptions import transform_reloptions
from pgemu.commands.result import CommandResult, Statement
from pgemu.commands.sequence import create_sequence, own_sequence
from pgemu.commands.tablespace import choose_tablespace
from pgemu.errors import (
    DUPLICATE_TABLE,
    FEATURE_NOT_SUPPORTED,
    INVALID_OBJECT_DEFINITION,
    INVALID_TABLE_DEFINITION,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.executor.event_triggers import collect_command
from pgemu.nodes.primnodes import Const, FuncExpr, Var
from pgemu.nodes.walk import walk

NEXTVAL_OID = 1574
REGCLASSOID = 2205


def create_table(session: Any, stmt: dict[str, Any], st: Statement) -> CommandResult:
    """CREATE TABLE, CREATE FOREIGN TABLE's base, PARTITION OF."""
    define_relation(session, stmt, st)
    for node in stmt.get("tableElts", ()):
        # PostgreSQL makes them by an ALTER FOREIGN TABLE afterwards
        if node.get("ColumnDef", {}).get("fdwoptions"):
            name = stmt["relation"]["relname"]
            raise PgError(WRONG_OBJECT_TYPE, f'"{name}" is not a foreign table')
    return CommandResult("CREATE TABLE")


def define_relation(session: Any, stmt: dict[str, Any], st: Statement, *, relkind: str = "") -> int:
    """Make the table; its OID, or 0 when IF NOT EXISTS found one."""
    from pgemu.catalog.namespace import (
        range_var_get_and_check_creation_namespace,
    )

    catalog, relation = session.catalog, stmt["relation"]
    name = relation["relname"]
    namespace = range_var_get_and_check_creation_namespace(catalog, relation, position=True)
    check_catalog_modification(session, namespace, name)
    persistence = relation.get("relpersistence", "p")
    if (
        stmt.get("if_not_exists")
        and catalog.one(PgClass, relname=name, relnamespace=namespace) is not None
    ):
        session.notice("NOTICE", DUPLICATE_TABLE, f'relation "{name}" already exists, skipping')
        return 0
    _check_on_commit(stmt, persistence)
    table = TableDef(name, partition_of="partbound" in stmt, is_foreign=relkind == "f")
    of_type = _of_type_columns(catalog, table, stmt)
    parents = parent_relations(session, stmt, persistence)
    _transform_elements(session, table, stmt.get("tableElts", []), parents, of_type)
    constraints = finish_index_constraints(table)
    relkind = relkind or ("p" if "partspec" in stmt else "r")
    parent_tablespace = parents[0].row.reltablespace if table.partition_of else 0
    placement = _placement(session, stmt, relkind, persistence, parent_tablespace)
    if catalog.one(PgClass, relname=name, relnamespace=namespace) is not None:
        raise PgError(DUPLICATE_TABLE, f'relation "{name}" already exists')
    bound = _partition_bound(session, stmt, parents, st)
    heap = _create_heap(
        session, table, stmt, namespace, relkind, persistence, of_type, bound, st,
        has_index=bool(constraints), placement=placement,
    )  # fmt: skip
    tag = "CREATE FOREIGN TABLE" if relkind == "f" else "CREATE TABLE"
    collect_command(session, tag, PgClass.RELID, heap.oid)
    attach_parents(session, heap.oid, parents, is_partition=table.partition_of)
    if relkind == "p":
        from pgemu.commands.partition import store_partition_key

        store_partition_key(session, heap, stmt["partspec"], st.source_text)
    if table.partition_of:
        from pgemu.commands.partition import partition_created

        partition_created(session, heap, parents[0], bound)
    _make_constraints(session, table, heap, constraints, st)
    if table.likes:
        from pgemu.commands.table_like import expand_table_like_clauses

        expand_table_like_clauses(session, heap, table, st)
    for wanted in table.sequences:
        collect_command(session, "ALTER SEQUENCE", PgClass.RELID, wanted.oid)
    _register_on_commit(session, heap.oid, stmt)
    return heap.oid


def _transform_elements(
    session: Any, table: TableDef, elements: list[Any], parents: list[Any], of_type: int
) -> None:
    """The element list, and what is inherited."""
    if of_type or table.partition_of:
        from pgemu.commands.typed_table import apply_column_options

        if table.partition_of:
            merge_attributes(session, table, parents, is_partition=True)
        apply_column_options(session.catalog, table, elements, of_type)
    else:
        transform_table_elements(session.catalog, table, elements)
        merge_attributes(session, table, parents)
    merge_checks(session, table, parents)


def _create_heap(
    session: Any,
    table: TableDef,
    stmt: dict[str, Any],
    namespace: int,
    relkind: str,
    persistence: str,
    of_type: int,
    bound: Any,
    st: Statement,
    *,
    has_index: bool,
    placement: tuple[int, int],
) -> HeapRef:
    """Sequences, the table itself and its defaults."""
    from pgemu.nodes.serialize import node_to_string

    options = transform_reloptions(stmt.get("options"), "partitioned" if relkind == "p" else "heap")
    for wanted in table.sequences:
        _make_sequence(session, table, namespace, persistence, wanted)
    serial = {s.column for s in table.sequences if not s.identity}
    for col in table.columns:
        col.expects_default = col.name in serial or col.raw_default is not None
    made = heap_create_with_catalog(
        session, table.name, namespace, relkind, persistence, table.columns,
        reloptions=options, of_type=of_type, relchecks=len(table.checks),
        partition_bound=node_to_string(bound) if bound is not None else None,
        is_partition=table.partition_of,
        has_index=has_index, has_triggers=bool(table.foreign_keys),
        acl=_default_acl(session, namespace), access_method=placement[0], tablespace=placement[1],
    )  # fmt: skip
    heap = from_new(session, made)
    table.toast_of = made.toast_of
    table.toast_options = transform_reloptions(stmt.get("options"), "toast")
    cook_defaults(session, heap, heap.columns, st.source_text, table)
    for wanted in table.sequences:
        deptype = "i" if wanted.identity else "a"
        own_sequence(session, wanted.oid, heap.oid, heap.attnum(wanted.column), deptype)
    return heap


def _default_acl(session: Any, namespace: int) -> tuple[str, ...] | None:
    from pgemu.commands.default_acl import get_user_default_acl

    return get_user_default_acl(session, "r", session.ctx.current_user_oid, namespace)


def _make_constraints(
    session: Any, table: TableDef, heap: HeapRef, constraints: list[Any], st: Statement
) -> None:
    exclusion = next(
        (c for c in table.index_constraints if c["contype"] == "CONSTR_EXCLUSION"), None
    )
    if heap.relkind == "p" and exclusion is not None:
        raise no_exclusion_on_partitioned(exclusion)
    if heap.relkind == "p" and any(c.no_inherit for c in table.checks):
        raise PgError(
            INVALID_TABLE_DEFINITION,
            f'cannot add NO INHERIT constraint to partitioned table "{heap.name}"',
        )
    if table.checks:
        add_check_constraints(session, heap, table.checks, st.source_text)
    if table.toast_of is not None:
        create_toast_table(session.catalog, table.toast_of, table.toast_options)
    for con in constraints:
        _constraint, index = add_index_constraint(session, heap, con)
        collect_command(session, "CREATE INDEX", PgClass.RELID, index)
    for con in table.foreign_keys:
        add_foreign_key(session, heap, con)
    if table.foreign_keys:
        collect_command(session, "ALTER TABLE", PgClass.RELID, heap.oid)


def _make_sequence(
    session: Any, table: TableDef, namespace: int, persistence: str, wanted: Any
) -> None:
    """generateSerialExtraStmts."""
    name, namespace, options = take_sequence_name(session, wanted.options, namespace)
    if name is None:
        name = choose_relation_name(session.catalog, table.name, wanted.column, "seq", namespace)
    implicit_sequence(session, "CREATE TABLE", name, table.name, wanted.column)
    if not any(o["defname"] == "as" for o in options):
        options.insert(0, {"defname": "as", "arg": wanted.type_id})
    wanted.oid, _params = create_sequence(
        session, name, namespace, persistence, options,
        for_identity=wanted.identity,
    )  # fmt: skip
    collect_command(session, "CREATE SEQUENCE", PgClass.RELID, wanted.oid)


def take_sequence_name(
    session: Any, given: list[dict[str, Any]], namespace: int
) -> tuple[str | None, int, list[dict[str, Any]]]:
    """(name, schema, the other options) of an identity's sequence: SEQUENCE NAME tells it."""
    named = next((o for o in given if o["defname"] == "sequence_name"), None)
    options = [o for o in given if o is not named]
    if named is None:
        return None, namespace, options
    words = strings(named["arg"]["List"]["items"])
    if len(words) > 1:
        from pgemu.catalog.namespace import lookup_creation_namespace

        namespace = lookup_creation_namespace(session.catalog, words[-2])
    return words[-1], namespace, options


def cook_defaults(
    session: Any, heap: HeapRef, columns: list[ColumnSpec], source_text: str, table: TableDef
) -> None:
    """Analyze the raw defaults of `columns` and store all of them in pg_attrdef."""
    catalog = session.catalog
    rows: list[Any] = []
    made: list[tuple[int, str, Any]] = []
    by_column = {s.column: s for s in table.sequences if not s.identity}
    changed: list[int] = []
    for col in columns:
        attnum = heap.attnum(col.name)
        had_flag = col.default is not None or bool(col.generated) or col.expects_default
        if col.name in by_column and col.raw_default is None:
            col.default = _nextval_default(catalog, source_text, heap, by_column[col.name], col)
        elif col.raw_default is not None:
            pstate = relation_pstate(
                catalog, source_text, heap.oid, heap.name, heap.relkind, heap.pstate_columns()
            )
            expr = cook_default(
                pstate, col.raw_default, col.type_id, col.typmod, col.name, bool(col.generated)
            )
            col.raw_default = None
            if col.generated:
                _check_generation(heap, expr)
            if not col.generated and _is_null_const(expr):
                if col.expects_default:
                    where = {"attrelid": heap.oid, "attnum": attnum}
                    catalog.update(PgAttribute, where, atthasdef=False)
                continue
            col.default = expr
        if col.default is None:
            continue
        oid, new_rows = attrdef_rows(
            catalog, heap.oid, attnum, col.default, generated=bool(col.generated)
        )
        rows.extend(new_rows)
        made.append((oid, col.name, col.default))
        if not had_flag:
            changed.append(attnum)
    if not made:
        return
    insert_rows(catalog, rows)
    for attnum in changed:
        catalog.update(PgAttribute, {"attrelid": heap.oid, "attnum": attnum}, atthasdef=True)
    record_expression_dependencies(session, PG_ATTRDEF_RELID, heap.oid, made)


def _check_generation(heap: HeapRef, expr: Any) -> None:
    """A generated column is computed from columns that are not."""

    def visit(node: Any) -> bool | None:
        if isinstance(node, Var) and node.varattno > 0 and not node.varlevelsup:
            other = heap.columns[node.varattno - 1]
            if other.generated:
                raise PgError(
                    INVALID_OBJECT_DEFINITION,
                    f'cannot use generated column "{other.name}" in column generation expression',
                    detail="A generated column cannot reference another generated column.",
                    location=node.location,
                )
        return None

    walk([expr], visit)


def _is_null_const(expr: Any) -> bool:
    return isinstance(expr, Const) and expr.value is None


def _nextval_default(
    catalog: Any, source_text: str, heap: HeapRef, sequence: Any, col: ColumnSpec
) -> Any:
    from pgemu.parser.parse_node import make_parsestate

    call = FuncExpr(NEXTVAL_OID, 20, [Const(REGCLASSOID, sequence.oid)])
    pstate = make_parsestate(None, catalog, source_text)
    return coerce_default(pstate, call, col.type_id, col.typmod, col.name)


def _check_on_commit(stmt: dict[str, Any], persistence: str) -> None:
    if stmt.get("oncommit", "ONCOMMIT_NOOP") != "ONCOMMIT_NOOP" and persistence != "t":
        raise PgError(INVALID_TABLE_DEFINITION, "ON COMMIT can only be used on temporary tables")
    if "partspec" in stmt and "inhRelations" in stmt and "partbound" not in stmt:
        raise PgError(
            INVALID_OBJECT_DEFINITION, "cannot create partitioned table as inheritance child"
        )


def _register_on_commit(session: Any, oid: int, stmt: dict[str, Any]) -> None:
    action = stmt.get("oncommit", "ONCOMMIT_NOOP")
    if action in ("ONCOMMIT_DELETE_ROWS", "ONCOMMIT_DROP"):
        from pgemu.commands.on_commit import register_on_commit_action

        register_on_commit_action(session, oid, action)


def _placement(
    session: Any, stmt: dict[str, Any], relkind: str, persistence: str, parent: int
) -> tuple[int, int]:
    """(table access method, tablespace) of the new table; parent: the partitioned table's
    tablespace."""
    name = stmt.get("accessMethod")
    if name and relkind == "p":
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "specifying a table access method is not supported on a partitioned table",
        )
    am = choose_table_am(session, name) if relkind in "rm" else 0
    if relkind not in "rp":
        return am, 0
    return am, choose_tablespace(
        session, stmt.get("tablespacename"), persistence,
        partitioned=relkind == "p", parent=parent,
    )  # fmt: skip


def _of_type_columns(catalog: Any, table: TableDef, stmt: dict[str, Any]) -> int:
    if "ofTypename" not in stmt:
        return 0
    from pgemu.commands.typed_table import of_type_columns

    return of_type_columns(catalog, table, stmt["ofTypename"])


def _partition_bound(session: Any, stmt: dict[str, Any], parents: list[Any], st: Statement) -> Any:
    if "partbound" not in stmt:
        return None
    from pgemu.commands.partition import transform_partition_bound
    from pgemu.commands.partition_bounds import check_new_partition_bound

    parent = parents[0]
    if parent.relkind != "p":
        raise PgError(INVALID_OBJECT_DEFINITION, f'"{parent.name}" is not partitioned')
    check_table_not_in_use(session, parent, "CREATE TABLE .. PARTITION OF")
    bound = transform_partition_bound(session, parent, stmt["partbound"], st.source_text)
    name = stmt["relation"]["relname"]
    check_new_partition_bound(session, name, parent, bound, stmt["partbound"])
    return bound
