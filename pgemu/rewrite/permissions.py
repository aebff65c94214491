"""Whether the current user may do what a rewritten query does (ExecCheckRTPerms of PostgreSQL's
execMain.c, and the EXECUTE checks of execExpr.c).

PostgreSQL checks when execution starts.  Plans are cached by role and catalog version, so checking
what the rewriter returns, before it is planned, comes to the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pgemu.catalog import acl
from pgemu.catalog.aclcheck_error import aclcheck_error, get_relkind_objtype
from pgemu.catalog.roles import superuser_arg
from pgemu.catalog.rows import PgClass, PgProc
from pgemu.nodes.parsenodes import Query, RangeTblEntry
from pgemu.nodes.primnodes import Aggref, FuncExpr, OpExpr, ScalarArrayOpExpr, WindowFunc
from pgemu.nodes.walk import children

if TYPE_CHECKING:
    from pgemu.catalog.syscache import Catalog

_BITS = {
    "SELECT": acl.ACL_SELECT,
    "INSERT": acl.ACL_INSERT,
    "UPDATE": acl.ACL_UPDATE,
    "DELETE": acl.ACL_DELETE,
    "TRUNCATE": acl.ACL_TRUNCATE,
}


def check_permissions(catalog: Catalog, queries: list[Query]) -> None:
    """Raise "permission denied for ..." if one of the queries may not be run."""
    if superuser_arg(catalog, catalog.ctx.current_user_oid) and not any(
        _other_user(catalog, q) for q in queries
    ):
        return
    for query in queries:
        functions: dict[tuple[str, int], None] = {}
        _check_query(catalog, query, functions)
        for objtype, oid in functions:
            _check_function(catalog, objtype, oid)


def _other_user(catalog: Catalog, query: Query) -> bool:
    """Is some relation accessed in the name of another user, who is no superuser?"""
    for rte in query.rtable:
        if rte.check_as_user and not superuser_arg(catalog, rte.check_as_user):
            return True
        if rte.subquery is not None and _other_user(catalog, rte.subquery):
            return True
    if any(_other_user(catalog, cte.ctequery) for cte in query.cte_list):
        return True
    return query.has_sublinks and any(
        _other_user(catalog, found) for found in _sub_queries(query, {})
    )


def _check_query(catalog: Catalog, query: Query, functions: dict[tuple[str, int], None]) -> None:
    if query.command_type == "utility":
        return
    for rte in query.rtable:
        if rte.relid and rte.required_perms:
            _check_entry(catalog, rte)
    for found in _sub_queries(query, functions):
        _check_query(catalog, found, functions)


def _sub_queries(query: Query, functions: dict[tuple[str, int], None]) -> list[Query]:
    """The queries directly inside a query; the functions that its expressions call are added."""
    found: list[Query] = []
    pending: list[Any] = list(children(query))
    while pending:
        node = pending.pop()
        if isinstance(node, Query):
            found.append(node)
            continue
        if isinstance(node, FuncExpr):
            functions["OBJECT_FUNCTION", node.funcid] = None
        elif isinstance(node, (OpExpr, ScalarArrayOpExpr)):
            functions["OBJECT_FUNCTION", node.opfuncid] = None
        elif isinstance(node, Aggref):
            functions["OBJECT_AGGREGATE", node.aggfnoid] = None
        elif isinstance(node, WindowFunc):
            functions["OBJECT_FUNCTION", node.winfnoid] = None
        pending.extend(children(node))
    found.reverse()
    return found


def _check_function(catalog: Catalog, objtype: str, oid: int) -> None:
    proc = catalog.one(PgProc, oid=oid)
    if proc is None or (proc.proacl is None and proc.oid < 16384):
        return
    if not acl.pg_proc_aclcheck(catalog, oid, acl.ACL_EXECUTE):
        raise aclcheck_error(objtype, proc.proname)


def _check_entry(catalog: Catalog, rte: RangeTblEntry) -> None:
    """ExecCheckRTEPerms: what the table's ACL does not give, the columns' must."""
    user = rte.check_as_user or catalog.ctx.current_user_oid
    wanted = 0
    for name in rte.required_perms:
        wanted |= _BITS.get(name, 0)
    missing = wanted & ~acl.pg_class_aclmask(catalog, rte.relid, wanted, user)
    if not missing:
        return
    allowed = not missing & ~(acl.ACL_SELECT | acl.ACL_INSERT | acl.ACL_UPDATE)
    if allowed and missing & acl.ACL_SELECT:
        allowed = _may_select(catalog, rte, user)
    if allowed and missing & acl.ACL_INSERT:
        allowed = _may_modify(catalog, rte, rte.inserted_cols, acl.ACL_INSERT, user)
    if allowed and missing & acl.ACL_UPDATE:
        allowed = _may_modify(catalog, rte, rte.updated_cols, acl.ACL_UPDATE, user)
    if not allowed:
        row = catalog.get(PgClass, oid=rte.relid)
        raise aclcheck_error(get_relkind_objtype(row.relkind), row.relname)


def _may_select(catalog: Catalog, rte: RangeTblEntry, user: int) -> bool:
    mode = acl.ACL_SELECT
    if not rte.selected_cols:  # SELECT count(*): a right on any column will do
        return acl.pg_attribute_aclcheck_all(catalog, rte.relid, mode, "any", user)
    for attnum in rte.selected_cols:
        if attnum == 0:
            if not acl.pg_attribute_aclcheck_all(catalog, rte.relid, mode, "all", user):
                return False
        elif not acl.pg_attribute_aclcheck(catalog, rte.relid, attnum, mode, user):
            return False
    return True


def _may_modify(
    catalog: Catalog, rte: RangeTblEntry, columns: set[int], mode: int, user: int
) -> bool:
    """ExecCheckRTEPermsModified."""
    if not columns:
        return acl.pg_attribute_aclcheck_all(catalog, rte.relid, mode, "any", user)
    return all(
        acl.pg_attribute_aclcheck(catalog, rte.relid, attnum, mode, user) for attnum in columns
    )
