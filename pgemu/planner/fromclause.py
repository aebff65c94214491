"""FROM: tables, sub-queries, functions, VALUES, CTEs and joins of all kinds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pgemu.catalog.rows import PgForeignDataWrapper, PgForeignServer, PgForeignTable
from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    PgError,
)
from pgemu.nodes import expr_type
from pgemu.nodes import primnodes as p
from pgemu.nodes.parsenodes import (
    JoinExpr,
    JoinTreeNode,
    Query,
    RangeTblEntry,
    RangeTblFunction,
    RangeTblRef,
)
from pgemu.nodes.walk import contains, walk
from pgemu.parser.funcapi import get_expr_result_type
from pgemu.planner import sql
from pgemu.planner.expressions import has_children, lower, lower_qual
from pgemu.planner.fulljoin import check_full_join, full_join_of_tables
from pgemu.planner.lowering import FIRST_USER_OID, Lowering, Scope, SetCall, type_infos
from pgemu.planner.sql import Sql

RECORDOID = 2249
_SIDES = {"inner": "", "left": "LEFT", "right": "RIGHT", "full": "FULL"}


def lower_from(
    items: Sequence[JoinTreeNode], low: Lowering, scope: Scope, *, keep_order: bool = False
) -> tuple[Sql | None, list[Sql], list[Sql]]:
    """(first table, joins behind it, further conditions for WHERE).  keep_order: SQLite is to
    loop over the tables in this order."""
    first: Sql | None = None
    joins: list[Sql] = []
    for item in items:
        table, its_joins = _lower_item(item, low, scope)
        if first is None:
            first, joins = table, its_joins
            continue
        if any(j.side in ("RIGHT", "FULL") for j in its_joins):
            table, its_joins = sql.join_group(table, its_joins), []
        joins.append(sql.join(table, "CROSS" if keep_order else "", sql.raw("1")))
        joins += its_joins
    return first, joins, []


def _lower_item(item: JoinTreeNode, low: Lowering, scope: Scope) -> tuple[Sql, list[Sql]]:
    if isinstance(item, RangeTblRef):
        return lower_entry(item.rtindex, low, scope), []
    if item.rtindex in scope.prelowered:
        return scope.prelowered[item.rtindex], []
    return _lower_join(item, low, scope)


def _in_one_row(node: JoinExpr) -> JoinExpr:
    """a JOIN (b JOIN c) as (a JOIN b) JOIN c: SQLite would not let a LATERAL c see a."""
    while node.jointype == "inner" and isinstance(node.rarg, JoinExpr):
        right = node.rarg
        if right.jointype != "inner":
            break
        quals = [one for one in (right.quals, node.quals) if one is not None]
        node = replace(
            node,
            larg=replace(right, larg=node.larg, rarg=right.larg, quals=None),
            rarg=right.rarg,
            quals=p.BoolExpr("and", quals) if len(quals) > 1 else next(iter(quals), None),
        )
    return node


def _lower_join(node: JoinExpr, low: Lowering, scope: Scope) -> tuple[Sql, list[Sql]]:
    node = _in_one_row(node)
    left, left_joins = _lower_item(node.larg, low, scope)
    right, right_joins = _lower_item(node.rarg, low, scope)
    if right_joins:
        right = sql.join_group(right, right_joins)
    condition = lower_qual(node.quals, low, scope)
    if node.jointype == "full":
        check_full_join(node, low, scope)
        if condition is not None and not low.volatile:
            made = full_join_of_tables(node, left, right, condition, low, scope)
            if made is not None:
                return made
    joined = sql.join(right, _SIDES[node.jointype], condition or sql.raw("1"))
    return left, [*left_joins, joined]


def lower_entry(rtindex: int, low: Lowering, scope: Scope) -> Sql:
    """One range table entry as an item of FROM under its alias."""
    entry = scope.entry(rtindex)
    alias = scope.aliases[rtindex - 1]
    if rtindex in scope.prelowered:
        return sql.derived(scope.prelowered[rtindex], alias)
    if entry.rtekind == "relation":
        return _lower_relation(entry, alias, low, scope)
    if entry.rtekind == "subquery":
        return _lower_subquery(entry, alias, low, scope)
    if entry.rtekind == "values":
        return _lower_values(entry, alias, low, scope)
    if entry.rtekind == "cte":
        from pgemu.planner.ctes import lower_cte_entry

        return lower_cte_entry(entry, alias, low, scope)
    if entry.rtekind == "function":
        return _lower_function(entry, alias, low, scope)
    if entry.rtekind == "tablefunc":
        from pgemu.planner.xml import lower_table_func

        return lower_table_func(entry, alias, low, scope)
    if entry.rtekind == "namedtuplestore":
        return _lower_tuplestore(entry, alias, low)
    if entry.rtekind == "result":
        return sql.derived(sql.select([sql.integer(1)]), alias)
    raise PgError(FEATURE_NOT_SUPPORTED, f"{entry.rtekind} in FROM is not supported yet")


def _lower_tuplestore(entry: RangeTblEntry, alias: str, low: Lowering) -> Sql:
    """A transition table: rows that the executor has put aside under its name."""
    from pgemu.planner.ctes import returned_rows

    low.volatile = True
    return sql.derived(
        returned_rows(f"transition:{entry.ctename}", len(entry.coltypes), low), alias
    )


def _lower_relation(entry: RangeTblEntry, alias: str, low: Lowering, scope: Scope) -> Sql:
    if has_children(entry, low):
        return sql.derived(_inheritance_union(entry.relid, low, only=not entry.inh), alias)
    if entry.tablesample is not None:
        return _lower_sample(entry, alias, low, scope)
    if entry.relkind == "f":
        raise no_fdw_handler(low.catalog, entry.relid)
    if entry.relkind == "S":
        return _lower_sequence(entry.relid, alias, low)
    if entry.relkind == "t":
        return _lower_toast(alias)
    name, _ = low.use_relation(entry.relid)
    schema, _, table = name.partition(".")
    return sql.table(table, alias, schema)


def no_fdw_handler(catalog: Any, relid: int) -> PgError:
    """GetFdwRoutineByServerId: no wrapper has a handler, as handlers are functions in C."""
    table = catalog.get(PgForeignTable, ftrelid=relid)
    server = catalog.get(PgForeignServer, oid=table.ftserver)
    wrapper = catalog.get(PgForeignDataWrapper, oid=server.srvfdw).fdwname
    return PgError(
        OBJECT_NOT_IN_PREREQUISITE_STATE, f'foreign-data wrapper "{wrapper}" has no handler'
    )


def _lower_sequence(relid: int, alias: str, low: Lowering) -> Sql:
    """SELECT ... FROM sequence: its row is no table row of SQLite."""
    inner = low.new_alias("q")
    low.volatile = True
    columns = [sql.alias(sql.integer(1), "rid"), sql.alias(sql.integer(2), "xmin")]
    columns += [sql.alias(sql.column(inner, f"c{n}"), f"c{n}") for n in (1, 2, 3)]
    source = sql.table_function(low.binder.special("sequence"), [sql.integer(relid)], inner)
    return sql.derived(sql.select(columns, from_=source), alias)


def _lower_toast(alias: str) -> Sql:
    """SELECT ... FROM a TOAST table: it has no rows."""
    names = ("rid", "xmin", "c1", "c2", "c3")
    columns = [sql.alias(sql.integer(0), name) for name in names]
    return sql.derived(sql.select(columns, where=sql.integer(0)), alias)


def _inheritance_union(relid: int, low: Lowering, *, only: bool = False) -> Sql:
    """A table with its children, their columns matched by name, as one derived table.
    only: a partitioned table without its partitions, which has no rows."""
    parent = low.catalog.relation(relid)
    parts = []
    if parent.relkind == "p":
        low.partitioned.add(parent.oid)
    for child_oid in () if only else parent.scanned:
        child = low.catalog.relation(child_oid)
        if child.relkind == "p":
            continue  # a partitioned table holds no rows itself
        if child.relkind == "f":
            raise no_fdw_handler(low.catalog, child_oid)
        by_name = {a.attname: a.attnum for a in child.attrs if not a.attisdropped}
        name, _ = low.use_relation(child_oid)
        columns: list[Sql] = [
            sql.raw("rid"),
            sql.raw("xmin"),
            sql.alias(sql.integer(child_oid), "tableoid"),
        ]
        for attr in parent.attrs:
            source = by_name.get(attr.attname) if not attr.attisdropped else None
            value = sql.raw(f"c{source}") if source else sql.NULL
            columns.append(sql.alias(value, f"c{attr.attnum}"))
        schema, _, table = name.partition(".")
        parts.append(sql.select(columns, from_=sql.table(table, low.new_alias("i"), schema)))
    if not parts:
        empty: list[Sql] = [sql.alias(sql.NULL, n) for n in ("rid", "xmin", "tableoid")]
        empty += [sql.alias(sql.NULL, f"c{a.attnum}") for a in parent.attrs]
        return sql.select(empty, where=sql.integer(0))
    union = parts[0]
    for part in parts[1:]:
        union = sql.compound("union", union, part, all_rows=True)
    return union


def _lower_sample(entry: RangeTblEntry, alias: str, low: Lowering, scope: Scope) -> Sql:
    assert entry.tablesample is not None
    method, args, repeatable = entry.tablesample
    name, natts = low.use_relation(entry.relid)
    schema, _, table = name.partition(".")
    inner = low.new_alias("i")
    percent = lower(args[0], low, scope)
    seeds = [lower(repeatable, low, scope)] if repeatable is not None else []
    keep = sql.func(
        low.binder.special("tablesample", method), sql.column(inner, "rid"), percent, *seeds
    )
    names = ["rid", "xmin", *(f"c{n}" for n in range(1, natts + 1))]
    columns = [sql.alias(sql.column(inner, n), n) for n in names]
    return sql.derived(
        sql.select(columns, from_=sql.table(table, inner, schema), where=keep), alias
    )


def _lower_subquery(entry: RangeTblEntry, alias: str, low: Lowering, scope: Scope) -> Sql:
    from pgemu.planner.select import lower_query

    assert entry.subquery is not None
    if entry.relkind == "v" and entry.relid >= FIRST_USER_OID:
        low.partitioned.add(entry.relid)
    if entry.lateral and references_level(entry.subquery, 1):
        return _lower_lateral(entry, alias, low, scope)
    volatile_before, low.volatile = low.volatile, False
    body = lower_query(entry.subquery, low, scope)
    if low.volatile and not body.limit:
        # SQLite would merge the sub-query and evaluate the volatile call once per use
        sql.add_tail(body, limit=sql.integer(-1))
    low.volatile = low.volatile or volatile_before
    return sql.derived(body, alias)


def references_level(node: object, level: int) -> bool:
    """The tree has a Var (or aggregate) of the query `level` levels above node's own query."""
    from pgemu.nodes.parsenodes import Query

    found = False

    def visit(item: object, depth: int) -> None:
        nonlocal found

        def step(child: object) -> bool | None:
            nonlocal found
            if found:
                return False
            if isinstance(child, p.Var) and child.varlevelsup == depth:
                found = True
            if isinstance(child, Query):
                visit(list(_query_parts(child)), depth + 1)
                return False
            return None

        walk(item, step)

    query_parts = _query_parts(node) if isinstance(node, Query) else [node]
    visit(list(query_parts), level)
    return found


