"""INSERT, UPDATE and DELETE (PostgreSQL's preptlist.c and nodeModifyTable.c, the planning side).

Two forms are planned.  The direct one is a single SQLite statement; it serves when no other
transaction is writing and RETURNING reads the target only.  The source one selects what to write
(for UPDATE and DELETE with the rid of each target row), so that the executor can write row by row:
with conflicting transactions, partitions, ON CONFLICT, or RETURNING over joined tables.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pgemu.nodes import expr_collation, expr_type, expr_typmod
from pgemu.nodes import primnodes as p
from pgemu.nodes.parsenodes import OnConflictExpr, Query, RangeTblEntry, RangeTblRef
from pgemu.nodes.walk import mutate, walk
from pgemu.planner import sql
from pgemu.planner.expressions import RECORDOID, has_children, lower, lower_qual, row_value
from pgemu.planner.fromclause import lower_from
from pgemu.planner.lowering import FIRST_USER_OID, Lowering, Scope
from pgemu.planner.plan import CheckPlan, ConflictPlan, ModifyPlan
from pgemu.planner.rowtest import insert_row_test, key_row_test
from pgemu.planner.select import lower_core
from pgemu.planner.sql import Sql
from pgemu.transam.schema import next_rid, next_rids


def lower_modify(query: Query, low: Lowering, scope: Scope) -> ModifyPlan:
    """The ModifyPlan of an INSERT, UPDATE, DELETE or MERGE; its parameters are in low.params."""
    from pgemu.planner.ctes import lower_ctes
    from pgemu.planner.merge import lower_merge

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
        lower_merge(query, low, scope, modify, prefix)
    if query.with_check_options:
        modify.direct_sql = None
        _lower_checks(query, low, scope, modify)
    if query.returning_list:
        _lower_source_returning(query, low, scope, modify, prefix)
        # its sub-selects do not see what the statement writes (executor/modifying_ctes.py)
        low.may_write = low.may_write or _reads_tables(query.returning_list)
    return modify


def _reads_tables(node: object) -> bool:
    """Is there a sub-select over a user's table?"""
    found = False

    def visit(item: object) -> bool:
        nonlocal found
        if isinstance(item, RangeTblEntry) and item.relid >= FIRST_USER_OID:
            found = True
        return not found

    walk(node, visit)
    return found


def _with_prefix(ctes: list, query: Query) -> str:  # type: ignore[type-arg]
    """WITH ... as text, to stand before the statement."""
    if not ctes:
        return ""
    dummy = sql.with_(sql.select([sql.integer(1)]), ctes, query.has_recursive)
    text = sql.render(dummy)
    return text[: text.rindex("SELECT 1")]


def _xid(low: Lowering) -> str:
    return f"{low.binder.special('xid')}()"


def _target(scope: Scope) -> Any:
    """The catalog's Relation of the statement's target."""
    relation = scope.owner.catalog.relation(scope.entry(scope.query.result_relation).relid)
    if relation.relkind == "f":
        from pgemu.planner.fromclause import no_fdw_handler

        raise no_fdw_handler(scope.owner.catalog, relation.oid)
    return relation


# -- RETURNING -----------------------------------------------------------------------------------


def _returning_scope(scope: Scope, modify: ModifyPlan, low: Lowering) -> Scope:
    """RETURNING names the target by its table name."""
    aliases = list(scope.aliases)
    aliases[scope.query.result_relation - 1] = modify.sqlite_name.partition(".")[2]
    return replace(scope, aliases=aliases, replaced=dict(scope.replaced))


def _direct_returning(query: Query, low: Lowering, scope: Scope, modify: ModifyPlan) -> str | None:
    """ " RETURNING ..." or None when it reads other tables than the target."""
    if not query.returning_list:
        return ""
    if _other_tables(query) or _needs_from(query):
        return None
    inner = _returning_scope(scope, modify, low)
    items = [sql.render(lower(t.expr, low, inner)) for t in query.returning_list if not t.resjunk]
    return " RETURNING " + ", ".join(items or ["1"])


def _other_tables(query: Query) -> list[p.Var]:
    """The Vars in RETURNING of entries other than the target, each once."""
    found: list[p.Var] = []
    _collect_vars(query.returning_list, query.result_relation, 0, found)
    return found


