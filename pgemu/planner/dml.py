"""INSERT, UPDATE and DELETE (PostgreSQL's preptlist.c and nodeModifyTable.c, the planning side).

Two forms are planned.  The direct one is a single SQLite statement; it serves when no other
transaction is writing and RETURNING reads the target only.  The source one selects what to write
(for UPDATE and DELETE with the rid of each target row), so that the executor can look at every row
before it writes: with conflicting transactions, row triggers, or RETURNING over joined tables.
"""

from __future__ import annotations

from dataclasses import replace

from pgemu.errors import FEATURE_NOT_SUPPORTED, PgError
from pgemu.nodes import primnodes as p
from pgemu.nodes.parsenodes import OnConflictExpr, Query, RangeTblRef
from pgemu.nodes.walk import walk
from pgemu.planner import sql
from pgemu.planner.expressions import has_children, lower, lower_qual
from pgemu.planner.fromclause import lower_from
from pgemu.planner.lowering import Lowering, Scope
from pgemu.planner.plan import ModifyPlan
from pgemu.planner.select import lower_core
from pgemu.planner.sql import Sql


def lower_modify(query: Query, low: Lowering, scope: Scope) -> ModifyPlan:
    """The ModifyPlan of an INSERT, UPDATE or DELETE; its parameters are in low.params."""
    from pgemu.planner.ctes import lower_ctes

    target = scope.entry(query.result_relation)
    name, _ = low.use_relation(target.relid)
    modify = ModifyPlan(target.relid, name, query=query, returning=bool(query.returning_list))
    prefix = _with_prefix(lower_ctes(query, low, scope), query)
    if query.command_type == "insert":
        _lower_insert(query, low, scope, modify, prefix)
    elif query.command_type == "update":
        _lower_update(query, low, scope, modify, prefix)
    elif query.command_type == "delete":
        _lower_delete(query, low, scope, modify, prefix)
    else:
        raise PgError(FEATURE_NOT_SUPPORTED, "MERGE is not supported yet")
    if query.returning_list:
        _lower_source_returning(query, low, scope, modify)
    return modify


def _with_prefix(ctes: list, query: Query) -> str:  # type: ignore[type-arg]
    """WITH ... as text, to stand before the statement."""
    if not ctes:
        return ""
    dummy = sql.with_(sql.select([sql.integer(1)]), ctes, query.has_recursive)
    text = sql.render(dummy)
    return text[: text.rindex("SELECT 1")]


def _xid(low: Lowering) -> str:
    return f"{low.binder.special('xid')}()"


def _returning_scope(scope: Scope, modify: ModifyPlan, low: Lowering) -> Scope:
    """RETURNING names the target by its table name."""
    aliases = list(scope.aliases)
    aliases[scope.query.result_relation - 1] = modify.sqlite_name.partition(".")[2]
    return replace(scope, aliases=aliases)


def _direct_returning(query: Query, low: Lowering, scope: Scope, modify: ModifyPlan) -> str | None:
    """" RETURNING ..." or None when it reads other tables than the target."""
    if not query.returning_list:
        return ""
    if _other_tables(query) or _reads_system_rows(query):
        return None
    inner = _returning_scope(scope, modify, low)
    items = [sql.render(lower(t.expr, low, inner)) for t in query.returning_list if not t.resjunk]
    return " RETURNING " + ", ".join(items)


def _other_tables(query: Query) -> list[p.Var]:
    """The Vars in RETURNING of entries other than the target, each once."""
    found: list[p.Var] = []

    def visit(node: object) -> bool | None:
        if isinstance(node, p.Var) and not node.varlevelsup:
            if node.varno != query.result_relation:
                key = (node.varno, node.varattno)
                if key not in {(v.varno, v.varattno) for v in found}:
                    found.append(node)
        return None

    walk(query.returning_list, visit)
    return found


def _reads_system_rows(query: Query) -> bool:
    """Whole rows and sub-selects in RETURNING need the row in a real FROM."""
    found = False

    def visit(node: object) -> bool | None:
        nonlocal found
        if isinstance(node, (p.SubLink, p.Aggref)):
            found = True
        return not found

    walk(query.returning_list, visit)
    return found


