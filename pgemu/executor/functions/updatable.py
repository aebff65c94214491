"""What may be written through a relation (misc.c), and properties of values."""

from __future__ import annotations

from typing import Any

from pgemu.catalog import rows as r
from pgemu.catalog.relcache import try_relation
from pgemu.errors import PgError
from pgemu.fmgr import CallContext, TypeInfo, pg_function
from pgemu.nodes.parsenodes import Query, RangeTblRef
from pgemu.nodes.primnodes import Var
from pgemu.planner.fromclause import no_fdw_handler

UPDATE, INSERT, DELETE = 1 << 2, 1 << 3, 1 << 4
ALL_EVENTS = UPDATE | INSERT | DELETE
_EVENTS = {"2": UPDATE, "3": INSERT, "4": DELETE}
# pg_trigger.tgtype: INSTEAD OF, and the events
_INSTEAD, _ROW = 1 << 6, 1
_TRIGGER_EVENTS = ((1 << 2, INSERT), (1 << 3, DELETE), (1 << 4, UPDATE))


@pg_function("pg_relation_is_updatable(regclass, bool)", context=True)
def pg_relation_is_updatable(ctx: CallContext, relid: int, include_triggers: int) -> int:
    return _updatable(ctx, relid, bool(include_triggers), 0)


@pg_function("pg_column_is_updatable(regclass, int2, bool)", context=True)
def pg_column_is_updatable(
    ctx: CallContext, relid: int, attnum: int, include_triggers: int
) -> bool:
    if attnum <= 0:
        return False
    wanted = UPDATE | DELETE
    return _updatable(ctx, relid, bool(include_triggers), attnum) & wanted == wanted


def _updatable(
    ctx: CallContext, relid: int, triggers: bool, attnum: int, outer: tuple[int, ...] = ()
) -> int:
    """relation_is_updatable: bits of the events that can be done; attnum: of that column; outer:
    the views above it."""
    relation = try_relation(ctx.catalog, relid)
    if relation is None or relid in outer:
        return 0
    outer = (*outer, relid)
    if relation.relkind in "rp":
        return ALL_EVENTS
    events = 0
    for rule in relation.rules:
        if rule.is_instead and rule.ev_qual in (None, "<>", ""):
            events |= _EVENTS.get(rule.ev_type, 0)
    if triggers:
        for trigger in relation.triggers:
            if trigger.tgtype & _INSTEAD:
                for bit, event in _TRIGGER_EVENTS:
                    events |= event if trigger.tgtype & bit else 0
    if relation.relkind == "f" and events != ALL_EVENTS:
        raise no_fdw_handler(ctx.catalog, relid)
    if events == ALL_EVENTS or relation.relkind != "v":
        return events
    query = relation.view_query
    base = _simple_base(query)
    if base is None:
        return events
    columns = {t.resno: t.expr for t in query.target_list if not t.resjunk}
    plain = {n: e for n, e in columns.items() if type(e) is Var and e.varattno > 0}
    below = 0
    if attnum:
        if attnum in plain:
            below = _updatable(ctx, base, triggers, plain[attnum].varattno, outer)
    elif plain:
        below = _updatable(ctx, base, triggers, 0, outer)
    else:
        below = _updatable(ctx, base, triggers, 0, outer) & DELETE
    return events | below


def _simple_base(query: Query) -> int | None:
    """The one relation below an automatically updatable view (view_query_is_auto_updatable)."""
    if (
        query.distinct_clause
        or query.group_clause
        or query.grouping_sets
        or query.having_qual is not None
        or query.set_operations is not None
        or query.cte_list
        or query.limit_offset is not None
        or query.limit_count is not None
        or query.has_aggs
        or query.has_window_funcs
        or query.has_target_srfs
    ):
        return None
    sources = query.jointree.fromlist
    if len(sources) != 1 or not isinstance(sources[0], RangeTblRef):
        return None
    entry = query.rtable[sources[0].rtindex - 1]
    if entry.tablesample is not None:
        return None
    if entry.rtekind != "relation" or entry.relkind not in ("r", "p", "v", "f"):
        return None
    return entry.relid


# -- values ------------------------------------------------------------------------------------


@pg_function("pg_collation_for(any)", context=True, typed=True)
def pg_collation_for(ctx: CallContext, info: TypeInfo, value: Any) -> str | None:
    from pgemu.catalog.keywords import quote_identifier

    row = ctx.catalog.one(r.PgCollation, oid=info.collation) if info.collation else None
    if row is not None:
        return quote_identifier(row.collname)
    type_row = ctx.catalog.get(r.PgType, oid=info.arg_types[0])
    if not type_row.typcollation and type_row.oid != 705:
        name = ctx.catalog.type_name(type_row.oid)
        raise PgError("42804", f"collations are not supported by type {name}")
    return None


@pg_function("pg_column_compression(any)")
def pg_column_compression(value: Any) -> str | None:
    """Nothing is compressed."""
    return None
