"""How volatile the functions of an expression are (contain_mutable_functions and others of
PostgreSQL's clauses.c).

PostgreSQL plans an expression before it asks, so that a SQL function of one expression counts as
that expression; here such a function's body is looked into.
"""

from __future__ import annotations

from typing import Any

from pgemu.catalog.acl import ACL_EXECUTE, pg_proc_aclcheck
from pgemu.catalog.rows import PgProc, PgType
from pgemu.errors import PgError
from pgemu.executor.spi import as_internal_error
from pgemu.nodes import expr_type, plain_expression
from pgemu.nodes.parsenodes import Query
from pgemu.nodes.primnodes import (
    CoerceViaIO,
    CollateExpr,
    Const,
    FuncExpr,
    NextValueExpr,
    OpExpr,
    Param,
    RelabelType,
    ScalarArrayOpExpr,
    SQLValueFunction,
)
from pgemu.nodes.walk import mutate, walk
from pgemu.rewrite.rewrite_manip import copy_stored

SQL_LANGUAGE, RECORDOID = 14, 2249


def contain_mutable_functions(catalog: Any, expr: Any) -> bool:
    """contain_mutable_functions: anything that is not immutable inside?"""
    return _contain(catalog, expr, "sv", ())


def contain_volatile_functions(catalog: Any, expr: Any) -> bool:
    """contain_volatile_functions."""
    return _contain(catalog, expr, "v", ())


def _contain(catalog: Any, expr: Any, kinds: str, inlining: tuple[int, ...]) -> bool:
    """inlining: the functions whose bodies are being looked into."""
    found = False

    def visit(node: Any) -> bool | None:
        nonlocal found
        if isinstance(node, NextValueExpr):
            found = True
        elif isinstance(node, SQLValueFunction):
            found = found or "s" in kinds
        elif isinstance(node, (FuncExpr, OpExpr)):
            types = [expr_type(a) for a in node.args]
            funcid = node.funcid if isinstance(node, FuncExpr) else node.opfuncid
            found = found or _is(catalog, funcid, types, kinds, inlining)
        elif isinstance(node, ScalarArrayOpExpr):
            found = found or _is(catalog, node.opfuncid, [], kinds, inlining)
        elif isinstance(node, CoerceViaIO):
            # the output function of the one type, the input function of the other
            source = catalog.one(PgType, oid=expr_type(node.arg))
            target = catalog.one(PgType, oid=node.resulttype)
            for funcid in (source and source.typoutput, target and target.typinput):
                found = found or _is(catalog, funcid or 0, [], kinds, inlining)
        return False if found else None

    walk([expr], visit)
    return found


def _is(catalog: Any, funcid: int, types: list[int], kinds: str, inlining: tuple[int, ...]) -> bool:
    proc = catalog.one(PgProc, oid=funcid) if funcid else None
    if proc is None or proc.provolatile not in kinds:
        return False
    if proc.oid in inlining:
        return True
    body = _inlined_body(catalog, proc, types)
    return body is None or _contain(catalog, body, kinds, (*inlining, proc.oid))


def inline_mutable_functions(catalog: Any, expr: Any) -> Any:
    """The expression with the calls of SQL functions replaced that do not say that they are
    immutable: what an index can hold."""

    def replace(node: object) -> Any:
        if not isinstance(node, (FuncExpr, OpExpr)):
            return None
        funcid = node.funcid if isinstance(node, FuncExpr) else node.opfuncid
        proc = catalog.one(PgProc, oid=funcid)
        if proc is None or proc.provolatile == "i":
            return None
        body = _inlined_body(catalog, proc, [expr_type(a) for a in node.args])
        if body is None:
            return None
        args = [inline_mutable_functions(catalog, a) for a in node.args]

        def argument(item: object) -> Any:
            if isinstance(item, Param) and item.paramkind == "extern":
                return args[item.paramid - 1]
            return None

        return inline_mutable_functions(catalog, mutate(copy_stored(body), argument))

    return mutate(expr, replace)


def _inlined_body(catalog: Any, proc: PgProc, types: list[int]) -> Any:
    """inline_function: the expression that a SQL function's call becomes; None: it stays a call."""
    if (
        proc.prolang != SQL_LANGUAGE
        or proc.prokind != "f"
        or proc.prosecdef
        or proc.proretset
        or proc.proconfig
        or not pg_proc_aclcheck(catalog, proc.oid, ACL_EXECUTE)
        or proc.prorettype == RECORDOID
        or len(types) != proc.pronargs
    ):
        return None
    query = _only_query(catalog, proc, types)
    expr = plain_expression(query) if query is not None else None
    if expr is None or expr_type(expr) != proc.prorettype:
        return None
    return None if proc.proisstrict and not _is_strict(catalog, expr, len(types)) else expr


def _is_strict(catalog: Any, body: Any, arguments: int) -> bool:
    """A strict function's body must be strict too, in every argument."""
    used: set[int] = set()
    strict = True

    def visit(node: Any) -> bool | None:
        nonlocal strict
        if isinstance(node, Param):
            used.add(node.paramid)
        elif isinstance(node, (FuncExpr, OpExpr)):
            funcid = node.funcid if isinstance(node, FuncExpr) else node.opfuncid
            strict = strict and catalog.get(PgProc, oid=funcid).proisstrict
        elif not isinstance(node, (Const, RelabelType, CollateExpr, CoerceViaIO, list, tuple)):
            strict = False
        return None if strict else False

    walk([body], visit)
    return strict and len(used) == arguments


def _only_query(catalog: Any, proc: PgProc, types: list[int]) -> Query | None:
    session = catalog.ctx.session
    if proc.prosqlbody is None:
        text = proc.prosrc
    elif proc.prosqlbody.startswith("SQL:RETURN "):
        text = "SELECT " + proc.prosqlbody.removeprefix("SQL:RETURN ")
    elif proc.prosqlbody.startswith("SQL:"):
        return None
    else:
        body = catalog.decode_node(proc.prosqlbody, "query")
        queries = body if isinstance(body, list) else [body]
        return queries[0] if len(queries) == 1 else None
    try:
        statements = session.parse(text)
        if len(statements) != 1:
            return None
        query: Query = session.analyze_function_body(statements[0], proc, types)
    except PgError as error:
        as_internal_error(error, text)
        error.add_context(f'SQL function "{proc.proname}" during inlining')
        raise
    return query