def _lower_insert(
    query: Query, low: Lowering, scope: Scope, modify: ModifyPlan, prefix: str
) -> None:
    entries = [t for t in query.target_list if not t.resjunk]
    modify.target_columns = tuple(t.resno for t in entries)
    columns = [
        sql.alias(lower(t.expr, low, scope), f"c{n}") for n, t in enumerate(entries, 1)
    ]
    source = _insert_source(query, low, scope, columns or [sql.alias(sql.integer(1), "c1")])
    modify.source_sql = prefix + sql.render(source)
    names = "".join(f", c{number}" for number in modify.target_columns)
    if query.jointree.fromlist:
        alias = low.new_alias("n")
        values = "".join(f", {alias}.c{n}" for n in range(1, len(entries) + 1))
        body = (
            f"SELECT {_xid(low)}{values} FROM ({sql.render(source)}) AS {alias} WHERE 1"
        )
    else:
        values = "".join(f", {sql.render(c.this)}" for c in columns)
        body = f"VALUES ({_xid(low)}{values})"
    conflict = _conflict_clause(query, low, scope, modify)
    returning = _direct_returning(query, low, scope, modify)
    if returning is not None and conflict is not None:
        modify.direct_sql = (
            f"{prefix}INSERT INTO {modify.sqlite_name} (xmin{names}) {body}{conflict}{returning}"
        )


def _insert_source(query: Query, low: Lowering, scope: Scope, columns: list[Sql]) -> Sql:
    from pgemu.planner.projectset import lower_project_set

    if query.has_target_srfs:
        return lower_project_set(query, low, scope)
    return lower_core(query, low, scope, columns)


def _conflict_clause(
    query: Query, low: Lowering, scope: Scope, modify: ModifyPlan
) -> str | None:
    conflict = query.on_conflict
    if conflict is None:
        return ""
    targets = [_conflict_target(oid, low, scope) for oid in conflict.arbiter_indexes]
    if any(t is None for t in targets):
        raise PgError(FEATURE_NOT_SUPPORTED, "ON CONFLICT with this index is not supported yet")
    target = f" {targets[0]}" if targets else ""
    if conflict.action == "nothing":
        return f" ON CONFLICT{target} DO NOTHING"
    return f" ON CONFLICT{target} DO UPDATE SET {_conflict_set(conflict, low, scope, modify)}"


def _conflict_target(index_oid: int, low: Lowering, scope: Scope) -> str | None:
    """(c1, c2 ...) [WHERE ...] as SQLite's index of that OID has them."""
    target = scope.entry(scope.query.result_relation)
    relation = low.catalog.relation(target.relid)
    index = next((i for i in relation.indexes if i.index.indexrelid == index_oid), None)
    if index is None:
        return None
    parts = index_key_columns(index, relation, low)
    where = f" WHERE {index_predicate(index, relation, low)}" if index.pred else ""
    return f"({', '.join(parts)}){where}"


def index_key_columns(index: object, relation: object, low: Lowering) -> list[str]:
    """The key columns of an index as SQLite spells them, without order."""
    from pgemu.planner.planner import compile_index_expr

    exprs = iter(index.exprs)  # type: ignore[attr-defined]
    parts = []
    row = index.index  # type: ignore[attr-defined]
    for attnum in row.indkey[: row.indnkeyatts]:
        if attnum > 0:
            type_oid = relation.attrs[attnum - 1].atttypid  # type: ignore[attr-defined]
            collation = low.collation(type_oid)
            parts.append(f"c{attnum}" + (f" COLLATE {collation}" if collation else ""))
        else:
            parts.append(compile_index_expr(low.catalog, relation, next(exprs)))
    return parts


def index_predicate(index: object, relation: object, low: Lowering) -> str:
    from pgemu.planner.planner import compile_index_expr

    return compile_index_expr(
        low.catalog, relation, index.pred  # type: ignore[attr-defined]
    )


def _conflict_set(
    conflict: OnConflictExpr, low: Lowering, scope: Scope, modify: ModifyPlan
) -> str:
    target = scope.entry(scope.query.result_relation)
    inner = _returning_scope(scope, modify, low)
    for attr in low.catalog.relation(target.relid).attrs:
        inner.replaced[(conflict.excl_rel_index, attr.attnum)] = sql.column(
            "excluded", f"c{attr.attnum}"
        )
    items = [f"xmin = {_xid(low)}"]
    for entry in conflict.on_conflict_set:
        items.append(f"c{entry.resno} = {sql.render(lower(entry.expr, low, inner))}")
    where = lower_qual(conflict.on_conflict_where, low, inner)
    condition = f" WHERE {sql.render(where)}" if where is not None else ""
    return ", ".join(items) + condition


