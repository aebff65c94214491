"""What may be written through a relation, addresses of objects (misc.c, ...)."""

from __future__ import annotations

import json
from typing import Any

from pgemu.catalog import rows as r
from pgemu.catalog.relcache import try_relation
from pgemu.errors import INVALID_PARAMETER_VALUE, PgError
from pgemu.fmgr import CallContext, TypeInfo, pg_function
from pgemu.nodes.parsenodes import Query, RangeTblRef
from pgemu.nodes.primnodes import Var

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


def _updatable(ctx: CallContext, relid: int, triggers: bool, attnum: int) -> int:
    """relation_is_updatable: bits of the events that can be done; attnum: of that column."""
    relation = try_relation(ctx.catalog, relid)
    if relation is None:
        return 0
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
            below = _updatable(ctx, base, triggers, plain[attnum].varattno)
    elif plain:
        below = _updatable(ctx, base, triggers, 0)
    else:
        below = _updatable(ctx, base, triggers, 0) & DELETE
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


# -- objects and values ---------------------------------------------------------------------------


@pg_function("pg_get_object_address(text, _text, _text)", context=True)
def pg_get_object_address(ctx: CallContext, kind: str, names: str, args: str) -> Any:
    """(classid, objid, objsubid) of an object named as pg_identify_object_as_address does."""
    from importlib import import_module

    from pgemu.catalog.get_object_address import get_object_address

    object_type = _OBJECT_TYPES.get(kind)
    if object_type is None:
        raise PgError(INVALID_PARAMETER_VALUE, f'unrecognized object type "{kind}"')
    parts, arguments = json.loads(names), json.loads(args)
    if None in parts or None in arguments:
        raise PgError(INVALID_PARAMETER_VALUE, "name or argument lists may not contain nulls")
    if not parts:
        raise PgError(INVALID_PARAMETER_VALUE, "name list length must be at least 1")
    parse = import_module("pgemu.parser.parse_type").parse_type_string_raw

    def type_node(text: str) -> Any:
        raw = parse(text)
        return raw if "TypeName" in raw else {"TypeName": raw}

    strings = [{"String": {"sval": p}} for p in parts]
    node: Any = {"List": {"items": strings}}
    if kind in ("type", "domain"):
        node = type_node(parts[0])
    elif kind == "cast":
        node = {"List": {"items": [type_node(parts[0]), type_node(arguments[0])]}}
    elif kind == "transform":
        language = {"String": {"sval": arguments[0]}}
        node = {"List": {"items": [type_node(parts[0]), language]}}
    elif kind == "domain constraint":
        constraint = {"String": {"sval": arguments[0]}}
        node = {"List": {"items": [type_node(parts[0]), constraint]}}
    elif kind == "user mapping":
        node = {"List": {"items": [*strings, {"String": {"sval": arguments[0]}}]}}
    elif kind in ("aggregate", "function", "procedure", "routine", "operator"):
        objargs = [type_node(a) for a in arguments]
        node = {"ObjectWithArgs": {"objname": strings, "objargs": objargs}}
    found = get_object_address(ctx.catalog, object_type, node, False)
    return tuple(found)


_OBJECT_TYPES = {
    "table": "OBJECT_TABLE", "index": "OBJECT_INDEX", "sequence": "OBJECT_SEQUENCE",
    "view": "OBJECT_VIEW", "materialized view": "OBJECT_MATVIEW",
    "foreign table": "OBJECT_FOREIGN_TABLE", "table column": "OBJECT_COLUMN",
    "index column": "OBJECT_COLUMN", "view column": "OBJECT_COLUMN",
    "materialized view column": "OBJECT_COLUMN", "foreign table column": "OBJECT_COLUMN",
    "aggregate": "OBJECT_AGGREGATE", "function": "OBJECT_FUNCTION",
    "procedure": "OBJECT_PROCEDURE", "routine": "OBJECT_ROUTINE", "type": "OBJECT_TYPE",
    "cast": "OBJECT_CAST", "collation": "OBJECT_COLLATION",
    "table constraint": "OBJECT_TABCONSTRAINT", "domain constraint": "OBJECT_DOMCONSTRAINT",
    "conversion": "OBJECT_CONVERSION", "default value": "OBJECT_DEFAULT",
    "language": "OBJECT_LANGUAGE", "large object": "OBJECT_LARGEOBJECT",
    "operator": "OBJECT_OPERATOR", "operator class": "OBJECT_OPCLASS",
    "operator family": "OBJECT_OPFAMILY", "rule": "OBJECT_RULE", "trigger": "OBJECT_TRIGGER",
    "schema": "OBJECT_SCHEMA", "text search parser": "OBJECT_TSPARSER",
    "text search dictionary": "OBJECT_TSDICTIONARY",
    "text search template": "OBJECT_TSTEMPLATE",
    "text search configuration": "OBJECT_TSCONFIGURATION", "role": "OBJECT_ROLE",
    "database": "OBJECT_DATABASE", "tablespace": "OBJECT_TABLESPACE",
    "foreign-data wrapper": "OBJECT_FDW", "server": "OBJECT_FOREIGN_SERVER",
    "user mapping": "OBJECT_USER_MAPPING", "extension": "OBJECT_EXTENSION",
    "event trigger": "OBJECT_EVENT_TRIGGER", "access method": "OBJECT_ACCESS_METHOD",
    "policy": "OBJECT_POLICY", "publication": "OBJECT_PUBLICATION",
    "subscription": "OBJECT_SUBSCRIPTION", "statistics object": "OBJECT_STATISTIC_EXT",
    "transform": "OBJECT_TRANSFORM", "parameter ACL": "OBJECT_PARAMETER_ACL",
}  # fmt: skip


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


@pg_function("pg_get_catalog_foreign_keys()")
def pg_get_catalog_foreign_keys() -> Any:
    raise PgError("0A000", "function pg_get_catalog_foreign_keys() is not supported")
