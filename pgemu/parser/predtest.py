"""Does one condition follow from others (PostgreSQL's optimizer/util/predtest.c,
predicate_implied_by)?

ON CONFLICT's WHERE chooses the partial indexes whose predicate it implies.  As in PostgreSQL: a
conjunction is implied if each part is, a disjunction if one arm is; x IS NOT NULL follows from any
strict operator on x, and comparisons of x with constants follow from each other by the order of
the constants.  What cannot be proved is taken for not implied.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pgemu.catalog.rows import PgAmop, PgOperator, PgProc
from pgemu.nodes.primnodes import BoolExpr, Const, Expr, FuncExpr, NullTest, OpExpr, RelabelType
from pgemu.parser.parse_sort_group import equal

BTREE_AM_OID = 403
_INTEGERS = ("int2", "int4", "int8")
# strategies of a btree family; 6 is <>, the negation of 3
_LT, _LE, _EQ, _GE, _GT, _NE = 1, 2, 3, 4, 5, 6
_COMMUTED = {_LT: _GT, _LE: _GE, _EQ: _EQ, _GE: _LE, _GT: _LT, _NE: _NE}
# (clause's strategy, predicate's) -> what the order of clause's to predicate's constant must be
_IMPLIES: dict[tuple[int, int], Callable[[int], bool]] = {
    (_LT, _LT): lambda order: order <= 0,
    (_LT, _LE): lambda order: order <= 0,
    (_LT, _NE): lambda order: order <= 0,
    (_LE, _LT): lambda order: order < 0,
    (_LE, _LE): lambda order: order <= 0,
    (_LE, _NE): lambda order: order < 0,
    (_EQ, _LT): lambda order: order < 0,
    (_EQ, _LE): lambda order: order <= 0,
    (_EQ, _EQ): lambda order: order == 0,
    (_EQ, _GE): lambda order: order >= 0,
    (_EQ, _GT): lambda order: order > 0,
    (_EQ, _NE): lambda order: order != 0,
    (_GE, _GE): lambda order: order >= 0,
    (_GE, _GT): lambda order: order > 0,
    (_GE, _NE): lambda order: order > 0,
    (_GT, _GE): lambda order: order >= 0,
    (_GT, _GT): lambda order: order >= 0,
    (_GT, _NE): lambda order: order >= 0,
    (_NE, _NE): lambda order: order == 0,
}


def predicate_implied_by(catalog: Any, predicate: Sequence[Expr], clauses: Sequence[Expr]) -> bool:
    """Does each of `predicate` follow from the conjunction of `clauses`?"""
    return all(_implied(catalog, one, list(clauses)) for one in predicate)


def _implied(catalog: Any, predicate: Expr, clauses: list[Expr]) -> bool:
    if isinstance(predicate, BoolExpr) and predicate.boolop == "and":
        return all(_implied(catalog, arg, clauses) for arg in predicate.args)
    if any(_implied_by_one(catalog, predicate, clause) for clause in clauses):
        return True
    if isinstance(predicate, BoolExpr) and predicate.boolop == "or":
        return any(_implied(catalog, arg, clauses) for arg in predicate.args)
    return False


def _implied_by_one(catalog: Any, predicate: Expr, clause: Expr) -> bool:
    if isinstance(clause, BoolExpr) and clause.boolop == "and":
        return _implied(catalog, predicate, clause.args)
    if isinstance(clause, BoolExpr) and clause.boolop == "or":
        return equal(clause, predicate) or all(
            _implied(catalog, predicate, [arg]) for arg in clause.args
        )
    if equal(clause, predicate):
        return True
    if isinstance(predicate, NullTest):
        return not predicate.is_null and _strict_for(catalog, clause, predicate.arg)
    return _implied_by_operator(catalog, predicate, clause)


def _strict_for(catalog: Any, clause: Expr, subject: Expr) -> bool:
    """clause_is_strict_for: would the clause be NULL if subject were?"""
    if equal(clause, subject):
        return True
    if isinstance(clause, RelabelType):
        return _strict_for(catalog, clause.arg, subject)
    if isinstance(clause, (OpExpr, FuncExpr)):
        funcid = clause.opfuncid if isinstance(clause, OpExpr) else clause.funcid
        if catalog.get(PgProc, oid=funcid).proisstrict:
            return any(_strict_for(catalog, arg, subject) for arg in clause.args)
    return False


def _implied_by_operator(catalog: Any, predicate: Expr, clause: Expr) -> bool:
    """operator_predicate_proof, for comparisons with constants"""
    wanted, given = _comparison(catalog, predicate), _comparison(catalog, clause)
    if wanted is None or given is None or not equal(wanted[0], given[0]):
        return False
    test = _IMPLIES.get((given[1], wanted[1]))
    left, right = given[2], wanted[2]
    types = [catalog.types.io(one.consttype) for one in (left, right)]
    comparable = left.consttype == right.consttype or all(io.name in _INTEGERS for io in types)
    if test is None or not comparable or wanted[3] != given[3]:
        return False
    return test(types[0].compare(left.value, right.value))


def _comparison(catalog: Any, node: Expr) -> tuple[Expr, int, Const, int] | None:
    """(subject, strategy, constant, collation) of subject OP constant."""
    if not isinstance(node, OpExpr) or len(node.args) != 2:
        return None
    subject, constant = node.args
    commuted = isinstance(subject, Const)
    if commuted:
        subject, constant = constant, subject
    if not isinstance(constant, Const) or constant.value is None:
        return None
    strategy = _strategy(catalog, node.opno)
    if not strategy:
        return None
    return subject, _COMMUTED[strategy] if commuted else strategy, constant, node.inputcollid


def _strategy(catalog: Any, opno: int) -> int:
    for amop in catalog.all(PgAmop, amopopr=opno):
        if amop.amopmethod == BTREE_AM_OID:
            return int(amop.amopstrategy)
    operator = catalog.get(PgOperator, oid=opno)
    if operator.oprnegate and _strategy_of_equality(catalog, operator.oprnegate):
        return _NE
    return 0


def _strategy_of_equality(catalog: Any, opno: int) -> bool:
    return any(
        amop.amopmethod == BTREE_AM_OID and amop.amopstrategy == _EQ
        for amop in catalog.all(PgAmop, amopopr=opno)
    )
