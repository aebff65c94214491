"""Comparisons that SQLite does natively.

Storage values are chosen so that SQLite's order, or a SQLite collation named by the type, is that
of the type's btree operator class (pgemu/types/README.md).  So an operator of a btree family over
types of one representation is SQLite's operator of the same strategy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pgemu.catalog.internal_function import FIRST_USER_OID, lending_function
from pgemu.catalog.rows import PgAmop, PgOperator
from pgemu.nodes import expr_type
from pgemu.nodes.primnodes import Expr
from pgemu.planner import sql
from pgemu.planner.sql import Sql
from pgemu.types.record import WITHOUT_ORDER

if TYPE_CHECKING:
    from pgemu.planner.lowering import Lowering

BTREE_AM, RECORDOID = 403, 2249
_STRATEGIES = {1: "<", 2: "<=", 3: "=", 4: ">=", 5: ">"}
# types that share one representation and order, by typname
_SAME_REPRESENTATION = (
    {"int2", "int4", "int8"},
    {"float4", "float8"},
    {"text", "varchar", "name"},
)


def native_comparison(
    opno: int, args: Sequence[Expr], low: Lowering, collid: int = 0
) -> tuple[str, str | None] | None:
    """(SQLite operator, collation its left side needs), or None when SQLite cannot do it.
    collid: the collation that the operator compares by."""
    symbol = operator_symbol(opno, low)
    if symbol is None or _tests_columns(args, low) or _cannot_compare(args[0], low):
        return None
    collation = low.collation(expr_type(args[0]), collid)
    if collation is None:
        collation = low.collation(expr_type(args[-1]), collid)
    return symbol, collation


def _tests_columns(args: Sequence[Expr], low: Lowering) -> bool:
    """Rows that may have columns of different types, which is an error to be found by record_eq
    and its like; the collation compares them by value."""
    left, right = expr_type(args[0]), expr_type(args[-1])
    if RECORDOID in (left, right):
        return True
    return left != right and all(low.catalog.types.row(t).typtype == "c" for t in (left, right))


def _cannot_compare(arg: Expr, low: Lowering) -> bool:
    """Arrays of what has no order: array_eq and its like find the error."""
    element = low.catalog.types.element_type(expr_type(arg))
    return bool(element) and element in WITHOUT_ORDER


def operator_symbol(opno: int, low: Lowering) -> str | None:
    """SQLite's spelling of a comparison operator."""
    cache: dict[int, str | None] = low.catalog.memo.setdefault("native_operator", {})
    if opno not in cache:
        cache[opno] = _find_symbol(opno, low)
    return cache[opno]


def _find_symbol(opno: int, low: Lowering) -> str | None:
    operator = low.catalog.one(PgOperator, oid=opno)
    if operator is not None and operator.oid >= FIRST_USER_OID:
        operator = _lending_operator(operator, low)
    if operator is None or not _same_representation(operator, low):
        return None
    opno = operator.oid
    symbol = _btree_symbol(opno, low)
    if symbol is None and operator.oprnegate and operator.oprname == "<>":
        negated = _btree_symbol(operator.oprnegate, low)
        return "<>" if negated == "=" else None
    if symbol is None and operator.oprname == "=" and operator.oprleft == operator.oprright:
        # types without an order: equality of storage values is equality (xid, cid ...)
        return "=" if low.io(operator.oprleft).name in ("xid", "cid", "xid8") else None
    return symbol


def _lending_operator(operator: PgOperator, low: Lowering) -> PgOperator | None:
    """The built-in operator whose function a user's operator calls; any other function may
    compare in its own way."""
    if not operator.oprcode:
        return None
    proc = lending_function(low.catalog, low.proc(operator.oprcode))
    if proc.oid >= FIRST_USER_OID:
        return None
    return next(
        (o for o in low.catalog.all(PgOperator, oprcode=proc.oid) if o.oid < FIRST_USER_OID), None
    )


def _btree_symbol(opno: int, low: Lowering) -> str | None:
    for amop in low.catalog.all(PgAmop, amopopr=opno, amopmethod=BTREE_AM):
        # *_pattern_ops families order bytes, as all text does here
        return _STRATEGIES.get(amop.amopstrategy)
    return None


def _same_representation(operator: PgOperator, low: Lowering) -> bool:
    left, right = operator.oprleft, operator.oprright
    if left == right:
        return True
    if not left or not right:
        return False
    names = {low.io(left).name, low.io(right).name}
    return any(names <= group for group in _SAME_REPRESENTATION)


def equality(left: Sql, right: Sql, type_oid: int, collid: int, low: Lowering) -> Sql:
    return compare("=", left, right, low.collation(type_oid, collid))


def less_than(
    left: Sql, right: Sql, type_oid: int, collid: int, low: Lowering, *, swapped: bool
) -> Sql:
    """left < right, or left > right when swapped."""
    return compare(">" if swapped else "<", left, right, low.collation(type_oid, collid))


def collated(left: Sql, right: Sql, collation: str | None) -> Sql:
    """The left side of a comparison.  A COLLATE somewhere in the arguments of a function holds for
    its result too in SQLite, on either side."""
    if collation is None and ("COLLATE " in str(left) or "COLLATE " in str(right)):
        collation = "BINARY"
    return sql.collate(left, collation)


def compare(symbol: str, left: Sql, right: Sql, collation: str | None) -> Sql:
    """A comparison that native_comparison() found."""
    return sql.binary(symbol, collated(left, right, collation), right)
