"""Arithmetic of integers and float8 in SQLite, where its result is PostgreSQL's.

SQLite computes in 64 bits and goes over to floating point where that is not enough, so a test of
the result tells whether an integer operation has overflowed; division is left to SQLite where the
divisor is positive.  A result that fails its test, the special values of float8, and whatever may
be an error are left to the body.  Operations on operations are tested together: all tests stand
before one expression without calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pgemu.nodes import primnodes as p
from pgemu.planner import sql
from pgemu.planner.calls import NATIVE, is_cheap, native
from pgemu.planner.sql import Sql

if TYPE_CHECKING:
    from pgemu.planner.lowering import Lowering

_Call = p.FuncExpr | p.OpExpr
_Body = Callable[[], Sql]
MAX_TESTS = 5  # of one expression: its text grows with their square
_BOUNDS = {"int2": (-(2**15), 2**15 - 1), "int4": (-(2**31), 2**31 - 1)}


class Computed(sql.Text):
    """A lowered operation: `value` is it without its tests."""

    __slots__ = ("tests", "value")

    def __init__(self, value: str, tests: list[str], body: Sql) -> None:
        super().__init__(f"CASE WHEN {' AND '.join(tests)} THEN {value} ELSE {body} END", True)
        self.value = value
        self.tests = tests


def _operands(node: _Call, args: list[Sql], low: Lowering) -> tuple[list[str], list[str]] | None:
    """(texts, tests) of operands that may be written several times."""
    texts: list[str] = []
    tests: list[str] = []
    for expr, arg in zip(node.args, args, strict=True):
        if isinstance(arg, Computed):
            texts.append(f"({arg.value})")
            tests += arg.tests
        elif is_cheap(expr) or _is_cast_constant(expr, low):
            texts.append(str(sql.paren(arg)))
        else:
            return None
    return (texts, tests) if len(tests) < MAX_TESTS else None


def _is_cast_constant(expr: p.Expr, low: Lowering) -> bool:
    """SQLite calls an immutable function of constants once per statement."""
    return (
        isinstance(expr, p.FuncExpr)
        and all(isinstance(arg, p.Const) for arg in expr.args)
        and low.proc(expr.funcid).provolatile == "i"
    )


def _translator(
    write: Callable[[list[str]], str], test: Callable[[str, list[str]], list[str]]
) -> Callable[[_Call, list[Sql], Lowering, _Body], Sql | None]:
    """write: the expression of the operands; test: its tests, given it and the operands."""

    def translate(node: _Call, args: list[Sql], low: Lowering, body: _Body) -> Sql | None:
        found = _operands(node, args, low)
        if found is None:
            return None
        texts, tests = found
        value = write(texts)
        return Computed(value, [*tests, *test(value, texts)], body())

    return translate


def _within(kind: str) -> Callable[[str, list[str]], list[str]]:
    if kind == "int8":
        return lambda value, _: [f"typeof({value}) <> 'real'"]
    first, last = _BOUNDS[kind]
    return lambda value, _: [f"({value}) BETWEEN {first} AND {last}"]


def _written(symbol: str) -> Callable[[list[str]], str]:
    return lambda texts: f"{texts[0]} {symbol} {texts[1]}"


def _positive_divisor(value: str, texts: list[str]) -> list[str]:
    return [f"{texts[1]} > 0"]


def _reals(texts: list[str]) -> list[str]:
    """NaN is stored as text."""
    return [f"typeof({text}) = 'real'" for text in texts]


def _finite_sum(value: str, texts: list[str]) -> list[str]:
    return [*_reals(texts), f"abs({value}) < 1e300"]


def _normal(value: str, texts: list[str]) -> list[str]:
    """Neither overflow nor underflow; a result of zero is looked at by the body."""
    return [*_reals(texts), f"abs({value}) BETWEEN 1e-290 AND 1e300"]


def _register() -> None:
    for symbol, suffix in (("+", "pl"), ("-", "mi"), ("*", "mul")):
        write = _written(symbol)
        NATIVE[f"int2{suffix}"] = _translator(write, _within("int2"))
        for name in ("int4", "int24", "int42"):
            NATIVE[name + suffix] = _translator(write, _within("int4"))
        for name in ("int8", "int28", "int82", "int48", "int84"):
            NATIVE[name + suffix] = _translator(write, _within("int8"))
        test = _normal if symbol == "*" else _finite_sum
        NATIVE[f"float8{suffix}"] = _translator(write, test)
    NATIVE["float8div"] = _translator(_written("/"), _normal)
    for name in ("int2", "int4", "int8", "int24", "int42", "int28", "int82", "int48", "int84"):
        NATIVE[f"{name}div"] = _translator(_written("/"), _positive_divisor)
    for name in ("int2", "int4", "int8"):
        NATIVE[f"{name}mod"] = _translator(_written("%"), _positive_divisor)


_register()


@native("int84", "int82", "i4toi2")
def narrowed(node: _Call, args: list[Sql], low: Lowering, body: _Body) -> Sql | None:
    """The same storage value in a narrower type, if it fits."""
    if len(args) != 1:
        return None
    name = low.proc(node.funcid if isinstance(node, p.FuncExpr) else node.opfuncid).prosrc
    kind = "int4" if name == "int84" else "int2"
    return _translator(lambda texts: texts[0], _within(kind))(node, args, low, body)