def _query_parts(query: object) -> list[object]:
    from dataclasses import fields

    return [getattr(query, f.name) for f in fields(query)]  # type: ignore[arg-type]


def _lower_lateral(entry: RangeTblEntry, alias: str, low: Lowering, scope: Scope) -> Sql:
    """A correlated sub-query becomes a table-valued function that runs a statement of its own,
    whose parameters are the columns it reads of the tables before it."""
    from pgemu.planner.select import lower_query

    assert entry.subquery is not None
    child = low.sub_statement()
    body = lower_query(entry.subquery, child, scope)
    low.note_calls_of(child)
    args = [low.bind_for_caller(source) for source in child.params]
    ncolumns = sum(1 for t in entry.subquery.target_list if not t.resjunk)
    name = low.binder.statement_function(sql.render(body), len(args), ncolumns)
    return sql.table_function(name, args, alias)


def _lower_values(entry: RangeTblEntry, alias: str, low: Lowering, scope: Scope) -> Sql:
    rows = [[lower(value, low, scope) for value in row] for row in entry.values_lists]
    if rows[0] and contains(entry.values_lists, p.Var, stop_at=Query):
        return sql.derived(_selects_of_rows(rows), alias)
    return sql.derived(values_query(rows, low), alias)


def _selects_of_rows(rows: list[list[Sql]]) -> Sql:
    """SELECT ... UNION ALL SELECT ...: the columns of a VALUES that reads those of queries around
    it have no names in SQLite."""
    body: Sql | None = None
    for row in rows:
        one = sql.select([sql.alias(value, f"c{n}") for n, value in enumerate(row, 1)])
        body = one if body is None else sql.compound("union", body, one, all_rows=True)
    assert body is not None
    return body