def _collect_vars(node: object, target: int, depth: int, found: list[p.Var]) -> None:
    def visit(item: object) -> bool | None:
        if isinstance(item, p.Var) and item.varlevelsup == depth and item.varno != target:
            var = replace(item, varlevelsup=0)
            if (var.varno, var.varattno) not in {(v.varno, v.varattno) for v in found}:
                found.append(var)
        if isinstance(item, Query):
            from pgemu.planner.fromclause import _query_parts

            _collect_vars(list(_query_parts(item)), target, depth + 1, found)
            return False
        return None

    walk(node, visit)


def _needs_from(query: Query) -> bool:
    """Sub-selects and system columns in RETURNING need the row in a real FROM."""
    found = False

    def visit(node: object) -> bool | None:
        nonlocal found
        if isinstance(node, (p.SubLink, p.Aggref)) or (
            isinstance(node, p.Var) and (node.varattno in (-4, -1) or node.varattno == 0)
        ):
            found = True
        return not found

    walk(query.returning_list, visit)
    return found


def written_scope(scope: Scope, low: Lowering, extra: list[p.Var]) -> tuple[Scope, Sql]:
    """(scope, FROM item) in which the target is the rows put aside as "returning"."""
    relation = _target(scope)
    target_no = scope.query.result_relation
    alias = low.new_alias("r")
    width = 3 + len(relation.attrs) + len(extra)
    inner = replace(scope, replaced=dict(scope.replaced))
    put = inner.replaced
    put[(target_no, -6)] = sql.column(alias, "c1")
    put[(target_no, -1)] = sql.func(low.binder.special("ctid"), sql.column(alias, "c2"))
    put[(target_no, -4)] = sql.column(alias, "c3")
    put[(target_no, -2)] = sql.func(low.binder.special("xid"))
    types, columns = [], []
    for number, attr in enumerate(relation.attrs, 4):
        column = sql.column(alias, f"c{number}")
        put[(target_no, attr.attnum)] = column
        types.append(0 if attr.attisdropped else attr.atttypid)
        columns.append(sql.NULL if attr.attisdropped else column)
    row = low.binder.special("row", relation.type_oid or 2249, tuple(types))
    put[(target_no, 0)] = sql.func(row, *columns)
    for number, var in enumerate(extra, 4 + len(relation.attrs)):
        put[(var.varno, var.varattno)] = sql.column(alias, f"c{number}")
    rows = sql.table_function(low.binder.special("rows", width), [sql.string("returning")], alias)
    return inner, rows


def _lower_source_returning(
    query: Query, low: Lowering, scope: Scope, modify: ModifyPlan, prefix: str
) -> None:
    inner, rows = written_scope(scope, low, _other_tables(query))
    columns = [
        sql.alias(lower(t.expr, low, inner), f"c{n}")
        for n, t in enumerate(query.returning_list, 1)
        if not t.resjunk
    ]
    modify.returning_sql = prefix + sql.render(sql.select(columns or [sql.integer(1)], from_=rows))


def _lower_checks(query: Query, low: Lowering, scope: Scope, modify: ModifyPlan) -> None:
    inner, rows = written_scope(scope, low, [])
    columns: dict[str, list[Sql]] = {}
    tests: dict[str, list[tuple[str, str]]] = {}
    for kind, condition, name in query.with_check_options:
        test = lower_qual(condition, low, inner)
        if test is None:
            continue
        when, _, policy = kind.partition(" ") if kind.startswith("rls_") else ("view", "", kind)
        items = columns.setdefault(when, [])
        items.append(sql.alias(sql.binary("IS", test, sql.integer(1)), f"c{len(items) + 1}"))
        tests.setdefault(when, []).append((policy, name))
    for when, items in columns.items():
        text = sql.render(sql.select(items, from_=rows))
        modify.checks[when] = CheckPlan(text, tuple(tests[when]))


# -- generated columns ---------------------------------------------------------------------------


