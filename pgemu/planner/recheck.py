"""Plans for looking at one row again (PostgreSQL's EvalPlanQual, the planning side).

The statement is lowered a second time with every item of its FROM replaced by one row that the
executor puts aside as "epq:<range table index>": what comes out is what the statement makes of just
these rows.  So that the rows of joined tables are at hand, the statement is also lowered with all
their columns as further output ("marked"); and for statements that call functions with side effects
for each row, as the list of the target's rows before the conditions that do so ("candidates") and
with these conditions alone for one such row ("stepped").
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pgemu.nodes import primnodes as p
from pgemu.nodes.parsenodes import JoinExpr, Query, RangeTblRef
from pgemu.planner import sql
from pgemu.planner.dml import lower_modify
from pgemu.planner.expressions import has_children
from pgemu.planner.lockedquery import add_row_limit, locks_beyond_limit, without_limit
from pgemu.planner.lowering import FIRST_USER_OID, FunctionBinder, Lowering, Scope
from pgemu.planner.plan import ParamSource, Plan, RowLimit
from pgemu.planner.select import lower_core, lower_query_in
from pgemu.planner.sql import Sql


@dataclass(frozen=True, slots=True)
class Statement:
    """SQLite text, what to bind, what it reads: (SQLite name, number of columns)."""

    text: str
    params: tuple[ParamSource, ...]
    relations: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Pin:
    """An item of FROM: columns first .. first + width of a marked row are its rid, xmin, tableoid,
    the rid that its ctid shows (of a table) and columns.  optional: an outer join may leave it
    out."""

    rtindex: int
    relid: int
    first: int
    width: int
    optional: bool


@dataclass(frozen=True, slots=True)
class RecheckPlan:
    recheck: Statement
    marked: Statement | None
    # the marked rows without LIMIT, and what that asks for
    unlimited: Statement | None
    row_limit: RowLimit | None
    pins: tuple[Pin, ...]
    # range table index -> width of the row to put aside; the target's and the locked tables'
    targets: dict[int, int]
    # the rows that pass the conditions to be tested once, what becomes of such a row
    candidates: Statement | None
    stepped: Statement | None


def can_recheck(query: Query) -> bool:
    return not (query.has_target_srfs or query.set_operations or query.group_clause)


def plan_recheck(plan: Plan, catalog: Any, binder: FunctionBinder) -> RecheckPlan | None:
    """None: rows of such a statement cannot be looked at one by one."""
    query = plan.query
    if query is None or not can_recheck(query):
        return None
    items = list(_from_items([*query.jointree.fromlist]))
    if query.result_relation and query.result_relation not in items:
        items.append(query.result_relation)
    targets = {query.result_relation} if query.result_relation else _locked(query)
    low, scope = _start(plan, query, catalog, binder)
    widths = _put_all_aside(items, low, scope)
    recheck = _statement(_lower(replace(query, sort_clause=[]), low, scope, ()), low)
    others = [n for n in widths if n not in targets or not query.result_relation]
    marked: Statement | None = None
    pins: tuple[Pin, ...] = ()
    if len(widths) > 1:
        marked, pins = _marked(plan, query, others, widths, catalog, binder)
    unlimited, row_limit = _unlimited(plan, query, others, widths, catalog, binder)
    candidates = stepped = None
    if (
        query.result_relation
        and len(widths) == 1
        and plan.may_write
        and not plan.steps
        and _calls_back([query.jointree.quals, query.target_list], catalog)
    ):
        candidates = _candidates(plan, query, catalog, binder)
        stepped = _stepped(plan, query, catalog, binder)
    wanted = {n: widths[n] for n in targets}
    return RecheckPlan(recheck, marked, unlimited, row_limit, pins, wanted, candidates, stepped)


def _locked(query: Query) -> set[int]:
    return {m.rti for m in query.row_marks if query.rtable[m.rti - 1].rtekind == "relation"}


def _start(
    plan: Plan, query: Query, catalog: Any, binder: FunctionBinder
) -> tuple[Lowering, Scope]:
    low = Lowering(catalog, binder)
    low.used_literals = set(plan.used_literals)
    return low, low.new_scope(query, plan.outer)


def _statement(text: str, low: Lowering) -> Statement:
    return Statement(text, tuple(low.params), tuple(low.relations.values()))


def _lower(query: Query, low: Lowering, scope: Scope, pins: Sequence[Sql]) -> str:
    """The text that yields what the executor wants of a row, with the pins behind it."""
    if query.command_type != "select":
        scope.pins = tuple(pins)
        return lower_modify(query, low, scope).source_sql
    from pgemu.planner.planner import _add_row_marks

    if not pins:
        query = without_limit(query)
    if locks_beyond_limit(query):
        return _lower_unlimited(query, low, scope, pins)[0]
    body = lower_query_in(query, low, scope)
    _add_row_marks(query, body, low, scope)
    body.expressions.extend(pins)
    return sql.render(body)


def _lower_unlimited(
    query: Query, low: Lowering, scope: Scope, pins: Sequence[Sql]
) -> tuple[str, RowLimit]:
    from pgemu.planner.planner import _add_row_marks

    body = lower_query_in(without_limit(query), low, scope)
    _add_row_marks(query, body, low, scope)
    row_limit = add_row_limit(query, body, low, scope)
    body.expressions.extend(pins)
    return sql.render(body), row_limit


def _put_all_aside(items: Sequence[int], low: Lowering, scope: Scope) -> dict[int, int]:
    """Range table index -> width of the row that replaces the item."""
    widths: dict[int, int] = {}
    for rtindex in items:
        width = _width(rtindex, low, scope)
        if width:
            widths[rtindex] = width
            scope.prelowered[rtindex] = _put_aside(rtindex, width, low, scope)
    return widths


def _from_items(items: Sequence[Any]) -> Iterator[int]:
    for item in items:
        if isinstance(item, RangeTblRef):
            yield item.rtindex
        elif isinstance(item, JoinExpr):
            yield from _from_items([item.larg, item.rarg])


def _width(rtindex: int, low: Lowering, scope: Scope) -> int:
    """How many columns a row of the item has when it is put aside; 0: it has none."""
    entry = scope.entry(rtindex)
    if entry.rtekind == "relation":
        return 4 + len(low.catalog.relation(entry.relid).attrs)
    if entry.rtekind == "subquery" and entry.subquery is not None:
        return sum(1 for t in entry.subquery.target_list if not t.resjunk)
    return len(entry.coltypes)


def _names(rtindex: int, width: int, scope: Scope) -> list[str]:
    if scope.entry(rtindex).rtekind == "relation":
        return ["rid", "xmin", "tableoid", "place", *(f"c{n}" for n in range(1, width - 3))]
    return [f"c{n}" for n in range(1, width + 1)]


def _put_aside(rtindex: int, width: int, low: Lowering, scope: Scope) -> Sql:
    alias = low.new_alias("e")
    columns = [
        sql.alias(sql.column(alias, f"c{n}"), name)
        for n, name in enumerate(_names(rtindex, width, scope), 1)
    ]
    if scope.entry(rtindex).rtekind == "relation":
        place = sql.column(scope.aliases[rtindex - 1], "place")
        scope.replaced[(rtindex, -1)] = sql.func(low.binder.special("ctid"), place)
    rows = low.binder.special("rows", width)
    source = sql.table_function(rows, [sql.string(f"epq:{rtindex}")], alias)
    return sql.select(columns, from_=source)


def _columns(rtindex: int, width: int, low: Lowering, scope: Scope) -> list[Sql]:
    """A row of the item as it is to be put aside."""
    alias, entry = scope.aliases[rtindex - 1], scope.entry(rtindex)
    columns = [sql.column(alias, name) for name in _names(rtindex, width, scope)]
    if entry.rtekind == "relation":
        columns[3] = columns[0]
        if not has_children(entry, low):
            columns[2] = sql.integer(entry.relid)
    return columns


def _marked(
    plan: Plan,
    query: Query,
    others: Sequence[int],
    widths: dict[int, int],
    catalog: Any,
    binder: FunctionBinder,
) -> tuple[Statement, tuple[Pin, ...]]:
    low, scope = _start(plan, query, catalog, binder)
    named, pins = _pins(query, others, widths, low, scope)
    return _statement(_lower(query, low, scope, named), low), pins


def _unlimited(
    plan: Plan,
    query: Query,
    others: Sequence[int],
    widths: dict[int, int],
    catalog: Any,
    binder: FunctionBinder,
) -> tuple[Statement | None, RowLimit | None]:
    if query.command_type != "select" or query.limit_count is None:
        return None, None
    low, scope = _start(plan, query, catalog, binder)
    named = _pins(query, others, widths, low, scope)[0] if len(widths) > 1 else []
    text, row_limit = _lower_unlimited(query, low, scope, named)
    return _statement(text, low), row_limit


def _pins(
    query: Query, others: Sequence[int], widths: dict[int, int], low: Lowering, scope: Scope
) -> tuple[list[Sql], tuple[Pin, ...]]:
    optional = any(e.rtekind == "join" and e.jointype != "inner" for e in query.rtable)
    optional = optional or query.command_type == "merge"
    columns: list[Sql] = []
    pins = []
    for rtindex in others:
        entry = scope.entry(rtindex)
        relid = entry.relid if entry.rtekind == "relation" else 0
        pins.append(Pin(rtindex, relid, len(columns), widths[rtindex], optional))
        columns += _columns(rtindex, widths[rtindex], low, scope)
    return [sql.alias(column, f"p{n}") for n, column in enumerate(columns, 1)], tuple(pins)


def _candidates(plan: Plan, query: Query, catalog: Any, binder: FunctionBinder) -> Statement:
    """The target's rows that pass the conditions without side effects."""
    low, scope = _start(plan, query, catalog, binder)
    target = query.result_relation
    columns = _columns(target, _width(target, low, scope), low, scope)
    named = [sql.alias(column, f"c{n}") for n, column in enumerate(columns, 1)]
    plain = _with_terms(query, [term for term in _terms(query) if not _calls_back(term, catalog)])
    return _statement(sql.render(lower_core(plain, low, scope, named)), low)