def _assignments(query: Query) -> list[p.TargetEntry]:
    return [t for t in query.target_list if not t.resjunk]


def _lower_update(
    query: Query, low: Lowering, scope: Scope, modify: ModifyPlan, prefix: str
) -> None:
    entries = _assignments(query)
    modify.target_columns = tuple(t.resno for t in entries)
    values = [lower(t.expr, low, scope) for t in entries]
    modify.source_sql = prefix + _source_sql(query, low, scope, values)
    returning = _direct_returning(query, low, scope, modify)
    target = scope.entry(query.result_relation)
    if returning is None or has_children(target, low):
        return
    alias = scope.aliases[query.result_relation - 1]
    sets = [f"xmin = {_xid(low)}"]
    sets += [f"c{t.resno} = {sql.render(v)}" for t, v in zip(entries, values, strict=True)]
    others = [
        item for item in query.jointree.fromlist
        if not (isinstance(item, RangeTblRef) and item.rtindex == query.result_relation)
    ]
    from_text = ""
    if others:
        from_, joins, _ = lower_from(others, low, scope)
        text = sql.render(sql.select([sql.integer(1)], from_=from_, joins=joins))
        from_text = " " + text[text.index("FROM"):]
    where = lower_qual(query.jointree.quals, low, scope)
    where_text = f" WHERE {sql.render(where)}" if where is not None else ""
    modify.direct_sql = (
        f"{prefix}UPDATE {modify.sqlite_name} AS {alias} SET {', '.join(sets)}"
        f"{from_text}{where_text}{returning}"
    )


def _lower_delete(
    query: Query, low: Lowering, scope: Scope, modify: ModifyPlan, prefix: str
) -> None:
    modify.source_sql = prefix + _source_sql(query, low, scope, [])
    returning = _direct_returning(query, low, scope, modify)
    target = scope.entry(query.result_relation)
    if returning is None or has_children(target, low):
        return
    alias = scope.aliases[query.result_relation - 1]
    where = lower_qual(query.jointree.quals, low, scope)
    if len(query.jointree.fromlist) == 1:
        where_text = f" WHERE {sql.render(where)}" if where is not None else ""
        modify.direct_sql = (
            f"{prefix}DELETE FROM {modify.sqlite_name} AS {alias}{where_text}{returning}"
        )
        return
    rids = lower_core(query, low, scope, [sql.column(alias, "rid")])
    modify.direct_sql = (
        f"{prefix}DELETE FROM {modify.sqlite_name} WHERE rid IN ({sql.render(rids)}){returning}"
    )


def _source_sql(query: Query, low: Lowering, scope: Scope, values: list[Sql]) -> str:
    """SELECT rid, tableoid, new values ..., columns of other tables that RETURNING reads."""
    alias = scope.aliases[query.result_relation - 1]
    target = scope.entry(query.result_relation)
    tableoid: Sql = (
        sql.column(alias, "tableoid") if has_children(target, low)
        else sql.integer(target.relid)
    )
    extra = [lower(var, low, scope) for var in _other_tables(query)]
    columns = [sql.column(alias, "rid"), tableoid, *values, *extra]
    named = [sql.alias(c, f"c{n}") for n, c in enumerate(columns, 1)]
    return sql.render(lower_core(query, low, scope, named))


def _lower_source_returning(
    query: Query, low: Lowering, scope: Scope, modify: ModifyPlan
) -> None:
    """RETURNING over the written rows: rows('returning') gives rid and the extra columns."""
    others = _other_tables(query)
    written = low.new_alias("r")
    target_alias = low.new_alias("t")
    aliases = list(scope.aliases)
    aliases[query.result_relation - 1] = target_alias
    inner = replace(scope, aliases=aliases, replaced=dict(scope.replaced))
    for number, var in enumerate(others, 2):
        inner.replaced[(var.varno, var.varattno)] = sql.column(written, f"c{number}")
    columns = [
        sql.alias(lower(t.expr, low, inner), f"c{n}")
        for n, t in enumerate(query.returning_list, 1) if not t.resjunk
    ]
    rows = sql.table_function(
        low.binder.special("rows", 1 + len(others)), [sql.string("returning")], written
    )
    schema, _, table = modify.sqlite_name.partition(".")
    target = sql.table(table, target_alias, schema)
    on = sql.binary("=", sql.column(target_alias, "rid"), sql.column(written, "c1"))
    modify.returning_sql = sql.render(
        sql.select(columns, from_=rows, joins=[sql.join(target, "", on)])
    )