def with_generated(
    entries: list[p.TargetEntry], scope: Scope, *, insert: bool
) -> list[p.TargetEntry]:
    """The assignments with those of the generated columns, computed from the new values."""
    relation = _target(scope)
    entries = [t for t in entries if not t.resjunk and t.resno not in relation.generated]
    if not relation.generated:
        return entries
    new = {t.resno: t.expr for t in entries}
    for t in entries:
        if _is_volatile(t.expr, scope.owner):  # it must be computed once
            kind = expr_type(t.expr), expr_typmod(t.expr), expr_collation(t.expr)
            new[t.resno] = p.Param("new", t.resno, *kind)
    target_no = scope.query.result_relation

    def substitute(node: object) -> object | None:
        if isinstance(node, p.Var) and not node.varlevelsup and node.varattno < 0:
            # tableoid: the only system column that a generation expression may have
            return p.Const(node.vartype, relation.oid) if insert else replace(node, varno=target_no)
        if isinstance(node, p.Var) and not node.varlevelsup and node.varattno > 0:
            if node.varattno in new:
                return new[node.varattno]
            if insert:
                return p.Const(node.vartype, None, node.vartypmod)
            return replace(node, varno=target_no)
        return None

    for attnum, expr in relation.generated.items():
        entries.append(p.TargetEntry(mutate(expr, substitute), attnum))
    return entries


def lower_assigned(entries: list[p.TargetEntry], low: Lowering, scope: Scope) -> list[Sql]:
    """The assignments, of which those that others refer to are noted when they are computed."""
    referred = _referred(entries)
    values = []
    for entry in entries:
        value = lower(entry.expr, low, scope)
        if entry.resno in referred:
            value = sql.func(low.binder.special("noted", entry.resno), value)
        values.append(value)
    return values


def _referred(entries: list[p.TargetEntry]) -> set[int]:
    found: set[int] = set()

    def visit(item: object) -> bool | None:
        if isinstance(item, p.Param) and item.paramkind == "new":
            found.add(item.paramid)
        return None

    walk([t.expr for t in entries], visit)
    return found


def _is_volatile(expr: p.Expr, low: Lowering) -> bool:
    found = False

    def visit(item: object) -> bool | None:
        nonlocal found
        if isinstance(item, p.NextValueExpr) or (
            isinstance(item, p.Param) and item.paramkind == "multiexpr"
        ):
            found = True
        elif isinstance(item, p.FuncExpr):
            found = found or low.proc(item.funcid).provolatile == "v"
        return None

    walk([expr], visit)
    return found


def _add_generated(source: Sql, modify: ModifyPlan, low: Lowering, scope: Scope) -> Sql:
    """INSERT's source with the generated columns computed from its columns (which are evaluated
    once: the LIMIT keeps SQLite from merging the two selects)."""
    relation = _target(scope)
    if not relation.generated:
        return source
    if not source.limit:
        sql.add_tail(source, limit=sql.integer(-1))
    alias = low.new_alias("n")
    places = {attnum: f"c{n}" for n, attnum in enumerate(modify.target_columns, 1)}
    pseudo = Scope(Query("select"), [alias], low)
    for attr in relation.attrs:
        name = places.get(attr.attnum)
        pseudo.replaced[(1, attr.attnum)] = sql.column(alias, name) if name else sql.NULL
    pseudo.replaced[(1, -6)] = sql.integer(relation.oid)  # tableoid
    columns = [sql.alias(sql.column(alias, c), c) for c in places.values()]
    saved, low.used_literals = low.used_literals, _EveryLiteral()
    for attnum, expr in relation.generated.items():
        columns.append(sql.alias(lower(expr, low, pseudo), f"c{len(columns) + 1}"))
        modify.target_columns += (attnum,)
    low.used_literals = saved
    return sql.select(columns, from_=sql.derived(source, alias))


class _EveryLiteral(set[int]):
    """No literal of a stored expression may become a parameter."""

    def __contains__(self, item: object) -> bool:
        return True


# -- INSERT --------------------------------------------------------------------------------------