def values_query(rows: list[list[Sql]], low: Lowering) -> Sql:
    """SELECT column1 AS c1, ... FROM (VALUES ...)."""
    inner = low.new_alias("v")
    if not rows[0]:  # SQLite has no rows without columns
        blank = sql.derived(sql.values([[sql.integer(1)]] * len(rows)), inner)
        return sql.select([sql.alias(sql.integer(1), "c0")], from_=blank)
    columns = [
        sql.alias(sql.column(inner, f"column{n}"), f"c{n}") for n in range(1, len(rows[0]) + 1)
    ]
    return sql.select(columns, from_=sql.derived(sql.values(rows), inner))


def _lower_function(entry: RangeTblEntry, alias: str, low: Lowering, scope: Scope) -> Sql:
    calls: list[SetCall] = []
    args: list[Sql] = []
    volatile_before, low.volatile = low.volatile, False
    for function in entry.functions:
        call, its_args = set_call(function, low, scope)
        calls.append(call)
        args += its_args
    once = low.volatile and len(scope.aliases) > 1 and not references_level(entry.functions, 0)
    low.volatile = low.volatile or volatile_before
    name = low.binder.table_function(tuple(calls))
    if not once:
        return sql.table_function(name, args, alias)
    # in a join SQLite would call it for each row of the other tables
    rows = sql.select([sql.raw("*")], from_=sql.table_function(name, args, low.new_alias("f")))
    return sql.raw(f"(WITH once AS MATERIALIZED ({rows}) SELECT * FROM once) AS {alias}")


