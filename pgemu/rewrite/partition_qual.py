"""The condition that a partition's bound puts on its rows (get_partition_qual_relid of
PostgreSQL's partcache.c, get_qual_from_partbound of partbounds.c) and
pg_get_partition_constraintdef.

Bounds are dictionaries with storage values (see ruleutils.get_partition_bound); the trees are made
over entry 1, the relation whose column numbers are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pgemu.catalog.lsyscache import (
    get_array_type,
    get_opclass_family,
    get_opclass_input_type,
    get_opfamily_member,
)
from pgemu.catalog.relcache import try_relation
from pgemu.catalog.rows import PgOperator
from pgemu.fmgr import CallContext, pg_function
from pgemu.nodes import expr_collation, expr_type, expr_typmod
from pgemu.nodes.primnodes import (
    ArrayExpr,
    BoolExpr,
    Const,
    Expr,
    FuncExpr,
    NullTest,
    OpExpr,
    RelabelType,
    ScalarArrayOpExpr,
    Var,
)
from pgemu.rewrite.rewrite_manip import copy_object, copy_stored

if TYPE_CHECKING:
    from pgemu.catalog.relcache import Relation
    from pgemu.catalog.syscache import Catalog

LESS, LESS_EQUAL, EQUAL, GREATER_EQUAL, GREATER = 1, 2, 3, 4, 5
BOOLOID, INT4OID, OIDOID = 16, 23, 26
SATISFIES_HASH_PARTITION = 5028
_POLYMORPHIC = (2276, 2277, 2283, 2776, 3500, 3831, 4537)


class _Key:
    """The partition key of a table as trees, with its operators."""

    def __init__(self, catalog: Catalog, parent: Relation) -> None:
        key = parent.partition_key
        assert key is not None
        self.catalog, self.key = catalog, key
        exprs = iter(parent.partition_exprs)
        self.columns: list[Expr] = []
        for attnum in key.partattrs:
            if attnum:
                att = parent.attr(attnum)
                self.columns.append(Var(1, attnum, att.atttypid, att.atttypmod, att.attcollation))
            else:
                self.columns.append(copy_stored(next(exprs)))

    def column(self, number: int) -> Expr:
        return copy_object(self.columns[number])

    def const(self, number: int, value: Any) -> Const:
        column = self.columns[number]
        return Const(expr_type(column), value, expr_typmod(column), self.key.partcollation[number])

    def operator(self, number: int, strategy: int, right: Expr, *, array: bool = False) -> Expr:
        """make_partition_op_expr."""
        opclass = self.key.partclass[number]
        intype = get_opclass_input_type(self.catalog, opclass)
        family = get_opclass_family(self.catalog, opclass)
        opno = get_opfamily_member(self.catalog, family, intype, intype, strategy)
        funcid = self.catalog.get(PgOperator, oid=opno).oprcode
        left = self.column(number)
        collation = self.key.partcollation[number]
        relabel = expr_type(left) != intype and intype not in _POLYMORPHIC
        if relabel or expr_collation(left) != collation:
            left = RelabelType(left, intype, -1, collation, "explicit_cast")
        if array:
            return ScalarArrayOpExpr(opno, funcid, True, [left, right], collation)
        return OpExpr(opno, funcid, BOOLOID, [left, right], inputcollid=collation)

    def null_tests(self) -> list[Expr]:
        return [NullTest(self.column(n), False) for n in range(len(self.columns))]


def _all(args: list[Expr]) -> Expr:
    return args[0] if len(args) == 1 else BoolExpr("and", args)


def _any(args: list[Expr]) -> Expr:
    return args[0] if len(args) == 1 else BoolExpr("or", args)


def _list_qual(key: _Key, bounds: list[dict[str, Any]], *, default: bool) -> list[Expr]:
    """get_qual_for_list: one bound, or those of all partitions beside the default one."""
    values = [v for bound in bounds for v in bound.get("list", ())]
    if default and not bounds:
        return []
    has_null = None in values
    consts: list[Expr] = [key.const(0, v) for v in values if v is not None]
    null_test: Expr = NullTest(key.column(0), has_null)
    if not consts:
        result = [null_test]
    else:
        if len(consts) == 1:
            test = key.operator(0, EQUAL, consts[0])
        else:
            type_id = expr_type(consts[0])
            if not get_array_type(key.catalog, type_id):
                return _list_of_arrays(key, consts, null_test, has_null, default=default)
            array = ArrayExpr(
                get_array_type(key.catalog, type_id),
                type_id,
                consts,
                array_collid=key.key.partcollation[0],
            )
            test = key.operator(0, EQUAL, array, array=True)
        result = [BoolExpr("or", [null_test, test])] if has_null else [null_test, test]
    return [BoolExpr("not", [_all(result)])] if default else result


def _list_of_arrays(
    key: _Key, consts: list[Expr], null_test: Expr, has_null: bool, *, default: bool
) -> list[Expr]:
    """There are no arrays of arrays: one comparison for each value."""
    tests = [key.operator(0, EQUAL, const) for const in consts]
    result: list[Expr]
    result = [BoolExpr("or", [null_test, *tests])] if has_null else [null_test, _any(tests)]
    return [BoolExpr("not", [_all(result)])] if default else result


def _range_default(key: _Key, bounds: list[dict[str, Any]]) -> list[Expr]:
    parts = [_all(_range_qual(key, bound, for_default=True)) for bound in bounds]
    if not parts:
        return []
    return [BoolExpr("not", [BoolExpr("and", [*key.null_tests(), _any(parts)])])]


def _value(datum: Any) -> bool:
    return not isinstance(datum, dict)


def _range_qual(key: _Key, bound: dict[str, Any], *, for_default: bool) -> list[Expr]:
    """get_qual_for_range of a bound that is not the default one."""
    lower, upper = bound["lower"], bound["upper"]
    count = len(key.columns)
    result: list[Expr] = [] if for_default else key.null_tests()
    start = 0
    while start < count - 1 and _value(lower[start]) and _value(upper[start]):
        if lower[start] != upper[start]:
            break
        result.append(key.operator(start, EQUAL, key.const(start, lower[start])))
        start += 1
    for side, limit, strict, inclusive, open_kind in (
        ("lower", lower, GREATER, GREATER_EQUAL, "min"),
        ("upper", upper, LESS, LESS_EQUAL, "max"),
    ):
        arms = _range_arms(key, limit, start, strict, inclusive, open_kind, side)
        if arms:
            result.append(_any(arms))
    if not result:
        result = key.null_tests() if for_default else [Const(BOOLOID, 1)]
    return result


def _range_arms(
    key: _Key, limit: list[Any], start: int, strict: int, inclusive: int, open_kind: str, side: str
) -> list[Expr]:
    """(a > 1) OR (a = 1 AND b >= 2) ...: one arm per column that still decides."""
    count = len(limit)
    arms: list[Expr] = []
    for arm in range(count - start):
        args: list[Expr] = []
        last = start + arm
        for number in range(start, last + 1):
            if not _value(limit[number]):
                continue
            following = limit[number + 1] if number + 1 < count else None
            open_next = isinstance(following, dict) and following["kind"] == open_kind
            if number < last:
                strategy = EQUAL
            elif open_next or (number == count - 1 and side == "lower"):
                strategy = inclusive
            else:
                strategy = strict
            args.append(key.operator(number, strategy, key.const(number, limit[number])))
        if args:
            arms.append(_all(args))
        if not _value(limit[last]) or last + 1 >= count or not _value(limit[last + 1]):
            break
    return arms


def _own_qual(catalog: Catalog, relation: Relation, parent: Relation) -> list[Expr]:
    """get_qual_from_partbound, over the parent's column numbers."""
    key = _Key(catalog, parent)
    bound = relation.partition_bound
    strategy = key.key.partstrat
    if strategy == "h":
        args: list[Expr] = [
            Const(OIDOID, parent.oid),
            Const(INT4OID, bound["modulus"]),
            Const(INT4OID, bound["remainder"]),
            *[key.column(n) for n in range(len(key.columns))],
        ]
        return [FuncExpr(SATISFIES_HASH_PARTITION, BOOLOID, args)]
    if not bound.get("is_default"):
        if strategy == "l":
            return _list_qual(key, [bound], default=False)
        return _range_qual(key, bound, for_default=False)
    others = [catalog.relation(oid).partition_bound for oid in parent.children]
    bounds = [b for b in others if b is not None and not b.get("is_default")]
    if strategy == "l":
        values = [v for b in bounds for v in b.get("list", ())]
        values.sort(key=lambda v: (v is None, v is None or _order(catalog, key, 0, v)))
        return _list_qual(key, [{"list": values}] if bounds else [], default=True)
    bounds.sort(key=lambda b: [_order(catalog, key, n, d) for n, d in enumerate(b["lower"])])
    return _range_default(key, bounds)