def _lower_insert(
    query: Query, low: Lowering, scope: Scope, modify: ModifyPlan, prefix: str
) -> None:
    generated = _target(scope).generated
    entries = [t for t in query.target_list if not t.resjunk and t.resno not in generated]
    modify.target_columns = tuple(t.resno for t in entries)
    columns = [sql.alias(lower(t.expr, low, scope), f"c{n}") for n, t in enumerate(entries, 1)]
    source = _insert_source(query, low, scope, columns or [sql.alias(sql.integer(1), "c1")])
    source = _add_generated(source, modify, low, scope)
    modify.source_sql = prefix + sql.render(source)
    conflict = _conflict_clause(query, low, scope, modify, prefix)
    returning = _direct_returning(query, low, scope, modify)
    if returning is None or conflict is None or _target(scope).relkind == "p":
        return
    names = "".join(f", c{number}" for number in modify.target_columns)
    source_is_select = bool(query.jointree.fromlist) or query.jointree.quals is not None
    if source_is_select or generated or query.has_target_srfs:
        alias = low.new_alias("n")
        values = "".join(f", {alias}.c{n}" for n in range(1, len(modify.target_columns) + 1))
        rid = next_rids(modify.sqlite_name)
        body = f"SELECT {rid}, {_xid(low)}{values} FROM ({sql.render(source)}) AS {alias} WHERE 1"
    else:
        values = "".join(f", {sql.render(c.this)}" for c in columns if entries)
        body = f"VALUES ({next_rid(modify.sqlite_name)}, {_xid(low)}{values})"
    modify.direct_sql = (
        f"{prefix}INSERT INTO {modify.sqlite_name} (rid, xmin{names}) {body}{conflict}{returning}"
    )
    modify.row_test = insert_row_test(query, low, modify)


def _insert_source(query: Query, low: Lowering, scope: Scope, columns: list[Sql]) -> Sql:
    from pgemu.planner.projectset import lower_project_set

    if query.has_target_srfs:
        return lower_project_set(query, low, scope)
    return lower_core(query, low, scope, columns)


def _conflict_clause(
    query: Query, low: Lowering, scope: Scope, modify: ModifyPlan, prefix: str
) -> str | None:
    """SQLite's ON CONFLICT for the direct statement; None: row by row."""
    conflict = query.on_conflict
    if conflict is None:
        return ""
    modify.conflict = _conflict_plan(conflict, low, scope, prefix)
    several = bool(query.jointree.fromlist) or query.has_target_srfs
    if len(conflict.arbiter_indexes) > 1 or (conflict.action == "update" and several):
        return None  # a row must not be changed twice: SQLite would
    if _referred(with_generated(conflict.on_conflict_set, scope, insert=False)):
        return None  # in an order of its own
    if conflict.action == "update" and _target(scope).is_partition:
        return None  # the row must stay in its partition
    targets = [_conflict_target(oid, low, scope) for oid in conflict.arbiter_indexes]
    if any(t is None for t in targets) or _has_exclusions(scope):
        return None
    target = f" {targets[0]}" if targets else ""
    if conflict.action == "nothing":
        return f" ON CONFLICT{target} DO NOTHING"
    return f" ON CONFLICT{target} DO UPDATE SET {_conflict_set(conflict, low, scope, modify)}"


def _has_exclusions(scope: Scope) -> bool:
    relation = _target(scope)
    return any(i.index.indisexclusion or i.deferrable for i in relation.indexes)