def set_call(function: RangeTblFunction, low: Lowering, scope: Scope) -> tuple[SetCall, list[Sql]]:
    """A function of FROM and its lowered arguments."""
    node = function.funcexpr
    columns = function_columns(function, low)
    if not isinstance(node, p.FuncExpr):
        info = type_infos([expr_type(node)], expr_type(node))
        return SetCall(None, info, 1, len(columns)), [lower(node, low, scope)]
    proc = low.proc(node.funcid)
    low.note_volatility(proc)
    composite = expr_type(node) == RECORDOID or is_composite(expr_type(node), low)
    info = type_infos(
        [expr_type(a) for a in node.args],
        node.funcresulttype,
        node.inputcollid,
        columns=columns,
    )
    args = [lower(arg, low, scope) for arg in node.args]
    return SetCall(proc, info, len(args), len(columns), expand=composite), args


def function_columns(function: RangeTblFunction, low: Lowering) -> list[tuple[str, int, int]]:
    """(name, type, typmod) of each column that the function yields."""
    if function.coltypes:
        typmods = function.coltypmods or [-1] * len(function.coltypes)
        names = function.colnames or [""] * len(function.coltypes)
        return list(zip(names, function.coltypes, typmods, strict=False))
    node = function.funcexpr
    result = expr_type(node)
    found = get_expr_result_type(low.catalog, node).columns
    if found:
        return [(c.name, c.type_oid, c.typmod) for c in found]
    return [("", result, -1)]


def is_composite(type_oid: int, low: Lowering) -> bool:
    """The type, or the type under a domain, is a row type."""
    base = low.catalog.types.base_type(type_oid)
    return bool(low.catalog.types.row(base).typtype == "c")