def _order(catalog: Catalog, key: _Key, number: int, datum: Any) -> tuple[int, Any]:
    from functools import cmp_to_key

    if isinstance(datum, dict):
        return (-1 if datum["kind"] == "min" else 1, 0)
    io = catalog.types.io(expr_type(key.columns[number]))
    return (0, cmp_to_key(io.compare)(datum))


def generate_partition_qual(catalog: Catalog, relation: Relation) -> list[Expr]:
    """Everything that holds for a partition's rows because of where it is attached."""
    if not relation.is_partition or not relation.parents:
        return []
    parent = catalog.relation(relation.parents[0])
    quals = [*generate_partition_qual(catalog, parent), *_own_qual(catalog, relation, parent)]
    numbers = {
        a.attnum: next((b.attnum for b in relation.attrs if b.attname == a.attname), 0)
        for a in parent.attrs
        if not a.attisdropped
    }
    for qual in quals:
        _renumber(qual, numbers)
    return quals


def _renumber(node: Any, numbers: dict[int, int]) -> None:
    from pgemu.nodes.walk import walk

    def visit(found: Any) -> bool | None:
        if isinstance(found, Var) and found.varattno > 0:
            found.varattno = numbers[found.varattno]
        return None

    walk([node], visit)


@pg_function("pg_get_partition_constraintdef(oid)", context=True)
def pg_get_partition_constraintdef(ctx: CallContext, oid: int) -> str | None:
    from pgemu.rewrite.ruleutils import context_for, deparse_expression
    from pgemu.rewrite.ruleutils_context import get_pretty_flags

    relation = try_relation(ctx.catalog, oid)
    if relation is None or relation.relkind in "iI":
        return None  # an index of a partition is one too, but has no bound
    quals = generate_partition_qual(ctx.catalog, relation)
    if not quals:
        return None
    return deparse_expression(
        ctx.catalog, _all(quals), context_for(ctx.catalog, oid), get_pretty_flags(False)
    )