def _conflict_plan(
    conflict: OnConflictExpr, low: Lowering, scope: Scope, prefix: str
) -> ConflictPlan:
    plan = ConflictPlan(conflict.action, tuple(conflict.arbiter_indexes))
    if conflict.action != "update":
        return plan
    relation = _target(scope)
    entries = with_generated(conflict.on_conflict_set, scope, insert=False)
    plan.set_columns = tuple(t.resno for t in entries)
    target_no = scope.query.result_relation
    row, alias = low.new_alias("t"), low.new_alias("e")
    aliases = list(scope.aliases)
    aliases[target_no - 1] = row
    inner = replace(scope, aliases=aliases, replaced=dict(scope.replaced))
    types, columns = [], []
    for number, attr in enumerate(relation.attrs, 3):
        column = sql.column(alias, f"c{number}")
        inner.replaced[(conflict.excl_rel_index, attr.attnum)] = column
        types.append(0 if attr.attisdropped else attr.atttypid)
        columns.append(column)
    excluded_row = low.binder.special("row", relation.type_oid or 2249, tuple(types))
    inner.replaced[(conflict.excl_rel_index, 0)] = sql.func(excluded_row, *columns)
    rows = sql.table_function(
        low.binder.special("rows", 2 + len(relation.attrs)), [sql.string("excluded")], alias
    )
    table = (
        sql.derived(_storage_union(relation, low), row)
        if relation.relkind == "p"
        else sql.table(
            relation.sqlite_name.partition(".")[2], row, relation.sqlite_name.partition(".")[0]
        )
    )
    on = sql.binary("=", sql.column(row, "rid"), sql.column(alias, "c2"))
    if relation.relkind == "p":
        same = sql.binary("=", sql.column(row, "tableoid"), sql.column(alias, "c1"))
        on = sql.connect("and", [on, same])
    where = lower_qual(conflict.on_conflict_where, low, inner)
    values = lower_assigned(entries, low, inner)
    outputs = [sql.alias(value, f"c{n}") for n, value in enumerate(values, 1)] or [
        sql.alias(sql.integer(1), "c0")
    ]
    plan.set_sql = prefix + sql.render(
        sql.select(outputs, from_=rows, joins=[sql.join(table, "", on)], where=where)
    )
    return plan


def _storage_union(relation: Any, low: Lowering) -> Sql:
    from pgemu.planner.fromclause import _inheritance_union

    return _inheritance_union(relation.oid, low)


def _conflict_target(index_oid: int, low: Lowering, scope: Scope) -> str | None:
    """(c1, c2 ...) [WHERE ...] as SQLite's index of that OID has them."""
    relation = _target(scope)
    index = next((i for i in relation.indexes if i.index.indexrelid == index_oid), None)
    if index is None or index.index.indnullsnotdistinct:
        return None
    parts = index_key_columns(index, relation, low)
    where = f" WHERE {index_predicate(index, relation, low)}" if index.pred else ""
    return f"({', '.join(parts)}){where}"


def index_key_columns(index: Any, relation: Any, low: Lowering) -> list[str]:
    """The key columns of an index as SQLite spells them, without order."""
    from pgemu.planner.planner import compile_index_expr

    exprs = iter(index.exprs)
    parts = []
    row = index.index
    for number, attnum in enumerate(row.indkey[: row.indnkeyatts]):
        if attnum > 0:
            type_oid = relation.attrs[attnum - 1].atttypid
            collation = low.collation(type_oid, row.indcollation[number])
            parts.append(f"c{attnum}" + (f" COLLATE {collation}" if collation else ""))
        else:
            parts.append(compile_index_expr(low.catalog, relation, next(exprs)))
    return parts


def index_predicate(index: Any, relation: Any, low: Lowering) -> str:
    from pgemu.planner.planner import compile_index_expr

    return compile_index_expr(low.catalog, relation, index.pred)


def _conflict_set(conflict: OnConflictExpr, low: Lowering, scope: Scope, modify: ModifyPlan) -> str:
    inner = _returning_scope(scope, modify, low)
    for attr in _target(scope).attrs:
        inner.replaced[(conflict.excl_rel_index, attr.attnum)] = sql.column(
            "excluded", f"c{attr.attnum}"
        )
    attrs = _target(scope).attrs
    inner.replaced[(conflict.excl_rel_index, 0)] = row_value(
        _target(scope).type_oid or RECORDOID,
        [0 if attr.attisdropped else attr.atttypid for attr in attrs],
        [sql.column("excluded", f"c{attr.attnum}") for attr in attrs],
        low,
        tuple(attr.attname for attr in attrs),
    )
    items = [f"xmin = {_xid(low)}"]
    for entry in with_generated(conflict.on_conflict_set, scope, insert=False):
        items.append(f"c{entry.resno} = {sql.render(lower(entry.expr, low, inner))}")
    where = lower_qual(conflict.on_conflict_where, low, inner)
    condition = f" WHERE {sql.render(where)}" if where is not None else ""
    return ", ".join(items) + condition


# -- UPDATE and DELETE ---------------------------------------------------------------------------