def _stepped(plan: Plan, query: Query, catalog: Any, binder: FunctionBinder) -> Statement:
    """What the statement makes of one of the candidates."""
    low, scope = _start(plan, query, catalog, binder)
    _put_all_aside([query.result_relation], low, scope)
    rest = _with_terms(query, [term for term in _terms(query) if _calls_back(term, catalog)])
    return _statement(_lower(replace(rest, sort_clause=[]), low, scope, ()), low)


def _terms(query: Query) -> list[p.Expr]:
    quals = query.jointree.quals
    if isinstance(quals, p.BoolExpr) and quals.boolop == "and":
        return list(quals.args)
    return [] if quals is None else [quals]


def _with_terms(query: Query, terms: list[p.Expr]) -> Query:
    quals = p.BoolExpr("and", terms) if terms else None
    return replace(query, jointree=replace(query.jointree, quals=quals))


def _calls_back(node: object, catalog: Any) -> bool:
    """A function of the user's that is volatile, or row locks of a sub-select, for each row: a
    sub-select that reads nothing of the row runs once."""
    from pgemu.catalog.rows import PgProc
    from pgemu.nodes.walk import walk
    from pgemu.planner.fromclause import references_level

    found = False

    def visit(node: object) -> bool | None:
        nonlocal found
        if isinstance(node, p.SubLink) and not references_level(node.subselect, 1):
            found = found or _calls_back(node.testexpr, catalog)
            return False
        oid = getattr(node, "funcid", 0) or getattr(node, "opfuncid", 0)
        if (isinstance(node, Query) and node.row_marks) or (
            oid >= FIRST_USER_OID and catalog.get(PgProc, oid=oid).provolatile == "v"
        ):
            found = True
        return not found

    walk(node, visit)
    return found
