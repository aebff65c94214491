"""pg_table_is_visible and its family, current_schema(s), and to_regclass and its family."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pgemu.catalog import namespace_candidates as candidates
from pgemu.catalog.namespace import fetch_search_path, is_other_temp_namespace
from pgemu.catalog.regproc import reg_lookup
from pgemu.catalog.rows import PgNamespace
from pgemu.fmgr import CallContext, pg_function


def _bind_visible(name: str, is_visible: Callable[[Any, int], bool | None]) -> None:
    def body(ctx: CallContext, oid: int) -> bool | None:
        return is_visible(ctx.catalog, oid)

    pg_function(f"{name}(oid)", context=True)(body)


for _name, _check in (
    ("pg_table_is_visible", candidates.relation_is_visible),
    ("pg_type_is_visible", candidates.type_is_visible),
    ("pg_function_is_visible", candidates.function_is_visible),
    ("pg_operator_is_visible", candidates.operator_is_visible),
    ("pg_opclass_is_visible", candidates.opclass_is_visible),
    ("pg_opfamily_is_visible", candidates.opfamily_is_visible),
    ("pg_collation_is_visible", candidates.collation_is_visible),
    ("pg_conversion_is_visible", candidates.conversion_is_visible),
    ("pg_statistics_obj_is_visible", candidates.statistics_obj_is_visible),
    ("pg_ts_parser_is_visible", candidates.ts_parser_is_visible),
    ("pg_ts_dict_is_visible", candidates.ts_dict_is_visible),
    ("pg_ts_template_is_visible", candidates.ts_template_is_visible),
    ("pg_ts_config_is_visible", candidates.ts_config_is_visible),
):
    _bind_visible(_name, _check)


def _bind_to_reg(kind: str) -> None:
    def body(ctx: CallContext, text: str) -> int | None:
        return reg_lookup(ctx.catalog, kind, text)

    pg_function(f"to_{kind}(text)", context=True)(body)


for _name in (
    "regclass",
    "regcollation",
    "regnamespace",
    "regoper",
    "regoperator",
    "regproc",
    "regprocedure",
    "regrole",
    "regtype",
):
    _bind_to_reg(_name)


def _schema_name(ctx: CallContext, oid: int) -> str | None:
    row = ctx.catalog.one(PgNamespace, oid=oid)
    return row.nspname if row is not None else None


@pg_function("current_schema()", context=True)
def current_schema(ctx: CallContext) -> str | None:
    path = fetch_search_path(ctx.catalog, False)
    return _schema_name(ctx, path[0]) if path else None


@pg_function("current_schemas(bool)", context=True)
def current_schemas(ctx: CallContext, include_implicit: int) -> str:
    names = [_schema_name(ctx, o) for o in fetch_search_path(ctx.catalog, bool(include_implicit))]
    return json.dumps([n for n in names if n], separators=(",", ":"), ensure_ascii=False)


@pg_function("pg_my_temp_schema()", context=True)
def pg_my_temp_schema(ctx: CallContext) -> int:
    oid: int = ctx.catalog.my_temp_namespace
    return oid


@pg_function("pg_is_other_temp_schema(oid)", context=True)
def pg_is_other_temp_schema(ctx: CallContext, oid: int) -> bool:
    return is_other_temp_namespace(ctx.catalog, oid)
