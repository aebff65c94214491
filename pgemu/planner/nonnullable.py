"""Which tables a condition asks to have a row (find_nonnullable_rels of PostgreSQL's clauses.c).

A condition that no row of NULLs meets makes an outer join an inner one (reduce_outer_joins).
"""

from __future__ import annotations

from collections.abc import Sequence

from pgemu.catalog.rows import PgProc
from pgemu.nodes import primnodes as p
from pgemu.planner.lowering import Lowering

_KNOWN_TESTS = ("is_true", "is_false", "is_not_unknown")


def nonnullable_rels(quals: p.Expr | None, low: Lowering, *, top_level: bool = True) -> set[int]:
    """The range table indexes whose columns cannot all be NULL where quals are true; top_level:
    false is as good as NULL."""
    if isinstance(quals, p.BoolExpr):
        return _of_bool_expr(quals, low, top_level)
    if isinstance(quals, p.NullTest):
        if not top_level or quals.is_null or quals.argisrow:
            return set()
        return nonnullable_rels(quals.arg, low, top_level=False)
    if isinstance(quals, p.BooleanTest):
        if not top_level or quals.booltesttype not in _KNOWN_TESTS:
            return set()
        return nonnullable_rels(quals.arg, low, top_level=False)
    if isinstance(quals, p.Var):
        return {quals.varno} if quals.varlevelsup == 0 else set()
    if isinstance(quals, p.RelabelType):
        return nonnullable_rels(quals.arg, low, top_level=top_level)
    if isinstance(quals, (p.OpExpr, p.FuncExpr)):
        strict = not isinstance(quals, (p.DistinctExpr, p.NullIfExpr))
        funcid = quals.opfuncid if isinstance(quals, p.OpExpr) else quals.funcid
        return _of_args(quals.args, funcid, low) if strict else set()
    if isinstance(quals, p.ScalarArrayOpExpr) and quals.use_or:
        # an empty array makes it false, which is as good as NULL at the top only
        return _of_args(quals.args if top_level else [], quals.opfuncid, low)
    return set()


def _of_bool_expr(quals: p.BoolExpr, low: Lowering, top_level: bool) -> set[int]:
    if quals.boolop == "not":
        return nonnullable_rels(quals.args[0], low, top_level=False)
    found = [nonnullable_rels(arg, low, top_level=top_level) for arg in quals.args]
    if quals.boolop == "and" and top_level:
        return set().union(*found)
    return set.intersection(*found)


def _of_args(args: Sequence[p.Expr], funcid: int, low: Lowering) -> set[int]:
    if not low.catalog.get(PgProc, oid=funcid).proisstrict:
        return set()
    return {one for arg in args for one in nonnullable_rels(arg, low, top_level=False)}
