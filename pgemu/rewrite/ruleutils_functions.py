"""The SQL functions pg_get_viewdef, pg_get_expr, pg_get_indexdef ... over ruleutils.

All of them give NULL for an object that does not exist, as PostgreSQL's do.
"""

from __future__ import annotations

import json

from pgemu.catalog.regproc import relation_of_text
from pgemu.fmgr import CallContext, pg_function
from pgemu.rewrite import partition_qual as _partition_qual  # noqa: F401 (registers its function)
from pgemu.rewrite import ruleutils, ruleutils_proc


def _relation_oid(ctx: CallContext, name: str) -> int:
    return relation_of_text(ctx.catalog, name)


@pg_function("pg_get_viewdef(oid)", context=True)
def pg_get_viewdef(ctx: CallContext, oid: int) -> str | None:
    return ruleutils.get_viewdef(ctx.catalog, oid)


@pg_function("pg_get_viewdef(oid, bool)", context=True)
def pg_get_viewdef_ext(ctx: CallContext, oid: int, pretty: int) -> str | None:
    return ruleutils.get_viewdef(ctx.catalog, oid, bool(pretty))


@pg_function("pg_get_viewdef(oid, int4)", context=True)
def pg_get_viewdef_wrap(ctx: CallContext, oid: int, wrap: int) -> str | None:
    return ruleutils.get_viewdef(ctx.catalog, oid, True, wrap)


@pg_function("pg_get_viewdef(text)", context=True)
def pg_get_viewdef_name(ctx: CallContext, name: str) -> str | None:
    return ruleutils.get_viewdef(ctx.catalog, _relation_oid(ctx, name))


@pg_function("pg_get_viewdef(text, bool)", context=True)
def pg_get_viewdef_name_ext(ctx: CallContext, name: str, pretty: int) -> str | None:
    return ruleutils.get_viewdef(ctx.catalog, _relation_oid(ctx, name), bool(pretty))


@pg_function("pg_get_expr(pg_node_tree, oid)", context=True)
def pg_get_expr(ctx: CallContext, text: str, relid: int) -> str | None:
    return ruleutils.get_expr(ctx.catalog, text, relid)


@pg_function("pg_get_expr(pg_node_tree, oid, bool)", context=True)
def pg_get_expr_ext(ctx: CallContext, text: str, relid: int, pretty: int) -> str | None:
    return ruleutils.get_expr(ctx.catalog, text, relid, bool(pretty))


@pg_function("pg_get_constraintdef(oid)", context=True)
def pg_get_constraintdef(ctx: CallContext, oid: int) -> str | None:
    return ruleutils.get_constraintdef(ctx.catalog, oid)


@pg_function("pg_get_constraintdef(oid, bool)", context=True)
def pg_get_constraintdef_ext(ctx: CallContext, oid: int, pretty: int) -> str | None:
    return ruleutils.get_constraintdef(ctx.catalog, oid, bool(pretty))


@pg_function("pg_get_indexdef(oid)", context=True)
def pg_get_indexdef(ctx: CallContext, oid: int) -> str | None:
    return ruleutils.get_indexdef(ctx.catalog, oid)


@pg_function("pg_get_indexdef(oid, int4, bool)", context=True)
def pg_get_indexdef_ext(ctx: CallContext, oid: int, colno: int, pretty: int) -> str | None:
    return ruleutils.get_indexdef(ctx.catalog, oid, colno, bool(pretty))


@pg_function("pg_get_ruledef(oid)", context=True)
def pg_get_ruledef(ctx: CallContext, oid: int) -> str | None:
    return ruleutils.get_ruledef(ctx.catalog, oid)


@pg_function("pg_get_ruledef(oid, bool)", context=True)
def pg_get_ruledef_ext(ctx: CallContext, oid: int, pretty: int) -> str | None:
    return ruleutils.get_ruledef(ctx.catalog, oid, bool(pretty))


@pg_function("pg_get_triggerdef(oid)", context=True)
def pg_get_triggerdef(ctx: CallContext, oid: int) -> str | None:
    return ruleutils.get_triggerdef(ctx.catalog, oid)


@pg_function("pg_get_triggerdef(oid, bool)", context=True)
def pg_get_triggerdef_ext(ctx: CallContext, oid: int, pretty: int) -> str | None:
    return ruleutils.get_triggerdef(ctx.catalog, oid, bool(pretty))


@pg_function("pg_get_statisticsobjdef(oid)", context=True)
def pg_get_statisticsobjdef(ctx: CallContext, oid: int) -> str | None:
    return ruleutils.get_statisticsobjdef(ctx.catalog, oid)


@pg_function("pg_get_statisticsobjdef_columns(oid)", context=True)
def pg_get_statisticsobjdef_columns(ctx: CallContext, oid: int) -> str | None:
    return ruleutils.get_statisticsobjdef(ctx.catalog, oid, columns_only=True)


@pg_function("pg_get_statisticsobjdef_expressions(oid)", context=True)
def pg_get_statisticsobjdef_expressions(ctx: CallContext, oid: int) -> str | None:
    texts = ruleutils.get_statisticsobjdef_expressions(ctx.catalog, oid)
    if texts is None:
        return None
    return json.dumps(texts, separators=(",", ":"), ensure_ascii=False)


@pg_function("pg_get_partkeydef(oid)", context=True)
def pg_get_partkeydef(ctx: CallContext, oid: int) -> str | None:
    return ruleutils.get_partkeydef(ctx.catalog, oid)


@pg_function("pg_get_functiondef(oid)", context=True)
def pg_get_functiondef(ctx: CallContext, oid: int) -> str | None:
    return ruleutils_proc.get_functiondef(ctx.catalog, oid)


@pg_function("pg_get_function_arguments(oid)", context=True)
def pg_get_function_arguments(ctx: CallContext, oid: int) -> str | None:
    return ruleutils_proc.get_function_arguments(ctx.catalog, oid)


@pg_function("pg_get_function_identity_arguments(oid)", context=True)
def pg_get_function_identity_arguments(ctx: CallContext, oid: int) -> str | None:
    return ruleutils_proc.get_function_identity_arguments(ctx.catalog, oid)


@pg_function("pg_get_function_result(oid)", context=True)
def pg_get_function_result(ctx: CallContext, oid: int) -> str | None:
    return ruleutils_proc.get_function_result(ctx.catalog, oid)


@pg_function("pg_get_function_arg_default(oid, int4)", context=True)
def pg_get_function_arg_default(ctx: CallContext, oid: int, number: int) -> str | None:
    return ruleutils_proc.get_function_arg_default(ctx.catalog, oid, number)


@pg_function("pg_get_function_sqlbody(oid)", context=True)
def pg_get_function_sqlbody(ctx: CallContext, oid: int) -> str | None:
    return ruleutils_proc.get_function_sqlbody(ctx.catalog, oid)
