"""brin_summarize_*, brin_desummarize_range, gin_clean_pending_list and currtid2.

SQLite's indexes have no summaries and no pending lists: a BRIN index counts as summarized for
every range of its table's pages, except for those that the session itself has desummarized.
"""

from __future__ import annotations

from typing import Any

from pgemu.catalog.acl import ACL_SELECT, pg_class_aclcheck
from pgemu.catalog.aclcheck_error import aclcheck_error, get_relkind_objtype
from pgemu.catalog.index import builtin_am_name
from pgemu.catalog.roles import has_privs_of_role
from pgemu.catalog.rows import PgClass
from pgemu.errors import (
    FEATURE_NOT_SUPPORTED,
    INSUFFICIENT_PRIVILEGE,
    INVALID_PARAMETER_VALUE,
    NUMERIC_VALUE_OUT_OF_RANGE,
    OBJECT_NOT_IN_PREREQUISITE_STATE,
    WRONG_OBJECT_TYPE,
    PgError,
)
from pgemu.fmgr import CallContext, pg_function
from pgemu.nodes.primnodes import Var
from pgemu.types.oid import tid_key

_ALL_RANGES = 0xFFFFFFFF
_DEFAULT_PAGES_PER_RANGE = 128


def _index(ctx: CallContext, oid: int, am: str) -> PgClass:
    """The index, which must be of this access method and the user's."""
    row = ctx.catalog.one(PgClass, oid=oid)
    if row is None:
        raise PgError("XX000", f"could not open relation with OID {oid}")
    if row.relkind != "i":
        raise PgError(WRONG_OBJECT_TYPE, f'"{row.relname}" is not an index')
    if builtin_am_name(ctx.catalog, row.relam) != am:
        raise PgError(WRONG_OBJECT_TYPE, f'"{row.relname}" is not a {am.upper()} index')
    if not has_privs_of_role(ctx.catalog, ctx.current_user_oid, row.relowner):
        raise PgError(INSUFFICIENT_PRIVILEGE, f"must be owner of index {row.relname}")
    found: PgClass = row
    return found


def _check_block(block: int, largest: int) -> None:
    if not 0 <= block <= largest:
        raise PgError(NUMERIC_VALUE_OUT_OF_RANGE, f"block number out of range: {block}")


def _pages_per_range(row: PgClass) -> int:
    options = dict(o.split("=", 1) for o in row.reloptions or ())
    return int(options.get("pages_per_range", _DEFAULT_PAGES_PER_RANGE))


def _desummarized(ctx: CallContext) -> set[tuple[int, int]]:
    """(index, first page) of ranges without a summary."""
    found: set[tuple[int, int]] | None = getattr(ctx.session, "brin_desummarized", None)
    if found is None:
        found = ctx.session.brin_desummarized = set()
    return found


@pg_function("brin_summarize_new_values(regclass)", context=True)
def brin_summarize_new_values(ctx: CallContext, oid: int) -> int:
    return brin_summarize_range(ctx, oid, _ALL_RANGES)


@pg_function("brin_summarize_range(regclass, int8)", context=True)
def brin_summarize_range(ctx: CallContext, oid: int, block: int) -> int:
    _check_block(block, _ALL_RANGES)
    row = _index(ctx, oid, "brin")
    missing = _desummarized(ctx)
    if block == _ALL_RANGES:
        due = {one for one in missing if one[0] == oid}
    else:
        due = {(oid, block - block % _pages_per_range(row))} & missing
    missing -= due
    return len(due)


@pg_function("brin_desummarize_range(regclass, int8)", context=True)
def brin_desummarize_range(ctx: CallContext, oid: int, block: int) -> str:
    _check_block(block, _ALL_RANGES - 1)
    row = _index(ctx, oid, "brin")
    start = block - block % _pages_per_range(row)
    if start <= _last_page(ctx, oid):
        _desummarized(ctx).add((oid, start))
    return ""


def _last_page(ctx: CallContext, index: int) -> int:
    """The table's last page, by the numbers that ctid shows."""
    relation = ctx.catalog.relation(index)
    table = ctx.catalog.relation(relation.index.indrelid)
    if table.relkind not in "rm":
        return -1
    ((rid,),) = ctx.session.xact.execute(f"SELECT max(rid) FROM {table.sqlite_name}")
    return -1 if rid is None else int(rid) >> 16


@pg_function("gin_clean_pending_list(regclass)", context=True)
def gin_clean_pending_list(ctx: CallContext, oid: int) -> int:
    """Nothing is ever pending."""
    _index(ctx, oid, "gin")
    return 0


# --- currtid2 ------------------------------------------------------------------------------------


@pg_function("currtid2(text, tid)", context=True)
def currtid2(ctx: CallContext, name: str, tid: str) -> str:
    """The newest version of a row: rows keep their place here."""
    oid = ctx.catalog.reg_in("regclass", name)
    return _current_tid(ctx, oid, tid)


def _current_tid(ctx: CallContext, oid: int, tid: str) -> str:
    catalog = ctx.catalog
    relation = catalog.relation(oid)
    if not pg_class_aclcheck(catalog, oid, ACL_SELECT):
        raise aclcheck_error(get_relkind_objtype(relation.relkind), relation.name)
    if relation.relkind == "v":
        return _view_tid(ctx, relation, tid)
    if relation.relkind in "iI":
        raise PgError(WRONG_OBJECT_TYPE, f'"{relation.name}" is an index')
    if relation.relkind not in "rmtS":
        raise PgError(
            FEATURE_NOT_SUPPORTED,
            "cannot look at latest visible tid for relation "
            f'"{relation.schema_name}.{relation.name}"',
        )
    block, offset = tid_key(tid)
    if relation.relkind == "S":
        valid = block == 0
    else:
        rid = (block << 16) + offset
        rows = ctx.session.xact.execute(f"SELECT max(rid) FROM {relation.sqlite_name}")
        valid = rows[0][0] is not None and rid <= rows[0][0]
    if not valid:
        raise PgError(
            INVALID_PARAMETER_VALUE,
            f'tid ({block}, {offset}) is not valid for relation "{relation.name}"',
        )
    return tid


def _view_tid(ctx: CallContext, relation: Any, tid: str) -> str:
    """currtid_for_view: through the view's own column ctid."""
    att = relation.attrs_by_name.get("ctid")
    if att is None:
        raise PgError(OBJECT_NOT_IN_PREREQUISITE_STATE, "currtid cannot handle views with no CTID")
    if att.atttypid != 27:
        raise PgError(OBJECT_NOT_IN_PREREQUISITE_STATE, "ctid isn't of type TID")
    rule = next((r for r in relation.rules if r.rulename == "_RETURN"), None)
    query = ctx.catalog.decode_node(rule.ev_action, "query", relation.oid) if rule else None
    query = query[0] if isinstance(query, list) else query
    if query is not None:
        expr = query.target_list[att.attnum - 1].expr
        if isinstance(expr, Var) and expr.varattno == -1:
            return _current_tid(ctx, query.rtable[expr.varno - 1].relid, tid)
    raise PgError(OBJECT_NOT_IN_PREREQUISITE_STATE, "currtid cannot handle this view")