def _lower_update(
    query: Query, low: Lowering, scope: Scope, modify: ModifyPlan, prefix: str
) -> None:
    entries = with_generated(query.target_list, scope, insert=False)
    modify.target_columns = tuple(t.resno for t in entries)
    values = lower_assigned(entries, low, scope)
    modify.source_sql = prefix + _source_sql(query, low, scope, values)
    if _referred(entries):
        return  # SQLite's UPDATE computes the columns in an order of its own
    returning = _direct_returning(query, low, scope, modify)
    target = scope.entry(query.result_relation)
    if returning is None or has_children(target, low):
        return
    alias = scope.aliases[query.result_relation - 1]
    sets = [f"xmin = {_xid(low)}"]
    sets += [f"c{t.resno} = {sql.render(v)}" for t, v in zip(entries, values, strict=True)]
    others = [
        item
        for item in query.jointree.fromlist
        if not (isinstance(item, RangeTblRef) and item.rtindex == query.result_relation)
    ]
    from_text = ""
    if others:
        from_, joins, _ = lower_from(others, low, scope)
        text = sql.render(sql.select([sql.integer(1)], from_=from_, joins=joins))
        from_text = " " + text[text.index("FROM") :]
    where_text, fickle = _where_text(query, low, scope)
    modify.direct_sql = (
        f"{prefix}UPDATE {modify.sqlite_name} AS {alias} SET {', '.join(sets)}"
        f"{from_text}{where_text}{returning}"
    )
    if not fickle:
        modify.row_test = key_row_test(query, low, scope, modify, where_text[7:])


def _where_text(query: Query, low: Lowering, scope: Scope) -> tuple[str, bool]:
    """(" WHERE ..." or nothing, whether it may come out otherwise when it is run again)."""
    before, low.volatile = low.volatile, False
    where = lower_qual(query.jointree.quals, low, scope)
    fickle, low.volatile = low.volatile, low.volatile or before
    return (f" WHERE {sql.render(where)}" if where is not None else ""), fickle


def _lower_delete(
    query: Query, low: Lowering, scope: Scope, modify: ModifyPlan, prefix: str
) -> None:
    modify.source_sql = prefix + _source_sql(query, low, scope, [])
    returning = _direct_returning(query, low, scope, modify)
    target = scope.entry(query.result_relation)
    if returning is None or has_children(target, low):
        return
    alias = scope.aliases[query.result_relation - 1]
    if len(query.jointree.fromlist) == 1:
        where_text, fickle = _where_text(query, low, scope)
        modify.direct_sql = (
            f"{prefix}DELETE FROM {modify.sqlite_name} AS {alias}{where_text}{returning}"
        )
        if not fickle:
            modify.row_test = key_row_test(query, low, scope, modify, where_text[7:])
        return
    rids = lower_core(query, low, scope, [sql.column(alias, "rid")])
    modify.direct_sql = (
        f"{prefix}DELETE FROM {modify.sqlite_name} WHERE rid IN ({sql.render(rids)}){returning}"
    )


def row_address(query: Query, low: Lowering, scope: Scope) -> list[Sql]:
    """rid and tableoid of the target's row."""
    alias = scope.aliases[query.result_relation - 1]
    target = scope.entry(query.result_relation)
    if target.relkind == "v":  # INSTEAD OF triggers get the old row
        whole = next(t.expr for t in query.target_list if t.resjunk and t.resname == "wholerow")
        return [lower(whole, low, scope), sql.integer(target.relid)]
    tableoid: Sql = (
        sql.column(alias, "tableoid") if has_children(target, low) else sql.integer(target.relid)
    )
    return [sql.column(alias, "rid"), tableoid]


def _source_sql(query: Query, low: Lowering, scope: Scope, values: list[Sql]) -> str:
    """SELECT rid, tableoid, new values ..., columns of other tables that RETURNING reads."""
    extra = [lower(var, low, scope) for var in _other_tables(query)]
    columns = [*row_address(query, low, scope), *values, *extra]
    named = [sql.alias(c, f"c{n}") for n, c in enumerate(columns, 1)]
    return sql.render(lower_core(query, low, scope, [*named, *scope.pins]))
